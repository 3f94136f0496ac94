/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests, and the checks of what comes back; see snmp.h. The switch drivers call it. */
#include "l4drivers/snmp.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define READ_TRIES 3
#define BULK_ROWS 20
#define TIMEOUT_MS 1500

struct snmp {
	struct driver_run *run;
	snmp_exchange *exchange;
	void *arg;
	void *session; /* net-snmp's, NULL with a fake */
	int timeout_ms;
	bool forbids; /* the last refusal */
};

static snmp_exchange *fake;
static void *fake_arg;

void switch_fake(snmp_exchange *exchange, void *arg)
{
	fake = exchange;
	fake_arg = arg;
}

/* --- sessions ------------------------------------------------------------------------------------------- */

/* What net-snmp says, and what to do about it. */
static int session_error(const struct snmp *s, int number, struct error *e)
{
	switch (number) {
	case SNMPERR_TIMEOUT:
		return error_set(e, ERR_REMOTE, s->run->object, "see whether it is reachable and allows this address", "no answer by SNMP");
	case SNMPERR_UNKNOWN_USER_NAME:
	case SNMPERR_AUTHENTICATION_FAILURE:
	case SNMPERR_UNSUPPORTED_SEC_LEVEL:
	case SNMPERR_DECRYPTION_ERR:
		return error_set(e, ERR_CONFIG, s->run->object, "correct user and secret of the snmp credential", "the agent refuses the user: %s",
				 snmp_api_errstring(number));
	default:
		return error_set(e, ERR_REMOTE, s->run->object, "see whether it is reachable", "SNMP: %s", snmp_api_errstring(number));
	}
}

static int session_exchange(void *arg, netsnmp_pdu *request, netsnmp_pdu **reply, int timeout_ms, struct error *e)
{
	struct snmp *s = arg;
	int number = 0;

	snmp_sess_session(s->session)->timeout = timeout_ms * 1000L;
	int status = snmp_sess_synch_response(s->session, request, reply);
	if (status == STAT_SUCCESS && *reply)
		return 0;
	snmp_sess_error(s->session, NULL, &number, NULL);
	if (*reply)
		snmp_free_pdu(*reply);
	*reply = NULL;
	return session_error(s, status == STAT_TIMEOUT ? SNMPERR_TIMEOUT : number, e);
}

static void library_init(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	/* no files of the machine, no MIB texts, nothing kept */
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
	netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/dev/null", 1);
	snmp_disable_log();
	init_snmp("glory-l4");
}

static int fill_v3(const struct picture *p, netsnmp_session *t, const char *object, struct error *e)
{
	static oid sha256[] = {1, 3, 6, 1, 6, 3, 10, 1, 1, 5}, sha1[] = {1, 3, 6, 1, 6, 3, 10, 1, 1, 3}, aes128[] = {1, 3, 6, 1, 6, 3, 10, 1, 2, 4};

	t->version = SNMP_VERSION_3;
	t->securityModel = SNMP_SEC_MODEL_USM;
	t->securityName = (char *)(uintptr_t)p->snmp_user;
	t->securityNameLen = strlen(p->snmp_user);
	t->securityLevel = p->snmp_priv ? SNMP_SEC_LEVEL_AUTHPRIV : p->snmp_auth ? SNMP_SEC_LEVEL_AUTHNOPRIV : SNMP_SEC_LEVEL_NOAUTH;
	t->securityAuthProto = p->snmp_auth == PICTURE_AUTH_SHA1 ? sha1 : sha256;
	t->securityAuthProtoLen = COUNT_OF(sha256);
	t->securityPrivProto = aes128;
	t->securityPrivProtoLen = COUNT_OF(aes128);
	t->securityAuthKeyLen = USM_AUTH_KU_LEN;
	t->securityPrivKeyLen = USM_PRIV_KU_LEN;
	const u_char *auth = (const u_char *)p->secret_auth, *priv = (const u_char *)(p->secret_priv[0] ? p->secret_priv : p->secret_auth);
	if (p->snmp_auth && generate_Ku(t->securityAuthProto, (u_int)t->securityAuthProtoLen, auth, strlen(p->secret_auth), t->securityAuthKey,
					&t->securityAuthKeyLen) != SNMPERR_SUCCESS)
		return error_set(e, ERR_CONFIG, object, "give the credential's secret a passphrase of 8 characters or more",
				 "the authentication passphrase is too short");
	if (p->snmp_priv && (!p->snmp_auth || generate_Ku(t->securityAuthProto, (u_int)t->securityAuthProtoLen, priv, strlen((const char *)priv),
							  t->securityPrivKey, &t->securityPrivKeyLen) != SNMPERR_SUCCESS))
		return error_set(e, ERR_CONFIG, object, "give the credential's secret a passphrase of 8 characters or more",
				 "the privacy passphrase is too short, or there is no authentication");
	return 0;
}

static int session_template(const struct driver_run *run, netsnmp_session *t, char *peer, size_t size, struct error *e)
{
	const struct picture *p = run->asked;
	struct address address = p->target;
	char text[ADDRESS_TEXT];

	if (!address.family)
		return error_set(e, ERR_CONFIG, run->object, "give the balancer its address", "a switch needs an address");
	if (p->snmp_version != PICTURE_SNMP_V2C && p->snmp_version != PICTURE_SNMP_V3)
		return error_set(e, ERR_CONFIG, run->object, "give the balancer an snmp credential", "there is no SNMP credential for it");
	if (!address.port)
		address.port = 161;
	text_format(peer, size, "%s:%s", address.family == 6 ? "udp6" : "udp", address_text(&address, 0, text));
	snmp_sess_init(t);
	t->peername = peer;
	t->retries = READ_TRIES - 1;
	if (p->snmp_version == PICTURE_SNMP_V3)
		return fill_v3(p, t, run->object, e);
	if (!p->community[0])
		return error_set(e, ERR_CONFIG, run->object, "write community=... into the credential's secret", "its SNMP credential has no community");
	t->version = SNMP_VERSION_2c;
	t->community = (u_char *)(uintptr_t)p->community;
	t->community_len = strlen(p->community);
	return 0;
}

struct snmp *switch_open_with(struct driver_run *run, snmp_exchange *exchange, void *arg)
{
	struct snmp *s = mem_zalloc(sizeof *s);

	s->run = run;
	s->exchange = exchange;
	s->arg = arg;
	s->timeout_ms = TIMEOUT_MS;
	return s;
}

int switch_open(struct driver_run *run, struct snmp **out, struct error *e)
{
	netsnmp_session t;
	char peer[ADDRESS_TEXT + 8];
	int64_t timeout = TIMEOUT_MS;
	int number = 0, rc = driver_number(run, "timeout_ms", 100, 10000, &timeout, e);

	*out = NULL;
	if (rc)
		return rc;
	if (fake) {
		*out = switch_open_with(run, fake, fake_arg);
		return 0;
	}
	library_init();
	struct snmp *s = switch_open_with(run, session_exchange, NULL);
	s->arg = s;
	s->timeout_ms = (int)timeout;
	rc = session_template(run, &t, peer, sizeof peer, e);
	if (!rc) {
		t.timeout = timeout * 1000L;
		s->session = snmp_sess_open(&t);
		explicit_bzero(t.securityAuthKey, sizeof t.securityAuthKey);
		explicit_bzero(t.securityPrivKey, sizeof t.securityPrivKey);
		snmp_error(&t, NULL, &number, NULL);
		if (!s->session)
			rc = session_error(s, number ? number : SNMPERR_TIMEOUT, e);
	}
	if (rc) {
		switch_close(s);
		return rc;
	}
	snmp_sess_session(s->session)->retries = 0;
	*out = s;
	return 0;
}

void switch_close(struct snmp *s)
{
	if (s && s->session)
		snmp_sess_close(s->session);
	free(s);
}

bool switch_forbids(const struct snmp *s)
{
	return s->forbids;
}

/* --- indexes -------------------------------------------------------------------------------------------- */

struct snmp_index snmp_index(size_t count, ...)
{
	struct snmp_index index = {.length = 0};
	va_list ap;

	va_start(ap, count);
	for (size_t i = 0; i < count; i++)
		snmp_index_add(&index, va_arg(ap, uint32_t));
	va_end(ap);
	return index;
}

void snmp_index_add(struct snmp_index *index, oid id)
{
	if (index->length < SNMP_INDEX_MAX)
		index->id[index->length++] = id;
}

void snmp_index_add_text(struct snmp_index *index, const char *text)
{
	snmp_index_add(index, strlen(text));
	for (const char *c = text; *c; c++)
		snmp_index_add(index, (unsigned char)*c);
}

void snmp_index_add_address(struct snmp_index *index, const struct address *a)
{
	for (int i = 0; i < 4; i++)
		snmp_index_add(index, a->bytes[i]);
}

bool snmp_index_text(const struct snmp_index *index, size_t *at, char *out, size_t size)
{
	size_t length = *at < index->length ? index->id[*at] : SNMP_INDEX_MAX;

	if (length > index->length - *at - 1 || length >= size || *at >= index->length)
		return false;
	for (size_t i = 0; i < length; i++) {
		oid c = index->id[*at + 1 + i];
		if (c < 0x20 || c > 0x7e)
			return false;
		out[i] = (char)c;
	}
	out[length] = '\0';
	*at += 1 + length;
	return true;
}

bool snmp_index_address(const struct snmp_index *index, size_t *at, struct address *out)
{
	struct address a = {.family = 4};

	if (*at > index->length || index->length - *at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		if (index->id[*at + (size_t)i] > 255)
			return false;
		a.bytes[i] = (uint8_t)index->id[*at + (size_t)i];
	}
	*at += 4;
	*out = a;
	return true;
}

/* --- values --------------------------------------------------------------------------------------------- */

/* "1.3.6.1": numbers and dots only, so that no MIB text has a say. */
static bool parse_oid(const char *text, oid *out, size_t *length)
{
	size_t n = 0;

	while (*text && n < MAX_OID_LEN) {
		char *end;
		out[n++] = strtoul(text, &end, 10);
		if (end == text || (*end && *end != '.'))
			return false;
		text = *end ? end + 1 : end;
	}
	*length = n;
	return !*text && n > 1;
}

static bool name_of(const struct snmp_object *object, const struct snmp_index *index, oid *out, size_t *length)
{
	size_t root;

	if (!parse_oid(object->oid, out, &root) || root + (index ? index->length : 0) > MAX_OID_LEN)
		return false;
	if (index)
		memcpy(out + root, index->id, index->length * sizeof(oid));
	*length = root + (index ? index->length : 0);
	return true;
}

/* A value into ours; false for a type or a size that no value of that type has. */
static bool take_value(const netsnmp_variable_list *v, struct snmp_value *out)
{
	out->type = v->type;
	out->number = 0;
	out->size = 0;
	switch (v->type) {
	case ASN_INTEGER:
	case ASN_COUNTER:
	case ASN_GAUGE:
	case ASN_TIMETICKS:
		if (!v->val.integer || v->val_len > sizeof(long) || v->val_len == 0)
			return false;
		out->number = v->type == ASN_INTEGER ? *v->val.integer : (int64_t)(uint32_t)*v->val.integer;
		return true;
	case ASN_COUNTER64:
		if (!v->val.counter64 || v->val_len != sizeof(struct counter64))
			return false;
		out->number = (int64_t)((((uint64_t)v->val.counter64->high & 0x7fffffff) << 32) | ((uint64_t)v->val.counter64->low & 0xffffffff));
		return true;
	case ASN_IPADDRESS:
		if (v->val_len != 4)
			return false;
		/* fall through */
	case ASN_OCTET_STR:
		out->size = v->val_len < SNMP_BYTES_MAX ? v->val_len : SNMP_BYTES_MAX;
		if (out->size && !v->val.string)
			return false;
		if (out->size)
			memcpy(out->bytes, v->val.string, out->size);
		return true;
	default: /* of no use to any driver, but no fault */
		return true;
	}
}

bool snmp_value_address(const struct snmp_value *v, struct address *out)
{
	struct address a = {.family = v->size == 16 ? 6 : 4};

	if ((v->type != ASN_IPADDRESS && v->type != ASN_OCTET_STR) || (v->size != 4 && v->size != 16))
		return false;
	memcpy(a.bytes, v->bytes, v->size);
	*out = a;
	return true;
}

void snmp_value_text(const struct snmp_value *v, char *out, size_t size)
{
	size_t length = v->type == ASN_OCTET_STR ? v->size : 0;

	if (length >= size)
		length = size - 1;
	memcpy(out, v->bytes, length);
	out[length] = '\0';
	text_make_printable(out);
}

/* --- requests ------------------------------------------------------------------------------------------- */

/* Sends, with what is left of the time; the reply has as many values as `least` at least, and no error status but in *status. */
static int ask(struct snmp *s, netsnmp_pdu *request, int tries, netsnmp_pdu **reply, struct error *e)
{
	int rc = ERR_REMOTE;

	*reply = NULL;
	for (int i = 0; i < tries && rc == ERR_REMOTE && !*reply; i++) {
		int64_t left = driver_left_ms(s->run);
		netsnmp_pdu *copy = left > 0 ? snmp_clone_pdu(request) : NULL;

		if (!copy) {
			rc = driver_late(s->run, e, "asking by SNMP");
			break;
		}
		rc = s->exchange(s->arg, copy, reply, left < s->timeout_ms ? (int)left : s->timeout_ms, e);
	}
	snmp_free_pdu(request);
	if (!rc && (*reply)->command != SNMP_MSG_RESPONSE) {
		snmp_free_pdu(*reply);
		*reply = NULL;
		rc = error_set(e, ERR_REMOTE, s->run->object, "see whether it is an SNMP agent", "the reply is none");
	}
	return rc;
}

static int refused(struct snmp *s, const char *object, long status, struct error *e)
{
	int kind = ERR_REFUSED;
	const char *remedy = "see the switch's own log for the reason";

	s->forbids = status == SNMP_ERR_NOTWRITABLE || status == SNMP_ERR_NOACCESS || status == SNMP_ERR_AUTHORIZATIONERROR ||
		     status == SNMP_ERR_READONLY || status == SNMP_ERR_NOCREATION || status == SNMP_ERR_NOSUCHNAME;
	if (s->forbids)
		remedy = "give the SNMP credential write access on the switch, where it can be written at all";
	if (status == SNMP_ERR_GENERR || status == SNMP_ERR_COMMITFAILED || status == SNMP_ERR_UNDOFAILED)
		remedy = "see the switch's own log, and try again";
	if (status == SNMP_ERR_RESOURCEUNAVAILABLE || status == SNMP_ERR_TOOBIG)
		kind = ERR_NO_RESOURCE;
	return error_set(e, kind, s->run->object, remedy, "%s: %s", object, snmp_errstring((int)status));
}

static int odd(const struct snmp *s, const char *object, const char *what, struct error *e)
{
	return error_set(e, ERR_REFUSED, s->run->object, "see whether the driver fits the switch", "%s: %s", object, what);
}

int switch_get(struct snmp *s, const struct snmp_object *object, const struct snmp_index *index, struct snmp_value *out, struct error *e)
{
	oid name[MAX_OID_LEN];
	size_t length;
	netsnmp_pdu *reply, *request = snmp_pdu_create(SNMP_MSG_GET);

	if (!name_of(object, index, name, &length)) {
		snmp_free_pdu(request);
		return odd(s, object->name, "its name is too long", e);
	}
	snmp_add_null_var(request, name, length);
	int rc = ask(s, request, READ_TRIES, &reply, e);
	if (rc)
		return rc;
	const netsnmp_variable_list *v = reply->variables;
	if (reply->errstat == SNMP_ERR_NOSUCHNAME || (v && (v->type == SNMP_NOSUCHOBJECT || v->type == SNMP_NOSUCHINSTANCE || v->type == SNMP_ENDOFMIBVIEW)))
		rc = error_set(e, ERR_NOT_FOUND, s->run->object, "see whether the driver fits the switch", "%s: the switch does not have it", object->name);
	else if (reply->errstat)
		rc = refused(s, object->name, reply->errstat, e);
	else if (!v || v->next_variable || snmp_oid_compare(v->name, v->name_length, name, length) || !take_value(v, out))
		rc = odd(s, object->name, "the reply does not fit the question", e);
	if (!rc)
		out->index = index ? *index : (struct snmp_index){.length = 0};
	snmp_free_pdu(reply);
	return rc;
}

static bool add_write(netsnmp_pdu *pdu, const struct snmp_write *w)
{
	oid name[MAX_OID_LEN];
	size_t length;
	long number = w->type == 'u' ? (long)w->number : (long)(int32_t)w->number;

	if (!name_of(w->object, &w->index, name, &length))
		return false;
	switch (w->type) {
	case 'i':
		return snmp_pdu_add_variable(pdu, name, length, ASN_INTEGER, &number, sizeof number);
	case 'u':
		return snmp_pdu_add_variable(pdu, name, length, ASN_UNSIGNED, &number, sizeof number);
	case 'a':
		return snmp_pdu_add_variable(pdu, name, length, ASN_IPADDRESS, w->address.bytes, 4);
	default:
		return snmp_pdu_add_variable(pdu, name, length, ASN_OCTET_STR, w->text, strlen(w->text));
	}
}

int switch_set(struct snmp *s, const struct snmp_write *writes, size_t count, struct error *e)
{
	netsnmp_pdu *reply, *request = snmp_pdu_create(SNMP_MSG_SET);

	for (size_t i = 0; i < count; i++)
		if (!add_write(request, &writes[i])) {
			snmp_free_pdu(request);
			return odd(s, writes[i].object->name, "its name is too long", e);
		}
	s->run->result->commands++;
	int rc = ask(s, request, 1, &reply, e);
	if (rc)
		return rc;
	if (reply->errstat) {
		size_t at = reply->errindex > 0 && (size_t)reply->errindex <= count ? (size_t)reply->errindex - 1 : 0;
		rc = refused(s, writes[at].object->name, reply->errstat, e);
	}
	snmp_free_pdu(reply);
	return rc;
}

struct walk {
	struct snmp *s;
	const struct snmp_object *object;
	oid root[MAX_OID_LEN], last[MAX_OID_LEN];
	size_t root_length, last_length;
	unsigned rows;
	bool end;
};

/* The values of one GETBULK; the walk is at its end where one stands outside of the column. */
static int take_rows(struct walk *w, const netsnmp_pdu *reply, snmp_visit *visit, void *arg, struct error *e)
{
	struct snmp_value value;

	if (!reply->variables)
		return odd(w->s, w->object->name, "a reply without values", e);
	for (const netsnmp_variable_list *v = reply->variables; v; v = v->next_variable) {
		if (v->type == SNMP_ENDOFMIBVIEW || v->name_length < w->root_length || snmp_oidtree_compare(w->root, w->root_length, v->name, v->name_length)) {
			w->end = true;
			return 0;
		}
		if (snmp_oid_compare(v->name, v->name_length, w->last, w->last_length) <= 0)
			return odd(w->s, w->object->name, "the table's names go back", e);
		if (++w->rows > SNMP_ROWS_MAX)
			return odd(w->s, w->object->name, "the table has no end", e);
		memcpy(w->last, v->name, v->name_length * sizeof(oid));
		w->last_length = v->name_length;
		value.index.length = v->name_length - w->root_length;
		if (value.index.length > SNMP_INDEX_MAX || !take_value(v, &value))
			return odd(w->s, w->object->name, "a value of a size that cannot be", e);
		memcpy(value.index.id, v->name + w->root_length, value.index.length * sizeof(oid));
		int rc = visit(arg, &value);
		if (rc)
			return rc < 0 && rc != ERR_BUG ? rc : odd(w->s, w->object->name, "a row that does not fit the table", e);
	}
	return 0;
}

int switch_walk(struct snmp *s, const struct snmp_object *object, snmp_visit *visit, void *arg, struct error *e)
{
	struct walk w = {.s = s, .object = object};
	int rc = 0;

	if (!name_of(object, NULL, w.root, &w.root_length))
		return odd(s, object->name, "its name is too long", e);
	memcpy(w.last, w.root, w.root_length * sizeof(oid));
	w.last_length = w.root_length;
	while (!rc && !w.end) {
		netsnmp_pdu *reply, *request = snmp_pdu_create(SNMP_MSG_GETBULK);

		request->non_repeaters = 0;
		request->max_repetitions = BULK_ROWS;
		snmp_add_null_var(request, w.last, w.last_length);
		rc = ask(s, request, READ_TRIES, &reply, e);
		if (rc)
			return rc;
		rc = reply->errstat ? refused(s, object->name, reply->errstat, e) : take_rows(&w, reply, visit, arg, e);
		snmp_free_pdu(reply);
	}
	return rc;
}
