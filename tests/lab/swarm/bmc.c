/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMCs: takes RMCP packets apart, keeps account of requests at once, carries out power actions when they are due.
 */
#include "tests/lab/swarm/bmc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/swarm/agent.h"
#include "tests/lab/swarm/bmc_session.h"
#include "tests/lab/swarm/count.h"
#include "tests/lab/swarm/tcp.h"

enum {
	RMCP_VERSION = 6,
	CLASS_ASF = 6,
	CLASS_IPMI = 7,
	AUTH_NONE = 0,
	AUTH_RMCPP = 6,
	OLD_HEADER = 14,
	CYCLE_OFF_MS = 1000
};
enum { SENSOR_POWER_UNIT = 0x09, RESTART_BY_COMMAND = 1, RESTART_BY_BUTTON = 3 };

static unsigned works; /* BMCs with a planned power action */

static void sent(struct swarm *swarm, uint32_t owner)
{
	swarm->bmc[owner - 1].pending--;
}

int bmc_start(struct swarm *swarm)
{
	swarm->bmc = calloc(swarm->bmcs ? swarm->bmcs : 1, sizeof(*swarm->bmc));
	if (!swarm->bmc) {
		fprintf(stderr, "swarm: no memory for %u bmcs, ask for fewer\n", swarm->bmcs);
		return -1;
	}
	works = 0;
	for (unsigned i = 0; i < swarm->bmcs; i++) {
		struct bmc *b = &swarm->bmc[i];
		uint32_t seed = htonl(swarm->seed), number = htonl(i);
		memcpy(b->guid, "glory-cl", 8);
		memcpy(b->guid + 8, &seed, 4);
		memcpy(b->guid + 12, &number, 4);
		b->on = true;
		b->restart_cause = RESTART_BY_BUTTON;
		b->sel_erased = 0x5f000000;
	}
	return 0;
}

void bmc_stop(struct swarm *swarm)
{
	free(swarm->bmc);
	swarm->bmc = NULL;
}

struct knobs *bmc_knobs(struct swarm *swarm, unsigned bmc)
{
	return &swarm->bmc[bmc].knobs;
}

void bmc_count_reset(struct swarm *swarm)
{
	for (unsigned i = 0; i < swarm->bmcs; i++) {
		struct bmc *b = &swarm->bmc[i];
		b->max_pending = b->max_sessions = b->established = b->commands = b->power_commands = 0;
	}
}

void bmc_forget(struct swarm *swarm, unsigned bmc)
{
	memset(swarm->bmc[bmc].session, 0, sizeof(swarm->bmc[bmc].session));
}

void bmc_power(struct swarm *swarm, unsigned number, bool on)
{
	struct bmc *b = &swarm->bmc[number];

	if (b->on == on)
		return;
	b->on = on;
	bmc_sel_add(b, SENSOR_POWER_UNIT, 0, !on);
	if (number >= swarm->agents)
		return;
	swarm->agent[number].off = !on;
	tcp_update(swarm, number);
	count_exclude(&swarm->agent[number]);
	if (on)
		agent_reboot(swarm, number);
}

void bmc_power_plan(struct swarm *swarm, struct bmc *bmc, enum power_work work)
{
	works += bmc->work == POWER_NOTHING && work != POWER_NOTHING;
	works -= bmc->work != POWER_NOTHING && work == POWER_NOTHING;
	bmc->work = work;
	bmc->work_ms = swarm->now_ms + bmc->knobs.power_ms;
	bmc->restart_cause = RESTART_BY_COMMAND;
}

static void carry_out(struct swarm *swarm, unsigned number)
{
	struct bmc *b = &swarm->bmc[number];
	enum power_work work = b->work;

	b->work = POWER_NOTHING;
	works--;
	b->last_on_by_command = work != POWER_OFF;
	if (work != POWER_ON)
		bmc_power(swarm, number, false);
	if (work == POWER_CYCLE) {
		b->work = POWER_ON;
		b->work_ms = swarm->now_ms + CYCLE_OFF_MS;
		works++;
	} else if (work != POWER_OFF) {
		bmc_power(swarm, number, true);
	}
}

int bmc_run_due(struct swarm *swarm)
{
	int64_t next_ms = INT64_MAX;

	for (unsigned i = 0, left = works; left > 0 && i < swarm->bmcs; i++) {
		struct bmc *b = &swarm->bmc[i];
		if (b->work == POWER_NOTHING)
			continue;
		left--;
		if (b->work_ms <= swarm->now_ms)
			carry_out(swarm, i);
		if (b->work != POWER_NOTHING && b->work_ms < next_ms)
			next_ms = b->work_ms;
	}
	return next_ms == INT64_MAX ? -1 : next_ms > swarm->now_ms ? (int)(next_ms - swarm->now_ms) : 0;
}

void bmc_show(const struct swarm *swarm, unsigned bmc, char *out, size_t size)
{
	const struct bmc *b = &swarm->bmc[bmc];
	unsigned open = 0;

	for (unsigned i = 0; i < SESSIONS; i++)
		open += b->session[i].state != SESSION_FREE;
	snprintf(
	    out, size,
	    "on %d sessions %u max_sessions %u established %u commands %u power_commands %u max_requests %u sel %u",
	    b->on, open, b->max_sessions, b->established, b->commands, b->power_commands, b->max_pending, b->sel_count);
}

/* --- packets
 * ------------------------------------------------------------------------------------------------------------ */

static uint8_t checksum(const uint8_t *p, size_t n)
{
	unsigned sum = 0;

	while (n-- > 0)
		sum += *p++;
	return (uint8_t)(0x100 - (sum & 0xff));
}

/* Carries out an IPMI message (13.8) and writes the response message; its size, 0 when the request is malformed. */
static size_t answer_message(struct command *c, const uint8_t *in, size_t size, uint8_t *out)
{
	uint8_t code;

	if (size < 7 || checksum(in, 2) != in[2] || checksum(in + 3, size - 4) != in[size - 1])
		return 0;
	c->data = in + 6;
	c->size = size - 7;
	c->bmc->commands++;
	c->swarm->sums.bmc_commands++;
	if (c->session && in[5] != 0x3b && in[5] != 0x3c && swarm_chance(c->swarm, c->bmc->knobs.busy)) {
		code = CC_BUSY;
		c->out_size = 0;
	} else {
		code = bmc_command(c, in[1] >> 2, in[5]);
	}
	memcpy(out, (uint8_t[]){in[3], (uint8_t)(in[1] | 4), 0, in[0], in[4], in[5], code}, 7);
	out[1] = (uint8_t)((in[1] & 0xfc) | 4 | (in[4] & 3));
	out[2] = checksum(out, 2);
	memcpy(out + 7, c->out, c->out_size);
	out[7 + c->out_size] = checksum(out + 3, 4 + c->out_size);
	return 8 + c->out_size;
}

/* One request in hand. */
struct request {
	struct swarm *swarm;
	struct bmc *bmc;
	unsigned number;
	const struct packet *packet;
};

/* Notes the request among those not answered yet; the highest number at once is what the report shows. */
static void begin(struct request *r, uint32_t key)
{
	bool repeat = key == r->bmc->pending_key;

	r->bmc->pending_key = key;
	r->bmc->pending++;
	if (repeat) {
		r->swarm->sums.bmc_repeats++;
		return;
	}
	if (r->bmc->pending > r->bmc->max_pending)
		r->bmc->max_pending = r->bmc->pending;
	if (r->bmc->pending > r->swarm->sums.max_requests_per_bmc)
		r->swarm->sums.max_requests_per_bmc = r->bmc->pending;
}

static void finish(struct request *r, const uint8_t *data, size_t size)
{
	if (size == 0) {
		r->bmc->pending--;
		r->swarm->sums.bmc_garbage++;
		return;
	}
	net_reply(r->swarm, r->packet, data, size, &r->bmc->knobs, r->number + 1);
}

/* A message outside a session, in the form of IPMI 1.5. */
static void old_message(struct request *r)
{
	const uint8_t *in = r->packet->data;
	size_t size = r->packet->size;
	struct command c = {.swarm = r->swarm, .number = r->number, .bmc = r->bmc};
	uint8_t *out = net_slot(r->swarm, PORT_BMC);

	if (size < OLD_HEADER || memcmp(in + 9, "\0\0\0\0", 4) != 0 || size < (size_t)OLD_HEADER + in[13]) {
		r->swarm->sums.bmc_garbage++;
		return;
	}
	begin(r, (uint32_t)in[size - 3] << 8 | 1);
	size = answer_message(&c, in + OLD_HEADER, in[13], out + OLD_HEADER);
	memcpy(out, (uint8_t[]){RMCP_VERSION, 0, 0xff, CLASS_IPMI, AUTH_NONE}, 5);
	memset(out + 5, 0, 8);
	out[13] = (uint8_t)size;
	finish(r, out, size ? OLD_HEADER + size : 0);
}

static size_t put_header(uint8_t *out, uint8_t payload_type, size_t size)
{
	memset(out, 0, HEADER_SIZE);
	memcpy(out, (uint8_t[]){RMCP_VERSION, 0, 0xff, CLASS_IPMI, AUTH_RMCPP, payload_type}, 6);
	out[14] = (uint8_t)size;
	out[15] = (uint8_t)(size >> 8);
	return HEADER_SIZE + size;
}

static void sessionless_message(struct request *r, const uint8_t *in, size_t size)
{
	struct command c = {.swarm = r->swarm, .number = r->number, .bmc = r->bmc};
	uint8_t *out = net_slot(r->swarm, PORT_BMC);

	begin(r, (size > 4 ? (uint32_t)in[4] << 8 : 0) | 2);
	size = answer_message(&c, in, size, out + HEADER_SIZE);
	finish(r, out, size ? put_header(out, PAYLOAD_IPMI, size) : 0);
}

static void handshake(struct request *r, uint8_t type, const uint8_t *in, size_t size)
{
	struct handshake h = {.size = 0};
	uint8_t *out = net_slot(r->swarm, PORT_BMC);
	uint32_t key = type;

	for (size_t i = 0; i < size; i++)
		key = (key ^ in[i]) * 16777619u;
	begin(r, key);
	if (type == PAYLOAD_OPEN)
		session_open(r->swarm, r->bmc, r->packet, in, size, &h);
	else if (type == PAYLOAD_RAKP1)
		session_rakp1(r->swarm, r->bmc, in, size, &h);
	else
		session_rakp3(r->swarm, r->bmc, in, size, &h);
	if (h.size == 0 || (type == PAYLOAD_RAKP3 && r->bmc->knobs.stop_rakp)) {
		r->bmc->pending--;
		return;
	}
	if (h.code_size && swarm_chance(r->swarm, r->bmc->knobs.bad_hmac))
		h.out[h.code_at] ^= 0x55;
	memcpy(out + HEADER_SIZE, h.out, h.size);
	finish(r, out, put_header(out, type + 1, h.size));
}

static void session_message(struct request *r, uint32_t id)
{
	struct command c = {.swarm = r->swarm, .number = r->number, .bmc = r->bmc};
	uint8_t message[PAYLOAD_MAX], answer[PAYLOAD_MAX], *out = net_slot(r->swarm, PORT_BMC);
	int size;

	c.session = session_find(r->bmc, id, SESSION_ACTIVE);
	if (!c.session || r->bmc->knobs.stop_rakp) {
		r->swarm->sums.bmc_garbage += !c.session;
		return;
	}
	size = session_unwrap(c.session, r->packet->data, r->packet->size, message);
	if (size < 7) {
		r->swarm->sums.bmc_garbage++;
		return;
	}
	c.session->used_ms = r->swarm->now_ms;
	begin(r, id << 16 ^ ((uint32_t)message[5] << 8 | message[4]));
	size = (int)answer_message(&c, message, (size_t)size, answer);
	size = size ? (int)session_wrap(r->swarm, c.session, answer, (size_t)size, out) : 0;
	if (size && swarm_chance(r->swarm, r->bmc->knobs.bad_hmac))
		out[size - 1] ^= 0x55;
	finish(r, out, (size_t)size);
}

static void new_message(struct request *r)
{
	const uint8_t *in = r->packet->data, type = r->packet->size > 5 ? in[5] & 0x3f : 0;
	size_t size;
	uint32_t id;

	if (r->packet->size < HEADER_SIZE) {
		r->swarm->sums.bmc_garbage++;
		return;
	}
	memcpy(&id, in + 6, 4);
	size = (size_t)in[14] | (size_t)in[15] << 8;
	if (size > r->packet->size - HEADER_SIZE || (id && type != PAYLOAD_IPMI)) {
		r->swarm->sums.bmc_garbage++;
		return;
	}
	if (id)
		session_message(r, id);
	else if (type == PAYLOAD_IPMI)
		sessionless_message(r, in + HEADER_SIZE, size);
	else if (type == PAYLOAD_OPEN || type == PAYLOAD_RAKP1 || type == PAYLOAD_RAKP3)
		handshake(r, type, in + HEADER_SIZE, size);
	else
		r->swarm->sums.bmc_garbage++;
}

/* RMCP presence ping (13.2.3). */
static void presence(struct request *r)
{
	static const uint8_t pong[] = {RMCP_VERSION, 0,    0xff, CLASS_ASF, 0, 0, 0x11, 0xbe, 0x40, 0, 0, 16, 0, 0,
				       0x11,         0xbe, 0,    0,         0, 0, 0x81, 0,    0,    0, 0, 0,  0, 0};
	const uint8_t *in = r->packet->data;
	uint8_t out[sizeof(pong)];

	if (r->packet->size < 12 || in[8] != 0x80) {
		r->swarm->sums.bmc_garbage++;
		return;
	}
	memcpy(out, pong, sizeof(pong));
	out[9] = in[9];
	begin(r, (uint32_t)in[9] << 8 | 3);
	finish(r, out, sizeof(out));
}

void bmc_handle(struct swarm *swarm, struct packet *packet)
{
	int number = swarm_bmc_of(swarm, packet->asked.s_addr);
	const uint8_t *in = packet->data;
	struct request r = {.swarm = swarm, .packet = packet};

	swarm->sums.bmc_packets++;
	if (number < 0) {
		swarm->sums.unknown_address++;
		return;
	}
	r.number = (unsigned)number;
	r.bmc = &swarm->bmc[number];
	if (r.bmc->knobs.silent || swarm_chance(swarm, r.bmc->knobs.drop_in)) {
		swarm->sums.not_heard++;
		return;
	}
	net_set_sent(swarm, sent);
	if (packet->size < 5 || in[0] != RMCP_VERSION)
		swarm->sums.bmc_garbage++;
	else if ((in[3] & 0x1f) == CLASS_ASF)
		presence(&r);
	else if ((in[3] & 0x1f) == CLASS_IPMI && in[4] == AUTH_NONE)
		old_message(&r);
	else if ((in[3] & 0x1f) == CLASS_IPMI && in[4] == AUTH_RMCPP)
		new_message(&r);
	else
		swarm->sums.bmc_garbage++;
}
