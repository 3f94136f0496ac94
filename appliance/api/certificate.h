/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate, those behind it, and the key that the TLS listener shows: checked whole before it takes the place of the one in force, so
 * that a wrong file changes nothing. One for the process, as GnuTLS asks for it without an argument. */
#ifndef GLORY_API_CERTIFICATE_H
#define GLORY_API_CERTIFICATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "board/messages.h"

#define CERTIFICATE_FILE_MAX 65536
#define CERTIFICATE_CHAIN_MAX 8

/* pem: the server's own certificate first; key: PEM, terminated. file and key_name are for the messages. From 0 on it is in force. An ERR_CONFIG
 * names file, cause and remedy, *why the kind of trouble, *ends_ms the end of one that has ended; the one before stays. One that is not yet valid
 * is taken: its clock may be better than ours. */
int certificate_load(const char *pem, size_t size, const char *key, const char *file, const char *key_name, int64_t now_wall_ms,
		     enum https_trouble *why, int64_t *ends_ms, struct error *e);
/* None is in force any more. */
void certificate_off(void);
/* Number of the one in force, counted up with each; 0 none. */
uint64_t certificate_number(void);
/* When the one in force begins and ends, wall clock; 0 none. */
int64_t certificate_begins_ms(void);
int64_t certificate_ends_ms(void);
/* Frees those that no open connection can have been shown: oldest is the lowest number that was in force when one of them came, UINT64_MAX when
 * there is no connection. */
void certificate_forget(uint64_t oldest);
/* For GnuTLS (gnutls_certificate_retrieve_function2): hands out the one in force. */
int certificate_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count, const gnutls_pk_algorithm_t *algorithms,
			 int algorithm_count, gnutls_pcert_st **chain, unsigned *chain_length, gnutls_privkey_t *key);

#endif
