# jobs and brakes as pure state
$(eval $(call library,job,$(wildcard appliance/job/*.c),jansson))
