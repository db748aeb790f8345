# SPDX-License-Identifier: BSD-2-Clause
"""cpu-spin, busy-poll, lock-storm; the last two also by their system calls."""
import dataclasses
import shutil

from case import healthy, sick

SPIN = "print('ready', flush=True)\nwhile True: pass"

# Repetitions inside a repetition: each letter doubles the ways to match.
REGEXP_NODE = """
function check(line) { return /^(a+)+$/.test(line); }
console.log('ready');
check('a'.repeat(60) + 'b');
"""
REGEXP_PYTHON = """
import re
def check(line): return re.match("(a+)+$", line)
print("ready", flush=True)
check("a" * 60 + "b")
"""

# An event loop that never waits, since its time-out is none or what is ready is never taken.
POLL_NOTHING = """
import os, select
a, b = os.pipe()
os.write(b, b"x")
p = select.poll()
p.register(a, select.POLLIN)
print("ready", flush=True)
while True: p.poll()
"""

POLL_WRITABLE = """
import select, socket
a, b = socket.socketpair()
p = select.epoll()
p.register(a, select.EPOLLIN | select.EPOLLOUT)
print("ready", flush=True)
while True: p.poll()
"""

# What it repeats: the peer has closed the connection, or there is no more in the file.
REPEAT = """
import os, select, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
peer = socket.create_connection(listener.getsockname())
mine, _ = listener.accept()
if sys.argv[1] == "epoll":
    peer.close()
    e = select.epoll()
    e.register(mine, select.EPOLLIN)
    again = e.poll
elif sys.argv[1] == "stream":
    peer.close()
    again = lambda: mine.recv(4096)
elif sys.argv[1] == "file":
    end = open(sys.argv[2], "rb", buffering=0)
    again = end.read
elif sys.argv[1] == "pipe":
    r, w = os.pipe()
    os.close(w)
    again = lambda: os.read(r, 4096)
elif sys.argv[1] == "nothing":
    mine.setblocking(False)
    def again():
        try: mine.recv(4096)
        except BlockingIOError: pass
print("ready", flush=True)
while True: again()
"""

# The same calls, and each finds something.
ECHO = """
import select, socket
a, b = socket.socketpair()
e = select.epoll()
e.register(a, select.EPOLLIN)
print("ready", flush=True)
while True:
    b.send(b"x" * 512)
    if e.poll(): a.recv(4096)
"""

# Busy, and useful: it reads and writes all the while.
COPY = """
import os, sys
a, b = os.pipe()
block = b"x" * 4096
print("ready", flush=True)
import time
while True:
    os.write(b, block)
    os.read(a, 4096)
    time.sleep(0.0005)
"""

PART = """
import sys, time
share = float(sys.argv[1])
print("ready", flush=True)
while True:
    begin = time.monotonic()
    while time.monotonic() - begin < 0.02 * share: pass
    time.sleep(0.02 * (1 - share))
"""

# Never waits, and works: it compresses what it reads.
COMPRESS = """
import sys, zlib
level = int(sys.argv[1])
source = open("/dev/urandom", "rb", buffering=0)
print("ready", flush=True)
while True: zlib.compress(source.read(65536), level)
"""

# The same with memory: what it makes is new each time.
ALLOCATE = """
import sys
size = int(sys.argv[1])
print("ready", flush=True)
while True:
    made = bytearray(size)
    made[0] = sum(made[:4096])
"""

# What an allocator or a collector does beside a program: another process touches the pages, this
# one gives them back.
GIVE_BACK = """
import mmap, os
size, piece = 64 << 20, 1 << 16
shared = mmap.mmap(-1, size)
parent = os.getpid()
if not os.fork():
    while os.getppid() == parent:
        for at in range(0, size, mmap.PAGESIZE): shared[at] = 1
    os._exit(0)
print("ready", flush=True)
while True:
    for at in range(0, size, piece): shared.madvise(mmap.MADV_REMOVE, at, piece)
"""

TIMER = """
import signal, sys
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]), float(sys.argv[1]))
print("ready", flush=True)
while True: signal.pause()
"""

SLEEPER = """
import sys, time
pause = float(sys.argv[1])
print("ready", flush=True)
while True: time.sleep(pause)
"""

# `events` times a second there is something to read, of `size` bytes.
POLLER = """
import os, select, socket, sys, threading, time
kind, timeout = sys.argv[1], float(sys.argv[2])
a, b = os.pipe()
if kind == "poll":
    p = select.poll()
    p.register(a, select.POLLIN)
    wait = lambda: p.poll(timeout * 1000)
elif kind == "epoll":
    e = select.epoll()
    e.register(a, select.EPOLLIN)
    wait = lambda: e.poll(timeout)
elif kind == "select":
    wait = lambda: select.select([a], [], [], timeout)
elif kind == "event":
    event = threading.Event()
    wait = lambda: event.wait(timeout)
print("ready", flush=True)
while True: wait()
"""

# Wakes as often, by what another process sends it, and with a time-out just as short.
SERVER = """
import os, select, socket, sys, time
timeout = float(sys.argv[1])
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if os.fork() == 0:
    a.close()
    try:
        while True:
            b.send(b"x")
            b.recv(8)
    except OSError:
        os._exit(0)
b.close()
e = select.epoll()
e.register(a, select.EPOLLIN)
print("ready", flush=True)
while True:
    if e.poll(timeout): a.send(a.recv(8))
"""

# The same by select, whose time-out lies behind a pointer: what wakes it the call alone does not say.
SELECT_SERVER = SERVER.replace("e = select.epoll()\ne.register(a, select.EPOLLIN)\n", "").replace(
    "e.poll(timeout)", "select.select([a], [], [], timeout)[0]")

# It is not the only one that is awake, so that its wakes could be another thread's doing.
BESIDE_WORK = """
import hashlib, select, sys, threading, time
block = b"x" * 200000
def compute():
    while True:
        hashlib.sha256(block * 20).digest()
        time.sleep(0.01)
threading.Thread(target=compute, daemon=True).start()
print("ready", flush=True)
while True: select.select([], [], [sys.stdin], float(sys.argv[1]))
"""

# Two threads wake one another, with time-outs that are never due.
PING = """
import threading
a, b = threading.Semaphore(1), threading.Semaphore(0)
def run(mine, other):
    while True:
        if mine.acquire(timeout=5): other.release()
for pair in ((a, b), (b, a)): threading.Thread(target=run, args=pair, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""

# Python's threads take turns at one lock and compute.
GIL = """
import sys, threading
def run():
    n = 0
    while True: n = (n * 31 + 7) % 1000003
for i in range(int(sys.argv[1])): threading.Thread(target=run, daemon=True).start()
print("ready", flush=True)
import time
time.sleep(600)
"""


def locks(kind, cpus=(0,), count=(3, 4, 6), work=(20,), more=()):
    return lambda scope, rng: scope.workload("locks", "--kind", kind, "--seconds", 120, "--cpus",
        rng.choice(cpus), "--count", rng.choice(count), "--work", int(rng.uniform(*work))
        if len(work) > 1 else work[0], *more).pid


# zlib gives the lock of the interpreter away: the worker computes, the main thread says how far it is.
COUNTED = """
import threading, time, zlib
done = 0
def count():
    global done
    data = bytes(range(256)) * 4096
    while True:
        zlib.crc32(data)
        done += 1
threading.Thread(target=count, daemon=True).start()
print("ready", flush=True)
while True:
    time.sleep(0.5)
    print(done, flush=True)
"""

ASKS_FOR_END = """
import subprocess
child = subprocess.Popen(["sleep", "600"])
print("ready", flush=True)
while child.poll() is None: pass
"""


def program(text, *choose):
    return lambda scope, rng: scope.python(text, *(str(c(rng)) for c in choose)).pid


def uniform(low, high):
    return lambda rng: rng.uniform(low, high)


def either(*which):
    return lambda rng: rng.choice(which)


# Its pool makes many short calls of the kernel that move nothing.
NODE_STAT = """
const fs = require('fs').promises;
async function work() { for (;;) await fs.stat('/'); }
for (let i = 0; i < %d; i++) work();
console.log('ready');
"""


def node_stat(scope, rng):
    return scope.start(["node", "-e", NODE_STAT % rng.choice((8, 64))]).pid


def has_node():
    return None if shutil.which("node") else "no node"


def repeats(kind):
    def make(scope, rng):
        log = scope.path / "log"
        log.write_text("one line\n")
        return scope.python(REPEAT, kind, str(log)).pid
    return make


# Millions of calls a second: they are counted in windows.
def polls_flat_out(scope, _):
    return scope.workload("storm", "--poll", "--seconds", "120").pid


def copies(scope, rng):
    """Through a pipe, or not; the shell is judged with what is below it."""
    block = rng.choice(("4k", "16k"))
    copy = rng.choice(("dd if=/dev/zero of=/dev/null bs=%s",
        "dd if=/dev/zero bs=%s 2>/dev/null | dd of=/dev/null bs=4k"))
    return scope.start(["sh", "-c", "echo ready; %s 2>/dev/null; true" % copy.replace("%s",
        block)]).pid


WANTS = {"evidence": "share of the time in which the thread ran or was ready to run", "threshold": "percent"}
WAKES = {"evidence": "wakeups", "threshold": "min-rate"}
KERNEL = {"evidence": "kernel share", "threshold": "in-kernel"}
# A busy machine wakes a thread later than it asked, and gives it less than it wants.
STARVED = ("lock-storm.percent=4", "lock-storm.min-rate=20", "lock-storm.max-stretch=200us")
# Whoever comes between leaves cold caches, which cost the program's own part: 64 to 69 % were met.
COLD = (*STARVED, "lock-storm.in-kernel=50")
OFTEN = ("busy-poll.min-rate=50",)

POOL = """
import multiprocessing, os, time
def job(n):
    s = 0
    for i in range(300000): s += i * i % 7
    return s
with multiprocessing.Pool(1) as pool:
    worker = pool.apply(os.getpid)
    print("ready", worker, flush=True)
    while True: pool.map(job, range(8))
"""


def worker_of_a_pool(scope, rng):
    process = scope.python(POOL, ready=b"\n")
    return int(bytes(process.out).split()[1])


# A part of its limit is used up; then it sleeps, or works on and handles SIGXCPU.
CPU_LIMIT = """
import resource, signal, sys, time
limit, share, works = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "works"
if works:
    signal.signal(signal.SIGXCPU, lambda *_: None)
resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
while time.process_time() < limit * share:
    pass
print("ready", flush=True)
while works:
    pass
time.sleep(60)
"""
CPU_HALF = ("cpu-limit-near.percent=50",)  # of a limit of few seconds: the kernel counts whole ones


def cpu_limit(share, then="sleeps"):
    return lambda scope, r: scope.python(CPU_LIMIT, str(r.randrange(2, 4)), str(share), then).pid


READ_ZERO = """
import os
fd = os.open("/dev/zero", os.O_RDONLY)
print("ready", flush=True)
while True:
    os.read(fd, 16)
"""
COPY_ZERO = """
import os
source, target = os.open("/dev/zero", os.O_RDONLY), os.open("/dev/null", os.O_WRONLY)
print("ready", flush=True)
while True:
    os.write(target, os.read(source, 4096))
"""

CASES = [
    sick("cpu-spin", "a device without an end", program(READ_ZERO), calls=True, says="(/dev/zero), at least ", **WANTS),
    healthy("cpu-spin", "a copy of a device without an end", program(COPY_ZERO), calls=True),
    sick("cpu-limit-near", "near the limit", cpu_limit(0.8), settings=CPU_HALF, evidence="used",
        threshold="percent"),
    healthy("cpu-limit-near", "little of the limit", cpu_limit(0.1), settings=CPU_HALF),
    healthy("cpu-limit-near", "handles SIGXCPU", cpu_limit(1.2, "works"), settings=CPU_HALF,
        also=("cpu-spin",)),
    sick("cpu-spin", "an empty loop", program(SPIN), says="an endless loop", **WANTS),
    sick("cpu-spin", "a regular expression of node", lambda s, r: s.start(
        ["node", "-e", REGEXP_NODE]).pid, may_skip=has_node, calls=True,
        says="in a regular expression called by check ", **WANTS),
    sick("cpu-spin", "a regular expression of python", program(REGEXP_PYTHON), calls=True,
        says="in a regular expression called by check ", **WANTS),
    sick("cpu-spin", "threads that spin on a flag", locks("spin", count=(1, 2, 3)), **WANTS),
    sick("cpu-spin", "an event loop that does not take what is ready", program(POLL_NOTHING),
        **WANTS),
    sick("cpu-spin", "a socket that is polled for writing with nothing to send", program(POLL_WRITABLE), calls=True,
        severity="medium", says="can always be written to, and is polled for that", **WANTS),
    sick("cpu-spin", "a closed connection that is polled", repeats("epoll"), calls=True,
        severity="medium", says="is always ready and not read; its peer has closed", **WANTS),
    sick("cpu-spin", "reads of a closed connection", repeats("stream"), calls=True,
        severity="medium", says="recvfrom returns end of stream", **WANTS),
    sick("cpu-spin", "a child that is asked for its end", program(ASKS_FOR_END), calls=True,
        severity="medium", says="without a pause whether a child has ended", **WANTS),
    sick("cpu-spin", "reads at the end of a file", repeats("file"), calls=True,
        severity="medium", says="read returns end of file on fd", **WANTS),
    sick("cpu-spin", "reads at the end of a pipe", repeats("pipe"), calls=True, severity="medium",
        says="the other end is closed: no process writes to it any more", **WANTS),
    sick("cpu-spin", "reads that find nothing", repeats("nothing"), calls=True,
        severity="medium", says="returns EAGAIN", **WANTS),
    sick("cpu-spin", "an empty pipe that is polled flat out", polls_flat_out, calls=True,
        severity="medium", says="poll returns at once, ", **WANTS),
    healthy("cpu-spin", "a copy by dd", copies, calls=True),
    healthy("cpu-spin", "a socket that is polled and read", program(ECHO), calls=True),
    healthy("cpu-spin", "a poll loop that works", program(COPY)),
    healthy("cpu-spin", "a worker of a pool", worker_of_a_pool),
    healthy("cpu-spin", "a worker whose main thread prints results", program(COUNTED), calls=True,
        also=("lock-storm",)),
    healthy("cpu-spin", "openssl, which computes by its nature", lambda s, r: s.start(
        ["openssl", "speed", "-seconds", "600", "sha256"], ready=None).pid,
        may_skip=lambda: None if shutil.which("openssl") else "openssl is not installed"),
    healthy("cpu-spin", "a part of a processor", program(PART, uniform(0.2, 0.6)), alone=True),
    healthy("cpu-spin", "a compressor", program(COMPRESS, either(1, 6, 9))),
    healthy("cpu-spin", "memory that is given back", program(GIVE_BACK), calls=True),
    healthy("cpu-spin", "work on new memory", program(ALLOCATE, either(1 << 26, 1 << 27))),

    sick("busy-poll", "sleeps", program(SLEEPER, uniform(0.00005, 0.0003)), settings=OFTEN,
        **WAKES),
    sick("busy-poll", "poll of 1 ms", program(POLLER, either("poll"), either(0.001)),
        settings=OFTEN, **WAKES),
    sick("busy-poll", "epoll of 1 ms", program(POLLER, either("epoll"), either(0.001)),
        settings=OFTEN, **WAKES),
    sick("busy-poll", "select of a fraction of a millisecond",
        program(POLLER, either("select"), uniform(0.0001, 0.0004)), settings=OFTEN, **WAKES),
    sick("busy-poll", "a condition with a time-out",
        program(POLLER, either("event"), uniform(0.0001, 0.0004)), settings=OFTEN, **WAKES),
    sick("busy-poll", "a timer that sends signals", program(TIMER, uniform(0.0003, 0.0006)),
        settings=OFTEN, **{**WAKES, "says": "signals wake thread "}),
    healthy("busy-poll", "a timer that sends signals now and then", program(TIMER, uniform(0.02, 0.1)),
        settings=OFTEN),
    healthy("busy-poll", "a poll loop that works", program(COPY), settings=OFTEN),
    healthy("busy-poll", "a server with a short time-out", program(SERVER, either(0.001, 0.002)),
        settings=OFTEN),
    healthy("busy-poll", "threads that wake one another", program(PING), settings=OFTEN,
        also=("lock-storm",)),
    healthy("busy-poll", "a look now and then", program(SLEEPER, uniform(0.02, 0.1)),
        settings=OFTEN),
    healthy("busy-poll", "a poll now and then", program(POLLER, either("poll", "epoll"),
        uniform(0.02, 0.1)), settings=OFTEN),

    # The share of the kernel is sampled by ticks: starved, there have to be enough of them.
    sick("lock-storm", "turns", locks("turns", cpus=(0, 1, 2)), alone=True, duration_s=6,
        settings=COLD, **KERNEL),
    # Who gives the processor to others that keep it burns nothing: so that there is a storm whatever
    # else the machine has to do, nobody else comes between.
    sick("lock-storm", "yields", locks("yield", cpus=(1,), count=(2, 5, 9, 16), more=["--urgent"]),
        alone=True, **KERNEL),
    # Who makes the jobs computes all the time.
    healthy("lock-storm", "a pool with jobs", locks("pool", work=(30, 300)), also=("cpu-spin",),
        settings=STARVED),
    healthy("lock-storm", "a job that is handed over", locks("handover", work=(60, 300)),
        settings=STARVED),
    sick("lock-storm", "threads of an interpreter", program(GIL, either(4, 6)),
        settings=("lock-storm.percent=4",), also=("cpu-spin",), says="interpreter",
        evidence="threads", threshold="convoy-threads"),
    sick("lock-storm", "a lock that all want all the time", locks("mutex", count=(6, 9, 12)),
        settings=("lock-storm.percent=4",), alone=True, duration_s=8, says="lock con", evidence="threads",
        threshold="convoy-threads"),
    sick("lock-storm", "a lock that is held asleep", locks("rest", count=(4, 6, 8),
        work=(10000, 30000)), says="sleeps or waits for a disk", alone=True, duration_s=6,
        evidence="threads", threshold="convoy-threads"),
    healthy("lock-storm", "an idle pool", locks("idle")),
    healthy("lock-storm", "a pool that asks for files", node_stat, may_skip=has_node,
        also=("metadata-storm",)),
]

# Whatever is said without calls is said with them.
CASES += [dataclasses.replace(c, name=c.name + ", by its calls", calls=True,
    also=(*c.also, "metadata-storm") if "asks for files" in c.name else c.also)
    for c in CASES if c.finding in ("busy-poll", "lock-storm")]
CASES += [
    sick("busy-poll", "a short time-out beside work", program(BESIDE_WORK,
        uniform(0.0001, 0.0004)), settings=OFTEN, calls=True, severity="medium", **WAKES),
    healthy("busy-poll", "a server that selects", program(SELECT_SERVER, either(0.001, 0.002)),
        settings=OFTEN, calls=True),
]
