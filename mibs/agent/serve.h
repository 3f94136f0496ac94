/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SNMP agent itself: the handed socket, driven by the role's loop. Reads are answered here (message); the rest is fed to a
 * session of net-snmp, which does discovery, reports and whatever is rare, and hands SETs back as PDUs. Called by the role's main
 * and by the fuzzer. */
#ifndef GLORY_MIBS_AGENT_SERVE_H
#define GLORY_MIBS_AGENT_SERVE_H

#include "mibs/agent/edit.h"
#include "mibs/agent/transport.h"

struct serve;

typedef void serve_command(void *arg, const struct msg_command *command, const char *arguments);

/* fd stays the caller's. walk is used for every request (its board may be set and changed later). NULL with the reason in the log. */
struct serve *serve_new(int fd, const struct walk *walk, serve_command *send_command, void *arg);
void serve_free(struct serve *serve);
/* The socket is readable: takes up to 64 datagrams. */
void serve_ready(struct serve *serve, int64_t now_ms);
/* One datagram, as serve_ready() takes them; called by the fuzzer, too. */
void serve_datagram(struct serve *serve, const uint8_t *bytes, size_t size, const struct transport_peer *peer);
void serve_reply(struct serve *serve, const struct msg_reply *reply);
void serve_tick(struct serve *serve, int64_t now_ms);
/* Reads that met a row in mid-write wait here, to be tried again a few ms later. False: none waits. */
bool serve_waits(const struct serve *serve);
void serve_again(struct serve *serve, int64_t now_ms);
/* Requests answered, and datagrams refused by parser or USM, since the start. */
uint64_t serve_handled(const struct serve *serve);
uint64_t serve_garbage(void);

#endif
