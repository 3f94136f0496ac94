# SPDX-License-Identifier: GPL-3.0-or-later
# services that size and heal themselves: sizes, weights, moves, shares of a pool, the planner, the ladder; pure, time is a parameter
$(eval $(call library,service,$(wildcard appliance/service/*.c),jansson))
$(eval $(call unit,test_service_text,tests/unit/test_service_text.c,service config base,jansson,-lm))
$(eval $(call fuzzer,fuzz_service_text,tests/fuzz/fuzz_service_text.c,appliance/service/schedule.c $(wildcard appliance/config/service_*.c) $(filter-out %/wheel.c,$(wildcard appliance/base/*.c)),,-lm))
$(eval $(call unit,test_weights,tests/unit/test_weights.c,service base,,-lm))
$(eval $(call unit,test_hot,tests/unit/test_hot.c,service base,,-lm))
$(eval $(call unit,test_arbiter,tests/unit/test_arbiter.c,service base,,-lm))
$(eval $(call unit,test_sizing,tests/unit/test_sizing.c tests/sim/traces.c tests/sim/plant.c,service config base,jansson,-lm))
$(eval $(call fuzzer,fuzz_sizing_state,tests/fuzz/fuzz_sizing_state.c,$(wildcard appliance/service/s*.c) appliance/config/service_text.c appliance/config/service_schedule.c $(filter-out %/wheel.c,$(wildcard appliance/base/*.c)),,-lm))
$(eval $(call unit,test_service_plan,tests/unit/test_service_plan.c,service monitor config base,jansson,-lm))
$(eval $(call unit,test_service_ladder,tests/unit/test_service_ladder.c,service monitor config base,jansson,-lm))
$(eval $(call fuzzer,fuzz_service_kept,tests/fuzz/fuzz_service_kept.c,appliance/service/member.c appliance/service/ladder.c appliance/monitor/verdict.c $(filter-out %/wheel.c,$(wildcard appliance/base/*.c)),jansson,-lm))
