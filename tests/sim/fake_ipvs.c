/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An IPVS in memory behind a kernel link; see fake_ipvs.h. */
#include "tests/sim/fake_ipvs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void queue(struct fake_ipvs *f, const void *bytes, size_t size)
{
	if (f->silent)
		return;
	struct fake_datagram *d = mem_zalloc(sizeof *d + size);
	d->size = size;
	memcpy(d->bytes, bytes, size);
	*f->last = d;
	f->last = &d->next;
}

static void answer(struct fake_ipvs *f, const struct nlmsghdr *to, uint16_t type, int error)
{
	struct {
		struct nlmsghdr h;
		int32_t error;
		struct nlmsghdr to;
	} a = {.h = {.nlmsg_len = sizeof a, .nlmsg_type = type, .nlmsg_seq = to->nlmsg_seq}, .error = -error, .to = *to};

	if (type == NLMSG_DONE)
		a.h.nlmsg_len = NLMSG_HDRLEN + 4;
	queue(f, &a, a.h.nlmsg_len);
}

static struct fake_service *find(struct fake_ipvs *f, const struct fake_service *key)
{
	for (size_t i = 0; i < f->count; i++) {
		struct fake_service *s = &f->services[i];
		if (s->family == key->family && s->fwmark == key->fwmark &&
		    (s->fwmark || (s->protocol == key->protocol && s->port == key->port && !memcmp(s->address, key->address, 16))))
			return s;
	}
	return NULL;
}

static struct fake_dest *find_dest(struct fake_service *s, const struct fake_dest *key)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->dests[i].family == key->family && s->dests[i].port == key->port && !memcmp(s->dests[i].address, key->address, 16))
			return &s->dests[i];
	return NULL;
}

static void take(const struct nlattr *a, void *out, size_t size)
{
	if (a && (size_t)nla_len(a) >= size)
		memcpy(out, nla_data(a), size);
}

static void read_service(struct nlattr *nest, struct fake_service *out, bool *full)
{
	struct nlattr *a[IPVS_SVC_ATTR_MAX + 1];
	struct ip_vs_flags flags = {0};

	memset(out, 0, sizeof *out);
	if (!nest || nla_parse_nested(a, IPVS_SVC_ATTR_MAX, nest, NULL))
		return;
	take(a[IPVS_SVC_ATTR_AF], &out->family, 2);
	take(a[IPVS_SVC_ATTR_FWMARK], &out->fwmark, 4);
	out->protocol = IPPROTO_TCP;
	take(a[IPVS_SVC_ATTR_PROTOCOL], &out->protocol, 2);
	take(a[IPVS_SVC_ATTR_ADDR], out->address, 16);
	take(a[IPVS_SVC_ATTR_PORT], &out->port, 2);
	take(a[IPVS_SVC_ATTR_TIMEOUT], &out->timeout, 4);
	take(a[IPVS_SVC_ATTR_NETMASK], &out->netmask, 4);
	take(a[IPVS_SVC_ATTR_FLAGS], &flags, sizeof flags);
	out->flags = (flags.flags & flags.mask) | IP_VS_SVC_F_HASHED;
	if (a[IPVS_SVC_ATTR_SCHED_NAME])
		text_copy(out->scheduler, sizeof out->scheduler, nla_get_string(a[IPVS_SVC_ATTR_SCHED_NAME]));
	*full = a[IPVS_SVC_ATTR_SCHED_NAME] && a[IPVS_SVC_ATTR_FLAGS] && a[IPVS_SVC_ATTR_TIMEOUT] && a[IPVS_SVC_ATTR_NETMASK];
}

static void read_dest(struct nlattr *nest, struct fake_dest *out)
{
	struct nlattr *a[IPVS_DEST_ATTR_MAX + 1];

	memset(out, 0, sizeof *out);
	if (!nest || nla_parse_nested(a, IPVS_DEST_ATTR_MAX, nest, NULL))
		return;
	take(a[IPVS_DEST_ATTR_ADDR_FAMILY], &out->family, 2);
	take(a[IPVS_DEST_ATTR_ADDR], out->address, 16);
	take(a[IPVS_DEST_ATTR_PORT], &out->port, 2);
	take(a[IPVS_DEST_ATTR_FWD_METHOD], &out->method, 4);
	take(a[IPVS_DEST_ATTR_WEIGHT], &out->weight, 4);
	take(a[IPVS_DEST_ATTR_U_THRESH], &out->upper, 4);
	take(a[IPVS_DEST_ATTR_L_THRESH], &out->lower, 4);
	take(a[IPVS_DEST_ATTR_TUN_TYPE], &out->tunnel, 1);
}

static void put_stats(struct nl_msg *m, int as, uint64_t base)
{
	struct nlattr *nest = nla_nest_start(m, as);

	nla_put_u64(m, IPVS_STATS_ATTR_CONNS, base + 1);
	nla_put_u64(m, IPVS_STATS_ATTR_INPKTS, base + 2);
	nla_put_u64(m, IPVS_STATS_ATTR_OUTPKTS, base + 3);
	nla_put_u64(m, IPVS_STATS_ATTR_INBYTES, base + 4);
	nla_put_u64(m, IPVS_STATS_ATTR_OUTBYTES, base + 5);
	nla_nest_end(m, nest);
}

static void put_service(struct nl_msg *m, const struct fake_service *s)
{
	struct ip_vs_flags flags = {.flags = s->flags, .mask = ~0u};
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_SERVICE);

	nla_put_u16(m, IPVS_SVC_ATTR_AF, s->family);
	if (s->fwmark) {
		nla_put_u32(m, IPVS_SVC_ATTR_FWMARK, s->fwmark);
	} else {
		nla_put_u16(m, IPVS_SVC_ATTR_PROTOCOL, s->protocol);
		nla_put(m, IPVS_SVC_ATTR_ADDR, 16, s->address);
		nla_put_u16(m, IPVS_SVC_ATTR_PORT, s->port);
	}
	nla_put_string(m, IPVS_SVC_ATTR_SCHED_NAME, s->scheduler);
	if (s->engine[0])
		nla_put_string(m, IPVS_SVC_ATTR_PE_NAME, s->engine);
	nla_put(m, IPVS_SVC_ATTR_FLAGS, sizeof flags, &flags);
	nla_put_u32(m, IPVS_SVC_ATTR_TIMEOUT, s->timeout);
	nla_put_u32(m, IPVS_SVC_ATTR_NETMASK, s->netmask);
	put_stats(m, IPVS_SVC_ATTR_STATS64, 1ull << 40);
	nla_nest_end(m, nest);
}

static void put_dest(struct nl_msg *m, const struct fake_dest *d)
{
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_DEST);

	nla_put(m, IPVS_DEST_ATTR_ADDR, 16, d->address);
	nla_put_u16(m, IPVS_DEST_ATTR_PORT, d->port);
	nla_put_u32(m, IPVS_DEST_ATTR_FWD_METHOD, d->method);
	nla_put_u32(m, IPVS_DEST_ATTR_WEIGHT, d->weight);
	nla_put_u32(m, IPVS_DEST_ATTR_U_THRESH, d->upper);
	nla_put_u32(m, IPVS_DEST_ATTR_L_THRESH, d->lower);
	nla_put_u32(m, IPVS_DEST_ATTR_ACTIVE_CONNS, 3);
	nla_put_u32(m, IPVS_DEST_ATTR_INACT_CONNS, 4);
	nla_put_u16(m, IPVS_DEST_ATTR_ADDR_FAMILY, d->family);
	nla_put_u8(m, IPVS_DEST_ATTR_TUN_TYPE, d->tunnel);
	put_stats(m, IPVS_DEST_ATTR_STATS64, 1ull << 33);
	nla_nest_end(m, nest);
}

/* One row as a datagram of its own. */
static void row(struct fake_ipvs *f, const struct nlmsghdr *to, const struct fake_service *s, const struct fake_dest *d, const struct kernel_daemon *k)
{
	struct nl_msg *m = nlmsg_alloc_size(1024);

	genlmsg_put(m, 0, to->nlmsg_seq, FAKE_FAMILY, 0, NLM_F_MULTI | (f->interrupted ? NLM_F_DUMP_INTR : 0), 1, IPVS_GENL_VERSION);
	if (s)
		put_service(m, s);
	if (d)
		put_dest(m, d);
	if (k) {
		struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_DAEMON);
		nla_put_u32(m, IPVS_DAEMON_ATTR_STATE, k->state);
		nla_put_string(m, IPVS_DAEMON_ATTR_MCAST_IFN, k->interface);
		nla_put_u32(m, IPVS_DAEMON_ATTR_SYNC_ID, k->id);
		nla_nest_end(m, nest);
	}
	queue(f, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
	nlmsg_free(m);
}

static void dump(struct fake_ipvs *f, const struct nlmsghdr *h, uint8_t verb, struct fake_service *of)
{
	if (verb == IPVS_CMD_GET_SERVICE)
		for (size_t i = 0; i < f->count; i++)
			row(f, h, &f->services[i], NULL, NULL);
	for (size_t i = 0; verb == IPVS_CMD_GET_DEST && of && i < of->count; i++)
		row(f, h, NULL, &of->dests[i], NULL);
	for (size_t i = 0; verb == IPVS_CMD_GET_DAEMON && i < f->daemon_count; i++)
		row(f, h, NULL, NULL, &f->daemons[i]);
	answer(f, h, NLMSG_DONE, 0);
	if (f->interrupted)
		f->interrupted--;
}

static int service_command(struct fake_ipvs *f, uint8_t verb, const struct fake_service *key, struct fake_service *s, bool full)
{
	if (verb == IPVS_CMD_NEW_SERVICE) {
		if (s)
			return EEXIST;
		if (!full || f->count == COUNT_OF(f->services))
			return EINVAL;
		f->services[f->count++] = *key;
		return 0;
	}
	if (!s)
		return ESRCH;
	if (verb == IPVS_CMD_DEL_SERVICE) {
		*s = f->services[--f->count];
		return 0;
	}
	if (!full)
		return EINVAL;
	memcpy(s->scheduler, key->scheduler, sizeof s->scheduler);
	s->flags = key->flags;
	s->timeout = key->timeout;
	s->netmask = key->netmask;
	s->engine[0] = '\0';
	return 0;
}

static int dest_command(struct fake_ipvs *f, uint8_t verb, struct fake_service *s, const struct fake_dest *key)
{
	struct fake_dest *d = s ? find_dest(s, key) : NULL;

	if (!s)
		return ESRCH;
	if (verb == IPVS_CMD_NEW_DEST) {
		if (d)
			return EEXIST;
		if (s->count == COUNT_OF(s->dests))
			return ENOMEM;
		s->dests[s->count++] = *key;
		return 0;
	}
	if (!d)
		return ENOENT;
	if (verb == IPVS_CMD_DEL_DEST)
		*d = s->dests[--s->count];
	else if (!f->forgets)
		*d = *key;
	return 0;
}

static int daemon_command(struct fake_ipvs *f, uint8_t verb, struct nlattr *nest)
{
	struct nlattr *a[IPVS_DAEMON_ATTR_MAX + 1];
	struct kernel_daemon k = {0};
	size_t at = 0;

	if (!nest || nla_parse_nested(a, IPVS_DAEMON_ATTR_MAX, nest, NULL))
		return EINVAL;
	take(a[IPVS_DAEMON_ATTR_STATE], &k.state, 4);
	take(a[IPVS_DAEMON_ATTR_SYNC_ID], &k.id, 4);
	if (a[IPVS_DAEMON_ATTR_MCAST_IFN])
		text_copy(k.interface, sizeof k.interface, nla_get_string(a[IPVS_DAEMON_ATTR_MCAST_IFN]));
	while (at < f->daemon_count && f->daemons[at].state != k.state)
		at++;
	if (verb == IPVS_CMD_DEL_DAEMON) {
		if (at == f->daemon_count)
			return ESRCH;
		f->daemons[at] = f->daemons[--f->daemon_count];
		return 0;
	}
	if (at < f->daemon_count)
		return EEXIST;
	if (!k.interface[0])
		return EINVAL;
	f->daemons[f->daemon_count++] = k;
	return 0;
}

static void request(struct fake_ipvs *f, struct nlmsghdr *h)
{
	struct nlattr *top[IPVS_CMD_ATTR_MAX + 1];
	struct fake_service key;
	struct fake_dest dest;
	bool full = false;

	if (h->nlmsg_type != FAKE_FAMILY || genlmsg_parse(h, 0, top, IPVS_CMD_ATTR_MAX, NULL)) {
		answer(f, h, NLMSG_ERROR, EINVAL);
		return;
	}
	uint8_t verb = genlmsg_hdr(h)->cmd;
	f->requests[verb % COUNT_OF(f->requests)]++;
	if (f->before)
		f->before(f, verb);
	read_service(top[IPVS_CMD_ATTR_SERVICE], &key, &full);
	read_dest(top[IPVS_CMD_ATTR_DEST], &dest);
	struct fake_service *s = find(f, &key);
	if (f->refuse_times && verb == f->refuse_verb) {
		f->refuse_times--;
		answer(f, h, NLMSG_ERROR, f->refuse_error);
	} else if (h->nlmsg_flags & NLM_F_DUMP) {
		dump(f, h, verb, s);
	} else if (verb <= IPVS_CMD_DEL_SERVICE) {
		answer(f, h, NLMSG_ERROR, service_command(f, verb, &key, s, full));
	} else if (verb <= IPVS_CMD_DEL_DEST) {
		answer(f, h, NLMSG_ERROR, dest_command(f, verb, s, &dest));
	} else {
		answer(f, h, NLMSG_ERROR, daemon_command(f, verb, top[IPVS_CMD_ATTR_DAEMON]));
	}
}

static int fake_send(void *arg, const void *bytes, size_t size)
{
	unsigned char *copy = mem_array(size + 1, 1);
	int left = (int)size;

	memcpy(copy, bytes, size);
	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)copy; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		request(arg, h);
	free(copy);
	return 0;
}

static ssize_t fake_receive(void *arg, void *bytes, size_t room)
{
	struct fake_ipvs *f = arg;
	struct fake_datagram *d = f->first;

	if (!d)
		return -ETIMEDOUT;
	size_t size = d->size;
	memcpy(bytes, d->bytes, size < room ? size : room);
	f->first = d->next;
	if (!f->first)
		f->last = &f->first;
	free(d);
	return (ssize_t)size;
}

void fake_ipvs_open(struct fake_ipvs *f, struct kernel *kernel)
{
	f->last = &f->first;
	memset(kernel, 0, sizeof *kernel);
	kernel->family = FAKE_FAMILY;
	kernel->link = (struct kernel_link){.send = fake_send, .receive = fake_receive, .arg = f};
}

void fake_ipvs_close(struct fake_ipvs *f, struct kernel *kernel)
{
	while (f->first) {
		struct fake_datagram *d = f->first;
		f->first = d->next;
		free(d);
	}
	f->last = &f->first;
	kernel_close(kernel);
}
