/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts inside a service's configuration, taken apart and written again: its virtual addresses, its probe, its agent with parameters,
 * its schedule. config/check.c says with them what may be configured, the engine works with what they give. Pure.
 * Parsers return 0, or ERR_CONFIG with object "service", text and remedy in *e (the caller puts the service's name there) and *out not to be
 * used. The _text functions write what their parser reads back as the same, and are cut to size. */
#ifndef GLORY_CONFIG_SERVICE_TEXT_H
#define GLORY_CONFIG_SERVICE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

/* --- virtuals: ADDRESS:PORT[/tcp|/udp][>MEMBER PORT], "mark N[/ipv6]>MEMBER PORT", with commas between them --- */
#define SERVICE_VIRTUALS_MAX 16
enum service_protocol { SERVICE_TCP = 1, SERVICE_UDP, SERVICE_FWMARK }; /* the numbers of enum picture_protocol */
struct service_virtual {
	struct address address; /* with its port; family 0: a firewall mark */
	uint32_t fwmark;        /* 0: an address */
	uint16_t member_port;   /* where the members serve it; the virtual's own unless said */
	uint8_t protocol;       /* enum service_protocol */
	uint8_t family;         /* 4 or 6, of a mark too */
};
struct service_virtuals {
	size_t count;           /* at least 1 */
	struct service_virtual at[SERVICE_VIRTUALS_MAX];
};
/* The same address, port and protocol (or mark and family) twice is refused. */
int service_virtuals_parse(const char *text, struct service_virtuals *out, struct error *e);
void service_virtuals_text(const struct service_virtuals *virtuals, char *out, size_t size);
/* Whether two virtual servers would be in each other's way on one balancer. */
bool service_virtual_same(const struct service_virtual *a, const struct service_virtual *b);

/* --- probe: "tcp", "tls [host NAME]", "http|https [PATH] [status LOW-HIGH|CODE] [text TEXT] [host NAME]", "plugin NAME [ARGUMENTS]"; all but
 * plugin take "port N". A TEXT with blanks stands in double quotes. --- */
struct service_probe {
	uint16_t kind;           /* enum probe_kind (board/messages.h, whose sizes these are) */
	uint16_t status_low, status_high; /* HTTP; 0 0 = 200..399 */
	uint16_t port;           /* 0: the member port of the service's first virtual */
	char host[64];           /* HTTP Host and TLS name; "" the address */
	char path[128];          /* HTTP; "/" unless said, "" for others */
	char expect[64];         /* text the body must contain; "" none */
	char plugin[64], arguments[256];
};
int service_probe_parse(const char *text, struct service_probe *out, struct error *e);
void service_probe_text(const struct service_probe *probe, char *out, size_t size);

/* --- agent: "systemd:UNIT", "ocf:PROVIDER:NAME"; parameters: "KEY=VALUE KEY=\"VALUE WITH BLANKS\"" --- */
enum service_agent_kind { SERVICE_AGENT_SYSTEMD = 1, SERVICE_AGENT_OCF };
struct service_agent {
	uint8_t kind;            /* enum service_agent_kind */
	char provider[48];       /* OCF only */
	char name[80];           /* unit, or the resource agent's name */
};
int service_agent_parse(const char *text, struct service_agent *out, struct error *e);
void service_agent_text(const struct service_agent *agent, char *out, size_t size);

#define SERVICE_PARAMETERS_MAX 16
struct service_parameter {
	char key[32];            /* [A-Za-z_][A-Za-z0-9_]*: it becomes part of an environment variable's name */
	char value[192];         /* printable, without " and \ */
};
struct service_parameters {
	size_t count;            /* 0 for "" */
	struct service_parameter at[SERVICE_PARAMETERS_MAX];
};
int service_parameters_parse(const char *text, struct service_parameters *out, struct error *e);
void service_parameters_text(const struct service_parameters *parameters, char *out, size_t size);
/* NULL when there is none of that key. */
const char *service_parameter(const struct service_parameters *parameters, const char *key);

/* --- schedule: "mon-fri 08:00-18:00 6; daily 12:00-13:00 8; sat,sun 00:00-24:00 2": the least size at times, UTC --- */
#define SERVICE_SCHEDULE_MAX 16
#define SERVICE_SIZE_MAX 4000
struct service_schedule_entry {
	uint8_t days;            /* bit 0 monday .. bit 6 sunday: the day it begins on */
	uint8_t pad;
	uint16_t from, until;    /* minutes of the day, 0..1440; until at or before from: of the next day */
	uint16_t least;          /* 1..SERVICE_SIZE_MAX */
};
struct service_schedule {
	size_t count;            /* 0 for "" */
	struct service_schedule_entry at[SERVICE_SCHEDULE_MAX];
};
int service_schedule_parse(const char *text, struct service_schedule *out, struct error *e);
void service_schedule_text(const struct service_schedule *schedule, char *out, size_t size);

#endif
