/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SQLite engine of the store: blocking, used by one thread at a time. store.c calls it from its thread. */
#ifndef GLORY_STORE_SQLITE_H
#define GLORY_STORE_SQLITE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/queue.h"

struct sqlite_engine;

/* NULL with the reason in the log. */
struct sqlite_engine *sqlite_engine_open(const char *path);
void sqlite_engine_close(struct sqlite_engine *engine);
/* Carries out all requests in order, in one transaction when there are writes, and fills their replies. */
void sqlite_engine_run(struct sqlite_engine *engine, struct request *first);
/* One line of what is wrong at present, or "". */
const char *sqlite_engine_trouble(const struct sqlite_engine *engine);
/* False while writes fail, or the reserve is used up by what was accepted before. */
bool sqlite_engine_takes_writes(const struct sqlite_engine *engine);

#endif
