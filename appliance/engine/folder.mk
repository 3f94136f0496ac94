# glory-engine: the one process that knows the cluster
$(eval $(call program,libexec/glory/glory-engine,$(wildcard appliance/engine/*.c),service config store model monitor balance control job checker proc board loop base,libevent_core jansson,-lm))
ENGINE_FUZZED := $(filter-out %/main.c,$(wildcard appliance/engine/*.c)) $(filter-out %/xml_main.c %/xml_document.c %/xml_cluster.c %/xml_settings.c,$(wildcard appliance/config/*.c)) \
	$(wildcard appliance/model/*.c appliance/monitor/*.c appliance/job/*.c appliance/control/*.c appliance/service/*.c appliance/balance/*.c appliance/board/*.c appliance/loop/*.c appliance/base/*.c) appliance/proc/channel.c appliance/checker/probe.c
$(eval $(call fuzzer,fuzz_messages,tests/fuzz/fuzz_messages.c,$(ENGINE_FUZZED),jansson libevent_core,-lm))
$(eval $(call unit,test_event_logs,tests/unit/test_event_logs.c $(filter-out %/main.c,$(wildcard appliance/engine/*.c)),service config model monitor balance control job checker proc board loop base,libevent_core jansson,-lm))
$(eval $(call unit,test_history,tests/unit/test_history.c appliance/engine/history.c appliance/store/file.c,monitor loop base,sqlite3 libevent_core,-lm -lpthread))
$(eval $(call program,tests/statseed,tests/system/statseed.c appliance/engine/history.c,store monitor loop base,sqlite3 libevent_core,-lm -lpthread))
$(eval $(call unit,test_probes,tests/unit/test_probes.c,checker board base,jansson,-lm))
$(eval $(call unit,test_runs,tests/unit/test_runs.c,board loop base,libevent_core jansson,-lm))
$(eval $(call unit,test_https_alarms,tests/unit/test_https_alarms.c,board base,jansson,-lm))
$(eval $(call unit,test_balancers_show,tests/unit/test_balancers_show.c,balance board loop base,libevent_core jansson,-lm))
