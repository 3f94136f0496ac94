/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One object to and from its JSON value, by the tables of fields; see cluster.h. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/fields.h"
#include "config/threshold.h"

static const char *json_key(const struct config_field *f, char out[40])
{
	text_copy(out, 40, f->name);
	for (char *c = out; *c; c++)
		if (*c == '-')
			*c = '_';
	return out;
}

/* --- to JSON -------------------------------------------------------------------------------------------- */

static json_t *flags_value(const struct config_field *f, const void *object)
{
	json_t *words = json_array();

	for (const struct choice *c = f->choices; c->word; c++)
		if (field_number(f, object) & c->value)
			json_array_append_new(words, json_string(c->word));
	return words;
}

/* Limits and counts are numbers, the rest words. */
static json_t *threshold_value(const struct config_threshold *t)
{
	json_t *o = json_object();
	char text[48];
	double number;

	for (unsigned a = 0; a < THRESHOLD_ATTRIBUTES; a++) {
		const char *name = threshold_attributes[a];
		if (!*threshold_attribute(t, a, !strcmp(name, "kind"), text))
			continue;
		if (!text_number(text, &number))
			json_object_set_new(o, name, json_string(text));
		else
			json_object_set_new(o, name,
					    number > -1e9 && number < 1e9 && number == (double)(int32_t)number
						? json_integer((int32_t)number)
						: json_real(number));
	}
	return o;
}

static json_t *thresholds_value(const struct config_item *item)
{
	json_t *all = json_array();

	for (int i = 0; i < item->thresholds; i++)
		json_array_append_new(all, threshold_value(&item->threshold[i]));
	return all;
}

static json_t *field_value(const struct config_field *f, const void *object)
{
	char text[FIELD_TEXT_MAX];

	if (f->type == FIELD_THRESHOLDS)
		return ((const struct config_item *)object)->thresholds ? thresholds_value(object) : NULL;
	if (!*field_text(f, object, text))
		return NULL;
	switch (f->type) {
	case FIELD_NUMBER:
		return json_integer((json_int_t)field_number(f, object));
	case FIELD_BOOL:
		return json_boolean(field_number(f, object));
	case FIELD_FLAGS:
		return flags_value(f, object);
	case FIELD_CHOICE:
		return !strcmp(f->name, "suite") ? json_integer((json_int_t)field_number(f, object))
						 : json_string(text);
	default:
		return json_string(text);
	}
}

char *config_to_json(enum config_kind kind, const void *object)
{
	json_t *o = json_pack("{s:i}", "v", 1);
	char key[40];

	for (const struct config_field *f = config_fields[kind]; f->name; f++) {
		json_t *value = field_value(f, object);
		if (value)
			json_object_set_new(o, json_key(f, key), value);
	}
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

/* --- from JSON ------------------------------------------------------------------------------------------ */

static int threshold_read(const json_t *o, struct config_threshold *t, struct error *e)
{
	struct threshold_draft draft = {0};
	char text[48];
	const char *name;
	json_t *value;
	int rc = 0;

	if (json_is_string(o))
		return threshold_parse(json_string_value(o), t, e);
	json_object_foreach((json_t *)(uintptr_t)o, name, value)
	{
		bool fits = json_is_string(value) ? text_copy(text, sizeof text, json_string_value(value))
						  : json_is_number(value) && text_format(text, sizeof text, "%.17g", json_number_value(value));
		if (!fits)
			return error_set(e, ERR_CONFIG, "", "write a number or a word", "threshold: a member is not of a form that fits");
		rc = threshold_set(&draft, name, text, e);
		if (rc)
			return rc;
	}
	rc = json_is_object(o) ? threshold_finish(&draft, e) : error_set(e, ERR_CONFIG, "", "write objects", "a threshold is no object");
	*t = draft.t;
	return rc;
}

static int thresholds_read(struct config_item *item, const json_t *all, struct error *e)
{
	size_t count = json_array_size(all);

	if (!json_is_array(all) || count > CONFIG_THRESHOLDS)
		return error_set(e, ERR_CONFIG, "", "write an array of at most 6", "thresholds are not a list");
	item->thresholds = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		int rc = threshold_read(json_array_get(all, i), &item->threshold[i], e);
		if (rc)
			return rc;
	}
	return 0;
}

/* The text of a JSON value as XML would have it; false when no attribute looks so. */
static bool value_text(const json_t *value, char *out, size_t size)
{
	size_t used = 0, i;
	const json_t *word;

	out[0] = '\0';
	switch (json_typeof(value)) {
	case JSON_STRING:
		return strlen(json_string_value(value)) == json_string_length(value) &&
		       text_copy(out, size, json_string_value(value));
	case JSON_INTEGER:
		return text_format(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_TRUE:
	case JSON_FALSE:
		return text_copy(out, size, json_is_true(value) ? "true" : "false");
	case JSON_NULL:
		return true;
	case JSON_ARRAY:
		json_array_foreach(value, i, word) if (!json_is_string(word) ||
						       !text_append(out, size, &used, "%s%s", i ? " " : "",
								    json_string_value(word))) return false;
		return true;
	default:
		return false;
	}
}

static const struct config_field *find_key(enum config_kind kind, const char *key)
{
	char own[40];

	for (const struct config_field *f = config_fields[kind]; f->name; f++)
		if (!strcmp(json_key(f, own), key))
			return f;
	return NULL;
}

static int member_read(enum config_kind kind, void *object, const char *key, const json_t *value, struct error *e)
{
	const struct config_field *f = find_key(kind, key);
	char text[FIELD_TEXT_MAX];

	if (f && f->type == FIELD_THRESHOLDS)
		return thresholds_read(object, value, e);
	if (!value_text(value, text, sizeof text))
		return error_set(e, ERR_CONFIG, "", "write a text, a number or true and false",
				 "a member is not of a form that fits");
	if (!strcmp(key, "name") && !strcmp(text, ((const struct config_head *)object)->name))
		return 0;
	if (!strcmp(key, "v"))
		return !strcmp(text, "1")
			   ? 0
			   : error_set(e, ERR_CONFIG, "", "install the version that wrote it", "is of a newer form");
	if (f && *text)
		return field_set(f, object, text, e);
	return f ? 0 : config_set_field(kind, object, key, text, e);
}

int config_from_json(enum config_kind kind, const char *name, const char *json, void *object, struct error *e)
{
	json_error_t where;
	json_t *o = json_loads(json, JSON_REJECT_DUPLICATES, &where);
	char label[100];
	const char *key;
	json_t *value;
	int rc = config_object_init(kind, name, object, e);

	text_format(label, sizeof label, "%s %s", config_kind_name[kind], name);
	if (!rc && !json_is_object(o)) {
		text_make_printable(where.text);
		rc = error_set(e, ERR_CONFIG, label, "write one object", "is not json: %s",
			       o ? "not an object" : where.text);
	}
	if (!rc)
		json_object_foreach(o, key, value) if ((rc = member_read(kind, object, key, value, e))) break;
	if (!rc)
		config_normalise(kind, object);
	for (const struct config_field *f = config_fields[kind]; !rc && f->name; f++)
		if (!field_valid(f, object))
			rc = error_set(e, ERR_CONFIG, label, "compare value, clear, of and in",
				       "%s has a value that cannot be", f->name);
	if (rc && e)
		text_copy(e->object, sizeof e->object, label);
	json_decref(o);
	return rc;
}
