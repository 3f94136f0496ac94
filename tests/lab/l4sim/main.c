/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l4sim FAMILY ADDRESS CONTROL [KNOB=VALUE...]: a simulated L4 switch as an SNMP agent on ADDRESS ("udp:127.0.0.1:1161"); users and communities come
 * from l4sim.conf in SNMPCONFPATH. A whole SET is checked before any of it is done. See README.md. */
#include "tests/lab/l4sim/sim.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct family *const families[] = {&family_alteon, &family_serveriron, &family_cisco, &family_f5};
static const struct family *family;
static bool answers_set; /* the next packet out is the answer to a SET that was done */
static bool may_lose;    /* it is not one of those that are to pass */
static int (*real_send)(netsnmp_transport *, const void *, int, void **, int *);

int64_t sim_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int lossy_send(netsnmp_transport *t, const void *bytes, int size, void **opaque, int *opaque_size)
{
	bool lost = answers_set && may_lose && knobs.lose > 0;

	if (knobs.slow_ms)
		poll(NULL, 0, (int)knobs.slow_ms);
	knobs.lose -= lost;
	answers_set = false;
	return lost ? size : real_send(t, bytes, size, opaque, opaque_size);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static void answer(netsnmp_variable_list *v, const struct cell *cell)
{
	if (cell->type == ASN_COUNTER64) {
		struct counter64 c = {0};
		long number;
		memcpy(&number, cell->bytes, sizeof number);
		c.low = (u_long)number & 0xffffffff;
		c.high = (u_long)number >> 32;
		snmp_set_var_typed_value(v, cell->type, &c, sizeof c);
	} else {
		snmp_set_var_typed_value(v, cell->type, cell->bytes, cell->size);
	}
}

static void get(netsnmp_agent_request_info *info, netsnmp_request_info *q, const netsnmp_handler_registration *r)
{
	netsnmp_variable_list *v = q->requestvb;
	size_t at = cells_at(&sim_cells, v->name, v->name_length);
	bool same = at < sim_cells.count && !snmp_oid_compare(sim_cells.list[at].name.id, sim_cells.list[at].name.length, v->name, v->name_length);

	if (info->mode == MODE_GET) {
		if (same)
			answer(v, &sim_cells.list[at]);
		else
			netsnmp_set_request_error(info, q, SNMP_NOSUCHINSTANCE);
		return;
	}
	at += same;
	if (at < sim_cells.count && !snmp_oidtree_compare(sim_cells.list[at].name.id, sim_cells.list[at].name.length, r->rootoid, r->rootoid_len)) {
		snmp_set_var_objid(v, sim_cells.list[at].name.id, sim_cells.list[at].name.length);
		answer(v, &sim_cells.list[at]);
	}
}

/* --- setting -------------------------------------------------------------------------------------------- */

#define SETS_MAX 64

static size_t take_sets(netsnmp_request_info *q, struct sim_set *sets, netsnmp_request_info **rows)
{
	size_t n = 0;

	for (; q && n < SETS_MAX; q = q->next, n++) {
		const netsnmp_variable_list *v = q->requestvb;
		struct sim_set *s = &sets[n];
		memset(s, 0, sizeof *s);
		s->name.length = v->name_length < SIM_OID ? v->name_length : SIM_OID;
		memcpy(s->name.id, v->name, s->name.length * sizeof(oid));
		s->type = v->type;
		s->size = v->val_len < SIM_BYTES ? v->val_len : SIM_BYTES;
		memcpy(s->bytes, v->val.string, s->size);
		s->number = v->type == ASN_INTEGER || v->type == ASN_UNSIGNED ? *v->val.integer : 0;
		rows[n] = q;
	}
	return n;
}

static int refuses(const struct sim_set *sets, size_t count, size_t *at)
{
	*at = 0;
	if (knobs.read_only)
		return SNMP_ERR_NOTWRITABLE;
	if (knobs.refuse > 0 && knobs.after <= 0) {
		knobs.refuse--;
		return SNMP_ERR_GENERR;
	}
	return family->check(sets, count, at);
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *r, netsnmp_agent_request_info *info, netsnmp_request_info *q)
{
	static struct sim_set sets[SETS_MAX];
	netsnmp_request_info *rows[SETS_MAX];
	size_t at = 0, count;

	(void)handler;
	family->tick(sim_now_ms());
	switch (info->mode) {
	case MODE_GET:
	case MODE_GETNEXT:
		for (; q; q = q->next)
			if (!q->processed)
				get(info, q, r);
		break;
	case MODE_SET_RESERVE1:
		count = take_sets(q, sets, rows);
		int error = refuses(sets, count, &at);
		if (error)
			netsnmp_set_request_error(info, rows[at], error);
		break;
	case MODE_SET_COMMIT:
		count = take_sets(q, sets, rows);
		may_lose = knobs.after <= 0;
		knobs.after -= !may_lose;
		if (knobs.drop > 0 && may_lose) {
			/* nothing is done, and the answer goes the way of the lost ones */
			knobs.drop--;
			knobs.lose++;
		} else {
			family->commit(sets, count);
			knobs.sets++;
		}
		answers_set = true;
		break;
	default:
		break;
	}
	return SNMP_ERR_NOERROR;
}

static bool open_agent(const char *address)
{
	oid root[MAX_OID_LEN];
	size_t length = MAX_OID_LEN;

	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_PORTS, "none");
	setenv("MIBS", "", 1);
	init_agent("l4sim");
	if (!read_objid(family->root, root, &length) ||
	    netsnmp_register_handler(netsnmp_create_handler_registration("l4sim", handle, root, length, HANDLER_CAN_RWRITE)) != MIB_REGISTERED_OK)
		return false;
	init_snmp("l4sim");
	if (init_master_agent())
		return false;
	netsnmp_transport *t = netsnmp_transport_open_server("snmp", address);
	if (!t)
		return false;
	real_send = t->f_send;
	t->f_send = lossy_send;
	return netsnmp_register_agent_nsap(t) != 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 4 && i < sizeof families / sizeof families[0]; i++)
		if (!strcmp(families[i]->name, argv[1]))
			family = families[i];
	if (!family) {
		fprintf(stderr, "usage: l4sim alteon|serveriron|cisco-slb|f5 ADDRESS CONTROL [KNOB=VALUE...]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	snmp_enable_stderrlog();
	for (int i = 4; i < argc; i++)
		if (!control_assign(argv[i])) {
			fprintf(stderr, "l4sim: %s is no knob\n", argv[i]);
			return 2;
		}
	if (!open_agent(argv[2]) || !control_open(argv[3])) {
		fprintf(stderr, "l4sim: cannot serve on %s and %s\n", argv[2], argv[3]);
		return 1;
	}
	family->begin();
	for (;;)
		agent_check_and_process(1);
}
