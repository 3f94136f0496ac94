/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numeric endpoints to and from text and sockaddr; see address.h. Everybody calls it. */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Decimal, no sign, no blanks: text_integer() is more generous than an endpoint may be. */
static bool port_parse(const char *text, uint16_t *port)
{
	int64_t value;

	if (text[0] < '0' || text[0] > '9' || !text_integer(text, 1, 65535, &value))
		return false;
	*port = (uint16_t)value;
	return true;
}

/* Cuts "HOST", "HOST:PORT", "[HOST]" or "[HOST]:PORT" into host and *port; a second colon without brackets means IPv6.
 */
static bool endpoint_split(const char *text, char *host, size_t size, uint16_t *port)
{
	const char *colon = strchr(text, ':');
	const char *end = text + strlen(text);
	const char *after = NULL;

	if (text[0] == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && end[1] != ':') || !memchr(text, ':', (size_t)(end - text)))
			return false;
		after = end[1] ? end + 2 : NULL;
	} else if (colon && !strchr(colon + 1, ':')) {
		end = colon;
		after = colon + 1;
	}
	if (end == text || (size_t)(end - text) >= size)
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	return !after || port_parse(after, port);
}

bool address_parse(const char *text, uint16_t default_port, struct address *out)
{
	struct address a = {.port = default_port};
	char host[INET6_ADDRSTRLEN];

	if (!text || !endpoint_split(text, host, sizeof host, &a.port))
		return false;
	if (inet_pton(AF_INET, host, a.bytes) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, host, a.bytes) == 1)
		a.family = 6;
	else
		return false;
	*out = a;
	return true;
}

const char *address_text(const struct address *a, uint16_t omit_port, char out[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	out[0] = '\0';
	if (a->family != 4 && a->family != 6)
		return out;
	if (!inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, host, sizeof host))
		return out;
	if (a->port == 0 || a->port == omit_port)
		text_copy(out, ADDRESS_TEXT, host);
	else
		text_format(out, ADDRESS_TEXT, a->family == 4 ? "%s:%u" : "[%s]:%u", host, (unsigned)a->port);
	return out;
}

socklen_t address_to_sockaddr(const struct address *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof *in;
	}
	if (a->family == 6) {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
		in->sin6_family = AF_INET6;
		in->sin6_port = htons(a->port);
		memcpy(&in->sin6_addr, a->bytes, 16);
		return sizeof *in;
	}
	return 0;
}

bool address_from_sockaddr(const struct sockaddr_storage *s, struct address *out)
{
	struct address a = {0};

	if (s->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)s;
		a.family = 4;
		a.port = ntohs(in->sin_port);
		memcpy(a.bytes, &in->sin_addr, 4);
	} else if (s->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)s;
		a.family = 6;
		a.port = ntohs(in->sin6_port);
		memcpy(a.bytes, &in->sin6_addr, 16);
	} else {
		return false;
	}
	*out = a;
	return true;
}

bool address_same_host(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return false;
	return a->family == 0 || memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_same_host(a, b) && (a->family == 0 || a->port == b->port);
}
