# node control: verbs and ends as pure code, the runner role, the script that stands on nodes
$(eval $(call library,control,$(wildcard appliance/control/*.c),))
$(eval $(call program,libexec/glory/glory-runner,$(wildcard appliance/control/role/*.c),control proc board loop base,libevent_core libseccomp libcap-ng jansson,-lm))
$(eval $(call unit,test_verbs,tests/unit/test_verbs.c,control proc board loop base,libevent_core libseccomp libcap-ng))
$(eval $(call unit,test_ended,tests/unit/test_ended.c,control proc board loop base,libevent_core libseccomp libcap-ng))
$(eval $(call fuzzer,fuzz_verbs,tests/fuzz/fuzz_verbs.c,appliance/control/verbs.c $(wildcard appliance/base/*.c),))
$(eval $(call fuzzer,fuzz_runner,tests/fuzz/fuzz_runner.c,$(wildcard appliance/control/*.c) $(filter-out %/main.c,$(wildcard appliance/control/role/*.c)) $(wildcard appliance/base/*.c) appliance/loop/loop.c,jansson libevent_core))
