/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names in the RRD tree (contracts, section 5): path parts without dots and slashes, data-source names of at most 19
 * characters. Pure; without librrd, so that whoever asks for a graph spells names as the recorder does. */
#ifndef GLORY_RRD_NAMES_H
#define GLORY_RRD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_PATH_SIZE 512 /* "SITE/GROUP/NODE/SOURCE/CLASS-INSTANCE.rrd" with the zero */
#define NAMES_PART_SIZE 96
#define NAMES_SOURCE_SIZE 20

/* One path part: [A-Za-z0-9_-] stays, any other byte becomes '_', and a name that was changed so (or is empty, or is
 * cut) gets the hash of the original behind it, so that two names never share a file. Returns to. */
const char *names_part(const char *from, char to[NAMES_PART_SIZE]);
/* The file of a series relative to the RRD directory. source: "snmp", "bmc", "check" or "service". False for another source or an
 * empty part. */
bool names_path(const char *site, const char *group, const char *node, const char *source, const char *file,
		char out[NAMES_PATH_SIZE]);
/* True when path is one that names_path() can make: five parts of allowed bytes and ".rrd". For paths read back from a
 * journal. */
bool names_path_is_sound(const char *path);
/* A data-source name: lower case, [a-z0-9_], other bytes as one '_', at most 19 bytes. Returns to. */
const char *names_data_source(const char *from, char to[NAMES_SOURCE_SIZE]);
/* The same for all data sources of a file, in order: a name that stood before gets "_2", "_3"... at its end. */
void names_data_sources(const char (*from)[NAMES_SOURCE_SIZE], uint32_t count, char (*to)[NAMES_SOURCE_SIZE]);

#endif
