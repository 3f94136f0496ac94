/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an agent is spoken to: SNMP version, community, or user with keys. Many agents share one. */
#ifndef GLORY_SNMP_CREDENTIAL_H
#define GLORY_SNMP_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/messages.h"

enum { CREDENTIAL_COMMUNITY_MAX = 255, USM_KEY_MAX = 32 };
enum usm_auth { USM_AUTH_NONE = 0, USM_AUTH_SHA256 = 1, USM_AUTH_SHA1 = 2 };
enum usm_priv { USM_PRIV_NONE = 0, USM_PRIV_AES128 = 1 };

struct credential {
	char name[NAME_SIZE];
	char user[NAME_SIZE];
	uint8_t version; /* enum snmp_version */
	uint8_t auth, priv;
	bool ready;       /* the secret is here */
	uint8_t trouble;  /* why not: the owner's own number, 0 none */
	uint8_t key_size; /* of both Ku: 32 for SHA-256, 20 for SHA-1 */
	uint8_t auth_key[USM_KEY_MAX],
	    priv_key[USM_KEY_MAX]; /* Ku (RFC 3414, appendix A.2): of the user, not yet of an engine */
	uint8_t community_size;
	uint8_t community[CREDENTIAL_COMMUNITY_MAX];
};

/* Takes the secret's text ("community=...", or "auth=..." and "priv=...", one a line) and makes keys of it; takes about
 * 5 ms for version 3. NULL when well, else what is wrong ("needs a line auth= of at least 8 characters"). The text is
 * not kept. */
const char *credential_set_secret(struct credential *credential, const char *text);
void credential_wipe(struct credential *credential);

#endif
