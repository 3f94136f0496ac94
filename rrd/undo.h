/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes an update of an RRD file whole or not at all. librrd changes a file's head (last update, unfinished steps, places in
 * the archives) in place through a memory map, value by value; a recorder that is killed meanwhile leaves archives that are ahead of
 * the last update, and the replay of the journal would shift their history by a step. So the head is kept aside before each update
 * and put back at the next start; the rows themselves wait in the journal. Process death only: nothing is synced, a machine that
 * loses power loses this too. Called by file.c and recorder.c; one writer. */
#ifndef GLORY_RRD_UNDO_H
#define GLORY_RRD_UNDO_H

#include <stdbool.h>

/* Opens DIRECTORY/undo. When the last life ended within an update, its head is put back, with a word in the log. Without the file
 * (no room, no rights) updates go on unguarded. */
void undo_open(const char *directory);
void undo_close(void);
/* Before an update of this file, and after it. */
void undo_keep(const char *path);
void undo_done(void);

#endif
