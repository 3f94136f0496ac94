/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every message between roles: its number, its struct, who sends it to whom (contracts, section 3). Times are monotonic ms unless the
 * name says wall. Text fields are fixed, terminated, UTF-8; a receiver checks text_terminated() before use. A node is named by slot
 * and generation; a message about a generation that is no longer there is ignored. All structs are free of padding surprises:
 * members are ordered by size and checked with _Static_assert in messages.c. */
#ifndef GLORY_BOARD_MESSAGES_H
#define GLORY_BOARD_MESSAGES_H

#include <stdint.h>

#include "base/address.h"
#include "base/witness.h"
#include "base/words.h"
#include "proc/channel.h"

#define NAME_SIZE 64  /* object names, with the zero */
#define CAUSE_SIZE 64 /* one line of text, at most 63 bytes */
#define NODE_MAX 20000
#define NO_SLOT UINT32_MAX
#define SERVICES_MAX 200 /* services, pools, balancers, software of a site, each */

enum message_type {
	/* any role <> supervisor */
	MSG_READY = 1,     /* role > supervisor: serving (empty) */
	MSG_SECRET_ASK,    /* role > supervisor: struct msg_secret_ask */
	MSG_SECRET,        /* supervisor > role: struct msg_secret */
	MSG_ENDPOINT,      /* supervisor > engine: struct msg_endpoint + fd: the engine's end to a (re)started role */
	MSG_SOCKET,        /* supervisor > role: struct msg_socket + fd: a socket opened with the supervisor's rights */
	MSG_HELPER_RUN,    /* engine > supervisor: struct msg_helper_run + fd of a memfd with its typed input (or none) */
	MSG_HELPER_OUT,    /* supervisor > engine: struct msg_helper_out + fd: read end of the helper's output */
	MSG_HEARTBEAT,     /* role > supervisor: the watchdog's sign of life (empty), every 5 s */
	MSG_STATS,         /* any > engine, once a second: struct msg_stats */
	MSG_BOARD,         /* engine > agent, api: empty + fd: the board's memfd */
	MSG_RING,          /* engine > recorder: empty + fd: the row ring's memfd */
	MSG_START,         /* supervisor > role: struct role_start (proc/role.h): the first packet a role gets */
	MSG_SETTINGS,      /* supervisor > engine: struct settings (config/settings.h) as bytes; at start and after SIGHUP */
	MSG_FIRST_CLUSTER, /* supervisor > engine: empty + fd: the cluster.xml for an empty store */
	MSG_HTTPS,         /* supervisor > api: struct msg_https + fd of the certificate's file (or none): at start and after SIGHUP */

	/* engine > collector */
	MSG_TARGETS_BEGIN = 20, /* struct msg_targets: the whole list follows; what is not in it is removed */
	MSG_OBJECTS,            /* struct msg_object[]: what is read from nodes; replaces the itemset as a whole */
	MSG_TARGET,             /* struct msg_target: add or change one node */
	MSG_TARGETS_END,        /* empty */
	MSG_TARGET_REMOVE,      /* struct msg_slot */
	MSG_PROBE,              /* struct msg_slot: look now */
	MSG_HOLD,               /* struct msg_domain */
	MSG_RELEASE,            /* struct msg_domain */
	MSG_PORTS,              /* struct msg_port[] (a full packet: more follows; the whole list replaces the one before): switch ports to read (ifOperStatus, in-octets), each 10 s and when asked */
	MSG_PORT_ASK,           /* struct msg_slot: read this node's port now */
	MSG_REFERENCE,          /* struct msg_reference[]: reference targets of domains (echo, 1 s); replaces the list */
	MSG_REFERENCE_ASK,      /* struct msg_domain: ask its reference targets now; an answer is told at once by MSG_REFERENCE_STATE */
	MSG_ITEMS = 32,      /* struct msg_item[]: what is read besides the objects, each from some of the nodes; replaces the list */
	MSG_ITEM_SCOPE = 33, /* struct msg_item_scope[]: which of them from which nodes; nodes that are not named stay as they are */
	MSG_WATCHES = 34,       /* struct msg_watch[]: process watches; replaces the list */
	MSG_WATCH_SCOPE = 35,   /* struct msg_watch_scope[]: which of them are on which nodes */
	MSG_TOP_ASK = 36,       /* struct msg_top_ask: the busiest processes of a node; answered by MSG_TOP */
	MSG_TRAP_SOURCES = 37,  /* struct msg_trap_source[] (a full packet: more follows): BMCs, switches and PDUs that may send traps; replaces the list */
	MSG_SNMP_ENGINES = 38,  /* struct msg_snmp_engine[]: the collector's own SNMP engine, and what was known of the agents' in an earlier life */

	/* collector > engine */
	MSG_SAMPLES = 40,  /* struct msg_samples + struct msg_sample[], again and again (lossy) */
	MSG_WITNESS,       /* struct witness_report[] (base/witness.h) */
	MSG_INSTANCES,     /* struct msg_instance[]: rows of tables found on a node */
	MSG_JUDGE,         /* struct msg_judge: the collector's own state */
	MSG_PORT_STATE,    /* struct msg_port_state[] */
	MSG_REFERENCE_STATE, /* struct msg_reference_state[] */
	MSG_LOSSY,         /* struct msg_lossy */
	MSG_NODE_FACTS,    /* struct msg_node_facts[]: engine id, sysName, up-times on change */
	MSG_TRAP = 51,     /* struct msg_trap[] (lossy): a trap or inform whose sender is proved */
	MSG_TARGET_STATE = 52, /* struct msg_target_state[]: why a node's agent cannot be read, on change */
	MSG_TRAP_COUNTS = 53, /* struct msg_trap_counts, when they change: what became of the datagrams at the trap listener */

	MSG_ITEM_COST = 48, /* struct msg_item_cost[], every 10 s while there are items */
	MSG_WATCH_STATE = 49, /* struct msg_watch_state[] */
	MSG_TOP = 50,      /* struct msg_top + struct msg_top_row[] */

	/* engine > bmc */
	MSG_BMC_TARGETS_BEGIN = 60, /* struct msg_targets */
	MSG_BMC_TARGET,    /* struct msg_bmc_target */
	MSG_BMC_TARGETS_END, /* empty */
	MSG_BMC_REMOVE,    /* struct msg_slot */
	MSG_POWER,         /* struct msg_power: one verb with read-back */
	MSG_BMC_READ,      /* struct msg_bmc_read */
	MSG_SEL_KNOWN,     /* struct msg_sel_known: behind each MSG_BMC_TARGET, and when entries of MSG_SEL are committed */
	MSG_SEL_CLEAR,     /* struct msg_sel_clear: answered by MSG_SEL_CLEARED */
	MSG_PET,           /* struct msg_pet: a platform event trap; answered by MSG_PET_EVENT, and the event log is read */

	/* bmc > engine */
	MSG_POWER_STATE = 80, /* struct msg_power_state[] */
	MSG_POWER_RESULT,  /* struct msg_power_result */
	MSG_SENSORS,       /* struct msg_sensor[] of one node, whole set in one or more messages */
	MSG_BMC_FACTS,     /* struct msg_bmc_facts: GUID, maker, firmware, on first contact and on change */
	MSG_SEL,           /* struct msg_sel_entry[] of one node, oldest first; more come when MSG_SEL_KNOWN says that these are kept */
	MSG_SEL_STATE,     /* struct msg_sel_state: the event log has been read to its end, or why not */
	MSG_SEL_CLEARED,   /* struct msg_sel_cleared */
	MSG_PET_EVENT,     /* struct msg_sel_entry: a trap in the same words; it is a hint, the entry itself follows by MSG_SEL */
	MSG_FRU,           /* struct msg_fru: the inventory, when it was asked for (BMC_READ_FRU) */

	/* engine > recorder and back */
	MSG_SERIES_ADD = 100, /* struct msg_series */
	MSG_FLUSH,         /* struct msg_flush: bring one node's files up to date */
	MSG_FLUSHED,       /* recorder > engine: struct msg_flush */
	MSG_RECORDER_STATE, /* recorder > engine: struct msg_recorder_state, at start, on change, each minute of trouble */

	/* agent, api <> engine */
	MSG_COMMAND = 120, /* struct msg_command + arguments as one JSON object */
	MSG_QUERY,         /* struct msg_query */
	MSG_REPLY,         /* struct msg_reply + text (JSON) */
	MSG_NOTIFY,        /* engine > agent: struct msg_notify */
	MSG_NOTIFY_DONE,   /* agent > engine: struct msg_notify_done */
	MSG_RECEIVER,      /* engine > agent: struct msg_receiver[]: who gets notifications; replaces the list */
	MSG_GRAPH,         /* api > engine: struct msg_graph; answered by MSG_REPLY with fd of the picture's pipe */
	MSG_USER,          /* engine > agent, api: struct msg_user[]: who may use SNMP, or which UNIX users the API; replaces the list */

	/* engine <> checker */
	MSG_CHECKS = 140,  /* struct msg_check[]: what is checked; replaces the list */
	MSG_CHECK_NODES,   /* struct msg_check_node[]: which of them on which nodes; what is not named stays */
	MSG_CHECK_RESULT,  /* checker > engine: struct msg_check_result + struct msg_check_value[] */

	MSG_PROBES = 144,  /* engine > checker: struct msg_member_probe[] (a full packet: more follows): service probes; replaces the list */
	MSG_PROBE_STATE,   /* checker > engine: struct msg_probe_state[], on change, and each 10 s; unknown with a streak: not seen often enough yet */
	MSG_PROBE_CHANGE,  /* engine > checker: struct msg_member_probe[]: these are new or others; interval_ms 0: no more */

	/* engine <> runner */
	MSG_RUN = 160,     /* engine > runner: struct msg_run + fd of a memfd with the standard input (or none) */
	MSG_RUN_CANCEL,    /* engine > runner: struct msg_run_id */
	MSG_RUN_RESULT,    /* runner > engine: struct msg_run_result + fd of a sealed memfd with the standard output, where text is not all of it */
	MSG_RUN_LINE,      /* runner > engine: struct msg_run_line (lossy): what it printed meanwhile, for the job */

	MSG_LOOK = 240,    /* api > engine: struct msg_slot: somebody looks at this node */
	MSG_REPORT,        /* api > engine: struct msg_report; answered by MSG_REPLY with fd of a text */
	MSG_HTTPS_STATE,   /* api > engine: struct msg_https_state: on change, and all that is not well behind MSG_BOARD and MSG_USER */

	MSG_TYPE_COUNT
};

extern const struct message_shape message_shapes[MSG_TYPE_COUNT];
const char *message_name(unsigned type);

/* --- supervisor ----------------------------------------------------------------------------------- */
enum secret_class { SECRET_SNMP = 1, SECRET_BMC, SECRET_USM, SECRET_NOTIFY, SECRET_SSH, SECRET_TLS, SECRET_HTTPS };
struct msg_secret_ask {
	uint32_t secret_class; /* a role is given its own class only */
	char name[NAME_SIZE];
};
/* text is the file's content: "key=value" lines (auth=, priv=, community=, password=, kg=); of class ssh a private key, a certificate with its
 * options or a CA's public key, of which RSA's are the longest; of class tls a private key (PEM). The receiver wipes it. */
#define SECRET_TEXT 4096
struct msg_secret {
	uint32_t secret_class;
	int32_t status; /* 0 or a negative error kind */
	char name[NAME_SIZE];
	char text[SECRET_TEXT];
};
struct msg_endpoint {
	uint32_t role;
	uint32_t life; /* counts restarts of that role */
};
enum socket_use { SOCKET_AGENT = 1, SOCKET_TRAP, SOCKET_API, SOCKET_HTTP, SOCKET_ECHO4, SOCKET_ECHO6, SOCKET_SNMP_OUT, SOCKET_BMC_OUT, SOCKET_HTTPS };
struct msg_socket {
	uint32_t use; /* enum socket_use */
	uint32_t pad;
	struct address bound;
	uint32_t pad2;
};
/* The TLS listener's certificate. It is read by the role alone: the supervisor opens the file and looks at no byte of it. */
#define HTTPS_FILE 200
struct msg_https {
	uint32_t on;
	int32_t trouble;       /* errno of opening the certificate; 0 none */
	char certificate[HTTPS_FILE]; /* its path, for messages */
	char key[NAME_SIZE];   /* secret of class tls */
};
/* What the role found out about these files, and about the secret of each user of the TLS listener. Each has another remedy. */
enum https_trouble { HTTPS_WELL = 1, /* or off */
		     HTTPS_NO_FILE, HTTPS_NO_CHAIN, HTTPS_WEAK, HTTPS_ENDED, HTTPS_ENDS_SOON, HTTPS_NOT_YET, /* the certificate's */
		     HTTPS_NO_KEY, HTTPS_BAD_KEY, HTTPS_OTHER_KEY,
		     HTTPS_NO_PASSWORD, HTTPS_BAD_PASSWORD, /* a user's */
		     HTTPS_TROUBLE_COUNT };
struct msg_https_state {
	uint32_t trouble;      /* enum https_trouble */
	uint32_t served;       /* 1: one that has not ended is in force all the same */
	int64_t when_wall_ms;  /* ENDED, ENDS_SOON: its end; NOT_YET: its beginning; 0 not known */
	char name[NAME_SIZE];  /* of the user whose password it is about; "" certificate and key */
};
enum helper { HELPER_GRAPHER = 1, HELPER_XML, HELPER_IPVS };
struct msg_helper_run {
	uint32_t helper;
	uint32_t deadline_ms;
	uint64_t request;
};
struct msg_helper_out {
	uint64_t request;
	int32_t status; /* 0: fd comes with this message; negative error kind: it could not be started */
	uint32_t pad;
};
struct msg_stats {
	uint64_t handled;         /* requests, messages, rows: the role's own unit of work, since its start */
	uint64_t late;            /* collector: polls sent later than 1.2 intervals */
	uint64_t dropped;         /* samples, rows, datagrams lost */
	uint64_t garbage;         /* packets from outside that were refused */
	uint64_t queued;          /* recorder: rows waiting */
	uint32_t per_second;      /* collector: polls in the last second */
	int32_t worst_lateness_ms; /* loop, in the last second */
};

/* --- engine > collector ----------------------------------------------------------------------------- */
struct msg_slot {
	uint32_t slot, generation;
};
struct msg_domain {
	uint32_t domain; /* board slot of the domain */
	uint32_t pad;
};
struct msg_targets {
	uint32_t count;
	uint32_t pad;
};
enum snmp_version { SNMP_V1 = 0, SNMP_V2C = 1, SNMP_V3 = 3 };
#define TARGET_DOMAINS 5
struct msg_target {
	uint32_t slot, generation;
	struct address address; /* the agent's UDP endpoint */
	uint32_t domains[TARGET_DOMAINS]; /* group, switch, rack, pdu, site; NO_SLOT where none */
	uint16_t userland_port; /* TCP port of the banner, 22 */
	uint8_t version;        /* enum snmp_version */
	uint8_t auth;           /* v3: 0 none, 1 SHA-256, 2 SHA (SHA-1) */
	uint8_t priv;           /* v3: 0 none, 1 AES-128 */
	uint8_t monitored;      /* 0: known but not to be polled (retired) */
	uint8_t pad[2];
	char name[NAME_SIZE];
	char credential[NAME_SIZE]; /* secret of class snmp */
	char user[NAME_SIZE];   /* v3 user name */
};
#define OBJECT_OID_MAX 24
enum object_shape { OBJECT_SCALAR = 1, OBJECT_NAME_COLUMN, OBJECT_COLUMN };
/* One object to read. Scalars: oid is complete. Columns: the instance is appended; the rows of a table are those of its NAME_COLUMN
 * (ifName, hrStorageDescr, diskIODevice), walked at first contact, every 5 min and when an instance answers noSuchInstance. */
struct msg_object {
	uint16_t object;  /* id, < 64 k */
	uint16_t table;   /* 0 for scalars; objects with equal number share rows */
	uint16_t interval_s;
	uint8_t shape;    /* enum object_shape */
	uint8_t oid_length;
	uint32_t oid[OBJECT_OID_MAX];
	char filter[96];  /* NAME_COLUMN: rows whose name begins with one of these comma-separated words are left out ("loop,ram,fd") */
};
/* An item of the wanted state. Its object number in samples, and its table in MSG_INSTANCES, is item_object(): an item that comes to mean
 * something else gets another generation, so that nothing that is still on its way is taken for it. */
#define ITEMS_MAX 64
#define OBJECT_ITEM 0x1000
#define OBJECT_ITEM_END 0x2000
#define ITEM_FILTER 96
struct msg_item {
	uint32_t interval_s;  /* 1 to 86400 */
	uint16_t number;      /* below ITEMS_MAX */
	uint16_t generation;  /* below 64 */
	uint8_t oid_length;
	uint8_t names_length; /* 0: a scalar */
	uint8_t pad[2];
	uint32_t oid[OBJECT_OID_MAX];   /* of the scalar, or of the column: the row's index is appended */
	uint32_t names[OBJECT_OID_MAX]; /* the column whose values name the rows */
	char include[ITEM_FILTER], exclude[ITEM_FILTER]; /* rows by name: base/glob.h */
};
static inline uint16_t item_object(uint16_t number, uint16_t generation)
{
	return (uint16_t)(OBJECT_ITEM | (generation & 63u) << 6 | (number & 63u));
}
struct msg_item_scope {
	uint32_t slot, generation;
	uint64_t items; /* bit per number */
};
struct msg_port { /* a node's port on a switch */
	uint32_t slot, generation;
	uint32_t switch_slot; /* domain slot of the switch */
	uint32_t if_index;
	struct address switch_address;
	uint8_t version, auth, priv, pad;
	char credential[NAME_SIZE];
	char user[NAME_SIZE];
};
struct msg_reference { /* a domain's reference target, asked by echo (or SNMP when it refuses echo) */
	uint32_t domain;
	struct address address;
};
struct msg_trap_source { /* who besides the nodes may send traps; its port does not count */
	uint32_t slot, generation; /* BMC: of its node; switch, PDU: slot of the domain, 0 */
	struct address address;
	uint8_t kind;           /* enum trap_source_kind */
	uint8_t version, auth, priv;
	char credential[NAME_SIZE]; /* of class snmp; "" for a BMC: the community "public" of the IPMI specification */
	char user[NAME_SIZE];
};
#define SNMP_ENGINE_ID_MAX 32
struct msg_snmp_engine {
	uint32_t slot, generation; /* NO_SLOT: the collector's own engine, whose boots are counted already */
	uint32_t boots, time_s; /* of an agent: its clock now, as far as it is known */
	uint8_t id_length;
	uint8_t id[SNMP_ENGINE_ID_MAX];
	uint8_t pad[3];
};

#define WATCHES_MAX 64
struct msg_watch { /* processes that are to run */
	uint32_t watch;      /* its number, below WATCHES_MAX */
	uint32_t generation;
	uint32_t interval_s; /* the process table is searched so often, and whenever something has changed */
	uint32_t min, max;   /* how many are right */
	char process[NAME_SIZE]; /* name, with * and ? */
	char arguments[96];  /* pattern that is in the arguments; "" any */
};
struct msg_watch_scope {
	uint32_t slot, generation;
	uint64_t watches; /* bit per watch; what is not named by a message stays */
};
#define TOP_ROWS_MAX 20
struct msg_top_ask {
	uint64_t request;
	uint32_t slot, generation;
	uint32_t rows; /* at most TOP_ROWS_MAX */
	uint32_t pad;
};

/* --- collector > engine ----------------------------------------------------------------------------- */
#define TRAP_OID_MAX 24
#define TRAP_VARBINDS 8
#define TRAP_OCTETS_MAX 64
struct msg_varbind { /* as a person reads it */
	char name[72];  /* "1.3.6.1.2.1.2.2.1.1.2" */
	char value[72]; /* number, text, name or hexadecimal octets; cut */
};
struct msg_trap {
	uint32_t slot, generation; /* as in msg_trap_source */
	int64_t arrival_ms;
	struct address from;
	uint32_t uptime_cs;     /* sysUpTime as the sender says */
	uint32_t if_index;      /* value of its first ifIndex; 0 none */
	uint32_t oid[TRAP_OID_MAX]; /* snmpTrapOID; of a v1 trap as RFC 3584, 3.1 makes it */
	uint8_t oid_length;
	uint8_t source;         /* enum trap_source_kind */
	uint8_t version;        /* enum snmp_version */
	uint8_t inform;         /* 1: it was answered */
	uint8_t varbind_count;  /* of those shown */
	uint8_t more;           /* 1: it had more than these */
	uint8_t octet_count;
	uint8_t pad[5];
	uint8_t octets[TRAP_OCTETS_MAX]; /* of the first octet string, raw: a platform event's */
	struct msg_varbind varbinds[TRAP_VARBINDS];
};
#define TRAP_SENDERS 32
struct msg_trap_sender { /* somebody whose datagrams were refused */
	struct address address;
	uint32_t fate;          /* enum trap_fate of the last one */
	uint64_t count;
	int64_t last_ms;
};
struct msg_trap_counts {
	uint64_t fates[TRAP_FATE_COUNT]; /* since the collector's start */
	uint32_t sender_count;
	uint32_t pad;
	struct msg_trap_sender senders[TRAP_SENDERS];
};
enum target_state { TARGET_WELL = 1, TARGET_SECRET_MISSING, TARGET_SECRET_BAD, TARGET_LEVEL, TARGET_USER, TARGET_DIGEST, TARGET_DECRYPTION };
struct msg_target_state {
	uint32_t slot, generation;
	uint32_t state;         /* enum target_state */
	uint32_t pad;
};
enum sample_type { SAMPLE_INTEGER = 1, SAMPLE_COUNTER32, SAMPLE_GAUGE32, SAMPLE_TIMETICKS, SAMPLE_COUNTER64, SAMPLE_MISSING };
struct msg_samples {    /* one answer; `count` of struct msg_sample follow, then the next answer: whoever reads looks after the bounds */
	uint32_t slot;
	uint32_t uptime_cs;   /* sysUpTime in the same reply, 1/100 s */
	uint16_t generation;  /* low 16 bits */
	uint16_t count;
	uint32_t pad;
	int64_t arrival_ms;
};
struct msg_sample {
	int64_t value;        /* raw; Counter64 in two's complement */
	uint16_t object;
	uint16_t instance;    /* 0 for scalars, else the id given in MSG_INSTANCES */
	uint8_t type;         /* enum sample_type */
	uint8_t pad[3];
};
enum { SAMPLES_UNIT = 8 }; /* bytes; all of a packet are whole ones */
struct msg_instance {
	uint32_t slot, generation;
	uint16_t table, instance;
	uint8_t gone; /* 1: the row vanished */
	uint8_t pad[3];
	char name[48];
};
/* What an item costs at its present scope: requests and UDP payload both ways, as measured on the requests it is part of, shared among
 * their names; finding its rows is counted, repeats are not. */
struct msg_item_cost {
	uint32_t number;
	uint32_t nodes; /* that are asked for it */
	double requests_per_second, bytes_per_second;
};
struct msg_judge { /* the collector's own state: watch's suspended() callback */
	int64_t since_ms;
	uint32_t reasons; /* bits of enum suspend_reason; 0 = judging */
	uint32_t pad;
	int64_t lateness_ms;
};
struct msg_lossy { /* watch's lossy() callback */
	uint32_t domain;
	uint32_t lossy; /* 1: more than half of the exchanges of the group are lost */
};
struct msg_port_state {
	uint32_t slot, generation;
	int64_t at_ms;  /* since when the state is proven: MOVING is dated before the first of its two readings by the switch's cache */
	uint8_t state;  /* enum port_state */
	uint8_t pad[7];
};
struct msg_reference_state {
	uint32_t domain;
	uint32_t answers; /* 0 silent, 1 answers */
	int64_t at_ms;
};
struct msg_node_facts {
	uint32_t slot, generation;
	uint32_t sys_uptime_cs;  /* the agent's */
	uint32_t host_uptime_cs; /* hrSystemUptime; 0 unknown */
	uint8_t engine_id_length;
	uint8_t agent_restarted; /* sysUpTime fell, hrSystemUptime did not */
	uint8_t rebooted;        /* hrSystemUptime fell */
	uint8_t clone_of_known;  /* engine id is another node's */
	uint8_t engine_id[32];
	uint32_t clone_slot;
	char sys_name[NAME_SIZE];
	uint32_t engine_boots, engine_time_s; /* v3: the clock of its engine when this was sent; 0 0 unknown */
};

enum processes_found { PROCESSES_COUNTED = 1, PROCESSES_NOT_SHOWN, PROCESSES_CUT }; /* not shown: no table; cut: too long a table */
#define WATCH_MEM_UNKNOWN UINT64_MAX
struct msg_watch_state {
	uint32_t slot, generation;
	uint32_t watch, watch_generation;
	uint32_t count;    /* processes that run */
	uint32_t restarts; /* processes that came after one had gone, since the state before */
	uint64_t cpu_cs;   /* processor time used since the collector began to watch, 1/100 s */
	uint64_t mem_kib;  /* WATCH_MEM_UNKNOWN: not all of them have been read */
	int64_t at_ms;
	uint8_t found;     /* enum processes_found */
	uint8_t pad[7];
};
struct msg_top {
	uint64_t request;
	uint32_t slot, generation;
	int32_t status;     /* 0 or a negative error kind */
	uint32_t processes; /* of the node */
	uint32_t rows;      /* that follow */
	uint32_t over_ms;   /* used_cs was used in so long; 0: what was used now could not be found out, used_cs is all since its start */
};
struct msg_top_row {
	uint32_t index;  /* process id */
	uint32_t status; /* hrSWRunStatus: 1 running, 2 runnable, 3 not runnable, 4 invalid; 0 not known */
	int64_t total_cs, used_cs;
	int64_t mem_kib;
	char name[NAME_SIZE];
	char arguments[128];
};

/* --- bmc -------------------------------------------------------------------------------------------- */
struct msg_bmc_target {
	uint32_t slot, generation;
	struct address address; /* port 623 */
	uint32_t workarounds;   /* enum bmc_workaround bits */
	uint32_t power_interval_s, sensor_interval_s;
	uint8_t suite;          /* 17 or 3 */
	uint8_t privilege;      /* 2 user, 3 operator, 4 admin: what is asked for */
	uint16_t gap_ms;        /* least time between two requests */
	char name[NAME_SIZE];
	char credential[NAME_SIZE]; /* secret of class bmc */
	char user[20];
	uint8_t expected_guid[16]; /* all zero: not known yet */
	uint8_t probe_defaults; /* 1: makers' well-known passwords are looked for, once for each GUID */
	uint8_t pad[3];
};
enum bmc_workaround { BMC_WORKAROUND_OPENSESSPRIV = 1, BMC_WORKAROUND_AUTHCAP = 2, BMC_WORKAROUND_INTEL20 = 4, BMC_WORKAROUND_SUPERMICRO20 = 8,
		      BMC_WORKAROUND_SUN20 = 16, BMC_WORKAROUND_NONEMPTYSEQ = 32 };
struct msg_power {
	uint64_t job;
	uint32_t slot, generation;
	uint32_t verb;        /* enum power_verb: on off soft reset identify; cycle is two of them, done by the engine */
	uint32_t deadline_ms; /* for the state to be reached */
};
enum bmc_what { BMC_READ_POWER = 1, BMC_READ_SENSORS, BMC_READ_SEL, BMC_READ_CAUSE, BMC_READ_FRU };
struct msg_bmc_read {
	uint32_t slot, generation;
	uint32_t what; /* enum bmc_what */
	uint32_t urgent; /* ahead of sensor reads */
};
/* Why a BMC did not do what was asked: told apart, because each has another remedy. */
enum bmc_error { BMC_OK = 0, BMC_NO_ANSWER = 1, BMC_PASSWORD, BMC_USER, BMC_KG, BMC_SUITE, BMC_PRIVILEGE, BMC_BUSY, BMC_SLOTS_FULL, BMC_SESSION_LOST,
		 BMC_UNSUPPORTED, BMC_COMPLETION, BMC_NOT_REACHED, BMC_GUID_CHANGED, BMC_GARBAGE };
struct msg_power_state {
	uint32_t slot, generation;
	int64_t at_ms;         /* when the answer came; older than the suspicion = not evidence */
	uint8_t state;         /* enum bmc_state */
	uint8_t error;         /* enum bmc_error */
	uint8_t completion;    /* IPMI completion code when error is BMC_COMPLETION and the like */
	uint8_t last_event;    /* last power event bits of Get Chassis Status */
	uint8_t faults;        /* misc/fault bits */
	uint8_t restart_cause; /* 0 unknown, else 1 + cause of Get System Restart Cause */
	uint8_t watchdog;      /* 0 unknown, else WATCHDOG_KNOWN | WATCHDOG_RUNNING | expired uses (IPMI 2.0, 27.7), read with the cause */
	uint8_t pad;
};
enum { WATCHDOG_KNOWN = 0x80, WATCHDOG_RUNNING = 0x40, WATCHDOG_EXPIRED = 0x3e }; /* expired: bit 1 BIOS FRB2, 2 BIOS POST, 3 OS load, 4 SMS/OS, 5 OEM */
struct msg_power_result {
	uint64_t job;
	uint32_t slot, generation;
	uint32_t verb;
	int32_t error;       /* enum bmc_error */
	uint8_t state;       /* enum power, as read back */
	uint8_t completion;
	uint8_t pad[2];
	uint32_t took_ms;
	char text[128];      /* what came back, for the job row */
};
struct msg_sensor {
	uint32_t slot, generation;
	double reading;        /* NAN when it has none */
	double warning_low, warning_high, critical_low, critical_high; /* NAN where none */
	uint16_t record_id;
	uint16_t bits;         /* discrete state bits, as read */
	uint8_t number;
	uint8_t type;          /* IPMI sensor type code */
	uint8_t event_type;    /* event/reading type code */
	uint8_t entity, entity_instance;
	uint8_t state;         /* enum sensor_state */
	uint8_t level;         /* enum level as the BMC's own thresholds and bits give it */
	uint8_t last;          /* 1: last of the set */
	char name[32];
	char unit[12];         /* "C", "RPM", "V", "W", "A", "percent", "" for discrete */
	char text[64];         /* "presence detected, input lost" or "at or above upper critical" */
};
/* Weaknesses that it was found to have; each is an alarm of kind bmc-finding. */
enum bmc_finding { BMC_FINDING_SUITE0 = 1, BMC_FINDING_WEAK_SUITE = 2, BMC_FINDING_ANONYMOUS = 4, BMC_FINDING_DEFAULT_PASSWORD = 8,
		   BMC_FINDING_SLOTS = 16 };
struct msg_bmc_facts {
	uint32_t slot, generation;
	uint32_t manufacturer, product;
	uint8_t guid[16];
	uint8_t guid_known, guid_changed;
	uint8_t findings;   /* enum bmc_finding bits */
	uint8_t pad;
	uint32_t suites;    /* cipher suites 0 to 31 that it offers, one bit each; 0: it does not say */
	char firmware[16];
	char finding[CAUSE_SIZE]; /* "suite 0 accepted" and the like; "" for none */
};

/* The event log (SEL, IPMI 2.0 chapter 31). The store is the only memory of what has been read: the BMC role goes on behind the entry
 * that MSG_SEL_KNOWN names, sends at most one MSG_SEL at a time, and sends it again when it is not told that it is kept. */
#define SEL_RAW 16
struct msg_sel_known {
	uint32_t slot, generation;
	uint32_t added, erased; /* the log's own time stamps when it was read last */
	uint16_t last_id;       /* record id of the newest entry that is kept; 0: none, the log was empty or has never been read */
	uint8_t pad[2];
	uint8_t last[SEL_RAW];  /* that entry as it was read: ids are used again */
};
struct msg_sel_entry {
	uint32_t slot, generation;
	uint32_t time_s;      /* the BMC's own clock: seconds since 1970; below SEL_SINCE_START since its start; UINT32_MAX none */
	uint16_t record_id;
	uint8_t record_type;  /* 2 system event; C0 and above OEM */
	uint8_t sensor_type;  /* IPMI sensor type code; 0 of OEM records */
	uint8_t number;       /* of the sensor */
	uint8_t level;        /* enum level */
	uint8_t deasserted;   /* 1: the condition has ended */
	uint8_t pad;
	uint8_t raw[SEL_RAW];
	char sensor[32];      /* its name, "" when the BMC's records have none */
	char type[32];        /* "Temperature", "Power Supply", "OEM" */
	char event[128];      /* "Upper Critical - going high ; Sensor Reading = 95.00 C"; OEM: hex */
};
#define SEL_SINCE_START 0x20000000u
enum sel_notice { SEL_CLEARED_BY_OTHERS = 1, SEL_OVERWRITTEN = 2, SEL_FULL = 4, SEL_OVERFLOW = 8 };
struct msg_sel_state {
	uint32_t slot, generation;
	uint32_t added, erased;
	uint16_t entries, free_bytes; /* free_bytes FFFF: more than that or not told */
	uint8_t notices;              /* enum sel_notice bits */
	uint8_t error;                /* enum bmc_error: the log was not read to its end */
	uint8_t pad[2];
};
struct msg_sel_clear {
	uint64_t request;
	uint32_t slot, generation;
};
struct msg_sel_cleared {
	uint64_t request;
	uint32_t slot, generation;
	uint32_t added, erased;
	int32_t error;    /* enum bmc_error; BMC_OK: everything was kept before, and the log is empty */
	uint32_t entries; /* that were in it */
	char text[64];
};
#define PET_MAX 64
struct msg_pet {
	uint32_t slot, generation;
	uint32_t specific; /* specific trap: sensor type << 16 | event type << 8 | offset */
	uint8_t size;      /* octets of the variable 1.3.6.1.4.1.3183.1.1.1 */
	uint8_t pad[3];
	uint8_t octets[PET_MAX];
};
enum fru_field { FRU_CHASSIS_TYPE, FRU_CHASSIS_PART, FRU_CHASSIS_SERIAL, FRU_BOARD_MAKER, FRU_BOARD_PRODUCT, FRU_BOARD_SERIAL, FRU_BOARD_PART,
		 FRU_PRODUCT_MAKER, FRU_PRODUCT_NAME, FRU_PRODUCT_PART, FRU_PRODUCT_VERSION, FRU_PRODUCT_SERIAL, FRU_ASSET_TAG,
		 FRU_FIELD_COUNT };
#define FRU_TEXT 48
struct msg_fru {
	uint32_t slot, generation;
	int32_t error; /* enum bmc_error */
	char fields[FRU_FIELD_COUNT][FRU_TEXT]; /* "" where the inventory does not say */
};

/* --- recorder --------------------------------------------------------------------------------------- */
#define SERIES_DS_MAX 48
#define SERIES_SERVICE NODE_MAX /* slots of services stand behind those of nodes */
struct msg_series { /* one RRD file: SITE/GROUP/NODE/SOURCE/CLASS[-INSTANCE].rrd; the recorder builds the path from checked names */
	uint32_t series;  /* id in the row ring */
	uint32_t slot;    /* node, SERIES_SERVICE + service, or NO_SLOT */
	uint16_t step_s;
	uint16_t count;   /* data sources */
	char site[NAME_SIZE], group[NAME_SIZE], node[NAME_SIZE];
	char source[8];   /* snmp, bmc, check, service */
	char file[NAME_SIZE]; /* base, if-eth0, disk-root, sensors */
	char names[SERIES_DS_MAX][20]; /* all are gauges: the engine has worked the rates out */
};
struct msg_flush {
	uint64_t request;
	uint32_t slot;    /* as in msg_series */
	uint32_t pad;
};

enum recorder_disk { RECORDER_DISK_WELL = 0, RECORDER_DISK_FULL = 1, RECORDER_DISK_FAILING = 2 };
struct msg_recorder_state {
	uint32_t disk;            /* enum recorder_disk: full = no new series; the rows of old ones wait in journal and memory */
	uint32_t journal_failing; /* 1: rows are not safe from a crash at present */
	uint32_t files_waiting;   /* series that have no file for want of room */
	uint32_t series;
	uint64_t free_bytes;      /* on the disk of the RRD tree */
	uint64_t rows_lost;       /* given up since the recorder's start */
	char trouble[128];        /* what failed last, "" while all is well */
};

/* --- checker ------------------------------------------------------------------------------------------ */
#define CHECKS_MAX 64
#define CHECK_VALUES_MAX 32
struct msg_check {
	uint32_t check;      /* its number, below CHECKS_MAX */
	uint32_t generation;
	uint32_t interval_s, timeout_s;
	char plugin[NAME_SIZE]; /* file name in a check directory */
	char arguments[256];
};
struct msg_check_node {
	uint32_t slot, generation;
	uint64_t checks;        /* bit per check; 0: none any more */
	char name[NAME_SIZE];
	char address[NAME_SIZE];
};
struct msg_check_result {
	uint32_t slot, generation;
	uint32_t check, check_generation;
	uint32_t took_ms;
	uint32_t values;        /* that follow */
	uint8_t level;          /* enum level */
	uint8_t pad[7];
	char text[128];         /* first line, or why there is none */
};
struct msg_check_value {
	double value;           /* NAN: unknown */
	uint8_t level;          /* by the plugin's own ranges */
	uint8_t pad[7];
	char label[NAME_SIZE];
	char unit[16];
};

/* Service probes: looks of the appliance itself at a member's port, event-driven, no programs but for kind PLUGIN. A probe's number is the
 * engine's; a state about a generation that is no longer there is ignored. */
#define PROBES_MAX 8192
enum probe_kind { PROBE_TCP = 1, PROBE_HTTP, PROBE_TLS, PROBE_HTTPS, PROBE_PLUGIN };
struct msg_member_probe {
	uint32_t probe;       /* its number, below PROBES_MAX */
	uint32_t generation;
	struct address address; /* of the member, with the port */
	uint16_t status_low, status_high; /* HTTP: 0 0 = 200..399 */
	uint16_t kind;        /* enum probe_kind */
	uint16_t rise, fall;  /* so many good in a row make it good, so many bad make it bad */
	uint16_t pad;
	uint32_t interval_ms, timeout_ms;
	char name[NAME_SIZE]; /* of the member's node, for plugins and the log */
	char host[NAME_SIZE]; /* HTTP Host and TLS name; "" the address */
	char path[128];       /* HTTP; "" is "/" */
	char expect[NAME_SIZE]; /* text that the body's first 16 KiB must contain; "" none */
	char plugin[NAME_SIZE]; /* as msg_check */
	char arguments[256];
};
struct msg_probe_state {
	uint32_t probe, generation;
	int64_t since_ms;     /* monotonic: of the state */
	uint32_t took_ms;     /* the last look */
	uint16_t streak;      /* looks of the same outcome in a row */
	uint8_t state;        /* enum probe_state */
	uint8_t pad;
	char text[NAME_SIZE]; /* "200 in 3 ms", "connection refused", "no answer in 1 s", "answers 500, 200-399 wanted" */
};

/* --- runner ------------------------------------------------------------------------------------------- */
#define RUNS_MAX 256           /* in flight at once; the engine queues */
#define RUN_OUTPUT_MAX (4u << 20)
enum run_kind { RUN_NODE = 1,  /* a verb on a node, over the node-control channel */
		RUN_DRIVER,    /* a driver program here: glory-l4 DRIVER, the picture on its standard input */
		RUN_DRIVER_REMOTE /* the same over the node-control channel: verb "balance DRIVER" */ };
struct msg_run_id {
	uint64_t request;
};
struct msg_run {
	uint64_t request;
	uint64_t token;            /* of the engine's life; a node refuses one that is older than it has seen */
	uint32_t slot, generation; /* of the node; NO_SLOT for a balancer's host */
	uint32_t kind;             /* enum run_kind */
	uint32_t deadline_ms;      /* for the whole; both ends keep it */
	struct address address;    /* of its sshd; unused for RUN_DRIVER */
	uint32_t stream;           /* 1: lines are wanted by MSG_RUN_LINE */
	char host[NAME_SIZE];      /* the name its host certificate must carry */
	char credential[NAME_SIZE]; /* secret of class ssh; RUN_DRIVER: of class snmp, or "" */
	char driver[32];           /* enum balancer_driver's word */
	char line[1024];           /* the verb and its arguments (control/verbs.h); checked by both ends */
};
struct msg_run_result {
	uint64_t request;
	uint32_t end;              /* enum run_ended */
	int32_t code;              /* exit status where there is one */
	uint32_t took_ms;
	uint32_t size;             /* bytes of output */
	char text[512];            /* done: the output when it fits, else its last line; otherwise one line of why */
};
struct msg_run_line {
	uint64_t request;
	char text[248];
};

/* --- agent, api -------------------------------------------------------------------------------------- */
enum command_verb { COMMAND_POWER = 1, COMMAND_ALARM_ACK, COMMAND_NODE_ADD, COMMAND_NODE_REMOVE, COMMAND_NODE_SET, COMMAND_GROUP_ADD,
		    COMMAND_GROUP_REMOVE, COMMAND_GROUP_SET, COMMAND_APPLY, COMMAND_JOB_CANCEL, COMMAND_SENSOR_REREAD, COMMAND_FLUSH,
		    COMMAND_CONFIRM_BMC, COMMAND_SEL_CLEAR, COMMAND_SEL_READ, COMMAND_WATCH_ADD, COMMAND_WATCH_REMOVE, COMMAND_WATCH_SET,
		    COMMAND_ITEM_ADD, COMMAND_ITEM_REMOVE, COMMAND_ITEM_SET, COMMAND_SILENCE_ADD, COMMAND_SILENCE_REMOVE,
		    COMMAND_CHECK_ADD, COMMAND_CHECK_REMOVE, COMMAND_CHECK_SET,
		    COMMAND_POOL_ADD, COMMAND_POOL_REMOVE, COMMAND_POOL_SET, COMMAND_SOFTWARE_ADD, COMMAND_SOFTWARE_REMOVE, COMMAND_SOFTWARE_SET,
		    COMMAND_BALANCER_ADD, COMMAND_BALANCER_REMOVE, COMMAND_BALANCER_SET, COMMAND_SERVICE_ADD, COMMAND_SERVICE_REMOVE,
		    COMMAND_SERVICE_SET, COMMAND_SERVICE_ACT, /* target: services; arguments {"act": "start" and the like, in service/act.h} */
		    COMMAND_RUN,      /* target: nodes; arguments {"verb", ...}: a job on them over the node-control channel */
		    COMMAND_SOFTWARE, /* target: nodes, "@pool/NAME", "@service/NAME"; arguments {"act", "software", "batch"} */
		    COMMAND_NODE_ROLE, /* target: nodes; arguments {"pool", "reason"}: a job that takes them there */
		    COMMAND_VERB_COUNT };
struct msg_command {
	uint64_t request;        /* chosen by the face; comes back in the reply */
	uint64_t repeat_high, repeat_low; /* key of a repeated SET (hash of user, source, request-id, varbinds); 0 0 = none */
	uint32_t verb;           /* enum command_verb */
	uint32_t argument_size;  /* bytes of JSON behind this struct */
	uint8_t right;           /* enum right the face found for the actor; the engine checks again */
	uint8_t yes;             /* the list was shown and confirmed */
	uint8_t dry_run;
	uint8_t pad[5];
	char actor[NAME_SIZE];   /* "snmp:operator", "uid:0" */
	char target[4096];       /* host range, alarm id, job id; "" */
};
enum query_kind { QUERY_EVENTS = 1, QUERY_JOB_STEPS, QUERY_EXPORT, QUERY_AUDIT, QUERY_EXPLAIN,
		  QUERY_TRAPS = 20, QUERY_TRAP_SENDERS,
		  QUERY_SERIES = 40, /* target "NODE ITEM" or "service/NAME ITEM": its newest values */
		  QUERY_TOP = 50, /* target: a node */
		  QUERY_SILENCES = 54,
		  QUERY_CHECKS = 51, QUERY_CHECK_RESULTS = 52, /* target: a check, or "" */
		  QUERY_SOFTWARE = 70, /* target: a range of nodes: what is installed there */
		  QUERY_SERVICE_EXPLAIN, /* target: a service: why its size is what it is, and each member's state in a line: [{"about","text"}] */
		  QUERY_BALANCER = 72, /* target: a balancer: as it was read back: [{"virtual","address","mark","scheduler","reals":[{"name",...}]}] */
		  QUERY_WANTED = 73, /* target "KIND NAME", "KIND ": objects of the wanted state by the table config_kind_name, as config_to_json() with their name */
		  QUERY_SEL = 60, QUERY_INVENTORY /* target: a range of nodes */ };
#define QUERY_NEWEST UINT64_MAX /* as `from`: the newest `limit` ones, oldest of them first */
struct msg_query {
	uint64_t request;
	uint64_t from;       /* first id wanted; pages follow each other with more = 1 in the reply */
	uint32_t kind;
	uint32_t limit;
	char target[256];
};
struct msg_reply {
	uint64_t request;
	uint64_t job;        /* 0: none */
	int32_t status;      /* 0 or a negative error kind */
	uint32_t text_size;  /* bytes of JSON behind this struct: a page, or {"object","text","remedy"} of an error */
	uint32_t more;       /* 1: more pages follow under the same request id */
	uint32_t pad;
};
enum notify_kind { NOTIFY_VERDICT = 1, NOTIFY_LEVEL, NOTIFY_ALARM_RAISE, NOTIFY_ALARM_CLEAR, NOTIFY_JOB_END, NOTIFY_SERVICE, NOTIFY_BALANCER,
		   NOTIFY_KIND_COUNT };
struct msg_notify {
	uint64_t event;      /* stable id; the receiver's set of ids equals the event log */
	int64_t at_wall_ms;
	uint64_t alarm, job; /* 0 where none */
	uint32_t kind;       /* enum notify_kind */
	uint32_t slot;       /* node slot (index - 1), NO_SLOT when it is about something else */
	uint8_t verdict, certainty, level, severity, job_state, service_state, balancer_state, pad;
	char object[NAME_SIZE]; /* "n001", "g01", "site" */
	char cause[CAUSE_SIZE];
	char receiver[NAME_SIZE]; /* which of the receivers; one message each */
};
struct msg_notify_done {
	uint64_t event;
	char receiver[NAME_SIZE];
};
enum receiver_kind { RECEIVER_INFORM = 1, RECEIVER_TRAP_V2C, RECEIVER_TRAP_V3, RECEIVER_SYSLOG };
struct msg_receiver {
	struct address address;
	uint32_t kind;
	uint8_t version, auth, priv, pad;
	char name[NAME_SIZE];
	char credential[NAME_SIZE]; /* secret of class notify */
	char user[NAME_SIZE];
};
/* The engine sends a receiver at most so many notifications that the agent has not yet answered by MSG_NOTIFY_DONE, oldest first. */
#define NOTIFY_WINDOW 64
/* An SNMP user or the read-only community; the secret of class usm has the same name. For the api a UNIX user, or one of the TLS listener. */
struct msg_user {
	char name[NAME_SIZE];
	uint8_t right;   /* enum right */
	uint8_t version; /* SNMP_V3; SNMP_V2C: a community, which only reads */
	uint8_t auth, priv; /* as msg_target; both are needed for v3 */
	uint8_t https;      /* 1: the secret of class https with the same name proves it */
	uint8_t pad[3];
};
enum report_kind { REPORT_STATS = 1, REPORT_IDLE /* nodes that could be switched off */ };
enum report_by { REPORT_BY_NODE = 1, REPORT_BY_GROUP, REPORT_BY_SITE };
enum report_format { REPORT_JSON = 1, REPORT_CSV };
#define REPORT_TOP_MAX 1000
struct msg_report {
	uint64_t request;
	int64_t from_wall_ms, to_wall_ms;
	double cpu_percent, load1, net_bytes_s; /* idle: 95 of 100 readings are below */
	uint32_t kind, by, format;
	uint32_t period_s;   /* a row for each 3600 or 86400 s; 0: one for the whole time */
	uint32_t top;        /* only so many, with the highest `item`; 0 all */
	uint32_t now;        /* 1: the hour that runs too */
	char item[24];       /* of top: "cpu" and the like (its 95 %), "lost", "incidents", "energy" */
	char range[4096];    /* nodes; "" all */
};
enum graph_request_fold { GRAPH_FOLD_AUTO, GRAPH_FOLD_LINES, GRAPH_FOLD_MEDIAN, GRAPH_FOLD_MEAN, GRAPH_FOLD_SUM, GRAPH_FOLD_COUNT };
struct msg_graph {
	uint64_t request;
	int64_t from_wall_ms, to_wall_ms;
	uint32_t width, height;
	uint32_t format;      /* 1 PNG, 2 SVG */
	uint32_t fold;        /* enum graph_request_fold */
	char range[1024];     /* nodes; "site": all of them as one line; "service/NAME" */
	char items[8][72];    /* "cpu", "disk_fill/root"; "" behind the last */
};

#endif
