/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs that take nodes from one pool to another while the site runs: drain (members go, none come), leave the old pool, reconfigure (software of the
 * new pool's services), join the new one. jobs.c keeps, stores and resumes them as any job, by way of run_jobs.c; here is what they do. Every step
 * may be done again: a node that has left already leaves, one that is in has joined. */
#ifndef GLORY_ENGINE_ROLE_JOBS_H
#define GLORY_ENGINE_ROLE_JOBS_H

#include "engine/engine.h"

struct role_job_request {
	const char *actor, *target, *reason, *set_key, *pool;
	const struct model_selection *nodes;
	bool yes;
};
void role_jobs_make(struct engine *e, const struct role_job_request *request, job_accepted *done, void *arg);
/* The node is on its way: its members go, no other may come. */
bool role_jobs_hold(struct engine *e, uint32_t slot);

/* --- run_jobs.c calls these */
void role_jobs_look(struct engine *e, struct job *job);
void role_jobs_consider(struct engine *e, struct job *job, uint32_t target);
void role_jobs_send(struct engine *e, struct job *job, uint32_t target); /* the step's intent is stored */
bool role_jobs_cancel(struct engine *e, struct job *job);                /* only who has not left yet; true when somebody has not */

#endif
