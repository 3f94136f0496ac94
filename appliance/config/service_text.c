/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual addresses, probe, agent and parameters of a service from and to text; see service_text.h. The checker of the configuration and
 * the engine call it. The schedule is in service_schedule.c. */
#include "config/service_text.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "config/service_words.h"

/* --- what all of them need ------------------------------------------------------------------------------ */
int service_words_refuse(struct error *e, const char *remedy, const char *what, const char *word, const char *expected)
{
	char shown[64];

	text_copy(shown, sizeof shown, word);
	text_make_printable(shown);
	if (!*shown)
		return error_set(e, ERR_CONFIG, "service", remedy, "%s: it ends where %s is expected", what, expected);
	return error_set(e, ERR_CONFIG, "service", remedy, "%s: \"%s\" is not %s", what, shown, expected);
}

int service_words_next(const char **at, char *out, size_t size)
{
	const char *p = *at + strspn(*at, " \t");
	bool quoted = false, any = false;
	size_t used = 0;

	for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
		any = true;
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if ((unsigned char)*p < 0x20 || *p == 0x7f || used + 1 >= size)
			return ERR_CONFIG;
		out[used++] = *p;
	}
	out[used] = '\0';
	*at = p;
	return quoted ? ERR_CONFIG : any;
}

bool service_words_digits(const char *text, int64_t low, int64_t high, int64_t *out)
{
	return isdigit((unsigned char)text[0]) && text_integer(text, low, high, out);
}

/* --- virtuals ------------------------------------------------------------------------------------------- */
static const char virtuals_remedy[] = "write ADDRESS:PORT, ADDRESS:PORT/udp, ADDRESS:PORT>MEMBER-PORT or mark N>MEMBER-PORT, with commas between them";

/* Cuts what stands behind the last `mark` off and gives it, NULL when there is none. */
static char *cut_behind(char *text, char mark)
{
	char *found = strrchr(text, mark);

	if (!found)
		return NULL;
	*found = '\0';
	return found + 1;
}

static int parse_mark(const char *text, const char *family, const char *port, struct service_virtual *v, struct error *e)
{
	int64_t mark;

	text += strspn(text, " ");
	if (!service_words_digits(text, 1, UINT32_MAX, &mark))
		return service_words_refuse(e, virtuals_remedy, "virtuals", text, "a firewall mark from 1 to 4294967295");
	if (family && strcmp(family, "ipv6") != 0 && strcmp(family, "ipv4") != 0)
		return service_words_refuse(e, virtuals_remedy, "virtuals", family, "ipv4 or ipv6");
	if (!port)
		return error_set(e, ERR_CONFIG, "service", virtuals_remedy, "virtuals: mark %s has no member port", text);
	v->fwmark = (uint32_t)mark;
	v->protocol = SERVICE_FWMARK;
	v->family = family && !strcmp(family, "ipv6") ? 6 : 4;
	return 0;
}

static int parse_endpoint(const char *text, const char *protocol, struct service_virtual *v, struct error *e)
{
	if (protocol && strcmp(protocol, "udp") != 0 && strcmp(protocol, "tcp") != 0)
		return service_words_refuse(e, virtuals_remedy, "virtuals", protocol, "tcp or udp");
	if (!address_parse(text, 0, &v->address))
		return service_words_refuse(e, virtuals_remedy, "virtuals", text, "an address with a port");
	if (!v->address.port)
		return error_set(e, ERR_CONFIG, "service", virtuals_remedy, "virtuals: %s has no port", text);
	v->protocol = protocol && !strcmp(protocol, "udp") ? SERVICE_UDP : SERVICE_TCP;
	v->family = v->address.family;
	v->member_port = v->address.port;
	return 0;
}

static int parse_virtual(char *text, struct service_virtual *v, struct error *e)
{
	char *port = cut_behind(text, '>'), *kind = cut_behind(text, '/');
	int64_t number;
	int rc;

	rc = strncmp(text, "mark ", 5) ? parse_endpoint(text, kind, v, e) : parse_mark(text + 5, kind, port, v, e);
	if (rc || !port)
		return rc;
	if (!service_words_digits(port, 1, 65535, &number))
		return service_words_refuse(e, virtuals_remedy, "virtuals", port, "a member port from 1 to 65535");
	v->member_port = (uint16_t)number;
	return 0;
}

bool service_virtual_same(const struct service_virtual *a, const struct service_virtual *b)
{
	if (a->protocol != b->protocol || a->family != b->family)
		return false;
	return a->protocol == SERVICE_FWMARK ? a->fwmark == b->fwmark : address_equal(&a->address, &b->address);
}

static void one_virtual_text(const struct service_virtual *v, char out[96])
{
	char address[ADDRESS_TEXT];
	size_t used = 0;

	if (v->protocol == SERVICE_FWMARK)
		text_append(out, 96, &used, "mark %u%s>%u", v->fwmark, v->family == 6 ? "/ipv6" : "", v->member_port);
	else
		text_append(out, 96, &used, "%s%s", address_text(&v->address, 0, address), v->protocol == SERVICE_UDP ? "/udp" : "");
	if (v->protocol != SERVICE_FWMARK && v->member_port != v->address.port)
		text_append(out, 96, &used, ">%u", v->member_port);
}

static int add_virtual(char *text, struct service_virtuals *out, struct error *e)
{
	struct service_virtual v = {.fwmark = 0};
	char shown[96];
	int rc = parse_virtual(text, &v, e);

	if (rc)
		return rc;
	one_virtual_text(&v, shown);
	for (size_t i = 0; i < out->count; i++)
		if (service_virtual_same(&out->at[i], &v))
			return error_set(e, ERR_CONFIG, "service", "say it once", "virtuals: %s is there twice", shown);
	if (out->count == SERVICE_VIRTUALS_MAX)
		return error_set(e, ERR_CONFIG, "service", "make two services of it", "virtuals: more than %d", SERVICE_VIRTUALS_MAX);
	out->at[out->count++] = v;
	return 0;
}

int service_virtuals_parse(const char *text, struct service_virtuals *out, struct error *e)
{
	const char *p = text;
	char one[96];

	memset(out, 0, sizeof *out);
	do {
		p += strspn(p, " \t");
		size_t n = strcspn(p, ",");
		bool fits = text_format(one, sizeof one, "%.*s", (int)(n < 200 ? n : 200), p);
		p += n;
		while (n && fits && (one[n - 1] == ' ' || one[n - 1] == '\t'))
			one[--n] = '\0';
		int rc = fits ? add_virtual(one, out, e) : service_words_refuse(e, virtuals_remedy, "virtuals", one, "an address with a port");
		if (rc)
			return rc;
	} while (*p++);
	return 0;
}

void service_virtuals_text(const struct service_virtuals *virtuals, char *out, size_t size)
{
	size_t used = 0;
	char one[96];

	text_copy(out, size, "");
	for (size_t i = 0; i < virtuals->count; i++) {
		one_virtual_text(&virtuals->at[i], one);
		text_append(out, size, &used, "%s%s", i ? ", " : "", one);
	}
}

/* --- probe ---------------------------------------------------------------------------------------------- */
static const char probe_remedy[] = "write tcp, tls, http PATH, https PATH or plugin NAME ARGUMENTS; behind a path: status 200-299, text ok, host www, port 8080";

enum probe_word { PROBE_STATUS = 1, PROBE_TEXT = 2, PROBE_HOST = 4, PROBE_PORT = 8 };
static const struct {
	const char *name;
	uint16_t kind;
	bool path;
	unsigned words;
} probe_kinds[] = {
	{"tcp", PROBE_TCP, false, PROBE_PORT},
	{"tls", PROBE_TLS, false, PROBE_HOST | PROBE_PORT},
	{"http", PROBE_HTTP, true, PROBE_STATUS | PROBE_TEXT | PROBE_HOST | PROBE_PORT},
	{"https", PROBE_HTTPS, true, PROBE_STATUS | PROBE_TEXT | PROBE_HOST | PROBE_PORT},
	{"plugin", PROBE_PLUGIN, false, 0},
};

static int parse_status(char *text, struct service_probe *probe, struct error *e)
{
	int64_t low, high;
	char *behind = cut_behind(text, '-');

	if (!service_words_digits(text, 100, 599, &low) || !service_words_digits(behind ? behind : text, low, 599, &high))
		return service_words_refuse(e, probe_remedy, "probe", text, "a status like 200 or 200-299");
	probe->status_low = (uint16_t)low;
	probe->status_high = (uint16_t)high;
	return 0;
}

static int parse_probe_word(enum probe_word word, char *value, struct service_probe *probe, struct error *e)
{
	int64_t port;

	switch (word) {
	case PROBE_STATUS:
		return parse_status(value, probe, e);
	case PROBE_TEXT:
		return text_copy(probe->expect, sizeof probe->expect, value) && *value
			       ? 0 : service_words_refuse(e, probe_remedy, "probe", value, "a text of 1 to 63 bytes");
	case PROBE_HOST:
		return text_is_name(value, sizeof probe->host - 1) && text_copy(probe->host, sizeof probe->host, value)
			       ? 0 : service_words_refuse(e, probe_remedy, "probe", value, "a host name");
	case PROBE_PORT:
		if (!service_words_digits(value, 1, 65535, &port))
			return service_words_refuse(e, probe_remedy, "probe", value, "a port from 1 to 65535");
		probe->port = (uint16_t)port;
		return 0;
	}
	return ERR_BUG;
}

static int parse_probe_words(const char *p, unsigned allowed, struct service_probe *probe, struct error *e)
{
	static const char *const names[] = {"status", "text", "host", "port"};
	char word[128], value[128];
	unsigned given = 0;
	int got;

	while ((got = service_words_next(&p, word, sizeof word)) > 0) {
		size_t i = 0;
		while (i < COUNT_OF(names) && strcmp(names[i], word) != 0)
			i++;
		if (i == COUNT_OF(names) || !(allowed & 1u << i) || (given & 1u << i))
			return service_words_refuse(e, probe_remedy, "probe", word, given & 1u << i ? "wanted twice" : "known here");
		given |= 1u << i;
		if (service_words_next(&p, value, sizeof value) <= 0)
			return error_set(e, ERR_CONFIG, "service", probe_remedy, "probe: %s has no value, or one that cannot be read", word);
		int rc = parse_probe_word((enum probe_word)(1u << i), value, probe, e);
		if (rc)
			return rc;
	}
	return got < 0 ? error_set(e, ERR_CONFIG, "service", "close the quotes, write no control characters", "probe: a word cannot be read") : 0;
}

static int parse_plugin(const char *p, struct service_probe *probe, struct error *e)
{
	if (service_words_next(&p, probe->plugin, sizeof probe->plugin) <= 0 || !text_is_name(probe->plugin, sizeof probe->plugin - 1))
		return error_set(e, ERR_CONFIG, "service", "write plugin check_http ARGUMENTS", "probe: plugin needs the file name of a plugin");
	p += strspn(p, " \t");
	for (const char *c = p; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return error_set(e, ERR_CONFIG, "service", "write printable text", "probe: arguments of %s have a control character", probe->plugin);
	if (!text_copy(probe->arguments, sizeof probe->arguments, p))
		return error_set(e, ERR_CONFIG, "service", "write at most 255 bytes", "probe: arguments of %s are too long", probe->plugin);
	return 0;
}

/* A path begins with a slash, so it is never one of the words. */
static int parse_path(const char **p, struct service_probe *probe, struct error *e)
{
	const char *start = *p + strspn(*p, " \t");

	if (*start != '/') {
		text_copy(probe->path, sizeof probe->path, "/");
		return 0;
	}
	if (service_words_next(p, probe->path, sizeof probe->path) <= 0 || strpbrk(probe->path, " \t"))
		return error_set(e, ERR_CONFIG, "service", "write at most 127 bytes, %20 for a blank", "probe: the path cannot be read");
	return 0;
}

int service_probe_parse(const char *text, struct service_probe *out, struct error *e)
{
	const char *p = text;
	char kind[128];

	memset(out, 0, sizeof *out);
	if (service_words_next(&p, kind, sizeof kind) <= 0)
		return error_set(e, ERR_CONFIG, "service", probe_remedy, "probe: no kind that can be read");
	for (size_t i = 0; i < COUNT_OF(probe_kinds); i++) {
		if (strcmp(kind, probe_kinds[i].name) != 0)
			continue;
		out->kind = probe_kinds[i].kind;
		int rc = out->kind == PROBE_PLUGIN ? parse_plugin(p, out, e) : 0;
		if (!rc && probe_kinds[i].path)
			rc = parse_path(&p, out, e);
		return rc || out->kind == PROBE_PLUGIN ? rc : parse_probe_words(p, probe_kinds[i].words, out, e);
	}
	return service_words_refuse(e, probe_remedy, "probe", kind, "tcp, tls, http, https or plugin");
}

void service_probe_text(const struct service_probe *probe, char *out, size_t size)
{
	size_t used = 0;

	text_copy(out, size, "");
	for (size_t i = 0; i < COUNT_OF(probe_kinds); i++)
		if (probe_kinds[i].kind == probe->kind)
			text_append(out, size, &used, "%s", probe_kinds[i].name);
	if (probe->kind == PROBE_PLUGIN)
		text_append(out, size, &used, " %s%s%s", probe->plugin, *probe->arguments ? " " : "", probe->arguments);
	if (*probe->path)
		text_append(out, size, &used, " %s", probe->path);
	if (probe->status_low)
		text_append(out, size, &used, probe->status_high == probe->status_low ? " status %u" : " status %u-%u", probe->status_low,
			    probe->status_high);
	if (*probe->expect)
		text_append(out, size, &used, strpbrk(probe->expect, " \t") ? " text \"%s\"" : " text %s", probe->expect);
	if (*probe->host)
		text_append(out, size, &used, " host %s", probe->host);
	if (probe->port)
		text_append(out, size, &used, " port %u", probe->port);
}

/* --- agent and parameters ------------------------------------------------------------------------------- */
static const char agent_remedy[] = "write systemd:UNIT or ocf:PROVIDER:NAME";

/* systemd's own set of characters, without the backslash: the name goes to a node as an argument. */
static bool is_unit(const char *text)
{
	return isalnum((unsigned char)text[0]) && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@-") == strlen(text) &&
	       !strstr(text, "..");
}

int service_agent_parse(const char *text, struct service_agent *out, struct error *e)
{
	const char *colon;

	memset(out, 0, sizeof *out);
	if (!strncmp(text, "systemd:", 8)) {
		out->kind = SERVICE_AGENT_SYSTEMD;
		return text_copy(out->name, sizeof out->name, text + 8) && is_unit(text + 8)
			       ? 0 : service_words_refuse(e, agent_remedy, "agent", text + 8, "the name of a systemd unit");
	}
	if (strncmp(text, "ocf:", 4) != 0)
		return service_words_refuse(e, agent_remedy, "agent", text, "systemd:UNIT or ocf:PROVIDER:NAME");
	colon = strchr(text + 4, ':');
	out->kind = SERVICE_AGENT_OCF;
	if (!colon || (size_t)(colon - text - 4) >= sizeof out->provider)
		return service_words_refuse(e, agent_remedy, "agent", text + 4, "PROVIDER:NAME");
	text_format(out->provider, sizeof out->provider, "%.*s", (int)(colon - text - 4), text + 4);
	if (!text_is_name(out->provider, sizeof out->provider - 1))
		return service_words_refuse(e, agent_remedy, "agent", out->provider, "a provider of resource agents");
	if (!text_is_name(colon + 1, sizeof out->name - 1))
		return service_words_refuse(e, agent_remedy, "agent", colon + 1, "the name of a resource agent");
	text_copy(out->name, sizeof out->name, colon + 1);
	return 0;
}

void service_agent_text(const struct service_agent *agent, char *out, size_t size)
{
	if (agent->kind == SERVICE_AGENT_OCF)
		text_format(out, size, "ocf:%s:%s", agent->provider, agent->name);
	else
		text_format(out, size, "systemd:%s", agent->name);
}

static bool is_key(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n && !text[n] && n < sizeof((struct service_parameter *)0)->key && !isdigit((unsigned char)text[0]);
}

static int add_parameter(char *word, struct service_parameters *out, struct error *e)
{
	static const char remedy[] = "write KEY=VALUE, a value with blanks in double quotes";
	char *value = strchr(word, '=');
	struct service_parameter *p;

	if (!value)
		return service_words_refuse(e, remedy, "parameters", word, "KEY=VALUE");
	*value++ = '\0';
	if (!is_key(word))
		return service_words_refuse(e, remedy, "parameters", word, "a key of letters, digits and _");
	if (strchr(value, '\\') || strlen(value) >= sizeof p->value)
		return error_set(e, ERR_CONFIG, "service", "write at most 191 bytes without a backslash", "parameters: the value of %s cannot be taken", word);
	if (service_parameter(out, word))
		return error_set(e, ERR_CONFIG, "service", "say it once", "parameters: %s is there twice", word);
	if (out->count == SERVICE_PARAMETERS_MAX)
		return error_set(e, ERR_CONFIG, "service", "put the rest into a file", "parameters: more than %d", SERVICE_PARAMETERS_MAX);
	p = &out->at[out->count++];
	text_copy(p->key, sizeof p->key, word);
	text_copy(p->value, sizeof p->value, value);
	return 0;
}

int service_parameters_parse(const char *text, struct service_parameters *out, struct error *e)
{
	const char *p = text;
	char word[256];
	int got, rc = 0;

	memset(out, 0, sizeof *out);
	while (!rc && (got = service_words_next(&p, word, sizeof word)) != 0)
		rc = got > 0 ? add_parameter(word, out, e)
			     : error_set(e, ERR_CONFIG, "service", "close the quotes, write at most 255 bytes and no control characters",
					 "parameters: a word cannot be read");
	return rc;
}

void service_parameters_text(const struct service_parameters *parameters, char *out, size_t size)
{
	size_t used = 0;

	text_copy(out, size, "");
	for (size_t i = 0; i < parameters->count; i++) {
		const struct service_parameter *p = &parameters->at[i];
		text_append(out, size, &used, strpbrk(p->value, " \t") ? "%s%s=\"%s\"" : "%s%s=%s", i ? " " : "", p->key, p->value);
	}
}

const char *service_parameter(const struct service_parameters *parameters, const char *key)
{
	for (size_t i = 0; i < parameters->count; i++)
		if (!strcmp(parameters->at[i].key, key))
			return parameters->at[i].value;
	return NULL;
}
