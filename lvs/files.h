/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The half of glory-ipvs that may write a file: puts keepalived's configuration in its place and has it read, and sets one setting of the kernel. It is asked
 * by the half that parses, over a socket, with a struct keepalived and nothing else; paths come from its own command line. */
#ifndef GLORY_LVS_FILES_H
#define GLORY_LVS_FILES_H

#include "lvs/keepalived.h"

struct files {
	const char *configuration; /* /etc/keepalived/keepalived.conf */
	const char *pid;           /* /run/keepalived.pid */
	const char *program;       /* /usr/sbin/keepalived, which checks a text before it takes its place */
	const char *setting;       /* /proc/sys/net/ipv4/vs/expire_nodest_conn */
};
struct files_answer {
	int32_t status; /* 0, or a negative error kind and error */
	uint32_t changed; /* 1: the file was written and keepalived told; or the setting was another one */
	struct error error;
};

/* dry_run: only says whether it would change. A file without KEEPALIVED_MARK in its first line is somebody else's: refused. Written beside, synced, checked by
 * keepalived -t, renamed; then SIGHUP to the process of the pid file. A keepalived that does not run is ERR_NOT_NOW. */
void do_privileged_keepalived(const struct files *files, const struct keepalived *k, bool dry_run, struct files_answer *out);

/* The setting becomes 1: a client's new connection from a port that it had before goes to a real server that has a weight, whatever the kernel remembers of the
 * old one. By direct routing and tunnels it sees no end of connections to one that died, and without this keeps sending there for a minute and longer. A kernel
 * that has no such setting is none of ours to complain of: not changed. */
void do_privileged_setting(const struct files *files, bool dry_run, struct files_answer *out);

bool files_write(int fd, const char *text); /* all of it, to any descriptor; false with errno */

#endif
