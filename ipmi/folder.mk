# the BMC engine, its role and what tests them
IPMI_SOURCES := $(wildcard ipmi/*.c)
$(eval $(call library,ipmi,$(IPMI_SOURCES),libfreeipmi libevent_core))
$(eval $(call program,tests/bmctool,tests/sim/bmctool.c,ipmi loop base,libfreeipmi libevent_core,-lm))
$(eval $(call program,libexec/glory/glory-bmc,ipmi/role/main.c,ipmi proc board loop base,libfreeipmi libevent_core libseccomp libcap-ng,-lm))
$(eval $(call unit,test_bmc_engine,tests/unit/test_bmc_engine.c tests/sim/fake_bmc.c,ipmi base,libfreeipmi libcrypto,-lm))
$(eval $(call unit,test_bmc_sensors,tests/unit/test_bmc_sensors.c tests/sim/fake_bmc.c,ipmi base,libfreeipmi libcrypto,-lm))
