/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-bmc: the role that talks to BMCs. Connects the driver of BMCs (driver.h) to the engine role's channel and to
 * the supervisor (for secrets); all decisions are behind the driver. Started by gloryd only.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "ipmi/driver.h"
#include "proc/role.h"

enum { STATS_MS = 1000, GATHERED = 64, GATHER_MS = 100 };

static struct bmc_role {
	struct role_context *context;
	const struct bmc_driver *bmcs;
	void *driver;
	struct loop_timer *stats;
	struct log_damper refusals;
	uint64_t exchanges_before;
	struct msg_power_state powers[GATHERED]; /* that are not told yet: one message tells them all */
	size_t power_count;
	struct loop_timer *gather;
	bool soon;                /* one of them is news, or was asked for: they leave at the end of the turn */
	uint8_t told[NODE_MAX];   /* enum bmc_state as told last; 0 none, or it was asked for since */
} role;

/* --- to the engine role and the supervisor --------------------------------------------------------- */

static void on_secret_wanted(void *arg, const char *name)
{
	struct msg_secret_ask ask = {.secret_class = SECRET_BMC};

	(void)arg;
	text_copy(ask.name, sizeof(ask.name), name);
	channel_send(role.context->supervisor, MSG_SECRET_ASK, &ask, sizeof(ask));
}

static void tell_powers(void)
{
	if (role.power_count)
		channel_send(role.context->engine, MSG_POWER_STATE, role.powers, role.power_count * sizeof(role.powers[0]));
	role.power_count = 0;
	role.soon = false;
}

static void on_gathered(void *arg)
{
	(void)arg;
	tell_powers();
}

static void on_turn(void *arg)
{
	(void)arg;
	if (role.soon)
		tell_powers();
}

/* To the engine, behind the news of power states that were reported before. */
static void tell(uint16_t type, const void *body, size_t size)
{
	on_turn(NULL);
	channel_send(role.context->engine, type, body, size);
}

static void tell_later(uint16_t type, const void *body, size_t size)
{
	on_turn(NULL);
	channel_send_later(role.context->engine, type, body, size, GATHER_MS);
}

/* The same as before, read in its turn: what is so gathers for a moment, so that the engine wakes once for many. */
static bool is_routine(const struct msg_power_state *m)
{
	return m->slot < NODE_MAX && role.told[m->slot] == m->state && m->error == BMC_OK && (m->state == BMC_ON || m->state == BMC_OFF);
}

static void on_power(void *arg, const struct msg_power_state *m)
{
	(void)arg;
	if (role.power_count == GATHERED)
		tell_powers();
	if (!role.power_count)
		loop_timer_set(role.gather, GATHER_MS);
	role.soon |= !is_routine(m);
	if (m->slot < NODE_MAX)
		role.told[m->slot] = m->state;
	role.powers[role.power_count++] = *m;
}

/* Its state is wanted, or the node is another: the next one is told at once. */
static void on_asked(uint32_t slot)
{
	if (slot < NODE_MAX)
		role.told[slot] = 0;
}

static void on_result(void *arg, const struct msg_power_result *m)
{
	(void)arg;
	tell(MSG_POWER_RESULT, m, sizeof(*m));
}

static void on_sensors(void *arg, const struct msg_sensor *m, size_t count)
{
	const size_t most = CHANNEL_BODY_MAX / sizeof(*m);

	(void)arg;
	for (size_t done = 0; done < count; done += most) {
		size_t part = count - done < most ? count - done : most;
		tell_later(MSG_SENSORS, m + done, part * sizeof(*m));
	}
}

static void on_facts(void *arg, const struct msg_bmc_facts *m)
{
	(void)arg;
	tell(MSG_BMC_FACTS, m, sizeof(*m));
}

static void on_sel(void *arg, const struct msg_sel_entry *m, size_t count)
{
	(void)arg;
	tell(MSG_SEL, m, count * sizeof(*m));
}

static void on_sel_state(void *arg, const struct msg_sel_state *m)
{
	(void)arg;
	tell(MSG_SEL_STATE, m, sizeof(*m)); /* at once: the engine writes it, and takes no entries of that BMC meanwhile */
}

static void on_sel_cleared(void *arg, const struct msg_sel_cleared *m)
{
	(void)arg;
	tell(MSG_SEL_CLEARED, m, sizeof(*m));
}

static void on_pet(void *arg, const struct msg_sel_entry *m)
{
	(void)arg;
	tell(MSG_PET_EVENT, m, sizeof(*m));
}

static void on_fru(void *arg, const struct msg_fru *m)
{
	(void)arg;
	tell(MSG_FRU, m, sizeof(*m));
}

static void on_stats_due(void *arg)
{
	struct bmc_counts c;

	(void)arg;
	role.bmcs->counts(role.driver, &c);
	struct msg_stats m = {.handled = c.exchanges,
			      .garbage = c.garbage,
			      .queued = c.in_flight,
			      .per_second = (uint32_t)(c.exchanges - role.exchanges_before),
			      .worst_lateness_ms = (int32_t)loop_lateness_ms(role.context->loop)};
	role.exchanges_before = c.exchanges;
	channel_send_lossy(role.context->engine, MSG_STATS, &m, sizeof(m));
}

/* --- from them ------------------------------------------------------------------------------------- */

static void refuse(const struct error *e)
{
	unsigned held;

	if (log_damper_pass(&role.refusals, clock_mono_ms(), &held))
		log_warning("%s: %s: %s%s", e->object, e->text, e->remedy, held ? " (and more like it)" : "");
}

static void take_target(const struct msg_bmc_target *body)
{
	struct error error;

	on_asked(body->slot);
	if (role.bmcs->target(role.driver, body, clock_mono_ms(), &error))
		refuse(&error);
}

static void on_engine(struct role_context *context, const struct message_header *h, const void *body, size_t size,
		      int fd)
{
	const struct msg_slot *slot = body;
	int64_t now = clock_mono_ms();

	(void)context;
	(void)size;
	if (fd >= 0)
		close(fd);
	switch (h->type) {
	case MSG_BMC_TARGETS_BEGIN:
		role.bmcs->begin(role.driver);
		break;
	case MSG_BMC_TARGET:
		take_target(body);
		break;
	case MSG_BMC_TARGETS_END:
		role.bmcs->end(role.driver, now);
		break;
	case MSG_BMC_REMOVE:
		role.bmcs->remove(role.driver, slot->slot, slot->generation, now);
		break;
	case MSG_POWER:
		on_asked(((const struct msg_power *)body)->slot);
		role.bmcs->power(role.driver, body, now);
		break;
	case MSG_BMC_READ:
		on_asked(((const struct msg_bmc_read *)body)->slot);
		role.bmcs->read(role.driver, body, now);
		break;
	case MSG_SEL_KNOWN:
		role.bmcs->sel_known(role.driver, body, now);
		break;
	case MSG_SEL_CLEAR:
		role.bmcs->sel_clear(role.driver, body, now);
		break;
	case MSG_PET:
		role.bmcs->pet(role.driver, body, now);
		break;
	default:
		break;
	}
}

static void take_secret(const struct msg_secret *m)
{
	struct msg_secret copy = *m;
	struct error error;

	if (copy.secret_class == SECRET_BMC && text_terminated(copy.name, sizeof(copy.name)) &&
	    text_terminated(copy.text, sizeof(copy.text)) &&
	    role.bmcs->secret(role.driver, copy.name, copy.status ? NULL : copy.text, clock_mono_ms(), &error))
		refuse(&error);
	explicit_bzero(&copy, sizeof(copy));
}

static void on_supervisor(struct role_context *context, const struct message_header *h, const void *body, size_t size,
			  int fd)
{
	(void)context;
	(void)size;
	if (fd >= 0)
		close(fd);
	if (h->type == MSG_SECRET)
		take_secret(body);
}

/* --- life ------------------------------------------------------------------------------------------ */

static const struct bmc_record_hands records = {on_sel, on_sel_state, on_sel_cleared, on_pet, on_fru};
static const struct bmc_hands hands = {
    .secret = on_secret_wanted, .power = on_power, .result = on_result, .sensors = on_sensors, .facts = on_facts};
static struct bmc_settings settings = {.records = &records, .turn = on_turn};

static int prepare(struct role_context *context)
{
	role.context = context;
	text_copy(settings.cache_directory, sizeof(settings.cache_directory), context->start.directory);
	role.bmcs = &ipmi_driver;
	role.driver = role.bmcs->open(&settings, &hands, clock_mono_ms());
	if (!role.driver)
		return ERR_NO_RESOURCE;
	return 0;
}

static int run(struct role_context *context)
{
	role.gather = loop_timer_new(context->loop, on_gathered, NULL);
	role.bmcs->attach(role.driver, context->loop);
	role.stats = loop_timer_new(context->loop, on_stats_due, NULL);
	loop_timer_every(role.stats, STATS_MS);
	return 0;
}

static void stop(struct role_context *context)
{
	(void)context;
	role.bmcs->close(role.driver);
	loop_timer_free(role.stats);
	loop_timer_free(role.gather);
}

int main(void)
{
	static const struct role_definition definition = {.role = ROLE_BMC,
							  .prepare = prepare,
							  .on_engine = on_engine,
							  .on_supervisor = on_supervisor,
							  .run = run,
							  .stop = stop};

	return role_main(&definition);
}
