#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured machines through the whole appliance: the Linux server's recorded walk gives the right items, the two captured BMCs show exactly
their own findings, as sensors and as alarms. Needs GLORY_TEST_DATA."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import BUILD, Appliance, check, private_world, run, select_pause, wait_until  # noqa: E402

DATA = os.environ.get("GLORY_TEST_DATA", "")
WALK = os.path.join(DATA, "snmp", "linux_server.snmprec")
BMCS = {"r730": ("dell_r730", "127.0.0.31", 2), "d51": ("quanta_d51", "127.0.0.32", 3)}
AGENTS = ("127.0.0.21", "127.0.0.41", "127.0.0.42")
CLUSTER = """<cluster xmlns="urn:glory-cl:cluster:1" site="demo">
  <credentials><snmp name="old" version="2c"/><bmc name="bmc" user="admin" suite="3"/></credentials>
  <bmcmodel name="sim" suite="3" workarounds="opensesspriv"/>
  <group name="g01">
    <node name="srv" address="127.0.0.21" port="1161" snmp="old"/>
    <node name="r730" address="127.0.0.41" port="1161" snmp="old" bmc="127.0.0.31" bmc-credential="bmc" bmc-model="sim"/>
    <node name="d51" address="127.0.0.42" port="1161" snmp="old" bmc="127.0.0.32" bmc-credential="bmc" bmc-model="sim"/>
  </group>
</cluster>
"""
LAN = """name "m"
set_working_mc 0x20
 startlan 1
  addr %s 623
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid %s
 endlan
 user 2 true "admin" "secret" admin 63 none md2 md5 straight
 chassis_control "%s"
"""


class Captured(Appliance):
    """The appliance on captures in place of the lab."""

    def __init__(self):  # noqa: super().__init__ would raise a lab
        self.work = os.path.join(BUILD, "system", "captured")
        shutil.rmtree(self.work, ignore_errors=True)
        self.lab_dir = os.path.join(self.work, "lab")
        self.socket = os.path.join(self.work, "api.sock")
        self.log_path = os.path.join(self.work, "gloryd.log")
        self.process, self.passwords, self.settings, self.count, self.parts = None, {}, "", 3, []
        for name, line in (("snmp/old", "community=public\n"), ("bmc/bmc", "password=secret\n")):
            path = os.path.join(self.work, "etc", "secrets", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
                f.write(line)
        for part in ("", "snmp", "bmc"):
            os.chmod(os.path.join(self.work, "etc", "secrets", part), 0o700)
        with open(os.path.join(self.work, "etc", "cluster.xml"), "w") as f:
            f.write(CLUSTER)
        self.write_users()
        self.write_settings()
        for address in AGENTS:
            self.part([os.path.join(BUILD, "tests", "recorded"), address + ":1161", WALK])
        for name in BMCS:
            self.bmc(name)

    def part(self, command):
        self.parts.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def bmc(self, name):
        capture, address, _ = BMCS[name]
        place = os.path.join(self.work, "bmc-" + name)
        os.makedirs(os.path.join(place, "state", "ipmi_sim", "m"))
        chassis = os.path.join(place, "chassis")
        with open(os.open(chassis, os.O_WRONLY | os.O_CREAT, 0o755), "w") as f:
            f.write('#!/bin/sh\nfor what; do case $what in power) echo power:1 ;; boot) echo boot:default ;; esac; done\n')
        with open(os.path.join(place, "lan.conf"), "w") as f:
            f.write(LAN % (address, os.urandom(16).hex(), chassis))
        self.part(["ipmi_sim", "-c", os.path.join(place, "lan.conf"), "-f", os.path.join(DATA, "bmc", capture + ".emu"), "-n",
                   "-s", os.path.join(place, "state")])

    def close(self):
        self.stop()
        for part in self.parts:
            part.kill()
            part.wait()

    def wait_all_up(self, seconds=30):
        wait_until("three nodes", seconds, lambda: len(self.get("/v1/nodes")) == 3)


def recorded():
    values = {}
    with open(WALK) as f:
        for line in f:
            oid, _, value = line.rstrip("\r\n").split("|", 2)
            values[oid] = value
    return values


def near(got, wanted):
    return got is not None and abs(got - wanted) <= max(1e-6, abs(wanted) * 1e-6)


def server(a):
    """the captured Linux server: memory, load, disks, interfaces as recorded; nothing invented"""
    r = recorded()

    def number(oid):
        return float(r["1.3.6.1." + oid])
    total, free = number("4.1.2021.4.5.0"), number("4.1.2021.4.6.0")
    buffers, cached = number("4.1.2021.4.14.0"), number("4.1.2021.4.15.0")
    root = next(o.rsplit(".", 1)[1] for o, v in r.items() if o.startswith("1.3.6.1.2.1.25.2.3.1.3.") and v == "/")
    wanted = {
        ("mem", None): 100 * (total - free - buffers - cached) / total,
        ("mem_avail", None): 1024 * (free + buffers + cached),
        ("swap", None): 0.0,
        ("load1", None): number("4.1.2021.10.1.5.1") / 100,
        ("load5", None): number("4.1.2021.10.1.5.2") / 100,
        ("load15", None): number("4.1.2021.10.1.5.3") / 100,
        ("uptime", None): number("2.1.25.1.1.0") / 100,
        ("procs", None): number("2.1.25.1.6.0"),
        ("users", None): number("2.1.25.1.5.0"),
        ("disk_fill", "/"): 100 * number("2.1.25.2.3.1.6." + root) / number("2.1.25.2.3.1.5." + root),
    }

    def values():
        return {(v["item"], v["instance"]): v["value"] for v in a.get("/v1/values?range=srv")}
    wait_until(lambda: "values as recorded, differing: %s" % {k: (values().get(k), w) for k, w in wanted.items() if not near(values().get(k), w)},
               30, lambda: all(near(values().get(k), w) for k, w in wanted.items()), every=0.5)
    # a counter that does not move makes a rate of nothing, never a spike
    wait_until(lambda: "eth0 has a rate: %s" % values(), 30, lambda: values().get(("if_in", "eth0")) == 0, every=0.5)
    check({i for item, i in values() if item == "if_in"} == {"eth0"}, "interfaces %s" % [k for k in values() if k[0] == "if_in"])
    check({i for item, i in values() if item == "disk_fill"} == {"/"}, "disks %s" % [k for k in values() if k[0] == "disk_fill"])
    check(all(v is None or v >= 0 for v in values().values()), values())


def bmc_findings(name):
    def test(a):
        _, _, count = BMCS[name]

        def bad():
            return sorted(s["name"] for s in a.get("/v1/sensors?range=" + name) if s["level"] in ("warning", "major", "critical"))

        def alarms():
            return sorted(x["cause"] for x in a.alarms() if x["object"] == name and x["kind"] == "sensor")
        wait_until(lambda: "%d findings and as many alarms: %s, %s" % (count, bad(), alarms()), 90,
                   lambda: len(bad()) == count == len(alarms()), every=0.5)
        check(len(a.get("/v1/sensors?range=" + name)) > 20, "only %d sensors" % len(a.get("/v1/sensors?range=" + name)))
        select_pause(3)
        check(len(bad()) == count == len(alarms()), "more came: %s, %s" % (bad(), alarms()))
        check(a.node(name)["power"] == "on", a.node(name))
    test.__name__ = name
    test.__doc__ = "the captured %s: exactly its own findings, as sensors and as alarms" % BMCS[name][0]
    return test


if __name__ == "__main__":
    if not os.access(WALK, os.R_OK):
        print("skipped: GLORY_TEST_DATA does not name a folder with snmp/linux_server.snmprec and bmc/*.emu")
        sys.exit(77)
    private_world()
    run("captured", Captured, [server] + [bmc_findings(n) for n in BMCS])
