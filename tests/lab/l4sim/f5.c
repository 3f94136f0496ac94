/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A BIG-IP: pool /Common/web with members on port 80, four of them from 10.1.0.1 on unless the knobs say another thing; new sessions can be allowed
 * and refused, nothing else. */
#include <stdio.h>
#include <string.h>

#include "tests/lab/l4sim/sim.h"

static struct sim_oid entry;

static size_t text_index(oid *out, const char *text)
{
	size_t n = 0;

	out[n++] = strlen(text);
	for (; *text; text++)
		out[n++] = (oid)(unsigned char)*text;
	return n;
}

static void put(oid column, const oid *index, size_t length, long number)
{
	struct sim_oid name = sim_row(&entry, column, index, length);

	cells_put_number(&sim_cells, &name, ASN_INTEGER, number);
}

static void begin(void)
{
	char node[32];

	entry = sim_oid("1.3.6.1.4.1.3375.2.2.5.3.2.1");
	for (long n = 1; n <= knobs.members && n < 255; n++) {
		oid index[SIM_OID];
		uint8_t address[] = {(uint8_t)(knobs.network >> 16), (uint8_t)(knobs.network >> 8), (uint8_t)knobs.network, (uint8_t)n};

		snprintf(node, sizeof node, "/Common/%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
		size_t length = text_index(index, "/Common/web");
		length += text_index(index + length, node);
		index[length++] = 80;
		struct sim_oid name = sim_row(&entry, 3, index, length);
		cells_put(&sim_cells, &name, ASN_OCTET_STR, address, 4);
		put(10, index, length, 4);
		put(12, index, length, 2);
		put(13, index, length, 1);
	}
}

static int check(const struct sim_set *sets, size_t count, size_t *at)
{
	for (*at = 0; *at < count; ++*at) {
		oid column;
		const oid *index;
		size_t length;

		if (!sim_column(&sets[*at].name, &entry, &column, &index, &length) || column != 12)
			return SNMP_ERR_NOTWRITABLE;
		if (!cells_find(&sim_cells, &sets[*at].name))
			return SNMP_ERR_NOCREATION;
		if (sets[*at].number != 1 && sets[*at].number != 2)
			return SNMP_ERR_WRONGVALUE;
	}
	return SNMP_ERR_NOERROR;
}

static void commit(const struct sim_set *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		oid column;
		const oid *index;
		size_t length;

		sim_column(&sets[i].name, &entry, &column, &index, &length);
		put(12, index, length, sets[i].number);
		put(13, index, length, sets[i].number == 2 ? 1 : 4);
	}
}

static void tick(int64_t now)
{
	(void)now;
}

const struct family family_f5 = {"f5", "1.3.6.1.4.1.3375.2.2", begin, check, commit, tick};
