/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks of rows, and whose a change is by them: the engine counts with them what somebody else had changed at a balancer; see picture.h. */
#include <string.h>

#include "balance/picture.h"
#include "base/memory.h"
#include "base/text.h"

/* JSON's integers are signed */
static uint64_t mark(const uint64_t *facts, size_t count)
{
	return (text_hash(facts, count * sizeof *facts) & INT64_MAX) | 1;
}

uint64_t picture_real_mark(const struct picture_real *r)
{
	const uint64_t facts[] = {r->weight, r->connections_max};

	return mark(facts, COUNT_OF(facts));
}

uint64_t picture_virtual_mark(const struct picture_virtual *v)
{
	if (!v->address.family && !v->fwmark)
		return 0;
	const uint64_t facts[] = {text_hash(v->scheduler, strlen(v->scheduler)), text_hash(v->address.bytes, sizeof v->address.bytes), v->address.port,
				  v->protocol, v->fwmark, v->family, v->forwarding, v->persistence_s, v->persistence_s ? v->persistence_prefix : 0};

	return mark(facts, COUNT_OF(facts));
}

/* The virtual server of a change as it was in `last`; NULL when there was none, or when it has another address now: then all of it came anew. */
static const struct picture_virtual *before(const struct picture *last, const struct picture_result *r, const char *name)
{
	const struct picture_virtual *then = picture_find(last, name), *now = picture_find(&r->have, name);

	return then && now && picture_same_endpoint(then, now) ? then : NULL;
}

static bool had(const struct picture *last, uint64_t found)
{
	for (size_t i = 0; i < last->count; i++)
		if (picture_virtual_mark(&last->virtuals[i]) == found)
			return true;
	return false;
}

bool picture_found_changed(const struct picture *last, const struct picture_result *result, size_t change)
{
	const struct picture_change *c = &result->changes[change];
	const struct picture_virtual *v = before(last, result, c->virtual_name);
	const struct picture_real *r = v ? picture_change_real(last, c) : NULL;

	switch (c->verb) {
	case PICTURE_ADD_VIRTUAL:
		return v != NULL;
	case PICTURE_CHANGE_VIRTUAL:
		return v && c->found && c->found != picture_virtual_mark(v);
	case PICTURE_REMOVE_VIRTUAL: /* by its mark: where a balancer knows no names, one that is wanted no more has its address for a name */
		return c->found && !had(last, c->found);
	case PICTURE_ADD_REAL:
		return r != NULL;
	case PICTURE_CHANGE_REAL: /* one that is new to us was nobody's before */
		return r && c->found && c->found != picture_real_mark(r);
	case PICTURE_REMOVE_REAL:
		return v && c->found && (!r || c->found != picture_real_mark(r));
	}
	return false;
}
