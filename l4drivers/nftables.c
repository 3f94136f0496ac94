/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nftables on this machine: the whole of what is wanted is one ruleset in a table of its own, replaced in one transaction; connections that
 * are known to conntrack go on where they went, so a drain costs nothing. Weights are slots of a modulus. Programs nft and conntrack. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/nft_text.h"

#define NFT "/usr/sbin/nft"
#define CONNTRACK "/usr/sbin/conntrack"

struct nft {
	struct program_text output;
	const char *table;
	bool had[2]; /* tables of ip, ip6 */
};

static int nft_open(struct driver_run *run, struct error *e)
{
	struct nft *n = mem_zalloc(sizeof *n);

	run->state = n;
	n->table = driver_option(run, "table", "glory");
	for (const char *c = n->table; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *c) || strlen(n->table) > 30)
			return error_set(e, ERR_CONFIG, run->object, "use small letters, digits and _", "option table: %s is no name of a table", n->table);
	return 0;
}

static void nft_close(struct driver_run *run)
{
	struct nft *n = run->state;

	if (n)
		program_text_clear(&n->output);
	free(n);
	run->state = NULL;
}

static int read_table(struct driver_run *run, int index, struct error *e)
{
	struct nft *n = run->state;
	const char *const list[] = {NFT, "-j", "list", "tables", index ? "ip6" : "ip", NULL};
	const char *const show[] = {NFT, "-j", "list", "table", index ? "ip6" : "ip", n->table, NULL};
	char why[160], name[64];
	int rc = program_run(run, list, "", &n->output, e);

	text_format(name, sizeof name, "\"name\": \"%s\"", n->table);
	n->had[index] = rc == 0 && strstr(n->output.text, name) != NULL;
	if (n->had[index])
		rc = program_run(run, show, "", &n->output, e);
	if (rc > 0)
		return error_set(e, ERR_REFUSED, run->object, "start it with the right to change the packet filter", "nft: %s",
				 program_last_line(&n->output, why, sizeof why));
	if (!rc && n->had[index] && !nft_parse(n->output.text, n->output.size, &run->have))
		return error_set(e, ERR_REMOTE, run->object, "see whether nft knows -j", "nft does not print what it should");
	return rc;
}

/* Where the program is not there, connections are not counted; the note says so. */
static void count_connections(struct driver_run *run, struct picture_virtual *v)
{
	struct nft *n = run->state;
	char host[ADDRESS_TEXT], port[8];
	struct address address = v->address;
	struct error ignored;

	address.port = 0;
	text_format(port, sizeof port, "%u", (unsigned)v->address.port);
	const char *const argv[] = {CONNTRACK, "-L", "-f", v->family == 6 ? "ipv6" : "ipv4", "-p", v->protocol == PICTURE_UDP ? "udp" : "tcp",
				    "--orig-dst", address_text(&address, 0, host), "--orig-port-dst", port, NULL};
	if (program_run(run, argv, "", &n->output, &ignored) == 0)
		nft_connections(n->output.text, v);
	else
		text_copy(run->result->note, sizeof run->result->note, "conntrack is not to be had: connections are not counted");
}

static int nft_read(struct driver_run *run, struct error *e)
{
	int rc = read_table(run, 0, e);

	if (!rc)
		rc = read_table(run, 1, e);
	for (size_t i = 0; !rc && i < run->have.count; i++)
		if (run->have.virtuals[i].count && run->have.virtuals[i].address.family)
			count_connections(run, &run->have.virtuals[i]);
	return rc;
}

/* Refused virtual servers stay as they are. */
static void wanted(const struct driver_run *run, struct picture *all)
{
	picture_copy_virtuals(all, run->want);
	for (size_t i = 0; i < run->have.count; i++) {
		const struct picture_virtual *v = &run->have.virtuals[i];
		struct picture_virtual *copy;

		if (picture_find(run->want, v->name) || !picture_find(run->asked, v->name) || (copy = picture_add_virtual(all, v->name)) == NULL)
			continue;
		*copy = *v;
		copy->room = v->count + 1;
		copy->reals = mem_array(v->count + 1, sizeof *copy->reals);
		memcpy(copy->reals, v->reals, v->count * sizeof *copy->reals);
	}
	picture_sort(all);
}

static int load(struct driver_run *run, struct error *e)
{
	static const char *const argv[] = {NFT, "-f", "-", NULL};
	struct nft *n = run->state;
	struct picture all = {0};
	struct program_text text = {0};
	char why[160];
	bool six = n->had[1];

	wanted(run, &all);
	for (size_t i = 0; i < all.count; i++)
		six = six || all.virtuals[i].family == 6;
	nft_ruleset(&all, &run->have, 4, n->table, &text);
	if (six)
		nft_ruleset(&all, &run->have, 6, n->table, &text);
	run->result->commands++;
	int rc = program_run(run, argv, text.text, &n->output, e);
	if (rc > 0)
		rc = error_set(e, ERR_REFUSED, run->object, "see nft -f and the kernel's modules", "nft refuses the ruleset: %s", program_last_line(&n->output, why, sizeof why));
	program_text_clear(&text);
	picture_clear(&all);
	return rc;
}

static int nft_apply(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	return step->kind == STEP_COMMIT ? load(run, e) : 0;
}

static const struct driver_scheduler schedulers[] = {{"wrr", 1, NULL}, {"rr", 1, NULL}, {"sh", 2, NULL}, {NULL, 0, NULL}};
static const char *const options[] = {"table", NULL};

const struct driver driver_nftables = {
    .family = "nftables",
    .can = {.weight_max = 1000,
	    .weight_zero = true,
	    .create = true,
	    .commit = true,
	    .statistics = true,
	    .udp = true,
	    .ipv6 = true,
	    .forwardings = 1u << FORWARD_NAT,
	    .name_max = PICTURE_NAME,
	    .reals_max = NFT_REALS,
	    .schedulers = schedulers},
    .options = options,
    .prefix = "",
    .open = nft_open,
    .read = nft_read,
    .apply = nft_apply,
    .close = nft_close,
};
