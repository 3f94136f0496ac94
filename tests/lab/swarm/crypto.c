/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HMAC, AES and SNMPv3 key derivation by OpenSSL; called by bmc_session.c and agent_v3.c for each packet. */
#include "tests/lab/swarm/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

static EVP_MAC_CTX *mac[2];
static EVP_CIPHER_CTX *cipher[2][2];

static EVP_MAC_CTX *mac_context(bool sha256)
{
	char *name = sha256 ? (char[]){"SHA256"} : (char[]){"SHA1"};
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
			       OSSL_PARAM_construct_end()};
	EVP_MAC *hmac;

	if (!mac[sha256]) {
		hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
		mac[sha256] = EVP_MAC_CTX_new(hmac);
		EVP_MAC_CTX_set_params(mac[sha256], params);
		EVP_MAC_free(hmac);
	}
	return mac[sha256];
}

void crypto_mac(bool sha256, const void *key, size_t key_size, const void *data, size_t size,
		uint8_t out[CRYPTO_MAC_MAX])
{
	EVP_MAC_CTX *c = mac_context(sha256);
	size_t written;

	EVP_MAC_init(c, key, key_size, NULL);
	EVP_MAC_update(c, data, size);
	EVP_MAC_final(c, out, &written, CRYPTO_MAC_MAX);
}

bool crypto_aes(enum crypto_mode mode, bool encrypt, const uint8_t key[16], const uint8_t iv[16], const uint8_t *in,
		size_t size, uint8_t *out)
{
	EVP_CIPHER_CTX *c = cipher[mode][encrypt];
	const EVP_CIPHER *kind = mode == CRYPTO_CBC ? EVP_aes_128_cbc() : EVP_aes_128_cfb128();
	int written;

	if (!c) {
		c = cipher[mode][encrypt] = EVP_CIPHER_CTX_new();
		if (!c || EVP_CipherInit_ex(c, kind, NULL, NULL, NULL, encrypt) != 1)
			return false;
	}
	return EVP_CipherInit_ex(c, NULL, NULL, key, iv, encrypt) == 1 && EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
	       EVP_CipherUpdate(c, out, &written, in, (int)size) == 1;
}

void crypto_password_key(const char *passphrase, uint8_t out[32])
{
	enum { WHOLE = 1048576, CHUNK = 64 };
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t size = strlen(passphrase), at = 0;
	uint8_t chunk[CHUNK];

	EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	for (int done = 0; done < WHOLE; done += CHUNK) {
		for (int i = 0; i < CHUNK; i++)
			chunk[i] = (uint8_t)passphrase[at++ % size];
		EVP_DigestUpdate(c, chunk, CHUNK);
	}
	EVP_DigestFinal_ex(c, out, NULL);
	EVP_MD_CTX_free(c);
	explicit_bzero(chunk, sizeof(chunk));
}

void crypto_localize(const uint8_t ku[32], const uint8_t *engine, size_t engine_size, uint8_t out[32])
{
	uint8_t all[32 + 32 + 32];

	memcpy(all, ku, 32);
	memcpy(all + 32, engine, engine_size);
	memcpy(all + 32 + engine_size, ku, 32);
	EVP_Digest(all, 64 + engine_size, out, NULL, EVP_sha256(), NULL);
	explicit_bzero(all, sizeof(all));
}

void crypto_stop(void)
{
	for (int i = 0; i < 2; i++) {
		EVP_MAC_CTX_free(mac[i]);
		mac[i] = NULL;
		for (int mode = 0; mode < 2; mode++) {
			EVP_CIPHER_CTX_free(cipher[mode][i]);
			cipher[mode][i] = NULL;
		}
	}
}
