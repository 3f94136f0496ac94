/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verdict function and the permission table (verdicts, sections 2 and 4.7). Called by the judge and by power policies. */
#include "monitor/verdict.h"

#include <stddef.h>

enum { KDUMP_HOLD_MS = 600000, RESET_HOLD_MS = 60000, POWER_ON_HOLD_MS = 30000, AGENT_HOLD_MS = 60000, BMC_HOLD_MS = 600000 };

static bool boots(const struct verdict_input *in)
{
	return in->m == WANTED_BOOT || in->m == WANTED_INSTALL;
}

bool verdict_alive(const struct verdict_input *in)
{
	return in->k == STATE_ANS || in->s == STATE_ANS || in->s == STATE_LATE || in->s == STATE_REFUSED || in->u == STATE_ANS;
}

bool verdict_is_dead(enum verdict verdict)
{
	return verdict >= VERDICT_UNREACHABLE && verdict <= VERDICT_GROUP_PATH_LOST;
}

void verdict_normalise(struct verdict_input *in)
{
	bool asks_user = in->s == STATE_SILENT || in->s == STATE_REFUSED;

	if (in->k == STATE_LATE || in->k == STATE_REFUSED)
		in->k = STATE_ANS;
	if (in->s == STATE_ANS || in->s == STATE_LATE || in->s == STATE_REFUSED || in->u == STATE_ANS)
		in->k = STATE_ANS;
	if (in->k == STATE_SILENT)
		in->s = STATE_SILENT;
	if (in->k == STATE_PEND && in->s == STATE_SILENT)
		in->s = STATE_PEND;
	if (in->u != STATE_ANS && in->u != STATE_SILENT)
		in->u = STATE_NA;
	if (in->u == STATE_SILENT && (!asks_user || in->k != STATE_ANS))
		in->u = STATE_NA;
}

/* 12 pairs of S and K, 3 of U: the kernel answers whatever S is; it is silent only with S; pending or na with what is left */
bool verdict_possible(const struct verdict_input *in)
{
	switch (in->k) {
	case STATE_ANS:
		return true;
	case STATE_SILENT:
		return in->s == STATE_SILENT;
	case STATE_PEND:
		return in->s == STATE_PEND || in->s == STATE_NA;
	case STATE_NA:
		return in->s == STATE_PEND || in->s == STATE_SILENT || in->s == STATE_NA;
	default:
		return false;
	}
}

/* --- the table: row n of verdicts section 2 is entry n - 1 ------------------------------------------- */

static bool s_up(const struct verdict_input *in)
{
	return in->s == STATE_ANS || (in->s == STATE_NA && in->k == STATE_ANS);
}

static bool s_gone(const struct verdict_input *in)
{
	return in->s == STATE_SILENT || in->s == STATE_REFUSED;
}

static bool row_suspended(const struct verdict_input *in)
{
	return in->suspended;
}

static bool row_mismatch(const struct verdict_input *in)
{
	return verdict_alive(in) && in->b == BMC_OFF;
}

static bool row_bmc_lost(const struct verdict_input *in)
{
	return s_up(in) && in->b == BMC_SILENT;
}

static bool row_slow(const struct verdict_input *in)
{
	return in->s == STATE_LATE;
}

static bool row_alive_pending(const struct verdict_input *in)
{
	return verdict_alive(in) && in->s == STATE_PEND;
}

static bool row_alive_boots(const struct verdict_input *in)
{
	return verdict_alive(in) && boots(in);
}

static bool row_programs_hung(const struct verdict_input *in)
{
	return verdict_alive(in) && s_gone(in) && in->u == STATE_SILENT;
}

static bool row_agent_dead(const struct verdict_input *in)
{
	return verdict_alive(in) && s_gone(in);
}

static bool row_pending(const struct verdict_input *in)
{
	return in->k == STATE_PEND || (in->k == STATE_NA && in->s == STATE_PEND);
}

static bool row_off(const struct verdict_input *in)
{
	return in->b == BMC_OFF;
}

static bool row_nothing(const struct verdict_input *in)
{
	return in->k == STATE_NA && in->s == STATE_NA;
}

static bool row_domain(const struct verdict_input *in)
{
	return in->d == DOMAIN_STATE_HOLD || in->d == DOMAIN_STATE_PATH || in->d == DOMAIN_STATE_POWER;
}

static bool row_moving(const struct verdict_input *in)
{
	return in->p == PORT_MOVING;
}

static bool row_bmc_pending(const struct verdict_input *in)
{
	return in->b == BMC_PEND;
}

static bool row_port_down(const struct verdict_input *in)
{
	return in->p == PORT_DOWN;
}

static bool row_bmc_on(const struct verdict_input *in)
{
	return in->b == BMC_ON;
}

static bool row_rest(const struct verdict_input *in)
{
	(void)in;
	return true;
}

enum outcome { KEEP = -1, BOOTS = -2, BY_DOMAIN = -3, BY_DOWN_PORT = -4, BY_BMC = -5 };

static const struct {
	bool (*matches)(const struct verdict_input *in);
	int outcome; /* a verdict, or one of the above */
} ROWS[] = {
	{ row_suspended, KEEP },
	{ row_mismatch, VERDICT_BMC_MISMATCH },
	{ row_bmc_lost, VERDICT_BMC_LOST },
	{ s_up, VERDICT_UP },
	{ row_slow, VERDICT_AGENT_SLOW },
	{ row_alive_pending, KEEP },
	{ row_alive_boots, BOOTS },
	{ row_programs_hung, VERDICT_OS_HUNG },
	{ row_agent_dead, VERDICT_AGENT_DEAD },
	{ row_pending, KEEP },
	{ row_off, VERDICT_POWERED_OFF },
	{ row_nothing, VERDICT_UNKNOWN },
	{ boots, BOOTS },
	{ row_domain, BY_DOMAIN },
	{ row_moving, VERDICT_PATH_BLOCKED },
	{ row_bmc_pending, VERDICT_UNREACHABLE },
	{ row_port_down, BY_DOWN_PORT },
	{ row_bmc_on, VERDICT_OS_HUNG },
	{ row_rest, BY_BMC },
};

static int by_domain(const struct verdict_input *in)
{
	if (in->d == DOMAIN_STATE_PATH)
		return VERDICT_GROUP_PATH_LOST;
	return in->d == DOMAIN_STATE_POWER ? VERDICT_POWER_LOST : KEEP;
}

static int resolve(int outcome, const struct verdict_input *in)
{
	switch (outcome) {
	case BOOTS:
		return in->overdue ? VERDICT_BOOT_FAILED : VERDICT_BOOTING;
	case BY_DOMAIN:
		return by_domain(in);
	case BY_DOWN_PORT:
		return in->b == BMC_SILENT ? VERDICT_POWER_LOST : VERDICT_LINK_LOST;
	case BY_BMC:
		return in->b == BMC_SILENT ? VERDICT_ISOLATED : VERDICT_UNREACHABLE;
	default:
		return outcome;
	}
}

static enum level base_level(enum verdict verdict, const struct verdict_input *in)
{
	switch (verdict) {
	case VERDICT_UP:
	case VERDICT_BOOTING:
		return LEVEL_NORMAL;
	case VERDICT_AGENT_SLOW:
		return LEVEL_WARNING;
	case VERDICT_BMC_LOST:
		return in->bmc_long ? LEVEL_MAJOR : LEVEL_WARNING;
	case VERDICT_AGENT_DEAD:
	case VERDICT_BMC_MISMATCH:
	case VERDICT_PATH_BLOCKED:
	case VERDICT_BOOT_FAILED:
		return LEVEL_MAJOR;
	case VERDICT_UNREACHABLE:
	case VERDICT_OS_HUNG:
	case VERDICT_LINK_LOST:
	case VERDICT_POWERED_OFF:
	case VERDICT_POWER_LOST:
	case VERDICT_ISOLATED:
		return LEVEL_CRITICAL;
	default:
		return LEVEL_UNKNOWN;
	}
}

enum level verdict_level(enum verdict verdict, const struct verdict_input *in)
{
	enum level level = base_level(verdict, in);

	if (level == LEVEL_UNKNOWN)
		return level;
	if (in->m == WANTED_MAINT)
		return LEVEL_NORMAL;
	/* who is wanted off need not answer; on its way down it may look hung for a while */
	if (in->m == WANTED_OFF && (verdict_is_dead(verdict) || verdict == VERDICT_AGENT_DEAD))
		return LEVEL_NORMAL;
	/* a machine that was just told to start (or is between the halves of a cycle) is off for a moment */
	if ((in->m == WANTED_BOOT || in->m == WANTED_INSTALL) && verdict == VERDICT_POWERED_OFF && !in->overdue)
		return LEVEL_NORMAL;
	return level;
}

struct verdict_result verdict_decide(const struct verdict_input *in, enum verdict before)
{
	struct verdict_result r = { 0 };
	size_t i = 0;

	while (!ROWS[i].matches(in))
		i++;
	int outcome = resolve(ROWS[i].outcome, in);
	r.row = (uint8_t)(i + 1);
	r.keep = outcome == KEEP;
	r.verdict = r.keep ? before : (enum verdict)outcome;
	r.held = ROWS[i].outcome == BY_DOMAIN;
	r.level = verdict_level(r.verdict, in);
	return r;
}

/* --- what may be done --------------------------------------------------------------------------------- */

static bool hung_for_sure(const struct verdict_case *c)
{
	const struct verdict_input *in = &c->in;

	/* the kernel may answer (row 8: programs do not); then path and port are proved, and the BMC must still say on */
	return in->b == BMC_ON && in->d == DOMAIN_STATE_OK && in->p != PORT_MOVING && in->m == WANTED_ON &&
	       in->s != STATE_PEND && in->k != STATE_PEND && !c->flapping && !c->blast_limit;
}

static int64_t reset_hold(const struct verdict_case *c)
{
	int64_t boot = c->boot_p95_ms * 3 / 2;

	if (c->kdump)
		return KDUMP_HOLD_MS;
	return boot > RESET_HOLD_MS ? boot : RESET_HOLD_MS;
}

static bool off_for_sure(const struct verdict_case *c)
{
	return c->in.b == BMC_OFF && c->in.m == WANTED_ON && !verdict_alive(&c->in) && c->in.d == DOMAIN_STATE_OK &&
	       !c->hardware_fault && !c->blast_limit;
}

static bool agent_gone(const struct verdict_case *c)
{
	return s_gone(&c->in) && verdict_alive(&c->in);
}

static bool bmc_gone(const struct verdict_case *c)
{
	return c->in.b == BMC_SILENT && s_up(&c->in);
}

static int64_t hold_fixed(const struct verdict_case *c)
{
	switch (c->verdict) {
	case VERDICT_POWERED_OFF:
		return POWER_ON_HOLD_MS;
	case VERDICT_AGENT_DEAD:
		return AGENT_HOLD_MS;
	default:
		return BMC_HOLD_MS;
	}
}

static const struct {
	enum permit step;
	enum certainty certainty;
	uint8_t a_day;
	bool (*may)(const struct verdict_case *c);
	int64_t (*hold_ms)(const struct verdict_case *c);
} STEPS[VERDICT_COUNT] = {
	[VERDICT_OS_HUNG] = { PERMIT_RESET, CERTAINTY_CONFIRMED, UINT8_MAX, hung_for_sure, reset_hold },
	[VERDICT_POWERED_OFF] = { PERMIT_POWER_ON, CERTAINTY_CONFIRMED, 1, off_for_sure, hold_fixed },
	[VERDICT_AGENT_DEAD] = { PERMIT_RESTART_AGENT, CERTAINTY_CALLED, 3, agent_gone, hold_fixed },
	[VERDICT_BMC_LOST] = { PERMIT_BMC_COLD_RESET, CERTAINTY_CALLED, 1, bmc_gone, hold_fixed },
};

static bool lowers_weight(enum verdict verdict)
{
	return verdict_is_dead(verdict) && verdict != VERDICT_GROUP_PATH_LOST;
}

unsigned verdict_permits(const struct verdict_case *c)
{
	unsigned permits = 0;

	if (c->in.suspended || c->in.m == WANTED_MAINT || c->certainty < CERTAINTY_CALLED || c->verdict <= 0 ||
	    c->verdict >= VERDICT_COUNT)
		return 0;
	if (lowers_weight(c->verdict))
		permits |= PERMIT_WEIGHT_ZERO;
	if (STEPS[c->verdict].may && c->certainty >= STEPS[c->verdict].certainty && c->done_today < STEPS[c->verdict].a_day &&
	    STEPS[c->verdict].may(c) && c->held_ms >= STEPS[c->verdict].hold_ms(c))
		permits |= STEPS[c->verdict].step;
	return permits;
}
