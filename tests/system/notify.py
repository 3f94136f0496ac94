#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications at a real snmptrapd (v3 INFORM): the set of event ids it got equals the event log, also when it was down for a while and
when the agent role was killed meanwhile."""
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import BUILD, check, run, select_pause, wait_until  # noqa: E402

PORT = 10162


class Receiver:
    def __init__(self, appliance):
        self.appliance = appliance
        self.directory = os.path.join(appliance.work, "trapd")
        self.log = os.path.join(self.directory, "log")
        os.makedirs(self.directory, exist_ok=True)
        with open(os.path.join(appliance.work, "etc", "secrets", "notify", "noc")) as f:
            keys = dict(line.strip().split("=", 1) for line in f if "=" in line)
        with open(os.path.join(self.directory, "snmptrapd.conf"), "w") as f:
            f.write("createUser noc SHA-256 \"%s\" AES \"%s\"\nauthUser log noc priv\n" % (keys["auth"], keys["priv"]))
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["snmptrapd", "-f", "-On", "-OQ", "-A", "-Lf", self.log, "-C", "-c", os.path.join(self.directory, "snmptrapd.conf"),
                                         "-p", os.path.join(self.directory, "pid"), "udp:127.0.0.1:%d" % PORT],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, MIBS="", SNMP_PERSISTENT_DIR=os.path.join(self.directory, "persist")))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def ids(self):
        """Event ids received: object gloryEventId of each notification."""
        try:
            with open(self.log, errors="replace") as f:
                text = f.read()
        except FileNotFoundError:
            return set()
        return {int(n) for n in re.findall(EVENT_ID + r"(?:\.0)? = (?:Counter64: )?(\d+)", text)}


def event_id_oid():
    out = subprocess.run(["snmptranslate", "-On", "GLORY-CL-MIB::gloryEventId"], capture_output=True, text=True,
                         env=dict(os.environ, MIBS="GLORY-CL-MIB", MIBDIRS="%s/mibs:%s/mibs/base" % (BUILD, BUILD)))
    oid = out.stdout.strip()
    check(oid.startswith(".1.3"), "gloryEventId is not in the MIB: %s%s" % (out.stdout, out.stderr))
    return re.escape(oid)


EVENT_ID = ""


def log_ids(a):
    return {e["id"] for e in a.events()}


def equal(a, receiver, seconds):
    wait_until(lambda: "the receiver's ids equal the event log: missing %s, unknown %s" % (sorted(log_ids(a) - receiver.ids())[:10],
                                                                                          sorted(receiver.ids() - log_ids(a))[:10]),
               seconds, lambda: receiver.ids() == log_ids(a), every=0.3)


def ids_equal(a):
    """event ids at snmptrapd equal the event log, also after it was down and the agent was killed"""
    global EVENT_ID
    EVENT_ID = event_id_oid()
    receiver = Receiver(a)
    receiver.start()
    for fault, undo, node in (("agent-stop", "agent-start", "n001"), ("cut", "join", "n002")):
        before = a.last_event()
        a.lab(fault, node)
        wait_until("events of %s" % fault, 15, lambda: a.last_event() > before)
        a.lab(undo, node)
        a.wait_all_up(30)
    equal(a, receiver, 20)
    had = len(receiver.ids())
    check(had >= 4, "only %d events" % had)
    receiver.stop()
    before = a.last_event()
    a.lab("crash", "n003")
    wait_until("events while the receiver is down", 15, lambda: a.last_event() > before)
    a.kill("agent")
    a.lab("start", "n003")
    a.wait_all_up(30)
    status, answer = a.command("power", "n004", {"verb": "cycle"})
    check(status == 200, "power: %s" % answer)
    a.wait_job(answer["job"])
    select_pause(30 if os.environ.get("GLORY_LONG") else 6)
    receiver.start()
    equal(a, receiver, 90)
    check(len(receiver.ids()) > had, "nothing came while it was down")
    receiver.stop()


if __name__ == "__main__":
    run("notify", {"nodes": 4, "groups": 2, "notify": "127.0.0.1:%d" % PORT}, [ids_equal])
