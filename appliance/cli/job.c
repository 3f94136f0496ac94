/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl job: list, details, cancel, wait; and how a job's end is shown, which power uses too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hostrange.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/table.h"

#define POLL_MS 400
#define SAY_EVERY_S 5
#define PATIENCE_S 60 /* for an appliance that does not answer while we wait */

static bool is_over(const json_t *job)
{
	const char *state = cli_text(job, "state");

	return strcmp(state, "queued") && strcmp(state, "running") && strcmp(state, "waiting");
}

int job_list(struct cli *cli, char **arguments, int count)
{
	static const char *const names[] = {"state", "verb", "target", "limit", NULL};
	char *path = cli_path(cli, "/v1/jobs", NULL, names);
	struct error e;
	struct table t;
	json_t *list, *o;
	size_t i;
	int rc = client_get(cli->client, path, &list, &e);
	(void)arguments;
	(void)count;

	free(path);
	if (rc)
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(list);
	table_begin(&t, ">ID STATE VERB TARGET ACTOR >DONE >AGE RESULT", -1);
	json_array_foreach(list, i, o)
	{
		char id[24], done[40], age[16];
		cli_number(o, "id", 0, id, sizeof id);
		cli_age(o, "queued", age, sizeof age);
		text_format(done, sizeof done, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
			    json_integer_value(json_object_get(o, "done")),
			    json_integer_value(json_object_get(o, "total")));
		const char *cells[] = {
		    id,  cli_text(o, "state"), cli_text(o, "verb"), cli_text(o, "target"), cli_text(o, "actor"), done,
		    age, cli_text(o, "result")};
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
	json_decref(list);
	return CLI_DONE;
}

static int get_job(struct cli *cli, const char *id, json_t **job, struct error *e)
{
	char *path = client_path_part(cli->client, client_path("/v1/jobs/"), id);
	int rc = client_get(cli->client, path, job, e);

	free(path);
	return rc;
}

int job_show(struct cli *cli, char **arguments, int count)
{
	static const char *const members[] = {"id", "verb", "target", "actor", "reason", "state", "result"},
				 *const times[] = {"queued", "started", "ended"};
	struct error e;
	struct table t;
	json_t *job, *o;
	char text[64];
	size_t i;
	(void)count;

	if (get_job(cli, arguments[0], &job, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(job);
	printf("%-8s  %s\n", members[0], arguments[0]);
	for (i = 1; i < COUNT_OF(members); i++)
		if (cli_text(job, members[i])[0])
			printf("%-8s  %s\n", members[i], cli_text(job, members[i]));
	for (i = 0; i < COUNT_OF(times); i++) {
		cli_time(job, times[i], text, sizeof text);
		printf("%-8s  %s\n", times[i], text);
	}
	putchar('\n');
	table_begin(&t, "NODE PHASE POWER >TRIES TIME TEXT", -1);
	json_array_foreach(json_object_get(job, "steps"), i, o)
	{
		char tries[16], at[32];
		cli_number(o, "tries", 0, tries, sizeof tries);
		cli_time(o, "time", at, sizeof at);
		const char *cells[] = {cli_text(o, "node"), cli_text(o, "phase"), cli_text(o, "power"), tries, at,
				       cli_text(o, "text")};
		table_row(&t, "", cells);
	}
	table_print(&t, stdout, cli_width(), cli_colours());
	table_free(&t);
	json_decref(job);
	return CLI_DONE;
}

int job_cancel(struct cli *cli, char **arguments, int count)
{
	struct error e;
	json_t *answer;
	(void)count;

	if (client_command(cli->client, "job-cancel", arguments[0], NULL, cli->yes, &answer, &e))
		return cli_fail(&e);
	if (cli->json)
		return cli_print_json(answer);
	json_decref(answer);
	return CLI_DONE;
}

int job_wait(struct cli *cli, char **arguments, int count)
{
	int64_t id;
	(void)count;

	if (!text_integer(arguments[0], 1, INT64_MAX, &id))
		return cli_usage("a job's number is a whole number");
	return job_follow(cli, id);
}

/* --- how it ended ------------------------------------------------------------------------------------ */

struct outcome { /* nodes that ended alike */
	char text[192];
	bool done;
	struct name_list names;
};

static void add_outcome(struct outcome **list, size_t *count, const json_t *step)
{
	const char *phase = cli_text(step, "phase"), *why = cli_text(step, "text");
	bool done = !strcmp(phase, "done");
	char text[sizeof(*list)->text];
	size_t i = 0;

	text_format(text, sizeof text, "%s", done || !why[0] ? phase : why);
	while (i < *count && ((*list)[i].done != done || strcmp((*list)[i].text, text)))
		i++;
	if (i == *count) {
		*list = mem_grow(*list, ++*count, sizeof **list);
		(*list)[i] = (struct outcome){.done = done};
		text_copy((*list)[i].text, sizeof(*list)[i].text, text);
	}
	name_list_add(&(*list)[i].names, cli_text(step, "node"));
}

/* What each node said is the point of a run: a line for each, as pdsh has it. */
static void print_answers(const json_t *job)
{
	json_t *step;
	size_t i;

	if (strcmp(cli_text(job, "verb"), "run") != 0)
		return;
	json_array_foreach(json_object_get(job, "steps"), i, step)
	{
		if (!strcmp(cli_text(step, "phase"), "done") && cli_text(step, "text")[0])
			printf("%s: %s\n", cli_text(step, "node"), cli_text(step, "text"));
	}
}

/* One line for all nodes that ended alike; returns the exit code. */
static int print_outcomes(const json_t *job)
{
	struct outcome *list = NULL;
	size_t count = 0, done = 0, i;
	json_t *step;

	print_answers(job);
	json_array_foreach(json_object_get(job, "steps"), i, step) add_outcome(&list, &count, step);
	for (i = 0; i < count; i++) {
		char *range = hostrange_compress(&list[i].names);
		done += list[i].done;
		if (list[i].done)
			printf("done: %s\n", range);
		else
			printf("failed: %s: %s\n", range, list[i].text);
		free(range);
		name_list_free(&list[i].names);
	}
	free(list);
	if (count == 0) {
		printf("%s%s%s\n", cli_text(job, "state"), cli_text(job, "result")[0] ? ": " : "",
		       cli_text(job, "result"));
		return strcmp(cli_text(job, "state"), "done") ? CLI_FAILED : CLI_DONE;
	}
	return done == count ? CLI_DONE : done ? CLI_PARTLY : CLI_FAILED;
}

static int exit_code(const json_t *job)
{
	size_t i, done = 0, total = json_array_size(json_object_get(job, "steps"));
	json_t *step;

	json_array_foreach(json_object_get(job, "steps"), i, step) done += !strcmp(cli_text(step, "phase"), "done");
	return total && done == total ? CLI_DONE : done ? CLI_PARTLY : CLI_FAILED;
}

static int show_end(struct cli *cli, json_int_t id)
{
	struct error e;
	json_t *job;
	char number[24];

	text_format(number, sizeof number, "%" JSON_INTEGER_FORMAT, id);
	if (get_job(cli, number, &job, &e))
		return cli_fail(&e);
	if (!cli->json) {
		int code = print_outcomes(job);
		json_decref(job);
		return code;
	}
	int code = exit_code(job);
	cli_print_json(job);
	return code;
}

/* A line that is written over on a terminal, and repeated every few seconds elsewhere. */
static void say_progress(const json_t *job, time_t *said, bool over)
{
	bool terminal = isatty(STDERR_FILENO);
	time_t now = time(NULL);

	if (over && terminal && *said)
		fputs("\r\033[K", stderr);
	if (over || (!terminal && now - *said < SAY_EVERY_S))
		return;
	if (terminal || *said)
		fprintf(stderr,
			"%sjob %" JSON_INTEGER_FORMAT ": %s, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "%s",
			terminal ? "\r" : "", json_integer_value(json_object_get(job, "id")), cli_text(job, "state"),
			json_integer_value(json_object_get(job, "done")),
			json_integer_value(json_object_get(job, "total")), terminal ? "\033[K" : "\n");
	fflush(stderr);
	*said = now;
}

int job_follow(struct cli *cli, json_int_t id)
{
	char *path = mem_format("/v1/jobs?from=%" JSON_INTEGER_FORMAT "&limit=1", id);
	time_t said = 0, heard = time(NULL);
	struct error e;
	json_t *list;
	bool over = false;
	int code = CLI_DONE;

	while (!over && code == CLI_DONE) {
		int rc = client_get(cli->client, path, &list, &e);
		const json_t *job = json_array_get(list, 0);
		if (rc == 0)
			heard = time(NULL);
		/* the job goes on without us and survives a restart of the appliance: so does our waiting */
		if (rc && (rc == ERR_REFUSED || rc == ERR_CONFIG || time(NULL) - heard > PATIENCE_S))
			code = cli_fail(&e);
		else if (rc == 0 && (!job || json_integer_value(json_object_get(job, "id")) != id))
			code = cli_fail_text("job", "there is no such job", "see: gloryctl job list");
		over = job && is_over(job);
		if (rc == 0 && job && code == CLI_DONE)
			say_progress(job, &said, over);
		json_decref(list);
		if (!over && code == CLI_DONE)
			cli_pause(POLL_MS);
	}
	free(path);
	return code == CLI_DONE ? show_end(cli, id) : code;
}

int job_begin(struct cli *cli, const char *command, const char *target, json_t *arguments)
{
	const char *reason = cli_option(cli, "reason");
	json_t *answer;
	struct error e;

	if (reason)
		json_object_set_new(arguments, "reason", json_string(reason));
	if (client_command(cli->client, command, target, arguments, cli->yes, &answer, &e))
		return cli_fail(&e);
	json_int_t id = json_integer_value(json_object_get(answer, "job"));
	if (cli->no_wait && cli->json)
		return cli_print_json(answer);
	json_decref(answer);
	if (!cli->no_wait)
		return job_follow(cli, id);
	printf("job %" JSON_INTEGER_FORMAT "\n", id);
	return CLI_DONE;
}
