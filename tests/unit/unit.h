/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs one CUnit suite given as a table, prints failures, returns the exit code. Every test_*.c ends with it. */
#ifndef GLORY_TESTS_UNIT_H
#define GLORY_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stddef.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

static inline int unit_run(const char *suite_name, const struct unit_test *tests, size_t count)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
	for (size_t i = 0; suite && i < count; i++)
		if (!CU_add_test(suite, tests[i].name, tests[i].run))
			suite = NULL;
	if (!suite) {
		CU_cleanup_registry();
		return 1;
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed();
	unsigned run = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	return failed || run != count;
}

#define UNIT_MAIN(suite_name, tests) \
	int main(void) \
	{ \
		return unit_run(suite_name, tests, sizeof(tests) / sizeof((tests)[0])); \
	}

#endif
