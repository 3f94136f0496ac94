/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The base layer: words, text, errors, host ranges, addresses, the log damper. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/error.h"
#include "base/hostrange.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "tests/unit/unit.h"

static void test_words(void)
{
	char label[32];

	CU_ASSERT_STRING_EQUAL(words_name(WORDS_VERDICT, VERDICT_OS_HUNG), "os-hung");
	CU_ASSERT_EQUAL(words_value(WORDS_VERDICT, "boot-failed"), VERDICT_BOOT_FAILED);
	CU_ASSERT_EQUAL(words_value(WORDS_VERDICT, "boot"), 0);
	CU_ASSERT_EQUAL(words_value(WORDS_VERDICT, NULL), 0);
	CU_ASSERT_STRING_EQUAL(words_name(WORDS_LEVEL, 0), "?");
	CU_ASSERT_STRING_EQUAL(words_name(WORDS_LEVEL, LEVEL_COUNT), "?");
	CU_ASSERT_STRING_EQUAL(words_label(WORDS_VERDICT, VERDICT_AGENT_SLOW, label, sizeof label), "agentSlow");
	CU_ASSERT_STRING_EQUAL(words_label(WORDS_VERDICT, VERDICT_GROUP_PATH_LOST, label, 6), "group");
	for (int set = 0; set < WORDS_SET_COUNT; set++)
		for (int v = 1; strcmp(words_name((enum word_set)set, v), "?"); v++)
			CU_ASSERT_EQUAL(words_value((enum word_set)set, words_name((enum word_set)set, v)), v);
}

static void test_errors(void)
{
	struct error e;

	for (int kind = 0; kind >= ERR_BUSY; kind--)
		CU_ASSERT_EQUAL(error_value(error_name(kind)), kind);
	CU_ASSERT_STRING_EQUAL(error_name(-100), "bug");
	CU_ASSERT_STRING_EQUAL(error_name(5), "ok");
	CU_ASSERT_EQUAL(error_set(&e, ERR_REMOTE, "node n1", "look", "answered %d", 7), ERR_REMOTE);
	CU_ASSERT_STRING_EQUAL(e.text, "answered 7");
	CU_ASSERT_EQUAL(error_set(NULL, ERR_BUSY, NULL, NULL, "x"), ERR_BUSY);
}

static void test_text(void)
{
	char small[4];
	size_t used = 0;
	int64_t i = 0;
	double d = 0;
	char odd[] = "a\x01\xff\xc3\xa9\xed\xa0\x80z";

	CU_ASSERT_FALSE(text_copy(small, sizeof small, "abcdef"));
	CU_ASSERT_STRING_EQUAL(small, "abc");
	CU_ASSERT_TRUE(text_copy(small, sizeof small, "xyz"));
	CU_ASSERT_TRUE(text_append(small, sizeof small, &used, "%d", 12));
	CU_ASSERT_FALSE(text_append(small, sizeof small, &used, "%d", 34));
	CU_ASSERT_EQUAL(used, 3);
	CU_ASSERT_STRING_EQUAL(small, "123");
	CU_ASSERT_FALSE(text_terminated("abcd", 4));
	CU_ASSERT_TRUE(text_terminated("abc", 4));
	CU_ASSERT_TRUE(text_integer("-5", -5, 5, &i) && i == -5);
	CU_ASSERT_FALSE(text_integer("6", -5, 5, &i));
	CU_ASSERT_FALSE(text_integer("5x", 0, 9, &i));
	CU_ASSERT_FALSE(text_integer("", 0, 9, &i));
	CU_ASSERT_FALSE(text_integer("99999999999999999999", INT64_MIN, INT64_MAX, &i));
	CU_ASSERT_TRUE(text_number("2.5", &d) && d == 2.5);
	CU_ASSERT_FALSE(text_number("inf", &d));
	CU_ASSERT_FALSE(text_number("nan", &d));
	CU_ASSERT_FALSE(text_number("1 ", &d));
	CU_ASSERT_TRUE(text_is_name("n001.rack-1_a", 63));
	CU_ASSERT_FALSE(text_is_name("a..b", 63));
	CU_ASSERT_FALSE(text_is_name(".a", 63));
	CU_ASSERT_FALSE(text_is_name("a/b", 63));
	CU_ASSERT_FALSE(text_is_name("abcd", 3));
	CU_ASSERT_TRUE(text_is_item_name("disk_fill"));
	CU_ASSERT_FALSE(text_is_item_name("Disk"));
	CU_ASSERT_FALSE(text_is_item_name("abcdefghijklmnopqrst"));
	text_make_printable(odd);
	CU_ASSERT_STRING_EQUAL(odd, "a??\xc3\xa9???z");
	CU_ASSERT_EQUAL(text_hash("", 0), 0xcbf29ce484222325u);
	CU_ASSERT_EQUAL(text_hash("a", 1), 0xaf63dc4c8601ec8cu); /* published FNV-1a test vector */
}

static void expand_is(const char *text, const char *joined)
{
	struct name_list list = {0};
	struct error e = {0};
	char all[512] = "";
	size_t used = 0;

	CU_ASSERT_EQUAL(hostrange_expand(text, &list, &e), 0);
	for (size_t i = 0; i < list.count; i++)
		text_append(all, sizeof all, &used, "%s%s", i ? " " : "", list.names[i]);
	CU_ASSERT_STRING_EQUAL(all, joined);
	name_list_free(&list);
}

static void test_expand(void)
{
	expand_is("n1", "n1");
	expand_is("n[1-3]", "n1 n2 n3");
	expand_is("n[008-011,1]", "n008 n009 n010 n011 n1");
	expand_is("n[0-2]", "n0 n1 n2");
	expand_is("n[98-101]", "n98 n99 n100 n101");
	expand_is("r[1-2]n[1-3]", "r1n1 r1n2 r1n3 r2n1 r2n2 r2n3");
	expand_is("10.1.0.[9-11]", "10.1.0.9 10.1.0.10 10.1.0.11");
	expand_is("fd00::[1-2]", "fd00::1 fd00::2");
	expand_is("b,a[2-2],b", "b a2 b");
	expand_is("[1-2]a", "1a 2a");
}

static void test_expand_refuses(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "a name is empty"},
		{"a,,b", "a name is empty"},
		{"a,", "a name is empty"},
		{"n[1-3", "a bracket is not closed"},
		{"n1-3]", "a bracket is closed that was not opened"},
		{"n[]", "something else than a number"},
		{"n[1-]", "something else than a number"},
		{"n[a-c]", "something else than a number"},
		{"n[1-[2]]", "something else than a number"},
		{"n[1-2-3]", "something else than a number"},
		{"n[3-1]", "ends before it begins"},
		{"n[001-03]", "different leading zeros"},
		{"n[09-010]", "different leading zeros"},
		{"n[1-20001]", "more than 20000 names"},
		{"n[1-200]x[1-200]", "more than 20000 names"},
		{"n[1-20000],x", "more than 20000 names"},
		{"n[1-9999999999999999]", "something else than a number"},
		{"n[999999999999998-999999999999999]x[1-10001]", "more than 20000 names"},
		{"n 1", "a character that no name can have"},
		{"n1\n", "a character that no name can have"},
		{"-n[1-2]", "a name that is none"},
		{"...", "a name that is none"},
	};
	struct name_list list = {0};

	name_list_add(&list, "kept");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct error e = {0};
		CU_ASSERT_EQUAL(hostrange_expand(cases[i].text, &list, &e), ERR_CONFIG);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].why));
		CU_ASSERT(e.remedy[0] != '\0');
		CU_ASSERT_EQUAL(list.count, 1);
	}
	char *huge = mem_zalloc(3 * 1024 * 1024);
	memset(huge, 'a', 3 * 1024 * 1024 - 1);
	CU_ASSERT_EQUAL(hostrange_expand(huge, &list, NULL), ERR_CONFIG);
	huge[200] = '\0';
	CU_ASSERT_EQUAL(hostrange_expand(huge, &list, NULL), ERR_CONFIG);
	free(huge);
	name_list_free(&list);
}

static void test_memory_lines(void)
{
	for (size_t size = 0; size < 300; size += 7) {
		unsigned char *p = mem_zalloc_lines(size);
		CU_ASSERT_EQUAL((uintptr_t)p % CACHE_LINE, 0);
		for (size_t i = 0; i < size; i++)
			CU_ASSERT_EQUAL(p[i], 0);
		memset(p, 0xff, size);
		free(p);
	}
}

static void compress_is(const char *names, const char *wanted)
{
	struct name_list list = {0};

	CU_ASSERT_EQUAL(hostrange_expand(names, &list, NULL), 0);
	char *text = hostrange_compress(&list);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	free(text);
	name_list_free(&list);
}

static void test_compress(void)
{
	struct name_list none = {0};
	char *empty = hostrange_compress(&none);

	CU_ASSERT_STRING_EQUAL(empty, "");
	free(empty);
	compress_is("n004,n001,sw1,n003,n002,n001", "n[001-004],sw1");
	compress_is("n1,n2,n4", "n[1-2,4]");
	compress_is("n9,n10,n11", "n[9-11]");
	compress_is("n[08-101]", "n[08-101]");
	compress_is("n1,n01", "n[1,01]");
	compress_is("r1n1,r1n2,r2n1,r2n2", "r[1-2]n[1-2]");
	compress_is("r1n1,r1n2,r2n1", "r1n[1-2],r2n1");
	compress_is("10.1.[0-3].[1-250]", "10.1.[0-3].[1-250]");
	compress_is("a,b", "a,b");
	compress_is("n1234567890123456,n1234567890123457", "n1234567890123456,n1234567890123457");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What compress writes, expand must read back as the same set: 300 sets of names of a fixed seed. */
static void test_compress_round_trip(void)
{
	unsigned seed = 7;

	for (int round = 0; round < 300; round++) {
		struct name_list before = {0}, after = {0};
		char name[64];
		int count = 1 + rand_r(&seed) % 60;
		for (int i = 0; i < count; i++) {
			static const char *const forms[] = {"n%d", "n%03d", "r%dn%02d", "10.0.%d.%d", "x%d-%04d.y", "q%02dz"};
			text_format(name, sizeof name, forms[rand_r(&seed) % 6], rand_r(&seed) % 12, rand_r(&seed) % 110);
			name_list_add(&before, name);
		}
		char *text = hostrange_compress(&before);
		CU_ASSERT_EQUAL(hostrange_expand(text, &after, NULL), 0);
		qsort(before.names, before.count, sizeof(char *), by_text);
		qsort(after.names, after.count, sizeof(char *), by_text);
		size_t same = 0;
		for (size_t i = 0; i < before.count; i++) {
			if (i && !strcmp(before.names[i], before.names[i - 1]))
				continue;
			CU_ASSERT_FATAL(same < after.count);
			CU_ASSERT_STRING_EQUAL(before.names[i], after.names[same++]);
		}
		CU_ASSERT_EQUAL(same, after.count);
		free(text);
		name_list_free(&before);
		name_list_free(&after);
	}
}

static void test_addresses(void)
{
	static const struct {
		const char *text, *shown;
	} good[] = {
		{"10.1.0.1", "10.1.0.1"},	  {"10.1.0.1:161", "10.1.0.1"},	      {"10.1.0.1:1161", "10.1.0.1:1161"},
		{"::1", "::1"},			  {"[::1]:162", "[::1]:162"},	      {"[fd00::2]", "fd00::2"},
		{"FD00:0:0::2", "fd00::2"},	  {"[::ffff:1.2.3.4]:9", "[::ffff:1.2.3.4]:9"},
		{"255.255.255.255:65535", "255.255.255.255:65535"},
	};
	static const char *const bad[] = {
		"",	     "n001",	   "10.1.0",	  "10.1.0.256", "10.1.0.1:",	"10.1.0.1:0", "10.1.0.1:65536", "10.1.0.1:+5",
		"10.1.0.1x", "[10.1.0.1]:5", "[::1", "[::1]x", "[::1]:", ":::", "fe80::1%eth0", " 10.1.0.1", "::1:", ":161", "[]:1",
		"[::1]:16a", "localhost:161", "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1",
	};
	struct address a, b;
	char text[ADDRESS_TEXT];
	struct sockaddr_storage s;

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		CU_ASSERT_TRUE_FATAL(address_parse(good[i].text, 161, &a));
		CU_ASSERT_STRING_EQUAL(address_text(&a, 161, text), good[i].shown);
		CU_ASSERT(address_to_sockaddr(&a, &s) > 0);
		CU_ASSERT_TRUE(address_from_sockaddr(&s, &b));
		CU_ASSERT_TRUE(address_equal(&a, &b));
		b.port ^= 1;
		CU_ASSERT_FALSE(address_equal(&a, &b));
		CU_ASSERT_TRUE(address_same_host(&a, &b));
	}
	memset(&a, 0xaa, sizeof a);
	b = a;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CU_ASSERT_FALSE(address_parse(bad[i], 161, &a));
	CU_ASSERT_FALSE(address_parse(NULL, 161, &a));
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0); /* a failure leaves the target alone */
	memset(&a, 0, sizeof a);
	CU_ASSERT_STRING_EQUAL(address_text(&a, 0, text), "");
	CU_ASSERT_EQUAL(address_to_sockaddr(&a, &s), 0);
	s.ss_family = AF_UNIX;
	CU_ASSERT_FALSE(address_from_sockaddr(&s, &a));
}

static void test_damper(void)
{
	struct log_damper damper = {0};
	unsigned held = 99, passed = 0, dropped = 0;

	for (int64_t now = 5000; now < 5000 + 3600000; now += 100)
		if (log_damper_pass(&damper, now, &held)) {
			passed++;
			dropped += held;
		}
	CU_ASSERT(passed >= 12 && passed <= 25); /* 1, 2, 4, ... s, then every 5 min */
	CU_ASSERT_EQUAL(passed + dropped + damper.held, 36000);
	CU_ASSERT_TRUE(log_damper_pass(&damper, 100000000, &held)); /* after a long silence: at once, and small gaps again */
	CU_ASSERT_FALSE(log_damper_pass(&damper, 100000500, &held));
	CU_ASSERT_TRUE(log_damper_pass(&damper, 100001500, &held));
	CU_ASSERT_EQUAL(held, 1);
}

static const struct unit_test tests[] = {
	{"words", test_words},
	{"errors", test_errors},
	{"text", test_text},
	{"host range: expand", test_expand},
	{"host range: refuse", test_expand_refuses},
	{"host range: compress", test_compress},
	{"host range: compress and expand", test_compress_round_trip},
	{"addresses", test_addresses},
	{"memory begins with a cache line", test_memory_lines},
	{"log damper", test_damper},
};
UNIT_MAIN("base", tests)
