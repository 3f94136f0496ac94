#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole appliance built with the sanitizers, on the lab: cycles, faults, edits, graphs, killed roles, a regular end. No role may write a report
of AddressSanitizer, UndefinedBehaviorSanitizer or LeakSanitizer."""
import http.client
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import appliance  # noqa: E402
from appliance import Appliance, TOP, check, private_world, wait_until  # noqa: E402

REPORT = re.compile(r"ERROR: (Address|Leak)Sanitizer|runtime error:|LeakSanitizer has encountered|SUMMARY: \w+Sanitizer")


def cycle(a):
    status, answer = a.command("power", "n001", {"verb": "cycle", "reason": "grüße " * 20})
    check(status == 200, "cycle: %s" % answer)
    check(a.wait_job(answer["job"], 90)["state"] == "done", "the cycle's end")


def faults(a):
    for do, undo, node in (("crash", "start", "n002"), ("cut", "join", "n003"), ("bmc-cut", "bmc-join", "n004"), ("agent-stop", "agent-start", "n002")):
        a.lab(do, node)
        wait_until("%s is seen on %s" % (do, node), 60, lambda: a.verdict(node)[0] != "up")
        a.lab(undo, node)
        wait_until("%s is up after %s" % (node, undo), 90, lambda: a.verdict(node)[0] == "up")


def edits(a):
    export = a.request("GET", "/v1/export")[1].decode()
    for status, answer in (a.command("node-add", "x001", {"group": "g01", "address": "10.99.1.77"}), a.command("node-set", "x001", {"maintenance": True}),
                           a.command("group-add", "gx"), a.command("node-set", "x001", {"group": "gx"})):
        check(status == 200, answer)
    check(a.command("node-add", "x002", {"group": "nowhere", "address": "10.99.1.78"})[0] != 200, "a node of no group was taken")
    check(a.command("node-remove", "x001")[0] == 200 and a.command("group-remove", "gx")[0] == 200, "what was added goes again")
    status, body = a.request("POST", "/v1/apply", export)
    check(status == 200, body)
    check(a.request("POST", "/v1/apply", "<cluster><nodes")[0] != 200, "half a file was taken")


def asking(a):
    for path in ("/v1/site", "/v1/groups", "/v1/nodes", "/v1/values", "/v1/sensors", "/v1/alarms", "/v1/events?limit=100", "/v1/jobs", "/metrics",
                 "/v1/graph?node=n001&items=cpu,mem", "/v1/nodes/n001", "/v1/jobs/1", "/v1/nodes?range=n[001-", "/v1/jobs/99999"):
        check(a.request("GET", path)[0] in (200, 400, 404), path)
    a.tool("snmpwalk", "127.0.0.1:1161", "GLORY-CL-MIB::glory")
    a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodePowerAction.2", "=", "identify")


def all_up(a):
    try:
        return all(n["verdict"] == "up" for n in a.get("/v1/nodes"))
    except (OSError, ValueError, http.client.HTTPException, appliance.Failed):
        return False  # the role that answered was the one that ended


def killed_roles(a):
    for role in ("api", "agent", "collector", "bmc", "recorder", "engine"):
        a.kill(role)
        wait_until("an answer after the end of %s" % role, 60, a.answers)
        wait_until("all up after the end of %s" % role, 90, lambda: all_up(a))
    a.process.send_signal(signal.SIGHUP)


def reports(a):
    with open(a.log_path, errors="replace") as log:
        lines = log.read().splitlines()
    at = [i for i, line in enumerate(lines) if REPORT.search(line)]
    if at:
        print("\n".join(lines[max(at[0] - 3, 0):at[0] + 40]))
    return len(at)


def main():
    private_world()
    built = os.path.join(appliance.BUILD, "san")
    if subprocess.run(["make", "-s", "-C", TOP, "B=" + os.path.relpath(built, TOP), "SANITIZE=1", "all"]).returncode:
        sys.exit("the sanitizer build fails")
    appliance.BUILD = built
    a = Appliance(nodes=4, groups=2)
    failed = 0
    try:
        a.start()
        wait_until("all nodes are up", 120, lambda: len(a.get("/v1/nodes")) == 4 and all(n["verdict"] == "up" for n in a.get("/v1/nodes")))
        for step in (asking, cycle, faults, edits, asking, killed_roles):
            step(a)
            print("ok      %s" % step.__name__, flush=True)
    except (appliance.Failed, OSError) as problem:
        print("FAILED  %s" % problem)
        failed = 1
    finally:
        a.close()
    found = reports(a)
    print("%d reports" % found if found else "no report")
    sys.exit(1 if failed or found else 0)


main()
