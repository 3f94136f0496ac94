/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's session and the dispatch of its PDUs; see serve.h. */
#include "mibs/agent/serve.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "mibs/agent/message.h"
#include "mibs/agent/transport.h"

#define DATAGRAMS_A_ROUND 64 /* so that the channel to the engine is not starved */
#define WAITING_MAX 32
#define TRIES_MAX 40 /* of a read; some ms between them: longer than a loaded machine stops its engine */

/* A read that is to be tried again, as it came: it must prove itself anew. */
struct waiting {
	uint8_t *bytes;
	size_t size;
	struct transport_peer peer;
	int tries;
};

struct serve {
	struct waiting waiting[WAITING_MAX];
	size_t waiting_count;
	void *session;
	int fd;
	const struct walk *walk;
	struct edit *edit;
	int64_t now_ms;
	uint64_t handled;
	netsnmp_large_fd_set set;
};

static void respond(void *arg, netsnmp_pdu *response)
{
	struct serve *s = arg;

	if (response && !snmp_sess_send(s->session, response))
		snmp_free_pdu(response);
}

/* False: a row was busy, nothing was sent. */
static bool try_read(struct serve *s, const uint8_t *bytes, size_t size, const struct transport_peer *peer, bool last, bool *declined)
{
	const uint8_t *answer;
	size_t answer_size;
	enum message_result result = message_read(bytes, size, s->walk, last, s->now_ms, &answer, &answer_size);

	*declined = result == MESSAGE_DECLINED;
	if (result == MESSAGE_ANSWERED)
		transport_give(s->fd, answer, answer_size, peer);
	return result != MESSAGE_BUSY;
}

bool serve_waits(const struct serve *s)
{
	return s->waiting_count > 0;
}

void serve_again(struct serve *s, int64_t now_ms)
{
	size_t kept = 0;
	bool declined; /* its user went away meanwhile */

	s->now_ms = now_ms;
	for (size_t i = 0; i < s->waiting_count; i++) {
		struct waiting w = s->waiting[i];
		if (try_read(s, w.bytes, w.size, &w.peer, ++w.tries >= TRIES_MAX, &declined))
			free(w.bytes);
		else
			s->waiting[kept++] = w;
	}
	s->waiting_count = kept;
}

static void wait_for_row(struct serve *s, const uint8_t *bytes, size_t size, const struct transport_peer *peer)
{
	struct waiting *w = &s->waiting[s->waiting_count++];

	*w = (struct waiting){.bytes = mem_zalloc(size), .size = size, .peer = *peer};
	memcpy(w->bytes, bytes, size);
}

void serve_datagram(struct serve *s, const uint8_t *bytes, size_t size, const struct transport_peer *peer)
{
	bool declined;

	if (!try_read(s, bytes, size, peer, s->waiting_count == WAITING_MAX, &declined))
		wait_for_row(s, bytes, size, peer);
	if (!declined) {
		s->handled++;
		return;
	}
	transport_feed(bytes, size, peer);
	NETSNMP_LARGE_FD_ZERO(&s->set);
	NETSNMP_LARGE_FD_SET(s->fd, &s->set);
	snmp_sess_read2(s->session, &s->set);
}

static void handle(struct serve *s, const netsnmp_pdu *pdu)
{
	struct access access;

	if (pdu->version != SNMP_VERSION_2c && pdu->version != SNMP_VERSION_3)
		return;
	bool known = access_of(pdu, &access);
	if (!known && pdu->version == SNMP_VERSION_2c)
		return; /* a wrong community gets silence */
	switch (pdu->command) {
	case SNMP_MSG_GET:
	case SNMP_MSG_GETNEXT:
	case SNMP_MSG_GETBULK:
		s->handled++;
		if (known) /* what the library reads and message.h does not is coded in a way nobody uses */
			respond(s, respond_status(pdu, SNMP_ERR_GENERR, 0));
		break;
	case SNMP_MSG_SET:
		s->handled++;
		if (known)
			edit_request(s->edit, pdu, &access, s->walk, s->now_ms);
		break;
	default: /* traps, informs and responses are not for an agent */
		return;
	}
	if (!known)
		respond(s, respond_status(pdu, SNMP_ERR_AUTHORIZATIONERROR, 0));
}

static int on_pdu(int operation, netsnmp_session *session, int request, netsnmp_pdu *pdu, void *magic)
{
	(void)session;
	(void)request;
	if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu)
		handle(magic, pdu);
	return 1;
}

struct serve *serve_new(int fd, const struct walk *walk, serve_command *send_command, void *arg)
{
	struct serve *s = mem_zalloc(sizeof *s);
	netsnmp_transport *transport = transport_prepare(fd) ? transport_fed(fd) : NULL;
	netsnmp_session template;

	if (!transport) {
		log_error("agent: the socket that was handed over is no UDP socket");
		free(s);
		return NULL;
	}
	snmp_sess_init(&template);
	template.version = SNMP_DEFAULT_VERSION;
	template.callback = on_pdu;
	template.callback_magic = s;
	template.authenticator = NULL;
	template.isAuthoritative = SNMP_SESS_AUTHORITATIVE;
	s->fd = fd;
	s->walk = walk;
	s->session = snmp_sess_add(&template, transport, NULL, NULL);
	if (!s->session) {
		log_error("agent: net-snmp refuses the session: %s", snmp_api_errstring(snmp_errno));
		free(s);
		return NULL;
	}
	struct edit_owner owner = {.send_command = send_command, .respond = respond, .command_arg = arg, .respond_arg = s};
	s->edit = edit_new(&owner);
	netsnmp_large_fd_set_init(&s->set, FD_SETSIZE);
	return s;
}

void serve_free(struct serve *s)
{
	if (!s)
		return;
	edit_free(s->edit);
	for (size_t i = 0; i < s->waiting_count; i++)
		free(s->waiting[i].bytes);
	snmp_sess_close(s->session);
	netsnmp_large_fd_set_cleanup(&s->set);
	free(s);
}

void serve_ready(struct serve *s, int64_t now_ms)
{
	static struct transport_batch batch;
	size_t count, taken = 0;

	s->now_ms = now_ms;
	do {
		count = transport_take(s->fd, &batch);
		for (size_t i = 0; i < count; i++)
			serve_datagram(s, batch.datagrams[i].bytes, batch.datagrams[i].size, &batch.datagrams[i].peer);
		taken += count;
	} while (count == TRANSPORT_BATCH && taken < DATAGRAMS_A_ROUND);
}

void serve_reply(struct serve *s, const struct msg_reply *reply)
{
	edit_reply(s->edit, reply);
}

void serve_tick(struct serve *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	edit_tick(s->edit, now_ms);
}

uint64_t serve_handled(const struct serve *s)
{
	return s->handled;
}

uint64_t serve_garbage(void)
{
	static const int kinds[] = {STAT_SNMPINASNPARSEERRS,	 STAT_SNMPINBADVERSIONS,	 STAT_SNMPINVALIDMSGS,
				    STAT_SNMPUNKNOWNSECURITYMODELS, STAT_USMSTATSUNSUPPORTEDSECLEVELS, STAT_USMSTATSNOTINTIMEWINDOWS,
				    STAT_USMSTATSUNKNOWNUSERNAMES,  STAT_USMSTATSWRONGDIGESTS,	 STAT_USMSTATSDECRYPTIONERRORS};
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		sum += snmp_get_statistic(kinds[i]);
	return sum;
}
