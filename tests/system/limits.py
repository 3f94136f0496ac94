#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits and haste: changes that come at once do not undo each other, sizes beyond the limit are refused as a whole, what waits for a receiver
outlives a restart, logs are answered in bounded pages."""
import http.client
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "lib")]
import notify  # noqa: E402
from appliance import Failed, check, run, wait_until  # noqa: E402


def apply(a, text, options=""):
    status, body = a.request("POST", "/v1/apply" + options, text, timeout=60)
    return status, json.loads(body)


def with_more(a, more):
    text = a.request("GET", "/v1/export")[1].decode()
    check("</cluster>" in text, text[:200])
    return text.replace("</cluster>", more + "</cluster>")


def names(a):
    return {n["name"] for n in a.get("/v1/nodes")}


def after_kill(a, wanted):
    """The engine's end takes the API with it: an answer may be cut off."""
    def there():
        try:
            return names(a) == wanted
        except (OSError, http.client.HTTPException, ValueError, Failed):
            return False
    a.wait_back("engine", a.kill("engine"), 30)
    wait_until("%d nodes are there after the engine's end" % len(wanted), 30, there)


def changes_at_once(a):
    """forty changes at once: each is in force afterwards, also after a restart"""
    before = names(a)

    def add(i):
        return a.command("node-add", "h%03d" % i, {"group": "g01", "address": "10.99.1.%d" % (100 + i), "maintenance": True})
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(add, range(40)))
    check(all(status == 200 for status, _ in answers), [x for x in answers if x[0] != 200][:3])
    wanted = before | {"h%03d" % i for i in range(40)}
    check(names(a) == wanted, "lost: %s" % sorted(wanted - names(a)))
    after_kill(a, wanted)
    status, answer = a.command("node-remove", "h[000-039]", yes=True)
    check(status == 200 and names(a) == before, answer)


def many_objects(a):
    """20,000 nodes are taken, one more is refused, so is group 1,001; a big change comes and goes, also over a restart"""
    before = names(a)
    room = 20000 - len(before)

    def nodes(count):
        lines = ['<nodes name="m%03d-[001-250]" address="10.131.%d.[1-250]" snmp="old" maintenance="true"/>' % (k, k) for k in range(count // 250)]
        return '<group name="big">%s%s</group>' % ("".join(lines), "".join(
            '<node name="r%d" address="10.132.0.%d" snmp="old" maintenance="true"/>' % (i, i + 1) for i in range(count % 250)))
    status, answer = apply(a, with_more(a, nodes(room)), "?dry_run=1")
    check(status == 200 and answer["added"] == room + 1, "%d %s" % (status, str(answer)[:300]))
    status, answer = apply(a, with_more(a, nodes(room + 1)))
    check(status == 400 and "20000" in answer["error"]["text"], "%d %s" % (status, str(answer)[:300]))
    groups = "".join('<group name="G%04d"/>' % i for i in range(1001))
    status, answer = apply(a, with_more(a, groups))
    check(status == 400 and "1000" in answer["error"]["text"], "%d %s" % (status, str(answer)[:300]))
    check(names(a) == before, "a refused file changed something")
    small = a.request("GET", "/v1/export")[1].decode()
    status, answer = apply(a, with_more(a, nodes(1000)))
    big = names(a)
    check(status == 200 and len(big) == len(before) + 1000, str(answer)[:300])
    after_kill(a, big)
    status, answer = apply(a, small, "?prune=1")
    check(status == 200 and names(a) == before, "%d, %d nodes" % (status, len(names(a))))
    after_kill(a, before)


def long_words(a):
    """targets, reasons and bodies at and beyond their length: an answer that says so, or the right thing"""
    status, answer = a.command("power", ",".join(["n001"] * 800), {"verb": "identify"})
    check(status == 200, "a range of 3,999 bytes: %s" % answer)
    a.wait_job(answer["job"])
    status, answer = a.command("power", "n" * 4096, {"verb": "identify"})
    check(status == 400 and "4095" in answer["error"]["text"], (status, answer))
    status, answer = a.command("power", "n001", {"verb": "identify", "reason": "\u00e4" * 200})
    check(status == 200, answer)
    job = a.wait_job(answer["job"])
    check(re.fullmatch("\u00e4{31}", job["reason"]), "the reason: %r" % job["reason"])
    status, answer = a.command("alarm-ack", "1," * 2043 + "9999999")
    check(status in (404, 409), answer)
    check(a.request("POST", "/v1/commands", b"{\"verb\":\"power\",\"target\":\"\xff\xfe\"}")[0] == 400, "bytes that are no text were taken")
    after_kill(a, names(a))
    check(a.job(job["id"])["state"] == "done", "the job with the long reason is not kept")


def waiting_notifications(a):
    """200 notifications wait for a receiver over a restart of the whole: all come, once it is there"""
    notify.EVENT_ID = notify.event_id_oid()
    before = a.last_event()

    def identify(i):
        status, answer = a.command("power", "n%03d" % (i % 4 + 1), {"verb": "identify"})
        if status == 200:
            a.wait_job(answer["job"])
    with ThreadPoolExecutor(4) as pool:
        for lane in [pool.submit(lambda k=k: [identify(i) for i in range(k, 240, 4)]) for k in range(4)]:
            lane.result()
    check(a.last_event() - before >= 200, "only %d events" % (a.last_event() - before))
    a.stop()
    a.start()
    receiver = notify.Receiver(a)
    receiver.start()
    try:
        notify.equal(a, receiver, 120)
        check(len(receiver.ids()) >= 200, "%d came" % len(receiver.ids()))
    finally:
        receiver.stop()
    pages = [a.get("/v1/events?from=1&limit=%d" % n) for n in (1, 100, 10000)]
    check(len(pages[0]) == 1 and len(pages[1]) == 100 and len(pages[2]) == len(receiver.ids()), [len(p) for p in pages])


if __name__ == "__main__":
    run("limits", {"nodes": 4, "groups": 2, "notify": "127.0.0.1:%d" % notify.PORT}, [changes_at_once, many_objects, long_words, waiting_notifications])
