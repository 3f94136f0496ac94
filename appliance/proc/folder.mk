# how processes are made, talk and give rights away
$(eval $(call library,proc,$(wildcard appliance/proc/*.c),libevent_core libseccomp libcap-ng))
$(eval $(call unit,test_channel,tests/unit/test_channel.c,proc loop base,libevent_core))
