# SPDX-License-Identifier: GPL-3.0-or-later
# the clock of a guest, preloaded by boot: a part of linux.uml, so it is no program with our libraries
PROGRAMS += $B/tests/uml-clock.so
$B/tests/uml-clock.so: tests/lab/uml/clock.c
	$(call say,LD,$@)mkdir -p $(@D); $(CC) -std=c11 -D_GNU_SOURCE $(filter-out -fPIE,$(WARN)) -O2 -fPIC -shared -o $@ $<
$(eval $(call systemtest,tests/system/uml_clock.sh))
