# virtual time: the real watch and judge around a made-up site, and the step-by-step tests of both
$(eval $(call unit,sim,tests/sim/sim.c tests/sim/scenarios.c tests/sim/world.c tests/sim/strike.c tests/sim/happen.c tests/sim/measure.c,watch monitor base,,-lm))
$(eval $(call unit,test_watch,tests/unit/test_watch.c,watch base,,-lm))
$(eval $(call unit,test_judge,tests/unit/test_judge.c,monitor base,))
$(eval $(call unit,test_judge_domains,tests/unit/test_judge_domains.c,monitor base,))
# the sizing rule over made-up loads
$(eval $(call unit,sizing,tests/sim/sizing.c tests/sim/traces.c tests/sim/plant.c,service base,,-lm))
$(eval $(call unit,shares,tests/sim/shares.c tests/sim/traces.c tests/sim/plant.c,service base,,-lm))
$(eval $(call unit,settling,tests/sim/settling.c tests/sim/traces.c,service base,,-lm))
$(eval $(call unit,replay,tests/sim/replay.c tests/sim/trace_file.c tests/sim/traces.c tests/sim/plant.c,service base,,-lm))
$(eval $(call unit,test_trace_file,tests/unit/test_trace_file.c tests/sim/trace_file.c tests/sim/traces.c,base,,-lm))
