/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spelling of path parts and data sources; see names.h. */
#include "rrd/names.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define HASH_DIGITS 8

static bool part_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

const char *names_part(const char *from, char to[NAMES_PART_SIZE])
{
	size_t n = 0, room = NAMES_PART_SIZE - 1 - HASH_DIGITS - 1, length = strlen(from);
	bool changed = length == 0 || length > room;

	for (; n < length && n < room; n++) {
		to[n] = part_byte(from[n]) ? from[n] : '_';
		changed |= to[n] != from[n];
	}
	to[n] = 0;
	if (changed)
		text_append(to, NAMES_PART_SIZE, &n, "_%08x", (unsigned)(text_hash(from, length) & 0xffffffffu));
	return to;
}

static bool known_source(const char *source)
{
	static const char *const sources[] = {"snmp", "bmc", "check", "service"};

	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		if (strcmp(source, sources[i]) == 0)
			return true;
	}
	return false;
}

bool names_path(const char *site, const char *group, const char *node, const char *source, const char *file,
		char out[NAMES_PATH_SIZE])
{
	char s[NAMES_PART_SIZE], g[NAMES_PART_SIZE], n[NAMES_PART_SIZE], f[NAMES_PART_SIZE];

	if (!known_source(source) || !*site || !*group || !*node || !*file)
		return false;
	return text_format(out, NAMES_PATH_SIZE, "%s/%s/%s/%s/%s.rrd", names_part(site, s), names_part(group, g),
			   names_part(node, n), source, names_part(file, f));
}

bool names_path_is_sound(const char *path)
{
	static const char suffix[] = ".rrd";
	size_t length = strlen(path), part = 0;
	int slashes = 0;

	if (length >= NAMES_PATH_SIZE || length <= sizeof suffix - 1 ||
	    strcmp(path + length - (sizeof suffix - 1), suffix) != 0)
		return false;
	for (size_t i = 0; i < length - (sizeof suffix - 1); i++) {
		if (path[i] == '/' && part > 0) {
			slashes++;
			part = 0;
		} else if (part_byte(path[i])) {
			part++;
		} else {
			return false;
		}
	}
	return slashes == 4 && part > 0;
}

const char *names_data_source(const char *from, char to[NAMES_SOURCE_SIZE])
{
	size_t n = 0;

	for (; *from && n < NAMES_SOURCE_SIZE - 1; from++) {
		char c = *from >= 'A' && *from <= 'Z' ? (char)(*from - 'A' + 'a') : *from;

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			to[n++] = c;
		else if (n > 0 && to[n - 1] != '_')
			to[n++] = '_';
	}
	while (n > 0 && to[n - 1] == '_')
		n--;
	if (n == 0)
		to[n++] = 'x';
	to[n] = 0;
	return to;
}

static bool stands_before(char (*names)[NAMES_SOURCE_SIZE], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(names[i], names[count]) == 0)
			return true;
	}
	return false;
}

void names_data_sources(const char (*from)[NAMES_SOURCE_SIZE], uint32_t count, char (*to)[NAMES_SOURCE_SIZE])
{
	char plain[NAMES_SOURCE_SIZE];

	for (uint32_t i = 0; i < count; i++) {
		names_data_source(from[i], plain);
		text_copy(to[i], NAMES_SOURCE_SIZE, plain);
		for (unsigned again = 2; stands_before(to, i);
		     again++) /* cut in front of the number, never behind it */
			text_format(to[i], NAMES_SOURCE_SIZE, "%.*s_%u", again < 100 ? 16 : 12, plain, again);
	}
}
