/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fixed list of roles and helpers; see role_table.h. */
#include "proc/role_table.h"

#include "board/messages.h"

#define USE(s) (1u << (s))

const struct role_entry role_table[ROLE_COUNT] = {
	[ROLE_ENGINE] = {.role = ROLE_ENGINE, .program = "glory-engine", .account = "glory-engine", .uid_offset = 0,
			 .directories = {"store", "stats"}, .files = true, .threads = true, .nice = -8},
	[ROLE_COLLECTOR] = {.role = ROLE_COLLECTOR, .program = "glory-collector", .account = "glory-collector", .uid_offset = 1,
			    .secret_classes = {SECRET_SNMP}, .sockets = USE(SOCKET_ECHO4) | USE(SOCKET_ECHO6) | USE(SOCKET_TRAP),
			    .network = true, .nice = -10},
	[ROLE_BMC] = {.role = ROLE_BMC, .program = "glory-bmc", .account = "glory-bmc", .uid_offset = 2, .directories = {"sdr"},
		      .secret_classes = {SECRET_BMC}, .network = true, .files = true, .threads = true, .nice = -5},
	[ROLE_RECORDER] = {.role = ROLE_RECORDER, .program = "glory-recorder", .account = "glory-recorder", .uid_offset = 3,
			   .directories = {"rrd", "journal"}, .files = true, .threads = true},
	[ROLE_AGENT] = {.role = ROLE_AGENT, .program = "glory-agent", .account = "glory-agent", .uid_offset = 4,
			.directories = {"agent"}, .secret_classes = {SECRET_USM, SECRET_NOTIFY}, .sockets = USE(SOCKET_AGENT),
			.network = true, .files = true},
	[ROLE_API] = {.role = ROLE_API, .program = "glory-api", .account = "glory-api", .uid_offset = 5,
		      .secret_classes = {SECRET_TLS, SECRET_HTTPS}, .sockets = USE(SOCKET_API) | USE(SOCKET_HTTP) | USE(SOCKET_HTTPS), .threads = true},
	[ROLE_CHECKER] = {.role = ROLE_CHECKER, .program = "glory-checker", .account = "glory-checker", .uid_offset = 6, .network = true,
			  .exec = EXEC_PLUGINS, .nice = -5},
	[ROLE_RUNNER] = {.role = ROLE_RUNNER, .program = "glory-runner", .account = "glory-runner", .uid_offset = 7, .directories = {"runner"},
			 .secret_classes = {SECRET_SSH, SECRET_SNMP}, .network = true, .files = true, .exec = EXEC_PROGRAMS,
			 .programs = {"/usr/bin/ssh", "glory-l4"}},
};

const struct helper_entry helper_table[HELPER_COUNT] = {
	[HELPER_GRAPHER] = {.program = "glory-grapher", .uid_offset = 10, .group_of = ROLE_RECORDER, .data = true},
	[HELPER_XML] = {.program = "glory-xml", .uid_offset = 11},
	[HELPER_IPVS] = {.program = "glory-ipvs", .uid_offset = 12, .net_admin = true},
};
