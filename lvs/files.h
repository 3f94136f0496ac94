/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The half of glory-ipvs that may write a file: puts keepalived's configuration in its place and has it read. It is asked by the half that parses, over
 * a socket, with a struct keepalived and nothing else; paths come from its own command line. */
#ifndef GLORY_LVS_FILES_H
#define GLORY_LVS_FILES_H

#include "lvs/keepalived.h"

struct files {
	const char *configuration; /* /etc/keepalived/keepalived.conf */
	const char *pid;           /* /run/keepalived.pid */
	const char *program;       /* /usr/sbin/keepalived, which checks a text before it takes its place */
};
struct files_answer {
	int32_t status; /* 0, or a negative error kind and error */
	uint32_t changed; /* 1: the file was written and keepalived told */
	struct error error;
};

/* dry_run: only says whether it would change. A file without KEEPALIVED_MARK in its first line is somebody else's: refused. Written beside, synced, checked by
 * keepalived -t, renamed; then SIGHUP to the process of the pid file. A keepalived that does not run is ERR_NOT_NOW. */
void do_privileged_keepalived(const struct files *files, const struct keepalived *k, bool dry_run, struct files_answer *out);

bool files_write(int fd, const char *text); /* all of it, to any descriptor; false with errno */

#endif
