/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See haproxy_text.h. Called by haproxy.c, its unit test and a fuzzer. */
#include "l4drivers/haproxy_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define BEGIN_MARK "# glory-cl: begin: written by glory-l4, what stands until the end mark is written anew"
#define BEGIN_WORD "# glory-cl: begin"
#define END_MARK "# glory-cl: end"
#define FIELDS_MAX 128

/* srv_admin_state of "show servers state" */
enum { ADMIN_MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20, ADMIN_DRAIN = 0x08 | 0x10 };

const char *haproxy_server_name(const struct picture_real *r, char out[PICTURE_NAME])
{
	if (r->name[0])
		text_copy(out, PICTURE_NAME, r->name);
	else
		address_text(&r->address, 0, out);
	return out;
}

/* --- our section ---------------------------------------------------------------------------------------- */

static void section_virtual(const struct picture_virtual *v, const char *prefix, struct program_text *out)
{
	char address[ADDRESS_TEXT], name[PICTURE_NAME];

	program_text_add(out, "frontend %s%s\n\tmode tcp\n\ttimeout client 15m\n\tbind %s\n\tdefault_backend %s%s\n", prefix, v->name,
			 address_text(&v->address, 0, address), prefix, v->name);
	/* a member that does not answer costs a second, then another one is taken */
	program_text_add(out, "backend %s%s\n\tmode tcp\n\ttimeout connect 1s\n\ttimeout server 15m\n\tretries 3\n\toption redispatch 1\n\tbalance %s\n", prefix,
			 v->name, driver_scheduler_text(&driver_haproxy, v->scheduler));
	/* members can come and go at run time only with hashes of this type */
	if (!strcmp(driver_scheduler_text(&driver_haproxy, v->scheduler), "source"))
		program_text_add(out, "\thash-type consistent\n");
	if (v->persistence_s)
		program_text_add(out, "\tstick-table type %s size 100k expire %" PRIu32 "s\n\tstick on src\n", v->family == 6 ? "ipv6" : "ip", v->persistence_s);
	for (size_t i = 0; i < v->count; i++) {
		const struct picture_real *r = &v->reals[i];
		program_text_add(out, "\tserver %s %s weight %" PRIu32, haproxy_server_name(r, name), address_text(&r->address, 0, address), r->weight);
		if (r->connections_max)
			program_text_add(out, " maxconn %" PRIu32, r->connections_max);
		program_text_add(out, "\n");
	}
}

void haproxy_section(const struct picture *p, const char *prefix, struct program_text *out)
{
	program_text_add(out, "%s\n", BEGIN_MARK);
	for (size_t i = 0; i < p->count; i++)
		if (p->virtuals[i].name[0] && p->virtuals[i].address.family)
			section_virtual(&p->virtuals[i], prefix, out);
	program_text_add(out, "%s\n", END_MARK);
}

/* A line that begins with mark, at or after text; NULL for none. */
static const char *find_mark(const char *text, const char *mark)
{
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, mark, strlen(mark)))
			return line;
	return NULL;
}

static const char *after_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

bool haproxy_replace(const char *old, const struct program_text *section, struct program_text *out)
{
	const char *begin = find_mark(old, BEGIN_WORD), *end = find_mark(old, END_MARK);
	size_t size = strlen(old);

	if (!begin != !end || (begin && (end < begin || find_mark(after_line(begin), BEGIN_WORD) || find_mark(after_line(end), END_MARK))))
		return false;
	program_text_add(out, "%.*s", (int)(begin ? (size_t)(begin - old) : size), old);
	if (!begin && size && old[size - 1] != '\n')
		program_text_add(out, "\n");
	program_text_add(out, "%s", section->text);
	program_text_add(out, "%s", begin ? after_line(end) : "");
	return true;
}

/* Words of a line, cut in place; the rest is not counted. */
static size_t words_of(char *line, char **words, size_t room)
{
	size_t n = 0;
	char *save;

	for (char *w = strtok_r(line, " \t\r", &save); w && n < room; w = strtok_r(NULL, " \t\r", &save))
		words[n++] = w;
	return n;
}

static bool with_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix)) && text_is_name(name + strlen(prefix), PICTURE_NAME - 1);
}

static struct picture_virtual *find(struct picture *have, const char *name)
{
	for (size_t i = 0; i < have->count; i++)
		if (!strcmp(have->virtuals[i].name, name))
			return &have->virtuals[i];
	return NULL;
}

static void changed(struct picture_virtual *v)
{
	text_copy(v->scheduler, sizeof v->scheduler, "changed");
}

static const char *word_of_text(const char *text)
{
	for (const struct driver_scheduler *s = driver_haproxy.can.schedulers; s->word; s++)
		if (!strcmp(s->text, text))
			return s->word;
	return "changed";
}

static void parse_bind(struct picture_virtual *v, const char *text)
{
	if (!address_parse(text, 0, &v->address) || !v->address.port)
		changed(v);
	else
		v->family = v->address.family;
}

static void parse_expire(struct picture_virtual *v, const char *text)
{
	int64_t seconds;

	if (text_seconds(text, 1, 31536000, &seconds))
		v->persistence_s = (uint32_t)seconds;
	else
		changed(v);
}

static void parse_line(struct picture_virtual *v, char **words, size_t count)
{
	static const char *const plain[] = {"mode", "timeout", "default_backend", "retries", "option", "stick", "server", "hash-type"};

	if (!strcmp(words[0], "bind") && count == 2)
		parse_bind(v, words[1]);
	else if (!strcmp(words[0], "balance") && count == 2)
		text_copy(v->scheduler, sizeof v->scheduler, word_of_text(words[1]));
	else if (!strcmp(words[0], "stick-table") && count == 7)
		parse_expire(v, words[6]);
	else {
		bool known = false;
		for (size_t i = 0; i < COUNT_OF(plain); i++)
			known = known || !strcmp(plain[i], words[0]);
		if (!known)
			changed(v);
	}
}

void haproxy_parse_section(const char *file, const char *prefix, struct picture *have)
{
	const char *begin = find_mark(file, BEGIN_WORD), *end = find_mark(file, END_MARK);
	struct picture_virtual *v = NULL;
	char line[512], *words[16];

	for (const char *at = begin && end > begin ? after_line(begin) : NULL; at && at < end; at = after_line(at)) {
		size_t length = strcspn(at, "\n");
		if (length >= sizeof line) {
			if (v)
				changed(v);
			continue;
		}
		memcpy(line, at, length);
		line[length] = '\0';
		size_t count = words_of(line, words, COUNT_OF(words));
		if (count == 2 && (!strcmp(words[0], "frontend") || !strcmp(words[0], "backend"))) {
			v = with_prefix(words[1], prefix) ? find(have, words[1] + strlen(prefix)) : NULL;
			if (!v && with_prefix(words[1], prefix))
				v = picture_add_virtual(have, words[1] + strlen(prefix));
			if (v) {
				v->protocol = PICTURE_TCP;
				v->forwarding = FORWARD_NAT;
			}
		} else if (v && count) {
			parse_line(v, words, count);
		}
	}
}

/* --- what runs ------------------------------------------------------------------------------------------ */

/* A table of texts: a header that names columns, rows of the same separator. Columns are found by name: versions add some. */
struct table {
	char *line, *next; /* the row, cut */
	char *header, *fields[FIELDS_MAX];
	size_t count, columns;
	char *names[FIELDS_MAX];
	char separator;
};

static size_t split(char *line, char separator, char **out)
{
	size_t n = 0;

	for (char *at = line; at && n < FIELDS_MAX;) {
		char *end = strchr(at, separator);
		if (end)
			*end++ = '\0';
		out[n++] = at;
		at = end;
	}
	return n;
}

/* Takes the text up to the header, whose line begins with "# ". */
static bool table_begin(struct table *t, char *text, char separator)
{
	t->separator = separator;
	for (char *line = text; line && *line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		if (!strncmp(line, "# ", 2)) {
			t->columns = split(line + 2, separator, t->names);
			t->next = end;
			return true;
		}
		line = end;
	}
	return false;
}

static bool table_row(struct table *t)
{
	while (t->next && *t->next) {
		char *end = strchr(t->next, '\n');
		t->line = t->next;
		if (end)
			*end++ = '\0';
		t->next = end;
		if (!*t->line)
			continue;
		t->count = split(t->line, t->separator, t->fields);
		return true;
	}
	return false;
}

static const char *field(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->columns && i < t->count; i++)
		if (!strcmp(t->names[i], name))
			return t->fields[i];
	return "";
}

static uint64_t number(const struct table *t, const char *name, int64_t high)
{
	int64_t n = 0;

	return text_integer(field(t, name), 0, high, &n) ? (uint64_t)n : 0;
}

static void server_row(const struct table *t, const struct picture *want, struct picture_virtual *v, unsigned *going)
{
	const struct picture_virtual *wanted = picture_find(want, v->name);
	uint64_t admin = number(t, "srv_admin_state", 255);
	struct address a;
	bool is_wanted = false;

	if (!address_parse(field(t, "srv_addr"), (uint16_t)number(t, "srv_port", 65535), &a))
		return;
	for (size_t i = 0; wanted && i < wanted->count; i++)
		is_wanted = is_wanted || address_equal(&wanted->reals[i].address, &a);
	if ((admin & ADMIN_MAINTENANCE) && !is_wanted) {
		++*going;
		return;
	}
	const char *name = field(t, "srv_name");
	struct picture_real *r = picture_add_real(v, text_is_name(name, PICTURE_NAME - 1) ? name : "");
	if (!r)
		return;
	r->address = a;
	r->weight = admin & (ADMIN_MAINTENANCE | ADMIN_DRAIN) ? 0 : (uint32_t)number(t, "srv_uweight", 256);
}

bool haproxy_parse_servers(const char *text, const char *prefix, const struct picture *want, struct picture *have, unsigned *going)
{
	struct table t = {0};
	char *copy = mem_strdup(text);
	bool found = table_begin(&t, copy, ' ');

	*going = 0;
	for (size_t i = 0; i < have->count; i++)
		have->virtuals[i].count = 0;
	while (found && table_row(&t)) {
		const char *backend = field(&t, "be_name");
		struct picture_virtual *v = with_prefix(backend, prefix) ? find(have, backend + strlen(prefix)) : NULL;
		if (v)
			server_row(&t, want, v, going);
	}
	free(copy);
	return found;
}

static void counts(const struct table *t, struct picture_counts *c)
{
	c->connections = number(t, "stot", INT64_MAX);
	c->bytes_in = number(t, "bin", INT64_MAX);
	c->bytes_out = number(t, "bout", INT64_MAX);
	c->active = (uint32_t)number(t, "scur", UINT32_MAX);
}

static void stat_server(const struct table *t, const char *backend, struct picture_virtual *v, struct program_text *remove)
{
	const char *name = field(t, "svname"), *status = field(t, "status");
	char own[PICTURE_NAME];

	for (size_t i = 0; i < v->count; i++) {
		struct picture_real *r = &v->reals[i];
		if (strcmp(haproxy_server_name(r, own), name) != 0)
			continue;
		counts(t, &r->counts);
		r->connections_max = (uint32_t)number(t, "slim", UINT32_MAX);
		r->failing = !strncmp(status, "DOWN", 4);
		return;
	}
	if (!strncmp(status, "MAINT", 5) && number(t, "scur", INT64_MAX) == 0 && text_is_name(name, PICTURE_NAME - 1))
		program_text_add(remove, "%s/%s\n", backend, name);
}

bool haproxy_parse_stat(const char *text, const char *prefix, struct picture *have, unsigned *foreign, struct program_text *remove)
{
	struct table t = {0};
	char *copy = mem_strdup(text);
	bool found = table_begin(&t, copy, ',');
	uint8_t *seen = mem_zalloc(have->count + 1);
	size_t kept = 0;

	*foreign = 0;
	while (found && table_row(&t)) {
		const char *proxy = field(&t, "pxname"), *server = field(&t, "svname");
		bool ours = with_prefix(proxy, prefix), front = !strcmp(server, "FRONTEND"), back = !strcmp(server, "BACKEND");
		struct picture_virtual *v = ours ? find(have, proxy + strlen(prefix)) : NULL;

		*foreign += front && !ours;
		/* it runs, and no file of ours says so: it is written anew */
		if (!v && ours && front && (v = picture_add_virtual(have, proxy + strlen(prefix))) != NULL) {
			uint8_t *more = mem_zalloc(have->count + 1);
			memcpy(more, seen, have->count - 1);
			free(seen);
			seen = more;
			changed(v);
			v->protocol = PICTURE_TCP;
			v->forwarding = FORWARD_NAT;
		}
		if (!v)
			continue;
		if (front || back)
			seen[v - have->virtuals] |= front ? 1 : 2;
		if (back)
			counts(&t, &v->counts);
		else if (!front)
			stat_server(&t, proxy, v, remove);
	}
	for (size_t i = 0; i < have->count; i++) {
		if (seen[i] == 3)
			have->virtuals[kept++] = have->virtuals[i];
		else
			free(have->virtuals[i].reals);
	}
	have->count = kept;
	free(seen);
	free(copy);
	return found;
}

int64_t haproxy_info(const char *text, const char *name)
{
	size_t length = strlen(name);
	char value[24];
	int64_t n = 0;

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, name, length) != 0 || strncmp(line + length, ": ", 2) != 0)
			continue;
		size_t size = strcspn(line + length + 2, "\r\n");
		if (size >= sizeof value)
			return 0;
		memcpy(value, line + length + 2, size);
		value[size] = '\0';
		return text_integer(value, 0, INT64_MAX, &n) ? n : 0;
	}
	return 0;
}
