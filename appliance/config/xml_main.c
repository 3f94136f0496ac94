/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glory-xml: a one-shot child without rights. Reads XML from standard input, writes one record to standard output,
 * ends. Started by the supervisor, the engine's apply and gloryctl; argv[1] is "cluster" or "settings", argv[2] how
 * messages call the file. */
#include <errno.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/xml.h"
#include "config/xml_child.h"
#include "config/xml_document.h"

static int limit(int resource, rlim_t most)
{
	struct rlimit wanted = {most, most};

	return setrlimit(resource, &wanted);
}

#ifdef GLORY_SANITIZE
/* the sanitizers map terabytes and read /proc when they report */
static int forbid(void)
{
	return 0;
}
#else
static int forbid(void)
{
	static const int allowed[] = {
	    SCMP_SYS(read),          SCMP_SYS(write),
	    SCMP_SYS(mmap),          SCMP_SYS(munmap),
	    SCMP_SYS(mremap),        SCMP_SYS(brk),
	    SCMP_SYS(madvise),       SCMP_SYS(mprotect),
	    SCMP_SYS(exit),          SCMP_SYS(exit_group),
	    SCMP_SYS(rt_sigreturn),  SCMP_SYS(futex),
	    SCMP_SYS(getrandom),     SCMP_SYS(sysinfo) /* qsort(3) asks how much memory there is */,
	    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	    SCMP_SYS(time) /* a call of the kernel where there is no vDSO */,
	    SCMP_SYS(close),         SCMP_SYS(lseek),
	};
	static const int denied[] = {
	    /* tried by iconv for odd encodings, and by abort(): an error is enough */
	    SCMP_SYS(open),   SCMP_SYS(openat),    SCMP_SYS(access), SCMP_SYS(stat),           SCMP_SYS(newfstatat),
	    SCMP_SYS(fstat),  SCMP_SYS(readlink),  SCMP_SYS(getcwd), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),
	    SCMP_SYS(gettid), SCMP_SYS(prlimit64), SCMP_SYS(uname),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = !filter ? -ENOMEM : limit(RLIMIT_AS, 256u << 20) ? -errno : 0;

	for (size_t i = 0; !rc && i < COUNT_OF(allowed); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !rc && i < COUNT_OF(denied); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}
#endif

/* Descriptors, limits, system calls: all given away before the first byte is read. */
static int give_rights_away(void)
{
	int rc = close_range(3, ~0u, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		 prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || limit(RLIMIT_CPU, 20) || limit(RLIMIT_CORE, 0) ||
		 limit(RLIMIT_FSIZE, XML_OUTPUT_MAX);

	return rc ? -errno : forbid();
}

static char *read_input(size_t *size)
{
	size_t room = 65536;
	char *text = mem_zalloc(room);

	for (*size = 0; *size <= XML_TEXT_MAX;) { /* one byte more than is allowed is enough to refuse it */
		if (*size == room)
			text = mem_grow(text, room *= 2, 1);
		ssize_t n = read(STDIN_FILENO, text + *size, room - *size);
		if (n <= 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*size += (size_t)n;
	}
	return text;
}

static int write_output(const char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(STDOUT_FILENO, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 1;
		done += (size_t)n;
	}
	return 0;
}

static char *answer(const char *what, const char *label, const char *text, size_t size, size_t *record_size)
{
	struct settings settings;
	struct cluster cluster;
	struct error e = {0};
	char *record;

	if (!strcmp(what, "settings"))
		return xml_read_settings(text, size, label, &settings, &e)
			   ? xml_output_error(&e, record_size)
			   : xml_output_settings(&settings, record_size);
	record = xml_read_cluster(text, size, label, &cluster, &e) ? xml_output_error(&e, record_size)
								   : xml_output_cluster(&cluster, record_size);
	cluster_clear(&cluster);
	return record;
}

int main(int argc, char **argv)
{
	char label[64];
	size_t size, record_size;

	if (argc != 3 || (strcmp(argv[1], "cluster") != 0 && strcmp(argv[1], "settings") != 0)) {
		fprintf(stderr, "usage: glory-xml cluster|settings LABEL <FILE\n");
		return 2;
	}
	text_copy(label, sizeof label, argv[2]);
	text_make_printable(label);
	int rc = give_rights_away();
	if (rc) {
		struct error e;
		error_set(&e, ERR_REFUSED, "glory-xml", "allow seccomp to it", "cannot give its rights away: %s",
			  strerror(-rc));
		char *record = xml_output_error(&e, &record_size);
		write_output(record, record_size);
		return 1;
	}
	errno = 0;
	char *text = read_input(&size);
	char *record = answer(argv[1], label, text, size, &record_size);
	rc = write_output(record, record_size);
	free(record);
	free(text);
	return rc;
}
