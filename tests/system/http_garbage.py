#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Garbage, crowds and slow clients at the API: http_garbage.py SOCKET PORT. Exits 1 when a good client in between is not answered."""
import os
import random
import socket
import sys
import time

path, port = sys.argv[1], int(sys.argv[2])
rng = random.Random(4711)


def local():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    return s


def tcp():
    s = socket.create_connection(("127.0.0.1", port), 10)
    return s


def exchange(connect, data, patience=10):
    """Sends bytes, closes the sending side, reads to the end; errors of the connection are an answer too. A request that is not complete is
    not answered, and its connection ends by its own deadline: patience says how long we look."""
    got = b""
    try:
        with connect() as s:
            s.settimeout(patience)
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while True:
                more = s.recv(65536)
                if not more:
                    break
                got += more
                if len(got) > 1 << 20:
                    break
    except OSError:
        pass
    return got


def good():
    """A well-behaved client gets its answer within 5 s, whatever others do."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if exchange(local, b"GET /v1/site HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200"):
            return True
    return False


def must(condition, what):
    if not condition:
        print("FAILED ", what)
        sys.exit(1)


SEEDS = [
    b"GET /v1/nodes?range=n%5B1-2%5D&limit=3 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n{\"verb\":\"node-set\",\"target\":\"n1\"}",
    b"POST /v1/apply?dry_run=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET /v1/graph?node=n00001&items=cpu&from=-1h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /metrics HTTP/1.0\r\n\r\n",
]
FIXED = [
    b"", b"\r\n\r\n", b"\x00" * 5000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"b" * 100000 + b"\r\n\r\n",
    b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"POST /v1/apply HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"GET /v1/nodes/%00%01%ff%2f..%2f HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/nodes?" + b"&".join(b"a%d=1" % i for i in range(5000)) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil/v1/site HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + b"[" * 20000,
]


def mutate(data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        kind, at = rng.randint(0, 3), rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = os.urandom(rng.randint(1, 40))
        elif kind == 2:
            del data[at:at + rng.randint(1, 20)]
        else:
            data[at:at] = data[: rng.randint(0, 60)]
    return bytes(data)


for data in FIXED:
    for connect in (local, tcp):
        answer = exchange(connect, data, 0.5)
        must(not answer or answer.startswith(b"HTTP/1."), f"an answer that is no HTTP to {data[:40]!r}: {answer[:40]!r}")
must(good(), "no answer after fixed garbage")
for i in range(300):
    exchange(local if i % 3 else tcp, mutate(rng.choice(SEEDS)), 0.1)
must(good(), "no answer after mutated requests")

# a crowd that says nothing on the TCP side must not keep the local socket shut
crowd = []
for _ in range(120):
    try:
        crowd.append(tcp())
    except OSError:
        break
must(good(), "a crowd at the http listener shuts the local socket")
for s in crowd:
    s.close()

# one user alone cannot take all places of the local socket
pid = os.fork()
if pid == 0:
    os.setgroups([])
    os.setgid(12345)
    os.setuid(12345)
    held = []
    for _ in range(100):
        try:
            s = local()
            s.sendall(b"GET /v1/si")
            held.append(s)
        except OSError:
            pass
    sys.stdout.flush()
    os.kill(os.getpid(), 19)  # holds them until it is ended
    os._exit(0)
os.waitpid(pid, os.WUNTRACED)
answered = good()
os.kill(pid, 9)
os.waitpid(pid, 0)
must(answered, "a user without rights takes all places")

# clients that do not read what they asked for, and clients that leave in the middle
slow = []
for i in range(30):
    s = local()
    s.sendall(b"GET /v1/values HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
    slow.append(s)
must(good(), "slow readers stop the others")
for s in slow:
    s.close()
for i in range(40):
    s = local()
    s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n" if i % 2 else b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    s.close()
must(good(), "clients that leave stop the others")

# more streams than there may be: the rest is told so
streams, refused = [], 0
for _ in range(20):
    s = local()
    s.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    head = s.recv(4096)
    refused += head.startswith(b"HTTP/1.1 503")
    streams.append(s)
must(refused >= 4, f"only {refused} of 20 streams were refused")
must(good(), "streams stop the others")
for s in streams:
    s.close()
