/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One threshold row of an item: its attributes, their defaults and limits, and its one-line text. XML, JSON, the command line and
 * exports all go through here; monitor/levels.h judges by it.
 *
 *   kind       attributes                              in force when
 *   value      above|below clear of in                 the value is at or beyond the limit
 *   rate       above|below clear of in window per      the value's change over the window, per second, minute, hour or day, is
 *   no-data    window                                  no sample came for so long although the node's agent answers
 *   forecast   above|below within window               the straight line through the window reaches the limit within that time
 *   deviation  above|below clear of in deviations      the value differs from the same hour of earlier weeks by at least the limit
 *                                                      and by so many standard deviations
 * Times are "90s", "15m", "6h", "3d", "2w". Left out: kind value; clear as the limit; of and in 1; window 10m (rate), 5m (no-data),
 * 6h (forecast); within 3d; per second; deviations 4. */
#ifndef GLORY_CONFIG_THRESHOLD_H
#define GLORY_CONFIG_THRESHOLD_H

#include <stddef.h>

#include "config/cluster.h"

#define THRESHOLD_TEXT 160
#define THRESHOLD_ATTRIBUTES 11

/* A row being read: attributes come in any order. */
struct threshold_draft {
	struct config_threshold t;
	unsigned given; /* bit per attribute */
};

/* The names, in the order they are written: "level", "kind", "above" ... */
extern const char *const threshold_attributes[THRESHOLD_ATTRIBUTES];

/* Sets one attribute. 0, or ERR_CONFIG with text and remedy in *e (the caller names the object). */
int threshold_set(struct threshold_draft *draft, const char *name, const char *text, struct error *e);
/* Fills in what was left out and checks the whole; as threshold_set(). */
int threshold_finish(struct threshold_draft *draft, struct error *e);
/* Whether the bytes could have come from threshold_finish(). */
bool threshold_valid(const struct config_threshold *t);
bool threshold_equal(const struct config_threshold *a, const struct config_threshold *b);
/* The text of an attribute; "" where the kind has none, or, with sparse, where the default says the same. Returns out. */
const char *threshold_attribute(const struct config_threshold *t, unsigned attribute, bool sparse, char out[48]);

/* "warning above 85 clear 80 of 3 in 5", "major forecast above 100 within 1d window 6h": the level, the kind unless it is value, then
 * names and values in any order. threshold_text() writes what threshold_parse() reads back as the same row. */
int threshold_parse(const char *text, struct config_threshold *out, struct error *e);
void threshold_text(const struct config_threshold *t, char out[THRESHOLD_TEXT]);

#endif
