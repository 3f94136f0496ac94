/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request templates: a PDU encoded once by libsnmp, patched with a request id for every sending, and the decoding of
 * its answers by comparing them with the encoded names that were asked for. Shared by all agents that are asked the
 * same. */
#ifndef GLORY_COLLECTOR_TEMPLATE_H
#define GLORY_COLLECTOR_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mibs/snmp/ber.h"

enum { QUERY_VARBINDS = 26, QUERY_OID_MAX = 40, QUERY_PDU_MAX = 1300 };

/* What came back for one varbind. The numbers are those of SAMPLE_* in board/messages.h; VALUE_TEXT is for the engine
 * alone. */
enum value_type {
	VALUE_INTEGER = 1,
	VALUE_COUNTER32,
	VALUE_GAUGE32,
	VALUE_TIMETICKS,
	VALUE_COUNTER64,
	VALUE_MISSING,
	VALUE_TEXT
};

struct query_value {
	uint8_t type;      /* enum value_type */
	uint8_t exception; /* BER_NO_SUCH_OBJECT and so on when missing, else 0 */
	int64_t value;     /* Counter64 in two's complement */
	struct ber text;   /* VALUE_TEXT: bytes of the datagram */
};

/* One varbind wanted. object and instance mean nothing here: they come back with the value. */
struct query_want {
	uint16_t object, instance;
	uint8_t oid_length;
	uint32_t oid[QUERY_OID_MAX];
};

struct query_item {
	uint16_t object, instance;
	uint16_t oid_at, oid_size; /* type, length and bytes of the name inside pdu */
};

struct query {
	uint32_t references;
	uint16_t count;
	uint16_t every;       /* the owner's: asked in every so many polls */
	uint16_t size, id_at; /* of pdu; where the four bytes of the request id stand */
	uint64_t hash;
	uint64_t asked, answered, bytes_out, bytes_in; /* the owner's: what it costs */
	struct query *next;
	struct query_item items[QUERY_VARBINDS];
	uint8_t pdu[]; /* the whole PDU, from its type byte on */
};

/* A GET of 1 to QUERY_VARBINDS names. NULL when it does not fit into QUERY_PDU_MAX or a name is none. */
struct query *query_new(const struct query_want *wants, size_t count);
/* GETBULK (version 1 and above) or GETNEXT of one name into out; returns its size, 0 when it cannot be. */
size_t query_walk_pdu(const uint32_t *oid, size_t length, int max_repetitions, uint8_t *out, size_t room,
		      size_t *id_at);

/* Equal queries exist once: a set of them with counted references. */
struct query_set;
struct query_set *query_set_new(void);
void query_set_free(struct query_set *set); /* whatever the references */
/* The query of these wants (made when it is new), with one reference more; NULL as query_new(). */
struct query *query_get(struct query_set *set, const struct query_want *wants, size_t count, uint16_t every);
void query_release(struct query_set *set, struct query *query);
size_t query_set_count(const struct query_set *set);

/* A response PDU taken apart. */
struct response {
	uint8_t type; /* BER_RESPONSE or BER_REPORT */
	int64_t id, error_status, error_index;
	struct ber whole;    /* the PDU */
	struct ber varbinds; /* content of the list */
};
bool response_parse(struct ber in, struct response *out);

enum query_result { QUERY_OK, QUERY_OTHER, QUERY_BAD };
/* values: query->count of them. Same names in the same order: QUERY_OK. Other names or another order: QUERY_OTHER, ask
 * query_decode_slow(). Not decodable: QUERY_BAD. */
enum query_result query_decode(const struct query *query, struct ber varbinds, struct query_value *values);
/* By libsnmp, any order; names that do not come back are missing. Text values are not kept. QUERY_OK or QUERY_BAD. */
enum query_result query_decode_slow(const struct query *query, const struct response *response,
				    struct query_value *values);
/* The value of one varbind. False: not decodable. */
bool value_decode(uint8_t type, struct ber content, struct query_value *value);

#endif
