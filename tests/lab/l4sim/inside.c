/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A simulated switch without a network: the reply to one request, for unit tests and fuzzers; see sim.h. */
#include <string.h>

#include "tests/lab/l4sim/sim.h"

#define SETS_MAX 16

static void add_cell(netsnmp_pdu *reply, const struct cell *c)
{
	snmp_pdu_add_variable(reply, c->name.id, c->name.length, c->type, c->bytes, c->size);
}

static netsnmp_pdu *read_cells(const netsnmp_pdu *request)
{
	netsnmp_pdu *reply = snmp_pdu_create(SNMP_MSG_RESPONSE);
	const netsnmp_variable_list *v = request->variables;
	size_t at = cells_at(&sim_cells, v->name, v->name_length);
	bool same = at < sim_cells.count && !snmp_oid_compare(sim_cells.list[at].name.id, sim_cells.list[at].name.length, v->name, v->name_length);

	reply->errstat = SNMP_ERR_NOERROR;
	if (request->command == SNMP_MSG_GET) {
		if (same)
			add_cell(reply, &sim_cells.list[at]);
		else
			snmp_pdu_add_variable(reply, v->name, v->name_length, SNMP_NOSUCHINSTANCE, NULL, 0);
		return reply;
	}
	at += same;
	for (long i = 0; i < request->max_repetitions && at < sim_cells.count; i++)
		add_cell(reply, &sim_cells.list[at++]);
	if (at == sim_cells.count)
		snmp_pdu_add_variable(reply, v->name, v->name_length, SNMP_ENDOFMIBVIEW, NULL, 0);
	return reply;
}

static size_t take_sets(const netsnmp_pdu *request, struct sim_set *sets)
{
	size_t n = 0;

	for (const netsnmp_variable_list *v = request->variables; v && n < SETS_MAX; v = v->next_variable, n++) {
		struct sim_set *s = &sets[n];
		memset(s, 0, sizeof *s);
		s->name.length = v->name_length < SIM_OID ? v->name_length : SIM_OID;
		memcpy(s->name.id, v->name, s->name.length * sizeof(oid));
		s->type = v->type;
		s->size = v->val_len < SIM_BYTES ? v->val_len : SIM_BYTES;
		memcpy(s->bytes, v->val.string, s->size);
		s->number = v->type == ASN_INTEGER || v->type == ASN_UNSIGNED ? *v->val.integer : 0;
	}
	return n;
}

netsnmp_pdu *sim_inside(const struct family *f, const netsnmp_pdu *request)
{
	static struct sim_set sets[SETS_MAX];
	size_t at = 0;

	f->tick(sim_now_ms());
	if (request->command != SNMP_MSG_SET)
		return read_cells(request);
	size_t count = take_sets(request, sets);
	bool passes = knobs.after-- > 0;
	int error = knobs.read_only ? SNMP_ERR_NOTWRITABLE : !passes && knobs.refuse-- > 0 ? SNMP_ERR_GENERR : f->check(sets, count, &at);
	bool dropped = !passes && !error && knobs.drop-- > 0, lost = !passes && !error && knobs.lose-- > 0;
	if (!error && !dropped)
		f->commit(sets, count);
	knobs.sets++;
	if (dropped || lost)
		return NULL;
	netsnmp_pdu *reply = snmp_pdu_create(SNMP_MSG_RESPONSE);
	reply->errstat = error;
	reply->errindex = error ? (long)at + 1 : 0;
	return reply;
}
