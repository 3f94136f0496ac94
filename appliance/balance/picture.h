/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The neutral picture of a balancer: virtual servers and the real servers behind them, as wanted and as read back. The engine writes one,
 * a driver program (glory-ipvs, glory-l4 FAMILY) reads it from standard input, applies the smallest difference, reads back, and prints
 * what it found with statistics; the same program does so beside the appliance and, over the node-control channel, on a director.
 * Pure: nothing here knows a balancer or the appliance's objects. */
#ifndef GLORY_BALANCE_PICTURE_H
#define GLORY_BALANCE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/words.h"

#define PICTURE_NAME 64
#define PICTURE_VIRTUALS_MAX 1024
#define PICTURE_REALS_MAX 4096   /* of one virtual server */
#define PICTURE_BYTES_MAX (4u << 20) /* of its JSON */
#define PICTURE_OPTIONS 16
#define PICTURE_WEIGHT_NOMINAL 100 /* weights are shares of a nominal member; 0: no new connections (drain) */
#define PICTURE_WEIGHT_MAX 1000

enum picture_protocol { PICTURE_TCP = 1, PICTURE_UDP, PICTURE_FWMARK }; /* "tcp", "udp", "fwmark" */

struct picture_counts { /* as read back; 64 bits; zero where the balancer does not tell */
	uint64_t connections, packets_in, packets_out, bytes_in, bytes_out;
	uint32_t active, inactive; /* connections now */
};
struct picture_real {
	char name[PICTURE_NAME];  /* of the member; drivers that need names make them of this */
	struct address address;   /* with the port it serves on */
	uint32_t weight;          /* 0..PICTURE_WEIGHT_MAX */
	uint32_t connections_max; /* 0: no limit */
	bool failing;             /* read back: the balancer's own health check says down */
	struct picture_counts counts;
};
struct picture_virtual {
	char name[PICTURE_NAME];  /* unique in the picture: "web", "web-443" */
	struct address address;   /* family 0 for a firewall mark, whose family is `family` */
	uint32_t fwmark;
	uint8_t protocol, forwarding, family; /* enum picture_protocol, enum forwarding, 4 or 6 */
	char scheduler[32];       /* LVS's words (wrr, wlc, sh, ...); each driver maps what it has, table in its file */
	uint32_t persistence_s;   /* 0: none */
	uint32_t persistence_prefix; /* of clients' addresses that belong together; 0: whole address */
	struct picture_counts counts;
	struct picture_real *reals; /* owned */
	size_t count, room;
};
struct picture_option { /* what one driver needs and others do not know: "socket", "config", "interface", ...; its file lists them */
	char name[32], value[256];
};
struct picture {
	char driver[32];
	struct address target;    /* where the balancer is managed; family 0: here */
	bool dry_run;             /* plan only: nothing is written */
	bool read_only;           /* read back only */
	struct picture_option options[PICTURE_OPTIONS];
	size_t option_count;
	/* of the credential; wiped by picture_clear(); never printed */
	char snmp_user[PICTURE_NAME], secret_auth[256], secret_priv[256], community[256];
	uint8_t snmp_version, snmp_auth, snmp_priv; /* as in struct msg_target; version 2 is "2c" */
	struct picture_virtual *virtuals; /* owned; sorted by name by picture_sort() */
	size_t count, room;
};

void picture_clear(struct picture *picture); /* frees, wipes secrets, leaves an empty one */
/* Appends an empty element and returns it (valid until the next append); NULL beyond the limits above. */
struct picture_virtual *picture_add_virtual(struct picture *picture, const char *name);
struct picture_real *picture_add_real(struct picture_virtual *v, const char *name);
void picture_sort(struct picture *picture); /* virtuals by name, reals by address and port */
const char *picture_option(const struct picture *picture, const char *name, const char *otherwise);
const struct picture_virtual *picture_find(const struct picture *picture, const char *name);
/* A weight of ours on a balancer whose highest weight is `highest`, when `heaviest` is the greatest weight of the virtual server: relations are
 * kept, what is not 0 does not become 0, and nominal weights stay 100 where there is room. */
uint32_t picture_weight(uint32_t weight, uint32_t heaviest, uint32_t highest);

/* The wanted picture as JSON, version 1 (form in picture_json.c). to: secrets are in it only when with_secrets (the text goes through a pipe to the
 * driver, never elsewhere); caller frees, and wipes then. from: 0 or ERR_CONFIG with object, cause, remedy; *out is cleared on failure. */
char *picture_to_json(const struct picture *picture, bool with_secrets);
int picture_from_json(const char *text, size_t size, struct picture *out, struct error *e);

/* One step of a plan, or one difference that was found: what the program prints and the engine shows. */
enum picture_verb { PICTURE_ADD_VIRTUAL = 1, PICTURE_CHANGE_VIRTUAL, PICTURE_REMOVE_VIRTUAL, PICTURE_ADD_REAL, PICTURE_CHANGE_REAL, PICTURE_REMOVE_REAL };
/* "add-virtual" and so on */
const char *picture_verb_name(int verb);
struct picture_change {
	enum picture_verb verb;
	char virtual_name[PICTURE_NAME], real[PICTURE_NAME]; /* real: "" for a virtual server */
	char what[96];    /* "weight 100 > 40" */
};
struct picture_result {
	int status;               /* 0: as wanted (read back and compared); else a negative error kind */
	struct error error;       /* when status is not 0 */
	bool partial;             /* some changes were made, some not */
	bool pending;             /* a change is accepted but not finished (asynchronous delete): ask again */
	struct picture_change *changes; /* owned: made by this run (dry run: would be made) */
	size_t change_count, change_room;
	uint32_t commands;        /* writes sent to the balancer */
	uint32_t foreign;         /* virtual servers found that are not ours: left alone */
	struct picture have;      /* as read back at the end; what is ours only */
};
void picture_result_clear(struct picture_result *result);
void picture_result_change(struct picture_result *result, enum picture_verb verb, const char *virtual_name, const char *real, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
char *picture_result_to_json(const struct picture_result *result); /* caller frees; no secrets */
int picture_result_from_json(const char *text, size_t size, struct picture_result *out, struct error *e);

/* The smallest difference that makes `have` into `want`: removals of reals come first only where their address is used anew, drains (weight to 0)
 * before removals are the engine's business. What is ours is told by the driver: virtuals in `have` that are not in `want` are removed only
 * when ours(arg, virtual) says so (NULL: all are ours). Changes are appended in the order they are to be made. */
void picture_diff(const struct picture *want, const struct picture *have, bool (*ours)(void *arg, const struct picture_virtual *v), void *arg,
		  struct picture_result *out);

#endif
