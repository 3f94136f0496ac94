# the event loop over libevent
$(eval $(call library,loop,$(wildcard appliance/loop/*.c),libevent_core))
