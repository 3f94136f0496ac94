/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the user-based security model against libsnmp: it reads what we write, we read what it builds, keys come
 * from passphrases on both sides. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "mibs/snmp/usm.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mibs/collector/template.h"
#include "tests/unit/unit.h"

enum { BOOTS = 7, TIME = 100000 };
static const uint8_t engine_id[] = {0x80, 0x00, 0x1f, 0x88, 0x80, 1, 2, 3, 4, 5, 6};
static const struct query_want want = {.oid_length = 9, .oid = {1, 3, 6, 1, 2, 1, 1, 3, 0}};

static const struct user_level {
	const char *user, *line; /* for libsnmp's createUser */
	const char *secret;      /* ours */
	uint8_t auth, priv;
} levels[] = {
    {"sha2priv", "-e 0x80001f8880010203040506 sha2priv SHA-256 authpass123 AES privpass123",
     "auth=authpass123\npriv=privpass123\n", USM_AUTH_SHA256, 1},
    {"sha2", "-e 0x80001f8880010203040506 sha2 SHA-256 authpass123", "auth=authpass123", USM_AUTH_SHA256, 0},
    {"sha1priv", "-e 0x80001f8880010203040506 sha1priv SHA authpass123 AES privpass123",
     "priv=privpass123\r\nauth=authpass123\r\n", USM_AUTH_SHA1, 1},
    {"sha1", "-e 0x80001f8880010203040506 sha1 SHA authpass123", "auth=authpass123\n", USM_AUTH_SHA1, 0},
};
enum { LEVELS = sizeof levels / sizeof levels[0] };

static struct credential credential_of(const struct user_level *l)
{
	struct credential c = {.version = SNMP_V3, .auth = l->auth, .priv = l->priv};

	snprintf(c.user, sizeof c.user, "%s", l->user);
	CU_ASSERT_PTR_NULL_FATAL(credential_set_secret(&c, l->secret));
	return c;
}

static struct usm_peer *peer_of(const struct credential *c)
{
	struct usm_peer *p = usm_peer_new(c, engine_id, sizeof engine_id);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	usm_peer_clock(p, BOOTS, TIME, true, 0);
	return p;
}

static char directory[] = "/tmp/test_usm_XXXXXX";

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static void remove_directory(void)
{
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void init_library(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory)); /* the library keeps its state there: nothing of ours */
	setenv("MIBS", "", 1);
	setenv("SNMPCONFPATH", directory, 1);
	setenv("SNMP_PERSISTENT_DIR", directory, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	init_snmp("test_usm");
	atexit(remove_directory);
	for (int i = 0; i < LEVELS; i++) {
		char line[200];
		snprintf(line, sizeof line, "%s", levels[i].line);
		usm_parse_create_usmUser("createUser", line);
	}
	set_enginetime(engine_id, sizeof engine_id, BOOTS, TIME, TRUE);
}

static netsnmp_session session_of(const struct user_level *l)
{
	static u_char id[sizeof engine_id];
	netsnmp_session s;

	memcpy(id, engine_id, sizeof id);
	snmp_sess_init(&s);
	s.version = SNMP_VERSION_3;
	s.securityModel = SNMP_SEC_MODEL_USM;
	s.securityLevel = l->priv ? SNMP_SEC_LEVEL_AUTHPRIV : SNMP_SEC_LEVEL_AUTHNOPRIV;
	s.securityName = (char *)(uintptr_t)l->user;
	s.securityNameLen = strlen(l->user);
	s.securityEngineID = s.contextEngineID = id;
	s.securityEngineIDLen = s.contextEngineIDLen = sizeof id;
	return s;
}

/* A request of ours, read by the library. */
static netsnmp_pdu *read_by_library(const struct user_level *l, const struct credential *c, struct usm_peer *p,
				    uint32_t id)
{
	struct query *q = query_new(&want, 1);
	netsnmp_session s = session_of(l);
	netsnmp_pdu *pdu = snmp_pdu_create(0);
	uint8_t room[1472];
	const uint8_t *start;
	u_char copy[1472];
	size_t size = usm_write(p, c, id, q->pdu, q->size, q->id_at, room, sizeof room, &start, 0);

	CU_ASSERT_FATAL(size > 0);
	memcpy(copy, start, size);
	CU_ASSERT_EQUAL_FATAL(snmp_parse(NULL, &s, pdu, copy, size), 0);
	free(q);
	return pdu;
}

/* The library's answer to it, in a buffer of exactly its size. */
static uint8_t *library_message(const struct user_level *l, const struct credential *c, struct usm_peer *p, long ticks,
				size_t *size)
{
	netsnmp_session s = session_of(l);
	netsnmp_pdu *pdu = read_by_library(l, c, p, 0x40000077);
	u_char *base = malloc(4096);
	size_t space = 4096, used = 0;
	oid name[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};

	pdu->command = SNMP_MSG_RESPONSE;
	snmp_free_varbind(pdu->variables);
	pdu->variables = NULL;
	snmp_pdu_add_variable(pdu, name, OID_LENGTH(name), ASN_TIMETICKS, &ticks, sizeof ticks);
	CU_ASSERT_FATAL(snmp_build(&base, &space, &used, &s, pdu) == 0);
	uint8_t *out = malloc(used);
	memcpy(out, base + space - used, used);
	*size = used;
	free(base);
	snmp_free_pdu(pdu);
	return out;
}

static void the_library_reads_ours(void)
{
	init_library();
	for (int i = 0; i < LEVELS; i++) {
		struct credential c = credential_of(&levels[i]);
		struct usm_peer *p = peer_of(&c);
		for (uint32_t n = 0; n < 500; n++) {
			netsnmp_pdu *pdu = read_by_library(&levels[i], &c, p, 0x40000000u + n);
			CU_ASSERT_EQUAL(pdu->reqid, 0x40000000 + (long)n);
			CU_ASSERT_EQUAL(pdu->msgid, 0x40000000 + (long)n);
			CU_ASSERT_EQUAL(pdu->command, SNMP_MSG_GET);
			CU_ASSERT_EQUAL(pdu->securityLevel,
					levels[i].priv ? SNMP_SEC_LEVEL_AUTHPRIV : SNMP_SEC_LEVEL_AUTHNOPRIV);
			CU_ASSERT(pdu->variables && pdu->variables->name_length == 9);
			snmp_free_pdu(pdu);
		}
		usm_peer_free(p);
	}
}

static void we_read_the_library(void)
{
	init_library();
	for (int i = 0; i < LEVELS; i++) {
		struct credential c = credential_of(&levels[i]);
		struct usm_peer *p = peer_of(&c);
		for (long n = 1; n < 500; n++) {
			size_t size;
			uint8_t *bytes = library_message(&levels[i], &c, p, n, &size);
			struct usm_message m;
			struct response r;
			struct ber pdu, varbind, content;
			struct query_value v = {0};
			uint8_t type;
			CU_ASSERT_FATAL(usm_read(bytes, size, &m));
			CU_ASSERT_EQUAL(m.id, 0x40000077);
			CU_ASSERT_EQUAL(usm_open(p, &c, &m, &pdu), USM_OK);
			CU_ASSERT(usm_in_window(p, &m, 0));
			CU_ASSERT_FATAL(response_parse(pdu, &r) && r.id == 0x40000077 &&
					ber_take(&r.varbinds, BER_SEQUENCE, &varbind) &&
					ber_take(&varbind, BER_OID, &content) && ber_any(&varbind, &type, &content) &&
					value_decode(type, content, &v));
			CU_ASSERT_EQUAL(v.value, n);
			free(bytes);
		}
		usm_peer_free(p);
	}
}

/* Every bit of a message changed, one at a time: never believed. Cut at every length: never read. */
static void changed_messages_are_not_believed(void)
{
	init_library();
	for (int i = 0; i < LEVELS; i += 3) {
		struct credential c = credential_of(&levels[i]);
		struct usm_peer *p = peer_of(&c);
		size_t size;
		uint8_t *bytes = library_message(&levels[i], &c, p, 5, &size);
		for (size_t bit = 0; bit < size * 8; bit++) {
			uint8_t *copy = malloc(size);
			struct usm_message m;
			struct ber pdu;
			memcpy(copy, bytes, size);
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			bool believed = usm_read(copy, size, &m) && usm_open(p, &c, &m, &pdu) == USM_OK;
			CU_ASSERT_FALSE(believed);
			free(copy);
		}
		for (size_t cut = 0; cut < size; cut++) {
			uint8_t *copy = malloc(cut + 1);
			struct usm_message m;
			memcpy(copy, bytes, cut);
			CU_ASSERT_FALSE(usm_read(copy, cut, &m));
			free(copy);
		}
		free(bytes);
		usm_peer_free(p);
	}
}

static void the_time_window(void)
{
	struct credential c = credential_of(&levels[0]);
	struct usm_peer *p = peer_of(&c);
	struct usm_message m = {.boots = BOOTS, .time = TIME - 150};

	CU_ASSERT(usm_in_window(p, &m, 0));
	m.time = TIME - 151;
	CU_ASSERT_FALSE(usm_in_window(p, &m, 0));
	m.time = TIME - 150;
	CU_ASSERT_FALSE(usm_in_window(p, &m, 1000)); /* our idea of its clock runs on */
	m.boots = BOOTS - 1;
	m.time = TIME + 1000;
	CU_ASSERT_FALSE(usm_in_window(p, &m, 0));
	m.boots = BOOTS + 1;
	m.time = 3; /* restarted: the new clock is taken */
	CU_ASSERT(usm_in_window(p, &m, 0));
	m.boots = BOOTS;
	m.time = TIME + 1000;
	CU_ASSERT_FALSE(usm_in_window(p, &m, 0));
	m.boots = INT32_MAX;
	CU_ASSERT_FALSE(usm_in_window(p, &m, 0));
	usm_peer_free(p);
}

static void wrong_secrets_are_named(void)
{
	struct credential c = {.version = SNMP_V3, .auth = USM_AUTH_SHA256, .priv = 1};

	CU_ASSERT_PTR_NOT_NULL(credential_set_secret(&c, ""));
	CU_ASSERT_PTR_NOT_NULL(credential_set_secret(&c, "auth=short\npriv=privpass123"));
	CU_ASSERT_PTR_NOT_NULL(credential_set_secret(&c, "auth=authpass123"));
	CU_ASSERT_PTR_NOT_NULL(credential_set_secret(&c, "xauth=authpass123\npriv=privpass123"));
	CU_ASSERT_FALSE(c.ready);
	c = (struct credential){.version = SNMP_V2C};
	CU_ASSERT_PTR_NOT_NULL(credential_set_secret(&c, "community="));
	CU_ASSERT_PTR_NULL(credential_set_secret(&c, "# a line\ncommunity=lab\n"));
	CU_ASSERT(c.ready && c.community_size == 3 && !memcmp(c.community, "lab", 3));
}

int main(void)
{
	static const struct unit_test tests[] = {
	    {"the library reads ours", the_library_reads_ours},
	    {"we read the library", we_read_the_library},
	    {"changed messages are not believed", changed_messages_are_not_believed},
	    {"the time window", the_time_window},
	    {"wrong secrets are named", wrong_secrets_are_named},
	};
	return unit_run("usm", tests, LEVELS + 1);
}
