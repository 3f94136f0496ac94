/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wanted picture of a balancer: all services that name it, their members with weights, and what its driver needs besides. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/balancers_own.h"

/* "web", "web-2", ...: the first is named as its service, whatever the others are. */
static void virtual_name(const struct service *s, size_t number, char *out, size_t size)
{
	if (number == 0)
		text_copy(out, size, s->config.head.name);
	else
		text_format(out, size, "%.55s-%zu", s->config.head.name, number + 1);
}

void balancer_key(const struct balancer *b, const struct service *s, size_t number, char *out, size_t size)
{
	const struct service_virtual *v = &s->virtuals.at[number];
	char address[ADDRESS_TEXT];

	if (b->config.driver == DRIVER_F5)
		virtual_name(s, number, out, size);
	else if (v->fwmark)
		text_format(out, size, "mark %u%s", v->fwmark, v->family == 6 ? "/6" : "");
	else
		text_format(out, size, "%s%s", address_text(&v->address, 0, address), v->protocol == SERVICE_UDP ? "/udp" : "");
}

static void add_reals(const struct service *s, const struct service_virtual *v, struct picture_virtual *out)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct service_member *m = s->members[i];
		if (!member_is_balanced(&m->m) || m->slot == NO_SLOT)
			continue;
		struct picture_real *r = picture_add_real(out, m->m.node);
		if (!r)
			continue;
		r->address = s->e->model.nodes[m->slot].config.address;
		r->address.port = v->member_port;
		r->weight = member_weight(m);
	}
}

static void add_service(const struct service *s, struct picture *p)
{
	char name[PICTURE_NAME];

	for (size_t i = 0; i < s->virtuals.count; i++) {
		const struct service_virtual *v = &s->virtuals.at[i];
		virtual_name(s, i, name, sizeof name);
		struct picture_virtual *out = picture_add_virtual(p, name);
		if (!out)
			continue;
		out->address = v->address;
		out->fwmark = v->fwmark;
		out->protocol = v->protocol;
		out->family = v->family;
		out->forwarding = s->config.forwarding ? s->config.forwarding : FORWARD_NAT;
		text_copy(out->scheduler, sizeof out->scheduler, s->config.scheduler[0] ? s->config.scheduler : "wrr");
		out->persistence_s = s->config.persistence_s;
		add_reals(s, v, out);
	}
}

/* "socket=/run/x config=/etc/y": the driver's own options. */
static void add_options(const struct balancer *b, struct picture *p)
{
	char text[sizeof b->config.options], *save = NULL;

	text_copy(text, sizeof text, b->config.options);
	for (char *one = strtok_r(text, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
		char *value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		picture_set_option(p, one, value ? value : "1");
	}
}

static void add_pair(const struct balancer *b, size_t director, struct picture *p)
{
	char text[ADDRESS_TEXT];

	if (b->config.driver != DRIVER_IPVS || !b->config.interface[0])
		return;
	picture_set_option(p, "interface", b->config.interface);
	if (!b->config.router)
		return;
	text_format(text, sizeof text, "%u", b->config.router);
	picture_set_option(p, "router", text);
	picture_set_option(p, "priority", director == 0 ? "150" : "100");
	if (balancer_directors(b) < 2)
		return;
	struct address other = director == 0 ? b->config.peer : b->config.address;
	other.port = 0;
	picture_set_option(p, "peer", address_text(&other, 0, text));
}

bool balancer_carries(const struct balancer *b, const struct service *s)
{
	return !strcmp(s->config.balancer, b->config.head.name) && (service_runs(s) || s->count);
}

bool balancer_wants(const struct balancer *b, const char *key)
{
	char text[PICTURE_NAME + 16];

	for (uint32_t i = 0; i < SERVICES_MAX && b->e->services->count; i++) {
		const struct service *s = b->e->services->at[i];
		if (!s || !balancer_carries(b, s))
			continue;
		for (size_t v = 0; v < s->virtuals.count; v++) {
			balancer_key(b, s, v, text, sizeof text);
			if (!strcmp(text, key))
				return true;
		}
	}
	return false;
}

/* The kernel knows no names, and a BIG-IP's pools bear none of ours: what was set and is wanted no more must be said. */
static void add_previous(const struct balancer *b, struct picture *p)
{
	char list[sizeof ((struct picture_option *)0)->value] = "", name[16] = "previous";
	size_t used = 0, lists = 0;

	if (b->config.driver != DRIVER_IPVS && b->config.driver != DRIVER_F5)
		return;
	for (size_t i = 0; i < b->set_count; i++) {
		if (balancer_wants(b, b->set[i]))
			continue;
		if (used + strlen(b->set[i]) + 3 > sizeof list) {
			picture_set_option(p, name, list);
			if (++lists > 9)
				return;
			text_format(name, sizeof name, "previous-%zu", lists);
			used = 0;
		}
		text_append(list, sizeof list, &used, "%s%s", used ? ", " : "", b->set[i]);
	}
	if (used)
		picture_set_option(p, name, list);
}

/* Who we are to a switch; what is secret of it the runner adds. */
static void add_credential(const struct balancer *b, struct picture *p)
{
	const struct config_snmp *c = b->config.snmp[0] ? cluster_find(&b->e->model.wanted, CONFIG_SNMP, b->config.snmp) : NULL;

	if (!c)
		return;
	p->snmp_version = c->version == 3 ? PICTURE_SNMP_V3 : PICTURE_SNMP_V2C;
	p->snmp_auth = c->auth;
	p->snmp_priv = c->priv;
	text_copy(p->snmp_user, sizeof p->snmp_user, c->user);
}

void balancer_picture(const struct balancer *b, size_t director, struct picture *p)
{
	memset(p, 0, sizeof *p);
	text_copy(p->driver, sizeof p->driver, balancer_driver_name(b->config.driver));
	if (b->config.snmp[0])
		p->target = b->config.address;
	add_credential(b, p);
	for (uint32_t i = 0; i < SERVICES_MAX && b->e->services->count; i++) {
		const struct service *s = b->e->services->at[i];
		if (s && balancer_carries(b, s))
			add_service(s, p);
	}
	add_options(b, p);
	add_pair(b, director, p);
	add_previous(b, p);
	picture_sort(p);
}
