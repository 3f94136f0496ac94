/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swarm's outermost entries (SNMP, echo, RMCP) under cut, changed and random datagrams: it must live, and count
 * them as garbage. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/swarm/agent.h"
#include "tests/lab/swarm/bmc.h"
#include "tests/lab/swarm/bmc_private.h"
#include "tests/lab/swarm/net.h"
#include "tests/unit/unit.h"

static struct swarm swarm;
static uint32_t state = 1;

/* No sockets: answers are built and go nowhere. */
static void start(void)
{
	swarm = (struct swarm){.agents = 4,
			       .bmcs = 4,
			       .agents_net = 0x0a800000,
			       .bmcs_net = 0x0a810000,
			       .seed = 1,
			       .interval_ms = 1000,
			       .max_size = 1472,
			       .now_ms = 1000000000,
			       .community = "lab",
			       .v3_user = "glory",
			       .bmc_user = "operator",
			       .v3_auth = "auth-pass-phrase",
			       .v3_priv = "priv-pass-phrase",
			       .bmc_password = "secret"};
	CU_ASSERT_FATAL(swarm_start(&swarm) == 0);
	CU_ASSERT_FATAL(agent_v3_start(&swarm, 0, 4) == 0);
	CU_ASSERT_FATAL(net_open(&swarm, 0, 0, false) == 0);
}

static void stop(void)
{
	net_close(&swarm);
	swarm_stop(&swarm);
}

static uint32_t next_random(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

/* Hands a copy of its own allocation to a handler, so that the sanitizer sees a byte too far. */
static void deliver(enum port_kind port, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + (size == 0));
	struct packet packet = {
	    copy, size, {.sin_family = AF_INET}, {htonl(port == PORT_BMC ? 0x0a810001 : 0x0a800001)}, port};

	memcpy(copy, data, size);
	if (port == PORT_BMC)
		bmc_handle(&swarm, &packet);
	else if (port == PORT_SNMP)
		agent_handle(&swarm, &packet);
	else if (size >= 8)
		agent_echo(&swarm, &packet);
	free(copy);
}

static void torture(enum port_kind port, const uint8_t *data, size_t size)
{
	uint8_t changed[600];

	for (size_t cut = 0; cut <= size; cut++)
		deliver(port, data, cut);
	for (size_t at = 0; at < size; at++)
		for (unsigned v = 0; v < 256; v += 5) {
			memcpy(changed, data, size);
			changed[at] = (uint8_t)v;
			deliver(port, changed, size);
		}
	for (int i = 0; i < 3000; i++) {
		memcpy(changed, data, size);
		for (int n = 0; n < 4; n++)
			changed[next_random() % size] = (uint8_t)next_random();
		deliver(port, changed, 1 + next_random() % size);
	}
}

static void test_snmp(void)
{
	static const uint8_t v2[] = {0x30, 0x26, 2,    1, 1, 4, 3, 'l', 'a', 'b', 0xa0, 0x1c, 2,    4,
				     0x40, 0,    0,    1, 2, 1, 0, 2,   1,   0,   0x30, 0x0e, 0x30, 0x0c,
				     6,    8,    0x2b, 6, 1, 2, 1, 1,   3,   0,   5,    0};
	uint8_t v3[] = {0x30, 0x3e, 2, 1,    3,    0x30, 0x10, 2, 3, 1,    2, 3, 2, 3, 0, 0xff, 0xe3, 4, 1, 4,    2,
			1,    3,    4, 0x10, 0x30, 0x0e, 4,    0, 2, 1,    0, 2, 1, 0, 4, 0,    4,    0, 4, 0,    0x30,
			0x14, 4,    0, 4,    0,    0xa0, 0x0e, 2, 4, 0x40, 0, 0, 1, 2, 1, 0,    2,    1, 0, 0x30, 0};

	start();
	uint64_t reports = swarm.sums.v3_reports;
	v3[1] = sizeof(v3) - 2;
	deliver(PORT_SNMP, v3, sizeof(v3));
	CU_ASSERT_EQUAL(swarm.sums.v3_reports, reports + 1);
	deliver(PORT_SNMP, v2, sizeof(v2));
	CU_ASSERT_EQUAL(swarm.sums.heartbeats, 1);
	torture(PORT_SNMP, v2, sizeof(v2));
	torture(PORT_SNMP, v3, sizeof(v3));
	CU_ASSERT(swarm.sums.garbage > 5000);
	stop();
}

static void test_echo(void)
{
	static const uint8_t echo[] = {8, 0, 0xb4, 0xc2, 0x12, 0x34, 0, 1, 'a', 'b', 'c', 'd', 'e', 'f'};

	start();
	torture(PORT_ECHO, echo, sizeof(echo));
	CU_ASSERT(swarm.sums.garbage > 0);
	stop();
}

static void test_bmc(void)
{
	uint8_t open[48] = {6, 0, 0xff, 7, 6, 0x10, [14] = 32, [16] = 1, [20] = 0xa4, 0xa3, 0xa2, 0xa0, 0, 0, 0, 8, 3,
			    0, 0, 0,    1, 0, 0,    8,         4,        0,           0,    0,    2,    0, 0, 8, 1};
	uint8_t rakp1[52] = {
	    6, 0, 0xff, 7, 6, 0x12, [14] = 36, [16] = 2, [40] = 0x14, [43] = 8, 'o', 'p', 'e', 'r', 'a', 't', 'o', 'r'};
	uint8_t rakp3[56] = {6, 0, 0xff, 7, 6, 0x14, [14] = 40, [16] = 3};
	uint8_t packet[90] = {6, 0, 0xff, 7, 6, 0xc0, [14] = 32, [48] = 0xff, 0xff, 2, 7};
	static const uint8_t old[] = {6, 0, 0xff, 7,    0,    0,    0, 0,    0,    0, 0,   0,
				      0, 9, 0x20, 0x18, 0xc8, 0x81, 0, 0x38, 0x8e, 4, 0xb5};

	start();
	deliver(PORT_BMC, open, sizeof(open));
	CU_ASSERT_EQUAL_FATAL(swarm.bmc[0].session[0].state, SESSION_OPENED);
	memcpy(rakp1 + 20, &swarm.bmc[0].session[0].id, 4);
	memcpy(rakp3 + 20, &swarm.bmc[0].session[0].id, 4);
	memcpy(packet + 6, &swarm.bmc[0].session[0].id, 4);
	deliver(PORT_BMC, rakp1, sizeof(rakp1));
	CU_ASSERT_EQUAL_FATAL(swarm.bmc[0].session[0].state, SESSION_RAKP2);
	deliver(PORT_BMC, rakp3, sizeof(rakp3));
	CU_ASSERT_EQUAL(swarm.bmc[0].session[0].state, SESSION_FREE);
	CU_ASSERT_EQUAL(swarm.bmc[0].established, 0);
	torture(PORT_BMC, open, sizeof(open));
	torture(PORT_BMC, rakp1, sizeof(rakp1));
	torture(PORT_BMC, old, sizeof(old));
	swarm.bmc[0].session[0].state = SESSION_ACTIVE;
	memcpy(packet + 6, &swarm.bmc[0].session[0].id, 4);
	torture(PORT_BMC, packet, sizeof(packet));
	memcpy(rakp3 + 20, &swarm.bmc[0].session[0].id, 4);
	torture(PORT_BMC, rakp3, sizeof(rakp3));
	CU_ASSERT(swarm.sums.bmc_garbage > 1000);
	CU_ASSERT_EQUAL(swarm.bmc[0].established, 0);
	CU_ASSERT_EQUAL(swarm.sums.power_commands, 0);
	stop();
}

static const struct unit_test tests[] = {{"snmp", test_snmp}, {"echo", test_echo}, {"bmc", test_bmc}};

UNIT_MAIN("swarm_hostile", tests)
