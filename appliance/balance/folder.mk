# SPDX-License-Identifier: GPL-3.0-or-later
# the neutral picture of a balancer, between the engine and the driver programs
BALANCE_SOURCES := $(wildcard appliance/balance/*.c)
$(eval $(call library,balance,$(BALANCE_SOURCES),jansson))
$(eval $(call unit,test_picture,tests/unit/test_picture.c,balance base,jansson,-lm))
$(eval $(call fuzzer,fuzz_picture,tests/fuzz/fuzz_picture.c,$(BALANCE_SOURCES) $(filter-out %/wheel.c,$(wildcard appliance/base/*.c)),jansson,-lm))
