/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the TLS listener needs before it can speak; see https.h. */
#include "api/https.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/certificate.h"
#include "api/login.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define DAY_MS INT64_C(86400000)
#define WARN_DAYS 14

static struct https {
	void (*ask)(const struct msg_secret_ask *m);
	void (*tell)(const struct msg_https_state *m);
	enum https_trouble trouble; /* of what was offered last; 0: its key is being waited for */
	int64_t ended_ms;           /* where that is HTTPS_ENDED */
	struct msg_https_state told;
	bool on;
	char file[HTTPS_FILE], key[NAME_SIZE];
	char *pem; /* read, and waiting for its key */
	size_t size;
	int64_t warned_wall_ms;
} https;

void https_begin(void (*ask)(const struct msg_secret_ask *m), void (*tell)(const struct msg_https_state *m))
{
	https.ask = ask;
	https.tell = tell;
}

void https_end(void)
{
	free(https.pem);
	certificate_off();
	certificate_forget(UINT64_MAX);
	memset(&https, 0, sizeof https);
}

static void ask(uint32_t class, const char *name)
{
	struct msg_secret_ask m = {.secret_class = class};

	text_copy(m.name, sizeof m.name, name);
	https.ask(&m);
}

/* How the one in force stands, where nothing is wrong with what was offered. */
static enum https_trouble by_time(int64_t now, int64_t *when)
{
	int64_t begins = certificate_begins_ms(), ends = certificate_ends_ms();
	enum https_trouble is = begins > now ? HTTPS_NOT_YET : ends <= now ? HTTPS_ENDED : ends - now < WARN_DAYS * DAY_MS ? HTTPS_ENDS_SOON : HTTPS_WELL;

	*when = is == HTTPS_WELL ? 0 : is == HTTPS_NOT_YET ? begins : ends;
	return is;
}

static void tell(int64_t now)
{
	struct msg_https_state m = {.trouble = HTTPS_WELL, .served = certificate_ends_ms() > now};

	if (https.on && !https.trouble)
		return;
	if (https.on && https.trouble != HTTPS_WELL) {
		m.trouble = https.trouble;
		m.when_wall_ms = https.trouble == HTTPS_ENDED ? https.ended_ms : 0;
	} else if (https.on) {
		m.trouble = by_time(now, &m.when_wall_ms);
	}
	if (!memcmp(&m, &https.told, sizeof m))
		return;
	https.told = m;
	https.tell(&m);
}

void https_tell_again(void)
{
	memset(&https.told, 0, sizeof https.told);
	tell(clock_wall_ms());
}

static void complain(enum https_trouble what, const struct error *e)
{
	https.trouble = what;
	tell(clock_wall_ms());
	log_error("https: %s: %s: %s (%s)", e->object, e->text, e->remedy,
		  certificate_number() ? "the certificate in force stays" : "nothing is served over TLS");
}

/* The whole file, at most CERTIFICATE_FILE_MAX bytes of it. */
static int read_file(int fd, struct error *e)
{
	ssize_t n = 1;

	free(https.pem);
	https.pem = mem_zalloc(CERTIFICATE_FILE_MAX + 1);
	for (https.size = 0; n > 0 && https.size <= CERTIFICATE_FILE_MAX; https.size += n > 0 ? (size_t)n : 0)
		n = read(fd, https.pem + https.size, CERTIFICATE_FILE_MAX + 1 - https.size);
	if (n < 0)
		return error_set(e, ERR_CONFIG, https.file, "put the certificate there (PEM), then: systemctl reload glory", "cannot be read: %s", strerror(errno));
	if (https.size > CERTIFICATE_FILE_MAX)
		return error_set(e, ERR_CONFIG, https.file, "leave the server's certificate and those that signed it there", "has more than %d bytes",
				 CERTIFICATE_FILE_MAX);
	return 0;
}

void https_offer(const struct msg_https *m, int fd)
{
	struct error e;
	int rc = 0;

	if (!text_terminated(m->certificate, sizeof m->certificate) || !text_terminated(m->key, sizeof m->key)) {
		if (fd >= 0)
			close(fd);
		return;
	}
	https.on = m->on;
	https.trouble = 0;
	text_copy(https.file, sizeof https.file, m->certificate);
	text_copy(https.key, sizeof https.key, m->key);
	enum https_trouble trouble = fd < 0 ? HTTPS_NO_FILE : HTTPS_NO_CHAIN;
	if (!https.on)
		certificate_off();
	else if (fd < 0)
		rc = error_set(&e, ERR_CONFIG, https.file, "put the certificate there (PEM), then: systemctl reload glory", "cannot be opened: %s",
			       m->trouble == EINVAL ? "it is no file" : strerror(m->trouble));
	else
		rc = read_file(fd, &e);
	if (fd >= 0)
		close(fd);
	if (rc)
		complain(trouble, &e);
	else if (https.on)
		ask(SECRET_TLS, https.key);
	else
		tell(clock_wall_ms());
}

static void take_key(const struct msg_secret *m)
{
	enum https_trouble trouble = HTTPS_NO_KEY;
	struct error e = {0};
	char label[NAME_SIZE + 16], when[32];
	int rc;

	if (!https.on || !https.pem || strcmp(m->name, https.key) != 0)
		return; /* the settings are others by now */
	if (m->status) {
		text_format(label, sizeof label, "secret tls/%s", https.key);
		rc = error_set(&e, m->status, label, "put the certificate's key there, root's own, mode 0600, then: systemctl reload glory",
			       "cannot be had: the supervisor's line in the log says why");
	} else {
		rc = certificate_load(https.pem, https.size, m->text, https.file, https.key, clock_wall_ms(), &trouble, &https.ended_ms, &e);
	}
	free(https.pem);
	https.pem = NULL;
	if (rc) {
		complain(trouble, &e);
		return;
	}
	https.trouble = HTTPS_WELL;
	https.warned_wall_ms = 0;
	log_info("https: %s is in force, until %s", https.file, clock_text(certificate_ends_ms(), when, sizeof when));
	https_tick(clock_wall_ms());
}

static void take_password(const struct msg_secret *m)
{
	struct msg_https_state state = {.trouble = m->status ? HTTPS_NO_PASSWORD : HTTPS_WELL, .served = certificate_ends_ms() > clock_wall_ms()};
	struct error e;

	if (m->status)
		login_forget(m->name);
	if (m->status)
		log_error("https: user %s: his secret https/%s cannot be had: put a line password=... there, root's own, mode 0600, then: systemctl reload glory",
			  m->name, m->name);
	else if (login_password(m->name, m->text, &e)) {
		state.trouble = HTTPS_BAD_PASSWORD;
		log_error("https: %s: %s: %s", e.object, e.text, e.remedy);
	}
	text_copy(state.name, sizeof state.name, m->name);
	https.tell(&state);
}

void https_secret(const struct msg_secret *secret)
{
	struct msg_secret copy = *secret;

	if (text_terminated(copy.name, sizeof copy.name) && text_terminated(copy.text, sizeof copy.text)) {
		if (copy.secret_class == SECRET_TLS)
			take_key(&copy);
		else if (copy.secret_class == SECRET_HTTPS)
			take_password(&copy);
	}
	gnutls_memset(&copy, 0, sizeof copy);
}

void https_users(const struct msg_user *users, size_t count)
{
	login_users(users, count);
	for (size_t i = 0; i < count; i++)
		if (users[i].https && text_terminated(users[i].name, sizeof users[i].name))
			ask(SECRET_HTTPS, users[i].name);
}

void https_tick(int64_t now)
{
	int64_t at;
	char when[32];

	if (!certificate_number())
		return;
	tell(now);
	enum https_trouble is = by_time(now, &at);
	if (is == HTTPS_WELL || now - https.warned_wall_ms < DAY_MS)
		return;
	if (is == HTTPS_NOT_YET)
		log_warning("https: %s: is not valid yet: is this machine's clock right?", https.file);
	else if (is == HTTPS_ENDED)
		log_error("https: %s: has ended, and clients refuse it: renew it and its key, then: systemctl reload glory", https.file);
	else
		log_warning("https: %s: ends on %s: renew it and its key, then: systemctl reload glory", https.file,
			    clock_text(at, when, sizeof when));
	https.warned_wall_ms = now;
}
