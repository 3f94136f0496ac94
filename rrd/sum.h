/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sum over bytes, eight at a time: against torn writes and bad disks, not against a forger. It stands in files. */
#ifndef GLORY_RRD_SUM_H
#define GLORY_RRD_SUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t sum_of(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t sum = 0x9e3779b97f4a7c15u, word;

	for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
		memcpy(&word, at, sizeof word);
		sum = (sum ^ word) * 0xff51afd7ed558ccdu;
		sum ^= sum >> 32;
	}
	while (size-- > 0)
		sum = (sum ^ *at++) * 0xff51afd7ed558ccdu;
	return sum;
}

#endif
