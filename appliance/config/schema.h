/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The RelaxNG schemas of appliance/etc as text, made at build time by embed.awk. Used by xml.c. */
#ifndef GLORY_CONFIG_SCHEMA_H
#define GLORY_CONFIG_SCHEMA_H

extern const char schema_cluster[], schema_gloryd[];

#endif
