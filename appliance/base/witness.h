/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The witnesses of a verdict and the report in which the collector tells the engine what it has seen of one node.
 * The collector's watch makes reports, the engine's judge reads them; both ends share only this file.
 */
#ifndef GLORY_BASE_WITNESS_H
#define GLORY_BASE_WITNESS_H

#include <stdint.h>

/* Which witness a report is about. */
enum witness {
	WITNESS_S = 1, /* the SNMP agent */
	WITNESS_K = 2, /* the kernel: echo, port unreachable, SYN-ACK, RST, any answer of the agent */
	WITNESS_U = 3, /* userland: the banner of TCP 22 */
};

/* State of a witness S, K or U. Not every witness has every state: LATE and REFUSED belong to S alone. */
enum witness_state {
	STATE_NA = 1,	   /* cannot be asked: filtered, not configured, never seen */
	STATE_ANS = 2,	   /* answers */
	STATE_LATE = 3,	   /* answers after 1 to 4 s */
	STATE_PEND = 4,	   /* asked, or answering again for too short a time; not decided */
	STATE_SILENT = 5,  /* does not answer, proved by enough misses over the whole window */
	STATE_REFUSED = 6, /* the kernel says that nobody listens */
};

/* Bits of witness_report.flags. */
enum witness_flag {
	WITNESS_FLAGGED = 1,	 /* at least 4 misses with the kernel dark: counts in the node's domains */
	WITNESS_ENOUGH = 2,	 /* window and needed misses are complete: the call is allowed (unless HELD) */
	WITNESS_HELD = 4,	 /* a domain of the node is held: ENOUGH must not become a call of this node */
	WITNESS_RETURNING = 8,	 /* answers again after a call, but not yet three heartbeats in a row */
	WITNESS_LARGE_LOST = 16, /* polls go unanswered while small requests are answered */
	WITNESS_FROZEN = 64,	 /* the agent answers, but its sysUpTime stands still: S is silent for that */
	WITNESS_RESTARTED = 32,	 /* the suspicion began again from zero (release of a domain, disturbed judge) */
};

/*
 * One report; travels as it is inside a WITNESS message (fixed layout, no pointers, 48 bytes).
 * A report replaces everything said before about the same (slot, generation, witness).
 * Reports are made when a node is flagged, when its misses reach 6, at ENOUGH, when it answers again, and when S turns
 * late, refused, silent or answering; a suspicion that ends below 4 misses is never reported.
 * A report implies: K silent: S silent. K answers: S pending. S answers, late, refused or returning: K answers. A report of S or
 * K with first = 0 ends the suspicion.
 */
struct witness_report {
	uint32_t slot;
	uint32_t generation; /* of the slot, as given with the target */
	uint8_t witness;     /* enum witness */
	uint8_t state;	     /* enum witness_state */
	uint8_t flags;	     /* enum witness_flag */
	uint8_t pad;
	uint16_t misses; /* unanswered exchanges of this suspicion */
	uint16_t needed; /* misses needed for a call at the loss seen now */
	int64_t at;	 /* monotonic ms at which the report was made */
	int64_t since;	 /* monotonic ms since which the state holds */
	int64_t first;	 /* monotonic ms at which the first lost probe was sent; 0 = no suspicion */
	int64_t last;	 /* monotonic ms of the last packet seen from the node; 0 = never */
};

_Static_assert(sizeof(struct witness_report) == 48, "the report crosses a process boundary");

/* What suspends judgement (witness J). Bits, because several may hold at once. */
enum suspend_reason {
	SUSPEND_STALL = 1,    /* the collector's loop stood still for more than 3 s, or the machine slept */
	SUSPEND_CARRIER = 2,  /* the appliance's own link has no carrier */
	SUSPEND_QUEUE = 4,    /* collector to engine queue older than 0.5 s, collector restarted, engine stalled */
	SUSPEND_OWN_LINK = 8, /* half the site and every reference target are silent, or the own echo is lost */
	SUSPEND_ALL = 15,
};

/* Witness B: power state read from the BMC. NA = no BMC, wrong password, busy, rate limit: never SILENT. */
enum bmc_state { BMC_NA = 1, BMC_ON = 2, BMC_OFF = 3, BMC_PEND = 4, BMC_SILENT = 5, BMC_STATE_END };
/* Witness P: the node's port at its switch. MOVING = in-octets still grow. */
enum port_state { PORT_NA = 1, PORT_DOWN = 2, PORT_MOVING = 3, PORT_STILL = 4, PORT_STATE_END };

/* A node or domain belongs to at most so many domains; ids are small numbers given by the engine. */
enum { NODE_DOMAINS = 6 };

#endif
