/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of glory-ipvs: from the bytes of a wanted picture to the result, over a kernel link. main.c has the process around it. */
#ifndef GLORY_LVS_RUN_H
#define GLORY_LVS_RUN_H

#include "lvs/files.h"
#include "lvs/kernel.h"

struct run {
	struct kernel *kernel;
	const struct error *no_kernel; /* not NULL: it could not be opened, for this reason */
	/* Asks the other half for VRRP. NULL: there is none. */
	void (*ask_keepalived)(void *arg, const struct keepalived *k, bool dry_run, struct files_answer *out);
	/* Asks it for the kernel's setting. NULL: it stays as it is. */
	void (*ask_setting)(void *arg, bool dry_run, struct files_answer *out);
	void *arg;
};

/* Always fills in the result; picture_result_clear() it. Order: check, read, differ, write, read back, compare; then the setting, sync daemons and VRRP. A failure
 * of one command does not keep the others back. Changes of those are told as change-real of "setting", "sync" (real: its state) and "vrrp". */
void run_picture(struct run *run, const char *text, size_t size, struct picture_result *out);

#endif
