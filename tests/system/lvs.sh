#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# glory-ipvs on a real kernel: NAT, direct routing, tunnel, IPv6, UDP, marks, persistence, drain, sync daemons, a VRRP pair, hand-made changes.
# A client, two directors and real servers are namespaces of one user-mode Linux; this script runs itself again in there.
# shellcheck disable=SC2034
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
B=${GLORY_BUILD:-${B:-build}}
I=$(readlink -f "$B")/libexec/glory/glory-ipvs
if [ -z "${GLORY_UML:-}" ]; then
	for tool in ipvsadm keepalived curl busybox jq socat tc; do
		command -v $tool >/dev/null || { echo "skipped: $tool is not installed, run make deps"; exit 77; }
	done
	[ -x "$I" ] || { echo "skipped: $I is not built"; exit 77; }
	GLORY_BUILD=$(readlink -f "$B") exec tests/lab/uml/boot -c 50 -t "${GLORY_UML_SECONDS:-900}" "$0"
fi

failed=0
ok() { echo "ok   $1"; }
bad() { echo "FAIL $1${2:+: $2}"; failed=1; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1" "$2, not $3"; fi; }
works() { local n=$1; shift; if "$@" >/run/out 2>&1; then ok "$n"; else bad "$n" "$(tail -n 2 /run/out)"; fi; }
until_ok() { local end=$((SECONDS + $1)); until eval "$2" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; read -rt 0.5 <> <(:) || :; done; } # in here time costs nothing, a look does
on() { local ns=$1; shift; nsenter --net="/run/netns/$ns" "$@"; } # ip netns exec mounts a lot besides

# --- pictures: real NAME ADDRESS WEIGHT; virtual NAME PROTOCOL ADDRESS FORWARDING SCHEDULER MORE REAL...; picture OPTIONS VIRTUAL... -----
real() { printf '{"name":"%s","address":"%s","weight":%s}' "$@"; }
join() { local IFS=,; echo "$*"; }
virtual() { # ADDRESS may be "mark:N:FAMILY"
	local where="\"address\":\"$3\""
	[[ $3 != mark:* ]] || where=$(IFS=: read -r _ mark family <<<"$3"; echo "\"fwmark\":$mark,\"family\":$family")
	printf '{"name":"%s","protocol":"%s",%s,"forwarding":"%s","scheduler":"%s"%s,"reals":[%s]}' "$1" "$2" "$where" "$4" "$5" "$6" "$(join "${@:7}")"
}
picture() { printf '{"v":1,"driver":"ipvs"%s,"virtuals":[%s]}' "$1" "$(join "${@:2}")"; }
# apply NAMESPACE PICTURE: result in /run/result
apply() { on "$1" "$I" -c "/run/keepalived-$1.conf" -p "/run/keepalived-$1.pid" <<<"$2" >/run/result 2>/run/errors; }
said() { jq -rc "$1" /run/result; }
applies() { apply "$2" "$3"; if [ "$(said .status)" = ok ]; then ok "$1"; else bad "$1" "$(said '[.status,.error]')$(cat /run/errors)"; fi; }

# --- without the module ---------------------------------------------------------------------------------------------
finder=$(cat /proc/sys/kernel/modprobe)
echo /bin/false >/proc/sys/kernel/modprobe
ip netns add none
apply none "$(picture '')"
is "without the module it says what to load" "$(said '[.status,(.error.remedy|startswith("load it: modprobe ip_vs"))]')" '["not-found",true]'
echo "$finder" >/proc/sys/kernel/modprobe

# --- the site ---------------------------------------------------------------------------------------------------------
for m in ip_vs veth bridge ipip act_skbedit cls_u32 sch_ingress; do modprobe $m || bad "module $m"; done
for b in br0 br1; do ip link add $b type bridge; ip link set $b up; done
host() { # NAMESPACE BRIDGE ADDRESS...
	local ns=$1 bridge=$2 dev=e${2#br} address
	[ -e /run/netns/$ns ] || { ip netns add $ns; ip -n $ns link set lo up; on $ns sysctl -qw net.ipv6.conf.default.accept_dad=0; }
	ip link add $dev netns $ns type veth peer name $ns$dev
	ip link set $ns$dev master $bridge up
	for address in "${@:3}"; do ip -n $ns addr add $address dev $dev; done
	ip -n $ns link set $dev up
}
host cl br0 10.77.3.10/24 fd77:3::10/64
host d1 br0 10.77.3.1/24 10.77.3.100/32 10.77.3.101/32 fd77:3::1/64 fd77:3::100/128
host d1 br1 10.77.4.1/24
host d2 br0 10.77.3.2/24 fd77:3::2/64
for n in 1 2; do
	host r$n br0 10.77.3.1$n/24 fd77:3::1$n/64
	host n$n br1 10.77.4.1$n/24
	ip -n n$n route add default via 10.77.4.1
	on r$n sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv4.conf.e0.rp_filter=0
	ip -n r$n link set tunl0 up
	on r$n sysctl -qw net.ipv4.conf.tunl0.rp_filter=0
	for v in 10.77.3.100/32 10.77.3.200/32 fd77:3::100/128 fd77:3::200/128; do ip -n r$n addr add $v dev lo; done
	for s in r$n n$n; do
		mkdir -p /run/www/$s
		echo $s >/run/www/$s/index.html
		for port in 80 81 82 8080 8081; do on $s busybox httpd -p $port -h /run/www/$s; done
	done
	on r$n socat TCP-LISTEN:9000,fork,reuseaddr "SYSTEM:echo r$n; exec cat" &
	# who answers before he has read is gone when socat writes, which then sends nothing
	on n$n socat UDP-RECVFROM:5353,fork "SYSTEM:read -r question; echo n$n" &
done
on d1 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.vs.sync_threshold='1 10' net.ipv4.vs.sync_refresh_period=0
# what goes to two ports of the address belongs together: mark 7
on d1 tc qdisc add dev e0 ingress
for port in 8080 8081; do
	on d1 tc filter add dev e0 parent ffff: protocol ip u32 match ip dst 10.77.3.100/32 match ip dport $port 0xffff action skbedit mark 7
done

# --- forwarding: weights are seen in the hits ---------------------------------------------------------------------------
r1() { real r1 10.77.3.11:$1 ${2:-100}; }
r2() { real r2 10.77.3.12:$1 ${2:-100}; }
direct() { virtual dr tcp 10.77.3.100:80 direct wrr '' "$(r1 80 300)" "$(r2 80)"; }
tunnel() { virtual tun tcp 10.77.3.100:81 tunnel wrr '' "$(r1 81 300)" "$(r2 81)"; }
nat() { virtual nat tcp 10.77.3.101:80 nat wrr '' "$(real n1 10.77.4.11:8080 300)" "$(real n2 10.77.4.12:8080 100)"; }
six() { virtual six tcp '[fd77:3::100]:80' direct wrr '' "$(real r1 '[fd77:3::11]:80' 300)" "$(real r2 '[fd77:3::12]:80' 100)"; }
mark() { virtual mark fwmark mark:7:4 direct rr '' "$(r1 8080)" "$(r2 8080)"; }
sticky() { virtual sticky tcp 10.77.3.100:82 direct rr ',"persistence_s":300,"persistence_prefix":24' "$(r1 82)" "$(r2 82)"; }
stream() { virtual stream tcp 10.77.3.100:9000 direct rr '' "$(r1 9000 ${1:-100})" "$(r2 9000 ${2:-100})"; }
datagrams() { virtual names udp 10.77.3.101:5353 nat rr '' "$(real n1 10.77.4.11:5353 100)" "$(real n2 10.77.4.12:5353 100)"; }
all() { picture "$1" "$(direct)" "$(tunnel)" "$(nat)" "$(six)" "$(mark)" "$(sticky)" "${2:-$(stream)}" "$(datagrams)"; }
# one shell for all of them: what is started costs most in here
cat >/run/fetch <<'K'
for ((i = 0; i < $1; i++)); do
	line=fail
	if exec 3<>"/dev/tcp/$2/$3"; then
		printf 'GET / HTTP/1.0\r\n\r\n' >&3
		while read -rt 3 next <&3; do line=$next; done
		exec 3>&-
	fi
	echo "$line"
done 2>/dev/null
K
hits() { # COUNT URL: who answers how often
	local to=${2#http://} host port
	to=${to%/}
	[[ $to =~ ^\[(.*)\](:([0-9]+))?$ || $to =~ ^([^:]*)(:([0-9]+))?$ ]]
	host=${BASH_REMATCH[1]} port=${BASH_REMATCH[3]:-80}
	on cl bash /run/fetch "$1" "$host" "$port" | sort | uniq -c | awk '{printf "%s%s:%s", (NR > 1 ? " " : ""), $2, $1}'
}

apply d1 "$(all ',"dry_run":true')"
setting=/proc/sys/net/ipv4/vs/expire_nodest_conn
is "dry run: 25 changes, none made" "$(said '[.status,.change_total,.commands]')$(on d1 ipvsadm -Sn | wc -l) $(on d1 cat $setting)" '["ok",25,null]0 0'
applies "eight services are set" d1 "$(all '')"
is "each by one command, and the kernel's setting" "$(said .commands) $(on d1 cat $setting)" "24 1"
works "neighbours" until_ok 10 'on cl curl -g -s -m 1 http://10.77.3.100/ && on cl curl -g -s -m 1 "http://[fd77:3::100]/"'
apply d1 "$(all '')"
is "again: nothing to do" "$(said '[.status,.commands,.change_total]')" '["ok",null,null]'
until_ok 5 'on cl curl -s -m 1 http://10.77.3.101/'
is "direct routing, 3:1" "$(hits 12 http://10.77.3.100/)" "r1:9 r2:3"
is "tunnel, 3:1" "$(hits 12 http://10.77.3.100:81/)" "r1:9 r2:3"
is "NAT to another port, 3:1" "$(hits 12 http://10.77.3.101/)" "n1:9 n2:3"
is "IPv6, 3:1" "$(hits 12 'http://[fd77:3::100]/')" "r1:9 r2:3"
is "a mark takes two ports" "$(hits 4 http://10.77.3.100:8080/) $(hits 4 http://10.77.3.100:8081/)" "r1:2 r2:2 r1:2 r2:2"
case "$(hits 6 http://10.77.3.100:82/)" in r1:6 | r2:6) ok "persistence: always the same" ;; *) bad "persistence" "$(hits 6 http://10.77.3.100:82/)" ;; esac
ask() { on cl bash -c 'exec 3<>/dev/udp/10.77.3.101/5353; echo x >&3; timeout 9 head -n 1 <&3'; }
is "UDP" "$(for _ in 1 2 3 4; do ask; done | sort | uniq -c | awk '{printf "%s:%s ", $2, $1}')" "n1:2 n2:2 "
counted() { apply d1 "$(all ',"read_only":true')"; [ "$(said '.have.virtuals[]|select(.name=="dr").connections')" -ge 12 ]; }
works "statistics: connections of the virtual server" until_ok 8 counted
is "and bytes of the real server" "$(said '.have.virtuals[]|select(.name=="dr").reals[0]|[.name,.connections>=9,.bytes_in>0]')" '["r1",true,true]'

# --- drain ----------------------------------------------------------------------------------------------------------------
# the shell in the client's namespace keeps the connection and answers by files
cat >/run/keep <<'K'
exec 3<>/dev/tcp/10.77.3.100/9000
read -rt 3 name <&3; echo "$name" >/run/kept
while read -r word; do echo "$word" >&3; read -rt 3 back <&3; echo "$back" >/run/kept; done
K
mkfifo /run/words
on cl bash /run/keep </run/words &
exec 5>/run/words
until_ok 5 '[ -s /run/kept ]'
first=$(cat /run/kept)
case $first in
r1) drained=$(stream 0 100) other=r2 ;;
r2) drained=$(stream 100 0) other=r1 ;;
*) bad "a connection to drain" "$first"; drained=$(stream) other='' ;;
esac
applies "drain: weight 0" d1 "$(all '' "$drained")"
is "by one command" "$(said '[.commands,.changes[0].what]')" '[1,"weight 100 > 0"]'
opens() { on cl bash -c 'exec 3<>/dev/tcp/10.77.3.100/9000; read -rt 3 n <&3; echo "$n"'; }
is "new connections go elsewhere" "$(for _ in 1 2 3 4 5 6; do opens; done | sort | uniq -c | awk '{print $2":"$1}')" "$other:6"
echo still >&5
works "the open one goes on" until_ok 5 '[ "$(cat /run/kept)" = still ]'
connections() { apply d1 "$(all ',"read_only":true' "$drained")"; said '[.have.virtuals[]|select(.name=="stream").reals[]|select(.weight==null or .weight==0).active//0]|add'; }
works "it is counted" until_ok 5 '[ "$(connections)" = 1 ]'
exec 5>&-
works "until it ends" until_ok 5 '[ "$(connections)" = 0 ]'
applies "the weight comes back" d1 "$(all '')"

# --- a client's port that it had for a connection to a member that died: the director did not see that connection end -----------
again() { virtual again tcp 10.77.3.100:83 direct rr '' "$(r1 83 "$1")" "$(r2 83 "$2")"; }
from_port() { on cl curl -s -m 3 --local-port 4711 http://10.77.3.100:83/ || echo refused; }
on r2 busybox httpd -p 83 -h /run/www/r2
apply d1 "$(picture '' "$(again 100 0)")"
is "a member without its program refuses" "$(from_port)" refused
applies "it is out" d1 "$(picture '' "$(again 0 100)")"
is "the same port of the client reaches another member" "$(from_port)" r2
applies "and all of that goes" d1 "$(picture ',"options":{"previous":"10.77.3.100:83"}')"

# --- changes made by hand -----------------------------------------------------------------------------------------------------
on d1 ipvsadm -e -t 10.77.3.100:80 -r 10.77.3.11 -g -w 7
on d1 ipvsadm -d -t 10.77.3.100:80 -r 10.77.3.12
on d1 ipvsadm -E -t 10.77.3.101:80 -s rr
on d1 ipvsadm -a -t 10.77.3.101:80 -r 10.77.4.99:8080 -m
on d1 ipvsadm -e -t 10.77.3.100:81 -r 10.77.3.11 -g -w 300
on d1 ipvsadm -D -f 7
on d1 ipvsadm -A -t 10.77.3.99:80 -s wlc
on d1 ipvsadm -a -t 10.77.3.99:80 -r 10.77.3.11 -g
applies "changes by hand are repaired" d1 "$(all '')"
is "and told" "$(said '[.changes[]|.verb+" "+.virtual]|sort|join(",")')" \
	"add-real dr,add-real mark,add-real mark,add-virtual mark,change-real dr,change-real tun,change-virtual nat,remove-real nat"
is "what is not ours stays" "$(said .foreign) $(on d1 ipvsadm -Sn | grep -c 10.77.3.99:80)" "1 2"
is "direct routing again" "$(hits 8 http://10.77.3.100/)" "r1:6 r2:2"
on d1 ipvsadm -D -t 10.77.3.99:80

# --- schedulers and their flags, what is gone, what cannot be -----------------------------------------------------------------
for s in rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh; do
	apply cl "$(picture ',"options":{"sh-port":"all","mh-fallback":"x","mh-port":"x"}' "$(virtual x tcp 10.77.3.90:80 nat $s '' "$(r1 80)")")"
	[ "$(said .status) $(on cl ipvsadm -Sn | grep -c -- "-s $s\b")" = "ok 1" ] || bad "scheduler $s" "$(said '[.status,.error]')"
done
is "every scheduler; mh with both flags" "$(on cl ipvsadm -Sn | grep -o -- '-s mh.*')" "-s mh -b mh-fallback,mh-port"
apply cl "$(picture '' "$(virtual x tcp 10.77.3.90:80 nat mh '' "$(r1 80)")")"
is "flags go alone" "$(said '[.commands,.changes[0].verb]') $(on cl ipvsadm -Sn | grep -o -- '-s mh.*')" '[1,"change-virtual"] -s mh'
apply cl "$(picture '' "$(virtual x tcp 10.77.3.90:80 nat nosuch '' "$(r1 80)")")"
is "an unknown scheduler" "$(said '[.status,.error.text]')" '["remote","change-virtual: the kernel has no such scheduler"]'
apply cl "$(picture '' "$(virtual x tcp 10.77.3.90:80 direct mh '' "$(r1 8080)")")"
is "direct routing to another port is refused" "$(said .status)" config
apply cl "$(picture ',"options":{"previous":"10.77.3.90:80>8080, mark 9/6"}' "$(virtual y udp 10.77.3.91:53 nat rr '' "$(r1 53)")")"
is "what the picture had before goes" "$(said '[.status,.commands]') $(on cl ipvsadm -Sn | grep -c 10.77.3.90)" '["ok",3] 0'
on cl ipvsadm -C
apply cl 'nonsense'
is "nonsense is refused" "$(said .status)" config

# --- the process that parses ----------------------------------------------------------------------------------------------------
mkfifo /run/slow
on d1 "$I" </run/slow >/run/result &
waiting=$!
exec 6>/run/slow
child() { pgrep -P "$(pgrep -x glory-ipvs | head -n 1)" -x glory-ipvs; }
until_ok 5 'grep -q "NoNewPrivs:.*1" /proc/$(child)/status'
is "rights of the parser" "$(awk '/^(CapEff|CapPrm|NoNewPrivs|Seccomp):/ {printf "%s ", $2}' "/proc/$(child)/status")" "0000000000001000 0000000000001000 1 2 "
is "its open files" "$(readlink "/proc/$(child)/fd/"* | grep -c '^/[^dr]')" 0
picture '' >&6
exec 6>&-
works "and it ends well" wait $waiting

# --- many ---------------------------------------------------------------------------------------------------------------------
ip netns add big
ip -n big link set lo up
ip -n big link add d0 type dummy
ip -n big addr add 10.88.255.1/16 dev d0
ip -n big link set d0 up
many() { seq 0 999 | awk -v last="$1" '{printf "%s{\"name\":\"m%03d\",\"address\":\"10.88.%d.%d:80\",\"weight\":%d}", (NR > 1 ? "," : ""), $1, $1 / 250, $1 % 250 + 1, ($1 == 700 ? last : 100)}'; }
apply big "$(picture '' "$(virtual many tcp 10.0.0.1:80 nat wlc '' "$(many 100)")")"
is "1,000 real servers, and the setting" "$(said '[.status,.commands,.change_total]') $(on big ipvsadm -Sn | wc -l)" '["ok",1001,1002] 1001'
apply big "$(picture '' "$(virtual many tcp 10.0.0.1:80 nat wlc '' "$(many 40)")")"
is "one weight of 1,000: one command" "$(said '[.status,.commands,.changes[0].what]') $(on big ipvsadm -Sn | grep -c -- '-w 40')" '["ok",1,"weight 100 > 40"] 1'

# --- sync daemons and VRRP ------------------------------------------------------------------------------------------------------
pair() { # PRIORITY PEER: what a director of the pair gets; that it has a peer means both sync daemons
	picture ",\"options\":{\"interface\":\"e0\",\"router\":\"77\",\"priority\":\"$1\",\"peer\":\"$2\",\"advert-ms\":\"300\"}" \
		"$(virtual pair tcp 10.77.3.200:80 direct rr '' "$(r1 80)" "$(r2 80)")" \
		"$(virtual pair6 tcp '[fd77:3::200]:80' direct rr '' "$(real r1 '[fd77:3::11]:80' 100)" "$(real r2 '[fd77:3::12]:80' 100)")"
}
apply d1 "$(pair 150 10.77.3.2)"
is "VRRP: keepalived does not run yet" "$(said '[.status,.error.remedy]')" '["not-now","start it: systemctl start keepalived"]'
for d in d1 d2; do
	[ $d = d1 ] || apply d2 "$(pair 100 10.77.3.1)"
	on $d keepalived -n -l -G -P -f /run/keepalived-$d.conf -p /run/keepalived-$d.pid -r /run/vrrp-$d.pid >/run/keepalived-$d.log 2>&1 &
	until_ok 5 "[ -s /run/keepalived-$d.pid ]"
done
applies "the first of the pair" d1 "$(pair 150 10.77.3.2)"
applies "the second" d2 "$(pair 100 10.77.3.1)"
has() { ip -n "$1" -br addr show e0 | grep 10.77.3.200/32 | grep -q fd77:3::200/128; }
works "the addresses are with the first" until_ok 15 'has d1 && ! has d2'
daemons() { on $1 ipvsadm -l --daemon | grep -c "$2 sync daemon (mcast=e0, syncid=77"; }
is "the sync daemons" "$(daemons d1 master) $(daemons d1 backup) $(daemons d2 master) $(daemons d2 backup)" "1 1 1 1"
apply d1 "$(pair 150 10.77.3.2)"
is "again: nothing to do" "$(said '[.status,.commands,.change_total,.note]')" '["ok",null,null,"sync master e0 id 77; sync backup e0 id 77; vrrp as written"]'
until_ok 5 'on cl curl -s -m 1 http://10.77.3.200/'
is "the pair serves" "$(hits 4 http://10.77.3.200/)" "r1:2 r2:2"
works "the backup knows the connections" until_ok 8 '[ "$(on d2 ipvsadm -lnc | grep -c "10.77.3.200:80")" -ge 4 ]'
kill -9 $(pgrep -f "keepalived.*keepalived-d1.conf")
for v in 10.77.3.200/32 fd77:3::200/128; do ip -n d1 addr del $v dev e0 2>/dev/null; done # killed, it may not have done so itself
works "they move to the second" until_ok 10 'has d2'
until_ok 5 'on cl curl -s -m 1 http://10.77.3.200/ && on cl curl -g -s -m 1 "http://[fd77:3::200]/"'
is "which serves" "$(hits 4 http://10.77.3.200/) $(hits 4 'http://[fd77:3::200]/')" "r1:2 r2:2 r1:2 r2:2"
apply d2 "$(pair 90 10.77.3.1)"
is "another priority is told to keepalived" "$(said '[.status,.changes[0].virtual]')" '["ok","vrrp"]'
works "which reads it" until_ok 5 'grep -qi reload /run/keepalived-d2.log'
echo '# mine' >/run/keepalived-cl.conf
apply cl "$(pair 90 10.77.3.1)"
is "somebody's own file is left alone" "$(said .status) $(cat /run/keepalived-cl.conf)" "refused # mine"
exit $failed
