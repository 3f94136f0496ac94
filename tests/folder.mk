# SPDX-License-Identifier: GPL-3.0-or-later
# system tests of the whole appliance on the lab; the tests of single parts are registered by their folders
$(eval $(call systemtest,tests/system/verdicts.py))
$(eval $(call systemtest,tests/system/power.py))
$(eval $(call systemtest,tests/system/wanted.py))
$(eval $(call systemtest,tests/system/notify.py))
$(eval $(call systemtest,tests/system/kill.py))
$(eval $(call systemtest,tests/system/trouble.py))
$(eval $(call systemtest,tests/system/captured.py))
$(eval $(call systemtest,tests/system/run.sh))
$(eval $(call systemtest,tests/system/rights.py))
$(eval $(call systemtest,tests/system/limits.py))
$(eval $(call systemtest,tests/system/sanitized.py))
$(eval $(call unit,test_average,tests/unit/test_average.c,board base,jansson,-lm))
