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
	bool on;
	char file[HTTPS_FILE], key[NAME_SIZE];
	char *pem; /* read, and waiting for its key */
	size_t size;
	int64_t warned_wall_ms;
} https;

void https_begin(void (*ask)(const struct msg_secret_ask *m))
{
	https.ask = ask;
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

static void complain(const struct error *e)
{
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
	text_copy(https.file, sizeof https.file, m->certificate);
	text_copy(https.key, sizeof https.key, m->key);
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
		complain(&e);
	else if (https.on)
		ask(SECRET_TLS, https.key);
}

static void take_key(const struct msg_secret *m)
{
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
		rc = certificate_load(https.pem, https.size, m->text, https.file, https.key, clock_wall_ms(), &e);
	}
	free(https.pem);
	https.pem = NULL;
	if (rc) {
		complain(&e);
		return;
	}
	https.warned_wall_ms = 0;
	log_info("https: %s is in force, until %s", https.file, clock_text(certificate_ends_ms(), when, sizeof when));
	https_tick(clock_wall_ms());
}

static void take_password(const struct msg_secret *m)
{
	struct error e;

	if (m->status)
		login_forget(m->name);
	if (m->status)
		log_error("https: user %s: his secret https/%s cannot be had: put a line password=... there, root's own, mode 0600, then: systemctl reload glory",
			  m->name, m->name);
	else if (login_password(m->name, m->text, &e))
		log_error("https: %s: %s: %s", e.object, e.text, e.remedy);
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
	int64_t left_ms = certificate_ends_ms() - now;
	char when[32];

	if (!certificate_number() || now - https.warned_wall_ms < DAY_MS)
		return;
	if (certificate_begins_ms() > now)
		log_warning("https: %s: is not valid yet: is this machine's clock right?", https.file);
	else if (left_ms <= 0)
		log_error("https: %s: has ended, and clients refuse it: renew it and its key, then: systemctl reload glory", https.file);
	else if (left_ms < WARN_DAYS * DAY_MS)
		log_warning("https: %s: ends on %s: renew it and its key, then: systemctl reload glory", https.file,
			    clock_text(certificate_ends_ms(), when, sizeof when));
	else
		return;
	https.warned_wall_ms = now;
}
