/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the trap receiver share: sources, the message at hand, and who proves what. */
#ifndef GLORY_COLLECTOR_TRAP_PRIVATE_H
#define GLORY_COLLECTOR_TRAP_PRIVATE_H

#include "mibs/collector/trap.h"

enum { RECENT = 4, MATCHES_MAX = 8, ANSWER_MAX = BATCH_OUT };

struct source {
	struct trap_source s;
	bool kept;
	int32_t tokens_x1000;
	int64_t tokens_at;
	struct {
		uint64_t hash;
		int64_t at; /* 0: empty */
	} recent[RECENT];
	unsigned recent_next;
	struct usm_peer *peer; /* keys and clock of an engine of this source that is not the one polled */
	struct source *next;   /* at the same hash of the address */
};

struct own_keys { /* of one user, for our own engine */
	const struct credential *credential;
	struct usm_peer *peer;
};

struct bucket {
	int64_t tokens_x1000, at;
};

struct trap_receiver {
	struct trap_ops ops;
	void *arg;
	struct source **by_slot[TRAP_FROM_COUNT];
	struct source **buckets;
	struct msg_trap_counts counts;
	struct bucket site;
	struct usm_clock own;
	int64_t own_since;
	struct own_keys *keys;
	size_t key_count;
};

/* A datagram on its way through. */
struct arrival {
	uint8_t *bytes;
	size_t size;
	const union endpoint *from;
	struct source *matches[MATCHES_MAX]; /* who is at its address */
	unsigned match_count;
	int64_t now;
	struct ber pdu;    /* once its sender is proved */
	struct msg_trap *trap;
	struct source *sender;
	/* v3 to our own engine */
	struct usm_message message;
	struct usm_peer *own_peer;
	bool priv;
};

/* trap_v3.c: proves the sender (arrival->sender, ->pdu), or tells why not; sends the Reports that RFC 3414 wants. */
enum trap_fate trap_v3(struct trap_receiver *r, struct arrival *a);
/* The answer to an inform: request is the content of its PDU. */
void trap_v3_answer(struct trap_receiver *r, const struct arrival *a, struct ber request);

#endif
