/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The BMCs of the swarm: RMCP+ sessions (IPMI 2.0, section 13) of suites 3 and 17, and the commands that freeipmi,
 * ipmitool and our engine use. */
#ifndef SWARM_BMC_H
#define SWARM_BMC_H

#include "tests/lab/swarm/net.h"

/* Makes the BMCs. 0, or -1 after a message on stderr. */
int bmc_start(struct swarm *swarm);
void bmc_stop(struct swarm *swarm);

/* Handler of the BMC port. */
void bmc_handle(struct swarm *swarm, struct packet *packet);

/* Knobs of one BMC. */
struct knobs *bmc_knobs(struct swarm *swarm, unsigned bmc);

/* Starts a counting window. */
void bmc_count_reset(struct swarm *swarm);

/* Switches its machine at once; the agent falls silent or boots. */
void bmc_power(struct swarm *swarm, unsigned bmc, bool on);

/* Forgets all sessions, as a BMC that restarts. */
void bmc_forget(struct swarm *swarm, unsigned bmc);

/* Carries out the power commands that are due; ms until the next, or -1. */
int bmc_run_due(struct swarm *swarm);

/* One line about a BMC for `show`. */
void bmc_show(const struct swarm *swarm, unsigned bmc, char *out, size_t size);

#endif
