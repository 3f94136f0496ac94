#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The swarm as the tools of others see it: agents, echo, BMCs of both suites, each knob, and that its report counts right.
# shellcheck disable=SC2034
set -u
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
for tool in snmpget snmpbulkwalk ping ipmipower ipmi-sensors ipmi-sel ipmitool; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
B=${GLORY_BUILD:-${B:-build}}
S=$B/tests/swarm
[ -x "$S" ] || { echo "skipped: $S is not built"; exit 77; }
T=$(mktemp -d)
export HOME=$T MIBS=''
trap '[ -n "${pid:-}" ] && kill $pid 2>/dev/null; rm -rf "$T"' EXIT
. tests/lab/swarm/world
swarm_world

failed=0
ok() { echo "ok   $1"; }
bad() { echo "FAIL $1${2:+: $2}"; failed=1; }
# works NAME CMD...   |   fails NAME CMD...   |   shows NAME PATTERN CMD...
works() { local n=$1; shift; if "$@" >"$T/out" 2>&1; then ok "$n"; else bad "$n" "$(tail -n 2 "$T/out")"; fi; }
fails() { local n=$1; shift; if "$@" >"$T/out" 2>&1; then bad "$n" "it worked"; else ok "$n"; fi; }
shows() { local n=$1 p=$2; shift 2; "$@" >"$T/out" 2>&1; if grep -qE -- "$p" "$T/out"; then ok "$n"; else bad "$n" "$(tail -n 3 "$T/out")"; fi; }
# until_ok SECONDS 'CONDITION': evaluated anew until it holds or the time is over
until_ok() { local end=$((SECONDS + $1)); until eval "$2" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; read -rt 0.05 <> <(:) || :; done; }
ctl() { "$S" ctl "$T/ctl" "$@"; }
# the number after "NAME": in the report's line that holds LINE
field() { ctl report | grep "\"$1\": {" | sed -n "s/.*[{ ]\"$2\": \([0-9.]*\).*/\1/p"; }

printf 'password=a-bmc-password\ncommunity=lab\nauth=an-auth-passphrase\npriv=a-priv-passphrase\n' >"$T/secret"
"$S" --agents 600 --bmcs 600 --ctl "$T/ctl" --secret "$T/secret" --v3 300-599 --interval 1000 >"$T/log" 2>&1 &
pid=$!
until_ok 10 'ctl ping' || { cat "$T/log"; echo "FAIL the swarm does not come up"; exit 1; }

UP=1.3.6.1.2.1.1.3.0 NAME=1.3.6.1.2.1.1.5.0 RAW=1.3.6.1.4.1.2021.11.50.0
# agent N's address
a() { echo "10.128.$(($1 / 250)).$((1 + $1 % 250))"; }
get() { local n=$1; shift; snmpget -v2c -c lab -On -Oqv -t 0.5 -r 0 "$(a "$n")" "${@:-$UP}"; }
next() { local n=$1; shift; snmpbulkwalk -v2c -c lab -On -t 0.5 -r 0 "$(a "$n")" "$@"; }
echo1() { ping -n -c 1 -W 1 "$(a "$1")"; }

# --- well-behaved ----------------------------------------------------------------------------------
shows "agent 599 answers with its own name" '^"n00600"$' get 599 $NAME
shows "a missing instance is said to be missing" 'No Such Instance' get 0 1.3.6.1.2.1.1.3.7
shows "a missing object is said to be missing" 'No Such Object' get 0 1.3.6.1.9.9.9.0
works "bulk walk" next 0 1.3.6.1
[ "$(next 0 1.3.6.1 | grep -vc 'No more')" -ge 140 ] && ok "the walk has all objects" || bad "the walk has all objects"
cmp -s <(next 0 1.3.6.1.2.1.31 | cut -d= -f1) <(snmpwalk -v2c -c lab -On "$(a 0)" 1.3.6.1.2.1.31 | cut -d= -f1) &&
	ok "GETBULK and GETNEXT walk alike" || bad "GETBULK and GETNEXT walk alike"
fails "no such agent, no answer" get 600
fails "another community, no answer" snmpget -v2c -c other -t 0.3 -r 0 "$(a 0)" $UP
works "echo" echo1 599
fails "no such agent, no echo" echo1 600
works "a reference address echoes" ping -n -c 1 -W 1 10.128.255.1
shows "echo comes from the asked address" "from $(a 7):" echo1 7
[ "$(field sums bad_community)" = 1 ] && ok "the other community is counted" || bad "the other community is counted"
up() { snmpget -v2c -c lab -Ovt "$(a 3)" $UP; }
t1=$(up); until_ok 5 '[ "$(up)" -gt "$t1" ]' && ok "up-time grows" || bad "up-time grows"

# --- counts ----------------------------------------------------------------------------------------
ctl interval 60000
get 10 $UP $RAW >/dev/null; get 10 $UP $NAME >/dev/null; get 10 $UP >/dev/null; echo1 10 >/dev/null
shows "one poll, one repeat, one heartbeat, one echo" 'polls 1 repeats 1 heartbeats 1 echoes 1 walks 0 ' ctl show agents 10
[ "$(field polls sum) $(field agents never_polled)" = "1 599" ] && ok "the report adds them up" || bad "the report adds them up"
ctl interval 200
for i in 1 2 3 4 5; do until_ok 5 '[ "$(field polls expected | cut -d. -f1)" -ge '$((i * 2))' ]'; get 11 $UP $RAW >/dev/null; done
[ "$(ctl show agents 11 | sed 's/.* polls \([0-9]*\).*/\1/')" = 5 ] && ok "polls an interval apart all count" || bad "polls an interval apart all count"
shows "an agent left alone has a gap" '"agents_over_1_2": (599|600)}' ctl report
ctl interval 1000

# --- knobs of agents: each is set, seen, and cleared ----------------------------------------------
with() { local n=$1; shift; ctl set agents "$n" "$@" || bad "set agents $n $*"; }
with 20 dead 1;       fails "dead: no answer" get 20;  fails "dead: no echo" echo1 20
with 21 half_dead 1;  fails "half_dead: no answer" get 21; works "half_dead: echo" echo1 21
with 22 no_echo 1;    works "no_echo: answer" get 22;  fails "no_echo: no echo" echo1 22
banner() { timeout 1 bash -c "exec 3<>/dev/tcp/$(a "$1")/22 && head -c 8 <&3"; }
shows "tcp: a banner" '^SSH-2.0-' banner 19
fails "dead: no handshake" banner 20
shows "half_dead: the banner comes" '^SSH-2.0-' banner 21
with 39 hung 1;       fails "hung: no answer" get 39;  works "hung: echo" echo1 39; fails "hung: no banner" banner 39
works "hung: the kernel shakes hands" timeout 1 bash -c "exec 3<>/dev/tcp/$(a 39)/22"
with 40 refused 1
shows "refused: port unreachable" 'Connection refused' bash -c "exec 3<>/dev/udp/$(a 40)/161; for i in 1 2 3 4 5 6 7 8 9; do echo x >&3 || exit; ping -n -c 1 -W 1 $(a 40) >/dev/null; done"
with 23 drop_in 1;    fails "drop_in" get 23
with 24 drop_out 1;   fails "drop_out" get 24
shows "drop_out hears what drop_in does not" 'heartbeats 1 ' ctl show agents 24
shows "drop_in does not hear" 'heartbeats 0 ' ctl show agents 23
with 25 drop 0.5
works "drop 0.5: some of 40 echoes are lost" test "$(ping -n -i 0.01 -c 40 -W 1 "$(a 25)" | grep -c 'bytes from')" -lt 40
works "drop 0.5: resent requests get through" snmpget -v2c -c lab -t 0.1 -r 30 "$(a 25)" $UP
with 26 delay 120
shows "delay: echo takes as long" 'time=(1[2-9][0-9]|[2-9][0-9][0-9]) ms' echo1 26
with 27 slow 900;     fails "slow: later than the client waits" get 27; works "slow: echo at once" echo1 27
works "slow: a patient client gets it" snmpget -v2c -c lab -t 3 -r 0 "$(a 27)" $UP
with 28 dup 1;        shows "dup: two answers" 'DUP!|duplicates' ping -n -c 2 -i 0.2 -W 1 "$(a 28)"
with 29 reorder 0.5
ping -n -i 0.002 -c 60 -W 1 "$(a 29)" | sed -n 's/.*icmp_seq=\([0-9]*\).*/\1/p' >"$T/seq"
sort -n "$T/seq" | cmp -s - "$T/seq" && bad "reorder" "60 answers in order" || ok "reorder"
with 30 wrong_id 1;   fails "wrong_id: the client does not take it" get 30
with 31 wrong_source 1
shows "wrong_source" 'from 10\.128\.254\.1' ping -n -c 1 -W 1 "$(a 31)"
with 32 truncate 1;   fails "truncate: the client does not take it" get 32 $UP $NAME $RAW
with 33 oversize 1
until_ok 5 'get 33'; [ "$(get 33 $UP $NAME 2>/dev/null | wc -l)" -gt 50 ] && ok "oversize: values nobody asked for" || bad "oversize" "$(get 33 $UP $NAME 2>&1 | wc -l) values"
with 34 wrong_type 1; shows "wrong_type: a string for a counter" '^"wrong"$' get 34 $RAW
with 35 every_second 1
n=0; for _ in 1 2 3 4; do get 35 >/dev/null 2>&1 && n=$((n + 1)); done
[ $n = 2 ] && ok "every_second: two of four" || bad "every_second" "$n of four"
with 36 endless 1
[ "$(timeout 2 snmpbulkwalk -v2c -c lab -On "$(a 36)" 1.3.6.1.2.1.2.2.1.2 | head -n 1000 | wc -l)" = 1000 ] && ok "endless: 1000 rows of 2" || bad "endless"
with 37 loop 1;       shows "loop: the tool notices" 'not increasing' snmpwalk -v2c -c lab -On "$(a 37)" 1.3.6.1.2.1.2.2.1
with 38 frozen 1
frozen() { snmpget -v2c -c lab -Ovt "$(a 38)" $UP; }
t1=$(frozen) t2=$(up); until_ok 5 '[ "$(up)" -gt "$t2" ]'; [ "$(frozen)" = "$t1" ] && ok "frozen: up-time stands" || bad "frozen"
t1=$(up); ctl 'do agents 3 reboot'; [ "$(up)" -lt 1000 ] && ok "reboot: up-time falls" || bad "reboot" "from $t1 to $(up)"
ctl clear agents all
n=0; for i in 20 21 22 23 24 25 26 27 28 30 31 32 33 34 35 36 37 38 39 40; do get $i >/dev/null 2>&1 && n=$((n + 1)); done
[ $n = 20 ] && ok "clear: all 20 answer again" || bad "clear" "$n of 20 answer"
fails "a wrong range is refused" ctl set agents 600 dead 1
fails "a wrong knob is refused" ctl set agents 0 deadly 1

# --- SNMPv3: an engine id for each agent ---------------------------------------------------------------
mkdir -p "$T/snmp"
v3conf() { printf 'defVersion 3\ndefSecurityName %s\ndefSecurityLevel authPriv\ndefAuthType SHA-256\ndefPrivType AES\ndefAuthPassphrase %s\ndefPrivPassphrase %s\n' "$1" "$2" "$3" >"$T/snmp/snmp.conf"; }
get3() { SNMPCONFPATH=$T/snmp snmpget -On -t 0.5 -r 0 "$@"; }
v3conf glory an-auth-passphrase a-priv-passphrase
shows "v3: agent 300 by its own name" '"n00301"' get3 "$(a 300)" $NAME
shows "v3: agent 599 by its own name" '"n00600"' get3 "$(a 599)" $NAME
shows "v3: many values" 'Counter32' get3 "$(a 599)" $RAW $UP $NAME
works "v3: bulk walk" env SNMPCONFPATH="$T/snmp" snmpbulkwalk -On "$(a 300)" 1.3.6.1
fails "v3: an agent of v2c only" get3 "$(a 299)" $NAME
engine() { get3 -d "$1" $UP 2>&1 | sed -n 's/^[0-9]*: \(\([0-9A-F][0-9A-F] *\)*\).*/\1/p' | tr -d ' \n' | grep -o '80007ED905737761726D........' | head -n 1; }
[ "$(engine "$(a 300)") $(engine "$(a 301)")" = "80007ED905737761726D0000012C 80007ED905737761726D0000012D" ] &&
	ok "v3: engine ids differ" || bad "v3: engine ids differ" "$(engine "$(a 300)")"
ctl 'do agents 300 reboot'
shows "v3: after a reboot the new boots are learnt" 'Timeticks' get3 "$(a 300)" $UP
shows "v3: the message in between was told so" '"v3_reports": [1-9]' ctl report
v3conf glory an-auth-passphrasE a-priv-passphrase
shows "v3: a wrong auth passphrase is told" 'Authentication failure' get3 "$(a 300)" $UP
v3conf glory an-auth-passphrase a-priv-passphrasE
fails "v3: a wrong priv passphrase" get3 "$(a 300)" $UP
v3conf nobody an-auth-passphrase a-priv-passphrase
shows "v3: an unknown user is told" 'Unknown user' get3 "$(a 300)" $UP

# --- BMCs --------------------------------------------------------------------------------------------
b() { echo "10.129.$(($1 / 250)).$((1 + $1 % 250))"; }
printf 'username operator\npassword a-bmc-password\n' >"$T/fi.conf"; chmod 600 "$T/fi.conf"
printf 'a-bmc-password' >"$T/pw"
power() { local n=$1 c=$2; shift 2; ipmipower --config-file="$T/fi.conf" -D LAN_2_0 -I "$c" -l OPERATOR --session-timeout=2000 --retransmission-timeout=300 -h "$(b "$n")" "$@"; }
sensors() { ipmi-sensors --config-file="$T/fi.conf" -D LAN_2_0 -I "$2" -l USER --session-timeout=2000 -h "$(b "$1")" --sdr-cache-directory="$T" -Q --output-sensor-state; }
tool() { local n=$1 c=$2; shift 2; ipmitool -I lanplus -C "$c" -L OPERATOR -R 2 -N 1 -H "$(b "$n")" -U operator -f "$T/pw" "$@"; }
for c in 3 17; do
	n=$((100 + c))
	shows "suite $c: ipmipower reads the power" ': on$' power $n $c --stat
	shows "suite $c: ipmi-sensors reads the sensors" 'CPU1 Temp.*Temperature.*Nominal' sensors $n $c
	shows "suite $c: ipmitool reads the power" 'System Power +: on' tool $n $c chassis status
	shows "suite $c: ipmitool reads the sensors" 'Rail 12V .* Volts +\| ok' tool $n $c sdr list
	shows "suite $c: the guid is the BMC's own" "00000001000000$(printf '%02x' $n)\$" bash -c "$(declare -f tool b); T=$T; tool $n $c raw 6 0x37 | tr -d ' \n'"
	shows "suite $c: off is accepted" ': ok$' power $n $c --off
	shows "suite $c: it reads off" ': off$' power $n $c --stat
	fails "suite $c: the machine is silent" get $n
	fails "suite $c: it does not echo" echo1 $n
	fails "suite $c: it shakes no hands" banner $n
	works "suite $c: ipmitool switches on" tool $n $c chassis power on
	works "suite $c: the machine is back" until_ok 5 "get $n"
	shows "suite $c: the up-time began again" '^0:0:00:' get $n
	shows "suite $c: the event log says it" 'Power Unit' ipmi-sel --config-file="$T/fi.conf" -D LAN_2_0 -I $c -l USER -h "$(b $n)" --sdr-cache-directory="$T" -Q
	shows "suite $c: restart cause" 'chassis power control command' tool $n $c chassis restart_cause
done
shows "a wrong password is told" 'password invalid' ipmipower -D LAN_2_0 -I 17 -u operator -p wrong -h "$(b 1)" --stat --session-timeout=2000
shows "a wrong user is told" 'username invalid' ipmipower -D LAN_2_0 -I 17 -u nobody -p a-bmc-password -h "$(b 1)" --stat --session-timeout=2000
shows "switching wants its privilege" 'rsp=0xd4' ipmitool -I lanplus -C 17 -L USER -H "$(b 1)" -U operator -f "$T/pw" raw 0 2 0

bwith() { local n=$1; shift; ctl set bmcs "$n" "$@" || bad "set bmcs $n $*"; }
bwith 120 silent 1;    shows "silent" 'timeout' power 120 17 --stat
bwith 121 stop_rakp 1; shows "stop_rakp" 'timeout' power 121 17 --stat
bwith 122 bad_hmac 1;  shows "bad_hmac" 'password (verification timeout|invalid)|invalid|timeout' power 122 17 --stat
bwith 123 busy 1;      fails "busy" bash -c "$(declare -f power b); T=$T; power 123 17 --stat | grep -E ': (on|off)\$'"
bwith 124 slots 4;     shows "slots: all taken" 'resources|busy|BMC' power 124 17 --stat
bwith 125 lie_power 1; shows "lie_power: says off" ': off$' power 125 17 --stat; works "lie_power: it runs" get 125
bwith 126 delay 150;   shows "delay: slow, but it answers" ': on$' power 126 17 --stat
bwith 127 drop 0.1;    shows "drop: the client repeats" ': on$' power 127 17 --stat --session-timeout=20000
bwith 128 temp 96;     shows "temp: critical" 'CPU1 Temp.*Critical' sensors 128 17
bwith 129 power_ms 700
power 129 17 --off >/dev/null; shows "power_ms: still on" ': on$' power 129 17 --stat
off() { power 129 17 --stat | grep -q ': off$'; }
works "power_ms: off in the end" until_ok 10 off
ctl clear bmcs all
shows "clear: the silent one answers" ': on$' power 120 3 --stat
shows "power of 250 BMCs" '^250$' bash -c "$(declare -f power b); T=$T; ipmipower --config-file=$T/fi.conf -D LAN_2_0 -I 17 -l USER --stat -h '10.129.1.[1-250]' | grep -c ': on\$'"
shows "one request at once per BMC, as these tools do" '"max_requests_at_once": 1,' ctl report

# --- garbage ------------------------------------------------------------------------------------------
before=$(field sums garbage)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	head -c $((RANDOM % 200 + 1)) /dev/urandom >/dev/udp/10.128.0.1/161
	head -c $((RANDOM % 200 + 1)) /dev/urandom >/dev/udp/10.129.0.1/623
done
until_ok 5 '[ "$(field bmcs garbage)" -gt 0 ]'
[ "$(field sums garbage)" -gt "$before" ] && ok "garbage is counted" || bad "garbage is counted"
works "and the swarm lives" get 0

ctl quit
wait $pid && ok "it ends when told" || bad "it ends when told" "$(cat "$T/log")"
pid=
[ ! -e "$T/ctl" ] && ok "its socket is gone" || bad "its socket is gone"
exit $failed
