# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# One sweep of all agents: the raw limit, the product's engine by v2c and v3, the peers, all in turns in the same run; and how the cost of
# a node grows with their number. Sourced by tests/bench/run.

# raw ARGS...: the raw client on its own machines
raw() { "$B/tests/raw" --agents "$N" --net "10.128.$((RAW_FIRST / PER_GROUP)).0" --oids $OIDS "$@"; }
# engine_sweeps COUNT FIRST SWEEPS ARGS...: the product's engine, one JSON line a sweep; the first one, which learns the agents, is left out
engine_sweeps() {
	local count=$1 first=$2 sweeps=$3
	shift 3
	"$B/tests/polltool" -n "$count" -a "10.128.$((first / PER_GROUP)).0" -s $((sweeps + 1)) "$@" "$W/swarm.secret" 2>/dev/null | tail -n +2
}
# best_us COUNT: least cost of a node of the JSON lines on stdin: what else this machine does only adds
best_us() { sed -n 's/.*"cpu_s": \([0-9.]*\).*/\1/p' | awk -v n="$1" 'NR == 1 || $1 < m { m = $1 } END { printf "%.3f", m * 1e6 / n }'; }

bench_raw() {
	local line kind form
	raw --sweeps 1 >/dev/null
	for kind in get echo; do
		form=()
		[ $kind = echo ] && form=(--echo)
		while read -r line; do
			sample "raw_$kind" "$(calc "$(json_number cpu_s <<<"$line") * 1e6 / $N" 2)"
			sample "rate_$kind" "$(calc "$(json_number answered <<<"$line") / $(json_number wall_s <<<"$line")" 0)"
		done < <(raw --sweeps "$SWEEPS" "${form[@]}")
		row "raw $kind, us of CPU each" "$(median rate_$kind)/s" "the kernel's UDP path" "raw_$kind"
	done
}

# collectd's snmp plugin, 16 threads, one GET of all objects for each machine; prints CPU seconds of its second sweep
collectd_sweep() {
	local d=$W/collectd i pid before first
	mkdir -p "$d"
	{ printf 'bench'; for ((i = 1; i <= OIDS; i++)); do printf '%s v%d:GAUGE:U:U' "$([ $i -gt 1 ] && echo ,)" $i; done; echo; } >"$d/types.db"
	{
		printf 'Hostname "bench"\nInterval 5\nReadThreads 16\nBaseDir "%s"\nPIDFile "%s/pid"\nTypesDB "%s/types.db"\n' "$d" "$d" "$d"
		printf 'LoadPlugin snmp\n<Plugin snmp>\n<Data "all">\nType "bench"\nTable false\nInstance "x"\nValues'
		sed -n 's/.*"\(1\.3\.[0-9.]*\)".*/&/p' tests/bench/oids.h | grep -o '"1\.3\.[0-9.]*"' | tr '\n' ' '
		printf '\n</Data>\n'
		for ((i = RAW_FIRST; i < RAW_FIRST + N; i++)); do
			printf '<Host "h%d">\nAddress "10.128.%d.%d"\nVersion 2\nCommunity "lab"\nCollect "all"\nInterval 5\n</Host>\n' \
				$i $((i / PER_GROUP)) $((1 + i % PER_GROUP))
		done
		printf '</Plugin>\n'
	} >"$d/collectd.conf"
	first=$(report sums gets)
	collectd -f -C "$d/collectd.conf" >"$d/log" 2>&1 &
	pid=$!
	if wait_for 60 '! kill -0 $pid || [ $(($(report sums gets) - first)) -ge $((N + N / 50)) ]' && kill -0 $pid 2>/dev/null; then
		before=$(cpu $pid) first=$(report sums gets)
		wait_for 60 '[ $(($(report sums gets) - first)) -ge $N ]' && calc "($(cpu $pid) - $before) * $N / ($(report sums gets) - $first)"
	else
		say "collectd does not poll: $(tail -n 1 "$d/log")"
	fi
	kill $pid 2>/dev/null
	wait $pid 2>/dev/null
}

bench_sweep() {
	local i raw_us ours peer peers=1 v3_first=$((RAW_FIRST + N))
	command -v collectd >/dev/null || say "collectd is missing (package collectd-core): it is not compared"
	[ -x "$B/tests/peer_netsnmp" ] || { say "$B/tests/peer_netsnmp is not built"; peers=0; }
	for ((i = 0; i < ROUNDS; i++)); do
		raw_us=$(raw --sweeps 3 | best_us "$N")
		ours=$(engine_sweeps "$N" "$RAW_FIRST" 3 | best_us "$N")
		sample sweep_us "$ours"
		sample sweep_raw "$(calc "$ours / $raw_us")"
		if [ $peers = 1 ]; then
			peer=$("$B/tests/peer_netsnmp" "$N" "10.128.$((RAW_FIRST / PER_GROUP))" 16 2 lab 2>/dev/null | best_us "$N")
			sample netsnmp_us "$peer"
			sample sweep_netsnmp "$(calc "$ours / ($peer + 0.0001)")"
		fi
		peer=$(engine_sweeps "$N" $v3_first 3 -u glory | best_us "$N")
		sample v3_us "$peer"
		sample sweep_v3 "$(calc "$peer / $ours")"
		if command -v collectd >/dev/null && [ $i -lt 3 ] && peer=$(collectd_sweep) && [ -n "$peer" ]; then
			sample collectd_us "$(calc "$peer * 1e6 / $N" 2)"
			sample sweep_collectd "$(calc "$ours / ($peer * 1e6 / $N)")"
		fi
	done
	row "sweep of $N x $OIDS objects, v2c, CPU" "$(median sweep_us) us each" "raw client" sweep_raw "<= 1.2"
	row "the same" "$(median sweep_us) us" "net-snmp, 16 threads $(median netsnmp_us) us" sweep_netsnmp "<= 0.2"
	row "the same" "$(median sweep_us) us" "collectd, 16 threads $(median collectd_us) us" sweep_collectd "<= 0.167"
	row "v3 authPriv, $N engine ids, CPU" "$(median v3_us) us" "v2c in the same round" sweep_v3 "<= 2.5"
}

# cost of a node in sweeps of more and more of them, each held against the smallest of the same round; sizes that the swarm has no machines for are
# left out
bench_growth() {
	local size i sizes=() base cost
	for size in 1000 2500 5000 10000 20000; do [ $size -le $((2 * N)) ] && sizes+=($size); done
	[ ${#sizes[@]} -gt 0 ] || sizes=($((N / 2)) "$N" $((2 * N)))
	for ((i = 0; i < 3 * ROUNDS; i++)); do
		base=''
		for size in "${sizes[@]}"; do
			cost=$(engine_sweeps "$size" "$RAW_FIRST" $((20000 / size + 2)) | best_us "$size")
			base=${base:-$cost}
			sample "growth_$size" "$cost"
			sample "growth_ratio_$size" "$(calc "$cost / $base")"
		done
	done
	for size in "${sizes[@]}"; do
		row "growth: sweep of $size, us of CPU a node" "$(median "growth_$size") us" "at ${sizes[0]} nodes: $(median "growth_${sizes[0]}")" \
			"growth_ratio_$size" "<= 1.15"
	done
}

bench_rrd() {
	local line nodes=$((N < 200 ? N : 200))
	[ -x "$B/tests/rrdbench" ] || { say "$B/tests/rrdbench is not built: RRD is not measured"; return; }
	mkdir "$W/rrdbench"
	while read -r line; do
		case $line in
		*create_us*) row "making an RRD file, us of CPU" "-" "-" "- $(json_number create_us <<<"$line") -" ;;
		*)
			sample rrd_ratio "$(json_number ratio <<<"$line")"
			sample rrd_ours "$(json_number ours_us <<<"$line")"
			sample rrd_bare "$(json_number bare_us <<<"$line")"
			;;
		esac
	done < <("$B/tests/rrdbench" "$W/rrdbench" $nodes "$ROUNDS" 2>>"$W/rrd.log")
	[ -n "${SAMPLES[rrd_ratio]:-}" ] || { say "rrdbench: $(tail -n 1 "$W/rrd.log")"; FAILED=1; }
	row "RRD, base and 5 files of $nodes nodes, CPU a row" "recorder $(median rrd_ours) us" "rrd_update_r of 30 $(median rrd_bare) us" rrd_ratio "<= 1.3"
	rm -rf "$W/rrdbench"
}
