# what is seen becomes what is said: verdicts, judge, domains, levels, alarms
$(eval $(call library,monitor,$(wildcard appliance/monitor/*.c),))
$(eval $(call unit,test_verdict,tests/unit/test_verdict.c,monitor base,))
