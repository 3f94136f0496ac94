/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of glory-ipvs; see run.h. */
#include "lvs/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lvs/plan.h"

#define NOTE_SIZE sizeof(((struct picture_result *)0)->note)

/* The first failure is the one that is told. */
static void fail(struct picture_result *out, const struct error *e)
{
	if (out->status)
		return;
	out->error = *e;
	out->status = e->kind ? e->kind : ERR_BUG;
}

static void note(struct picture_result *out, const char *text)
{
	size_t used = strlen(out->note);

	text_append(out->note, NOTE_SIZE, &used, "%s%s", used ? "; " : "", text);
}

/* --- virtual and real servers ------------------------------------------------------------------------------------------- */

static int read_table(struct run *run, struct lvs_ours *ours, struct kernel_table *table, struct picture_result *out)
{
	struct error e = {0};
	int r = kernel_read(run->kernel, lvs_is_ours, ours, table, &e);

	if (r)
		fail(out, &e);
	return r;
}

static void tell_failure(struct picture_result *out, const struct kernel_command *c, const struct picture_change *change)
{
	struct error e = {0};
	char object[128];

	text_format(object, sizeof object, "virtual server %s%s%s", change->virtual_name, change->real[0] ? " real " : "", change->real);
	error_set(&e, c->status == EPERM ? ERR_REFUSED : ERR_REMOTE, object, kernel_remedy(c->status), "%s: %s", picture_verb_name(change->verb),
		  c->status == ENOENT && !change->real[0] ? "the kernel has no such scheduler" : strerror(c->status));
	fail(out, &e);
}

/* Sends the plan; what did not work leaves the list of changes. */
static void apply(struct run *run, struct kernel_command *commands, struct picture_result *out)
{
	struct error e = {0};
	size_t kept = 0;

	if (kernel_write(run->kernel, commands, out->change_count, &e))
		fail(out, &e);
	for (size_t i = 0; i < out->change_count; i++) {
		if (commands[i].status)
			tell_failure(out, &commands[i], &out->changes[i]);
		else
			out->changes[kept++] = out->changes[i];
	}
	out->partial = kept > 0 && kept < out->change_count;
	out->change_count = kept;
	out->change_total = (uint32_t)kept;
}

/* What was read back against what was wanted: a difference that no command complained of is the kernel's, or somebody changes it, too. */
static void compare(const struct picture *want, const struct kernel_table *table, struct picture_result *out)
{
	struct picture_result left = {0};
	struct kernel_command *commands;
	struct error e = {0};

	lvs_plan(want, &out->have, table, &left, &commands);
	free(commands);
	if (left.change_count) {
		const struct picture_change *c = &left.changes[0];
		char object[PICTURE_NAME + 24];
		text_format(object, sizeof object, "virtual server %s", c->virtual_name);
		error_set(&e, ERR_REMOTE, object, "see who else changes it, then wait for the next run", "it reads back otherwise (%zu differences): %s %s %s",
			  left.change_count, picture_verb_name(c->verb), c->real, c->what);
		fail(out, &e);
	}
	picture_result_clear(&left);
}

static void set_servers(struct run *run, const struct picture *want, struct lvs_ours *ours, struct picture_result *out)
{
	struct kernel_command *commands = NULL;
	struct kernel_table table = {0};

	if (read_table(run, ours, &table, out))
		return;
	out->read = true;
	out->foreign = lvs_have(&table, ours, want, &out->have);
	if (!want->read_only)
		lvs_plan(want, &out->have, &table, out, &commands);
	if (!want->read_only && !want->dry_run && out->change_count) {
		apply(run, commands, out);
		kernel_table_clear(&table);
		picture_clear(&out->have);
		out->read = !read_table(run, ours, &table, out);
		if (out->read) {
			out->foreign = lvs_have(&table, ours, want, &out->have);
			compare(want, &table, out);
		}
	}
	free(commands);
	kernel_table_clear(&table);
}

/* Beside the appliance it may not be allowed (ProtectKernelTunables of its unit): the servers are as wanted all the same, and people are told. */
static void set_setting(struct run *run, const struct picture *want, struct picture_result *out)
{
	struct files_answer answer = {.status = ERR_BUG};
	char what[NOTE_SIZE];

	if (!run->ask_setting || want->read_only)
		return;
	run->ask_setting(run->arg, want->dry_run, &answer);
	text_format(what, sizeof what, "net.ipv4.vs.expire_nodest_conn is not 1: %s: %s", answer.error.text, answer.error.remedy);
	if (answer.status)
		note(out, what);
	else if (answer.changed)
		picture_result_change(out, PICTURE_CHANGE_REAL, "setting", "expire_nodest_conn", "0 > 1");
}

/* --- sync daemons --------------------------------------------------------------------------------------------------------- */

static const char *state_name(uint32_t state)
{
	return state == IP_VS_STATE_MASTER ? "master" : "backup";
}

static const struct kernel_daemon *with_state(const struct kernel_daemon *list, size_t count, uint32_t state)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].state == state)
			return &list[i];
	return NULL;
}

static void describe(const struct kernel_daemon *d, char *text, size_t size)
{
	if (d)
		text_format(text, size, "%s id %" PRIu32, d->interface, d->id);
	else
		text_copy(text, size, "off");
}

static void set_daemon(struct run *run, const struct picture *want, const struct kernel_daemon *have, const struct kernel_daemon *wanted, uint32_t state,
		       struct picture_result *out)
{
	char before[48], after[48], what[112];
	struct error e = {0};
	int r = 0;

	describe(have, before, sizeof before);
	describe(wanted, after, sizeof after);
	if (!strcmp(before, after)) {
		text_format(what, sizeof what, "sync %s %s", state_name(state), after);
		if (have)
			note(out, what);
		return;
	}
	if (!want->dry_run && have)
		r = kernel_daemon_stop(run->kernel, have, &e);
	if (!want->dry_run && wanted && !r)
		r = kernel_daemon_start(run->kernel, wanted, &e);
	if (r)
		fail(out, &e);
	else
		picture_result_change(out, PICTURE_CHANGE_REAL, "sync", state_name(state), "%s > %s", before, after);
}

static void set_sync(struct run *run, const struct picture *want, struct picture_result *out)
{
	struct kernel_daemon wanted[2], have[2];
	size_t wanted_count, have_count;
	struct error e = {0};
	bool managed;

	if (lvs_sync(want, wanted, &wanted_count, &managed, &e) || (managed && kernel_daemons(run->kernel, have, &have_count, &e))) {
		fail(out, &e);
		return;
	}
	for (uint32_t state = IP_VS_STATE_MASTER; managed && state <= IP_VS_STATE_BACKUP; state++) {
		const struct kernel_daemon *now = with_state(have, have_count, state);
		set_daemon(run, want, now, want->read_only ? now : with_state(wanted, wanted_count, state), state, out);
	}
}

/* --- VRRP ------------------------------------------------------------------------------------------------------------------- */

static void set_vrrp(struct run *run, const struct picture *want, const struct keepalived *k, struct picture_result *out)
{
	struct files_answer answer = {.status = ERR_BUG};
	struct error e = {0};
	char what[96];

	if (!run->ask_keepalived) {
		error_set(&e, ERR_REFUSED, "keepalived", "run glory-ipvs on the director for VRRP", "nobody is there to write its configuration");
		fail(out, &e);
		return;
	}
	run->ask_keepalived(run->arg, k, want->dry_run || want->read_only, &answer);
	text_format(what, sizeof what, "router %u on %s, priority %u, %" PRIu32 " addresses", k->router, k->interface, k->priority, k->count);
	if (answer.changed && !want->read_only)
		picture_result_change(out, PICTURE_CHANGE_REAL, "vrrp", "keepalived", "%s", what);
	if (answer.status)
		fail(out, &answer.error);
	else if (!answer.changed)
		note(out, "vrrp as written");
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------- */

void run_picture(struct run *run, const char *text, size_t size, struct picture_result *out)
{
	struct keepalived *k = mem_zalloc(sizeof *k);
	struct lvs_ours ours = {0};
	struct picture want;
	struct error e = {0};
	struct kernel_daemon unused[2];
	size_t count;
	bool managed;
	int vrrp = 0;

	memset(out, 0, sizeof *out);
	if (picture_from_json(text, size, &want, &e)) {
		fail(out, &e);
		free(k);
		return;
	}
	/* everything is looked at before anything is touched */
	if (lvs_prepare(&want, &e) || lvs_ours(&want, &ours, &e) || lvs_sync(&want, unused, &count, &managed, &e) ||
	    (vrrp = keepalived_from_picture(&want, k, &e)) < 0) {
		fail(out, &e);
	} else if (run->no_kernel) {
		fail(out, run->no_kernel);
	} else {
		set_servers(run, &want, &ours, out);
		set_setting(run, &want, out);
		set_sync(run, &want, out);
		if (vrrp)
			set_vrrp(run, &want, k, out);
		out->commands = run->kernel->commands;
	}
	if (!out->have.driver[0])
		text_copy(out->have.driver, sizeof out->have.driver, "ipvs");
	lvs_ours_clear(&ours);
	picture_clear(&want);
	free(k);
}
