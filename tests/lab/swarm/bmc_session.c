/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Open Session, RAKP 1 to 4, and the encryption and integrity of session packets; called by bmc.c. */
#include "tests/lab/swarm/bmc_session.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
	STATUS_NO_RESOURCES = 0x01,
	STATUS_NO_SESSION = 0x02,
	STATUS_NO_ROLE = 0x09,
	STATUS_NO_USER = 0x0d,
	STATUS_BAD_CODE = 0x0f,
	STATUS_NO_SUITE = 0x11,
};
enum { OPEN_SIZE = 32, RAKP1_LEAST = 28, ROLE_ADMIN = 4, ROLE_USER = 2 };

static const struct suite suites[] = {{3, 1, 1, false, 20, 12}, {17, 3, 4, true, 32, 16}};

/* Bytes being put together for a MAC. */
struct bytes {
	uint8_t data[160];
	size_t size;
};

static void add(struct bytes *b, const void *data, size_t size)
{
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

/* Role, length of the user's name, and the name: the end of most MACs. */
static void add_user(struct bytes *b, const struct session *s)
{
	add(b, &s->role, 1);
	add(b, &s->user_size, 1);
	add(b, s->user, s->user_size);
}

static void fill_random(struct swarm *swarm, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(swarm_random(swarm) * 256);
}

static bool is_live(const struct session *s, int64_t now_ms)
{
	if (s->state == SESSION_FREE)
		return false;
	return now_ms - s->used_ms < (s->state == SESSION_ACTIVE ? IDLE_MS : SETUP_MS);
}

/* A free slot; the same console asking again gets the slot that it has been given and not gone on with. */
static struct session *take_slot(struct swarm *swarm, struct bmc *bmc, const struct packet *from, uint32_t console_id)
{
	struct session *found = NULL;
	unsigned live = 0;

	for (unsigned i = 0; i < SESSIONS; i++) {
		struct session *s = &bmc->session[i];
		if (s->state != SESSION_FREE && !is_live(s, swarm->now_ms)) {
			swarm->sums.bmc_failed += s->state != SESSION_ACTIVE;
			s->state = SESSION_FREE;
		}
		if (s->state == SESSION_OPENED && s->console_id == console_id &&
		    s->peer.sin_addr.s_addr == from->peer.sin_addr.s_addr && s->peer.sin_port == from->peer.sin_port)
			return s;
		live += s->state != SESSION_FREE;
		if (s->state == SESSION_FREE && !found)
			found = s;
	}
	if (live + bmc->knobs.slots >= SESSIONS)
		return NULL;
	if (live + 1 > bmc->max_sessions)
		bmc->max_sessions = live + 1;
	if (live + 1 > swarm->sums.max_sessions_per_bmc)
		swarm->sums.max_sessions_per_bmc = live + 1;
	return found;
}

static const struct suite *find_suite(const struct swarm *swarm, const uint8_t *in)
{
	for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (in[12] == suites[i].auth && in[20] == suites[i].integrity && in[28] == 1 &&
		    (swarm->suite == 0 || swarm->suite == suites[i].number))
			return &suites[i];
	return NULL;
}

static void refuse(struct swarm *swarm, struct handshake *h, uint8_t tag, uint8_t status, uint32_t console_id)
{
	h->out[0] = tag;
	h->out[1] = status;
	h->out[2] = h->out[3] = 0;
	memcpy(h->out + 4, &console_id, 4);
	h->size = 8;
	h->refused = true;
	swarm->sums.bmc_failed++;
}

void session_open(struct swarm *swarm, struct bmc *bmc, const struct packet *from, const uint8_t *in, size_t size,
		  struct handshake *h)
{
	const struct suite *suite;
	struct session *s;
	uint32_t console_id;

	if (size < OPEN_SIZE)
		return;
	memcpy(&console_id, in + 4, 4);
	if (!in[12] && bmc->knobs.suite0) { /* nobody goes on from here: it takes no slot */
		memcpy(h->out, (uint8_t[]){in[0], 0, ROLE_ADMIN, 0}, 4);
		memcpy(h->out + 4, &console_id, 4);
		memcpy(h->out + 8, (uint8_t[]){1, 0, 0, 0}, 4);
		memcpy(h->out + 12, in + 8, 24);
		h->size = 36;
		return;
	}
	if (!(suite = find_suite(swarm, in))) {
		swarm->sums.bmc_failed -= !in[12]; /* a question about suite 0 is no session that failed */
		refuse(swarm, h, in[0], STATUS_NO_SUITE, console_id);
		return;
	}
	if (!(s = take_slot(swarm, bmc, from, console_id))) {
		refuse(swarm, h, in[0], STATUS_NO_RESOURCES, console_id);
		return;
	}
	if (s->state == SESSION_FREE) {
		*s = (struct session){
		    .state = SESSION_OPENED, .suite = suite, .console_id = console_id, .peer = from->peer};
		s->id = ((uint32_t)(swarm_random(swarm) * 0x3ffffffe) + 1) << 2 | (uint32_t)(s - bmc->session);
		swarm->sums.bmc_opened++;
	}
	s->used_ms = swarm->now_ms;
	memcpy(h->out, (uint8_t[]){in[0], 0, in[1] & 0xf ? in[1] & 0xf : ROLE_ADMIN, 0}, 4);
	memcpy(h->out + 4, &console_id, 4);
	memcpy(h->out + 8, &s->id, 4);
	memcpy(h->out + 12, in + 8, 24);
	h->size = 36;
}

struct session *session_find(struct bmc *bmc, uint32_t id, enum session_state least)
{
	struct session *s = &bmc->session[id & 3];

	return id && s->id == id && s->state >= least ? s : NULL;
}

/* Reads the identity that RAKP 1 claims; a status. */
static uint8_t read_claim(const struct swarm *swarm, struct session *s, const uint8_t *in, size_t size)
{
	s->role = in[24];
	s->user_size = in[27];
	s->maximum = (in[24] & 0xf) ? in[24] & 0xf : ROLE_ADMIN;
	if (s->maximum > ROLE_ADMIN)
		return STATUS_NO_ROLE;
	if (s->user_size > sizeof(s->user) || size < (size_t)RAKP1_LEAST + s->user_size)
		return STATUS_NO_USER;
	memcpy(s->user, in + RAKP1_LEAST, s->user_size);
	if (s->user_size != strlen(swarm->bmc_user) || memcmp(s->user, swarm->bmc_user, s->user_size) != 0)
		return STATUS_NO_USER;
	s->privilege = s->maximum < ROLE_USER ? s->maximum : ROLE_USER;
	return 0;
}

void session_rakp1(struct swarm *swarm, struct bmc *bmc, const uint8_t *in, size_t size, struct handshake *h)
{
	struct bytes b = {.size = 0};
	struct session *s;
	uint8_t status, code[MAC_MAX];
	uint32_t id;

	if (size < RAKP1_LEAST)
		return;
	memcpy(&id, in + 4, 4);
	if (!(s = session_find(bmc, id, SESSION_OPENED)) || s->state == SESSION_ACTIVE) {
		refuse(swarm, h, in[0], STATUS_NO_SESSION, 0);
		return;
	}
	if ((status = read_claim(swarm, s, in, size))) {
		refuse(swarm, h, in[0], status, s->console_id);
		s->state = SESSION_FREE;
		return;
	}
	if (s->state == SESSION_OPENED || memcmp(s->rm, in + 8, 16) != 0)
		fill_random(swarm, s->rc, sizeof(s->rc)); /* a repeat is answered alike */
	memcpy(s->rm, in + 8, 16);
	s->state = SESSION_RAKP2;
	s->used_ms = swarm->now_ms;
	add(&b, &s->console_id, 4);
	add(&b, &s->id, 4);
	add(&b, s->rm, 16);
	add(&b, s->rc, 16);
	add(&b, bmc->guid, 16);
	add_user(&b, s);
	crypto_mac(s->suite->sha256, swarm->bmc_password, strlen(swarm->bmc_password), b.data, b.size, code);
	memcpy(h->out, (uint8_t[]){in[0], 0, 0, 0}, 4);
	memcpy(h->out + 4, &s->console_id, 4);
	memcpy(h->out + 8, s->rc, 16);
	memcpy(h->out + 24, bmc->guid, 16);
	memcpy(h->out + 40, code, s->suite->mac_size);
	h->size = 40u + s->suite->mac_size;
	h->code_at = 40;
	h->code_size = s->suite->mac_size;
}

/* Session integrity key, K1 and K2 (13.31, 13.32); no BMC key: the user's serves. */
static void derive_keys(const struct swarm *swarm, struct session *s)
{
	struct bytes b = {.size = 0};
	uint8_t ones[20], twos[20];

	memset(ones, 1, sizeof(ones));
	memset(twos, 2, sizeof(twos));
	add(&b, s->rm, 16);
	add(&b, s->rc, 16);
	add_user(&b, s);
	crypto_mac(s->suite->sha256, swarm->bmc_password, strlen(swarm->bmc_password), b.data, b.size, s->sik);
	crypto_mac(s->suite->sha256, s->sik, s->suite->mac_size, ones, sizeof(ones), s->k1);
	crypto_mac(s->suite->sha256, s->sik, s->suite->mac_size, twos, sizeof(twos), s->k2);
}

static bool check_rakp3(const struct swarm *swarm, const struct session *s, const uint8_t *in, size_t size)
{
	struct bytes b = {.size = 0};
	uint8_t code[MAC_MAX];

	add(&b, s->rc, 16);
	add(&b, &s->console_id, 4);
	add_user(&b, s);
	crypto_mac(s->suite->sha256, swarm->bmc_password, strlen(swarm->bmc_password), b.data, b.size, code);
	return size >= 8u + s->suite->mac_size && CRYPTO_memcmp(in + 8, code, s->suite->mac_size) == 0;
}

void session_rakp3(struct swarm *swarm, struct bmc *bmc, const uint8_t *in, size_t size, struct handshake *h)
{
	struct bytes b = {.size = 0};
	struct session *s;
	uint8_t code[MAC_MAX];
	uint32_t id;

	if (size < 8)
		return;
	memcpy(&id, in + 4, 4);
	if (!(s = session_find(bmc, id, SESSION_RAKP2))) {
		refuse(swarm, h, in[0], STATUS_NO_SESSION, 0);
		return;
	}
	if (in[1] != 0) { /* the console gave up and says why: no answer (13.22) */
		swarm->sums.bmc_failed++;
		s->state = SESSION_FREE;
		return;
	}
	if (!check_rakp3(swarm, s, in, size)) {
		refuse(swarm, h, in[0], STATUS_BAD_CODE, s->console_id);
		s->state = SESSION_FREE;
		return;
	}
	if (s->state != SESSION_ACTIVE) {
		derive_keys(swarm, s);
		s->state = SESSION_ACTIVE;
		bmc->established++;
		swarm->sums.bmc_established++;
	}
	s->used_ms = swarm->now_ms;
	add(&b, s->rm, 16);
	add(&b, &s->id, 4);
	add(&b, bmc->guid, 16);
	crypto_mac(s->suite->sha256, s->sik, s->suite->mac_size, b.data, b.size, code);
	memcpy(h->out, (uint8_t[]){in[0], 0, 0, 0}, 4);
	memcpy(h->out + 4, &s->console_id, 4);
	memcpy(h->out + 8, code, s->suite->code_size);
	h->size = 8u + s->suite->code_size;
	h->code_at = 8;
	h->code_size = s->suite->code_size;
}

/* Sequence numbers may come out of order within 16 (6.12.13); each is taken once. */
static bool take_sequence(struct session *s, uint32_t sequence)
{
	int32_t ahead = (int32_t)(sequence - s->in_sequence);
	uint32_t bit;

	if (sequence == 0 || ahead < -15)
		return false;
	if (ahead > 0) {
		s->in_seen = ahead < 32 ? s->in_seen << ahead | 1 : 1;
		s->in_sequence = sequence;
		return true;
	}
	bit = 1u << -ahead;
	if (s->in_seen & bit)
		return false;
	s->in_seen |= bit;
	return true;
}

int session_unwrap(struct session *s, const uint8_t *packet, size_t size, uint8_t *out)
{
	const size_t code_size = s->suite->code_size;
	uint8_t code[MAC_MAX];
	size_t payload, pad;
	uint32_t sequence;

	if (size < HEADER_SIZE + 32 + 2 + code_size || (packet[5] & 0xc0) != 0xc0)
		return -1;
	payload = (size_t)packet[14] | (size_t)packet[15] << 8;
	pad = packet[size - code_size - 2];
	if (payload % 16 || payload < 32 || payload > PAYLOAD_MAX ||
	    HEADER_SIZE + payload + pad + 2 + code_size != size)
		return -1;
	crypto_mac(s->suite->sha256, s->k1, s->suite->mac_size, packet + 4, size - 4 - code_size, code);
	if (CRYPTO_memcmp(code, packet + size - code_size, code_size) != 0)
		return -1;
	memcpy(&sequence, packet + 10, 4);
	if (!take_sequence(s, sequence) ||
	    !crypto_aes(CRYPTO_CBC, false, s->k2, packet + HEADER_SIZE, packet + HEADER_SIZE + 16, payload - 16, out))
		return -1;
	pad = out[payload - 17];
	return pad > 15 ? -1 : (int)(payload - 16 - pad - 1);
}

size_t session_wrap(struct swarm *swarm, struct session *s, const uint8_t *message, size_t size, uint8_t *out)
{
	uint8_t plain[PAYLOAD_MAX], *p = out + HEADER_SIZE;
	size_t pad = 15 - size % 16, payload = 16 + size + pad + 1, end;
	uint32_t sequence = ++s->out_sequence;

	memcpy(out, (uint8_t[]){6, 0, 0xff, 7, 6, 0xc0}, 6);
	memcpy(out + 6, &s->console_id, 4);
	memcpy(out + 10, &sequence, 4);
	out[14] = (uint8_t)payload;
	out[15] = (uint8_t)(payload >> 8);
	memcpy(plain, message, size);
	for (size_t i = 0; i < pad; i++)
		plain[size + i] = (uint8_t)(i + 1);
	plain[size + pad] = (uint8_t)pad;
	fill_random(swarm, p, 16);
	if (!crypto_aes(CRYPTO_CBC, true, s->k2, p, plain, payload - 16, p + 16))
		return 0;
	p += payload;
	end = (4 - (HEADER_SIZE - 4 + payload + 2) % 4) % 4;
	memset(p, 0xff, end);
	p += end;
	*p++ = (uint8_t)end;
	*p++ = 7;
	uint8_t code[MAC_MAX];
	crypto_mac(s->suite->sha256, s->k1, s->suite->mac_size, out + 4, (size_t)(p - out) - 4, code);
	memcpy(p, code, s->suite->code_size);
	return (size_t)(p - out) + s->suite->code_size;
}
