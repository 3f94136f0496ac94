/* SPDX-License-Identifier: GPL-3.0-or-later */
/* statseed FILE DAYS NODE:GROUP:PROFILE...: a past for tests/system/stats.py: hours of so many days up to the one that runs, written by the
 * engine's own code. Profiles: busy, idle, crashy (idle, and lost for six minutes at noon of each day). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/history.h"
#include "loop/loop.h"

struct seeding {
	char **nodes;
	int count;
	int64_t now_s, days;
	int status;
};

static void add_node(struct history_batch *b, const char *text)
{
	char name[NAME_SIZE], *group, *profile;

	text_copy(name, sizeof name, text);
	group = strchr(name, ':');
	profile = group ? strchr(group + 1, ':') : NULL;
	if (!profile)
		exit(2);
	*group++ = *profile++ = '\0';
	struct summary *s = &history_add(b, name, group)->summary;
	bool busy = !strcmp(profile, "busy"), noon = b->hour_s / HISTORY_HOUR_S % 24 == 12 && !strcmp(profile, "crashy");

	s->ms[VERDICT_UP] = noon ? 3240000 : 3600000;
	s->ms[VERDICT_OS_HUNG] = noon ? 360000 : 0;
	s->incidents[VERDICT_OS_HUNG] = noon;
	s->energy_wh = busy ? 300 : 120;
	s->energy_ms = 3600000;
	for (unsigned i = 0; i < 360; i++) {
		sketch_add(&s->items[SUMMARY_CPU], busy ? 60 + i % 30 : 1 + i % 3);
		sketch_add(&s->items[SUMMARY_MEM], 40);
		sketch_add(&s->items[SUMMARY_LOAD1], busy ? 12 : 0.1);
		sketch_add(&s->items[SUMMARY_IF_IN], busy ? 3e7 : 2000);
		sketch_add(&s->items[SUMMARY_IF_OUT], busy ? 1e7 : 500);
		sketch_add(&s->items[SUMMARY_POWER_DRAW], busy ? 300 : 120);
	}
}

static void seed(struct summaries_db *db, void *arg)
{
	struct seeding *w = arg;
	int64_t end = w->now_s / HISTORY_HOUR_S * HISTORY_HOUR_S;

	w->status = db ? 0 : -1;
	for (int64_t hour = end - w->days * HISTORY_DAY_S; hour < end && !w->status; hour += HISTORY_HOUR_S) {
		struct history_batch b = {.hour_s = hour};
		for (int i = 0; i < w->count; i++)
			add_node(&b, w->nodes[i]);
		history_write_hour(db, &b);
		w->status = b.status ? b.status : history_make_days(db, hour + HISTORY_HOUR_S);
		history_free(&b);
	}
}

int main(int argc, char **argv)
{
	struct seeding w = {.nodes = argv + 3, .count = argc - 3, .now_s = clock_wall_ms() / 1000};
	struct loop *loop = loop_new();

	if (argc < 4 || !loop || !text_integer(argv[2], 1, 800, &w.days)) {
		fprintf(stderr, "usage: statseed FILE DAYS NODE:GROUP:PROFILE...\n");
		return 2;
	}
	struct summaries *s = summaries_open(loop, argv[1]);
	if (!s || !summaries_run(s, seed, NULL, &w))
		return 1;
	summaries_close(s);
	loop_free(loop);
	return w.status ? 1 : 0;
}
