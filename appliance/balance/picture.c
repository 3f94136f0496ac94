/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lists of a picture: append, sort, find, copy, and the arithmetic of weights; see picture.h. */
#include "balance/picture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void clear_virtuals(struct picture *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->virtuals[i].reals);
	free(p->virtuals);
}

void picture_clear(struct picture *picture)
{
	clear_virtuals(picture);
	explicit_bzero(picture, sizeof *picture);
}

void picture_free_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* Room for one more of size bytes, zeroed; the list doubles. */
static void *append(void **list, size_t *count, size_t *room, size_t size)
{
	if (*count == *room) {
		*room = *room ? *room * 2 : 8;
		*list = mem_grow(*list, *room, size);
	}
	void *row = (char *)*list + *count * size;
	memset(row, 0, size);
	++*count;
	return row;
}

struct picture_virtual *picture_add_virtual(struct picture *picture, const char *name)
{
	void *list = picture->virtuals;

	if (picture->count >= PICTURE_VIRTUALS_MAX)
		return NULL;
	struct picture_virtual *v = append(&list, &picture->count, &picture->room, sizeof *v);
	picture->virtuals = list;
	text_copy(v->name, sizeof v->name, name);
	return v;
}

struct picture_real *picture_add_real(struct picture_virtual *v, const char *name)
{
	void *list = v->reals;

	if (v->count >= PICTURE_REALS_MAX)
		return NULL;
	struct picture_real *r = append(&list, &v->count, &v->room, sizeof *r);
	v->reals = list;
	text_copy(r->name, sizeof r->name, name);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct picture_virtual *)a)->name, ((const struct picture_virtual *)b)->name);
}

static int by_address(const void *left, const void *right)
{
	const struct address *a = &((const struct picture_real *)left)->address, *b = &((const struct picture_real *)right)->address;
	int order = (a->family > b->family) - (a->family < b->family);

	if (!order)
		order = memcmp(a->bytes, b->bytes, sizeof a->bytes);
	return order ? order : (a->port > b->port) - (a->port < b->port);
}

void picture_sort(struct picture *picture)
{
	if (picture->count)
		qsort(picture->virtuals, picture->count, sizeof *picture->virtuals, by_name);
	for (size_t i = 0; i < picture->count; i++)
		if (picture->virtuals[i].count)
			qsort(picture->virtuals[i].reals, picture->virtuals[i].count, sizeof(struct picture_real), by_address);
}

void picture_copy_virtuals(struct picture *to, const struct picture *from)
{
	text_copy(to->driver, sizeof to->driver, from->driver);
	for (size_t i = 0; i < from->count; i++) {
		const struct picture_virtual *old = &from->virtuals[i];
		struct picture_virtual *v = picture_add_virtual(to, old->name);

		*v = *old;
		v->reals = NULL;
		v->room = v->count;
		if (v->count) {
			v->reals = mem_array(v->count, sizeof *v->reals);
			memcpy(v->reals, old->reals, v->count * sizeof *v->reals);
		}
	}
}

bool picture_same_endpoint(const struct picture_virtual *a, const struct picture_virtual *b)
{
	if (a->protocol != b->protocol)
		return false;
	if (a->protocol == PICTURE_FWMARK)
		return a->fwmark == b->fwmark && a->family == b->family;
	return address_equal(&a->address, &b->address);
}

/* Colons and brackets are no part of a name. */
static void name_of_endpoint(struct picture_virtual *v)
{
	char address[ADDRESS_TEXT];

	if (v->protocol == PICTURE_FWMARK) {
		text_format(v->name, sizeof v->name, "mark-%" PRIu32 "-%u", v->fwmark, (unsigned)v->family);
		return;
	}
	struct address host = v->address;
	host.port = 0;
	address_text(&host, 0, address);
	for (char *c = address; *c; c++)
		if (*c == ':')
			*c = '_';
	text_format(v->name, sizeof v->name, "%s%s-%u-%s", *address == '_' ? "v6" : "", address, (unsigned)v->address.port,
		    v->protocol == PICTURE_UDP ? "udp" : "tcp");
}

static void adopt_reals(struct picture_virtual *have, const struct picture_virtual *want)
{
	for (size_t i = 0; want->count && i < have->count; i++) {
		const struct picture_real *r =
			bsearch(&have->reals[i], want->reals, want->count, sizeof *want->reals, by_address);
		if (r)
			memcpy(have->reals[i].name, r->name, sizeof r->name);
	}
}

void picture_adopt_names(struct picture *have, const struct picture *want)
{
	for (size_t i = 0; i < have->count; i++) {
		struct picture_virtual *v = &have->virtuals[i];
		const struct picture_virtual *same = NULL;

		for (size_t w = 0; !same && w < want->count; w++)
			if (picture_same_endpoint(v, &want->virtuals[w]))
				same = &want->virtuals[w];
		if (!same) {
			name_of_endpoint(v);
			continue;
		}
		memcpy(v->name, same->name, sizeof v->name);
		adopt_reals(v, same);
	}
	picture_sort(have);
}

bool picture_set_option(struct picture *picture, const char *name, const char *value)
{
	struct picture_option option;

	if (picture->option_count >= PICTURE_OPTIONS || !text_copy(option.name, sizeof option.name, name) ||
	    !text_copy(option.value, sizeof option.value, value))
		return false;
	picture->options[picture->option_count++] = option;
	return true;
}

const char *picture_option(const struct picture *picture, const char *name, const char *otherwise)
{
	for (size_t i = 0; i < picture->option_count; i++)
		if (!strcmp(picture->options[i].name, name))
			return picture->options[i].value;
	return otherwise;
}

const char *picture_next_word(const char *list, char *word, size_t size)
{
	list += strspn(list, ", ");
	size_t length = strcspn(list, ",");

	if (!*list)
		return NULL;
	text_format(word, size, "%.*s", (int)length, list);
	for (size_t n = strlen(word); n && word[n - 1] == ' ';)
		word[--n] = '\0';
	return list + length;
}

bool picture_is_previous(const char *option)
{
	return !strcmp(option, "previous") || (!strncmp(option, "previous-", 9) && option[9] >= '1' && option[9] <= '9' && !option[10]);
}

const struct picture_virtual *picture_find(const struct picture *picture, const char *name)
{
	struct picture_virtual key;

	if (!picture->count || !text_copy(key.name, sizeof key.name, name))
		return NULL;
	return bsearch(&key, picture->virtuals, picture->count, sizeof key, by_name);
}

uint32_t picture_weight(uint32_t weight, uint32_t heaviest, uint32_t highest)
{
	uint64_t base = heaviest > weight ? heaviest : weight;

	if (base < PICTURE_WEIGHT_NOMINAL)
		base = PICTURE_WEIGHT_NOMINAL;
	if (weight == 0 || highest == 0)
		return 0;
	if (base <= highest)
		return weight;
	uint64_t scaled = ((uint64_t)weight * highest + base / 2) / base;
	return scaled ? (uint32_t)scaled : 1;
}

static const char *const verbs[] = {[PICTURE_ADD_VIRTUAL] = "add-virtual", [PICTURE_CHANGE_VIRTUAL] = "change-virtual",
				    [PICTURE_REMOVE_VIRTUAL] = "remove-virtual", [PICTURE_ADD_REAL] = "add-real",
				    [PICTURE_CHANGE_REAL] = "change-real", [PICTURE_REMOVE_REAL] = "remove-real"};

const char *picture_verb_name(int verb)
{
	return verb > 0 && verb < (int)COUNT_OF(verbs) ? verbs[verb] : "?";
}

void picture_result_clear(struct picture_result *result)
{
	free(result->changes);
	picture_clear(&result->have);
	memset(result, 0, sizeof *result);
}

void picture_result_change(struct picture_result *result, enum picture_verb verb, const char *virtual_name, const char *real, const char *format,
			   ...)
{
	void *list = result->changes;
	struct picture_change *c = append(&list, &result->change_count, &result->change_room, sizeof *c);
	va_list ap;

	result->changes = list;
	result->change_total++;
	c->verb = verb;
	text_copy(c->virtual_name, sizeof c->virtual_name, virtual_name);
	text_copy(c->real, sizeof c->real, real);
	va_start(ap, format);
	vsnprintf(c->what, sizeof c->what, format, ap);
	va_end(ap);
}

const struct picture_real *picture_change_real(const struct picture *picture, const struct picture_change *change)
{
	const struct picture_virtual *v = picture_find(picture, change->virtual_name);
	struct picture_real key = {0};

	if (!v || !v->count || !address_parse(change->real, 0, &key.address))
		return NULL;
	return bsearch(&key, v->reals, v->count, sizeof key, by_address);
}
