/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes that stay hot although their weight is at the floor: which service leaves, where it goes, and when that is allowed at all. A move is
 * no change of size: the new member comes into service first, then the old one drains. Pure; times are seconds on any clock that the caller
 * keeps across restarts (UTC). */
#ifndef GLORY_SERVICE_HOT_H
#define GLORY_SERVICE_HOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOT_SPELLS = 3, HOT_LEFT = 8, HOT_LOOKS = 6 };

/* What is remembered of a node; zero at first. */
struct hot_node {
	int64_t above_since_s, below_since_s; /* 0: it is not */
	int64_t moved_s;                      /* last move away */
	int64_t spells[HOT_SPELLS];           /* hot spells without an owner to blame, oldest first; 0 none */
	struct {
		uint32_t service;             /* that left; 0 none: the caller numbers services from 1 */
		int64_t at_s;
	} left[HOT_LEFT];
	bool hot, sick;                       /* sick: three such spells in a day: the repair ladder's business */
	float recent[HOT_LOOKS];              /* utilisations of the last looks, a ring */
	uint32_t looks;
};
/* Takes in the utilisation of one look, each 10 s, and gives the mean of the last 60 s, which is what hot_seen wants; NAN in gives NAN, and the
 * mean begins anew. */
double hot_mean(struct hot_node *node, double utilisation);

struct hot_seen {
	double utilisation; /* mean of the last 60 s, 0..1; NAN unknown: nothing changes */
	bool at_floor;      /* the weight of a member on it stands at WEIGHTS_FLOOR */
	bool thermal;       /* a thermal level is major or worse */
	bool owned;         /* hot_parts(): there is an owner to blame */
};
/* One look, each 10 s or so. Returns true when the node has just become hot. */
bool hot_look(struct hot_node *node, const struct hot_seen *seen, int64_t now_s);

/* What one member has of its node's load cannot be measured; what the balancer sends it can be told: as much as the others of its service have, in the
 * measure of its weight against theirs. */
struct hot_part {
	double others;      /* mean utilisation of the service's other settled members; NAN unknown: an equal part is taken */
	double weight;      /* of this member, against the others' mean */
	double load;        /* out: its part, 0..1; the parts of a node are never more than there is */
};
/* Fills the load of each member on a node of that utilisation. Returns whether together they carry at least half of it; an unknown
 * utilisation is laid to them. */
bool hot_parts(double utilisation, struct hot_part *parts, size_t count);

/* --- who moves where --- */
struct hot_service { /* on the hot node */
	uint32_t service;   /* the caller's number, from 1 */
	double load;        /* its share of the node's utilisation, 0..1 */
	int64_t moved_s;    /* when a move of this service, of any member, began last; 0 never */
	bool movable;       /* enabled, not pinned to the node, in service on it, no member of it on the way elsewhere for a move */
};
struct hot_target { /* a node of the service's pool that is fit and does not carry it */
	uint32_t service;           /* that it could take */
	uint32_t node;              /* the caller's number */
	double utilisation;         /* NAN unknown: never taken */
	const struct hot_node *seen; /* its memory */
};
struct hot_limits {
	uint32_t group_nodes;  /* of the hot node's group */
	uint32_t group_moving; /* moves under way there */
};
enum hot_answer { HOT_STAY = 1, HOT_MOVE, HOT_SICK };
struct hot_move {
	enum hot_answer answer;
	uint32_t service, node; /* of a move */
	const char *reason;     /* of a stay: "no service can move", ...; static */
};
/* What to do about a hot node. On HOT_MOVE the caller starts the new member, and calls hot_moved() at once. */
struct hot_move hot_decide(const struct hot_node *node, double utilisation, const struct hot_limits *limits, const struct hot_service *services,
			   size_t service_count, const struct hot_target *targets, size_t target_count, int64_t now_s);
/* Notes that a service leaves the node. */
void hot_moved(struct hot_node *node, uint32_t service, int64_t now_s);
/* Whether the service left this node within 6 h and must not come back: for every allocation, not only for moves. */
bool hot_barred(const struct hot_node *node, uint32_t service, int64_t now_s);

#endif
