/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for the numeric users of a run; see supervisor.h. No account is made on the machine: the file is seen by this process and its roles
 * alone. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#define PASSWD "/etc/passwd"

static bool copy_file(FILE *to)
{
	FILE *from = fopen(PASSWD, "re");
	char bytes[4096];
	size_t n;

	if (!from)
		return false;
	while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
		fwrite(bytes, 1, n, to);
	bool good = !ferror(from);
	fclose(from);
	return good;
}

static bool write_accounts(const struct supervisor *s, const char *path)
{
	FILE *to = fopen(path, "we");

	if (!to)
		return false;
	bool good = copy_file(to);
	for (int i = ROLE_ENGINE; i < ROLE_COUNT; i++)
		fprintf(to, "%s:x:%u:%u:GLORY-CL:/nonexistent:/usr/sbin/nologin\n", role_table[i].account, spawn_role_uid(s, &role_table[i]),
			spawn_role_uid(s, &role_table[i]));
	good = good && !ferror(to) && !fchmod(fileno(to), 0644);
	return !fclose(to) && good;
}

int accounts_bind(const struct supervisor *s)
{
	char path[SETTINGS_PATH + 16];

	text_format(path, sizeof path, "%s/passwd", s->settings.data);
	mkdir(s->settings.data, 0755);
	bool good = write_accounts(s, path) && !mount(path, PASSWD, NULL, MS_BIND, NULL);
	int why = errno;
	unlink(path); /* what is bound stays */
	if (good)
		return 0;
	log_error("%s: names for the users of the roles cannot be bound to " PASSWD ": %s", path, strerror(why));
	return ERR_NO_RESOURCE;
}
