# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What every part of the laboratory shares: messages, the places below its directory, facts about nodes, locks, waiting.
# Sourced by lab, chassis and the ticker; LAB_DIR is the instance's directory, absolute.

say() { printf '%s\n' "$*"; }
note() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# A kernel in a process (tests/lab/uml) is that much slower: every wait is so much longer.
LAB_SLOWNESS=$((${GLORY_UML:-0} ? 6 : 1)) LAB_PAUSE=0.02
[ $LAB_SLOWNESS = 1 ] || LAB_PAUSE=0.2

ns_file() { printf '%s/ns/%s' "$LAB_DIR" "$1"; }

# Runs a command in one of the lab's network namespaces; the file system stays.
in_ns() { local ns=$1; shift; nsenter --net="$LAB_DIR/ns/$ns" "$@"; }

# Reads "ip" commands from standard input and runs them in a namespace, all in one process.
ip_ns() { in_ns "$1" ip -batch -; }

# The lab's own facts: nodes, groups, etc. Fails when no lab was raised here.
load_lab() {
	[ -r "$LAB_DIR/facts" ] || die "$LAB_DIR: no lab is up here, raise one with: lab up N"
	# shellcheck source=/dev/null
	. "$LAB_DIR/facts"
	mounted home || die "$LAB_DIR: its namespaces are not here (other mount namespace, or gone), raise it again: lab up N"
}

# Sets name group pos port address bmc_address snmp uuid of one node.
load_node() {
	[[ $1 =~ ^n[0-9]{3}$ ]] && [ -r "$LAB_DIR/nodes/$1/facts" ] ||
		die "$1: no such node, the lab has n001 to $(printf 'n%03d' "$lab_nodes")"
	# shellcheck source=/dev/null
	. "$LAB_DIR/nodes/$1/facts"
	node_dir=$LAB_DIR/nodes/$1 bmc_dir=$LAB_DIR/bmcs/$1
}

all_nodes() { local i; for ((i = 1; i <= lab_nodes; i++)); do printf 'n%03d\n' "$i"; done; }

# A namespace file of ours that holds a namespace: it lies on nsfs, not on the file system of its directory.
mounted() { [ -e "$LAB_DIR/ns/$1" ] && [ "$(stat -f -c %T "$LAB_DIR/ns/$1")" = nsfs ]; }

# Outer process id of a node's first process, if it runs; recycled ids are excluded by the namespace. Sets init_pid.
node_init() {
	init_pid=
	[ -r "$LAB_DIR/nodes/$1/pid" ] && read -r init_pid <"$LAB_DIR/nodes/$1/pid" && [ -n "$init_pid" ] &&
		[ "/proc/$init_pid/ns/net" -ef "$LAB_DIR/ns/$1" ]
}

# Process ids of a node's service by program name (snmpd, sshd): the children of its first process.
node_service_pids() {
	local pid comm children
	node_init "$1" || return 1
	read -r children 2>/dev/null <"/proc/$init_pid/task/$init_pid/children"
	for pid in $children; do
		read -r comm 2>/dev/null <"/proc/$pid/comm" && [ "$comm" = "$2" ] && printf '%s\n' "$pid"
	done
}

# Monotonic time in hundredths of a second; sets now_cs. No process is started.
clock() { local up _; read -r up _ </proc/uptime; now_cs=$((10#${up/./})); }

# A moment without a process: descriptor 6 never has anything to read.
exec 6<> <(:)
pause() { read -r -t "$LAB_PAUSE" -u 6 _ || true; }

# Waits until a command succeeds, asking every 20 ms.   wait_for SECONDS CMD...
wait_for() {
	local limit_cs=$(($1 * 100 * LAB_SLOWNESS)) start; shift
	clock; start=$now_cs
	until "$@"; do
		clock
		[ $((now_cs - start)) -lt "$limit_cs" ] || return 1
		pause
	done
}

# One switching of a node or BMC at a time: lock file descriptor 8, given up when the shell ends.
lock_node() { exec 8>"$LAB_DIR/nodes/$1/lock"; flock -w 5 8 || die "$1: another switching of it does not end"; }

# Starts a process of its own session that keeps nothing of ours open. Sets started_pid.
# No job of the shell either: a wait for jobs must not meet it.
detach() { setsid "$@" </dev/null 6>&- 7>&- 8>&- 9>&- & started_pid=$!; disown "$started_pid"; }
