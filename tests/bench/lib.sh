# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What tests/bench/run is made of: processes and their cost, numbers from JSON, and the table it prints.

say() { echo "bench: $*" >&2; }

# wait_for SECONDS 'CONDITION': evaluated anew until it holds or the time is over
wait_for() {
	local end=$((SECONDS + $1))
	until eval "$2" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		pause 0.2
	done
}

# lets time pass: a measuring window, or the step of a wait
pause() { read -rt "$1" <> <(:) || :; }

# --- processes -----------------------------------------------------------------------------------------
# CPU seconds that a process has used, user and system; by nanoseconds where the kernel keeps them (/proc/PID/stat counts ticks)
cpu() {
	cat /proc/"$1"/task/*/schedstat 2>/dev/null | awk '{ s += $1 } END { if (NR) printf "%.6f", s / 1e9; exit !NR }' ||
		awk -v hz="$HZ" '{ sub(/.*\) /, ""); printf "%.2f", ($12 + $13) / hz }' "/proc/$1/stat" 2>/dev/null || echo 0
}
pss_kb() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup" 2>/dev/null || echo 0; }
pss_file_kb() { awk '/^Pss_File:/ { print $2 }' "/proc/$1/smaps_rollup" 2>/dev/null || echo 0; }
program_of() { basename "$(readlink "/proc/$1/exe" 2>/dev/null)" 2>/dev/null; }

# all processes below one, itself first
family() {
	local child
	echo "$1"
	for child in $(cat "/proc/$1"/task/*/children 2>/dev/null); do family "$child"; done
}

# --- numbers -------------------------------------------------------------------------------------------
calc() { awk "BEGIN { printf \"%.${2:-3}f\", $1 }"; }
# json_number NAME: of one line of JSON on stdin
json_number() { sed -n "s/.*\"$1\": \(-\{0,1\}[0-9.]*\).*/\1/p" | head -n 1; }
# sum of one field over JSON lines
json_sum() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" | awk '{ s += $1 } END { printf "%.6f", s }'; }

# --- samples: sample KEY VALUE collects; spread KEY prints min, median, max ------------------------------
declare -A SAMPLES=()
sample() { SAMPLES[$1]="${SAMPLES[$1]:-} $2"; }
spread() {
	tr ' ' '\n' <<<"${SAMPLES[$1]:-}" | grep . | sort -n |
		awk '{ v[NR] = $1 } END { if (NR) printf "%.2f %.2f %.2f", v[1], NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[NR]; else printf "- - -" }'
}
median() { spread "$1" | cut -d' ' -f2; }

# --- the table -------------------------------------------------------------------------------------------
ROWS=()
# row WORK OURS AGAINST KEY BAR: KEY names samples of the ratio, or gives three words; a bar "<= X" is held against the median
row() { ROWS+=("$1|$2|$3|$4|${5:--}"); }
# met BAR LOW MID HIGH
met() {
	case $1 in
	'<= '*) [ "$3" = - ] && { echo -; return; }; calc "$3" 4 | awk -v bar="${1#<= }" '{ print $1 <= bar ? "yes" : "NO" }' ;;
	[0-9]*) [ "$3" = "$1" ] && echo yes || echo NO ;;
	*) echo - ;;
	esac
}
print_table() {
	local line work ours against key bar low mid high
	printf '\n%-54s %-24s %-28s %8s %8s %8s  %-9s %s\n' work ours against min median max bar met
	for line in "${ROWS[@]}"; do
		IFS='|' read -r work ours against key bar <<<"$line"
		if [[ $key == *' '* ]]; then read -r low mid high <<<"$key"; else read -r low mid high <<<"$(spread "$key")"; fi
		printf '%-54s %-24s %-28s %8s %8s %8s  %-9s %s\n' "$work" "$ours" "$against" "$low" "$mid" "$high" "$bar" "$(met "$bar" "$low" "$mid" "$high")"
	done
}
