/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records glory-xml writes, made and read: a head, then a packed cluster, struct settings or struct error; see
 * xml_child.h. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/xml_child.h"

#define RECORD_MAGIC 0x31584c47u /* "GLX1" */

enum record_kind { RECORD_CLUSTER = 1, RECORD_SETTINGS, RECORD_ERROR };

struct record_head {
	uint32_t magic, kind;
	uint64_t size; /* of what follows */
};

static char *make_record(enum record_kind kind, const void *bytes, size_t size, size_t *total)
{
	struct record_head head = {RECORD_MAGIC, kind, size};
	char *record = mem_zalloc(sizeof head + size);

	memcpy(record, &head, sizeof head);
	memcpy(record + sizeof head, bytes, size);
	*total = sizeof head + size;
	return record;
}

char *xml_output_cluster(const struct cluster *cluster, size_t *size)
{
	size_t packed_size;
	char *packed = cluster_pack(cluster, &packed_size);
	char *record = make_record(RECORD_CLUSTER, packed, packed_size, size);

	free(packed);
	return record;
}

char *xml_output_settings(const struct settings *settings, size_t *size)
{
	return make_record(RECORD_SETTINGS, settings, sizeof *settings, size);
}

char *xml_output_error(const struct error *e, size_t *size)
{
	return make_record(RECORD_ERROR, e, sizeof *e, size);
}

static int cut_short(struct error *e)
{
	return error_set(e, ERR_REMOTE, "glory-xml", "read the log for how it ended, and try a smaller file",
			 "ended before it was finished");
}

static int take_error(const char *payload, size_t size, struct error *e)
{
	struct error said;

	if (size != sizeof said)
		return cut_short(e);
	memcpy(&said, payload, sizeof said);
	if (!text_terminated(said.object, sizeof said.object) || !text_terminated(said.text, sizeof said.text) ||
	    !text_terminated(said.remedy, sizeof said.remedy) || said.kind >= 0 || said.kind < ERR_BUSY)
		return cut_short(e);
	text_make_printable(said.object);
	text_make_printable(said.text);
	text_make_printable(said.remedy);
	if (e)
		*e = said;
	return said.kind;
}

/* 0 with *payload when a record of the wanted kind is whole; else the error it holds or what is wrong with it. */
static int open_record(const void *bytes, size_t size, enum record_kind wanted, const char **payload,
		       size_t *payload_size, struct error *e)
{
	struct record_head head;

	if (size < sizeof head)
		return cut_short(e);
	memcpy(&head, bytes, sizeof head);
	*payload = (const char *)bytes + sizeof head;
	*payload_size = size - sizeof head;
	if (head.magic != RECORD_MAGIC || head.size != *payload_size)
		return cut_short(e);
	if (head.kind == RECORD_ERROR)
		return take_error(*payload, *payload_size, e);
	return head.kind == wanted ? 0 : cut_short(e);
}

int xml_output_decode(const void *bytes, size_t size, struct cluster *out, struct error *e)
{
	const char *payload = NULL;
	size_t payload_size = 0;
	int rc = open_record(bytes, size, RECORD_CLUSTER, &payload, &payload_size, e);

	cluster_init(out);
	return rc ? rc : cluster_unpack(payload, payload_size, out, e);
}

int xml_output_decode_settings(const void *bytes, size_t size, struct settings *out, struct error *e)
{
	const char *payload = NULL;
	size_t payload_size = 0;
	int rc = open_record(bytes, size, RECORD_SETTINGS, &payload, &payload_size, e);

	memset(out, 0, sizeof *out);
	if (rc)
		return rc;
	if (payload_size != sizeof *out)
		return cut_short(e);
	memcpy(out, payload, sizeof *out);
	return settings_check(out, e);
}
