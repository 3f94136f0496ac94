/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenSSH's client as we want it: no file of the machine's is read, only certificates of our CA are believed, nobody is asked anything. */
#include "control/role/ssh.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* What is the same for every node. The first key exchange costs a fifth of the processor time of the client's own default. */
static const char *const constant[] = {
	"BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no", "CheckHostIP=no", "VerifyHostKeyDNS=no",
	"HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,rsa-sha2-512-cert-v01@openssh.com",
	"KexAlgorithms=curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256", "IdentitiesOnly=yes", "IdentityAgent=none",
	"PreferredAuthentications=publickey", "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no", "ProxyCommand=none",
	"ConnectTimeout=5", "ConnectionAttempts=1", "ServerAliveInterval=5", "ServerAliveCountMax=2", "TCPKeepAlive=yes", "LogLevel=VERBOSE",
	"RequestTTY=no", "EscapeChar=none",
};

static void add(struct ssh_command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct ssh_command *c, const char *format, ...)
{
	va_list arguments;

	if (c->full || c->count + 1 >= SSH_WORDS) {
		c->full = true;
		return;
	}
	va_start(arguments, format);
	int n = vsnprintf(c->room + c->used, SSH_ROOM - c->used, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= SSH_ROOM - c->used) {
		c->full = true;
		return;
	}
	c->words[c->count++] = c->room + c->used;
	c->used += (size_t)n + 1;
}

static void add_option(struct ssh_command *c, const char *name, const char *format, const char *a, const char *b)
{
	char value[512];
	int n = snprintf(value, sizeof value, format, a, b);

	add(c, "-o");
	add(c, "%s=%s", name, value);
	c->full |= n < 0 || (size_t)n >= sizeof value;
}

static void add_sharing(struct ssh_command *c, const char *socket)
{
	if (!socket[0]) {
		add_option(c, "ControlMaster", "%s%s", "no", "");
		return;
	}
	add_option(c, "ControlMaster", "%s%s", "auto", "");
	add_option(c, "ControlPath", "%s%s", socket, "");
	add_option(c, "ControlPersist", "%s%s", "30", "");
}

bool ssh_command(struct ssh_command *c, const struct ssh_target *t)
{
	char address[ADDRESS_TEXT];
	struct address plain = t->address;

	*c = (struct ssh_command){.count = 0};
	plain.port = 0;
	add(c, "ssh");
	add(c, "-F");
	add(c, "none");
	add(c, "-T");
	for (size_t i = 0; i < COUNT_OF(constant); i++) {
		add(c, "-o");
		add(c, "%s", constant[i]);
	}
	add_option(c, "UserKnownHostsFile", "%s/%s.known", t->keys, t->credential);
	add_option(c, "IdentityFile", "%s/%s", t->keys, t->credential);
	add_option(c, "CertificateFile", "%s/%s-cert.pub", t->keys, t->credential);
	add_option(c, "HostKeyAlias", "%s%s", t->host, "");
	add_sharing(c, t->socket);
	add(c, "-p");
	add(c, "%u", t->address.port ? t->address.port : 22u);
	add(c, "-l");
	add(c, "%s", t->user);
	add(c, "--");
	add(c, "%s", address_text(&plain, 0, address));
	add(c, "%s", t->line);
	c->words[c->count] = NULL;
	return !c->full;
}

bool ssh_command_end(struct ssh_command *c, const char *socket)
{
	*c = (struct ssh_command){.count = 0};
	add(c, "ssh");
	add(c, "-F");
	add(c, "none");
	add(c, "-O");
	add(c, "exit");
	add(c, "-S");
	add(c, "%s", socket);
	add(c, "--");
	add(c, "ended");
	c->words[c->count] = NULL;
	return !c->full;
}
