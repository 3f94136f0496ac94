/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that become jobs over node control: `node run`, `software install|upgrade|remove` and `node role`. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "control/verbs.h"
#include "engine/command.h"
#include "engine/role_jobs.h"
#include "engine/run_jobs.h"
#include "engine/software.h"

/* --- node run: {"verb":"service-check","agent":"systemd:nginx",...}; every other member is an argument of the verb */
static int add_argument(char line[CONTROL_LINE], const char *key, json_t *value, struct error *err)
{
	char number[32];
	const char *text = json_string_value(value);

	if (json_is_integer(value)) {
		text_format(number, sizeof number, "%lld", (long long)json_integer_value(value));
		text = number;
	}
	if (!text)
		return error_set(err, ERR_CONFIG, key, "give text", "its value is neither text nor a whole number");
	if (!control_line_add(line, key, text))
		return error_set(err, ERR_CONFIG, "run", "give shorter values", "the line for the node is longer than %d bytes", CONTROL_LINE - 1);
	return 0;
}

static int make_line(const json_t *arguments, char line[CONTROL_LINE], struct error *err)
{
	const char *word = json_string_value(json_object_get(arguments, "verb")), *key;
	const struct control_verb *v = word ? control_verb_find(word) : NULL;
	json_t *value;
	int rc = 0;

	if (!v)
		return error_set(err, ERR_CONFIG, "run", "see the verbs in gloryctl(1)", "\"%.40s\" is no verb of node control", word ? word : "");
	if (!v->people)
		return error_set(err, ERR_REFUSED, v->word, "it belongs to services, balancers and software: use those", "may not be run by hand");
	if (json_object_get(arguments, "token"))
		return error_set(err, ERR_REFUSED, "token", "leave it out", "is the appliance's own");
	if (!control_line_begin(line, word))
		return error_set(err, ERR_BUG, "run", "", "the line could not be made");
	json_object_foreach((json_t *)(uintptr_t)arguments, key, value)
	{
		if (rc == 0 && strcmp(key, "verb") != 0 && strcmp(key, "reason") != 0)
			rc = add_argument(line, key, value, err);
	}
	return rc ? rc : control_line_check(line, NULL, err);
}

void command_run(struct pending_command *p)
{
	struct model_selection nodes = {0};
	const char *reason = "";
	char line[CONTROL_LINE];
	struct error err;

	json_unpack(p->arguments, "{s?s}", "reason", &reason);
	int rc = make_line(p->arguments, line, &err);
	if (rc == 0)
		rc = command_nodes(p, &nodes, &err);
	if (rc) {
		answer_error(p, &err);
		return;
	}
	struct run_job_request q = {.actor = p->c.actor, .target = p->c.target, .reason = reason[0] ? reason : line, .set_key = p->set_key,
				    .verb = JOB_VERB_RUN, .line = line, .software = "", .nodes = &nodes, .yes = p->c.yes};
	run_jobs_make(p->e, &q, answer_job, p);
	free(nodes.slots);
}

/* --- software -------------------------------------------------------------------------------------------------- */
static enum job_verb action_of(const char *act)
{
	char word[40];

	text_format(word, sizeof word, "software-%.20s", act);
	return (enum job_verb)words_value(WORDS_JOB_VERB, word);
}

static int software_request(struct pending_command *p, struct run_job_request *q, char line[CONTROL_LINE], struct error *err)
{
	const char *act = "", *name = "";
	int batch = 0;

	json_unpack(p->arguments, "{s?s,s?s,s?i,s?s}", "act", &act, "software", &name, "batch", &batch, "reason", &q->reason);
	const struct config_software *s = cluster_find(&p->e->model.wanted, CONFIG_SOFTWARE, name);
	q->verb = action_of(act);
	if (!q->verb)
		return error_set(err, ERR_CONFIG, "software", "use install, upgrade or remove", "\"%.20s\" is nothing that is done with software", act);
	if (!s)
		return error_set(err, ERR_NOT_FOUND, name, "see: gloryctl software list", "there is no such software");
	if (batch < 0)
		return error_set(err, ERR_CONFIG, "batch", "give a number of nodes", "is below 0");
	if (!software_line(s, q->verb, line))
		return error_set(err, ERR_CONFIG, name, "give it a shorter source or target", "the line for the node is too long");
	q->software = s->head.name;
	q->batch = batch ? (uint32_t)batch : s->batch;
	return control_line_check(line, NULL, err);
}

void command_software(struct pending_command *p)
{
	struct model_selection nodes = {0};
	struct run_job_request q = {.actor = p->c.actor, .target = p->c.target, .reason = "", .set_key = p->set_key, .yes = p->c.yes};
	char line[CONTROL_LINE];
	struct error err;

	int rc = software_request(p, &q, line, &err);
	if (rc == 0)
		rc = software_nodes(p->e, p->c.target, &nodes, &err);
	if (rc) {
		answer_error(p, &err);
		return;
	}
	q.line = line;
	q.nodes = &nodes;
	if (!q.batch)
		q.batch = nodes.count / 10 ? (uint32_t)(nodes.count / 10) : 1;
	if (!q.reason[0])
		q.reason = q.software;
	run_jobs_make(p->e, &q, answer_job, p);
	free(nodes.slots);
}

/* --- node role: {"pool":"db","reason":"..."} ----------------------------------------------------------------------- */
void command_role(struct pending_command *p)
{
	struct model_selection nodes = {0};
	const char *pool = "", *reason = "";
	struct error err;

	json_unpack(p->arguments, "{s?s,s?s}", "pool", &pool, "reason", &reason);
	if (command_nodes(p, &nodes, &err)) {
		answer_error(p, &err);
		return;
	}
	struct role_job_request q = {.actor = p->c.actor, .target = p->c.target, .reason = reason[0] ? reason : pool, .set_key = p->set_key, .pool = pool,
				     .nodes = &nodes, .yes = p->c.yes};
	role_jobs_make(p->e, &q, answer_job, p);
	free(nodes.slots);
}
