/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notifications to receivers: SNMPv3 INFORM (default), v2c and v3 traps, syslog. At least once: an event is done for a receiver
 * when it has acknowledged the inform, or when a datagram that nobody acknowledges has left. The outbox is the engine's; here is
 * a window of it per receiver, in order, kept until done however long the receiver is away. Nothing here waits: engine
 * ids are discovered by messages like any other. Called by the role's main. */
#ifndef GLORY_MIBS_AGENT_NOTIFY_H
#define GLORY_MIBS_AGENT_NOTIFY_H

#include "board/messages.h"
#include "loop/loop.h"

#define NOTIFY_RECEIVERS_MAX 16

struct notify;
struct own;

struct notify_owner {
	void (*ask_secret)(void *arg, uint32_t class, const char *name);
	void (*done)(void *arg, const struct msg_notify_done *done);
	const struct own *own; /* sysUpTime of the notifications, and the appliance's name for syslog */
	void *arg;
};

struct notify *notify_new(struct loop *loop, const struct notify_owner *owner);
void notify_free(struct notify *notify);
/* Replaces the list. Receivers that stay as they were keep their window and session. */
void notify_receivers(struct notify *notify, const struct msg_receiver *receivers, size_t count);
void notify_secret(struct notify *notify, const struct msg_secret *secret);
/* One event for one receiver. Repeats of events in the window are ignored; beyond the window they are dropped (the engine sends them
 * again with the next restart, and does not send beyond the window). */
void notify_event(struct notify *notify, const struct msg_notify *event);
void notify_tick(struct notify *notify, int64_t now_ms);
uint64_t notify_waiting(const struct notify *notify);

#endif
