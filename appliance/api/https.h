/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS listener's certificate, key and users as supervisor and engine hand them over, at start and after SIGHUP. What is wrong is said in the
 * log, and to the engine, which makes an alarm of it; what was in force before stays. Called by the role's main. */
#ifndef GLORY_API_HTTPS_H
#define GLORY_API_HTTPS_H

#include "board/messages.h"

/* ask: asks the supervisor for a secret; it is answered by https_secret(). tell: tells the engine, on change. */
void https_begin(void (*ask)(const struct msg_secret_ask *m), void (*tell)(const struct msg_https_state *m));
/* fd: of the certificate's file, or -1; taken. */
void https_offer(const struct msg_https *offer, int fd);
void https_users(const struct msg_user *users, size_t count);
void https_secret(const struct msg_secret *secret);
/* The engine is a new one: it is told how certificate and key are. */
void https_tell_again(void);
/* Says when the certificate comes to its end; to be called now and then. */
void https_tick(int64_t now_wall_ms);
void https_end(void);

#endif
