/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A UDP or TCP endpoint as it is stored on the board and sent in messages: numeric only, names are never resolved in a role. */
#ifndef GLORY_BASE_ADDRESS_H
#define GLORY_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT 56 /* "[ffff:...:255.255.255.255]:65535" and a zero */

struct address {
	uint8_t family; /* 0 none, 4 or 6 */
	uint8_t pad;
	uint16_t port; /* host order */
	uint8_t bytes[16]; /* IPv4 in the first four */
};

/* "10.1.0.1", "10.1.0.1:161", "::1", "[::1]:161"; the port is default_port when none stands there. False: not numeric. */
bool address_parse(const char *text, uint16_t default_port, struct address *out);
/* With the port ("10.1.0.1:161") when it is not omit_port; "" for none. Returns out. */
const char *address_text(const struct address *a, uint16_t omit_port, char out[ADDRESS_TEXT]);
/* Returns the length to give to sendto(2), 0 for none. */
socklen_t address_to_sockaddr(const struct address *a, struct sockaddr_storage *out);
bool address_from_sockaddr(const struct sockaddr_storage *s, struct address *out);
bool address_equal(const struct address *a, const struct address *b); /* port too */
bool address_same_host(const struct address *a, const struct address *b);

#endif
