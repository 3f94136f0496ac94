/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ends of runs; see ended.h. What OpenSSH 8 to 10 says for each is in the table. */
#include "control/ended.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "control/verbs.h"

enum { SSH_FAILED = 255, KILLED = 137 /* the script's own deadline, by SIGKILL */ };

static const char authenticated[] = "Authenticated to ";

/* In this order: a later sentence is often only the consequence of an earlier one. */
static const struct {
	const char *said;
	enum run_ended end;
	const char *text; /* with one %s for the host */
} sentences[] = {
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", ENDED_HOST_KEY, "%s: its host key is another one than our CA signed: reinstalled without a certificate, or not the machine it claims to be"},
	{"Certificate invalid", ENDED_HOST_KEY, "%s: its host certificate is not valid for this name or time"},
	{"host key is known for", ENDED_HOST_KEY, "%s: its host key is not signed by our CA"},
	{"Host key verification failed", ENDED_HOST_KEY, "%s: its host key is not signed by our CA"},
	{"no matching host key type found", ENDED_HOST_KEY, "%s: it has no host certificate"},
	{"Too many authentication failures", ENDED_PERMISSION, "%s: it does not take our certificate"},
	{"Permission denied", ENDED_PERMISSION, "%s: it does not take our certificate"},
	{"Connection refused", ENDED_CONNECTION_REFUSED, "%s: nobody listens at its ssh port"},
	{"Connection timed out", ENDED_NO_ANSWER, "%s: no answer at its ssh port"},
	{"Operation timed out", ENDED_NO_ANSWER, "%s: no answer at its ssh port"},
	{"No route to host", ENDED_NO_ANSWER, "%s: no way to its address"},
	{"Network is unreachable", ENDED_NO_ANSWER, "%s: no way to its address"},
};

void control_last_line(const char *text, char *out, size_t size)
{
	size_t end = strlen(text);

	while (end && strchr(" \t\r\n", text[end - 1]))
		end--;
	size_t begin = end;
	while (begin && text[begin - 1] != '\n')
		begin--;
	if (end - begin >= size)
		end = begin + size - 1;
	memmove(out, text + begin, end - begin);
	out[end - begin] = '\0';
	text_make_printable(out);
}

/* The last line of ssh's that is about trouble: it also says what went well. */
static void last_trouble(const char *errors, char *out, size_t size)
{
	static const char *const well[] = {authenticated, "Transferred: ", "Bytes per second: "};

	out[0] = '\0';
	for (size_t length; *errors; errors += length + (errors[length] == '\n')) {
		bool skip = false;
		length = strcspn(errors, "\n");
		for (size_t i = 0; i < COUNT_OF(well); i++)
			skip |= !strncmp(errors, well[i], strlen(well[i]));
		if (!skip && length > 1)
			text_format(out, size, "%.*s", (int)length, errors);
	}
	control_last_line(out, out, size);
}

/* ssh ended by itself without the node's word. */
static enum run_ended transport(const struct run_seen *s, bool inside, char *text, size_t size)
{
	char last[160];

	for (size_t i = 0; !inside && i < COUNT_OF(sentences); i++)
		if (strstr(s->errors, sentences[i].said)) {
			text_format(text, size, sentences[i].text, s->host);
			return sentences[i].end;
		}
	last_trouble(s->errors, last, sizeof last);
	if (inside || s->shared) {
		text_format(text, size, "%s: the connection broke while it worked: what it did is not known%s%s", s->host, last[0] ? ": " : "", last);
		return ENDED_CUT;
	}
	if (strstr(s->errors, "Connection closed by") || strstr(s->errors, "Connection reset by")) {
		text_format(text, size, "%s: its sshd closed the connection before it let us in", s->host);
		return ENDED_CONNECTION_REFUSED;
	}
	text_format(text, size, "%s: %s", s->host, last[0] ? last : "ssh gave up and said nothing");
	return ENDED_NO_ANSWER;
}

static enum run_ended late(const struct run_seen *s, bool inside, char *text, size_t size)
{
	if (inside || s->shared) {
		text_format(text, size, "%s: not done within %u s: stopped", s->host, s->deadline_s);
		return ENDED_LATE;
	}
	text_format(text, size, "%s: not let in within %u s", s->host, s->deadline_s);
	return ENDED_NO_ANSWER;
}

/* The node's script ended with a code; what it said last is why. */
static enum run_ended told(const struct run_seen *s, char *text, size_t size)
{
	static const struct {
		int code;
		enum run_ended end;
		const char *otherwise;
	} codes[] = {
		{CONTROL_USAGE, ENDED_FAILED, "the node refuses the verb"},
		{CONTROL_UNAVAILABLE, ENDED_FAILED, "what the verb needs is not there"},
		{CONTROL_NO_SPACE, ENDED_NO_SPACE, "its disk is full"},
		{CONTROL_BUSY, ENDED_BUSY, "something else is at work there"},
		{CONTROL_LATE, ENDED_LATE, "not done in time: stopped by the node itself"},
		{KILLED, ENDED_LATE, "not done in time: stopped by the node itself"},
	};
	enum run_ended end = ENDED_FAILED;
	char last[200];

	control_last_line(s->output, last, sizeof last);
	if (!last[0])
		last_trouble(s->errors, last, sizeof last);
	text_format(text, size, "%s", last[0] ? last : "it failed and said nothing");
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].code == s->code) {
			end = codes[i].end;
			if (!s->output[0])
				text_format(text, size, "%s", codes[i].otherwise);
		}
	if (end == ENDED_LATE)
		text_format(text, size, "%s: not done in time: stopped by the node itself", s->host);
	return end;
}

enum run_ended control_ended(const struct run_seen *s, char *text, size_t size)
{
	bool inside = strstr(s->errors, authenticated) != NULL;

	text[0] = '\0';
	switch (s->how) {
	case CHILD_CANCELLED:
		text_format(text, size, "%s: cancelled", s->host);
		return ENDED_CANCELLED;
	case CHILD_ENDLESS:
		text_format(text, size, "%s: it prints without end: stopped", s->host);
		return ENDED_BAD;
	case CHILD_LATE:
		return late(s, inside, text, size);
	case CHILD_SIGNALLED:
		text_format(text, size, "%s: ssh was ended by signal %d: what it did is not known", s->host, s->code);
		return ENDED_CUT;
	case CHILD_EXITED:
		break;
	}
	if (s->code == 0)
		return ENDED_DONE;
	return s->code == SSH_FAILED ? transport(s, inside, text, size) : told(s, text, size);
}

enum run_ended control_ended_here(const struct run_seen *s, bool empty, char *text, size_t size)
{
	text[0] = '\0';
	if (s->how == CHILD_EXITED && s->code == 0 && !empty)
		return ENDED_DONE;
	if (s->how == CHILD_EXITED && s->code == 0) {
		text_format(text, size, "%s: printed no result", s->host);
		return ENDED_BAD;
	}
	if (s->how != CHILD_EXITED && s->how != CHILD_SIGNALLED) {
		struct run_seen inside = *s;
		inside.shared = true;
		return control_ended(&inside, text, size);
	}
	control_last_line(s->errors, text, size);
	if (!text[0])
		text_format(text, size, s->how == CHILD_SIGNALLED ? "%s: ended by signal %d" : "%s: ended with code %d", s->host, s->code);
	return ENDED_FAILED;
}
