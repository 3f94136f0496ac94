/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPVS netlink messages; see message.h. Addresses and ports travel in network order, everything else in the host's. */
#include "lvs/message.h"

#include <arpa/inet.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define ADDRESS_BYTES 16 /* union nf_inet_addr */
#define MESSAGE_ROOM 640 /* more than any request of ours takes: nla_put() cannot fail */

static const struct {
	uint8_t ours;
	uint32_t kernels;
} forwardings[] = {{FORWARD_NAT, IP_VS_CONN_F_MASQ}, {FORWARD_DIRECT, IP_VS_CONN_F_DROUTE}, {FORWARD_TUNNEL, IP_VS_CONN_F_TUNNEL}};

static uint16_t family_to_kernel(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

struct nl_msg *message_new(int family, uint32_t sequence, int flags, uint8_t verb)
{
	struct nl_msg *m = nlmsg_alloc_size(MESSAGE_ROOM);

	if (!m || !genlmsg_put(m, 0, sequence, family, 0, NLM_F_REQUEST | flags, verb, IPVS_GENL_VERSION)) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static void put_key(struct nl_msg *m, uint8_t family, uint8_t protocol, uint32_t fwmark, const struct address *a)
{
	nla_put_u16(m, IPVS_SVC_ATTR_AF, family_to_kernel(family));
	if (protocol == PICTURE_FWMARK) {
		nla_put_u32(m, IPVS_SVC_ATTR_FWMARK, fwmark);
		return;
	}
	nla_put_u16(m, IPVS_SVC_ATTR_PROTOCOL, protocol == PICTURE_UDP ? IPPROTO_UDP : IPPROTO_TCP);
	nla_put(m, IPVS_SVC_ATTR_ADDR, ADDRESS_BYTES, a->bytes);
	nla_put_u16(m, IPVS_SVC_ATTR_PORT, htons(a->port));
}

/* The mask of an IPv4 service is a mask, that of an IPv6 service the length of a prefix. */
static uint32_t mask_to_kernel(uint8_t family, uint32_t prefix)
{
	if (family == 6)
		return prefix ? prefix : 128;
	return htonl(prefix ? ~0u << (32 - prefix) : ~0u);
}

static uint32_t mask_from_kernel(uint8_t family, uint32_t mask)
{
	uint32_t prefix = family == 6 ? mask : (uint32_t)__builtin_popcount(mask), whole = family == 6 ? 128 : 32;

	return prefix >= whole ? 0 : prefix;
}

void message_put_service(struct nl_msg *m, const struct picture_virtual *v, uint32_t flags, bool full)
{
	const struct ip_vs_flags all = {.flags = flags, .mask = ~0u};
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_SERVICE);

	put_key(m, v->family, v->protocol, v->fwmark, &v->address);
	if (full) {
		nla_put_string(m, IPVS_SVC_ATTR_SCHED_NAME, v->scheduler);
		nla_put(m, IPVS_SVC_ATTR_FLAGS, sizeof all, &all);
		nla_put_u32(m, IPVS_SVC_ATTR_TIMEOUT, v->persistence_s);
		nla_put_u32(m, IPVS_SVC_ATTR_NETMASK, mask_to_kernel(v->family, v->persistence_prefix));
	}
	nla_nest_end(m, nest);
}

void message_put_service_key(struct nl_msg *m, const struct kernel_service *s)
{
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_SERVICE);

	put_key(m, s->family, s->protocol, s->fwmark, &s->address);
	nla_nest_end(m, nest);
}

static uint32_t forwarding_to_kernel(uint8_t forwarding)
{
	for (size_t i = 0; i < COUNT_OF(forwardings); i++)
		if (forwardings[i].ours == forwarding)
			return forwardings[i].kernels;
	return IP_VS_CONN_F_MASQ;
}

void message_put_dest(struct nl_msg *m, const struct picture_virtual *v, const struct picture_real *r, bool full)
{
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_DEST);

	nla_put_u16(m, IPVS_DEST_ATTR_ADDR_FAMILY, family_to_kernel(r->address.family));
	nla_put(m, IPVS_DEST_ATTR_ADDR, ADDRESS_BYTES, r->address.bytes);
	nla_put_u16(m, IPVS_DEST_ATTR_PORT, htons(r->address.port));
	if (full) {
		nla_put_u32(m, IPVS_DEST_ATTR_FWD_METHOD, forwarding_to_kernel(v->forwarding));
		nla_put_u32(m, IPVS_DEST_ATTR_WEIGHT, r->weight);
		nla_put_u32(m, IPVS_DEST_ATTR_U_THRESH, r->connections_max);
		nla_put_u32(m, IPVS_DEST_ATTR_L_THRESH, 0);
		nla_put_u8(m, IPVS_DEST_ATTR_TUN_TYPE, IP_VS_CONN_F_TUNNEL_TYPE_IPIP);
	}
	nla_nest_end(m, nest);
}

void message_put_daemon(struct nl_msg *m, const struct kernel_daemon *d, bool full)
{
	struct nlattr *nest = nla_nest_start(m, IPVS_CMD_ATTR_DAEMON);

	nla_put_u32(m, IPVS_DAEMON_ATTR_STATE, d->state);
	if (full) {
		nla_put_string(m, IPVS_DAEMON_ATTR_MCAST_IFN, d->interface);
		nla_put_u32(m, IPVS_DAEMON_ATTR_SYNC_ID, d->id);
	}
	nla_nest_end(m, nest);
}

struct nl_msg *message_command(int family, uint32_t sequence, const struct kernel_command *c)
{
	struct nl_msg *m = message_new(family, sequence, NLM_F_ACK, c->verb);
	bool service = c->verb == IPVS_CMD_NEW_SERVICE || c->verb == IPVS_CMD_SET_SERVICE;

	if (!m)
		return NULL;
	message_put_service(m, c->virtual_server, c->flags, service);
	if (c->real)
		message_put_dest(m, c->virtual_server, c->real, c->verb != IPVS_CMD_DEL_DEST);
	return m;
}

/* --- what the kernel says --------------------------------------------------------------------------------------- */

#define FIXED(type_, size_) {.type = type_, .minlen = size_}
static struct nla_policy service_policy[IPVS_SVC_ATTR_MAX + 1] = {
	[IPVS_SVC_ATTR_AF] = FIXED(NLA_U16, 2),      [IPVS_SVC_ATTR_PROTOCOL] = FIXED(NLA_U16, 2),
	[IPVS_SVC_ATTR_ADDR] = FIXED(0, 16),         [IPVS_SVC_ATTR_PORT] = FIXED(NLA_U16, 2),
	[IPVS_SVC_ATTR_FWMARK] = FIXED(NLA_U32, 4),  [IPVS_SVC_ATTR_SCHED_NAME] = {.type = NLA_STRING, .minlen = 1, .maxlen = IP_VS_SCHEDNAME_MAXLEN},
	[IPVS_SVC_ATTR_FLAGS] = FIXED(0, 8),         [IPVS_SVC_ATTR_TIMEOUT] = FIXED(NLA_U32, 4),
	[IPVS_SVC_ATTR_NETMASK] = FIXED(NLA_U32, 4), [IPVS_SVC_ATTR_STATS] = FIXED(NLA_NESTED, 0),
	[IPVS_SVC_ATTR_PE_NAME] = {.type = NLA_STRING, .minlen = 1, .maxlen = IP_VS_PENAME_MAXLEN},
	[IPVS_SVC_ATTR_STATS64] = FIXED(NLA_NESTED, 0),
};
static struct nla_policy dest_policy[IPVS_DEST_ATTR_MAX + 1] = {
	[IPVS_DEST_ATTR_ADDR] = FIXED(0, 16),                [IPVS_DEST_ATTR_PORT] = FIXED(NLA_U16, 2),
	[IPVS_DEST_ATTR_FWD_METHOD] = FIXED(NLA_U32, 4),     [IPVS_DEST_ATTR_WEIGHT] = FIXED(NLA_U32, 4),
	[IPVS_DEST_ATTR_U_THRESH] = FIXED(NLA_U32, 4),       [IPVS_DEST_ATTR_L_THRESH] = FIXED(NLA_U32, 4),
	[IPVS_DEST_ATTR_ACTIVE_CONNS] = FIXED(NLA_U32, 4),   [IPVS_DEST_ATTR_INACT_CONNS] = FIXED(NLA_U32, 4),
	[IPVS_DEST_ATTR_PERSIST_CONNS] = FIXED(NLA_U32, 4),  [IPVS_DEST_ATTR_STATS] = FIXED(NLA_NESTED, 0),
	[IPVS_DEST_ATTR_ADDR_FAMILY] = FIXED(NLA_U16, 2),    [IPVS_DEST_ATTR_STATS64] = FIXED(NLA_NESTED, 0),
	[IPVS_DEST_ATTR_TUN_TYPE] = FIXED(NLA_U8, 1),
};
static struct nla_policy stats64_policy[IPVS_STATS_ATTR_MAX + 1] = {
	[IPVS_STATS_ATTR_CONNS] = FIXED(0, 8),   [IPVS_STATS_ATTR_INPKTS] = FIXED(0, 8),   [IPVS_STATS_ATTR_OUTPKTS] = FIXED(0, 8),
	[IPVS_STATS_ATTR_INBYTES] = FIXED(0, 8), [IPVS_STATS_ATTR_OUTBYTES] = FIXED(0, 8),
};
static struct nla_policy stats_policy[IPVS_STATS_ATTR_MAX + 1] = {
	[IPVS_STATS_ATTR_CONNS] = FIXED(0, 4),   [IPVS_STATS_ATTR_INPKTS] = FIXED(0, 4),   [IPVS_STATS_ATTR_OUTPKTS] = FIXED(0, 4),
	[IPVS_STATS_ATTR_INBYTES] = FIXED(0, 8), [IPVS_STATS_ATTR_OUTBYTES] = FIXED(0, 8),
};
static struct nla_policy daemon_policy[IPVS_DAEMON_ATTR_MAX + 1] = {
	[IPVS_DAEMON_ATTR_STATE] = FIXED(NLA_U32, 4),
	[IPVS_DAEMON_ATTR_MCAST_IFN] = {.type = NLA_STRING, .minlen = 1, .maxlen = IP_VS_IFNAME_MAXLEN},
	[IPVS_DAEMON_ATTR_SYNC_ID] = FIXED(NLA_U32, 4),
};

/* The attributes inside the one nested attribute `which` of a message. */
static bool open_nest(const struct nlmsghdr *h, int which, struct nlattr **out, int max, const struct nla_policy *policy)
{
	struct nlattr *top[IPVS_CMD_ATTR_MAX + 1];
	/* libnl takes headers it only reads as writable */
	struct nlmsghdr *header = (struct nlmsghdr *)(uintptr_t)h;

	if (!genlmsg_valid_hdr(header, 0) || genlmsg_parse(header, 0, top, IPVS_CMD_ATTR_MAX, NULL) || !top[which])
		return false;
	return nla_parse_nested(out, max, top[which], policy) == 0;
}

/* Whole numbers of four or eight bytes, wherever they lie. */
static uint64_t number(const struct nlattr *a, uint64_t otherwise)
{
	uint64_t wide;
	uint32_t narrow;
	uint16_t half;

	if (!a)
		return otherwise;
	switch (nla_len(a)) {
	case 0: return otherwise;
	case 1: return *(const uint8_t *)nla_data(a);
	case 2: case 3:
		memcpy(&half, nla_data(a), sizeof half);
		return half;
	case 4: case 5: case 6: case 7:
		memcpy(&narrow, nla_data(a), sizeof narrow);
		return narrow;
	default:
		memcpy(&wide, nla_data(a), sizeof wide);
		return wide;
	}
}

static void read_stats(struct nlattr *narrow, struct nlattr *wide, struct picture_counts *out)
{
	struct nlattr *a[IPVS_STATS_ATTR_MAX + 1];
	bool good = wide ? nla_parse_nested(a, IPVS_STATS_ATTR_MAX, wide, stats64_policy) == 0
			 : narrow && nla_parse_nested(a, IPVS_STATS_ATTR_MAX, narrow, stats_policy) == 0;

	if (!good)
		return;
	out->connections = number(a[IPVS_STATS_ATTR_CONNS], 0);
	out->packets_in = number(a[IPVS_STATS_ATTR_INPKTS], 0);
	out->packets_out = number(a[IPVS_STATS_ATTR_OUTPKTS], 0);
	out->bytes_in = number(a[IPVS_STATS_ATTR_INBYTES], 0);
	out->bytes_out = number(a[IPVS_STATS_ATTR_OUTBYTES], 0);
}

static bool read_address(const struct nlattr *bytes, const struct nlattr *port, uint8_t family, struct address *out)
{
	if (!bytes || !port)
		return false;
	out->family = family;
	memcpy(out->bytes, nla_data(bytes), family == 6 ? 16 : 4);
	out->port = ntohs((uint16_t)number(port, 0));
	return true;
}

static bool family_from_kernel(uint64_t family, uint8_t *out)
{
	*out = family == AF_INET6 ? 6 : 4;
	return family == AF_INET || family == AF_INET6;
}

bool message_read_service(const struct nlmsghdr *h, struct kernel_service *out)
{
	struct nlattr *a[IPVS_SVC_ATTR_MAX + 1];
	uint32_t flags = 0;

	memset(out, 0, sizeof *out);
	if (!open_nest(h, IPVS_CMD_ATTR_SERVICE, a, IPVS_SVC_ATTR_MAX, service_policy) || !a[IPVS_SVC_ATTR_SCHED_NAME] ||
	    !a[IPVS_SVC_ATTR_AF] || !family_from_kernel(number(a[IPVS_SVC_ATTR_AF], 0), &out->family))
		return false;
	out->fwmark = (uint32_t)number(a[IPVS_SVC_ATTR_FWMARK], 0);
	if (out->fwmark) {
		out->protocol = PICTURE_FWMARK;
	} else {
		uint64_t protocol = number(a[IPVS_SVC_ATTR_PROTOCOL], 0);
		out->protocol = protocol == IPPROTO_TCP ? PICTURE_TCP : protocol == IPPROTO_UDP ? PICTURE_UDP : 0;
		if (!read_address(a[IPVS_SVC_ATTR_ADDR], a[IPVS_SVC_ATTR_PORT], out->family, &out->address))
			return false;
	}
	text_copy(out->scheduler, sizeof out->scheduler, nla_data(a[IPVS_SVC_ATTR_SCHED_NAME]));
	if (!text_is_name(out->scheduler, sizeof out->scheduler - 1))
		text_copy(out->scheduler, sizeof out->scheduler, "unknown"); /* no name that could be told on; it differs from any */
	if (a[IPVS_SVC_ATTR_PE_NAME])
		text_copy(out->engine, sizeof out->engine, nla_data(a[IPVS_SVC_ATTR_PE_NAME]));
	if (a[IPVS_SVC_ATTR_FLAGS])
		memcpy(&flags, nla_data(a[IPVS_SVC_ATTR_FLAGS]), sizeof flags);
	out->flags = flags & ~(uint32_t)IP_VS_SVC_F_HASHED;
	out->timeout_s = (uint32_t)number(a[IPVS_SVC_ATTR_TIMEOUT], 0);
	out->prefix = mask_from_kernel(out->family, (uint32_t)number(a[IPVS_SVC_ATTR_NETMASK], ~0u));
	read_stats(a[IPVS_SVC_ATTR_STATS], a[IPVS_SVC_ATTR_STATS64], &out->counts);
	return true;
}

bool message_read_dest(const struct nlmsghdr *h, uint8_t family, struct kernel_dest *out)
{
	struct nlattr *a[IPVS_DEST_ATTR_MAX + 1];

	memset(out, 0, sizeof *out);
	if (!open_nest(h, IPVS_CMD_ATTR_DEST, a, IPVS_DEST_ATTR_MAX, dest_policy))
		return false;
	if (a[IPVS_DEST_ATTR_ADDR_FAMILY] && !family_from_kernel(number(a[IPVS_DEST_ATTR_ADDR_FAMILY], 0), &family))
		return false;
	if (!read_address(a[IPVS_DEST_ATTR_ADDR], a[IPVS_DEST_ATTR_PORT], family, &out->address) || !a[IPVS_DEST_ATTR_WEIGHT])
		return false;
	uint32_t method = (uint32_t)number(a[IPVS_DEST_ATTR_FWD_METHOD], IP_VS_CONN_F_MASQ) & IP_VS_CONN_F_FWD_MASK;
	for (size_t i = 0; i < COUNT_OF(forwardings); i++)
		if (forwardings[i].kernels == method)
			out->forwarding = forwardings[i].ours;
	out->weight = (uint32_t)number(a[IPVS_DEST_ATTR_WEIGHT], 0);
	out->upper = (uint32_t)number(a[IPVS_DEST_ATTR_U_THRESH], 0);
	out->lower = (uint32_t)number(a[IPVS_DEST_ATTR_L_THRESH], 0);
	out->tunnel = (uint8_t)number(a[IPVS_DEST_ATTR_TUN_TYPE], IP_VS_CONN_F_TUNNEL_TYPE_IPIP);
	out->counts.active = (uint32_t)number(a[IPVS_DEST_ATTR_ACTIVE_CONNS], 0);
	out->counts.inactive = (uint32_t)number(a[IPVS_DEST_ATTR_INACT_CONNS], 0);
	read_stats(a[IPVS_DEST_ATTR_STATS], a[IPVS_DEST_ATTR_STATS64], &out->counts);
	return true;
}

bool message_read_daemon(const struct nlmsghdr *h, struct kernel_daemon *out)
{
	struct nlattr *a[IPVS_DAEMON_ATTR_MAX + 1];

	memset(out, 0, sizeof *out);
	if (!open_nest(h, IPVS_CMD_ATTR_DAEMON, a, IPVS_DAEMON_ATTR_MAX, daemon_policy) || !a[IPVS_DAEMON_ATTR_STATE] ||
	    !a[IPVS_DAEMON_ATTR_MCAST_IFN] || !a[IPVS_DAEMON_ATTR_SYNC_ID])
		return false;
	out->state = (uint32_t)number(a[IPVS_DAEMON_ATTR_STATE], 0);
	out->id = (uint32_t)number(a[IPVS_DAEMON_ATTR_SYNC_ID], 0);
	text_copy(out->interface, sizeof out->interface, nla_data(a[IPVS_DAEMON_ATTR_MCAST_IFN]));
	return out->state == IP_VS_STATE_MASTER || out->state == IP_VS_STATE_BACKUP;
}
