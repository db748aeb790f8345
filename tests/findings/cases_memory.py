# SPDX-License-Identifier: BSD-2-Clause
"""memory-growth, memory-pressure, gc-pressure, segments-left."""
import shutil
import subprocess
import time

import control_group
from case import healthy, sick

MIB = 1 << 20
NO_AGE = ("memory-growth.min-age=0",)
# As if it had been watched for a minute.
COLLECTED = (*NO_AGE, "memory-growth.collector-time=0", "memory-growth.collector-share=10")
FLOORS = (*NO_AGE, "memory-growth.min-windows=2")

# Grows at a rate (bytes a second), for a time or for ever, never above a bound.
GROWER = """
import mmap, os, sys, time
kind, rate, stop_after = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
MOST = 700 << 20
size = {"small": 2000, "blocks": 100000, "maps": 4 << 20}.get(kind, 65536)
if kind == "file":
    with open("data", "wb") as file: file.truncate(MOST)
    pages = mmap.mmap(os.open("data", os.O_RDWR), MOST)
elif kind == "shared":
    pages = mmap.mmap(-1, MOST)
kept, done, begin = [], 0, time.monotonic()
print("ready", flush=True)
while True:
    now = time.monotonic() - begin
    while done < min(rate * (min(now, stop_after) if stop_after else now), MOST):
        if kind in ("file", "shared"):
            pages[done:done + size] = b"x" * size
        else:
            kept.append(b"%d" % done + b"x" * size)
        done += size
    time.sleep(0.02)
"""

# Takes and gives back; what stays at each turn grows by `more`.
SAWTOOTH = """
import sys, time
height, more, rise, hold = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
BLOCK = 2 << 20
kept = []
print("ready", flush=True)
while True:
    taken, begin = [], time.monotonic()
    while len(taken) * BLOCK < height:
        if len(taken) * BLOCK < height * (time.monotonic() - begin) / rise:
            taken.append(b"x" * BLOCK)
        else:
            time.sleep(0.01)
    taken = None
    for _ in range(more // BLOCK): kept.append(b"y" * BLOCK)
    time.sleep(hold)
"""

NODE = """
const [kind, rate] = [process.argv[1], Number(process.argv[2])];
const kept = [];
let done = 0;
const begin = Date.now();
console.log("ready");
setInterval(() => {
  while (done < Math.min(rate * (Date.now() - begin) / 1000, 600e6)) {
    const one = [];
    for (let i = 0; i < 1000; i++) one.push({ at: done + i, text: "x" + (done + i) });
    done += 60000;
    if (kind === "leak") kept.push(one);
  }
}, 20);
"""


def grower(kind, stop=False):
    def make(scope, rng):
        stop_after = rng.uniform(0.8, 1.3) if stop else 0
        return scope.python(GROWER, kind, rng.uniform(15, 50) * MIB, stop_after).pid
    return make


def sawtooth(more):
    """Held low for longer than between two samples, so that a sample meets it there."""
    def make(scope, rng):
        growth = int(rng.uniform(14, 24)) * MIB if more else 0
        return scope.python(SAWTOOTH, int(rng.uniform(50, 120)) * MIB, growth,
            rng.uniform(0.5, 0.8), rng.uniform(0.75, 0.9)).pid
    return make


def slow_leak(scope, rng):
    return scope.python(GROWER, "small", rng.uniform(3.5, 6) * MIB, 0).pid


# The dictionary is mapped at once and filled as fast as the input comes.
FEEDER = """
import os, subprocess, sys, time
xz = subprocess.Popen(["xz", "-9", "-T1", "-c"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
with open("pid", "w") as file: file.write(str(xz.pid))
print("ready", flush=True)
try:
    while True:
        xz.stdin.write(os.urandom(100000))
        time.sleep(0.02)
finally:
    xz.kill()
"""


def compressor(scope, _rng):
    scope.python(FEEDER)
    return int((scope.path / "pid").read_text(encoding="ascii"))


def no_xz():
    return None if shutil.which("xz") else "no xz here"


def node(kind):
    def make(scope, rng):
        process = scope.start([shutil.which("node"), "-e", NODE, kind, rng.uniform(15e6, 40e6)])
        time.sleep(1)  # it starts, and that takes memory too
        return process.pid
    return make


def no_node():
    return None if shutil.which("node") else "no node here"


# --- control groups ---

# Fills its group up to a share of the limit, as the group's own figure says, without files' pages.
FILLER = """
import signal, sys, time
group, share = sys.argv[1], float(sys.argv[2])
signal.alarm(120)
def figure(name):
    with open(group + "/" + name) as file: return int(file.read())
def files():
    with open(group + "/memory.stat") as file:
        figures = dict(line.split() for line in file)
    return int(figures["total_inactive_file"]) + int(figures["total_active_file"])
kept, limit = [], figure("memory.limit_in_bytes")
while figure("memory.usage_in_bytes") - files() < share * limit - (1 << 19):
    kept.append(b"x" * (1 << 19))
print("ready", flush=True)
time.sleep(120)
"""

# Its group is full of pages of a file that it reads again and again.
READER = """
import os, signal, sys
size = int(sys.argv[1])
signal.alarm(120)
block = os.urandom(1 << 20)
with open("data", "wb") as file:
    for _ in range(size >> 20): file.write(block)
    file.flush()
    os.fsync(file.fileno())
print("ready", flush=True)
import time
while True:
    with open("data", "rb", buffering=0) as file:
        while file.read(1 << 20): time.sleep(0.03)  # not read twice while it is watched
"""

# Its group is too small for the file that it has mapped: what it needs was freed, and is read again.
MAPPED = """
import mmap, os, random, signal, sys
size = int(sys.argv[1])
signal.alarm(120)
block = os.urandom(1 << 20)
with open("data", "wb") as file:
    for _ in range(size >> 20): file.write(block)
    file.flush()
    os.fsync(file.fileno())
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
pages = mmap.mmap(os.open("data", os.O_RDONLY), 0, prot=mmap.PROT_READ)
print("ready", flush=True)
total = 0
while True:
    total += pages[random.randrange(size)]
"""

# Starts one that takes more than there is, and another when that was killed.
KILLED = """
import os, signal, sys, time
limit = int(sys.argv[1])
signal.alarm(120)
print("ready", flush=True)
while True:
    pid = os.fork()
    if not pid:
        with open("/proc/self/oom_score_adj", "w") as file: file.write("1000")
        kept = []
        for _ in range(2 * limit >> 20): kept.append(b"x" * (1 << 20))
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.4)
"""

def no_groups():
    return control_group.missing("memory")


def group_of(scope, limit):
    return control_group.make(scope, "memory", memory_limit_in_bytes=limit, memory_swappiness=0)


def filled(low, high):
    def make(scope, rng):
        group = group_of(scope, int(rng.uniform(64, 200)) * MIB)
        return control_group.within(scope, group, FILLER, group, rng.uniform(low, high)).pid
    return make


def filled_by_one_of_two(scope, rng):
    """Both are judged: it is told once."""
    group = group_of(scope, int(rng.uniform(100, 200)) * MIB)
    small = control_group.within(scope, group, "import time; print('ready', flush=True); time.sleep(120)")
    return [small.pid, control_group.within(scope, group, FILLER, group, rng.uniform(0.92, 0.95)).pid]


def full_of_files(scope, rng):
    limit = int(rng.uniform(48, 96)) * MIB
    group = group_of(scope, limit)
    return control_group.within(scope, group, READER, 3 * limit).pid


def mapped_in_small_group(scope, rng):
    limit = int(rng.uniform(24, 40)) * MIB
    group = group_of(scope, limit)
    return control_group.within(scope, group, MAPPED, 4 * limit).pid


def killing(scope, rng):
    limit = int(rng.uniform(48, 96)) * MIB
    group = group_of(scope, limit)
    return control_group.within(scope, group, KILLED, limit).pid


# Keeps what nearly fills its heap, and works with the little that is left; or has much room.
COLLECTOR = """
import java.util.*;
public class Collector {
  static byte[] sink;
  public static void main(String[] a) throws Exception {
    boolean full = a[0].equals("full");
    ArrayList<byte[]> keep = new ArrayList<>();
    try { while (full || keep.size() < 500) keep.add(new byte[8192]); }
    catch (OutOfMemoryError e) { for (int i = 0; i < 60; i++) keep.remove(keep.size() - 1); }
    System.out.println("ready");
    for (long n = 0; ; n++) {
      try {
        sink = new byte[2048 + (int)(n % 7)];
        keep.set((int)(n % keep.size()), new byte[8192]);
      } catch (OutOfMemoryError e) { for (int i = 0; i < 10; i++) keep.remove(keep.size() - 1); }
      if (!full && n % 4000 == 0) Thread.sleep(20);
    }
  }
}
"""


def java(kind):
    def make(scope, _rng):
        source = scope.path / "Collector.java"
        source.write_text(COLLECTOR, encoding="ascii")
        subprocess.run(["javac", str(source)], check=True)
        return scope.start(["java", "-Xmx48m" if kind == "full" else "-Xmx256m", "-XX:+UseParallelGC",
            "-XX:-UseGCOverheadLimit", "-cp", str(scope.path), "Collector", kind]).pid
    return make


def no_java():
    return None if shutil.which("javac") else "no Java compiler here"


def anybody(scope, _rng):
    return scope.workload("sleep").pid


# A segment for each round; it is removed after use, or not.
SEGMENTS = """
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
kind, pause = sys.argv[1], float(sys.argv[2])
print("ready", flush=True)
for _ in range(200):
    segment = libc.shmget(0, 65536, 0o1600)
    at = libc.shmat(segment, None, 0)
    ctypes.memset(at, 1, 65536)
    if kind != "keeps": libc.shmdt(at)
    if kind == "removes": libc.shmctl(segment, 0, None)
    time.sleep(pause)
"""


def segments(kind):
    """Whatever is left belongs to this case and is removed by its creator's pid."""
    def make(scope, rng):
        process = scope.python(SEGMENTS, kind, rng.uniform(0.1, 0.3))

        def remove():
            with open("/proc/sysvipc/shm") as lines:
                for line in list(lines)[1:]:
                    words = line.split()
                    if int(words[4]) == process.pid:
                        subprocess.run(["ipcrm", "-m", words[1]], check=False)
        scope.later_last(remove)
        return process.pid
    return make


CASES = [
    sick("segments-left", "shared memory that is not removed", segments("leaves"), duration_s=4,
        says="more System V segments"),
    healthy("segments-left", "shared memory that is removed after use", segments("removes"), duration_s=4),
    healthy("segments-left", "shared memory that stays in use", segments("keeps"), duration_s=4,
        also=("memory-growth",)),
    sick("memory-growth", "small objects", grower("small"), settings=NO_AGE, duration_s=8, evidence="growth",
        threshold="min-rate"),
    sick("memory-growth", "blocks", grower("blocks"), settings=NO_AGE, duration_s=8, evidence="growth",
        threshold="min-rate"),
    sick("memory-growth", "mappings", grower("maps"), settings=NO_AGE, duration_s=8, evidence="growth",
        threshold="min-rate"),
    sick("memory-growth", "a JavaScript heap, watched for long", node("leak"), settings=COLLECTED,
        duration_s=8, may_skip=no_node, also=("gc-pressure",), evidence="growth", threshold="min-rate"),
    sick("memory-growth", "more stays each time", sawtooth(True), settings=FLOORS, duration_s=16,
        alone=True, evidence="growth", threshold="min-rate"),
    healthy("memory-growth", "a sawtooth", sawtooth(False), settings=FLOORS, duration_s=16),
    healthy("memory-growth", "a cache that fills and stops", grower("blocks", stop=True),
        settings=NO_AGE, duration_s=8),
    sick("memory-growth", "a young process that climbs", grower("blocks"), duration_s=6,
        severity="low"),
    healthy("memory-growth", "a start", grower("blocks", stop=True), duration_s=6),
    sick("memory-growth", "a slow leak since the start", slow_leak, duration_s=6, severity="low"),
    healthy("memory-growth", "a compressor that fills its dictionary", compressor, duration_s=6,
        may_skip=no_xz),
    healthy("memory-growth", "a file that is read", grower("file"), settings=NO_AGE,
        duration_s=8),
    healthy("memory-growth", "shared memory, touched for the first time", grower("shared"),
        settings=NO_AGE, duration_s=8),
    healthy("memory-growth", "garbage of JavaScript", node("garbage"), settings=NO_AGE,
        duration_s=8, may_skip=no_node),
    sick("memory-growth", "a JavaScript heap, watched for a moment", node("leak"),
        settings=NO_AGE, duration_s=8, may_skip=no_node, severity="low", also=("gc-pressure",)),
    sick("gc-pressure", "a Java heap that is full", java("full"), duration_s=6, may_skip=no_java,
        settings=("gc-pressure.min-cpu=25", "gc-pressure.min-running=25"), alone=True,
        evidence="CPU use of garbage collection", threshold="min-cpu"),
    healthy("gc-pressure", "a Java heap with room", java("roomy"), duration_s=6, may_skip=no_java,
        settings=("gc-pressure.min-cpu=25", "gc-pressure.min-running=25")),
    sick("memory-pressure", "a group that is nearly full", filled(0.92, 0.96), may_skip=no_groups,
        evidence="used", threshold="percent"),
    sick("memory-pressure", "told once of two", filled_by_one_of_two, may_skip=no_groups,
        evidence="used", threshold="percent"),
    sick("memory-pressure", "one after the other is killed", killing, may_skip=no_groups,
        also=("ended-abnormally", "children-killed")),
    sick("memory-pressure", "a group too small for a mapped file", mapped_in_small_group,
        may_skip=no_groups, evidence="major faults", threshold="min-major-faults"),
    sick("memory-pressure", "a host with less than is asked for", anybody,
        settings=("memory-pressure.host-percent=1",), evidence="used",
        threshold="host-percent"),
    healthy("memory-pressure", "a group with room", filled(0.4, 0.8), may_skip=no_groups),
    healthy("memory-pressure", "a group full of pages of files", full_of_files,
        may_skip=no_groups),
    healthy("memory-pressure", "an ordinary host", anybody),
]
