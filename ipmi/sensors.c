/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipmi/bmc.h"
void sensors_forget(struct bmc_engine *e, struct bmc *b) { (void)e; (void)b; }
void sensors_abandon(struct bmc *b) { (void)b; }
static bool sensors_fill(struct bmc_engine *e, struct bmc *b, struct ipmi_command *c, bool *s) { (void)e;(void)b;(void)c;(void)s; return false; }
static void sensors_done(struct bmc_engine *e, struct bmc *b, enum bmc_error error, const struct ipmi_reply *r) { (void)e;(void)b;(void)error;(void)r; }
const struct procedure_table sensors_procedure = { sensors_fill, sensors_done, { 500, 1000 }, 1500 };
