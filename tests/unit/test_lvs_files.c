/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writing half of glory-ipvs: keepalived's file comes, stays, is checked before it takes its place, is never somebody else's; the process is told. */
#include "lvs/files.c"

#include <stdio.h>
#include <sys/prctl.h>

#include "tests/unit/unit.h"

static char directory[] = "/tmp/lvs-files-XXXXXX";
static char *configuration, *pid_file, *program;

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static bool holds(const char *path, const char *text)
{
	char *seen = read_file(path);
	bool same = seen && strstr(seen, text) != NULL;

	free(seen);
	return same;
}

static struct keepalived sample(uint8_t priority)
{
	struct keepalived k = {.interface = "eth0", .router = 7, .priority = priority, .advert_ms = 1000, .count = 1};

	k.addresses[0] = (struct address){.family = 4, .bytes = {10, 0, 0, 1}};
	return k;
}

static struct files_answer ask(uint8_t priority, bool dry_run)
{
	struct files files = {.configuration = configuration, .pid = pid_file, .program = program};
	struct keepalived k = sample(priority);
	struct files_answer answer;

	do_privileged_keepalived(&files, &k, dry_run, &answer);
	return answer;
}

static void begin(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	configuration = mem_format("%s/keepalived.conf", directory);
	pid_file = mem_format("%s/pid", directory);
	program = mem_format("%s/keepalived", directory);
	put(program, "#!/bin/sh\n[ \"$1 $2\" = '-t -f' ] && grep -q 'priority 66' \"$3\" && { echo 'no such priority'; exit 1; }\nexit 0\n", 0755);
}

static void test_writes_once(void)
{
	struct files_answer a = ask(100, true);

	CU_ASSERT(a.status == 0 && a.changed);
	CU_ASSERT(access(configuration, F_OK) != 0);
	a = ask(100, false);
	CU_ASSERT(a.status == ERR_NOT_NOW && a.changed && strstr(a.error.remedy, "systemctl start keepalived"));
	CU_ASSERT(holds(configuration, "priority 100\n"));
	a = ask(100, false);
	CU_ASSERT(a.status == ERR_NOT_NOW && !a.changed);
}

static void test_tells_the_process(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "keepalived");
		for (;;)
			pause();
	}
	char *text = mem_format("%d\n", (int)pid);
	put(pid_file, text, 0644);
	free(text);
	int64_t deadline = clock_mono_ms() + 5000;
	while (running(pid_file) != pid && clock_mono_ms() < deadline)
		;
	struct files_answer a = ask(100, false);
	CU_ASSERT(a.status == 0 && !a.changed);
	CU_ASSERT_EQUAL(waitpid(pid, &status, WNOHANG), 0); /* nothing new: not disturbed */
	a = ask(101, false);
	CU_ASSERT(a.status == 0 && a.changed);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	CU_ASSERT_EQUAL(running(pid_file), 0);
	/* a number that another program has now is not signalled */
	text = mem_format("%d\n", (int)getpid());
	put(pid_file, text, 0644);
	free(text);
	CU_ASSERT_EQUAL(ask(102, false).status, ERR_NOT_NOW);
	put(pid_file, "-1\n", 0644);
	CU_ASSERT_EQUAL(ask(103, false).status, ERR_NOT_NOW);
}

static void test_keeps_what_is_good(void)
{
	struct files_answer a = ask(66, false);

	CU_ASSERT(a.status == ERR_REMOTE && !a.changed);
	CU_ASSERT_STRING_EQUAL(a.error.text, "no such priority");
	CU_ASSERT(holds(configuration, "priority 103\n"));
	char *beside = mem_format("%s.glory", configuration);
	CU_ASSERT(access(beside, F_OK) != 0);
	free(beside);
	chmod(program, 0644);
	CU_ASSERT_EQUAL(ask(99, false).status, ERR_NOT_FOUND);
	CU_ASSERT(holds(configuration, "priority 103\n"));
	chmod(program, 0755);
}

static void test_leaves_others_alone(void)
{
	char *aside = mem_format("%s/aside", directory);

	put(configuration, "# a person's\n", 0644);
	CU_ASSERT_EQUAL(ask(100, false).status, ERR_REFUSED);
	CU_ASSERT_EQUAL(ask(100, true).status, ERR_REFUSED);
	CU_ASSERT(holds(configuration, "# a person's\n"));
	/* a link is not followed */
	put(aside, KEEPALIVED_MARK, 0644);
	unlink(configuration);
	CU_ASSERT_EQUAL(symlink(aside, configuration), 0);
	CU_ASSERT_EQUAL(ask(100, false).status, ERR_REFUSED);
	CU_ASSERT(!holds(aside, "priority"));
	unlink(configuration);
	CU_ASSERT_EQUAL(mkfifo(configuration, 0600), 0);
	CU_ASSERT_EQUAL(ask(100, false).status, ERR_REFUSED);
	unlink(configuration);
	put(configuration, "", 0644);
	CU_ASSERT(ask(100, false).changed);
	unlink(aside);
	free(aside);
}

static struct files_answer set(const char *path, bool dry_run)
{
	struct files files = {.setting = path};
	struct files_answer answer;

	do_privileged_setting(&files, dry_run, &answer);
	return answer;
}

static void test_setting(void)
{
	char *path = mem_format("%s/setting", directory), *link = mem_format("%s/link", directory);

	put(path, "0\n", 0644);
	struct files_answer a = set(path, true);
	CU_ASSERT(!a.status && a.changed && holds(path, "0\n"));
	a = set(path, false);
	CU_ASSERT(!a.status && a.changed && holds(path, "1\n"));
	a = set(path, false);
	CU_ASSERT(!a.status && !a.changed);
	/* not through a link, and what cannot be read is told */
	put(path, "0\n", 0644);
	CU_ASSERT_EQUAL(symlink(path, link), 0);
	CU_ASSERT(set(link, false).status == ERR_REFUSED && holds(path, "0\n"));
	CU_ASSERT_EQUAL(set(directory, false).status, ERR_REFUSED);
	unlink(path);
	unlink(link);
	a = set(path, false);
	CU_ASSERT(!a.status && !a.changed && access(path, F_OK) != 0); /* a kernel without it */
	free(path);
	free(link);
}

static void end(void)
{
	CU_ASSERT_EQUAL(unlink(configuration), 0);
	CU_ASSERT_EQUAL(unlink(pid_file), 0);
	CU_ASSERT_EQUAL(unlink(program), 0);
	CU_ASSERT_EQUAL(rmdir(directory), 0); /* nothing else is left in it */
	free(configuration);
	free(pid_file);
	free(program);
}

static const struct unit_test tests[] = {
	{"begin", begin},
	{"writes once", test_writes_once},
	{"tells the process", test_tells_the_process},
	{"keeps what is good", test_keeps_what_is_good},
	{"leaves others alone", test_leaves_others_alone},
	{"the kernel's setting", test_setting},
	{"end", end},
};

UNIT_MAIN("lvs files", tests)
