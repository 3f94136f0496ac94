# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Raising, ending and showing a laboratory.

LAB_TOOLS='ip nsenter unshare snmpd snmpget snmpset sshd ssh-keygen ipmi_sim sdrcomp ipmipower flock pivot_root'

# Runs a function for each word, at most eight at once; fails when one failed.   each FUNCTION WORD...
each() {
	local f=$1 word failed=0 pids=()
	shift
	for word; do
		if [ ${#pids[@]} -ge 8 ]; then
			wait "${pids[0]}" || failed=1
			pids=("${pids[@]:1}")
		fi
		"$f" "$word" &
		pids+=($!)
	done
	for word in "${pids[@]}"; do wait "$word" || failed=1; done
	return $failed
}

progress() {
	clock
	[ $((now_cs - up_since_cs)) -lt 100 ] || note "$*"
}

up_check() {
	local t
	[ "$(id -u)" = 0 ] || die "needs root: namespaces and links are made here"
	[ -c /dev/null ] || die "/dev/null is no device any more (something wrote a file over it), run: rm /dev/null; mknod -m 666 /dev/null c 1 3"
	for t in $LAB_TOOLS; do command -v "$t" >/dev/null || die "$t: not installed, run: make deps"; done
	[[ $lab_nodes =~ ^[1-9][0-9]{0,2}$ && $lab_groups =~ ^[1-9][0-9]?$ ]] || die "wants 1 to 400 nodes in 1 to 99 groups"
	[ "$lab_nodes" -le 400 ] && [ "$lab_nodes" -ge "$lab_groups" ] && [ $((lab_nodes / lab_groups)) -lt 250 ] ||
		die "$lab_nodes nodes in $lab_groups groups: wants 1 to 400 nodes, no empty group, at most 250 in one"
	[ -z "$WEB" ] || web_check
	case $LAB_DIR$ETC_DIR in *[\ \"\\]*) die "$LAB_DIR, $ETC_DIR: a place without blanks, quotes and backslashes, please" ;; esac
	[ ! -e /sys/class/net/glab0 ] && ! ip link show glab0 >/dev/null 2>&1 ||
		die "glab0 is here already$(ip link show glab0 | sed -n 's/^ *alias /: /p'), end that lab first: lab down --dir DIR"
}

# What up makes in its directory; nothing else there is ever removed.
LAB_PARTS='facts ns nodes bmcs switches view client ssh ticker.log'

# Fresh directory. Its lock, file descriptor 9, is held by everything that raises the lab and by the ticker as long as the lab
# lives; daemons do not inherit it.
up_directory() {
	[ -e "$LAB_DIR/lock" ] || [ -z "$(ls -A "$LAB_DIR" 2>/dev/null)" ] || die "$LAB_DIR: is not empty and no lab's, give another --dir"
	mkdir -p "$LAB_DIR" && exec 9>"$LAB_DIR/lock" || die "$LAB_DIR: cannot write there"
	flock -n 9 || die "$LAB_DIR: a lab is up here already, end it first: lab down --dir $LAB_DIR"
	down_parts
	chmod 700 "$LAB_DIR"
	mkdir -p "$LAB_DIR"/{ns,nodes,bmcs,switches,view,client}
	printf 'lab_nodes=%d lab_groups=%d WEB=%s\n' "$lab_nodes" "$lab_groups" "$WEB" >"$LAB_DIR/facts"
	: >"$(ns_file home)"
	mount --bind /proc/self/ns/net "$(ns_file home)" || die "$LAB_DIR: cannot hold a namespace there"
	mount -t ramfs view "$LAB_DIR/view" || die "$LAB_DIR/view: cannot mount"
	"$LAB_HOME/ticker" "$LAB_DIR" first >"$LAB_DIR/view/stat.first"
}

up_switch() { # GROUP
	local d=$LAB_DIR/switches/sw$1
	mkdir -p "$d/persist"
	{
		conf_snmpd nodes "sw$1" "$d/persist" "udp:10.99.$1.254:161,udp:127.0.0.1:161"
		# what a port does must show within a second, snmpd keeps its interface table for 15
		echo "rwcommunity inside 127.0.0.1 .1.3.6.1.4.1.8072.1.5"
	} >"$d/snmpd.conf"
	SNMP_PERSISTENT_DIR=$d/persist SNMPCONFPATH=$d:$d/persist MIBS='' detach nsenter --net="$(ns_file "sw$1")" snmpd -f -Lf "$d/log" \
		-I -smux -p "$d/pid" >/dev/null 2>&1
	wait_for 30 switch_fresh "$1" || die "sw$1: its snmpd does not answer, see $d/log"
}

switch_fresh() {
	SNMPCONFPATH=$LAB_DIR/client/none SNMP_PERSISTENT_DIR=$LAB_DIR/client/persist in_ns "sw$1" snmpset -v2c -c inside -t 0.5 -r 0 127.0.0.1 \
		.1.3.6.1.4.1.8072.1.5.3.1.2.1.3.6.1.2.1.2.2 i 1 >/dev/null 2>&1
}

up_node() { # NODE: its BMC first, as in a rack
	load_node "$1"
	bmc_write "$1" "$secret_bmc"
	net_bmc_address "$1" "$bmc_address" || return 1
	bmc_start "$1"
	conf_host_certificate "$1" "$address"
	in_ns "$1" sh -c "$net_quiet 2>/dev/null"
	node_power_on "$1"
}

agent_answers() { # NODE
	load_node "$1"
	lab_get "$snmp" "$address" .1.3.6.1.2.1.1.3.0 >/dev/null 2>&1
}

# One GET with the lab's own client files.   lab_get CREDENTIAL ADDRESS OID
lab_get() { MIBS='' SNMPCONFPATH=$LAB_DIR/client/$1 SNMP_PERSISTENT_DIR=$LAB_DIR/client/persist snmpget -t 1 -r 0 -Oqv "$2" "$3"; }

# The last words of a service that does not come up; its files are gone once the lab is down.   last_words NODE LOG
last_words() {
	local last=''
	node_init "$1" && last=$(tail -n 1 "/proc/$init_pid/root/run/$2" 2>/dev/null)
	[ -n "$last" ] || last=$(tail -n 1 "$LAB_DIR/nodes/$1/console" 2>/dev/null)
	echo "${last:-it says nothing}"
}

wait_agent() {
	wait_for 30 agent_listens "$1" && wait_for 30 agent_answers "$1" ||
		{ note "$1: its snmpd does not answer: $(last_words "$1" snmpd.log)"; return 1; }
	wait_for 30 sshd_listens "$1" || { note "$1: its sshd does not listen: $(last_words "$1" sshd.log)"; return 1; }
}

# All BMCs in one call; says which did not answer.
bmcs_answer() {
	local out
	out=$(ipmipower --config-file="$LAB_DIR/client/freeipmi.conf" -h "$bmc_hosts" --stat 2>&1)
	bmcs_missing=$(grep -v ': on$' <<<"$out" | head -n 3)
	[ -z "$bmcs_missing" ]
}

up_failed() {
	note "up failed, taking down what stands"
	down_parts
	rm -f "$LAB_DIR/lock"
	rmdir "$LAB_DIR"
}

lab_up() {
	local g bmc_hosts nodes groups
	clock
	up_since_cs=$now_cs
	up_check
	up_directory
	net_guard
	trap up_failed EXIT
	trap 'exit 130' INT TERM
	conf_secrets
	conf_nodes
	conf_sshd
	conf_clients
	mapfile -t nodes < <(all_nodes)
	mapfile -t groups < <(seq 1 "$lab_groups")
	detach_ticker
	progress "network of ${#nodes[@]} nodes"
	# shellcheck disable=SC2046 # words
	[ -z "$WEB" ] || { each net_make $(balancers) && web_conf "${nodes[@]}"; } || die "cannot make the balancer"
	each net_make core bmcsw "${groups[@]/#/sw}" "${nodes[@]}" "${nodes[@]/#/bmc-}" ||
		die "cannot make the network namespaces"
	net_core
	net_bmcs "${nodes[@]}"
	for g in "${groups[@]}"; do net_group "$g" "${nodes[@]}"; done
	net_home
	bmc_records
	progress "starting ${#nodes[@]} nodes and their BMCs"
	[ -z "$WEB" ] || web_up || die "the balancer could not be started"
	each up_node "${nodes[@]}" || die "not every node could be started"
	each up_switch "${groups[@]}" || die "not every switch could be started"
	progress "waiting for their answers"
	each wait_agent "${nodes[@]}" || die "not every node came up within 10 s"
	[ -z "$WEB" ] || web_wait || die "the balancer did not come up within 10 s"
	bmc_hosts=$(cat "$LAB_DIR"/nodes/*/facts | sed -n 's/.*bmc_address=\([^ ]*\).*/\1/p' | paste -sd,)
	wait_for 40 bmcs_answer || die "not every BMC answered within 40 s: $bmcs_missing"
	conf_cluster
	trap - EXIT
	clock
	printf 'lab up: %d nodes in %d groups in %d.%d s, directory %s, configuration %s\n' "$lab_nodes" "$lab_groups" \
		$(((now_cs - up_since_cs) / 100)) $(((now_cs - up_since_cs) / 10 % 10)) "$LAB_DIR" "$ETC_DIR/cluster.xml"
}

detach_ticker() { setsid "$LAB_HOME/ticker" "$LAB_DIR" </dev/null >"$LAB_DIR/ticker.log" 2>&1 & disown $!; }

# Every process in the lab's own network namespaces (home is not one of them).
lab_pids() {
	local -A ours=()
	local f id
	for f in "$LAB_DIR"/ns/*; do
		[ "${f##*/}" = home ] || [ "$(stat -f -c %T "$f" 2>/dev/null)" != nsfs ] || ours[$(stat -c %i "$f")]=1
	done
	[ ${#ours[@]} -gt 0 ] || return 0
	stat -L -c '%i %n' /proc/[0-9]*/ns/net 2>/dev/null | while read -r id f; do
		f=${f#/proc/}
		[ -z "${ours[$id]:-}" ] || echo "${f%%/*}"
	done
}

no_lab_pids() {
	local pids
	mapfile -t pids < <(lab_pids)
	[ ${#pids[@]} = 0 ] || { kill -KILL "${pids[@]}" 2>/dev/null; return 1; }
}

# Who holds the lock: the ticker, and what an interrupted "up" left at work. Not this shell.
lab_holders() {
	local f pid
	for f in /proc/[0-9]*/fd/9; do
		pid=${f#/proc/} pid=${pid%%/*}
		[ "$f" -ef "$LAB_DIR/lock" ] && [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] && echo "$pid"
	done
}

no_holders() {
	local pids
	mapfile -t pids < <(lab_holders)
	[ ${#pids[@]} = 0 ] || { kill -KILL "${pids[@]}" 2>/dev/null; return 1; }
}

# Ends whatever stands of a lab below LAB_DIR, from whole to half-made; the directory itself stays.
down_parts() {
	local f
	wait_for 20 no_holders || note "some processes do not end: $(lab_holders | paste -sd' ')"
	[ -d "$LAB_DIR/ns" ] || return 0
	wait_for 30 no_lab_pids || note "some processes do not end: $(lab_pids | paste -sd' ')"
	if mounted core; then in_ns core ip link del own 2>/dev/null; fi
	for f in "$LAB_DIR"/ns/*; do
		[ "$f" = "$(ns_file home)" ] || umount "$f" 2>/dev/null
	done
	if mounted home; then
		wait_for 20 glab0_gone || note "glab0 does not go"
		net_unguard
		umount "$(ns_file home)"
	fi
	umount "$LAB_DIR/view" 2>/dev/null
	for f in $LAB_PARTS; do rm -rf "${LAB_DIR:?}/$f"; done
}

# In home there may be another lab's glab0 by now: ours carries our directory.
glab0_gone() { ! in_ns home ip link show glab0 2>/dev/null | grep -qxF "    alias glory lab $LAB_DIR"; }

lab_down() {
	[ -e "$LAB_DIR/lock" ] || { say "lab down: nothing stands in $LAB_DIR"; return 0; }
	exec 7>"$LAB_DIR/lock"
	flock -n 7 || mounted home ||
		die "$LAB_DIR: this lab stands in another mount namespace (or is just being raised), end it from there"
	down_parts
	rm -f "$LAB_DIR/lock"
	rmdir "$LAB_DIR" 2>/dev/null
	say "lab down: $LAB_DIR"
}
