/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The switch drivers on the simulated families, in one process and without a network: what is sent for each change and in which order, and
 * that a fault at any single SET ends in what was wanted, or in an error after which the next run makes it. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/snmp.h"
#include "tests/lab/l4sim/sim.h"
#include "tests/unit/unit.h"

static const struct family *family;
static int64_t stall_until_ms;
static int stall_sets;

int64_t sim_now_ms(void)
{
	return clock_mono_ms();
}

static int exchange(void *arg, netsnmp_pdu *request, netsnmp_pdu **reply, int timeout_ms, struct error *e)
{
	(void)arg;
	(void)timeout_ms;
	/* the fourth SET is answered when the time is over */
	if (stall_until_ms && request->command == SNMP_MSG_SET && ++stall_sets == 4)
		for (int64_t left; (left = stall_until_ms - clock_mono_ms()) > 0;)
			poll(NULL, 0, (int)left);
	*reply = sim_inside(family, request);
	snmp_free_pdu(request);
	return *reply ? 0 : error_set(e, ERR_REMOTE, "switch", "look", "no answer by SNMP");
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static void device(const struct family *f, bool enhanced)
{
	family = f;
	free(sim_cells.list);
	sim_cells = (struct cells){0};
	knobs = (struct knobs){.enhanced = enhanced, .members = 4, .network = 0x0a0100};
	switch_fake(exchange, NULL);
	f->begin();
}

static void faults(long after, long lose, long drop, long refuse)
{
	knobs.after = after;
	knobs.lose = lose;
	knobs.drop = drop;
	knobs.refuse = refuse;
}

static const char *pending_option = "", *unsaved_option = "";

/* members: "1:100 2:0" behind 10.99.0.100:80, service "web"; NULL: no service */
static struct picture_result go_within(const char *members, int64_t ms)
{
	struct picture p = {0};
	struct picture_result r;
	struct picture_virtual *v = members ? picture_add_virtual(&p, "web") : NULL;

	if (v) {
		CU_ASSERT(address_parse("10.99.0.100:80", 0, &v->address));
		v->protocol = PICTURE_TCP;
		v->forwarding = FORWARD_NAT;
		v->family = 4;
	}
	for (const char *m = members; m && *m; m += strcspn(m, " "), m += strspn(m, " ")) {
		char name[16], address[32];
		int number = (int)strtol(m, NULL, 10);
		text_format(name, sizeof name, "n%d", number);
		text_format(address, sizeof address, "10.1.0.%d:80", number);
		struct picture_real *real = picture_add_real(v, name);
		CU_ASSERT(address_parse(address, 0, &real->address));
		real->weight = (uint32_t)strtol(strchr(m, ':') + 1, NULL, 10);
	}
	if (*pending_option)
		picture_set_option(&p, "pending", pending_option);
	if (*unsaved_option)
		picture_set_option(&p, "unsaved", unsaved_option);
	picture_sort(&p);
	driver_run(driver_find(family->name), &p, clock_mono_ms() + ms, &r);
	picture_clear(&p);
	return r;
}

static struct picture_result go(const char *members)
{
	return go_within(members, 20000);
}

static void shows(const struct picture_result *r, const char *members)
{
	char text[256] = "";
	size_t used = 0;
	uint32_t full = strcmp(family->name, "alteon") ? 100 : 48;

	CU_ASSERT(r->read);
	for (size_t i = 0; i < (r->have.count ? r->have.virtuals[0].count : 0); i++) {
		const struct picture_real *real = &r->have.virtuals[0].reals[i];
		text_append(text, sizeof text, &used, "%s%u:%u", used ? " " : "", (unsigned)real->address.bytes[3], (unsigned)((real->weight * 100 + full / 2) / full));
	}
	CU_ASSERT_STRING_EQUAL(text, members);
}

static void reads_as(const struct picture_result *r, const char *members)
{
	CU_ASSERT_EQUAL(r->status, 0);
	if (r->status)
		printf("%s: %s: %s\n", family->name, error_name(r->status), r->error.text);
	shows(r, members);
}

static void want(const char *members)
{
	struct picture_result r = go(members);

	reads_as(&r, members ? members : "");
	CU_ASSERT(!r.partial);
	picture_result_clear(&r);
	r = go(members);
	CU_ASSERT(r.status == 0 && r.change_count == 0 && r.commands == 0);
	picture_result_clear(&r);
}

static const struct {
	const struct family *family;
	bool enhanced;
} devices[] = {{&family_alteon, false}, {&family_alteon, true}, {&family_serveriron, false}, {&family_cisco, false}};

static void life(void)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++) {
		device(devices[i].family, devices[i].enhanced);
		struct cells before = {0};
		struct sim_oid root = sim_oid("1.3");
		cells_copy_below(&before, &sim_cells, &root);
		want("1:100 2:50");
		want("1:100 2:50 3:100 4:10");
		want("1:0 2:50 3:100 4:0");
		want("1:100 2:50 3:100");
		want("3:100");
		want("");
		want(NULL);
		/* nothing of ours is left anywhere, what is not ours is as it was; Alteon's operational states have no row to remove */
		bool same = cells_equal_below(&before, &sim_cells, &root);
		for (size_t c = 0; c < before.count; c++)
			CU_ASSERT_PTR_NOT_NULL(cells_find(&sim_cells, &before.list[c].name));
		CU_ASSERT(same || !strcmp(family->name, "alteon"));
		free(before.list);
	}
}

enum fault { LOSE, DROP, REFUSE };

/* The fault at every SET of going from one picture to another. */
static void walk(size_t which, enum fault fault, const char *from, const char *to)
{
	device(devices[which].family, devices[which].enhanced);
	want(from);
	struct picture_result r = go(to);
	long count = (long)r.commands;
	picture_result_clear(&r);
	for (long at = 0; at < count; at++) {
		device(devices[which].family, devices[which].enhanced);
		want(from);
		faults(at, fault == LOSE, fault == DROP, fault == REFUSE);
		r = go(to);
		faults(0, 0, 0, 0);
		if (fault != REFUSE)
			reads_as(&r, to ? to : "");
		CU_ASSERT(r.status == 0 || r.status == ERR_REFUSED);
		CU_ASSERT(r.status == 0 || (r.error.object[0] && r.error.text[0] && r.error.remedy[0]));
		/* what stays half-made is said */
		CU_ASSERT(r.status == 0 || r.change_count == 0 || r.partial);
		picture_result_clear(&r);
		want(to);
	}
}

static void every_fault(void)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++)
		for (int fault = LOSE; fault <= REFUSE; fault++) {
			walk(i, fault, NULL, "1:100 2:50");
			walk(i, fault, "1:100 2:50", "1:0 2:100 3:25");
			walk(i, fault, "1:100 2:50 3:0", "2:50");
			walk(i, fault, "1:100 2:50", NULL);
		}
}

/* A run that is cut off after each SET: the next one makes the rest, or says what stands in its way. */
static void cut_off(void)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++)
		for (long at = 0; at < 12; at++) {
			device(devices[i].family, devices[i].enhanced);
			want("1:100");
			faults(at, 1000, 1000, 0);
			struct picture_result r = go("2:100 3:100");
			faults(0, 0, 0, 0);
			bool pending = !strcmp(family->name, "alteon") && r.status;
			picture_result_clear(&r);
			r = go("2:100 3:100");
			CU_ASSERT(r.status == 0 || (pending && r.status == ERR_BUSY && strstr(r.error.text, "pending")));
			picture_result_clear(&r);
		}
}

static void few_commands(void)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++) {
		device(devices[i].family, devices[i].enhanced);
		want("1:100 2:100 3:100 4:100 5:100 6:100 7:100 8:100");
		struct picture_result r = go("1:100 2:100 3:40 4:100 5:100 6:100 7:100 8:100");
		/* alteon: the member at once and for good, apply, save, and three buffers to free */
		CU_ASSERT(r.change_count == 1 && r.commands <= (strcmp(family->name, "alteon") ? 5 : 7));
		picture_result_clear(&r);
	}
}

static void read_only(void)
{
	device(&family_cisco, false);
	knobs.read_only = 1;
	struct picture_result r = go("1:100");
	CU_ASSERT(r.status == ERR_REFUSED && strstr(r.error.text, "read-only by SNMP") && r.commands == 1);
	picture_result_clear(&r);
	knobs.read_only = 0;
	want("1:100");
	knobs.read_only = 1;
	r = go("1:50");
	CU_ASSERT(r.status == ERR_REFUSED && strstr(r.error.text, "read-only by SNMP") && r.commands == 1);
	picture_result_clear(&r);
}

static void apply_fails(void)
{
	struct sim_oid pending = sim_oid("1.3.6.1.4.1.1872.2.5.1.1.8.1.0");

	device(&family_alteon, false);
	knobs.fail_apply = 1;
	struct picture_result r = go("1:100");
	CU_ASSERT(r.status == ERR_REFUSED && strstr(r.error.text, "overlaps interface 3; Configuration is not applied"));
	CU_ASSERT(!r.partial && r.change_count == 0 && r.have.count == 0);
	picture_result_clear(&r);
	family->tick(sim_now_ms());
	CU_ASSERT_EQUAL(cells_number(&sim_cells, &pending, 0), 3);
	want("1:100");
}

static void saving_fails(void)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++) {
		device(devices[i].family, devices[i].enhanced);
		knobs.fail_save = 1;
		struct picture_result r = go("1:100");
		CU_ASSERT(r.status == ERR_REFUSED && r.partial && strstr(r.error.text, "saving failed"));
		picture_result_clear(&r);
		r = go("1:100");
		CU_ASSERT(r.status == 0 && r.change_count == 0 && r.commands > 0);
		picture_result_clear(&r);
		want("1:100");
	}
}

static void deletions_wait(void)
{
	device(&family_serveriron, false);
	want("1:100 2:100");
	knobs.delete_ms = 3600000;
	struct picture_result r = go("1:100");
	CU_ASSERT(r.status == 0 && r.pending);
	reads_as(&r, "1:100");
	picture_result_clear(&r);
	r = go("1:100 2:100");
	CU_ASSERT(r.status == ERR_NOT_NOW && r.pending && strstr(r.error.text, "still being deleted"));
	picture_result_clear(&r);
}

static void members_only(void)
{
	device(&family_f5, false);
	want("1:100 2:0 3:100 4:100");
	want("1:100 2:100 3:0 4:100");
	faults(0, 1, 0, 0);
	want("1:100 2:100 3:100 4:100");
	struct picture_result r = go("1:0 2:100 3:100 4:100 9:100");
	CU_ASSERT(r.status == ERR_REFUSED && r.partial && r.commands == 1 && strstr(r.error.text, "add-real 10.1.0.9:80"));
	/* what is refused has been read back all the same */
	shows(&r, "1:0 2:100 3:100 4:100");
	picture_result_clear(&r);
	want("2:100 4:100");
}

/* The time is over in the middle of the changes: what is pending is taken back all the same, so that the next run is not stopped by it. */
static void too_slow(void)
{
	struct sim_oid pending = sim_oid("1.3.6.1.4.1.1872.2.5.1.1.8.1.0");

	device(&family_alteon, false);
	want("1:100");
	stall_sets = 0;
	stall_until_ms = clock_mono_ms() + 1010;
	struct picture_result r = go_within("1:100 2:100 3:100 4:100 5:100 6:100 7:100 8:100 9:100", 1000);
	CU_ASSERT(r.status == ERR_REMOTE && !r.partial && r.change_count == 0 && r.commands > 3 && !r.read);
	picture_result_clear(&r);
	stall_until_ms = 0;
	family->tick(sim_now_ms());
	CU_ASSERT_EQUAL(cells_number(&sim_cells, &pending, 0), 3);
	want("1:100 2:100 3:100");
}

/* Taking back is refused, too: the result says that what is pending is ours, and who says so to the next run has it dropped; nobody else has. */
static void not_taken_back(void)
{
	device(&family_alteon, false);
	want("1:100");
	faults(2, 0, 0, 1000);
	struct picture_result r = go("1:100 2:100 3:100");
	CU_ASSERT(r.status == ERR_REFUSED && r.left && r.partial && strstr(r.error.text, "taking back"));
	picture_result_clear(&r);
	faults(0, 0, 0, 1000);
	pending_option = "ours";
	r = go("1:100 2:100 3:100");
	CU_ASSERT(r.status == ERR_REFUSED && r.left && !strstr(r.error.text, "somebody else"));
	picture_result_clear(&r);
	faults(0, 0, 0, 0);
	pending_option = "";
	r = go("1:100 2:100 3:100");
	CU_ASSERT(r.status == ERR_BUSY && !r.left);
	picture_result_clear(&r);
	pending_option = "ours";
	r = go("1:100 2:100 3:100");
	reads_as(&r, "1:100 2:100 3:100");
	CU_ASSERT(!r.left);
	picture_result_clear(&r);
	pending_option = "";
}

/* The SET that saves is refused itself: the device shows nothing of it, so the result says it, and who says so to the next run has it saved. */
static void not_saved(void)
{
	for (size_t i = 0; i < COUNT_OF(devices); i++) {
		device(devices[i].family, devices[i].enhanced);
		want("1:100");
		struct picture_result r = go("1:50");
		uint32_t all = r.commands;
		bool told = false;
		CU_ASSERT(r.status == 0 && !r.unsaved);
		picture_result_clear(&r);
		for (uint32_t after = 1; after < all; after++) {
			want("1:100");
			faults((long)after, 0, 0, 1000);
			r = go("1:50");
			faults(0, 0, 0, 0);
			bool unsaved = r.unsaved;
			told = told || unsaved;
			CU_ASSERT(!unsaved || r.status == ERR_REFUSED);
			unsaved_option = unsaved ? "1" : "";
			pending_option = r.left ? "ours" : "";
			picture_result_clear(&r);
			r = go(unsaved ? "1:50" : "1:100");
			CU_ASSERT(r.status == 0 && !r.unsaved && (!unsaved || r.commands > 0));
			picture_result_clear(&r);
			unsaved_option = pending_option = "";
		}
		CU_ASSERT(told);
	}
}

static const struct unit_test tests[] = {{"life", life}, {"every fault", every_fault}, {"cut off", cut_off}, {"few commands", few_commands}, {"read-only", read_only},
					 {"apply fails", apply_fails}, {"saving fails", saving_fails}, {"deletions wait", deletions_wait}, {"members only", members_only}, {"too slow", too_slow}, {"not taken back", not_taken_back}, {"not saved", not_saved}};

UNIT_MAIN("l4 switches", tests)
