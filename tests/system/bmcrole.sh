#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# glory-bmc as the supervisor starts it, under its sandbox, with a BMC on loopback; a second start finds the sensor records in its file.
set -u
B=${B:-build}
for program in "$B/tests/bmcrole" "$B/libexec/glory/glory-bmc"; do
	[ -x "$program" ] || { echo "skipped: $program is not built"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: needs root to become another user"; exit 77; }
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
chmod 755 "$T"
mkdir "$T/sdr"
chown 64199:64199 "$T/sdr"
"$B/tests/bmcrole" "$B/libexec/glory/glory-bmc" "$T" || exit 1
[ "$(find "$T/sdr" -type f | wc -l)" = 1 ] || { echo "FAIL the sensor records are kept in one file: $(ls "$T/sdr")"; exit 1; }
echo "ok   the sensor records are kept in a file"
before=$(stat -c %Y.%i "$T/sdr"/*)
"$B/tests/bmcrole" "$B/libexec/glory/glory-bmc" "$T" >/dev/null || { echo "FAIL the second start"; exit 1; }
[ "$before" = "$(stat -c %Y.%i "$T/sdr"/*)" ] || { echo "FAIL the second start used the file"; exit 1; }
echo "ok   the second start used the file"
# a disk that stands still: opening the file waits for somebody who never comes. What is written waits, what is read is asked of the BMC instead
name=$(basename "$T"/sdr/*)
for stands in "$name.new" "$name"; do
	[ "$stands" = "$name" ] && at="a read" || at="a write"
	rm -f "$T"/sdr/*
	mkfifo -m 600 "$T/sdr/$stands" && chown 64199:64199 "$T/sdr/$stands" || exit 1
	"$B/tests/bmcrole" "$B/libexec/glory/glory-bmc" "$T" >"$T/out" 2>&1 || { grep -v '^ok' "$T/out"; echo "FAIL polling while the disk stands at $stands"; exit 1; }
	grep -q 'the disk stands still' "$T/out" || { echo "FAIL the disk did not stand at $stands: this run shows nothing"; exit 1; }
	[ -p "$T/sdr/$stands" ] || { echo "FAIL $stands was replaced"; exit 1; }
	echo "ok   all the same while the disk stands at $at: $(grep 'its loop was late' "$T/out" | cut -c6-)"
done
