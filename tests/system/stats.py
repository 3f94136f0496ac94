#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the past: the newest values in memory, the running hour by verdict, a seeded past by gloryctl, pictures, a killed engine."""
import csv
import io
import json
import os
import struct
import subprocess
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import BUILD, check, run, wait_until  # noqa: E402

ENGINE_UID = 64101
PAST_DAYS = 9
IDLE = ("stats", "idle", "--from", "-8d", "--to", "-1h")


def seed(a):
    """Nine days before the appliance's first start: n001 busy, n002 idle, n003 idle but lost for six minutes each noon."""
    place = os.path.join(a.work, "var", "stats")
    os.makedirs(place)
    file = os.path.join(place, "stats.db")
    subprocess.run([os.path.join(BUILD, "tests", "statseed"), file, str(PAST_DAYS), "n001:g01:busy", "n002:g01:idle", "n003:g02:crashy"], check=True)
    for name in os.listdir(place):
        os.chown(os.path.join(place, name), ENGINE_UID, ENGINE_UID)


def when(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0" + text[19:-1])


def ask(a, *words):
    """JSON of gloryctl with these words."""
    status, text = a.tool("gloryctl", *words, "--json")
    check(status == 0, "gloryctl %s: %d %s" % (" ".join(words), status, text[:300]))
    return json.loads(text)


def running(a, node):
    """The hour that runs; at the very start of one there may be nothing yet."""
    rows = [r for r in ask(a, "stats", node, "--now", "--hourly", "--from", "-1h") if r["running"]]
    return rows[0] if rows else {"up_s": 0, "lost_s": 0, "watched_s": 0, "incidents": {}, "items": {}, "state_s": {}, "availability_percent": None}


def hour_has(seconds):
    """What is compared below is counted by the hour: an hour that is about to end is let end first."""
    wait_until("the next hour", seconds + 5, lambda: 3600 - time.time() % 3600 > seconds, every=1)


def near(value, wanted, share=0.01):
    return abs(value - wanted) <= share * wanted


def series(a):
    """the newest values of an item, as they were polled, without a gap"""
    def points(item):
        return a.get("/v1/nodes/n001/series?item=" + item)
    wait_until(lambda: "four polls of mem: %s" % points("mem"), 60, lambda: len([p for p in points("mem") if p["value"] is not None]) >= 4, every=1)
    shown = points("mem")
    times = [when(p["time"]) for p in shown]
    check(times == sorted(times) and time.time() - times[-1] < 30, shown)
    check(all(0 < later - earlier <= 14 for earlier, later in zip(times, times[1:])), "polled every 10 s: %s" % shown)
    value = next(v for v in a.get("/v1/values?range=n001&item=mem"))
    check(any(p["value"] is not None and abs(p["value"] - value["value"]) <= value["value"] * 0.002 for p in shown[-2:]), (value, shown[-2:]))
    check(len(points("disk_fill/root")) >= 3, points("disk_fill/root"))
    for path, wanted in (("n001/series?item=nothing", 404), ("n999/series?item=mem", 404), ("n001/series", 400),
                         ("n001/series?item=disk_fill/zz", 404), ("n001/x/series?item=mem", 404)):
        status, body = a.request("GET", "/v1/nodes/" + path)
        check(status == wanted, "%s: %d %s" % (path, status, body))


def past(a):
    """a seeded past: whole, by hour, by day, by group and site, top lists, CSV"""
    rows = {r["object"]: r for r in ask(a, "stats", "--from", "-7d", "--to", "-1h")}
    check(set(rows) == {"n001", "n002", "n003"}, rows)
    hours = round(rows["n002"]["watched_s"] / 3600)
    check(166 <= hours <= 168, hours)
    check(rows["n002"]["availability_percent"] == 100 and rows["n002"]["lost_s"] == 0, rows["n002"])
    # it crashes in each hour that begins at noon: a week that begins behind one and ends before the next has six of them
    first, end = (int(when(rows["n003"][k])) // 3600 for k in ("from", "to"))
    noons = len([h for h in range(first, end) if h % 24 == 12])
    check(noons in (6, 7) and near(rows["n003"]["lost_s"], noons * 360) and rows["n003"]["incidents"] == {"os-hung": noons}, rows["n003"])
    check(near(rows["n003"]["availability_percent"], 100 * (1 - rows["n003"]["lost_s"] / rows["n003"]["watched_s"]), 1e-4), rows["n003"])
    check(near(rows["n001"]["energy_kwh"], hours * 0.3) and near(rows["n001"]["items"]["cpu"]["p95"], 88, 0.07), rows["n001"])
    check(rows["n001"]["items"]["cpu"]["max"] == 89 and rows["n001"]["items"]["cpu"]["samples"] == hours * 360, rows["n001"]["items"])
    hourly = ask(a, "stats", "n002", "--hourly", "--from", "-1d", "--to", "-1h")
    check(22 <= len(hourly) <= 24 and all(r["watched_s"] == 3600 and when(r["to"]) - when(r["from"]) == 3600 for r in hourly), hourly)
    daily = ask(a, "stats", "n003", "--daily", "--from", "-30d")
    whole = [r for r in daily if r["watched_s"] == 86400]
    check(len(whole) >= PAST_DAYS - 2 and all(r["lost_s"] == 360 for r in whole), daily)
    groups = {r["object"]: r for r in ask(a, "stats", "--by", "group", "--from", "-7d", "--to", "-1h")}
    check(set(groups) == {"g01", "g02"} and near(groups["g01"]["watched_s"], 2 * hours * 3600), groups)
    site = ask(a, "stats", "--by", "site", "--from", "-7d", "--to", "-1h")
    check(len(site) == 1 and near(site[0]["energy_kwh"], hours * 0.54), site)
    check([r["object"] for r in ask(a, "stats", "--top", "2", "--item", "lost", "--from", "-2d")][0] == "n003", "most lost")
    check([r["object"] for r in ask(a, "stats", "--top", "1", "--item", "if_in", "--from", "-2d", "--to", "-1h")] == ["n001"], "top if_in")
    status, text = a.tool("gloryctl", "stats", "--csv", "--daily", "--from", "-9d")
    table = list(csv.DictReader(io.StringIO(text)))
    check(status == 0 and len(table) >= 3 * (PAST_DAYS - 2) and float(table[0]["cpu_p95"]) > 0, text[:500])
    status, text = a.tool("gloryctl", "stats", "@g01", "--from", "-3d")
    check(status == 0 and "n001" in text and "n002" in text and "n003" not in text, text)
    for path, wanted in (("?by=rack", 400), ("?period=week", 400), ("?top=5&item=colour", 400), ("?range=n999", 404), ("?from=now", 400),
                         ("?top=0", 400), ("?format=xml", 400), ("/idle?cpu=much", 400)):
        got, body = a.request("GET", "/v1/stats" + path)
        check(got == wanted, "%s: %d %s" % (path, got, body[:200]))


def idle(a):
    """who could be switched off: the idle node, never the one that was lost, never the busy one"""
    answer = ask(a, *IDLE)
    check([n["object"] for n in answer["nodes"]] == ["n002"] and answer["considered"] == 3, answer)
    check(near(answer["nodes"][0]["mean_w"], 120) and near(answer["saved_kwh_month"], 87.6) and answer["nodes"][0]["group"] == "g01", answer)
    check(ask(a, *IDLE, "--cpu", "1")["nodes"] == [], "stricter limits")
    check(ask(a, *IDLE[:2], "--from", "-20d")["nodes"] == [], "not known for so long")
    status, text = a.tool("gloryctl", *IDLE)
    check(status == 0 and "1 of 3 nodes could be switched off, 88 kWh a month" in text, text)


def png(a, *words):
    """Size of the picture that gloryctl graph makes, and how many colours its pixels have."""
    file = os.path.join(a.work, "picture.png")
    status, text = a.tool("gloryctl", "graph", *words, "-o", file)
    check(status == 0, "graph %s: %d %s" % (" ".join(words), status, text))
    with open(file, "rb") as f:
        data = f.read()
    check(data[:8] == b"\x89PNG\r\n\x1a\n", data[:20])
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    at, packed = 8, b""
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if name == b"IDAT" else b""
        at += 12 + size
    pixel = {2: 3, 6: 4}[kind] * depth // 8
    return width, height, pixels(zlib.decompress(packed), width, height, pixel)


def pixels(raw, width, height, pixel):
    """The set of pixels of a PNG's unpacked lines (PNG specification, section 9)."""
    colours, above, stride = set(), bytearray(width * pixel), width * pixel
    for y in range(height):
        how, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left, up, corner = (line[x - pixel] if x >= pixel else 0), above[x], (above[x - pixel] if x >= pixel else 0)
            if how == 4:
                guess = left + up - corner
                near_ = sorted(((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner)))[0][2]
            else:
                near_ = (0, left, up, (left + up) // 2)[how]
            line[x] = (line[x] + near_) & 255
        colours |= {bytes(line[x:x + 3]) for x in range(0, stride, pixel)}
        above = line
    return colours


def graphs(a):
    """pictures of a node with its newest seconds, of several nodes, a group, the site; each line in its colour"""
    first, second, third = bytes.fromhex("0072B2"), bytes.fromhex("D08A00"), bytes.fromhex("009E73")
    wait_until("a minute of history", 90, lambda: sum(p["value"] is not None for p in a.get("/v1/nodes/n003/series?item=mem")) >= 6, every=1)
    width, height, colours = png(a, "n001", "mem", "--from", "-5m", "--size", "640x240")
    check((width, height) == (640, 240) and first in colours, (width, height, len(colours)))
    _, _, colours = png(a, "n[001-003]", "mem", "--from", "-5m")
    check({first, second, third} <= colours, "three nodes, three lines")
    _, _, colours = png(a, "@g01", "mem", "load1", "--fold", "median", "--from", "-10m")
    check({first, second} <= colours, "a median and the highest")
    _, _, colours = png(a, "site", "if_in", "--from", "-10m")
    check(first in colours and second not in colours, "one line for the site")
    _, _, colours = png(a, "n001", "mem", "--from", "-400d", "--to", "-300d")
    check(first not in colours, "nothing to draw")
    status, body = a.request("GET", "/v1/graph?range=n[001-003]&items=mem,cpu&format=svg&from=-5m")
    check(status == 200 and b"<svg" in body, body[:100])
    for path, wanted in (("range=n[001-003]&items=mem,cpu,load1,load5,swap", 400), ("range=n999&items=mem", 404), ("items=mem", 400),
                         ("range=@g01&items=nothing", 404), ("range=@g01&items=mem&fold=all", 400)):
        status, body = a.request("GET", "/v1/graph?" + path)
        check(status == wanted, "%s: %d %s" % (path, status, body[:200]))


def lost(a):
    """a crash is lost time and one incident under its cause; in maintenance nothing is"""
    hour_has(120)
    before = wait_until("n002 is watched", 40, lambda: (lambda r: r if r["up_s"] > 5 else None)(running(a, "n002")), every=1)
    check(near(before["availability_percent"], 100, 1e-6) or before["lost_s"] > 0, before)
    a.lab("crash", "n002")
    a.wait_verdict("n002", "os-hung", 15, "cause")
    a.lab("start", "n002")
    a.wait_verdict("n002", "up", 60)
    after = wait_until(lambda: "an incident: %s" % running(a, "n002"), 20, lambda: (lambda r: r if sum(r["incidents"].values()) else None)(running(a, "n002")))
    check(2 < after["lost_s"] < 90 and after["availability_percent"] < 100, after)
    check(set(after["incidents"]) <= {"os-hung", "booting"}, after)
    status, text = a.tool("gloryctl", "node", "set", "n003", "--maintenance", "on")
    check(status == 0, text)
    lost_before = running(a, "n003")["lost_s"]
    a.lab("crash", "n003")
    a.wait_verdict("n003", "os-hung", 20)
    wait_until("maintenance is counted", 15, lambda: running(a, "n003")["state_s"].get("maintenance", 0) > 5, every=0.5)
    a.lab("start", "n003")
    a.wait_verdict("n003", "up", 60)
    check(running(a, "n003")["lost_s"] == lost_before, (lost_before, running(a, "n003")))
    status, text = a.tool("gloryctl", "node", "set", "n003", "--maintenance", "off")
    check(status == 0, text)


def killed(a):
    """kill -9 of the engine: the running hour goes on where it was kept a minute ago at most, the time between counts for nothing"""
    def up():
        return running(a, "n001")["up_s"]
    hour_has(180)
    wait_until(lambda: "the running hour is older than a minute: %s" % up(), 90, lambda: up() > 65, every=1)
    before, began = running(a, "n001"), time.monotonic()
    a.wait_back("engine", a.kill("engine"), 30)
    a.wait_all_up(30)
    after = wait_until("what was kept is there again", 15, lambda: (lambda r: r if r["watched_s"] > 5 else None)(running(a, "n001")))
    passed = time.monotonic() - began
    check(before["watched_s"] - 62 <= after["watched_s"] <= before["watched_s"] + passed + 1, (before, after, passed))
    check(after["items"]["mem"]["samples"] >= before["items"]["mem"]["samples"] - 7, (before["items"]["mem"], after["items"]["mem"]))
    check(after["lost_s"] <= before["lost_s"] + 1, (before, after))
    a.stop()
    a.start()
    a.wait_all_up(30)
    again = wait_until("and after an orderly stop", 15, lambda: (lambda r: r if r["watched_s"] > after["watched_s"] else None)(running(a, "n001")))
    check(len(ask(a, "stats", "n002", "--daily", "--from", "-30d")) >= PAST_DAYS - 2 and again["up_s"] >= after["up_s"], again)


if __name__ == "__main__":
    run("stats", {"nodes": 3, "groups": 2}, [series, past, idle, graphs, lost, killed], prepare=seed)
