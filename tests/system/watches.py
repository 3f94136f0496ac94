#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process watches on real agents: counted, missed, restarted, too many, by their arguments; edits at run time by CLI and SNMP; history;
the busiest processes of a node. net-snmp shows its process table up to 30 s late, and so do we."""
import contextlib
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import Appliance, BUILD, check, run, select_pause, wait_until  # noqa: E402

LATE_S = 60  # the agent's own table, a poll, a search, a loaded machine


def inside(a, node):
    with open(os.path.join(a.lab_dir, "nodes", node, "pid")) as f:
        return ["nsenter", "-t", f.read().strip(), "--all"]


def start(a, node, name, *arguments):
    """A program of this name in the node; returns the process that waits for it."""
    place = "/run/" + name
    subprocess.run(inside(a, node) + ["sh", "-c", "[ -e %s ] || cp /usr/bin/tail %s" % (place, place)], check=True)
    return subprocess.Popen(inside(a, node) + [place, "-f", "/dev/null"] + list(arguments), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def descendants(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        children = [int(word) for word in f.read().split()]
    return [x for child in children for x in [child] + descendants(child)]


def end(*processes):
    """Ends what was started, in the node and here."""
    for process in processes:
        for pid in reversed(descendants(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()


def state(a, watch, node):
    rows = a.get("/v1/watch-states?range=%s&watch=%s" % (node, watch))
    return rows[0] if rows else {"state": None, "count": None, "restarts": None}


def wait_state(a, watch, node, wanted, count=None, seconds=LATE_S):
    return wait_until(lambda: "%s on %s is %s %s: %s" % (watch, node, wanted, count, state(a, watch, node)), seconds,
                      lambda: (lambda s: s if s["state"] == wanted and count in (None, s["count"]) else None)(state(a, watch, node)), 0.25)


def watch_alarms(a, node):
    return [x for x in a.alarms() if x["object"] == node and x["kind"] == "watch"]


def ctl(a, *words):
    code, out = a.tool("gloryctl", *words)
    check(code == 0, "gloryctl %s: %s" % (" ".join(words), out))
    return out


def numbered(a, node, program, number):
    """Starts a program in the node under this process id."""
    script = "echo %d >/proc/sys/kernel/ns_last_pid && exec %s -f /dev/null" % (number - 1, program)
    return subprocess.Popen(inside(a, node) + ["sh", "-c", "(%s) & wait" % script], stdin=subprocess.DEVNULL)


def counted(a):
    """a watch of the file counts, by the board, by the MIB, and in history; none is missed on a healthy node"""
    for node in ("n001", "n002"):
        row = wait_state(a, "sshd", node, "ok", 1)
        check(row["level"] == "normal" and row["restarts"] == 0, row)
    wait_until("the watch counts its nodes", 5, lambda: (lambda w: w["nodes"] == 2 and w["by_state"]["ok"] == 2)(a.get("/v1/watches?name=sshd")[0]))
    wait_until("memory is read", LATE_S, lambda: (state(a, "sshd", "n001")["mem_bytes"] or 0) > 100000)
    check([w["watch"] for w in a.get("/v1/nodes/n001")["watches"]] == ["sshd"], "not in the node's detail")
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryWatchNodeState.1.1", "GLORY-CL-MIB::gloryWatchName.1",
                       "GLORY-CL-MIB::gloryWatchOk.1")
    check(code == 0 and out.splitlines()[:3] == ["ok", "sshd", "2 nodes"], out)
    history = os.path.join(a.work, "var", "rrd", "demo", "g01", "n001", "snmp", "watch-sshd.rrd")
    select_pause(11)  # a step of the history ends
    out = ctl(a, "graph", "n001", "watch_mem/sshd", "-o", os.path.join(a.work, "mem.png"))
    check(os.path.getsize(os.path.join(a.work, "mem.png")) > 500, out)
    check(os.path.exists(history), "no history: a graph brings it up to date")


def few_and_many(a):
    """added at run time: too few, right, too many by the arguments, right again; each with its alarm; exported; removed"""
    ctl(a, "watch", "add", "worker", "--process", "worker", "--arguments", "shard*a", "--min", "1", "--max", "2", "--interval", "10",
        "--scope", "n001")
    wait_state(a, "worker", "n001", "too-few", 0)
    check(a.get("/v1/watch-states?range=n002&watch=worker") == [], "it is on n002")
    alarm = wait_until("its alarm", 5, lambda: watch_alarms(a, "n001"))[0]
    check(alarm["severity"] == "major" and alarm["cause"] == "worker: 0 run, 1 to 2 wanted", alarm)
    check(a.node("n001")["level"] == "major" and a.node("n001")["verdict"] == "up", a.node("n001"))
    running = [start(a, "n001", "worker", "--retry"), start(a, "n001", "worker", "--retry", "/dev/shard-a")]
    wait_state(a, "worker", "n001", "ok", 1)
    wait_until("the alarm is cleared", 5, lambda: not watch_alarms(a, "n001"))
    running += [start(a, "n001", "worker", "--retry", "/dev/shard-%da" % i) for i in (2, 3)]
    wait_state(a, "worker", "n001", "too-many", 3)
    wait_until("its alarm", 5, lambda: [x["cause"] for x in watch_alarms(a, "n001")] == ["worker: 3 run, 1 to 2 wanted"])
    ctl(a, "watch", "set", "worker", "--max", "3")
    wait_state(a, "worker", "n001", "ok", 3, 5)
    out = ctl(a, "export")
    check('<watch name="worker" process="worker" arguments="shard*a" max="3" interval="10" scope="n001"/>' in out, out)
    end(*running)
    ctl(a, "watch", "remove", "worker")
    check([w["name"] for w in a.get("/v1/watches")] == ["sshd"], "it is still there")
    wait_until("nothing of it is left", 5, lambda: not watch_alarms(a, "n001") and not a.get("/v1/watch-states?watch=worker"))
    code, out = a.tool("gloryctl", "watch", "add", "bad", "--process", "x", "--min", "5", "--max", "2")
    check(code == 1 and "max" in out, out)


def restart(a):
    """a process that dies and comes again is one restart, told once; one that stays away is missed; the index of another is not it"""
    ctl(a, "watch", "add", "app", "--process", "app*", "--interval", "10", "--scope", "n002")
    first = start(a, "n002", "app")
    wait_state(a, "app", "n002", "ok", 1)
    before, last = state(a, "app", "n002")["restarts"], a.last_event()
    end(first)
    second = start(a, "n002", "app")
    wait_until("a restart is noticed", LATE_S, lambda: state(a, "app", "n002")["restarts"] == before + 1)
    wait_state(a, "app", "n002", "ok", 1, 10)
    told = wait_until("an event says so", 10, lambda: [x for x in a.events(last) if x["object"] == "n002" and "watch app: restarted" in x["cause"]])
    check(len(told) == 1, told)
    end(second)
    wait_state(a, "app", "n002", "too-few", 0)
    wait_until("its alarm", 5, lambda: [x["cause"] for x in watch_alarms(a, "n002")] == ["app: 0 run, at least 1 wanted"])
    # the same number, another program: the namespace is told which number comes next
    subprocess.run(inside(a, "n002") + ["sh", "-c", "cp /usr/bin/tail /run/app-two; cp /usr/bin/tail /run/other"], check=True)
    third = numbered(a, "n002", "/run/app-two", 4000)
    wait_state(a, "app", "n002", "ok", 1)
    end(third)
    third = numbered(a, "n002", "/run/other", 4000)
    wait_state(a, "app", "n002", "too-few", 0)
    end(third)
    ctl(a, "watch", "remove", "app")


def by_snmp(a):
    """createAndGo makes a watch at the next index, a SET changes it, destroy removes it; a viewer may not"""
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryWatchNextIndex.0", user="admin")
    index = int(out.split()[0])
    make = ["GLORY-CL-MIB::gloryWatchRowStatus.%d" % index, "=", "createAndGo", "GLORY-CL-MIB::gloryWatchName.%d" % index, "=", "mine",
            "GLORY-CL-MIB::gloryWatchProcess.%d" % index, "=", "snmpd", "GLORY-CL-MIB::gloryWatchScope.%d" % index, "=", "n001"]
    code, out = a.tool("snmpset", "127.0.0.1:1161", *make, user="operator")
    check(code != 0, "an operator changed the wanted state: " + out)
    code, out = a.tool("snmpset", "127.0.0.1:1161", *make, user="admin")
    check(code == 0, out)
    wait_state(a, "mine", "n001", "ok", 1)
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryWatchMin.%d" % index, "=", "2", user="admin")
    check(code == 0, out)
    wait_state(a, "mine", "n001", "too-few", 1, 10)
    code, out = a.tool("snmpset", "127.0.0.1:1161", "GLORY-CL-MIB::gloryWatchRowStatus.%d" % index, "=", "destroy", user="admin")
    check(code == 0, out)
    check([w["name"] for w in a.get("/v1/watches")] == ["sshd"], a.get("/v1/watches"))


def silence_and_kills(a):
    """a silent agent makes its watches unknown, not wrong; collector and engine killed: states come back, numbers of watches stay"""
    ctl(a, "watch", "add", "agent", "--process", "snmpd", "--interval", "10")
    wait_state(a, "agent", "n001", "ok", 1)
    a.lab("agent-stop", "n001")
    wait_state(a, "agent", "n001", "unknown", seconds=30)
    check(not watch_alarms(a, "n001"), watch_alarms(a, "n001"))
    a.lab("agent-start", "n001")
    a.wait_verdict("n001", "up", 30)
    wait_state(a, "agent", "n001", "ok", 1)
    index = a.get("/v1/watches?name=agent")[0]["index"]
    a.wait_back("collector", a.kill("collector"), 20)
    wait_state(a, "agent", "n002", "ok", 1)
    a.wait_back("engine", a.kill("engine"), 30)
    wait_state(a, "agent", "n002", "ok", 1)
    check(a.get("/v1/watches?name=agent")[0]["index"] == index, "its number has changed")
    ctl(a, "watch", "remove", "agent")


def top(a):
    """the busiest processes of a node: the one that works is first, with the share it uses; a node that is not there is said"""
    spin = ("import time, select\nwhile True:\n t = time.process_time() + 0.03\n while time.process_time() < t: pass\n"
            " select.select([], [], [], 0.07)")
    busy = subprocess.Popen(inside(a, "n001") + ["nice", "python3", "-c", spin], stdin=subprocess.DEVNULL)
    try:
        answer = json.loads(ctl(a, "--json", "node", "top", "n001", "3"))
        check(answer["processes"] >= 4 and 1 <= len(answer["top"]) <= 3, answer)
        first = answer["top"][0]
        check(first["name"] == "python3" and answer["over_s"] and 5 < first["cpu_percent"] < 60, answer)
        check(first["mem_bytes"] > 1000000 and "import time" in first["arguments"], first)
    finally:
        end(busy)
    code, out = a.tool("gloryctl", "node", "top", "nowhere")
    check(code == 1 and "no such node" in out, out)


run("watches", {"nodes": 2, "groups": 1}, [counted, few_and_many, restart, by_snmp, silence_and_kills, top],
    prepare=lambda a: a.add_to_cluster('<watch name="sshd" process="sshd" interval="10"/>'))
