/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this process has cost so far; for the programs of the bench that measure themselves. */
#ifndef GLORY_TESTS_BENCH_CPU_H
#define GLORY_TESTS_BENCH_CPU_H

#include <stdint.h>
#include <time.h>

/* Processor time of the process, user and system, all threads, in ns. */
static inline int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
