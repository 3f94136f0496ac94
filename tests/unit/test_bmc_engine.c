/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMC engine in virtual time against a BMC on plain bytes: sessions, errors told apart, liveness, urgent reads,
 * power verbs. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/witness.h"
#include "ipmi/bmc.h"
#include "tests/sim/fake_bmc.h"
#include "unit.h"

enum { LOG = 64, PIPE = 64 };

static struct world {
	struct bmc_engine *engine;
	struct fake_bmc bmc;
	struct address address, other;
	int64_t now, delay_ms;
	bool from_other, twice, garble;
	struct {
		int64_t at;
		size_t size;
		uint8_t data[1024];
	} pipe[PIPE];
	unsigned piped;
	struct msg_power_state power[LOG];
	unsigned powers;
	struct msg_power_result result[LOG];
	unsigned results;
	struct msg_bmc_facts facts;
	unsigned facts_count, secrets;
	struct msg_sensor sensor[LOG];
	unsigned sensors, sweeps;
	int most_at_once, at_once;
	uint32_t random;
} w;

static void push(const uint8_t *data, size_t size)
{
	CU_ASSERT_FATAL(w.piped < PIPE);
	w.pipe[w.piped].at = w.now + w.delay_ms;
	w.pipe[w.piped].size = size;
	memcpy(w.pipe[w.piped++].data, data, size);
}

static void on_send(void *arg, const struct address *to, const void *data, size_t size)
{
	uint8_t out[1024];

	(void)arg;
	CU_ASSERT(address_equal(to, &w.address));
	size_t n = fake_bmc_answer(&w.bmc, data, size, out);
	if (n == 0)
		return;
	if (w.garble)
		out[n - 1] ^= 0x40;
	push(out, n);
	if (w.twice)
		push(out, n);
}

static void on_random(void *arg, void *out, size_t size)
{
	(void)arg;
	for (size_t i = 0; i < size; i++) {
		w.random = w.random * 1103515245 + 12345;
		((uint8_t *)out)[i] = (uint8_t)(w.random >> 16);
	}
}

static void on_secret(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	w.secrets++;
}

static void on_power(void *arg, const struct msg_power_state *m)
{
	(void)arg;
	w.power[w.powers++ % LOG] = *m;
}

static void on_result(void *arg, const struct msg_power_result *m)
{
	(void)arg;
	w.result[w.results++ % LOG] = *m;
}

static void on_sensors(void *arg, const struct msg_sensor *m, size_t count)
{
	(void)arg;
	w.sweeps++;
	for (w.sensors = 0; w.sensors < count && w.sensors < LOG; w.sensors++)
		w.sensor[w.sensors] = m[w.sensors];
}

static void on_facts(void *arg, const struct msg_bmc_facts *m)
{
	(void)arg;
	w.facts_count++;
	w.facts = *m;
}

static struct msg_bmc_target target(void)
{
	struct msg_bmc_target t = {.slot = 3,
				   .generation = 1,
				   .address = w.address,
				   .power_interval_s = 30,
				   .suite = w.bmc.sha256 ? 17 : 3,
				   .privilege = 3,
				   .name = "n1",
				   .credential = "bmc",
				   .user = "operator"};
	return t;
}

static void give_target(void)
{
	struct msg_bmc_target t = target();
	struct error error;

	CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == 0);
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=secret\n", w.now, &error) == 0);
}

static void start(bool sha256)
{
	struct bmc_hands hands = {on_send, on_random, on_secret, on_power, on_result, on_sensors, on_facts, NULL};
	struct bmc_settings settings = {0};

	memset(&w, 0, sizeof(w));
	w.now = 1000000;
	w.delay_ms = 2;
	w.random = 42;
	address_parse("10.0.0.1", 623, &w.address);
	address_parse("10.0.0.2", 623, &w.other);
	fake_bmc_init(&w.bmc, sha256);
	w.engine = bmc_engine_new(&settings, &hands, w.now);
	CU_ASSERT_FATAL(w.engine != NULL);
}

static void stop(void)
{
	bmc_engine_free(w.engine);
}

/* Runs everything that happens in the next ms milliseconds. */
static void run(int64_t ms)
{
	int64_t end = w.now + ms;

	for (;;) {
		int64_t next = bmc_engine_next(w.engine);
		unsigned first = 0;
		for (unsigned i = 1; i < w.piped; i++)
			if (w.pipe[i].at < w.pipe[first].at)
				first = i;
		bool datagram = w.piped > 0 && w.pipe[first].at <= next;
		int64_t at = datagram ? w.pipe[first].at : next;
		if (at > end)
			break;
		w.now = at > w.now ? at : w.now;
		if (datagram) {
			uint8_t data[1024];
			size_t size = w.pipe[first].size;
			memcpy(data, w.pipe[first].data, size);
			w.pipe[first] = w.pipe[--w.piped];
			bmc_engine_datagram(w.engine, w.from_other ? &w.other : &w.address, data, size, w.now);
		} else
			bmc_engine_tick(w.engine, w.now);
	}
	w.now = end;
}

static const struct msg_power_state *last_power(void)
{
	static const struct msg_power_state none;
	return w.powers ? &w.power[(w.powers - 1) % LOG] : &none;
}

static struct bmc *bmc(void)
{
	return w.engine->targets[3];
}

static void urgent(void)
{
	struct msg_bmc_read r = {.slot = 3, .generation = 1, .what = BMC_READ_POWER, .urgent = 1};

	bmc_engine_read(w.engine, &r, w.now);
}

static void order(uint64_t job, enum power_verb verb, uint32_t deadline_ms)
{
	struct msg_power p = {.job = job, .slot = 3, .generation = 1, .verb = verb, .deadline_ms = deadline_ms};

	bmc_engine_power(w.engine, &p, w.now);
}

/* --- sessions -------------------------------------------------------------------------------------- */

static void opens(bool sha256)
{
	start(sha256);
	give_target();
	CU_ASSERT(w.secrets == 1);
	run(2000);
	CU_ASSERT(w.powers == 1 && last_power()->state == BMC_ON && last_power()->error == BMC_OK);
	CU_ASSERT(w.bmc.sessions == 1 && w.bmc.privileges == 1);
	CU_ASSERT(w.facts.guid_known && memcmp(w.facts.guid, w.bmc.guid, 16) == 0 && !w.facts.guid_changed);
	CU_ASSERT(w.facts.manufacturer == 0x1291 && strcmp(w.facts.firmware, "2.34") == 0);
	run(300000); /* the session is kept: no new handshake, one exchange each 10 s */
	CU_ASSERT(w.bmc.sessions == 1);
	CU_ASSERT(w.powers >= 10 && w.powers <= 12);
	CU_ASSERT(w.bmc.seen[FAKE_PING] >= 18 && w.bmc.seen[FAKE_PING] <= 22);
	stop();
}

static void test_suites(void)
{
	opens(true);
	opens(false);
}

static void test_refused_suites(void)
{
	static const uint8_t bad[] = {0, 1, 2, 6, 7, 8, 11, 12, 15, 16, 18};
	struct error error;

	start(true);
	for (size_t i = 0; i < sizeof(bad); i++) {
		struct msg_bmc_target t = target();
		t.suite = bad[i];
		CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == ERR_CONFIG);
		CU_ASSERT(error.text[0] && error.remedy[0]);
	}
	CU_ASSERT(bmc() == NULL);
	stop();
}

static void expect_trouble(enum bmc_error error)
{
	CU_ASSERT(w.powers >= 1 && last_power()->state == BMC_NA);
	CU_ASSERT(last_power()->error == error);
	CU_ASSERT(w.facts.finding[0] != 0);
	run(25000);
	CU_ASSERT(last_power()->state == BMC_NA); /* never silent */
}

static void test_wrong_password(void)
{
	start(true);
	memcpy(w.bmc.password, "other!", 7);
	give_target();
	run(2000);
	expect_trouble(BMC_PASSWORD);
	unsigned tries = w.bmc.sessions;
	struct error same;
	for (int i = 0; i < 60;
	     i++) { /* no hammering, also when the same secret comes again: a BMC would lock the user out */
		run(10000);
		CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=secret", w.now, &same) == 0);
	}
	CU_ASSERT(w.bmc.sessions - tries <= 6);
	CU_ASSERT(w.secrets >= 3 && w.secrets <= 60); /* the file is looked at again now and then */
	struct error error;
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=other!", w.now, &error) == 0);
	run(2000); /* a new secret is tried at once */
	CU_ASSERT(last_power()->state == BMC_ON && w.facts.finding[0] == 0);
	stop();
}

static void test_wrong_user(void)
{
	start(true);
	memcpy(w.bmc.user, "nobody", 7);
	give_target();
	run(2000);
	expect_trouble(BMC_USER);
	stop();
}

static void test_wrong_kg(void)
{
	start(true);
	memcpy(w.bmc.kg, "key", 4);
	give_target();
	run(2000);
	expect_trouble(BMC_KG);
	struct error error;
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=secret\nkg=0x6b6579\n", w.now, &error) == 0);
	run(2000);
	CU_ASSERT(last_power()->state == BMC_ON);
	stop();
}

static void test_wrong_code(void)
{
	start(true);
	w.bmc.wrong_code2 = true;
	give_target();
	run(2000);
	expect_trouble(BMC_PASSWORD);
	stop();
	start(false);
	w.bmc.wrong_code4 = true;
	give_target();
	run(2000);
	expect_trouble(BMC_KG);
	stop();
}

static void test_other_refusals(void)
{
	start(true);
	w.bmc.no_slots = true;
	give_target();
	run(2000);
	expect_trouble(BMC_SLOTS_FULL);
	CU_ASSERT_EQUAL(w.facts.findings, BMC_FINDING_SLOTS);
	w.bmc.no_slots = false;
	run(31000);
	CU_ASSERT(last_power()->state == BMC_ON);
	CU_ASSERT_EQUAL(w.facts.findings, 0);
	stop();
	start(false);
	give_target();
	w.bmc.sha256 = true; /* it knows suite 17 only */
	run(2000);
	expect_trouble(BMC_SUITE);
	stop();
	start(true);
	w.bmc.most_privilege = 2;
	give_target();
	run(2000);
	expect_trouble(BMC_PRIVILEGE);
	stop();
	start(true);
	w.bmc.refuse_command = 0x01;
	w.bmc.refuse_code = 0xd4;
	give_target();
	run(2000);
	expect_trouble(BMC_PRIVILEGE);
	stop();
}

static void test_lost_handshake(void)
{
	for (int kind = FAKE_OPEN; kind <= FAKE_COMMAND; kind++) {
		start(true);
		w.bmc.lose[kind] = 1;
		give_target();
		run(15000);
		CU_ASSERT(last_power()->state == BMC_ON);
		for (unsigned i = 0; i < w.powers; i++)
			CU_ASSERT(w.power[i].state == BMC_ON);
		stop();
	}
	start(true); /* RAKP answers that stay lost: the whole session is begun again with new ids */
	give_target();
	w.bmc.lose[FAKE_RAKP3] = 3;
	urgent();
	run(2400);
	CU_ASSERT(w.bmc.sessions >= 2);
	run(20000);
	CU_ASSERT(last_power()->state == BMC_ON);
	stop();
}

static void test_duplicates_and_strangers(void)
{
	struct bmc_counts c;

	start(true);
	w.twice = true;
	give_target();
	run(60000);
	CU_ASSERT(last_power()->state == BMC_ON && w.bmc.sessions == 1);
	bmc_engine_counts(w.engine, &c);
	CU_ASSERT(c.garbage >= 5);
	stop();
	start(true); /* answers from another address count as none */
	w.from_other = true;
	give_target();
	run(30000);
	CU_ASSERT(last_power()->state == BMC_SILENT);
	stop();
	start(true); /* a changed byte: not authentic, so not taken */
	give_target();
	run(2000);
	w.garble = true;
	unsigned before = w.powers;
	run(60000);
	for (unsigned i = before; i < w.powers; i++)
		CU_ASSERT(w.power[i].state != BMC_ON && w.power[i].state != BMC_OFF);
	stop();
}

static void test_replay(void)
{
	start(true);
	give_target();
	run(2000);
	w.twice = true; /* keeps copies in flight for ever: each old answer comes again a little later */
	w.bmc.on = false;
	run(40000);
	CU_ASSERT(last_power()->state == BMC_OFF);
	w.bmc.on = true;
	w.twice = false;
	run(40000);
	CU_ASSERT(last_power()->state == BMC_ON);
	stop();
}

static void test_busy(void)
{
	start(true);
	give_target();
	run(2000);
	w.bmc.busy = 2;
	run(32000);
	CU_ASSERT(last_power()->state == BMC_ON && last_power()->error == BMC_OK);
	w.bmc.busy = 1000;
	run(32000);
	CU_ASSERT(last_power()->state == BMC_NA && last_power()->error == BMC_BUSY);
	w.bmc.busy = 0;
	run(32000);
	CU_ASSERT(last_power()->state == BMC_ON);
	stop();
}

/* --- liveness -------------------------------------------------------------------------------------- */

static void test_silent_and_back(void)
{
	start(true);
	give_target();
	run(2000);
	unsigned before = w.powers;
	w.bmc.silent = true;
	int64_t since = w.now;
	while (w.now < since + 30000 && last_power()->state != BMC_SILENT)
		run(10);
	CU_ASSERT(last_power()->state == BMC_SILENT && last_power()->error == BMC_NO_ANSWER);
	CU_ASSERT(w.now - since >= 8000 && w.now - since <= 22000);
	CU_ASSERT(w.powers == before + 1); /* one report, nothing in between */
	w.bmc.silent = false;
	since = w.now;
	while (w.now < since + 30000 && last_power()->state != BMC_ON)
		run(10);
	CU_ASSERT(last_power()->state == BMC_ON && w.now - since <= 12000);
	stop();
}

/* Back, and it is something else than the sign of life that reads its state first: the questions it missed are over all the same. */
static void test_back_by_another_read(void)
{
	start(true);
	give_target();
	run(2000);
	w.bmc.silent = true;
	run(45000);
	CU_ASSERT_FATAL(last_power()->state == BMC_SILENT);
	w.bmc.silent = false;
	urgent();
	run(1000);
	CU_ASSERT(last_power()->state == BMC_ON);
	unsigned back = w.powers;
	run(120000);
	CU_ASSERT(w.powers > back);
	for (unsigned i = back; i < w.powers; i++)
		CU_ASSERT(w.power[i % LOG].state == BMC_ON);
	stop();
}

static void test_cause_is_told_whole(void)
{
	struct msg_bmc_read why = {.slot = 3, .generation = 1, .what = BMC_READ_CAUSE};

	start(true);
	give_target();
	run(2000);
	bmc_engine_read(w.engine, &why, w.now);
	run(1);
	urgent(); /* goes out between the two answers */
	run(1000);
	for (unsigned i = 0; i < w.powers; i++)
		CU_ASSERT(!w.power[i].restart_cause == !w.power[i].watchdog);
	CU_ASSERT(w.powers == 3 && last_power()->restart_cause == 5 && last_power()->watchdog == 0xd0);
	stop();
}

static void test_short_silence(void)
{
	start(true);
	give_target();
	run(2000);
	for (int i = 0; i < 20; i++) {
		w.bmc.silent = true;
		run(5000);
		w.bmc.silent = false;
		run(10000);
	}
	for (unsigned i = 0; i < w.powers; i++)
		CU_ASSERT(w.power[i].state == BMC_ON);
	stop();
}

static void test_restart_of_the_bmc(void)
{
	start(true);
	give_target();
	run(2000);
	fake_bmc_restart(&w.bmc);
	run(45000);
	CU_ASSERT(w.bmc.sessions == 2 && last_power()->state == BMC_ON);
	for (unsigned i = 0; i < w.powers; i++)
		CU_ASSERT(w.power[i].state == BMC_ON);
	stop();
}

static void test_mute_in_session(void)
{
	start(true);
	give_target();
	w.bmc.mute_in_session = true; /* log-in works, commands are never answered, pings are */
	run(120000);
	CU_ASSERT(w.powers >= 1);
	for (unsigned i = 0; i < w.powers && i < LOG; i++)
		CU_ASSERT(w.power[i].state == BMC_NA);
	stop();
}

static void test_urgent(void)
{
	start(true);
	give_target();
	run(2000);
	unsigned before = w.powers;
	urgent();
	run(10);
	CU_ASSERT(w.powers == before + 1 && last_power()->at_ms == w.now - 10 + 2);
	w.bmc.on = false; /* an answer gets lost: repeated after 0.5 s */
	w.bmc.lose[FAKE_COMMAND] = 1;
	urgent();
	run(600);
	CU_ASSERT(last_power()->state == BMC_OFF);
	fake_bmc_restart(&w.bmc); /* the session is gone: found out and opened again within 2.5 s */
	before = w.powers;
	urgent();
	run(2500);
	CU_ASSERT(w.powers == before + 1 && last_power()->state == BMC_OFF);
	w.bmc.silent = true;
	before = w.powers;
	urgent();
	run(2499);
	CU_ASSERT(w.powers == before);
	run(2);
	CU_ASSERT(w.powers == before + 1 && last_power()->state == BMC_SILENT);
	w.bmc.silent = false; /* a late answer corrects it */
	run(3000);
	CU_ASSERT(last_power()->state == BMC_OFF);
	stop();
}

static void test_urgent_slow(void)
{
	static const struct {
		int64_t delay_ms;
		uint8_t state;
	} cases[] = {{100, BMC_ON}, {450, BMC_ON}, {2400, BMC_SILENT}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		start(true);
		give_target();
		run(2000);
		w.delay_ms = cases[i].delay_ms;
		unsigned before = w.powers;
		urgent();
		run(2501);
		CU_ASSERT(w.powers > before && last_power()->state != BMC_OFF);
		CU_ASSERT(i == 2 ? last_power()->state == BMC_SILENT || last_power()->state == BMC_NA
				 : last_power()->state == cases[i].state);
		stop();
	}
}

/* --- power ----------------------------------------------------------------------------------------- */

static void test_power_verbs(void)
{
	start(true);
	give_target();
	w.bmc.soft_after = 2;
	order(1, POWER_VERB_OFF, 20000);
	run(20000);
	CU_ASSERT(w.results == 1 && w.result[0].error == BMC_OK && w.result[0].state == POWER_OFF &&
		  w.result[0].job == 1);
	CU_ASSERT(w.bmc.controls == 1 && w.bmc.last_control == 0);
	order(2, POWER_VERB_OFF, 20000); /* already off: nothing is sent, off is read twice */
	run(20000);
	CU_ASSERT(w.results == 2 && w.result[1].error == BMC_OK && w.bmc.controls == 1);
	order(3, POWER_VERB_RESET, 20000); /* nothing to reset */
	run(20000);
	CU_ASSERT(w.results == 3 && w.result[2].error == BMC_NOT_REACHED && w.bmc.controls == 1);
	order(4, POWER_VERB_ON, 20000);
	run(20000);
	CU_ASSERT(w.results == 4 && w.result[3].error == BMC_OK && w.result[3].state == POWER_ON &&
		  w.bmc.last_control == 1);
	order(5, POWER_VERB_RESET, 20000);
	run(20000);
	CU_ASSERT(w.results == 5 && w.result[4].error == BMC_OK && w.bmc.last_control == 3);
	order(6, POWER_VERB_SOFT, 20000);
	run(20000);
	CU_ASSERT(w.results == 6 && w.result[5].error == BMC_OK && w.result[5].state == POWER_OFF &&
		  w.bmc.last_control == 5);
	order(7, POWER_VERB_IDENTIFY, 20000);
	order(7, POWER_VERB_IDENTIFY, 20000); /* the same order again acts once */
	run(1000);
	CU_ASSERT(w.results == 7 && w.result[6].error == BMC_OK);
	order(8, POWER_VERB_CYCLE, 20000);
	CU_ASSERT(w.results == 8 && w.result[7].error == BMC_UNSUPPORTED);
	CU_ASSERT(w.bmc.sessions == 1);
	stop();
}

static void test_power_two_orders(void)
{
	start(true);
	give_target();
	w.bmc.soft_after = 200;
	order(1, POWER_VERB_SOFT, 10000);
	order(2, POWER_VERB_ON, 10000);
	CU_ASSERT(w.results == 1 && w.result[0].job == 2 && w.result[0].error == BMC_BUSY);
	run(9999);
	CU_ASSERT(w.results == 1);
	run(2);
	CU_ASSERT(w.results == 2 && w.result[1].job == 1 && w.result[1].error == BMC_NOT_REACHED &&
		  w.result[1].state == POWER_ON);
	stop();
}

static void test_power_without_answer(void)
{
	start(true);
	give_target();
	run(2000);
	w.bmc.silent = true;
	order(1, POWER_VERB_OFF, 60000);
	run(30000);
	CU_ASSERT(w.results == 1 && w.result[0].error == BMC_NO_ANSWER && w.result[0].took_ms <= 20000);
	stop();
	start(true); /* on, off and soft do no harm twice: a lost answer is asked for again */
	give_target();
	run(2000);
	order(2, POWER_VERB_OFF, 20000);
	run(1);
	w.bmc.lose[FAKE_COMMAND] = 2;
	run(20000);
	CU_ASSERT(w.results == 1 && w.result[0].error == BMC_OK && w.result[0].state == POWER_OFF);
	stop();
	start(true); /* a reset is sent once, and its lost answer is said to be lost */
	give_target();
	run(2000);
	order(3, POWER_VERB_RESET, 20000);
	run(1);
	w.bmc.lose[FAKE_COMMAND] = 1;
	run(20000);
	CU_ASSERT(w.bmc.controls == 1 && w.results == 1 && w.result[0].error == BMC_SESSION_LOST);
	stop();
}

static void test_power_wrong_machine(void)
{
	struct error error;

	start(true);
	struct msg_bmc_target t = target();
	memcpy(t.expected_guid, "another machine!", 16);
	CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == 0);
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=secret", w.now, &error) == 0);
	order(1, POWER_VERB_OFF, 20000);
	run(20000);
	CU_ASSERT(w.results == 1 && w.result[0].error == BMC_GUID_CHANGED && w.bmc.controls == 0);
	CU_ASSERT(w.facts.guid_changed);
	for (int i = 0; i < 16; i++) /* the same GUID, lowest byte first */
		t.expected_guid[i] = w.bmc.guid[15 - i];
	CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == 0);
	CU_ASSERT(!w.facts.guid_changed);
	order(2, POWER_VERB_OFF, 20000);
	run(20000);
	CU_ASSERT(w.results == 2 && w.result[1].error == BMC_OK && w.bmc.controls == 1);
	stop();
}

static void test_guid_changes(void)
{
	start(true); /* nothing was recorded: the first GUID counts, until somebody says otherwise */
	give_target();
	run(2000);
	CU_ASSERT(!w.facts.guid_changed);
	w.bmc.guid[3] ^= 1;
	fake_bmc_restart(&w.bmc);
	run(60000);
	CU_ASSERT(w.facts.guid_changed && w.bmc.sessions == 2);
	fake_bmc_restart(&w.bmc);
	run(60000);
	CU_ASSERT(w.facts.guid_changed && w.bmc.sessions == 3);
	order(1, POWER_VERB_OFF, 20000);
	run(20000);
	CU_ASSERT(w.results == 1 && w.result[0].error == BMC_GUID_CHANGED && w.bmc.controls == 0);
	give_target();
	CU_ASSERT(!w.facts.guid_changed && w.facts.finding[0] == 0);
	order(2, POWER_VERB_OFF, 20000);
	run(20000);
	CU_ASSERT(w.results == 2 && w.result[1].error == BMC_OK);
	stop();
}

static void test_anonymous(void)
{
	start(true);
	w.bmc.anonymous = true;
	give_target();
	run(20000);
	CU_ASSERT(last_power()->state == BMC_ON && w.facts.findings == BMC_FINDING_ANONYMOUS);
	w.bmc.anonymous = false;
	run(20000);
	CU_ASSERT(w.facts.findings == 0);
	stop();
}

/* Verdicts L29: an urgent read goes ahead of a sweep over slow sensors, and never are two requests out. */
static void test_urgent_in_a_sweep(void)
{
	static uint8_t records[100 * 35];

	start(true);
	for (int i = 0; i < 100; i++) {
		uint8_t *r = records + i * 35;
		r[0] = (uint8_t)(i + 1);
		r[2] = 0x51;
		r[3] = 2;
		r[4] = 30;
		r[5] = 0x20;
		r[7] = (uint8_t)i;
		r[12] = 8;
		r[13] = 0x6f;
		r[31] = 0xc3;
		memcpy(r + 32, "psu", 3);
	}
	w.bmc.records = records;
	w.bmc.records_size = sizeof(records);
	give_target();
	run(2000);
	struct msg_bmc_read r = {.slot = 3, .generation = 1, .what = BMC_READ_SENSORS};
	bmc_engine_read(w.engine, &r, w.now);
	w.delay_ms = 200;
	for (int i = 0; i < 20; i++) {
		run(777);
		unsigned before = w.powers;
		urgent();
		run(450);
		CU_ASSERT(w.powers == before + 1);
		CU_ASSERT(w.piped <= 1);
	}
	CU_ASSERT(bmc()->sweep != NULL);
	w.bmc.silent = true;
	urgent();
	run(2501);
	CU_ASSERT(last_power()->state == BMC_SILENT);
	stop();
}

static void test_power_refused(void)
{
	start(true);
	give_target();
	w.bmc.refuse_command = 0x02;
	w.bmc.refuse_code = 0xd5;
	order(1, POWER_VERB_OFF, 20000);
	run(20000);
	CU_ASSERT(w.results == 1 && w.result[0].error == BMC_COMPLETION && w.result[0].completion == 0xd5);
	CU_ASSERT(strstr(w.result[0].text, "d5") != NULL);
	stop();
}

/* --- targets and secrets --------------------------------------------------------------------------- */

static void test_target_list(void)
{
	struct msg_bmc_target t;
	struct error error;

	start(true);
	give_target();
	run(2000);
	t = target();
	t.slot = 4;
	bmc_engine_begin(w.engine);
	CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == 0);
	bmc_engine_end(w.engine, w.now);
	CU_ASSERT(bmc() == NULL && w.engine->targets[4] != NULL);
	run(2000); /* the same BMC under another slot: a session of its own */
	CU_ASSERT(last_power()->slot == 4 && last_power()->state == BMC_ON);
	bmc_engine_remove(w.engine, 4, 2, w.now); /* another generation: not meant */
	CU_ASSERT(w.engine->targets[4] != NULL);
	bmc_engine_remove(w.engine, 4, 1, w.now);
	CU_ASSERT(w.engine->targets[4] == NULL);
	run(20000);
	stop();
}

static void test_bad_secrets(void)
{
	static const char *const bad[] = {"",
					  "password=",
					  "secret",
					  "password=123456789012345678901",
					  "password=x\nkg=0x1",
					  "password=x\nkg=0xzz",
					  "password=x\nkg="};
	struct error error;

	start(true);
	give_target();
	for (size_t i = 0; i + 1 < COUNT_OF(bad); i++)
		CU_ASSERT(bmc_engine_secret(w.engine, "bmc", bad[i], w.now, &error) == ERR_CONFIG);
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", NULL, w.now, &error) == ERR_NOT_FOUND);
	run(2000);
	CU_ASSERT(last_power()->state == BMC_NA && last_power()->error == BMC_PASSWORD);
	stop();
}

static void test_window(void)
{
	struct msg_bmc_target t;
	struct error error;

	start(true);
	w.engine->settings.window = 2;
	CU_ASSERT(bmc_engine_secret(w.engine, "bmc", "password=secret", w.now, &error) == 0);
	for (uint32_t i = 0; i < 50; i++) { /* all dead, all due: never more than the window is out */
		t = target();
		t.slot = i;
		CU_ASSERT(bmc_engine_target(w.engine, &t, w.now, &error) == 0);
	}
	w.bmc.silent = true;
	for (int i = 0; i < 3000; i++) {
		struct bmc_counts c;
		run(10);
		bmc_engine_counts(w.engine, &c);
		CU_ASSERT(c.in_flight <= 2);
	}
	for (uint32_t i = 0; i < 50; i++)
		bmc_engine_remove(w.engine, i, 1, w.now);
	struct bmc_counts c;
	bmc_engine_counts(w.engine, &c);
	CU_ASSERT(c.in_flight == 0 && c.targets == 0);
	run(20000);
	stop();
}

static const struct unit_test tests[] = {
    {"suites 17 and 3", test_suites},
    {"refused suites", test_refused_suites},
    {"wrong password", test_wrong_password},
    {"wrong user", test_wrong_user},
    {"wrong k_g", test_wrong_kg},
    {"wrong codes", test_wrong_code},
    {"slots, suite, privilege", test_other_refusals},
    {"lost handshake answers", test_lost_handshake},
    {"duplicates and strangers", test_duplicates_and_strangers},
    {"replayed answers", test_replay},
    {"busy", test_busy},
    {"silent and back", test_silent_and_back},
    {"back by another read", test_back_by_another_read},
    {"cause is told whole", test_cause_is_told_whole},
    {"short silence", test_short_silence},
    {"restart of the bmc", test_restart_of_the_bmc},
    {"mute in session", test_mute_in_session},
    {"urgent", test_urgent},
    {"urgent, slow", test_urgent_slow},
    {"power verbs", test_power_verbs},
    {"two orders", test_power_two_orders},
    {"power without answer", test_power_without_answer},
    {"wrong machine", test_power_wrong_machine},
    {"power refused", test_power_refused},
    {"guid changes", test_guid_changes},
    {"anonymous log-in", test_anonymous},
    {"urgent in a sweep", test_urgent_in_a_sweep},
    {"target list", test_target_list},
    {"bad secrets", test_bad_secrets},
    {"window", test_window},
};
UNIT_MAIN("bmc engine", tests)
