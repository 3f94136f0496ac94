# SPDX-License-Identifier: GPL-3.0-or-later
# the kernel's load balancer
LVS_SOURCES := $(addprefix lvs/,kernel.c message.c plan.c keepalived.c files.c run.c)
$(eval $(call library,lvs,$(LVS_SOURCES),libnl-genl-3.0 jansson))
$(eval $(call program,libexec/glory/glory-ipvs,lvs/main.c,lvs balance base,libnl-genl-3.0 jansson libseccomp libcap-ng,-lm))
# the unit test includes kernel.c and message.c
LVS_PURE := $(filter-out lvs/kernel.c lvs/message.c,$(LVS_SOURCES))
$(eval $(call unit,test_lvs,tests/unit/test_lvs.c tests/sim/fake_ipvs.c $(LVS_PURE),balance base,libnl-genl-3.0 jansson,-lm))
$(eval $(call unit,test_lvs_files,tests/unit/test_lvs_files.c lvs/keepalived.c lvs/plan.c,balance base,libnl-genl-3.0 jansson,-lm))
$(eval $(call fuzzer,fuzz_lvs,tests/fuzz/fuzz_lvs.c,$(LVS_SOURCES) $(BALANCE_SOURCES) $(filter-out %/wheel.c,$(wildcard appliance/base/*.c)),libnl-genl-3.0 jansson,-lm))
$(eval $(call systemtest,tests/system/lvs.sh))
