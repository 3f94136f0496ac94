#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storm of SETs for a hundred nodes meets the brake: as many machines are reset as the brake allows and not one more, the rest is refused with
inconsistentValue, one alarm calls a person. A group of 250 that goes dark is one root alarm."""
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402
from swarm import SwarmAppliance  # noqa: E402

NODES = 250
STORM = 100
ALLOWED = 25  # a tenth of the group, where that is more than ten


def resets(a):
    """Machines whose BMC was told to reset, as the swarm counted."""
    return sum(int(n) for n in re.findall(r" power_commands (\d+)", a.knob("show", "bmcs", "0-%d" % (NODES - 1))))


def storm_of_sets(a):
    """100 nodes are set to reset at once over SNMP: the brake's number acts, the rest is refused, one alarm"""
    wait_until("power of all nodes is known", 60, lambda: all(n["power"] == "on" for n in a.get("/v1/nodes")))
    before = resets(a)

    def one(index):
        return a.tool("snmpset", "-r", "0", "-t", "10", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodePowerAction.%d" % index, "=", "reset")
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, range(1, STORM + 1)))
    check(time.monotonic() - began < 60, "the storm took longer than the brake's minute")
    accepted = [i + 1 for i, (code, _) in enumerate(answers) if code == 0]
    refused = [out for code, out in answers if code != 0 and "inconsistentValue" in out]
    check(len(accepted) == ALLOWED and len(refused) == STORM - ALLOWED,
          "accepted %d, refused %d, else %s" % (len(accepted), len(refused), [o for c, o in answers if c != 0 and "inconsistentValue" not in o][:2]))
    wait_until("the jobs end", 60, lambda: all(j["ended"] for j in a.get("/v1/jobs")))
    check(resets(a) - before == ALLOWED, "%d machines were told to reset" % (resets(a) - before))
    brakes = [x for x in a.alarms() if x["kind"] == "brake"]
    check(len(brakes) == 1 and brakes[0]["object"] == "g01", a.alarms())
    wait_until("the brake lets go, its alarm clears, all are up", 150,
               lambda: not a.alarms() and all(n["verdict"] == "up" for n in a.get("/v1/nodes")), every=0.5)


def group_of_250_dark(a):
    """L20: a group of 250 goes dark: one root alarm within 3.3 s, no node alarm; back within 10 s of its return"""
    first = max([x["id"] for x in a.get("/v1/alarms")], default=0)
    began = time.monotonic()
    a.knob("set", "agents", "0-%d" % (NODES - 1), "dead", 1)
    root = wait_until("the group's root alarm", 3.3, lambda: [x for x in a.alarms() if x["object"] == "g01"])
    print("        root alarm after %.2f s: %s" % (time.monotonic() - began, root[0]["cause"]), flush=True)
    wait_until("it is settled with all its members held", 12, lambda: [x for x in a.alarms() if x["object"] == "g01" and x.get("held", NODES) == NODES])
    a.knob("clear", "agents", "all")
    wait_until("all are up and the root is cleared", 10.5, lambda: not a.alarms() and all(n["verdict"] == "up" for n in a.get("/v1/nodes")))
    alarms = [x for x in a.get("/v1/alarms") if x["id"] > first]
    check(len(alarms) == 1, "alarms: %s" % alarms)


if __name__ == "__main__":
    run("storm", lambda: SwarmAppliance([("g01", 0, NODES, NODES)], NODES + 1), [group_of_250_dark, storm_of_sets])
