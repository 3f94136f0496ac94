/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This appliance's own settings: gloryd.xml as one fixed struct (contracts, section 10). Read by the supervisor through glory-xml. */
#ifndef GLORY_CONFIG_SETTINGS_H
#define GLORY_CONFIG_SETTINGS_H

#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

#define SETTINGS_USERS 32
#define SETTINGS_PATH 200

/* a community (secrets/usm/NAME holds it) and an https user only read, whatever their right */
enum settings_user_kind {
	SETTINGS_USER_SNMP = 1 /* SNMPv3, secrets/usm/NAME */,
	SETTINGS_USER_UNIX,
	SETTINGS_USER_COMMUNITY,
	SETTINGS_USER_HTTPS /* password of the TLS listener, secrets/https/NAME */
};
struct settings_user {
	char name[32];
	uint8_t kind;  /* enum settings_user_kind */
	uint8_t right; /* enum right */
	uint8_t auth, priv; /* as msg_target */
};

struct settings {
	char appliance[64], site[64];
	struct address agent, trap_listener, http, https; /* family 0: off */
	char api_socket[SETTINGS_PATH];
	char data[SETTINGS_PATH];    /* base of store, agent, journal, rrd: "/var/lib/glory" */
	char store_url[SETTINGS_PATH + 16];
	char rrd[SETTINGS_PATH];
	char secrets[SETTINGS_PATH]; /* "/etc/glory/secrets" */
	char checks[SETTINGS_PATH];  /* directory of check plugins: "/usr/lib/nagios/plugins" */
	char https_certificate[SETTINGS_PATH]; /* PEM, the server's own first */
	char https_key[64];          /* its private key: secrets/tls/NAME */
	char first_cluster[SETTINGS_PATH]; /* cluster.xml read once into an empty store; "" none */
	uint64_t rrd_limit_mib;      /* 0 none */
	uint32_t log_level, log_to_syslog;
	uint32_t first_uid;          /* run: 64101; installed: 0 = by the names glory-ROLE */
	uint32_t trap_relay;
	double time_scale;           /* lab only */
	double wall_offset_s;        /* lab only: how far the engine's wall clock is to be off, as after a jump */
	uint32_t users;
	struct settings_user user[SETTINGS_USERS];
};

/* What stands where gloryd.xml says nothing: an installed appliance, HTTP off. */
void settings_default(struct settings *settings);
/* Paths that follow from others where they were not given (store, rrd below data). */
void settings_complete(struct settings *settings);
/* Rules between fields, and that bytes from another process can be settings at all. 0 or ERR_CONFIG. */
int settings_check(const struct settings *settings, struct error *e);

#endif
