/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMC engine's outside: targets, credentials, the queue of each BMC, the common window, timers, datagrams; see
 * engine.h. */
#include "ipmi/engine.h"

#include <assert.h>
#include <freeipmi/freeipmi.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "ipmi/bmc.h"
#include "ipmi/sdr_files.h"
#include "ipmi/sel_decode.h"

enum { HASH_SIZE = 16384, WINDOW_DEFAULT = 512 };

const struct procedure_table *const procedures[PROC_COUNT] = {
    [PROC_URGENT] = &watch_urgent_procedure, [PROC_POWER] = &power_procedure,
    [PROC_LIVE] = &watch_live_procedure,     [PROC_IDENTITY] = &watch_identity_procedure,
    [PROC_CAUSE] = &watch_cause_procedure,   [PROC_SENSORS] = &sensors_procedure,
    [PROC_SEL] = &sel_procedure,
    [PROC_FRU] = &fru_procedure,
    [PROC_PROBE] = &probe_procedure,
};

static struct bmc **hash_place(struct bmc_engine *e, const struct address *a)
{
	return &e->hash[text_hash(a, sizeof(*a)) % HASH_SIZE];
}

struct bmc_engine *bmc_engine_new(const struct bmc_settings *settings, const struct bmc_hands *hands, int64_t now)
{
	struct bmc_engine *e = mem_zalloc(sizeof(*e));

	e->settings = *settings;
	e->hands = *hands;
	e->now = now;
	if (e->settings.window == 0)
		e->settings.window = WINDOW_DEFAULT;
	e->packets = packets_new();
	e->wire = e->packets ? wire_new(hands->random, hands->arg) : NULL;
	e->sdr = ipmi_sdr_ctx_create();
	e->files = sdr_files_new(settings->cache_directory);
	e->targets = mem_array(NODE_MAX, sizeof(struct bmc *));
	e->hash = mem_array(HASH_SIZE, sizeof(struct bmc *));
	e->sel_words = settings->records ? sel_words_new() : NULL;
	if (!e->wire || !e->sdr || (settings->records && !e->sel_words) || wheel_init(&e->wheel, NODE_MAX, now) < 0) {
		bmc_engine_free(e);
		return NULL;
	}
	return e;
}

bool bmc_engine_files(struct bmc_engine *e)
{
	return sdr_files_start(e->files);
}

/* --- targets --------------------------------------------------------------------------------------- */

static void unhash(struct bmc_engine *e, struct bmc *b)
{
	for (struct bmc **at = hash_place(e, &b->address); *at; at = &(*at)->next_same_hash)
		if (*at == b) {
			*at = b->next_same_hash;
			return;
		}
}

static void leave_waiting(struct bmc_engine *e, struct bmc *b)
{
	struct bmc *before = NULL;

	if (!b->waiting)
		return;
	for (struct bmc *w = e->waiting_first; w && w != b; w = w->next_waiting)
		before = w;
	if (before)
		before->next_waiting = b->next_waiting;
	else
		e->waiting_first = b->next_waiting;
	if (e->waiting_last == b)
		e->waiting_last = before;
	b->waiting = false;
	b->next_waiting = NULL;
}

static void forget(struct bmc_engine *e, struct bmc *b)
{
	session_close(e, b);
	session_abandon_flight(e, b);
	leave_waiting(e, b);
	wheel_cancel(&e->wheel, b->slot);
	sensors_forget(e, b);
	sel_forget(b);
	probe_forget(b);
	fru_forget(b);
	unhash(e, b);
	e->targets[b->slot] = NULL;
	e->counts.targets--;
	explicit_bzero(b, sizeof(*b));
	free(b);
}

void bmc_engine_free(struct bmc_engine *e)
{
	for (uint32_t i = 0; e->targets && i < NODE_MAX; i++)
		if (e->targets[i])
			forget(e, e->targets[i]);
	while (e->credentials) {
		struct credential *c = e->credentials;
		e->credentials = c->next;
		explicit_bzero(c, sizeof(*c));
		free(c);
	}
	sdr_files_free(e->files);
	wire_free(e->wire);
	packets_free(e->packets);
	ipmi_sdr_ctx_destroy(e->sdr);
	sel_words_free(e->sel_words);
	wheel_free(&e->wheel);
	free(e->targets);
	free(e->hash);
	free(e);
}

static struct credential *credential_named(struct bmc_engine *e, const char *name)
{
	for (struct credential *c = e->credentials; c; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	struct credential *c = mem_zalloc(sizeof(*c));
	text_copy(c->name, sizeof(c->name), name);
	c->next = e->credentials;
	c->asked_ms = e->now;
	e->credentials = c;
	e->hands.secret(e->hands.arg, c->name);
	return c;
}

static int check_target(const struct msg_bmc_target *t, struct error *error)
{
	const char *refused = packets_suite_refused(t->suite);

	if (!text_terminated(t->name, sizeof(t->name)) || !text_terminated(t->credential, sizeof(t->credential)) ||
	    !text_terminated(t->user, sizeof(t->user)) || t->slot >= NODE_MAX)
		return error_set(error, ERR_BUG, "bmc target", "report it", "a field of the message is not as agreed");
	if (refused)
		return error_set(error, ERR_CONFIG, t->name, "configure suite 17, or 3 for an old bmc", "%s", refused);
	if (t->address.family != 4 && t->address.family != 6)
		return error_set(error, ERR_CONFIG, t->name, "give the bmc's numeric address", "no bmc address");
	if (strlen(t->user) > USER_MAX)
		return error_set(error, ERR_CONFIG, t->name, "ipmi names have at most 16 bytes",
				 "bmc user name too long");
	if (t->privilege < IPMI_PRIVILEGE_LEVEL_USER || t->privilege > IPMI_PRIVILEGE_LEVEL_ADMIN)
		return error_set(error, ERR_CONFIG, t->name, "use user, operator or admin", "privilege %u is none",
				 t->privilege);
	return 0;
}

/* True when nothing changed that needs a new session. */
static bool same_login(const struct bmc *b, const struct msg_bmc_target *t)
{
	return address_equal(&b->address, &t->address) && b->suite == t->suite && b->privilege == t->privilege &&
	       b->workarounds == t->workarounds && strcmp(b->user, t->user) == 0 &&
	       strcmp(b->credential->name, t->credential) == 0;
}

static void take_settings(struct bmc *b, const struct msg_bmc_target *t)
{
	static const uint8_t none[16];

	b->generation = t->generation;
	b->power_interval_ms = (t->power_interval_s ? t->power_interval_s : 30) * 1000;
	b->sensor_interval_ms = t->sensor_interval_s * 1000;
	b->gap_ms = t->gap_ms;
	b->probe_defaults = t->probe_defaults;
	memcpy(b->expected_guid, t->expected_guid, 16);
	b->guid_expected = memcmp(t->expected_guid, none, 16) != 0;
	text_copy(b->name, sizeof(b->name), t->name);
	b->seen = true;
}

static struct bmc *target_new(struct bmc_engine *e, const struct msg_bmc_target *t)
{
	struct bmc *b = mem_zalloc(sizeof(*b));

	b->slot = t->slot;
	b->address = t->address;
	b->suite = t->suite;
	b->privilege = t->privilege;
	b->workarounds = t->workarounds;
	b->state = BMC_PEND;
	b->urgent_asked_ms = NEVER;
	b->hash = (uint32_t)text_hash(t->name, strlen(t->name));
	text_copy(b->user, sizeof(b->user), t->user);
	b->credential = credential_named(e, t->credential);
	for (int p = 0; p < PROC_COUNT; p++)
		b->at[p] = NEVER;
	take_settings(b, t);
	b->next_same_hash = *hash_place(e, &b->address);
	*hash_place(e, &b->address) = b;
	e->targets[b->slot] = b;
	e->counts.targets++;
	return b;
}

int bmc_engine_target(struct bmc_engine *e, const struct msg_bmc_target *t, int64_t now, struct error *error)
{
	int bad = check_target(t, error);

	e->now = now;
	if (bad)
		return bad;
	struct bmc *b = e->targets[t->slot];
	if (b && b->generation == t->generation && same_login(b, t)) {
		take_settings(b, t);
		b->guid_changed = b->guid_known && b->guid_expected && !bmc_guid_equal(b->guid, b->expected_guid);
		watch_facts(e, b);
		return 0;
	}
	if (b)
		forget(e, b);
	b = target_new(e, t);
	/* a small site is known at once, a big one without a burst */
	int64_t spread = (int64_t)e->counts.targets * 5;
	watch_start(e, b, now + b->hash % (spread > b->power_interval_ms ? b->power_interval_ms : spread));
	bmc_schedule(e, b);
	return 0;
}

static struct bmc *find(struct bmc_engine *e, uint32_t slot, uint32_t generation)
{
	struct bmc *b = slot < NODE_MAX ? e->targets[slot] : NULL;

	return b && b->generation == generation ? b : NULL;
}

void bmc_engine_remove(struct bmc_engine *e, uint32_t slot, uint32_t generation, int64_t now)
{
	struct bmc *b = find(e, slot, generation);

	e->now = now;
	if (b)
		forget(e, b);
}

void bmc_engine_begin(struct bmc_engine *e)
{
	for (uint32_t i = 0; i < NODE_MAX; i++)
		if (e->targets[i])
			e->targets[i]->seen = false;
}

void bmc_engine_end(struct bmc_engine *e, int64_t now)
{
	e->now = now;
	for (uint32_t i = 0; i < NODE_MAX; i++)
		if (e->targets[i] && !e->targets[i]->seen)
			forget(e, e->targets[i]);
}

/* --- credentials ----------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The value of one line: plain bytes, or 0x and hex digits when it may be binary. False: empty or longer than IPMI can.
 */
static bool take_value(const char *value, size_t size, bool binary, uint8_t out[SECRET_MAX], uint8_t *out_size)
{
	if (binary && size > 2 && value[0] == '0' && value[1] == 'x') {
		if (size % 2 || (size - 2) / 2 > SECRET_MAX)
			return false;
		for (size_t i = 2; i < size; i += 2) {
			int high = hex_digit(value[i]), low = hex_digit(value[i + 1]);
			if (high < 0 || low < 0)
				return false;
			out[i / 2 - 1] = (uint8_t)(high << 4 | low);
		}
		*out_size = (uint8_t)((size - 2) / 2);
		return true;
	}
	if (size == 0 || size > SECRET_MAX)
		return false;
	memcpy(out, value, size);
	*out_size = (uint8_t)size;
	return true;
}

static bool parse_secret(const char *text, struct bmc_secret *secret)
{
	memset(secret, 0, sizeof(*secret));
	while (*text) {
		size_t line = strcspn(text, "\r\n");
		bool right = true;
		if (line > 9 && strncmp(text, "password=", 9) == 0)
			right = take_value(text + 9, line - 9, false, secret->password, &secret->password_size);
		else if (line > 3 && strncmp(text, "kg=", 3) == 0)
			right = take_value(text + 3, line - 3, true, secret->kg, &secret->kg_size);
		if (!right)
			return false;
		text += line;
		text += strspn(text, "\r\n");
	}
	return secret->password_size > 0;
}

/* A log-in that was refused, or waited for its secret, may go now. */
static void retry_login(struct bmc_engine *e, struct bmc *b)
{
	b->refused_until_ms = 0;
	b->refused_gap_ms = 0;
	if (b->session_state == SESSION_READY)
		return;
	if (b->urgent_asked_ms != NEVER)
		bmc_want(e, b, PROC_URGENT, e->now);
	if (b->job.id)
		bmc_want(e, b, PROC_POWER, e->now);
	b->power_due_ms = e->now;
	bmc_want(e, b, PROC_LIVE, e->now + b->hash % ((int64_t)e->counts.targets * 5 + 1));
}

static bool same_secret(const struct bmc_secret *a, const struct bmc_secret *b)
{
	return a->password_size == b->password_size && a->kg_size == b->kg_size &&
	       memcmp(a->password, b->password, SECRET_MAX) == 0 && memcmp(a->kg, b->kg, SECRET_MAX) == 0;
}

int bmc_engine_secret(struct bmc_engine *e, const char *name, const char *text, int64_t now, struct error *error)
{
	struct credential *c = credential_named(e, name);
	struct bmc_secret before = c->secret;

	e->now = now;
	c->known = text && parse_secret(text, &c->secret);
	c->refused = !c->known;
	if (!c->known)
		explicit_bzero(&c->secret, sizeof(c->secret));
	/* the same again must not make a refused log-in be tried more often */
	bool other = !same_secret(&before, &c->secret);
	explicit_bzero(&before, sizeof(before));
	for (uint32_t i = 0; i < NODE_MAX && other && c->known; i++)
		if (e->targets[i] && e->targets[i]->credential == c)
			retry_login(e, e->targets[i]);
	if (c->known)
		return 0;
	if (!text)
		return error_set(error, ERR_NOT_FOUND, name, "put the bmc password into secrets/bmc",
				 "no such bmc secret");
	return error_set(error, ERR_CONFIG, name,
			 "one line password=... of at most 20 bytes, optionally kg=... (text, or 0x and hex)",
			 "the bmc secret is malformed");
}

/* --- the queue of a BMC ---------------------------------------------------------------------------- */

void bmc_schedule(struct bmc_engine *e, struct bmc *b)
{
	int64_t due = b->flight.kind ? b->flight.next_ms : NEVER;

	for (int p = 0; p < PROC_COUNT && !b->flight.kind && !b->waiting; p++)
		if (b->at[p] < due)
			due = b->at[p];
	if (!b->flight.kind && due < b->free_ms)
		due = b->free_ms;
	if (b->urgent_asked_ms != NEVER && b->urgent_asked_ms + URGENT_DEADLINE_MS < due)
		due = b->urgent_asked_ms + URGENT_DEADLINE_MS;
	if (b->job.id && b->job.deadline_ms < due)
		due = b->job.deadline_ms;
	if (due == NEVER)
		wheel_cancel(&e->wheel, b->slot);
	else
		wheel_set(&e->wheel, b->slot, due);
}

static void wait_for_window(struct bmc_engine *e, struct bmc *b)
{
	if (b->waiting)
		return;
	b->waiting = true;
	b->next_waiting = NULL;
	if (e->waiting_last)
		e->waiting_last->next_waiting = b;
	else
		e->waiting_first = b;
	e->waiting_last = b;
}

static int first_ready(const struct bmc_engine *e, const struct bmc *b)
{
	int p = 0;

	while (p < PROC_COUNT && b->at[p] > e->now)
		p++;
	return p;
}

void bmc_pump(struct bmc_engine *e, struct bmc *b)
{
	for (int turns = 0; !b->flight.kind && b->free_ms <= e->now; turns++) {
		struct ipmi_command c = {0};
		bool sessionless = false;
		int p = first_ready(e, b);
		if (p == PROC_COUNT)
			break;
		if (turns ==
		    16) { /* a procedure that goes round without a packet is a bug of ours; do not hang for it */
			b->at[p] = e->now + 1000;
			break;
		}
		if (p >= PROC_LIVE && e->counts.in_flight >= e->settings.window) {
			wait_for_window(e, b);
			break;
		}
		if (procedures[p]->fill(e, b, &c, &sessionless))
			session_start(e, b, (enum procedure)p, &c, sessionless);
		else if (b->at[p] <= e->now)
			b->at[p] = NEVER;
	}
	bmc_schedule(e, b);
}

void bmc_want(struct bmc_engine *e, struct bmc *b, enum procedure p, int64_t at)
{
	struct flight *f = &b->flight;

	b->at[p] = at;
	if (f->kind && at <= e->now && p < f->procedure) {
		if (f->kind == FLIGHT_HANDSHAKE || f->kind == FLIGHT_RAISE) {
			int64_t again = f->first_ms + 500 > e->now ? f->first_ms + 500 : e->now;
			f->procedure = (uint8_t)p;
			f->next_ms = again < f->next_ms ? again : f->next_ms;
		} else if (!f->command.once) {
			f->yields = true;
			int64_t early = f->first_ms + 300 > e->now ? f->first_ms + 300 : e->now;
			f->give_up_ms = early < f->give_up_ms ? early : f->give_up_ms;
			f->next_ms = f->give_up_ms < f->next_ms ? f->give_up_ms : f->next_ms;
		}
	}
	bmc_schedule(e, b);
}

/* --- what comes from outside ----------------------------------------------------------------------- */

static void window_open(struct bmc_engine *e)
{
	while (e->waiting_first && e->counts.in_flight < e->settings.window) {
		struct bmc *b = e->waiting_first;
		leave_waiting(e, b);
		bmc_pump(e, b);
	}
}

void bmc_engine_power(struct bmc_engine *e, const struct msg_power *power, int64_t now)
{
	struct bmc *b = find(e, power->slot, power->generation);

	e->now = now;
	if (!b) {
		struct msg_power_result r = {.job = power->job,
					     .slot = power->slot,
					     .generation = power->generation,
					     .verb = power->verb,
					     .error = BMC_UNSUPPORTED,
					     .state = POWER_UNKNOWN};
		text_copy(r.text, sizeof(r.text), "the node has no bmc that can be used");
		e->hands.result(e->hands.arg, &r);
		return;
	}
	power_start(e, b, power);
	bmc_pump(e, b);
}

void bmc_engine_read(struct bmc_engine *e, const struct msg_bmc_read *read, int64_t now)
{
	struct bmc *b = find(e, read->slot, read->generation);

	e->now = now;
	if (!b)
		return;
	switch (read->what) {
	case BMC_READ_POWER:
		if (read->urgent)
			watch_urgent(e, b);
		else {
			b->power_due_ms = now;
			bmc_want(e, b, PROC_LIVE, now);
		}
		break;
	case BMC_READ_CAUSE:
		bmc_want(e, b, PROC_CAUSE, now);
		break;
	case BMC_READ_SENSORS:
		if (!b->sweep)
			bmc_want(e, b, PROC_SENSORS, now);
		break;
	case BMC_READ_SEL:
		sel_now(e, b);
		break;
	case BMC_READ_FRU:
		if (e->settings.records && !b->fru)
			bmc_want(e, b, PROC_FRU, now + (e->counts.targets < 100 ? 0 : b->hash % FRU_SPREAD_MS));
		break;
	default:
		break;
	}
	bmc_pump(e, b);
}

void bmc_engine_sel_known(struct bmc_engine *e, const struct msg_sel_known *known, int64_t now)
{
	struct bmc *b = find(e, known->slot, known->generation);

	e->now = now;
	if (!b)
		return;
	sel_known(e, b, known);
	bmc_pump(e, b);
}

void bmc_engine_sel_clear(struct bmc_engine *e, const struct msg_sel_clear *clear, int64_t now)
{
	struct bmc *b = find(e, clear->slot, clear->generation);

	e->now = now;
	if (b && e->settings.records) {
		sel_clear(e, b, clear->request);
		bmc_pump(e, b);
	} else if (e->settings.records) {
		struct msg_sel_cleared m = {.request = clear->request,
					    .slot = clear->slot,
					    .generation = clear->generation,
					    .error = BMC_UNSUPPORTED};
		text_copy(m.text, sizeof(m.text), "the node has no bmc that can be used");
		e->settings.records->sel_cleared(e->hands.arg, &m);
	}
}

void bmc_engine_pet(struct bmc_engine *e, const struct msg_pet *pet, int64_t now)
{
	struct bmc *b = find(e, pet->slot, pet->generation);
	struct msg_sel_entry event = {.slot = pet->slot, .generation = pet->generation};
	uint8_t raw[SEL_RAW];

	e->now = now;
	if (!b || !e->settings.records || pet->size > sizeof(pet->octets) ||
	    !pet_to_record(pet->specific, pet->octets, pet->size, raw))
		return;
	sel_decode(e->sel_words, b->repository, raw, &event);
	e->settings.records->pet(e->hands.arg, &event);
	sel_now(e, b);
	bmc_pump(e, b);
}

void bmc_engine_datagram(struct bmc_engine *e, const struct address *from, const void *data, size_t size, int64_t now)
{
	uint32_t console_id;
	enum packet_kind kind = packets_look(data, size, &console_id);
	bool taken = false;

	e->now = now;
	e->counts.received++;
	if (kind != PACKET_GARBAGE) /* two nodes may have been given the same BMC: ids and sequences tell them apart */
		for (struct bmc *b = *hash_place(e, from), *next; b && !taken; b = next) {
			next = b->next_same_hash;
			if (b->flight.kind && address_equal(&b->address, from)) {
				taken = session_datagram(e, b, kind, console_id, data, size);
				if (taken)
					bmc_pump(e, b);
			}
		}
	if (!taken)
		e->counts.garbage++;
	window_open(e);
}

void bmc_engine_tick(struct bmc_engine *e, int64_t now)
{
	uint32_t slot;

	e->now = now;
	while ((slot = wheel_take(&e->wheel, now)) != WHEEL_NONE) {
		struct bmc *b = e->targets[slot];
		if (!b)
			continue;
		if (b->urgent_asked_ms != NEVER && b->urgent_asked_ms + URGENT_DEADLINE_MS <= now)
			watch_urgent_late(e, b);
		if (b->job.id && b->job.deadline_ms <= now)
			power_late(e, b);
		if (b->flight.kind && b->flight.next_ms <= now)
			session_timer(e, b);
		bmc_pump(e, b);
	}
	window_open(e);
}

int64_t bmc_engine_next(const struct bmc_engine *e)
{
	return wheel_next(&e->wheel);
}

void bmc_engine_turn(struct bmc_engine *e)
{
	if (e->settings.turn)
		e->settings.turn(e->hands.arg);
}

void bmc_engine_close(struct bmc_engine *e)
{
	for (uint32_t i = 0; i < NODE_MAX; i++)
		if (e->targets[i])
			session_close(e, e->targets[i]);
}

void bmc_engine_counts(const struct bmc_engine *e, struct bmc_counts *counts)
{
	*counts = e->counts;
}
