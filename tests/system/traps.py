#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traps and informs of all versions, sent by the stock tools and by real agents, into the whole appliance: proved ones are listed and start a
targeted read, all others are counted by their reason and never acted on; a storm disturbs nobody."""
import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

TO, BMC_TO = "10.99.0.2:162", "10.98.0.2:162"
COLD_START, LINK_DOWN = ".1.3.6.1.6.3.1.1.5.1", ".1.3.6.1.6.3.1.1.5.3"
OTHER = ".1.3.6.1.4.1.99999.0.7"
ENGINE = "0x80001f8880aabbccdd"
PET = "1.3.6.1.4.1.3183.1.1"
PET_BYTES = "".join("%02x" % b for b in range(16)) + "0001" + "00000000" + "ffff" + "2020" + "01" + "04" + "30" + "0101" + "575a00" + "00" * 12


def secrets(a):
    with open(os.path.join(a.work, "etc", "secrets", "snmp", "nodes")) as f:
        return dict(line.strip().split("=", 1) for line in f if "=" in line)


def inside(a, place):
    return ["nsenter", "--net=" + os.path.join(a.lab_dir, "ns", place)]


def v3_conf(a, name, user="glory", level="authPriv", auth=None, priv=None):
    """A directory with an snmp.conf: no password in an argument."""
    keys = secrets(a)
    path = os.path.join(a.work, "trapconf", name)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "snmp.conf"), "w") as f:
        f.write("defVersion 3\ndefSecurityName %s\ndefSecurityLevel %s\ndefAuthType SHA-256\ndefAuthPassphrase %s\ndefPrivType AES\ndefPrivPassphrase %s\n"
                % (user, level, auth or keys["auth"], priv or keys["priv"]))
    return path


def tool(a, place, program, *words, conf=None):
    """(exit status, output) of snmptrap or snmpinform in a machine's network."""
    env = dict(os.environ, MIBS="", SNMPCONFPATH=conf or "/nonexistent", SNMP_PERSISTENT_DIR=os.path.join(a.work, "trapconf", "persist"))
    done = subprocess.run(inside(a, place) + [program, "-t", "1", "-r", "1"] + [str(w) for w in words], capture_output=True, text=True, timeout=30, env=env)
    return done.returncode, done.stdout + done.stderr


def traps(a, **filters):
    return [t for t in a.get("/v1/traps?newest=1&limit=512") if all(t[k] == v for k, v in filters.items())]


def fates(a):
    return a.get("/v1/site")["appliance"]["traps"]


def last_id(a):
    return max([t["id"] for t in traps(a)] or [0])


def listed(a, after, **wanted):
    return wait_until(lambda: "a trap %s is listed; there are %s, fates %s" % (wanted, traps(a)[-3:], fates(a)), 5,
                      lambda: [t for t in traps(a, **wanted) if t["id"] > after])[-1]


def all_versions(a):
    """traps and informs of versions 1, 2c and 3 from a node are proved, named and listed, informs answered"""
    v3 = v3_conf(a, "good")
    sends = (
        ("n002", "snmptrap", ["-v1", "-c", "lab", TO, ".1.3.6.1.4.1.8072.3.2.10", "10.99.1.2", "0", "0", "4711"], None, "cold-start", "1", False),
        ("n002", "snmptrap", ["-v1", "-c", "lab", TO, ".1.3.6.1.4.1.99999", "10.99.1.2", "6", "7", "4712"], None, "generic", "1", False),
        ("n002", "snmptrap", ["-v2c", "-c", "lab", TO, "4713", LINK_DOWN, ".1.3.6.1.2.1.2.2.1.1.3", "i", "3"], None, "link-down", "2c", False),
        ("n002", "snmpinform", ["-v2c", "-c", "lab", TO, "4714", ".1.3.6.1.6.3.1.1.5.2"], None, "warm-start", "2c", True),
        ("n001", "snmptrap", [TO, "4715", ".1.3.6.1.4.1.8072.4.0.2"], v3, "shutdown", "3", False),
        ("n001", "snmpinform", [TO, "4716", ".1.3.6.1.6.3.1.1.5.5"], v3, "authentication-failure", "3", True),
    )
    for place, program, words, conf, kind, version, inform in sends:
        before = last_id(a)
        code, out = tool(a, place, program, *words, conf=conf)
        check(code == 0, "%s %s: %d %s; fates %s" % (program, words, code, out, fates(a)))
        trap = listed(a, before, object=place, kind=kind, version=version)
        check(trap["inform"] == inform and trap["source"] == "node", trap)
    link = traps(a, kind="link-down")[-1]
    check(link["varbinds"] == [{"name": "1.3.6.1.2.1.2.2.1.1.3", "value": "3"}], link)
    check(traps(a, kind="generic")[-1]["oid"] == "1.3.6.1.4.1.99999.0.7", traps(a, kind="generic"))
    code, out = a.tool("gloryctl", "trap", "list", "n001")
    check(code == 0 and "shutdown" in out and "n002" not in out, out)
    check(not a.alarms(), a.alarms())


def refused(a):
    """what is not proved is counted by its reason, its sender is listed, nothing is shown or done"""
    plain = ["-v2c", "-c"]
    cases = (
        ("wrong-community", "n002", "snmptrap", plain + ["secret", TO, "1", COLD_START], None),
        ("weak-level", "n001", "snmptrap", plain + ["lab", TO, "1", COLD_START], None),
        ("weak-level", "n001", "snmptrap", [TO, "1", COLD_START], v3_conf(a, "weak", level="authNoPriv")),
        ("unknown-user", "n001", "snmptrap", [TO, "1", COLD_START], v3_conf(a, "stranger", user="nobody")),
        ("wrong-digest", "n001", "snmptrap", [TO, "1", COLD_START], v3_conf(a, "wrong", auth="another-password")),
        ("unknown-source", "home", "snmptrap", plain + ["lab", "127.0.0.1:162", "1", COLD_START], None),
        ("wrong-digest", "n003", "snmpinform", [TO, "1", COLD_START], v3_conf(a, "wrong", auth="another-password")),
        ("unknown-user", "n003", "snmpinform", [TO, "1", COLD_START], v3_conf(a, "stranger", user="nobody")),
        ("wrong-community", "n004", "snmpinform", plain + ["secret", TO, "1", COLD_START], None),
    )
    listed_before, events = last_id(a), a.last_event()
    for fate, place, program, words, conf in cases:
        before = fates(a)[fate]
        code, out = tool(a, place, program, *words, conf=conf)
        check(program == "snmptrap" or code != 0, "an inform was answered: %s %s" % (words, out))
        wait_until(lambda: "%s counts %s; fates %s" % (fate, words, fates(a)), 5, lambda: fates(a)[fate] > before)
    check(last_id(a) == listed_before, traps(a)[-2:])
    check(a.last_event() == events, a.events(events))
    senders = {s["address"]: s["reason"] for s in a.get("/v1/traps/senders")}
    check(senders.get("127.0.0.1") == "unknown-source" and "10.99.1.2" in senders, senders)
    code, out = a.tool("gloryctl", "trap", "senders")
    check(code == 0 and "unknown-source" in out, out)
    code, out = a.tool("curl", "-s", "http://127.0.0.1:8080/metrics") if shutil.which("curl") else (0, 'fate="unknown-source"')
    check(code == 0 and 'fate="unknown-source"' in out, out[-300:])
    code, out = a.tool("snmpget", "-Oqv", "127.0.0.1:1161", "GLORY-CL-MIB::gloryApplianceTrapsUnknownSource.0")
    check(code == 0 and int(out.split()[0]) >= 1, out)


def replayed(a):
    """bytes that were heard before are no news: within the window they are repeats, outside they are refused"""
    v3 = v3_conf(a, "good")
    catcher = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    catcher.bind(("127.0.0.1", 0))
    catcher.settimeout(5)

    def caught(boots, time):
        code, out = tool(a, "home", "snmptrap", "-e", ENGINE, "-Z", "%d,%d" % (boots, time), "127.0.0.1:%d" % catcher.getsockname()[1], "99", OTHER, conf=v3)
        check(code == 0, out)
        return catcher.recv(2000)

    def resend(data):
        host, port = TO.split(":")
        subprocess.run(inside(a, "n001") + [sys.executable, "-c", "import socket,sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
                                             ".sendto(bytes.fromhex(sys.argv[1]), (%r, %s))" % (host, port), data.hex()], check=True)

    first, late, old = caught(5, 1000), caught(5, 500), caught(4, 1200)
    for data, fate in ((first, "taken"), (first, "repeated"), (late, "time-window"), (old, "time-window"), (caught(5, 1010), "taken")):
        before = fates(a)[fate]
        resend(data)
        wait_until(lambda: "%s counts; fates %s" % (fate, fates(a)), 5, lambda: fates(a)[fate] == before + 1)


def real_agents(a):
    """snmpd's own coldStart and nsNotifyShutdown (v3 inform, v2c trap) are listed"""
    keys = secrets(a)
    session = "trapsess -Ci -v 3 -u glory -l authPriv -a SHA-256 -A %s -x AES -X %s 10.99.0.2:162\n" % (keys["auth"], keys["priv"])
    for node, line in (("n001", session), ("n002", "trap2sink 10.99.0.2 lab\n")):
        with open(os.path.join(a.lab_dir, "nodes", node, "pid")) as f:
            init = f.read().strip()
        with open("/proc/%s/root/run/node/snmpd.conf" % init, "a") as f:
            f.write(line)
        events = a.last_event()
        a.lab("agent-restart", node)
        # one that answers takes signals as it should; while it starts, it may die without a word
        wait_until("it answers again", 30, lambda: [e for e in a.events(events) if e["object"] == node and "agent-restarted" in e["cause"]])
        before = last_id(a)
        with open("/proc/%s/task/%s/children" % (init, init)) as f:
            agent = [p for p in f.read().split() if open("/proc/%s/comm" % p).read().strip() == "snmpd"]
        os.kill(int(agent[0]), signal.SIGTERM)
        listed(a, before, object=node, kind="shutdown")
        wait_until("its agent is called dead", 10, lambda: a.verdict(node)[0] == "agent-dead")
        a.lab("agent-start", node)
        listed(a, before, object=node, kind="cold-start")
        a.wait_verdict(node, "up", 10)


def switch_port(a):
    """a switch's linkDown is listed under the switch and names the port"""
    before = last_id(a)
    code, out = tool(a, "sw1", "snmptrap", TO, "4717", LINK_DOWN, ".1.3.6.1.2.1.2.2.1.1.12", "i", "12", conf=v3_conf(a, "good"))
    check(code == 0, out)
    trap = listed(a, before, object="sw1", kind="link-down")
    check(trap["source"] == "switch" and trap["varbinds"][0]["value"] == "12", trap)


def sensor(a, node="n001"):
    found = [s for s in a.get("/v1/sensors?range=" + node) if s["name"] == "CPU1 Temp"]
    return found[0] if found else {"level": None, "time": None}


def pet(a, community="public"):
    code, out = tool(a, "bmc-n001", "snmptrap", "-v1", "-c", community, BMC_TO, PET, "10.98.1.1", "6", "65801", "", PET + ".1", "x", PET_BYTES)
    check(code == 0, out)


def platform_event(a):
    """a BMC's platform event starts a read of its sensors long before their turn; one with another community does not"""
    wait_until("sensors are known", 60, lambda: sensor(a)["level"] == "normal")
    known = sensor(a)["time"]
    wait_until("a sweep has just ended, the next is 30 s away", 60, lambda: sensor(a)["time"] != known)
    a.lab("sensor", "n001", "CPU1 Temp", "95")
    before, count = last_id(a), fates(a)["wrong-community"]
    pet(a, "private")
    wait_until("another community is counted", 5, lambda: fates(a)["wrong-community"] == count + 1)
    check(last_id(a) == before, traps(a)[-1:])
    # as a real BMC does, until it is answered: the simulator itself looks at its sensors once a second
    wait_until("the sensor is read", 12, lambda: pet(a) or sensor(a)["level"] == "major", every=1)
    trap = listed(a, before, object="n001", kind="platform-event")
    check(trap["source"] == "bmc" and trap["oid"] == PET + ".0.65801", trap)
    words = wait_until("the event in words", 10, lambda: listed(a, before, object="n001", kind="platform-event")["event"])
    check(words.startswith("Temperature"), words)
    a.lab("sensor", "n001", "CPU1 Temp", "45")
    wait_until("the sensor's alarm clears", 60, lambda: not a.alarms())


STORM = """
import select, socket, sys, time
message = bytes.fromhex(sys.argv[1]); s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("10.99.0.2", 162))
begun = time.monotonic(); sent = 0
while time.monotonic() - begun < 5:
    for _ in range(100):
        s.send(message[:-4] + sent.to_bytes(4, "big")); sent += 1
    while sent > (time.monotonic() - begun) * 10000 and time.monotonic() - begun < 5:
        select.select([], [], [], max(0, sent / 10000 - (time.monotonic() - begun)))  # the pace itself
print(sent)
"""


def storm(a):
    """10,000 traps a second from one node: it gets its share, the rest is counted, polls keep their time, others are heard"""
    message = storm_message()
    site = a.get("/v1/site")["appliance"]
    before, events, taken = fates(a), a.last_event(), last_id(a)
    sender = subprocess.Popen(inside(a, "n002") + [sys.executable, "-c", STORM, message.hex()], stdout=subprocess.PIPE, text=True)
    tool(a, "n004", "snmptrap", "-v2c", "-c", "lab", TO, "1", COLD_START)
    listed(a, taken, object="n004", kind="cold-start")
    sent = int(sender.communicate(timeout=30)[0])
    check(sent > 20000, "only %d were sent" % sent)

    def heard():
        now = fates(a)
        return sum(now[f] - before[f] for f in ("taken", "rate", "repeated", "overflow")) >= sent
    wait_until(lambda: "all %d are accounted for: %s" % (sent, {f: fates(a)[f] - before[f] for f in before}), 10, heard)
    now = fates(a)
    check(now["taken"] - before["taken"] <= 70, now)
    after = a.get("/v1/site")["appliance"]
    check(after["late_polls"] == site["late_polls"], "%d polls were late" % (after["late_polls"] - site["late_polls"]))
    check(a.last_event() == events, a.events(events))


def storm_message():
    """A v2c trap whose last varbind is a counter of four bytes."""
    def tlv(tag, *parts):
        body = b"".join(parts)
        return bytes([tag, len(body)]) + body
    uptime = tlv(0x30, bytes.fromhex("06082b06010201010300"), tlv(0x43, b"\x01"))
    name = tlv(0x30, bytes.fromhex("060a2b060106030101040100"), tlv(0x06, bytes.fromhex("2b06010401868d1f0007")))
    count = tlv(0x30, bytes.fromhex("06082b06010401868d1f"), tlv(0x41, b"\0\0\0\0"))
    pdu = tlv(0xa7, tlv(2, b"\x01"), tlv(2, b"\0"), tlv(2, b"\0"), tlv(0x30, uptime, name, count))
    return tlv(0x30, tlv(2, b"\x01"), tlv(4, b"lab"), pdu)


def restart(a):
    """after the collector's death informs are answered again: its boots have gone up, its id has not"""
    v3 = v3_conf(a, "good")
    before = last_id(a)
    old = a.kill("collector")
    a.wait_back("collector", old, 20)
    wait_until("an inform is answered", 30, lambda: tool(a, "n001", "snmpinform", TO, "5", COLD_START, conf=v3)[0] == 0)
    listed(a, before, object="n001", version="3", inform=True)


if __name__ == "__main__":
    for program in ("snmptrap", "snmpinform", "nsenter"):
        if not shutil.which(program):
            print("skipped: %s is not installed" % program)
            sys.exit(77)
    run("traps", {"nodes": 4, "groups": 1, "settings": '<trap-listener address="0.0.0.0" port="162"/>'},
        [all_versions, refused, replayed, platform_event, storm, real_agents, switch_port, restart])
