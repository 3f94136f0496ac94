/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The credential into the picture; see picture.h and balance/picture.h for the form. */
#include "control/role/picture.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "balance/picture.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "base/text.h"

static const struct {
	const char *line, *member;
} secrets[] = {{"auth=", "auth_secret"}, {"priv=", "priv_secret"}, {"community=", "community"}};

static void take_line(json_t *credential, const char *line, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		size_t key = strlen(secrets[i].line);
		if (length > key && !strncmp(line, secrets[i].line, key))
			json_object_set_new(credential, secrets[i].member, json_stringn(line + key, length - key));
	}
}

static json_t *read_picture(int input, char *text, size_t size)
{
	struct stat st;
	json_t *o = NULL;

	if (input < 0 || fstat(input, &st) || st.st_size <= 0 || st.st_size > (off_t)PICTURE_BYTES_MAX) {
		text_format(text, size, "the picture is missing or too long");
		return NULL;
	}
	char *bytes = mem_zalloc((size_t)st.st_size);
	if (pread(input, bytes, (size_t)st.st_size, 0) == st.st_size)
		o = json_loadb(bytes, (size_t)st.st_size, JSON_REJECT_DUPLICATES, NULL);
	free(bytes);
	if (!json_is_object(o)) {
		json_decref(o);
		text_format(text, size, "the picture is no JSON object");
		return NULL;
	}
	return o;
}

int picture_splice(int input, const char *secret, char *text, size_t size)
{
	json_t *o = secret ? read_picture(input, text, size) : NULL, *credential;

	if (!secret)
		text_format(text, size, "its SNMP credential is not there");
	if (!o)
		return -1;
	credential = json_object_get(o, "credential");
	if (!json_is_object(credential)) {
		credential = json_object();
		json_object_set_new(o, "credential", credential);
	}
	for (const char *at = secret; *at;) {
		size_t length = strcspn(at, "\n");
		take_line(credential, at, length);
		at += length + (at[length] == '\n');
	}
	char *bytes = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	int fd = bytes ? bytes_memory("picture", bytes, strlen(bytes)) : -1;
	if (bytes)
		explicit_bzero(bytes, strlen(bytes));
	free(bytes);
	if (fd < 0)
		text_format(text, size, "the picture cannot be handed over");
	return fd;
}
