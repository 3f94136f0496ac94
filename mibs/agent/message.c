/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening and closing of the messages of message.h. */
#include "mibs/agent/message.h"

#include <string.h>

#define ROOM_V3 49152   /* varbinds of one answer; a manager that takes less says so in its message */
#define ROOM_V2C 8192   /* an unauthenticated asker is no reason for big answers */
#define ENVELOPE 512    /* message and PDU headers around the varbinds */
#define HEAD_V3 192     /* of these for version 3, the context's engine id apart; the smallest message a manager takes has 484 */
#define CONTEXT_MAX 128 /* of that engine id, which is only given back */

enum { VERSION_2C = 1, VERSION_3 = 3 };

/* What is kept of a message for its answer. */
struct opened {
	struct respond_request request;
	struct access access;
	struct ber community;       /* version 2c */
	struct usm_message message; /* version 3: all the rest */
	struct usm_peer *peer;
	const struct credential *credential;
	size_t room;
};

static struct {
	uint8_t in[TRANSPORT_DATAGRAM_MAX];                 /* a copy: decryption is in place, and the library may want the bytes */
	uint8_t out[ENVELOPE + ROOM_V3 + CONTEXT_MAX]; /* the varbinds stand behind the envelope */
} buffer;

static bool open_v2c(struct ber message, struct opened *o)
{
	struct ber pdu;

	if (!ber_take(&message, BER_OCTETS, &o->community) ||
	    !access_of_community(o->community.at, ber_left(&o->community), &o->access))
		return false;
	pdu = message;
	o->room = ROOM_V2C;
	return respond_parse(pdu, &o->request);
}

static bool open_v3(uint8_t *bytes, size_t size, struct opened *o, int64_t now_ms)
{
	struct ber pdu;

	if (!usm_read(bytes, size, &o->message) || (o->message.flags & ~USM_FLAG_REPORTABLE) != (USM_FLAG_AUTH | USM_FLAG_PRIV))
		return false;
	o->peer = access_keys(&o->message.user, &o->credential);
	if (!o->peer)
		return false;
	usm_peer_clock(o->peer, snmpv3_local_snmpEngineBoots(), snmpv3_local_snmpEngineTime(), true, now_ms);
	if (!usm_is_timely(o->peer, &o->message, now_ms) || usm_open(o->peer, o->credential, &o->message, &pdu) != USM_OK ||
	    ber_left(&o->message.context_name) || ber_left(&o->message.context_engine) > CONTEXT_MAX ||
	    !access_of_user(o->credential->user, &o->access))
		return false;
	size_t head = HEAD_V3 + ber_left(&o->message.context_engine), most = (size_t)o->message.limit - head;
	o->room = most < ROOM_V3 ? most : ROOM_V3;
	return respond_parse(pdu, &o->request);
}

static bool open_message(size_t size, struct opened *o, int64_t now_ms)
{
	struct ber in = {buffer.in, buffer.in + size}, message;
	int64_t version;

	if (!ber_take(&in, BER_SEQUENCE, &message) || !ber_integer(&message, &version))
		return false;
	if (version == VERSION_2C)
		return open_v2c(message, o);
	return version == VERSION_3 && open_v3(buffer.in, size, o, now_ms);
}

/* Everything in front of the varbinds that end at `end`. */
static void close_pdu(struct ber_out *out, const struct opened *o, const uint8_t *end, long status, long index)
{
	ber_put_header(out, BER_SEQUENCE, end);
	ber_put_integer(out, index);
	ber_put_integer(out, status);
	ber_put_integer(out, o->request.id);
	ber_put_header(out, BER_RESPONSE, end);
}

static size_t close_v2c(struct ber_out *out, const struct opened *o, const uint8_t *end)
{
	ber_put_octets(out, o->community.at, ber_left(&o->community));
	ber_put_integer(out, VERSION_2C);
	ber_put_header(out, BER_SEQUENCE, end);
	return out->full ? 0 : (size_t)(end - out->at);
}

static size_t close_v3(struct ber_out *out, const struct opened *o, uint8_t *end, int64_t now_ms)
{
	ber_put_octets(out, NULL, 0); /* context name */
	ber_put_octets(out, o->message.context_engine.at, ber_left(&o->message.context_engine));
	ber_put_header(out, BER_SEQUENCE, end);
	return usm_seal(o->peer, o->credential, o->message.id, USM_FLAG_AUTH | USM_FLAG_PRIV, out, end, now_ms);
}

enum message_result message_read(const uint8_t *bytes, size_t size, const struct walk *walk, bool last, int64_t now_ms,
				 const uint8_t **answer, size_t *answer_size)
{
	struct opened o = {.peer = NULL};
	struct ber_out out = {buffer.out, buffer.out + ENVELOPE + CONTEXT_MAX, false};
	long status, index;

	if (size > sizeof buffer.in)
		return MESSAGE_DECLINED;
	memcpy(buffer.in, bytes, size);
	if (!open_message(size, &o, now_ms))
		return MESSAGE_DECLINED;
	uint8_t *end = out.at + respond_read(&o.request, walk, &o.access, out.at, o.room, &status, &index);
	if (status == SNMP_ERR_GENERR && !last)
		return MESSAGE_BUSY;
	size_t asked = ber_left(&o.request.varbinds);
	/* RFC 3416, 4.2.1: the request's varbinds, or none when they were too many */
	if (status && status != SNMP_ERR_TOOBIG && asked <= o.room) {
		memcpy(out.at, o.request.varbinds.at, asked);
		end = out.at + asked;
	}
	close_pdu(&out, &o, end, status, index);
	*answer_size = o.peer ? close_v3(&out, &o, end, now_ms) : close_v2c(&out, &o, end);
	*answer = out.at;
	return *answer_size ? MESSAGE_ANSWERED : MESSAGE_DECLINED;
}
