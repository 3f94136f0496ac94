/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ends of runs over ssh, from sentences that OpenSSH 9.2 was seen to say. */
#include "unit.h"

#include <string.h>

#include "base/memory.h"
#include "control/ended.h"

#define IN "Authenticated to 10.99.1.1 ([10.99.1.1]:22) using \"publickey\".\n"

static const struct {
	const char *errors, *output;
	enum child_end how;
	int code;
	bool shared;
	enum run_ended end;
	const char *text; /* is part of it */
} cases[] = {
	{IN, "{\"node\":\"n001\"}\n", CHILD_EXITED, 0, false, ENDED_DONE, ""},
	{IN "Transferred: sent 2000\n", "x: not running\n", CHILD_EXITED, 7, false, ENDED_FAILED, "x: not running"},
	{IN, "refused: bash: there is no such verb\n", CHILD_EXITED, 64, false, ENDED_FAILED, "no such verb"},
	{IN, "", CHILD_EXITED, 64, false, ENDED_FAILED, "refuses"},
	{IN, "nginx: is not here\n\n", CHILD_EXITED, 69, false, ENDED_FAILED, "is not here"},
	{IN, "cp: ...\nno space left: /opt/site\n", CHILD_EXITED, 73, false, ENDED_NO_SPACE, "no space left: /opt/site"},
	{IN, "busy: another command\n", CHILD_EXITED, 75, false, ENDED_BUSY, "busy"},
	{IN, "", CHILD_EXITED, 124, false, ENDED_LATE, "by the node itself"},
	{IN, "", CHILD_EXITED, 137, false, ENDED_LATE, "by the node itself"},
	{IN, "", CHILD_EXITED, 1, false, ENDED_FAILED, "said nothing"},
	{"@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\n", "", CHILD_EXITED, 255, false, ENDED_HOST_KEY, "n001"},
	{"Certificate invalid: name is not a listed principal\nHost key verification failed.\n", "", CHILD_EXITED, 255, false, ENDED_HOST_KEY, "name or time"},
	{"No ED25519-CERT host key is known for n001 and you have requested strict checking.\r\nHost key verification failed.\r\n", "", CHILD_EXITED, 255,
	 false, ENDED_HOST_KEY, "not signed by our CA"},
	{"Unable to negotiate with 10.99.1.1 port 22: no matching host key type found. Their offer: ssh-ed25519\r\n", "", CHILD_EXITED, 255, false,
	 ENDED_HOST_KEY, "no host certificate"},
	{"glory@10.99.1.1: Permission denied (publickey).\r\n", "", CHILD_EXITED, 255, false, ENDED_PERMISSION, "does not take"},
	{"ssh: connect to host 10.99.1.1 port 22: Connection refused\r\n", "", CHILD_EXITED, 255, false, ENDED_CONNECTION_REFUSED, "nobody listens"},
	{"Connection timed out during banner exchange\r\nConnection to 10.99.1.1 port 22 timed out\r\n", "", CHILD_EXITED, 255, false, ENDED_NO_ANSWER, "no answer"},
	{"ssh: connect to host 10.99.1.1 port 22: No route to host\r\n", "", CHILD_EXITED, 255, false, ENDED_NO_ANSWER, "no way"},
	{"kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.99.1.1 port 22\n", "", CHILD_EXITED, 255, false,
	 ENDED_CONNECTION_REFUSED, "before it let us in"},
	{IN "Timeout, server 10.99.1.1 not responding.\r\n", "", CHILD_EXITED, 255, false, ENDED_CUT, "not responding"},
	{IN "client_loop: send disconnect: Broken pipe\r\n", "", CHILD_EXITED, 255, false, ENDED_CUT, "not known"},
	{IN "Connection to 10.99.1.1 closed by remote host.\r\n", "", CHILD_EXITED, 255, false, ENDED_CUT, "not known"},
	{"mux_client_request_session: read from master failed: Broken pipe\n", "", CHILD_EXITED, 255, true, ENDED_CUT, "not known"},
	{"", "", CHILD_EXITED, 255, false, ENDED_NO_ANSWER, "said nothing"},
	{"", "", CHILD_LATE, 15, false, ENDED_NO_ANSWER, "not let in"},
	{IN, "half", CHILD_LATE, 15, false, ENDED_LATE, "not done within 9 s"},
	{"", "", CHILD_LATE, 15, true, ENDED_LATE, "not done within 9 s"},
	{IN, "x", CHILD_ENDLESS, 0, false, ENDED_BAD, "without end"},
	{IN, "", CHILD_CANCELLED, 0, false, ENDED_CANCELLED, "cancelled"},
	{IN, "", CHILD_SIGNALLED, 11, false, ENDED_CUT, "signal 11"},
};

static void test_over_ssh(void)
{
	char text[512];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct run_seen seen = {cases[i].how, cases[i].code, cases[i].shared, cases[i].errors, cases[i].output, "n001", 9};
		enum run_ended end = control_ended(&seen, text, sizeof text);
		if (end != cases[i].end || !strstr(text, cases[i].text))
			printf("\n  case %zu: %s: %s\n", i, run_ended_name((int)end), text);
		CU_ASSERT_EQUAL(end, cases[i].end);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, cases[i].text));
		CU_ASSERT_EQUAL(text[0] == '\0', end == ENDED_DONE);
	}
}

static void test_here(void)
{
	struct run_seen seen = {CHILD_EXITED, 0, false, "", "", "haproxy", 5};
	char text[512];

	CU_ASSERT_EQUAL(control_ended_here(&seen, false, text, sizeof text), ENDED_DONE);
	CU_ASSERT_EQUAL(control_ended_here(&seen, true, text, sizeof text), ENDED_BAD);
	seen.code = 2;
	CU_ASSERT_EQUAL(control_ended_here(&seen, false, text, sizeof text), ENDED_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "code 2"));
	seen.errors = "glory-l4: picture: is no JSON\n";
	CU_ASSERT_EQUAL(control_ended_here(&seen, false, text, sizeof text), ENDED_FAILED);
	CU_ASSERT_STRING_EQUAL(text, "glory-l4: picture: is no JSON");
	seen.how = CHILD_LATE;
	CU_ASSERT_EQUAL(control_ended_here(&seen, false, text, sizeof text), ENDED_LATE);
	seen.how = CHILD_CANCELLED;
	CU_ASSERT_EQUAL(control_ended_here(&seen, false, text, sizeof text), ENDED_CANCELLED);
}

static void test_last_line(void)
{
	char text[16];

	control_last_line("a\nbc\n \n", text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "bc");
	control_last_line("", text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "");
	control_last_line("\n", text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "");
	control_last_line("0123456789abcdefgh", text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "0123456789abcde");
	control_last_line("x\x01y", text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "x?y");
}

static const struct unit_test tests[] = {{"over ssh", test_over_ssh}, {"here", test_here}, {"last line", test_last_line}};
UNIT_MAIN("ended", tests)
