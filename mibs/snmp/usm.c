/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user-based security model for many engines; see usm.h. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mibs/snmp/usm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PAD = 64, AES_KEY = 16, ID_MIN = 5 };

struct usm_peer {
	EVP_MD_CTX *inner, *outer, *work; /* inner and outer have the key's pads already in them (RFC 2104) */
	EVP_CIPHER_CTX *seal, *open;
	uint64_t salt;
	int64_t boots, time, time_at; /* at our time_at its clock said time */
	bool proved;
	uint8_t mac_size;
	uint8_t id_size;
	uint8_t id[USM_ENGINE_ID_MAX];
};

bool usm_read(uint8_t *bytes, size_t size, struct usm_message *m)
{
	struct ber in = {bytes, bytes + size}, message, header, flags, parameters, security;
	int64_t version, model;
	uint8_t type;

	memset(m, 0, sizeof *m);
	m->bytes = bytes;
	if (!ber_take(&in, BER_SEQUENCE, &message) || !ber_integer_in(&message, 3, 3, &version) ||
	    !ber_take(&message, BER_SEQUENCE, &header) || !ber_integer_in(&header, 0, INT32_MAX, &m->id) ||
	    !ber_integer_in(&header, 484, INT32_MAX, &m->limit) || !ber_take(&header, BER_OCTETS, &flags) ||
	    ber_left(&flags) != 1 || !ber_integer_in(&header, 3, 3, &model) ||
	    !ber_take(&message, BER_OCTETS, &parameters) || !ber_take(&parameters, BER_SEQUENCE, &security))
		return false;
	m->flags = *flags.at;
	m->size = (size_t)(in.at - bytes);
	return ber_take(&security, BER_OCTETS, &m->engine_id) && ber_integer_in(&security, 0, INT32_MAX, &m->boots) &&
	       ber_integer_in(&security, 0, INT32_MAX, &m->time) && ber_take(&security, BER_OCTETS, &m->user) &&
	       ber_take(&security, BER_OCTETS, &m->mac) && ber_take(&security, BER_OCTETS, &m->salt) &&
	       ber_any(&message, &type, &m->data) && type == (m->flags & USM_FLAG_PRIV ? BER_OCTETS : BER_SEQUENCE);
}

bool usm_localize(const struct credential *c, const uint8_t *ku, const uint8_t *id, size_t id_size,
		  uint8_t out[USM_KEY_MAX])
{
	const oid *type = c->auth == USM_AUTH_SHA256 ? usmHMAC192SHA256AuthProtocol : usmHMACSHA1AuthProtocol;
	size_t length =
	    c->auth == USM_AUTH_SHA256 ? OID_LENGTH(usmHMAC192SHA256AuthProtocol) : OID_LENGTH(usmHMACSHA1AuthProtocol);
	u_char made[64];
	size_t size = sizeof made;
	bool good = generate_kul(type, (u_int)length, id, id_size, ku, c->key_size, made, &size) == SNMPERR_SUCCESS &&
		    size == c->key_size;

	memcpy(out, made, USM_KEY_MAX);
	explicit_bzero(made, sizeof made);
	return good;
}

static EVP_MD_CTX *padded(const EVP_MD *md, const uint8_t *key, size_t size, uint8_t fill)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t pad[PAD];

	memset(pad, fill, sizeof pad);
	for (size_t i = 0; i < size; i++)
		pad[i] ^= key[i];
	if (ctx && (EVP_DigestInit_ex(ctx, md, NULL) != 1 || EVP_DigestUpdate(ctx, pad, sizeof pad) != 1)) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	explicit_bzero(pad, sizeof pad);
	return ctx;
}

static bool make_states(struct usm_peer *p, const struct credential *c)
{
	const EVP_MD *md = c->auth == USM_AUTH_SHA256 ? EVP_sha256() : EVP_sha1();
	uint8_t key[USM_KEY_MAX], iv[16] = {0};
	bool good = usm_localize(c, c->auth_key, p->id, p->id_size, key);

	if (good) {
		p->inner = padded(md, key, c->key_size, 0x36);
		p->outer = padded(md, key, c->key_size, 0x5c);
		p->work = EVP_MD_CTX_new();
		good = p->inner && p->outer && p->work;
	}
	if (good && c->priv) {
		p->seal = EVP_CIPHER_CTX_new();
		p->open = EVP_CIPHER_CTX_new();
		good = p->seal && p->open && usm_localize(c, c->priv_key, p->id, p->id_size, key) &&
		       EVP_EncryptInit_ex(p->seal, EVP_aes_128_cfb128(), NULL, key, iv) == 1 &&
		       EVP_DecryptInit_ex(p->open, EVP_aes_128_cfb128(), NULL, key, iv) == 1;
	}
	explicit_bzero(key, sizeof key);
	return good;
}

struct usm_peer *usm_peer_new(const struct credential *c, const uint8_t *id, size_t size)
{
	if (size < ID_MIN || size > USM_ENGINE_ID_MAX || !c->ready || c->version != SNMP_V3)
		return NULL;
	struct usm_peer *p = mem_zalloc(sizeof *p);

	memcpy(p->id, id, size);
	p->id_size = (uint8_t)size;
	p->mac_size = c->auth == USM_AUTH_SHA256 ? 24 : 12;
	if (RAND_bytes((unsigned char *)&p->salt, sizeof p->salt) != 1 || !make_states(p, c)) {
		usm_peer_free(p);
		return NULL;
	}
	return p;
}

void usm_peer_free(struct usm_peer *p)
{
	if (!p)
		return;
	EVP_MD_CTX_free(p->inner);
	EVP_MD_CTX_free(p->outer);
	EVP_MD_CTX_free(p->work);
	EVP_CIPHER_CTX_free(p->seal);
	EVP_CIPHER_CTX_free(p->open);
	free(p);
}

bool usm_peer_is(const struct usm_peer *p, struct ber id)
{
	return ber_left(&id) == p->id_size && !memcmp(id.at, p->id, p->id_size);
}

const uint8_t *usm_peer_id(const struct usm_peer *p, size_t *size)
{
	*size = p->id_size;
	return p->id;
}

void usm_peer_clock(struct usm_peer *p, int64_t boots, int64_t time, bool proved, int64_t now)
{
	if (p->proved && !proved)
		return;
	p->boots = boots;
	p->time = time;
	p->time_at = now;
	p->proved = proved;
}

static int64_t peer_time(const struct usm_peer *p, int64_t now)
{
	return p->time + (now - p->time_at) / 1000;
}

void usm_peer_told(const struct usm_peer *p, int64_t now, int64_t *boots, int64_t *time)
{
	*boots = p->boots;
	*time = p->time_at ? peer_time(p, now) : 0;
}

static bool mac_of(const struct usm_peer *p, const uint8_t *bytes, size_t size, uint8_t out[EVP_MAX_MD_SIZE])
{
	unsigned length = 0;

	return EVP_MD_CTX_copy_ex(p->work, p->inner) == 1 && EVP_DigestUpdate(p->work, bytes, size) == 1 &&
	       EVP_DigestFinal_ex(p->work, out, &length) == 1 && EVP_MD_CTX_copy_ex(p->work, p->outer) == 1 &&
	       EVP_DigestUpdate(p->work, out, length) == 1 && EVP_DigestFinal_ex(p->work, out, &length) == 1;
}

static void put_be(uint8_t *out, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		out[i] = (uint8_t)value;
}

/* The initialisation vector of RFC 3826, 3.1.2.1: boots, time, salt. */
static void make_iv(uint8_t iv[16], int64_t boots, int64_t time, const uint8_t salt[USM_SALT])
{
	put_be(iv, (uint64_t)boots, 4);
	put_be(iv + 4, (uint64_t)time, 4);
	memcpy(iv + 8, salt, USM_SALT);
}

static void put_scoped(struct ber_out *out, const struct usm_peer *p, uint32_t id, const uint8_t *pdu, size_t size,
		       size_t id_at)
{
	uint8_t *end = out->at;

	ber_put(out, pdu, size);
	if (!out->full)
		put_be(out->at + id_at, id, 4);
	ber_put_octets(out, "", 0); /* context name */
	ber_put_octets(out, p ? p->id : NULL, p ? p->id_size : 0);
	ber_put_header(out, BER_SEQUENCE, end);
}

static bool encrypt(struct usm_peer *p, struct ber_out *out, uint8_t *end, int64_t time, uint8_t salt[USM_SALT])
{
	uint8_t iv[16];
	int length = 0, size = (int)(end - out->at);

	put_be(salt, p->salt++, USM_SALT);
	make_iv(iv, p->boots, time, salt);
	if (out->full || EVP_EncryptInit_ex(p->seal, NULL, NULL, NULL, iv) != 1 ||
	    EVP_EncryptUpdate(p->seal, out->at, &length, out->at, size) != 1 || length != size)
		return false;
	ber_put_header(out, BER_OCTETS, end);
	return true;
}

/* msgSecurityParameters; returns where the MAC stands, counted from the end of the message. */
static size_t put_security(struct ber_out *out, const struct usm_peer *p, const struct credential *c, int64_t time,
			   const uint8_t *salt, const uint8_t *end)
{
	static const uint8_t zeros[USM_MAC_MAX];
	uint8_t *mark = out->at;

	ber_put_octets(out, salt, salt ? USM_SALT : 0);
	ber_put(out, zeros, p ? p->mac_size : 0);
	size_t mac_at = (size_t)(end - out->at);
	ber_put_header(out, BER_OCTETS, out->at + (p ? p->mac_size : 0));
	ber_put_octets(out, c->user, p ? strlen(c->user) : 0);
	ber_put_integer(out, p ? time : 0);
	ber_put_integer(out, p ? p->boots : 0);
	ber_put_octets(out, p ? p->id : NULL, p ? p->id_size : 0);
	ber_put_header(out, BER_SEQUENCE, mark);
	ber_put_header(out, BER_OCTETS, mark);
	return mac_at;
}

static void put_header(struct ber_out *out, int64_t id, uint8_t flags)
{
	uint8_t *mark = out->at;

	ber_put_integer(out, 3); /* user-based security model */
	ber_put_octets(out, &flags, 1);
	ber_put_integer(out, USM_MESSAGE_MAX);
	ber_put_integer(out, id);
	ber_put_header(out, BER_SEQUENCE, mark);
	ber_put_integer(out, 3);
}

size_t usm_seal(struct usm_peer *p, const struct credential *c, int64_t id, uint8_t flags, struct ber_out *out, uint8_t *end,
		int64_t now)
{
	uint8_t salt[USM_SALT], mac[EVP_MAX_MD_SIZE];
	int64_t time = p ? peer_time(p, now) : 0;

	if ((flags & USM_FLAG_PRIV) && !encrypt(p, out, end, time, salt))
		return 0;
	size_t mac_at = put_security(out, p, c, time, flags & USM_FLAG_PRIV ? salt : NULL, end);
	put_header(out, id, flags);
	ber_put_header(out, BER_SEQUENCE, end);
	if (out->full)
		return 0;
	if (p) {
		if (!mac_of(p, out->at, (size_t)(end - out->at), mac))
			return 0;
		memcpy(end - mac_at, mac, p->mac_size);
	}
	return (size_t)(end - out->at);
}

size_t usm_write(struct usm_peer *p, const struct credential *c, uint32_t id, const uint8_t *pdu, size_t pdu_size,
		 size_t id_at, uint8_t *room, size_t room_size, const uint8_t **start, int64_t now)
{
	struct ber_out out = {room, room + room_size, false};
	uint8_t *end = out.at, flags = USM_FLAG_REPORTABLE;

	if (p)
		flags |= USM_FLAG_AUTH | (c->priv ? USM_FLAG_PRIV : 0);
	put_scoped(&out, p, id, pdu, pdu_size, id_at);
	size_t size = usm_seal(p, c, id, flags, &out, end, now);
	*start = out.at;
	return size;
}

size_t usm_report(const struct usm_clock *own, const struct usm_message *asked, const uint8_t *pdu, size_t pdu_size,
		  uint8_t *room, size_t room_size, const uint8_t **start)
{
	struct ber_out out = {room, room + room_size, false};
	uint8_t *end = out.at;

	ber_put(&out, pdu, pdu_size);
	ber_put_octets(&out, "", 0); /* context name */
	ber_put_octets(&out, own->id, own->id_size);
	ber_put_header(&out, BER_SEQUENCE, end);
	uint8_t *mark = out.at;
	ber_put_octets(&out, "", 0); /* salt */
	ber_put_octets(&out, "", 0); /* MAC */
	ber_put_octets(&out, asked->user.at, ber_left(&asked->user));
	ber_put_integer(&out, own->time_s);
	ber_put_integer(&out, own->boots);
	ber_put_octets(&out, own->id, own->id_size);
	ber_put_header(&out, BER_SEQUENCE, mark);
	ber_put_header(&out, BER_OCTETS, mark);
	put_header(&out, asked->id, 0);
	ber_put_header(&out, BER_SEQUENCE, end);
	*start = out.at;
	return out.full ? 0 : (size_t)(end - out.at);
}

static bool scoped_pdu(struct usm_message *m, struct ber scoped, struct ber *pdu)
{
	if (!ber_take(&scoped, BER_OCTETS, &m->context_engine) || !ber_take(&scoped, BER_OCTETS, &m->context_name))
		return false;
	*pdu = scoped;
	return ber_left(pdu) > 0;
}

bool usm_plain_pdu(struct usm_message *m, struct ber *pdu)
{
	return !(m->flags & USM_FLAG_PRIV) && scoped_pdu(m, m->data, pdu);
}

static bool mac_good(const struct usm_peer *p, struct usm_message *m)
{
	uint8_t told[USM_MAC_MAX], mac[EVP_MAX_MD_SIZE];
	uint8_t *at = m->bytes + (m->mac.at - m->bytes);

	if (ber_left(&m->mac) != p->mac_size)
		return false;
	memcpy(told, at, p->mac_size);
	memset(at, 0, p->mac_size);
	bool good = mac_of(p, m->bytes, m->size, mac) && CRYPTO_memcmp(told, mac, p->mac_size) == 0;
	memcpy(at, told, p->mac_size);
	return good;
}

bool usm_in_window(struct usm_peer *p, const struct usm_message *m, int64_t now)
{
	int64_t expected = peer_time(p, now);

	if (p->proved && (m->boots < p->boots || (m->boots == p->boots && m->time < expected - USM_WINDOW_S)))
		return false;
	if (m->boots == INT32_MAX)
		return false;
	if (!p->proved || m->boots > p->boots || m->time > expected)
		usm_peer_clock(p, m->boots, m->time, true, now);
	return true;
}

bool usm_is_timely(const struct usm_peer *p, const struct usm_message *m, int64_t now)
{
	int64_t time = peer_time(p, now);

	return m->boots == p->boots && m->boots != INT32_MAX && m->time >= time - USM_WINDOW_S && m->time <= time + USM_WINDOW_S;
}

enum usm_result usm_open(struct usm_peer *p, const struct credential *c, struct usm_message *m, struct ber *pdu)
{
	struct ber content = m->data;
	uint8_t iv[16];
	int length = 0, size = (int)ber_left(&content);

	if (!(m->flags & USM_FLAG_AUTH) || !usm_peer_is(p, m->engine_id) || ber_left(&m->user) != strlen(c->user) ||
	    memcmp(m->user.at, c->user, strlen(c->user)) != 0 || !mac_good(p, m))
		return USM_WRONG_MAC;
	if (!(m->flags & USM_FLAG_PRIV))
		return scoped_pdu(m, content, pdu) ? USM_OK : USM_GARBAGE;
	if (!p->open || ber_left(&m->salt) != USM_SALT)
		return USM_GARBAGE;
	uint8_t *bytes = m->bytes + (content.at - m->bytes);
	make_iv(iv, m->boots, m->time, m->salt.at);
	if (EVP_DecryptInit_ex(p->open, NULL, NULL, NULL, iv) != 1 ||
	    EVP_DecryptUpdate(p->open, bytes, &length, bytes, size) != 1 || length != size ||
	    !ber_take(&content, BER_SEQUENCE, &m->data))
		return USM_GARBAGE;
	m->flags &= (uint8_t)~USM_FLAG_PRIV; /* open now */
	return scoped_pdu(m, m->data, pdu) ? USM_OK : USM_GARBAGE;
}
