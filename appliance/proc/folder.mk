# how processes are made, talk and give rights away
$(eval $(call library,proc,$(wildcard appliance/proc/*.c),libevent_core libseccomp libcap-ng))
