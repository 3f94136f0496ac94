# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Cables and switches. Every network namespace is held by a file under ns/: "home" is the one where the appliance runs, "core" joins
# the groups' switches, "sw1".. are those, "bmcsw" is the BMC network's; then one per node and one per BMC ("bmc-n001").

LAB_PORT_FIRST=11 # port of a group's first node: ifIndex = port = number after "p" in ifName (ifIndex 1 is always lo)
LAB_NETS='10.98.0.0/16 10.99.0.0/16 10.128.0.0/16'
LAB_UNREACHABLE_METRIC=4278198272

# Before any address exists: what is meant for the lab must not leave by a default route, now or when a part is missing.
# The metric is the mark of ours.
net_guard() {
	local net
	for net in $LAB_NETS; do
		ip route replace unreachable "$net" metric $LAB_UNREACHABLE_METRIC || die "cannot guard the default route for $net"
	done
}

net_unguard() {
	local net
	for net in $LAB_NETS; do in_ns home ip route del unreachable "$net" metric $LAB_UNREACHABLE_METRIC 2>/dev/null; done
}

net_make() { # NAME
	: >"$(ns_file "$1")"
	unshare --net="$(ns_file "$1")" true
}

net_quiet='echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'

# A switch: a bridge that forwards at once, "ip" lines for its ports on standard input.   net_switch NS
net_switch() {
	in_ns "$1" sh -c "$net_quiet 2>/dev/null"
	{
		echo 'link set lo up'
		echo 'link add name br0 index 5 type bridge forward_delay 0 stp_state 0 mcast_snooping 0'
		echo 'link set br0 up'
		cat
	} | ip_ns "$1" || die "$1: cannot build the switch"
}

# "ip" lines: a port and the device at the other end of its cable.   net_cable PORT INDEX PEER_NS PEER MAC
net_cable() {
	echo "link add name $1 index $2 type veth peer name $4 address $5 netns \"$(ns_file "$3")\""
	echo "link set $1 master br0"
	echo "link set $1 up"
}

mac() { printf '02:00:%02x:%02x:%02x:%02x' "$1" "$2" "$3" "$4"; }

net_core() {
	local g
	{
		net_cable own 10 home glab0 "$(mac 10 99 0 2)"
		net_cable bmc 11 bmcsw trunk "$(mac 10 98 255 1)"
		web_cables
		for ((g = 1; g <= lab_groups; g++)); do net_cable "g$g" $((100 + g)) "sw$g" trunk "$(mac 10 99 "$g" 253)"; done
	} | net_switch core || exit 1
}

# The uplink's end was made by the core and has to join the switch's bridge.
net_group() { # GROUP NODE... (those of other groups are passed over)
	local g=$1 node
	shift
	{
		echo 'link set trunk master br0'
		echo 'link set trunk up'
		echo "addr add 10.99.$g.254/16 dev br0"
		for node; do
			load_node "$node"
			[ "$group_number" = "$g" ] || continue
			net_cable "p$port" "$port" "$node" eth0 "$(mac 10 99 "$g" "$pos")"
		done
	} | net_switch "sw$g" || exit 1
}

net_bmcs() { # NODE...
	local node
	{
		echo 'link set trunk master br0'
		echo 'link set trunk up'
		for node; do
			load_node "$node"
			net_cable "$node" $((LAB_PORT_FIRST + index)) "bmc-$node" eth0 "$(mac 10 98 "$group_number" "$pos")"
		done
	} | net_switch bmcsw || exit 1
}

# A BMC's interface. The hardware address belongs to the address, so that nobody's neighbour table is wrong after a swap.
net_bmc_address() { # NODE ADDRESS
	local o
	IFS=. read -ra o <<<"$2"
	in_ns "bmc-$1" sh -c "$net_quiet 2>/dev/null"
	ip_ns "bmc-$1" <<-E
	link set lo up
	link set eth0 down
	addr flush dev eth0
	link set eth0 address $(mac "${o[0]}" "${o[1]}" "${o[2]}" "${o[3]}")
	addr add $2/16 dev eth0
	link set eth0 up
	E
}

net_home() {
	ip -batch - <<-E || die "cannot raise the appliance's interface glab0"
	link set glab0 alias "glory lab $LAB_DIR"
	addr add 10.99.0.2/16 dev glab0
	addr add 10.98.0.2/16 dev glab0
	link set glab0 up
	E
}
