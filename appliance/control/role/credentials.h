/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials of the runner: asked of the supervisor by name when they are needed, read again when they are older than half a minute (certificates
 * of a day are renewed while we run). Those of class ssh become files that this role alone can read; those of class snmp stay in memory until
 * whoever waited has had them. */
#ifndef GLORY_CONTROL_CREDENTIALS_H
#define GLORY_CONTROL_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "board/messages.h"

enum credential_state { CREDENTIAL_ASKED = 1, CREDENTIAL_READY, CREDENTIAL_MISSING };

struct credentials;
/* ask() sends MSG_SECRET_ASK. keys: the directory for files, emptied first. NULL: it cannot be used (logged). */
struct credentials *credentials_new(const char *keys, void (*ask)(void *arg, const struct msg_secret_ask *m), void *arg);
/* Where a credential stands now; asks for it when that is needed. trouble (when MISSING): why, one line. */
enum credential_state credentials_want(struct credentials *all, enum secret_class class, const char *name, int64_t now, const char **trouble);
/* An answer; true when something that was asked for has become ready or missing. The message is the caller's to wipe. */
bool credentials_take(struct credentials *all, const struct msg_secret *m, int64_t now);
/* The text of a credential of class snmp that is ready; NULL otherwise. */
const char *credentials_snmp(const struct credentials *all, const char *name);
void credentials_forget_snmp(struct credentials *all); /* wipes; they are asked for anew */
void credentials_end(struct credentials *all);         /* removes the files */

#endif
