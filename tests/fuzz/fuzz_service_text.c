/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as each of a service's texts: what is taken is within its bounds, is written again as itself, and a schedule has an answer at any
 * time; what is refused says why. */
#include <stdlib.h>
#include <string.h>

#include "config/service_text.h"
#include "service/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const struct error *e)
{
	if (e->kind != ERR_CONFIG || !e->object[0] || !e->text[0] || !e->remedy[0])
		abort();
}

#define TRY(type, parse, write, text)                                                                      \
	do {                                                                                               \
		static struct type first, second;                                                          \
		static char written[4096], again[4096];                                                    \
		struct error e = {.kind = 0};                                                              \
		if (parse(text, &first, &e)) {                                                             \
			refused(&e);                                                                       \
			break;                                                                             \
		}                                                                                          \
		write(&first, written, sizeof written);                                                    \
		if (parse(written, &second, &e) || memcmp(&first, &second, sizeof first) != 0)             \
			abort();                                                                           \
		write(&second, again, sizeof again);                                                       \
		if (strcmp(written, again) != 0)                                                           \
			abort();                                                                           \
	} while (0)

static void try_times(const char *text)
{
	struct service_schedule s;
	struct error e;
	int64_t t = 1796083200;

	if (service_schedule_parse(text, &s, &e))
		return;
	for (int i = 0; i < 8; i++) {
		int64_t next = schedule_next_change(&s, t);
		if (schedule_least_within(&s, t, 3600) < schedule_least(&s, t))
			abort();
		if (!next)
			break;
		if (next <= t || schedule_least(&s, next) == schedule_least(&s, next - 1))
			abort();
		t = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	TRY(service_virtuals, service_virtuals_parse, service_virtuals_text, text);
	TRY(service_probe, service_probe_parse, service_probe_text, text);
	TRY(service_agent, service_agent_parse, service_agent_text, text);
	TRY(service_parameters, service_parameters_parse, service_parameters_text, text);
	TRY(service_schedule, service_schedule_parse, service_schedule_text, text);
	try_times(text);
	free(text);
	return 0;
}
