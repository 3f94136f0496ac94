#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `make run` shows a new user: it comes up within a minute, every line it prints works as pasted, a second one refuses, Ctrl-C leaves nothing.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
B=${GLORY_BUILD:-$PWD/build}
log=$B/run-test.log failed=0
ok() { echo "ok      $1"; }
bad() { echo "FAILED  $1"; failed=$((failed + 1)); }
try() { # try TEXT COMMAND...
	local text=$1
	shift
	if out=$("$@" 2>&1); then ok "$text"; else bad "$text: $out"; fi
}
wait_for() { # wait_for SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.1 <> <(:)
	done
	return 0
}
[ ! -e "$B/run/pid" ] || rm -f "$B/run/pid"
# a /tmp of our own: what is new in it is ours
case $B in /tmp/*) ;; *) mount -t tmpfs tmp /tmp || exit 77 ;; esac
ls -A /tmp >"$B/tmp.before"
tests/lab/run "$B" 4 2 >"$log" 2>&1 &
run=$!
if wait_for 60 grep -q 'Ctrl-C ends everything' "$log"; then
	ok 'comes up within a minute'
else
	bad "no screen within a minute: $(tail -n 20 "$log")"
	kill -TERM $run 2>/dev/null
	exit 1
fi
out=$(tests/lab/run "$B" 4 2 2>&1) && bad 'a second one starts' || { case $out in *"$run"*) ok 'a second one refuses and names the pid' ;; *) bad "second: $out" ;; esac; }
# shellcheck source=/dev/null
. "$B/run/env"
wait_for 30 sh -c 'gloryctl node list --json | jq -e "all(.[]; .verdict == \"up\")"' || bad 'nodes are not up'
try 'gloryctl node list' gloryctl node list
try 'snmptable' sh -c 'snmptable -Cb 127.0.0.1:1161 GLORY-CL-MIB::gloryNodeTable | grep -q n004'
if wait_for 120 sh -c 'gloryctl service show web | grep -q in-service && curl -sf -m 2 http://10.99.0.100/ | grep -q "^n00"'; then ok 'the web service answers behind HAProxy'; else bad "the web service does not answer: $(gloryctl service show web 2>&1)"; fi
try 'gloryctl service explain' gloryctl service explain web
try 'lab demand' lab demand 0
try 'gloryctl power cycle' gloryctl power cycle n001
try 'snmpset' snmpset 127.0.0.1:1161 GLORY-CL-MIB::gloryNodePowerAction.2 = cycle
try 'lab crash' lab crash n003
if wait_for 15 sh -c 'gloryctl node list --json | jq -e "any(.[]; .name == \"n003\" and .verdict == \"os-hung\")"'; then ok 'the crash is seen'; else bad 'the crash is not seen'; fi
try 'lab start' lab start n003
wait_for 100 test -e "$B/run/var/rrd/demo/g01/n001/snmp/base.rrd"
rows() { gloryctl graph n001 cpu load1 -o "$B/graph.png" && rrdtool lastupdate "$B/run/var/rrd/demo/g01/n001/snmp/base.rrd" | grep -qE '^[0-9]+:.*[0-9]'; }
if wait_for 120 rows; then ok 'a graph with data'; else bad 'no graph with data after two minutes'; fi
case $(file -b "$B/graph.png" 2>/dev/null || head -c 8 "$B/graph.png" | od -c | head -n 1) in *PNG* | *"P   N   G"*) ok 'it is a PNG' ;; *) bad 'no PNG' ;; esac
curl -sf http://127.0.0.1:8080/ | grep -q n004 && ok 'the web page' || bad 'the web page'
kill -TERM $run
wait $run
[ -z "$(ip netns list)" ] && ok 'no namespace is left' || bad "namespaces: $(ip netns list)"
left=$(ps -A -o args= | grep -E '^(glory|snmpd|ipmi_sim|nginx|haproxy|/usr/sbin/(snmpd|sshd|nginx|haproxy))' | grep -v grep)
[ -z "$left" ] && ok 'no process is left' || bad "processes: $left"
[ -c /dev/null ] && ok '/dev/null is a device' || bad '/dev/null'
grep -q " $B" /proc/mounts && bad "mounts: $(grep " $B" /proc/mounts)" || ok 'no mount is left'
new=$(ls -A /tmp | diff "$B/tmp.before" - | grep '^>')
[ -z "$new" ] && ok 'nothing new in /tmp' || bad "in /tmp: $new"
new=$(find /etc /root /var /home -xdev -path "$(readlink -f "$B")" -prune -o -newer "$B/tmp.before" \( -ipath '*snmp*' -o -ipath '*ipmi*' -o -ipath '*glory*' -o -ipath '*rrd*' -o -ipath '*nginx*' -o -ipath '*haproxy*' \) -type f -print 2>/dev/null)
[ -z "$new" ] && ok 'no file outside the build directory' || bad "files: $new"
echo "run: $failed failed"
[ $failed = 0 ]
