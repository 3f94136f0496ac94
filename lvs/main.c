/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-ipvs: wanted picture on standard input, result on standard output. Two processes: the one that parses has an open socket to the kernel's IPVS, CAP_NET_ADMIN
 * and no file; the other, which parses nothing, writes keepalived's file when it is asked with checked numbers and addresses. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cap-ng.h>
#include <jansson.h>

#include "base/log.h"
#include "base/memory.h"
#include "lvs/run.h"

#define CPU_SECONDS 30
#define MEMORY_BYTES ((rlim_t)1 << 30)

enum what { ASK_KEEPALIVED, ASK_SETTING, ASK_COUNT };
struct request {
	struct keepalived k; /* of ASK_KEEPALIVED */
	uint32_t what, dry_run;
};

/* --- the half that parses ----------------------------------------------------------------------------------------------- */

static void keep_one_capability(void)
{
	bool bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;

	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	if (capng_apply(bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS))
		log_debug("glory-ipvs: capabilities stay as they are: none can be given away");
}

#ifndef GLORY_SANITIZE
/* Reads and writes what is open; opens nothing. */
static int close_calls(void)
{
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(mmap), SCMP_SYS(munmap),
		SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(sendto),
		SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
		SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrandom), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(tgkill), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int bad = !filter;

	for (size_t i = 0; i < COUNT_OF(calls) && !bad; i++)
		bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	bad = bad || seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return bad;
}
#endif

static int give_up_rights(pid_t parent)
{
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, none = {0, 0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	json_object_seed(0); /* from a file that cannot be opened later */
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
#ifndef GLORY_SANITIZE /* whose shadow memory is larger, and which opens files */
	/* one is what poll(2) must have; with standard input open, no other can be opened any more, seccomp or not */
	const struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES}, files = {1, 1};
	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_NOFILE, &files);
#endif
	if (getppid() != parent || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	keep_one_capability();
#ifndef GLORY_SANITIZE
	if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL)
		log_debug("glory-ipvs: this kernel has no seccomp: the parser keeps all system calls");
	else if (close_calls()) {
		log_error("glory-ipvs: the system-call filter could not be set: %s", strerror(errno));
		return 1;
	}
#endif
	return 0;
}

/* Up to the longest picture and one byte more, so that what is too long is refused by its reader. */
static char *read_input(size_t *size)
{
	char *bytes = mem_array(PICTURE_BYTES_MAX + 2, 1);

	*size = 0;
	while (*size < PICTURE_BYTES_MAX + 1) {
		ssize_t n = read(STDIN_FILENO, bytes + *size, PICTURE_BYTES_MAX + 1 - *size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*size += (size_t)n;
	}
	return bytes;
}

static void ask_other_half(int fd, enum what what, const struct keepalived *k, bool dry_run, struct files_answer *out)
{
	struct request *ask = mem_zalloc(sizeof *ask);

	if (k)
		ask->k = *k;
	ask->what = what;
	ask->dry_run = dry_run;
	if (send(fd, ask, sizeof *ask, MSG_NOSIGNAL) != (ssize_t)sizeof *ask || recv(fd, out, sizeof *out, 0) != (ssize_t)sizeof *out) {
		memset(out, 0, sizeof *out);
		out->status = error_set(&out->error, ERR_BUG, what == ASK_SETTING ? "setting" : "keepalived", "see the log", "the writing half of glory-ipvs does not answer");
	}
	free(ask);
}

static void ask_keepalived(void *arg, const struct keepalived *k, bool dry_run, struct files_answer *out)
{
	ask_other_half(*(int *)arg, ASK_KEEPALIVED, k, dry_run, out);
}

static void ask_setting(void *arg, bool dry_run, struct files_answer *out)
{
	ask_other_half(*(int *)arg, ASK_SETTING, NULL, dry_run, out);
}

static int parsing_half(struct kernel *kernel, const struct error *no_kernel, int fd, pid_t parent)
{
	struct run run = {.kernel = kernel, .no_kernel = no_kernel, .ask_keepalived = ask_keepalived, .ask_setting = ask_setting, .arg = &fd};
	struct picture_result result;
	size_t size;

	if (give_up_rights(parent))
		return 1;
	char *input = read_input(&size);
	run_picture(&run, input, size, &result);
	char *text = picture_result_to_json(&result);
	bool written = text && files_write(STDOUT_FILENO, text) && files_write(STDOUT_FILENO, "\n");
	explicit_bzero(input, size);
	free(input);
	free(text);
	picture_result_clear(&result);
	kernel_close(kernel);
	return written ? 0 : 1;
}

/* --- the half that writes ------------------------------------------------------------------------------------------------ */

static int writing_half(const struct files *files, int fd, pid_t child)
{
	struct request *ask = mem_zalloc(sizeof *ask);
	struct files_answer answer;
	bool asked[ASK_COUNT] = {false};
	int status = 0;

	/* each once at most: a second one is none of ours */
	while (recv(fd, ask, sizeof *ask, 0) == (ssize_t)sizeof *ask && ask->what < ASK_COUNT && !asked[ask->what]) {
		asked[ask->what] = true;
		if (ask->what == ASK_SETTING)
			do_privileged_setting(files, ask->dry_run != 0, &answer);
		else
			do_privileged_keepalived(files, &ask->k, ask->dry_run != 0, &answer);
		if (send(fd, &answer, sizeof answer, MSG_NOSIGNAL) < 0)
			log_warning("glory-ipvs: the parsing half is gone");
	}
	close(fd);
	free(ask);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		log_error("glory-ipvs: the parsing half ended by signal %d", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: glory-ipvs [-c keepalived.conf] [-p keepalived.pid] [-k keepalived] <picture.json >result.json\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct files files = {.configuration = "/etc/keepalived/keepalived.conf", .pid = "/run/keepalived.pid", .program = "/usr/sbin/keepalived",
			      .setting = "/proc/sys/net/ipv4/vs/expire_nodest_conn"};
	struct error e = {0};
	struct kernel kernel;
	pid_t self = getpid();
	int ends[2], option;

	log_open("ipvs", LOG_LEVEL_INFO, false);
	while ((option = getopt(argc, argv, "c:p:k:")) != -1)
		switch (option) {
		case 'c': files.configuration = optarg; break;
		case 'p': files.pid = optarg; break;
		case 'k': files.program = optarg; break;
		default: return usage();
		}
	if (optind != argc)
		return usage();
	int no_kernel = kernel_open(&kernel, &e);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		log_error("glory-ipvs: no socket pair: %s", strerror(errno));
		return 1;
	}
	pid_t child = fork();
	if (child < 0) {
		log_error("glory-ipvs: cannot fork: %s", strerror(errno));
		return 1;
	}
	if (child == 0) {
		close(ends[0]);
		return parsing_half(&kernel, no_kernel ? &e : NULL, ends[1], self);
	}
	close(ends[1]);
	kernel_close(&kernel);
	return writing_half(&files, ends[0], child);
}
