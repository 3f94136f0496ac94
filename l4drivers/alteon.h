/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The switch's tables as the driver alteon holds them between read and apply: alteon.c makes changes, alteon_read.c reads and keeps. */
#ifndef GLORY_L4_ALTEON_H
#define GLORY_L4_ALTEON_H

#include "l4drivers/snmp.h"

#define ALTEON_NUMBERS 4095
#define ALTEON_SERVICES 8
#define ALTEON_NAME 32 /* with the zero */
#define ALTEON_WHY 200

enum { STATE_ENABLED = 2, STATE_DISABLED = 3 };
enum { REAL_ADDRESS, REAL_WEIGHT, REAL_STATE, REAL_DELETE, REAL_NAME, REAL_OBJECTS };
enum { GROUP_REALS, GROUP_ADD, GROUP_REMOVE, GROUP_METRIC, GROUP_HEALTH, GROUP_NAME, GROUP_DELETE,
       VIRTUAL_ADDRESS, VIRTUAL_STATE, VIRTUAL_DELETE, VIRTUAL_NAME,
       SERVICE_PORT, SERVICE_GROUP, SERVICE_REAL_PORT, SERVICE_DELETE,
       OPER_GROUP_REAL, STAT_NOW, STAT_TOTAL, AG_PENDING, AG_APPLY, AG_APPLY_TEXT, AG_SAVE, AG_REVERT, ALTEON_OBJECTS };
extern const struct snmp_object alteon_objects[ALTEON_OBJECTS], alteon_plain_reals[REAL_OBJECTS], alteon_enhanced_reals[REAL_OBJECTS];

struct alteon_real {
	uint32_t number, weight, group; /* group 0: in none of ours */
	uint32_t now, total;
	uint8_t state;
	bool used, ours, off;           /* off: by the operational object */
	struct address address;         /* no port */
};
struct alteon_group {
	bool used, ours;
	uint32_t metric;
	uint8_t bits[(ALTEON_NUMBERS + 8) / 8]; /* the first bit of the first byte is real server 1 */
};
struct alteon_virtual {
	uint32_t number;
	uint8_t state;
	bool used, ours;
	struct address address;
};
struct alteon_service {
	uint32_t virtual_number, number, group;
	uint32_t real_port;
	uint16_t port;
	bool used;
	struct address address; /* of the virtual server, with the port */
};
struct alteon {
	struct driver_run *run;
	struct snmp *snmp;
	const struct snmp_object *reals_of;
	const char *prefix;
	int64_t low, high; /* numbers we may take */
	bool enhanced, pending_ours;
	struct alteon_real *reals;       /* [ALTEON_NUMBERS + 1], by number */
	struct alteon_group *groups;     /* likewise */
	struct alteon_virtual *virtuals; /* likewise */
	struct alteon_service *services; /* [ALTEON_NUMBERS + 1][ALTEON_SERVICES] */
};

int alteon_read_tables(struct alteon *a, struct error *e); /* fills the tables and run->have */
void alteon_forget(struct alteon *a);
/* A number for a new real server with this address: one of ours that is in no group, or a free one; 0 none. */
uint32_t alteon_real_for(const struct alteon *a, const struct address *address);
void alteon_real_take(struct alteon *a, uint32_t number, const struct address *address, uint32_t group);
/* The group's real with this host (NULL: any one); NULL none. */
struct alteon_real *alteon_real_of(struct alteon *a, uint32_t group, const struct address *address);
void alteon_real_drop(struct alteon_real *r);
uint32_t alteon_free_group(const struct alteon *a); /* 0 none */
void alteon_group_take(struct alteon *a, uint32_t group);
uint32_t alteon_free_virtual(const struct alteon *a);
struct alteon_virtual *alteon_virtual_at(struct alteon *a, const struct address *address);
void alteon_virtual_take(struct alteon *a, uint32_t number, const struct address *address);
void alteon_virtual_drop(struct alteon *a, uint32_t number);
uint32_t alteon_free_service(const struct alteon *a, uint32_t virtual_number);
struct alteon_service *alteon_service_at(struct alteon *a, const struct address *endpoint); /* of our virtual servers only */
void alteon_service_take(struct alteon *a, uint32_t virtual_number, uint32_t number, uint32_t group, const struct picture_virtual *v, uint32_t real_port);
void alteon_service_drop(struct alteon *a, struct alteon_service *s);
/* Ours, and nothing leads to it. */
bool alteon_real_unused(const struct alteon *a, uint32_t number);
bool alteon_group_unused(const struct alteon *a, uint32_t number);
bool alteon_has_services(const struct alteon *a, uint32_t virtual_number);

#endif
