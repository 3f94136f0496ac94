/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting a program of ours with a clean environment and exactly the descriptors it is meant to have. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#define PARKED 64 /* descriptors are first moved above this, so that none is overwritten before it is placed */

static int park(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD, PARKED);
}

static void place(int parked, int at)
{
	if (parked >= 0)
		dup2(parked, at);
}

/* After the change of identity: CAP_NET_ADMIN stays over the exec, the rest is gone. */
static bool keep_net_admin(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_NET_ADMIN;
	return !syscall(SYS_capset, &header, data) && !prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
}

/* In the child: descriptors, identity, exec. Only calls that are safe after fork. */
static void become(const struct spawn *what, int program_fd, char *const argv[])
{
	static char *const environment[] = {NULL};
	sigset_t none;
	int null = open("/dev/null", O_RDWR);
	int program = park(program_fd), in = park(what->in >= 0 ? what->in : null), out = park(what->out >= 0 ? what->out : null);
	int third = park(what->third), fourth = park(what->fourth);

	place(in, 0);
	if (what->out >= 0 || what->third < 0)
		place(out, 1);
	else
		dup2(2, 1);
	if (third >= 0)
		place(third, 3);
	else
		close(3);
	if (fourth >= 0)
		place(fourth, 4);
	else
		close(4);
	dup2(program, 5);
	fcntl(5, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, 6u, ~0u, 0u);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpriority(PRIO_PROCESS, 0, what->nice);
	if (what->net_admin)
		prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (what->uid && (setgroups(0, NULL) || setresgid(what->gid, what->gid, what->gid) || setresuid(what->uid, what->uid, what->uid)))
		_exit(126);
	if (what->net_admin && what->uid && !keep_net_admin())
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	fexecve(5, argv, environment);
	_exit(127);
}

pid_t spawn_program(const struct spawn *what)
{
	char path[512], name[64];
	char *argv[6] = {name};

	if (!text_format(path, sizeof path, "%s/%s", what->directory, what->program) || !text_copy(name, sizeof name, what->program))
		return ERR_BUG;
	for (int i = 0; i < 4 && what->arguments[i]; i++)
		argv[i + 1] = what->arguments[i];
	int program = open(path, O_RDONLY | O_CLOEXEC);
	if (program < 0) {
		log_error("%s: %s: is the appliance installed completely?", path, strerror(errno));
		return ERR_NOT_FOUND;
	}
	pid_t pid = fork();
	if (pid == 0)
		become(what, program, argv);
	close(program);
	if (pid < 0) {
		log_error("%s: cannot be started: %s", path, strerror(errno));
		return ERR_NO_RESOURCE;
	}
	return pid;
}

uint32_t spawn_role_uid(const struct supervisor *s, const struct role_entry *entry)
{
	if (!s->root)
		return 0;
	if (s->settings.first_uid)
		return s->settings.first_uid + entry->uid_offset;
	const struct passwd *account = getpwnam(entry->account);
	return account ? account->pw_uid : 0;
}
