/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of services, pools, balancers and repair share. */
#ifndef GLORY_ENGINE_SERVICES_OWN_H
#define GLORY_ENGINE_SERVICES_OWN_H

#include <uthash.h>

#include "config/service_text.h"
#include "engine/services.h"
#include "service/hot.h"
#include "service/ladder.h"
#include "service/plan.h"
#include "service/sizing.h"

struct service_member {
	struct member m;
	uint32_t slot, generation;  /* of its node; NO_SLOT: it is not in the cluster */
	uint32_t board_slot;
	bool storing;               /* a change is on its way to the disk */
	bool moving;                /* its node is hot: it is to go */
	bool renew;                 /* the ladder wants it stopped and started as a whole */
	enum member_run run;        /* of the present state */
	enum member_verb run_verb;
	uint64_t request;           /* open run, 0 none */
	char run_text[128];
	double weight;              /* by headroom, nominal 100 (service/weights.h) */
	uint32_t written;
	/* as the balancer was read back */
	bool at_balancer, weightless; /* weightless: it has weight 0 there */
	int64_t read_ms;            /* when the read was asked for; 0 never */
	uint64_t connections, total, bytes;
	double value, value_before; /* the last two utilisations seen while it served, 10 s apart, and since when it is the same */
	int64_t value_ms;
	int8_t told_failed;         /* its alarm: -1 not known */
	UT_hash_handle hh;          /* in by_node */
};

struct service {
	struct engine *e;
	uint32_t slot, generation;
	struct config_service config;  /* the last one while it is being removed */
	struct config_software software;
	bool has_software;
	uint64_t build;
	bool there;                    /* in the wanted state */
	bool halted;                   /* stopped by a person */
	bool reached;                  /* has been well since it was started */
	bool braked;
	struct service_virtuals virtuals;
	struct service_probe probe;
	struct service_schedule schedule;
	struct service_member **members; /* owned */
	struct service_member *by_node;  /* the same by the name of their node */
	size_t count, room;
	struct service_plan plan;      /* of the last round */
	struct sizing_state sizing;
	struct sizing_decision decision;
	char reason[SIZING_REASON];
	uint32_t wanted;               /* size */
	uint32_t cap;                  /* nodes were taken from it for others: no more than this; 0 none */
	uint32_t granted;              /* nodes it may take now */
	int64_t received_s, given_s, moved_s; /* UTC */
	uint32_t move_to;              /* slot of the node that is to take what leaves a hot one; NO_SLOT none */
	int64_t restart_wall_ms, changed_wall_ms;
	double utilisation, requests, bytes; /* NAN unknown; per second */
	uint64_t connections, total, total_bytes;
	int64_t counted_ms, weighed_ms;
	uint8_t told_level, told_state;
	char told_cause[64];
};

enum slot_kind { SLOT_POOL, SLOT_SERVICE, SLOT_BALANCER, SLOT_KINDS };
struct kept_slot {
	char name[NAME_SIZE];
	uint32_t generation; /* 0: free */
};

struct services {
	struct service *at[SERVICES_MAX]; /* by slot */
	uint32_t count;
	struct kept_slot slots[SLOT_KINDS][SERVICES_MAX];
	uint32_t next_generation;
	struct loop_timer *timer;
	int64_t sized_ms;
	bool planning, again;
	bool site_braked;
	uint16_t *carried;      /* by node slot: members on it, of all services */
	struct hot_node *hot;   /* by node slot; NULL until there is a service */
};

/* --- services_store.c */
/* The slot of a name, kept by the store; NO_SLOT: SERVICES_MAX are in use. */
uint32_t slots_take(struct engine *e, enum slot_kind kind, const char *name, uint32_t *generation);
void slots_drop(struct engine *e, enum slot_kind kind, const char *name);
void services_save(struct service *s);                              /* /service/NAME */
void services_save_sizing(struct service *s);                       /* /service/NAME/sizing */
void member_save(struct service *s, const struct service_member *m, store_done *done, void *arg);
void member_erase(struct service *s, const struct service_member *m, store_done *done, void *arg);
void services_erase(struct service *s);

/* --- services.c */
struct service *service_find(struct engine *e, const char *name);   /* NULL: none */
struct service *service_by_id(struct engine *e, uint32_t slot, uint32_t generation);
struct service *service_make(struct engine *e, const char *name);   /* NULL: no room */
void service_take_config(struct service *s, const struct config_service *config);
bool service_runs(const struct service *s);                         /* it is to have members */
enum policy service_policy(const struct service *s);

/* --- services_members.c */
struct service_member *member_find(const struct service *s, const char *node);
struct service_member *member_make(struct service *s, const char *node);
void member_drop(struct service *s, struct service_member *m);      /* out of memory and off the board */
void service_plan_round(struct service *s);                         /* sees, plans, acts */
void member_witness_of(const struct service *s, const struct service_member *m, struct member_witness *out, char *text, size_t size);
enum evidence member_evidence_of(const struct service *s, const struct service_member *m, char *text, size_t size);
bool member_run_now(struct service *s, struct service_member *m, const char *verb); /* for the ladder: false when another run is open */
uint32_t member_weight(const struct service_member *m);             /* as it is to be at the balancer */

/* --- services_size.c */
void services_size(struct engine *e);     /* each 10 s */
int64_t services_clock_s(const struct engine *e); /* the deciders' UTC seconds; in a lab they may go faster (time-scale) */
void services_weigh(struct service *s);
void services_share(struct engine *e);    /* the arbiter over each pool: granted, cap */
void services_move_hot(struct engine *e); /* each 10 s */

/* --- services_publish.c */
void services_publish(struct engine *e);
void service_publish_gone(struct service *s);
void member_publish_gone(struct engine *e, struct service_member *m);
void service_alarms(struct service *s);

#endif
