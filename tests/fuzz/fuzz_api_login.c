/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the Authorization header of a stranger at the TLS listener: it is a name and a password, both whole, or refused; nobody is let in but with the
 * right one. */
#include <stdlib.h>
#include <string.h>

#include "api/login.h"
#include "base/text.h"

#define RIGHT "Basic dmlld2VyOmNvcnJlY3QgaG9yc2U=" /* viewer:correct horse */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void begin(void)
{
	static bool begun;
	struct msg_user viewer;
	struct error e;

	if (begun)
		return;
	begun = true;
	memset(&viewer, 0, sizeof viewer);
	text_copy(viewer.name, sizeof viewer.name, "viewer");
	viewer.right = RIGHT_VIEW;
	viewer.https = 1;
	login_users(&viewer, 1);
	if (login_password("viewer", "password=correct horse\n", &e))
		abort();
}

static void try_parse(const char *header)
{
	char out[LOGIN_HEADER_MAX];
	size_t at = 0;

	if (!login_parse(header, out, &at))
		return;
	if (strlen(out) >= NAME_SIZE || at != strlen(out) + 1 || !memchr(out + at, 0, sizeof out - at) || strlen(header) >= LOGIN_HEADER_MAX)
		abort();
}

static void try_login(const char *header)
{
	static int64_t now = 1;
	struct address from = {.family = 4, .bytes = {10}};
	char name[NAME_SIZE] = "", out[LOGIN_HEADER_MAX];
	size_t at = 0;

	enum login is = login_check(header, &from, now += LOGIN_TRY_AGAIN_MS, name);
	bool right = login_parse(header, out, &at) && !strcmp(out, "viewer") && !strcmp(out + at, "correct horse");
	if ((is == LOGIN_GOOD) != right || (right && strcmp(name, "viewer") != 0) || is == LOGIN_WAIT)
		abort();
	if (login_check(RIGHT, &from, now += LOGIN_TRY_AGAIN_MS, name) != LOGIN_GOOD)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *header = malloc(size + 1);

	if (!header)
		return 0;
	memcpy(header, data, size);
	header[size] = '\0';
	begin();
	try_parse(header);
	try_login(header);
	free(header);
	return 0;
}
