/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of services, each for itself, against its balancer and pool, and between them; check.c calls them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/check.h"
#include "config/service_text.h"

static const char *family_name(uint8_t family)
{
	return family == 6 ? "IPv6" : "IPv4";
}

/* What a parser of service_text.h said, about this service. */
static int refuse_text(const struct check *c, const char *field, const struct error *inner)
{
	return check_refuse(c, inner->remedy, "%s: %s", field, inner->text);
}

static int check_numbers(const struct check *c, const struct config_service *s)
{
	if (s->min > s->max)
		return check_refuse(c, "let max be min or more", "min %u is more than max %u", s->min, s->max);
	if (s->pin > s->max)
		return check_refuse(c, "pin max or less, or raise max", "pin %u is more than max %u", s->pin, s->max);
	if (s->pin_until_ms && !s->pin)
		return check_refuse(c, "add pin=\"4\"", "has a pin-until but no pin");
	if (s->probe_timeout_ms > s->probe_interval_ms)
		return check_refuse(c, "let it be probe-interval-ms or less", "probe-timeout-ms %u is longer than probe-interval-ms %u",
				    s->probe_timeout_ms, s->probe_interval_ms);
	return 0;
}

static int check_schedule(const struct check *c, const struct config_service *s)
{
	struct service_schedule schedule;
	struct error inner;

	if (service_schedule_parse(s->schedule, &schedule, &inner))
		return refuse_text(c, "schedule", &inner);
	for (size_t i = 0; i < schedule.count; i++)
		if (schedule.at[i].least > s->max)
			return check_refuse(c, "ask for max or less, or raise max", "schedule asks for %u, which is more than max %u",
					    schedule.at[i].least, s->max);
	return 0;
}

static int check_texts(const struct check *c, const struct config_service *s)
{
	struct service_agent agent;
	struct service_parameters parameters;
	struct service_probe probe;
	struct error inner;

	if (service_agent_parse(s->agent, &agent, &inner))
		return refuse_text(c, "agent", &inner);
	if (service_parameters_parse(s->parameters, &parameters, &inner))
		return refuse_text(c, "parameters", &inner);
	if (service_probe_parse(s->probe, &probe, &inner))
		return refuse_text(c, "probe", &inner);
	return check_schedule(c, s);
}

/* Schedulers of the Linux kernel's IPVS; each driver says what it makes of them. */
static const char *const schedulers[] = {"rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos"};

static int check_scheduler(const struct check *c, const struct config_service *s, const struct config_balancer *b)
{
	const char *near = nearest_word(s->scheduler, schedulers, COUNT_OF(schedulers));
	char remedy[96];
	size_t i = 0;

	while (i < COUNT_OF(schedulers) && strcmp(schedulers[i], s->scheduler) != 0)
		i++;
	text_format(remedy, sizeof remedy, near ? "did you mean %s" : "write wrr, wlc or another of ipvsadm's", near);
	if (i == COUNT_OF(schedulers))
		return check_refuse(c, remedy, "scheduler %s is none", s->scheduler);
	if (b->driver == DRIVER_F5 && (strcmp(s->scheduler, "wrr") != 0 || s->persistence_s))
		return check_refuse(c, "leave scheduler and persistence out, and set them on the switch",
				    "balancer %s (f5) only enables and disables what its administrator has made", b->head.name);
	return 0;
}

/* Addresses are translated one to one unless the balancer ends the connection itself or wraps it up. */
static bool mixes_families(const struct config_service *s, const struct config_balancer *b)
{
	return b->driver == DRIVER_HAPROXY || (b->driver == DRIVER_IPVS && s->forwarding == FORWARD_TUNNEL);
}

/* One virtual server against what the balancer's family can do. */
static int check_virtual(const struct check *c, const struct config_service *s, const struct config_balancer *b,
			 const struct service_virtual *v)
{
	const char *driver = balancer_driver_name(b->driver);

	if (v->protocol == SERVICE_FWMARK && b->driver != DRIVER_IPVS)
		return check_refuse(c, "name an address and port, or a balancer of driver ipvs", "balancer %s (%s) knows no firewall marks",
				    b->head.name, driver);
	if (v->protocol == SERVICE_UDP && b->driver == DRIVER_HAPROXY)
		return check_refuse(c, "use a balancer of driver ipvs or nftables", "balancer %s (%s) carries no udp", b->head.name, driver);
	if (v->protocol != SERVICE_FWMARK && s->forwarding != FORWARD_NAT && v->member_port != v->address.port)
		return check_refuse(c, "leave > and the port out, or use forwarding=\"nat\"",
				    "forwarding %s leaves port %u as it is: members cannot serve it on %u", forwarding_name(s->forwarding),
				    v->address.port, v->member_port);
	return 0;
}

/* Node n of the service's pool against a virtual server. */
static int check_family(const struct check *c, const struct config_service *s, const struct service_virtuals *virtuals,
			const struct config_node *n)
{
	for (size_t i = 0; i < virtuals->count; i++)
		if (virtuals->at[i].family != n->address.family)
			return check_refuse(c, "use virtual addresses and nodes of one family, or a balancer of driver haproxy",
					    "a virtual address is %s, node %s of pool %s is %s", family_name(virtuals->at[i].family),
					    n->head.name, s->pool, family_name(n->address.family));
	return 0;
}

static int check_virtuals(const struct check *c, const struct config_service *s, const struct config_balancer *b,
			  struct service_virtuals *virtuals)
{
	struct error inner;
	int rc = 0;

	if (service_virtuals_parse(s->virtuals, virtuals, &inner))
		return refuse_text(c, "virtuals", &inner);
	if (s->forwarding != FORWARD_NAT && b->driver != DRIVER_IPVS)
		return check_refuse(c, "leave it out, or use a balancer of driver ipvs", "balancer %s (%s) does not do forwarding %s",
				    b->head.name, balancer_driver_name(b->driver), forwarding_name(s->forwarding));
	for (size_t i = 0; !rc && i < virtuals->count; i++)
		rc = check_virtual(c, s, b, &virtuals->at[i]);
	return rc;
}

/* The pool can give what the service needs at least, and the balancer reaches its nodes. */
static int check_members(const struct check *c, const struct config_service *s, const struct config_balancer *b,
			 const struct service_virtuals *virtuals)
{
	const struct config_pool *pool = cluster_find(c->cluster, CONFIG_POOL, s->pool);
	const struct config_node **nodes;
	uint32_t size = (uint32_t)check_pool_nodes(c, pool, &nodes), reserve = config_pool_reserve(pool, size);
	int rc = 0;

	if (s->min > size || size - s->min < reserve)
		rc = check_refuse(c, "lower min, or add nodes to the pool", "min %u is more than pool %s can give: %u nodes, %u of them kept in reserve",
				  s->min, s->pool, size, reserve);
	for (uint32_t i = 0; !rc && i < size && !mixes_families(s, b); i++)
		rc = check_family(c, s, virtuals, nodes[i]);
	free(nodes);
	return rc;
}

int check_service(const struct check *c)
{
	const struct config_service *s = c->object;
	const struct config_balancer *b = cluster_find(c->cluster, CONFIG_BALANCER, s->balancer);
	struct service_virtuals virtuals;
	int rc = check_numbers(c, s);

	if (!rc)
		rc = check_texts(c, s);
	if (!rc)
		rc = check_scheduler(c, s, b);
	if (!rc)
		rc = check_virtuals(c, s, b, &virtuals);
	return rc ? rc : check_members(c, s, b, &virtuals);
}

/* --- between services --------------------------------------------------------------------------------------- */

struct served {
	struct service_virtual at;
	const struct config_service *service;
};

/* Addresses are the network's, whichever balancer has them; a mark is the balancer's own. */
static bool collide(const struct served *a, const struct served *b)
{
	return service_virtual_same(&a->at, &b->at) && (a->at.address.family || !strcmp(a->service->balancer, b->service->balancer));
}

static int blame(struct check *c, const struct served *a, const struct served *b)
{
	const struct served *late = a->service->head.line > b->service->head.line ? a : b, *early = late == a ? b : a;
	char text[ADDRESS_TEXT + 16];

	if (late->at.address.family)
		text_format(text, sizeof text, "%s%s", address_text(&late->at.address, 0, (char[ADDRESS_TEXT]){0}),
			    late->at.protocol == SERVICE_UDP ? "/udp" : "");
	else
		text_format(text, sizeof text, "mark %u", late->at.fwmark);
	c->kind = CONFIG_SERVICE;
	c->object = late->service;
	return check_refuse(c, "give each service its own address and port", "virtual %s is that of service %s too", text,
			    early->service->head.name);
}

/* A virtual server belongs to one service. At most SERVICES_MAX x SERVICE_VIRTUALS_MAX of them, so each is held against each. */
int check_services_apart(struct check *c)
{
	size_t services = c->cluster->count[CONFIG_SERVICE], count = 0;
	struct served *all = mem_array(services * SERVICE_VIRTUALS_MAX + 1, sizeof *all);
	struct service_virtuals virtuals;
	int rc = 0;

	for (size_t i = 0; i < services; i++) {
		const struct config_service *s = check_object(c->cluster, CONFIG_SERVICE, i);
		if (service_virtuals_parse(s->virtuals, &virtuals, NULL))
			continue;
		for (size_t k = 0; k < virtuals.count; k++)
			all[count++] = (struct served){virtuals.at[k], s};
	}
	for (size_t i = 0; !rc && i < count; i++)
		for (size_t k = 0; !rc && k < i; k++)
			if (all[k].service != all[i].service && collide(&all[k], &all[i]))
				rc = blame(c, &all[k], &all[i]);
	free(all);
	return rc;
}
