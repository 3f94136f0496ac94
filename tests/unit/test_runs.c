/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's requests to the runner: one end for each whatever happens, a window, one at a time for each place, order. */
#include "unit.h"

#include <string.h>

#define channel_send_fd told_runner
#include "appliance/engine/runs.c"
#undef channel_send_fd
#include "appliance/engine/token.c"

static struct engine engine;
static char a_channel; /* its address stands for the runner's channel */
static struct msg_run sent[512];
static unsigned sent_count, cancelled, helper_calls;
static uint64_t cancelled_last;
static struct {
	helper_done *done;
	void *arg;
} helper;

void told_runner(struct channel *c, uint16_t type, const void *body, size_t size, int fd);
void told_runner(struct channel *c, uint16_t type, const void *body, size_t size, int fd)
{
	CU_ASSERT_PTR_EQUAL(c, (struct channel *)(void *)&a_channel);
	CU_ASSERT_EQUAL(type, MSG_RUN);
	CU_ASSERT_EQUAL(size, sizeof sent[0]);
	CU_ASSERT(fd == -1 || fd > 2);
	memcpy(&sent[sent_count++], body, sizeof sent[0]);
}

void store_get(struct store *store, const char *key, store_done *done, void *arg)
{
	(void)store;
	(void)key;
	(void)done;
	(void)arg;
	CU_FAIL("the store is not asked here");
}

void store_transact(struct store *store, const struct store_op *ops, size_t count, store_done *done, void *arg)
{
	(void)ops;
	(void)count;
	store_get(store, "", done, arg);
}

const char *store_trouble(const struct store *store)
{
	(void)store;
	return "";
}

void engine_send(struct engine *e, enum role role, uint16_t type, const void *body, size_t size)
{
	CU_ASSERT_PTR_EQUAL(e, &engine);
	CU_ASSERT(role == ROLE_RUNNER && type == MSG_RUN_CANCEL && size == sizeof(struct msg_run_id));
	cancelled++;
	cancelled_last = ((const struct msg_run_id *)body)->request;
}

void helpers_run(struct engine *e, enum helper which, int input, uint32_t deadline_ms, size_t limit, helper_done *done, void *arg)
{
	CU_ASSERT_PTR_EQUAL(e, &engine);
	CU_ASSERT(which == HELPER_IPVS && input >= 0 && deadline_ms && limit);
	close(input);
	helper_calls++;
	helper.done = done;
	helper.arg = arg;
}

struct seen {
	unsigned ends, lines;
	enum run_ended end;
	char text[512], output[64], line[64];
};

static void on_done(void *arg, const struct msg_run_result *m, const char *output, size_t size)
{
	struct seen *s = arg;

	s->ends++;
	s->end = (enum run_ended)m->end;
	text_copy(s->text, sizeof s->text, m->text);
	text_copy(s->output, sizeof s->output, output);
	CU_ASSERT_EQUAL(strlen(output), size);
}

static void on_line(void *arg, const char *text)
{
	struct seen *s = arg;

	s->lines++;
	text_copy(s->line, sizeof s->line, text);
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

/* Lets everything that is due happen. */
static void turn(void)
{
	struct loop_timer *t = loop_timer_new(engine.loop, on_stop, engine.loop);

	loop_timer_set(t, 3);
	loop_run(engine.loop);
	loop_timer_free(t);
}

static void begin(bool runner)
{
	memset(&engine, 0, sizeof engine);
	engine.loop = loop_new();
	engine.roles[ROLE_RUNNER].channel = runner ? (struct channel *)(void *)&a_channel : NULL;
	sent_count = cancelled = helper_calls = 0;
	runs_start(&engine);
	runs_token(&engine, 41);
}

static void end(void)
{
	CU_ASSERT_EQUAL(runs_open(&engine), 0);
	CU_ASSERT_EQUAL(engine.runs->waiting, 0);
	CU_ASSERT_EQUAL(engine.runs->sent_count, 0);
	CU_ASSERT_EQUAL(engine.runs->urgent, 0);
	loop_timer_free(engine.runs->turn);
	free(engine.runs);
	loop_free(engine.loop);
}

static uint64_t ask(unsigned node, struct seen *s)
{
	struct msg_run m = {.kind = RUN_NODE, .slot = node, .generation = 1, .deadline_ms = 1000, .line = "hello"};

	text_format(m.host, sizeof m.host, "n%03u", node);
	return runs_ask(&engine, &m, -1, on_done, on_line, s);
}

static void answer(uint64_t request, enum run_ended how, const char *text)
{
	struct msg_run_result m = {.request = request, .end = how};

	text_copy(m.text, sizeof m.text, text);
	m.size = (uint32_t)strlen(text);
	runs_result(&engine, &m, -1);
}

static void test_one(void)
{
	struct seen s = {0};
	begin(true);
	uint64_t id = ask(1, &s);
	CU_ASSERT_EQUAL(sent_count, 0); /* not from within the call */
	turn();
	CU_ASSERT_EQUAL(sent_count, 1);
	CU_ASSERT_EQUAL(sent[0].request, id);
	struct msg_run_line line = {.request = id, .text = "half way"};
	runs_say(&engine, &line);
	answer(id + 7, ENDED_DONE, "not asked");
	CU_ASSERT_EQUAL(s.ends, 0);
	answer(id, ENDED_DONE, "hello\n");
	answer(id, ENDED_FAILED, "again");
	CU_ASSERT_EQUAL(s.ends, 1);
	CU_ASSERT_EQUAL(s.end, ENDED_DONE);
	CU_ASSERT_STRING_EQUAL(s.output, "hello\n");
	CU_ASSERT_EQUAL(s.lines, 1);
	CU_ASSERT_STRING_EQUAL(s.line, "half way");
	end();
}

static void test_window_and_places(void)
{
	static struct seen s[200];
	uint64_t ids[200], twice;
	struct seen second = {0};

	memset(s, 0, sizeof s);
	begin(true);
	for (unsigned i = 0; i < 200; i++)
		ids[i] = ask(i, &s[i]);
	twice = ask(0, &second);
	turn();
	CU_ASSERT_EQUAL(sent_count, RUNS_AT_ONCE);
	for (unsigned i = 0; i < RUNS_AT_ONCE; i++)
		CU_ASSERT_EQUAL(sent[i].request, ids[i]); /* in order */
	answer(ids[5], ENDED_FAILED, "x");
	turn();
	CU_ASSERT_EQUAL(sent_count, RUNS_AT_ONCE + 1);
	for (unsigned done = 0; done < 200; done++) {
		answer(ids[done], ENDED_DONE, "");
		turn();
	}
	CU_ASSERT_EQUAL(sent_count, 201);
	CU_ASSERT_EQUAL(sent[200].request, twice); /* it came last */
	answer(twice, ENDED_DONE, "");
	for (unsigned i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(s[i].ends, 1);
	CU_ASSERT_EQUAL(second.ends, 1);
	end();
}

static void test_one_place_at_a_time(void)
{
	struct seen a = {0}, b = {0}, c = {0};
	begin(true);
	uint64_t first = ask(1, &a), second = ask(1, &b), other = ask(2, &c);
	turn();
	CU_ASSERT_EQUAL(sent_count, 2);
	CU_ASSERT_EQUAL(sent[1].request, other); /* it is not held up */
	answer(first, ENDED_DONE, "");
	turn();
	CU_ASSERT_EQUAL(sent_count, 3);
	CU_ASSERT_EQUAL(sent[2].request, second);
	answer(second, ENDED_DONE, "");
	answer(other, ENDED_DONE, "");
	end();
}

static void test_runner_dies(void)
{
	struct seen a = {0}, b = {0}, c = {0};
	begin(true);
	ask(1, &a);
	uint64_t waiting = ask(1, &b);
	turn();
	engine.roles[ROLE_RUNNER].channel = NULL;
	runs_runner(&engine, false);
	turn();
	CU_ASSERT(a.ends == 1 && a.end == ENDED_CUT);
	CU_ASSERT_EQUAL(b.ends, 0);
	ask(3, &c);
	turn();
	CU_ASSERT_EQUAL(sent_count, 1);
	engine.roles[ROLE_RUNNER].channel = (struct channel *)(void *)&a_channel;
	runs_runner(&engine, true);
	turn();
	CU_ASSERT_EQUAL(sent_count, 3);
	CU_ASSERT_EQUAL(sent[1].request, waiting);
	answer(sent[1].request, ENDED_DONE, "");
	answer(sent[2].request, ENDED_DONE, "");
	CU_ASSERT(b.ends == 1 && c.ends == 1);
	end();
}

static void test_cancel_and_forget(void)
{
	struct seen a = {0}, b = {0}, c = {0};
	begin(true);
	uint64_t first = ask(1, &a), second = ask(1, &b), third = ask(2, &c);
	turn();
	runs_cancel(&engine, second); /* waits */
	CU_ASSERT_EQUAL(b.ends, 0);
	turn();
	CU_ASSERT(b.ends == 1 && b.end == ENDED_CANCELLED && cancelled == 0);
	runs_cancel(&engine, first); /* with the runner: its word counts */
	runs_cancel(&engine, 99999);
	CU_ASSERT(cancelled == 1 && cancelled_last == first && a.ends == 0);
	answer(first, ENDED_CANCELLED, "cancelled");
	CU_ASSERT(a.ends == 1 && a.end == ENDED_CANCELLED);
	runs_forget(&engine, third);
	answer(third, ENDED_DONE, "");
	CU_ASSERT_EQUAL(c.ends, 0);
	end();
}

static void test_no_answer(void)
{
	struct seen a = {0}, b = {0};
	begin(true);
	ask(1, &a);
	turn();
	engine.runs->sent[0]->at_ms -= 1000 + OVERDUE_MS + 1;
	runs_tick(&engine);
	turn();
	CU_ASSERT(a.ends == 1 && a.end == ENDED_CUT);
	engine.roles[ROLE_RUNNER].channel = NULL;
	ask(2, &b);
	turn();
	runs_tick(&engine);
	CU_ASSERT_EQUAL(b.ends, 0);
	engine.runs->first->at_ms -= NO_RUNNER_MS + 1;
	runs_tick(&engine);
	turn();
	CU_ASSERT(b.ends == 1 && b.end == ENDED_LATE);
	end();
}

static void test_hostile(void)
{
	struct seen a = {0};
	struct msg_run_result m = {0};
	begin(true);
	uint64_t id = ask(1, &a);
	answer(id, ENDED_DONE, "before it was sent");
	CU_ASSERT_EQUAL(a.ends, 0);
	turn();
	m.request = id;
	m.end = ENDED_COUNT;
	runs_result(&engine, &m, -1);
	m.end = 0;
	runs_result(&engine, &m, -1);
	m.end = ENDED_DONE;
	memset(m.text, 'x', sizeof m.text); /* not terminated */
	runs_result(&engine, &m, -1);
	CU_ASSERT_EQUAL(a.ends, 0);
	int fd = bytes_memory("input", "not sealed", 10); /* could change while it is read */
	memset(m.text, 0, sizeof m.text);
	m.size = 10;
	runs_result(&engine, &m, fd);
	close(fd);
	CU_ASSERT(a.ends == 1 && a.end == ENDED_BAD);
	id = ask(1, &a);
	turn();
	fd = bytes_memory("input", "sealed", 6);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	m.request = id;
	m.size = 6;
	runs_result(&engine, &m, fd);
	close(fd);
	CU_ASSERT(a.ends == 2 && a.end == ENDED_DONE && !strcmp(a.output, "sealed"));
	end();
}

static void test_helper(void)
{
	struct seen a = {0}, b = {0};
	struct msg_run m = {.kind = RUN_DRIVER, .slot = NO_SLOT, .deadline_ms = 1000, .driver = "ipvs"};
	begin(false); /* it needs no runner */
	runs_ask(&engine, &m, bytes_memory("input", "{}", 2), on_done, NULL, &a);
	turn();
	CU_ASSERT_EQUAL(helper_calls, 1);
	helper.done(helper.arg, 0, "{\"status\":\"ok\"}", 15);
	CU_ASSERT(a.ends == 1 && a.end == ENDED_DONE && !strcmp(a.output, "{\"status\":\"ok\"}"));
	runs_ask(&engine, &m, -1, on_done, NULL, &b);
	turn();
	helper.done(helper.arg, ERR_NOT_FOUND, NULL, 0);
	CU_ASSERT(b.ends == 1 && b.end == ENDED_FAILED && strstr(b.text, "not installed"));
	end();
}

/* No order without a token; each carries that of this life. */
static void test_token(void)
{
	struct seen s = {0};

	begin(true);
	runs_token(&engine, 0);
	CU_ASSERT_FALSE(runs_has_token(&engine));
	uint64_t id = ask(1, &s);
	turn();
	CU_ASSERT_EQUAL(sent_count, 0);
	runs_token(&engine, 70000000001);
	turn();
	CU_ASSERT_EQUAL(sent_count, 1);
	CU_ASSERT_EQUAL(sent[0].token, 70000000001);
	answer(id, ENDED_DONE, "");
	end();
	begin(true);
	id = ask(1, &s);
	turn();
	CU_ASSERT_EQUAL(sent[0].token, 41);
	answer(id, ENDED_DONE, "");
	end();
	/* larger than any before, and than an empty store's would be a second ago */
	CU_ASSERT_EQUAL(token_next("", 1000), 1000);
	CU_ASSERT_EQUAL(token_next("{\"v\":1,\"token\":7}", 1000), 1000);
	CU_ASSERT_EQUAL(token_next("{\"v\":1,\"token\":1000}", 1000), 1001);
	CU_ASSERT_EQUAL(token_next("{\"v\":1,\"token\":5000}", -1), 5001);
	CU_ASSERT_EQUAL(token_next("{\"v\":1,\"token\":-5}", 1000), 0);
	CU_ASSERT_EQUAL(token_next("{\"v\":1,\"token\":999999999999999}", 1000), 0);
	CU_ASSERT_EQUAL(token_next("{\"v\":1}", 1000), 0);
	CU_ASSERT_EQUAL(token_next("x", 1000), 0);
}

static const struct unit_test tests[] = {
	{"one", test_one}, {"window and places", test_window_and_places}, {"one place at a time", test_one_place_at_a_time},
	{"runner dies", test_runner_dies}, {"cancel and forget", test_cancel_and_forget}, {"no answer", test_no_answer}, {"hostile", test_hostile},
	{"helper", test_helper}, {"token", test_token},
};
UNIT_MAIN("runs", tests)
