/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks for weaknesses of a BMC, once at first contact and then once a day: which cipher suites it offers (IPMI 2.0,
 * 22.15), whether it would take suite 0, which lets everybody command it (only Open Session is asked, 13.17; no session
 * is opened), and, where the configuration says so, whether a maker's well-known password is still there. That one is
 * found out from RAKP 2 alone, which proves to us that the BMC has the password: it never learns what was tried, so
 * nobody is locked out. Called by engine.c; session.c sends and receives. */
#include <freeipmi/freeipmi.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ipmi/bmc.h"
#include "ipmi/suites.h"

enum { CMD_CIPHER_SUITES = 0x54, THIS_CHANNEL = 0x0e, LIST_BY_SUITE = 0x80 };
enum { STEP_LIST, STEP_SUITE_0, STEP_OPEN, STEP_RAKP1, STEP_END };
enum { DAY_MS = 86400000, SOON_MS = 3000, SPREAD_MS = 300000, AGAIN_MS = 600000 };

/* Published defaults of makers. */
static const struct {
	const char *user, *password;
} defaults[] = {{"ADMIN", "ADMIN"}, {"root", "calvin"},     {"USERID", "PASSW0RD"}, {"admin", "admin"},
		{"root", "changeme"}, {"Administrator", "admin"}, {"root", "root"}};

struct probe {
	uint8_t step, which; /* which: of the defaults */
	uint8_t list[SUITE_RECORDS_MAX];
	size_t list_size;
	bool accepted, matched;
	struct rmcpp_session session;
};

void probe_forget(struct bmc *b)
{
	if (b->probe)
		explicit_bzero(b->probe, sizeof(*b->probe));
	free(b->probe);
	b->probe = NULL;
}

void probe_first(struct bmc_engine *e, struct bmc *b)
{
	if (e->settings.records)
		bmc_want(e, b, PROC_PROBE, e->now + SOON_MS + (e->counts.targets < 100 ? 0 : b->hash % SPREAD_MS));
}

static void end(struct bmc_engine *e, struct bmc *b, int64_t again_ms)
{
	probe_forget(b);
	bmc_want(e, b, PROC_PROBE, e->now + again_ms);
}

static void go(struct bmc_engine *e, struct bmc *b, int step)
{
	b->probe->step = (uint8_t)step;
	bmc_want(e, b, PROC_PROBE, e->now);
}

/* --- handshake messages ------------------------------------------------------------------------------ */

static void begin_session(struct bmc_engine *e, struct bmc *b)
{
	struct rmcpp_session *s = &b->probe->session;
	const char *user = b->probe->step == STEP_SUITE_0 ? "" : defaults[b->probe->which].user;

	memset(s, 0, sizeof(*s));
	if (b->probe->step == STEP_SUITE_0)
		packets_suite_none(s);
	else
		packets_suite(s, b->suite);
	e->hands.random(e->hands.arg, &s->tag, 1);
	e->hands.random(e->hands.arg, s->console_random, sizeof(s->console_random));
	do
		e->hands.random(e->hands.arg, &s->console_id, sizeof(s->console_id));
	while (s->console_id == 0);
	s->privilege = IPMI_PRIVILEGE_LEVEL_USER;
	s->user_size = (uint8_t)strlen(user);
	memcpy(s->user, user, s->user_size);
}

size_t probe_packet(struct bmc_engine *e, struct bmc *b, uint8_t *out)
{
	struct rmcpp_session *s = &b->probe->session;

	return b->probe->step == STEP_RAKP1 ? packets_make_rakp1(e->packets, s, out)
					    : packets_make_open(e->packets, s, s->privilege, out);
}

bool probe_datagram(struct bmc_engine *e, struct bmc *b, enum packet_kind kind, uint32_t console_id, const uint8_t *data,
		    size_t size)
{
	struct probe *p = b->probe;
	int status = READ_GARBAGE;

	if (!p || (console_id != p->session.console_id && console_id != 0))
		return false;
	if (kind == PACKET_OPEN && (p->step == STEP_SUITE_0 || p->step == STEP_OPEN))
		status = packets_read_open(e->packets, &p->session, 0, data, size);
	else if (kind == PACKET_RAKP2 && p->step == STEP_RAKP1) {
		const char *password = defaults[p->which].password;
		struct bmc_secret secret = {.password_size = (uint8_t)strlen(password)};
		memcpy(secret.password, password, secret.password_size);
		status = packets_read_rakp2(e->packets, &p->session, &secret, b->workarounds, data, size);
	}
	if (status == READ_GARBAGE)
		return false;
	p->accepted = status == RMCPPLUS_STATUS_NO_ERRORS;
	return true;
}

/* --- the procedure ------------------------------------------------------------------------------------ */

static bool probe_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	if (b->state == BMC_SILENT || !b->identified) {
		b->at[PROC_PROBE] = e->now + AGAIN_MS;
		return false;
	}
	if (!b->probe)
		b->probe = mem_zalloc(sizeof(*b->probe));
	b->probe->accepted = false;
	*c = (struct ipmi_command){.netfn = IPMI_NET_FN_APP_RQ};
	if (b->probe->step == STEP_LIST) {
		*sessionless = true;
		c->command = CMD_CIPHER_SUITES;
		c->size = 3;
		c->data[0] = THIS_CHANNEL;
		c->data[2] = (uint8_t)(LIST_BY_SUITE | b->probe->list_size / SUITE_CHUNK);
		return true;
	}
	if (b->probe->step != STEP_RAKP1)
		begin_session(e, b);
	else
		b->probe->session.tag++;
	c->probe = true;
	return true;
}

static void defaults_next(struct bmc_engine *e, struct bmc *b)
{
	struct probe *p = b->probe;

	if (p->which < COUNT_OF(defaults) && !p->matched) {
		go(e, b, STEP_OPEN);
		return;
	}
	b->defaults_looked = true;
	watch_finding(e, b, BMC_FINDING_DEFAULT_PASSWORD, p->matched);
	end(e, b, DAY_MS);
}

static void take_list(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct probe *p = b->probe;
	size_t got = r && r->completion == IPMI_COMP_CODE_COMMAND_SUCCESS && r->size > 1 ? r->size - 1U : 0;

	if (got > SUITE_CHUNK)
		got = SUITE_CHUNK;
	memcpy(p->list + p->list_size, r ? r->data + 1 : p->list, got);
	p->list_size += got;
	if (got == SUITE_CHUNK && p->list_size + SUITE_CHUNK <= sizeof(p->list)) {
		go(e, b, STEP_LIST);
		return;
	}
	uint32_t before = b->suites;
	b->suites = suites_parse(p->list, p->list_size);
	watch_finding(e, b, BMC_FINDING_WEAK_SUITE, (b->suites & SUITES_WEAK) != 0);
	if (b->suites != before)
		watch_facts(e, b);
	go(e, b, STEP_SUITE_0);
}

static void probe_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	struct probe *p = b->probe;

	if (!p)
		return;
	switch (p->step) {
	case STEP_LIST: /* not every BMC knows this command */
		take_list(e, b, reply);
		break;
	case STEP_SUITE_0:
		if (error == BMC_OK) /* no answer proves nothing */
			watch_finding(e, b, BMC_FINDING_SUITE0, p->accepted);
		if (b->probe_defaults && !b->defaults_looked)
			defaults_next(e, b);
		else
			end(e, b, DAY_MS);
		break;
	case STEP_OPEN:
		if (p->accepted)
			go(e, b, STEP_RAKP1);
		else
			end(e, b, AGAIN_MS); /* no slot free: another time */
		break;
	default:
		p->matched = error == BMC_OK && p->accepted;
		p->which++;
		defaults_next(e, b);
		break;
	}
}

const struct procedure_table probe_procedure = {probe_fill, probe_done, {500, 1000}, 1500};
