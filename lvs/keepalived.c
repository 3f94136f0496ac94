/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keepalived's configuration as text; see keepalived.h and keepalived.conf(5). */
#include "lvs/keepalived.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lvs/plan.h"

#define ADDRESS_LINE (ADDRESS_TEXT + 32)

static int refuse(struct error *e, const char *option, const char *remedy)
{
	char object[48];

	text_format(object, sizeof object, "option %s", option);
	return error_set(e, ERR_CONFIG, object, remedy, "it is no value for VRRP");
}

static int by_address(const void *left, const void *right)
{
	const struct address *a = left, *b = right;
	int order = (a->family > b->family) - (a->family < b->family);

	return order ? order : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static bool add(struct keepalived *k, const struct address *a)
{
	if (k->count >= KEEPALIVED_ADDRESSES)
		return false;
	k->addresses[k->count] = *a;
	k->addresses[k->count++].port = 0;
	return true;
}

static void sort_once(struct keepalived *k)
{
	uint32_t kept = 0;

	if (k->count)
		qsort(k->addresses, k->count, sizeof *k->addresses, by_address);
	for (uint32_t i = 0; i < k->count; i++)
		if (!kept || by_address(&k->addresses[kept - 1], &k->addresses[i]) != 0)
			k->addresses[kept++] = k->addresses[i];
	k->count = kept;
}

/* "10.0.0.1, 10.0.1.1" */
static bool add_further(struct keepalived *k, const char *list)
{
	char word[ADDRESS_TEXT];
	struct address a;

	for (list += strspn(list, ", "); *list; list += strspn(list, ", ")) {
		size_t length = strcspn(list, ", ");
		if (!text_format(word, sizeof word, "%.*s", (int)length, list) || !address_parse(word, 0, &a) || a.port || !add(k, &a))
			return false;
		list += length;
	}
	return true;
}

static bool number(const struct picture *want, const char *option, const char *otherwise, int64_t low, int64_t high, int64_t *out)
{
	return text_integer(picture_option(want, option, otherwise), low, high, out);
}

/* Advertisements are of one family: the peer's. Which address goes into them; count when none is of that family. */
static uint32_t advertised(const struct keepalived *k)
{
	uint32_t i = 0;

	while (k->peer.family && i < k->count && k->addresses[i].family != k->peer.family)
		i++;
	return i;
}

int keepalived_from_picture(const struct picture *want, struct keepalived *out, struct error *e)
{
	const char *preempt = picture_option(want, "preempt", "no"), *peer = picture_option(want, "peer", NULL);
	int64_t router, priority, advert;

	memset(out, 0, sizeof *out);
	if (!picture_option(want, "router", NULL))
		return 0;
	if (!number(want, "router", "", 0, 255, &router))
		return refuse(e, "router", "use a number of 1 to 255 that no other VRRP router of this network has, or 0 for none");
	if (!number(want, "priority", "100", 1, 254, &priority))
		return refuse(e, "priority", "use a number of 1 to 254");
	if (!number(want, "advert-ms", "1000", 100, 10000, &advert))
		return refuse(e, "advert-ms", "use a number of 100 to 10000");
	if (strcmp(preempt, "yes") != 0 && strcmp(preempt, "no") != 0)
		return refuse(e, "preempt", "use yes or no");
	if (peer && (!address_parse(peer, 0, &out->peer) || out->peer.port))
		return refuse(e, "peer", "use the address of the other director, without a port");
	if (!text_copy(out->interface, sizeof out->interface, picture_option(want, "interface", "")) || (router && !lvs_is_interface(out->interface)))
		return refuse(e, "interface", "name the interface that carries the virtual addresses");
	out->router = (uint8_t)router;
	out->priority = (uint8_t)priority;
	out->advert_ms = (uint32_t)advert;
	out->preempt = !strcmp(preempt, "yes");
	if (!add_further(out, picture_option(want, "addresses", "")))
		return refuse(e, "addresses", "use addresses without ports, with commas between them");
	for (size_t i = 0; i < want->count; i++)
		if (want->virtuals[i].protocol != PICTURE_FWMARK && !add(out, &want->virtuals[i].address))
			return refuse(e, "addresses", "use fewer virtual addresses");
	sort_once(out);
	if (router && out->count && advertised(out) == out->count)
		return refuse(e, "peer", "use an address of the other director in a family that the virtual addresses have");
	return 1;
}

int keepalived_check(const struct keepalived *k, struct error *e)
{
	bool good = text_terminated(k->interface, sizeof k->interface) && (!k->router || lvs_is_interface(k->interface)) && k->priority >= 1 &&
		    k->priority <= 254 && k->preempt <= 1 && k->advert_ms >= 100 && k->advert_ms <= 10000 && k->count <= KEEPALIVED_ADDRESSES &&
		    (k->peer.family == 0 || k->peer.family == 4 || k->peer.family == 6);

	for (uint32_t i = 0; good && i < k->count; i++)
		good = k->addresses[i].family == 4 || k->addresses[i].family == 6;
	good = good && (!k->count || advertised(k) < k->count || !k->router);
	return good ? 0 : error_set(e, ERR_BUG, "keepalived", "report it", "a request with impossible values");
}

struct text {
	char *bytes;
	size_t used, size;
};

static void line_address(struct text *t, const struct keepalived *k, uint32_t at)
{
	struct address a = k->addresses[at];
	char text[ADDRESS_TEXT];

	a.port = 0;
	text_append(t->bytes, t->size, &t->used, "        %s/%u dev %s\n", address_text(&a, 0, text), a.family == 6 ? 128u : 32u, k->interface);
}

/* One address is advertised, the others ride along: the packet has room for few, and only for one family. */
static void instance(struct text *t, const struct keepalived *k)
{
	struct address peer = k->peer;
	char text[ADDRESS_TEXT];

	peer.port = 0;
	text_append(t->bytes, t->size, &t->used,
		    "\nvrrp_instance glory {\n    state BACKUP\n    interface %s\n    virtual_router_id %u\n    priority %u\n    advert_int %" PRIu32 ".%02" PRIu32
		    "\n%s    garp_master_refresh 60\n",
		    k->interface, k->router, k->priority, k->advert_ms / 1000, k->advert_ms % 1000 / 10, k->preempt ? "" : "    nopreempt\n");
	if (peer.family)
		text_append(t->bytes, t->size, &t->used, "    unicast_peer {\n        %s\n    }\n", address_text(&peer, 0, text));
	uint32_t told = advertised(k);
	text_append(t->bytes, t->size, &t->used, "    virtual_ipaddress {\n");
	line_address(t, k, told);
	text_append(t->bytes, t->size, &t->used, "    }\n");
	if (k->count > 1)
		text_append(t->bytes, t->size, &t->used, "    virtual_ipaddress_excluded {\n");
	for (uint32_t i = 0; i < k->count; i++)
		if (i != told)
			line_address(t, k, i);
	text_append(t->bytes, t->size, &t->used, "%s}\n", k->count > 1 ? "    }\n" : "");
}

char *keepalived_text(const struct keepalived *k)
{
	struct text t = {.size = 1024 + (size_t)k->count * ADDRESS_LINE};

	t.bytes = mem_array(t.size, 1);
	text_append(t.bytes, t.size, &t.used, "%s\nglobal_defs {\n    enable_script_security\n    script_user nobody\n    vrrp_version 3\n}\n", KEEPALIVED_MARK);
	if (k->router && k->count)
		instance(&t, k);
	return t.bytes;
}
