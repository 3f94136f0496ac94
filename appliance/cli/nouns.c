/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that can be typed, as one table: the argument reader, the help and the completion are made from it. */
#include "base/memory.h"
#include "cli/cli.h"

#define END       \
	{         \
		0 \
	}
#define VALUE(n, v, h)                           \
	{                                        \
		.name = n, .value = v, .help = h \
	}
#define FLAG(n, h)                   \
	{                            \
		.name = n, .help = h \
	}
#define FIELD(n, v, k, h)                                   \
	{                                                   \
		.name = n, .value = v, .kind = k, .help = h \
	}

static const struct cli_option node_filters[] = {VALUE("group", "NAME", "of this group"),
						 VALUE("verdict", "WORD,...", "with one of these verdicts"),
						 VALUE("level", "WORD,...", "with one of these levels"),
						 VALUE("power", "WORD,...", "on, off, unknown"),
						 VALUE("life", "WORD,...", "in one of these states of life"),
						 VALUE("rack", "NAME", "in this rack"),
						 VALUE("switch", "NAME", "at this switch"),
						 FLAG("worst", "worst first"),
						 END};
#define NODE_FIELDS                                                                                            \
	FIELD("group", "NAME", 't', "the group it belongs to"),                                                \
	    FIELD("address", "ADDRESS", 't', "address of its SNMP agent, with :PORT if not 161"),              \
	    FIELD("bmc", "ADDRESS", 't', "address of its BMC"), FIELD("snmp", "NAME", 't', "SNMP credential"), \
	    FIELD("bmc-credential", "NAME", 't', "BMC credential"),                                            \
	    FIELD("bmc-model", "NAME", 't', "BMC model, which names quirks"),                                  \
	    FIELD("switch", "NAME", 't', "switch it is cabled to"),                                            \
	    FIELD("switch-port", "NUMBER", 'n', "ifIndex of its port there"),                                  \
	    FIELD("rack", "NAME", 't', "rack it stands in"),                                                   \
	    FIELD("pdu", "NAME", 't', "power distribution unit that feeds it"),                                \
	    FIELD("uuid", "UUID", 't', "its system UUID, which its BMC's GUID must match")
static const struct cli_option node_add_fields[] = {NODE_FIELDS, END};
static const struct cli_option node_set_fields[] = {
    NODE_FIELDS, FIELD("maintenance", "true|false", 'b', "true: its trouble is shown but raises nothing"),
    FIELD("until", "TIME", 'u', "in maintenance until then: 2h, or 2026-01-31T12:00:00Z"),
    FIELD("wanted-power", "on|off", 't', "the power it should have"),
    FIELD("policy", "repair|tell|hands-off", 't', "what may be done by itself"), END};
static const struct cli_option group_fields[] = {
    FIELD("reference", "ADDRESS", 't', "what must answer while the group's path is well: a switch or gateway"),
    FIELD("policy", "repair|tell|hands-off", 't', "what may be done to its nodes by itself"), END};
static const struct cli_option group_filters[] = {VALUE("level", "WORD,...", "with one of these levels"), END};
static const struct cli_option item_filters[] = {
    VALUE("kind", "WORD,...", "builtin, scalar, table, expression, made (by checks and watches)"), END};
static const struct cli_option item_fields[] = {
    FIELD("oid", "OID", 't', "what is read: a scalar (ending in .0), or a column"),
    FIELD("instances", "OID", 't', "the column with the names of a table's rows"),
    FIELD("include", "PATTERN,...", 't', "only rows with such names: eth*,bond[0-9]"),
    FIELD("exclude", "PATTERN,...", 't', "no rows with such names"),
    FIELD("expression", "TEXT", 't', "over other items: if_in + if_out, 100 * a / b, max(a, b)"),
    FIELD("counter", "true|false", 'b', "it counts up: its value is the rate per second"),
    FIELD("unit", "TEXT", 't', "of its values"), FIELD("interval", "SECONDS", 'n', "1 to 86400; 10"),
    FIELD("scope", "SCOPE", 't', "@site, @GROUP or a range of nodes; @site"),
    FIELD("thresholds", "TEXT;...", 't', "warning above 85 clear 80 of 3 in 5; critical above 95"), END};
static const struct cli_option sensor_filters[] = {VALUE("level", "WORD,...", "with one of these levels"),
						   VALUE("state", "WORD,...", "nominal, finding, not-present, ..."),
						   VALUE("type", "WORD,...", "temperature, fan, voltage, ..."), END};
static const struct cli_option watch_fields[] = {
    FIELD("process", "NAME", 't', "its name, with * and ?"),
    FIELD("arguments", "TEXT", 't', "what its arguments contain, with * and ?"),
    FIELD("min", "NUMBER", 'n', "so many at least (1)"),
    FIELD("max", "NUMBER", 'n', "and at most"),
    FIELD("interval", "SECONDS", 'n', "the process table is searched so often (300)"),
    FIELD("scope", "SCOPE", 't', "@site, @GROUP or a range of nodes"),
    END};
static const struct cli_option check_fields[] = {
    FIELD("plugin", "FILE", 't', "a program of the check directory"),
    FIELD("arguments", "TEXT", 't', "what it is given, with $ADDRESS$ and $NAME$"),
    FIELD("interval", "SECONDS", 'n', "between two runs (60)"),
    FIELD("timeout", "SECONDS", 'n', "it is ended after that (10)"),
    FIELD("scope", "SCOPE", 't', "@site, @GROUP or a range of nodes"),
    END};
static const struct cli_option watch_filters[] = {VALUE("state", "WORD,...", "ok, too-few, too-many, unknown"),
						  VALUE("level", "WORD,...", "with one of these levels"), END};
static const struct cli_option pool_fields[] = {
    FIELD("nodes", "RANGE|@GROUP|@site", 't', "nodes that services draw from; a node is in one pool at most"),
    FIELD("reserve", "NUMBER", 'n', "kept free to replace what breaks (a fiftieth, at least 1)"), END};
static const struct cli_option software_fields[] = {
    FIELD("kind", "package|bundle", 't', "a Debian package, or a .tar or .squashfs of one's own"),
    FIELD("package", "NAME", 't', "of the Debian package"), FIELD("version", "VERSION", 't', "of the package (the newest)"),
    FIELD("source", "TEXT", 't', "a line of apt's sources; of a bundle its URL or path"),
    FIELD("digest", "SHA256", 't', "of the bundle's file"), FIELD("target", "PATH", 't', "where the bundle goes on nodes"),
    FIELD("batch", "NUMBER", 'n', "nodes at once in a rolling change (a tenth)"), END};
static const struct cli_option balancer_fields[] = {
    FIELD("driver", "WORD", 't', "ipvs, haproxy, nftables, alteon, serveriron, cisco-slb, f5"),
    FIELD("address", "ADDRESS", 't', "where it is managed; this machine when nothing is said"),
    FIELD("peer", "ADDRESS", 't', "second director of a pair"),
    FIELD("ssh", "NAME", 't', "credential of node control"), FIELD("snmp", "NAME", 't', "SNMP credential of a switch"),
    FIELD("interface", "NAME", 't', "of directors: VRRP and the sync daemon"),
    FIELD("router", "NUMBER", 'n', "VRRP router id, 1 to 255"),
    FIELD("options", "NAME=VALUE...", 't', "the driver's own: socket=/run/haproxy/admin.sock"), END};
static const struct cli_option balancer_filters[] = {
    VALUE("state", "WORD,...", "in-step, changing, refused, unreachable, unknown"),
    VALUE("driver", "WORD,...", "of these drivers"), VALUE("level", "WORD,...", "with one of these levels"), END};
static const struct cli_option service_filters[] = {
    VALUE("state", "WORD,...", "stopped, starting, well, short, down, stopping, removing, unknown"),
    VALUE("level", "WORD,...", "with one of these levels"), VALUE("pool", "NAME,...", "that draw from these pools"),
    VALUE("balancer", "NAME,...", "behind these balancers"), END};
static const struct cli_option service_fields[] = {
    FIELD("balancer", "NAME", 't', "what spreads its traffic"),
    FIELD("virtuals", "ADDRESS:PORT,...", 't', "where it is reached: 10.1.0.100:443>8443, [2001:db8::1]:53/udp"),
    FIELD("pool", "NAME", 't', "whose nodes it draws from"), FIELD("software", "NAME", 't', "what its nodes need"),
    FIELD("scheduler", "WORD", 't', "wrr, wlc, sh and so on (wrr)"),
    FIELD("forwarding", "nat|direct|tunnel", 't', "direct and tunnel with driver ipvs only (nat)"),
    FIELD("persistence", "SECONDS", 'n', "that a client stays with a member (0)"),
    FIELD("agent", "TEXT", 't', "systemd:UNIT or ocf:PROVIDER:NAME"),
    FIELD("parameters", "KEY=VALUE...", 't', "of the agent"),
    FIELD("probe", "TEXT", 't', "tcp, tls, http /health status 200-299, plugin NAME ... (tcp)"),
    FIELD("probe-interval-ms", "NUMBER", 'n', "between two probes of a member (1000)"),
    FIELD("probe-timeout-ms", "NUMBER", 'n', "for its answer (1000)"),
    FIELD("rise", "NUMBER", 'n', "so many good ones in a row make it good (3)"),
    FIELD("fall", "NUMBER", 'n', "so many bad ones bad (2)"),
    FIELD("min", "NUMBER", 'n', "members at least (2)"), FIELD("max", "NUMBER", 'n', "members at most (8)"),
    FIELD("target", "PERCENT", 'n', "utilisation that is the goal (60)"),
    FIELD("priority", "1|2|3", 'n', "1 is served first when a pool is short (2)"),
    FIELD("start-s", "SECONDS", 'n', "a start takes so long, until it was measured (60)"),
    FIELD("warm-s", "SECONDS", 'n', "a new member's weight grows so long (60)"),
    FIELD("drain-s", "SECONDS", 'n', "connections may go on so long when one leaves (60)"),
    FIELD("budget", "NUMBER", 'n', "planned changes of size a day (12)"),
    FIELD("item", "NAME", 't', "utilisation of a member, an item in percent (cpu)"),
    FIELD("schedule", "TEXT", 't', "a higher minimum at times, UTC: mon-fri 08:00-18:00 6; daily 12:00-13:00 8"),
    FIELD("spare", "true|false", 'b', "one member more than the load wants"),
    FIELD("enabled", "true|false", 'b', "false: stopped, its nodes given back"),
    FIELD("policy", "repair|tell|hands-off", 't', "what may be done by itself"), END};
static const struct cli_option pin_options[] = {VALUE("for", "TIME", "so long: 90s, 15m, 2h, 3d; until it is unpinned when nothing is said"), END};
static const struct cli_option alarm_filters[] = {FLAG("all", "cleared ones too"),
						  VALUE("severity", "WORD,...", "warning, major, critical"),
						  VALUE("object", "NAME,...", "of these objects"), END};
static const struct cli_option silence_options[] = {
    VALUE("for", "TIME", "so long: 90s, 15m, 2h, 3d"), VALUE("until", "TIME", "until then: 2026-01-31T12:00:00Z"),
    VALUE("kind", "KIND", "alarms of this kind only: verdict, item, item:disk_fill, sensor, bmc ..."),
    VALUE("reason", "TEXT", "why"), END};
static const struct cli_option event_filters[] = {
    VALUE("from", "ID", "this event and later ones"), VALUE("limit", "NUMBER", "at most so many (50)"),
    VALUE("object", "NAME", "about this object"), FLAG("follow", "go on until interrupted"), END};
static const struct cli_option sel_options[] = {VALUE("limit", "NUMBER", "the newest so many of each node (50)"), END};
static const struct cli_option trap_filters[] = {VALUE("object", "NAME", "of this node, switch or PDU"),
						 VALUE("from", "ID", "this trap and later ones"),
						 VALUE("limit", "NUMBER", "at most so many (50)"), END};
static const struct cli_option job_filters[] = {
    VALUE("state", "WORD,...", "queued, running, waiting, done, failed, unknown, cancelled"),
    VALUE("verb", "WORD,...", "on, off, cycle, ..."), VALUE("target", "TEXT", "with this target as it was written"),
    VALUE("limit", "NUMBER", "at most so many"), END};
static const struct cli_option run_options[] = {VALUE("reason", "TEXT", "why, for the job's row"), END};
static const struct cli_option role_options[] = {
    VALUE("pool", "NAME", "where they go"), VALUE("reason", "TEXT", "why, for the job's row"), END};
static const struct cli_option software_act_options[] = {
    VALUE("reason", "TEXT", "why, for the job's row"), VALUE("batch", "N", "so many nodes at once; default: the software's own, or a tenth"), END};
static const struct cli_option power_options[] = {VALUE("reason", "TEXT", "why, for the job's row"), END};
static const struct cli_option graph_options[] = {
    {.name = "output",
     .value = "FILE",
     .letter = 'o',
     .help = "where it goes; FILE.svg makes SVG, \"-\" is standard output"},
    VALUE("from", "TIME", "2026-01-31T12:00:00Z, or back from now: -90m (s m h d w); default -1d"),
    VALUE("to", "TIME", "default now"),
    VALUE("size", "WIDTHxHEIGHT", "in pixels, default 900x300"),
    VALUE("fold", "lines|median|mean|sum", "of several nodes; default: lines of up to 12, else the median and the three highest"),
    END};
#define STATS_OPTIONS                                                                                              \
	VALUE("from", "TIME", "as for graph; default: a day ago"), VALUE("to", "TIME", "default now"),                 \
	    FLAG("now", "the hour that runs too"), FLAG("csv", "comma-separated values")
static const struct cli_option stats_options[] = {
    STATS_OPTIONS,
    VALUE("by", "node|group|site", "one row for each; default node"),
    FLAG("hourly", "a row for each hour (kept 8 days)"),
    FLAG("daily", "a row for each day (kept 2 years)"),
    VALUE("top", "N", "only the N highest by --item"),
    VALUE("item", "NAME", "cpu, mem, load1, disk_fill, if_in, if_out, power_draw, lost, incidents, energy"),
    END};
static const struct cli_option idle_options[] = {
    STATS_OPTIONS, VALUE("cpu", "PERCENT", "95 of 100 readings are below; default 10"),
    VALUE("load", "LOAD", "the same of load1; default 1"),
    VALUE("net", "BYTES/S", "the same of traffic in and out; default 1000000"), END};
static const struct cli_option apply_options[] = {FLAG("prune", "remove what the file does not name"),
						  FLAG("dry-run", "only show the difference"), END};

const struct cli_command cli_commands[] = {
    {"site", "show", "", 0, 0, "the site and its appliance", site_show, NULL},
    {"node", "list", "[RANGE]", 0, 1, "nodes with verdict, level and load", node_list, node_filters},
    {"node", "show", "RANGE...", 1, -1, "all that is known of nodes, with the evidence", node_show, NULL},
    {"node", "inventory", "[RANGE]", 0, 1, "makers, models and serial numbers, as BMCs know them", node_inventory, NULL},
    {"node", "add", "NAME", 1, 1, "add a node", node_add, node_add_fields},
    {"node", "set", "RANGE", 1, 1, "change nodes", node_set, node_set_fields},
    {"node", "remove", "RANGE", 1, 1, "remove nodes (several want --yes)", node_remove, NULL},
    {"node", "confirm-bmc", "RANGE", 1, 1, "the wiring was looked at: unlock power", bmc_confirm, NULL},
    {"node", "top", "NODE [N]", 1, 2, "its busiest processes now, 10 or at most 20", node_top, NULL},
    {"node", "run", "RANGE VERB [KEY=VALUE...]", 2, -1, "run a verb over node control", node_run, run_options},
    {"node", "role", "RANGE", 1, 1, "take nodes to another pool: drain, leave, reconfigure, join", node_role, role_options},
    {"group", "list", "", 0, 0, "groups with level and counts", group_list, group_filters},
    {"group", "show", "NAME", 1, 1, "a group and its nodes, worst first", group_show, NULL},
    {"group", "add", "NAME", 1, 1, "add a group", group_add, group_fields},
    {"group", "set", "NAME", 1, 1, "change a group", group_set, group_fields},
    {"group", "remove", "NAME", 1, 1, "remove an empty group", group_remove, NULL},
    {"item", "list", "", 0, 0, "what is measured, and what it costs", item_list, item_filters},
    {"item", "show", "NAME", 1, 1, "all that is known of an item", item_show, NULL},
    {"item", "add", "NAME", 1, 1, "measure something more, from the next poll on", item_add, item_fields},
    {"item", "set", "NAME", 1, 1, "change an item; an empty value takes back", item_set, item_fields},
    {"item", "remove", "NAME", 1, 1, "measure it no more; its history stays", item_remove, NULL},
    {"software", "install", "RANGE SOFTWARE", 2, 2, "install it by batches; trouble stops it", software_act, software_act_options},
    {"software", "upgrade", "RANGE SOFTWARE", 2, 2, "upgrade it by batches", software_act, software_act_options},
    {"software", "uninstall", "RANGE SOFTWARE", 2, 2, "remove it from nodes", software_act, software_act_options},
    {"software", "status", "[RANGE] [SOFTWARE]", 0, 2, "what stands where", software_status, NULL},
    {"sensor", "list", "[RANGE]", 0, 1, "sensors of BMCs", sensor_list, sensor_filters},
    {"sel", "list", "[RANGE]", 0, 1, "event logs of BMCs", sel_list, sel_options},
    {"sel", "read", "RANGE", 1, 1, "read event logs now, not in their turn", sel_read, NULL},
    {"sel", "clear", "RANGE", 1, 1, "clear event logs, which were read first (several want --yes)", sel_clear, NULL},
    {"check", "list", "", 0, 0, "programs that are run for nodes, and how many say what", check_list, NULL},
    {"check", "show", "[NAME]", 0, 1, "what checks said last, node by node", check_show, NULL},
    {"check", "add", "NAME", 1, 1, "run a check plugin", check_add, check_fields},
    {"check", "set", "NAME", 1, 1, "change a check", check_set, check_fields},
    {"check", "remove", "NAME", 1, 1, "run it no more; the history stays", check_remove, NULL},
    {"watch", "list", "", 0, 0, "process watches, and how many nodes are in which state", watch_list, NULL},
    {"watch", "show", "NAME [RANGE]", 1, 2, "a watch on each of its nodes", watch_show, watch_filters},
    {"watch", "add", "NAME", 1, 1, "watch for processes", watch_add, watch_fields},
    {"watch", "set", "NAME", 1, 1, "change a watch", watch_set, watch_fields},
    {"watch", "remove", "NAME", 1, 1, "watch for them no more; the history stays", watch_remove, NULL},
    {"pool", "list", "", 0, 0, "pools of nodes, and what services have of them", pool_list, NULL},
    {"pool", "show", "NAME", 1, 1, "all that is known of a pool", pool_show, NULL},
    {"pool", "add", "NAME", 1, 1, "lend nodes to services", object_edit, pool_fields},
    {"pool", "set", "NAME", 1, 1, "change a pool", object_edit, pool_fields},
    {"pool", "remove", "NAME", 1, 1, "remove a pool that no service draws from", object_edit, NULL},
    {"software", "list", "", 0, 0, "what can be put on nodes", software_list, NULL},
    {"software", "show", "NAME", 1, 1, "all that is known of it", software_show, NULL},
    {"software", "add", "NAME", 1, 1, "name a package or bundle", object_edit, software_fields},
    {"software", "set", "NAME", 1, 1, "change it", object_edit, software_fields},
    {"software", "remove", "NAME", 1, 1, "forget it; nodes keep what they have", object_edit, NULL},
    {"balancer", "list", "", 0, 0, "balancers, and whether they are in step", balancer_list, balancer_filters},
    {"balancer", "show", "NAME", 1, 1, "a balancer with its servers as they were read back", balancer_show, NULL},
    {"balancer", "add", "NAME", 1, 1, "add a balancer", object_edit, balancer_fields},
    {"balancer", "set", "NAME", 1, 1, "change a balancer", object_edit, balancer_fields},
    {"balancer", "remove", "NAME", 1, 1, "remove one without services (--yes: one that does not answer, too)", balancer_remove, NULL},
    {"service", "list", "", 0, 0, "services with size and load", service_list, service_filters},
    {"service", "show", "NAME", 1, 1, "a service, and each of its members in a line", service_show, NULL},
    {"service", "explain", "NAME", 1, 1, "why it has its size, and what each member waits for", service_explain, NULL},
    {"service", "add", "NAME", 1, 1, "add a service; it is started unless --enabled false", object_edit, service_fields},
    {"service", "set", "NAME", 1, 1, "change a service", object_edit, service_fields},
    {"service", "remove", "NAME", 1, 1, "drain and remove a service", object_edit, NULL},
    {"service", "pin", "NAME N", 2, 2, "keep it at N members", service_pin, pin_options},
    {"service", "unpin", "NAME", 1, 1, "let its size follow the load again", service_unpin, NULL},
    {"service", "enable", "NAME", 1, 1, "keep it running from now on", service_enable, NULL},
    {"service", "disable", "NAME", 1, 1, "drain and stop it, and give its nodes back", service_enable, NULL},
    {"service", "start", "NAME", 1, 1, "start it again after a stop", service_act, NULL},
    {"service", "stop", "NAME", 1, 1, "drain and stop its members", service_act, NULL},
    {"service", "restart", "NAME", 1, 1, "restart its members one after the other", service_act, NULL},
    {"alarm", "list", "[RANGE]", 0, 1, "active alarms", alarm_list, alarm_filters},
    {"alarm", "ack", "ID...", 1, -1, "acknowledge alarms", alarm_ack, NULL},
    {"silence", "add", "RANGE|@GROUP|OBJECT", 1, 1, "raise none of its alarms until an end", silence_add, silence_options},
    {"silence", "list", "", 0, 0, "silences, oldest first", silence_list, NULL},
    {"silence", "remove", "ID", 1, 1, "end a silence now", silence_remove, NULL},
    {"event", "list", "", 0, 0, "what happened", event_list, event_filters},
    {"trap", "list", "[RANGE]", 0, 1, "traps that were heard, newest last", trap_list, trap_filters},
    {"trap", "senders", "", 0, 0, "senders whose traps were refused, and why", trap_senders, NULL},
    {"job", "list", "", 0, 0, "jobs, oldest first", job_list, job_filters},
    {"job", "show", "ID", 1, 1, "a job with its steps", job_show, NULL},
    {"job", "cancel", "ID", 1, 1, "end what has not been sent yet", job_cancel, NULL},
    {"job", "wait", "ID", 1, 1, "wait for a job and show how it ended", job_wait, NULL},
    {"power", "on", "RANGE", 1, 1, "switch on", power_do, power_options},
    {"power", "off", "RANGE", 1, 1, "switch off at once", power_do, power_options},
    {"power", "soft", "RANGE", 1, 1, "ask the system to shut down", power_do, power_options},
    {"power", "cycle", "RANGE", 1, 1, "switch off, then on", power_do, power_options},
    {"power", "reset", "RANGE", 1, 1, "reset without switching off", power_do, power_options},
    {"power", "identify", "RANGE", 1, 1, "light the locator lamp", power_do, power_options},
    {"power", "status", "RANGE", 1, 1, "power states as last read", power_status, NULL},
    {"graph", NULL, "RANGE|site|service/NAME ITEM... -o FILE", 2, 9, "draw the history of items (disk_fill/root is one)",
     graph_draw, graph_options},
    {"stats", "idle", "[RANGE]", 0, 1, "nodes that could be switched off, by the last 7 days", stats_idle, idle_options},
    {"stats", NULL, "[RANGE]", 0, 1, "availability, load and energy of a time", stats_show, stats_options},
    {"apply", NULL, "FILE|-", 1, 1, "make a cluster.xml the wanted state", apply_do, apply_options},
    {"export", NULL, "", 0, 0, "print the wanted state as cluster.xml", export_do, NULL},
    {"top", NULL, "", 0, 0, "site and worst nodes, refreshed on a terminal", top_show, NULL},
};
const size_t cli_command_count = COUNT_OF(cli_commands);
