/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wanted state as the text of a cluster.xml; nodes that count along become one <nodes>; see cluster.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "config/fields.h"
#include "config/threshold.h"

struct writer {
	char *text;
	size_t used, room;
};

static void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct writer *w, const char *format, ...)
{
	char piece[2048];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(piece, sizeof piece, format, ap);
	va_end(ap);
	size_t size = n < 0 ? 0 : (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1;
	if (w->used + size + 1 > w->room) {
		w->room = (w->used + size + 1) * 2;
		w->text = mem_grow(w->text, w->room, 1);
	}
	memcpy(w->text + w->used, piece, size + 1);
	w->used += size;
}

static void put_attribute(struct writer *w, const char *name, const char *value)
{
	static const struct {
		char c;
		const char *text;
	} escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};

	put(w, " %s=\"", name);
	for (; *value; value++) {
		size_t i = 0;
		while (i < COUNT_OF(escapes) && escapes[i].c != *value)
			i++;
		if (i < COUNT_OF(escapes))
			put(w, "%s", escapes[i].text);
		else
			put(w, "%c", *value);
	}
	put(w, "\"");
}

/* What reading would fill in by itself is not written. */
static bool is_default(const struct config_field *f, const char *text)
{
	return !*text || (f->fallback && !strcmp(text, f->fallback));
}

static void put_fields(struct writer *w, enum config_kind kind, const void *object)
{
	char text[FIELD_TEXT_MAX];

	for (const struct config_field *f = config_fields[kind]; f->name; f++)
		if (f->type != FIELD_THRESHOLDS && !is_default(f, field_text(f, object, text)))
			put_attribute(w, f->name, text);
}

static void put_kind(struct writer *w, const struct cluster *cluster, enum config_kind kind, const char *indent)
{
	for (size_t i = 0; i < cluster->count[kind]; i++) {
		const char *object = (const char *)cluster->objects[kind] + i * config_size[kind];
		put(w, "%s<%s", indent, config_kind_name[kind]);
		put_attribute(w, "name", object);
		put_fields(w, kind, object);
		put(w, "/>\n");
	}
}

static void put_threshold(struct writer *w, const struct config_threshold *t)
{
	char value[48];

	put(w, "    <threshold");
	for (unsigned a = 0; a < THRESHOLD_ATTRIBUTES; a++)
		if (*threshold_attribute(t, a, true, value))
			put_attribute(w, threshold_attributes[a], value);
	put(w, "/>\n");
}

static void put_items(struct writer *w, const struct cluster *cluster)
{
	const struct config_item *items = cluster->objects[CONFIG_ITEM];

	for (size_t i = 0; i < cluster->count[CONFIG_ITEM]; i++) {
		put(w, "  <item");
		put_attribute(w, "name", items[i].head.name);
		put_fields(w, CONFIG_ITEM, &items[i]);
		put(w, items[i].thresholds ? ">\n" : "/>\n");
		for (int t = 0; t < items[i].thresholds; t++)
			put_threshold(w, &items[i].threshold[t]);
		if (items[i].thresholds)
			put(w, "  </item>\n");
	}
}

/* --- nodes ------------------------------------------------------------------------------------------------ */

#define COUNTED 4
enum { COUNT_NAME, COUNT_ADDRESS, COUNT_BMC, COUNT_PORT };

/* A node with the texts that may count along with its name. */
struct shown_node {
	const struct config_node *node;
	char text[COUNTED][CONFIG_NAME];
};

/* HEAD, the last run of digits, TAIL of a text. */
struct split {
	size_t head, digits;
	const char *tail;
	long long value;
};

static struct split split_text(const char *text)
{
	struct split s = {.tail = text};
	size_t end = strlen(text);

	while (end > 0 && !isdigit((unsigned char)text[end - 1]))
		end--;
	s.head = end;
	while (s.head > 0 && isdigit((unsigned char)text[s.head - 1]) && end - s.head < 15)
		s.head--;
	s.digits = end - s.head;
	s.tail = text + end;
	s.value = s.digits ? strtoll(text + s.head, NULL, 10) : 0;
	return s;
}

/* Does b come directly behind a when one counts a up, keeping its zeros in front? */
static bool counts_on(const char *a, const char *b, size_t width)
{
	struct split x = split_text(a), y = split_text(b);
	char wanted[32];

	if (!x.digits || x.head != y.head || strncmp(a, b, x.head) != 0 || strcmp(x.tail, y.tail) != 0)
		return false;
	text_format(wanted, sizeof wanted, "%0*lld", (int)width, x.value + 1);
	return strlen(wanted) == y.digits && !strncmp(b + y.head, wanted, y.digits);
}

static size_t zero_width(const char *first)
{
	struct split s = split_text(first);

	return s.digits && first[s.head] == '0' ? s.digits : 0;
}

/* "n[001-004]" of the first and the last; just the first when they are the same. */
static void range_text(const char *first, const char *last, char *out, size_t size)
{
	struct split a = split_text(first), b = split_text(last);

	if (!strcmp(first, last))
		text_copy(out, size, first);
	else
		text_format(out, size, "%.*s[%.*s-%.*s]%s", (int)a.head, first, (int)a.digits, first + a.head,
			    (int)b.digits, last + b.head, a.tail);
}

static int compare_natural(const void *a, const void *b)
{
	const struct shown_node *x = a, *y = b;
	const char *m = x->text[COUNT_NAME], *n = y->text[COUNT_NAME];
	int c = strcmp(x->node->group, y->node->group);

	if (c)
		return c;
	struct split s = split_text(m), t = split_text(n);
	c = strncmp(m, n, s.head < t.head ? s.head : t.head);
	if (!c && s.head != t.head)
		c = s.head < t.head ? -1 : 1;
	if (!c)
		c = strcmp(s.tail, t.tail);
	if (!c && s.value != t.value)
		c = s.value < t.value ? -1 : 1;
	return c ? c : strcmp(m, n);
}

static void address_host(const struct address *a, char *out)
{
	char text[ADDRESS_TEXT];

	text_copy(out, CONFIG_NAME, address_text(a, a->port, text));
}

static struct shown_node *sort_nodes(const struct cluster *cluster)
{
	size_t count = cluster->count[CONFIG_NODE];
	const struct config_node *nodes = cluster->objects[CONFIG_NODE];
	struct shown_node *shown = mem_array(count, sizeof *shown);

	for (size_t i = 0; i < count; i++) {
		shown[i].node = &nodes[i];
		text_copy(shown[i].text[COUNT_NAME], CONFIG_NAME, nodes[i].head.name);
		address_host(&nodes[i].address, shown[i].text[COUNT_ADDRESS]);
		address_host(&nodes[i].bmc, shown[i].text[COUNT_BMC]);
		if (nodes[i].switch_port)
			text_format(shown[i].text[COUNT_PORT], CONFIG_NAME, "%u", nodes[i].switch_port);
	}
	qsort(shown, count, sizeof *shown, compare_natural);
	return shown;
}

static bool is_counted(const struct config_field *f)
{
	return f->type == FIELD_ADDRESS || !strcmp(f->name, "switch-port");
}

/* May b stand in the <nodes> that begins with first and has a as its last so far? */
static bool belongs(const struct shown_node *first, const struct shown_node *a, const struct shown_node *b)
{
	static const uint8_t none[16];

	if (memcmp(first->node->uuid, none, 16) != 0 || first->node->address.port != b->node->address.port ||
	    first->node->bmc.port != b->node->bmc.port)
		return false;
	for (const struct config_field *f = config_fields[CONFIG_NODE]; f->name; f++)
		if (!is_counted(f) && !field_equal(f, first->node, b->node))
			return false;
	for (int i = 0; i < COUNTED; i++) {
		bool absent = !*a->text[i] && !*b->text[i];
		if (!absent && !counts_on(a->text[i], b->text[i], zero_width(first->text[i])))
			return false;
	}
	return true;
}

static void put_port(struct writer *w, const char *name, const struct address *a, uint16_t usual)
{
	if (a->family && a->port != usual)
		put(w, " %s=\"%u\"", name, a->port);
}

static void put_node_run(struct writer *w, const struct shown_node *first, const struct shown_node *last)
{
	char text[FIELD_TEXT_MAX];

	put(w, first == last ? "    <node" : "    <nodes");
	range_text(first->text[COUNT_NAME], last->text[COUNT_NAME], text, sizeof text);
	put_attribute(w, "name", text);
	for (const struct config_field *f = config_fields[CONFIG_NODE]; f->name; f++) {
		if (!strcmp(f->name, "group"))
			continue;
		int counted = !strcmp(f->name, "address") ? COUNT_ADDRESS
			      : !strcmp(f->name, "bmc")   ? COUNT_BMC
							  : COUNT_PORT;
		if (is_counted(f))
			range_text(first->text[counted], last->text[counted], text, sizeof text);
		else
			field_text(f, first->node, text);
		if (!is_default(f, text))
			put_attribute(w, f->name, text);
		if (is_counted(f) && counted == COUNT_ADDRESS)
			put_port(w, "port", &first->node->address, 161);
		else if (is_counted(f) && counted == COUNT_BMC)
			put_port(w, "bmc-port", &first->node->bmc, 623);
	}
	put(w, "/>\n");
}

static void put_groups(struct writer *w, const struct cluster *cluster)
{
	struct shown_node *nodes = sort_nodes(cluster);
	const struct config_group *groups = cluster->objects[CONFIG_GROUP];
	size_t count = cluster->count[CONFIG_NODE], i = 0;

	for (size_t g = 0; g < cluster->count[CONFIG_GROUP]; g++) {
		put(w, "  <group");
		put_attribute(w, "name", groups[g].head.name);
		put_fields(w, CONFIG_GROUP, &groups[g]);
		put(w, ">\n");
		while (i < count && strcmp(nodes[i].node->group, groups[g].head.name) == 0) {
			size_t first = i++;
			while (i < count && belongs(&nodes[first], &nodes[i - 1], &nodes[i]))
				i++;
			put_node_run(w, &nodes[first], &nodes[i - 1]);
		}
		put(w, "  </group>\n");
	}
	free(nodes);
}

char *cluster_to_xml(const struct cluster *cluster)
{
	struct writer w = {0};

	put(&w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cluster xmlns=\"urn:glory-cl:cluster:1\"");
	if (cluster->site[0])
		put_attribute(&w, "site", cluster->site);
	put(&w, ">\n  <credentials>\n");
	put_kind(&w, cluster, CONFIG_SNMP, "    ");
	put_kind(&w, cluster, CONFIG_BMC, "    ");
	put(&w, "  </credentials>\n");
	put_kind(&w, cluster, CONFIG_BMCMODEL, "  ");
	put_kind(&w, cluster, CONFIG_SWITCH, "  ");
	put_kind(&w, cluster, CONFIG_PDU, "  ");
	put_groups(&w, cluster);
	put_items(&w, cluster);
	put_kind(&w, cluster, CONFIG_WATCH, "  ");
	put_kind(&w, cluster, CONFIG_CHECK, "  ");
	for (enum config_kind kind = CONFIG_POOL; kind <= CONFIG_SERVICE; kind++)
		put_kind(&w, cluster, kind, "  ");
	put_kind(&w, cluster, CONFIG_NOTIFY, "  ");
	put_kind(&w, cluster, CONFIG_BRAKE, "  ");
	put(&w, "</cluster>\n");
	return w.text;
}
