/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users of the TLS listener and their guesses; see login.h. */
#include "api/login.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#include "api/crowd.h"
#include "base/memory.h"
#include "base/text.h"

#define DIGEST 32
#define GUESSERS 64

static struct user {
	char name[NAME_SIZE];
	uint8_t digest[DIGEST];
	bool known;
} users[LOGIN_USERS];
static size_t user_count;
static struct guesser {
	struct address from;
	unsigned wrong;
	int64_t since_ms; /* when the last of them was taken back, or made */
} guessers[GUESSERS];

/* HMAC-SHA256 with a key that no other process, and no later one, has. False: there is no randomness; nobody is let in then. */
static bool digest_of(const char *name, const char *password, uint8_t out[DIGEST])
{
	static uint8_t key[DIGEST];
	static bool made;
	gnutls_hmac_hd_t h;

	if (!made && gnutls_rnd(GNUTLS_RND_KEY, key, sizeof key))
		return false;
	made = true;
	if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, key, sizeof key))
		return false;
	bool good = !gnutls_hmac(h, name, strlen(name) + 1) && !gnutls_hmac(h, password, strlen(password));
	gnutls_hmac_deinit(h, out);
	return good;
}

static struct user *find_user(const char *name)
{
	for (size_t i = 0; i < user_count; i++)
		if (!strcmp(users[i].name, name))
			return &users[i];
	return NULL;
}

void login_users(const struct msg_user *list, size_t count)
{
	struct user fresh[LOGIN_USERS];
	size_t n = 0;

	memset(fresh, 0, sizeof fresh);
	for (size_t i = 0; i < count && n < LOGIN_USERS; i++) {
		if (!list[i].https || list[i].right < RIGHT_VIEW || !text_terminated(list[i].name, sizeof list[i].name))
			continue;
		const struct user *old = find_user(list[i].name);
		if (old)
			fresh[n] = *old;
		text_copy(fresh[n++].name, sizeof fresh[0].name, list[i].name);
	}
	memcpy(users, fresh, sizeof users);
	user_count = n;
	gnutls_memset(fresh, 0, sizeof fresh);
}

void login_forget(const char *name)
{
	struct user *u = find_user(name);

	if (u)
		u->known = false;
}

int login_password(const char *name, const char *text, struct error *e)
{
	struct user *u = find_user(name);
	const char *at = text;
	char password[LOGIN_PASSWORD_MAX + 1], label[NAME_SIZE + 16];

	if (!u)
		return 0; /* he has been removed meanwhile */
	u->known = false;
	while (at && strncmp(at, "password=", 9) != 0)
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	size_t size = at ? strcspn(at + 9, "\r\n") : 0;
	text_format(label, sizeof label, "secret https/%s", name);
	if (size < LOGIN_PASSWORD_MIN || size > LOGIN_PASSWORD_MAX)
		return error_set(e, ERR_CONFIG, label, "write one line password=... with 8 to 256 bytes", "its password has %zu bytes", size);
	memcpy(password, at + 9, size);
	password[size] = '\0';
	u->known = digest_of(name, password, u->digest);
	gnutls_memset(password, 0, sizeof password);
	return u->known ? 0 : error_set(e, ERR_NO_RESOURCE, label, "restart the appliance", "cannot be kept: there is no randomness");
}

/* --- what a client says ------------------------------------------------------------------------------ */

static int value_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 4648, 4, with its padding. Bytes written, or 0. */
static size_t decode(const char *text, size_t size, char *out)
{
	uint32_t bits = 0;
	size_t n = 0, pad = 0;

	if (size == 0 || size % 4)
		return 0;
	while (pad < 2 && text[size - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < size - pad; i++) {
		int v = value_of(text[i]);
		if (v < 0)
			return 0;
		bits = (bits << 6 | (uint32_t)v) & 0xffffff;
		if (i % 4)
			out[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	return n;
}

bool login_parse(const char *header, char out[LOGIN_HEADER_MAX], size_t *password)
{
	size_t size = strnlen(header, LOGIN_HEADER_MAX);

	if (size >= LOGIN_HEADER_MAX || strncasecmp(header, "Basic ", 6) != 0)
		return false;
	for (header += 6, size -= 6; *header == ' '; header++)
		size--;
	while (size && header[size - 1] == ' ')
		size--;
	size_t n = decode(header, size, out);
	char *colon = n ? memchr(out, ':', n) : NULL;
	if (!colon || memchr(out, 0, n) || colon - out >= NAME_SIZE)
		return false;
	*colon = '\0';
	out[n] = '\0'; /* four characters made three bytes of them */
	*password = (size_t)(colon - out) + 1;
	return true;
}

static void forgive(struct guesser *g, int64_t now_ms)
{
	int64_t steps = (now_ms - g->since_ms) / LOGIN_TRY_AGAIN_MS;

	if (g->wrong == 0 || steps <= 0)
		return;
	g->wrong = steps >= (int64_t)g->wrong ? 0 : g->wrong - (unsigned)steps;
	g->since_ms += steps * LOGIN_TRY_AGAIN_MS;
}

/* Whose guesses these are; with make a place for him, if need be that of the one who has been quiet for longest. */
static struct guesser *guesser_of(const struct address *from, int64_t now_ms, bool make)
{
	struct guesser *oldest = &guessers[0];

	for (size_t i = 0; i < GUESSERS; i++) {
		struct guesser *g = &guessers[i];
		forgive(g, now_ms);
		if (g->wrong && crowd_same_origin(&g->from, from))
			return g;
		if (oldest->wrong && (!g->wrong || g->since_ms < oldest->since_ms))
			oldest = g;
	}
	if (make)
		*oldest = (struct guesser){.from = *from, .since_ms = now_ms};
	return make ? oldest : NULL;
}

/* The work is the same for a user who is not there. */
static bool proves(const char *name, const char *password)
{
	static const struct user nobody = {.name = ""};
	const struct user *u = find_user(name);
	uint8_t digest[DIGEST];

	bool made = digest_of(name, password, digest);
	bool same = gnutls_memcmp(digest, u ? u->digest : nobody.digest, DIGEST) == 0;
	gnutls_memset(digest, 0, sizeof digest);
	return made && same && u && u->known;
}

enum login login_check(const char *header, const struct address *from, int64_t now_ms, char name[NAME_SIZE])
{
	char said[LOGIN_HEADER_MAX];
	size_t password = 0;

	if (!header)
		return LOGIN_NONE;
	const struct guesser *before = guesser_of(from, now_ms, false);
	if (before && before->wrong >= LOGIN_TRIES)
		return LOGIN_WAIT;
	bool good = login_parse(header, said, &password) && proves(said, said + password);
	if (good) {
		text_copy(name, NAME_SIZE, said);
	} else {
		struct guesser *g = guesser_of(from, now_ms, true);
		if (g->wrong++ == 0)
			g->since_ms = now_ms;
	}
	gnutls_memset(said, 0, sizeof said);
	return good ? LOGIN_GOOD : LOGIN_BAD;
}
