/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of the L4 drivers on a driver of the test's own: what it asks of a device, in which order, and what it says when a step fails,
 * gets no answer, or reads back different; and what of a wanted picture each family takes. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/driver.h"
#include "tests/unit/unit.h"

static struct device {
	struct picture is, pending;
	int fail_at, fail_with; /* the step (counted from 1) that fails; -1 none */
	bool does_it;           /* though its answer is lost */
	bool commits, saves, unsaved, forgets; /* forgets: takes changes and does not keep them */
	int steps, reads;
	char log[512];
} device;

static void say(const char *text)
{
	size_t used = strlen(device.log);

	text_append(device.log, sizeof device.log, &used, "%s ", text);
}

static int open_device(struct driver_run *run, struct error *e)
{
	(void)run;
	(void)e;
	return 0;
}

static void close_device(struct driver_run *run)
{
	(void)run;
}

static int read_device(struct driver_run *run, struct error *e)
{
	(void)e;
	device.reads++;
	picture_copy_virtuals(&run->have, &device.is);
	run->unsaved = device.unsaved;
	return 0;
}

static void take(struct picture *to, const struct driver_run *run)
{
	picture_clear(to);
	picture_copy_virtuals(to, run->want);
}

static int step_device(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	static const char *const kinds[] = {[STEP_BEGIN] = "begin", [STEP_TIDY] = "tidy", [STEP_COMMIT] = "commit", [STEP_SAVE] = "save", [STEP_REVERT] = "revert"};
	bool fails = ++device.steps == device.fail_at;

	say(step->kind == STEP_CHANGE ? picture_verb_name((int)step->change->verb) : kinds[step->kind]);
	if (step->kind == STEP_CHANGE) {
		CU_ASSERT(step->want || step->have);
		CU_ASSERT((step->change->verb != PICTURE_ADD_REAL && step->change->verb != PICTURE_CHANGE_REAL) || step->want_real);
		CU_ASSERT((step->change->verb != PICTURE_REMOVE_REAL && step->change->verb != PICTURE_CHANGE_REAL) || step->have_real);
		run->result->commands++;
	}
	/* the test's device learns all that is wanted with the last thing that is said to it */
	if ((!fails || device.does_it) && !device.forgets && (step->kind == STEP_COMMIT || (!device.commits && step->kind == STEP_CHANGE)))
		take(&device.is, run);
	if (step->kind == STEP_SAVE && !fails)
		device.unsaved = false;
	return fails ? error_set(e, device.fail_with, "device", "remedy", "step %d failed", device.steps) : 0;
}

static const struct driver_scheduler schedulers[] = {{"wrr", 1, NULL}, {"rr", 1, NULL}, {NULL, 0, NULL}};
static const char *const options[] = {"own", NULL};
static struct driver driver = {.family = "test",
			       .can = {.weight_max = 1000, .create = true, .forwardings = 1u << FORWARD_NAT, .name_max = 40, .reals_max = 100, .schedulers = schedulers},
			       .options = options, .prefix = "p-", .open = open_device, .read = read_device, .apply = step_device, .close = close_device};

static void prepare(bool commits, bool saves)
{
	picture_clear(&device.is);
	memset(&device, 0, sizeof device);
	device.commits = commits;
	device.saves = saves;
	device.fail_at = -1;
	driver.can.commit = commits;
	driver.can.save = saves;
	driver.can.create = true;
}

static void wanted(struct picture *p, const char *json)
{
	struct error e = {0};

	CU_ASSERT_EQUAL_FATAL(picture_from_json(json, strlen(json), p, &e), 0);
}

#define WEB "{\"name\":\"web\",\"address\":\"10.0.0.1:80\",\"scheduler\":\"rr\",\"reals\":[{\"name\":\"a\",\"address\":\"10.1.0.1:80\",\"weight\":100}]}"
#define TWO "{\"name\":\"two\",\"address\":\"10.0.0.2:80\",\"reals\":[{\"name\":\"a\",\"address\":\"10.1.0.1:80\",\"weight\":100}]}"

static struct picture_result go(const char *json)
{
	struct picture p;
	struct picture_result r;

	wanted(&p, json);
	device.log[0] = '\0';
	device.steps = device.reads = 0;
	CU_ASSERT_EQUAL(driver_run(&driver, &p, clock_mono_ms() + 5000, &r), r.status);
	CU_ASSERT(!r.status == !r.error.text[0] || r.status);
	picture_clear(&p);
	return r;
}

static void the_order(void)
{
	prepare(true, true);
	struct picture_result r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT_STRING_EQUAL(device.log, "begin add-virtual add-real commit save ");
	CU_ASSERT(r.status == 0 && !r.partial && r.change_count == 2 && r.have.count == 1);
	CU_ASSERT_STRING_EQUAL(r.have.virtuals[0].scheduler, "wrr");
	picture_result_clear(&r);
	r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT(r.status == 0 && r.change_count == 0 && device.steps == 0 && device.reads == 1);
	picture_result_clear(&r);
	r = go("{\"v\":1,\"dry_run\":true,\"virtuals\":[]}");
	CU_ASSERT(r.status == 0 && r.change_count == 1 && device.steps == 0 && device.is.count == 1);
	picture_result_clear(&r);
	device.unsaved = true;
	r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT_STRING_EQUAL(device.log, "save ");
	picture_result_clear(&r);
}

static void a_step_fails(void)
{
	/* in a transaction: all is taken back */
	prepare(true, true);
	device.fail_at = 3;
	device.fail_with = ERR_REFUSED;
	struct picture_result r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT_STRING_EQUAL(device.log, "begin add-virtual add-real revert ");
	CU_ASSERT(r.status == ERR_REFUSED && !r.partial && r.change_count == 0 && r.change_total == 0);
	picture_result_clear(&r);
	device.fail_at = 4;
	r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT_STRING_EQUAL(device.log, "begin add-virtual add-real commit revert ");
	CU_ASSERT(r.status == ERR_REFUSED && !r.partial && r.change_count == 0);
	picture_result_clear(&r);
	/* at once: what is made is made and said, and the other service is served */
	prepare(false, true);
	device.fail_at = 3;
	device.fail_with = ERR_REFUSED;
	r = go("{\"v\":1,\"virtuals\":[" TWO "," WEB "]}");
	CU_ASSERT_STRING_EQUAL(device.log, "begin add-virtual add-real add-virtual add-real save ");
	CU_ASSERT(r.status == ERR_REFUSED && r.partial && r.change_count == 3);
	picture_result_clear(&r);
	/* saved it is not */
	prepare(false, true);
	device.fail_at = 4;
	device.fail_with = ERR_REFUSED;
	r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT(r.status == ERR_REFUSED && r.partial && r.change_count == 2);
	picture_result_clear(&r);
}

static void an_answer_is_lost(void)
{
	for (int does = 0; does < 2; does++)
		for (int at = 1; at <= 4; at++) {
			prepare(true, false);
			device.fail_at = at;
			device.fail_with = ERR_REMOTE;
			device.does_it = does;
			struct picture_result r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
			CU_ASSERT(r.status == 0 && !r.partial && r.have.count == 1);
			picture_result_clear(&r);
		}
	/* always: an end, and said */
	prepare(false, false);
	device.forgets = true;
	struct picture_result r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	CU_ASSERT(r.status == ERR_NOT_NOW && strstr(r.error.text, "reads back different") && device.reads < 8);
	picture_result_clear(&r);
}

static void members_only(void)
{
	prepare(false, false);
	struct picture_result r = go("{\"v\":1,\"virtuals\":[" WEB "]}");
	picture_result_clear(&r);
	driver.can.create = false;
	r = go("{\"v\":1,\"virtuals\":[{\"name\":\"web\",\"address\":\"10.0.0.1:80\",\"reals\":[{\"name\":\"b\",\"address\":\"10.1.0.2:80\",\"weight\":1},{\"name\":\"a\",\"address\":\"10.1.0.1:80\"}]}]}");
	CU_ASSERT_STRING_EQUAL(device.log, "begin change-real ");
	CU_ASSERT(r.status == ERR_REFUSED && strstr(r.error.text, "add-real 10.1.0.2:80 is not possible"));
	picture_result_clear(&r);
}

static void what_is_refused(void)
{
	static const char *const bad[][2] = {
		{"{\"v\":1,\"options\":{\"none\":\"1\"},\"virtuals\":[" WEB "]}", "no option none"},
		{"{\"v\":1,\"options\":{\"prefix\":\"/\"},\"virtuals\":[" WEB "]}", "option prefix"},
		{"{\"v\":1,\"driver\":\"other\",\"virtuals\":[" WEB "]}", "is for other"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"10.0.0.3:80\",\"scheduler\":\"sh\"}]}", "scheduler"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"10.0.0.3:80\",\"protocol\":\"udp\"}]}", "no udp"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"[::1]:80\"}]}", "no IPv6"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"10.0.0.3:80\",\"forwarding\":\"tunnel\"}]}", "cannot forward"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"10.0.0.3:80\",\"persistence_s\":9}]}", "persistence"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x2345678901234567890123456789012345678901\",\"address\":\"10.0.0.3:80\"}]}", "too long"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"10.0.0.3:80\",\"reals\":[{\"name\":\"a\",\"address\":\"10.1.0.1\"}]}]}", "no port"},
		{"{\"v\":1,\"virtuals\":[" WEB ",{\"name\":\"x\",\"address\":\"10.0.0.3:80\",\"reals\":[{\"name\":\"a\",\"address\":\"10.1.0.1:1\",\"connections_max\":4}]}]}", "no limit"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		prepare(false, false);
		struct picture_result r = go(bad[i][0]);
		CU_ASSERT(r.status == ERR_CONFIG && strstr(r.error.text, bad[i][1]) && r.error.remedy[0]);
		/* the one that can be had is had, where the picture as a whole was no error */
		CU_ASSERT_EQUAL(r.have.count, i < 3 ? 0 : 1);
		picture_result_clear(&r);
	}
}

static void families(void)
{
	static const char *const names[] = {"haproxy", "alteon", "serveriron", "cisco-slb", "nftables", "f5"};

	CU_ASSERT_PTR_NULL(driver_find("ipvs"));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct driver *d = driver_find(names[i]);
		struct picture p, want = {0};
		struct error e = {0};

		CU_ASSERT_PTR_NOT_NULL_FATAL(d);
		CU_ASSERT(words_value(WORDS_BALANCER_DRIVER, d->family) > 0);
		CU_ASSERT(d->can.schedulers[0].word && !strcmp(d->can.schedulers[0].word, "wrr"));
		wanted(&p, "{\"v\":1,\"virtuals\":[" WEB "," TWO "]}");
		p.virtuals[0].reals[0].weight = 50;
		CU_ASSERT_EQUAL(driver_normalise(d, &p, d->prefix, &want, &e), 0);
		const struct picture_virtual *web = picture_find(&want, "web");
		CU_ASSERT(!strcmp(web->scheduler, !strcmp(d->family, "serveriron") ? "rr" : "wrr"));
		CU_ASSERT_EQUAL(web->reals[0].weight, d->can.weight_max == 48 ? 48 : 100);
		/* one weight a host where the device has only one */
		CU_ASSERT_EQUAL(picture_find(&want, "two")->reals[0].weight, d->can.weight_of_host || !d->can.weight_max ? 100 : d->can.weight_max == 48 ? 24 : 50);
		picture_clear(&want);
		picture_clear(&p);
	}
}

static const struct unit_test tests[] = {{"the order", the_order}, {"a step fails", a_step_fails}, {"an answer is lost", an_answer_is_lost},
					 {"members only", members_only}, {"what is refused", what_is_refused}, {"families", families}};

UNIT_MAIN("l4 frame", tests)
