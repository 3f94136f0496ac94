# SPDX-License-Identifier: GPL-3.0-or-later
"""The appliance on the swarm instead of the lab: hundreds or thousands of agents and BMCs in one process, in groups of 250 (or fewer), for
tests about many nodes at once. Node i (from 0) is named n00001 + i and is the swarm's agent and BMC i."""
import os
import shutil
import subprocess

from appliance import BUILD, TOP, Appliance, check, wait_until

SWARM = os.path.join(BUILD, "tests", "swarm")
PER_GROUP = 250  # addresses of a /24 of the swarm
PASSWORD = "a-swarm-bmc-word"


def world():
    """Addresses of the swarm in this private world, as tests/lab/swarm/world makes them."""
    subprocess.run(["bash", "-c", ". %s/tests/lab/swarm/world; swarm_world" % TOP], check=True)


class Swarmed(Appliance):
    """nodes: how many. more: elements at the end of cluster.xml. swarm: further options of the swarm. interval_ms: what the swarm counts by."""

    def __init__(self, nodes=100, more="", swarm=(), interval_ms=10000, version="2c", policy="tell", work=None, notify=None, attributes=""):
        self.count, self.notify, self.attributes, self.policy = nodes, notify, attributes, policy
        self.work = work or os.path.join(BUILD, "system", "swarmed-%d" % nodes)
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(os.path.join(self.work, "etc"))
        self.lab_dir = os.path.join(self.work, "none")
        self.socket = os.path.join(self.work, "api.sock")
        self.log_path = os.path.join(self.work, "gloryd.log")
        self.control = os.path.join(self.work, "swarm.ctl")
        self.process, self.passwords, self.settings = None, {}, ""
        world()
        self.write_secrets()
        self.write_cluster(more, version)
        self.write_users()
        self.write_settings()
        self.swarm_start(list(swarm) + ["--interval", str(interval_ms)] + (["--v3", "0-%d" % (nodes - 1)] if version == "3" else []))

    def write_secrets(self):
        for kind in ("snmp", "bmc"):
            os.makedirs(os.path.join(self.work, "etc", "secrets", kind), mode=0o700)
        os.chmod(os.path.join(self.work, "etc", "secrets"), 0o700)
        keys = "community=lab\nauth=a-swarm-auth-word\npriv=a-swarm-priv-word\n"
        for path, text in (("snmp/nodes", keys), ("bmc/bmc", "password=%s\n" % PASSWORD)):
            fd = os.open(os.path.join(self.work, "etc", "secrets", path), os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, text.encode())
            os.close(fd)
        fd = os.open(os.path.join(self.work, "swarm.secret"), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, (keys + "password=%s\n" % PASSWORD).encode())
        os.close(fd)

    def write_cluster(self, more, version):
        groups = []
        for g in range((self.count + PER_GROUP - 1) // PER_GROUP):
            first, last = g * PER_GROUP + 1, min((g + 1) * PER_GROUP, self.count)
            groups.append('<group name="g%02d" reference="10.128.255.%d" policy="%s"><nodes name="n[%05d-%05d]" address="10.128.%d.[1-%d]" '
                          'snmp="nodes" bmc="10.129.%d.[1-%d]" bmc-credential="bmc" %s/></group>' %
                          (g + 1, g + 1, self.policy, first, last, g, last - first + 1, g, last - first + 1, self.attributes))
        user = ' user="glory" auth="SHA-256" priv="AES-128"' if version == "3" else ""
        with open(os.path.join(self.work, "etc", "cluster.xml"), "w") as f:
            f.write('<cluster xmlns="urn:glory-cl:cluster:1" site="swarm"><credentials><snmp name="nodes" version="%s"%s/>'
                    '<bmc name="bmc" user="operator" suite="17"/></credentials>%s%s</cluster>' % (version, user, "".join(groups), more))

    def swarm_start(self, options):
        with open(os.path.join(self.work, "swarm.log"), "wb") as log:
            self.swarm = subprocess.Popen([SWARM, "--agents", str(self.count), "--bmcs", str(self.count), "--ctl", self.control, "--secret",
                                           os.path.join(self.work, "swarm.secret")] + options, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the swarm answers", 20, lambda: subprocess.run([SWARM, "ctl", self.control, "ping"], capture_output=True).returncode == 0)

    def ctl(self, *words):
        """A word to the swarm: ctl("set", "agents", "0-9", "dead", 1); its answer."""
        done = subprocess.run([SWARM, "ctl", self.control] + [str(w) for w in words], capture_output=True, text=True)
        check(done.returncode == 0, "swarm %s: %s" % (" ".join(map(str, words)), done.stderr.strip()))
        return done.stdout

    def close(self):
        self.stop()
        self.swarm.terminate()
        self.swarm.wait(20)
