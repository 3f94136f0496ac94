#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service probes of the checker role under its sandbox, on real listeners in a namespace: answers that are good, bad, late, endless, garbage, TLS,
none; what changes a state and how soon; lists and changes of them; plugins; a role that was stopped; what a look costs."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import BUILD, Failed, check, private_world, select_pause, wait_until  # noqa: E402

WORK = os.path.join(BUILD, "system", "probes")
UID = 64199
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nall well\n"


class Listener(threading.Thread):
    """Accepts on 127.0.0.1 and gives each connection to act(connection, request); counts, and keeps the last request."""

    def __init__(self, act, tls=None, read=True):
        super().__init__(daemon=True)
        self.act, self.tls, self.read, self.count, self.request = act, tls, read, 0, b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(4096)
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection:
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                if self.read:
                    self.request = connection.recv(65536)
                self.act(connection)
                if self.tls:
                    connection.unwrap()
        except OSError:
            pass  # the probe goes when it has seen enough

    def close(self):
        # accept() in the other thread ends by the shutdown alone
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Checker:
    """glory-checker behind probedrive: keeps the newest state of each probe, and all that was told."""

    def __init__(self, plugins=""):
        self.states, self.told, self.handled, self.late_ms = {}, [], 0, 0
        self.log = open(os.path.join(WORK, "log"), "ab")
        self.process = subprocess.Popen([os.path.join(BUILD, "tests", "probedrive"), os.path.join(BUILD, "libexec", "glory", "glory-checker"),
                                         str(UID), plugins], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.ready = False
        threading.Thread(target=self.listen, daemon=True).start()
        wait_until("the checker is ready", 10, lambda: self.ready)

    def listen(self):
        for line in self.process.stdout:
            o = json.loads(line)
            if "state" in o:
                o["at"] = time.monotonic()
                self.told.append(o)
                self.states[o["probe"]] = o
            elif "handled" in o:
                self.handled, self.late_ms = o["handled"], o["late_ms"]
            else:
                self.ready = True

    def send(self, kind, probes):
        self.process.stdin.write(json.dumps({kind: probes}) + "\n")
        self.process.stdin.flush()

    def state(self, number):
        return self.states.get(number, {"state": None, "text": None, "generation": None})

    def wait(self, number, state, text="", seconds=6):
        return wait_until(lambda: "probe %d is %s with \"%s\": %s" % (number, state, text, self.state(number)), seconds,
                          lambda: (lambda s: s if s["state"] == state and text in s["text"] else None)(self.state(number)))

    def pid(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
            return int(f.read().split()[0])

    def cpu_s(self):
        with open("/proc/%d/stat" % self.pid()) as f:
            words = f.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        check(self.process.wait(10) == 0, "the checker did not end well: see %s" % self.log.name)


def probe(number, kind, port, generation=1, address="127.0.0.1", **more):
    return dict({"probe": number, "generation": generation, "kind": kind, "address": "%s:%d" % (address, port), "interval_ms": 500,
                 "timeout_ms": 400, "rise": 2, "fall": 2, "name": "n%03d" % number}, **more)


def answer(status, text=b"", more=b""):
    return lambda c: c.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(text), more, text))


def endless(piece, first=b""):
    def act(c):
        c.sendall(first)
        while True:
            c.sendall(piece)
    return act


def hold(c):
    c.settimeout(30)
    c.recv(1)


def drip(c):
    for byte in OK:
        c.sendall(bytes([byte]))
        select_pause(0.1)


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def certificate():
    """One that nobody has signed, for www.lab.example."""
    key, crt = os.path.join(WORK, "key.pem"), os.path.join(WORK, "crt.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=www.lab.example", "-addext", "subjectAltName=DNS:www.lab.example", "-keyout", key, "-out", crt], check=True,
                   capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return context


def outcomes():
    """good, bad, late, endless, garbage, TLS, refused, silent: each with its state and words"""
    tls = certificate()
    elsewhere = Listener(lambda c: c.sendall(OK))
    gone = Listener(hold)
    gone.close()
    redirect = answer(302, b"", b"Location: http://127.0.0.1:%d/\r\nSet-Cookie: a=b\r\n" % elsewhere.port)
    # act, kind, state, words, more
    table = [
        (lambda c: c.sendall(OK), "http", "good", "200 in ", {}),
        (lambda c: c.sendall(OK), "tcp", "good", "connects in ", {}),
        (lambda c: c.sendall(OK), "http", "good", "200 in ", {"expect": "all well"}),
        (lambda c: c.sendall(OK), "http", "bad", "answers 200 without \"all ill\"", {"expect": "all ill"}),
        (answer(500), "http", "bad", "answers 500, 200-399 wanted", {}),
        (answer(500), "http", "good", "500 in ", {"status_low": 500, "status_high": 599}),
        (redirect, "http", "good", "302 in ", {}),
        (redirect, "http", "bad", "answers 302, 200-299 wanted", {"status_low": 200, "status_high": 299}),
        (hold, "http", "bad", "no answer in 400 ms", {}),
        (drip, "http", "bad", "no answer in 400 ms", {}),
        (endless(b"x" * 4096, b"HTTP/1.1 200 OK\r\n\r\n"), "http", "good", "200 in ", {}),
        (endless(b"x" * 4096, b"HTTP/1.1 200 OK\r\n\r\n"), "http", "bad", "answers 200 without", {"expect": "y"}),
        (endless(b"X-More: " + b"y" * 200 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), "http", "bad", "its header does not end", {}),
        (endless(b"HTTP/1.1 100 Continue\r\n\r\n"), "http", "bad", "its header does not end", {}),
        (endless(b"z" * 1000, b"HTTP/1.1 200 OK\r\nX: "), "http", "bad", "its header does not end", {}),
        (endless(os.urandom(4096)), "http", "bad", "answers no HTTP", {}),
        (lambda c: c.sendall(b"SSH-2.0-OpenSSH\r\n"), "http", "bad", "answers no HTTP", {}),
        (lambda c: c.sendall(b"HTTP/9.9 200 OK\r\n\r\n"), "http", "bad", "answers no HTTP", {}),
        (answer(200, b"\x1f\x8b" + b"\0" * 60, b"Content-Encoding: gzip\r\n"), "http", "good", "200 in ", {}),
        (lambda c: c.sendall(OK[:40]), "http", "bad", "", {}),
        (lambda c: None, "http", "bad", "closed before an answer", {}),
        (reset, "http", "bad", "closed before an answer", {}),
        (lambda c: c.sendall(OK), "https", "bad", "no TLS", {}),
        (lambda c: c.sendall(OK), "tls", "bad", "no TLS", {}),
        (hold, "tls", "bad", "no answer in 400 ms", {}),
    ]
    listeners = [Listener(row[0]) for row in table]
    probes = [probe(i, row[1], listeners[i].port, **row[4]) for i, row in enumerate(table)]
    secure = [
        ("https", "good", "200 in ", {}),
        ("tls", "good", "TLS in ", {}),
        ("https", "bad", "its certificate does not prove www.lab.example", {"host": "www.lab.example"}),
        ("tls", "bad", "its certificate does not prove other.example", {"host": "other.example"}),
        ("http", "bad", "", {}),
    ]
    both = Listener(lambda c: c.sendall(OK), tls=tls)
    for i, row in enumerate(secure):
        probes.append(probe(100 + i, row[0], both.port, **row[3]))
    named = Listener(lambda c: c.sendall(OK))
    probes.append(probe(200, "http", named.port, host="www.lab.example", path="/a?b=%20&c=../d"))
    probes.append(probe(201, "tcp", gone.port))
    probes.append(probe(202, "http", gone.port))
    probes.append(probe(203, "tcp", 80, address="10.99.9.9"))   # nobody answers for the address
    probes.append(probe(204, "http", 80, address="10.99.9.9"))
    probes.append(probe(205, "http", 80, address="10.77.0.1"))  # no route
    c = Checker()
    try:
        c.send("list", probes)
        for i, row in enumerate(table):
            c.wait(i, row[2], row[3])
        for i, row in enumerate(secure):
            c.wait(100 + i, row[1], row[2])
        c.wait(200, "good", "200 in ")
        for number in (201, 202):
            c.wait(number, "bad", "connection refused")
        for number in (203, 204):
            c.wait(number, "bad", "no answer in 400 ms")
        c.wait(205, "bad", "no way to it")
        check(elsewhere.count == 0, "a redirect was followed")
        lines = named.request.split(b"\r\n")
        check(lines[0] == b"GET /a?b=%20&c=../d HTTP/1.1", lines)
        check(b"Host: www.lab.example:%d" % named.port in lines, lines)
        check(not [x for x in listeners[6].request.split(b"\r\n") if x.lower().startswith(b"cookie")], "a cookie was sent back")
        check(b"\r\nConnection: close\r\n" in named.request and b"Accept-Encoding" not in named.request, named.request)
        with open("/proc/%d/status" % c.pid()) as f:
            status = {line.partition(":")[0]: line.partition(":")[2].strip() for line in f}
        # a sanitized build has no filter
        check(status["Seccomp"] == ("0" if "san" in BUILD else "2") and status["Threads"] == "1" and status["Uid"].split()[0] == str(UID), status)
    finally:
        c.close()


def soon():
    """a port that closes is bad in one interval and a half, one that hangs in two intervals and two time-outs; one late answer changes nothing"""
    late = [0]

    def slow(connection):
        select_pause(late[0])
        connection.sendall(OK)
    dies, hangs = Listener(lambda c: c.sendall(OK)), Listener(slow)
    c = Checker()
    try:
        c.send("list", [probe(1, "http", dies.port, interval_ms=1000), probe(2, "http", hangs.port, interval_ms=1000), probe(3, "tcp", dies.port, interval_ms=1000)])
        for number in (1, 2, 3):
            c.wait(number, "good")
        begun = time.monotonic()
        dies.close()
        for number in (1, 3):
            took = c.wait(number, "bad", "refused")["at"] - begun
            check(took < 1.7, "a closed port was bad after %.2f s" % took)
        late[0] = 0.6
        begun = time.monotonic()
        took = c.wait(2, "bad", "no answer")["at"] - begun
        check(took < 2.9, "a port that hangs was bad after %.2f s" % took)
        late[0] = 0
        took = c.wait(2, "good")["at"] - begun
        # one look is late, the next is not
        seen = len(c.told)
        late[0] = 0.6
        wait_until("one late look", 5, lambda: [s for s in c.told[seen:] if s["probe"] == 2 and "no answer" in s["text"]], every=0.005)
        late[0] = 0
        wait_until("and good ones again", 5, lambda: c.state(2)["text"].startswith("200"))
        check(not [s for s in c.told[seen:] if s["probe"] == 2 and s["state"] != "good"], "one late look changed the state: %s" % c.told[seen:])
    finally:
        c.close()


def lists():
    """a list replaces the one before; what stays keeps its state, another generation begins anew, what goes is looked at no more; told again each 10 s"""
    server = Listener(lambda c: c.sendall(OK))
    c = Checker()
    try:
        c.send("list", [probe(i, "http", server.port) for i in range(120)])  # three packets
        for i in range(120):
            c.wait(i, "good")
        seen = len(c.told)
        c.send("list", [probe(0, "http", server.port), probe(1, "http", server.port, generation=2)])
        c.wait(1, "good")
        check(not [s for s in c.told[seen:] if s["probe"] == 1 and s["generation"] == 2 and s["state"] == "good" and s["streak"] < 2], c.told[seen:])
        count = server.count
        began = c.handled
        wait_until("two seconds of looks", 10, lambda: c.handled >= began + 8)
        check(server.count - count < 30, "%d looks at what was taken from the list" % (server.count - count))
        c.send("change", [probe(0, "http", server.port, interval_ms=0), probe(7, "tcp", server.port)])
        c.wait(7, "good", "connects")
        seen = len(c.told)
        wait_until("all are told again", 15, lambda: {s["probe"] for s in c.told[seen:]} >= {1, 7})
        check(not [s for s in c.told[seen:] if s["probe"] == 0], "a probe that is gone was told")
        # what cannot be looked at is left out, the rest goes on
        c.send("change", [probe(8, "http", server.port, path="no-slash"), probe(9, "http", server.port)])
        c.wait(9, "good")
        check(c.state(8)["state"] != "good" or c.state(8)["generation"] != 1 or c.told.index(c.state(8)) < seen, c.state(8))
        c.send("list", [])
        wait_until("nothing is looked at", 10, lambda: (lambda before: (select_pause(1.2), server.count == before)[1])(server.count))
    finally:
        c.close()


def plugins():
    """a plugin's 0 and 1 are good, 2 and 3, silence, a signal, a hang and a missing file are bad"""
    place = os.path.join(WORK, "plugins")
    os.makedirs(place, exist_ok=True)
    scripts = {"ok": "echo \"good of $1 $2\"", "warn": "echo so so; exit 1", "crit": "echo broken; exit 2", "shrug": "exit 3", "dies": "kill -9 $$",
               "hangs": "while :; do read -r _ </dev/zero; done"}
    for name, text in scripts.items():
        with open(os.path.join(place, name), "w") as f:
            f.write("#!/bin/sh\n" + text + "\n")
        os.chmod(os.path.join(place, name), 0o755)
    wanted = {"ok": ("good", "good of 127.0.0.1 n001"), "warn": ("good", "so so"), "crit": ("bad", "broken"), "shrug": ("bad", "code 3"),
              "dies": ("bad", "signal 9"), "hangs": ("bad", "no answer in 400 ms"), "none": ("bad", "there is no such plugin")}
    c = Checker(place)
    try:
        c.send("list", [probe(1 + i, "plugin", 80, plugin=name, arguments="$ADDRESS$ $NAME$") for i, name in enumerate(wanted)])
        for i, (state, text) in enumerate(wanted.values()):
            c.wait(1 + i, state, text, 15)
    finally:
        c.close()


def stopped():
    """a checker that was itself stopped for two seconds calls nobody late"""
    server = Listener(lambda c: c.sendall(OK))
    c = Checker()
    try:
        c.send("list", [probe(i, "http" if i % 2 else "tcp", server.port, fall=1) for i in range(50)])
        for i in range(50):
            c.wait(i, "good")
        seen = len(c.told)
        for _ in range(3):
            os.kill(c.pid(), signal.SIGSTOP)
            select_pause(2)
            os.kill(c.pid(), signal.SIGCONT)
            before = c.handled
            wait_until("it looks again", 10, lambda: c.handled > before + 100)
        check(not [s for s in c.told[seen:] if s["state"] != "good"], [s for s in c.told[seen:] if s["state"] != "good"][:5])
    finally:
        c.close()


def web_server():
    """nginx with one small page on a socket of its own; a process of this machine that can answer thousands a second."""
    conf = os.path.join(WORK, "nginx.conf")
    with open(conf, "w") as f:
        f.write("daemon off; pid %s/nginx.pid; error_log %s/nginx.log; worker_processes 1; events { worker_connections 4096; }\n"
                "http { access_log off; server { listen 127.0.0.1:8080 backlog=4096; location / { return 200 'all well'; } } }\n" % (WORK, WORK))
    server = subprocess.Popen(["nginx", "-c", conf, "-p", WORK, "-e", WORK + "/nginx.log"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", 8080)) == 0
    wait_until("nginx listens", 10, listens)
    return server


def cost():
    """2,000 looks a second: all are made, none is called bad, and a look costs little"""
    if not shutil.which("nginx"):
        raise Failed("nginx is not installed: make deps")
    server = web_server()
    try:
        for kind, most_us in (("tcp", 250), ("http", 1000)):
            c = Checker()
            try:
                c.send("list", [probe(i, kind, 8080, interval_ms=1000, timeout_ms=1000, name="n%05d" % i) for i in range(2000)])
                wait_until("all are good", 30, lambda: sum(s["state"] == "good" for s in c.states.values()) == 2000)
                seen, handled, cpu, begun = len(c.told), c.handled, c.cpu_s(), time.monotonic()
                wait_until("ten seconds of looks", 30, lambda: c.handled - handled >= 20000)
                took, looks = time.monotonic() - begun, c.handled - handled
                each = (c.cpu_s() - cpu) / looks * 1e6
                print("        %s: %.0f looks a second, %.0f us of processor each, %.1f %% of one" % (kind, looks / took, each, each * looks / took / 1e4))
                check(looks / took > 1500, "%.0f looks a second of 2000" % (looks / took))
                check(each < most_us, "a look costs %.0f us" % each)
                bad = [s for s in c.told[seen:] if s["state"] != "good"]
                check(not bad, "%d were called bad: %s" % (len(bad), bad[:3]))
            finally:
                c.close()
    finally:
        server.terminate()
        server.wait(10)


def main():
    private_world()
    if os.getuid() != 0:
        print("skipped: needs root to become another user")
        sys.exit(77)
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    for command in ("link add v0 type veth peer name v1", "addr add 10.99.9.1/24 dev v0", "link set v0 up", "link set v1 up"):
        subprocess.run(["ip"] + command.split(), check=True)
    failed = 0
    for test in (outcomes, soon, lists, plugins, stopped, cost):
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        begun = time.monotonic()
        try:
            test()
            print("ok      %-10s %5.1f s  %s" % (test.__name__, time.monotonic() - begun, test.__doc__), flush=True)
        except (Failed, OSError, ValueError, KeyError, subprocess.SubprocessError) as problem:
            failed += 1
            print("FAILED  %-10s %5.1f s  %s: %s" % (test.__name__, time.monotonic() - begun, type(problem).__name__, problem), flush=True)
    print("probes: %d failed" % failed)
    sys.exit(1 if failed else 0)


main()
