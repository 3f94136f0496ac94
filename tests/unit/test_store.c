/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every engine of the store must do (order, compare, all or none, paging, limits, reopen), and what the SQLite engine must
 * survive: kill -9, a full disk, a write error, a second engine, a corrupt file. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "loop/loop.h"
#include "store/store.h"
#include "tests/unit/unit.h"

#define KILLS 20

static char directory[256], path[300], url[320];
static struct loop *loop;
static struct store *store;

/* --- asking and waiting ------------------------------------------------------------------------------ */

struct answer { /* a copy of one reply */
	bool came;
	enum store_status status;
	int64_t revision, pair_revision;
	size_t count, value_size;
	int more;
	char first_key[600], last_key[600], value[128];
};

static int answers_wanted;
static int order_next, order_wrong;

static void keep_answer(void *arg, const struct store_reply *reply)
{
	struct answer *a = arg;

	a->came = true;
	a->status = reply->status;
	a->revision = reply->revision;
	a->count = reply->count;
	a->more = reply->more;
	if (reply->count) {
		text_copy(a->first_key, sizeof a->first_key, reply->pairs[0].key);
		text_copy(a->last_key, sizeof a->last_key, reply->pairs[reply->count - 1].key);
		text_copy(a->value, sizeof a->value, reply->pairs[0].value);
		a->value_size = reply->pairs[0].value_size;
		a->pair_revision = reply->pairs[0].revision;
	}
	if (--answers_wanted == 0)
		loop_stop(loop);
}

static void on_deadline(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* Runs the loop until so many answers came; false when they did not within a minute. */
static bool wait_answers(int count)
{
	struct loop_timer *deadline = loop_timer_new(loop, on_deadline, NULL);

	answers_wanted += count;
	loop_timer_set(deadline, 60000);
	if (answers_wanted > 0)
		loop_run(loop);
	loop_timer_free(deadline);
	return answers_wanted == 0;
}

static struct answer get(const char *key)
{
	struct answer a = {0};

	store_get(store, key, keep_answer, &a);
	return wait_answers(1) ? a : (struct answer){0};
}

static struct answer list(const char *prefix, const char *after, size_t limit)
{
	struct answer a = {0};

	store_list(store, prefix, after, limit, keep_answer, &a);
	return wait_answers(1) ? a : (struct answer){0};
}

static struct answer transact(const struct store_op *ops, size_t count)
{
	struct answer a = {0};

	store_transact(store, ops, count, keep_answer, &a);
	return wait_answers(1) ? a : (struct answer){0};
}

static struct answer put(const char *key, const char *value)
{
	return transact(&(struct store_op){.key = key, .value = value, .expect = STORE_ANY}, 1);
}

static struct answer swap(const char *key, const char *value, int64_t expect)
{
	return transact(&(struct store_op){.key = key, .value = value, .expect = expect}, 1);
}

static bool is(struct answer a, enum store_status status)
{
	return a.came && a.status == status;
}

static bool open_store(void)
{
	loop = loop_new();
	store = store_open(loop, url);
	if (!store) {
		loop_free(loop);
		loop = NULL;
	}
	return store != NULL;
}

static void close_store(void)
{
	store_close(store);
	loop_free(loop);
	store = NULL;
	loop = NULL;
}

static void remove_files(void)
{
	static const char *const tails[] = {"", "-wal", "-shm", "-journal", ".reserve", ".corrupt-1", ".corrupt-2",
					    ".corrupt-1-wal"};
	char name[400];

	for (size_t i = 0; i < COUNT_OF(tails); i++)
		if (text_format(name, sizeof name, "%s%s", path, tails[i]))
			unlink(name);
}

/* --- what every engine must do ------------------------------------------------------------------------ */

static void test_get_put_delete(void)
{
	CU_ASSERT_TRUE_FATAL(open_store());
	CU_ASSERT(is(get("/a"), STORE_NOT_FOUND));
	struct answer a = put("/a", "{\"v\":1}");
	CU_ASSERT(is(a, STORE_OK));
	CU_ASSERT(a.revision > 0);
	struct answer g = get("/a");
	CU_ASSERT(is(g, STORE_OK));
	CU_ASSERT_EQUAL(g.count, 1);
	CU_ASSERT_STRING_EQUAL(g.value, "{\"v\":1}");
	CU_ASSERT_EQUAL(g.value_size, 7);
	CU_ASSERT_EQUAL(g.pair_revision, a.revision);
	CU_ASSERT(put("/b", "1").revision > a.revision);
	CU_ASSERT_EQUAL(get("/a").pair_revision, a.revision); /* not touched by others */
	CU_ASSERT(put("/a", "2").revision > a.revision + 1);
	CU_ASSERT_STRING_EQUAL(get("/a").value, "2");
	CU_ASSERT(is(swap("/a", NULL, STORE_ANY), STORE_OK));
	CU_ASSERT(is(get("/a"), STORE_NOT_FOUND));
	CU_ASSERT(is(swap("/a", NULL, STORE_ANY), STORE_OK));
	store_put(store, "/c", "x", NULL, NULL); /* nobody wants the answer */
	CU_ASSERT_STRING_EQUAL(get("/c").value, "x");
	store_delete(store, "/c", NULL, NULL);
	CU_ASSERT(is(get("/c"), STORE_NOT_FOUND));
	CU_ASSERT_EQUAL(store_pending(store), 0);
	CU_ASSERT_STRING_EQUAL(store_trouble(store), "");
	close_store();
	remove_files();
}

static void test_compare(void)
{
	CU_ASSERT_TRUE_FATAL(open_store());
	struct answer a = swap("/k", "1", 0);
	CU_ASSERT(is(a, STORE_OK));
	struct answer c = swap("/k", "2", 0);
	CU_ASSERT(is(c, STORE_CONFLICT));
	CU_ASSERT_EQUAL(c.count, 1);
	CU_ASSERT_STRING_EQUAL(c.value, "1");
	CU_ASSERT_EQUAL(c.pair_revision, a.revision);
	CU_ASSERT_EQUAL(c.revision, a.revision); /* a conflict moves nothing */
	struct answer b = swap("/k", "2", a.revision);
	CU_ASSERT(is(b, STORE_OK));
	CU_ASSERT(is(swap("/k", "3", a.revision), STORE_CONFLICT));
	c = swap("/none", "3", 17);
	CU_ASSERT(is(c, STORE_CONFLICT));
	CU_ASSERT_EQUAL(c.count, 0);
	CU_ASSERT(is(swap("/k", NULL, a.revision), STORE_CONFLICT));
	CU_ASSERT(is(swap("/k", NULL, b.revision), STORE_OK));
	CU_ASSERT(is(swap("/k", "4", 0), STORE_OK));
	close_store();
	remove_files();
}

static void test_all_or_none(void)
{
	CU_ASSERT_TRUE_FATAL(open_store());
	int64_t old = put("/x", "old").revision;
	struct store_op ops[] = {{"/new", "1", 0}, {"/x", "changed", old}, {"/gone", NULL, STORE_ANY}, {"/y", "1", 5}};
	struct answer a = transact(ops, 4);
	CU_ASSERT(is(a, STORE_CONFLICT)); /* the last compare fails: the three before it must not be seen */
	CU_ASSERT(is(get("/new"), STORE_NOT_FOUND));
	CU_ASSERT_STRING_EQUAL(get("/x").value, "old");
	a = transact(ops, 3);
	CU_ASSERT(is(a, STORE_OK));
	CU_ASSERT_EQUAL(get("/new").pair_revision, a.revision);
	CU_ASSERT_EQUAL(get("/x").pair_revision, a.revision);
	/* several in one group: the conflict in the middle takes nobody with it */
	struct answer first = {0}, middle = {0}, last = {0};
	store_put(store, "/g1", "1", keep_answer, &first);
	store_transact(store, &(struct store_op){"/g1", "2", 0}, 1, keep_answer, &middle);
	store_put(store, "/g2", "1", keep_answer, &last);
	CU_ASSERT_TRUE(wait_answers(3));
	CU_ASSERT(is(first, STORE_OK));
	CU_ASSERT(is(middle, STORE_CONFLICT));
	CU_ASSERT(is(last, STORE_OK));
	CU_ASSERT_STRING_EQUAL(get("/g1").value, "1");
	CU_ASSERT_STRING_EQUAL(get("/g2").value, "1");
	close_store();
	remove_files();
}

static void test_list(void)
{
	char key[64];

	CU_ASSERT_TRUE_FATAL(open_store());
	for (int i = 0; i < 2500; i++) {
		text_format(key, sizeof key, "/node/n%04d", i);
		store_put(store, key, "1", NULL, NULL);
	}
	store_put(store, "/nod", "1", NULL, NULL);
	store_put(store, "/node", "1", NULL, NULL);
	store_put(store, "/node0", "1", NULL, NULL);
	store_put(store, "/oder", "1", NULL, NULL);
	struct answer a = list("/node/", NULL, 1000);
	CU_ASSERT(is(a, STORE_OK));
	CU_ASSERT_EQUAL(a.count, 1000);
	CU_ASSERT_EQUAL(a.more, 1);
	CU_ASSERT_STRING_EQUAL(a.first_key, "/node/n0000");
	a = list("/node/", a.last_key, 1000);
	CU_ASSERT_STRING_EQUAL(a.first_key, "/node/n1000");
	a = list("/node/", a.last_key, 1000);
	CU_ASSERT_EQUAL(a.count, 500);
	CU_ASSERT_EQUAL(a.more, 0);
	CU_ASSERT_STRING_EQUAL(a.last_key, "/node/n2499");
	CU_ASSERT_EQUAL(list("/node/", a.last_key, 10).count, 0);
	a = list("/node/", "/a", 500);
	CU_ASSERT_EQUAL(a.count, 500);
	CU_ASSERT_STRING_EQUAL(a.first_key, "/node/n0000");
	CU_ASSERT_EQUAL(list("/node/n2499", NULL, 1).more, 0);
	CU_ASSERT_EQUAL(list("", "/node/n2499", 1000).count, 2);
	CU_ASSERT_EQUAL(list("/zzz", NULL, 1000).count, 0);
	CU_ASSERT(is(list("/", NULL, 0), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(list("/", NULL, 1001), STORE_BAD_ARGUMENT));
	close_store();
	remove_files();
}

static void test_limits(void)
{
	char *big = mem_zalloc(STORE_VALUE_MAX + 2), key[STORE_KEY_MAX + 2];
	struct store_op twice[] = {{"/a", "1", STORE_ANY}, {"/b", "1", STORE_ANY}, {"/a", "2", STORE_ANY}};

	CU_ASSERT_TRUE_FATAL(open_store());
	memset(big, 'x', STORE_VALUE_MAX);
	memset(key, 'k', sizeof key);
	key[STORE_KEY_MAX + 1] = '\0';
	CU_ASSERT(is(put("/big", big), STORE_OK));
	CU_ASSERT_EQUAL(get("/big").value_size, STORE_VALUE_MAX);
	big[STORE_VALUE_MAX] = 'x';
	CU_ASSERT(is(put("/big", big), STORE_TOO_BIG));
	CU_ASSERT_EQUAL(get("/big").value_size, STORE_VALUE_MAX);
	CU_ASSERT(is(put(key, "1"), STORE_TOO_BIG));
	key[STORE_KEY_MAX] = '\0';
	CU_ASSERT(is(put(key, "1"), STORE_OK));
	CU_ASSERT(is(get(key), STORE_OK));
	CU_ASSERT(is(put("", "1"), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(put("/a\nb", "1"), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(get(NULL), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(transact(NULL, 0), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(transact(twice, 3), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(transact(twice, 5000), STORE_TOO_BIG));
	CU_ASSERT(is(swap("/a", "1", -2), STORE_BAD_ARGUMENT));
	CU_ASSERT(is(get("/a"), STORE_NOT_FOUND));
	free(big);
	close_store();
	remove_files();
}

static void note_order(void *arg, const struct store_reply *reply)
{
	(void)reply;
	if ((int)(intptr_t)arg != order_next++)
		order_wrong++;
	if (--answers_wanted == 0)
		loop_stop(loop);
}

static void test_order(void)
{
	char key[32], value[32];

	CU_ASSERT_TRUE_FATAL(open_store());
	order_next = order_wrong = 0;
	for (int i = 0; i < 3000; i++) {
		text_format(key, sizeof key, "/o/%d", i % 7);
		text_format(value, sizeof value, "%d", i);
		if (i % 3 == 0)
			store_get(store, i % 2 ? "" : key, note_order, (void *)(intptr_t)i);
		else
			store_put(store, key, value, note_order, (void *)(intptr_t)i);
	}
	CU_ASSERT_EQUAL(store_pending(store), 3000);
	CU_ASSERT_TRUE(wait_answers(3000));
	CU_ASSERT_EQUAL(order_wrong, 0);
	/* a read that was asked behind a write sees it, though neither is committed yet */
	struct answer w = {0}, g = {0}, l = {0};
	store_put(store, "/seen", "yes", keep_answer, &w);
	store_get(store, "/seen", keep_answer, &g);
	store_list(store, "/seen", NULL, 10, keep_answer, &l);
	CU_ASSERT_TRUE(wait_answers(3));
	CU_ASSERT_STRING_EQUAL(g.value, "yes");
	CU_ASSERT_EQUAL(l.count, 1);
	close_store();
	remove_files();
}

static void chain(void *arg, const struct store_reply *reply)
{
	int *left = arg;

	CU_ASSERT(reply->status == STORE_OK || reply->status == STORE_UNAVAILABLE);
	if (reply->status == STORE_OK && --*left > 0)
		store_put(store, "/chain", "1", chain, left);
	else if (*left == 0)
		loop_stop(loop);
}

static void test_reopen_and_close(void)
{
	int left = 50, endless = 1000000;
	struct answer a = {0};
	struct stat st;

	CU_ASSERT_TRUE_FATAL(open_store());
	store_put(store, "/chain", "1", chain, &left); /* callbacks may call */
	loop_run(loop);
	CU_ASSERT_EQUAL(left, 0);
	int64_t revision = put("/kept", "1").revision;
	store_put(store, "/chain", "1", chain, &endless);
	answers_wanted = 2;
	store_put(store, "/last", "1", keep_answer, &a);
	close_store(); /* waits for what was accepted */
	answers_wanted = 0;
	CU_ASSERT(is(a, STORE_OK));
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(chmod(path, 0644), 0);
	CU_ASSERT_TRUE_FATAL(open_store());
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	CU_ASSERT(is(get("/last"), STORE_OK));
	CU_ASSERT_EQUAL(get("/kept").pair_revision, revision);
	CU_ASSERT(put("/more", "1").revision > revision);
	close_store();
	remove_files();
}

/* --- what the SQLite engine must survive --------------------------------------------------------------- */

static void test_refusals(void)
{
	struct loop *other = loop_new();

	CU_ASSERT_PTR_NULL(store_open(other, "etcd:http://localhost"));
	CU_ASSERT_PTR_NULL(store_open(other, "sqlite:relative.db"));
	CU_ASSERT_PTR_NULL(store_open(other, "sqlite:/nowhere/at/all.db"));
	CU_ASSERT_PTR_NULL(store_open(other, "sqlite:/dev/null"));
	CU_ASSERT_TRUE_FATAL(open_store());
	CU_ASSERT(is(put("/a", "1"), STORE_OK));
	CU_ASSERT_PTR_NULL(store_open(other, url)); /* in the same process */
	pid_t pid = fork();
	if (pid == 0)
		_exit(store_open(other, url) ? 1 : 0); /* and in another */
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT(is(put("/a", "2"), STORE_OK));
	close_store();
	loop_free(other);
	remove_files();
}

static void write_over(const char *name, long offset, size_t size)
{
	FILE *f = fopen(name, "r+");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fseek(f, offset, SEEK_SET);
	for (size_t i = 0; i < size; i++)
		fputc(0xa5, f);
	fclose(f);
}

static void test_corrupt(void)
{
	static const long where[] = {0, 4096}; /* the file's header; a page of the tree */
	char name[400], aside[64];

	for (size_t i = 0; i < COUNT_OF(where); i++) {
		CU_ASSERT_TRUE_FATAL(open_store());
		for (int k = 0; k < 300; k++) {
			text_format(name, sizeof name, "/key/%d", k);
			store_put(store, name, "some value of a length that fills pages, some value of a length that fills pages", NULL, NULL);
		}
		CU_ASSERT(is(put("/a", "1"), STORE_OK));
		close_store();
		write_over(path, where[i], 8000);
		CU_ASSERT_TRUE_FATAL(open_store());
		CU_ASSERT(is(get("/a"), STORE_NOT_FOUND));
		CU_ASSERT_PTR_NOT_NULL(strstr(store_trouble(store), "kept aside"));
		CU_ASSERT_TRUE(store_takes_commands(store));
		CU_ASSERT(is(put("/a", "1"), STORE_OK));
		text_format(aside, sizeof aside, ".corrupt-%zu", i + 1);
		text_format(name, sizeof name, "%s%s", path, aside);
		CU_ASSERT_EQUAL(access(name, F_OK), 0);
		close_store();
		unlink(path);
	}
	remove_files();
}

/* Child of the kill test: writes pairs of keys for ever, tells each acknowledged number on the pipe. */
struct writer {
	int pipe, next;
};

static void write_next(struct writer *w);

static void on_written(void *arg, const struct store_reply *reply)
{
	struct writer *w = arg;
	static int acknowledged;

	if (reply->status != STORE_OK)
		_exit(3);
	acknowledged++;
	if (write(w->pipe, &acknowledged, sizeof acknowledged) != sizeof acknowledged)
		_exit(4);
	write_next(w);
}

static void write_next(struct writer *w)
{
	char one[32], two[32], value[32];

	text_format(one, sizeof one, "/one/%09d", w->next);
	text_format(two, sizeof two, "/two/%09d", w->next);
	text_format(value, sizeof value, "%d", w->next++);
	struct store_op ops[] = {{one, value, 0}, {two, value, 0}, {"/count", value, STORE_ANY}};
	store_transact(store, ops, 3, on_written, w);
}

static void writer_main(int pipe, int first)
{
	struct writer w = {pipe, first};

	if (!open_store())
		_exit(2);
	for (int i = 0; i < 8; i++)
		write_next(&w);
	loop_run(loop);
	_exit(5);
}

/* Starts a writer, kills it after some acknowledgements, returns how many pairs it had acknowledged. */
static int write_and_kill(int first, int after)
{
	int ends[2], acknowledged = 0, n;

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		writer_main(ends[1], first);
	}
	close(ends[1]);
	while (acknowledged < after && read(ends[0], &n, sizeof n) == sizeof n)
		acknowledged = n;
	kill(pid, SIGKILL);
	while (read(ends[0], &n, sizeof n) == sizeof n)
		acknowledged = n;
	close(ends[0]);
	int status = 0;
	waitpid(pid, &status, 0);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return acknowledged;
}

static int count_keys(const char *prefix)
{
	char after[600] = "";
	int count = 0;

	for (;;) {
		struct answer a = list(prefix, after, 1000);
		count += (int)a.count;
		if (!a.more)
			return count;
		text_copy(after, sizeof after, a.last_key);
	}
}

static void test_kill(void)
{
	unsigned seed = (unsigned)getpid();
	int written = 0;

	for (int round = 0; round < KILLS; round++) {
		int acknowledged = write_and_kill(written, 1 + rand_r(&seed) % 100);
		CU_ASSERT_TRUE_FATAL(open_store());
		CU_ASSERT_STRING_EQUAL(store_trouble(store), "");
		int one = count_keys("/one/"), two = count_keys("/two/");
		CU_ASSERT(one >= written + acknowledged); /* nothing acknowledged is lost */
		CU_ASSERT_EQUAL(one, two);		  /* nothing is half there */
		char value[32];
		text_format(value, sizeof value, "%d", one - 1);
		CU_ASSERT_STRING_EQUAL(get("/count").value, value);
		written = one;
		close_store();
	}
	CU_ASSERT(written > KILLS);
	remove_files();
}

/* Checks inside a child end it with their line number, which the parent reports. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "test_store.c:%d: %s\n", __LINE__, #condition); \
			_exit(1); \
		} \
	} while (0)

static void run_in_child(void (*fn)(void))
{
	int status = -1;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		fn();
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFEXITED(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("skipped: a private tmpfs needs root ... ");
	else
		CU_ASSERT_EQUAL(status, 0);
}

static void put_up(const char *name, size_t mib)
{
	static char chunk[1 << 20];
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	CHECK(fd >= 0);
	for (size_t i = 0; i < mib; i++)
		if (write(fd, chunk, sizeof chunk) != sizeof chunk)
			break;
	close(fd);
}

static void full_disk_child(void)
{
	char filler[400], *big = mem_zalloc(60001), key[64];
	int i = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("store", directory, "tmpfs", 0, "size=80m") < 0)
		_exit(77);
	CHECK(open_store());
	text_format(filler, sizeof filler, "%s.reserve", path);
	CHECK(access(filler, F_OK) == 0);
	memset(big, 'x', 60000);
	text_format(filler, sizeof filler, "%s/filler", directory);
	put_up(filler, 80); /* as much as fits */
	/* the reserve carries the store on */
	for (i = 0; i < 200; i++) {
		text_format(key, sizeof key, "/fill/%d", i);
		CHECK(is(put(key, big), STORE_OK));
	}
	CHECK(strstr(store_trouble(store), "nearly full"));
	CHECK(!store_takes_commands(store));
	/* until that is used up too: nothing is written, reading goes on */
	for (struct answer a = {.came = true, .status = STORE_OK}; a.status == STORE_OK; i++) {
		CHECK(i < 5000);
		text_format(key, sizeof key, "/fill/%d", i);
		a = put(key, big);
		CHECK(a.came && (a.status == STORE_OK || a.status == STORE_UNAVAILABLE));
	}
	CHECK(strstr(store_trouble(store), "full"));
	CHECK(is(get(key), STORE_NOT_FOUND));
	CHECK(get("/fill/7").value_size == 60000);
	struct answer w = {0}, g = {0};
	store_put(store, key, big, keep_answer, &w);
	store_get(store, key, keep_answer, &g); /* in one group with the write that fails */
	CHECK(wait_answers(2));
	CHECK(is(w, STORE_UNAVAILABLE) && is(g, STORE_NOT_FOUND));
	/* with room it goes on by itself */
	unlink(filler);
	CHECK(is(put(key, big), STORE_OK));
	CHECK(!strstr(store_trouble(store), "nothing is written"));
	CHECK(count_keys("/fill/") == i);
	close_store();
	CHECK(open_store());
	CHECK(count_keys("/fill/") == i);
	close_store();
	free(big);
}

static void test_full_disk(void)
{
	run_in_child(full_disk_child);
}

static void write_error_child(void)
{
	struct rlimit limit = {4096 * 4, RLIM_INFINITY}, none;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &none);
	CHECK(open_store());
	CHECK(is(put("/a", "1"), STORE_OK));
	setrlimit(RLIMIT_FSIZE, &limit); /* every write behind 16 KiB fails with EFBIG from here on */
	char *big = mem_zalloc(60001);
	memset(big, 'x', 60000);
	CHECK(is(put("/b", big), STORE_UNAVAILABLE));
	CHECK(!store_takes_commands(store));
	CHECK(store_trouble(store)[0] != '\0');
	CHECK(is(get("/b"), STORE_NOT_FOUND));
	CHECK(is(get("/a"), STORE_OK));
	CHECK(is(swap("/a", "2", 99), STORE_CONFLICT));
	setrlimit(RLIMIT_FSIZE, &none);
	CHECK(is(put("/b", big), STORE_OK));
	CHECK(!strcmp(store_trouble(store), ""));
	CHECK(store_takes_commands(store));
	free(big);
	close_store();
}

static void test_write_error(void)
{
	run_in_child(write_error_child);
	remove_files();
}

static const struct unit_test tests[] = {
	{"get, put, delete", test_get_put_delete},
	{"compare and swap", test_compare},
	{"all or none", test_all_or_none},
	{"list in pages", test_list},
	{"limits", test_limits},
	{"order", test_order},
	{"reopen, close", test_reopen_and_close},
	{"wrong addresses, a second engine", test_refusals},
	{"corrupt file", test_corrupt},
	{"kill -9 in the middle", test_kill},
	{"full disk", test_full_disk},
	{"write error", test_write_error},
};

int main(void)
{
	const char *base = getenv("TMPDIR");

	log_open("test_store", LOG_LEVEL_ERROR, false);
	text_format(directory, sizeof directory, "%s/glory-store-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	text_format(path, sizeof path, "%s/store.db", directory);
	text_format(url, sizeof url, "sqlite:%s", path);
	int rc = unit_run("store", tests, COUNT_OF(tests));
	remove_files();
	rmdir(directory);
	return rc;
}
