/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge on domains and on itself: switches, racks, groups, the site; suspension, bad input. */
#include "tests/unit/judge_bench.h"

/* --- domains -------------------------------------------------------------------------------------------- */

static const struct judge_domain *domain_said_last(uint32_t id)
{
	for (unsigned i = b.ndomains; i-- > 0;)
		if (b.domains[i].id == id)
			return &b.domains[i];
	return NULL;
}

static unsigned roots(void)
{
	struct judge_domain d;
	unsigned n = 0;

	for (uint32_t i = 0; i < 4; i++)
		n += judge_domain_view(b.judge, i, &d) && d.is_root && d.certainty >= CERTAINTY_CALLED;
	return n;
}

static unsigned single_calls(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b.nsaid; i++)
		n += verdict_is_dead(b.said[i].verdict) && !b.said[i].held;
	return n;
}

/* a group of 8 goes dark: flags over a second, then silence; held once the judge has said so */
static int64_t group_dies(uint32_t from, uint32_t count)
{
	int64_t dark = b.now;

	run(1000);
	for (uint32_t i = 0; i < count; i++) {
		flag(from + i, dark + (int64_t)i * (1000 / count));
		run(600 / count);
	}
	for (uint32_t i = 0; i < count; i++) {
		dead(from + i, dark + (int64_t)i * (1000 / count), b.holds[from < 8 ? GROUP_A : GROUP_B] ? WITNESS_HELD : 0);
		run(10);
	}
	return dark;
}

static void test_switch_dead(void)
{
	start(true, true, 1);
	all_up();
	b.reference[GROUP_B] = false;
	int64_t dark = group_dies(8, 8);
	CU_ASSERT_EQUAL(b.holds[GROUP_B], 1);
	run(1200);
	CU_ASSERT_EQUAL(single_calls(), 0);
	CU_ASSERT_EQUAL(roots(), 1);
	const struct judge_domain *d = domain_said_last(GROUP_B);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_PATH && d->certainty == CERTAINTY_CAUSE);
	CU_ASSERT_STRING_EQUAL(d->cause, "reference silent");
	CU_ASSERT_EQUAL(d->held, 8);
	CU_ASSERT(b.now - dark <= 5000);
	CU_ASSERT_EQUAL(row(9).verdict, VERDICT_GROUP_PATH_LOST);
	CU_ASSERT_EQUAL(row(9).root, GROUP_B);
	CU_ASSERT(row(9).held);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	/* return: all up, root cleared, nobody called on the way */
	for (uint32_t i = 8; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(2900);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 0);
	run(300);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 1);
	CU_ASSERT_EQUAL(roots(), 0);
	CU_ASSERT_EQUAL(single_calls(), 0);
	CU_ASSERT_EQUAL(row(9).verdict, VERDICT_UP);
	stop();
}

static void test_switch_flaps(void)
{
	start(true, true, 1);
	all_up();
	b.reference[GROUP_B] = false;
	int64_t dark = b.now;
	run(1000);
	for (uint32_t i = 8; i < 16; i++)
		flag(i, dark + (i - 8) * 120);
	run(400);
	b.reference[GROUP_B] = true;
	for (uint32_t i = 8; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(5000);
	CU_ASSERT_EQUAL(b.holds[GROUP_B], 1);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 1);
	CU_ASSERT_EQUAL(single_calls(), 0);
	for (unsigned i = 0; i < b.ndomains; i++)
		CU_ASSERT(!b.domains[i].is_root);
	stop();
}

static void test_group_hangs(void)
{
	start(true, true, 1);
	all_up();
	group_dies(8, 8);
	run(4000);
	const struct judge_domain *d = domain_said_last(GROUP_B);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_EQUAL(d->state, DOMAIN_STATE_HANG);
	CU_ASSERT_EQUAL(single_calls(), 0);
	CU_ASSERT_EQUAL(roots(), 1);
	for (uint32_t i = 8; i < 16; i++) {
		CU_ASSERT_EQUAL(row(i).verdict, VERDICT_OS_HUNG);
		CU_ASSERT(row(i).held && row(i).root == GROUP_B);
	}
	stop();
}

/* L21: four of a group, all in one rack: the rack is the root */
static void test_rack_power(void)
{
	for (int silent = 0; silent < 2; silent++) {
		start(true, true, 0);
		all_up();
		for (uint32_t i = 0; i < 4; i++) {
			b.bmc[i] = silent ? BMC_SILENT : BMC_OFF;
			b.port[i] = PORT_DOWN;
		}
		int64_t dark = group_dies(0, 4);
		CU_ASSERT_EQUAL(b.holds[RACK], 1);
		CU_ASSERT_EQUAL(b.holds[GROUP_A], 0);
		run(5000 - (b.now - dark));
		const struct judge_domain *d = domain_said_last(RACK);
		CU_ASSERT_PTR_NOT_NULL_FATAL(d);
		CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_POWER);
		CU_ASSERT_EQUAL(d->held, 4);
		CU_ASSERT_EQUAL(roots(), 1);
		CU_ASSERT_EQUAL(single_calls(), 0);
		CU_ASSERT_EQUAL(row(2).verdict, silent ? VERDICT_POWER_LOST : VERDICT_POWERED_OFF);
		CU_ASSERT(row(2).held);
		stop();
	}
}

static void test_two_deaths_are_two(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	flag(0, first);
	flag(5, first);
	run(1200);
	dead(0, first, 0);
	dead(5, first, 0);
	run(3000);
	CU_ASSERT_EQUAL(b.holds[GROUP_A] + b.holds[SITE] + b.holds[RACK], 0);
	CU_ASSERT(row(0).verdict == VERDICT_OS_HUNG && !row(0).held);
	CU_ASSERT(row(5).verdict == VERDICT_OS_HUNG && !row(5).held);
	CU_ASSERT_EQUAL(roots(), 0);
	stop();
}

static void test_common_onset(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	flag(1, first);
	flag(5, first + 50);
	flag(6, first + 90);
	run(1300);
	dead(1, first, 0);
	dead(5, first + 50, 0);
	dead(6, first + 90, 0);
	run(200);
	const struct judge_domain *d = domain_said_last(GROUP_A);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->common_onset && d->state == DOMAIN_STATE_OK && d->is_root);
	CU_ASSERT(row(1).verdict == VERDICT_UNREACHABLE && row(1).root == GROUP_A && !row(1).held);
	CU_ASSERT_EQUAL(row(6).root, GROUP_A);
	uint32_t gone[] = { 1, 5, 6 };
	for (int i = 0; i < 3; i++)
		come_back(gone[i]);
	run(500);
	d = domain_said_last(GROUP_A);
	CU_ASSERT(!d->common_onset);
	stop();
}

/* the first of several already knows that it is not alone: the others are far enough to be called soon */
static void test_onset_before_the_first_call(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	for (uint32_t i = 5; i < 8; i++)
		tell(i, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first + i);
	run(1300);
	unsigned before = b.ndomains;
	dead(5, first + 5, 0);
	CU_ASSERT(b.ndomains > before && b.domains[before].common_onset && b.domains[before].is_root);
	CU_ASSERT(row(5).root == GROUP_A && !row(5).held);
	stop();
}

/* BMCs that say off are quick; not quicker than the domain that has lost its power */
static void test_off_waits_for_its_domain(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	for (int i = 0; i < 8; i++)
		b.bmc[i] = BMC_OFF;
	run(600);
	for (uint32_t i = 0; i < 2; i++)
		flag(i, first);
	run(300);
	for (uint32_t i = 0; i < 2; i++) {
		tell(i, WITNESS_K, STATE_PEND, WITNESS_FLAGGED, 6, first);
		CU_ASSERT_EQUAL(row(i).verdict, VERDICT_UP);
	}
	for (uint32_t i = 2; i < 8; i++)
		flag(i, first);
	CU_ASSERT(b.holds[GROUP_A] + b.holds[RACK] > 0);
	run(3000);
	for (uint32_t i = 0; i < 8; i++)
		CU_ASSERT(row(i).held || row(i).verdict == VERDICT_UP);
	stop();
}

/* a held group whose members answer now and then has a bad path: none of them is called hung meanwhile */
static void test_few_answers_come_through(void)
{
	start(true, true, 1);
	all_up();
	int64_t first = b.now;
	run(600);
	for (uint32_t i = 0; i < 8; i++)
		flag(i, first);
	CU_ASSERT_EQUAL(b.holds[GROUP_A], 1);
	for (int round = 0; round < 6; round++) {
		uint32_t one = (uint32_t)round % 3;

		run(500);
		tell(one, WITNESS_S, STATE_ANS, 0, 0, 0);
		run(100);
		flag(one, first);
		for (uint32_t i = 0; i < 8; i++)
			CU_ASSERT(row(i).verdict != VERDICT_OS_HUNG);
	}
	run(1500);
	const struct judge_domain *d = domain_said_last(GROUP_A);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->state == DOMAIN_STATE_PATH && d->is_root);
	CU_ASSERT_STRING_EQUAL(d->cause, "path loss: few answers come through");
	stop();
}

static void test_release_forgets(void)
{
	start(true, true, 1);
	all_up();
	b.reference[GROUP_B] = false;
	group_dies(8, 8);
	run(1500);
	/* seven come back, one stays silent: at the release it is not called, its suspicion begins again */
	for (uint32_t i = 9; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(3300);
	CU_ASSERT_EQUAL(b.releases[GROUP_B], 1);
	CU_ASSERT_EQUAL(single_calls(), 0);
	/* a report that crossed the release says nothing either */
	dead(8, b.now - 5000, WITNESS_HELD);
	run(500);
	CU_ASSERT_EQUAL(single_calls(), 0);
	int64_t first = b.now;
	tell(8, WITNESS_K, STATE_PEND, WITNESS_RESTARTED, 0, 0);
	run(600);
	flag(8, first);
	run(1200);
	dead(8, first, 0);
	CU_ASSERT_EQUAL(single_calls(), 1);
	CU_ASSERT_EQUAL(row(8).verdict, VERDICT_UNREACHABLE);
	CU_ASSERT(!row(8).held);
	stop();
}

static void test_site_dark(void)
{
	start(true, true, 1);
	all_up();
	for (int i = 0; i < DOMAINS; i++)
		b.reference[i] = false;
	for (int i = 0; i < 16; i++)
		b.bmc[i] = BMC_SILENT;
	int64_t dark = b.now;
	run(1000);
	for (uint32_t i = 0; i < 16; i++)
		flag(i, dark + i * 60);
	run(1000);
	CU_ASSERT(b.reasons & SUSPEND_OWN_LINK);
	CU_ASSERT(row(3).not_judged != 0);
	for (uint32_t i = 0; i < 16; i++)
		dead(i, dark + i * 60, WITNESS_HELD);
	run(20000);
	CU_ASSERT_EQUAL(roots(), 0);
	for (uint32_t i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(row(i).verdict, VERDICT_UP);
	for (uint32_t i = 0; i < 16; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	run(300);
	CU_ASSERT_EQUAL(b.reasons, 0);
	CU_ASSERT_EQUAL(b.releases[SITE], 1);
	CU_ASSERT_EQUAL(single_calls(), 0);
	stop();
}

/* one or two members say nothing by number: their reference target does */
static void test_tiny_domain(void)
{
	for (int silent = 0; silent < 2; silent++) {
		start(true, true, 1);
		judge_domain_set(b.judge, 4, DOMAIN_SWITCH, 1);
		for (uint32_t i = 20; i < 22; i++) {
			struct judge_node n = { .generation = 1, .bmc = true, .port = true, .ndomains = 1, .domains = { 4 } };

			CU_ASSERT_EQUAL(judge_node_set(b.judge, i, &n, b.now), 0);
			b.bmc[i] = BMC_ON;
			b.port[i] = PORT_NA;
			tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
		}
		b.reference[4] = !silent;
		int64_t first = b.now;
		run(600);
		flag(20, first);
		run(1200);
		dead(20, first, b.holds[4] ? WITNESS_HELD : 0);
		run(2500);
		CU_ASSERT(b.reference_asks[4] >= 1);
		CU_ASSERT_EQUAL(b.holds[4], (unsigned)silent);
		CU_ASSERT_EQUAL(row(20).verdict, silent ? VERDICT_GROUP_PATH_LOST : VERDICT_OS_HUNG);
		CU_ASSERT_EQUAL(row(20).held, silent);
		tell(20, WITNESS_S, STATE_ANS, 0, 0, 0);
		run(3500);
		CU_ASSERT_EQUAL(b.releases[4], (unsigned)silent);
		CU_ASSERT_EQUAL(row(20).verdict, VERDICT_UP);
		stop();
	}
}

/* nothing to ask: after 5 s the members are said not to answer, under the root */
static void test_nothing_tells_why(void)
{
	start(false, false, 0);
	all_up();
	int64_t dark = group_dies(8, 8);
	run(5000 - (b.now - dark));
	const struct judge_domain *d = domain_said_last(GROUP_B);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_HANG && d->certainty == CERTAINTY_CAUSE);
	for (uint32_t i = 8; i < 16; i++)
		CU_ASSERT(row(i).verdict == VERDICT_UNREACHABLE && row(i).held);
	CU_ASSERT_EQUAL(single_calls(), 0);
	stop();
}

static void test_path_loss(void)
{
	start(true, true, 1);
	all_up();
	judge_lossy(b.judge, GROUP_A, true, b.now);
	run(100);
	const struct judge_domain *d = domain_said_last(GROUP_A);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT(d->is_root && d->state == DOMAIN_STATE_PATH);
	run(10000);
	CU_ASSERT_EQUAL(b.releases[GROUP_A], 0);
	judge_lossy(b.judge, GROUP_A, false, b.now);
	run(3300);
	CU_ASSERT_EQUAL(b.releases[GROUP_A], 1);
	CU_ASSERT_EQUAL(roots(), 0);
	stop();
}

/* --- suspension ------------------------------------------------------------------------------------------- */

static void test_suspended_changes_nothing(void)
{
	start(true, false, 1);
	all_up();
	judge_collector_suspended(b.judge, SUSPEND_CARRIER, b.now);
	unsigned said_before = b.nsaid;
	int64_t first = b.now;
	run(600);
	flag(0, first);
	run(2000);
	dead(0, first, 0);
	run(20000);
	CU_ASSERT_EQUAL(b.nsaid, said_before);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT(row(0).not_judged != 0);
	tell(0, WITNESS_S, STATE_ANS, 0, 0, 0);
	judge_collector_suspended(b.judge, 0, b.now);
	run(1000);
	CU_ASSERT_EQUAL(row(0).verdict, VERDICT_UP);
	CU_ASSERT_EQUAL(row(0).not_judged, 0);
	stop();
}

/* the judge clock stands still: cause and confirmation come later by the length of the suspension */
static void test_judge_clock(void)
{
	start(true, false, 1);
	all_up();
	int64_t first = die(0);
	run(200);
	judge_queue(b.judge, 800, true, b.now);
	CU_ASSERT(b.reasons & SUSPEND_QUEUE);
	int64_t from = b.now;
	run(5000);
	CU_ASSERT_EQUAL(b.reasons, 0); /* settled after 1.5 s */
	run(10000);
	int64_t cause = first_said(0, VERDICT_OS_HUNG, CERTAINTY_CAUSE) - first;
	CU_ASSERT(cause >= 3800 + 1500 && cause <= 3800 + 1700);
	CU_ASSERT(judge_clock(b.judge, b.now) < b.now - T0 - 1400);
	/* its own stall */
	b.now += 20000;
	judge_tick(b.judge, b.now);
	CU_ASSERT(b.reasons & SUSPEND_QUEUE);
	run(1700);
	CU_ASSERT_EQUAL(b.reasons, 0);
	CU_ASSERT(from > first);
	stop();
}

static void test_bad_input(void)
{
	start(true, true, 1);
	all_up();
	unsigned said_before = b.nsaid;
	struct witness_report r = { .slot = NODES, .generation = 1, .witness = WITNESS_K, .state = STATE_SILENT };
	judge_report(b.judge, &r, b.now);
	r.slot = 40; /* no such node */
	judge_report(b.judge, &r, b.now);
	r.slot = 0;
	r.generation = 2;
	judge_report(b.judge, &r, b.now);
	r.generation = 1;
	r.state = 77;
	judge_report(b.judge, &r, b.now);
	r.state = STATE_SILENT;
	r.witness = 9;
	judge_report(b.judge, &r, b.now);
	judge_bmc(b.judge, UINT32_MAX, BMC_OFF, b.now, b.now);
	judge_bmc(b.judge, 0, (enum bmc_state)99, b.now, b.now);
	judge_port(b.judge, 0, (enum port_state)0, b.now);
	judge_port(b.judge, 63, PORT_DOWN, b.now);
	judge_reference(b.judge, DOMAINS, true, b.now);
	judge_reference(b.judge, 7, true, b.now);
	judge_lossy(b.judge, 99, true, b.now);
	judge_wanted(b.judge, 0, (enum wanted)42, 0, b.now);
	judge_uptime(b.judge, 99, 1, 1, b.now);
	judge_why(b.judge, 99, "x", b.now);
	CU_ASSERT_EQUAL(b.nsaid, said_before);
	struct judge_node n = { .generation = 1, .ndomains = 1, .domains = { 6 } };
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), -1);
	n.domains[0] = DOMAINS;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), -1);
	n.ndomains = NODE_DOMAINS + 1;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), -1);
	CU_ASSERT_EQUAL(judge_domain_set(b.judge, DOMAINS, DOMAIN_GROUP, 0), -1);
	stop();
}

static void test_nodes_and_domains_come_and_go(void)
{
	struct judge_domain d;

	start(true, true, 1);
	all_up();
	flag(0, b.now);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 8 && d.flagged == 1);
	/* the same again, and from one group to the other and back */
	struct judge_node n = { .generation = 1, .bmc = true, .ndomains = 3, .domains = { GROUP_A, SITE, RACK } };
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 8 && d.flagged == 1);
	n.domains[0] = GROUP_B;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 7 && d.flagged == 0);
	judge_domain_view(b.judge, GROUP_B, &d);
	CU_ASSERT(d.members == 9 && d.flagged == 1);
	n.domains[0] = GROUP_A;
	CU_ASSERT_EQUAL(judge_node_set(b.judge, 0, &n, b.now), 0);
	judge_node_remove(b.judge, 0, b.now);
	judge_domain_view(b.judge, GROUP_A, &d);
	CU_ASSERT(d.members == 7 && d.flagged == 0);
	struct judge_verdict v;
	CU_ASSERT(!judge_view(b.judge, 0, &v));
	judge_domain_remove(b.judge, GROUP_A, b.now);
	CU_ASSERT(!judge_domain_view(b.judge, GROUP_A, &d));
	judge_domain_view(b.judge, RACK, &d);
	CU_ASSERT_EQUAL(d.members, 3);
	judge_domain_view(b.judge, SITE, &d);
	CU_ASSERT_EQUAL(d.members, 15);
	/* the site's list is whole: all of it can be flagged and unflagged through other ends */
	for (uint32_t i = 1; i < 16; i++)
		judge_node_remove(b.judge, i, b.now);
	judge_domain_view(b.judge, SITE, &d);
	CU_ASSERT_EQUAL(d.members, 0);
	stop();
}

/* a site without a target of its own: one group's target that answers shows that the own link is well */
static void test_site_borrows_reference(void)
{
	start(true, true, 1);
	judge_domain_set(b.judge, SITE, DOMAIN_SITE, 0);
	all_up();
	b.reference[GROUP_A] = false;
	int64_t dark = b.now;
	run(1000);
	for (uint32_t i = 0; i < 16; i++)
		flag(i, dark + i * 60);
	run(1000);
	CU_ASSERT_EQUAL(b.reasons, 0);
	CU_ASSERT(b.reference_asks[GROUP_B] >= 1);
	stop();
	start(true, true, 1);
	judge_domain_set(b.judge, SITE, DOMAIN_SITE, 0);
	all_up();
	b.reference[GROUP_A] = b.reference[GROUP_B] = false;
	dark = b.now;
	run(1000);
	for (uint32_t i = 0; i < 16; i++)
		flag(i, dark + i * 60);
	run(1000);
	CU_ASSERT(b.reasons & SUSPEND_OWN_LINK);
	stop();
}

/* one switch is back, but not yet released, when two more go, one a little after the other: each speaks for itself, when it is due */
static void test_one_after_the_other(void)
{
	struct judge_domain d;

	start(true, false, 1);
	judge_domain_set(b.judge, GROUP_C, DOMAIN_GROUP, 1);
	for (uint32_t i = 11; i < 16; i++) {
		struct judge_node n = { .generation = 1, .bmc = true, .hash = i * 77777, .ndomains = 2, .domains = { GROUP_C, SITE } };

		judge_node_set(b.judge, i, &n, b.now);
	}
	all_up();
	b.reference[GROUP_A] = false;
	int64_t dark = b.now;
	run(600);
	for (uint32_t i = 0; i < 8; i++)
		flag(i, dark);
	run(2000);
	CU_ASSERT(judge_domain_view(b.judge, GROUP_A, &d) && d.is_root && d.certainty == CERTAINTY_CAUSE);
	b.reference[GROUP_A] = true;
	b.reference[GROUP_B] = b.reference[GROUP_C] = false;
	for (uint32_t i = 0; i < 8; i++)
		tell(i, WITNESS_S, STATE_ANS, 0, 0, 0);
	dark = b.now;
	run(600);
	for (uint32_t i = 8; i < 11; i++)
		flag(i, dark);
	run(900);
	int64_t second = b.now;
	run(400);
	for (uint32_t i = 11; i < 16; i++)
		flag(i, second);
	run(200);
	CU_ASSERT(judge_domain_view(b.judge, GROUP_B, &d) && d.is_root && d.certainty == CERTAINTY_CAUSE && d.held == 3);
	CU_ASSERT(judge_domain_view(b.judge, GROUP_C, &d) && !d.is_root && d.certainty == CERTAINTY_NONE && d.state == DOMAIN_STATE_HOLD);
	run(1500);
	CU_ASSERT(judge_domain_view(b.judge, GROUP_C, &d) && d.is_root && d.certainty == CERTAINTY_CAUSE && d.held == 5);
	CU_ASSERT(judge_domain_view(b.judge, GROUP_A, &d) && d.root == JUDGE_NO_DOMAIN);
	stop();
}

static const struct unit_test TESTS[] = {
	{ "switch dead", test_switch_dead },
	{ "switch flaps", test_switch_flaps },
	{ "one switch after the other", test_one_after_the_other },
	{ "group hangs", test_group_hangs },
	{ "rack without power", test_rack_power },
	{ "two deaths are two", test_two_deaths_are_two },
	{ "common onset", test_common_onset },
	{ "onset before the first call", test_onset_before_the_first_call },
	{ "few answers come through", test_few_answers_come_through },
	{ "off waits for its domain", test_off_waits_for_its_domain },
	{ "release forgets the silence", test_release_forgets },
	{ "site dark: own link", test_site_dark },
	{ "site without a target of its own", test_site_borrows_reference },
	{ "a domain of two", test_tiny_domain },
	{ "nothing tells why", test_nothing_tells_why },
	{ "path loss", test_path_loss },
	{ "suspended changes nothing", test_suspended_changes_nothing },
	{ "judge clock", test_judge_clock },
	{ "bad input", test_bad_input },
	{ "nodes and domains come and go", test_nodes_and_domains_come_and_go },
};

UNIT_MAIN("judge, domains", TESTS)
