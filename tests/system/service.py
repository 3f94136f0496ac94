#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a web service, nginx on the lab's nodes behind a real HAProxy: it comes up, grows under load, shrinks when the load is gone, heals what
breaks, and a client that fetches without a pause sees as little of it as was promised."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402
from fetcher import Fetcher  # noqa: E402

ADDRESS = "10.99.0.100"
MIN, MAX, START_S = 2, 6, 10
DEAD_S = 3.5    # so long at most may requests still go to a member that died
client = None


def service(a):
    return a.get("/v1/services/web")


def members(a, state="in-service"):
    return sorted(m["node"] for m in a.get("/v1/members?service=web") if not state or m["state"] == state)


def explain(a):
    return "; ".join("%s: %s" % (x["about"], x["text"]) for x in a.get("/v1/services/web/explain"))


def wait_members(a, least, most, seconds, what):
    return wait_until(lambda: "%s: %d to %d members, there are %s; %s" % (what, least, most, members(a), explain(a)), seconds,
                      lambda: (lambda m: m if least <= len(m) <= most and service(a)["state"] == "well" else None)(members(a)), every=0.2)


def fetched(who, mark, seconds=10):
    wait_until(lambda: "all of %s answer, %s do" % (who, client.members_since(mark)), seconds, lambda: set(client.members_since(mark)) >= set(who))


def comes_up(a):
    """it reaches its minimum behind HAProxy, every member answers, each has its line"""
    global client
    who = wait_members(a, MIN, MIN, 90, "comes up")
    client = Fetcher(ADDRESS)
    mark = client.mark()
    fetched(who, mark)
    client.none_failed(mark, "it stood still")
    check(client.members_since(mark) == who, "%s answer, members are %s" % (client.members_since(mark), who))
    code, out = a.tool("gloryctl", "service", "show", "web")
    check(code == 0 and all(w in out for w in who) and "in-service" in out, out)
    row = service(a)
    check(row["wanted"] == MIN and row["in_service"] == MIN, row)


def grows(a):
    """under load for more members it has them within the start time and 120 s, and no request fails"""
    mark = client.mark()
    a.lab("demand", 300)
    who = wait_members(a, 4, MAX, START_S + 120, "grows")
    took = client.mark() - mark
    fetched(who, client.mark())
    client.none_failed(mark, "it grew")
    print("        %d members after %.0f s" % (len(who), took))


def killed_nginx(a):
    """nginx of a member is killed: it leaves at once, is repaired, comes back; failures end within 3.5 s"""
    victim = members(a)[-1]
    mark = client.mark()
    a.lab("nginx-kill", victim)
    wait_until(lambda: "%s is out of the balancer: %s" % (victim, explain(a)), DEAD_S + 2, lambda: balanced(a, victim) == 0)
    wait_until(lambda: "%s serves again: %s" % (victim, explain(a)), 90, lambda: victim in members(a) and balanced(a, victim))
    failed = client.failed_for(mark)
    print("        failures for %.2f s (%d of them)" % (failed, len(client.failed_since(mark))))
    check(failed <= DEAD_S, "requests failed for %.2f s: %s" % (failed, client.failed_since(mark)[-3:]))
    fetched([victim], client.mark())


def balanced(a, node):
    """Its weight as the balancer reads back, 0 for none."""
    for v in a.get("/v1/balancers/lb1"):
        for r in v["reals"]:
            if r["name"] == node:
                return r["weight"]
    return 0


def dies(a, how, back):
    victim = members(a)[0]
    size = len(members(a))
    mark = client.mark()
    a.lab(how, victim)
    wait_until(lambda: "%s is out of the balancer: %s" % (victim, explain(a)), DEAD_S + 3, lambda: balanced(a, victim) == 0)
    wait_until(lambda: "another one has taken its place: %s" % explain(a), 120, lambda: len(set(members(a)) - {victim}) >= size)
    failed = client.failed_for(mark)
    print("        failures for %.2f s (%d of them)" % (failed, len(client.failed_since(mark))))
    check(failed <= DEAD_S, "requests failed for %.2f s: %s" % (failed, client.failed_since(mark)[-3:]))
    a.lab(back, victim)
    wait_until("%s is up" % victim, 60, lambda: a.node(victim)["verdict"] == "up")


def crashed(a):
    """a member's system is gone: it is replaced; requests fail for at most 3.5 s"""
    dies(a, "crash", "start")


def powered_off(a):
    """a member is powered off: the same"""
    dies(a, "off", "on")


def restarted(a):
    """a restart of the service by hand, one after the other: no request fails"""
    def since():
        return {m["node"]: (m["state"], m["since"]) for m in a.get("/v1/members?service=web")}
    wait_members(a, 2, MAX, 120, "before")
    before, mark = since(), client.mark()
    code, out = a.tool("gloryctl", "service", "restart", "web")
    check(code == 0, out)
    wait_until(lambda: "each has been started anew: %s" % explain(a), 300, lambda: service(a)["state"] == "well" and
               all(m[0] == "in-service" and m != before.get(node) for node, m in since().items()), every=0.2)
    client.none_failed(mark, "it was restarted")


def shrinks(a):
    """without the load it goes back to its minimum, drained: no request fails"""
    mark = client.mark()
    a.lab("demand", 0)
    who = wait_members(a, MIN, MIN, 400, "shrinks")
    wait_until(lambda: "nobody else is left: %s" % members(a, ""), 60, lambda: members(a, "") == who)
    client.none_failed(mark, "it shrank")
    print("        %d members after %.0f s" % (len(who), client.mark() - mark))


def pinned(a):
    """a pin wins over the rule, and its end gives the size back"""
    mark = client.mark()
    code, out = a.tool("gloryctl", "service", "pin", "web", "4")
    check(code == 0, out)
    wait_members(a, 4, 4, 90, "pinned")
    code, out = a.tool("gloryctl", "service", "unpin", "web")
    check(code == 0, out)
    wait_until(lambda: "a size of its own: %s" % explain(a), 30, lambda: "pin" not in service(a)["reason"])
    client.none_failed(mark, "it was pinned")


def removed_while_growing(a):
    """the service is deleted while it grows: everything of it ends in order, nothing is left"""
    code, out = a.tool("gloryctl", "service", "pin", "web", "6")
    check(code == 0, out)
    wait_until(lambda: "it grows: %s" % explain(a), 60, lambda: set(members(a, "")) - set(members(a)))
    client.stop()
    code, out = a.tool("gloryctl", "service", "remove", "web", user="admin")
    check(code == 0, out)
    wait_until(lambda: "it is gone: %s" % [m for m in a.get("/v1/members")], 120, lambda: not [m for m in a.get("/v1/members") if m["service"] == "web"])
    wait_until("nothing of it runs on any node", 30, lambda: not running_nginx(a))
    wait_until("the balancer has nothing of it", 30, lambda: not a.get("/v1/balancers/lb1"))
    wait_until(lambda: "no alarm of it is left: %s" % a.alarms(), 30, lambda: not [x for x in a.alarms() if "web" in x["object"]])
    check(all(n["life"] == "ready" for n in a.get("/v1/nodes")), [(n["name"], n["life"]) for n in a.get("/v1/nodes")])


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
    run("service", {"nodes": 8, "groups": 2, "web": True, "settings": '<lab time-scale="0.05"/>'},
        [comes_up, grows, killed_nginx, crashed, powered_off, restarted, shrinks, pinned, removed_while_growing])
