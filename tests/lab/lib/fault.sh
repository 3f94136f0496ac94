# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Faults and their undo: one table, one small function each. Every fault is a real one (a link taken down, a process killed or
# stopped, a file a sensor reads); where the thing is so already, it says so and succeeds.

# verb|arguments|function and its fixed arguments|what it does
LAB_FAULTS='crash|NODE|fault_crash|operating system gone at once and silent; link up, power on
start|NODE|fault_start|boot it again
off|NODE|fault_power off|power off behind the appliance
on|NODE|fault_power on|power on behind the appliance
reset|NODE|fault_power reset|hard reset behind the appliance
cut|NODE|fault_cable node down|port of the node down at its switch
join|NODE|fault_cable node up|and up again
loss|NODE PERCENT|fault_loss|packets of the node lost at its switch, each way; 0 ends it
bmc-cut|NODE|fault_cable bmc down|cable of the BMC out
bmc-join|NODE|fault_cable bmc up|and in again
bmc-swap|NODE NODE|fault_bmc_swap|exchange the addresses of two BMCs; again to undo
agent-stop|NODE|fault_agent_stop|kill snmpd
agent-start|NODE|fault_agent_start|start it again
agent-restart|NODE|fault_agent_restart|stop and start it
agent-hang|NODE|fault_signal snmpd STOP hangs|snmpd stopped in its tracks
agent-wake|NODE|fault_signal snmpd CONT runs|and running again
sshd-hang|NODE|fault_signal sshd STOP hangs|sshd stopped in its tracks
sshd-wake|NODE|fault_signal sshd CONT runs|and running again
own-cut||fault_own down|cable of the appliance out
own-join||fault_own up|and in again
switch-cut|GROUP|fault_uplink down|uplink of the group switch down
switch-join|GROUP|fault_uplink up|and up again
drop|NODE udp161,echo,tcp22|fault_wall drop|a packet filter in the node drops these (a list)
reject|NODE udp161,echo,tcp22|fault_wall reject|... answers that they are refused
open|NODE|fault_wall open|no packet filter
chatter|NODE|fault_chatter|the node sends ten packets a second to its switch
hush|NODE|fault_hush|and no longer
boot-hang|NODE|fault_boot hang|when it starts next, it never gets up
boot-free|NODE|fault_boot free|it does
clone-engine|NODE NODE|fault_clone_engine|the first agent has the identity (engine id, boots) of the second
own-engine|NODE|fault_own_engine|and its own again
same-address|NODE NODE|fault_same_address|the first node has the address of the second, too, and says so
own-address|NODE NODE|fault_own_address|and gives it back
bmc-password|NODE|fault_bmc_password other|its BMC wants another password
bmc-password-own|NODE|fault_bmc_password own|and its own again
root-readonly|NODE|fault_root ro|the root file system of the node cannot be written
root-writable|NODE|fault_root rw|it can
load|NODE PERCENT|fault_load|processor load the node shows; 0 ends it
demand|PERCENT|fault_demand|work for the web service in percent of one node, shared by those that run nginx; 0 ends it
nginx-kill|NODE|fault_nginx_kill|kill nginx on the node
balancer-crash|BALANCER|fault_balancer crash|operating system of lb1 (or lb2) gone at once
balancer-start|BALANCER|fault_balancer start|boot it again
disk|NODE PERCENT|fault_disk|fill the file system /srv of the node; 0 empties it
sensor|NODE NAME VALUE|fault_sensor|what a BMC sensor reads (95, 11.9; ok failed lost absent)'

fault_usage() {
	local verb arguments what
	echo 'faults:'
	while IFS='|' read -r verb arguments _ what; do printf '  %-15s %-16s %s\n' "$verb" "$arguments" "$what"; done <<<"$LAB_FAULTS"
}

fault() {
	local verb arguments run given=$1 wanted
	shift
	while IFS='|' read -r verb arguments run _; do [ "$verb" = "$given" ] && break; verb=''; done <<<"$LAB_FAULTS"
	[ -n "$verb" ] || die "$given: no such command, run lab alone for the list"
	read -ra wanted <<<"$arguments"
	[ $# = ${#wanted[@]} ] || die "usage: lab $verb $arguments"
	load_lab
	if [ "${wanted[0]:-}" = NODE ]; then load_node "$1"; lock_node "$1"; fi
	if [ "$json" = 1 ]; then printf '{"begun":%s}\n' "${EPOCHREALTIME/,/.}"; exec >/dev/null; fi
	# shellcheck disable=SC2086
	$run "$@"
}

fault_crash() {
	node_power "$1" || die "$1: is powered off, power it on first: lab on $1"
	node_net "$1" silent
	node_kill "$1"
	say "$1: operating system gone, link up, power on"
}

fault_start() {
	node_power "$1" || die "$1: is powered off, use: lab on $1"
	node_boot "$1" || die "$1: does not boot"
	say "$1: operating system runs"
}

fault_power() {
	case $1 in
	off) node_power_off "$2" ;;
	on) node_power_on "$2" || die "$2: does not boot" ;;
	reset)
		node_power "$2" || die "$2: is powered off, use: lab on $2"
		node_reset "$2" || die "$2: does not boot"
		;;
	esac
	say "$2: power $1"
}

fault_cable() { # node|bmc down|up NODE
	case $1 in
	node) in_ns "sw$group_number" ip link set "p$port" "$2" || die "$3: its port does not go $2" ;;
	bmc) in_ns bmcsw ip link set "$3" "$2" || die "$3: the port of its BMC does not go $2" ;;
	esac
	if [ "$1" = node ]; then say "$3: port p$port of sw$group_number $2"; else say "$3: cable of its BMC $2"; fi
}

# Where a BMC is now; the facts say where it belongs.
bmc_now() { cat "$LAB_DIR/bmcs/$1/address" 2>/dev/null || { load_node "$1"; echo "$bmc_address"; }; }

fault_bmc_swap() {
	local one two
	[ "$1" != "$2" ] || die "$1: give two different nodes"
	load_node "$2"
	one=$(bmc_now "$1") two=$(bmc_now "$2")
	net_bmc_address "$1" "$two" && echo "$two" >"$LAB_DIR/bmcs/$1/address"
	net_bmc_address "$2" "$one" && echo "$one" >"$LAB_DIR/bmcs/$2/address"
	# the switch may not have noticed that the links were down for a moment
	in_ns bmcsw ip link set br0 type bridge fdb_flush
	say "$1: its BMC is at $two, that of $2 at $one"
}

# Process ids of a service; says what is wrong when there are none. Sets service_pids.
service_pids_of() { # NODE snmpd|sshd
	node_init "$1" || die "$1: its operating system is not running, start it with: lab start $1"
	mapfile -t service_pids < <(node_service_pids "$1" "$2")
}

fault_agent_stop() {
	service_pids_of "$1" snmpd
	[ ${#service_pids[@]} = 0 ] || kill -KILL "${service_pids[@]}"
	wait_for 10 agent_gone "$1" || die "$1: snmpd does not end"
	say "$1: snmpd killed"
}
agent_gone() { ! agent_listens "$1"; }

fault_agent_start() {
	if ! agent_listens "$1"; then
		node_service "$1" agent
		wait_for 20 agent_listens "$1" || die "$1: snmpd does not start, see $node_dir/console"
	fi
	say "$1: snmpd runs"
}

fault_agent_restart() {
	fault_agent_stop "$1" >/dev/null
	fault_agent_start "$1" >/dev/null
	say "$1: snmpd restarted"
}

fault_signal() { # snmpd|sshd SIGNAL WORD NODE
	service_pids_of "$4" "$1"
	[ ${#service_pids[@]} -gt 0 ] || die "$4: $1 is not running"
	kill "-$2" "${service_pids[@]}"
	say "$4: $1 $3"
}

fault_own() {
	in_ns core ip link set own "$1" || die "the appliance's cable does not go $1"
	say "appliance: cable $1"
}

fault_uplink() { # down|up GROUP
	[[ $2 =~ ^(g0*|sw)?([1-9][0-9]?)$ ]] && [ "${BASH_REMATCH[2]}" -le "$lab_groups" ] ||
		die "$2: no such group, the lab has g01 to $(printf 'g%02d' "$lab_groups")"
	in_ns core ip link set "g${BASH_REMATCH[2]}" "$1" || die "$2: its uplink does not go $1"
	say "$2: uplink $1"
}

percent_of() { [[ $1 =~ ^[0-9]{1,3}$ ]] && [ "$((10#$1))" -le 100 ] || die "$1: wants a percentage, 0 to 100"; }

# In the switch and not by a queueing discipline: kernels without netem have this too.
fault_loss() {
	percent_of "$2"
	command -v nft >/dev/null || die "nft: not installed, run: apt-get install nftables"
	local chance="numgen random mod 100 < $((10#$2))" side
	[ "$((10#$2))" -lt 100 ] || chance=
	{
		echo "add table bridge loss; add chain bridge loss $1 { type filter hook forward priority 0; }; flush chain bridge loss $1"
		for side in iifname oifname; do
			[ "$((10#$2))" = 0 ] || echo "add rule bridge loss $1 $side \"p$port\" $chance drop"
		done
	} | in_ns "sw$group_number" nft -f - || die "$1: the switch does not take the rule"
	say "$1: $2 percent of its packets lost, each way"
}

fault_load() {
	percent_of "$2"
	if [ "$((10#$2))" = 0 ]; then node_idle_load "$index"; else echo "$((10#$2))"; fi >"$LAB_DIR/view/$1/load"
	say "$1: load $2 percent"
}

# Through the process file system into the node's own mount: a real full file system, gone with the next boot.
fault_disk() {
	local fill size
	percent_of "$2"
	node_init "$1" || die "$1: its operating system is not running, start it with: lab start $1"
	fill=/proc/$init_pid/root/srv/fill
	size=$(stat -f -c '%b %S' "${fill%/fill}")
	size=$((${size% *} * ${size#* } * 10#$2 / 100))
	# what is there is cut or grown, never made anew: an agent that looks in between would see an empty disk
	if [ "$size" = 0 ]; then
		rm -f "$fill"
	else
		[ "$(stat -c %s "$fill" 2>/dev/null || echo 0)" -le "$size" ] || truncate -s "$size" "$fill"
		fallocate -l "$size" "$fill" || die "$1: cannot fill /srv"
	fi
	say "$1: /srv $2 percent full"
}

fault_sensor() {
	sensor_raw "$2" "$3"
	echo "$raw" >"$bmc_dir/val/$file"
	say "$1: $2 reads $3 (raw $raw)"
}
