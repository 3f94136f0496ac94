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
#define PICTURE_CHANGES_SHOWN 256
#define PICTURE_WEIGHT_NOMINAL 100 /* weights are shares of a nominal member; 0: no new connections (drain) */
#define PICTURE_WEIGHT_MAX 1000

/* numbers as in struct msg_target (board/messages.h), which drivers do not see; version 0: the picture carries no credential */
enum picture_snmp { PICTURE_SNMP_V2C = 1, PICTURE_SNMP_V3 = 3 }; /* "2c", "3" */
enum picture_auth { PICTURE_AUTH_SHA256 = 1, PICTURE_AUTH_SHA1 };  /* "SHA-256", "SHA"; 0 none */
enum picture_priv { PICTURE_PRIV_AES128 = 1 };                     /* "AES-128"; 0 none */
enum picture_protocol { PICTURE_TCP = 1, PICTURE_UDP, PICTURE_FWMARK }; /* "tcp", "udp", "fwmark" */

struct picture_counts { /* as read back; 64 bits; zero where the balancer does not tell */
	uint64_t connections, packets_in, packets_out, bytes_in, bytes_out;
	uint32_t active, inactive; /* connections now */
};
struct picture_real {
	char name[PICTURE_NAME];  /* of the member; drivers that need names make them of this; "" when read back and not known */
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
	uint8_t snmp_version, snmp_auth, snmp_priv; /* enum picture_snmp, picture_auth, picture_priv */
	struct picture_virtual *virtuals; /* owned; sorted by name by picture_sort() */
	size_t count, room;
};

void picture_clear(struct picture *picture); /* frees, wipes secrets, leaves an empty one */
/* Appends an empty element and returns it (valid until the next append); NULL beyond the limits above. */
struct picture_virtual *picture_add_virtual(struct picture *picture, const char *name);
struct picture_real *picture_add_real(struct picture_virtual *v, const char *name);
void picture_sort(struct picture *picture); /* virtuals by name, reals by address and port */
/* A deep copy of the virtual servers and the driver's word into an empty *to (no options, no target, no secrets). */
void picture_copy_virtuals(struct picture *to, const struct picture *from);
/* Same protocol and address, or same mark and family. */
bool picture_same_endpoint(const struct picture_virtual *a, const struct picture_virtual *b);
/* For balancers that know no names: virtual servers of `have` take the name of the one in `want` with the same endpoint, their reals that of
 * the real with the same address. Where there is none, the address is made a name ("10.99.0.100-80-tcp", "mark-7-4"). Sorts `have`. */
void picture_adopt_names(struct picture *have, const struct picture *want);
bool picture_set_option(struct picture *picture, const char *name, const char *value); /* false: too many, too long */
const char *picture_option(const struct picture *picture, const char *name, const char *otherwise);
/* The next word of an option's list with commas (blanks around it do not count) into word, cut to size; NULL at its end. */
const char *picture_next_word(const char *list, char *word, size_t size);
/* "previous", "previous-1" .. "previous-9": lists of what the appliance had set on a balancer that knows no names of ours, and wants no more. */
bool picture_is_previous(const char *option);
const struct picture_virtual *picture_find(const struct picture *picture, const char *name);
/* A weight of ours on a balancer whose highest weight is `highest`, when `heaviest` is the greatest weight of the virtual server: relations are
 * kept, what is not 0 does not become 0, and nominal weights stay 100 where there is room. Where there is none, the nominal weight (or the
 * heaviest, when that is more) becomes `highest`: one member that changes does not move the others' weights. */
uint32_t picture_weight(uint32_t weight, uint32_t heaviest, uint32_t highest);

/* The wanted picture as JSON, version 1 (form in picture_json.c). to: secrets are in it only when with_secrets (the text goes through a pipe to the
 * driver, never elsewhere); caller frees with picture_free_text(). from: strict (unknown and repeated members, names and endpoints that are there
 * twice are refused), sorted; 0 or ERR_CONFIG with object, cause, remedy; *out is cleared on failure, and need not be initialised before. */
char *picture_to_json(const struct picture *picture, bool with_secrets);
int picture_from_json(const char *text, size_t size, struct picture *out, struct error *e);
void picture_free_text(char *text); /* wipes and frees; NULL is fine */

/* One step of a plan, or one difference that was found: what the program prints and the engine shows. */
enum picture_verb { PICTURE_ADD_VIRTUAL = 1, PICTURE_CHANGE_VIRTUAL, PICTURE_REMOVE_VIRTUAL, PICTURE_ADD_REAL, PICTURE_CHANGE_REAL, PICTURE_REMOVE_REAL };
/* "add-virtual" and so on */
const char *picture_verb_name(int verb);
struct picture_change {
	enum picture_verb verb;
	char virtual_name[PICTURE_NAME], real[PICTURE_NAME]; /* real: "" for a virtual server */
	char what[96];    /* "weight 100 > 40" */
	uint64_t found;   /* the mark of the row that stood there before; 0: none, or not known */
};
struct picture_result {
	int status;               /* 0: as wanted (read back and compared); else a negative error kind */
	struct error error;       /* when status is not 0 */
	bool partial;             /* some changes were made, some not */
	bool pending;             /* a change is accepted but not finished (asynchronous delete): ask again */
	bool read;                /* have is what stands there now, also when status is not 0 */
	bool unsaved;             /* what runs there could not be saved: the next run is to try (option unsaved=1) */
	bool left;                /* changes of ours are pending on it and could not be taken back: the next run may (option pending=ours) */
	struct picture_change *changes; /* owned: made by this run (dry run: would be made); JSON carries the first PICTURE_CHANGES_SHOWN */
	size_t change_count, change_room;
	uint32_t change_total;    /* of all, after reading JSON too */
	uint32_t commands;        /* writes sent to the balancer */
	uint32_t foreign;         /* virtual servers found that are not ours: left alone */
	char note[160];           /* what else is to be said: "2 reloads", "3 real servers wait for their last connection"; "" nothing */
	struct picture have;      /* as read back at the end; what is ours only */
};
void picture_result_clear(struct picture_result *result);
void picture_result_change(struct picture_result *result, enum picture_verb verb, const char *virtual_name, const char *real, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
char *picture_result_to_json(const struct picture_result *result); /* caller frees; no secrets; form in picture_json.c */
int picture_result_from_json(const char *text, size_t size, struct picture_result *out, struct error *e);

/* The smallest difference that makes `have` into `want` (both sorted): virtual servers are the same by name (picture_adopt_names() first where the
 * balancer knows none), reals by address and port. Order: virtual servers that go, then each wanted one in turn: itself, reals whose host or
 * name is used anew by another one go, reals come, reals change, reals go. A virtual server whose endpoint differs goes and comes again.
 * Drains (weight to 0) before removals are the engine's business. What is ours is told by the driver: virtuals in `have` that are not in `want`
 * are removed only when ours(arg, virtual) says so (NULL: all are ours); others are counted in out->foreign. Names of reals, counts and
 * `failing` make no difference. change.real is the address text ("10.1.0.7:80"); picture_change_real() finds the row. */
void picture_diff(const struct picture *want, const struct picture *have, bool (*ours)(void *arg, const struct picture_virtual *v), void *arg,
		  struct picture_result *out);
/* What of a row makes a difference, as a number that is not 0 (but of a virtual server without address and mark): equal rows have equal marks. */
uint64_t picture_real_mark(const struct picture_real *r);
uint64_t picture_virtual_mark(const struct picture_virtual *v);
/* Whether the row of a result's change was another one when the run began than in `last`, what the run before had read back (sorted): then somebody
 * else had changed it. A change that does not say what was found, such as of what a picture does not know, is nobody else's. */
bool picture_found_changed(const struct picture *last, const struct picture_result *result, size_t change);
/* The real server a change names in a picture: its row in `want` for add and change, in `have` for remove; NULL when there is none. */
const struct picture_real *picture_change_real(const struct picture *picture, const struct picture_change *change);

#endif
