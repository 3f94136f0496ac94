# SPDX-License-Identifier: GPL-3.0-or-later
$(eval $(call systemtest,tests/system/lab.sh))
include tests/lab/l4sim/folder.mk
include tests/lab/uml/folder.mk
