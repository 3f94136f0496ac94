# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated L4 switch (tests/lab/l4sim) as a process, its knobs, and a person at it with the stock tools."""
import os
import re
import shutil
import socket
import subprocess

from appliance import BUILD, check, wait_until

SIM = os.path.join(BUILD, "tests", "l4sim")
SECRETS = ("labauthpass", "labprivpass", "labrw")
USERS = ('rwcommunity labrw 127.0.0.1\nrocommunity labro 127.0.0.1\ncreateUser labv3 SHA-256 "labauthpass" AES "labprivpass"\nrwuser labv3 priv\n'
         'createUser labsha SHA "labauthpass" AES "labprivpass"\nrwuser labsha priv\n')


class SimulatedSwitch:
    """FAMILY at an address ("127.0.0.1:11663"); its files are in a directory of its own below `work`."""

    def __init__(self, family, agent, work, knobs=()):
        self.family, self.agent = family, agent
        self.control = os.path.join(work, family + ".ctl")
        conf = os.path.join(work, family + ".conf")
        shutil.rmtree(conf, ignore_errors=True)
        os.makedirs(os.path.join(conf, "state"))
        with open(os.path.join(conf, "l4sim.conf"), "w") as f:
            f.write(USERS)
        self.log = open(os.path.join(work, family + ".log"), "w")
        self.process = subprocess.Popen([SIM, family, "udp:" + agent, self.control] + list(knobs), stdout=self.log, stderr=self.log,
                                        env=dict(os.environ, SNMPCONFPATH=conf, SNMP_PERSISTENT_DIR=os.path.join(conf, "state"), MIBS=""))
        wait_until("the simulated %s answers" % family, 10, lambda: self.knob("sets") == "0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def knob(self, name, value=None):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.settimeout(10)
                s.connect(self.control)
                s.sendall((name if value is None else "%s %d" % (name, value)).encode() + b"\n")
                return s.recv(64).decode().strip()
        except OSError:
            return None

    def knobs(self, **values):
        for name, value in values.items():
            check(self.knob(name.replace("_", "-"), value) == "ok", "knob " + name)

    def ask(self, tool, *words):
        done = subprocess.run([tool, "-v2c", "-c", "labrw", "-t", "3"] + list(words), stdout=subprocess.PIPE, text=True, check=tool == "snmpset",
                              env=dict(os.environ, MIBS=""))
        return done.stdout.strip()

    def set(self, *words):
        """A person at the switch."""
        self.ask("snmpset", self.agent, *words)

    def get(self, oid):
        return self.ask("snmpget", "-Oqv", self.agent, oid)

    def walk(self, oid):
        """{index below the OID, as text: value}; bytes are hexadecimal with blanks between."""
        found = re.findall(r"^\.([\d.]+) (.*?)\s*(?=^\.[\d.]+ |\Z)", self.ask("snmpbulkwalk", "-Onqx", self.agent, oid), re.M | re.S)
        # the end of all objects is told in the last one's name
        return {name[len(oid) + 1:]: " ".join(value.strip('"').split()) for name, value in found if name.startswith(oid + ".") and not value.startswith("No more ")}
