/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-grapher RRD-DIRECTORY: draws the one struct graph_request on its standard input to its standard output. One
 * shot, without rights: it can write no file, and ends by itself when it takes too long. Pango and fontconfig live in
 * this program only. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/grapher/draw.h"
#include "rrd/grapher/picture.h"

#define CPU_SECONDS 20
#define MEMORY_BYTES ((rlim_t)1 << 30)

static void give_up_rights(void)
{
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, none = {0, 0};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &none); /* no file can grow by our hand; pipes are no files */
	signal(SIGXFSZ, SIG_IGN);
#ifndef GLORY_SANITIZE /* whose shadow memory is larger */
	const struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};
	setrlimit(RLIMIT_AS, &memory);
#endif
	unsetenv("TZ");
	setenv("HOME", "/nonexistent", 1); /* fontconfig looks for a cache of the user */
}

/* Up to the longest request and one byte more, so that what is too long is noticed. */
static struct graph_request *read_request(size_t *size)
{
	uint8_t *bytes = mem_zalloc(GRAPH_REQUEST_MAX + 1);

	*size = 0;
	while (*size < GRAPH_REQUEST_MAX + 1) {
		ssize_t n = read(STDIN_FILENO, bytes + *size, GRAPH_REQUEST_MAX + 1 - *size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*size += (size_t)n;
	}
	return (struct graph_request *)(void *)bytes;
}

int main(int argc, char **argv)
{
	struct graph_request *request;
	char why[256];
	size_t size = 0;

	log_open("grapher", LOG_LEVEL_INFO, false);
	if (argc != 2 || argv[1][0] != '/') {
		log_error("glory-grapher: it is started by gloryd, with the absolute path of the RRD directory");
		return 2;
	}
	give_up_rights();
	request = read_request(&size);
	if (picture_check(request, size, why, sizeof why)) {
		log_error("graph request: %s", why);
		return 1;
	}
	uint8_t *image = draw_request(request, argv[1], &size, why, sizeof why);
	if (!image) {
		log_error("graph of %s: %s", request->lines[0].name, why);
		return 1;
	}
	bool whole = bytes_write(STDOUT_FILENO, image, size);
	free(image);
	free(request);
	return whole ? 0 : 1;
}
