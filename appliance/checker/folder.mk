# glory-checker: runs check plugins, looks at members of services; what is printed and what a look means is pure code's
$(eval $(call library,checker,appliance/checker/perfdata.c appliance/checker/probe.c,))
$(eval $(call unit,test_perfdata,tests/unit/test_perfdata.c,checker base,,-lm))
$(eval $(call fuzzer,fuzz_perfdata,tests/fuzz/fuzz_perfdata.c,appliance/checker/perfdata.c $(wildcard appliance/base/*.c),,-lm))
$(eval $(call unit,test_member_probe,tests/unit/test_member_probe.c,checker base,,-lm))
$(eval $(call fuzzer,fuzz_probe,tests/fuzz/fuzz_probe.c,appliance/checker/probe.c $(wildcard appliance/base/*.c),,-lm))
$(eval $(call program,tests/probedrive,tests/system/probedrive.c,board base,jansson,-lm))
$(eval $(call systemtest,tests/system/probes.py))
$(eval $(call program,libexec/glory/glory-checker,$(wildcard appliance/checker/role/*.c),checker proc board loop base,libevent_core libseccomp libcap-ng libcurl,-lm))
