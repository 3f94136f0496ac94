/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may read over TLS: HTTP Basic against the users that gloryd.xml names. Of a password only its HMAC with a key of this process is kept; a
 * guess is compared in the same time whether the user exists or not, and an address that guesses wrong too often has to wait. */
#ifndef GLORY_API_LOGIN_H
#define GLORY_API_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/server.h"

#define LOGIN_USERS 32
#define LOGIN_HEADER_MAX 1024 /* bytes of an Authorization header that are looked at */
#define LOGIN_PASSWORD_MAX 256
#define LOGIN_PASSWORD_MIN 8
#define LOGIN_TRIES 5           /* wrong ones at once */
#define LOGIN_TRY_AGAIN_MS 10000 /* one more after this time */

enum login { LOGIN_GOOD, LOGIN_NONE /* nothing was said */, LOGIN_BAD, LOGIN_WAIT /* too many were wrong: not even looked at */ };

/* Replaces the list; a user whose password has been given keeps it until login_password() brings another. */
void login_users(const struct msg_user *users, size_t count);
/* text: of a secret of class https, "password=...". 0, or ERR_CONFIG with *e (the user is then not let in). */
int login_password(const char *name, const char *text, struct error *e);
/* The user's secret is not to be had: nobody is let in under this name. */
void login_forget(const char *name);
/* header: the value of Authorization, NULL none. name: who it is, when it is LOGIN_GOOD. */
enum login login_check(const char *header, const struct address *from, int64_t now_ms, char name[NAME_SIZE]);

/* "Basic BASE64" into "name\0password\0" and where the password begins. False: it is not that. The caller wipes out. */
bool login_parse(const char *header, char out[LOGIN_HEADER_MAX], size_t *password);

#endif
