/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine alone: appliance/engine/main.c with a store that keeps nothing and answers when it is told to, no file of statistics, and an end of a
 * channel in the place of each role. Included by the fuzzer of its messages and by the bench of its rounds. */
int engine_main(void);
#define main engine_main
#include "appliance/engine/main.c"
#undef main

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

int role_main(const struct role_definition *definition)
{
	return definition == NULL;
}

/* --- statistics without a file ------------------------------------------------------------------------------ */
struct summaries *summaries_open(struct loop *loop, const char *path)
{
	(void)loop;
	(void)path;
	return NULL;
}

void summaries_close(struct summaries *s)
{
	(void)s;
}

bool summaries_run(struct summaries *s, summaries_work *work, summaries_done *done, void *arg)
{
	(void)s;
	(void)work;
	(void)done;
	(void)arg;
	return false;
}

const char *summaries_trouble(const struct summaries *s)
{
	(void)s;
	return "";
}

bool summaries_begin(struct summaries_db *db)
{
	(void)db;
	return false;
}

int summaries_commit(struct summaries_db *db, bool *again)
{
	(void)db;
	*again = false;
	return ERR_NO_RESOURCE;
}

void summaries_put(struct summaries_db *db, const struct summaries_key *key, const void *bytes, size_t size)
{
	(void)db;
	(void)key;
	(void)bytes;
	(void)size;
}

void summaries_drop(struct summaries_db *db, uint32_t period_s, int64_t before_s)
{
	(void)db;
	(void)period_s;
	(void)before_s;
}

int summaries_each(struct summaries_db *db, const struct summaries_range *range, summaries_visit *visit, void *arg)
{
	(void)db;
	(void)range;
	(void)visit;
	(void)arg;
	return ERR_NO_RESOURCE;
}

size_t summaries_get(struct summaries_db *db, const struct summaries_key *key, uint8_t *out, size_t room)
{
	(void)db;
	(void)key;
	(void)out;
	(void)room;
	return 0;
}

/* --- a store that keeps nothing -------------------------------------------------------------------------- */
struct answer {
	struct answer *next;
	store_done *done;
	void *arg;
	enum store_status status;
};
static struct answer *answers, **answers_tail = &answers;
static enum store_status write_status;

static void answer_later(store_done *done, void *arg, enum store_status status)
{
	struct answer *a = mem_zalloc(sizeof *a);

	*a = (struct answer){.done = done, .arg = arg, .status = status};
	*answers_tail = a;
	answers_tail = &a->next;
}

static void deliver(void)
{
	for (struct answer *a; (a = answers);) {
		struct store_reply r = {.status = a->status, .revision = 1};
		answers = a->next;
		if (!answers)
			answers_tail = &answers;
		if (a->done)
			a->done(a->arg, &r);
		free(a);
	}
}

struct store *store_open(struct loop *loop, const char *url)
{
	(void)url;
	return (struct store *)(void *)loop;
}

void store_close(struct store *s)
{
	(void)s;
}

void store_get(struct store *s, const char *key, store_done *done, void *arg)
{
	(void)s;
	(void)key;
	answer_later(done, arg, STORE_NOT_FOUND);
}

void store_list(struct store *s, const char *prefix, const char *after, size_t limit, store_done *done, void *arg)
{
	(void)s;
	(void)prefix;
	(void)after;
	(void)limit;
	answer_later(done, arg, STORE_OK);
}

void store_transact(struct store *s, const struct store_op *ops, size_t count, store_done *done, void *arg)
{
	(void)s;
	for (size_t i = 0; i < count; i++)
		if (!ops[i].key || strlen(ops[i].key) > STORE_KEY_MAX || (ops[i].value && strlen(ops[i].value) > STORE_VALUE_MAX))
			abort();
	answer_later(done, arg, write_status);
}

void store_put(struct store *s, const char *key, const char *value, store_done *done, void *arg)
{
	struct store_op op = {.key = key, .value = value, .expect = STORE_ANY};

	if (!value)
		abort(); /* text that is no JSON was to be stored */
	store_transact(s, &op, 1, done, arg);
}

void store_delete(struct store *s, const char *key, store_done *done, void *arg)
{
	struct store_op op = {.key = key, .expect = STORE_ANY};

	store_transact(s, &op, 1, done, arg);
}

const char *store_trouble(const struct store *s)
{
	(void)s;
	return "";
}

size_t store_pending(const struct store *s)
{
	(void)s;
	return 0;
}

bool store_takes_commands(const struct store *s)
{
	(void)s;
	return true;
}

/* --- roles that listen and say nothing ----------------------------------------------------------------- */
static struct role_context context;
static int peers[ROLE_COUNT];

static void ignore(void *arg, const struct message_header *h, const void *body, size_t size, int fd)
{
	(void)arg;
	(void)h;
	(void)body;
	(void)size;
	if (fd >= 0)
		close(fd);
}

static void on_gone(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	abort(); /* nobody here closes or sends rubbish */
}

static int pair(int *other)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
		abort();
	*other = ends[1];
	return ends[0];
}

static void engine_alone_begin(void)
{
	struct channel_owner owner = {ignore, on_gone, NULL};
	static struct settings settings = {.appliance = "alone", .site = "alone", .users = 1, .user = {{"op", SETTINGS_USER_SNMP, RIGHT_ADMIN, 0, 0}}};

	log_open("alone", 0, false);
	context.start = (struct role_start){.role = ROLE_ENGINE, .epoch = 1, .life = 1};
	context.loop = loop_new();
	context.supervisor = channel_open(context.loop, pair(&peers[0]), 0, message_shapes, MSG_TYPE_COUNT, &owner);
	if (run(&context))
		abort();
	take_settings(&engine, &settings, sizeof settings);
	deliver();
	if (!engine.loaded)
		abort();
	for (uint32_t r = ROLE_COLLECTOR; r < ROLE_COUNT; r++) {
		struct msg_endpoint m = {.role = r, .life = 1};
		take_endpoint(&engine, &m, pair(&peers[r]));
	}
}

/* What was said to the roles is forgotten. */
static void drain(void)
{
	static uint8_t room[CHANNEL_PACKET_MAX];

	for (int r = 0; r < ROLE_COUNT; r++) {
		union {
			char bytes[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec iov = {room, sizeof room};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
		while (peers[r] > 0 && recvmsg(peers[r], &m, MSG_DONTWAIT) > 0) {
			struct cmsghdr *c = CMSG_FIRSTHDR(&m);
			if (c && c->cmsg_type == SCM_RIGHTS) {
				int fd;
				memcpy(&fd, CMSG_DATA(c), sizeof fd);
				close(fd);
			}
			m.msg_controllen = sizeof control.bytes;
		}
	}
}

static void on_edit(void *arg, const struct error *err, const struct config_diff *diff)
{
	(void)arg;
	(void)diff;
	if (err) {
		fprintf(stderr, "%s: %s\n", err->object, err->text);
		abort();
	}
}

/* The wanted state becomes this one. */
static void engine_alone_commit(struct cluster *c)
{
	edits_commit(&engine, c, true, false, on_edit, &engine);
	deliver();
}
