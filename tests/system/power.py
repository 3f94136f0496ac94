#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power by snmpset and gloryctl: the node really restarts, the job says who, why and how long; what comes twice acts once; more than one node
wants --yes; a storm meets the brake."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

ACTION = "GLORY-CL-MIB::gloryNodePowerAction.%d"


def uptime(a, name):
    for value in a.get("/v1/values?range=%s" % name):
        if value["item"] == "uptime" and value["value"] is not None:
            return value["value"]
    return None


def restarted(a, name, before):
    wait_until("%s's uptime falls below %s" % (name, before), 40, lambda: (uptime(a, name) or before) < before)


def by_snmpset(a):
    """snmpset of PowerAction restarts the node; the job row says who"""
    before = wait_until("an uptime", 30, lambda: (lambda u: u if u and u > 12 else None)(uptime(a, "n001")))
    code, out = a.tool("snmpset", "127.0.0.1:1161", ACTION % 1, "=", "cycle")
    check(code == 0, out)
    job = wait_until("a job", 5, lambda: [j for j in a.get("/v1/jobs") if j["target"] == "n001"])[-1]
    check(job["actor"] == "snmp:operator" and job["verb"] == "cycle", job)
    ended = a.wait_job(job["id"])
    check(ended["state"] == "done" and ended["started"] and ended["ended"], ended)
    restarted(a, "n001", before)


def by_gloryctl(a):
    """gloryctl power cycle restarts the node and says so"""
    before = wait_until("an uptime", 30, lambda: (lambda u: u if u and u > 12 else None)(uptime(a, "n002")))
    code, out = a.tool("gloryctl", "power", "cycle", "n002")
    check(code == 0 and "n002" in out, "code %d: %s" % (code, out))
    restarted(a, "n002", before)
    job = [j for j in a.get("/v1/jobs") if j["target"] == "n002"][-1]
    check(job["actor"] == "uid:0" and job["state"] == "done", job)


def viewers_may_not(a):
    """a viewer's SET is refused, and so is an unknown user's"""
    code, out = a.tool("snmpset", "127.0.0.1:1161", ACTION % 1, "=", "off", user="viewer")
    check(code != 0 and re.search("authorization|noAccess|notWritable", out), out)
    check(a.node("n001")["power"] == "on", "it was switched")


def many_want_yes(a):
    """more than one node wants --yes; nothing happens without"""
    jobs = len(a.get("/v1/jobs"))
    code, out = a.tool("gloryctl", "power", "off", "n[003-004]")
    check(code == 1 and "--yes" in out, "code %d: %s" % (code, out))
    check(len(a.get("/v1/jobs")) == jobs, "a job was made")
    code, out = a.tool("gloryctl", "power", "off", "n[003-004]", "--yes")
    check(code == 0, out)
    check(a.node("n003")["power"] == "off" and a.node("n004")["power"] == "off", "they are on")
    code, out = a.tool("gloryctl", "--json", "power", "on", "n[003-004]")
    check(code == 0, out)
    json.loads(out[out.index("{"):out.rindex("}") + 1])


def same_verb_same_job(a):
    """a repeat of the same verb returns the open job; another verb is refused with its id"""
    status, first = a.command("power", "n001", {"verb": "cycle"})
    status2, second = a.command("power", "n001", {"verb": "cycle"})
    status3, third = a.command("power", "n001", {"verb": "off"})
    check(status == 200 and status2 == 200 and first["job"] == second["job"], "%s %s" % (first, second))
    check(status3 != 200 and str(first["job"]) in third["error"]["text"], third)
    a.wait_job(first["job"])


def storm_meets_brake(a):
    """SETs for all nodes of a group meet the brake: some act, the rest are refused, one alarm says so"""
    refused = accepted = 0
    for index in range(1, 15):
        code, out = a.tool("snmpset", "-r", "0", "-t", "5", "127.0.0.1:1161", ACTION % index, "=", "reset")
        accepted += code == 0
        refused += code != 0 and "inconsistentValue" in out
    check(refused > 0 and accepted <= 10 and refused + accepted == 14, "accepted %d, refused %d" % (accepted, refused))
    brakes = [x for x in a.alarms() if x["kind"] == "brake"]
    check(len(brakes) == 1, "alarms: %s" % a.alarms())
    wait_until("the jobs end", 60, lambda: all(j["ended"] for j in a.get("/v1/jobs")))
    wait_until("the brake lets go and its alarm clears", 90, lambda: not a.alarms(), every=0.5)


if __name__ == "__main__":
    run("power", {"nodes": 14, "groups": 1}, [by_snmpset, by_gloryctl, viewers_may_not, same_verb_same_job, many_want_yes, storm_meets_brake])
