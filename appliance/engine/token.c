/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's token; see token.h. */
#include "engine/token.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/runs.h"

#define KEY "/token"
#define TOKEN_MAX 999999999999999 /* fifteen digits: any shell counts so far */

int64_t token_next(const char *json, int64_t wall_s)
{
	json_t *o = json[0] ? json_loads(json, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_int_t last = 0;
	bool good = !json[0] || (o && !json_unpack(o, "{s:I}", "token", &last));

	json_decref(o);
	if (!good || last < 0 || last >= TOKEN_MAX)
		return 0;
	return last + 1 > wall_s || wall_s > TOKEN_MAX ? last + 1 : wall_s;
}

static void on_kept(void *arg, const struct store_reply *r)
{
	struct engine *e = arg;

	e->token_asked = false;
	if (r->status == STORE_OK)
		runs_token(e, e->token);
	else
		log_warning("store: the token of this life cannot be kept (%s): no order goes out before it is", store_trouble(e->store));
}

static void on_read(void *arg, const struct store_reply *r)
{
	struct engine *e = arg;
	const char *json = r->status == STORE_OK && r->count ? r->pairs[0].value : "";
	char text[64];

	if (r->status != STORE_OK && r->status != STORE_NOT_FOUND) {
		e->token_asked = false;
		return;
	}
	int64_t next = token_next(json, clock_wall_ms() / 1000);
	if (!next) {
		log_error("store: " KEY " is not readable: it is made anew from the clock");
		next = token_next("", clock_wall_ms() / 1000);
	}
	e->token = (uint64_t)next;
	text_format(text, sizeof text, "{\"v\":1,\"token\":%" PRId64 "}", next);
	/* by compare-and-swap: two that start at once have two tokens */
	struct store_op op = {KEY, text, r->status == STORE_OK && r->count ? r->pairs[0].revision : 0};
	store_transact(e->store, &op, 1, on_kept, e);
}

void token_take(struct engine *e)
{
	if (e->token_asked || runs_has_token(e))
		return;
	e->token_asked = true;
	store_get(e->store, KEY, on_read, e);
}
