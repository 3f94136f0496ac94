/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects of the Alteon MIBs, reading their tables, and the picture that is in them; see alteon.h. The tables read are those of the pending
 * configuration, which is the running one when nothing is pending. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/alteon.h"

#define A "1.3.6.1.4.1.1872.2.5."

const struct snmp_object alteon_plain_reals[REAL_OBJECTS] = {
    [REAL_ADDRESS] = {"slbNewCfgRealServerIpAddr", A "4.1.1.2.3.1.2"}, [REAL_WEIGHT] = {"slbNewCfgRealServerWeight", A "4.1.1.2.3.1.3"},
    [REAL_STATE] = {"slbNewCfgRealServerState", A "4.1.1.2.3.1.10"},   [REAL_DELETE] = {"slbNewCfgRealServerDelete", A "4.1.1.2.3.1.11"},
    [REAL_NAME] = {"slbNewCfgRealServerName", A "4.1.1.2.3.1.13"}};
const struct snmp_object alteon_enhanced_reals[REAL_OBJECTS] = {
    [REAL_ADDRESS] = {"slbNewCfgEnhRealServerIpAddr", A "4.1.1.2.11.1.2"}, [REAL_WEIGHT] = {"slbNewCfgEnhRealServerWeight", A "4.1.1.2.11.1.3"},
    [REAL_STATE] = {"slbNewCfgEnhRealServerState", A "4.1.1.2.11.1.9"},    [REAL_DELETE] = {"slbNewCfgEnhRealServerDelete", A "4.1.1.2.11.1.10"},
    [REAL_NAME] = {"slbNewCfgEnhRealServerName", A "4.1.1.2.11.1.12"}};
const struct snmp_object alteon_objects[ALTEON_OBJECTS] = {
    [GROUP_REALS] = {"slbNewCfgGroupRealServers", A "4.1.1.3.4.1.2"},
    [GROUP_ADD] = {"slbNewCfgGroupAddServer", A "4.1.1.3.4.1.3"},
    [GROUP_REMOVE] = {"slbNewCfgGroupRemoveServer", A "4.1.1.3.4.1.4"},
    [GROUP_METRIC] = {"slbNewCfgGroupMetric", A "4.1.1.3.4.1.5"},
    [GROUP_HEALTH] = {"slbNewCfgGroupHealthCheckLayer", A "4.1.1.3.4.1.9"},
    [GROUP_NAME] = {"slbNewCfgGroupName", A "4.1.1.3.4.1.10"},
    [GROUP_DELETE] = {"slbNewCfgGroupDelete", A "4.1.1.3.4.1.15"},
    [VIRTUAL_ADDRESS] = {"slbNewCfgVirtServerIpAddress", A "4.1.1.4.3.1.2"},
    [VIRTUAL_STATE] = {"slbNewCfgVirtServerState", A "4.1.1.4.3.1.4"},
    [VIRTUAL_DELETE] = {"slbNewCfgVirtServerDelete", A "4.1.1.4.3.1.8"},
    [VIRTUAL_NAME] = {"slbNewCfgVirtServerVname", A "4.1.1.4.3.1.14"},
    [SERVICE_PORT] = {"slbNewCfgVirtServiceVirtPort", A "4.1.1.4.6.1.3"},
    [SERVICE_GROUP] = {"slbNewCfgVirtServiceRealGroup", A "4.1.1.4.6.1.4"},
    [SERVICE_REAL_PORT] = {"slbNewCfgVirtServiceRealPort", A "4.1.1.4.6.1.5"},
    [SERVICE_DELETE] = {"slbNewCfgVirtServiceDelete", A "4.1.1.4.6.1.28"},
    [OPER_GROUP_REAL] = {"slbOperGroupRealServerState", A "4.4.5.1.3"},
    [STAT_NOW] = {"slbStatRServerCurrSessions", A "4.2.2.1.2"},
    [STAT_TOTAL] = {"slbStatRServerTotalSessions", A "4.2.2.1.3"},
    [AG_PENDING] = {"agApplyPending", A "1.1.8.1"},
    [AG_APPLY] = {"agApplyConfig", A "1.1.8.2"},
    [AG_APPLY_TEXT] = {"agApplyTable", A "1.1.8.3.1.2"},
    [AG_SAVE] = {"agSaveConfig", A "1.1.17.1"},
    [AG_REVERT] = {"agRevert", A "1.1.1.5"}};

void alteon_forget(struct alteon *a)
{
	free(a->reals);
	free(a->groups);
	free(a->virtuals);
	free(a->services);
	a->reals = NULL;
	a->groups = NULL;
	a->virtuals = NULL;
	a->services = NULL;
}

static void empty(struct alteon *a)
{
	alteon_forget(a);
	a->reals = mem_array(ALTEON_NUMBERS + 1, sizeof *a->reals);
	a->groups = mem_array(ALTEON_NUMBERS + 1, sizeof *a->groups);
	a->virtuals = mem_array(ALTEON_NUMBERS + 1, sizeof *a->virtuals);
	a->services = mem_array((ALTEON_NUMBERS + 1) * ALTEON_SERVICES, sizeof *a->services);
	for (uint32_t i = 0; i <= ALTEON_NUMBERS; i++)
		a->reals[i].number = a->virtuals[i].number = i;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

/* The number that an index of one part is; 0 for one that is none. */
static uint32_t number_of(const struct snmp_value *v, size_t at)
{
	return at < v->index.length && v->index.id[at] >= 1 && v->index.id[at] <= ALTEON_NUMBERS ? (uint32_t)v->index.id[at] : 0;
}

/* Of the table with texts for index, those that are numbers: others are people's own, and no group of ours names them. */
static uint32_t real_number(const struct alteon *a, const struct snmp_value *v)
{
	char text[16];
	size_t at = 0;
	int64_t number;

	if (!a->enhanced)
		return v->index.length == 1 ? number_of(v, 0) : 0;
	if (!snmp_index_text(&v->index, &at, text, sizeof text) || at != v->index.length || !text_integer(text, 1, ALTEON_NUMBERS, &number))
		return 0;
	return (uint32_t)number;
}

static bool has_prefix(const struct alteon *a, const struct snmp_value *v)
{
	char text[SNMP_BYTES_MAX];

	snmp_value_text(v, text, sizeof text);
	return !strncmp(text, a->prefix, strlen(a->prefix));
}

static int on_real_address(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;
	struct alteon_real *r = &a->reals[real_number(a, v)];

	if (r->number && snmp_value_address(v, &r->address))
		r->used = true;
	return 0;
}

static int on_real_weight(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;

	a->reals[real_number(a, v)].weight = (uint32_t)(v->number < 0 ? 0 : v->number > 65535 ? 65535 : v->number);
	return 0;
}

static int on_real_state(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;

	a->reals[real_number(a, v)].state = (uint8_t)v->number;
	return 0;
}

static int on_real_name(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;

	a->reals[real_number(a, v)].ours = has_prefix(a, v);
	return 0;
}

static int on_real_now(void *arg, const struct snmp_value *v)
{
	((struct alteon *)arg)->reals[number_of(v, 0)].now = (uint32_t)v->number;
	return 0;
}

static int on_real_total(void *arg, const struct snmp_value *v)
{
	((struct alteon *)arg)->reals[number_of(v, 0)].total = (uint32_t)v->number;
	return 0;
}

static int on_group_reals(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;
	struct alteon_group *g = &a->groups[number_of(v, 0)];
	size_t size = v->size < sizeof g->bits ? v->size : sizeof g->bits;

	g->used = true;
	memcpy(g->bits, v->bytes, size);
	return 0;
}

static int on_group_metric(void *arg, const struct snmp_value *v)
{
	struct alteon_group *g = &((struct alteon *)arg)->groups[number_of(v, 0)];

	g->used = true;
	g->metric = (uint32_t)v->number;
	return 0;
}

static int on_group_name(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;

	a->groups[number_of(v, 0)].used = true;
	a->groups[number_of(v, 0)].ours = has_prefix(a, v);
	return 0;
}

static int on_virtual_address(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;
	struct alteon_virtual *row = &a->virtuals[number_of(v, 0)];

	if (row->number && snmp_value_address(v, &row->address))
		row->used = true;
	return 0;
}

static int on_virtual_state(void *arg, const struct snmp_value *v)
{
	((struct alteon *)arg)->virtuals[number_of(v, 0)].state = (uint8_t)v->number;
	return 0;
}

static int on_virtual_name(void *arg, const struct snmp_value *v)
{
	struct alteon *a = arg;

	a->virtuals[number_of(v, 0)].ours = has_prefix(a, v);
	return 0;
}

/* NULL for an index that is no service of a virtual server. */
static struct alteon_service *service_row(struct alteon *a, const struct snmp_value *v)
{
	uint32_t virtual_number = number_of(v, 0), number = number_of(v, 1);

	if (v->index.length != 2 || !virtual_number || !number || number > ALTEON_SERVICES)
		return NULL;
	struct alteon_service *s = &a->services[virtual_number * ALTEON_SERVICES + number - 1];
	s->virtual_number = virtual_number;
	s->number = number;
	return s;
}

static int on_service_port(void *arg, const struct snmp_value *v)
{
	struct alteon_service *s = service_row(arg, v);

	if (s && v->number > 0 && v->number <= 65535) {
		s->port = (uint16_t)v->number;
		s->used = true;
	}
	return 0;
}

static int on_service_group(void *arg, const struct snmp_value *v)
{
	struct alteon_service *s = service_row(arg, v);

	if (s && v->number > 0 && v->number <= ALTEON_NUMBERS)
		s->group = (uint32_t)v->number;
	return 0;
}

static int on_service_real_port(void *arg, const struct snmp_value *v)
{
	struct alteon_service *s = service_row(arg, v);

	if (s && v->number >= 0 && v->number <= 65535)
		s->real_port = (uint32_t)v->number;
	return 0;
}

static int on_oper(void *arg, const struct snmp_value *v)
{
	if (v->index.length == 2 && v->number == 2)
		((struct alteon *)arg)->reals[number_of(v, 1)].off = true;
	return 0;
}

/* --- the picture ---------------------------------------------------------------------------------------- */

static bool bit(const struct alteon_group *g, uint32_t real)
{
	return g->bits[(real - 1) / 8] & (0x80u >> (real - 1) % 8);
}

static void picture_reals(struct alteon *a, const struct alteon_service *s, struct picture_virtual *v)
{
	for (uint32_t n = 1; n <= ALTEON_NUMBERS; n++) {
		struct alteon_real *r = &a->reals[n];

		if (!bit(&a->groups[s->group], n) || !r->used)
			continue;
		r->group = s->group;
		struct picture_real *row = picture_add_real(v, "");
		if (!row)
			return;
		row->address = r->address;
		row->address.port = (uint16_t)s->real_port;
		row->weight = r->state == STATE_ENABLED && !r->off ? r->weight : 0;
		row->counts.active = r->now;
		row->counts.connections = r->total;
		v->counts.active += r->now;
		v->counts.connections += r->total;
	}
}

static void picture_service(struct alteon *a, struct alteon_service *s)
{
	const struct alteon_virtual *row = &a->virtuals[s->virtual_number];
	struct picture_virtual *v = picture_add_virtual(&a->run->have, "");

	s->address = row->address;
	s->address.port = s->port;
	if (!v)
		return;
	v->address = s->address;
	v->family = row->address.family;
	v->protocol = PICTURE_TCP;
	v->forwarding = FORWARD_NAT;
	/* one that is disabled serves nobody: whatever its group says, it is to be set anew */
	text_copy(v->scheduler, sizeof v->scheduler, row->state == STATE_ENABLED ? driver_scheduler_word(&driver_alteon, (int)a->groups[s->group].metric) : "disabled");
	if (s->group)
		picture_reals(a, s, v);
}

static void fill_picture(struct alteon *a)
{
	for (uint32_t n = 1; n <= ALTEON_NUMBERS; n++) {
		if (!a->virtuals[n].used)
			continue;
		if (!a->virtuals[n].ours) {
			a->run->result->foreign++;
			continue;
		}
		for (unsigned i = 0; i < ALTEON_SERVICES; i++)
			if (a->services[n * ALTEON_SERVICES + i].used)
				picture_service(a, &a->services[n * ALTEON_SERVICES + i]);
	}
	picture_adopt_names(&a->run->have, a->run->want);
	for (uint32_t n = 1; n <= ALTEON_NUMBERS; n++)
		a->run->untidy = a->run->untidy || alteon_real_unused(a, n) || alteon_group_unused(a, n) ||
				 (a->virtuals[n].used && a->virtuals[n].ours && !alteon_has_services(a, n));
}

int alteon_read_tables(struct alteon *a, struct error *e)
{
	const struct {
		const struct snmp_object *object;
		snmp_visit *visit;
	} columns[] = {
	    {&a->reals_of[REAL_ADDRESS], on_real_address},
	    {&a->reals_of[REAL_WEIGHT], on_real_weight},
	    {&a->reals_of[REAL_STATE], on_real_state},
	    {&a->reals_of[REAL_NAME], on_real_name},
	    {&alteon_objects[GROUP_REALS], on_group_reals},
	    {&alteon_objects[GROUP_METRIC], on_group_metric},
	    {&alteon_objects[GROUP_NAME], on_group_name},
	    {&alteon_objects[VIRTUAL_ADDRESS], on_virtual_address},
	    {&alteon_objects[VIRTUAL_STATE], on_virtual_state},
	    {&alteon_objects[VIRTUAL_NAME], on_virtual_name},
	    {&alteon_objects[SERVICE_PORT], on_service_port},
	    {&alteon_objects[SERVICE_GROUP], on_service_group},
	    {&alteon_objects[SERVICE_REAL_PORT], on_service_real_port},
	    {&alteon_objects[OPER_GROUP_REAL], on_oper},
	    {&alteon_objects[STAT_NOW], on_real_now},
	    {&alteon_objects[STAT_TOTAL], on_real_total},
	};

	empty(a);
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		int rc = switch_walk(a->snmp, columns[i].object, columns[i].visit, a, e);
		if (rc)
			return rc;
	}
	fill_picture(a);
	return 0;
}

/* --- what is kept while changes are made ------------------------------------------------------------------- */

uint32_t alteon_real_for(const struct alteon *a, const struct address *address)
{
	uint32_t unused = 0;

	for (int64_t n = a->low; n <= a->high; n++) {
		const struct alteon_real *r = &a->reals[n];
		if (r->used && r->ours && !r->group && address_same_host(&r->address, address))
			return r->number;
		if (!r->used && !unused)
			unused = r->number;
	}
	return unused;
}

void alteon_real_take(struct alteon *a, uint32_t number, const struct address *address, uint32_t group)
{
	struct alteon_real *r = &a->reals[number];

	r->used = r->ours = true;
	r->address = *address;
	r->group = group;
}

struct alteon_real *alteon_real_of(struct alteon *a, uint32_t group, const struct address *address)
{
	for (uint32_t n = 1; group && n <= ALTEON_NUMBERS; n++)
		if (a->reals[n].used && a->reals[n].group == group && (!address || address_same_host(&a->reals[n].address, address)))
			return &a->reals[n];
	return NULL;
}

void alteon_real_drop(struct alteon_real *r)
{
	uint32_t number = r->number;

	memset(r, 0, sizeof *r);
	r->number = number;
}

uint32_t alteon_free_group(const struct alteon *a)
{
	for (int64_t n = a->low; n <= a->high; n++)
		if (!a->groups[n].used)
			return (uint32_t)n;
	return 0;
}

void alteon_group_take(struct alteon *a, uint32_t group)
{
	a->groups[group].used = a->groups[group].ours = true;
}

uint32_t alteon_free_virtual(const struct alteon *a)
{
	for (int64_t n = a->low; n <= a->high; n++)
		if (!a->virtuals[n].used)
			return (uint32_t)n;
	return 0;
}

struct alteon_virtual *alteon_virtual_at(struct alteon *a, const struct address *address)
{
	for (uint32_t n = 1; n <= ALTEON_NUMBERS; n++)
		if (a->virtuals[n].used && address_same_host(&a->virtuals[n].address, address))
			return &a->virtuals[n];
	return NULL;
}

void alteon_virtual_take(struct alteon *a, uint32_t number, const struct address *address)
{
	a->virtuals[number].used = a->virtuals[number].ours = true;
	a->virtuals[number].address = *address;
	a->virtuals[number].state = STATE_ENABLED;
}

void alteon_virtual_drop(struct alteon *a, uint32_t number)
{
	memset(&a->virtuals[number], 0, sizeof a->virtuals[number]);
	a->virtuals[number].number = number;
}

uint32_t alteon_free_service(const struct alteon *a, uint32_t virtual_number)
{
	for (uint32_t i = 0; i < ALTEON_SERVICES; i++)
		if (!a->services[virtual_number * ALTEON_SERVICES + i].used)
			return i + 1;
	return 0;
}

struct alteon_service *alteon_service_at(struct alteon *a, const struct address *endpoint)
{
	for (size_t i = 0; i < (ALTEON_NUMBERS + 1) * ALTEON_SERVICES; i++)
		if (a->services[i].used && address_equal(&a->services[i].address, endpoint))
			return &a->services[i];
	return NULL;
}

void alteon_service_take(struct alteon *a, uint32_t virtual_number, uint32_t number, uint32_t group, const struct picture_virtual *v, uint32_t real_port)
{
	a->services[virtual_number * ALTEON_SERVICES + number - 1] = (struct alteon_service){
	    .virtual_number = virtual_number, .number = number, .group = group, .real_port = real_port, .port = v->address.port, .used = true, .address = v->address};
}

void alteon_service_drop(struct alteon *a, struct alteon_service *s)
{
	memset(&a->groups[s->group], 0, sizeof a->groups[s->group]);
	memset(s, 0, sizeof *s);
}

bool alteon_has_services(const struct alteon *a, uint32_t virtual_number)
{
	for (uint32_t i = 0; i < ALTEON_SERVICES; i++)
		if (a->services[virtual_number * ALTEON_SERVICES + i].used)
			return true;
	return false;
}

/* A real server of ours may stand in another's group as well: then it is used. */
bool alteon_real_unused(const struct alteon *a, uint32_t number)
{
	const struct alteon_real *r = &a->reals[number];

	if (!r->used || !r->ours || r->group)
		return false;
	for (uint32_t g = 1; g <= ALTEON_NUMBERS; g++)
		if (a->groups[g].used && bit(&a->groups[g], number))
			return false;
	return true;
}

bool alteon_group_unused(const struct alteon *a, uint32_t number)
{
	if (!a->groups[number].used || !a->groups[number].ours)
		return false;
	for (size_t i = 0; i < (ALTEON_NUMBERS + 1) * ALTEON_SERVICES; i++)
		if (a->services[i].used && a->services[i].group == number)
			return false;
	return true;
}
