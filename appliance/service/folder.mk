# SPDX-License-Identifier: GPL-3.0-or-later
# services that size and heal themselves: pure deciders; the engine does what they say
$(eval $(call library,service,$(wildcard appliance/service/*.c),jansson))
$(eval $(call unit,test_service_plan,tests/unit/test_service_plan.c,service monitor config base,jansson,-lm))
