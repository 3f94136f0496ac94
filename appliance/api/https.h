/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS listener's certificate, key and users as supervisor and engine hand them over, at start and after SIGHUP. What is wrong is said in the
 * log, with its remedy; what was in force before stays. Called by the role's main. */
#ifndef GLORY_API_HTTPS_H
#define GLORY_API_HTTPS_H

#include "board/messages.h"

/* ask: asks the supervisor for a secret; it is answered by https_secret(). */
void https_begin(void (*ask)(const struct msg_secret_ask *m));
/* fd: of the certificate's file, or -1; taken. */
void https_offer(const struct msg_https *offer, int fd);
void https_users(const struct msg_user *users, size_t count);
void https_secret(const struct msg_secret *secret);
/* Says when the certificate comes to its end; to be called now and then. */
void https_tick(int64_t now_wall_ms);
void https_end(void);

#endif
