/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members as plain data: evidence, states, the form in the store. See member.h. */
#include "service/member.h"

#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static bool is_dark(enum verdict v)
{
	return v == VERDICT_UNREACHABLE || v == VERDICT_OS_HUNG || v == VERDICT_LINK_LOST || v == VERDICT_PATH_BLOCKED || v == VERDICT_POWERED_OFF ||
	       v == VERDICT_POWER_LOST || v == VERDICT_ISOLATED || v == VERDICT_BOOTING || v == VERDICT_BOOT_FAILED;
}

/* The node's path is good: something of it answers. */
static bool is_lit(enum verdict v)
{
	return v == VERDICT_UP || v == VERDICT_AGENT_SLOW || v == VERDICT_AGENT_DEAD || v == VERDICT_BMC_LOST || v == VERDICT_BMC_MISMATCH;
}

enum evidence member_evidence(const struct member_witness *w)
{
	bool judged = !w->held && !w->suspended;
	bool called = judged && is_dark(w->verdict) && w->certainty >= CERTAINTY_CALLED;
	bool bad = w->probe == PROBE_BAD;

	if (called && w->certainty == CERTAINTY_CONFIRMED && w->probe != PROBE_GOOD && w->verdict != VERDICT_BOOTING && !w->maintenance)
		return EVIDENCE_DEAD;
	if (bad && (called || (judged && is_lit(w->verdict))))
		return EVIDENCE_HARD;
	if (bad || called)
		return EVIDENCE_SOFT;
	return w->probe == PROBE_GOOD ? EVIDENCE_GOOD : EVIDENCE_NONE;
}

void member_reason(struct member *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(m->reason, sizeof m->reason, format, args);
	va_end(args);
	text_make_printable(m->reason);
}

void member_enter(struct member *m, enum member_state state, int64_t now_ms, int64_t for_ms, const char *reason)
{
	m->state = (uint8_t)state;
	m->since_ms = now_ms;
	m->deadline_ms = for_ms ? now_ms + for_ms : 0;
	m->retry_ms = 0;
	m->ramp_ms = 0;
	if (state != MEMBER_WARMING && state != MEMBER_IN_SERVICE) {
		m->out = false;
		m->out_ms = 0;
		m->weight = 0;
	}
	member_reason(m, "%s", reason);
}

bool member_is_balanced(const struct member *m)
{
	return m->state == MEMBER_WARMING || m->state == MEMBER_IN_SERVICE || m->state == MEMBER_DRAINING ||
	       (m->state == MEMBER_RELEASING && m->again);
}

bool member_is_coming(const struct member *m)
{
	return m->state >= MEMBER_ALLOCATING && m->state <= MEMBER_WARMING;
}

/* --- the store ----------------------------------------------------------------------------------------- */
static const struct {
	const char *name;
	size_t at;
} times[] = {
	{"since", offsetof(struct member, since_ms)}, {"deadline", offsetof(struct member, deadline_ms)}, {"retry", offsetof(struct member, retry_ms)},
	{"ramp", offsetof(struct member, ramp_ms)}, {"allocated", offsetof(struct member, allocated_ms)}, {"out_since", offsetof(struct member, out_ms)},
	{"started", offsetof(struct member, started_ms)},
};

static int64_t *time_at(struct member *m, size_t i)
{
	return (int64_t *)(void *)((char *)m + times[i].at);
}

char *member_to_json(const struct member *m, int64_t mono_ms, int64_t wall_ms)
{
	struct member copy = *m;
	json_t *o = json_pack("{s:i,s:s,s:i,s:b,s:b,s:i,s:s,s:s,s:s,s:s,s:I}", "v", 1, "state", member_state_name(m->state), "fails", (int)m->tries,
			      "again", m->again, "out", m->out, "weight", (int)m->weight, "agent", m->agent, "parameters",
			      m->parameters, "software", m->software, "reason", m->reason, "build", (json_int_t)(m->build >> 1));

	for (size_t i = 0; o && i < COUNT_OF(times); i++)
		if (*time_at(&copy, i))
			json_object_set_new(o, times[i].name, json_integer(*time_at(&copy, i) - mono_ms + wall_ms));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

/* What began lies in the past, and no deadline is further away than a state may last. */
static int64_t to_mono(int64_t stored, bool ahead, int64_t mono_ms, int64_t wall_ms)
{
	const int64_t farthest = INT64_C(90000000); /* the longest drain, and an hour */
	int64_t away = stored > wall_ms - farthest * 400 && stored < wall_ms + farthest ? stored - wall_ms : 0;

	if (!ahead && away > 0)
		away = 0;
	return mono_ms + away ? mono_ms + away : 1;
}

bool member_from_json(const char *json, const char *node, int64_t mono_ms, int64_t wall_ms, struct member *out)
{
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *state, *agent, *parameters, *software, *reason;
	int tries, weight, again, gone_out;
	json_int_t build;
	bool sound = o && !json_unpack(o, "{s:s,s:i,s:b,s:b,s:i,s:s,s:s,s:s,s:s,s:I}", "state", &state, "fails", &tries, "again", &again, "out",
				       &gone_out, "weight", &weight, "agent", &agent, "parameters", &parameters, "software",
				       &software, "reason", &reason, "build", &build);

	memset(out, 0, sizeof *out);
	sound = sound && words_value(WORDS_MEMBER_STATE, state) && tries >= 0 && tries <= UINT8_MAX && weight >= 0 && weight <= MEMBER_WEIGHT;
	if (sound) {
		out->state = (uint8_t)words_value(WORDS_MEMBER_STATE, state);
		out->tries = (uint8_t)tries;
		out->again = again;
		out->out = gone_out;
		out->weight = (uint32_t)weight;
		out->build = build ? (uint64_t)build << 1 | 1 : 0;
		text_copy(out->node, sizeof out->node, node);
		text_copy(out->agent, sizeof out->agent, agent);
		text_copy(out->parameters, sizeof out->parameters, parameters);
		text_copy(out->software, sizeof out->software, software);
		text_copy(out->reason, sizeof out->reason, reason);
	}
	for (size_t i = 0; sound && i < COUNT_OF(times); i++) {
		json_t *t = json_object_get(o, times[i].name);
		bool ahead = !strcmp(times[i].name, "deadline") || !strcmp(times[i].name, "retry");
		if (json_is_integer(t))
			*time_at(out, i) = to_mono(json_integer_value(t), ahead, mono_ms, wall_ms);
	}
	json_decref(o);
	return sound;
}
