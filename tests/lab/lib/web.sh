# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The web service of `lab up --web`: a balancer machine lb1 with a real HAProxy behind the core switch, or with --lvs two directors lb1 and lb2 with
# the kernel's IPVS and keepalived; a configuration of nginx on every node; and what the appliance is told of them. Nothing here starts nginx:
# that is the appliance's work. Sourced by lab. WEB is "", haproxy, direct or nat.

LAB_BALANCER=10.99.0.3 LAB_PEER=10.99.0.4
LAB_VIRTUALS='10.99.0.100 10.99.0.101 10.99.0.102 10.99.0.103'
LAB_GATEWAY=10.99.0.9   # of nodes behind NAT: carried by the director that is master
LAB_OUTSIDE=10.128.0.2  # a client that is in no network of the nodes, for NAT: answers must go back through the director

balancers() { case $WEB in '') ;; haproxy) echo lb1 ;; *) echo lb1 lb2 ;; esac; }
balancer_address() { if [ "$1" = lb1 ]; then echo $LAB_BALANCER; else echo $LAB_PEER; fi; }

web_check() {
	local t tools=haproxy
	case $WEB in
	haproxy) ;;
	direct | nat)
		tools='keepalived ipvsadm'
		[ -e /proc/net/ip_vs ] || modprobe ip_vs 2>/dev/null || die "this kernel has no IPVS: run it in one that has (tests/lab/uml/boot)"
		;;
	*) die "$WEB: wants direct or nat" ;;
	esac
	for t in nginx $tools; do command -v "$t" >/dev/null || die "$t: not installed, run: make deps"; done
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
# "ip" lines for the core switch: the balancers' cables.
web_cables() {
	local name i=12
	for name in $(balancers); do
		net_cable "$name" $i "$name" eth0 "$(mac 10 99 0 $((i - 9)))"
		i=$((i + 1))
	done
}

# Before the machine's own file comes HAProxy's; ours is the one that the appliance writes.
balancer_haproxy() { # DIRECTORY
	mkdir -p "$1/haproxy"
	cat >"$1/haproxy/haproxy.cfg" <<-E
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
	echo '# written by the appliance' >"$1/haproxy/glory.cfg"
	echo 'exec /usr/sbin/haproxy -W -D -S /run/haproxy/master.sock -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/glory.cfg' >"$1/balancer"
}

# A director has keepalived at work with nothing to do; the appliance writes its file.
balancer_director() { # DIRECTORY
	mkdir -p "$1/keepalived"
	echo '! written by GLORY-CL; changes are overwritten' >"$1/keepalived/keepalived.conf"
	echo 'exec /usr/sbin/keepalived -P -f /etc/keepalived/keepalived.conf -p /run/keepalived.pid -r /run/vrrp.pid' >"$1/balancer"
}

balancer_conf() { # NAME
	local d=$LAB_DIR/nodes/$1 address
	address=$(balancer_address "$1")
	mkdir -p "$d/root"
	if [ "$WEB" = haproxy ]; then balancer_haproxy "$d"; else balancer_director "$d"; fi
	echo 'exec /usr/sbin/sshd -f /run/node/sshd_config -E /run/sshd.log </dev/null' >"$d/sshd"
	# of a pair the appliance knows the second one as the first one's peer
	conf_host_certificate "$1" "$address,lb1-peer"
}

balancer_net() { # NAME up|silent
	local address
	if [ "$2" = silent ]; then
		# the link first: a keepalived that sees its addresses go would still hand them over
		ip_ns "$1" <<<$'link set eth0 down\naddr flush dev eth0'
		return
	fi
	{
		echo 'link set lo up'
		echo 'link set eth0 up'
		echo "addr replace $(balancer_address "$1")/16 dev eth0"
		if [ "$WEB" = haproxy ]; then
			for address in $LAB_VIRTUALS; do echo "addr replace $address/32 dev eth0"; done
		else
			echo "route replace ${LAB_OUTSIDE%.*.*}.0.0/16 dev eth0"
		fi
	} | ip_ns "$1"
	[ "$WEB" = haproxy ] || in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
}

# What real servers of a director need: the service's addresses without telling anybody, or the way back through the director. Runs with
# every start of the node, since its interface is then new.
web_node_net() { # NODE
	local address
	case $WEB in
	direct)
		in_ns "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
		for address in $LAB_VIRTUALS; do echo "addr replace $address/32 dev lo"; done | ip_ns "$1"
		;;
	nat) ip_ns "$1" <<<"route replace ${LAB_OUTSIDE%.*.*}.0.0/16 via $LAB_GATEWAY dev eth0" ;;
	esac
}

balancer_boot() { # NAME
	node_init "$1" && return 0
	balancer_net "$1" up || return 1
	detach nsenter --net="$LAB_DIR/ns/$1" unshare --mount --uts --ipc --pid --fork --kill-child "$LAB_HOME/node-init" "$LAB_DIR" "$1" \
		>"$LAB_DIR/nodes/$1/console" 2>&1
	wait_for 5 node_init "$1" || { note "$1: does not boot: $(tail -n 1 "$LAB_DIR/nodes/$1/console")"; return 1; }
}

# Condition: sshd has its port, and HAProxy its own page's (8404 = 20D4).
balancer_listens() { node_init "$1" && sshd_listens "$1" && { [ "$WEB" != haproxy ] || grep -qs ':20D4 ' "/proc/$init_pid/net/tcp"; }; }

web_up() {
	local name
	for name in $(balancers); do
		in_ns "$name" sh -c "$net_quiet 2>/dev/null"
		balancer_conf "$name"
		balancer_boot "$name" || return 1
	done
	# only after the guard, and only for the client of NAT
	[ "$WEB" != nat ] || ip addr replace $LAB_OUTSIDE/32 dev glab0
}

web_wait() {
	local name
	for name in $(balancers); do
		wait_for 10 balancer_listens "$name" || { note "$name: a service of it does not come up: $(last_words "$name" sshd.log)"; return 1; }
	done
}

fault_balancer() { # crash|start NAME
	case " $(balancers) " in *" $2 "*) ;; *) die "$2: no such balancer here, there are: $(balancers)" ;; esac
	lock_node "$2"
	if [ "$1" = crash ]; then
		balancer_net "$2" silent
		node_kill "$2"
		say "$2: operating system gone"
	else
		balancer_boot "$2" && wait_for 10 balancer_listens "$2" || die "$2: does not boot"
		say "$2: operating system runs"
	fi
}

# --- the appliance ------------------------------------------------------------------------------------------
# Elements of cluster.xml. A node is kept in reserve where there are enough.
web_cluster() {
	local max=$((lab_nodes > 3 ? lab_nodes - 2 : lab_nodes)) min=$((lab_nodes > 2 ? 2 : 1)) forwarding=nat
	[ "$WEB" != direct ] || forwarding=direct
	[ "$lab_nodes" != 4 ] || max=3
	echo "  <pool name=\"web\" nodes=\"n[001-$(printf %03d "$lab_nodes")]\" reserve=\"1\"/>"
	echo '  <software name="nginx" package="nginx-light"/>'
	if [ "$WEB" = haproxy ]; then
		cat <<-E
		  <balancer name="lb1" driver="haproxy" address="$LAB_BALANCER" ssh="control"
		            options="socket=/run/haproxy/admin.sock config=/etc/haproxy/glory.cfg main=/etc/haproxy/haproxy.cfg pid=/run/haproxy.pid"/>
		E
	else
		cat <<-E
		  <balancer name="lb1" driver="ipvs" address="$LAB_BALANCER" peer="$LAB_PEER" ssh="control" interface="eth0" router="77"
		            options="advert-ms=$((LAB_SLOWNESS == 1 ? 300 : 1000)) addresses=$LAB_GATEWAY"/>
		E
	fi
	cat <<-E
	  <service name="web" balancer="lb1" virtuals="${LAB_VIRTUALS%% *}:80" pool="web" software="nginx" agent="ocf:heartbeat:nginx"
	           parameters="configfile=/srv/web.conf" forwarding="$forwarding" probe="http /health" probe-timeout-ms="500" min="$min" max="$max" target="60"
	           start-s="10" warm-s="10" drain-s="10"/>
	E
}
