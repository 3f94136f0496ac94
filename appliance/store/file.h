/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files around a SQLite database: made 0600, kept aside when corrupt, and the reserve that is given back on a full disk.
 * Called by sqlite.c only. */
#ifndef GLORY_STORE_FILE_H
#define GLORY_STORE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_RESERVE_BYTES (64ll << 20)

/* Makes the file (0600) when it is missing, takes rights of others away when it is there. False with the reason in the log. */
bool store_file_prepare(const char *path);
/* Renames PATH, PATH-wal and PATH-journal to PATH.corrupt-N...; false with the reason in the log. `aside` gets the new name. */
bool store_file_keep_aside(const char *path, char *aside, unsigned aside_size);
/* Makes PATH.reserve of STORE_RESERVE_BYTES unless it is there, when the file system has at least free_bytes. False: no room. */
bool store_reserve_make(const char *path, int64_t free_bytes);
/* Gives the reserve back to the file system; false when there was none. */
bool store_reserve_give_back(const char *path);

#endif
