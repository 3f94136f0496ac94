#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in the lab and what the appliance must say of them, with the bounds of the specification's table (L1 to L24): each fault raises
exactly one alarm and clears after its undo."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402
from watcher import Watcher  # noqa: E402


def l1_crash(a):
    """crash: unreachable, os-hung, confirmed"""
    w = Watcher(a, "n002")
    w.fault("crash", "n002")
    w.until("unreachable", "called", 3.3)
    w.until("os-hung", "cause", 5.3)
    w.until("os-hung", "confirmed", 11.5)
    w.only("up", "unreachable", "os-hung")
    w.one_alarm(severity="critical")
    a.lab("start", "n002")
    w.back_up()
    check(len(w.new_alarms()) == 1, "one alarm throughout: %s" % w.new_alarms())


def l2_off_behind_our_back(a):
    """BMC power off behind our back: powered-off, critical"""
    w = Watcher(a, "n003")
    w.fault("off", "n003")
    w.until("powered-off", None, 3.3)
    check(a.node("n003")["level"] == "critical", "level is %s" % a.node("n003")["level"])
    w.one_alarm(severity="critical")
    a.lab("on", "n003")
    w.back_up()


def l3_off_by_us(a):
    """power off by us: powered-off, normal, no alarm"""
    w = Watcher(a, "n004")
    status, answer = a.command("power", "n004", {"verb": "off"})
    check(status == 200, "refused: %s" % answer)
    job = a.wait_job(answer["job"])
    check(job["state"] == "done", "job: %s" % job)
    wait_until("powered-off", 5, lambda: w.look()[0] == "powered-off")
    check(a.node("n004")["level"] == "normal", "level is %s" % a.node("n004")["level"])
    status, answer = a.command("power", "n004", {"verb": "on"})
    check(status == 200 and a.wait_job(answer["job"])["state"] == "done", "power on: %s" % answer)
    wait_until("up", 30, lambda: w.look()[0] == "up")
    check(not w.new_alarms(), "alarms: %s" % w.new_alarms())


def l4_agent_killed(a):
    """snmpd killed: agent-dead, banner in the evidence"""
    w = Watcher(a, "n001")
    w.fault("agent-stop", "n001")
    w.until("agent-dead", None, 5.7)
    w.only("up", "agent-dead", "agent-slow")
    select_pause(4)
    w.look()
    w.only("up", "agent-dead")  # and not os-hung: the banner came
    w.one_alarm(severity="major")
    a.lab("agent-start", "n001")
    w.back_up()


def l5_agent_paused(a):
    """snmpd stopped for 3 s: nothing shown"""
    w = Watcher(a, "n001")
    a.lab("agent-hang", "n001")
    select_pause(3)
    a.lab("agent-wake", "n001")
    w.quiet(8, "up", "agent-slow")


def l7_agent_restarted(a):
    """snmpd restarted: up throughout, event agent-restarted"""
    w, last = Watcher(a, "n002"), a.last_event()
    a.lab("agent-restart", "n002")
    wait_until("event agent-restarted", 30, lambda: [e for e in a.events(last) if e["object"] == "n002" and "agent-restarted" in e["cause"]])
    w.look()
    w.only("up")
    check(not w.new_alarms(), "alarms: %s" % w.new_alarms())


def l9_link(a):
    """link down 1 s, 4 s, 20 s; each time another node: dark spells within a minute raise the bar of the next (verdicts 4.6)"""
    w = Watcher(a, "n003")
    a.lab("cut", "n003")
    select_pause(0.7)
    a.lab("join", "n003")
    w.quiet(6, "up")
    w, last = Watcher(a, "n007"), a.last_event()
    w.fault("cut", "n007")
    w.until("unreachable", "called", 3.3)
    a.lab("join", "n007")
    w.back_up()
    wait_until("re-labelled path", 10, lambda: [e for e in a.events(last) if e["object"] == "n007" and e["cause"].startswith("path")])
    w = Watcher(a, "n006")
    w.fault("cut", "n006")
    w.until("link-lost", "cause", 5.3)
    w.only("up", "unreachable", "link-lost")
    select_pause(max(0, 14 - (time.monotonic() - w.begun)))
    w.one_alarm(severity="critical")
    a.lab("join", "n006")
    w.back_up()


def l10_bmc_lost(a):
    """BMC cut: bmc-lost, nothing else"""
    w = Watcher(a, "n004")
    a.lab("bmc-cut", "n004")
    wait_until("bmc-lost", 25, lambda: w.look()[0] == "bmc-lost", every=0.2)
    w.only("up", "bmc-lost")
    w.one_alarm(severity="warning")
    a.lab("bmc-join", "n004")
    w.back_up(40)


def l12_both(a):
    """node and BMC cut together: unreachable, isolated"""
    w = Watcher(a, "n005")
    a.lab("bmc-cut", "n005")  # first: it is asked as soon as the node is silent, and would still say "on"
    w.fault("crash", "n005")
    w.until("unreachable", "called", 3.5)
    wait_until("isolated, seen %s" % w.seen, 2.6, lambda: w.look()[0] == "isolated", every=0.03)
    w.only("up", "unreachable", "isolated")
    w.one_alarm(severity="critical")
    a.lab("bmc-join", "n005")
    a.lab("start", "n005")
    w.back_up(40)


def l13_miswired(a):
    """two BMCs swapped: locked, the power job refused"""
    w = Watcher(a, "n001")
    a.lab("bmc-swap", "n001", "n002")
    wait_until("both are locked", 45, lambda: a.node("n001")["power_locked"] and a.node("n002")["power_locked"], every=0.3)
    status, answer = a.command("power", "n001", {"verb": "off"})
    check(status != 200 and "locked" in answer["error"]["text"], "not refused: %d %s" % (status, answer))
    check(a.verdict("n001")[0] in ("up", "bmc-mismatch"), "verdict %s" % (a.verdict("n001"),))
    a.lab("bmc-swap", "n001", "n002")
    wait_until("unlocked", 45, lambda: not a.node("n001")["power_locked"] and not a.node("n002")["power_locked"], every=0.3)
    wait_until("cleared", 5, lambda: all(x["cleared"] for x in w.new_alarms()))


def l20_switch(a):
    """the uplink of a group of 8 is cut: one root alarm, no node alarm"""
    w = Watcher(a, "n001")
    a.lab("switch-cut", "g01")
    alarms = wait_until("a root alarm", 3.8, w.new_alarms, every=0.03)
    select_pause(max(0, 12 - (time.monotonic() - w.begun)))
    alarms = w.new_alarms()
    check(len(alarms) == 1 and alarms[0]["object"] in ("g01", "sw1", "r1"), "one root alarm: %s" % alarms)
    check(alarms[0]["held"] >= 8, "held: %s" % alarms[0])
    a.lab("switch-join", "g01")
    wait_until("all are up", 10, lambda: all(n["verdict"] == "up" for n in a.get("/v1/nodes")))
    wait_until("the root is cleared", 10, lambda: not a.alarms())
    check(len(w.new_alarms()) == 1, "no node alarm on return: %s" % w.new_alarms())


def site(a):
    row = a.get("/v1/site")
    return row.get("appliance", row)


def l23_own_link(a):
    """our own cable is cut for 5 s: suspended, no alarm about nodes"""
    w = Watcher(a, "n001")
    a.lab("own-cut")
    wait_until("suspended is shown", 2.5, lambda: site(a)["judgement_suspended"], every=0.03)
    select_pause(max(0, 5 - (time.monotonic() - w.begun)))
    a.lab("own-join")
    wait_until("judging again", 15, lambda: not site(a)["judgement_suspended"])
    select_pause(3)
    bad = [x for x in w.new_alarms() if x["object"] != "appliance"]
    check(not bad, "alarms about nodes: %s" % bad)
    for node in a.get("/v1/nodes"):
        check(node["verdict"] == "up", "%s is %s" % (node["name"], node["verdict"]))


def l24_stopped_roles(a):
    """collector, engine, both stopped for a while: no call"""
    for roles in (["collector"], ["engine"], ["collector", "engine"]):
        w = Watcher(a, "n001")
        pids = [a.kill(role, signal.SIGSTOP) for role in roles]
        select_pause(20 if os.environ.get("GLORY_LONG") else 8)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        begun = time.monotonic()
        wait_until("it answers again", 10, lambda: a.answers())
        while time.monotonic() - begun < 6:
            w.look()
            select_pause(0.1)
        w.only("up", "unknown")
        bad = [x for x in w.new_alarms() if x["object"] != "appliance"]
        check(not bad, "alarms about nodes with %s stopped: %s" % (roles, bad))
        wait_until("all is well", 15, lambda: not a.alarms())


TESTS = [l1_crash, l2_off_behind_our_back, l3_off_by_us, l4_agent_killed, l5_agent_paused, l7_agent_restarted, l9_link, l10_bmc_lost,
         l12_both, l13_miswired, l20_switch, l23_own_link, l24_stopped_roles]

if __name__ == "__main__":
    # a machine that is told to start has 12 s for it: a busy host takes three to start its agent
    run("verdicts", {"nodes": 16, "groups": 2, "settings": '<lab time-scale="0.02"/>'}, TESTS)
