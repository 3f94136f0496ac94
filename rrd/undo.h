/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes an update of an RRD file whole or not at all. librrd changes a file's head (last update, unfinished steps, places in
 * the archives) in place through a memory map, value by value; a recorder that is killed meanwhile leaves archives that are ahead of
 * the last update, and the replay of the journal would shift their history by a step. So the head is kept aside before each update
 * and put back at the next start; the rows themselves wait in the journal. Process death only: nothing is synced, a machine that
 * loses power loses this too. Called by file.c, update.c and recorder.c; one writer. */
#ifndef GLORY_RRD_UNDO_H
#define GLORY_RRD_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens DIRECTORY/undo. When the last life ended within an update, its head is put back, with a word in the log. Without the file
 * (no room, no rights) updates go on unguarded. */
void undo_open(const char *directory);
void undo_close(void);
/* Before an update of this file, and after it. */
void undo_keep(const char *path);
void undo_done(void);
/* The same for who has the head in hand: what undo_write() will keep, and undo_now() puts back through fd (false: it could not). */
void undo_prepare(const char *path, ino_t inode, const uint8_t *head, size_t head_size);
void undo_write(void);
bool undo_now(int fd);
/* Bytes of the head of an RRD file of so many bytes, of which `got` are at hand; 0 when it is not laid out as we know it. */
size_t undo_head_size(const uint8_t *start, size_t got, off_t file_size);

#endif
