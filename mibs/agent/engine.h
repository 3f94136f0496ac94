/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's SNMP engine: its id, which never changes, and its boots, which are counted up and stored before the first message
 * is taken (RFC 3414, section 2.2). net-snmp keeps no state of its own here and reads no file. Called by the role's main. */
#ifndef GLORY_MIBS_AGENT_ENGINE_H
#define GLORY_MIBS_AGENT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_ID_SIZE 17 /* 4 of the enterprise, format 5, 12 random octets (RFC 3411, SnmpEngineID) */
#define ENGINE_BOOTS_MAX INT32_MAX

struct engine_state {
	uint8_t id[ENGINE_ID_SIZE];
	uint32_t boots;
};

/* Reads `path`, counts boots up (latched at the maximum), writes it back and waits for the disk. A missing file makes a new
 * engine; a damaged one too, with a line in the log, since boots that fall back would be worse. 0 or ERR_NO_RESOURCE. */
int engine_state_begin(const char *path, struct engine_state *out);
/* Pure: the file's text. False: it is none of ours. */
bool engine_state_parse(const char *text, struct engine_state *out);
/* Starts net-snmp with that engine, no configuration files, no MIB texts. */
int engine_start(const struct engine_state *state);

#endif
