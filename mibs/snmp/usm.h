/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SNMPv3 with the user-based security model (RFC 3412, 3414, 3826, 7860) for many engines: one peer per agent holds its
 * localized keys as ready hash and cipher states, so that a message costs microseconds however many agents there are.
 */
#ifndef GLORY_SNMP_USM_H
#define GLORY_SNMP_USM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mibs/snmp/ber.h"
#include "mibs/snmp/credential.h"

enum { USM_ENGINE_ID_MAX = 32, USM_MAC_MAX = 24, USM_SALT = 8, USM_WINDOW_S = 150, USM_MESSAGE_MAX = 65507 };
enum usm_flag { USM_FLAG_AUTH = 1, USM_FLAG_PRIV = 2, USM_FLAG_REPORTABLE = 4 };

struct usm_peer;

/* A message as far as it can be read without keys. All pointers are into the datagram. */
struct usm_message {
	uint8_t *bytes;
	size_t size;
	int64_t id;    /* msgID */
	int64_t limit; /* msgMaxSize */
	uint8_t flags;
	struct ber engine_id, user, mac, salt;
	int64_t boots, time;
	struct ber data; /* content of msgData: the scoped PDU's fields, or the encrypted bytes */
	struct ber context_engine, context_name; /* once it is open */
};

enum usm_result { USM_OK, USM_GARBAGE, USM_WRONG_MAC };

/* False: not a message of version 3 with this security model. */
bool usm_read(uint8_t *bytes, size_t size, struct usm_message *out);

/* Localizes one of the credential's keys (Ku) for an engine (RFC 3414, 2.6): key_size bytes into out. */
bool usm_localize(const struct credential *credential, const uint8_t *ku, const uint8_t *engine_id, size_t size,
		  uint8_t out[USM_KEY_MAX]);
/* Keys of the user for this engine, localized (RFC 3414, 2.6). NULL when the id has not 5 to 32 bytes or the keys
 * cannot be made. */
struct usm_peer *usm_peer_new(const struct credential *credential, const uint8_t *engine_id, size_t size);
void usm_peer_free(struct usm_peer *peer);
bool usm_peer_is(const struct usm_peer *peer, struct ber engine_id);
const uint8_t *usm_peer_id(const struct usm_peer *peer, size_t *size);

/* Boots and time of the peer's engine as told by a message. Unproved ones (discovery) are only a first guess. */
void usm_peer_clock(struct usm_peer *peer, int64_t boots, int64_t time, bool proved, int64_t now);

/* Boots and time of its engine now, as far as they are known; 0 0 when nothing was told yet. */
void usm_peer_told(const struct usm_peer *peer, int64_t now, int64_t *boots, int64_t *time);

/* A message with the PDU (its request id at id_at is set to id, too) into [room, room + room_size); returns the size
 * and where it starts. peer NULL: discovery, without user and engine id. 0: does not fit. */
size_t usm_write(struct usm_peer *peer, const struct credential *credential, uint32_t id, const uint8_t *pdu,
		 size_t pdu_size, size_t id_at, uint8_t *room, size_t room_size, const uint8_t **start, int64_t now);

/* Makes a message of a scoped PDU that stands in [out->at, end), in place; room for the rest is in front of it. flags: enum
 * usm_flag; encrypted when USM_FLAG_PRIV is among them. Returns its size (it begins at out->at), 0: it does not fit. */
size_t usm_seal(struct usm_peer *peer, const struct credential *credential, int64_t id, uint8_t flags, struct ber_out *out,
		uint8_t *end, int64_t now);

/* An engine of our own, to which others send (RFC 3414: the authoritative one). */
struct usm_clock {
	uint8_t id[USM_ENGINE_ID_MAX];
	size_t id_size; /* 0: not known yet */
	int64_t boots, time_s;
};
/* A Report without any proof, to somebody whose keys or user are not known. Size and start as usm_write(). */
size_t usm_report(const struct usm_clock *own, const struct usm_message *asked, const uint8_t *pdu, size_t pdu_size,
		  uint8_t *room, size_t room_size, const uint8_t **start);

/* Checks engine id, user and MAC of an authenticated message and decrypts in place. On USM_OK *pdu is the PDU. */
enum usm_result usm_open(struct usm_peer *peer, const struct credential *credential, struct usm_message *message,
			 struct ber *pdu);
/* Whether an opened message is within the time window (RFC 3414, 3.2 step 7b); takes its clock when that is newer. Not
 * asked of a Report about the time window itself. */
bool usm_in_window(struct usm_peer *peer, const struct usm_message *message, int64_t now);
/* The same where the peer stands for our own engine, whose clock is the truth (step 7a). */
bool usm_is_timely(const struct usm_peer *peer, const struct usm_message *message, int64_t now);
/* The PDU of a message that is not encrypted, without any proof. */
bool usm_plain_pdu(struct usm_message *message, struct ber *pdu);

#endif
