# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Faults that are not simply broken parts: packet filters, two machines with one identity, a wrong password, a start that never ends.
# Called through the table in fault.sh.

# In the node's own kernel, so that a refusal comes from the address that was asked.
fault_wall() { # drop|reject|open NODE [LIST]
	local word rules='' answer=$1
	command -v nft >/dev/null || die "nft: not installed, run: apt-get install nftables"
	for word in $(tr , " " <<<"${3:-}"); do
		case $word in
		udp161) rules+="add rule inet wall in udp dport 161 $answer; " ;;
		echo) rules+="add rule inet wall in icmp type echo-request $answer; " ;;
		tcp22) rules+="add rule inet wall in tcp dport 22 $answer; " ;;
		*) die "$word: give a list of udp161, echo, tcp22" ;;
		esac
	done
	{
		echo 'add table inet wall; delete table inet wall'
		[ "$1" = open ] || echo "add table inet wall; add chain inet wall in { type filter hook input priority 0; }; $rules"
	} | in_ns "$2" nft -f - || die "$2: its kernel does not take the rules"
	say "$2: packet filter ${3:-nothing}: $1"
}

fault_chatter() {
	load_node "$1"
	detach nsenter --net="$LAB_DIR/ns/$1" ping -q -n -i 0.1 "10.99.$group_number.254" >/dev/null 2>&1
	echo "$started_pid" >"$node_dir/chatter"
	say "$1: sends ten packets a second"
}

fault_hush() {
	local pid
	if read -r pid 2>/dev/null <"$node_dir/chatter" && [ "/proc/$pid/ns/net" -ef "$LAB_DIR/ns/$1" ]; then kill "$pid"; fi
	rm -f "$node_dir/chatter"
	say "$1: sends nothing of itself"
}

fault_boot() { # hang|free NODE
	if [ "$1" = hang ]; then : >"$node_dir/boot-hang"; else rm -f "$node_dir/boot-hang"; fi
	say "$2: its next start: $1"
}

agent_file_swap() { # NODE COMMAND...: while its agent does not run
	local node=$1
	shift
	fault_agent_stop "$node" >/dev/null
	"$@" || die "$node: its agent's file cannot be exchanged"
	fault_agent_start "$node" >/dev/null
}

# As an image that was copied with its agent's persistent file.
fault_clone_engine() {
	[ "$1" != "$2" ] || die "$1: give two different nodes"
	local of=$LAB_DIR/nodes/$2/persist/snmpd.conf mine=$node_dir/persist/snmpd.conf
	[ -r "$of" ] || die "$2: its agent has no identity yet"
	[ -e "$mine.own" ] || cp -p "$mine" "$mine.own"
	agent_file_swap "$1" cp -p "$of" "$mine"
	say "$1: its agent says that it is that of $2"
}

fault_own_engine() {
	local mine=$node_dir/persist/snmpd.conf
	[ ! -e "$mine.own" ] || agent_file_swap "$1" mv "$mine.own" "$mine"
	say "$1: its agent has its own identity"
}

# Whoever asks the neighbours last is believed, as each request carries its sender's address: it asks every 3 s. The agent is told to listen there, too.
fault_same_address() {
	[ "$1" != "$2" ] || die "$1: give two different nodes"
	local victim
	victim=$(. "$LAB_DIR/nodes/$2/facts" && echo "$address")
	ip_ns "$1" <<<"addr replace $victim/32 dev eth0"
	node_init "$1" && sed -i "s/^agentaddress .*/agentaddress udp:$address:161,udp:$victim:161/" "/proc/$init_pid/root/run/node/snmpd.conf"
	fault_agent_restart "$1" >/dev/null
	detach nsenter --net="$LAB_DIR/ns/$1" bash -c "while :; do
		ip neigh flush dev eth0; ping -q -n -c 1 -W 1 -I $victim 10.99.0.2; read -r -t 3 <> <(:); done" >/dev/null 2>&1
	echo "$started_pid" >"$node_dir/impostor"
	say "$1: has the address of $2 ($victim), too"
}

fault_own_address() {
	local victim pid
	victim=$(. "$LAB_DIR/nodes/$2/facts" && echo "$address")
	if read -r pid 2>/dev/null <"$node_dir/impostor" && [ "/proc/$pid/ns/net" -ef "$LAB_DIR/ns/$1" ]; then kill "$pid"; fi
	rm -f "$node_dir/impostor"
	in_ns "$1" ip addr del "$victim/32" dev eth0 2>/dev/null
	if node_init "$1"; then sed -i "s/^agentaddress .*/agentaddress udp:$address:161/" "/proc/$init_pid/root/run/node/snmpd.conf"; fi
	fault_agent_restart "$1" >/dev/null
	# the neighbours hear of the true owner when it asks them
	in_ns "$2" ip neigh flush dev eth0
	in_ns "$2" ping -q -n -c 1 -W 1 10.99.0.2 >/dev/null 2>&1
	say "$1: has its own address only"
}

bmc_pids() {
	local f
	for f in /proc/[0-9]*/ns/net; do
		[ "$f" -ef "$LAB_DIR/ns/bmc-$1" ] && f=${f#/proc/} && echo "${f%%/*}"
	done
}
bmc_gone() { ! bmc_listens "$1"; }

fault_bmc_password() { # other|own NODE
	local pids
	case $1 in
	other) [ -e "$bmc_dir/lan.own" ] || { cp -p "$bmc_dir/lan.conf" "$bmc_dir/lan.own" && sed -i 's/^\( user 2 true "operator" \)"[^"]*"/\1"not-the-one"/' "$bmc_dir/lan.conf"; } ;;
	own) [ ! -e "$bmc_dir/lan.own" ] || mv "$bmc_dir/lan.own" "$bmc_dir/lan.conf" ;;
	esac
	mapfile -t pids < <(bmc_pids "$2")
	[ ${#pids[@]} = 0 ] || kill -KILL "${pids[@]}"
	wait_for 20 bmc_gone "$2" || die "$2: its BMC does not end"
	# what the simulator has kept of its users would win
	find "$bmc_dir/state" -name '*users*' -delete
	bmc_start "$2"
	wait_for 20 bmc_listens "$2" || die "$2: its BMC does not come back, see $bmc_dir/log"
	say "$2: password of its BMC: $1"
}

fault_root() { # ro|rw NODE
	node_init "$2" || die "$2: its operating system is not running, start it with: lab start $2"
	nsenter -t "$init_pid" --mount mount -o "remount,bind,$1" / || die "$2: its root cannot be mounted $1"
	say "$2: its root file system is $1"
}
