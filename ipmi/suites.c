/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cipher suite records; see suites.h. */
#include "ipmi/suites.h"

enum { START_STANDARD = 0xc0, START_OEM = 0xc1, START = 0xc0, OEM_HEAD = 5 };

uint32_t suites_parse(const uint8_t *records, size_t size)
{
	uint32_t found = 0;

	for (size_t i = 0; i < size;) {
		if (records[i] == START_STANDARD && i + 1 < size) {
			if (records[i + 1] < 32)
				found |= 1u << records[i + 1];
			i += 2;
		} else
			i += records[i] == START_OEM ? OEM_HEAD : 1;
		while (i < size && (records[i] & START) != START) /* the tags of its algorithms */
			i++;
	}
	return found;
}
