# gloryd, the privileged parent of all roles
$(eval $(call program,bin/gloryd,$(wildcard appliance/supervisor/*.c),config proc board loop base,libevent_core libsystemd))
