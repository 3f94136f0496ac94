/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who made a connection, as the kernel says, and what its groups allow; see server.h. */
#include "api/server.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define GROUPS_MAX 1024
#define USERS_MAX 32
#define CACHE_MS 10000

/* The ids of the three groups; they may be made while we run. */
static struct {
	uint32_t gid;
	bool known;
} groups[RIGHT_COUNT];
static struct {
	char name[NAME_SIZE];
	enum right right;
	uint32_t uid;
	bool known;
} users[USERS_MAX];
static size_t user_count;
static int64_t known_until_ms;

static void look_up(int64_t now_ms)
{
	char buffer[65536];
	struct group g, *found;

	if (now_ms < known_until_ms)
		return;
	known_until_ms = now_ms + CACHE_MS;
	for (int right = RIGHT_VIEW; right < RIGHT_COUNT; right++) {
		found = NULL;
		groups[right].known =
		    getgrnam_r(words_name(WORDS_RIGHT, right), &g, buffer, sizeof buffer, &found) == 0 && found;
		if (groups[right].known)
			groups[right].gid = g.gr_gid;
	}
	for (size_t i = 0; i < user_count; i++) {
		struct passwd p, *is = NULL;
		users[i].known = getpwnam_r(users[i].name, &p, buffer, sizeof buffer, &is) == 0 && is;
		users[i].uid = users[i].known ? p.pw_uid : 0;
	}
}

void peer_users(const struct msg_user *list, size_t count)
{
	user_count = 0;
	for (size_t i = 0; i < count && user_count < USERS_MAX; i++) {
		if (list[i].https || !text_terminated(list[i].name, sizeof list[i].name) || list[i].right >= RIGHT_COUNT)
			continue;
		text_copy(users[user_count].name, sizeof users[user_count].name, list[i].name);
		users[user_count++].right = (enum right)list[i].right;
	}
	known_until_ms = 0;
}

enum right peer_right(uint32_t uid, const uint32_t *gids, size_t count, int64_t now_ms)
{
	enum right best = RIGHT_NONE;

	if (uid == 0)
		return RIGHT_ADMIN;
	look_up(now_ms);
	for (int right = RIGHT_VIEW; right < RIGHT_COUNT; right++)
		for (size_t i = 0; groups[right].known && i < count; i++)
			if (gids[i] == groups[right].gid)
				best = (enum right)right;
	for (size_t i = 0; i < user_count; i++)
		if (users[i].known && users[i].uid == uid && users[i].right > best)
			best = users[i].right;
	return best;
}

/* The credentials of the moment of connect(2): a process that passes the socket on passes its rights with it, as for
 * any open file. */
bool peer_of_socket(int fd, struct peer *out)
{
	static uint32_t gids[GROUPS_MAX + 1];
	struct ucred credentials;
	socklen_t size = sizeof credentials, list = GROUPS_MAX * sizeof gids[0];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
		return false;
	gids[0] = credentials.gid;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids + 1, &list))
		list = 0;
	*out = (struct peer){.face = FACE_LOCAL, .uid = credentials.uid};
	out->right = peer_right(out->uid, gids, 1 + list / sizeof gids[0], clock_mono_ms());
	text_format(out->actor, sizeof out->actor, "uid:%" PRIu32, out->uid);
	return true;
}
