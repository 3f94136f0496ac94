#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The API and gloryctl as others meet them: every route, every refusal, rights by UNIX group, garbage, crowds, a silent engine, restarts.
# The role is the real one in its sandbox; apitool plays supervisor and engine. Run by `make check`.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -n "${GLORY_PRIVATE:-}" ] || exec tests/lab/private "$0" "$@"
B=${GLORY_BUILD:-${B:-build}}
for tool in curl jq python3 setpriv; do
	command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
for program in libexec/glory/glory-api tests/apitool bin/gloryctl; do
	[ -x "$B/$program" ] || { echo "skipped: $B/$program is not built"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/glory-api.XXXXXX") || exit 1
chmod 755 "$work"
sock=$work/api.sock port=18080 failed=0 checked=0
trap 'rm -rf "$work"' EXIT

ok() { checked=$((checked + 1)); }
bad() { checked=$((checked + 1)); failed=$((failed + 1)); echo "FAILED  $*"; }
wait_for() { # wait_for SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.05 <>"$work/never"
	done
	return 0
}
mkfifo "$work/in" "$work/never"
: >"$work/out"
exec 7<>"$work/in"
"$B/tests/apitool" "$B/libexec/glory/glory-api" "$sock" $port 200 64106 <"$work/in" >"$work/out" 2>"$work/err" 7>&- &
tool=$!
readies() { [ "$(grep -c '^ready' "$work/out")" -ge "$1" ]; }
lines() { grep -c "$1" "$work/out"; }
order() { # order WORDS: tells the tool and waits until it has done it
	local before
	before=$(lines "^ok $1")
	echo "$*" >&7
	wait_for 5 more_than "^ok $1" "$before" || bad "order $*"
}
more_than() { [ "$(lines "$1")" -gt "$2" ]; }
if ! wait_for 20 readies 1; then
	echo "FAILED  the role does not come up"
	cat "$work/out" "$work/err"
	exit 1
fi
answers() { curl -gsf -m 5 --unix-socket "$sock" "http://x/v1/site"; }
wait_for 5 answers || bad "no board"

# want WHAT STATUS JQ CURL-ARGUMENTS...: status and a condition on the JSON that comes
want() {
	local what=$1 status=$2 expression=$3 got
	shift 3
	got=$(curl -gsS -m 15 --unix-socket "$sock" -o "$work/body" -w '%{http_code}' "$@" 2>"$work/curl")
	[ "$got" = "$status" ] || { bad "$what: status $got, not $status: $(head -c 300 "$work/body") $(cat "$work/curl")"; return; }
	# jq takes an empty file for a success
	[ -z "$expression" ] || { [ -s "$work/body" ] && jq -e "$expression" "$work/body" >/dev/null; } || { bad "$what: $(head -c 400 "$work/body")"; return; }
	ok
}
refused() { # refused WHAT STATUS KIND OBJECT CURL-ARGUMENTS...
	local what=$1 status=$2 kind=$3 object=$4
	shift 4
	want "$what" "$status" ".error | .kind == \"$kind\" and .object == \"$object\" and (.text | length) > 0 and (.remedy | length) > 0" "$@"
}

# --- routes
want 'site' 200 '.name == "demo" and .nodes == 200 and .appliance.version == "test" and .by_verdict["os-hung"] == 1' http://x/v1/site
want 'nodes' 200 'length == 200 and .[0].name == "n00001" and .[199].index == 200' http://x/v1/nodes
want 'a node has the promised fields' 200 '.[0] | [has("name","group","address","bmc","verdict","certainty","since","cause","level","power","life",
	"last_seen","power_locked","wanted_power","power_job","cpu_percent","mem_percent","load1","maintenance","not_judged_since","bmc_finding","switch","rack")] | all' \
	http://x/v1/nodes
want 'unknown is null' 200 '.[0].mem_percent == null and .[0].cause == null and .[0].cpu_percent == 12.5 and .[3].bmc == null' http://x/v1/nodes
want 'range' 200 'map(.name) == ["n00001","n00002","n00010"]' 'http://x/v1/nodes?range=n0000[1-2],n00010'
want 'group in a range' 200 'length == 100 and all(.group == "g02")' 'http://x/v1/nodes?range=@g02'
want 'down' 200 'map(.name) == ["n00004"]' 'http://x/v1/nodes?range=@down'
want 'filters' 200 'map(.name) == ["n00004"]' 'http://x/v1/nodes?verdict=os-hung,unreachable&level=critical'
want 'limit' 200 'length == 7' 'http://x/v1/nodes?limit=7'
want 'text is escaped' 200 '.[0].cause == "kernel answers, \"programs\" <do> not & ? never"' 'http://x/v1/nodes?range=n00004'
want 'one node' 200 '.name == "n00004" and (.values | length) == 3 and (.sensors | length) == 1 and (.alarms | length) == 1 and
	(.evidence | map(select(.witness == "agent")) | .[0].state) == "silent"' http://x/v1/nodes/n00004
want 'groups' 200 'map(.name) == ["g01","g02"]' http://x/v1/groups
want 'domains' 200 'length == 0' http://x/v1/domains
want 'items' 200 'map(.name) == ["cpu","disk_fill"]' http://x/v1/items
want 'values' 200 'length == 600' http://x/v1/values
want 'values of some' 200 'map([.node,.instance,.value]) == [["n00007","root",80],["n00007","var",null],["n00200","root",80],["n00200","var",null]]' \
	'http://x/v1/values?range=n00007,n00200&item=disk_fill'
want 'sensors' 200 'length == 2 and all(.type == "temperature" and .reading == 41.5 and .warning_low == null)' 'http://x/v1/sensors?range=n0000[1-2]'
want 'alarms' 200 'length == 2' http://x/v1/alarms
want 'active alarms' 200 'map(.id) == [7] and .[0].cleared == null' 'http://x/v1/alarms?active=1'
want 'alarms from an id' 200 'map(.id) == [8]' 'http://x/v1/alarms?from=8'
want 'events in pages' 200 'map(.id) == [range(1;251)] and .[0].time == "2026-01-01T00:00:01.000Z" and (.[0] | has("v") | not)' http://x/v1/events
want 'events from an id' 200 'map(.id) == [100,101]' 'http://x/v1/events?from=100&limit=2'
want 'newest events' 200 'map(.id) == [249,250]' 'http://x/v1/events?newest=1&limit=2'
want 'events of an object' 200 'length == 63 and all(.object == "n00002")' 'http://x/v1/events?object=n00002'
want 'audit' 200 'length > 0' http://x/v1/audit
want 'command' 200 '. == {job: 101}' -d '{"verb":"power","target":"n00001","args":{"verb":"cycle","reason":"test"}}' http://x/v1/commands
grep -q 'command 1 target=n00001 arguments={"verb":"cycle","reason":"test"} actor=uid:0 right=4 yes=0' "$work/out" && ok || bad 'the engine got another command'
want 'job and steps' 200 '.id == 101 and .verb == "cycle" and (.steps | map(.node)) == ["n00001","n00004"] and .steps[1].time == null' http://x/v1/jobs/101
want 'jobs' 200 'map(.id) == [101]' http://x/v1/jobs
want 'edit' 200 '.done' -d '{"verb":"node-set","target":"n00001","args":{"maintenance":true}}' http://x/v1/commands
head -c 3000000 /dev/zero | tr '\0' 'x' >"$work/big"
want 'apply' 200 '.generation == 5 and (.changes | length) == 3' --data-binary "@$work/big" 'http://x/v1/apply?dry_run=1&prune=1'
grep -q 'apply dry=1 {"prune":true} bytes=3000000 sealed=1' "$work/out" && ok || bad 'apply did not arrive whole and sealed'
want 'export' 200 '' http://x/v1/export
grep -q '<cluster xmlns' "$work/body" && ok || bad 'export is no XML'
want 'graph' 200 '' 'http://x/v1/graph?node=n00001&items=cpu,disk_fill/root&from=-1h&width=400&height=100'
[ "$(head -c 4 "$work/body" | tail -c 3)" = PNG ] && ok || bad 'no PNG'
grep -q 'graph n00001 cpu disk_fill/root 400x100 format=1 span=3600000' "$work/out" && ok || bad 'the engine got another graph'
want 'page' 200 '' http://x/
grep -q 'kernel answers, &quot;programs&quot; &lt;do&gt; not &amp; ? never' "$work/body" && ! grep -qi '<script' "$work/body" && ok || bad 'the page'
curl -gsS -m 5 --unix-socket "$sock" -D - -o /dev/null http://x/ | grep -qi "^content-security-policy: default-src 'none'" && ok || bad 'no content security policy'
curl -gsS -m 5 --unix-socket "$sock" -I http://x/v1/nodes | grep -q '^HTTP/1.1 200' && ok || bad 'HEAD'

# --- services and what belongs to them
want 'services' 200 'map(.name) == ["web","mail"] and .[0].pin == 3 and .[1].pin == null and .[1].utilisation == null and .[0].bytes_per_second == null
	and .[0].state == "short" and .[0].enabled and .[0].index == 1' http://x/v1/services
want 'a service' 200 '.name == "web" and (.members | map(.node)) == ["n00001","n00002","n00004"] and .members[2].stuck and .members[1].state == "warming"
	and .members[0].service == "web" and .alarms == []' http://x/v1/services/web
want 'a service without members' 200 '.name == "mail" and .members == []' http://x/v1/services/mail
want 'members of a service' 200 'map(.weight) == [100,40,0]' 'http://x/v1/members?service=web'
want 'members of the other' 200 'length == 0' 'http://x/v1/members?service=mail'
want 'members by state' 200 'map(.node) == ["n00001"]' 'http://x/v1/members?state=in-service'
want 'members that are stuck' 200 'map(.node) == ["n00004"]' 'http://x/v1/members?stuck=1&service=web'
want 'members by nodes' 200 'map(.node) == ["n00001","n00002"]' 'http://x/v1/members?range=n[00001-00003]'
want 'services by filter' 200 'map(.name) == ["web","mail"]' 'http://x/v1/services?pool=web&level=warning,major'
want 'pools' 200 '.[0] | .name == "web" and .free == 2 and .scope == "@g01" and .wanted_more == 0' http://x/v1/pools
want 'balancers' 200 '.[0] | .driver == "haproxy" and .state == "in-step" and .address == null and .repairs == 1' http://x/v1/balancers
want 'a balancer in two pieces' 200 'length == 2 and .[1].reals[0].failing' http://x/v1/balancers/lb1
want 'why a service has its size' 200 '.[0].text == "keep 3: pinned"' http://x/v1/services/web/explain
want 'the wanted state of a kind' 200 '.[0] | .agent == "systemd:nginx" and (has("v") | not)' 'http://x/v1/wanted?kind=service&name=web'
grep -q 'wanted service web' "$work/out" && ok || bad 'the engine was asked for something else'
refused 'unknown service' 404 not-found nothing http://x/v1/services/nothing
refused 'members of an unknown service' 404 not-found nothing 'http://x/v1/members?service=nothing'
refused 'no kind' 400 config wanted http://x/v1/wanted
refused 'kind with a blank' 400 config wanted 'http://x/v1/wanted?kind=a%20b'
refused 'a bad state' 400 config state 'http://x/v1/members?state=well'
want 'page with services' 200 '' http://x/
grep -q '<h2>Services</h2>.*' "$work/body" && grep -q '<a href="/v1/services/web">web</a>' "$work/body" && grep -q '<td class=n>63</td>' "$work/body" && ok || bad 'services on the page'

# --- metrics: each line is of the format, each family said once, each series once
want 'metrics' 200 '' http://x/metrics
python3 - "$work/body" <<'P' && ok || bad 'metrics are not of the format'
import re, sys
seen, series, current = set(), set(), None
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.rstrip("\n")
    if line.startswith("# HELP "):
        current = line.split()[2]
        assert current not in seen, current
        seen.add(current)
    elif line.startswith("# TYPE "):
        kind = line.split()[3]
        assert line.split()[2] == current and kind in ("gauge", "counter")
        assert (kind == "counter") == current.endswith("_total"), current
    else:
        m = re.fullmatch(r'([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.e+]+)', line)
        assert m and m[1] == current, line
        assert (m[1], m[2]) not in series, line
        series.add((m[1], m[2]))
want = {("glory_node_up", '{node="n00004",group="g02"}'), ("glory_item_cpu_percent", '{node="n00001",group="g01"}'),
        ("glory_item_disk_fill_percent", '{node="n00001",group="g01",part="root"}'),
        ("glory_sensor_celsius", '{node="n00001",group="g01",sensor="Inlet Temp",record="17"}'), ("glory_nodes", '{verdict="os-hung"}'),
        ("glory_alarm_severity", '{id="7",object="n00004",kind="verdict"}'), ("glory_service_members_wanted", '{service="web"}'),
        ("glory_service_utilisation_ratio", '{service="web"}'), ("glory_member_weight", '{service="web",node="n00002",group="g02"}'),
        ("glory_pool_nodes_free", '{pool="web"}'), ("glory_balancer_repairs_total", '{balancer="lb1"}')}
assert ("glory_service_utilisation_ratio", '{service="mail"}') not in series  # unknown is not 0
assert want <= series, want - series
assert not any('part="var"' in (l or "") for _, l in series)
P

# --- refusals
refused 'unknown path' 404 not-found /v1/components http://x/v1/components
refused 'unknown node' 404 not-found n9 http://x/v1/nodes/n9
refused 'unknown node in a range' 404 not-found n9 'http://x/v1/nodes?range=n00001,n9'
refused 'unknown job' 404 not-found 555 http://x/v1/jobs/555
refused 'job that is no number' 404 not-found abc http://x/v1/jobs/abc
refused 'unknown parameter' 400 config foo 'http://x/v1/nodes?foo=1'
refused 'parameter twice' 400 config limit 'http://x/v1/nodes?limit=1&limit=2'
refused 'bad word' 400 config verdict 'http://x/v1/nodes?verdict=nope'
refused 'zero byte' 400 config group 'http://x/v1/nodes?group=a%00b'
refused 'bad range' 400 config 'n[1-' 'http://x/v1/nodes?range=n[1-'
refused 'method' 405 refused /v1/nodes -X DELETE http://x/v1/nodes
refused 'GET of a command' 405 refused /v1/commands http://x/v1/commands
refused 'body that is no JSON' 400 config body -d 'hello' http://x/v1/commands
refused 'unknown verb' 400 config verb -d '{"verb":"fly"}' http://x/v1/commands
refused 'actor cannot be said' 400 config actor -d '{"verb":"power","actor":"uid:1"}' http://x/v1/commands
refused 'long target' 400 config target -d "{\"verb\":\"power\",\"target\":\"$(head -c 5000 "$work/big")\"}" http://x/v1/commands
refused 'long command' 413 config /v1/commands --data-binary "@$work/big" http://x/v1/commands
refused 'long command in chunks' 413 config /v1/commands -H 'Transfer-Encoding: chunked' -d "{\"x\":\"$(head -c 100000 "$work/big")\"}" http://x/v1/commands
head -c 17000000 /dev/zero >"$work/huge"
refused 'long apply' 413 config /v1/apply -H 'Expect:' --data-binary "@$work/huge" http://x/v1/apply
refused 'empty apply' 400 config apply -X POST -d '' http://x/v1/apply
refused 'graph without a node' 400 config range 'http://x/v1/graph?items=cpu'
refused 'graph of nine items' 400 config items 'http://x/v1/graph?node=n00001&items=a,b,c,d,e,f,g,h,i'
refused 'graph the wrong way round' 400 config from 'http://x/v1/graph?node=n00001&items=cpu&from=now&to=-1h'
refused 'graph of nothing' 502 remote n00001 'http://x/v1/graph?node=n00001&items=nothing'
order refuse refused
refused 'the engine refuses' 403 refused 'group g01' -d '{"verb":"power","target":"n00001"}' http://x/v1/commands
order refuse ok

# --- rights
as() { setpriv --reuid 12345 --regid 12345 "$@"; }
status_as() { as "$1" curl -gsS -m 5 --unix-socket "$sock" -o "$work/as" -w '%{http_code}' "${@:2}" 2>/dev/null; }
: >"$work/as"
chmod 666 "$work/as"
[ "$(status_as --clear-groups http://x/v1/nodes)" = 403 ] && jq -e '.error.object == "uid:12345"' "$work/as" >/dev/null && ok || bad 'a stranger is let in'
[ "$(status_as --clear-groups -d '{"verb":"power"}' http://x/v1/commands)" = 403 ] && ok || bad 'a stranger commands'
cp /etc/group "$work/group"
printf 'glory-view:x:7101:\nglory-operate:x:7102:\nglory-admin:x:7103:\n' >>"$work/group"
mount --bind "$work/group" /etc/group
grouped() { [ "$(status_as --groups=7101 http://x/v1/nodes)" = 200 ]; }
wait_for 15 grouped && ok || bad 'a member of glory-view is not let in'
status_as --groups=7102 -d '{"verb":"power","target":"n00002","args":{"verb":"on"}}' http://x/v1/commands >/dev/null
grep -q 'command 1 target=n00002 arguments={"verb":"on"} actor=uid:12345 right=3' "$work/out" && ok || bad 'the right of glory-operate does not arrive'
[ "$(status_as --groups=7102 http://x/v1/audit)" = 403 ] && ok || bad 'glory-operate reads the audit records'
[ "$(status_as --groups=7103,7101 http://x/v1/audit)" = 200 ] && ok || bad 'glory-admin does not read the audit records'
order user nobody glory-view
listed() { [ "$(setpriv --reuid 65534 --regid 65534 --clear-groups curl -gsS -m 5 --unix-socket "$sock" -o "$work/as" -w '%{http_code}' http://x/v1/site)" = 200 ]; }
wait_for 5 listed && ok || bad 'a user of gloryd.xml is not let in'
order user
unlisted() { ! listed; }
wait_for 5 unlisted && ok || bad 'a user who is named no more is still let in'

# --- the TCP listener reads only
tcp() { curl -gsS -m 5 -o "$work/body" -w '%{http_code}' "$@"; }
[ "$(tcp http://127.0.0.1:$port/v1/nodes?limit=1)" = 200 ] && ok || bad 'http reads'
[ "$(tcp -d '{"verb":"power","target":"n00003"}' http://127.0.0.1:$port/v1/commands)" = 405 ] && ok || bad 'http commands'
[ "$(tcp --data-binary x http://127.0.0.1:$port/v1/apply)" = 405 ] && ok || bad 'http applies'
[ "$(tcp http://127.0.0.1:$port/v1/audit)" = 403 ] && ok || bad 'http reads the audit records'
grep -q 'target=n00003' "$work/out" && bad 'a command came through http' || ok

# --- changes as they happen
curl -gsSN -m 30 --unix-socket "$sock" http://x/v1/stream >"$work/stream" 2>/dev/null &
stream=$!
streaming() { grep -q '^retry:' "$work/stream"; }
wait_for 5 streaming || bad 'no stream'
order verdict n00005 booting
changed() { grep -A1 '^event: node$' "$work/stream" | grep '^data: ' | cut -c7- | jq -r '.name + " " + .verdict' | grep -qx 'n00005 booting'; }
wait_for 5 changed && ok || bad 'a changed node is not told'
[ "$(grep -c '^event: node$' "$work/stream")" = 1 ] && ok || bad "nodes that did not change are told: $(cut -c1-120 "$work/stream" | tail -n 20)"
order gone n00006
vanished() { grep -A1 '^event: node-gone$' "$work/stream" | grep -q '"index":6}'; }
wait_for 5 vanished && ok || bad 'a node that is gone is not told'
want 'it is gone from the list' 200 'length == 199' http://x/v1/nodes
kill $stream
wait $stream 2>/dev/null

# --- garbage, crowds and slow clients; the role must answer in between and at the end, and not have died
restarts=$(lines '^broken')
python3 tests/system/http_garbage.py "$sock" "$port" && ok || bad 'garbage'
wait_for 5 answers && ok || bad 'no answer after garbage'
[ "$(lines '^broken')" = "$restarts" ] && ok || bad 'the role died of garbage'

# --- an engine that says nothing
order hold
refused 'a silent engine' 504 remote engine -d '{"verb":"power","target":"n00001"}' http://x/v1/commands
curl -gsS -m 1 --unix-socket "$sock" -d '{"verb":"power","target":"n00001"}' http://x/v1/commands >/dev/null 2>&1 # a client that does not wait
order release
want 'after it' 200 '.done' -d '{"verb":"node-set","target":"n00001","args":{"maintenance":false}}' http://x/v1/commands

# --- gloryctl
export GLORY_SOCKET=$sock COLUMNS=80
ctl=$B/bin/gloryctl
says() { # says WHAT EXIT PATTERN ARGUMENTS...
	local what=$1 code=$2 pattern=$3 got
	shift 3
	"$ctl" "$@" >"$work/ctl" 2>"$work/ctl.err"
	got=$?
	[ $got = "$code" ] || { bad "gloryctl $what: exit $got, not $code: $(head -n 3 "$work/ctl" "$work/ctl.err")"; return; }
	[ -z "$pattern" ] || cat "$work/ctl" "$work/ctl.err" | grep -qE -- "$pattern" || { bad "gloryctl $what: $(head -n 5 "$work/ctl" "$work/ctl.err")"; return; }
	ok
}
says 'node list' 0 '^n00001 +g01 +up +normal +on +12 +- +1\.4 ' node list
[ "$(awk 'length > 80' "$work/ctl" | wc -l)" = 0 ] && [ "$(wc -l <"$work/ctl")" = 200 ] && ok || bad 'node list is wider than 80 or not whole'
says 'worst first' 0 '.' node list --worst
sed -n 2p "$work/ctl" | grep -q '^n00004.*critical' && ok || bad 'the worst is not first'
says 'json' 0 'os-hung' node list n00004 --json
jq -e '.[0].name == "n00004"' "$work/ctl" >/dev/null && ok || bad 'json of gloryctl'
says 'node show' 0 'the SNMP agent does not answer' node show n00004
says 'two nodes, one unknown' 3 'n9: there is no such node: see: gloryctl node list' node show n00001 n9
says 'power wants yes' 1 'more than one node wants a confirmation: look at the list, then repeat with --yes' power cycle n00001,n00002
grep -q 'cycle of 2 nodes: n\[00001-00002\]' "$work/ctl" && ok || bad 'the list is not shown'
grep -q 'target=n00001,n00002' "$work/out" && bad 'it was sent all the same' || ok
says 'power' 0 '^done: n\[00001,00004\]$' power cycle n00001
says 'power, partly' 3 '^failed: n00004: the BMC refuses the password$' power off n00001,n00004 --yes
says 'power, json' 3 '"steps"' power off n00001,n00004 --yes --json
says 'power on of many' 3 'done' power on @g01
says 'no wait' 0 '^job 1[0-9]+$' power reset n00001 --no-wait
says 'power status' 0 '^on: n\[00001-00005,00007-00200\]$' power status @site
says 'power of none' 1 'n9: there is no such node' power cycle n9
says 'job list' 0 'cycle +n00001 ' job list
says 'job show' 0 '^n00004 +' job show 101
says 'job wait' 0 '^done: ' job wait 101
says 'job of none' 1 'there is no such job' job wait 5555
says 'alarm list' 0 '^ *7 +critical +n00004' alarm list
says 'alarm ack' 0 '' alarm ack 7 8
grep -q 'command 2 target=7,8' "$work/out" && ok || bad 'acknowledge did not arrive'
says 'event list' 0 '^250 .*n00003: os-hung, c$' event list --limit 5
[ "$(wc -l <"$work/ctl")" = 5 ] && ok || bad 'event list --limit'
says 'sensor list' 0 'Inlet Temp +temperature +41.5 +C +normal' sensor list n00001
says 'group show' 0 '^n00004 ' group show g02
says 'group of none' 1 'there is no such group' group show g99
says 'item list' 0 '^disk_fill +percent +10s +many' item list
says 'site show' 0 '^site +demo: critical' site show
says 'top' 0 '^n00004 ' top
fits() { [ "$(awk 'length > 80' "$work/ctl" | wc -l)" = 0 ] && ok || bad "$1 is wider than 80: $(awk 'length > 80' "$work/ctl" | head -n 2)"; }
says 'service list' 0 '^web +short +1/3 +2 +0 +0 +63 +70 +2-6 pin 3 +keep 3' service list
fits 'service list'
says 'service show' 0 '^n00004 +starting +warning +[0-9]+d +bad +0 +- +70 +stuck: ' service show web
grep -q '^agent  *systemd:nginx$' "$work/ctl" && grep -q '^n00001 *in-service *normal' "$work/ctl" && ok || bad 'service show is not whole'
says 'service show, json' 0 '"agent"' service show web --json
jq -e '.members[1].weight == 40 and .probe == "http /"' "$work/ctl" >/dev/null && ok || bad 'json of a service'
says 'service of none' 1 'nothing: there is no such service: see: gloryctl service list' service show nothing
says 'service explain' 0 '^n00004: starting for 2m$' service explain web
says 'balancer list' 0 '^lb1 +haproxy +in-step +1 +2 +12 +1 ' balancer list
fits 'balancer list'
says 'balancer show' 0 '^web +n00002 +10.1.0.2:80 +40 +0 +0 +0 +0 +failing$' balancer show lb1
[ "$(grep -c '^web  *10.99.0.100:80' "$work/ctl")" = 1 ] && ok || bad 'a virtual server in two pieces is said twice'
says 'pool list' 0 '^web +6 +2 +3 +1 +1 +0 +2 +@g01$' pool list
says 'software list' 0 '^web +package' software list
says 'pin' 0 '' service pin web 4 --for 2h
grep -qE 'target=web arguments=\{"pin":4,"pin_until":"20[0-9T:.-]+Z"\}' "$work/out" && ok || bad 'the pin did not arrive'
says 'pin of nothing' 2 'whole number' service pin web nothing
says 'unpin' 0 '' service unpin web
grep -q 'target=web arguments={"pin":0}' "$work/out" && ok || bad 'the end of the pin did not arrive'
says 'disable' 0 '' service disable web
grep -q 'target=web arguments={"enabled":false}' "$work/out" && ok || bad 'disable did not arrive'
says 'restart' 0 '' service restart web
grep -q 'target=web arguments={"act":"restart"}' "$work/out" && ok || bad 'restart did not arrive'
says 'service add' 0 '' service add new --balancer lb1 --virtuals '10.99.0.101:80, [fd00::1]:53/udp' --pool web --agent systemd:x --max 4 --spare yes
grep -q 'target=new arguments={"balancer":"lb1","virtuals":"10.99.0.101:80, \[fd00::1\]:53/udp","pool":"web","agent":"systemd:x","max":4,"spare":true}' "$work/out" \
	&& ok || bad 'service add did not arrive'
says 'node set' 0 '' node set n00001 --maintenance yes --switch-port 4
grep -q 'command 5 target=n00001 arguments={"maintenance":true,"switch_port":4}' "$work/out" && ok || bad 'node set did not arrive'
says 'node set, bad number' 2 'switch-port: its value is not right' node set n00001 --switch-port x
says 'apply' 0 '^~ group g01: policy$' apply "$work/big" --dry-run
says 'apply of none' 1 'No such file' apply /nonexistent
says 'export' 0 '^<cluster ' export
says 'graph' 0 '' graph n00001 cpu -o "$work/x.png" --size 300x200
[ -s "$work/x.png" ] && ok || bad 'no picture was written'
says 'graph without a file' 2 'wants -o FILE' graph n00001 cpu
says 'no verb' 2 'there is no such verb' node
says 'no noun' 2 'there is no noun' bogus
says 'bad option' 2 '--bogus: there is no such option' node list --bogus
says 'too many words' 2 'usage: gloryctl job show ID' job show 1 2
for noun in site node group item sensor alarm event job power pool software balancer service graph stats apply export top; do
	says "help of $noun" 0 "gloryctl $noun" "$noun" --help
done
says 'no appliance' 1 'no appliance answers: No such file' --socket "$work/nothing" node list
# a wait goes on while the appliance restarts its API
"$ctl" power soft n00002 >"$work/wait" 2>&1 &
waiter=$!
asked() { grep -q 'target=n00002 arguments={"verb":"soft"}' "$work/out"; }
wait_for 5 asked
before=$(lines '^ready')
order kill
wait_for 10 readies $((before + 1)) || bad 'no restart'
wait $waiter && grep -q '^done: ' "$work/wait" && ok || bad "a wait over a restart: $(cat "$work/wait")"

# --- before the board is there
before=$(lines '^ready')
order kill no-board
wait_for 10 readies $((before + 1)) || bad 'no restart'
refused 'starting' 503 busy appliance http://x/v1/nodes
order board
wait_for 5 answers && ok || bad 'no answer after the board came'

# --- the end
exec 7>&-
wait $tool && ok || bad "the role did not end well: $(tail -n 3 "$work/out" "$work/err")"
grep -E 'ERROR|AddressSanitizer|runtime error' "$work/err" && bad 'the role complained'
echo "api: $checked checks, $failed failed"
[ $failed = 0 ]
