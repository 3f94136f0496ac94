/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of balancers share: balancers.c brings pictures there and takes what comes back, balancers_picture.c makes them,
 * balancers_show.c shows what was read. */
#ifndef GLORY_ENGINE_BALANCERS_OWN_H
#define GLORY_ENGINE_BALANCERS_OWN_H

#include "balance/picture.h"
#include "engine/balancers.h"
#include "engine/services_own.h"

#define DIRECTORS 2
#define SET_MAX 64           /* virtual servers that are remembered as set and wanted no more */

struct director { /* one machine that gets the picture: the balancer itself, or the other one of a pair */
	uint64_t request;          /* open run; 0 none */
	uint64_t wanted_hash;      /* of the picture that is there (read back so); 0 none */
	uint64_t sent_hash;        /* of the one on its way */
	uint64_t frame;            /* haproxy: of its virtual servers */
	int64_t sent_ms, read_ms, next_ms, gap_ms;
	bool read, pending, left, unsaved;
	int status;                /* 0, or a negative error kind */
	char why[256], brief[256]; /* brief: without the machine's address, where the trouble is the machine's */
	struct picture have;       /* as read back last: its virtual servers, owned */
	bool have_stands;          /* and nobody of ours has changed it since */
};

struct balancer {
	struct engine *e;
	uint32_t slot, generation;
	struct config_balancer config;
	bool there;                /* in the wanted state */
	bool counts;               /* has told connections */
	uint64_t hash;             /* of the picture that is wanted now */
	struct director at[DIRECTORS];
	uint64_t commands, repairs;
	uint32_t hands;            /* repairs that were not told yet */
	char hand[CAUSE_SIZE];     /* the first of them */
	int64_t hands_told_ms;     /* 0 never */
	uint32_t foreign, virtuals, reals;
	char set[SET_MAX][PICTURE_NAME + 16]; /* virtual servers that stand there, by balancer_key() */
	size_t set_count;
	int8_t alarm;              /* raised: 1, not: 0, not known: -1 */
	uint8_t told;              /* the state that was told last */
};

struct balancers {
	struct balancer *at[SERVICES_MAX];
	uint32_t count;
	bool started;
};

/* NULL: no such balancer. */
struct balancer *balancer_find(const struct engine *e, const char *name);
size_t balancer_directors(const struct balancer *b);

/* --- balancers_show.c */
/* What a run's status makes of a balancer; in step for 0. */
enum balancer_state balancer_trouble(int status);
/* An event for what was changed by hand and is set right, one a minute however often somebody else does it. */
void balancer_tell_hands(struct balancer *b, int64_t now_ms);

/* --- balancers_picture.c */
/* What a director is to have. *p is filled; picture_clear() it. */
void balancer_picture(const struct balancer *b, size_t director, struct picture *p);
/* What tells a service's virtual server from others at this balancer: the words of `virtuals`; for an f5 its name, which is the pool's. */
void balancer_key(const struct balancer *b, const struct service *s, size_t number, char *out, size_t size);
bool balancer_wants(const struct balancer *b, const char *key);
/* Whether a service's virtual servers stand at this balancer now. */
bool balancer_carries(const struct balancer *b, const struct service *s);

#endif
