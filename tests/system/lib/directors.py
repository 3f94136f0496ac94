# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernels of a pair of directors have, read without a program started: a slow machine has no time for those."""
import os
import threading
import time

from appliance import select_pause

LOOK_S = 0.1


class Directors:
    """The lab's lb1 and lb2, seen through their first processes; a thread keeps every change of a weight with its time."""

    def __init__(self, lab_dir, names=("lb1", "lb2")):
        self.lab_dir, self.names, self.changes, self.late, self.stopped = lab_dir, names, [], [], False
        self.seen = {name: {} for name in names}
        threading.Thread(target=self.follow, daemon=True).start()

    def file(self, name, what):
        """A file of the director's network namespace, "" while it is down."""
        try:
            with open(os.path.join(self.lab_dir, "nodes", name, "pid")) as f:
                pid = f.read().strip()
            with open("/proc/%s/net/%s" % (pid, what)) as f:
                return f.read()
        except OSError:
            return ""

    def weights(self, name):
        """{address of a real server: weight}, None while the director is down."""
        text, found = self.file(name, "ip_vs"), {}
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ["->"] and ":" in words[1] and words[3].isdigit():
                a, port = words[1].split(":")
                found["%s:%d" % (".".join(str(b) for b in bytes.fromhex(a)), int(port, 16))] = int(words[3])
        return found if text else None

    def follow(self):
        while not self.stopped:
            begun = time.monotonic()
            for name in self.names:
                now = self.weights(name)
                if now != self.seen[name]:
                    self.changes.append((time.monotonic(), name, now))
                    self.seen[name] = now
            select_pause(LOOK_S)
            self.late.append((begun, time.monotonic() - begun - LOOK_S))

    def lateness(self, mark):
        """How late at most this thread was run since then: what bounds in seconds are worth."""
        return max([late for begun, late in list(self.late) if begun >= mark], default=0.0)

    def tables(self):
        return [self.weights(name) for name in self.names]

    def out_since(self, mark, address):
        """How long after mark the last director ceased to have a weight for it; None: one of them has."""
        ends = []
        for name in self.names:
            ended = None
            for when, who, table in list(self.changes):
                if who == name:
                    has = bool((table or {}).get(address))
                    ended = None if has else ended if ended is not None else when
            ends.append(ended)
        return None if None in ends else max(0.01, max(ends) - mark)

    def told(self, mark):
        return ["%7.2f %s %s" % (when - mark, name, " ".join("%s=%d" % x for x in sorted(table.items())) if table is not None else "down")
                for when, name, table in list(self.changes) if when >= mark - 1]
