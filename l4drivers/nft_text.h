/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts of nftables and conntrack, pure: the ruleset of a picture, and the picture of a ruleset. */
#ifndef GLORY_L4_NFT_TEXT_H
#define GLORY_L4_NFT_TEXT_H

#include "l4drivers/program.h"

#define NFT_SLOTS 512 /* of the modulus; more only where there are more members */
#define NFT_REALS 1024

/* Which member (by its place in reals) each slot of the modulus is for: shares as the weights say, spread evenly. Slots are allocated
 * into *out (NULL for none); returns how many. */
size_t nft_slots(const struct picture_virtual *v, uint16_t **out);
/* One transaction that replaces the table of this family (4 or 6): the virtual servers of `want` that are of it, with the counters of
 * `have` going on. */
void nft_ruleset(const struct picture *want, const struct picture *have, int family, const char *table, struct program_text *out);
/* What "nft -j list table" shows, appended to `have`. A virtual server that is not as nft_ruleset() writes it gets scheduler "changed",
 * one without a name an empty one. False when it is no such text. */
bool nft_parse(const char *json, size_t size, struct picture *have);
/* Counts the lines of "conntrack -L" of one virtual server into its members. */
void nft_connections(const char *text, struct picture_virtual *v);

#endif
