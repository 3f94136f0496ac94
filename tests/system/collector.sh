#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# glory-collector against real snmpd (v2c, v3 with and without privacy), a dead port, a hung agent, a switch port, reference targets,
# its own link, and the walk of a captured server, seen through the messages it sends.
set -u
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
command -v snmpd >/dev/null || { echo "skipped: snmpd is not installed"; exit 77; }
B=${B:-build}
DRIVE=$B/tests/collectordrive COLLECTOR=$B/libexec/glory/glory-collector
for need in "$DRIVE" "$COLLECTOR"; do [ -x "$need" ] || { echo "skipped: $need is not built"; exit 77; }; done
T=$(mktemp -d)
export MIBS='' SNMP_PERSISTENT_DIR=$T/persist HOME=$T
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$T"' EXIT

failed=0
ok() { echo "ok   $1"; }
bad() { echo "FAIL $1"; failed=1; }
until_ok() { local end=$((SECONDS + $1)); until eval "$2" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; read -rt 0.05 <> <(:) || :; done; }
says() { grep -qE -- "$1" "$T/out"; }
# expect SECONDS NAME PATTERN
expect() { if until_ok "$1" "says '$3'"; then ok "$2"; else bad "$2"; grep -E "$(cut -d' ' -f1-3 <<<"$3")" "$T/out" | tail -n 3; fi; }
never() { if says "$2"; then bad "$1"; grep -E "$2" "$T/out" | head -n 2; else ok "$1"; fi; }
tell() { echo "$*" >&3; }

cat >"$T/objects" <<'OBJECTS'
1 0 1 1.3.6.1.2.1.1.3.0
2 0 1 1.3.6.1.4.1.2021.4.5.0
3 0 1 1.3.6.1.4.1.2021.10.1.5.1
4 0 1 1.3.6.1.4.1.99999.1.0
5 0 1 1.3.6.1.2.1.1.5.0
10 1 2 1.3.6.1.2.1.31.1.1.1.1 dummy
11 1 3 1.3.6.1.2.1.31.1.1.1.6
12 1 3 1.3.6.1.2.1.31.1.1.1.10
OBJECTS

# start TARGET...: the collector on these targets; $T/out is what it says, descriptor 3 tells it more
start() {
	rm -f "$T/in"
	mkfifo "$T/in"
	: >"$T/out"
	COLLECTOR_UID=${COLLECTOR_UID-64102} "$DRIVE" "$COLLECTOR" "$T/objects" "$@" <"$T/in" >"$T/out" 2>"$T/err" &
	drive=$!
	pids+=("$drive")
	exec 3>"$T/in"
	tell secret lab "community=lab"
	tell secret nodes "auth=authpass123|priv=privpass123"
	tell secret wrong "auth=otherpass123|priv=privpass123"
	until_ok 10 'says "^ready"' || { cat "$T/err"; bad "the collector does not come up"; exit 1; }
}
finish() {
	tell quit
	exec 3>&-
	wait $drive
	expect 5 "it ends when asked" '^end samples [0-9]+ exit 0'
}

# --- a real agent, v2c and v3 ------------------------------------------------------------------------------
mkdir -p "$T/persist"
cat >"$T/snmpd.conf" <<'CONF'
rocommunity lab
agentaddress udp:0.0.0.0:1161
sysname real
createUser glory SHA-256 "authpass123" AES "privpass123"
createUser plain SHA "authpass123"
rouser glory priv
rouser plain auth
CONF
ip link add veth9 type veth peer name dummy9 && ip link set veth9 up && ip link set dummy9 up
ip link add veth7 type veth peer name veth6
snmpd -f -LE 3 -C -c "$T/snmpd.conf" -p "$T/snmpd.pid" 2>"$T/snmpd.log" &
agent=$!
pids+=("$agent")
until_ok 10 'snmpget -v2c -c lab 127.0.0.1:1161 1.3.6.1.2.1.1.3.0' || { cat "$T/snmpd.log"; bad "snmpd does not answer"; exit 1; }

start "0=127.0.0.1:1161,1,lab" "1=127.0.0.2:1161,3,nodes,glory,1,1" "2=127.0.0.3:1199,1,lab" "3=127.0.0.4:1161,3,nodes,plain,2,0" \
	"4=127.0.0.5:1161,3,wrong,glory,1,1" "5=127.0.0.6:1161,3,nodes,nobody,1,1"
for slot in 0 1 3; do
	expect 10 "slot $slot: a value of each request" "^sample slot $slot object 2 instance 0 type [12] value [1-9]"
	expect 5 "slot $slot: an object it has not is missing" "^sample slot $slot object 4 instance 0 type 6 "
	expect 5 "slot $slot: text is no number" "^sample slot $slot object 5 instance 0 type 6 "
	expect 10 "slot $slot: rows are found" "^row slot $slot table 1 instance [1-9][0-9]* gone 0 name veth9"
	expect 10 "slot $slot: and polled" "^sample slot $slot object 11 instance [1-9][0-9]* type 5 value"
	expect 5 "slot $slot: its facts" "^facts slot $slot name real idlength [1-9]"
done
never "a filtered row is not read" "^row .* name dummy9"
expect 10 "one engine id at several addresses is noticed" "^facts slot [013] .* clone 1 of [013]$"
expect 10 "nobody on the port: refused" "^witness slot 2 S refused"
expect 10 "wrong keys: the agent lives" "^witness slot 4 S ans|^stats handled [1-9]"
until_ok 5 "grep -q 'refuses our keys' $T/err" && ok "wrong keys are named in the log" || bad "wrong keys are named in the log"
until_ok 5 "grep -q 'does not know the user' $T/err" && ok "an unknown user is named in the log" || { bad "an unknown user is named in the log"; cat "$T/err"; }
never "no sample from those" "^sample slot [245] "

kill -STOP $agent
expect 10 "a stopped agent is silent, its kernel answers" "^witness slot 0 S silent"
kill -CONT $agent
expect 10 "and back" "^witness slot 0 S ans flags [0-9]+ misses 0"
kill $agent
wait $agent 2>/dev/null
snmpd -f -LE 3 -C -c "$T/snmpd.conf" -p "$T/snmpd.pid" 2>"$T/snmpd.log" &
agent=$!
pids+=("$agent")
expect 15 "a restarted agent is noticed (v2c)" "^facts slot 0 .* restarted 1 rebooted 0"
expect 15 "a restarted agent is noticed (v3)" "^facts slot 1 .* restarted 1 rebooted 0"
n=$(grep -c '^sample slot 1 object 2' "$T/out")
until_ok 5 "[ \$(grep -c '^sample slot 1 object 2' $T/out) -gt $((n + 1)) ]" && ok "v3 goes on with the new boots" || bad "v3 goes on with the new boots"

# --- switch port and reference ---------------------------------------------------------------------------------
index=$(cat /sys/class/net/lo/ifindex)
tell port 0 127.0.0.9:1161 lab "$index"
expect 20 "the port of a node that sends" "^port slot 0 state 3"
asked=$(grep -c '^port slot 0' "$T/out")
tell ask-port 0
until_ok 15 "[ \$(grep -c '^port slot 0' $T/out) -gt $asked ]"
tail -n +1 "$T/out" | grep '^port slot 0' | tail -n1 | grep -q 'state 3' && ok "asked: it sends" || bad "asked: it sends"
tell port 1 127.0.0.9:1161 lab "$(cat /sys/class/net/veth7/ifindex)"
tell ask-port 1
expect 10 "a port that is down" "^port slot 1 state 2"
tell port 3 127.0.0.9:1161 lab "$(cat /sys/class/net/dummy9/ifindex)"
tell ask-port 3
expect 15 "a port that is up and still" "^port slot 3 state 4"
tell port 2 127.0.0.9:1199 lab 1
tell ask-port 2
expect 10 "a switch that does not answer says nothing" "^port slot 2 state 1"
tell reference 9 127.0.0.77
expect 5 "a reference target answers" "^reference domain 9 answers 1"
ip addr add 192.0.2.1/24 dev dummy9
tell reference 8 192.0.2.99
tell ask-reference 8
expect 10 "another is silent" "^reference domain 8 answers 0"
tell remove 3
n=$(grep -c '^sample slot 0 object 2' "$T/out")
until_ok 10 "[ \$(grep -c '^sample slot 0 object 2' $T/out) -gt $((n + 3)) ]"
n=$(grep -c '^sample slot 3 ' "$T/out") m=$(grep -c '^sample slot 0 object 2' "$T/out")
until_ok 10 "[ \$(grep -c '^sample slot 0 object 2' $T/out) -gt $((m + 3)) ]"
[ "$(grep -c '^sample slot 3 ' "$T/out")" = "$n" ] && ok "a removed node is not polled" || bad "a removed node is not polled"

# --- a path that takes small packets only ------------------------------------------------------------------------
ip link set lo mtu 120
n=$(grep -c '^sample slot 0 object 2' "$T/out")
until_ok 10 "[ \$(grep -c '^sample slot 0 object 2' $T/out) -gt $((n + 4)) ]" && ok "polls go on in pieces" || bad "polls go on in pieces"
ip link set lo mtu 65536
finish

# --- own link ------------------------------------------------------------------------------------------------------
ip netns add far
ip link add own type veth peer name peer netns far
ip addr add 198.51.100.1/24 dev own
ip link set own up
ip -n far addr add 198.51.100.2/24 dev peer
ip -n far link set peer up
ip -n far link set lo up
ip netns exec far snmpd -f -LE 3 -C -c "$T/snmpd.conf" 2>/dev/null &
pids+=($!)
until_ok 10 'snmpget -v2c -c lab 198.51.100.2:1161 1.3.6.1.2.1.1.3.0'
start "0=198.51.100.2:1161,1,lab"
expect 10 "a node behind the link" "^sample slot 0 object 2 "
never "no suspension before" "^judge reasons [1-9]*[2367]$"
ip -n far link set peer down
expect 3 "own carrier lost: suspended" "^judge reasons (2|3|6|7)$"
read -rt 3 <> <(:) || :
never "and nothing is called" "^witness slot 0 [SK] silent"
ip -n far link set peer up
until_ok 10 'tail -n 5 "$T/out" | grep -q "^judge reasons 0"' && ok "back: judging again" || bad "back: judging again"
finish

# --- agents that misbehave -------------------------------------------------------------------------------------------
if [ -x "$B/tests/swarm" ]; then
	. tests/lab/swarm/world
	swarm_world
	printf 'community=lab\nauth=authpass123\npriv=privpass123\n' >"$T/secret"
	set_knobs=()
	for knob in "1 drop 0.05" "2 dup 1" "3 wrong_id 1" "4 wrong_source 1" "5 endless 1" "7 truncate 1" "8 oversize 1" "9 loop 1" "10 clone 1" "11 half_dead 1" \
		"12 slow 1500" "13 refused 1"; do
		set_knobs+=(--set "agents $knob")
	done
	"$B/tests/swarm" --agents 14 --v3 6-10 --v3-user glory --secret "$T/secret" "${set_knobs[@]}" >"$T/swarm.log" 2>&1 &
	pids+=($!)
	until_ok 10 'snmpget -v2c -c lab 10.128.0.1 1.3.6.1.2.1.1.3.0' || { cat "$T/swarm.log"; bad "the swarm does not answer"; }
	cat >"$T/objects" <<'OBJECTS'
1 0 1 1.3.6.1.2.1.25.1.6.0
10 1 2 1.3.6.1.2.1.31.1.1.1.1 lo
11 1 3 1.3.6.1.2.1.31.1.1.1.6
OBJECTS
	targets=()
	for i in 0 1 2 3 4 5 11 12 13; do targets+=("$i=10.128.0.$((i + 1)):161,1,lab"); done
	for i in 6 7 8 9 10; do targets+=("$i=10.128.0.$((i + 1)):161,3,nodes,glory,1,1"); done
	start "${targets[@]}"
	for i in 0 1 2 5 6 8 9 10 12; do expect 15 "agent $i is polled" "^sample slot $i object 1 instance 0 type [1-5] "; done
	for i in 0 1 2 6 10; do expect 15 "agent $i: its rows" "^sample slot $i object 11 instance [1-9]"; done
	# where others answer after all a call wants 40 misses, 300 ms from one to the next: 12 s, and from the start once an echo was lost
	for i in 3 4 7 11; do expect 30 "agent $i is silent" "^witness slot $i [SK] silent"; done
	expect 15 "agent 12 is late, not silent" "^witness slot 12 S late"
	expect 15 "agent 13 refuses" "^witness slot 13 S refused"
	expect 15 "a cloned engine id is noticed" "^facts slot (6|10) .* clone 1 of (6|10)$"
	expect 15 "time goes on" "^stats handled [0-9]{3}"
	never "wrong answers bring no samples" "^sample slot (3|4|7|11|13) "
	never "loss and duplicates call nobody silent" "^witness slot (0|1|2|5|6|8|9|10|12) [SK] silent"
	never "no answers are dropped" "^stats .* dropped [1-9]"
	finish
else
	echo "skip agents that misbehave: $B/tests/swarm is not built"
fi

# --- a captured server ---------------------------------------------------------------------------------------------
if [ -r "${GLORY_TEST_DATA:-/nonexistent}/snmp/linux_server.snmprec" ] && [ -x "$B/tests/recorded" ]; then
	"$B/tests/recorded" 127.0.0.1:1162 "$GLORY_TEST_DATA/snmp/linux_server.snmprec" &
	pids+=($!)
	cat >"$T/objects" <<'OBJECTS'
1 0 1 1.3.6.1.4.1.2021.4.5.0
2 0 1 1.3.6.1.4.1.2021.11.50.0
10 1 2 1.3.6.1.2.1.31.1.1.1.1 lo
11 1 3 1.3.6.1.2.1.31.1.1.1.6
20 2 2 1.3.6.1.2.1.25.2.3.1.3 Physical,Virtual,Memory,Cached,Shared,Swap,/dev,/run,/sys,/proc
21 2 3 1.3.6.1.2.1.25.2.3.1.5
22 2 3 1.3.6.1.2.1.25.2.3.1.6
30 3 2 1.3.6.1.4.1.2021.13.15.1.1.2 loop,ram
31 3 3 1.3.6.1.4.1.2021.13.15.1.1.12
OBJECTS
	start "0=127.0.0.1:1162,1,lab"
	recorded() { grep -m1 "^$1|" "$GLORY_TEST_DATA/snmp/linux_server.snmprec" | cut -d'|' -f3 | tr -d '\r'; }
	# row NAME TABLE COLUMN-OBJECT NAME-OID VALUE-OID: the row is found and its value is that of the record
	row() {
		local index instance
		index=$(grep -E "^${4//./\\.}\.[0-9]+\|4x?\|$1"$'\r''?$' "$GLORY_TEST_DATA/snmp/linux_server.snmprec" | head -n1 | cut -d'|' -f1)
		[ -n "$index" ] || { bad "the record has no row $1"; return; }
		until_ok 10 "says '^row slot 0 table $2 instance [0-9]+ gone 0 name $1\$'" || { bad "row $1"; return; }
		instance=$(grep -E "^row slot 0 table $2 instance [0-9]+ gone 0 name $1\$" "$T/out" | head -n1 | cut -d' ' -f7)
		expect 10 "row $1: object $3 as recorded" "^sample slot 0 object $3 instance $instance type [1-5] value $(recorded "$5.${index##*.}") "
	}
	expect 10 "a scalar as recorded" "^sample slot 0 object 1 instance 0 type [1-3] value $(recorded 1.3.6.1.4.1.2021.4.5.0) "
	expect 10 "a counter as recorded" "^sample slot 0 object 2 instance 0 type [1-5] value $(recorded 1.3.6.1.4.1.2021.11.50.0) "
	row eth0 1 11 1.3.6.1.2.1.31.1.1.1.1 1.3.6.1.2.1.31.1.1.1.6
	row / 2 21 1.3.6.1.2.1.25.2.3.1.3 1.3.6.1.2.1.25.2.3.1.5
	row / 2 22 1.3.6.1.2.1.25.2.3.1.3 1.3.6.1.2.1.25.2.3.1.6
	never "memory is no disk" "^row .* name (Physical|Swap|/run|/dev)"
	finish
else
	echo "skip the captured server: GLORY_TEST_DATA is not set"
fi
exit $failed
