/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One threshold row as attributes and as a line of text; see threshold.h. */
#include "config/threshold.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum attribute { LEVEL, KIND, ABOVE, BELOW, CLEAR, OF, IN, WINDOW, PER, WITHIN, DEVIATIONS };
#define BIT(attribute) (1u << (attribute))
#define LIMIT (BIT(LEVEL) | BIT(KIND) | BIT(ABOVE) | BIT(BELOW))
#define COUNTED (LIMIT | BIT(CLEAR) | BIT(OF) | BIT(IN))

const char *const threshold_attributes[THRESHOLD_ATTRIBUTES] = {"level", "kind",   "above", "below",  "clear",     "of",
								"in",    "window", "per",   "within", "deviations"};

static const struct {
	const char *name, *remedy;
	unsigned uses;
	uint32_t window_s, shortest_s, longest_s; /* by default, and its limits */
} kinds[THRESHOLD_KINDS] = {
	[THRESHOLD_VALUE] = {"value", "write above=\"85\" or below=\"5\"", COUNTED, 0, 0, 0},
	[THRESHOLD_RATE] = {"rate", "write above=\"10\" or below=\"-10\"", COUNTED | BIT(WINDOW) | BIT(PER), 600, 10, 2592000},
	[THRESHOLD_NO_DATA] = {"no-data", "", BIT(LEVEL) | BIT(KIND) | BIT(WINDOW), 300, 2, 2592000},
	[THRESHOLD_FORECAST] = {"forecast", "write above=\"100\"", LIMIT | BIT(WINDOW) | BIT(WITHIN), 21600, 36, 2592000},
	[THRESHOLD_DEVIATION] = {"deviation", "write above=\"10\" or below=\"10\": the smallest difference that counts",
				 COUNTED | BIT(DEVIATIONS), 0, 0, 0},
};

static const struct {
	const char *name;
	uint32_t seconds;
} pers[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};

#define WITHIN_S 259200
#define WITHIN_MAX_S 31536000
#define DEVIATIONS_USUAL 4

/* --- from text ------------------------------------------------------------------------------------------ */
static int refuse(struct error *e, const char *remedy, const char *name, const char *text, const char *wanted)
{
	char shown[48];

	text_copy(shown, sizeof shown, text);
	text_make_printable(shown);
	return error_set(e, ERR_CONFIG, "threshold", remedy, "threshold: %s %s is not %s", name, shown, wanted);
}

static int set_level(struct config_threshold *t, const char *text, struct error *e)
{
	t->level = (uint8_t)words_value(WORDS_LEVEL, text);
	return t->level >= LEVEL_WARNING ? 0 : refuse(e, "write warning, major or critical", "level", text, "one that is raised");
}

static int set_kind(struct config_threshold *t, const char *text, struct error *e)
{
	for (unsigned k = 0; k < THRESHOLD_KINDS; k++)
		if (!strcmp(text, kinds[k].name)) {
			t->kind = (uint8_t)k;
			return 0;
		}
	return refuse(e, "write value, rate, no-data, forecast or deviation", "kind", text, "known");
}

static int set_per(struct config_threshold *t, const char *text, struct error *e)
{
	for (size_t i = 0; i < COUNT_OF(pers); i++)
		if (!strcmp(text, pers[i].name)) {
			t->per_s = pers[i].seconds;
			return 0;
		}
	return refuse(e, "write second, minute, hour or day", "per", text, "a unit of time");
}

static int set_seconds(uint32_t *out, const char *name, const char *text, struct error *e)
{
	int64_t seconds;

	if (!text_seconds(text, 1, WITHIN_MAX_S, &seconds))
		return refuse(e, "write 90s, 15m, 6h or 3d", name, text, "a time");
	*out = (uint32_t)seconds;
	return 0;
}

static int set_count(uint8_t *out, const char *name, const char *text, struct error *e)
{
	char wanted[48];
	int64_t value;

	text_format(wanted, sizeof wanted, "a number from 1 to %d", CONFIG_SAMPLES_MAX);
	if (!text_integer(text, 1, CONFIG_SAMPLES_MAX, &value))
		return refuse(e, "write of=\"3\" in=\"5\"", name, text, wanted);
	*out = (uint8_t)value;
	return 0;
}

static int set_real(double *out, const char *name, const char *text, struct error *e)
{
	return text_number(text, out) ? 0 : refuse(e, "write a number", name, text, "a number");
}

static int set_one(struct config_threshold *t, enum attribute a, const char *text, struct error *e)
{
	const char *name = threshold_attributes[a];

	switch (a) {
	case LEVEL:
		return set_level(t, text, e);
	case KIND:
		return set_kind(t, text, e);
	case ABOVE:
	case BELOW:
		t->above = a == ABOVE;
		return set_real(&t->value, name, text, e);
	case CLEAR:
		return set_real(&t->clear, name, text, e);
	case OF:
		return set_count(&t->of, name, text, e);
	case IN:
		return set_count(&t->in, name, text, e);
	case WINDOW:
		return set_seconds(&t->window_s, name, text, e);
	case PER:
		return set_per(t, text, e);
	case WITHIN:
		return set_seconds(&t->within_s, name, text, e);
	case DEVIATIONS:
		return set_real(&t->deviations, name, text, e);
	}
	return ERR_BUG;
}

int threshold_set(struct threshold_draft *d, const char *name, const char *text, struct error *e)
{
	for (unsigned a = 0; a < THRESHOLD_ATTRIBUTES; a++) {
		if (strcmp(name, threshold_attributes[a]) != 0)
			continue;
		if (d->given & BIT(a))
			return error_set(e, ERR_CONFIG, "threshold", "say it once", "threshold: %s is there twice", name);
		d->given |= BIT(a);
		return set_one(&d->t, (enum attribute)a, text, e);
	}
	return refuse(e, "see the manual of cluster.xml", "attribute", name, "known");
}

static void fill_in(struct threshold_draft *d)
{
	struct config_threshold *t = &d->t;

	if (!(d->given & BIT(CLEAR)))
		t->clear = t->value;
	if (!(d->given & BIT(OF)))
		t->of = 1;
	if (!(d->given & BIT(IN)))
		t->in = t->of;
	if (!(d->given & BIT(WINDOW)))
		t->window_s = kinds[t->kind].window_s;
	if (t->kind == THRESHOLD_RATE && !t->per_s)
		t->per_s = 1;
	if (t->kind == THRESHOLD_FORECAST && !t->within_s)
		t->within_s = WITHIN_S;
	if (t->kind == THRESHOLD_DEVIATION && !(d->given & BIT(DEVIATIONS)))
		t->deviations = DEVIATIONS_USUAL;
}

static int check_given(const struct threshold_draft *d, struct error *e)
{
	const unsigned limits = BIT(ABOVE) | BIT(BELOW), foreign = d->given & ~kinds[d->t.kind].uses;
	unsigned a = 0;

	if (!(d->given & BIT(LEVEL)))
		return error_set(e, ERR_CONFIG, "threshold", "write level=\"warning\"", "a threshold needs a level");
	while (foreign && !(foreign & BIT(a)))
		a++;
	if (foreign)
		return error_set(e, ERR_CONFIG, "threshold", "leave it out", "threshold: kind %s has no %s", kinds[d->t.kind].name,
				 threshold_attributes[a]);
	if ((kinds[d->t.kind].uses & limits) && ((d->given & limits) == limits || !(d->given & limits)))
		return error_set(e, ERR_CONFIG, "threshold", kinds[d->t.kind].remedy, "a threshold needs one of above and below");
	return 0;
}

int threshold_finish(struct threshold_draft *d, struct error *e)
{
	struct config_threshold *t = &d->t;
	char window[24], low[24], high[24];
	int rc = check_given(d, e);

	if (rc)
		return rc;
	fill_in(d);
	if (t->of > t->in)
		return error_set(e, ERR_CONFIG, "threshold", "write of=\"3\" in=\"5\"", "threshold: %u of %u samples is impossible", t->of, t->in);
	/* beyond "so much below what is usual" lies a bigger difference, as above */
	if (t->above || t->kind == THRESHOLD_DEVIATION ? t->clear > t->value : t->clear < t->value)
		return error_set(e, ERR_CONFIG, "threshold",
				 t->above || t->kind == THRESHOLD_DEVIATION ? "clear at the value or below it" : "clear at the value or above it",
				 "threshold: clear %g would clear at once", t->clear);
	if (!threshold_valid(t)) {
		text_of_seconds(t->window_s, window, sizeof window);
		text_of_seconds(kinds[t->kind].shortest_s, low, sizeof low);
		text_of_seconds(kinds[t->kind].longest_s, high, sizeof high);
		return error_set(e, ERR_CONFIG, "threshold", "stay within the limits",
				 t->window_s < kinds[t->kind].shortest_s || t->window_s > kinds[t->kind].longest_s
					 ? "threshold: window %s is not between %s and %s"
					 : "threshold: %s has a number out of its limits",
				 window, low, high);
	}
	return 0;
}

static bool finite_number(double v)
{
	return v - v == 0;
}

bool threshold_valid(const struct config_threshold *t)
{
	if (t->level < LEVEL_WARNING || t->level >= LEVEL_COUNT || t->above > 1 || t->of < 1 || t->of > t->in || t->in > CONFIG_SAMPLES_MAX ||
	    t->kind >= THRESHOLD_KINDS || !finite_number(t->value) || !finite_number(t->clear) || !finite_number(t->deviations))
		return false;
	unsigned uses = kinds[t->kind].uses;
	if (t->window_s < kinds[t->kind].shortest_s || t->window_s > kinds[t->kind].longest_s)
		return false;
	if ((uses & BIT(WITHIN)) ? t->within_s < 1 || t->within_s > WITHIN_MAX_S : t->within_s != 0)
		return false;
	if ((uses & BIT(PER)) ? t->per_s < 1 || t->per_s > 86400 : t->per_s != 0)
		return false;
	if (t->kind == THRESHOLD_DEVIATION)
		return t->deviations > 0 && t->deviations <= 100 && t->value >= 0 && t->clear >= 0 && t->clear <= t->value;
	return t->deviations == 0 && (t->above ? t->clear <= t->value : t->clear >= t->value);
}

bool threshold_equal(const struct config_threshold *a, const struct config_threshold *b)
{
	return a->level == b->level && a->above == b->above && a->of == b->of && a->in == b->in && a->kind == b->kind &&
	       a->window_s == b->window_s && a->within_s == b->within_s && a->per_s == b->per_s && a->value == b->value &&
	       a->clear == b->clear && a->deviations == b->deviations;
}

/* --- to text -------------------------------------------------------------------------------------------- */
static void show_real(double value, char out[48])
{
	for (int digits = 15; digits <= 17; digits++) {
		text_format(out, 48, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			return;
	}
}

static bool is_usual(const struct config_threshold *t, enum attribute a)
{
	switch (a) {
	case KIND:
		return t->kind == THRESHOLD_VALUE;
	case CLEAR:
		return t->clear == t->value;
	case OF:
	case IN:
		return t->of == 1 && t->in == 1;
	case WINDOW:
		return t->window_s == kinds[t->kind].window_s;
	case PER:
		return t->per_s == 1;
	case WITHIN:
		return t->within_s == WITHIN_S;
	case DEVIATIONS:
		return t->deviations == DEVIATIONS_USUAL;
	default:
		return false;
	}
}

const char *threshold_attribute(const struct config_threshold *t, unsigned a, bool sparse, char out[48])
{
	out[0] = '\0';
	if (!(kinds[t->kind].uses & BIT(a)) || (sparse && is_usual(t, (enum attribute)a)))
		return out;
	switch ((enum attribute)a) {
	case LEVEL:
		text_copy(out, 48, level_name(t->level));
		break;
	case KIND:
		text_copy(out, 48, kinds[t->kind].name);
		break;
	case ABOVE:
	case BELOW:
		if (t->above == (a == ABOVE))
			show_real(t->value, out);
		break;
	case CLEAR:
		show_real(t->clear, out);
		break;
	case OF:
	case IN:
		text_format(out, 48, "%u", a == OF ? t->of : t->in);
		break;
	case WINDOW:
		text_of_seconds(t->window_s, out, 48);
		break;
	case PER:
		for (size_t i = 0; i < COUNT_OF(pers); i++)
			if (pers[i].seconds == t->per_s)
				text_copy(out, 48, pers[i].name);
		break;
	case WITHIN:
		text_of_seconds(t->within_s, out, 48);
		break;
	case DEVIATIONS:
		show_real(t->deviations, out);
		break;
	}
	return out;
}

void threshold_text(const struct config_threshold *t, char out[THRESHOLD_TEXT])
{
	size_t used = 0;
	char value[48];

	out[0] = '\0';
	for (unsigned a = 0; a < THRESHOLD_ATTRIBUTES; a++) {
		if (!*threshold_attribute(t, a, true, value))
			continue;
		text_append(out, THRESHOLD_TEXT, &used, "%s%s%s%s", used ? " " : "", a <= KIND ? "" : threshold_attributes[a], a <= KIND ? "" : " ",
			    value);
	}
}

int threshold_parse(const char *text, struct config_threshold *out, struct error *e)
{
	static const char blanks[] = " \t";
	struct threshold_draft d = {0};
	char words[24][48];
	size_t count = 0;
	int rc = 0;

	for (const char *p = text + strspn(text, blanks); *p; p += strspn(p, blanks)) {
		size_t n = strcspn(p, blanks);
		if (count == COUNT_OF(words) || n >= sizeof words[0])
			return error_set(e, ERR_CONFIG, "threshold", "write: warning above 85 clear 80 of 3 in 5", "the threshold is too long");
		text_format(words[count++], sizeof words[0], "%.*s", (int)n, p);
		p += n;
	}
	if (count < 2)
		return error_set(e, ERR_CONFIG, "threshold", "write: warning above 85 clear 80 of 3 in 5", "the threshold is not complete");
	rc = threshold_set(&d, "level", words[0], e);
	size_t at = 1;
	for (unsigned k = 0; !rc && k < THRESHOLD_KINDS && at == 1; k++)
		if (!strcmp(words[1], kinds[k].name))
			rc = threshold_set(&d, "kind", words[at++], e);
	for (; !rc && at < count; at += 2)
		rc = at + 1 < count ? threshold_set(&d, words[at], words[at + 1], e)
				    : error_set(e, ERR_CONFIG, "threshold", "write a value behind it", "threshold: %s has no value", words[at]);
	if (!rc)
		rc = threshold_finish(&d, e);
	if (!rc)
		*out = d.t;
	return rc;
}
