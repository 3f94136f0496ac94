/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes the BMC engine where its bytes come from outside: datagrams from a BMC in every state of a session, and files
 * of sensor records. The first byte chooses. For datagrams a well-behaved BMC takes part, so that the engine gets as
 * far as its sensor readings; the input says which of its answers are replaced, changed or followed by bytes of its
 * own, also inside the session's cover. Packets that are signed by the right key, whatever is in them, are read by us and
 * by libfreeipmi, which must agree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <freeipmi/freeipmi.h>

#include "base/memory.h"
#include "ipmi/fru.h"
#include "ipmi/sel_decode.h"
#include "ipmi/suites.h"
#include "ipmi/bmc.h"
#include "ipmi/sdr.h"
#include "tests/sim/fake_bmc.h"
#include "tests/sim/freeipmi_packets.h"

static struct {
	const uint8_t *input;
	size_t left;
	struct fake_bmc bmc;
	struct bmc_engine *engine;
	struct msg_sel_known known; /* what the store would have of its event log */
	struct address address;
	int64_t now;
	uint8_t pipe[8][1024];
	size_t size[8];
	unsigned piped;
} w;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next_byte(void)
{
	if (w.left == 0)
		return 0;
	w.left--;
	return *w.input++;
}

static size_t next_bytes(uint8_t *out, size_t room)
{
	size_t n = next_byte();

	n = n < room ? n : room;
	n = n < w.left ? n : w.left;
	memcpy(out, w.input, n);
	w.input += n;
	w.left -= n;
	return n;
}

/* What becomes of an answer: mostly nothing, so that long conversations happen. */
static void on_send(void *arg, const struct address *to, const void *data, size_t size)
{
	(void)arg;
	(void)to;
	if (w.piped >= 7)
		return;
	uint8_t what = next_byte();
	if ((what & 0xf0) == 0x10) { /* readings and records of the session's inside */
		next_bytes(w.bmc.reading[what & 15], 4);
		w.bmc.refuse_command = next_byte();
		w.bmc.refuse_code = next_byte();
	}
	size_t n = fake_bmc_answer(&w.bmc, data, size, w.pipe[w.piped]);
	if ((what & 0xf0) == 0x20)
		n = next_bytes(w.pipe[w.piped], 1024);
	else if ((what & 0xf0) == 0x30 && n > 0)
		w.pipe[w.piped][next_byte() % n] ^= (uint8_t)(1 + next_byte() % 255);
	else if ((what & 0xf0) == 0x40 && n > 0)
		n = next_byte() % n;
	else if ((what & 0xf0) == 0x50)
		return;
	if (n > 0)
		w.size[w.piped++] = n;
}

static void on_random(void *arg, void *out, size_t size)
{
	(void)arg;
	memset(out, 0x55, size);
}

static void ignore_name(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

static void ignore_power(void *arg, const struct msg_power_state *m)
{
	(void)arg;
	(void)m;
}

static void ignore_result(void *arg, const struct msg_power_result *m)
{
	(void)arg;
	(void)m;
}

static void ignore_sensors(void *arg, const struct msg_sensor *m, size_t count)
{
	(void)arg;
	for (size_t i = 0; i < count; i++) /* texts must end, whatever the BMC named its sensors */
		if (!memchr(m[i].name, 0, sizeof(m[i].name)) || !memchr(m[i].text, 0, sizeof(m[i].text)))
			abort();
}

static void ignore_facts(void *arg, const struct msg_bmc_facts *m)
{
	(void)arg;
	(void)m;
}

static void take_sel(void *arg, const struct msg_sel_entry *m, size_t count)
{
	struct msg_sel_known *known = arg;

	for (size_t i = 0; i < count; i++)
		if (!memchr(m[i].sensor, 0, sizeof(m[i].sensor)) || !memchr(m[i].type, 0, sizeof(m[i].type)) ||
		    !memchr(m[i].event, 0, sizeof(m[i].event)) || m[i].level >= LEVEL_COUNT)
			abort();
	known->last_id = m[count - 1].record_id;
	memcpy(known->last, m[count - 1].raw, sizeof(known->last));
}

static void ignore_sel_state(void *arg, const struct msg_sel_state *m)
{
	(void)arg;
	(void)m;
}

static void ignore_sel_cleared(void *arg, const struct msg_sel_cleared *m)
{
	(void)arg;
	(void)m;
}

static void ignore_pet(void *arg, const struct msg_sel_entry *m)
{
	(void)arg;
	(void)m;
}

static void take_fru(void *arg, const struct msg_fru *m)
{
	(void)arg;
	for (int i = 0; i < FRU_FIELD_COUNT; i++)
		if (!memchr(m->fields[i], 0, FRU_TEXT))
			abort();
}

static void run(int64_t ms)
{
	for (int64_t end = w.now + ms; w.now < end;) {
		while (w.piped > 0) {
			uint8_t data[1024];
			size_t size = w.size[--w.piped];
			memcpy(data, w.pipe[w.piped], size);
			bmc_engine_datagram(w.engine, &w.address, data, size, w.now);
		}
		int64_t next = bmc_engine_next(w.engine);
		w.now = next <= w.now ? w.now + 1 : next < end ? next : end;
		bmc_engine_tick(w.engine, w.now);
	}
}

/* One engine for all inputs: making one costs more than the conversation. */
static void begin(void)
{
	struct bmc_hands hands = {on_send,       on_random,      ignore_name,  ignore_power,
				  ignore_result, ignore_sensors, ignore_facts, NULL};
	static const struct bmc_record_hands records = {take_sel, ignore_sel_state, ignore_sel_cleared, ignore_pet, take_fru};
	struct bmc_settings settings = {.records = &records};

	hands.arg = &w.known;
	if (w.engine)
		return;
	w.now = 1000;
	w.engine = bmc_engine_new(&settings, &hands, w.now);
	address_parse("10.0.0.1", 623, &w.address);
}

static void fuzz_datagrams(bool sha256)
{
	static uint8_t records[512];
	struct msg_bmc_target t = {.slot = 1,
				   .generation = 1,
				   .address = w.address,
				   .power_interval_s = 30,
				   .sensor_interval_s = 30,
				   .suite = sha256 ? 17 : 3,
				   .privilege = 3,
				   .name = "n1",
				   .credential = "bmc",
				   .user = "operator"};
	struct msg_power power = {.job = 1, .slot = 1, .generation = 1, .verb = POWER_VERB_OFF, .deadline_ms = 5000};
	struct error error;

	w.piped = 0;
	w.known = (struct msg_sel_known){.slot = 1, .generation = 1};
	fake_bmc_init(&w.bmc, sha256);
	/* records made of input: lengths are mended so that they can be walked through, all else stays hostile */
	size_t n = next_bytes(records, 256), at = 0;
	for (; at + 5 <= n; at += 5U + records[at + 4])
		if (at + 5U + records[at + 4] > n)
			records[at + 4] = (uint8_t)(n - at - 5);
	w.bmc.records = records;
	w.bmc.records_size = at;
	bmc_engine_target(w.engine, &t, w.now, &error);
	bmc_engine_secret(w.engine, "bmc", "password=secret", w.now, &error);
	run(3000);
	bmc_engine_power(w.engine, &power, w.now);
	for (int i = 0; i < 4; i++) {
		bmc_engine_sel_known(w.engine, &w.known, w.now);
		bmc_engine_read(w.engine, &(struct msg_bmc_read){.slot = 1, .generation = 1, .what = i % 2 ? BMC_READ_SEL : BMC_READ_FRU}, w.now);
		run(4000);
	}
	bmc_engine_sel_clear(w.engine, &(struct msg_sel_clear){.request = 1, .slot = 1, .generation = 1}, w.now);
	run(5000);
	bmc_engine_remove(w.engine, 1, 1, w.now);
}

/* What BMCs have written down, without the conversation around it. */
static void fuzz_records(const uint8_t *data, size_t size)
{
	static struct sel_words *words;
	struct msg_sel_entry entry = {0};
	struct msg_fru fru;
	uint8_t raw[SEL_RAW];

	if (!words)
		words = sel_words_new();
	(void)suites_parse(data, size);
	fru_parse(data, (unsigned)size, &fru);
	take_fru(NULL, &fru);
	for (size_t at = 0; at + SEL_RAW <= size && at < 64 * SEL_RAW; at += SEL_RAW)
		sel_decode(words, NULL, data + at, &entry);
	if (size > 3 && pet_to_record((uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2], data + 3,
				      size - 3 < PET_MAX ? (unsigned)size - 3 : PET_MAX, raw))
		sel_decode(words, NULL, raw, &entry);
}

static struct rmcpp_session signed_session(bool sha256)
{
	struct rmcpp_session s = {.console_id = 0x01020304, .managed_id = 7, .in_highest = 20, .in_seen = 0xff};

	packets_suite(&s, sha256 ? 17 : 3);
	s.integrity_size = s.confidentiality_size = sha256 ? 32 : 20;
	memset(s.integrity_key, 0x11, sizeof(s.integrity_key));
	memset(s.confidentiality_key, 0x22, sizeof(s.confidentiality_key));
	return s;
}

/* Ours and theirs on the same bytes: both refuse, or both say the same. */
static void both_read(const struct rmcpp_session *s, const struct ipmi_command *c, const uint8_t *data, size_t size)
{
	struct rmcpp_session mine = *s, theirs = *s;
	struct ipmi_reply a, b;
	bool taken = wire_read_command(w.engine->wire, &mine, c, 1, data, size, &a);

	if (taken != theirs_read_command(&theirs, c, 1, data, size, &b) || mine.in_highest != theirs.in_highest ||
	    mine.in_seen != theirs.in_seen)
		abort();
	if (taken && (a.completion != b.completion || a.size != b.size || memcmp(a.data, b.data, a.size) != 0))
		abort();
}

/* The first bytes say what the packet around the plain bytes is like; the plain bytes begin as a right answer does, if
 * the input wants it so. What libfreeipmi would read past its end is only shown to us. */
static void fuzz_wire(bool sha256)
{
	static bool ready;
	struct ipmi_command c = {.netfn = 6, .command = 1};
	struct rmcpp_session s = signed_session(sha256);
	struct ipmi_reply reply;
	uint8_t plain[256 + 16], trailer[16], packet[PACKET_MAX], how = next_byte();

	if (!ready)
		theirs_init();
	ready = true;
	uint32_t sequence = 15 + next_byte() % 16;
	size_t trailer_size = 2 + next_bytes(trailer, 8), size = next_bytes(plain, 256) / 16 * 16;
	trailer[trailer_size - 2] = next_byte();
	trailer[trailer_size - 1] = next_byte();
	if (how & 1 && size >= 16) {
		size_t message = size - 1 - plain[size - 1] % 16;
		memcpy(plain, (uint8_t[]){0x81, 0x1c, 0x63, 0x20, 0x04, 0x01}, 6);
		for (size_t i = message; i < size - 1; i++)
			plain[i] = (uint8_t)(i - message + 1);
		plain[size - 1] = (uint8_t)(size - 1 - message);
		uint8_t sum = 0;
		for (size_t i = 3; i + 1 < message; i++)
			sum = (uint8_t)(sum - plain[i]);
		if (message >= 8)
			plain[message - 1] = sum;
	}
	size = theirs_cover(&s, sequence, plain, size, trailer, trailer_size, packet);
	if (how & 2)
		packet[next_byte() % size] ^= next_byte();
	if (how & 4)
		size -= next_byte() % size;
	if (trailer[trailer_size - 2] > trailer_size - 2)
		(void)wire_read_command(w.engine->wire, &s, &c, 1, packet, size, &reply);
	else
		both_read(&s, &c, packet, size);
	size_t plain_size = next_bytes(packet, 255);
	if (packets_look(packet, plain_size, &sequence) == PACKET_SESSIONLESS)
		(void)wire_read_sessionless(&c, 1, packet, plain_size, &reply);
}

static void fuzz_secret(void)
{
	struct error error;
	char text[256];

	size_t n = next_bytes((uint8_t *)text, sizeof(text) - 1);
	text[n] = 0;
	bmc_engine_secret(w.engine, "other", text, w.now, &error);
}

static void fuzz_file(const uint8_t *data, size_t size)
{
	static ipmi_sdr_ctx_t ctx;
	struct sdr_key key;
	struct sdr_repository *list = NULL;
	size_t content_size;

	if (!ctx)
		ctx = ipmi_sdr_ctx_create();
	memset(&key, 0, sizeof(key));
	const uint8_t *content = sdr_file_check(data, size, &key, &content_size);
	/* the checksum would keep the fuzzer out: the records are tried in any case */
	struct sdr_repository *r =
	    sdr_repository_get(&list, ctx, content ? content : data, content ? content_size : size);
	for (size_t i = 0; r && i < r->count; i++)
		for (unsigned raw = 0; raw < 256; raw += 51)
			(void)sdr_value(&r->sensors[i], (uint8_t)raw);
	sdr_repository_put(&list, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	begin();
	w.input = data + 1;
	w.left = size - 1;
	switch (data[0] & 3) {
	case 0:
		fuzz_file(data + 1, size - 1);
		break;
	case 1:
		if (data[0] & 8)
			fuzz_wire(data[0] & 4);
		else if (data[0] & 4)
			fuzz_records(data + 1, size - 1);
		else
			fuzz_secret();
		break;
	default:
		fuzz_datagrams(data[0] & 1);
		break;
	}
	return 0;
}
