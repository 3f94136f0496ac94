/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts per agent and their JSON report; called for every heard request and by the control socket. */
#include "tests/lab/swarm/count.h"

#include <string.h>

#include "tests/lab/swarm/bmc.h"
#include "tests/lab/swarm/pdu.h"

enum { BINS = sizeof(((struct sums *)0)->gap_bins) / sizeof(uint64_t) };

static void note_any(struct swarm *swarm, struct agent_count *c)
{
	uint32_t gap_ms = (uint32_t)(swarm->now_ms - c->last_any_ms);

	if (gap_ms > c->max_any_gap_ms)
		c->max_any_gap_ms = gap_ms;
	c->last_any_ms = swarm->now_ms;
}

static void note_window(struct swarm *swarm, struct agent_count *c)
{
	uint32_t window = (uint32_t)((swarm->now_ms - swarm->reset_ms) / swarm->interval_ms) + 1;

	if (window == c->window)
		c->windows_double++;
	else
		c->windows_empty += window - c->window - 1;
	c->window = window;
}

static void note_poll(struct swarm *swarm, struct agent_count *c)
{
	uint32_t gap_ms = (uint32_t)(swarm->now_ms - c->last_poll_ms);
	uint64_t bin = (uint64_t)gap_ms * 100 / swarm->interval_ms;

	if (c->polls > 0 && gap_ms < swarm->interval_ms / 2) {
		c->repeats++;
		return;
	}
	if (gap_ms > c->max_poll_gap_ms)
		c->max_poll_gap_ms = gap_ms;
	if (c->polls > 0 && !c->excluded)
		swarm->sums.gap_bins[bin < BINS ? bin : BINS - 1]++;
	c->polls++;
	c->last_poll_ms = swarm->now_ms;
	note_window(swarm, c);
}

void count_request(struct swarm *swarm, struct agent *a, uint8_t type, int names)
{
	switch (type) {
	case PDU_GET:
		if (names != 1) {
			swarm->sums.gets++;
			if (names)
				note_poll(swarm, &a->count);
		} else {
			swarm->sums.heartbeats++;
			a->count.heartbeats++;
		}
		break;
	case PDU_SET:
		swarm->sums.sets++;
		break;
	default:
		*(type == PDU_GETBULK ? &swarm->sums.getbulks : &swarm->sums.getnexts) += 1;
		a->count.walks++;
	}
	note_any(swarm, &a->count);
}

void count_echo(struct swarm *swarm, struct agent *a)
{
	swarm->sums.echoes++;
	a->count.echoes++;
	note_any(swarm, &a->count);
}

void count_exclude(struct agent *a)
{
	a->count.excluded = true;
}

void count_reset(struct swarm *swarm)
{
	memset(&swarm->sums, 0, sizeof(swarm->sums));
	swarm->reset_ms = swarm->now_ms;
	for (unsigned i = 0; i < swarm->agents; i++) {
		struct agent *a = &swarm->agent[i];
		a->count = (struct agent_count){.last_poll_ms = swarm->now_ms, .last_any_ms = swarm->now_ms};
		a->count.excluded = a->off || knobs_disturb(&a->knobs);
	}
	bmc_count_reset(swarm);
}

/* What the live agents say together. */
struct live {
	unsigned agents, excluded, on_count, over, never;
	uint32_t min_polls, max_polls, max_gap_ms, max_any_ms;
	uint32_t min_beats, max_beats;
	uint64_t polls, repeats, beats, empty, doubled;
};

static void include(const struct swarm *swarm, const struct agent_count *c, struct live *l)
{
	double expected = (double)(swarm->now_ms - swarm->reset_ms) / swarm->interval_ms;
	uint32_t open_ms = (uint32_t)(swarm->now_ms - c->last_poll_ms);
	uint32_t gap_ms = c->max_poll_gap_ms > open_ms ? c->max_poll_gap_ms : open_ms;
	uint32_t any_ms = (uint32_t)(swarm->now_ms - c->last_any_ms), beats = c->heartbeats + c->echoes;

	any_ms = any_ms > c->max_any_gap_ms ? any_ms : c->max_any_gap_ms;
	l->min_polls = l->agents == 0 || c->polls < l->min_polls ? c->polls : l->min_polls;
	l->max_polls = c->polls > l->max_polls ? c->polls : l->max_polls;
	l->min_beats = l->agents == 0 || beats < l->min_beats ? beats : l->min_beats;
	l->max_beats = beats > l->max_beats ? beats : l->max_beats;
	l->max_gap_ms = gap_ms > l->max_gap_ms ? gap_ms : l->max_gap_ms;
	l->max_any_ms = any_ms > l->max_any_ms ? any_ms : l->max_any_ms;
	l->over += gap_ms * 10ull > swarm->interval_ms * 12ull;
	l->never += c->polls == 0;
	l->on_count += c->polls + 1 >= expected - 1e-9 && c->polls <= expected + 1;
	l->polls += c->polls;
	l->repeats += c->repeats;
	l->beats += beats;
	l->empty += c->windows_empty;
	l->doubled += c->windows_double;
	l->agents++;
}

/* The gap, in intervals, that the share `q` of all gaps stays below; never more than the largest. */
static double percentile(const struct sums *s, double q, double largest)
{
	uint64_t all = 0, seen = 0;

	for (unsigned i = 0; i < BINS; i++)
		all += s->gap_bins[i];
	for (unsigned i = 0; i < BINS; i++) {
		seen += s->gap_bins[i];
		if (all > 0 && (double)seen >= q * (double)all)
			return (i + 1) / 100.0 < largest ? (i + 1) / 100.0 : largest;
	}
	return 0;
}

static void report_agents(const struct swarm *swarm, const struct live *l, FILE *out)
{
	const struct sums *s = &swarm->sums;
	double largest = (double)l->max_gap_ms / swarm->interval_ms;

	fprintf(out, " \"agents\": {\"total\": %u, \"live\": %u, \"excluded\": %u, \"never_polled\": %u},\n",
		swarm->agents, l->agents, l->excluded, l->never);
	fprintf(out,
		" \"polls\": {\"expected\": %.2f, \"min\": %u, \"max\": %u, \"sum\": %llu, \"repeats\": %llu, "
		"\"agents_within_one\": %u, \"windows_empty\": %llu, \"windows_double\": %llu},\n",
		(double)(swarm->now_ms - swarm->reset_ms) / swarm->interval_ms, l->min_polls, l->max_polls,
		(unsigned long long)l->polls, (unsigned long long)l->repeats, l->on_count, (unsigned long long)l->empty,
		(unsigned long long)l->doubled);
	fprintf(out,
		" \"poll_gap_intervals\": {\"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"max\": %.3f, "
		"\"agents_over_1_2\": %u},\n",
		percentile(s, 0.5, largest), percentile(s, 0.9, largest), percentile(s, 0.99, largest),
		percentile(s, 0.999, largest), largest, l->over);
	fprintf(out, " \"heartbeats\": {\"min\": %u, \"max\": %u, \"sum\": %llu, \"max_gap_ms\": %u},\n", l->min_beats,
		l->max_beats, (unsigned long long)l->beats, l->max_any_ms);
}

static void report_sums(const struct swarm *swarm, FILE *out)
{
	const struct sums *s = &swarm->sums;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
	    {"gets", s->gets},
	    {"single_gets", s->heartbeats},
	    {"getnexts", s->getnexts},
	    {"getbulks", s->getbulks},
	    {"sets", s->sets},
	    {"v3_messages", s->v3_messages},
	    {"v3_reports", s->v3_reports},
	    {"echoes", s->echoes},
	    {"connections", s->connections},
	    {"answers", s->answers},
	    {"cache_hits", s->cache_hits},
	    {"not_heard", s->not_heard},
	    {"unknown_address", s->unknown_address},
	    {"bad_community", s->bad_community},
	    {"garbage", s->garbage},
	    {"send_failed", s->send_failed},
	    {"receive_dropped", s->receive_dropped},
	    {"max_loop_ms", s->max_loop_ms},
	};

	fprintf(out, " \"sums\": {");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "%s\"%s\": %llu", i ? ", " : "", rows[i].name, (unsigned long long)rows[i].value);
	fprintf(out, "},\n");
}

static void report_bmcs(const struct swarm *swarm, FILE *out)
{
	const struct sums *s = &swarm->sums;

	fprintf(
	    out,
	    " \"bmcs\": {\"total\": %u, \"packets\": %llu, \"sessions_opened\": %llu, \"sessions_established\": %llu, "
	    "\"sessions_failed\": %llu, \"sessions_closed\": %llu, \"commands\": %llu, \"power_commands\": %llu, "
	    "\"repeats\": %llu, \"garbage\": %llu, \"max_requests_at_once\": %u, \"max_sessions_at_once\": %u}\n",
	    swarm->bmcs, (unsigned long long)s->bmc_packets, (unsigned long long)s->bmc_opened,
	    (unsigned long long)s->bmc_established, (unsigned long long)s->bmc_failed,
	    (unsigned long long)s->bmc_closed, (unsigned long long)s->bmc_commands,
	    (unsigned long long)s->power_commands, (unsigned long long)s->bmc_repeats,
	    (unsigned long long)s->bmc_garbage, s->max_requests_per_bmc, s->max_sessions_per_bmc);
}

void count_report(struct swarm *swarm, FILE *out)
{
	struct live l = {0};

	for (unsigned i = 0; i < swarm->agents; i++) {
		if (swarm->agent[i].count.excluded)
			l.excluded++;
		else
			include(swarm, &swarm->agent[i].count, &l);
	}
	fprintf(out, "{\"seconds\": %.3f, \"interval_ms\": %u,\n", (double)(swarm->now_ms - swarm->reset_ms) / 1000,
		swarm->interval_ms);
	report_agents(swarm, &l, out);
	report_sums(swarm, out);
	report_bmcs(swarm, out);
	fprintf(out, "}\n");
}
