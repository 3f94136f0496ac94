#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The laboratory keeps what it promises: every part answers the stock tools, every fault and its undo is seen by them, a power cycle
# really restarts a node, and nothing is left afterwards. Run by `make check`.

set -u
cd "$(dirname "$0")/../.." || exit 1
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
for tool in ip snmpd snmpget sshd ipmi_sim sdrcomp ipmipower bmc-info ipmi-sensors ping; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/glory-lab.XXXXXX") || exit 1
export MIBS='' GLORY_LAB=$work/lab SNMP_PERSISTENT_DIR=$work/client
LAB_DIR=$GLORY_LAB
lab=tests/lab/lab
failed=0 checked=0
# shellcheck source=tests/lab/lib/base.sh
. tests/lab/lib/base.sh

finish() { $lab down >/dev/null; rm -rf "$work"; }
trap finish EXIT

# A condition that must hold within some seconds.   expect SECONDS WHAT CMD...
expect() {
	local limit=$1 what=$2
	shift 2
	checked=$((checked + 1))
	if wait_for "$limit" "$@" >/dev/null; then echo "ok      $what"; else echo "FAILED  $what: $*"; failed=$((failed + 1)); fi
}

fails() { ! "$@" >/dev/null 2>&1; }
get() { SNMPCONFPATH=$GLORY_LAB/client/$1 snmpget -t 0.5 -r 0 -Oqvt "$2" "$3" 2>/dev/null; } # CREDENTIAL ADDRESS OID
value_is() { [ "$(get "$1" "$2" "$3")" = "$4" ]; }
below() { local v; v=$(get "$1" "$2" "$3") && [ "$v" -lt "$4" ]; }
above() { local v; v=$(get "$1" "$2" "$3") && [ "$v" -gt "$4" ]; }
bmc() { local tool=$1 host=$2; shift 2; "$tool" --config-file="$GLORY_LAB/client/freeipmi.conf" -h "$host" "$@" 2>&1; }
power_is() { bmc ipmipower "$1" --stat | grep -qx "$1: $2"; }
guid_is() { [ "$(bmc bmc-info "$1" --get-system-guid)" = "$2" ]; }
sensor_is() { bmc ipmi-sensors "$1" --sdr-cache-directory="$work" -Q --output-sensor-state | grep -q "$2.*$3"; }
pings() { ping -q -c 1 -W 1 "$1" >/dev/null 2>&1; }
some_lost() { # of 50 echoes, a quarter of which should come back
	local back
	back=$(ping -q -c 50 -i 0.01 -W 1 "$1" 2>/dev/null | sed -n 's/.* \([0-9]*\) received.*/\1/p')
	[ "$back" -gt 0 ] && [ "$back" -lt 50 ]
}
ssh_banner() { # HOST; the shell's own connect has no deadline
	# shellcheck disable=SC2016
	timeout 1 bash -c 'exec 4<>"/dev/tcp/$0/22" && read -r line <&4 && [[ $line == SSH-2.0-* ]]' "$1" 2>/dev/null
}
disk_over() { # ADDRESS DIRECTORY PERCENT, from hrStorageTable of a v2c node
	local index size used
	index=$(SNMPCONFPATH=$GLORY_LAB/client/old snmpwalk -t 1 -r 0 -On "$1" .1.3.6.1.2.1.25.2.3.1.3 2>/dev/null |
		sed -n "s|^.*\.\([0-9]*\) = STRING: \"$2\"$|\1|p")
	[ -n "$index" ] || return 1
	size=$(get old "$1" .1.3.6.1.2.1.25.2.3.1.5."$index") && used=$(get old "$1" .1.3.6.1.2.1.25.2.3.1.6."$index") &&
		[ $((used * 100)) -gt $((size * $3)) ]
}
status_of() { $lab status | grep "^$1 " | grep -q "$2"; }
uuid_of() { sed -n "s/.*uuid=\([^ ]*\).*/\1/p" "$GLORY_LAB/nodes/$1/facts"; }
do_lab() { $lab "$@" >"$work/said" 2>&1 && [ "$(wc -l <"$work/said")" = 1 ]; }

uptime_oid=.1.3.6.1.2.1.1.3.0 host_uptime=.1.3.6.1.2.1.25.1.1.0
oper=.1.3.6.1.2.1.2.2.1.8 octets=.1.3.6.1.2.1.31.1.1.1.6
raw_user=.1.3.6.1.4.1.2021.11.50.0 raw_idle=.1.3.6.1.4.1.2021.11.53.0

echo '# raising'
$lab up 4 --groups 2 || exit 1
expect 0 'a second lab on the directory is refused' fails $lab up 2
expect 0 'unreachable route guards the default one' sh -c "ip route show type unreachable 10.128.0.0/16 | grep -q ."
for i in 1:1.1:nodes 2:1.2:old 3:2.1:nodes 4:2.2:old; do
	IFS=: read -r n a c <<<"$i"
	expect 1 "n00$n answers as $c" get "$c" "10.99.$a" $uptime_oid
	expect 1 "n00$n says its name" value_is "$c" "10.99.$a" .1.3.6.1.2.1.1.5.0 "\"n00$n\""
	expect 1 "n00$n has its own host up-time" below "$c" "10.99.$a" $host_uptime 6000
	expect 2 "the BMC of n00$n is on" power_is "10.98.$a" on
	expect 2 "the BMC of n00$n has the recorded UUID" guid_is "10.98.$a" "$(uuid_of "n00$n")"
done
expect 1 'a wrong community gets nothing' fails snmpget -v2c -c wrong -t 0.3 -r 0 10.99.1.2 $uptime_oid
expect 1 'a v3 node gives nothing to v2c' fails get old 10.99.1.1 $uptime_oid
expect 1 'sshd shows its banner' ssh_banner 10.99.1.1
expect 1 'a port counts octets' above nodes 10.99.1.254 $octets.11 0
expect 1 'a port is named after its number' value_is nodes 10.99.1.254 .1.3.6.1.2.1.31.1.1.1.1.12 '"p12"'
expect 0 'cluster.xml is well-formed' xmllint --noout "$work/etc/cluster.xml"
expect 0 'secrets are closed' sh -c "[ \"\$(stat -c %a $work/etc/secrets/snmp/nodes $work/etc/secrets/bmc $work/etc/secrets/bmc/bmc | paste -sd,)\" = 600,700,600 ]"

echo '# power'
expect 10 'n001 ran for a second' above nodes 10.99.1.1 $uptime_oid 100
before=$(get nodes 10.99.1.1 $uptime_oid) boots=$(get nodes 10.99.1.1 .1.3.6.1.6.3.10.2.1.2.0)
expect 5 'cycle is accepted' bmc ipmipower 10.98.1.1 --cycle
expect 10 'sysUpTime fell' below nodes 10.99.1.1 $uptime_oid "$before"
expect 5 'host up-time fell' below nodes 10.99.1.1 $host_uptime 500
expect 5 'its SNMP engine counts one boot more' above nodes 10.99.1.1 .1.3.6.1.6.3.10.2.1.2.0 "$boots"
expect 5 'soft power-off ends it' bmc ipmipower 10.98.1.2 --soft
expect 5 'and the BMC says off' power_is 10.98.1.2 off
expect 3 'and its link is down at the switch' value_is nodes 10.99.1.254 $oper.12 2
expect 5 'power on' bmc ipmipower 10.98.1.2 --on
expect 10 'and it answers' get old 10.99.1.2 $uptime_oid

echo '# operating system'
expect 1 'crash' do_lab crash n001
expect 3 'crashed: no echo' fails pings 10.99.1.1
expect 3 'crashed: no SNMP' fails get nodes 10.99.1.1 $uptime_oid
expect 3 'crashed: no ssh' fails ssh_banner 10.99.1.1
expect 3 'crashed: port up' value_is nodes 10.99.1.254 $oper.11 1
expect 3 'crashed: BMC on' power_is 10.98.1.1 on
expect 3 'crashed: a soft power-off is not noticed' bmc ipmipower 10.98.1.1 --soft
expect 3 'crashed: BMC still on' power_is 10.98.1.1 on
expect 1 'start' do_lab start n001
expect 10 'started: SNMP' get nodes 10.99.1.1 $uptime_oid
expect 3 'started: echo' pings 10.99.1.1
expect 1 'off behind the back' do_lab off n001
expect 3 'off: BMC says so' power_is 10.98.1.1 off
expect 3 'off: no echo' fails pings 10.99.1.1
expect 0 'a powered-off node cannot crash' fails $lab crash n001
expect 1 'on behind the back' do_lab on n001
expect 10 'on: SNMP' get nodes 10.99.1.1 $uptime_oid

echo '# cables'
expect 1 'cut' do_lab cut n001
expect 3 'cut: port down' value_is nodes 10.99.1.254 $oper.11 2
expect 1 'cut: no echo' fails pings 10.99.1.1
expect 1 'cut: the neighbour answers' pings 10.99.1.2
expect 1 'join' do_lab join n001
expect 3 'join: port up' value_is nodes 10.99.1.254 $oper.11 1
expect 5 'join: echo' pings 10.99.1.1
if command -v nft >/dev/null; then
	expect 1 'half of its packets lost' do_lab loss n001 50
	expect 1 'loss: some are lost, some arrive' some_lost 10.99.1.1
	expect 1 'all of them lost' do_lab loss n001 100
	expect 1 'loss: no echo' fails pings 10.99.1.1
	expect 1 'loss ends' do_lab loss n001 0
	expect 3 'loss ended: echo' pings 10.99.1.1
fi
expect 1 'BMC cut' do_lab bmc-cut n001
expect 3 'BMC cut: silent' fails power_is 10.98.1.1 on
expect 1 'BMC cut: the node answers' get nodes 10.99.1.1 $uptime_oid
expect 1 'BMC join' do_lab bmc-join n001
expect 8 'BMC join: answers' power_is 10.98.1.1 on
expect 1 'BMC swap' do_lab bmc-swap n001 n003
expect 5 'swapped: the other GUID' guid_is 10.98.1.1 "$(uuid_of n003)"
expect 5 'swapped: and the other way round' guid_is 10.98.2.1 "$(uuid_of n001)"
expect 1 'swap back' do_lab bmc-swap n001 n003
expect 5 'back: its own GUID' guid_is 10.98.1.1 "$(uuid_of n001)"
expect 1 'switch cut' do_lab switch-cut g01
expect 1 'switch cut: the switch is silent' fails pings 10.99.1.254
expect 1 'switch cut: its nodes are silent' fails pings 10.99.1.2
expect 1 'switch cut: the other group answers' pings 10.99.2.1
expect 1 'switch cut: its BMCs answer' pings 10.98.1.1
expect 1 'switch join' do_lab switch-join g01
expect 5 'switch join: echo' pings 10.99.1.2
expect 1 'own cable cut' do_lab own-cut
expect 1 'own cut: carrier gone' grep -qx 0 /sys/class/net/glab0/carrier
expect 1 'own cut: nothing answers' fails pings 10.99.2.1
expect 1 'own cable joined' do_lab own-join
expect 5 'own join: echo' pings 10.99.2.1

echo '# services'
expect 1 'agent stop' do_lab agent-stop n001
expect 1 'agent stopped: no SNMP' fails get nodes 10.99.1.1 $uptime_oid
expect 1 'agent stopped: echo' pings 10.99.1.1
expect 1 'agent start' do_lab agent-start n001
expect 5 'agent started: SNMP' get nodes 10.99.1.1 $uptime_oid
host_before=$(get nodes 10.99.1.1 $host_uptime)
expect 1 'agent restart' do_lab agent-restart n001
expect 5 'agent restarted: sysUpTime fell' below nodes 10.99.1.1 $uptime_oid "$host_before"
expect 1 'agent restarted: the host went on' above nodes 10.99.1.1 $host_uptime "$host_before"
expect 1 'agent hang' do_lab agent-hang n002
expect 1 'agent hangs: no SNMP' fails get old 10.99.1.2 $uptime_oid
expect 1 'agent hangs: status shows it' status_of n002 hangs
expect 1 'agent wake' do_lab agent-wake n002
expect 3 'agent wakes: SNMP' get old 10.99.1.2 $uptime_oid
expect 1 'sshd hang' do_lab sshd-hang n002
expect 1 'sshd hangs: no banner' fails ssh_banner 10.99.1.2
expect 1 'sshd wake' do_lab sshd-wake n002
expect 3 'sshd wakes: banner' ssh_banner 10.99.1.2

echo '# values'
expect 1 'load' do_lab load n004 90
# twice: what snmpd read first may stem from before the load
for reading in first second; do
	user=$(get old 10.99.2.2 $raw_user) idle=$(get old 10.99.2.2 $raw_idle)
	expect 20 "load: $reading reading of the processor" above old 10.99.2.2 $raw_user $((user + 100))
done
user=$(($(get old 10.99.2.2 $raw_user) - user)) idle=$(($(get old 10.99.2.2 $raw_idle) - idle))
expect 0 "load: user time $user against idle time $idle" test "$user" -gt $((idle * 4))
expect 1 'load ends' do_lab load n004 0
expect 1 'disk' do_lab disk n004 95
expect 15 'disk: snmpd shows /srv full' disk_over 10.99.2.2 /srv 94
expect 1 'disk: emptied' do_lab disk n004 0
expect 15 'disk: snmpd shows it' fails disk_over 10.99.2.2 /srv 10
expect 1 'sensor' do_lab sensor n003 'CPU1 Temp' 95
expect 5 'sensor: critical at the BMC' sensor_is 10.98.2.1 'CPU1 Temp' 'Critical.*95.00'
expect 1 'sensor back' do_lab sensor n003 'CPU1 Temp' 45
expect 5 'sensor: nominal again' sensor_is 10.98.2.1 'CPU1 Temp' 'Nominal.*45.00'
expect 1 'supply fails' do_lab sensor n003 'PSU1 Status' lost
expect 5 'supply: critical at the BMC' sensor_is 10.98.2.1 'PSU1 Status' Critical

echo '# refusals'
expect 0 'an unknown node' fails $lab crash n099
expect 0 'an unknown command' fails $lab explode n001
expect 0 'an unknown sensor' fails $lab sensor n001 Fan9 1
expect 0 'a load over 100' fails $lab load n001 101
expect 0 'an unknown group' fails $lab switch-cut g03
expect 0 'status is JSON with four nodes' sh -c "$lab status --json | grep -o '\"power\":\"on\"' | wc -l | grep -qx 4"

nothing_left() {
	[ -z "$(ip netns list)" ] && [ ! -e "$GLORY_LAB" ] && ! ip link show glab0 >/dev/null 2>&1 && [ -z "$(ip route)" ] &&
		! grep -q "$work" /proc/mounts && ! ps -A -o comm= | grep -qxE 'snmpd|sshd|ipmi_sim|ticker|node-init|unshare|nginx|haproxy'
}

echo '# taking down'
expect 0 'down' do_lab down
expect 0 'nothing is left' nothing_left
expect 0 'down again says so' do_lab down
# killed in mid-raise: as soon as the first namespaces stand
$lab up 4 --groups 2 >/dev/null 2>&1 &
raising=$!
wait_for 5 mounted n001
kill -KILL $raising
wait $raising 2>/dev/null
expect 0 'down after a killed up' do_lab down
expect 0 'nothing is left of that' nothing_left

echo '# the web service'
haproxy_up() { socat -T 1 - "UNIX-CONNECT:/proc/$(cat "$GLORY_LAB/nodes/lb1/pid")/root/run/haproxy/admin.sock" <<<'show info' 2>/dev/null | grep -q '^Name: HAProxy'; }
node_do() { node_init "$1" && nsenter -t "$init_pid" --all -- "${@:2}"; } # NODE COMMAND...
busy_of() { sed -n 's/^cpu  *0*\([0-9]*\) 0 0*\([0-9]*\) .*/\1/p' "$GLORY_LAB/view/$1/stat"; }
busier() { [ "$(busy_of "$1")" -gt "$2" ]; }
fetches() { [ "$(curl -s -m 1 "$1")" = "$2" ]; }
expect 0 'up with it' $lab up 3 --web
expect 1 'the balancer shows a banner' ssh_banner 10.99.0.3
expect 1 'its virtual addresses answer echo' pings 10.99.0.103
expect 1 'HAProxy answers on its socket' haproxy_up
expect 0 'cluster.xml has the service' grep -q '<service name="web" balancer="lb1" virtuals="10.99.0.100:80" pool="web"' "$work/etc/cluster.xml"
expect 1 'nobody has started nginx' fails fetches http://10.99.1.1/ n001
expect 1 'killing none is no error' do_lab nginx-kill n001
expect 2 'nginx takes the configuration of n001' node_do n001 nginx -c /srv/web.conf
expect 2 'and answers with its name' fetches http://10.99.1.1/ n001
expect 1 'and on /health' fetches http://10.99.1.1/health well
expect 1 'work for the service' do_lab demand 90
busy=$(busy_of n001)
expect 10 'it goes to whoever runs nginx' busier n001 $((busy + 60))
expect 0 'and to nobody else' fails busier n002 60
expect 1 'nginx killed' do_lab nginx-kill n001
expect 1 'it does not answer' fails fetches http://10.99.1.1/ n001
expect 1 'the balancer crashes' do_lab balancer-crash lb1
expect 1 'it is silent' fails pings 10.99.0.100
expect 1 'it is started' do_lab balancer-start lb1
expect 5 'and answers' ssh_banner 10.99.0.3
expect 0 'there is but one' fails $lab balancer-crash lb2
expect 0 'no work beyond numbers' fails $lab demand much
expect 0 'down' do_lab down
expect 0 'nothing is left of it' nothing_left
[ -c /dev/null ] || { echo 'FAILED  /dev/null is no device'; failed=$((failed + 1)); }

echo "$checked checks, $failed failed"
[ $failed = 0 ]
