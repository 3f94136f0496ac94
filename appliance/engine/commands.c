/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and queries of the faces: authorised again by their actor, checked, done once, answered. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <uthash.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/xml_child.h"
#include "engine/command.h"
#include "engine/engine.h"
#include "engine/balancers.h"
#include "engine/records.h"
#include "engine/services.h"
#include "engine/silences.h"
#include "engine/software.h"
#include "engine/traps.h"
#include "engine/checks.h"
#include "engine/tops.h"

#define REPEAT_MS 150000
#define REPEATS_MAX 20000 /* remembered at once */
#define PAGE_TEXT (CHANNEL_BODY_MAX - sizeof(struct msg_reply))
#define APPLY_SHOWN 200

struct repeat { /* what a SET with this key was answered; kept 150 s */
	char key[64];
	uint64_t job;
	int32_t status;
	bool answered;
	struct error err;
	int64_t at_wall_ms;
	UT_hash_handle hh;
};

struct repeats {
	struct repeat *all;
	struct loop_timer *sweep;
};

/* --- answers ------------------------------------------------------------------------------------------- */
static void remember(struct pending_command *p, uint64_t job, const struct error *err)
{
	struct repeat *r;

	HASH_FIND_STR(p->e->repeats->all, p->set_key, r);
	if (!r)
		return;
	r->answered = true;
	r->job = job;
	r->status = err ? err->kind : 0;
	if (err)
		r->err = *err;
}

static void end(struct pending_command *p)
{
	json_decref(p->arguments);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

static const char *verb_word(uint32_t verb);

void answer_error(struct pending_command *p, const struct error *err)
{
	char outcome[320];

	text_format(outcome, sizeof outcome, "%s: %s", error_name(err->kind), err->text);
	audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, outcome);
	remember(p, 0, err);
	reply_error(p->e, p->face, p->life, p->c.request, err);
	end(p);
}

void answer_job(void *arg, uint64_t id, const struct error *err)
{
	struct pending_command *p = arg;
	char outcome[32];

	if (err) {
		answer_error(p, err);
		return;
	}
	text_format(outcome, sizeof outcome, "job %" PRIu64, id);
	audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, outcome);
	remember(p, id, NULL);
	reply_json(p->e, p->face, p->life, p->c.request, id, json_pack("{s:I}", "job", (json_int_t)id), false);
	end(p);
}

static void answer_kept(struct pending_command *p)
{
	remember(p, 0, NULL);
	publish_now(p->e);
	reply_json(p->e, p->face, p->life, p->c.request, 0, json_pack("{s:b}", "done", 1), false);
	end(p);
}

static void written(void *arg, const struct store_reply *reply)
{
	struct pending_command *p = arg;
	struct error err;

	if (reply->status != STORE_OK) {
		error_set(&err, ERR_NO_RESOURCE, "store", "free some room: it is so now, but a restart may not remember it",
			  "the change could not be written: %s", store_trouble(p->e->store));
		remember(p, 0, &err);
		reply_error(p->e, p->face, p->life, p->c.request, &err);
		end(p);
		return;
	}
	answer_kept(p);
}

/* Done in memory, its writes are on their way: answered when they, and the audit record behind them, are on the disk. */
void answer_done(struct pending_command *p)
{
	audit_then(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, "done", written, p);
}

void answer_edit(void *arg, const struct error *err, const struct config_diff *diff)
{
	struct pending_command *p = arg;

	(void)diff;
	if (err) {
		answer_error(p, err);
		return;
	}
	audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, "done");
	answer_kept(p);
}

/* --- verbs --------------------------------------------------------------------------------------------- */
int command_nodes(struct pending_command *p, struct model_selection *out, struct error *err)
{
	return model_select(&p->e->model, p->c.target, judgement_is_down, p->e, out, err);
}

static void do_power(struct pending_command *p)
{
	const char *verb = "", *reason = "";
	struct model_selection nodes = {0};
	struct error err;

	json_unpack(p->arguments, "{s?s,s?s}", "verb", &verb, "reason", &reason);
	int rc = command_nodes(p, &nodes, &err);
	if (rc) {
		answer_error(p, &err);
		return;
	}
	struct power_request q = {.actor = p->c.actor, .target = p->c.target, .reason = reason, .set_key = p->set_key, .yes = p->c.yes,
				  .verb = (enum power_verb)words_value(WORDS_POWER_VERB, verb), .nodes = &nodes};
	jobs_power(p->e, &q, answer_job, p);
	free(nodes.slots);
}

static int acknowledge_one(struct pending_command *p, const char *number, bool act)
{
	const struct alarm *a;
	int64_t id;

	if (!text_integer(number, 1, INT64_MAX, &id))
		return ERR_CONFIG;
	if (act)
		return alarm_acknowledge(p->e->alarms, (uint64_t)id, p->c.actor, clock_wall_ms());
	a = alarm_by_id(p->e->alarms, (uint64_t)id);
	return !a ? ERR_NOT_FOUND : a->cleared_ms ? ERR_NOT_NOW : 0;
}

static int each_alarm(struct pending_command *p, bool act, struct error *err)
{
	char text[sizeof p->c.target], *save = NULL;

	text_copy(text, sizeof text, p->c.target);
	for (char *one = strtok_r(text, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		int rc = acknowledge_one(p, one, act);
		if (rc)
			return error_set(err, rc, one, "see: gloryctl alarm list",
					 rc == ERR_NOT_NOW ? "the alarm has cleared already"
					 : rc == ERR_CONFIG ? "is not an alarm's number" : "there is no such alarm");
	}
	return 0;
}

static void do_acknowledge(struct pending_command *p)
{
	struct error err;

	/* all or none: the first round only looks */
	if (each_alarm(p, false, &err) || each_alarm(p, true, &err))
		answer_error(p, &err);
	else
		answer_done(p);
}

/* --- edits */
static void do_edit(struct pending_command *p)
{
	edits_change(p->e, command_edit, p->c.dry_run, answer_edit, p);
}

/* A balancer that does not answer: what stands there cannot be taken away, so that it goes only when that is said to be right. */
static void answer_forgotten(struct pending_command *p)
{
	size_t left = balancers_forget(p->e, p->c.target);
	char text[96];

	if (!left) {
		answer_kept(p);
		return;
	}
	text_format(text, sizeof text, "forgotten: it does not answer, %zu virtual servers may still stand there", left);
	remember(p, 0, NULL);
	publish_now(p->e);
	reply_json(p->e, p->face, p->life, p->c.request, 0, json_pack("{s:b,s:s}", "done", 1, "text", text), false);
	end(p);
}

static void on_balancer_removed(void *arg, const struct error *err, const struct config_diff *diff)
{
	struct pending_command *p = arg;

	if (err || !p->c.yes || p->c.dry_run) {
		answer_edit(arg, err, diff);
		return;
	}
	audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, "done");
	answer_forgotten(p);
}

static void do_balancer_remove(struct pending_command *p)
{
	bool wanted = cluster_find(&p->e->model.wanted, CONFIG_BALANCER, p->c.target) != NULL;
	struct error err;

	if (balancers_removal(p->e, p->c.target, p->c.yes, &err)) {
		answer_error(p, &err);
	} else if (!wanted && balancers_has(p->e, p->c.target) && !p->c.dry_run) { /* removed before, and still here */
		audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, "forgotten");
		answer_forgotten(p);
	} else {
		edits_change(p->e, command_edit, p->c.dry_run, on_balancer_removed, p);
	}
}

static void answer_apply(void *arg, const struct error *err, const struct config_diff *diff)
{
	static const char *const what[] = {"?", "added", "changed", "removed"};
	struct pending_command *p = arg;
	json_t *list = json_array();
	int count[4] = {0};

	if (err) {
		json_decref(list);
		answer_error(p, err);
		return;
	}
	for (size_t i = 0; i < diff->count; i++) {
		const struct config_change *c = &diff->changes[i];
		count[c->what]++;
		if (i < APPLY_SHOWN)
			json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "what", what[c->what], "kind", config_kind_name[c->kind],
							      "name", c->name, "fields", c->fields));
	}
	audit(p->e, p->c.actor, "apply", "", p->c.dry_run ? "shown" : "done");
	reply_json(p->e, p->face, p->life, p->c.request, 0,
		   json_pack("{s:b,s:I,s:i,s:i,s:i,s:o}", "done", !p->c.dry_run, "generation", (json_int_t)p->e->model.config_generation, "added",
			     count[CONFIG_ADDED], "changed", count[CONFIG_CHANGED], "removed", count[CONFIG_REMOVED], "changes", list),
		   false);
	end(p);
}

static void on_xml(void *arg, int status, const char *output, size_t size)
{
	struct pending_command *p = arg;
	struct cluster wanted;
	struct error err;
	int prune = 0;

	cluster_init(&wanted);
	json_unpack(p->arguments, "{s?b}", "prune", &prune);
	if (status)
		error_set(&err, status, "cluster.xml", "see the appliance's log", "the file could not be read");
	else
		status = xml_output_decode(output, size, &wanted, &err);
	if (status) {
		cluster_clear(&wanted);
		answer_error(p, &err);
		return;
	}
	edits_commit(p->e, &wanted, prune, p->c.dry_run, answer_apply, p);
}

static void do_apply(struct pending_command *p)
{
	struct error err;
	int fd = p->fd;

	p->fd = -1;
	if (fd < 0) {
		error_set(&err, ERR_CONFIG, "apply", "send the text of cluster.xml", "no file came with the command");
		answer_error(p, &err);
		return;
	}
	helpers_run(p->e, HELPER_XML, fd, 30000, XML_OUTPUT_MAX, on_xml, p);
}

static void do_cancel(struct pending_command *p)
{
	struct error err;
	int64_t id = 0;

	if (!text_integer(p->c.target, 1, INT64_MAX, &id))
		error_set(&err, ERR_CONFIG, p->c.target, "see: gloryctl job list", "is not a job's number");
	else if (jobs_cancel(p->e, (uint64_t)id, &err) == 0) {
		answer_done(p);
		return;
	}
	answer_error(p, &err);
}

/* A person has looked at the wiring: what the BMC says of itself now is right. */
static void do_confirm(struct pending_command *p)
{
	struct model_selection nodes = {0};
	struct error err;

	if (command_nodes(p, &nodes, &err)) {
		answer_error(p, &err);
		return;
	}
	for (size_t i = 0; i < nodes.count; i++) {
		struct node_state *s = engine_state(p->e, nodes.slots[i]);
		s->guid_known = false;
		s->locked = false;
		s->locked_why[0] = '\0';
		life_save(p->e, nodes.slots[i]);
		alarms_clear(p->e, p->e->model.nodes[nodes.slots[i]].config.head.name, "bmc", "identity");
		judgement_level(p->e, nodes.slots[i]);
		targets_node_changed(p->e, nodes.slots[i]);
		publish_node(p->e, nodes.slots[i]);
	}
	free(nodes.slots);
	answer_done(p);
}

static void answer_clear(void *arg, json_t *outcome, const struct error *err)
{
	struct pending_command *p = arg;
	char said[64];

	if (err) {
		answer_error(p, err);
		return;
	}
	text_format(said, sizeof said, "%lld cleared, %zu not", (long long)json_integer_value(json_object_get(outcome, "cleared")),
		    json_array_size(json_object_get(outcome, "failed")));
	audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, said);
	remember(p, 0, NULL);
	reply_json(p->e, p->face, p->life, p->c.request, 0, outcome, false);
	end(p);
}

/* What comes of it is seen in the logs: nobody waits for it here. */
static void do_sel_read(struct pending_command *p)
{
	struct model_selection nodes = {0};
	struct error err;

	if (command_nodes(p, &nodes, &err)) {
		answer_error(p, &err);
		return;
	}
	for (size_t i = 0; i < nodes.count; i++) {
		struct msg_bmc_read m = {.slot = nodes.slots[i], .generation = p->e->model.nodes[nodes.slots[i]].generation, .what = BMC_READ_SEL};
		engine_send(p->e, ROLE_BMC, MSG_BMC_READ, &m, sizeof m);
	}
	free(nodes.slots);
	answer_done(p);
}

static void do_sel_clear(struct pending_command *p)
{
	struct model_selection nodes = {0};
	struct error err;

	int rc = command_nodes(p, &nodes, &err);
	if (rc == 0 && nodes.count > 1 && !p->c.yes)
		rc = error_set(&err, ERR_REFUSED, "sel clear", "look at the list, then repeat with --yes",
			       "more than one node wants a confirmation");
	if (rc) {
		answer_error(p, &err);
	} else {
		audit(p->e, p->c.actor, verb_word(p->c.verb), p->c.target, "begun");
		records_clear(p->e, &nodes, answer_clear, p);
	}
	free(nodes.slots);
}

static void do_service_act(struct pending_command *p)
{
	const char *act = "";
	struct error err;

	json_unpack(p->arguments, "{s?s}", "act", &act);
	if (services_act(p->e, p->c.target, act, &err))
		answer_error(p, &err);
	else
		answer_done(p);
}

static void do_silence_add(struct pending_command *p)
{
	struct error err;

	if (silences_add(p->e, p->c.actor, p->c.target, p->arguments, answer_edit, p, &err))
		answer_error(p, &err);
}

static void do_silence_remove(struct pending_command *p)
{
	struct error err;

	if (silences_remove(p->e, p->c.target, answer_edit, p, &err))
		answer_error(p, &err);
}

static const struct {
	const char *word;
	enum right right;
	void (*run)(struct pending_command *p);
} verbs[COMMAND_VERB_COUNT] = {
	[COMMAND_POWER] = {"power", RIGHT_OPERATE, do_power},
	[COMMAND_ALARM_ACK] = {"alarm-ack", RIGHT_OPERATE, do_acknowledge},
	[COMMAND_NODE_ADD] = {"node-add", RIGHT_ADMIN, do_edit},
	[COMMAND_NODE_REMOVE] = {"node-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_NODE_SET] = {"node-set", RIGHT_ADMIN, do_edit},
	[COMMAND_GROUP_ADD] = {"group-add", RIGHT_ADMIN, do_edit},
	[COMMAND_GROUP_REMOVE] = {"group-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_GROUP_SET] = {"group-set", RIGHT_ADMIN, do_edit},
	[COMMAND_ITEM_ADD] = {"item-add", RIGHT_ADMIN, do_edit},
	[COMMAND_ITEM_REMOVE] = {"item-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_ITEM_SET] = {"item-set", RIGHT_ADMIN, do_edit},
	[COMMAND_APPLY] = {"apply", RIGHT_ADMIN, do_apply},
	[COMMAND_JOB_CANCEL] = {"job-cancel", RIGHT_OPERATE, do_cancel},
	[COMMAND_SEL_READ] = {"sel-read", RIGHT_OPERATE, do_sel_read},
	[COMMAND_SEL_CLEAR] = {"sel-clear", RIGHT_OPERATE, do_sel_clear},
	[COMMAND_CHECK_ADD] = {"check-add", RIGHT_ADMIN, do_edit},
	[COMMAND_CHECK_REMOVE] = {"check-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_CHECK_SET] = {"check-set", RIGHT_ADMIN, do_edit},
	[COMMAND_WATCH_ADD] = {"watch-add", RIGHT_ADMIN, do_edit},
	[COMMAND_WATCH_REMOVE] = {"watch-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_WATCH_SET] = {"watch-set", RIGHT_ADMIN, do_edit},
	[COMMAND_RUN] = {"run", RIGHT_OPERATE, command_run},
	[COMMAND_SOFTWARE] = {"software", RIGHT_OPERATE, command_software},
	[COMMAND_NODE_ROLE] = {"node-role", RIGHT_ADMIN, command_role},
	[COMMAND_POOL_ADD] = {"pool-add", RIGHT_ADMIN, do_edit},
	[COMMAND_POOL_REMOVE] = {"pool-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_POOL_SET] = {"pool-set", RIGHT_ADMIN, do_edit},
	[COMMAND_SOFTWARE_ADD] = {"software-add", RIGHT_ADMIN, do_edit},
	[COMMAND_SOFTWARE_REMOVE] = {"software-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_SOFTWARE_SET] = {"software-set", RIGHT_ADMIN, do_edit},
	[COMMAND_BALANCER_ADD] = {"balancer-add", RIGHT_ADMIN, do_edit},
	[COMMAND_BALANCER_REMOVE] = {"balancer-remove", RIGHT_ADMIN, do_balancer_remove},
	[COMMAND_BALANCER_SET] = {"balancer-set", RIGHT_ADMIN, do_edit},
	[COMMAND_SERVICE_ADD] = {"service-add", RIGHT_ADMIN, do_edit},
	[COMMAND_SERVICE_REMOVE] = {"service-remove", RIGHT_ADMIN, do_edit},
	[COMMAND_SERVICE_SET] = {"service-set", RIGHT_OPERATE, do_edit}, /* command_edit.c says what of it */
	[COMMAND_CONFIRM_BMC] = {"confirm-bmc", RIGHT_ADMIN, do_confirm},
	[COMMAND_SERVICE_ACT] = {"service-act", RIGHT_OPERATE, do_service_act},
	[COMMAND_SILENCE_ADD] = {"silence-add", RIGHT_OPERATE, do_silence_add},
	[COMMAND_SILENCE_REMOVE] = {"silence-remove", RIGHT_OPERATE, do_silence_remove},
};

static const char *verb_word(uint32_t verb)
{
	return verb < COMMAND_VERB_COUNT && verbs[verb].word ? verbs[verb].word : "?";
}

/* What this actor may do, from the settings alone: an SNMP user by its name; a UNIX user as its face found, root always. */
static enum right right_of(struct engine *e, enum role face, const struct msg_command *c)
{
	if (face == ROLE_API)
		return !strcmp(c->actor, "uid:0") ? RIGHT_ADMIN : !strncmp(c->actor, "uid:", 4) ? (enum right)c->right : RIGHT_NONE;
	for (uint32_t i = 0; i < e->settings.users && i < SETTINGS_USERS; i++)
		if (e->settings.user[i].kind == 1 && !strncmp(c->actor, "snmp:", 5) && !strcmp(c->actor + 5, e->settings.user[i].name))
			return (enum right)e->settings.user[i].right;
	return RIGHT_NONE;
}

/* --- repeats ------------------------------------------------------------------------------------------- */
static void on_sweep(void *arg)
{
	struct engine *e = arg;
	struct repeat *r, *next;
	int64_t now = clock_wall_ms();

	HASH_ITER(hh, e->repeats->all, r, next)
	{
		if (now - r->at_wall_ms < REPEAT_MS && now >= r->at_wall_ms)
			continue;
		if (r->job)
			store_delete(e->store, r->key, NULL, NULL);
		HASH_DEL(e->repeats->all, r);
		free(r);
	}
}

static void run_fresh(struct pending_command *p)
{
	struct error err;

	if (HASH_COUNT(p->e->repeats->all) >= REPEATS_MAX) {
		error_set(&err, ERR_BUSY, "command", "try again in a minute", "%u commands of the last minutes are remembered already", REPEATS_MAX);
		answer_error(p, &err);
		return;
	}
	struct repeat *r = mem_zalloc(sizeof *r);
	text_copy(r->key, sizeof r->key, p->set_key);
	r->at_wall_ms = clock_wall_ms();
	HASH_ADD_STR(p->e->repeats->all, key, r);
	verbs[p->c.verb].run(p);
}

/* The same SET came again: the first answer, again. */
static void run_repeated(struct pending_command *p, const struct repeat *r)
{
	struct error err;

	if (!r->answered)
		reply_error(p->e, p->face, p->life, p->c.request,
			    (error_set(&err, ERR_BUSY, "command", "wait for its answer", "the same command is being worked on"), &err));
	else if (r->status)
		reply_error(p->e, p->face, p->life, p->c.request, &r->err);
	else if (r->job)
		reply_json(p->e, p->face, p->life, p->c.request, r->job, json_pack("{s:I}", "job", (json_int_t)r->job), false);
	else
		reply_json(p->e, p->face, p->life, p->c.request, 0, json_pack("{s:b}", "done", 1), false);
	end(p);
}

/* Not in this life's memory: a life before may have taken it. */
static void on_set_read(void *arg, const struct store_reply *reply)
{
	struct pending_command *p = arg;
	json_int_t job = 0, at = 0;
	json_t *o = reply->status == STORE_OK && reply->count ? json_loads(reply->pairs[0].value, 0, NULL) : NULL;
	struct repeat *r;

	if (o && !json_unpack(o, "{s:I,s:I}", "job", &job, "at", &at) && clock_wall_ms() - at < REPEAT_MS) {
		struct repeat seen = {.job = (uint64_t)job, .answered = true};
		json_decref(o);
		run_repeated(p, &seen);
		return;
	}
	json_decref(o);
	HASH_FIND_STR(p->e->repeats->all, p->set_key, r);
	if (r)
		run_repeated(p, r);
	else
		run_fresh(p);
}

static void run(struct pending_command *p)
{
	struct repeat *r;

	if (p->c.repeat_high == 0 && p->c.repeat_low == 0) {
		verbs[p->c.verb].run(p);
		return;
	}
	text_format(p->set_key, sizeof p->set_key, "/set/%016" PRIx64 "%016" PRIx64, p->c.repeat_high, p->c.repeat_low);
	HASH_FIND_STR(p->e->repeats->all, p->set_key, r);
	if (r)
		run_repeated(p, r);
	else
		store_get(p->e->store, p->set_key, on_set_read, p);
}

void commands_restore(struct engine *e, const char *key, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	json_int_t job = 0, at = 0;

	bool sound = o && !json_unpack(o, "{s:I,s:I}", "job", &job, "at", &at) && strlen(key) < sizeof(((struct repeat *)0)->key);
	if (sound && clock_wall_ms() - at < REPEAT_MS) {
		struct repeat *r = mem_zalloc(sizeof *r);
		text_copy(r->key, sizeof r->key, key);
		r->job = (uint64_t)job;
		r->answered = true;
		r->at_wall_ms = at;
		HASH_ADD_STR(e->repeats->all, key, r);
	} else {
		store_delete(e->store, key, NULL, NULL); /* nobody repeats it any more */
	}
	json_decref(o);
}

void commands_start(struct engine *e)
{
	e->repeats = mem_zalloc(sizeof *e->repeats);
	e->repeats->sweep = loop_timer_new(e->loop, on_sweep, e);
	loop_timer_every(e->repeats->sweep, 30000);
}

/* --- arrival ------------------------------------------------------------------------------------------- */
static int check(struct engine *e, enum role face, const struct msg_command *c, struct error *err)
{
	if (c->verb == 0 || c->verb >= COMMAND_VERB_COUNT || !verbs[c->verb].run)
		return error_set(err, ERR_CONFIG, "command", "see gloryctl --help", "there is no command %u", c->verb);
	if (!e->loaded)
		return error_set(err, ERR_NOT_NOW, "appliance", "try again in a moment", "the appliance is starting");
	if (!store_takes_commands(e->store))
		return error_set(err, ERR_NO_RESOURCE, "store", "mend the disk first", "no command can be kept: %s", store_trouble(e->store));
	if (right_of(e, face, c) < verbs[c->verb].right)
		return error_set(err, ERR_REFUSED, c->actor, "ask an administrator for the group", "%s wants the right %s", verbs[c->verb].word,
				 words_name(WORDS_RIGHT, (int)verbs[c->verb].right));
	return 0;
}

void commands_take(struct engine *e, enum role face, const struct msg_command *c, size_t size, int fd)
{
	struct error err;
	bool sound = size >= sizeof *c && size - sizeof *c == c->argument_size && text_terminated(c->actor, sizeof c->actor) &&
		     text_terminated(c->target, sizeof c->target);

	if (!sound || check(e, face, c, &err)) {
		if (sound)
			reply_error(e, face, e->roles[face].life, c->request, &err);
		if (fd >= 0)
			close(fd);
		return;
	}
	struct pending_command *p = mem_zalloc(sizeof *p);
	*p = (struct pending_command){.e = e, .face = face, .life = e->roles[face].life, .c = *c, .fd = fd, .right = right_of(e, face, c)};
	p->arguments = c->argument_size ? json_loadb((const char *)(c + 1), c->argument_size, JSON_REJECT_DUPLICATES, NULL) : json_object();
	if (!json_is_object(p->arguments)) {
		error_set(&err, ERR_CONFIG, "command", "send a JSON object", "the arguments are not JSON");
		answer_error(p, &err);
		return;
	}
	run(p);
}

/* --- queries ------------------------------------------------------------------------------------------- */
struct pending_query {
	struct engine *e;
	enum role face;
	uint32_t life;
	struct msg_query q;
	const char *prefix;
	uint32_t sent;
};

/* A page of stored JSON values as one array, as many as fit. */
static void on_query_page(void *arg, const struct store_reply *r)
{
	struct pending_query *p = arg;
	json_t *list = json_array();
	char last[STORE_KEY_MAX + 1] = "";
	size_t bytes = 2;
	bool more = r->more;

	for (size_t i = 0; i < r->count; i++) {
		bytes += r->pairs[i].value_size + 2;
		if (i == 0 && bytes > PAGE_TEXT / 2) { /* fits into no page: left out, or the list would end here */
			bytes = 2;
			text_copy(last, sizeof last, r->pairs[i].key);
			continue;
		}
		if (bytes > PAGE_TEXT / 2 || p->sent == p->q.limit) {
			more = p->sent < p->q.limit;
			break;
		}
		json_array_append_new(list, json_loads(r->pairs[i].value, 0, NULL));
		text_copy(last, sizeof last, r->pairs[i].key);
		p->sent++;
	}
	more = more && last[0] && p->sent < p->q.limit;
	reply_json(p->e, p->face, p->life, p->q.request, 0, list, more);
	if (more)
		store_list(p->e->store, p->prefix, last, 100, on_query_page, p);
	else
		free(p);
}

static void query_list(struct engine *e, enum role face, const struct msg_query *q, const char *prefix, uint64_t last)
{
	struct pending_query *p = mem_zalloc(sizeof *p);
	char after[64];

	*p = (struct pending_query){.e = e, .face = face, .life = e->roles[face].life, .q = *q, .prefix = prefix};
	if (p->q.limit == 0 || p->q.limit > 100000)
		p->q.limit = 1000;
	if (q->from == QUERY_NEWEST)
		p->q.from = last > p->q.limit ? last - p->q.limit + 1 : 1;
	text_format(after, sizeof after, "%s%016" PRIu64, prefix, p->q.from ? p->q.from - 1 : 0);
	store_list(e->store, prefix, after, 100, on_query_page, p);
}

static void query_export(struct engine *e, enum role face, const struct msg_query *q)
{
	char *xml = cluster_to_xml(&e->model.wanted);
	int fd = xml ? bytes_memory("cluster.xml", xml, strlen(xml)) : -1;
	struct error err;

	free(xml);
	if (fd < 0) {
		error_set(&err, ERR_NO_RESOURCE, "export", "free some memory", "the text could not be made");
		reply_error(e, face, e->roles[face].life, q->request, &err);
	} else {
		reply_fd(e, face, e->roles[face].life, q->request, fd);
	}
	if (fd >= 0)
		close(fd);
}

static void query_steps(struct engine *e, enum role face, const struct msg_query *q)
{
	uint32_t life = e->roles[face].life;
	struct error err;
	int64_t id;
	json_t *steps = text_integer(q->target, 1, INT64_MAX, &id) ? jobs_steps(e, (uint64_t)id) : NULL;

	if (!steps) {
		error_set(&err, ERR_NOT_FOUND, q->target, "see: gloryctl job list", "there is no such job");
		reply_error(e, face, life, q->request, &err);
		return;
	}
	size_t total = json_array_size(steps), per = 40;
	for (size_t at = 0; at < total || at == 0; at += per) {
		json_t *page = json_array();
		for (size_t i = at; i < total && i < at + per; i++)
			json_array_append(page, json_array_get(steps, i));
		reply_json(e, face, life, q->request, 0, page, at + per < total);
	}
	json_decref(steps);
}

void commands_query(struct engine *e, enum role face, const struct msg_query *q)
{
	struct error err;

	if (!text_terminated(q->target, sizeof q->target) || !e->loaded) {
		error_set(&err, ERR_NOT_NOW, "appliance", "try again in a moment", "the appliance is starting");
		reply_error(e, face, e->roles[face].life, q->request, &err);
	} else if (q->kind == QUERY_EVENTS) {
		query_list(e, face, q, "/event/", e->event_last);
	} else if (q->kind == QUERY_AUDIT) {
		query_list(e, face, q, "/audit/", e->audit_last);
	} else if (q->kind == QUERY_EXPORT) {
		query_export(e, face, q);
	} else if (q->kind == QUERY_SERVICE_EXPLAIN) {
		services_explain(e, face, q);
	} else if (q->kind == QUERY_BALANCER) {
		balancers_query(e, face, q);
	} else if (q->kind == QUERY_WANTED) {
		wanted_query(e, face, q);
	} else if (q->kind == QUERY_SILENCES) {
		silences_query(e, face, q);
	} else if (q->kind == QUERY_INVENTORY) {
		inventory_query(e, face, q);
	} else if (q->kind == QUERY_SOFTWARE) {
		software_query(e, face, q);
	} else if (q->kind == QUERY_SEL) {
		records_query(e, face, q);
	} else if (q->kind == QUERY_TRAPS || q->kind == QUERY_TRAP_SENDERS) {
		traps_query(e, face, q);
	} else if (q->kind == QUERY_CHECKS || q->kind == QUERY_CHECK_RESULTS) {
		checks_query(e, face, q);
	} else if (q->kind == QUERY_TOP) {
		tops_query(e, face, q);
	} else if (q->kind == QUERY_JOB_STEPS) {
		query_steps(e, face, q);
	} else if (q->kind == QUERY_SERIES && face == ROLE_API) {
		series_query(e, q);
	} else {
		error_set(&err, ERR_CONFIG, "query", "see the API's list", "there is no query %u", q->kind);
		reply_error(e, face, e->roles[face].life, q->request, &err);
	}
}
