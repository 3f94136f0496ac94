/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A report of statistics: asked in the loop (report.c), written in the file's thread (report_write.c), answered in the loop again. */
#ifndef GLORY_ENGINE_REPORT_H
#define GLORY_ENGINE_REPORT_H

#include "base/error.h"
#include "engine/history.h"

#define REPORT_ROWS_MAX 50000

struct report_node {
	char name[NAME_SIZE], group[NAME_SIZE];
	uint8_t *running; /* its hour that runs, packed; NULL: as it was last kept on disk. Owned */
	size_t running_size;
};
struct report {
	struct msg_report ask;
	int64_t now_s;
	struct report_node *nodes; /* sorted by name; owned */
	size_t count;
	int fd;                    /* memfd that gets the text; owned */
	struct error err;          /* kind 0: the text is whole */
};

/* summaries_work: arg is the struct report. */
void report_write(struct summaries_db *db, void *arg);
/* What of a summary a top list goes by; false: there is no such figure. */
bool report_figure(const char *name, const struct summary *s, double *value);
void report_free(struct report *r);

#endif
