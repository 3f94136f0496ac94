# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
# Raises the appliance under test on the swarm: its files, its start, its roles; sourced by tests/bench/run. The forms are contracts 10.

PER_GROUP=250
LOG=${LOG:-} # of the appliance; its directory when it is not said

secret() { mkdir -p "$(dirname "$W/etc/secrets/$1")"; (umask 077; printf '%s\n' "${@:2}" >"$W/etc/secrets/$1"); }

write_secrets() {
	secret snmp/nodes "community=lab" "auth=bench-auth-passphrase" "priv=bench-priv-passphrase"
	secret bmc/bmc "password=bench-bmc-secret"
	secret usm/viewer "auth=bench-view-auth" "priv=bench-view-priv"
	secret usm/bench "community=bench-community"
	chmod -R go= "$W/etc/secrets"
}

# snmp.conf of the stock tools, so that no passphrase stands in an argument: one directory for each form
write_client() {
	mkdir -p "$W/v3" "$W/v2c" "$W/canned"
	(
		umask 077
		printf '%s\n' 'defVersion 3' 'defSecurityName viewer' 'defSecurityLevel authPriv' 'defAuthType SHA-256' 'defPrivType AES' \
			'defAuthPassphrase bench-view-auth' 'defPrivPassphrase bench-view-priv' >"$W/v3/snmp.conf"
		printf '%s\n' 'defVersion 2c' 'defCommunity bench-community' >"$W/v2c/snmp.conf"
		printf '%s\n' 'defVersion 2c' 'defCommunity lab' >"$W/canned/snmp.conf"
	)
}

write_cluster() {
	local g first last version='version="2c"'
	[ "$BENCH_V3" = 1 ] && version='version="3" user="glory" auth="SHA-256" priv="AES-128"'
	{
		echo '<cluster xmlns="urn:glory-cl:cluster:1" site="bench">'
		echo "  <credentials><snmp name=\"nodes\" $version/><bmc name=\"bmc\" user=\"operator\" suite=\"17\"/></credentials>"
		for ((g = 0; g * PER_GROUP < N; g++)); do
			first=$((g * PER_GROUP + 1)) last=$(((g + 1) * PER_GROUP))
			[ $last -le "$N" ] || last=$N
			printf '  <group name="g%02d" reference="10.128.255.%d" policy="tell">\n' $((g + 1)) $((g + 1))
			printf '    <nodes name="n[%05d-%05d]" address="10.128.%d.[1-%d]" port="161" snmp="nodes" bmc="10.129.%d.[1-%d]" bmc-credential="bmc"/>\n' \
				$first $last $g $((last - first + 1)) $g $((last - first + 1))
			echo '  </group>'
		done
		# read at the pace of its most wanted item: all built-in scalars with this one
		[ "$INTERVAL_MS" = 10000 ] || echo "  <item name=\"cpu\" interval=\"$((INTERVAL_MS / 1000))\"/>"
		echo '</cluster>'
	} >"$W/etc/cluster.xml"
}

write_settings() {
	cat >"$W/etc/gloryd.xml" <<-EOF
	<appliance xmlns="urn:glory-cl:appliance:1" name="bench" site="bench" first-uid="64101">
	  <directories data="/mnt/var" secrets="/mnt/etc/secrets"/>
	  <snmp-agent address="127.0.0.1" port="1161"/>
	  <api socket="/mnt/api.sock"/>
	  <cluster path="/mnt/etc/cluster.xml"/>
	  <log target="stderr" level="${LOG_LEVEL:-warning}"/>
	  <user name="viewer" kind="snmp" group="glory-view" auth="SHA-256" priv="AES-128"/>
	  <user name="bench" kind="community" group="glory-view"/>
	</appliance>
	EOF
}

# the appliance in its directory, bound to /mnt of a mount namespace of its own
appliance_start() {
	mkdir -p "$W/etc" "$W/var"
	[ -d "${TREES:-}" ] && mv -T "$TREES" "$W/var/rrd" && READ_TREES=1
	LOG=${LOG:-$W/gloryd.log}
	write_secrets
	write_cluster
	write_settings
	"$B/bin/gloryd" --root "$W" --config /mnt/etc/gloryd.xml >"$LOG" 2>&1 &
	GLORYD=$!
	if ! wait_for 60 '! kill -0 $GLORYD || ROLE_PIDS=$(roles) && [ $(wc -w <<<"$ROLE_PIDS") -ge 6 ]' || ! kill -0 $GLORYD 2>/dev/null; then
		say "the appliance does not come up: $(tail -n 3 "$LOG")"
		return 1
	fi
	# every agent has been polled once: the cluster is read, the itemsets are out
	if ! wait_for $((120 + N / 50)) '[ "$(report agents never_polled)" = 0 ]'; then
		say "$(report agents never_polled) of $N agents were never polled: $(tail -n 3 "$LOG")"
		return 1
	fi
}

all_files() { find "$W/var" -name '*.rrd' | wc -l; }
trees() { find "$W/var" -name "${1:-base}.rrd" | wc -l; }

# every node has its base file, in the full form also that of its sensors, which come once its BMC's records have been read, and none was made for
# 15 s: what is measured after it is the steady state. Files of an earlier run are read from the disk once, in one round of the recorder. Sets
# TREE_SECONDS
wait_for_trees() {
	local start=$SECONDS now before=-1 since=$SECONDS
	[ -z "${READ_TREES:-}" ] || pause 360
	while :; do
		now=$(all_files)
		[ "$now" = "$before" ] || { before=$now since=$SECONDS; }
		[ $((SECONDS - since)) -ge 15 ] && [ "$(trees)" -ge "$N" ] && { [ "${BENCH:-short}" = short ] || [ "$(trees sensors)" -ge "$N" ]; } && break
		if [ $((SECONDS - start)) -ge "$TREE_LIMIT" ]; then
			say "after $TREE_LIMIT s $(trees) of $N nodes have their base files, $(trees sensors) those of their sensors, $now in all: going on, the recorder's cost includes making the rest"
			break
		fi
		pause 5
	done
	TREE_SECONDS=$((since - start))
}

appliance_stop() {
	[ -n "${GLORYD:-}" ] || return 0
	kill "$GLORYD" 2>/dev/null
	wait_for 60 '! kill -0 $GLORYD' || kill -9 "$GLORYD"
	wait "$GLORYD" 2>/dev/null
	GLORYD=
}

# "PROGRAM PID" of every role, the supervisor as gloryd
roles() { local p; for p in $(family "$GLORYD"); do case $(program_of "$p") in gloryd | glory-*) echo "$(program_of "$p")=$p" ;; esac; done; }
