/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recursive descent into postfix, and its evaluation; see expression.h. */
#include "config/expression.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct parser {
	const char *at;
	struct expression *out;
	struct error *e;
	int depth;
	bool failed;
};

static bool fail(struct parser *p, const char *remedy, const char *what)
{
	char rest[24];

	if (p->failed)
		return false;
	p->failed = true;
	text_copy(rest, sizeof rest, p->at);
	text_make_printable(rest);
	error_set(p->e, ERR_CONFIG, "", remedy, "expression: %s at %s%s%s", what, *rest ? "\"" : "its end", rest, *rest ? "\"" : "");
	return false;
}

static void skip_blanks(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static bool take(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool put(struct parser *p, char what, double number, unsigned name)
{
	struct expression *x = p->out;

	if (x->steps == EXPRESSION_STEPS)
		return fail(p, "split it into two items", "it is too long");
	x->step[x->steps++] = (struct expression_step){.what = (uint8_t)what, .number = number, .name = (uint8_t)name};
	return true;
}

static bool sum(struct parser *p);

static bool close_parenthesis(struct parser *p)
{
	p->depth--;
	return take(p, ')') || fail(p, "add it", "a ) is missing");
}

static bool open_parenthesis(struct parser *p)
{
	return ++p->depth <= EXPRESSION_DEPTH || fail(p, "split it into two items", "it is too deep");
}

/* min(a, b, ...): taken two by two. */
static bool function(struct parser *p, char what)
{
	unsigned count = 0;

	p->at++;
	if (!open_parenthesis(p))
		return false;
	do {
		if (!sum(p) || (count && !put(p, what, 0, 0)))
			return false;
		count++;
	} while (take(p, ','));
	return close_parenthesis(p) && (count > 1 || fail(p, "write min(a, b)", "min and max want two"));
}

static bool item(struct parser *p)
{
	struct expression *x = p->out;
	char name[EXPRESSION_NAME];
	size_t size = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789_"), after;
	unsigned n = 0;

	if (size >= sizeof name)
		return fail(p, "use names of items", "a name is too long");
	memcpy(name, p->at, size);
	name[size] = '\0';
	after = size + strspn(p->at + size, " \t");
	if (p->at[after] == '(' && (!strcmp(name, "min") || !strcmp(name, "max"))) {
		p->at += after;
		return function(p, name[1] == 'i' ? '<' : '>');
	}
	p->at += size;
	while (n < x->names && strcmp(x->name[n], name) != 0)
		n++;
	if (n == EXPRESSION_NAMES)
		return fail(p, "split it into two items", "there are too many items");
	if (n == x->names)
		memcpy(x->name[x->names++], name, sizeof name);
	return put(p, 'i', 0, n);
}

static bool number(struct parser *p)
{
	char text[32];
	size_t size = strspn(p->at, "0123456789.");
	double value;

	text_format(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), p->at);
	if (size >= sizeof text || !text_number(text, &value))
		return fail(p, "write it as 0.5", "a number is none");
	p->at += size;
	return put(p, 'n', value, 0);
}

static bool factor(struct parser *p)
{
	bool negative = false, good;

	while (take(p, '-'))
		negative = !negative;
	if (take(p, '('))
		good = open_parenthesis(p) && sum(p) && close_parenthesis(p);
	else if (isdigit((unsigned char)*p->at))
		good = number(p);
	else if (islower((unsigned char)*p->at))
		good = item(p);
	else
		return fail(p, "use numbers, names of items, + - * / ( ), min and max", "a value is missing");
	return good && (!negative || put(p, '~', 0, 0));
}

static bool product(struct parser *p)
{
	if (!factor(p))
		return false;
	for (;;) {
		char what = take(p, '*') ? '*' : take(p, '/') ? '/' : '\0';
		if (!what)
			return true;
		if (!factor(p) || !put(p, what, 0, 0))
			return false;
	}
}

static bool sum(struct parser *p)
{
	if (!product(p))
		return false;
	for (;;) {
		char what = take(p, '+') ? '+' : take(p, '-') ? '-' : '\0';
		if (!what)
			return true;
		if (!product(p) || !put(p, what, 0, 0))
			return false;
	}
}

int expression_parse(const char *text, struct expression *out, struct error *e)
{
	struct parser p = {.at = text, .out = out, .e = e};

	memset(out, 0, sizeof *out);
	if (strnlen(text, EXPRESSION_TEXT) == EXPRESSION_TEXT)
		fail(&p, "split it into two items", "it is too long");
	else if (sum(&p)) {
		skip_blanks(&p);
		if (*p.at)
			fail(&p, "use numbers, names of items, + - * / ( ), min and max", "something is too much");
		else if (out->names == 0)
			fail(&p, "name an item", "there is no item in it");
	}
	return p.failed ? ERR_CONFIG : 0;
}

static double combine(uint8_t what, double a, double b)
{
	switch (what) {
	case '+':
		return a + b;
	case '-':
		return a - b;
	case '*':
		return a * b;
	case '/':
		return b == 0 ? NAN : a / b;
	case '<':
		return a < b ? a : b;
	default:
		return a > b ? a : b;
	}
}

double expression_value(const struct expression *x, const double *values)
{
	double stack[EXPRESSION_STEPS];
	uint32_t top = 0;

	for (uint32_t i = 0; i < x->steps; i++) {
		const struct expression_step *s = &x->step[i];
		if (s->what == 'n' || s->what == 'i') {
			stack[top++] = s->what == 'n' ? s->number : values[s->name];
			if (isnan(stack[top - 1]))
				return NAN; /* comparisons would hide it */
		} else if (s->what == '~') {
			stack[top - 1] = -stack[top - 1];
		} else {
			top--;
			stack[top - 1] = combine(s->what, stack[top - 1], stack[top]);
		}
		if (!isfinite(stack[top - 1]))
			return NAN;
	}
	return top == 1 ? stack[0] : NAN;
}
