/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of gloryd.xml by element, as fields.h has those of cluster.xml. Used by settings.c and xml_settings.c. */
#ifndef GLORY_CONFIG_SETTINGS_FIELDS_H
#define GLORY_CONFIG_SETTINGS_FIELDS_H

#include "config/fields.h"
#include "config/settings.h"

struct settings_element {
	const char *name; /* "" = the outermost */
	const struct config_field *fields; /* in struct settings; of <user> in struct settings_user */
};
extern const struct settings_element settings_elements[];
extern const size_t settings_element_count;
#define SETTINGS_USER_ELEMENT "user"

#endif
