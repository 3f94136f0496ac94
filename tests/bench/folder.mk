# SPDX-License-Identifier: GPL-3.0-or-later
# the swarm is built from here: the lab's own folder.mk stays the lab's
include tests/lab/swarm/folder.mk
$(eval $(call program,tests/raw,tests/bench/raw.c,swarm,libcrypto,-lm))
$(eval $(call program,tests/walkstub,tests/bench/walkstub.c,swarm,libcrypto,-lm))

$(eval $(call systemtest,tests/system/bench.sh))

