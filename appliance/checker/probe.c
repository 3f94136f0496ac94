/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service probes, the pure part; see probe.h. */
#include "checker/probe.h"

#include <string.h>

#include "base/text.h"

enum { JITTER = 10, AGAIN = 4, AGAIN_MIN_MS = 100, FIRST_MAX_MS = 2000 };

/* --- what may be looked at -------------------------------------------------------------------------------- */
static bool texts_sound(const struct msg_member_probe *m)
{
	return text_terminated(m->name, sizeof m->name) && text_terminated(m->host, sizeof m->host) &&
	       text_terminated(m->path, sizeof m->path) && text_terminated(m->expect, sizeof m->expect) &&
	       text_terminated(m->plugin, sizeof m->plugin) && text_terminated(m->arguments, sizeof m->arguments);
}

static bool path_sound(const char *path)
{
	if (path[0] && path[0] != '/')
		return false;
	for (; *path; path++)
		if ((unsigned char)*path <= ' ' || (unsigned char)*path > '~')
			return false;
	return true;
}

static bool in(uint32_t value, uint32_t low, uint32_t high)
{
	return value >= low && value <= high;
}

bool probe_sound(const struct msg_member_probe *m)
{
	bool any_status = !m->status_low && !m->status_high;

	return texts_sound(m) && m->probe < PROBES_MAX && m->generation && in(m->kind, PROBE_TCP, PROBE_PLUGIN) && in(m->rise, 1, 100) &&
	       in(m->fall, 1, 100) && in(m->interval_ms, 200, 3600000) && in(m->timeout_ms, 50, 60000) &&
	       (m->address.family == 4 || m->address.family == 6) && (m->address.port || m->kind == PROBE_PLUGIN) &&
	       (any_status || (in(m->status_low, 100, 999) && in(m->status_high, m->status_low, 999))) && path_sound(m->path) &&
	       (!m->host[0] || text_is_name(m->host, sizeof m->host - 1)) &&
	       (m->kind != PROBE_PLUGIN || text_is_name(m->plugin, sizeof m->plugin - 1));
}

/* --- judging ----------------------------------------------------------------------------------------------- */
void probe_begin(struct probe_memory *p, int64_t now)
{
	*p = (struct probe_memory){.state = PROBE_UNKNOWN, .since_ms = now};
}

static bool become(struct probe_memory *p, enum probe_state state, int64_t now)
{
	if (p->state == state)
		return false;
	p->state = state;
	p->since_ms = now;
	return true;
}

bool probe_judge(struct probe_memory *p, const struct msg_member_probe *m, enum look_end end, int64_t now)
{
	bool good = end == LOOK_GOOD;

	if (end == LOOK_BLIND) {
		p->blind += p->blind < UINT16_MAX;
		if (p->blind < m->fall)
			return false;
		p->streak = 0; /* what was seen before does not count together with what comes after */
		return become(p, PROBE_UNKNOWN, now);
	}
	p->blind = 0;
	if (good != p->good)
		p->streak = 0;
	p->good = good;
	p->streak += p->streak < UINT16_MAX;
	if (p->streak < (good ? m->rise : m->fall))
		return false;
	return become(p, good ? PROBE_GOOD : PROBE_BAD, now);
}

/* --- saying it ----------------------------------------------------------------------------------------------- */
static void say_time(uint32_t ms, char *out, size_t size)
{
	if (ms >= 1000 && ms % 1000 == 0)
		text_format(out, size, "%u s", ms / 1000);
	else
		text_format(out, size, "%u ms", ms);
}

static void explain_good(const struct msg_member_probe *m, const struct look *look, char out[NAME_SIZE])
{
	if (m->kind == PROBE_PLUGIN)
		text_copy(out, NAME_SIZE, look->text && look->text[0] ? look->text : "its plugin is content");
	else if (m->kind == PROBE_TCP || m->kind == PROBE_TLS)
		text_format(out, NAME_SIZE, "%s in %u ms", m->kind == PROBE_TCP ? "connects" : "TLS", look->took_ms);
	else
		text_format(out, NAME_SIZE, "%d in %u ms", look->code, look->took_ms);
}

/* "error:0A00010B:SSL routines::wrong version number": what people understand stands at the end. */
static const char *last_words(const char *words)
{
	const char *colon = strrchr(words, ':');

	words = colon && colon[1] ? colon + 1 : words;
	return words + strspn(words, " ");
}

static void explain_bad(const struct msg_member_probe *m, const struct look *look, char out[NAME_SIZE])
{
	unsigned low = m->status_low ? m->status_low : 200, high = m->status_high ? m->status_high : 399;
	const char *words = look->text && look->text[0] ? look->text : "";
	char limit[24];

	switch (look->end) {
	case LOOK_LATE:
		say_time(m->timeout_ms, limit, sizeof limit);
		text_format(out, NAME_SIZE, "no answer in %s", limit);
		return;
	case LOOK_STATUS:
		text_format(out, NAME_SIZE, low == high ? "answers %d, %u wanted" : "answers %d, %u-%u wanted", look->code, low, high);
		return;
	case LOOK_TEXT:
		text_format(out, NAME_SIZE, "answers %d without \"%s\"", look->code, m->expect);
		return;
	case LOOK_CERTIFICATE:
		text_format(out, NAME_SIZE, "its certificate does not prove %s", m->host);
		return;
	case LOOK_TLS:
		words = last_words(words);
		text_format(out, NAME_SIZE, words[0] ? "no TLS: %s" : "no TLS", words);
		return;
	case LOOK_BLIND:
		text_format(out, NAME_SIZE, "cannot look: %s", words[0] ? words : strerror(look->code));
		return;
	case LOOK_PLUGIN:
		text_copy(out, NAME_SIZE, words[0] ? words : "its plugin says nothing");
		return;
	default:
		text_copy(out, NAME_SIZE, look->end == LOOK_REFUSED       ? "connection refused"
					  : look->end == LOOK_UNREACHABLE ? "no way to it"
					  : look->end == LOOK_CLOSED      ? "closed before an answer"
					  : look->end == LOOK_TOO_LONG    ? "its header does not end"
									  : "answers no HTTP");
	}
}

void probe_explain(const struct msg_member_probe *m, const struct look *look, char out[NAME_SIZE])
{
	if (look->end == LOOK_GOOD)
		explain_good(m, look, out);
	else
		explain_bad(m, look, out);
	text_make_printable(out);
}

/* --- when ------------------------------------------------------------------------------------------------------ */
static uint64_t key_of(const struct msg_member_probe *m)
{
	char key[NAME_SIZE + 16];

	text_format(key, sizeof key, "%.63s/%u/%u", m->name, m->address.port, m->kind);
	return text_hash(key, strlen(key));
}

static int64_t moment(const struct msg_member_probe *m, uint64_t key, int64_t round)
{
	uint64_t of_round[2] = {key, (uint64_t)round};

	return round * (int64_t)m->interval_ms + (int64_t)(key % m->interval_ms) +
	       (int64_t)(text_hash(of_round, sizeof of_round) % (m->interval_ms / JITTER));
}

int64_t probe_due(const struct msg_member_probe *m, int64_t after)
{
	uint64_t key = key_of(m);
	int64_t round = after / (int64_t)m->interval_ms - 2;

	while (moment(m, key, round) <= after)
		round++;
	return moment(m, key, round);
}

int64_t probe_first(const struct msg_member_probe *m, int64_t now)
{
	uint32_t within = m->interval_ms < FIRST_MAX_MS ? m->interval_ms : FIRST_MAX_MS;

	return now + (int64_t)(key_of(m) % within);
}

int64_t probe_again(const struct msg_member_probe *m, const struct probe_memory *p, int64_t began, int64_t now)
{
	int64_t due = probe_due(m, began), soon = now + (m->interval_ms / AGAIN > AGAIN_MIN_MS ? m->interval_ms / AGAIN : AGAIN_MIN_MS);

	if (p->state == PROBE_GOOD && p->streak && !p->good && soon < due)
		return soon;
	/* a look that lasted longer than the interval is followed at once, but never by two */
	return due > now ? due : now;
}

/* --- what an answer says ------------------------------------------------------------------------------------------ */
bool probe_body_take(struct probe_body *body, bool keep, const char *bytes, size_t size)
{
	size_t room = PROBE_BODY_MAX - body->size, n = size < room ? size : room;

	if (keep)
		memcpy(body->bytes + body->size, bytes, n);
	body->size += n;
	return body->size == PROBE_BODY_MAX;
}

enum look_end probe_answer(const struct msg_member_probe *m, int status, const struct probe_body *body)
{
	int low = m->status_low ? m->status_low : 200, high = m->status_high ? m->status_high : 399;

	if (status < low || status > high)
		return LOOK_STATUS;
	if (m->expect[0] && !memmem(body->bytes, body->size, m->expect, strlen(m->expect)))
		return LOOK_TEXT;
	return LOOK_GOOD;
}

void probe_url(const struct msg_member_probe *m, char url[PROBE_TARGET], char connect[PROBE_TARGET])
{
	const char *scheme = m->kind == PROBE_HTTP ? "http" : "https";
	char address[ADDRESS_TEXT];

	address_text(&m->address, 0, address);
	connect[0] = '\0';
	if (!m->host[0]) {
		text_format(url, PROBE_TARGET, "%s://%s/", scheme, address);
		return;
	}
	text_format(url, PROBE_TARGET, "%s://%s:%u/", scheme, m->host, m->address.port);
	text_format(connect, PROBE_TARGET, "::%s", address);
}
