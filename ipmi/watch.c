/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The watching procedures of a BMC: power state and liveness (verdicts 4.1, witness B), urgent reads, identity, restart
 * cause. Called by engine.c and session.c through the table of procedures. */
#include <freeipmi/freeipmi.h>
#include <string.h>

#include "base/text.h"
#include "ipmi/bmc.h"

enum {
	CMD_CHASSIS_STATUS = 0x01,
	CMD_RESTART_CAUSE = 0x07,
	CMD_GET_WATCHDOG = 0x25,
	CMD_DEVICE_ID = 0x01,
	CMD_SYSTEM_GUID = 0x37,
	CMD_AUTH_CAPABILITIES = 0x38
};
static const int16_t retry_after_s[MISSES_TO_SILENT] = {1, 3, 8, 10};

static void report(struct bmc_engine *e, struct bmc *b, uint8_t last_event, uint8_t faults)
{
	struct msg_power_state m = {.slot = b->slot,
				    .generation = b->generation,
				    .at_ms = e->now,
				    .state = b->state,
				    .error = b->error,
				    .completion = b->completion,
				    .last_event = last_event,
				    .faults = faults,
				    .restart_cause = b->restart_cause,
				    .watchdog = b->watchdog};

	e->hands.power(e->hands.arg, &m);
}

/* --- facts and findings ---------------------------------------------------------------------------- */

static void finding_text(const struct bmc *b, char out[CAUSE_SIZE])
{
	if (b->guid_changed)
		text_copy(out, CAUSE_SIZE, "bmc guid is not the recorded one: check the wiring");
	else if (b->error == BMC_OK || b->error == BMC_NO_ANSWER)
		text_copy(out, CAUSE_SIZE, "");
	else if (b->error == BMC_COMPLETION)
		text_format(out, CAUSE_SIZE, "command refused with completion code %02x", b->completion);
	else
		text_format(out, CAUSE_SIZE, "%s: %s", bmc_error_text((enum bmc_error)b->error),
			    bmc_error_remedy((enum bmc_error)b->error));
}

void watch_facts(struct bmc_engine *e, struct bmc *b)
{
	struct msg_bmc_facts m = {.slot = b->slot,
				  .generation = b->generation,
				  .manufacturer = b->manufacturer,
				  .product = b->product,
				  .guid_known = b->guid_known,
				  .guid_changed = b->guid_changed,
				  .findings = b->findings,
				  .suites = b->suites};

	finding_text(b, b->finding);
	memcpy(m.guid, b->guid, sizeof(m.guid));
	text_copy(m.firmware, sizeof(m.firmware), b->firmware);
	text_copy(m.finding, sizeof(m.finding), b->finding);
	e->hands.facts(e->hands.arg, &m);
}

void watch_finding(struct bmc_engine *e, struct bmc *b, enum bmc_finding finding, bool there)
{
	uint8_t now = (uint8_t)(there ? b->findings | finding : b->findings & ~finding);

	if (now == b->findings)
		return;
	b->findings = now;
	watch_facts(e, b);
}

/* Sets what is known of the trouble; tells when the line that people see changes. */
static void set_error(struct bmc_engine *e, struct bmc *b, enum bmc_error error, uint8_t completion)
{
	char before[CAUSE_SIZE], now[CAUSE_SIZE];

	text_copy(before, sizeof(before), b->finding);
	b->error = (uint8_t)error;
	b->completion = completion;
	finding_text(b, now);
	if (strcmp(before, now) != 0)
		watch_facts(e, b);
}

void watch_trouble(struct bmc_engine *e, struct bmc *b, enum bmc_error error, uint8_t completion)
{
	b->state = error == BMC_NO_ANSWER ? BMC_SILENT : BMC_NA;
	set_error(e, b, error, completion);
	report(e, b, 0, 0);
}

/* --- power state ----------------------------------------------------------------------------------- */

void watch_command_chassis(struct ipmi_command *c)
{
	c->netfn = IPMI_NET_FN_CHASSIS_RQ;
	c->command = CMD_CHASSIS_STATUS;
}

/* Get Chassis Status (28.2). False: too short to be one. */
bool watch_parse_chassis(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	if (r->size < 3)
		return false;
	uint8_t state = r->data[0] & 1 ? BMC_ON : BMC_OFF;
	/* the cause belongs to the restart before; a machine that was off or unseen has another now */
	if (state == BMC_OFF)
		b->restart_cause = 0;
	b->state = state;
	b->unanswered = 0;
	b->power_due_ms = e->now + b->power_interval_ms;
	set_error(e, b, BMC_OK, 0);
	report(e, b, r->data[1], (uint8_t)(r->data[2] | (r->data[0] & 0x1e) << 3));
	return true;
}

void watch_heard(struct bmc_engine *e, struct bmc *b)
{
	b->last_heard_ms = e->now;
	b->heard_question_ms = b->flight.first_ms;
	b->misses = 0;
	if (b->state == BMC_SILENT &&
	    b->power_due_ms > e->now) { /* it is back: say so by a fresh read, not by a guess */
		b->power_due_ms = e->now;
		bmc_want(e, b, PROC_LIVE, e->now);
	}
}

void watch_start(struct bmc_engine *e, struct bmc *b, int64_t first_ms)
{
	(void)e;
	b->power_due_ms = first_ms;
	b->at[PROC_LIVE] = first_ms;
}

/* The next look: the power read when it is due before the next sign of life is. */
static void plan_live(struct bmc_engine *e, struct bmc *b)
{
	int64_t next = e->now + LIVE_INTERVAL_MS;

	bmc_want(e, b, PROC_LIVE, b->power_due_ms < next ? b->power_due_ms : next);
}

static bool live_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	if (b->misses == 0 && b->power_due_ms <= e->now) {
		watch_command_chassis(c);
		return true;
	}
	*c = (struct ipmi_command){
	    .netfn = IPMI_NET_FN_APP_RQ, .command = CMD_AUTH_CAPABILITIES, .size = 2, .data = {0x8e, b->privilege}};
	*sessionless = true;
	return true;
}

static void live_missed(struct bmc_engine *e, struct bmc *b)
{
	if (b->misses == 0)
		b->first_miss_ms = b->flight.first_ms;
	if (b->misses < MISSES_TO_SILENT)
		b->misses++;
	if (b->misses < MISSES_TO_SILENT) {
		int64_t next = b->first_miss_ms + retry_after_s[b->misses - 1] * 1000;
		bmc_want(e, b, PROC_LIVE, next > e->now ? next : e->now);
		return;
	}
	session_drop(b);
	if (b->state != BMC_SILENT)
		watch_trouble(e, b, BMC_NO_ANSWER, 0);
	bmc_want(e, b, PROC_LIVE, e->now + LIVE_INTERVAL_MS);
}

/* Get Channel Authentication Capabilities (22.13) says whether anybody may log in. */
static void take_capabilities(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	watch_finding(e, b, BMC_FINDING_ANONYMOUS,
		      r->completion == IPMI_COMP_CODE_COMMAND_SUCCESS && r->size >= 3 && r->data[2] & 1);
}

static void live_answered(struct bmc_engine *e, struct bmc *b)
{
	if (b->unanswered) { /* it was asked because the session had not answered: the session is stale */
		session_drop(b);
		b->power_due_ms = e->now;
	}
	if (b->unanswered >= MISSES_TO_SILENT && b->state != BMC_SILENT) {
		watch_trouble(e, b, BMC_SESSION_LOST, 0);
		b->power_due_ms = e->now + b->power_interval_ms;
		b->unanswered = 0;
	}
	plan_live(e, b);
}

static void live_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	bool was_power = b->flight.command.netfn == IPMI_NET_FN_CHASSIS_RQ;

	if (error == BMC_NO_ANSWER) {
		b->unanswered++;
		live_missed(e, b);
		return;
	}
	if (reply && !was_power) {
		take_capabilities(e, b, reply);
		live_answered(e, b);
		return;
	}
	b->unanswered = 0;
	if (error == BMC_OK && watch_parse_chassis(e, b, reply)) {
		plan_live(e, b);
		return;
	}
	watch_trouble(e, b, error == BMC_OK ? BMC_GARBAGE : error, reply ? reply->completion : 0);
	b->power_due_ms = e->now + b->power_interval_ms;
	if (b->refused_until_ms > e->now && b->refused_until_ms > b->power_due_ms)
		b->power_due_ms = b->refused_until_ms;
	plan_live(e, b);
}

/* --- urgent ---------------------------------------------------------------------------------------- */

void watch_urgent(struct bmc_engine *e, struct bmc *b)
{
	if (b->urgent_asked_ms == NEVER)
		b->urgent_asked_ms = e->now;
	bmc_want(e, b, PROC_URGENT, e->now);
}

/* 2.5 s are over: say what is known. What is still on its way will correct it. */
void watch_urgent_late(struct bmc_engine *e, struct bmc *b)
{
	/* an answer to what was asked before is no sign of life of now */
	bool silent = b->heard_question_ms < b->urgent_asked_ms;

	b->urgent_asked_ms = NEVER;
	if (!silent) {
		enum bmc_error known = b->error != BMC_OK && b->error != BMC_NO_ANSWER ? (enum bmc_error)b->error
				       : b->session_state == SESSION_READY             ? BMC_BUSY
										       : BMC_SESSION_LOST;
		watch_trouble(e, b, known, b->completion);
		return;
	}
	b->misses = MISSES_TO_SILENT;
	b->first_miss_ms = e->now - URGENT_DEADLINE_MS;
	watch_trouble(e, b, BMC_NO_ANSWER, 0);
	bmc_want(e, b, PROC_LIVE, e->now + 1000);
}

static bool urgent_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	(void)e;
	(void)b;
	(void)sessionless;
	watch_command_chassis(c);
	return true;
}

static void urgent_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	bool late = b->urgent_asked_ms == NEVER;

	if (error == BMC_OK && watch_parse_chassis(e, b, reply)) {
		b->urgent_asked_ms = NEVER;
		return;
	}
	if (error == BMC_NO_ANSWER) { /* again until the 2.5 s are over: the answer may be a moment away */
		if (!late)
			bmc_want(e, b, PROC_URGENT, e->now);
		return;
	}
	b->urgent_asked_ms = NEVER;
	watch_trouble(e, b, error == BMC_OK ? BMC_GARBAGE : error, reply ? reply->completion : 0);
}

/* --- identity -------------------------------------------------------------------------------------- */

enum { IDENTITY_DEVICE, IDENTITY_GUID, IDENTITY_END };

static bool identity_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	(void)e;
	(void)sessionless;
	if (b->identity_step == IDENTITY_END)
		return false;
	c->netfn = IPMI_NET_FN_APP_RQ;
	c->command = b->identity_step == IDENTITY_DEVICE ? CMD_DEVICE_ID : CMD_SYSTEM_GUID;
	return true;
}

/* Get Device ID (20.1): revision in BCD, maker in 20 bits, product. */
static void take_device(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	char firmware[sizeof(b->firmware)];

	if (r->size < 11)
		return;
	uint32_t maker = r->data[6] | (uint32_t)r->data[7] << 8 | (uint32_t)(r->data[8] & 0x0f) << 16;
	uint32_t product = r->data[9] | (uint32_t)r->data[10] << 8;
	text_format(firmware, sizeof(firmware), "%u.%02x", r->data[2] & 0x7fU, r->data[3]);
	bool same =
	    b->device_known && maker == b->manufacturer && product == b->product && strcmp(firmware, b->firmware) == 0;
	b->device_known = true;
	b->manufacturer = maker;
	b->product = product;
	text_copy(b->firmware, sizeof(b->firmware), firmware);
	if (same)
		return;
	b->no_dcmi = false;
	watch_facts(e, b);
	probe_first(e, b);
}

static void identity_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	if (error == BMC_NO_ANSWER || error == BMC_BUSY || error == BMC_SESSION_LOST)
		return; /* begun again with the next session */
	if (error == BMC_OK && b->identity_step == IDENTITY_DEVICE)
		take_device(e, b, reply);
	if (error == BMC_OK && b->identity_step == IDENTITY_GUID && reply->size >= 16) {
		memcpy(b->guid, reply->data, 16);
		b->guid_known = true;
		b->guid_changed = b->guid_expected && !bmc_guid_equal(b->guid, b->expected_guid);
		watch_facts(e, b);
	}
	b->identity_step++;
	if (b->identity_step == IDENTITY_GUID && b->guid_known) /* RAKP 2 has brought it, signed */
		b->identity_step = IDENTITY_END;
	if (b->identity_step < IDENTITY_END) {
		bmc_want(e, b, PROC_IDENTITY, e->now);
		return;
	}
	bool first = !b->identified;
	if (first)
		sel_first(e, b);
	b->identified = true;
	if (first &&
	    b->sensor_interval_ms) /* a person wants the first readings soon, a big site wants them without a burst */
		bmc_want(e, b, PROC_SENSORS,
			 e->now + b->hash % (e->counts.targets < 100 ? 1000 : b->sensor_interval_ms));
}

/* --- why it restarted ------------------------------------------------------------------------------ */

enum { CAUSE_RESTART, CAUSE_WATCHDOG, CAUSE_END };

static bool cause_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	(void)e;
	(void)sessionless;
	c->netfn = b->cause_step == CAUSE_RESTART ? IPMI_NET_FN_CHASSIS_RQ : IPMI_NET_FN_APP_RQ;
	c->command = b->cause_step == CAUSE_RESTART ? CMD_RESTART_CAUSE : CMD_GET_WATCHDOG;
	return true;
}

/* Get Watchdog Timer (27.7): whether it runs, and for which uses it has expired since somebody cleared the flags. */
static uint8_t watchdog_of(const struct ipmi_reply *r)
{
	return (uint8_t)(WATCHDOG_KNOWN | (r->data[0] & WATCHDOG_RUNNING) | (r->data[3] & WATCHDOG_EXPIRED));
}

/* Get System Restart Cause (28.11), then the watchdog; a power read follows, which carries both. A power read that comes between the
 * two carries neither: half a reason would be taken for the whole. */
static void cause_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	if (error == BMC_OK && b->cause_step == CAUSE_RESTART && reply->size >= 1)
		b->cause_read = (uint8_t)(1 + (reply->data[0] & 0x0f));
	if (error == BMC_OK && b->cause_step == CAUSE_WATCHDOG && reply->size >= 4)
		b->watchdog = watchdog_of(reply);
	if (reply && ++b->cause_step < CAUSE_END) {
		bmc_want(e, b, PROC_CAUSE, e->now);
		return;
	}
	b->cause_step = CAUSE_RESTART;
	if (b->cause_read)
		b->restart_cause = b->cause_read;
	b->cause_read = 0;
	b->power_due_ms = e->now;
	bmc_want(e, b, PROC_LIVE, e->now);
}

const struct procedure_table watch_urgent_procedure = {urgent_fill, urgent_done, {500, 1000}, 1400};
const struct procedure_table watch_live_procedure = {live_fill, live_done, {0, 0}, 1000};
const struct procedure_table watch_identity_procedure = {identity_fill, identity_done, {500, 1000}, 1500};
const struct procedure_table watch_cause_procedure = {cause_fill, cause_done, {500, 1000}, 1500};
