/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPMI as a driver: the BMC engine with its sockets. After each call the timer is set anew. Called by the bmc role. */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "ipmi/driver.h"
#include "ipmi/udp.h"

struct ipmi {
	struct bmc_udp *udp;
	struct bmc_engine *engine;
	struct bmc_hands hands; /* the role's */
};

/* --- the engine's hands: two are ours, the others go on to the role ------------------------------------ */

static void on_send(void *arg, const struct address *to, const void *data, size_t size)
{
	bmc_udp_send(((struct ipmi *)arg)->udp, to, data, size);
}

static void close_driver(void *driver)
{
	struct ipmi *d = driver;

	if (d->engine) {
		bmc_engine_close(d->engine);
		bmc_engine_free(d->engine);
	}
	if (d->udp)
		bmc_udp_free(d->udp);
	free(d);
}

static void *open_driver(const struct bmc_settings *settings, const struct bmc_hands *hands, int64_t now)
{
	struct ipmi *d = mem_zalloc(sizeof(*d));
	struct bmc_hands mine = *hands;

	mine.send = on_send;
	mine.random = bmc_udp_random;
	mine.arg = d;
	d->udp = bmc_udp_open();
	if (!d->udp) {
		log_error("udp socket: none could be opened: check the limit of open files");
		free(d);
		return NULL;
	}
	d->engine = bmc_engine_new(settings, &mine, now);
	if (d->engine)
		return d;
	log_error("libfreeipmi: its cryptography does not start: reinstall libgcrypt20");
	close_driver(d);
	return NULL;
}

static void attach(void *driver, struct loop *loop)
{
	struct ipmi *d = driver;

	bmc_engine_files(d->engine); /* without a thread it works as well, but waits for the disk */
	bmc_udp_attach(d->udp, loop, d->engine);
}

/* --- what is asked ------------------------------------------------------------------------------------- */

static int target(void *driver, const struct msg_bmc_target *m, int64_t now, struct error *error)
{
	struct ipmi *d = driver;
	int bad = bmc_engine_target(d->engine, m, now, error);

	bmc_udp_rearm(d->udp);
	return bad;
}

static void remove_target(void *driver, uint32_t slot, uint32_t generation, int64_t now)
{
	struct ipmi *d = driver;

	bmc_engine_remove(d->engine, slot, generation, now);
	bmc_udp_rearm(d->udp);
}

static void begin(void *driver)
{
	bmc_engine_begin(((struct ipmi *)driver)->engine);
}

static void end(void *driver, int64_t now)
{
	struct ipmi *d = driver;

	bmc_engine_end(d->engine, now);
	bmc_udp_rearm(d->udp);
}

static int secret(void *driver, const char *name, const char *text, int64_t now, struct error *error)
{
	struct ipmi *d = driver;
	int bad = bmc_engine_secret(d->engine, name, text, now, error);

	bmc_udp_rearm(d->udp);
	return bad;
}

#define FORWARD(verb, message)                                                           \
	static void verb(void *driver, const struct message *m, int64_t now)             \
	{                                                                                \
		struct ipmi *d = driver;                                                 \
                                                                                         \
		bmc_engine_##verb(d->engine, m, now);                                    \
		bmc_udp_rearm(d->udp);                                                   \
	}
FORWARD(power, msg_power)
FORWARD(read, msg_bmc_read)
FORWARD(sel_known, msg_sel_known)
FORWARD(sel_clear, msg_sel_clear)
FORWARD(pet, msg_pet)

static void counts(void *driver, struct bmc_counts *out)
{
	bmc_engine_counts(((struct ipmi *)driver)->engine, out);
}

const struct bmc_driver ipmi_driver = {.name = "ipmi",
				       .open = open_driver,
				       .attach = attach,
				       .close = close_driver,
				       .target = target,
				       .remove = remove_target,
				       .begin = begin,
				       .end = end,
				       .secret = secret,
				       .power = power,
				       .read = read,
				       .sel_known = sel_known,
				       .sel_clear = sel_clear,
				       .pet = pet,
				       .counts = counts};
