# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the parts and the appliance are told: passwords, the facts of each node, snmpd's and sshd's files, cluster.xml and the
# appliance's secrets, and client files for the stock tools, so that no password stands in an argument.

random_text() { # LENGTH (letters and digits)
	local text=''
	while [ ${#text} -lt "$1" ]; do text+=$(head -c 96 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9'); done
	printf '%s' "${text:0:$1}"
}

# The BMC's password stays below 20 characters: the simulator loses the last byte of a full one.
conf_secrets() {
	local d
	secret_auth=$(random_text 20) secret_priv=$(random_text 20) secret_bmc=$(random_text 16) secret_community=lab
	for d in "$ETC_DIR" "$ETC_DIR"/secrets{,/snmp,/bmc,/notify,/ssh}; do mkdir -p "$d" && chmod 700 "$d" || die "$d: cannot make it"; done
	chmod 755 "$ETC_DIR"
	conf_secret snmp/nodes "auth=$secret_auth" "priv=$secret_priv"
	conf_secret snmp/old "community=$secret_community"
	conf_secret bmc/bmc "password=$secret_bmc"
	[ -z "$NOTIFY" ] || conf_secret notify/noc "auth=$(random_text 20)" "priv=$(random_text 20)"
}

conf_secret() { # PLACE LINE...
	local f=$ETC_DIR/secrets/$1
	shift
	rm -f "$f"
	(umask 177; printf '%s\n' "$@" >"$f") || die "$f: cannot write it"
}

# Nodes are spread evenly; n001 counts on across the groups.
conf_nodes() {
	local i=0 g k count
	for ((g = 1; g <= lab_groups; g++)); do
		count=$((lab_nodes / lab_groups + (g <= lab_nodes % lab_groups)))
		for ((k = 1; k <= count; k++)); do conf_node $((++i)) "$g" "$k"; done
	done
}

conf_node() { # INDEX GROUP POSITION
	local name dir address=10.99.$2.$3 uuid snmp=nodes
	printf -v name 'n%03d' "$1"
	dir=$LAB_DIR/nodes/$name
	[ $(($1 % 2)) = 1 ] || snmp=old
	read -r uuid </proc/sys/kernel/random/uuid
	mkdir -p "$dir/root" "$dir/persist" "$LAB_DIR/view/$name" "$LAB_DIR/bmcs/$name"
	cat >"$dir/facts" <<-E
	name=$name index=$1 group=$(printf 'g%02d' "$2") group_number=$2 pos=$3 port=$((LAB_PORT_FIRST + $3 - 1))
	address=$address bmc_address=10.98.$2.$3 snmp=$snmp uuid=$uuid
	E
	echo 0 >"$dir/power"
	node_idle_load "$1" >"$LAB_DIR/view/$name/load"
	cp "$LAB_DIR/view/stat.first" "$LAB_DIR/view/$name/stat"
	conf_snmpd "$snmp" "$name" "$dir/persist" "udp:$address:161" >"$dir/snmpd.conf"
	# by path and not by -c: the persistent file with user and engine boots is then read only where the path names it
	cat >"$dir/agent" <<-E
	SNMP_PERSISTENT_DIR=/proc/1/fd/5/persist SNMPCONFPATH=/run/node:/proc/1/fd/5/persist MIBS= exec /usr/sbin/snmpd -Lf /run/snmpd.log \\
		-I -smux -p /run/snmpd.pid </dev/null
	E
	echo 'exec /usr/sbin/sshd -f /run/node/sshd_config -E /run/sshd.log </dev/null' >"$dir/sshd"
}

# snmpd's settings on standard output, and its v3 user where that is the credential.   conf_snmpd CREDENTIAL NAME PERSIST ADDRESS
conf_snmpd() {
	echo "sysName $2"
	echo "sysLocation lab"
	echo "sysContact noc@example.net"
	echo "agentaddress $4"
	echo "dontLogTCPWrappersConnects yes"
	echo "includeAllDisks 10%"
	# an identity of its own: snmpd makes one of the second and the microsecond it starts in, which two that start together may share
	local mine seconds
	read -r mine </proc/sys/kernel/random/uuid
	printf -v seconds '%08x' "$EPOCHSECONDS"
	(umask 177; echo "oldEngineID 0x80001f8880${mine%%-*}$seconds" >"$3/snmpd.conf")
	if [ "$1" = old ]; then echo "rocommunity $secret_community"; return; fi
	echo "rouser glory priv"
	echo "createUser glory SHA-256 \"$secret_auth\" AES \"$secret_priv\"" >>"$3/snmpd.conf"
}

# Node control: one CA signs hosts, another the appliance's key; on a node "glory" is a name of root's that the forced command alone can use.
conf_sshd() {
	local d=$LAB_DIR/ssh s=$ETC_DIR/secrets/ssh key script
	mkdir -p "$d"
	for key in host_key ca_host ca_user control; do
		ssh-keygen -q -t ed25519 -N '' -C lab -f "$d/$key" </dev/null || die "cannot make the ssh key $key"
	done
	script=$(readlink -f "$LAB_HOME/../../appliance/control/glory-node")
	cp "$script" "$d/glory-node" || die "$script: cannot be read"
	cat >"$d/sshd_config" <<-E
	HostKey /run/node/host_key
	HostCertificate /run/node/host_key-cert.pub
	TrustedUserCAKeys /run/node/ca_user.pub
	AuthorizedKeysFile none
	PidFile /run/sshd.pid
	AllowUsers glory
	PermitRootLogin prohibit-password
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	PermitTTY no
	DisableForwarding yes
	PermitUserEnvironment no
	UseDNS no
	UsePAM no
	MaxStartups 50:30:100
	ForceCommand /run/node/glory-node --state /run/glory-node --library /srv/.glory-node --path /run/node/bin --libexec ${LAB_LIBEXEC:-$(readlink -f "$LAB_HOME/../../build/libexec/glory" 2>/dev/null || echo /usr/libexec/glory)}
	E
	ssh-keygen -q -s "$d/ca_user" -I appliance -n glory -V -5m:+7d -O clear -O force-command=/run/node/glory-node "$d/control.pub" 2>/dev/null ||
		die "cannot sign the appliance's ssh key"
	for key in control control-cert control-ca; do rm -f "$s/$key"; done
	(umask 177; cat "$d/control" >"$s/control"; cat "$d/control-cert.pub" >"$s/control-cert"; cat "$d/ca_host.pub" >"$s/control-ca") ||
		die "$s: cannot write it"
}

# A node's host certificate; the key is the same on all, the name in it is the node's own.
conf_host_certificate() { # NODE ADDRESS
	cp "$LAB_DIR/ssh/host_key.pub" "$LAB_DIR/nodes/$1/host_key.pub" &&
		ssh-keygen -q -s "$LAB_DIR/ssh/ca_host" -I "$1" -h -n "$1,$2" -V -5m:+7d "$LAB_DIR/nodes/$1/host_key.pub" 2>/dev/null ||
		die "$1: cannot sign its host key"
}

# SNMPCONFPATH directories for net-snmp's tools and a file for FreeIPMI's (--config-file).
conf_clients() {
	local c=$LAB_DIR/client
	mkdir -p "$c"/{nodes,old}
	(
		umask 177
		printf '%s\n' 'defVersion 3' 'defSecurityName glory' 'defSecurityLevel authPriv' 'defAuthType SHA-256' \
			"defAuthPassphrase $secret_auth" 'defPrivType AES' "defPrivPassphrase $secret_priv" >"$c/nodes/snmp.conf"
		printf '%s\n' 'defVersion 2c' "defCommunity $secret_community" >"$c/old/snmp.conf"
		printf '%s\n' 'driver-type LAN_2_0' 'cipher-suite-id 3' 'username operator' "password $secret_bmc" \
			'privilege-level ADMIN' 'workaround-flags opensesspriv' 'session-timeout 2000' \
			'retransmission-timeout 400' >"$c/freeipmi.conf"
	)
}

conf_cluster() {
	local g node f=$ETC_DIR/cluster.xml
	{
		cat <<-E
		<?xml version="1.0" encoding="UTF-8"?>
		<cluster xmlns="urn:glory-cl:cluster:1" site="demo">
		  <credentials>
		    <snmp name="nodes" version="3" user="glory" auth="SHA-256" priv="AES-128"/>
		    <snmp name="old" version="2c"/>
		    <bmc name="bmc" user="operator" suite="17"/>
		${NOTIFY:+    <snmp name=\"noc\" version=\"3\" user=\"noc\" auth=\"SHA-256\" priv=\"AES-128\"/>}
		  </credentials>
		  <bmcmodel name="sim" suite="3" workarounds="opensesspriv" accepted="suite-0 weak-suites"/>
		E
		for ((g = 1; g <= lab_groups; g++)); do
			printf '  <switch name="sw%d" address="10.99.%d.254" snmp="nodes" group="g%02d"/>\n' "$g" "$g" "$g"
		done
		for ((g = 1; g <= lab_groups; g++)); do
			printf '  <group name="g%02d" reference="10.99.%d.254" policy="repair">\n' "$g" "$g"
			while read -r node; do
				load_node "$node"
				[ "$group_number" = "$g" ] && conf_cluster_node
			done < <(all_nodes)
			echo '  </group>'
		done
		[ -z "$NOTIFY" ] || printf '  <notify name="noc" address="%s" snmp="noc" kind="inform"/>\n' "$NOTIFY"
		[ -z "$WEB" ] || web_cluster
		echo '</cluster>'
	} >"$f.new" && mv "$f.new" "$f" || die "$f: cannot write it"
}

conf_cluster_node() {
	cat <<-E
	    <node name="$name" address="$address" port="161" snmp="$snmp" bmc="$bmc_address" bmc-credential="bmc" bmc-model="sim"
	          switch="sw$group_number" switch-port="$port" rack="r$group_number" uuid="$uuid"/>
	E
}
