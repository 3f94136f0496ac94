/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the bmc role speaks to BMCs of one kind: everything it asks of them, as functions. The one there is speaks IPMI
 * (driver_ipmi.c); another, Redfish say, stands beside it with sockets of its own and answers by the same two structs of
 * hands (engine.h), in the words of board/messages.h. Nothing here blocks; all of it runs in the thread of the role's loop. Times
 * are monotonic ms. What a driver cannot do it answers with BMC_UNSUPPORTED, it never keeps silent. */
#ifndef GLORY_IPMI_DRIVER_H
#define GLORY_IPMI_DRIVER_H

#include "ipmi/engine.h"
#include "loop/loop.h"

struct bmc_driver {
	const char *name;
	/* Opens what it needs while the role still has its rights; NULL with the reason in the log. The hands' send() and
	 * random() are the driver's own. settings->turn() is called whenever it has told all that has come so far. */
	void *(*open)(const struct bmc_settings *settings, const struct bmc_hands *hands, int64_t now);
	void (*attach)(void *driver, struct loop *loop); /* from now on it works */
	/* Tells the BMCs that we go (best effort), wipes what is secret, frees. */
	void (*close)(void *driver);

	int (*target)(void *driver, const struct msg_bmc_target *target, int64_t now, struct error *error);
	void (*remove)(void *driver, uint32_t slot, uint32_t generation, int64_t now);
	void (*begin)(void *driver); /* between begin and end the whole list is given */
	void (*end)(void *driver, int64_t now);
	int (*secret)(void *driver, const char *name, const char *text, int64_t now, struct error *error);

	void (*power)(void *driver, const struct msg_power *power, int64_t now);
	void (*read)(void *driver, const struct msg_bmc_read *read, int64_t now);
	void (*sel_known)(void *driver, const struct msg_sel_known *known, int64_t now);
	void (*sel_clear)(void *driver, const struct msg_sel_clear *clear, int64_t now);
	void (*pet)(void *driver, const struct msg_pet *pet, int64_t now);
	void (*counts)(void *driver, struct bmc_counts *counts);
};

extern const struct bmc_driver ipmi_driver;

#endif
