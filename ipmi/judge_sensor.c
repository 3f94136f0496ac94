/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judges one sensor; see judge_sensor.h. The tables give one letter for each state offset of a type. */
#include "ipmi/judge_sensor.h"

#include <ctype.h>
#include <freeipmi/freeipmi.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum {
	EVENT_THRESHOLD = 0x01,
	EVENT_DIGITAL = 0x03,
	EVENT_SENSOR_SPECIFIC = 0x6f,
	STATE_BITS = 15,
	COMPARISON_RESERVED = 0xc0
};
enum { TYPE_TEMPERATURE = 1, TYPE_VOLTAGE, TYPE_CURRENT, TYPE_FAN, TYPE_COOLING = 0x0a };

/* n normal, w warning, m major, c critical, p presence (not set = empty), a absence (set = empty), - reserved */
struct state_row {
	uint8_t code;
	const char *letters;
};

/* Table 42-3, by sensor type, for event/reading type 6Fh. A type that is not here has no states of its own. */
static const struct state_row specific[] = {
    {0x05, "wwwwwww"},         /* physical security */
    {0x06, "wwwwww"},          /* platform security */
    {0x07, "ccmmmmcpmnwcw"},   /* processor */
    {0x08, "pmwmmwwn"},        /* power supply */
    {0x09, "nnccmmcw"},        /* power unit; 0 = it is off */
    {0x0c, "wccmmmpmnwc"},     /* memory */
    {0x0d, "pmwnnmcwm"},       /* drive slot; 7 = rebuild in progress */
    {0x0f, "mcn"},             /* system firmware */
    {0x10, "wwnwwww"},         /* event logging */
    {0x11, "wwwwwwww"},        /* watchdog 1 */
    {0x12, "nncnnn"},          /* system event */
    {0x13, "wmcwccmwcccw"},    /* critical interrupt */
    {0x14, "nnnnn"},           /* button */
    {0x19, "mc"},              /* chip set */
    {0x1b, "pm"},              /* cable */
    {0x1d, "nnnnnnnn"},        /* system boot */
    {0x1e, "wwwmw"},           /* boot error */
    {0x1f, "nnnnnnnnnn"},      /* operating system boot */
    {0x20, "ccnnnw"},          /* operating system stop */
    {0x21, "mnpnnnnnnn"},      /* slot, connector */
    {0x22, "nnnnnnnnnnnnnnn"}, /* ACPI state */
    {0x23, "wwww----w"},       /* watchdog 2 */
    {0x24, "nnnn"},            /* platform alert */
    {0x25, "pan"},             /* entity presence */
    {0x27, "wn"},              /* LAN */
    {0x28, "wwmmww"},          /* management subsystem */
    {0x29, "wmp"},             /* battery */
    {0x2a, "nnww"},            /* session audit */
    {0x2b, "nnwwwwnn"},        /* version change */
    {0x2c, "annnnnnm"},        /* FRU state */
};

/* Table 42-2, by event/reading type. */
static const struct state_row generic[] = {
    {0x02, "nnn"},       /* usage */
    {0x04, "nw"},        /* predictive failure */
    {0x05, "nw"},        /* limit */
    {0x06, "nw"},        /* performance */
    {0x07, "nwmcwmcnn"}, /* severity */
    {0x08, "ap"},        /* device presence */
    {0x09, "nn"},        /* device enabled */
    {0x0a, "nnnnnnwnm"}, /* availability */
    {0x0b, "nmwwwcww"},  /* redundancy */
    {0x0c, "nnnn"},      /* device power state */
};

/* "State asserted" (03h) means trouble only of a kind of sensor that reports trouble; of a link or a button it is good
 * or nothing. */
static const struct state_row digital[] = {
    {0x01, "nm"}, {0x02, "nm"}, {0x03, "nm"}, {0x04, "nm"}, {0x05, "nw"}, {0x07, "nc"}, {0x08, "nm"},
    {0x09, "nm"}, {0x0a, "nm"}, {0x0c, "nm"}, {0x13, "nm"}, {0x19, "nm"}, {0x29, "nm"},
};

static const char *letters_of(const struct state_row *rows, size_t count, uint8_t code)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return rows[i].letters;
	return NULL;
}

static const char *letters_for(const struct sensor_facts *f)
{
	if (f->event_type == EVENT_SENSOR_SPECIFIC)
		return letters_of(specific, COUNT_OF(specific), f->type);
	if (f->event_type == EVENT_DIGITAL)
		return letters_of(digital, COUNT_OF(digital), f->type);
	return letters_of(generic, COUNT_OF(generic), f->event_type);
}

static enum level letter_level(char letter)
{
	return letter == 'c'   ? LEVEL_CRITICAL
	       : letter == 'm' ? LEVEL_MAJOR
	       : letter == 'w' ? LEVEL_WARNING
			       : LEVEL_NORMAL;
}

static void say(struct sensor_verdict *out, enum sensor_state state, enum level level, const char *text)
{
	out->state = state;
	out->level = level;
	text_copy(out->text, sizeof(out->text), text);
}

static void say_raw(struct sensor_verdict *out, uint16_t bits, const char *why)
{
	out->state = SENSOR_NOT_JUDGED;
	out->level = LEVEL_UNKNOWN;
	text_format(out->text, sizeof(out->text), "%s, raw %04x", why, bits);
}

/* --- discrete states ------------------------------------------------------------------------------- */

static void append_state(const struct sensor_facts *f, unsigned offset, struct sensor_verdict *out)
{
	char name[96];
	size_t used = strlen(out->text);
	int size = f->event_type == EVENT_SENSOR_SPECIFIC
		       ? ipmi_get_sensor_type_message_short(f->type, offset, name, sizeof(name))
		       : ipmi_get_generic_event_message_short(f->event_type, offset, name, sizeof(name));

	if (size <= 0)
		text_format(name, sizeof(name), "state %u", offset);
	for (char *c = name; *c; c++) /* the specification's capitals are not ours, but abbreviations stay */
		if (isupper((unsigned char)c[0]) && islower((unsigned char)c[1]))
			*c = (char)tolower((unsigned char)*c);
	text_append(out->text, sizeof(out->text), &used, "%s%s", used ? ", " : "", name);
}

/* Appends the states that are set: those that are trouble when there is some, else all. */
static void name_states(const struct sensor_facts *f, const char *letters, uint16_t bits, bool trouble,
			struct sensor_verdict *out)
{
	for (unsigned i = 0; i < STATE_BITS; i++)
		if (bits & 1U << i && (!trouble || letter_level(letters[i]) > LEVEL_NORMAL))
			append_state(f, i, out);
}

static bool is_empty(const struct sensor_facts *f, const char *letters, uint16_t bits)
{
	const char *presence = strchr(letters, 'p'), *absence = strchr(letters, 'a');

	if (absence && bits & 1U << (absence - letters))
		return true;
	if (!presence || bits & 1U << (presence - letters))
		return false;
	/* only a sensor that can report presence tells something by not reporting it */
	return f->state_mask & 1U << (presence - letters);
}

static void judge_states(const struct sensor_facts *f, uint16_t bits, struct sensor_verdict *out)
{
	const char *letters = letters_for(f);
	size_t known = letters ? strlen(letters) : 0;
	enum level worst = LEVEL_NORMAL;

	if (!letters && (bits || f->type >= 0xc0 || f->event_type >= 0x70)) {
		say_raw(out, bits, "the maker's own states");
		return;
	}
	for (unsigned i = 0; i < STATE_BITS; i++)
		if (bits & 1U << i && (i >= known || letters[i] == '-')) {
			say_raw(out, bits, "states outside the specification");
			return;
		}
	if (letters && is_empty(f, letters, bits)) {
		say(out, SENSOR_NOT_PRESENT, LEVEL_NORMAL, "empty");
		return;
	}
	for (unsigned i = 0; i < known; i++)
		if (bits & 1U << i && letter_level(letters[i]) > worst)
			worst = letter_level(letters[i]);
	say(out, worst > LEVEL_NORMAL ? SENSOR_FINDING : SENSOR_NOMINAL, worst, "");
	name_states(f, letters, bits, worst > LEVEL_NORMAL, out);
}

/* --- thresholds ------------------------------------------------------------------------------------ */

static const struct {
	enum level level;
	const char *text;
} crossings[THRESHOLD_COUNT] = {
    [LOW_NON_CRITICAL] = {LEVEL_WARNING, "at or below lower non-critical"},
    [LOW_CRITICAL] = {LEVEL_MAJOR, "at or below lower critical"},
    [LOW_NON_RECOVERABLE] = {LEVEL_CRITICAL, "at or below lower non-recoverable"},
    [HIGH_NON_CRITICAL] = {LEVEL_WARNING, "at or above upper non-critical"},
    [HIGH_CRITICAL] = {LEVEL_MAJOR, "at or above upper critical"},
    [HIGH_NON_RECOVERABLE] = {LEVEL_CRITICAL, "at or above upper non-recoverable"},
};

/* Thresholds that contradict each other (left at zero, wrong format) are not compared with; the BMC's own comparison
 * still counts. */
static bool make_sense(const double t[THRESHOLD_COUNT])
{
	static const enum threshold rising[] = {LOW_NON_RECOVERABLE, LOW_CRITICAL,  LOW_NON_CRITICAL,
						HIGH_NON_CRITICAL,   HIGH_CRITICAL, HIGH_NON_RECOVERABLE};
	double last = -INFINITY;
	bool was_low = true;

	for (size_t i = 0; i < COUNT_OF(rising); i++) {
		double now = t[rising[i]];
		bool low = rising[i] <= LOW_NON_RECOVERABLE;
		if (isnan(now))
			continue;
		if (now < last || (was_low && !low && now <= last))
			return false;
		last = now;
		was_low = low;
	}
	return true;
}

static bool crossed(const struct sensor_facts *f, double value, enum threshold t)
{
	if (isnan(value) || isnan(f->thresholds[t]))
		return false;
	bool low = t == LOW_NON_CRITICAL || t == LOW_CRITICAL || t == LOW_NON_RECOVERABLE;

	return low ? value <= f->thresholds[t] : value >= f->thresholds[t];
}

static void judge_value(const struct sensor_facts *f, const struct sensor_reading *r, struct sensor_verdict *out)
{
	bool compare = make_sense(f->thresholds);
	int worst = -1;

	/* a comparison has six bits, two that are sent as 1 (35.14), and nothing above: other patterns are what makers
	 * leave there for parts that were never fitted */
	if (r->bits >> 8 && (r->bits & COMPARISON_RESERVED) != COMPARISON_RESERVED) {
		say_raw(out, r->bits, "states outside the specification");
		return;
	}
	for (int t = 0; t < THRESHOLD_COUNT; t++)
		if (r->bits & 1U << t || (compare && crossed(f, r->value, (enum threshold)t)))
			if (worst < 0 || crossings[t].level > crossings[worst].level)
				worst = t;
	if (worst < 0) {
		say(out, SENSOR_NOMINAL, LEVEL_NORMAL, "");
		return;
	}
	out->state = SENSOR_FINDING;
	out->level = crossings[worst].level;
	if (isnan(f->thresholds[worst]))
		text_copy(out->text, sizeof(out->text), crossings[worst].text);
	else
		text_format(out->text, sizeof(out->text), "%s (%.6g)", crossings[worst].text, f->thresholds[worst]);
}

/* Parts that have no power while the host is off say nothing true. */
static bool needs_host(const struct sensor_facts *f)
{
	return f->event_type == EVENT_THRESHOLD || f->type == TYPE_VOLTAGE || f->type == TYPE_CURRENT ||
	       f->type == TYPE_FAN || f->type == TYPE_COOLING;
}

void judge_sensor(const struct sensor_facts *f, const struct sensor_reading *r, enum power host,
		  struct sensor_verdict *out)
{
	memset(out, 0, sizeof(*out));
	if (r->absent)
		say(out, SENSOR_NOT_PRESENT, LEVEL_NORMAL, "the bmc has no such sensor now");
	else if (!r->answered)
		say(out, SENSOR_NOT_READABLE, LEVEL_UNKNOWN, "the bmc refuses to read it");
	else if (!r->scanning)
		say(out, SENSOR_NOT_READABLE, LEVEL_UNKNOWN, "scanning is disabled");
	else if (!r->available)
		say(out, SENSOR_NOT_READABLE, LEVEL_UNKNOWN, "no reading available");
	else if (host == POWER_OFF && needs_host(f))
		say(out, SENSOR_NOT_JUDGED, LEVEL_UNKNOWN, "the machine is off");
	else if (f->event_type == EVENT_THRESHOLD)
		judge_value(f, r, out);
	else
		judge_states(f, r->bits & 0x7fff, out);
}
