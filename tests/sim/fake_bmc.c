/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A BMC on plain bytes; see fake_bmc.h. Section numbers are those of IPMI 2.0. */
#include "tests/sim/fake_bmc.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { HEADER = 16, OLD_HEADER = 14 };

void fake_bmc_init(struct fake_bmc *f, bool sha256)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->user, "operator", 9);
	memcpy(f->password, "secret", 7);
	f->sha256 = sha256;
	f->most_privilege = 4;
	f->on = true;
	for (int i = 0; i < 16; i++)
		f->guid[i] = (uint8_t)(0xa0 + i);
}

void fake_bmc_restart(struct fake_bmc *f)
{
	f->open = false;
	f->own_id = 0;
}

static size_t mac(const struct fake_bmc *f, const void *key, size_t key_size, const uint8_t *data, size_t size,
		  uint8_t out[32])
{
	unsigned length = 0;

	HMAC(f->sha256 ? EVP_sha256() : EVP_sha1(), key, (int)key_size, data, size, out, &length);
	return length;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool lost(struct fake_bmc *f, enum fake_kind kind)
{
	f->seen[kind]++;
	if (f->lose[kind] <= 0)
		return false;
	f->lose[kind]--;
	return true;
}

static size_t handshake_packet(uint8_t type, const uint8_t *payload, size_t size, uint8_t *out)
{
	memset(out, 0, HEADER);
	out[0] = 6;
	out[2] = 0xff;
	out[3] = 7;
	out[4] = 6;
	out[5] = type;
	out[14] = (uint8_t)size;
	memcpy(out + HEADER, payload, size);
	return HEADER + size;
}

static size_t answer_open(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	uint8_t p[36] = {0};

	if (size < 32)
		return 0;
	p[0] = in[0];
	f->console_id = get32(in + 4);
	put32(p + 4, f->console_id);
	if (f->no_slots)
		p[1] = 0x01;
	else if (in[12] != (f->sha256 ? 3 : 1) || in[20] != (f->sha256 ? 4 : 1) || in[28] != 1)
		p[1] = 0x11;
	if (lost(f, FAKE_OPEN))
		return 0;
	if (p[1])
		return handshake_packet(0x11, p, 8, out);
	f->open = false;
	f->own_id = 0x1000 + ++f->sessions;
	p[2] = f->most_privilege;
	put32(p + 8, f->own_id);
	memcpy(p + 12, in + 8, 24);
	return handshake_packet(0x11, p, 36, out);
}

static size_t answer_rakp1(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	uint8_t p[80] = {0}, text[160], code[32];

	if (size < 28 || size < 28U + in[27] || in[27] > 16 || get32(in + 4) != f->own_id)
		return 0;
	memcpy(f->rm, in + 8, 16);
	f->role = in[24];
	f->user_size = in[27];
	memcpy(f->asked_user, in + 28, f->user_size);
	memset(f->rc, 0x5a, 16);
	f->rc[0] = (uint8_t)f->sessions;
	p[0] = in[0];
	put32(p + 4, f->console_id);
	if (lost(f, FAKE_RAKP1))
		return 0;
	if (f->user_size != strlen(f->user) || memcmp(f->asked_user, f->user, f->user_size) != 0) {
		p[1] = 0x0d;
		return handshake_packet(0x13, p, 8, out);
	}
	put32(text, f->console_id);
	put32(text + 4, f->own_id);
	memcpy(text + 8, f->rm, 16);
	memcpy(text + 24, f->rc, 16);
	memcpy(text + 40, f->guid, 16);
	text[56] = f->role;
	text[57] = f->user_size;
	memcpy(text + 58, f->asked_user, f->user_size);
	size_t code_size = mac(f, f->password, strlen(f->password), text, 58U + f->user_size, code);
	if (f->wrong_code2)
		code[0] ^= 1;
	memcpy(p + 8, f->rc, 16);
	memcpy(p + 24, f->guid, 16);
	memcpy(p + 40, code, code_size);
	return handshake_packet(0x13, p, 40 + code_size, out);
}

static void derive(struct fake_bmc *f, uint8_t sik[32])
{
	uint8_t text[64], constant[20];
	const char *key = f->kg[0] ? f->kg : f->password;

	memcpy(text, f->rm, 16);
	memcpy(text + 16, f->rc, 16);
	text[32] = f->role;
	text[33] = f->user_size;
	memcpy(text + 34, f->asked_user, f->user_size);
	size_t n = mac(f, key, strlen(key), text, 34U + f->user_size, sik);
	memset(constant, 1, sizeof(constant));
	mac(f, sik, n, constant, 20, f->k1);
	memset(constant, 2, sizeof(constant));
	mac(f, sik, n, constant, 20, f->k2);
}

static size_t answer_rakp3(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	uint8_t p[40] = {0}, text[64], sik[32], code[32];

	if (size < 8 || get32(in + 4) != f->own_id)
		return 0;
	memcpy(text, f->rc, 16);
	put32(text + 16, f->console_id);
	text[20] = f->role;
	text[21] = f->user_size;
	memcpy(text + 22, f->asked_user, f->user_size);
	size_t code_size = mac(f, f->password, strlen(f->password), text, 22U + f->user_size, code);
	p[0] = in[0];
	put32(p + 4, f->console_id);
	if (lost(f, FAKE_RAKP3))
		return 0;
	if (size != 8 + code_size || memcmp(in + 8, code, code_size) != 0) {
		p[1] = 0x0f;
		return handshake_packet(0x15, p, 8, out);
	}
	derive(f, sik);
	memcpy(text, f->rm, 16);
	put32(text + 16, f->own_id);
	memcpy(text + 20, f->guid, 16);
	mac(f, sik, f->sha256 ? 32 : 20, text, 36, code);
	if (f->wrong_code4)
		code[0] ^= 1;
	size_t cut = f->sha256 ? 16 : 12;
	memcpy(p + 8, code, cut);
	f->open = true;
	f->out_sequence = 0;
	return handshake_packet(0x15, p, 8 + cut, out);
}

/* --- commands -------------------------------------------------------------------------------------- */

static uint8_t checksum(const uint8_t *p, size_t n)
{
	unsigned sum = 0;

	while (n-- > 0)
		sum += *p++;
	return (uint8_t)(0x100 - (sum & 0xff));
}

static void control(struct fake_bmc *f, uint8_t what)
{
	f->controls++;
	f->last_control = what;
	f->wanted = what == 0 || what == 5 ? 1 : 2;
	f->waits = (uint8_t)f->soft_after;
}

static size_t chassis_status(struct fake_bmc *f, uint8_t *out)
{
	if (f->wanted && f->waits-- == 0) {
		f->on = f->wanted == 2;
		f->wanted = 0;
	}
	memcpy(out, (uint8_t[]){f->on ? 0x21 : 0x20, 0x10, 0x00}, 3);
	return 3;
}

/* Get SDR (33.12); record ids are 1, 2, ... in order, whatever stands in the records. */
static uint8_t get_sdr(struct fake_bmc *f, const uint8_t *in, uint8_t *out, size_t *size)
{
	unsigned wanted = in[2] | in[3] << 8, id = 1, offset = in[4], count = in[5];
	size_t at = 0;

	if (wanted == 0)
		wanted = 1;
	while (at < f->records_size && id < wanted) {
		at += 5U + f->records[at + 4];
		id++;
	}
	if (at >= f->records_size)
		return 0xcb;
	if (f->cancel > 0) {
		f->cancel--;
		return 0xc5;
	}
	size_t length = 5U + f->records[at + 4];
	if (offset >= length || (f->chunk && count > f->chunk))
		return 0xca;
	if (count > length - offset)
		count = (unsigned)(length - offset);
	bool last = at + length >= f->records_size;
	out[0] = last ? 0xff : (uint8_t)(id + 1);
	out[1] = last ? 0xff : 0;
	memcpy(out + 2, f->records + at + offset, count);
	*size = 2 + count;
	return 0;
}

static uint8_t carry_out(struct fake_bmc *f, uint8_t netfn, uint8_t command, const uint8_t *in, size_t in_size,
			 uint8_t *out, size_t *size)
{
	*size = 0;
	if (f->refuse_code && command == f->refuse_command)
		return f->refuse_code;
	switch (netfn << 8 | command) {
	case 0x0001:
		*size = chassis_status(f, out);
		return 0;
	case 0x0002:
		control(f, in_size ? in[0] : 0xff);
		return 0;
	case 0x0004:
	case 0x063c:
		return 0;
	case 0x0007:
		out[0] = 4;
		*size = 1;
		return 0;
	case 0x0601:
		memcpy(out, (uint8_t[]){0x20, 1, 2, 0x34, 2, 0xbf, 0x91, 0x12, 0, 2, 0x0f}, 11);
		*size = 11;
		return 0;
	case 0x0625: /* the watchdog of the SMS/OS, running, expired once */
		memcpy(out, (uint8_t[]){0x44, 1, 0, 0x10, 0x64, 0, 0x64, 0}, 8);
		*size = 8;
		return 0;
	case 0x0638:
		memcpy(out, (uint8_t[]){1, 0x80, f->anonymous ? 5 : 4, 2, 0, 0, 0, 0}, 8);
		*size = 8;
		return 0;
	case 0x063b:
		f->privileges++;
		out[0] = in_size ? in[0] : 0;
		*size = 1;
		return out[0] > f->most_privilege ? 0x81 : 0;
	case 0x0a20:
		memset(out, 0, 14);
		out[0] = 0x51;
		out[1] = 9;
		*size = 14;
		return 0;
	case 0x0a22:
		memcpy(out, (uint8_t[]){7, 0}, 2);
		*size = 2;
		return 0;
	case 0x0a23:
		return in_size >= 6 ? get_sdr(f, in, out, size) : 0xc7;
	case 0x2c02:
		if (!f->dcmi_watts || in_size < 4 || in[0] != 0xdc || in[1] != 1)
			return 0xc1;
		memset(out, 0, 18);
		memcpy(out, (uint8_t[]){0xdc, f->dcmi_watts & 0xff, (uint8_t)(f->dcmi_watts >> 8)}, 3);
		out[17] = 0x40;
		*size = 18;
		return 0;
	case 0x042d:
		memcpy(out, f->reading[in_size ? in[0] : 0], 4);
		*size = 4;
		return 0;
	default:
		return 0xc1;
	}
}

/* Carries out an IPMI message (13.8) and makes the answer; 0 when it is malformed. */
static size_t answer_message(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	size_t data = 0;

	if (size < 7 || checksum(in, 2) != in[2] || checksum(in + 3, size - 4) != in[size - 1])
		return 0;
	uint8_t code = 0xc0;
	if (f->busy > 0 && in[5] != 0x38)
		f->busy--;
	else
		code = carry_out(f, in[1] >> 2, in[5], in + 6, size - 7, out + 7, &data);
	if (code)
		data = 0;
	memcpy(out, (uint8_t[]){in[3], (uint8_t)((in[1] & 0xfc) | 4), 0, in[0], in[4], in[5], code}, 7);
	out[2] = checksum(out, 2);
	out[7 + data] = checksum(out + 3, 4 + data);
	return 8 + data;
}

static size_t answer_ping(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	static const uint8_t head[OLD_HEADER] = {6, 0, 0xff, 7};

	if (size < OLD_HEADER + 7U || in[13] != size - OLD_HEADER || lost(f, FAKE_PING))
		return 0;
	memcpy(out, head, OLD_HEADER);
	size_t n = answer_message(f, in + OLD_HEADER, size - OLD_HEADER, out + OLD_HEADER);
	out[13] = (uint8_t)n;
	return n ? OLD_HEADER + n : 0;
}

static bool aes(bool encrypt, const uint8_t key[16], const uint8_t iv[16], const uint8_t *in, size_t size, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	bool good = c && EVP_CipherInit_ex(c, EVP_aes_128_cbc(), NULL, key, iv, encrypt) == 1 &&
		    EVP_CIPHER_CTX_set_padding(c, 0) == 1 && EVP_CipherUpdate(c, out, &n, in, (int)size) == 1 &&
		    (size_t)n == size;
	EVP_CIPHER_CTX_free(c);
	return good;
}

static size_t answer_session(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	uint8_t plain[512], answer[512], sum[32], iv[16];
	size_t code_size = f->sha256 ? 16 : 12, n = in[14] | (size_t)in[15] << 8;

	if (!f->open || f->mute_in_session || get32(in + 6) != f->own_id || size < HEADER + n + 2 + code_size ||
	    n < 32 || n % 16 || n > sizeof(plain))
		return 0;
	mac(f, f->k1, f->sha256 ? 32 : 20, in + 4, size - 4 - code_size, sum);
	if (memcmp(sum, in + size - code_size, code_size) != 0 ||
	    !aes(false, f->k2, in + HEADER, in + HEADER + 16, n - 16, plain))
		return 0;
	size_t pad = plain[n - 17];
	if (pad > 15 || pad + 1 > n - 16)
		return 0;
	size_t message = answer_message(f, plain, n - 16 - pad - 1, answer);
	if (message == 0 || lost(f, FAKE_COMMAND))
		return 0;
	pad = (16 - (message + 1) % 16) % 16;
	for (size_t i = 0; i < pad; i++)
		answer[message + i] = (uint8_t)(i + 1);
	answer[message + pad] = (uint8_t)pad;
	n = message + pad + 1;
	memset(iv, 0x33, sizeof(iv));
	memcpy(out, (uint8_t[]){6, 0, 0xff, 7, 6, 0xc0}, 6);
	put32(out + 6, f->console_id);
	put32(out + 10, ++f->out_sequence);
	out[14] = (uint8_t)(n + 16);
	out[15] = (uint8_t)((n + 16) >> 8);
	memcpy(out + HEADER, iv, 16);
	if (!aes(true, f->k2, iv, answer, n, out + HEADER + 16))
		return 0;
	size_t at = HEADER + 16 + n;
	unsigned fill = (4 - (at - 4 + 2) % 4) % 4;
	memset(out + at, 0xff, fill);
	at += fill;
	out[at++] = (uint8_t)fill;
	out[at++] = 7;
	mac(f, f->k1, f->sha256 ? 32 : 20, out + 4, at - 4, sum);
	memcpy(out + at, sum, code_size);
	return at + code_size;
}

size_t fake_bmc_answer(struct fake_bmc *f, const uint8_t *in, size_t size, uint8_t *out)
{
	if (f->silent || size < HEADER || in[0] != 6 || in[3] != 7)
		return 0;
	if (in[4] == 0)
		return answer_ping(f, in, size, out);
	switch (in[5]) {
	case 0x10:
		return answer_open(f, in + HEADER, size - HEADER, out);
	case 0x12:
		return answer_rakp1(f, in + HEADER, size - HEADER, out);
	case 0x14:
		return answer_rakp3(f, in + HEADER, size - HEADER, out);
	case 0xc0:
		return answer_session(f, in, size, out);
	default:
		return 0;
	}
}
