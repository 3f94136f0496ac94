/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power verbs with read-back: read the state, compare the GUID, send Chassis Control (IPMI 2.0, 28.3), read until the
 * state is reached or the time is out. The BMC's "ok" means accepted, nothing more. Called by engine.c through the
 * table of procedures. */
#include <freeipmi/freeipmi.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "ipmi/bmc.h"

enum { CMD_CHASSIS_CONTROL = 0x02, CMD_CHASSIS_IDENTIFY = 0x04, IDENTIFY_S = 15 };
enum { POLL_MS = 500, RETRY_MS = 1000, SILENT_MS = 10000, REPEAT_MS = 8000, REPEATS = 3, OFF_READS = 2 };
enum { DEADLINE_DEFAULT_MS = 60000, DEADLINE_MOST_MS = 3600000 };
enum { STEP_READ, STEP_COMMAND, STEP_POLL };

/* What a verb sends and what must be read afterwards (enum power; POWER_UNKNOWN: nothing). */
static const struct verb {
	uint8_t command, data, wanted;
	bool once;   /* a second one would act a second time */
	bool repeat; /* sent again while the state is not reached */
} verbs[POWER_VERB_COUNT] = {
    [POWER_VERB_ON] = {CMD_CHASSIS_CONTROL, IPMI_CHASSIS_CONTROL_POWER_UP, POWER_ON, false, true},
    [POWER_VERB_OFF] = {CMD_CHASSIS_CONTROL, IPMI_CHASSIS_CONTROL_POWER_DOWN, POWER_OFF, false, true},
    [POWER_VERB_SOFT] = {CMD_CHASSIS_CONTROL, IPMI_CHASSIS_CONTROL_INITIATE_SOFT_SHUTDOWN, POWER_OFF, false, false},
    [POWER_VERB_RESET] = {CMD_CHASSIS_CONTROL, IPMI_CHASSIS_CONTROL_HARD_RESET, POWER_ON, true, false},
    [POWER_VERB_IDENTIFY] = {CMD_CHASSIS_IDENTIFY, IDENTIFY_S, POWER_UNKNOWN, false, false},
};

static void send_result(struct bmc_engine *e, const struct bmc *b, const struct power_job *j, enum bmc_error error,
			const char *text)
{
	struct msg_power_result m = {.job = j->id,
				     .slot = b->slot,
				     .generation = b->generation,
				     .verb = j->verb,
				     .error = (int32_t)error,
				     .state = j->state,
				     .completion = j->completion,
				     .took_ms = (uint32_t)(e->now - j->started_ms)};

	text_copy(m.text, sizeof(m.text), text);
	e->hands.result(e->hands.arg, &m);
}

void power_end(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const char *text)
{
	struct power_job j = b->job;

	memset(&b->job, 0, sizeof(b->job));
	b->at[PROC_POWER] = NEVER;
	send_result(e, b, &j, error, text);
}

void power_start(struct bmc_engine *e, struct bmc *b, const struct msg_power *power)
{
	struct power_job j = {.id = power->job,
			      .verb = (uint8_t)power->verb,
			      .step = STEP_READ,
			      .state = POWER_UNKNOWN,
			      .started_ms = e->now,
			      .answered_ms = e->now};
	uint32_t deadline_ms = power->deadline_ms ? power->deadline_ms : DEADLINE_DEFAULT_MS;

	if (b->job.id == power->job && b->job.id)
		return; /* the same order again, while it is being carried out */
	j.deadline_ms = e->now + (deadline_ms < DEADLINE_MOST_MS ? deadline_ms : DEADLINE_MOST_MS);
	if (b->job.id) {
		send_result(e, b, &j, BMC_BUSY, "another power command is being carried out");
		return;
	}
	if (power->verb >= COUNT_OF(verbs) || !verbs[power->verb].command || !power->job) {
		send_result(e, b, &j, BMC_UNSUPPORTED, "no such power command at a bmc");
		return;
	}
	b->job = j;
	bmc_want(e, b, PROC_POWER, e->now);
}

void power_late(struct bmc_engine *e, struct bmc *b)
{
	char text[128];
	bool heard = b->last_heard_ms >= b->job.started_ms;

	if (b->flight.kind && b->flight.procedure == PROC_POWER)
		session_abandon_flight(e, b);
	text_format(text, sizeof(text), "%s, read %s when the time was over",
		    b->job.sends ? "accepted" : "not accepted", power_name(b->job.state));
	power_end(e, b, heard ? BMC_NOT_REACHED : BMC_NO_ANSWER, heard ? text : bmc_error_text(BMC_NO_ANSWER));
}

static bool power_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	const struct verb *v = &verbs[b->job.verb];

	(void)sessionless;
	if (!b->job.id)
		return false;
	if (b->job.step != STEP_COMMAND) {
		watch_command_chassis(c);
		return true;
	}
	*c = (struct ipmi_command){
	    .netfn = IPMI_NET_FN_CHASSIS_RQ, .command = v->command, .size = 1, .once = v->once, .data = {v->data}};
	b->job.sent_ms = e->now;
	return true;
}

/* True when the state that was just read is what the verb wants; off counts when it was read twice. */
static bool reached(struct bmc *b)
{
	uint8_t wanted = verbs[b->job.verb].wanted;

	b->job.state = b->state == BMC_ON ? POWER_ON : POWER_OFF;
	b->job.off_reads = b->job.state == POWER_OFF ? b->job.off_reads + 1 : 0;
	return b->job.state == wanted && (wanted != POWER_OFF || b->job.off_reads >= OFF_READS);
}

static void end_reached(struct bmc_engine *e, struct bmc *b)
{
	char text[128];

	text_format(text, sizeof(text), "%s%s, read back%s after %u ms", b->job.sends ? "" : "was already ",
		    power_name(b->job.state), b->job.state == POWER_OFF ? " twice" : "",
		    (unsigned)(e->now - b->job.started_ms));
	power_end(e, b, BMC_OK, text);
}

/* The state before the command: is there anything to do, and is it the right machine? */
static void first_read(struct bmc_engine *e, struct bmc *b)
{
	uint8_t wanted = verbs[b->job.verb].wanted;
	bool there = reached(b);

	if (b->guid_changed)
		power_end(e, b, BMC_GUID_CHANGED, "not executed: the bmc's guid is not the recorded one");
	else if (b->job.verb == POWER_VERB_RESET && b->job.state == POWER_OFF)
		power_end(e, b, BMC_NOT_REACHED, "not executed: it is off, so there is nothing to reset");
	else if (b->job.verb == POWER_VERB_RESET || b->job.state != wanted) {
		b->job.step = STEP_COMMAND;
		bmc_want(e, b, PROC_POWER, e->now);
	} else if (there)
		end_reached(e, b);
	else
		bmc_want(e, b, PROC_POWER, e->now + POLL_MS);
}

static void accepted(struct bmc_engine *e, struct bmc *b)
{
	b->job.sends++;
	b->job.off_reads = 0;
	if (verbs[b->job.verb].wanted == POWER_UNKNOWN) {
		power_end(e, b, BMC_OK, "accepted");
		return;
	}
	b->job.step = STEP_POLL;
	bmc_want(e, b, PROC_POWER, e->now + POLL_MS / 2);
}

static void polled(struct bmc_engine *e, struct bmc *b)
{
	if (reached(b)) {
		end_reached(e, b);
		return;
	}
	if (verbs[b->job.verb].repeat && b->job.off_reads == 0 && b->job.sends < REPEATS &&
	    e->now - b->job.sent_ms > REPEAT_MS)
		b->job.step = STEP_COMMAND; /* seen: accepted, and nothing happened */
	bmc_want(e, b, PROC_POWER, e->now + POLL_MS);
}

static void failed(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	char text[128] = "", what[80];
	bool passes =
	    error == BMC_NO_ANSWER || error == BMC_BUSY || error == BMC_SESSION_LOST || error == BMC_SLOTS_FULL;

	if (reply)
		b->job.completion = reply->completion;
	if (error == BMC_NO_ANSWER && b->job.step == STEP_COMMAND && verbs[b->job.verb].once) {
		power_end(e, b, BMC_SESSION_LOST, "sent, but its answer was lost: whether it acted is not known");
		return;
	}
	if (passes && (error != BMC_NO_ANSWER || b->job.step == STEP_POLL || e->now - b->job.answered_ms < SILENT_MS)) {
		bmc_want(e, b, PROC_POWER, e->now + RETRY_MS);
		return;
	}
	if (reply && ipmi_completion_code_strerror_r(b->flight.command.command, IPMI_NET_FN_CHASSIS_RQ,
						     reply->completion, what, sizeof(what)) == 0)
		text_format(text, sizeof(text), "completion code %02x: %.80s", reply->completion, what);
	else
		text_format(text, sizeof(text), "%s: %s", bmc_error_text(error), bmc_error_remedy(error));
	power_end(e, b, error, text);
}

static void power_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	if (!b->job.id)
		return;
	if (error == BMC_OK && b->job.step != STEP_COMMAND && !watch_parse_chassis(e, b, reply))
		error = BMC_GARBAGE;
	if (error != BMC_OK) {
		failed(e, b, error, reply);
		return;
	}
	b->job.answered_ms = e->now;
	if (b->job.step == STEP_READ)
		first_read(e, b);
	else if (b->job.step == STEP_COMMAND)
		accepted(e, b);
	else
		polled(e, b);
}

const struct procedure_table power_procedure = {power_fill, power_done, {500, 1000}, 1500};
