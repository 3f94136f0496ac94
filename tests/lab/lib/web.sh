# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The web service of `lab up --web`: a balancer machine lb1 with a real HAProxy behind the core switch, a configuration of nginx on every node, and
# what the appliance is told of both. Nothing here starts nginx: that is the appliance's work. Sourced by lab.

LAB_BALANCER=10.99.0.3
LAB_VIRTUALS='10.99.0.100 10.99.0.101 10.99.0.102 10.99.0.103'
LAB_WEB_TOOLS='haproxy nginx'

web_check() {
	local t
	for t in $LAB_WEB_TOOLS; do command -v "$t" >/dev/null || die "$t: not installed, run: make deps"; done
	[ -x /usr/lib/ocf/resource.d/heartbeat/nginx ] || die "the OCF agent of nginx is not installed (package resource-agents), run: make deps"
}

# --- the nodes ------------------------------------------------------------------------------------------
# Its name for any path, /health beside; a node's own files are under /run, which goes with the node.
web_node_conf() { # NODE
	cat >"$LAB_DIR/nodes/$1/web.conf" <<-E
	pid /run/nginx.pid;
	error_log /run/nginx-error.log;
	worker_processes 1;
	events { worker_connections 1024; }
	http {
	  access_log off;
	  client_body_temp_path /run/nginx/body;
	  proxy_temp_path /run/nginx/proxy;
	  fastcgi_temp_path /run/nginx/fastcgi;
	  uwsgi_temp_path /run/nginx/uwsgi;
	  scgi_temp_path /run/nginx/scgi;
	  default_type text/plain;
	  server {
	    listen 80 backlog=1024;
	    location = /health { return 200 "well\n"; }
	    location / { return 200 "$1\n"; }
	  }
	}
	E
}

web_conf() { # NODE...
	local node
	for node; do web_node_conf "$node"; done
}

# Process ids of nginx in a node; the pid file alone outlives a kill.
web_pids() { # NODE
	local pid comm space
	node_init "$1" || return 1
	space=$(readlink "/proc/$init_pid/ns/pid_for_children")
	for pid in /proc/[0-9]*; do
		read -r comm 2>/dev/null <"$pid/comm" && [ "$comm" = nginx ] || continue
		[ "$(readlink "$pid/ns/pid")" = "$space" ] && echo "${pid#/proc/}"
	done
}
web_gone() { [ -z "$(web_pids "$1")" ]; }

fault_nginx_kill() {
	local pids
	mapfile -t pids < <(web_pids "$1")
	node_init "$1" || die "$1: its operating system is not running, start it with: lab start $1"
	[ ${#pids[@]} = 0 ] || kill -KILL "${pids[@]}" 2>/dev/null
	wait_for 2 web_gone "$1" || die "$1: nginx does not end"
	say "$1: nginx killed"
}

# What is asked of the service, in percent of one node's processors; whoever runs nginx has an equal share of it (see the ticker).
fault_demand() {
	[[ $1 =~ ^[0-9]{1,5}$ ]] || die "$1: wants percent of one node, such as 250; 0 ends it"
	[ -e "$LAB_DIR/nodes/lb1" ] || die "there is no web service here, raise the lab with: lab up N --web"
	echo "$((10#$1))" >"$LAB_DIR/view/demand.new" && mv "$LAB_DIR/view/demand.new" "$LAB_DIR/view/demand"
	say "web: work for $((10#$1)) percent of one node"
}

# --- the balancer ----------------------------------------------------------------------------------------
# "ip" lines for the core switch: the balancer's cable.
web_cable() { [ "$WEB" = 0 ] || net_cable lb1 12 lb1 eth0 "$(mac 10 99 0 3)"; }

# Before the machine's own file comes HAProxy's; ours is the one that the appliance writes.
balancer_conf() {
	local d=$LAB_DIR/nodes/lb1
	mkdir -p "$d/root" "$d/haproxy"
	cat >"$d/haproxy/haproxy.cfg" <<-E
	global
	  stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners
	  maxconn 2000
	  hard-stop-after 30s
	defaults
	  mode tcp
	  timeout connect 1s
	  timeout client 30s
	  timeout server 30s
	  retries 2
	  option redispatch 1
	frontend local
	  bind 127.0.0.1:8404
	  mode http
	  stats enable
	E
	echo '# written by the appliance' >"$d/haproxy/glory.cfg"
	echo 'exec /usr/sbin/haproxy -W -D -S /run/haproxy/master.sock -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/glory.cfg' >"$d/balancer"
	echo 'exec /usr/sbin/sshd -f /run/node/sshd_config -E /run/sshd.log </dev/null' >"$d/sshd"
	conf_host_certificate lb1 "$LAB_BALANCER"
}

balancer_net() { # up|silent
	local address
	if [ "$1" = silent ]; then in_ns lb1 ip addr flush dev eth0; return; fi
	{
		echo 'link set lo up'
		echo 'link set eth0 up'
		echo "addr replace $LAB_BALANCER/16 dev eth0"
		for address in $LAB_VIRTUALS; do echo "addr replace $address/32 dev eth0"; done
	} | ip_ns lb1
}

balancer_boot() {
	node_init lb1 && return 0
	balancer_net up || return 1
	detach nsenter --net="$LAB_DIR/ns/lb1" unshare --mount --uts --ipc --pid --fork --kill-child "$LAB_HOME/node-init" "$LAB_DIR" lb1 \
		>"$LAB_DIR/nodes/lb1/console" 2>&1
	wait_for 5 node_init lb1 || { note "lb1: does not boot: $(tail -n 1 "$LAB_DIR/nodes/lb1/console")"; return 1; }
}

# Condition: HAProxy has its own page's port (8404 = 20D4), sshd has its.
balancer_listens() { node_init lb1 && grep -qs ':20D4 ' "/proc/$init_pid/net/tcp" && sshd_listens lb1; }

web_up() {
	in_ns lb1 sh -c "$net_quiet 2>/dev/null"
	balancer_conf
	balancer_boot
}

web_wait() { wait_for 10 balancer_listens || { note "lb1: HAProxy or sshd does not come up: $(last_words lb1 sshd.log)"; return 1; }; }

fault_balancer() { # crash|start
	[ -e "$LAB_DIR/nodes/lb1" ] || die "there is no balancer here, raise the lab with: lab up N --web"
	lock_node lb1
	if [ "$1" = crash ]; then
		balancer_net silent
		node_kill lb1
		say "lb1: operating system gone"
	else
		balancer_boot && web_wait || die "lb1: does not boot"
		say "lb1: operating system runs"
	fi
}

# --- the appliance ------------------------------------------------------------------------------------------
# Elements of cluster.xml. A node is kept in reserve where there are enough.
web_cluster() {
	local max=$((lab_nodes > 3 ? lab_nodes - 2 : lab_nodes)) min=$((lab_nodes > 2 ? 2 : 1))
	cat <<-E
	  <pool name="web" nodes="n[001-$(printf %03d "$lab_nodes")]" reserve="1"/>
	  <software name="nginx" package="nginx-light"/>
	  <balancer name="lb1" driver="haproxy" address="$LAB_BALANCER" ssh="control"
	            options="socket=/run/haproxy/admin.sock config=/etc/haproxy/glory.cfg main=/etc/haproxy/haproxy.cfg pid=/run/haproxy.pid"/>
	  <service name="web" balancer="lb1" virtuals="${LAB_VIRTUALS%% *}:80" pool="web" software="nginx" agent="ocf:heartbeat:nginx"
	           parameters="configfile=/srv/web.conf" probe="http /health" probe-timeout-ms="500" min="$min" max="$max" target="60"
	           start-s="10" warm-s="10" drain-s="10"/>
	E
}
