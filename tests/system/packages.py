#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's script and real apt: a package of a repository of our own is installed, upgraded, refused and removed on a copy of this machine's root that
nothing of stays (an overlay in a private mount namespace)."""
import gzip
import hashlib
import os
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "..", ".."))
WORK = "/run/packages"
ROOT = WORK + "/root"
SOURCE = "deb%20%5Btrusted%3Dyes%5D%20file:/srv/repo%20./"


class Failed(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failed(what)


def sh(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    check(done.returncode == 0, (words, done.stdout + done.stderr))
    return done.stdout


def overlay():
    """The machine's root with a layer of memory over it; 77 where that is not allowed."""
    os.makedirs(WORK)
    for words in (["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", WORK], ["mkdir", WORK + "/up", WORK + "/work", ROOT],
                  ["mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s/up,workdir=%s/work" % (WORK, WORK), ROOT]):
        if subprocess.run(words, capture_output=True).returncode:
            print("skipped: no overlay of the root on this machine (%s)" % " ".join(words))
            sys.exit(77)
    sh("mount", "--bind", "/dev", ROOT + "/dev")
    sh("mount", "-t", "proc", "proc", ROOT + "/proc")
    sh("mount", "-t", "tmpfs", "tmpfs", ROOT + "/run")
    sh("install", "-D", "-m", "755", TOP + "/appliance/control/glory-node", ROOT + "/srv/glory-node")


def package(version):
    """A Debian package without dependencies, into the repository."""
    tree = ROOT + "/srv/tree"
    subprocess.run(["rm", "-rf", tree], check=True)
    os.makedirs(tree + "/DEBIAN")
    os.makedirs(tree + "/usr/share/glory-lab")
    with open(tree + "/usr/share/glory-lab/version", "w") as f:
        f.write(version)
    with open(tree + "/DEBIAN/control", "w") as f:
        f.write("Package: glory-lab\nVersion: %s\nArchitecture: all\nMaintainer: lab <lab@example.net>\nDescription: of the laboratory\n" % version)
    with open(tree + "/DEBIAN/postinst", "w") as f:  # what it is told when it wants to start something; it can be made to take its time
        f.write("#!/bin/sh\n/usr/sbin/policy-rc.d lab start; echo $? >/usr/share/glory-lab/policy\n"
                "[ ! -e /srv/slow ] || { echo $PPID >/srv/at-work; exec tail -f /dev/null; }\n")
    os.chmod(tree + "/DEBIAN/postinst", 0o755)
    os.makedirs(ROOT + "/srv/repo", exist_ok=True)
    sh("dpkg-deb", "--root-owner-group", "-b", tree, ROOT + "/srv/repo/glory-lab_%s_all.deb" % version.replace(":", "."))
    entries = []
    for name in sorted(os.listdir(ROOT + "/srv/repo")):
        if not name.endswith(".deb"):
            continue
        with open(ROOT + "/srv/repo/" + name, "rb") as f:
            data = f.read()
        entries.append(sh("dpkg-deb", "-f", ROOT + "/srv/repo/" + name).rstrip("\n") + "\nFilename: ./%s\nSize: %d\nSHA256: %s\n" % (
            name, len(data), hashlib.sha256(data).hexdigest()))
    with open(ROOT + "/srv/repo/Packages", "w") as f:
        f.write("\n".join(entries))
    with gzip.open(ROOT + "/srv/repo/Packages.gz", "wt") as f:
        f.write("\n".join(entries))


def node(line, code=0, said=""):
    done = subprocess.run(["/usr/sbin/chroot", ROOT, "/srv/glory-node"], env={"SSH_ORIGINAL_COMMAND": line}, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    check(done.returncode == code and said in done.stdout, (line, done.returncode, done.stdout + done.stderr))
    return done.stdout


def there():
    try:
        with open(ROOT + "/usr/share/glory-lab/version") as f:
            return f.read()
    except FileNotFoundError:
        return None


def words(verb, more=""):
    return "software-%s name=lab kind=package package=glory-lab source=%s%s" % (verb, SOURCE, more)


POLICY = ROOT + "/usr/sbin/policy-rc.d"


def told():
    with open(ROOT + "/usr/share/glory-lab/policy") as f:
        return f.read().strip()


def policy(text=None):
    """Sets what the machine itself says of starting services, or returns what stands there now."""
    if text is None:
        try:
            with open(POLICY) as f:
                return f.read()
        except FileNotFoundError:
            return None
    with open(POLICY, "w") as f:
        f.write(text)
    os.chmod(POLICY, 0o755)
    return text


def starts_nothing():
    """While a package is installed nothing may start; before and after it is as the machine has it, also when the install was killed."""
    for own in (None, "#!/bin/sh\nexit 104\n"):
        if own:
            policy(own)
        elif os.path.exists(POLICY):
            os.unlink(POLICY)
        node(words("install"), said="installed")
        check(told() == "101", "a start was allowed: %s" % told())
        check(policy() == own, policy())
        node(words("remove"), said="removed")
    for how in (signal.SIGTERM, signal.SIGKILL):
        open(ROOT + "/srv/slow", "w").close()
        line = words("install")
        child = subprocess.Popen(["/usr/sbin/chroot", ROOT, "/srv/glory-node"], env={"SSH_ORIGINAL_COMMAND": line}, stdout=subprocess.DEVNULL,
                                 stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + 60
        while not os.path.exists(ROOT + "/srv/at-work"):
            check(time.monotonic() < end and child.poll() is None, "the install does not come so far")
            select.select([], [], [], 0.05)
        check("glory-node" in policy(), policy())
        check(len(ours()) >= 3, ours())
        end_ours(how)
        child.wait(20)
        end_ours(signal.SIGKILL)  # apt takes its time
        check(subprocess.run(["/usr/sbin/chroot", ROOT, "/usr/sbin/policy-rc.d", "lab", "start"]).returncode == 104, "what was left behind forbids starts: %s" % policy())
        os.unlink(ROOT + "/srv/slow")
        os.unlink(ROOT + "/srv/at-work")
        sh("/usr/sbin/chroot", ROOT, "dpkg", "--configure", "-a")
        node("software-list")
        check(policy() == own, "%s: %s" % (how, policy()))
        node(words("remove"), said="removed")
    check(not [n for n in os.listdir(ROOT + "/usr/sbin") if "glory" in n], os.listdir(ROOT + "/usr/sbin"))
    os.unlink(POLICY)


def ours():
    """The script and all it has started."""
    def is_one(process):
        try:
            return os.readlink("/proc/%s/root" % process) == ROOT
        except OSError:
            return False
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and is_one(p)]


def end_ours(how):
    for p in ours():
        try:
            os.kill(p, how)
        except ProcessLookupError:
            pass
    end = time.monotonic() + 10
    while how == signal.SIGKILL and ours():
        check(time.monotonic() < end, ours())
        select.select([], [], [], 0.05)


def test():
    package("1.0-1")
    starts_nothing()
    node(words("install"), said="glory-lab 1.0-1: installed")
    check(there() == "1.0-1", there())
    node(words("install"), said="glory-lab 1.0-1: is there")
    package("1:0.9~rc1")  # an epoch: newer for all that
    node(words("install"), said="glory-lab 1.0-1: is there")
    node(words("upgrade"), said="glory-lab 1:0.9~rc1: installed")
    check(there() == "1:0.9~rc1", there())
    node(words("install", " version=1.0-1"), said="glory-lab 1.0-1: installed")
    check('"name":"lab","kind":"package","package":"glory-lab","version":"1.0-1"' in node("software-list"), node("software-list"))
    node(words("upgrade", " version=7.7"), code=69, said="its repository does not have it")
    node("software-install name=none kind=package package=glory-no-such-package source=" + SOURCE, code=69, said="does not have it")
    check(there() == "1.0-1", there())
    node("software-install name=bad kind=package package=glory-lab source=file:/x", code=64, said="an apt source line")
    node(words("remove"), said="glory-lab: removed")
    check(there() is None, there())
    node(words("remove"), said="glory-lab: removed")
    check("glory-lab" not in node("software-list"), node("software-list"))
    check(not os.path.exists(ROOT + "/etc/apt/sources.list.d/glory-lab.list"), "its source is left")


if not os.environ.get("GLORY_PRIVATE"):
    os.execv(os.path.join(TOP, "tests", "lab", "private"), ["private", sys.executable, os.path.abspath(sys.argv[0])])
overlay()
try:
    test()
    print("packages: ok")
except Failed as problem:
    print("FAILED  %s" % (problem,))
    sys.exit(1)
