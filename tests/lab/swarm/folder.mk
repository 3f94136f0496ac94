# SPDX-License-Identifier: GPL-3.0-or-later
SWARM_PARTS := $(filter-out tests/lab/swarm/main.c,$(wildcard tests/lab/swarm/*.c))
$(eval $(call library,swarm,$(SWARM_PARTS),libcrypto))
$(eval $(call program,tests/swarm,tests/lab/swarm/main.c,swarm,libcrypto,-lm))
$(eval $(call unit,test_swarm_ber,tests/unit/test_swarm_ber.c,swarm,libcrypto,-lm))
$(eval $(call unit,test_swarm_agent,tests/unit/test_swarm_agent.c,swarm,libcrypto,-lm))
$(eval $(call unit,test_swarm_hostile,tests/unit/test_swarm_hostile.c,swarm,libcrypto,-lm))
$(eval $(call systemtest,tests/system/swarm.sh))
