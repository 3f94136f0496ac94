/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scenarios of verdicts 6.1 and what each must show; sim.c runs them. */
#ifndef GLORY_TESTS_SIM_SCENARIOS_H
#define GLORY_TESTS_SIM_SCENARIOS_H

#include <stddef.h>

#include "tests/sim/world.h"

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
