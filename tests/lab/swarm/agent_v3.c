/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SNMPv3 authPriv with SHA-256 and AES-128 (RFC 3412, 3414, 3826, 7860), an engine id for each agent; called by
 * agent_handle(). */
#include "tests/lab/swarm/agent.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/swarm/crypto.h"
#include "tests/lab/swarm/pdu.h"

enum {
	AUTH = 1,
	PRIV = 2,
	REPORTABLE = 4,
	USM = 3,
	CODE_SIZE = 24,
	SALT_SIZE = 8,
	ENGINE_SIZE = 14,
	WINDOW_S = 150,
	VERSION_3 = 3
};
enum { LEAST_PASSPHRASE = 8, MESSAGE_MAX = 65507 };

/* The last arc but one of usmStats (RFC 3414, 5): the reason of a Report. */
enum stat {
	UNSUPPORTED_LEVEL = 1,
	NOT_IN_WINDOW = 2,
	UNKNOWN_USER = 3,
	UNKNOWN_ENGINE = 4,
	WRONG_DIGEST = 5,
	DECRYPTION = 6
};

struct v3_agent {
	uint8_t engine[ENGINE_SIZE], auth_key[32], priv_key[32];
	uint64_t salt;
};

/* One message taken apart; the parts point into the packet. */
struct message {
	int32_t id, max_size, model, boots, time;
	uint8_t flags;
	struct ber engine, user, code, salt, data;
	bool encrypted;
};

static struct v3_agent *engines;

int agent_v3_start(struct swarm *swarm, unsigned first, unsigned count)
{
	uint8_t auth[32], priv[32];

	if (strlen(swarm->v3_auth) < LEAST_PASSPHRASE || strlen(swarm->v3_priv) < LEAST_PASSPHRASE) {
		fprintf(stderr, "swarm: option --v3: no passphrases of 8 characters or more, give a --secret file with "
				"auth= and priv=\n");
		return -1;
	}
	engines = calloc(count, sizeof(*engines));
	if (!engines) {
		fprintf(stderr, "swarm: no memory for %u engines, ask for fewer\n", count);
		return -1;
	}
	crypto_password_key(swarm->v3_auth, auth);
	crypto_password_key(swarm->v3_priv, priv);
	for (unsigned i = 0; i < count; i++) {
		struct v3_agent *v = &engines[i];
		uint32_t number = htonl(first + i);
		memcpy(v->engine, "\x80\x00\x7e\xd9\x05swarm", 10);
		memcpy(v->engine + 10, &number, 4);
		crypto_localize(auth, v->engine, ENGINE_SIZE, v->auth_key);
		crypto_localize(priv, v->engine, ENGINE_SIZE, v->priv_key);
		v->salt = (uint64_t)swarm_hash(swarm->seed, first + i) << 32;
		swarm->agent[first + i].v3 = v;
	}
	explicit_bzero(auth, sizeof(auth));
	explicit_bzero(priv, sizeof(priv));
	return 0;
}

void agent_v3_stop(struct swarm *swarm)
{
	(void)swarm;
	free(engines);
	engines = NULL;
}

static bool read_global(struct ber *in, struct message *m)
{
	struct ber global, flags;

	if (!ber_expect(in, BER_SEQUENCE, &global) || !ber_take_int32(&global, &m->id) ||
	    !ber_take_int32(&global, &m->max_size) || !ber_expect(&global, BER_OCTETS, &flags) ||
	    ber_left(flags) != 1 || !ber_take_int32(&global, &m->model) || ber_left(global) > 0)
		return false;
	m->flags = *flags.at;
	return m->model == USM && m->id >= 0 && (m->flags & (AUTH | PRIV)) != PRIV;
}

static bool read_security(struct ber *in, struct message *m)
{
	struct ber octets, usm;

	return ber_expect(in, BER_OCTETS, &octets) && ber_expect(&octets, BER_SEQUENCE, &usm) &&
	       ber_left(octets) == 0 && ber_expect(&usm, BER_OCTETS, &m->engine) && ber_take_int32(&usm, &m->boots) &&
	       ber_take_int32(&usm, &m->time) && ber_expect(&usm, BER_OCTETS, &m->user) &&
	       ber_expect(&usm, BER_OCTETS, &m->code) && ber_expect(&usm, BER_OCTETS, &m->salt) && ber_left(usm) == 0;
}

static bool read_message(struct ber in, struct message *m)
{
	uint8_t tag;

	if (!read_global(&in, m) || !read_security(&in, m) || !ber_take(&in, &tag, &m->data) || ber_left(in) > 0)
		return false;
	m->encrypted = tag == BER_OCTETS;
	return m->encrypted == ((m->flags & PRIV) != 0) && (m->encrypted || tag == BER_SEQUENCE);
}

static int32_t engine_time(const struct swarm *swarm, const struct agent *a)
{
	return (int32_t)((swarm->now_ms - a->boot_ms) / 1000);
}

static const struct v3_agent *engine_of(const struct agent *a)
{
	return a->knobs.clone ? &engines[0] : a->v3;
}

/* Takes out the code, as it was zero when it was made, and compares. The packet is changed. */
static bool check_code(const struct v3_agent *v, const struct packet *packet, const struct message *m)
{
	uint8_t sent[CODE_SIZE], made[CRYPTO_MAC_MAX];
	size_t at = (size_t)(m->code.at - packet->data);

	if (ber_left(m->code) != CODE_SIZE)
		return false;
	memcpy(sent, m->code.at, CODE_SIZE);
	memset(packet->data + at, 0, CODE_SIZE);
	crypto_mac(true, v->auth_key, sizeof(v->auth_key), packet->data, packet->size, made);
	return CRYPTO_memcmp(sent, made, CODE_SIZE) == 0;
}

/* The AES initialisation vector (RFC 3826, 3.1.2.1). */
static void make_iv(int32_t boots, int32_t time, const uint8_t *salt, uint8_t iv[16])
{
	uint32_t words[2] = {htonl((uint32_t)boots), htonl((uint32_t)time)};

	memcpy(iv, words, 8);
	memcpy(iv + 8, salt, 8);
}

/* Checks in the order of RFC 3414, 3.2; the reason of the Report, or 0. On success `m->data` is the scoped PDU's
 * content, in clear. */
static enum stat check(struct swarm *swarm, unsigned number, const struct packet *packet, struct message *m)
{
	struct agent *a = &swarm->agent[number];
	const struct v3_agent *v = engine_of(a);
	uint8_t iv[16], *clear = packet->data + (m->data.at - packet->data);
	size_t size = ber_left(m->data), user = strlen(swarm->v3_user);
	int32_t age;

	if (ber_left(m->engine) != ENGINE_SIZE || memcmp(m->engine.at, v->engine, ENGINE_SIZE) != 0)
		return UNKNOWN_ENGINE;
	if (ber_left(m->user) != user || memcmp(m->user.at, swarm->v3_user, user) != 0)
		return UNKNOWN_USER;
	if ((m->flags & (AUTH | PRIV)) != (AUTH | PRIV))
		return UNSUPPORTED_LEVEL;
	if (!check_code(v, packet, m))
		return WRONG_DIGEST;
	age = engine_time(swarm, a) - m->time;
	if (m->boots != (int32_t)a->boots + 1 || age > WINDOW_S || age < -WINDOW_S)
		return NOT_IN_WINDOW;
	if (ber_left(m->salt) != SALT_SIZE)
		return DECRYPTION;
	make_iv(m->boots, m->time, m->salt.at, iv);
	struct ber plain = ber_over(clear, size);
	if (!crypto_aes(CRYPTO_CFB, false, v->priv_key, iv, clear, size, clear) ||
	    !ber_expect(&plain, BER_SEQUENCE, &m->data))
		return DECRYPTION;
	return 0;
}

/* Puts the scoped PDU's head before the answer, and encrypts all in place when the level has privacy; where the data
 * element starts. */
static uint8_t *wrap_scoped(const struct v3_agent *v, const struct answer *answer, uint8_t flags, const uint8_t iv[16])
{
	uint8_t *end = answer->at + answer->size, *p = pdu_prepend(answer->at, BER_OCTETS, NULL, 0);

	p = pdu_prepend(p, BER_OCTETS, v->engine, ENGINE_SIZE);
	p = ber_wrap(p, BER_SEQUENCE, (size_t)(end - p));
	if (!(flags & PRIV))
		return p;
	if (!crypto_aes(CRYPTO_CFB, true, v->priv_key, iv, p, (size_t)(end - p), p))
		return NULL;
	return ber_wrap(p, BER_OCTETS, (size_t)(end - p));
}

static uint8_t *prepend_int(uint8_t *p, int32_t value)
{
	uint8_t number[9];

	return pdu_prepend(p, BER_INTEGER, number, ber_put_signed(number, value));
}

/* Puts the security parameters, the global data and the version before the data; then the code, where there is one. */
static void send_message(struct swarm *swarm, unsigned number, const struct packet *packet, const struct message *asked,
			 const struct answer *answer, uint8_t flags)
{
	struct agent *a = &swarm->agent[number];
	const struct v3_agent *v = engine_of(a);
	uint8_t *end = answer->at + answer->size, *p, *head, *code, iv[16], salt[SALT_SIZE], made[CRYPTO_MAC_MAX];
	int32_t boots = (int32_t)a->boots + 1, time = engine_time(swarm, a);
	static const uint8_t zeros[CODE_SIZE];

	a->v3->salt++;
	memcpy(salt, &a->v3->salt, SALT_SIZE);
	make_iv(boots, time, salt, iv);
	head = p = wrap_scoped(v, answer, flags, iv);
	if (!p)
		return;
	p = pdu_prepend(p, BER_OCTETS, salt, flags & PRIV ? SALT_SIZE : 0);
	p = pdu_prepend(p, BER_OCTETS, zeros, flags & AUTH ? CODE_SIZE : 0);
	code = p + 2;
	p = flags & AUTH ? pdu_prepend(p, BER_OCTETS, swarm->v3_user, strlen(swarm->v3_user))
			 : pdu_prepend(p, BER_OCTETS, NULL, 0);
	p = prepend_int(prepend_int(p, time), boots);
	p = pdu_prepend(p, BER_OCTETS, v->engine, ENGINE_SIZE);
	p = ber_wrap(p, BER_SEQUENCE, (size_t)(head - p));
	p = ber_wrap(p, BER_OCTETS, (size_t)(head - p));
	head = p;
	p = prepend_int(p, USM);
	p = pdu_prepend(p, BER_OCTETS, &flags, 1);
	p = prepend_int(prepend_int(p, MESSAGE_MAX), asked->id);
	p = ber_wrap(p, BER_SEQUENCE, (size_t)(head - p));
	p = prepend_int(p, VERSION_3);
	p = ber_wrap(p, BER_SEQUENCE, (size_t)(end - p));
	if (flags & AUTH) {
		crypto_mac(true, v->auth_key, sizeof(v->auth_key), p, (size_t)(end - p), made);
		memcpy(code, made, CODE_SIZE);
	}
	net_reply(swarm, packet, p, (size_t)(end - p), &a->knobs, 0);
}

/* The request-id of a plain scoped PDU, where it can be read, else 0. */
static int32_t plain_id(const struct message *m)
{
	struct ber in = m->data, skip, pdu;
	int32_t id;
	uint8_t tag;

	if (m->encrypted || !ber_expect(&in, BER_OCTETS, &skip) || !ber_expect(&in, BER_OCTETS, &skip) ||
	    !ber_take(&in, &tag, &pdu) || !ber_take_int32(&pdu, &id))
		return 0;
	return id;
}

/* Says what is wrong with a message: only a time out of the window is told with authentication. */
static void report(struct swarm *swarm, unsigned number, const struct packet *packet, const struct message *m,
		   enum stat reason)
{
	const uint32_t ids[] = {1, 3, 6, 1, 6, 3, 15, 1, 1, reason, 0};
	uint8_t name[16];
	struct answer answer;

	swarm->sums.v3_reports++;
	if (!(m->flags & REPORTABLE))
		return;
	answer = pdu_report(net_slot(swarm, PORT_SNMP), plain_id(m), name, ber_put_oid(name, sizeof(name), ids, 11),
			    (uint32_t)swarm->sums.v3_reports);
	send_message(swarm, number, packet, m, &answer, reason == NOT_IN_WINDOW ? AUTH : 0);
}

void agent_v3_message(struct swarm *swarm, unsigned agent, const struct packet *packet, struct ber rest)
{
	struct message m;
	struct ber skip;
	struct answer answer;
	enum stat reason;

	swarm->sums.v3_messages++;
	if (!swarm->agent[agent].v3 || !read_message(rest, &m)) {
		swarm->sums.garbage++;
		return;
	}
	if ((reason = check(swarm, agent, packet, &m))) {
		report(swarm, agent, packet, &m, reason);
		return;
	}
	if (!ber_expect(&m.data, BER_OCTETS, &skip) || !ber_expect(&m.data, BER_OCTETS, &skip)) {
		swarm->sums.garbage++;
		return;
	}
	if (pdu_answer(swarm, agent, m.data, net_slot(swarm, PORT_SNMP), &answer))
		send_message(swarm, agent, packet, &m, &answer, AUTH | PRIV);
}
