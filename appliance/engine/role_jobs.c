/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs that change nodes' roles; see role_jobs.h. */
#include "engine/role_jobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/pool_text.h"
#include "control/ended.h"
#include "engine/pools.h"
#include "engine/runs.h"
#include "engine/services_own.h"
#include "engine/software.h"

enum role_step { STEP_DRAIN, STEP_LEAVE, STEP_RECONFIGURE, STEP_JOIN, STEP_COUNT };
enum { AGAIN_MS = 3000, TRIES_MAX = 3, INSTALL_MS = 600000 };
static const char *const step_words[STEP_COUNT] = {"drain", "leave", "reconfigure", "join"};

struct under_way { /* an edit or a run of one target */
	struct engine *e;
	uint64_t job;
	uint32_t target;
	uint8_t step;
	char software[NAME_SIZE];
};

static bool is_open(const struct job_target *t)
{
	return t->phase == TARGET_WAITING || t->phase == TARGET_INTENT || t->phase == TARGET_SENT;
}

bool role_jobs_hold(struct engine *e, uint32_t slot)
{
	const struct node_state *s = engine_state(e, slot);

	return s && s->role_job && s->role_begun && jobs_is_open(e, s->role_job);
}

static void let_go(struct engine *e, const struct job *job, const struct job_target *t)
{
	struct node_state *s = engine_node(e, t->slot, t->generation) ? e->nodes[t->slot] : NULL;

	if (!s || s->role_job != job->id || is_open(t))
		return;
	s->role_job = 0;
	s->role_begun = false;
	services_kick(e);
}

static void end_step(struct engine *e, struct job *job, uint32_t target, bool ok, const char *text)
{
	struct job_target *t = &job->targets[target];
	char line[sizeof t->text];

	text_format(line, sizeof line, "%s: %.160s%s", step_words[t->step], text,
		    !ok && t->step >= STEP_RECONFIGURE ? ": the node is in no pool, give the command again" : "");
	job_step_result(job, target, ok, POWER_UNKNOWN, line, clock_wall_ms());
	jobs_save_target(e, job, target);
	let_go(e, job, t);
	jobs_settle(e, job);
}

static struct under_way *ticket(struct engine *e, const struct job *job, uint32_t target)
{
	struct under_way *w = mem_zalloc(sizeof *w);

	*w = (struct under_way){.e = e, .job = job->id, .target = target, .step = job->targets[target].step};
	return w;
}

/* The job, when the step it was for is still the one that is under way. */
static struct job *job_of(const struct under_way *w)
{
	struct job *job = jobs_find(w->e, w->job);
	const struct job_target *t = job ? &job->targets[w->target] : NULL;

	return t && t->phase == TARGET_SENT && t->step == w->step ? job : NULL;
}

/* --- leave and join: edits of the wanted state --------------------------------------------------------------------- */
static int make_leave(void *arg, struct cluster *next, struct error *err)
{
	const struct under_way *w = arg;
	const struct job *job = job_of(w);
	struct config_pool *pools = next->objects[CONFIG_POOL];
	int rc = 0;

	for (size_t i = 0; job && rc == 0 && i < next->count[CONFIG_POOL]; i++)
		if (strcmp(pools[i].head.name, job->line) != 0 && pool_has_node(&pools[i], job->targets[w->target].name))
			rc = pool_change_node(&pools[i], job->targets[w->target].name, false, err);
	return rc;
}

static int make_join(void *arg, struct cluster *next, struct error *err)
{
	const struct under_way *w = arg;
	const struct job *job = job_of(w);
	struct config_pool *pools = next->objects[CONFIG_POOL];

	for (size_t i = 0; job && i < next->count[CONFIG_POOL]; i++)
		if (!strcmp(pools[i].head.name, job->line))
			return pool_change_node(&pools[i], job->targets[w->target].name, true, err);
	return job ? error_set(err, ERR_NOT_FOUND, job->line, "see: gloryctl pool list", "there is no such pool any more") : 0;
}

static void on_edit(void *arg, const struct error *err, const struct config_diff *diff)
{
	struct under_way *w = arg;
	struct job *job = job_of(w);
	char text[160];

	(void)diff;
	if (job) {
		if (err)
			text_format(text, sizeof text, "%.40s: %s", err->object, err->text);
		else
			text_format(text, sizeof text, "is in pool %s now", job->line);
		end_step(w->e, job, w->target, !err, err || w->step == STEP_JOIN ? text : "is in no pool now");
	}
	free(w);
}

/* --- reconfigure: the software of the new pool's services, one after the other ---------------------------------------- */
static const struct config_software *missing(struct engine *e, const struct job *job, const char *node)
{
	const struct config_service *services = e->model.wanted.objects[CONFIG_SERVICE];

	for (size_t i = 0; i < e->model.wanted.count[CONFIG_SERVICE]; i++) {
		const struct config_software *s = services[i].software[0] && !strcmp(services[i].pool, job->line)
							  ? cluster_find(&e->model.wanted, CONFIG_SOFTWARE, services[i].software) : NULL;
		if (s && !software_is_there(e, node, s))
			return s;
	}
	return NULL;
}

static void reconfigure(struct engine *e, struct job *job, uint32_t target);

static void on_installed(void *arg, const struct msg_run_result *m, const char *output, size_t size)
{
	struct under_way *w = arg;
	struct engine *e = w->e;
	struct job *job = job_of(w);
	char last[sizeof m->text], text[160];

	(void)output;
	(void)size;
	if (job) {
		struct job_target *t = &job->targets[w->target];
		const struct config_software *s = cluster_find(&e->model.wanted, CONFIG_SOFTWARE, w->software);
		t->run = 0;
		control_last_line(m->text, last, sizeof last);
		software_ended(e, t->name, w->software, JOB_VERB_SOFTWARE_INSTALL, (enum run_ended)m->end, last);
		text_format(text, sizeof text, "%.40s: %s%s%.90s", w->software, m->end == ENDED_FAILED ? "" : run_ended_name((int)m->end),
			    m->end == ENDED_FAILED ? "" : ": ", last);
		if ((m->end == ENDED_CUT && ++t->tries < TRIES_MAX) || (m->end == ENDED_BUSY && ++t->waits < UINT8_MAX)) {
			t->phase = TARGET_INTENT; /* twice does no harm */
			t->sent_mono_ms = clock_mono_ms() + AGAIN_MS;
			jobs_save_target(e, job, w->target);
		} else if (m->end == ENDED_DONE && s && !software_is_there(e, t->name, s)) {
			text_format(text, sizeof text, "%.40s: was installed, but not in the version that is wanted", w->software);
			end_step(e, job, w->target, false, text);
		} else if (m->end == ENDED_DONE) {
			reconfigure(e, job, w->target);
		} else {
			end_step(e, job, w->target, false, text);
		}
	}
	free(w);
}

static void reconfigure(struct engine *e, struct job *job, uint32_t target)
{
	struct job_target *t = &job->targets[target];
	const struct config_software *s = missing(e, job, t->name);
	const struct model_node *n = engine_node(e, t->slot, t->generation);
	struct msg_run m;

	if (!s || !n) {
		end_step(e, job, target, n != NULL, n ? "all software is there" : "the node was removed");
		return;
	}
	memset(&m, 0, sizeof m);
	runs_node(n, &m);
	m.deadline_ms = INSTALL_MS;
	if (!software_line(s, JOB_VERB_SOFTWARE_INSTALL, m.line)) {
		end_step(e, job, target, false, "the line for the node is too long");
		return;
	}
	text_format(t->text, sizeof t->text, "reconfigure: %s", s->head.name);
	struct under_way *w = ticket(e, job, target);
	text_copy(w->software, sizeof w->software, s->head.name);
	t->run = runs_ask(e, &m, -1, on_installed, NULL, w);
}

/* --- steps --------------------------------------------------------------------------------------------------------------- */
void role_jobs_send(struct engine *e, struct job *job, uint32_t target)
{
	switch (job->targets[target].step) {
	case STEP_DRAIN:
		e->nodes[job->targets[target].slot]->role_begun = true; /* role_jobs_look() sees when it is empty */
		services_kick(e);
		break;
	case STEP_LEAVE:
		edits_change(e, make_leave, false, on_edit, ticket(e, job, target));
		break;
	case STEP_RECONFIGURE:
		reconfigure(e, job, target);
		break;
	default:
		edits_change(e, make_join, false, on_edit, ticket(e, job, target));
		break;
	}
}

static void look_at(struct engine *e, struct job *job, uint32_t target)
{
	struct job_target *t = &job->targets[target];
	struct node_state *s = engine_node(e, t->slot, t->generation) ? e->nodes[t->slot] : NULL;
	char services[160];

	if (!s || !is_open(t))
		return;
	s->role_job = job->id;
	s->role_begun = s->role_begun || t->step > STEP_DRAIN;
	if (t->step != STEP_DRAIN || t->phase != TARGET_SENT || !s->role_begun)
		return;
	services_of_node(e, t->slot, services, sizeof services);
	if (e->services->carried[t->slot])
		text_format(t->text, sizeof t->text, "drain: carries %s", services);
	else
		end_step(e, job, target, true, "carries nothing");
}

/* One line of where it stands, for the job's row. */
static void progress(const struct job *job, char *out, size_t size)
{
	unsigned at[STEP_COUNT + 1] = {0};
	size_t used = 0;

	if (job->count == 1) {
		text_copy(out, size, job->targets[0].text);
		return;
	}
	for (uint32_t i = 0; i < job->count; i++)
		at[is_open(&job->targets[i]) && job->targets[i].step < STEP_COUNT ? job->targets[i].step : STEP_COUNT]++;
	for (int i = 0; i <= STEP_COUNT; i++)
		if (at[i])
			text_append(out, size, &used, "%s%u %s", used ? ", " : "", at[i], i == STEP_COUNT ? "ended" : step_words[i]);
}

void role_jobs_look(struct engine *e, struct job *job)
{
	char line[sizeof job->result];

	for (uint32_t i = 0; i < job->count && !job->ended_ms; i++)
		look_at(e, job, i);
	if (job->ended_ms)
		return;
	progress(job, line, sizeof line);
	if (strcmp(line, job->result) != 0) {
		text_copy(job->result, sizeof job->result, line);
		publish_job(e, job);
	}
}

void role_jobs_consider(struct engine *e, struct job *job, uint32_t target)
{
	const struct job_target *t = &job->targets[target];

	if ((t->phase != TARGET_WAITING && t->phase != TARGET_INTENT) || (t->phase == TARGET_INTENT && clock_mono_ms() < t->sent_mono_ms))
		return;
	if (!engine_node(e, t->slot, t->generation))
		jobs_fail_target(e, job, target, "the node was removed");
	else if (t->step != STEP_RECONFIGURE || e->roles[ROLE_RUNNER].channel)
		jobs_begin_step(e, job, target);
}

bool role_jobs_cancel(struct engine *e, struct job *job)
{
	bool any = false;

	for (uint32_t i = 0; i < job->count; i++) {
		struct job_target *t = &job->targets[i];
		if (t->step != STEP_DRAIN || (t->phase != TARGET_SENT && t->phase != TARGET_INTENT))
			continue;
		t->phase = TARGET_SENT;
		job_run_result(job, i, ENDED_CANCELLED, "the node stays in its pool", clock_wall_ms());
		let_go(e, job, t);
		any = true;
	}
	return any;
}

/* --- asking ----------------------------------------------------------------------------------------------------------------- */
/* What a pool's services need at least is there without so many of its nodes. */
static int refuse_pool(struct engine *e, const struct config_pool *pool, uint32_t leave, struct error *err)
{
	const struct config_service *services = e->model.wanted.objects[CONFIG_SERVICE];
	struct pool_counts c;
	uint32_t least = 0;

	pools_count(e, pool->head.name, &c);
	for (size_t i = 0; i < e->model.wanted.count[CONFIG_SERVICE]; i++)
		if (!strcmp(services[i].pool, pool->head.name) && services[i].enabled)
			least += services[i].min;
	if (!pool_names_nodes(pool))
		return error_set(err, ERR_REFUSED, pool->head.name, "give the pool's nodes as a range", "the pool is all nodes of \"%.64s\": none can leave alone",
				 pool->nodes);
	if (c.nodes < leave + (least ? least : 1))
		return error_set(err, ERR_REFUSED, pool->head.name, "add nodes to the pool, or lower min of its services",
				 "%u of its %u nodes would be left, its services need %u", c.nodes < leave ? 0 : c.nodes - leave, c.nodes, least ? least : 1);
	return 0;
}

static int refuse_leaving(struct engine *e, const struct model_selection *nodes, const char *to, struct error *err)
{
	const struct config_pool *pools = e->model.wanted.objects[CONFIG_POOL];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < e->model.wanted.count[CONFIG_POOL]; i++) {
		uint32_t leave = 0;
		for (size_t k = 0; k < nodes->count; k++)
			leave += pools_has(e, pools[i].head.name, nodes->slots[k]);
		if (leave && strcmp(pools[i].head.name, to) != 0)
			rc = refuse_pool(e, &pools[i], leave, err);
	}
	return rc;
}

static int refuse_node(struct engine *e, uint32_t slot, const char *pool, struct error *err)
{
	const struct node_state *s = e->nodes[slot];
	const char *name = e->model.nodes[slot].config.head.name;

	if (pools_has(e, pool, slot))
		return error_set(err, ERR_CONFIG, name, "name another pool", "the node is in pool %.64s already", pool);
	if (s->locked || s->mismatch)
		return error_set(err, ERR_REFUSED, name, "look at its wiring, then: gloryctl node confirm-bmc", "the node is locked: %s",
				 s->mismatch ? "it answers while its BMC says off" : s->locked_why);
	if (jobs_is_open(e, s->role_job))
		return error_set(err, ERR_NOT_NOW, name, "wait for it, or: gloryctl job cancel", "job %" PRIu64 " changes its role already", s->role_job);
	if (jobs_is_open(e, s->power_job))
		return error_set(err, ERR_NOT_NOW, name, "wait for it to end", "job %" PRIu64 " works on its power", s->power_job);
	return 0;
}

/* The same was asked before and is under way. */
static uint64_t same_job(struct engine *e, const struct role_job_request *q)
{
	uint64_t id = q->nodes->count ? e->nodes[q->nodes->slots[0]]->role_job : 0;
	const struct job *job = jobs_is_open(e, id) ? jobs_find(e, id) : NULL;

	if (!job || strcmp(job->line, q->pool) != 0)
		return 0;
	for (size_t i = 0; i < q->nodes->count; i++)
		if (e->nodes[q->nodes->slots[i]]->role_job != id)
			return 0;
	return id;
}

static int refuse(struct engine *e, const struct role_job_request *q, struct error *err)
{
	const struct config_pool *pool = cluster_find(&e->model.wanted, CONFIG_POOL, q->pool);
	int rc = 0;

	if (!pool)
		return error_set(err, ERR_NOT_FOUND, q->pool[0] ? q->pool : "pool", "see: gloryctl pool list", "there is no such pool");
	if (!pool_names_nodes(pool))
		return error_set(err, ERR_REFUSED, pool->head.name, "give the pool's nodes as a range", "the pool is all nodes of \"%.64s\": none can join alone",
				 pool->nodes);
	if (q->nodes->count == 0)
		return error_set(err, ERR_NOT_FOUND, "node role", "see: gloryctl node list", "no node is meant");
	if (q->nodes->count > 1 && !q->yes)
		return error_set(err, ERR_REFUSED, "node role", "look at the list, then repeat with --yes", "the roles of %zu nodes want a confirmation",
				 q->nodes->count);
	for (size_t i = 0; rc == 0 && i < q->nodes->count; i++)
		rc = refuse_node(e, q->nodes->slots[i], q->pool, err);
	return rc ? rc : refuse_leaving(e, q->nodes, q->pool, err);
}

void role_jobs_make(struct engine *e, const struct role_job_request *q, job_accepted *done, void *arg)
{
	uint64_t same = same_job(e, q);
	struct error err;

	if (same || refuse(e, q, &err)) {
		done(arg, same, same ? NULL : &err);
		return;
	}
	struct job *job = jobs_new(e, JOB_VERB_ROLE, q->actor, q->target, q->reason, q->nodes);
	text_copy(job->line, sizeof job->line, q->pool);
	job->repeatable = true;
	for (size_t i = 0; i < q->nodes->count; i++) {
		e->nodes[q->nodes->slots[i]]->role_job = job->id;
		e->nodes[q->nodes->slots[i]]->role_begun = false;
	}
	jobs_accept(e, job, q->nodes, q->set_key, done, arg);
}
