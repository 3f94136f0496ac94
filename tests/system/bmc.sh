#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The BMC engine against ipmi_sim (suite 3) and, where the swarm is built, its BMCs (suite 17): power verbs with read-back, errors told
# apart, a BMC that is silent, one that restarts in mid-session, one that is another machine than was recorded.
set -u
command -v ipmi_sim >/dev/null || { echo "skipped: ipmi_sim is not installed"; exit 77; }
B=${B:-build}
[ -x "$B/tests/bmctool" ] || { echo "skipped: $B/tests/bmctool is not built"; exit 77; }
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"

T=$(mktemp -d)
failed=0 sim='' swarm=''
stop() { # PID
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}
trap 'stop "$sim"; stop "$swarm"; rm -rf "$T"' EXIT
umask 077
echo 'password=secret' >"$T/good"
echo 'password=wrong' >"$T/bad"
echo 1 >"$T/on"
cat >"$T/chassis" <<EOF
#!/bin/bash
op=\$1; shift
case \$op in
get) for what; do case \$what in power) echo power:\$(cat $T/on) ;; boot) echo boot:default ;; esac; done ;;
set) echo "\$*" >>$T/chassis.log
	while [ \$# -gt 1 ]; do case \$1 in power) echo \$2 >$T/on ;; shutdown) echo 0 >$T/on ;; esac; shift 2; done ;;
esac
EOF
chmod +x "$T/chassis"
cat >"$T/bmc.emu" <<EOF
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
EOF
mkdir -p "$T/state/ipmi_sim/m"
lan() { # LINE: one more of the startlan block, such as bmc_key
	cat >"$T/lan.conf" <<-EOF
	name "m"
	set_working_mc 0x20
	 startlan 1
	  addr 127.0.0.1 623
	  priv_limit admin
	  allowed_auths_user none md2 md5 straight
	  allowed_auths_operator none md2 md5 straight
	  allowed_auths_admin none md2 md5 straight
	  guid a123456789abcdefa123456789abcdef
	  $1
	 endlan
	 user 2 true "admin" "secret" admin 63 none md2 md5 straight
	 chassis_control "$T/chassis"
	EOF
}
until_ok() { local end=$((SECONDS + $1)); until eval "$2" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; read -rt 0.05 <> <(:) || :; done; }
tool() { "$B/tests/bmctool" -w opensesspriv -s 3 "$@"; }
start_sim() {
	ipmi_sim -c "$T/lan.conf" -f "$T/bmc.emu" -n -s "$T/state" >"$T/sim.log" 2>&1 </dev/null &
	sim=$!
	until_ok 20 "tool -t 1 127.0.0.1 admin $T/good power" || { echo "FAIL ipmi_sim does not answer"; exit 1; }
}
# shows NAME PATTERN CMD...
shows() {
	local n=$1 p=$2
	shift 2
	"$@" >"$T/out" 2>&1
	if grep -qE -- "$p" "$T/out"; then echo "ok   $n"; else echo "FAIL $n: $(tail -n 2 "$T/out" | paste -sd' ')"; failed=1; fi
}
state_is() { if [ "$(cat "$T/on")" = "$2" ]; then echo "ok   $1"; else echo "FAIL $1"; failed=1; fi; }

lan ''
start_sim
A=127.0.0.1 N=admin
shows "power is read" '^power on error="ok"' tool $A $N "$T/good" power
shows "off, read back twice" '^result ok state=off .*twice' tool $A $N "$T/good" off
state_is "the machine is off" 0
shows "off again does nothing" '^result ok state=off .*was already off' tool $A $N "$T/good" off
shows "a reset of a machine that is off is refused" '^result state not reached .*not executed' tool $A $N "$T/good" reset
shows "on, read back" '^result ok state=on' tool $A $N "$T/good" on
state_is "the machine is on" 1
: >"$T/chassis.log"
shows "reset" '^result ok state=on' tool $A $N "$T/good" reset
if [ "$(grep -c reset "$T/chassis.log")" = 1 ]; then echo "ok   it was reset once"; else echo "FAIL it was reset once"; failed=1; fi
shows "soft, read back" '^result ok state=off' tool $A $N "$T/good" soft
shows "identify" '^result ok' tool $A $N "$T/good" identify
shows "on once more" '^result ok state=on' tool $A $N "$T/good" on
shows "cycle is not one of the engine's verbs" '^result not supported' tool $A $N "$T/good" cycle

shows "wrong password" '^power na error="password refused"' tool $A $N "$T/bad" power
shows "wrong user" '^power na error="user refused"' tool $A nobody "$T/good" power
shows "wrong password stops a power verb" '^result password refused' tool $A $N "$T/bad" off
state_is "and nothing was switched" 1
shows "suite 17 is refused by this bmc" '^power na error="cipher suite refused"' tool -s 17 $A $N "$T/good" power
shows "suite 0 is refused by us" 'cipher suite 0 accepts any password' tool -s 0 $A $N "$T/good" power
shows "missing workaround is named" 'error="privilege not granted"' "$B/tests/bmctool" -s 3 $A $N "$T/good" power
for left in 2 1 0; do # a machine that was late itself is asked again
	tool -t 5 127.0.0.2 $N "$T/good" power >"$T/silent" 2>&1
	! grep -q 'after_ms=25[0-9][0-9]' "$T/silent" && [ $left != 0 ] || break
done
shows "silent within 2.5 s" '^power silent error="no answer" .*after_ms=25[0-9][0-9]' cat "$T/silent"
shows "the recorded machine, lowest byte first" '^result ok state=on' tool -g efcdab89674523a1efcdab89674523a1 $A $N "$T/good" on
shows "another machine than recorded is not switched" '^result guid is not as recorded' tool -g 00112233445566778899aabbccddeeff $A $N "$T/good" off
state_is "it is still on" 1

# the BMC restarts in mid-session: never silent, read again in a new session
tool -i 1 -t 12 $A $N "$T/good" watch >"$T/watch" 2>/dev/null &
watch=$!
until_ok 10 "[ \$(grep -c '^power on' $T/watch) -ge 2 ]" || { echo "FAIL the watch sees the power state"; failed=1; }
stop "$sim"
start_sim
before=$(grep -c '^power on' "$T/watch")
if until_ok 10 "[ \$(grep -c '^power on' $T/watch) -gt $((before + 1)) ]"; then echo "ok   read again after the bmc's restart"; else echo "FAIL read again after the bmc's restart"; failed=1; fi
kill $watch
wait $watch 2>/dev/null
if grep -qv '^power on' "$T/watch"; then echo "FAIL only \"on\" was reported: $(grep -v '^power on' "$T/watch" | head -n 1)"; failed=1; else echo "ok   nothing but \"on\" was reported"; fi

# the BMC is gone: silent, once, within 22 s; then back
tool -i 2 -t 45 $A $N "$T/good" watch >"$T/watch" 2>/dev/null &
watch=$!
until_ok 10 "grep -q '^power on' $T/watch"
stop "$sim"
gone=$SECONDS
if until_ok 25 "grep -q '^power silent' $T/watch" && [ $((SECONDS - gone)) -le 23 ]; then echo "ok   silent after $((SECONDS - gone)) s"; else echo "FAIL silent within 22 s"; failed=1; fi
start_sim
if until_ok 15 "tail -n 1 $T/watch | grep -q '^power on'"; then echo "ok   and back"; else echo "FAIL and back"; failed=1; fi
[ "$(grep -c '^power silent' "$T/watch")" = 1 ] || { echo "FAIL silent was reported once"; failed=1; }
kill $watch 2>/dev/null
wait $watch 2>/dev/null

# K_g
stop "$sim"
sim=
lan 'bmc_key "a-bmc-key"'
printf 'password=secret\nkg=a-bmc-key\n' >"$T/good_kg"
printf 'password=secret\nkg=another-key\n' >"$T/bad_kg"
ipmi_sim -c "$T/lan.conf" -f "$T/bmc.emu" -n -s "$T/state" >"$T/sim.log" 2>&1 </dev/null &
sim=$!
until_ok 20 "tool -t 1 $A $N $T/good_kg power" || { echo "FAIL k_g is accepted"; failed=1; }
shows "right k_g" '^power on' tool $A $N "$T/good_kg" power
shows "wrong k_g" 'error="bmc key' tool $A $N "$T/bad_kg" power
shows "missing k_g" 'error="bmc key' tool $A $N "$T/good" power

if [ ! -x "$B/tests/swarm" ]; then
	echo "skipped: suite 17, $B/tests/swarm is not built"
	exit $failed
fi
stop "$sim"
sim=
. tests/lab/swarm/world
swarm_world
echo 'password=a-bmc-password' >"$T/swarm.secret"
"$B/tests/swarm" --agents 10 --bmcs 20 --ctl "$T/ctl" --secret "$T/swarm.secret" >"$T/swarm.log" 2>&1 &
swarm=$!
ctl() { "$B/tests/swarm" ctl "$T/ctl" "$@"; }
until_ok 20 'ctl ping' || { echo "FAIL the swarm does not come up: $(tail -n 1 "$T/swarm.log")"; exit 1; }
s17() { local n=$1; shift; "$B/tests/bmctool" -s 17 "$@" "10.129.0.$((n + 1))" operator "$T/swarm.secret" "$what"; }
at() { what=$1; shift; s17 "$@"; }
shows "suite 17: power" '^power on error="ok"' at power 1
shows "suite 17: off" '^result ok state=off' at off 1
shows "suite 17: on" '^result ok state=on' at on 1
shows "suite 17: sensors" '\|nominal\|' at sensors 1
shows "suite 3 at the same bmc" '^power on' at power 1 -s 3
at off 1 >/dev/null; at on 1 >/dev/null
shows "the event log in words" '^entry .*\|Power Unit\|.*\|Power Off' at log 1
shows "cleared once it is read" '^cleared error="ok"' at clear-log 1
shows "and empty then" '^log entries=0' at log 1
shows "inventory" '^inventory error="ok"\|Rack Mount Chassis\|CH-100\|SW000001\|.*\|Swarm Works\|Bee 2000\|B2K\|1.0\|SW000001\|$' at inventory 1
shows "no weakness" '^weaknesses 00 suites 00020008' at weaknesses 1 -t 4
knob() { ctl set bmcs "$1" "$2" "$3" >"$T/knob" 2>&1 || { echo "FAIL knob $*: $(cat "$T/knob")"; failed=1; }; }
knob 10 suite0 1; shows "suite 0 is offered and taken" '^weaknesses 03 suites 0002000b' at weaknesses 10 -t 4
shows "its password is none of the well-known" '^weaknesses 00' at weaknesses 11 -d -t 5
knob 12 watchdog 1; shows "an expired watchdog" 'watchdog=90' at cause 12
shows "a watchdog that is well" 'watchdog=80' at cause 1
shows "a request each 200 ms" '^result ok state=off took_ms=([89]|[1-9][0-9])[0-9]{2}' at off 13 -m 200
knob 14 slots 4; shows "no slot is free: not silent" '^power na error="no free session slot"' at power 14
knob 2 bad_hmac 1; shows "wrong authentication codes" 'power na error="(password|bmc key)' at power 2
knob 3 busy 1; shows "always busy" 'power na error="bmc is busy"' at power 3 -t 6
knob 4 silent 1; shows "silent" 'power silent' at power 4
knob 5 drop 0.2; shows "one packet in five lost: off" '^result ok state=off' at off 5 -t 60
knob 6 dup 1; shows "every answer twice" '^power on' at power 6
knob 7 wrong_source 1; shows "answers from elsewhere count as none" 'power silent' at power 7
knob 8 stop_rakp 1; shows "stops in the handshake" 'power na' at power 8 -t 6
knob 9 power_ms 3000; shows "off takes three seconds" '^result ok state=off took_ms=(3|4)[0-9]{3}' at off 9
exit $failed
