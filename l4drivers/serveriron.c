/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Foundry and Brocade ServerIron by FOUNDRY-SN-SW-L4-SWITCH-GROUP-MIB: every SET acts at once, rows have a status of their own (not RFC
 * 2579's), a real server or its port goes only when its last connection has. Real servers are rows by address with one weight for all
 * that they serve; a member is its (address, port) row and the binding of it to a (virtual address, port). A member drains by its port's
 * AdminStatus. Ours is told by the prefix of the names; names are made of addresses, so the picture's come from the endpoints. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/snmp.h"

#define S "1.3.6.1.4.1.1991.1.1.4."
#define BINDS 2048
#define NAME 48

enum { ROW_OTHER = 1, ROW_VALID = 2, ROW_DELETE = 3, ROW_CREATE = 4 };
enum { ADMIN_DISABLED = 0, ADMIN_ENABLED = 1 };
enum { SAVE_NORMAL = 1, SAVE_ERROR = 2, SAVE_WRITE = 3 };
#define STICKY_S 300 /* the switch's own sticky age, unless it was changed there */
#define POLL_MS 100

enum { REAL_NAME, REAL_WEIGHT, REAL_LIMIT, REAL_STATUS, REAL_GOING, PORT_ADMIN, PORT_STATUS, PORT_GOING, VIRTUAL_NAME, VIRTUAL_ADMIN, VIRTUAL_SCHEDULER,
       VIRTUAL_STATUS, VPORT_ADMIN, VPORT_STICKY, VPORT_STATUS, BIND_VIRTUAL, BIND_VPORT, BIND_REAL, BIND_RPORT, BIND_STATUS, SAVE, REAL_ADMIN, OBJECTS };
static const struct snmp_object objects[OBJECTS] = {
    [REAL_NAME] = {"snL4RealServerCfgName", S "19.1.1.2"},
    [REAL_ADMIN] = {"snL4RealServerCfgAdminStatus", S "19.1.1.3"},
    [REAL_LIMIT] = {"snL4RealServerCfgMaxConnections", S "19.1.1.4"},
    [REAL_WEIGHT] = {"snL4RealServerCfgWeight", S "19.1.1.5"},
    [REAL_STATUS] = {"snL4RealServerCfgRowStatus", S "19.1.1.6"},
    [REAL_GOING] = {"snL4RealServerCfgDeleteState", S "19.1.1.7"},
    [PORT_ADMIN] = {"snL4RealServerPortCfgAdminStatus", S "20.1.1.4"},
    [PORT_STATUS] = {"snL4RealServerPortCfgRowStatus", S "20.1.1.5"},
    [PORT_GOING] = {"snL4RealServerPortCfgDeleteState", S "20.1.1.6"},
    [VIRTUAL_NAME] = {"snL4VirtualServerCfgName", S "21.1.1.2"},
    [VIRTUAL_ADMIN] = {"snL4VirtualServerCfgAdminStatus", S "21.1.1.3"},
    [VIRTUAL_SCHEDULER] = {"snL4VirtualServerCfgSDAType", S "21.1.1.4"},
    [VIRTUAL_STATUS] = {"snL4VirtualServerCfgRowStatus", S "21.1.1.5"},
    [VPORT_ADMIN] = {"snL4VirtualServerPortCfgAdminStatus", S "22.1.1.4"},
    [VPORT_STICKY] = {"snL4VirtualServerPortCfgSticky", S "22.1.1.5"},
    [VPORT_STATUS] = {"snL4VirtualServerPortCfgRowStatus", S "22.1.1.7"},
    [BIND_VIRTUAL] = {"snL4BindVirtualServerName", S "6.1.1.2"},
    [BIND_VPORT] = {"snL4BindVirtualPortNumber", S "6.1.1.3"},
    [BIND_REAL] = {"snL4BindRealServerName", S "6.1.1.4"},
    [BIND_RPORT] = {"snL4BindRealPortNumber", S "6.1.1.5"},
    [BIND_STATUS] = {"snL4BindRowStatus", S "6.1.1.6"},
    [SAVE] = {"snAgWriteNVRAM", "1.3.6.1.4.1.1991.1.1.2.1.3"},
};
/* the newer object of the same meaning */
static const struct snmp_object newer_save = {"snAgSaveConfig", "1.3.6.1.4.1.1991.1.1.2.1.73"};

struct row { /* of the four tables by address: port 0 in those without */
	struct address at;
	char name[NAME];
	int64_t admin, weight, other; /* other: scheduler of a virtual server, stickiness of its port */
	bool going;
	uint32_t users; /* bindings, or ports of a server */
};
struct list {
	struct row *rows;
	size_t count, room;
};
struct bind {
	char virtual_name[NAME], real_name[NAME];
	uint16_t virtual_port, real_port;
	bool used;
};
struct iron {
	struct driver_run *run;
	struct snmp *snmp;
	const char *prefix;
	const struct snmp_object *save;
	struct list reals, ports, virtuals, vports;
	struct bind *binds; /* [BINDS + 1], by index */
	struct list *reading; /* the table the walk is in */
	bool with_port;
};

/* --- tables --------------------------------------------------------------------------------------------- */

static struct row *find_row(struct list *l, const struct address *at)
{
	for (size_t i = 0; i < l->count; i++)
		if (address_equal(&l->rows[i].at, at))
			return &l->rows[i];
	return NULL;
}

static struct row *find_name(struct list *l, const char *name)
{
	for (size_t i = 0; *name && i < l->count; i++)
		if (!strcmp(l->rows[i].name, name))
			return &l->rows[i];
	return NULL;
}

static struct row *take_row(struct list *l, const struct address *at)
{
	struct row *r = find_row(l, at);

	if (r)
		return r;
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 16;
		l->rows = mem_grow(l->rows, l->room, sizeof *l->rows);
	}
	r = &l->rows[l->count++];
	memset(r, 0, sizeof *r);
	r->at = *at;
	return r;
}

static void drop_row(struct list *l, struct row *r)
{
	*r = l->rows[--l->count];
}

/* The row a value belongs to. Tables are walked in the order of their index, so a new row is behind the last one. */
static struct row *row_of(struct iron *t, const struct snmp_value *v, bool make)
{
	struct address at;
	size_t pos = 0;

	if (!snmp_index_address(&v->index, &pos, &at))
		return NULL;
	if (t->with_port && (pos >= v->index.length || v->index.id[pos] < 1 || v->index.id[pos] > 65535))
		return NULL;
	if (t->with_port)
		at.port = (uint16_t)v->index.id[pos++];
	if (pos != v->index.length)
		return NULL;
	return make ? take_row(t->reading, &at) : find_row(t->reading, &at);
}

#define ON(what, make, does)                                               \
	static int on_##what(void *arg, const struct snmp_value *v)        \
	{                                                                  \
		struct row *r = row_of(arg, v, make);                      \
		if (r)                                                     \
			does;                                              \
		return 0;                                                  \
	}
ON(name, true, snmp_value_text(v, r->name, sizeof r->name))
ON(admin, true, r->admin = v->number)
ON(weight, false, r->weight = v->number)
ON(other, false, r->other = v->number)
ON(going, false, r->going = v->number != 0)
#undef ON

static struct bind *bind_of(struct iron *t, const struct snmp_value *v)
{
	if (v->index.length != 1 || v->index.id[0] < 1 || v->index.id[0] > BINDS)
		return NULL;
	t->binds[v->index.id[0]].used = true;
	return &t->binds[v->index.id[0]];
}

static int on_bind_virtual(void *arg, const struct snmp_value *v)
{
	struct bind *b = bind_of(arg, v);

	if (b)
		snmp_value_text(v, b->virtual_name, sizeof b->virtual_name);
	return 0;
}

static int on_bind_real(void *arg, const struct snmp_value *v)
{
	struct bind *b = bind_of(arg, v);

	if (b)
		snmp_value_text(v, b->real_name, sizeof b->real_name);
	return 0;
}

static int on_bind_vport(void *arg, const struct snmp_value *v)
{
	struct bind *b = bind_of(arg, v);

	if (b)
		b->virtual_port = (uint16_t)v->number;
	return 0;
}

static int on_bind_rport(void *arg, const struct snmp_value *v)
{
	struct bind *b = bind_of(arg, v);

	if (b)
		b->real_port = (uint16_t)v->number;
	return 0;
}

static void forget(struct iron *t)
{
	free(t->reals.rows);
	free(t->ports.rows);
	free(t->virtuals.rows);
	free(t->vports.rows);
	free(t->binds);
	t->reals = t->ports = t->virtuals = t->vports = (struct list){0};
	t->binds = NULL;
}

static int read_tables(struct iron *t, struct error *e)
{
	const struct {
		struct list *list;
		bool with_port;
		int object;
		snmp_visit *visit;
	} columns[] = {
	    {&t->reals, false, REAL_NAME, on_name},          {&t->reals, false, REAL_WEIGHT, on_weight},  {&t->reals, false, REAL_GOING, on_going},
	    {&t->ports, true, PORT_ADMIN, on_admin},         {&t->ports, true, PORT_GOING, on_going},     {&t->virtuals, false, VIRTUAL_NAME, on_name},
	    {&t->virtuals, false, VIRTUAL_ADMIN, on_admin},  {&t->virtuals, false, VIRTUAL_SCHEDULER, on_other}, {&t->vports, true, VPORT_ADMIN, on_admin},
	    {&t->vports, true, VPORT_STICKY, on_other},      {NULL, false, BIND_VIRTUAL, on_bind_virtual}, {NULL, false, BIND_VPORT, on_bind_vport},
	    {NULL, false, BIND_REAL, on_bind_real},          {NULL, false, BIND_RPORT, on_bind_rport},
	};

	forget(t);
	t->binds = mem_array(BINDS + 1, sizeof *t->binds);
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		t->reading = columns[i].list;
		t->with_port = columns[i].with_port;
		int rc = switch_walk(t->snmp, &objects[columns[i].object], columns[i].visit, t, e);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- the picture ---------------------------------------------------------------------------------------- */

static bool ours(const struct iron *t, const char *name)
{
	return !strncmp(name, t->prefix, strlen(t->prefix));
}

static struct address without_port(struct address a)
{
	a.port = 0;
	return a;
}

static void picture_members(struct iron *t, const char *virtual_name, struct picture_virtual *v)
{
	for (uint32_t i = 1; i <= BINDS; i++) {
		const struct bind *b = &t->binds[i];
		struct row *real = b->used && b->virtual_port == v->address.port && !strcmp(b->virtual_name, virtual_name) ? find_name(&t->reals, b->real_name) : NULL;

		if (!real)
			continue;
		struct address at = real->at;
		at.port = b->real_port;
		struct row *port = find_row(&t->ports, &at);
		struct picture_real *r = port && !port->going ? picture_add_real(v, "") : NULL;
		if (!r)
			continue;
		r->address = at;
		r->weight = port->admin == ADMIN_ENABLED && real->weight > 0 && real->weight <= 65000 ? (uint32_t)real->weight : 0;
	}
}

/* How many bindings name this real server, with this port (0: any). */
static unsigned bindings(const struct iron *t, const char *real, uint16_t port)
{
	unsigned n = 0;

	for (uint32_t i = 1; i <= BINDS; i++)
		n += t->binds[i].used && !strcmp(t->binds[i].real_name, real) && (!port || t->binds[i].real_port == port);
	return n;
}

static bool belongs_to_nothing(const struct iron *t, const struct row *real)
{
	return ours(t, real->name) && !real->going && !bindings(t, real->name, 0);
}

static void fill_picture(struct iron *t)
{
	for (size_t i = 0; i < t->virtuals.count; i++)
		t->run->result->foreign += !ours(t, t->virtuals.rows[i].name);
	for (size_t i = 0; i < t->vports.count; i++) {
		const struct row *port = &t->vports.rows[i];
		struct address host = without_port(port->at);
		const struct row *server = find_row(&t->virtuals, &host);
		struct picture_virtual *v = server && ours(t, server->name) ? picture_add_virtual(&t->run->have, "") : NULL;

		if (!v)
			continue;
		v->address = port->at;
		v->family = 4;
		v->protocol = PICTURE_TCP;
		v->forwarding = FORWARD_NAT;
		v->persistence_s = port->other ? STICKY_S : 0;
		bool on = server->admin == ADMIN_ENABLED && port->admin == ADMIN_ENABLED;
		text_copy(v->scheduler, sizeof v->scheduler, on ? driver_scheduler_word(&driver_serveriron, (int)server->other) : "disabled");
		picture_members(t, server->name, v);
	}
	for (size_t i = 0; i < t->reals.count; i++)
		t->run->untidy = t->run->untidy || belongs_to_nothing(t, &t->reals.rows[i]);
	size_t waiting = 0;
	for (size_t i = 0; i < t->reals.count; i++)
		waiting += t->reals.rows[i].going && ours(t, t->reals.rows[i].name);
	for (size_t i = 0; i < t->ports.count; i++)
		waiting += t->ports.rows[i].going;
	t->run->result->pending = waiting > 0;
	if (waiting)
		text_format(t->run->result->note, sizeof t->run->result->note, "%zu deletions wait for last connections", waiting);
	picture_adopt_names(&t->run->have, t->run->want);
}

/* --- open, read, close ---------------------------------------------------------------------------------- */

static int iron_open(struct driver_run *run, struct error *e)
{
	struct iron *t = mem_zalloc(sizeof *t);
	struct snmp_index scalar = snmp_index(1, 0);
	struct snmp_value v;

	run->state = t;
	t->run = run;
	t->prefix = driver_prefix(run, &driver_serveriron);
	int rc = switch_open(run, &t->snmp, e);
	if (rc)
		return rc;
	t->save = &newer_save;
	rc = switch_get(t->snmp, t->save, &scalar, &v, e);
	if (rc == ERR_NOT_FOUND) {
		t->save = &objects[SAVE];
		rc = 0;
	}
	return rc;
}

static void iron_close(struct driver_run *run)
{
	struct iron *t = run->state;

	if (!t)
		return;
	forget(t);
	switch_close(t->snmp);
	free(t);
	run->state = NULL;
}

static bool saves(const struct driver_run *run)
{
	return !strcmp(driver_option(run, "save", "yes"), "yes");
}

static int iron_read(struct driver_run *run, struct error *e)
{
	struct iron *t = run->state;
	struct snmp_index scalar = snmp_index(1, 0);
	struct snmp_value v = {0};
	int rc = read_tables(t, e);

	if (!rc && saves(run)) {
		rc = switch_get(t->snmp, t->save, &scalar, &v, e);
		run->unsaved = v.number == SAVE_ERROR;
	}
	if (!rc)
		fill_picture(t);
	return rc;
}

/* --- steps ---------------------------------------------------------------------------------------------- */

static struct snmp_index at_host(const struct address *a)
{
	struct snmp_index index = {.length = 0};

	snmp_index_add_address(&index, a);
	return index;
}

static struct snmp_index at_port(const struct address *a)
{
	struct snmp_index index = at_host(a);

	snmp_index_add(&index, a->port);
	return index;
}

static int set_number(struct iron *t, int object, struct snmp_index index, uint32_t number, struct error *e)
{
	struct snmp_write w = {.object = &objects[object], .index = index, .type = 'i', .number = number};

	return switch_set(t->snmp, &w, 1, e);
}

static const char *our_name(const struct iron *t, const struct address *a, char out[NAME])
{
	char host[ADDRESS_TEXT];
	struct address at = without_port(*a);

	text_format(out, NAME, "%s%s", t->prefix, address_text(&at, 0, host));
	return out;
}

static int still_going(const struct iron *t, const struct address *a, struct error *e)
{
	char host[ADDRESS_TEXT];

	return error_set(e, ERR_NOT_NOW, t->run->object, "it is done at a later run, when its last connection has ended",
			 "%s is still being deleted", address_text(a, 0, host));
}

/* The rows of a member, as far as they are missing. */
static int need_member(struct iron *t, const struct picture_real *r, struct error *e)
{
	char name[NAME];
	struct address host = without_port(r->address);
	struct row *real = find_row(&t->reals, &host), *port = find_row(&t->ports, &r->address);
	uint32_t weight = r->weight ? r->weight : 1;
	struct snmp_write make[] = {{.object = &objects[REAL_NAME], .index = at_host(&host), .type = 's', .text = our_name(t, &host, name)},
				    {.object = &objects[REAL_ADMIN], .index = at_host(&host), .type = 'i', .number = ADMIN_ENABLED},
				    {.object = &objects[REAL_WEIGHT], .index = at_host(&host), .type = 'i', .number = weight},
				    {.object = &objects[REAL_STATUS], .index = at_host(&host), .type = 'i', .number = ROW_CREATE}};
	struct snmp_write make_port[] = {{.object = &objects[PORT_ADMIN], .index = at_port(&r->address), .type = 'i', .number = r->weight ? ADMIN_ENABLED : ADMIN_DISABLED},
					 {.object = &objects[PORT_STATUS], .index = at_port(&r->address), .type = 'i', .number = ROW_CREATE}};
	int rc = 0;

	if ((real && real->going) || (port && port->going))
		return still_going(t, &r->address, e);
	if (!real) {
		rc = switch_set(t->snmp, make, COUNT_OF(make), e);
		if (!rc) {
			real = take_row(&t->reals, &host);
			text_copy(real->name, sizeof real->name, name);
			real->weight = weight;
		}
	} else if (r->weight && real->weight != r->weight) {
		rc = set_number(t, REAL_WEIGHT, at_host(&host), r->weight, e);
		real->weight = rc ? real->weight : r->weight;
	}
	if (!rc && !port) {
		rc = switch_set(t->snmp, make_port, COUNT_OF(make_port), e);
		if (!rc)
			take_row(&t->ports, &r->address)->admin = r->weight ? ADMIN_ENABLED : ADMIN_DISABLED;
	} else if (!rc) {
		rc = set_number(t, PORT_ADMIN, at_port(&r->address), r->weight ? ADMIN_ENABLED : ADMIN_DISABLED, e);
	}
	return rc;
}

static int add_real(struct iron *t, const struct picture_virtual *v, const struct picture_real *r, struct error *e)
{
	struct address host = without_port(r->address), vip = without_port(v->address);
	uint32_t at = 1;
	int rc = need_member(t, r, e);
	const struct row *real = find_row(&t->reals, &host), *server = find_row(&t->virtuals, &vip);

	while (at <= BINDS && t->binds[at].used)
		at++;
	if (!rc && at > BINDS)
		rc = error_set(e, ERR_NO_RESOURCE, t->run->object, "use fewer members", "all %d bindings are used", BINDS);
	if (!rc && (!real || !server))
		rc = error_set(e, ERR_NOT_FOUND, t->run->object, "try again", "the server of a binding is gone meanwhile");
	if (rc)
		return rc;
	struct snmp_write w[] = {{.object = &objects[BIND_VIRTUAL], .index = snmp_index(1, at), .type = 's', .text = server->name},
				 {.object = &objects[BIND_VPORT], .index = snmp_index(1, at), .type = 'i', .number = v->address.port},
				 {.object = &objects[BIND_REAL], .index = snmp_index(1, at), .type = 's', .text = real->name},
				 {.object = &objects[BIND_RPORT], .index = snmp_index(1, at), .type = 'i', .number = r->address.port},
				 {.object = &objects[BIND_STATUS], .index = snmp_index(1, at), .type = 'i', .number = ROW_CREATE}};
	rc = switch_set(t->snmp, w, COUNT_OF(w), e);
	if (!rc) {
		struct bind *b = &t->binds[at];
		b->used = true;
		text_copy(b->virtual_name, sizeof b->virtual_name, server->name);
		text_copy(b->real_name, sizeof b->real_name, real->name);
		b->virtual_port = v->address.port;
		b->real_port = r->address.port;
	}
	return rc;
}

static bool has_ports(const struct list *l, const struct address *host)
{
	for (size_t i = 0; i < l->count; i++)
		if (address_same_host(&l->rows[i].at, host))
			return true;
	return false;
}

/* Binding, then port and server when nothing else uses them and they are ours. */
static int remove_real(struct iron *t, const struct picture_virtual *v, const struct picture_real *r, struct error *e)
{
	struct address host = without_port(r->address), vip = without_port(v->address);
	struct row *real = find_row(&t->reals, &host), *server = find_row(&t->virtuals, &vip), *port = find_row(&t->ports, &r->address);
	int rc = 0;

	if (!real || !server)
		return 0;
	for (uint32_t i = 1; !rc && i <= BINDS; i++) {
		const struct bind *b = &t->binds[i];
		if (!b->used || strcmp(b->virtual_name, server->name) != 0 || b->virtual_port != v->address.port || strcmp(b->real_name, real->name) != 0 ||
		    b->real_port != r->address.port)
			continue;
		rc = set_number(t, BIND_STATUS, snmp_index(1, i), ROW_DELETE, e);
		t->binds[i].used = rc != 0;
	}
	if (!rc && ours(t, real->name) && port && !bindings(t, real->name, r->address.port)) {
		rc = set_number(t, PORT_STATUS, at_port(&r->address), ROW_DELETE, e);
		if (!rc)
			drop_row(&t->ports, port);
	}
	if (!rc && ours(t, real->name) && !bindings(t, real->name, 0) && !has_ports(&t->ports, &host)) {
		rc = set_number(t, REAL_STATUS, at_host(&host), ROW_DELETE, e);
		if (!rc)
			drop_row(&t->reals, real);
	}
	return rc;
}

static int add_virtual(struct iron *t, const struct picture_virtual *v, struct error *e)
{
	char name[NAME];
	struct address vip = without_port(v->address);
	struct row *server = find_row(&t->virtuals, &vip);
	uint32_t scheduler = (uint32_t)driver_scheduler_value(&driver_serveriron, v->scheduler);
	struct snmp_write make[] = {{.object = &objects[VIRTUAL_NAME], .index = at_host(&vip), .type = 's', .text = our_name(t, &vip, name)},
				    {.object = &objects[VIRTUAL_ADMIN], .index = at_host(&vip), .type = 'i', .number = ADMIN_ENABLED},
				    {.object = &objects[VIRTUAL_SCHEDULER], .index = at_host(&vip), .type = 'i', .number = scheduler},
				    {.object = &objects[VIRTUAL_STATUS], .index = at_host(&vip), .type = 'i', .number = ROW_CREATE}};
	struct snmp_write make_port[] = {{.object = &objects[VPORT_ADMIN], .index = at_port(&v->address), .type = 'i', .number = ADMIN_ENABLED},
					 {.object = &objects[VPORT_STICKY], .index = at_port(&v->address), .type = 'i', .number = v->persistence_s ? 1 : 0},
					 {.object = &objects[VPORT_STATUS], .index = at_port(&v->address), .type = 'i', .number = ROW_CREATE}};
	int rc = 0;

	if (server && !ours(t, server->name))
		return error_set(e, ERR_EXISTS, t->run->object, "remove it there, or use another address", "%.40s is a virtual server of somebody else", server->name);
	if (!server) {
		rc = switch_set(t->snmp, make, COUNT_OF(make), e);
		if (!rc) {
			server = take_row(&t->virtuals, &vip);
			text_copy(server->name, sizeof server->name, name);
		}
	}
	if (!rc)
		rc = switch_set(t->snmp, make_port, COUNT_OF(make_port), e);
	if (!rc)
		take_row(&t->vports, &v->address)->admin = ADMIN_ENABLED;
	return rc;
}

static int change_virtual(struct iron *t, const struct picture_virtual *v, struct error *e)
{
	struct address vip = without_port(v->address);
	struct snmp_write server[] = {{.object = &objects[VIRTUAL_ADMIN], .index = at_host(&vip), .type = 'i', .number = ADMIN_ENABLED},
				      {.object = &objects[VIRTUAL_SCHEDULER], .index = at_host(&vip), .type = 'i',
				       .number = (uint32_t)driver_scheduler_value(&driver_serveriron, v->scheduler)}};
	struct snmp_write port[] = {{.object = &objects[VPORT_ADMIN], .index = at_port(&v->address), .type = 'i', .number = ADMIN_ENABLED},
				    {.object = &objects[VPORT_STICKY], .index = at_port(&v->address), .type = 'i', .number = v->persistence_s ? 1 : 0}};
	int rc = switch_set(t->snmp, server, COUNT_OF(server), e);

	return rc ? rc : switch_set(t->snmp, port, COUNT_OF(port), e);
}

static int remove_virtual(struct iron *t, const struct picture_virtual *v, struct error *e)
{
	struct address vip = without_port(v->address);
	struct row *port = find_row(&t->vports, &v->address), *server;
	int rc = 0;

	for (size_t i = 0; !rc && i < v->count; i++)
		rc = remove_real(t, v, &v->reals[i], e);
	if (!rc && port) {
		rc = set_number(t, VPORT_STATUS, at_port(&v->address), ROW_DELETE, e);
		if (!rc)
			drop_row(&t->vports, port);
	}
	server = find_row(&t->virtuals, &vip);
	if (!rc && server && ours(t, server->name) && !has_ports(&t->vports, &vip)) {
		rc = set_number(t, VIRTUAL_STATUS, at_host(&vip), ROW_DELETE, e);
		if (!rc)
			drop_row(&t->virtuals, server);
	}
	return rc;
}

/* Servers without a binding, and their ports: a run was cut off, or a person removed half. */
static int tidy(struct iron *t, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < t->reals.count; i++) {
		const struct row *real = &t->reals.rows[i];
		if (!belongs_to_nothing(t, real))
			continue;
		for (size_t p = 0; !rc && p < t->ports.count; p++)
			if (!t->ports.rows[p].going && address_same_host(&t->ports.rows[p].at, &real->at))
				rc = set_number(t, PORT_STATUS, at_port(&t->ports.rows[p].at), ROW_DELETE, e);
		if (!rc)
			rc = set_number(t, REAL_STATUS, at_host(&real->at), ROW_DELETE, e);
	}
	return rc;
}

static int save(struct iron *t, struct error *e)
{
	struct snmp_write w = {.object = t->save, .index = snmp_index(1, 0), .type = 'i', .number = SAVE_WRITE};
	struct snmp_value v;

	if (!saves(t->run))
		return 0;
	int rc = switch_set(t->snmp, &w, 1, e);
	/* to write twice does no harm */
	if (rc == ERR_REMOTE)
		rc = switch_set(t->snmp, &w, 1, e);
	while (!rc) {
		rc = switch_get(t->snmp, t->save, &w.index, &v, e);
		if (rc || v.number == SAVE_NORMAL)
			break;
		if (v.number == SAVE_ERROR)
			return error_set(e, ERR_REFUSED, t->run->object, "save it on the switch by hand, see its flash", "changed, but saving failed");
		if (!driver_left_ms(t->run))
			return driver_late(t->run, e, "saving");
		driver_pause(t->run, POLL_MS);
	}
	return rc;
}

static int iron_apply(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	struct iron *t = run->state;

	if (step->kind == STEP_SAVE)
		return save(t, e);
	if (step->kind == STEP_TIDY)
		return tidy(t, e);
	if (step->kind != STEP_CHANGE)
		return 0;
	switch (step->change->verb) {
	case PICTURE_ADD_VIRTUAL:
		return add_virtual(t, step->want, e);
	case PICTURE_CHANGE_VIRTUAL:
		return change_virtual(t, step->want, e);
	case PICTURE_REMOVE_VIRTUAL:
		return remove_virtual(t, step->have, e);
	case PICTURE_ADD_REAL:
		return add_real(t, step->want, step->want_real, e);
	case PICTURE_CHANGE_REAL:
		return need_member(t, step->want_real, e);
	default:
		return remove_real(t, step->have, step->have_real, e);
	}
}

static const struct driver_scheduler schedulers[] = {{"wrr", 3, NULL}, {"rr", 2, NULL}, {"lc", 1, NULL}, {"wlc", 1, NULL}, {NULL, 0, NULL}};
static const char *const options[] = {"timeout_ms", NULL};

const struct driver driver_serveriron = {
    .family = "serveriron",
    .can = {.weight_max = 65000,
	    .weight_of_host = true,
	    .create = true,
	    .save = true,
	    .asynchronous_delete = true,
	    .persistence_fixed = STICKY_S,
	    .forwardings = 1u << FORWARD_NAT,
	    .name_max = PICTURE_NAME + 16,
	    .reals_max = BINDS,
	    .schedulers = schedulers},
    .options = options,
    .prefix = "glory-",
    .open = iron_open,
    .read = iron_read,
    .apply = iron_apply,
    .close = iron_close,
};
