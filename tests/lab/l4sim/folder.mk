# SPDX-License-Identifier: GPL-3.0-or-later
# simulated L4 switches
$(eval $(call program,tests/l4sim,$(filter-out %/inside.c,$(wildcard tests/lab/l4sim/*.c)),,netsnmp,-lnetsnmpagent -lnetsnmp))
