/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The MACs, digests and AES modes that RMCP+ and SNMPv3 share, on OpenSSL contexts that are made once. */
#ifndef SWARM_CRYPTO_H
#define SWARM_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRYPTO_MAC_MAX = 32 };
enum crypto_mode { CRYPTO_CBC, CRYPTO_CFB };

/* HMAC by SHA-1 or SHA-256; the full size is written (20 or 32 bytes). */
void crypto_mac(bool sha256, const void *key, size_t key_size, const void *data, size_t size,
		uint8_t out[CRYPTO_MAC_MAX]);

/* AES-128 without padding. CBC wants a multiple of 16 (IPMI 13.29); CFB-128 takes any size (RFC 3826). In place is
 * allowed. */
bool crypto_aes(enum crypto_mode mode, bool encrypt, const uint8_t key[16], const uint8_t iv[16], const uint8_t *in,
		size_t size, uint8_t *out);

/* Ku of a passphrase by SHA-256: the digest of its first 1,048,576 octets repeated (RFC 3414, A.2; RFC 7860). */
void crypto_password_key(const char *passphrase, uint8_t out[32]);

/* Kul: the key that belongs to one engine (RFC 3414, 2.6). */
void crypto_localize(const uint8_t ku[32], const uint8_t *engine, size_t engine_size, uint8_t out[32]);

/* Frees the contexts. */
void crypto_stop(void);

#endif
