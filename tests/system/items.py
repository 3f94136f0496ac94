#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items at run time: a scalar, columns with a filter, expressions come, change and go while all runs; values, levels, alarms, history, cost; the
other items never notice; nothing accepted is lost by a kill; bad input changes nothing; the same by RowStatus."""
import math
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402

TTL = "1.3.6.1.2.1.4.2.0"          # ipDefaultTTL: 64 on every node
PACKETS = "1.3.6.1.2.1.11.1.0"     # snmpInPkts: counts up with every poll
MTU = "1.3.6.1.2.1.2.2.1.4"        # ifMtu
RUN_NAME = "1.3.6.1.2.1.25.4.2.1.2"   # hrSWRunName
RUN_MEM = "1.3.6.1.2.1.25.5.1.1.2"    # hrSWRunPerfMem
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"  # ifName


def ctl(a, *words):
    code, out = a.tool("gloryctl", *words)
    check(code == 0, "gloryctl %s: %s" % (" ".join(map(str, words)), out))
    return out


def item(a, name):
    rows = a.get("/v1/items?name=" + name)
    return rows[0] if rows else None


def values(a, name, node="n001"):
    """{instance: value} of an item on a node"""
    return {v["instance"]: v["value"] for v in a.get("/v1/values?range=%s&item=%s" % (node, name))}


def wait_value(a, name, probe, seconds, node="n001", instance=None):
    return wait_until(lambda: "%s of %s (now %s)" % (name, node, values(a, name, node)), seconds,
                      lambda: (lambda v: instance in v and v[instance] is not None and probe(v[instance]))(values(a, name, node)))


def export(a):
    return ctl(a, "export")


def rrd(a, name, group="g01", node="n001"):
    return os.path.join(a.work, "var", "rrd", "demo", group, node, "snmp", name + ".rrd")


def fetch(a, path, since, item_of_graph, node="n001"):
    """[(time, value)] of the first data source since then, after what waits has been written."""
    ctl(a, "graph", node, item_of_graph, "-o", os.path.join(a.work, "graph.png"))
    done = subprocess.run(["rrdtool", "fetch", path, "AVERAGE", "-r", "10", "-s", str(int(since)), "-e", "now"], capture_output=True, text=True)
    check(done.returncode == 0, "%s: %s" % (path, done.stderr))
    rows = []
    for line in done.stdout.split("\n")[2:]:
        if ":" in line:
            at, _, rest = line.partition(":")
            rows.append((int(at), float(rest.split()[0])))
    return rows


def scalar(a):
    """a scalar: a value within two polls, level and alarm by its threshold, set, history, remove"""
    begun = time.time()
    ctl(a, "item", "add", "ttl", "--oid", TTL, "--interval", "2", "--unit", "hops", "--scope", "n[001-002]")
    wait_value(a, "ttl", lambda v: v == 64, 5)
    wait_value(a, "ttl", lambda v: v == 64, 5, node="n002")
    check(not values(a, "ttl", "n003"), "n003 is not in its scope")
    row = item(a, "ttl")
    check(row["kind"] == "scalar" and row["nodes"] == 2 and row["oid"] == TTL and row["unit"] == "hops", row)
    ctl(a, "item", "set", "ttl", "--thresholds", "warning above 60 clear 50")
    wait_until("alarms of n001 and n002", 6, lambda: sorted(x["object"] for x in a.alarms() if x["kind"] == "item:ttl") == ["n001", "n002"])
    wait_until("the node's level", 5, lambda: a.node("n001")["level"] == "warning")
    check("ttl" in a.node("n001")["cause"], a.node("n001"))
    shown = a.get("/v1/nodes/n001")["values"]
    check([v for v in shown if v["item"] == "ttl" and v["level"] == "warning"], shown)
    ctl(a, "item", "set", "ttl", "--thresholds", "warning above 100")
    wait_until("no alarm", 6, lambda: not a.alarms())
    ctl(a, "item", "set", "ttl", "--scope", "n001")
    wait_until("n002 has none any more", 5, lambda: not values(a, "ttl", "n002"))
    check(values(a, "ttl")["" if "" in values(a, "ttl") else None] == 64, "n001 has it still")
    wait_until("its history", 40, lambda: os.path.exists(rrd(a, "item-ttl")) or fetch_quietly(a, "ttl"), every=1)
    ctl(a, "item", "remove", "ttl")
    check(item(a, "ttl") is None and not values(a, "ttl"), "it is gone at once")
    rows = fetch(a, rrd(a, "item-ttl"), begun - 20, "ttl")  # the graph of an item that is gone; a step is dated by its beginning
    check([v for _, v in rows if v == 64], "no history: %s" % rows)
    code, out = a.tool("gloryctl", "graph", "n001", "no_such_item", "-o", os.path.join(a.work, "graph.png"))
    check(code == 1 and "no such item" in out, out)


def fetch_quietly(a, name):
    a.tool("gloryctl", "graph", "n001", name, "-o", os.path.join(a.work, "graph.png"))
    return False


def link(a, node, *words):
    done = subprocess.run(["nsenter", "--net=" + os.path.join(a.lab_dir, "ns", node), "ip", "link"] + list(words), capture_output=True, text=True)
    check(done.returncode == 0, "ip link %s: %s" % (" ".join(words), done.stderr))


def process(a, node, path):
    """A process of the node that ends when its standard input does."""
    with open(os.path.join(a.lab_dir, "nodes", node, "pid")) as f:
        pid = f.read().strip()
    return subprocess.Popen(["nsenter", "-t", pid, "--pid", path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def column(a):
    """columns with a filter: other filters let other rows in, rows appear and vanish with what they stand for"""
    link(a, "n001", "add", "tap1", "mtu", "1400", "type", "veth", "peer", "name", "tap9")
    ctl(a, "item", "add", "mtu", "--oid", MTU, "--instances", IF_NAME, "--include", "eth*,tap*", "--exclude", "*9", "--interval", "2",
        "--scope", "n001")
    wait_value(a, "mtu", lambda v: v == 1500, 10, instance="eth0")
    check("tap9" not in values(a, "mtu") and "lo" not in values(a, "mtu"), "rows that the filter leaves out: %s" % values(a, "mtu"))
    check(item(a, "mtu")["per_instance"] and item(a, "mtu")["kind"] == "table", item(a, "mtu"))
    wait_value(a, "mtu", lambda v: v == 1400, 90, instance="tap1")  # the agent looks at its interfaces now and then
    check("tap9" not in values(a, "mtu"), values(a, "mtu"))
    ctl(a, "item", "set", "mtu", "--exclude", "")
    wait_value(a, "mtu", lambda v: v > 0, 10, instance="tap9")
    ctl(a, "item", "set", "mtu", "--include", "tap*")
    wait_until("eth0 is left out", 5, lambda: sorted(values(a, "mtu")) == ["tap1", "tap9"])
    ctl(a, "item", "set", "mtu", "--thresholds", "major below 1450")
    wait_until("an alarm of tap1", 6, lambda: [x for x in a.alarms() if x["kind"] == "item:mtu" and x["severity"] == "major"])
    ctl(a, "item", "remove", "mtu")
    wait_until("no alarm of what is measured no more", 5, lambda: not a.alarms())
    link(a, "n001", "del", "tap1")
    path = os.path.join(a.work, "rowcat")
    shutil.copy("/bin/cat", path)
    ctl(a, "item", "add", "rowmem", "--oid", RUN_MEM, "--instances", RUN_NAME, "--include", "rowcat", "--interval", "2", "--scope", "n001",
        "--thresholds", "warning above 1")
    one = process(a, "n001", path)
    try:
        wait_value(a, "rowmem", lambda v: v > 0, 100, instance="rowcat")
        wait_until("an alarm of the row", 6, lambda: [x for x in a.alarms() if x["kind"] == "item:rowmem"])
    finally:
        one.stdin.close()
        one.wait()
    wait_until("the row is gone, and its alarm", 100, lambda: not values(a, "rowmem") and not a.alarms())
    ctl(a, "item", "remove", "rowmem")


def expression(a):
    """expressions: of scalars, per row, over one another; unknown where an operand is; counters become rates"""
    ctl(a, "item", "add", "packets", "--oid", PACKETS, "--counter", "true", "--interval", "2", "--unit", "1/s")
    ctl(a, "item", "add", "ttl", "--oid", TTL, "--interval", "2")
    ctl(a, "item", "add", "half", "--expression", "ttl / 2 + 1", "--interval", "1")
    ctl(a, "item", "add", "share", "--expression", "100 * half / ttl", "--interval", "1")
    ctl(a, "item", "add", "traffic", "--expression", "if_in + if_out", "--interval", "2", "--unit", "B/s")
    ctl(a, "item", "add", "never", "--expression", "1 / (ttl - ttl)", "--interval", "1")
    wait_value(a, "half", lambda v: v == 33, 8)
    wait_value(a, "share", lambda v: math.isclose(v, 51.5625), 4)
    wait_value(a, "packets", lambda v: 0 < v < 100, 10)
    wait_value(a, "traffic", lambda v: v >= 0, 25, instance="eth0")
    check(values(a, "never").get(None) is None, "a division by zero: %s" % values(a, "never"))
    code, out = a.tool("gloryctl", "item", "remove", "half")
    check(code == 1 and "share" in out, "an operand went: %s" % out)
    for name in ("share", "half", "never", "traffic", "packets", "ttl"):
        ctl(a, "item", "remove", name)


def no_gap(a):
    """edits leave the other items alone: no unknown step in their history, no poll late"""
    ctl(a, "item", "add", "ttl", "--oid", TTL, "--interval", "1")
    wait_value(a, "ttl", lambda v: v == 64, 5)
    select_pause(12)  # a first whole step of the history
    begun = time.time()
    late = a.get("/v1/site")["appliance"]["late_polls"]
    for i in range(12):
        ctl(a, "item", "add", "extra%d" % i, "--oid", PACKETS, "--counter", "true", "--interval", str(1 + i))
        select_pause(1.5)
        ctl(a, "item", "set", "extra%d" % i, "--interval", "3")
        ctl(a, "item", "add", "rows%d" % i, "--oid", MTU, "--instances", IF_NAME, "--interval", "2")
        select_pause(1.5)
        if i % 2:
            ctl(a, "item", "remove", "extra%d" % i)
    ended = time.time()
    wait_until("the step ended", 15, lambda: time.time() // 10 > ended // 10 + 0.5, every=0.5)
    check(a.get("/v1/site")["appliance"]["late_polls"] == late, "polls were late")
    for path, name in ((rrd(a, "base"), "uptime"), (rrd(a, "item-ttl"), "ttl")):
        rows = [(t, v) for t, v in fetch(a, path, begun, name) if begun + 10 < t < ended - 5]
        check(len(rows) >= 2, "%s: too few rows: %s" % (path, rows))
        check(not [t for t, v in rows if math.isnan(v)], "%s: a gap: %s" % (path, rows))
    costs = {r["name"]: r for r in a.get("/v1/items?kind=scalar,table")}
    wait_until("costs are known", 15, lambda: item(a, "ttl")["requests_per_second"] > 0)
    ttl = item(a, "ttl")  # in one request a second with others of its interval on each of 4 nodes, so at most 4, and at least its share
    check(0.3 <= ttl["requests_per_second"] <= 4.01 and 50 < ttl["bytes_per_second"] < 4000, ttl)
    check("ttl" in ctl(a, "item", "list"), costs)
    for row in a.get("/v1/items?kind=scalar,table"):
        ctl(a, "item", "remove", row["name"])


def kill(a):
    """kill -9 of the engine right after the answer: the edit is there, values go on"""
    ctl(a, "item", "add", "ttl", "--oid", TTL, "--interval", "1")
    wait_value(a, "ttl", lambda v: v == 64, 5)
    index = item(a, "ttl")["index"]
    for verb, words, probe in (("add", ["--oid", PACKETS, "--interval", "1"], lambda: item(a, "late") is not None),
                               ("set", ["--unit", "packets"], lambda: item(a, "late")["unit"] == "packets"),
                               ("remove", [], lambda: item(a, "late") is None)):
        ctl(a, "item", verb, "late", *words)
        old = a.kill("engine")
        a.wait_back("engine", old, 20)
        check(probe(), "%s was lost" % verb)
    check(item(a, "ttl")["index"] == index, "its index moved")
    wait_value(a, "ttl", lambda v: v == 64, 10)
    old = a.kill("collector")
    wait_until("the collector is back", 20, lambda: a.pid("collector") not in (0, old))
    wait_until("a new value", 10, lambda: [v for v in a.get("/v1/values?range=n001&item=ttl") if v["value"] == 64 and v["level"] == "normal"])
    ctl(a, "item", "remove", "ttl")


def bad_input(a):
    """bad input is refused with object, cause and remedy; nothing is half applied"""
    ctl(a, "item", "add", "good", "--expression", "cpu + 1")
    before = export(a)
    bad = [
        (["add", "x", "--oid", "1.3.6.x"], "object identifier"),
        (["add", "x", "--oid", "1.3.6.1.2.1"], "does not end in .0"),
        (["add", "x", "--oid", TTL, "--instances", IF_NAME], "oid of a scalar"),
        (["add", "x", "--oid", TTL, "--scope", "@nowhere"], "names no group"),
        (["add", "x", "--oid", TTL, "--scope", "n[1-"], "scope"),
        (["add", "x", "--oid", TTL, "--interval", "0"], "interval"),
        (["add", "x", "--oid", TTL, "--interval", "86401"], "interval"),
        (["add", "x", "--oid", TTL, "--thresholds", "warning over 5"], "threshold"),
        (["add", "x", "--oid", MTU, "--instances", IF_NAME, "--include", "eth[0"], "list of patterns"),
        (["add", "x", "--oid", TTL, "--include", "eth*"], "no rows"),
        (["add", "x", "--expression", "nothing + 1"], "there is no item nothing"),
        (["add", "x", "--expression", "x + 1"], "circle"),
        (["set", "good", "--expression", "good * 2"], "circle"),
        (["add", "x", "--expression", "if_in + disk_fill"], "different tables"),
        (["add", "x", "--expression", "cpu +"], "a value is missing"),
        (["add", "x"], "nothing is said"),
        (["add", "cpu", "--oid", TTL], "built in"),
        (["add", "good", "--oid", TTL], "exists"),
        (["add", "Bad-Name", "--oid", TTL], "small letters"),
        (["set", "nothing", "--unit", "x"], "no such item"),
        (["remove", "nothing"], "no such item"),
        (["add", "x", "--oid", TTL, "--expression", "cpu"], "needs no oid"),
    ]
    for words, why in bad:
        code, out = a.tool("gloryctl", "item", *words)
        check(code == 1 and why in out and out.count(":") >= 2, "item %s: code %d: %s" % (" ".join(words), code, out))
    check(export(a) == before, "something was applied")
    many = before.replace("</cluster>", "".join('<item name="m%d" oid="%s"/>' % (i, TTL) for i in range(64)) + "</cluster>")
    path = os.path.join(a.work, "many.xml")
    with open(path, "w") as f:
        f.write(many)
    code, out = a.tool("gloryctl", "apply", path)
    check(code == 1 and "65 items" in out, "the 65th: %s" % out)
    check(export(a) == before, "something was applied")
    with open(path, "w") as f:
        f.write(many.replace('<item name="m63" oid="%s"/>' % TTL, ""))
    code, out = a.tool("gloryctl", "apply", path)
    check(code == 0, out)
    wait_value(a, "m62", lambda v: v == 64, 15)
    code, out = a.tool("gloryctl", "item", "add", "x", "--oid", TTL)
    check(code == 1 and "at most 64" in out, out)
    with open(path, "w") as f:
        f.write(before)
    code, out = a.tool("gloryctl", "apply", path, "--prune")
    check(code == 0 and item(a, "m62") is None and export(a) == before, out)
    ctl(a, "item", "remove", "good")


def by_row_status(a):
    """createAndGo, changes and destroy by an admin's SET; an operator may not; a bad one changes nothing"""
    def get(column, index):
        code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::%s.%s" % (column, index))
        return out.split("\n")[0].strip('"') if code == 0 else None  # the library tells of its directories behind
    new = get("gloryItemNextIndex", "0")
    row = ["GLORY-CL-MIB::gloryItemName." + new, "=", "snmp_ttl", "GLORY-CL-MIB::gloryItemSource." + new, "=", TTL,
           "GLORY-CL-MIB::gloryItemInterval." + new, "=", "2", "GLORY-CL-MIB::gloryItemThresholds." + new, "=", "warning above 60; major above 200",
           "GLORY-CL-MIB::gloryItemRowStatus." + new, "=", "createAndGo"]
    for user, good in (("operator", False), ("admin", True)):
        code, out = a.tool("snmpset", "127.0.0.1:1161", *row, user=user)
        check((code == 0) == good, "%s: %s" % (user, out))
    wait_value(a, "snmp_ttl", lambda v: v == 64, 6)
    wait_until("the row", 5, lambda: get("gloryItemName", new) == "snmp_ttl")
    check(get("gloryItemKind", new) == "scalar" and get("gloryItemNodes", new).split()[0] == "4" and get("gloryItemScope", new) == "@site", "its columns")
    check("major above 200" in get("gloryItemThresholds", new), get("gloryItemThresholds", new))
    wait_until("alarms", 6, lambda: len([x for x in a.alarms() if x["kind"] == "item:snmp_ttl"]) == 4)
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryItemThresholds." + new, "=", "", user="admin")
    check(code == 0, out)
    wait_until("no alarm", 6, lambda: not a.alarms())
    for column, value in (("gloryItemSource", "1.3.x"), ("gloryItemScope", "@nowhere"), ("gloryItemInterval", "0")):
        code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::%s.%s" % (column, new), "=", value, user="admin")
        check(code != 0, "%s = %s was taken" % (column, value))
    check(item(a, "snmp_ttl")["oid"] == TTL and item(a, "snmp_ttl")["interval_s"] == 2, "something was applied")
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryItemRowStatus." + new, "=", "destroy", user="admin")
    check(code == 0 and item(a, "snmp_ttl") is None, out)
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryItemRowStatus.2", "=", "destroy", user="admin")
    check(code != 0, "a built-in item went")


if __name__ == "__main__":
    run("items", {"nodes": 4, "groups": 2}, [scalar, column, expression, bad_input, kill, by_row_status, no_gap])
