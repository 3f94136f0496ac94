/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the output of glory-xml: refused, or a cluster or settings that pass every rule. The bytes are tried raw and as the
 * changes of a good record, which get past its sizes. */
#include <stdlib.h>
#include <string.h>

#include "config/xml_child.h"
#include "tests/unit/random_cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(const void *bytes, size_t size)
{
	struct cluster cluster;
	struct settings settings;
	struct error e;

	if (xml_output_decode(bytes, size, &cluster, &e) == 0) {
		if (cluster_check(&cluster, &e))
			abort();
		free(cluster_to_xml(&cluster));
		cluster_clear(&cluster);
	}
	if (xml_output_decode_settings(bytes, size, &settings, &e) == 0 && settings_check(&settings, &e))
		abort();
}

static char *good_record(bool of_settings, size_t *size)
{
	struct cluster cluster;
	struct settings settings;
	char *record;

	if (of_settings) {
		settings_default(&settings);
		text_copy(settings.appliance, sizeof settings.appliance, "a");
		text_copy(settings.site, sizeof settings.site, "b");
		settings_complete(&settings);
		return xml_output_settings(&settings, size);
	}
	random_cluster(1, 3, &cluster);
	record = xml_output_cluster(&cluster, size);
	cluster_clear(&cluster);
	return record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t record_size;

	try(data, size);
	if (size < 4)
		return 0;
	static char *good[2];
	static size_t sizes[2];
	int which = data[0] & 1;
	if (!good[which])
		good[which] = good_record(which, &sizes[which]);
	record_size = sizes[which];
	char *record = malloc(record_size);
	memcpy(record, good[which], record_size);
	for (size_t i = 1; i + 3 <= size; i += 3)
		record[((size_t)data[i] << 8 | data[i + 1]) % record_size] = (char)data[i + 2];
	try(record, record_size);
	free(record);
	return 0;
}
