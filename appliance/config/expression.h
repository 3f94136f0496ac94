/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions over items: "if_in + if_out", "100 * a / b", "max(temp1, temp2) - 20". Numbers, item names, + - * / ( ), min and max of
 * two or more. Pure and bounded: EXPRESSION_TEXT characters, EXPRESSION_STEPS steps, EXPRESSION_NAMES different items, EXPRESSION_DEPTH
 * parentheses deep. Used by check.c for what may be configured, by the engine for values. */
#ifndef GLORY_CONFIG_EXPRESSION_H
#define GLORY_CONFIG_EXPRESSION_H

#include <stdint.h>

#include "base/error.h"

enum { EXPRESSION_TEXT = 256, EXPRESSION_STEPS = 64, EXPRESSION_NAMES = 16, EXPRESSION_DEPTH = 16, EXPRESSION_NAME = 20 };

/* Postfix: a step pushes a number or an item's value, or takes one (negate) or two values and pushes what comes of them. */
struct expression_step {
	double number;
	uint8_t what; /* 'n' number, 'i' item, '~' negate, '+' '-' '*' '/', '<' lesser, '>' greater */
	uint8_t name;
};

struct expression {
	uint32_t steps, names;
	struct expression_step step[EXPRESSION_STEPS];
	char name[EXPRESSION_NAMES][EXPRESSION_NAME];
};

/* 0, or ERR_CONFIG with text and remedy (the caller names the object) and *out not to be used. */
int expression_parse(const char *text, struct expression *out, struct error *e);
/* values: one per name, in their order; NAN is unknown. NAN when anything that is needed is unknown, and for a division by zero. */
double expression_value(const struct expression *expression, const double *values);

#endif
