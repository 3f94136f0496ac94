/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials; see credentials.h. */
#include "control/role/credentials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { CREDENTIALS_MAX = 32, FRESH_MS = 30000, PARTS = 3 };

/* One secret of class ssh, by the ending of its name. */
static const struct part {
	const char *secret, *file;
	bool authority; /* its lines become lines of known_hosts */
} parts[PARTS] = {{"", "", false}, {"-cert", "-cert.pub", false}, {"-ca", ".known", true}};

struct credential {
	uint32_t class; /* 0: free */
	char name[NAME_SIZE];
	enum credential_state state;
	unsigned answered, missing; /* bits of parts */
	int64_t asked_ms, at_ms;
	char trouble[160];
	char snmp[SECRET_TEXT];
};

struct credentials {
	char keys[320];
	void (*ask)(void *arg, const struct msg_secret_ask *m);
	void *arg;
	struct credential list[CREDENTIALS_MAX];
};

static unsigned all_parts(const struct credential *c)
{
	return c->class == SECRET_SSH ? (1u << PARTS) - 1 : 1u;
}

static void empty_directory(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *entry; d && (entry = readdir(d));)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
}

struct credentials *credentials_new(const char *keys, void (*ask)(void *arg, const struct msg_secret_ask *m), void *arg)
{
	struct credentials *all;

	if (mkdir(keys, 0700) && errno != EEXIST) {
		log_error("%s: cannot be made: %s", keys, strerror(errno));
		return NULL;
	}
	empty_directory(keys);
	all = mem_zalloc(sizeof *all);
	text_copy(all->keys, sizeof all->keys, keys);
	all->ask = ask;
	all->arg = arg;
	return all;
}

/* --- files ------------------------------------------------------------------------------------------------ */
static bool write_authority(int fd, const char *text)
{
	static const char mark[] = "@cert-authority * ";
	bool good = true;

	while (*text && good) {
		size_t length = strcspn(text, "\n");
		if (length > 1 && text[0] != '#')
			good = bytes_write(fd, mark, sizeof mark - 1) && bytes_write(fd, text, length) && bytes_write(fd, "\n", 1);
		text += length + (text[length] == '\n');
	}
	return good;
}

static bool write_file(const struct credentials *all, const struct credential *c, const struct part *p, const char *text)
{
	char path[512], beside[512];

	if (!text_format(path, sizeof path, "%s/%s%s", all->keys, c->name, p->file) || !text_format(beside, sizeof beside, "%s/.new", all->keys))
		return false;
	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0 && (p->authority ? write_authority(fd, text) : bytes_write(fd, text, strlen(text)));
	if (fd >= 0)
		close(fd);
	good = good && !rename(beside, path);
	if (!good)
		log_error("%s: cannot be written: %s", path, strerror(errno));
	return good;
}

/* --- asking ------------------------------------------------------------------------------------------------ */
static struct credential *find(struct credentials *all, uint32_t class, const char *name)
{
	for (int i = 0; i < CREDENTIALS_MAX; i++)
		if (all->list[i].class == class && !strcmp(all->list[i].name, name))
			return &all->list[i];
	return NULL;
}

static struct credential *make(struct credentials *all, uint32_t class, const char *name)
{
	struct credential *oldest = &all->list[0];

	for (int i = 1; i < CREDENTIALS_MAX; i++)
		if (all->list[i].asked_ms < oldest->asked_ms)
			oldest = &all->list[i];
	explicit_bzero(oldest->snmp, sizeof oldest->snmp);
	*oldest = (struct credential){.class = class};
	text_copy(oldest->name, sizeof oldest->name, name);
	return oldest;
}

static void ask(struct credentials *all, struct credential *c, int64_t now)
{
	c->state = CREDENTIAL_ASKED;
	c->answered = c->missing = 0;
	c->asked_ms = now;
	for (int i = 0; i < PARTS; i++) {
		struct msg_secret_ask m = {.secret_class = c->class};
		if ((all_parts(c) >> i & 1) && text_format(m.name, sizeof m.name, "%s%s", c->name, parts[i].secret))
			all->ask(all->arg, &m);
		else if (all_parts(c) >> i & 1)
			c->answered |= 1u << i, c->missing |= 1u << i;
	}
}

enum credential_state credentials_want(struct credentials *all, enum secret_class class, const char *name, int64_t now, const char **trouble)
{
	struct credential *c = find(all, class, name);

	if (!text_is_name(name, NAME_SIZE - 1)) {
		*trouble = "the name of the credential is none";
		return CREDENTIAL_MISSING;
	}
	if (!c)
		c = make(all, class, name);
	if (!c->state || (c->state != CREDENTIAL_ASKED && now - c->at_ms > FRESH_MS) || (c->state == CREDENTIAL_MISSING && now - c->at_ms > 1000))
		ask(all, c, now);
	*trouble = c->trouble;
	return c->state;
}

static void settle(struct credential *c, int64_t now)
{
	c->at_ms = now;
	c->state = c->missing ? CREDENTIAL_MISSING : CREDENTIAL_READY;
	if (c->class == SECRET_SNMP && c->missing)
		text_format(c->trouble, sizeof c->trouble, "there is no readable secret snmp/%.60s: see the appliance's log", c->name);
	for (int i = 0; c->class == SECRET_SSH && i < PARTS; i++)
		if (c->missing >> i & 1)
			text_format(c->trouble, sizeof c->trouble, "there is no readable secret ssh/%.60s%s: see the appliance's log", c->name, parts[i].secret);
}

/* Which of a credential's parts a name is; -1: none. */
static int part_of(const struct credential *c, const char *name)
{
	char whole[NAME_SIZE + 8];

	for (int i = 0; i < PARTS; i++)
		if ((all_parts(c) >> i & 1) && text_format(whole, sizeof whole, "%s%s", c->name, parts[i].secret) && !strcmp(whole, name))
			return i;
	return -1;
}

bool credentials_take(struct credentials *all, const struct msg_secret *m, int64_t now)
{
	bool settled = false;

	if (!text_terminated(m->name, sizeof m->name) || !text_terminated(m->text, sizeof m->text))
		return false;
	for (int i = 0; i < CREDENTIALS_MAX; i++) {
		struct credential *c = &all->list[i];
		int part = c->class == m->secret_class && c->state == CREDENTIAL_ASKED ? part_of(c, m->name) : -1;
		if (part < 0 || (c->answered >> part & 1))
			continue;
		c->answered |= 1u << part;
		bool good = m->status == 0;
		if (good && c->class == SECRET_SSH)
			good = write_file(all, c, &parts[part], m->text);
		else if (good)
			text_copy(c->snmp, sizeof c->snmp, m->text);
		if (!good)
			c->missing |= 1u << part;
		if (c->answered == all_parts(c)) {
			settle(c, now);
			settled = true;
		}
	}
	return settled;
}

const char *credentials_snmp(const struct credentials *all, const char *name)
{
	for (int i = 0; i < CREDENTIALS_MAX; i++)
		if (all->list[i].class == SECRET_SNMP && all->list[i].state == CREDENTIAL_READY && !strcmp(all->list[i].name, name))
			return all->list[i].snmp;
	return NULL;
}

void credentials_forget_snmp(struct credentials *all)
{
	for (int i = 0; i < CREDENTIALS_MAX; i++)
		if (all->list[i].class == SECRET_SNMP && all->list[i].state == CREDENTIAL_READY) {
			explicit_bzero(all->list[i].snmp, sizeof all->list[i].snmp);
			all->list[i].class = 0;
			all->list[i].state = 0;
			all->list[i].asked_ms = 0;
		}
}

void credentials_end(struct credentials *all)
{
	if (!all)
		return;
	credentials_forget_snmp(all);
	empty_directory(all->keys);
}
