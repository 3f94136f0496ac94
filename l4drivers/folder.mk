# SPDX-License-Identifier: GPL-3.0-or-later
# glory-l4: one driver per family of L4 switch
L4_SOURCES := $(filter-out l4drivers/main.c,$(wildcard l4drivers/*.c))
$(eval $(call library,l4drivers,$(L4_SOURCES),netsnmp jansson))
$(eval $(call program,libexec/glory/glory-l4,l4drivers/main.c,l4drivers balance base,netsnmp jansson))
$(eval $(call unit,test_l4_run,tests/unit/test_l4_run.c,l4drivers balance base,netsnmp jansson,-lm))
$(eval $(call unit,test_l4_texts,tests/unit/test_l4_texts.c,l4drivers balance base,netsnmp jansson,-lm))
$(eval $(call systemtest,tests/system/l4.py))
L4_SIMULATED := $(addprefix tests/lab/l4sim/,store.c inside.c alteon.c serveriron.c cisco.c f5.c)
L4_FUZZED := $(L4_SOURCES) $(BALANCE_SOURCES) $(filter-out %/wheel.c,$(wildcard appliance/base/*.c))
$(eval $(call fuzzer,fuzz_l4_texts,tests/fuzz/fuzz_l4_texts.c,$(L4_FUZZED),netsnmp jansson,-lm))
$(eval $(call fuzzer,fuzz_l4_snmp,tests/fuzz/fuzz_l4_snmp.c,$(L4_FUZZED) $(L4_SIMULATED),netsnmp jansson,-lm))
$(eval $(call unit,test_l4_switches,tests/unit/test_l4_switches.c $(L4_SIMULATED),l4drivers balance base,netsnmp jansson,-lm))
