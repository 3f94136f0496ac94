# what is seen becomes what is said: verdicts, judge, domains, levels, alarms
$(eval $(call library,monitor,$(wildcard appliance/monitor/*.c),))
$(eval $(call unit,test_verdict,tests/unit/test_verdict.c,monitor base,))
$(eval $(call unit,test_items,tests/unit/test_items.c,monitor config base,,-lm))
$(eval $(call unit,test_levels,tests/unit/test_levels.c,monitor config base,,-lm))
$(eval $(call unit,test_alarm,tests/unit/test_alarm.c,monitor base,))
$(eval $(call unit,test_recent,tests/unit/test_recent.c,monitor base,,-lm))
$(eval $(call unit,test_sketch,tests/unit/test_sketch.c,monitor base,,-lm))
$(eval $(call unit,test_summary,tests/unit/test_summary.c,monitor base,,-lm))
