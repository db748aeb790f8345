# SPDX-License-Identifier: BSD-2-Clause
"""Findings about all children together: children-left, children-blocked, children-idle, -killed, deep ones."""
import os
import pathlib

from case import healthy, sick

# Ends a shell, and only it: its helpers run on.
LEAVES = """
import os, subprocess, sys, time
count, calls, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
helper = "setsid sleep 600 &" if how == "daemons" else "sleep 600 &"
for _ in range(calls):
    shell = subprocess.Popen(["bash", "-c", f"for i in $(seq {count}); do {helper} done; echo begun; wait"],
        stdout=subprocess.PIPE)
    shell.stdout.readline()
    time.sleep(0.3)
    if how != "at work":
        shell.kill(); shell.wait()
print("ready", flush=True)
while True: time.sleep(1)
"""


def leaves(how):
    return lambda s, r: s.python(LEAVES, r.randint(3, 6), r.randint(2, 4), how, start_new_session=True).pid


# Workers that get a message at first and never again, or in turn.
POOL = """
import subprocess, sys, time
kind, count, pace = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
WORKER = "import sys\\nfor line in sys.stdin: sum(range(20000))"
pool = []
def add():
    pool.append(subprocess.Popen([sys.executable, "-c", WORKER, str(len(pool))], stdin=subprocess.PIPE))
    pool[-1].stdin.write(b"begin\\n"); pool[-1].stdin.flush()
for _ in range(count): add()
time.sleep(2)
began = time.monotonic()
while True:
    if kind == "more": add()
    if kind == "turns":
        for worker in pool: worker.stdin.write(b"work\\n"); worker.stdin.flush()
    time.sleep(pace)
    if time.monotonic() - began > 6:
        print("ready", flush=True)
        began = float("inf")
"""


def pool(kind, count):
    return lambda s, r: s.python(POOL, kind, count, r.uniform(1.1, 1.3)).pid


# A file system of its own, whose server takes no request, takes the first, or takes each late. Its
# mount goes with its namespace.
MOUNTS = """
import ctypes, os, struct, subprocess, sys, time
kind, count = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x20000) or libc.mount(b"none", b"/", None, 0x44000, None):
    raise OSError(ctypes.get_errno(), "mount namespace")
where = os.path.abspath("files")
os.mkdir(where)
fd = os.open("/dev/fuse", os.O_RDWR)
if libc.mount(b"answers", where.encode(), b"fuse", 0,
        f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()):
    raise OSError(ctypes.get_errno(), "mount")

def answer(unique, data=b"", error=0):
    os.write(fd, struct.pack("IiQ", 16 + len(data), -error, unique) + data)

def serve():
    while True:
        size, what, unique = struct.unpack_from("IIQ", os.read(fd, 1 << 17))
        if what == 26:
            answer(unique, struct.pack("IIIIHHI", 7, 31, 65536, 0, 12, 10, 65536).ljust(64, b"\\0"))
        elif kind == "late" and what == 3:
            time.sleep(0.03)
            answer(unique, struct.pack("QII", 0, 0, 0) +
                struct.pack("QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 512, 0))
        elif kind == "late" and what not in (2, 42):
            answer(unique, error=38)

server = os.fork()
if not server:
    libc.prctl(1, 9)
    time.sleep(600) if kind == "dead" else serve()
os.close(fd)
for _ in range(count):
    subprocess.Popen(["bash", "-c", f"while :; do test -d {where}; done"])
time.sleep(0.5)
print("ready", flush=True)
while True: time.sleep(1)
"""


def waits_for(kind):
    return lambda s, r: s.python(MOUNTS, kind, r.randint(5, 12)).pid


def without_mounts():
    return None if os.getuid() == 0 and pathlib.Path("/dev/fuse").exists() else "no /dev/fuse"


# Each waits for the output of the next. The last wrapper runs a program that works.
IN_TURN = """
import os, pathlib, subprocess, sys, time
kind = sys.argv[1]
names = ["first", "second"] if kind == "circle" else ["first", "second", "third", "fourth"]
for at, name in enumerate(names):
    following = names[(at + 1) % len(names)]
    last = kind != "circle" and name == names[-1]
    pathlib.Path(name).write_text("#!/bin/bash\\n" + ("sleep 600" if last else
        f"sleep 0.1; out=$(./{following} \\"$@\\")") + "\\n")
    os.chmod(name, 0o755)
child = subprocess.Popen(["./" + names[0], "x"])
time.sleep(4 if kind == "circle" else 1)
print("ready", flush=True)
child.wait()
"""


def in_turn(kind):
    return lambda s, r: s.python(IN_TURN, kind).pid


# Commands that end by a signal: that of their own pkill, or, as meant, a helper's; workers replaced in turn; what
# the end of a PID namespace ends.
KILLED = r"""
import os, signal, subprocess, sys, time
kind, name = sys.argv[1], "helper-%d" % os.getpid()
print("ready", flush=True)
while True:
    if kind == "sandbox":
        subprocess.run(["unshare", "-pf", "--kill-child", "sh", "-c", "sleep 60 & sleep 60 & sleep 0.1; true"])
        continue
    if kind != "itself":
        worker = subprocess.Popen(["bash", "-c", "exec -a " + name + " sleep 60"])
        time.sleep(0.2)
    if kind == "in turn":
        worker.send_signal(signal.SIGTERM)
    else:
        pattern = name if kind == "itself" else "[h]" + name[1:]
        subprocess.run(["bash", "-c", "pkill -f '%s'; echo done; true" % pattern], stdout=subprocess.DEVNULL)
    if kind != "itself":
        worker.wait()
    time.sleep(0.3)
"""


def killed(kind):
    return lambda s, r: s.python(KILLED, kind).pid


CASES = [
    sick("children-killed", "pkill that finds its own shell", killed("itself"), severity="medium", duration_s=4,
        says="of its own child pkill"),
    healthy("children-killed", "pkill that finds a helper", killed("a helper"), duration_s=4),
    healthy("children-killed", "workers replaced in turn", killed("in turn"), duration_s=4),
    healthy("children-killed", "what is left in a sandbox", killed("sandbox"), duration_s=4),
    sick("process-flood", "two scripts that start each other", in_turn("circle"), says="start each other",
        also=("held-back",)),
    sick("children-idle", "a worker more each second", pool("more", 12), says="one more each ", duration_s=5,
        also=("fd-leak",), alone=True),
    healthy("children-idle", "a pool at rest", pool("rest", 18), duration_s=5),
    healthy("children-idle", "a pool that serves in turn", pool("turns", 14), duration_s=5),
    healthy("process-flood", "four wrappers of a program", in_turn("wrappers")),
    sick("children-blocked", "a file system whose server sleeps", waits_for("dead"), may_skip=without_mounts,
        says="because its server python3", severity="high"),
    sick("children-blocked", "a server that takes no second request", waits_for("first"), may_skip=without_mounts,
        says="because its server python3", severity="high"),
    healthy("children-blocked", "a server that is late", waits_for("late"), may_skip=without_mounts),
    sick("children-left", "helpers of shells that were ended", leaves("helpers"), says="(sleep)",
        settings=("children-left.min-age=0",)),
    healthy("children-left", "helpers of shells that are alive", leaves("at work"),
        settings=("children-left.min-age=0",)),
    healthy("children-left", "daemons with sessions of their own", leaves("daemons"),
        settings=("children-left.min-age=0",)),
]
