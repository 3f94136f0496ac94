#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole services behind each family of L4 switches, all at once out of one pool: they come up, drain, grow, shrink and go while a switch loses answers,
refuses, fails to commit, or is changed by hand. What it has is read from its own tables. It converges, or one alarm says why until it does."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402
from switches import SECRETS, SimulatedSwitch  # noqa: E402

NODES = 13  # three for each service, and the one that the pool keeps free
MANY = 1000  # of a knob that counts down: until it is set back
ALTEON, CONFIG = "1.3.6.1.4.1.1872.2.5", "1.3.6.1.4.1.1872.2.5.4.1.1"
IRON = "1.3.6.1.4.1.1991.1.1.4"
CISCO = "1.3.6.1.4.1.9.9.161.1"
F5 = "1.3.6.1.4.1.3375.2.2.5.3.2.1"
site = None


def dotted(hexadecimal):
    """"0A 63 01 01" is 10.99.1.1"""
    return ".".join(str(int(b, 16)) for b in hexadecimal.split())


class Family:
    """One family: its switch, its balancer and the service behind it. members() is {address: weight} as the switch's own tables have it by look(), 0 for one
    that is out; hand() changes a member's weight and throws another one out; `ours` is where what is ours stands."""
    driver, service, full, ours, saves, commits, first = "", "", 0, "", True, False, 2  # first: so many SETs of a growth are not its last

    def __init__(self, number):
        self.balancer, self.virtual = "sw-" + self.driver, "10.99.0.%d:80" % (100 + number)
        self.agent = "127.0.0.1:%d" % (11701 + number)
        self.credential = "operators" if number % 2 else "writers"
        self.switch, self.before = None, None

    def begin(self, work):
        self.switch = SimulatedSwitch(self.driver, self.agent, work, self.knobs())
        self.before = self.switch.walk(self.ours)

    def knobs(self):
        return ["apply-ms=20", "save-ms=20"]

    def members(self):
        for _ in range(5):
            try:
                return self.look()
            except KeyError:  # a row came or went between two walks
                continue
        return self.look()

    def clean(self):
        return self.switch.walk(self.ours) == self.before

    def pending(self):
        return False


class Alteon(Family):
    driver, service, full, ours, commits = "alteon", "shop", 48, CONFIG, True
    reals, group = CONFIG + ".2.3.1", CONFIG + ".3.4.1"

    def numbers(self):
        """{number of a real server in a group of ours: its address}"""
        addresses = self.switch.walk(self.reals + ".2")
        bits = [int(b, 16) for value in self.switch.walk(self.group + ".2").values() for b in value.split()]
        held = {n + 1 for n in range(len(bits) * 8) if bits[n // 8] & (0x80 >> n % 8)}
        return {n: dotted(a) if " " in a else a for n, a in addresses.items() if int(n) in held}

    def look(self):
        weights, states = self.switch.walk(self.reals + ".3"), self.switch.walk(self.reals + ".10")
        out = {name.split(".")[-1] for name, value in self.switch.walk(ALTEON + ".4.4.5.1.3").items() if value == "2"}
        return {a: int(weights[n]) if states.get(n) == "2" and n not in out else 0 for n, a in self.numbers().items()}

    def pending(self):
        return self.switch.get(ALTEON + ".1.1.8.1.0") != "3"

    def hand(self, weighed, thrown):
        numbers = {a: n for n, a in self.numbers().items()}
        self.switch.set("%s.3.%s" % (self.reals, numbers[weighed]), "i", "3")
        self.switch.set(self.group + ".4.1", "i", numbers[thrown])
        self.switch.set(ALTEON + ".1.1.8.2.0", "i", "1")
        wait_until("what a person changed is applied", 10, lambda: not self.pending())


class ServerIron(Family):
    driver, service, full, ours = "serveriron", "mail", 100, IRON

    def look(self):
        names = {name.strip('"'): address for address, name in self.switch.walk(IRON + ".19.1.1.2").items()}
        weights, on = self.switch.walk(IRON + ".19.1.1.5"), self.switch.walk(IRON + ".20.1.1.4")
        ports = self.switch.walk(IRON + ".6.1.1.5")
        bound = {names[name]: ports[i] for i, name in self.switch.walk(IRON + ".6.1.1.4").items()}
        return {a: int(weights[a]) if on["%s.%s" % (a, port)] == "1" else 0 for a, port in bound.items()}

    def hand(self, weighed, thrown):
        self.switch.set("%s.19.1.1.5.%s" % (IRON, weighed), "i", "7")
        names = {address: name for address, name in self.switch.walk(IRON + ".19.1.1.2").items()}
        row = next(i for i, name in self.switch.walk(IRON + ".6.1.1.4").items() if name == names[thrown])
        self.switch.set("%s.6.1.1.6.%s" % (IRON, row), "i", "3")


class Cisco(Family):
    driver, service, full, ours = "cisco-slb", "chat", 100, CISCO

    def index(self, address):
        return "1.6.%s.%s.80" % (".".join(str(b) for b in b"g-chat"), address)

    def look(self):
        states = self.switch.walk(CISCO + ".3.1.1.4")
        return {".".join(i.split(".")[-5:-1]): int(w) if states.get(i) == "2" else 0 for i, w in self.switch.walk(CISCO + ".3.1.1.8").items()}

    def hand(self, weighed, thrown):
        self.switch.set("%s.3.1.1.8.%s" % (CISCO, self.index(weighed)), "u", "3")
        self.switch.set("%s.3.1.1.17.%s" % (CISCO, self.index(thrown)), "i", "6")


class BigIp(Family):
    """Its pool has all nodes from the start, none is made or removed: who is out and not wanted is none of its members."""
    driver, service, full, ours, saves, first = "f5", "web", 1, F5, False, 0

    def knobs(self):
        return ["members=%d" % NODES, "network=%d" % (10 << 16 | 99 << 8 | 1)]

    def rows(self):
        return {dotted(a): i for i, a in self.switch.walk(F5 + ".3").items()}

    def look(self):
        sessions = self.switch.walk(F5 + ".13")
        return {a: 1 for a, i in self.rows().items() if sessions[i] == "1"}

    def clean(self):
        return not self.members()

    def hand(self, weighed, thrown):
        rows, now = self.rows(), self.members()
        self.switch.set("%s.12.%s" % (F5, next(i for a, i in rows.items() if a not in now)), "i", "2")
        self.switch.set("%s.12.%s" % (F5, rows[thrown]), "i", "1")


class Site:
    """The appliance with all families, as a person sees them."""

    def __init__(self, a):
        self.a = a
        self.families = [kind(i) for i, kind in enumerate((Alteon, ServerIron, Cisco, BigIp))]
        for f in self.families:
            f.begin(a.work)

    def ctl(self, *words, user="operator"):
        code, out = self.a.tool("gloryctl", *words, user=user)
        check(code == 0, "gloryctl %s: %s" % (" ".join(words), out))
        return out

    def address(self, node):
        return "10.99.1.%d" % int(node[1:])

    def nodes(self, f, state="in-service"):
        return sorted(m["node"] for m in self.a.get("/v1/members?service=" + f.service) if not state or m["state"] == state)

    def balancer(self, f):
        return next(b for b in self.a.get("/v1/balancers") if b["name"] == f.balancer)

    def explain(self, f):
        return "; ".join("%s: %s" % (x["about"], x["text"]) for x in self.a.get("/v1/services/%s/explain" % f.service))

    def add(self):
        for f in self.families:
            self.ctl("balancer", "add", f.balancer, "--driver", f.driver, "--address", f.agent, "--snmp", f.credential, "--options", "timeout_ms=250", user="admin")
            self.ctl("service", "add", f.service, "--balancer", f.balancer, "--virtuals", f.virtual, "--pool", "web", "--software", "nginx", "--agent",
                     "ocf:heartbeat:nginx", "--parameters", "configfile=/srv/web.conf", "--probe", "http /health", "--probe-timeout-ms", "500", "--min", "1",
                     "--max", "3", "--start-s", "10", "--warm-s", "2", "--drain-s", "3", user="admin")
        self.pin(2)

    def pin(self, size):
        for f in self.families:
            self.ctl("service", "pin", f.service, str(size))

    def serve(self, size, seconds=90):
        """Each service has so many members, all of them and nobody else with their weight at its switch, and no alarm is left."""
        def wrong():
            return ["%s: members %s, the switch has %s, it is %s; %s" % (f.driver, self.nodes(f, ""), f.members(), self.balancer(f)["state"], self.explain(f))
                    for f in self.families if not self.serves(f, size)]
        wait_until(lambda: "%d members serve: %s; %s" % (size, wrong(), self.a.alarms()), seconds,
                   lambda: all(self.serves(f, size) for f in self.families) and not self.a.alarms(), every=0.3)

    def serves(self, f, size):
        who = self.nodes(f)
        return (len(who) == size and self.nodes(f, "") == who and self.balancer(f)["state"] == "in-step" and not f.pending() and
                f.members() == self.wanted(f))

    def wanted(self, f):
        """What its switch is to have: the weights by headroom as the family shows them, the nominal one of 100 as its full one or the heaviest as that."""
        weights = {self.address(m["node"]): m["weight"] for m in self.a.get("/v1/members?service=" + f.service)}
        base = max(list(weights.values()) + [100])
        return {a: 1 if f.full == 1 else (w * f.full + base // 2) // base if f.full < 100 else w for a, w in weights.items()}

    def told(self, mark, kind, f):
        return [e["cause"] for e in self.a.events(mark) if e["kind"] == kind and e["object"] == f.balancer]

    def no_alarm(self, mark):
        for f in self.families:
            check(not self.told(mark, "alarm-raise", f), "%s: an alarm where none belongs: %s" % (f.driver, self.told(mark, "alarm-raise", f)))

    def alarmed(self, mark, f, word):
        """One alarm of this balancer, with the reason."""
        def found():
            return [x for x in self.a.alarms() if x["object"] == f.balancer and x["kind"] == "balancer" and word in x["cause"]]
        wait_until(lambda: "%s: an alarm with %s: %s; %s" % (f.driver, word, self.a.alarms(), self.balancer(f)), 30, found)

    def once(self, mark, families):
        """Of each one alarm was raised and cleared, however often it was tried; of the others none."""
        for f in self.families:
            n = int(f in families)
            wait_until(lambda: "%s: its end is told: %s" % (f.driver, self.told(mark, "alarm-clear", f)), 10, lambda: len(self.told(mark, "alarm-clear", f)) >= n)
            raised, cleared = self.told(mark, "alarm-raise", f), self.told(mark, "alarm-clear", f)
            check(len(raised) == n and len(cleared) == n, "%s: raised %s, cleared %s" % (f.driver, raised, cleared))

    def trouble(self, families, knob, word, do, size):
        """With a knob of these switches turned something is done that they refuse: one alarm each, over several tries; turned back it is as wanted."""
        mark, repairs = self.a.last_event(), {f: self.balancer(f)["repairs"] for f in families}
        for f in families:
            f.switch.knobs(**{knob: MANY})
        do()
        for f in families:
            self.alarmed(mark, f, word)
            wait_until(lambda: "%s is tried again: %s" % (f.driver, f.switch.knob(knob.replace("_", "-"))), 20,
                       lambda: int(f.switch.knob(knob.replace("_", "-"))) <= MANY - 3)
        for f in families:
            f.switch.knobs(**{knob: 0})
        self.serve(size)
        self.once(mark, families)
        for f in families:
            check(self.balancer(f)["repairs"] == repairs[f], "%s: what was refused of ours is taken for somebody's hand: %s" % (f.driver, self.balancer(f)))


def steady(a, size):
    """The site with all its services at this size, whatever was before."""
    global site
    if not a.get("/v1/services"):
        site.add()
    site.pin(size)
    site.serve(size)
    return site


def come_up(a):
    """four services are added with their switches: each reaches its size, and its switch has its members with full weight and nothing else of ours"""
    mark = a.last_event()
    site.add()
    site.serve(2)
    site.no_alarm(mark)
    for f in site.families:
        row, shown = site.balancer(f), site.ctl("balancer", "show", f.balancer)
        check(row["virtuals"] == 1 and row["reals"] == 2 and row["repairs"] == 0, row)
        check(all(n in shown for n in site.nodes(f)), shown)


def drain(a):
    """a member's node goes into maintenance: it stands at the switch without new connections before it is gone from there"""
    s = steady(a, 2)
    mark, leaves = a.last_event(), {f: s.nodes(f)[0] for f in s.families}
    for node in leaves.values():
        s.ctl("node", "set", node, "--maintenance", "true", user="admin")
    seen = {f: set() for f in s.families}

    def left():
        for f in s.families:
            now, at = f.members(), s.address(leaves[f])
            seen[f].add("gone" if at not in now else "out" if now[at] == 0 else "in")
            if len([w for w in now.values() if w]) < 2:
                seen[f].add("short")
        return all(leaves[f] not in s.nodes(f, "") for f in s.families)
    wait_until(lambda: "they have left: %s" % {f.driver: s.nodes(f, "") for f in s.families}, 90, left, every=0.3)
    s.serve(2)
    for f in s.families:
        check("short" not in seen[f], "%s had fewer than two members: %s" % (f.driver, seen[f]))
        check("out" in seen[f] or f.driver == "f5", "%s went without a drain: %s" % (f.driver, seen[f]))
    s.no_alarm(mark)
    for node in leaves.values():
        s.ctl("node", "set", node, "--maintenance", "false", user="admin")


def lost(a):
    """they grow while an answer to a SET is lost, and a SET itself: nobody has to be told"""
    s = steady(a, 2)
    mark = a.last_event()
    for f in s.families:
        f.switch.knobs(after=f.first, lose=1)
    s.pin(3)
    s.serve(3)
    for f in s.families:
        check(f.switch.knob("lose") == "0", "%s: no answer was lost" % f.driver)
        f.switch.knobs(after=0, drop=1)
    s.pin(2)
    s.serve(2)
    for f in s.families:
        check(f.switch.knob("drop") == "0" and f.switch.knob("lose") == "0", "%s: no SET was lost" % f.driver)
    s.no_alarm(mark)


def refused(a):
    """they grow and every SET but the first ones is refused: one alarm each says so; what is half done then is done when it may be"""
    s = steady(a, 2)

    def do():
        for f in s.families:
            f.switch.knobs(after=f.first)
        s.pin(3)
    s.trouble(s.families, "refuse", "genErr", do, 3)


def not_committed(a):
    """a switch does not apply: nothing of it is left pending, one alarm with its own words; others do not save: the same, and saved later"""
    s = steady(a, 2)
    applies = [f for f in s.families if f.commits]
    had = {f: f.members() for f in applies}

    def do():
        s.pin(3)
        for f in applies:
            s.alarmed(a.last_event(), f, "overlaps")
            wait_until("%s has nothing pending, and what it had" % f.driver, 20, lambda: not f.pending() and f.members() == had[f])
    s.trouble(applies, "fail_apply", "apply failed", do, 3)
    s.trouble([f for f in s.families if f.saves], "fail_save", "sav", lambda: s.pin(2), 2)


def by_hand(a):
    """a person changes a weight at each switch and throws a member out: set right by the next look, counted, told, and no alarm"""
    s = steady(a, 2)
    mark, before = a.last_event(), {f: s.balancer(f)["repairs"] for f in s.families}
    for f in s.families:
        had, (weighed, thrown) = f.members(), [s.address(n) for n in s.nodes(f)]
        f.hand(weighed, thrown)
        check(f.members() != had, "%s: the hand did nothing" % f.driver)
    wait_until(lambda: "both are counted: %s" % {f.driver: s.balancer(f) for f in s.families}, 60,
               lambda: all(s.balancer(f)["repairs"] >= before[f] + 2 for f in s.families), every=0.3)
    s.serve(2)
    for f in s.families:
        check(any("by hand" in cause for cause in s.told(mark, "balancer", f)), "%s: it is not told: %s" % (f.driver, a.events(mark)))
    s.no_alarm(mark)


def removed(a):
    """all is deleted while the switches refuse: one alarm each as long as something stands there; then they are as they were before"""
    s = steady(a, 2)
    mark = a.last_event()
    for f in s.families:
        f.switch.knobs(read_only=1)
        s.ctl("service", "remove", f.service, user="admin")
    for f in s.families:
        s.alarmed(mark, f, "refused")
    wait_until(lambda: "the services are gone: %s" % a.get("/v1/services"), 90, lambda: not a.get("/v1/services"), every=0.3)
    for f in s.families:
        check(not f.clean(), "%s: it has changed although it may not" % f.driver)
        check([x for x in a.alarms() if x["object"] == f.balancer], "%s: what is left there is not told: %s" % (f.driver, a.alarms()))
        f.switch.knobs(read_only=0)
    wait_until(lambda: "the switches are clean: %s" % [f.driver for f in s.families if not f.clean()], 60, lambda: all(f.clean() for f in s.families), every=0.3)
    wait_until(lambda: "no alarm is left: %s" % a.alarms(), 30, lambda: not a.alarms())
    s.once(mark, s.families)
    for f in s.families:
        s.ctl("balancer", "remove", f.balancer, user="admin")
    wait_until(lambda: "the balancers are gone: %s" % a.get("/v1/balancers"), 20, lambda: not a.get("/v1/balancers"))
    with open(a.log_path, errors="replace") as log:
        text = log.read()
    check(not [s for s in SECRETS if s in text], "a secret is in the log")


def prepare(a):
    """The lab's site with a pool and software, but without its balancer and service; credentials of the switches, and the switches themselves."""
    global site
    etc = os.path.join(a.work, "etc")
    with open(os.path.join(etc, "cluster.xml")) as f:
        xml = f.read()
    xml = re.sub(r"<(balancer|service) .*?/>", "", xml, flags=re.S)
    xml = xml.replace("</credentials>", '<snmp name="writers" version="2c"/><snmp name="operators" version="3" user="labv3" auth="SHA-256" priv="AES-128"/></credentials>')
    with open(os.path.join(etc, "cluster.xml"), "w") as f:
        f.write(xml)
    for name, text in (("writers", "community=labrw\n"), ("operators", "auth=labauthpass\npriv=labprivpass\n")):
        with open(os.open(os.path.join(etc, "secrets", "snmp", name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text)
    for f in site.families if site else []:
        f.switch.close()
    site = Site(a)


if __name__ == "__main__":
    run("service_l4", {"nodes": NODES, "groups": 1, "web": True}, [come_up, drain, lost, refused, not_committed, by_hand, removed], prepare)
