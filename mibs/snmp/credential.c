/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets of SNMP agents; see credential.h. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mibs/snmp/credential.h"

#include <string.h>

enum { PASSPHRASE_MIN = 8, LIBRARY_KEY = 64 }; /* RFC 3414, section 11.2; the library wants room for its longest key */

/* The value of the line "key=value"; its size, or -1 when there is none. */
static int find_line(const char *text, const char *key, const char **value)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, key, length) && line[length] == '=') {
			*value = line + length + 1;
			return (int)strcspn(*value, "\r\n");
		}
	return -1;
}

static const char *make_key(const struct credential *c, const char *passphrase, int size, uint8_t key[USM_KEY_MAX])
{
	const oid *type = c->auth == USM_AUTH_SHA256 ? usmHMAC192SHA256AuthProtocol : usmHMACSHA1AuthProtocol;
	size_t length =
	    c->auth == USM_AUTH_SHA256 ? OID_LENGTH(usmHMAC192SHA256AuthProtocol) : OID_LENGTH(usmHMACSHA1AuthProtocol);
	u_char pass[1024], made[LIBRARY_KEY];
	size_t made_size = sizeof made;

	if (size < PASSPHRASE_MIN || (size_t)size > sizeof pass)
		return "needs a line auth= (and priv= for privacy) of at least 8 characters";
	memcpy(pass, passphrase, (size_t)size);
	int rc = generate_Ku(type, (u_int)length, pass, (size_t)size, made, &made_size);
	memcpy(key, made, c->key_size);
	explicit_bzero(pass, sizeof pass);
	explicit_bzero(made, sizeof made);
	return rc == SNMPERR_SUCCESS && made_size == c->key_size ? NULL : "this libsnmp cannot make its keys";
}

const char *credential_set_secret(struct credential *c, const char *text)
{
	const char *value, *wrong = NULL;
	int size;

	c->ready = false;
	if (c->version != SNMP_V3) {
		size = find_line(text, "community", &value);
		if (size < 1 || size > CREDENTIAL_COMMUNITY_MAX)
			return "needs a line community= of 1 to 255 characters";
		memcpy(c->community, value, (size_t)size);
		c->community_size = (uint8_t)size;
		c->ready = true;
		return NULL;
	}
	if (c->auth == USM_AUTH_NONE || c->auth > USM_AUTH_SHA1 || c->priv > USM_PRIV_AES128)
		return "version 3 is spoken with auth SHA-256 or SHA, and priv AES-128 or none";
	c->key_size = c->auth == USM_AUTH_SHA256 ? 32 : 20;
	size = find_line(text, "auth", &value);
	wrong = make_key(c, value, size, c->auth_key);
	if (!wrong && c->priv) {
		size = find_line(text, "priv", &value);
		wrong = make_key(c, value, size, c->priv_key);
	}
	c->ready = !wrong;
	return wrong;
}

void credential_wipe(struct credential *c)
{
	explicit_bzero(c, sizeof *c);
}
