#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Captured machines on ipmi_sim: each must show exactly its own findings, and so must the captures when states are flipped, thresholds
# crossed, parts taken out, and names, entities and numbers changed.
set -u
if [ -z "${GLORY_TEST_DATA:-}" ] || [ ! -r "$GLORY_TEST_DATA/bmc/dell_r730.emu" ]; then
	echo "skipped: GLORY_TEST_DATA does not name a folder with bmc/*.emu"
	exit 77
fi
command -v ipmi_sim >/dev/null || { echo "skipped: ipmi_sim is not installed"; exit 77; }
B=${B:-build}
[ -x "$B/tests/bmctool" ] || { echo "skipped: $B/tests/bmctool is not built"; exit 77; }
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"

T=$(mktemp -d)
failed=0 pid=
stop_sim() {
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	pid=
}
trap 'stop_sim; rm -rf "$T"' EXIT
umask 077
echo 'password=secret' >"$T/secret"
cat >"$T/chassis" <<EOF
#!/bin/sh
for what; do case \$what in power) echo power:\$(cat $T/on) ;; boot) echo boot:default ;; esac; done
EOF
chmod +x "$T/chassis"

ask() { "$B/tests/bmctool" -s 3 -w opensesspriv -t "$1" 127.0.0.1 admin "$T/secret" "$2" 2>/dev/null; }

start_sim() { # EMU
	stop_sim
	rm -rf "$T/state"
	mkdir -p "$T/state/ipmi_sim/m"
	cat >"$T/lan.conf" <<-EOF
	name "m"
	set_working_mc 0x20
	 startlan 1
	  addr 127.0.0.1 623
	  priv_limit admin
	  allowed_auths_admin none md2 md5 straight
	  guid a123456789abcdefa123456789abcdef
	 endlan
	 user 2 true "admin" "secret" admin 63 none md2 md5 straight
	 chassis_control "$T/chassis"
	EOF
	ipmi_sim -c "$T/lan.conf" -f "$1" -n -s "$T/state" >"$T/sim.log" 2>&1 </dev/null &
	pid=$!
	local end=$((SECONDS + 20))
	until ask 1 power >/dev/null; do
		[ $SECONDS -lt $end ] || { echo "FAIL ipmi_sim does not answer: $(tail -n 2 "$T/sim.log")"; exit 1; }
	done
}

# check NAME POWER EXPECTED      expects the altered capture in $T/emu; EXPECTED: "NUMBER LEVEL, ..." in order of the numbers
check() {
	local got
	echo "$2" >"$T/on"
	start_sim "$T/emu"
	ask 60 sensors >"$T/out" || { echo "FAIL $1: sensors cannot be read"; failed=1; return; }
	got=$(awk -F'|' '$7 == "finding" { print $2 " " $8 }' "$T/out" | sort -n | paste -sd, | sed 's/,/, /g')
	if [ "$got" = "$3" ]; then
		echo "ok   $1: ${got:-none}"
	else
		echo "FAIL $1: expected \"$3\", got \"$got\""
		grep '|finding|' "$T/out"
		failed=1
	fi
}

# has NAME PATTERN               a line of the last check's sensors
has() { if grep -qE -- "$2" "$T/out"; then echo "ok   $1"; else echo "FAIL $1: no line like $2"; failed=1; fi; }

# the sensor's states: bits NUMBER BIT...    its value: value NUMBER RAW     (numbers as in the capture, hexadecimal)
bits() {
	local number=$1 b
	shift
	sed -i "/^sensor_set_bit 0x20 0x0 $number /d" "$T/emu"
	for b; do sed -i "/^sensor_set_event_support 0x20 0x0 $number /a sensor_set_bit 0x20 0x0 $number $b 1 0" "$T/emu"; done
}
value() { sed -i "s/^\(sensor_set_value 0x20 0x0 $1\) 0x[0-9a-f]*/\1 $2/" "$T/emu"; }
capture() { cp "$GLORY_TEST_DATA/bmc/$1.emu" "$T/emu"; }

# alter SHIFT ENTITY: another number for every sensor, another name and entity in every record
alter() {
	awk -v shift="$1" -v entity="$2" '
	function num(s,  i, v) {
		s = tolower(s)
		if (s !~ /^0x/) return s + 0
		for (i = 3; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
		return v
	}
	function flush(  i, start, line) {
		if (!n) return
		if (b[3] == 1 || b[3] == 2) {
			b[7] = (b[7] + shift) % 256
			b[8] = entity
			start = b[3] == 1 ? 48 : 32
			for (i = start; i < n; i++) b[i] = 97 + (i * 7) % 26
		}
		line = ""
		for (i = 0; i < n; i++) line = line sprintf("0x%02x ", b[i])
		print line
		n = 0
	}
	/^main_sdr_add/ { if (record) flush(); print; record = 1; next }
	record && /^0x/ { gsub(/\\/, ""); for (i = 1; i <= NF; i++) b[n++] = num($i); next }
	{ if (record) { flush(); record = 0 } }
	/^sensor_(add|set_[a-z_]*) / { $4 = sprintf("0x%02x", (num($4) + shift) % 256); print; next }
	{ print }
	END { if (record) flush() }' "$T/emu" >"$T/altered" && mv "$T/altered" "$T/emu"
}

D=dell_r730
capture $D; check "r730 as captured" 1 "99 major, 116 major"
has "empty backplanes are inventory" '^BP1 Presence\|84\|.*\|not-present\|normal'
has "a processor is in order" '^Status\|96\|07/6f\|.*\|nominal\|normal'
capture $D; bits 0x63 0; bits 0x74 0; check "r730, supply 2 has input again" 1 ""
capture $D; bits 0x63; check "r730, supply 2 taken out" 1 "116 major"
has "an empty supply bay is inventory" '^Status\|99\|.*\|not-present\|normal'
capture $D; bits 0x62 0 1; check "r730, supply 1 failed" 1 "98 major, 99 major, 116 major"
capture $D; bits 0x62 0 2; check "r730, supply 1 predicts a failure" 1 "98 warning, 99 major, 116 major"
capture $D; value 0x30 0x02; check "r730, a fan stands" 1 "48 major, 99 major, 116 major"
capture $D; value 0x04 0xac; check "r730, inlet warm" 1 "4 warning, 99 major, 116 major"
capture $D; value 0x04 0xb0; check "r730, inlet hot" 1 "4 major, 99 major, 116 major"
capture $D; value 0x0e 0xd6; check "r730, processor hot, without events" 1 "14 major, 99 major, 116 major"
capture $D; sed -i 's/^sensor_set_threshold 0x20 0x0 0x04 .*/sensor_set_threshold 0x20 0x0 0x04 settable 001001 0x00 0xaf 0x90 0x00 0x79 0x83/' "$T/emu"
check "r730, threshold set lower at the bmc" 1 "4 warning, 99 major, 116 major"
capture $D; bits 0xa0 0 1; check "r730, a drive fails" 1 "99 major, 116 major, 160 major"
capture $D; bits 0xa0; check "r730, a drive pulled" 1 "99 major, 116 major"
has "an empty drive bay is inventory" '^Drive 0\|160\|.*\|not-present\|normal'
capture $D; bits 0x60 7 0; check "r730, processor IERR" 1 "96 critical, 99 major, 116 major"
capture $D; bits 0xc0 6 1; check "r730, uncorrectable memory error" 1 "99 major, 116 major, 192 critical"
capture $D; bits 0x73 0; check "r730, chassis open" 1 "99 major, 115 warning, 116 major"
capture $D; bits 0x19 1; check "r730, a voltage is not good" 1 "25 major, 99 major, 116 major"
capture $D; bits 0x55 1; check "r730, another backplane absent" 1 "99 major, 116 major"
capture $D; bits 0x75 1; check "r730, fans not redundant" 1 "99 major, 116 major, 117 major"
capture $D; for f in 0x30 0x31 0x32 0x33 0x34 0x35; do value $f 0x00; done; bits 0x75 1
check "r730 switched off" 0 "99 major, 116 major"
has "an unpowered fan is not judged" '^Fan1\|48\|.*\|not-judged\|unknown'
capture $D; alter 11 23; check "r730, other numbers, names, entities" 1 "110 major, 127 major"
capture $D; bits 0xa0 0 1; alter 1 66; check "r730, the same with a failed drive" 1 "100 major, 117 major, 161 major"

Q=quanta_d51
capture $Q; check "d51 as captured" 1 "225 major, 227 major, 228 major"
has "a drive slot that was never populated shows its raw value" '^HDD0\|69\|.*\|3803\|not-judged\|unknown\|.*raw 3803'
has "an empty processor socket is inventory" '^CPU_1\|169\|.*\|not-present\|normal'
capture $Q; bits 0xe1 0; bits 0xe4 0; value 0xe3 0x14; bits 0xe3 6 7; check "d51, supply 2 has input again" 1 ""
capture $Q; bits 0xeb 1; check "d51, CATERR" 1 "225 major, 227 major, 228 major, 235 critical"
capture $Q; value 0xc0 0x04; check "d51, a fan slows down" 1 "192 major, 225 major, 227 major, 228 major"
capture $Q; bits 0x47 0 1; check "d51, a populated drive slot fails" 1 "71 major, 225 major, 227 major, 228 major"
capture $Q; bits 0x47 0; check "d51, a populated drive slot in order" 1 "225 major, 227 major, 228 major"
has "it is judged" '^HDD2\|71\|.*\|0001\|nominal\|normal'
capture $Q; alter 5 30; check "d51, other numbers, names, entities" 1 "230 major, 232 major, 233 major"
exit $failed
