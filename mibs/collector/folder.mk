# the SNMP collector: the engine's parts as an archive (the watch has its own), the role, and their tests
COLLECTOR_ENGINE := $(addprefix mibs/collector/,ber.c template.c batch.c credential.c engine.c plan.c walk.c facts.c usm.c v3.c echo.c userland.c)
$(eval $(call library,snmp,$(COLLECTOR_ENGINE),netsnmp libcrypto libevent_core))
$(eval $(call unit,test_ber,tests/unit/test_ber.c,snmp base,netsnmp libcrypto))
$(eval $(call unit,test_template,tests/unit/test_template.c,snmp base,netsnmp libcrypto))
$(eval $(call unit,test_usm,tests/unit/test_usm.c,snmp base,netsnmp libcrypto))
$(eval $(call unit,test_engine,tests/unit/test_engine.c,snmp base,netsnmp libcrypto))
# the watch: scheduler, suspicions, loss estimates; pure, and also linked into tests/sim
$(eval $(call library,watch,mibs/collector/watch.c mibs/collector/suspicion.c mibs/collector/loss.c,))
$(eval $(call program,libexec/glory/glory-collector,$(wildcard mibs/collector/role/*.c),snmp watch proc board loop base,netsnmp libcrypto libevent_core libseccomp libcap-ng,-lm))
$(eval $(call program,tests/collectordrive,tests/system/collectordrive.c,proc board loop base,libevent_core libseccomp libcap-ng))
$(eval $(call program,tests/recorded,tests/system/recorded.c,snmp base,netsnmp libcrypto))
$(eval $(call systemtest,tests/system/collector.sh))
$(eval $(call program,tests/polltool,tests/bench/polltool.c,snmp base,netsnmp libcrypto))
