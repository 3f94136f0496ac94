# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the laboratory really is at this moment, read from the kernel and not from what was asked for.

# State of a service by its process: runs, hangs (stopped), gone.   service_state NODE COMM
service_state() {
	local pid stat rest
	read -r pid < <(node_service_pids "$1" "$2") && [ -n "$pid" ] || { printf gone; return; }
	read -r stat 2>/dev/null <"/proc/$pid/stat" || { printf gone; return; }
	rest=${stat##*) }
	case ${rest%% *} in T | t) printf hangs ;; *) printf runs ;; esac
}

# Sets link_of[PORT] to UP, DOWN, LOWERLAYERDOWN for one switch.
read_links() { # NS
	local port state _
	link_of=()
	while read -r port state _; do link_of[${port%@*}]=$state; done < <(in_ns "$1" ip -br link show)
}

# One line per node: name group address bmc power os agent sshd link bmc_link load
status_lines() {
	local -A link_of bmc_link
	local node last_group='' port_name os power percent
	read_links bmcsw
	for port_name in "${!link_of[@]}"; do bmc_link[$port_name]=${link_of[$port_name]}; done
	while read -r node; do
		load_node "$node"
		[ "$group" = "$last_group" ] || read_links "sw$group_number"
		last_group=$group
		power=off os=off
		if node_power "$node"; then
			power=on os=crashed
			node_init "$node" && os=up
		fi
		read -r percent <"$LAB_DIR/view/$node/load"
		echo "$node $group $address $(bmc_now "$node") $power $os $(service_state "$node" snmpd)" \
			"$(service_state "$node" sshd) $(link_word "${link_of[p$port]:-}") $(link_word "${bmc_link[$node]:-}") $percent"
	done < <(all_nodes)
}

link_word() { if [ "$1" = UP ]; then printf up; else printf down; fi; }

lab_status() { # JSON?
	local name group address bmc power os agent sshd link bmc_link load comma=''
	if [ "$1" = 0 ]; then
		echo "$lab_nodes nodes in $lab_groups groups, $LAB_DIR"
		{ echo 'node group address bmc power os snmpd sshd link bmc-link load'; status_lines; } | column -t
		return
	fi
	printf '['
	while read -r name group address bmc power os agent sshd link bmc_link load; do
		printf '%s{"name":"%s","group":"%s","address":"%s","bmc":"%s","power":"%s","os":"%s","snmpd":"%s","sshd":"%s",' "$comma" \
			"$name" "$group" "$address" "$bmc" "$power" "$os" "$agent" "$sshd"
		printf '"link":"%s","bmc_link":"%s","load":%s}' "$link" "$bmc_link" "$load"
		comma=,
	done < <(status_lines)
	printf ']\n'
}
