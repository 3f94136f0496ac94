/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words for the states of the witnesses; see evidence.h. */
#include "api/evidence.h"

#include "base/memory.h"

struct saying {
	const char *state, *text;
};

static const struct saying agent[] = {
    [STATE_NA] = {"none", "no SNMP agent is known here"},
    [STATE_ANS] = {"answers", "the SNMP agent answers"},
    [STATE_LATE] = {"late", "the SNMP agent answers after 1 to 4 s"},
    [STATE_PEND] = {"pending", "the SNMP agent is being asked"},
    [STATE_SILENT] = {"silent", "the SNMP agent does not answer"},
    [STATE_REFUSED] = {"refused", "nobody listens on the SNMP port"},
};
static const struct saying kernel[] = {
    [STATE_NA] = {"none", "the kernel cannot be asked: echo and TCP are filtered"},
    [STATE_ANS] = {"answers", "the kernel answers"},
    [STATE_PEND] = {"pending", "the kernel is being asked"},
    [STATE_SILENT] = {"silent", "the kernel does not answer"},
};
static const struct saying userland[] = {
    [STATE_NA] = {"none", "programs were not asked"},
    [STATE_ANS] = {"answers", "a program greets on its TCP port"},
    [STATE_PEND] = {"pending", "programs are being asked"},
    [STATE_SILENT] = {"silent", "no program greets on its TCP port"},
};
static const struct saying bmc[] = {
    [BMC_NA] = {"none", "the BMC says nothing about power"},   [BMC_ON] = {"on", "the BMC says that the power is on"},
    [BMC_OFF] = {"off", "the BMC says that the power is off"}, [BMC_PEND] = {"pending", "the BMC is being asked"},
    [BMC_SILENT] = {"silent", "the BMC does not answer"},
};
static const struct saying port[] = {
    [PORT_NA] = {"none", "its switch port is not known"},
    [PORT_DOWN] = {"down", "its switch port is down"},
    [PORT_MOVING] = {"moving", "its switch port still receives from it"},
    [PORT_STILL] = {"still", "its switch port is up and receives nothing"},
};
static const struct saying errors[] = {
    [BMC_NO_ANSWER] = {"no-answer", "the BMC did not answer the last request"},
    [BMC_PASSWORD] = {"password", "the BMC refuses the password"},
    [BMC_USER] = {"user", "the BMC does not know the user"},
    [BMC_KG] = {"kg", "the BMC wants another Kg key"},
    [BMC_SUITE] = {"suite", "the BMC refuses the cipher suite"},
    [BMC_PRIVILEGE] = {"privilege", "the BMC refuses the privilege"},
    [BMC_BUSY] = {"busy", "the BMC is busy"},
    [BMC_SLOTS_FULL] = {"slots-full", "the BMC has no free session"},
    [BMC_SESSION_LOST] = {"session-lost", "the BMC lost the session"},
    [BMC_UNSUPPORTED] = {"unsupported", "the BMC cannot do what was asked"},
    [BMC_COMPLETION] = {"completion", "the BMC refused the last command"},
    [BMC_NOT_REACHED] = {"not-reached", "the power state asked for was not reached"},
    [BMC_GUID_CHANGED] = {"guid-changed", "another BMC answers than the one known"},
    [BMC_GARBAGE] = {"garbage", "the BMC sent what cannot be read"},
};

static void say(struct emit *out, const char *witness, const struct saying *list, size_t count, unsigned state)
{
	if (state >= count || !list[state].state)
		return;
	emit_open(out, '{');
	emit_key(out, "witness");
	emit_string(out, witness);
	emit_key(out, "state");
	emit_string(out, list[state].state);
	emit_key(out, "text");
	emit_string(out, list[state].text);
	emit_close(out, '}');
}

void evidence_emit(struct emit *out, const struct node_row *n)
{
	emit_key(out, "evidence");
	emit_open(out, '[');
	say(out, "agent", agent, COUNT_OF(agent), n->witness[WITNESS_S]);
	say(out, "kernel", kernel, COUNT_OF(kernel), n->witness[WITNESS_K]);
	say(out, "userland", userland, COUNT_OF(userland), n->witness[WITNESS_U]);
	say(out, "bmc", bmc, COUNT_OF(bmc), n->witness[4]);
	say(out, "port", port, COUNT_OF(port), n->port_state);
	say(out, "bmc-error", errors, COUNT_OF(errors), n->bmc_error);
	emit_close(out, ']');
}
