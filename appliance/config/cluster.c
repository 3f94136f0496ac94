/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wanted state as sorted arrays: add, find, remove, fields by name; see cluster.h. */
#include "config/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/fields.h"

void cluster_init(struct cluster *cluster)
{
	memset(cluster, 0, sizeof *cluster);
}

void cluster_clear(struct cluster *cluster)
{
	for (int k = 0; k < CONFIG_KIND_COUNT; k++)
		free(cluster->objects[k]);
	cluster_init(cluster);
}

static char *object_at(const struct cluster *cluster, enum config_kind kind, size_t i)
{
	return (char *)cluster->objects[kind] + i * config_size[kind];
}

/* Room is not kept: it is 16, and doubles whenever the count is a power of two. */
static void make_room(struct cluster *cluster, enum config_kind kind)
{
	size_t n = cluster->count[kind];

	if (n == 0 || (n >= 16 && (n & (n - 1)) == 0))
		cluster->objects[kind] = mem_grow(cluster->objects[kind], n ? 2 * n : 16, config_size[kind]);
}

void cluster_add(struct cluster *cluster, enum config_kind kind, const void *object)
{
	make_room(cluster, kind);
	memcpy(object_at(cluster, kind, cluster->count[kind]++), object, config_size[kind]);
}

/* Where the name is, or would be. */
static size_t search(const struct cluster *cluster, enum config_kind kind, const char *name, bool *found)
{
	size_t low = 0, high = cluster->count[kind];

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(object_at(cluster, kind, middle), name);
		if (c == 0) {
			*found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void cluster_set(struct cluster *cluster, enum config_kind kind, const void *object)
{
	const struct config_head *head = object;
	bool found;
	size_t i = search(cluster, kind, head->name, &found);

	if (!found) {
		make_room(cluster, kind);
		memmove(object_at(cluster, kind, i + 1), object_at(cluster, kind, i),
			(cluster->count[kind] - i) * config_size[kind]);
		cluster->count[kind]++;
	}
	memcpy(object_at(cluster, kind, i), object, config_size[kind]);
}

bool cluster_remove(struct cluster *cluster, enum config_kind kind, const char *name)
{
	bool found;
	size_t i = search(cluster, kind, name, &found);

	if (!found)
		return false;
	cluster->count[kind]--;
	memmove(object_at(cluster, kind, i), object_at(cluster, kind, i + 1),
		(cluster->count[kind] - i) * config_size[kind]);
	return true;
}

const void *cluster_find(const struct cluster *cluster, enum config_kind kind, const char *name)
{
	bool found;
	size_t i = search(cluster, kind, name, &found);

	return found ? object_at(cluster, kind, i) : NULL;
}

static int compare_heads(const void *a, const void *b)
{
	const struct config_head *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->line > y->line) - (x->line < y->line);
}

int cluster_sort(struct cluster *cluster, struct error *e, uint32_t *line)
{
	for (enum config_kind k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++) {
		if (cluster->count[k])
			qsort(cluster->objects[k], cluster->count[k], config_size[k], compare_heads);
		for (size_t i = 1; i < cluster->count[k]; i++) {
			const struct config_head *before = (const void *)object_at(cluster, k, i - 1);
			const struct config_head *object = (const void *)object_at(cluster, k, i);
			char label[100];
			if (strcmp(before->name, object->name) != 0)
				continue;
			*line = object->line;
			config_label(k, object, label, sizeof label);
			return error_set(e, ERR_CONFIG, label, "rename or remove one of them",
					 "is there twice, first in line %u", before->line);
		}
	}
	return 0;
}

enum config_kind config_kind_value(const char *word)
{
	for (enum config_kind k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++)
		if (!strcmp(config_kind_name[k], word))
			return k;
	return (enum config_kind)0;
}

int config_object_init(enum config_kind kind, const char *name, void *object, struct error *e)
{
	struct config_head *head = object;
	char label[100];

	memset(object, 0, config_size[kind]);
	if (!config_name_valid(kind, name)) {
		text_format(label, sizeof label, "%s %s", config_kind_name[kind], name);
		text_make_printable(label);
		return error_set(e, ERR_CONFIG, label,
				 kind == CONFIG_ITEM ? "write a name like disk_fill" : "write a name like n001",
				 kind == CONFIG_ITEM
				     ? "the name must be small letters, digits and '_', at most 19"
				     : "the name must be letters, digits, '.', '_' and '-', at most 63, not beginning "
				       "with a sign");
	}
	text_copy(head->name, sizeof head->name, name);
	fields_default(config_fields[kind], object);
	return 0;
}

static int unknown_field(enum config_kind kind, const char *label, const char *name, struct error *e)
{
	const char *names[CONFIG_FIELDS_MAX], *near;
	size_t count = 0;
	char remedy[100], shown[64];

	for (const struct config_field *f = config_fields[kind]; f->name; f++)
		names[count++] = f->name;
	near = nearest_word(name, names, count);
	text_format(remedy, sizeof remedy, near ? "did you mean %s" : "see the manual of cluster.xml", near);
	text_copy(shown, sizeof shown, name);
	text_make_printable(shown);
	return error_set(e, ERR_CONFIG, label, remedy, "has no field %s", shown);
}

int config_set_field(enum config_kind kind, void *object, const char *field, const char *value, struct error *e)
{
	char name[40], label[100];
	bool fits = text_copy(name, sizeof name, field);
	int rc;

	config_label(kind, object, label, sizeof label);
	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = '-';
	const struct config_field *f = fits ? field_find(config_fields[kind], name) : NULL;
	if (!f)
		return unknown_field(kind, label, field, e);
	rc = field_set(f, object, *value || !f->fallback ? value : f->fallback, e);
	if (rc && e)
		text_copy(e->object, sizeof e->object, label);
	if (!rc)
		config_normalise(kind, object);
	return rc;
}
