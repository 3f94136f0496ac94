/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The appliance's own settings: table of fields, defaults, rules; see settings.h. */
#include "config/settings.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/words.h"
#include "config/settings_fields.h"

#define AT(member) .offset = offsetof(struct settings, member), .size = sizeof(((struct settings *)0)->member)
#define OF_USER(member) \
	.offset = offsetof(struct settings_user, member), .size = sizeof(((struct settings_user *)0)->member)

static const struct choice engines[] = {{"sqlite", 1}, {NULL, 0}};
static const struct choice targets[] = {{"stderr", 0}, {"syslog", 1}, {NULL, 0}};
static const struct choice levels[] = {{"error", LOG_LEVEL_ERROR},
				       {"warning", LOG_LEVEL_WARNING},
				       {"info", LOG_LEVEL_INFO},
				       {"debug", LOG_LEVEL_DEBUG},
				       {NULL, 0}};
static const struct choice kinds[] = {
    {"snmp", SETTINGS_USER_SNMP}, {"unix", SETTINGS_USER_UNIX}, {"community", SETTINGS_USER_COMMUNITY}, {"https", SETTINGS_USER_HTTPS}, {NULL, 0}};
static const struct choice rights[] = {
    {"glory-view", RIGHT_VIEW}, {"glory-operate", RIGHT_OPERATE}, {"glory-admin", RIGHT_ADMIN}, {NULL, 0}};
static const struct choice auths[] = {{"SHA-256", 1}, {"SHA", 2}, {NULL, 0}};
static const struct choice privs[] = {{"AES-128", 1}, {NULL, 0}};

static const struct config_field appliance_fields[] = {
    {"name", FIELD_NAME, AT(appliance), .required = true, .example = "glory1"},
    {"site", FIELD_NAME, AT(site), .required = true, .example = "demo"},
    {"first-uid", FIELD_NUMBER, AT(first_uid), .low = 1, .high = 4000000000, .example = "64101"},
    {NULL},
};
static const struct config_field agent_fields[] = {
    {"address", FIELD_ADDRESS, AT(agent), .required = true, .low = 161, .fallback = "0.0.0.0", .example = "127.0.0.1"},
    {NULL}};
static const struct config_field trap_fields[] = {
    {"address", FIELD_ADDRESS, AT(trap_listener), .required = true, .low = 162, .fallback = "0.0.0.0",
     .example = "127.0.0.1"},
    {"relay", FIELD_BOOL, AT(trap_relay)},
    {NULL},
};
static const struct config_field http_fields[] = {
    {"address", FIELD_ADDRESS, AT(http), .required = true, .low = 8080, .example = "127.0.0.1"}, {NULL}};
static const struct config_field https_fields[] = {
    {"address", FIELD_ADDRESS, AT(https), .required = true, .low = 8443, .example = "0.0.0.0"},
    {"certificate", FIELD_PATH, AT(https_certificate), .fallback = "/etc/glory/https.pem", .example = "/etc/glory/https.pem"},
    {"key", FIELD_NAME, AT(https_key), .fallback = "https", .example = "https"},
    {NULL},
};
static const struct config_field api_fields[] = {{"socket", FIELD_PATH, AT(api_socket), .required = true,
						  .fallback = "/run/glory/api.sock", .example = "/run/glory/api.sock"},
						 {NULL}};
static const struct config_field directory_fields[] = {
    {"data", FIELD_PATH, AT(data), .fallback = "/var/lib/glory", .example = "/var/lib/glory"},
    {"secrets", FIELD_PATH, AT(secrets), .fallback = "/etc/glory/secrets", .example = "/etc/glory/secrets"},
    {NULL},
};
static const struct config_field check_fields[] = {{"directory", FIELD_PATH, AT(checks), .required = true,
						    .fallback = "/usr/lib/nagios/plugins", .example = "/usr/lib/nagios/plugins"},
						   {NULL}};
static const struct config_field store_fields[] = {
    {"engine", FIELD_CHOICE, .offset = 0, .size = 0, .choices = engines},
    {"path", FIELD_PATH, AT(store_url), .example = "/var/lib/glory/store"},
    {NULL},
};
static const struct config_field rrd_fields[] = {
    {"path", FIELD_PATH, AT(rrd), .example = "/var/lib/glory/rrd"},
    {"limit", FIELD_SIZE, AT(rrd_limit_mib), .example = "200G"},
    {NULL},
};
static const struct config_field cluster_fields[] = {
    {"path", FIELD_PATH, AT(first_cluster), .required = true, .example = "/etc/glory/cluster.xml"}, {NULL}};
static const struct config_field log_fields[] = {
    {"target", FIELD_CHOICE, AT(log_to_syslog), .choices = targets},
    {"level", FIELD_CHOICE, AT(log_level), .choices = levels, .fallback = "info"},
    {NULL},
};
static const struct config_field lab_fields[] = {
    {"time-scale", FIELD_REAL, AT(time_scale), .required = true, .fallback = "1", .example = "1"},
    {"wall-offset", FIELD_REAL, AT(wall_offset_s), .fallback = "0", .example = "3600"},
    {NULL}};
static const struct config_field user_fields[] = {
    {"name", FIELD_NAME, OF_USER(name), .required = true, .example = "viewer"},
    {"kind", FIELD_CHOICE, OF_USER(kind), .required = true, .choices = kinds, .example = "snmp"},
    {"group", FIELD_CHOICE, OF_USER(right), .required = true, .choices = rights, .example = "glory-view"},
    {"auth", FIELD_CHOICE, OF_USER(auth), .choices = auths},
    {"priv", FIELD_CHOICE, OF_USER(priv), .choices = privs},
    {NULL},
};

const struct settings_element settings_elements[] = {
    {"", appliance_fields},       {"directories", directory_fields},
    {"snmp-agent", agent_fields}, {"trap-listener", trap_fields},
    {"http", http_fields},        {"api", api_fields},
    {"store", store_fields},      {"rrd", rrd_fields},
    {"cluster", cluster_fields},  {"log", log_fields},
    {"lab", lab_fields},          {"checks", check_fields},
    {"https", https_fields},
    {SETTINGS_USER_ELEMENT, user_fields},
};
const size_t settings_element_count = COUNT_OF(settings_elements);

static bool is_user(const struct settings_element *element)
{
	return !strcmp(element->name, SETTINGS_USER_ELEMENT);
}

void settings_default(struct settings *s)
{
	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < settings_element_count; i++)
		if (!is_user(&settings_elements[i]))
			fields_default(settings_elements[i].fields, s);
}

void settings_complete(struct settings *s)
{
	static const char scheme[] = "sqlite:";
	char path[sizeof s->store_url];

	if (strncmp(s->store_url, scheme, sizeof scheme - 1) != 0) {
		if (s->store_url[0])
			text_copy(path, sizeof path, s->store_url);
		else
			text_format(path, sizeof path, "%s/store", s->data);
		text_format(s->store_url, sizeof s->store_url, "%s%.190s/glory.db", scheme, path);
	}
	if (!s->rrd[0])
		text_format(s->rrd, sizeof s->rrd, "%.190s/rrd", s->data);
	for (uint32_t i = 0; i < s->users && i < SETTINGS_USERS; i++) {
		struct settings_user *u = &s->user[i];
		if (u->kind != SETTINGS_USER_SNMP)
			u->auth = u->priv = 0;
		else if (!u->auth)
			u->auth = u->priv = 1;
	}
}

static int check_element(const struct settings_element *element, const void *object, struct error *e)
{
	for (const struct config_field *f = element->fields; f->name; f++)
		/* the path of the store has become an address by now */
		if (f->size && f->type != FIELD_REAL && f->offset != offsetof(struct settings, store_url) &&
		    !field_valid(f, object))
			return error_set(e, ERR_CONFIG, element->name, "write it anew", "%s has a value that cannot be",
					 f->name);
	return 0;
}

static int check_users(const struct settings *s, struct error *e)
{
	char label[64];

	for (uint32_t i = 0; i < s->users; i++) {
		const struct settings_user *u = &s->user[i];
		int rc = check_element(&settings_elements[settings_element_count - 1], u, e);
		if (rc)
			return rc;
		text_format(label, sizeof label, "user %.40s", u->name);
		if (!u->name[0] || !u->kind || !u->right)
			return error_set(e, ERR_CONFIG, label, "write name, kind and group", "is not complete");
		if (u->kind == SETTINGS_USER_COMMUNITY && u->right != RIGHT_VIEW)
			return error_set(e, ERR_CONFIG, label, "write group=\"glory-view\", or make it an snmp user",
					 "a community may only read");
		if (u->kind == SETTINGS_USER_HTTPS && u->right != RIGHT_VIEW)
			return error_set(e, ERR_CONFIG, label, "write group=\"glory-view\", or make it a unix user",
					 "an https user may only read");
		for (uint32_t j = 0; j < i; j++)
			if (s->user[j].kind == u->kind && !strcmp(s->user[j].name, u->name))
				return error_set(e, ERR_CONFIG, label, "remove one of them", "is there twice");
	}
	return 0;
}

int settings_check(const struct settings *s, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i + 1 < settings_element_count; i++)
		rc = check_element(&settings_elements[i], s, e);
	if (!rc && s->users > SETTINGS_USERS)
		rc = error_set(e, ERR_CONFIG, "users", "remove some", "there are more than %d", SETTINGS_USERS);
	if (!rc && (!s->appliance[0] || !s->site[0]))
		rc = error_set(e, ERR_CONFIG, "appliance", "write <appliance name=\"glory1\" site=\"demo\" ...>",
			       "has no name or no site");
	if (!rc && !text_terminated(s->store_url, sizeof s->store_url))
		rc = error_set(e, ERR_CONFIG, "store", "shorten the path", "its path is too long");
	if (!rc && (strlen(s->data) > 160 || strlen(s->rrd) > 190 || strlen(s->store_url) > 205 ||
		    strlen(s->api_socket) > 107))
		rc = error_set(e, ERR_CONFIG, "directories", "use shorter paths (data 160 bytes, api socket 107)",
			       "a path is too long");
	if (!rc && !(s->wall_offset_s >= -86400 && s->wall_offset_s <= 86400))
		rc = error_set(e, ERR_CONFIG, "lab", "write 0", "wall-offset is not between -86400 and 86400 s");
	if (!rc && !(s->time_scale >= 0.001 && s->time_scale <= 100))
		rc = error_set(e, ERR_CONFIG, "lab", "write 1", "time-scale is not between 0.001 and 100");
	return rc ? rc : check_users(s, e);
}
