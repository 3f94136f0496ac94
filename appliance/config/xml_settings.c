/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk over gloryd.xml by the table of its elements; see xml.h. Runs in glory-xml only. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/schema.h"
#include "config/settings_fields.h"
#include "config/xml.h"
#include "config/xml_document.h"

#define NAMESPACE "urn:glory-cl:appliance:1"

static int unknown(struct xml_reader *r, const xmlNode *node, const char *attribute, const struct config_field *fields)
{
	const char *known[16];
	size_t count = 0;

	for (; fields->name; fields++) {
		known[count++] = fields->name;
		if (fields->type == FIELD_ADDRESS)
			known[count++] = "port";
	}
	return xml_unknown_attribute(r, node, (const char *)node->name, attribute, known, count);
}

/* An address may be switched off with "none", and its port stand beside it. */
static int set_endpoint(struct xml_reader *r, const xmlNode *node, const struct config_field *f, void *object,
			const char *text, struct error *inner)
{
	struct config_field with_port = *f;
	char port[FIELD_TEXT_MAX];
	int64_t number;

	if (!strcmp(text, "none"))
		return field_set(f, object, "", inner);
	if (xml_attribute(r, node, "port", port))
		return error_set(inner, ERR_CONFIG, "", "write it as 161", "port is not a number");
	if (*port && !text_integer(port, 1, 65535, &number))
		return error_set(inner, ERR_CONFIG, "", "write a number from 1 to 65535", "port %.40s is none", port);
	with_port.low = *port ? number : f->low;
	return field_set(&with_port, object, text, inner);
}

static int read_attribute(struct xml_reader *r, const xmlNode *node, const char *name,
			  const struct config_field *fields, void *object)
{
	const struct config_field *f = field_find(fields, name);
	char text[FIELD_TEXT_MAX];
	struct error inner;
	int rc;

	if (!f && !strcmp(name, "port") && field_find(fields, "address"))
		return 0; /* read with its address */
	if (!f)
		return unknown(r, node, name, fields);
	rc = xml_attribute(r, node, name, text);
	if (rc)
		return rc;
	if (!*text)
		return xml_refuse(r, node, "write a value or leave it out", "<%s>: %s is empty",
				  (const char *)node->name, name);
	if (f->size == 0) { /* nothing keeps it: there is one choice only */
		struct config_field probe = *f;
		uint8_t value;
		probe.size = 1;
		rc = field_set(&probe, &value, text, &inner);
	} else if (f->type == FIELD_ADDRESS) {
		rc = set_endpoint(r, node, f, object, text, &inner);
	} else {
		rc = field_set(f, object, text, &inner);
	}
	return rc ? xml_refuse_error(r, (unsigned)xmlGetLineNo(node), (const char *)node->name, &inner) : 0;
}

static int read_element(struct xml_reader *r, const xmlNode *node, const struct config_field *fields, void *object)
{
	char remedy[160];
	int rc = 0;

	for (const xmlAttr *a = node->properties; !rc && a; a = a->next)
		rc = read_attribute(r, node, (const char *)a->name, fields, object);
	for (const struct config_field *f = fields; !rc && f->name; f++)
		if (f->required && !xmlHasProp(node, (const xmlChar *)f->name)) {
			text_format(remedy, sizeof remedy, "add %s=\"%s\"", f->name, f->example ? f->example : "");
			rc = xml_refuse(r, node, remedy, "<%s> has no %s", (const char *)node->name, f->name);
		}
	return rc;
}

static const struct settings_element *find_element(const char *name, size_t *index)
{
	for (*index = 1; *index < settings_element_count; ++*index)
		if (!strcmp(settings_elements[*index].name, name))
			return &settings_elements[*index];
	return NULL;
}

static int read_child(struct xml_reader *r, const xmlNode *node, struct settings *out, uint32_t *seen)
{
	const char *known[32];
	size_t index;
	const struct settings_element *element = find_element((const char *)node->name, &index);

	if (!element) {
		for (size_t i = 1; i < settings_element_count; i++)
			known[i - 1] = settings_elements[i].name;
		return xml_unknown_element(r, node, known, settings_element_count - 1);
	}
	if (node->children && !xmlIsBlankNode(node->children) && node->children->type != XML_COMMENT_NODE)
		return xml_refuse(r, node, "write attributes only", "<%s> has something inside", element->name);
	if (!strcmp(element->name, SETTINGS_USER_ELEMENT)) {
		if (out->users == SETTINGS_USERS)
			return xml_refuse(r, node, "remove some", "more than %d users", SETTINGS_USERS);
		return read_element(r, node, element->fields, &out->user[out->users++]);
	}
	if (*seen & 1u << index)
		return xml_refuse(r, node, "keep one of them", "<%s> is there twice", element->name);
	*seen |= 1u << index;
	return read_element(r, node, element->fields, out);
}

static int read_root(struct xml_reader *r, xmlNode *root, struct settings *out)
{
	uint32_t seen = 0;
	int rc = read_element(r, root, settings_elements[0].fields, out);

	for (xmlNode *node = rc ? NULL : xml_first(r, root, &rc); !rc && node; node = xml_next(r, node, &rc))
		rc = read_child(r, node, out, &seen);
	return rc;
}

int xml_read_settings(const char *text, size_t size, const char *label, struct settings *out, struct error *e)
{
	struct xml_reader r = {.label = label, .e = e};
	struct error inner;
	xmlDoc *doc = xml_load(&r, text, size, "appliance", NAMESPACE);

	settings_default(out);
	if (!doc)
		return ERR_CONFIG;
	int rc = read_root(&r, xmlDocGetRootElement(doc), out);
	if (!rc) {
		settings_complete(out);
		rc = settings_check(out, &inner);
		if (rc)
			xml_refuse_error(&r, 0, inner.object, &inner);
	}
	if (!rc)
		rc = xml_gate(&r, doc, schema_gloryd);
	xml_free_document(doc);
	return rc;
}
