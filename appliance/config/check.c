/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules that hold between the fields of an object and between objects, wherever an edit comes from; see cluster.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/memory.h"
#include "base/text.h"
#include "board/messages.h"
#include "config/check.h"
#include "config/expression.h"
#include "config/fields.h"

int check_refuse(const struct check *c, const char *remedy, const char *format, ...)
{
	char label[100], text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return error_set(c->e, ERR_CONFIG, config_label(c->kind, c->object, label, sizeof label), remedy, "%s", text);
}

static int check_reference(const struct check *c, const struct config_field *f)
{
	const char *name = (const char *)c->object + f->offset;
	const char *kind = config_kind_name[f->refers];
	char remedy[160];

	if (!f->refers || !*name || cluster_find(c->cluster, f->refers, name))
		return 0;
	text_format(remedy, sizeof remedy, "add a <%s name=\"%s\"> or name one that is there", kind, name);
	return check_refuse(c, remedy, "%s %s does not exist", f->name, name);
}

static int check_fields(const struct check *c)
{
	const struct config_head *head = c->object;
	char text[FIELD_TEXT_MAX], remedy[160];
	int rc = 0;

	if (!text_terminated(head->name, sizeof head->name) || !config_name_valid(c->kind, head->name))
		return error_set(c->e, ERR_CONFIG, config_kind_name[c->kind], "use letters, digits, '.', '_' and '-'",
				 "a name is none");
	for (const struct config_field *f = config_fields[c->kind]; !rc && f->name; f++) {
		bool missing = f->type == FIELD_NUMBER && f->fallback && f->low > 0 && !field_number(f, c->object);
		if (missing || !field_valid(f, c->object))
			return check_refuse(c, "write it anew", "%s has a value that cannot be", f->name);
		if (f->required && !*field_text(f, c->object, text)) {
			text_format(remedy, sizeof remedy, f->example ? "add %s=\"%s\"" : "add %s", f->name,
				    f->example);
			return check_refuse(c, remedy, "has no %s", f->name);
		}
		rc = check_reference(c, f);
	}
	return rc;
}

/* --- rules between the fields of one object ------------------------------------------------------------ */

static int check_snmp(const struct check *c)
{
	const struct config_snmp *s = c->object;

	if (s->version == 3 && !s->user[0])
		return check_refuse(c, "add user=\"glory\"", "version 3 needs a user");
	if (s->version == 3 && !s->auth)
		return check_refuse(c, "add auth=\"SHA-256\"", "version 3 without authentication is not used");
	if (s->version == 2 && (s->user[0] || s->auth || s->priv))
		return check_refuse(c, "write version=\"3\" or leave user, auth and priv out",
			      "version 2c has no user, auth or priv");
	return 0;
}

static int check_node(const struct check *c)
{
	const struct config_node *n = c->object;

	if (n->bmc.family && !n->bmc_credential[0])
		return check_refuse(c, "add bmc-credential=\"bmc\"", "has a bmc but no bmc-credential");
	if (n->maintenance_until_ms && !n->maintenance)
		return check_refuse(c, "add maintenance=\"true\"", "has a maintenance-until but no maintenance");
	if (n->switch_port && !n->switch_name[0])
		return check_refuse(c, "add switch=\"sw1\"", "has a switch-port but no switch");
	return 0;
}

int check_scope(const struct check *c, const char *scope)
{
	if (scope[0] == '@' && strcmp(scope, "@site") != 0 && !cluster_find(c->cluster, CONFIG_GROUP, scope + 1))
		return check_refuse(c, "write @site, @GROUP or a range of nodes", "scope %s names no group", scope);
	return 0;
}

static int check_expression(const struct check *c, const struct config_item *item)
{
	struct expression expression;
	struct error inner;

	if (item->oid_length || item->instances[0] || item->counter)
		return check_refuse(c, "leave the oid out, or the expression",
			      "has an expression, which needs no oid, instances or counter");
	if (item->include[0] || item->exclude[0])
		return check_refuse(c, "let the items in it choose their rows",
			      "has an expression, which has no rows of its own");
	if (expression_parse(item->expression, &expression, &inner))
		return check_refuse(c, inner.remedy, "%s", inner.text);
	return 0;
}

static int check_rows(const struct check *c, const struct config_item *item)
{
	const char *const lists[] = {item->include, item->exclude};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (lists[i][0] && !glob_list_valid(lists[i]))
			return check_refuse(c, "write patterns with commas between, such as sd*,nvme[0-9]*",
				      "%s %s is no list of patterns", i ? "exclude" : "include", lists[i]);
	if (!item->instances[0] && (item->include[0] || item->exclude[0]))
		return check_refuse(c, "add instances=\"...\", the column with the names of the rows",
			      "has a filter but no rows");
	if (!item->instances[0] && item->oid[item->oid_length - 1] != 0)
		return check_refuse(c, "add .0 for a scalar, or instances=\"...\" with the oid of a column",
			      "has an oid that does not end in .0");
	if (item->instances[0] && item->oid[item->oid_length - 1] == 0)
		return check_refuse(c, "leave .0 or the instances out", "has instances but the oid of a scalar");
	return 0;
}

static int check_item(const struct check *c)
{
	const struct config_item *item = c->object;
	int rc = 0;

	if (item->expression[0])
		rc = check_expression(c, item);
	else if (item->oid_length)
		rc = check_rows(c, item);
	else if (item->instances[0] || item->counter || item->include[0] || item->exclude[0])
		rc = check_refuse(c, "add an oid, or leave instances, counter, include and exclude out",
			    "changes a built-in item, which brings its own oid");
	if (rc)
		return rc;
	return check_scope(c, item->scope);
}

static int check_watch(const struct check *c)
{
	const struct config_watch *w = c->object;

	if ((w->process[0] && !glob_list_valid(w->process)) || (w->arguments[0] && !glob_list_valid(w->arguments)))
		return check_refuse(c, "close each [ with ]", "has a pattern that is none");
	if (w->min > w->max)
		return check_refuse(c, "let max be min or more", "min %u is more than max %u", w->min, w->max);
	return check_scope(c, w->scope);
}

static int check_check(const struct check *c)
{
	const struct config_check *k = c->object;

	if (k->timeout_s > k->interval_s && k->interval_s)
		return check_refuse(c, "let it be interval or less", "timeout %u is longer than interval %u", k->timeout_s, k->interval_s);
	return check_scope(c, k->scope);
}

static int check_notify(const struct check *c)
{
	const struct config_notify *n = c->object;
	const struct config_snmp *s = cluster_find(c->cluster, CONFIG_SNMP, n->snmp);

	if (n->kind == RECEIVER_SYSLOG)
		return s ? check_refuse(c, "leave snmp out", "syslog takes no snmp credential") : 0;
	if (!s)
		return check_refuse(c, "add snmp=\"noc\" and that credential", "has no snmp credential");
	if (n->kind == RECEIVER_TRAP_V2C && s->version != 2)
		return check_refuse(c, "name a credential of version 2c, or write kind=\"trap\"",
			      "trap-v2c with credential %s of version 3", s->head.name);
	if (n->kind == RECEIVER_TRAP_V3 && s->version != 3)
		return check_refuse(c, "name a credential of version 3, or write kind=\"trap-v2c\"",
			      "trap with credential %s of version 2c", s->head.name);
	return 0;
}

static int check_brake(const struct check *c)
{
	static const char *const names[] = {"power-on-per-second", "destructive-per-minute", "repair-percent"};
	const struct config_brake *b = c->object;
	const char *near = nearest_word(b->head.name, names, COUNT_OF(names));
	char remedy[128];

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!strcmp(names[i], b->head.name))
			return i == 2 && b->value > 100
				   ? check_refuse(c, "write at most 100", "value %u is no percentage", b->value)
				   : 0;
	text_format(remedy, sizeof remedy,
		    near ? "did you mean %s" : "use power-on-per-second, destructive-per-minute or repair-percent",
		    near);
	return check_refuse(c, remedy, "is no brake");
}

static int (*const rules[CONFIG_KIND_COUNT])(const struct check *) = {
    [CONFIG_SNMP] = check_snmp,     [CONFIG_NODE] = check_node,   [CONFIG_ITEM] = check_item,
    [CONFIG_NOTIFY] = check_notify, [CONFIG_BRAKE] = check_brake, [CONFIG_WATCH] = check_watch,
    [CONFIG_CHECK] = check_check,   [CONFIG_POOL] = check_pool,   [CONFIG_SOFTWARE] = check_software,
    [CONFIG_BALANCER] = check_balancer, [CONFIG_SERVICE] = check_service,
};

/* --- rules between nodes --------------------------------------------------------------------------------- */

struct owner {
	struct address address;
	const struct config_node *node;
};

static int compare_owners(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int c = (int)x->address.family - (int)y->address.family;

	if (!c)
		c = memcmp(x->address.bytes, y->address.bytes, sizeof x->address.bytes);
	if (!c)
		c = (int)x->address.port - (int)y->address.port;
	/* the one that comes later in the file is the one to complain about */
	return c ? c : (x->node->head.line > y->node->head.line) - (x->node->head.line < y->node->head.line);
}

static int check_unique(struct check *c, const char *what, size_t offset)
{
	size_t count = c->cluster->count[CONFIG_NODE], used = 0;
	const struct config_node *nodes = c->cluster->objects[CONFIG_NODE];
	struct owner *owners = mem_array(count, sizeof *owners);
	char text[ADDRESS_TEXT];
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		memcpy(&owners[used].address, (const char *)&nodes[i] + offset, sizeof owners[used].address);
		owners[used].node = &nodes[i];
		used += owners[used].address.family != 0;
	}
	qsort(owners, used, sizeof *owners, compare_owners);
	for (size_t i = 1; !rc && i < used; i++)
		if (address_equal(&owners[i - 1].address, &owners[i].address)) {
			c->kind = CONFIG_NODE;
			c->object = owners[i].node;
			rc = check_refuse(c, "give each node its own", "%s %s is that of node %s too", what,
				    address_text(&owners[i].address, 0, text), owners[i - 1].node->head.name);
		}
	free(owners);
	return rc;
}

static int check_own_items(const struct cluster *cluster, struct error *e)
{
	const struct config_item *items = cluster->objects[CONFIG_ITEM];
	size_t own = 0;

	for (size_t i = 0; i < cluster->count[CONFIG_ITEM]; i++)
		own += items[i].oid_length || items[i].expression[0];
	if (own <= CONFIG_ITEMS_MAX)
		return 0;
	return error_set(e, ERR_CONFIG, "cluster", "remove one that is not needed any more",
			 "has %zu items with an oid or an expression, at most %d are possible", own, CONFIG_ITEMS_MAX);
}

static int check_counts(const struct cluster *cluster, struct error *e)
{
	static const struct {
		enum config_kind kind;
		size_t most;
	} limits[] = {{CONFIG_NODE, CONFIG_NODES_MAX},
		      {CONFIG_GROUP, CONFIG_GROUPS_MAX},
		      {CONFIG_SWITCH, CONFIG_GROUPS_MAX},
		      {CONFIG_PDU, CONFIG_GROUPS_MAX},
		      {CONFIG_ITEM, 200},
		      {CONFIG_NOTIFY, 32},
		      {CONFIG_SNMP, 200},
		      {CONFIG_BMC, 200},
		      {CONFIG_BMCMODEL, 200},
		      {CONFIG_BRAKE, 32},
		      {CONFIG_WATCH, CONFIG_WATCHES_MAX},
		      {CONFIG_CHECK, CONFIG_CHECKS_MAX},
		      {CONFIG_POOL, SERVICES_MAX}, {CONFIG_SOFTWARE, SERVICES_MAX}, {CONFIG_BALANCER, SERVICES_MAX},
		      {CONFIG_SERVICE, SERVICES_MAX}};

	for (size_t i = 0; i < COUNT_OF(limits); i++)
		if (cluster->count[limits[i].kind] > limits[i].most)
			return error_set(e, ERR_CONFIG, "cluster", "split the site",
					 "has %zu of kind %s, at most %zu are possible", cluster->count[limits[i].kind],
					 config_kind_name[limits[i].kind], limits[i].most);
	return check_own_items(cluster, e);
}

int cluster_check_line(const struct cluster *cluster, struct error *e, uint32_t *line)
{
	struct check c = {.cluster = cluster, .e = e};
	int rc = check_counts(cluster, e);

	*line = 0;
	if (!rc && cluster->site[0] && !text_is_name(cluster->site, CONFIG_NAME - 1))
		rc = error_set(e, ERR_CONFIG, "cluster", "use letters, digits, '.', '_' and '-'", "site is not a name");
	for (c.kind = CONFIG_SNMP; !rc && c.kind < CONFIG_KIND_COUNT;) {
		for (size_t i = 0; !rc && i < cluster->count[c.kind]; i++) {
			c.object = (const char *)cluster->objects[c.kind] + i * config_size[c.kind];
			rc = check_fields(&c);
			if (!rc && rules[c.kind])
				rc = rules[c.kind](&c);
		}
		if (!rc)
			c.kind++;
	}
	if (!rc)
		rc = check_unique(&c, "address", offsetof(struct config_node, address));
	if (!rc)
		rc = check_unique(&c, "bmc", offsetof(struct config_node, bmc));
	if (!rc)
		rc = check_pools_apart(&c);
	if (!rc)
		rc = check_balancers_apart(&c);
	if (!rc)
		rc = check_services_apart(&c);
	if (rc && c.object)
		*line = ((const struct config_head *)c.object)->line;
	return rc;
}

int cluster_check(const struct cluster *cluster, struct error *e)
{
	uint32_t line;

	return cluster_check_line(cluster, e, &line);
}
