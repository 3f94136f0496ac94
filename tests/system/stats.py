#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the past: the newest values in memory."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402


def when(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone


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


if __name__ == "__main__":
    run("stats", {"nodes": 3, "groups": 2}, [series])
