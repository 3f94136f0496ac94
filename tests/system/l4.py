#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""glory-l4 against a simulated switch of each family, a real HAProxy and a real nftables: create, grow, drain, shrink, delete, commit failure, lost
reply, refused SET, a change made by hand. It converges by the next run or gives one clear error; nothing half-applied stays unsaid."""
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import BUILD, Failed, check, private_world, wait_until  # noqa: E402
from switches import SECRETS, SimulatedSwitch  # noqa: E402

WORK = "/run/l4"  # of the private world
GLORY = os.path.join(BUILD, "libexec", "glory", "glory-l4")
AGENT = "127.0.0.1:11663"
VIP = "10.99.0.100"
V3 = {"version": "3", "user": "labv3", "auth": "SHA-256", "priv": "AES-128", "auth_secret": "labauthpass", "priv_secret": "labprivpass"}
V3_SHA = dict(V3, user="labsha", auth="SHA")
V2C = {"version": "2c", "community": "labrw"}


def virtual(name, port, members, address=VIP, **more):
    """members: {number: weight}; member n is 10.1.0.n"""
    return dict({"name": name, "address": "%s:%d" % (address, port), "scheduler": "wrr",
                 "reals": [{"name": "n%03d" % n, "address": "10.1.0.%d:%d" % (n, port), "weight": w} for n, w in members.items()]}, **more)


def drive(family, virtuals, credential=None, options=None, target=None, **more):
    picture = dict({"v": 1, "driver": family, "virtuals": virtuals, "options": options or {}}, **more)
    if credential:
        picture["credential"] = credential
    if target:
        picture["target"] = target
    done = subprocess.run([GLORY, family], input=json.dumps(picture), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    check(done.returncode == 0, "glory-l4 ended with %d: %s" % (done.returncode, done.stderr))
    for secret in SECRETS:
        check(secret not in done.stdout + done.stderr, "a secret is printed")
    return json.loads(done.stdout)


def shape(result):
    """{virtual: {address: weight}} of what was read back."""
    return {v["name"]: {r["address"]: r.get("weight", 0) for r in v["reals"]} for v in result["have"]["virtuals"]}


class Switch(SimulatedSwitch):
    def __init__(self, family, *knobs, version=None):
        super().__init__(family, AGENT, WORK, knobs)
        self.credential = version or V2C

    def run(self, *virtuals, options=None, credential=None, **more):
        return drive(self.family, list(virtuals), credential or self.credential, options, AGENT, **more)

    def good(self, result, *virtuals):
        """The result is well, and a fresh look at the switch shows what was wanted."""
        check(result["status"] == "ok", "%s: %s" % (self.family, result))
        check(not result.get("partial"), result)
        again = self.run(*virtuals)
        check(again["status"] == "ok" and again["changes"] == [] and again.get("commands", 0) == 0, "not in step: %s" % again)
        scale = 48 if self.family == "alteon" else 100
        want = {v["name"]: {r["address"]: (r["weight"] * scale + 50) // 100 for r in v["reals"]} for v in virtuals}
        check(shape(again) == want, "%s, wanted %s" % (shape(again), want))
        return result

    def refused(self, result, kind, *words):
        check(result["status"] == kind, "%s: %s, wanted %s" % (self.family, result, kind))
        e = result["error"]
        check(e["object"] and e["text"] and e["remedy"], "an error without %s" % e)
        for word in words:
            check(word in e["text"] + " " + e["remedy"], "%s is not in %s" % (word, e))
        return result


FAMILIES = (("alteon", ()), ("alteon", ("enhanced=1",)), ("serveriron", ()), ("cisco-slb", ()))


def each(test):
    def all_of_them(_):
        for family, knobs in FAMILIES:
            with Switch(family, *knobs) as s:
                test(s)
    all_of_them.__name__ = test.__name__
    all_of_them.__doc__ = test.__doc__
    return all_of_them


@each
def life(s):
    """create, grow, drain, let in again, shrink, delete: each a run, each idempotent; what others have stays"""
    for credential in (V2C, V3, V3_SHA):
        s.credential = credential
        web, tls = virtual("web", 80, {1: 100, 2: 50}), virtual("web-443", 443, {1: 100})
        created = s.good(s.run(web, tls), web, tls)
        check(len([c for c in created["changes"] if c["verb"] == "add-virtual"]) == 2, created)
        check(created["foreign"] == 1, "the virtual server of somebody else is counted")
        web = virtual("web", 80, {1: 100, 2: 50, 3: 20, 4: 100})
        grown = s.good(s.run(web, tls), web, tls)
        check({c["verb"] for c in grown["changes"]} == {"add-real"}, grown)
        web = virtual("web", 80, {1: 100, 2: 0, 3: 100, 4: 100})
        drained = s.good(s.run(web, tls), web, tls)
        check([c["verb"] for c in drained["changes"]] == ["change-real"] * 2, drained)
        web = virtual("web", 80, {1: 100, 2: 60, 3: 100, 4: 0})
        s.good(s.run(web, tls), web, tls)
        web = virtual("web", 80, {1: 100, 2: 60})
        s.good(s.run(web, tls), web, tls)
        s.good(s.run(tls), tls)
        gone = s.good(s.run())
        check(gone["have"]["virtuals"] == [] and gone["foreign"] == 1, gone)


@each
def one_weight(s):
    """a weight among many is one change, and few commands"""
    members = {n: 100 for n in range(1, 61)}
    s.good(s.run(virtual("web", 80, members)), virtual("web", 80, members))
    members[30] = 40
    done = s.good(s.run(virtual("web", 80, members)), virtual("web", 80, members))
    check(len(done["changes"]) == 1 and done["commands"] <= 7, done)
    if s.family != "alteon":
        done = s.run(virtual("web", 80, members, address=VIP), options={"save": "no"})
        members[30] = 50
        done = s.run(virtual("web", 80, members), options={"save": "no"})
        check(done["status"] == "ok" and done["commands"] <= 3, done)


def walk(s, knob, end):
    """The knob at some SETs of creating, and of shrinking and draining; test_l4_switches has it at each."""
    first = [virtual("web", 80, {1: 100, 2: 50})]
    then = [virtual("web", 80, {1: 0, 3: 100}), virtual("two", 81, {2: 100})]
    count = s.run(*first)["commands"]
    check(s.run()["status"] == "ok", "emptied")
    for at in sorted({0, count // 3, 2 * count // 3, count - 1}):
        s.knobs(after=at, **{knob: 1})
        end(s, s.run(*first, options={"timeout_ms": "250"}), first, "create, SET %d" % at)
        s.knobs(after=0, **{knob: 0})
        check(s.run()["status"] == "ok", "emptied again")
    s.good(s.run(*first), *first)
    count = s.run(*then)["commands"]
    for at in sorted({0, count // 3, 2 * count // 3, count - 1}):
        check(s.run(*first)["status"] == "ok", "back")
        s.knobs(after=at, **{knob: 1})
        end(s, s.run(*then, options={"timeout_ms": "250"}), then, "change, SET %d" % at)
        s.knobs(after=0, **{knob: 0})
    check(s.run()["status"] == "ok", "emptied at the end")


@each
def lost_reply(s):
    """the reply to a SET is lost: the same run finds out and makes the rest"""
    def end(switch, result, want, where):
        check(result["status"] == "ok", "%s %s: %s" % (switch.family, where, result))
        switch.good(result, *want)
    walk(s, "lose", end)


@each
def lost_request(s):
    """a SET is lost itself"""
    def end(switch, result, want, where):
        check(result["status"] == "ok", "%s %s: %s" % (switch.family, where, result))
        switch.good(result, *want)
    walk(s, "drop", end)


@each
def refused_set(s):
    """a SET is refused: one clear error that says what was done, and the next run makes it right"""
    def end(switch, result, want, where):
        # a SET that frees a buffer or lets in at once is beside the point: its refusal changes nothing
        if result["status"] == "ok":
            switch.good(result, *want)
            return
        switch.refused(result, "refused")
        before = switch.run(*want, read_only=True)
        check(before["status"] == "ok" and before.get("commands", 0) == 0, before)
        if switch.family == "alteon":
            check(switch.get("1.3.6.1.4.1.1872.2.5.1.1.8.1.0") == "3", "%s: changes are left pending" % where)
            check(not result.get("partial") or "sav" in result["error"]["text"] or "agSaveConfig" in result["error"]["text"], result)
        elif result["changes"] and before["changes"]:
            check(result.get("partial"), "%s: half of it is made and it is not said: %s" % (where, result))
        switch.good(switch.run(*want), *want)
    walk(s, "refuse", end)


@each
def saving_fails(s):
    """what runs is not saved: said now, and done by the next run though nothing else is to change"""
    web = virtual("web", 80, {1: 100})
    s.knobs(fail_save=1)
    s.refused(s.run(web), "refused", "sav")
    after = s.run(web)
    check(after["status"] == "ok" and after["commands"] >= 1 and after["changes"] == [], after)
    s.good(s.run(web), web)
    s.knobs(fail_save=1)
    check(s.run(virtual("web", 80, {1: 50}), options={"save": "no"})["status"] == "ok", "without saving")


@each
def asked_badly(s):
    """what the family cannot do is refused with the reason, and the other services are served"""
    web = virtual("web", 80, {1: 100})
    mark = {"name": "all", "protocol": "fwmark", "fwmark": 7, "reals": []}
    result = s.refused(s.run(web, mark), "config", "firewall marks")
    check(shape(result).keys() == {"web"}, result)
    s.refused(s.run(web, virtual("b", 81, {1: 100}, scheduler="sed")), "config", "scheduler")
    s.refused(s.run(web, virtual("b", 81, {1: 100}, forwarding="direct")), "config", "forward")
    s.refused(s.run(web, virtual("a" * 60, 81, {1: 100})) if s.family == "cisco-slb" else s.run(web, options={"colour": "red"}), "config")
    s.refused(s.run(web, credential={"version": "3", "user": "labv3", "auth": "SHA-256", "priv": "AES-128", "auth_secret": "wrong pass", "priv_secret": "x" * 9},
                    options={"timeout_ms": "300"}), "config", "credential")
    s.refused(s.run(web, credential={"version": "2c", "community": "nobody"}, options={"timeout_ms": "100"}), "remote", "no answer")
    s.refused(drive(s.family, [web], None, None, AGENT), "config", "credential")
    ro = s.run(virtual("web", 80, {1: 10, 2: 10}), credential={"version": "2c", "community": "labro"})
    check(ro["status"] == "refused" and "write access" in ro["error"]["remedy"] + ro["error"]["text"] or "read-only" in ro["error"]["text"], ro)
    if s.family != "cisco-slb":
        other = virtual("theirs", 80, {1: 100}, address="10.200.0.1")
        s.refused(s.run(web, other), "exists", "somebody else")


@each
def too_slow(s):
    """a switch that takes its time: the deadline is kept, and the run says so"""
    s.knobs(slow_ms=300)
    begun = time.monotonic()
    s.refused(s.run(virtual("web", 80, {1: 100}), options={"deadline": "2"}), "remote")
    check(time.monotonic() - begun < 6, "a deadline of 2 s took %.1f s" % (time.monotonic() - begun))
    s.knobs(slow_ms=0)
    web = virtual("web", 80, {1: 100})
    s.good(s.run(web), web)


REALS = "1.3.6.1.4.1.1872.2.5.4.1.1.2.3.1"


def alteon_commit(_):
    """apply fails: its errors are read, what is pending is taken back; somebody else's pending changes are not touched"""
    with Switch("alteon") as s:
        web = virtual("web", 80, {1: 100, 2: 100})
        s.knobs(fail_apply=1)
        failed = s.refused(s.run(web), "refused", "overlaps interface 3")
        check(not failed.get("partial") and failed["changes"] == [] and failed["have"]["virtuals"] == [], failed)
        check(s.get("1.3.6.1.4.1.1872.2.5.1.1.8.1.0") == "3", "nothing is pending")
        s.good(s.run(web), web)
        s.set(REALS + ".3.900", "i", "7")
        more = virtual("web", 80, {1: 100})
        s.refused(s.run(more), "busy", "somebody else")
        check(s.get(REALS + ".3.900") == "7", "their change is there")
        s.good(s.run(more, options={"pending": "revert"}), more)
        # killed in the middle of the transaction
        s.knobs(slow_ms=100)
        before = int(s.knob("sets"))
        picture = {"v": 1, "driver": "alteon", "target": AGENT, "credential": V2C, "virtuals": [web, virtual("two", 81, {n: 100 for n in range(1, 20)})]}
        p = subprocess.Popen([GLORY, "alteon"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        p.stdin.write(json.dumps(picture))
        p.stdin.close()
        wait_until("some SETs are done", 20, lambda: int(s.knob("sets") or 0) > before + 6)
        p.kill()
        p.wait()
        s.knobs(slow_ms=0)
        s.refused(s.run(web), "busy", "pending")
        s.good(s.run(web, options={"pending": "revert"}), web)


def by_hand_alteon(_):
    """weights, a member, a state and a whole service changed at the switch"""
    with Switch("alteon") as s:
        web, two = virtual("web", 80, {1: 100, 2: 100}), virtual("two", 81, {3: 100})
        s.good(s.run(web, two), web, two)
        apply = ("1.3.6.1.4.1.1872.2.5.1.1.8.2.0", "i", "1")

        def hand(*words):
            s.set(*words)
            s.set(*apply)
            wait_until("it is applied", 10, lambda: s.get(apply[0]) != "3")
            s.good(s.run(web, two), web, two)
        hand(REALS + ".3.1", "i", "3")
        hand(REALS + ".10.1", "i", "3")
        hand(REALS + ".11.2", "i", "2", "1.3.6.1.4.1.1872.2.5.4.1.1.3.4.1.4.2", "i", "2")
        hand("1.3.6.1.4.1.1872.2.5.4.1.1.4.3.1.4.1", "i", "3")       # virtual server disabled
        hand("1.3.6.1.4.1.1872.2.5.4.1.1.4.6.1.28.1.1", "i", "2")    # a service deleted: group and reals belong to nothing
        hand("1.3.6.1.4.1.1872.2.5.4.1.1.4.3.1.8.1", "i", "2")       # the virtual server deleted
        s.set("1.3.6.1.4.1.1872.2.5.4.4.5.1.3.1.1", "i", "2")        # out of its group by the operational object
        s.good(s.run(web, two), web, two)
        members = s.walk(REALS + ".2")
        check(len(members) == 4, "three members and one of somebody else: %s" % members)


def by_hand_serveriron(_):
    """a weight, a port, a binding and a server changed at the switch; a deletion that waits"""
    base = "1.3.6.1.4.1.1991.1.1.4."
    with Switch("serveriron") as s:
        web, two = virtual("web", 80, {1: 100, 2: 100}), virtual("two", 81, {1: 100})
        s.good(s.run(web, two), web, two)
        for words in ((base + "19.1.1.5.10.1.0.1", "i", "7"), (base + "20.1.1.4.10.1.0.2.80", "i", "0"), (base + "6.1.1.6.1", "i", "3"),
                      (base + "21.1.1.3.10.99.0.100", "i", "0"), (base + "22.1.1.7.10.99.0.100.80", "i", "3")):
            s.set(*words)
            s.good(s.run(web, two), web, two)
        s.knobs(delete_ms=1500)
        less = virtual("web", 80, {1: 100})
        result = s.run(less, two)
        check(result["status"] == "ok" and result["pending"] and "wait" in result["note"], result)
        result = s.refused(s.run(web, two), "not-now", "still being deleted")
        check(result["pending"], result)
        wait_until("the deletion is done", 15, lambda: not s.run(less, two).get("pending"))
        s.good(s.run(less, two), less, two)
        s.knobs(delete_ms=0)
        s.good(s.run(web, two), web, two)
        sticky = virtual("web", 80, {1: 100, 2: 100}, persistence_s=60)
        check(s.run(sticky, two)["have"]["virtuals"][1]["persistence_s"] == 300, "stickiness has the switch's own time")


def cisco_read_only(_):
    """a device whose balancing is read-only by SNMP says so once, clearly; changes by hand; a predictor cannot be set"""
    base = "1.3.6.1.4.1.9.9.161.1."
    with Switch("cisco-slb", "read-only=1") as s:
        web = virtual("web", 80, {1: 100})
        result = s.refused(s.run(web), "refused", "read-only by SNMP")
        check(result.get("commands") == 1 and not result.get("partial"), result)
        s.knobs(read_only=0)
        s.good(s.run(web), web)
        s.knobs(read_only=1)
        result = s.refused(s.run(virtual("web", 80, {1: 50})), "refused", "read-only by SNMP")
        check(result["commands"] == 1, "the probe changes nothing and is all that is sent: %s" % result)
        s.knobs(read_only=0)
        name = ".".join(str(b) for b in b"g-web")
        s.set(base + "3.1.1.8.1.5.%s.10.1.0.1.80" % name, "u", "3")
        s.good(s.run(web), web)
        s.set(base + "4.1.1.2.1.5." + name, "i", "1")
        s.good(s.run(web), web)
        s.set(base + "4.1.1.16.1.5." + name, "i", "6")
        s.good(s.run(web), web)
        s.set(base + "3.1.1.17.1.5.%s.10.1.0.1.80" % name, "i", "6")
        s.good(s.run(web), web)
        s.set(base + "4.1.1.16.1.5." + name, "i", "6")
        s.good(s.run())
        s.refused(s.run(virtual("lc", 80, {1: 100}, scheduler="wlc")), "refused", "predictor")
        limit = virtual("udp", 53, {1: 100}, protocol="udp")
        limit["reals"][0]["connections_max"] = 50
        s.good(s.run(limit), limit)


def f5_members(_):
    """members go in and out; all else is refused, and what can be done is done"""
    with Switch("f5", version=V3) as s:
        all_in = virtual("web", 80, {n: 100 for n in range(1, 5)})
        s.good(s.run(all_in), all_in)
        out = virtual("web", 80, {1: 100, 2: 0, 3: 100, 4: 100})
        done = s.good(s.run(out), out)
        check(done["commands"] == 1, done)
        without = virtual("web", 80, {1: 100, 3: 100, 4: 100})
        s.good(s.run(without), without)
        more = virtual("web", 80, {1: 0, 2: 100, 3: 100, 4: 100, 9: 100})
        result = s.refused(s.run(more), "refused", "add-real 10.1.0.9:80")
        check(result["partial"] and shape(result)["web"]["10.1.0.1:80"] == 0 and shape(result)["web"]["10.1.0.2:80"] == 100, result)
        s.refused(s.run(all_in, virtual("new", 81, {1: 100})), "refused", "add-virtual")
        # who is in and not wanted is let out; a pool that was ours is emptied, one that was refused is left alone
        fewer = virtual("web", 80, {1: 100, 2: 100})
        s.good(s.run(fewer), fewer)
        s.refused(s.run(dict(fewer, forwarding="tunnel"), options={"previous": "web"}), "config", "forward")
        check(shape(s.run(fewer, read_only=True)) == {"web": {"10.1.0.1:80": 100, "10.1.0.2:80": 100}}, "a refused pool has changed")
        check(s.run(options={"previous": "web-2"}).get("commands", 0) == 0, "another pool than was named")
        gone = s.run(options={"previous": "mail, web"})
        check(gone["status"] == "ok" and gone["commands"] == 2 and [c["verb"] for c in gone["changes"]] == ["remove-virtual"], gone)
        check(s.run(options={"previous": "mail, web"}).get("commands", 0) == 0, "once more")
        s.knobs(lose=1)
        s.good(s.run(all_in, options={"timeout_ms": "250"}), all_in)
        s.knobs(refuse=1)
        s.refused(s.run(out), "refused")
        s.good(s.run(out), out)


# --- real balancers -----------------------------------------------------------------------------------------


class Member(socketserver.BaseRequestHandler):
    """Says its number; "hold" in the request keeps the connection until the client closes it."""

    def handle(self):
        try:
            asked = self.request.recv(1000)
            self.request.sendall(b"%d\n" % self.server.number)
            while b"hold" in asked and self.request.recv(1000):
                self.request.sendall(b"%d\n" % self.server.number)
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, number, port=80):
        self.number = number
        super().__init__(("10.1.0.%d" % number, port), Member)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def members_up():
    """The members' addresses and servers."""
    for address in [VIP] + ["10.1.0.%d" % n for n in range(1, 6)]:
        subprocess.run(["ip", "addr", "add", address + "/32", "dev", "lo"], check=True)
    return [Server(n) for n in range(1, 6)]


def connect(text=b"hello\n"):
    s = socket.create_connection((VIP, 80), 5)
    s.settimeout(5)
    s.sendall(text)
    answer = s.recv(100)
    if b"hold" in text:
        return s, int(answer)
    s.close()
    return int(answer)


def spread(count):
    seen = {}
    for _ in range(count):
        n = connect()
        seen[n] = seen.get(n, 0) + 1
    return seen


class HAProxy:
    def __init__(self):
        self.dir = os.path.join(WORK, "haproxy")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.path = {n: os.path.join(self.dir, n) for n in ("main.cfg", "glory.cfg", "pid")}
        self.socket = "/run/l4-haproxy.sock"
        with open(self.path["main.cfg"], "w") as f:
            f.write("global\n\tstats socket %s level admin\ndefaults\n\ttimeout connect 1s\n\ttimeout client 1m\n\ttimeout server 1m\nlisten mail\n\tbind 127.0.0.1:2525\n\tmode tcp\n" % self.socket)
        open(self.path["glory.cfg"], "w").close()
        self.options = {"socket": self.socket, "config": self.path["glory.cfg"], "main": self.path["main.cfg"], "pid": self.path["pid"]}
        self.process = subprocess.Popen(["haproxy", "-W", "-p", self.path["pid"], "-f", self.path["main.cfg"], "-f", self.path["glory.cfg"]],
                                        stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.dir, "log"), "w"))
        wait_until("HAProxy answers", 10, lambda: self.tell("show info"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tell(self, command):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.settimeout(5)
                s.connect(self.socket)
                s.sendall(command.encode() + b"\n")
                answer = b""
                while True:
                    more = s.recv(65536)
                    if not more:
                        return answer.decode()
                    answer += more
        except OSError:
            return ""

    def pid(self):
        return [x for x in self.tell("show info").splitlines() if x.startswith("Pid:")]

    def run(self, *virtuals, **more):
        return drive("haproxy", list(virtuals), options=dict(self.options, **more.pop("options", {})), **more)

    def file(self):
        with open(self.path["glory.cfg"]) as f:
            return f.read()

    def good(self, result, *virtuals):
        check(result["status"] == "ok" and not result.get("partial"), result)
        again = self.run(*virtuals)
        check(again["status"] == "ok" and again["changes"] == [] and again.get("commands", 0) == 0, again)
        want = {v["name"]: {r["address"]: r["weight"] for r in v["reals"]} for v in virtuals}
        check(shape(again) == want, "%s, wanted %s" % (shape(again), want))
        return result


def haproxy_life(_):
    """create by a reload, grow, weigh, drain and shrink without one; sessions stay; the file always says what runs"""
    with HAProxy() as h:
        web = virtual("web", 80, {1: 100, 2: 100})
        made = h.good(h.run(web), web)
        check(made["note"] == "reloaded" and made["foreign"] == 1, made)
        check(spread(20) == {1: 10, 2: 10}, "evenly")
        pid = h.pid()
        web = virtual("web", 80, {1: 100, 2: 100, 3: 50})
        grown = h.good(h.run(web), web)
        check("note" not in grown and h.pid() == pid, "growing needs no reload")
        check(spread(25) == {1: 10, 2: 10, 3: 5}, "by weights")
        held, number = connect(b"hold\n")
        web = virtual("web", 80, {n: 0 if n == number else 100 for n in (1, 2, 3)})
        h.good(h.run(web), web)
        check(number not in spread(20), "a drained member gets nothing new")
        held.sendall(b"more\n")
        check(int(held.recv(100)) == number, "its session goes on")
        check("weight 0" in h.file(), "the file says so")
        web = virtual("web", 80, {n: 100 for n in (1, 2, 3) if n != number})
        gone = h.run(web)
        check(gone["status"] == "ok" and gone["pending"] and "last sessions" in gone["note"], gone)
        held.sendall(b"more\n")
        check(int(held.recv(100)) == number and number not in spread(10), "still, and nothing new")
        held.close()
        wait_until("the member is deleted when its last session has ended", 10, lambda: not h.run(web).get("pending"))
        check("n%03d" % number not in h.tell("show servers state"), "it is gone")
        check(h.pid() == pid, "and all without a reload")
        # a reload by others keeps it
        os.kill(int(open(h.path["pid"]).read()), signal.SIGUSR2)
        wait_until("somebody has reloaded it", 10, lambda: h.pid() and h.pid() != pid)
        h.good(h.run(web), web)
        two = virtual("two", 81, {4: 100}, persistence_s=300, scheduler="wlc")
        two["reals"][0]["connections_max"] = 9
        h.good(h.run(web, two), web, two)
        h.good(h.run(two), two)
        h.good(h.run())
        check("mail" in h.tell("show stat") and "glory" not in h.tell("show stat"), "what others have stays")


MASTER_THAT_STARTS = """
import os, signal, sys, threading
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
with open(sys.argv[1], "w") as f:
    f.write(str(os.getpid()))
signal.signal(signal.SIGALRM, lambda *_: signal.signal(signal.SIGUSR2, lambda *_: os.kill(int(sys.argv[2]), signal.SIGUSR2)))
signal.alarm(1)
print("up", flush=True)
threading.Event().wait()
"""


def haproxy_starting(_):
    """a master that still starts ignores the reload, though its workers serve: it is asked when it listens"""
    with HAProxy() as h:
        web = virtual("web", 80, {1: 100})
        h.good(h.run(web), web)  # so the true master listens
        file = os.path.join(h.dir, "starting")
        with open(h.path["pid"]) as f:
            master = f.read().strip()
        starting = subprocess.Popen([sys.executable, "-c", MASTER_THAT_STARTS, file, master], stdout=subprocess.PIPE)
        try:
            check(starting.stdout.readline() == b"up\n", "the master that starts")
            two = virtual("two", 81, {2: 100})
            result = h.good(h.run(web, two, options={"pid": file}), web, two)
            check(result["note"] == "reloaded", result)
        finally:
            starting.kill()
            starting.communicate()
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:  # a file that names another process: that one is left alone
            with open(file, "w") as f:
                f.write(str(other.pid))
            result = h.run(web, options={"pid": file})
            check(result["status"] == "config" and "no master process" in result["error"]["text"] and other.poll() is None, result)
            other.stdin.close()
        h.good(h.run(web), web)


def haproxy_by_hand(_):
    """weights, states, members, the file and the marks changed by a person"""
    with HAProxy() as h:
        web = virtual("web", 80, {1: 100, 2: 50})
        h.good(h.run(web), web)
        for command in ("set server glory-web/n001 weight 3", "set server glory-web/n002 state maint", "set server glory-web/n001 state drain",
                        "add server glory-web/extra 10.1.0.5:80 weight 10;enable server glory-web/extra",
                        "set server glory-web/n002 state maint;del server glory-web/n002"):
            h.tell(command)
            h.good(h.run(web), web)
        text = h.file()
        for spoiled in (text.replace("weight 50", "weight 99"), "", text.replace("balance roundrobin", "balance leastconn"), text.replace(VIP, "10.99.0.77")):
            with open(h.path["glory.cfg"], "w") as f:
                f.write(spoiled)
            h.good(h.run(web), web)
            check(h.file() == text, "the file is as it was")
        with open(h.path["glory.cfg"], "w") as f:
            f.write("# mine\n" + text + "# mine too\n")
        h.good(h.run(virtual("web", 80, {1: 100})), virtual("web", 80, {1: 100}))
        check(h.file().startswith("# mine\n") and h.file().endswith("# mine too\n"), "what others wrote stays")
        with open(h.path["glory.cfg"], "w") as f:
            f.write(text.replace("# glory-cl: end", "# gone"))
        result = h.run(web)
        check(result["status"] == "config" and "marks" in result["error"]["text"] and result["partial"], result)


def haproxy_refuses(_):
    """a configuration that HAProxy refuses, an address that is not here, a socket without the right: the old one serves on, and it is said"""
    with HAProxy() as h:
        web = virtual("web", 80, {1: 100})
        h.good(h.run(web), web)
        good = h.file()
        # an address that this machine does not have keeps nobody else out, and needs no reload to be refused
        elsewhere, two = virtual("away", 80, {1: 100}, address="10.77.77.77"), virtual("two", 81, {2: 100})
        result = h.run(web, elsewhere, two)
        check(result["status"] == "refused" and "10.77.77.77:80 is no address" in result["error"]["text"], result)
        check(result["note"] == "reloaded" and set(shape(result)) == {"web", "two"}, result)
        before = h.pid()
        result = h.run(web, elsewhere, two)
        check(result["status"] == "refused" and result.get("commands", 0) == 0 and h.pid() == before, result)
        h.good(h.run(web), web)
        check(h.file() == good, "the file is as before")
        # a port that another has
        taken = socket.create_server((VIP, 85))
        elsewhere, before = virtual("away", 85, {1: 100}), h.pid()
        result = h.run(web, elsewhere)
        check(result["status"] == "refused" and "no new process" in result["error"]["text"], result)
        check(h.file() == good, "the old file is back")
        check(spread(4) == {1: 4}, "it serves")
        # put off: members change all the same
        process = wait_until("the old file is loaded", 15, lambda: h.pid() != before and h.pid())
        more = virtual("web", 80, {1: 100, 2: 100})
        result = h.run(more, elsewhere, options={"reload": "later"})
        check(result["status"] == "not-now" and "put off" in result["error"]["text"] and shape(result) == {"web": {"10.1.0.1:80": 100, "10.1.0.2:80": 100}}, result)
        check(h.pid() == process and sorted(spread(4)) == [1, 2] and ":85" not in h.file() and "10.1.0.2" in h.file(), "without a reload")
        h.run(web)
        wait_until("it takes reloads again", 15, lambda: h.run(web)["status"] == "ok")
        taken.close()
        with open(h.path["main.cfg"], "a") as f:
            f.write("nonsense\n")
        result = h.run(web, virtual("two", 81, {2: 100}))
        check(result["status"] == "refused" and "refuses the new configuration" in result["error"]["text"], result)
        check(h.file() == good and spread(4) == {1: 4}, "nothing is touched")
        result = h.run(virtual("web", 80, {1: 100, 2: 100}))
        check(result["status"] == "refused" and result["partial"], "at run time it is done, in the file not: %s" % result)
        check(sorted(spread(4)) == [1, 2], "it runs")
        result = drive("haproxy", [web, virtual("three", 82, {1: 1})], options={"socket": h.socket})
        check(result["status"] == "config" and "reload" in result["error"]["text"], result)
    result = drive("haproxy", [], options={"socket": "/run/none.sock"})
    check(result["status"] == "remote" and "/run/none.sock" in result["error"]["text"], result)


def nft_life(_):
    """one transaction for all; weights, drains that keep connections, counts, a change by hand, no right to it"""
    def good(*virtuals, **more):
        result = drive("nftables", list(virtuals), **more)
        check(result["status"] == "ok" and not result.get("partial"), result)
        again = drive("nftables", list(virtuals))
        check(again["changes"] == [] and again.get("commands", 0) == 0 and again["status"] == "ok", again)
        want = {v["name"]: {r["address"]: r["weight"] for r in v["reals"]} for v in virtuals}
        check(shape(again) == want, "%s, wanted %s" % (shape(again), want))
        return result
    web = virtual("web", 80, {1: 100, 2: 50})
    check(good(web)["commands"] == 1, "one command")
    check(spread(30) == {1: 20, 2: 10}, "by weights")
    held, number = connect(b"hold\n")
    other = 3 - number
    drained = virtual("web", 80, {number: 0, other: 100, 3: 100})
    good(drained)
    check(spread(20) == {other: 10, 3: 10}, "nothing new to the drained one")
    counts = {r["name"]: r for r in drive("nftables", [drained])["have"]["virtuals"][0]["reals"]}
    check(counts["n%03d" % number].get("active") == 1, "its connection is counted: %s" % counts)
    check(counts["n003"]["connections"] == 10, "so are the new ones: %s" % counts)
    good(virtual("web", 80, {other: 100, 3: 100}))
    held.sendall(b"more\n")
    check(int(held.recv(100)) == number, "a connection goes on when its member is removed")
    held.close()
    both = [virtual("web", 80, {1: 100, 2: 100}), virtual("six", 80, {}, address="[fd00::100]", scheduler="sh"), virtual("dns", 53, {1: 1}, protocol="udp")]
    both[1]["reals"] = [{"name": "six1", "address": "[fd00::1]:80", "weight": 10}]
    good(*both)
    for command in ("delete table ip glory", "flush chain ip glory services", "add rule ip glory services tcp dport 99 accept", "flush chain ip glory output",
                    "add chain ip glory v9-r0", "flush chain ip glory v2"):
        done = subprocess.run(["nft"] + command.split(), stderr=subprocess.PIPE, text=True)
        check(done.returncode == 0, command + done.stderr)
        good(*both)
    other_table = subprocess.run(["nft", "add", "table", "ip", "theirs"])
    check(other_table.returncode == 0, "a table of somebody else")
    good()
    check("theirs" in subprocess.run(["nft", "list", "tables"], stdout=subprocess.PIPE, text=True).stdout, "it stays")
    picture = json.dumps({"v": 1, "driver": "nftables", "virtuals": [web]})
    weak = subprocess.run(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", GLORY, "nftables"], input=picture, stdout=subprocess.PIPE, text=True)
    result = json.loads(weak.stdout)
    check(result["status"] == "refused" and "ermitted" in result["error"]["text"], result)
    result = drive("nftables", [virtual("web", 80, {1: 100}, scheduler="wlc")])
    check(result["status"] == "config" and "scheduler" in result["error"]["text"], result)


def bad_input(_):
    """what is no picture gets a result that says so"""
    for text, word in (("", "no JSON"), ("{}", "v is not 1"), ('{"v":1,"virtuals":[{"name":"a"}]}', "address"), ('{"v":1,"driver":"f5"}', "is for f5"),
                       ('{"v":1,"options":{"deadline":"0"}}', "deadline"), ("[" * 100000, "no JSON")):
        done = subprocess.run([GLORY, "nftables"], input=text, stdout=subprocess.PIPE, text=True, timeout=20)
        result = json.loads(done.stdout)
        check(done.returncode == 0 and result["status"] == "config" and word in result["error"]["text"], "%s: %s" % (text[:60], result))
    check(subprocess.run([GLORY, "none"], stderr=subprocess.DEVNULL).returncode == 2, "usage")


TESTS = (bad_input, life, one_weight, lost_reply, lost_request, refused_set, saving_fails, asked_badly, too_slow, alteon_commit, by_hand_alteon,
         by_hand_serveriron, cisco_read_only, f5_members, haproxy_life, haproxy_starting, haproxy_by_hand, haproxy_refuses, nft_life)


def main():
    failed = 0
    os.makedirs(WORK, exist_ok=True)
    servers = members_up()
    for test in TESTS:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        begun = time.monotonic()
        try:
            test(None)
            print("ok      %-20s %s (%.1f s)" % (test.__name__, test.__doc__, time.monotonic() - begun), flush=True)
        except (Failed, OSError, subprocess.SubprocessError, KeyError, ValueError) as e:
            failed += 1
            print("FAILED  %-20s %s: %r" % (test.__name__, e, type(e)), flush=True)
    for server in servers:
        server.shutdown()
    print("l4: %d failed" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    private_world()
    for program in ("haproxy", "nft", "conntrack", "snmpset", "setpriv"):
        if not shutil.which(program):
            print("skipped: %s is not installed" % program)
            sys.exit(77)
    sys.exit(main())
