/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From pictures to commands; see plan.h. */
#include "lvs/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"

#define WEIGHT_MAX 65535          /* of a picture's JSON; the kernel takes more from others */
#define PERSISTENCE_MAX 31536000u

/* --- options ---------------------------------------------------------------------------------------------------------- */

static const char *const options[] = {
	"previous", "sh-fallback", "sh-port", "mh-fallback", "mh-port", "one-packet", "sync", "sync-id", "sync-interface", "interface", "router",
	"priority", "peer", "advert-ms", "preempt", "addresses",
};

static int check_options(const struct picture *want, struct error *e)
{
	for (size_t i = 0; i < want->option_count; i++) {
		const char *name = want->options[i].name;
		bool known = picture_is_previous(name);

		for (size_t k = 0; k < COUNT_OF(options) && !known; k++)
			known = !strcmp(options[k], name);
		if (!known)
			return error_set(e, ERR_CONFIG, "balancer options", "see glory-ipvs(8) for those it has", "ipvs has no option \"%.32s\"", name);
	}
	return 0;
}

static bool listed(const struct picture *want, const char *option, const char *name)
{
	const char *list = picture_option(want, option, "");
	char word[PICTURE_NAME + 1];

	while ((list = picture_next_word(list, word, sizeof word)))
		if (!strcmp(word, "all") || !strcmp(word, name))
			return true;
	return false;
}

uint32_t lvs_flags(const struct picture *want, const struct picture_virtual *v)
{
	static const struct {
		const char *option, *scheduler;
		uint32_t flag;
	} flags[] = {
		{"sh-fallback", "sh", IP_VS_SVC_F_SCHED1},
		{"sh-port", "sh", IP_VS_SVC_F_SCHED2},
		{"mh-fallback", "mh", IP_VS_SVC_F_SCHED1},
		{"mh-port", "mh", IP_VS_SVC_F_SCHED2},
	};
	uint32_t sum = v->persistence_s ? IP_VS_SVC_F_PERSISTENT : 0;

	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (!strcmp(v->scheduler, flags[i].scheduler) && listed(want, flags[i].option, v->name))
			sum |= flags[i].flag;
	if (v->protocol == PICTURE_UDP && listed(want, "one-packet", v->name))
		sum |= IP_VS_SVC_F_ONEPACKET;
	return sum;
}

bool lvs_is_interface(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n >= IP_VS_IFNAME_MAXLEN || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("/\"'#!{}\\$;:", *text))
			return false;
	return true;
}

int lvs_sync(const struct picture *want, struct kernel_daemon out[2], size_t *count, bool *managed, struct error *e)
{
	static const struct {
		const char *word;
		uint32_t states;
	} words[] = {{"off", 0}, {"master", IP_VS_STATE_MASTER}, {"backup", IP_VS_STATE_BACKUP}, {"both", IP_VS_STATE_MASTER | IP_VS_STATE_BACKUP}};
	const char *word = picture_option(want, "sync", picture_option(want, "peer", NULL) ? "both" : NULL);
	const char *interface = picture_option(want, "sync-interface", picture_option(want, "interface", ""));
	size_t which = 0;
	int64_t id;

	*count = 0;
	*managed = word != NULL;
	if (!word)
		return 0;
	while (which < COUNT_OF(words) && strcmp(words[which].word, word) != 0)
		which++;
	if (which == COUNT_OF(words))
		return error_set(e, ERR_CONFIG, "option sync", "use off, master, backup or both", "\"%.32s\" is none of its words", word);
	if (!text_integer(picture_option(want, "sync-id", picture_option(want, "router", "0")), 0, 255, &id))
		return error_set(e, ERR_CONFIG, "option sync-id", "use a number of 0 to 255", "it is not a number");
	if (words[which].states && !lvs_is_interface(interface))
		return error_set(e, ERR_CONFIG, "option sync", "name the interface between the directors in sync-interface", "no interface is named");
	for (uint32_t state = IP_VS_STATE_MASTER; state <= IP_VS_STATE_BACKUP; state++) {
		if (!(words[which].states & state))
			continue;
		out[*count] = (struct kernel_daemon){.state = state, .id = (uint32_t)id};
		text_copy(out[*count].interface, sizeof out[*count].interface, interface);
		++*count;
	}
	return 0;
}

/* --- checking --------------------------------------------------------------------------------------------------------- */

static int refuse(struct error *e, const struct picture_virtual *v, const char *remedy, const char *text)
{
	char object[PICTURE_NAME + 24];

	text_format(object, sizeof object, "virtual server %s", v->name);
	return error_set(e, ERR_CONFIG, object, remedy, "%s", text);
}

static bool is_scheduler(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < IP_VS_SCHEDNAME_MAXLEN && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static int check_virtual(struct picture_virtual *v, struct error *e)
{
	bool mark = v->protocol == PICTURE_FWMARK;

	if (!v->scheduler[0])
		text_copy(v->scheduler, sizeof v->scheduler, "wrr");
	if (!is_scheduler(v->scheduler))
		return refuse(e, v, "use one of ipvsadm(8)'s, as wrr", "its scheduler has no name of one");
	if (!v->forwarding)
		v->forwarding = FORWARD_NAT;
	if (!mark)
		v->family = v->address.family;
	if ((v->family != 4 && v->family != 6) || (mark && !v->fwmark))
		return refuse(e, v, "give it an address and a port, or a mark above 0 and family 4 or 6", "it has no address");
	if (!mark && !v->address.port && !v->persistence_s)
		return refuse(e, v, "give it a port, or persistence", "only a persistent service can take every port");
	uint32_t whole = v->family == 6 ? 128 : 32;
	if (v->persistence_prefix > whole)
		return refuse(e, v, "use 1 to 32 (IPv4) or 128 (IPv6)", "the prefix of its persistence is longer than an address");
	if (v->persistence_prefix == whole || !v->persistence_s)
		v->persistence_prefix = 0;
	return 0;
}

/* Direct routing and tunnels leave the packet's port as it is; a service by mark has none of its own. */
static int check_real(const struct picture_virtual *v, struct picture_real *r, struct error *e)
{
	bool rewritten = v->forwarding == FORWARD_NAT;

	if (r->address.family != v->family && v->forwarding != FORWARD_TUNNEL)
		return refuse(e, v, "use real servers of the same family, or a tunnel", "IPv4 and IPv6 are mixed");
	if (!rewritten && v->protocol == PICTURE_FWMARK)
		r->address.port = 0;
	if (!rewritten && r->address.port != (v->protocol == PICTURE_FWMARK ? 0 : v->address.port))
		return refuse(e, v, "let the members listen at the virtual server's port, or use NAT", "direct routing and tunnels cannot change ports");
	return 0;
}

int lvs_prepare(struct picture *want, struct error *e)
{
	int r = check_options(want, e);

	for (size_t i = 0; i < want->count && !r; i++) {
		struct picture_virtual *v = &want->virtuals[i];

		r = check_virtual(v, e);
		for (size_t k = 0; k < v->count && !r; k++)
			r = check_real(v, &v->reals[k], e);
	}
	picture_sort(want);
	for (size_t i = 0; i < want->count && !r; i++) {
		const struct picture_virtual *v = &want->virtuals[i];

		for (size_t k = 1; k < v->count && !r; k++)
			if (address_equal(&v->reals[k - 1].address, &v->reals[k].address))
				r = refuse(e, v, "leave one of them out", "a real server is there twice");
	}
	return r;
}

/* --- what is ours ----------------------------------------------------------------------------------------------------- */

struct lvs_key { /* no holes: compared as bytes */
	uint32_t fwmark;
	uint8_t family, protocol;
	uint16_t port;
	uint8_t address[16];
};

static struct lvs_key key_of(uint8_t family, uint8_t protocol, uint32_t fwmark, const struct address *a)
{
	struct lvs_key k;

	memset(&k, 0, sizeof k);
	k.family = family;
	k.protocol = protocol;
	if (protocol == PICTURE_FWMARK) {
		k.fwmark = fwmark;
	} else {
		k.port = a->port;
		memcpy(k.address, a->bytes, family == 6 ? 16 : 4);
	}
	return k;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct lvs_key));
}

/* "10.0.0.1:80", "[::1]:53/udp", "mark 7", "mark 7/6", each with ">PORT" behind it or not. */
static bool parse_key(char *word, struct lvs_key *out)
{
	struct address a = {0};
	char *slash, *arrow = strchr(word, '>');
	int64_t mark;

	if (arrow)
		*arrow = '\0';
	for (size_t n = strlen(word); n && word[n - 1] == ' ';)
		word[--n] = '\0';
	slash = strchr(word, '/');
	const char *kind = slash ? slash + 1 : "";
	if (slash)
		*slash = '\0';
	if (!strncmp(word, "mark ", 5)) {
		bool good = text_integer(word + 5, 1, UINT32_MAX, &mark) && (!*kind || !strcmp(kind, "4") || !strcmp(kind, "6"));
		*out = key_of(*kind == '6' ? 6 : 4, PICTURE_FWMARK, good ? (uint32_t)mark : 0, &a);
		return good;
	}
	if (!address_parse(word, 0, &a) || (*kind && strcmp(kind, "udp") != 0 && strcmp(kind, "tcp") != 0))
		return false;
	*out = key_of(a.family, !strcmp(kind, "udp") ? PICTURE_UDP : PICTURE_TCP, 0, &a);
	return true;
}

static void add_key(struct lvs_ours *ours, size_t *room, const struct lvs_key *k)
{
	if (ours->count == *room) {
		*room = *room ? *room * 2 : 32;
		ours->keys = mem_grow(ours->keys, *room, sizeof *ours->keys);
	}
	ours->keys[ours->count++] = *k;
}

int lvs_ours(const struct picture *want, struct lvs_ours *out, struct error *e)
{
	char word[256];
	struct lvs_key k;
	size_t room = 0;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < want->count; i++) {
		const struct picture_virtual *v = &want->virtuals[i];
		k = key_of(v->family, v->protocol, v->fwmark, &v->address);
		add_key(out, &room, &k);
	}
	for (size_t i = 0; i < want->option_count; i++) {
		const char *list = picture_is_previous(want->options[i].name) ? want->options[i].value : "";
		while ((list = picture_next_word(list, word, sizeof word))) {
			if (!parse_key(word, &k)) {
				lvs_ours_clear(out);
				return error_set(e, ERR_CONFIG, "option previous", "use ADDRESS:PORT, ADDRESS:PORT/udp, mark N or mark N/6",
						 "\"%.100s\" is no virtual server", word);
			}
			add_key(out, &room, &k);
		}
	}
	if (out->count)
		qsort(out->keys, out->count, sizeof *out->keys, by_bytes);
	return 0;
}

void lvs_ours_clear(struct lvs_ours *ours)
{
	free(ours->keys);
	memset(ours, 0, sizeof *ours);
}

bool lvs_is_ours(void *arg, const struct kernel_service *s)
{
	const struct lvs_ours *ours = arg;
	struct lvs_key k = key_of(s->family, s->protocol, s->fwmark, &s->address);

	return s->protocol && ours->count && bsearch(&k, ours->keys, ours->count, sizeof k, by_bytes);
}

/* --- as a picture ----------------------------------------------------------------------------------------------------- */

static void add_service(struct picture *out, const struct kernel_service *s)
{
	struct picture_virtual *v = picture_add_virtual(out, "");

	if (!v)
		return;
	v->address = s->address;
	v->fwmark = s->fwmark;
	v->protocol = s->protocol;
	v->family = s->family;
	v->forwarding = s->count && s->dests[0].forwarding ? s->dests[0].forwarding : FORWARD_NAT;
	memcpy(v->scheduler, s->scheduler, sizeof v->scheduler);
	if (s->flags & IP_VS_SVC_F_PERSISTENT) {
		v->persistence_s = s->timeout_s > PERSISTENCE_MAX ? PERSISTENCE_MAX : s->timeout_s;
		v->persistence_prefix = s->prefix;
	}
	v->counts = s->counts;
	for (size_t i = 0; i < s->count; i++) {
		struct picture_real *r = picture_add_real(v, "");

		r->address = s->dests[i].address;
		r->weight = s->dests[i].weight > WEIGHT_MAX ? WEIGHT_MAX : s->dests[i].weight;
		r->connections_max = s->dests[i].upper;
		r->counts = s->dests[i].counts;
	}
}

uint32_t lvs_have(const struct kernel_table *table, const struct lvs_ours *ours, const struct picture *want, struct picture *out)
{
	struct lvs_ours mine = *ours;
	uint32_t foreign = 0;

	text_copy(out->driver, sizeof out->driver, "ipvs");
	for (size_t i = 0; i < table->count; i++) {
		if (lvs_is_ours(&mine, &table->services[i]))
			add_service(out, &table->services[i]);
		else
			foreign++;
	}
	picture_adopt_names(out, want);
	/* the kernel has a forwarding for each real server, which lvs_plan() compares */
	for (size_t i = 0; i < out->count; i++) {
		const struct picture_virtual *wanted = picture_find(want, out->virtuals[i].name);
		if (wanted)
			out->virtuals[i].forwarding = wanted->forwarding;
	}
	return foreign;
}

/* --- the plan --------------------------------------------------------------------------------------------------------- */

static const struct kernel_service *find_service(const struct kernel_table *table, const struct picture_virtual *v)
{
	struct lvs_key wanted = key_of(v->family, v->protocol, v->fwmark, &v->address);

	for (size_t i = 0; i < table->count; i++) {
		const struct kernel_service *s = &table->services[i];
		struct lvs_key k = key_of(s->family, s->protocol, s->fwmark, &s->address);
		if (!by_bytes(&k, &wanted))
			return s;
	}
	return NULL;
}

static int by_address(const void *left, const void *right)
{
	const struct kernel_dest *a = left, *b = right;

	return memcmp(&a->address, &b->address, sizeof a->address);
}

static bool has_change(const struct picture_result *out, size_t from, enum picture_verb verb, const char *virtual_name, const char *real)
{
	for (size_t i = from; i < out->change_count; i++)
		if (out->changes[i].verb == verb && !strcmp(out->changes[i].real, real) && !strcmp(out->changes[i].virtual_name, virtual_name))
			return true;
	return false;
}

static void compare_dest(const struct picture_virtual *v, const struct picture_real *r, const struct kernel_service *s, size_t from,
			 struct picture_result *out)
{
	const struct kernel_dest key = {.address = r->address};
	const struct kernel_dest *d = s->count ? bsearch(&key, s->dests, s->count, sizeof key, by_address) : NULL;
	char what[96], address[ADDRESS_TEXT];
	size_t used = 0;

	if (!d)
		return;
	if (d->forwarding && d->forwarding != v->forwarding)
		text_append(what, sizeof what, &used, "forwarding %s > %s", forwarding_name(d->forwarding), forwarding_name(v->forwarding));
	if (d->lower)
		text_append(what, sizeof what, &used, "%slower threshold %" PRIu32 " > 0", used ? ", " : "", d->lower);
	if (d->tunnel != IP_VS_CONN_F_TUNNEL_TYPE_IPIP)
		text_append(what, sizeof what, &used, "%stunnel type %u > ipip", used ? ", " : "", d->tunnel);
	if (d->weight > WEIGHT_MAX && r->weight == WEIGHT_MAX)
		text_append(what, sizeof what, &used, "%sweight %" PRIu32 " > %" PRIu32, used ? ", " : "", d->weight, r->weight);
	if (used && !has_change(out, from, PICTURE_CHANGE_REAL, v->name, address_text(&r->address, 0, address)))
		picture_result_change(out, PICTURE_CHANGE_REAL, v->name, address, "%s", what);
}

/* What a picture cannot say of a virtual server and of its real servers. from: where the changes of this plan begin. */
static void compare_service(const struct picture *want, const struct picture_virtual *v, const struct kernel_table *table, size_t from,
			    struct picture_result *out)
{
	const struct kernel_service *s = find_service(table, v);
	uint32_t flags = lvs_flags(want, v);

	if (!s)
		return;
	if ((s->flags != flags || s->engine[0]) && !has_change(out, from, PICTURE_CHANGE_VIRTUAL, v->name, ""))
		picture_result_change(out, PICTURE_CHANGE_VIRTUAL, v->name, "", "flags 0x%" PRIx32 "%s%s > 0x%" PRIx32, s->flags,
				      s->engine[0] ? " engine " : "", s->engine, flags);
	for (size_t i = 0; i < v->count; i++)
		compare_dest(v, &v->reals[i], s, from, out);
}

static struct kernel_command command_of(const struct picture *want, const struct picture *have, const struct picture_change *change)
{
	static const uint8_t verbs[] = {[PICTURE_ADD_VIRTUAL] = IPVS_CMD_NEW_SERVICE, [PICTURE_CHANGE_VIRTUAL] = IPVS_CMD_SET_SERVICE,
					[PICTURE_REMOVE_VIRTUAL] = IPVS_CMD_DEL_SERVICE, [PICTURE_ADD_REAL] = IPVS_CMD_NEW_DEST,
					[PICTURE_CHANGE_REAL] = IPVS_CMD_SET_DEST, [PICTURE_REMOVE_REAL] = IPVS_CMD_DEL_DEST};
	bool gone = change->verb == PICTURE_REMOVE_VIRTUAL || change->verb == PICTURE_REMOVE_REAL;
	struct kernel_command c = {.verb = verbs[change->verb], .virtual_server = picture_find(gone ? have : want, change->virtual_name)};

	if (change->real[0])
		c.real = picture_change_real(gone ? have : want, change);
	c.flags = gone ? 0 : lvs_flags(want, c.virtual_server);
	return c;
}

void lvs_plan(const struct picture *want, const struct picture *have, const struct kernel_table *table, struct picture_result *out,
	      struct kernel_command **commands)
{
	size_t first = out->change_count;
	uint32_t foreign = out->foreign;

	picture_diff(want, have, NULL, NULL, out);
	out->foreign = foreign;
	for (size_t i = 0; i < want->count; i++)
		if (picture_find(have, want->virtuals[i].name))
			compare_service(want, &want->virtuals[i], table, first, out);
	*commands = mem_array(out->change_count - first + 1, sizeof **commands);
	for (size_t i = first; i < out->change_count; i++)
		(*commands)[i - first] = command_of(want, have, &out->changes[i]);
}
