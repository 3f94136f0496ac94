# SPDX-License-Identifier: GPL-3.0-or-later
"""One appliance on one lab, for system tests: starts both in a private world, asks by the API's socket, breaks things with `lab`,
waits for conditions with deadlines. A test file is a list of functions; run(...) runs them and prints one line each."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
BUILD = os.environ.get("GLORY_BUILD", os.path.join(TOP, "build"))
LAB = os.path.join(TOP, "tests", "lab", "lab")
SLOW_S = float(os.environ.get("GLORY_SLOW", 0))  # waits longer than this are told
PATIENCE = 6 if os.environ.get("GLORY_UML") else 1  # in a kernel that is a process every wait is so much longer, and looks are so much rarer


def private_world():
    """Runs the calling script again in a world of its own (addresses, mounts, processes); exits 77 where that is not allowed."""
    if not os.environ.get("GLORY_PRIVATE"):
        os.execv(os.path.join(TOP, "tests", "lab", "private"), ["private", sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:])


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def wait_until(what, seconds, probe, every=0.05):
    """Calls probe() until it returns something true; returns it. Fails with `what` (a text, or a function that makes it) after the deadline."""
    begun = time.monotonic()
    end = begun + seconds * PATIENCE
    while True:
        found = probe()
        if found:
            if SLOW_S and time.monotonic() - begun > SLOW_S:
                print("        %4.1f s until: %s" % (time.monotonic() - begun, what() if callable(what) else what), flush=True)
            return found
        if time.monotonic() > end:
            raise Failed("not within %.1f s: %s" % (seconds * PATIENCE, what() if callable(what) else what))
        select_pause(every * PATIENCE)


def select_pause(seconds):
    """Waits for nothing but time; used between two looks at a condition."""
    import select
    select.select([], [], [], seconds)


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path, timeout=15):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Appliance:
    def __init__(self, nodes=4, groups=2, notify=None, settings="", work=None, brakes=None, web=False, lvs=None):
        self.work = work or os.path.join(BUILD, "system", os.path.basename(sys.argv[0]).replace(".py", ""))
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(os.path.join(self.work, "etc"))
        self.lab_dir = os.path.join(self.work, "lab")
        self.socket = os.path.join(self.work, "api.sock")
        self.log_path = os.path.join(self.work, "gloryd.log")
        self.process = None
        self.passwords = {}
        self.notify = notify
        self.count = nodes
        self.settings = settings
        command = [LAB, "up", str(nodes), "--groups", str(groups), "--dir", self.lab_dir, "--etc", os.path.join(self.work, "etc")]
        if notify:
            command += ["--notify", notify]
        if web:
            command += ["--web"]
        if lvs:
            command += ["--lvs", lvs]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        self.add_to_cluster("".join('<brake name="%s" value="%d"/>' % b for b in (brakes or {}).items()))
        self.write_users()
        self.write_settings()

    # --- files
    def add_to_cluster(self, text):
        """More of the cluster's own elements at the end of the lab's cluster.xml; before the first start."""
        path = os.path.join(self.work, "etc", "cluster.xml")
        with open(path) as f:
            xml = f.read()
        with open(path, "w") as f:
            f.write(xml.replace("</cluster>", text + "</cluster>"))

    def boots(self, node):
        """How often the node's own agent has started, as it counts itself; kept over any death."""
        path = os.path.join(self.lab_dir, "nodes", node, "persist", "snmpd.conf")
        with open(path) as f:
            found = re.search(r"^engineBoots (\d+)", f.read(), re.M)
        return int(found.group(1)) if found else 0

    def write_users(self):
        usm = os.path.join(self.work, "etc", "secrets", "usm")
        os.makedirs(usm, mode=0o700)
        for user in ("viewer", "operator", "admin"):
            auth, priv = os.urandom(10).hex(), os.urandom(10).hex()
            self.passwords[user] = (auth, priv)
            fd = os.open(os.path.join(usm, user), os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, ("auth=%s\npriv=%s\n" % (auth, priv)).encode())
            os.close(fd)
            client = os.path.join(self.work, "client", user)
            os.makedirs(client, mode=0o700)
            with open(os.path.join(client, "snmp.conf"), "w") as f:
                f.write("defVersion 3\ndefSecurityName %s\ndefSecurityLevel authPriv\ndefAuthType SHA-256\ndefAuthPassphrase %s\n"
                        "defPrivType AES\ndefPrivPassphrase %s\n" % (user, auth, priv))

    def write_settings(self):
        users = "".join('<user name="%s" kind="snmp" group="glory-%s"/>' % (u, g)
                        for u, g in (("viewer", "view"), ("operator", "operate"), ("admin", "admin")))
        # the clocks of damping at a thousandth: a test may kill one node as often as it likes
        scale = "" if "<lab " in self.settings else '<lab time-scale="0.001"/>'
        with open(os.path.join(self.work, "etc", "gloryd.xml"), "w") as f:
            f.write('<appliance xmlns="urn:glory-cl:appliance:1" name="appliance" site="demo" first-uid="64101">'
                    '<directories data="/mnt/var" secrets="/mnt/etc/secrets"/><snmp-agent address="127.0.0.1" port="1161"/>'
                    '<http address="127.0.0.1" port="8080"/><api socket="/mnt/api.sock"/><cluster path="/mnt/etc/cluster.xml"/>'
                    '<log target="stderr" level="debug"/>%s%s%s</appliance>' % (scale, users, self.settings))

    # --- life
    def start(self):
        self.started = time.monotonic()
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([os.path.join(BUILD, "bin", "gloryd"), "--root", self.work, "--config", "/mnt/etc/gloryd.xml"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until("the API answers", 30, self.answers)

    def answers(self):
        check(self.process.poll() is None, "gloryd ended: see %s" % self.log_path)
        try:
            return self.get("/v1/site") is not None
        except (OSError, Failed, http.client.HTTPException):
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.process = None

    def kill_tree(self):
        """kill -9 of the supervisor: the roles go with it."""
        self.process.kill()
        self.process.wait()

    def close(self):
        self.stop()
        subprocess.run([LAB, "down", "--dir", self.lab_dir], stdout=subprocess.DEVNULL)

    def pid(self, role):
        """Process of a role ("engine"), or 0."""
        out = subprocess.run(["ps", "-A", "-o", "pid=,args="], capture_output=True, text=True).stdout
        for line in out.splitlines():
            number, _, command = line.strip().partition(" ")
            if command.strip() == "glory-" + role:
                return int(number)
        return 0

    def kill(self, role, how=signal.SIGKILL):
        pid = wait_until("%s runs" % role, 20, lambda: self.pid(role))
        os.kill(pid, how)
        return pid

    def wait_back(self, role, old, seconds):
        """The role runs again as another process, and the API answers."""
        def back():
            return self.pid(role) not in (0, old) and self.answers()
        wait_until("%s is back and the API answers" % role, seconds, back)

    # --- asking
    def request(self, method, path, body=None, timeout=15):
        connection = UnixHTTP(self.socket, timeout)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request("GET", path)
        end = time.monotonic() + 5
        while status == 503 and time.monotonic() < end:  # "try again in a moment": the engine has just been started again
            select_pause(0.05)
            status, body = self.request("GET", path)
        value = json.loads(body)
        check(status == 200, "GET %s: %d %s" % (path, status, body[:300]))
        return value

    def command(self, verb, target, args=None, yes=False):
        """(HTTP status, answer) of a command."""
        body = {"verb": verb, "target": target, "args": args or {}}
        if yes:
            body["yes"] = True
        status, answer = self.request("POST", "/v1/commands", json.dumps(body))
        return status, json.loads(answer)

    def node(self, name):
        for row in self.get("/v1/nodes?range=" + name):
            return row
        raise Failed("no node %s" % name)

    def verdict(self, name):
        row = self.node(name)
        return row["verdict"], row["certainty"]

    def alarms(self, active=True):
        return [a for a in self.get("/v1/alarms") if not active or a["cleared"] is None]

    def events(self, after=0):
        return self.get("/v1/events?from=%d&limit=10000" % (after + 1))

    def last_event(self):
        events = self.events()
        return events[-1]["id"] if events else 0

    def job(self, number):
        return self.get("/v1/jobs/%d" % number)

    def wait_job(self, number, seconds=60):
        return wait_until("job %d ends" % number, seconds, lambda: (lambda j: j if j["ended"] else None)(self.job(number)))

    def wait_verdict(self, name, verdict, seconds, certainty=None):
        """Waits until the node's verdict (and certainty) is so; returns the seconds it took."""
        begun = time.monotonic()
        wait_until(lambda: "%s is %s %s (now %s)" % (name, verdict, certainty or "", "%s %s" % self.verdict(name)), seconds,
                   lambda: self.verdict(name)[0] == verdict and (certainty is None or self.verdict(name)[1] == certainty))
        return time.monotonic() - begun

    def wait_all_up(self, seconds=30):
        wait_until("all nodes are up, no alarm", seconds,
                   lambda: (lambda rows: len(rows) >= self.count and all(n["verdict"] == "up" for n in rows))(self.get("/v1/nodes")) and
                   not self.alarms())

    # --- breaking
    def lab(self, *words):
        """Runs a command of the lab; returns what it prints."""
        done = subprocess.run([LAB] + [str(w) for w in words] + ["--dir", self.lab_dir], capture_output=True, text=True)
        check(done.returncode == 0, "lab %s: %s" % (" ".join(map(str, words)), done.stderr.strip()))
        return done.stdout

    # --- tools of others
    def environment(self, user="operator"):
        return dict(os.environ, SNMPCONFPATH=os.path.join(self.work, "client", user), MIBS="GLORY-CL-MIB",
                    MIBDIRS="%s/mibs:%s/mibs/base" % (BUILD, BUILD), SNMP_PERSISTENT_DIR=os.path.join(self.work, "client", "persist"),
                    GLORY_SOCKET=self.socket, PATH=os.path.join(BUILD, "bin") + ":" + os.environ["PATH"])

    def tool(self, *words, user="operator", timeout=60):
        """(exit status, output) of a program with the user's environment."""
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=timeout, env=self.environment(user))
        return done.returncode, done.stdout + done.stderr

    def snmp(self, tool, *words, user="operator"):
        return self.tool(tool, *(list(words[:0]) + ["127.0.0.1:1161"] + list(words)), user=user)


class Lateness(threading.Thread):
    """How late this machine ran a thread that wanted to wake every 20 ms: what bounds in seconds are worth here."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst = 0.0
        self.start()

    def run(self):
        while True:
            before = time.monotonic()
            select_pause(0.02)
            self.worst = max(self.worst, time.monotonic() - before - 0.02)


LATE_S = 0.1  # the judge's own bound: later than this and it does not trust its ears
TRIES = 3


def make(arguments, prepare):
    appliance = arguments() if callable(arguments) else Appliance(**arguments)
    try:
        if prepare:
            prepare(appliance)
        appliance.start()
        appliance.wait_all_up(60)
    except BaseException:
        show(appliance)
        appliance.close()
        raise
    return appliance


def show(appliance):
    try:
        for row in appliance.get("/v1/nodes"):
            print("        %s %s %s %s" % (row["name"], row["verdict"], row["certainty"], row["cause"]))
        for alarm in appliance.alarms():
            print("        alarm %s" % alarm)
    except (Failed, OSError, ValueError, http.client.HTTPException):
        print("        the appliance does not answer; log: %s" % appliance.log_path)


def try_one(appliance, test, lateness):
    """None when the test passed, else what went wrong."""
    start = time.monotonic()
    lateness.worst = 0.0
    try:
        test(appliance)
        took = time.monotonic() - start
        appliance.wait_all_up(60)
        print("ok      %-32s %5.1f s  %s" % (test.__name__, took, (test.__doc__ or "").split("\n")[0]), flush=True)
        return None
    except (Failed, OSError, KeyError, ValueError, subprocess.SubprocessError, http.client.HTTPException) as problem:
        return "%5.1f s  %s: %s" % (time.monotonic() - start, type(problem).__name__, problem)


def run(title, appliance_arguments, tests, prepare=None):
    """Runs the tests against one appliance (made with the arguments, or by a function); each gets it healthy. prepare(appliance) is called
    before its first start. Bounds count only while the machine is punctual: a test that fails while it was late is repeated on a fresh
    appliance, and counts as failed when that happens three times. Prints lines, exits."""
    private_world()
    wanted = sys.argv[1:]
    appliance, failed, began, lateness = None, [], time.monotonic(), Lateness()
    try:
        appliance = make(appliance_arguments, prepare)
        for test in tests:
            if wanted and test.__name__ not in wanted:
                continue
            for left in reversed(range(TRIES)):
                wrong = try_one(appliance, test, lateness)
                if not wrong or lateness.worst < LATE_S or not left:
                    break
                print("again   %-32s %s (this machine was %.0f ms late)" % (test.__name__, wrong, lateness.worst * 1000), flush=True)
                appliance.close()
                appliance = make(appliance_arguments, prepare)
            if wrong:
                failed.append(test.__name__)
                print("FAILED  %-32s %s (the machine was at most %.0f ms late)" % (test.__name__, wrong, lateness.worst * 1000), flush=True)
                show(appliance)
                break
    finally:
        if appliance:
            appliance.close()
    print("%s: %d failed, %.0f s" % (title, len(failed), time.monotonic() - began))
    sys.exit(1 if failed else 0)
