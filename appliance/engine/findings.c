/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weaknesses of BMCs as alarms; see records.h. */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/records.h"

static const struct {
	enum bmc_finding finding;
	const char *part, *cause;
} findings[] = { /* a session table that is full is told as the trouble it is, once: MSG_BMC_FACTS says it in words */
	{BMC_FINDING_SUITE0, "suite-0", "bmc takes cipher suite 0: anybody may command it"},
	{BMC_FINDING_WEAK_SUITE, "weak-suites", "bmc offers weak cipher suites"},
	{BMC_FINDING_ANONYMOUS, "anonymous", "bmc log-in without name and password: disable it"},
	{BMC_FINDING_DEFAULT_PASSWORD, "default-password", "bmc still has a maker's well-known password"},
};

/* "bmc offers weak cipher suites 1 2 6": as many as fit. */
static void name_suites(uint32_t suites, char cause[CAUSE_SIZE])
{
	static const uint32_t good = 1u << 0 | 1u << 3 | 1u << 8 | 1u << 12 | 1u << 17; /* 0 has its own alarm */
	size_t used = strlen(cause);

	for (unsigned i = 0; i < 32; i++)
		if ((suites & ~good) >> i & 1)
			text_append(cause, CAUSE_SIZE, &used, " %u", i);
}

void records_findings(struct engine *e, const struct msg_bmc_facts *f)
{
	const struct model_node *n = &e->model.nodes[f->slot];
	const struct config_bmcmodel *m = cluster_find(&e->model.wanted, CONFIG_BMCMODEL, n->config.bmc_model);
	uint32_t told = m ? f->findings & ~m->accepted : f->findings;
	char cause[CAUSE_SIZE];

	for (size_t i = 0; i < COUNT_OF(findings); i++) {
		text_copy(cause, sizeof cause, findings[i].cause);
		if (findings[i].finding == BMC_FINDING_WEAK_SUITE)
			name_suites(f->suites, cause);
		alarms_level(e, f->slot, "bmc-finding", findings[i].part, told & findings[i].finding ? LEVEL_WARNING : LEVEL_NORMAL, cause);
	}
}

void records_findings_clear(struct engine *e, uint32_t slot)
{
	const char *name = e->model.nodes[slot].config.head.name;

	for (size_t i = 0; i < COUNT_OF(findings); i++)
		alarms_withdraw(e, name, "bmc-finding", findings[i].part);
	alarms_withdraw(e, name, "bmc-finding", "event-log");
}
