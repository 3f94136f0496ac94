/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cluster as bytes and back: how glory-xml hands its result over. Every byte that comes back is checked; see
 * cluster.h. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/fields.h"

#define PACK_MAGIC 0x31434c47u /* "GLC1" */

struct pack_head {
	uint32_t magic, size; /* of this head */
	char site[CONFIG_NAME];
	uint32_t count[CONFIG_KIND_COUNT];
	uint32_t object_size[CONFIG_KIND_COUNT];
};

char *cluster_pack(const struct cluster *cluster, size_t *size)
{
	struct pack_head head = {.magic = PACK_MAGIC, .size = sizeof head};
	size_t total = sizeof head;

	text_copy(head.site, sizeof head.site, cluster->site);
	for (int k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++) {
		head.count[k] = (uint32_t)cluster->count[k];
		head.object_size[k] = (uint32_t)config_size[k];
		total += cluster->count[k] * config_size[k];
	}
	char *bytes = mem_zalloc(total), *at = bytes + sizeof head;
	memcpy(bytes, &head, sizeof head);
	for (int k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++) {
		size_t n = cluster->count[k] * config_size[k];
		if (n)
			memcpy(at, cluster->objects[k], n);
		at += n;
	}
	*size = total;
	return bytes;
}

static int broken(struct error *e, const char *what)
{
	return error_set(e, ERR_BUG, "packed cluster", "report it", "%s", what);
}

static bool head_fits(const struct pack_head *head, size_t size)
{
	size_t total = sizeof *head;

	if (head->magic != PACK_MAGIC || head->size != sizeof *head ||
	    !text_terminated(head->site, sizeof head->site) || head->count[0])
		return false;
	for (int k = CONFIG_SNMP; k < CONFIG_KIND_COUNT; k++) {
		if (head->object_size[k] != config_size[k] || head->count[k] > 2 * CONFIG_NODES_MAX)
			return false;
		total += head->count[k] * config_size[k];
	}
	return total == size;
}

int cluster_unpack(const void *bytes, size_t size, struct cluster *out, struct error *e)
{
	struct pack_head head;
	const char *at = (const char *)bytes + sizeof head;
	uint32_t line;
	int rc = 0;

	cluster_init(out);
	if (size < sizeof head)
		return broken(e, "too short");
	memcpy(&head, bytes, sizeof head);
	if (!head_fits(&head, size))
		return broken(e, "counts and sizes do not fit");
	text_copy(out->site, sizeof out->site, head.site);
	for (enum config_kind k = CONFIG_SNMP; !rc && k < CONFIG_KIND_COUNT; k++)
		for (uint32_t i = 0; i < head.count[k] && !rc; i++, at += config_size[k]) {
			if (!text_terminated(at, CONFIG_NAME) ||
			    !config_name_valid(k, at)) /* before anything searches by it */
				rc = broken(e, "a name is none");
			else
				cluster_add(out, k, at);
		}
	if (!rc)
		rc = cluster_sort(out, e, &line);
	if (!rc)
		rc = cluster_check(out, e);
	if (rc)
		cluster_clear(out);
	return rc;
}
