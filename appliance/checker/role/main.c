/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-checker: the role that runs Nagios-compatible plugins for nodes: when each is due, what it is given, what its end means. Service
 * probes of members are probes.c's. Started by gloryd only. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "checker/perfdata.h"
#include "checker/role/probes.h"
#include "checker/role/run.h"
#include "proc/role.h"

enum { TICK_MS = 100, STATS_MS = 1000, WORDS_MAX = 34, WORDS_SIZE = 2048,
       CHECKS_AT_ONCE = RUN_AT_ONCE - 8 /* the others are for plugins of service probes, which cannot wait */ };

struct duty { /* one check of one node */
	uint32_t slot;
	uint8_t check;
	bool running;
	int64_t due;
};

struct node {
	uint32_t generation; /* 0: none */
	uint64_t checks;
	char name[NAME_SIZE], address[NAME_SIZE];
};

static struct checker {
	struct role_context *context;
	struct runner *runner;
	struct probes *probes;
	struct loop_timer *tick, *second; /* tick: while there are duties */
	struct msg_check checks[CHECKS_MAX];
	struct node *nodes; /* NODE_MAX */
	struct duty *duties;
	size_t count, at; /* at: where the next look begins, so that none is favoured */
	uint64_t done;
} checker;

/* --- results ------------------------------------------------------------------------------------------- */
static void explain(const struct run_result *r, const char *plugin, char *out, size_t size)
{
	switch (r->how) {
	case RUN_LATE:
		text_format(out, size, "no result within %u s", (r->took_ms + 500) / 1000);
		return;
	case RUN_ENDLESS:
		text_format(out, size, "it prints without end: it was stopped");
		return;
	case RUN_SIGNALLED:
		text_format(out, size, "it was ended by signal %d", r->code);
		return;
	case RUN_REFUSED:
		text_format(out, size, "%.64s: %s", plugin,
			    r->code == ENOENT   ? "there is no such plugin in the check directory"
			    : r->code == EINVAL ? "is no file name of a plugin"
			    : r->code == EXDEV  ? "leads out of the check directory"
			    : r->code == EACCES ? "is no program"
						: strerror(r->code));
		return;
	default:
		text_format(out, size, "it ended with code %d and said nothing", r->code);
	}
}

/* 0 to 3 as the guidelines have it; anything else is critical, for nobody knows what it means. */
static enum level level_of(const struct run_result *r)
{
	static const enum level levels[] = {LEVEL_NORMAL, LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_UNKNOWN};

	return r->how == RUN_EXITED && r->code >= 0 && r->code < 4 ? levels[r->code] : LEVEL_CRITICAL;
}

static uint32_t take_values(const char *data, struct msg_check_value *out)
{
	struct perf_value values[CHECK_VALUES_MAX];
	size_t count = data ? perfdata_parse(data, values, CHECK_VALUES_MAX) : 0;

	for (size_t i = 0; i < count; i++) {
		out[i].value = values[i].value;
		out[i].level = (uint8_t)values[i].level;
		text_copy(out[i].label, sizeof out[i].label, values[i].label);
		text_copy(out[i].unit, sizeof out[i].unit, values[i].unit);
	}
	return (uint32_t)count;
}

static struct duty *duty_of(struct checker *c, uint32_t slot, uint32_t check)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->duties[i].slot == slot && c->duties[i].check == check)
			return &c->duties[i];
	return NULL;
}

static void on_probe_done(struct checker *c, uint64_t id, const struct run_result *r)
{
	char output[RUN_OUTPUT], *data, words[CAUSE_SIZE];

	text_copy(output, sizeof output, r->output);
	const char *text = perfdata_split(output, &data);
	if (r->how != RUN_EXITED || !text[0])
		explain(r, "its plugin", words, sizeof words);
	else
		text_copy(words, sizeof words, text);
	probes_plugin_done(c->probes, id, r, words);
}

/* id: slot, check and the low half of the check's generation: a result of what is not wanted any more is dropped */
static void on_done(void *arg, uint64_t id, const struct run_result *r)
{
	struct checker *c = arg;
	uint32_t slot = (uint32_t)(id >> 32), check = (uint32_t)(id >> 16 & 0xffff);
	struct duty *d = duty_of(c, slot, check);
	struct msg_check_result m = {.slot = slot, .check = check, .took_ms = r->took_ms, .level = (uint8_t)level_of(r)};
	struct msg_check_value values[CHECK_VALUES_MAX] = {0};
	char output[RUN_OUTPUT], *data;

	if (id & PROBE_RUN) {
		on_probe_done(c, id, r);
		return;
	}
	c->done++;
	if (d)
		d->running = false;
	if (!d || (uint16_t)c->checks[check].generation != (uint16_t)id)
		return;
	m.generation = c->nodes[slot].generation;
	m.check_generation = c->checks[check].generation;
	text_copy(output, sizeof output, r->output);
	const char *text = perfdata_split(output, &data);
	if (r->how != RUN_EXITED || !text[0])
		explain(r, c->checks[check].plugin, m.text, sizeof m.text);
	else
		text_copy(m.text, sizeof m.text, text);
	text_make_printable(m.text); /* it may have been cut within a character */
	m.values = r->how == RUN_EXITED ? take_values(data, values) : 0;
	channel_send2(c->context->engine, MSG_CHECK_RESULT, &m, sizeof m, values, m.values * sizeof values[0]);
}

/* --- when --------------------------------------------------------------------------------------------------- */
static void start(struct checker *c, struct duty *d, int64_t now)
{
	const struct msg_check *k = &c->checks[d->check];
	const struct node *n = &c->nodes[d->slot];
	char room[WORDS_SIZE], plugin[NAME_SIZE], *words[WORDS_MAX] = {plugin};
	uint64_t id = (uint64_t)d->slot << 32 | (uint64_t)d->check << 16 | (uint16_t)k->generation;

	d->due += (int64_t)k->interval_s * 1000;
	if (d->due <= now)
		d->due = now + (int64_t)k->interval_s * 1000;
	text_copy(plugin, sizeof plugin, k->plugin);
	if (check_arguments(k->arguments, n->address, n->name, room, sizeof room, words + 1, WORDS_MAX - 2) < 0) {
		struct run_result wrong = {.how = RUN_REFUSED, .code = E2BIG, .output = ""};
		on_done(c, id, &wrong);
		return;
	}
	d->running = true;
	runner_start(c->runner, id, words, k->timeout_s * 1000, now);
}

static void start_due(struct checker *c, int64_t now)
{
	for (size_t n = 0; n < c->count && runner_running(c->runner) < CHECKS_AT_ONCE; n++) {
		struct duty *d = &c->duties[c->at++ % c->count];
		if (!d->running && now >= d->due)
			start(c, d, now);
	}
}

static void on_tick(void *arg)
{
	struct checker *c = arg;

	if (c->count)
		start_due(c, clock_mono_ms());
	else
		loop_timer_stop(c->tick);
}

static void on_second(void *arg)
{
	struct checker *c = arg;

	probes_second(c->probes);
	struct msg_stats m = {.handled = c->done + probes_done(c->probes), .queued = runner_running(c->runner) + probes_open(c->probes),
			      .worst_lateness_ms = (int32_t)loop_lateness_ms(c->context->loop)};
	channel_send_lossy(c->context->engine, MSG_STATS, &m, sizeof m);
}

/* --- what ----------------------------------------------------------------------------------------------------- */
static void duty_add(struct checker *c, uint32_t slot, uint32_t check)
{
	char name[NAME_SIZE + 8];
	int64_t interval = (int64_t)c->checks[check].interval_s * 1000;

	text_format(name, sizeof name, "%s/%u", c->nodes[slot].name, check);
	loop_timer_keep(c->tick, TICK_MS);
	c->duties = mem_grow(c->duties, c->count + 1, sizeof c->duties[0]);
	c->duties[c->count++] = (struct duty){.slot = slot, .check = (uint8_t)check, /* spread over the interval */
					      .due = clock_mono_ms() + (int64_t)(text_hash(name, strlen(name)) % (uint64_t)interval)};
}

/* Duties follow from checks and nodes; those that stay keep their time. */
static void fit(struct checker *c, uint32_t slot)
{
	const struct node *n = &c->nodes[slot];
	uint64_t have = 0;

	for (size_t i = 0; i < c->count;) {
		struct duty *d = &c->duties[i];
		if (d->slot == slot && (!(n->checks >> d->check & 1) || !c->checks[d->check].interval_s)) {
			*d = c->duties[--c->count];
			continue;
		}
		if (d->slot == slot)
			have |= UINT64_C(1) << d->check;
		i++;
	}
	for (uint32_t k = 0; k < CHECKS_MAX; k++)
		if ((n->checks >> k & 1) && !(have >> k & 1) && c->checks[k].interval_s)
			duty_add(c, slot, k);
}

static void take_checks(struct checker *c, const struct msg_check *m, size_t count)
{
	struct msg_check fresh[CHECKS_MAX] = {0};

	for (size_t i = 0; i < count; i++)
		if (m[i].check < CHECKS_MAX && m[i].interval_s && m[i].timeout_s && text_terminated(m[i].plugin, sizeof m[i].plugin) &&
		    text_terminated(m[i].arguments, sizeof m[i].arguments))
			fresh[m[i].check] = m[i];
	for (size_t i = 0; i < c->count;) /* another check under a number begins anew */
		if (fresh[c->duties[i].check].generation != c->checks[c->duties[i].check].generation)
			c->duties[i] = c->duties[--c->count];
		else
			i++;
	memcpy(c->checks, fresh, sizeof fresh);
	for (uint32_t slot = 0; slot < NODE_MAX; slot++)
		if (c->nodes[slot].checks)
			fit(c, slot);
}

static void take_nodes(struct checker *c, const struct msg_check_node *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (m[i].slot >= NODE_MAX || !text_terminated(m[i].name, sizeof m[i].name) ||
		    !text_terminated(m[i].address, sizeof m[i].address))
			continue;
		struct node *n = &c->nodes[m[i].slot];
		*n = (struct node){.generation = m[i].generation, .checks = m[i].checks};
		text_copy(n->name, sizeof n->name, m[i].name);
		text_copy(n->address, sizeof n->address, m[i].address);
		fit(c, m[i].slot);
	}
}

static void on_engine(struct role_context *context, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)context;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_CHECKS)
		take_checks(&checker, body, size / sizeof(struct msg_check));
	else if (h->type == MSG_CHECK_NODES)
		take_nodes(&checker, body, size / sizeof(struct msg_check_node));
	else if (h->type == MSG_PROBES)
		probes_take(checker.probes, body, size / sizeof(struct msg_member_probe));
	else if (h->type == MSG_PROBE_CHANGE)
		probes_change(checker.probes, body, size / sizeof(struct msg_member_probe));
}

static int prepare(struct role_context *context)
{
	if (context->checks[1] < 0)
		log_info("checker: there is no directory %s: only the appliance's own plugins are found", context->start.checks[1]);
	checker.probes = probes_new(context);
	return checker.probes ? 0 : ERR_NO_RESOURCE;
}

static int run(struct role_context *context)
{
	struct checker *c = &checker;

	c->context = context;
	c->nodes = mem_array(NODE_MAX, sizeof c->nodes[0]);
	c->runner = runner_new(context->loop, context->checks, on_done, c);
	probes_begin(c->probes, c->runner);
	c->tick = loop_timer_new(context->loop, on_tick, c);
	c->second = loop_timer_new(context->loop, on_second, c);
	loop_timer_every(c->second, STATS_MS);
	return 0;
}

static void stop(struct role_context *context)
{
	(void)context;
	runner_end(checker.runner);
	probes_free(checker.probes);
}

int main(void)
{
	static const struct role_definition definition = {.role = ROLE_CHECKER, .prepare = prepare, .on_engine = on_engine, .run = run, .stop = stop};

	return role_main(&definition);
}
