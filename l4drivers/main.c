/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-l4 FAMILY: the wanted picture of a balancer on standard input, what was found and done as JSON on standard output. Started by the
 * runner beside the appliance, or by the node script on the balancer's own machine. Exit: 0 a result was printed, 2 usage, 1 none. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/driver.h"

#define DEADLINE_S 14 /* without an option; the engine's runs end later, see driver.h */
#define INPUT_MS 10000
#define GRACE_S 10

/* All of standard input, at most PICTURE_BYTES_MAX; NULL with *e. The text may hold secrets: free it with wipe(). */
static char *read_input(size_t *size, struct error *e)
{
	int64_t end = clock_mono_ms() + INPUT_MS;
	char *text = mem_zalloc(PICTURE_BYTES_MAX + 1);

	*size = 0;
	for (;;) {
		struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
		int64_t left = end - clock_mono_ms();
		ssize_t n = left > 0 && poll(&p, 1, (int)left) > 0 ? read(STDIN_FILENO, text + *size, PICTURE_BYTES_MAX + 1 - *size) : -1;

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return text;
		if (n < 0 || (*size += (size_t)n) > PICTURE_BYTES_MAX)
			break;
	}
	explicit_bzero(text, PICTURE_BYTES_MAX + 1);
	free(text);
	error_set(e, ERR_CONFIG, "standard input", "give the picture there and close it", "is no picture: too long, or not complete within 10 s");
	return NULL;
}

static int drive(const struct driver *driver, struct picture *asked, struct picture_result *result)
{
	int64_t seconds = DEADLINE_S;
	const char *text = picture_option(asked, "deadline", NULL);

	if (text && !text_integer(text, 1, 600, &seconds))
		return result->status = error_set(&result->error, ERR_CONFIG, driver->family, "give seconds from 1 to 600",
						  "option deadline: %s is no such time", text);
	/* whatever a library waits for, this process ends */
	alarm((unsigned)seconds + GRACE_S);
	return driver_run(driver, asked, clock_mono_ms() + seconds * 1000, result);
}

static int print_result(const struct picture_result *result)
{
	char *text = picture_result_to_json(result);
	int rc = !text || printf("%s\n", text) < 0 || fflush(stdout) != 0;

	free(text);
	return rc;
}

int main(int argc, char **argv)
{
	const struct driver *driver = argc == 2 ? driver_find(argv[1]) : NULL;
	struct picture asked = {0};
	struct picture_result result = {0};
	size_t size;

	if (!driver) {
		fprintf(stderr, "usage: glory-l4 haproxy|alteon|serveriron|cisco-slb|nftables|f5 < picture.json\n");
		return 2;
	}
	log_open("glory-l4", LOG_LEVEL_WARNING, false);
	/* secrets are in memory: no core, no tracing by others */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	char *text = read_input(&size, &result.error);
	result.status = text ? picture_from_json(text, size, &asked, &result.error) : ERR_CONFIG;
	if (text)
		explicit_bzero(text, PICTURE_BYTES_MAX + 1);
	free(text);
	if (!result.status)
		drive(driver, &asked, &result);
	int rc = print_result(&result);
	picture_result_clear(&result);
	picture_clear(&asked);
	return rc;
}
