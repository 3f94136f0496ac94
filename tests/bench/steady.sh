# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154,SC2086
# The whole appliance on the swarm in its steady state: CPU and memory of its roles, punctuality as the swarm counts it, walks of the node
# table meanwhile, dead nodes called, rows in the files. Sourced by tests/bench/run.

# walk FORM HOST:PORT OID: one bulk walk by the stock tool; sets WALL, LINES
walk() {
	local start=$EPOCHREALTIME
	LINES=$(SNMPCONFPATH=$W/$1 snmpbulkwalk -On -Cr50 "$2" "$3" 2>"$W/walk.err" | wc -l)
	WALL=$(calc "$EPOCHREALTIME - $start")
}
# start_canned COLUMNS: the canned responder, which prices the stock tool, and the bare handler over a sorted array, which the agent is held against
start_canned() {
	"$B/tests/walkcanned" --rows "$N" --columns "$1" --port 11161 >"$W/canned.log" 2>&1 &
	CANNED=$!
	"$B/tests/walkcanned" --rows "$N" --columns "$1" --port 11162 --max-size 8192 --bare >"$W/bare.log" 2>&1 &
	BARE=$!
	wait_for 20 'grep -q ready "$W/canned.log" && grep -q ready "$W/bare.log"' || { say "walkcanned: $(cat "$W/canned.log" "$W/bare.log")"; exit 1; }
}
stop_canned() { kill "$CANNED" "$BARE"; wait "$CANNED" "$BARE" 2>/dev/null; CANNED='' BARE=''; }
walk_canned() { walk canned "127.0.0.1:${1:-11161}" 1.3.6.1.4.1.32473.1.1.4.1.1; }

bench_canned() {
	local i before
	start_canned 20
	for ((i = 0; i < 3; i++)); do
		before=$(cpu $CANNED)
		walk_canned
		[ "$LINES" -ge $((N * 20)) ] || { say "the walk of the canned table gave $LINES lines"; FAILED=1; }
		sample canned_wall "$WALL"
		sample canned_cpu "$(calc "($(cpu $CANNED) - $before) * 1e6 / $LINES" 2)"
	done
	row "snmpbulkwalk of $N x 20 canned values, s" "stock tool" "canned responder" canned_wall
	row "canned responder, us of CPU a value" "-" "-" canned_cpu
	stop_canned
}

# --- rounds ------------------------------------------------------------------------------------------------
declare -A CPU_BEFORE=()
mark_roles() { local r; for r in $(roles); do CPU_BEFORE[$r]=$(cpu "${r#*=}"); done; }

# one round: a window of the appliance alone, then the raw client's at the same rates, while the appliance goes on
measure_round() {
	local r spent all=0 raw_get raw_beat paced
	mark_roles
	pause "$WINDOW"
	for r in $(roles); do
		spent=$(calc "$(cpu "${r#*=}") - ${CPU_BEFORE[$r]:-0}" 2)
		ROUND_CPU[${r%=*}]=$spent
		all=$(calc "$all + $spent" 2)
	done
	raw --interval "$INTERVAL_MS" --sweeps $((WINDOW * 1000 / INTERVAL_MS)) >"$W/raw.get" &
	paced=$!
	# polls of every second are the heartbeat themselves
	if [ "$INTERVAL_MS" -gt 1000 ]; then raw --echo --interval 1000 --sweeps "$WINDOW" >"$W/raw.echo"; else : >"$W/raw.echo"; fi
	wait $paced
	raw_get=$(json_sum cpu_s <"$W/raw.get") raw_beat=$(json_sum cpu_s <"$W/raw.echo")
	sample raw_window "$(calc "$raw_get + $raw_beat")"
	for r in "${!ROUND_CPU[@]}"; do sample "cpu_$r" "$(calc "${ROUND_CPU[$r]} * 100 / $WINDOW" 2)"; done
	sample collector_ratio "$(calc "${ROUND_CPU[glory-collector]:-0} / ($raw_get + $raw_beat)")"
	sample all_ratio "$(calc "$all / ($raw_get + $raw_beat)")"
	sample cpu_all "$(calc "$all * 100 / $WINDOW" 2)"
}

# all roles over the whole time, whatever a window's place leaves out: the files' rounds come in bursts
whole_cpu() { local r sum=0; for r in $(roles); do sum=$(calc "$sum + $(cpu "${r#*=}")" 3); done; echo "$sum"; }
whole_mark() { WHOLE_FROM=$EPOCHREALTIME WHOLE_CPU=$(whole_cpu); }
report_whole() {
	local raw
	raw=$(tr ' ' '\n' <<<"${SAMPLES[raw_window]:-}" | awk -v window="$WINDOW" 'NF { s += $1; n++ } END { printf "%.6f", n ? s / n / window : 0 }')
	WHOLE_RATIO=$(calc "($(whole_cpu) - $WHOLE_CPU) / ($EPOCHREALTIME - $WHOLE_FROM) / ($raw + 1e-9)" 2)
	WHOLE_S=$(calc "$EPOCHREALTIME - $WHOLE_FROM" 0)
}

report_memory() {
	local r sum=0 file=0 kb
	for r in $(roles); do
		kb=$(pss_kb "${r#*=}")
		sum=$((sum + kb)) file=$((file + $(pss_file_kb "${r#*=}")))
		row "PSS of ${r%=*}, MiB" "-" "-" "- $(calc "$kb / 1024" 1) -"
	done
	row "PSS of all roles, MiB (of it mapped files $((file >> 10)))" "-" "-" "- $(calc "$sum / 1024" 1) -" "<= 512"
}

# one walk of the node table in a form, and one of the canned table, in turn
walk_pair() {
	local agent=$1 form=$2 before agent_us canned_us wall
	before=$(cpu "$agent")
	walk "$form" 127.0.0.1:1161 "$NODE_TABLE"
	wall=$WALL
	agent_us=$(calc "($(cpu "$agent") - $before) * 1e6 / ($LINES + 0.001)" 2)
	walk_canned
	sample "walk_wall_$form" "$wall"
	sample "walk_ratio_$form" "$(calc "$wall / $WALL")"
	before=$(cpu "$BARE")
	walk_canned 11162
	canned_us=$(calc "($(cpu "$BARE") - $before) * 1e6 / $LINES + 0.001" 3)
	sample bare_us "$canned_us"
	sample "walk_cpu_$form" "$agent_us"
	sample "walk_cpu_ratio_$form" "$(calc "$agent_us / $canned_us")"
}

bench_walk() {
	local i form agent columns
	agent=$(roles | sed -n 's/^glory-agent=//p')
	walk v2c 127.0.0.1:1161 "$NODE_TABLE"
	columns=$((LINES / N))
	if [ $columns -lt 1 ]; then
		say "the walk of the node table gave $LINES lines: $(head -n 1 "$W/walk.err")"
		FAILED=1
		return
	fi
	start_canned $columns
	for ((i = 0; i < 5; i++)); do
		for form in v2c v3; do walk_pair "$agent" $form; done
	done
	for form in v2c v3; do
		row "walk of $N x $columns by $form, wall" "$(median walk_wall_$form) s" "tool on canned values (v2c)" walk_ratio_$form "<= 2"
		row "agent's CPU a value in that walk" "$(median walk_cpu_$form) us" "bare handler, v2c $(median bare_us) us" walk_cpu_ratio_$form "<= 2"
	done
	stop_canned
}

report_swarm() {
	local file="$W/report"
	ctl report >"$file"
	line() { grep "\"$1\": {" "$file" | json_number "$2"; }
	row "polls an agent (expected $(line polls expected))" "counted by the swarm" "-" "$(line polls min) - $(line polls max)" "N +- 1"
	row "agents with N +- 1 polls of $(line agents live)" "-" "-" "- $(line polls agents_within_one) -" "all"
	row "gap between polls, intervals (p50 p99 max)" "-" "-" \
		"$(line poll_gap_intervals p50) $(line poll_gap_intervals p99) $(line poll_gap_intervals max)" "<= 1.2"
	row "agents with a gap over 1.2 intervals" "-" "-" "- $(line poll_gap_intervals agents_over_1_2) -" "0"
	row "heartbeats an agent in $(json_number seconds <"$file") s" "-" "-" "$(line heartbeats min) - $(line heartbeats max)"
	row "requests at once at one BMC" "-" "-" "- $(line bmcs max_requests_at_once) -" "1"
	row "BMC commands, sessions opened, failed" "-" "-" "$(line bmcs commands) $(line bmcs sessions_opened) $(line bmcs sessions_failed)"
	row "loop of the swarm itself, late at most, ms" "-" "-" "- - $(line sums max_loop_ms)"
	[ "$(line sums receive_dropped)" = 0 ] || say "the swarm itself lost $(line sums receive_dropped) requests: the counts above are too low"
	[ "$(line agents never_polled)" = 0 ] || FAILED=1
}

# --- what the appliance says of itself, while the swarm counted
metric() { curl -s --unix-socket "$W/api.sock" http://appliance/metrics | sed -n "s/^$1 //p"; }
judge_mark() { LATE_BEFORE=$(metric glory_polls_late_total) LOG_BEFORE=$(wc -l <"$LOG"); }
report_judge() {
	local slow
	slow=$(tail -n +$((LOG_BEFORE + 1)) "$LOG" | sed -n 's/.*one handler took \([0-9]*\) ms.*/\1/p' | sort -n | tail -n 1)
	row "judgement suspended at the end (0 no)" "-" "-" "- $(metric glory_judgement_suspended) -" "0"
	row "answers that came late" "-" "-" "- $(($(metric glory_polls_late_total) - LATE_BEFORE)) -"
	row "longest handler that a role complained of, ms" "-" "-" "- - ${slow:-0}"
	row "answer to GET /v1/nodes, s" "-" "-" \
		"- $(curl -s -o "$W/nodes.json" -w '%{time_total}' --unix-socket "$W/api.sock" http://appliance/v1/nodes) -"
	row "its size, KiB" "-" "-" "- $(($(wc -c <"$W/nodes.json") >> 10)) -"
}

# rows that reached the files while the swarm counted, in a sample of them; the appliance has ended. The first and the last
# 20 s are left out: a file's first row needs two values, and the last is not closed yet
report_rows() {
	local file have=0 want=0 n files
	command -v rrdtool >/dev/null || { say "rrdtool is not installed: rows in RRD are not counted"; return; }
	files=$(trees)
	for file in $(find "$W/var" -name base.rrd | sort | awk -v every=$((files / 50 + 1)) 'NR % every == 0'); do
		n=$(rrdtool fetch "$file" AVERAGE -r 10 -s $((COUNT_FROM / 10 * 10 + 20)) -e $((COUNT_TO / 10 * 10 - 20)) |
			awk 'NF > 1 && /^[0-9]+:/ { want++; for (i = 2; i <= NF; i++) if ($i !~ /nan/) { have++; break } } END { print have + 0, want + 0 }')
		have=$((have + ${n% *})) want=$((want + ${n#* }))
	done
	[ $want -gt 0 ] && row "rows of 10 s in the files at the end (rest: journal)" "$have" "of $want, 50 files" "- $(calc "$have / $want") -"
	[ "$files" -gt 0 ] || FAILED=1
}

# a hundred machines die one after another, the next before the last is back, while one message in a hundred is lost: time from the death to
# the verdict on the stream of the API
bench_called() {
	local i at name kills=100 step=$((N / 101 + 1)) limit
	[ $N -ge 101 ] || { kills=$((N / 3)); step=3; }
	curl -sN --unix-socket "$W/api.sock" http://appliance/v1/stream | tests/bench/stamp >"$W/stream" &
	STREAM=$!
	ctl set agents 0-$((N - 1)) drop 0.01 >/dev/null
	pause 5
	for ((i = 0; i < kills; i++)); do
		at=$(((i * step) % N))
		echo "$at $EPOCHREALTIME" >>"$W/kills"
		ctl set agents $at dead 1 >/dev/null
		[ $i -lt 8 ] || ctl set agents $((((i - 8) * step) % N)) dead 0 >/dev/null
		pause 1
	done
	pause 8
	ctl set agents 0-$((N - 1)) drop 0 dead 0 >/dev/null
	kill $STREAM $(family $STREAM) 2>/dev/null
	wait $STREAM 2>/dev/null
	while read -r at limit; do
		name=$(printf 'n%05d' $((at + 1)))
		grep -F "\"name\":\"$name\"" "$W/stream" | awk -v from="$limit" '$1 >= from && !/"verdict":"(up|unknown)"/ { printf "%.3f\n", $1 - from; exit }' >"$W/one"
		[ -s "$W/one" ] && sample called_s "$(cat "$W/one")" || MISSED=$((${MISSED:-0} + 1))
	done <"$W/kills"
	row "dead node called, 1 % loss, s (median of $kills)" "stream of the API" "-" called_s
	row "the same, 99th of 100, s" "-" "-" "- $(tr ' ' '\n' <<<"${SAMPLES[called_s]:-}" | grep . | sort -n | awk '{ v[NR] = $1 } END { n = int(NR * 0.99 + 0.5); print NR ? v[n < 1 ? 1 : n] : "-" }') -" "<= 3.3"
	row "dead nodes that were not called" "-" "-" "- ${MISSED:-0} -" "0"
}

bench_steady() {
	local i r files
	declare -gA ROUND_CPU=()
	if [ ! -x "$B/bin/gloryd" ] || [ ! -x "$B/libexec/glory/glory-engine" ]; then
		say "$B/bin/gloryd is not built: only the parts without it were measured"
		return
	fi
	appliance_start || { FAILED=1; return; }
	wait_for_trees
	row "all RRD files made after, s" "$(trees) base files of $N" "$(all_files) files" "- $TREE_SECONDS -"
	files=$(all_files)
	ctl reset
	judge_mark
	COUNT_FROM=$EPOCHSECONDS
	whole_mark
	for ((i = 0; i < ROUNDS; i++)); do
		say "round $((i + 1)) of $ROUNDS"
		measure_round
	done
	report_whole
	report_memory
	wants walk && bench_walk
	COUNT_TO=$EPOCHSECONDS
	report_swarm
	report_judge
	row "RRD files made while it counted" "$files before" "$(all_files) after" "- $(($(all_files) - files)) -"
	wants called && bench_called
	appliance_stop
	report_rows
	for r in "${!ROUND_CPU[@]}"; do row "CPU of $r, % of one core" "-" "-" "cpu_$r"; done
	row "CPU of all roles, % of one core" "-" "-" cpu_all
	row "collector's CPU: poll of 26 objects every $((INTERVAL_MS / 1000)) s" "collector" "raw client, same rates" collector_ratio
	row "all roles' CPU at the same rates, by window" "all roles" "raw client, same rates" all_ratio "<= 4"
	row "the same over all $WHOLE_S s, the files' rounds included" "all roles" "raw client, same rates" "- $WHOLE_RATIO -" "<= 4"
}
