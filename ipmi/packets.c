/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes and reads the packets of the handshake with libfreeipmi's functions; see packets.h. */
#include "ipmi/packets.h"

#include <assert.h>
#include <freeipmi/freeipmi.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "board/messages.h"

enum {
	OBJ_RMCP,
	OBJ_HEADER,
	OBJ_TRAILER,
	OBJ_PAYLOAD,
	OBJ_OPEN_RQ,
	OBJ_OPEN_RS,
	OBJ_RAKP1,
	OBJ_RAKP2,
	OBJ_RAKP3,
	OBJ_RAKP4,
	OBJ_COUNT
};

struct packets {
	fiid_obj_t obj[OBJ_COUNT];
};

/* Offsets in a packet, IPMI 2.0 table 13-8. */
enum {
	AT_VERSION = 0,
	AT_CLASS = 3,
	AT_AUTH_TYPE = 4,
	AT_PAYLOAD_TYPE = 5,
	AT_SESSION_ID = 6,
	AT_PAYLOAD_SIZE = 14,
	AT_PAYLOAD = 16
};
enum { AUTH_TYPE_NONE = 0, AUTH_TYPE_RMCPPLUS = 6, PAYLOAD_PROTECTED = 0xc0 };
enum { HEADER_1_5 = 14, SESSIONLESS_MIN = HEADER_1_5 + 8 };

void packets_free(struct packets *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < OBJ_COUNT; i++)
		fiid_obj_destroy(p->obj[i]);
	free(p);
}

struct packets *packets_new(void)
{
	fiid_field_t *const templates[OBJ_COUNT] = {
	    [OBJ_RMCP] = tmpl_rmcp_hdr,
	    [OBJ_HEADER] = tmpl_rmcpplus_session_hdr,
	    [OBJ_TRAILER] = tmpl_rmcpplus_session_trlr,
	    [OBJ_PAYLOAD] = tmpl_rmcpplus_payload,
	    [OBJ_OPEN_RQ] = tmpl_rmcpplus_open_session_request,
	    [OBJ_OPEN_RS] = tmpl_rmcpplus_open_session_response,
	    [OBJ_RAKP1] = tmpl_rmcpplus_rakp_message_1,
	    [OBJ_RAKP2] = tmpl_rmcpplus_rakp_message_2,
	    [OBJ_RAKP3] = tmpl_rmcpplus_rakp_message_3,
	    [OBJ_RAKP4] = tmpl_rmcpplus_rakp_message_4,
	};

	if (ipmi_rmcpplus_init() < 0)
		return NULL;
	struct packets *p = mem_zalloc(sizeof(*p));
	for (size_t i = 0; i < OBJ_COUNT; i++) {
		p->obj[i] = fiid_obj_create(templates[i]);
		if (!p->obj[i]) {
			packets_free(p);
			return NULL;
		}
	}
	return p;
}

const char *packets_suite_refused(unsigned suite)
{
	static const struct {
		uint8_t suite;
		const char *why;
	} refused[] = {
	    {0, "cipher suite 0 accepts any password"},      {1, "cipher suite 1 neither signs nor encrypts commands"},
	    {2, "cipher suite 2 does not encrypt commands"}, {6, "cipher suite 6 neither signs nor encrypts commands"},
	    {7, "cipher suite 7 does not encrypt commands"}, {11, "cipher suite 11 does not encrypt commands"},
	};

	if (suite == 17 || suite == 3)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (refused[i].suite == suite)
			return refused[i].why;
	return "only cipher suites 17 and 3 are used";
}

void packets_suite(struct rmcpp_session *s, unsigned suite)
{
	assert(!packets_suite_refused(suite));
	int known =
	    ipmi_cipher_suite_id_to_algorithms((uint8_t)suite, &s->authentication, &s->integrity, &s->confidentiality);
	assert(known == 0);
	(void)known;
}

void packets_suite_none(struct rmcpp_session *s)
{
	s->authentication = s->integrity = s->confidentiality = 0;
}

/* --- making ---------------------------------------------------------------------------------------- */

static size_t assemble(struct packets *p, uint8_t type, fiid_obj_t message, uint8_t *out)
{
	if (fill_rmcpplus_session_hdr(type, 0, 0, 0, 0, 0, 0, p->obj[OBJ_HEADER]) < 0 ||
	    fill_rmcp_hdr_ipmi(p->obj[OBJ_RMCP]) < 0 || fill_rmcpplus_session_trlr(p->obj[OBJ_TRAILER]) < 0)
		return 0;
	int size = assemble_ipmi_rmcpplus_pkt(0, 0, 0, NULL, 0, NULL, 0, NULL, 0, p->obj[OBJ_RMCP], p->obj[OBJ_HEADER],
					      NULL, message, p->obj[OBJ_TRAILER], out, PACKET_MAX, 0);
	return size < 0 ? 0 : (size_t)size;
}

size_t packets_make_open(struct packets *p, const struct rmcpp_session *s, uint8_t maximum_privilege, uint8_t *out)
{
	if (fill_rmcpplus_open_session(s->tag, maximum_privilege, s->console_id, s->authentication, s->integrity,
				       s->confidentiality, p->obj[OBJ_OPEN_RQ]) < 0)
		return 0;
	return assemble(p, IPMI_PAYLOAD_TYPE_RMCPPLUS_OPEN_SESSION_REQUEST, p->obj[OBJ_OPEN_RQ], out);
}

size_t packets_make_rakp1(struct packets *p, const struct rmcpp_session *s, uint8_t *out)
{
	if (fill_rmcpplus_rakp_message_1(s->tag, s->managed_id, s->console_random, sizeof(s->console_random),
					 s->privilege, IPMI_NAME_ONLY_LOOKUP, s->user, s->user_size,
					 p->obj[OBJ_RAKP1]) < 0)
		return 0;
	return assemble(p, IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_1, p->obj[OBJ_RAKP1], out);
}

size_t packets_make_rakp3(struct packets *p, const struct rmcpp_session *s, const struct bmc_secret *secret,
			  uint8_t *out)
{
	uint8_t code[64];
	int size = ipmi_calculate_rakp_3_key_exchange_authentication_code(
	    s->authentication, secret->password, secret->password_size, s->managed_random, sizeof(s->managed_random),
	    s->console_id, IPMI_NAME_ONLY_LOOKUP, s->privilege, s->user, s->user_size, code, sizeof(code));

	if (size < 0 || fill_rmcpplus_rakp_message_3(s->tag, RMCPPLUS_STATUS_NO_ERRORS, s->managed_id, code,
						     (unsigned)size, p->obj[OBJ_RAKP3]) < 0)
		return 0;
	return assemble(p, IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_3, p->obj[OBJ_RAKP3], out);
}

/* --- reading --------------------------------------------------------------------------------------- */

static uint32_t little32(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

enum packet_kind packets_look(const uint8_t *data, size_t size, uint32_t *console_id)
{
	*console_id = 0;
	if (size < AT_PAYLOAD + 2 || size > PACKET_MAX || data[AT_VERSION] != RMCP_VERSION_1_0 ||
	    data[AT_CLASS] != RMCP_HDR_MESSAGE_CLASS_IPMI)
		return PACKET_GARBAGE;
	if (data[AT_AUTH_TYPE] == AUTH_TYPE_NONE)
		return size >= SESSIONLESS_MIN && data[HEADER_1_5 - 1] == size - HEADER_1_5 ? PACKET_SESSIONLESS
											    : PACKET_GARBAGE;
	if (data[AT_AUTH_TYPE] != AUTH_TYPE_RMCPPLUS)
		return PACKET_GARBAGE;
	if (data[AT_PAYLOAD_TYPE] == (PAYLOAD_PROTECTED | IPMI_PAYLOAD_TYPE_IPMI)) {
		*console_id = little32(data + AT_SESSION_ID);
		return *console_id ? PACKET_COMMAND : PACKET_GARBAGE;
	}
	if (size >= AT_PAYLOAD + 8) /* else a refusal of tag and status alone, as some BMCs send it */
		*console_id = little32(data + AT_PAYLOAD + 4);
	switch (data[AT_PAYLOAD_TYPE]) {
	case IPMI_PAYLOAD_TYPE_RMCPPLUS_OPEN_SESSION_RESPONSE:
		return PACKET_OPEN;
	case IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_2:
		return PACKET_RAKP2;
	case IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_4:
		return PACKET_RAKP4;
	default:
		return PACKET_GARBAGE;
	}
}

/* The number in a field, or -1 when the packet ended before it. */
static int64_t field(fiid_obj_t o, const char *name)
{
	uint64_t value;

	return fiid_obj_get(o, name, &value) == 1 ? (int64_t)value : -1;
}

/* Takes a handshake message apart and checks tag and our id. Returns its status code or READ_GARBAGE. */
static int open_handshake(struct packets *p, const struct rmcpp_session *s, fiid_obj_t message, const uint8_t *data,
			  size_t size)
{
	if (unassemble_ipmi_rmcpplus_pkt(0, 0, 0, NULL, 0, NULL, 0, data, (unsigned)size, p->obj[OBJ_RMCP],
					 p->obj[OBJ_HEADER], p->obj[OBJ_PAYLOAD], NULL, message, NULL,
					 p->obj[OBJ_TRAILER], 0) != 1)
		return READ_GARBAGE;
	if (field(message, "message_tag") != s->tag)
		return READ_GARBAGE;
	int64_t status = field(message, "rmcpplus_status_code");
	if (status < 0)
		return READ_GARBAGE;
	/* BMCs leave the id out of refusals or set it to zero; packets_look() has found the session by it when it is
	 * there */
	if (status == RMCPPLUS_STATUS_NO_ERRORS && field(message, "remote_console_session_id") != s->console_id)
		return READ_GARBAGE;
	return (int)status;
}

int packets_read_open(struct packets *p, struct rmcpp_session *s, uint8_t wanted_privilege, const uint8_t *data,
		      size_t size)
{
	fiid_obj_t o = p->obj[OBJ_OPEN_RS];
	int status = open_handshake(p, s, o, data, size);

	if (status != RMCPPLUS_STATUS_NO_ERRORS)
		return status;
	int64_t id = field(o, "managed_system_session_id");
	/* a BMC that quietly chose other algorithms would be a downgrade */
	if (id <= 0 || field(o, "authentication_payload.authentication_algorithm") != s->authentication ||
	    field(o, "integrity_payload.integrity_algorithm") != s->integrity ||
	    field(o, "confidentiality_payload.confidentiality_algorithm") != s->confidentiality)
		return READ_GARBAGE;
	if (field(o, "maximum_privilege_level") < wanted_privilege)
		return READ_PRIVILEGE;
	s->managed_id = (uint32_t)id;
	return status;
}

/* Shapes that some makers get wrong: a payload length one too long (Supermicro), a code one byte too long (Sun). */
static size_t mend_rakp2(const struct rmcpp_session *s, unsigned workarounds, const uint8_t *data, size_t size,
			 uint8_t *out)
{
	size_t code = s->authentication == IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA256 ? 32 : 20;
	size_t expected = 40 + code;
	size_t told = data[AT_PAYLOAD_SIZE] | (size_t)data[AT_PAYLOAD_SIZE + 1] << 8;

	memcpy(out, data, size);
	if (told != expected + 1 || size < AT_PAYLOAD + expected)
		return size;
	if ((workarounds & (BMC_WORKAROUND_SUPERMICRO20 | BMC_WORKAROUND_SUN20)) == 0)
		return size;
	out[AT_PAYLOAD_SIZE] = (uint8_t)expected;
	return AT_PAYLOAD + expected;
}

int packets_read_rakp2(struct packets *p, struct rmcpp_session *s, const struct bmc_secret *secret,
		       unsigned workarounds, const uint8_t *data, size_t size)
{
	uint8_t mended[PACKET_MAX];
	fiid_obj_t o = p->obj[OBJ_RAKP2];

	size = mend_rakp2(s, workarounds, data, size, mended);
	int status = open_handshake(p, s, o, mended, size);
	if (status != RMCPPLUS_STATUS_NO_ERRORS)
		return status;
	if (fiid_obj_get_data(o, "managed_system_random_number", s->managed_random, 16) != 16 ||
	    fiid_obj_get_data(o, "managed_system_guid", s->guid, 16) != 16)
		return READ_GARBAGE;
	int right = ipmi_rmcpplus_check_rakp_2_key_exchange_authentication_code(
	    s->authentication, secret->password, secret->password_size, s->console_id, s->managed_id, s->console_random,
	    16, s->managed_random, 16, s->guid, 16, IPMI_NAME_ONLY_LOOKUP, s->privilege, s->user, s->user_size, o);
	return right == 1 ? status : READ_WRONG_PASSWORD;
}

static bool derive_keys(struct rmcpp_session *s, const struct bmc_secret *secret)
{
	uint8_t sik[64], integrity[64], confidentiality[64];
	void *sik_at = sik, *integrity_at = integrity, *confidentiality_at = confidentiality;
	unsigned sik_size = 64, integrity_size = 64, confidentiality_size = 64;

	bool done = ipmi_calculate_rmcpplus_session_keys(
			s->authentication, s->integrity, s->confidentiality, secret->password, secret->password_size,
			secret->kg_size ? secret->kg : NULL, secret->kg_size, s->console_random, 16, s->managed_random,
			16, IPMI_NAME_ONLY_LOOKUP, s->privilege, s->user, s->user_size, &sik_at, &sik_size,
			&integrity_at, &integrity_size, &confidentiality_at, &confidentiality_size) == 0 &&
		    sik_size <= sizeof(s->sik) && integrity_size <= sizeof(s->integrity_key) &&
		    confidentiality_size <= sizeof(s->confidentiality_key);
	if (done) {
		memcpy(s->sik, sik_at, sik_size);
		memcpy(s->integrity_key, integrity_at, integrity_size);
		memcpy(s->confidentiality_key, confidentiality_at, confidentiality_size);
		s->sik_size = (uint8_t)sik_size;
		s->integrity_size = (uint8_t)integrity_size;
		s->confidentiality_size = (uint8_t)confidentiality_size;
	}
	explicit_bzero(sik, sizeof(sik));
	explicit_bzero(integrity, sizeof(integrity));
	explicit_bzero(confidentiality, sizeof(confidentiality));
	return done;
}

int packets_read_rakp4(struct packets *p, struct rmcpp_session *s, const struct bmc_secret *secret, const uint8_t *data,
		       size_t size)
{
	fiid_obj_t o = p->obj[OBJ_RAKP4];
	int status = open_handshake(p, s, o, data, size);

	if (status != RMCPPLUS_STATUS_NO_ERRORS)
		return status;
	if (!derive_keys(s, secret))
		return READ_GARBAGE;
	int right = ipmi_rmcpplus_check_rakp_4_integrity_check_value(
	    s->authentication, s->sik, s->sik_size, s->console_random, 16, s->managed_id, s->guid, 16, o);
	explicit_bzero(s->sik, sizeof(s->sik));
	/* the password was right in RAKP 2, so what differs in the session integrity key is K_g */
	if (right != 1)
		return READ_WRONG_KG;
	s->out_sequence = 0;
	return ipmi_check_session_sequence_number_2_0_init(&s->in_highest, &s->in_seen) < 0 ? READ_GARBAGE : status;
}
