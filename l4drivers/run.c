/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of all drivers: check, read, plan, apply, commit, save, read back, compare; see driver.h. Called by main.c and the tests. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/driver.h"

#define ROUNDS 4 /* a lost reply leaves it open what was done: read, and make the rest */
#define REVERT_MS 4000 /* more than the deadline: what is pending must not stay for others to apply */

/* --- what is wanted, as the device would show it --------------------------------------------------------- */

static int refuse(struct error *e, const struct driver *d, const struct picture_virtual *v, const char *remedy, const char *cause)
{
	char object[128];

	text_format(object, sizeof object, "service address %s", v->name);
	return error_set(e, ERR_CONFIG, object, remedy, "%s: %s", d->family, cause);
}

static int check_members(const struct driver *d, const struct picture_virtual *v, struct error *e)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct picture_real *r = &v->reals[i];

		if (!r->address.port)
			return refuse(e, d, v, "give the member's port", "a member has no port");
		if (r->address.family != v->family)
			return refuse(e, d, v, "use addresses of one family", "a member's address is of the other family");
		if (r->connections_max && !d->can.limits)
			return refuse(e, d, v, "leave the limit out", "it has no limit of connections per member");
		if (d->can.one_port && r->address.port != v->reals[0].address.port)
			return refuse(e, d, v, "let all members serve on the same port", "members serve on several ports");
	}
	return 0;
}

static int check_virtual(const struct driver *d, const struct picture_virtual *v, const char *prefix, struct error *e)
{
	bool known = false;

	for (const struct driver_scheduler *s = d->can.schedulers; s->word; s++)
		known = known || !strcmp(s->word, *v->scheduler ? v->scheduler : "wrr");
	if (!known)
		return refuse(e, d, v, "take another scheduler: wrr is known to all", "it does not have this scheduler");
	if ((v->protocol == PICTURE_UDP && !d->can.udp) || (v->protocol == PICTURE_FWMARK && !d->can.fwmark))
		return refuse(e, d, v, "use another balancer for it", v->protocol == PICTURE_UDP ? "it balances no udp" : "it knows no firewall marks");
	if (v->family == 6 && !d->can.ipv6)
		return refuse(e, d, v, "use an IPv4 address", "it has no IPv6 here");
	if (!(d->can.forwardings & (1u << v->forwarding)))
		return refuse(e, d, v, "use nat, or another balancer", "it cannot forward so");
	if (v->persistence_s && !d->can.persistence && !d->can.persistence_fixed)
		return refuse(e, d, v, "leave persistence out, or take scheduler sh where there is one", "persistence cannot be set");
	if (v->persistence_s && v->persistence_prefix && v->persistence_prefix != (v->family == 6 ? 128 : 32))
		return refuse(e, d, v, "leave the prefix out", "clients stay by their whole address only");
	if (strlen(v->name) + strlen(prefix) > d->can.name_max)
		return refuse(e, d, v, "shorten the service's name or the option prefix", "its name is too long for the device");
	if (v->count > d->can.reals_max)
		return refuse(e, d, v, "use fewer members, or another balancer", "it has more members than the device takes");
	return check_members(d, v, e);
}

static void scale_weights(const struct driver *d, struct picture_virtual *v)
{
	uint32_t heaviest = 0;

	for (size_t i = 0; i < v->count; i++)
		heaviest = v->reals[i].weight > heaviest ? v->reals[i].weight : heaviest;
	for (size_t i = 0; i < v->count; i++) {
		struct picture_real *r = &v->reals[i];
		r->weight = d->can.weight_max ? picture_weight(r->weight, heaviest, d->can.weight_max) : r->weight ? PICTURE_WEIGHT_NOMINAL : 0;
		memset(&r->counts, 0, sizeof r->counts);
		r->failing = false;
	}
}

struct host_weight {
	const struct picture_real *real;
	uint32_t *weight;
};

static int by_host(const void *a, const void *b)
{
	const struct address *x = &((const struct host_weight *)a)->real->address, *y = &((const struct host_weight *)b)->real->address;
	int order = (int)x->family - (int)y->family;

	return order ? order : memcmp(x->bytes, y->bytes, sizeof x->bytes);
}

/* One weight a host: the greatest that is wanted, for all of its rows that are not drained. */
static void share_weights(struct picture *want)
{
	size_t count = 0, n = 0;

	for (size_t i = 0; i < want->count; i++)
		count += want->virtuals[i].count;
	struct host_weight *rows = mem_array(count + 1, sizeof *rows);
	for (size_t i = 0; i < want->count; i++)
		for (size_t r = 0; r < want->virtuals[i].count; r++)
			rows[n++] = (struct host_weight){&want->virtuals[i].reals[r], &want->virtuals[i].reals[r].weight};
	qsort(rows, n, sizeof *rows, by_host);
	for (size_t i = 0, end; i < n; i = end) {
		uint32_t greatest = 0;
		for (end = i; end < n && !by_host(&rows[i], &rows[end]); end++)
			greatest = *rows[end].weight > greatest ? *rows[end].weight : greatest;
		for (size_t k = i; k < end; k++)
			*rows[k].weight = *rows[k].weight ? greatest : 0;
	}
	free(rows);
}

unsigned driver_normalise(const struct driver *driver, const struct picture *asked, const char *prefix, struct picture *want, struct error *e)
{
	unsigned refused = 0;
	size_t kept = 0;

	picture_copy_virtuals(want, asked);
	for (size_t i = 0; i < want->count; i++) {
		struct picture_virtual *v = &want->virtuals[i];
		struct error first;

		if (check_virtual(driver, v, prefix, refused ? &first : e)) {
			refused++;
			free(v->reals);
			continue;
		}
		text_copy(v->scheduler, sizeof v->scheduler, driver_scheduler_word(driver, driver_scheduler_value(driver, v->scheduler)));
		if (v->persistence_s && driver->can.persistence_fixed)
			v->persistence_s = driver->can.persistence_fixed;
		v->persistence_prefix = 0;
		memset(&v->counts, 0, sizeof v->counts);
		scale_weights(driver, v);
		want->virtuals[kept++] = *v;
	}
	want->count = kept;
	picture_sort(want);
	if (driver->can.weight_of_host)
		share_weights(want);
	return refused;
}

/* --- one round ------------------------------------------------------------------------------------------ */

struct frame {
	const struct driver *driver;
	struct driver_run run;
	struct picture want;
	struct picture_result plan; /* of this round; its changes and foreign only */
	bool partial;
	bool must_save; /* saving failed, in this run or in one before */
};

/* What was asked for but refused stays as it is on the device; what is read is ours by the driver's own prefix. */
static bool may_go(void *arg, const struct picture_virtual *v)
{
	const struct frame *f = arg;

	return !picture_find(f->run.asked, v->name);
}

/* A device that names one thing twice: the first is taken. */
static void drop_repeats(struct picture *have)
{
	size_t kept = 0;

	for (size_t i = 0; i < have->count; i++) {
		struct picture_virtual *v = &have->virtuals[i];
		size_t reals = 0;

		if (kept && !strcmp(have->virtuals[kept - 1].name, v->name)) {
			free(v->reals);
			continue;
		}
		for (size_t r = 0; r < v->count; r++)
			if (!reals || !address_equal(&v->reals[reals - 1].address, &v->reals[r].address))
				v->reals[reals++] = v->reals[r];
		v->count = reals;
		have->virtuals[kept++] = *v;
	}
	have->count = kept;
}

/* Members are named as wanted where the device knows no names of theirs. Both lists are in the order of addresses. */
static void name_members(struct picture *have, const struct picture *want)
{
	for (size_t i = 0; i < have->count; i++) {
		struct picture_virtual *v = &have->virtuals[i];
		const struct picture_virtual *wanted = picture_find(want, v->name);

		for (size_t r = 0, w = 0; wanted && r < v->count; r++) {
			size_t at = w;
			while (at < wanted->count && !address_equal(&wanted->reals[at].address, &v->reals[r].address))
				at++;
			if (at == wanted->count)
				continue;
			w = at + 1;
			if (!v->reals[r].name[0])
				memcpy(v->reals[r].name, wanted->reals[at].name, sizeof v->reals[r].name);
		}
	}
}

static int read_device(struct frame *f, struct error *e)
{
	picture_clear(&f->run.have);
	f->run.unsaved = f->run.untidy = false;
	f->run.result->pending = false;
	f->run.result->foreign = 0;
	f->run.result->note[0] = '\0';
	int rc = f->driver->read(&f->run, e);
	f->run.result->read = !rc;
	if (rc) {
		/* half of it says nothing */
		picture_clear(&f->run.have);
		return rc;
	}
	f->run.unsaved = f->run.unsaved || f->must_save;
	picture_sort(&f->run.have);
	drop_repeats(&f->run.have);
	name_members(&f->run.have, &f->want);
	picture_result_clear(&f->plan);
	picture_diff(&f->want, &f->run.have, may_go, f, &f->plan);
	return 0;
}

static struct driver_step step_of(const struct frame *f, const struct picture_change *c)
{
	struct driver_step step = {.kind = STEP_CHANGE, .change = c};

	if (c->verb != PICTURE_REMOVE_VIRTUAL)
		step.want = picture_find(&f->want, c->virtual_name);
	if (c->verb != PICTURE_ADD_VIRTUAL)
		step.have = picture_find(&f->run.have, c->virtual_name);
	if (c->verb == PICTURE_ADD_REAL || c->verb == PICTURE_CHANGE_REAL)
		step.want_real = picture_change_real(&f->want, c);
	if (c->verb == PICTURE_REMOVE_REAL || c->verb == PICTURE_CHANGE_REAL)
		step.have_real = picture_change_real(&f->run.have, c);
	return step;
}

static int make_step(struct frame *f, enum driver_step_kind kind, struct error *e)
{
	struct driver_step step = {.kind = kind};

	return f->driver->apply(&f->run, &step, e);
}

static void record(struct picture_result *out, const struct picture_change *c)
{
	picture_result_change(out, c->verb, c->virtual_name, c->real, "%s", c->what);
	out->changes[out->change_count - 1].found = c->found;
}

static bool beyond_its_powers(const struct driver *d, const struct picture_change *c, struct error *e)
{
	bool goes = c->verb == PICTURE_REMOVE_REAL || c->verb == PICTURE_REMOVE_VIRTUAL;

	if (d->can.create || c->verb == PICTURE_CHANGE_REAL || (goes && d->can.let_out))
		return false;
	error_set(e, ERR_REFUSED, c->virtual_name, "do it on the balancer itself; weight 0 and back is all that can be set from here",
		  "%s: %s %s is not possible on this balancer", d->family, picture_verb_name((int)c->verb), c->real);
	return true;
}

/* Makes the changes of the plan one by one. What fails stops its own virtual server, what got no answer stops all. Returns the first error. */
static int make_changes(struct frame *f, struct error *e)
{
	const char *stopped = NULL;
	int rc = 0;

	for (size_t i = 0; i < f->plan.change_count; i++) {
		const struct picture_change *c = &f->plan.changes[i];
		struct driver_step step = step_of(f, c);
		struct error one = {0};

		if (stopped && f->driver->can.create && !strcmp(stopped, c->virtual_name))
			continue;
		int done = beyond_its_powers(f->driver, c, &one) ? one.kind : f->driver->apply(&f->run, &step, &one);
		if (!done) {
			record(f->run.result, c);
			continue;
		}
		stopped = c->virtual_name;
		if (!rc)
			*e = one;
		rc = rc ? rc : done;
		if (done == ERR_REMOTE || f->driver->can.commit) {
			*e = one;
			return done;
		}
	}
	return rc;
}

static int take_back(struct frame *f, struct error *e)
{
	int64_t end = f->run.deadline_ms, left = driver_left_ms(&f->run);

	if (left < REVERT_MS)
		f->run.deadline_ms = clock_mono_ms() + REVERT_MS;
	int rc = make_step(f, STEP_REVERT, e);
	f->run.result->left = rc != 0;
	f->run.deadline_ms = end;
	return rc;
}

/* Pending changes are dropped as one: nothing of this round was made then. */
static int give_up(struct frame *f, size_t before, int rc, struct error *e)
{
	struct error why;
	uint32_t made = (uint32_t)(f->run.result->change_count - before);

	if (!f->driver->can.commit) {
		f->partial = f->partial || made;
		return rc;
	}
	if (take_back(f, &why)) {
		char text[256];
		text_format(text, sizeof text, "%.120s; and taking back what is pending failed: %.100s", e->text, why.text);
		text_copy(e->text, sizeof e->text, text);
		f->partial = true;
		return rc;
	}
	f->run.result->change_count = before;
	f->run.result->change_total -= made;
	return rc;
}

static int save(struct frame *f, int rc, struct error *e)
{
	struct error why;
	int saved = make_step(f, STEP_SAVE, &why);

	f->must_save = saved != 0;
	if (!saved)
		return rc;
	f->partial = true;
	if (!rc)
		*e = why;
	return rc ? rc : saved;
}

static int make_plan(struct frame *f, struct error *e)
{
	size_t before = f->run.result->change_count;
	bool tidy = f->run.untidy;
	int rc = f->plan.change_count || tidy ? make_step(f, STEP_BEGIN, e) : 0;

	if (rc)
		return rc;
	rc = make_changes(f, e);
	if (!rc && tidy)
		rc = make_step(f, STEP_TIDY, e);
	bool made = tidy || f->run.result->change_count > before;
	if (f->driver->can.commit && (rc || (made && (rc = make_step(f, STEP_COMMIT, e)) != 0)))
		return give_up(f, before, rc, e);
	if (rc)
		f->partial = f->partial || f->run.result->change_count > before;
	/* an error of one virtual server is no reason to lose the others at a restart */
	if (rc != ERR_REMOTE && f->driver->can.save && (made || f->run.unsaved))
		rc = save(f, rc, e);
	return rc;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static bool in_step(const struct frame *f)
{
	return !f->plan.change_count && !f->run.untidy && !(f->driver->can.save && f->run.unsaved);
}

static int differs(struct frame *f, struct error *e)
{
	const struct picture_change *c = f->plan.changes;

	if (!f->plan.change_count)
		return error_set(e, ERR_NOT_NOW, f->run.object, "look at its rows with our prefix", "rows that belong to nothing, or what is not saved, stay");
	return error_set(e, ERR_NOT_NOW, f->run.object, "see what else changes the balancer",
			 "it reads back different after all was written: %zu differences, first %s %s %s %.60s", f->plan.change_count,
			 picture_verb_name((int)c->verb), c->virtual_name, c->real, c->what);
}

static int converge(struct frame *f, struct error *e)
{
	int rc = read_device(f, e);

	for (int round = 1; !rc && !in_step(f); round++) {
		struct error made_error;
		int made = make_plan(f, &made_error);

		rc = read_device(f, e);
		/* where only a reply was lost, the change was not */
		if (made == ERR_REMOTE && !rc && (in_step(f) || (round < ROUNDS && driver_left_ms(&f->run) > 0)))
			continue;
		if (made) {
			*e = made_error;
			return made;
		}
		/* what was hidden by another's change, or changed meanwhile, is made once more */
		if (!rc && !in_step(f) && round > 1)
			return differs(f, e);
	}
	return rc;
}

static int look_only(struct frame *f, struct error *e)
{
	int rc = read_device(f, e);

	for (size_t i = 0; !rc && i < f->plan.change_count; i++)
		record(f->run.result, &f->plan.changes[i]);
	return rc;
}

static int check_options(const struct driver *d, const struct picture *asked, const char *object, struct error *e)
{
	static const char *const common[] = {"deadline", "prefix", "save", "unsaved", NULL};

	for (size_t i = 0; i < asked->option_count; i++) {
		bool known = false;
		for (const char *const *o = common; *o; o++)
			known = known || !strcmp(*o, asked->options[i].name);
		for (const char *const *o = d->options; *o; o++)
			known = known || !strcmp(*o, asked->options[i].name);
		if (!known)
			return error_set(e, ERR_CONFIG, object, "see glory-l4(8) for the options of the family", "%s has no option %s", d->family,
					 asked->options[i].name);
	}
	if (*asked->driver && strcmp(asked->driver, d->family) != 0)
		return error_set(e, ERR_CONFIG, object, "start glory-l4 with the picture's family", "the picture is for %s, not for %s",
				 asked->driver, d->family);
	const char *prefix = picture_option(asked, "prefix", d->prefix);
	if (*d->prefix && !text_is_name(prefix, 16))
		return error_set(e, ERR_CONFIG, object, "use letters, digits, . - and _", "option prefix: %s is no beginning of a name", prefix);
	return 0;
}

static int drive(struct frame *f, struct error *e)
{
	struct error refused = {0}, *first = &refused;
	unsigned left_out;
	int rc = check_options(f->driver, f->run.asked, f->run.object, e);

	if (rc)
		return rc;
	left_out = driver_normalise(f->driver, f->run.asked, picture_option(f->run.asked, "prefix", f->driver->prefix), &f->want, first);
	rc = f->driver->open(&f->run, e);
	if (!rc)
		rc = f->run.asked->dry_run || f->run.asked->read_only ? look_only(f, e) : converge(f, e);
	f->driver->close(&f->run);
	if (!rc && left_out) {
		*e = refused;
		rc = refused.kind;
		f->partial = f->partial || f->run.result->change_count;
	}
	return rc;
}

static bool can_be_told(const struct picture *p, size_t at)
{
	const struct picture_virtual *v = &p->virtuals[at];

	if (!text_is_name(v->name, PICTURE_NAME - 1) || (v->protocol != PICTURE_FWMARK && (!v->address.family || !v->address.port)))
		return false;
	for (size_t i = 0; i < at; i++)
		if (picture_same_endpoint(&p->virtuals[i], v))
			return false;
	return true;
}

static void drop_repeated_names(struct picture_virtual *v)
{
	for (size_t i = 0; i < v->count; i++)
		for (size_t k = 0; v->reals[i].name[0] && k < i; k++)
			if (!strcmp(v->reals[i].name, v->reals[k].name))
				v->reals[i].name[0] = '\0';
}

/* What is told is a picture by its own rules, whatever a device shows: without an endpoint, or with that of another, it is left out. */
static void tell_picture(struct picture *out, const struct picture *have, const char *family)
{
	size_t kept = 0;

	picture_copy_virtuals(out, have);
	text_copy(out->driver, sizeof out->driver, family);
	for (size_t i = 0; i < out->count; i++) {
		struct picture_virtual v = out->virtuals[i];
		out->virtuals[kept] = v;
		if (!can_be_told(out, kept)) {
			free(v.reals);
			continue;
		}
		drop_repeated_names(&out->virtuals[kept++]);
	}
	out->count = kept;
}

int driver_run(const struct driver *driver, const struct picture *asked, int64_t deadline_ms, struct picture_result *out)
{
	struct frame f = {.driver = driver};
	char address[ADDRESS_TEXT];

	memset(out, 0, sizeof *out);
	f.run.asked = asked;
	f.run.want = &f.want;
	f.run.result = out;
	f.run.deadline_ms = deadline_ms;
	f.must_save = driver->can.save && *picture_option(asked, "unsaved", "");
	text_format(f.run.object, sizeof f.run.object, "%s %s", driver->family,
		    asked->target.family ? address_text(&asked->target, 0, address) : "here");
	out->status = drive(&f, &out->error);
	out->partial = f.partial && out->status;
	out->unsaved = f.must_save;
	out->foreign += f.plan.foreign;
	tell_picture(&out->have, &f.run.have, driver->family);
	picture_clear(&f.run.have);
	picture_clear(&f.want);
	picture_result_clear(&f.plan);
	return out->status;
}
