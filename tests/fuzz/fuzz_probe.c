/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes service probes from the checker's outermost entry: a probe as the engine might send it, then looks with an answer's status, body in
 * pieces, and words of the outside. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "checker/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct msg_member_probe *m, const uint8_t *data, size_t size)
{
	struct probe_body *body = calloc(1, sizeof *body);
	struct probe_memory memory;
	char words[64] = "", out[NAME_SIZE], url[PROBE_TARGET], connect[PROBE_TARGET];

	probe_url(m, url, connect);
	if (!strstr(url, "://") || strpbrk(url, " \r\n") || strpbrk(connect, " \r\n"))
		abort();
	probe_begin(&memory, 0);
	for (int64_t now = 0; size > 3; now += 100) {
		size_t piece = data[1] * 64u, left = size - 3;
		struct look look = {.end = (enum look_end)(data[0] % LOOK_BLIND + 1), .code = data[2] * 4, .text = words};
		memcpy(words, data + 3, left < sizeof words - 1 ? left : sizeof words - 1);
		probe_body_take(body, true, (const char *)data + 3, piece < left ? piece : left);
		if (body->size > PROBE_BODY_MAX)
			abort();
		probe_answer(m, look.code, body);
		probe_judge(&memory, m, look.end, now);
		probe_explain(m, &look, out);
		if (!text_terminated(out, sizeof out) || strpbrk(out, "\r\n\t\033"))
			abort();
		int64_t again = probe_again(m, &memory, now, now + data[2]);
		if (again < now || again > now + 2 * (int64_t)m->interval_ms + 1000)
			abort();
		data += 3;
		size -= 3;
	}
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_member_probe m;

	if (size < sizeof m)
		return 0;
	memcpy(&m, data, sizeof m);
	if (probe_sound(&m))
		look_at(&m, data + sizeof m, size - sizeof m);
	return 0;
}
