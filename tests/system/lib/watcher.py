# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at one node while something is done to it: which verdicts it went through and when, which alarms it got. Used by the tests of verdicts;
several can look at once, each at its own."""
import json
import threading
import time

from appliance import Failed, check, select_pause, wait_until


class Watcher:
    """Remembers every (verdict, certainty) a node went through, with the seconds since the fault."""

    def __init__(self, appliance, name, alone=True):
        self.appliance, self.name, self.alone = appliance, name, alone
        self.first_alarm = max([a["id"] for a in appliance.alarms(active=False)] or [0])
        self.last_event = appliance.last_event()
        self.seen = []
        self.begun = time.monotonic()

    def fault(self, *words):
        """Has the lab make the fault; bounds count from when it sets about it: several labs that start at once keep each other waiting."""
        begun = json.loads(self.appliance.lab(*words, "--json"))["begun"]
        self.begun = time.monotonic() - (time.time() - begun)

    def elapsed(self):
        return time.monotonic() - self.begun

    def look(self):
        row = self.appliance.node(self.name)
        state = (row["verdict"], row["certainty"])
        if not self.seen or self.seen[-1][:2] != state:
            self.seen.append(state + (round(self.elapsed(), 2),))
        return state

    def until(self, verdict, certainty, seconds):
        """The node reaches this within so many seconds of the fault."""
        wait_until(lambda: "%s %s of %s within %.1f s, seen %s" % (verdict, certainty or "", self.name, seconds, self.seen),
                   max(seconds - self.elapsed(), 0),
                   lambda: self.look()[0] == verdict and certainty in (None, self.seen[-1][1]), every=0.03 if self.alone else 0.1)

    def only(self, *verdicts):
        for seen in self.seen:
            check(seen[0] in verdicts, "%s was %s, only %s expected: %s" % (self.name, seen[0], verdicts, self.seen))

    def stays(self, seconds):
        """Looks on until so long after the fault."""
        while self.elapsed() < seconds:
            self.look()
            select_pause(0.05 if self.alone else 0.2)

    def quiet(self, seconds, *verdicts):
        """For so long after the fault nothing but these verdicts is shown, and no alarm raised."""
        self.stays(seconds)
        self.only(*verdicts)
        check(not self.new_alarms(), "alarms where none belongs: %s" % self.new_alarms())

    def new_alarms(self):
        alarms = [a for a in self.appliance.alarms(active=False) if a["id"] > self.first_alarm]
        return alarms if self.alone else [a for a in alarms if a["object"] == self.name]

    def one_alarm(self, obj=None, severity=None, cause=None):
        alarms = self.new_alarms()
        check(len(alarms) == 1, "exactly one alarm expected, there are: %s" % alarms)
        check(alarms[0]["object"] == (obj or self.name), "the alarm is on %s" % alarms[0]["object"])
        check(severity is None or alarms[0]["severity"] == severity, "its severity is %s" % alarms[0]["severity"])
        check(cause is None or cause in alarms[0]["cause"], "its cause is %s" % alarms[0]["cause"])
        return alarms[0]

    def cleared(self, seconds=5):
        wait_until(lambda: "its alarms are cleared: %s" % self.new_alarms(), seconds, lambda: all(a["cleared"] for a in self.new_alarms()))

    def back_up(self, seconds=20):
        wait_until(lambda: "%s is up again, seen %s" % (self.name, self.seen), seconds, lambda: self.look()[0] == "up")
        self.cleared()

    def event(self, text, seconds):
        """An event of the node, since the fault, whose cause contains this."""
        wait_until(lambda: "event '%s' of %s, there are %s" % (text, self.name, self.events()), seconds,
                   lambda: [c for c in self.events() if text in c], every=0.1)

    def events(self):
        return [e["cause"] for e in self.appliance.events(self.last_event) if e["object"] == self.name]


def together(*scenes):
    """Runs functions side by side, each with its own node; fails with what failed in them."""
    wrong = []

    def act(scene):
        try:
            scene()
        except BaseException as problem:  # told by the caller's thread
            wrong.append("%s: %s" % (getattr(scene, "__name__", "scene"), problem))

    threads = [threading.Thread(target=act, args=(s,), daemon=True) for s in scenes]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise Failed("; ".join(wrong))
