/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rules of check.c and check_service.c share. Used inside config/ only; others call cluster_check(). */
#ifndef GLORY_CONFIG_CHECK_H
#define GLORY_CONFIG_CHECK_H

#include <stddef.h>

#include "config/fields.h"

struct check {
	const struct cluster *cluster;
	enum config_kind kind;
	const void *object; /* that is checked: what a refusal is about */
	struct error *e;
};

/* Fills *c->e with the object's label, the text and the remedy. Returns ERR_CONFIG. */
int check_refuse(const struct check *c, const char *remedy, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "@site", a range of names, or a group that exists. */
int check_scope(const struct check *c, const char *scope);

/* An object by its place in its kind's array. */
const void *check_object(const struct cluster *cluster, enum config_kind kind, size_t i);
/* The different nodes of a pool, names that are no node's left out: how many; *out is the caller's to free. */
size_t check_pool_nodes(const struct check *c, const struct config_pool *pool, const struct config_node ***out);

/* Rules of one object (check_pool.c, check_service.c) ... */
int check_pool(const struct check *c);
int check_software(const struct check *c);
int check_balancer(const struct check *c);
int check_service(const struct check *c);
/* ... and those between objects: c->kind and c->object become the one to blame. */
int check_pools_apart(struct check *c);
int check_balancers_apart(struct check *c);
int check_services_apart(struct check *c);

#endif
