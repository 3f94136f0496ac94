/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is shown of a balancer as it was read back: each director with its own state and servers, in pages, the last of them marked as the last. */
#include "unit.h"

#include <string.h>

#include "base/memory.h"
#include "appliance/engine/balancers_show.c"

static struct engine engine;
static struct balancer one;
static json_t *shown;
static unsigned pages, ends, errors;

struct balancer *balancer_find(const struct engine *e, const char *name)
{
	(void)e;
	return strcmp(name, "lb1") ? NULL : &one;
}

size_t balancer_directors(const struct balancer *b)
{
	return b->config.peer.family ? 2 : 1;
}

void reply_json(struct engine *e, enum role face, uint32_t life, uint64_t request, uint64_t job, json_t *value, bool more)
{
	(void)e;
	(void)face;
	(void)life;
	(void)job;
	CU_ASSERT_EQUAL(request, 5);
	CU_ASSERT_EQUAL(ends, 0);
	pages++;
	ends += !more;
	json_array_extend(shown, value);
	json_decref(value);
}

void reply_error(struct engine *e, enum role face, uint32_t life, uint64_t request, const struct error *err)
{
	(void)e;
	(void)face;
	(void)life;
	(void)request;
	CU_ASSERT_EQUAL(err->kind, ERR_NOT_FOUND);
	errors++;
}

void outbox_balancer(struct engine *e, const char *name, enum balancer_state state, enum level level, const char *cause)
{
	(void)e;
	(void)name;
	(void)state;
	(void)level;
	(void)cause;
}

void publish_cluster(struct engine *e)
{
	(void)e;
}

static void query(const char *name)
{
	struct msg_query q = {.request = 5, .kind = QUERY_BALANCER};

	text_copy(q.target, sizeof q.target, name);
	json_decref(shown);
	shown = json_array();
	pages = ends = 0;
	balancers_query(&engine, ROLE_API, &q);
}

static const char *text_of(size_t row, const char *key)
{
	return json_string_value(json_object_get(json_array_get(shown, row), key));
}

static size_t reals_of(size_t row)
{
	return json_array_size(json_object_get(json_array_get(shown, row), "reals"));
}

static void fill(struct director *d, size_t virtuals, size_t reals)
{
	for (size_t i = 0; i < virtuals; i++) {
		char name[16];
		text_format(name, sizeof name, "v%zu", i);
		struct picture_virtual *v = picture_add_virtual(&d->have, name);
		v->forwarding = FORWARD_NAT;
		for (size_t k = 0; k < reals; k++)
			picture_add_real(v, "");
	}
	d->read = true;
	d->wanted_hash = one.hash;
}

static void drain(void)
{
	for (size_t d = 0; d < DIRECTORS; d++)
		picture_clear(&one.at[d].have);
	memset(&one, 0, sizeof one);
	one.hash = 7;
	text_copy(one.config.head.name, sizeof one.config.head.name, "lb1");
}

static void test_one(void)
{
	drain();
	query("lb1"); /* nothing stands there, nothing is said: an empty list */
	CU_ASSERT(json_array_size(shown) == 0 && pages == 1 && ends == 1);
	fill(&one.at[0], 2, REALS_A_PAGE + 1);
	query("lb1");
	CU_ASSERT_EQUAL_FATAL(json_array_size(shown), 4);
	CU_ASSERT(pages == 4 && ends == 1 && reals_of(0) == REALS_A_PAGE && reals_of(1) == 1 && reals_of(3) == 1);
	CU_ASSERT(!strcmp(text_of(0, "director"), "here") && !strcmp(text_of(0, "state"), "in-step") && !strcmp(text_of(3, "virtual"), "v1"));
	query("lb2");
	CU_ASSERT(errors == 1 && pages == 0);
	drain();
}

static void test_pair(void)
{
	drain();
	one.config.address = (struct address){.family = 4, .bytes = {10, 0, 0, 1}};
	one.config.peer = (struct address){.family = 4, .bytes = {10, 0, 0, 2}};
	fill(&one.at[0], 1, 2);
	fill(&one.at[1], 1, 3);
	one.at[1].wanted_hash = 6;
	query("lb1");
	CU_ASSERT_EQUAL_FATAL(json_array_size(shown), 2);
	CU_ASSERT(pages == 2 && ends == 1 && reals_of(0) == 2 && reals_of(1) == 3);
	CU_ASSERT(!strcmp(text_of(0, "director"), "10.0.0.1") && !strcmp(text_of(1, "director"), "10.0.0.2"));
	CU_ASSERT(!strcmp(text_of(0, "state"), "in-step") && !strcmp(text_of(1, "state"), "changing"));
	drain();
	/* one that has never answered is there all the same, and says why it does not */
	one.config.address = (struct address){.family = 4, .bytes = {10, 0, 0, 1}};
	one.config.peer = (struct address){.family = 4, .bytes = {10, 0, 0, 2}};
	fill(&one.at[0], 1, 1);
	one.at[1].status = ERR_REMOTE;
	text_copy(one.at[1].why, sizeof one.at[1].why, "no route");
	query("lb1");
	CU_ASSERT_EQUAL_FATAL(json_array_size(shown), 2);
	CU_ASSERT(!strcmp(text_of(1, "state"), "unreachable") && !strcmp(text_of(1, "cause"), "no route") && !strcmp(text_of(1, "virtual"), ""));
	CU_ASSERT(reals_of(1) == 0 && ends == 1);
	drain();
	json_decref(shown);
	shown = NULL;
}

static const struct unit_test tests[] = {{"one", test_one}, {"pair", test_pair}};
UNIT_MAIN("balancers, shown", tests)
