/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Node control's lines: building, checking, and that the node's own script has the same table and the same opinion of every line. */
#include "unit.h"

#include "control/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define SCRIPT "appliance/control/glory-node"

static void test_build(void)
{
	char line[CONTROL_LINE], value[CONTROL_VALUE];
	const struct control_verb *v;
	struct error e;

	CU_ASSERT_TRUE(control_line_begin(line, "service-start"));
	CU_ASSERT_TRUE(control_line_add(line, "agent", "ocf:heartbeat:nginx"));
	CU_ASSERT_TRUE(control_line_add(line, "name", "web"));
	CU_ASSERT_TRUE(control_line_add(line, "p.options", "-g 'daemon on;' 100%"));
	CU_ASSERT_STRING_EQUAL(line, "service-start agent=ocf:heartbeat:nginx name=web p.options=-g%20%27daemon%20on%3B%27%20100%25");
	CU_ASSERT_EQUAL(control_line_check(line, &v, &e), 0);
	CU_ASSERT_STRING_EQUAL(v->word, "service-start");
	CU_ASSERT_TRUE(control_line_value(line, "p.options", value, sizeof value));
	CU_ASSERT_STRING_EQUAL(value, "-g 'daemon on;' 100%");
	CU_ASSERT_FALSE(control_line_value(line, "options", value, sizeof value));
	CU_ASSERT_FALSE(control_line_begin(line, "reboot"));
	CU_ASSERT_TRUE(control_line_begin(line, "software-install"));
	char longest[1200];
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	CU_ASSERT_FALSE(control_line_add(line, "source", longest));
}

static const struct {
	const char *line;
	bool good;
} lines[] = {
	{"hello", true},
	{"hello deadline=30", true},
	{"hello deadline=0", false},
	{"hello deadline=86401", false},
	{"hello deadline=5 deadline=6", false},
	{"hello token=1 deadline=5", true},
	{"software-list token=999999999999999", true},
	{"hello token=1000000000000000", false},
	{"hello token=0", false},
	{"hello token=007", false},
	{"hello token=-1", false},
	{"hello token=1x", false},
	{"hello token=", false},
	{"hello token=1 token=2", false},
	{"", false},
	{" hello", false},
	{"hello ", false},
	{"hello  deadline=3", false},
	{"hello x", false},
	{"hello x=1", false},
	{"hello;id", false},
	{"hello\nid", false},
	{"bash -i", false},
	{"service-check agent=systemd:nginx name=web", true},
	{"service-check agent=systemd:getty@tty1.service name=web", true},
	{"service-check agent=systemd:../x name=web", false},
	{"service-check agent=systemd:a:b name=web", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web", true},
	{"service-check agent=ocf:heartbeat name=web", false},
	{"service-check agent=ocf:../..:x name=web", false},
	{"service-check agent=ocf:heartbeat:a/b name=web", false},
	{"service-check agent=lsb:x name=web", false},
	{"service-check agent=systemd:nginx", false},
	{"service-check agent=systemd:nginx name=..", false},
	{"service-check agent=systemd:nginx name=a%2Fb", false},
	{"service-check agent=systemd:nginx name=a/b", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=b%20c%22%24%28id%29", true},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=b%20c p.a=d", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.=d", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.1a=d", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a-b=d", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%0A", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%00", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%7F", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%C3", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%41", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%2b", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%2", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=%", false},
	{"service-check agent=ocf:heartbeat:Dummy name=web p.a=", true},
	{"software-list", true},
	{"software-list name=nginx", true},
	{"software-remove name=nginx kind=package package=nginx-light", true},
	{"software-remove name=nginx kind=package package=Nginx", false},
	{"software-remove name=nginx kind=package package=-o", false},
	{"software-remove name=nginx kind=package package=nginx version=1.2~rc1-1%2B", false},
	{"software-remove name=nginx kind=package package=nginx version=1.2~rc1-1+b1", true},
	{"software-remove name=x kind=Package package=x", false},
	{"software-remove name=x kind=bundle target=/", false},
	{"software-remove name=x kind=bundle target=/opt/../etc", false},
	{"software-remove name=x kind=bundle target=opt", false},
	{"software-remove name=x kind=bundle target=/opt//x", false},
	{"software-remove name=x kind=bundle target=/opt/x digest=abc", false},
	{"software-remove name=x kind=bundle source=https://a/b%3Fc%3Dd%26e", true},
	{"software-remove name=x kind=package source=deb%20%5Btrusted%3Dyes%5D%20file:/srv/repo%20./", true},
	{"software-remove name=x kind=package source=a%60b", false},
	{"balance driver=ipvs", true},
	{"balance", false},
	{"balance driver=-x", false},
	{"keepalived-write", true},
	{"keepalived-write file=x", false},
};

static void test_check(void)
{
	struct error e;

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		bool good = control_line_check(lines[i].line, NULL, &e) == 0;
		if (good != lines[i].good)
			printf("\n  \"%s\" is %s\n", lines[i].line, good ? "taken" : e.text);
		CU_ASSERT_EQUAL(good, lines[i].good);
	}
}

/* What a program prints, and what it ends with. */
static int said_by(const char *const *words, const char *line, char *out, size_t size)
{
	int ends[2], status;

	if (pipe(ends))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		setenv("SSH_ORIGINAL_COMMAND", line, 1);
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(126);
	}
	close(ends[1]);
	size_t used = 0;
	for (ssize_t n; used + 1 < size && (n = read(ends[0], out + used, size - 1 - used)) > 0;)
		used += (size_t)n;
	out[used] = '\0';
	close(ends[0]);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int script(const char *argument, const char *line, char *out, size_t size)
{
	return said_by((const char *[]){SCRIPT, argument, NULL}, line, out, size);
}

static void test_same_table(void)
{
	char said[16384], *ours = control_table_text();

	CU_ASSERT_EQUAL(script("--table", "", said, sizeof said), 0);
	CU_ASSERT_STRING_EQUAL(said, ours);
	free(ours);
}

/* Both ends say the same of every line, seen or not. */
static void test_same_opinion(void)
{
	char said[16384];

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		int code = script("--check", lines[i].line, said, sizeof said);
		if ((code == 0) != lines[i].good)
			printf("\n  \"%s\": the script says %d: %s\n", lines[i].line, code, said);
		CU_ASSERT_TRUE(lines[i].good ? code == 0 : code == CONTROL_USAGE);
	}
}

/* With directories of its own. */
static int order(const char *state, const char *line, char *out, size_t size)
{
	return said_by((const char *[]){SCRIPT, "--state", state, "--library", state, NULL}, line, out, size);
}

/* An order of a life that is over does nothing, whatever it is; without a token it is older than any. */
static void test_token(void)
{
	static const struct {
		const char *line;
		int code;
		const char *said;
	} orders[] = {
		{"software-list", 0, "[]"}, {"software-list token=5", 0, "[]"}, {"software-list token=5", 0, "[]"},
		{"software-list token=4", CONTROL_USAGE, "refused: token: 4 is older than 5"},
		{"software-list", CONTROL_USAGE, "refused: token: none is older than 5"},
		{"software-list token=70000000000", 0, "[]"}, {"software-list token=9", CONTROL_USAGE, "9 is older than 70000000000"},
		{"software-remove name=x kind=bundle target=/nowhere/x token=9", CONTROL_USAGE, "9 is older than"},
		{"software-remove name=x kind=bundle target=/nowhere/x token=70000000000", 0, "x: removed"},
	};
	char state[] = "/tmp/test_verbs.XXXXXX", said[4096], path[64];
	FILE *f;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(state));
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		int code = order(state, orders[i].line, said, sizeof said);
		if (code != orders[i].code || !strstr(said, orders[i].said))
			printf("\n  \"%s\": %d: %s\n", orders[i].line, code, said);
		CU_ASSERT_EQUAL(code, orders[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(said, orders[i].said));
	}
	/* what was kept is damaged: the next order is the newest again */
	text_format(path, sizeof path, "%s/token", state);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("x; rm\n", f);
	fclose(f);
	CU_ASSERT_EQUAL(order(state, "software-list token=3", said, sizeof said), 0);
	CU_ASSERT_EQUAL(order(state, "software-list token=2", said, sizeof said), CONTROL_USAGE);
	CU_ASSERT_EQUAL(said_by((const char *[]){"rm", "-r", state, NULL}, "", said, sizeof said), 0);
}

static void test_rights(void)
{
	for (size_t i = 0; control_verb_at(i); i++) {
		const struct control_verb *v = control_verb_at(i);
		CU_ASSERT_PTR_EQUAL(control_verb_find(v->word), v);
		CU_ASSERT_TRUE(v->right == RIGHT_OPERATE || v->right == RIGHT_ADMIN);
		CU_ASSERT_TRUE(v->deadline_s >= 10 && v->help[0]);
		if (v->input || !strncmp(v->word, "software-i", 10)) /* these come from jobs and balancers, never from a keyboard */
			CU_ASSERT_FALSE(v->people);
	}
}

static const struct unit_test tests[] = {
	{"build", test_build}, {"check", test_check}, {"same table", test_same_table}, {"same opinion", test_same_opinion}, {"rights", test_rights},
	{"token", test_token},
};
UNIT_MAIN("verbs", tests)
