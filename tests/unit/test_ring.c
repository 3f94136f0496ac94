/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The row ring: order, wrap-around, loss when full, a consumer that dies, and ends that lie to each other; and the
 * shapes of messages. */
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board/messages.h"
#include "tests/unit/unit.h"

#include "../../appliance/board/ring.c"

static struct ring *other_end(const struct ring *r)
{
	return ring_map(dup(ring_fd(r)), 1);
}

static bool put(struct ring *r, uint32_t n, uint32_t count)
{
	double values[SERIES_DS_MAX];

	for (uint32_t i = 0; i < SERIES_DS_MAX; i++)
		values[i] = n + i / 100.0;
	return ring_put(r, n, (int64_t)n * 10, values, count);
}

static bool is(const struct ring_row *row, uint32_t n, uint32_t count)
{
	if (!row || row->series != n || row->count != count || row->time_s != (int64_t)n * 10)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (row->values[i] != n + i / 100.0)
			return false;
	}
	return true;
}

static void rows_pass_in_order_over_many_turns(void)
{
	struct ring *p = ring_create(1), *c = other_end(p);
	uint32_t in = 0, out = 0, wrong = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_PTR_NULL(ring_next(c));
	while (out < 10000) {
		for (int i = 0; i < 7; i++, in++)
			wrong += !put(p, in, in % (SERIES_DS_MAX + 1));
		for (; out < in; out++)
			wrong += !is(ring_next(c), out, out % (SERIES_DS_MAX + 1));
		wrong += ring_next(c) != NULL;
		ring_done(c);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(ring_waiting(c), 0);
	CU_ASSERT_EQUAL(ring_lost(p), 0);
	ring_free(c);
	ring_free(p);
}

static void nan_stays_nan(void)
{
	struct ring *p = ring_create(1), *c = other_end(p);
	double values[2] = {NAN, 1.5};

	CU_ASSERT(ring_put(p, 1, 10, values, 2));
	const struct ring_row *row = ring_next(c);
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	CU_ASSERT(isnan(row->values[0]));
	CU_ASSERT_EQUAL(row->values[1], 1.5);
	ring_free(c);
	ring_free(p);
}

static void a_full_ring_counts_what_it_refuses(void)
{
	struct ring *p = ring_create(4096), *c = other_end(p);
	uint32_t n = 0;

	while (put(p, n, 2))
		n++;
	CU_ASSERT_EQUAL(n, 4096 / 32);
	CU_ASSERT_EQUAL(ring_lost(c), 1);
	CU_ASSERT_EQUAL(ring_waiting(p), 4096);
	CU_ASSERT(is(ring_next(c), 0, 2));
	CU_ASSERT_FALSE(put(p, n, 2)); /* taken, but not done */
	ring_done(c);
	CU_ASSERT_TRUE(put(p, n, 2));
	CU_ASSERT_FALSE(put(p, n, SERIES_DS_MAX + 1));
	CU_ASSERT_EQUAL(ring_lost(p), 3);
	ring_free(c);
	ring_free(p);
}

static void a_new_consumer_goes_on_where_the_dead_one_was(void)
{
	struct ring *p = ring_create(1), *c = other_end(p);

	for (uint32_t i = 0; i < 4; i++)
		put(p, i, 3);
	CU_ASSERT(is(ring_next(c), 0, 3));
	ring_done(c);
	CU_ASSERT(is(ring_next(c), 1, 3)); /* and dies before it is done */
	ring_free(c);
	c = other_end(p);
	CU_ASSERT(is(ring_next(c), 1, 3));
	CU_ASSERT(is(ring_next(c), 2, 3));
	ring_free(c);
	ring_free(p);
}

static void a_lying_consumer_cannot_lead_the_producer(void)
{
	struct ring *p = ring_create(1), *c = other_end(p);
	static const uint64_t lies[] = {UINT64_MAX, 1u << 20, 0, 5000};

	put(p, 1, 2);
	ring_next(c);
	ring_done(c);
	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		atomic_store(&c->header->tail, lies[i]);
		for (uint32_t n = 0; n < 2000; n++)
			put(p, n, n % 48);
		CU_ASSERT(p->own - p->peer <= p->words);
	}
	CU_ASSERT(ring_lost(p) > 0);
	ring_free(c);
	ring_free(p);
}

static void a_lying_producer_cannot_lead_the_consumer(void)
{
	struct ring *p = ring_create(1), *c = other_end(p);
	int given = 0;

	put(p, 1, 2);
	atomic_store(&p->header->head, UINT64_MAX / 2); /* far ahead */
	CU_ASSERT_PTR_NULL(ring_next(c));
	CU_ASSERT_PTR_NULL(ring_next(c));  /* it has given up to there */
	atomic_store(&p->header->head, 1); /* back */
	CU_ASSERT_PTR_NULL(ring_next(c));
	c->own = 0;
	atomic_store(&p->header->head, 4);
	atomic_store(&p->header->data[0], UINT64_C(0xffffffff) << 32); /* count */
	CU_ASSERT_PTR_NULL(ring_next(c));
	c->own = 0;
	atomic_store(&p->header->data[0], UINT64_C(3) << 32); /* longer than what is there */
	CU_ASSERT_PTR_NULL(ring_next(c));
	c->own = 0;
	for (size_t i = 0; i < p->words; i++)
		atomic_store(&p->header->data[i], UINT64_C(0));
	atomic_store(&p->header->head, p->words);
	while (ring_next(c))
		given++;
	CU_ASSERT_EQUAL(given, (int)p->words / 2);
	ring_free(c);
	ring_free(p);
}

static void what_is_no_ring_is_refused(void)
{
	static uint8_t bytes[sizeof(struct ring_header) + 4096];
	struct ring_header *h = (void *)bytes;
	const struct {
		uint64_t magic, words;
		unsigned seals;
	} cases[] = {{0, 512, F_SEAL_SHRINK | F_SEAL_GROW},
		     {RING_MAGIC, 0, F_SEAL_SHRINK | F_SEAL_GROW},
		     {RING_MAGIC, 511, F_SEAL_SHRINK | F_SEAL_GROW},
		     {RING_MAGIC, 1024, F_SEAL_SHRINK | F_SEAL_GROW},
		     {RING_MAGIC, 512, F_SEAL_GROW},
		     {RING_MAGIC, 512, F_SEAL_SHRINK | F_SEAL_GROW}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int fd = memfd_create("t", MFD_ALLOW_SEALING);

		h->magic = cases[i].magic;
		h->words = cases[i].words;
		CU_ASSERT_EQUAL_FATAL(write(fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
		CU_ASSERT_EQUAL_FATAL(fcntl(fd, F_ADD_SEALS, cases[i].seals), 0);
		struct ring *r = ring_map(fd, 1);
		CU_ASSERT_EQUAL(r != NULL, i == COUNT_OF(cases) - 1);
		ring_free(r);
	}
	CU_ASSERT_PTR_NULL(ring_map(open("/dev/null", O_RDWR), 1));
	CU_ASSERT_PTR_NULL(ring_create(SIZE_MAX));
}

static void two_processes_lose_and_tear_nothing(void)
{
	enum { ROWS = 200000 };
	struct ring *p = ring_create(1 << 14);
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		struct ring *c = other_end(p);
		uint32_t n = 0;
		while (n < ROWS) {
			const struct ring_row *row = ring_next(c);
			if (!row)
				sched_yield();
			else if (!is(row, n, n % 21))
				_exit(1);
			else if (++n % 8 == 0 || n == ROWS)
				ring_done(c);
			if (!row)
				ring_done(c);
		}
		_exit(0);
	}
	for (uint32_t n = 0; n < ROWS && waitpid(child, &status, WNOHANG) == 0;) {
		if (put(p, n, n % 21))
			n++;
		else
			sched_yield();
	}
	if (status == -1)
		waitpid(child, &status, 0);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
	ring_free(p);
}

static void every_message_has_a_shape_and_a_name(void)
{
	CU_ASSERT_STRING_EQUAL(message_name(MSG_READY), "READY");
	CU_ASSERT_STRING_EQUAL(message_name(MSG_GRAPH), "GRAPH");
	CU_ASSERT_STRING_EQUAL(message_name(0), "?");
	CU_ASSERT_STRING_EQUAL(message_name(MSG_TYPE_COUNT), "?");
	CU_ASSERT_STRING_EQUAL(message_name(UINT32_MAX), "?");
	static const unsigned ranges[][2] = {{MSG_READY, MSG_FIRST_CLUSTER},   {MSG_TARGETS_BEGIN, MSG_REFERENCE_ASK},
					     {MSG_SAMPLES, MSG_NODE_FACTS},    {MSG_BMC_TARGETS_BEGIN, MSG_BMC_READ},
					     {MSG_POWER_STATE, MSG_BMC_FACTS}, {MSG_SERIES_ADD, MSG_RECORDER_STATE},
					     {MSG_COMMAND, MSG_GRAPH}};
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		for (unsigned t = ranges[i][0]; t <= ranges[i][1]; t++) {
			CU_ASSERT_STRING_NOT_EQUAL(message_name(t), "?");
		}
	}
	CU_ASSERT_EQUAL(message_shapes[MSG_SAMPLES].element, SAMPLES_UNIT);
	CU_ASSERT_EQUAL(message_shapes[MSG_COMMAND].fixed, sizeof(struct msg_command));
	CU_ASSERT_EQUAL(message_shapes[MSG_COMMAND].element, 1);
}

static const struct unit_test tests[] = {
    {"rows pass in order over many turns", rows_pass_in_order_over_many_turns},
    {"nan stays nan", nan_stays_nan},
    {"a full ring counts what it refuses", a_full_ring_counts_what_it_refuses},
    {"a new consumer goes on where the dead one was", a_new_consumer_goes_on_where_the_dead_one_was},
    {"a lying consumer cannot lead the producer", a_lying_consumer_cannot_lead_the_producer},
    {"a lying producer cannot lead the consumer", a_lying_producer_cannot_lead_the_consumer},
    {"what is no ring is refused", what_is_no_ring_is_refused},
    {"two processes lose and tear nothing", two_processes_lose_and_tear_nothing},
    {"every message has a shape and a name", every_message_has_a_shape_and_a_name},
};

UNIT_MAIN("ring", tests)
