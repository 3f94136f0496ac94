/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Error kinds: what a function returns (negative) when it fails, and what JSON, log and job rows call it. */
#ifndef GLORY_BASE_ERROR_H
#define GLORY_BASE_ERROR_H

/* Functions return 0 (or a count) or one of these, negative. The message is made where the context is known. */
enum error_kind {
	ERR_BUG = -1,         /* our own fault */
	ERR_CONFIG = -2,      /* what was configured or typed cannot be right */
	ERR_NOT_NOW = -3,     /* right, but not in the present state */
	ERR_REFUSED = -4,     /* no permission, or a brake said no */
	ERR_REMOTE = -5,      /* the other side failed or did not answer */
	ERR_NO_RESOURCE = -6, /* out of disk, memory, descriptors, slots */
	ERR_NOT_FOUND = -7,
	ERR_EXISTS = -8,
	ERR_BUSY = -9         /* try again; somebody else is at it */
};

/* "not-now" and so on; "ok" for 0 and above, "bug" for numbers that are none. */
const char *error_name(int kind);
/* The kind of a spelling, 0 for "ok", ERR_BUG for an unknown one. */
int error_value(const char *name);

/* A failure with its text: one line, lower case, naming object, cause and remedy. */
struct error {
	int kind;        /* 0 or an enum error_kind */
	char object[128]; /* what it is about: "node n001", "cluster.xml:12" */
	char text[256];
	char remedy[160];
};

/* Fills *e (which may be NULL) and returns kind, so that callers can `return error_set(...)`. */
int error_set(struct error *e, int kind, const char *object, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
