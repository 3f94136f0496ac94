#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tests/bench/bmc.sh [BUILD [short|full]]
# The BMC engine against FreeIPMI's own tools on the swarm's BMCs, in turns: power states of all BMCs with a whole session each (suites 17 and 3),
# and sensors with the records known to both (warm) and to neither (cold). Each ratio is of two runs that follow each other, wall time and CPU.
# The appliance keeps its sessions open, FreeIPMI's tools cannot: both are shown.
# tests/bench/run sources this file and calls bench_bmc beside its own swarm; alone it makes its own. Settings: BMCS, SENSOR_BMCS, BMC_ROUNDS.
# shellcheck disable=SC2034,SC2128,SC2178

# bmc_hosts COUNT [FIRST]: so many of the swarm's BMCs as FreeIPMI's host ranges, from a multiple of 250 on
bmc_hosts() {
	local left=$1 i=$((${2:-0} / 250)) n list=''
	while [ "$left" -gt 0 ]; do
		n=$((left < 250 ? left : 250))
		list+=",10.129.$i.[1-$n]"
		left=$((left - n)) i=$((i + 1))
	done
	echo "${list#,}"
}

# bmc_timed OUTPUT CMD...: sets WALL and CPU of the command with its children
bmc_timed() {
	local out=$1 spent
	shift
	spent=$({ TIMEFORMAT='%R %U %S'; time "$@" >"$out" 2>"$out.err" </dev/null; } 2>&1)
	read -r WALL CPU <<<"$(awk '{ print $1, $2 + $3 }' <<<"$spent")"
}

# bmc_slices TOOL COUNT ARGS...: the tool once, or several of it at once where one has not descriptors enough: it opens two for each BMC
bmc_slices() {
	local tool=$1 count=$2 at=0 n pids=() pid
	local most=$((($(ulimit -n) / 2 - 100) / 250 * 250))
	shift 2
	while [ $at -lt "$count" ]; do
		n=$((count - at < most ? count - at : most))
		"$tool" --config-file "$BMC_DIR/freeipmi.conf" -h "$(bmc_hosts $n $at)" "$@" &
		pids+=($!)
		at=$((at + n))
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}

# bmc_ours COUNT SUITE WHAT [DIRECTORY]; bmc_theirs TOOL COUNT SUITE ARGS...: one run each; what is missing of ours is a failure, of theirs is told
bmc_ours() {
	local good
	bmc_timed "$BMC_DIR/ours" "$B/tests/bmcbench" "$1" "$2" "$BMC_DIR/secret" "${@:3}"
	good=$(sed -n 's/.* \(good\|sweeps\) \([1-9][0-9]*\) .*/\2/p' "$BMC_DIR/ours" | head -n 1)
	[ "${good:-0}" = "$1" ] || { say "only ${good:-0} of $1 BMCs gave an answer to us: $(tail -n 1 "$BMC_DIR/ours.err")"; FAILED=1; }
}
bmc_theirs() {
	local tool=$1 count=$2 suite=$3 have
	shift 3
	printf 'driver-type LAN_2_0\nusername operator\npassword %s\ncipher-suite-id %d\nprivilege-level USER\n' "$BMC_PASSWORD" "$suite" \
		>"$BMC_DIR/freeipmi.conf"
	bmc_timed "$BMC_DIR/theirs" bmc_slices "$tool" "$count" "$@"
	have=$(cut -d: -f1 "$BMC_DIR/theirs" | grep -c '^10\.129\.')
	[ "$have" -ge "$count" ] || { say "$tool: only $have of $count BMCs gave an answer to it: $(tail -n 1 "$BMC_DIR/theirs.err")"; }
}

# bmc_pair KEY: the samples of one round from OURS_*, THEIRS_*
bmc_pair() {
	sample "$1_ours" "$OURS_WALL"
	sample "$1_theirs" "$THEIRS_WALL"
	sample "$1_wall" "$(calc "$OURS_WALL / $THEIRS_WALL")"
	sample "$1_cpu" "$(calc "$OURS_CPU / $THEIRS_CPU")"
}

# bmc_report KEY WORK TOOL BAR
bmc_report() {
	row "$2, wall" "$(median "$1_ours") s" "$3 $(median "$1_theirs") s" "$1_wall" "$4"
	row "$2, CPU" "-" "$3" "$1_cpu"
}

bmc_power() {
	local suite round
	for suite in 17 3; do
		for ((round = 0; round < BMC_ROUNDS; round++)); do
			bmc_ours "$BMCS" $suite power
			OURS_WALL=$WALL OURS_CPU=$CPU
			[ "$BMC_PEERS" = 1 ] || { sample "bmc_alone_$suite" "$WALL"; continue; }
			bmc_theirs ipmipower "$BMCS" $suite --stat
			THEIRS_WALL=$WALL THEIRS_CPU=$CPU
			bmc_pair bmc_power_$suite
			bmc_ours "$BMCS" $suite open
			read -r OURS_WALL OURS_CPU <<<"$(sed -n 's/^power, open.* wall \([0-9.]*\) s cpu \([0-9.]*\) .*/\1 \2/p' "$BMC_DIR/ours")"
			bmc_pair bmc_open_$suite
		done
		if [ "$BMC_PEERS" = 1 ]; then
			bmc_report bmc_open_$suite "power of $BMCS BMCs as read every 30 s, suite $suite" ipmipower "<= 0.33"
			bmc_report bmc_power_$suite "the same at first contact, whole sessions, suite $suite" ipmipower -
		else
			row "power of $BMCS BMCs, whole sessions, suite $suite, s" "-" "-" "bmc_alone_$suite"
		fi
	done
}

# the first round is cold and reported apart; we ask each sensor for its thresholds at first contact, the tool does not
bmc_sensors() {
	local round key=bmc_cold
	[ "$BMC_PEERS" = 1 ] || { say "sensors are only compared: freeipmi-tools is not installed"; return; }
	mkdir -p "$BMC_DIR/records/sdr" "$BMC_DIR/sdr-cache"
	for ((round = 0; round <= BMC_ROUNDS; round++)); do
		bmc_ours "$SENSOR_BMCS" 17 sensors "$BMC_DIR/records"
		OURS_WALL=$WALL OURS_CPU=$CPU
		bmc_theirs ipmi-sensors "$SENSOR_BMCS" 17 -F 64 -Q --quiet-cache --sdr-cache-directory="$BMC_DIR/sdr-cache" --no-header-output
		THEIRS_WALL=$WALL THEIRS_CPU=$CPU
		bmc_pair $key
		key=bmc_warm
		[ $round -gt 0 ] || continue
		bmc_ours "$SENSOR_BMCS" 17 sweeps "$BMC_DIR/records"
		read -r OURS_WALL OURS_CPU <<<"$(sed -n 's/^sensors, open.* wall \([0-9.]*\) s cpu \([0-9.]*\) .*/\1 \2/p' "$BMC_DIR/ours")"
		bmc_pair bmc_sweep
	done
	bmc_report bmc_sweep "sensors of $SENSOR_BMCS BMCs as read every 300 s" ipmi-sensors "<= 0.50"
	bmc_report bmc_warm "the same at first contact, records known" ipmi-sensors -
	bmc_report bmc_cold "the same at first contact, records read too" ipmi-sensors -
}

# needs B, W, FAILED and the functions of lib.sh; a swarm with the BMCs and this password must run
bench_bmc() {
	BMC_PASSWORD=$1 BMC_DIR=$W/bmc BMC_PEERS=1
	BMCS=${BMCS:-${2:-10000}} BMC_ROUNDS=${BMC_ROUNDS:-${ROUNDS:-5}}
	SENSOR_BMCS=${SENSOR_BMCS:-$((BMCS < 2000 ? BMCS : 2000))}
	[ -x "$B/tests/bmcbench" ] || { say "$B/tests/bmcbench is not built: BMCs are not measured"; return; }
	command -v ipmipower >/dev/null && command -v ipmi-sensors >/dev/null ||
		{ say "freeipmi-tools is not installed: BMCs are measured without a peer"; BMC_PEERS=0; }
	mkdir -m 700 "$BMC_DIR" || return
	(umask 077; printf 'password=%s\n' "$BMC_PASSWORD" >"$BMC_DIR/secret"; : >"$BMC_DIR/freeipmi.conf")
	ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
	bmc_power
	bmc_sensors
	rm -rf "$BMC_DIR"
}

# --- alone ------------------------------------------------------------------------------------------------
bmc_alone() {
	cd "$(dirname "$0")/../.." || exit 1
	[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private setsid -w tests/bench/bmc.sh "$@"
	{ echo -15 >/proc/self/autogroup; } 2>/dev/null # before other work on this machine, as tests/bench/run does
	B=${1:-${GLORY_BUILD:-${B:-build}}} FAILED=0
	[ "${2:-${BENCH:-full}}" = short ] && BMCS=${BMCS:-200} BMC_ROUNDS=${BMC_ROUNDS:-1}
	BMCS=${BMCS:-10000}
	. tests/bench/lib.sh
	. tests/lab/swarm/world
	for need in swarm bmcbench; do [ -x "$B/tests/$need" ] || { echo "skipped: $B/tests/$need is not built"; exit 77; }; done
	W=$(mktemp -d)
	swarm_world
	(umask 077; echo password=bench-bmc-secret >"$W/swarm.secret")
	"$B/tests/swarm" --agents 1 --bmcs "$BMCS" --ctl "$W/ctl" --secret "$W/swarm.secret" >"$W/swarm.log" 2>&1 &
	SWARM=$!
	trap 'kill $SWARM; rm -rf "$W"' EXIT
	wait_for 20 '"$B/tests/swarm" ctl "$W/ctl" ping' || { say "the swarm does not come up: $(cat "$W/swarm.log")"; exit 1; }
	bench_bmc bench-bmc-secret
	print_table
	exit $FAILED
}
[ "${BASH_SOURCE[0]}" != "$0" ] || bmc_alone "$@"
