#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Levels that look back, on real agents: a file system that fills is called by its rate, then by its forecast with the time that is left; a
value that never comes is called by its absence; what was learnt outlives a restart."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

ITEMS = ('<item name="disk_fill"><threshold level="warning" kind="rate" above="3" per="minute" window="1m"/>'
         '<threshold level="major" kind="forecast" above="100" within="30m" window="3m"/></item>')


def prepare(a):
    a.add_to_cluster(ITEMS)


def item_alarm(a, name, kind):
    for x in a.alarms():
        if x["object"] == name and x["kind"] == kind:
            return x
    return None


def fills(a):
    """a disk that fills by a percent in 5 s: rate, then forecast, each with what was seen; emptied: well"""
    fill = [10]
    seen = {}

    def step():
        if time.monotonic() >= step.due:
            fill[0] += 1
            a.lab("disk", "n001", str(fill[0]))
            step.due = time.monotonic() + 5
        alarm = item_alarm(a, "n001", "item:disk_fill")
        if alarm:
            seen.setdefault(alarm["severity"], alarm["cause"])
        return "major" in seen
    step.due = 0
    wait_until(lambda: "the forecast; seen: %s" % seen, 240, step, every=0.5)
    check("per minute" in seen.get("warning", ""), "the rate was not said: %s" % seen)
    check("full in" in seen["major"] and "min" in seen["major"], "the forecast does not say when: %s" % seen)
    check(not item_alarm(a, "n002", "item:disk_fill"), "another node is called as well")
    a.lab("disk", "n001", "0")
    wait_until("well again when it is empty", 120, lambda: not item_alarm(a, "n001", "item:disk_fill"), every=0.5)


def survives(a):
    """trends outlive a restart"""
    path = os.path.join(a.work, "var", "store", "levels.memory")
    a.stop()
    check(os.path.getsize(path) > 300, "%s is too small" % path)
    a.start()
    wait_until("they are read", 15, lambda: any("trends of" in line for line in open(a.log_path, errors="replace")))
    a.wait_all_up(30)
    a.stop()
    with open(path, "r+b") as f:
        f.seek(100)
        f.write(b"rubbish")
    a.start()
    wait_until("rubbish is told", 15, lambda: any("begin anew" in line for line in open(a.log_path, errors="replace")))
    a.wait_all_up(30)


def text_form(a):
    """rows of all kinds: written by export, refused with the reason"""
    code, xml = a.tool("gloryctl", "export")
    check(code == 0 and 'kind="forecast" above="100" window="3m" within="30m"' in xml, xml)
    path = os.path.join(a.work, "try.xml")
    with open(path, "w") as f:
        f.write(xml.replace('within="30m"', 'within="soon"'))
    code, out = a.tool("gloryctl", "apply", path)
    check(code == 1 and "within soon is not a time" in out, out)


if __name__ == "__main__":
    run("levels", {"nodes": 2, "groups": 1}, [text_form, fills, survives], prepare=prepare)
