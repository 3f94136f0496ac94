/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gloryctl: what every noun's file shares. One table (nouns.c) says what can be typed; main.c reads the arguments by it
 * and calls the handler, which returns the exit code. */
#ifndef GLORY_CLI_CLI_H
#define GLORY_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "client/client.h"

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_PARTLY = 3 };

struct cli_option {
	const char *name;  /* "from" for --from */
	const char *value; /* what stands behind it in the help; NULL: a flag */
	const char *help;
	char letter; /* -o; 0 none */
	char kind;   /* of an argument of an edit: 't' text, 'n' number, 'b' boolean; 0: no such argument */
};

struct cli;
struct cli_command {
	const char *noun, *verb; /* verb NULL: the noun stands alone */
	const char *arguments;   /* as the help shows them */
	int least, most;         /* number of arguments; most -1: any */
	const char *help;
	int (*run)(struct cli *cli, char **arguments, int count);
	const struct cli_option *options; /* ends with name NULL; may be NULL */
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

#define CLI_OPTIONS_MAX 40
struct cli {
	struct client *client;
	const struct cli_command *command;
	bool json, no_wait, yes;
	struct {
		const struct cli_option *option;
		const char *value;
	} given[CLI_OPTIONS_MAX];
	size_t given_count;
};

/* The value of an option ("" for a flag), or NULL when it was not given. */
const char *cli_option(const struct cli *cli, const char *name);
/* "/v1/..." with the options of these names as parameters; free() it. */
char *cli_path(struct cli *cli, const char *path, const char *range, const char *const *names);
/* Prints "object: text: remedy" and returns CLI_FAILED. */
int cli_fail(const struct error *error);
int cli_fail_text(const char *object, const char *text, const char *remedy);
int cli_usage(const char *text);
/* Prints a JSON value and gives it back to jansson; returns CLI_DONE. */
int cli_print_json(json_t *value);
/* Members of an object as text: "" for null and missing ones. number: with that many decimals, "-" for null. */
const char *cli_text(const json_t *object, const char *member);
void cli_number(const json_t *object, const char *member, int decimals, char *out, size_t size);
/* GETs a list from a path, which is taken; CLI_DONE with *list, or the exit code. */
int cli_get_list(struct cli *cli, char *path, json_t **list);
struct table;
/* Prints and frees both. */
void cli_end_table(struct table *table, json_t *list);
/* Objects of the wanted state of a kind; name NULL: all of them. CLI_DONE with *list, or the exit code. */
int cli_wanted(struct cli *cli, const char *kind, const char *name, json_t **list);
/* Sends an edit with the given options as its arguments; returns the exit code. */
int cli_edit(struct cli *cli, const char *verb, const char *target);
/* "2026-01-31 12:00:00" of an RFC 3339 time, "-" for none; and how long ago it was: "45s", "3m", "2h", "5d". */
void cli_time(const json_t *object, const char *member, char *out, size_t size);
void cli_age(const json_t *object, const char *member, char *out, size_t size);
bool cli_colours(void); /* standard output is a terminal that wants them */
size_t cli_width(void); /* of the terminal or $COLUMNS; 0: no limit */
/* Waits up to ms, ended early by a signal. */
void cli_pause(int ms);

/* handlers */
typedef int cli_handler(struct cli *cli, char **arguments, int count);
cli_handler check_list, check_show, check_add, check_set, check_remove;
cli_handler watch_list, watch_show, watch_add, watch_set, watch_remove, node_top;
cli_handler node_list, node_show, node_add, node_set, node_remove, group_list, group_show, group_add, group_set,
    group_remove, item_list, sensor_list, alarm_list, alarm_ack, event_list, job_list, job_show, job_cancel, job_wait,
    power_do, power_status, graph_draw, apply_do, export_do, site_show, top_show, bmc_confirm, stats_show, stats_idle, sel_list, sel_read, sel_clear;
cli_handler item_show, item_add, item_set, item_remove;
cli_handler node_inventory;
cli_handler trap_list, trap_senders;
cli_handler node_run, node_role, software_act, software_status;
cli_handler pool_list, pool_show, software_list, software_show, balancer_list, balancer_show, balancer_remove, object_edit;
cli_handler service_list, service_show, service_explain, service_pin, service_unpin, service_enable, service_act;
cli_handler silence_add, silence_list, silence_remove;

/* job.c: waits for a job, shows how it ended and returns the exit code */
int job_follow(struct cli *cli, json_int_t id);
/* Sends a command that becomes a job, with --reason among its arguments (taken), and follows it unless --no-wait; returns the exit code. */
int job_begin(struct cli *cli, const char *command, const char *target, json_t *arguments);
/* The members of an object that are no lists, one a line; null ones are left out. */
void print_members(const json_t *object);
/* prints the table of nodes; site.c */
void node_table(json_t *nodes, bool worst, size_t most);
void site_print(const json_t *site);

#endif
