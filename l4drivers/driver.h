/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a family of L4 switches is to the program glory-l4: what it can do, as a table, and four functions. A driver sees this header, the
 * neutral picture and appliance/base, nothing else of the appliance. The frame (run.c) checks what is wanted against the table, makes it what
 * the device would show, works out the difference, has the steps made, reads back and compares; a driver only reads and makes one step.
 * Functions return 0 or a negative error kind with *e; ERR_REMOTE means that the device did not answer (the frame reads and tries again). */
#ifndef GLORY_L4_DRIVER_H
#define GLORY_L4_DRIVER_H

#include "balance/picture.h"

/* A scheduler's word in LVS's language and the device's number or word for it. Words with the same value are one to the device: the first
 * of them is what is shown. */
struct driver_scheduler {
	const char *word;
	int value;
	const char *text;
};

struct driver_can {
	uint32_t weight_max;      /* 0: members are on or off, no more */
	bool weight_zero;         /* weight 0 drains; else draining is a state of its own (the driver makes it of weight 0) */
	bool weight_of_host;      /* one weight for all virtual servers a host serves: the greatest wanted is set */
	bool create;              /* virtual servers and members can be made and removed ... */
	bool let_out;             /* ... or at least let out, which counts as removed: none of them is read back then */
	bool commit;              /* changes are pending until STEP_COMMIT; STEP_REVERT drops them */
	bool save;                /* what runs is lost at a restart until STEP_SAVE */
	bool asynchronous_delete; /* a removal is accepted at once and done later: result.pending */
	bool statistics;          /* counts are read */
	bool udp, fwmark, ipv6, limits, one_port; /* limits: connections_max; one_port: members of a virtual server serve on the same port */
	bool persistence;         /* for a time that can be chosen ... */
	uint32_t persistence_fixed; /* ... or for this one, 0: none */
	unsigned forwardings;     /* bits: 1 << enum forwarding */
	size_t name_max;          /* longest name of a virtual server on the device, prefix included */
	size_t reals_max;         /* of a virtual server */
	const struct driver_scheduler *schedulers; /* ends with word NULL */
};

enum driver_step_kind { STEP_BEGIN = 1, STEP_CHANGE, STEP_TIDY, STEP_COMMIT, STEP_SAVE, STEP_REVERT };
struct driver_step {
	enum driver_step_kind kind;
	/* STEP_CHANGE: the change and the rows it is about; want is NULL for what goes, have for what comes */
	const struct picture_change *change;
	const struct picture_virtual *want, *have;
	const struct picture_real *want_real, *have_real;
};

struct driver_run {
	const struct picture *want;    /* as the device would show it; sorted; refused virtual servers are not in it */
	const struct picture *asked;   /* as it came: options, target, credential */
	struct picture have;           /* of the last read; sorted by the frame */
	struct picture_result *result; /* drivers raise commands, foreign, pending and write note */
	int64_t deadline_ms;           /* monotonic: of the whole run but for taking back what is pending, which may take 4 s more */
	char object[96];               /* "switch 10.0.0.4:161": for errors */
	bool untidy;                   /* set by read: rows of ours belong to nothing; STEP_TIDY removes them */
	bool unsaved;                  /* set by read and commit: what a restart would bring is not what runs */
	void *state;                   /* the driver's own */
};

struct driver {
	const char *family; /* enum balancer_driver's word */
	struct driver_can can;
	const char *const *options; /* names it knows besides deadline, prefix, save; ends with NULL */
	const char *prefix;         /* in front of our names on the device; option "prefix" */
	int (*open)(struct driver_run *run, struct error *e);
	/* What is ours into run->have (empty before): virtual servers by the names they have in want (picture_adopt_names() where the
	 * device keeps none), with weights, schedulers and forwarding as the frame would want them. Sets run->unsaved and run->untidy. */
	int (*read)(struct driver_run *run, struct error *e);
	int (*apply)(struct driver_run *run, const struct driver_step *step, struct error *e);
	void (*close)(struct driver_run *run); /* also after a failed open */
};

extern const struct driver driver_haproxy, driver_alteon, driver_serveriron, driver_cisco, driver_nftables, driver_f5;
/* The driver of a family; NULL for none. */
const struct driver *driver_find(const char *family);

/* --- for drivers ---------------------------------------------------------------------------------------- */

int64_t driver_left_ms(const struct driver_run *run); /* 0 when the deadline is over */
int driver_late(const struct driver_run *run, struct error *e, const char *what); /* fills e; returns ERR_REMOTE */
/* Waits so long, but not beyond the deadline. */
void driver_pause(const struct driver_run *run, int ms);
const char *driver_option(const struct driver_run *run, const char *name, const char *otherwise);
/* A whole number of an option within [low, high]; *out keeps its value when the option is not there. 0 or ERR_CONFIG. */
int driver_number(const struct driver_run *run, const char *name, int64_t low, int64_t high, int64_t *out, struct error *e);
const char *driver_prefix(const struct driver_run *run, const struct driver *driver);
const char *driver_scheduler_word(const struct driver *driver, int value); /* "other" for what is not in the table: it is set anew */
int driver_scheduler_value(const struct driver *driver, const char *word); /* of a word in the table */
const char *driver_scheduler_text(const struct driver *driver, const char *word);

/* --- the frame ------------------------------------------------------------------------------------------ */

/* Does all of it; *out is filled (cleared before) and its status returned. deadline_ms: monotonic. */
int driver_run(const struct driver *driver, const struct picture *asked, int64_t deadline_ms, struct picture_result *out);
/* The pure part: what of `asked` the device can have, as it would show it, into *want; the first refusal in *e, and how many virtual servers
 * were left out as result. */
unsigned driver_normalise(const struct driver *driver, const struct picture *asked, const char *prefix, struct picture *want, struct error *e);

#endif
