#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver programs under the runner's rights: a switch is asked with the SNMP credential (v3 and v2c) that the runner alone adds; what is answered is
shown, no secret is in the log."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402


def prepare(a):
    # real agents with the right credentials that are no such switches: they answer, and have none of a switch's objects
    a.add_to_cluster('<balancer name="v3" driver="alteon" address="10.99.1.254" snmp="nodes"/>'
                     '<balancer name="v2" driver="serveriron" address="10.99.1.2" snmp="old"/>'
                     '<balancer name="none" driver="alteon" address="10.99.1.254:9" snmp="nodes"/>')
    a.wait_all_up = lambda *_: None  # balancers that are none are alarms for good


def asked(a):
    """each driver got its credential and asked; one that nobody answers is told as that"""
    def rows():
        return {r["name"]: r for r in a.get("/v1/balancers")}
    wait_until(lambda: "all have been asked: %s" % rows(), 90, lambda: len(rows()) == 3 and all(r["state"] not in ("unknown", "changing") for r in rows().values()),
               every=0.5)
    found = rows()
    for name, driver in (("v3", "alteon 10.99.1.254:161: "), ("v2", "serveriron 10.99.1.2:161: ")):
        check(found[name]["state"] == "refused" and found[name]["cause"].startswith(driver) and "the switch does not h" in found[name]["cause"], found[name])
    check(found["none"]["state"] in ("unreachable", "refused") and "does not h" not in found["none"]["cause"], found["none"])


def secret(a):
    """the passphrases are in no log"""
    with open(a.log_path, errors="replace") as f:
        log = f.read()
    with open(os.path.join(a.work, "etc", "secrets", "snmp", "nodes")) as f:
        for value in re.findall(r"=(.+)", f.read()):
            check(value not in log, "a passphrase is in the log")


if __name__ == "__main__":
    run("drivers", {"nodes": 2, "groups": 1}, [asked, secret], prepare=prepare)
