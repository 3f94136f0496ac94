/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The VRRP configuration of a director pair for keepalived, written from checked values. Pure; files.c puts it in its place. One instance carries
 * all virtual addresses, so that they move together; both directors begin as BACKUP and the higher priority wins. There is no password: VRRP's
 * is sent in clear text and RFC 5798 has none; two directors that speak unicast only hear each other.
 *
 * Options of a picture: router (1..255: the instance; 0: none is to run), interface, priority (1..254; 100), peer (the other director: unicast instead of
 * multicast), advert-ms (100..10000; 1000: the backup takes over after three of them and a part), preempt (yes: who comes back with the higher
 * priority takes the addresses back; no), addresses (with commas: further ones to be carried, as the gateway of the real servers behind NAT). */
#ifndef GLORY_LVS_KEEPALIVED_H
#define GLORY_LVS_KEEPALIVED_H

#include "balance/picture.h"
#include "base/error.h"

#define KEEPALIVED_ADDRESSES (PICTURE_VIRTUALS_MAX + 16)
/* The first line of a file of ours: no other is ever written over. */
#define KEEPALIVED_MARK "! written by GLORY-CL; changes are overwritten\n"

struct keepalived { /* crosses from the half that parses to the half that writes: fixed size */
	char interface[16];
	uint8_t router, priority, preempt;
	uint8_t pad;
	uint32_t advert_ms;
	struct address peer;
	uint32_t count;
	struct address addresses[KEEPALIVED_ADDRESSES]; /* ports do not count; sorted, each once, IPv4 first */
};

/* 1: filled in; 0: the picture asks for none; or ERR_CONFIG. */
int keepalived_from_picture(const struct picture *want, struct keepalived *out, struct error *e);
/* 0, or ERR_BUG for values that keepalived_from_picture() does not make: the half that writes trusts nobody. */
int keepalived_check(const struct keepalived *k, struct error *e);
char *keepalived_text(const struct keepalived *k); /* of what keepalived_check() let pass; free() it */

#endif
