/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures and results as JSON and back, strictly; see picture.h. The form (members that are zero or empty are left out):
 *
 * picture: {"v":1, "driver":"haproxy", "target":"10.0.0.4:161", "dry_run":true, "read_only":true, "options":{"socket":"/run/x"},
 *   "credential":{"version":"2c|3", "user":"", "auth":"SHA-256|SHA", "priv":"AES-128", "community":"", "auth_secret":"", "priv_secret":""},
 *   "virtuals":[VIRTUAL...]}
 * VIRTUAL: {"name":"web", "protocol":"tcp|udp|fwmark", "address":"10.0.0.100:80", "fwmark":7, "family":4, "forwarding":"nat|direct|tunnel",
 *   "scheduler":"wrr", "persistence_s":300, "persistence_prefix":24, COUNTS, "reals":[REAL...]}
 * REAL: {"name":"n001", "address":"10.0.1.1:80", "weight":100, "connections_max":0, "failing":true, COUNTS}
 * COUNTS: "connections", "packets_in", "packets_out", "bytes_in", "bytes_out", "active", "inactive"
 * result: {"v":1, "status":"ok" or an error kind, "error":{"object","text","remedy"}, "partial":true, "pending":true, "read":true, "unsaved":true, "left":true, "commands":3,
 *   "foreign":1, "note":"", "change_total":2,
 *   "changes":[{"verb":"change-real","virtual":"web","real":"10.0.1.1:80","what":"weight 100 > 40","found":7}],
 *   "have":{"driver":"haproxy","virtuals":[VIRTUAL...]}} */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "balance/picture.h"
#include "base/memory.h"
#include "base/text.h"

/* --- tables of members ---------------------------------------------------------------------------------- */

enum member_type { M_NAME = 1, M_TEXT, M_BOOL, M_U8, M_U32, M_U64, M_ADDRESS, M_WORD };

struct word {
	const char *word;
	uint8_t value;
};

struct member {
	const char *name;
	enum member_type type;
	size_t offset, size;
	uint64_t high;           /* of numbers */
	const struct word *words; /* M_WORD: in a uint8_t */
	bool secret;
};

#define AT(type, field) .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)
#define COUNT(field, kind, most) {#field, kind, AT(picture_counts, field), .high = (most)}

/* JSON integers of jansson are signed */
static const struct member count_members[] = {
    COUNT(connections, M_U64, INT64_MAX), COUNT(packets_in, M_U64, INT64_MAX), COUNT(packets_out, M_U64, INT64_MAX),
    COUNT(bytes_in, M_U64, INT64_MAX), COUNT(bytes_out, M_U64, INT64_MAX), COUNT(active, M_U32, UINT32_MAX), COUNT(inactive, M_U32, UINT32_MAX),
    {0}};

static const struct member real_members[] = {{"name", M_NAME, AT(picture_real, name)},
					     {"address", M_ADDRESS, AT(picture_real, address)},
					     {"weight", M_U32, AT(picture_real, weight), .high = 65535},
					     {"connections_max", M_U32, AT(picture_real, connections_max), .high = UINT32_MAX},
					     {"failing", M_BOOL, AT(picture_real, failing)},
					     {0}};

static const struct word protocols[] = {{"tcp", PICTURE_TCP}, {"udp", PICTURE_UDP}, {"fwmark", PICTURE_FWMARK}, {NULL, 0}};
static const struct word forwardings[] = {{"nat", FORWARD_NAT}, {"direct", FORWARD_DIRECT}, {"tunnel", FORWARD_TUNNEL}, {NULL, 0}};
static const struct word versions[] = {{"2c", PICTURE_SNMP_V2C}, {"3", PICTURE_SNMP_V3}, {NULL, 0}};
static const struct word auths[] = {{"SHA-256", PICTURE_AUTH_SHA256}, {"SHA", PICTURE_AUTH_SHA1}, {NULL, 0}};
static const struct word privs[] = {{"AES-128", PICTURE_PRIV_AES128}, {NULL, 0}};

static const struct member virtual_members[] = {{"name", M_NAME, AT(picture_virtual, name)},
						{"protocol", M_WORD, AT(picture_virtual, protocol), .words = protocols},
						{"address", M_ADDRESS, AT(picture_virtual, address)},
						{"fwmark", M_U32, AT(picture_virtual, fwmark), .high = UINT32_MAX},
						{"family", M_U8, AT(picture_virtual, family), .high = 6},
						{"forwarding", M_WORD, AT(picture_virtual, forwarding), .words = forwardings},
						{"scheduler", M_NAME, AT(picture_virtual, scheduler)},
						{"persistence_s", M_U32, AT(picture_virtual, persistence_s), .high = 31536000},
						{"persistence_prefix", M_U32, AT(picture_virtual, persistence_prefix), .high = 128},
						{0}};

static const struct member picture_members[] = {{"driver", M_NAME, AT(picture, driver)},
						{"target", M_ADDRESS, AT(picture, target)},
						{"dry_run", M_BOOL, AT(picture, dry_run)},
						{"read_only", M_BOOL, AT(picture, read_only)},
						{0}};

static const struct member credential_members[] = {{"version", M_WORD, AT(picture, snmp_version), .words = versions},
						   {"user", M_TEXT, AT(picture, snmp_user)},
						   {"auth", M_WORD, AT(picture, snmp_auth), .words = auths},
						   {"priv", M_WORD, AT(picture, snmp_priv), .words = privs},
						   {"community", M_TEXT, AT(picture, community), .secret = true},
						   {"auth_secret", M_TEXT, AT(picture, secret_auth), .secret = true},
						   {"priv_secret", M_TEXT, AT(picture, secret_priv), .secret = true},
						   {0}};

static const struct member result_members[] = {{"partial", M_BOOL, AT(picture_result, partial)},
					       {"pending", M_BOOL, AT(picture_result, pending)},
					       {"read", M_BOOL, AT(picture_result, read)},
					       {"unsaved", M_BOOL, AT(picture_result, unsaved)},
					       {"left", M_BOOL, AT(picture_result, left)},
					       {"commands", M_U32, AT(picture_result, commands), .high = UINT32_MAX},
					       {"foreign", M_U32, AT(picture_result, foreign), .high = UINT32_MAX},
					       {"note", M_TEXT, AT(picture_result, note)},
					       {"change_total", M_U32, AT(picture_result, change_total), .high = UINT32_MAX},
					       {0}};

static const struct member error_members[] = {{"object", M_TEXT, AT(error, object)},
					      {"text", M_TEXT, AT(error, text)},
					      {"remedy", M_TEXT, AT(error, remedy)},
					      {0}};

static const struct member change_members[] = {{"virtual", M_NAME, AT(picture_change, virtual_name)},
					       {"real", M_TEXT, AT(picture_change, real)},
					       {"what", M_TEXT, AT(picture_change, what)},
					       {"found", M_U64, AT(picture_change, found), .high = INT64_MAX},
					       {0}};

/* --- to JSON -------------------------------------------------------------------------------------------- */

static uint64_t number_of(const struct member *m, const void *field)
{
	uint32_t u32;
	uint64_t u64;

	if (m->type == M_U8)
		return *(const uint8_t *)field;
	if (m->type == M_U64) {
		memcpy(&u64, field, sizeof u64);
		return u64 > INT64_MAX ? INT64_MAX : u64;
	}
	memcpy(&u32, field, sizeof u32);
	return u32;
}

/* NULL for what is left out. Text that is not UTF-8 (a switch's) is shown with '?' in its place. */
static json_t *member_value(const struct member *m, const void *field)
{
	char text[ADDRESS_TEXT > 512 ? ADDRESS_TEXT : 512];

	switch (m->type) {
	case M_BOOL:
		return *(const bool *)field ? json_true() : NULL;
	case M_ADDRESS:
		return *address_text(field, 0, text) ? json_string(text) : NULL;
	case M_WORD:
		for (const struct word *w = m->words; w->word; w++)
			if (w->value == *(const uint8_t *)field)
				return json_string(w->word);
		return NULL;
	case M_NAME:
	case M_TEXT:
		text_copy(text, sizeof text, field);
		if (!m->secret)
			text_make_printable(text);
		json_t *value = *text ? json_string(text) : NULL;
		explicit_bzero(text, sizeof text);
		return value;
	default:
		return number_of(m, field) ? json_integer((json_int_t)number_of(m, field)) : NULL;
	}
}

static void put_members(json_t *o, const struct member *members, const void *object, bool with_secrets)
{
	for (const struct member *m = members; m->name; m++) {
		json_t *value = m->secret && !with_secrets ? NULL : member_value(m, (const char *)object + m->offset);
		if (value)
			json_object_set_new(o, m->name, value);
	}
}

static json_t *real_value(const struct picture_real *r)
{
	json_t *o = json_object();

	put_members(o, real_members, r, false);
	put_members(o, count_members, &r->counts, false);
	return o;
}

static json_t *virtuals_value(const struct picture *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->count; i++) {
		const struct picture_virtual *v = &p->virtuals[i];
		json_t *o = json_object(), *reals = json_array();

		put_members(o, virtual_members, v, false);
		put_members(o, count_members, &v->counts, false);
		for (size_t r = 0; r < v->count; r++)
			json_array_append_new(reals, real_value(&v->reals[r]));
		json_object_set_new(o, "reals", reals);
		json_array_append_new(all, o);
	}
	return all;
}

static char *finish(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	return text;
}

char *picture_to_json(const struct picture *picture, bool with_secrets)
{
	json_t *o = json_pack("{s:i}", "v", 1), *options = json_object();

	put_members(o, picture_members, picture, false);
	for (size_t i = 0; i < picture->option_count; i++)
		json_object_set_new(options, picture->options[i].name, json_string(picture->options[i].value));
	json_object_set_new(o, "options", options);
	if (picture->snmp_version) {
		json_t *credential = json_object();
		put_members(credential, credential_members, picture, with_secrets);
		json_object_set_new(o, "credential", credential);
	}
	json_object_set_new(o, "virtuals", virtuals_value(picture));
	return finish(o);
}

char *picture_result_to_json(const struct picture_result *result)
{
	json_t *o = json_pack("{s:i,s:s}", "v", 1, "status", error_name(result->status)), *changes = json_array(), *have = json_object();

	put_members(o, result_members, result, false);
	if (result->status) {
		json_t *error = json_object();
		put_members(error, error_members, &result->error, false);
		json_object_set_new(o, "error", error);
	}
	for (size_t i = 0; i < result->change_count && i < PICTURE_CHANGES_SHOWN; i++) {
		json_t *change = json_pack("{s:s}", "verb", picture_verb_name((int)result->changes[i].verb));
		put_members(change, change_members, &result->changes[i], false);
		json_array_append_new(changes, change);
	}
	json_object_set_new(o, "changes", changes);
	put_members(have, picture_members, &result->have, false);
	json_object_set_new(have, "virtuals", virtuals_value(&result->have));
	json_object_set_new(o, "have", have);
	return finish(o);
}

/* --- from JSON ------------------------------------------------------------------------------------------ */

static int wrong(struct error *e, const char *object, const char *member, const char *cause)
{
	char where[96];

	text_format(where, sizeof where, "picture: %s", object);
	text_make_printable(where);
	char name[40];
	text_copy(name, sizeof name, member);
	text_make_printable(name);
	return error_set(e, ERR_CONFIG, where, "write it as picture_json.c says", "%s %s", name, cause);
}

/* Printable, valid, and no longer than its field: control bytes would reach a switch or a configuration file. */
static bool read_text(const struct member *m, const json_t *value, char *field)
{
	const char *text = json_is_string(value) ? json_string_value(value) : NULL;

	if (!text || json_string_length(value) >= m->size || strlen(text) != json_string_length(value))
		return false;
	if (m->type == M_NAME && !text_is_name(text, m->size - 1))
		return false;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	memcpy(field, text, strlen(text) + 1);
	return true;
}

static bool read_number(const struct member *m, const json_t *value, void *field)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || (uint64_t)n > m->high)
		return false;
	uint8_t u8 = (uint8_t)n;
	uint32_t u32 = (uint32_t)n;
	uint64_t u64 = (uint64_t)n;
	memcpy(field, m->type == M_U8 ? (void *)&u8 : m->type == M_U32 ? (void *)&u32 : (void *)&u64, m->size);
	return true;
}

static bool read_word(const struct member *m, const json_t *value, uint8_t *field)
{
	for (const struct word *w = m->words; json_is_string(value) && w->word; w++)
		if (!strcmp(w->word, json_string_value(value))) {
			*field = w->value;
			return true;
		}
	return false;
}

static bool read_value(const struct member *m, const json_t *value, void *field)
{
	switch (m->type) {
	case M_BOOL:
		*(bool *)field = json_is_true(value);
		return json_is_boolean(value);
	case M_ADDRESS:
		return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value) &&
		       address_parse(json_string_value(value), 0, field);
	case M_WORD:
		return read_word(m, value, field);
	case M_NAME:
	case M_TEXT:
		return read_text(m, value, field);
	default:
		return read_number(m, value, field);
	}
}

static const struct member *find_member(const struct member *members, const char *name)
{
	for (const struct member *m = members; m && m->name; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

/* Reads all members of o that are in the two tables (the second into second_object); `others` names those the caller reads itself. */
static int read_members(const json_t *o, const char *what, const struct member *members, void *object, const struct member *second,
			void *second_object, const char *const *others, struct error *e)
{
	const char *name;
	json_t *value;

	if (!json_is_object(o))
		return wrong(e, what, "it", "is no object");
	json_object_foreach((json_t *)(uintptr_t)o, name, value)
	{
		const struct member *m = find_member(members, name);
		void *base = object;
		const char *const *other = others;

		if (!m) {
			m = find_member(second, name);
			base = second_object;
		}
		while (!m && other && *other && strcmp(*other, name) != 0)
			other++;
		if (!m && (!other || !*other))
			return wrong(e, what, name, "is no member that is known");
		if (m && !read_value(m, value, (char *)base + m->offset))
			return wrong(e, what, name, "has no value that fits");
	}
	return 0;
}

static int read_real(const json_t *o, struct picture_virtual *v, struct error *e)
{
	struct picture_real *r = picture_add_real(v, "");

	if (!r)
		return wrong(e, v->name, "reals", "are more than 4096");
	int rc = read_members(o, v->name, real_members, r, count_members, &r->counts, NULL, e);
	if (!rc && !r->address.family)
		rc = wrong(e, v->name, "address", "of a real server is missing");
	return rc;
}

static int check_virtual(struct picture_virtual *v, struct error *e)
{
	if (!v->name[0])
		return wrong(e, "a virtual server", "name", "is missing");
	if (!v->protocol)
		v->protocol = PICTURE_TCP;
	if (!v->forwarding)
		v->forwarding = FORWARD_NAT;
	if (v->protocol == PICTURE_FWMARK && (!v->fwmark || v->address.family))
		return wrong(e, v->name, "fwmark", "must stand alone, without an address");
	if (v->protocol != PICTURE_FWMARK && (v->fwmark || !v->address.family || !v->address.port))
		return wrong(e, v->name, "address", "with its port is missing, or there is a mark too");
	uint8_t family = v->address.family ? v->address.family : v->family ? v->family : 4;
	if ((v->family && v->family != family) || (family != 4 && family != 6))
		return wrong(e, v->name, "family", "is not 4 or 6, or not the address's");
	v->family = family;
	if (v->persistence_prefix > (family == 4 ? 32 : 128))
		return wrong(e, v->name, "persistence_prefix", "is longer than an address");
	return 0;
}

static int read_virtual(const json_t *o, struct picture *p, struct error *e)
{
	static const char *const others[] = {"reals", NULL};
	const json_t *name = json_object_get(o, "name"), *reals = json_object_get(o, "reals");
	struct picture_virtual *v = picture_add_virtual(p, "");

	if (!v)
		return wrong(e, "virtuals", "they", "are more than 1024");
	int rc = read_members(o, json_is_string(name) ? json_string_value(name) : "a virtual server", virtual_members, v, count_members, &v->counts,
			      others, e);
	if (!rc)
		rc = check_virtual(v, e);
	if (!rc && reals && !json_is_array(reals))
		rc = wrong(e, v->name, "reals", "are no list");
	for (size_t i = 0; !rc && i < json_array_size(reals); i++)
		rc = read_real(json_array_get(reals, i), v, e);
	return rc;
}

/* --- what may be there once only ------------------------------------------------------------------------- */

static int order_endpoints(const void *left, const void *right)
{
	const struct picture_virtual *a = *(const struct picture_virtual *const *)left, *b = *(const struct picture_virtual *const *)right;
	int order = (int)a->protocol - (int)b->protocol;

	if (!order)
		order = (a->fwmark > b->fwmark) - (a->fwmark < b->fwmark);
	if (!order)
		order = (int)a->family - (int)b->family;
	if (!order)
		order = memcmp(a->address.bytes, b->address.bytes, sizeof a->address.bytes);
	return order ? order : (int)a->address.port - (int)b->address.port;
}

static int order_names(const void *a, const void *b)
{
	return strcmp((*(const struct picture_real *const *)a)->name, (*(const struct picture_real *const *)b)->name);
}

static int check_reals(const struct picture_virtual *v, struct error *e)
{
	const struct picture_real **rows = mem_array(v->count + 1, sizeof *rows);
	int rc = 0;

	for (size_t i = 0; i < v->count; i++) {
		rows[i] = &v->reals[i];
		if (i && address_equal(&v->reals[i].address, &v->reals[i - 1].address))
			rc = wrong(e, v->name, "reals", "name one address twice");
	}
	qsort(rows, v->count, sizeof *rows, order_names);
	for (size_t i = 1; !rc && i < v->count; i++)
		if (rows[i]->name[0] && !strcmp(rows[i]->name, rows[i - 1]->name))
			rc = wrong(e, v->name, rows[i]->name, "is there twice");
	free(rows);
	return rc;
}

static int check_unique(struct picture *p, struct error *e)
{
	const struct picture_virtual **rows = mem_array(p->count + 1, sizeof *rows);
	int rc = 0;

	picture_sort(p);
	for (size_t i = 0; !rc && i < p->count; i++) {
		rows[i] = &p->virtuals[i];
		if (i && !strcmp(p->virtuals[i].name, p->virtuals[i - 1].name))
			rc = wrong(e, "virtuals", p->virtuals[i].name, "is there twice");
		if (!rc)
			rc = check_reals(&p->virtuals[i], e);
	}
	if (!rc)
		qsort(rows, p->count, sizeof *rows, order_endpoints);
	for (size_t i = 1; !rc && i < p->count; i++)
		if (picture_same_endpoint(rows[i], rows[i - 1]))
			rc = wrong(e, rows[i]->name, "address", "is that of another virtual server too");
	free(rows);
	return rc;
}

static int read_virtuals(const json_t *all, struct picture *p, struct error *e)
{
	int rc = 0;

	if (all && !json_is_array(all))
		return wrong(e, "virtuals", "they", "are no list");
	for (size_t i = 0; !rc && i < json_array_size(all); i++)
		rc = read_virtual(json_array_get(all, i), p, e);
	return rc ? rc : check_unique(p, e);
}

static int read_options(const json_t *options, struct picture *p, struct error *e)
{
	const char *name;
	json_t *value;
	struct picture_option o;
	const struct member text = {.name = "value", .type = M_TEXT, .size = sizeof o.value};

	if (options && !json_is_object(options))
		return wrong(e, "options", "they", "are no object");
	json_object_foreach((json_t *)(uintptr_t)options, name, value)
	{
		if (!text_is_name(name, sizeof o.name - 1) || !read_text(&text, value, o.value))
			return wrong(e, "options", name, "has no name or value that fits");
		if (!picture_set_option(p, name, o.value))
			return wrong(e, "options", "they", "are more than 16");
	}
	return 0;
}

/* The parsed text as an object of version 1; NULL with *e. */
static json_t *load(const char *text, size_t size, struct error *e)
{
	json_error_t why;

	if (size > PICTURE_BYTES_MAX) {
		wrong(e, "text", "it", "is longer than 4 MiB");
		return NULL;
	}
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!o) {
		text_make_printable(why.text);
		error_set(e, ERR_CONFIG, "picture", "write it as picture_json.c says", "no JSON: line %d: %s", why.line, why.text);
		return NULL;
	}
	const json_t *version = json_object_get(o, "v");
	if (!json_is_integer(version) || json_integer_value(version) != 1) {
		wrong(e, "text", "v", "is not 1");
		json_decref(o);
		return NULL;
	}
	return o;
}

static int picture_read(const json_t *o, struct picture *out, struct error *e)
{
	static const char *const others[] = {"v", "options", "credential", "virtuals", NULL};
	const json_t *credential = json_object_get(o, "credential");
	int rc = read_members(o, "text", picture_members, out, NULL, NULL, others, e);

	if (!rc)
		rc = read_options(json_object_get(o, "options"), out, e);
	if (!rc && credential)
		rc = read_members(credential, "credential", credential_members, out, NULL, NULL, NULL, e);
	if (!rc && credential && !out->snmp_version)
		rc = wrong(e, "credential", "version", "is missing");
	return rc ? rc : read_virtuals(json_object_get(o, "virtuals"), out, e);
}

/* jansson keeps copies of the secrets in memory that it frees as it is: this process's own allocations are wiped where we can reach them. */
static void wipe_strings(const json_t *credential)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)credential, name, value) if (json_is_string(value))
		explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
}

int picture_from_json(const char *text, size_t size, struct picture *out, struct error *e)
{
	memset(out, 0, sizeof *out);
	json_t *o = load(text, size, e);
	if (!o)
		return ERR_CONFIG;
	int rc = picture_read(o, out, e);
	wipe_strings(json_object_get(o, "credential"));
	json_decref(o);
	if (rc)
		picture_clear(out);
	return rc;
}

static int read_changes(const json_t *changes, struct picture_result *out, struct error *e)
{
	static const char *const others[] = {"verb", NULL};

	if (!json_is_array(changes) || json_array_size(changes) > PICTURE_CHANGES_SHOWN)
		return wrong(e, "changes", "they", "are no list of at most 256");
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *o = json_array_get(changes, i);
		const char *verb = json_string_value(json_object_get(o, "verb"));
		int number = PICTURE_ADD_VIRTUAL;

		while (number <= PICTURE_REMOVE_REAL && (!verb || strcmp(verb, picture_verb_name(number)) != 0))
			number++;
		if (number > PICTURE_REMOVE_REAL)
			return wrong(e, "changes", "verb", "is none that is known");
		picture_result_change(out, (enum picture_verb)number, "", "", "%s", "");
		int rc = read_members(o, "changes", change_members, &out->changes[out->change_count - 1], NULL, NULL, others, e);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_status(const json_t *o, struct picture_result *out, struct error *e)
{
	const char *status = json_string_value(json_object_get(o, "status"));
	const json_t *error = json_object_get(o, "error");

	if (!status || strcmp(error_name(error_value(status)), status) != 0)
		return wrong(e, "result", "status", "is none that is known");
	out->status = error_value(status);
	out->error.kind = out->status;
	if (!error != !out->status)
		return wrong(e, "result", "error", "and status contradict each other");
	return error ? read_members(error, "error", error_members, &out->error, NULL, NULL, NULL, e) : 0;
}

static int result_read(const json_t *o, struct picture_result *out, struct error *e)
{
	static const char *const others[] = {"v", "status", "error", "changes", "have", NULL};
	static const char *const have_others[] = {"virtuals", NULL};
	const json_t *have = json_object_get(o, "have");
	uint32_t total;
	int rc = read_status(o, out, e);

	if (!rc)
		rc = read_changes(json_object_get(o, "changes"), out, e);
	total = out->change_total;
	out->change_total = 0;
	if (!rc)
		rc = read_members(o, "result", result_members, out, NULL, NULL, others, e);
	if (!rc && out->change_total < total)
		rc = wrong(e, "result", "change_total", "is less than the changes that are there");
	if (!rc)
		rc = read_members(have, "have", picture_members, &out->have, NULL, NULL, have_others, e);
	return rc ? rc : read_virtuals(json_object_get(have, "virtuals"), &out->have, e);
}

int picture_result_from_json(const char *text, size_t size, struct picture_result *out, struct error *e)
{
	memset(out, 0, sizeof *out);
	json_t *o = load(text, size, e);
	if (!o)
		return ERR_CONFIG;
	int rc = result_read(o, out, e);
	json_decref(o);
	if (rc)
		picture_result_clear(out);
	return rc;
}
