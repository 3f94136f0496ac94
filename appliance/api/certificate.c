/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the TLS listener shows; see certificate.h. */
#include "api/certificate.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define KEY_ID 32

struct shown {
	uint64_t number;
	gnutls_pcert_st chain[CERTIFICATE_CHAIN_MAX];
	unsigned length;
	gnutls_privkey_t key;
	int64_t begins_ms, ends_ms;
	struct shown *next; /* newer */
};
/* From the oldest that may be in use on; the newest is in force unless it is off. */
static struct shown *oldest, *newest;
static uint64_t last_number;
static bool off = true;

/* What is being put together. */
struct making {
	const char *file, *key_label;
	gnutls_x509_crt_t *list;
	unsigned count;
	gnutls_x509_privkey_t key;
	enum https_trouble why; /* should the step that runs fail */
	int64_t ends_ms;
	struct error *e;
};

static void free_shown(struct shown *s)
{
	for (unsigned i = 0; i < s->length; i++)
		gnutls_pcert_deinit(&s->chain[i]);
	if (s->key)
		gnutls_privkey_deinit(s->key);
	free(s);
}

static int read_chain(struct making *m, const char *pem, size_t size)
{
	gnutls_datum_t text = {(unsigned char *)(uintptr_t)pem, (unsigned)size};
	m->why = HTTPS_NO_CHAIN;
	int rc = gnutls_x509_crt_list_import2(&m->list, &m->count, &text, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);

	if (rc == GNUTLS_E_CERTIFICATE_LIST_UNSORTED)
		return error_set(m->e, ERR_CONFIG, m->file, "write the server's certificate first, behind each the one that signed it",
				 "its certificates are not in order");
	if (rc < 0)
		return error_set(m->e, ERR_CONFIG, m->file, "write it in PEM, the server's certificate first", "holds no certificate that can be read: %s",
				 gnutls_strerror(rc));
	if (m->count > CERTIFICATE_CHAIN_MAX)
		return error_set(m->e, ERR_CONFIG, m->file, "leave out those that clients have themselves", "has %u certificates, more than %d", m->count,
				 CERTIFICATE_CHAIN_MAX);
	return 0;
}

static int check_chain(struct making *m, int64_t now_wall_ms)
{
	static const char renew[] = "renew it and its key, then: systemctl reload glory";
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(m->list[0], &bits);
	char when[32];

	m->why = HTTPS_WEAK;
	m->ends_ms = (int64_t)gnutls_x509_crt_get_expiration_time(m->list[0]) * 1000;
	if (algorithm < 0 || gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm, bits) < GNUTLS_SEC_PARAM_MEDIUM)
		return error_set(m->e, ERR_CONFIG, m->file, renew, "its key of %u bits is too weak: RSA begins at 2048, elliptic curves at 256", bits);
	m->why = HTTPS_ENDED;
	if (m->ends_ms <= now_wall_ms)
		return error_set(m->e, ERR_CONFIG, m->file, renew, "ended on %s", clock_text(m->ends_ms, when, sizeof when));
	return 0;
}

static int read_key(struct making *m, const char *key)
{
	gnutls_datum_t text = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};
	int rc = gnutls_x509_privkey_init(&m->key);

	m->why = HTTPS_BAD_KEY;
	if (!rc)
		rc = gnutls_x509_privkey_import2(m->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc == GNUTLS_E_DECRYPTION_FAILED)
		return error_set(m->e, ERR_CONFIG, m->key_label, "write it without a passphrase: openssl pkey -in KEY -out FILE", "is encrypted");
	return rc ? error_set(m->e, ERR_CONFIG, m->key_label, "write the certificate's private key in PEM", "holds no private key that can be read: %s",
			      gnutls_strerror(rc))
		  : 0;
}

static int check_pair(struct making *m)
{
	uint8_t ours[KEY_ID], its[KEY_ID];
	size_t a = sizeof ours, b = sizeof its;

	m->why = HTTPS_OTHER_KEY;
	if (!gnutls_x509_privkey_get_key_id(m->key, GNUTLS_KEYID_USE_SHA256, ours, &a) &&
	    !gnutls_x509_crt_get_key_id(m->list[0], GNUTLS_KEYID_USE_SHA256, its, &b) && a == b && !memcmp(ours, its, a))
		return 0;
	return error_set(m->e, ERR_CONFIG, m->key_label, "put certificate and key of the same renewal there, then: systemctl reload glory",
			 "is not the key of the first certificate in %s", m->file);
}

static int show(struct making *m)
{
	struct shown *s = mem_zalloc(sizeof *s);
	int rc = gnutls_privkey_init(&s->key);

	m->why = HTTPS_NO_CHAIN;
	for (; !rc && s->length < m->count; s->length += !rc)
		rc = gnutls_pcert_import_x509(&s->chain[s->length], m->list[s->length], 0);
	if (!rc)
		rc = gnutls_privkey_import_x509(s->key, m->key, GNUTLS_PRIVKEY_IMPORT_COPY);
	if (rc) {
		free_shown(s);
		return error_set(m->e, ERR_NO_RESOURCE, m->file, "look at the log", "cannot be shown: %s", gnutls_strerror(rc));
	}
	s->begins_ms = (int64_t)gnutls_x509_crt_get_activation_time(m->list[0]) * 1000;
	s->ends_ms = (int64_t)gnutls_x509_crt_get_expiration_time(m->list[0]) * 1000;
	s->number = ++last_number;
	if (newest)
		newest->next = s;
	else
		oldest = s;
	newest = s;
	off = false;
	return 0;
}

int certificate_load(const char *pem, size_t size, const char *key, const char *file, const char *key_name, int64_t now_wall_ms,
		     enum https_trouble *why, int64_t *ends_ms, struct error *e)
{
	char label[96];
	struct making m = {.file = file, .key_label = label, .e = e};

	text_format(label, sizeof label, "secret tls/%s", key_name);
	int rc = read_chain(&m, pem, size);
	if (!rc)
		rc = check_chain(&m, now_wall_ms);
	if (!rc)
		rc = read_key(&m, key);
	if (!rc)
		rc = check_pair(&m);
	if (!rc)
		rc = show(&m);
	for (unsigned i = 0; m.list && i < m.count; i++)
		gnutls_x509_crt_deinit(m.list[i]);
	gnutls_free(m.list);
	if (m.key)
		gnutls_x509_privkey_deinit(m.key);
	*why = rc ? m.why : HTTPS_WELL;
	*ends_ms = m.ends_ms;
	return rc;
}

void certificate_off(void)
{
	off = true;
}

uint64_t certificate_number(void)
{
	return off ? 0 : newest->number;
}

int64_t certificate_begins_ms(void)
{
	return off ? 0 : newest->begins_ms;
}

int64_t certificate_ends_ms(void)
{
	return off ? 0 : newest->ends_ms;
}

/* A connection that came under one may have been shown that or any later one: so they go in their order. */
void certificate_forget(uint64_t lowest)
{
	while (oldest && oldest->number < lowest && (off || oldest != newest)) {
		struct shown *next = oldest->next;
		free_shown(oldest);
		oldest = next;
	}
	if (!oldest)
		newest = NULL;
}

int certificate_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count, const gnutls_pk_algorithm_t *algorithms,
			 int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key)
{
	(void)session;
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	if (off)
		return -1;
	*chain = newest->chain;
	*chain_length = newest->length;
	*key = newest->key;
	return 0;
}
