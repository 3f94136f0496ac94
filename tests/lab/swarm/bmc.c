/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A swarm without BMCs: refuses when one is asked for. */
#include "tests/lab/swarm/bmc.h"

#include <stdio.h>

int bmc_start(struct swarm *swarm)
{
	if (swarm->bmcs > 0)
		fprintf(stderr, "swarm: option --bmcs: this swarm has no BMCs, leave it 0\n");
	return swarm->bmcs > 0 ? -1 : 0;
}

void bmc_stop(struct swarm *swarm)
{
	(void)swarm;
}

void bmc_handle(struct swarm *swarm, struct packet *packet)
{
	(void)packet;
	swarm->sums.bmc_packets++;
}

struct knobs *bmc_knobs(struct swarm *swarm, unsigned bmc)
{
	(void)swarm, (void)bmc;
	return NULL;
}

void bmc_count_reset(struct swarm *swarm)
{
	(void)swarm;
}

void bmc_power(struct swarm *swarm, unsigned bmc, bool on)
{
	(void)swarm, (void)bmc, (void)on;
}

void bmc_forget(struct swarm *swarm, unsigned bmc)
{
	(void)swarm, (void)bmc;
}

int bmc_run_due(struct swarm *swarm)
{
	(void)swarm;
	return -1;
}

void bmc_show(const struct swarm *swarm, unsigned bmc, char *out, size_t size)
{
	(void)swarm, (void)bmc, (void)out, (void)size;
}
