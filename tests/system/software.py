#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software on nodes: a bundle rolls over nodes batch by batch, stops at a full disk and at a node that is no longer up, is never unpacked with another
digest, and goes again."""
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from appliance import check, run, wait_until  # noqa: E402

ALL = "n[001-006]"
CRASH_S = 1.5  # a job looks for 5 s after its last step, and a death is called within 3.3 s


def bundle(a, name, files, manifest=None):
    """A tar file with these files and a MANIFEST; (path, digest)."""
    place = os.path.join(a.work, "bundles")
    os.makedirs(place, exist_ok=True)
    path = os.path.join(place, name + ".tar")
    files = dict(files)
    files["MANIFEST"] = manifest or "".join("%s  %s\n" % (hashlib.sha256(c.encode()).hexdigest(), n) for n, c in files.items())
    with tarfile.open(path, "w") as tar:
        for n, c in files.items():
            info = tarfile.TarInfo(n)
            info.size = len(c.encode())
            tar.addfile(info, io.BytesIO(c.encode()))
    with open(path, "rb") as f:
        return path, hashlib.sha256(f.read()).hexdigest()


def squashfs(a, name, files):
    place = os.path.join(a.work, "bundles", name)
    os.makedirs(place)
    for n, c in files.items():
        with open(os.path.join(place, n), "w") as f:
            f.write(c)
    subprocess.run(["mksquashfs", place, place + ".squashfs", "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    with open(place + ".squashfs", "rb") as f:
        return place + ".squashfs", hashlib.sha256(f.read()).hexdigest()


BUNDLES = {}


def prepare(a):
    BUNDLES["one"] = bundle(a, "one", {"index.html": "one\n"})
    BUNDLES["two"] = bundle(a, "two", {"index.html": "two\n", "big": "x" * 3000000})
    BUNDLES["lies"] = bundle(a, "lies", {"index.html": "lies\n"}, "0" * 64 + "  index.html\n")
    BUNDLES["packed"] = squashfs(a, "packed", {"index.html": "packed\n"})
    a.add_to_cluster(element("one") + '<software name="shell" package="bash"/>')


def element(which, digest=None):
    path, real = BUNDLES[which]
    return '<software name="site" kind="bundle" source="%s" digest="%s" target="/srv/site" batch="2"/>' % (path, digest or real)


def change(a, which, digest=None):
    """Another bundle becomes the wanted one."""
    text = '<cluster xmlns="urn:glory-cl:cluster:1" site="demo">%s</cluster>' % element(which, digest)
    status, answer = a.request("POST", "/v1/apply", text)
    check(status == 200, answer)


def inside(a, node, script):
    with open(os.path.join(a.lab_dir, "nodes", node, "pid")) as f:
        pid = f.read().strip()
    return subprocess.run(["nsenter", "-t", pid, "--all", "/bin/sh", "-c", script], capture_output=True, text=True, timeout=20).stdout


def page(a, node):
    return inside(a, node, "cat /srv/site/index.html 2>/dev/null")


def states(a, software="site"):
    return {r["node"]: r for r in a.get("/v1/software-states?range=" + ALL) if r["software"] == software}


def act(a, *words):
    return a.tool("gloryctl", "software", *words, "--yes", timeout=180)


def newest_job(a):
    return a.job(max(j["id"] for j in a.get("/v1/jobs")))


def installs(a):
    """over 6 nodes in batches of 2; a second time there is nothing to do; a package that is there"""
    code, out = act(a, "install", ALL, "site")
    check(code == 0 and "done: " + ALL in out, out)
    job = newest_job(a)
    check(job["verb"] == "software-install" and job["state"] == "done", job)
    times = sorted(s["time"] for s in job["steps"])
    check(times[1] < times[2] and times[3] < times[4], "no batches: %s" % times)
    for i in range(1, 7):
        check(page(a, "n%03d" % i) == "one\n", page(a, "n%03d" % i))
    have = states(a)
    check(len(have) == 6 and all(r["state"] == "installed" and r["version"] == BUNDLES["one"][1][:16] for r in have.values()), have)
    code, out = act(a, "install", "n001", "site")
    check(code == 0 and "is there" in newest_job(a)["steps"][0]["text"], newest_job(a))
    code, out = act(a, "install", "n001", "shell")
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "bash"], capture_output=True, text=True).stdout
    check(code == 0 and states(a, "shell")["n001"]["version"] == version, states(a, "shell"))
    code, out = a.tool("gloryctl", "software", "status", "n[001-002]", "site")
    check(code == 0 and "n002" in out and "installed" in out, out)
    code, out = a.tool("gloryctl", "software", "install", ALL, "site")
    check(code == 1 and "--yes" in out, out)
    code, out = act(a, "install", "n001", "none_such")
    check(code == 1 and "no such software" in out, out)


def full_disk(a):
    """a node without room: told as that, its old version stays, and nobody behind it is begun"""
    change(a, "two")
    a.lab("disk", "n003", "98")
    code, out = act(a, "upgrade", ALL, "site", "--batch", "1")
    check(code == 3 and "failed: n003: no-space" in out and "not begun: n003 failed" in out, (code, out))
    check(page(a, "n002") == "two\n" and page(a, "n003") == "one\n" and page(a, "n004") == "one\n", "what stands where")
    have = states(a)
    check(have["n003"]["state"] == "failed" and have["n004"]["version"] == BUNDLES["one"][1][:16], have)
    check("." not in "".join(f for f in inside(a, "n003", "ls -A /srv").split() if "part" in f), "half a file is left")
    a.lab("disk", "n003", "0")
    code, out = act(a, "upgrade", ALL, "site", "--batch", "6")
    check(code == 0 and page(a, "n006") == "two\n", out)


def wrong_digest(a):
    """a file that is not the wanted one is never unpacked; nor one that is not as its manifest says"""
    for which, digest, said in (("one", "f" * 64, "nothing was unpacked"), ("lies", None, "not as its MANIFEST says")):
        change(a, which, digest)
        code, out = act(a, "upgrade", "n001", "site")
        check(code == 1 and said in out, out)
        check(page(a, "n001") == "two\n", page(a, "n001"))
        check(inside(a, "n001", "ls -A /srv | grep -c 'new\\|part'").strip() == "0", inside(a, "n001", "ls -A /srv"))


def packed(a):
    """a squashfs file is unpacked like a tar"""
    change(a, "packed")
    code, out = act(a, "upgrade", "n005", "site")
    check(code == 0 and page(a, "n005") == "packed\n", out)


def health(a):
    """a node that is lost after its step stops the roll"""
    change(a, "one")
    status, answer = a.command("software", ALL, {"act": "upgrade", "software": "site", "batch": 1}, yes=True)
    check(status == 200, answer)
    wait_until("n001 has it", 20, lambda: a.job(answer["job"])["steps"][0]["phase"] == "done")
    a.lab("crash", "n001")
    job = a.wait_job(answer["job"], 40)
    a.lab("start", "n001")
    phases = {s["node"]: s for s in job["steps"]}
    check(phases["n006"]["phase"] == "cancelled" and "not begun: n001" in phases["n006"]["text"], job)
    wait_until("n001 is up", 40, lambda: a.verdict("n001")[0] == "up")


def last_batch(a):
    """a node that is lost after the last batch: the job is not done, and says so"""
    for which in ("two", "one", "two"):
        wait_until("n002 is up", 40, lambda: a.verdict("n002")[0] == "up")
        change(a, which)
        status, answer = a.command("software", "n002", {"act": "upgrade", "software": "site"})
        check(status == 200, answer)
        wait_until("n002 has it", 20, lambda: a.job(answer["job"])["steps"][0]["phase"] == "done", every=0.02)
        check(a.job(answer["job"])["state"] == "running", a.job(answer["job"]))
        began = time.monotonic()
        a.lab("crash", "n002")
        took = time.monotonic() - began
        job = a.wait_job(answer["job"], 40)
        a.lab("start", "n002")
        if job["state"] == "failed" or took < CRASH_S:
            break
        print("note    it took %.1f s to crash the node: the look was over, again" % took, flush=True)
    check(job["state"] == "failed" and job["steps"][0]["phase"] == "failed" and "not well since" in job["steps"][0]["text"], job)
    check(states(a)["n002"]["state"] == "installed", states(a))  # that it stands there is so all the same
    wait_until("n002 is up", 40, lambda: a.verdict("n002")[0] == "up")


def goes(a):
    """removed: link, directories and record"""
    code, out = act(a, "uninstall", "n[002-006]", "site", "--batch", "5")
    check(code == 0, out)
    check(inside(a, "n002", "ls -A /srv | grep site") == "", inside(a, "n002", "ls -A /srv"))
    check("n002" not in states(a), states(a))


if __name__ == "__main__":
    run("software", {"nodes": 6, "groups": 2}, [installs, full_disk, wrong_digest, packed, health, last_batch, goes], prepare=prepare)
