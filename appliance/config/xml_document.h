/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A text as a checked XML document, and complaints that name file, line and object. Used by xml_cluster.c and xml_settings.c; runs in
 * the child without rights only. */
#ifndef GLORY_CONFIG_XML_DOCUMENT_H
#define GLORY_CONFIG_XML_DOCUMENT_H

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/fields.h"

#define XML_TEXT_MAX (16u << 20)
#define XML_LABEL 80

struct xml_reader {
	const char *label; /* of the file */
	struct error *e;
};

/* Parses without network, entities and DTD, and checks root and namespace. NULL with *e filled. Free with xml_free_document(). */
xmlDoc *xml_load(struct xml_reader *r, const char *text, size_t size, const char *root, const char *namespace);
/* The RelaxNG gate, after the own walk has found nothing. 0 or ERR_CONFIG. */
int xml_gate(struct xml_reader *r, xmlDoc *doc, const char *schema);
void xml_free_document(xmlDoc *doc);

int xml_refuse(struct xml_reader *r, const xmlNode *at, const char *remedy, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What field_set() and others said, with file, line and object put in front. */
int xml_refuse_error(struct xml_reader *r, unsigned line, const char *object, const struct error *inner);

/* The first or next child element; anything but comments and blanks between them is an error (*bad set). */
xmlNode *xml_first(struct xml_reader *r, xmlNode *parent, int *bad);
xmlNode *xml_next(struct xml_reader *r, xmlNode *node, int *bad);
bool xml_is(const xmlNode *node, const char *name);
/* The attribute's text, in a buffer of FIELD_TEXT_MAX, "" when there is none; an error when it is longer. */
int xml_attribute(struct xml_reader *r, const xmlNode *node, const char *name, char out[FIELD_TEXT_MAX]);
/* Complaints with the nearest known name as a hint. */
int xml_unknown_element(struct xml_reader *r, const xmlNode *node, const char *const *known, size_t count);
int xml_unknown_attribute(struct xml_reader *r, const xmlNode *node, const char *object, const char *name, const char *const *known,
			  size_t count);

#endif
