/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runner's outermost entries: packets of the engine and the supervisor (their length is right: the channel has checked it), what programs
 * print, and their ends. No program is started: what would be is looked at. */
#define main runner_main
#include "appliance/control/role/main.c"
#undef main

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int role_main(const struct role_definition *definition)
{
	return definition == NULL;
}

/* --- programs that are not started --------------------------------------------------------------------------- */
struct child {
	bool used;
	struct child_plan plan;
};
static struct child list[RUNS_MAX];
static unsigned answers, asked;

struct children *children_new(struct loop *loop, unsigned most, bool keep_orphans)
{
	(void)loop;
	(void)most;
	(void)keep_orphans;
	return (struct children *)(void *)list;
}

unsigned children_running(const struct children *all)
{
	return all == NULL;
}

unsigned children_orphans(const struct children *all)
{
	return all == NULL;
}

struct child *children_start(struct children *all, const struct child_plan *plan, int64_t now, int *error)
{
	struct child *c = list;
	size_t words = 0;

	(void)now;
	*error = EBUSY;
	if ((void *)all != (void *)list)
		abort();
	while (plan->words[words])
		words++;
	for (size_t i = 0; i + 1 < words; i++) /* only the last word, behind "--" and the address, is the engine's text */
		if (!strcmp(plan->words[0], "ssh") && strcmp(plan->words[words - 3], "--") != 0)
			abort();
	if (!strcmp(plan->words[0], "ssh") && control_line_check(plan->words[words - 1], NULL, NULL))
		abort(); /* never an unchecked line */
	while (c < list + RUNS_MAX && c->used)
		c++;
	if (c == list + RUNS_MAX)
		return NULL;
	*c = (struct child){true, *plan};
	return c;
}

void children_cancel(struct child *c, int64_t now)
{
	(void)now;
	if (!c->used)
		abort();
}

void children_end(struct children *all)
{
	(void)all;
}

/* --- a channel that goes nowhere ------------------------------------------------------------------------------ */
void channel_send(struct channel *c, uint16_t type, const void *body, size_t size)
{
	(void)c;
	(void)body;
	asked += type == MSG_SECRET_ASK && size == sizeof(struct msg_secret_ask);
}

void channel_send_lossy(struct channel *c, uint16_t type, const void *body, size_t size)
{
	const struct msg_run_line *m = body;

	(void)c;
	if (type == MSG_RUN_LINE && (size != sizeof *m || !text_terminated(m->text, sizeof m->text)))
		abort();
}

void channel_send_fd(struct channel *c, uint16_t type, const void *body, size_t size, int fd)
{
	const struct msg_run_result *m = body;

	(void)c;
	(void)fd;
	if (type != MSG_RUN_RESULT || size != sizeof *m || m->end == 0 || m->end >= ENDED_COUNT || !text_terminated(m->text, sizeof m->text))
		abort();
	answers++;
}

/* --- one life --------------------------------------------------------------------------------------------------- */
static struct role_context context;

static void begin(void)
{
	static char directory[] = "/dev/shm/fuzz_runner_XXXXXX";
	char path[64];

	if (!context.loop) {
		if (!mkdtemp(directory) || !text_format(path, sizeof path, "%s/runner", directory) || mkdir(path, 0700))
			abort();
		text_copy(context.start.directory, sizeof context.start.directory, directory);
		context.loop = loop_new();
		context.checks[PROGRAM_SSH] = context.checks[PROGRAM_L4] = 0;
		run(&context);
	}
}

static void over(void)
{
	for (int i = 0; i < RUNS_MAX; i++)
		if (list[i].used) {
			list[i].used = false;
			list[i].plan.on_end(list[i].plan.arg, CHILD_CANCELLED, 0, 1);
		}
	for (int i = 0; i < RUNS_MAX; i++)
		if (runner.runs[i].used)
			answer(&runner, &runner.runs[i], ENDED_CANCELLED, -1, "");
	credentials_end(runner.credentials);
	free(runner.credentials);
	runner.credentials = credentials_new(runner.keys, ask_secret, &runner);
}

static void fill(void *to, size_t room, const uint8_t *from, size_t size)
{
	memset(to, 0, room);
	memcpy(to, from, size < room ? size : room);
}

/* A request that is sound but for what the bytes change. */
static void ask_run(const uint8_t *data, size_t size)
{
	static const char *const drivers[] = {"", "haproxy", "alteon", "x"};
	struct msg_run m = {.request = data[0], .kind = data[1] % 5, .deadline_ms = 1000, .address = {.family = 4, .port = 22, .bytes = {10, 99, 1, 1}}};
	struct message_header h = {.type = MSG_RUN};

	m.stream = data[2] & 1;
	text_copy(m.host, sizeof m.host, "n001");
	text_copy(m.credential, sizeof m.credential, data[2] & 2 ? "control" : data[2] & 4 ? "l4" : "");
	text_copy(m.driver, sizeof m.driver, drivers[data[2] >> 3 & 3]);
	fill(m.line, sizeof m.line - (data[2] & 64 ? 0 : 1), data + 3, size - 3);
	on_engine(&context, &h, &m, sizeof m, data[2] & 32 ? picture_splice(-1, NULL, (char[64]){0}, 64) : memfd_create("x", MFD_CLOEXEC));
}

static void give_secret(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"control", "control-cert", "control-ca", "l4", "x"};
	static struct msg_secret m;
	struct message_header h = {.type = MSG_SECRET};

	memset(&m, 0, sizeof m);
	m.secret_class = data[0] & 1 ? SECRET_SSH : SECRET_SNMP;
	m.status = data[0] & 2 ? ERR_NOT_FOUND : 0;
	text_copy(m.name, sizeof m.name, names[data[1] % 5]);
	fill(m.text, sizeof m.text - (data[0] & 4 ? 0 : 1), data + 2, size - 2);
	on_supervisor(&context, &h, &m, sizeof m, -1);
}

static void one(const uint8_t *data, size_t size)
{
	static struct msg_run raw;
	struct message_header h = {.type = MSG_RUN};
	struct msg_run_id id = {.request = data[1]};

	switch (data[0] % 7) {
	case 0:
		ask_run(data + 1, size - 1);
		break;
	case 1:
		fill(&raw, sizeof raw, data + 1, size - 1);
		on_engine(&context, &h, &raw, sizeof raw, -1);
		break;
	case 2:
		h.type = MSG_RUN_CANCEL;
		on_engine(&context, &h, &id, sizeof id, -1);
		break;
	case 3:
		give_secret(data + 1, size - 1);
		break;
	case 4:
		if (list[data[1]].used)
			list[data[1]].plan.on_bytes(list[data[1]].plan.arg, 1 + (data[2] & 1), (const char *)data + 3, size - 3);
		break;
	case 5:
		if (list[data[1]].used) {
			list[data[1]].used = false;
			list[data[1]].plan.on_end(list[data[1]].plan.arg, (enum child_end)(1 + data[2] % 5), data[3], 5);
		}
		break;
	default:
		on_tick(&runner);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	while (size >= 6) {
		size_t length = 4 + (data[0] | (size_t)data[1] << 8) % 2048;
		if (length > size - 2)
			length = size - 2;
		one(data + 2, length);
		data += 2 + length;
		size -= 2 + length;
	}
	over();
	return 0;
}
