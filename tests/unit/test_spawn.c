/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a helper program keeps of its parent: nothing, or CAP_NET_ADMIN alone; its descriptors. As root; otherwise its identity stays and is not looked at. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "appliance/supervisor/spawn.c"

/* Runs cat on its own status under nobody; what it says of a field. */
static void status_of(bool net_admin, const char *field, char *out, size_t size)
{
	char self[] = "/proc/self/status", text[8192];
	int ends[2], status;
	struct spawn what = {.directory = "/bin", .program = "cat", .arguments = {self}, .in = -1, .third = -1, .fourth = -1, .net_admin = net_admin};
	size_t used = 0;

	out[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	what.out = ends[1];
	if (geteuid() == 0)
		what.uid = what.gid = 65534;
	pid_t pid = spawn_program(&what);
	close(ends[1]);
	for (ssize_t n; used + 1 < sizeof text && (n = read(ends[0], text + used, sizeof text - 1 - used)) > 0;)
		used += (size_t)n;
	text[used] = '\0';
	close(ends[0]);
	CU_ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	const char *at = strstr(text, field);
	if (at)
		text_format(out, size, "%.*s", (int)strcspn(at + strlen(field) + 2, "\n"), at + strlen(field) + 2);
}

static void test_capabilities(void)
{
	static const char *const fields[] = {"CapPrm", "CapEff", "CapInh", "CapAmb"};
	char text[64];

	if (geteuid() != 0) {
		printf("skipped: not root\n");
		return;
	}
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		status_of(false, fields[i], text, sizeof text);
		CU_ASSERT_EQUAL(strtoull(text, NULL, 16), 0);
		status_of(true, fields[i], text, sizeof text);
		CU_ASSERT_EQUAL(strtoull(text, NULL, 16), UINT64_C(1) << CAP_NET_ADMIN);
	}
	status_of(true, "Uid", text, sizeof text);
	CU_ASSERT_EQUAL(strtoull(text, NULL, 10), 65534);
}

static const struct unit_test tests[] = {{"capabilities", test_capabilities}};
UNIT_MAIN("spawn", tests)
