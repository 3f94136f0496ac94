/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swarm's BER reader and writer: round trips, limits, and every cut and every flipped byte of a message. */
#include "tests/lab/swarm/ber.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void test_lengths(void)
{
	const uint8_t fits[] = {0x04, 0x02, 1, 2}, cut[] = {0x04, 0x03, 1, 2}, indefinite[] = {0x30, 0x80, 0, 0},
		      huge[] = {0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0}, five[] = {0x04, 0x85, 0, 0, 0, 0, 1, 7},
		      wide[] = {0x04, 0x83, 0, 0, 1, 7}, multibyte[] = {0x1f, 0x01, 0x00};
	struct ber in, content;
	uint8_t tag;

	in = ber_over(fits, sizeof(fits));
	CU_ASSERT(ber_take(&in, &tag, &content) && tag == 4 && ber_left(content) == 2 && ber_left(in) == 0);
	in = ber_over(wide, sizeof(wide));
	CU_ASSERT(ber_take(&in, &tag, &content) && ber_left(content) == 1 && content.at[0] == 7);
	const struct ber bad[] = {ber_over(cut, sizeof(cut)),
				  ber_over(indefinite, sizeof(indefinite)),
				  ber_over(huge, sizeof(huge)),
				  ber_over(five, sizeof(five)),
				  ber_over(multibyte, sizeof(multibyte)),
				  ber_over(fits, 1),
				  ber_over(fits, 0)};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		in = bad[i];
		CU_ASSERT(!ber_take(&in, &tag, &content));
		CU_ASSERT_EQUAL(in.at, bad[i].at);
	}
}

static void test_integers(void)
{
	static const int64_t numbers[] = {0, 1, -1, 127, 128, -128, -129, 32767, 32768, INT32_MAX, INT32_MIN};
	uint8_t buffer[16];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int32_t back = 7;
		size_t n = ber_put_signed(buffer + 2, numbers[i]);
		struct ber in = ber_over(buffer, n + 2);
		buffer[0] = BER_INTEGER;
		buffer[1] = (uint8_t)n;
		CU_ASSERT(ber_take_int32(&in, &back) && back == numbers[i]);
	}
	CU_ASSERT_EQUAL(ber_put_signed(buffer, 127), 1);
	CU_ASSERT_EQUAL(ber_put_signed(buffer, 128), 2);
	const uint8_t wide[] = {2, 5, 1, 0, 0, 0, 0}, empty[] = {2, 0};
	struct ber in = ber_over(wide, sizeof(wide));
	int32_t v;
	CU_ASSERT(!ber_take_int32(&in, &v));
	in = ber_over(empty, sizeof(empty));
	CU_ASSERT(!ber_take_int32(&in, &v));
}

static void test_unsigned(void)
{
	uint8_t buffer[9];

	for (int bit = 0; bit < 64; bit++) {
		uint64_t v = UINT64_C(1) << bit, back = 0;
		size_t n = ber_put_unsigned(buffer, v);
		CU_ASSERT(ber_unsigned(ber_over(buffer, n), &back) && back == v);
		CU_ASSERT_EQUAL(n, (size_t)bit / 8 + 1 + (bit % 8 == 7));
	}
	const uint8_t negative[] = {0x80}, wide[] = {1, 0, 0, 0, 0, 0, 0, 0, 0};
	uint64_t v;
	CU_ASSERT(!ber_unsigned(ber_over(negative, 1), &v));
	CU_ASSERT(!ber_unsigned(ber_over(wide, sizeof(wide)), &v));
	CU_ASSERT(!ber_unsigned(ber_over(wide, 0), &v));
}

static void test_oid(void)
{
	const uint32_t ids[] = {1, 3, 6, 1, 4, 1, 2021, 11, 50, 0, 4294967295u}, two[] = {2, 999};
	uint8_t buffer[64];
	uint32_t back[16];
	size_t n = ber_put_oid(buffer, sizeof(buffer), ids, 11);

	CU_ASSERT_EQUAL(ber_oid(ber_over(buffer, n), back, 16), 11);
	CU_ASSERT(memcmp(ids, back, sizeof(ids)) == 0);
	CU_ASSERT_EQUAL(ber_oid(ber_over(buffer, n), back, 10), -1);
	CU_ASSERT_EQUAL(ber_oid(ber_over(buffer, n - 1), back, 16), -1);
	CU_ASSERT_EQUAL(ber_put_oid(buffer, n - 1, ids, 11), 0);
	n = ber_put_oid(buffer, sizeof(buffer), two, 2);
	CU_ASSERT(ber_oid(ber_over(buffer, n), back, 16) == 2 && back[0] == 2 && back[1] == 999);
	const uint8_t padded[] = {0x2b, 0x80, 0x01}, wide[] = {0x2b, 0x9f, 0xff, 0xff, 0xff, 0x7f};
	CU_ASSERT_EQUAL(ber_oid(ber_over(padded, sizeof(padded)), back, 16), -1);
	CU_ASSERT_EQUAL(ber_oid(ber_over(wide, sizeof(wide)), back, 16), -1);
	CU_ASSERT_EQUAL(ber_oid(ber_over(padded, 0), back, 16), -1);
	CU_ASSERT(ber_oid_compare(ids, 10, ids, 11) < 0 && ber_oid_compare(ids, 11, ids, 11) == 0 &&
		  ber_oid_compare(two, 2, ids, 11) > 0);
}

static void test_wrap(void)
{
	static uint8_t buffer[70000];
	const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *at = ber_wrap(buffer + 8, BER_SEQUENCE, sizes[i]);
		struct ber in = ber_over(at, (size_t)(buffer + 8 - at) + sizes[i]), content;
		CU_ASSERT(ber_expect(&in, BER_SEQUENCE, &content) && ber_left(content) == sizes[i] &&
			  ber_left(in) == 0);
		CU_ASSERT_EQUAL(content.at, buffer + 8);
	}
}

/* Walks everything that can be walked; every step must stay inside the buffer and come to an end. */
static unsigned walk(struct ber in, const uint8_t *low, const uint8_t *high, int depth)
{
	struct ber content;
	unsigned steps = 0;
	uint32_t ids[BER_OID_MAX];
	uint64_t v;
	uint8_t tag;

	while (ber_left(in) > 0 && ber_take(&in, &tag, &content)) {
		steps++;
		CU_ASSERT_FATAL(content.at >= low && content.end <= high && content.at <= content.end);
		if (tag == BER_OID)
			ber_oid(content, ids, BER_OID_MAX);
		ber_unsigned(content, &v);
		if (tag & 0x20 && depth < 16)
			steps += walk(content, low, high, depth + 1);
	}
	return steps;
}

static void test_mutations(void)
{
	static const uint8_t message[] = {0x30, 0x26, 2,    1, 1, 4, 3, 'l', 'a', 'b', 0xa0, 0x1c, 2,    4,
					  0x40, 0,    0,    1, 2, 1, 0, 2,   1,   0,   0x30, 0x0e, 0x30, 0x0c,
					  6,    8,    0x2b, 6, 1, 2, 1, 1,   3,   0,   5,    0};
	uint8_t *copy = NULL;

	CU_ASSERT_EQUAL(walk(ber_over(message, sizeof(message)), message, message + sizeof(message), 0), 11);
	for (size_t cut = 0; cut <= sizeof(message); cut++) {
		copy = malloc(cut + 1); /* its own allocation, so that the sanitizer sees one byte too far */
		memcpy(copy, message, cut);
		walk(ber_over(copy, cut), copy, copy + cut, 0);
		free(copy);
	}
	copy = malloc(sizeof(message));
	for (size_t at = 0; at < sizeof(message); at++)
		for (unsigned v = 0; v < 256; v++) {
			memcpy(copy, message, sizeof(message));
			copy[at] = (uint8_t)v;
			walk(ber_over(copy, sizeof(message)), copy, copy + sizeof(message), 0);
		}
	free(copy);
}

static const struct unit_test tests[] = {
	{"lengths", test_lengths}, {"integers", test_integers}, {"unsigned", test_unsigned},
	{"oid", test_oid},         {"wrap", test_wrap},         {"mutations", test_mutations},
};

UNIT_MAIN("swarm_ber", tests)
