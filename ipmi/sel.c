/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event log procedure of a BMC: reads what is new (IPMI 2.0, 31.2 and 31.5; where it goes on is decided in
 * sel_track.c), hands it over in batches and goes on when a batch is kept; clears the log on request (31.9) once
 * everything in it is kept. A reservation guards the clearing: an entry that arrives meanwhile takes it away (31.4).
 * Called by engine.c. */
#include <freeipmi/freeipmi.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "ipmi/bmc.h"
#include "ipmi/sel_decode.h"
#include "ipmi/sel_track.h"

enum { CMD_SEL_INFO = 0x40, CMD_RESERVE_SEL = 0x42, CMD_GET_ENTRY = 0x43, CMD_CLEAR_SEL = 0x47 };
enum { INITIATE_ERASE = 0xaa, ERASE_STATUS = 0x00, ERASED = 1 };
enum { STEP_INFO, STEP_ENTRY, STEP_KEEP, STEP_RESERVE, STEP_AGAIN, STEP_CLEAR, STEP_ERASING };
enum { BATCH = 32, KEEP_WAIT_MS = 30000, AGAIN_MS = 60000, CLEAR_ROUNDS = 5, ERASE_POLL_MS = 500, CLEAR_MS = 60000 };
enum { NAMES_WAIT_MS = 2000, NAMES_WAITS = 5 };

struct sel_read {
	struct sel_track track;
	uint8_t step, rounds;
	bool clears;
	uint16_t reservation;
	uint64_t request;
	int64_t until_ms; /* of a clear */
	unsigned count;
	struct msg_sel_entry batch[BATCH];
};

void sel_forget(struct bmc *b)
{
	free(b->sel);
	b->sel = NULL;
}

static void go(struct bmc_engine *e, struct bmc *b, int step, int64_t wait_ms)
{
	b->sel->step = (uint8_t)step;
	bmc_want(e, b, PROC_SEL, e->now + wait_ms);
}

static void say_state(struct bmc_engine *e, struct bmc *b, enum bmc_error error)
{
	const struct sel_track *t = &b->sel->track;
	struct msg_sel_state m = {.slot = b->slot,
				  .generation = b->generation,
				  .added = t->info.added,
				  .erased = t->info.erased,
				  .entries = t->info.entries,
				  .free_bytes = t->info.free_bytes,
				  .notices = t->notices,
				  .error = (uint8_t)error};

	e->settings.records->sel_state(e->hands.arg, &m);
}

static void say_cleared(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const char *text)
{
	const struct sel_track *t = &b->sel->track;
	struct msg_sel_cleared m = {.request = b->sel->request,
				    .slot = b->slot,
				    .generation = b->generation,
				    .added = t->info.added,
				    .erased = t->info.erased,
				    .entries = t->info.entries,
				    .error = (int32_t)error};

	text_copy(m.text, sizeof(m.text), text);
	e->settings.records->sel_cleared(e->hands.arg, &m);
}

static void finish(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const char *text, int64_t again_ms)
{
	if (b->sel->clears)
		say_cleared(e, b, error, text ? text : bmc_error_text(error));
	else
		say_state(e, b, error);
	sel_forget(b);
	bmc_want(e, b, PROC_SEL, e->now + again_ms);
}

static void hand_over(struct bmc_engine *e, struct bmc *b)
{
	e->settings.records->sel(e->hands.arg, b->sel->batch, b->sel->count);
	go(e, b, STEP_KEEP, KEEP_WAIT_MS);
}

/* The log is read to its end, and kept. */
static void read_whole(struct bmc_engine *e, struct bmc *b)
{
	if (!b->sel->clears)
		finish(e, b, BMC_OK, NULL, SEL_INTERVAL_MS);
	else if (++b->sel->rounds > CLEAR_ROUNDS)
		finish(e, b, BMC_BUSY, "new entries arrive faster than they are read", SEL_INTERVAL_MS);
	else
		go(e, b, STEP_RESERVE, 0);
}

static void next_entry(struct bmc_engine *e, struct bmc *b)
{
	struct sel_read *s = b->sel;

	if (s->count == BATCH || (s->track.phase == SEL_DONE && s->count))
		hand_over(e, b);
	else if (s->track.phase == SEL_DONE)
		read_whole(e, b);
	else
		go(e, b, STEP_ENTRY, 0);
}

/* --- what comes from the engine role ---------------------------------------------------------------- */

static void begin(struct bmc_engine *e, struct bmc *b)
{
	if (!b->sel)
		b->sel = mem_zalloc(sizeof(*b->sel));
	go(e, b, STEP_INFO, 0);
}

void sel_known(struct bmc_engine *e, struct bmc *b, const struct msg_sel_known *m)
{
	struct sel_read *s = b->sel;
	bool first = !b->sel_told;

	b->sel_told = true;
	b->sel_kept = (struct sel_kept){.added = m->added, .erased = m->erased, .id = m->last_id};
	memcpy(b->sel_kept.raw, m->last, SEL_RECORD);
	if (!s && first && b->identified)
		sel_first(e, b);
	if (!s || s->step != STEP_KEEP)
		return;
	if (memcmp(m->last, s->batch[s->count - 1].raw, SEL_RECORD) != 0)
		return; /* what was kept before: ours is under way */
	s->track.kept = b->sel_kept;
	s->count = 0;
	next_entry(e, b);
}

void sel_first(struct bmc_engine *e, struct bmc *b)
{
	if (!e->settings.records || !b->sel_told || b->sel)
		return;
	bmc_want(e, b, PROC_SEL, e->now + b->hash % (e->counts.targets < 100 ? 2000 : SEL_INTERVAL_MS));
}

void sel_now(struct bmc_engine *e, struct bmc *b)
{
	if (e->settings.records && b->sel_told && !b->sel)
		begin(e, b);
}

void sel_clear(struct bmc_engine *e, struct bmc *b, uint64_t request)
{
	struct sel_read refused = {.request = request, .clears = true}, *mine = b->sel;

	if (!b->sel_told || (b->sel && b->sel->clears)) {
		b->sel = &refused;
		say_cleared(e, b, b->sel_told ? BMC_BUSY : BMC_NO_ANSWER,
			    b->sel_told ? "it is being cleared already" : "the bmc has not been reached yet");
		b->sel = mine;
		return;
	}
	if (!mine)
		begin(e, b);
	b->sel->clears = true;
	b->sel->request = request;
	b->sel->until_ms = e->now + CLEAR_MS;
}

/* --- the BMC ---------------------------------------------------------------------------------------- */

static void command_clear(const struct sel_read *s, struct ipmi_command *c)
{
	*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ,
				   .command = CMD_CLEAR_SEL,
				   .size = 6,
				   .data = {s->reservation & 0xff, (uint8_t)(s->reservation >> 8), 'C', 'L', 'R',
					    s->step == STEP_CLEAR ? INITIATE_ERASE : ERASE_STATUS}};
}

/* At first contact the sensors' records, which have their names, come first; but not for ever. */
static bool wait_for_names(struct bmc *b)
{
	return b->sensor_interval_ms && !b->repository && b->sel_waits < NAMES_WAITS && ++b->sel_waits;
}

static bool sel_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *sessionless)
{
	struct sel_read *s = b->sel;

	(void)sessionless;
	if (!s && (b->state == BMC_SILENT || wait_for_names(b))) {
		b->at[PROC_SEL] = e->now + (b->state == BMC_SILENT ? AGAIN_MS : NAMES_WAIT_MS);
		return false;
	}
	if (!s) {
		begin(e, b);
		s = b->sel;
	}
	if (s->step == STEP_KEEP) { /* nobody says that the batch is kept: begin again later */
		finish(e, b, BMC_BUSY, "its entries could not be kept", AGAIN_MS);
		return false;
	}
	if (s->clears && e->now > s->until_ms) {
		finish(e, b, BMC_NO_ANSWER, "not cleared in time", AGAIN_MS);
		return false;
	}
	*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ, .command = CMD_SEL_INFO};
	if (s->step == STEP_RESERVE)
		c->command = CMD_RESERVE_SEL;
	else if (s->step == STEP_ENTRY) /* a whole entry needs no reservation (31.4.1) */
		*c = (struct ipmi_command){.netfn = IPMI_NET_FN_STORAGE_RQ,
					   .command = CMD_GET_ENTRY,
					   .size = 6,
					   .data = {0, 0, s->track.ask & 0xff, (uint8_t)(s->track.ask >> 8), 0, 0xff}};
	else if (s->step == STEP_CLEAR || s->step == STEP_ERASING)
		command_clear(s, c);
	return true;
}

static void take_entry(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct sel_read *s = b->sel;
	const uint8_t *raw = r->data + 2;

	if (sel_track_take(&s->track, (uint16_t)(r->data[0] | r->data[1] << 8), raw)) {
		struct msg_sel_entry *m = &s->batch[s->count++];
		m->slot = b->slot;
		m->generation = b->generation;
		sel_decode(e->sel_words, b->repository, raw, m);
	}
	next_entry(e, b);
}

/* The log as it stands under the reservation: nothing may have come since it was read. */
static void take_info_again(struct bmc_engine *e, struct bmc *b, const struct sel_info *now)
{
	const struct sel_info *read = &b->sel->track.info;

	if (now->entries == 0) {
		b->sel->track.info.erased = now->erased;
		finish(e, b, BMC_OK, "cleared", SEL_INTERVAL_MS);
	} else if (now->entries == read->entries && now->added == read->added && now->erased == read->erased)
		go(e, b, STEP_CLEAR, 0);
	else {
		sel_track_begin(&b->sel->track, &b->sel_kept, now);
		next_entry(e, b);
	}
}

static void take_info(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	struct sel_info info;

	if (!sel_info_parse(r->data, r->size, &info)) {
		finish(e, b, BMC_GARBAGE, NULL, SEL_INTERVAL_MS);
		return;
	}
	if (b->sel->step == STEP_AGAIN) {
		take_info_again(e, b, &info);
		return;
	}
	sel_track_begin(&b->sel->track, &b->sel_kept, &info);
	next_entry(e, b);
}

static void take_erasing(struct bmc_engine *e, struct bmc *b, const struct ipmi_reply *r)
{
	if (r->size >= 1 && (r->data[0] & 0x0f) == ERASED)
		go(e, b, STEP_AGAIN, 0); /* the stamp of this erasure must be known, or it looks like another's */
	else
		go(e, b, STEP_ERASING, ERASE_POLL_MS);
}

static void refused(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *r)
{
	struct sel_read *s = b->sel;
	uint8_t completion = r ? r->completion : 0;

	if (completion == IPMI_COMP_CODE_RESERVATION_CANCELLED && s->clears && s->rounds <= CLEAR_ROUNDS)
		go(e, b, STEP_INFO, 0);
	else if (completion == IPMI_COMP_CODE_REQUESTED_SENSOR_DATA_OR_RECORD_NOT_PRESENT && s->step == STEP_ENTRY) {
		sel_track_missing(&s->track);
		next_entry(e, b);
	} else if (!r && s->clears && error != BMC_PASSWORD && error != BMC_USER && e->now + AGAIN_MS / 30 < s->until_ms)
		go(e, b, STEP_INFO, AGAIN_MS / 30); /* whether it was cleared is seen by reading it again */
	else if (s->count) { /* what has been read is worth keeping */
		s->track.phase = SEL_DONE;
		hand_over(e, b);
	} else
		finish(e, b, error, NULL, error == BMC_UNSUPPORTED ? SEL_SELDOM_MS : r ? SEL_INTERVAL_MS : AGAIN_MS);
}

static void sel_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *reply)
{
	struct sel_read *s = b->sel;

	if (!s)
		return;
	if (error != BMC_OK)
		refused(e, b, error, reply);
	else if (s->step == STEP_INFO || s->step == STEP_AGAIN)
		take_info(e, b, reply);
	else if (s->step == STEP_ENTRY && reply->size >= 2 + SEL_RECORD)
		take_entry(e, b, reply);
	else if (s->step == STEP_RESERVE && reply->size >= 2) {
		s->reservation = (uint16_t)(reply->data[0] | reply->data[1] << 8);
		go(e, b, STEP_AGAIN, 0);
	} else if (s->step == STEP_CLEAR || s->step == STEP_ERASING)
		take_erasing(e, b, reply);
	else
		finish(e, b, BMC_GARBAGE, NULL, SEL_INTERVAL_MS);
}

const struct procedure_table sel_procedure = {sel_fill, sel_done, {500, 1000}, 1500};
