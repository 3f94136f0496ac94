/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells of items that are not built in: names and ids, order, numbers of rows, what the history is given, what expires. */
#include <unistd.h>

#include "engine/values.c"

#include "tests/unit/unit.h"

static struct engine engine;
static unsigned published, alarms_withdrawn, kicked, announced;
static struct loop_timer *no_timer;

void samples_judge(struct engine *e, uint32_t slot, const struct item_definition *item, const char *instance, double value,
		   int64_t wall_ms, struct level_state *state)
{
	(void)e, (void)slot, (void)item, (void)instance, (void)wall_ms;
	state->level = isnan(value) ? LEVEL_UNKNOWN : value > 90 ? LEVEL_MAJOR : LEVEL_NORMAL;
}

int64_t memories_quiet_ms(struct engine *e, uint32_t slot, const char *item, const char *instance, const struct level_rules *rules)
{
	(void)e, (void)slot, (void)item, (void)instance, (void)rules;
	return 0;
}

void samples_describe(const struct item_definition *item, const char *instance, double value, char *out, size_t size)
{
	text_format(out, size, "%s %s %g", item->name, instance, value);
}

void publish_value(struct engine *e, uint32_t slot, const struct item_definition *item, uint16_t instance, const char *instance_name,
		   double value, int64_t wall_ms, enum level level, uint32_t *board_slot)
{
	(void)wall_ms, (void)e, (void)slot, (void)item, (void)instance, (void)instance_name, (void)value, (void)level;
	*board_slot = 1;
	published++;
}

uint64_t alarms_raise(struct engine *e, const char *object, const char *kind, const char *part, enum level severity, const char *cause,
		      uint32_t slot, uint64_t parent, uint32_t held)
{
	(void)e, (void)object, (void)kind, (void)part, (void)severity, (void)cause, (void)slot, (void)parent, (void)held;
	return 1;
}

void alarms_withdraw(struct engine *e, const char *object, const char *kind, const char *part)
{
	(void)e, (void)object, (void)kind, (void)part;
	alarms_withdrawn++;
}

void alarms_level(struct engine *e, uint32_t slot, const char *kind, const char *part, enum level level, const char *cause)
{
	(void)e, (void)slot, (void)kind, (void)part, (void)level, (void)cause;
}

void judgement_level(struct engine *e, uint32_t slot)
{
	(void)e, (void)slot;
	kicked++;
}

bool series_begin(struct engine *e, uint32_t slot, struct msg_series *m, const char *source, const char *file)
{
	(void)source, (void)file;
	memset(m, 0, sizeof *m);
	m->series = ++e->series_next;
	m->slot = slot;
	return true;
}

void engine_send(struct engine *e, enum role role, uint16_t type, const void *body, size_t size)
{
	(void)e, (void)role, (void)body, (void)size;
	announced += type == MSG_SERIES_ADD;
}

void items_fill_row(struct engine *e, const char *name, unsigned id, struct item_row *row)
{
	(void)e, (void)name, (void)id, (void)row;
}

struct node_state *engine_state(struct engine *e, uint32_t slot)
{
	return slot < e->model.node_top ? e->nodes[slot] : NULL;
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg)
{
	(void)loop, (void)on_due, (void)arg;
	return no_timer;
}

void loop_timer_every(struct loop_timer *timer, int64_t every_ms)
{
	(void)timer, (void)every_ms;
}

static void begin(void)
{
	static struct model_node nodes[2];
	static struct node_state *states[2], state;
	struct board_limits limits;

	memset(&engine, 0, sizeof engine);
	memset(&state, 0, sizeof state);
	for (int i = 0; i < 2; i++)
		nodes[i] = (struct model_node){.slot = (uint32_t)i, .generation = 1};
	states[0] = &state;
	engine.model.nodes = nodes;
	engine.model.node_top = 2;
	engine.nodes = states;
	board_limits_for(64, 8, 8, &limits);
	engine.board = board_create(1, &limits);
	engine.ring = ring_create(1 << 20);
	values_start(&engine);
	published = alarms_withdrawn = kicked = announced = 0;
}

static void end(void)
{
	values_forget_node(&engine, 0);
	free(engine.nodes[0]->cells);
	ring_free(engine.ring);
	board_free(engine.board);
	free(engine.values);
}

static unsigned make(const char *name, uint32_t interval_s)
{
	struct value_item item = {.unit = "ms", .source = "check", .file_class = "item", .interval_s = interval_s};
	struct error err;

	text_copy(item.name, sizeof item.name, name);
	return values_item(&engine, &item, &err);
}

static void names(void)
{
	begin();
	unsigned a = make("ping_ms", 10);
	CU_ASSERT_EQUAL(a, VALUES_MADE);
	CU_ASSERT_EQUAL(make("ping_ms", 60), a);
	CU_ASSERT_EQUAL(values_item_at(&engine, a)->interval_s, 60);
	CU_ASSERT_EQUAL(make("cpu", 10), 0);
	CU_ASSERT_EQUAL(make("Not a name", 10), 0);
	CU_ASSERT_EQUAL(values_find(&engine, "ping_ms")->item, a);
	CU_ASSERT_EQUAL(values_find(&engine, "cpu")->item, ITEM_CPU);
	CU_ASSERT_PTR_NULL(values_find(&engine, "pong"));
	CU_ASSERT_NOT_EQUAL(make("other", 10), a);
	values_item_remove(&engine, a);
	CU_ASSERT_PTR_NULL(values_item_at(&engine, a));
	CU_ASSERT_EQUAL(make("third", 10), a);
	for (int i = 0; i < VALUES_END - VALUES_MADE - 2; i++) {
		char name[20];
		text_format(name, sizeof name, "item%d", i);
		CU_ASSERT_NOT_EQUAL(make(name, 10), 0);
	}
	CU_ASSERT_EQUAL(make("one_too_many", 10), 0);
	end();
}

static void cells(void)
{
	begin();
	unsigned a = make("disk_ms", 10), b = make("alpha", 10);
	static const char *const rows[] = {"sdc", "sda", "sdb", "sdd"};

	values_put(&engine, 0, b, "", 7);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		values_put(&engine, 0, a, rows[i], (double)i);
	CU_ASSERT_EQUAL(engine.nodes[0]->cell_count, 5);
	CU_ASSERT_EQUAL(values_cell(&engine, 0, a, "sdc", false)->instance, 1);
	CU_ASSERT_EQUAL(values_cell(&engine, 0, a, "sdd", false)->instance, 4);
	CU_ASSERT_EQUAL(values_cell(&engine, 0, b, "", false)->instance, 0);
	CU_ASSERT_EQUAL(values_read(&engine, 0, "disk_ms", "sdb"), 2);
	CU_ASSERT_EQUAL(values_read(&engine, 0, "alpha", ""), 7);
	CU_ASSERT(isnan(values_read(&engine, 0, "disk_ms", "sde")));
	CU_ASSERT(isnan(values_read(&engine, 0, "nothing", "")));
	CU_ASSERT(values_has(&engine, 0, "disk_ms", "sda"));
	values_gone(&engine, 0, a, "sda");
	CU_ASSERT_FALSE(values_has(&engine, 0, "disk_ms", "sda"));
	CU_ASSERT_EQUAL(alarms_withdrawn, 1);
	CU_ASSERT_EQUAL(kicked, 1);
	values_put(&engine, 0, a, "nvme", 1);
	CU_ASSERT_EQUAL(values_cell(&engine, 0, a, "nvme", false)->instance, 2); /* the number that is free */
	values_put(&engine, 0, a, "sdb", INFINITY);
	CU_ASSERT(isnan(values_read(&engine, 0, "disk_ms", "sdb")));
	values_item_remove(&engine, a);
	CU_ASSERT_EQUAL(engine.nodes[0]->cell_count, 1);
	CU_ASSERT_EQUAL(values_read(&engine, 0, "alpha", ""), 7);
	values_put(&engine, 0, a, "sda", 1); /* of an item that is no more, on a node that is not there */
	values_put(&engine, 1, b, "", 1);
	CU_ASSERT_EQUAL(engine.nodes[0]->cell_count, 1);
	end();
}

static void room_is_bounded(void)
{
	begin();
	unsigned a = make("many", 10);

	for (int i = 0; i < VALUES_PER_NODE + 10; i++) {
		char name[20];
		text_format(name, sizeof name, "row%d", i);
		values_put(&engine, 0, a, name, i);
	}
	CU_ASSERT_EQUAL(engine.nodes[0]->cell_count, VALUES_PER_NODE);
	end();
}

/* A value that comes each minute is one row in each step of 10 s; the mean of those that come more often; nothing while unknown. */
static void history(void)
{
	begin();
	unsigned a = make("slow", 60);
	struct ring *reader = ring_map(dup(ring_fd(engine.ring)), 1);
	const struct ring_row *row;
	struct value_cell *c;

	values_put(&engine, 0, a, "", 40);
	c = values_cell(&engine, 0, a, "", false);
	int64_t first = c->step;
	steps_done(&engine, 0, c, first + 10);
	steps_done(&engine, 0, c, first + 30);
	c->sum = 30;
	c->count = 3;
	steps_done(&engine, 0, c, first + 40);
	c->value = NAN;
	steps_done(&engine, 0, c, first + 60);
	steps_done(&engine, 0, c, first - 3600); /* the clock went back */
	static const double wanted[] = {40, 40, 40, 10};
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		row = ring_next(reader);
		CU_ASSERT_PTR_NOT_NULL_FATAL(row);
		CU_ASSERT_EQUAL(row->time_s, first + 10 * (int64_t)i);
		CU_ASSERT_EQUAL(row->values[0], wanted[i]);
	}
	CU_ASSERT_PTR_NULL(ring_next(reader));
	CU_ASSERT_EQUAL(announced, 1);
	ring_free(reader);
	end();
}

static void leap_is_bounded(void)
{
	begin();
	unsigned a = make("leap", 10);
	struct value_cell *c;

	values_put(&engine, 0, a, "", 40);
	c = values_cell(&engine, 0, a, "", false);
	int64_t first = c->step;
	steps_done(&engine, 0, c, first + 36000);
	CU_ASSERT_EQUAL(c->step, first + 36000);
	struct ring *reader = ring_map(dup(ring_fd(engine.ring)), 1);
	int rows = 0;
	while (ring_next(reader))
		rows++;
	CU_ASSERT_EQUAL(rows, CATCH_UP_MAX);
	ring_free(reader);
	end();
}

static void expiry(void)
{
	begin();
	unsigned a = make("stale", 60);
	struct value_cell *c;

	values_put(&engine, 0, a, "", 95);
	c = values_cell(&engine, 0, a, "", false);
	CU_ASSERT_EQUAL(c->levels.level, LEVEL_MAJOR);
	node_turn(&engine, 0, c->at_mono_ms + 149000, c->step);
	CU_ASSERT_EQUAL(c->value, 95);
	node_turn(&engine, 0, c->at_mono_ms + 151000, c->step);
	CU_ASSERT(isnan(c->value));
	CU_ASSERT_EQUAL(c->levels.level, LEVEL_UNKNOWN);
	values_put(&engine, 0, a, "", 5);
	values_silence(&engine, 0);
	CU_ASSERT(isnan(values_cell(&engine, 0, a, "", false)->value));
	end();
}

static void files(void)
{
	struct value_item item = {.name = "raid", .file_class = "item"};
	char out[NAME_SIZE];

	values_file(&item, "", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "item-raid");
	values_file(&item, "sda", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "item-raid-sda");
	values_file(&item, "/", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "item-raid-root");
}

static const struct unit_test tests[] = {
	{"names and ids", names}, {"cells", cells}, {"room is bounded", room_is_bounded}, {"history", history},
	{"a leap of the clock", leap_is_bounded}, {"expiry", expiry}, {"files", files},
};
UNIT_MAIN("values", tests)
