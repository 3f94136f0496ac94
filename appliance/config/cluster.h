/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wanted state of a cluster as fixed structs: what cluster.xml says after ranges are expanded, what the store holds under
 * /config/GEN/KIND/NAME, what apply compares and export prints (contracts, section 10). */
#ifndef GLORY_CONFIG_CLUSTER_H
#define GLORY_CONFIG_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/words.h"

#define CONFIG_NAME 64

enum config_kind { CONFIG_SNMP = 1, CONFIG_BMC, CONFIG_BMCMODEL, CONFIG_SWITCH, CONFIG_PDU, CONFIG_GROUP, CONFIG_NODE, CONFIG_ITEM,
		   CONFIG_NOTIFY, CONFIG_BRAKE, CONFIG_WATCH, CONFIG_CHECK, CONFIG_POOL, CONFIG_SOFTWARE, CONFIG_BALANCER, CONFIG_SERVICE,
		   CONFIG_KIND_COUNT };

struct config_head { /* every object begins so */
	char name[CONFIG_NAME];
	uint32_t line; /* in the XML it came from; 0 = not from XML; never compared, never stored */
	uint32_t pad;
};
struct config_snmp { struct config_head head; uint8_t version, auth, priv; char user[CONFIG_NAME]; };
struct config_bmc { struct config_head head; char user[20]; uint8_t suite, privilege; bool probe_defaults; };
struct config_bmcmodel { struct config_head head; uint8_t suite; uint32_t gap_ms, workarounds, accepted; }; /* suite 0: as the credential says */
struct config_switch { struct config_head head; struct address address; char snmp[CONFIG_NAME]; char group[CONFIG_NAME]; };
struct config_pdu { struct config_head head; struct address address; char snmp[CONFIG_NAME]; };
struct config_group { struct config_head head; struct address reference; uint8_t policy; /* enum policy */ };
struct config_node {
	struct config_head head;
	char group[CONFIG_NAME];
	struct address address; /* with port */
	struct address bmc;     /* family 0: none; port 623 unless given */
	char snmp[CONFIG_NAME], bmc_credential[CONFIG_NAME], bmc_model[CONFIG_NAME];
	char switch_name[CONFIG_NAME];
	uint32_t switch_port;   /* ifIndex; 0 none */
	char rack[32], pdu[CONFIG_NAME];
	uint8_t uuid[16];       /* all zero: none */
	uint8_t wanted_power;   /* enum power, POWER_ON by default */
	uint8_t maintenance;
	uint8_t policy;         /* enum policy; 0: the group's */
	int64_t maintenance_until_ms; /* wall clock; 0: no end */
};
enum threshold_kind { THRESHOLD_VALUE = 0, THRESHOLD_RATE, THRESHOLD_NO_DATA, THRESHOLD_FORECAST, THRESHOLD_DEVIATION, THRESHOLD_KINDS };
struct config_threshold { /* config/threshold.h says what each kind uses */
	uint8_t level;          /* LEVEL_WARNING.. */
	uint8_t above;          /* 1: above value, 0: below value */
	uint8_t of, in;         /* n of m samples; 1 of 1 by default */
	uint8_t kind;           /* enum threshold_kind */
	uint8_t pad[3];
	uint32_t window_s;      /* rate, no-data, forecast: the time looked at */
	uint32_t within_s;      /* forecast: the value is reached within this time */
	uint32_t per_s;         /* rate: value is a change in this time */
	uint32_t pad2;
	double value, clear;
	double deviations;      /* deviation: so many standard deviations from what is usual */
};
#define CONFIG_THRESHOLDS 6
#define CONFIG_SAMPLES_MAX 32 /* m of "n of m": the window of monitor/levels.h */
#define CONFIG_FILTER 96
#define CONFIG_EXPRESSION 256
#define CONFIG_ITEMS_MAX 64 /* with an oid or an expression: a node's set of them is one word */
#define CONFIG_NODES_MAX 20000
#define CONFIG_GROUPS_MAX 1000
struct config_item {
	struct config_head head; /* an item name */
	uint32_t oid[24];
	uint8_t oid_length;     /* 0: a change of thresholds of a built-in item */
	uint8_t per_instance, counter;
	uint8_t thresholds;     /* how many follow */
	uint32_t interval_s;
	char unit[12], scope[CONFIG_NAME]; /* scope: "@site", "@GROUP", a range */
	char instances[CONFIG_NAME];       /* OID of the name column as text, "" for scalars */
	char include[CONFIG_FILTER], exclude[CONFIG_FILTER]; /* rows by name: base/glob.h; "" all, none */
	char expression[CONFIG_EXPRESSION]; /* over other items (expression.h), "" where there is an oid */
	struct config_threshold threshold[CONFIG_THRESHOLDS];
};
struct config_notify { struct config_head head; struct address address; char snmp[CONFIG_NAME]; uint8_t kind; /* enum receiver_kind */ };
struct config_brake { struct config_head head; uint32_t value; }; /* named limits: power-on-per-second, destructive-per-minute, repair-percent */

struct config_watch { /* processes that are to run */
	struct config_head head;
	char process[CONFIG_NAME]; /* name, with * and ? */
	char arguments[96];        /* pattern that is in the arguments; "" any */
	uint32_t min, max, interval_s;
	char scope[CONFIG_NAME];   /* as an item's */
};
struct config_check { /* a program that is run for nodes */
	struct config_head head;
	char plugin[CONFIG_NAME]; /* file name in a check directory */
	char arguments[256];      /* with $ADDRESS$ and $NAME$ */
	uint32_t interval_s, timeout_s;
	char scope[CONFIG_NAME];
};
struct config_pool { /* nodes that services draw from */
	struct config_head head;
	char nodes[256];          /* a range, "@GROUP"; a node is in one pool at most */
	uint32_t reserve;         /* kept free for replacements; 0: 2 %, at least 1 (sizing.md 9) */
	uint32_t pad;
};
struct config_software { /* what is put on nodes */
	struct config_head head;
	uint8_t kind;             /* enum software_kind */
	char package[CONFIG_NAME]; /* Debian package (letters, digits, '+', '-', '.'); bundle: unused */
	char version[CONFIG_NAME]; /* "" the newest of the repository */
	char source[256];         /* package: an apt source line, "" the node's own; bundle: URL or path of the .tar or .squashfs */
	char digest[72];          /* bundle: sha256 of the file, hex; required there */
	char target[128];         /* bundle: directory it is unpacked or mounted under */
	uint32_t batch;           /* nodes at once in a rolling change; 0: a tenth, at least 1 */
};
enum software_kind { SOFTWARE_PACKAGE = 1, SOFTWARE_BUNDLE }; /* "package", "bundle" */
struct config_balancer {
	struct config_head head;
	uint8_t driver;           /* enum balancer_driver */
	struct address address;   /* where it is managed: its sshd (22), its SNMP agent (161); none: this machine */
	struct address peer;      /* second director of a pair; none: alone */
	char ssh[CONFIG_NAME];    /* credential of class ssh: managed over node control */
	char snmp[CONFIG_NAME];   /* credential of class snmp: a switch */
	char interface[16];       /* of a director: VRRP and the sync daemon */
	uint32_t router;          /* VRRP router id 1..255; 0: no VRRP */
	char options[256];        /* "socket=/run/haproxy/admin.sock config=/etc/haproxy/glory.cfg": driver's own */
};
/* A switch that is managed over SNMP; the other drivers work on this machine, or over node control. */
static inline bool config_driver_uses_snmp(uint8_t driver)
{
	return driver == DRIVER_ALTEON || driver == DRIVER_SERVERIRON || driver == DRIVER_CISCO_SLB || driver == DRIVER_F5;
}
/* How many of a pool's `nodes` nodes are kept free: sizing.md 9, (4). */
static inline uint32_t config_pool_reserve(const struct config_pool *pool, uint32_t nodes)
{
	return pool->reserve ? pool->reserve : nodes >= 100 ? nodes / 50 : 1;
}
#define CONFIG_VIRTUALS 512
struct config_service {
	struct config_head head;
	char balancer[CONFIG_NAME], pool[CONFIG_NAME], software[CONFIG_NAME];
	char virtuals[CONFIG_VIRTUALS]; /* "10.99.0.100:80, 10.99.0.100:443>8443, [2001:db8::1]:53/udp, mark 7>80": ADDRESS:PORT[/udp][>MEMBER PORT] */
	char scheduler[32];       /* LVS's word; "wrr" */
	uint8_t forwarding;       /* enum forwarding */
	uint32_t persistence_s;
	char agent[96];           /* "systemd:nginx", "ocf:heartbeat:nginx" */
	char parameters[256];     /* of the agent: "configfile=/srv/web.conf port=80" */
	char probe[160];          /* "tcp", "http /health", "http /health status 200-299 text ok host www", "tls", "https /", "plugin check_http ARGUMENTS" */
	uint32_t probe_interval_ms, probe_timeout_ms, rise, fall;
	uint32_t min, max, target; /* target: percent, reported as goal (sizing.md 1) */
	uint32_t priority;        /* 1..3: class of sizing.md 9 */
	uint32_t start_s;         /* until 5 starts have been measured */
	uint32_t warm_s, drain_s; /* slow start; longest drain */
	uint32_t budget;          /* planned changes of size a day; 0: 12, 24 above 100 members */
	char item[20];            /* utilisation of a member: an item in percent; "cpu" */
	char schedule[256];       /* "mon-fri 08:00-18:00 6; daily 12:00-13:00 8": minimum at times (UTC) */
	uint32_t pin;             /* wanted size set by a person; 0 none */
	int64_t pin_until_ms;     /* wall clock; 0 no end */
	uint8_t enabled;          /* 1: kept running */
	uint8_t spare;            /* 1: N+1 whatever the start time */
	uint8_t policy;           /* enum policy; 0: the group's and node's */
};
#define CONFIG_CHECKS_MAX 64
#define CONFIG_WATCHES_MAX 64
#define CONFIG_WATCH_ANY 100000 /* max when nothing is said */
#define CONFIG_SHORT_NAME 31 /* longest name of a watch or check: it is part of a file's name */

/* All of it, each kind sorted by name. */
struct cluster {
	char site[CONFIG_NAME];
	void *objects[CONFIG_KIND_COUNT]; /* array of the kind's struct, owned */
	size_t count[CONFIG_KIND_COUNT];
};
extern const size_t config_size[CONFIG_KIND_COUNT];
extern const char *const config_kind_name[CONFIG_KIND_COUNT]; /* "snmp", "bmc", ..., as in store keys */

void cluster_init(struct cluster *cluster);
void cluster_clear(struct cluster *cluster);
/* Adds or replaces by name (object is copied). */
void cluster_set(struct cluster *cluster, enum config_kind kind, const void *object);
bool cluster_remove(struct cluster *cluster, enum config_kind kind, const char *name);
/* Finds by name; NULL when there is none. Valid until the next change. */
const void *cluster_find(const struct cluster *cluster, enum config_kind kind, const char *name);
/* Names allowed, required fields there, references exist, addresses and BMC addresses
 * unique, at most 20,000 nodes and 1,000 groups: the rules that hold wherever an edit comes from. 0 or ERR_CONFIG with object, cause, remedy. */
int cluster_check(const struct cluster *cluster, struct error *e);
/* The same, and the line of the XML the object came from (0: none). */
int cluster_check_line(const struct cluster *cluster, struct error *e, uint32_t *line);
/* For readers of many objects: cluster_add() appends without order or search, cluster_sort() then puts each kind in order.
 * cluster_sort() returns 0, or ERR_CONFIG naming an object that is there twice (*line: of the second). */
void cluster_add(struct cluster *cluster, enum config_kind kind, const void *object);
int cluster_sort(struct cluster *cluster, struct error *e, uint32_t *line);

/* One object <> its JSON value, the form in the store and in `--json`: {"v":1} and one member per attribute of contracts section 10
 * with '-' as '_', unset ones left out. Numbers are numbers, maintenance and counter are booleans, workarounds an array of words,
 * addresses "10.1.0.3" or "10.1.0.3:1161" (port only when it is not the default), thresholds an array of
 * objects with the attributes of config/threshold.h. Members that are not known are refused. The name is in the key; a member "name"
 * is accepted when it is the same. Caller frees the text. config_from_json() starts from the defaults. */
char *config_to_json(enum config_kind kind, const void *object);
int config_from_json(enum config_kind kind, const char *name, const char *json, void *object, struct error *e);

/* One field by its XML name ("bmc-model"; JSON's spelling too) as text: what `gloryctl node set n001 rack=r2` needs. An empty value
 * unsets. 0, or ERR_CONFIG with object, cause, remedy and the object unchanged. The whole must still pass cluster_check(). */
int config_set_field(enum config_kind kind, void *object, const char *field, const char *value, struct error *e);
/* An empty object of that name with the defaults of its kind; ERR_CONFIG when the name is none. */
int config_object_init(enum config_kind kind, const char *name, void *object, struct error *e);
/* The kind of a word ("node"); 0 when it is none. */
enum config_kind config_kind_value(const char *word);

/* Difference from old to new, as a list; new objects not in XML stay unless prune. */
enum config_change_what { CONFIG_ADDED = 1, CONFIG_CHANGED, CONFIG_REMOVED };
struct config_change {
	enum config_kind kind;
	enum config_change_what what;
	char name[CONFIG_NAME];
	char fields[160]; /* "address bmc": which fields differ */
};
struct config_diff {
	struct config_change *changes; /* owned */
	size_t count, room;
};
/* The site's name is taken over but is no change of the list: compare cluster.site for that.
 * Fills *diff and *result (the state after apply: old + new, minus the missing ones when prune). */
void cluster_diff(const struct cluster *old_state, const struct cluster *wanted, bool prune, struct cluster *result, struct config_diff *diff);
void config_diff_clear(struct config_diff *diff);
/* Writes cluster.xml of the state: apply of the export shows no difference. Ranges are written where they compress. Caller frees. */
char *cluster_to_xml(const struct cluster *cluster);
/* Packs a cluster into bytes and back (the XML child hands its result over so; every count and text is checked). */
char *cluster_pack(const struct cluster *cluster, size_t *size);
int cluster_unpack(const void *bytes, size_t size, struct cluster *out, struct error *e);

#endif
