#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools, software, balancers and services by every face: made, shown, changed and removed by gloryctl, by apply and by RowStatus; what cannot be
is refused with object, cause and remedy and changes nothing; what an operator may do, and what not; metrics, page and graphs know them."""
import datetime
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

SERVICE = ("--balancer", "lb1", "--virtuals", "10.99.0.100:80", "--pool", "web", "--software", "nginx", "--agent", "systemd:nginx",
           "--probe", "http /", "--min", "2", "--max", "3", "--enabled", "false")


def ctl(a, *words):
    code, out = a.tool("gloryctl", *words)
    check(code == 0, "gloryctl %s: %d: %s" % (" ".join(words), code, out))
    return out


def refused(a, *words):
    """What gloryctl says; it says it in one line of object: cause: remedy, and the wanted state is as it was."""
    before = export(a)
    code, out = a.tool("gloryctl", *words)
    check(code == 1, "gloryctl %s: %d: %s" % (" ".join(words), code, out))
    check(out.count("\n") == 1 and out.count(": ") >= 2, "not one line of object, cause and remedy: %s" % out)
    check(export(a) == before, "gloryctl %s changed something" % " ".join(words))
    return out


def export(a):
    return ctl(a, "export")


def wanted(a, kind, name=None):
    rows = a.get("/v1/wanted?kind=%s%s" % (kind, "&name=" + name if name else ""))
    return rows[0] if name else rows


def apply(a, text, *options):
    path = os.path.join(a.work, "try.xml")
    with open(path, "w") as f:
        f.write(text)
    return a.tool("gloryctl", "apply", path, *options)


def make_all(a):
    ctl(a, "pool", "add", "web", "--nodes", "n[001-003]", "--reserve", "1")
    ctl(a, "software", "add", "nginx", "--package", "nginx-light")
    ctl(a, "balancer", "add", "lb1", "--driver", "haproxy", "--options", "socket=/run/haproxy/none.sock")
    ctl(a, "service", "add", "web", *SERVICE)


def remove_all(a):
    for kind, name in (("service", "web"), ("balancer", "lb1"), ("software", "nginx"), ("pool", "web")):
        ctl(a, kind, "remove", name)


def by_gloryctl(a):
    """made, shown, changed, removed; export and apply agree"""
    empty = export(a)
    make_all(a)
    check(wanted(a, "service", "web")["virtuals"] == "10.99.0.100:80" and wanted(a, "service", "web")["enabled"] is False, wanted(a, "service"))
    out = ctl(a, "software", "list")
    check("nginx-light" in out and "package" in out, out)
    out = ctl(a, "software", "show", "nginx")
    check(re.search(r"^package +nginx-light$", out, re.M), out)
    for words in (("pool", "list"), ("balancer", "list"), ("service", "list"), ("pool", "show", "web")):
        ctl(a, *words)
        ctl(a, *words, "--json")
    text = export(a)
    root = ET.fromstring(text)
    ns = "{urn:glory-cl:cluster:1}"
    service = root.find(ns + "service")
    check(service.attrib == {"name": "web", "balancer": "lb1", "virtuals": "10.99.0.100:80", "pool": "web", "software": "nginx",
                             "agent": "systemd:nginx", "probe": "http /", "max": "3", "enabled": "false"}, service.attrib)
    for options in (("--dry-run", "--prune"), ("--prune",)):
        code, out = apply(a, text, *options)
        check(code == 0 and not re.search(r"^\s*[+~-] ", out, re.M), "a difference: %s" % out)
    ctl(a, "service", "set", "web", "--schedule", "mon-fri 08:00-18:00 3", "--virtuals", "10.99.0.100:80, 10.99.0.100:443>8443", "--warm-s", "0")
    s = wanted(a, "service", "web")
    check(s["schedule"] == "mon-fri 08:00-18:00 3" and s["virtuals"].endswith("443>8443") and s["warm_s"] == 0, s)
    code, out = apply(a, export(a), "--dry-run", "--prune")
    check(code == 0 and not re.search(r"^\s*[+~-] ", out, re.M), "a difference: %s" % out)
    code, out = apply(a, text, "--dry-run")
    check(code == 0 and "web" in out and "schedule" in out, out)
    remove_all(a)
    check(export(a) == empty, "something is left: %s" % export(a))
    code, out = apply(a, text)
    check(code == 0 and wanted(a, "service", "web"), out)
    code, out = apply(a, empty, "--prune")
    check(code == 0 and not wanted(a, "service") and not wanted(a, "pool"), out)


def refusals(a):
    """unknown names, overlapping addresses, minimum above maximum, a pool that is too small, and what else cannot be"""
    make_all(a)
    base = list(SERVICE)
    other = ["--virtuals", "10.99.0.101:80"]

    def but(*pairs):
        words = dict(zip(base[::2], base[1::2]))
        words.update(dict(zip(other[::2], other[1::2])))
        words.update(dict(zip(pairs[::2], pairs[1::2])))
        return [w for pair in words.items() for w in pair]
    for words, cause in (
            (but("--pool", "nothing"), "pool nothing does not exist"),
            (but("--balancer", "nothing"), "balancer nothing does not exist"),
            (but("--software", "nothing"), "software nothing does not exist"),
            (but("--virtuals", "10.99.0.100:80"), "virtual 10.99.0.100:80 is that of service web too"),
            (but("--virtuals", "10.99.0.101:99999"), "virtuals: "),
            (but("--min", "4"), "min 4 is more than max 3"),
            (but("--min", "3"), "min 3 is more than pool web can give: 3 nodes, 1 of them kept in reserve"),
            (but("--agent", "init:nginx"), "agent: "),
            (but("--probe", "smile"), "probe: "),
            (but("--forwarding", "direct"), "does not do forwarding direct"),
            (but("--scheduler", "fastest"), "scheduler fastest is none"),
            (but("--item", "fan_speed"), "there is no item fan_speed"),
            (but("--item", "disk_fill"), "is not one value of a node in percent"),
            (but("--item", "load1"), "is not one value of a node in percent"),
            (but("--schedule", "daily 10:00-11:00 4"), "schedule asks for 4"),
            (but("--target", "99"), "target 99 is not a whole number from 10 to 95")):
        out = refused(a, "service", "add", "other", *words)
        check(cause in out, "%s: %s" % (cause, out))
    for words, cause in (
            (("pool", "add", "two", "--nodes", "n[003-004]"), "node n003 is in pool web too"),
            (("pool", "add", "two", "--nodes", "n[004-099]"), "node n005 does not exist"),
            (("pool", "add", "web", "--nodes", "n004"), "a pool of this name exists"),
            (("pool", "set", "web", "--nodes", "n[001-002]"), "service web: min 2 is more than pool web can give"),
            (("pool", "set", "web", "--reserve", "3"), "reserve 3 leaves none of its 3 nodes"),
            (("pool", "remove", "web"), "service web: pool web does not exist"),
            (("pool", "remove", "nothing"), "there is no such pool"),
            (("balancer", "remove", "lb1"), "service web: balancer lb1 does not exist"),
            (("balancer", "add", "sw", "--driver", "alteon"), "driver alteon needs the switch's address"),
            (("balancer", "add", "sw", "--driver", "alteon", "--address", "10.99.0.4", "--snmp", "nothing"), "snmp nothing does not exist"),
            (("balancer", "set", "lb1", "--driver", "apache"), "driver apache is not ipvs"),
            (("software", "remove", "nginx"), "service web: software nginx does not exist"),
            (("software", "add", "site", "--kind", "bundle", "--source", "/srv/site.tar", "--target", "/opt/site"), "a bundle needs a digest"),
            (("node", "remove", "n003"), "pool web: node n003 does not exist"),
            (("service", "pin", "web", "4"), "pin 4 is more than max 3"),
            (("service", "pin", "nothing", "2"), "there is no such service"),
            (("service", "show", "nothing"), "there is no such service"),
            (("graph", "service/nothing", "wanted", "-o", "/dev/null"), "there is no such service"),
            (("graph", "service/web", "cpu", "-o", "/dev/null"), "services have no such item")):
        out = refused(a, *words)
        check(cause in out, "%s: %s" % (cause, out))
    for bad in ("four", "0", "-1", "2.5"):
        check(a.tool("gloryctl", "service", "pin", "web", bad)[0] == 2, "a pin of %s was sent" % bad)
    code, out = apply(a, export(a).replace('max="3"', 'max="1"'))
    check(code == 1 and re.search(r"try.xml:\d+: service web: min 2 is more than max 1|:\d+.*min 2 is more than max 1", out), out)
    check(wanted(a, "service", "web")["max"] == 3, wanted(a, "service", "web"))
    remove_all(a)


def operated(a):
    """pin with and without an end, unpin, disable; an operator's SNMP user may do that, and nothing else"""
    make_all(a)
    ctl(a, "service", "pin", "web", "3", "--for", "2h")
    s = wanted(a, "service", "web")
    check(s["pin"] == 3 and s["pin_until"], s)
    ctl(a, "service", "pin", "web", "2")
    s = wanted(a, "service", "web")
    check(s["pin"] == 2 and "pin_until" not in s, "a pin without an end has one: %s" % s)
    ctl(a, "service", "unpin", "web")
    check("pin" not in wanted(a, "service", "web"), wanted(a, "service", "web"))
    ctl(a, "service", "disable", "web")
    check(wanted(a, "service", "web")["enabled"] is False, wanted(a, "service", "web"))

    def row():
        code, out = a.tool("snmpwalk", "-Oqs", "127.0.0.1:1161", "GLORY-CL-MIB::gloryServiceName")
        found = re.search(r"^gloryServiceName\.(\d+) \"?web\"?$", out, re.M)
        return found and found.group(1)
    index = wait_until("the service has a row", 10, row)

    def write(column, kind, value, user, *more):
        return a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryService%s.%s" % (column, index), kind, value, *more, user=user)
    until = ("GLORY-CL-MIB::gloryServicePinUntil." + index, "x", "07F4011F0C0000002B0000")
    code, out = write("WantedSize", "u", "3", "operator", *until)
    s = wanted(a, "service", "web")
    check(code == 0 and s["pin"] == 3 and s["pin_until"] == "2036-01-31T12:00:00.000Z", "%s %s" % (out, s))
    code, out = a.tool("snmpget", "-OqveU", "127.0.0.1:1161", "GLORY-CL-MIB::gloryServicePin." + index,
                       "GLORY-CL-MIB::gloryServiceAdminState." + index, "GLORY-CL-MIB::gloryServiceAgent." + index)
    check(code == 0 and out.split() in (["3", "2", "systemd:nginx"], ["3", "2", '"systemd:nginx"']), out)
    code, out = write("WantedSize", "u", "9", "operator")
    check(code != 0 and "wrongValue" in out and wanted(a, "service", "web")["pin"] == 3, "a pin above max: %s" % out)
    code, out = write("WantedSize", "u", "0", "operator")
    check(code == 0 and "pin" not in wanted(a, "service", "web"), out)
    code, out = write("AdminState", "i", "2", "operator")
    check(code == 0, out)
    for column, kind, value in (("Min", "u", "1"), ("Virtuals", "s", "10.99.0.102:80"), ("RowStatus", "i", "6")):
        code, out = write(column, kind, value, "operator")
        check(code != 0 and "noAccess" in out, "an operator wrote %s: %s" % (column, out))
    code, out = write("WantedSize", "u", "2", "viewer")
    check(code != 0 and "pin" not in wanted(a, "service", "web"), out)
    code, out = write("Min", "u", "1", "admin")
    check(code == 0 and wanted(a, "service", "web")["min"] == 1, out)
    code, out = write("RowStatus", "i", "6", "admin")
    check(code == 0 and not wanted(a, "service"), out)
    for kind, name in (("balancer", "lb1"), ("software", "nginx"), ("pool", "web")):
        ctl(a, kind, "remove", name)


def by_row_status(a):
    """createAndGo of a pool and a balancer by an admin's SET; an operator may not"""
    mib = "GLORY-CL-MIB::gloryPool"
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", mib + "NextIndex.0")
    check(code == 0 and int(out.split()[0]) > 0, out)
    new = out.split()[0]
    for user, good in (("operator", False), ("admin", True)):
        code, out = a.tool("snmpset", "127.0.0.1:1161", "%sName.%s" % (mib, new), "=", "made", "%sScope.%s" % (mib, new), "=", "n[001-002]",
                           "%sReserve.%s" % (mib, new), "=", "1", "%sRowStatus.%s" % (mib, new), "=", "createAndGo", user=user)
        check((code == 0) == good, "%s: %s" % (user, out))
    check(wanted(a, "pool", "made") == {"name": "made", "nodes": "n[001-002]", "reserve": 1}, wanted(a, "pool"))
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryBalancerName.1", "=", "sw", "GLORY-CL-MIB::gloryBalancerDriver.1", "=",
                       "ciscoSlb", "GLORY-CL-MIB::gloryBalancerRowStatus.1", "=", "createAndGo", user="admin")
    check(code != 0 and "wrongValue" in out, "a switch without an address was taken: %s" % out)
    check(not wanted(a, "balancer"), wanted(a, "balancer"))
    ctl(a, "pool", "remove", "made")


def faces(a):
    """metrics, page, stream and walks of the MIB are whole with them"""
    make_all(a)
    status, body = a.request("GET", "/metrics")
    text = body.decode()
    check(status == 200, text[:200])
    for family in ("glory_service_members_wanted", "glory_member_weight", "glory_pool_nodes_free", "glory_balancer_commands_total"):
        check("# TYPE %s " % family in text, "%s is not there" % family)
    status, body = a.request("GET", "/")
    check(status == 200 and body.rstrip().endswith(b"</html>"), body[-200:])
    for arc in ("gloryPool", "gloryService", "gloryBalancer"):
        code, out = a.tool("snmpwalk", "-Oq", "127.0.0.1:1161", "GLORY-CL-MIB::" + arc, timeout=30)
        check(code == 0 and arc + "NextIndex.0" in out, out)
    wait_until("rows of all of them", 10, lambda: [a.get("/v1/" + t)[0]["name"] for t in ("pools", "services", "balancers") if a.get("/v1/" + t)] ==
               ["web", "web", "lb1"])
    row = a.get("/v1/services/web")
    check(row["members"] == [] and row["enabled"] is False and row["pool"] == "web" and row["pin"] is None and row["max"] == 3, row)
    check(a.get("/v1/pools")[0]["nodes"] == 3, a.get("/v1/pools"))
    out = ctl(a, "service", "show", "web")
    check(re.search(r"^agent +systemd:nginx$", out, re.M) and re.search(r"^state +\S+$", out, re.M), out)
    out = ctl(a, "service", "explain", "web")
    check("state: " in out and "size: " in out, out)
    for words, text in ((("service", "list"), "2-3"), (("pool", "list"), "n[001-003]"), (("balancer", "list"), "haproxy")):
        check(text in ctl(a, *words), words)
    status, body = a.request("GET", "/")
    check(b"<h2>Services</h2>" in body and b"/v1/services/web" in body, body[:300])
    check('glory_service_enabled{service="web"} 0' in a.request("GET", "/metrics")[1].decode(), "no service in the metrics")
    for path in ("pools", "services", "members", "balancers", "members?stuck=1"):
        check(isinstance(a.get("/v1/" + path), list), path)
    for bad in ("/v1/wanted", "/v1/wanted?kind=elephant", "/v1/wanted?kind=..%2f", "/v1/services/nothing", "/v1/members?service=nothing"):
        status, body = a.request("GET", bad)
        check(status in (400, 404) and b'"remedy"' in body, "%s: %d %s" % (bad, status, body))
    remove_all(a)


def history(a):
    """size and load of a service are recorded each 10 s, and drawn; the file stays when the service goes"""
    make_all(a)
    picture = os.path.join(a.work, "web.png")
    path = os.path.join(a.work, "var", "rrd", "demo", "_service", "web", "service", "base.rrd")

    def draw(*items):
        ctl(a, "graph", "service/web", *items, "-o", picture, "--from", "-10m")
        with open(picture, "rb") as f:
            check(f.read(8) == b"\x89PNG\r\n\x1a\n", "is no PNG")
    wait_until("its file", 60, lambda: draw("wanted", "ready", "utilisation", "connections", "requests", "bytes") or os.path.exists(path), 1)

    def rows():
        draw("wanted")
        done = subprocess.run(["rrdtool", "fetch", path, "AVERAGE", "-r", "10", "-s", "-2min"], capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)
        lines = done.stdout.split("\n")
        check(lines[0].split() == ["wanted", "ready", "utilisation", "connections", "requests", "bytes"], lines[0])
        return [line.split()[1:] for line in lines[2:] if ":" in line and "nan" not in line.split()[1]]
    def points(item):
        return [p for p in a.get("/v1/services/web/series?item=" + item)]
    newest = wait_until("ten of its newest values", 30, lambda: (lambda p: p if len(p) >= 10 else None)(points("wanted")), 1)
    check(all(p["value"] == 0 for p in newest), newest)  # it is disabled
    seconds = [datetime.datetime.fromisoformat(p["time"].replace("Z", "+00:00")).timestamp() for p in newest]
    gaps = [b - c for b, c in zip(seconds[1:], seconds)]
    check(min(gaps) >= 0.9 and sorted(gaps)[len(gaps) // 2] < 1.5, "points are not a second apart: %s" % gaps)
    for bad, status in (("/v1/services/web/series?item=cpu", 404), ("/v1/services/nothing/series?item=wanted", 404), ("/v1/services/web/series", 400),
                        ("/v1/services/web/series?item=", 400)):
        got, body = a.request("GET", bad)
        check(got == status and b'"remedy"' in body, "%s: %d %s" % (bad, got, body))
    found = wait_until("three rows", 60, lambda: (lambda r: r if len(r) >= 3 else None)(rows()), 1)
    check(float(found[-1][0]) == 0 and float(found[-1][1]) == 0, found)  # it is disabled
    remove_all(a)
    check(os.path.exists(path), "its history went with it")


def kept(a):
    """all of it is there again after kill -9 of everything"""
    make_all(a)
    ctl(a, "service", "pin", "web", "2", "--for", "3d")
    before = export(a)
    a.kill_tree()
    a.start()
    check(export(a) == before, "the wanted state is another")
    remove_all(a)
    wait_until("nothing is left", 5, lambda: not wanted(a, "service") and not wanted(a, "pool"))


run("service faces", {"nodes": 4, "groups": 1}, [by_gloryctl, refusals, operated, by_row_status, faces, history, kept])
