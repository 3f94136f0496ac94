#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TLS listener on a running appliance: what is read over it and by whom, what is refused, guessing, garbage, crowds and slow clients, renewal
by SIGHUP, wrong files and the alarms they are, how often an address and all may shake hands. Certificates are made here, with openssl."""
import base64
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import PATIENCE, TOP, Failed, check, run, select_pause, wait_until  # noqa: E402

PORT = 8443
PASSWORD = "correct horse battery"
SETTINGS = ('<https address="127.0.0.1" certificate="/mnt/etc/https.pem" key="https"/><user name="noc" kind="https" group="glory-view"/>'
            '<user name="nobody" kind="unix" group="glory-admin"/>')
API_UID = 64106
EVERY = 0.25  # between two looks: the listener lets an address shake hands five times a second
with open(os.path.join(TOP, "appliance", "api", "toll.h")) as header:
    TOLL = {name: int(value) for name, value in re.findall(r"#define TOLL_(\w+) +(\d+)", header.read())}


# --- files
def etc(a, *parts):
    return os.path.join(a.work, "etc", *parts)


def write(path, data, mode=0o600):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


def openssl(a, *words):
    done = subprocess.run(["openssl"] + list(words), cwd=etc(a, "made"), capture_output=True, text=True)
    check(done.returncode == 0, "openssl %s: %s" % (words[0], done.stderr))


def make(a, name, days=30, kind=("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
    """A key and a certificate signed by our CA."""
    openssl(a, "req", "-newkey", *kind, "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
    dates = ["-days", str(days)] if days > 0 else ["-days", "-1"]
    openssl(a, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", name + ".pem", "-extfile", "names", *dates)


def made(a, name):
    with open(etc(a, "made", name), "rb") as f:
        return f.read()


def put(a, name, key=None, mode=0o600):
    write(etc(a, "https.pem"), made(a, name + ".pem"), 0o644)
    write(etc(a, "secrets", "tls", "https"), made(a, (key or name) + ".key"), mode)


def put_password(a, user, password, mode=0o600):
    write(etc(a, "secrets", "https", user), ("password=%s\n" % password).encode(), mode)


def prepare(a):
    os.makedirs(etc(a, "made"), mode=0o700)
    with open(etc(a, "made", "names"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    openssl(a, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=lab CA", "-days", "30")
    for name in ("first", "second"):
        make(a, name)
    make(a, "rsa", kind=("rsa:2048",))
    make(a, "old", days=-1)
    make(a, "soon", days=10)
    put(a, "first")
    put_password(a, "noc", PASSWORD)


# --- clients
def context(a, trust=True):
    c = ssl.create_default_context(cafile=etc(a, "made", "ca.pem") if trust else None)
    c.check_hostname = trust
    c.verify_mode = ssl.CERT_REQUIRED
    return c


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()}


NOC = basic("noc", PASSWORD)


class Client(http.client.HTTPSConnection):
    """From an address of one's own: those who are refused do not count against the others."""

    def __init__(self, a, source="127.0.0.1", timeout=10 * PATIENCE):
        super().__init__("127.0.0.1", PORT, timeout=timeout, source_address=(source, 0), context=context(a))

    def ask(self, path, headers=NOC, method="GET", body=None):
        self.request(method, path, body=body, headers=headers or {})
        answer = self.getresponse()
        return answer.status, answer.read(), answer.headers


def ask(a, path, headers=NOC, method="GET", body=None, source="127.0.0.1"):
    c = Client(a, source)
    try:
        return c.ask(path, headers, method, body)
    finally:
        c.close()


def status(a, *words, **named):
    return ask(a, *words, **named)[0]


def served(a, source="127.0.0.1"):
    try:
        return status(a, "/v1/site", source=source) == 200
    except (OSError, http.client.HTTPException):
        return False


def shown(a, looks=itertools.count()):
    """The certificate that is shown now (DER). Each look is from another address, as none may look too often."""
    with socket.create_connection(("127.0.0.1", PORT), 10 * PATIENCE, source_address=("127.0.2.%d" % (1 + next(looks) % 250), 0)) as s:
        with context(a).wrap_socket(s, server_hostname="127.0.0.1") as t:
            return t.getpeercert(True)


def der(a, name):
    return ssl.PEM_cert_to_DER_cert(made(a, name + ".pem").decode())


def reload(a):
    a.process.send_signal(signal.SIGHUP)


class Log:
    """What is said from now on."""

    def __init__(self, a):
        self.path, self.at = a.log_path, os.path.getsize(a.log_path)

    def text(self):
        with open(self.path, errors="replace") as f:
            f.seek(self.at)
            return f.read()

    def wait(self, pattern, seconds=10):
        wait_until("the log says: %s" % pattern, seconds, lambda: re.search(pattern, self.text()))


def alarms(a):
    return [x for x in a.get("/v1/alarms?active=1") if x["kind"] == "https"]


def wait_alarm(a, pattern, severity):
    """There is one alarm of these files, and it says so."""
    def there():
        found = alarms(a)
        return len(found) == 1 and re.search(pattern, found[0]["cause"]) and found[0]["severity"] == severity and found[0]["object"] == "appliance"
    wait_until(lambda: "one alarm \"%s\", %s: %s" % (pattern, severity, alarms(a)), 10, there)


def wait_no_alarm(a):
    wait_until(lambda: "no alarm: %s" % alarms(a), 10, lambda: not alarms(a))


# --- tests
def served_to_viewers(a):
    """page, metrics, lists, a picture, a stream: with the CA and the password; no system call of the role is refused"""
    pid = a.pid("api")
    trace = os.path.join(a.work, "strace.api")
    strace = None
    if shutil.which("strace"):
        strace = subprocess.Popen(["strace", "-f", "-q", "-p", str(pid), "-o", trace], stderr=subprocess.DEVNULL)
        wait_until("strace sees the api", 10, lambda: a.get("/v1/site") and os.path.exists(trace) and os.path.getsize(trace) > 0)
    try:
        code, page, headers = ask(a, "/")
        check(code == 200 and b"n001" in page and "default-src 'none'" in headers["Content-Security-Policy"], (code, page[:200]))
        code, text, _ = ask(a, "/metrics")
        check(code == 200 and b"glory_node_up" in text, (code, text[:200]))
        one = Client(a)
        for _ in range(3):  # one connection, each request proves itself
            code, text, _ = one.ask("/v1/nodes")
            check(code == 200 and [n["name"] for n in json.loads(text)] == [n["name"] for n in a.get("/v1/nodes")], text[:200])
        check(one.ask("/v1/nodes", None)[0] == 401, "the connection remembers who asked before")
        check(one.ask("/v1/nodes")[0] == 200, "the connection is spoilt by a refusal")
        check(one.ask("/v1/nodes", method="HEAD")[:2] == (200, b""), "HEAD")
        one.close()
        check(ask(a, "/v1/export")[1].startswith(b"<?xml") or b"<cluster" in ask(a, "/v1/export")[1], "export")
        code, picture, _ = ask(a, "/v1/graph?node=n001&items=cpu")
        check(code == 200 and picture[1:4] == b"PNG", (code, picture[:200]))
        stream = Client(a)
        stream.request("GET", "/v1/stream", headers=NOC)
        answer = stream.getresponse()
        first = answer.readline() + answer.readline()
        check(answer.status == 200 and first.endswith(b"retry: 2000\n"), "the stream: %d %r" % (answer.status, first))
        stream.close()
    finally:
        if strace:
            strace.terminate()
            strace.wait(10)
    if strace:
        with open(trace, errors="replace") as f:
            refused = {m.group(1) for m in (re.match(r"\d+ +(\w+)\(.*= -1 EPERM", line) for line in f) if m}
        check(not refused, "the role was refused: %s" % sorted(refused))
    curl = ["curl", "-gsS", "-m", "10", "-u", "noc:" + PASSWORD, "https://127.0.0.1:%d/v1/site" % PORT]
    code, text = a.tool(*curl, "--cacert", etc(a, "made", "ca.pem"))
    check(code == 0 and json.loads(text)["name"] == "demo", text)
    code, text = a.tool(*curl)
    check(code == 60, "curl without the CA: %d %s" % (code, text))
    check(a.pid("api") == pid, "the role died")


def refused_to_others(a):
    """no password, a wrong one, other users, what changes something, what only administrators read"""
    for headers in (None, basic("noc", "correct horse batterz"), basic("noc", ""), basic("nobody", PASSWORD), {"Authorization": "Bearer x"}):
        code, text, answer = ask(a, "/v1/nodes", headers, source="127.0.0.11" if headers is None or "x" in headers["Authorization"] else "127.0.0.12")
        check(code == 401 and answer["WWW-Authenticate"].startswith("Basic realm="), (code, text))
        check(json.loads(text)["error"]["remedy"] and b"n001" not in text, text)
    for path in ("/", "/metrics", "/v1/stream", "/no/such/path", "/v1/nodes?foo=1"):
        check(status(a, path, None) == 401, "%s says something to a stranger" % path)
    body = json.dumps({"verb": "power", "target": "n001", "args": {"verb": "off"}})
    for path, text in (("/v1/commands", body), ("/v1/apply", "<cluster/>"), ("/v1/nodes", "x")):
        check(status(a, path, method="POST", body=text) == 405, "POST %s" % path)
        check(status(a, path, None, method="POST", body=text) == 401, "POST %s of a stranger" % path)
    check(status(a, "/v1/nodes", method="DELETE") == 405, "DELETE")
    check(status(a, "/v1/audit") == 403, "audit")
    check(a.node("n001")["power"] == "on" and not a.get("/v1/jobs"), "something was done")


def handshakes(a):
    """TLS 1.2 and 1.3 only, with keys of one session; plain HTTP ends at once"""
    def s_client(*words):
        done = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % PORT, "-CAfile", etc(a, "made", "ca.pem"), "-brief"] + list(words),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20 * PATIENCE)
        return done.returncode, done.stdout + done.stderr
    for version in ("-tls1_2", "-tls1_3"):
        code, text = s_client(version)
        check(code == 0 and "Verification: OK" in text, "%s: %s" % (version, text))
    for version in ("-tls1", "-tls1_1"):
        code, text = s_client(version, "-cipher", "ALL:@SECLEVEL=0")
        check(code != 0 and re.search("alert|unexpected eof", text), "%s: %s" % (version, text))
    code, text = s_client("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0")
    check(code != 0 and re.search("alert|unexpected eof", text), "CBC: %s" % text)
    put(a, "rsa")
    reload(a)
    wait_until("the RSA certificate is shown", 10, lambda: shown(a) == der(a, "rsa"), EVERY)
    code, text = s_client("-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-GCM-SHA384:@SECLEVEL=0")
    check(code != 0 and re.search("alert|unexpected eof", text), "a key exchange without secrecy: %s" % text)
    check(served(a), "an RSA certificate")
    put(a, "first")
    reload(a)
    wait_until("the first certificate is shown", 10, lambda: shown(a) == der(a, "first"), EVERY)
    begun = time.monotonic()
    code, text = a.tool("curl", "-sS", "-m", "20", "-u", "noc:" + PASSWORD, "http://127.0.0.1:%d/" % PORT)
    check(code not in (0, 28) and "n001" not in text and time.monotonic() - begun < 5 * PATIENCE, "plain HTTP: %d %s" % (code, text))
    check(served(a), "after it")


def guessing(a):
    """five wrong passwords at once, then one in ten seconds; other addresses are not touched"""
    codes = [status(a, "/v1/site", basic("noc", "wrong password %d" % i), source="127.0.0.31") for i in range(7)]
    check(codes == [401] * 5 + [429] * 2, codes)
    code, _, headers = ask(a, "/v1/site", source="127.0.0.31")
    check(code == 429 and headers["Retry-After"] == "10", "the right password opens the door meanwhile: %d" % code)
    check(status(a, "/v1/site", source="127.0.0.32") == 200, "another address")
    wait_until("the address may try again", 20, lambda: status(a, "/v1/site", source="127.0.0.31") == 200, 1)


def cpu_s(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def local_answers(a):
    begun = time.monotonic()
    check(a.get("/v1/site")["name"] == "demo" and time.monotonic() - begun < 3 * PATIENCE, "the local socket took %.1f s" % (time.monotonic() - begun))


def crowds(a):
    """a thousand connections that say nothing, halves of handshakes, garbage, one byte a second: the others are answered, the slow are cut off"""
    pid, held = a.pid("api"), []
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 32
    try:
        for i in range(1000):
            s = socket.socket()
            s.bind(("127.0.0.4%d" % (i % 2), 0))
            s.settimeout(5)
            try:
                s.connect(("127.0.0.1", PORT))
                if i % 3 == 0:
                    s.sendall(hello[: 1 + i % len(hello)])
            except OSError:
                pass
            held.append(s)
            if i % 100 == 99:
                local_answers(a)
        check(served(a, "127.0.0.50"), "another address is not served beside the crowd")
        for data in (b"\x00" * 5000, b"GET / HTTP/1.1\r\n\r\n", os.urandom(3000), b"\x16\x03\x01\xff\xff" + os.urandom(70000), b"\x15\x03\x03\x00\x02\x02\x28",
                     b"\x80\x2e\x01\x00\x02" + b"\x00" * 40, hello + os.urandom(400)):
            with socket.create_connection(("127.0.0.1", PORT), 5, source_address=("127.0.0.51", 0)) as s:
                s.settimeout(15 * PATIENCE)
                try:
                    s.sendall(data)
                    while s.recv(4096):
                        pass
                except TimeoutError as late:
                    raise Failed("garbage %r holds its connection" % data[:8]) from late
                except OSError:
                    pass
        local_answers(a)

        def ended(s):
            try:
                return s.recv(1, socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
        wait_until("the silent ones are cut off", 15, lambda: all(ended(s) for s in held), 0.5)
    finally:
        for s in held:
            s.close()
    # from a hundred addresses: every place is taken, the local socket's are not
    try:
        held = []
        for i in range(400):
            held.append(socket.create_connection(("127.0.0.1", PORT), 5, source_address=("127.0.1.%d" % (1 + i % 100), 0)))
        for _ in range(20):
            local_answers(a)
        check(a.tool("curl", "-sf", "-m", "5", "http://127.0.0.1:8080/metrics")[0] == 0, "the plain listener is shut by a crowd at the other")
    finally:
        for s in held:
            s.close()
    wait_until("the places are free again", 15, lambda: served(a), 0.5)
    # headers a byte at a time, by somebody who shook hands
    s = socket.create_connection(("127.0.0.1", PORT), 5, source_address=("127.0.0.52", 0))
    t = context(a).wrap_socket(s, server_hostname="127.0.0.1")
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 20 * PATIENCE:
            t.sendall(b"G")
            select_pause(0.5)
    except OSError:
        pass
    check(8 < time.monotonic() - begun < 15 * PATIENCE, "slow headers held a connection for %.1f s" % (time.monotonic() - begun))
    t.close()
    # headers without an end
    s = socket.create_connection(("127.0.0.1", PORT), 5, source_address=("127.0.0.53", 0))
    t = context(a).wrap_socket(s, server_hostname="127.0.0.1")
    got = b""
    try:
        t.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for _ in range(2000):
            t.sendall(b"X-Filler: " + b"y" * 100 + b"\r\n")
        got = t.recv(100)
    except OSError:
        pass
    check(got == b"" or got.startswith((b"HTTP/1.1 431", b"HTTP/1.1 413")), "long headers: %r" % got)
    t.close()
    check(served(a) and a.pid("api") == pid, "the role died")


def shakes(a, source):
    """One handshake, from an address: was it made?"""
    try:
        with socket.create_connection(("127.0.0.1", PORT), 5 * PATIENCE, source_address=(source, 0)) as s:
            with context(a).wrap_socket(s, server_hostname="127.0.0.1"):
                return True
    except (OSError, ssl.SSLError):
        return False


def tolls(a):
    """an address shakes hands thirty times at once and five times a second, all of them 75 times and 25; who has logged in has his part of that"""
    pid, log = a.pid("api"), Log(a)
    rest = TOLL["WHOLE_BURST"] / TOLL["WHOLE_PER_S"] + 0.5  # what was spent is there again
    select_pause(rest)
    begun, made = time.monotonic(), []
    while made.count(False) < 20 and time.monotonic() - begun < 30 * PATIENCE:
        made.append(shakes(a, "127.0.0.81"))
    took = time.monotonic() - begun
    check(all(made[:TOLL["ADDRESS_BURST"]]) and made.count(False) == 20 and
          made.count(True) <= TOLL["ADDRESS_BURST"] + TOLL["ADDRESS_PER_S"] * took + 1, "%d handshakes in %.1f s" % (made.count(True), took))
    log.wait(r"https: 127\.0\.0\.81: more than 5 connections a second come from there")
    check(shakes(a, "127.0.0.82") and served(a), "another address pays for it")
    local_answers(a)
    wait_until("the address may shake hands again", 10, lambda: shakes(a, "127.0.0.81"), 0.5)
    # a renegotiation is no way round it: one handshake a connection
    with subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:%d" % PORT, "-CAfile", etc(a, "made", "ca.pem"), "-tls1_2"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as client:
        client.stdin.write("R\n")
        client.stdin.flush()
        said = client.stderr.read()  # until the connection has ended
    check("RENEGOTIATING" in said and said.count("depth=0") == 1, said)
    select_pause(rest)
    # two hundred strangers, each for himself below his limit
    spent, begun, made, mine = cpu_s(pid), time.monotonic(), [], []
    while made.count(False) < 200 and time.monotonic() - begun < 30 * PATIENCE:
        made.append(shakes(a, "127.0.3.%d" % (1 + len(made) % 200)))
        if len(made) % 40 == 0:
            mine.append(served(a))
            local_answers(a)
    took = time.monotonic() - begun
    check(made.count(True) <= TOLL["WHOLE_BURST"] - TOLL["KNOWN_ONLY"] + TOLL["WHOLE_PER_S"] * took + 1 and made.count(False) == 200,
          "%d handshakes of strangers in %.1f s" % (made.count(True), took))
    check(len(mine) >= 5 and all(mine), "who is known was let in %d times of %d" % (mine.count(True), len(mine)))
    log.wait(r"https: 127\.0\.3\.\d+: more than 25 connections a second come in all")
    print("        %d tries of 200 strangers in %.1f s, %d handshakes, cost %.2f s of processor" % (len(made), took, made.count(True), cpu_s(pid) - spent),
          flush=True)
    wait_until("a stranger is let in again", 10, lambda: shakes(a, "127.0.0.83"), 0.5)
    check(a.pid("api") == pid, "the role died")


def renewal(a):
    """SIGHUP: a new certificate and a new password at once, open connections go on, nothing is restarted; wrong files change nothing"""
    pid = a.pid("api")
    open_one = Client(a)
    check(open_one.ask("/v1/site")[0] == 200 and shown(a) == der(a, "first"), "before")
    put(a, "second")
    put_password(a, "noc", "quite another one")
    reload(a)
    wait_until("the second certificate is shown", 10, lambda: shown(a) == der(a, "second"), EVERY)
    fresh = basic("noc", "quite another one")
    wait_until("the new password is taken", 10, lambda: status(a, "/v1/site", fresh, source="127.0.0.61") == 200, EVERY)
    check(status(a, "/v1/site", source="127.0.0.62") == 401, "the old password still opens")
    check(open_one.ask("/v1/site", fresh)[0] == 200, "an open connection ended")
    open_one.close()
    put_password(a, "noc", PASSWORD)
    reload(a)
    wait_until("the first password is taken again", 10, lambda: status(a, "/v1/site", source="127.0.0.63") == 200, EVERY)
    pem, key = etc(a, "https.pem"), etc(a, "secrets", "tls", "https")
    wait_no_alarm(a)
    NO_KEY, NO_FILE = "^key missing or open to others: root's, 0600", "^certificate cannot be opened: put it there"
    wrong = [
        (lambda: put(a, "first", "second"), r"secret tls/https: is not the key of the first certificate in /mnt/etc/https.pem: put certificate and key",
         "^key is not the certificate's: put both anew"),
        (lambda: put(a, "old"), r"/mnt/etc/https.pem: ended on 20.*: renew it", r"^certificate ended 20\d\d-\d\d-\d\d: renew it and key"),
        (lambda: put(a, "first", mode=0o640), r"secret tls/https: https has owner 0, mode 0640: make it root's own: chown root, chmod 0600", NO_KEY),
        (lambda: (put(a, "first"), os.chown(key, API_UID, 0)), r"secret tls/https: https has owner 64106", NO_KEY),
        (lambda: (put(a, "first"), os.unlink(key)), r"secret tls/https: https: No such file", NO_KEY),
        (lambda: (put(a, "first"), os.unlink(key), os.symlink(etc(a, "made", "first.key"), key)), r"secret tls/https: https: Too many levels", NO_KEY),
        (lambda: (os.unlink(key), put(a, "first"), os.unlink(pem)), r"/mnt/etc/https.pem: cannot be opened: No such file or directory: put the certificate",
         NO_FILE),
        (lambda: (put(a, "first"), os.unlink(pem), os.mkfifo(pem)), r"/mnt/etc/https.pem: cannot be opened: it is no file", NO_FILE),
        (lambda: (os.unlink(pem), put(a, "first"), write(pem, b"rubbish", 0o644)), r"/mnt/etc/https.pem: holds no certificate that can be read",
         "^certificate file is no chain in PEM: mend it"),
    ]
    for change, said, cause in wrong:
        log = Log(a)
        change()
        reload(a)
        log.wait(said)
        log.wait(r"https: .*\(the certificate in force stays\)")
        wait_alarm(a, cause, "warning")  # it would be major if nothing were served
        check(shown(a) == der(a, "second"), "%s: another certificate is shown" % said)
        check("PRIVATE KEY" not in log.text() and PASSWORD not in log.text(), "a secret stands in the log")
    check("no chain in PEM: mend it" in a.tool("gloryctl", "alarm", "list")[1], "gloryctl alarm list: %s" % a.tool("gloryctl", "alarm", "list")[1])
    code, out = a.tool("snmpwalk", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryAlarmCause")
    check(code == 0 and "no chain in PEM: mend it" in out, "the MIB's alarms: %d %s" % (code, out))
    put(a, "first")
    reload(a)
    wait_until("the first certificate is shown again", 10, lambda: shown(a) == der(a, "first"), EVERY)
    wait_no_alarm(a)
    check(a.pid("api") == pid, "the role was restarted")


def ends_soon(a):
    """a certificate that ends within 14 days is served, and an alarm, also of the next life; a renewal clears it"""
    put(a, "soon")
    reload(a)
    wait_alarm(a, r"^certificate ends 20\d\d-\d\d-\d\d: renew it and key, reload glory$", "warning")
    check(shown(a) == der(a, "soon"), "it is not served")
    before = alarms(a)[0]["id"]
    a.wait_back("engine", a.kill("engine"), 30)
    wait_until("it is served by the next life", 30, lambda: served(a), EVERY)
    wait_alarm(a, "^certificate ends 20", "warning")
    check(alarms(a)[0]["id"] == before, "the same trouble is another alarm")
    put(a, "first")
    reload(a)
    wait_until("the first certificate is shown again", 10, lambda: shown(a) == der(a, "first"), EVERY)
    wait_no_alarm(a)


def settings(text):
    def change(a):
        a.settings = text
        a.write_settings()
        reload(a)
    return change


def stream_ends(answer):
    """Reads a stream to its end."""
    end = time.monotonic() + 10 * PATIENCE
    try:
        while answer.readline():
            check(time.monotonic() < end, "the stream of a user who is named no more goes on")
    except TimeoutError as late:
        raise Failed("the stream of a user who is named no more goes on") from late
    except (OSError, http.client.HTTPException):
        pass


def switched(a):
    """SIGHUP: users come and go, the listener is switched off and on; a password that others could read lets nobody in"""
    log = Log(a)
    put_password(a, "noc", PASSWORD, 0o644)
    reload(a)
    log.wait(r"secret https/noc: noc has owner 0, mode 0644")
    wait_alarm(a, "^noc: secret missing or open to others: mend", "warning")
    wait_until("nobody is let in", 10, lambda: status(a, "/v1/site", source="127.0.0.71") != 200, EVERY)
    put_password(a, "noc", PASSWORD)
    reload(a)
    wait_until("the user is let in", 10, lambda: status(a, "/v1/site", source="127.0.0.75") == 200, 1)
    stream = Client(a, "127.0.0.74")
    stream.request("GET", "/v1/stream", headers=NOC)
    answer = stream.getresponse()
    check(answer.status == 200 and answer.readline(), "no stream")
    settings(SETTINGS.replace('name="noc"', 'name="eve"'))(a)
    log.wait(r"secret https/eve: eve: No such file")
    wait_alarm(a, "^eve: secret missing", "warning")
    stream_ends(answer)
    check(status(a, "/v1/site", source="127.0.0.72") == 401, "a user who is named no more is let in")
    settings(SETTINGS)(a)
    wait_until("the user is let in again", 10, lambda: status(a, "/v1/site", source="127.0.0.73") == 200, 1)
    wait_no_alarm(a)  # eve is named no more
    put(a, "old")
    reload(a)
    wait_alarm(a, "^certificate ended 20", "warning")
    settings(SETTINGS.replace("127.0.0.1", "none"))(a)
    wait_no_alarm(a)
    put(a, "first")
    wait_until("it is off", 10, lambda: not served(a), EVERY)
    settings(SETTINGS)(a)
    wait_until("it is on again", 10, lambda: served(a), EVERY)


def from_the_start(a):
    """started with a key others could read: told, nothing is served over TLS, all else is; put right, SIGHUP serves it. The role reaches no file"""
    a.stop()
    put(a, "first", mode=0o644)
    log = Log(a)
    a.start()
    log.wait(r"secret tls/https: https has owner 0, mode 0644: make it root's own: chown root, chmod 0600")
    log.wait(r"https: secret tls/https: cannot be had: .*\(nothing is served over TLS\)")
    begun = time.monotonic()
    check(not served(a) and time.monotonic() - begun < 5 * PATIENCE, "it is served, or hangs")
    wait_alarm(a, "^key missing or open to others", "major")
    os.chmod(etc(a, "secrets", "tls", "https"), 0o600)
    reload(a)
    wait_until("it is served", 10, lambda: served(a), EVERY)
    a.wait_back("api", a.kill("api"), 20)  # the next life of the role gets it all again
    wait_until("it is served after a restart of the role", 10, lambda: served(a), EVERY)
    wait_no_alarm(a)
    for name in ("tls/https", "https/noc"):
        code = subprocess.run(["nsenter", "--mount=/proc/%d/ns/mnt" % a.pid("api"), "setpriv", "--reuid", str(API_UID), "--regid", str(API_UID),
                               "--clear-groups", "cat", "/mnt/etc/secrets/" + name], capture_output=True).returncode
        check(code != 0, "the role's user reads %s" % name)


if __name__ == "__main__":
    if not shutil.which("openssl") or not shutil.which("curl"):
        print("skipped: openssl or curl is not installed")
        sys.exit(77)
    run("https", {"nodes": 1, "groups": 1, "settings": SETTINGS},
        [served_to_viewers, refused_to_others, handshakes, guessing, crowds, tolls, renewal, ends_soon, switched, from_the_start], prepare)
