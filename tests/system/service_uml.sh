#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The life of a web service behind the kernel's own IPVS, by direct routing and by NAT: a pair of directors with VRRP, nodes, appliance and client, all
# inside one user-mode Linux; service_uml.py is what happens there. Skipped with a word where that is not installed.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
B=$(readlink -f "${GLORY_BUILD:-${B:-build}}")
for tool in ipvsadm keepalived nginx snmpd ipmi_sim /usr/bin/python3; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed, run make deps"; exit 77; }
done
for program in bin/gloryd libexec/glory/glory-ipvs tests/uml-clock.so; do
	[ -x "$B/$program" ] || { echo "skipped: $B/$program is not built"; exit 77; }
done
if [ -n "${GLORY_UML:-}" ]; then
	# its own kernel is private enough
	for m in ip_vs ip_vs_wrr veth bridge; do modprobe $m || { echo "skipped: the guest has no module $m"; exit 77; }; done
	GLORY_BUILD=$B GLORY_PRIVATE=1 exec /usr/bin/python3 tests/system/service_uml.py "$@"
fi
# service_uml.sh [MODE [SCENE...]]
status=0
modes=("${@:1:1}") scenes=("${@:2}")
if [ $# = 0 ] && [ -z "${GLORY_LONG:-}" ]; then
	modes=(direct) scenes=(comes_up fails_over crashed)
	echo "note: the short form is a failover and a crash by direct routing; GLORY_LONG=1 has the whole life, by NAT, too"
elif [ $# = 0 ]; then
	modes=(direct nat)
fi
for mode in "${modes[@]}"; do
	echo "# $mode"
	GLORY_BUILD=$B tests/lab/uml/boot -m 1024 -c 50 -t "${GLORY_UML_SECONDS:-1500}" "$0" "$mode" "${scenes[@]}"
	code=$?
	[ $code = 0 ] || status=$code
	[ $code != 77 ] || break
done
exit $status
