# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that fetches one URL without a pause, in several threads, and keeps every failure with its time: half of them with a connection for each
request, the others with connections that they keep for a while, as browsers do."""
import socket
import threading
import time

from appliance import check, select_pause

LATE_S = 5.0        # longer, and the request has failed
PAUSE_S = 0.03      # between two requests of a thread
KEPT = 20           # requests over one kept connection


class Fetcher:
    def __init__(self, address, port=80, threads=4, source=None):
        self.address, self.port, self.source = address, port, source and (source, 0)
        self.stopped = False
        self.count, self.by, self.failures, self.slow = 0, {}, [], []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(KEPT if i % 2 else 1,), daemon=True) for i in range(threads)]
        for t in self.threads:
            t.start()

    def run(self, kept):
        while not self.stopped:
            self.session(kept)

    def session(self, kept):
        began, s, i = time.monotonic(), None, -1
        try:
            s = socket.create_connection((self.address, self.port), LATE_S, self.source)
            for i in range(kept):
                if self.stopped:
                    return
                began = time.monotonic()
                self.note(began, self.one(s, began, i == kept - 1))
                select_pause(PAUSE_S)
                began = time.monotonic()
        except (OSError, ValueError) as problem:
            self.fail(began, "%s, %s" % (problem, "request %d of a connection" % (i + 1) if s else "no connection"))
            select_pause(PAUSE_S)
        finally:
            if s:
                s.close()

    def one(self, s, began, last):
        s.settimeout(LATE_S)
        s.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: %s\r\n\r\n" % (b"close" if last else b"keep-alive"))
        answer = b""
        while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < self.length(answer):
            s.settimeout(max(0.01, began + LATE_S - time.monotonic()))
            piece = s.recv(65536)
            if not piece:
                raise ValueError("closed after %d bytes" % len(answer))
            answer += piece
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ValueError(answer.partition(b"\r\n")[0].decode("latin1"))
        return answer.partition(b"\r\n\r\n")[2].decode("latin1").strip()

    @staticmethod
    def length(answer):
        for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                return int(line.split(b":")[1])
        raise ValueError("no length in the answer")

    def note(self, began, who):
        took = time.monotonic() - began
        with self.lock:
            self.count += 1
            self.by[who] = (time.monotonic(), self.by.get(who, (0, 0))[1] + 1)
            if took > 1:
                self.slow.append((began, took, who))

    def fail(self, began, problem):
        with self.lock:
            self.failures.append((began, time.monotonic() - began, str(problem)))

    # --- asked by tests
    def mark(self):
        """A moment to ask from."""
        return time.monotonic()

    def failed_since(self, mark):
        with self.lock:
            return [f for f in self.failures if f[0] >= mark]

    def slow_since(self, mark):
        with self.lock:
            return [x for x in self.slow if x[0] >= mark]

    def members_since(self, mark):
        with self.lock:
            return sorted(who for who, (last, _) in self.by.items() if last >= mark)

    def none_failed(self, mark, what):
        failed = self.failed_since(mark)
        check(not failed, "%d requests failed while %s; first %s" % (len(failed), what, [(round(b - mark, 2), round(t, 2), p) for b, t, p in failed[:3]]))

    def failed_for(self, mark):
        """Seconds from mark to the begin of the last request that failed, 0 when none did."""
        failed = self.failed_since(mark)
        return max(f[0] for f in failed) - mark if failed else 0.0

    def stop(self):
        self.stopped = True
        for t in self.threads:
            t.join(LATE_S + 1)
