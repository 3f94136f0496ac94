#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside the guest of service_uml.sh: the web service of service.py behind two IPVS directors, with the same bounds: the guest's clock is its own
(tests/lab/uml/clock.c), and how late it ran a thread is added to them and told. service_uml.py MODE [SCENE...]"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import Appliance, Failed, check, show, wait_until  # noqa: E402
from directors import Directors  # noqa: E402
from webservice import DEAD_S, WebService  # noqa: E402

MIN, MAX = 2, 3
VRRP_S = 4.5  # three adverts of a second, a part, and the neighbours' tables
START_S = 10
QUIET = 200
OUTSIDE = "10.128.0.2"


def comes_up(a, w):
    """it reaches its minimum, both directors have the same table, every member answers"""
    who = w.wait_members(MIN, MIN, 90, "comes up")
    wait_until(lambda: "both directors have the members: %s" % w.directors.tables(), 30,
               lambda: (lambda one, two: len(one or {}) == MIN and one == two)(*w.directors.tables()))
    w.start_client()
    mark = w.client.mark()
    w.fetched(who, mark, 30)
    w.client.none_failed(mark, "it stood still")


def grows(a, w):
    """under load it has another member within the start time and 120 s, and no request fails"""
    mark = w.client.mark()
    a.lab("demand", 200)
    who = w.wait_members(MAX, MAX, START_S + 120, "grows")
    took = w.client.mark() - mark
    print("        %d members after %.0f s" % (len(who), took))
    check(took <= START_S + 120 + w.directors.lateness(mark), "it took %.1f s" % took)
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
    check(failed <= VRRP_S + w.directors.lateness(mark), "requests failed for %.2f s: %s" % (failed, w.client.failed_since(mark)[-3:]))
    a.lab("balancer-start", master)
    wait_until(lambda: "both have the members again: %s" % w.directors.tables(), 60,
               lambda: (lambda one, two: len(one or {}) >= MIN and one == two)(*w.directors.tables()))
    wait_until(lambda: "both are in step: %s" % a.get("/v1/balancers"), 60, lambda: a.get("/v1/balancers")[0]["state"] == "in-step")
    quiet(w, "it had come back")


def has_address(a, director):
    out = subprocess.run(["nsenter", "--net=" + os.path.join(a.lab_dir, "ns", director), "ip", "-br", "addr", "show", "eth0"], capture_output=True, text=True)
    return " 10.99.0.100/" in out.stdout


def leaves(a, w, victim, mark):
    """Waits until neither director gives it anything, which must be within the bound."""
    address = a.node(victim)["address"].partition(":")[0] + ":80"
    left = wait_until(lambda: "%s is out of both directors: %s" % (address, w.directors.tables()), 30, lambda: w.directors.out_since(mark, address))
    check(left <= DEAD_S + w.directors.lateness(mark), "it was out after %.2f s only" % left)
    return left


def told(w, mark, left):
    """What the client met since a member died at mark."""
    failed, late = w.client.failed_since(mark), w.directors.lateness(mark)
    print("        out of both directors after %.2f s; %d requests failed, the last after %.2f s; the guest was %.2f s late" %
          (left, len(failed), w.client.failed_for(mark), late), flush=True)
    check(w.client.failed_for(mark) <= DEAD_S + late, "requests failed for %.2f s: %s" %
          (w.client.failed_for(mark), [(round(b - mark, 2), round(t, 2), p) for b, t, p in failed[-3:]]))


def quiet(w, what):
    """For so many requests from now on none fails."""
    mark, count = w.client.mark(), w.client.count
    wait_until("%d requests more" % QUIET, 30, lambda: w.client.count >= count + QUIET)
    w.client.none_failed(mark, what)


def killed_nginx(a, w):
    """nginx of a member is killed: it leaves within 3.5 s, is repaired, comes back"""
    victim = w.members()[-1]
    mark = w.client.mark()
    a.lab("nginx-kill", victim)
    left = leaves(a, w, victim, mark)
    w.until("%s serves again" % victim, 90, lambda: victim in w.members() and w.balanced(victim))
    told(w, mark, left)
    quiet(w, "it had been repaired")


def dies(a, w, how, back):
    victim, size, mark = w.members()[0], len(w.members()), w.client.mark()
    a.lab(how, victim)
    left = leaves(a, w, victim, mark)
    w.replaced(victim, size)
    if a.node(victim)["verdict"] != "up":  # or the appliance has been quicker
        a.lab(back, victim)
    wait_until("%s is up" % victim, 60, lambda: a.node(victim)["verdict"] == "up")
    quiet(w, "it had been replaced")
    told(w, mark, left)


def crashed(a, w):
    """a member's system is gone: it is out within 3.5 s, no request fails later, it is replaced"""
    dies(a, w, "crash", "start")


def powered_off(a, w):
    """a member is powered off: the same"""
    dies(a, w, "off", "on")


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


SCENES = (comes_up, grows, fails_over, killed_nginx, crashed, powered_off, shrinks)


def witnesses(w, mark):
    """The weights of both directors and the client's failures, with their times."""
    print("".join("        %s\n" % line for line in w.directors.told(mark)))
    if w.client:
        print("".join("        %7.2f failed after %.2f s: %s\n" % (b - mark, t, p) for b, t, p in w.client.failed_since(mark)[:40]), flush=True)


def main():
    mode = sys.argv[1] if sys.argv[1:] else "direct"
    failed, begun = 0, time.monotonic()
    a = Appliance(nodes=4, groups=1, lvs=mode, settings='<lab time-scale="0.02"/>', work="/run/service")
    try:
        a.start()
        a.wait_all_up(60)
        print("        appliance, four nodes and two directors are up after %.0f s" % (time.monotonic() - begun), flush=True)
        w = WebService(a, source=OUTSIDE if mode == "nat" else None)
        w.directors = Directors(a.lab_dir)
        for test in [s for s in SCENES if s.__name__ in sys.argv[2:]] or SCENES:
            start = time.monotonic()
            try:
                test(a, w)
                print("ok      %-14s %5.1f s  %s" % (test.__name__, time.monotonic() - start, test.__doc__), flush=True)
            except (Failed, OSError, KeyError, ValueError, subprocess.SubprocessError) as problem:
                failed += 1
                print("FAILED  %-14s %5.1f s  %s: %s" % (test.__name__, time.monotonic() - start, type(problem).__name__, problem), flush=True)
                witnesses(w, start)
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
