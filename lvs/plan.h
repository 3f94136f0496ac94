/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a wanted picture to IPVS commands. Pure. picture_diff() finds what differs in a picture's words; what the kernel knows beyond a picture (scheduler
 * flags, forwarding of each real server, lower thresholds, tunnel types, persistence engines) is compared here and set right with it.
 *
 * Options of a picture for this driver (others are refused):
 *   previous, previous-1 .. previous-9: virtual servers that the appliance had set and wants no more, as in a service's `virtuals` text:
 *       "10.0.0.1:80, [2001:db8::1]:53/udp, mark 7, mark 7/6" (a mark is of IPv4 unless /6 stands there; ">PORT" behind is ignored)
 *   sh-fallback sh-port mh-fallback mh-port one-packet: names of virtual servers, with commas, or "all"; other schedulers and TCP are left out
 *   sync (off, master, backup, both; of a director with a peer: both), sync-id (0..255; the router), sync-interface (the interface)
 *   interface, router, priority, peer, advert-ms, preempt, addresses: VRRP, see keepalived.h */
#ifndef GLORY_LVS_PLAN_H
#define GLORY_LVS_PLAN_H

#include "balance/picture.h"
#include "lvs/kernel.h"

/* Which virtual servers are ours: those of the picture and those of its option `previous`. Everything else in the kernel is foreign. */
struct lvs_ours {
	struct lvs_key *keys; /* owned; sorted */
	size_t count;
};

/* Checks a picture (sorted, as picture_from_json() gives it) against what IPVS can do, and writes it as the kernel will read back: no prefix for
 * a whole address, port 0 where the kernel keeps the client's. 0, or ERR_CONFIG with the virtual server's name. */
int lvs_prepare(struct picture *want, struct error *e);
int lvs_ours(const struct picture *want, struct lvs_ours *out, struct error *e); /* after lvs_prepare(); 0 or ERR_CONFIG */
void lvs_ours_clear(struct lvs_ours *ours);
bool lvs_is_ours(void *ours, const struct kernel_service *s); /* to be given to kernel_read() */

uint32_t lvs_flags(const struct picture *want, const struct picture_virtual *v); /* IP_VS_SVC_F_* that it is to have */
/* What is ours as a picture, with the names of the wanted one. Returns how many virtual servers are foreign. out: empty or zeroed. */
uint32_t lvs_have(const struct kernel_table *table, const struct lvs_ours *ours, const struct picture *want, struct picture *out);
/* Appends the changes to out->changes; *commands (free() it) has one command for each of them, in the same order, pointing into want and have. */
void lvs_plan(const struct picture *want, const struct picture *have, const struct kernel_table *table, struct picture_result *out,
	      struct kernel_command **commands);

/* The sync daemons that are to run. *managed false: the picture says nothing of them. 0 or ERR_CONFIG. */
int lvs_sync(const struct picture *want, struct kernel_daemon out[2], size_t *count, bool *managed, struct error *e);
/* Names as Linux has them: 1..15 bytes, no blank, slash, quote or control character, not "." or "..". */
bool lvs_is_interface(const char *text);

#endif
