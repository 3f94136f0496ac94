#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The real glory-agent against real SNMP tools, with tests/agenttool in the place of supervisor and engine: reads, sets, repeats,
# rights, bad input, walks during writes, notifications to a real snmptrapd that comes and goes.
#
#   tests/system/agent.sh [BUILD-DIRECTORY]

set -u
cd "$(dirname "$0")/../.." || exit 1
B=${1:-${B:-build}}
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$B"
for tool in snmpget snmpset snmptable snmpbulkwalk snmptrapd; do
	command -v $tool >/dev/null || { echo "skipped: no $tool on this machine"; exit 77; }
done
[ -e "$B/mibs/base/.made" ] || { echo "skipped: no $B/mibs/base: run make mibs"; exit 77; }

E=$(mktemp -d)
trap 'exec 3>&-; wait; rm -rf "$E"' EXIT
mkdir -p "$E/data/agent" "$E/snmp" "$E/trapd"
export MIBDIRS="$B/mibs/base:$B/mibs" MIBS=GLORY-CL-MIB SNMPCONFPATH=/nonexistent SNMP_PERSISTENT_DIR="$E/snmp"
M=GLORY-CL-MIB::
AT=127.0.0.1:1161
NODES=${NODES:-300}

failed=0
fail() { echo "FAILED: $*" >&2; failed=1; }
# until SECONDS COMMAND...: waits for the command to succeed
until_true() {
	local end=$((SECONDS + $1)); shift
	until "$@" 2>/dev/null; do [ $SECONDS -lt $end ] || return 1; read -rt 0.05 <> <(:) || :; done
}
# expect TEXT COMMAND...: the output must hold the text
expect() {
	local text=$1 out; shift
	out=$("$@" 2>&1)
	grep -qF -- "$text" <<<"$out" || fail "$* said \"$out\", not \"$text\""
}
order() { echo "$*" >&3; }
said() { grep -qE -- "$1" "$E/out"; }
count_said() { grep -cE -- "$1" "$E/out"; }
# a fresh "ok WORD" line says that the order was carried out
ordered() {
	local before; before=$(count_said "^ok $1\$")
	order "$@"
	until_true 10 eval '[ "$(count_said "^ok '"$1"'\$")" -gt '"$before"' ]' || fail "no answer to the order $*"
}

viewer=(-v3 -l authPriv -u viewer -a SHA-256 -A viewer-authpass -x AES -X viewer-privpass -t 3 -r 0)
operator=(-v3 -l authPriv -u operator -a SHA-256 -A operator-authpass -x AES -X operator-privpass -t 8 -r 0)
admin=(-v3 -l authPriv -u admin -a SHA -A admin-authpass -x AES -X admin-privpass -t 8 -r 0)

mkfifo "$E/in"
"$B/tests/agenttool" "$B/libexec/glory/glory-agent" "$E/data" 1161 "$NODES" <"$E/in" >"$E/out" 2>"$E/err" &
exec 3>"$E/in"
until_true 10 said '^ready$' || { fail "the agent does not come up"; cat "$E/err"; exit 1; }

echo "- reads"
expect 'n00001' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.1
expect 'osHung(8)' snmpget "${viewer[@]}" $AT ${M}gloryNodeVerdict.4
expect 'gloryNodeCpuPercent.5 = INTEGER: -1' snmpget "${viewer[@]}" $AT ${M}gloryNodeCpuPercent.5
expect 'Counter64: 5000000000' snmpget "${viewer[@]}" $AT ${M}gloryAppliancePolls.0
expect 'No Such Instance' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.99999
expect 'No Such Object' snmpget "${viewer[@]}" $AT ${M}gloryNode.77.1
expect 'gloryNodeAddress.2 = STRING: 10.1.0.1' snmpget "${viewer[@]}" $AT ${M}gloryNodeAddress.2
expect 'No more variables' snmpbulkwalk "${viewer[@]}" $AT 1.3.6.1.7
rows=$(snmptable "${viewer[@]}" -Ci $AT ${M}gloryNodeTable | grep -cE '^ +[0-9]+ +n[0-9]{5} ')
[ "$rows" = "$NODES" ] || fail "snmptable shows $rows of $NODES nodes"
values=$(snmpbulkwalk "${viewer[@]}" $AT ${M}gloryNodeValueText | wc -l)
[ "$values" = $((3 * NODES)) ] || fail "$values of $((3 * NODES)) values"
# GETNEXT and GETBULK agree over the whole MIB
snmpwalk "${viewer[@]}" -On $AT .1.3.6.1.4.1.32473.1.1.3 >"$E/next"
snmpbulkwalk "${viewer[@]}" -Cr7 -On $AT .1.3.6.1.4.1.32473.1.1.3 >"$E/bulk"
cmp -s "$E/next" "$E/bulk" || fail "GETNEXT and GETBULK differ"

echo "- rights"
expect 'noAccess' snmpset "${viewer[@]}" $AT ${M}gloryNodePowerAction.2 i cycle
expect 'noAccess' snmpset "${operator[@]}" $AT ${M}gloryNodeMaintenance.2 i true
expect 'Authentication failure' snmpget "${viewer[@]}" -A another-pass $AT ${M}gloryNodeName.1
expect 'Unknown user' snmpget "${viewer[@]}" -u stranger $AT ${M}gloryNodeName.1
expect 'authorizationError' snmpget "${viewer[@]}" -l authNoPriv $AT ${M}gloryNodeName.1
expect 'Unknown user' snmpget "${viewer[@]}" -u weak $AT ${M}gloryNodeName.1
expect 'n00001' snmpget -v2c -c letmeread -t 3 -r 0 $AT ${M}gloryNodeName.1
expect 'noAccess' snmpset -v2c -c letmeread -t 3 -r 0 $AT ${M}gloryNodePowerAction.2 i cycle
expect 'Timeout' snmpget -v2c -c public -t 0.3 -r 0 $AT ${M}gloryNodeName.1
expect 'Timeout' snmpget -v1 -c letmeread -t 0.3 -r 0 $AT ${M}gloryNodeName.1
said '^command' && fail "a refused SET reached the engine"

echo "- sets"
expect 'cycle(5)' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.2 i cycle
said '^command 1 target=n00002 arguments=\{"verb":"cycle"\} actor=snmp:operator right=3$' || fail "the power command did not arrive as it should"
expect 'gloryNodePowerJob.2 = Gauge32: 1' snmpget "${viewer[@]}" $AT ${M}gloryNodePowerJob.2
expect 'snmp:operator' snmpget "${viewer[@]}" $AT ${M}gloryJobActor.1
expect 'wrongValue' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.2 i none
expect 'wrongType' env MIBS= snmpset "${operator[@]}" $AT .1.3.6.1.4.1.32473.1.1.4.1.1.11.2 s cycle
expect 'inconsistentName' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.99999 i cycle
expect 'notWritable' snmpset "${admin[@]}" $AT .1.3.6.1.4.1.32473.1.1.4.1.1.6.2 i 2
before=$(count_said '^command')
expect 'wrongValue' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.3 i cycle ${M}gloryNodePowerAction.4 i none
[ "$(count_said '^command')" = "$before" ] || fail "half of a bad SET was carried out"
expect 'true(1)' snmpset "${operator[@]}" $AT ${M}gloryAlarmAcknowledged.7 i true
expect 'snmp:operator' snmpget "${viewer[@]}" $AT ${M}gloryAlarmAcknowledgedBy.7
next=$(snmpget "${viewer[@]}" -Oqv $AT ${M}gloryNodeNextIndex.0)
[ "$next" = $((NODES + 1)) ] || fail "the next index is $next"
expect 'createAndGo(4)' snmpset "${admin[@]}" $AT ${M}gloryNodeRowStatus.$next i createAndGo ${M}gloryNodeName.$next s new1 \
	${M}gloryNodeGroup.$next s g01 ${M}gloryNodeAddress.$next s 10.9.9.9:1161 ${M}gloryNodeBmcAddress.$next s 10.9.9.8:623
said '^command 3 target=new1 arguments=\{"group":"g01","address":"10.9.9.9:1161","bmc":"10.9.9.8"\} actor=snmp:admin right=4' ||
	fail "the new node did not arrive as it should"
expect 'new1' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.$next
expect 'inconsistentName' snmpset "${admin[@]}" $AT ${M}gloryNodeRowStatus.999 i createAndGo ${M}gloryNodeName.999 s new2 \
	${M}gloryNodeGroup.999 s g01 ${M}gloryNodeAddress.999 s 10.9.9.9
expect 'inconsistentValue' snmpset "${admin[@]}" $AT ${M}gloryNodeRowStatus.$next i createAndGo ${M}gloryNodeName.$next s new2 \
	${M}gloryNodeGroup.$next s g01 ${M}gloryNodeAddress.$next s 10.9.9.9
expect 'destroy(6)' snmpset "${admin[@]}" $AT ${M}gloryNodeRowStatus.$next i destroy
expect 'No Such Instance' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.$next
expect 'wrongValue' snmpset "${admin[@]}" $AT ${M}gloryNodeRowStatus.$next i createAndWait
expect 'wrongValue' snmpset "${admin[@]}" $AT ${M}gloryNodeAddress.2 s 'no address'
ordered refuse refused
expect 'inconsistentValue' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.2 i off
ordered refuse no-resource
expect 'resourceUnavailable' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.2 i on
ordered refuse ok

echo "- repeats"
ordered relay 1171
before=$(count_said '^command 1 target=n00005')
ordered hold
snmpset "${operator[@]}" 127.0.0.1:1171 ${M}gloryNodePowerAction.5 i cycle >"$E/set" 2>&1 &
set_pid=$!
until_true 5 said '^command 1 target=n00005' || fail "the held SET did not arrive"
expect 'n00001' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.1 # reads go on while a SET waits
ordered release
wait $set_pid
grep -qF 'cycle(5)' "$E/set" || fail "the SET that came twice was answered: $(cat "$E/set")"
[ "$(count_said '^command 1 target=n00005')" = $((before + 1)) ] || fail "a SET that came twice at once went to the engine twice"
ordered again
until_true 5 said '^repeat n00005$' || fail "a later repeat did not carry the same key"

echo "- an engine that does not answer"
ordered hold
expect 'resourceUnavailable' snmpset "${operator[@]}" $AT ${M}gloryNodePowerAction.6 i cycle
ordered release

echo "- garbage"
ordered garbage 3000
expect 'n00001' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.1
expect 'n00001' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.1

echo "- walks while rows are written, come and go"
ordered busy 4000
walks=0
until said '^calm$'; do
	snmpbulkwalk "${viewer[@]}" -Cr50 -On $AT .1.3.6.1.4.1.32473.1.1.4.1 >"$E/walk" 2>&1 || fail "a walk during writes ended with: $(tail -1 "$E/walk")"
	awk -v nodes="$NODES" '{ n = split($1, a, "."); col = a[n-1]; row = a[n] + 0
		if (col == last_col && row <= last_row || col + 0 < last_col + 0) { print "not sorted at " $1; exit 1 }
		if (row <= nodes) seen[col]++; last_col = col; last_row = row }
		END { for (c in seen) if (seen[c] != nodes) { print "column " c " has " seen[c]; exit 1 } }' "$E/walk" || fail "a walk during writes was not whole"
	walks=$((walks + 1))
done
[ $walks -ge 2 ] || fail "only $walks walks during the writes"

echo "- notifications"
printf 'createUser noc SHA-256 noc-authpass AES noc-privpass\nauthUser log noc priv\nauthCommunity log traps\n' >"$E/trapd.conf"
trapd() {
	MIBS='' SNMP_PERSISTENT_DIR="$E/trapd" snmptrapd -f -n -C -c "$E/trapd.conf" -On -F '%V;%v\n' -Lf "$E/$1" udp:127.0.0.1:$2 2>/dev/null 3>&- &
	pid=$!
}
ids() { grep -oE '32473\.1\.1\.15\.1\.0 = Gauge32: [0-9]+' "$@" | grep -oE '[0-9]+$'; }
trapd inform 1162
ordered receiver inform 127.0.0.1:1162
ordered notify 10
until_true 15 said '^delivered inform-0 10$' || fail "informs were not acknowledged"
kill $pid; wait $pid 2>/dev/null
ordered notify 200
trapd traps 1163; traps=$pid
until_true 10 eval 'ss -lun | grep -q :1163' # a trap to a socket that is not there yet would be lost, by nature
ordered receiver trap2c 127.0.0.1:1163
until_true 15 said '^delivered trap2c-1 210$' || fail "traps did not leave while the other receiver was away"
expect 'n00001' snmpget "${viewer[@]}" $AT ${M}gloryNodeName.1
said '^delivered inform-0 210$' && fail "informs were acknowledged by nobody"
order kill # a new agent, with the receiver still away: the outbox gives it all that is not done
trapd inform2 1162
until_true 30 said '^delivered inform-0 210$' || fail "a receiver that was away did not get the rest"
kill $pid $traps; wait $pid $traps 2>/dev/null
want=$(seq 210)
[ "$(ids "$E/inform" "$E/inform2" -h | sort -nu)" = "$want" ] || fail "the set of event ids at the receiver is not the set of events"
[ "$(ids "$E/inform2" -h | uniq)" = "$(seq 11 210)" ] || fail "the informs after the absence came out of order"
[ "$(ids "$E/traps" -h | sort -nu)" = "$want" ] || fail "traps are missing"
grep -q '32473.1.0.5' "$E/inform" || fail "no job end among the notifications"

# syslog, and v3 traps to a receiver that was told the engine id
ordered listen 1514
ordered receiver syslog 127.0.0.1:1514
until_true 20 said '^syslog <[0-9]+>1 [0-9TZ:.-]+ glory1 glory - job-end \[glory@32473 event="209" ' || fail "no syslog line"
printf 'createUser -e 0x%s noc SHA-256 noc-authpass AES noc-privpass\nauthUser log noc priv\n' "$(sed -n 's/^id=//p' "$E/data/agent/engine")" >"$E/trapd.conf"
rm -rf "$E/trapd"; mkdir "$E/trapd"
trapd traps3 1164
until_true 10 eval 'ss -lun | grep -q :1164'
ordered receiver trap3 127.0.0.1:1164
until_true 20 said '^delivered trap3-3 210$' || fail "v3 traps did not leave"
until_true 5 eval '[ "$(ids "$E/traps3" | sort -nu)" = "$want" ]' || fail "v3 traps are missing"
kill $pid; wait $pid 2>/dev/null

engine1=$(sed -n 's/^id=//p' "$E/data/agent/engine"); boots=$(sed -n 's/^boots=//p' "$E/data/agent/engine")
[ "$boots" = 2 ] || fail "engine boots are $boots after one restart"
expect "$(sed 's/../& /g' <<<"${engine1^^}" | cut -c1-30)" snmpget "${viewer[@]}" $AT ${M}gloryApplianceEngineId.0

exec 3>&-
wait
said '^acted [0-9]+ end 0$' || fail "the agent did not end well: $(tail -1 "$E/out")"
grep -qE 'ERROR: |runtime error' "$E/err" && { fail "a sanitizer complained"; }
[ $failed = 0 ] || { cat "$E/err" >&2; exit 1; }
echo "agent: all good"
