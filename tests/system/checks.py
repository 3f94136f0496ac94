#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check plugins: what their ends mean, what they print, and plugins that hang, print without end, fork without end, are not there or lie
outside of the check directory; the role that runs them killed; edits at run time."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

PLUGINS = {
    "good": "echo 'all is well | time=0.25s;1;2 size=3KB;2;4 users=7'",
    "warns": "echo 'half well|load=5;~:4;10'; exit 1",
    "breaks": "echo broken; exit 2",
    "shrugs": "echo 'who knows'; exit 3",
    "odd": "echo odd; exit 77",
    "mute": "exit 0",
    "hangs": "trap '' TERM; while :; do read -r _ </dev/zero; done",
    "endless": "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
    "bomb": "f() { f | f & }; f; while :; do :; done",
    "tells": "echo \"$# $1 $2 $(id -u 2>&1) $HOME\"",
}


def prepare(a):
    place = os.path.join(a.work, "plugins")
    os.makedirs(place)
    for name, script in PLUGINS.items():
        with open(os.path.join(place, name), "w") as f:
            f.write("#!/bin/sh\n" + script + "\n")
        os.chmod(os.path.join(place, name), 0o755)
    os.symlink("/bin/true", os.path.join(place, "leads_out"))
    with open(os.path.join(place, "no_program"), "w") as f:
        f.write("x")
    a.settings += '<checks directory="/mnt/plugins"/>'
    a.write_settings()


def result(a, name, node="n001"):
    for row in a.get("/v1/check-results?check=" + name):
        if row["node"] == node:
            return row
    return {"level": None, "text": None}


def add(a, name, plugin, arguments="", interval=2, timeout=1):
    status, answer = a.command("check-add", name, {"plugin": plugin, "arguments": arguments, "interval": interval, "timeout": timeout, "scope": "n001"})
    check(status == 200, answer)


def remove(a, *names):
    for name in names:
        status, answer = a.command("check-remove", name)
        check(status == 200, answer)


def wait_level(a, name, level, text, seconds=30):
    return wait_until(lambda: "%s is %s with \"%s\": %s" % (name, level, text, result(a, name)), seconds,
                      lambda: (lambda r: r if r["level"] == level and text in r["text"] else None)(result(a, name)))


def alarm(a, name):
    return [x for x in a.alarms() if x["kind"] == "check" and x["cause"].startswith(name + ":")]


def ends(a):
    """exit codes 0 to 3 and others; the text; silence; each with its level and alarm"""
    for name, level, text in (("good", "normal", "all is well"), ("warns", "warning", "half well"), ("breaks", "critical", "broken"),
                              ("shrugs", "unknown", "who knows"), ("odd", "critical", "odd"), ("mute", "normal", "said nothing")):
        add(a, "c-" + name, name)
    for name, level, text in (("good", "normal", "all is well"), ("warns", "warning", "half well"), ("breaks", "critical", "broken"),
                              ("shrugs", "unknown", "who knows"), ("odd", "critical", "odd"), ("mute", "normal", "said nothing")):
        wait_level(a, "c-" + name, level, text)
    wait_until("alarms", 5, lambda: alarm(a, "c-warns") and alarm(a, "c-breaks") and alarm(a, "c-odd"))
    check(not alarm(a, "c-good") and not alarm(a, "c-shrugs"), a.alarms())
    check(a.node("n001")["level"] == "critical" and a.node("n001")["verdict"] == "up", a.node("n001"))
    remove(a, "c-warns", "c-breaks", "c-shrugs", "c-odd", "c-mute")
    wait_until("nothing of them is left", 5, lambda: not [x for x in a.alarms() if x["kind"] == "check"])


def values(a):
    """what is printed behind | becomes values with unit and level; built-in items keep theirs"""
    wait_level(a, "c-good", "normal", "all is well")
    rows = {v["item"]: v for v in a.get("/v1/values?range=n001&instance=c-good")}
    check(rows["time"]["value"] == 0.25 and rows["time"]["unit"] == "s" and rows["time"]["level"] == "normal", rows)
    check(rows["size"]["value"] == 3072 and rows["size"]["unit"] == "B" and rows["size"]["level"] == "warning", rows)
    check(rows["c_users"]["value"] == 7, rows)
    remove(a, "c-good")
    wait_until("its values go with it", 5, lambda: not a.get("/v1/values?range=n001&instance=c-good"))


def misbehaviour(a):
    """hanging, endless and forking plugins end at their deadline; nothing of them is left; other checks go on meanwhile"""
    add(a, "c-good", "good")
    add(a, "c-hangs", "hangs")
    add(a, "c-endless", "endless")
    add(a, "c-bomb", "bomb", interval=3)
    wait_level(a, "c-hangs", "critical", "no result within")
    wait_level(a, "c-endless", "critical", "it")
    wait_level(a, "c-bomb", "critical", "no result within", 60)
    wait_level(a, "c-good", "normal", "all is well", 60)
    remove(a, "c-hangs", "c-endless", "c-bomb", "c-good")

    def left():
        out = subprocess.run(["ps", "-A", "-o", "uid=,args="], capture_output=True, text=True).stdout
        return [x for x in out.splitlines() if x.split(None, 1)[0] == "64107" and "glory-checker" not in x]
    wait_until(lambda: "no process is left: %s" % left()[:3], 30, lambda: not left())


def outside(a):
    """nothing but files of the check directory; no shell, only the two macros, a clean environment, a user of its own"""
    add(a, "c-none", "nothing_here")
    add(a, "c-link", "leads_out")
    add(a, "c-file", "no_program")
    wait_level(a, "c-none", "critical", "there is no such plugin")
    wait_level(a, "c-link", "critical", "")
    wait_level(a, "c-file", "critical", "is no program")
    for plugin in ("../good", "/bin/true", "a/b", ".."):
        status, answer = a.command("check-add", "c-path", {"plugin": plugin})
        check(status != 200, "%s was taken: %s" % (plugin, answer))
    add(a, "c-tells", "tells", "'$NAME$ $ADDRESS$;' $(touch$HOME)")
    wait_level(a, "c-tells", "normal", "2 n001 10.99.1.1; $(touch$HOME)")
    check("64107" in result(a, "c-tells")["text"] or "id" in result(a, "c-tells")["text"], result(a, "c-tells"))
    remove(a, "c-none", "c-link", "c-file", "c-tells")


def own_plugin(a):
    """the appliance's own plugin sees sshd's banner, and its absence; kill -9 of the role: back at once, checks go on"""
    add(a, "c-ssh", "glory_tcp", "-H $ADDRESS$ -p 22 -e SSH-2.0")
    add(a, "c-other", "glory_tcp", "-H $ADDRESS$ -p 9")
    wait_level(a, "c-ssh", "normal", "answers")
    wait_level(a, "c-other", "critical", "refused")
    before = result(a, "c-ssh")["time"]
    a.wait_back("checker", a.kill("checker", signal.SIGKILL), 10)
    wait_until("it is run again", 20, lambda: result(a, "c-ssh")["time"] > before and result(a, "c-ssh")["level"] == "normal")
    code, out = a.tool("gloryctl", "check", "list")
    check(code == 0 and "c-ssh" in out and "glory_tcp" in out, out)
    code, out = a.tool("gloryctl", "export")
    check('<check name="c-other" plugin="glory_tcp" arguments="-H $ADDRESS$ -p 9" interval="2" timeout="1" scope="n001"/>' in out, out)
    remove(a, "c-ssh", "c-other")


run("checks", {"nodes": 2, "groups": 1}, [ends, values, misbehaviour, outside, own_plugin], prepare=prepare)
