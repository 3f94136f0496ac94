/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The receiver of traps and informs: SNMPv1 and v2c (RFC 3584), v3 with the user-based security model (RFC 3414), where
 * the sender is the authoritative engine of a trap and we are that of an inform. It takes a trap only from a known
 * address that proves the credential it is polled with, so many a second from each, and hands it on as a hint; all else
 * is counted by its reason. It decides nothing and blocks nowhere. Used by the collector's role, by tests and the
 * fuzzer. Times are monotonic ms.
 */
#ifndef GLORY_COLLECTOR_TRAP_H
#define GLORY_COLLECTOR_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "board/messages.h"
#include "mibs/collector/batch.h"
#include "mibs/snmp/credential.h"
#include "mibs/snmp/usm.h"

struct trap_receiver;

enum {
	TRAP_BURST = 20,       /* from one source at once ... */
	TRAP_PER_S = 5,        /* ... and in the long run */
	TRAP_SITE_BURST = 4000, /* a site that starts altogether */
	TRAP_SITE_PER_S = 400,
	TRAP_REPEAT_MS = 10000 /* the same bytes within this time are a resend */
};

struct trap_ops {
	/* A trap whose sender is proved. */
	void (*trap)(void *arg, const struct msg_trap *trap);
	/* An answer to an inform, or a Report. */
	void (*send)(void *arg, const uint8_t *bytes, size_t size, const union endpoint *to);
	/* Keys and clock of the node's agent as they are used in polling it; NULL: none yet. */
	struct usm_peer *(*peer)(void *arg, uint32_t slot);
};

struct trap_source {
	enum trap_source_kind kind;
	uint32_t slot, generation;
	struct address address;                /* its port does not count */
	const struct credential *credential;   /* outlives the source */
};

struct trap_receiver *trap_new(const struct trap_ops *ops, void *arg);
void trap_free(struct trap_receiver *receiver);

/* Our own engine (as MSG_SNMP_ENGINES tells it); before, no inform of version 3 is taken. */
void trap_engine(struct trap_receiver *receiver, const struct msg_snmp_engine *own, int64_t now);

/* Adds, or replaces that of the same kind and slot. */
void trap_source_set(struct trap_receiver *receiver, const struct trap_source *source);
void trap_source_remove(struct trap_receiver *receiver, enum trap_source_kind kind, uint32_t slot);
/* A new list of all but the nodes begins; at its end the ones that were not set again go. */
void trap_sources_begin(struct trap_receiver *receiver);
void trap_sources_end(struct trap_receiver *receiver);
/* A secret has changed: keys made of it are forgotten. */
void trap_credential_changed(struct trap_receiver *receiver, const struct credential *credential);

/* The outermost entry: one datagram; its bytes may be changed. */
void trap_datagram(void *receiver, uint8_t *bytes, size_t size, const union endpoint *from, int64_t now);
/* Datagrams the kernel lost before we read them. */
void trap_overflow(struct trap_receiver *receiver, uint64_t count);
/* What became of the datagrams; counts every change. */
const struct msg_trap_counts *trap_counts(const struct trap_receiver *receiver);

/* trap_decode.c. The PDU of a trap or an inform (its type byte first) into what is sent on; only oid, uptime, varbinds and
 * inform are written. request: the content behind the header of an inform. False: not decodable, or none. */
bool trap_decode(struct ber pdu, struct msg_trap *out, struct ber *request);

#endif
