/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading cluster.xml and gloryd.xml: RelaxNG as the gate, an own walk for messages that say file, line, object, what was expected.
 * Called only in the one-shot child glory-xml, which has no rights (libxml2: NONET, no NOENT, no HUGE, size cap 16 MiB). */
#ifndef GLORY_CONFIG_XML_H
#define GLORY_CONFIG_XML_H

#include "config/cluster.h"
#include "config/settings.h"

/* text: the file's content; label: how messages call it ("cluster.xml"). 0 or ERR_CONFIG with "cluster.xml:12" as the object. */
int xml_read_cluster(const char *text, size_t size, const char *label, struct cluster *out, struct error *e);
int xml_read_settings(const char *text, size_t size, const char *label, struct settings *out, struct error *e);

#endif
