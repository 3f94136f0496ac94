/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays supervisor and engine for one glory-collector and prints what it says, a line each. Called by
 * tests/system/collector.sh. With COLLECTOR_SWARM=N every target stands for N of the swarm's addresses from its own on,
 * and samples are only counted. usage: collectordrive COLLECTOR OBJECTS-FILE TARGET... ; commands on standard input.
 * TARGET: SLOT=ADDRESS:PORT,VERSION,CREDENTIAL[,USER[,AUTH[,PRIV]]]; OBJECTS-FILE lines: ID TABLE SHAPE OID [FILTER].
 * Commands: secret NAME TEXT (with \n as |) | probe SLOT | remove SLOT | port SLOT SWITCH:PORT CREDENTIAL IFINDEX |
 * ask-port SLOT | reference DOMAIN ADDRESS | ask-reference DOMAIN | hold DOMAIN | release DOMAIN | quit */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "loop/loop.h"
#include "proc/channel.h"
#include "proc/role.h"

enum { EPOCH = 7, TARGETS_MAX = NODE_MAX, PER_NET = 250, OBJECTS_MAX = 100, SECRETS_MAX = 16, DOMAIN = 1, SITE = 2 };

static struct drive {
	struct loop *loop;
	struct channel *supervisor, *engine;
	struct msg_object objects[OBJECTS_MAX];
	size_t object_count;
	struct msg_target *targets; /* TARGETS_MAX */
	size_t target_count;
	struct msg_secret secrets[SECRETS_MAX];
	size_t secret_count;
	char line[4096];
	size_t line_used;
	pid_t child;
	unsigned long samples;
	unsigned swarm; /* addresses a target stands for; 0 = itself */
} d;

static void die(const char *what)
{
	fprintf(stderr, "collectordrive: %s\n", what);
	exit(2);
}

/* --- what the collector says ---------------------------------------------------------------------------- */

static void print_samples(const uint8_t *body, size_t size)
{
	for (size_t at = 0; at + sizeof(struct msg_samples) <= size;) {
		const struct msg_samples *a = (const void *)(body + at);
		const struct msg_sample *m = (const void *)(a + 1);

		at += sizeof *a + a->count * sizeof *m;
		if (at > size)
			die("an answer is longer than its packet");
		for (unsigned i = 0; i < a->count && !d.swarm; i++)
			printf("sample slot %u object %u instance %u type %u value %lld uptime %u\n", a->slot, m[i].object,
			       m[i].instance, m[i].type, (long long)m[i].value, a->uptime_cs);
		d.samples += a->count;
	}
}

static void print_witnesses(const struct witness_report *m, size_t count)
{
	static const char *const which[] = {"?", "S", "K", "U"}, *const states[] = {"?",    "na",     "ans",    "late",
										    "pend", "silent", "refused"};

	for (size_t i = 0; i < count; i++)
		printf("witness slot %u %s %s flags %u misses %u needed %u\n", m[i].slot, which[m[i].witness & 3],
		       states[m[i].state < 7 ? m[i].state : 0], m[i].flags, m[i].misses, m[i].needed);
}

static void print_facts(const struct msg_node_facts *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("facts slot %u name %s idlength %u restarted %u rebooted %u clone %u of %d\n", m[i].slot,
		       m[i].sys_name, m[i].engine_id_length, m[i].agent_restarted, m[i].rebooted, m[i].clone_of_known,
		       (int)m[i].clone_slot);
}

static void print_stats(const struct msg_stats *s)
{
	printf("stats handled %llu late %llu dropped %llu garbage %llu persecond %u lateness %d\n",
	       (unsigned long long)s->handled, (unsigned long long)s->late, (unsigned long long)s->dropped,
	       (unsigned long long)s->garbage, s->per_second, s->worst_lateness_ms);
}

static void send_targets(void)
{
	struct msg_targets begin = {.count = (uint32_t)d.target_count};

	channel_send(d.engine, MSG_TARGETS_BEGIN, &begin, sizeof begin);
	channel_send(d.engine, MSG_OBJECTS, d.objects, d.object_count * sizeof d.objects[0]);
	for (size_t i = 0; i < d.target_count; i++)
		channel_send(d.engine, MSG_TARGET, &d.targets[i], sizeof d.targets[i]);
	channel_send(d.engine, MSG_TARGETS_END, NULL, 0);
}

static void on_engine(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	const struct msg_instance *row = body;
	const struct msg_port_state *port = body;
	const struct msg_reference_state *reference = body;
	const struct msg_judge *judge = body;

	(void)arg;
	if (fd >= 0)
		close(fd);
	switch (h->type) {
	case MSG_READY:
		send_targets();
		break;
	case MSG_SAMPLES:
		print_samples(body, size);
		break;
	case MSG_WITNESS:
		print_witnesses(body, size / sizeof(struct witness_report));
		break;
	case MSG_NODE_FACTS:
		print_facts(body, size / sizeof(struct msg_node_facts));
		break;
	case MSG_STATS:
		print_stats(body);
		break;
	case MSG_INSTANCES:
		for (size_t i = 0; i < size / sizeof *row; i++)
			printf("row slot %u table %u instance %u gone %u name %s\n", row[i].slot, row[i].table,
			       row[i].instance, row[i].gone, row[i].name);
		break;
	case MSG_PORT_STATE:
		for (size_t i = 0; i < size / sizeof *port; i++)
			printf("port slot %u state %u\n", port[i].slot, port[i].state);
		break;
	case MSG_REFERENCE_STATE:
		for (size_t i = 0; i < size / sizeof *reference; i++)
			printf("reference domain %u answers %u\n", reference[i].domain, reference[i].answers);
		break;
	case MSG_JUDGE:
		printf("judge reasons %u\n", judge->reasons);
		break;
	}
	fflush(stdout);
}

static void on_supervisor(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	const struct msg_secret_ask *ask = body;

	(void)arg;
	(void)size;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_READY)
		printf("ready\n");
	for (size_t i = 0; h->type == MSG_SECRET_ASK && i < d.secret_count; i++)
		if (!strcmp(d.secrets[i].name, ask->name))
			channel_send(d.supervisor, MSG_SECRET, &d.secrets[i], sizeof d.secrets[i]);
	fflush(stdout);
}

static void on_broken(void *arg, const char *why)
{
	(void)arg;
	printf("broken %s\n", why);
	loop_stop(d.loop);
}

/* --- what it is told --------------------------------------------------------------------------------------- */

static struct msg_secret *secret_of(const char *name, const char *text)
{
	if (d.secret_count == SECRETS_MAX)
		die("too many secrets");
	struct msg_secret *s = &d.secrets[d.secret_count++];

	s->secret_class = SECRET_SNMP;
	text_copy(s->name, sizeof s->name, name);
	text_copy(s->text, sizeof s->text, text);
	for (char *c = s->text; *c; c++)
		if (*c == '|')
			*c = '\n';
	return s;
}

static void send_port(uint32_t slot, const char *where, const char *credential, uint32_t index)
{
	struct msg_port m = {
	    .slot = slot, .generation = 1, .switch_slot = DOMAIN, .if_index = index, .version = SNMP_V2C};

	address_parse(where, 161, &m.switch_address);
	text_copy(m.credential, sizeof m.credential, credential);
	channel_send(d.engine, MSG_PORTS, &m, sizeof m);
}

static void command(char *line)
{
	char *save, *word[5] = {strtok_r(line, " ", &save)};
	struct msg_slot slot = {.generation = 1};
	struct msg_domain domain = {0};
	struct msg_reference reference = {0};

	for (int i = 1; i < 5 && word[i - 1]; i++)
		word[i] = strtok_r(NULL, " ", &save);
	if (!word[0])
		return;
	if (word[1])
		slot.slot = domain.domain = reference.domain = (uint32_t)strtoul(word[1], NULL, 10);
	if (!strcmp(word[0], "quit"))
		loop_stop(d.loop);
	else if (!strcmp(word[0], "secret") && word[2])
		channel_send(d.supervisor, MSG_SECRET, secret_of(word[1], word[2]), sizeof(struct msg_secret));
	else if (!strcmp(word[0], "probe"))
		channel_send(d.engine, MSG_PROBE, &slot, sizeof slot);
	else if (!strcmp(word[0], "remove"))
		channel_send(d.engine, MSG_TARGET_REMOVE, &slot, sizeof slot);
	else if (!strcmp(word[0], "hold"))
		channel_send(d.engine, MSG_HOLD, &domain, sizeof domain);
	else if (!strcmp(word[0], "release"))
		channel_send(d.engine, MSG_RELEASE, &domain, sizeof domain);
	else if (!strcmp(word[0], "port") && word[4])
		send_port(slot.slot, word[2], word[3], (uint32_t)strtoul(word[4], NULL, 10));
	else if (!strcmp(word[0], "ask-port"))
		channel_send(d.engine, MSG_PORT_ASK, &slot, sizeof slot);
	else if (!strcmp(word[0], "reference") && word[2] && address_parse(word[2], 0, &reference.address))
		channel_send(d.engine, MSG_REFERENCE, &reference, sizeof reference);
	else if (!strcmp(word[0], "ask-reference"))
		channel_send(d.engine, MSG_REFERENCE_ASK, &domain, sizeof domain);
	else
		die("unknown command");
}

static void on_input(void *arg, int what)
{
	(void)arg;
	(void)what;
	ssize_t n = read(0, d.line + d.line_used, sizeof d.line - d.line_used - 1);
	if (n <= 0) {
		loop_stop(d.loop);
		return;
	}
	d.line_used += (size_t)n;
	d.line[d.line_used] = 0;
	for (char *end; (end = strchr(d.line, '\n'));) {
		*end = 0;
		command(d.line);
		d.line_used -= (size_t)(end + 1 - d.line);
		memmove(d.line, end + 1, d.line_used + 1);
	}
}

/* --- setting up ------------------------------------------------------------------------------------------------ */

static void read_objects(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512], oid[256], filter[64];
	unsigned id, table, shape;

	if (!f)
		die("no objects file");
	while (fgets(line, sizeof line, f) && d.object_count < OBJECTS_MAX) {
		int n = sscanf(line, "%u %u %u %255s %63s", &id, &table, &shape, oid, filter);
		if (n < 4)
			continue;
		struct msg_object *o = &d.objects[d.object_count++];
		*o = (struct msg_object){
		    .object = (uint16_t)id,
		    .table = (uint16_t)table,
		    .shape = (uint8_t)shape,
		    .interval_s =
			(uint16_t)(getenv("COLLECTOR_INTERVAL") ? strtoul(getenv("COLLECTOR_INTERVAL"), NULL, 10) : 1)};
		if (n == 5)
			text_copy(o->filter, sizeof o->filter, filter);
		for (char *at = oid; *at; at += *at == '.')
			o->oid[o->oid_length++] = (uint32_t)strtoul(at, &at, 10);
	}
	fclose(f);
}

static void read_target(char *text)
{
	struct msg_target *t = &d.targets[d.target_count++];
	char *save, *slot = strtok_r(text, "=", &save), *word[6] = {0};

	for (int i = 0; i < 6; i++)
		word[i] = strtok_r(NULL, ",", &save);
	if (!slot || !word[2] || !address_parse(word[0], 161, &t->address))
		die("a target is SLOT=ADDRESS:PORT,VERSION,CREDENTIAL[,USER[,AUTH[,PRIV]]]");
	t->slot = (uint32_t)strtoul(slot, NULL, 10);
	t->generation = t->monitored = 1;
	t->userland_port = 22;
	t->version = (uint8_t)strtoul(word[1], NULL, 10);
	for (int i = 0; i < TARGET_DOMAINS; i++)
		t->domains[i] = NO_SLOT;
	t->domains[0] = DOMAIN;
	t->domains[4] = SITE;
	text_format(t->name, sizeof t->name, "n%03u", t->slot);
	text_copy(t->credential, sizeof t->credential, word[2]);
	text_copy(t->user, sizeof t->user, word[3] ? word[3] : "");
	t->auth = word[4] ? (uint8_t)strtoul(word[4], NULL, 10) : 0;
	t->priv = word[5] ? (uint8_t)strtoul(word[5], NULL, 10) : 0;
}

/* The targets of a swarm: agent i of it is A.B.(i/250).(1+i%250). */
static void multiply_targets(void)
{
	size_t given = d.target_count;

	for (size_t t = 0; d.swarm && t < given; t++) {
		struct msg_target first = d.targets[t];
		unsigned from = first.address.bytes[2] * PER_NET + first.address.bytes[3] - 1u;
		for (unsigned i = 1; i < d.swarm && d.target_count < TARGETS_MAX; i++) {
			struct msg_target *m = &d.targets[d.target_count++];
			*m = first;
			m->slot = (uint32_t)(first.slot + i);
			m->address.bytes[2] = (uint8_t)((from + i) / PER_NET);
			m->address.bytes[3] = (uint8_t)(1 + (from + i) % PER_NET);
			m->domains[0] = DOMAIN + 10 + (from + i) / PER_NET;
			text_format(m->name, sizeof m->name, "n%05u", m->slot);
		}
	}
}

static void start_child(const char *program, int supervisor[2], int engine[2])
{
	d.child = fork();
	if (d.child != 0)
		return;
	int a = fcntl(supervisor[1], F_DUPFD, 20), b = fcntl(engine[1], F_DUPFD, 20);
	dup2(a, ROLE_SUPERVISOR_FD);
	dup2(b, ROLE_ENGINE_FD);
	for (int fd = 5; fd < 64; fd++)
		close(fd);
	execl(program, program, (char *)NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	int supervisor[2], engine[2];
	struct role_start start = {.role = ROLE_COLLECTOR,
				   .epoch = EPOCH,
				   .life = 1,
				   .log_level = LOG_LEVEL_INFO,
				   .site = "test",
				   .appliance = "test"};
	struct channel_owner above = {on_supervisor, on_broken, NULL}, beside = {on_engine, on_broken, NULL};
	int status = 0;

	if (argc < 3 || argc > 66)
		die("usage: collectordrive COLLECTOR OBJECTS-FILE TARGET...");
	d.targets = mem_array(TARGETS_MAX, sizeof *d.targets);
	if (getenv("COLLECTOR_SWARM"))
		d.swarm = (unsigned)strtoul(getenv("COLLECTOR_SWARM"), NULL, 10);
	read_objects(argv[2]);
	for (int i = 3; i < argc; i++)
		read_target(argv[i]);
	multiply_targets();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, supervisor) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, engine))
		die("no sockets");
	if (getenv("COLLECTOR_UID"))
		start.uid = start.gid = (uint32_t)strtoul(getenv("COLLECTOR_UID"), NULL, 10);
	start_child(argv[1], supervisor, engine);
	close(supervisor[1]);
	close(engine[1]);
	d.loop = loop_new();
	d.supervisor = channel_open(d.loop, supervisor[0], 0, message_shapes, MSG_TYPE_COUNT, &above);
	d.engine = channel_open(d.loop, engine[0], EPOCH, message_shapes, MSG_TYPE_COUNT, &beside);
	channel_send(d.supervisor, MSG_START, &start, sizeof start);
	loop_fd_add(d.loop, 0, LOOP_READ, on_input, NULL);
	loop_run(d.loop);
	kill(d.child, SIGTERM);
	waitpid(d.child, &status, 0);
	printf("end samples %lu exit %d\n", d.samples,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
