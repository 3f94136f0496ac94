#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event logs of BMCs: what is new appears in words and is kept, once, over the death of any role; a clear reads everything first; what others
add and clear is noticed."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

# a power supply's loss of input, added by hand: record id and time stamp are given by the BMC
ADD = "00 0a 44 00 00 02 00 00 00 00 20 00 04 08 04 6f %02x ff ff"
OEM = "00 0a 44 00 00 e0 01 02 03 04 05 06 07 08 09 0a 0b 0c %02x"


def raw(a, node, text):
    """Another session at the BMC: one command in hex (LUN, network function, command, data); the answer's bytes."""
    command = ["ipmi-raw", "-h", "10.98.1.%d" % int(node[1:]), "--config-file", os.path.join(a.lab_dir, "client", "freeipmi.conf")]
    done = subprocess.run(command + ["0x" + x for x in text.split()], capture_output=True, text=True)
    check(done.returncode == 0 and "rcvd" in done.stdout, done.stdout + done.stderr)
    return [int(x, 16) for x in done.stdout.split("rcvd:")[1].split()]


def in_log(a, node):
    answer = raw(a, node, "00 0a 40")
    check(answer[1] == 0, "completion code %02x" % answer[1])
    return answer[3] | answer[4] << 8


def entries(a, node):
    return a.get("/v1/sel?range=" + node)


def read_now(a, node):
    code, out = a.tool("gloryctl", "sel", "read", node)
    check(code == 0, out)


def appears(a, node, wanted, seconds=20):
    """Reads until an entry is there that wanted() likes; returns it."""
    def look():
        read_now(a, node)
        found = [x for x in entries(a, node) if wanted(x)]
        return found[-1] if found else None
    return wait_until(lambda: "an entry of %s: %s" % (node, [x["event"] for x in entries(a, node)]), seconds, look, every=0.3)


def no_twins(a, node):
    rows = entries(a, node)
    numbers = [x["number"] for x in rows]
    check(len(set(x["raw"] for x in rows)) == len(rows), "an entry stands there twice: %s" % rows)
    check(numbers == sorted(set(numbers)), numbers)


def sensor_event(a):
    """a sensor beyond its threshold: an entry with its name, reading, level and both times"""
    a.lab("sensor", "n001", "CPU1 Temp", "95")
    x = appears(a, "n001", lambda x: "Upper Critical" in x["event"])
    check(x["sensor"] == "CPU1 Temp" and x["type"] == "Temperature" and x["level"] == "major", x)
    check("95" in x["event"] and "90" in x["event"] and x["direction"] == "asserted" and x["node"] == "n001" and x["seen"], x)
    a.lab("sensor", "n001", "CPU1 Temp", "45")
    appears(a, "n001", lambda x: "Upper Critical" in x["event"] and x["direction"] == "deasserted")
    code, out = a.tool("gloryctl", "sel", "list", "n001")
    check(code == 0 and "Upper Critical - going high" in out and "CPU1 Temp" in out, out)
    no_twins(a, "n001")


def added_by_others(a):
    """entries that another session adds, OEM ones as hex"""
    raw(a, "n001", ADD % 3)
    x = appears(a, "n001", lambda x: x["raw"].endswith("6f03ffff"))
    check("input lost" in x["event"] and x["sensor"] == "PSU1 Status", x)
    raw(a, "n001", OEM % 0x77)
    x = appears(a, "n001", lambda x: x["type"] == "OEM")
    check(x["event"] == "0102030405060708090a0b0c77" and x["time"] is None and x["level"] == "unknown", x)


def outlives_roles(a):
    """kill -9 of engine, BMC role and all: every entry is still there, none twice"""
    before = entries(a, "n001")
    for role in ("engine", "bmc"):
        raw(a, "n001", ADD % (1 if role == "engine" else 6))
        read_now(a, "n001")
        old = a.kill(role, signal.SIGKILL)
        a.wait_back(role, old, 30)
        appears(a, "n001", lambda x: ("Failure" if role == "engine" else "Configuration") in x["event"], 60)
        no_twins(a, "n001")
    a.kill_tree()
    a.start()
    after = entries(a, "n001")
    check([x["raw"] for x in after[:len(before)]] == [x["raw"] for x in before], "before %s\nafter %s" % (before, after))
    check([x["number"] for x in after[:len(before)]] == [x["number"] for x in before], "numbers changed")
    raw(a, "n001", ADD % 2)
    appears(a, "n001", lambda x: "Predictive" in x["event"], 60)
    no_twins(a, "n001")


def clear_reads_first(a):
    """a clear keeps what nobody has read yet, empties the BMC's log, and is in the audit"""
    kept = len(entries(a, "n001"))
    for i in range(40):
        raw(a, "n001", OEM % i)
    code, out = a.tool("gloryctl", "sel", "clear", "n001")
    check(code == 0, out)
    rows = entries(a, "n001")
    check(len(rows) >= kept + 40, "%d kept, %d were, 40 came" % (len(rows), kept))
    check(in_log(a, "n001") == 0, "%d entries are in the log" % in_log(a, "n001"))
    audit = [x for x in a.get("/v1/audit?newest=1&limit=5") if x["verb"] == "sel-clear"]
    check([x["outcome"] for x in audit] == ["begun", "1 cleared, 0 not"] and audit[0]["actor"] == "uid:0", audit)
    raw(a, "n001", ADD % 0)
    appears(a, "n001", lambda x: "Presence" in x["event"] and x["number"] > rows[-1]["number"])
    no_twins(a, "n001")


def cleared_by_others(a):
    """a log that somebody else clears: noticed, and what comes after is read"""
    raw(a, "n002", ADD % 1)
    appears(a, "n002", lambda x: "Failure" in x["event"])
    reservation = raw(a, "n002", "00 0a 42")
    raw(a, "n002", "00 0a 47 %02x %02x 43 4c 52 aa" % (reservation[2], reservation[3]))
    check(in_log(a, "n002") == 0, "not cleared")
    raw(a, "n002", ADD % 3)
    appears(a, "n002", lambda x: "input lost" in x["event"])

    def said():
        with open(a.log_path) as f:
            return f.read().count("n002: its BMC's event log was cleared by somebody else")
    wait_until("the appliance's log says it", 10, lambda: said() > 0)
    no_twins(a, "n002")
    check(said() == 1, "the appliance's log says it %d times" % said())


def weaknesses(a):
    """what a BMC is found to let anybody do is an alarm, unless its model's row accepts it"""
    path = os.path.join(a.work, "etc", "cluster.xml")
    with open(path) as f:
        accepting = f.read()
    changed = os.path.join(a.work, "strict.xml")
    with open(changed, "w") as f:
        f.write(accepting.replace(' accepted="suite-0 weak-suites"', ""))
    check(accepting.count("accepted=") == 1, "the lab's cluster.xml accepts nothing")
    code, out = a.tool("gloryctl", "apply", changed)
    check(code == 0, out)
    found = wait_until(lambda: "alarms: %s" % a.alarms(), 20, lambda: [
        x for x in a.alarms() if x["kind"] == "bmc-finding" and x["object"] == "n001" and "suite 0" in x["cause"]])
    check(found[0]["severity"] == "warning", found)
    code, out = a.tool("gloryctl", "alarm", "ack", found[0]["id"])
    check(code == 0, out)
    code, out = a.tool("gloryctl", "apply", path)
    check(code == 0, out)
    wait_until("the alarms clear", 10, lambda: not a.alarms())


def inventory(a):
    """an inventory that the BMC does not have is told as such, and not asked for again and again"""
    rows = wait_until("both inventories", 30, lambda: (lambda r: r if len(r) == 2 else None)(a.get("/v1/inventory")))
    check(all(x["product_name"] is None and x["read"] for x in rows), rows)
    code, out = a.tool("gloryctl", "node", "inventory", "n001")
    check(code == 0 and "n001" in out and "n002" not in out, out)


def several(a):
    """several nodes want --yes, a node without answer is told by name, viewers may not"""
    raw(a, "n002", OEM % 0xb0)
    code, out = a.tool("gloryctl", "sel", "clear", "n[001-002]")
    check(code == 1 and "--yes" in out, "code %d: %s" % (code, out))
    check(in_log(a, "n002") > 0, "cleared without --yes")
    for i in range(3):
        raw(a, "n001", OEM % (0xa0 + i))
    code, out = a.tool("gloryctl", "sel", "clear", "n[001-002]", "--yes")
    check(code == 0 and in_log(a, "n002") == 0 and in_log(a, "n001") == 0, "code %d: %s" % (code, out))
    rows = a.get("/v1/sel?range=n[001-002]&limit=3")
    check([x["node"] for x in rows] == ["n001"] * 3 + ["n002"] * min(3, len(entries(a, "n002"))), rows)
    status, body = a.request("GET", "/v1/sel?range=n099")
    check(status == 404, body)


if __name__ == "__main__":
    run("sel", {"nodes": 2, "groups": 1},
        [sensor_event, added_by_others, outlives_roles, clear_reads_first, cleared_by_others, several, weaknesses, inventory])
