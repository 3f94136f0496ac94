/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the BER reader and writer: every length form, every integer size, and what a hostile sender would send. */
#include "mibs/snmp/ber.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct ber whole(const uint8_t *bytes, size_t size)
{
	return (struct ber){bytes, bytes + size};
}

static void lengths(void)
{
	static const struct {
		uint8_t bytes[12];
		size_t size;
		bool good;
		size_t content;
	} cases[] = {
	    {{4, 2, 'a', 'b'}, 4, true, 2},
	    {{4, 0}, 2, true, 0},
	    {{4, 0x81, 2, 'a', 'b'}, 5, true, 2},
	    {{4, 0x82, 0, 2, 'a', 'b'}, 6, true, 2},
	    {{4, 0x84, 0, 0, 0, 2, 'a', 'b'}, 8, true, 2},
	    {{4, 0x88, 0, 0, 0, 0, 0, 0, 0, 1}, 10, false, 0},
	    {{4, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 11, true, 0},
	    {{4, 0x80, 'a', 0, 0}, 5, false, 0},
	    {{4, 3, 'a', 'b'}, 4, false, 0},
	    {{4}, 1, false, 0},
	    {{4, 0x82, 0}, 3, false, 0},
	    {{4, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 10, false, 0},
	    {{0x1f, 1, 0}, 3, false, 0},
	    {{4, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 11, false, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ber in = whole(cases[i].bytes, cases[i].size), content;
		uint8_t type;
		bool good = ber_any(&in, &type, &content);
		CU_ASSERT_EQUAL(good, cases[i].good);
		if (good) {
			CU_ASSERT_EQUAL(type, 4);
			CU_ASSERT_EQUAL(ber_left(&content), cases[i].content);
			CU_ASSERT_EQUAL(ber_left(&in), 0);
		}
	}
}

static void signed_numbers(void)
{
	static const struct {
		uint8_t bytes[10];
		size_t size;
		bool good;
		int64_t value;
	} cases[] = {
	    {{0}, 1, true, 0},
	    {{0x7f}, 1, true, 127},
	    {{0x80}, 1, true, -128},
	    {{0xff}, 1, true, -1},
	    {{0xff, 0xff}, 2, true, -1},
	    {{0, 0x80}, 2, true, 128},
	    {{0x80, 0, 0, 0}, 4, true, INT32_MIN},
	    {{0, 0, 0, 0, 0, 0, 0, 0, 5}, 9, true, 5},
	    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfb}, 9, true, -5},
	    {{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, true, INT64_MAX},
	    {{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9, false, 0},
	    {{0}, 0, false, 0},
	    {{1, 0, 0, 0, 0, 0, 0, 0, 0}, 9, false, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t value = 4711;
		CU_ASSERT_EQUAL(ber_signed_value(whole(cases[i].bytes, cases[i].size), &value), cases[i].good);
		if (cases[i].good)
			CU_ASSERT_EQUAL(value, cases[i].value);
	}
}

static void unsigned_numbers(void)
{
	static const struct {
		uint8_t bytes[10];
		size_t size;
		bool good;
		uint64_t value;
	} cases[] = {
	    {{0}, 1, true, 0},
	    {{0xff}, 1, true, 255},
	    {{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9, true, UINT64_MAX},
	    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, true, UINT64_MAX},
	    {{0, 0x80, 0, 0, 0}, 5, true, 0x80000000u},
	    {{1, 0, 0, 0, 0, 0, 0, 0, 0}, 9, false, 0},
	    {{0}, 0, false, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t value = 4711;
		CU_ASSERT_EQUAL(ber_unsigned_value(whole(cases[i].bytes, cases[i].size), &value), cases[i].good);
		if (cases[i].good)
			CU_ASSERT_EQUAL(value, cases[i].value);
	}
}

static void names(void)
{
	static const uint8_t sysuptime[] = {0x2b, 6, 1, 2, 1, 1, 3, 0}, big[] = {0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f},
			     over[] = {0x2b, 0x9f, 0xff, 0xff, 0xff, 0x7f}, open[] = {0x2b, 0x86};
	static const uint32_t expect[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
	uint32_t out[16];

	CU_ASSERT_EQUAL(ber_oid_value(whole(sysuptime, sizeof sysuptime), out, 16), 9);
	CU_ASSERT(memcmp(out, expect, sizeof expect) == 0);
	CU_ASSERT_EQUAL(ber_oid_value(whole(sysuptime, sizeof sysuptime), out, 8), 0);
	CU_ASSERT_EQUAL(ber_oid_value(whole(big, sizeof big), out, 16), 3);
	CU_ASSERT_EQUAL(out[2], UINT32_MAX);
	CU_ASSERT_EQUAL(ber_oid_value(whole(over, sizeof over), out, 16), 0);
	CU_ASSERT_EQUAL(ber_oid_value(whole(open, sizeof open), out, 16), 0);
	CU_ASSERT_EQUAL(ber_oid_value(whole(open, 0), out, 16), 0);
}

static void writes_what_it_reads(void)
{
	static const int64_t numbers[] = {0,   1,     -1,        127,       128,       -128,      -129,
					  255, 65535, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 0x40000000};
	uint8_t buffer[70000], zeros[66000] = {0};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct ber_out out = {buffer, buffer + 64, false};
		ber_put_integer(&out, numbers[i]);
		struct ber in = {out.at, buffer + 64};
		int64_t back = 0;
		CU_ASSERT(!out.full && ber_integer(&in, &back));
		CU_ASSERT_EQUAL(back, numbers[i]);
		CU_ASSERT_EQUAL(ber_left(&in), 0);
	}
	for (size_t size = 0; size < 66000; size += size < 300 ? 1 : 997) {
		struct ber_out out = {buffer, buffer + sizeof buffer, false};
		ber_put_octets(&out, zeros, size);
		struct ber in = {out.at, buffer + sizeof buffer}, content;
		if (size > 0xffff) {
			CU_ASSERT(out.full);
			continue;
		}
		CU_ASSERT(!out.full && ber_take(&in, BER_OCTETS, &content));
		CU_ASSERT_EQUAL(ber_left(&content), size);
	}
}

static void a_full_buffer_is_noticed(void)
{
	uint8_t buffer[8];
	struct ber_out out = {buffer, buffer + sizeof buffer, false};

	ber_put(&out, "1234567", 7);
	CU_ASSERT_FALSE(out.full);
	ber_put_integer(&out, 5);
	CU_ASSERT(out.full);
	ber_put(&out, "", 0);
	CU_ASSERT(out.full);
}

static void ids_have_four_bytes(void)
{
	uint8_t buffer[16];
	struct ber_out out = {buffer, buffer + sizeof buffer, false};
	int64_t id;

	ber_put_id(&out, 0x40000001);
	struct ber in = {out.at, buffer + sizeof buffer};
	CU_ASSERT_EQUAL(ber_left(&in), 6);
	CU_ASSERT(ber_integer_in(&in, 0, INT32_MAX, &id) && id == 0x40000001);
}

int main(void)
{
	static const struct unit_test tests[] = {
	    {"lengths", lengths},
	    {"signed numbers", signed_numbers},
	    {"unsigned numbers", unsigned_numbers},
	    {"names", names},
	    {"writes what it reads", writes_what_it_reads},
	    {"a full buffer is noticed", a_full_buffer_is_noticed},
	    {"ids have four bytes", ids_have_four_bytes},
	};
	return unit_run("ber", tests, sizeof tests / sizeof tests[0]);
}
