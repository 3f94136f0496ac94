/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members and ladders as the store may hold them: nothing that stands there may do harm, and what is read is written as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "service/ladder.h"
#include "service/member.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_zalloc(size + 1);
	struct member m, again;
	struct ladder l;

	memcpy(text, data, size);
	if (member_from_json(text, "n001", 1000000, INT64_C(1700000000000), &m)) {
		char *written = member_to_json(&m, 1000000, INT64_C(1700000000000));
		if (written && (!member_from_json(written, "n001", 1000000, INT64_C(1700000000000), &again) || again.state != m.state))
			abort();
		free(written);
	}
	if (ladder_from_json(text, 1000000, INT64_C(1700000000000), &l))
		free(ladder_to_json(&l, 1000000, INT64_C(1700000000000)));
	free(text);
	return 0;
}
