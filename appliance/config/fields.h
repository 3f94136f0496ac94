/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every field of every configured object, once: its name, type, limits and place in its struct. XML, JSON, differences, exports and
 * edits by name are walks over these tables. Used inside config/ only; others call cluster.h. */
#ifndef GLORY_CONFIG_FIELDS_H
#define GLORY_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hostrange.h"
#include "config/cluster.h"

enum field_type {
	FIELD_NAME = 1, /* char[]: the name of another object (refers), or a free name */
	FIELD_TEXT,     /* char[]: printable text */
	FIELD_PATH,     /* char[]: absolute path */
	FIELD_USER,     /* char[]: a user name */
	FIELD_ADDRESS,  /* struct address; low is the default port */
	FIELD_CHOICE,   /* uint8_t: one of choices */
	FIELD_FLAGS,    /* uint32_t: several of choices, with blanks between */
	FIELD_NUMBER,   /* uint8_t, uint32_t or uint64_t by size, low..high */
	FIELD_BOOL,     /* uint8_t or uint32_t: "true", "false" */
	FIELD_REAL,     /* double */
	FIELD_UUID,     /* uint8_t[16], all zero none */
	FIELD_OID,      /* uint32_t[24] with its length in the byte behind */
	FIELD_SCOPE,    /* char[]: "@site", "@GROUP" or a range of nodes */
	FIELD_OIDTEXT,  /* char[]: an OID as text */
	FIELD_SIZE,     /* uint64_t MiB: "500M", "20G", "1T" */
	FIELD_TIME,     /* int64_t: wall clock in ms, RFC 3339; 0 none */
	FIELD_THRESHOLDS /* config_item's array; elements in XML, an array in JSON */
};

struct choice {
	const char *word;
	uint32_t value;
};

struct config_field {
	const char *name; /* as in XML; '-' becomes '_' in JSON */
	enum field_type type;
	uint16_t offset, size;
	bool required;
	const char *fallback; /* what stands when nothing is said; NULL: nothing (zero) */
	const struct choice *choices;
	int64_t low, high;
	enum config_kind refers;
	const char *example; /* for the remedy */
};

#define CONFIG_FIELDS_MAX 40 /* of one kind, at most; tables.c checks it */
#define FIELD_TEXT_MAX 640 /* longest text of a field, with the zero */

/* The fields of a kind behind the name, ended by one without a name. */
extern const struct config_field *const config_fields[CONFIG_KIND_COUNT];

const struct config_field *field_find(const struct config_field *fields, const char *name);
/* Sets a field from its text. 0 or ERR_CONFIG with text and remedy in *e (the caller names the object). "" unsets. */
int field_set(const struct config_field *f, void *object, const char *text, struct error *e);
/* The text of a field, "" when unset. Returns out. */
const char *field_text(const struct config_field *f, const void *object, char out[FIELD_TEXT_MAX]);
bool field_equal(const struct config_field *f, const void *a, const void *b);
/* Fills in what stands when nothing is said. */
void fields_default(const struct config_field *fields, void *object);
/* True when the bytes could have come from field_set(): texts end and are well formed, numbers are within limits. */
bool field_valid(const struct config_field *f, const void *object);
/* What follows from other fields: an item is per instance when it names its instances, a receiver has the port of its kind. */
void config_normalise(enum config_kind kind, void *object);
bool config_name_valid(enum config_kind kind, const char *name);
/* How messages call an object: "node n003". Returns out. */
const char *config_label(enum config_kind kind, const void *object, char *out, size_t size);
/* The word of the list nearest to what was typed, NULL when none is near. */
const char *nearest_word(const char *typed, const char *const *words, size_t count);

static inline uint64_t field_number(const struct config_field *f, const void *object)
{
	const unsigned char *p = (const unsigned char *)object + f->offset;

	return f->size == 1 ? *p : f->size == 4 ? *(const uint32_t *)(const void *)p : *(const uint64_t *)(const void *)p;
}

#endif
