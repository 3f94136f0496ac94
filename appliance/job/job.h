/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs as pure state: one job has targets (nodes), each target walks the steps of its verb (power, or one run over node control); every step's
 * intent is stored before it is sent (contracts, section 6). What happened comes in, what to do next comes out; the engine persists and sends. */
#ifndef GLORY_JOB_JOB_H
#define GLORY_JOB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/words.h"

#define JOB_TARGETS_MAX 20000
#define JOB_STEPS_MAX 4

/* Where one target stands. Numbers are stored: append-only. */
enum target_phase {
	TARGET_WAITING = 1, /* for its turn (inrush limit) */
	TARGET_INTENT,      /* step chosen, being stored */
	TARGET_SENT,        /* stored and handed to the BMC role or the runner */
	TARGET_DONE,
	TARGET_FAILED,
	TARGET_UNKNOWN,     /* interrupted where a repeat could do harm */
	TARGET_CANCELLED,
	TARGET_PHASE_COUNT
};
const char *target_phase_name(int phase);

struct job_target {
	uint32_t slot, generation;
	char name[64];
	uint8_t phase;
	uint8_t step;     /* index into the verb's steps */
	uint8_t tries;
	uint8_t power;    /* enum power as last read back */
	int64_t stepped_wall_ms;
	int64_t sent_mono_ms; /* this life's own: when the step was handed over, or may be again; not stored */
	uint8_t waits;        /* this life's own: how often a repeat has met its predecessor at work; not stored */
	uint32_t intent;      /* this life's own: counts the intents stored for it; not stored */
	uint64_t run;         /* this life's own: its number at the runner while it is there; not stored */
	char text[240];   /* what came back, or was said meanwhile */
};

struct job {
	uint64_t id;
	uint32_t verb;    /* enum job_verb */
	uint32_t state;   /* enum job_state */
	char actor[64], target[64], reason[64], result[128];
	char line[1024];  /* of a run: what is said to each node (control/verbs.h); of a change of role: the new pool */
	char software[64]; /* of software jobs: its name */
	bool repeatable;  /* of a run: twice does no harm */
	uint32_t room;    /* this life's own: how many more targets may begin now; not stored */
	int64_t batch_ended_ms; /* this life's own: when the last batch had ended, 0 while one runs; not stored */
	uint32_t batch;   /* of software jobs: so many nodes at once, the next when these are well; 0: all */
	int64_t queued_ms, started_ms, ended_ms; /* wall clock */
	bool looking;     /* this life's own: of software jobs: all have ended, what it did to the last of them is still waited for; not stored */
	bool looked;      /* this life's own: and it has been seen; not stored */
	uint32_t count, open;
	uint32_t board_slot;
	struct job_target *targets; /* owned */
};

struct job *job_new(uint64_t id, uint32_t verb, uint32_t targets);
void job_free(struct job *job);

/* The steps of a verb, each one verb of the BMC role with read-back, or one thing over node control; 0 ends. cycle = off, on. */
const uint8_t *job_steps(uint32_t verb);
bool job_is_destructive(uint32_t verb); /* off soft cycle reset: counted by the brake, wants --yes for more than one node */

/* A target's step came back: moves it on. ok: reached as read back. Returns the verb to send next (after its intent is stored), or 0. A
 * remote failure is tried twice more for on and off (safe to repeat), never for reset. */
uint32_t job_step_result(struct job *job, uint32_t target, bool ok, uint8_t power, const char *text, int64_t now_ms);
/* After a restart: what to do with a target found in TARGET_SENT or TARGET_INTENT: the verb to send again (on, off, soft: safe), or 0 when
 * it is now UNKNOWN (reset) or FAILED (identify). */
uint32_t job_target_resume(struct job *job, uint32_t target, int64_t now_ms);
/* Ends what has not been sent yet. Returns how many targets that were. */
uint32_t job_cancel(struct job *job, int64_t now_ms);
/* Over node control, as opposed to power. */
bool job_is_run(uint32_t verb);
/* By batches, each judged by the health of its nodes: a change of software. */
bool job_is_rolling(uint32_t verb);
/* What was seen of a target after the last batch: not well (the trouble in a word) it has failed after all; NULL: well. The job may end then. */
void job_looked(struct job *job, uint32_t target, const char *trouble, int64_t now_ms);
/* A run on a target ended. Cut off where a repeat does no harm: it is tried twice more (true: send it again in a moment, after its intent is stored),
 * and a repeat that meets its predecessor still at work waits for that; where a repeat could do harm, the target ends as unknown. */
bool job_run_result(struct job *job, uint32_t target, enum run_ended end, const char *text, int64_t now_ms);
/* Settles state and result text when no target is open any more, and of a rolling job when it has been looked at its nodes; true when the job just
 * ended. */
bool job_settle(struct job *job, int64_t now_ms);

/* JSON of /job/ID (the job without its targets) and of /job/ID/step/N (target N), "v":1; caller frees. And back: the job comes with
 * `count` empty targets, each to be filled by job_target_from_json(); NULL or false: not one of ours. */
char *job_to_json(const struct job *job);
char *job_target_to_json(const struct job *job, uint32_t target);
struct job *job_from_json(const char *json);
bool job_target_from_json(struct job *job, uint32_t target, const char *json);

#endif
