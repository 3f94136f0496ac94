#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that want many machines, lossy paths or BMCs that misbehave, on the swarm (specification's L8, L11, L17, L19 to L22, L25, L29,
L30), side by side on different nodes and groups."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402
from swarm import SwarmAppliance  # noqa: E402
from watcher import Watcher, together  # noqa: E402

# numbers of machines: a group of 8 in two racks, one of 3, three of 8 on lossy paths, one for single faults, one of 250
EIGHT, THREE, LOSSY, SINGLE, MANY = 0, 8, (11, 19, 27), 35, 60
REF = {"eight": 400, "three": 401, "lossy": 402, "single": 405, "many": 406}
LOSS = (0.01, 0.05, 0.2)
CALLED = (3.3, 3.5, 5.5)
LONG = os.environ.get("GLORY_LONG") == "1"


def name(i):
    return "n%03d" % (i + 1)


def watch(a, i):
    return Watcher(a, name(i), alone=False)


def dead(a, numbers, on=1):
    a.knob("set", "agents", numbers, "dead", on)


# --- single machines
def l8_slow(a, i=SINGLE):
    w = watch(a, i)
    a.knob("set", "agents", i, "slow", 1500)
    w.until("agent-slow", None, 5.5)
    w.stays(15)
    w.only("up", "agent-slow")
    w.one_alarm(severity="warning")
    a.knob("set", "agents", i, "slow", 0)
    w.back_up(30)


def l11_slots_full(a, i=SINGLE + 1):
    w = watch(a, i)
    a.knob("set", "bmcs", i, "slots", 4)
    a.knob("do", "bmcs", i, "forget")
    wait_until(lambda: "a finding, there are %s" % w.new_alarms(), 60, w.new_alarms, every=0.2)
    w.one_alarm(severity="warning", cause="slot")
    w.stays(w.elapsed() + 3)
    w.only("up")
    a.knob("set", "bmcs", i, "slots", 0)
    w.cleared(90)


def l11_busy(a, i=SINGLE + 2):
    w = watch(a, i)
    a.knob("set", "bmcs", i, "busy", 1)
    wait_until(lambda: "a finding, there are %s" % w.new_alarms(), 60, w.new_alarms, every=0.2)
    w.one_alarm(severity="warning", cause="busy")
    w.stays(w.elapsed() + 3)
    w.only("up")
    a.knob("set", "bmcs", i, "busy", 0)
    w.cleared(90)


def l17_restart_cause(a, i=SINGLE + 3):
    w = watch(a, i)
    dead(a, i)
    w.until("os-hung", "cause", 5.5)
    a.knob("do", "agents", i, "reboot")
    dead(a, i, 0)
    w.back_up(10)
    w.event("rebooted: power button", 8)
    w.one_alarm(severity="critical")


def l19_clone(a, i=SINGLE + 5):
    w = watch(a, i)
    a.knob("set", "agents", i, "clone", 1)
    wait_until(lambda: "identity conflict, there are %s" % w.new_alarms(), 30, w.new_alarms, every=0.1)
    w.stays(w.elapsed() + 3)
    w.one_alarm(severity="major", cause=name(SINGLE + 4))
    w.only("up")
    a.knob("set", "agents", i, "clone", 0)
    w.cleared(40)


def l29_bmc_reads_sensors(a, i=SINGLE + 8):
    w = watch(a, i)
    a.knob("set", "bmcs", i, "slow", 200)
    a.knob("reset")

    def commands():
        return int(a.knob("show", "bmcs", i).split(" commands ")[1].split()[0])
    before = commands()
    # every 30 s the BMC is asked for all its sensors, one after the other: each takes its time
    wait_until("the BMC is being asked", 40, lambda: commands() >= before + 4, every=0.1)
    w = watch(a, i)
    dead(a, i)
    w.until("os-hung", "cause", 5.5)
    w.only("up", "unreachable", "os-hung")
    shown = a.knob("show", "bmcs", i)
    check(" max_requests 1 " in shown, "one request at a time: %s" % shown)
    dead(a, i, 0)
    a.knob("set", "bmcs", i, "slow", 0)
    w.back_up()


def l30_frozen(a, i=SINGLE + 9):
    w = watch(a, i)
    a.knob("set", "agents", i, "frozen", 1)
    w.until("agent-dead", None, 10.5)
    w.only("up", "agent-dead")
    check("stand still" in a.node(name(i))["cause"], "cause: %s" % a.node(name(i))["cause"])
    w.one_alarm(severity="major", cause="stand still")
    a.knob("set", "agents", i, "frozen", 0)
    w.back_up()


# --- groups
def roots(a, after, objects):
    return [x for x in a.alarms(active=False) if x["id"] > after and x["object"] in objects]


def last_alarm(a):
    return max([x["id"] for x in a.alarms(active=False)] or [0])


def domain_dark(a, group, first, count, reference):
    """L20: a group and the reference behind its switch fall silent: one root alarm, no node's"""
    after, begun = last_alarm(a), time.monotonic()
    numbers = "%d-%d" % (first, first + count - 1)
    dead(a, "%s,%d" % (numbers, reference))
    wait_until("a root alarm on %s" % group, 3.8, lambda: roots(a, after, (group,)), every=0.1)
    select_pause(max(0, 10 - (time.monotonic() - begun)))
    mine = {name(i) for i in range(first, first + count)} | {group}
    found = roots(a, after, mine)
    check(len(found) == 1 and found[0]["object"] == group and found[0]["held"] == count, "one root that holds %d: %s" % (count, found))
    check("reference silent" in found[0]["cause"] or "path" in found[0]["cause"], "cause: %s" % found[0]["cause"])
    dead(a, "%s,%d" % (numbers, reference), 0)
    wait_until("all of %s are up" % group, 10, lambda: all(n["verdict"] == "up" for n in a.get("/v1/nodes?range=@" + group)), every=0.2)
    wait_until("the root is cleared", 12, lambda: all(x["cleared"] for x in roots(a, after, mine)), every=0.2)
    check(len(roots(a, after, mine)) == 1, "no node alarm on return: %s" % roots(a, after, mine))


def l21_rack_without_power(a, first, off):
    """4 of 8 gone with their BMCs off, or silent: the rack's root alarm says power, and holds 4"""
    rack, numbers = "r%d" % (1 + (first - EIGHT) // 4), "%d-%d" % (first, first + 3)
    after = last_alarm(a)
    begun = time.monotonic()
    if off:
        a.knob("do", "bmcs", numbers, "power-off")
    else:
        a.knob("set", "bmcs", numbers, "silent", 1)
        dead(a, numbers)
    wait_until(lambda: "root on %s, there are %s" % (rack, roots(a, after, (rack, "g1"))), 5.8 if off else 8,
               lambda: [x for x in roots(a, after, (rack,)) if x["held"] == 4 and ("off" in x["cause"] or "power" in x["cause"] or "silent" in x["cause"])])
    select_pause(max(0, 8 - (time.monotonic() - begun)))
    mine = {name(i) for i in range(first, first + 4)} | {rack, "g1"}
    check(len(roots(a, after, mine)) == 1, "one alarm: %s" % roots(a, after, mine))
    if off:
        a.knob("do", "bmcs", numbers, "power-on")
    else:
        dead(a, numbers, 0)
        a.knob("set", "bmcs", numbers, "silent", 0)
    wait_until("all are up", 20, lambda: all(n["verdict"] == "up" for n in a.get("/v1/nodes?range=@g1")), every=0.2)
    wait_until("cleared", 40, lambda: all(x["cleared"] for x in roots(a, after, mine)), every=0.2)


def l22_two_of_eight(a):
    one, two = watch(a, EIGHT), watch(a, EIGHT + 5)
    dead(a, "%d,%d" % (EIGHT, EIGHT + 5))
    together(lambda: one.until("unreachable", "called", 3.5), lambda: two.until("unreachable", "called", 3.5))
    select_pause(4)
    for w in (one, two):
        w.one_alarm(severity="critical")
    dead(a, "%d,%d" % (EIGHT, EIGHT + 5), 0)
    together(one.back_up, two.back_up)


def l25_lossy_path(a, which):
    """nothing changes on a path that loses, and a death is called all the same"""
    first = LOSSY[which]
    watchers = [watch(a, i) for i in range(first, first + 8)]
    a.knob("set", "agents", "%d-%d" % (first, first + 7), "drop", LOSS[which])
    end = time.monotonic() + (600 if LONG else 25)
    while time.monotonic() < end:
        for w in watchers:
            w.look()
        select_pause(0.5)
    for w in watchers:
        w.only("up")
        check(not w.new_alarms(), "alarms: %s" % w.new_alarms())
    w = watch(a, first + 3)
    dead(a, first + 3)
    w.until("unreachable", "called", CALLED[which])
    w.until("os-hung", "cause", CALLED[which] + 2.5)
    dead(a, first + 3, 0)
    a.knob("set", "agents", "%d-%d" % (first, first + 7), "drop", 0)
    w.back_up()


def singles(a):
    """slow, busy, full, restarted, cloned, frozen; a kill amid sensor reads (L8, L11, L17, L19, L29, L30)"""
    together(lambda: l8_slow(a), lambda: l11_slots_full(a), lambda: l11_busy(a), lambda: l17_restart_cause(a), lambda: l19_clone(a),
             lambda: l29_bmc_reads_sensors(a), lambda: l30_frozen(a))


def domains(a):
    """a switch of 3, of 250; racks without power; two of eight (L20, L21, L22)"""
    together(lambda: domain_dark(a, "g2", THREE, 3, REF["three"]), lambda: l21_rack_without_power(a, EIGHT, True))
    l21_rack_without_power(a, EIGHT + 4, False)
    l22_two_of_eight(a)
    domain_dark(a, "g7", MANY, 250, REF["many"])


def losses(a):
    """1, 5 and 20 % of the packets lost each way, then a death (L25)"""
    together(*[lambda which=which: l25_lossy_path(a, which) for which in range(3)])


def swarm():
    groups = [("g1", EIGHT, 8, REF["eight"]), ("g2", THREE, 3, REF["three"])]
    groups += [("g%d" % (3 + k), LOSSY[k], 8, REF["lossy"] + k) for k in range(3)]
    groups += [("g6", SINGLE, 25, REF["single"]), ("g7", MANY, 250, REF["many"])]
    return SwarmAppliance(groups, 420, v3="%d-%d" % (SINGLE + 4, SINGLE + 7), racks={i: "r%d" % (1 + i // 4) for i in range(8)})


TESTS = [singles, domains, losses]

if __name__ == "__main__":
    run("verdicts_swarm", swarm, TESTS)
