/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service probes, the pure part: what a probe may be, when it is due, what one look's end means for its state, and how that is said. No
 * input, output or clock here; the role does the looking (role/probes.c). */
#ifndef GLORY_CHECKER_PROBE_H
#define GLORY_CHECKER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/messages.h"

enum { PROBE_BODY_MAX = 16384,   /* bytes of an answer that are looked at; no more is read */
       PROBE_HEADER_MAX = 65536, /* bytes of all header lines together */
       PROBE_TARGET = 512 };

enum look_end {
	LOOK_GOOD = 1,
	LOOK_REFUSED,     /* by the member's kernel or filter */
	LOOK_UNREACHABLE, /* nobody there, or no way */
	LOOK_LATE,
	LOOK_CLOSED,      /* before an answer was complete */
	LOOK_STATUS,      /* another HTTP status than wanted */
	LOOK_TEXT,        /* the wanted text is not in the body */
	LOOK_GARBAGE,     /* no HTTP */
	LOOK_TOO_LONG,    /* header without end */
	LOOK_TLS,         /* no handshake */
	LOOK_CERTIFICATE, /* handshake, but not with whom it should be */
	LOOK_PLUGIN,      /* the plugin says bad, or did not end well */
	LOOK_BLIND        /* we could not look: says nothing about the member */
};
struct look { /* how one look ended */
	enum look_end end;
	int code;         /* HTTP status; BLIND: errno; else 0 */
	uint32_t took_ms;
	const char *text; /* plugin's first line, or a library's words; NULL none. Of the outside: made printable by probe_explain() */
};

/* True when everything in it can be looked at: numbers in range, texts terminated, no byte in path or host that could change a request. */
bool probe_sound(const struct msg_member_probe *m);

struct probe_memory {
	enum probe_state state;
	bool good;          /* the streak is one of good looks */
	uint16_t streak, blind;
	int64_t since_ms;   /* of the state */
};
void probe_begin(struct probe_memory *p, int64_t now); /* unknown */
/* Takes the end of a look: rise good in a row make it good, fall bad in a row bad; fall looks in a row that could not be made make it
 * unknown. Returns true when the state is another one. */
bool probe_judge(struct probe_memory *p, const struct msg_member_probe *m, enum look_end end, int64_t now);
/* One line of at most NAME_SIZE - 1 bytes: "200 in 3 ms", "connection refused", "answers 500, 200-399 wanted". */
void probe_explain(const struct msg_member_probe *m, const struct look *look, char out[NAME_SIZE]);

/* Time of the look after `after`: each probe has its own place in the interval, so that they are spread, and wanders up to a tenth of it, so
 * that nothing on the member that repeats is met each time or never. Less than two intervals after `after`. */
int64_t probe_due(const struct msg_member_probe *m, int64_t after);
/* The first look of a probe that is new: soon, but spread. */
int64_t probe_first(const struct msg_member_probe *m, int64_t now);
/* The look after one that began at `began` and has now ended: a good probe whose look was bad is looked at again after a quarter of the
 * interval, so that it is called bad early (or was one lost packet). */
int64_t probe_again(const struct msg_member_probe *m, const struct probe_memory *p, int64_t began, int64_t now);

/* What of an answer's body has been seen. bytes is only filled when a text is wanted. */
struct probe_body {
	size_t size;
	char bytes[PROBE_BODY_MAX];
};
/* Takes the next piece; true when enough has been seen. */
bool probe_body_take(struct probe_body *body, bool keep, const char *bytes, size_t size);
/* The end of a look that got an answer with this status. */
enum look_end probe_answer(const struct msg_member_probe *m, int status, const struct probe_body *body);

/* "http://10.0.0.1:80/" or "https://www.example.org:8443/"; the path is given to the library apart. connect: "::10.0.0.1:8443" (libcurl's
 * CONNECT_TO) when the URL has a host name, else "". Needs a sound probe. */
void probe_url(const struct msg_member_probe *m, char url[PROBE_TARGET], char connect[PROBE_TARGET]);

#endif
