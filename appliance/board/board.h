/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The board: the published picture of the cluster in one sealed memfd per life of the engine (contracts, section 4).
 * The engine writes, the faces map it read-only and read without locks. Rows stay in fixed slots; slot + generation name an object
 * for its life; the MIB index is slot + 1. A sorted index per table is double-buffered and flipped.
 * Rows are copied with relaxed atomic words between a sequence count and fences (a seqlock), retried a bounded number of times. */
#ifndef GLORY_BOARD_BOARD_H
#define GLORY_BOARD_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/words.h"
#include "board/messages.h"

enum board_table {
	BOARD_APPLIANCE = 0, BOARD_CLUSTER, BOARD_GROUP, BOARD_DOMAIN, BOARD_NODE, BOARD_ITEM, BOARD_VALUE, BOARD_SENSOR,
	BOARD_ALARM, BOARD_JOB, BOARD_WATCH, BOARD_WATCH_STATE, BOARD_POOL, BOARD_SERVICE, BOARD_MEMBER, BOARD_BALANCER, BOARD_TABLE_COUNT
};

/* Every row begins so. order: what the sorted index is sorted by (see each row); rows of one table are compared by order, then slot. */
struct row_head {
	uint32_t generation; /* 0: the slot is free */
	uint32_t slot;
	int64_t last_change_wall_ms;
	uint64_t order;
};

struct appliance_row { /* one, slot 0 */
	struct row_head head;
	int64_t start_wall_ms;
	uint64_t polls, late_polls, dropped_samples, record_queue, garbage;
	uint32_t polls_per_second;
	uint32_t suspended; /* judge: 1 while judgement is suspended */
	uint32_t role_restarts[ROLE_COUNT];
	uint64_t role_pid[ROLE_COUNT];
	uint64_t config_generation;
	char name[NAME_SIZE], version[32], role[32]; /* role: "cluster master" */
	char suspended_why[CAUSE_SIZE];
	char store_trouble[CAUSE_SIZE]; /* "" while the store is well */
	uint32_t traps[TRAP_FATE_COUNT]; /* datagrams at the trap listener by what became of them, since the collector's start */
	uint32_t pad;
};

struct cluster_row { /* one, slot 0 */
	struct row_head head;
	uint32_t nodes, groups;
	uint32_t by_verdict[VERDICT_COUNT];
	uint32_t by_level[LEVEL_COUNT];
	uint32_t alarms_by_severity[LEVEL_COUNT]; /* active ones */
	uint32_t level;
	char name[NAME_SIZE]; /* the site */
	char cause[CAUSE_SIZE]; /* of the level */
};

struct group_row { /* order: slot */
	struct row_head head;
	uint32_t nodes, up, level, policy;
	uint32_t by_verdict[VERDICT_COUNT];
	uint32_t domain_state; /* enum domain_state */
	char name[NAME_SIZE], cause[CAUSE_SIZE];
};

struct domain_row { /* order: slot */
	struct row_head head;
	uint32_t kind, state, members, silent, held;
	uint32_t pad;
	struct address reference;
	uint32_t pad2;
	uint64_t root_alarm;
	char name[NAME_SIZE], cause[CAUSE_SIZE];
};

struct node_row { /* order: slot */
	struct row_head head;
	uint32_t group_slot;
	uint8_t verdict, certainty, level, power, life, wanted_power, policy, maintenance;
	struct address address, bmc; /* bmc.family 0: none */
	uint32_t power_locked;     /* 1: bmc-mismatch or GUID changed: a person must confirm */
	int64_t since_wall_ms;     /* of the verdict */
	int64_t last_seen_wall_ms; /* last answer of any kind; 0 never: this and the next three change with every poll */
	int32_t cpu_percent_x100, mem_percent_x100, load1_x100; /* -1: unknown */
	uint32_t flapping;         /* its verdict comes and goes (verdicts 4.6) */
	int64_t not_judged_since_wall_ms; /* 0, or judgement is suspended since then */
	uint64_t power_job;        /* open or last power job, 0 none */
	int64_t maintenance_until_wall_ms, silenced_until_wall_ms; /* 0: no end; not silenced */
	uint64_t root_alarm;       /* alarm this node's trouble hangs under, 0 none */
	uint8_t last_verb;         /* enum power_verb of power_job */
	uint8_t witness[5];        /* enum witness_state by enum witness; [4]: enum bmc_state: the evidence */
	uint8_t port_state;        /* enum port_state, 0 unknown */
	uint8_t bmc_error;         /* enum bmc_error of the last exchange */
	char name[NAME_SIZE], group[NAME_SIZE], cause[CAUSE_SIZE], bmc_finding[CAUSE_SIZE];
	char switch_name[NAME_SIZE], rack[32];
	char snmp_credential[32];
	char snmp_finding[CAUSE_SIZE]; /* why its agent cannot be read */
};

/* Slots of items are their ids: built-in ones, then those of the wanted state (ITEMS_MAX), then those that checks and watches bring. */
#define ITEM_SLOT_WANTED 128
struct item_row { /* order: slot */
	struct row_head head;
	double requests_per_second, bytes_per_second; /* what it costs at its present scope; 0 while not known */
	uint32_t requests_x100, bytes; /* the same for those who take whole numbers */
	uint32_t nodes;                /* in its scope */
	uint32_t pad2;
	uint32_t interval_s;
	uint8_t per_instance, counter, builtin, pad;
	char name[20], unit[12];
	char describes[64];
	char oid[96];
	char instances[96], include[96], exclude[96];
	char expression[256];
	char thresholds[512]; /* "warning above 85 clear 80; major above 92" */
	char scope[64];
	char kind[16]; /* "builtin", "scalar", "table", "expression", "made" (by a check or watch) */
};

struct value_row { /* node x item x instance; order: node_slot << 32 | item_slot << 16 | instance; last change: when it was read */
	struct row_head head;
	uint32_t node_slot;
	uint16_t item_slot, instance;
	double value;       /* NAN: unknown */
	uint8_t level;
	uint8_t pad[7];
	char item[20];
	char unit[12];
	char instance_name[48]; /* "" for scalars */
};

struct sensor_row { /* order: node_slot << 32 | record_id */
	struct row_head head;
	uint32_t node_slot;
	uint16_t record_id, bits;
	double reading; /* NAN: none */
	double warning_low, warning_high, critical_low, critical_high;
	int64_t at_wall_ms;
	uint8_t type, state, level, number;
	uint8_t pad[8];
	char name[32], unit[12], text[64];
};

struct alarm_row { /* order: id (0xffffffffffffffff - id would be newest first: faces turn it round) */
	struct row_head head;
	uint64_t id;
	uint64_t parent; /* root alarm, 0 none */
	int64_t first_wall_ms, last_wall_ms, acknowledged_wall_ms, cleared_wall_ms; /* 0: not */
	uint32_t count, held; /* held: nodes under this root alarm */
	uint32_t severity;    /* enum level */
	uint32_t node_slot;   /* NO_SLOT when the object is no node */
	uint32_t flapping;    /* it comes and goes: it stays raised until it is stable */
	uint32_t pad;
	char object[NAME_SIZE], kind[24], cause[CAUSE_SIZE], acknowledged_by[NAME_SIZE];
};

struct job_row { /* order: id */
	struct row_head head;
	uint64_t id;
	int64_t queued_wall_ms, started_wall_ms, ended_wall_ms; /* 0: not */
	uint32_t state, verb; /* enum job_state, enum job_verb */
	uint32_t done, total; /* steps */
	uint32_t node_slot, pad;
	char actor[NAME_SIZE], target[NAME_SIZE], reason[CAUSE_SIZE], result[128];
};

struct watch_row { /* processes that are to run; order: slot */
	struct row_head head;
	uint32_t min, max, interval_s;
	uint32_t nodes;     /* it is on */
	uint32_t by_state[WATCH_STATE_COUNT]; /* of them */
	uint32_t pad;
	char name[32], process[NAME_SIZE], arguments[96], scope[NAME_SIZE];
};

struct watch_state_row { /* node x watch; order: node_slot << 32 | watch_slot */
	struct row_head head;
	uint32_t node_slot, watch_slot;
	int64_t at_wall_ms; /* when it was last read */
	double cpu_percent; /* of one processor, all its processes together; NAN: unknown */
	double mem_bytes;   /* NAN: unknown */
	uint64_t restarts;  /* noticed since the appliance's engine began */
	uint32_t count;
	uint8_t state, level; /* enum watch_state */
	uint8_t pad[2];
	char name[32];
};

struct pool_row { /* nodes lent to services; order: slot */
	struct row_head head;
	uint32_t nodes, free, allocated, unfit; /* unfit: down, in maintenance, on the repair list */
	uint32_t reserve, wanted_more; /* kept for replacements; asked for and not to be had */
	uint32_t spares, pad;          /* free and warm ones that the largest service of class 1 would be glad of */
	char name[NAME_SIZE], scope[128];
};

struct service_row { /* order: slot */
	struct row_head head;
	int64_t pin_until_wall_ms;       /* 0: no end, or no pin */
	int64_t changed_wall_ms;         /* last change of the wanted size */
	double utilisation;              /* of all members in service, 0..1; NAN unknown */
	double demand;                   /* in members' worth; NAN unknown */
	double headroom;                 /* h of the sizing rule */
	double requests_per_second, bytes_per_second; /* as the balancer counts; NAN unknown */
	uint64_t connections;            /* now */
	uint32_t wanted, in_service, coming, going, failed; /* members */
	uint32_t min, max, pin;          /* pin 0: none */
	uint32_t planned_changes, emergencies; /* of the wanted size in 24 h */
	uint32_t balancer_slot, pool_slot;
	uint32_t priority;
	uint8_t state, level, enabled, policy; /* enum service_state, level, 0|1, enum policy */
	char name[NAME_SIZE], balancer[NAME_SIZE], pool[NAME_SIZE], software[NAME_SIZE];
	char virtuals[256];
	char reason[192];                /* of the wanted size: "keep 12: could be 10, held 11 min more" */
	char cause[CAUSE_SIZE];          /* of the state */
	char agent[96];
};

struct member_row { /* order: service_slot << 32 | node_slot */
	struct row_head head;
	uint32_t service_slot, node_slot;
	int64_t since_wall_ms, deadline_wall_ms; /* of the state; 0: none */
	double utilisation;              /* NAN unknown */
	uint64_t connections;            /* now */
	uint64_t total_connections, bytes;
	uint32_t weight;                 /* as wanted at the balancer, nominal 100 */
	uint8_t state, probe, level, stuck; /* enum member_state, enum probe_state, level, 1: past its deadline */
	char reason[96];                 /* the line that explains the state; the names are in the rows of service and node */
};

struct balancer_row { /* order: slot */
	struct row_head head;
	struct address address;
	uint32_t state;                  /* enum balancer_state */
	uint32_t driver;                 /* enum balancer_driver */
	uint32_t pad;
	int64_t read_wall_ms;            /* last read back */
	uint64_t commands, repairs;      /* writes sent; differences found that nobody of ours had made */
	uint32_t virtuals, reals, foreign;
	uint32_t level;
	char name[NAME_SIZE], cause[CAUSE_SIZE];
	char ssh[NAME_SIZE], snmp[NAME_SIZE], options[256]; /* as in the wanted state */
};

#define BOARD_WATCHES_PER_NODE 2 /* on average over all nodes of the largest site */
struct board_limits {
	uint32_t rows[BOARD_TABLE_COUNT];
};
/* Limits for a number of nodes: 10,000 nodes with 20 values and 40 sensors each make a segment below 64 MiB. */
void board_limits_for(uint32_t nodes, uint32_t values_per_node, uint32_t sensors_per_node, struct board_limits *out);

/* --- writer: the engine ----------------------------------------------------------------------------- */
struct board_writer;
/* Makes the memfd, maps it writable, then seals it SHRINK|GROW|FUTURE_WRITE. NULL: out of memory or no memfd. */
struct board_writer *board_create(uint32_t epoch, const struct board_limits *limits);
int board_fd(const struct board_writer *board); /* stays the writer's; pass a duplicate on */
void board_free(struct board_writer *board);
/* Publishes a row: head.slot says where; head.generation 0 frees the slot. head.last_change is the caller's. */
void board_put(struct board_writer *board, enum board_table table, const void *row);
/* Part of a row (of BOARD_VALUE: all of it) is about to be written: asks the memory for it, so that it is in the cache by then. */
void board_put_expect(const struct board_writer *board, enum board_table table, uint32_t slot, size_t offset, size_t size);
/* A newer reading of a value that is on the board: its time, number and level change in place, nothing else is touched. False: the
 * slot holds no row of that order, board_put() is to be used. */
bool board_put_reading(struct board_writer *board, uint32_t slot, uint64_t order, int64_t wall_ms, double value, uint8_t level);
/* A part of a row that is on the board anew, `size` bytes of it from `offset`, both whole words of eight; last_change stays. Tables that are
 * not packed only. False: the slot holds no row of that generation, board_put() is to be used. */
bool board_put_part(struct board_writer *board, enum board_table table, uint32_t slot, uint32_t generation, size_t offset, const void *part,
		    size_t size);
/* The writer's own view of a slot (stable until its next board_put there; a value or sensor row, which is stored packed, until the
 * eighth board_peek from here); NULL beyond the table. */
const void *board_peek(const struct board_writer *board, enum board_table table, uint32_t slot);
/* Lowest free slot of a table; NO_SLOT when it is full. Slots whose object is fixed in the store are chosen by the caller instead. */
uint32_t board_free_slot(const struct board_writer *board, enum board_table table);
/* Rebuilds and flips the sorted index of every table whose set of rows changed since the last call. Called once per loop round. */
void board_flip(struct board_writer *board);
/* Texts that did not fit into the table of distinct texts and are published as "" (a site with over 65,000 different ones). */
uint64_t board_texts_lost(const struct board_writer *board);
size_t board_bytes(const struct board_writer *board); /* size of the segment */

/* --- reader: the faces ------------------------------------------------------------------------------ */
struct board_reader;
/* Maps fd (taken over) read-only after checking magic, version, sizes and seals. NULL with the reason in the log. */
struct board_reader *board_map(int fd);
void board_unmap(struct board_reader *board);
uint32_t board_epoch(const struct board_reader *board);
size_t board_row_size(enum board_table table);
/* Copies a slot's row. 0, ERR_NOT_FOUND (free slot), ERR_BUSY (the writer kept writing: try later). */
int board_read(const struct board_reader *board, enum board_table table, uint32_t slot, void *row);
/* Number of rows in the sorted index. */
uint32_t board_count(const struct board_reader *board, enum board_table table);
/* Slot at a position of the sorted index; NO_SLOT past the end. */
uint32_t board_at(const struct board_reader *board, enum board_table table, uint32_t position);
/* First position whose row's order is >= order (binary search over the index). */
uint32_t board_seek(const struct board_reader *board, enum board_table table, uint64_t order);
/* Order of the row that a slot holds or held last; UINT64_MAX beyond the table. One word, never torn. */
uint64_t board_order(const struct board_reader *board, enum board_table table, uint32_t slot);
/* Bumped by every board_put of the table: to wait for change cheaply. */
uint64_t board_version(const struct board_reader *board, enum board_table table);
/* Bumped when a row came, went or has another head.last_change_wall_ms, and by a flip that changed the index: the same for those who
 * do not care for readings, which board_put_part() and board_put_reading() bring. */
uint64_t board_news(const struct board_reader *board, enum board_table table);
/* Copies the head and the bytes [offset, offset + size) of a slot's row, both of one moment: for handlers that want one cell of many
 * rows. Returns as board_read, and ERR_BUG for bytes outside the row. */
int board_read_field(const struct board_reader *board, enum board_table table, uint32_t slot, size_t offset, size_t size,
		     struct row_head *head, void *field);
/* That a field of a slot's row will be read soon: walks ask a few rows ahead, so that they do not wait for memory. */
void board_expect(const struct board_reader *board, enum board_table table, uint32_t slot, size_t offset);
/* Direct pointer to the live row, for handlers that read single aligned words of many rows: values may be torn between
 * words; check board_row_sequence() before and after (odd = being written). NULL beyond the table, and for BOARD_VALUE and
 * BOARD_SENSOR, whose rows are stored packed (numbers, and texts as references into a table of distinct texts). */
const void *board_live(const struct board_reader *board, enum board_table table, uint32_t slot);
uint32_t board_row_sequence(const struct board_reader *board, enum board_table table, uint32_t slot);

#endif
