#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside the guest of service_uml.sh: the web service of service.py behind two IPVS directors. The bound of 3.5 s is service.py's: here a connection to a
director alone takes seconds of the one slow processor. What counts here is the order of things: nothing fails where nothing dies, who is dead leaves
both directors, requests come through again, and nothing fails after that."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import Appliance, Failed, check, show, wait_until  # noqa: E402
from webservice import WebService  # noqa: E402

MIN, MAX = 2, 3
VRRP_S = 8.0  # three adverts of a second, a part, the neighbours' tables, and the guest's own lateness
OUT_S, GUEST_S = 15.0, 30.0
QUIET = 200
OUTSIDE = "10.128.0.2"


def ipvs(a, director):
    """What the kernel of a director has: {address of a real server: weight}."""
    out = subprocess.run(["nsenter", "--net=" + os.path.join(a.lab_dir, "ns", director), "ipvsadm", "-Sn"], capture_output=True, text=True).stdout
    return {w[w.index("-r") + 1]: int(w[w.index("-w") + 1]) for w in (line.split() for line in out.splitlines()) if w[:1] == ["-a"]}


def comes_up(a, w):
    """it reaches its minimum, both directors have the same table, every member answers"""
    who = w.wait_members(MIN, MIN, 90, "comes up")
    wait_until(lambda: "both directors have the members: %s, %s" % (ipvs(a, "lb1"), ipvs(a, "lb2")), 30,
               lambda: len(ipvs(a, "lb1")) == MIN and ipvs(a, "lb1") == ipvs(a, "lb2"))
    w.start_client()
    w.fetched(who, w.client.mark(), 30)
    mark = w.client.mark()
    w.fetched(who, mark, 30)
    w.client.none_failed(mark, "it stood still")


def grows(a, w):
    """under load it has another member, and no request fails"""
    mark = w.client.mark()
    a.lab("demand", 200)
    who = w.wait_members(MAX, MAX, 130, "grows")
    print("        %d members after %.0f s" % (len(who), w.client.mark() - mark))
    w.fetched(who, w.client.mark(), 30)
    w.client.none_failed(mark, "it grew")


def fails_over(a, w):
    """the director that is master is gone: the other one has the addresses, members and connections' ways at once; it comes back in step"""
    master = next(d for d in ("lb1", "lb2") if has_address(a, d))
    other = {"lb1": "lb2", "lb2": "lb1"}[master]
    mark = w.client.mark()
    a.lab("balancer-crash", master)
    wait_until("%s has the addresses" % other, 10, lambda: has_address(a, other))
    w.fetched(w.members(), w.client.mark(), 30)
    failed = w.client.failed_for(mark)
    print("        %s > %s: %d requests failed, the last after %.2f s" % (master, other, len(w.client.failed_since(mark)), failed))
    check(failed <= VRRP_S, "requests failed for %.2f s: %s" % (failed, w.client.failed_since(mark)[-3:]))
    a.lab("balancer-start", master)
    wait_until(lambda: "%s has the members again: %s" % (master, ipvs(a, master)), 60, lambda: ipvs(a, master) == ipvs(a, other) and len(ipvs(a, master)) >= MIN)
    wait_until(lambda: "both are in step: %s" % a.get("/v1/balancers"), 60, lambda: a.get("/v1/balancers")[0]["state"] == "in-step")


def has_address(a, director):
    out = subprocess.run(["nsenter", "--net=" + os.path.join(a.lab_dir, "ns", director), "ip", "-br", "addr", "show", "eth0"], capture_output=True, text=True)
    return " 10.99.0.100/" in out.stdout


def leaves(a, victim, mark):
    """Waits until neither director gives it anything; when that was, in seconds after mark."""
    address = a.node(victim)["address"].partition(":")[0] + ":80"
    wait_until(lambda: "%s is out of both directors: %s, %s" % (address, ipvs(a, "lb1"), ipvs(a, "lb2")), OUT_S,
               lambda: not ipvs(a, "lb1").get(address) and not ipvs(a, "lb2").get(address))
    left = time.monotonic() - mark
    check(left <= OUT_S, "it was out after %.1f s only" % left)
    return left


def told(w, mark, left):
    print("        out of both directors after %.1f s; %d requests failed, the last after %.2f s" %
          (left, len(w.client.failed_since(mark)), w.client.failed_for(mark)), flush=True)


def quiet(w, what):
    """For so many requests from now on none fails."""
    mark, count = w.client.mark(), w.client.count
    wait_until("%d requests more" % QUIET, 30, lambda: w.client.count >= count + QUIET)
    w.client.none_failed(mark, what)


def killed_nginx(a, w):
    """nginx of a member is killed: it leaves, is repaired, comes back"""
    victim = w.members()[-1]
    mark = w.client.mark()
    a.lab("nginx-kill", victim)
    left = leaves(a, victim, mark)
    w.until("%s serves again" % victim, 90, lambda: victim in w.members() and w.balanced(victim))
    told(w, mark, left)
    check(w.client.failed_for(mark) <= GUEST_S, "requests failed for %.2f s" % w.client.failed_for(mark))
    quiet(w, "it had been repaired")


def crashed(a, w):
    """a member's system is gone: it is replaced"""
    victim, size, mark = w.members()[0], len(w.members()), w.client.mark()
    a.lab("crash", victim)
    left = leaves(a, victim, mark)
    w.replaced(victim, size)
    told(w, mark, left)
    quiet(w, "it had been replaced")
    if a.node(victim)["verdict"] != "up":
        a.lab("start", victim)
    wait_until("%s is up" % victim, 60, lambda: a.node(victim)["verdict"] == "up")


def shrinks(a, w):
    """without the load it goes back to its minimum, drained: no request fails"""
    mark = w.client.mark()
    a.lab("demand", 0)
    who = w.wait_members(MIN, MIN, 100, "shrinks")
    print("        %d members after %.0f s" % (len(who), w.client.mark() - mark))
    wait_until(lambda: "nobody else is left: %s" % w.members(""), 60, lambda: w.members("") == who)
    w.client.none_failed(mark, "it shrank")


def last_words(a):
    """The guest's files are gone with it."""
    with open(a.log_path, errors="replace") as f:
        told = [line for line in f if not line.startswith(("api:", "agent:", "recorder:"))]
    print("".join("        " + line for line in told[-70:]), flush=True)


def main():
    mode = sys.argv[1] if sys.argv[1:] else "direct"
    failed, begun = 0, time.monotonic()
    a = Appliance(nodes=4, groups=1, lvs=mode, settings='<lab time-scale="0.02"/>', work="/run/service")
    try:
        a.start()
        a.wait_all_up(60)
        print("        appliance, four nodes and two directors are up after %.0f s" % (time.monotonic() - begun), flush=True)
        w = WebService(a, source=OUTSIDE if mode == "nat" else None)
        scenes = (comes_up, grows, fails_over, killed_nginx, crashed, shrinks)
        for test in scenes[:4] if sys.argv[2:] == ["short"] else scenes:
            start = time.monotonic()
            try:
                test(a, w)
                print("ok      %-14s %5.1f s  %s" % (test.__name__, time.monotonic() - start, test.__doc__), flush=True)
            except (Failed, OSError, KeyError, ValueError, subprocess.SubprocessError) as problem:
                failed += 1
                print("FAILED  %-14s %5.1f s  %s: %s" % (test.__name__, time.monotonic() - start, type(problem).__name__, problem), flush=True)
                show(a)
                last_words(a)
                break
    except Failed as problem:
        failed += 1
        print("FAILED  %s" % problem, flush=True)
        last_words(a)
    finally:
        a.close()
    print("service by %s: %d failed, %.0f s" % (mode, failed, time.monotonic() - begun))
    sys.exit(1 if failed else 0)


main()
