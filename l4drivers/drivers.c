/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The families, and the small things every driver needs; see driver.h. */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "l4drivers/driver.h"

static const struct driver *const drivers[] = {&driver_haproxy, &driver_alteon, &driver_serveriron, &driver_cisco, &driver_nftables, &driver_f5};

const struct driver *driver_find(const char *family)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (!strcmp(drivers[i]->family, family))
			return drivers[i];
	return NULL;
}

int64_t driver_left_ms(const struct driver_run *run)
{
	int64_t left = run->deadline_ms - clock_mono_ms();

	return left > 0 ? left : 0;
}

int driver_late(const struct driver_run *run, struct error *e, const char *what)
{
	return error_set(e, ERR_REMOTE, run->object, "see whether it is reachable, or raise the option deadline", "%s: the time is over", what);
}

void driver_pause(const struct driver_run *run, int ms)
{
	int64_t left = driver_left_ms(run);

	poll(NULL, 0, left < ms ? (int)left : ms);
}

const char *driver_option(const struct driver_run *run, const char *name, const char *otherwise)
{
	return picture_option(run->asked, name, otherwise);
}

int driver_number(const struct driver_run *run, const char *name, int64_t low, int64_t high, int64_t *out, struct error *e)
{
	const char *text = driver_option(run, name, NULL);

	if (!text || text_integer(text, low, high, out))
		return 0;
	return error_set(e, ERR_CONFIG, run->object, "correct the balancer's options", "option %s: %s is not between %lld and %lld", name, text,
			 (long long)low, (long long)high);
}

const char *driver_prefix(const struct driver_run *run, const struct driver *driver)
{
	return driver_option(run, "prefix", driver->prefix);
}

const char *driver_scheduler_word(const struct driver *driver, int value)
{
	for (const struct driver_scheduler *s = driver->can.schedulers; s->word; s++)
		if (s->value == value)
			return s->word;
	return "other";
}

static const struct driver_scheduler *scheduler_find(const struct driver *driver, const char *word)
{
	for (const struct driver_scheduler *s = driver->can.schedulers; s->word; s++)
		if (!strcmp(s->word, *word ? word : "wrr"))
			return s;
	return NULL;
}

int driver_scheduler_value(const struct driver *driver, const char *word)
{
	const struct driver_scheduler *s = scheduler_find(driver, word);

	return s ? s->value : driver->can.schedulers[0].value;
}

const char *driver_scheduler_text(const struct driver *driver, const char *word)
{
	const struct driver_scheduler *s = scheduler_find(driver, word);

	return s ? s->text : driver->can.schedulers[0].text;
}
