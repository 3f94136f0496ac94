/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service probes of the role: each is one timer of a wheel, which is when it is due, or, while it is looked at, its deadline. See probes.h. */
#include "checker/role/probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/wheel.h"
#include "checker/perfdata.h"
#include "checker/role/looks.h"

enum {
	AT_ONCE = 1024,     /* looks under way; more wait */
	FILES = 4096,
	LATER_MS = 20, PLUGIN_LATER_MS = 100,
	STALL_MS = 100,     /* this late ourselves, and no deadline is kept strictly */
	REPORT_ROUND = 10,  /* each probe is told again every so many seconds */
	WORDS_MAX = 34, WORDS_SIZE = 2048
};

struct probe {
	struct probes *all;
	struct msg_member_probe m;
	struct probe_memory memory;
	bool open, told;       /* a look is under way; the engine has been told something */
	int64_t began, at;     /* began: of the look; at: due, or its deadline */
	struct tcp_look *tcp;
	struct http_look *http;
	struct msg_probe_state state;
	enum look_end end;     /* of the last look */
	int code;
};

struct probes {
	struct role_context *context;
	struct runner *runner;
	struct http_looks *http;
	struct loop_timer *timer;
	int64_t armed;         /* INT64_MAX: not */
	struct wheel wheel;
	struct probe *list[PROBES_MAX];
	struct msg_member_probe *pending; /* of a list that is not yet complete */
	size_t pending_count;
	unsigned open, seconds;
	uint64_t done;
};

/* --- telling ------------------------------------------------------------------------------------------------ */
static void tell(struct probe *p, const struct look *look)
{
	p->state.probe = p->m.probe;
	p->state.generation = p->m.generation;
	p->state.since_ms = p->memory.since_ms;
	p->state.took_ms = look->took_ms;
	p->state.streak = p->memory.streak;
	p->state.state = (uint8_t)p->memory.state;
	memset(p->state.text, 0, sizeof p->state.text);
	probe_explain(&p->m, look, p->state.text);
}

void probes_second(struct probes *all)
{
	static struct msg_probe_state m[CHANNEL_BODY_MAX / sizeof(struct msg_probe_state)];
	size_t count = 0;

	for (uint32_t i = all->seconds++ % REPORT_ROUND; i < PROBES_MAX; i += REPORT_ROUND) {
		if (!all->list[i] || !all->list[i]->told)
			continue;
		m[count++] = all->list[i]->state;
		if (count == COUNT_OF(m)) {
			channel_send(all->context->engine, MSG_PROBE_STATE, m, sizeof m);
			count = 0;
		}
	}
	if (count)
		channel_send(all->context->engine, MSG_PROBE_STATE, m, count * sizeof m[0]);
}

/* --- looking -------------------------------------------------------------------------------------------------- */
static void arm(struct probes *all)
{
	int64_t next = wheel_next(&all->wheel);

	if (next == all->armed)
		return;
	all->armed = next;
	if (next == INT64_MAX)
		loop_timer_stop(all->timer);
	else
		loop_timer_set(all->timer, next - clock_mono_ms());
}

static void set_timer(struct probe *p, int64_t at)
{
	p->at = at;
	wheel_set(&p->all->wheel, p->m.probe, at);
}

static void close_look(struct probe *p)
{
	if (!p->open)
		return;
	tcp_look_free(p->tcp);
	http_look_free(p->http);
	p->tcp = NULL;
	p->http = NULL;
	p->open = false;
	p->all->open--;
}

static void ended(struct probe *p, struct look look)
{
	int64_t now = clock_mono_ms();
	bool changed, news;

	look.took_ms = (uint32_t)(now - p->began);
	p->all->done++;
	changed = probe_judge(&p->memory, &p->m, look.end, now);
	news = changed || !p->told || look.end != p->end || look.code != p->code;
	p->end = look.end;
	p->code = look.code;
	p->told = true;
	tell(p, &look);
	if (changed)
		log_debug("checker: %s port %u: %s: %s", p->m.name, p->m.address.port, probe_state_name(p->memory.state), p->state.text);
	close_look(p); /* look.text was its */
	if (news)
		channel_send(p->all->context->engine, MSG_PROBE_STATE, &p->state, sizeof p->state);
	set_timer(p, probe_again(&p->m, &p->memory, p->began, now));
}

static void on_end(void *arg, const struct look *look)
{
	struct probe *p = arg;

	ended(p, *look);
	arm(p->all);
}

static void run_plugin(struct probe *p, int64_t now)
{
	char room[WORDS_SIZE], plugin[NAME_SIZE], address[ADDRESS_TEXT], *words[WORDS_MAX] = {plugin};
	uint64_t id = PROBE_RUN | (uint64_t)p->m.probe << 32 | p->m.generation;
	struct address plain = p->m.address;
	struct look wrong = {.end = LOOK_BLIND, .code = E2BIG};

	plain.port = 0;
	text_copy(plugin, sizeof plugin, p->m.plugin);
	wheel_cancel(&p->all->wheel, p->m.probe); /* the runner keeps the deadline */
	if (check_arguments(p->m.arguments, address_text(&plain, 0, address), p->m.name, room, sizeof room, words + 1, WORDS_MAX - 2) < 0)
		ended(p, wrong);
	else
		runner_start(p->all->runner, id, words, p->m.timeout_ms, now);
}

static void begin_look(struct probe *p, int64_t now)
{
	struct probes *all = p->all;
	struct look at_once = {.end = LOOK_BLIND, .code = ENOMEM};

	if (all->open >= AT_ONCE || (p->m.kind == PROBE_PLUGIN && runner_running(all->runner) >= RUN_AT_ONCE)) {
		set_timer(p, now + (p->m.kind == PROBE_PLUGIN ? PLUGIN_LATER_MS : LATER_MS));
		return;
	}
	p->open = true;
	p->began = now;
	all->open++;
	set_timer(p, now + p->m.timeout_ms);
	if (p->m.kind == PROBE_PLUGIN) {
		run_plugin(p, now);
		return;
	}
	if (p->m.kind == PROBE_TCP)
		p->tcp = tcp_look_start(all->context->loop, &p->m.address, on_end, p, &at_once.end, &at_once.code);
	else if (all->http)
		p->http = http_look_start(all->http, &p->m, on_end, p);
	if (!p->tcp && !p->http)
		ended(p, at_once);
}

static void act(struct probe *p, int64_t now)
{
	struct look late = {.end = LOOK_LATE};

	if (now < p->at) /* the wheel's horizon, or the deadline was moved */
		wheel_set(&p->all->wheel, p->m.probe, p->at);
	else if (p->open)
		ended(p, late);
	else
		begin_look(p, now);
}

/* We were not there: answers may lie unread, so nobody is late for that. */
static void forgive(struct probes *all, int64_t late_ms)
{
	for (uint32_t i = 0; i < PROBES_MAX; i++)
		if (all->list[i] && all->list[i]->open)
			all->list[i]->at += late_ms;
}

static void on_due(void *arg)
{
	struct probes *all = arg;
	int64_t now = clock_mono_ms();
	uint32_t i;

	if (all->armed != INT64_MAX && now - all->armed > STALL_MS)
		forgive(all, now - all->armed);
	all->armed = INT64_MAX;
	while ((i = wheel_take(&all->wheel, now)) != WHEEL_NONE)
		if (all->list[i])
			act(all->list[i], now);
	arm(all);
}

void probes_plugin_done(struct probes *all, uint64_t id, const struct run_result *r, const char *text)
{
	uint32_t number = (uint32_t)(id >> 32) & (PROBES_MAX - 1);
	struct probe *p = all->list[number];
	struct look look = {.text = text};

	if (!p || !p->open || p->m.generation != (uint32_t)id)
		return;
	/* a warning is work that is done; "unknown" is not */
	look.end = r->how == RUN_EXITED && r->code >= 0 && r->code <= 1 ? LOOK_GOOD : r->how == RUN_LATE ? LOOK_LATE : LOOK_PLUGIN;
	ended(p, look);
	arm(all);
}

/* --- what is looked at ------------------------------------------------------------------------------------------- */
static void drop(struct probes *all, uint32_t number)
{
	struct probe *p = all->list[number];

	if (!p)
		return;
	close_look(p);
	wheel_cancel(&all->wheel, number);
	all->list[number] = NULL;
	free(p);
}

static void put(struct probes *all, const struct msg_member_probe *m, int64_t now)
{
	struct probe *p = all->list[m->probe];

	if (p && p->m.generation == m->generation)
		return;
	drop(all, m->probe);
	p = all->list[m->probe] = mem_zalloc(sizeof *p);
	p->all = all;
	p->m = *m;
	probe_begin(&p->memory, now);
	set_timer(p, probe_first(m, now));
}

static bool usable(const struct msg_member_probe *m)
{
	bool good = probe_sound(m);

	if (!good)
		log_warning("checker: probe %u is not one that can be made", m->probe);
	return good;
}

void probes_change(struct probes *all, const struct msg_member_probe *m, size_t count)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < count; i++)
		if (!m[i].interval_ms && m[i].probe < PROBES_MAX)
			drop(all, m[i].probe);
		else if (usable(&m[i]))
			put(all, &m[i], now);
	arm(all);
}

void probes_take(struct probes *all, const struct msg_member_probe *m, size_t count)
{
	bool wanted[PROBES_MAX] = {false};
	int64_t now = clock_mono_ms();

	if (all->pending_count + count > 2 * PROBES_MAX) /* not from an engine of ours */
		return;
	all->pending = mem_grow(all->pending, all->pending_count + count + 1, sizeof *m);
	memcpy(all->pending + all->pending_count, m, count * sizeof *m);
	all->pending_count += count;
	if (count == CHANNEL_BODY_MAX / sizeof *m)
		return; /* more follows */
	for (size_t i = 0; i < all->pending_count; i++)
		if (usable(&all->pending[i])) {
			wanted[all->pending[i].probe] = true;
			put(all, &all->pending[i], now);
		}
	for (uint32_t i = 0; i < PROBES_MAX; i++)
		if (!wanted[i])
			drop(all, i);
	free(all->pending);
	all->pending = NULL;
	all->pending_count = 0;
	arm(all);
}

/* --- the whole ------------------------------------------------------------------------------------------------------- */
struct probes *probes_new(struct role_context *context)
{
	struct probes *all = mem_zalloc(sizeof *all);
	struct rlimit files;

	all->context = context;
	all->armed = INT64_MAX;
	if (wheel_init(&all->wheel, PROBES_MAX, clock_mono_ms()) < 0) {
		free(all);
		return NULL;
	}
	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < FILES) {
		files.rlim_cur = files.rlim_max < FILES ? files.rlim_max : FILES;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	all->http = http_looks_new(context->loop);
	return all;
}

void probes_begin(struct probes *all, struct runner *runner)
{
	all->runner = runner;
	all->timer = loop_timer_new(all->context->loop, on_due, all);
}

void probes_free(struct probes *all)
{
	if (!all)
		return;
	for (uint32_t i = 0; i < PROBES_MAX; i++)
		drop(all, i);
	http_looks_free(all->http);
	loop_timer_free(all->timer);
	wheel_free(&all->wheel);
	free(all->pending);
	free(all);
}

uint64_t probes_done(const struct probes *all)
{
	return all->done;
}

unsigned probes_open(const struct probes *all)
{
	return all->open;
}
