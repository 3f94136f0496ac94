/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs over node control: a verb that a person may run on nodes, and rolling changes of software. jobs.c keeps, stores and resumes them as any
 * job; here is what they do. */
#ifndef GLORY_ENGINE_RUN_JOBS_H
#define GLORY_ENGINE_RUN_JOBS_H

#include "engine/engine.h"

struct run_job_request {
	const char *actor, *target, *reason, *set_key;
	enum job_verb verb;
	const char *line;     /* checked; what is said to each node */
	const char *software; /* its name; "" for JOB_VERB_RUN */
	uint32_t batch;       /* software: so many nodes at once */
	const struct model_selection *nodes;
	bool yes;
};
void run_jobs_make(struct engine *e, const struct run_job_request *request, job_accepted *done, void *arg);

/* --- jobs.c calls these */
/* Before the targets of a job are gone through: how many more may begin, and whether it must stop. */
void run_jobs_look(struct engine *e, struct job *job, int64_t now_ms);
void run_jobs_consider(struct engine *e, struct job *job, uint32_t target);
/* The target's intent is stored. */
void run_jobs_send(struct engine *e, struct job *job, uint32_t target);
/* Ends what is under way; true when something was. */
bool run_jobs_cancel(struct engine *e, struct job *job);

#endif
