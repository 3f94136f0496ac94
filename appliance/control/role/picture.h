/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A balancer's picture on its way to the driver program: the SNMP credential is put into it here, so that the engine never has it. */
#ifndef GLORY_CONTROL_ROLE_PICTURE_H
#define GLORY_CONTROL_ROLE_PICTURE_H

#include <stddef.h>

/* input: a memfd with the picture's JSON. secret: lines "auth=", "priv=", "community=". Returns a new memfd with both, at its beginning, or -1
 * with one line of why in text. */
int picture_splice(int input, const char *secret, char *text, size_t size);

#endif
