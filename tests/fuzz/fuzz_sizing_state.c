/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a stored state of the sizing rule, with its checksum made right so that the numbers behind it are reached: what is taken is
 * written again as itself, and any view over it gives a size within the limits. The first bytes choose the view. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "service/sizing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void steps(struct sizing_state *s, const uint8_t *dice)
{
	static const double rates[] = {NAN, 0, 1, 1e11, 1e-300, INFINITY, 100, 250}, leads[] = {0, 30, 150, 7200, 1e18, NAN, -5, 600};
	struct sizing_sample samples[16];
	char reason[SIZING_REASON];
	struct sizing_decision d;
	struct sizing_view v = {.now_s = s->now_s + 10, .in_service = dice[0] % 17, .starting = dice[1] % 4, .wanted = dice[2] == 255 ? UINT32_MAX : dice[2], .min = dice[3] % 5,
				.max = dice[4], .samples = samples, .sample_count = dice[0] % 17, .poll_s = 10, .rate = rates[dice[5] % 8],
				.lead_s = leads[dice[6] % 8], .budget = dice[7] % 30, .spare = dice[5] & 8, .pin = dice[6] & 8 ? dice[7] : 0};

	for (int tick = 0; tick < 24; tick++) {
		for (int i = 0; i < 16; i++)
			samples[i] = (struct sizing_sample){.utilisation = dice[7] & 16 && i == tick % 16 ? NAN : (float)((dice[8 + i % 8] + tick) % 160) / 100,
							    .age_s = dice[8 + i % 8] % 40, .unchanged_s = dice[7] & 32 ? 700u * (unsigned)(i % 2) : 0};
		sizing_step(s, &v, &d);
		if (d.wanted < 1 || d.wanted > SIZING_MEMBERS_MAX || (d.verb != SIZING_PIN && (d.wanted > (v.max ? v.max : 1) || d.verb < SIZING_KEEP)))
			abort();
		if (!text_terminated(sizing_reason(&d, reason), SIZING_REASON) || !reason[0])
			abort();
		v.wanted = d.wanted;
		v.now_s += tick == 12 ? (dice[5] & 16 ? -4000 : dice[5] & 32 ? 400000 : 10) : 10;
	}
}

static int taken(const char *text, const uint8_t *dice)
{
	static char again[SIZING_TEXT];
	struct sizing_state s;
	struct error e = {.kind = 0};

	if (sizing_state_from_text(text, &s, &e)) {
		if (e.kind != ERR_CONFIG || !e.object[0] || !e.text[0] || !e.remedy[0])
			abort();
		return 0;
	}
	if (strcmp(sizing_state_to_text(&s, again), text) != 0)
		abort();
	steps(&s, dice);
	if (s.now_s >= 0 && sizing_state_from_text(sizing_state_to_text(&s, again), &s, &e))
		abort(); /* a step leaves what can be taken up again */
	return 1;
}

/* Bytes over the fields of a new state: nearly all texts would fail at the checksum. */
static void as_fields(const uint8_t *data, size_t size, const uint8_t *dice)
{
	static char text[SIZING_TEXT];
	struct sizing_state s;

	sizing_begin(&s, 20000 * (int64_t)86400);
	for (size_t at = 0; at + 4 < size; at += 5) {
		size_t offset = (((size_t)data[at] << 8 | data[at + 1]) * 4) % sizeof s;
		memcpy((uint8_t *)&s + offset, data + at + 2, sizeof s - offset < 3 ? sizeof s - offset : 3);
	}
	taken(sizing_state_to_text(&s, text), dice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 16)
		return 0;
	text = malloc(size - 15);
	memcpy(text, data + 16, size - 16);
	text[size - 16] = '\0';
	taken(text, data);
	as_fields(data + 16, size - 16, data);
	free(text);
	return 0;
}
