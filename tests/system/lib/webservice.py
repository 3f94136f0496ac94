# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's web service as tests see it: who its members are, what the balancer reads back, what a client that never pauses has met."""
import time

from appliance import check, wait_until
from fetcher import Fetcher

DEAD_S = 3.5  # so long at most may requests still go to a member that died


class WebService:
    def __init__(self, appliance, address="10.99.0.100", source=None):
        self.a, self.address, self.source, self.client = appliance, address, source, None

    def start_client(self):
        self.client = Fetcher(self.address, source=self.source)

    # --- how it is
    def row(self):
        return self.a.get("/v1/services/web")

    def members(self, state="in-service"):
        """Names of those in a state; "": of all."""
        return sorted(m["node"] for m in self.a.get("/v1/members?service=web") if not state or m["state"] == state)

    def moving(self):
        return [n for s in ("allocating", "installing", "starting", "warming", "draining", "releasing") for n in self.members(s)]

    def explain(self):
        return "; ".join("%s: %s" % (x["about"], x["text"]) for x in self.a.get("/v1/services/web/explain"))

    def balanced(self, node):
        """Its weight as the balancer reads back, 0 for none."""
        for v in self.a.get("/v1/balancers/lb1"):
            for r in v["reals"]:
                if r["name"] == node:
                    return r["weight"]
        return 0

    # --- waiting
    def until(self, what, seconds, probe):
        return wait_until(lambda: "%s; %s" % (what() if callable(what) else what, self.explain()), seconds, probe, every=0.1)

    def wait_members(self, least, most, seconds, what):
        return self.until(lambda: "%s: %d to %d members, there are %s" % (what, least, most, self.members()), seconds,
                          lambda: (lambda m: m if least <= len(m) <= most and self.row()["state"] == "well" else None)(self.members()))

    def fetched(self, who, mark, seconds=10):
        wait_until(lambda: "all of %s answer, %s do" % (who, self.client.members_since(mark)), seconds,
                   lambda: set(self.client.members_since(mark)) >= set(who))

    # --- what a client met
    def leaves(self, victim, seconds):
        """Waits until the balancer gives it nothing more; how long that took."""
        begun = time.monotonic()
        self.until("%s is out of the balancer" % victim, seconds, lambda: self.balanced(victim) == 0)
        return time.monotonic() - begun

    def failures(self, mark, left, bound=DEAD_S):
        failed = self.client.failed_for(mark)
        print("        out of the balancer after %.1f s; %d requests failed, the last after %.2f s; %d took over a second" %
              (left, len(self.client.failed_since(mark)), failed, len(self.client.slow_since(mark))), flush=True)
        check(failed <= bound, "requests failed for %.2f s: %s" % (failed, self.client.failed_since(mark)[-3:]))

    def replaced(self, victim, size):
        """As many as before without it, or as many as are wanted by now."""
        self.until("another one has taken the place of %s" % victim, 120,
                   lambda: len(set(self.members()) - {victim}) >= min(size, self.row()["wanted"]))

    def dies(self, how, back):
        """A member dies by a command of the lab, is replaced, and its node comes back by another."""
        victim, size = self.members()[0], len(self.members())
        mark = self.client.mark()
        self.a.lab(how, victim)
        left = self.leaves(victim, DEAD_S + 3)
        self.replaced(victim, size)
        self.failures(mark, left)
        self.a.lab(back, victim)
        wait_until("%s is up" % victim, 60, lambda: self.a.node(victim)["verdict"] == "up")

    def tool(self, *words, user="operator"):
        code, out = self.a.tool("gloryctl", *words, user=user)
        check(code == 0, out)
        return out
