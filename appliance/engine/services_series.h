/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History of services: SITE/_service/NAME/service/base.rrd (rrd/README.md), one row each 10 s; the newest two minutes at 1 s in memory, ten while
 * somebody looks at the service, as of nodes (monitor/recent.h): 16 bytes a point. */
#ifndef GLORY_ENGINE_SERVICES_SERIES_H
#define GLORY_ENGINE_SERVICES_SERIES_H

#include "engine/engine.h"

/* Each 10 s, or more often (of what comes within a second the first is taken): the service's row as it is published (name, wanted, in_service,
 * utilisation, connections, rates). A slot that has become another service's begins that one's history. */
void services_record(struct engine *e, uint32_t slot, const struct service_row *row);
/* The service is gone; its files stay. */
void services_record_gone(struct engine *e, uint32_t slot);
void services_series_forget(struct engine *e); /* the recorder is new: all series are announced again */
/* A picture of the service is wanted: the steps that have ended go to the recorder. False: nothing is recorded under this name. */
bool services_series_flush(struct engine *e, const char *name, uint32_t *series_slot);
/* The newest values of the service of this name, and the column of an item in them; the service is looked at from now on. NULL: nothing is
 * recorded under this name, or there is no such item. It is good until the loop goes on. */
const struct recent *services_series_recent(struct engine *e, const char *name, const char *item, unsigned *column);
void services_series_unlook(struct engine *e); /* once a second: those nobody looks at any more */
/* What "utilisation" and so on are: 0, or ERR_NOT_FOUND with those there are. The texts are constants. */
int services_series_find(const char *item, const char **unit, const char **label, struct error *err);

#endif
