/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking glory-xml, the one-shot child without rights that alone parses XML, and reading what it wrote. The supervisor (gloryd.xml),
 * the CLI and tests start it here and wait; the engine gets the output of one that the supervisor started. */
#ifndef GLORY_CONFIG_XML_CHILD_H
#define GLORY_CONFIG_XML_CHILD_H

#include <stddef.h>

#include "base/error.h"
#include "config/cluster.h"
#include "config/settings.h"

#define XML_OUTPUT_MAX (32u << 20) /* more than this is no output of glory-xml */

/* What glory-xml wrote to its standard output, whole. 0; the error of the file (ERR_CONFIG); ERR_REMOTE when the child died before it
 * finished or wrote something else. */
int xml_output_decode(const void *bytes, size_t size, struct cluster *out, struct error *e);
int xml_output_decode_settings(const void *bytes, size_t size, struct settings *out, struct error *e);

/* Runs DIRECTORY/glory-xml on the file and waits, at most 30 s. Blocking: never in a loop that serves others. Names in messages are
 * the file's last part. As root the child becomes nobody. */
int xml_child_cluster(const char *directory, const char *path, struct cluster *out, struct error *e);
int xml_child_settings(const char *directory, const char *path, struct settings *out, struct error *e);

/* For glory-xml itself: the record of its output. Caller frees. */
char *xml_output_cluster(const struct cluster *cluster, size_t *size);
char *xml_output_settings(const struct settings *settings, size_t *size);
char *xml_output_error(const struct error *e, size_t *size);

#endif
