#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a web service, nginx on the lab's nodes behind a real HAProxy: it comes up, grows under load, shrinks when the load is gone, heals what
breaks, and a client that fetches without a pause sees as little of it as was promised."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402
from webservice import DEAD_S, WebService  # noqa: E402

MIN, MAX, START_S = 2, 6, 10
w = None


def comes_up(a):
    """it reaches its minimum behind HAProxy, every member answers, each has its line"""
    global w
    w = WebService(a)
    who = w.wait_members(MIN, MIN, 90, "comes up")
    w.start_client()
    mark = w.client.mark()
    w.fetched(who, mark)
    w.client.none_failed(mark, "it stood still")
    check(w.client.members_since(mark) == who, "%s answer, members are %s" % (w.client.members_since(mark), who))
    out = w.tool("service", "show", "web")
    check(all(m in out for m in who) and "in-service" in out, out)
    row = w.row()
    check(row["wanted"] == MIN and row["in_service"] == MIN, row)


def grows(a):
    """under load for more members it has them within the start time and 120 s, and no request fails"""
    mark = w.client.mark()
    a.lab("demand", 300)
    who = w.wait_members(4, MAX, START_S + 120, "grows")
    print("        %d members after %.0f s" % (len(who), w.client.mark() - mark))
    w.fetched(who, w.client.mark())
    w.client.none_failed(mark, "it grew")


def killed_nginx(a):
    """nginx of a member is killed: it leaves at once, is repaired, comes back; failures end within 3.5 s"""
    w.tool("service", "pin", "web", str(w.row()["wanted"]))  # else the end of an emergency may take it away first
    victim = w.members()[-1]
    mark = w.client.mark()
    a.lab("nginx-kill", victim)
    left = w.leaves(victim, DEAD_S + 2)
    w.until("%s serves again" % victim, 90, lambda: victim in w.members() and w.balanced(victim))
    w.failures(mark, left)
    w.fetched([victim], w.client.mark())
    w.tool("service", "unpin", "web")


def crashed(a):
    """a member's system is gone: it is replaced; requests fail for at most 3.5 s"""
    w.dies("crash", "start")


def powered_off(a):
    """a member is powered off: the same"""
    w.dies("off", "on")


def restarted(a):
    """a restart of the service by hand, one after the other: no request fails"""
    w.wait_members(2, MAX, 120, "before")
    mark = w.client.mark()
    w.tool("service", "restart", "web")
    w.until("somebody moves", 60, w.moving)
    w.until("all serve again", 300, lambda: w.row()["state"] == "well" and not w.moving())
    w.client.none_failed(mark, "it was restarted")


def balancer_crashed(a):
    """the balancer's machine is gone and comes back with nothing: that is told, and it has all of the service again"""
    a.lab("balancer-crash", "lb1")
    wait_until(lambda: "lb1 is unreachable: %s" % a.get("/v1/balancers"), 60, lambda: a.get("/v1/balancers")[0]["state"] == "unreachable")
    wait_until(lambda: "it is an alarm: %s" % a.alarms(), 30, lambda: [x for x in a.alarms() if x["object"] == "lb1"])
    a.lab("balancer-start", "lb1")
    wait_until(lambda: "lb1 is in step: %s" % a.get("/v1/balancers"), 60, lambda: a.get("/v1/balancers")[0]["state"] == "in-step")
    mark = w.client.mark()
    w.fetched(w.members(), mark, 30)
    mark = w.client.mark()
    w.fetched(w.members(), mark)
    w.client.none_failed(mark, "the balancer was there again")
    wait_until(lambda: "no alarm is left: %s" % a.alarms(), 30, lambda: not [x for x in a.alarms() if x["object"] == "lb1"])


def shrinks(a):
    """without the load it goes back to its minimum, drained: no request fails"""
    mark = w.client.mark()
    a.lab("demand", 0)
    who = w.wait_members(MIN, MIN, 400, "shrinks")
    print("        %d members after %.0f s" % (len(who), w.client.mark() - mark))
    wait_until(lambda: "nobody else is left: %s" % w.members(""), 60, lambda: w.members("") == who)
    w.client.none_failed(mark, "it shrank")


def pinned(a):
    """a pin wins over the rule, and its end gives the size back"""
    mark = w.client.mark()
    w.tool("service", "pin", "web", "4")
    w.wait_members(4, 4, 90, "pinned")
    w.tool("service", "unpin", "web")
    w.until("a size of its own", 30, lambda: "pin" not in w.row()["reason"])
    w.client.none_failed(mark, "it was pinned")


def removed_while_growing(a):
    """the service is deleted while it grows: everything of it ends in order, nothing is left"""
    w.tool("service", "pin", "web", str(MAX))
    w.until("it grows", 60, lambda: set(w.members("")) - set(w.members()))
    w.client.stop()
    w.tool("service", "remove", "web", user="admin")
    wait_until(lambda: "it is gone: %s" % a.get("/v1/members"), 120, lambda: not [m for m in a.get("/v1/members") if m["service"] == "web"])
    wait_until(lambda: "nothing of it runs on any node: %s" % running_nginx(a), 30, lambda: not running_nginx(a))
    wait_until("the balancer has nothing of it", 60, lambda: not a.get("/v1/balancers/lb1"))
    wait_until(lambda: "no alarm of it is left: %s" % a.alarms(), 30, lambda: not [x for x in a.alarms() if "web" in x["object"]])
    wait_until(lambda: "every node is free: %s" % [(n["name"], n["life"]) for n in a.get("/v1/nodes")], 5,
               lambda: all(n["life"] == "ready" for n in a.get("/v1/nodes")))


def running_nginx(a):
    """Nodes whose own view of processes has an nginx."""
    found = []
    for i in range(a.count):
        node = "n%03d" % (i + 1)
        try:
            with open(os.path.join(a.lab_dir, "nodes", node, "pid")) as f:
                pid = f.read().strip()
            with open("/proc/%s/root/run/nginx.pid" % pid) as f:
                inner = f.read().strip()
            if os.path.isdir("/proc/%s/root/proc/%s" % (pid, inner)):
                found.append(node)
        except OSError:
            continue
    return found


if __name__ == "__main__":
    run("service", {"nodes": 8, "groups": 2, "web": True, "settings": '<lab time-scale="0.02"/>'},
        [comes_up, grows, killed_nginx, crashed, powered_off, restarted, balancer_crashed, shrinks, pinned, removed_while_growing])
