/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MACs and AES of the RMCP+ sessions on contexts that are made once; called by bmc.c for each packet. */
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "tests/lab/swarm/bmc_private.h"

static EVP_MAC_CTX *mac[2];
static EVP_CIPHER_CTX *cipher[2];

static EVP_MAC_CTX *mac_context(bool sha256)
{
	char *name = sha256 ? (char[]){"SHA256"} : (char[]){"SHA1"};
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *hmac;

	if (!mac[sha256]) {
		hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
		mac[sha256] = EVP_MAC_CTX_new(hmac);
		EVP_MAC_CTX_set_params(mac[sha256], params);
		EVP_MAC_free(hmac);
	}
	return mac[sha256];
}

void bmc_mac(bool sha256, const void *key, size_t key_size, const void *data, size_t size, uint8_t out[MAC_MAX])
{
	EVP_MAC_CTX *c = mac_context(sha256);
	size_t written;

	EVP_MAC_init(c, key, key_size, NULL);
	EVP_MAC_update(c, data, size);
	EVP_MAC_final(c, out, &written, MAC_MAX);
}

bool bmc_aes(bool encrypt, const uint8_t key[16], const uint8_t iv[16], const uint8_t *in, size_t size, uint8_t *out)
{
	EVP_CIPHER_CTX *c = cipher[encrypt];
	int written;

	if (!c) {
		c = cipher[encrypt] = EVP_CIPHER_CTX_new();
		if (!c || EVP_CipherInit_ex(c, EVP_aes_128_cbc(), NULL, NULL, NULL, encrypt) != 1)
			return false;
	}
	return EVP_CipherInit_ex(c, NULL, NULL, key, iv, encrypt) == 1 && EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
	       EVP_CipherUpdate(c, out, &written, in, (int)size) == 1;
}

void bmc_crypto_stop(void)
{
	for (int i = 0; i < 2; i++) {
		EVP_MAC_CTX_free(mac[i]);
		EVP_CIPHER_CTX_free(cipher[i]);
		mac[i] = NULL;
		cipher[i] = NULL;
	}
}
