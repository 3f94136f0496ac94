/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pool, many services: who gets a free node, and who has to give one back. Minimum and replacements first, then services in danger by class,
 * then the rest by class, max-min fair; nothing is held back but the repair reserve; nodes are taken from a lower class only for one that is
 * really short and only down to what the victim carries. Pure; called each 10 s with what there is, it keeps nothing itself. */
#ifndef GLORY_SERVICE_ARBITER_H
#define GLORY_SERVICE_ARBITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARBITER_CLASSES = 3 };

struct arbiter_service {
	uint32_t class;         /* 1 (served first) .. 3 */
	uint32_t wanted, min;
	uint32_t have;          /* in service and coming, without those draining */
	uint32_t replacements;  /* of its shortage, members that died or were called: asked for whatever the class */
	double demand;          /* members' worth; NAN unknown: never in danger, and counted as all it has when nodes are taken */
	int64_t received_s;     /* last grant; 0 never */
	int64_t given_s;        /* last time a node was taken from it for another; 0 never */
	/* out */
	uint32_t granted;       /* nodes it may allocate now */
	uint32_t taken;         /* members it has to drain for others */
	bool danger;            /* demand above .9 of what it has */
};
struct arbiter_pool {
	uint32_t free;          /* fit and free now */
	uint32_t coming_back;   /* draining: free soon; nothing more is taken while they cover the need */
	uint32_t nodes;         /* all of the pool */
	uint32_t reserve;       /* kept for replacements; 0: 2 %, at least 1 */
};

/* Fills granted, taken and danger of each service. Grants never exceed what is free; the reserve is for minimum and replacements only. The
 * caller notes received_s and given_s of those that got or gave. Returns how many nodes were asked for and not to be had. */
uint32_t arbiter_share(const struct arbiter_pool *pool, struct arbiter_service *services, size_t count, int64_t now_s);
/* The reserve of a pool: configured, or 2 %, at least 1. */
uint32_t arbiter_reserve(uint32_t nodes, uint32_t configured);
/* Warm spares worth asking for: one per 20 members of the largest service of class 1. */
uint32_t arbiter_spares(const struct arbiter_service *services, size_t count);

#endif
