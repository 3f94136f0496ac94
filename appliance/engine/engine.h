/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine: the one process that knows the cluster. Samples and witnesses come in; board rows, store writes, jobs and notifications go
 * out. This header is what its files share; each file says at its top which part it is. */
#ifndef GLORY_ENGINE_ENGINE_H
#define GLORY_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "board/board.h"
#include "board/messages.h"
#include "board/ring.h"
#include "config/settings.h"
#include "job/brake.h"
#include "job/job.h"
#include "model/model.h"
#include "monitor/alarm.h"
#include "monitor/items.h"
#include "monitor/judge.h"
#include "monitor/levels.h"
#include "monitor/recent.h"
#include "proc/role.h"
#include "store/store.h"

#define ROW_COLUMNS 7     /* raw columns of the widest table */
#define ROW_ITEMS 4       /* items of the widest table */
#define STEP_S 10         /* of the base archives */
#define SENSOR_STEP_S 300
#define ROWS_PER_NODE 256
#define BOOT_GRACE_MS 600000 /* a machine may take so long to be up */

/* An average in the making: what goes into one step of one RRD file. */
struct average {
	int64_t step;     /* seconds, multiple of the file's step; 0 none */
	uint32_t series;  /* id in the ring; 0 not announced */
	uint32_t samples;
	double *sums;     /* per data source */
	uint32_t *counts;
	struct recent recent; /* the newest samples, not averaged */
};

struct table_row { /* one disk, one interface */
	uint16_t table, instance;
	char name[48];
	struct raw_pair raw[ROW_COLUMNS];
	double values[ROW_ITEMS];
	struct level_state levels[ROW_ITEMS];
	uint32_t board_slot[ROW_ITEMS];
	struct average average;
	bool changed; /* by the samples that are being taken */
};

struct value_cell; /* values.h */
struct values;
struct items;

struct node_sensor {
	uint16_t record_id;
	uint8_t level, state, seen, watts;
	double reading;
	uint32_t board_slot;
	char name[32];
	char ds[20]; /* its data source name */
	uint8_t power_rank; /* enum power_rank: how good it is as what the node draws */
};
enum power_rank { POWER_RANK_NONE, POWER_RANK_SUPPLY, POWER_RANK_INPUT, POWER_RANK_WHOLE };

/* A silence that is over, under its true cause. */
struct incident {
	uint32_t slot, generation;
	int64_t began_wall_ms, ended_wall_ms; /* equal: it was shorter than a call, only the up-times tell of it */
	enum verdict verdict;                 /* the last one shown; 0 = none was called */
	enum certainty certainty;             /* the highest it reached */
	enum judge_return how;                /* what it was: counts in the statistics instead of the verdict */
	char cause[CAUSE_SIZE];               /* "rebooted: watchdog, was os-hung for 92.1 s" */
};
typedef void incident_told(void *arg, const struct incident *incident);

struct incident_wait {
	bool open; /* its event waits for the BMC to say why */
	int64_t known_ms, until_ms;
	uint64_t job;
	char why[24];
	struct incident is;
};

struct node_stats; /* stats.h */
struct node_records; /* records.h */
/* Who answers at the node's address: identity.c. */
struct identity_seen {
	char name[NAME_SIZE]; /* sysName */
	uint8_t engine_id[32], engine_id_size;
};
struct identity {
	struct identity_seen now, home; /* as seen last; who belongs here */
	bool stands, raised;  /* the facts still say so; the alarm is this node's */
	uint32_t other;       /* the node it is mixed up with, or NO_SLOT */
	int64_t changed_ms, seen_ms;
	char conflict[CAUSE_SIZE]; /* "" none */
};

struct node_state {
	struct raw_pair raw[OBJ_SCALARS];
	double values[ITEM_SCALARS];
	struct level_state levels[ITEM_SCALARS];
	uint32_t board_slot[ITEM_SCALARS];
	struct average average, sensor_average;
	struct table_row *rows;
	uint32_t row_count;
	uint16_t changed_first, changed_end; /* of rows: no others are changed */
	uint64_t items;           /* of the wanted state, a bit per number: those in whose scope it is */
	struct value_cell *cells; /* values.c: of items that are not built in; sorted */
	uint32_t cell_count;
	struct node_sensor *sensors;
	uint32_t sensor_count;
	struct node_stats *stats;  /* stats.c: of the running hour */
	struct node_watch *watches; /* watches.c */
	uint32_t watch_count;
	struct node_check *checks; /* checks.c */
	uint32_t check_count;
	uint64_t sensor_names; /* hash of the data sources' names as they are recorded, in their order */
	uint32_t last_uptime_cs;
	bool flapping;             /* its verdict comes and goes (verdicts 4.6) */
	bool dirty, changed;       /* dirty: must be published; changed: its row says something new */
	uint8_t readings;          /* polls until its whole row is made anew all the same */
	int64_t last_seen_wall_ms;
	/* --- up to here: what a poll touches */
	struct judge_verdict verdict;
	bool judged;               /* verdict is filled */
	enum level level;          /* of verdict, items and sensors together */
	char cause[CAUSE_SIZE];
	enum power power;
	enum power wanted_power;   /* POWER_UNKNOWN: as the configuration says */
	uint8_t life;
	uint8_t guid[16];
	bool guid_known, locked, mismatch, booting, bmc_heard, silent_later;
	char locked_why[CAUSE_SIZE];
	uint8_t bmc_state, bmc_error, port_state;
	char bmc_finding[CAUSE_SIZE];
	char snmp_finding[CAUSE_SIZE]; /* why its agent cannot be read, "" none */
	uint8_t target_state;      /* enum target_state; 0 not told */
	struct msg_snmp_engine snmp_engine; /* as last told, at the wall time below; id_length 0: not known */
	int64_t snmp_engine_wall_ms;
	struct node_records *records; /* what its BMC has written down; NULL: nothing yet */
	uint64_t power_job;
	uint64_t role_job;     /* role_jobs.c: the job that takes it to another pool, 0 none */
	bool role_begun;       /* and it has begun: no member may come */
	uint64_t boot_job;     /* the job it was last told to start by, until it has */
	struct incident_wait incident;
	struct identity identity;
	int64_t boot_until_ms; /* while booting */
	uint8_t power_verb;
	int64_t since_wall_ms;
	uint64_t alarm;            /* its verdict alarm, 0 none */
	int flapping_alarms;
};

struct group_state {
	enum level level;
	struct brake brake;
	bool dirty, braked; /* braked: its brake alarm is raised */
};

struct pending_command;
struct edit;

struct face {
	struct channel *channel;
	uint32_t life;
};

struct engine {
	struct role_context *role;
	struct loop *loop;
	struct settings settings;
	bool settings_known, loaded;
	bool store_ailing; /* the store's alarm is raised */
	uint32_t epoch;
	uint64_t token;   /* token.c */
	bool token_asked;
	int64_t start_wall_ms;
	struct face roles[ROLE_COUNT];
	struct store *store;
	struct board_writer *board;
	struct ring *ring;
	struct model model;
	struct node_state **nodes; /* by slot; NULL where none */
	struct group_state *groups;
	uint64_t *domain_alarm;    /* active root alarm by domain slot */
	struct judge_domain *domain_views;
	struct judge *judge;
	struct loop_timer *judge_timer, *publish_timer, *second_timer, *job_timer, *settled_timer, *sweep_timer;
	struct alarm_set *alarms;
	uint32_t series_next;
	uint64_t event_last, event_first, job_last, audit_last, audit_first;
	struct msg_stats stats[ROLE_COUNT];
	int64_t collector_heard_ms, hearing_since_ms; /* hearing: end of the last suspension */
	unsigned suspended;
	int64_t suspended_since_wall_ms;
	int first_cluster; /* descriptor of the cluster.xml for an empty store, -1 */
	int64_t last_change_wall_ms;
	bool cluster_dirty, appliance_dirty; /* the roll-up over all nodes; the appliance's own row alone */
	struct jobs *jobs;       /* jobs.c */
	struct outbox *outbox;   /* outbox.c */
	struct edits *edits;     /* edits.c */
	struct helpers *helpers; /* helpers.c */
	struct repeats *repeats; /* commands.c */
	struct loader *loader;   /* start.c */
	incident_told *incident_told; /* incidents.c */
	void *incident_arg;
	bool identities_open;    /* identity.c: some alarm is raised */
	bool boots_open;         /* judgement.c: some node may be booting */
	uint32_t incidents_open; /* events that wait for a BMC, at most */
	struct graphs *graphs;   /* graphs.c */
	struct traps *traps;     /* traps.c */
	struct watches *watches; /* watches.c */
	struct tops *tops;       /* tops.c */
	struct checks *checks;   /* checks.c */
	struct probes *probes;   /* probes.c */
	struct service_series *service_series; /* services_series.c */
	struct values *values;   /* values.c */
	struct items *items;     /* items.c */
	const struct level_rules *builtin_rules[ITEM_BUILTIN]; /* items.c; NULL: the wanted state may have others for some nodes */
	struct looked *looked;   /* series.c */
	struct stats *statistics; /* stats.c */
	struct software *software; /* software.c */
	struct services *services;   /* services.c */
	struct pools *pools;         /* pools.c; NULL: there are none */
	struct balancers *balancers; /* balancers.c */
	struct repairs *repairs;     /* repair.c; NULL: nothing was ever wrong */
	struct runs *runs;       /* runs.c */
};

/* --- main.c */
/* Sends to a role; nothing when it is not there (it gets the whole picture when it is back). */
void engine_send(struct engine *e, enum role role, uint16_t type, const void *body, size_t size);
struct node_state *engine_state(struct engine *e, uint32_t slot); /* NULL: no node there */
/* Calls a function for the message of a slot and generation when that node is still there. */
struct model_node *engine_node(struct engine *e, uint32_t slot, uint32_t generation);

/* --- start.c: from the settings to a loaded model; then engine_loaded() runs once */
void start_load(struct engine *e);
void start_finished(struct engine *e); /* main.c: everything is read; begin */

/* --- targets.c: what the collector and the BMC role are told */
void targets_send_all(struct engine *e, enum role role);
void targets_node_changed(struct engine *e, uint32_t slot);
/* Credentials or models of BMCs are others: all targets are told anew. */
void targets_credentials_changed(struct engine *e, const struct config_diff *diff);
void targets_node_removed(struct engine *e, uint32_t slot, uint32_t generation);
void targets_domains_changed(struct engine *e);
/* Tells the collector what to read, when that is other than what it was told last (intervals of items). */
void targets_objects_changed(struct engine *e);
uint16_t targets_interval_s(const struct engine *e, unsigned table); /* at which the built-in items of a table are read */
/* Arrays longer than a packet travel in several: a full one means that more follows, so the last is never full (and may be empty). */
void targets_send_array(struct engine *e, enum role role, uint16_t type, const void *array, size_t count, size_t element);

/* --- peers.c: the collector is there: its own SNMP engine, and what is known of the agents' */
void peers_collector_up(struct engine *e);
void peers_facts(struct engine *e, uint32_t slot, const struct msg_node_facts *facts);
json_t *peers_json(const struct node_state *s); /* for life_save(); NULL: nothing known */
void peers_read(struct node_state *s, const json_t *o);

/* --- credentials.c: why nodes cannot be read by SNMP: told at the node, and one alarm for each credential */
void credentials_take(struct engine *e, const struct msg_target_state *states, size_t count);
void credentials_second(struct engine *e);
const char *credentials_finding(enum target_state state); /* "" when it is well */

/* --- states.c: a node's state comes and goes with its slot; judge and board follow */
void states_apply(struct engine *e, const struct model_changes *changes);
void states_domains(struct engine *e); /* domains and judge's nodes after any change of the model */
void life_save(struct engine *e, uint32_t slot); /* /life/node/SLOT */
void life_read(struct engine *e, uint32_t slot, const char *json);

/* --- samples.c */
void samples_take(struct engine *e, const void *body, size_t size); /* of MSG_SAMPLES */
void samples_instances(struct engine *e, const struct msg_instance *rows, size_t count);
void samples_facts(struct engine *e, const struct msg_node_facts *facts, size_t count);
/* The node stopped answering: its values become unknown. */
void samples_silence(struct engine *e, uint32_t slot);
void samples_alarms(struct engine *e, uint32_t slot); /* says again what is wrong: maintenance has begun or ended */
bool samples_has(struct engine *e, uint32_t slot, const char *item, const char *instance);
/* average.c. A wall clock that goes back adds nothing until it is past the step that was begun; one that leaps ends that step. */
void average_add(struct engine *e, struct average *a, uint32_t count, uint32_t step_s, const double *values, int64_t wall_ms);
void average_expect(const struct average *a, uint32_t count); /* values are about to be added: asks the memory for their place */
void average_free(struct average *a);
/* Hands over a step that has ended by now_s. */
void average_close_past(struct engine *e, struct average *a, uint32_t count, uint32_t step_s, int64_t now_s);
void series_forget(struct engine *e); /* the recorder is new: all series are announced again */
void samples_row_file(const struct table_row *row, char *out, size_t size); /* "disk-root", "if-eth0" */
void samples_flush(struct engine *e, uint32_t slot); /* a graph is wanted: the steps that have ended go to the recorder */
const struct level_rules *samples_rules(struct engine *e, const struct item_definition *item, const char *node, const char *group);
/* A value of that time into its level; alarm and node follow. */
void samples_judge(struct engine *e, uint32_t slot, const struct item_definition *item, const char *instance, double value,
		   int64_t wall_ms, struct level_state *state);
void samples_quiet(struct engine *e); /* once a second: values for which none came for too long (thresholds of kind no-data) */
void samples_describe(const struct item_definition *item, const char *instance, double value, char *out, size_t size);
/* Begins the announcement of a series of a node; false: the recorder is not there. The caller adds names and sends it. */
bool series_begin(struct engine *e, uint32_t slot, struct msg_series *m, const char *source, const char *file);

/* --- sensors.c */
void sensors_take(struct engine *e, const struct msg_sensor *sensors, size_t count);
/* Watts that the node draws, NAN when nobody tells: the highest of its sensors in W, because a sum would count a supply and what it
 * feeds; DCMI's reading is one of them where the BMC has no power sensor of its own. */
double sensors_power_draw(struct engine *e, uint32_t slot);
void sensors_clear(struct engine *e, uint32_t slot);
void sensors_alarms(struct engine *e, uint32_t slot); /* says again what is wrong: maintenance has begun or ended */

/* --- judgement.c: judge glue, levels and roll-up */
void judgement_start(struct engine *e);
void judgement_report(struct engine *e, const struct witness_report *reports, size_t count);
void judgement_power(struct engine *e, const struct msg_power_state *states, size_t count);
void judgement_ports(struct engine *e, const struct msg_port_state *states, size_t count);
void judgement_references(struct engine *e, const struct msg_reference_state *states, size_t count);
void judgement_collector(struct engine *e, const struct msg_judge *judge);
void judgement_collector_up(struct engine *e, bool up);
void judgement_collector_age(struct engine *e); /* once a second: a collector that says nothing cannot vouch for anything */
void judgement_lossy(struct engine *e, const struct msg_lossy *lossy);
void judgement_bmc_facts(struct engine *e, const struct msg_bmc_facts *facts);
void judgement_wanted(struct engine *e, uint32_t slot);          /* wanted power, maintenance: tell the judge */
void judgement_booting(struct engine *e, uint32_t slot, int64_t for_ms);
void judgement_boots(struct engine *e); /* once a second: who has been up for a minute is not booting */
void judgement_domain_again(struct engine *e, uint32_t domain); /* its root alarm is said anew: what it holds back has changed */
void judgement_kick(struct engine *e);                            /* something was fed: tick soon */
void judgement_level(struct engine *e, uint32_t slot);           /* work the node's level out again */
bool judgement_is_down(void *engine, uint32_t slot);

/* --- incidents.c: what a silence was, once its node is back; one event each */
void incidents_closed(struct engine *e, const struct judge_closed *closed);
void incidents_facts(struct engine *e, uint32_t slot, enum judge_return how, int64_t agent_ms); /* an up-time fell; the agent's */
void incidents_why(struct engine *e, uint32_t slot, const char *why);         /* what the BMC says of its last start */
void incidents_tick(struct engine *e);                                        /* once a second */
/* One listener: told of each incident when its true cause is known. */
void incidents_listen(struct engine *e, incident_told *told, void *arg);

/* --- stats.c: hours and days of every node, group and the site */
void stats_start(struct engine *e);
void stats_stop(struct engine *e); /* keeps the running hour */
void stats_state(struct engine *e, uint32_t slot); /* verdict, hold, maintenance or wanted power may be another */
void stats_states(struct engine *e);               /* suspension has begun or ended */
void stats_expect(const struct node_state *s); /* that is near: asks the memory for its place */
void stats_sample(struct engine *e, uint32_t slot, bool scalars, unsigned tables); /* values are new; tables: bits of enum object_table */
void stats_power(struct engine *e, uint32_t slot); /* a set of sensors is whole */
void stats_gone(struct engine *e, uint32_t slot);

/* --- identity.c: who answers at a node's address */
void identity_facts(struct engine *e, const struct msg_node_facts *facts); /* of a node that is there */
void identity_tick(struct engine *e);                                      /* once a second */

/* --- alarms.c: alarms into store, board and notifications */
void alarms_start(struct engine *e);
void alarms_restore(struct engine *e, const char *key, const char *json);
uint64_t alarms_raise(struct engine *e, const char *object, const char *kind, const char *part, enum level severity, const char *cause,
		      uint32_t slot, uint64_t parent, uint32_t held);
void alarms_clear(struct engine *e, const char *object, const char *kind, const char *part);
/* It is held, in maintenance, silenced or gone: cleared at once, told, and not counted as a turn. */
void alarms_withdraw(struct engine *e, const char *object, const char *kind, const char *part);
void alarms_gone(struct engine *e, const char *object); /* everything on an object that was removed */
void alarms_tick(struct engine *e);     /* once a second: damping */
void alarms_settings(struct engine *e); /* damping's times follow the lab's scale */
/* Once a second: the store's own alarm. A store that does not write is tried, and told again what it has missed once it does. */
void alarms_store(struct engine *e);
void alarms_sweep(struct engine *e); /* now and then: alarms whose object, disk, sensor or BMC is there no more are cleared */
void alarms_level(struct engine *e, uint32_t slot, const char *kind, const char *part, enum level level, const char *cause);

/* --- outbox.c: events and their notifications, at least once */
struct event_facts {
	enum notify_kind kind;
	const char *object, *cause;
	uint32_t slot;
	uint64_t alarm, job;
	uint8_t verdict, certainty, level, severity, job_state, service_state, balancer_state;
};
void outbox_start(struct engine *e);
void outbox_event(struct engine *e, const struct event_facts *facts);
/* The state of a service, or of a balancer, has become another; cause: what its level comes from, "" where all is well. */
void outbox_service(struct engine *e, const char *service, enum service_state state, enum level level, const char *cause);
void outbox_balancer(struct engine *e, const char *balancer, enum balancer_state state, enum level level, const char *cause);
void outbox_restore(struct engine *e, const char *key, const char *json);
void outbox_agent_up(struct engine *e);
void outbox_done(struct engine *e, const struct msg_notify_done *done);
void outbox_receivers_changed(struct engine *e);
void outbox_users(struct engine *e, enum role face); /* who may use the agent, or the API */
/* Beyond 100,000 of a log ("/event/", "/audit/") the oldest go; *first moves on. */
void outbox_prune(struct engine *e, const char *prefix, uint64_t *first, uint64_t last);
void outbox_forget(struct engine *e); /* agent gone: nothing is in flight any more */

/* --- jobs.c */
void jobs_start(struct engine *e);
void jobs_restore(struct engine *e, const char *key, const char *json);
void jobs_resume(struct engine *e);
void jobs_bmc_up(struct engine *e);
void jobs_result(struct engine *e, const struct msg_power_result *result);
void jobs_tick(struct engine *e);
void jobs_brakes(struct engine *e); /* once a second: a brake that has let go clears its alarm */
/* Makes a power job for the nodes, stores it, then calls done(arg, id, NULL); or refuses with *err. */
typedef void job_accepted(void *arg, uint64_t id, const struct error *err);
struct power_request {
	const char *actor, *target, *reason; /* target: as it was written */
	const char *set_key; /* "/set/HASH" stored with the job, so that a repeated SET acts once; "" none */
	enum power_verb verb;
	const struct model_selection *nodes;
	bool yes;
};
void jobs_power(struct engine *e, const struct power_request *request, job_accepted *done, void *arg);
int jobs_cancel(struct engine *e, uint64_t id, struct error *err);
json_t *jobs_steps(struct engine *e, uint64_t id); /* NULL: no such job */
/* For run_jobs.c. A job of these nodes that is filled in and then stored and held by jobs_accept(). */
struct job *jobs_new(struct engine *e, uint32_t verb, const char *actor, const char *target, const char *reason, const struct model_selection *nodes);
void jobs_accept(struct engine *e, struct job *job, const struct model_selection *nodes, const char *set_key, job_accepted *done, void *arg);
struct job *jobs_find(struct engine *e, uint64_t id); /* NULL: none, or not yet stored */
void jobs_begin_step(struct engine *e, struct job *job, uint32_t target);
void jobs_fail_target(struct engine *e, struct job *job, uint32_t target, const char *text);
void jobs_save_target(struct engine *e, const struct job *job, uint32_t target);
void jobs_settle(struct engine *e, struct job *job); /* shows it, and ends it when nothing is open any more */
bool jobs_is_open(struct engine *e, uint64_t id);  /* false for 0, and for one that is not known */

/* --- commands.c */
void commands_start(struct engine *e);
void commands_restore(struct engine *e, const char *key, const char *json); /* /set/HASH */
void commands_take(struct engine *e, enum role face, const struct msg_command *command, size_t size, int fd);
void commands_query(struct engine *e, enum role face, const struct msg_query *query);
/* --- replies.c */
void reply_error(struct engine *e, enum role face, uint32_t life, uint64_t request, const struct error *err);
void reply_json(struct engine *e, enum role face, uint32_t life, uint64_t request, uint64_t job, json_t *value, bool more); /* takes value */
void reply_fd(struct engine *e, enum role face, uint32_t life, uint64_t request, int fd); /* fd stays the caller's */
void audit(struct engine *e, const char *actor, const char *verb, const char *target, const char *outcome);
/* The same; done is called when it, and every write that was asked for before, is on the disk or refused. */
void audit_then(struct engine *e, const char *actor, const char *verb, const char *target, const char *outcome, store_done *done, void *arg);

/* --- wanted.c */
void wanted_query(struct engine *e, enum role face, const struct msg_query *query); /* QUERY_WANTED */

/* --- edits.c: changes of the wanted state, one at a time, each one transaction */
typedef void edit_done(void *arg, const struct error *err, const struct config_diff *diff);
/* Takes *next (moved out), as a file gives it: what is missing from it stays unless prune. dry_run: only shows the difference. done is
 * called once, maybe before this returns. */
void edits_commit(struct engine *e, struct cluster *next, bool prune, bool dry_run, edit_done *done, void *arg);
/* A change of what stands: make(arg, ...) gets a copy of the wanted state when its turn has come, so that two changes at once
 * cannot undo each other; what it returns other than 0 ends the change with *err. */
typedef int edit_make(void *arg, struct cluster *next, struct error *err);
void edits_change(struct engine *e, edit_make *make, bool dry_run, edit_done *done, void *arg);
void edits_start(struct engine *e);
void edits_config_pointer(struct engine *e, const char *json, int64_t revision);
void edits_first_cluster(struct engine *e);
const char *edits_prefix(struct engine *e); /* "/config/12" */

/* --- fields.c: the JSON arguments of node and group edits into the wanted state; 0 or a negative error */
int edit_node_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err);
/* The same for any kind whose edits need nothing but their fields; which ones fit is in fields.c. */
int edit_object_fields(struct cluster *next, enum config_kind kind, const char *name, bool add, json_t *arguments, struct error *err);
int edit_group_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err);
int edit_item_fields(struct cluster *next, const char *name, bool add, json_t *arguments, struct error *err);

/* --- helpers.c: one-shot children of the supervisor, their output collected */
typedef void helper_done(void *arg, int status, const char *output, size_t size);
typedef void helper_pipe(void *arg, int status, int fd);
void helpers_start(struct engine *e);
/* Runs a helper with input (a memfd, taken); collects at most `limit` bytes of output. */
void helpers_run(struct engine *e, enum helper which, int input, uint32_t deadline_ms, size_t limit, helper_done *done, void *arg);
/* The same, but hands the read end of its output on (taken by the callee). */
void helpers_run_pipe(struct engine *e, enum helper which, int input, uint32_t deadline_ms, helper_pipe *done, void *arg);
void helpers_answer(struct engine *e, const struct msg_helper_out *out, int fd);

/* --- series.c: where an item of a node is recorded, and its newest values in memory */
struct series_ref {
	const struct recent *recent; /* never NULL; empty where nothing came yet */
	unsigned column;             /* of recent */
	const struct item_definition *item; /* NULL: a sensor */
	char source[8], file[NAME_SIZE], name[20], unit[12], label[NAME_SIZE];
};
/* "cpu", "disk_fill/root" (without an instance: the first), "CPU1 Temp". 0, or ERR_NOT_FOUND with a remedy. */
int series_find(struct engine *e, const struct model_node *n, const char *what, struct series_ref *out, struct error *err);
/* Somebody looks at the node: ten minutes of its newest values are kept, until nobody has looked for SERIES_LOOKED_MS. Services likewise. */
#define SERIES_LOOKED_MS 300000
void series_look(struct engine *e, const struct model_node *n);
void series_unlook(struct engine *e); /* once a second: those nobody looks at any more */
void series_query(struct engine *e, const struct msg_query *query);

/* --- graphs.c */
void graphs_take(struct engine *e, const struct msg_graph *graph);
void graphs_flushed(struct engine *e, const struct msg_flush *flushed);

/* --- publish.c: rows of the board */
void publish_start(struct engine *e);
void publish_node(struct engine *e, uint32_t slot);   /* soon */
void publish_expect(struct engine *e, uint32_t slot); /* such a reading is near: asks the memory for the row */
void publish_node_reading(struct engine *e, uint32_t slot); /* at once, when all that is new is that it answered, and what */
void publish_cluster(struct engine *e);               /* soon */
void publish_appliance(struct engine *e);             /* soon: its own row alone, not the roll-up over all nodes */
void publish_now(struct engine *e);                   /* everything that is dirty; used before a reply that must be visible */
void publish_node_gone(struct engine *e, uint32_t slot);
void publish_value(struct engine *e, uint32_t slot, const struct item_definition *item, uint16_t instance, const char *instance_name,
		   double value, int64_t wall_ms, enum level level, uint32_t *board_slot);
void publish_alarm(struct engine *e, struct alarm *alarm);
void publish_alarm_gone(struct engine *e, struct alarm *alarm);
void publish_job(struct engine *e, struct job *job);
void publish_job_gone(struct engine *e, struct job *job);
void publish_items(struct engine *e);

#endif
