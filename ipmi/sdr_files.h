/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cache files of sensor records (sdr.h) without waiting for the disk: one worker reads and writes them, the loop asks and looks again. A disk
 * that stands still costs the cache, never a poll: what cannot be read is read from the BMC, what cannot be written is left out. Used by
 * sensors.c; all functions are for the loop's thread. */
#ifndef GLORY_IPMI_SDR_FILES_H
#define GLORY_IPMI_SDR_FILES_H

#include "ipmi/sdr.h"

#define SDR_LOADS_MAX 256  /* open at once: they hold the content of a file */
#define SDR_SAVES_MAX 64   /* waiting for the disk */
#define SDR_STALLED_MS 2000 /* so long at one file: the disk stands */

struct sdr_files;
struct sdr_load;

/* directory: "" none. Until sdr_files_start() everything is done at once, by the caller: for programs that have no loop. */
struct sdr_files *sdr_files_new(const char *directory);
/* Starts the worker, once the role has given its rights away: it has no others. False: no thread can be made (logged). */
bool sdr_files_start(struct sdr_files *files);
/* What is waiting is finished if the disk allows it within a second. NULL is fine. */
void sdr_files_free(struct sdr_files *files);

enum sdr_loading { SDR_WAIT, /* look again in a moment */ SDR_STALLED, /* not now */ SDR_LOADED };
/* Begins a load where *load is NULL and there is room, then says how it stands. */
enum sdr_loading sdr_files_load(struct sdr_files *files, const struct sdr_key *key, struct sdr_load **load);
/* Of a load that is SDR_LOADED: the records, NULL when there is no such file. They are the load's. */
const uint8_t *sdr_load_content(const struct sdr_load *load, size_t *size);
void sdr_load_end(struct sdr_load **load); /* whatever it has come to; *load NULL is fine */

/* Copies content. False: too many are waiting, it is not kept; the records are then read again next time. */
bool sdr_files_save(struct sdr_files *files, const struct sdr_key *key, const uint8_t *content, size_t size);

#endif
