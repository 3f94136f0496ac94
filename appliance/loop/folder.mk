# the event loop over libevent
$(eval $(call library,loop,$(wildcard appliance/loop/*.c),libevent_core))
$(eval $(call unit,test_loop,tests/unit/test_loop.c,loop base,libevent_core))
