/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything the agent takes from outside. The first byte of the input chooses the entry:
 *   0  a datagram at the agent's socket (v1, v2c with the community "public", v3), through net-snmp's parser to the answer
 *   1  the varbinds of an authorised SET, as a list of our own (no random bytes get past authentication)
 *   2  an event to notify, with all its fields     3  the text of a secret     4  the engine's state file */
#include "mibs/agent/serve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "mibs/agent/engine.h"
#include "mibs/agent/event.h"
#include "mibs/agent/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct walk walk;
static struct own own;
static struct serve *serve;
static const struct transport_peer nobody = {.remote = {.ss_family = AF_INET}}; /* answers go nowhere */

static struct board_reader *make_board(void)
{
	static struct board_writer *w; /* kept: it stays mapped */
	struct board_limits limits;

	board_limits_for(16, 2, 1, &limits);
	w = board_create(1, &limits);
	for (uint32_t i = 0; i < 8; i++) {
		struct node_row r = {.head = {.generation = 1, .slot = i, .order = i}};
		text_format(r.name, sizeof r.name, "n%u", i);
		board_put(w, BOARD_NODE, &r);
		struct value_row v = {.head = {.generation = 1, .slot = i, .order = (uint64_t)i << 32 | 65537}, .node_slot = i, .value = i};
		board_put(w, BOARD_VALUE, &v);
	}
	board_flip(w);
	return board_map(dup(board_fd(w)));
}

static void no_command(void *arg, const struct msg_command *command, const char *arguments)
{
	struct msg_reply reply = {.request = command->request};
	(void)arg;
	(void)arguments;

	serve_reply(serve, &reply);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct engine_state state = {{0x80, 0, 0x7e, 0xd9, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1};
	struct msg_user community = {.name = "public", .right = RIGHT_VIEW, .version = SNMP_V2C};
	(void)argc;
	(void)argv;

	log_open("fuzz", LOG_LEVEL_ERROR, false);
	own = (struct own){.walk = &walk, .name = "fuzz"};
	walk = (struct walk){.board = make_board(), .own = own_value, .arg = &own};
	if (engine_start(&state) || !walk.board)
		abort();
	access_begin();
	if (access_add_user(&community, "community=public\n", NULL))
		abort();
	serve = serve_new(socket(AF_INET, SOCK_DGRAM, 0), &walk, no_command, NULL);
	return serve ? 0 : -1;
}

static bool may_write(void *arg, const mib_arc *name, size_t length)
{
	(void)arg;
	(void)name;
	return length > 0;
}

static int row_name(void *arg, const struct mib_place *place, char *name, size_t size)
{
	(void)arg;
	text_copy(name, size, "row");
	return place->key < 8 ? 0 : -7;
}

static uint32_t next_index(void *arg, enum board_table table)
{
	(void)arg;
	return table == BOARD_NODE ? 9 : 10;
}

/* Six bytes make the object (table, column, index of three bytes, type), one the length of the value, then the value. */
static void fuzz_set(const uint8_t *data, size_t size)
{
	static struct set_plan plan;
	static mib_arc names[SET_VARBINDS_MAX][MIB_OID_MAX];
	struct set_varbind list[SET_VARBINDS_MAX];
	size_t n = 0;

	while (size >= 7 && n < SET_VARBINDS_MAX) {
		const struct mib_table *t = &mib_tables[data[0] % mib_table_count];
		size_t length = mib_column_name(t, &t->columns[data[1] % t->column_count], names[n]), value = data[6];
		for (int i = 0; i < 3 && (data[5] & (4 << i)); i++)
			names[n][length++] = data[2 + i];
		data += 7;
		size -= 7;
		value = value < size ? value : size;
		list[n] = (struct set_varbind){.name = names[n], .length = length, .asn = data[-2] & 1 ? 2 : 4, .bytes = data, .size = value};
		memcpy(&list[n].integer, data, value < sizeof(long) ? value : sizeof(long));
		data += value;
		size -= value;
		n++;
	}
	const struct set_questions ask = {may_write, row_name, next_index, NULL};
	set_plan_make(list, n, &ask, &plan);
	if (plan.count > n || (plan.status && plan.count) || plan.index > n)
		abort();
	for (size_t i = 0; i < plan.count; i++)
		if (plan.commands[i].varbind >= n || !text_is_name(plan.commands[i].target, NAME_SIZE - 1))
			abort();
}

static void fuzz_event(const uint8_t *data, size_t size)
{
	struct msg_notify event = {0};
	char line[1024];

	memcpy(&event, data, size < sizeof event ? size : sizeof event);
	if (!event_is_sound(&event))
		return;
	snmp_free_pdu(event_pdu(&event, SNMP_MSG_INFORM, 1));
	if (event_syslog(&event, "host", line, sizeof line) >= sizeof line || strpbrk(line, "\r\n"))
		abort();
}

static void fuzz_text(const uint8_t *data, size_t size, bool secret)
{
	char text[1024], value[64];
	struct engine_state state;

	size = size < sizeof text - 1 ? size : sizeof text - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!secret)
		engine_state_parse(text, &state);
	else if (access_secret_value(text, "auth", value, sizeof value) && strpbrk(value, "\r\n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] % 5) {
	case 0:
		serve_datagram(serve, data + 1, size - 1, &nobody);
		serve_again(serve, 0);
		break;
	case 1:
		fuzz_set(data + 1, size - 1);
		break;
	case 2:
		fuzz_event(data + 1, size - 1);
		break;
	default:
		fuzz_text(data + 1, size - 1, data[0] % 5 == 3);
	}
	return 0;
}
