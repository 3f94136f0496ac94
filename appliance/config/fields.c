/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields to and from text; see fields.h. */
#include "config/fields.h"
#include "config/threshold.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"

#define OID_MAX 24

static void *place(const struct config_field *f, void *object)
{
	return (unsigned char *)object + f->offset;
}

static const void *place_of(const struct config_field *f, const void *object)
{
	return (const unsigned char *)object + f->offset;
}

const struct config_field *field_find(const struct config_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static void number_set(const struct config_field *f, void *object, uint64_t value)
{
	void *p = place(f, object);

	if (f->size == 1)
		*(uint8_t *)p = (uint8_t)value;
	else if (f->size == 4)
		*(uint32_t *)p = (uint32_t)value;
	else
		*(uint64_t *)p = value;
}

/* --- one check per type: true when the text may stand there ------------------------------------------ */

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			return false;
	return true;
}

static bool good_path(const char *text)
{
	return text[0] == '/' && printable(text) && !strstr(text, "/../");
}

static bool good_scope(const char *text)
{
	struct name_list names = {0};
	bool good;

	if (text[0] == '@')
		return text_is_name(text + 1, CONFIG_NAME - 2);
	good = hostrange_expand(text, &names, NULL) == 0;
	name_list_free(&names);
	return good;
}

static bool read_oid(const char *text, uint32_t out[OID_MAX], uint8_t *length)
{
	uint8_t n = 0;

	if (*text == '.')
		text++;
	for (;;) {
		char *end;
		if (!isdigit((unsigned char)*text) || n == OID_MAX)
			return false;
		unsigned long long v = strtoull(text, &end, 10);
		if (v > UINT32_MAX || end - text > 10)
			return false;
		out[n++] = (uint32_t)v;
		if (!*end)
			break;
		if (*end != '.')
			return false;
		text = end + 1;
	}
	*length = n;
	return n >= 2 && out[0] <= 2 && (out[0] == 2 || out[1] < 40);
}

static bool good_oid_text(const char *text)
{
	uint32_t oid[OID_MAX];
	uint8_t length;

	return read_oid(text, oid, &length);
}

static bool good_text(const struct config_field *f, const char *text)
{
	if (strlen(text) >= f->size || (f->type == FIELD_USER && strlen(text) > (size_t)f->high))
		return false;
	switch (f->type) {
	case FIELD_NAME:
		return text_is_name(text, f->size - 1u);
	case FIELD_PATH:
		return good_path(text);
	case FIELD_SCOPE:
		return good_scope(text);
	case FIELD_OIDTEXT:
		return good_oid_text(text);
	default:
		return printable(text);
	}
}

/* --- from text ---------------------------------------------------------------------------------------- */

static int wrong(const struct config_field *f, const char *text, struct error *e, const char *what)
{
	const char *example = f->example              ? f->example
			      : f->choices            ? f->choices[0].word
			      : f->type == FIELD_BOOL ? "true"
						      : NULL;
	char shown[96], remedy[160];

	text_copy(shown, sizeof shown, text);
	text_make_printable(shown);
	text_format(remedy, sizeof remedy, example ? "write it as %s" : "use letters, digits, '.', '_' and '-'",
		    example);
	return error_set(e, ERR_CONFIG, "", remedy, "%s %s is not %s", f->name, shown, what);
}

static const char *const text_what[] = {
    [FIELD_NAME] = "a name (letters, digits, '.', '_', '-')",
    [FIELD_TEXT] = "a short printable text",
    [FIELD_PATH] = "an absolute path",
    [FIELD_USER] = "a user name of at most 16 characters",
    [FIELD_SCOPE] = "a scope (@site, @GROUP or a range of nodes)",
    [FIELD_OIDTEXT] = "an object identifier",
};

static int set_text(const struct config_field *f, void *object, const char *text, struct error *e)
{
	if (*text && !good_text(f, text))
		return wrong(f, text, e, text_what[f->type]);
	memset(place(f, object), 0, f->size);
	text_copy(place(f, object), f->size, text);
	return 0;
}

static int set_address(const struct config_field *f, void *object, const char *text, struct error *e)
{
	struct address a = {0};

	if (*text && !address_parse(text, (uint16_t)f->low, &a))
		return wrong(f, text, e, "an IPv4 or IPv6 address");
	memcpy(place(f, object), &a, sizeof a);
	return 0;
}

/* "17 or 3" */
static const char *list_choices(const struct choice *c, char *out, size_t size)
{
	size_t used = 0;

	for (; c->word; c++)
		text_append(out, size, &used, "%s%s", c->word, !c[1].word ? "" : !c[2].word ? " or " : ", ");
	return out;
}

static const struct choice *find_choice(const struct choice *c, const char *word, size_t length)
{
	for (; c->word; c++)
		if (strlen(c->word) == length && !strncmp(c->word, word, length))
			return c;
	return NULL;
}

/* Cipher suites that exist and are never used, with the reason: "0 is none" would not stop anybody from asking why. */
static const struct {
	const char *suite, *reason;
} refused_suites[] = {
    {"0", "accepts any password"},       {"1", "neither signs nor encrypts commands"},
    {"2", "does not encrypt commands"},  {"6", "neither signs nor encrypts commands"},
    {"7", "does not encrypt commands"},  {"8", "signs with MD5, which is broken"},
    {"11", "does not encrypt commands"}, {"12", "signs with MD5, which is broken"},
};

static int set_choice(const struct config_field *f, void *object, const char *text, struct error *e)
{
	char words[128];
	const struct choice *c = find_choice(f->choices, text, strlen(text));

	if (*text && !c) {
		for (size_t i = 0; !strcmp(f->name, "suite") && i < COUNT_OF(refused_suites); i++)
			if (!strcmp(refused_suites[i].suite, text))
				return error_set(e, ERR_CONFIG, "", "use 17, or 3 where the bmc has no 17",
						 "cipher suite %s %s", text, refused_suites[i].reason);
		return wrong(f, text, e, list_choices(f->choices, words, sizeof words));
	}
	number_set(f, object, c ? c->value : 0);
	return 0;
}

static int set_flags(const struct config_field *f, void *object, const char *text, struct error *e)
{
	uint32_t flags = 0;
	char words[128], word[64];

	for (const char *at = text; *(at += strspn(at, " \t\n"));) {
		size_t n = strcspn(at, " \t\n");
		const struct choice *c = find_choice(f->choices, at, n);
		text_format(word, sizeof word, "%.*s", (int)(n < 60 ? n : 60), at);
		if (!c)
			return wrong(f, word, e, list_choices(f->choices, words, sizeof words));
		flags |= c->value;
		at += n;
	}
	number_set(f, object, flags);
	return 0;
}

static int set_number(const struct config_field *f, void *object, const char *text, struct error *e)
{
	char what[96];
	int64_t value = 0;

	text_format(what, sizeof what, "a whole number from %" PRId64 " to %" PRId64, f->low, f->high);
	if (*text && (!isdigit((unsigned char)*text) || !text_integer(text, f->low, f->high, &value)))
		return wrong(f, text, e, what);
	number_set(f, object, (uint64_t)value);
	return 0;
}

static int set_bool(const struct config_field *f, void *object, const char *text, struct error *e)
{
	bool on = !strcmp(text, "true") || !strcmp(text, "1");

	if (*text && !on && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return wrong(f, text, e, "true or false");
	number_set(f, object, on);
	return 0;
}

static int set_real(const struct config_field *f, void *object, const char *text, struct error *e)
{
	double value = 0;

	if (*text && !text_number(text, &value))
		return wrong(f, text, e, "a number");
	memcpy(place(f, object), &value, sizeof value);
	return 0;
}

static int set_uuid(const struct config_field *f, void *object, const char *text, struct error *e)
{
	static const char form[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
	uint8_t bytes[16] = {0};
	size_t n = 0;
	bool good = !*text || strlen(text) == sizeof form - 1;

	for (size_t i = 0; good && *text && i < sizeof form - 1; i++) {
		int c = tolower((unsigned char)text[i]);
		if (form[i] == '-' || !isxdigit(c)) {
			good = form[i] == c;
			continue;
		}
		bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | (isdigit(c) ? c - '0' : c - 'a' + 10));
		n++;
	}
	if (!good)
		return wrong(f, text, e, "a UUID");
	memcpy(place(f, object), bytes, sizeof bytes);
	return 0;
}

static int set_oid(const struct config_field *f, void *object, const char *text, struct error *e)
{
	uint32_t oid[OID_MAX] = {0};
	uint8_t length = 0;

	if (*text && !read_oid(text, oid, &length))
		return wrong(f, text, e, "an object identifier");
	memcpy(place(f, object), oid, sizeof oid);
	((uint8_t *)place(f, object))[sizeof oid] = length;
	return 0;
}

static int set_size(const struct config_field *f, void *object, const char *text, struct error *e)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	char number[16];
	int64_t value = 0;

	if (*text && strcmp(text, "0") != 0) {
		text_format(number, sizeof number, "%.*s", (int)(digits < 12 ? digits : 12), text);
		unsigned shift = !strcmp(unit, "M") ? 0 : !strcmp(unit, "G") ? 10 : !strcmp(unit, "T") ? 20 : 99;
		if (shift == 99 || digits > 9 || !text_integer(number, 1, 999999999, &value))
			return wrong(f, text, e, "a size");
		value <<= shift;
	}
	number_set(f, object, (uint64_t)value);
	return 0;
}

static int set_time(const struct config_field *f, void *object, const char *text, struct error *e)
{
	int64_t ms = 0;

	if (*text && !clock_parse(text, &ms))
		return wrong(f, text, e, "a time");
	number_set(f, object, (uint64_t)ms);
	return 0;
}

static int set_nothing(const struct config_field *f, void *object, const char *text, struct error *e)
{
	(void)object;
	return wrong(f, text, e, "set by a text");
}

int field_set(const struct config_field *f, void *object, const char *text, struct error *e)
{
	static int (*const set[])(const struct config_field *, void *, const char *, struct error *) = {
	    [FIELD_NAME] = set_text,          [FIELD_TEXT] = set_text,       [FIELD_PATH] = set_text,
	    [FIELD_USER] = set_text,          [FIELD_ADDRESS] = set_address, [FIELD_CHOICE] = set_choice,
	    [FIELD_FLAGS] = set_flags,        [FIELD_NUMBER] = set_number,   [FIELD_BOOL] = set_bool,
	    [FIELD_REAL] = set_real,          [FIELD_UUID] = set_uuid,       [FIELD_OID] = set_oid,
	    [FIELD_SCOPE] = set_text,         [FIELD_OIDTEXT] = set_text,    [FIELD_SIZE] = set_size,
	    [FIELD_TIME] = set_time,
	    [FIELD_THRESHOLDS] = set_nothing,
	};

	return set[f->type](f, object, text, e);
}

/* --- to text ------------------------------------------------------------------------------------------- */

static void show_choice(const struct config_field *f, uint64_t value, char *out)
{
	for (const struct choice *c = f->choices; c->word; c++)
		if (c->value == value)
			text_copy(out, FIELD_TEXT_MAX, c->word);
}

static void show_flags(const struct config_field *f, uint64_t value, char *out)
{
	size_t used = 0;

	for (const struct choice *c = f->choices; c->word; c++)
		if (value & c->value)
			text_append(out, FIELD_TEXT_MAX, &used, "%s%s", used ? " " : "", c->word);
}

static void show_uuid(const uint8_t *u, char *out)
{
	size_t used = 0;

	for (int i = 0; i < 16; i++)
		text_append(out, FIELD_TEXT_MAX, &used, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			    u[i]);
}

static void show_oid(const uint32_t *oid, uint8_t length, char *out)
{
	size_t used = 0;

	for (int i = 0; i < length && i < OID_MAX; i++)
		text_append(out, FIELD_TEXT_MAX, &used, "%s%u", i ? "." : "", oid[i]);
}

/* The shortest text that reads back as the same number. */
static void show_real(double value, char *out)
{
	for (int digits = 15; digits <= 17; digits++) {
		text_format(out, FIELD_TEXT_MAX, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			return;
	}
}

static void show_size(uint64_t mib, char *out)
{
	int power = mib % (1 << 20) == 0 ? 2 : mib % (1 << 10) == 0 ? 1 : 0;

	text_format(out, FIELD_TEXT_MAX, "%" PRIu64 "%c", mib >> (10 * power), "MGT"[power]);
}

const char *field_text(const struct config_field *f, const void *object, char out[FIELD_TEXT_MAX])
{
	const void *p = place_of(f, object);
	static const uint8_t no_uuid[16];

	out[0] = '\0';
	switch (f->type) {
	case FIELD_ADDRESS:
		address_text(p, (uint16_t)f->low, out);
		break;
	case FIELD_CHOICE:
		show_choice(f, field_number(f, object), out);
		break;
	case FIELD_FLAGS:
		show_flags(f, field_number(f, object), out);
		break;
	case FIELD_NUMBER:
		if (field_number(f, object) || (f->fallback && f->low == 0)) /* 0 is said where nothing means another number */
			text_format(out, FIELD_TEXT_MAX, "%" PRIu64, field_number(f, object));
		break;
	case FIELD_BOOL:
		text_copy(out, FIELD_TEXT_MAX, field_number(f, object) ? "true" : f->fallback ? "false" : ""); /* said where nothing means true */
		break;
	case FIELD_REAL:
		show_real(*(const double *)p, out);
		break;
	case FIELD_UUID:
		if (memcmp(p, no_uuid, 16) != 0)
			show_uuid(p, out);
		break;
	case FIELD_OID:
		show_oid(p, ((const uint8_t *)p)[sizeof(uint32_t) * OID_MAX], out);
		break;
	case FIELD_SIZE:
		if (field_number(f, object))
			show_size(field_number(f, object), out);
		break;
	case FIELD_TIME:
		if (field_number(f, object))
			clock_text((int64_t)field_number(f, object), out, FIELD_TEXT_MAX);
		break;
	case FIELD_THRESHOLDS:
		break;
	default:
		text_copy(out, FIELD_TEXT_MAX, p);
	}
	return out;
}

/* --- comparing, checking, filling ----------------------------------------------------------------------- */

static bool thresholds_equal(const struct config_item *a, const struct config_item *b)
{
	bool equal = a->thresholds == b->thresholds;

	for (int i = 0; equal && i < a->thresholds; i++)
		equal = threshold_equal(&a->threshold[i], &b->threshold[i]);
	return equal;
}

bool field_equal(const struct config_field *f, const void *a, const void *b)
{
	char x[FIELD_TEXT_MAX], y[FIELD_TEXT_MAX];

	if (f->type == FIELD_THRESHOLDS)
		return thresholds_equal(a, b);
	if (f->type == FIELD_ADDRESS)
		return address_equal(place_of(f, a), place_of(f, b));
	if (f->type == FIELD_NAME)
		return !strcmp(place_of(f, a), place_of(f, b));
	return !strcmp(field_text(f, a, x), field_text(f, b, y));
}

void fields_default(const struct config_field *fields, void *object)
{
	for (; fields->name; fields++)
		if (fields->fallback)
			field_set(fields, object, fields->fallback, NULL);
}

static bool thresholds_valid(const struct config_item *item)
{
	if (item->thresholds > CONFIG_THRESHOLDS)
		return false;
	for (int i = 0; i < item->thresholds; i++)
		if (!threshold_valid(&item->threshold[i]))
			return false;
	return true;
}

static bool address_valid(const struct address *a)
{
	return a->family == 0 || ((a->family == 4 || a->family == 6) && a->port > 0);
}

bool field_valid(const struct config_field *f, const void *object)
{
	const char *p = place_of(f, object);
	uint64_t n;
	uint32_t all = 0;

	switch (f->type) {
	case FIELD_ADDRESS:
		return address_valid(place_of(f, object));
	case FIELD_CHOICE:
		n = field_number(f, object);
		for (const struct choice *c = f->choices; c->word; c++)
			if (c->value == n)
				return true;
		return n == 0;
	case FIELD_FLAGS:
		for (const struct choice *c = f->choices; c->word; c++)
			all |= c->value;
		return (field_number(f, object) & ~(uint64_t)all) == 0;
	case FIELD_NUMBER:
		n = field_number(f, object);
		return n == 0 || (n >= (uint64_t)f->low && n <= (uint64_t)f->high);
	case FIELD_BOOL:
		return field_number(f, object) <= 1;
	case FIELD_OID:
		return ((const uint8_t *)place_of(f, object))[sizeof(uint32_t) * OID_MAX] <= OID_MAX;
	case FIELD_THRESHOLDS:
		return thresholds_valid(object);
	case FIELD_REAL:
	case FIELD_UUID:
	case FIELD_SIZE:
		return true;
	case FIELD_TIME:
		return field_number(f, object) <= 32503680000000; /* the year 3000 */
	default:
		return text_terminated(p, f->size) && (!*p || good_text(f, p));
	}
}

/* Where its driver finds it: an SNMP agent or an sshd. */
static void normalise_balancer(struct config_balancer *b)
{
	struct address *const addresses[] = {&b->address, &b->peer};

	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		if (b->driver && addresses[i]->family && !addresses[i]->port)
			addresses[i]->port = config_driver_uses_snmp(b->driver) ? 161 : 22;
}

void config_normalise(enum config_kind kind, void *object)
{
	if (kind == CONFIG_ITEM) {
		struct config_item *item = object;
		item->per_instance = item->instances[0] != '\0';
	} else if (kind == CONFIG_NOTIFY) {
		struct config_notify *n = object;
		if (n->address.family && !n->address.port)
			n->address.port = n->kind == RECEIVER_SYSLOG ? 514 : 162;
	} else if (kind == CONFIG_BALANCER) {
		normalise_balancer(object);
	}
}

bool config_name_valid(enum config_kind kind, const char *name)
{
	return kind == CONFIG_ITEM ? text_is_item_name(name)
				   : text_is_name(name, kind == CONFIG_WATCH || kind == CONFIG_CHECK ? CONFIG_SHORT_NAME : CONFIG_NAME - 1);
}

const char *config_label(enum config_kind kind, const void *object, char *out, size_t size)
{
	const struct config_head *head = object;

	text_format(out, size, "%s %s", config_kind_name[kind], head->name);
	return out;
}

/* --- hints ----------------------------------------------------------------------------------------------- */

/* Levenshtein distance, at most 40 characters of each. */
static size_t distance(const char *a, const char *b)
{
	size_t row[42], n = strnlen(b, 40);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; i < 40 && a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t change = diagonal + (tolower((unsigned char)a[i]) != b[j]);
			size_t gap = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
			diagonal = row[j + 1];
			row[j + 1] = change < gap ? change : gap;
		}
	}
	return row[n];
}

const char *nearest_word(const char *typed, const char *const *words, size_t count)
{
	const char *best = NULL;
	size_t least = 1 + strnlen(typed, 40) / 2;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(typed, words[i]);
		if (d < least || (d <= least && !best && d < strlen(words[i]))) {
			least = d;
			best = words[i];
		}
	}
	return best;
}
