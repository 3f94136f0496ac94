/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory_tcp: a check plugin. Connects to a TCP port, waits for a banner where one is wanted, and says how long that took.
 *   glory_tcp -H ADDRESS -p PORT [-e TEXT] [-w SECONDS] [-c SECONDS]
 * The checker runs it for nodes; its own deadline is the check's timeout. */
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OK, WARNING, CRITICAL, UNKNOWN };

struct task {
	const char *address, *port, *expect;
	double warning, critical; /* seconds; 0 none */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool seconds(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && !*end && *out > 0 && *out < 1000;
}

static bool read_task(int count, char **words, struct task *t)
{
	int option;

	opterr = 0;
	while ((option = getopt(count, words, "H:p:e:w:c:")) != -1) {
		switch (option) {
		case 'H':
			t->address = optarg;
			break;
		case 'p':
			t->port = optarg;
			break;
		case 'e':
			t->expect = optarg;
			break;
		case 'w':
		case 'c':
			if (!seconds(optarg, option == 'w' ? &t->warning : &t->critical))
				return false;
			break;
		default:
			return false;
		}
	}
	return t->address && t->port && optind == count;
}

static int reach(const struct task *t)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found = NULL;
	int fd = -1;

	if (getaddrinfo(t->address, t->port, &hints, &found)) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen)) {
		int error = errno;
		close(fd);
		errno = error;
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

/* Reads as much as is expected; true when that is what came. */
static bool greeted(int fd, const char *expect)
{
	char banner[256];
	size_t wanted = strlen(expect), have = 0;
	ssize_t n = 1;

	if (wanted > sizeof banner)
		return false;
	while (have < wanted && (n = read(fd, banner + have, wanted - have)) > 0)
		have += (size_t)n;
	return have == wanted && !memcmp(banner, expect, wanted);
}

int main(int count, char **words)
{
	struct task t = {0};
	double begun = now();

	if (!read_task(count, words, &t)) {
		printf("usage: glory_tcp -H ADDRESS -p PORT [-e TEXT] [-w SECONDS] [-c SECONDS]\n");
		return UNKNOWN;
	}
	int fd = reach(&t);
	if (fd < 0) {
		printf("port %s: %s\n", t.port, strerror(errno));
		return errno == EINVAL ? UNKNOWN : CRITICAL;
	}
	bool good = !t.expect || greeted(fd, t.expect);
	double took = now() - begun;
	int state = !good || (t.critical > 0 && took > t.critical) ? CRITICAL : t.warning > 0 && took > t.warning ? WARNING : OK;
	printf("port %s: %s in %.3f s | time=%.6fs;", t.port, good ? "answers" : "says something else", took, took);
	if (t.warning > 0)
		printf("%g", t.warning);
	printf(";");
	if (t.critical > 0)
		printf("%g", t.critical);
	printf(";0\n");
	close(fd);
	return state;
}
