/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may see and write what: the USM users of this engine and the VACM tables (RFC 3415), filled from the users the supervisor
 * names and the rights that stand with the columns. The three groups are glory-view, glory-operate, glory-admin; a read-only
 * community may be added. Called by the role's main (users, secrets) and by serve (every request). */
#ifndef GLORY_MIBS_AGENT_ACCESS_H
#define GLORY_MIBS_AGENT_ACCESS_H

#include <stdbool.h>

#include "mibs/agent/snmp.h"

#include "base/error.h"
#include "board/messages.h"
#include "mibs/agent/table.h"
#include "mibs/snmp/usm.h"

/* Groups, access entries and views; once, after engine_start(). */
void access_begin(void);

/* Derives and installs a user's keys. secret: the text of its secret file (auth=, priv= or community=); the caller wipes it.
 * 0; ERR_CONFIG with the reason in *e. */
int access_add_user(const struct msg_user *user, const char *secret, struct error *e);
/* Forgets users that are not in the list as they are there; the others stay good until access_add_user() brings their new keys. */
void access_retain_users(const struct msg_user *users, size_t count);

/* The right of a request and the view names it may use. */
struct access {
	enum right right;
	const char *user;          /* security name; "community" for v2c; valid as long as the PDU */
	struct vacm_accessEntry *entry;
};
/* Checks security model, level and group. False: no access at all (authorizationError). */
bool access_of(const netsnmp_pdu *pdu, struct access *out);
/* The same for a request that the library has not seen: with a community, or from a user whose message is proved to be his, encrypted. */
bool access_of_community(const uint8_t *name, size_t size, struct access *out);
bool access_of_user(const char *name, struct access *out);
/* The keys of a user, localised for our engine; NULL: no such user. The clock of the peer is the caller's to set. */
struct usm_peer *access_keys(const struct ber *name, const struct credential **credential);
bool access_may_read(const struct access *access, const mib_arc *name, size_t length);
bool access_may_write(const struct access *access, const mib_arc *name, size_t length);

/* Reads `key`=VALUE out of a secret's lines into out. False: not there, empty or too long. */
bool access_secret_value(const char *secret, const char *key, char *out, size_t size);
/* Localises a user's keys (Ku) for an engine and adds it to net-snmp's USM list (taken out of it first when it is there). Also for the
 * users of notification receivers, whose engines are others. auth and priv as in msg_target. */
int access_install_usm(const uint8_t *engine, size_t engine_length, const char *name, uint8_t auth, uint8_t priv, const char *secret,
		       struct error *e);
/* Takes a user of an engine out of the list. */
void access_remove_usm(const uint8_t *engine, size_t engine_length, const char *name);
/* True when the agent itself has a user of that name. */
bool access_is_user(const char *name);

#endif
