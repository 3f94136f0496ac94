/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: one command per packet, one answer; the same commands serve as start options. */
#ifndef SWARM_CTL_H
#define SWARM_CTL_H

#include <stdio.h>

#include "tests/lab/swarm/swarm.h"

/* Listens at `path` (a stale socket file there is replaced). The descriptor, or -1 after a message on stderr. */
int ctl_listen(const char *path);

/* Accepts one caller, carries out its command, answers. */
void ctl_ready(struct swarm *swarm, int listener);

/* Carries out one command line; writes the answer. False when it was refused: the answer says why. */
bool ctl_command(struct swarm *swarm, char *line, FILE *out);

/* The client: sends one line, prints the answer. The exit code: 0, 1 refused, 2 no swarm there. */
int ctl_call(const char *path, const char *line);

#endif
