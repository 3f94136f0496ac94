/* SPDX-License-Identifier: GPL-3.0-or-later */
/* F5 BIG-IP by F5-BIGIP-LOCAL-MIB: members of pools can be let in and out (NewSessionEnable), nothing else is writable. A virtual server of
 * the picture is the pool of that name in the partition; its address is not compared. A member that is out and not wanted is as good as removed,
 * and so is a pool that was ours (option previous) when nobody is in. What is more than on or off is refused by the frame with the reason. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/snmp.h"

#define M "1.3.6.1.4.1.3375.2.2.5.3.2.1."
#define STAT "1.3.6.1.4.1.3375.2.2.5.4.3.1."

enum { USER_DISABLED = 1, USER_ENABLED = 2 };
enum { SESSION_ENABLED = 1 };
enum { MONITOR_DOWN = 19, MONITOR_FORCED_DOWN = 20 };
enum { MEMBER_ADDRESS, MEMBER_MONITOR, MEMBER_ENABLE, MEMBER_SESSION, STAT_BYTES_IN, STAT_BYTES_OUT, STAT_TOTAL, STAT_NOW, OBJECTS };
static const struct snmp_object objects[OBJECTS] = {
    [MEMBER_ADDRESS] = {"ltmPoolMemberAddr", M "3"},          [MEMBER_MONITOR] = {"ltmPoolMemberMonitorState", M "10"},
    [MEMBER_ENABLE] = {"ltmPoolMemberNewSessionEnable", M "12"}, [MEMBER_SESSION] = {"ltmPoolMemberSessionStatus", M "13"},
    [STAT_BYTES_IN] = {"ltmPoolMemberStatServerBytesIn", STAT "6"}, [STAT_BYTES_OUT] = {"ltmPoolMemberStatServerBytesOut", STAT "8"},
    [STAT_TOTAL] = {"ltmPoolMemberStatServerTotConns", STAT "10"}, [STAT_NOW] = {"ltmPoolMemberStatServerCurConns", STAT "11"}};

struct member { /* the device's row of a member */
	struct snmp_index index;
	struct address address;
	char pool[PICTURE_NAME];
	bool on;
};
struct f5 {
	struct driver_run *run;
	struct snmp *snmp;
	const char *partition;
	struct member *members;
	size_t count, room;
};

static struct member *find_index(struct f5 *f, const struct snmp_index *index)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->members[i].index.length == index->length && !memcmp(f->members[i].index.id, index->id, index->length * sizeof(oid)))
			return &f->members[i];
	return NULL;
}

/* "/Common/web" is pool web of partition Common; names of old software have no partition. */
static const char *pool_name(const struct f5 *f, const char *full)
{
	size_t length = strlen(f->partition);

	if (full[0] != '/')
		return full;
	return !strncmp(full + 1, f->partition, length) && full[1 + length] == '/' ? full + length + 2 : NULL;
}

/* A pool that was ours and is wanted no more: in one of the lists "web, mail" of the appliance. */
static bool was_ours(const struct driver_run *run, const char *pool)
{
	char word[PICTURE_NAME];

	for (size_t i = 0; i < run->asked->option_count; i++) {
		const char *list = picture_is_previous(run->asked->options[i].name) ? run->asked->options[i].value : "";
		while ((list = picture_next_word(list, word, sizeof word)))
			if (!strcmp(word, pool))
				return true;
	}
	return false;
}

static int on_address(void *arg, const struct snmp_value *v)
{
	struct f5 *f = arg;
	char pool[128], node[128];
	size_t at = 0;
	struct address address;

	if (!snmp_index_text(&v->index, &at, pool, sizeof pool) || !snmp_index_text(&v->index, &at, node, sizeof node) || at + 1 != v->index.length ||
	    v->index.id[at] < 1 || v->index.id[at] > 65535 || !snmp_value_address(v, &address))
		return 0;
	const char *name = pool_name(f, pool);
	/* one that was refused stays as it is */
	if (!name || (!picture_find(f->run->want, name) && (picture_find(f->run->asked, name) || !was_ours(f->run, name))))
		return 0;
	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 16;
		f->members = mem_grow(f->members, f->room, sizeof *f->members);
	}
	struct member *m = &f->members[f->count++];
	memset(m, 0, sizeof *m);
	m->index = v->index;
	m->address = address;
	m->address.port = (uint16_t)v->index.id[at];
	text_copy(m->pool, sizeof m->pool, name);
	return 0;
}

static int on_session(void *arg, const struct snmp_value *v)
{
	struct member *m = find_index(arg, &v->index);

	if (m)
		m->on = v->number == SESSION_ENABLED;
	return 0;
}

static struct picture_virtual *pool_row(struct f5 *f, const char *name)
{
	struct picture *have = &f->run->have;

	for (size_t i = 0; i < have->count; i++)
		if (!strcmp(have->virtuals[i].name, name))
			return &have->virtuals[i];
	const struct picture_virtual *want = picture_find(f->run->want, name);
	struct picture_virtual *v = picture_add_virtual(have, name);
	if (!v || !want)
		return v;
	*v = *want;
	v->reals = NULL;
	v->count = v->room = 0;
	return v;
}

/* Members that are out and not wanted stay in the pool, and get nothing. */
static void fill_picture(struct f5 *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct member *m = &f->members[i];
		const struct picture_virtual *want = picture_find(f->run->want, m->pool);
		struct picture_virtual *v = want || m->on ? pool_row(f, m->pool) : NULL;
		bool wanted = false;

		for (size_t r = 0; want && r < want->count; r++)
			wanted = wanted || address_equal(&want->reals[r].address, &m->address);
		struct picture_real *row = v && (wanted || m->on) ? picture_add_real(v, "") : NULL;
		if (row) {
			row->address = m->address;
			row->weight = m->on ? PICTURE_WEIGHT_NOMINAL : 0;
		}
	}
}

static struct picture_real *real_of(struct f5 *f, const struct snmp_value *v)
{
	const struct member *m = find_index(f, &v->index);
	const struct picture_virtual *want = m ? picture_find(f->run->want, m->pool) : NULL;
	struct picture_virtual *row = m && (want || m->on) ? pool_row(f, m->pool) : NULL;

	for (size_t i = 0; row && i < row->count; i++)
		if (address_equal(&row->reals[i].address, &m->address))
			return &row->reals[i];
	return NULL;
}

#define ON(what, does)                                              \
	static int on_##what(void *arg, const struct snmp_value *v) \
	{                                                           \
		struct picture_real *r = real_of(arg, v);           \
		if (r)                                              \
			does;                                       \
		return 0;                                           \
	}
ON(monitor, r->failing = v->number == MONITOR_DOWN || v->number == MONITOR_FORCED_DOWN)
ON(bytes_in, r->counts.bytes_in = (uint64_t)v->number)
ON(bytes_out, r->counts.bytes_out = (uint64_t)v->number)
ON(total, r->counts.connections = (uint64_t)v->number)
ON(now, r->counts.active = (uint32_t)v->number)
#undef ON

static int f5_read(struct driver_run *run, struct error *e)
{
	static const struct {
		int object;
		snmp_visit *visit;
	} more[] = {{MEMBER_MONITOR, on_monitor}, {STAT_BYTES_IN, on_bytes_in}, {STAT_BYTES_OUT, on_bytes_out}, {STAT_TOTAL, on_total}, {STAT_NOW, on_now}};
	struct f5 *f = run->state;

	f->count = 0;
	int rc = switch_walk(f->snmp, &objects[MEMBER_ADDRESS], on_address, f, e);
	if (!rc)
		rc = switch_walk(f->snmp, &objects[MEMBER_SESSION], on_session, f, e);
	if (!rc)
		fill_picture(f);
	for (size_t i = 0; !rc && i < COUNT_OF(more); i++)
		rc = switch_walk(f->snmp, &objects[more[i].object], more[i].visit, f, e);
	return rc;
}

static int f5_open(struct driver_run *run, struct error *e)
{
	struct f5 *f = mem_zalloc(sizeof *f);

	run->state = f;
	f->run = run;
	f->partition = driver_option(run, "partition", "Common");
	return switch_open(run, &f->snmp, e);
}

static void f5_close(struct driver_run *run)
{
	struct f5 *f = run->state;

	if (!f)
		return;
	switch_close(f->snmp);
	free(f->members);
	free(f);
	run->state = NULL;
}

static int let(struct f5 *f, const struct member *m, bool in, struct error *e)
{
	struct snmp_write w = {.object = &objects[MEMBER_ENABLE], .index = m->index, .type = 'i', .number = in ? USER_ENABLED : USER_DISABLED};

	return switch_set(f->snmp, &w, 1, e);
}

static int f5_apply(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	struct f5 *f = run->state;
	const struct picture_real *real = step->want_real ? step->want_real : step->have_real; /* none: of the whole pool */
	bool found = false;
	int rc = 0;

	if (step->kind != STEP_CHANGE)
		return 0;
	for (size_t i = 0; !rc && i < f->count; i++) {
		const struct member *m = &f->members[i];
		if (strcmp(m->pool, step->change->virtual_name) != 0 || (real ? !address_equal(&m->address, &real->address) : !m->on))
			continue;
		found = true;
		rc = let(f, m, step->want_real && step->want_real->weight, e);
	}
	return found ? rc : error_set(e, ERR_NOT_FOUND, run->object, "try again", "a member of pool %s is gone meanwhile", step->change->virtual_name);
}

static const struct driver_scheduler schedulers[] = {{"wrr", 1, NULL}, {"rr", 1, NULL}, {"wlc", 1, NULL}, {"lc", 1, NULL}, {"sh", 1, NULL}, {NULL, 0, NULL}};
static const char *const options[] = {"timeout_ms", "partition", "previous", "previous-1", "previous-2", "previous-3", "previous-4", "previous-5", "previous-6",
				      "previous-7", "previous-8", "previous-9", NULL};

const struct driver driver_f5 = {
    .family = "f5",
    .can = {.let_out = true,
	    .statistics = true,
	    .udp = true,
	    .ipv6 = true,
	    .persistence = true,
	    .forwardings = 1u << FORWARD_NAT | 1u << FORWARD_DIRECT,
	    .name_max = PICTURE_NAME,
	    .reals_max = PICTURE_REALS_MAX,
	    .schedulers = schedulers},
    .options = options,
    .prefix = "",
    .open = f5_open,
    .read = f5_read,
    .apply = f5_apply,
    .close = f5_close,
};
