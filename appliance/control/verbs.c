/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of verbs and the lines made of them; see verbs.h. */
#include "control/verbs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define REQUIRED true
#define OPTIONAL false
#define SERVICE {"agent", CONTROL_AGENT, REQUIRED}, {"name", CONTROL_NAME, REQUIRED}, {"p.", CONTROL_TEXT, OPTIONAL}
#define PUT {"name", CONTROL_NAME, REQUIRED}, {"kind", CONTROL_WORD, REQUIRED}, {"package", CONTROL_PACKAGE, OPTIONAL}, \
	{"version", CONTROL_VERSION, OPTIONAL}, {"source", CONTROL_SOURCE, OPTIONAL}, {"digest", CONTROL_DIGEST, OPTIONAL}, \
	{"target", CONTROL_PATH, OPTIONAL}

static const struct control_verb verbs[] = {
	{"hello", "versions, and what is there", 15, RIGHT_OPERATE, .people = true, .repeatable = true},
	{"service-start", "start a service's agent", 120, RIGHT_OPERATE, .people = true, .repeatable = true, .arguments = {SERVICE}},
	{"service-stop", "stop it", 120, RIGHT_OPERATE, .people = true, .repeatable = true, .arguments = {SERVICE}},
	{"service-restart", "stop it and start it", 240, RIGHT_OPERATE, .people = true, .arguments = {SERVICE}},
	{"service-check", "whether it runs: exit code 0 or 7", 30, RIGHT_OPERATE, .people = true, .repeatable = true, .arguments = {SERVICE}},
	{"service-clean", "stop it and remove what it left", 120, RIGHT_OPERATE, .repeatable = true, .arguments = {SERVICE}},
	{"software-list", "what was installed through the appliance", 30, RIGHT_OPERATE, .people = true, .repeatable = true,
	 .arguments = {{"name", CONTROL_NAME, OPTIONAL}}},
	{"software-install", "install a package or a bundle", 600, RIGHT_OPERATE, .repeatable = true, .arguments = {PUT}},
	{"software-upgrade", "bring it to the wanted or newest version", 600, RIGHT_OPERATE, .repeatable = true, .arguments = {PUT}},
	{"software-remove", "remove it", 300, RIGHT_OPERATE, .repeatable = true, .arguments = {PUT}},
	{"balance", "run a balancer's driver, the picture on its input", 60, RIGHT_ADMIN, .repeatable = true, .input = true,
	 .arguments = {{"driver", CONTROL_WORD, REQUIRED}}},
	{"keepalived-write", "replace keepalived's configuration by the input", 30, RIGHT_ADMIN, .repeatable = true, .input = true},
	{"agent-restart", "restart the node's SNMP agent", 30, RIGHT_OPERATE, .people = true},
	{"bmc-reset", "restart the node's BMC from within", 60, RIGHT_OPERATE, .people = true},
};

static const struct control_argument of_every_verb[] = {{"deadline", CONTROL_NUMBER, OPTIONAL}, {"token", CONTROL_TOKEN, OPTIONAL}};

const char *control_kind_name(int kind)
{
	static const char *const names[CONTROL_KIND_COUNT] = {"?", "name", "agent", "word", "package", "version", "source", "digest", "path", "text",
							      "number", "token"};

	return kind > 0 && kind < CONTROL_KIND_COUNT ? names[kind] : names[0];
}

const struct control_verb *control_verb_at(size_t index)
{
	return index < COUNT_OF(verbs) ? &verbs[index] : NULL;
}

const struct control_verb *control_verb_find(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (!strcmp(verbs[i].word, word))
			return &verbs[i];
	return NULL;
}

/* --- values ---------------------------------------------------------------------------------------------- */
static bool all_of(const char *text, const char *more)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c > 0x7f || (!isalnum(c) && !strchr(more, c)))
			return false;
	}
	return true;
}

static bool lower_of(const char *text, const char *more)
{
	return all_of(text, more) && !strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* "ocf:PROVIDER:NAME" or "systemd:UNIT" */
static bool is_agent(const char *text)
{
	const char *first, *second;

	if (!strncmp(text, "systemd:", 8))
		return text[8] && text[8] != '-' && all_of(text + 8, "_.@-") && !strstr(text, "..");
	if (strncmp(text, "ocf:", 4))
		return false;
	first = text + 4;
	second = strchr(first, ':');
	return second && second != first && second[1] && first[0] != '.' && second[1] != '.' && all_of(second + 1, "_-") && !strchr(second + 1, ':') &&
	       all_of(first, "_-:");
}

static bool is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool is_path(const char *text)
{
	return text[0] == '/' && text[1] && all_of(text, "_./@+-") && !strstr(text, "..") && !strstr(text, "//");
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static bool is_source(const char *text)
{
	return text[0] && all_of(text, " _.,:/@%+=~?&()[]-");
}

static bool value_is_good(enum control_kind kind, const char *text)
{
	int64_t number;

	switch (kind) {
	case CONTROL_NAME:
		return text_is_name(text, 63);
	case CONTROL_AGENT:
		return strlen(text) < 96 && is_agent(text);
	case CONTROL_WORD:
		return text[0] && text[0] != '-' && strlen(text) < 32 && lower_of(text, "-");
	case CONTROL_PACKAGE:
		return isalnum((unsigned char)text[0]) && strlen(text) < 64 && lower_of(text, "+.-");
	case CONTROL_VERSION:
		return isalnum((unsigned char)text[0]) && strlen(text) < 64 && all_of(text, ".+:~-");
	case CONTROL_SOURCE:
		return is_source(text);
	case CONTROL_DIGEST:
		return is_digest(text);
	case CONTROL_PATH:
		return strlen(text) < 128 && is_path(text);
	case CONTROL_TEXT:
		return is_printable(text);
	case CONTROL_NUMBER:
		return text[0] != '0' && text_integer(text, 1, 86400, &number);
	case CONTROL_TOKEN:
		return text[0] != '0' && text_integer(text, 1, 999999999999999, &number);
	default:
		return false;
	}
}

/* KEY of "p.KEY": a shell variable's name */
static bool is_parameter(const char *key)
{
	size_t n = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n && n < 48 && !key[n] && !isdigit((unsigned char)key[0]);
}

static const struct control_argument *argument_of(const struct control_verb *v, const char *key)
{
	for (size_t i = 0; i < COUNT_OF(of_every_verb); i++)
		if (!strcmp(key, of_every_verb[i].name))
			return &of_every_verb[i];
	for (int i = 0; i < CONTROL_ARGUMENTS && v->arguments[i].name; i++) {
		const struct control_argument *a = &v->arguments[i];
		if (strcmp(a->name, "p.") != 0 ? !strcmp(a->name, key) : !strncmp(key, "p.", 2) && is_parameter(key + 2))
			return a;
	}
	return NULL;
}

/* --- encoding ---------------------------------------------------------------------------------------------- */
#define PLAIN "_.,:/@+~-" /* beside letters and digits: what stands for itself */

static bool is_plain(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || (c && strchr(PLAIN, c)));
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Only what the builder writes is taken: capital digits, nothing encoded that stands for itself, nothing below a blank. */
static bool decode(const char *from, size_t length, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)from[i];
		if (c == '%') {
			int high = i + 2 < length ? hex_digit(from[i + 1]) : -1, low = high >= 0 ? hex_digit(from[i + 2]) : -1;
			if (low < 0)
				return false;
			c = (unsigned char)(high * 16 + low);
			if (c < 0x20 || is_plain(c))
				return false;
			i += 2;
		} else if (!is_plain(c)) {
			return false;
		}
		if (n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return true;
}

bool control_line_begin(char line[CONTROL_LINE], const char *verb)
{
	line[0] = '\0';
	return control_verb_find(verb) && text_copy(line, CONTROL_LINE, verb);
}

bool control_line_add(char line[CONTROL_LINE], const char *key, const char *value)
{
	size_t used = strlen(line);
	bool good = text_append(line, CONTROL_LINE, &used, " %s=", key);

	for (; good && *value; value++)
		good = is_plain((unsigned char)*value) ? text_append(line, CONTROL_LINE, &used, "%c", *value)
						       : text_append(line, CONTROL_LINE, &used, "%%%02X", (unsigned char)*value);
	return good;
}

/* --- checking ------------------------------------------------------------------------------------------------ */
struct word { /* one "key=value" of a line */
	const char *key, *value;
	size_t key_length, value_length;
	const char *next; /* behind it */
};

/* False: there is no further word, or what follows is none (then *bad). */
static bool next_word(const char *at, struct word *w, bool *bad)
{
	*bad = false;
	if (!*at)
		return false;
	*bad = true;
	if (*at++ != ' ')
		return false;
	size_t length = strcspn(at, " ");
	const char *equals = memchr(at, '=', length);
	if (!equals || equals == at)
		return false;
	*w = (struct word){at, equals + 1, (size_t)(equals - at), length - (size_t)(equals - at) - 1, at + length};
	*bad = false;
	return true;
}

static int refuse(struct error *e, const char *object, const char *remedy, const char *text)
{
	char shown[64];

	text_copy(shown, sizeof shown, object);
	text_make_printable(shown);
	return error_set(e, ERR_CONFIG, shown, remedy, "%s", text);
}

static int check_word(const struct control_verb *v, const struct word *w, struct error *e, const struct control_argument **which)
{
	char key[64], value[CONTROL_VALUE], remedy[96];

	text_format(key, sizeof key, "%.*s", (int)(w->key_length < sizeof key ? w->key_length : sizeof key - 1), w->key);
	*which = w->key_length < sizeof key ? argument_of(v, key) : NULL;
	text_format(remedy, sizeof remedy, "see the verb's arguments in glory-node(8)");
	if (!*which)
		return refuse(e, key, remedy, "is no argument of the verb");
	if (!decode(w->value, w->value_length, value, sizeof value))
		return refuse(e, key, "encode everything but letters, digits and " PLAIN " as %XX", "its value is not written as it should be, or too long");
	if (!value_is_good((*which)->kind, value)) {
		text_format(remedy, sizeof remedy, "it is a %s: see glory-node(8)", control_kind_name((int)(*which)->kind));
		return refuse(e, key, remedy, "its value has characters that are not allowed there");
	}
	return 0;
}

static bool same_key(const struct word *a, const struct word *b)
{
	return a->key_length == b->key_length && !memcmp(a->key, b->key, a->key_length);
}

static int check_twice(const char *line, const struct word *w, struct error *e)
{
	struct word other;
	char key[64];
	bool bad;

	for (const char *at = line; at < w->key - 1 && next_word(at, &other, &bad); at = other.next)
		if (same_key(&other, w)) {
			text_format(key, sizeof key, "%.*s", (int)w->key_length, w->key);
			return refuse(e, key, "give it once", "is there twice");
		}
	return 0;
}

static int check_required(const struct control_verb *v, unsigned seen, struct error *e)
{
	for (int i = 0; i < CONTROL_ARGUMENTS && v->arguments[i].name; i++)
		if (v->arguments[i].required && !(seen >> i & 1))
			return refuse(e, v->arguments[i].name, "give it as KEY=VALUE", "is missing");
	return 0;
}

int control_line_check(const char *line, const struct control_verb **verb, struct error *e)
{
	size_t length = strnlen(line, CONTROL_LINE), word = strcspn(line, " ");
	const struct control_argument *which;
	unsigned seen = 0, parameters = 0;
	char name[32];
	struct word w;
	bool bad;

	if (verb)
		*verb = NULL;
	if (length == CONTROL_LINE)
		return refuse(e, "line", "give shorter values", "is longer than 1023 bytes");
	text_format(name, sizeof name, "%.*s", (int)(word < sizeof name ? word : sizeof name - 1), line);
	const struct control_verb *v = control_verb_find(name);
	if (!v || word >= sizeof name)
		return refuse(e, name[0] ? name : "line", "see: gloryctl help node run", "there is no such verb");
	for (const char *at = line + word; next_word(at, &w, &bad); at = w.next) {
		int rc = check_word(v, &w, e, &which);
		if (rc == 0)
			rc = check_twice(line + word, &w, e);
		if (rc)
			return rc;
		if (which < of_every_verb || which >= of_every_verb + COUNT_OF(of_every_verb))
			seen |= 1u << (which - v->arguments);
		parameters += !strncmp(w.key, "p.", 2);
	}
	if (bad)
		return refuse(e, name, "write VERB key=value key=value", "is followed by what is no argument");
	if (parameters > CONTROL_PARAMETERS)
		return refuse(e, name, "give fewer", "has more than 32 parameters");
	if (verb)
		*verb = v;
	return check_required(v, seen, e);
}

bool control_line_value(const char *line, const char *key, char *out, size_t size)
{
	struct word w;
	bool bad;

	for (const char *at = line + strcspn(line, " "); next_word(at, &w, &bad); at = w.next)
		if (w.key_length == strlen(key) && !memcmp(w.key, key, w.key_length))
			return decode(w.value, w.value_length, out, size);
	return false;
}

char *control_table_text(void)
{
	enum { ROOM = 8192 };
	char *text = mem_zalloc(ROOM);
	size_t used = 0;

	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		text_append(text, ROOM, &used, "%s %u", verbs[i].word, verbs[i].deadline_s);
		for (int a = 0; a < CONTROL_ARGUMENTS && verbs[i].arguments[a].name; a++)
			text_append(text, ROOM, &used, " %s=%s%s", verbs[i].arguments[a].name, control_kind_name((int)verbs[i].arguments[a].kind),
				    verbs[i].arguments[a].required ? "!" : "");
		text_append(text, ROOM, &used, "\n");
	}
	return text;
}
