/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The spellings of words.h as tables. Everybody calls it. */
#include "base/words.h"

#include <ctype.h>
#include <string.h>

#define X(s, n, w) [n] = w,
static const char *const level_words[] = {GLORY_LEVELS(X)};
static const char *const power_words[] = {GLORY_POWERS(X)};
static const char *const verdict_words[] = {GLORY_VERDICTS(X)};
static const char *const certainty_words[] = {GLORY_CERTAINTIES(X)};
static const char *const life_words[] = {GLORY_LIVES(X)};
static const char *const job_state_words[] = {GLORY_JOB_STATES(X)};
static const char *const power_verb_words[] = {GLORY_POWER_VERBS(X)};
static const char *const job_verb_words[] = {GLORY_JOB_VERBS(X)};
static const char *const right_words[] = {GLORY_RIGHTS(X)};
static const char *const policy_words[] = {GLORY_POLICIES(X)};
static const char *const domain_kind_words[] = {GLORY_DOMAIN_KINDS(X)};
static const char *const domain_state_words[] = {GLORY_DOMAIN_STATES(X)};
static const char *const sensor_state_words[] = {GLORY_SENSOR_STATES(X)};
static const char *const watch_state_words[] = {GLORY_WATCH_STATES(X)};
static const char *const role_words[] = {GLORY_ROLES(X)};
static const char *const trap_source_words[] = {GLORY_TRAP_SOURCES(X)};
static const char *const trap_kind_words[] = {GLORY_TRAP_KINDS(X)};
static const char *const trap_fate_words[] = {GLORY_TRAP_FATES(X)};
static const char *const service_state_words[] = {GLORY_SERVICE_STATES(X)};
static const char *const member_state_words[] = {GLORY_MEMBER_STATES(X)};
static const char *const probe_state_words[] = {GLORY_PROBE_STATES(X)};
static const char *const balancer_state_words[] = {GLORY_BALANCER_STATES(X)};
static const char *const balancer_driver_words[] = {GLORY_BALANCER_DRIVERS(X)};
static const char *const forwarding_words[] = {GLORY_FORWARDINGS(X)};
static const char *const run_ended_words[] = {GLORY_RUN_ENDS(X)};
#undef X

#define SET(table) {table, (int)(sizeof(table) / sizeof((table)[0]))}
static const struct {
	const char *const *words;
	int count;
} sets[WORDS_SET_COUNT] = {
	[WORDS_LEVEL] = SET(level_words), [WORDS_POWER] = SET(power_words), [WORDS_VERDICT] = SET(verdict_words),
	[WORDS_CERTAINTY] = SET(certainty_words), [WORDS_LIFE] = SET(life_words), [WORDS_JOB_STATE] = SET(job_state_words),
	[WORDS_POWER_VERB] = SET(power_verb_words), [WORDS_RIGHT] = SET(right_words), [WORDS_POLICY] = SET(policy_words),
	[WORDS_DOMAIN_KIND] = SET(domain_kind_words), [WORDS_DOMAIN_STATE] = SET(domain_state_words),
	[WORDS_SENSOR_STATE] = SET(sensor_state_words), [WORDS_ROLE] = SET(role_words),
	[WORDS_TRAP_SOURCE] = SET(trap_source_words), [WORDS_TRAP_KIND] = SET(trap_kind_words), [WORDS_TRAP_FATE] = SET(trap_fate_words),
	[WORDS_WATCH_STATE] = SET(watch_state_words), [WORDS_SERVICE_STATE] = SET(service_state_words),
	[WORDS_MEMBER_STATE] = SET(member_state_words), [WORDS_PROBE_STATE] = SET(probe_state_words),
	[WORDS_BALANCER_STATE] = SET(balancer_state_words), [WORDS_BALANCER_DRIVER] = SET(balancer_driver_words),
	[WORDS_FORWARDING] = SET(forwarding_words), [WORDS_RUN_ENDED] = SET(run_ended_words),
	[WORDS_JOB_VERB] = SET(job_verb_words),
};

const char *words_name(enum word_set set, int value)
{
	if (value < 1 || value >= sets[set].count || !sets[set].words[value])
		return "?";
	return sets[set].words[value];
}

int words_value(enum word_set set, const char *word)
{
	for (int i = 1; word && i < sets[set].count; i++)
		if (!strcmp(sets[set].words[i], word))
			return i;
	return 0;
}

const char *words_label(enum word_set set, int value, char *out, size_t size)
{
	size_t n = 0;
	for (const char *w = words_name(set, value); *w && n + 1 < size; w++) {
		if (*w == '-' && w[1])
			out[n++] = (char)toupper((unsigned char)*++w);
		else
			out[n++] = *w;
	}
	if (size)
		out[n] = '\0';
	return out;
}
