/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-engine: wiring. Messages of every role are dispatched by one table; nothing is decided here. */
#include "engine/items.h"
#include "engine/memories.h"
#include "engine/records.h"
#include "engine/runs.h"
#include "engine/silences.h"
#include "engine/software.h"
#include "engine/stats.h"
#include "engine/checks.h"
#include "engine/https_alarms.h"
#include "engine/services.h"
#include "engine/token.h"
#include "engine/probes.h"
#include "engine/tops.h"
#include "engine/values.h"
#include "engine/watches.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/traps.h"

static struct engine engine;

struct endpoint { /* one role's channel; arg of its callbacks */
	struct engine *engine;
	enum role role;
};
static struct endpoint endpoints[ROLE_COUNT];

void engine_send(struct engine *e, enum role role, uint16_t type, const void *body, size_t size)
{
	if (e->roles[role].channel)
		channel_send(e->roles[role].channel, type, body, size);
}

struct node_state *engine_state(struct engine *e, uint32_t slot)
{
	return slot < NODE_MAX ? e->nodes[slot] : NULL;
}

struct model_node *engine_node(struct engine *e, uint32_t slot, uint32_t generation)
{
	struct model_node *n = model_node_at(&e->model, slot, generation);

	return n && e->nodes[slot] ? n : NULL;
}

/* --- dispatch ---------------------------------------------------------------------------------------- */
struct incoming {
	struct engine *e;
	enum role from;
	const void *body;
	size_t size;
	int fd; /* taken when set to -1 */
};

static void take_stats(struct incoming *in)
{
	in->e->stats[in->from] = *(const struct msg_stats *)in->body;
	publish_appliance(in->e);
}

static void take_samples(struct incoming *in)
{
	samples_take(in->e, in->body, in->size);
}

static void take_witness(struct incoming *in)
{
	judgement_report(in->e, in->body, in->size / sizeof(struct witness_report));
}

static void take_instances(struct incoming *in)
{
	samples_instances(in->e, in->body, in->size / sizeof(struct msg_instance));
}

static void take_item_cost(struct incoming *in)
{
	items_cost(in->e, in->body, in->size / sizeof(struct msg_item_cost));
}

static void take_judge(struct incoming *in)
{
	judgement_collector(in->e, in->body);
}

static void take_lossy(struct incoming *in)
{
	judgement_lossy(in->e, in->body);
}

static void take_ports(struct incoming *in)
{
	judgement_ports(in->e, in->body, in->size / sizeof(struct msg_port_state));
}

static void take_references(struct incoming *in)
{
	judgement_references(in->e, in->body, in->size / sizeof(struct msg_reference_state));
}

static void take_watches(struct incoming *in)
{
	watches_take(in->e, in->body, in->size / sizeof(struct msg_watch_state));
}

static void take_check(struct incoming *in)
{
	checks_take(in->e, in->body, in->size);
}

static void take_probes(struct incoming *in)
{
	probes_take(in->e, in->body, in->size / sizeof(struct msg_probe_state));
}

static void take_top(struct incoming *in)
{
	tops_take(in->e, in->body, in->size);
}

static void take_facts(struct incoming *in)
{
	samples_facts(in->e, in->body, in->size / sizeof(struct msg_node_facts));
}

static void take_traps(struct incoming *in)
{
	traps_take(in->e, in->body, in->size / sizeof(struct msg_trap));
}

static void take_target_states(struct incoming *in)
{
	credentials_take(in->e, in->body, in->size / sizeof(struct msg_target_state));
}

static void take_trap_counts(struct incoming *in)
{
	traps_counts(in->e, in->body);
}

static void take_power(struct incoming *in)
{
	judgement_power(in->e, in->body, in->size / sizeof(struct msg_power_state));
}

static void take_result(struct incoming *in)
{
	jobs_result(in->e, in->body);
}

static void take_sensors(struct incoming *in)
{
	sensors_take(in->e, in->body, in->size / sizeof(struct msg_sensor));
}

static void take_bmc_facts(struct incoming *in)
{
	judgement_bmc_facts(in->e, in->body);
}

static void take_sel(struct incoming *in)
{
	records_sel(in->e, in->body, in->size / sizeof(struct msg_sel_entry));
}

static void take_sel_state(struct incoming *in)
{
	records_sel_state(in->e, in->body);
}

static void take_sel_cleared(struct incoming *in)
{
	records_clear_answer(in->e, in->body);
}

static void take_fru(struct incoming *in)
{
	inventory_take(in->e, in->body);
}

static void take_pet_event(struct incoming *in)
{
	records_pet(in->e, in->body);
}

static void take_run_result(struct incoming *in)
{
	runs_result(in->e, in->body, in->fd);
}

static void take_run_line(struct incoming *in)
{
	runs_say(in->e, in->body);
}

static void take_flushed(struct incoming *in)
{
	graphs_flushed(in->e, in->body);
}

/* Watching and acting go on whatever the history's disk does; a person must know. */
static void take_recorder(struct incoming *in)
{
	const struct msg_recorder_state *m = in->body;
	const char *self = in->e->settings.appliance;
	char cause[CAUSE_SIZE];

	if (!text_terminated(m->trouble, sizeof m->trouble))
		return;
	text_format(cause, sizeof cause, "history: %.50s", m->trouble[0] ? m->trouble : "the disk is full");
	if (m->disk == RECORDER_DISK_WELL && !m->journal_failing)
		alarms_clear(in->e, self, "history", "");
	else
		alarms_raise(in->e, self, "history", "", m->disk == RECORDER_DISK_FULL ? LEVEL_MAJOR : LEVEL_CRITICAL, cause, NO_SLOT, 0, 0);
}

static void take_command(struct incoming *in)
{
	commands_take(in->e, in->from, in->body, in->size, in->fd);
	in->fd = -1;
}

static void take_query(struct incoming *in)
{
	commands_query(in->e, in->from, in->body);
}

static void take_graph(struct incoming *in)
{
	graphs_take(in->e, in->body);
}

static void take_report(struct incoming *in)
{
	report_take(in->e, in->body);
}

static void take_look(struct incoming *in)
{
	const struct msg_slot *m = in->body;
	const struct model_node *n = engine_node(in->e, m->slot, m->generation);

	if (n)
		series_look(in->e, n);
}

static void take_https(struct incoming *in)
{
	https_alarms_take(in->e, in->body);
}

static void take_notify_done(struct incoming *in)
{
	outbox_done(in->e, in->body);
}

#define FROM(r) (1u << (r))
#define ANY (~0u)
static const struct {
	unsigned from; /* roles that may send it */
	void (*take)(struct incoming *in);
	bool early; /* may be taken before the model is loaded */
} handlers[MSG_TYPE_COUNT] = {
	[MSG_STATS] = {ANY, take_stats, true},
	[MSG_SAMPLES] = {FROM(ROLE_COLLECTOR), take_samples},
	[MSG_WITNESS] = {FROM(ROLE_COLLECTOR), take_witness},
	[MSG_INSTANCES] = {FROM(ROLE_COLLECTOR), take_instances},
	[MSG_ITEM_COST] = {FROM(ROLE_COLLECTOR), take_item_cost},
	[MSG_JUDGE] = {FROM(ROLE_COLLECTOR), take_judge},
	[MSG_LOSSY] = {FROM(ROLE_COLLECTOR), take_lossy},
	[MSG_PORT_STATE] = {FROM(ROLE_COLLECTOR), take_ports},
	[MSG_REFERENCE_STATE] = {FROM(ROLE_COLLECTOR), take_references},
	[MSG_WATCH_STATE] = {FROM(ROLE_COLLECTOR), take_watches},
	[MSG_CHECK_RESULT] = {FROM(ROLE_CHECKER), take_check},
	[MSG_PROBE_STATE] = {FROM(ROLE_CHECKER), take_probes},
	[MSG_TOP] = {FROM(ROLE_COLLECTOR), take_top},
	[MSG_NODE_FACTS] = {FROM(ROLE_COLLECTOR), take_facts},
	[MSG_TRAP] = {FROM(ROLE_COLLECTOR), take_traps},
	[MSG_TARGET_STATE] = {FROM(ROLE_COLLECTOR), take_target_states},
	[MSG_TRAP_COUNTS] = {FROM(ROLE_COLLECTOR), take_trap_counts},
	[MSG_POWER_STATE] = {FROM(ROLE_BMC), take_power},
	[MSG_POWER_RESULT] = {FROM(ROLE_BMC), take_result},
	[MSG_SENSORS] = {FROM(ROLE_BMC), take_sensors},
	[MSG_BMC_FACTS] = {FROM(ROLE_BMC), take_bmc_facts},
	[MSG_SEL] = {FROM(ROLE_BMC), take_sel},
	[MSG_SEL_STATE] = {FROM(ROLE_BMC), take_sel_state},
	[MSG_SEL_CLEARED] = {FROM(ROLE_BMC), take_sel_cleared},
	[MSG_FRU] = {FROM(ROLE_BMC), take_fru},
	[MSG_PET_EVENT] = {FROM(ROLE_BMC), take_pet_event},
	[MSG_RUN_RESULT] = {FROM(ROLE_RUNNER), take_run_result},
	[MSG_RUN_LINE] = {FROM(ROLE_RUNNER), take_run_line},
	[MSG_FLUSHED] = {FROM(ROLE_RECORDER), take_flushed},
	[MSG_RECORDER_STATE] = {FROM(ROLE_RECORDER), take_recorder},
	[MSG_COMMAND] = {FROM(ROLE_API) | FROM(ROLE_AGENT), take_command, true},
	[MSG_QUERY] = {FROM(ROLE_API) | FROM(ROLE_AGENT), take_query, true},
	[MSG_GRAPH] = {FROM(ROLE_API), take_graph, true},
	[MSG_REPORT] = {FROM(ROLE_API), take_report, true},
	[MSG_LOOK] = {FROM(ROLE_API), take_look},
	[MSG_HTTPS_STATE] = {FROM(ROLE_API), take_https},
	[MSG_NOTIFY_DONE] = {FROM(ROLE_AGENT), take_notify_done},
};

static void on_role_message(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	struct endpoint *p = arg;
	struct incoming in = {p->engine, p->role, body, size, fd};

	if (p->role == ROLE_COLLECTOR)
		p->engine->collector_heard_ms = clock_mono_ms();
	if (h->type < MSG_TYPE_COUNT && handlers[h->type].take && (handlers[h->type].from & FROM(p->role))) {
		if (p->engine->loaded || handlers[h->type].early) /* what the others speak of is not known yet: they are asked anew */
			handlers[h->type].take(&in);
	} else if (h->type != MSG_READY)
		log_warning("engine: %s may not send message %u", role_name((int)p->role), h->type);
	if (in.fd >= 0)
		close(in.fd);
}

static void role_gone(struct engine *e, enum role role)
{
	channel_free(e->roles[role].channel);
	e->roles[role].channel = NULL;
	if (role == ROLE_COLLECTOR && e->loaded)
		judgement_collector_up(e, false);
	if (role == ROLE_AGENT && e->loaded)
		outbox_forget(e);
	if (role == ROLE_RUNNER)
		runs_runner(e, false);
}

static void on_role_broken(void *arg, const char *why)
{
	struct endpoint *p = arg;

	log_debug("engine: %s: %s", role_name((int)p->role), why);
	role_gone(p->engine, p->role);
}

/* A role is there (again) and the model is loaded: give it its whole picture. */
static void greet(struct engine *e, enum role role)
{
	struct channel *c = e->roles[role].channel;

	if (!c || !e->loaded)
		return;
	if (role == ROLE_AGENT || role == ROLE_API)
		channel_send_fd(c, MSG_BOARD, NULL, 0, board_fd(e->board));
	if (role == ROLE_COLLECTOR || role == ROLE_BMC)
		targets_send_all(e, role);
	if (role == ROLE_COLLECTOR) {
		peers_collector_up(e);
		judgement_collector_up(e, true);
	}
	if (role == ROLE_CHECKER) {
		checks_send(e);
		probes_send(e);
	}
	if (role == ROLE_RUNNER)
		runs_runner(e, true);
	if (role == ROLE_BMC)
		jobs_bmc_up(e);
	if (role == ROLE_AGENT)
		outbox_agent_up(e);
	if (role == ROLE_API)
		outbox_users(e, role);
	if (role == ROLE_RECORDER) {
		channel_send_fd(c, MSG_RING, NULL, 0, ring_fd(e->ring));
		series_forget(e);
	}
}

static void take_endpoint(struct engine *e, const struct msg_endpoint *m, int fd)
{
	if (m->role <= ROLE_ENGINE || m->role >= ROLE_COUNT || fd < 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	struct channel_owner owner = {on_role_message, on_role_broken, &endpoints[m->role]};

	role_gone(e, (enum role)m->role);
	endpoints[m->role] = (struct endpoint){e, (enum role)m->role};
	e->roles[m->role].channel = channel_open(e->loop, fd, e->epoch, message_shapes, MSG_TYPE_COUNT, &owner);
	e->roles[m->role].life = m->life;
	e->cluster_dirty = true;
	greet(e, (enum role)m->role);
}

static void take_settings(struct engine *e, const void *body, size_t size)
{
	if (size != sizeof e->settings)
		return;
	memcpy(&e->settings, body, size);
	clock_wall_offset((int64_t)(e->settings.wall_offset_s * 1000));
	if (e->settings_known) {
		outbox_receivers_changed(e); /* users may have changed */
		outbox_users(e, ROLE_API);
		if (e->loaded)
			alarms_sweep(e); /* those of listeners and users that are named no more */
		return;
	}
	e->settings_known = true;
	alarms_settings(e);
	start_load(e);
}

static void on_supervisor(struct role_context *c, const struct message_header *h, const void *body, size_t size, int fd)
{
	struct engine *e = c->state;

	switch (h->type) {
	case MSG_SETTINGS:
		take_settings(e, body, size);
		break;
	case MSG_ENDPOINT:
		take_endpoint(e, body, fd);
		return;
	case MSG_FIRST_CLUSTER:
		e->first_cluster = fd;
		if (e->loaded)
			edits_first_cluster(e);
		return;
	case MSG_HELPER_OUT:
		helpers_answer(e, body, fd);
		return;
	default:
		break;
	}
	if (fd >= 0)
		close(fd);
}

#define ROLL_UP_S 2 /* at each change, and so often all the same: the words of a cause change with its numbers */

static void on_second(void *arg)
{
	static unsigned seconds;
	struct engine *e = arg;

	jobs_brakes(e);
	alarms_store(e);
	alarms_tick(e);
	judgement_boots(e);
	incidents_tick(e);
	identity_tick(e);
	judgement_collector_age(e);
	credentials_second(e);
	watches_tick(e);
	checks_tick(e);
	services_tick(e);
	probes_tick(e);
	tops_tick(e);
	token_take(e);
	runs_tick(e);
	series_unlook(e);
	samples_quiet(e);
	memories_tick(e);
	if (++seconds % ROLL_UP_S == 0)
		publish_cluster(e);
}

void start_finished(struct engine *e)
{
	e->loaded = true;
	outbox_receivers_changed(e); /* known before the first event, whether the agent is there or not */
	memories_load(e);
	silences_loaded(e);
	judgement_start(e);
	states_domains(e);
	stats_start(e);
	publish_items(e);
	watches_apply(e);
	checks_apply(e);
	token_take(e);
	services_loaded(e);
	jobs_resume(e);
	for (int role = ROLE_COLLECTOR; role < ROLE_COUNT; role++)
		greet(e, (enum role)role);
	e->second_timer = loop_timer_new(e->loop, on_second, e);
	loop_timer_every(e->second_timer, 1000);
	if (e->first_cluster >= 0)
		edits_first_cluster(e);
	publish_now(e);
	log_info("loaded: %u nodes in %u groups, generation %llu", e->model.node_count, e->model.group_count,
		 (unsigned long long)e->model.config_generation);
}

static int run(struct role_context *c)
{
	struct engine *e = &engine;
	struct board_limits limits;

	c->state = e;
	e->role = c;
	e->loop = c->loop;
	e->epoch = c->start.epoch;
	e->start_wall_ms = clock_wall_ms();
	e->first_cluster = -1;
	e->nodes = mem_array(NODE_MAX, sizeof e->nodes[0]);
	e->groups = mem_array(MODEL_GROUPS, sizeof e->groups[0]);
	e->domain_alarm = mem_array(MODEL_DOMAINS, sizeof e->domain_alarm[0]);
	e->domain_views = mem_array(MODEL_DOMAINS, sizeof e->domain_views[0]);
	model_init(&e->model);
	board_limits_for(10000, 48, 40, &limits);
	e->board = board_create(e->epoch, &limits);
	e->ring = ring_create(32u << 20);
	if (!e->board || !e->ring)
		return ERR_NO_RESOURCE;
	publish_start(e);
	values_start(e);
	items_start(e);
	alarms_start(e);
	outbox_start(e);
	jobs_start(e);
	commands_start(e);
	edits_start(e);
	helpers_start(e);
	runs_start(e);
	software_start(e);
	traps_start(e);
	services_start(e);
	return 0;
}

static void stop(struct role_context *c)
{
	struct engine *e = c->state;

	if (e->loaded)
		memories_stop(e);
	stats_stop(e);
	if (e->store)
		store_close(e->store); /* waits for what was accepted */
}

int main(void)
{
	static const struct role_definition definition = {.role = ROLE_ENGINE, .on_supervisor = on_supervisor, .run = run, .stop = stop};

	return role_main(&definition);
}
