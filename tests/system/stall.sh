#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that stands still for a minute (everything the appliance has lies on a file system that is frozen) delays no poll and loses no row:
# the swarm counts the polls, the files are read afterwards.
set -u
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
B=${GLORY_BUILD:-${B:-build}} STALL_S=${STALL_S:-60}
N=25 INTERVAL_MS=1000 BENCH_V3=0 TREE_LIMIT=180 GLORYD='' SWARM='' HZ=$(getconf CLK_TCK)
for need in tests/swarm bin/gloryd libexec/glory/glory-recorder; do [ -x "$B/$need" ] || { echo "skipped: $B/$need is not built"; exit 77; }; done
for need in fsfreeze mkfs.ext4 rrdtool curl; do command -v $need >/dev/null || { echo "skipped: $need is not installed"; exit 77; }; done
. tests/bench/lib.sh
. tests/bench/appliance.sh
. tests/lab/swarm/world
swarm_world
T=$(mktemp -d) W=$T/disk LOG=$T/log
chmod 755 "$T"
finish() {
	fsfreeze -u "$W" 2>/dev/null
	appliance_stop
	[ -n "$SWARM" ] && kill "$SWARM" && wait "$SWARM" 2>/dev/null
	mountpoint -q "$W" && umount "$W"
	rm -rf "$T"
}
trap finish EXIT
failed=0
ok() { echo "ok   $1"; }
bad() { echo "FAIL $1: $2"; failed=1; }
ctl() { "$B/tests/swarm" ctl "$T/ctl" "$@"; }
report() { ctl report | grep "\"$1\": {" | json_number "$2"; }
metric() { curl -s --unix-socket "$W/api.sock" http://appliance/metrics | sed -n "s/^$1 //p"; }

mkdir "$W" && truncate -s 512M "$T/image" && mkfs.ext4 -q "$T/image" && mount -o loop "$T/image" "$W" 2>"$T/why" ||
	{ echo "skipped: no loop device on this machine: $(cat "$T/why")"; exit 77; }
chmod 755 "$W"
printf '%s\n' community=lab password=bench-bmc-secret >"$T/swarm.secret"
"$B/tests/swarm" --agents $N --bmcs $N --ctl "$T/ctl" --interval $INTERVAL_MS --secret "$T/swarm.secret" >"$T/swarm.log" 2>&1 &
SWARM=$!
wait_for 20 'ctl ping' || { cat "$T/swarm.log"; exit 1; }
appliance_start || exit 1
wait_for_trees
[ "$(trees)" = $N ] && ok "every node has its file" || bad "every node has its file" "$(trees) of $N"

for try in 1 2 3; do # what counts is a stretch in which the swarm itself was punctual
	ctl reset >/dev/null
	from=$EPOCHSECONDS
	fsfreeze -f "$W" || { echo "skipped: this file system cannot be frozen"; exit 77; }
	wait_for $((STALL_S + 30)) '[ $((EPOCHSECONDS - from)) -ge $STALL_S ]'
	within=$(report polls agents_within_one) over=$(report poll_gap_intervals agents_over_1_2) late=$(report sums max_loop_ms)
	fsfreeze -u "$W"
	to=$EPOCHSECONDS
	[ "${late%.*}" -gt 100 ] && [ $over -gt 0 ] && [ $try -lt 3 ] || break
	echo "note the swarm was $late ms late itself: again"
done
[ "$within" = $N ] && ok "every agent got its polls while the disk stood" || bad "every agent got its polls while the disk stood" "$within of $N"
[ "$over" = 0 ] && ok "no gap over 1.2 intervals" || bad "no gap over 1.2 intervals" "$over agents, the swarm was late by $late ms"
wait_for 30 '[ "$(metric glory_samples_dropped_total)" = 0 ]' && ok "no sample was dropped" || bad "no sample was dropped" "$(metric glory_samples_dropped_total)"
# sets HAVE and WANT: rows of the frozen minute that are in the files, and that should be
count_rows() {
	local file n file_have file_want missing
	HAVE=0 WANT=0
	while read -r file; do
		n=$(rrdtool fetch "$file" AVERAGE -r 10 -s $((from / 10 * 10)) -e $((to / 10 * 10 - 20)) |
			awk 'NF > 1 && /^[0-9]+:/ { want++; for (i = 2; i <= NF; i++) if ($i !~ /nan/) { have++; break } if (i > NF) missing = missing " " $1 }
				END { print have + 0, want + 0, missing }')
		read -r file_have file_want missing <<<"$n"
		[ -z "$missing" ] || echo "note ${file#"$W/var/"} has no row at $missing (frozen from $from to $to)"
		HAVE=$((HAVE + file_have)) WANT=$((WANT + file_want))
	done < <(find "$W/var" -name base.rrd)
}

# the newest step that is counted ends with each node's next poll, two seconds after `to` at the latest
wait_for 10 '[ $((EPOCHSECONDS - to)) -ge 3 ]'
appliance_stop
count_rows
if [ $HAVE -lt $WANT ]; then # a disk that is still slow gets 10 s at the end: what it did not take by then stands in the journal
	echo "note $((WANT - HAVE)) rows were left to the journal: $(grep -o '[0-9]* of [0-9]* rows are left.*' "$LOG" | tail -n 1)"
	appliance_start && appliance_stop
	count_rows
fi
[ $WANT -ge $((N * (STALL_S / 10 - 3))) ] && [ $HAVE = $WANT ] && ok "every row of the minute is in its file ($HAVE)" ||
	bad "every row of the minute is in its file" "$HAVE of $WANT"
exit $failed
