/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMC engine: power states, power verbs and sensors of up to 20,000 BMCs by RMCP+, in one thread, never waiting. It
 * has no socket and no clock: datagrams and the time are given to it, and it answers by the functions of struct
 * bmc_hands. The bmc role (role/main.c) connects it to sockets and to the channel; tests connect it to packets made by
 * hand.
 *
 * Rules it keeps (lab notes of the project; IPMI 2.0 sections in the .c files):
 *  - one session and one request in flight per BMC; among what waits, urgent reads go first, then power verbs,
 * liveness, identity, sensors. At most settings.window BMCs have a request in flight at once (urgent reads and power
 * verbs are not held up by it).
 *  - a session is kept open and used again, so a power read is one exchange instead of six; it is opened anew when it
 * is stale.
 *  - a request that stays unanswered is followed by one query outside the session: answered = the session is stale (BMC
 * restarted, slot taken back) and is opened again, else silent. Wrong password, user, K_g, suite, privilege, busy,
 * slots full: never silent.
 *  - liveness (verdicts 4.1): power every power_interval_s, else a query outside the session, at least every 10 s;
 * after a miss again at +1, +3, +8 s; silent = 4 misses. An urgent read is repeated at 0.5 and 1.0 s and reported
 * after 2.5 s at the latest.
 *  - a refused log-in is not tried again at once (30 s doubling to 15 min), because BMCs lock users out; a person's
 * power verb, and a credential that changed, try again at once.
 *
 * What it reports: power() after each power read (also unchanged ones: at_ms is the evidence's age), at once on silent
 * and not available; result() once per power job; sensors() once per sweep; facts() at first contact and whenever GUID,
 * firmware or the finding (the present trouble, or a log-in open to everybody, as one line, "" when it is over)
 * changes. */
#ifndef GLORY_IPMI_ENGINE_H
#define GLORY_IPMI_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "board/messages.h"

struct bmc_engine;

/* How the engine reaches the world. All are called from inside its functions; none may call back into it. */
struct bmc_hands {
	void (*send)(void *arg, const struct address *to, const void *data, size_t size);
	void (*random)(void *arg, void *out, size_t size);
	/* A credential is needed; answered, now or later, by bmc_engine_secret(). */
	void (*secret)(void *arg, const char *name);
	void (*power)(void *arg, const struct msg_power_state *state);
	void (*result)(void *arg, const struct msg_power_result *result);
	/* One whole set; the last one has last = 1. */
	void (*sensors)(void *arg, const struct msg_sensor *sensors, size_t count);
	void (*facts)(void *arg, const struct msg_bmc_facts *facts);
	void *arg;
};

/* What is read beside states and sensors. arg is that of struct bmc_hands. sel(): at most one batch of a BMC is on its way
 * until bmc_engine_sel_known() says that its last entry is kept. */
struct bmc_record_hands {
	void (*sel)(void *arg, const struct msg_sel_entry *entries, size_t count);
	void (*sel_state)(void *arg, const struct msg_sel_state *state);
	void (*sel_cleared)(void *arg, const struct msg_sel_cleared *cleared);
	void (*pet)(void *arg, const struct msg_sel_entry *event);
	void (*fru)(void *arg, const struct msg_fru *fru); /* answers BMC_READ_FRU, once it is read or the BMC has none */
};

struct bmc_settings {
	const struct bmc_record_hands *records; /* NULL: event logs and inventories are not read */
	uint32_t window;           /* requests in flight at once, all BMCs together; 0 = 512 */
	/* The turn of the loop is over: what the hands gathered may go. arg is that of the hands. NULL: nobody gathers. */
	void (*turn)(void *arg);
	char cache_directory[256]; /* where sensor records are kept, "" = in memory only; made when it is not there */
};

struct bmc_counts {
	uint64_t sent, received; /* datagrams */
	uint64_t exchanges;      /* requests that were answered */
	uint64_t garbage;        /* datagrams that belonged to nothing asked for */
	uint64_t sessions;       /* opened */
	uint64_t sweeps;         /* of sensors, complete */
	uint32_t in_flight, targets;
};

/* NULL when libfreeipmi's cryptography cannot start. */
struct bmc_engine *bmc_engine_new(const struct bmc_settings *settings, const struct bmc_hands *hands, int64_t now);
void bmc_engine_free(struct bmc_engine *e); /* wipes what is secret */
/* From now on a thread of its own reads and writes the files of sensor records, so that no call waits for a disk. Until then, and where this
 * is never called, they are read and written by the calls themselves. False: no thread can be made, all stays as it was. */
bool bmc_engine_files(struct bmc_engine *e);

/* Adds or changes a target. 0, or ERR_CONFIG with the reason in *error (suite refused by name, slot beyond NODE_MAX, no
 * address). */
int bmc_engine_target(struct bmc_engine *e, const struct msg_bmc_target *target, int64_t now, struct error *error);
void bmc_engine_remove(struct bmc_engine *e, uint32_t slot, uint32_t generation, int64_t now);
/* Between begin and end the whole list is given; what was not in it is removed at the end. */
void bmc_engine_begin(struct bmc_engine *e);
void bmc_engine_end(struct bmc_engine *e, int64_t now);
/* text: "password=..." and optional "kg=..." (text, or 0x and hex) lines; NULL: there is no such secret. The caller
 * wipes text. */
int bmc_engine_secret(struct bmc_engine *e, const char *name, const char *text, int64_t now, struct error *error);

void bmc_engine_power(struct bmc_engine *e, const struct msg_power *power, int64_t now);
void bmc_engine_read(struct bmc_engine *e, const struct msg_bmc_read *read, int64_t now);

void bmc_engine_sel_known(struct bmc_engine *e, const struct msg_sel_known *known, int64_t now);
/* sel_cleared() is called once for each request, whatever came of it. */
void bmc_engine_sel_clear(struct bmc_engine *e, const struct msg_sel_clear *clear, int64_t now);
/* pet() is called with the trap in words, unless it is malformed; then the event log is read. */
void bmc_engine_pet(struct bmc_engine *e, const struct msg_pet *pet, int64_t now);

void bmc_engine_datagram(struct bmc_engine *e, const struct address *from, const void *data, size_t size, int64_t now);
/* Does what is due. To be called at bmc_engine_next() or earlier. */
void bmc_engine_tick(struct bmc_engine *e, int64_t now);
int64_t bmc_engine_next(const struct bmc_engine *e); /* INT64_MAX: nothing waits */
/* The driver's word for it that everything of this turn of the loop was given: calls settings.turn(). */
void bmc_engine_turn(struct bmc_engine *e);
/* Closes open sessions (best effort, nothing is waited for): before a regular end. */
void bmc_engine_close(struct bmc_engine *e);
void bmc_engine_counts(const struct bmc_engine *e, struct bmc_counts *counts);

/* "password refused" and what to do about it, one line each. Never NULL. */
const char *bmc_error_text(enum bmc_error error);
const char *bmc_error_remedy(enum bmc_error error);
/* GUIDs are sent lowest byte first (20.8), in the order of the text, or with SMBIOS's mixed order; all three are taken
 * as equal. */
bool bmc_guid_equal(const uint8_t a[16], const uint8_t b[16]);

#endif
