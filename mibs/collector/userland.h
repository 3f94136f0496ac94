/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The userland witness: does a program behind a TCP port (sshd) still say something? Connects without blocking, few at
 * a time, waits for the first bytes, and says nothing itself. */
#ifndef GLORY_COLLECTOR_USERLAND_H
#define GLORY_COLLECTOR_USERLAND_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "mibs/collector/batch.h"
#include "mibs/collector/watch.h"

enum { USERLAND_AT_ONCE = 32, USERLAND_WAITING = 512 };

struct userland;

/* kind: WATCH_K_OTHER at the SYN-ACK, WATCH_U_BANNER at the first bytes, WATCH_U_REFUSED at a refusal; nothing on
 * time-out. */
typedef void userland_answer_fn(void *arg, uint32_t slot, uint32_t token, enum watch_answer_kind kind, int64_t now);

struct userland *userland_new(struct loop *loop, uint32_t timeout_ms, userland_answer_fn *on_answer, void *arg);
void userland_free(struct userland *userland);
/* to: with the TCP port. False: too many wait already. */
bool userland_ask(struct userland *userland, uint32_t slot, uint32_t token, const union endpoint *to);

#endif
