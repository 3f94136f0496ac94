/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parsing with libxml2, the RelaxNG gate, complaints; see xml_document.h. */
#include "config/xml_document.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* No entities (NOENT off), no network, no DTD (the handlers below refuse it); sizes stay within libxml2's own limits
 * (HUGE off). */
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES)

static const char *text_of(const xmlChar *text)
{
	return (const char *)text;
}

/* --- complaints ------------------------------------------------------------------------------------------ */

int xml_refuse(struct xml_reader *r, const xmlNode *at, const char *remedy, const char *format, ...)
{
	char object[XML_LABEL], text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	text_make_printable(text);
	text_format(object, sizeof object, "%s:%ld", r->label, at ? xmlGetLineNo(at) : 1);
	return error_set(r->e, ERR_CONFIG, object, remedy, "%s", text);
}

int xml_refuse_error(struct xml_reader *r, unsigned line, const char *object, const struct error *inner)
{
	char where[XML_LABEL];

	text_format(where, sizeof where, line ? "%s:%u" : "%s", r->label, line);
	return error_set(r->e, inner->kind, where, inner->remedy, "%s%s%s", object, *object ? ": " : "", inner->text);
}

static void hint(const char *typed, const char *const *known, size_t count, char *out, size_t size)
{
	const char *near = nearest_word(typed, known, count);
	size_t used = 0;

	if (near) {
		text_format(out, size, "did you mean %s", near);
		return;
	}
	text_append(out, size, &used, "known here: ");
	for (size_t i = 0; i < count; i++)
		text_append(out, size, &used, "%s%s", i ? ", " : "", known[i]);
}

int xml_unknown_element(struct xml_reader *r, const xmlNode *node, const char *const *known, size_t count)
{
	char remedy[160];

	hint(text_of(node->name), known, count, remedy, sizeof remedy);
	return xml_refuse(r, node, remedy, "element <%.60s> is not known inside <%.60s>", text_of(node->name),
			  text_of(node->parent->name));
}

int xml_unknown_attribute(struct xml_reader *r, const xmlNode *node, const char *object, const char *name,
			  const char *const *known, size_t count)
{
	char remedy[160];

	hint(name, known, count, remedy, sizeof remedy);
	return xml_refuse(r, node, remedy, "%s: <%.60s> has no attribute %.60s", object, text_of(node->name), name);
}

/* --- parsing --------------------------------------------------------------------------------------------- */

struct first_error {
	bool there;
	int line;
	char text[200];
};

#if LIBXML_VERSION >= 21200
static void keep_first(void *arg, const xmlError *error)
#else
static void keep_first(void *arg, xmlError *error)
#endif
{
	struct first_error *first = arg;

	if (first->there || error->level < XML_ERR_ERROR)
		return;
	first->there = true;
	first->line = error->line;
	text_copy(first->text, sizeof first->text, error->message ? error->message : "not well-formed");
	first->text[strcspn(first->text, "\n")] = '\0';
	text_make_printable(first->text);
	first->text[0] = (char)tolower((unsigned char)first->text[0]);
}

static const char doctype_refused[] = "has a document type or entities, which are not read";

/* Called when a <!DOCTYPE begins: nothing behind it is looked at. */
static void refuse_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	xmlParserCtxt *parser = arg;
	struct first_error *first = parser->_private;

	(void)name;
	(void)external;
	(void)system;
	*first = (struct first_error){.there = true, .line = parser->input ? parser->input->line : 1};
	text_copy(first->text, sizeof first->text, doctype_refused);
	xmlStopParser(parser);
}

static xmlDoc *parse(const char *text, size_t size, const char *label, struct first_error *first)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	xmlDoc *doc = NULL;

	if (!parser)
		return NULL;
	parser->_private = first;
	parser->sax->internalSubset = refuse_doctype;
	parser->sax->externalSubset = refuse_doctype;
	xmlSetStructuredErrorFunc(first, keep_first);
	doc = xmlCtxtReadMemory(parser, text, (int)size, label, NULL, PARSE_OPTIONS);
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (first->there && doc) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	xmlFreeParserCtxt(parser);
	return doc;
}

static int check_root(struct xml_reader *r, xmlDoc *doc, const char *root, const char *namespace)
{
	const xmlNode *node = xmlDocGetRootElement(doc);
	char remedy[160];

	text_format(remedy, sizeof remedy, "begin with <%s xmlns=\"%s\" ...>", root, namespace);
	if (!node || strcmp(text_of(node->name), root) != 0)
		return xml_refuse(r, node, remedy, "the outermost element is <%.60s> instead of <%s>",
				  node ? text_of(node->name) : "", root);
	if (!node->ns || !node->ns->href || strcmp(text_of(node->ns->href), namespace) != 0)
		return xml_refuse(r, node, remedy, "<%s> is not in the namespace %s", root, namespace);
	return 0;
}

xmlDoc *xml_load(struct xml_reader *r, const char *text, size_t size, const char *root, const char *namespace)
{
	struct first_error first = {0};
	char object[XML_LABEL];

	if (size > XML_TEXT_MAX) {
		error_set(r->e, ERR_CONFIG, r->label, "split the site", "is %zu bytes long, at most 16 MiB are read",
			  size);
		return NULL;
	}
	xmlDoc *doc = parse(text, size, r->label, &first);
	if (!doc) {
		text_format(object, sizeof object, "%s:%d", r->label, first.line > 0 ? first.line : 1);
		error_set(r->e, ERR_CONFIG, object,
			  !strcmp(first.text, doctype_refused) ? "remove the <!DOCTYPE"
							       : "mend the XML, xmllint shows the place",
			  "%s%s", !strcmp(first.text, doctype_refused) ? "" : "not well-formed: ",
			  first.there ? first.text : "empty");
		return NULL;
	}
	if (check_root(r, doc, root, namespace)) {
		xmlFreeDoc(doc);
		return NULL;
	}
	return doc;
}

void xml_free_document(xmlDoc *doc)
{
	xmlFreeDoc(doc);
}

int xml_gate(struct xml_reader *r, xmlDoc *doc, const char *schema)
{
	struct first_error first = {0};
	char object[XML_LABEL];
	int rc = 0;
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewMemParserCtxt(schema, (int)strlen(schema));
	xmlRelaxNG *grammar = parser ? xmlRelaxNGParse(parser) : NULL;
	xmlRelaxNGValidCtxt *gate = grammar ? xmlRelaxNGNewValidCtxt(grammar) : NULL;

	if (!gate) {
		rc = error_set(r->e, ERR_BUG, r->label, "report it", "the built-in schema cannot be read");
		goto out;
	}
	xmlRelaxNGSetValidStructuredErrors(gate, keep_first, &first);
	if (xmlRelaxNGValidateDoc(gate, doc) != 0) {
		text_format(object, sizeof object, "%s:%d", r->label, first.line > 0 ? first.line : 1);
		rc = error_set(r->e, ERR_CONFIG, object, "compare with the manual of the file",
			       "does not follow the schema: %s", first.text);
	}
out:
	xmlRelaxNGFreeValidCtxt(gate);
	xmlRelaxNGFree(grammar);
	xmlRelaxNGFreeParserCtxt(parser);
	return rc;
}

/* --- walking --------------------------------------------------------------------------------------------- */

static xmlNode *skip_blanks(struct xml_reader *r, xmlNode *node, int *bad)
{
	for (; node && node->type != XML_ELEMENT_NODE; node = node->next) {
		if (node->type == XML_COMMENT_NODE || xmlIsBlankNode(node))
			continue;
		*bad = xml_refuse(r, node->parent, "write elements and comments only",
				  "there is something else than elements inside <%.60s>", text_of(node->parent->name));
		return NULL;
	}
	return node;
}

xmlNode *xml_first(struct xml_reader *r, xmlNode *parent, int *bad)
{
	return skip_blanks(r, parent->children, bad);
}

xmlNode *xml_next(struct xml_reader *r, xmlNode *node, int *bad)
{
	return skip_blanks(r, node->next, bad);
}

bool xml_is(const xmlNode *node, const char *name)
{
	return !strcmp(text_of(node->name), name);
}

int xml_attribute(struct xml_reader *r, const xmlNode *node, const char *name, char out[FIELD_TEXT_MAX])
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
	bool fits = text_copy(out, FIELD_TEXT_MAX, value ? text_of(value) : "");

	xmlFree(value);
	if (!fits)
		return xml_refuse(r, node, "shorten it", "attribute %.60s is longer than %d bytes", name,
				  FIELD_TEXT_MAX - 1);
	return 0;
}
