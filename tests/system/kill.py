#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of each role at random moments, during polling and power jobs, and of the whole tree under a keeper: first answer within 10 s,
each job ends right and acts as often as it should, the alarm set is right."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, select_pause, wait_until  # noqa: E402

ROUNDS = 20 if os.environ.get("GLORY_LONG") else 3
SEED = 20260101


def cycle(a, node):
    status, answer = a.command("power", node, {"verb": "cycle"})
    check(status == 200, "power cycle %s: %s" % (node, answer))
    return answer["job"]


def settle(a, job, node, boots):
    ended = a.wait_job(job, 90)
    check(ended["state"] == "done", "the job ended as %s: %s" % (ended["state"], ended["result"]))
    wait_until("%s is on and up" % node, 40, lambda: a.verdict(node)[0] == "up" and a.node(node)["power"] == "on")
    check(len([j for j in a.get("/v1/jobs") if j["id"] == job]) == 1, "the job is there once")
    wait_until("%s started once, not %d times" % (node, a.boots(node) - boots), 10, lambda: a.boots(node) == boots + 1)


def one_role(role):
    def test(a):
        rng = random.Random("%d %s" % (SEED, role))
        for round_number in range(ROUNDS):
            node = "n00%d" % rng.randint(1, 4)
            boots = a.boots(node)
            job = cycle(a, node)
            select_pause(rng.uniform(0, 1.5))
            begun = time.monotonic()
            with_engine = a.pid("api")
            a.wait_back(role, a.kill(role), 10)
            if role == "engine":
                a.wait_back("api", with_engine, 10 - (time.monotonic() - begun))
            settle(a, job, node, boots)
            wait_until(lambda: "no alarm is left of round %d: %s" % (round_number, a.alarms()), 40, lambda: not a.alarms(), every=0.3)
    test.__name__ = "kill_" + role
    test.__doc__ = "kill -9 of the %s, %d times, in the middle of a power cycle" % (role, ROUNDS)
    return test


def whole_tree(a):
    """kill -9 of the supervisor: the roles go with it; started again, the job goes on and a raised alarm is still the same one"""
    a.lab("crash", "n004")
    wait_until("alarm", 15, a.alarms)
    alarm = a.alarms()[0]["id"]
    for _ in range(max(2, ROUNDS // 3)):
        boots = a.boots("n001")
        job = cycle(a, "n001")
        a.kill_tree()
        wait_until("the roles go with the supervisor", 10, lambda: not any(a.pid(r) for r in ("engine", "collector", "bmc", "recorder", "agent", "api", "checker", "runner")))
        begun = time.monotonic()
        a.start()
        check(time.monotonic() - begun < 10, "the first answer took %.1f s" % (time.monotonic() - begun))
        settle(a, job, "n001", boots)
        wait_until("n004 is seen as it is", 30, lambda: a.verdict("n004")[0] == "os-hung")
        check([x["id"] for x in a.alarms()] == [alarm], "the alarm is another one: %s" % a.alarms())
    a.lab("start", "n004")


if __name__ == "__main__":
    run("kill", {"nodes": 4, "groups": 2, "brakes": {"destructive-per-minute": 1000}}, [one_role(r) for r in ("collector", "bmc", "recorder", "agent", "api", "checker", "runner", "engine")] + [whole_tree])
