/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's end of IPVS netlink as glory-ipvs sees it, in memory: services, real servers, daemons, the kernel's errors, and knobs to misbehave. It reads and writes
 * attributes by itself, so that a mistake of lvs/message.c cannot cancel out. */
#ifndef GLORY_TESTS_SIM_FAKE_IPVS_H
#define GLORY_TESTS_SIM_FAKE_IPVS_H

#include "lvs/kernel.h"

#define FAKE_FAMILY 27
struct fake_dest {
	uint16_t family, port;
	uint8_t address[16];
	uint32_t method, weight, upper, lower;
	uint8_t tunnel;
};
struct fake_service {
	uint16_t family, protocol, port;
	uint8_t address[16];
	uint32_t fwmark, flags, timeout, netmask;
	char scheduler[16], engine[16];
	struct fake_dest dests[64];
	size_t count;
};
struct fake_datagram {
	struct fake_datagram *next;
	size_t size;
	unsigned char bytes[];
};
struct fake_ipvs {
	struct fake_service services[16];
	size_t count;
	struct kernel_daemon daemons[2];
	size_t daemon_count;
	struct fake_datagram *first, **last;
	unsigned requests[32];   /* by command */
	/* knobs */
	uint8_t refuse_verb;     /* this command is answered with refuse_error, refuse_times times */
	int refuse_error;
	unsigned refuse_times;
	unsigned interrupted;    /* so many dumps say that the table changed meanwhile */
	bool silent;             /* no answers */
	bool forgets;            /* says yes to SET_DEST and does not do it */
	void (*before)(struct fake_ipvs *f, uint8_t verb); /* somebody else changes the table just now */
};

void fake_ipvs_open(struct fake_ipvs *f, struct kernel *kernel); /* f zeroed before */
void fake_ipvs_close(struct fake_ipvs *f, struct kernel *kernel);

#endif
