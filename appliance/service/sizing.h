/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many members a service should have: leads the load by what a start takes, with a learnt season and a learnt headroom. The rule and
 * its parameters were found by simulation (sizing.c names each part; tests/sim/sizing.c holds it to the results).
 * Pure: no clock, no I/O, no memory of its own. The engine calls sizing_step() each 10 s for each service, takes over decision.wanted as the
 * service's wanted size, and stores the state as text; with the same state and view the decision is the same, so a restart or a take-over
 * between two steps changes nothing. */
#ifndef GLORY_SERVICE_SIZING_H
#define GLORY_SERVICE_SIZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/service_text.h"

enum {
	SIZING_TICK_S = 10, SIZING_BINS = 288, SIZING_DAYS = 5, SIZING_MINUTES = 15, SIZING_NEEDS = 90, SIZING_FRESH = 7,
	SIZING_FORECASTS = 768, SIZING_RATIOS = 200, SIZING_CHANGES = 64, SIZING_STARTS = 20, SIZING_STARTS_LEAST = 5
};
#define SIZING_MEMBERS_MAX 4096
#define SIZING_REASON 192
#define SIZING_TEXT 16384 /* holds any state's text */

struct sizing_sample {
	float utilisation;    /* of one member in service, 0..1; NAN: none */
	uint32_t age_s;
	uint32_t unchanged_s; /* for so long its value was the same in every digit; 0 when the caller does not know */
};

struct sizing_view {
	int64_t now_s;                        /* UTC seconds: the season is by time of day */
	uint32_t in_service, starting;        /* starting: allocated, on the way, not yet in the balancer; warming ones are in service */
	uint32_t wanted;                      /* as decided last; 0 at first */
	uint32_t min, max;                    /* 1 <= min <= max <= SIZING_MEMBERS_MAX */
	const struct sizing_sample *samples;  /* of members in service, in any order; more than SIZING_MEMBERS_MAX are not looked at */
	size_t sample_count;
	uint32_t poll_s;                      /* how often a member is read; 0: 10 */
	double rate;                          /* requests or connections a second the balancer is offered; NAN: not told */
	double lead_s;                        /* sizing_lead() */
	uint32_t budget;                      /* planned changes a day; 0: 12, 24 above 100 members */
	bool spare;                           /* one member more than needed, whatever the start time */
	uint32_t pin;                         /* size set by a person; 0: none */
	int64_t pin_until_s;                  /* 0: no end */
	const struct service_schedule *schedule; /* NULL: none */
};

/* What to do. verb and numbers are for the board and the reason text; the engine acts on wanted alone. */
enum sizing_verb { SIZING_KEEP = 1, SIZING_GROW, SIZING_EMERGENCY, SIZING_RETURN, SIZING_SHRINK, SIZING_PIN, SIZING_LIMIT };
/* Why a keep is not something else: what is waited for. */
enum sizing_hold { SIZING_HOLD_NONE = 0, SIZING_HOLD_UNKNOWN, SIZING_HOLD_DOUBT, SIZING_HOLD_GAP, SIZING_HOLD_FIRST_HOUR, SIZING_HOLD_WINDOW, SIZING_HOLD_CHANGE,
	SIZING_HOLD_BAND, SIZING_HOLD_BUDGET };
struct sizing_decision {
	uint8_t verb;                /* enum sizing_verb */
	uint8_t hold;                /* enum sizing_hold, of a keep */
	bool known, season;          /* demand is known this time; the season is used */
	bool floor;                  /* the schedule raises the minimum */
	uint32_t was, wanted;
	uint32_t could_be;           /* of a keep that is held: the size it would shrink to; 0 none */
	double utilisation, demand;  /* mean of the members, 0..1; members' worth; NAN: unknown */
	double forecast, need;       /* members' worth; members */
	double headroom, factor;     /* h, and how today compares with the season */
	double pressing;             /* of an emergency: the load it acts on */
	double told, passed;         /* of a doubt: the load by the members and by what the balancer passes, members' worth */
	uint32_t ahead_s;            /* of the forecast */
	int64_t unknown_s, held_s;   /* demand unknown for so long; held for so long still */
	int64_t until_s;             /* of a pin: its end, 0 none */
	uint32_t planned, emergencies; /* changes in 24 h; returns count as emergencies */
};

/* Everything that is remembered: plain data, copied freely. A new service's is sizing_begin()'s. Only sizing.c and its text form look inside.
 * Times are UTC seconds, 0 never. NAN: not known. */
struct sizing_state {
	int64_t now_s, begun_s, known_since_s, unknown_since_s, doubt_since_s, changed_s, emergency_s, hour_s;
	int64_t bin;                         /* the 5-minute bin being filled, counted since 1970 */
	int64_t planned[SIZING_CHANGES], urgent[SIZING_CHANGES]; /* when the size was changed; newest last */
	double cost, fast, level, trend, factor, demand_hour, season_hour, error, headroom, cap, weighed, minute_sum, bin_sum;
	float fresh[SIZING_FRESH];           /* newest last */
	float minutes[SIZING_MINUTES], levels[SIZING_MINUTES + 1]; /* newest last */
	float needs[SIZING_NEEDS], forecasts[SIZING_FORECASTS]; /* rings by tick */
	float ratios[SIZING_RATIOS];         /* weights of demand over forecast, bins of .02 */
	float season[SIZING_DAYS][SIZING_BINS];
	float starts[SIZING_STARTS];         /* seconds; newest last */
	uint32_t tick, minute_ticks, minute_count, bin_count, bins_known, full_ticks, event_ticks, fresh_count, start_count;
	uint32_t wanted, borrowed;
};

void sizing_begin(struct sizing_state *state, int64_t now_s);
/* One tick. The state is brought forward, *out filled. view->wanted 0 counts as min. Nothing fails: what is not usable is unknown. */
void sizing_step(struct sizing_state *state, const struct sizing_view *view, struct sizing_decision *out);
/* A member came into service so many seconds after it was allocated. */
void sizing_started(struct sizing_state *state, double seconds);
/* 90th percentile of the last 20 starts; the configured value until 5 are known. */
double sizing_lead(const struct sizing_state *state, double configured_s);
/* "grow 9>12: forecast 10.1 in 150 s (season, x0.97), headroom 1.13"; returns out. */
const char *sizing_reason(const struct sizing_decision *decision, char out[SIZING_REASON]);

/* One line of printable ASCII without blanks or quotes: fits into JSON as it is. Returns out. */
const char *sizing_state_to_text(const struct sizing_state *state, char out[SIZING_TEXT]);
/* 0, or ERR_CONFIG (object "sizing state") and *out as sizing_begin(out, 0) leaves it: other version, damaged, or numbers that no step gives. */
int sizing_state_from_text(const char *text, struct sizing_state *out, struct error *e);

#endif
