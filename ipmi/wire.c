/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and replies as bytes; see wire.h. The order of the functions is that of the layers, from the IPMI message
 * outwards. */
#include "ipmi/wire.h"

#include <freeipmi/freeipmi.h>
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Offsets in a packet with an RMCP+ session header, and in the 1.5 form without authentication code (table 13-8). */
enum {
	AT_SESSION = 4, /* what is signed begins here */
	AT_PAYLOAD_TYPE = 5,
	AT_SESSION_ID = 6,
	AT_SEQUENCE = 10,
	AT_PAYLOAD_SIZE = 14,
	AT_PAYLOAD = 16,
	OLD_AT_SIZE = 13,
	OLD_AT_MESSAGE = 14
};
/* Offsets in an IPMI message (13.8): both addresses, who answers what, then two sums. */
enum { AT_NETFN = 1, AT_SUM = 2, AT_SECOND = 3, AT_REQUEST = 4, AT_COMMAND = 5, AT_COMPLETION = 6, AT_DATA = 7 };
enum { COMMAND_AROUND = 7, REPLY_AROUND = 8 }; /* bytes of a message without its data */
enum { BMC_ADDRESS = 0x20, OUR_ADDRESS = 0x81, PROTECTED_IPMI = 0xc0, RMCPPLUS = 6, SIGNED_HEADER = 7 };
enum { BLOCK = 16, IV_POOL = 64 * BLOCK, SIGNED_MULTIPLE = 4, TRAILER = 2, CODE_MOST = 32 };

struct wire {
	gcry_md_hd_t sha1, sha256;
	gcry_cipher_hd_t aes;
	void (*random)(void *arg, void *out, size_t size);
	void *random_arg;
	size_t ivs_left; /* bytes at the end of ivs that were not used yet */
	uint8_t ivs[IV_POOL];
};

static const uint8_t rmcp_header[AT_SESSION] = {RMCP_VERSION_1_0, 0, 0xff, RMCP_HDR_MESSAGE_CLASS_IPMI};

struct wire *wire_new(void (*random)(void *arg, void *out, size_t size), void *arg)
{
	struct wire *w = mem_zalloc(sizeof(*w));

	w->random = random;
	w->random_arg = arg;
	if (gcry_md_open(&w->sha1, GCRY_MD_SHA1, GCRY_MD_FLAG_HMAC) == 0 &&
	    gcry_md_open(&w->sha256, GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC) == 0 &&
	    gcry_cipher_open(&w->aes, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC, 0) == 0)
		return w;
	wire_free(w);
	return NULL;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	gcry_md_close(w->sha1); /* which wipe what they hold; NULL is fine */
	gcry_md_close(w->sha256);
	gcry_cipher_close(w->aes);
	free(w);
}

static void put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* --- the IPMI message (13.8) ------------------------------------------------------------------------ */

static uint8_t sum_of(const uint8_t *from, size_t size)
{
	uint8_t sum = 0;

	while (size-- > 0)
		sum = (uint8_t)(sum + *from++);
	return (uint8_t)-sum;
}

static size_t make_message(const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out)
{
	out[0] = BMC_ADDRESS;
	out[AT_NETFN] = (uint8_t)(c->netfn << 2 | c->lun);
	out[AT_SUM] = sum_of(out, AT_SUM);
	out[AT_SECOND] = OUR_ADDRESS;
	out[AT_REQUEST] = (uint8_t)(request_sequence << 2);
	out[AT_COMMAND] = c->command;
	memcpy(out + AT_COMPLETION, c->data, c->size);
	size_t end = AT_COMPLETION + (size_t)c->size;
	out[end] = sum_of(out + AT_SECOND, end - AT_SECOND);
	return end + 1;
}

/* Addresses and units are not looked at: BMCs fill them in as they like, and the sequence says whose answer it is. */
static bool read_message(const struct ipmi_command *c, uint8_t request_sequence, const uint8_t *in, size_t size,
			 struct ipmi_reply *reply)
{
	if (size < REPLY_AROUND || size - REPLY_AROUND > REPLY_DATA_MAX || in[AT_NETFN] >> 2 != (c->netfn | 1) ||
	    in[AT_REQUEST] >> 2 != request_sequence || in[AT_COMMAND] != c->command ||
	    sum_of(in, AT_SUM) != in[AT_SUM] || sum_of(in + AT_SECOND, size - 1 - AT_SECOND) != in[size - 1])
		return false;
	reply->completion = in[AT_COMPLETION];
	reply->size = (uint16_t)(size - REPLY_AROUND);
	memcpy(reply->data, in + AT_DATA, reply->size);
	return true;
}

/* --- outside a session ------------------------------------------------------------------------------ */

size_t wire_make_sessionless(const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out)
{
	memcpy(out, rmcp_header, sizeof(rmcp_header));
	memset(out + AT_SESSION, 0, OLD_AT_SIZE - AT_SESSION); /* no authentication, sequence and session 0 */
	size_t size = make_message(c, request_sequence, out + OLD_AT_MESSAGE);
	out[OLD_AT_SIZE] = (uint8_t)size;
	return OLD_AT_MESSAGE + size;
}

bool wire_read_sessionless(const struct ipmi_command *c, uint8_t request_sequence, const uint8_t *data, size_t size,
			   struct ipmi_reply *reply)
{
	if (size < OLD_AT_MESSAGE || data[AT_SESSION] != IPMI_AUTHENTICATION_TYPE_NONE ||
	    data[OLD_AT_SIZE] != size - OLD_AT_MESSAGE)
		return false;
	return read_message(c, request_sequence, data + OLD_AT_MESSAGE, size - OLD_AT_MESSAGE, reply);
}

/* --- integrity: suite 17's HMAC-SHA256-128, suite 3's HMAC-SHA1-96 ----------------------------------- */

static size_t code_size(const struct rmcpp_session *s)
{
	return s->integrity == IPMI_INTEGRITY_ALGORITHM_HMAC_SHA256_128 ? 16 : 12;
}

static bool sign(struct wire *w, const struct rmcpp_session *s, const uint8_t *data, size_t size, uint8_t out[CODE_MOST])
{
	gcry_md_hd_t md = s->integrity == IPMI_INTEGRITY_ALGORITHM_HMAC_SHA256_128 ? w->sha256 : w->sha1;

	if (gcry_md_setkey(md, s->integrity_key, s->integrity_size) != 0)
		return false;
	gcry_md_write(md, data, size);
	const uint8_t *code = gcry_md_read(md, 0);
	if (code)
		memcpy(out, code, code_size(s));
	return code != NULL;
}

/* In the same time wherever they differ. */
static bool same_code(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < size; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

/* Pad, its length, the next header, and the code over all from the session header on (table 13-8). Returns the new end. */
static size_t make_trailer(struct wire *w, const struct rmcpp_session *s, uint8_t *out, size_t end)
{
	size_t pad = -(end - AT_SESSION + TRAILER) % SIGNED_MULTIPLE;
	uint8_t code[CODE_MOST];

	memset(out + end, IPMI_INTEGRITY_PAD_DATA, pad);
	end += pad;
	out[end++] = (uint8_t)pad;
	out[end++] = SIGNED_HEADER;
	if (!sign(w, s, out + AT_SESSION, end - AT_SESSION, code))
		return 0;
	memcpy(out + end, code, code_size(s));
	return end + code_size(s);
}

/* The trailer behind the payload that ends at `at`. BMCs that sign rubbish behind a shorter pad are borne with, as
 * libfreeipmi does: it is theirs. */
static bool read_trailer(struct wire *w, const struct rmcpp_session *s, const uint8_t *data, size_t size, size_t at)
{
	uint8_t code[CODE_MOST];
	size_t end = size - code_size(s), pad = data[end - TRAILER];

	if (!sign(w, s, data + AT_SESSION, end - AT_SESSION, code) || !same_code(code, data + end, code_size(s)))
		return false;
	if (pad > SIGNED_MULTIPLE || pad > end - TRAILER - at)
		return false;
	for (size_t i = 0; i < pad; i++)
		if (data[at + i] != IPMI_INTEGRITY_PAD_DATA)
			return false;
	return true;
}

/* --- confidentiality: AES-CBC-128 (13.29) ------------------------------------------------------------ */

static void next_iv(struct wire *w, uint8_t *out)
{
	if (w->ivs_left == 0) {
		w->random(w->random_arg, w->ivs, sizeof(w->ivs));
		w->ivs_left = sizeof(w->ivs);
	}
	memcpy(out, w->ivs + sizeof(w->ivs) - w->ivs_left, BLOCK);
	w->ivs_left -= BLOCK;
}

static bool set_keys(struct wire *w, const struct rmcpp_session *s, const uint8_t *iv)
{
	return s->confidentiality_size >= BLOCK && gcry_cipher_setkey(w->aes, s->confidentiality_key, BLOCK) == 0 &&
	       gcry_cipher_setiv(w->aes, iv, BLOCK) == 0;
}

/* The message behind the vector at out, in place. Returns the size of the payload with vector and pad, 0: refused. */
static size_t encrypt(struct wire *w, const struct rmcpp_session *s, uint8_t *out, size_t message)
{
	size_t pad = -(message + 1) % BLOCK, size = message + pad + 1;
	uint8_t *plain = out + BLOCK;

	for (size_t i = 0; i < pad; i++)
		plain[message + i] = (uint8_t)(i + 1);
	plain[message + pad] = (uint8_t)pad;
	if (!set_keys(w, s, out) || gcry_cipher_encrypt(w->aes, plain, size, NULL, 0) != 0)
		return 0;
	return BLOCK + size;
}

/* Returns the size of the message, 0: there is none. */
static size_t decrypt(struct wire *w, const struct rmcpp_session *s, const uint8_t *payload, size_t size, uint8_t *plain)
{
	size -= BLOCK;
	if (!set_keys(w, s, payload) || gcry_cipher_decrypt(w->aes, plain, size, payload + BLOCK, size) != 0)
		return 0;
	size_t pad = plain[size - 1];
	if (pad > BLOCK || pad + 1 > size)
		return 0;
	size_t message = size - pad - 1;
	for (size_t i = 0; i < pad; i++)
		if (plain[message + i] != i + 1)
			return 0;
	return message;
}

/* --- inside a session ------------------------------------------------------------------------------- */

size_t wire_make_command(struct wire *w, struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence,
			 uint8_t *out)
{
	if (++s->out_sequence == 0) /* 0 belongs to packets outside a session */
		s->out_sequence = 1;
	memcpy(out, rmcp_header, sizeof(rmcp_header));
	out[AT_SESSION] = RMCPPLUS;
	out[AT_PAYLOAD_TYPE] = PROTECTED_IPMI;
	put32(out + AT_SESSION_ID, s->managed_id);
	put32(out + AT_SEQUENCE, s->out_sequence);
	next_iv(w, out + AT_PAYLOAD);
	size_t payload = encrypt(w, s, out + AT_PAYLOAD, make_message(c, request_sequence, out + AT_PAYLOAD + BLOCK));
	out[AT_PAYLOAD_SIZE] = (uint8_t)payload;
	out[AT_PAYLOAD_SIZE + 1] = (uint8_t)(payload >> 8);
	return payload ? make_trailer(w, s, out, AT_PAYLOAD + payload) : 0;
}

bool wire_read_command(struct wire *w, struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence,
		       const uint8_t *data, size_t size, struct ipmi_reply *reply)
{
	uint8_t plain[PACKET_MAX];
	size_t least = AT_PAYLOAD + 2 * BLOCK + TRAILER + code_size(s);

	if (size < least || size > PACKET_MAX || data[AT_SESSION] != RMCPPLUS || data[AT_PAYLOAD_TYPE] != PROTECTED_IPMI ||
	    get32(data + AT_SESSION_ID) != s->console_id)
		return false;
	size_t payload = data[AT_PAYLOAD_SIZE] | (size_t)data[AT_PAYLOAD_SIZE + 1] << 8;
	if (payload < 2 * BLOCK || payload % BLOCK || payload - 2 * BLOCK > size - least ||
	    !read_trailer(w, s, data, size, AT_PAYLOAD + payload))
		return false;
	size_t message = decrypt(w, s, data + AT_PAYLOAD, payload, plain);
	uint32_t sequence = get32(data + AT_SEQUENCE);
	if (message < REPLY_AROUND || sequence == 0 ||
	    ipmi_check_session_sequence_number_2_0(sequence, &s->in_highest, &s->in_seen, 0) != 1)
		return false;
	return read_message(c, request_sequence, plain, message, reply);
}
