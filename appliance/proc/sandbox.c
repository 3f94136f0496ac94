/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Privilege drop, Landlock and seccomp of the roles; see sandbox.h. */
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cap-ng.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

int sandbox_drop_privileges(uint32_t uid, uint32_t gid)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return ERR_REFUSED;
	if (uid && geteuid() == 0) {
		if (setgroups(0, NULL) || setresgid(gid, gid, gid)) {
			log_error("sandbox: cannot become group %u: %s", gid, strerror(errno));
			return ERR_REFUSED;
		}
		capng_clear(CAPNG_SELECT_BOTH);
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SETUID);
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SETPCAP);
		capng_apply(CAPNG_SELECT_BOTH);
		if (setresuid(uid, uid, uid)) {
			log_error("sandbox: cannot become user %u: %s", uid, strerror(errno));
			return ERR_REFUSED;
		}
	}
	if (uid) {
		capng_clear(CAPNG_SELECT_BOTH);
		capng_apply(CAPNG_SELECT_CAPS);
	}
#ifdef GLORY_SANITIZE
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak check at the end looks into its own process */
#else
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return 0;
}

#ifndef GLORY_SANITIZE /* the sanitizers' run-time opens files and calls of its own */
#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ALL_V1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static void landlock_allow_open(int ruleset, int fd, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};

	if (fd >= 0 && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		log_warning("sandbox: landlock rule for %s refused: %s", path, strerror(errno));
}

static void landlock_allow(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	landlock_allow_open(ruleset, fd, path, access);
	if (fd >= 0)
		close(fd);
}

/* Plugins or programs, what loads them, and the shell that reads plugins that are scripts: nothing else can be executed. */
static void allow_programs(int ruleset, enum role_exec what, const int *programs)
{
	static const char *const loaders[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/bin/sh"};
	size_t count = COUNT_OF(loaders) - (what == EXEC_PROGRAMS);

	for (int i = 0; i < ROLE_CHECKS; i++)
		landlock_allow_open(ruleset, programs[i], "what it may execute",
				    (what == EXEC_PLUGINS ? READS : LANDLOCK_ACCESS_FS_READ_FILE) | LANDLOCK_ACCESS_FS_EXECUTE);
	for (size_t i = 0; i < count; i++)
		if (access(loaders[i], F_OK) == 0)
			landlock_allow(ruleset, loaders[i], LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
}

static void close_files(const struct role_entry *entry, const char *data, const int *programs)
{
	static const char *const readable[] = {"/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev/urandom", "/dev/null"};
	struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_V1};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	char path[512];

	if (ruleset < 0) {
		log_debug("sandbox: this kernel has no landlock (%s): files are guarded by the user id alone", strerror(errno));
		return;
	}
	for (size_t i = 0; i < COUNT_OF(readable); i++)
		landlock_allow(ruleset, readable[i], i < 6 ? READS : LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
	for (size_t i = 0; i < ROLE_DIRECTORIES && entry->directories[i]; i++)
		if (text_format(path, sizeof path, "%s/%s", data, entry->directories[i]))
			landlock_allow(ruleset, path, ALL_V1 & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
	if (entry->exec)
		allow_programs(ruleset, entry->exec, programs);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0))
		log_warning("sandbox: landlock refused: %s", strerror(errno));
	close(ruleset);
}

#define CALL(name) SCMP_SYS(name)
/* What any role of ours does: memory, time, its descriptors, event loop, messages. */
static const int base_calls[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(close), CALL(lseek), CALL(fstat), CALL(newfstatat), CALL(fcntl),
	CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise), CALL(brk), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(epoll_ctl), CALL(epoll_create1), CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime), CALL(eventfd2), CALL(pipe2), CALL(recvmsg), CALL(sendmsg),
	CALL(recvmmsg), CALL(sendmmsg), CALL(recvfrom), CALL(sendto), CALL(getsockopt), CALL(setsockopt), CALL(getsockname),
	CALL(getpeername), CALL(shutdown), CALL(ioctl), CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep),
	CALL(nanosleep), CALL(gettimeofday), CALL(time), CALL(getpid), CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid),
	CALL(getgid), CALL(getegid), CALL(getrandom), CALL(getrusage), CALL(sysinfo), CALL(uname), CALL(times),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack), CALL(tgkill), CALL(futex),
	CALL(set_robust_list), CALL(rseq), CALL(sched_yield), CALL(sched_getaffinity), CALL(restart_syscall), CALL(exit),
	CALL(exit_group), CALL(memfd_create), CALL(dup), CALL(dup2), CALL(dup3), CALL(prctl), CALL(prlimit64), CALL(membarrier),
	CALL(openat), CALL(open), CALL(stat), CALL(lstat), CALL(statx), CALL(access), CALL(faccessat), CALL(faccessat2),
	CALL(readlink), CALL(readlinkat), CALL(getcwd), CALL(getdents64), CALL(socketpair),
};
static const int network_calls[] = {CALL(socket), CALL(bind), CALL(connect), CALL(listen), CALL(accept), CALL(accept4)};
static const int accept_calls[] = {CALL(accept), CALL(accept4)};
static const int file_calls[] = {
	CALL(pread64), CALL(pwrite64), CALL(preadv), CALL(pwritev), CALL(fsync), CALL(fdatasync), CALL(ftruncate), CALL(fallocate), CALL(fadvise64),
	CALL(msync), CALL(rename), CALL(renameat), CALL(renameat2), CALL(unlink), CALL(unlinkat), CALL(mkdir), CALL(mkdirat),
	CALL(rmdir), CALL(fchmod), CALL(chmod), CALL(fchown), CALL(umask), CALL(flock), CALL(statfs), CALL(fstatfs), CALL(link), CALL(utimensat),
	CALL(copy_file_range), CALL(sync_file_range), CALL(fchmodat), CALL(truncate), CALL(creat),
};
static const int thread_calls[] = {CALL(clone), CALL(clone3), CALL(sched_setaffinity), CALL(sched_getparam), CALL(sched_getscheduler), CALL(setpriority), CALL(set_tid_address)};
/* Starting programs, and what those need beyond what a role of ours does. */
static const int exec_calls[] = {
	CALL(execve), CALL(execveat), CALL(clone), CALL(clone3), CALL(vfork), CALL(fork), CALL(wait4), CALL(waitid), CALL(kill), CALL(setsid),
	CALL(getsid), CALL(setpgid), CALL(getpgid), CALL(getpgrp), CALL(openat2), CALL(close_range), CALL(arch_prctl), CALL(set_tid_address),
	CALL(pread64), CALL(alarm), CALL(setitimer), CALL(getitimer), CALL(pipe), CALL(rt_sigsuspend), CALL(rt_sigtimedwait),
	CALL(rt_sigpending), CALL(pause), CALL(umask), CALL(getgroups), CALL(getresuid), CALL(getresgid), CALL(chdir), CALL(fchdir),
	CALL(fadvise64), CALL(sendfile), CALL(statfs), CALL(fstatfs), CALL(setpriority),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0))
			return ERR_BUG;
	return 0;
}

static int close_calls(const struct role_entry *entry)
{
	/* an unknown call fails instead of killing: a library that probes for a newer call goes on with the older */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int bad = !filter || allow(filter, base_calls, COUNT_OF(base_calls)) ||
		  (entry->network ? allow(filter, network_calls, COUNT_OF(network_calls))
				  : allow(filter, accept_calls, COUNT_OF(accept_calls))) ||
		  (entry->files && allow(filter, file_calls, COUNT_OF(file_calls))) ||
		  (entry->exec && allow(filter, exec_calls, COUNT_OF(exec_calls))) ||
		  (entry->threads && allow(filter, thread_calls, COUNT_OF(thread_calls))) || seccomp_load(filter);

	if (filter)
		seccomp_release(filter);
	if (bad)
		log_error("sandbox: the system-call filter could not be set: is this kernel built without seccomp?");
	return bad ? ERR_BUG : 0;
}
#endif

int sandbox_close(const struct role_entry *entry, const char *data, const int *programs)
{
#ifdef GLORY_SANITIZE
	(void)entry;
	(void)data;
	(void)programs;
	return 0;
#else
	close_files(entry, data, programs);
	return close_calls(entry);
#endif
}
