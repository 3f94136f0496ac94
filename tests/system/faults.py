#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults and bad input of 250 nodes on the swarm, each with the outcome that is expected: what is unknown, what is alarmed, what is not.

TABLE: one group of ten for each fault, all at once, so that one fault must not disturb its neighbours. Of each machine: the verdicts that may be
shown, whether its values are fresh ("cpu") or unknown at the end, and whether it is alarmed ("yes", "no"; "may": allowed).
What is written elsewhere is not repeated: disks, stores, files and secrets in trouble.py, verdicts in verdicts*.py, clones and slots in verdicts_swarm.py."""
import glob
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402
from swarm import SwarmAppliance  # noqa: E402

NODES, GROUP, REFERENCE = 250, 10, 300
V3 = "200-249"
FRESH_S = 35  # items are read each 10 s
LAST = 40     # s that the table's faults last

FRESH, UNKNOWN, ANY = "fresh", "unknown", "any"
# the two knobs below spoil echo as well: agent and kernel are silent at their address, programs are not asked then (verdicts 1)
NO_ECHO = ("up", "unreachable", "os-hung")
# (fault, machines of the group, knobs, verdicts that may be shown, values at the end, alarm)
TABLE = (
    ("loss 0.1 %", 10, {"drop": 0.001}, ("up",), FRESH, "no"),
    ("loss 1 %", 10, {"drop": 0.01}, ("up",), FRESH, "no"),
    ("loss 5 %", 10, {"drop": 0.05}, ("up", "agent-slow"), FRESH, "no"),
    ("loss 20 %", 10, {"drop": 0.2}, ("up", "agent-slow"), ANY, "may"),
    ("duplicated", 2, {"dup": 1}, ("up",), FRESH, "no"),
    ("reordered", 2, {"reorder": 0.5}, ("up",), FRESH, "no"),
    ("late, 300 ms", 2, {"delay": 300, "jitter": 200}, ("up",), FRESH, "no"),
    ("wrong request-id", 2, {"wrong_id": 1}, ("up", "agent-dead"), UNKNOWN, "yes"),
    ("other address", 2, {"wrong_source": 1}, NO_ECHO, UNKNOWN, "yes"),
    ("truncated", 2, {"truncate": 1}, NO_ECHO, UNKNOWN, "yes"),
    ("oversized", 2, {"oversize": 1}, ("up",), ANY, "no"),
    ("wrong types", 2, {"wrong_type": 1}, ("up",), UNKNOWN, "no"),
    ("every second request", 2, {"every_second": 1}, ("up", "agent-slow"), ANY, "no"),
    ("endless tables", 2, {"endless": 1}, ("up",), FRESH, "no"),
    ("looping names", 2, {"loop": 1}, ("up",), FRESH, "no"),
    ("v3: wrong request-id", 2, {"wrong_id": 1}, ("up", "agent-dead"), UNKNOWN, "yes"),
    ("v3: truncated", 2, {"truncate": 1}, NO_ECHO, UNKNOWN, "yes"),
    ("v3: loss 5 %", 10, {"drop": 0.05}, ("up", "agent-slow"), FRESH, "no"),
)
GROUPS = [("g%02d" % (g + 1), g * GROUP, GROUP, REFERENCE + g) for g in range(NODES // GROUP)]
PLACES = list(range(15)) + [20, 21, 22]  # the group of each fault; those of version 3 are the last five


def name(i):
    return "n%03d" % (i + 1)


def machines(row):
    first = PLACES[row] * GROUP
    return list(range(first, first + TABLE[row][1]))


def verdicts(a):
    return {n["name"]: n["verdict"] for n in a.get("/v1/nodes")}


def ages(a):
    """Seconds since each node's cpu was read, by the newest value of them all; None: unknown."""
    values = a.get("/v1/values?item=cpu&limit=1000")
    stamp = lambda v: time.mktime(time.strptime(v["time"][:19], "%Y-%m-%dT%H:%M:%S")) if v["time"] else None  # noqa: E731
    newest = max(stamp(v) for v in values if v["time"])
    return {v["node"]: None if v["value"] is None else newest - stamp(v) for v in values}


def all_well(a, seconds=60):
    wait_until(lambda: "all is well: %s %s" % ({n: v for n, v in verdicts(a).items() if v != "up"}, [x["cause"] for x in a.alarms()][:5]), seconds,
               lambda: not a.alarms() and set(verdicts(a).values()) == {"up"}, every=0.5)


def table(a):
    """every row of TABLE at once: as written there, and nothing elsewhere"""
    wait_until("all values are known", 60, lambda: len([1 for x in ages(a).values() if x is not None]) == NODES, every=0.5)
    first = max([x["id"] for x in a.alarms(active=False)] or [0])
    for row, (_, _, knobs, _, _, _) in enumerate(TABLE):
        words = [w for k in knobs.items() for w in k]
        a.knob("set", "agents", ",".join(str(i) for i in machines(row)), *words)
    seen = {}
    begun = time.monotonic()
    while time.monotonic() - begun < LAST:
        for node, verdict in verdicts(a).items():
            seen.setdefault(node, set()).add(verdict)
        select_pause(0.25)
    values, alarms = ages(a), {}
    for x in a.alarms(active=False):
        if x["id"] > first:
            alarms.setdefault(x["object"], []).append("%s: %s" % (x["kind"], x["cause"]))
    rows = {n["name"]: n for n in a.get("/v1/nodes")}
    a.knob("clear", "agents", "all")
    wrong, touched = [], set()
    for row, (fault, _, _, allowed, fresh, alarmed) in enumerate(TABLE):
        for i in machines(row):
            node, age = name(i), values.get(name(i))
            touched.add(node)
            known = age is not None and age < FRESH_S
            if not seen[node] <= set(allowed):
                wrong.append("%s: %s was %s: %s" % (fault, node, sorted(seen[node]), rows[node]["cause"]))
            if (fresh == FRESH and not known) or (fresh == UNKNOWN and age is not None and age < LAST - 10):
                wrong.append("%s: %s: value of %s s, expected %s" % (fault, node, age, fresh))
            if (alarmed == "yes") != (node in alarms) and alarmed != "may":
                wrong.append("%s: %s: alarms %s, expected %s" % (fault, node, alarms.get(node), alarmed))
    lossy = {GROUPS[PLACES[row]][0] for row, t in enumerate(TABLE) if t[5] == "may"}
    for obj in sorted(set(alarms) - touched - lossy):
        wrong.append("%s, which was left alone: %s" % (obj, alarms[obj]))
    for node, found in seen.items():
        if node not in touched and found != {"up"}:
            wrong.append("%s, which was left alone, was %s" % (node, sorted(found)))
    check(not wrong, "\n        ".join(["%d differences" % len(wrong)] + wrong[:20]))
    all_well(a, 90)


def bursts(a):
    """all packets of 20 machines lost for 1.2 s, five times: nothing is called, no alarm"""
    first = a.last_event()
    numbers = ",".join(str(i) for i in range(3, NODES, 12))
    for _ in range(5):
        a.knob("set", "agents", numbers, "drop", 1)
        select_pause(1.2)
        a.knob("clear", "agents", "all")
        wait_until("they answer", 10, lambda: set(verdicts(a).values()) == {"up"})
        select_pause(4)
    events = [e for e in a.events(first) if e["kind"] != "level"]
    check(not events, events[:5])


def some_dead(a, numbers, seconds):
    first = max([x["id"] for x in a.alarms(active=False)] or [0])
    gone = {name(i) for i in numbers}
    a.knob("set", "agents", ",".join(str(i) for i in numbers), "dead", 1)
    wait_until(lambda: "%d are called, %d are" % (len(gone), len([n for n, v in verdicts(a).items() if v != "up"])), seconds,
               lambda: {n for n, v in verdicts(a).items() if v != "up"} == gone, every=0.2)
    wait_until("each has its own verdict", 15, lambda: all(verdicts(a)[n] in ("os-hung", "unreachable", "group-path-lost") for n in gone), every=0.2)
    living = [n for n, v in verdicts(a).items() if n not in gone and v != "up"]
    check(not living, "living nodes were called: %s" % living[:5])
    alarms = [x for x in a.alarms(active=False) if x["id"] > first]
    objects = {x["object"] for x in alarms}
    allowed = gone | {g[0] for g in GROUPS} | {"demo", "site"}
    check(objects <= allowed, "alarms on %s" % sorted(objects - allowed)[:5])
    check(not [x for x in alarms if x["kind"] != "verdict" and not x["kind"].startswith("domain-")], sorted({x["kind"] for x in alarms}))
    own = {x["object"] for x in alarms}
    silent = [n for n in a.get("/v1/nodes") if n["name"] in gone and n["name"] not in own and not n["root_alarm"]]
    check(not silent, "dead without an alarm of their own or a root's: %s" % [n["name"] for n in silent][:5])
    known = ages(a)
    check(all(known[n] is None for n in gone), "values of the dead are shown: %s" % [n for n in gone if known[n] is not None][:5])
    a.knob("clear", "agents", "all")
    all_well(a, 60)


def twentieth_dead(a):
    """5 % of the nodes dead at once: each is called within 10 s, under an alarm of its own or the site's, nobody else"""
    some_dead(a, range(7, NODES, 20), 10)


def half_dead(a):
    """50 % of the nodes dead: they are called within 15 s, the others stay up, alarms are on the dead, their groups or the site"""
    some_dead(a, range(0, NODES, 2), 15)


def stopped_roles(a):
    """each role stopped for 20 s and woken (or restarted by the watchdog): no verdict but up, no node's alarm, all is well afterwards"""
    for role in ("collector", "bmc", "recorder", "agent", "api", "engine"):
        first, pid = a.last_event(), a.pid(role)
        os.kill(pid, signal.SIGSTOP)
        select_pause(20)
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # the watchdog has ended it
        wait_until("%s runs and the API answers" % role, 30, lambda: a.pid(role) and a.answers(), every=0.2)
        all_well(a, 60)
        events = [e for e in a.events(first) if e["object"].startswith("n")]
        check(not events, "%s stopped: %s" % (role, events[:3]))


def clock_jumps(a):
    """the engine's wall clock jumps an hour forwards, back, an hour back, and back: no verdict, no alarm, values stay fresh, files go on"""
    path = os.path.join(a.work, "etc", "gloryd.xml")
    with open(path) as f:
        xml = f.read()
    lab = re.search(r"<lab ([^>]*)/>", xml)
    plain = xml.replace(lab.group(0), "") if lab else xml
    others = lab.group(1) if lab else 'time-scale="1"'
    first = a.last_event()
    for offset in (3600, 0, -3600, 0):
        with open(path, "w") as f:
            f.write(plain.replace("<user ", '<lab %s wall-offset="%d"/><user ' % (others, offset), 1))
        a.process.send_signal(signal.SIGHUP)
        shown = lambda: time.mktime(time.strptime(max(v["time"] for v in a.get("/v1/values?item=cpu&range=n001"))[:19], "%Y-%m-%dT%H:%M:%S"))  # noqa: E731
        wait_until("values are stamped %d s off" % offset, 30, lambda: abs(shown() - time.mktime(time.gmtime()) - offset) < 30, every=0.3)
        select_pause(12)
        known = a.get("/v1/values?item=cpu&limit=1000")
        check(len([v for v in known if v["value"] is not None]) == NODES, "values are unknown after a jump to %d s" % offset)
        check(not a.alarms(), a.alarms()[:3])
        check(set(verdicts(a).values()) == {"up"}, verdicts(a))
    events = [e for e in a.events(first) if e["kind"] in ("verdict", "alarm-raise")]
    check(not events, events[:5])
    base = os.path.join(a.work, "var", "rrd", "demo", "g01", "n001", "snmp", "base.rrd")
    wait_until("the history goes on", 90, lambda: os.path.exists(base) and a.tool("gloryctl", "graph", "n001", "cpu", "-o", os.path.join(a.work, "g.png"))[0] == 0, every=1)


def corrupt_journal(a):
    """a damaged journal is passed over with a line in the log; watching and history go on"""
    a.stop()
    files = sorted(glob.glob(os.path.join(a.work, "var", "journal", "*.journal")))
    check(files, "there is no journal")
    for path in files:
        size = os.path.getsize(path)
        with open(path, "r+b") as f:
            f.seek(size // 3)
            f.write(os.urandom(4096))
    begun = os.path.getsize(a.log_path)
    a.start()
    all_well(a, 60)

    def said():
        with open(a.log_path, errors="replace") as f:
            f.seek(begun)
            return [line for line in f if "journal" in line]
    wait_until("the log says so", 20, said)
    wait_until("a graph can be drawn", 60, lambda: a.tool("gloryctl", "graph", "n001", "cpu", "-o", os.path.join(a.work, "g.png"))[0] == 0, every=1)


def no_rediscovery(a):
    """a new collector does not discover 50 agents of version 3 again: their engine ids, boots and clocks are kept"""
    wait_until("version 3 is spoken", 30, lambda: a.report()["sums"]["v3_messages"] > 200, every=0.5)
    wait_until("engine ids are told", 40, lambda: all(n["verdict"] == "up" for n in a.get("/v1/nodes")), every=0.5)
    select_pause(12)
    for what in ("collector", "engine"):
        old = a.kill(what)
        a.wait_back(what, old, 30)
        a.knob("reset")
        wait_until("they are asked", 30, lambda: a.report()["sums"]["v3_messages"] > 150, every=0.5)
        reports = a.report()["sums"]["v3_reports"]
        check(reports <= 5, "%d Reports after the %s's death" % (reports, what))
        all_well(a, 60)


def swarm():
    return SwarmAppliance(GROUPS, 400, v3=V3)


if __name__ == "__main__":
    run("faults", swarm, [table, bursts, twentieth_dead, half_dead, no_rediscovery, clock_jumps, corrupt_journal, stopped_roles])
