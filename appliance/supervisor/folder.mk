# gloryd, the privileged parent of all roles
$(eval $(call program,bin/gloryd,$(wildcard appliance/supervisor/*.c),config proc board loop base,libevent_core libsystemd))
$(eval $(call unit,test_spawn,tests/unit/test_spawn.c,config proc board loop base,libevent_core libsystemd))
