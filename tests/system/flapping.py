#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flap damping (verdicts, 4.6 and L26), the clocks at a tenth: a node that goes and comes is one alarm, flapping, told twice at most."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402


def alarms_on(a, name):
    return [x for x in a.alarms(active=False) if x["object"] == name and x["kind"] == "verdict"]


def l26_flapping(a):
    """L26: five times down and up: 1 alarm, flapping, 2 notifications of it at most; cleared when stable"""
    last = a.last_event()
    for turn in range(5):
        a.lab("crash", "n002")
        wait_until("called, turn %d" % turn, 12, lambda: a.node("n002")["level"] == "critical")
        flapping = a.node("n002")["flapping"]
        check(flapping == (turn >= 2), "turn %d: flapping %s" % (turn, flapping))
        if turn == 2:
            third = a.last_event()
        a.lab("start", "n002")
        wait_until("up, turn %d" % turn, 20, lambda: a.verdict("n002")[0] == "up")
        found = alarms_on(a, "n002")
        check(len(found) == 1 and found[0]["count"] >= turn + 1, "turn %d: %s" % (turn, found))
        check((found[0]["cleared"] is None) == (turn >= 2), "turn %d: %s" % (turn, found))
    told = [e for e in a.events(last) if e["object"] == "n002" and e["kind"] in ("alarm-raise", "alarm-clear")]
    check(len(told) == 1 and told[0]["kind"] == "alarm-raise", "told: %s" % told)
    check(not [e for e in a.events(third) if e["object"] == "n002" and e["kind"] in ("verdict", "level")],
          "each turn is still told: %s" % a.events(third))
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeFlapping.%d" % (a.node("n002")["index"]))
    check(code == 0 and set(out.split()) & {"true", "1"}, out)
    code, out = a.tool("gloryctl", "alarm", "list")
    check(code == 0 and "flapping" in out, out)
    select_pause(1)
    check(a.node("n002")["flapping"], "stable after a second")
    wait_until("stable and cleared", 100, lambda: alarms_on(a, "n002")[0]["cleared"])
    wait_until("not flapping any more", 2, lambda: not a.node("n002")["flapping"])
    told = [e for e in a.events(last) if e["object"] == "n002" and e["kind"] in ("alarm-raise", "alarm-clear")]
    check([e["kind"] for e in told] == ["alarm-raise", "alarm-clear"], "told: %s" % told)


def short_return_is_not_told(a):
    """down, up, down: one alarm; its end is told only when it lasts"""
    last = a.last_event()
    a.lab("crash", "n001")
    wait_until("called", 5, lambda: a.node("n001")["level"] == "critical")
    a.lab("start", "n001")
    wait_until("cleared", 20, lambda: alarms_on(a, "n001") and alarms_on(a, "n001")[0]["cleared"])
    check([e["kind"] for e in a.events(last) if e["object"] == "n001" and "alarm" in e["kind"]] == ["alarm-raise"], str(a.events(last)))
    wait_until("its end is told", 15, lambda: [e for e in a.events(last) if e["object"] == "n001" and e["kind"] == "alarm-clear"])


if __name__ == "__main__":
    run("flapping", {"nodes": 4, "groups": 1, "settings": '<lab time-scale="0.1"/>'}, [l26_flapping, short_return_is_not_told])
