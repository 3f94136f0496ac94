#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running roles may do, as the kernel tells it: user, capabilities, no_new_privs, seccomp, descriptors, environment, arguments, files they
could reach, and that no role is ever refused a system call, or ended by one, in normal work."""
import os
import re
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

ROLES = {"engine": 0, "collector": 1, "bmc": 2, "recorder": 3, "agent": 4, "api": 5, "checker": 6, "runner": 7}
FIRST_UID = 64101
# descriptors of files and devices a role may hold beside sockets, pipes, memfds and anonymous ones, under the appliance's directory
FILES = {"engine": r"/var/(store|stats)/", "collector": None, "bmc": r"/var/sdr", "recorder": r"/var/(rrd|journal)", "agent": r"/var/agent", "api": None, "checker": r"/plugins$", "runner": r"/ssh$|/glory-l4$"}
# system calls the filter refuses by purpose and that a library of the role asks for and does without: {role: {call}}
KNOWN_REFUSALS = {}


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def identity(a):
    """each role its own user, no group beside it, no capability, no_new_privs, a filter, one parent"""
    for role, offset in ROLES.items():
        s = status(a.pid(role))
        uid = str(FIRST_UID + offset)
        check(s["Uid"].split() == [uid] * 4, "%s: Uid %s" % (role, s["Uid"]))
        check(s["Gid"].split() == [uid] * 4, "%s: Gid %s" % (role, s["Gid"]))
        check(s["Groups"].strip() == "", "%s: groups %s" % (role, s["Groups"]))
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            check(int(s[kind], 16) == 0, "%s: %s %s" % (role, kind, s[kind]))
        check(s["NoNewPrivs"] == "1" and s["Seccomp"] == "2", "%s: NoNewPrivs %s Seccomp %s" % (role, s["NoNewPrivs"], s["Seccomp"]))
        check(int(s["PPid"]) == a.process.pid, "%s: its parent is %s" % (role, s["PPid"]))
        for task in os.listdir("/proc/%s/task" % s["Pid"]):
            with open("/proc/%s/task/%s/status" % (s["Pid"], task)) as f:
                text = f.read()
            check("Seccomp:\t2" in text and re.search(r"CapEff:\t0+\n", text), "%s: thread %s is less bound" % (role, task))


def nothing_to_read(a):
    """no environment, no argument, no core"""
    for role in ROLES:
        pid = a.pid(role)
        with open("/proc/%d/environ" % pid, "rb") as f:
            check(f.read().strip(b"\0") == b"", "%s has an environment" % role)
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            check(f.read() == b"glory-%s\0" % role.encode(), "%s has arguments" % role)
        with open("/proc/%d/limits" % pid) as f:
            check(re.search(r"Max core file size +0 +0 ", f.read()), "%s may dump core" % role)
        owner = os.stat("/proc/%d/environ" % pid).st_uid
        check(owner == 0, "%s is dumpable: /proc of it belongs to %d" % (role, owner))


def descriptors(a):
    """a role holds what it was given and its own files, nothing else"""
    for role in ROLES:
        directory = "/proc/%d/fd" % a.pid(role)
        for fd in os.listdir(directory):
            try:
                to, mode = os.readlink("%s/%s" % (directory, fd)), os.stat("%s/%s" % (directory, fd)).st_mode
            except FileNotFoundError:
                continue
            if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode) or to.startswith(("anon_inode:", "/memfd:", "/dev/null", "/dev/urandom")):
                continue
            if fd in ("1", "2") and to == os.path.realpath(a.log_path):
                continue
            own = FILES[role]
            check(own and re.search(own, to), "%s: descriptor %s is %s" % (role, fd, to))
        families = listening(a.pid(role))
        check(role in ("api", "collector", "agent") or not families, "%s listens: %s" % (role, families))


def listening(pid):
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except FileNotFoundError:
            continue
        if found:
            inodes.add(found.group(1))
    with open("/proc/%d/net/tcp" % pid) as f:
        return [line.split()[1] for line in list(f)[1:] if line.split()[9] in inodes and line.split()[3] == "0A"]


def as_role(a, role, script):
    """Runs a shell line in the role's mount namespace under its user: what its files' modes alone would let it do."""
    uid = str(FIRST_UID + ROLES[role])
    return subprocess.run(["nsenter", "--mount=/proc/%d/ns/mnt" % a.pid(role), "setpriv", "--reuid", uid, "--regid", uid, "--clear-groups",
                           "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "sh", "-c", script], capture_output=True, text=True)


def files(a):
    """no role reads a secret, the store of the engine, or another's directory; each writes its own alone"""
    own = {"engine": ["store", "stats"], "collector": [], "bmc": ["sdr"], "recorder": ["rrd", "journal"], "agent": ["agent"], "api": [], "checker": [], "runner": ["runner"]}
    present = [d for d in ("store", "stats", "sdr", "rrd", "journal", "agent", "runner") if os.path.isdir(os.path.join(a.work, "var", d))]
    check(set(present) >= {"store", "stats", "rrd", "journal", "agent", "runner"}, "directories: %s" % present)
    check(as_role(a, "engine", "ls /mnt/var/store/* >/dev/null && touch /mnt/var/store/t && rm /mnt/var/store/t").returncode == 0,
          "this way of looking does not work, so it proves nothing")
    for role in ROLES:
        for secret in ("snmp/nodes", "bmc/bmc", "usm/admin"):
            check(os.path.exists(os.path.join(a.work, "etc", "secrets", secret)), "no secret %s" % secret)
            check(as_role(a, role, "cat /mnt/etc/secrets/%s" % secret).returncode != 0, "%s reads secret %s" % (role, secret))
        for directory in present:
            reads = as_role(a, role, "ls /mnt/var/%s" % directory).returncode == 0
            writes = as_role(a, role, "touch /mnt/var/%s/t && rm /mnt/var/%s/t" % (directory, directory)).returncode == 0
            check(reads == writes == (directory in own[role]), "%s: %s reads %s, writes %s" % (directory, role, reads, writes))
        check(as_role(a, role, "touch /mnt/t || touch /mnt/var/t || touch /mnt/etc/t").returncode != 0, "%s writes beside its directories" % role)


def the_door(a):
    """an unprivileged stranger at the API's socket reads and does nothing that changes"""
    script = ("import socket;s=socket.socket(socket.AF_UNIX);s.connect('/mnt/api.sock');b=b'{\"verb\":\"power\",\"target\":\"n001\",\"args\":{\"verb\":\"off\"}}';"
              "s.sendall(b'POST /v1/commands HTTP/1.1\\r\\nHost: l\\r\\nContent-Length: %d\\r\\n\\r\\n'%len(b)+b);print(s.recv(4000).decode())")
    out = subprocess.run(["nsenter", "--mount=/proc/%d/ns/mnt" % a.pid("api"), "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                          sys.executable, "-c", script], capture_output=True, text=True)
    check(re.match(r"HTTP/1.1 40[13]", out.stdout), "a stranger's power off: %s%s" % (out.stdout[:300], out.stderr[-300:]))
    check(a.node("n001")["power"] == "on", "it was switched off")


def work(a):
    """A bit of everything the roles do."""
    status_code, answer = a.command("power", "n002", {"verb": "cycle"})
    check(status_code == 200 and a.wait_job(answer["job"], 90)["state"] == "done", answer)
    a.lab("agent-stop", "n001")
    a.wait_verdict("n001", "agent-dead", 30)
    a.lab("agent-start", "n001")
    graph = a.request("GET", "/v1/graph?node=n003&items=cpu", timeout=40)
    check(graph[0] == 200, "the graph: %s" % (graph,))
    text = a.request("GET", "/v1/export")[1]
    check(a.request("POST", "/v1/apply", text)[0] == 200, "apply")
    a.tool("snmpwalk", "127.0.0.1:1161", "GLORY-CL-MIB::gloryNodeTable")
    check(a.request("GET", "/metrics")[0] == 200, "metrics")
    web = socket.create_connection(("127.0.0.1", 8080), 5)
    web.sendall(b"GET /v1/nodes HTTP/1.0\r\n\r\n")
    check(b"200" in web.recv(100), "http")
    web.close()
    status_code, answer = a.command("check-add", "ssh", {"plugin": "glory_tcp", "arguments": "-H $ADDRESS$ -p 22 -e SSH-2.0", "interval": 2, "timeout": 1, "scope": "n004"})
    check(status_code == 200, answer)
    wait_until(lambda: "a plugin's result: %s" % a.get("/v1/check-results?check=ssh"), 20, lambda: [r for r in a.get("/v1/check-results?check=ssh") if r["level"] == "normal"])
    check(a.command("check-remove", "ssh")[0] == 200, "check-remove")
    wait_until("n001 and n002 are up", 90, lambda: a.verdict("n001")[0] == "up" and a.verdict("n002")[0] == "up")


def no_refusal(a):
    """under strace: no role is refused a system call in normal work, from its first to its last"""
    if not os.access("/usr/bin/strace", os.X_OK):
        print("skipped  no_refusal: strace is not installed", flush=True)
        return
    traces, pids = [], {}
    for role in ROLES:
        pids[role] = a.pid(role)
        path = os.path.join(a.work, "strace.%s" % role)
        traces.append((role, path, subprocess.Popen(["strace", "-f", "-q", "-p", str(pids[role]), "-o", path], stderr=subprocess.DEVNULL)))
    for role, path, process in traces:
        wait_until("strace of %s" % role, 10, lambda p=path: os.path.exists(p) and os.path.getsize(p) > 0)
    begun = time.monotonic()
    try:
        work(a)
    finally:
        lasted = time.monotonic() - begun
        for _, _, process in traces:
            process.terminate()
            process.wait(10)
    for role, path, _ in traces:
        with open(path, errors="replace") as f:
            lines = f.read().splitlines()
        told = len([line for line in lines if " sendmsg(" in line])  # every role tells its counts once a second; the engine is asked all the time
        check(told > lasted / 2, "strace saw only %d messages of %s in %.0f s" % (told, role, lasted))
        refused = sorted({m.group(1) for m in (re.match(r"\d+ +(\w+)\(.*= -1 EPERM", line) for line in lines) if m} - KNOWN_REFUSALS.get(role, set()))
        check(not refused, "%s was refused: %s" % (role, refused))
        check(a.pid(role) == pids[role], "%s is another process now" % role)


def never_ended(a):
    """no role was ended by a signal since the start"""
    with open(a.log_path, errors="replace") as f:
        said = f.read().splitlines()
    ended = [line for line in said if "ended by signal" in line]
    check(not ended, ended[:3])
    loose = [line for line in said if "sandbox:" in line and "this kernel has no landlock" not in line]
    check(not loose, "a role is bound less than it should be: %s" % loose[:3])


if __name__ == "__main__":
    run("rights", {"nodes": 4, "groups": 2}, [identity, nothing_to_read, descriptors, files, the_door, no_refusal, never_ended])
