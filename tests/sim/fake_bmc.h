/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One BMC on plain bytes, for unit tests of the BMC engine and for its fuzzer: takes a datagram, returns the answer.
 * Written from the specification with libcrypto, sharing no code with the engine, so that both do not err in the same
 * way. */
#ifndef GLORY_TESTS_FAKE_BMC_H
#define GLORY_TESTS_FAKE_BMC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_kind { FAKE_OPEN, FAKE_RAKP1, FAKE_RAKP3, FAKE_COMMAND, FAKE_PING, FAKE_KINDS };

struct fake_bmc {
	/* what it is */
	char user[17], password[21], kg[21];
	bool sha256;            /* suite 17; else suite 3 */
	uint8_t most_privilege; /* what it grants in Open Session */
	uint8_t guid[16];
	bool on;
	const uint8_t *records; /* sensor records, one behind the other */
	size_t records_size;
	unsigned chunk;          /* most bytes of a Get SDR answer; 0 = any */
	uint8_t reading[256][4]; /* by sensor number: as Get Sensor Reading answers */
	uint16_t soft_after;     /* Chassis Status reads until an accepted command has taken effect */
	/* what it does wrong */
	int lose[FAKE_KINDS]; /* so many answers of a kind get lost (the request acts) */
	int busy;             /* so many commands are answered by C0 */
	int cancel;           /* so many reservations are cancelled */
	bool anonymous;
	uint16_t dcmi_watts; /* 0: knows no DCMI */
	bool silent, wrong_code2, wrong_code4, no_slots, mute_in_session;
	uint8_t refuse_command, refuse_code; /* completion code of one command */
	/* what it has seen */
	unsigned seen[FAKE_KINDS], controls, sessions, privileges;
	uint8_t last_control;
	/* its session */
	uint32_t console_id, own_id, out_sequence;
	uint8_t rm[16], rc[16], role, user_size, asked_user[16];
	uint8_t k1[32], k2[32];
	bool open;
	uint8_t wanted, waits; /* power state to come: 0 none, 1 off, 2 on */
};

void fake_bmc_init(struct fake_bmc *f, bool sha256);
/* out: 1,024 bytes. 0: no answer. */
size_t fake_bmc_answer(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out);
void fake_bmc_restart(struct fake_bmc *f); /* forgets its session */

#endif
