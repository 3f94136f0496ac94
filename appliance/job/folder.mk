# jobs and brakes as pure state
$(eval $(call library,job,$(wildcard appliance/job/*.c),jansson))
$(eval $(call unit,test_job,tests/unit/test_job.c,job base,jansson))
