/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, kinds and places of the knobs; called by the options and by the control socket. */
#include "tests/lab/swarm/knobs.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct knobs, field)
#define BOTH (FOR_AGENTS | FOR_BMCS)

static const struct knob table[] = {
	{"drop", KNOB_CHANCE, BOTH, true, AT(drop_in), AT(drop_out), "lose packets, each way"},
	{"drop_in", KNOB_CHANCE, BOTH, true, AT(drop_in), 0, "lose packets on the way in"},
	{"drop_out", KNOB_CHANCE, BOTH, true, AT(drop_out), 0, "lose answers"},
	{"delay", KNOB_MS, BOTH, false, AT(delay_ms), 0, "delay every answer, echo too"},
	{"jitter", KNOB_MS, BOTH, false, AT(jitter_ms), 0, "add 0..N ms to the delay"},
	{"slow", KNOB_MS, BOTH, false, AT(slow_ms), 0, "delay answers of the software, not echo"},
	{"dup", KNOB_CHANCE, BOTH, false, AT(dup), 0, "send the answer twice"},
	{"reorder", KNOB_CHANCE, BOTH, false, AT(reorder), 0, "let later answers overtake this one"},
	{"wrong_id", KNOB_CHANCE, FOR_AGENTS, true, AT(wrong_id), 0, "answer with another request-id"},
	{"wrong_source", KNOB_CHANCE, BOTH, true, AT(wrong_source), 0, "answer from another address"},
	{"truncate", KNOB_CHANCE, BOTH, true, AT(truncate), 0, "cut the answer in half"},
	{"oversize", KNOB_CHANCE, FOR_AGENTS, true, AT(oversize), 0, "append values nobody asked for, to 12 KB"},
	{"wrong_type", KNOB_CHANCE, FOR_AGENTS, true, AT(wrong_type), 0, "strings in the place of numbers"},
	{"every_second", KNOB_FLAG, FOR_AGENTS, true, AT(every_second), 0, "answer every second request only"},
	{"endless", KNOB_FLAG, FOR_AGENTS, false, AT(endless), 0, "tables never end"},
	{"loop", KNOB_FLAG, FOR_AGENTS, false, AT(loop), 0, "a GETNEXT returns the name it was asked for"},
	{"dead", KNOB_FLAG, FOR_AGENTS, true, AT(dead), 0, "nothing answers"},
	{"half_dead", KNOB_FLAG, FOR_AGENTS, true, AT(half_dead), 0, "echo and TCP answer, the agent does not"},
	{"hung", KNOB_FLAG, FOR_AGENTS, true, AT(hung), 0, "echo and TCP handshakes, but no program answers"},
	{"refused", KNOB_FLAG, FOR_AGENTS, true, AT(refused), 0, "port unreachable instead of SNMP answers"},
	{"no_echo", KNOB_FLAG, FOR_AGENTS, false, AT(no_echo), 0, "the agent answers, echo does not"},
	{"frozen", KNOB_FLAG, FOR_AGENTS, false, AT(frozen), 0, "lie: every value stays, sysUpTime too"},
	{"clone", KNOB_FLAG, FOR_AGENTS, false, AT(clone), 0, "has the SNMPv3 engine id of the first v3 agent"},
	{"uncounted", KNOB_FLAG, FOR_AGENTS, true, AT(uncounted), 0, "behaves, but is left out of the report"},
	{"silent", KNOB_FLAG, FOR_BMCS, false, AT(silent), 0, "the BMC does not answer"},
	{"bad_hmac", KNOB_CHANCE, FOR_BMCS, false, AT(bad_hmac), 0, "spoil the authentication code of an answer"},
	{"busy", KNOB_CHANCE, FOR_BMCS, false, AT(busy), 0, "answer commands with completion code C0"},
	{"stop_rakp", KNOB_FLAG, FOR_BMCS, false, AT(stop_rakp), 0, "answer nothing after RAKP 2"},
	{"slots", KNOB_COUNT, FOR_BMCS, false, AT(slots), 0, "so many of the 4 session slots are taken"},
	{"lie_power", KNOB_FLAG, FOR_BMCS, false, AT(lie_power), 0, "report the opposite power state"},
	{"suite0", KNOB_FLAG, FOR_BMCS, false, AT(suite0), 0, "offers cipher suites 0 and 1, and takes 0"},
	{"watchdog", KNOB_FLAG, FOR_BMCS, false, AT(watchdog), 0, "its watchdog has expired: SMS/OS, hard reset"},
	{"dcmi", KNOB_COUNT, FOR_BMCS, false, AT(dcmi), 0, "DCMI power reading in watts; 0 = no DCMI"},
	{"power_ms", KNOB_MS, FOR_BMCS, false, AT(power_ms), 0, "a power command takes this long"},
	{"temp", KNOB_COUNT, FOR_BMCS, false, AT(temp), 0, "the first sensor reads this; 0 = its own"},
};

/* temp alone is wider than a byte */
static void store(struct knobs *k, const struct knob *t, size_t offset, double v)
{
	uint8_t *at = (uint8_t *)k + offset;
	float chance = (float)v;
	uint32_t ms = (uint32_t)v;

	if (t->kind == KNOB_CHANCE)
		memcpy(at, &chance, sizeof(chance));
	else if (t->kind == KNOB_MS || offset == AT(temp))
		memcpy(at, &ms, sizeof(ms));
	else
		*at = (uint8_t)ms;
}

const struct knob *knobs_table(unsigned *count)
{
	*count = sizeof(table) / sizeof(table[0]);
	return table;
}

const char *knobs_set(struct knobs *knobs, unsigned whose, const char *name, const char *value)
{
	static const double limits[] = {[KNOB_CHANCE] = 1, [KNOB_MS] = 600000, [KNOB_FLAG] = 1, [KNOB_COUNT] = 255};
	char *end;
	double v = strtod(value, &end);

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct knob *t = &table[i];
		if (strcmp(t->name, name) != 0)
			continue;
		if (!(t->whose & whose))
			return "this knob belongs to the other kind of machine, see knobs";
		if (*value == 0 || *end || !(v >= 0 && v <= limits[t->kind]))
			return "value out of range: chances are 0..1, times 0..600000 ms, flags 0 or 1, counts 0..255";
		store(knobs, t, t->offset, v);
		if (t->second)
			store(knobs, t, t->second, v);
		return NULL;
	}
	return "no such knob, see knobs";
}

bool knobs_disturb(const struct knobs *k)
{
	static const struct knobs none;

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t size = table[i].kind == KNOB_CHANCE || table[i].kind == KNOB_MS ? 4 : 1;
		if (table[i].disturbs &&
		    memcmp((const uint8_t *)k + table[i].offset, (const uint8_t *)&none + table[i].offset, size) != 0)
			return true;
	}
	return false;
}

/* One part of a list: first[-last][/step]; where the next begins, or NULL. */
static const char *part(const char *at, unsigned limit, unsigned long *first, unsigned long *last, unsigned long *step)
{
	char *end;

	*step = 1;
	*first = 0;
	*last = limit - 1;
	if (strncmp(at, "all", 3) == 0) {
		at += 3;
	} else {
		if (*at < '0' || *at > '9')
			return NULL;
		*first = *last = strtoul(at, &end, 10);
		if (*end == '-')
			*last = strtoul(end + 1, &end, 10);
		at = end;
	}
	if (*at == '/') {
		*step = strtoul(at + 1, &end, 10);
		at = end;
	}
	if ((*at && *at != ',') || *step == 0 || *first > *last || *last >= limit)
		return NULL;
	return *at ? at + 1 : at;
}

bool knobs_each(const char *range, unsigned limit, void (*each)(void *, unsigned), void *context)
{
	unsigned long first, last, step;

	if (!*range || limit == 0)
		return false;
	for (const char *at = range; *at;)
		if (!(at = part(at, limit, &first, &last, &step)))
			return false;
	for (const char *at = range; *at;) {
		at = part(at, limit, &first, &last, &step);
		for (unsigned long i = first; i <= last; i += step)
			each(context, (unsigned)i);
	}
	return true;
}
