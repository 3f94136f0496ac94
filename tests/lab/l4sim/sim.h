/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l4sim: L4 switches as SNMP agents, one family at a time. The frame (main.c) is net-snmp's agent, the cells (store.c) hold what was SET, a
 * family says what may be set together and what comes of it. Knobs (control.c) make it misbehave. */
#ifndef GLORY_TESTS_L4SIM_H
#define GLORY_TESTS_L4SIM_H

#include <net-snmp/net-snmp-config.h>
/* its configuration must come first */
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <stdbool.h>
#include <stdint.h>

#define SIM_OID 64
#define SIM_BYTES 512

struct sim_oid {
	oid id[SIM_OID];
	size_t length;
};
struct cell {
	struct sim_oid name;
	u_char type;
	uint8_t bytes[SIM_BYTES]; /* INTEGER and the like: a long */
	size_t size;
};
struct cells { /* sorted by name */
	struct cell *list;
	size_t count, room;
};

/* --- store.c -------------------------------------------------------------------------------------------- */

extern struct cells sim_cells;
size_t cells_at(const struct cells *c, const oid *name, size_t length); /* the first that is not before name */
struct cell *cells_find(struct cells *c, const struct sim_oid *name);
void cells_put(struct cells *c, const struct sim_oid *name, u_char type, const void *bytes, size_t size);
void cells_put_number(struct cells *c, const struct sim_oid *name, u_char type, long number);
long cells_number(struct cells *c, const struct sim_oid *name, long otherwise);
void cells_remove(struct cells *c, const struct sim_oid *name);
void cells_remove_below(struct cells *c, const struct sim_oid *root);
void cells_copy_below(struct cells *to, const struct cells *from, const struct sim_oid *root); /* to: what was below is replaced */
bool cells_equal_below(const struct cells *a, const struct cells *b, const struct sim_oid *root);

struct sim_oid sim_oid(const char *text);
struct sim_oid sim_row(const struct sim_oid *entry, oid column, const oid *index, size_t length); /* entry.column.index */
/* Is name entry.COLUMN.INDEX? Then the column, and where the index begins. */
bool sim_column(const struct sim_oid *name, const struct sim_oid *entry, oid *column, const oid **index, size_t *length);

/* --- a family ------------------------------------------------------------------------------------------- */

struct sim_set { /* one varbind of a SET */
	struct sim_oid name;
	u_char type;
	uint8_t bytes[SIM_BYTES];
	size_t size;
	long number; /* of integers */
};
struct family {
	const char *name, *root;
	void (*begin)(void);
	/* May these be set together? SNMP_ERR_NOERROR or an error; *at is the varbind. Nothing is changed. */
	int (*check)(const struct sim_set *sets, size_t count, size_t *at);
	void (*commit)(const struct sim_set *sets, size_t count);
	void (*tick)(int64_t now_ms); /* before each request */
};
extern const struct family family_alteon, family_serveriron, family_cisco, family_f5;
/* A value that the PDU sets, or that is there; otherwise when neither. */
long sim_wanted(const struct sim_set *sets, size_t count, const struct sim_oid *name, long otherwise);
bool sim_sets(const struct sim_set *sets, size_t count, const struct sim_oid *name);

/* --- knobs ---------------------------------------------------------------------------------------------- */

struct knobs {
	long after;       /* the next so many SETs pass, then lose, drop and refuse begin */
	long lose;        /* replies to the next so many SETs are lost; they are done */
	long drop;        /* the next so many SETs are neither done nor answered */
	long refuse;      /* the next so many SETs get genErr */
	long fail_apply;  /* the next so many applies fail */
	long fail_save;
	long slow_ms;     /* each answer comes so late */
	long apply_ms, save_ms, delete_ms; /* how long these take */
	long read_only;   /* every SET is notWritable */
	long enhanced;    /* alteon: real servers in the table with texts for index */
	long members;     /* f5: so many are in the pool; at the start */
	long network;     /* f5: the first three bytes of their addresses, as a number; at the start */
	long sets;        /* counted: SETs that were done */
};
extern struct knobs knobs; /* store.c */
int64_t sim_now_ms(void);  /* of whoever serves the family: main.c, or a unit test */
/* inside.c: the reply to a GET, GETBULK or SET as this family gives it now; NULL where a knob loses it. The caller frees. */
netsnmp_pdu *sim_inside(const struct family *f, const netsnmp_pdu *request);
/* Serves "NAME VALUE" and "NAME" on a UNIX socket from net-snmp's loop. */
bool control_open(const char *path);
bool control_assign(const char *text); /* "NAME=VALUE" */

#endif
