#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The clock of a guest (tests/lab/uml/clock.c): what waits in there does not wait out here, and both of its clocks and its timers agree.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
if [ -z "${GLORY_UML:-}" ]; then
	begun=$SECONDS
	tests/lab/uml/boot -c 50 -t 240 "$0"
	code=$?
	[ $code = 0 ] || exit $code
	[ $((SECONDS - begun)) -lt 240 ] || { echo "FAILED  an hour of the guest took $((SECONDS - begun)) s"; exit 1; }
	echo "ok      an hour of the guest took $((SECONDS - begun)) s"
	exit 0
fi
exec 7<> <(:)
up() { local up _; read -r up _ </proc/uptime; echo "${up%.*}"; }
status=0
# NAME LEAST MOST VALUE
between() {
	if [ "$4" -ge "$2" ] && [ "$4" -le "$3" ]; then echo "ok      $1"; else echo "FAILED  $1: $4, not $2 to $3"; status=1; fi
}
mono=$(up) real=$EPOCHSECONDS
read -r -t 3600 -u 7 _
between "an hour passed" 3599 3660 $(($(up) - mono))
between "by the clock on the wall, too" 3599 3660 $((EPOCHSECONDS - real))
mono=$(up)
for _ in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done
between "programs take some of it, not much" 0 10 $(($(up) - mono))
# two that wait are woken in the order of their times
rm -f /run/order
for s in 30 10 20; do (read -r -t $s -u 7 _; echo $s >>/run/order) & done
wait
between "the first first" 102030 102030 "$(tr -d '\n' </run/order)"
exit $status
