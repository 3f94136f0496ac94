/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the BMC engine: one BMC, its queue, its session, and the procedures that use it. Only ipmi's own files
 * include this.
 *
 * A procedure is one thing that is done at a BMC (an urgent read, a power verb, ...): a small state machine with at
 * most one command wanted at a time. bmc->at[procedure] is when it wants to go on; the queue of a BMC is nothing but
 * this array, in order of rank. */
#ifndef GLORY_IPMI_BMC_H
#define GLORY_IPMI_BMC_H

#include "base/wheel.h"
#include "base/witness.h"
#include "base/words.h"
#include "ipmi/engine.h"
#include "ipmi/packets.h"
#include "ipmi/sel_track.h"
#include "ipmi/wire.h"

enum procedure { PROC_URGENT, PROC_POWER, PROC_LIVE, PROC_IDENTITY, PROC_CAUSE, PROC_SENSORS, PROC_SEL, PROC_FRU, PROC_PROBE, PROC_COUNT };
#define NEVER INT64_MAX

enum {
	URGENT_DEADLINE_MS = 2500,
	LIVE_INTERVAL_MS = 10000,
	MISSES_TO_SILENT = 4,
	SESSION_IDLE_MS = 50000, /* BMCs drop a session that is unused for 60 s +- 3 s (6.12.15) */
	BUSY_WAIT_MS = 200,
	BUSY_TRIES = 4,
	REFUSED_FIRST_MS = 30000,
	REFUSED_MOST_MS = 900000,
	SLOTS_WAIT_MS = 5000, /* a full BMC is asked again sooner at first: nobody is locked out by it */
	SLOTS_MOST_MS = 300000,
	SECRET_WAIT_MS = 5000,
	SECRET_AGAIN_MS = 15000,
	SEL_INTERVAL_MS = 300000,
	FRU_SPREAD_MS = 600000,
	SEL_SELDOM_MS = 3600000, /* a BMC that has no event log may have one after an update */
	SESSION_TRIES = 3, /* whole handshakes for one request: lost RAKP answers are not repeated by every BMC */
};

enum session_state {
	SESSION_CLOSED,
	SESSION_OPEN_SENT,
	SESSION_RAKP1_SENT,
	SESSION_RAKP3_SENT,
	SESSION_RAISE,
	SESSION_READY
};

struct credential {
	struct credential *next;
	int64_t asked_ms;
	char name[NAME_SIZE];
	bool known, refused; /* refused: the supervisor has no such secret or it is malformed */
	struct bmc_secret secret;
};

/* What is on the wire and not answered yet. */
enum flight_kind { FLIGHT_NONE, FLIGHT_HANDSHAKE, FLIGHT_RAISE, FLIGHT_COMMAND, FLIGHT_PING, FLIGHT_PROBE };
struct flight {
	uint8_t kind;              /* enum flight_kind */
	uint8_t procedure;         /* on whose behalf */
	uint8_t sent;              /* how often */
	uint8_t sequence;          /* request sequence of command and ping */
	bool yields;               /* something more urgent waits: give up early, begin again later */
	int64_t first_ms, next_ms; /* first sending; when to send again or give up */
	int64_t give_up_ms;
	struct ipmi_command command;
};

struct power_job {
	uint64_t id; /* 0: none */
	uint8_t verb, step, off_reads, state;
	uint8_t sends, completion;
	int64_t started_ms, deadline_ms, sent_ms, answered_ms;
};

struct sweep; /* sensors.c: allocated while sensors are read */
struct fru_read; /* fru.c: allocated while the inventory is read */
struct probe; /* probe.c: allocated while weaknesses are looked for */
struct sel_read; /* sel.c: allocated while the event log is read */
struct sdr_repository;
struct sdr_files;

struct bmc {
	uint32_t slot, generation;
	struct bmc *next_same_hash, *next_waiting;
	struct address address;
	struct credential *credential;
	struct flight flight;
	struct rmcpp_session session;
	int64_t at[PROC_COUNT];
	int64_t last_used_ms;      /* of the session */
	int64_t last_heard_ms;     /* any authentic or matching answer */
	int64_t heard_question_ms; /* when the question of that answer was first sent */
	int64_t power_due_ms;      /* next regular power read */
	int64_t first_miss_ms;
	int64_t urgent_asked_ms; /* NEVER: no urgent read waits */
	int64_t refused_until_ms;
	int64_t refused_gap_ms;
	int64_t free_ms; /* no request before: the least time between two */
	int64_t slots_gap_ms;
	struct power_job job;
	struct sweep *sweep;
	struct sel_read *sel;
	struct probe *probe;
	struct fru_read *fru;
	struct sel_kept sel_kept; /* what the store has of its event log */
	struct sdr_repository *repository;
	uint64_t repository_key; /* hash of what the records in hand belong to */
	uint8_t *thresholds;     /* seven bytes for each sensor of the repository: as Get Sensor Thresholds answers */
	uint32_t power_interval_ms, sensor_interval_ms;
	uint32_t workarounds;
	uint32_t manufacturer, product;
	uint32_t hash; /* of the name: spreads what is periodic */
	uint16_t sweeps;
	uint8_t suite, privilege;
	uint8_t session_state; /* enum session_state */
	uint8_t session_tries, busy_tries, stale_tries;
	uint8_t unanswered; /* liveness questions without an answer since the last good read */
	uint8_t doubted;    /* enum session_state in which nobody answered */
	uint8_t request_sequence;
	uint8_t misses;
	uint8_t state; /* enum bmc_state, as reported */
	uint8_t error; /* enum bmc_error, the trouble that holds now */
	uint8_t completion;
	uint8_t refused; /* enum bmc_error of the last refused log-in */
	uint8_t identity_step;
	uint8_t restart_cause, watchdog; /* as msg_power_state has them */
	uint8_t cause_step, cause_read; /* the restart cause waits here for the watchdog's answer: told together */
	uint8_t sel_waits;
	uint8_t findings; /* enum bmc_finding bits */
	uint16_t gap_ms;
	uint32_t suites; /* offered, one bit each */
	bool seen;    /* given again since bmc_engine_begin() */
	bool waiting; /* in the list of those that wait for the window */
	bool counted; /* its flight counts in the window */
	bool guid_known, guid_changed, guid_expected, identified, device_known;
	bool sel_told;  /* sel_kept is known: without it everything would be read again */
	bool probe_defaults, defaults_looked, no_dcmi;
	bool doubting;  /* the ping in flight asks whether the session is stale or the BMC silent */
	uint8_t guid[16], expected_guid[16];
	char firmware[16];
	char user[USER_MAX + 1];
	char name[NAME_SIZE];
	char finding[CAUSE_SIZE];
};

struct bmc_engine {
	struct bmc_settings settings;
	struct bmc_hands hands;
	struct bmc_counts counts;
	struct packets *packets;
	struct wire *wire;
	struct wheel wheel;
	struct bmc **targets; /* by slot */
	struct bmc **hash;    /* by address */
	struct bmc *waiting_first, *waiting_last;
	struct credential *credentials;
	struct sdr_repository *repositories;
	struct sdr_files *files;
	struct ipmi_sdr_ctx *sdr;
	struct sel_words *sel_words;
	int64_t now; /* as given to the call that runs */
};

/* One procedure. fill() gives the next command (sessionless: outside any session) or returns false when it wants none
 * after all. done() gets the reply (error BMC_OK) or why there is none; it sets bmc->at[] for what comes next. */
struct procedure_table {
	bool (*fill)(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless);
	void (*done)(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply);
	uint16_t again_ms[2]; /* repeats in a session after the first sending; 0 = none */
	uint16_t give_up_ms;
};
extern const struct procedure_table watch_urgent_procedure, power_procedure, watch_live_procedure,
    watch_identity_procedure, watch_cause_procedure, sensors_procedure, sel_procedure, fru_procedure, probe_procedure;
extern const struct procedure_table *const procedures[PROC_COUNT];

/* engine.c */
void bmc_schedule(struct bmc_engine *e, struct bmc *b);
void bmc_pump(struct bmc_engine *e, struct bmc *b);
void bmc_want(struct bmc_engine *e, struct bmc *b, enum procedure p, int64_t at);
/* session.c: everything between a procedure's command and the wire */
void session_start(struct bmc_engine *e, struct bmc *b, enum procedure p, const struct ipmi_command *c,
		   bool sessionless);
void session_timer(struct bmc_engine *e, struct bmc *b);
bool session_datagram(struct bmc_engine *e, struct bmc *b, enum packet_kind kind, uint32_t console_id,
		      const uint8_t *data, size_t size);
void session_drop(struct bmc *b);                        /* forgets keys, tells nobody */
void session_close(struct bmc_engine *e, struct bmc *b); /* tells the BMC, waits for nothing */
void session_abandon_flight(struct bmc_engine *e, struct bmc *b);
/* watch.c: power state, liveness, identity, restart cause */
void watch_start(struct bmc_engine *e, struct bmc *b, int64_t first_ms);
void watch_heard(struct bmc_engine *e, struct bmc *b);
void watch_trouble(struct bmc_engine *e, struct bmc *b, enum bmc_error error, uint8_t completion);
void watch_urgent(struct bmc_engine *e, struct bmc *b);
void watch_urgent_late(struct bmc_engine *e, struct bmc *b);
void watch_finding(struct bmc_engine *e, struct bmc *b, enum bmc_finding finding, bool there);
void watch_facts(struct bmc_engine *e, struct bmc *b);
bool watch_parse_chassis(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r);
void watch_command_chassis(struct ipmi_command *c);
/* power.c */
void power_start(struct bmc_engine *e, struct bmc *b, const struct msg_power *power);
void power_late(struct bmc_engine *e, struct bmc *b);
void power_end(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const char *text);
/* sensors.c */
void sensors_forget(struct bmc_engine *e, struct bmc *b);
void sensors_abandon(struct bmc *b);
/* fru.c */
void fru_forget(struct bmc *b);
/* probe.c: weaknesses, looked for without ever opening a session */
void probe_first(struct bmc_engine *e, struct bmc *b); /* first contact, or other firmware */
void probe_forget(struct bmc *b);
size_t probe_packet(struct bmc_engine *e, struct bmc *b, uint8_t *out);
/* The answer to it; false: it is not. */
bool probe_datagram(struct bmc_engine *e, struct bmc *b, enum packet_kind kind, uint32_t console_id, const uint8_t *data,
		    size_t size);
/* sel.c */
void sel_forget(struct bmc *b);
void sel_first(struct bmc_engine *e, struct bmc *b); /* first contact: its log is read in its turn */
void sel_now(struct bmc_engine *e, struct bmc *b);
void sel_known(struct bmc_engine *e, struct bmc *b, const struct msg_sel_known *m);
void sel_clear(struct bmc_engine *e, struct bmc *b, uint64_t request);

#endif
