#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble with the appliance's own disk, files, secrets and surroundings: watching goes on, one clear word says what is wrong and what to do,
and mending it is enough."""
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import BUILD, check, run, wait_until  # noqa: E402

ROLES = ("engine", "collector", "bmc", "recorder", "checker", "runner", "agent", "api")
TMPFS_MB = 200


def var(a, *parts):
    return os.path.join(a.work, "var", *parts)


def small_disks(a):
    """Before the first start: store and history on small file systems of their own."""
    for name in ("store", "rrd"):
        os.makedirs(var(a, name), exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % TMPFS_MB, "small", var(a, name)], check=True)


def fill(path):
    """A file as big as the disk has room for."""
    with open(path, "ab", buffering=0) as f:
        try:
            for size in (1 << 20, 4096, 512, 1):
                try:
                    while f.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass
        except OSError:
            pass


def log_text(a, start=0):
    with open(a.log_path, errors="replace") as f:
        f.seek(start)
        return f.read()


def log_size(a):
    return os.path.getsize(a.log_path)


def wait_log(a, start, pattern, seconds):
    return wait_until(lambda: "the log says %s; it says:\n%s" % (pattern, "\n".join(l for l in log_text(a, start).splitlines() if "http:" not in l)[-1500:]),
                      seconds, lambda: re.search(pattern, log_text(a, start), re.M), every=0.2)


def alarm_kinds(a):
    return sorted(x["kind"] for x in a.alarms())


def pids(a):
    return {role: a.pid(role) for role in ROLES}


def identify(a, node="n001"):
    return a.command("power", node, {"verb": "identify"})


def refused_for_store(a):
    status, answer = identify(a)
    return status != 200 and answer["error"]["object"] == "store" and answer


def still_watches(a, expected):
    """A fault is seen, raises its alarm beside those expected, and clears."""
    a.lab("agent-stop", "n002")
    wait_until("agent-dead", 15, lambda: a.verdict("n002")[0] == "agent-dead")
    wait_until(lambda: "its alarm beside %s: %s" % (expected, alarm_kinds(a)), 5, lambda: alarm_kinds(a) == sorted(expected + ["verdict"]))
    a.lab("agent-start", "n002")
    wait_until(lambda: "it clears: %s" % a.alarms(), 20, lambda: alarm_kinds(a) == expected and a.verdict("n002")[0] == "up")


def full_store(a):
    """the store's disk is full: watching goes on, commands are refused with the reason, one alarm; room heals it"""
    before = pids(a)
    for name in ("filler", "filler2"):  # the second eats what the reserve gave back
        fill(var(a, "store", name))
        answer = wait_until("a command is refused for want of room", 20, lambda: refused_for_store(a))
        check("full" in answer["error"]["text"] and answer["error"]["remedy"], answer)
        wait_until(lambda: "one alarm says so: %s" % a.alarms(), 5, lambda: alarm_kinds(a) == ["store"])
        still_watches(a, ["store"])
    status, answer = a.command("alarm-ack", str(a.alarms()[0]["id"]))
    check(status != 200, "an edit was accepted without room: %s" % answer)
    for name in ("filler", "filler2"):
        os.unlink(var(a, "store", name))
    wait_until(lambda: "all heals: %s" % a.alarms(), 40, lambda: not a.alarms() and identify(a)[0] == 200, every=0.5)
    check(pids(a) == before, "a role was restarted: %s, %s" % (before, pids(a)))


def full_history(a):
    """the history's disk is full: no new files, one alarm, watching and commands go on; room heals it"""
    a.stop()
    shutil.rmtree(var(a, "rrd", "demo"), ignore_errors=True)
    fill(var(a, "rrd", "filler"))
    a.start()
    wait_until(lambda: "one alarm says so: %s" % a.alarms(), 90, lambda: alarm_kinds(a) == ["history"], every=0.3)
    still_watches(a, ["history"])
    check(identify(a)[0] == 200, "a command was refused: %s" % (identify(a),))
    os.unlink(var(a, "rrd", "filler"))
    wait_until(lambda: "it heals: %s" % a.alarms(), 90, lambda: not a.alarms(), every=0.3)
    wait_until("files are made", 90, lambda: os.path.exists(base_file(a)), every=0.3)


def base_file(a, node="n001"):
    return var(a, "rrd", "demo", "g01", node, "snmp", "base.rrd")


def draw(a, node="n001"):
    return a.tool("gloryctl", "graph", node, "cpu", "-o", os.path.join(a.work, "graph.png"))


def last_update(path):
    out = subprocess.run(["rrdtool", "last", path], capture_output=True, text=True)
    return int(out.stdout) if out.returncode == 0 else 0


def bad_history_files(a):
    """a damaged RRD file is set aside and begun anew; one that cannot be written raises one alarm until it can"""
    wait_until("n001 has a file", 90, lambda: os.path.exists(base_file(a)), every=0.3)
    start = log_size(a)
    with open(base_file(a), "r+b") as f:
        f.write(os.urandom(4096))
    wait_until("it is written again", 60, lambda: draw(a)[0] == 0 and last_update(base_file(a)) > 0, every=1)
    check(os.path.exists(base_file(a) + ".aside"), "the damaged file is gone")
    wait_log(a, start, r"base\.rrd.*moved to", 5)
    wait_until(lambda: "no alarm stays: %s" % a.alarms(), 30, lambda: not a.alarms())
    other = base_file(a, "n002")
    wait_until("n002 has a file", 90, lambda: os.path.exists(other), every=0.3)
    os.chmod(other, 0o400)
    os.chown(other, 0, 0)
    start = log_size(a)
    wait_until(lambda: "one alarm says so: %s" % a.alarms(), 60, lambda: draw(a, "n002") and alarm_kinds(a) == ["history"], every=1)
    wait_log(a, start, r"base\.rrd.*[Pp]ermission denied", 10)
    still_watches(a, ["history"])
    owner = os.stat(var(a, "rrd", "demo"))
    os.chown(other, owner.st_uid, owner.st_gid)
    os.chmod(other, 0o644)
    wait_until(lambda: "it heals: %s" % a.alarms(), 90, lambda: draw(a, "n002") and draw(a) and not a.alarms(), every=1)


def bad_secrets(a):
    """secrets with a wrong mode or missing: a line names file, mode and remedy, the rest works, mending is enough"""
    secrets = os.path.join(a.work, "etc", "secrets")
    a.stop()
    os.chmod(os.path.join(secrets, "snmp", "old"), 0o644)
    os.rename(os.path.join(secrets, "bmc", "bmc"), os.path.join(secrets, "away"))
    os.chmod(os.path.join(secrets, "usm", "operator"), 0o604)
    start = log_size(a)
    a.start()
    wait_log(a, start, r"secret snmp/old: .*mode 0644.*chmod 0600", 15)
    wait_log(a, start, r"secret bmc/bmc: .*No such file", 15)
    wait_log(a, start, r"secret usm/operator: .*mode 0604.*chmod 0600", 15)
    wait_until("a node with another credential is up", 20, lambda: a.verdict("n001")[0] == "up")
    check(a.verdict("n002")[0] != "up", "n002 is up without its secret")
    wait_until(lambda: "n002 says why: %s" % a.node("n002"), 10, lambda: a.node("n002")["cause"] == a.node("n002")["snmp_finding"] == "snmp: the secret is missing")
    wait_until(lambda: "one alarm for the credential: %s" % a.alarms(), 10,
               lambda: [x["cause"] for x in a.alarms() if x["kind"] == "credential"] == ["snmp old: the secret is missing: 2 nodes"])
    get = ("snmpget", "-r", "0", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeName.1")
    check(a.tool(*get, user="viewer")[0] == 0, "the viewer is refused: %s" % (a.tool(*get, user="viewer"),))
    check(a.tool(*get, user="operator")[0] != 0, "an operator without a secret is let in")
    os.chmod(os.path.join(secrets, "snmp", "old"), 0o600)
    os.rename(os.path.join(secrets, "away"), os.path.join(secrets, "bmc", "bmc"))
    os.chmod(os.path.join(secrets, "usm", "operator"), 0o600)
    a.wait_all_up(60)
    wait_until("the operator is let in", 30, lambda: a.tool(*get, user="operator")[0] == 0, every=0.5)
    status, answer = wait_until("a BMC is asked again", 60, lambda: (lambda r: r if r[0] == 200 else None)(identify(a)), every=1)
    ended = a.wait_job(answer["job"], 60)
    if ended["state"] != "done":  # the secret is looked at now and then
        wait_until("identify works", 60, lambda: a.wait_job(identify(a)[1]["job"], 60)["state"] == "done", every=1)


def wrong_passwords(a):
    """an agent that refuses our user, keys or level is up, says so, and raises one alarm for the credential; mending is enough"""
    path = os.path.join(a.work, "etc", "secrets", "snmp", "nodes")
    with open(path) as f:
        right = f.read()
    for line, finding, cause in (("auth=another-password\n", "snmp: refused: wrong auth passphrase", "snmp nodes: refused: wrong auth: 2 nodes"),
                                 ("priv=another-password\n", "snmp: refused: wrong priv passphrase", None)):
        keys = dict(l.split("=", 1) for l in right.splitlines())
        keys[line.split("=")[0]] = line.split("=")[1].strip()
        with open(path, "w") as f:
            f.write("".join("%s=%s\n" % item for item in keys.items()))
        old = a.kill("collector")
        a.wait_back("collector", old, 20)
        wait_until(lambda: "n001 says why: %s" % a.node("n001"), 20, lambda: a.node("n001")["snmp_finding"] == finding or (not cause and a.verdict("n001")[0] != "up"))
        if cause:
            wait_until(lambda: "one alarm: %s" % a.alarms(), 10, lambda: [x["cause"] for x in a.alarms() if x["kind"] == "credential"] == [cause])
            check(a.node("n002")["snmp_finding"] is None, a.node("n002"))
        with open(path, "w") as f:
            f.write(right)
        old = a.kill("collector")
        a.wait_back("collector", old, 20)
        wait_until(lambda: "all is well again: %s" % a.alarms(), 30, lambda: not a.alarms() and a.node("n001")["snmp_finding"] is None)


def datagrams(rng):
    yield b""
    yield b"\x00"
    yield b"\x30"
    yield b"\x30\x84\xff\xff\xff\xff"
    yield b"\x30\x80" * 700
    for _ in range(300):
        yield rng.randbytes(rng.randint(1, 1400))
    good = bytes.fromhex("302902010104067075626c6963a01c02040102030402010002010030")
    for _ in range(300):
        bad = bytearray(good + rng.randbytes(rng.randint(0, 40)))
        bad[rng.randrange(len(bad))] = rng.randrange(256)
        yield bytes(bad)


def streams(rng):
    yield b"\r\n\r\n"
    yield b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000 + b"\r\n"
    yield b"GET /" + b"a" * 100000
    yield b"POST /v1/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n{"
    yield b"POST /v1/commands HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}"
    yield b"POST /v1/commands HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n{{{{"
    yield b"GET /v1/nodes?range=%00%ff HTTP/1.1\r\nhost: x\r\n\r\n"
    yield b"GET /v1/nodes?range=" + b"n[0-999999999]," * 200 + b" HTTP/1.1\r\nhost: x\r\n\r\n"
    for _ in range(60):
        yield rng.randbytes(rng.randint(1, 3000))


def garbage(a):
    """rubbish at every socket: nothing falls over, nobody is disturbed"""
    rng = random.Random(7)
    before, events = pids(a), a.last_event()
    check(all(before.values()), before)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for port in (1161, 1162):
        for data in datagrams(rng):
            udp.sendto(data, ("127.0.0.1", port))
    for family, address in ((socket.AF_INET, ("127.0.0.1", 8080)), (socket.AF_UNIX, a.socket)):
        for data in streams(rng):
            s = socket.socket(family, socket.SOCK_STREAM)
            s.settimeout(0.3)
            s.connect(address)
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass
            s.close()
    check(a.answers(), "the API does not answer")
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeName.1")
    check(code == 0, out)
    check(pids(a) == before, "a role was restarted: %s, %s" % (before, pids(a)))
    check(a.last_event() == events, a.events(events))


def twice(a):
    """a second gloryd refuses with a clear word and leaves the first alone; so does one on other ports with the same store"""
    before = pids(a)
    second = subprocess.run([os.path.join(BUILD, "bin", "gloryd"), "--root", a.work, "--config", "/mnt/etc/gloryd.xml"], capture_output=True,
                            text=True, timeout=30)
    check(second.returncode == 1 and re.search("another|in use", second.stdout + second.stderr), "%d: %s%s" % (second.returncode, second.stdout, second.stderr))
    with open(os.path.join(a.work, "etc", "gloryd.xml")) as f:
        xml = f.read()
    with open(os.path.join(a.work, "etc", "other.xml"), "w") as f:
        f.write(xml.replace("1161", "2161").replace("1162", "2162").replace("8080", "2080").replace("api.sock", "other.sock"))
    path = os.path.join(a.work, "second.log")
    with open(path, "w") as log:
        second = subprocess.Popen([os.path.join(BUILD, "bin", "gloryd"), "--root", a.work, "--config", "/mnt/etc/other.xml"], stdout=log, stderr=log)
    try:
        wait_until(lambda: "it says who has the store: %s" % open(path).read(), 20, lambda: re.search("another|in use|locked", open(path).read()))
        check(a.answers() and pids_of_first(a) == before, "the first was disturbed")
    finally:
        if second.poll() is None:
            second.send_signal(signal.SIGTERM)
            second.wait(30)
    wait_until("the first's roles alone are there", 10, lambda: pids(a) == before)


def pids_of_first(a):
    """Roles whose parent is the first supervisor."""
    out = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True).stdout
    found = {}
    for line in out.splitlines():
        pid, ppid, command = line.split(None, 2)
        if int(ppid) == a.process.pid and command.startswith("glory-"):
            found[command[6:].strip()] = int(pid)
    return found


def not_root(a):
    """without root: it says what does not work and does what it can"""
    work = os.path.join("/run", "nobody")  # a place others can reach, in the private world
    shutil.copytree(os.path.join(a.work, "etc"), os.path.join(work, "etc"))
    programs = os.path.join(work, "b")
    shutil.copytree(os.path.join(BUILD, "bin"), os.path.join(programs, "bin"))
    shutil.copytree(os.path.join(BUILD, "libexec"), os.path.join(programs, "libexec"))
    path = os.path.join(work, "etc", "gloryd.xml")
    with open(path) as f:
        xml = f.read()
    with open(path, "w") as f:
        f.write(xml.replace("/mnt", work).replace("1161", "3161").replace("1162", "3162").replace("8080", "3080"))
    subprocess.run(["chown", "-R", "65534:65534", work], check=True)
    log = os.path.join(work, "log")
    with open(log, "w") as out:
        process = subprocess.Popen(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", os.path.join(programs, "bin", "gloryd"),
                                    "--root", work, "--config", path], stdout=out, stderr=out)
    try:
        def nodes():
            done = subprocess.run([os.path.join(BUILD, "bin", "gloryctl"), "--socket", os.path.join(work, "api.sock"), "node", "list"],
                                  capture_output=True, text=True)
            return done.returncode == 0 and len(re.findall(r"^n\d+ .*\bup\b", done.stdout, re.M)) == a.count
        wait_until(lambda: "all nodes are up without root: %s" % open(log).read()[-2000:], 40, nodes, every=0.5)
        check("not root" in open(log).read(), open(log).read())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def corrupt_store(a):
    """a corrupt store is kept aside and said loudly; the cluster comes from its file again, the next start is silent"""
    a.stop()
    with open(var(a, "store", "glory.db"), "r+b") as f:
        f.write(os.urandom(8192))
    start = log_size(a)
    a.start()
    wait_log(a, start, r"the file is corrupt: kept aside as .*glory\.db\.corrupt-1", 5)
    check(os.path.exists(var(a, "store", "glory.db.corrupt-1")), os.listdir(var(a, "store")))
    wait_until("the nodes are there again", 20, lambda: [n["verdict"] for n in a.get("/v1/nodes")] == ["up"] * a.count)
    wait_until(lambda: "one alarm says so: %s" % a.alarms(), 5, lambda: alarm_kinds(a) == ["store"])
    check(identify(a)[0] == 200, "commands are refused on the new store: %s" % (identify(a),))
    a.stop()
    a.start()
    wait_until(lambda: "nothing is left: %s" % a.alarms(), 20, lambda: not a.alarms())


if __name__ == "__main__":
    run("trouble", {"nodes": 4, "groups": 2, "settings": '<trap-listener address="127.0.0.1" port="1162"/>'},
        [garbage, twice, not_root, bad_secrets, wrong_passwords, full_store, bad_history_files, full_history, corrupt_store], prepare=small_disks)
