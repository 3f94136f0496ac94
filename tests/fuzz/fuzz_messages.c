/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's outermost entries: packets of every role, as a compromised one would send them, into the dispatch of main.c (their length is
 * right: the channel has checked it), and the JSON values it reads back from its store. The store behind it is a list of answers. */
#include "tests/fuzz/engine_alone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a site of four nodes -------------------------------------------------------------------------------- */
static void make_site(struct engine *e)
{
	struct cluster c;
	struct config_group g = {.policy = POLICY_REPAIR};
	struct config_snmp credential = {.version = 2};
	struct config_bmc bmc = {.suite = 17, .privilege = 3};
	struct config_notify receiver = {.kind = RECEIVER_TRAP_V2C};

	cluster_init(&c);
	text_copy(c.site, sizeof c.site, "fuzz");
	text_copy(g.head.name, sizeof g.head.name, "g01");
	text_copy(credential.head.name, sizeof credential.head.name, "old");
	text_copy(bmc.head.name, sizeof bmc.head.name, "bmc");
	text_copy(bmc.user, sizeof bmc.user, "operator");
	text_copy(receiver.head.name, sizeof receiver.head.name, "noc");
	text_copy(receiver.snmp, sizeof receiver.snmp, "old");
	address_parse("10.0.0.250", 162, &receiver.address);
	cluster_set(&c, CONFIG_GROUP, &g);
	cluster_set(&c, CONFIG_SNMP, &credential);
	cluster_set(&c, CONFIG_BMC, &bmc);
	cluster_set(&c, CONFIG_NOTIFY, &receiver);
	for (int i = 0; i < 4; i++) {
		struct config_node n = {.wanted_power = POWER_ON};
		char text[32];
		text_format(n.head.name, sizeof n.head.name, "n%d", i);
		text_copy(n.group, sizeof n.group, "g01");
		text_copy(n.snmp, sizeof n.snmp, "old");
		text_copy(n.bmc_credential, sizeof n.bmc_credential, "bmc");
		text_copy(n.rack, sizeof n.rack, "r1");
		text_format(text, sizeof text, "10.0.0.%d", i + 1);
		address_parse(text, 161, &n.address);
		text_format(text, sizeof text, "10.0.1.%d", i + 1);
		address_parse(text, 623, &n.bmc);
		cluster_set(&c, CONFIG_NODE, &n);
	}
	engine_alone_commit(&c);
	if (e->model.node_count < 4)
		abort();
}

static void begin(void)
{
	engine_alone_begin();
	make_site(&engine);
}

/* --- what comes in ---------------------------------------------------------------------------------------- */
static const uint8_t spoken[] = {MSG_STATS, MSG_SAMPLES, MSG_WITNESS, MSG_INSTANCES, MSG_JUDGE, MSG_LOSSY, MSG_PORT_STATE, MSG_REFERENCE_STATE,
				 MSG_NODE_FACTS, MSG_POWER_STATE, MSG_POWER_RESULT, MSG_SENSORS, MSG_BMC_FACTS, MSG_FLUSHED, MSG_RECORDER_STATE,
				 MSG_COMMAND, MSG_QUERY, MSG_GRAPH, MSG_NOTIFY_DONE, MSG_LOOK, MSG_REPORT, MSG_HTTPS_STATE};

/* Most inputs would speak of no node there is: slot and generation are made right, as a role that is let in knows them. */
static void aim(uint8_t type, uint8_t *body, size_t size, size_t element, uint8_t which)
{
	for (size_t at = 0; at + 8 <= size && at + element <= size; at += element) {
		uint32_t slot = (which + body[at]) % 4, generation = engine.model.nodes[slot].generation;
		uint16_t half = (uint16_t)generation;

		if (type == MSG_POWER_RESULT && at + 24 <= size) {
			uint64_t job = engine.job_last;
			memcpy(body, &job, 8);
			memcpy(body + 8, &slot, 4);
			memcpy(body + 12, &generation, 4);
			return;
		}
		memcpy(body + at, &slot, 4);
		if (type == MSG_SAMPLES) {
			struct msg_samples answer;
			if (at + sizeof answer > size)
				return;
			memcpy(&answer, body + at, sizeof answer);
			answer.generation = half;
			answer.count %= 32;
			memcpy(body + at, &answer, sizeof answer);
			element = sizeof answer + answer.count * sizeof(struct msg_sample);
		} else if (type != MSG_WITNESS || offsetof(struct witness_report, generation) == 4)
			memcpy(body + at + 4, &generation, 4);
	}
}

static size_t make_command(uint8_t *body, const uint8_t *data, size_t size)
{
	static const char *const targets[] = {"n0", "n[0-3]", "@g01", "@site", "n9", "1", "g01", "fresh"};
	struct msg_command c = {.request = 1, .verb = size ? data[0] % (COMMAND_VERB_COUNT + 1) : 0, .right = RIGHT_ADMIN, .yes = 1,
				.repeat_low = size > 1 ? data[1] % 3 : 0};

	text_copy(c.actor, sizeof c.actor, "uid:0");
	text_copy(c.target, sizeof c.target, targets[size > 2 ? data[2] % COUNT_OF(targets) : 0]);
	c.argument_size = (uint32_t)(size > 3 ? size - 3 : 0);
	memcpy(body, &c, sizeof c);
	if (c.argument_size)
		memcpy(body + sizeof c, data + 3, c.argument_size);
	return sizeof c + c.argument_size;
}

static void packet(uint8_t role, uint8_t type, uint8_t how, const uint8_t *data, size_t size)
{
	static union {
		uint8_t bytes[CHANNEL_BODY_MAX];
		max_align_t align;
	} body;
	const struct message_shape *s = &message_shapes[type];
	struct message_header h = {.version = CHANNEL_VERSION, .type = type, .epoch = 1};
	size_t length = s->fixed;

	if (s->element && size > s->fixed)
		length += (size - s->fixed) / s->element * s->element;
	else if (s->element && !s->fixed)
		length = s->element; /* at least one, filled up with zeros */
	memset(body.bytes, 0, length);
	memcpy(body.bytes, data, size < length ? size : length);
	if (type == MSG_COMMAND && (how & 1))
		length = make_command(body.bytes, data, size);
	else if (how & 1)
		aim(type, body.bytes, length, s->fixed ? s->fixed : s->element, how >> 1);
	on_role_message(&endpoints[role], &h, body.bytes, length, -1);
}

static void stored_values(uint8_t which, const char *json)
{
	struct job *job;

	switch (which % 6) {
	case 0:
		if (engine.nodes[which % 4]) {
			life_read(&engine, which % 4, json);
			life_save(&engine, which % 4);
		}
		break;
	case 1:
		alarms_restore(&engine, "/alarm/x", json);
		alarms_sweep(&engine);
		break;
	case 2:
		outbox_restore(&engine, "/outbox/x", json);
		outbox_receivers_changed(&engine);
		break;
	case 3:
		job = job_from_json(json);
		if (job && job->count)
			job_target_from_json(job, 0, json);
		job_free(job);
		break;
	case 4:
		job = job_new(1, POWER_VERB_CYCLE, 1);
		if (job_target_from_json(job, 0, json))
			job_target_resume(job, 0, 1);
		job_free(job);
		break;
	default:
		commands_restore(&engine, "/set/x", json);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum store_status statuses[] = {STORE_OK, STORE_OK, STORE_OK, STORE_UNAVAILABLE, STORE_CONFLICT};
	char *json;

	if (!context.loop)
		begin();
	if (size < 4)
		return 0;
	write_status = STORE_OK;
	if (engine.model.node_count < 4) /* commands may have removed some */
		make_site(&engine);
	write_status = statuses[data[0] % COUNT_OF(statuses)];
	if (data[1] >= 200) {
		json = mem_zalloc(size);
		memcpy(json, data + 3, size - 3);
		stored_values(data[2], json);
		free(json);
	}
	/* packets: type, role and aim, length / 8, body */
	for (size_t at = 1; data[1] < 200 && at + 3 < size;) {
		size_t length = (size_t)data[at + 2] * 8, left = size - at - 3;
		uint8_t role = ROLE_COLLECTOR + (data[at + 1] & 7) % (ROLE_COUNT - ROLE_COLLECTOR);

		packet(role, spoken[data[at] % COUNT_OF(spoken)], data[at + 1] >> 3, data + at + 3, length < left ? length : left);
		at += 3 + length;
	}
	deliver();
	event_base_loop(loop_base(context.loop), EVLOOP_NONBLOCK);
	deliver();
	jobs_tick(&engine);
	publish_now(&engine);
	deliver();
	drain();
	return 0;
}
