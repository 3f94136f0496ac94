#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted state: export and apply agree, a bad file changes nothing and says where, nodes and groups come and go while all runs, by apply, by
gloryctl and by RowStatus; indexes survive a restart."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402


def export(a):
    code, out = a.tool("gloryctl", "export")
    check(code == 0 and "<cluster" in out, out[:300])
    return out


def apply(a, text, *options):
    path = os.path.join(a.work, "try.xml")
    with open(path, "w") as f:
        f.write(text)
    return a.tool("gloryctl", "apply", path, *options)


def names(a):
    return [n["name"] for n in a.get("/v1/nodes")]


def round_trip(a):
    """export, apply: no difference"""
    text = export(a)
    code, out = apply(a, text, "--dry-run", "--prune")
    check(code == 0, out)
    check(not re.search(r"^\s*[+~-] ", out, re.M), "a difference: %s" % out)


def bad_files(a):
    """bad files: refused with line, object, remedy; nothing applied"""
    text = export(a)
    before = a.get("/v1/site")
    bad = {
        "address": (text.replace("10.99.1.1", "10.99.1.999", 1), "10.99.1.999"),
        "reference": (text.replace('snmp="nodes"', 'snmp="nothing"'), "nothing"),
        "suite 0": (text.replace("<credentials>", '<credentials><bmc name="weak" user="x" suite="0"/>', 1), "suite"),
        "cut short": (text[:len(text) // 2], ""),
        "entity": ('<!DOCTYPE cluster [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + text, ""),
        "not XML": ("\x00\x01 rubbish", ""),
    }
    for what, (content, word) in bad.items():
        code, out = apply(a, content)
        check(code == 1 and word in out, "%s: code %d: %s" % (what, code, out))
        check(a.get("/v1/site")["generation" if "generation" in before else "nodes"] ==
              before["generation" if "generation" in before else "nodes"], "%s changed something" % what)
    check(re.search(r":\d+", apply(a, bad["address"][0])[1]), "no line number: %s" % apply(a, bad["address"][0])[1])


def by_apply(a):
    """a node leaves by apply --prune and comes back by apply; the others never notice"""
    text = export(a)
    code, out = a.tool("gloryctl", "node", "remove", "n004")
    check(code == 0 and "n004" not in names(a), out)
    smaller = export(a)
    code, out = apply(a, text)
    check(code == 0 and "n004" in names(a), out)
    code, out = apply(a, smaller)  # what is missing stays without --prune
    check(code == 0 and "n004" in names(a), out)
    code, out = apply(a, smaller, "--prune")
    check(code == 0 and "n004" not in names(a), out)
    code, out = apply(a, text)
    check(code == 0, out)
    wait_until("n004 is watched again", 20, lambda: a.verdict("n004")[0] == "up")
    for name in ("n001", "n002", "n003"):
        check(a.verdict(name)[0] == "up", "%s was disturbed" % name)


def by_gloryctl(a):
    """groups and nodes added and removed by gloryctl"""
    text = export(a)
    code, out = a.tool("gloryctl", "group", "add", "g09")
    check(code == 0, out)
    address = a.node("n003")["address"]
    code, out = a.tool("gloryctl", "node", "remove", "n003")
    check(code == 0, out)
    code, out = a.tool("gloryctl", "node", "add", "m003", "--group", "g09", "--address", address.split(":")[0], "--snmp", "nodes")
    check(code == 0, out)
    wait_until("m003 is up", 20, lambda: a.verdict("m003")[0] == "up")
    code, out = a.tool("gloryctl", "group", "remove", "g09")
    check(code == 1, "a group with nodes went: %s" % out)
    code, out = a.tool("gloryctl", "node", "remove", "m003")
    check(code == 0, out)
    code, out = a.tool("gloryctl", "group", "remove", "g09")
    check(code == 0, out)
    code, out = apply(a, text, "--prune")
    check(code == 0 and "n003" in names(a), out)


def maintenance(a):
    """maintenance: the true verdict, level normal, no alarm"""
    code, out = a.tool("gloryctl", "node", "set", "n002", "--maintenance", "on")
    check(code == 0, out)
    a.lab("agent-stop", "n002")
    wait_until("agent-dead", 10, lambda: a.verdict("n002")[0] == "agent-dead")
    check(a.node("n002")["level"] == "normal" and not a.alarms(), "level %s, alarms %s" % (a.node("n002")["level"], a.alarms()))
    a.lab("agent-start", "n002")
    wait_until("up", 15, lambda: a.verdict("n002")[0] == "up")
    code, out = a.tool("gloryctl", "node", "set", "n002", "--maintenance", "off")
    check(code == 0, out)


def by_row_status(a):
    """createAndGo and destroy by an admin's SET; an operator may not"""
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeNextIndex.0")
    check(code == 0, out)
    new = out.split()[0]
    for user, good in (("operator", False), ("admin", True)):
        code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeName." + new, "=", "w077",
                           "GLORY-CL-MIB::gloryNodeGroup." + new, "=", "g01", "GLORY-CL-MIB::gloryNodeAddress." + new, "=", "10.99.1.77",
                           "GLORY-CL-MIB::gloryNodeRowStatus." + new, "=", "createAndGo", user=user)
        check((code == 0) == good, "%s: %s" % (user, out))
    check("w077" in names(a), names(a))
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeRowStatus." + new, "=", "destroy", user="admin")
    check(code == 0 and "w077" not in names(a), out)
    wait_until("no alarm is left", 10, lambda: not a.alarms())


def indexes_survive(a):
    """the MIB index of a node is the same after a restart"""
    def table():
        code, out = a.tool("snmpwalk", "-Oq", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeName")
        check(code == 0, out)
        return sorted(out.split("\n"))
    before = table()
    a.stop()
    a.start()
    wait_until("the agent answers with the same rows", 20, lambda: a.tool("snmpwalk", "-Oq", "127.0.0.1:1161",
                                                                          "GLORY-CL-MIB::gloryNodeName")[0] == 0 and table() == before)


if __name__ == "__main__":
    run("wanted", {"nodes": 4, "groups": 2}, [round_trip, bad_files, by_apply, by_gloryctl, maintenance, by_row_status, indexes_survive])
