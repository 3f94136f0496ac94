#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The bench's own tools, small: the raw client gets every answer, also late and lost ones are told apart, the canned table walks whole.
set -u
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
B=${GLORY_BUILD:-${B:-build}}
for need in swarm raw walkcanned; do [ -x "$B/tests/$need" ] || { echo "skipped: $B/tests/$need is not built"; exit 77; }; done
command -v snmpbulkwalk >/dev/null || { echo "skipped: snmpbulkwalk is not installed"; exit 77; }
. tests/bench/lib.sh
. tests/lab/swarm/world
swarm_world
T=$(mktemp -d)
export MIBS='' HOME=$T
SWARM='' CANNED=''
trap '[ -n "$SWARM" ] && kill $SWARM; [ -n "$CANNED" ] && kill $CANNED; rm -rf "$T"' EXIT
failed=0
ok() { echo "ok   $1"; }
bad() { echo "FAIL $1: $2"; failed=1; }
equal() { [ "$2" = "$3" ] && ok "$1" || bad "$1" "$2, not $3"; }
ctl() { "$B/tests/swarm" ctl "$T/ctl" "$@"; }
report() { ctl report | grep "\"$1\": {" | json_number "$2"; }

"$B/tests/swarm" --agents 300 --ctl "$T/ctl" --interval 1000 >"$T/log" 2>&1 &
SWARM=$!
wait_for 10 'ctl ping' || { cat "$T/log"; exit 1; }

ctl reset
"$B/tests/raw" --agents 300 --sweeps 2 >"$T/raw"
equal "every agent answers in both sweeps" "$(grep -c '"answered": 300' "$T/raw")" 2
equal "the swarm saw as many" "$(report sums gets)" 600
equal "the values were looked up once" "$(report sums cache_hits)" 599
"$B/tests/raw" --agents 300 --echo >"$T/raw"
equal "every agent echoes" "$(json_number answered <"$T/raw")" 300
ctl reset
"$B/tests/raw" --agents 300 --interval 1000 --sweeps 3 >"$T/raw"
equal "paced: every agent answers in all sweeps" "$(grep -c '"answered": 300' "$T/raw")" 3
equal "paced: nobody is left out" "$(report agents never_polled)" 0
ctl set agents 0-29 dead 1
ctl set agents 30-59 dup 1
"$B/tests/raw" --agents 300 >"$T/raw"
equal "the dead ones are missed" "$(json_number answered <"$T/raw")" 270
"$B/tests/raw" --agents 300 --window 16 >"$T/raw"
equal "a window full of dead ones goes on" "$(json_number answered <"$T/raw")" 270
equal "second answers are late ones" "$(json_number late <"$T/raw")" 30

"$B/tests/walkcanned" --rows 500 --columns 7 --port 11161 >"$T/canned" &
CANNED=$!
wait_for 10 'grep -q ready "$T/canned"'
snmpbulkwalk -v2c -c lab -On -Cr50 127.0.0.1:11161 1.3.6.1.4.1.32473.1.1.4.1.1 >"$T/walk" 2>&1
equal "the canned table walks whole" "$(grep -c '^\.1\.3\.6\.1\.4\.1\.32473\.1\.1\.4\.1\.1\.' "$T/walk")" 3501
equal "and ends" "$(grep -c 'No more variables' "$T/walk")" 1
snmpwalk -v2c -c lab -On 127.0.0.1:11161 1.3.6.1.4.1.32473.1.1.4.1.1.3 >"$T/next" 2>&1
equal "GETNEXT walks a column" "$(wc -l <"$T/next")" 500
grep -v 'No more' "$T/walk" | grep '\.1\.1\.3\.' | cmp -s - "$T/next" && ok "as GETBULK does" || bad "as GETBULK does" "they differ"

"$B/tests/walkcanned" --rows 500 --columns 7 --port 11162 --bare >"$T/bare" &
BARE=$!
wait_for 10 'grep -q ready "$T/bare"'
snmpbulkwalk -v2c -c lab -On -Cr50 127.0.0.1:11162 1.3.6.1.4.1.32473.1.1.4.1.1 2>&1 | cmp -s - "$T/walk" && ok "the bare handler says the same" ||
	bad "the bare handler says the same" "it differs"
kill $BARE
kill $SWARM
wait $SWARM 2>/dev/null
SWARM=''
NODES=250 ROUNDS=1 GLORY_BENCH_SESSION=1 tests/bench/run "$B" short sweep growth rrd >"$T/bench" 2>"$T/bench.err" && ok "the bench's parts run" ||
	bad "the bench's parts run" "$(tail -n 3 "$T/bench.err")"
for part in 'v2c, CPU .* raw client *[0-9]' 'v3 authPriv.* [0-9]' 'net-snmp, 16 threads.* [0-9]' 'growth: sweep of 500.* [0-9]' 'rrd_update_r of 30.* [0-9]'; do
	grep -q "$part" "$T/bench" && ok "it prints: $part" || bad "it prints: $part" "$(tail -n 1 "$T/bench.err")"
done

[ "$(SAMPLES=() && sample x 3 && sample x 1 && sample x 2 && spread x)" = "1.00 2.00 3.00" ] && ok "spread" || bad "spread" "wrong"
exit $failed
