/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SETs under way: planned, sent to the engine one row after the other, answered when the engine has answered, or after a deadline.
 * Reads go on meanwhile. A repeat of a SET that is under way waits for the same answer; a later one gets the engine's, which
 * keeps the first answer under the repeat key (contracts, section 6). Called by serve. */
#ifndef GLORY_MIBS_AGENT_EDIT_H
#define GLORY_MIBS_AGENT_EDIT_H

#include "mibs/agent/access.h"
#include "mibs/agent/set.h"
#include "mibs/agent/walk.h"

#define EDIT_DEADLINE_MS 5000
#define EDIT_PENDING_MAX 256
#define EDIT_REPEATS_MAX 8

struct edit;

struct edit_owner {
	void (*send_command)(void *arg, const struct msg_command *command, const char *arguments);
	/* Sends and frees a response. */
	void (*respond)(void *arg, netsnmp_pdu *response);
	void *command_arg, *respond_arg;
};

struct edit *edit_new(const struct edit_owner *owner);
void edit_free(struct edit *edit);
/* A SET that access_of() let in. */
void edit_request(struct edit *edit, const netsnmp_pdu *request, const struct access *access, const struct walk *walk, int64_t now_ms);
void edit_reply(struct edit *edit, const struct msg_reply *reply);
/* Answers what has waited too long. */
void edit_tick(struct edit *edit, int64_t now_ms);
size_t edit_pending(const struct edit *edit);

#endif
