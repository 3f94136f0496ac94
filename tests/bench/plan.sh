# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034 # FAILED is the bench's
# What a member costs the planner of services, and the engine around it, by how many members the service has: sourced by tests/bench/run, after lib.sh.

# plan_sample PROGRAM KEY: one run of it; each line's time per member against that of 100 members
plan_sample() {
	local line name members us
	local -A base=()
	[ -x "$B/tests/$1" ] || { say "$B/tests/$1 is not built: run make bench"; FAILED=1; return; }
	"$B/tests/$1" >"$W/plan" || { say "$1 failed"; FAILED=1; return; }
	while read -r line; do
		name=$(sed -n "s/.*\"$2\": \"\([a-z]*\)\".*/\1/p" <<<"$line")
		members=$(json_number members <<<"$line") us=$(json_number us <<<"$line")
		sample "plan_us_${name}_$members" "$us"
		[ "$members" = 100 ] && base[$name]=$us
		[ "$members" -gt 100 ] || continue
		sample "plan_each_${name}_$members" "$(calc "$us / $members / (${base[$name]} / 100)")"
		sample "plan_all_${name}_$members" "$(calc "$us / ${base[$name]}")"
	done <"$W/plan"
}

# plan_rows TITLE BAR NAME each|all MEMBERS...
plan_rows() {
	local title=$1 bar=$2 name=$3 of=$4 members
	for members in "${@:5}"; do
		row "$title, $members members, $of" "$(median "plan_us_${name}_$members") us" "100 members, $(median "plan_us_${name}_100") us" \
			"plan_${of}_${name}_$members" "$bar"
	done
}

# A planner that looks at all members for each one it changes has a ratio of 10 or 100 here; one that looks once has what the caches make of it.
bench_plan() {
	local round moment
	for ((round = 0; round < ROUNDS; round++)); do
		plan_sample planbench moment
		plan_sample roundbench work
	done
	for moment in quiet grow shrink restart trouble leave return; do
		plan_rows "planner, $moment" "<= 4" $moment each 1000 2000 10000
	done
	plan_rows "engine, a quiet second of a service" "<= 4" round each 1000 2000 4000
	plan_rows "engine, answers of the store" "<= 4" answers each 1000 2000 4000
	plan_rows "engine, choice of ten nodes to grow by" "<= 4" offers all 1000 2000 4000
}
