/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk over cluster.xml by the tables of fields; ranges become single nodes here; see xml.h. Runs in glory-xml
 * only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostrange.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/schema.h"
#include "config/threshold.h"
#include "config/xml.h"
#include "config/xml_document.h"

#define NAMESPACE "urn:glory-cl:cluster:1"

union any_object {
	struct config_head head;
	struct config_snmp snmp;
	struct config_bmc bmc;
	struct config_bmcmodel bmcmodel;
	struct config_switch net_switch;
	struct config_pdu pdu;
	struct config_group group;
	struct config_node node;
	struct config_item item;
	struct config_notify notify;
	struct config_brake brake;
	struct config_watch watch;
	struct config_check check;
	struct config_pool pool;
	struct config_software software;
	struct config_balancer balancer;
	struct config_service service;
};

struct walk {
	struct xml_reader reader;
	struct cluster *out;
	const char *group; /* of the nodes being read */
};

static uint32_t line_of(const xmlNode *node)
{
	return (uint32_t)xmlGetLineNo(node);
}

/* What the attribute sets; NULL: it is none of this element. The group is the element around a node, thresholds are
 * elements. */
static const struct config_field *attribute_field(enum config_kind kind, const char *name)
{
	const struct config_field *f = field_find(config_fields[kind], name);

	return f && f->type != FIELD_THRESHOLDS && !(kind == CONFIG_NODE && !strcmp(name, "group")) ? f : NULL;
}

static bool is_port(enum config_kind kind, const char *name)
{
	return kind == CONFIG_NODE && (!strcmp(name, "port") || !strcmp(name, "bmc-port"));
}

static int unknown_attribute(struct walk *w, const xmlNode *node, enum config_kind kind, const char *object,
			     const char *name)
{
	const char *known[CONFIG_FIELDS_MAX + 3] = {"name"};
	size_t count = 1;

	for (const struct config_field *f = config_fields[kind]; f->name; f++)
		if (attribute_field(kind, f->name))
			known[count++] = f->name;
	if (kind == CONFIG_NODE) {
		known[count++] = "port";
		known[count++] = "bmc-port";
	}
	return xml_unknown_attribute(&w->reader, node, object, name, known, count);
}

/* An address of a node has its port beside it: port="161", bmc-port="623". */
static int with_port(struct walk *w, const xmlNode *node, const char *object, const struct config_field *f,
		     struct config_field *out)
{
	const char *name = !strcmp(f->name, "bmc") ? "bmc-port" : "port";
	char text[FIELD_TEXT_MAX];
	int rc = xml_attribute(&w->reader, node, name, text);

	*out = *f;
	if (rc || !*text)
		return rc;
	if (!text_integer(text, 1, 65535, &out->low))
		return xml_refuse(&w->reader, node, "write a number from 1 to 65535", "%s: %s %.40s is none", object,
				  name, text);
	return 0;
}

static int set_attribute(struct walk *w, const xmlNode *node, enum config_kind kind, const struct config_field *f,
			 void *object, const char *text)
{
	struct config_field own = *f;
	struct error inner;
	char label[100];
	int rc = 0;

	config_label(kind, object, label, sizeof label);
	if (!*text)
		return xml_refuse(&w->reader, node, "write a value or leave it out", "%s: %s is empty", label, f->name);
	if (kind == CONFIG_NODE && f->type == FIELD_ADDRESS)
		rc = with_port(w, node, label, f, &own);
	if (!rc && field_set(&own, object, text, &inner))
		rc = xml_refuse_error(&w->reader, line_of(node), label, &inner);
	return rc;
}

/* Name and defaults. */
static int begin_object(struct walk *w, const xmlNode *node, enum config_kind kind, const char *name, void *object)
{
	struct error inner;

	if (config_object_init(kind, name, object, &inner))
		return xml_refuse_error(&w->reader, line_of(node), inner.object, &inner);
	((struct config_head *)object)->line = line_of(node);
	if (kind == CONFIG_NODE)
		text_copy(((struct config_node *)object)->group, CONFIG_NAME, w->group);
	return 0;
}

static int read_name(struct walk *w, const xmlNode *node, char out[FIELD_TEXT_MAX])
{
	int rc = xml_attribute(&w->reader, node, "name", out);

	if (!rc && !*out)
		rc = xml_refuse(&w->reader, node, "add name=\"...\"", "<%.60s> has no name", (const char *)node->name);
	return rc;
}

static int no_children(struct walk *w, xmlNode *node)
{
	int rc = 0;
	xmlNode *child = xml_first(&w->reader, node, &rc);

	return child ? xml_refuse(&w->reader, child, "move it", "<%.60s> has nothing inside", (const char *)node->name)
		     : rc;
}

/* All attributes but the name into one object; the caller adds it. */
static int read_object(struct walk *w, const xmlNode *node, enum config_kind kind, union any_object *object)
{
	char text[FIELD_TEXT_MAX], label[100];
	int rc = read_name(w, node, text);

	if (!rc)
		rc = begin_object(w, node, kind, text, object);
	for (const xmlAttr *a = rc ? NULL : node->properties; !rc && a; a = a->next) {
		const char *name = (const char *)a->name;
		const struct config_field *f = attribute_field(kind, name);
		if (!strcmp(name, "name") || is_port(kind, name))
			continue;
		if (!f)
			return unknown_attribute(w, node, kind, config_label(kind, object, label, sizeof label), name);
		rc = xml_attribute(&w->reader, node, name, text);
		if (!rc)
			rc = set_attribute(w, node, kind, f, object, text);
	}
	if (!rc)
		config_normalise(kind, object);
	return rc;
}

static int read_plain(struct walk *w, xmlNode *node, enum config_kind kind)
{
	union any_object object;
	int rc = read_object(w, node, kind, &object);

	if (!rc)
		rc = no_children(w, node);
	if (!rc)
		cluster_add(w->out, kind, &object);
	return rc;
}

/* --- thresholds of an item ------------------------------------------------------------------------------- */

static int read_threshold(struct walk *w, xmlNode *node, struct config_threshold *t)
{
	struct threshold_draft draft = {0};
	struct error inner;
	char text[FIELD_TEXT_MAX];
	int rc = no_children(w, node);

	for (const xmlAttr *a = node->properties; !rc && a; a = a->next) {
		const char *name = (const char *)a->name;
		size_t i = 0;
		while (i < THRESHOLD_ATTRIBUTES && strcmp(threshold_attributes[i], name) != 0)
			i++;
		if (i == THRESHOLD_ATTRIBUTES)
			return xml_unknown_attribute(&w->reader, node, "threshold", name, threshold_attributes,
						     THRESHOLD_ATTRIBUTES);
		rc = xml_attribute(&w->reader, node, name, text);
		if (!rc && threshold_set(&draft, name, text, &inner))
			return xml_refuse(&w->reader, node, inner.remedy, "%s", inner.text);
	}
	if (!rc && threshold_finish(&draft, &inner))
		rc = xml_refuse(&w->reader, node, inner.remedy, "%s", inner.text);
	*t = draft.t;
	return rc;
}

static int read_item(struct walk *w, xmlNode *node, enum config_kind kind)
{
	static const char *const known[] = {"threshold"};
	union any_object object;
	int rc = read_object(w, node, kind, &object);

	for (xmlNode *child = rc ? NULL : xml_first(&w->reader, node, &rc); !rc && child;
	     child = xml_next(&w->reader, child, &rc)) {
		if (!xml_is(child, "threshold"))
			return xml_unknown_element(&w->reader, child, known, COUNT_OF(known));
		if (object.item.thresholds == CONFIG_THRESHOLDS)
			return xml_refuse(&w->reader, child, "remove some", "item %s has more than %d thresholds",
					  object.head.name, CONFIG_THRESHOLDS);
		rc = read_threshold(w, child, &object.item.threshold[object.item.thresholds++]);
	}
	if (!rc)
		cluster_add(w->out, kind, &object);
	return rc;
}

/* --- nodes and ranges of nodes ----------------------------------------------------------------------------- */

struct ranged { /* one attribute of <nodes> that counts along */
	const struct config_field *field;
	struct name_list values;
};

struct range {
	char shown[80]; /* the names as messages show them */
	struct name_list names;
	struct ranged attributes[CONFIG_FIELDS_MAX];
	size_t count;
	union any_object common; /* of all of them */
};

static int expand(struct walk *w, const xmlNode *node, const char *object, const char *text, struct name_list *out)
{
	struct error inner;

	if (hostrange_expand(text, out, &inner))
		return xml_refuse(&w->reader, node, inner.remedy, "%s: %.80s: %s", object, inner.object, inner.text);
	return 0;
}

static int read_ranged(struct walk *w, const xmlNode *node, struct range *range, const struct config_field *f,
		       const char *text)
{
	struct ranged *r = &range->attributes[range->count++];
	char object[100];
	int rc;

	text_format(object, sizeof object, "nodes %s", range->shown);
	r->field = f;
	rc = expand(w, node, object, text, &r->values);
	if (!rc && r->values.count != range->names.count)
		rc = xml_refuse(&w->reader, node, "let both ranges count along", "%s: %zu names but %zu of %s", object,
				range->names.count, r->values.count, f->name);
	return rc;
}

static int read_range_attribute(struct walk *w, const xmlNode *node, struct range *range, const char *name)
{
	const struct config_field *f = attribute_field(CONFIG_NODE, name);
	char text[FIELD_TEXT_MAX], object[100];
	int rc;

	if (!strcmp(name, "name") || is_port(CONFIG_NODE, name))
		return 0;
	text_format(object, sizeof object, "nodes %s", range->shown);
	if (!f)
		return unknown_attribute(w, node, CONFIG_NODE, object, name);
	if (f->type == FIELD_UUID)
		return xml_refuse(&w->reader, node, "write single <node> elements", "%s: a uuid belongs to one node",
				  object);
	rc = xml_attribute(&w->reader, node, name, text);
	if (rc)
		return rc;
	if (strchr(text, '[') || strchr(text, ','))
		return read_ranged(w, node, range, f, text);
	return set_attribute(w, node, CONFIG_NODE, f, &range->common, text);
}

static int add_range(struct walk *w, const xmlNode *node, struct range *range)
{
	union any_object object;
	int rc = 0;

	for (size_t i = 0; !rc && i < range->names.count; i++) {
		rc = begin_object(w, node, CONFIG_NODE, range->names.names[i], &object);
		if (rc)
			break;
		struct config_head head = object.head;
		object = range->common;
		object.head = head;
		for (size_t k = 0; !rc && k < range->count; k++)
			rc = set_attribute(w, node, CONFIG_NODE, range->attributes[k].field, &object,
					   range->attributes[k].values.names[i]);
		if (!rc)
			cluster_add(w->out, CONFIG_NODE, &object);
	}
	return rc;
}

static int read_nodes(struct walk *w, xmlNode *node)
{
	struct range *range = mem_zalloc(sizeof *range);
	char text[FIELD_TEXT_MAX];
	int rc = read_name(w, node, text);

	text_copy(range->shown, sizeof range->shown, text);
	if (!rc)
		rc = expand(w, node, "nodes", text, &range->names);
	if (!rc)
		rc = begin_object(w, node, CONFIG_NODE, range->names.names[0], &range->common);
	for (const xmlAttr *a = rc ? NULL : node->properties; !rc && a; a = a->next)
		rc = read_range_attribute(w, node, range, (const char *)a->name);
	if (!rc)
		rc = no_children(w, node);
	if (!rc && w->out->count[CONFIG_NODE] + range->names.count > CONFIG_NODES_MAX)
		rc = xml_refuse(&w->reader, node, "split the site", "more than %d nodes", CONFIG_NODES_MAX);
	if (!rc)
		rc = add_range(w, node, range);
	for (size_t i = 0; i < range->count; i++)
		name_list_free(&range->attributes[i].values);
	name_list_free(&range->names);
	free(range);
	return rc;
}

static int read_group(struct walk *w, xmlNode *node, enum config_kind kind)
{
	static const char *const known[] = {"nodes", "node"};
	union any_object object;
	int rc = read_object(w, node, kind, &object);

	if (rc)
		return rc;
	cluster_add(w->out, kind, &object);
	w->group = object.head.name;
	for (xmlNode *child = xml_first(&w->reader, node, &rc); !rc && child;
	     child = xml_next(&w->reader, child, &rc)) {
		if (xml_is(child, "nodes"))
			rc = read_nodes(w, child);
		else if (xml_is(child, "node"))
			rc = read_plain(w, child, CONFIG_NODE);
		else
			rc = xml_unknown_element(&w->reader, child, known, COUNT_OF(known));
	}
	w->group = NULL;
	return rc;
}

/* --- the whole --------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool credential; /* stands inside <credentials> */
	enum config_kind kind;
	int (*read)(struct walk *w, xmlNode *node, enum config_kind kind);
} elements[] = {
    {"snmp", true, CONFIG_SNMP, read_plain},          {"bmc", true, CONFIG_BMC, read_plain},
    {"bmcmodel", false, CONFIG_BMCMODEL, read_plain}, {"switch", false, CONFIG_SWITCH, read_plain},
    {"pdu", false, CONFIG_PDU, read_plain},           {"group", false, CONFIG_GROUP, read_group},
    {"item", false, CONFIG_ITEM, read_item},          {"notify", false, CONFIG_NOTIFY, read_plain},
    {"brake", false, CONFIG_BRAKE, read_plain},       {"watch", false, CONFIG_WATCH, read_plain},
    {"check", false, CONFIG_CHECK, read_plain},       {"pool", false, CONFIG_POOL, read_plain},
    {"software", false, CONFIG_SOFTWARE, read_plain}, {"balancer", false, CONFIG_BALANCER, read_plain},
    {"service", false, CONFIG_SERVICE, read_plain},
};

static int read_element(struct walk *w, xmlNode *node, bool credential)
{
	const char *known[COUNT_OF(elements) + 1] = {"credentials"};
	size_t count = credential ? 0 : 1;

	for (size_t i = 0; i < COUNT_OF(elements); i++) {
		if (elements[i].credential != credential)
			continue;
		if (xml_is(node, elements[i].name))
			return elements[i].read(w, node, elements[i].kind);
		known[count++] = elements[i].name;
	}
	return xml_unknown_element(&w->reader, node, known, count);
}

static int read_children(struct walk *w, xmlNode *parent, bool credential)
{
	int rc = 0;

	for (xmlNode *node = xml_first(&w->reader, parent, &rc); !rc && node; node = xml_next(&w->reader, node, &rc))
		rc = !credential && xml_is(node, "credentials") ? read_children(w, node, true)
								: read_element(w, node, credential);
	return rc;
}

static int read_root(struct walk *w, xmlNode *root)
{
	static const char *const known[] = {"site"};
	char text[FIELD_TEXT_MAX];
	int rc = xml_attribute(&w->reader, root, "site", text);

	for (const xmlAttr *a = root->properties; !rc && a; a = a->next)
		if (strcmp((const char *)a->name, "site") != 0)
			rc = xml_unknown_attribute(&w->reader, root, "cluster", (const char *)a->name, known, 1);
	if (!rc && *text && !text_is_name(text, CONFIG_NAME - 1))
		rc = xml_refuse(&w->reader, root, "write it as demo", "site %.60s is not a name", text);
	text_copy(w->out->site, sizeof w->out->site, rc ? "" : text);
	return rc ? rc : read_children(w, root, false);
}

int xml_read_cluster(const char *text, size_t size, const char *label, struct cluster *out, struct error *e)
{
	struct walk w = {.reader = {.label = label, .e = e}, .out = out};
	struct error inner;
	uint32_t line = 0;
	xmlDoc *doc = xml_load(&w.reader, text, size, "cluster", NAMESPACE);

	cluster_init(out);
	if (!doc)
		return ERR_CONFIG;
	int rc = read_root(&w, xmlDocGetRootElement(doc));
	if (!rc && ((rc = cluster_sort(out, &inner, &line)) || (rc = cluster_check_line(out, &inner, &line))))
		xml_refuse_error(&w.reader, line, inner.object, &inner);
	if (!rc)
		rc = xml_gate(&w.reader, doc, schema_cluster);
	if (rc)
		cluster_clear(out);
	xml_free_document(doc);
	return rc;
}
