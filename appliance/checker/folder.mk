# glory-checker: runs check plugins; what they print is taken apart by pure code
$(eval $(call library,checker,appliance/checker/perfdata.c,))
$(eval $(call unit,test_perfdata,tests/unit/test_perfdata.c,checker base,,-lm))
$(eval $(call fuzzer,fuzz_perfdata,tests/fuzz/fuzz_perfdata.c,appliance/checker/perfdata.c $(wildcard appliance/base/*.c),,-lm))
$(eval $(call program,libexec/glory/glory-checker,$(wildcard appliance/checker/role/*.c),checker proc board loop base,libevent_core libseccomp libcap-ng,-lm))
