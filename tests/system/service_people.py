#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do to a service and around it while it runs: maintenance, another pool, stop and start, another configuration, a policy, a second
service beside it, a hand at the balancer, a balancer that is gone. Each time the service keeps serving and ends as it is wanted."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402


def members(a, service="web", state=None):
    return sorted(m["node"] for m in a.get("/v1/members?service=" + service) if state is None or m["state"] == state)


def explain(a, service="web"):
    return "; ".join("%s: %s" % (x["about"], x["text"]) for x in a.get("/v1/services/%s/explain" % service))


def balancer(a):
    return next(b for b in a.get("/v1/balancers") if b["name"] == "lb1")


def weights(a, service="web"):
    return {r["name"]: r["weight"] for v in a.get("/v1/balancers/lb1") if v["virtual"] == service for r in v["reals"]}


def set_fields(a, verb, target, fields):
    status, answer = a.command(verb, target, fields)
    check(status == 200, "%s %s %s: %s" % (verb, target, fields, answer))


def serves(a, count, service="web", seconds=90):
    """So many members, all in service and behind the balancer, nobody else."""
    def well():
        who = members(a, service)
        return who if len(who) == count and members(a, service, "in-service") == who and sorted(n for n, w in weights(a, service).items() if w) == who else None
    return wait_until(lambda: "%d members of %s serve: %s; balancer %s" % (count, service, explain(a, service), weights(a, service)), seconds, well, every=0.2)


def maintenance(a):
    """a node goes into maintenance: another one serves before it drains; afterwards it is free again"""
    who = serves(a, 2)
    set_fields(a, "node-set", who[0], {"maintenance": True})
    least = [2]

    def left():
        least[0] = min(least[0], len([w for w in weights(a).values() if w]))
        return who[0] not in members(a) and len(members(a, state="in-service")) == 2
    wait_until(lambda: "%s has left: %s" % (who[0], explain(a)), 90, left)
    check(least[0] >= 2, "there were only %d members behind the balancer meanwhile" % least[0])
    wait_until("%s is free" % who[0], 5, lambda: a.node(who[0])["life"] == "ready")
    set_fields(a, "node-set", who[0], {"maintenance": False})


def another_pool(a):
    """a node's role changes while the site runs: it leaves one pool's service and joins the other's"""
    who = serves(a, 2)
    others = [n for n in ("n%03d" % (i + 1) for i in range(a.count)) if n not in who]
    moved, rest = [who[0], others[0]], [who[1]] + others[1:]
    set_fields(a, "pool-set", "web", {"nodes": ",".join(rest)})
    set_fields(a, "pool-add", "other", {"nodes": ",".join(moved)})
    set_fields(a, "service-add", "other", {"balancer": "lb1", "virtuals": "10.99.0.101:8081>80", "pool": "other", "software": "nginx", "min": 1, "max": 1,
                                           "agent": "ocf:heartbeat:nginx", "parameters": "configfile=/srv/web.conf", "probe": "http /health",
                                           "start_s": 10, "warm_s": 2, "drain_s": 3})
    serves(a, 2)
    check(who[0] not in members(a), "%s is still a member of web" % who[0])
    check(set(serves(a, 1, "other")) <= set(moved), "%s carries the other service" % members(a, "other"))
    set_fields(a, "service-remove", "other", {})
    wait_until(lambda: "the other one is gone: %s" % a.get("/v1/services"), 60, lambda: [s["name"] for s in a.get("/v1/services")] == ["web"])
    set_fields(a, "pool-remove", "other", {})
    set_fields(a, "pool-set", "web", {"nodes": "n[001-%03d]" % a.count})
    serves(a, 2)


def role_changes(a):
    """a node goes from one pool to another as one job, the engine killed at each step of it; what must not be is refused"""
    who = serves(a, 2)
    others = [n for n in ("n%03d" % (i + 1) for i in range(a.count)) if n not in who]
    set_fields(a, "pool-set", "web", {"nodes": ",".join(who + others[:2])})
    set_fields(a, "pool-add", "db", {"nodes": others[2]})
    for node, pool, said in ((who[0], "none_such", "no such pool"), (who[0], "web", "is in pool web already"), (others[2], "web", "0 of its 1 nodes would be left")):
        code, out = a.tool("gloryctl", "node", "role", node, "--pool", pool)
        check(code == 1 and said in out, (node, pool, out))
    code, out = a.tool("gloryctl", "node", "role", ",".join(who), "--pool", "db")
    check(code == 1 and "--yes" in out, out)
    code, out = a.tool("gloryctl", "node", "role", ",".join(who + others[:1]), "--pool", "db", "--yes")
    check(code == 1 and "its services need" in out, out)
    status, answer = a.command("node-role", who[0], {"pool": "db"})
    check(status == 200, answer)
    again = a.command("node-role", who[0], {"pool": "db"})[1]
    check(again == answer, "the same again: %s" % again)
    seen = set()

    def killed():
        job = a.job(answer["job"])
        step = (job["result"] or "").split(":")[0]
        if step in ("drain", "leave", "reconfigure", "join") and step not in seen and not job["ended"]:
            seen.add(step)
            face = a.pid("api")
            a.wait_back("engine", a.kill("engine"), 20)
            a.wait_back("api", face, 20)
            wait_until("it answers", 20, a.answers)
        return job if job["ended"] else None
    job = wait_until(lambda: "the role is changed: %s" % a.job(answer["job"]), 180, killed)
    check(job["state"] == "done" and "is in pool db now" in job["result"], job)
    check("drain" in seen, seen)
    print("        killed at: %s" % ", ".join(sorted(seen)))
    pools = {p["name"]: p["scope"] for p in a.get("/v1/pools")}
    check({p["name"]: p["nodes"] for p in a.get("/v1/pools")} == {"web": 3, "db": 2}, pools)
    check(who[0] not in serves(a, 2), "%s is still a member" % who[0])
    code, out = a.tool("gloryctl", "node", "role", who[0], "--pool", "web", timeout=120)
    check(code == 0 and "done: " + who[0] in out, out)
    set_fields(a, "pool-remove", "db", {})
    set_fields(a, "pool-set", "web", {"nodes": "n[001-%03d]" % a.count})
    serves(a, 2)


def two_services(a):
    """two services out of one pool share one balancer; one that wants more than there is says so and leaves the other alone"""
    set_fields(a, "service-add", "shop", {"balancer": "lb1", "virtuals": "10.99.0.102:80", "pool": "web", "software": "nginx", "min": 2, "max": 4,
                                          "agent": "ocf:heartbeat:nginx", "parameters": "configfile=/srv/web.conf", "probe": "http /health",
                                          "start_s": 10, "warm_s": 2, "drain_s": 3, "pin": 2})
    shop, web = serves(a, 2, "shop"), serves(a, 2)
    check(not set(shop) & set(web), "nodes that carry both: %s %s" % (shop, web))
    set_fields(a, "service-set", "shop", {"pin": 4})
    wait_until(lambda: "the pool is short: %s" % a.get("/v1/pools"), 30, lambda: a.get("/v1/pools")[0]["wanted_more"] > 0)
    check(members(a, state="in-service") == web, "web has lost members: %s" % explain(a))
    set_fields(a, "service-remove", "shop", {})
    wait_until(lambda: "shop is gone: %s" % a.get("/v1/services"), 60, lambda: [s["name"] for s in a.get("/v1/services")] == ["web"])
    check(serves(a, 2) == web, "web has other members")


def stopped_and_started(a):
    """stopped by a person it drains and gives its nodes back, over a restart of the engine too; started it comes up again"""
    serves(a, 2)
    code, out = a.tool("gloryctl", "service", "stop", "web")
    check(code == 0, out)
    wait_until(lambda: "nobody is left: %s" % explain(a), 60, lambda: not members(a) and a.get("/v1/services")[0]["state"] == "stopped")
    wait_until("the nodes are free", 5, lambda: all(n["life"] == "ready" for n in a.get("/v1/nodes")))
    face = a.pid("api")
    a.wait_back("engine", a.kill("engine"), 20)
    a.wait_back("api", face, 20)
    check(not members(a), "it came up by itself")
    code, out = a.tool("gloryctl", "service", "start", "web")
    check(code == 0, out)
    serves(a, 2)


def other_parameters(a):
    """another configuration of what runs: its members are started anew one by one, the balancer never has fewer than one"""
    who = serves(a, 2)
    before = {m["node"]: m["since"] for m in a.get("/v1/members?service=web")}
    set_fields(a, "service-set", "web", {"parameters": "configfile=/srv/web.conf port=80"})
    fewest = [2]

    def anew():
        fewest[0] = min(fewest[0], len([w for w in weights(a).values() if w]))
        now = {m["node"]: (m["since"], m["state"]) for m in a.get("/v1/members?service=web")}
        return sorted(now) == who and all(v[1] == "in-service" and v[0] != before[n] for n, v in now.items())
    wait_until(lambda: "each has been started anew: %s" % explain(a), 120, anew)
    check(fewest[0] >= 1, "the balancer had nobody")


def at_balancer(a, script):
    """A person's shell on lb1."""
    with open(os.path.join(a.lab_dir, "nodes", "lb1", "pid")) as f:
        code, out = a.tool("nsenter", "-t", f.read().strip(), "--all", "sh", "-c", script)
    check(code == 0, out)
    return out


def by_hand(a):
    """a hand at the balancer: found by the next look, set right, counted"""
    who = serves(a, 2)
    wait_until(lambda: "the weights have grown: %s" % weights(a), 90, lambda: min(weights(a).values()) >= 100, every=0.2)
    before = balancer(a)["repairs"]
    at_balancer(a, "for b in $(echo show stat | socat - /run/haproxy/admin.sock | awk -F, '$2 ~ /^[^FB]/ && $1 !~ /^#/ {print $1 \"/\" $2; exit}'); do "
                   "echo \"set server $b weight 1\" | socat - /run/haproxy/admin.sock; done")
    wait_until(lambda: "it is counted: %s" % balancer(a), 40, lambda: balancer(a)["repairs"] > before)
    check(serves(a, 2) == who, "other members")


def by_hand_meanwhile(a):
    """a hand at the balancer just before a picture of our own: one run brings both, and the hand alone is counted"""
    who = serves(a, 2)
    wait_until(lambda: "the weights have grown: %s" % weights(a), 90, lambda: min(weights(a).values()) >= 100, every=0.2)
    before, read = balancer(a)["repairs"], balancer(a)["read"]
    wait_until("it is read back, and not again for 10 s", 20, lambda: balancer(a)["read"] != read)
    at_balancer(a, "echo 'set server glory-web/%s weight 1' | socat - /run/haproxy/admin.sock" % who[0])
    a.lab("nginx-kill", who[1])
    wait_until(lambda: "%s is out: %s" % (who[1], weights(a)), 8, lambda: not weights(a).get(who[1]))
    wait_until(lambda: "the hand is set right and counted: %s %s" % (weights(a), balancer(a)), 5,
               lambda: weights(a)[who[0]] >= 100 and balancer(a)["repairs"] == before + 1)
    serves(a, 2)
    check(balancer(a)["repairs"] == before + 1, "our own changes are counted, too: %s" % balancer(a))


def balancer_gone(a):
    """the balancer's machine is gone: one alarm; it comes back empty and gets everything again"""
    serves(a, 2)
    a.lab("balancer-crash", "lb1")
    wait_until(lambda: "one alarm of it: %s" % a.alarms(), 60, lambda: [x["object"] for x in a.alarms() if x["kind"] == "balancer"] == ["lb1"])
    check(balancer(a)["state"] in ("unreachable", "refused"), balancer(a))
    a.lab("balancer-start", "lb1")
    wait_until(lambda: "it is in step again: %s" % balancer(a), 90, lambda: balancer(a)["state"] == "in-step")
    serves(a, 2)


def balancer_forgotten(a):
    """a balancer that does not answer is not removed without a word; with it it is forgotten, its alarm too"""
    set_fields(a, "balancer-add", "lb9", {"driver": "haproxy", "address": "10.99.0.9", "ssh": "control", "options": "socket=/run/haproxy/admin.sock"})
    set_fields(a, "pool-set", "web", {"nodes": "n[001-%03d]" % (a.count - 1)})
    set_fields(a, "pool-add", "far", {"nodes": "n%03d" % a.count})
    wait_until(lambda: "an alarm of it: %s" % a.alarms(), 60, lambda: "lb9" in [x["object"] for x in a.alarms() if x["kind"] == "balancer"])
    code, out = a.tool("gloryctl", "balancer", "remove", "lb9")
    check(code == 0, "nothing was ever set there: %s" % out)
    wait_until(lambda: "it is gone: %s" % a.alarms(), 20, lambda: "lb9" not in [x["object"] for x in a.alarms()])
    set_fields(a, "pool-remove", "far", {})
    set_fields(a, "pool-set", "web", {"nodes": "n[001-%03d]" % a.count})
    # one that has carried something
    serves(a, 2)
    a.lab("balancer-crash", "lb1")
    wait_until(lambda: "one alarm of it: %s" % a.alarms(), 60, lambda: [x["object"] for x in a.alarms() if x["kind"] == "balancer"] == ["lb1"])
    code, out = a.tool("gloryctl", "balancer", "remove", "lb1")
    check(code == 1 and "does not answer" in out and "--yes" in out, out)
    set_fields(a, "service-remove", "web", {})
    wait_until(lambda: "web goes: %s" % a.get("/v1/services"), 120, lambda: not a.get("/v1/services"))
    code, out = a.tool("gloryctl", "balancer", "remove", "lb1")
    check(code == 1 and "does not answer" in out, out)
    code, out = a.tool("gloryctl", "balancer", "remove", "lb1", "--yes")
    check(code == 0 and "forgotten" in out, out)
    check(not a.get("/v1/balancers") and not [x for x in a.alarms() if x["kind"] == "balancer"], (a.get("/v1/balancers"), a.alarms()))
    code, out = a.tool("gloryctl", "balancer", "remove", "lb1", "--yes")
    check(code == 1 and "no such balancer" in out, out)


def both_directors(a):
    """of a pair both directors are shown, also when they do not answer"""
    set_fields(a, "balancer-add", "pair", {"driver": "ipvs", "address": "10.99.0.8", "peer": "10.99.0.9", "interface": "eth0", "ssh": "control"})

    def shown():
        rows = a.get("/v1/balancers/pair")
        return rows if len(rows) == 2 and all(r["state"] in ("unreachable", "refused") and r["cause"] for r in rows) else None
    rows = wait_until(lambda: "both are there: %s" % a.get("/v1/balancers/pair"), 60, shown)
    check([r["director"].split(":")[0] for r in rows] == ["10.99.0.8", "10.99.0.9"], rows)
    code, out = a.tool("gloryctl", "balancer", "show", "pair")
    check(code == 0 and len(re.findall("^director 10.99.0.[89].*: un", out, re.M)) == 2, out)
    code, out = a.tool("gloryctl", "balancer", "remove", "pair")
    check(code == 0, out)
    code, out = a.tool("gloryctl", "balancer", "show", "lb1")
    check(code == 0 and "director " not in out, out)


def service_as_scope(a):
    """software by the nodes that carry a service now"""
    who = serves(a, 2)
    code, out = a.tool("gloryctl", "software", "install", "@service/web", "nginx", "--yes", timeout=120)
    check(code == 0, out)
    newest = a.job(max(j["id"] for j in a.get("/v1/jobs")))
    check(newest["verb"] == "software-install" and sorted(s["node"] for s in newest["steps"]) == who, newest)
    code, out = a.tool("gloryctl", "software", "status", "@service/web", "nginx", "--json")
    check(code == 0 and sorted(set(re.findall(r'"node": ?"(n\d+)"', out))) == who, out)
    for target, said in (("@service/none_such", "no such service"), ("@pool/none_such", "no such pool")):
        for words in (("install", target, "nginx", "--yes"), ("status", target)):
            code, out = a.tool("gloryctl", "software", *words)
            check(code == 1 and said in out, (words, out))
    serves(a, 2)


def told_only(a):
    """with the policy tell a dead member leaves the balancer, and nobody is put in its place"""
    set_fields(a, "service-set", "web", {"policy": "tell"})
    who = serves(a, 2)
    a.lab("crash", who[0])
    wait_until(lambda: "%s is out: %s" % (who[0], explain(a)), 15, lambda: weights(a).get(who[0]) == 0)
    wait_until("it is confirmed", 20, lambda: a.verdict(who[0])[1] == "confirmed")
    check(members(a) == who, "members are others: %s" % explain(a))
    a.lab("start", who[0])
    set_fields(a, "service-set", "web", {"policy": "repair"})
    serves(a, 2, seconds=150)


def prepare(a):
    path = os.path.join(a.work, "etc", "cluster.xml")
    with open(path) as f:
        xml = f.read()
    xml = re.sub(r'warm-s="\d+"', 'warm-s="2"', xml)
    xml = re.sub(r'drain-s="\d+"', 'drain-s="3" pin="2"', xml)
    with open(path, "w") as f:
        f.write(xml)


if __name__ == "__main__":
    run("service_people", {"nodes": 5, "groups": 2, "web": True},
        [maintenance, another_pool, role_changes, two_services, stopped_and_started, other_parameters, by_hand, by_hand_meanwhile, both_directors, service_as_scope, balancer_gone, told_only, balancer_forgotten],
        prepare)
