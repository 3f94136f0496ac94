/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading cluster.xml and gloryd.xml: the samples, messages that name place and cause, hostile documents, export and back, and the
 * child glory-xml itself. */
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/xml.h"
#include "config/xml_child.h"
#include "tests/unit/random_cluster.h"
#include "tests/unit/unit.h"

static char programs[PATH_MAX]; /* where glory-xml is */
static struct cluster cluster;
static struct settings settings;
static struct error e;

static int read_cluster(const char *text)
{
	memset(&e, 0, sizeof e);
	return xml_read_cluster(text, strlen(text), "cluster.xml", &cluster, &e);
}

static int read_settings(const char *text)
{
	memset(&e, 0, sizeof e);
	return xml_read_settings(text, strlen(text), "gloryd.xml", &settings, &e);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = mem_zalloc(1 << 20);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static const struct config_node *node(const char *name)
{
	const struct config_node *n = cluster_find(&cluster, CONFIG_NODE, name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	return n;
}

/* --- samples ---------------------------------------------------------------------------------------------- */

static void test_cluster_sample(void)
{
	char *text = read_file("appliance/etc/cluster.xml.sample"), shown[ADDRESS_TEXT];

	CU_ASSERT_EQUAL(read_cluster(text), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_STRING_EQUAL(cluster.site, "demo");
	CU_ASSERT_EQUAL(cluster.count[CONFIG_NODE], 6);
	CU_ASSERT_STRING_EQUAL(address_text(&node("n003")->address, 161, shown), "10.99.1.3");
	CU_ASSERT_STRING_EQUAL(address_text(&node("n003")->bmc, 623, shown), "10.98.1.3");
	CU_ASSERT_EQUAL(node("n003")->switch_port, 3);
	CU_ASSERT_STRING_EQUAL(node("n003")->group, "g01");
	CU_ASSERT_EQUAL(node("n003")->wanted_power, POWER_ON);
	CU_ASSERT_EQUAL(node("n005")->uuid[0], 0x4c);
	CU_ASSERT_EQUAL(node("n006")->address.family, 6);
	CU_ASSERT_EQUAL(node("n006")->policy, POLICY_TELL);
	CU_ASSERT(node("n006")->head.line > node("n005")->head.line);
	const struct config_item *item = cluster_find(&cluster, CONFIG_ITEM, "fan_speed");
	CU_ASSERT_PTR_NOT_NULL_FATAL(item);
	CU_ASSERT_EQUAL(item->oid_length, 12);
	CU_ASSERT_EQUAL(item->per_instance, 1);
	CU_ASSERT_EQUAL(item->threshold[0].above, 0);
	item = cluster_find(&cluster, CONFIG_ITEM, "disk_fill");
	CU_ASSERT_EQUAL(item->thresholds, 2);
	CU_ASSERT_EQUAL(item->threshold[0].of, 3);
	CU_ASSERT_EQUAL(item->threshold[0].in, 5);
	const struct config_service *service = cluster_find(&cluster, CONFIG_SERVICE, "web");
	CU_ASSERT_PTR_NOT_NULL_FATAL(service);
	CU_ASSERT_EQUAL(service->max, 6);
	CU_ASSERT_EQUAL(service->enabled, 1);
	CU_ASSERT_STRING_EQUAL(service->schedule, "mon-fri 08:00-18:00 3");
	CU_ASSERT_EQUAL(((const struct config_balancer *)cluster_find(&cluster, CONFIG_BALANCER, "sw4"))->address.port, 161);
	const struct config_notify *logs = cluster_find(&cluster, CONFIG_NOTIFY, "logs");
	CU_ASSERT_EQUAL(logs->address.port, 514);
	free(text);
	cluster_clear(&cluster);
}

static void test_settings_sample(void)
{
	struct settings bare;
	char *text = read_file("appliance/etc/gloryd.xml.sample");

	CU_ASSERT_EQUAL(read_settings(text), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_EQUAL(settings.users, 3);
	CU_ASSERT_EQUAL(settings.user[1].right, RIGHT_OPERATE);
	CU_ASSERT_EQUAL(settings.user[1].auth, 1);
	CU_ASSERT_EQUAL(settings.user[2].auth, 0);
	/* the sample says that it shows the defaults */
	bare = settings;
	CU_ASSERT_EQUAL(read_settings("<appliance xmlns='urn:glory-cl:appliance:1' name='glory1' site='demo'/>"), 0);
	settings.users = bare.users;
	memcpy(settings.user, bare.user, sizeof bare.user);
	CU_ASSERT_EQUAL(memcmp(&bare, &settings, sizeof bare), 0);
	free(text);
}

static void test_settings_fields(void)
{
	CU_ASSERT_EQUAL(read_settings("<appliance xmlns='urn:glory-cl:appliance:1' name='a' site='b' first-uid='64101'>\n"
				      "<directories data='/mnt/var' secrets='/mnt/s'/><snmp-agent address='127.0.0.1' port='1161'/>\n"
				      "<trap-listener address='[::1]:1162' relay='true'/><http address='127.0.0.1' port='8080'/>\n"
				      "<rrd limit='20G'/><cluster path='/mnt/c.xml'/><log target='syslog' level='debug'/>\n"
				      "<lab time-scale='0.1'/><user name='public' kind='community' group='glory-view'/>"
				      "<https address='[::]' certificate='/mnt/c.pem' key='www'/><user name='noc' kind='https' group='glory-view'/></appliance>"),
			0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_STRING_EQUAL(settings.store_url, "sqlite:/mnt/var/store/glory.db");
	CU_ASSERT_STRING_EQUAL(settings.rrd, "/mnt/var/rrd");
	CU_ASSERT_STRING_EQUAL(settings.first_cluster, "/mnt/c.xml");
	CU_ASSERT_EQUAL(settings.agent.port, 1161);
	CU_ASSERT_EQUAL(settings.trap_listener.port, 1162);
	CU_ASSERT_EQUAL(settings.trap_relay, 1);
	CU_ASSERT_EQUAL(settings.http.port, 8080);
	CU_ASSERT_EQUAL(settings.rrd_limit_mib, 20480);
	CU_ASSERT_EQUAL(settings.log_level, 7);
	CU_ASSERT_EQUAL(settings.log_to_syslog, 1);
	CU_ASSERT_EQUAL(settings.first_uid, 64101);
	CU_ASSERT_EQUAL(settings.time_scale, 0.1);
	CU_ASSERT_EQUAL(settings.user[0].kind, SETTINGS_USER_COMMUNITY);
	CU_ASSERT_EQUAL(settings.user[1].kind, SETTINGS_USER_HTTPS);
	CU_ASSERT_EQUAL(settings.https.port, 8443);
	CU_ASSERT_STRING_EQUAL(settings.https_certificate, "/mnt/c.pem");
	CU_ASSERT_STRING_EQUAL(settings.https_key, "www");
	/* both HTTP listeners are off, each has a port of its own */
	CU_ASSERT_EQUAL(read_settings("<appliance xmlns='urn:glory-cl:appliance:1' name='a' site='b'/>"), 0);
	CU_ASSERT_EQUAL(settings.http.family, 0);
	CU_ASSERT_EQUAL(settings.https.family, 0);
	CU_ASSERT_EQUAL(read_settings("<appliance xmlns='urn:glory-cl:appliance:1' name='a' site='b'><http address='127.0.0.1'/>"
				      "<https address='10.0.0.1'/></appliance>"),
			0);
	CU_ASSERT_EQUAL(settings.http.port, 8080);
	CU_ASSERT_EQUAL(settings.https.port, 8443);
	CU_ASSERT_STRING_EQUAL(settings.https_certificate, "/etc/glory/https.pem");
	CU_ASSERT_STRING_EQUAL(settings.https_key, "https");
}

/* --- what is wrong, where, and what to do -------------------------------------------------------------------- */

#define HEAD "<cluster xmlns='urn:glory-cl:cluster:1' site='d'>\n"
#define CREDENTIALS "<credentials><snmp name='a' version='2c'/><bmc name='b' user='u'/></credentials>\n"
#define NODES(inside) HEAD CREDENTIALS "<group name='g'>\n" inside "</group></cluster>"
#define TOP(inside) HEAD inside "</cluster>"

static const struct {
	const char *text, *object, *why, *remedy;
} wrong[] = {
	{"", "cluster.xml:1", "not well-formed", ""},
	{"<cluster", "cluster.xml:1", "not well-formed", "xmllint"},
	{HEAD "\n<group>\n", "cluster.xml", "not well-formed", "xmllint"},
	{"<!DOCTYPE cluster [<!ENTITY a 'b'>]>" TOP(""), "cluster.xml:1", "document type or entities", "<!DOCTYPE"},
	{"<!DOCTYPE cluster SYSTEM 'http://example.com/x.dtd'>" TOP(""), "cluster.xml:1", "document type or entities", "<!DOCTYPE"},
	{TOP("&nothing;"), "cluster.xml:2", "not well-formed", ""},
	{"<cluster/>", "cluster.xml:1", "not in the namespace", "urn:glory-cl:cluster:1"},
	{"<claster xmlns='urn:glory-cl:cluster:1'/>", "cluster.xml:1", "outermost element is <claster>", "<cluster"},
	{"<cluster xmlns='urn:glory-cl:cluster:1' sight='x'/>", "cluster.xml:1", "no attribute sight", "site"},
	{"<cluster xmlns='urn:glory-cl:cluster:1' site='a b'/>", "cluster.xml:1", "site a b is not a name", "demo"},
	{TOP("words"), "cluster.xml:1", "something else than elements", "elements"},
	{TOP("<grop name='x'/>"), "cluster.xml:2", "<grop> is not known inside <cluster>", "did you mean group"},
	{TOP("<credentials><group name='x'/></credentials>"), "cluster.xml:2", "<group> is not known inside <credentials>", ""},
	{TOP("<snmp name='x' version='2c'/>"), "cluster.xml:2", "<snmp> is not known inside <cluster>", ""},
	{TOP("<group/>"), "cluster.xml:2", "<group> has no name", "name="},
	{TOP("<group name=''/>"), "cluster.xml:2", "<group> has no name", "name="},
	{TOP("<group name='a/b'/>"), "cluster.xml:2", "group a/b: the name must be", "n001"},
	{TOP("<group name='a'/>\n<group name='a'/>"), "cluster.xml:3", "group a: is there twice, first in line 2", "rename"},
	{TOP("<group name='a' reference='gateway'/>"), "cluster.xml:2", "group a: reference gateway is not an IPv4", "10.1.0.254"},
	{TOP("<group name='a' policy='kill'/>"), "cluster.xml:2", "policy kill is not repair, tell or hands-off", ""},
	{TOP("<group name='a' policy=''/>"), "cluster.xml:2", "policy is empty", "leave it out"},
	{TOP("<group name='a'><knot/></group>"), "cluster.xml:2", "<knot> is not known inside <group>", ""},
	{TOP("<pdu name='p'/>"), "cluster.xml:2", "pdu p: has no address", "address="},
	{TOP("<pdu name='p' address='10.0.0.1'>x</pdu>"), "cluster.xml:2", "something else than elements", ""},
	{TOP("<pdu name='p' address='10.0.0.1'><a/></pdu>"), "cluster.xml:2", "<pdu> has nothing inside", ""},
	{NODES("<node name='n003' address='10.1.0.x' snmp='a'/>"), "cluster.xml:4", "node n003: address 10.1.0.x is not an IPv4 or IPv6 address",
	 "write it as 10.1.0.3"},
	{NODES("<node name='n' address='10.1.0.1' port='0' snmp='a'/>"), "cluster.xml:4", "port 0 is none", "65535"},
	{NODES("<node name='n' adress='10.1.0.1' snmp='a'/>"), "cluster.xml:4", "has no attribute adress", "did you mean address"},
	{NODES("<node name='n' address='10.1.0.1' snmp='a' group='g'/>"), "cluster.xml:4", "has no attribute group", ""},
	{NODES("<node name='n' address='10.1.0.1' snmp='b'/>"), "cluster.xml:4", "node n: snmp b does not exist", "<snmp name=\"b\">"},
	{NODES("<node name='n' address='10.1.0.1'/>"), "cluster.xml:4", "node n: has no snmp", "snmp="},
	{NODES("<node name='n' address='10.1.0.1' snmp='a' uuid='1'/>"), "cluster.xml:4", "uuid 1 is not a UUID", "4c4c4544"},
	{NODES("<node name='n' address='10.1.0.1' snmp='a'/>\n<node name='m' address='10.1.0.1' snmp='a'/>"), "cluster.xml:5",
	 "node m: address 10.1.0.1:161 is that of node n too", "its own"},
	{NODES("<nodes name='n[1-4]' address='10.1.0.[1-3]' snmp='a'/>"), "cluster.xml:4", "nodes n[1-4]: 4 names but 3 of address", "both"},
	{NODES("<nodes name='n[1-4' address='10.1.0.[1-4]' snmp='a'/>"), "cluster.xml:4", "a bracket is not closed", "close"},
	{NODES("<nodes name='n[1-4]' address='10.1.0.1' snmp='a'/>"), "cluster.xml:4", "is that of node n", ""},
	{NODES("<nodes name='n[1-4]' address='10.1.0.[253-256]' snmp='a'/>"), "cluster.xml:4", "node n4: address 10.1.0.256 is not", ""},
	{NODES("<nodes name='n[1-2]' address='10.1.0.[1-2]' snmp='a' uuid='4c4c4544-0032-3010-8058-b4c04f4d4e32'/>"), "cluster.xml:4",
	 "a uuid belongs to one node", "<node>"},
	{NODES("<nodes name='n[1-20001]' address='10.1.0.[1-2]' snmp='a'/>"), "cluster.xml:4", "more than 20000 names", "smaller"},
	{NODES("<nodes name='n[1-2]' address='10.1.0.[1-2]' snmp='a' bmc='10.2.0.[1-2]'/>"), "cluster.xml:4", "no bmc-credential", "bmc-credential"},
	{NODES("<node name='n' address='10.1.0.1' snmp='a' switch-port='1'/>"), "cluster.xml:4", "switch-port but no switch", "switch="},
	{TOP("<credentials><bmc name='b' user='u' suite='0'/></credentials>"), "cluster.xml:2", "bmc b: cipher suite 0 accepts any password",
	 "use 17"},
	{TOP("<credentials><bmc name='b' user='u' suite='11'/></credentials>"), "cluster.xml:2", "cipher suite 11 does not encrypt", "use 17"},
	{TOP("<credentials><bmc name='b' user='u' suite='99'/></credentials>"), "cluster.xml:2", "suite 99 is not 17 or 3", ""},
	{TOP("<credentials><snmp name='s' version='3' user='u'/></credentials>"), "cluster.xml:2", "snmp s: version 3 without auth", "SHA-256"},
	{TOP("<credentials><snmp name='s' version='1'/></credentials>"), "cluster.xml:2", "version 1 is not 2c or 3", ""},
	{TOP("<credentials><snmp name='s' version='3' user='u' auth='MD5'/></credentials>"), "cluster.xml:2", "auth MD5 is not SHA-256 or SHA", ""},
	{TOP("<bmcmodel name='m' workarounds='opensesspriv magic'/>"), "cluster.xml:2", "workarounds magic is not", ""},
	{TOP("<item name='Disk'/>"), "cluster.xml:2", "small letters", "disk_fill"},
	{TOP("<item name='d' interval='0'/>"), "cluster.xml:2", "interval 0 is not a whole number", ""},
	{TOP("<item name='d'><limit/></item>"), "cluster.xml:2", "<limit> is not known inside <item>", "threshold"},
	{TOP("<item name='d'><threshold level='warning'/></item>"), "cluster.xml:2", "one of above and below", ""},
	{TOP("<item name='d'><threshold level='warning' above='1' below='2'/></item>"), "cluster.xml:2", "one of above and below", ""},
	{TOP("<item name='d'><threshold level='bad' above='1'/></item>"), "cluster.xml:2", "level bad is not one that is raised", "critical"},
	{TOP("<item name='d'><threshold level='major' above='x'/></item>"), "cluster.xml:2", "above x is not a number", ""},
	{TOP("<item name='d'><threshold level='major' above='5' clear='6'/></item>"), "cluster.xml:2", "clear 6 would clear at once", ""},
	{TOP("<item name='d'><threshold level='major' above='5' of='3' in='2'/></item>"), "cluster.xml:2", "3 of 2 samples", ""},
	{TOP("<item name='d'><threshold level='major' kind='hunch' above='5'/></item>"), "cluster.xml:2", "kind hunch is not known", "forecast"},
	{TOP("<item name='d'><threshold level='major' kind='no-data' above='5'/></item>"), "cluster.xml:2", "kind no-data has no above", ""},
	{TOP("<item name='d'><threshold level='major' kind='forecast' above='5' within='soon'/></item>"), "cluster.xml:2", "within soon is not a time", "3d"},
	{TOP("<item name='d'><threshold level='major' kind='forecast' above='5' window='1s'/></item>"), "cluster.xml:2", "window 1s is not between", ""},
	{TOP("<item name='d'><threshold level='major' abuv='5'/></item>"), "cluster.xml:2", "no attribute abuv", "did you mean above"},
	{TOP("<notify name='n' address='10.0.0.1' kind='mail'/>"), "cluster.xml:2", "kind mail is not inform, trap-v2c, trap or syslog", ""},
	{TOP("<service nam='w'/>"), "cluster.xml:2", "<service> has no name", ""},
	{TOP("<service name='w' virtual='1'/>"), "cluster.xml:2", "service w: <service> has no attribute virtual", "did you mean virtuals"},
	{TOP("<pool name='p' nodes='n[1-3]'/>"), "cluster.xml:2", "pool p: node n1 does not exist", ""},
	{TOP("<software name='s' kind='rpm'/>"), "cluster.xml:2", "kind rpm is not package or bundle", ""},
	{TOP("<balancer name='b' driver='nginx'/>"), "cluster.xml:2", "driver nginx is not ipvs, haproxy", ""},
	{TOP("<brake name='destructive' value='3'/>"), "cluster.xml:2", "brake destructive: is no brake", ""},
	{TOP("<brake name='repair-percent' value='x'/>"), "cluster.xml:2", "value x is not a whole number", ""},
};

static void test_messages(void)
{
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CU_ASSERT_EQUAL(read_cluster(wrong[i].text), ERR_CONFIG);
		bool right = !strncmp(e.object, wrong[i].object, strlen(wrong[i].object)) && strstr(e.text, wrong[i].why) &&
			     strstr(e.remedy, wrong[i].remedy) && e.remedy[0];
		CU_ASSERT_TRUE(right);
		if (!right)
			printf("%s\n  gives \"%s\" \"%s\" \"%s\"\n", wrong[i].text, e.object, e.text, e.remedy);
		CU_ASSERT_PTR_NULL(strchr(e.text, '\n'));
		CU_ASSERT_EQUAL(cluster.count[CONFIG_NODE], 0); /* nothing half-read */
	}
}

#define SETTINGS(inside) "<appliance xmlns='urn:glory-cl:appliance:1' name='a' site='b'>\n" inside "</appliance>"

static const struct {
	const char *text, *object, *why;
} wrong_settings[] = {
	{"<appliance xmlns='urn:glory-cl:appliance:1' name='a'/>", "gloryd.xml:1", "<appliance> has no site"},
	{"<appliance name='a' site='b'/>", "gloryd.xml:1", "not in the namespace"},
	{SETTINGS("<snmpagent address='1.2.3.4'/>"), "gloryd.xml:2", "<snmpagent> is not known"},
	{SETTINGS("<snmp-agent/>"), "gloryd.xml:2", "<snmp-agent> has no address"},
	{SETTINGS("<snmp-agent address='localhost'/>"), "gloryd.xml:2", "snmp-agent: address localhost is not"},
	{SETTINGS("<snmp-agent address='1.2.3.4' port='99999'/>"), "gloryd.xml:2", "port 99999 is none"},
	{SETTINGS("<snmp-agent address='1.2.3.4' prot='161'/>"), "gloryd.xml:2", "no attribute prot"},
	{SETTINGS("<log/><log/>"), "gloryd.xml:2", "<log> is there twice"},
	{SETTINGS("<log>x</log>"), "gloryd.xml:2", "something inside"},
	{SETTINGS("<log level='loud'/>"), "gloryd.xml:2", "level loud is not error, warning, info or debug"},
	{SETTINGS("<store engine='etcd'/>"), "gloryd.xml:2", "engine etcd is not sqlite"},
	{SETTINGS("<store path='here'/>"), "gloryd.xml:2", "path here is not an absolute path"},
	{SETTINGS("<store path='/a/../b'/>"), "gloryd.xml:2", "is not an absolute path"},
	{SETTINGS("<rrd limit='20'/>"), "gloryd.xml:2", "limit 20 is not a size"},
	{SETTINGS("<lab time-scale='1000'/>"), "gloryd.xml", "time-scale is not between"},
	{SETTINGS("<user name='x' kind='snmp'/>"), "gloryd.xml:2", "<user> has no group"},
	{SETTINGS("<user name='x' kind='snmp' group='root'/>"), "gloryd.xml:2", "group root is not"},
	{SETTINGS("<user name='x' kind='unix' group='glory-view'/><user name='x' kind='unix' group='glory-admin'/>"), "gloryd.xml", "twice"},
	{SETTINGS("<user name='x' kind='community' group='glory-admin'/>"), "gloryd.xml", "may only read"},
	{SETTINGS("<user name='x' kind='https' group='glory-operate'/>"), "gloryd.xml", "an https user may only read"},
	{SETTINGS("<https/>"), "gloryd.xml:2", "<https> has no address"},
	{SETTINGS("<https address='www.example'/>"), "gloryd.xml:2", "https: address www.example is not"},
	{SETTINGS("<https address='::1' port='0'/>"), "gloryd.xml:2", "port 0 is none"},
	{SETTINGS("<https address='::1' certificate='c.pem'/>"), "gloryd.xml:2", "certificate c.pem is not an absolute path"},
	{SETTINGS("<https address='::1' key='../bmc/bmc'/>"), "gloryd.xml:2", "key ../bmc/bmc is not a name"},
	{SETTINGS("<https address='::1' cert='/c.pem'/>"), "gloryd.xml:2", "no attribute cert"},
	{SETTINGS("<https address='::1'/><https address='::1'/>"), "gloryd.xml:2", "<https> is there twice"},
};

static void test_settings_messages(void)
{
	for (size_t i = 0; i < COUNT_OF(wrong_settings); i++) {
		CU_ASSERT_EQUAL(read_settings(wrong_settings[i].text), ERR_CONFIG);
		bool right = !strncmp(e.object, wrong_settings[i].object, strlen(wrong_settings[i].object)) &&
			     strstr(e.text, wrong_settings[i].why) && e.remedy[0];
		CU_ASSERT_TRUE(right);
		if (!right)
			printf("%s\n  gives \"%s\" \"%s\" \"%s\"\n", wrong_settings[i].text, e.object, e.text, e.remedy);
	}
}

/* What could hang or swell a parser ends with an error, and soon. */
static void test_hostile(void)
{
	size_t size = (16u << 20) + 2;
	char *text = mem_zalloc(size), *deep = mem_zalloc(2000000);

	memset(text, ' ', size - 1);
	CU_ASSERT_EQUAL(xml_read_cluster(text, size - 1, "cluster.xml", &cluster, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "at most 16 MiB"));
	for (size_t i = 0; i + 3 < 300000; i += 3)
		memcpy(deep + i, "<a>", 3);
	CU_ASSERT_EQUAL(read_cluster(deep), ERR_CONFIG);
	size_t used = 0;
	text_append(deep, 2000000, &used, "%s<group name='%0100000d'/></cluster>", HEAD, 1);
	CU_ASSERT_EQUAL(read_cluster(deep), ERR_CONFIG);
	CU_ASSERT_EQUAL(xml_read_cluster("<cluster\0/>", 11, "cluster.xml", &cluster, &e), ERR_CONFIG);
	CU_ASSERT_EQUAL(read_cluster("<cluster xmlns='urn:glory-cl:cluster:1'><group name='a&#x0a;b'/></cluster>"), ERR_CONFIG);
	CU_ASSERT_PTR_NULL(strchr(e.text, '\n'));
	CU_ASSERT_EQUAL(read_cluster("<cluster xmlns='urn:glory-cl:cluster:1'>\xff</cluster>"), ERR_CONFIG);
	CU_ASSERT_EQUAL(read_cluster("<cluster xmlns='urn:glory-cl:cluster:1' xmlns:xi='http://www.w3.org/2001/XInclude'>"
				     "<xi:include href='/etc/passwd' parse='text'/></cluster>"),
			ERR_CONFIG);
	free(text);
	free(deep);
}

/* --- export and back ---------------------------------------------------------------------------------------- */

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_export_round_trip(void)
{
	size_t services = 0;

	for (unsigned seed = 0; seed < 40; seed++) {
		struct cluster before, result;
		struct config_diff diff;
		random_cluster(seed, 150, &before);
		services += before.count[CONFIG_SERVICE];
		CU_ASSERT_EQUAL(cluster_check(&before, &e), 0);
		char *text = cluster_to_xml(&before);
		CU_ASSERT_EQUAL(read_cluster(text), 0);
		if (e.text[0])
			printf("%s: %s: %s\n", e.object, e.text, e.remedy);
		cluster_diff(&before, &cluster, true, &result, &diff);
		CU_ASSERT_EQUAL(diff.count, 0);
		CU_ASSERT_STRING_EQUAL(before.site, cluster.site);
		char *again = cluster_to_xml(&cluster);
		CU_ASSERT_STRING_EQUAL(text, again);
		free(again);
		free(text);
		config_diff_clear(&diff);
		cluster_clear(&result);
		cluster_clear(&before);
		cluster_clear(&cluster);
	}
	CU_ASSERT(services > 100); /* the seeds are not all of the kind without pools */
}

static void test_export_compresses(void)
{
	CU_ASSERT_EQUAL(read_cluster(NODES("<nodes name='n[0001-0250]' address='10.1.0.[1-250]' port='1161' snmp='a' bmc='10.2.0.[1-250]' "
					   "bmc-credential='b' rack='r1'/>\n"
					   "<nodes name='x[8-12]' address='fd00::[8-12]' snmp='a'/>")),
			0);
	char *text = cluster_to_xml(&cluster);
	CU_ASSERT_EQUAL(count_of(text, "<node"), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<nodes name=\"n[0001-0250]\" address=\"10.1.0.[1-250]\" port=\"1161\" snmp=\"a\" "
					    "bmc=\"10.2.0.[1-250]\" bmc-credential=\"b\" rack=\"r1\"/>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<nodes name=\"x[8-10]\" address=\"fd00::[8-10]\" snmp=\"a\"/>") ||
			       strstr(text, "<nodes name=\"x[8-12]\" address=\"fd00::[8-12]\" snmp=\"a\"/>"));
	free(text);
	cluster_clear(&cluster);
}

/* Prints how long a full site takes; asserts only that it is read. */
static void test_full_site(void)
{
	char *text = mem_zalloc(8 << 20);
	size_t used = 0;

	text_append(text, 8 << 20, &used, "%s%s", HEAD, CREDENTIALS);
	for (int g = 0; g < 40; g++) {
		text_append(text, 8 << 20, &used, "<group name='g%02d'>\n", g);
		for (int n = 0; n < 250; n++)
			text_append(text, 8 << 20, &used,
				    "<node name='n%02d%03d' address='10.1.%d.%d' snmp='a' bmc='10.2.%d.%d' bmc-credential='b' rack='r%d'/>\n", g, n,
				    g, n, g, n, n / 40);
		text_append(text, 8 << 20, &used, "</group>\n");
	}
	text_append(text, 8 << 20, &used, "</cluster>\n");
	int64_t began = clock_mono_ms();
	CU_ASSERT_EQUAL(read_cluster(text), 0);
	int64_t read_ms = clock_mono_ms() - began;
	CU_ASSERT_EQUAL(cluster.count[CONFIG_NODE], 10000);
	began = clock_mono_ms();
	char *exported = cluster_to_xml(&cluster);
	printf("10,000 nodes: %zu kB read and checked in %lld ms, exported as %zu lines in %lld ms ... ", used / 1000, (long long)read_ms,
	       count_of(exported, "\n"), (long long)(clock_mono_ms() - began));
	cluster_clear(&cluster);
	/* and the child can do it within its limits */
	char path[] = "/tmp/glory-xml-full-XXXXXX";
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, used), (ssize_t)used);
	close(fd);
	CU_ASSERT_EQUAL(xml_child_cluster(programs, path, &cluster, &e), 0);
	CU_ASSERT_EQUAL(cluster.count[CONFIG_NODE], 10000);
	cluster_clear(&cluster);
	unlink(path);
	free(exported);
	free(text);
}

/* --- the child ------------------------------------------------------------------------------------------------ */

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	fputs(text, f);
	return fclose(f) == 0;
}

static void test_child(void)
{
	char path[] = "/tmp/glory-xml-test-XXXXXX", directory[] = "/nowhere";
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL(xml_child_cluster(programs, "appliance/etc/cluster.xml.sample", &cluster, &e), 0);
	CU_ASSERT_EQUAL(cluster.count[CONFIG_NODE], 6);
	CU_ASSERT_EQUAL(node("n003")->switch_port, 3);
	cluster_clear(&cluster);
	CU_ASSERT_EQUAL(xml_child_settings(programs, "appliance/etc/gloryd.xml.sample", &settings, &e), 0);
	CU_ASSERT_STRING_EQUAL(settings.appliance, "glory1");
	CU_ASSERT_TRUE(write_file(path, NODES("<node name='n' address='10.1.0.x' snmp='a'/>")));
	CU_ASSERT_EQUAL(xml_child_cluster(programs, path, &cluster, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.object, "glory-xml-test"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.object, ":4"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "node n: address 10.1.0.x"));
	/* an encoding libxml2 would load a file for */
	CU_ASSERT_TRUE(write_file(path, "<?xml version='1.0' encoding='EUC-KR'?><cluster/>"));
	CU_ASSERT_EQUAL(xml_child_cluster(programs, path, &cluster, &e), ERR_CONFIG);
	CU_ASSERT_EQUAL(xml_child_settings(programs, "/nowhere/gloryd.xml", &settings, &e), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "cannot be opened"));
	CU_ASSERT_EQUAL(xml_child_settings(directory, "appliance/etc/gloryd.xml.sample", &settings, &e), ERR_NO_RESOURCE);
	unlink(path);
}

static const struct unit_test tests[] = {
	{"cluster.xml.sample", test_cluster_sample},
	{"gloryd.xml.sample", test_settings_sample},
	{"gloryd.xml: fields", test_settings_fields},
	{"cluster.xml: messages", test_messages},
	{"gloryd.xml: messages", test_settings_messages},
	{"hostile documents", test_hostile},
	{"export and back", test_export_round_trip},
	{"export compresses", test_export_compresses},
	{"10,000 nodes", test_full_site},
	{"glory-xml", test_child},
};

int main(int argc, char **argv)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)argc;
	(void)argv;
	self[n > 0 ? n : 0] = '\0';
	text_format(programs, sizeof programs, "%s/../libexec/glory", dirname(self));
	return unit_run("config xml", tests, COUNT_OF(tests));
}
