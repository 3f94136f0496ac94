/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host ranges to names and back; see hostrange.h. Command line, configuration and API call it. */
#include "base/hostrange.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define NAME_MAX_LENGTH 127 /* of one name, after expansion */
#define DIGITS_MAX 15       /* of one number: fits int64 with room */
#define TEXT_MAX (1u << 20) /* of a range: more is not typed by anybody */

void name_list_add(struct name_list *list, const char *name)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		list->names = mem_grow(list->names, list->room, sizeof *list->names);
	}
	list->names[list->count++] = mem_strdup(name);
}

void name_list_free(struct name_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct name_list){0};
}

/* --- from text to names --------------------------------------------------------------------------- */

struct expander {
	const char *at; /* what is left of the text */
	size_t before;  /* names of the items behind us */
	struct error *e;
	char shown[100]; /* the range as errors call it */
};

static int refuse(struct expander *x, const char *remedy, const char *what)
{
	return error_set(x->e, ERR_CONFIG, x->shown, remedy, "%s", what);
}

static int too_many(struct expander *x)
{
	return error_set(x->e, ERR_CONFIG, x->shown, "write several smaller ranges", "the range has more than %d names",
			 HOSTRANGE_MAX);
}

static int expand_literal(struct expander *x, struct name_list *item)
{
	size_t n = strcspn(x->at, "[],");

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)x->at[i]) && !strchr("._-:", x->at[i]))
			return refuse(x, "use letters, digits, '.', '_', '-' and ':', for example n[001-250]",
				      "a character that no name can have");
	for (size_t i = 0; i < item->count; i++) {
		size_t have = strlen(item->names[i]);
		if (have + n > NAME_MAX_LENGTH)
			return refuse(x, "shorten it", "a name is longer than 127 characters");
		item->names[i] = mem_grow(item->names[i], have + n + 1, 1);
		memcpy(item->names[i] + have, x->at, n);
		item->names[i][have + n] = '\0';
	}
	x->at += n;
	return 0;
}

struct span {
	int64_t low, high;
	int width; /* zero-filled to so many digits; 0 = as it is */
};

static bool take_digits(const char **at, int64_t *value, size_t *digits)
{
	*digits = strspn(*at, "0123456789");
	if (*digits < 1 || *digits > DIGITS_MAX)
		return false;
	*value = strtoll(*at, NULL, 10);
	*at += *digits;
	return true;
}

/* "7" or "001-250" */
static int take_span(struct expander *x, struct span *span)
{
	const char *start = x->at;
	size_t digits, end_digits;

	if (!take_digits(&x->at, &span->low, &digits))
		return refuse(x, "write numbers, for example [001-250,300]",
			      "something else than a number inside brackets");
	span->high = span->low;
	span->width = *start == '0' ? (int)digits : 0;
	if (*x->at != '-')
		return 0;
	x->at++;
	start = x->at;
	if (!take_digits(&x->at, &span->high, &end_digits))
		return refuse(x, "write numbers, for example [001-250,300]",
			      "something else than a number inside brackets");
	if ((int)end_digits < span->width || (*start == '0' && end_digits > 1 && (int)end_digits != span->width))
		return refuse(x, "write both ends with equally many digits",
			      "the ends of a range have different leading zeros");
	return span->high < span->low ? refuse(x, "write the lower end first", "a range ends before it begins") : 0;
}

static int take_group(struct expander *x, struct span **spans, size_t *count, uint64_t *numbers)
{
	const char *close = strchr(++x->at, ']');

	if (!close)
		return refuse(x, "close every '[' with a ']'", "a bracket is not closed");
	for (;;) {
		struct span span = {0};
		int rc = take_span(x, &span);
		if (rc)
			return rc;
		*spans = mem_grow(*spans, *count + 1, sizeof **spans);
		(*spans)[(*count)++] = span;
		*numbers += (uint64_t)(span.high - span.low) + 1;
		if (*numbers > HOSTRANGE_MAX)
			return too_many(x);
		if (*x->at != ',')
			break;
		x->at++;
	}
	if (x->at != close)
		return refuse(x, "write numbers, for example [001-250,300]",
			      "something else than a number inside brackets");
	x->at++;
	return 0;
}

static int expand_group(struct expander *x, struct name_list *item)
{
	struct span *spans = NULL;
	size_t count = 0;
	uint64_t numbers = 0;
	struct name_list product = {0};
	char name[NAME_MAX_LENGTH + DIGITS_MAX + 2];
	int rc = take_group(x, &spans, &count, &numbers);

	if (!rc && numbers * item->count + x->before > HOSTRANGE_MAX)
		rc = too_many(x);
	for (size_t i = 0; !rc && i < item->count; i++)
		for (size_t s = 0; s < count; s++)
			for (int64_t v = spans[s].low; v <= spans[s].high; v++) {
				text_format(name, sizeof name, "%s%0*lld", item->names[i], spans[s].width,
					    (long long)v);
				name_list_add(&product, name);
			}
	free(spans);
	if (rc)
		return rc;
	name_list_free(item);
	*item = product;
	return 0;
}

static int expand_item(struct expander *x, struct name_list *item)
{
	int rc = 0;

	if (!*x->at || *x->at == ',')
		return refuse(x, "name at least one host, and nothing but names between commas", "a name is empty");
	name_list_add(item, "");
	while (!rc && *x->at && *x->at != ',') {
		if (*x->at == ']')
			return refuse(x, "open every ']' with a '['", "a bracket is closed that was not opened");
		rc = *x->at == '[' ? expand_group(x, item) : expand_literal(x, item);
	}
	if (rc)
		return rc;
	for (size_t i = 0; i < item->count; i++)
		if (!strpbrk(item->names[i], "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:") ||
		    strlen(item->names[i]) > NAME_MAX_LENGTH || strchr("-_.", item->names[i][0]))
			return refuse(x, "begin it with a letter or digit, at most 127 characters",
				      "a name that is none");
	return 0;
}

/* Moves the names of from behind those of to; from is empty afterwards. */
static void name_list_move(struct name_list *to, struct name_list *from)
{
	if (to->count + from->count > to->room) {
		to->room = (to->count + from->count) * 2;
		to->names = mem_grow(to->names, to->room, sizeof *to->names);
	}
	if (from->count)
		memcpy(to->names + to->count, from->names, from->count * sizeof *to->names);
	to->count += from->count;
	free(from->names);
	*from = (struct name_list){0};
}

int hostrange_expand(const char *text, struct name_list *list, struct error *e)
{
	struct expander x = {.at = text, .e = e};
	struct name_list all = {0};
	int rc;

	text_copy(x.shown, sizeof x.shown, text);
	text_make_printable(x.shown);
	if (strnlen(text, TEXT_MAX) == TEXT_MAX)
		return too_many(&x);
	for (;;) {
		struct name_list item = {0};
		rc = expand_item(&x, &item);
		if (!rc && all.count + item.count > HOSTRANGE_MAX)
			rc = too_many(&x);
		if (rc) {
			name_list_free(&item);
			break;
		}
		name_list_move(&all, &item);
		x.before = all.count;
		if (!*x.at)
			break;
		x.at++;
	}
	if (rc)
		name_list_free(&all);
	else
		name_list_move(list, &all);
	return rc;
}

/* --- from names to text --------------------------------------------------------------------------- */

/* A name seen as HEAD NUMBER TAIL for the run of digits that is being folded; runs are counted from the right, and a
 * bracket group made by an earlier fold counts as one. */
struct piece {
	const char *text;
	size_t head;   /* length before the run */
	size_t digits; /* of the run; 0: there is none, or it is a group already */
	int64_t value;
};

static struct piece piece_make(const char *text, int run)
{
	struct piece p = {.text = text, .head = strlen(text)};

	for (size_t i = strlen(text); i > 0;) {
		size_t end = i;
		if (text[i - 1] == ']') {
			while (i > 0 && text[--i] != '[')
				;
			if (run-- == 0)
				return p;
		} else if (isdigit((unsigned char)text[i - 1])) {
			while (i > 0 && isdigit((unsigned char)text[i - 1]))
				i--;
			if (run-- > 0)
				continue;
			if (end - i > DIGITS_MAX)
				return p;
			p.head = i;
			p.digits = end - i;
			p.value = strtoll(text + i, NULL, 10);
			return p;
		} else {
			i--;
		}
	}
	return p;
}

static const char *piece_tail(const struct piece *p)
{
	return p->text + p->head + p->digits;
}

/* 0 when both stand for the same words around the number */
static int compare_frame(const struct piece *x, const struct piece *y)
{
	size_t shorter = x->head < y->head ? x->head : y->head;
	int c = memcmp(x->text, y->text, shorter);

	if (!c && x->head != y->head)
		c = x->head < y->head ? -1 : 1;
	if (!c)
		c = (x->digits == 0) - (y->digits == 0);
	return c ? c : strcmp(piece_tail(x), piece_tail(y));
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int c = compare_frame(x, y);

	if (!c && x->value != y->value)
		c = x->value < y->value ? -1 : 1;
	return c ? c : (int)x->digits - (int)y->digits;
}

static bool follows(const struct piece *first, const struct piece *last, const struct piece *next)
{
	size_t width = first->text[first->head] == '0' ? first->digits : 0;
	char wanted[32];

	text_format(wanted, sizeof wanted, "%0*lld", (int)width, (long long)last->value + 1);
	return strlen(wanted) == next->digits && !memcmp(wanted, next->text + next->head, next->digits);
}

/* Writes pieces[0..count) of one frame as HEAD[a-b,c]TAIL. */
static char *fold(const struct piece *pieces, size_t count)
{
	size_t size = strlen(pieces[0].text) + 3 + count * (DIGITS_MAX + 1), used = 0;
	char *out = mem_zalloc(size);
	const char *comma = "";

	if (count == 1) {
		text_copy(out, size, pieces[0].text);
		return out;
	}
	text_append(out, size, &used, "%.*s[", (int)pieces[0].head, pieces[0].text);
	for (size_t i = 0; i < count; comma = ",") {
		const struct piece *first = &pieces[i], *last = first;
		for (i++; i < count && follows(first, last, &pieces[i]); i++)
			last = &pieces[i];
		text_append(out, size, &used, "%s%.*s", comma, (int)first->digits, first->text + first->head);
		if (last != first)
			text_append(out, size, &used, "-%.*s", (int)last->digits, last->text + last->head);
	}
	text_append(out, size, &used, "]%s", piece_tail(&pieces[0]));
	return out;
}

/* One pass over the given run of digits; the list becomes shorter or stays. Returns whether any text still has such a
 * run. */
static bool fold_run(struct name_list *list, int run)
{
	struct piece *pieces = mem_array(list->count, sizeof *pieces);
	struct name_list folded = {0};
	bool any = false;

	for (size_t i = 0; i < list->count; i++) {
		pieces[i] = piece_make(list->names[i], run);
		any = any || pieces[i].digits;
	}
	qsort(pieces, list->count, sizeof *pieces, compare_pieces);
	for (size_t i = 0, end; i < list->count; i = end) {
		size_t kept = i + 1;
		for (end = i + 1; end < list->count && !compare_frame(&pieces[i], &pieces[end]); end++)
			if (compare_pieces(&pieces[kept - 1], &pieces[end]))
				pieces[kept++] = pieces[end]; /* doubles fall out */
		char *text = fold(&pieces[i], kept - i);
		name_list_add(&folded, text);
		free(text);
	}
	free(pieces);
	name_list_free(list);
	*list = folded;
	return any;
}

char *hostrange_compress(const struct name_list *list)
{
	struct name_list work = {0};
	size_t size = 1, used = 0;

	for (size_t i = 0; i < list->count; i++)
		name_list_add(&work, list->names[i]);
	for (int run = 0; work.count && run < NAME_MAX_LENGTH && fold_run(&work, run); run++)
		;
	for (size_t i = 0; i < work.count; i++)
		size += strlen(work.names[i]) + 1;
	char *out = mem_zalloc(size);
	for (size_t i = 0; i < work.count; i++)
		text_append(out, size, &used, "%s%s", i ? "," : "", work.names[i]);
	name_list_free(&work);
	return out;
}
