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
