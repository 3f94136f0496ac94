/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See nft_text.h. A table has the chains prerouting and output (hooks), services (a rule for each virtual server), one for each virtual server
 * (a map of the modulus' slots) and one for each member (its counter and the translation). Names stand in comments. A member with weight 0
 * has its chain and no slot: connections that are known to conntrack go on. Called by nftables.c, its unit test and a fuzzer. */
#include "l4drivers/nft_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* --- slots ---------------------------------------------------------------------------------------------- */

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static size_t scaled_weights(const struct picture_virtual *v, uint32_t *weights)
{
	uint32_t divisor = 0;
	uint64_t sum = 0, all = 0;

	for (size_t i = 0; i < v->count; i++)
		divisor = common_divisor(v->reals[i].weight, divisor);
	for (size_t i = 0; divisor && i < v->count; i++)
		sum += weights[i] = v->reals[i].weight / divisor;
	for (size_t i = 0; i < v->count; i++) {
		if (sum > NFT_SLOTS && weights[i]) {
			uint32_t share = (uint32_t)((weights[i] * (uint64_t)NFT_SLOTS + sum / 2) / sum);
			weights[i] = share ? share : 1;
		}
		all += weights[i];
	}
	return (size_t)all;
}

/* Each slot goes to the one that is furthest behind its share. */
size_t nft_slots(const struct picture_virtual *v, uint16_t **out)
{
	uint32_t *weights = mem_array(v->count + 1, sizeof *weights);
	int64_t *behind = mem_array(v->count + 1, sizeof *behind);
	size_t count = v->count <= NFT_REALS ? scaled_weights(v, weights) : 0;

	*out = count ? mem_array(count, sizeof **out) : NULL;
	for (size_t slot = 0; slot < count; slot++) {
		size_t best = 0;
		for (size_t i = 0; i < v->count; i++) {
			behind[i] += weights[i];
			best = behind[i] > behind[best] ? i : best;
		}
		behind[best] -= (int64_t)count;
		(*out)[slot] = (uint16_t)best;
	}
	free(weights);
	free(behind);
	return count;
}

/* --- the ruleset ---------------------------------------------------------------------------------------- */

static const struct picture_counts *old_counts(const struct picture_virtual *old, const struct picture_real *r)
{
	static const struct picture_counts none;

	for (size_t i = 0; old && i < old->count; i++)
		if (address_equal(&old->reals[i].address, &r->address))
			return &old->reals[i].counts;
	return &none;
}

static void host_text(const struct address *a, char out[ADDRESS_TEXT])
{
	struct address host = *a;

	host.port = 0;
	address_text(&host, 0, out);
}

static const char *protocol_word(const struct picture_virtual *v)
{
	return v->protocol == PICTURE_UDP ? "udp" : "tcp";
}

static void write_slots(const struct picture_virtual *v, size_t number, struct program_text *out)
{
	uint16_t *slots;
	size_t count = nft_slots(v, &slots);

	if (count && !strcmp(v->scheduler, "sh"))
		program_text_add(out, "\t\tjhash %s saddr mod %zu seed 0x1 vmap { ", v->family == 6 ? "ip6" : "ip", count);
	else if (count)
		program_text_add(out, "\t\tnumgen inc mod %zu vmap { ", count);
	for (size_t first = 0, last; first < count; first = last) {
		for (last = first + 1; last < count && slots[last] == slots[first]; last++)
			;
		program_text_add(out, "%s%zu", first ? ", " : "", first);
		if (last - first > 1)
			program_text_add(out, "-%zu", last - 1);
		program_text_add(out, " : goto v%zu-r%u", number, (unsigned)slots[first]);
	}
	program_text_add(out, "%s", count ? " }\n" : "");
	free(slots);
}

static void write_virtual(const struct picture_virtual *v, const struct picture_virtual *old, size_t number, struct program_text *out)
{
	char address[ADDRESS_TEXT];

	for (size_t i = 0; i < v->count; i++) {
		const struct picture_real *r = &v->reals[i];
		const struct picture_counts *c = old_counts(old, r);
		program_text_add(out,
				 "\tchain v%zu-r%zu {\n\t\tmeta l4proto %s counter packets %" PRIu64 " bytes %" PRIu64 " dnat to %s comment \"%s weight %" PRIu32
				 "\"\n\t}\n",
				 number, i, protocol_word(v), c->connections, c->bytes_in, address_text(&r->address, 0, address), r->name[0] ? r->name : "-",
				 r->weight);
	}
	program_text_add(out, "\tchain v%zu {\n", number);
	write_slots(v, number, out);
	program_text_add(out, "\t}\n");
}

void nft_ruleset(const struct picture *want, const struct picture *have, int family, const char *table, struct program_text *out)
{
	const char *ip = family == 6 ? "ip6" : "ip";
	char host[ADDRESS_TEXT];
	bool any = false;

	for (size_t i = 0; i < want->count; i++)
		any = any || want->virtuals[i].family == family;
	program_text_add(out, "table %s %s\ndelete table %s %s\n", ip, table, ip, table);
	if (!any)
		return;
	program_text_add(out, "table %s %s {\n", ip, table);
	for (size_t i = 0; i < want->count; i++)
		if (want->virtuals[i].family == family)
			write_virtual(&want->virtuals[i], picture_find(have, want->virtuals[i].name), i, out);
	program_text_add(out, "\tchain services {\n");
	for (size_t i = 0; i < want->count; i++) {
		const struct picture_virtual *v = &want->virtuals[i];
		if (v->family != family)
			continue;
		host_text(&v->address, host);
		program_text_add(out, "\t\t%s daddr %s %s dport %u goto v%zu comment \"%s %s\"\n", ip, host, protocol_word(v), (unsigned)v->address.port, i, v->name,
				 v->scheduler);
	}
	program_text_add(out, "\t}\n\tchain prerouting {\n\t\ttype nat hook prerouting priority -100; policy accept;\n\t\tjump services\n\t}\n"
			      "\tchain output {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tjump services\n\t}\n}\n");
}

/* --- reading -------------------------------------------------------------------------------------------- */

struct rules {
	const json_t *list; /* of all objects */
	size_t hooks;       /* of our two that jump to services */
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

/* The nth rule of a chain, NULL behind the last. */
static const json_t *rule_of(const struct rules *r, const char *chain, size_t nth)
{
	size_t i;
	const json_t *o;

	json_array_foreach(r->list, i, o)
	{
		const json_t *rule = json_object_get(o, "rule");
		if (json_is_object(rule) && !strcmp(text_of(rule, "chain"), chain) && nth-- == 0)
			return rule;
	}
	return NULL;
}

static const json_t *expression(const json_t *rule, const char *name, size_t nth)
{
	const json_t *all = json_object_get(rule, "expr"), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		const json_t *found = json_object_get(one, name);
		if (found && nth-- == 0)
			return found;
	}
	return NULL;
}

/* nft says a protocol by its name where the machine has a list of them (/etc/protocols), else by its number. */
static bool is_protocol(const json_t *said, const struct picture_virtual *v)
{
	if (json_is_integer(said))
		return json_integer_value(said) == (v->protocol == PICTURE_UDP ? IPPROTO_UDP : IPPROTO_TCP);
	return json_is_string(said) && !strcmp(json_string_value(said), protocol_word(v));
}

/* A match "payload of protocol.field == right"; NULL when it is another. */
static const json_t *payload_match(const json_t *match, const char *name, const char **protocol)
{
	const json_t *payload = json_object_get(json_object_get(match, "left"), "payload");

	if (strcmp(text_of(match, "op"), "==") != 0 || strcmp(text_of(payload, "field"), name) != 0)
		return NULL;
	*protocol = text_of(payload, "protocol");
	return json_object_get(match, "right");
}

static void changed(struct picture_virtual *v)
{
	text_copy(v->scheduler, sizeof v->scheduler, "changed");
}

/* "NAME REST" of a comment. */
static bool comment_parts(const json_t *rule, char *name, size_t size, const char **rest)
{
	const char *comment = text_of(rule, "comment"), *blank = strchr(comment, ' ');

	if (!blank || (size_t)(blank - comment) >= size)
		return false;
	memcpy(name, comment, (size_t)(blank - comment));
	name[blank - comment] = '\0';
	*rest = blank + 1;
	return text_is_name(name, size - 1);
}

/* The rule of a member's chain as written: 0 or false for anything else. */
static bool member(const struct rules *rules, const char *chain, const struct picture_virtual *v, struct picture_real *r)
{
	const json_t *rule = rule_of(rules, chain, 0), *dnat = expression(rule, "dnat", 0), *counter = expression(rule, "counter", 0);
	const json_t *match = expression(rule, "match", 0), *port = json_object_get(dnat, "port");
	const char *rest = "";
	int64_t weight = 0;

	if (!rule || rule_of(rules, chain, 1) || json_array_size(json_object_get(rule, "expr")) != 3 || !counter)
		return false;
	if (!is_protocol(json_object_get(match, "right"), v) || !address_parse(text_of(dnat, "addr"), 0, &r->address))
		return false;
	if (r->address.port || r->address.family != v->family || !json_is_integer(port) || json_integer_value(port) < 1 || json_integer_value(port) > 65535)
		return false;
	r->address.port = (uint16_t)json_integer_value(port);
	if (!comment_parts(rule, r->name, sizeof r->name, &rest))
		r->name[0] = '\0';
	rest = strstr(text_of(rule, "comment"), " weight ");
	if (!rest || !text_integer(rest + strlen(" weight "), 0, 65535, &weight))
		return false;
	r->weight = (uint32_t)weight;
	int64_t packets = json_integer_value(json_object_get(counter, "packets")), bytes = json_integer_value(json_object_get(counter, "bytes"));
	r->counts.connections = packets > 0 ? (uint64_t)packets : 0;
	r->counts.bytes_in = bytes > 0 ? (uint64_t)bytes : 0;
	return true;
}

/* The members' chains "vN-rM" in their order, which is that of the slots. */
static bool members(const struct rules *rules, const char *chain, struct picture_virtual *v)
{
	char name[64];

	for (size_t i = 0; i < NFT_REALS; i++) {
		text_format(name, sizeof name, "%s-r%zu", chain, i);
		if (!rule_of(rules, name, 0))
			return true;
		struct picture_real *r = picture_add_real(v, "");
		if (!r || !member(rules, name, v, r)) {
			v->count -= r ? 1 : 0;
			return false;
		}
		v->counts.connections += r->counts.connections;
	}
	return true;
}

/* One element of the map: slots [*first, *last] go to member *to. */
static bool element(const json_t *pair, const char *chain, size_t *first, size_t *last, size_t *to)
{
	const json_t *key = json_array_get(pair, 0), *range = json_object_get(key, "range");
	const char *target = text_of(json_object_get(json_array_get(pair, 1), "goto"), "target");
	const json_t *low = range ? json_array_get(range, 0) : key, *high = range ? json_array_get(range, 1) : key;
	size_t length = strlen(chain);
	int64_t number;

	if (!json_is_integer(low) || !json_is_integer(high) || json_integer_value(low) < 0 || json_integer_value(high) < json_integer_value(low))
		return false;
	if (strncmp(target, chain, length) != 0 || strncmp(target + length, "-r", 2) != 0 || !text_integer(target + length + 2, 0, NFT_REALS, &number))
		return false;
	*first = (size_t)json_integer_value(low);
	*last = (size_t)json_integer_value(high);
	*to = (size_t)number;
	return true;
}

/* Is the map of a virtual server that of its members' weights? Its way of choosing gives the scheduler. */
static bool map_fits(const struct rules *rules, const char *chain, const struct picture_virtual *v)
{
	const json_t *rule = rule_of(rules, chain, 0), *vmap = expression(rule, "vmap", 0), *key = json_object_get(vmap, "key");
	const json_t *set = json_object_get(json_object_get(vmap, "data"), "set"), *pair;
	const char *way = !strcmp(v->scheduler, "sh") ? "jhash" : "numgen";
	uint16_t *slots;
	size_t count = nft_slots(v, &slots), covered = 0, i;
	bool fits = !rule_of(rules, chain, 1) && (count != 0) == (rule != NULL) &&
		    (!count || json_integer_value(json_object_get(json_object_get(key, way), "mod")) == (json_int_t)count);

	json_array_foreach(set, i, pair)
	{
		size_t first, last, to;
		fits = fits && element(pair, chain, &first, &last, &to) && last < count;
		for (size_t slot = fits ? first : 1; fits && slot <= last; slot++, covered++)
			fits = slots[slot] == to;
	}
	free(slots);
	return fits && covered == count;
}

static bool take_service(const struct rules *rules, const json_t *rule, struct picture_virtual *v)
{
	const char *family = "", *protocol = "", *rest = "", *chain = text_of(expression(rule, "goto", 0), "target");
	const json_t *host = payload_match(expression(rule, "match", 0), "daddr", &family);
	const json_t *port = payload_match(expression(rule, "match", 1), "dport", &protocol);
	bool fits = comment_parts(rule, v->name, sizeof v->name, &rest) && json_array_size(json_object_get(rule, "expr")) == 3;

	text_copy(v->scheduler, sizeof v->scheduler, rest);
	v->protocol = !strcmp(protocol, "udp") ? PICTURE_UDP : PICTURE_TCP;
	v->forwarding = FORWARD_NAT;
	if (!json_is_string(host) || !address_parse(json_string_value(host), 0, &v->address) || !json_is_integer(port) || json_integer_value(port) < 1 ||
	    json_integer_value(port) > 65535)
		return false;
	v->address.port = (uint16_t)json_integer_value(port);
	v->family = v->address.family;
	return strlen(chain) < 32 && members(rules, chain, v) && map_fits(rules, chain, v) && fits && rules->hooks == 2;
}

static size_t count_hooks(const struct rules *rules)
{
	static const char *const hooks[] = {"prerouting", "output"};
	size_t n = 0, i, k;
	const json_t *o;

	for (k = 0; k < COUNT_OF(hooks); k++) {
		bool hooked = false;
		json_array_foreach(rules->list, i, o)
		{
			const json_t *chain = json_object_get(o, "chain");
			hooked = hooked || (!strcmp(text_of(chain, "name"), hooks[k]) && !strcmp(text_of(chain, "hook"), hooks[k]));
		}
		n += hooked && !strcmp(text_of(expression(rule_of(rules, hooks[k], 0), "jump", 0), "target"), "services") && !rule_of(rules, hooks[k], 1);
	}
	return n;
}

bool nft_parse(const char *json, size_t size, struct picture *have)
{
	json_error_t why;
	json_t *all = json_loadb(json, size, 0, &why);
	struct rules rules = {.list = json_object_get(all, "nftables")};
	const json_t *rule;
	bool found = json_is_array(rules.list);

	rules.hooks = found ? count_hooks(&rules) : 0;
	for (size_t i = 0; found && (rule = rule_of(&rules, "services", i)) != NULL; i++) {
		struct picture_virtual *v = picture_add_virtual(have, "");
		if (!v)
			break;
		if (!take_service(&rules, rule, v))
			changed(v);
	}
	json_decref(all);
	return found;
}

/* --- conntrack ------------------------------------------------------------------------------------------ */

/* The value behind the nth "NAME=" of a line. */
static bool line_value(const char *line, const char *name, unsigned nth, char *out, size_t size)
{
	size_t length = strlen(name);

	for (const char *at = line; (at = strstr(at, name)) != NULL; at += length) {
		if (at != line && at[-1] != ' ')
			continue;
		if (nth-- > 0)
			continue;
		size_t n = strcspn(at + length, " \n");
		if (n >= size)
			return false;
		memcpy(out, at + length, n);
		out[n] = '\0';
		return true;
	}
	return false;
}

void nft_connections(const char *text, struct picture_virtual *v)
{
	char line[512], host[64], port[8];

	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		size_t length = strcspn(at, "\n");
		struct address a;
		int64_t number;

		if (length >= sizeof line)
			continue;
		memcpy(line, at, length);
		line[length] = '\0';
		/* the second of each is the reply's: where the translation has sent it */
		if (!line_value(line, "src=", 1, host, sizeof host) || !line_value(line, "sport=", 1, port, sizeof port) || !address_parse(host, 0, &a) ||
		    !text_integer(port, 1, 65535, &number))
			continue;
		a.port = (uint16_t)number;
		bool over = strstr(line, " TIME_WAIT ") || strstr(line, " CLOSE ");
		for (size_t i = 0; i < v->count; i++) {
			struct picture_counts *c = &v->reals[i].counts;
			if (!address_equal(&v->reals[i].address, &a))
				continue;
			c->active += !over;
			c->inactive += over;
			v->counts.active += !over;
		}
	}
}
