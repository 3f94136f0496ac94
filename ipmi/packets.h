/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What packets of IPMI over LAN are, and those of the RMCP+ handshake (IPMI 2.0, 13.17 to 13.24), made and taken apart by
 * libfreeipmi; commands and their replies are wire.h's. No state of a conversation here but what is passed in; the engine
 * calls it. Everything that comes in is hostile: a packet that is not exactly what was asked for is PACKET_GARBAGE. */
#ifndef GLORY_IPMI_PACKETS_H
#define GLORY_IPMI_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 1024
#define COMMAND_DATA_MAX 16
#define REPLY_DATA_MAX 300
#define SECRET_MAX 20 /* bytes of an IPMI 2.0 password and of K_g (13.31, 22.30) */
#define USER_MAX 16

/* A user's secrets at a class of BMCs. Lives in one place, wiped there (engine.c). */
struct bmc_secret {
	uint8_t password[SECRET_MAX];
	uint8_t kg[SECRET_MAX];
	uint8_t password_size, kg_size;
};

/* What both sides know of a session. Filled step by step by the handshake. */
struct rmcpp_session {
	uint32_t console_id, managed_id; /* ours, the BMC's */
	uint32_t out_sequence;
	uint32_t in_highest, in_seen; /* replay window, 6.12.13 */
	uint8_t tag;                  /* of the handshake message that waits for its answer */
	uint8_t privilege;            /* asked for in RAKP 1 */
	uint8_t authentication, integrity, confidentiality;
	uint8_t sik_size, integrity_size, confidentiality_size;
	uint8_t user_size;
	char user[USER_MAX + 1];
	uint8_t console_random[16], managed_random[16], guid[16];
	uint8_t sik[32], integrity_key[32], confidentiality_key[32];
};

struct ipmi_command {
	uint8_t netfn, lun, command, size;
	bool probe; /* not a command: a handshake message of probe.c */
	bool once; /* must not be sent again when its answer is lost: a second one would act again */
	uint8_t data[COMMAND_DATA_MAX];
};
struct ipmi_reply {
	uint8_t completion;
	uint16_t size; /* of data, behind the completion code */
	uint8_t data[REPLY_DATA_MAX];
};

enum packet_kind { PACKET_GARBAGE, PACKET_OPEN, PACKET_RAKP2, PACKET_RAKP4, PACKET_COMMAND, PACKET_SESSIONLESS };

struct packets;                    /* scratch objects, one per engine */
struct packets *packets_new(void); /* NULL: libfreeipmi could not start its cryptography */
void packets_free(struct packets *p);

/* Suites 17 and 3 only; everything else is refused by name (0, 1, 2, 6, 7, 11 do not protect the command). NULL: fine.
 */
const char *packets_suite_refused(unsigned suite);
/* Sets the algorithms of a suite that is not refused. */
void packets_suite(struct rmcpp_session *s, unsigned suite);

/* The algorithms of suite 0, to ask whether a BMC would take it; no session is ever opened with it. */
void packets_suite_none(struct rmcpp_session *s);

/* Makers: write to out (PACKET_MAX bytes), return the size, or 0 when libfreeipmi refuses (our bug). */
size_t packets_make_open(struct packets *p, const struct rmcpp_session *s, uint8_t maximum_privilege, uint8_t *out);
size_t packets_make_rakp1(struct packets *p, const struct rmcpp_session *s, uint8_t *out);
size_t packets_make_rakp3(struct packets *p, const struct rmcpp_session *s, const struct bmc_secret *secret,
			  uint8_t *out);

/* What a datagram claims to be, and for which session (0 for sessionless): only lengths and fixed bytes are looked at.
 */
enum packet_kind packets_look(const uint8_t *data, size_t size, uint32_t *console_id);

/* Readers. They return the RMCP+ status code of the message (0: the next step may be taken, *s is filled), or one of
 * these. */
enum { READ_GARBAGE = -1, READ_WRONG_PASSWORD = -2, READ_WRONG_KG = -3, READ_PRIVILEGE = -4 };
int packets_read_open(struct packets *p, struct rmcpp_session *s, uint8_t wanted_privilege, const uint8_t *data,
		      size_t size);
int packets_read_rakp2(struct packets *p, struct rmcpp_session *s, const struct bmc_secret *secret,
		       unsigned workarounds, const uint8_t *data, size_t size);
int packets_read_rakp4(struct packets *p, struct rmcpp_session *s, const struct bmc_secret *secret, const uint8_t *data,
		       size_t size);

#endif
