/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swarm: a program that stands for thousands of machines. Options, the loop, and the client `swarm ctl SOCKET
 * COMMAND...`. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/swarm/agent.h"
#include "tests/lab/swarm/bmc.h"
#include "tests/lab/swarm/ctl.h"
#include "tests/lab/swarm/net.h"
#include "tests/lab/swarm/tcp.h"

enum { AT_CTL = PORTS, AT_SIGNAL, AT_TCP, SETS_MAX = 32 };

struct options {
	unsigned snmp_port, bmc_port, tcp_port;
	bool echo;
	const char *ctl;
	char *sets[SETS_MAX];
	unsigned set_count;
};

static const char usage[] =
	"usage: swarm [--agents N] [--bmcs N] [--snmp-port P] [--bmc-port P] [--tcp-port P] [--no-echo]\n"
	"             [--agents-net A.B.0.0] [--bmcs-net A.B.0.0] [--seed N] [--interval MS] [--max-size BYTES]\n"
	"             [--secret FILE]... [--bmc-user U] [--suite 3|17|0]\n"
	"             [--v3 FIRST-LAST] [--v3-user U] [--ctl SOCKET] [--set 'agents RANGE KNOB VALUE...']...\n"
	"       swarm ctl SOCKET COMMAND...   (set clear do show report reset interval knobs ping quit)\n"
	"agent i is A.B.(i/250).(1+i%250); a port 0 leaves that service out; FILE has lines community= auth= priv= "
	"password=\n";

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads one file of secrets; lines are NAME=VALUE. */
static int read_secrets(struct swarm *s, const char *path)
{
	const struct {
		const char *name;
		char *to;
		size_t size;
	} rows[] = {{"community=", s->community, sizeof(s->community)},
		    {"auth=", s->v3_auth, sizeof(s->v3_auth)},
		    {"priv=", s->v3_priv, sizeof(s->v3_priv)},
		    {"password=", s->bmc_password, sizeof(s->bmc_password)}};
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f) {
		fprintf(stderr, "swarm: secret file %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = 0;
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			size_t n = strlen(rows[i].name);
			if (strncmp(line, rows[i].name, n) == 0)
				snprintf(rows[i].to, rows[i].size, "%s", line + n);
		}
	}
	explicit_bzero(line, sizeof(line));
	fclose(f);
	return 0;
}

static bool number_option(const char *name, unsigned *to, unsigned low, unsigned high)
{
	char *end;
	unsigned long v = strtoul(optarg, &end, 10);

	if (*optarg && !*end && v >= low && v <= high) {
		*to = (unsigned)v;
		return true;
	}
	fprintf(stderr, "swarm: option --%s %s: must be %u..%u\n", name, optarg, low, high);
	return false;
}

static bool net_option(uint32_t *to)
{
	struct in_addr a;

	if (inet_pton(AF_INET, optarg, &a) == 1 && !(ntohl(a.s_addr) & 0xffff)) {
		*to = ntohl(a.s_addr);
		return true;
	}
	fprintf(stderr, "swarm: network %s: must be of the form A.B.0.0\n", optarg);
	return false;
}

static bool v3_option(struct swarm *s)
{
	char *end;
	unsigned long first = strtoul(optarg, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

	s->v3_first = (unsigned)first;
	s->v3_count = (unsigned)(last - first + 1);
	if (*optarg && !*end && first <= last && last < SWARM_MAX)
		return true;
	fprintf(stderr, "swarm: option --v3 %s: must be FIRST-LAST\n", optarg);
	return false;
}

static bool add_set(struct options *o)
{
	if (o->set_count < SETS_MAX && asprintf(&o->sets[o->set_count], "set %s", optarg) > 0) {
		o->set_count++;
		return true;
	}
	fprintf(stderr, "swarm: more than %d --set options, join some\n", SETS_MAX);
	return false;
}

static const struct option long_options[] = {
    {"agents", 1, NULL, 'a'},   {"bmcs", 1, NULL, 'b'},       {"snmp-port", 1, NULL, 'p'}, {"bmc-port", 1, NULL, 'q'},
	{"tcp-port", 1, NULL, 'x'}, {"no-echo", 0, NULL, 'e'},  {"agents-net", 1, NULL, 'n'},
	{"bmcs-net", 1, NULL, 'm'},   {"seed", 1, NULL, 's'},
    {"interval", 1, NULL, 'i'}, {"max-size", 1, NULL, 'z'},   {"secret", 1, NULL, 'k'},    {"bmc-user", 1, NULL, 'u'},
	{"suite", 1, NULL, 'c'},    {"v3", 1, NULL, 'v'},         {"v3-user", 1, NULL, 'w'},   {"ctl", 1, NULL, 'l'},
	{"set", 1, NULL, 't'},      {NULL, 0, NULL, 0},
};

static bool one_option(int c, struct swarm *s, struct options *o)
{
	switch (c) {
	case 'a':
		return number_option("agents", &s->agents, 0, SWARM_MAX);
	case 'b':
		return number_option("bmcs", &s->bmcs, 0, SWARM_MAX);
	case 'p':
		return number_option("snmp-port", &o->snmp_port, 0, 65535);
	case 'q':
		return number_option("bmc-port", &o->bmc_port, 0, 65535);
	case 'x':
		return number_option("tcp-port", &o->tcp_port, 0, 65535);
	case 'e':
		o->echo = false;
		return true;
	case 'n':
		return net_option(&s->agents_net);
	case 'm':
		return net_option(&s->bmcs_net);
	case 's':
		return number_option("seed", &s->seed, 0, UINT32_MAX);
	case 'i':
		return number_option("interval", &s->interval_ms, 10, 3600000);
	case 'z':
		return number_option("max-size", &s->max_size, 484, 12000);
	case 'k':
		return read_secrets(s, optarg) == 0;
	case 'u':
		return snprintf(s->bmc_user, sizeof(s->bmc_user), "%s", optarg) < (int)sizeof(s->bmc_user);
	case 'c':
		return number_option("suite", &s->suite, 0, 17);
	case 'v':
		return v3_option(s);
	case 'w':
		return snprintf(s->v3_user, sizeof(s->v3_user), "%s", optarg) < (int)sizeof(s->v3_user);
	case 'l':
		o->ctl = optarg;
		return true;
	case 't':
		return add_set(o);
	default:
		fputs(usage, stderr);
		return false;
	}
}

static bool read_options(int argc, char **argv, struct swarm *s, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!one_option(c, s, o))
			return false;
	if (optind == argc && s->v3_first + s->v3_count <= s->agents &&
	    (s->suite == 0 || s->suite == 3 || s->suite == 17))
		return true;
	fputs(usage, stderr);
	return false;
}

/* The machines, and v3 engines for those that shall have one. */
static int make_machines(struct swarm *s)
{
	s->now_ms = clock_ms();
	if (swarm_start(s) < 0)
		return -1;
	return s->v3_count ? agent_v3_start(s, s->v3_first, s->v3_count) : 0;
}

static bool run_sets(struct swarm *s, struct options *o)
{
	bool ok = true;

	for (unsigned i = 0; i < o->set_count; i++) {
		ok = ok && ctl_command(s, o->sets[i], stderr);
		free(o->sets[i]);
	}
	return ok;
}

static int watch(int epoll, int fd, uint32_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = what};

	return fd < 0 ? 0 : epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static int signals_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void loop(struct swarm *s, int epoll, int ctl, int tcp)
{
	while (!s->stop) {
		struct epoll_event events[8];
		int wait_ms = sooner(bmc_run_due(s), net_send_due(s)), n = epoll_wait(epoll, events, 8, wait_ms);
		int64_t start_ms = s->now_ms = clock_ms();
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == AT_SIGNAL)
				s->stop = true;
			else if (events[i].data.u32 == AT_CTL)
				ctl_ready(s, ctl);
			else if (events[i].data.u32 == AT_TCP)
				tcp_ready(s, tcp);
			else
				net_ready(s, (enum port_kind)events[i].data.u32);
		}
		s->now_ms = clock_ms();
		if (s->now_ms - start_ms > s->sums.max_loop_ms)
			s->sums.max_loop_ms = (uint32_t)(s->now_ms - start_ms);
	}
}

static int serve(struct swarm *s, struct options *o)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), ctl = o->ctl ? ctl_listen(o->ctl) : -1, tcp = -1, code = 1;

	if (net_open(s, (uint16_t)o->snmp_port, (uint16_t)o->bmc_port, o->echo) < 0 || (o->ctl && ctl < 0) ||
	    (o->tcp_port && (tcp = tcp_open(s, (uint16_t)o->tcp_port)) < 0))
		goto out;
	s->snmp_port = (uint16_t)o->snmp_port;
	net_set_handler(s, PORT_SNMP, agent_handle);
	net_set_handler(s, PORT_ECHO, agent_echo);
	net_set_handler(s, PORT_BMC, bmc_handle);
	for (int i = 0; i < PORTS; i++)
		if (watch(epoll, net_fd(s, (enum port_kind)i), (uint32_t)i) < 0)
			goto out;
	if (watch(epoll, ctl, AT_CTL) < 0 || watch(epoll, tcp, AT_TCP) < 0 || watch(epoll, signals_fd(), AT_SIGNAL) < 0)
		goto out;
	printf("swarm: %u agents and %u bmcs are ready\n", s->agents, s->bmcs);
	fflush(stdout);
	loop(s, epoll, ctl, tcp);
	code = 0;
out:
	if (ctl >= 0)
		unlink(o->ctl);
	if (tcp >= 0)
		close(tcp);
	tcp_close();
	net_close(s);
	return code;
}

static int call(int argc, char **argv)
{
	char line[4096];
	size_t used = 0;

	for (int i = 3; i < argc; i++) {
		int n = snprintf(line + used, sizeof(line) - used, "%s%s", i > 3 ? " " : "", argv[i]);
		used += (size_t)n;
		if (used >= sizeof(line)) {
			fprintf(stderr, "swarm: command too long, at most %zu bytes\n", sizeof(line) - 1);
			return 1;
		}
	}
	return ctl_call(argv[2], line);
}

int main(int argc, char **argv)
{
	struct options o = {.snmp_port = 161, .bmc_port = 623, .tcp_port = 22, .echo = true};
	struct swarm s = {.agents = 100,
			  .agents_net = 0x0a800000,
			  .bmcs_net = 0x0a810000,
			  .seed = 1,
			  .interval_ms = 10000,
			  .max_size = 1472,
			  .suite = 0,
			  .community = "lab",
			  .bmc_user = "operator",
			  .bmc_password = "swarm",
			  .v3_user = "glory"};
	int code = 1;

	if (argc > 3 && strcmp(argv[1], "ctl") == 0)
		return call(argc, argv);
	if (read_options(argc, argv, &s, &o) && make_machines(&s) == 0 && run_sets(&s, &o))
		code = serve(&s, &o);
	swarm_stop(&s);
	return code;
}
