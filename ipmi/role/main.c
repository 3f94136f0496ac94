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

enum { STATS_MS = 1000, GATHERED = 64 };

static struct bmc_role {
	struct role_context *context;
	const struct bmc_driver *bmcs;
	void *driver;
	struct loop_timer *stats;
	struct log_damper refusals;
	uint64_t exchanges_before;
	struct msg_power_state powers[GATHERED]; /* of this turn of the loop: one message tells them all */
	size_t power_count;
} role;

/* --- to the engine role and the supervisor --------------------------------------------------------- */

static void on_secret_wanted(void *arg, const char *name)
{
	struct msg_secret_ask ask = {.secret_class = SECRET_BMC};

	(void)arg;
	text_copy(ask.name, sizeof(ask.name), name);
	channel_send(role.context->supervisor, MSG_SECRET_ASK, &ask, sizeof(ask));
}

static void on_turn(void *arg)
{
	(void)arg;
	if (role.power_count)
		channel_send(role.context->engine, MSG_POWER_STATE, role.powers, role.power_count * sizeof(role.powers[0]));
	role.power_count = 0;
}

/* To the engine, behind the power states that were reported before. */
static void tell(uint16_t type, const void *body, size_t size)
{
	on_turn(NULL);
	channel_send(role.context->engine, type, body, size);
}

static void on_power(void *arg, const struct msg_power_state *m)
{
	if (role.power_count == GATHERED)
		on_turn(arg);
	role.powers[role.power_count++] = *m;
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
		tell(MSG_SENSORS, m + done, part * sizeof(*m));
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
	tell(MSG_SEL_STATE, m, sizeof(*m));
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

static void take_target(const void *body)
{
	struct error error;

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
		role.bmcs->power(role.driver, body, now);
		break;
	case MSG_BMC_READ:
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
	role.bmcs->attach(role.driver, context->loop);
	role.stats = loop_timer_new(context->loop, on_stats_due, NULL);
	loop_timer_every(role.stats, STATS_MS);
	return 0;
}

static void stop(struct role_context *context)
{
	(void)context;
	loop_timer_free(role.stats);
	role.bmcs->close(role.driver);
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
