# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The LVS part of tests/bench/run: 1,000 real servers set by glory-ipvs against ipvsadm -R of the same list, and one weight of them changed. Both in one
# user-mode Linux, in turns; glory-ipvs reads its picture, compares, writes, reads back and prints it all in that time. Settings: LVS_REALS, ROUNDS.

# needs B, W, ROUNDS, FAILED and the functions of lib.sh
bench_lvs() {
	local reals=${LVS_REALS:-1000} round ours theirs one commands status
	local ipvs=$B/libexec/glory/glory-ipvs
	[ -x "$ipvs" ] || { say "$ipvs is not built: LVS is not measured"; return; }
	command -v ipvsadm >/dev/null || { say "ipvsadm is not installed: LVS is not measured"; return; }
	tests/lab/uml/boot -t 300 tests/bench/lvs_guest.sh "$(readlink -f "$ipvs")" "$reals" "${LVS_ROUNDS:-$((ROUNDS * 2))}" >"$W/lvs"
	status=$?
	[ $status != 77 ] || { say "$(grep -m 1 skipped "$W/lvs"): LVS is not measured"; return; }
	[ $status = 0 ] || { say "LVS: $(tail -n 2 "$W/lvs")"; FAILED=1; return; }
	while read -r round ours theirs one commands; do
		[[ $round =~ ^[0-9]+$ ]] || continue
		sample lvs_ours "$ours"
		sample lvs_theirs "$theirs"
		sample lvs_set "$(calc "$ours / $theirs")"
		sample lvs_one "$(calc "$one / $theirs")"
		sample lvs_one_ms "$(calc "$one * 1000")"
		sample lvs_commands "$commands"
	done <"$W/lvs"
	row "$reals real servers set, read back and compared" "$(median lvs_ours) s" "ipvsadm -R $(median lvs_theirs) s" lvs_set "<= 1.00"
	row "one weight of $reals: commands sent" "glory-ipvs" "-" lvs_commands 1.00
	row "one weight of $reals: time" "$(median lvs_one_ms) ms" "ipvsadm -R of all" lvs_one -
}
