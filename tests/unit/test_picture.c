/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The neutral picture: JSON there and back, what is refused, weights, names, and that the difference, carried out, gives what was wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balance/picture.h"
#include "base/memory.h"
#include "base/text.h"
#include "tests/unit/unit.h"

static const char sample[] =
	"{\"v\":1,\"driver\":\"haproxy\",\"target\":\"10.0.0.4:161\",\"dry_run\":true,\"options\":{\"socket\":\"/run/x\",\"config\":\"/etc/y\"},"
	"\"credential\":{\"version\":\"3\",\"user\":\"glory\",\"auth\":\"SHA-256\",\"priv\":\"AES-128\",\"auth_secret\":\"hush hush\",\"priv_secret\":\"still\"},"
	"\"virtuals\":[{\"name\":\"web\",\"address\":\"10.0.0.100:80\",\"scheduler\":\"wrr\",\"persistence_s\":300,\"persistence_prefix\":24,\"connections\":9007199254740993,"
	"\"reals\":[{\"name\":\"n002\",\"address\":\"10.0.1.2:80\",\"weight\":50},{\"name\":\"n001\",\"address\":\"10.0.1.1:80\",\"weight\":100,\"connections_max\":7,\"failing\":true}]},"
	"{\"name\":\"dns\",\"protocol\":\"udp\",\"address\":\"[2001:db8::1]:53\",\"forwarding\":\"direct\",\"reals\":[]},"
	"{\"name\":\"all\",\"protocol\":\"fwmark\",\"fwmark\":7,\"family\":6,\"forwarding\":\"tunnel\",\"reals\":[{\"name\":\"a\",\"address\":\"fd00::1\",\"weight\":1}]}]}";

static void reads_and_writes(void)
{
	struct picture p, again;
	struct error e = {0};

	CU_ASSERT_EQUAL_FATAL(picture_from_json(sample, strlen(sample), &p, &e), 0);
	CU_ASSERT_STRING_EQUAL(picture_option(&p, "config", ""), "/etc/y");
	CU_ASSERT_STRING_EQUAL(picture_option(&p, "none", "else"), "else");
	CU_ASSERT_STRING_EQUAL(p.secret_auth, "hush hush");
	CU_ASSERT(p.dry_run && !p.read_only && p.target.port == 161 && p.snmp_version == PICTURE_SNMP_V3 && p.count == 3);
	const struct picture_virtual *web = picture_find(&p, "web"), *all = picture_find(&p, "all");
	CU_ASSERT_FATAL(web && all && web->count == 2 && all->count == 1);
	CU_ASSERT(web->counts.connections == 9007199254740993u && web->protocol == PICTURE_TCP && web->forwarding == FORWARD_NAT && web->family == 4);
	CU_ASSERT_STRING_EQUAL(web->reals[0].name, "n001");
	CU_ASSERT(web->reals[0].failing && web->reals[0].connections_max == 7 && web->reals[1].weight == 50);
	CU_ASSERT(all->family == 6 && all->fwmark == 7 && all->reals[0].address.port == 0);
	CU_ASSERT_PTR_NULL(picture_find(&p, "we"));

	char *open = picture_to_json(&p, true), *closed = picture_to_json(&p, false);
	CU_ASSERT(strstr(open, "hush") && !strstr(closed, "hush") && !strstr(closed, "still"));
	CU_ASSERT_EQUAL_FATAL(picture_from_json(open, strlen(open), &again, &e), 0);
	char *second = picture_to_json(&again, true);
	CU_ASSERT_STRING_EQUAL(open, second);
	picture_free_text(second);
	picture_free_text(open);
	picture_free_text(closed);
	picture_clear(&again);
	CU_ASSERT(again.secret_auth[0] == '\0' && again.virtuals == NULL);
	picture_clear(&p);
}

static void refuses(void)
{
#define V(members) "{\"v\":1,\"virtuals\":[{\"name\":\"a\",\"address\":\"10.0.0.1:80\"" members "}]}"
	static const char *const bad[][2] = {
		{"", "no JSON"}, {"[1]", "v is not 1"}, {"{\"v\":2}", "v is not 1"}, {"{\"v\":1,\"v\":1}", "no JSON"}, {"{\"v\":1}x", "no JSON"},
		{"{\"v\":1,\"color\":1}", "color is no member"}, {"{\"v\":1,\"driver\":\"a b\"}", "driver has no value"},
		{"{\"v\":1,\"dry_run\":1}", "dry_run has no value"}, {"{\"v\":1,\"target\":\"host\"}", "target has no value"},
		{"{\"v\":1,\"options\":[]}", "no object"}, {"{\"v\":1,\"options\":{\"a\":\"b\\nc\"}}", "a has no name or value"},
		{"{\"v\":1,\"credential\":{\"user\":\"x\"}}", "version is missing"}, {"{\"v\":1,\"credential\":{\"version\":\"1\"}}", "version has no value"},
		{"{\"v\":1,\"virtuals\":{}}", "no list"}, {"{\"v\":1,\"virtuals\":[1]}", "no object"}, {"{\"v\":1,\"virtuals\":[{}]}", "name is missing"},
		{"{\"v\":1,\"virtuals\":[{\"name\":\"a\"}]}", "address with its port"}, {"{\"v\":1,\"virtuals\":[{\"name\":\"a\",\"address\":\"10.0.0.1\"}]}", "address with its port"},
		{V(",\"protocol\":\"sctp\""), "protocol has no value"}, {V(",\"fwmark\":3"), "there is a mark too"}, {V(",\"family\":6"), "family is not"},
		{V(",\"persistence_prefix\":33"), "longer than an address"}, {V(",\"persistence_s\":-1"), "has no value"}, {V(",\"persistence_s\":1.5"), "has no value"},
		{V(",\"reals\":{}"), "no list"}, {V(",\"reals\":[{\"name\":\"x\"}]"), "address of a real server is missing"},
		{V(",\"reals\":[{\"address\":\"10.0.0.2:80\",\"weight\":70000}]"), "weight has no value"},
		{V(",\"reals\":[{\"address\":\"10.0.0.2:80\",\"name\":\"../x\"}]"), "name has no value"},
		{V(",\"reals\":[{\"address\":\"10.0.0.2:80\"},{\"address\":\"10.0.0.2:80\"}]"), "one address twice"},
		{V(",\"reals\":[{\"name\":\"x\",\"address\":\"10.0.0.2:80\"},{\"name\":\"x\",\"address\":\"10.0.0.3:80\"}]"), "x is there twice"},
		{"{\"v\":1,\"virtuals\":[{\"name\":\"a\",\"address\":\"10.0.0.1:80\"},{\"name\":\"a\",\"address\":\"10.0.0.1:81\"}]}", "a is there twice"},
		{"{\"v\":1,\"virtuals\":[{\"name\":\"a\",\"address\":\"10.0.0.1:80\"},{\"name\":\"b\",\"address\":\"10.0.0.1:80\"}]}", "another virtual server"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct picture p;
		struct error e = {0};

		CU_ASSERT_EQUAL(picture_from_json(bad[i][0], strlen(bad[i][0]), &p, &e), ERR_CONFIG);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i][1]));
		if (!strstr(e.text, bad[i][1]))
			printf("%s: %s\n", bad[i][0], e.text);
		CU_ASSERT(e.object[0] && e.remedy[0] && !p.virtuals);
	}
	struct error e;
	struct picture p;
	char *long_text = mem_zalloc(PICTURE_BYTES_MAX + 2);
	memset(long_text, ' ', PICTURE_BYTES_MAX + 1);
	CU_ASSERT_EQUAL(picture_from_json(long_text, PICTURE_BYTES_MAX + 1, &p, &e), ERR_CONFIG);
	free(long_text);
}

static void limits(void)
{
	struct picture p = {0};
	char name[32];

	for (unsigned i = 0; i < PICTURE_VIRTUALS_MAX; i++) {
		text_format(name, sizeof name, "v%u", i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(picture_add_virtual(&p, name));
	}
	CU_ASSERT_PTR_NULL(picture_add_virtual(&p, "more"));
	for (unsigned i = 0; i < PICTURE_REALS_MAX; i++)
		CU_ASSERT_PTR_NOT_NULL_FATAL(picture_add_real(&p.virtuals[0], ""));
	CU_ASSERT_PTR_NULL(picture_add_real(&p.virtuals[0], ""));
	for (unsigned i = 0; i < PICTURE_OPTIONS; i++)
		CU_ASSERT(picture_set_option(&p, "a", "b"));
	CU_ASSERT(!picture_set_option(&p, "a", "b"));
	picture_clear(&p);
}

static void weights(void)
{
	CU_ASSERT_EQUAL(picture_weight(100, 100, 65535), 100);
	CU_ASSERT_EQUAL(picture_weight(0, 100, 48), 0);
	CU_ASSERT_EQUAL(picture_weight(100, 100, 48), 48);
	CU_ASSERT_EQUAL(picture_weight(1, 100, 48), 1);
	CU_ASSERT_EQUAL(picture_weight(40, 40, 48), 19);
	CU_ASSERT_EQUAL(picture_weight(1000, 1000, 256), 256);
	CU_ASSERT_EQUAL(picture_weight(100, 1000, 256), 26);
	for (uint32_t heaviest = 1; heaviest <= PICTURE_WEIGHT_MAX; heaviest += 7)
		for (uint32_t w = 1, last = 0; w <= heaviest; w++) {
			uint32_t is = picture_weight(w, heaviest, 48);
			CU_ASSERT(is >= 1 && is <= 48 && is >= last);
			last = is;
		}
}

static void results(void)
{
	struct picture_result r = {0}, again;
	struct error e = {0};

	r.status = error_set(&r.error, ERR_REFUSED, "switch 10.0.0.4", "allow it", "bad \x01 bytes \xff");
	r.partial = true;
	r.commands = 3;
	picture_add_real(picture_add_virtual(&r.have, "web"), "n001")->address = (struct address){.family = 4, .port = 80, .bytes = {10, 0, 0, 1}};
	r.have.virtuals[0].address = (struct address){.family = 4, .port = 80, .bytes = {10, 0, 0, 9}};
	r.have.virtuals[0].protocol = PICTURE_TCP;
	r.have.virtuals[0].forwarding = FORWARD_NAT;
	r.have.virtuals[0].family = 4;
	for (int i = 0; i < 300; i++)
		picture_result_change(&r, PICTURE_CHANGE_REAL, "web", "10.0.0.1:80", "weight %d > %d", i, i + 1);
	char *text = picture_result_to_json(&r);
	CU_ASSERT_EQUAL_FATAL(picture_result_from_json(text, strlen(text), &again, &e), 0);
	CU_ASSERT(again.status == ERR_REFUSED && again.partial && !again.pending && again.commands == 3 && again.change_total == 300);
	CU_ASSERT_EQUAL(again.change_count, PICTURE_CHANGES_SHOWN);
	CU_ASSERT_STRING_EQUAL(again.changes[1].what, "weight 1 > 2");
	CU_ASSERT_STRING_EQUAL(again.error.text, "bad ? bytes ?");
	CU_ASSERT_EQUAL(again.have.count, 1);
	char *second = picture_result_to_json(&again);
	CU_ASSERT_STRING_EQUAL(second, text);
	free(second);
	free(text);
	picture_result_clear(&again);
	picture_result_clear(&r);

	static const char *const bad[] = {"{\"v\":1}", "{\"v\":1,\"status\":\"fine\",\"changes\":[],\"have\":{}}", "{\"v\":1,\"status\":\"ok\",\"error\":{},\"changes\":[],\"have\":{}}",
					  "{\"v\":1,\"status\":\"refused\",\"changes\":[],\"have\":{}}", "{\"v\":1,\"status\":\"ok\",\"changes\":{},\"have\":{}}",
					  "{\"v\":1,\"status\":\"ok\",\"changes\":[{\"verb\":\"x\"}],\"have\":{}}", "{\"v\":1,\"status\":\"ok\",\"changes\":[{\"verb\":\"add-real\"}],\"have\":{}}",
					  "{\"v\":1,\"status\":\"ok\",\"changes\":[]}"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CU_ASSERT_EQUAL(picture_result_from_json(bad[i], strlen(bad[i]), &again, &e), ERR_CONFIG);
}

/* --- the difference ------------------------------------------------------------------------------------- */

static struct picture_virtual *virtual_named(struct picture *p, const char *name, unsigned last)
{
	struct picture_virtual *v = picture_add_virtual(p, name);

	v->protocol = PICTURE_TCP;
	v->forwarding = FORWARD_NAT;
	v->family = 4;
	v->address = (struct address){.family = 4, .port = 80, .bytes = {10, 9, 0, (uint8_t)last}};
	text_copy(v->scheduler, sizeof v->scheduler, "wrr");
	return v;
}

static void real_at(struct picture_virtual *v, const char *name, unsigned last, unsigned port, uint32_t weight)
{
	struct picture_real *r = picture_add_real(v, name);

	r->address = (struct address){.family = 4, .port = (uint16_t)port, .bytes = {10, 1, 0, (uint8_t)last}};
	r->weight = weight;
}

static void diff_text(const struct picture_result *r, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < r->change_count; i++)
		text_append(out, size, &used, "%s %s%s%s%s%s; ", picture_verb_name((int)r->changes[i].verb), r->changes[i].virtual_name,
			    *r->changes[i].real ? " " : "", r->changes[i].real, *r->changes[i].what ? " " : "", r->changes[i].what);
}

static bool not_ours(void *arg, const struct picture_virtual *v)
{
	(void)arg;
	return strcmp(v->name, "hand") != 0;
}

static void difference(void)
{
	struct picture want = {0}, have = {0};
	struct picture_result r = {0};
	char text[1024];

	struct picture_virtual *v = virtual_named(&want, "web", 1);
	real_at(v, "n1", 1, 80, 100);
	real_at(v, "n2", 2, 80, 0);
	real_at(v, "n4", 4, 8080, 20);
	real_at(v, "n5", 55, 80, 100);
	virtual_named(&want, "moved", 3);
	v = virtual_named(&have, "web", 1);
	text_copy(v->scheduler, sizeof v->scheduler, "wlc");
	real_at(v, "n1", 1, 80, 100);
	real_at(v, "n2", 2, 80, 100);
	real_at(v, "n3", 3, 80, 100);
	real_at(v, "n4", 4, 80, 100);
	real_at(v, "n5", 5, 80, 100);
	virtual_named(&have, "hand", 2);
	virtual_named(&have, "moved", 4);
	virtual_named(&have, "old", 5);
	picture_sort(&want);
	picture_sort(&have);
	picture_diff(&want, &have, not_ours, NULL, &r);
	diff_text(&r, text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text,
			       "remove-virtual moved its address changes; remove-virtual old; add-virtual moved 10.9.0.3:80 wrr; "
			       "change-virtual web scheduler wlc > wrr; remove-real web 10.1.0.4:80 its address or name is used anew; "
			       "remove-real web 10.1.0.5:80 its address or name is used anew; add-real web 10.1.0.4:8080 weight 20; "
			       "add-real web 10.1.0.55:80 weight 100; change-real web 10.1.0.2:80 weight 100 > 0; remove-real web 10.1.0.3:80; ");
	CU_ASSERT_EQUAL(r.foreign, 1);
	for (size_t i = 0; i < r.change_count; i++)
		if (r.changes[i].verb == PICTURE_ADD_REAL)
			CU_ASSERT_PTR_NOT_NULL(picture_change_real(&want, &r.changes[i]));
	picture_result_clear(&r);
	picture_diff(&want, &want, NULL, NULL, &r);
	CU_ASSERT_EQUAL(r.change_count, 0);
	picture_clear(&want);
	picture_clear(&have);
}

/* What somebody changed between two reads is told from what we change ourselves, also when both are set right at once. */
static void changed_by_others(void)
{
	static const struct {
		enum picture_verb verb;
		const char *real;
	} others[] = {{PICTURE_CHANGE_REAL, "10.1.0.1:80"}, {PICTURE_ADD_REAL, "10.1.0.2:80"}, {PICTURE_REMOVE_REAL, "10.1.0.9:80"}};
	struct picture want = {0}, last = {0}, found = {0};
	struct picture_result r = {0};
	size_t told = 0;

	struct picture_virtual *v = virtual_named(&last, "web", 1);
	for (unsigned n = 1; n <= 5; n++)
		real_at(v, "", n, 80, 100);
	virtual_named(&last, "moves", 2);
	virtual_named(&last, "10.9.0.8-80-tcp", 8); /* ours of before, which goes */
	v = virtual_named(&found, "web", 1);
	real_at(v, "", 1, 80, 7);
	for (unsigned n = 3; n <= 5; n++)
		real_at(v, "", n, 80, 100);
	real_at(v, "", 9, 80, 100);
	virtual_named(&found, "moves", 2);
	virtual_named(&found, "10-9-0-8", 8); /* the same by another name */
	virtual_named(&found, "theirs", 9);
	v = virtual_named(&want, "web", 1);
	text_copy(v->scheduler, sizeof v->scheduler, "wlc");
	real_at(v, "", 1, 80, 100);
	real_at(v, "", 2, 80, 100);
	real_at(v, "", 3, 80, 40);
	real_at(v, "", 4, 80, 100);
	real_at(v, "", 6, 80, 20);
	v = virtual_named(&want, "moves", 3);
	real_at(v, "", 1, 80, 100);
	picture_sort(&last);
	picture_sort(&found);
	picture_sort(&want);
	picture_diff(&want, &found, NULL, NULL, &r);
	picture_copy_virtuals(&r.have, &want);
	for (size_t i = 0; i < r.change_count; i++) {
		const struct picture_change *c = &r.changes[i];
		bool other = c->verb == PICTURE_REMOVE_VIRTUAL && !strcmp(c->virtual_name, "theirs");
		for (size_t k = 0; k < COUNT_OF(others); k++)
			other = other || (c->verb == others[k].verb && !strcmp(c->virtual_name, "web") && !strcmp(c->real, others[k].real));
		CU_ASSERT_EQUAL(picture_found_changed(&last, &r, i), other);
		told += other;
		CU_ASSERT_EQUAL(c->found != 0, c->verb != PICTURE_ADD_VIRTUAL && c->verb != PICTURE_ADD_REAL);
	}
	CU_ASSERT_EQUAL(told, 4);
	/* the virtual server's own facts, and one that was taken away whole */
	picture_result_clear(&r);
	text_copy(found.virtuals[picture_find(&found, "web") - found.virtuals].scheduler, sizeof found.virtuals->scheduler, "sh");
	picture_diff(&want, &found, NULL, NULL, &r);
	picture_copy_virtuals(&r.have, &want);
	for (size_t i = 0; i < r.change_count; i++)
		if (r.changes[i].verb == PICTURE_CHANGE_VIRTUAL)
			CU_ASSERT(picture_found_changed(&last, &r, i));
	picture_result_clear(&r);
	picture_clear(&found);
	picture_diff(&last, &found, NULL, NULL, &r);
	picture_copy_virtuals(&r.have, &last);
	CU_ASSERT_EQUAL(r.change_count, 8);
	for (size_t i = 0; i < r.change_count; i++)
		CU_ASSERT(picture_found_changed(&last, &r, i));
	/* marks go the way of the result */
	struct picture_result again;
	struct error e;
	r.changes[0].found = picture_virtual_mark(&last.virtuals[0]);
	r.read = true;
	char *text = picture_result_to_json(&r);
	CU_ASSERT_EQUAL_FATAL(picture_result_from_json(text, strlen(text), &again, &e), 0);
	CU_ASSERT(again.read && again.changes[0].found == r.changes[0].found && again.changes[1].found == 0);
	free(text);
	picture_result_clear(&again);
	picture_result_clear(&r);
	picture_clear(&want);
	picture_clear(&last);
}

static void carry_out(struct picture *have, const struct picture *want, const struct picture_change *c)
{
	size_t at = 0;

	while (at < have->count && strcmp(have->virtuals[at].name, c->virtual_name) != 0)
		at++;
	struct picture_virtual *v = at < have->count ? &have->virtuals[at] : NULL;
	const struct picture_virtual *wanted = picture_find(want, c->virtual_name);
	const struct picture_real *row = picture_change_real(want, c);
	size_t r = 0;
	struct address address = {0};
	address_parse(c->real, 0, &address);
	while (v && r < v->count && !address_equal(&v->reals[r].address, &address))
		r++;
	switch (c->verb) {
	case PICTURE_REMOVE_VIRTUAL:
		CU_ASSERT_PTR_NOT_NULL_FATAL(v);
		free(v->reals);
		*v = have->virtuals[--have->count];
		break;
	case PICTURE_ADD_VIRTUAL:
	case PICTURE_CHANGE_VIRTUAL:
		CU_ASSERT_EQUAL_FATAL(v == NULL, c->verb == PICTURE_ADD_VIRTUAL);
		v = v ? v : picture_add_virtual(have, c->virtual_name);
		struct picture_real *reals = v->reals;
		size_t count = v->count, room = v->room;
		*v = *wanted;
		v->reals = reals, v->count = count, v->room = room;
		break;
	case PICTURE_ADD_REAL:
		CU_ASSERT_FATAL(v && r == v->count && row);
		*picture_add_real(v, "") = *row;
		break;
	case PICTURE_CHANGE_REAL:
		CU_ASSERT_FATAL(v && r < v->count && row);
		v->reals[r] = *row;
		break;
	case PICTURE_REMOVE_REAL:
		CU_ASSERT_FATAL(v && r < v->count);
		v->reals[r] = v->reals[--v->count];
		break;
	}
}

static void random_picture(struct picture *p)
{
	for (unsigned i = 0; i < 4; i++) {
		char name[8];
		if (rand() % 3 == 0)
			continue;
		text_format(name, sizeof name, "v%u", i);
		struct picture_virtual *v = virtual_named(p, name, i + (rand() % 4 == 0 ? 10 : 0));
		for (unsigned k = 0; k < 6; k++)
			if (rand() % 2) {
				text_format(name, sizeof name, "n%u", k);
				real_at(v, name, k + (rand() % 5 == 0 ? 50 : 0), rand() % 4 ? 80 : 81, (uint32_t)(rand() % 3) * 50);
			}
	}
	picture_sort(p);
}

static void carried_out(void)
{
	srand(4);
	for (int round = 0; round < 2000; round++) {
		struct picture want = {0}, have = {0}, done = {0};
		struct picture_result r = {0};

		random_picture(&want);
		random_picture(&have);
		picture_copy_virtuals(&done, &have);
		picture_diff(&want, &have, NULL, NULL, &r);
		for (size_t i = 0; i < r.change_count; i++)
			carry_out(&done, &want, &r.changes[i]);
		picture_sort(&done);
		picture_result_clear(&r);
		picture_diff(&want, &done, NULL, NULL, &r);
		CU_ASSERT_EQUAL(r.change_count, 0);
		picture_result_clear(&r);
		picture_clear(&want);
		picture_clear(&have);
		picture_clear(&done);
	}
}

static void names_are_adopted(void)
{
	struct picture want = {0}, have = {0};

	real_at(virtual_named(&want, "web", 1), "n1", 1, 80, 1);
	struct picture_virtual *v = virtual_named(&have, "", 1);
	real_at(v, "", 2, 80, 1);
	real_at(v, "", 1, 80, 1);
	virtual_named(&have, "", 7);
	v = virtual_named(&have, "", 7);
	v->protocol = PICTURE_FWMARK;
	v->fwmark = 9;
	v = virtual_named(&have, "", 7);
	address_parse("[::1]:53", 0, &v->address);
	v->protocol = PICTURE_UDP;
	picture_adopt_names(&have, &want);
	CU_ASSERT_FATAL(have.count == 4);
	CU_ASSERT_STRING_EQUAL(have.virtuals[0].name, "10.9.0.7-80-tcp");
	CU_ASSERT_STRING_EQUAL(have.virtuals[1].name, "mark-9-4");
	CU_ASSERT_STRING_EQUAL(have.virtuals[2].name, "v6__1-53-udp");
	CU_ASSERT_STRING_EQUAL(have.virtuals[3].name, "web");
	CU_ASSERT_STRING_EQUAL(have.virtuals[3].reals[0].name, "n1");
	CU_ASSERT_STRING_EQUAL(have.virtuals[3].reals[1].name, "");
	for (size_t i = 0; i < have.count; i++)
		CU_ASSERT(text_is_name(have.virtuals[i].name, PICTURE_NAME - 1));
	picture_clear(&want);
	picture_clear(&have);
}

static const struct unit_test tests[] = {{"reads and writes", reads_and_writes}, {"refuses", refuses}, {"limits", limits}, {"weights", weights},
					 {"results", results}, {"difference", difference}, {"carried out", carried_out}, {"changed by others", changed_by_others}, {"names are adopted", names_are_adopted}};

UNIT_MAIN("picture", tests)
