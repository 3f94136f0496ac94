/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The objects every agent of the swarm serves, and their values as a pure function of (seed, agent, time). */
#ifndef SWARM_TREE_H
#define SWARM_TREE_H

#include "tests/lab/swarm/ber.h"

/* An agent at one moment: worked out once per request, then read for each object. */
struct moment {
	unsigned agent; /* number of the agent, from 0 */
	uint32_t hash;  /* of (seed, agent): what makes this machine different from its neighbours */
	double up_s;    /* since its boot */
	double busy;    /* busy share of its CPUs now, 0..1 */
	double swing_s; /* integral of the swing of its load since boot; counters follow up_s + swing_s, which never
			   falls */
};

/* One instance. `tag` is its ASN.1 type; the encoded name is the content of the OBJECT IDENTIFIER. */
struct object {
	uint32_t ids[16];
	int count;
	uint8_t tag;
	uint8_t name[24], name_size;
	uint16_t what; /* private to tree.c: which value, and of which row */
	uint16_t row;
};

/* The largest content tree_value() writes. */
enum { TREE_VALUE_MAX = 96 };

/* The tree in order; `*count` objects, static storage, built at the first call. */
const struct object *tree_objects(int *count);

/* The object with exactly this name, or NULL. */
const struct object *tree_find(const uint32_t *ids, int count);

/* The first object after this name, or NULL at the end. */
const struct object *tree_next(const uint32_t *ids, int count);

/* A moment of the agent: `up_ms` since its boot (negative counts as 0). */
struct moment tree_moment(unsigned agent, uint32_t hash, int64_t up_ms);

/* Writes the content of an object's value into `out` (TREE_VALUE_MAX bytes); returns its size, the tag is the object's.
 */
size_t tree_value(const struct object *object, const struct moment *moment, uint8_t *out);

/* The number of a numeric object (tests compare what a tool shows with it). */
uint64_t tree_number(const struct object *object, const struct moment *moment);

#endif
