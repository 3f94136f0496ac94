#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Inside a user-mode Linux: lvs_guest.sh PROGRAM REALS ROUNDS. Each round sets a service of so many real servers in new network namespaces, by glory-ipvs and by
# ipvsadm -R, in turns, then changes one weight by glory-ipvs. Prints "ROUND OURS THEIRS ONE COMMANDS": seconds, and the commands of that one change.
# shellcheck disable=SC2034,SC2154 # names of results are handed over
set -u
program=$1 reals=$2 rounds=$3
modprobe ip_vs && modprobe ip_vs_wlc && modprobe dummy || exit 1

# picture WEIGHT OF THE 7TH FROM THE END
picture() {
	awk -v n="$reals" -v last="$1" 'BEGIN {
		printf "{\"v\":1,\"driver\":\"ipvs\",\"virtuals\":[{\"name\":\"web\",\"protocol\":\"tcp\",\"address\":\"10.0.0.1:80\",\"forwarding\":\"nat\",\"scheduler\":\"wlc\",\"reals\":["
		for (i = 0; i < n; i++)
			printf "%s{\"name\":\"n%04d\",\"address\":\"10.88.%d.%d:80\",\"weight\":%d}", (i ? "," : ""), i, i / 250, i % 250 + 1, (i == n - 7 ? last : 100)
		print "]}]}" }'
}
picture 100 >/run/before
picture 40 >/run/after
awk -v n="$reals" 'BEGIN {
	print "-A -t 10.0.0.1:80 -s wlc"
	for (i = 0; i < n; i++)
		printf "-a -t 10.0.0.1:80 -r 10.88.%d.%d:80 -m -w 100\n", i / 250, i % 250 + 1 }' >/run/rules

new() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	ip -n "$1" link add d0 type dummy
	ip -n "$1" addr add 10.88.255.1/16 dev d0
	ip -n "$1" link set d0 up
}
# timed VARIABLE NAMESPACE INPUT COMMAND...: output in /run/out
timed() {
	local -n took=$1
	local began=$EPOCHREALTIME
	ip netns exec "$2" "${@:4}" <"$3" >/run/out 2>/run/errors || { echo "failed: $4: $(cat /run/errors)"; exit 1; }
	took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.6f", b - a }')
}
# both hold the same before any of it counts
same() {
	local a b
	a=$(ip netns exec "$1" ipvsadm -Sn | sort | sha256sum)
	b=$(ip netns exec "$2" ipvsadm -Sn | sort | sha256sum)
	[ "$a" = "$b" ] || { echo "failed: the two lists differ"; exit 1; }
}

for ((round = 0; round <= rounds; round++)); do
	new a$round
	new b$round
	if ((round % 2)); then
		timed ours a$round /run/before "$program"
		timed theirs b$round /run/rules ipvsadm -R
	else
		timed theirs b$round /run/rules ipvsadm -R
		timed ours a$round /run/before "$program"
	fi
	same a$round b$round
	timed one a$round /run/after "$program"
	commands=$(sed -n 's/.*"commands":\([0-9]*\).*/\1/p' /run/out)
	# the first round brings programs and libraries into memory
	[ $round = 0 ] || echo "$round $ours $theirs $one ${commands:-0}"
	ip netns del a$round
	ip netns del b$round
done
