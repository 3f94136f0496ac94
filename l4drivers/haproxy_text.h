/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts of HAProxy, pure: our section of its configuration file, and what its runtime socket answers. All input is hostile. */
#ifndef GLORY_L4_HAPROXY_TEXT_H
#define GLORY_L4_HAPROXY_TEXT_H

#include "l4drivers/program.h"

#define HAPROXY_CONFIG_MAX (4u << 20)

/* The name of a server line: the member's, or its address where it has none. */
const char *haproxy_server_name(const struct picture_real *r, char out[PICTURE_NAME]);
/* The text of our section, with the two marking lines. A virtual server without name, or with a scheduler that is none, is left out. */
void haproxy_section(const struct picture *p, const char *prefix, struct program_text *out);
/* The file anew: `old` with our section replaced, or with it at its end. False when the marks are wrong (one of them, twice). */
bool haproxy_replace(const char *old, const struct program_text *section, struct program_text *out);
/* The virtual servers and members of our section, into an empty picture; what is not as we write it makes scheduler "changed". */
void haproxy_parse_section(const char *file, const char *prefix, struct picture *have);

/* What runs, by "show servers state": the members of virtual servers in `have` are replaced. Members in maintenance that are not in `want`
 * are left out: *going counts them. False when it is no such text. */
bool haproxy_parse_servers(const char *text, const char *prefix, const struct picture *want, struct picture *have, unsigned *going);
/* By "show stat": counts; virtual servers that do not run are removed; *foreign counts proxies that are not ours, the servers in
 * maintenance without a session that are not in the picture are appended to `remove`, as "backend/server", one a line. */
bool haproxy_parse_stat(const char *text, const char *prefix, struct picture *have, unsigned *foreign, struct program_text *remove);
/* A field of "show info" ("Pid"); 0 when there is none. */
int64_t haproxy_info(const char *text, const char *field);

#endif
