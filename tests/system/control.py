#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node control on the lab's real sshds: many nodes in parallel, each way a run can fail told from the others, partial success, verbs that neither end
takes, and the engine or the runner killed in the middle of a run."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

ALL = "n[001-008]"
SLOW = ["agent=ocf:heartbeat:Delay", "name=slow", "p.stopdelay=0", "p.mondelay=0"]


def gloryctl(a, *words, timeout=120):
    return a.tool("gloryctl", *words, timeout=timeout)


def node_run(a, target, *words, timeout=120):
    """(exit code, output, the job) of gloryctl node run --yes."""
    code, out = gloryctl(a, "node", "run", target, *words, "--yes", "--json", timeout=timeout)
    return code, out, json.JSONDecoder().raw_decode(out)[0] if out.startswith("{") else None  # what it says of its progress stands behind


def begin(a, target, verb, *arguments):
    """Starts a run without waiting; returns the job's number."""
    args = dict(x.split("=", 1) for x in arguments)
    status, answer = a.command("run", target, dict(args, verb=verb), yes=True)
    check(status == 200, answer)
    return answer["job"]


def step(job, node):
    return next(s for s in job["steps"] if s["node"] == node)


def init_pid(a, node):
    with open(os.path.join(a.lab_dir, "nodes", node, "pid")) as f:
        return f.read().strip()


def inside(a, node, script):
    done = subprocess.run(["nsenter", "-t", init_pid(a, node), "--all", "/bin/sh", "-c", script], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def stop_sshd(a, node):
    """No sshd any more, and no connection that was kept."""
    inside(a, node, "for p in /proc/[0-9]*; do read -r c <$p/comm && [ $c = sshd ] && kill -KILL ${p#/proc/}; done 2>/dev/null")
    wait_until("no sshd on %s" % node, 5, lambda: "0016" not in inside(a, node, "cat /proc/net/tcp | grep ' 0A '")[1])


def start_sshd(a, node):
    subprocess.Popen(["nsenter", "-t", init_pid(a, node), "--all", "/bin/sh", "/run/node/sshd"], stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(10)
    wait_until("sshd on %s" % node, 10, lambda: ":0016" in inside(a, node, "cat /proc/net/tcp | grep ' 0A '")[1])


def one_end(a, node, wanted, seconds=40):
    """hello on one node ends so; a connection that was kept may be dying still."""
    seen = {}

    def look():
        code, out, job = node_run(a, node, "hello")
        seen["text"] = step(job, node)["text"] if job else out
        return code == 1 and seen["text"].startswith(wanted + ":")
    wait_until(lambda: "%s: %s (now %s)" % (node, wanted, seen), seconds, look)
    return seen["text"]


def well(a, node):
    wait_until("%s answers again" % node, 40, lambda: node_run(a, node, "hello")[0] == 0)


def parallel(a):
    """hello on 8 nodes at once; each answers by its own name; several nodes want --yes"""
    begun = time.monotonic()
    code, out = gloryctl(a, "node", "run", ALL, "hello", "--yes")
    took = time.monotonic() - begun
    check(code == 0, out)
    for i in range(1, 9):
        check('n%03d: {"node":"n%03d","script":1' % (i, i) in out, out)
    check("done: " + ALL in out, out)
    print("        8 nodes said hello in %.1f s" % took)
    code, out = gloryctl(a, "node", "run", ALL, "hello")
    check(code == 1 and "--yes" in out, out)
    begun = time.monotonic()
    code, out, job = node_run(a, ALL, "hello")
    check(code == 0 and job["verb"] == "run" and job["state"] == "done" and len(job["steps"]) == 8, job)
    print("        and again, over the connections that were kept, in %.1f s" % (time.monotonic() - begun))


def secrets(a):
    """no key in an argument or environment, none readable to others, none in log or store"""
    with open(os.path.join(a.work, "etc", "secrets", "ssh", "control")) as f:
        body = f.read().split("\n")[2]
    job = begin(a, "n001", "service-restart", *SLOW, "p.startdelay=2")
    ssh = wait_until("ssh runs", 10, lambda: subprocess.run(["pgrep", "-u", "64108", "-x", "ssh"], capture_output=True, text=True).stdout.split())
    for pid in ssh:
        for what in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (pid, what), "rb") as f:
                    text = f.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            check(b"-o" in text or b"[mux]" in text or what == "environ", text[:200])
            check(b"PRIVATE" not in text and body.encode() not in text, "%s of ssh holds the key" % what)
    keys = os.path.join(a.work, "var", "runner", "keys")
    check(os.stat(keys).st_mode & 0o777 == 0o700 and os.stat(keys).st_uid == 64108, "keys: %o" % os.stat(keys).st_mode)
    check(all(os.stat(os.path.join(keys, k)).st_mode & 0o077 == 0 for k in os.listdir(keys)), os.listdir(keys))
    check(a.wait_job(job, 40)["state"] == "done", a.job(job))
    for place in (a.log_path, os.path.join(a.work, "var", "store")):
        found = subprocess.run(["grep", "-rlF", body, place], capture_output=True, text=True).stdout
        check(not found, "the key is in " + found)


def forbidden(a):
    """verbs that people may not use, that are none, and arguments that are none: refused by the engine; by the node, when it is asked past it"""
    for words, said in ((["balance", "driver=ipvs"], "may not be run by hand"), (["reboot"], "no verb of node control"), (["hello", "x=1"], "no argument"),
                        (["service-check", "agent=ocf:../x:y", "name=z"], "not allowed"), (["service-check", "name=z"], "missing")):
        code, out = gloryctl(a, "node", "run", "n001", *words)
        check(code == 1 and said in out, (words, out))
    keys = os.path.join(a.work, "by-hand")
    os.makedirs(keys, exist_ok=True)
    secret = os.path.join(a.work, "etc", "secrets", "ssh")
    for source, name in (("control", "key"), ("control-cert", "key-cert.pub")):
        subprocess.run(["install", "-m", "600", os.path.join(secret, source), os.path.join(keys, name)], check=True)
    with open(os.path.join(secret, "control-ca")) as f, open(os.path.join(keys, "known"), "w") as to:
        to.write("@cert-authority * " + f.read())
    for line in ("bash -i", "", "hello;id", "hello $(id)", "software-list name=../../x", "service-check agent=systemd:x name=x p.a=%0aid"):
        done = subprocess.run(["ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", "HostKeyAlias=n001",
                               "-o", "UserKnownHostsFile=%s/known" % keys, "-o", "HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com", "-i", keys + "/key",
                               "-l", "glory", "--", "10.99.1.1"] + ([line] if line else []), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
        check(done.returncode == 64 and "uid=" not in done.stdout, (line, done))


def services(a):
    """an OCF agent and a unit: start, check, stop, what is not there"""
    dummy = ["agent=ocf:heartbeat:Dummy", "name=d"]
    for agent in (dummy, ["agent=systemd:clock", "name=c"]):
        inside(a, "n005", "mkdir -p /run/node/units; printf '#!/bin/sh\\nexec tail -f /dev/null\\n' >/run/node/units/clock; chmod 755 /run/node/units/clock")
        for verb, code, said in (("service-check", 1, "not running" if agent is dummy else "inactive"), ("service-start", 0, "running" if agent is dummy else "active"),
                                 ("service-start", 0, ""), ("service-check", 0, ""), ("service-restart", 0, ""), ("service-stop", 0, ""), ("service-stop", 0, ""),
                                 ("service-check", 1, "")):
            got, out, job = node_run(a, "n005", verb, *agent)
            check(got == code and said in step(job, "n005")["text"], (verb, agent, out))
    for agent, said in (("ocf:heartbeat:none_such", "is not installed"), ("systemd:none_such", "no such unit")):
        code, out, job = node_run(a, "n005", "service-start", "agent=" + agent, "name=x")
        check(code == 1 and said in step(job, "n005")["text"], out)
    code, out, job = node_run(a, "n005", "agent-restart")
    check(code == 0, out)


def wrong_host_key(a):
    """another key, a certificate of another CA: told as what they are, nothing is run there"""
    saved = "mkdir -p /run/saved; cp /run/node/host_key* /run/saved/"
    inside(a, "n002", saved + "; rm -f /run/node/host_key*; ssh-keygen -q -t ed25519 -N '' -f /run/node/host_key; cp /run/saved/host_key-cert.pub /run/node/")
    stop_sshd(a, "n002")
    start_sshd(a, "n002")
    print("        " + one_end(a, "n002", "wrong-host-key"))
    inside(a, "n002", "cd /run/node; ssh-keygen -q -t ed25519 -N '' -f /run/saved/ca; ssh-keygen -q -s /run/saved/ca -I n002 -h -n n002 host_key.pub")
    stop_sshd(a, "n002")
    start_sshd(a, "n002")
    print("        " + one_end(a, "n002", "wrong-host-key"))
    inside(a, "n002", "cp /run/saved/host_key* /run/node/; chmod 600 /run/node/host_key")
    stop_sshd(a, "n002")
    start_sshd(a, "n002")
    well(a, "n002")


def refused_and_partly(a):
    """sshd stopped: refused; the other nodes' success is a result, exit code 3"""
    stop_sshd(a, "n003")
    print("        " + one_end(a, "n003", "connection-refused"))
    code, out = gloryctl(a, "node", "run", ALL, "hello", "--yes")
    check(code == 3 and "done: n[001-002,004-008]" in out and "failed: n003: connection-refused" in out, (code, out))
    start_sshd(a, "n003")
    well(a, "n003")


def hung(a):
    """sshd that does not answer, and a command that does not end: each at its deadline"""
    stop_sshd(a, "n004")
    start_sshd(a, "n004")
    a.lab("sshd-hang", "n004")
    begun = time.monotonic()
    text = one_end(a, "n004", "no-answer")
    check(time.monotonic() - begun < 30, "it took %.1f s" % (time.monotonic() - begun))
    print("        " + text)
    a.lab("sshd-wake", "n004")
    well(a, "n004")
    begun = time.monotonic()
    code, out, job = node_run(a, "n004", "service-start", *SLOW, "p.startdelay=60", "deadline=3")
    check(code == 1 and step(job, "n004")["text"].startswith("too-late:"), out)
    check(time.monotonic() - begun < 10, "it took %.1f s" % (time.monotonic() - begun))
    print("        " + step(job, "n004")["text"])
    wait_until("nothing of it is left on the node", 10, lambda: "Delay" not in inside(a, "n004", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")[1].replace("cat /proc", ""))


def cut(a):
    """the link cut in the middle of a command: nobody knows what it did, and the job says so"""
    job = begin(a, "n006", "service-restart", *SLOW, "p.startdelay=25")
    wait_until("it runs there", 10, lambda: "Delay" in inside(a, "n006", "cat /proc/[0-9]*/cmdline")[1])
    a.lab("cut", "n006")
    begun = time.monotonic()
    ended = a.wait_job(job, 60)
    took = time.monotonic() - begun
    a.lab("join", "n006")
    check(ended["state"] == "unknown" and step(ended, "n006")["text"].startswith("cut-off:"), ended)
    print("        after %.1f s: %s" % (took, step(ended, "n006")["text"]))
    wait_until("n006 is up", 30, lambda: a.verdict("n006")[0] == "up")
    well(a, "n006")


def busy(a):
    """two commands for one service at once: the second is told so by the node"""
    job = begin(a, "n007", "service-restart", *SLOW, "p.startdelay=6")
    wait_until("it runs there", 10, lambda: "Delay" in inside(a, "n007", "cat /proc/[0-9]*/cmdline")[1])
    code, out = inside(a, "n007", "SSH_ORIGINAL_COMMAND=\"service-stop agent=ocf:heartbeat:Delay name=slow token=$(cat /run/glory-node/token)\" /run/node/glory-node --state /run/glory-node")
    check(code == 75 and "busy" in out, (code, out))
    check(a.wait_job(job, 40)["state"] == "done", a.job(job))


def fenced(a):
    """an order of a life of the engine that is over is refused by the node; people cannot give a token"""
    def by_hand(token):
        return inside(a, "n004", "SSH_ORIGINAL_COMMAND='hello%s' /run/node/glory-node --state /run/glory-node" % (" token=%d" % token if token else ""))
    well(a, "n004")
    old = int(inside(a, "n004", "cat /run/glory-node/token")[1])
    check(by_hand(old)[0] == 0, "the token of this life is refused")
    a.wait_back("engine", a.kill("engine", signal.SIGKILL), 20)
    wait_until("the next life has given an order", 40, lambda: gloryctl(a, "node", "run", "n004", "hello")[0] == 0)
    new = int(inside(a, "n004", "cat /run/glory-node/token")[1])
    check(new > old, (old, new))
    for token in (old, 0):
        code, out = by_hand(token)
        check(code == 64 and "is older than %d" % new in out, (code, out))
    code, out = gloryctl(a, "node", "run", "n004", "hello", "token=999999999999999")
    check(code == 1 and "the appliance's own" in out, out)
    check(int(inside(a, "n004", "cat /run/glory-node/token")[1]) == new, "it has changed")
    well(a, "n004")


def killed(role):
    def test(a):
        def wait_there(node):
            wait_until("it runs there", 10, lambda: "Delay" in inside(a, node, "cat /proc/[0-9]*/cmdline")[1])
        slow = [SLOW[0], "name=slow-" + role] + SLOW[2:]  # one that does not run yet
        job = begin(a, "n007", "service-restart", *slow, "p.startdelay=8")
        again = begin(a, "n008", "service-start", *slow, "p.startdelay=4")
        wait_there("n007")
        wait_there("n008")
        a.wait_back(role, a.kill(role, signal.SIGKILL), 20)
        ended = a.wait_job(job, 60)
        check(ended["state"] == "unknown", ended)
        print("        " + step(ended, "n007")["text"])
        ended = a.wait_job(again, 90)  # starting twice does no harm: done in the end
        check(ended["state"] == "done", ended)
        wait_until("no ssh of the life before is left", 45, lambda: len(subprocess.run(["pgrep", "-u", "64108", "-x", "ssh"], capture_output=True,
                                                                                       text=True).stdout.split()) <= 2)
        code, out = gloryctl(a, "node", "run", "n[007-008]", "hello", "--yes")
        check(code == 0, out)
    test.__name__ = role + "_killed"
    test.__doc__ = "kill -9 of the %s in the middle of runs: unknown where a repeat could do harm, repeated where it does none" % role
    return test


def cancelled(a):
    """a run that is under way can be ended"""
    job = begin(a, "n001", "service-restart", *SLOW, "p.startdelay=30")
    wait_until("it runs there", 10, lambda: "Delay" in inside(a, "n001", "cat /proc/[0-9]*/cmdline")[1])
    status, answer = a.command("job-cancel", str(job))
    check(status == 200, answer)
    check(a.wait_job(job, 10)["state"] == "cancelled", a.job(job))


if __name__ == "__main__":
    run("control", {"nodes": 8, "groups": 2}, [parallel, secrets, forbidden, services, wrong_host_key, refused_and_partly, hung, cut, busy, fenced,
                                               killed("runner"), killed("engine"), cancelled])
