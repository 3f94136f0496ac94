/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of pools, software and balancers, each for itself and between them; check.c calls them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/check.h"

const void *check_object(const struct cluster *cluster, enum config_kind kind, size_t i)
{
	return (const char *)cluster->objects[kind] + i * config_size[kind];
}

/* --- pools ------------------------------------------------------------------------------------------------ */

/* Which pool each node is in, as far as pools have been looked at. */
struct claims {
	const struct config_pool **owner; /* by the node's place in the cluster; NULL none */
	size_t size;                      /* nodes that the last pool brought */
	const struct config_node *taken;  /* one that another pool had before; NULL none */
};

static void claims_begin(const struct check *c, struct claims *claims)
{
	*claims = (struct claims){.owner = mem_array(c->cluster->count[CONFIG_NODE] + 1, sizeof *claims->owner)};
}

static void claim(const struct check *c, const struct config_pool *pool, const struct config_node *node, struct claims *claims)
{
	const struct config_pool **owner = &claims->owner[node - (const struct config_node *)c->cluster->objects[CONFIG_NODE]];

	if (!*owner) {
		*owner = pool;
		claims->size++;
	} else if (*owner != pool && !claims->taken) {
		claims->taken = node;
	}
}

/* All nodes of a pool. 0, or ERR_CONFIG for a name that is no node's. */
static int claim_all(const struct check *c, const struct config_pool *pool, struct claims *claims)
{
	const struct config_node *nodes = c->cluster->objects[CONFIG_NODE];
	struct name_list names = {0};
	int rc = 0;

	claims->size = 0;
	for (size_t i = 0; pool->nodes[0] == '@' && i < c->cluster->count[CONFIG_NODE]; i++)
		if (!strcmp(pool->nodes, "@site") || !strcmp(pool->nodes + 1, nodes[i].group))
			claim(c, pool, &nodes[i], claims);
	if (pool->nodes[0] == '@' || hostrange_expand(pool->nodes, &names, NULL))
		return 0;
	for (size_t i = 0; !rc && i < names.count; i++) {
		const struct config_node *node = cluster_find(c->cluster, CONFIG_NODE, names.names[i]);
		if (node)
			claim(c, pool, node, claims);
		else
			rc = check_refuse(c, "add that node, or take it out of the pool's nodes", "node %s does not exist", names.names[i]);
	}
	name_list_free(&names);
	return rc;
}

size_t check_pool_nodes(const struct check *c, const struct config_pool *pool, const struct config_node ***out)
{
	const struct config_node *nodes = c->cluster->objects[CONFIG_NODE];
	struct claims claims;
	size_t count = 0;

	claims_begin(c, &claims);
	claim_all(c, pool, &claims);
	*out = mem_array(claims.size + 1, sizeof **out);
	for (size_t i = 0; count < claims.size; i++)
		if (claims.owner[i])
			(*out)[count++] = &nodes[i];
	free(claims.owner);
	return count;
}

int check_pool(const struct check *c)
{
	const struct config_pool *pool = c->object;
	struct claims claims;
	int rc = check_scope(c, pool->nodes);

	claims_begin(c, &claims);
	if (!rc)
		rc = claim_all(c, pool, &claims);
	if (!rc && pool->reserve && pool->reserve >= claims.size)
		rc = check_refuse(c, "let reserve be less, or add nodes", "reserve %u leaves none of its %zu nodes", pool->reserve, claims.size);
	free(claims.owner);
	return rc;
}

/* A node may be in one pool only: two would give it to two services. */
int check_pools_apart(struct check *c)
{
	const struct config_node *nodes = c->cluster->objects[CONFIG_NODE];
	struct claims claims;
	int rc = 0;

	claims_begin(c, &claims);
	for (size_t i = 0; !rc && i < c->cluster->count[CONFIG_POOL]; i++) {
		const struct config_pool *pool = check_object(c->cluster, CONFIG_POOL, i), *other;
		if (claim_all(c, pool, &claims) || !claims.taken)
			continue;
		other = claims.owner[claims.taken - nodes];
		/* the one that comes later in the file is the one to complain about */
		c->kind = CONFIG_POOL;
		c->object = other->head.line > pool->head.line ? other : pool;
		rc = check_refuse(c, "let each node be in one pool only", "node %s is in pool %s too", claims.taken->head.name,
				  c->object == pool ? other->head.name : pool->head.name);
	}
	free(claims.owner);
	return rc;
}

/* --- software --------------------------------------------------------------------------------------------- */

static bool only(const char *text, const char *others)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(others, *text))
			return false;
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && !strcmp(text + n - m, end);
}

static bool is_sha256(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int check_package(const struct check *c, const struct config_software *s)
{
	if (!s->package[0])
		return check_refuse(c, "add package=\"nginx\"", "has no package");
	if (s->digest[0] || s->target[0])
		return check_refuse(c, "leave them out, or write kind=\"bundle\"", "a package has no digest and no target");
	/* Debian policy 5.6.1 and 5.6.12 */
	if (!islower((unsigned char)s->package[0]) && !isdigit((unsigned char)s->package[0]))
		return check_refuse(c, "write it as apt shows it", "package %s is no name of a Debian package", s->package);
	if (strlen(s->package) < 2 || !only(s->package, "+-."))
		return check_refuse(c, "write it as apt shows it", "package %s is no name of a Debian package", s->package);
	if (s->version[0] && (!isalnum((unsigned char)s->version[0]) || !only(s->version, ".+:~-")))
		return check_refuse(c, "write it as apt shows it", "version %s is none of a Debian package", s->version);
	if (s->source[0] && strncmp(s->source, "deb ", 4) != 0)
		return check_refuse(c, "write it as \"deb https://repository.example/debian stable main\"",
				    "source is no line of apt's sources");
	return 0;
}

static bool is_safe_target(const char *path)
{
	return strlen(path) > 1 && !strstr(path, "/../") && !ends_with(path, "/..") && !strstr(path, "//") && only(path, "/._-");
}

static int check_bundle(const struct check *c, const struct config_software *s)
{
	bool web = !strncmp(s->source, "https://", 8) || !strncmp(s->source, "http://", 7);

	if (s->package[0])
		return check_refuse(c, "leave it out, or write kind=\"package\"", "a bundle has no package");
	if (!s->source[0] || !s->digest[0] || !s->target[0])
		return check_refuse(c, "add source=\"https://...\", digest=\"...\" and target=\"/opt/...\"", "a bundle needs %s",
				    !s->source[0] ? "a source" : !s->digest[0] ? "a digest" : "a target");
	if ((!web && s->source[0] != '/') || strpbrk(s->source, " \"'\\`$") || strstr(s->source, "/../"))
		return check_refuse(c, "write it as https://images.example/web-3.tar, or as an absolute path",
				    "source is neither a URL nor a path");
	if (!ends_with(s->source, ".tar") && !ends_with(s->source, ".squashfs"))
		return check_refuse(c, "pack it as .tar or .squashfs", "source ends neither in .tar nor in .squashfs");
	if (!is_sha256(s->digest))
		return check_refuse(c, "write the 64 digits that sha256sum prints", "digest is no sha256 in small hexadecimal digits");
	if (!is_safe_target(s->target))
		return check_refuse(c, "write it as /opt/web", "target %s is no directory of its own", s->target);
	return 0;
}

int check_software(const struct check *c)
{
	const struct config_software *s = c->object;

	return s->kind == SOFTWARE_BUNDLE ? check_bundle(c, s) : check_package(c, s);
}

/* --- balancers -------------------------------------------------------------------------------------------- */

#define OPTIONS_MAX 16 /* as many as a picture takes */

/* "socket=/run/x config=/etc/y": names that differ, each with a value. */
static int check_options(const struct check *c, const char *text)
{
	const char *names[OPTIONS_MAX];
	size_t lengths[OPTIONS_MAX], count = 0;

	while (*(text += strspn(text, " "))) {
		size_t size = strcspn(text, " "), name = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_");
		if (name == 0 || name > 31 || text[name] != '=' || name + 1 >= size)
			return check_refuse(c, "write them as socket=/run/haproxy/admin.sock config=/etc/haproxy/glory.cfg",
					    "option %.*s is not NAME=VALUE", (int)(size < 40 ? size : 40), text);
		if (count == OPTIONS_MAX)
			return check_refuse(c, "remove some", "has more than %d options", OPTIONS_MAX);
		for (size_t i = 0; i < count; i++)
			if (lengths[i] == name && !strncmp(names[i], text, name))
				return check_refuse(c, "remove one of them", "option %.*s is there twice", (int)name, text);
		names[count] = text;
		lengths[count++] = name;
		text += size;
	}
	return 0;
}

/* How the appliance gets at it: over SNMP, over node control, or because it is this machine. */
static int check_reach(const struct check *c, const struct config_balancer *b)
{
	const char *driver = balancer_driver_name(b->driver);

	if (config_driver_uses_snmp(b->driver)) {
		if (!b->address.family)
			return check_refuse(c, "add address=\"10.1.0.250\"", "driver %s needs the switch's address", driver);
		if (b->ssh[0])
			return check_refuse(c, "leave ssh out", "driver %s manages a switch over SNMP, not over ssh", driver);
		return b->snmp[0] ? 0 : check_refuse(c, "add snmp=\"switches\" and that credential", "driver %s needs an snmp credential", driver);
	}
	if (b->snmp[0])
		return check_refuse(c, "leave snmp out", "driver %s takes no snmp credential", driver);
	if (b->driver == DRIVER_NFTABLES && !b->address.family)
		return check_refuse(c, "add address=\"10.1.0.250\" and ssh=\"control\" of a director",
				    "driver nftables changes a firewall, which programs of this machine may not");
	if (b->address.family && !b->ssh[0])
		return check_refuse(c, "add ssh=\"control\", or leave address out when it is this machine",
				    "has an address but no ssh credential");
	if (!b->address.family && b->ssh[0] && !b->peer.family)
		return check_refuse(c, "add address=\"10.1.0.250\", or leave ssh out when it is this machine",
				    "has an ssh credential but no address");
	return 0;
}

/* A pair of directors. */
static int check_pair(const struct check *c, const struct config_balancer *b)
{
	if (b->driver != DRIVER_IPVS && (b->peer.family || b->router || b->interface[0]))
		return check_refuse(c, "leave peer, router and interface out", "only directors of driver ipvs come in pairs, this is one of %s",
				    balancer_driver_name(b->driver));
	if (b->peer.family && !b->interface[0])
		return check_refuse(c, "add interface=\"eth0\", which both directors speak over", "has a peer but no interface");
	if (b->router && !b->interface[0])
		return check_refuse(c, "add interface=\"eth0\", which carries the virtual addresses", "has a router but no interface");
	if (b->peer.family && !b->ssh[0])
		return check_refuse(c, "add ssh=\"control\"", "has a peer but no ssh credential");
	if (b->peer.family && address_same_host(&b->peer, &b->address))
		return check_refuse(c, "write the other director's", "its peer has its own address");
	return 0;
}

int check_balancer(const struct check *c)
{
	const struct config_balancer *b = c->object;
	int rc = check_reach(c, b);

	if (!rc)
		rc = check_pair(c, b);
	return rc ? rc : check_options(c, b->options);
}

/* Two of one driver at one place would undo each other's changes. */
int check_balancers_apart(struct check *c)
{
	for (size_t i = 0; i < c->cluster->count[CONFIG_BALANCER]; i++)
		for (size_t k = 0; k < i; k++) {
			const struct config_balancer *a = check_object(c->cluster, CONFIG_BALANCER, k);
			const struct config_balancer *b = check_object(c->cluster, CONFIG_BALANCER, i);
			bool apart = b->driver != DRIVER_IPVS && strcmp(a->options, b->options) != 0; /* several may run on one machine */
			if (a->driver != b->driver || !address_equal(&a->address, &b->address) || apart)
				continue;
			c->kind = CONFIG_BALANCER;
			c->object = a->head.line > b->head.line ? a : b;
			return check_refuse(c, "put their services on one of them", "is the same as balancer %s",
					    c->object == a ? b->head.name : a->head.name);
		}
	return 0;
}
