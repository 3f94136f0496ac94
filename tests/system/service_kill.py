#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of each role at every step of a service's growth and shrinking: the service ends at its size, every member stands once in the
store, runs on its node, is behind the balancer, and nothing runs that is no member."""
import http.client
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import Failed, check, run, select_pause, wait_until  # noqa: E402

ROLES = ("runner", "checker", "engine", "collector", "api", "agent", "recorder", "bmc")
GROW = ("allocating", "installing", "starting", "warming")
SHRINK = ("draining", "releasing")
SMALL, LARGE = 1, 3


def service(a):
    for row in a.get("/v1/services"):
        if row["name"] == "web":
            return row
    return None


def members(a):
    return [m for m in a.get("/v1/members") if m["service"] == "web"]


def pin(a, size):
    status, answer = a.command("service-set", "web", {"pin": size})
    check(status == 200, "service-set web pin=%d: %s" % (size, answer))


def stored(a):
    """Nodes that are members by the store."""
    found = [os.path.join(d, f) for d, _, files in os.walk(os.path.join(a.work, "var", "store")) for f in files if f.endswith((".db", ".sqlite"))]
    check(len(found) == 1, "the store's file: %s" % found)
    with tempfile.TemporaryDirectory() as copy:  # its owner keeps it locked: a copy of file and log is what a crash would leave
        for end in ("-wal", ""):
            if os.path.exists(found[0] + end):
                shutil.copy(found[0] + end, os.path.join(copy, "store" + end))
        db = sqlite3.connect(os.path.join(copy, "store"))
        try:
            return sorted(k.rsplit("/", 1)[1] for (k,) in db.execute("select k from kv where k like '/service/web/member/%'"))
        finally:
            db.close()


def serving(a):
    """Nodes on which nginx runs, by their processes."""
    done = subprocess.run(["ps", "-e", "-o", "pid=,comm="], capture_output=True, text=True)
    spaces = {}
    for name in sorted(os.listdir(os.path.join(a.lab_dir, "nodes"))):
        try:
            with open(os.path.join(a.lab_dir, "nodes", name, "pid")) as f:
                spaces[os.readlink("/proc/%d/ns/pid_for_children" % int(f.read()))] = name
        except (OSError, ValueError):
            continue
    nodes = set()
    for line in done.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if command.strip() != "nginx":
            continue
        try:
            nodes.add(spaces.get(os.readlink("/proc/%s/ns/pid" % pid), "?"))
        except OSError:
            continue
    return sorted(nodes)


def behind(a):
    """Nodes behind the balancer, as it was read back."""
    names = set()
    for virtual in a.get("/v1/balancers/lb1"):
        for real in virtual.get("reals", []):
            names.add(real["name"])
    return sorted(names)


def whole(a, size):
    rows = members(a)
    names = sorted(m["node"] for m in rows)
    good = [m for m in rows if m["state"] == "in-service" and m["weight"] > 0]
    return len(rows) == size and len(good) == size and len(set(names)) == size and stored(a) == names and serving(a) == names and behind(a) == names


def settle(a, size, seconds=120):
    def story():
        try:
            return "%d members, whole; now %s; stored %s, nginx on %s, balancer %s" % (
                size, [(m["node"], m["state"], m["weight"], m["reason"]) for m in members(a)], stored(a), serving(a), behind(a))
        except Exception as problem:  # the appliance is just being started again
            return "%d members, whole: %s" % (size, problem)

    def settled():
        try:
            return whole(a, size)
        except (OSError, KeyError, ValueError, Failed, sqlite3.Error, http.client.HTTPException):
            return False
    wait_until(story, seconds, settled, every=0.3)


def in_state(a, state):
    try:
        return any(m["state"] == state for m in members(a))
    except (OSError, ValueError, KeyError, Failed, http.client.HTTPException):
        return False


def kill_at(a, role, state):
    """Waits until a member is in the state, then kills the role. A state may be shorter than a look at it: then the kill comes just behind it."""
    end = time.monotonic() + 10
    while not in_state(a, state) and time.monotonic() < end:
        select_pause(0.01)
    old, face = a.pid(role), a.pid("api")
    a.kill(role)
    a.wait_back(role, old, 20)
    if role == "engine":
        a.wait_back("api", face, 20)


def walk(role):
    def test(a):
        for state in GROW:
            pin(a, LARGE)
            kill_at(a, role, state)
            settle(a, LARGE)
            pin(a, SMALL)
            settle(a, SMALL)
        for state in SHRINK:
            pin(a, LARGE)
            settle(a, LARGE)
            pin(a, SMALL)
            kill_at(a, role, state)
            settle(a, SMALL)
        check(not [x for x in a.alarms() if x["kind"] in ("service", "member", "balancer")], "alarms: %s" % a.alarms())
    test.__name__ = "kill_" + role
    test.__doc__ = "kill -9 of the %s at each step up and down" % role
    return test


def whole_tree(a):
    """kill -9 of the supervisor in the middle of growth and of shrinking"""
    for size, state in ((LARGE, "starting"), (SMALL, "draining")):
        pin(a, size)
        end = time.monotonic() + 30
        while not in_state(a, state) and time.monotonic() < end:
            select_pause(0.01)
        a.kill_tree()
        wait_until("the roles go with the supervisor", 10, lambda: not any(a.pid(r) for r in ROLES))
        a.start()
        settle(a, size)


def removed_while_growing(a):
    """a service that is removed while it grows ends in good order: nothing runs, nothing is stored, the balancer knows nothing of it"""
    pin(a, LARGE)
    wait_until("a member starts", 30, lambda: in_state(a, "starting") or in_state(a, "warming"), every=0.02)
    status, answer = a.command("service-remove", "web")
    check(status == 200, "service-remove web: %s" % answer)
    wait_until(lambda: "all is gone; stored %s, nginx on %s" % (stored(a), serving(a)), 90,
               lambda: service(a) is None and not stored(a) and not serving(a) and not behind(a), every=0.3)
    check(re.search("in-service", str(members(a))) is None, "members are left: %s" % members(a))


def prepare(a):
    """Small from the beginning, and quick: each walk takes a dozen ways up and down."""
    path = os.path.join(a.work, "etc", "cluster.xml")
    with open(path) as f:
        xml = f.read()
    xml = re.sub(r'(<service name="web"[^>]*?)\bmin="\d+"', r'\1min="1"', xml, flags=re.S)
    xml = re.sub(r'\bmax="\d+"', 'max="3"', xml)
    xml = re.sub(r'warm-s="\d+"', 'warm-s="2"', xml)
    xml = re.sub(r'drain-s="\d+"', 'drain-s="3" pin="1"', xml)
    with open(path, "w") as f:
        f.write(xml)


if __name__ == "__main__":
    roles = ROLES if os.environ.get("GLORY_LONG") else ("engine", "runner", "checker")
    run("service_kill", {"nodes": 4, "groups": 2, "web": True}, [walk(r) for r in roles] + [whole_tree, removed_while_growing], prepare)
