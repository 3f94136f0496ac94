/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as gloryd.xml. What is read passes the rules, and its record decodes. */
#include <stdlib.h>
#include <string.h>

#include "config/xml.h"
#include "config/xml_child.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings, again;
	struct error e;
	size_t record_size;

	if (xml_read_settings((const char *)data, size, "gloryd.xml", &settings, &e)) {
		if (e.kind != ERR_CONFIG || !e.text[0] || strchr(e.text, '\n'))
			abort();
		return 0;
	}
	char *record = xml_output_settings(&settings, &record_size);
	if (xml_output_decode_settings(record, record_size, &again, &e) || memcmp(&settings, &again, sizeof again) != 0)
		abort();
	free(record);
	return 0;
}
