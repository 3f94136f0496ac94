/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays supervisor and engine for glory-api: a board of made-up nodes, canned answers to commands and queries, orders
 * on standard input. Called by tests/system/api.sh and cli.sh. Each order is answered by "ok ORDER"; what the role asks
 * for is printed as it comes. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/board.h"
#include "loop/loop.h"
#include "proc/channel.h"
#include "proc/role.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z: rows of a test never change by themselves */

static struct tool {
	const char *program, *path;
	uint32_t nodes, uid, epoch, life;
	int unix_fd, tcp_fd;
	pid_t pid;
	struct loop *loop;
	struct channel *as_supervisor, *as_engine;
	struct board_writer *board;
	bool holding;
	int refuse;
	uint64_t next_job;
	uint32_t job_slot;
	struct loop_timer *later;
	char line[256];
	size_t line_used;
} tool = {.next_job = 100};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* --- the board ---------------------------------------------------------------------------------------- */

static struct node_row node_of(uint32_t slot)
{
	struct node_row r = {.head = {.generation = 1, .slot = slot, .order = slot, .last_change_wall_ms = T0},
			     .group_slot = slot % 2,
			     .verdict = VERDICT_UP,
			     .certainty = CERTAINTY_CALLED,
			     .level = LEVEL_NORMAL,
			     .power = POWER_ON,
			     .life = LIFE_READY,
			     .wanted_power = POWER_ON,
			     .policy = POLICY_REPAIR,
			     .since_wall_ms = T0,
			     .last_seen_wall_ms = T0 + 1500,
			     .cpu_percent_x100 = 1250,
			     .mem_percent_x100 = -1,
			     .load1_x100 = 137,
			     .witness = {0, STATE_ANS, STATE_ANS, STATE_NA, BMC_ON},
			     .port_state = PORT_MOVING};

	r.address = (struct address){.family = 4, .port = 161, .bytes = {10, 1, (uint8_t)(slot >> 8), (uint8_t)slot}};
	r.bmc = (struct address){.family = 4, .port = 623, .bytes = {10, 2, (uint8_t)(slot >> 8), (uint8_t)slot}};
	text_format(r.name, sizeof r.name, "n%05u", slot + 1);
	text_format(r.group, sizeof r.group, "g%02u", slot % 2 + 1);
	text_copy(r.rack, sizeof r.rack, "r1");
	if (slot == 3) {
		r.verdict = VERDICT_OS_HUNG;
		r.level = LEVEL_CRITICAL;
		r.certainty = CERTAINTY_CONFIRMED;
		r.bmc.family = 0;
		r.witness[WITNESS_S] = STATE_SILENT;
		text_copy(r.cause, sizeof r.cause, "kernel answers, \"programs\" <do> not & \x01 never");
	}
	return r;
}

static void put_node(const struct node_row *r)
{
	board_put(tool.board, BOARD_NODE, r);
	board_flip(tool.board);
}

static void fill_rest(void)
{
	struct appliance_row a = {
	    .head = {.generation = 1}, .start_wall_ms = T0, .polls = UINT64_C(5000000000), .polls_per_second = 1000};
	struct cluster_row c = {.head = {.generation = 1, .last_change_wall_ms = T0},
				.nodes = tool.nodes,
				.groups = 2,
				.level = LEVEL_CRITICAL};

	text_copy(a.name, sizeof a.name, "glory1");
	text_copy(a.version, sizeof a.version, "test");
	text_copy(a.role, sizeof a.role, "cluster master");
	text_copy(c.name, sizeof c.name, "demo");
	c.by_verdict[VERDICT_UP] = tool.nodes - 1;
	c.by_verdict[VERDICT_OS_HUNG] = 1;
	c.alarms_by_severity[LEVEL_CRITICAL] = 1;
	board_put(tool.board, BOARD_APPLIANCE, &a);
	board_put(tool.board, BOARD_CLUSTER, &c);
	for (uint32_t i = 0; i < 2; i++) {
		struct group_row g = {.head = {.generation = 1, .slot = i, .order = i},
				      .nodes = tool.nodes / 2,
				      .level = LEVEL_NORMAL,
				      .policy = POLICY_TELL,
				      .domain_state = DOMAIN_STATE_OK};
		text_format(g.name, sizeof g.name, "g%02u", i + 1);
		board_put(tool.board, BOARD_GROUP, &g);
		struct item_row item = {.head = {.generation = 1, .slot = i, .order = i},
					.interval_s = 10,
					.builtin = 1,
					.per_instance = (uint8_t)i};
		text_copy(item.name, sizeof item.name, i ? "disk_fill" : "cpu");
		text_copy(item.unit, sizeof item.unit, "percent");
		text_copy(item.describes, sizeof item.describes, i ? "file system in use" : "processor time");
		board_put(tool.board, BOARD_ITEM, &item);
		struct alarm_row alarm = {.head = {.generation = 1, .slot = i, .order = 7 + i},
					  .id = 7 + i,
					  .first_wall_ms = T0,
					  .last_wall_ms = T0,
					  .cleared_wall_ms = i ? T0 + 9000 : 0,
					  .count = 1,
					  .severity = LEVEL_CRITICAL,
					  .node_slot = 3};
		text_copy(alarm.object, sizeof alarm.object, "n00004");
		text_copy(alarm.kind, sizeof alarm.kind, "verdict");
		text_copy(alarm.cause, sizeof alarm.cause, "os-hung");
		board_put(tool.board, BOARD_ALARM, &alarm);
	}
}

static void fill_values(uint32_t slot)
{
	uint32_t at = slot * 3;
	struct value_row v = {.head = {.generation = 1, .slot = at, .order = (uint64_t)slot << 32, .last_change_wall_ms = T0},
			      .node_slot = slot,
			      .value = 12.5,
			      .level = LEVEL_NORMAL};

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
	struct sensor_row s = {.head = {.generation = 1, .slot = slot, .order = (uint64_t)slot << 32 | 17},
			       .node_slot = slot,
			       .record_id = 17,
			       .reading = 41.5,
			       .warning_low = (double)NAN,
			       .warning_high = 75,
			       .critical_low = (double)NAN,
			       .critical_high = 85,
			       .type = 1,
			       .state = SENSOR_NOMINAL,
			       .level = LEVEL_NORMAL,
			       .at_wall_ms = T0};
	text_copy(s.name, sizeof s.name, "Inlet Temp");
	text_copy(s.unit, sizeof s.unit, "C");
	board_put(tool.board, BOARD_SENSOR, &s);
}

/* Two services; the first has three members, one of them stuck. */
static void fill_services(void)
{
	static const struct {
		uint32_t node;
		uint8_t state, probe, level, stuck;
		uint32_t weight;
		const char *reason;
	} members[] = {{0, MEMBER_IN_SERVICE, PROBE_GOOD, LEVEL_NORMAL, 0, 100, "answers 200"},
		       {1, MEMBER_WARMING, PROBE_GOOD, LEVEL_NORMAL, 0, 40, "weight grows until 12:00:30"},
		       {3, MEMBER_STARTING, PROBE_BAD, LEVEL_WARNING, 1, 0, "\"nginx\" <does> not answer & is waited for"}};
	struct pool_row p = {.head = {.generation = 1}, .nodes = 6, .free = 2, .allocated = 3, .unfit = 1, .reserve = 1, .spares = 2, .name = "web", .scope = "@g01"};
	struct balancer_row b = {.head = {.generation = 1}, .driver = DRIVER_HAPROXY, .state = BALANCER_IN_STEP, .level = LEVEL_NORMAL,
				 .read_wall_ms = T0, .commands = 12, .repairs = 1, .virtuals = 1, .reals = 2, .name = "lb1"};

	for (uint32_t i = 0; i < 2; i++) {
		struct service_row s = {.head = {.generation = 1, .slot = i, .order = i, .last_change_wall_ms = T0}, .wanted = 3, .in_service = 1,
					.coming = 2, .min = 2, .max = 6, .pin = i ? 0 : 3, .enabled = 1, .state = SERVICE_SHORT, .level = LEVEL_WARNING,
					.utilisation = i ? __builtin_nan("") : 0.63, .demand = 1.5, .headroom = 1.1, .requests_per_second = 12.5,
					.bytes_per_second = __builtin_nan(""), .connections = 70, .balancer = "lb1", .pool = "web",
					.virtuals = "10.99.0.100:80", .reason = "keep 3: pinned"};
		text_copy(s.name, sizeof s.name, i ? "mail" : "web");
		board_put(tool.board, BOARD_SERVICE, &s);
	}
	for (uint32_t i = 0; i < COUNT_OF(members); i++) {
		struct member_row m = {.head = {.generation = 1, .slot = i, .order = members[i].node}, .node_slot = members[i].node, .since_wall_ms = T0,
				       .state = members[i].state, .probe = members[i].probe, .level = members[i].level, .stuck = members[i].stuck,
				       .weight = members[i].weight, .connections = 35 * i, .utilisation = i ? __builtin_nan("") : 0.6};
		text_copy(m.reason, sizeof m.reason, members[i].reason);
		board_put(tool.board, BOARD_MEMBER, &m);
	}
	board_put(tool.board, BOARD_POOL, &p);
	board_put(tool.board, BOARD_BALANCER, &b);
}

static void fill(void)
{
	struct board_limits limits;

	board_limits_for(tool.nodes + 100, 3, 1, &limits);
	tool.board = board_create(++tool.epoch, &limits);
	if (!tool.board)
		exit(1);
	fill_rest();
	fill_services();
	for (uint32_t i = 0; i < tool.nodes; i++) {
		struct node_row r = node_of(i);
		board_put(tool.board, BOARD_NODE, &r);
		fill_values(i);
	}
	board_flip(tool.board);
}

/* --- jobs: each runs for a moment and ends as its target says ------------------------------------------ */

static struct job_row job_row;

static void on_later(void *arg)
{
	bool partly = strstr(job_row.target, "n00004") || strchr(job_row.target, '@');
	(void)arg;

	job_row.state = partly ? JOB_FAILED : JOB_DONE;
	job_row.ended_wall_ms = T0 + 5000;
	job_row.done = job_row.total;
	job_row.head.last_change_wall_ms = T0 + 5000;
	text_copy(job_row.result, sizeof job_row.result, partly ? "1 of 2 failed" : "done");
	board_put(tool.board, BOARD_JOB, &job_row);
	board_flip(tool.board);
}

static uint64_t start_job(const struct msg_command *c, const char *arguments)
{
	uint64_t id = ++tool.next_job;

	job_row =
	    (struct job_row){.head = {.generation = 1, .slot = tool.job_slot++, .order = id, .last_change_wall_ms = T0},
			     .id = id,
			     .queued_wall_ms = T0,
			     .started_wall_ms = T0 + 10,
			     .state = JOB_RUNNING,
			     .verb = POWER_VERB_CYCLE,
			     .node_slot = NO_SLOT,
			     .total = 2};
	for (int v = POWER_VERB_ON; v < POWER_VERB_COUNT; v++)
		if (strstr(arguments, power_verb_name(v)))
			job_row.verb = (uint32_t)v;
	text_copy(job_row.actor, sizeof job_row.actor, c->actor);
	text_copy(job_row.target, sizeof job_row.target, c->target);
	board_put(tool.board, BOARD_JOB, &job_row);
	board_flip(tool.board);
	loop_timer_set(tool.later, 300);
	return id;
}

/* --- answers ------------------------------------------------------------------------------------------- */

static void reply(uint64_t request, int status, uint64_t job, bool more, const char *text)
{
	struct msg_reply r = {
	    .request = request, .job = job, .status = status, .more = more, .text_size = (uint32_t)strlen(text)};

	channel_send2(tool.as_engine, MSG_REPLY, &r, sizeof r, text, strlen(text));
}

static int memory_file(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		say("memfd: %s", strerror(errno));
	return fd;
}

static void reply_fd(uint64_t request, int fd)
{
	struct msg_reply r = {.request = request};

	channel_send_fd(tool.as_engine, MSG_REPLY, &r, sizeof r, fd);
	close(fd);
}

static void refuse(uint64_t request)
{
	reply(request, tool.refuse, 0, false,
	      "{\"kind\":\"refused\",\"object\":\"group g01\",\"text\":\"5 nodes were switched in the last "
	      "minute\",\"remedy\":\"wait a minute\"}");
}

static void on_apply(const struct msg_command *c, const char *arguments, int fd)
{
	char bytes[65536], sum[64];
	uint64_t total = 0, hash = 0;
	ssize_t n;
	int seals = fd >= 0 ? fcntl(fd, F_GET_SEALS) : 0;

	while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0) {
		total += (uint64_t)n;
		hash ^= text_hash(bytes, (size_t)n);
	}
	text_format(sum, sizeof sum, "%016llx", (unsigned long long)hash);
	say("apply dry=%u %s bytes=%llu sealed=%d", c->dry_run, arguments, (unsigned long long)total,
	    (seals & (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)) == (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK));
	reply(c->request, 0, 0, false,
	      "{\"done\":true,\"generation\":5,\"added\":1,\"changed\":1,\"removed\":1,\"changes\":["
	      "{\"what\":\"added\",\"kind\":\"node\",\"name\":\"n9\",\"fields\":\"\"},"
	      "{\"what\":\"changed\",\"kind\":\"group\",\"name\":\"g01\",\"fields\":\"policy\"},"
	      "{\"what\":\"removed\",\"kind\":\"node\",\"name\":\"n8\",\"fields\":\"\"}]}");
}

static void on_command(const struct msg_command *c, size_t size, int fd)
{
	char arguments[1024] = "", answer[64];

	if (c->argument_size != size - sizeof *c || c->argument_size >= sizeof arguments) {
		say("bad command");
		return;
	}
	memcpy(arguments, c + 1, c->argument_size);
	if (tool.holding) {
		say("held %u", c->verb);
		return;
	}
	if (tool.refuse) {
		refuse(c->request);
		return;
	}
	if (c->verb == COMMAND_APPLY) {
		on_apply(c, arguments, fd);
		return;
	}
	say("command %u target=%s arguments=%s actor=%s right=%u yes=%u", c->verb, c->target, arguments, c->actor,
	    c->right, c->yes);
	if (c->verb != COMMAND_POWER) {
		reply(c->request, 0, 0, false, "{\"done\":true}");
		return;
	}
	uint64_t id = start_job(c, arguments);
	text_format(answer, sizeof answer, "{\"job\":%llu}", (unsigned long long)id);
	reply(c->request, 0, id, false, answer);
}

static void reply_steps(const struct msg_query *q)
{
	char text[1024];

	if (strtoull(q->target, NULL, 10) > tool.next_job || strtoull(q->target, NULL, 10) <= 100) {
		reply(q->request, ERR_NOT_FOUND, 0, false,
		      "{\"object\":\"job\",\"text\":\"there is no such job\",\"remedy\":\"see: gloryctl job list\"}");
		return;
	}
	bool partly = job_row.state == JOB_FAILED;
	text_format(text, sizeof text,
		    "[{\"v\":1,\"slot\":0,\"generation\":1,\"node\":\"n00001\",\"phase\":\"done\",\"step\":1,\"tries\":"
		    "0,\"power\":\"on\",\"at\":%lld,\"text\":\"\"}]",
		    (long long)T0);
	reply(q->request, 0, 0, true, text);
	text_format(text, sizeof text,
		    "[{\"v\":1,\"slot\":1,\"generation\":1,\"node\":\"n00004\",\"phase\":\"%s\",\"step\":0,\"tries\":2,"
		    "\"power\":\"unknown\",\"at\":0,\"text\":\"%s\"}]",
		    partly ? "failed" : "done", partly ? "the BMC refuses the password" : "");
	reply(q->request, 0, 0, false, text);
}

static void reply_events(const struct msg_query *q)
{
	uint64_t last = 250, from = q->from == QUERY_NEWEST ? (last > q->limit ? last - q->limit + 1 : 1)
				    : q->from               ? q->from
							    : 1;
	uint64_t until = from + q->limit - 1 < last ? from + q->limit - 1 : last;

	do {
		char text[16384] = "[";
		size_t used = 1;
		uint64_t end = until < from + 49 ? until : from + 49;
		for (uint64_t id = from; id <= end; id++)
			text_append(text, sizeof text, &used,
				    "%s{\"v\":1,\"id\":%llu,\"at\":%lld,\"kind\":\"verdict\",\"object\":\"n%05llu\","
				    "\"cause\":\"c\",\"slot\":1,\"alarm\":0,\"job\":0,\"verdict\":\"os-hung\"}",
				    id == from ? "" : ",", (unsigned long long)id, (long long)(T0 + (int64_t)id * 1000),
				    (unsigned long long)(id % 4 + 1));
		text_append(text, sizeof text, &used, "]");
		reply(q->request, 0, 0, end < until, text);
		from = end + 1;
	} while (from <= until);
}

/* What the engine says of services, and of the balancer: two pieces. */
static bool reply_services(const struct msg_query *q)
{
	switch (q->kind) {
	case QUERY_WANTED:
		say("wanted %s", q->target);
		reply(q->request, 0, 0, false, "[{\"v\":1,\"name\":\"web\",\"agent\":\"systemd:nginx\",\"probe\":\"http /\",\"kind\":\"package\"}]");
		return true;
	case QUERY_SERVICE_EXPLAIN:
		reply(q->request, 0, 0, false, "[{\"about\":\"size\",\"text\":\"keep 3: pinned\"},{\"about\":\"n00004\",\"text\":\"starting for 2m\"}]");
		return true;
	case QUERY_BALANCER:
		reply(q->request, 0, 0, true,
		      "[{\"virtual\":\"web\",\"address\":\"10.99.0.100:80\",\"mark\":0,\"scheduler\":\"wrr\",\"reals\":[{\"name\":\"n00001\","
		      "\"address\":\"10.1.0.1:80\",\"weight\":100,\"active\":3,\"connections\":9,\"bytes_in\":5,\"bytes_out\":6,\"failing\":false}]}]");
		reply(q->request, 0, 0, false,
		      "[{\"virtual\":\"web\",\"address\":\"10.99.0.100:80\",\"mark\":0,\"scheduler\":\"wrr\",\"reals\":[{\"name\":\"n00002\","
		      "\"address\":\"10.1.0.2:80\",\"weight\":40,\"active\":0,\"connections\":0,\"bytes_in\":0,\"bytes_out\":0,\"failing\":true}]}]");
		return true;
	default:
		return false;
	}
}

static void on_query(const struct msg_query *q)
{
	if (tool.holding)
		say("held query %u", q->kind);
	else if (tool.refuse)
		refuse(q->request);
	else if (q->kind == QUERY_EVENTS || q->kind == QUERY_AUDIT)
		reply_events(q);
	else if (q->kind == QUERY_EXPORT)
		reply_fd(q->request, memory_file("<cluster xmlns=\"urn:glory-cl:cluster:1\" site=\"demo\"/>\n"));
	else if (!reply_services(q))
		reply_steps(q);
}

/* A picture in two halves through a pipe, or a complaint for the item "nothing". */
static void on_graph(const struct msg_graph *g)
{
	static const char picture[] = "\x89PNG\r\n\x1a\n and the rest of the picture";
	int ends[2];

	say("graph %s %s %s %ux%u format=%u span=%lld", g->range, g->items[0], g->items[1], g->width, g->height,
	    g->format, (long long)(g->to_wall_ms - g->from_wall_ms));
	if (tool.holding || pipe(ends))
		return;
	struct msg_reply r = {.request = g->request};
	channel_send_fd(tool.as_engine, MSG_REPLY, &r, sizeof r, ends[0]);
	close(ends[0]);
	const char *text = !strcmp(g->items[0], "nothing") ? "n00001: has no item nothing" : picture;
	size_t size = text == picture ? sizeof picture - 1 : strlen(text);
	if (write(ends[1], text, size) != (ssize_t)size)
		say("pipe: %s", strerror(errno));
	close(ends[1]);
}

/* --- channels ------------------------------------------------------------------------------------------ */

static void from_role_above(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)arg;
	(void)body;
	(void)size;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_READY)
		say("ready");
}

static void from_role(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)arg;
	if (h->type == MSG_COMMAND)
		on_command(body, size, fd);
	else if (h->type == MSG_QUERY)
		on_query(body);
	else if (h->type == MSG_GRAPH)
		on_graph(body);
	if (fd >= 0)
		close(fd);
}

static void on_broken(void *arg, const char *why)
{
	(void)arg;
	say("broken %s", why);
}

static void send_start(int fd)
{
	struct {
		struct message_header h;
		struct role_start s;
	} p = {.h = {.version = CHANNEL_VERSION, .type = MSG_START}};

	p.s.role = ROLE_API;
	p.s.epoch = tool.epoch;
	p.s.life = ++tool.life;
	p.s.uid = p.s.gid = tool.uid;
	p.s.log_level = LOG_LEVEL_INFO;
	p.s.sockets = 2;
	text_copy(p.s.site, sizeof p.s.site, "demo");
	text_copy(p.s.appliance, sizeof p.s.appliance, "glory1");
	if (send(fd, &p, sizeof p, 0) != sizeof p)
		say("start: %s", strerror(errno));
}

/* The child: the two channels at the descriptors a role expects, then the program. */
static void become_role(int above, int beside)
{
	int a = fcntl(above, F_DUPFD, 20), b = fcntl(beside, F_DUPFD, 20);

	dup2(a, ROLE_SUPERVISOR_FD);
	dup2(b, ROLE_ENGINE_FD);
	closefrom(5);
	clearenv();
	char *const argv[] = {(char *)(uintptr_t) "glory-api", NULL};
	execv(tool.program, argv);
	_exit(127);
}

static void send_board(void)
{
	channel_send_fd(tool.as_engine, MSG_BOARD, NULL, 0, board_fd(tool.board));
}

static void start_role(bool with_board)
{
	int above[2], beside[2];
	struct channel_owner up = {from_role_above, on_broken, NULL}, side = {from_role, on_broken, NULL};
	struct msg_socket what = {.use = SOCKET_API};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, above) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, beside))
		exit(1);
	tool.pid = fork();
	if (tool.pid == 0)
		become_role(above[1], beside[1]);
	close(above[1]);
	close(beside[1]);
	send_start(above[0]);
	tool.as_supervisor = channel_open(tool.loop, above[0], 0, message_shapes, MSG_TYPE_COUNT, &up);
	tool.as_engine = channel_open(tool.loop, beside[0], tool.epoch, message_shapes, MSG_TYPE_COUNT, &side);
	channel_send_fd(tool.as_supervisor, MSG_SOCKET, &what, sizeof what, tool.unix_fd);
	what.use = SOCKET_HTTP;
	channel_send_fd(tool.as_supervisor, MSG_SOCKET, &what, sizeof what, tool.tcp_fd);
	if (with_board)
		send_board();
}

/* --- orders -------------------------------------------------------------------------------------------- */

static void order_verdict(const char *name, const char *word)
{
	uint32_t slot = (uint32_t)strtoul(name + 1, NULL, 10) - 1;
	struct node_row r = node_of(slot);

	if (slot >= tool.nodes)
		return;
	r.verdict = (uint8_t)words_value(WORDS_VERDICT, word);
	r.head.last_change_wall_ms = clock_wall_ms();
	put_node(&r);
}

static void order_gone(const char *name)
{
	struct node_row gone = {.head = {.slot = (uint32_t)strtoul(name + 1, NULL, 10) - 1}};

	if (gone.head.slot < tool.nodes)
		put_node(&gone);
}

static void order_kill(bool with_board)
{
	kill(tool.pid, SIGKILL);
	waitpid(tool.pid, NULL, 0);
	channel_free(tool.as_supervisor);
	channel_free(tool.as_engine);
	start_role(with_board);
}

static void order_user(const char *name, const char *right)
{
	struct msg_user u;

	memset(&u, 0, sizeof u);
	text_copy(u.name, sizeof u.name, name);
	u.right = (uint8_t)words_value(WORDS_RIGHT, right);
	channel_send(tool.as_engine, MSG_USER, &u, name[0] ? sizeof u : 0);
}

/* Anonymous memory of the role in KiB: the board is not counted. */
static void order_memory(void)
{
	char path[64], text[4096] = "";

	text_format(path, sizeof path, "/proc/%d/status", (int)tool.pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
	if (fd >= 0)
		close(fd);
	const char *at = n > 0 ? strstr(text, "RssAnon:") : NULL;
	say("memory %ld", at ? strtol(at + 8, NULL, 10) : -1);
}

static void on_order(char *line)
{
	char word[32] = "", first[64] = "", second[64] = "";

	sscanf(line, "%31s %63s %63s", word, first, second);
	if (!strcmp(word, "hold"))
		tool.holding = true;
	else if (!strcmp(word, "release"))
		tool.holding = false;
	else if (!strcmp(word, "refuse"))
		tool.refuse = error_value(first);
	else if (!strcmp(word, "verdict"))
		order_verdict(first, second);
	else if (!strcmp(word, "gone"))
		order_gone(first);
	else if (!strcmp(word, "kill"))
		order_kill(strcmp(first, "no-board") != 0);
	else if (!strcmp(word, "board"))
		send_board();
	else if (!strcmp(word, "user"))
		order_user(first, second);
	else if (!strcmp(word, "memory"))
		order_memory();
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

static int listen_on(const struct sockaddr *at, socklen_t length)
{
	int one = 1, fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, at, length) || listen(fd, 64)) {
		fprintf(stderr, "apitool: listen: %s\n", strerror(errno));
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	if (argc != 6) {
		fprintf(stderr, "usage: apitool API-PROGRAM SOCKET PORT NODES UID\n");
		return 2;
	}
	log_open("apitool", LOG_LEVEL_INFO, false);
	signal(SIGPIPE, SIG_IGN);
	tool.program = argv[1];
	tool.path = argv[2];
	tcp.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	tool.nodes = (uint32_t)strtoul(argv[4], NULL, 10);
	tool.uid = (uint32_t)strtoul(argv[5], NULL, 10);
	text_copy(local.sun_path, sizeof local.sun_path, tool.path);
	unlink(tool.path);
	tool.unix_fd = listen_on((struct sockaddr *)&local, sizeof local);
	chmod(tool.path, 0666);
	tool.tcp_fd = listen_on((struct sockaddr *)&tcp, sizeof tcp);
	tool.loop = loop_new();
	tool.later = loop_timer_new(tool.loop, on_later, NULL);
	fill();
	start_role(true);
	loop_fd_add(tool.loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
	loop_run(tool.loop);
	kill(tool.pid, SIGTERM);
	int status = 0;
	waitpid(tool.pid, &status, 0);
	say("end %d", status);
	return status != 0;
}
