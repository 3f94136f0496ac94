/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions and patterns: values by hand, what is unknown, every bound, every refusal. */
#include <math.h>
#include <string.h>

#include "base/glob.h"
#include "base/memory.h"
#include "config/expression.h"
#include "tests/unit/unit.h"

static double value(const char *text, double a, double b)
{
	struct expression x;
	struct error e;
	double values[EXPRESSION_NAMES];

	CU_ASSERT_EQUAL_FATAL(expression_parse(text, &x, &e), 0);
	for (unsigned i = 0; i < x.names; i++)
		values[i] = !strcmp(x.name[i], "a") ? a : !strcmp(x.name[i], "b") ? b : NAN;
	return expression_value(&x, values);
}

static void values(void)
{
	static const struct {
		const char *text;
		double wanted;
	} rows[] = {
		{"a + b", 13}, {"a - b - 1", 6}, {"a - (b - 1)", 8}, {"100 * a / b", 1000 / 3.0}, {"a + b * 2", 16}, {"(a + b) * 2", 26},
		{"-a + b", -7}, {"- -a", 10}, {"a - -b", 13}, {"min(a, b)", 3}, {"max(a,b, 20, 5)", 20}, {"min (a, max(b, 4))", 4},
		{"0.5*a", 5}, {" a ", 10}, {"a/b/2", 10 / 3.0 / 2}, {"-(a+b)", -13},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		double got = value(rows[i].text, 10, 3);
		CU_ASSERT_DOUBLE_EQUAL(got, rows[i].wanted, 1e-12);
	}
}

static void unknown(void)
{
	CU_ASSERT(isnan(value("a / b", 10, 0)));
	CU_ASSERT(isnan(value("1 / (a - a)", 10, 0)));
	CU_ASSERT(isnan(value("a + b", NAN, 1)));
	CU_ASSERT(isnan(value("min(a, b)", 1, NAN)));
	CU_ASSERT(isnan(value("max(a, b)", NAN, 1)));
	CU_ASSERT(isnan(value("0 * b", 1, NAN)));
	CU_ASSERT(isnan(value("a * a", 1e200, 0)));
	CU_ASSERT(isnan(value("a", INFINITY, 0)));
	CU_ASSERT(isnan(value("c", 1, 1)));
}

static void refusals(void)
{
	static const char *const texts[] = {"", " ", "1", "1 + 2", "a +", "+ a", "a b", "(a", "a)", "a + * b", "min(a)", "max()", "min(a,)", "a, b",
					    "A", "a.b", "1.2.3 * a", "a ** b", "a / / b", "1e5 * a", "a # b", "a_name_that_is_too_long_x", "a + \x01",
					    "min a", "5a"};
	struct expression x;
	struct error e;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		e = (struct error){.kind = 0};
		if (expression_parse(texts[i], &x, &e) == 0) {
			printf("taken: \"%s\"\n", texts[i]);
			CU_FAIL("taken");
		}
		CU_ASSERT_EQUAL(e.kind, ERR_CONFIG);
		CU_ASSERT(e.text[0] && e.remedy[0]);
	}
}

static void bounds(void)
{
	char text[EXPRESSION_TEXT + 8];
	struct expression x;
	struct error e;

	memset(text, '(', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), ERR_CONFIG); /* too long */
	text[EXPRESSION_DEPTH + 1] = '\0';
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "too deep"));
	strncpy(text, "((((((((((((((((a))))))))))))))))", sizeof text - 1);
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), 0);
	text[0] = '\0';
	for (size_t i = 0; i < 40; i++)
		strncat(text, i ? "+a" : "a", sizeof text - strlen(text) - 1);
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), ERR_CONFIG); /* 79 steps */
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "too long"));
	text[strlen(text) - 2 * 8] = '\0';
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), 0);
	CU_ASSERT_EQUAL(x.steps, 63);
	text[0] = '\0';
	for (char c = 'a'; c < 'a' + EXPRESSION_NAMES + 1; c++) {
		char term[4] = {c == 'a' ? ' ' : '+', c, 0};
		strncat(text, term, sizeof text - strlen(text) - 1);
	}
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "too many items"));
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = '-';
	text[200] = 'a';
	text[201] = '\0';
	CU_ASSERT_EQUAL(expression_parse(text, &x, &e), 0); /* signs do not nest */
}

static void patterns(void)
{
	static const struct {
		const char *list, *text;
		bool matches;
	} rows[] = {
		{"*", "", true}, {"*", "sda", true}, {"sd*", "sda", true}, {"sd*", "hda", false}, {"sd?", "sda", true}, {"sd?", "sda1", false},
		{"sd[a-c]", "sdb", true}, {"sd[a-c]", "sdd", false}, {"sd[!a-c]", "sdd", true}, {"sd[!a-c]", "sda", false}, {"[]]", "]", true},
		{"[a-]", "-", true}, {"a*b*c", "aXbYc", true}, {"a*b*c", "aXbY", false}, {"*.0", "1.0", true}, {"eth*,bond?", "bond0", true},
		{"eth*,bond?", "bond10", false}, {"eth*,bond?", "eth", true}, {"", "", false}, {"a", "", false}, {"Physical memory", "Physical memory", true},
		{"*ab", "aab", true}, {"*a?", "xaay", true}, {"/mnt/[a-z]*", "/mnt/data", true},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (glob_list_match(rows[i].list, rows[i].text) != rows[i].matches) {
			printf("%s on \"%s\"\n", rows[i].list, rows[i].text);
			CU_FAIL("pattern");
		}
	CU_ASSERT(glob_list_valid("sd*,nvme[0-9]*"));
	CU_ASSERT_FALSE(glob_list_valid(""));
	CU_ASSERT_FALSE(glob_list_valid("a,"));
	CU_ASSERT_FALSE(glob_list_valid(",a"));
	CU_ASSERT_FALSE(glob_list_valid("a,,b"));
	CU_ASSERT_FALSE(glob_list_valid("[a-"));
	CU_ASSERT_FALSE(glob_list_valid("x[a,b]"));
	CU_ASSERT(glob_wanted("", "", "sda"));
	CU_ASSERT(glob_wanted("sd*", "", "sda"));
	CU_ASSERT_FALSE(glob_wanted("sd*", "sda", "sda"));
	CU_ASSERT_FALSE(glob_wanted("", "loop*", "loop0"));
}

/* What makes other matchers take for ever. */
static void patience(void)
{
	char text[48];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(glob_list_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static const struct unit_test tests[] = {{"values", values}, {"unknown", unknown}, {"refusals", refusals},
					 {"bounds", bounds}, {"patterns", patterns}, {"patience", patience}};
UNIT_MAIN("expression", tests)
