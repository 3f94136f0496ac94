/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /v1/traps: the newest traps, as the engine keeps them; /v1/traps/senders: whose datagrams were refused. */
#include "api/ask.h"
#include "api/routes.h"

void traps_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_pages(r, QUERY_TRAPS, r->query.range);
}

void trap_senders_run(struct request *r, const struct route *route)
{
	(void)route;
	ask_pages(r, QUERY_TRAP_SENDERS, "");
}
