/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fresh files without librrd's work: the head of a file that librrd made is kept, and another one of the same step, sources and first
 * time is that head and unknown values behind it, in one write. Thousands of nodes begin at the same moment with the same sources.
 * Called by file; belongs to the writer thread. */
#ifndef GLORY_RRD_TEMPLATE_H
#define GLORY_RRD_TEMPLATE_H

#include "rrd/file.h"

/* Remembers what librrd has just made for a series that begins after start_s; nothing when the file is not as expected. */
void template_learn(const struct file_series *series, int64_t start_s);
/* Makes series->path. 0: made; 1: there is no template of that kind; -1 with errno: the disk does not take it. */
int template_make(const struct file_series *series, int64_t start_s);
/* Forgets all (tests, and the end of the writer). */
void template_forget(void);

#endif
