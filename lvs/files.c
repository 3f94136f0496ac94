/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keepalived's file and process; see files.h. */
#include "lvs/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define FILE_MAX (1 << 20)
#define CHECK_MS 10000

static int refuse(struct files_answer *out, int kind, const char *object, const char *remedy, const char *text)
{
	out->status = error_set(&out->error, kind, object, remedy, "%s", text);
	return out->status;
}

/* The whole file with a zero behind it; NULL with errno when it cannot be read. free() it. */
static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		errno = EFBIG;
		if (S_ISREG(st.st_mode) && st.st_size < FILE_MAX) {
			text = mem_zalloc((size_t)st.st_size + 1);
			n = read(fd, text, (size_t)st.st_size);
		}
	}
	if (n < 0) {
		int error = errno;
		free(text);
		text = NULL;
		errno = error;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

bool files_write(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		left -= (size_t)n;
	}
	return true;
}

/* What the program says until it ends or the time is over; keeps the beginning, drains the rest. */
static void drain(int fd, pid_t pid, char *said, size_t size)
{
	int64_t deadline = clock_mono_ms() + CHECK_MS;
	char rest[512];
	size_t used = 0;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
			break;
		ssize_t n = read(fd, rest, sizeof rest - 1);
		if (n <= 0)
			return;
		rest[n] = '\0';
		text_append(said, size, &used, "%s", rest);
	}
	kill(pid, SIGKILL);
}

/* keepalived's own opinion of the text; a machine without the program has none, and the file waits for it. */
static int check_text(const struct files *files, const char *path, struct files_answer *out)
{
	char said[400] = "";
	int ends[2], status = 0;

	if (access(files->program, X_OK) != 0)
		return refuse(out, ERR_NOT_FOUND, files->program, "install keepalived on this director", "it is not there");
	if (pipe2(ends, O_CLOEXEC))
		return refuse(out, ERR_NO_RESOURCE, files->program, "free descriptors", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execle(files->program, "keepalived", "-t", "-f", path, (char *)NULL, (char *[]){NULL});
		_exit(127);
	}
	close(ends[1]);
	if (pid > 0)
		drain(ends[0], pid, said, sizeof said);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	said[strcspn(said, "\n")] = '\0';
	text_make_printable(said);
	return refuse(out, ERR_REMOTE, "keepalived", "run keepalived -t on the director and see its log", said[0] ? said : "it does not take the configuration");
}

/* The process of the pid file, if it is a keepalived; 0 otherwise. */
static pid_t running(const char *pid_file)
{
	char path[64], *text = read_file(pid_file);
	int64_t pid = 0;

	if (text)
		text[strcspn(text, "\n")] = '\0';
	if (text && text_integer(text, 2, INT32_MAX, &pid) && text_format(path, sizeof path, "/proc/%d/comm", (int)pid)) {
		char seen[32] = "";
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, seen, sizeof seen - 1) : 0;
		if (fd >= 0)
			close(fd);
		if (n <= 0 || strncmp(seen, "keepalived", 10) != 0)
			pid = 0;
	}
	free(text);
	return (pid_t)pid;
}

/* Beside its place first. 0 or an error kind in out. */
static int replace(const struct files *files, const char *text, struct files_answer *out)
{
	char *beside = mem_format("%s.glory", files->configuration);
	int r = 0;

	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || !files_write(fd, text) || fsync(fd))
		r = refuse(out, errno == EACCES || errno == EPERM || errno == EROFS ? ERR_REFUSED : ERR_NO_RESOURCE, files->configuration,
			   "let glory-ipvs write there (it must run as root for VRRP)", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!r)
		r = check_text(files, beside, out);
	if (!r && rename(beside, files->configuration))
		r = refuse(out, ERR_NO_RESOURCE, files->configuration, "let glory-ipvs write there", strerror(errno));
	if (r && fd >= 0)
		unlink(beside);
	free(beside);
	return r;
}

void do_privileged_keepalived(const struct files *files, const struct keepalived *k, bool dry_run, struct files_answer *out)
{
	memset(out, 0, sizeof *out);
	out->status = keepalived_check(k, &out->error);
	if (out->status)
		return;
	char *text = keepalived_text(k), *old = read_file(files->configuration);
	bool same = old && !strcmp(old, text), none = !old && errno == ENOENT;

	if (!old && !none)
		refuse(out, ERR_REFUSED, files->configuration, "make it a readable file, or move it away", strerror(errno));
	else if (old && strncmp(old, KEEPALIVED_MARK, strlen(KEEPALIVED_MARK)) != 0 && old[0])
		refuse(out, ERR_REFUSED, files->configuration, "move it away, so that the appliance can write its own", "it was written by somebody else");
	else if (!same && !dry_run)
		replace(files, text, out);
	out->changed = !same && !out->status;
	if (!out->status && !dry_run) {
		pid_t pid = running(files->pid);
		if (pid <= 0 && k->router)
			refuse(out, ERR_NOT_NOW, "keepalived", "start it: systemctl start keepalived", "it does not run");
		else if (pid > 0 && out->changed && kill(pid, SIGHUP))
			refuse(out, ERR_REFUSED, "keepalived", "let glory-ipvs signal it", strerror(errno));
	}
	free(old);
	free(text);
}

void do_privileged_setting(const struct files *files, bool dry_run, struct files_answer *out)
{
	char seen[16] = "";

	memset(out, 0, sizeof *out);
	int fd = open(files->setting, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, seen, sizeof seen - 1) : -1;
	int error = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0 && error != ENOENT)
		refuse(out, ERR_REFUSED, files->setting, "set it to 1 in /etc/sysctl.d", strerror(error));
	if (n < 0 || seen[0] == '1')
		return;
	if (!dry_run) {
		fd = open(files->setting, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 || !files_write(fd, "1\n"))
			refuse(out, ERR_REFUSED, files->setting, "set it to 1 in /etc/sysctl.d", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	out->changed = !out->status;
}
