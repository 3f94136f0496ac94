/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and replies by libfreeipmi; see freeipmi_packets.h. */
#include "tests/sim/freeipmi_packets.h"

#include <freeipmi/freeipmi.h>
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

static fiid_template_t tmpl_command = {
    {8, "cmd", FIID_FIELD_REQUIRED | FIID_FIELD_LENGTH_FIXED},
    {8 * (1 + REPLY_DATA_MAX), "data", FIID_FIELD_OPTIONAL | FIID_FIELD_LENGTH_VARIABLE}, /* an answer's too */
    {0, "", 0},
};
static fiid_template_t tmpl_reply = {
    {8, "cmd", FIID_FIELD_REQUIRED | FIID_FIELD_LENGTH_FIXED | FIID_FIELD_MAKES_PACKET_SUFFICIENT},
    {8, "comp_code", FIID_FIELD_REQUIRED | FIID_FIELD_LENGTH_FIXED | FIID_FIELD_MAKES_PACKET_SUFFICIENT},
    {8 * REPLY_DATA_MAX, "data", FIID_FIELD_OPTIONAL | FIID_FIELD_LENGTH_VARIABLE},
    {0, "", 0},
};

enum {
	OBJ_RMCP,
	OBJ_HEADER,
	OBJ_TRAILER,
	OBJ_PAYLOAD,
	OBJ_LAN_HEADER,
	OBJ_MSG_RQ,
	OBJ_MSG_RS,
	OBJ_MSG_TRAILER,
	OBJ_COMMAND,
	OBJ_REPLY,
	OBJ_COUNT
};
static fiid_obj_t obj[OBJ_COUNT];

void theirs_init(void)
{
	fiid_field_t *const templates[OBJ_COUNT] = {tmpl_rmcp_hdr,	 tmpl_rmcpplus_session_hdr, tmpl_rmcpplus_session_trlr,
						    tmpl_rmcpplus_payload, tmpl_lan_session_hdr,    tmpl_lan_msg_hdr_rq,
						    tmpl_lan_msg_hdr_rs,   tmpl_lan_msg_trlr,	    tmpl_command,
						    tmpl_reply};

	if (ipmi_rmcpplus_init() < 0)
		abort();
	for (size_t i = 0; i < OBJ_COUNT; i++)
		if (!obj[i] && !(obj[i] = fiid_obj_create(templates[i])))
			abort();
}

static size_t assemble(const struct rmcpp_session *s, fiid_obj_t message, uint8_t *out)
{
	if (fill_rmcp_hdr_ipmi(obj[OBJ_RMCP]) < 0 || fill_rmcpplus_session_trlr(obj[OBJ_TRAILER]) < 0)
		return 0;
	int size = assemble_ipmi_rmcpplus_pkt(s->authentication, s->integrity, s->confidentiality, s->integrity_key,
					      s->integrity_size, s->confidentiality_key, s->confidentiality_size, NULL, 0,
					      obj[OBJ_RMCP], obj[OBJ_HEADER], obj[OBJ_MSG_RQ], message, obj[OBJ_TRAILER],
					      out, PACKET_MAX, 0);
	return size < 0 ? 0 : (size_t)size;
}

static bool fill_message(uint8_t netfn, uint8_t lun, uint8_t command, const uint8_t *data, size_t size,
			 uint8_t request_sequence)
{
	fiid_obj_t o = obj[OBJ_COMMAND];

	return fill_lan_msg_hdr(IPMI_SLAVE_ADDRESS_BMC, netfn, lun, request_sequence, obj[OBJ_MSG_RQ]) == 0 &&
	       fiid_obj_clear(o) == 0 && fiid_obj_set(o, "cmd", command) == 0 &&
	       (size == 0 || fiid_obj_set_data(o, "data", data, (unsigned)size) == (int)size);
}

size_t theirs_make_command(struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out)
{
	if (++s->out_sequence == 0)
		s->out_sequence = 1;
	if (!fill_message(c->netfn, c->lun, c->command, c->data, c->size, request_sequence) ||
	    fill_rmcpplus_session_hdr(IPMI_PAYLOAD_TYPE_IPMI, 1, 1, 0, 0, s->managed_id, s->out_sequence,
				      obj[OBJ_HEADER]) < 0)
		return 0;
	return assemble(s, obj[OBJ_COMMAND], out);
}

/* An answer's header has the same places as a request's. */
size_t theirs_make_reply(const struct rmcpp_session *s, uint32_t sequence, const struct ipmi_command *c,
			 uint8_t request_sequence, const struct ipmi_reply *reply, uint8_t *out)
{
	uint8_t data[1 + REPLY_DATA_MAX] = {reply->completion};

	memcpy(data + 1, reply->data, reply->size);
	if (!fill_message(c->netfn | 1, 0, c->command, data, 1U + reply->size, request_sequence) ||
	    fill_rmcpplus_session_hdr(IPMI_PAYLOAD_TYPE_IPMI, 1, 1, 0, 0, s->console_id, sequence, obj[OBJ_HEADER]) < 0)
		return 0;
	return assemble(s, obj[OBJ_COMMAND], out);
}

size_t theirs_make_sessionless(const struct ipmi_command *c, uint8_t request_sequence, uint8_t *out)
{
	if (!fill_message(c->netfn, c->lun, c->command, c->data, c->size, request_sequence) ||
	    fill_rmcp_hdr_ipmi(obj[OBJ_RMCP]) < 0 ||
	    fill_lan_session_hdr(IPMI_AUTHENTICATION_TYPE_NONE, 0, 0, obj[OBJ_LAN_HEADER]) < 0)
		return 0;
	int size = assemble_ipmi_lan_pkt(obj[OBJ_RMCP], obj[OBJ_LAN_HEADER], obj[OBJ_MSG_RQ], obj[OBJ_COMMAND], NULL, 0,
					 out, PACKET_MAX, 0);
	return size < 0 ? 0 : (size_t)size;
}

size_t theirs_cover(const struct rmcpp_session *s, uint32_t sequence, const uint8_t *plain, size_t size,
		    const uint8_t *trailer, size_t trailer_size, uint8_t *out)
{
	bool sha256 = s->integrity == IPMI_INTEGRITY_ALGORITHM_HMAC_SHA256_128;
	size_t payload = size + 16, end = 32 + size + trailer_size, code_size = sha256 ? 16 : 12, code_room = 32;
	uint8_t code[32];
	gcry_cipher_hd_t aes;
	gcry_mac_hd_t mac;

	memcpy(out, (uint8_t[]){6, 0, 0xff, 7, 6, 0xc0}, 6);
	for (int i = 0; i < 4; i++) {
		out[6 + i] = (uint8_t)(s->console_id >> 8 * i);
		out[10 + i] = (uint8_t)(sequence >> 8 * i);
	}
	out[14] = (uint8_t)payload;
	out[15] = (uint8_t)(payload >> 8);
	memset(out + 16, 0x33, 16);
	if (gcry_cipher_open(&aes, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC, 0) ||
	    gcry_cipher_setkey(aes, s->confidentiality_key, 16) || gcry_cipher_setiv(aes, out + 16, 16) ||
	    (size && gcry_cipher_encrypt(aes, out + 32, size, plain, size)))
		abort();
	gcry_cipher_close(aes);
	memcpy(out + 32 + size, trailer, trailer_size);
	if (gcry_mac_open(&mac, sha256 ? GCRY_MAC_HMAC_SHA256 : GCRY_MAC_HMAC_SHA1, 0, NULL) ||
	    gcry_mac_setkey(mac, s->integrity_key, s->integrity_size) || gcry_mac_write(mac, out + 4, end - 4) ||
	    gcry_mac_read(mac, code, &code_room))
		abort();
	gcry_mac_close(mac);
	memcpy(out + end, code, code_size);
	return end + code_size;
}

/* The number in a field, or -1 when the packet ended before it. */
static int64_t field(fiid_obj_t o, const char *name)
{
	uint64_t value;

	return fiid_obj_get(o, name, &value) == 1 ? (int64_t)value : -1;
}

static bool take_reply(const struct ipmi_command *c, uint8_t request_sequence, struct ipmi_reply *reply)
{
	fiid_obj_t o = obj[OBJ_REPLY];
	int64_t completion = field(o, "comp_code");

	if (completion < 0 || field(o, "cmd") != c->command ||
	    ipmi_lan_check_net_fn(obj[OBJ_MSG_RS], c->netfn | 1) != 1 ||
	    ipmi_lan_check_rq_seq(obj[OBJ_MSG_RS], request_sequence) != 1 ||
	    ipmi_lan_check_checksum(obj[OBJ_MSG_RS], o, obj[OBJ_MSG_TRAILER]) != 1)
		return false;
	int size = fiid_obj_get_data(o, "data", reply->data, sizeof(reply->data));
	if (size < 0)
		return false;
	reply->completion = (uint8_t)completion;
	reply->size = (uint16_t)size;
	return true;
}

bool theirs_read_command(struct rmcpp_session *s, const struct ipmi_command *c, uint8_t request_sequence,
			 const uint8_t *data, size_t size, struct ipmi_reply *reply)
{
	if (unassemble_ipmi_rmcpplus_pkt(s->authentication, s->integrity, s->confidentiality, s->integrity_key,
					 s->integrity_size, s->confidentiality_key, s->confidentiality_size, data,
					 (unsigned)size, obj[OBJ_RMCP], obj[OBJ_HEADER], obj[OBJ_PAYLOAD],
					 obj[OBJ_MSG_RS], obj[OBJ_REPLY], obj[OBJ_MSG_TRAILER],
					 obj[OBJ_TRAILER], 0) != 1)
		return false;
	if (ipmi_rmcpplus_check_packet_session_authentication_code(s->integrity, data, (unsigned)size, s->integrity_key,
								   s->integrity_size, NULL, 0,
								   obj[OBJ_TRAILER]) != 1 ||
	    ipmi_rmcpplus_check_session_id(obj[OBJ_HEADER], s->console_id) != 1 ||
	    ipmi_rmcpplus_check_integrity_pad(obj[OBJ_TRAILER]) != 1 ||
	    ipmi_rmcpplus_check_payload_pad(s->confidentiality, obj[OBJ_PAYLOAD]) != 1)
		return false;
	int64_t sequence = field(obj[OBJ_HEADER], "session_sequence_number");
	if (sequence <= 0 ||
	    ipmi_check_session_sequence_number_2_0((uint32_t)sequence, &s->in_highest, &s->in_seen, 0) != 1)
		return false;
	return take_reply(c, request_sequence, reply);
}

bool theirs_read_sessionless(const struct ipmi_command *c, uint8_t request_sequence, const uint8_t *data, size_t size,
			     struct ipmi_reply *reply)
{
	if (unassemble_ipmi_lan_pkt(data, (unsigned)size, obj[OBJ_RMCP], obj[OBJ_LAN_HEADER], obj[OBJ_MSG_RS],
				    obj[OBJ_REPLY], obj[OBJ_MSG_TRAILER], 0) != 1)
		return false;
	return take_reply(c, request_sequence, reply);
}
