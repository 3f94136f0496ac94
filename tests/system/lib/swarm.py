# SPDX-License-Identifier: GPL-3.0-or-later
"""An appliance on the swarm instead of the lab: machines that misbehave as told, in any number. The same object, other hands."""
import json
import os
import shutil
import subprocess
import sys

from appliance import Appliance, BUILD, TOP, Failed, check, wait_until

SWARM = os.path.join(BUILD, "tests", "swarm")


def address(net, i):
    return "10.%d.%d.%d" % (net, i // 250, 1 + i % 250)


class SwarmAppliance(Appliance):
    """groups: list of (name, first, count, reference); node i is n(i+1) with agent and BMC number i. reference is a number, too:
    an agent that is nobody's node, so that it can be made deaf. racks: {node number: rack}. v3: numbers that speak SNMPv3."""

    def __init__(self, groups, agents, v3="", racks=None, settings=""):
        self.work = os.path.join(BUILD, "system", os.path.basename(sys.argv[0]).replace(".py", ""))
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(os.path.join(self.work, "etc", "secrets"))
        self.socket = os.path.join(self.work, "api.sock")
        self.log_path = os.path.join(self.work, "gloryd.log")
        self.process, self.passwords, self.notify, self.settings = None, {}, None, settings
        self.count = sum(g[2] for g in groups)
        self.ctl = os.path.join(self.work, "ctl")
        self.secret("nodes", "community=lab\nauth=swarm-auth-passphrase\npriv=swarm-priv-passphrase\n", "snmp")
        self.secret("bmc", "password=swarm-bmc-secret\n", "bmc")
        self.write_cluster(groups, racks or {}, v3)
        self.write_users()
        self.write_settings()
        self.world(agents, v3)

    def secret(self, name, text, kind):
        place = os.path.join(self.work, "etc", "secrets", kind)
        os.makedirs(place, mode=0o700, exist_ok=True)
        fd = os.open(os.path.join(place, name), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, text.encode())
        os.close(fd)

    def write_cluster(self, groups, racks, v3):
        first, _, last = v3.partition("-")
        new = range(int(first), int(last) + 1) if v3 else ()
        out = ['<cluster xmlns="urn:glory-cl:cluster:1" site="demo"><credentials><snmp name="nodes" version="2c"/>'
               '<bmc name="bmc" user="operator" suite="17"/>',
               '<snmp name="new" version="3" user="glory" auth="SHA-256" priv="AES-128"/>' if v3 else "", "</credentials>"]
        if v3:
            self.secret("new", "auth=swarm-auth-passphrase\npriv=swarm-priv-passphrase\n", "snmp")
        for name, start, count, reference in groups:
            out.append('<group name="%s" reference="%s" policy="tell">' % (name, address(128, reference)))
            for i in range(start, start + count):
                out.append('<node name="n%03d" address="%s" snmp="%s" bmc="%s" bmc-credential="bmc"%s/>' %
                           (i + 1, address(128, i), "new" if i in new else "nodes", address(129, i),
                            ' rack="%s"' % racks[i] if i in racks else ""))
            out.append("</group>")
        with open(os.path.join(self.work, "etc", "cluster.xml"), "w") as f:
            f.write("\n".join(out + ["</cluster>"]))

    def world(self, agents, v3):
        subprocess.run(["bash", "-c", ". %s/tests/lab/swarm/world; swarm_world" % TOP], check=True)
        secrets = os.path.join(self.work, "swarm-secrets")
        fd = os.open(secrets, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, b"community=lab\nauth=swarm-auth-passphrase\npriv=swarm-priv-passphrase\npassword=swarm-bmc-secret\n")
        os.close(fd)
        words = [SWARM, "--agents", str(agents), "--bmcs", str(agents), "--ctl", self.ctl, "--secret", secrets]
        with open(os.path.join(self.work, "swarm.log"), "w") as log:
            self.swarm = subprocess.Popen(words + (["--v3", v3] if v3 else []), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the swarm answers", 20, lambda: subprocess.run([SWARM, "ctl", self.ctl, "ping"], capture_output=True).returncode == 0)

    def knob(self, *words):
        done = subprocess.run([SWARM, "ctl", self.ctl] + [str(w) for w in words], capture_output=True, text=True)
        check(done.returncode == 0, "swarm %s: %s" % (" ".join(map(str, words)), done.stdout + done.stderr))
        return done.stdout

    def report(self):
        try:
            return json.loads(self.knob("report"))
        except ValueError as problem:
            raise Failed("the swarm's report: %s" % problem)

    def lab(self, *words):
        raise Failed("no lab here: %s" % (words,))

    def close(self):
        self.stop()
        self.swarm.terminate()
        self.swarm.wait(10)
