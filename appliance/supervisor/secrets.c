/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading one secret for a role: its own class only, a plain name, a file nobody else could read or replace. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

static const char *const class_directory[] = {
	[SECRET_SNMP] = "snmp", [SECRET_BMC] = "bmc", [SECRET_USM] = "usm", [SECRET_NOTIFY] = "notify", [SECRET_SSH] = "ssh",
	[SECRET_TLS] = "tls", [SECRET_HTTPS] = "https"};

/* Opens one step of the path without following links; refuses what others own or may write. */
static int open_step(int at, const char *name, int flags, mode_t forbidden, const char *shown)
{
	int fd = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		log_error("secret %s: %s: %s", shown, name, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) || (st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & forbidden)) {
		log_error("secret %s: %s has owner %u, mode %04o: make it root's own: chown root, chmod %s", shown, name, (unsigned)st.st_uid,
			  (unsigned)(st.st_mode & 07777), flags & O_DIRECTORY ? "0700" : "0600");
		close(fd);
		return -1;
	}
	return fd;
}

/* A certificate is no secret and stands where its owner wants it; without the key that it belongs to it is worth nothing. */
int do_privileged_certificate(const struct settings *settings, struct msg_https *out)
{
	struct stat st;
	int fd = -1;

	memset(out, 0, sizeof *out);
	out->on = settings->https.family != 0;
	text_copy(out->certificate, sizeof out->certificate, settings->https_certificate);
	text_copy(out->key, sizeof out->key, settings->https_key);
	if (!out->on)
		return -1;
	fd = open(settings->https_certificate, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		out->trouble = errno;
	else if (!S_ISREG(st.st_mode))
		out->trouble = EINVAL;
	if (out->trouble && fd >= 0)
		close(fd);
	return out->trouble ? -1 : fd;
}

/* The whole path is checked: a directory another user may write would let him swap the file. */
static int open_checked(const struct supervisor *s, const struct msg_secret_ask *ask, const char *shown)
{
	char path[SETTINGS_PATH], *save = NULL;
	int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	text_copy(path, sizeof path, s->settings.secrets);
	for (char *step = strtok_r(path, "/", &save); step && at >= 0; step = strtok_r(NULL, "/", &save)) {
		int next = open_step(at, step, O_RDONLY | O_DIRECTORY, 0022, shown);
		close(at);
		at = next;
	}
	if (at < 0)
		return -1;
	int dir = open_step(at, class_directory[ask->secret_class], O_RDONLY | O_DIRECTORY, 0077, shown);
	close(at);
	if (dir < 0)
		return -1;
	int file = open_step(dir, ask->name, O_RDONLY | O_NONBLOCK, 0177, shown);
	close(dir);
	return file;
}

void do_privileged_secret(const struct supervisor *s, const struct role_entry *asker, const struct msg_secret_ask *ask, struct msg_secret *out)
{
	char shown[NAME_SIZE + 16];
	bool allowed = false;

	memset(out, 0, sizeof *out);
	out->status = ERR_REFUSED;
	if (!text_terminated(ask->name, sizeof ask->name) || !text_is_name(ask->name, NAME_SIZE - 1))
		return;
	text_copy(out->name, sizeof out->name, ask->name);
	out->secret_class = ask->secret_class;
	for (int i = 0; i < ROLE_SECRETS; i++)
		allowed |= asker->secret_classes[i] && asker->secret_classes[i] == ask->secret_class;
	if (!allowed) {
		log_error("secret: role %s asked for class %u, which is not its own", role_name((int)asker->role), ask->secret_class);
		return;
	}
	text_format(shown, sizeof shown, "%s/%s", class_directory[ask->secret_class], ask->name);
	int fd = open_checked(s, ask, shown);
	if (fd < 0) {
		out->status = ERR_NOT_FOUND;
		return;
	}
	ssize_t n = read(fd, out->text, sizeof out->text);
	close(fd);
	if (n < 0 || (size_t)n >= sizeof out->text || memchr(out->text, 0, (size_t)n)) {
		explicit_bzero(out->text, sizeof out->text);
		out->status = ERR_CONFIG;
		log_error("secret %s: must be text of at most %zu bytes, \"key=value\" a line", shown, sizeof out->text - 1);
		return;
	}
	out->text[n] = '\0';
	out->status = 0;
}
