/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every command and query ends with: the answer to the face that asked, while it is the same one, and the audit record. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/engine.h"

#define PAGE_TEXT (CHANNEL_BODY_MAX - sizeof(struct msg_reply))
#define AUDIT_TARGET 512 /* so much of a target is kept */

static void send_reply(struct engine *e, enum role face, uint32_t life, const struct msg_reply *r, const char *text, int fd)
{
	struct face *f = &e->roles[face];

	if (!f->channel || f->life != life)
		return; /* the face is a new one: nobody waits any more */
	if (fd >= 0)
		channel_send_fd(f->channel, MSG_REPLY, r, sizeof *r, fd);
	else
		channel_send2(f->channel, MSG_REPLY, r, sizeof *r, text, r->text_size);
}

void reply_error(struct engine *e, enum role face, uint32_t life, uint64_t request, const struct error *err)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "kind", error_name(err->kind), "object", err->object, "text", err->text, "remedy", err->remedy);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct msg_reply r = {.request = request, .status = err->kind ? err->kind : ERR_BUG, .text_size = text ? (uint32_t)strlen(text) : 0};

	json_decref(o);
	send_reply(e, face, life, &r, text ? text : "", -1);
	free(text);
}

void reply_json(struct engine *e, enum role face, uint32_t life, uint64_t request, uint64_t job, json_t *value, bool more)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	struct msg_reply r = {.request = request, .job = job, .more = more, .text_size = text ? (uint32_t)strlen(text) : 0};
	struct error err;

	json_decref(value);
	if (!text || r.text_size > PAGE_TEXT) {
		error_set(&err, ERR_BUG, "reply", "ask for less", "the answer is too long for one message");
		reply_error(e, face, life, request, &err);
	} else {
		send_reply(e, face, life, &r, text, -1);
	}
	free(text);
}

void reply_fd(struct engine *e, enum role face, uint32_t life, uint64_t request, int fd)
{
	struct msg_reply r = {.request = request};

	send_reply(e, face, life, &r, "", fd);
}

void audit_then(struct engine *e, const char *actor, const char *verb, const char *target, const char *outcome, store_done *done, void *arg)
{
	char key[64], what[AUDIT_TARGET], came_of_it[AUDIT_TARGET];

	text_copy(what, sizeof what, target);
	text_make_printable(what);
	text_copy(came_of_it, sizeof came_of_it, outcome);
	text_make_printable(came_of_it);
	json_t *o = json_pack("{s:i,s:I,s:I,s:s,s:s,s:s,s:s}", "v", 1, "id", (json_int_t)++e->audit_last, "at", (json_int_t)clock_wall_ms(), "actor",
			      actor, "verb", verb, "target", what, "outcome", came_of_it);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	text_format(key, sizeof key, "/audit/%016" PRIu64, e->audit_last);
	store_put(e->store, key, text ? text : "{}", done, arg);
	free(text);
	outbox_prune(e, "/audit/", &e->audit_first, e->audit_last);
}

void audit(struct engine *e, const char *actor, const char *verb, const char *target, const char *outcome)
{
	audit_then(e, actor, verb, target, outcome, NULL, NULL);
}
