/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The smallest difference between two pictures, as changes in the order they are to be made; see picture.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "balance/picture.h"
#include "base/memory.h"
#include "base/text.h"

static int compare_reals(const struct picture_real *a, const struct picture_real *b)
{
	int order = (a->address.family > b->address.family) - (a->address.family < b->address.family);

	if (!order)
		order = memcmp(a->address.bytes, b->address.bytes, sizeof a->address.bytes);
	return order ? order : (a->address.port > b->address.port) - (a->address.port < b->address.port);
}

/* have: the row that stands there, NULL for one that comes. */
static void real_change(struct picture_result *out, enum picture_verb verb, const char *virtual_name, const struct picture_real *r,
			const struct picture_real *have, const char *what)
{
	char address[ADDRESS_TEXT];

	picture_result_change(out, verb, virtual_name, address_text(&r->address, 0, address), "%s", what);
	out->changes[out->change_count - 1].found = have ? picture_real_mark(have) : 0;
}

static void found_virtual(struct picture_result *out, const struct picture_virtual *have)
{
	out->changes[out->change_count - 1].found = picture_virtual_mark(have);
}

static void add_real(struct picture_result *out, const char *virtual_name, const struct picture_real *r)
{
	char what[96];
	size_t used = 0;

	text_append(what, sizeof what, &used, "weight %" PRIu32, r->weight);
	if (r->connections_max)
		text_append(what, sizeof what, &used, ", limit %" PRIu32, r->connections_max);
	real_change(out, PICTURE_ADD_REAL, virtual_name, r, NULL, what);
}

static void change_real(struct picture_result *out, const char *virtual_name, const struct picture_real *want, const struct picture_real *have)
{
	char what[96] = "";
	size_t used = 0;

	if (want->weight != have->weight)
		text_append(what, sizeof what, &used, "weight %" PRIu32 " > %" PRIu32, have->weight, want->weight);
	if (want->connections_max != have->connections_max)
		text_append(what, sizeof what, &used, "%slimit %" PRIu32 " > %" PRIu32, used ? ", " : "", have->connections_max,
			    want->connections_max);
	if (used)
		real_change(out, PICTURE_CHANGE_REAL, virtual_name, want, have, what);
}

/* What of a virtual server can be changed while it stays; "" for nothing. */
static bool virtual_differs(const struct picture_virtual *want, const struct picture_virtual *have, char *what, size_t size)
{
	size_t used = 0;

	what[0] = '\0';
	if (strcmp(want->scheduler, have->scheduler) != 0)
		text_append(what, size, &used, "scheduler %s > %s", have->scheduler, want->scheduler);
	if (want->forwarding != have->forwarding)
		text_append(what, size, &used, "%sforwarding %s > %s", used ? ", " : "", forwarding_name(have->forwarding),
			    forwarding_name(want->forwarding));
	if (want->persistence_s != have->persistence_s)
		text_append(what, size, &used, "%spersistence %" PRIu32 " s > %" PRIu32 " s", used ? ", " : "", have->persistence_s,
			    want->persistence_s);
	if (want->persistence_s && want->persistence_prefix != have->persistence_prefix)
		text_append(what, size, &used, "%spersistence of /%" PRIu32 " > /%" PRIu32, used ? ", " : "", have->persistence_prefix,
			    want->persistence_prefix);
	return used > 0;
}

/* One row of the merge of two sorted lists of reals: either side may be NULL. */
struct pair {
	const struct picture_real *want, *have;
};

static size_t pair_reals(const struct picture_virtual *want, const struct picture_virtual *have, struct pair *out)
{
	size_t w = 0, h = 0, n = 0;

	while (w < want->count || h < have->count) {
		int order = w == want->count ? 1 : h == have->count ? -1 : compare_reals(&want->reals[w], &have->reals[h]);

		out[n++] = (struct pair){order <= 0 ? &want->reals[w] : NULL, order >= 0 ? &have->reals[h] : NULL};
		w += order <= 0;
		h += order >= 0;
	}
	return n;
}

static int names_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Is the host of a real that goes, or its name, taken by one that comes? Hosts stand side by side in the sorted list. */
static bool used_anew(const struct pair *pairs, size_t count, size_t at, const char *const *coming, size_t coming_count)
{
	const struct picture_real *gone = pairs[at].have;
	const char *key = gone->name;

	for (size_t i = at; i-- > 0 && address_same_host(&(pairs[i].want ? pairs[i].want : pairs[i].have)->address, &gone->address);)
		if (!pairs[i].have)
			return true;
	for (size_t i = at + 1; i < count && address_same_host(&(pairs[i].want ? pairs[i].want : pairs[i].have)->address, &gone->address); i++)
		if (!pairs[i].have)
			return true;
	return *key && coming_count && bsearch(&key, coming, coming_count, sizeof *coming, names_order);
}

static void diff_reals(const struct picture_virtual *want, const struct picture_virtual *have, struct picture_result *out)
{
	struct pair *pairs = mem_array(want->count + have->count + 1, sizeof *pairs);
	const char **coming = mem_array(want->count + 1, sizeof *coming);
	bool *gone = mem_array(want->count + have->count + 1, sizeof *gone);
	size_t count = pair_reals(want, have, pairs), names = 0;

	for (size_t i = 0; i < count; i++)
		if (!pairs[i].have && pairs[i].want->name[0])
			coming[names++] = pairs[i].want->name;
	qsort(coming, names, sizeof *coming, names_order);
	for (size_t i = 0; i < count; i++) {
		gone[i] = !pairs[i].want && used_anew(pairs, count, i, coming, names);
		if (gone[i])
			real_change(out, PICTURE_REMOVE_REAL, want->name, pairs[i].have, pairs[i].have, "its address or name is used anew");
	}
	for (size_t i = 0; i < count; i++)
		if (!pairs[i].have)
			add_real(out, want->name, pairs[i].want);
	for (size_t i = 0; i < count; i++)
		if (pairs[i].have && pairs[i].want)
			change_real(out, want->name, pairs[i].want, pairs[i].have);
	for (size_t i = 0; i < count; i++)
		if (!pairs[i].want && !gone[i])
			real_change(out, PICTURE_REMOVE_REAL, want->name, pairs[i].have, pairs[i].have, "");
	free(gone);
	free(coming);
	free(pairs);
}

static void diff_removals(const struct picture *want, const struct picture *have, bool (*ours)(void *arg, const struct picture_virtual *v),
			  void *arg, struct picture_result *out)
{
	for (size_t i = 0; i < have->count; i++) {
		const struct picture_virtual *v = &have->virtuals[i], *wanted = picture_find(want, v->name);

		if (wanted && picture_same_endpoint(wanted, v))
			continue;
		if (!wanted && ours && !ours(arg, v)) {
			out->foreign++;
			continue;
		}
		picture_result_change(out, PICTURE_REMOVE_VIRTUAL, v->name, "", "%s", wanted ? "its address changes" : "");
		found_virtual(out, v);
	}
}

void picture_diff(const struct picture *want, const struct picture *have, bool (*ours)(void *arg, const struct picture_virtual *v), void *arg,
		  struct picture_result *out)
{
	static const struct picture_virtual nothing;
	char what[96], address[ADDRESS_TEXT];

	diff_removals(want, have, ours, arg, out);
	for (size_t i = 0; i < want->count; i++) {
		const struct picture_virtual *v = &want->virtuals[i], *old = picture_find(have, v->name);

		if (old && !picture_same_endpoint(v, old))
			old = NULL;
		if (!old && v->protocol == PICTURE_FWMARK) {
			picture_result_change(out, PICTURE_ADD_VIRTUAL, v->name, "", "mark %" PRIu32 " %s", v->fwmark, v->scheduler);
		} else if (!old) {
			picture_result_change(out, PICTURE_ADD_VIRTUAL, v->name, "", "%s%s %s", address_text(&v->address, 0, address),
					      v->protocol == PICTURE_UDP ? "/udp" : "", v->scheduler);
		} else if (virtual_differs(v, old, what, sizeof what)) {
			picture_result_change(out, PICTURE_CHANGE_VIRTUAL, v->name, "", "%s", what);
			found_virtual(out, old);
		}
		diff_reals(v, old ? old : &nothing, out);
	}
}
