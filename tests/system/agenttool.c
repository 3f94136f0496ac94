/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays supervisor and engine for the real glory-agent, so that the agent is tested alone: fills a board, serves the channels, keeps
 * an outbox, takes commands. Run by tests/system/agent.sh.
 *
 *   agenttool AGENT-PROGRAM DIRECTORY PORT NODES
 *
 * Reads orders, one a line, from its standard input, and prints one line for everything the agent does:
 *   notify COUNT        so many new events to every receiver        receiver KIND ADDRESS:PORT   (inform trap2c trap3 syslog)
 *   hold | release      keep answers to commands back               refuse KIND                  answer with that error from now on
 *   busy MS             write rows for so long, then print "calm"   kill                         kill the agent, start it again
 *   cpu                 print the CPU time (ms) it has used         relay PORT                   pass datagrams on, each of them twice
 *   again               send the last datagram of the relay again   garbage COUNT                spoilt copies of it, and noise
 *   listen PORT         be a syslog receiver, print what comes */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/board.h"
#include "proc/role.h"

#define EVENTS_MAX 100000
#define RECEIVERS_MAX 8
#define REPEATS_MAX 4096

static struct tool {
	const char *program, *directory;
	uint16_t port;
	uint32_t nodes;
	struct loop *loop;
	struct board_writer *board;
	struct channel *as_supervisor, *as_engine;
	int udp;
	pid_t pid;
	uint32_t epoch, life;
	bool holding;
	int refuse;
	struct msg_command held[64];
	size_t held_count;
	uint64_t next_job, acted;
	struct { uint64_t high, low, job; int status; } repeats[REPEATS_MAX];
	size_t repeat_count;
	struct msg_receiver receivers[RECEIVERS_MAX];
	size_t receiver_count;
	uint64_t events;                          /* ids 1..events exist */
	uint8_t done[RECEIVERS_MAX][EVENTS_MAX];  /* 0 not sent, 1 on its way, 2 done */
	uint64_t done_count[RECEIVERS_MAX];
	int64_t busy_until_ms;
	struct loop_timer *busy;
	uint32_t churn;
	int relay, behind; /* sockets towards managers and towards the agent */
	struct sockaddr_in manager;
	uint8_t last[8192];
	size_t last_size;
	uint64_t answers;
	char line[256];
	size_t line_used;
} tool = {.relay = -1, .behind = -1};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* --- the board ---------------------------------------------------------------------------------------- */

static struct node_row node_of(uint32_t slot)
{
	struct node_row r = {.head = {.generation = 1, .slot = slot, .order = slot, .last_change_wall_ms = clock_wall_ms()}};

	r.group_slot = slot % 2;
	r.verdict = slot % 7 == 3 ? VERDICT_OS_HUNG : VERDICT_UP;
	r.certainty = slot % 7 == 3 ? CERTAINTY_CONFIRMED : CERTAINTY_NONE;
	r.level = slot % 7 == 3 ? LEVEL_CRITICAL : LEVEL_NORMAL;
	r.power = POWER_ON;
	r.life = LIFE_READY;
	r.wanted_power = POWER_ON;
	r.policy = POLICY_TELL;
	r.address = (struct address){.family = 4, .port = 161, .bytes = {10, 1, (uint8_t)(slot >> 8), (uint8_t)slot}};
	r.bmc = (struct address){.family = 4, .port = 623, .bytes = {10, 2, (uint8_t)(slot >> 8), (uint8_t)slot}};
	r.since_wall_ms = 1700000000000 + slot;
	r.last_seen_wall_ms = clock_wall_ms();
	r.cpu_percent_x100 = slot % 5 == 4 ? -1 : (int32_t)(slot % 100 * 100);
	r.mem_percent_x100 = 4250;
	r.load1_x100 = 137;
	text_format(r.name, sizeof r.name, "n%05u", slot + 1);
	text_format(r.group, sizeof r.group, "g%02u", slot % 2 + 1);
	text_copy(r.cause, sizeof r.cause, slot % 7 == 3 ? "kernel answers, programs do not" : "");
	return r;
}

static void fill_rest(void)
{
	struct appliance_row a = {.head = {.generation = 1}, .start_wall_ms = clock_wall_ms(), .polls = UINT64_C(5000000000), .polls_per_second = 1000};
	struct cluster_row c = {.head = {.generation = 1}, .nodes = tool.nodes, .groups = 2, .level = LEVEL_CRITICAL};

	text_copy(a.name, sizeof a.name, "glory1");
	text_copy(a.version, sizeof a.version, "test");
	text_copy(a.role, sizeof a.role, "cluster master");
	text_copy(c.name, sizeof c.name, "demo");
	c.by_verdict[VERDICT_UP] = tool.nodes - 1;
	c.by_verdict[VERDICT_OS_HUNG] = 1;
	board_put(tool.board, BOARD_APPLIANCE, &a);
	board_put(tool.board, BOARD_CLUSTER, &c);
	for (uint32_t i = 0; i < 2; i++) {
		struct group_row g = {.head = {.generation = 1, .slot = i, .order = i}, .nodes = tool.nodes / 2, .level = LEVEL_NORMAL, .policy = POLICY_TELL, .domain_state = DOMAIN_STATE_OK};
		text_format(g.name, sizeof g.name, "g%02u", i + 1);
		board_put(tool.board, BOARD_GROUP, &g);
		struct item_row item = {.head = {.generation = 1, .slot = i, .order = i}, .interval_s = 10, .builtin = 1};
		text_copy(item.name, sizeof item.name, i ? "disk_fill" : "cpu");
		text_copy(item.unit, sizeof item.unit, "percent");
		board_put(tool.board, BOARD_ITEM, &item);
	}
	struct alarm_row alarm = {.head = {.generation = 1, .slot = 0, .order = 7}, .id = 7, .first_wall_ms = clock_wall_ms(), .last_wall_ms = clock_wall_ms(), .count = 1, .severity = LEVEL_CRITICAL, .node_slot = 3};
	text_copy(alarm.object, sizeof alarm.object, "n00004");
	text_copy(alarm.kind, sizeof alarm.kind, "verdict");
	board_put(tool.board, BOARD_ALARM, &alarm);
}

static void fill_values(uint32_t slot)
{
	uint32_t at = slot * 3;
	struct value_row v = {.head = {.generation = 1, .slot = at, .order = (uint64_t)slot << 32, .last_change_wall_ms = clock_wall_ms()}, .node_slot = slot, .value = 12.5, .level = LEVEL_NORMAL};

	text_copy(v.item, sizeof v.item, "cpu");
	text_copy(v.unit, sizeof v.unit, "percent");
	board_put(tool.board, BOARD_VALUE, &v);
	for (uint16_t i = 1; i <= 2; i++) {
		v.head.slot = at + i;
		v.head.order = (uint64_t)slot << 32 | 1u << 16 | i;
		v.item_slot = 1;
		v.instance = i;
		v.value = i == 2 ? (double)NAN : 80;
		text_copy(v.item, sizeof v.item, "disk_fill");
		text_copy(v.instance_name, sizeof v.instance_name, i == 2 ? "var" : "root");
		board_put(tool.board, BOARD_VALUE, &v);
	}
	struct sensor_row s = {.head = {.generation = 1, .slot = slot, .order = (uint64_t)slot << 32 | 17}, .node_slot = slot, .record_id = 17, .reading = 41.5, .warning_low = (double)NAN,
			       .warning_high = 75, .critical_low = (double)NAN, .critical_high = 85, .type = 1, .state = SENSOR_NOMINAL, .level = LEVEL_NORMAL};
	text_copy(s.name, sizeof s.name, "Inlet Temp");
	text_copy(s.unit, sizeof s.unit, "C");
	board_put(tool.board, BOARD_SENSOR, &s);
}

static void fill(void)
{
	struct board_limits limits;

	board_limits_for(tool.nodes + 100, 3, 1, &limits);
	tool.board = board_create(++tool.epoch, &limits);
	fill_rest();
	for (uint32_t i = 0; i < tool.nodes; i++) {
		struct node_row r = node_of(i);
		board_put(tool.board, BOARD_NODE, &r);
		fill_values(i);
	}
	board_flip(tool.board);
}

/* --- commands ----------------------------------------------------------------------------------------- */

static uint32_t slot_named(const char *name)
{
	for (uint32_t i = 0; i < tool.nodes + 100; i++) {
		const struct node_row *r = board_peek(tool.board, BOARD_NODE, i);
		if (r && r->head.generation && !strcmp(r->name, name))
			return i;
	}
	return NO_SLOT;
}

static uint64_t act_power(const struct msg_command *c, const char *arguments)
{
	uint32_t slot = slot_named(c->target);
	struct node_row r;

	if (slot == NO_SLOT)
		return 0;
	memcpy(&r, board_peek(tool.board, BOARD_NODE, slot), sizeof r);
	uint64_t id = ++tool.next_job;
	struct job_row job = {.head = {.generation = 1, .slot = (uint32_t)id, .order = id}, .id = id, .queued_wall_ms = clock_wall_ms(), .state = JOB_RUNNING, .verb = POWER_VERB_CYCLE, .node_slot = slot, .total = 4};
	text_copy(job.actor, sizeof job.actor, c->actor);
	text_copy(job.target, sizeof job.target, c->target);
	r.power_job = id;
	r.last_verb = POWER_VERB_NONE;
	for (int v = POWER_VERB_ON; v < POWER_VERB_COUNT; v++)
		if (strstr(arguments, power_verb_name(v)))
			r.last_verb = (uint8_t)v;
	board_put(tool.board, BOARD_NODE, &r);
	board_put(tool.board, BOARD_JOB, &job);
	return id;
}

static void act_node_add(const char *name)
{
	uint32_t slot = board_free_slot(tool.board, BOARD_NODE);

	if (slot == NO_SLOT)
		return;
	struct node_row r = node_of(slot);
	text_copy(r.name, sizeof r.name, name);
	board_put(tool.board, BOARD_NODE, &r);
}

static void act_node_remove(const char *name)
{
	uint32_t slot = slot_named(name);

	if (slot == NO_SLOT)
		return;
	struct node_row gone = {.head = {.slot = slot}};
	board_put(tool.board, BOARD_NODE, &gone);
}

static void act_acknowledge(const struct msg_command *c)
{
	struct alarm_row r;

	memcpy(&r, board_peek(tool.board, BOARD_ALARM, 0), sizeof r);
	r.acknowledged_wall_ms = clock_wall_ms();
	text_copy(r.acknowledged_by, sizeof r.acknowledged_by, c->actor);
	board_put(tool.board, BOARD_ALARM, &r);
}

static void reply(uint64_t request, int status, uint64_t job)
{
	struct msg_reply r = {.request = request, .job = job, .status = status};

	channel_send2(tool.as_engine, MSG_REPLY, &r, sizeof r, "", 0);
}

static void carry_out(const struct msg_command *c, const char *arguments)
{
	uint64_t job = 0;

	if (tool.refuse) {
		reply(c->request, tool.refuse, 0);
		return;
	}
	for (size_t i = 0; i < tool.repeat_count; i++)
		if (c->repeat_high == tool.repeats[i].high && c->repeat_low == tool.repeats[i].low) {
			say("repeat %s", c->target);
			reply(c->request, tool.repeats[i].status, tool.repeats[i].job);
			return;
		}
	switch (c->verb) {
	case COMMAND_POWER:
		job = act_power(c, arguments);
		break;
	case COMMAND_NODE_ADD:
		act_node_add(c->target);
		break;
	case COMMAND_NODE_REMOVE:
		act_node_remove(c->target);
		break;
	case COMMAND_ALARM_ACK:
		act_acknowledge(c);
		break;
	default:
		break;
	}
	board_flip(tool.board);
	tool.acted++;
	if (tool.repeat_count < REPEATS_MAX) {
		tool.repeats[tool.repeat_count].high = c->repeat_high;
		tool.repeats[tool.repeat_count].low = c->repeat_low;
		tool.repeats[tool.repeat_count++].job = job;
	}
	reply(c->request, 0, job);
}

static void on_command(const struct msg_command *c, size_t size)
{
	char arguments[1024];

	if (c->argument_size > size - sizeof *c || c->argument_size >= sizeof arguments) {
		say("bad command");
		return;
	}
	memcpy(arguments, c + 1, c->argument_size);
	arguments[c->argument_size] = '\0';
	say("command %u target=%s arguments=%s actor=%s right=%u", c->verb, c->target, arguments, c->actor, c->right);
	if (tool.holding && tool.held_count < COUNT_OF(tool.held))
		tool.held[tool.held_count++] = *c;
	else
		carry_out(c, arguments);
}

/* --- the outbox --------------------------------------------------------------------------------------- */

static void send_event(size_t receiver, uint64_t id)
{
	struct msg_notify n = {.event = id, .at_wall_ms = clock_wall_ms(), .kind = (uint32_t)(1 + id % 5), .slot = (uint32_t)(id % tool.nodes), .verdict = VERDICT_OS_HUNG,
			       .certainty = CERTAINTY_CONFIRMED, .level = LEVEL_CRITICAL, .severity = LEVEL_MAJOR, .job_state = JOB_DONE, .alarm = 7, .job = 9};

	text_format(n.object, sizeof n.object, "n%05u", n.slot + 1);
	text_copy(n.cause, sizeof n.cause, "a \"cause\" in words");
	text_copy(n.receiver, sizeof n.receiver, tool.receivers[receiver].name);
	channel_send(tool.as_engine, MSG_NOTIFY, &n, sizeof n);
	tool.done[receiver][id] = 1;
}

static void pump_outbox(void)
{
	for (size_t r = 0; r < tool.receiver_count; r++) {
		size_t open = 0;
		for (uint64_t id = 1; id <= tool.events && open < NOTIFY_WINDOW; id++) {
			if (tool.done[r][id] == 0)
				send_event(r, id);
			open += tool.done[r][id] == 1;
		}
	}
}

static void on_done(const struct msg_notify_done *d)
{
	for (size_t r = 0; r < tool.receiver_count; r++) {
		if (strcmp(d->receiver, tool.receivers[r].name) != 0 || d->event < 1 || d->event > tool.events)
			continue;
		if (tool.done[r][d->event] != 2)
			tool.done_count[r]++;
		tool.done[r][d->event] = 2;
		if (tool.done_count[r] == tool.events)
			say("delivered %s %llu", d->receiver, (unsigned long long)tool.events);
	}
	pump_outbox();
}

/* --- channels ----------------------------------------------------------------------------------------- */

static void on_secret_ask(const struct msg_secret_ask *ask)
{
	struct msg_secret s = {.secret_class = ask->secret_class};

	text_copy(s.name, sizeof s.name, ask->name);
	if (!strcmp(ask->name, "nobody"))
		s.status = ERR_NOT_FOUND;
	else if (!strcmp(ask->name, "public"))
		text_copy(s.text, sizeof s.text, "community=letmeread\n");
	else
		text_format(s.text, sizeof s.text, "auth=%s-authpass\npriv=%s-privpass\ncommunity=traps\n", ask->name, ask->name);
	channel_send(tool.as_supervisor, MSG_SECRET, &s, sizeof s);
}

static void send_receivers(void)
{
	channel_send(tool.as_engine, MSG_RECEIVER, tool.receivers, tool.receiver_count * sizeof tool.receivers[0]);
}

static void send_users(void)
{
	static const struct { const char *name; uint8_t right, version, auth, priv; } list[] = {
		{"viewer", RIGHT_VIEW, SNMP_V3, 1, 1}, {"operator", RIGHT_OPERATE, SNMP_V3, 1, 1}, {"admin", RIGHT_ADMIN, SNMP_V3, 2, 1},
		{"weak", RIGHT_ADMIN, SNMP_V3, 1, 0},  {"nobody", RIGHT_VIEW, SNMP_V3, 1, 1},	   {"public", RIGHT_VIEW, SNMP_V2C, 0, 0},
	};
	struct msg_user users[COUNT_OF(list)];

	memset(users, 0, sizeof users);
	for (size_t i = 0; i < COUNT_OF(list); i++) {
		text_copy(users[i].name, sizeof users[i].name, list[i].name);
		users[i].right = list[i].right;
		users[i].version = list[i].version;
		users[i].auth = list[i].auth;
		users[i].priv = list[i].priv;
	}
	channel_send(tool.as_supervisor, MSG_USER, users, sizeof users);
}

static void from_agent_above(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)arg;
	(void)size;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_SECRET_ASK)
		on_secret_ask(body);
	if (h->type == MSG_READY)
		say("ready");
}

static void from_agent(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)arg;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_COMMAND)
		on_command(body, size);
	if (h->type == MSG_NOTIFY_DONE)
		on_done(body);
}

static void on_broken(void *arg, const char *why)
{
	(void)arg;
	(void)why;
}

static void send_start(int fd)
{
	struct { struct message_header h; struct role_start s; } p = {.h = {.version = CHANNEL_VERSION, .type = MSG_START}};

	p.s.role = ROLE_AGENT;
	p.s.epoch = tool.epoch;
	p.s.life = ++tool.life;
	p.s.log_level = LOG_LEVEL_INFO;
	p.s.sockets = 1;
	text_copy(p.s.directory, sizeof p.s.directory, tool.directory);
	text_copy(p.s.site, sizeof p.s.site, "demo");
	text_copy(p.s.appliance, sizeof p.s.appliance, "glory1");
	if (send(fd, &p, sizeof p, 0) != sizeof p)
		say("start: %s", strerror(errno));
}

/* The child: the two channels at the descriptors a role expects, then the program. */
static void become_agent(int above, int beside)
{
	int a = fcntl(above, F_DUPFD, 20), b = fcntl(beside, F_DUPFD, 20);

	dup2(a, ROLE_SUPERVISOR_FD);
	dup2(b, ROLE_ENGINE_FD);
	closefrom(5);
	clearenv();
	char *const argv[] = {(char *)(uintptr_t)"glory-agent", NULL};
	execv(tool.program, argv);
	_exit(127);
}

static void start_agent(void)
{
	int above[2], beside[2];
	struct channel_owner up = {from_agent_above, on_broken, NULL}, side = {from_agent, on_broken, NULL};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, above) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, beside))
		exit(1);
	tool.pid = fork();
	if (tool.pid == 0)
		become_agent(above[1], beside[1]);
	close(above[1]);
	close(beside[1]);
	send_start(above[0]);
	tool.as_supervisor = channel_open(tool.loop, above[0], 0, message_shapes, MSG_TYPE_COUNT, &up);
	tool.as_engine = channel_open(tool.loop, beside[0], tool.epoch, message_shapes, MSG_TYPE_COUNT, &side);
	struct msg_socket what = {.use = SOCKET_AGENT};
	channel_send_fd(tool.as_supervisor, MSG_SOCKET, &what, sizeof what, tool.udp);
	send_users();
	channel_send_fd(tool.as_engine, MSG_BOARD, NULL, 0, board_fd(tool.board));
	send_receivers();
	for (size_t r = 0; r < tool.receiver_count; r++)
		for (uint64_t id = 1; id <= tool.events; id++)
			if (tool.done[r][id] == 1)
				tool.done[r][id] = 0;
	pump_outbox();
}

static void kill_agent(void)
{
	kill(tool.pid, SIGKILL);
	waitpid(tool.pid, NULL, 0);
	channel_free(tool.as_supervisor);
	channel_free(tool.as_engine);
	start_agent();
}

/* --- a relay between a manager and the agent: what a network that repeats and spoils datagrams does ------ */

static void on_manager(void *arg, int what)
{
	socklen_t size = sizeof tool.manager;
	(void)arg;
	(void)what;
	ssize_t n = recvfrom(tool.relay, tool.last, sizeof tool.last, 0, (struct sockaddr *)&tool.manager, &size);

	if (n <= 0)
		return;
	tool.last_size = (size_t)n;
	send(tool.behind, tool.last, tool.last_size, 0);
	send(tool.behind, tool.last, tool.last_size, 0);
}

static void on_agent(void *arg, int what)
{
	uint8_t bytes[65536];
	ssize_t n = recv(tool.behind, bytes, sizeof bytes, 0);
	(void)arg;
	(void)what;

	if (n <= 0)
		return;
	tool.answers++;
	sendto(tool.relay, bytes, (size_t)n, 0, (struct sockaddr *)&tool.manager, sizeof tool.manager);
}

/* A syslog receiver: prints what comes. */
static void on_syslog(void *arg, int what)
{
	char line[2048];
	int *fd = arg;
	ssize_t n = recv(*fd, line, sizeof line - 1, 0);
	(void)what;

	if (n > 0)
		say("syslog %.*s", (int)n, line);
}

static void order_listen(uint16_t port)
{
	static int fd;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof at))
		say("listen: %s", strerror(errno));
	loop_fd_add(tool.loop, fd, LOOP_READ, on_syslog, &fd);
}

static void order_relay(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};

	tool.relay = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	tool.behind = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(tool.relay, (struct sockaddr *)&at, sizeof at))
		say("relay: %s", strerror(errno));
	at.sin_port = htons(tool.port);
	if (connect(tool.behind, (struct sockaddr *)&at, sizeof at))
		say("relay: %s", strerror(errno));
	loop_fd_add(tool.loop, tool.relay, LOOP_READ, on_manager, NULL);
	loop_fd_add(tool.loop, tool.behind, LOOP_READ, on_agent, NULL);
}

/* Every spoilt copy differs from the last datagram in a few bytes, or in its length; each tenth is noise. */
static void order_garbage(unsigned count)
{
	uint8_t bytes[sizeof tool.last];
	uint64_t state = 88172645463325252u;

	for (unsigned i = 0; i < count; i++) {
		memcpy(bytes, tool.last, tool.last_size);
		size_t n = tool.last_size;
		for (unsigned k = 0; k < 1 + i % 4; k++) {
			state ^= state << 13, state ^= state >> 7, state ^= state << 17; /* xorshift */
			if (n)
				bytes[state % n] = (uint8_t)(state >> 32);
		}
		if (i % 10 == 9)
			for (size_t k = 0; k < n; k++)
				bytes[k] = (uint8_t)(state >> k % 57);
		if (i % 3 == 2)
			n = state % (n + 1);
		send(tool.behind, bytes, n, 0);
	}
}

/* --- orders ------------------------------------------------------------------------------------------- */

static void order_receiver(const char *kind, const char *address)
{
	static const char *const kinds[] = {"", "inform", "trap2c", "trap3", "syslog"};
	struct msg_receiver *r = &tool.receivers[tool.receiver_count];

	if (tool.receiver_count == RECEIVERS_MAX || !address_parse(address, 162, &r->address))
		return;
	for (uint32_t k = 1; k < COUNT_OF(kinds); k++)
		if (!strcmp(kinds[k], kind))
			r->kind = k;
	r->version = r->kind == RECEIVER_INFORM || r->kind == RECEIVER_TRAP_V3 ? SNMP_V3 : SNMP_V2C;
	r->auth = r->priv = 1;
	text_format(r->name, sizeof r->name, "%s-%zu", kind, tool.receiver_count);
	text_copy(r->credential, sizeof r->credential, "noc");
	text_copy(r->user, sizeof r->user, "noc");
	tool.receiver_count++;
	send_receivers();
	pump_outbox();
}

static void on_busy(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		struct node_row r = node_of(tool.churn++ * 37 % tool.nodes);
		r.cpu_percent_x100 = (int32_t)(tool.churn % 10000);
		board_put(tool.board, BOARD_NODE, &r);
	}
	for (uint32_t i = 0; i < 10; i++) { /* rows that come and go */
		struct node_row r = node_of(tool.nodes + (tool.churn + i) % 100);
		r.head.generation = tool.churn / 200 % 2;
		board_put(tool.board, BOARD_NODE, &r);
	}
	board_flip(tool.board);
	if (clock_mono_ms() < tool.busy_until_ms)
		return;
	loop_timer_stop(tool.busy);
	for (uint32_t i = tool.nodes; i < tool.nodes + 100; i++) {
		struct node_row gone = {.head = {.slot = i}};
		board_put(tool.board, BOARD_NODE, &gone);
	}
	board_flip(tool.board);
	say("calm");
}

static void order_release(void)
{
	tool.holding = false;
	for (size_t i = 0; i < tool.held_count; i++)
		carry_out(&tool.held[i], "{\"verb\":\"cycle\"}");
	tool.held_count = 0;
}

static void order_cpu(void)
{
	char path[64], text[512] = "";
	unsigned long user = 0, system = 0;

	text_format(path, sizeof path, "/proc/%d/stat", (int)tool.pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
	if (fd >= 0)
		close(fd);
	char *after = n > 0 ? strrchr(text, ')') : NULL;
	if (after && sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
		say("cpu %lu", (user + system) * 10);
}

static void on_order(char *line)
{
	char word[32] = "", first[64] = "", second[64] = "";

	sscanf(line, "%31s %63s %63s", word, first, second);
	if (!strcmp(word, "notify")) {
		uint64_t n = strtoull(first, NULL, 10);
		tool.events = tool.events + n < EVENTS_MAX ? tool.events + n : EVENTS_MAX - 1;
		pump_outbox();
	} else if (!strcmp(word, "receiver")) {
		order_receiver(first, second);
	} else if (!strcmp(word, "hold")) {
		tool.holding = true;
	} else if (!strcmp(word, "release")) {
		order_release();
	} else if (!strcmp(word, "refuse")) {
		tool.refuse = error_value(first);
	} else if (!strcmp(word, "busy")) {
		tool.busy_until_ms = clock_mono_ms() + (int64_t)strtoul(first, NULL, 10);
		loop_timer_every(tool.busy, 1);
	} else if (!strcmp(word, "kill")) {
		kill_agent();
	} else if (!strcmp(word, "cpu")) {
		order_cpu();
	} else if (!strcmp(word, "relay")) {
		order_relay((uint16_t)strtoul(first, NULL, 10));
	} else if (!strcmp(word, "listen")) {
		order_listen((uint16_t)strtoul(first, NULL, 10));
	} else if (!strcmp(word, "again")) {
		send(tool.behind, tool.last, tool.last_size, 0);
	} else if (!strcmp(word, "garbage")) {
		order_garbage((unsigned)strtoul(first, NULL, 10));
	}
	say("ok %s", word);
}

static void on_input(void *arg, int what)
{
	char bytes[256];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
	(void)arg;
	(void)what;

	if (n <= 0) {
		loop_stop(tool.loop);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] != '\n' && tool.line_used < sizeof tool.line - 1) {
			tool.line[tool.line_used++] = bytes[i];
			continue;
		}
		tool.line[tool.line_used] = '\0';
		tool.line_used = 0;
		on_order(tool.line);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (argc != 5) {
		fprintf(stderr, "usage: agenttool AGENT-PROGRAM DIRECTORY PORT NODES\n");
		return 2;
	}
	log_open("agenttool", LOG_LEVEL_INFO, false);
	signal(SIGPIPE, SIG_IGN);
	tool.program = argv[1];
	tool.directory = argv[2];
	tool.port = (uint16_t)strtoul(argv[3], NULL, 10);
	tool.nodes = (uint32_t)strtoul(argv[4], NULL, 10);
	tool.loop = loop_new();
	tool.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	at.sin_port = htons(tool.port);
	if (bind(tool.udp, (struct sockaddr *)&at, sizeof at)) {
		fprintf(stderr, "agenttool: udp %u: %s\n", tool.port, strerror(errno));
		return 1;
	}
	fill();
	tool.busy = loop_timer_new(tool.loop, on_busy, NULL);
	start_agent();
	loop_fd_add(tool.loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
	loop_run(tool.loop);
	kill(tool.pid, SIGTERM);
	int status = 0;
	waitpid(tool.pid, &status, 0);
	say("acted %llu end %d", (unsigned long long)tool.acted, status);
	return status != 0;
}
