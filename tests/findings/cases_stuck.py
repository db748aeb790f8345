# SPDX-License-Identifier: BSD-2-Clause
"""blocked-io, all-threads-waiting, deadlock, signal-pending."""
import os
import shutil
import signal

import harness
from case import healthy, sick

# Pages of its memory are given by another process, as snapshots of virtual machines are resumed; that one answers, or does
# not.
PAGED = """
import ctypes, fcntl, mmap, os, struct, sys, time
libc = ctypes.CDLL(None)
SIZE = 256 * 4096
memory = mmap.mmap(-1, SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
pages = libc.syscall(NUMBER, 1) # UFFD_USER_MODE_ONLY
assert pages >= 0
fcntl.ioctl(pages, 0xc018aa3f, bytearray(struct.pack("QQQ", 0xaa, 0, 0))) # UFFDIO_API
fcntl.ioctl(pages, 0xc020aa00, bytearray(struct.pack("QQQQ", at, SIZE, 1, 0))) # UFFDIO_REGISTER, missing pages
if not os.fork():
    libc.prctl(1, 9) # PR_SET_PDEATHSIG
    while sys.argv[1] == "sleeps": time.sleep(100)
    while True:
        event = os.read(pages, 32)
        fault = struct.unpack_from("Q", event, 16)[0] & ~4095
        time.sleep(0.05)
        fcntl.ioctl(pages, 0xc020aa04, bytearray(struct.pack("QQQQ", fault, 4096, 0, 0))) # UFFDIO_ZEROPAGE
if sys.argv[1] == "ended": libc.kill(int(open("/proc/self/task/%d/children" % os.getpid()).read().split()[0]), 9)
print("ready", flush=True)
for i in range(256):
    ctypes.memset(at + i * 4096, 1, 1)
    time.sleep(0.1)
""".replace("NUMBER", "323" if os.uname().machine == "x86_64" else "282")


# In a mount namespace of its own a file system is guarded by another process, as virus scanners do.
# The guard ends with the program.
GUARDED = """
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None)
def check(result):
    assert result >= 0
    return result
check(libc.unshare(0x20000)) # CLONE_NEWNS
check(libc.mount(b"none", b"/", None, 0x44000, None)) # MS_REC, MS_PRIVATE
os.mkdir("guarded")
check(libc.mount(b"none", b"guarded", b"tmpfs", 0, None))
open("guarded/file", "w").close()
reader, writer = os.pipe()
if not os.fork():
    libc.prctl(1, 9) # PR_SET_PDEATHSIG
    group = check(libc.fanotify_init(4, 0)) # FAN_CLASS_CONTENT
    # FAN_MARK_ADD and _MOUNT, FAN_OPEN_PERM
    check(libc.fanotify_mark(group, 0x11, ctypes.c_uint64(0x10000), -100, b"guarded"))
    os.write(writer, b"x")
    while sys.argv[1] == "sleeps":
        time.sleep(1)
    while True:
        fd = struct.unpack_from("IBBHQii", os.read(group, 4096))[5]
        os.write(group, struct.pack("iI", fd, 1)) # FAN_ALLOW
        os.close(fd)
os.read(reader, 1)
print("ready", flush=True)
while True:
    os.close(os.open("guarded/file", 0))
    time.sleep(.01)
"""

# In a mount namespace of its own a small file system is frozen while a thread writes. A guard of a
# session of its own thaws it: when it is told to, which is before this program is ended (until the
# thread is let go it cannot end), when it has ended, and after a minute at the latest.
FROZEN = """
import ctypes, fcntl, os, select, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
FREEZE, THAW, NEWNS = 0xc0045877, 0xc0045878, 0x20000
with open("image", "wb") as f: f.truncate(16 << 20)
subprocess.run(["mkfs.ext4", "-q", "-F", "image"], check=True)
if libc.unshare(NEWNS): sys.exit("unshare")
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
os.mkdir("mnt")
subprocess.run(["mount", "-o", "loop", "image", "mnt"], check=True)
top = os.open("mnt", os.O_RDONLY)
gone, here = os.pipe()
if os.fork() == 0:
    os.close(here)
    os.setsid()
    for _ in range(600):
        if select.select([gone], [], [], 0.1)[0] or os.path.exists("thaw"): break
    try: fcntl.ioctl(top, THAW, 0)
    except OSError: pass
    os._exit(0)
os.close(gone)
out = os.open("mnt/file", os.O_RDWR | os.O_CREAT, 0o600)
os.write(out, b"x" * 4096)
fcntl.ioctl(top, FREEZE, 0)
def write():
    if sys.argv[1] == "write": os.write(out, b"y" * 4096)
    elif sys.argv[1] == "create": os.open("mnt/other", os.O_RDWR | os.O_CREAT, 0o600)
    else: os.ftruncate(out, 0)
thread = threading.Thread(target=write, daemon=True)
thread.start()
def is_blocked():
    with open("/proc/self/task/%d/stat" % thread.native_id) as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "D"
while not is_blocked(): time.sleep(0.01)
print("ready", flush=True)
time.sleep(50)
fcntl.ioctl(top, THAW, 0)
"""

WRITER = """
import os, sys
out = os.open("file", os.O_RDWR | os.O_CREAT, 0o600)
print("ready", flush=True)
while True:
    os.pwrite(out, b"x" * int(sys.argv[1]), 0)
    os.fsync(out)
"""

FIFO = """
import os, sys
os.mkfifo("fifo")
print("ready", flush=True)
open("fifo").read()
"""

# One process has the lock, the other waits for it; the pid is that of the waiting one.
FLOCK = """
import fcntl, os, sys
f = open("lock", "w")
fcntl.flock(f, fcntl.LOCK_EX)
a, b = os.pipe()
if os.fork() == 0:
    os.read(a, 1)
    os._exit(0)
os.close(a)
g = open("lock", "w")
print("ready", flush=True)
fcntl.flock(g, fcntl.LOCK_EX)
"""

SPAWNER = """
import subprocess
print("ready", flush=True)
while True: subprocess.run(["true"])
"""

DEADLOCK = """
import sys, threading
a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
def run(mine, other):
    with mine:
        both.wait()
        with other: pass
threads = [threading.Thread(target=run, args=p) for p in ((a, b), (b, a))]
for t in threads: t.start()
# And whoever else waits for what they have.
for i in range(int(sys.argv[1])): threading.Thread(target=a.acquire).start()
print("ready", flush=True)
threads[0].join()
"""

# What stands still beside a thread that goes on, and what only looks like it.
PARTIAL = """
import os, queue, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
what = sys.argv[1]
a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
def crosswise(mine, other):
    with mine:
        both.wait()
        with other: pass
def task(pool): return pool.submit(int).result()
def poll():
    while True: time.sleep(0.2)
def holder():
    with a: time.sleep(600)
if what == "locks":
    for p in ((a, b), (b, a)): threading.Thread(target=crosswise, args=p).start()
elif what == "pool":
    pool = ThreadPoolExecutor(2)
    for _ in range(4): pool.submit(task, pool)
elif what == "fork":
    threading.Thread(target=holder, daemon=True).start()
    while not a.locked(): time.sleep(0.01)
    pid = os.fork()
    if pid == 0: a.acquire()
    print("ready %d" % pid, flush=True)
elif what == "at rest":
    for q in (queue.SimpleQueue(), queue.SimpleQueue(), queue.Queue()):
        threading.Thread(target=q.get).start()
    pool = ThreadPoolExecutor(3)
    for _ in range(3): pool.submit(time.sleep, 0.01)
elif what == "holder":
    threading.Thread(target=holder).start()
    for _ in range(3): threading.Thread(target=a.acquire).start()
elif what == "free thread":
    pool = ThreadPoolExecutor(2)
    pool.submit(task, ThreadPoolExecutor(1, initializer=time.sleep, initargs=(600,)))
threading.Thread(target=poll).start()
time.sleep(0.3)
if what != "fork": print("ready", flush=True)
"""

# Two mutexes crosswise, beside a thread that sleeps.
MUTEXES = """
import ctypes, threading, time
libc = ctypes.CDLL(None)
a, b = (ctypes.create_string_buffer(40) for _ in range(2))
both = threading.Barrier(2)
def take(first, second):
    libc.pthread_mutex_lock(first)
    both.wait()
    libc.pthread_mutex_lock(second)
for args in ((a, b), (b, a)): threading.Thread(target=take, args=args, daemon=True).start()
print("ready", flush=True)
while True: time.sleep(600)
"""

# Two processes: a lock on a file each, or each only reads what the other does not write.
CROSSWISE = """
import fcntl, os, sys, time
def lock(name):
    f = open(name, "w")
    fcntl.flock(f, fcntl.LOCK_EX)
    return f
if sys.argv[1] == "locks":
    r, w = os.pipe()
    if os.fork() == 0:
        mine = lock("a")
        os.write(w, b"x")
        while not os.path.exists("taken"): time.sleep(0.01)
        lock("b")
    os.read(r, 1)
    os.close(w)
    mine = lock("b")
    open("taken", "w").close()
    print("ready", flush=True)
    lock("a")
else:
    (r, w), (s, x) = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(w), os.close(s)
        os.read(r, 1)
        os._exit(0)
    os.close(r), os.close(x)
    print("ready", flush=True)
    os.read(s, 1)
"""

# The main thread waits for a child, and another may write what the child reads.
FEEDER = """
import subprocess, threading, time
child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("ready", flush=True)
child.wait()
"""

# Each waits for something that may come.
WAITS = {
    "a connection": "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
                    "wait = s.accept",
    "input": "wait = sys.stdin.buffer.read",
    "a child": "p = os.fork() or (time.sleep(120), os._exit(0)); wait = lambda: os.waitpid(p, 0)",
    "a time": "wait = lambda: time.sleep(600)",
    "an event for a time": "wait = lambda: threading.Event().wait(600)",
    "readiness": "import select; wait = lambda: select.epoll().poll()",
    "a signal": "import signal; wait = signal.pause",
}
WAITER = """
import os, sys, threading, time
from queue import Queue
%s
for i in range(int(sys.argv[1])): threading.Thread(target=Queue().get, daemon=True).start()
print("ready", flush=True)
wait()
"""

# A worker of a pool waits for a semaphore that it shares with its parent.
WORKER = """
import multiprocessing, time
def work(lock):
    print("ready %d" % multiprocessing.current_process().pid, flush=True)
    lock.acquire()
lock = multiprocessing.Semaphore(0)
p = multiprocessing.Process(target=work, args=(lock,), daemon=True)
p.start()
time.sleep(600)
"""

# By itself, and no lock that anybody holds: it is there for its signals.
SERVES_SIGNALS = """
import signal, threading
signal.signal(signal.SIGUSR1, lambda *_: None)
print("ready", flush=True)
threading.Event().wait()
"""

FREEZER = "/sys/fs/cgroup/freezer"


def is_root():
    return None if os.geteuid() == 0 else "it takes root"


def may_freeze_files():
    if is_root():
        return is_root()
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    if not shutil.which("mkfs.ext4", path=path):
        return "no mkfs.ext4"
    return None if os.path.exists("/dev/loop-control") else "no loop devices"


def may_freeze_groups():
    return is_root() or (None if os.access(FREEZER + "/tasks", os.W_OK) else "no freezer")


def workload(*argv):
    return lambda scope, rng: scope.workload(*argv, "--seconds", 120).pid


def program(text, *choose):
    return lambda scope, rng: scope.python(text, *(str(rng.choice(c)) for c in choose)).pid


def frozen_file(scope, rng):
    scope.later((scope.path / "thaw").touch)
    return scope.python(FROZEN, rng.choice(("write", "create", "truncate")),
        env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")).pid


def silent_file(*flags):
    """A reader in D goes when its file system does, which the workload sees to."""
    def make(scope, rng):
        return scope.workload("fuse", "--read", *flags, "--directory", scope.path, "--seconds",
            60).pid
    return make


def in_freezer(scope, rng):
    pid = scope.python("import time\nprint('ready', flush=True)\nwhile True: time.sleep(0.01)").pid
    group = "%s/sooth-test-%d" % (FREEZER, pid)
    os.mkdir(group)

    def say(name, text):
        with open("%s/%s" % (group, name), "w", encoding="ascii") as f:
            f.write(text)

    def thaw():
        say("freezer.state", "THAWED")
        with open(FREEZER + "/tasks", "w", encoding="ascii") as f:
            f.write(str(pid))
        os.rmdir(group)

    scope.later(thaw)
    say("tasks", str(pid))
    say("freezer.state", "FROZEN")
    harness.wait_until(lambda: b"FROZEN" in harness.read(group + "/freezer.state"),
                       "the group to be frozen")
    return pid


# What is written is read never, or a little now and then.
UNREAD = """
import os, socket, sys, threading, time
kind, pause = sys.argv[1], float(sys.argv[2])
if kind == "socket":
    a, b = socket.socketpair()
    out, inside = a.detach(), b.detach()
else:
    inside, out = os.pipe()
if os.fork() == 0:
    os.close(out)
    while True:
        time.sleep(pause or 600)
        os.read(inside, 1 << 14)
os.close(inside)
def write():
    while True: os.write(out, b"x" * 4096)
threading.Thread(target=write, daemon=True).start()
print("ready", flush=True)
while True: time.sleep(0.05)
"""

# Nobody has anything to write, and nobody to read.
QUIET_PIPE = """
import os, sys, time
inside, out = os.pipe()
if os.fork() == 0:  # writes now and then
    os.close(inside)
    while os.getppid() != 1: time.sleep(1)
    os._exit(0)
if os.fork() == 0:
    os.read(inside, 1)
    os._exit(0)
print("ready", flush=True)
os.read(inside, 1)
"""

STOPPED_READER = """
import os, signal
inside, out = os.pipe()
reader = os.fork()
if not reader:
    os.close(out)
    while os.read(inside, 65536): pass
    os._exit(0)
os.close(inside)
os.kill(reader, signal.SIGSTOP)
print("ready", flush=True)
while True: os.write(out, b"x" * 65536)
"""

# An event loop and its tool server, whose error output it reads or not.
TOOL_CLIENT = """
import os, select, subprocess, sys
server = subprocess.Popen([sys.executable, "-c",
    "import sys\\nwhile True:\\n sys.stdin.readline()\\n sys.stderr.write('x' * 4096); print(1, flush=True)"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
watched = [server.stdout] + ([server.stderr] if sys.argv[1] == "drains" else [])
print("ready", flush=True)
while True:
    for f in select.select(watched, [], [], 0.1)[0]: os.read(f.fileno(), 65536)
    server.stdin.write(b"ask\\n"); server.stdin.flush()
"""

# Waits for the end of its workers before it reads what they put into the pipe, as with a queue of
# multiprocessing; the other workers have inherited the pipe and wait for its lock.
JOINS_FIRST = """
import multiprocessing
multiprocessing.set_start_method("fork")
queue = multiprocessing.Queue()
workers = [multiprocessing.Process(target=lambda: queue.put(bytes(1 << 20))) for _ in range(3)]
for w in workers: w.start()
print("ready", flush=True)
for w in workers: w.join()
"""

COMPUTING_READER = """
import os, time
inside, out = os.pipe()
if not os.fork():
    os.close(out)
    while os.read(inside, 4096):
        end = time.monotonic() + 20
        while time.monotonic() < end: pass
    os._exit(0)
os.close(inside)
print("ready", flush=True)
while True: os.write(out, b"x" * 65536)
"""

STOPPED = """
import os, signal, subprocess, sys
if sys.argv[1] == "tree":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    os.kill(child.pid, signal.SIGSTOP)
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""

# Stopped for a moment each time, as by what traces it or by a terminal; it goes on.
RESUMED = """
import os, random, signal, sys, time
child = os.fork()
if child:
    print("ready", flush=True)
    while True: time.sleep(0.05)
while True:
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(0.005)
    os.kill(os.getppid(), signal.SIGCONT)
    time.sleep(random.uniform(0.4, 0.9))  # not in step with the samples
"""

# A limiter of CPU time: a third of it stopped, at each end of the observation perhaps.
LIMITED = RESUMED.replace("time.sleep(0.005)", "time.sleep(0.3)").replace("random.uniform(0.4, 0.9)", "0.1")

# Reads of FIFOs in the pool of node; beside a loop that is alive.
POOL = """
const fs = require('fs'), { execFileSync } = require('child_process');
for (let i = 0; i < Number(process.argv[1]); i++) {
    execFileSync('mkfifo', ['fifo' + i]);
    fs.readFile('fifo' + i, () => {});
}
setInterval(() => {}, 100);
setTimeout(() => console.log('ready'), 300);
"""

PDB = """
import pdb
def work(x):
    pdb.set_trace()
    return x
print("ready", flush=True)
work(1)
"""


def of_node(program, *argv):
    def make(scope, _):
        (scope.path / "app.js").write_text(program)
        return scope.start(["node", "-e", program, *argv]).pid
    return make


def inspected(option, *more):
    """Node says on standard error where it listens for a debugger."""
    def make(scope, _):
        return scope.start(["sh", "-c", 'exec node "$@" 2>&1', "sh", option + "=127.0.0.1:0", "-e",
            "setInterval(() => {}, 100)", *more], ready=b"ws://").pid
    return make


def at_prompt(scope, _):
    r, w = os.pipe()
    scope.later(lambda: os.close(w))
    return scope.python(PDB, stdin=r).pid


def no_node():
    return None if shutil.which("node") else "no node here"


# The reader takes three, and ends or sleeps.
QUEUE = """
import queue, sys, threading, time
q = queue.Queue(5)
def read():
    for _ in range(3): q.get()
    if sys.argv[1] == "read": time.sleep(600)
threading.Thread(target=read, daemon=True).start()
def fill():
    for i in range(8): q.put(i)
    print("ready", flush=True)
    while True: q.put(9)
fill()
"""


# The main thread looks on: every moment it counts, or takes one.
CONDITION = """
import ctypes, sys, threading, time
libc = ctypes.CDLL(None)
condition, mutex = (ctypes.create_string_buffer(64) for _ in range(2))
def beside():
    time.sleep(1000)
    libc.pthread_cond_signal(condition)
if sys.argv[1] == "beside":
    threading.Thread(target=beside, daemon=True).start()
libc.pthread_mutex_lock(mutex)
print("ready", flush=True)
libc.pthread_cond_wait(condition, mutex)
"""

# The thread that was to set the event has ended without that; a handler of SIGTERM may set it.
EVENT = """
import signal, sys, threading
loaded = threading.Event()
def load():
    pass
def stop(*_):
    loaded.set()
loader = threading.Thread(target=load)
loader.start()
loader.join()
if sys.argv[1] == "handled":
    signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
loaded.wait()
"""

WATCHED_QUEUE = """
import queue, sys, threading, time
q = queue.Queue(5)
def read():
    for _ in range(3): q.get()
def fill():
    while True: q.put(9)
for one in (read, fill): threading.Thread(target=one, daemon=True).start()
while q.qsize() < 5: time.sleep(0.01)
print("ready", flush=True)
while True:
    time.sleep(0.2)
    if sys.argv[1] == "takes": q.get()
"""


# The main program ends; one thread gets from a queue that another one feeds, or that none does.
LEFT_THREAD = """
import queue, sys, threading, time
q = queue.Queue()
def consume():
    while True: q.get()
def feed():
    while True: time.sleep(1); q.put(1)
threading.Thread(target=consume).start()
if sys.argv[1] == "fed": threading.Thread(target=feed).start()
print("ready", flush=True)
"""


# Sends to a POSIX queue, which a child receives from, slowly or not at all, or which nothing receives from.
POSIX_QUEUE = """
import ctypes, os, sys, time
libc = ctypes.CDLL("librt.so.1", use_errno=True)
name = b"/sooth-queue-%d" % os.getpid()
def opened(flags): return libc.mq_open(name, flags, 0o600, None)
queue = opened(os.O_WRONLY | os.O_CREAT)
if sys.argv[1] != "none" and not os.fork():
    received, size = opened(os.O_RDONLY), ctypes.c_size_t(65536)
    while True:
        if sys.argv[1] == "reads": libc.mq_receive(received, ctypes.create_string_buffer(65536), size, None)
        time.sleep(600 if sys.argv[1] == "rests" else 0.01)
time.sleep(0.5)
libc.mq_unlink(name)
print("ready", flush=True)
while True: libc.mq_send(queue, b"reading", ctypes.c_size_t(7), 0)
"""


def posix_queue(how):
    return lambda scope, rng: scope.python(POSIX_QUEUE, how).pid


def partial(what):
    return lambda scope, rng: scope.python(PARTIAL, what).pid


def forked(scope, rng):
    started = scope.python(PARTIAL, "fork")
    return int(bytes(started.out).split(b"ready ")[1].split()[0])


def unread(kind, low=0.0, high=0.0):
    return lambda scope, rng: scope.python(UNREAD, kind, rng.uniform(low, high)).pid


def stopped(what):
    return lambda scope, rng: scope.python(STOPPED, what).pid


def worker(scope, rng):
    started = scope.python(WORKER)
    return int(bytes(started.out).split(b"ready ")[1].split()[0])


TIME = {"evidence": "time the thread has spent in this wait", "threshold": "min-time"}
HANG = {"evidence": "time in which no thread of the process ran", "threshold": "min-time"}

SOON = {"settings": ("deadlock.min-time=1s",), "duration_s": 3.0}

# Asked to end while it takes no signals; or it takes them from a signalfd, or none was sent.
HOLDS_SIGNALS = """
import os, signal, sys, threading, time
kind = sys.argv[1]
held = {signal.SIGTERM, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, held)
def take():
    while True: signal.sigwait(held)
if kind in ("takes", "none"): threading.Thread(target=take, daemon=True).start()
print("ready", flush=True)
while True:
    if kind == "takes": os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.3)
"""


# Ends a shell with a trap again and again, whose command in the foreground goes on; or one after the
# other, that end.
ENDS_SHELL = """
import subprocess, sys, time
def shell(): return subprocess.Popen(["bash", "-c", "trap 'exit 0' TERM; sleep 600; true"])
one = shell()
time.sleep(0.5)
print("ready", flush=True)
while True:
    one.terminate()
    time.sleep(0.5)
    if sys.argv[1] == "others":
        subprocess.run(["pkill", "-P", str(one.pid)])
        one.wait()
        one = shell()
"""


def ends_shell(which):
    return lambda scope, rng: scope.python(ENDS_SHELL, which).pid


def holds_signals(kind, asks=()):
    def make(scope, rng):
        process = scope.python(HOLDS_SIGNALS, kind)
        for number in asks:
            os.kill(process.pid, number)
        return process.pid
    return make


CASES = [
    sick("pool-stuck", "all threads of node's pool in FIFOs", of_node(POOL, "4"), may_skip=no_node,
        says="all 4 threads of its pool (libuv) are stuck", duration_s=4, settings=("pool-stuck.min-time=1s",)),
    healthy("pool-stuck", "one free thread of node's pool", of_node(POOL, "3"), may_skip=no_node,
        duration_s=4, settings=("pool-stuck.min-time=1s",)),
    sick("debugger-awaited", "node that waits for a debugger", inspected("--inspect-brk"), may_skip=no_node,
        says="before its first line", duration_s=4, settings=("debugger-awaited.min-time=1s",)),
    healthy("debugger-awaited", "node that a debugger may connect to", inspected("--inspect"), may_skip=no_node,
        duration_s=4, settings=("debugger-awaited.min-time=1s",)),
    sick("debugger-awaited", "Python at the prompt of pdb", at_prompt, says="(pdb)", duration_s=4,
        settings=("debugger-awaited.min-time=1s",)),
    sick("signal-pending", "SIGTERM that is blocked and never taken",
        holds_signals("keeps", (signal.SIGTERM, signal.SIGHUP)), says="was sent SIGTERM and SIGHUP"),
    sick("signal-pending", "SIGTERM to a shell that waits for its command", ends_shell("one"),
        says="it has one child, sleep (", severity="medium", duration_s=5, evidence="signals sent",
        threshold="min-sent"),
    healthy("signal-pending", "SIGTERM to shells that end", ends_shell("others"), duration_s=5),
    healthy("signal-pending", "SIGTERM that a thread takes each time", holds_signals("takes")),
    healthy("signal-pending", "signals that are blocked, none sent", holds_signals("none")),
    sick("blocked-io", "the parent of a vfork", workload("blocked"), **TIME),
    sick("blocked-io", "a file system that does not answer", silent_file(), may_skip=is_root,
        says=", served by workloads (", **TIME),
    sick("blocked-io", "the same, uninterruptible", silent_file("--swallow", "--interrupt"),
        may_skip=is_root, **TIME),
    sick("blocked-io", "a guard of files that does not answer", program(GUARDED, ("sleeps",)),
        may_skip=is_root, says=" permits its access to ", **TIME),
    healthy("blocked-io", "a guard of files that answers", program(GUARDED, ("answers",)),
        may_skip=is_root),
    sick("blocked-io", "a page that another process has to give", program(PAGED, ("sleeps",)),
        says="waits for a page of its memory, which python3 ", **TIME),
    sick("blocked-io", "a page whose giver has ended", program(PAGED, ("ended",)),
        says="waits for a page of its memory, which no other process gives", **TIME),
    healthy("blocked-io", "pages that another process gives", program(PAGED, ("answers",))),
    sick("blocked-io", "a frozen file system", frozen_file, may_skip=may_freeze_files, **TIME),
    healthy("blocked-io", "a writer that waits for the disk", program(WRITER, (512, 1 << 20)),
        also=("slow-syscalls",)),
    healthy("blocked-io", "a reader of a FIFO", program(FIFO)),
    healthy("blocked-io", "a lock on a file", program(FLOCK)),
    healthy("blocked-io", "one that spawns all the time", program(SPAWNER), also=("process-flood",)),
    healthy("blocked-io", "the control group of the process is frozen", in_freezer, may_skip=may_freeze_groups,
        also=("frozen",)),
    sick("writer-stuck", "a pipe that nobody reads", unread("pipe"), duration_s=4, severity="low",
        evidence="blocked for", threshold="min-time"),
    sick("writer-stuck", "a local socket that nobody reads", unread("socket"), duration_s=4,
        severity="low", options=("-d",)),
    sick("writer-stuck", "a pipe that is read slowly", unread("pipe", 0.2, 0.5), duration_s=4,
        severity="low", says="reads slowly: it sleeps"),
    sick("writer-stuck", "a queue that nothing receives from", posix_queue("none"), duration_s=4, says="no other process "),
    sick("writer-stuck", "a queue whose receiver sleeps", posix_queue("rests"), duration_s=4, says="does not read"),
    healthy("writer-stuck", "a queue that is received from", posix_queue("reads"), duration_s=4),
    sick("writer-stuck", "a pipe with a reader that is stopped", program(STOPPED_READER), duration_s=4,
        says="is stopped by a signal", also=("held-up", "frozen")),
    sick("writer-stuck", "a tool server below an event loop that reads only its answers",
        program(TOOL_CLIENT, ("reads",)), duration_s=4, severity="low", says="its standard error"),
    sick("writer-stuck", "workers that are joined before their results are read", program(JOINS_FIRST),
        duration_s=4, severity="low", says="it waits for its child", also=("all-threads-waiting",)),
    healthy("writer-stuck", "a tool server below an event loop that reads both its outputs",
        program(TOOL_CLIENT, ("drains",)), duration_s=4),
    healthy("writer-stuck", "a pipe with a reader that computes", program(COMPUTING_READER), duration_s=4),
    healthy("writer-stuck", "a pipe that is read at once", unread("pipe", 0.001, 0.002), duration_s=4),
    healthy("writer-stuck", "a pipe with nothing in it", program(QUIET_PIPE), duration_s=4),
    sick("frozen", "stopped by a signal", stopped("alone"), says="stopped by SIGSTOP"),
    sick("frozen", "with what it started", stopped("tree"), says="stopped by SIGSTOP"),
    sick("frozen", "by the freezer of its control group", in_freezer, may_skip=may_freeze_groups,
        says="group of the process is frozen"),
    healthy("frozen", "one that sleeps", lambda s, r: s.python(
        "import time\nprint('ready', flush=True)\ntime.sleep(600)").pid),
    healthy("frozen", "stopped for most of the time by a limiter", lambda s, r: s.python(LIMITED).pid),
    healthy("frozen", "stopped for moments", lambda s, r: s.python(RESUMED).pid),

    sick("deadlock", "two locks of Python, beside a thread that runs", partial("locks"), **SOON,
        says="2 of 4 threads wait for locks"),
    sick("deadlock", "a pool whose tasks wait for its tasks", partial("pool"), **SOON,
        says="thread pool exhausted: all 2 pool threads"),
    sick("deadlock", "a lock of a thread that fork did not copy", forked, **SOON,
        says="its only thread waits for a lock"),
    sick("deadlock", "a condition that no thread is left to signal", program(CONDITION, ("alone",)), **SOON,
        says="its only thread waits on a condition"),
    healthy("deadlock", "a condition beside a thread that may signal it", program(CONDITION, ("beside",)), **SOON),
    sick("deadlock", "an event that no thread is left to set", program(EVENT, ("alone",)), **SOON,
        says="its only thread waits in Condition.wait"),
    healthy("deadlock", "an event that the handler of a signal sets", program(EVENT, ("handled",)), **SOON),
    sick("deadlock", "a full queue whose reader has ended", program(QUEUE, ("alone",)), **SOON,
        says="its only thread waits in Queue.put"),
    sick("deadlock", "a full queue without a reader, beside a main thread that looks on",
        program(WATCHED_QUEUE, ("counts",)), **SOON, says="1 thread waits in Queue.put"),
    healthy("deadlock", "a full queue whose reader is the main thread", program(WATCHED_QUEUE, ("takes",)), **SOON),
    healthy("deadlock", "a full queue whose reader sleeps", program(QUEUE, ("read",)), **SOON),
    healthy("deadlock", "threads that wait for work", partial("at rest"), **SOON),
    healthy("deadlock", "a holder that sleeps", partial("holder"), **SOON),
    healthy("deadlock", "a task for another pool", partial("free thread"), **SOON),

    sick("all-threads-waiting", "two locks, crosswise", workload("locks", "--kind", "deadlock"),
        **HANG),
    sick("all-threads-waiting", "a lock that it has itself", workload("locks", "--kind", "self"),
        **HANG),
    sick("all-threads-waiting", "locks of an interpreter", program(DEADLOCK, (0, 1, 5)), **HANG),
    sick("all-threads-waiting", "a thread left at a queue when the program has ended",
        program(LEFT_THREAD, ("left",)), says="waits in Queue.get", severity="medium", **HANG),
    healthy("all-threads-waiting", "a thread at a queue that another one feeds", program(LEFT_THREAD, ("fed",))),
    sick("all-threads-waiting", "two mutexes crosswise, beside a thread that sleeps", program(MUTEXES),
        says="wait for mutexes of each other"),
    sick("all-threads-waiting", "two processes with a lock each", program(CROSSWISE, ("locks",)),
        says="processes wait for each other"),
    sick("all-threads-waiting", "two processes that only read from each other", program(CROSSWISE, ("pipes",)),
        says="each wait for the other to write", severity="medium"),
    healthy("all-threads-waiting", "a child that another thread may write to", program(FEEDER)),
    healthy("all-threads-waiting", "an idle pool", workload("locks", "--kind", "idle")),
    healthy("all-threads-waiting", "a worker of another process", worker),
    healthy("all-threads-waiting", "one that serves signals", program(SERVES_SIGNALS)),
    healthy("all-threads-waiting", "a lock on a file", program(FLOCK)),
    *(healthy("all-threads-waiting", "an idle pool, and one that waits for " + what,
        program(WAITER % text, (0, 1, 4))) for what, text in WAITS.items()),
]
