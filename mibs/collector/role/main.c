/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-collector: the role that polls the nodes' agents and watches whether they live. It connects the watch (which
 * decides when whom to ask), the SNMP engine, echo and banners (which ask), and the engine role (which is told).
 * Started by gloryd only. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "mibs/collector/process.h"
#include "mibs/collector/role/role.h"
#include "mibs/snmp/usm.h"

enum {
	GATHER_MS = 20, /* with room for what comes meanwhile: two slots of the wheel are sent, their answers read, in one turn */
	TURN_MAX_MS = 100,
	LINK_MS = 100,
	STATS_MS = 1000,
	SLEPT_MS = 1000,
	WINDOW_LARGE = 512,
	SECRET = 16,
	SECRETS_EACH = 30 /* times the statistics were told, once a second */
};

_Static_assert((int)VALUE_INTEGER == (int)SAMPLE_INTEGER && (int)VALUE_MISSING == (int)SAMPLE_MISSING &&
		   (int)VALUE_COUNTER64 == (int)SAMPLE_COUNTER64,
	       "values are sent under the numbers of the messages");

enum { SOCKET_UDP4, SOCKET_UDP6, SOCKET_ICMP4, SOCKET_ICMP6, SOCKETS };

static struct main {
	struct collector c;
	int fds[SOCKETS], trap_fd;
	struct loop_fd *watches[SOCKETS];
	bool paused[SOCKETS];
	struct loop_timer *turn_timer, *stats_timer;
	int64_t due, link_due, slept; /* slept: boottime minus monotonic time */
	uint64_t polls_before, overflowed;
	unsigned stats_told;
	unsigned suspended;
	int64_t suspended_since;
	bool carrier;
} role = {.fds = {-1, -1, -1, -1}, .trap_fd = -1, .carrier = true};

/* --- what the watch wants done --------------------------------------------------------------------------- */

static bool send_get(void *arg, uint32_t slot, uint32_t token)
{
	struct collector *c = arg;

	return engine_get(c->engine, slot, token, c->now);
}

static void send_ahead(void *arg, uint32_t slot, bool near)
{
	const struct collector *c = arg;

	engine_ahead(c->engine, slot, near);
}

static bool send_poll(void *arg, uint32_t slot, uint32_t token)
{
	struct collector *c = arg;

	return engine_poll(c->engine, slot, token, c->now);
}

static bool send_echo(void *arg, uint32_t slot, uint32_t token)
{
	struct collector *c = arg;
	const union endpoint *to = engine_endpoint(c->engine, slot);

	return to && echo_send(c->echo, slot, token, to);
}

static bool ask_userland(void *arg, uint32_t slot, uint32_t token)
{
	struct collector *c = arg;
	const union endpoint *to = engine_endpoint(c->engine, slot);
	const struct target *t = target_at(c, slot);

	if (!to || !t)
		return false;
	union endpoint port = *to;
	if (port.any.sa_family == AF_INET6)
		port.v6.sin6_port = htons(t->userland_port);
	else
		port.v4.sin_port = htons(t->userland_port);
	return userland_ask(c->userland, slot, token, &port);
}

static void on_report(void *arg, const struct witness_report *report)
{
	struct collector *c = arg;

	outbox_witness(c->outbox, report);
}

static void tell_judge(struct collector *c)
{
	struct msg_judge m = {.since_ms = role.suspended_since,
			      .reasons = role.suspended,
			      .lateness_ms = loop_lateness_ms(c->context->loop)};

	channel_send(c->context->engine, MSG_JUDGE, &m, sizeof m);
}

static void on_suspended(void *arg, unsigned reasons, int64_t since)
{
	role.suspended = reasons;
	role.suspended_since = since;
	tell_judge(arg);
}

static void on_lossy(void *arg, uint32_t domain, bool lossy)
{
	struct collector *c = arg;
	struct msg_lossy m = {.domain = domain, .lossy = lossy};

	channel_send(c->context->engine, MSG_LOSSY, &m, sizeof m);
}

/* --- what comes back ------------------------------------------------------------------------------------------ */

static void on_answer(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	struct collector *c = arg;

	if (slot >= NODE_MAX)
		return;
	if (kind == WATCH_S_REPLY)
		targets_state(c, slot, TARGET_WELL);
	watch_answer(c->watch, slot, token, kind, now);
}

static void on_ahead(void *arg, uint32_t slot, uint32_t token)
{
	const struct collector *c = arg;

	if (slot >= NODE_MAX)
		return;
	if (!token)
		__builtin_prefetch(&c->marks[slot]);
	watch_ahead(c->watch, slot, token);
}

static void on_values(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, uint32_t uptime_cs,
		      int64_t now)
{
	struct collector *c = arg;

	if (slot >= NODE_MAX || !c->marks[slot].used)
		return;
	struct msg_samples *answer = outbox_samples(c->outbox, q->count, now);
	struct msg_sample *first = (struct msg_sample *)(answer + 1), *m = first;
	for (size_t i = 1; i < q->count; i++) { /* the first is sysUpTime, which goes with each */
		if (!v[i].type || q->items[i].object >= OBJECT_PROCESS)
			continue;
		*m++ = (struct msg_sample){.value = v[i].value,
				       .object = q->items[i].object,
				       .instance = q->items[i].instance,
				       /* text where a number should be is none */
				       .type = v[i].type < SAMPLE_MISSING ? v[i].type : SAMPLE_MISSING};
	}
	*answer = (struct msg_samples){.slot = slot,
				       .uptime_cs = uptime_cs,
				       .generation = c->marks[slot].generation,
				       .count = (uint16_t)(m - first),
				       .arrival_ms = now};
	outbox_samples_end(c->outbox, answer);
	c->values_sent += (uint64_t)(m - first);
}

static void on_row(void *arg, uint32_t slot, uint16_t table, uint16_t instance, const char *name, bool gone)
{
	struct collector *c = arg;
	const struct target *t = target_at(c, slot);
	struct msg_instance m = {
	    .slot = slot, .generation = t ? t->generation : 0, .table = table, .instance = instance, .gone = gone};

	_Static_assert(sizeof m.name == ENGINE_ROW_NAME, "a row's name is sent whole");
	strncpy(m.name, name, sizeof m.name - 1);
	if (t)
		outbox_instance(c->outbox, &m);
}

static void on_facts(void *arg, uint32_t slot, const struct engine_facts *f)
{
	struct collector *c = arg;
	const struct target *t = target_at(c, slot);

	if (!t)
		return;
	struct msg_node_facts m = {.slot = slot,
				   .generation = t->generation,
				   .sys_uptime_cs = f->sys_uptime_cs,
				   .host_uptime_cs = f->host_uptime_cs,
				   .engine_id_length = f->engine_id_size,
				   .agent_restarted = f->agent_restarted,
				   .rebooted = f->rebooted,
				   .clone_of_known = f->clone,
				   .clone_slot = f->clone ? f->clone_slot : NO_SLOT};
	const struct usm_peer *peer = engine_peer(c->engine, slot);
	int64_t boots = 0, time = 0;
	if (peer)
		usm_peer_told(peer, c->now, &boots, &time);
	m.engine_boots = (uint32_t)boots;
	m.engine_time_s = (uint32_t)time;
	memcpy(m.engine_id, f->engine_id, sizeof m.engine_id);
	memcpy(m.sys_name, f->sys_name, sizeof m.sys_name);
	outbox_facts(c->outbox, &m);
}

static void on_asked(void *arg, uint32_t slot, const struct query *q, const struct query_value *v, int64_t now)
{
	struct collector *c = arg;

	ports_answer(c->ports, slot, q, v, now);
}

static void on_overflow(void *arg, int64_t now)
{
	struct collector *c = arg;

	watch_drops(c->watch, now);
}

static void on_refused(void *arg, uint32_t slot, enum target_state why)
{
	targets_state(arg, slot, why);
}

static void on_echo(void *arg, uint32_t slot, uint32_t token, const union endpoint *from, int64_t now)
{
	struct collector *c = arg;
	const union endpoint *asked = slot < NODE_MAX ? engine_endpoint(c->engine, slot) : NULL;

	if (slot >= REFERENCE_SLOT)
		references_answer(c->references, slot - REFERENCE_SLOT, from, now);
	else if (asked && endpoint_same(asked, from, false))
		watch_answer(c->watch, slot, token, WATCH_K_ECHO, now);
}

static void on_userland(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now)
{
	struct collector *c = arg;

	watch_answer(c->watch, slot, token, kind, now);
}

/* --- the turn of the loop ----------------------------------------------------------------------------------------- */

static void check_self(struct collector *c)
{
	int64_t slept = clock_boot_ms() - clock_mono_ms();
	uint64_t overflowed = echo_overflowed(c->echo);

	if (overflowed != role.overflowed)
		watch_drops(c->watch, c->now);
	role.overflowed = overflowed;
	if (slept - role.slept > SLEPT_MS)
		watch_resumed(c->watch, c->now);
	role.slept = slept;
	if (c->now < role.link_due)
		return;
	role.link_due = c->now + LINK_MS;
	bool up = link_up(c->link, c->now);
	if (up != role.carrier)
		watch_carrier(c->watch, up, c->now);
	role.carrier = up;
}

static void resume_reading(void)
{
	for (int i = 0; i < SOCKETS; i++)
		if (role.paused[i]) {
			role.paused[i] = false;
			loop_fd_change(role.watches[i], LOOP_READ);
		}
}

static void set_timer(int64_t due)
{
	role.due = due;
	loop_timer_set(role.turn_timer, due - role.c.now > 1 ? due - role.c.now : 1);
}

static bool roomy(const struct collector *c)
{
	return engine_window(c->engine) >= WINDOW_LARGE;
}

/* In the order the watch asks for: read everything, tell what disturbs, tick. */
static void turn(void *arg)
{
	struct collector *c = arg;
	int64_t next, other;

	c->now = clock_mono_ms();
	engine_receive(c->engine, c->now);
	echo_receive(c->echo, c->now);
	check_self(c);
	next = watch_tick(c->watch, c->now);
	ports_turn(c->ports, c->now);
	references_turn(c->references, c->now);
	engine_turn(c->engine, c->now);
	echo_flush(c->echo);
	outbox_turn(c->outbox, c->now);
	other = engine_next(c->engine, c->now);
	next = next < other ? next : other;
	if (roomy(c) && next < c->now + GATHER_MS)
		next = c->now + GATHER_MS;
	set_timer(next < c->now + TURN_MAX_MS ? next : c->now + TURN_MAX_MS);
	/* a turn that is so near reads what comes meanwhile: being told would only wake the loop */
	if (role.due - c->now > GATHER_MS)
		resume_reading();
}

/* With a large receive buffer answers are let gather for some ms: one wake-up reads a hundred of them. With a small one
 * they are read at once. */
static void on_readable(void *arg, int what)
{
	size_t i = (size_t)((struct loop_fd **)arg - role.watches);
	int64_t now = clock_mono_ms();

	(void)what;
	if (!roomy(&role.c)) {
		turn(&role.c);
		return;
	}
	role.paused[i] = true;
	loop_fd_change(role.watches[i], 0);
	if (role.due - now > GATHER_MS) {
		role.due = now + GATHER_MS;
		loop_timer_set(role.turn_timer, GATHER_MS);
	}
}

static void on_stats_due(void *arg)
{
	struct collector *c = arg;
	struct engine_stats s = engine_stats(c->engine);
	struct batch_stats b = engine_socket_stats(c->engine);
	struct echo_stats e = echo_stats(c->echo);
	struct msg_stats m = {.handled = s.answers + e.answers,
			      .late = s.late_polls,
			      .dropped =
				  channel_dropped(c->context->engine) + b.overflowed + role.overflowed + s.unsent,
			      .garbage = s.garbage + s.foreign + s.forged + b.truncated + e.foreign,
			      .queued = channel_queued(c->context->engine),
			      .per_second = (uint32_t)(s.polls - role.polls_before),
			      .worst_lateness_ms = (int32_t)loop_lateness_ms(c->context->loop)};

	role.polls_before = s.polls;
	if (++role.stats_told % SECRETS_EACH == 0)
		targets_missing_secrets(c);
	channel_send_lossy(c->context->engine, MSG_STATS, &m, sizeof m);
	traps_second(c->traps);
	items_second(c->items);
	tell_judge(c);
}

/* --- messages --------------------------------------------------------------------------------------------------- */

static void take_engines(struct collector *c, const struct msg_snmp_engine *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (m[i].slot == NO_SLOT)
			traps_engine(c->traps, &m[i], c->now);
		else
			engine_seed(c->engine, &m[i], c->now);
}

static void on_targets(struct collector *c, const struct message_header *h, const void *body, size_t size)
{
	const struct msg_slot *slot = body;

	switch (h->type) {
	case MSG_TARGETS_BEGIN:
		targets_begin(c);
		break;
	case MSG_OBJECTS:
		targets_objects(c, body, size / sizeof(struct msg_object));
		break;
	case MSG_TARGET:
		targets_take(c, body);
		break;
	case MSG_ITEMS:
		items_take(c->items, body, size / sizeof(struct msg_item));
		break;
	case MSG_ITEM_SCOPE:
		items_scope(c->items, body, size / sizeof(struct msg_item_scope));
		break;
	case MSG_TARGETS_END:
		targets_end(c);
		break;
	case MSG_TARGET_REMOVE:
		targets_remove(c, slot->slot, slot->generation);
		break;
	case MSG_PORTS:
		ports_take(c->ports, body, size / sizeof(struct msg_port));
		break;
	case MSG_WATCHES:
		processes_watches(c, body, size / sizeof(struct msg_watch));
		break;
	case MSG_WATCH_SCOPE:
		processes_scope(c, body, size / sizeof(struct msg_watch_scope));
		break;
	case MSG_TOP_ASK:
		processes_top(c, body);
		break;
	case MSG_REFERENCE:
		references_take(c->references, body, size / sizeof(struct msg_reference));
		break;
	case MSG_TRAP_SOURCES:
		traps_sources(c->traps, body, size / sizeof(struct msg_trap_source));
		break;
	case MSG_SNMP_ENGINES:
		take_engines(c, body, size / sizeof(struct msg_snmp_engine));
		break;
	}
}

static void on_engine(struct role_context *context, const struct message_header *h, const void *body, size_t size,
		      int fd)
{
	struct collector *c = &role.c;
	const struct msg_slot *slot = body;
	const struct msg_domain *domain = body;

	(void)context;
	if (fd >= 0)
		close(fd);
	c->now = clock_mono_ms();
	switch (h->type) {
	case MSG_PROBE:
		if (target_at(c, slot->slot) && c->targets[slot->slot].generation == slot->generation)
			watch_probe(c->watch, slot->slot, c->now);
		break;
	case MSG_HOLD:
		watch_hold(c->watch, domain->domain, c->now);
		break;
	case MSG_RELEASE:
		watch_release(c->watch, domain->domain, c->now);
		break;
	case MSG_PORT_ASK:
		ports_ask(c->ports, slot->slot, slot->generation, c->now);
		break;
	case MSG_REFERENCE_ASK:
		references_ask(c->references, domain->domain, c->now);
		break;
	default:
		on_targets(c, h, body, size);
		break;
	}
	set_timer(c->now);
}

static void on_supervisor(struct role_context *context, const struct message_header *h, const void *body, size_t size,
			  int fd)
{
	(void)context;
	(void)size;
	if (fd >= 0)
		close(fd);
	if (h->type != MSG_SECRET)
		return;
	struct msg_secret copy = *(const struct msg_secret *)body;

	role.c.now = clock_mono_ms();
	targets_secret(&role.c, &copy);
	explicit_bzero(&copy, sizeof copy);
}

/* --- beginning and end ------------------------------------------------------------------------------------------ */

static void on_socket(struct role_context *context, const void *message, int fd)
{
	const struct msg_socket *m = message;
	int which = m->use == SOCKET_ECHO4 ? SOCKET_ICMP4 : m->use == SOCKET_ECHO6 ? SOCKET_ICMP6 : SOCKETS;

	(void)context;
	if (m->use == SOCKET_TRAP && role.trap_fd < 0)
		role.trap_fd = fd;
	else if (which == SOCKETS || role.fds[which] >= 0)
		close(fd);
	else
		role.fds[which] = fd;
}

/* Here large receive buffers are still granted. */
static int prepare(struct role_context *context)
{
	(void)context;
	for (int i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;
		role.fds[SOCKET_UDP4 + i] = batch_udp_socket(family);
		if (role.fds[SOCKET_ICMP4 + i] < 0)
			role.fds[SOCKET_ICMP4 + i] = echo_socket(family);
	}
	if (role.fds[SOCKET_UDP4] < 0) {
		log_error("collector: no UDP socket (%s): is the descriptor limit too low?",
			  strerror(-role.fds[SOCKET_UDP4]));
		return ERR_NO_RESOURCE;
	}
	if (role.fds[SOCKET_ICMP4] < 0)
		log_warning("collector: no echo socket (%s): the kernel witness rests on TCP alone",
			    strerror(-role.fds[SOCKET_ICMP4]));
	for (int i = 0; i < SOCKETS; i++)
		if (role.fds[i] < 0)
			role.fds[i] = -1;
	role.c.link = link_new();
	return 0;
}

static void listen_to(struct loop *loop, int which, int fd)
{
	if (fd >= 0)
		role.watches[which] = loop_fd_add(loop, fd, LOOP_READ, on_readable, &role.watches[which]);
}

static int run(struct role_context *context)
{
	static const struct engine_ops engine_ops = {.answer = on_answer,
						     .values = on_values,
						     .row = on_row,
						     .facts = on_facts,
						     .asked = on_asked,
						     .overflow = on_overflow,
						     .ahead = on_ahead,
						     .refused = on_refused};
	static const struct watch_ops watch_ops = {.send_heartbeat = send_get,
						   .send_poll = send_poll,
						   .send_echo = send_echo,
						   .send_get = send_get,
						   .ask_userland = ask_userland,
						   .ahead = send_ahead,
						   .report = on_report,
						   .suspended = on_suspended,
						   .lossy = on_lossy};
	struct collector *c = &role.c;
	struct watch_params params;
	uint8_t secret[2 * SECRET];

	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		return ERR_NO_RESOURCE;
	snmp_disable_log(); /* the library complains of every odd byte an agent sends */
	c->context = context;
	c->now = clock_mono_ms();
	watch_params_default(&params);
	c->targets = mem_array(NODE_MAX, sizeof *c->targets);
	c->marks = mem_array(NODE_MAX, sizeof *c->marks);
	c->engine = engine_new(&engine_ops, c, ENGINE_SLOTS, role.fds + SOCKET_UDP4, secret);
	processes_start(c);
	c->echo = echo_new(role.fds + SOCKET_ICMP4, secret + SECRET, on_echo, c);
	c->userland = userland_new(context->loop, params.userland_ms, on_userland, c);
	c->watch = watch_create(&params, &watch_ops, c, NODE_MAX, DOMAIN_IDS, c->now);
	c->outbox = outbox_new(c);
	c->ports = ports_new(c);
	c->references = references_new(c);
	c->traps = traps_new(c, role.trap_fd);
	c->items = items_start(c);
	if (!c->watch)
		return ERR_NO_RESOURCE;
	role.turn_timer = loop_timer_new(context->loop, turn, c);
	role.stats_timer = loop_timer_new(context->loop, on_stats_due, c);
	role.slept = clock_boot_ms() - clock_mono_ms();
	role.suspended_since = c->now;
	for (int i = 0; i < 2; i++) {
		listen_to(context->loop, SOCKET_UDP4 + i, engine_fd(c->engine, i ? AF_INET6 : AF_INET));
		listen_to(context->loop, SOCKET_ICMP4 + i, echo_fd(c->echo, i ? AF_INET6 : AF_INET));
	}
	log_info("collector: window of %u requests", engine_window(c->engine));
	loop_timer_every(role.stats_timer, STATS_MS);
	set_timer(c->now);
	return 0;
}

static void stop(struct role_context *context)
{
	struct collector *c = &role.c;

	(void)context;
	for (size_t i = 0; i < c->credential_count; i++) {
		credential_wipe(c->credentials[i]);
		free(c->credentials[i]);
	}
	c->credential_count = 0;
	for (int i = 0; i < SOCKETS; i++)
		loop_fd_remove(role.watches[i]);
	loop_timer_free(role.turn_timer);
	loop_timer_free(role.stats_timer);
	engine_free(c->engine);
	echo_free(c->echo);
	userland_free(c->userland);
	watch_free(c->watch);
	outbox_free(c->outbox);
	ports_free(c->ports);
	references_free(c->references);
	traps_free(c->traps);
	items_stop(c->items);
	link_free(c->link);
	free(c->credentials);
	free(c->targets);
	free(c->marks);
}

int main(void)
{
	static const struct role_definition definition = {.role = ROLE_COLLECTOR,
							  .prepare = prepare,
							  .on_socket = on_socket,
							  .on_engine = on_engine,
							  .on_supervisor = on_supervisor,
							  .run = run,
							  .stop = stop};

	return role_main(&definition);
}
