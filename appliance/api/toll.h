/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many TLS handshakes there may be: each costs milliseconds of our processor before anybody has proved anything. A bucket for each address and
 * one for the whole listener, whose last part is kept for addresses from which somebody has logged in. Used by the server for the TLS listener
 * alone; pure: time comes in. */
#ifndef GLORY_API_TOLL_H
#define GLORY_API_TOLL_H

#include <stdint.h>

#include "base/address.h"

#define TOLL_ADDRESS_BURST 30   /* handshakes at once from one address (crowd_same_origin()) */
#define TOLL_ADDRESS_PER_S 5    /* from then on */
#define TOLL_WHOLE_BURST 75     /* of the listener */
#define TOLL_WHOLE_PER_S 25
#define TOLL_KNOWN_ONLY 25      /* of the whole burst: not for strangers */
#define TOLL_KNOWN_MS 86400000  /* so long an address is known by its last log-in */
/* More than can be short of their burst at once: what the whole gives in the time that a bucket needs to be full again. */
#define TOLL_ADDRESSES 512

enum toll { TOLL_PASS, TOLL_ADDRESS /* too many from there */, TOLL_WHOLE /* too many in all */ };

struct toll_source {
	struct address from; /* family 0: free */
	int64_t left;        /* thousandths of a handshake, at since_ms */
	int64_t since_ms;
	int64_t known_until_ms; /* 0: a stranger */
};

struct tolls { /* begin with toll_begin() */
	int64_t left, since_ms; /* of the whole */
	struct toll_source sources[TOLL_ADDRESSES];
};

void toll_begin(struct tolls *t, int64_t now_ms);
/* A connection is there that will shake hands once at most: PASS has paid for it, the others are to be closed. */
enum toll toll_take(struct tolls *t, const struct address *from, int64_t now_ms);
/* Somebody has logged in from there. */
void toll_know(struct tolls *t, const struct address *from, int64_t now_ms);

#endif
