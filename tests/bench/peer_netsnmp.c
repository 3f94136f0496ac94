/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people write with net-snmp: threads, each of which opens a session to a machine, asks for 20 objects, waits for the answer,
 * closes the session and takes the next machine. Prints a line of JSON per sweep, as tests/bench/raw does. tests/bench/run puts it
 * beside the product's engine. usage: peer_netsnmp AGENTS A.B.C THREADS SWEEPS COMMUNITY */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#pragma GCC diagnostic pop

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/bench/cpu.h"
#include "tests/bench/oids.h"

enum { PER_NET = 250, THREADS_MAX = 64 };

static struct {
	unsigned agents, net[3];
	char community[64];
	oid oids[BENCH_OIDS][MAX_OID_LEN];
	size_t lengths[BENCH_OIDS];
	atomic_uint next, answered, values;
} job;

static void ask(void *session)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET), *answer = NULL;

	for (int i = 0; i < BENCH_OIDS; i++)
		snmp_add_null_var(pdu, job.oids[i], job.lengths[i]);
	int status = snmp_sess_synch_response(session, pdu, &answer);
	if (status == STAT_SUCCESS && answer && answer->errstat == SNMP_ERR_NOERROR) {
		atomic_fetch_add(&job.answered, 1);
		for (netsnmp_variable_list *v = answer->variables; v; v = v->next_variable)
			if (v->type != SNMP_NOSUCHINSTANCE && v->type != SNMP_NOSUCHOBJECT)
				atomic_fetch_add(&job.values, 1);
	}
	if (answer)
		snmp_free_pdu(answer);
}

static void *work(void *arg)
{
	char peer[64];
	unsigned i;
	(void)arg;

	while ((i = atomic_fetch_add(&job.next, 1)) < job.agents) {
		netsnmp_session s;
		unsigned c = job.net[2] + i / PER_NET;
		snmp_sess_init(&s);
		snprintf(peer, sizeof peer, "udp:%u.%u.%u.%u:161", job.net[0], job.net[1] + c / 256, c % 256, 1 + i % PER_NET);
		s.version = SNMP_VERSION_2c;
		s.peername = peer;
		s.community = (u_char *)job.community;
		s.community_len = strlen(job.community);
		s.timeout = 500000;
		s.retries = 1;
		void *session = snmp_sess_open(&s);
		if (!session)
			continue;
		ask(session);
		snmp_sess_close(session);
	}
	return NULL;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void sweep(unsigned number, unsigned threads)
{
	pthread_t thread[THREADS_MAX];
	double began = now_s();
	int64_t cpu = cpu_ns();

	atomic_store(&job.next, 0);
	atomic_store(&job.answered, 0);
	atomic_store(&job.values, 0);
	unsigned made = 0;
	while (made < threads && pthread_create(&thread[made], NULL, work, NULL) == 0)
		made++;
	for (unsigned i = 0; i < made; i++)
		pthread_join(thread[i], NULL);
	printf("{\"sweep\": %u, \"answered\": %u, \"values\": %u, \"wall_s\": %.4f, \"cpu_s\": %.4f}\n", number,
	       atomic_load(&job.answered), atomic_load(&job.values), now_s() - began, 1e-9 * (double)(cpu_ns() - cpu));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long threads = argc == 6 ? strtoul(argv[3], NULL, 10) : 0, sweeps = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;

	if (argc != 6 || sscanf(argv[2], "%u.%u.%u", &job.net[0], &job.net[1], &job.net[2]) != 3 || threads < 1 || threads > THREADS_MAX ||
	    sweeps < 1 || sweeps > 1000 || strlen(argv[5]) >= sizeof job.community) {
		fprintf(stderr, "usage: peer_netsnmp AGENTS A.B.C THREADS SWEEPS COMMUNITY\n");
		return 2;
	}
	job.agents = (unsigned)strtoul(argv[1], NULL, 10);
	memcpy(job.community, argv[5], strlen(argv[5]));
	setenv("MIBS", "", 1);
	setenv("SNMPCONFPATH", "/nonexistent", 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	init_snmp("peer_netsnmp");
	for (int i = 0; i < BENCH_OIDS; i++) {
		job.lengths[i] = MAX_OID_LEN;
		if (!read_objid(bench_oids[i], job.oids[i], &job.lengths[i]))
			return 1;
	}
	for (unsigned i = 0; i < sweeps; i++)
		sweep(i, (unsigned)threads);
	return 0;
}
