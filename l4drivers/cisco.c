/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cisco server load balancing (IOS SLB, CSM) by CISCO-SLB-MIB: a server farm and a virtual server of the same name for each of the picture's,
 * members by address and port in the farm; RFC 2579 row status, each SET acts at once. The MIB's compliance allows a device to have all of
 * this read-only, so a SET that changes nothing is tried first. A member drains by State out of service. What runs is saved by
 * CISCO-CONFIG-COPY-MIB. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/snmp.h"

#define C "1.3.6.1.4.1.9.9.161.1."
#define COPY "1.3.6.1.4.1.9.9.96.1.1.1.1."
#define POLL_MS 200
#define COPY_ROW 7101 /* ours in ccCopyTable; stays there after a failure for the next run to see, until the device forgets it */

enum { ROW_ACTIVE = 1, ROW_CREATE = 4, ROW_DESTROY = 6 };
enum { OUT_OF_SERVICE = 1, IN_SERVICE = 2, FAILED = 3, PROBE_FAILED = 9 };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };
enum { FILE_STARTUP = 3, FILE_RUNNING = 4, COPY_SUCCESSFUL = 3, COPY_FAILED = 4 };

enum { FARM_PREDICTOR, FARM_STATUS, REAL_STATE, REAL_NOW, REAL_LIMIT, REAL_WEIGHT, REAL_STATUS, REAL_TOTAL, VIRTUAL_STATE, VIRTUAL_ADDRESS, VIRTUAL_PORT,
       VIRTUAL_PROTOCOL, VIRTUAL_FARM, VIRTUAL_STATUS, COPY_FROM, COPY_TO, COPY_STATE, COPY_STATUS, OBJECTS };
static const struct snmp_object objects[OBJECTS] = {
    [FARM_PREDICTOR] = {"slbServerFarmPredictor", C "2.1.1.2"},
    [FARM_STATUS] = {"slbServerFarmRowStatus", C "2.1.1.6"},
    [REAL_STATE] = {"slbRealState", C "3.1.1.4"},
    [REAL_NOW] = {"slbRealNumberOfConnections", C "3.1.1.5"},
    [REAL_LIMIT] = {"slbRealMaxConnections", C "3.1.1.7"},
    [REAL_WEIGHT] = {"slbRealAdminWeight", C "3.1.1.8"},
    [REAL_STATUS] = {"slbRealRowStatus", C "3.1.1.17"},
    [REAL_TOTAL] = {"slbRealTotalConnections", C "3.1.1.18"},
    [VIRTUAL_STATE] = {"slbVirtualServerState", C "4.1.1.2"},
    [VIRTUAL_ADDRESS] = {"slbVirtualIpAddress", C "4.1.1.4"},
    [VIRTUAL_PORT] = {"slbVirtualPort", C "4.1.1.5"},
    [VIRTUAL_PROTOCOL] = {"slbVirtualProtocol", C "4.1.1.6"},
    [VIRTUAL_FARM] = {"slbVirtualFarmName", C "4.1.1.9"},
    [VIRTUAL_STATUS] = {"slbVirtualRowStatus", C "4.1.1.16"},
    [COPY_FROM] = {"ccCopySourceFileType", COPY "3"},
    [COPY_TO] = {"ccCopyDestFileType", COPY "4"},
    [COPY_STATE] = {"ccCopyState", COPY "10"},
    [COPY_STATUS] = {"ccCopyEntryRowStatus", COPY "14"},
};
/* what a member without a limit has */
#define LIMIT_NONE UINT32_MAX

struct farm { /* ours */
	char name[PICTURE_NAME + 16];
	int64_t predictor;
	bool has_virtual;
};
struct cisco {
	struct driver_run *run;
	struct snmp *snmp;
	const char *prefix;
	int64_t entity;
	struct farm *farms;
	size_t farm_count, farm_room;
	struct snmp_write probe; /* sets what is there already */
	bool can_probe, writable;
};

/* --- reading -------------------------------------------------------------------------------------------- */

static struct farm *find_farm(struct cisco *c, const char *name)
{
	for (size_t i = 0; i < c->farm_count; i++)
		if (!strcmp(c->farms[i].name, name))
			return &c->farms[i];
	return NULL;
}

/* Entity and name at the beginning of an index; true when both are ours. */
static bool our_index(const struct cisco *c, const struct snmp_index *index, size_t *at, char *name, size_t size)
{
	*at = 1;
	return index->length > 1 && index->id[0] == (oid)c->entity && snmp_index_text(index, at, name, size) &&
	       !strncmp(name, c->prefix, strlen(c->prefix)) && text_is_name(name + strlen(c->prefix), PICTURE_NAME - 1);
}

static int on_farm(void *arg, const struct snmp_value *v)
{
	struct cisco *c = arg;
	char name[sizeof c->farms->name];
	size_t at;

	if (!our_index(c, &v->index, &at, name, sizeof name) || at != v->index.length)
		return 0;
	if (c->farm_count == c->farm_room) {
		c->farm_room = c->farm_room ? c->farm_room * 2 : 8;
		c->farms = mem_grow(c->farms, c->farm_room, sizeof *c->farms);
	}
	struct farm *f = &c->farms[c->farm_count++];
	memset(f, 0, sizeof *f);
	text_copy(f->name, sizeof f->name, name);
	f->predictor = 1;
	return 0;
}

static int on_predictor(void *arg, const struct snmp_value *v)
{
	struct cisco *c = arg;
	char name[sizeof c->farms->name];
	size_t at;
	struct farm *f = our_index(c, &v->index, &at, name, sizeof name) ? find_farm(c, name) : NULL;

	if (f)
		f->predictor = v->number;
	return 0;
}

static struct picture_virtual *find_virtual(struct cisco *c, const char *name)
{
	for (size_t i = 0; i < c->run->have.count; i++)
		if (!strcmp(c->run->have.virtuals[i].name, name + strlen(c->prefix)))
			return &c->run->have.virtuals[i];
	return NULL;
}

/* The first column of the table: makes the rows, counts the others'. */
static int on_virtual_address(void *arg, const struct snmp_value *v)
{
	struct cisco *c = arg;
	char name[sizeof c->farms->name];
	size_t at;

	if (!our_index(c, &v->index, &at, name, sizeof name) || at != v->index.length) {
		c->run->result->foreign++;
		return 0;
	}
	struct picture_virtual *p = picture_add_virtual(&c->run->have, name + strlen(c->prefix));
	struct farm *f = find_farm(c, name);
	if (!p || !snmp_value_address(v, &p->address))
		return 0;
	p->family = p->address.family;
	p->protocol = PICTURE_TCP;
	p->forwarding = FORWARD_NAT;
	text_copy(p->scheduler, sizeof p->scheduler, f ? driver_scheduler_word(&driver_cisco, (int)f->predictor) : "missing");
	if (f)
		f->has_virtual = true;
	return 0;
}

static struct picture_virtual *virtual_of(struct cisco *c, const struct snmp_value *v)
{
	char name[sizeof c->farms->name];
	size_t at;

	return our_index(c, &v->index, &at, name, sizeof name) && at == v->index.length ? find_virtual(c, name) : NULL;
}

static int on_virtual_port(void *arg, const struct snmp_value *v)
{
	struct picture_virtual *p = virtual_of(arg, v);

	if (p)
		p->address.port = (uint16_t)v->number;
	return 0;
}

static int on_virtual_protocol(void *arg, const struct snmp_value *v)
{
	struct picture_virtual *p = virtual_of(arg, v);

	if (p)
		p->protocol = v->number == PROTOCOL_UDP ? PICTURE_UDP : PICTURE_TCP;
	return 0;
}

static int on_virtual_state(void *arg, const struct snmp_value *v)
{
	struct cisco *c = arg;
	struct picture_virtual *p = virtual_of(c, v);

	if (p && v->number == OUT_OF_SERVICE)
		text_copy(p->scheduler, sizeof p->scheduler, "out-of-service");
	if (p && !c->can_probe && (v->number == OUT_OF_SERVICE || v->number == IN_SERVICE)) {
		c->probe = (struct snmp_write){.object = &objects[VIRTUAL_STATE], .index = v->index, .type = 'i', .number = (uint32_t)v->number};
		c->can_probe = true;
	}
	return 0;
}

static int on_virtual_farm(void *arg, const struct snmp_value *v)
{
	struct cisco *c = arg;
	struct picture_virtual *p = virtual_of(c, v);
	char farm[PICTURE_NAME + 16];

	snmp_value_text(v, farm, sizeof farm);
	if (p && (strlen(farm) <= strlen(c->prefix) || strcmp(farm + strlen(c->prefix), p->name) != 0))
		text_copy(p->scheduler, sizeof p->scheduler, "other-farm");
	return 0;
}

/* NULL for a row that is not of ours, or not in the picture. */
static struct picture_real *real_of(struct cisco *c, const struct snmp_value *v, bool make)
{
	char name[sizeof c->farms->name];
	struct address address;
	size_t at;
	struct picture_virtual *p = our_index(c, &v->index, &at, name, sizeof name) ? find_virtual(c, name) : NULL;

	if (!p || !snmp_index_address(&v->index, &at, &address) || at + 1 != v->index.length || v->index.id[at] < 1 || v->index.id[at] > 65535)
		return NULL;
	address.port = (uint16_t)v->index.id[at];
	for (size_t i = p->count; i-- > 0;)
		if (address_equal(&p->reals[i].address, &address))
			return &p->reals[i];
	struct picture_real *r = make ? picture_add_real(p, "") : NULL;
	if (r)
		r->address = address;
	return r;
}

static int on_real_weight(void *arg, const struct snmp_value *v)
{
	struct picture_real *r = real_of(arg, v, true);

	if (r)
		r->weight = v->number > 0 && v->number <= 65535 ? (uint32_t)v->number : 0;
	return 0;
}

static int on_real_state(void *arg, const struct snmp_value *v)
{
	struct picture_real *r = real_of(arg, v, false);

	if (r && v->number == OUT_OF_SERVICE)
		r->weight = 0;
	if (r)
		r->failing = v->number == FAILED || v->number == PROBE_FAILED;
	return 0;
}

static int on_real_limit(void *arg, const struct snmp_value *v)
{
	struct picture_real *r = real_of(arg, v, false);

	if (r)
		r->connections_max = (uint32_t)v->number == LIMIT_NONE ? 0 : (uint32_t)v->number;
	return 0;
}

static int on_real_now(void *arg, const struct snmp_value *v)
{
	struct picture_real *r = real_of(arg, v, false);

	if (r)
		r->counts.active = (uint32_t)v->number;
	return 0;
}

static int on_real_total(void *arg, const struct snmp_value *v)
{
	struct picture_real *r = real_of(arg, v, false);

	if (r)
		r->counts.connections = (uint64_t)v->number;
	return 0;
}

static bool saves(const struct driver_run *run)
{
	return !strcmp(driver_option(run, "save", "yes"), "yes");
}

static int cisco_read(struct driver_run *run, struct error *e)
{
	static const struct {
		int object;
		snmp_visit *visit;
	} columns[] = {
	    {FARM_STATUS, on_farm},           {FARM_PREDICTOR, on_predictor},   {VIRTUAL_ADDRESS, on_virtual_address}, {VIRTUAL_PORT, on_virtual_port},
	    {VIRTUAL_PROTOCOL, on_virtual_protocol}, {VIRTUAL_FARM, on_virtual_farm}, {VIRTUAL_STATE, on_virtual_state},     {REAL_WEIGHT, on_real_weight},
	    {REAL_STATE, on_real_state},      {REAL_LIMIT, on_real_limit},      {REAL_NOW, on_real_now},               {REAL_TOTAL, on_real_total},
	};
	struct cisco *c = run->state;

	c->farm_count = 0;
	c->can_probe = false;
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		int rc = switch_walk(c->snmp, &objects[columns[i].object], columns[i].visit, c, e);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < c->farm_count; i++)
		run->untidy = run->untidy || !c->farms[i].has_virtual;
	struct snmp_index copy = snmp_index(1, COPY_ROW);
	struct snmp_value state;
	struct error ignored;
	run->unsaved = saves(run) && !switch_get(c->snmp, &objects[COPY_STATE], &copy, &state, &ignored) && state.number == COPY_FAILED;
	return 0;
}

static int cisco_open(struct driver_run *run, struct error *e)
{
	struct cisco *c = mem_zalloc(sizeof *c);

	run->state = c;
	c->run = run;
	c->prefix = driver_prefix(run, &driver_cisco);
	c->entity = 1;
	int rc = driver_number(run, "entity", 1, INT32_MAX, &c->entity, e);
	return rc ? rc : switch_open(run, &c->snmp, e);
}

static void cisco_close(struct driver_run *run)
{
	struct cisco *c = run->state;

	if (!c)
		return;
	switch_close(c->snmp);
	free(c->farms);
	free(c);
	run->state = NULL;
}

/* --- steps ---------------------------------------------------------------------------------------------- */

static struct snmp_index name_index(const struct cisco *c, const char *name)
{
	char full[PICTURE_NAME + 16];
	struct snmp_index index = snmp_index(1, (uint32_t)c->entity);

	text_format(full, sizeof full, "%s%s", c->prefix, name);
	snmp_index_add_text(&index, full);
	return index;
}

static struct snmp_index real_index(const struct cisco *c, const char *name, const struct address *a)
{
	struct snmp_index index = name_index(c, name);

	snmp_index_add_address(&index, a);
	snmp_index_add(&index, a->port);
	return index;
}

static int set_number(struct cisco *c, int object, struct snmp_index index, uint32_t number, struct error *e)
{
	struct snmp_write w = {.object = &objects[object], .index = index, .type = 'i', .number = number};

	return switch_set(c->snmp, &w, 1, e);
}

static int read_only(const struct cisco *c, struct error *e)
{
	char why[256];

	text_copy(why, sizeof why, e->text);
	return error_set(e, ERR_REFUSED, c->run->object, "manage it by its command line, or see whether the credential may write",
			 "its load balancing is read-only by SNMP: %.180s", why);
}

/* The first write of a run. Where there is no row to try it on, the first change finds out. */
static int begin(struct cisco *c, struct error *e)
{
	if (!c->can_probe || c->writable)
		return 0;
	int rc = switch_set(c->snmp, &c->probe, 1, e);
	c->writable = !rc;
	return rc == ERR_REFUSED && switch_forbids(c->snmp) ? read_only(c, e) : rc;
}

static int set_virtual(struct cisco *c, const struct picture_virtual *v, bool create, struct error *e)
{
	char farm[PICTURE_NAME + 16];
	struct snmp_index at = name_index(c, v->name);

	text_format(farm, sizeof farm, "%s%s", c->prefix, v->name);
	struct snmp_write w[] = {
	    {.object = &objects[VIRTUAL_STATUS], .index = at, .type = 'i', .number = create ? ROW_CREATE : ROW_ACTIVE},
	    {.object = &objects[VIRTUAL_ADDRESS], .index = at, .type = 'a', .address = v->address},
	    {.object = &objects[VIRTUAL_PORT], .index = at, .type = 'u', .number = v->address.port},
	    {.object = &objects[VIRTUAL_PROTOCOL], .index = at, .type = 'i', .number = v->protocol == PICTURE_UDP ? PROTOCOL_UDP : PROTOCOL_TCP},
	    {.object = &objects[VIRTUAL_FARM], .index = at, .type = 's', .text = farm}};
	int rc = switch_set(c->snmp, w, COUNT_OF(w), e);
	return rc ? rc : set_number(c, VIRTUAL_STATE, at, IN_SERVICE, e);
}

static int add_virtual(struct cisco *c, const struct picture_virtual *v, struct error *e)
{
	char farm[PICTURE_NAME + 16];
	int rc = 0;

	if (driver_scheduler_value(&driver_cisco, v->scheduler) != 1)
		return error_set(e, ERR_REFUSED, v->name, "take scheduler wrr, or make the farm there", "cisco-slb: the predictor of a farm is read-only by SNMP");
	text_format(farm, sizeof farm, "%s%s", c->prefix, v->name);
	if (!find_farm(c, farm))
		rc = set_number(c, FARM_STATUS, name_index(c, v->name), ROW_CREATE, e);
	if (!rc)
		rc = set_virtual(c, v, true, e);
	return rc == ERR_REFUSED && !c->writable && switch_forbids(c->snmp) ? read_only(c, e) : rc;
}

static int change_virtual(struct cisco *c, const struct picture_virtual *v, struct error *e)
{
	char farm[PICTURE_NAME + 16];
	const struct farm *f;
	int rc = 0;

	text_format(farm, sizeof farm, "%s%s", c->prefix, v->name);
	f = find_farm(c, farm);
	if (f && f->predictor != driver_scheduler_value(&driver_cisco, v->scheduler))
		return error_set(e, ERR_REFUSED, v->name, "set the farm's predictor there", "cisco-slb: the predictor of a farm is read-only by SNMP");
	if (!f)
		rc = set_number(c, FARM_STATUS, name_index(c, v->name), ROW_CREATE, e);
	/* it can be changed only while it is out of service */
	if (!rc)
		rc = set_number(c, VIRTUAL_STATE, name_index(c, v->name), OUT_OF_SERVICE, e);
	return rc ? rc : set_virtual(c, v, false, e);
}

static int set_real(struct cisco *c, const char *name, const struct picture_real *r, bool create, struct error *e)
{
	struct snmp_index at = real_index(c, name, &r->address);
	struct snmp_write w[] = {
	    {.object = &objects[REAL_STATE], .index = at, .type = 'i', .number = r->weight ? IN_SERVICE : OUT_OF_SERVICE},
	    {.object = &objects[REAL_LIMIT], .index = at, .type = 'u', .number = r->connections_max ? r->connections_max : LIMIT_NONE},
	    {.object = &objects[REAL_WEIGHT], .index = at, .type = 'u', .number = r->weight ? r->weight : 1},
	    {.object = &objects[REAL_STATUS], .index = at, .type = 'i', .number = ROW_CREATE}};

	struct error again;
	/* one that drains keeps its weight: only its state is set */
	size_t columns = r->weight ? 3 : 2;

	if (!create)
		return switch_set(c->snmp, w, columns, e);
	int rc = switch_set(c->snmp, w, 4, e);
	/* the row may stand there from a virtual server that a person removed */
	return rc == ERR_REFUSED && !switch_set(c->snmp, w, columns, &again) ? 0 : rc;
}

static int remove_farm(struct cisco *c, const char *name, struct error *e)
{
	return set_number(c, FARM_STATUS, name_index(c, name), ROW_DESTROY, e);
}

static int remove_virtual(struct cisco *c, const struct picture_virtual *v, struct error *e)
{
	int rc = set_number(c, VIRTUAL_STATE, name_index(c, v->name), OUT_OF_SERVICE, e);

	if (!rc)
		rc = set_number(c, VIRTUAL_STATUS, name_index(c, v->name), ROW_DESTROY, e);
	for (size_t i = 0; !rc && i < v->count; i++)
		rc = set_number(c, REAL_STATUS, real_index(c, v->name, &v->reals[i].address), ROW_DESTROY, e);
	return rc ? rc : remove_farm(c, v->name, e);
}

/* Farms of ours without a virtual server. Their members go with them. */
static int tidy(struct cisco *c, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->farm_count; i++)
		if (!c->farms[i].has_virtual && !picture_find(c->run->want, c->farms[i].name + strlen(c->prefix)))
			rc = remove_farm(c, c->farms[i].name + strlen(c->prefix), e);
	return rc;
}

static int start_copy(struct cisco *c, const struct snmp_index *at, struct error *e)
{
	struct snmp_write w[] = {{.object = &objects[COPY_FROM], .index = *at, .type = 'i', .number = FILE_RUNNING},
				 {.object = &objects[COPY_TO], .index = *at, .type = 'i', .number = FILE_STARTUP},
				 {.object = &objects[COPY_STATUS], .index = *at, .type = 'i', .number = ROW_CREATE}};
	struct snmp_value v;
	int rc = switch_set(c->snmp, w, COUNT_OF(w), e);

	/* lost: the request, or only its reply */
	if (rc == ERR_REMOTE && switch_get(c->snmp, &objects[COPY_STATE], at, &v, e) == ERR_NOT_FOUND)
		return switch_set(c->snmp, w, COUNT_OF(w), e);
	return rc == ERR_REMOTE ? 0 : rc;
}

static int save(struct cisco *c, struct error *e)
{
	struct snmp_index at = snmp_index(1, COPY_ROW);
	struct snmp_value v = {0};
	struct error ignored;

	if (!saves(c->run))
		return 0;
	(void)set_number(c, COPY_STATUS, at, ROW_DESTROY, &ignored);
	int rc = start_copy(c, &at, e);
	while (!rc) {
		rc = switch_get(c->snmp, &objects[COPY_STATE], &at, &v, e);
		if (rc || v.number == COPY_SUCCESSFUL)
			break;
		if (v.number == COPY_FAILED)
			return error_set(e, ERR_REFUSED, c->run->object, "save it there by hand: write memory", "changed, but saving failed");
		if (!driver_left_ms(c->run))
			return driver_late(c->run, e, "saving");
		driver_pause(c->run, POLL_MS);
	}
	if (!rc)
		(void)set_number(c, COPY_STATUS, at, ROW_DESTROY, &ignored);
	return rc;
}

static int cisco_apply(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	struct cisco *c = run->state;

	if (step->kind == STEP_BEGIN)
		return begin(c, e);
	if (step->kind == STEP_TIDY)
		return tidy(c, e);
	if (step->kind == STEP_SAVE)
		return save(c, e);
	if (step->kind != STEP_CHANGE)
		return 0;
	const char *name = step->change->virtual_name;
	switch (step->change->verb) {
	case PICTURE_ADD_VIRTUAL:
		return add_virtual(c, step->want, e);
	case PICTURE_CHANGE_VIRTUAL:
		return change_virtual(c, step->want, e);
	case PICTURE_REMOVE_VIRTUAL:
		return remove_virtual(c, step->have, e);
	case PICTURE_REMOVE_REAL:
		return set_number(c, REAL_STATUS, real_index(c, name, &step->have_real->address), ROW_DESTROY, e);
	default:
		return set_real(c, name, step->want_real, step->change->verb == PICTURE_ADD_REAL, e);
	}
}

static const struct driver_scheduler schedulers[] = {{"wrr", 1, NULL}, {"rr", 1, NULL}, {"wlc", 2, NULL}, {"lc", 2, NULL}, {NULL, 0, NULL}};
static const char *const options[] = {"timeout_ms", "entity", NULL};

const struct driver driver_cisco = {
    .family = "cisco-slb",
    .can = {.weight_max = 65535,
	    .create = true,
	    .save = true,
	    .statistics = true,
	    .udp = true,
	    .limits = true,
	    .forwardings = 1u << FORWARD_NAT,
	    .name_max = 15,
	    .reals_max = PICTURE_REALS_MAX,
	    .schedulers = schedulers},
    .options = options,
    .prefix = "g-",
    .open = cisco_open,
    .read = cisco_read,
    .apply = cisco_apply,
    .close = cisco_close,
};
