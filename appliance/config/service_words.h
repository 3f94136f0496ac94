/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parsers of service_text.h share; nobody else calls it. */
#ifndef GLORY_CONFIG_SERVICE_WORDS_H
#define GLORY_CONFIG_SERVICE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* ERR_CONFIG: `what`: "word" is not `expected`. */
int service_words_refuse(struct error *e, const char *remedy, const char *what, const char *word, const char *expected);
/* The next word between blanks; double quotes join and are dropped. 1, 0 at the end, ERR_CONFIG when it does not fit, has control
 * characters or an open quote. */
int service_words_next(const char **at, char *out, size_t size);
/* A number that begins with a digit. */
bool service_words_digits(const char *text, int64_t low, int64_t high, int64_t *out);

#endif
