/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alteon switches (Alteon WebSystems, Nortel, Radware) by ALTEON-CHEETAH-LAYER4-MIB and -SWITCH-MIB: changes gather in one pending
 * configuration which all who manage the switch share, are applied as one, then saved. One virtual server row for each address, one of its
 * eight services and one group for each virtual server of the picture, one real server row for each member. Ours is told by the prefix of
 * the names; the picture's names come from the endpoints. The steps stand here, the tables and their reading in alteon_read.c. */
#include "l4drivers/alteon.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* agApplyConfig, agSaveConfig */
enum { ACTION_DO = 1, ACTION_IDLE = 2, ACTION_IN_PROGRESS = 3, ACTION_COMPLETE = 4, ACTION_FAILED = 5 };
enum { PENDING_NEEDED = 2 };
enum { REVERT_DO = 2 };
enum { DELETE_DO = 2 };
enum { OPER_ENABLE = 1, OPER_DISABLE = 2 };
enum { HEALTH_TCP = 2 };
#define POLL_MS 100
#define SENDS 3

static int get_number(struct alteon *a, const struct snmp_object *o, int64_t *out, struct error *e)
{
	struct snmp_value v;
	struct snmp_index scalar = snmp_index(1, 0);
	int rc = switch_get(a->snmp, o, &scalar, &v, e);

	if (!rc)
		*out = v.number;
	return rc;
}

static int set_scalar(struct alteon *a, const struct snmp_object *o, uint32_t number, struct error *e)
{
	struct snmp_write w = {.object = o, .index = snmp_index(1, 0), .type = 'i', .number = number};

	return switch_set(a->snmp, &w, 1, e);
}

/* --- opening -------------------------------------------------------------------------------------------- */

static int first_row(void *arg, const struct snmp_value *v)
{
	(void)v;
	*(bool *)arg = true;
	return ERR_EXISTS; /* one is enough */
}

/* Newer software has the real servers in a table with a text for index, and its columns are shifted. */
static int detect(struct alteon *a, struct error *e)
{
	bool enhanced = false;
	struct error ignored;
	int rc = switch_walk(a->snmp, &alteon_enhanced_reals[REAL_ADDRESS], first_row, &enhanced, &ignored);

	if (rc && !enhanced) {
		*e = ignored;
		return rc;
	}
	a->enhanced = enhanced || !strcmp(driver_option(a->run, "tables", ""), "enhanced");
	a->reals_of = a->enhanced ? alteon_enhanced_reals : alteon_plain_reals;
	return 0;
}

/* A run before could not take back its changes: who tells us so says that what is pending is ours. */
static bool left_by_us(const struct driver_run *run)
{
	return !strcmp(driver_option(run, "pending", "refuse"), "ours");
}

static int alteon_open(struct driver_run *run, struct error *e)
{
	struct alteon *a = mem_zalloc(sizeof *a);
	const char *numbers = driver_option(run, "numbers", "1-1023"), *dash = strchr(numbers, '-');
	char low[16] = "";

	run->state = a;
	a->run = run;
	a->prefix = driver_prefix(run, &driver_alteon);
	a->pending_ours = run->result->left = left_by_us(run);
	if (!dash || (size_t)(dash - numbers) >= sizeof low)
		return error_set(e, ERR_CONFIG, run->object, "write it as 100-299", "option numbers: %s is no range", numbers);
	memcpy(low, numbers, (size_t)(dash - numbers));
	if (!text_integer(low, 1, ALTEON_NUMBERS, &a->low) || !text_integer(dash + 1, a->low, ALTEON_NUMBERS, &a->high))
		return error_set(e, ERR_CONFIG, run->object, "write it as 100-299", "option numbers: %s is no range within 1-4095", numbers);
	int rc = switch_open(run, &a->snmp, e);
	return rc ? rc : detect(a, e);
}

static void alteon_close(struct driver_run *run)
{
	struct alteon *a = run->state;

	if (!a)
		return;
	alteon_forget(a);
	switch_close(a->snmp);
	free(a);
	run->state = NULL;
}

/* --- the transaction ------------------------------------------------------------------------------------ */

static int apply_errors(void *arg, const struct snmp_value *v)
{
	char *text = arg, line[96];
	size_t used = strlen(text);

	snmp_value_text(v, line, sizeof line);
	text_append(text, ALTEON_WHY, &used, "%s%s", used ? "; " : "", line);
	return 0;
}

/* Starts apply or save and waits for its end. A lost reply makes no difference: the state tells, and what was not heard is said again. */
static int act(struct alteon *a, const struct snmp_object *o, int64_t *state, struct error *e)
{
	int rc = get_number(a, o, state, e);

	if (!rc && (*state == ACTION_COMPLETE || *state == ACTION_FAILED)) {
		rc = set_scalar(a, o, ACTION_IDLE, e);
		rc = rc == ERR_REMOTE ? 0 : rc;
	}
	for (int sends = 0; !rc;) {
		rc = get_number(a, o, state, e);
		if (rc || (sends && (*state == ACTION_COMPLETE || *state == ACTION_FAILED)))
			break;
		if (*state != ACTION_IN_PROGRESS) {
			if (sends++ == SENDS)
				return error_set(e, ERR_REMOTE, a->run->object, "try it by hand on the switch", "%s is not begun", o->name);
			rc = set_scalar(a, o, ACTION_DO, e);
			rc = rc == ERR_REMOTE ? 0 : rc;
			driver_pause(a->run, POLL_MS / 2);
			continue;
		}
		if (!driver_left_ms(a->run))
			return driver_late(a->run, e, o->name);
		driver_pause(a->run, POLL_MS);
	}
	return rc;
}

/* Frees the switch's buffer of messages; what comes of it changes nothing. */
static void set_idle(struct alteon *a, const struct snmp_object *o)
{
	struct error ignored;

	(void)set_scalar(a, o, ACTION_IDLE, &ignored);
}

static int commit(struct alteon *a, struct error *e)
{
	int64_t state = 0;
	char why[ALTEON_WHY] = "";
	struct error ignored;
	int rc = act(a, &alteon_objects[AG_APPLY], &state, e);

	if (rc)
		return rc;
	if (state == ACTION_FAILED) {
		(void)switch_walk(a->snmp, &alteon_objects[AG_APPLY_TEXT], apply_errors, why, &ignored);
		set_idle(a, &alteon_objects[AG_APPLY]);
		return error_set(e, ERR_REFUSED, a->run->object, "correct it on the switch, or the service", "apply failed: %s",
				 *why ? why : "the switch gives no reason");
	}
	set_idle(a, &alteon_objects[AG_APPLY]);
	a->pending_ours = false;
	a->run->unsaved = true;
	return 0;
}

static int save(struct alteon *a, struct error *e)
{
	int64_t state = 0;

	if (strcmp(driver_option(a->run, "save", "yes"), "yes") != 0)
		return 0;
	int rc = act(a, &alteon_objects[AG_SAVE], &state, e);
	if (rc)
		return rc;
	/* a failed state stays: the next run sees by it that there is something to save */
	if (state == ACTION_FAILED)
		return error_set(e, ERR_REFUSED, a->run->object, "save it on the switch by hand, see its flash", "applied, but saving failed");
	set_idle(a, &alteon_objects[AG_SAVE]);
	set_idle(a, &alteon_objects[AG_APPLY]);
	a->run->unsaved = false;
	return 0;
}

static int revert(struct alteon *a, struct error *e)
{
	int64_t pending = 0;
	int rc = set_scalar(a, &alteon_objects[AG_REVERT], REVERT_DO, e);

	if (rc == ERR_REMOTE)
		rc = get_number(a, &alteon_objects[AG_PENDING], &pending, e);
	if (!rc && pending == PENDING_NEEDED)
		rc = set_scalar(a, &alteon_objects[AG_REVERT], REVERT_DO, e);
	if (!rc)
		a->pending_ours = false;
	return rc;
}

static bool may_revert(const struct alteon *a)
{
	const struct picture *p = a->run->asked;

	return !p->dry_run && !p->read_only && (a->pending_ours || !strcmp(driver_option(a->run, "pending", "refuse"), "revert"));
}

/* What is read is the pending configuration, so what is to be dropped is dropped before. */
static int clear_pending(struct alteon *a, struct error *e)
{
	int64_t pending = 0;
	int rc = get_number(a, &alteon_objects[AG_PENDING], &pending, e);

	if (!rc && pending == PENDING_NEEDED && may_revert(a))
		rc = revert(a, e);
	if (!rc)
		a->run->result->left = false;
	return rc;
}

static int alteon_read(struct driver_run *run, struct error *e)
{
	struct alteon *a = run->state;
	int64_t apply, save = 0;
	int rc = clear_pending(a, e);

	if (!rc)
		rc = alteon_read_tables(a, e);
	if (!rc)
		rc = get_number(a, &alteon_objects[AG_APPLY], &apply, e);
	if (!rc && !strcmp(driver_option(run, "save", "yes"), "yes")) {
		rc = get_number(a, &alteon_objects[AG_SAVE], &save, e);
		/* a run that was cut off between apply and save, or whose save failed, left these */
		run->unsaved = apply == ACTION_COMPLETE || save == ACTION_FAILED;
	}
	return rc;
}

static int begin(struct alteon *a, struct error *e)
{
	int64_t pending = 0;
	int rc = get_number(a, &alteon_objects[AG_PENDING], &pending, e);

	if (!rc && pending == PENDING_NEEDED)
		return error_set(e, ERR_BUSY, a->run->object, "apply or revert them on the switch, or set the option pending=revert",
				 "changes of somebody else are pending on it");
	a->pending_ours = !rc;
	return rc;
}

/* --- changes -------------------------------------------------------------------------------------------- */

static struct snmp_index real_index(const struct alteon *a, uint32_t number)
{
	char text[16];

	if (!a->enhanced)
		return snmp_index(1, number);
	struct snmp_index index = {.length = 0};
	text_format(text, sizeof text, "%u", number);
	snmp_index_add_text(&index, text);
	return index;
}

static const char *our_name(const struct alteon *a, const char *name, char out[ALTEON_NAME])
{
	text_format(out, ALTEON_NAME, "%s%s", a->prefix, name);
	return out;
}

static int set_number(struct alteon *a, const struct snmp_object *o, struct snmp_index index, uint32_t number, struct error *e)
{
	struct snmp_write w = {.object = o, .index = index, .type = 'i', .number = number};

	return switch_set(a->snmp, &w, 1, e);
}

/* At once and besides the pending configuration: an apply takes seconds, a dead member should not get connections meanwhile. Where the
 * switch has no such object the apply does it. */
static void oper(struct alteon *a, uint32_t group, uint32_t real, bool enable)
{
	struct error ignored;

	(void)set_number(a, &alteon_objects[OPER_GROUP_REAL], snmp_index(2, group, real), enable ? OPER_ENABLE : OPER_DISABLE, &ignored);
}

static int add_real(struct alteon *a, struct alteon_service *s, const struct picture_real *r, struct error *e)
{
	char name[ALTEON_NAME];
	uint32_t number = alteon_real_for(a, &r->address);

	if (!number)
		return error_set(e, ERR_NO_RESOURCE, a->run->object, "widen the option numbers", "no real server number is free");
	if (s->real_port != r->address.port) {
		int rc = set_number(a, &alteon_objects[SERVICE_REAL_PORT], snmp_index(2, s->virtual_number, s->number), r->address.port, e);
		if (rc)
			return rc;
		s->real_port = r->address.port;
	}
	struct snmp_write w[] = {
	    {.object = &a->reals_of[REAL_ADDRESS], .index = real_index(a, number), .type = 'a', .address = r->address},
	    {.object = &a->reals_of[REAL_WEIGHT], .index = real_index(a, number), .type = 'i', .number = r->weight ? r->weight : 1},
	    {.object = &a->reals_of[REAL_STATE], .index = real_index(a, number), .type = 'i', .number = r->weight ? STATE_ENABLED : STATE_DISABLED},
	    {.object = &a->reals_of[REAL_NAME], .index = real_index(a, number), .type = 's', .text = our_name(a, r->name, name)}};
	int rc = switch_set(a->snmp, w, COUNT_OF(w), e);
	if (!rc)
		rc = set_number(a, &alteon_objects[GROUP_ADD], snmp_index(1, s->group), number, e);
	/* an earlier holder of the number may have been let out */
	if (!rc && a->reals[number].off && r->weight)
		oper(a, s->group, number, true);
	if (!rc)
		alteon_real_take(a, number, &r->address, s->group);
	return rc;
}

static int change_real(struct alteon *a, const struct alteon_service *s, const struct picture_real *want, struct error *e)
{
	struct alteon_real *r = alteon_real_of(a, s->group, &want->address);

	if (!r)
		return error_set(e, ERR_NOT_FOUND, a->run->object, "try again", "a real server is gone meanwhile");
	struct snmp_write w[] = {
	    {.object = &a->reals_of[REAL_STATE], .index = real_index(a, r->number), .type = 'i', .number = want->weight ? STATE_ENABLED : STATE_DISABLED},
	    {.object = &a->reals_of[REAL_WEIGHT], .index = real_index(a, r->number), .type = 'i', .number = want->weight}};
	oper(a, s->group, r->number, want->weight > 0);
	return switch_set(a->snmp, w, want->weight ? 2 : 1, e);
}

static int drop_real(struct alteon *a, const struct alteon_service *s, struct alteon_real *r, struct error *e)
{
	int rc = set_number(a, &alteon_objects[GROUP_REMOVE], snmp_index(1, s->group), r->number, e);

	/* one that somebody else has put into our group is his */
	if (!rc && r->ours)
		rc = set_number(a, &a->reals_of[REAL_DELETE], real_index(a, r->number), DELETE_DO, e);
	if (!rc)
		alteon_real_drop(r);
	return rc;
}

static int add_service(struct alteon *a, const struct picture_virtual *v, uint32_t virtual_number, uint32_t group, struct error *e)
{
	uint32_t number = alteon_free_service(a, virtual_number);
	uint32_t port = v->count ? v->reals[0].address.port : v->address.port;
	struct snmp_index at = snmp_index(2, virtual_number, number);
	struct snmp_write w[] = {{.object = &alteon_objects[SERVICE_PORT], .index = at, .type = 'i', .number = v->address.port},
				 {.object = &alteon_objects[SERVICE_GROUP], .index = at, .type = 'i', .number = group},
				 {.object = &alteon_objects[SERVICE_REAL_PORT], .index = at, .type = 'i', .number = port}};

	if (!number)
		return error_set(e, ERR_NO_RESOURCE, a->run->object, "use another address for one of them", "a virtual server takes eight services");
	int rc = switch_set(a->snmp, w, COUNT_OF(w), e);
	if (!rc)
		alteon_service_take(a, virtual_number, number, group, v, port);
	return rc;
}

static int add_virtual(struct alteon *a, const struct picture_virtual *v, struct error *e)
{
	char name[ALTEON_NAME], host[ADDRESS_TEXT];
	struct address address = v->address;
	struct alteon_virtual *row = alteon_virtual_at(a, &v->address);
	uint32_t group = alteon_free_group(a), number = row ? row->number : alteon_free_virtual(a);
	int rc = 0;

	address.port = 0;
	if (row && !row->ours)
		return error_set(e, ERR_EXISTS, a->run->object, "remove it there, or use another address", "%s is virtual server %u of somebody else",
				 address_text(&address, 0, host), row->number);
	if (!group || !number)
		return error_set(e, ERR_NO_RESOURCE, a->run->object, "widen the option numbers", "no group or virtual server number is free");
	struct snmp_write virtual_row[] = {
	    {.object = &alteon_objects[VIRTUAL_ADDRESS], .index = snmp_index(1, number), .type = 'a', .address = v->address},
	    {.object = &alteon_objects[VIRTUAL_STATE], .index = snmp_index(1, number), .type = 'i', .number = STATE_ENABLED},
	    {.object = &alteon_objects[VIRTUAL_NAME], .index = snmp_index(1, number), .type = 's', .text = our_name(a, address_text(&address, 0, host), name)}};
	if (!row) {
		rc = switch_set(a->snmp, virtual_row, COUNT_OF(virtual_row), e);
		if (!rc)
			alteon_virtual_take(a, number, &v->address);
	}
	struct snmp_write group_row[] = {
	    {.object = &alteon_objects[GROUP_METRIC], .index = snmp_index(1, group), .type = 'i', .number = (uint32_t)driver_scheduler_value(&driver_alteon, v->scheduler)},
	    {.object = &alteon_objects[GROUP_HEALTH], .index = snmp_index(1, group), .type = 'i', .number = HEALTH_TCP},
	    {.object = &alteon_objects[GROUP_NAME], .index = snmp_index(1, group), .type = 's', .text = our_name(a, v->name, name)}};
	if (!rc)
		rc = switch_set(a->snmp, group_row, COUNT_OF(group_row), e);
	if (!rc)
		alteon_group_take(a, group);
	return rc ? rc : add_service(a, v, number, group, e);
}

static int remove_virtual(struct alteon *a, struct alteon_service *s, struct error *e)
{
	struct alteon_real *r;
	uint32_t number = s->virtual_number;
	int rc = set_number(a, &alteon_objects[SERVICE_DELETE], snmp_index(2, number, s->number), DELETE_DO, e);

	while (!rc && (r = alteon_real_of(a, s->group, NULL)) != NULL)
		rc = drop_real(a, s, r, e);
	if (!rc)
		rc = set_number(a, &alteon_objects[GROUP_DELETE], snmp_index(1, s->group), DELETE_DO, e);
	if (!rc)
		alteon_service_drop(a, s);
	if (!rc && !alteon_has_services(a, number)) {
		rc = set_number(a, &alteon_objects[VIRTUAL_DELETE], snmp_index(1, number), DELETE_DO, e);
		if (!rc)
			alteon_virtual_drop(a, number);
	}
	return rc;
}

static int change_virtual(struct alteon *a, const struct alteon_service *s, const struct picture_virtual *v, struct error *e)
{
	/* a virtual server that was disabled by hand reads back with another scheduler, so both are set */
	int rc = set_number(a, &alteon_objects[VIRTUAL_STATE], snmp_index(1, s->virtual_number), STATE_ENABLED, e);

	return rc ? rc : set_number(a, &alteon_objects[GROUP_METRIC], snmp_index(1, s->group), (uint32_t)driver_scheduler_value(&driver_alteon, v->scheduler), e);
}

/* Rows with our names that no service leads to: a person removed half of what we made. */
static int tidy(struct alteon *a, struct error *e)
{
	int rc = 0;

	for (uint32_t n = 1; !rc && n <= ALTEON_NUMBERS; n++) {
		if (alteon_real_unused(a, n)) {
			rc = set_number(a, &a->reals_of[REAL_DELETE], real_index(a, n), DELETE_DO, e);
			if (!rc)
				alteon_real_drop(&a->reals[n]);
		}
		if (!rc && alteon_group_unused(a, n))
			rc = set_number(a, &alteon_objects[GROUP_DELETE], snmp_index(1, n), DELETE_DO, e);
		if (!rc && a->virtuals[n].used && a->virtuals[n].ours && !alteon_has_services(a, n))
			rc = set_number(a, &alteon_objects[VIRTUAL_DELETE], snmp_index(1, n), DELETE_DO, e);
	}
	return rc;
}

static int change(struct alteon *a, const struct driver_step *step, struct error *e)
{
	const struct picture_virtual *v = step->want ? step->want : step->have;
	struct alteon_service *s = v ? alteon_service_at(a, &v->address) : NULL;

	if (step->change->verb == PICTURE_ADD_VIRTUAL)
		return add_virtual(a, step->want, e);
	if (!s)
		return error_set(e, ERR_NOT_FOUND, a->run->object, "try again", "virtual server %s is gone meanwhile", step->change->virtual_name);
	switch (step->change->verb) {
	case PICTURE_CHANGE_VIRTUAL:
		return change_virtual(a, s, step->want, e);
	case PICTURE_REMOVE_VIRTUAL:
		return remove_virtual(a, s, e);
	case PICTURE_ADD_REAL:
		return add_real(a, s, step->want_real, e);
	case PICTURE_CHANGE_REAL:
		return change_real(a, s, step->want_real, e);
	default:
		break;
	}
	struct alteon_real *r = step->have_real ? alteon_real_of(a, s->group, &step->have_real->address) : NULL;
	return r ? drop_real(a, s, r, e) : 0;
}

static int alteon_apply(struct driver_run *run, const struct driver_step *step, struct error *e)
{
	struct alteon *a = run->state;

	switch (step->kind) {
	case STEP_BEGIN:
		return begin(a, e);
	case STEP_CHANGE:
		return change(a, step, e);
	case STEP_TIDY:
		return tidy(a, e);
	case STEP_COMMIT:
		return commit(a, e);
	case STEP_SAVE:
		return save(a, e);
	default:
		return revert(a, e);
	}
}

/* weights are honoured by round robin and least connections alike */
static const struct driver_scheduler schedulers[] = {{"wrr", 1, NULL}, {"rr", 1, NULL}, {"wlc", 2, NULL}, {"lc", 2, NULL}, {"sh", 4, NULL}, {NULL, 0, NULL}};
static const char *const options[] = {"timeout_ms", "numbers", "pending", "tables", NULL};

const struct driver driver_alteon = {
    .family = "alteon",
    .can = {.weight_max = 48,
	    .create = true,
	    .commit = true,
	    .save = true,
	    .statistics = true,
	    .one_port = true,
	    .forwardings = 1u << FORWARD_NAT,
	    .name_max = PICTURE_NAME + 16,
	    .reals_max = 1023,
	    .schedulers = schedulers},
    .options = options,
    .prefix = "glory-",
    .open = alteon_open,
    .read = alteon_read,
    .apply = alteon_apply,
    .close = alteon_close,
};
