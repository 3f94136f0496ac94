# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A node as its BMC sees it: power is a fact in a file of its own, the operating system is a tree of processes in
# namespaces of its own (process, mount, host name, clock). Used by lab and by chassis; expects load_node and lock_node.

node_power() { local p=0; read -r p 2>/dev/null <"$LAB_DIR/nodes/$1/power"; [ "$p" = 1 ]; }

# Percent of its processors that a node without work uses; a little different for each.
node_idle_load() { echo $((2 + $1 % 4)); }

# The interface: address and link come with the operating system, the link alone stays after a crash.
node_net() { # NODE up|silent|dark
	case $2 in
	up) ip_ns "$1" <<-E
		link set lo up
		link set eth0 up
		addr replace $address/16 dev eth0
		E
		web_node_net "$1"
		;;
	silent) in_ns "$1" ip addr flush dev eth0 ;;
	dark) ip_ns "$1" <<-E
		addr flush dev eth0
		link set eth0 down
		E
		;;
	esac
}

# Ends the operating system at once: the kernel takes every process of its process namespace with the first one.
node_kill() {
	node_init "$1" || return 0
	kill -KILL "$init_pid" 2>/dev/null
	wait_for 20 node_gone "$1" || die "$1: its processes do not end"
	rm -f "$LAB_DIR/nodes/$1/pid"
}
node_gone() { ! node_init "$1"; }

# Boots the operating system; returns when its first process runs, services follow by themselves.
node_boot() {
	local up clock=''
	node_init "$1" && return 0
	if [ -e "$LAB_DIR/nodes/$1/boot-hang" ]; then
		# firmware and no more: the link comes up, nobody is there
		ip_ns "$1" <<<'link set eth0 up'
		return 0
	fi
	node_net "$1" up || return 1
	clock
	up=$((now_cs / 100))
	echo "$now_cs" >"$LAB_DIR/view/$1/boot"
	cat "$LAB_DIR/view/stat.first" >"$LAB_DIR/view/$1/stat"
	# the node's clock begins with this boot, as hrSystemUptime must; a kernel without such clocks (user-mode Linux) has its own for all
	[ ! -e /proc/self/ns/time ] || clock="--time --boottime -$up"
	# shellcheck disable=SC2086 # words
	detach nsenter --net="$LAB_DIR/ns/$1" unshare --mount --uts --ipc --pid --fork --kill-child $clock "$LAB_HOME/node-init" "$LAB_DIR" "$1" >"$LAB_DIR/nodes/$1/console" 2>&1
	wait_for 20 node_init "$1" || { note "$1: does not boot: $(tail -n 1 "$LAB_DIR/nodes/$1/console")"; return 1; }
}

node_power_on() {
	node_power "$1" && return 0
	echo 1 >"$LAB_DIR/nodes/$1/power"
	node_boot "$1"
}

node_power_off() {
	echo 0 >"$LAB_DIR/nodes/$1/power"
	node_kill "$1"
	node_net "$1" dark
}

# A power button pressed shortly: a living operating system shuts down, a dead one does not notice.
node_soft_off() { if node_power "$1" && node_init "$1"; then node_power_off "$1"; fi; }

node_reset() {
	node_power "$1" || return 0
	node_kill "$1"
	node_boot "$1"
}

# Starts one service inside the running node.   node_service NODE agent|sshd
node_service() {
	node_init "$1" || die "$1: its operating system is not running, start it with: lab start $1"
	detach nsenter -t "$init_pid" --all /bin/sh "/run/node/$2" >>"$LAB_DIR/nodes/$1/console" 2>&1
}

# Condition: the node's snmpd has its socket (port 161 = 00A1).
agent_listens() { node_init "$1" && grep -qs ':00A1 ' "/proc/$init_pid/net/udp"; }
sshd_listens() { node_init "$1" && grep -qs ':0016 ' "/proc/$init_pid/net/tcp"; }
