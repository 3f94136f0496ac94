#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms that are not raised: silences with an end, maintenance with an end (verdicts, L27), through kill -9 and a restart; what is still
true at the end is raised then."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402


def gloryctl(a, *words):
    code, out = a.tool("gloryctl", *words)
    check(code == 0, "gloryctl %s: %s" % (" ".join(words), out))
    return out


def alarms_on(a, name, active=True):
    return [x for x in a.alarms(active) if x["object"] == name]


def l27_maintenance(a):
    """L27: in maintenance the true verdict, level normal, no alarm; the alarm when it ends"""
    gloryctl(a, "node", "set", "n002", "--maintenance", "on")
    last = a.last_event()
    a.lab("crash", "n002")
    wait_until("the true verdict", 8, lambda: a.verdict("n002") == ("os-hung", "cause"))
    check(a.node("n002")["level"] == "normal" and not alarms_on(a, "n002"), "level %s, alarms %s" % (a.node("n002")["level"], a.alarms()))
    check(not [e for e in a.events(last) if e["kind"] == "alarm-raise"], "an alarm was told: %s" % a.events(last))
    gloryctl(a, "node", "set", "n002", "--maintenance", "off")
    wait_until("the alarm", 1.5, lambda: [x for x in alarms_on(a, "n002") if x["kind"] == "verdict"])
    check(a.node("n002")["level"] == "critical", "level %s" % a.node("n002")["level"])
    a.lab("start", "n002")
    wait_until("up", 30, lambda: a.verdict("n002")[0] == "up")
    wait_until("cleared", 5, lambda: not alarms_on(a, "n002"))


def maintenance_ends_by_itself(a):
    """maintenance until a time: shown, and ended by the appliance"""
    gloryctl(a, "node", "set", "n001", "--until", "10s")
    row = a.node("n001")
    check(row["maintenance"] and row["maintenance_until"], "row: %s" % row)
    code, out = a.tool("gloryctl", "export")
    check(code == 0 and "maintenance-until=" in out, out)
    a.lab("crash", "n001")
    wait_until("the true verdict", 8, lambda: a.verdict("n001")[0] == "os-hung")
    check(not alarms_on(a, "n001"), "alarms: %s" % a.alarms())
    wait_until("maintenance has ended", 12, lambda: not a.node("n001")["maintenance"])
    wait_until("the alarm", 1.5, lambda: alarms_on(a, "n001"))
    code, out = a.request("GET", "/v1/audit?newest=1&limit=50")
    check("policy:maintenance" in str(out), "nothing in the audit records")
    a.lab("start", "n001")
    wait_until("up", 30, lambda: a.verdict("n001")[0] == "up")
    wait_until("cleared", 5, lambda: not alarms_on(a, "n001"))


def silence_by_kind(a):
    """a silence of one kind: verdicts are raised, disk alarms are not; what is raised already is withdrawn"""
    a.lab("disk", "n003", "95")
    wait_until("the disk's alarm", 90, lambda: [x for x in alarms_on(a, "n003") if x["kind"] == "item:disk_fill"])
    gloryctl(a, "silence", "add", "n[003-004]", "--for", "1h", "--kind", "item:disk_fill", "--reason", "disks are being moved")
    check(not alarms_on(a, "n003"), "still raised: %s" % a.alarms())
    check(a.node("n003")["level"] != "normal", "the level is hidden")
    listed = a.get("/v1/silences")
    check(len(listed) == 1 and listed[0]["target"] == "n[003-004]" and listed[0]["reason"] == "disks are being moved", str(listed))
    a.lab("agent-stop", "n003")
    wait_until("another kind's alarm", 10, lambda: [x for x in alarms_on(a, "n003") if x["kind"] == "verdict"])
    a.lab("agent-start", "n003")
    wait_until("up", 15, lambda: a.verdict("n003")[0] == "up")
    gloryctl(a, "silence", "remove", str(listed[0]["id"]))
    wait_until("the disk's alarm again", 1.5, lambda: [x for x in alarms_on(a, "n003") if x["kind"] == "item:disk_fill"])
    a.lab("disk", "n003", "0")
    wait_until("cleared", 90, lambda: not alarms_on(a, "n003"))


def silence_survives(a):
    """a silence outlives kill -9 and a restart, and ends by itself: what is still true is raised within a second"""
    gloryctl(a, "silence", "add", "@site", "--for", "25s")
    end = time.monotonic() + 25
    old = a.pid("engine")
    a.kill("engine")
    a.wait_back("engine", old, 20)
    a.wait_all_up(30)
    a.lab("crash", "n004")
    wait_until("the true verdict", 10, lambda: a.verdict("n004")[0] == "os-hung")
    row = a.node("n004")
    check(row["level"] == "critical" and row["silenced_until"] and not alarms_on(a, "n004"), "row %s, alarms %s" % (row, a.alarms()))
    while time.monotonic() < end - 0.5:
        check(not alarms_on(a, "n004"), "raised %.1f s before the end" % (end - time.monotonic()))
        select_pause(0.2)
    wait_until("the alarm", end + 1.5 - time.monotonic(), lambda: alarms_on(a, "n004"))
    check(not a.get("/v1/silences"), "the silence is still there")
    a.lab("start", "n004")
    wait_until("up", 30, lambda: a.verdict("n004")[0] == "up")


def refused(a):
    """what is no silence is refused with the reason"""
    for words, why in ((("n001",), "needs an end"), (("nobody", "--for", "1h"), "no such node"), (("n001", "--for", "0"), "needs an end"),
                       (("n001", "--until", "2001-01-01T00:00:00Z"), "is past"), (("n001", "--for", "1h", "--kind", "Ä"), "kind is none")):
        code, out = a.tool("gloryctl", "silence", "add", *words)
        check(code == 1 and why in out, "%s: %d %s" % (words, code, out))
    code, out = a.tool("gloryctl", "silence", "remove", "77")
    check(code == 1 and "no such silence" in out, out)


if __name__ == "__main__":
    run("silence", {"nodes": 4, "groups": 1}, [l27_maintenance, maintenance_ends_by_itself, silence_by_kind, silence_survives, refused])
