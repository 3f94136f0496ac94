/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the BMC files share: one BMC's state, its sessions, and the two ends of a command. Section numbers are those of
 * IPMI 2.0 rev. 1.1. */
#ifndef SWARM_BMC_PRIVATE_H
#define SWARM_BMC_PRIVATE_H

#include "tests/lab/swarm/bmc.h"
#include "tests/lab/swarm/crypto.h"

enum { SESSIONS = 4, SEL_SIZE = 16, MAC_MAX = CRYPTO_MAC_MAX, COMMAND_DATA_MAX = 256 };
enum { SETUP_MS = 3000, IDLE_MS = 60000 }; /* 13.15: the set-up and inactivity limits of a session */

enum session_state { SESSION_FREE, SESSION_OPENED, SESSION_RAKP2, SESSION_ACTIVE };
enum power_work { POWER_NOTHING, POWER_ON, POWER_OFF, POWER_RESET, POWER_CYCLE };

enum {
	CC_OK = 0,
	CC_INVALID_LEVEL = 0x81,
	CC_NO_SESSION = 0x87,
	CC_BUSY = 0xc0,
	CC_INVALID_COMMAND = 0xc1,
	CC_RESERVATION = 0xc5,
	CC_LENGTH = 0xc7,
	CC_TOO_MANY_BYTES = 0xca,
	CC_NOT_PRESENT = 0xcb,
	CC_INVALID_FIELD = 0xcc,
	CC_PRIVILEGE = 0xd4,
	CC_STATE = 0xd5,
};

/* The authentication and integrity algorithms of one suite (13.15.2): suite 3 is SHA-1, suite 17 is SHA-256, both with
 * AES-CBC-128. */
struct suite {
	uint8_t number, auth, integrity;
	bool sha256;
	uint8_t mac_size;  /* of the RAKP codes */
	uint8_t code_size; /* of RAKP 4 and of a packet */
};

struct session {
	enum session_state state;
	uint8_t role, maximum, privilege, user_size;
	const struct suite *suite;
	uint32_t console_id, id; /* as they stand in packets */
	uint32_t in_sequence, in_seen, out_sequence;
	int64_t used_ms;
	struct sockaddr_in peer;
	uint8_t rm[16], rc[16];
	char user[16];
	uint8_t sik[MAC_MAX], k1[MAC_MAX], k2[MAC_MAX];
};

struct bmc {
	struct knobs knobs;
	struct session session[SESSIONS];
	uint8_t guid[16];
	bool on, last_on_by_command;
	uint8_t restart_cause;
	enum power_work work;
	int64_t work_ms;
	uint16_t sdr_reservation, sel_reservation, sel_count, sel_next;
	uint8_t sel[SEL_SIZE][16];
	uint32_t sel_time_offset, sel_added, sel_erased;
	uint8_t watchdog[6];
	bool watchdog_set;
	uint32_t pending, pending_key, max_pending, max_sessions; /* requests that wait for their answer to leave */
	uint32_t established, commands, power_commands;
};

/* One command being carried out. */
struct command {
	struct swarm *swarm;
	unsigned number;
	struct bmc *bmc;
	struct session *session; /* NULL outside a session */
	const uint8_t *data;
	size_t size;
	uint8_t out[COMMAND_DATA_MAX];
	size_t out_size;
};

/* Carries out netfn/cmd; the completion code. The answer's data is in `out`. */
uint8_t bmc_command(struct command *command, uint8_t netfn, uint8_t cmd);

/* The sensor data records: the record with `id` (0 = first), its size, and the id that follows (0xffff = none); NULL
 * when there is none. */
const uint8_t *bmc_sdr(uint16_t id, size_t *size, uint16_t *next);
uint16_t bmc_sdr_count(void);

/* Reading of a sensor as Get Sensor Reading answers it (35.14): 4 bytes. False: no such sensor. */
bool bmc_sensor_reading(const struct swarm *swarm, const struct bmc *bmc, unsigned number, uint8_t sensor,
			uint8_t out[4]);

/* Its thresholds as 35.9 answers them: 7 bytes. False: no such sensor or a discrete one. */
bool bmc_sensor_thresholds(uint8_t sensor, uint8_t out[7]);

/* Adds a sensor-specific event of offset 0 to the log, asserted or deasserted. */
void bmc_sel_add(struct bmc *bmc, uint8_t sensor_type, uint8_t sensor, bool asserted);

/* Seconds of the BMC's own clock. */
uint32_t bmc_clock(const struct bmc *bmc);

/* Plans a power action after the knob's time. */
void bmc_power_plan(struct swarm *swarm, struct bmc *bmc, enum power_work work);

#endif
