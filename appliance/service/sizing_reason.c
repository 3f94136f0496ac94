/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A decision of the sizing rule in one line for people; see sizing.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "service/sizing.h"

/* "45 s", "11 min", "3 h": rounded up, as what is waited for. */
static const char *span(int64_t seconds, char out[24])
{
	if (seconds < 60)
		text_format(out, 24, "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		text_format(out, 24, "%" PRId64 " min", (seconds + 59) / 60);
	else
		text_format(out, 24, "%" PRId64 " h", (seconds + 3599) / 3600);
	return out;
}

static void forecast(const struct sizing_decision *d, char *out, size_t size, size_t *used)
{
	if (isnan(d->forecast)) {
		text_append(out, size, used, "no load was seen yet");
		return;
	}
	text_append(out, size, used, "forecast %.1f in %u s", d->forecast, d->ahead_s);
	if (d->season)
		text_append(out, size, used, " (season, x%.2f)", d->factor);
	text_append(out, size, used, ", headroom %.2f", d->headroom);
}

static void keep(const struct sizing_decision *d, char *out, size_t size, size_t *used)
{
	char time[24];

	if (d->hold == SIZING_HOLD_UNKNOWN) {
		text_append(out, size, used, "data unknown for %s", span(d->unknown_s, time));
		return;
	}
	if (d->hold == SIZING_HOLD_DOUBT) {
		text_append(out, size, used, "data in doubt for %s: load %.1f by the members, %.1f by what the balancer passes", span(d->unknown_s, time), d->told,
			    d->passed);
		return;
	}
	if (!d->could_be) {
		forecast(d, out, size, used);
		return;
	}
	text_append(out, size, used, "could be %u, ", d->could_be);
	switch (d->hold) {
	case SIZING_HOLD_GAP:
		text_append(out, size, used, "held %s more after a gap in the data", span(d->held_s, time));
		break;
	case SIZING_HOLD_FIRST_HOUR:
		text_append(out, size, used, "held %s more in the first hour", span(d->held_s, time));
		break;
	case SIZING_HOLD_CHANGE:
		text_append(out, size, used, "held %s more", span(d->held_s, time));
		break;
	case SIZING_HOLD_WINDOW:
		text_append(out, size, used, "needed within 15 min past or 30 min to come");
		break;
	case SIZING_HOLD_BAND:
		text_append(out, size, used, "within the tolerance after %u changes in 24 h", d->planned);
		break;
	case SIZING_HOLD_BUDGET:
		text_append(out, size, used, "%u changes in 24 h are the budget", d->planned);
		break;
	default:
		forecast(d, out, size, used);
	}
}

static void pin(const struct sizing_decision *d, char *out, size_t size, size_t *used)
{
	time_t until = (time_t)d->until_s;
	struct tm tm;
	char when[32] = "";

	if (d->until_s && gmtime_r(&until, &tm) && strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		text_append(out, size, used, "pinned until %s", when);
	else
		text_append(out, size, used, "pinned");
	if (!isnan(d->need))
		text_append(out, size, used, ", the rule says %.0f", ceil(d->need - 1e-6));
}

const char *sizing_reason(const struct sizing_decision *d, char out[SIZING_REASON])
{
	static const char *const names[] = {[SIZING_KEEP] = "keep", [SIZING_GROW] = "grow", [SIZING_EMERGENCY] = "emergency", [SIZING_RETURN] = "return",
					    [SIZING_SHRINK] = "shrink", [SIZING_PIN] = "pin", [SIZING_LIMIT] = "limit"};
	const char *name = d->verb >= SIZING_KEEP && d->verb <= SIZING_LIMIT ? names[d->verb] : "?";
	size_t used = 0;

	out[0] = '\0';
	if (d->was == d->wanted)
		text_append(out, SIZING_REASON, &used, "%s %u: ", name, d->wanted);
	else
		text_append(out, SIZING_REASON, &used, "%s %u>%u: ", name, d->was, d->wanted);
	switch (d->verb) {
	case SIZING_KEEP:
		keep(d, out, SIZING_REASON, &used);
		break;
	case SIZING_EMERGENCY:
		text_append(out, SIZING_REASON, &used, "load of %.1f members is at hand, demand %.1f", d->pressing, d->demand);
		break;
	case SIZING_RETURN:
		text_append(out, SIZING_REASON, &used, "the emergency is over, needed %.1f in the last 15 min", ceil(d->need * 10) / 10);
		break;
	case SIZING_PIN:
		pin(d, out, SIZING_REASON, &used);
		break;
	case SIZING_LIMIT:
		text_append(out, SIZING_REASON, &used, "%s", d->wanted < d->was ? "the maximum" : d->floor ? "the schedule's minimum" : "the minimum");
		break;
	default:
		forecast(d, out, SIZING_REASON, &used);
	}
	if (d->verb == SIZING_KEEP && d->floor && !d->could_be)
		text_append(out, SIZING_REASON, &used, ", schedule's minimum in force");
	return out;
}
