# SPDX-License-Identifier: BSD-2-Clause
"""fd-leak, fd-limit-near."""
from case import healthy, sick

NO_AGE = ("fd-leak.min-age=0",)
YOUNG = ("fd-leak.min-age=100",)

OPENER = """
import os, sys, time
kind, rate, stop_after = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
kept, begin = [], time.monotonic()
def one(i):
    if kind == "file":
        kept.append(open("f%d" % (i % 7), "w"))
    elif kind == "pipe":
        kept.append(os.pipe())
    elif kind == "socket":
        import socket
        kept.append(socket.socket())
print("ready", flush=True)
i = 0
while True:
    if not stop_after or time.monotonic() - begin < stop_after:
        one(i)
        i += 1
    time.sleep(1 / rate)
"""

SAWTOOTH = """
import sys, time
rate, lasts = float(sys.argv[1]), float(sys.argv[2])
kept, begin = [], time.monotonic()
print("ready", flush=True)
while True:
    kept.append(open("/dev/null"))
    if time.monotonic() - begin > lasts:
        for f in kept: f.close()
        kept, begin = [], time.monotonic()
    time.sleep(1 / rate)
"""

# Some at once, and the next ones when several samples have passed.
STEPS = """
import sys, time
at_once, pause, stop_after = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
kept, steps = [], 0
print("ready", flush=True)
while True:
    if not stop_after or steps < stop_after:
        kept += [open("/dev/null") for _ in range(at_once)]
        steps += 1
    time.sleep(pause)
"""

BUILD = """
import time
print("ready", flush=True)
while True:
    files = [open("/dev/null") for _ in range(60)]
    time.sleep(0.05)
    for f in files: f.close()
    time.sleep(0.05)
"""

MANY = """
import resource, sys, time
limit, count = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
kept = [open("/dev/null") for _ in range(count - 3)]
print("ready", flush=True)
time.sleep(600)
"""

# As a sandbox does: it keeps what it has and may open nothing more.
LOWERED = """
import resource, sys, time
kept = [open("/dev/null") for _ in range(int(sys.argv[1]))]
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
print("ready", flush=True)
time.sleep(600)
"""


def leak(kind):
    return lambda scope, rng: scope.python(OPENER, kind, rng.uniform(8, 60), 0).pid


def steps(stop_after):
    def make(scope, rng):
        return scope.python(STEPS, rng.randrange(4, 12), rng.uniform(1.1, 1.6), stop_after).pid
    return make


def cache(scope, rng):
    """Grows for three windows of the observation and stops."""
    return scope.python(OPENER, "file", rng.uniform(20, 60), rng.uniform(1.0, 1.6)).pid


def sawtooth(scope, rng):
    """A tooth lasts no longer where the machine is slow."""
    return scope.python(SAWTOOTH, rng.uniform(40, 120), rng.uniform(0.5, 0.9)).pid


def near(low, high):
    def make(scope, rng):
        limit = rng.choice((64, 256, 1024))
        return scope.python(MANY, limit, int(limit * rng.uniform(low, high))).pid
    return make


# Writes to a file at a rate, from a size on: deleted, or appended to; or a temporary file that is
# used again and again.
WRITER = """
import os, signal, sys, time
kind, rate, size = sys.argv[1], float(sys.argv[2]), int(float(sys.argv[3]))
signal.alarm(120)
file = os.open("file", os.O_RDWR | os.O_CREAT | (os.O_APPEND if kind == "appended" else 0))
if kind != "appended": os.unlink("file")
os.write(file, b"x" * size)
print("ready", flush=True)
begin, done = time.monotonic(), 0
while done < 400 << 20:
    while done < rate * (time.monotonic() - begin):
        done += os.write(file, b"y" * 65536)
        if kind == "small" and done % size < 65536: os.ftruncate(file, 0); os.lseek(file, 0, 0)
    time.sleep(0.02)
"""


def writer(kind, rate, size):
    def make(scope, rng):
        return scope.python(WRITER, kind, rng.uniform(*rate) * (1 << 20),
            rng.uniform(*size) * (1 << 20)).pid
    return make


# Memory that no process's size shows: written to; or of a fixed size, and filled through a mapping.
MEMORY = """
import mmap, os, signal, sys, time
kind, rate = sys.argv[1], float(sys.argv[2])
signal.alarm(120)
file = os.memfd_create("frames")
if kind == "mapped":
    os.ftruncate(file, 400 << 20)
    pages = mmap.mmap(file, 400 << 20)
print("ready", flush=True)
begin, done = time.monotonic(), 0
while done < 400 << 20:
    while done < rate * (time.monotonic() - begin):
        if kind == "mapped": pages[done:done + 65536] = b"y" * 65536
        else: os.write(file, b"y" * 65536)
        done += 65536
    time.sleep(0.02)
"""


def memory(kind):
    return lambda scope, rng: scope.python(MEMORY, kind, rng.uniform(9, 14) * (1 << 20)).pid


HUGE = ("filling-up.append-time=900000",)

CASES = [
    sick("filling-up", "a deleted file on a large disk", writer("deleted", (2, 5), (17, 30)),
        severity="low", says="to a deleted file", evidence="growth", threshold="deleted-rate"),
    sick("filling-up", "a log that grows fast on a large disk", writer("appended", (2, 5), (1, 9)),
        settings=HUGE, severity="info", evidence="growth", threshold="append-rate"),
    healthy("filling-up", "a deleted temporary file that stays small", writer("small", (2, 5), (2, 6)),
        settings=HUGE, also=("write-churn",)),
    sick("filling-up", "a memfd that is written to", memory("written"), severity="low",
        says="a file in memory", evidence="growth", threshold="deleted-rate"),
    healthy("filling-up", "a memfd of a fixed size", memory("mapped"), settings=HUGE),
    healthy("filling-up", "a log that grows slowly", writer("appended", (0.1, 0.5), (1, 9)),
        settings=HUGE),
    sick("fd-leak", "files", leak("file"), settings=NO_AGE, evidence="growth",
        threshold="min-rate"),
    sick("fd-leak", "pipes", leak("pipe"), settings=NO_AGE, evidence="growth",
        threshold="min-rate"),
    sick("fd-leak", "sockets", leak("socket"), settings=NO_AGE, evidence="growth",
        threshold="min-rate"),
    sick("fd-leak", "files, just started",
        lambda s, r: s.python(OPENER, "file", r.uniform(30, 60), 0).pid, settings=YOUNG, duration_s=4, severity="low",
        evidence="growth", threshold="min-gain-young"),
    healthy("fd-leak", "many files at the start",
        lambda s, r: s.python(OPENER, "file", r.uniform(100, 200), r.uniform(1.0, 1.6)).pid, settings=YOUNG,
        duration_s=4),
    sick("fd-leak", "by steps", steps(0), settings=NO_AGE, duration_s=9, evidence="growth",
        threshold="min-rate"),
    sick("fd-leak", "a slow drip", lambda s, r: s.python(OPENER, "file", r.uniform(1.4, 1.9), 0).pid,
        settings=NO_AGE, duration_s=5, says="slowly", severity="medium", evidence="growth",
        threshold="min-rate"),
    sick("fd-leak", "a thousand of one kind", lambda s, r: s.python(MANY, 4096,
        r.randrange(1010, 2000)).pid, settings=NO_AGE, says="of one kind open: device /dev/null",
        severity="info", evidence="descriptors of that kind", threshold="min-same"),
    healthy("fd-leak", "a few hundred of one kind", lambda s, r: s.python(MANY, 4096,
        r.randrange(200, 900)).pid, settings=NO_AGE),
    healthy("fd-leak", "four steps and no more", steps(4), settings=NO_AGE, duration_s=12),
    healthy("fd-leak", "a cache that fills and stops", cache, settings=NO_AGE),
    healthy("fd-leak", "a sawtooth", sawtooth, settings=NO_AGE),
    healthy("fd-leak", "a build that opens and closes", lambda s, r: s.python(BUILD).pid,
        settings=NO_AGE),
    sick("fd-limit-near", "near the limit", near(0.83, 0.99), evidence="used",
        threshold="percent"),
    healthy("fd-limit-near", "half of the limit", near(0.3, 0.75)),
    healthy("fd-limit-near", "a limit that was lowered under what is open",
        lambda s, r: s.python(LOWERED, str(r.randrange(20, 60)), str(r.randrange(0, 20))).pid),
]
