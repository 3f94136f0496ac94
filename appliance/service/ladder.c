/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See ladder.h. */
#include "service/ladder.h"

#include <jansson.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define PROCESS_MS 4000      /* out for so long before its process is restarted: the probe may be wrong once */
#define SETTLE_MS 20000      /* for a restart to show */
#define BOOT_MS 300000       /* for a reboot to show */
#define WELL_MS 600000       /* without trouble: forgotten */
#define RESETS_MAX 2         /* then people */
#define GIVEN_UP_MS 10000    /* a member was given up for so long */

static const char *const names[LADDER_STEP_COUNT] = {"well", "out-of-balancer", "restart-process", "restart-service", "soft-reboot", "power-cycle",
						     "replace", "power-on", "restart-agent", "reset-bmc"};

const char *ladder_step_name(int step)
{
	return step >= 0 && step < LADDER_STEP_COUNT ? names[step] : "?";
}

int ladder_step_value(const char *name)
{
	for (int i = 0; i < LADDER_STEP_COUNT; i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

static bool passed(const struct ladder_view *v, int64_t since_ms, int64_t wait_ms)
{
	double scale = v->scale > 0 && v->scale < 1 ? v->scale : 1;

	return (double)(v->now_ms - since_ms) >= (double)wait_ms * scale;
}

static bool in_trouble(const struct ladder_view *v)
{
	return v->evidence >= EVIDENCE_SOFT || v->failed_member;
}

static enum ladder_step take(const struct ladder_view *v, struct ladder *l, enum ladder_step step)
{
	l->step = (uint8_t)step;
	l->step_ms = v->now_ms;
	if (step == LADDER_REPLACE)
		l->listed = true;
	if (step == LADDER_SOFT || step == LADDER_CYCLE || step == LADDER_POWER_ON)
		l->resets++;
	return step;
}

/* Darkness: only what the verdict permits, after its holds. */
static enum ladder_step when_dark(const struct ladder_view *v, struct ladder *l)
{
	bool power = v->has_bmc && !v->locked && l->resets < RESETS_MAX;

	if (power && (v->permits & PERMIT_RESET) && (l->step != LADDER_CYCLE || passed(v, l->step_ms, BOOT_MS)))
		return take(v, l, LADDER_CYCLE);
	if (power && (v->permits & PERMIT_POWER_ON) && (l->step != LADDER_POWER_ON || passed(v, l->step_ms, BOOT_MS)))
		return take(v, l, LADDER_POWER_ON);
	bool tried = l->step == LADDER_CYCLE || l->step == LADDER_SOFT || l->step == LADDER_POWER_ON;
	if (!l->listed && passed(v, tried ? l->step_ms : l->since_ms, BOOT_MS))
		return take(v, l, LADDER_REPLACE);
	return LADDER_WELL;
}

/* The node answers, its service does not. */
static enum ladder_step when_lit(const struct ladder_view *v, struct ladder *l)
{
	if (l->step < LADDER_PROCESS && passed(v, l->since_ms, PROCESS_MS) && !v->failed_member)
		return take(v, l, LADDER_PROCESS);
	if (l->step == LADDER_PROCESS && passed(v, l->step_ms, SETTLE_MS))
		return take(v, l, LADDER_SERVICE);
	bool helpless = l->step == LADDER_SERVICE && passed(v, l->step_ms, SETTLE_MS);
	/* what never came up there is no reason to reboot machines one after the other: it may be the configuration */
	bool never = l->step < LADDER_SERVICE && v->failed_member && passed(v, l->since_ms, GIVEN_UP_MS);
	if (helpless && v->has_bmc && !v->locked && !v->shared && l->resets < RESETS_MAX && v->verdict == VERDICT_UP)
		return take(v, l, LADDER_SOFT);
	if (!l->listed && (helpless || never || (l->step >= LADDER_SOFT && l->step <= LADDER_CYCLE && passed(v, l->step_ms, BOOT_MS))))
		return take(v, l, LADDER_REPLACE);
	return LADDER_WELL;
}

/* What stands beside the ladder: the node carries its work, only its watchers are ill. Each is counted by the permits. */
static enum ladder_step beside(const struct ladder_view *v, struct ladder *l)
{
	if ((v->permits & PERMIT_RESTART_AGENT) && (l->step != LADDER_AGENT || passed(v, l->step_ms, BOOT_MS)))
		return take(v, l, LADDER_AGENT);
	if ((v->permits & PERMIT_BMC_COLD_RESET) && (l->step != LADDER_BMC || passed(v, l->step_ms, WELL_MS)))
		return take(v, l, LADDER_BMC);
	return LADDER_WELL;
}

static void see_well(const struct ladder_view *v, struct ladder *l, bool *changed)
{
	if (l->since_ms && !l->well_ms) {
		l->well_ms = v->now_ms;
		*changed = true;
	}
	/* what people were called for is over when they have had it in maintenance, or when it is well for long */
	if (l->well_ms && (passed(v, l->well_ms, l->listed ? 6 * WELL_MS : WELL_MS) || (v->maintenance && l->listed))) {
		memset(l, 0, sizeof *l);
		*changed = true;
	}
}

enum ladder_step ladder_next(const struct ladder_view *v, struct ladder *l, bool *changed)
{
	*changed = false;
	if (v->maintenance || !in_trouble(v)) {
		see_well(v, l, changed);
		return v->maintenance || v->policy != POLICY_REPAIR || v->running || v->braked ? LADDER_WELL : beside(v, l);
	}
	if (!l->since_ms || l->well_ms) {
		bool anew = !l->since_ms || passed(v, l->well_ms, SETTLE_MS);
		l->since_ms = anew ? v->now_ms : l->since_ms; /* good for a moment only: the same trouble */
		l->step = anew ? LADDER_OUT : l->step;
		l->step_ms = anew ? v->now_ms : l->step_ms;
		l->well_ms = 0;
		*changed = true;
	}
	text_copy(l->why, sizeof l->why, v->text);
	if (v->policy != POLICY_REPAIR || v->running || v->braked)
		return LADDER_WELL;
	return verdict_is_dead(v->verdict) || v->verdict == VERDICT_BOOT_FAILED || v->verdict == VERDICT_BOOTING ? when_dark(v, l) : when_lit(v, l);
}

bool ladder_is_over(const struct ladder *l)
{
	return !l->since_ms && !l->listed;
}

/* --- the store ------------------------------------------------------------------------------------------- */
char *ladder_to_json(const struct ladder *l, int64_t mono_ms, int64_t wall_ms)
{
	int64_t shift = wall_ms - mono_ms;
	json_t *o = json_pack("{s:i,s:s,s:b,s:i,s:I,s:I,s:I,s:s}", "v", 1, "step", ladder_step_name(l->step), "listed", l->listed, "resets",
			      (int)l->resets, "since", (json_int_t)(l->since_ms ? l->since_ms + shift : 0), "step_at",
			      (json_int_t)(l->step_ms ? l->step_ms + shift : 0), "well", (json_int_t)(l->well_ms ? l->well_ms + shift : 0), "why", l->why);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

static int64_t back(json_int_t stored, int64_t mono_ms, int64_t wall_ms)
{
	if (stored <= 0)
		return 0;
	int64_t age = wall_ms > stored ? wall_ms - stored : 0;
	return mono_ms - age ? mono_ms - age : 1;
}

bool ladder_from_json(const char *json, int64_t mono_ms, int64_t wall_ms, struct ladder *out)
{
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	const char *step, *why;
	int listed, resets;
	json_int_t since, step_at, well;
	bool sound = o && !json_unpack(o, "{s:s,s:b,s:i,s:I,s:I,s:I,s:s}", "step", &step, "listed", &listed, "resets", &resets, "since", &since,
				       "step_at", &step_at, "well", &well, "why", &why);

	memset(out, 0, sizeof *out);
	sound = sound && resets >= 0 && resets <= UINT8_MAX;
	if (sound) {
		*out = (struct ladder){.step = (uint8_t)ladder_step_value(step), .listed = listed, .resets = (uint8_t)resets,
				       .since_ms = back(since, mono_ms, wall_ms), .step_ms = back(step_at, mono_ms, wall_ms),
				       .well_ms = back(well, mono_ms, wall_ms)};
		text_copy(out->why, sizeof out->why, why);
	}
	json_decref(o);
	return sound;
}
