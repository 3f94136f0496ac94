/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users, keys, groups and views in net-snmp's own USM and VACM tables; see access.h. */
#include "mibs/agent/access.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define USERS_MAX 32
#define READ_VIEW "glory-read"
#define COMMUNITY_USER "community"

static struct msg_user users[USERS_MAX];
/* of a v3 user: what its messages are read and written with; beside users[] */
static struct keys {
	struct credential credential;
	struct usm_peer *peer;
} keys[USERS_MAX];
static size_t user_count;
static char community[NAME_SIZE];

/* --- views: from the columns, so that a column's right has one home ----------------------------------- */

static void view_include(const char *view, const mib_arc *name, size_t length)
{
	oid subtree[MIB_OID_MAX];

	memcpy(subtree, name, length * sizeof *name);
	struct vacm_viewEntry *v = vacm_createViewEntry(view, subtree, length);
	if (!v)
		return;
	v->viewType = SNMP_VIEW_INCLUDED;
	v->viewStatus = RS_ACTIVE;
	memset(v->viewMask, 0xff, sizeof v->viewMask - 1);
	v->viewMaskLen = sizeof v->viewMask - 1;
}

static const char *write_view(enum right right)
{
	return right >= RIGHT_ADMIN ? "glory-write-admin" : right >= RIGHT_OPERATE ? "glory-write-operate" : "";
}

static void include_writable(enum right right)
{
	mib_arc name[MIB_OID_MAX];

	for (size_t t = 0; t < mib_table_count; t++)
		for (size_t c = 0; c < mib_tables[t].column_count; c++) {
			const struct mib_column *column = &mib_tables[t].columns[c];
			if (column->write != RIGHT_NONE && column->write <= right)
				view_include(write_view(right), name, mib_column_name(&mib_tables[t], column, name));
		}
}

static void allow(const char *group, int model, int level, const char *write)
{
	struct vacm_accessEntry *a = vacm_createAccessEntry(group, "", model, level);

	if (!a)
		return;
	a->contextMatch = CONTEXT_MATCH_EXACT;
	a->status = RS_ACTIVE;
	text_copy(a->views[VACM_VIEW_READ], sizeof a->views[0], READ_VIEW);
	text_copy(a->views[VACM_VIEW_WRITE], sizeof a->views[0], write);
}

void access_begin(void)
{
	for (size_t t = 0; t < mib_table_count; t++)
		if (memcmp(mib_tables[t].prefix, glory_root, sizeof glory_root) != 0)
			view_include(READ_VIEW, mib_tables[t].prefix, mib_tables[t].prefix_length);
	view_include(READ_VIEW, glory_root, GLORY_ROOT_LENGTH);
	include_writable(RIGHT_OPERATE);
	include_writable(RIGHT_ADMIN);
	for (int right = RIGHT_VIEW; right <= RIGHT_ADMIN; right++)
		allow(words_name(WORDS_RIGHT, right), SNMP_SEC_MODEL_USM, SNMP_SEC_LEVEL_AUTHPRIV, write_view((enum right)right));
	allow(words_name(WORDS_RIGHT, RIGHT_VIEW), SNMP_SEC_MODEL_SNMPv2c, SNMP_SEC_LEVEL_NOAUTH, "");
}

/* --- keys ------------------------------------------------------------------------------------------- */

bool access_secret_value(const char *secret, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);

	for (const char *line = secret; *line;) {
		size_t length = strcspn(line, "\r\n");
		if (length > n && !strncmp(line, key, n) && line[n] == '=') {
			size_t value = length - n - 1;
			if (value == 0 || value >= size)
				return false;
			memcpy(out, line + n + 1, value);
			out[value] = '\0';
			return true;
		}
		line += length;
		line += strspn(line, "\r\n");
	}
	return false;
}

static const oid *auth_oid(uint8_t auth, size_t *length)
{
	*length = 10;
	return auth == 2 ? usmHMACSHA1AuthProtocol : usmHMAC192SHA256AuthProtocol;
}

void access_remove_usm(const uint8_t *engine, size_t engine_length, const char *name)
{
	for (struct usmUser *u = usm_get_userList(); u; u = u->next) {
		if (u->engineIDLen != engine_length || memcmp(u->engineID, engine, engine_length) || strcmp(u->name, name) != 0)
			continue;
		usm_remove_user(u);
		u->next = u->prev = NULL; /* removing leaves them, and freeing then refuses */
		if (u->authKey)
			explicit_bzero(u->authKey, u->authKeyLen);
		if (u->privKey)
			explicit_bzero(u->privKey, u->privKeyLen);
		usm_free_user(u);
		return;
	}
}

static void *copied(const void *bytes, size_t size)
{
	void *copy = mem_zalloc(size);

	memcpy(copy, bytes, size);
	return copy;
}

/* A key localised for an engine, malloc'd; NULL: libsnmp cannot make it. */
static u_char *localised(const struct credential *c, const uint8_t *ku, const uint8_t *engine, size_t engine_length)
{
	u_char *kul = mem_zalloc(USM_KEY_MAX);

	if (usm_localize(c, ku, engine, engine_length, kul))
		return kul;
	free(kul);
	return NULL;
}

static int add_usm(const uint8_t *engine, size_t engine_length, const struct credential *c)
{
	u_char *auth_key = localised(c, c->auth_key, engine, engine_length);
	u_char *priv_key = localised(c, c->priv_key, engine, engine_length);
	struct usmUser *u = auth_key && priv_key ? usm_create_user() : NULL;
	size_t n;

	if (!u) {
		free(auth_key);
		free(priv_key);
		return ERR_CONFIG;
	}
	SNMP_FREE(u->authProtocol);
	SNMP_FREE(u->privProtocol);
	u->engineID = copied(engine, engine_length);
	u->engineIDLen = engine_length;
	u->name = mem_strdup(c->user);
	u->secName = mem_strdup(c->user);
	const oid *protocol = auth_oid(c->auth, &n);
	u->authProtocol = copied(protocol, n * sizeof(oid));
	u->authProtocolLen = n;
	u->authKey = auth_key;
	u->authKeyLen = c->key_size;
	u->privProtocol = copied(usmAESPrivProtocol, 10 * sizeof(oid));
	u->privProtocolLen = 10;
	u->privKey = priv_key;
	u->privKeyLen = 16; /* AES-128 (RFC 3826, section 1.2.1): the first 16 octets */
	u->userStatus = RS_ACTIVE;
	u->userStorageType = ST_READONLY;
	access_remove_usm(engine, engine_length, c->user);
	usm_add_user(u);
	return 0;
}

/* A user's keys, not yet localised; the caller wipes them. */
static int make_credential(const char *name, uint8_t auth, uint8_t priv, const char *secret, struct credential *c, struct error *e)
{
	char object[96];

	*c = (struct credential){.version = SNMP_V3, .auth = auth, .priv = priv};
	text_format(object, sizeof object, "snmp user %s", name);
	if (auth < USM_AUTH_SHA256 || auth > USM_AUTH_SHA1 || priv != USM_PRIV_AES128 || !text_copy(c->user, sizeof c->user, name))
		return error_set(e, ERR_CONFIG, object, "give it auth=\"SHA-256\" and priv=\"AES-128\"",
				 "only authenticated and encrypted users are taken");
	if (credential_set_secret(c, secret))
		return error_set(e, ERR_CONFIG, object, "write lines auth=... and priv=... of 8 or more characters each",
				 "its secret has no usable passphrases");
	return 0;
}

int access_install_usm(const uint8_t *engine, size_t engine_length, const char *name, uint8_t auth, uint8_t priv, const char *secret,
		       struct error *e)
{
	struct credential c;
	int rc = make_credential(name, auth, priv, secret, &c, e);

	if (!rc && add_usm(engine, engine_length, &c))
		rc = error_set(e, ERR_CONFIG, name, "repair the installation", "libsnmp cannot make its keys");
	credential_wipe(&c);
	return rc;
}

/* --- users ------------------------------------------------------------------------------------------ */

static struct msg_user *find_user(const char *name)
{
	for (size_t i = 0; i < user_count; i++)
		if (!strcmp(users[i].name, name))
			return &users[i];
	return NULL;
}

bool access_is_user(const char *name)
{
	return find_user(name) != NULL;
}

static void forget(struct msg_user *user)
{
	uint8_t engine[64];
	size_t n = snmpv3_get_engineID(engine, sizeof engine);

	if (user->version == SNMP_V2C) {
		explicit_bzero(community, sizeof community);
		vacm_destroyGroupEntry(SNMP_SEC_MODEL_SNMPv2c, COMMUNITY_USER);
	} else {
		access_remove_usm(engine, n, user->name);
		vacm_destroyGroupEntry(SNMP_SEC_MODEL_USM, user->name);
	}
	struct keys *k = &keys[user - users];
	usm_peer_free(k->peer);
	credential_wipe(&k->credential);
	*user = users[--user_count];
	*k = keys[user_count];
	explicit_bzero(&keys[user_count], sizeof *k);
}

void access_retain_users(const struct msg_user *wanted, size_t count)
{
	for (size_t i = user_count; i-- > 0;) {
		size_t k = 0;
		while (k < count && memcmp(&wanted[k], &users[i], sizeof users[i]) != 0)
			k++;
		if (k == count)
			forget(&users[i]);
	}
}

static void join_group(int model, const char *name, enum right right)
{
	struct vacm_groupEntry *g = vacm_createGroupEntry(model, name);

	if (!g)
		return;
	text_copy(g->groupName, sizeof g->groupName, words_name(WORDS_RIGHT, (int)right));
	g->status = RS_ACTIVE;
}

static int add_community(const char *secret, struct error *e)
{
	if (!access_secret_value(secret, "community", community, sizeof community))
		return error_set(e, ERR_CONFIG, "snmp community", "write a line community=...", "its secret has no community");
	join_group(SNMP_SEC_MODEL_SNMPv2c, COMMUNITY_USER, RIGHT_VIEW);
	return 0;
}

/* The user's keys for our engine, for ourselves and for the library. */
static int add_keys(struct keys *k, const uint8_t *engine, size_t engine_length, struct error *e, enum right right)
{
	const char *name = k->credential.user;

	k->peer = usm_peer_new(&k->credential, engine, engine_length);
	if (!k->peer || add_usm(engine, engine_length, &k->credential)) {
		usm_peer_free(k->peer);
		k->peer = NULL;
		return error_set(e, ERR_CONFIG, name, "repair the installation", "libsnmp or libcrypto cannot make its keys");
	}
	join_group(SNMP_SEC_MODEL_USM, name, right);
	return 0;
}

int access_add_user(const struct msg_user *user, const char *secret, struct error *e)
{
	uint8_t engine[64];
	size_t n = snmpv3_get_engineID(engine, sizeof engine);
	struct msg_user *old = find_user(user->name);

	if (user->right < RIGHT_VIEW || user->right > RIGHT_ADMIN || !text_is_name(user->name, 31))
		return error_set(e, ERR_CONFIG, user->name, "give a name of up to 31 letters and one of the three groups", "no usable snmp user");
	if (old)
		forget(old);
	if (user_count == USERS_MAX)
		return error_set(e, ERR_NO_RESOURCE, user->name, "remove one", "more than %d snmp users", USERS_MAX);
	struct keys *k = &keys[user_count];
	int rc = user->version == SNMP_V2C ? add_community(secret, e)
					   : make_credential(user->name, user->auth, user->priv, secret, &k->credential, e);
	if (!rc && user->version != SNMP_V2C)
		rc = add_keys(k, engine, n, e, (enum right)user->right);
	if (rc) {
		credential_wipe(&k->credential);
		return rc;
	}
	users[user_count++] = *user;
	return 0;
}

/* --- requests --------------------------------------------------------------------------------------- */

struct usm_peer *access_keys(const struct ber *name, const struct credential **credential)
{
	size_t n = ber_left(name);

	for (size_t i = 0; i < user_count; i++) {
		if (!keys[i].peer || strlen(keys[i].credential.user) != n || memcmp(keys[i].credential.user, name->at, n) != 0)
			continue;
		*credential = &keys[i].credential;
		return keys[i].peer;
	}
	return NULL;
}

static bool access_for(const char *user, int model, int level, struct access *out)
{
	struct vacm_groupEntry *group = vacm_getGroupEntry(model, user);

	*out = (struct access){.right = RIGHT_NONE, .user = user};
	if (!group)
		return false;
	out->entry = vacm_getAccessEntry(group->groupName, "", model, level);
	out->right = (enum right)words_value(WORDS_RIGHT, group->groupName);
	return out->entry != NULL;
}

bool access_of_community(const uint8_t *name, size_t size, struct access *out)
{
	size_t n = strlen(community);

	return n && size == n && !CRYPTO_memcmp(name, community, n) &&
	       access_for(COMMUNITY_USER, SNMP_SEC_MODEL_SNMPv2c, SNMP_SEC_LEVEL_NOAUTH, out);
}

bool access_of_user(const char *name, struct access *out)
{
	return access_for(name, SNMP_SEC_MODEL_USM, SNMP_SEC_LEVEL_AUTHPRIV, out);
}

bool access_of(const netsnmp_pdu *pdu, struct access *out)
{
	*out = (struct access){.right = RIGHT_NONE};
	if (pdu->version == SNMP_VERSION_2c && pdu->community)
		return access_of_community(pdu->community, pdu->community_len, out);
	if (pdu->version == SNMP_VERSION_3 && pdu->securityModel == SNMP_SEC_MODEL_USM && pdu->contextNameLen == 0 && pdu->securityName)
		return access_for(pdu->securityName, SNMP_SEC_MODEL_USM, pdu->securityLevel, out);
	return false;
}

static bool in_view(const char *view, const mib_arc *name, size_t length)
{
	oid copy[MAX_OID_LEN];

	if (!view[0] || length > MAX_OID_LEN)
		return false;
	memcpy(copy, name, length * sizeof *name);
	struct vacm_viewEntry *v = vacm_getViewEntry(view, copy, length, VACM_MODE_FIND);
	return v && v->viewType == SNMP_VIEW_INCLUDED;
}

bool access_may_read(const struct access *access, const mib_arc *name, size_t length)
{
	return in_view(access->entry->views[VACM_VIEW_READ], name, length);
}

bool access_may_write(const struct access *access, const mib_arc *name, size_t length)
{
	return in_view(access->entry->views[VACM_VIEW_WRITE], name, length);
}
