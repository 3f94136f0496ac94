/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receivers, their sessions and what is sent on them; see notify.h. A receiver's session is never closed inside one of its own
 * callbacks: they only note what happened, the next tick acts on it. */
#include "mibs/agent/access.h"

#include "mibs/agent/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/agent/event.h"
#include "mibs/agent/own.h"
#include "mibs/agent/transport.h"
#include "mibs/agent/window.h"

#define ANSWER_MS 2000 /* an inform not acknowledged by then is lost */
#define PROBE_GAP_MS 1000
#define SECRET_GAP_MS 10000
#define SYSLOG_MAX 1024
#define ENGINE_MAX 32
#define LOST_BEFORE_DISCOVERY 2
#define BURST 32 /* datagrams that nobody acknowledges, in BURST_GAP_MS: so that they fit into a receiver's socket */
#define BURST_GAP_MS 200

/* Stands for an engine whose id is not known yet; no engine has it. The library would stop the whole process in a discovery
 * of its own if it were given none; any engine answers an id that is not its own by a report that names it. */
static const u_char nobody_engine[] = {0x80, 0, 0, 0, 5, 'd', 'i', 's', 'c', 'o', 'v', 'e', 'r'};

enum stage { STAGE_SECRET, STAGE_DISCOVER, STAGE_READY };

struct receiver {
	struct receiver *next;
	struct notify *notify;
	struct msg_receiver config;
	enum stage stage;
	char secret[sizeof ((struct msg_secret *)0)->text];
	int fd;
	void *session;
	struct loop_fd *watch;
	bool drained, probing, start_over;
	uint8_t engine[ENGINE_MAX];
	size_t engine_length;
	unsigned lost_in_a_row;
	int64_t next_ms; /* of asking for the secret, or for the engine id */
	struct window window;
	struct log_damper damper;
	netsnmp_large_fd_set set;
};

struct notify {
	struct loop *loop;
	struct notify_owner owner;
	struct receiver *first;
};

static bool is_v3(const struct receiver *r)
{
	return r->config.kind == RECEIVER_TRAP_V3 || (r->config.kind == RECEIVER_INFORM && r->config.version == SNMP_V3);
}

static bool needs_discovery(const struct receiver *r)
{
	return r->config.kind == RECEIVER_INFORM && is_v3(r);
}

static void complain(struct receiver *r, const char *what, const char *remedy)
{
	unsigned held;

	if (log_damper_pass(&r->damper, clock_mono_ms(), &held))
		log_warning("notify %s: %s: %s (%u more)", r->config.name, what, remedy, held);
}

/* --- sessions ----------------------------------------------------------------------------------------- */

static void close_session(struct receiver *r)
{
	loop_fd_remove(r->watch);
	r->watch = NULL;
	if (r->session)
		snmp_sess_close(r->session); /* callbacks of what is under way are not called: it was put back before */
	r->session = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->probing = false;
}

static int connect_socket(struct receiver *r)
{
	struct sockaddr_storage to;
	socklen_t size = address_to_sockaddr(&r->config.address, &to);

	r->fd = size ? socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&to, size)) {
		complain(r, "its address cannot be reached", strerror(errno));
		close_session(r);
		return -1;
	}
	return 0;
}

static void on_readable(void *arg, int what)
{
	struct receiver *r = arg;
	(void)what;

	r->drained = false;
	for (int i = 0; i < NOTIFY_WINDOW && !r->drained; i++) {
		NETSNMP_LARGE_FD_ZERO(&r->set);
		NETSNMP_LARGE_FD_SET(r->fd, &r->set);
		snmp_sess_read2(r->session, &r->set);
	}
}

static void fill_v3(struct receiver *r, netsnmp_session *s, uint8_t *own, size_t own_size)
{
	s->version = SNMP_VERSION_3;
	s->flags |= SNMP_FLAGS_DONT_PROBE;
	s->securityModel = SNMP_SEC_MODEL_USM;
	s->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
	s->securityName = r->config.user;
	s->securityNameLen = strlen(r->config.user);
	/* a notification's context is the engine it is about: ours (RFC 3413, section 3.3) */
	s->contextEngineID = own;
	s->contextEngineIDLen = snmpv3_get_engineID(own, own_size);
	s->securityEngineID = own;
	s->securityEngineIDLen = s->contextEngineIDLen;
	if (r->stage == STAGE_DISCOVER) {
		s->securityEngineID = (u_char *)(uintptr_t)nobody_engine;
		s->securityEngineIDLen = sizeof nobody_engine;
	} else if (needs_discovery(r)) {
		s->securityEngineID = r->engine;
		s->securityEngineIDLen = r->engine_length;
	}
}

static int open_session(struct receiver *r)
{
	netsnmp_session s;
	uint8_t own[64];
	char community[NAME_SIZE] = "";

	if (connect_socket(r))
		return -1;
	snmp_sess_init(&s);
	s.timeout = ANSWER_MS * 1000L;
	s.myvoid = r;
	s.retries = 0; /* the window tries again, in order */
	if (is_v3(r)) {
		fill_v3(r, &s, own, sizeof own);
	} else {
		access_secret_value(r->secret, "community", community, sizeof community);
		s.version = SNMP_VERSION_2c;
		s.community = (u_char *)community;
		s.community_len = strlen(community);
	}
	netsnmp_transport *t = transport_connected(r->fd, &r->drained);
	r->session = t ? snmp_sess_add(&s, t, NULL, NULL) : NULL;
	explicit_bzero(community, sizeof community);
	if (!r->session) {
		complain(r, "net-snmp refuses the session", snmp_api_errstring(snmp_errno));
		close_session(r);
		return -1;
	}
	r->watch = loop_fd_add(r->notify->loop, r->fd, LOOP_READ, on_readable, r);
	return 0;
}

/* --- engine id of an inform's receiver ------------------------------------------------------------------ */

/* The user without a name, with which an engine is asked for its id (RFC 3414, section 4). */
static void need_nobody(void)
{
	if (usm_get_user(nobody_engine, sizeof nobody_engine, ""))
		return;
	struct usmUser *u = usm_create_user();
	if (!u)
		return;
	u->engineID = mem_zalloc(sizeof nobody_engine);
	memcpy(u->engineID, nobody_engine, sizeof nobody_engine);
	u->engineIDLen = sizeof nobody_engine;
	u->name = mem_strdup("");
	u->secName = mem_strdup("");
	u->userStatus = RS_ACTIVE;
	u->userStorageType = ST_READONLY;
	usm_add_user(u);
}

static void engine_found(struct receiver *r, netsnmp_pdu *pdu)
{
	struct error e;

	if (pdu->securityEngineIDLen < 5 || pdu->securityEngineIDLen > ENGINE_MAX || snmpv3_get_report_type(pdu) != SNMPERR_UNKNOWN_ENG_ID)
		return;
	bool same = r->engine_length == pdu->securityEngineIDLen && !memcmp(r->engine, pdu->securityEngineID, r->engine_length);
	if (r->engine_length && !same)
		access_remove_usm(r->engine, r->engine_length, r->config.user);
	memcpy(r->engine, pdu->securityEngineID, pdu->securityEngineIDLen);
	r->engine_length = pdu->securityEngineIDLen;
	if (!same && access_install_usm(r->engine, r->engine_length, r->config.user, r->config.auth, r->config.priv, r->secret, &e)) {
		complain(r, e.text, e.remedy);
		r->engine_length = 0;
		r->next_ms = clock_mono_ms() + SECRET_GAP_MS;
		return;
	}
	r->lost_in_a_row = 0;
	r->stage = STAGE_READY;
	r->start_over = true; /* with a session that knows the engine */
}

static void discover_again(struct receiver *r)
{
	r->stage = STAGE_DISCOVER;
	r->start_over = true;
}

/* A receiver that was started again may have another engine id: it says so under the user's name, which the library does not
 * take from an engine without that user, so silence too leads to asking again. While it is away, only that small question is sent. */
static void lose(struct receiver *r, uint32_t try)
{
	window_lost(&r->window, try, clock_mono_ms());
	if (try && needs_discovery(r) && ++r->lost_in_a_row >= LOST_BEFORE_DISCOVERY)
		discover_again(r);
}

/* The other end does not take the user or the key: the secret is read again now and then, so that mending it is enough. */
static void refused(struct receiver *r, const char *what, const char *remedy)
{
	complain(r, what, remedy);
	if (r->engine_length)
		access_remove_usm(r->engine, r->engine_length, r->config.user);
	r->engine_length = 0;
	r->stage = STAGE_SECRET;
	r->next_ms = clock_mono_ms() + SECRET_GAP_MS;
	r->start_over = true;
}

static void on_report(struct receiver *r, netsnmp_pdu *pdu, uint32_t try)
{
	int type = snmpv3_get_report_type(pdu);

	if (!try) {
		engine_found(r, pdu);
		return;
	}
	lose(r, try);
	if (type == SNMPERR_UNKNOWN_ENG_ID)
		discover_again(r);
	else if (type == SNMPERR_UNKNOWN_USER_NAME)
		refused(r, "it does not know the user", "create the user there");
	else if (type == SNMPERR_AUTHENTICATION_FAILURE)
		refused(r, "it refuses the key", "use the same passphrases on both ends");
	else
		complain(r, "it reports", snmp_api_errstring(type));
}

static void acknowledge(struct receiver *r, uint32_t try)
{
	struct msg_notify event;
	struct msg_notify_done done = {0};

	r->lost_in_a_row = 0;
	if (!window_done(&r->window, try, &event))
		return;
	done.event = event.event;
	text_copy(done.receiver, sizeof done.receiver, r->config.name);
	r->notify->owner.done(r->notify->owner.arg, &done);
}

static void pump(struct receiver *r, int64_t now_ms);

static int on_answer(int operation, netsnmp_session *session, int request, netsnmp_pdu *pdu, void *magic)
{
	struct receiver *r = session->myvoid;
	uint32_t try = (uint32_t)(uintptr_t)magic; /* 0: the probe */
	bool answered = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu;
	(void)request;

	if (operation == NETSNMP_CALLBACK_OP_RESEND)
		return 1; /* the library sent it again after a report about the time: not an end */
	if (!try)
		r->probing = false;
	if (answered && pdu->command == SNMP_MSG_REPORT)
		on_report(r, pdu, try);
	else if (answered && pdu->command == SNMP_MSG_RESPONSE && pdu->errstat == 0)
		acknowledge(r, try);
	else
		lose(r, try);
	if (answered && !r->start_over)
		pump(r, clock_mono_ms());
	return 1;
}

static bool send_async(struct receiver *r, netsnmp_pdu *pdu, uint32_t try)
{
	if (pdu && snmp_sess_async_send(r->session, pdu, on_answer, (void *)(uintptr_t)try))
		return true;
	snmp_free_pdu(pdu);
	return false;
}

static void probe(struct receiver *r, int64_t now_ms)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);

	need_nobody();
	r->next_ms = now_ms + PROBE_GAP_MS;
	if (!pdu)
		return;
	pdu->version = SNMP_VERSION_3;
	pdu->securityModel = SNMP_SEC_MODEL_USM;
	pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	pdu->securityName = mem_strdup("");
	r->probing = send_async(r, pdu, 0);
}

/* --- sending ------------------------------------------------------------------------------------------ */

static void send_syslog(struct receiver *r, const struct msg_notify *event, uint32_t try)
{
	char line[SYSLOG_MAX];
	size_t size = event_syslog(event, r->notify->owner.own->name, line, sizeof line);

	if (send(r->fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
		acknowledge(r, try);
	else
		lose(r, try); /* also when the receiver's kernel said that nobody listens */
}

static void send_trap(struct receiver *r, netsnmp_pdu *pdu, uint32_t try)
{
	if (pdu && snmp_sess_send(r->session, pdu)) {
		acknowledge(r, try);
		return;
	}
	snmp_free_pdu(pdu);
	lose(r, try);
}

static void send_event(struct receiver *r, const struct msg_notify *event, uint32_t try)
{
	uint32_t uptime = own_uptime_cs(r->notify->owner.own);

	if (r->config.kind == RECEIVER_SYSLOG)
		send_syslog(r, event, try);
	else if (r->config.kind != RECEIVER_INFORM)
		send_trap(r, event_pdu(event, SNMP_MSG_TRAP2, uptime), try);
	else if (!send_async(r, event_pdu(event, SNMP_MSG_INFORM, uptime), try))
		lose(r, try);
}

static void ask_secret(struct receiver *r, int64_t now_ms)
{
	r->next_ms = now_ms + SECRET_GAP_MS;
	r->notify->owner.ask_secret(r->notify->owner.arg, SECRET_NOTIFY, r->config.credential);
}

static void pump(struct receiver *r, int64_t now_ms)
{
	const struct msg_notify *event;
	uint32_t try;

	if (r->stage == STAGE_SECRET) {
		if (now_ms >= r->next_ms)
			ask_secret(r, now_ms);
		return;
	}
	if (r->fd < 0 && (r->config.kind == RECEIVER_SYSLOG ? connect_socket(r) : open_session(r)))
		return;
	if (r->stage == STAGE_DISCOVER) {
		if (!r->probing && r->window.count && now_ms >= r->next_ms)
			probe(r, now_ms);
		return;
	}
	for (int burst = 0; (event = window_next(&r->window, now_ms, &try)); burst++) {
		send_event(r, event, try);
		if (r->config.kind != RECEIVER_INFORM && burst == BURST - 1)
			r->window.retry_ms = now_ms + BURST_GAP_MS;
	}
}

/* --- the list ----------------------------------------------------------------------------------------- */

struct notify *notify_new(struct loop *loop, const struct notify_owner *owner)
{
	struct notify *n = mem_zalloc(sizeof *n);

	n->loop = loop;
	n->owner = *owner;
	return n;
}

static void receiver_free(struct receiver *r)
{
	close_session(r);
	if (r->config.kind == RECEIVER_TRAP_V3 && r->stage == STAGE_READY) {
		uint8_t own[64];
		access_remove_usm(own, snmpv3_get_engineID(own, sizeof own), r->config.user);
	}
	if (r->engine_length)
		access_remove_usm(r->engine, r->engine_length, r->config.user);
	explicit_bzero(r->secret, sizeof r->secret);
	netsnmp_large_fd_set_cleanup(&r->set);
	free(r);
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	for (struct receiver *r = n->first, *next; r; r = next) {
		next = r->next;
		receiver_free(r);
	}
	free(n);
}

static bool receiver_is_sound(const struct msg_receiver *c)
{
	return c->kind >= RECEIVER_INFORM && c->kind <= RECEIVER_SYSLOG && text_terminated(c->name, sizeof c->name) &&
	       text_terminated(c->credential, sizeof c->credential) && text_terminated(c->user, sizeof c->user) && c->address.family &&
	       c->address.port;
}

static struct receiver *receiver_new(struct notify *n, const struct msg_receiver *config)
{
	struct receiver *r = mem_zalloc(sizeof *r);

	r->notify = n;
	r->config = *config;
	r->fd = -1;
	r->stage = config->kind == RECEIVER_SYSLOG ? STAGE_READY : STAGE_SECRET;
	window_begin(&r->window);
	netsnmp_large_fd_set_init(&r->set, FD_SETSIZE);
	return r;
}

/* Takes the receiver with exactly this configuration out of a list. */
static struct receiver *take_same(struct receiver **list, const struct msg_receiver *config)
{
	for (struct receiver **at = list; *at; at = &(*at)->next) {
		struct receiver *r = *at;
		if (memcmp(&r->config, config, sizeof *config) != 0)
			continue;
		*at = r->next;
		return r;
	}
	return NULL;
}

void notify_receivers(struct notify *n, const struct msg_receiver *receivers, size_t count)
{
	struct receiver *old = n->first;

	n->first = NULL;
	if (count > NOTIFY_RECEIVERS_MAX)
		log_warning("notify: %zu receivers: only the first %d are served", count, NOTIFY_RECEIVERS_MAX);
	for (size_t i = count < NOTIFY_RECEIVERS_MAX ? count : NOTIFY_RECEIVERS_MAX; i-- > 0;) {
		if (!receiver_is_sound(&receivers[i])) {
			log_warning("notify: a receiver without address, name or kind is left out");
			continue;
		}
		struct receiver *r = take_same(&old, &receivers[i]);
		if (!r)
			r = receiver_new(n, &receivers[i]);
		r->next = n->first;
		n->first = r;
	}
	for (struct receiver *r = old, *next; r; r = next) {
		next = r->next;
		receiver_free(r);
	}
	notify_tick(n, clock_mono_ms());
}

/* A trap's user is one of our own engine: it must not replace a user of the agent. */
static int install_own_user(struct receiver *r)
{
	uint8_t own[64];
	struct error e;

	if (access_is_user(r->config.user)) {
		complain(r, "its user is also one of the agent's", "name another user");
		return -1;
	}
	if (access_install_usm(own, snmpv3_get_engineID(own, sizeof own), r->config.user, r->config.auth, r->config.priv, r->secret, &e)) {
		complain(r, e.text, e.remedy);
		return -1;
	}
	return 0;
}

static void take_secret(struct receiver *r, const struct msg_secret *secret, int64_t now_ms)
{
	char community[NAME_SIZE];

	if (secret->status) {
		complain(r, "its secret cannot be had", error_name(secret->status));
		return;
	}
	text_copy(r->secret, sizeof r->secret, secret->text);
	bool good = is_v3(r) || access_secret_value(r->secret, "community", community, sizeof community);
	explicit_bzero(community, sizeof community);
	if (!good)
		complain(r, "its secret has no community", "write a line community=...");
	if (!good || (r->config.kind == RECEIVER_TRAP_V3 && install_own_user(r)))
		return;
	r->stage = needs_discovery(r) ? STAGE_DISCOVER : STAGE_READY;
	r->next_ms = 0;
	pump(r, now_ms);
}

void notify_secret(struct notify *n, const struct msg_secret *secret)
{
	for (struct receiver *r = n->first; r; r = r->next)
		if (r->stage == STAGE_SECRET && !strcmp(r->config.credential, secret->name))
			take_secret(r, secret, clock_mono_ms());
}

void notify_event(struct notify *n, const struct msg_notify *event)
{
	if (!event_is_sound(event)) {
		log_warning("notify: event %llu is malformed and is not sent", (unsigned long long)event->event);
		return;
	}
	for (struct receiver *r = n->first; r; r = r->next) {
		if (strcmp(r->config.name, event->receiver) != 0)
			continue;
		if (window_add(&r->window, event))
			pump(r, clock_mono_ms());
		return;
	}
}

void notify_tick(struct notify *n, int64_t now_ms)
{
	for (struct receiver *r = n->first; r; r = r->next) {
		if (r->session)
			snmp_sess_timeout(r->session);
		if (r->start_over) {
			r->start_over = false;
			for (size_t i = 0; i < r->window.count; i++)
				r->window.entries[i].tries = 0;
			close_session(r);
		}
		pump(r, now_ms);
	}
}

uint64_t notify_waiting(const struct notify *n)
{
	uint64_t sum = 0;

	for (const struct receiver *r = n->first; r; r = r->next)
		sum += r->window.count;
	return sum;
}
