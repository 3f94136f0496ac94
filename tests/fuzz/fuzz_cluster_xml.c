/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as cluster.xml. What is read passes every rule, survives packing, and its export reads back without a difference. */
#include <stdlib.h>
#include <string.h>

#include "config/cluster.h"
#include "config/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static void export_and_back(const struct cluster *cluster)
{
	struct cluster again, result;
	struct config_diff diff;
	struct error e;
	char *text = cluster_to_xml(cluster);

	must(xml_read_cluster(text, strlen(text), "export", &again, &e) == 0);
	cluster_diff(cluster, &again, true, &result, &diff);
	must(diff.count == 0);
	config_diff_clear(&diff);
	cluster_clear(&result);
	cluster_clear(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cluster cluster, unpacked;
	struct error e;
	size_t packed_size;

	if (xml_read_cluster((const char *)data, size, "cluster.xml", &cluster, &e)) {
		must(e.kind == ERR_CONFIG && e.text[0] && e.object[0] && !strchr(e.text, '\n'));
		return 0;
	}
	must(cluster_check(&cluster, &e) == 0);
	char *packed = cluster_pack(&cluster, &packed_size);
	must(cluster_unpack(packed, packed_size, &unpacked, &e) == 0);
	free(packed);
	cluster_clear(&unpacked);
	if (cluster.count[CONFIG_NODE] < 2000)
		export_and_back(&cluster);
	cluster_clear(&cluster);
	return 0;
}
