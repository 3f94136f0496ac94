/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of one command of one BMC: opens the session when there is none (IPMI 2.0, 13.15 Open Session, RAKP 1 to 4,
 * then Set Session Privilege Level), sends, repeats, gives up, and tells a stale session from a silent BMC. Called by
 * engine.c. */
#include <freeipmi/freeipmi.h>
#include <string.h>

#include "base/memory.h"
#include "ipmi/bmc.h"

enum {
	STEP_AGAIN_MS = 500,
	STEP_GIVE_UP_MS = 1000,
	PING_AGAIN_MS = 400,
	PING_GIVE_UP_MS = 1000,
	ONCE_GIVE_UP_MS = 5000
};
enum { CMD_CLOSE_SESSION = 0x3c, CMD_SET_PRIVILEGE = 0x3b, CMD_AUTH_CAPABILITIES = 0x38 };

static void send_packet(struct bmc_engine *e, struct bmc *b, const uint8_t *packet, size_t size)
{
	if (size == 0)
		return;
	e->counts.sent++;
	b->flight.sent++;
	b->free_ms = b->gap_ms ? e->now + b->gap_ms : 0;
	e->hands.send(e->hands.arg, &b->address, packet, size);
}

void session_drop(struct bmc *b)
{
	uint8_t guid[16];

	memcpy(guid, b->session.guid, 16);
	explicit_bzero(&b->session, sizeof(b->session));
	memcpy(b->session.guid, guid, 16);
	b->session_state = SESSION_CLOSED;
}

void session_close(struct bmc_engine *e, struct bmc *b)
{
	struct ipmi_command c = {.netfn = IPMI_NET_FN_APP_RQ, .command = CMD_CLOSE_SESSION, .size = 4};
	uint8_t packet[PACKET_MAX];
	uint32_t id = b->session.managed_id;

	if (b->session_state >= SESSION_RAISE) {
		for (int i = 0; i < 4; i++)
			c.data[i] = (uint8_t)(id >> (8 * i));
		b->request_sequence = (b->request_sequence + 1) & 0x3f;
		size_t size = wire_make_command(e->wire, &b->session, &c, b->request_sequence, packet);
		uint8_t before = b->flight.sent;
		send_packet(e, b, packet, size);
		b->flight.sent = before;
	}
	session_drop(b);
}

/* --- flights --------------------------------------------------------------------------------------- */

static void flight_begin(struct bmc_engine *e, struct bmc *b, enum flight_kind kind)
{
	if (!b->counted) {
		b->counted = true;
		e->counts.in_flight++;
	}
	b->flight.kind = (uint8_t)kind;
	b->flight.sent = 0;
	b->flight.yields = false;
	b->flight.first_ms = e->now;
}

void session_abandon_flight(struct bmc_engine *e, struct bmc *b)
{
	b->flight.kind = FLIGHT_NONE;
	b->doubting = false;
	if (b->counted) {
		b->counted = false;
		e->counts.in_flight--;
	}
}

/* Ends the flight and tells its procedure. */
static void finish(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	uint8_t p = b->flight.procedure;

	session_abandon_flight(e, b);
	b->at[p] = NEVER;
	procedures[p]->done(e, b, error, reply);
}

static void wire_command(struct bmc_engine *e, struct bmc *b)
{
	uint8_t packet[PACKET_MAX];
	const struct flight *f = &b->flight;
	size_t size = f->kind == FLIGHT_PING
			  ? wire_make_sessionless(&f->command, f->sequence, packet)
			  : wire_make_command(e->wire, &b->session, &f->command, f->sequence, packet);

	send_packet(e, b, packet, size);
}

/* When to act next on a flight that waits: repeat or give up. */
static void plan_command(struct bmc *b)
{
	const struct procedure_table *t = procedures[b->flight.procedure];
	unsigned sent = b->flight.sent;
	uint16_t again = 0;

	if (b->flight.kind == FLIGHT_PING && b->doubting)
		again = sent == 1 ? PING_AGAIN_MS : 0;
	else if (sent >= 1 && sent <= COUNT_OF(t->again_ms) && !b->flight.command.once && !b->flight.yields)
		again = t->again_ms[sent - 1];
	b->flight.next_ms = again ? b->flight.first_ms + again : b->flight.give_up_ms;
	if (b->flight.next_ms > b->flight.give_up_ms)
		b->flight.next_ms = b->flight.give_up_ms;
}

static void fly_command(struct bmc_engine *e, struct bmc *b, enum flight_kind kind, const struct ipmi_command *c)
{
	flight_begin(e, b, kind);
	b->flight.command = *c;
	b->request_sequence = (b->request_sequence + 1) & 0x3f;
	b->flight.sequence = b->request_sequence;
	b->flight.give_up_ms = e->now + (c->once       ? ONCE_GIVE_UP_MS
					 : b->doubting ? PING_GIVE_UP_MS
						       : procedures[b->flight.procedure]->give_up_ms);
	wire_command(e, b);
	plan_command(b);
}

/* Get Channel Authentication Capabilities (22.13), the one question every BMC answers outside a session. */
static void doubt(struct bmc_engine *e, struct bmc *b)
{
	struct ipmi_command c = {.netfn = IPMI_NET_FN_APP_RQ,
				 .command = CMD_AUTH_CAPABILITIES,
				 .size = 2,
				 .data = {0x80 | 0x0e, b->privilege}};

	b->doubted = b->flight.kind == FLIGHT_HANDSHAKE ? b->session_state : SESSION_READY;
	b->doubting = true;
	fly_command(e, b, FLIGHT_PING, &c);
}

/* --- the handshake --------------------------------------------------------------------------------- */

static void wire_step(struct bmc_engine *e, struct bmc *b)
{
	uint8_t packet[PACKET_MAX];
	unsigned flags = BMC_WORKAROUND_OPENSESSPRIV | BMC_WORKAROUND_INTEL20 | BMC_WORKAROUND_SUN20;
	size_t size = 0;

	switch (b->session_state) {
	case SESSION_OPEN_SENT: /* 0 = the highest that is possible; some BMCs use what stands here for their keys */
		size = packets_make_open(e->packets, &b->session, b->workarounds & flags ? b->privilege : 0, packet);
		break;
	case SESSION_RAKP1_SENT:
		size = packets_make_rakp1(e->packets, &b->session, packet);
		break;
	case SESSION_RAKP3_SENT:
		size = packets_make_rakp3(e->packets, &b->session, &b->credential->secret, packet);
		break;
	}
	send_packet(e, b, packet, size);
}

static void take_step(struct bmc_engine *e, struct bmc *b, enum session_state state)
{
	uint8_t p = b->flight.procedure;

	flight_begin(e, b, FLIGHT_HANDSHAKE);
	b->flight.procedure = p;
	b->session_state = (uint8_t)state;
	b->session.tag++;
	b->flight.give_up_ms = e->now + STEP_GIVE_UP_MS;
	wire_step(e, b);
	b->flight.next_ms = e->now + (p == PROC_LIVE ? STEP_GIVE_UP_MS : STEP_AGAIN_MS);
}

static void fill_user(struct bmc *b)
{
	struct rmcpp_session *s = &b->session;
	size_t size = strlen(b->user);

	memcpy(s->user, b->user, size);
	/* these BMCs compare the name with its padding */
	s->user_size = b->workarounds & BMC_WORKAROUND_INTEL20 ? USER_MAX : (uint8_t)size;
}

static void handshake_begin(struct bmc_engine *e, struct bmc *b)
{
	struct rmcpp_session *s = &b->session;

	session_drop(b);
	b->session_tries++;
	packets_suite(s, b->suite);
	e->hands.random(e->hands.arg, &s->tag, 1);
	e->hands.random(e->hands.arg, s->console_random, sizeof(s->console_random));
	do
		e->hands.random(e->hands.arg, &s->console_id, sizeof(s->console_id));
	while (s->console_id == 0);
	s->privilege = b->privilege;
	fill_user(b);
	take_step(e, b, SESSION_OPEN_SENT);
}

/* The file may have been corrected since: what the supervisor reads now is tried with the next log-in. */
static void ask_secret_again(struct bmc_engine *e, struct credential *c)
{
	if (e->now - c->asked_ms < SECRET_AGAIN_MS)
		return;
	c->asked_ms = e->now;
	e->hands.secret(e->hands.arg, c->name);
}

/* A log-in that the BMC or we refuse: not repeated at once. */
static void refuse(struct bmc_engine *e, struct bmc *b, enum bmc_error error)
{
	session_drop(b);
	b->session_tries = 0;
	b->refused = (uint8_t)error;
	if (error == BMC_PASSWORD || error == BMC_KG)
		ask_secret_again(e, b->credential);
	if (error == BMC_SLOTS_FULL) {
		b->slots_gap_ms = b->slots_gap_ms == 0 ? SLOTS_WAIT_MS : b->slots_gap_ms * 2;
		if (b->slots_gap_ms > SLOTS_MOST_MS)
			b->slots_gap_ms = SLOTS_MOST_MS;
		b->refused_until_ms = e->now + b->slots_gap_ms;
		watch_finding(e, b, BMC_FINDING_SLOTS, true);
	} else if (error == BMC_SESSION_LOST)
		b->refused_until_ms = e->now + SLOTS_WAIT_MS;
	else {
		b->refused_gap_ms = b->refused_gap_ms == 0 ? REFUSED_FIRST_MS : b->refused_gap_ms * 2;
		if (b->refused_gap_ms > REFUSED_MOST_MS)
			b->refused_gap_ms = REFUSED_MOST_MS;
		b->refused_until_ms = e->now + b->refused_gap_ms;
	}
	finish(e, b, error, NULL);
}

static void handshake_again(struct bmc_engine *e, struct bmc *b)
{
	if (b->session_tries < SESSION_TRIES)
		handshake_begin(e, b);
	else
		refuse(e, b, BMC_SESSION_LOST);
}

/* What a status code other than 0 means (table 13-15). BMC_OK: begin again with new ids. */
static enum bmc_error status_error(int status)
{
	switch (status) {
	case READ_WRONG_PASSWORD:
	case RMCPPLUS_STATUS_INVALID_INTEGRITY_CHECK_VALUE:
		return BMC_PASSWORD;
	case READ_WRONG_KG:
		return BMC_KG;
	case READ_PRIVILEGE:
	case RMCPPLUS_STATUS_INVALID_ROLE:
	case RMCPPLUS_STATUS_UNAUTHORIZED_ROLE_OR_PRIVILEGE_LEVEL_REQUESTED:
		return BMC_PRIVILEGE;
	case RMCPPLUS_STATUS_INSUFFICIENT_RESOURCES_TO_CREATE_A_SESSION:
	case RMCPPLUS_STATUS_INSUFFICIENT_RESOURCES_TO_CREATE_A_SESSION_AT_THE_REQUESTED_TIME:
		return BMC_SLOTS_FULL;
	case RMCPPLUS_STATUS_INVALID_SESSION_ID:
	case RMCPPLUS_STATUS_INACTIVE_SESSION_ID:
		return BMC_OK;
	case RMCPPLUS_STATUS_INVALID_AUTHENTICATION_ALGORITHM:
	case RMCPPLUS_STATUS_INVALID_INTEGRITY_ALGORITHM:
	case RMCPPLUS_STATUS_NO_MATCHING_AUTHENTICATION_PAYLOAD:
	case RMCPPLUS_STATUS_NO_MATCHING_INTEGRITY_PAYLOAD:
	case RMCPPLUS_STATUS_INVALID_CONFIDENTIALITY_ALGORITHM:
	case RMCPPLUS_STATUS_NO_CIPHER_SUITE_MATCH_WITH_PROPOSED_SECURITY_ALGORITHMS:
		return BMC_SUITE;
	case RMCPPLUS_STATUS_INVALID_NAME_LENGTH:
	case RMCPPLUS_STATUS_UNAUTHORIZED_NAME:
		return BMC_USER;
	case RMCPPLUS_STATUS_INVALID_PAYLOAD_TYPE:
		return BMC_UNSUPPORTED;
	default:
		return BMC_GARBAGE;
	}
}

static void take_guid(struct bmc_engine *e, struct bmc *b)
{
	static const uint8_t none[16];

	if (memcmp(b->session.guid, none, 16) == 0)
		return;
	bool first = !b->guid_known, was = b->guid_changed;
	bool other = b->guid_known && memcmp(b->guid, b->session.guid, 16) != 0;
	memcpy(b->guid, b->session.guid, 16);
	b->guid_known = true;
	/* without a recorded GUID the first one counts, until the target is given anew */
	b->guid_changed = b->guid_expected ? !bmc_guid_equal(b->guid, b->expected_guid) : b->guid_changed || other;
	if (first || was != b->guid_changed || other)
		watch_facts(e, b);
}

static void session_ready(struct bmc_engine *e, struct bmc *b)
{
	b->session_state = SESSION_READY;
	b->last_used_ms = e->now;
	b->session_tries = 0;
	b->refused_until_ms = 0;
	b->refused_gap_ms = 0;
	b->slots_gap_ms = 0;
	e->counts.sessions++;
	session_abandon_flight(e, b);
	take_guid(e, b);
	watch_finding(e, b, BMC_FINDING_SLOTS, false);
	/* what restarted may be other firmware */
	b->identity_step = 0;
	bmc_want(e, b, PROC_IDENTITY, e->now);
}

static void session_opened(struct bmc_engine *e, struct bmc *b)
{
	struct ipmi_command c = {
	    .netfn = IPMI_NET_FN_APP_RQ, .command = CMD_SET_PRIVILEGE, .size = 1, .data = {b->privilege}};

	if (b->privilege <= IPMI_PRIVILEGE_LEVEL_USER) {
		session_ready(e, b);
		return;
	}
	b->session_state = SESSION_RAISE; /* a session begins at the user level (6.8) */
	fly_command(e, b, FLIGHT_RAISE, &c);
}

static void raised(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	if (r->completion == IPMI_COMP_CODE_COMMAND_SUCCESS)
		session_ready(e, b);
	else if (r->completion == IPMI_COMP_CODE_NODE_BUSY)
		b->flight.next_ms = e->now + BUSY_WAIT_MS;
	else {
		session_close(e, b);
		refuse(e, b, BMC_PRIVILEGE);
	}
}

static bool step_answer(struct bmc_engine *e, struct bmc *b, enum packet_kind kind, const uint8_t *data, size_t size)
{
	static const enum packet_kind expected[] = {[SESSION_OPEN_SENT] = PACKET_OPEN,
						    [SESSION_RAKP1_SENT] = PACKET_RAKP2,
						    [SESSION_RAKP3_SENT] = PACKET_RAKP4};
	const struct bmc_secret *secret = &b->credential->secret;
	int status = READ_GARBAGE;

	if (b->session_state >= COUNT_OF(expected) || expected[b->session_state] != kind)
		return false;
	if (kind == PACKET_OPEN)
		status = packets_read_open(e->packets, &b->session, b->privilege, data, size);
	else if (kind == PACKET_RAKP2)
		status = packets_read_rakp2(e->packets, &b->session, secret, b->workarounds, data, size);
	else
		status = packets_read_rakp4(e->packets, &b->session, secret, data, size);
	if (status == READ_GARBAGE)
		return false;
	watch_heard(e, b);
	if (status != RMCPPLUS_STATUS_NO_ERRORS) {
		enum bmc_error error = status_error(status);
		if (error == BMC_OK)
			handshake_again(e, b);
		else
			refuse(e, b, error);
	} else if (kind == PACKET_RAKP4)
		session_opened(e, b);
	else
		take_step(e, b, (enum session_state)(b->session_state + 1));
	return true;
}

/* --- probes ---------------------------------------------------------------------------------------- */

static void wire_probe(struct bmc_engine *e, struct bmc *b)
{
	uint8_t packet[PACKET_MAX];

	send_packet(e, b, packet, probe_packet(e, b, packet));
}

static void fly_probe(struct bmc_engine *e, struct bmc *b, const struct ipmi_command *c)
{
	flight_begin(e, b, FLIGHT_PROBE);
	b->flight.command = *c;
	b->flight.give_up_ms = e->now + STEP_GIVE_UP_MS;
	wire_probe(e, b);
	b->flight.next_ms = e->now + STEP_AGAIN_MS;
}

/* --- commands -------------------------------------------------------------------------------------- */

void session_start(struct bmc_engine *e, struct bmc *b, enum procedure p, const struct ipmi_command *c,
		   bool sessionless)
{
	b->flight.procedure = (uint8_t)p;
	b->doubting = false;
	if (c->probe) {
		fly_probe(e, b, c);
		return;
	}
	if (sessionless) {
		fly_command(e, b, FLIGHT_PING, c);
		return;
	}
	if (b->session_state == SESSION_READY && e->now - b->last_used_ms > SESSION_IDLE_MS)
		session_close(e, b);
	if (b->session_state == SESSION_READY) {
		fly_command(e, b, FLIGHT_COMMAND, c);
		return;
	}
	if (!b->credential->known && !b->credential->refused) {
		b->at[p] =
		    e->now + SECRET_WAIT_MS; /* the supervisor is about to hand it over: bmc_engine_secret() wakes it */
		return;
	}
	if (!b->credential->known)
		ask_secret_again(e, b->credential);
	if (!b->credential->known || (b->refused_until_ms > e->now && p != PROC_POWER)) {
		finish(e, b, b->credential->known ? (enum bmc_error)b->refused : BMC_PASSWORD, NULL);
		return;
	}
	b->session_tries = 0;
	handshake_begin(e, b);
}

static enum bmc_error completion_error(uint8_t completion)
{
	switch (completion) {
	case IPMI_COMP_CODE_COMMAND_SUCCESS:
		return BMC_OK;
	case IPMI_COMP_CODE_INVALID_COMMAND:
	case IPMI_COMP_CODE_COMMAND_INVALID_FOR_LUN:
		return BMC_UNSUPPORTED;
	case IPMI_COMP_CODE_INSUFFICIENT_PRIVILEGE_LEVEL:
		return BMC_PRIVILEGE;
	case IPMI_COMP_CODE_NODE_BUSY:
	case IPMI_COMP_CODE_COMMAND_TIMEOUT:
	case IPMI_COMP_CODE_DEVICE_IN_FIRMWARE_UPDATE_MODE:
	case IPMI_COMP_CODE_BMC_INITIALIZATION_IN_PROGRESS:
		return BMC_BUSY;
	default:
		return BMC_COMPLETION;
	}
}

static void command_answered(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	enum bmc_error error = completion_error(r->completion);

	b->last_used_ms = e->now;
	b->stale_tries = 0;
	if (error == BMC_BUSY && b->busy_tries < BUSY_TRIES) {
		b->busy_tries++;
		b->at[b->flight.procedure] = e->now + (BUSY_WAIT_MS << (b->busy_tries - 1));
		session_abandon_flight(e, b);
		return;
	}
	b->busy_tries = 0;
	finish(e, b, error, r);
}

/* The BMC answers outside the session: so it was the session, or the way it handles log-ins, and not the BMC that is
 * gone. */
static void doubt_settled(struct bmc_engine *e, struct bmc *b)
{
	session_drop(b);
	b->doubting = false;
	if (++b->stale_tries > SESSION_TRIES) {
		b->stale_tries = 0;
		refuse(e, b, b->doubted == SESSION_OPEN_SENT ? BMC_UNSUPPORTED : BMC_SESSION_LOST);
		return;
	}
	session_abandon_flight(e, b); /* the procedure still wants its command: it is asked again */
}

static bool reply_arrived(struct bmc_engine *e, struct bmc *b, enum packet_kind kind, const uint8_t *data, size_t size)
{
	struct ipmi_reply r;
	struct flight *f = &b->flight;

	if (f->kind == FLIGHT_PING) {
		if (kind != PACKET_SESSIONLESS ||
		    !wire_read_sessionless(&f->command, f->sequence, data, size, &r))
			return false;
	} else if (kind != PACKET_COMMAND ||
		   !wire_read_command(e->wire, &b->session, &f->command, f->sequence, data, size, &r))
		return false;
	e->counts.exchanges++;
	watch_heard(e, b);
	if (f->kind == FLIGHT_RAISE)
		raised(e, b, &r);
	else if (f->kind == FLIGHT_COMMAND)
		command_answered(e, b, &r);
	else if (b->doubting)
		doubt_settled(e, b);
	else
		finish(e, b, completion_error(r.completion), &r);
	return true;
}

bool session_datagram(struct bmc_engine *e, struct bmc *b, enum packet_kind kind, uint32_t console_id,
		      const uint8_t *data, size_t size)
{
	if (b->flight.kind == FLIGHT_PROBE) {
		if (!probe_datagram(e, b, kind, console_id, data, size))
			return false;
		watch_heard(e, b);
		finish(e, b, BMC_OK, NULL);
		return true;
	}
	if (kind == PACKET_SESSIONLESS)
		return b->flight.kind == FLIGHT_PING && reply_arrived(e, b, kind, data, size);
	/* refusals of a handshake may come without our id */
	if (console_id != b->session.console_id && (kind == PACKET_COMMAND || console_id != 0))
		return false;
	if (b->flight.kind == FLIGHT_HANDSHAKE)
		return step_answer(e, b, kind, data, size);
	return (b->flight.kind == FLIGHT_COMMAND || b->flight.kind == FLIGHT_RAISE) &&
	       reply_arrived(e, b, kind, data, size);
}

/* --- no answer ------------------------------------------------------------------------------------- */

static void unanswered(struct bmc_engine *e, struct bmc *b)
{
	struct flight *f = &b->flight;
	bool live = f->procedure == PROC_LIVE;

	if (f->yields) { /* what is more urgent finds out why nobody answered; this one begins again */
		session_abandon_flight(e, b);
		return;
	}
	if (f->kind == FLIGHT_PING || f->kind == FLIGHT_PROBE || live || f->command.once) {
		if (f->kind == FLIGHT_HANDSHAKE)
			session_drop(b);
		finish(e, b, BMC_NO_ANSWER, NULL);
		return;
	}
	if (f->kind == FLIGHT_HANDSHAKE && b->session_state != SESSION_OPEN_SENT && b->session_tries < SESSION_TRIES)
		handshake_begin(e, b);
	else
		doubt(e, b);
}

void session_timer(struct bmc_engine *e, struct bmc *b)
{
	struct flight *f = &b->flight;

	if (f->give_up_ms <= e->now) {
		unanswered(e, b);
		return;
	}
	if (f->kind == FLIGHT_HANDSHAKE || f->kind == FLIGHT_PROBE) {
		if (f->kind == FLIGHT_PROBE)
			wire_probe(e, b);
		else
			wire_step(e, b);
		f->next_ms = f->give_up_ms;
		return;
	}
	wire_command(e, b);
	plan_command(b);
}
