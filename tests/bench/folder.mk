# SPDX-License-Identifier: GPL-3.0-or-later
# the swarm is built from here: the lab's own folder.mk stays the lab's
include tests/lab/swarm/folder.mk
$(eval $(call program,tests/raw,tests/bench/raw.c,swarm,libcrypto,-lm))
$(eval $(call program,tests/walkcanned,tests/bench/walkcanned.c,swarm,libcrypto,-lm))
$(eval $(call program,tests/peer_netsnmp,tests/bench/peer_netsnmp.c,,netsnmp,-lpthread))
$(eval $(call program,tests/planbench,tests/bench/planbench.c,service monitor config base,jansson,-lm))
$(eval $(call program,tests/roundbench,tests/bench/roundbench.c $(filter-out %/main.c,$(wildcard appliance/engine/*.c)),service config model monitor balance control job checker proc board loop base,libevent_core jansson,-lm))
$(eval $(call program,tests/rrdbench,tests/bench/rrdbench.c,recorder rrdnames base,librrd,-lpthread))

$(eval $(call systemtest,tests/system/bench.sh))
$(eval $(call systemtest,tests/system/stall.sh))

