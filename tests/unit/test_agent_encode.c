/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's own encoder against libsnmp's reader: names of every column, numbers at their edges, texts of every length, lists that
 * are too short. And whatever respond_parse() takes, byte by byte shorter. */
#include "mibs/agent/encode.h"
#include "mibs/agent/respond.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* One varbind of the list, read by the library. */
static void read_back(uint8_t *bytes, size_t size, const mib_arc *name, size_t length, struct cell *cell)
{
	oid got[MAX_OID_LEN];
	size_t got_length = MAX_OID_LEN, left = size, value_size;
	u_char type, *value;

	CU_ASSERT_PTR_NOT_NULL_FATAL(snmp_parse_var_op(bytes, got, &got_length, &type, &value_size, &value, &left));
	CU_ASSERT_EQUAL(left, 0);
	CU_ASSERT_EQUAL(type, cell->asn);
	CU_ASSERT_EQUAL_FATAL(got_length, length);
	CU_ASSERT_EQUAL(memcmp(got, name, length * sizeof *name), 0);
	size_t room = (size_t)(bytes + size - value); /* value begins with its tag */
	long number = 0;
	struct counter64 wide;
	switch (cell->asn) {
	case ASN_INTEGER:
		CU_ASSERT_PTR_NOT_NULL(asn_parse_int(value, &room, &type, &number, sizeof number));
		CU_ASSERT_EQUAL(number, cell->value.integer);
		break;
	case ASN_GAUGE:
		CU_ASSERT_PTR_NOT_NULL(asn_parse_unsigned_int(value, &room, &type, (u_long *)&number, sizeof number));
		CU_ASSERT_EQUAL(number, cell->value.integer);
		break;
	case ASN_COUNTER64:
		CU_ASSERT_PTR_NOT_NULL(asn_parse_unsigned_int64(value, &room, &type, &wide, sizeof wide));
		CU_ASSERT_EQUAL(wide.high, cell->value.wide.high);
		CU_ASSERT_EQUAL(wide.low, cell->value.wide.low);
		break;
	default:
		CU_ASSERT_EQUAL_FATAL(value_size, cell->size);
		CU_ASSERT_EQUAL(memcmp(bytes + size - cell->size, cell->value.bytes, cell->size), 0);
	}
}

static void one_cell(const struct mib_place *place, struct cell *cell)
{
	struct encode_column column = {.column = NULL};
	uint8_t name[ENCODE_NAME_MAX], room[CELL_BYTES_MAX + 300];
	mib_arc arcs[MIB_OID_MAX];
	size_t size = encode_name(&column, place, name), length = mib_name(place, arcs);
	struct encode_list list = {.at = room, .end = room + sizeof room};

	CU_ASSERT_TRUE_FATAL(encode_cell(&list, name, size, cell));
	size_t used = (size_t)(list.at - room);
	read_back(room, used, arcs, length, cell);
	for (size_t less = 0; less < used; less++) { /* it fits whole or not at all */
		uint8_t *small = malloc(less ? less : 1);
		struct encode_list tight = {.at = small, .end = small + less};
		CU_ASSERT_FALSE(encode_cell(&tight, name, size, cell));
		CU_ASSERT_TRUE(tight.full && tight.at == small);
		free(small);
	}
}

static void names_and_numbers(void)
{
	static const long numbers[] = {0, 1, 127, 128, 255, 256, 32767, 32768, 8388608, INT32_MAX, -1, -128, -129, -32769, INT32_MIN};
	static const uint64_t keys[] = {0, 126, 127, 128, 16383, UINT64_C(0xffff) << 16 | 0x7f, UINT64_C(0x1234567) << 32 | 0x80000};

	for (size_t t = 0; t < mib_table_count; t++)
		for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
			const struct mib_table *table = &mib_tables[t];
			struct mib_place place = {table, &table->columns[k % table->column_count], table->part_count ? keys[k] : 0};
			for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
				struct cell c = {.asn = ASN_INTEGER, .value.integer = numbers[i]};
				one_cell(&place, &c);
				c.asn = ASN_GAUGE;
				c.value.integer &= UINT32_MAX;
				one_cell(&place, &c);
			}
		}
}

static void counters_and_texts(void)
{
	static const uint64_t counters[] = {0, 127, 128, UINT32_MAX, UINT64_C(1) << 62, UINT64_C(1) << 63, UINT64_MAX};
	struct mib_place place = {&mib_tables[4], &mib_tables[4].columns[0], 0};

	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		struct cell c = {.asn = ASN_COUNTER64, .value.wide = {counters[i] >> 32, counters[i] & UINT32_MAX}};
		one_cell(&place, &c);
	}
	for (size_t size = 0; size <= CELL_BYTES_MAX; size++) {
		struct cell c = {.asn = ASN_OCTET_STR, .size = size};
		memset(c.value.bytes, (int)size, size);
		one_cell(&place, &c);
	}
}

static void requests_cut_short(void)
{
	static const uint8_t pdu[] = {0xa5, 0x1c, 2, 4, 0x40, 0, 0, 1, 2, 1, 1, 2, 1, 50, 0x30, 14, 0x30, 5, 6, 1, 0x2b, 5, 0, 0x30, 5, 6, 1, 0x2b, 5, 0};
	struct respond_request r;

	CU_ASSERT_TRUE(respond_parse((struct ber){pdu, pdu + sizeof pdu}, &r));
	CU_ASSERT_EQUAL(r.id, 0x40000001);
	CU_ASSERT_EQUAL(r.non_repeaters, 1);
	CU_ASSERT_EQUAL(r.max_repetitions, 50);
	for (size_t size = 0; size < sizeof pdu; size++) {
		uint8_t *copy = malloc(size ? size : 1);
		memcpy(copy, pdu, size);
		CU_ASSERT_FALSE(respond_parse((struct ber){copy, copy + size}, &r));
		free(copy);
	}
}

static const struct unit_test tests[] = {
	{"names and numbers", names_and_numbers},
	{"counters and texts", counters_and_texts},
	{"requests cut short", requests_cut_short},
};
UNIT_MAIN("agent encode", tests)
