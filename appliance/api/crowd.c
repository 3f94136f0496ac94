/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of connections; see crowd.h. */
#include "api/crowd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

bool crowd_same_origin(const struct address *a, const struct address *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 8);
}

static bool same_owner(const struct peer *a, const struct peer *b)
{
	return a->face == b->face && (a->face == FACE_LOCAL ? a->uid == b->uid : crowd_same_origin(&a->from, &b->from));
}

bool crowd_has_room(const struct crowd *crowd, const struct peer *peer)
{
	static const unsigned whole[FACE_COUNT] = {CONNECTIONS_MAX, CONNECTIONS_HTTP, CONNECTIONS_HTTPS};
	static const unsigned each[FACE_COUNT] = {CONNECTIONS_PER_UID, CONNECTIONS_HTTP, CONNECTIONS_PER_ADDRESS};
	unsigned held = 0;

	if (crowd->count >= CONNECTIONS_MAX || crowd->of_face[peer->face] >= whole[peer->face])
		return false;
	if (peer->face == FACE_LOCAL && peer->uid == 0)
		return true;
	for (const struct connection *c = crowd->first; c; c = c->next)
		held += same_owner(&c->peer, peer);
	return held < each[peer->face];
}

struct connection *crowd_add(struct crowd *crowd, const struct peer *peer, int fd, int64_t now_ms)
{
	struct connection *c = mem_zalloc(sizeof *c);

	*c = (struct connection){.peer = *peer, .fd = fd, .since_ms = now_ms, .next = crowd->first};
	if (c->next)
		c->next->previous = c;
	crowd->first = c;
	crowd->count++;
	crowd->of_face[peer->face]++;
	return c;
}

void crowd_remove(struct crowd *crowd, struct connection *c)
{
	if (c->previous)
		c->previous->next = c->next;
	else
		crowd->first = c->next;
	if (c->next)
		c->next->previous = c->previous;
	crowd->count--;
	crowd->of_face[c->peer.face]--;
	free(c);
}

void crowd_asked(struct connection *c, bool asked, bool endless, int64_t now_ms)
{
	c->asked = asked;
	c->endless = endless;
	c->since_ms = now_ms;
}

void crowd_end_streams(struct crowd *crowd)
{
	for (struct connection *c = crowd->first; c; c = c->next)
		if (c->peer.face == FACE_HTTPS && c->asked && c->endless)
			shutdown(c->fd, SHUT_RDWR);
}

uint64_t crowd_oldest_certificate(const struct crowd *crowd)
{
	uint64_t lowest = UINT64_MAX;

	for (const struct connection *c = crowd->first; c; c = c->next)
		if (c->peer.face == FACE_HTTPS && c->certificate < lowest)
			lowest = c->certificate;
	return lowest;
}

bool crowd_origin(const struct sockaddr_storage *from, struct address *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!address_from_sockaddr(from, out))
		return false;
	if (out->family == 6 && !memcmp(out->bytes, mapped, sizeof mapped)) {
		out->family = 4;
		memmove(out->bytes, out->bytes + sizeof mapped, 4);
		memset(out->bytes + 4, 0, 12);
	}
	return true;
}

unsigned crowd_end_slow(struct crowd *crowd, int64_t now_ms)
{
	unsigned ended = 0;

	for (struct connection *c = crowd->first; c; c = c->next) {
		int64_t most = c->asked ? ANSWERING_MS : ASKING_MS;

		if (c->peer.face == FACE_LOCAL || (c->asked && c->endless) || now_ms - c->since_ms < most)
			continue;
		shutdown(c->fd, SHUT_RDWR);
		c->since_ms = now_ms;
		ended++;
	}
	return ended;
}
