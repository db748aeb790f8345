# SPDX-License-Identifier: BSD-2-Clause
"""
What system calls tell: write-churn, connect-failing, syscall-errors, slow-syscalls, metadata-storm,
small-io, filling-up. Each does its work in bursts with pauses between, so that it is neither a spin nor a busy
poll; how much in which time is drawn.
"""
import dataclasses
import functools
import os
import pathlib
import shutil

import case
import control_group

sick = functools.partial(case.sick, calls=True)
healthy = functools.partial(case.healthy, calls=True)

# What every program has: a time, a size, and work that is done once in each round.
ROUNDS = """
import os, sys, time
kind, pause, size = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
"""
AGAIN = """
print("ready", flush=True)
n = 0
while True:
    n += 1
    work(n)
    time.sleep(pause)
"""


def program(text, kind, pause, size):
    """`pause` in seconds and `size` are ranges."""
    def make(scope, rng):
        return scope.python(ROUNDS + text + AGAIN, kind, rng.uniform(*pause),
            str(rng.randint(*size))).pid
    return make


# --- files that are written ---

WRITES = """
block = os.urandom(size)
def flat(name, flags=os.O_WRONLY | os.O_CREAT):
    return os.open(name, flags, 0o600)
kept = flat("kept", os.O_RDWR | os.O_CREAT)
log = flat("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def put(fd, data):
    while data: data = data[os.write(fd, data):]
def work(n):
    if kind == "truncated":
        fd = flat("state.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC); put(fd, block); os.close(fd)
    elif kind == "renamed":
        fd = flat("state.%d" % n); put(fd, block); os.close(fd); os.rename("state.%d" % n, "state")
    elif kind == "removed":
        fd = flat("part.%d" % n); put(fd, block); os.close(fd); os.unlink("part.%d" % n)
    elif kind == "one name":
        fd = flat("part"); put(fd, block); os.close(fd); os.unlink("part")
    elif kind == "emptied":
        os.ftruncate(kept, 0); os.lseek(kept, 0, os.SEEK_SET); put(kept, block)
    elif kind == "over itself":
        os.pwrite(kept, block, 0)
    elif kind == "sought":
        os.lseek(kept, 0, os.SEEK_SET); put(kept, block)
    elif kind == "appended":
        put(log, block)
    elif kind == "many files":
        fd = flat("f%d" % n); put(fd, block); os.close(fd)
    elif kind == "read back":
        os.lseek(log, 0, os.SEEK_END); put(log, block); os.pread(kept, size, 0)
"""

# A journal that begins anew when it is full, and a table that is written in place.
DATABASE = """
import sqlite3
db = sqlite3.connect("data.db")
db.execute("pragma journal_mode=" + kind)
db.execute("create table if not exists t(a integer primary key, b text)")
db.commit()
def work(n):
    with db:
        db.execute("insert or replace into t values(?, ?)", (n % 200, "x" * size))
"""

GONE = {"evidence": "written and discarded", "threshold": "min-rate"}
OVER = {"evidence": "overwritten", "threshold": "in-place-rate"}
# Writing takes as long as the disk and the machine let it.
LITTLE = ("write-churn.min-rate=200K", "write-churn.in-place-rate=2M")
BIG = (300_000, 2_000_000)
OFTEN = (0.01, 0.04)


def writes(kind, pause=OFTEN, size=BIG):
    return program(WRITES, kind, pause, size)


WRITE_CHURN = [
    sick("write-churn", "written whole, with O_TRUNC", writes("truncated"), settings=LITTLE,
        says="over and over: ", **GONE),
    sick("write-churn", "written beside and renamed", writes("renamed"), settings=LITTLE,
        says="over and over: ", **GONE),
    sick("write-churn", "emptied and written by one descriptor", writes("emptied"),
        settings=LITTLE, says="over and over: ", **GONE),
    sick("write-churn", "written and removed, each by a name of its own", writes("removed"),
        settings=LITTLE, says="writes and removes files in", **GONE),
    sick("write-churn", "written and removed, by one name", writes("one name"), settings=LITTLE,
        says="writes and removes ", **GONE),
    sick("write-churn", "the same part, by pwrite", writes("over itself"), settings=LITTLE,
        says="overwrites the same parts", **OVER),
    sick("write-churn", "the same part, by lseek", writes("sought"), settings=LITTLE,
        says="overwrites the same parts", **OVER),
    healthy("write-churn", "a log that grows", writes("appended", size=(20_000, 400_000)),
        settings=LITTLE),
    healthy("write-churn", "many files that stay", writes("many files", size=(20_000, 200_000)),
        settings=LITTLE),
    healthy("write-churn", "a small file, often", writes("truncated", size=(100, 800)),
        settings=LITTLE),
    healthy("write-churn", "a large file, now and then", writes("truncated", pause=(2.2, 3),
        size=(400_000, 900_000)), settings=LITTLE),
    healthy("write-churn", "a log, and reads of another file", writes("read back",
        size=(1000, 50_000)), settings=LITTLE),
    healthy("write-churn", "a database with a journal that is removed",
        program(DATABASE, "delete", (0.02, 0.05), (100, 800))),
    healthy("write-churn", "a database with a log ahead",
        program(DATABASE, "wal", (0.01, 0.03), (100, 2000))),
]

# --- peers ---

CONNECTS = """
import errno, socket, threading
def bound():
    # It does not listen: its port refuses, and nobody else gets it.
    s = socket.socket(); s.bind(("127.0.0.1", 0)); return s
def listener(family=socket.AF_INET, backlog=64):
    s = socket.socket(family); s.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    s.listen(backlog); return s
def drain(s):
    while True: s.accept()[0].close()
def answer(s):
    # Each connection, and no second request by it.
    while True:
        c = s.accept()[0]
        if c.recv(100): c.sendall(b"answer")
        c.close()
def request(address, sends):
    with socket.create_connection(address) as s:
        if sends: s.sendall(b"request")
        try:
            while s.recv(100): pass
        except ConnectionError: pass
def attempt(address, family=socket.AF_INET, timeout=None, type=socket.SOCK_STREAM):
    s = socket.socket(family, type)
    try:
        if timeout is not None: s.settimeout(timeout)
        s.connect(address)
        return True
    except OSError:
        return False
    finally:
        s.close()
if kind in ("refused", "refused with a time-out", "now and then"):
    deaf = bound()
    port = deaf.getsockname()[1]
elif kind == "gone":
    s = socket.socket(socket.AF_UNIX); s.bind("gone"); s.close()
elif kind == "no answer":
    full = listener(backlog=0)
    kept = []
    for _ in range(4):
        s = socket.socket(); s.setblocking(False); s.connect_ex(full.getsockname()); kept.append(s)
    time.sleep(0.2)
elif kind in ("hangs", "is late"):
    full = listener(backlog=0)
    if kind == "hangs" and not os.fork():
        # The server, which ends with this process: neither waits for itself or for the other.
        import ctypes
        ctypes.CDLL(None).prctl(1, 9)
        time.sleep(600)
    kept = []
    for _ in range(3):
        s = socket.socket(); s.setblocking(False); s.connect_ex(full.getsockname()); kept.append(s)
    server = full.getsockname()
    if kind == "hangs": full.close()
    time.sleep(0.2)
elif kind == "answers":
    server = listener()
    threading.Thread(target=answer, args=(server,), daemon=True).start()
elif kind in ("reached", "two addresses", "no wait", "comes up", "cut", "cut after sending"):
    server = bound() if kind == "comes up" else listener()
    port = server.getsockname()[1]
    if kind != "comes up":
        threading.Thread(target=drain, args=(server,), daemon=True).start()
def give_up():
    while True: attempt(full.getsockname(), timeout=1.1)
def work(n):
    global server
    if kind == "refused": attempt(("127.0.0.1", port))
    elif kind == "refused with a time-out": attempt(("127.0.0.1", port), timeout=1)
    elif kind == "no path": attempt("missing", socket.AF_UNIX)
    elif kind == "gone": attempt("gone", socket.AF_UNIX)
    elif kind == "no answer" and n == 1:
        for _ in range(4): threading.Thread(target=give_up, daemon=True).start()
    elif kind == "hangs": attempt(server)
    elif kind == "is late" and n == 1:
        time.sleep(0.8)
        for _ in range(3): kept.append(full.accept()[0])
    elif kind == "reached": attempt(("127.0.0.1", port))
    elif kind in ("cut", "cut after sending", "answers"):
        request(server.getsockname(), kind != "cut")
    elif kind == "no wait": attempt(("127.0.0.1", port), timeout=1)
    elif kind == "two addresses":
        attempt(("::1", port), socket.AF_INET6); attempt(("127.0.0.1", port))
    elif kind == "names":
        attempt(("2001:db8::1", 443), socket.AF_INET6, type=socket.SOCK_DGRAM)
    elif kind == "now and then": attempt(("127.0.0.1", port))
    elif kind == "comes up":
        if n == size:
            server.listen(64)
            threading.Thread(target=drain, args=(server,), daemon=True).start()
        attempt(("127.0.0.1", port))
"""

# Requests by UDP: the peer takes them and is silent, or answers; or nobody waits for an answer.
DATAGRAMS = """
import select, socket, threading
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("127.0.0.1", 0))
peer = server.getsockname()
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); client.settimeout(pause)
def answer():
    while True:
        data, peer = server.recvfrom(100)
        server.sendto(data, peer)
if kind in ("answers", "connected"): threading.Thread(target=answer, daemon=True).start()
if kind == "refused": server.close()
def ask_connected():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(peer)
        s.send(b"request")
        p = select.poll(); p.register(s, select.POLLIN)
        # As the resolver of glibc: an event that is an error ends it, without a call that fails.
        if any(events & select.POLLIN for _, events in p.poll(1000)) and kind == "connected": s.recv(100)
def work(n):
    if kind in ("refused", "connected"): return ask_connected()
    client.sendto(b"request", server.getsockname())
    if kind != "only sends":
        try: client.recv(100)
        except TimeoutError: pass
"""

NODE_CLIENT = """
const net = require('net');
// Nobody listens there, and the kernel gives it to nobody.
setInterval(() => net.connect(1, '127.0.0.1').on('error', () => {}), %d);
console.log('ready');
"""


def connects(kind, pause=(0.05, 0.3), size=(1, 1)):
    return program(CONNECTS, kind, pause, size)


def node_client(scope, rng):
    return scope.start(["node", "-e", NODE_CLIENT % rng.randint(60, 300)]).pid


# Short commands, one after the other: what they do counts together.
COMMANDS = """
import socket, subprocess, threading
server = socket.socket(); server.bind(("127.0.0.1", 0))
port = server.getsockname()[1]
def drain():
    while True: server.accept()[0].close()
if kind == "reached":
    server.listen(64)
    threading.Thread(target=drain, daemon=True).start()
elif kind == "in use":
    server.listen(1)
elif kind == "taken": # by a connection to itself
    server.connect(("127.0.0.1", port))
    if not os.fork(): time.sleep(600)
    server.close()
elif kind in ("database", "free database"):
    import fcntl
    db = open("app.db", "w")
    if kind == "database" and not os.fork():
        fcntl.flock(db, fcntl.LOCK_EX)
        time.sleep(60)
        os._exit(0)
    db.close()
    time.sleep(0.3)
elif kind in ("lock", "no lock"):
    subprocess.run(["git", "init", "-q", "."], check=True)
    if kind == "lock": open(".git/index.lock", "w").close()
def work(n):
    if kind == "lock":
        subprocess.run(["git", "add", "."], stderr=subprocess.DEVNULL)
    elif kind == "no lock":
        open("file%d" % n, "w").write(str(n))
        subprocess.run(["git", "add", "."], stderr=subprocess.DEVNULL)
    elif kind in ("database", "free database"):
        subprocess.run(["flock", "-n", "app.db", "true"])
    elif kind in ("in use", "taken"):
        subprocess.run([sys.executable, "-c", "import socket; socket.create_server(('127.0.0.1', %d))" % port],
                       stderr=subprocess.DEVNULL)
    elif kind == "gone":
        try: subprocess.run(["true"], cwd="gone")
        except FileNotFoundError: pass
    elif kind in ("refused", "reached"):
        subprocess.run(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/%d" % port], stderr=subprocess.DEVNULL)
    else:
        subprocess.run(["cp", "/etc/passwd", "/dev/full"] if kind == "no space" else ["cat", "missing"],
                       stderr=subprocess.DEVNULL)
"""


# The owner of the lock is a child that has ended, or that goes on.
LOCK_FILE = """
import os, subprocess, sys, time
owner = subprocess.Popen(["sleep", "600"] if sys.argv[1] == "lives" else ["true"])
if sys.argv[1] != "lives": owner.wait()
with open("work.lock", "w") as file: file.write("%d\\n" % owner.pid)
print("ready", flush=True)
while True:
    try: os.open("work.lock", os.O_CREAT | os.O_EXCL)
    except FileExistsError: time.sleep(float(sys.argv[2]))
"""


# Locks by a link, as GnuPG does, with long pauses: the PID in the lock belongs to another program, or the lock is removed.
LINKED = """
import os, subprocess, sys, time
other = subprocess.Popen(["sleep", "600"])
os.mkdir("keys")
with open("keys/ring.lock", "w") as file: file.write(str(other.pid))
with open("keys/own", "w") as file: file.write(str(os.getpid()))
print("ready", flush=True)
for i in range(1000):
    try:
        os.link("keys/own", "keys/ring.lock")
        os.unlink("keys/ring.lock")
    except FileExistsError:
        os.kill(other.pid, 0)
        if sys.argv[1] == "freed" and i == 1: os.unlink("keys/ring.lock")
    time.sleep(2.1)
"""


def linked(kind):
    return lambda scope, rng: scope.python(LINKED, kind).pid


def lock_file(lives):
    return lambda scope, rng: scope.python(LOCK_FILE, "lives" if lives else "ended",
        rng.uniform(0.03, 0.08)).pid


def commands(kind):
    return program(COMMANDS, kind, (0.4, 0.7), (1, 1))


def has_git():
    return None if shutil.which("git") else "no git"


def has_node():
    return None if shutil.which("node") else "no node"


CUT = {"evidence": "closed by the peer", "threshold": "min-failures"}
FAILS = {"evidence": "failures", "threshold": "min-failures"}

CONNECT_FAILING = [
    sick("connect-failing", "refused", connects("refused"), says="ECONNREFUSED", **FAILS),
    sick("connect-failing", "refused, with a time-out", connects("refused with a time-out"),
        says="ECONNREFUSED", **FAILS),
    sick("connect-failing", "a socket that is not there", connects("no path"), says="ENOENT",
        **FAILS),
    sick("connect-failing", "a socket that nobody has", connects("gone"), says="ECONNREFUSED",
        **FAILS),
    sick("connect-failing", "no answer", connects("no answer"), says="no answer",
        duration_s=6.0, **FAILS),
    sick("connect-failing", "retries with long pauses", connects("now and then", (1.2, 1.4)),
        says="ECONNREFUSED", duration_s=4.0, evidence="failures", threshold="min-retries"),
    sick("connect-failing", "hangs in connect", connects("hangs"), also=("receive-drops",),
        says=" accepts no connections, and its queue is full", evidence="time without an answer, at least",
        threshold="min-wait"),
    case.sick("connect-failing", "hangs in connect, and no call is observed", connects("hangs"), also=("receive-drops",),
        says=" accepts no connections, and its queue is full", options=("--passive",),
        evidence="time without an answer, at least", threshold="min-wait"),
    sick("connect-failing", "node", node_client, says="ECONNREFUSED", may_skip=has_node, **FAILS),
    sick("connect-failing", "each command that it starts", commands("refused"),
        says=r"its children (bash) cannot connect to 127.0.0.1:", **FAILS),
    sick("connect-failing", "requests by UDP without an answer",
        program(DATAGRAMS, "silent", (0.3, 0.4), (1, 1)), says="(UDP): ", duration_s=5.0,
        evidence="requests", threshold="min-retries"),
    healthy("connect-failing", "requests by UDP with an answer",
        program(DATAGRAMS, "answers", (0.3, 0.4), (1, 1)), duration_s=5.0),
    sick("connect-failing", "requests by UDP that are refused",
        program(DATAGRAMS, "refused", (0.2, 0.4), (1, 1)), says="ECONNREFUSED", duration_s=5.0, **FAILS),
    healthy("connect-failing", "requests by UDP of a connected socket",
        program(DATAGRAMS, "connected", (0.2, 0.4), (1, 1)), duration_s=5.0),
    healthy("connect-failing", "datagrams that need no answer",
        program(DATAGRAMS, "only sends", (0.1, 0.2), (1, 1)), duration_s=5.0),
    healthy("connect-failing", "each command that it starts reaches it", commands("reached")),
    sick("connect-failing", "closed at once", connects("cut"), says="closes its connections at once", **CUT),
    sick("connect-failing", "closed after each request", connects("cut after sending"),
        says="closes its connections at once", **CUT),
    healthy("connect-failing", "a connection for each answer", connects("answers")),
    healthy("connect-failing", "reached", connects("reached")),
    healthy("connect-failing", "reached, without waiting", connects("no wait")),
    healthy("connect-failing", "two addresses, of which one is there", connects("two addresses")),
    healthy("connect-failing", "a look at which addresses could be reached",
        connects("names", (0.01, 0.05))),
    healthy("connect-failing", "once in the observation", connects("now and then", (3.5, 5))),
    healthy("connect-failing", "a server that answers late", connects("is late")),
    healthy("connect-failing", "a server that comes up", connects("comes up", (0.03, 0.06),
        (10, 30))),
]

# --- errors ---

ERRORS = """
import errno, fcntl, resource, socket
for i in range(6):
    os.makedirs("d%d" % i)
open("d5/tool", "w").close()
open("d5/module.js", "w").close()
a, b = socket.socketpair(); a.setblocking(False)
r, w = os.pipe()
full = os.open("/dev/full", os.O_WRONLY)
read_only = os.open("/etc/passwd", os.O_RDONLY)
if kind.startswith("no descriptors"):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    kept = []
    while True:
        try: kept.append(os.dup(0))
        except OSError: break
def fails(call, *args):
    try: call(*args)
    except OSError: pass
def one(n):
    if kind == "not there": fails(os.stat, "missing.json")
    elif kind == "a folder": fails(os.open, "d0", os.O_WRONLY)
    elif kind == "read only": fails(os.write, read_only, b"x")
    elif kind == "no folder": fails(os.rename, "x", "nowhere/x")
    elif kind == "no space": fails(os.write, full, b"x")
    elif kind == "no descriptors": fails(os.open, "d5/tool", os.O_RDONLY)
    elif kind == "no descriptors for any":
        fails(os.open, "d5/tool%d" % (n * size + one.k), os.O_RDONLY); one.k += 1
    elif kind == "search":
        for i in range(6): fails(os.stat, "d%d/tool" % i)
    elif kind == "extensions":
        for x in ("", ".mjs", ".json", ".js"): fails(os.stat, "d5/module" + x)
    elif kind == "each once": fails(os.stat, "missing%d" % (n * size + one.k)); one.k += 1
    elif kind == "terminal": os.isatty(r); fails(os.lseek, r, 0, 0)
    elif kind == "empty": fails(a.recv, 100)
    elif kind == "alive": fails(os.kill, 2 ** 22 - 2, 0)
    elif kind == "made": fails(os.mkdir, "d0")
    elif kind == "children": fails(os.waitpid, -1, os.WNOHANG)
    elif kind == "seldom": fails(os.stat, "missing.json")
    elif kind == "closed": fails(os.close, 900)
one.k = 0
def work(n):
    for _ in range(size): one(n)
"""

# A file system of `size` KiB, in a mount namespace of its own.
SMALL_DISK = """
import ctypes, subprocess
ctypes.CDLL(None).unshare(0x20000)
os.mkdir("disk")
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dK,nr_inodes=%d" % (size,
    {"no inodes": 50, "takes inodes": 4000, "makes directories": 4000,
    "removes directories": 4000, "gives inodes back": 4000}.get(kind, 30000)), "none", "disk"], check=True)
def fails(call, *args):
    try: return call(*args)
    except OSError: return None
kept = os.open("disk/log", os.O_WRONLY | os.O_CREAT, 0o600)
if kind == "grows without a name": os.unlink("disk/log")
if kind == "large": out = os.open("log", os.O_WRONLY | os.O_CREAT, 0o600)
if kind == "read only":
    os.close(kept)
    subprocess.run(["mount", "-o", "remount,ro,bind", "disk"], check=True)
if kind in ("full", "many files on a full one"):
    while fails(os.write, kept, b"x" * 4096): pass
if kind == "another has it" and not os.fork():
    old = os.open("disk/old", os.O_WRONLY | os.O_CREAT, 0o600)
    os.close(kept)
    os.unlink("disk/old")
    while fails(os.write, old, b"x" * 4096): pass
    open("filled", "w").close()
    time.sleep(120)
while kind == "another has it" and not os.path.exists("filled"): time.sleep(0.02)
if kind == "no inodes":
    while fails(os.mkdir, "disk/d%d" % len(os.listdir("disk"))) is None and len(os.listdir("disk")) < 49: pass
def work(n):
    if kind in ("full", "another has it"): fails(os.write, kept, b"x" * 4096)
    elif kind == "read only": fails(os.mkdir, "disk/folder")
    elif kind in ("many files on a full one", "no inodes"):
        try:
            fd = os.open("disk/f%d" % n, os.O_WRONLY | os.O_CREAT, 0o600)
            fails(os.write, fd, b"x" * 4096); os.close(fd)
        except OSError: pass
    elif kind in ("grows", "grows without a name"): os.write(kept, b"x" * 60000)
    elif kind == "grows by appends":
        fd = os.open("disk/log", os.O_WRONLY | os.O_APPEND); os.write(fd, b"x" * 60000); os.close(fd)
    elif kind == "many files grow":
        fd = os.open("disk/f%d" % n, os.O_WRONLY | os.O_CREAT, 0o600); os.write(fd, b"x" * 60000)
        os.close(fd)
    elif kind == "emptied":
        if n % 10 == 0: os.ftruncate(kept, 0); os.lseek(kept, 0, os.SEEK_SET)
        os.write(kept, b"x" * 60000)
    elif kind in ("takes inodes", "gives inodes back"):
        for i in range(4):
            with open("disk/t%d.%d" % (n, i), "wb") as f: f.write(b"x")
            if kind == "gives inodes back": os.unlink("disk/t%d.%d" % (n, i))
    elif kind.endswith(" directories"):
        for i in range(4):
            os.mkdir("disk/t%d.%d" % (n, i))
            if kind == "removes directories": os.rmdir("disk/t%d.%d" % (n, i))
    elif kind == "too large for it":
        # Emptied and written again: each time as much fits as there is.
        with open("disk/file", "wb", buffering=0) as f: f.write(b"x" * (size * 1024 + 4096))
    elif kind == "sparse": os.ftruncate(kept, n * 60000)
    elif kind == "large": os.write(out, b"x" * 20000)
    elif kind == "has space":
        if n % 50 == 0: os.ftruncate(kept, 0); os.lseek(kept, 0, os.SEEK_SET)
        os.write(kept, b"x" * 4096)
        fails(os.open, "disk", os.O_WRONLY)
"""

FAILURES = {"evidence": "failures", "threshold": "min-rate"}


def errors(kind, pause=(0.01, 0.1), size=(3, 20)):
    return program(ERRORS, kind, pause, size)


def small_disk(kind, size=(400, 4000), pause=(0.2, 0.4)):
    return program(SMALL_DISK, kind, pause, size)


# Lines for a child that took one and ended; it is not reaped, as by a program that looks later.
READERLESS = """
import subprocess, sys, time
p = subprocess.Popen(["head", "-n1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0)
p.stdin.write(b"first\\n")
time.sleep(0.3)
print("ready", flush=True)
while True:
    try: p.stdin.write(b"next\\n")
    except BrokenPipeError: pass
    time.sleep(float(sys.argv[1]))
"""


def readerless(scope, rng):
    return scope.python(READERLESS, str(rng.uniform(0.01, 0.03))).pid


def is_root():
    return None if os.getuid() == 0 else "needs root to mount"


def failing_disk(name, kind, says, **more):
    return sick("syscall-errors", name, small_disk(kind), says=says, severity="high",
        may_skip=is_root, evidence="times", threshold="min-space", **more)


def failing(name, kind, says, *how, **more):
    return sick("syscall-errors", name, errors(kind, *how), says=says, **{**FAILURES, **more})


# What need not be there may be looked for.
OFTEN = ((0.01, 0.03), (20, 60))
MISSING = {"threshold": "min-rate-missing"}


# Children that stay, and one more in each round: there is room for it, or there is not.
STARTS = """
import os, sys, time
pause, stay = float(sys.argv[1]), int(sys.argv[2])
for _ in range(stay):
    if not os.fork():
        time.sleep(600)
        os._exit(0)
print("ready", flush=True)
while True:
    try:
        child = os.fork()
        if not child: os._exit(0)
        os.waitpid(child, 0)
    except OSError: pass
    time.sleep(pause)
"""


def starts(room):
    """In a control group of processes that has room for so many more."""
    def make(scope, rng):
        stay = rng.randint(2, 12)
        group = control_group.make(scope, "pids", pids_max=1 + stay + room)
        return control_group.within(scope, group, STARTS, str(rng.uniform(0.15, 0.4)),
            str(stay)).pid
    return make


def no_pids_group():
    return control_group.missing("pids")


# The calls that fail are too few for syscall-errors.
FEW = ("syscall-errors.min-grave=1000", "syscall-errors.min-rate=1000",
       "syscall-errors.min-rate-lasting=1000")
PROCESS_LIMIT = [
    sick("process-limit-reached", "no room for a process", starts(0), settings=FEW,
        says="cannot start processes or threads: control group /", severity="high",
        may_skip=no_pids_group),
    healthy("process-limit-reached", "room for one process", starts(1), may_skip=no_pids_group),
]


SYSCALL_ERRORS = [
    sick("syscall-errors", "a control group without room for a process", starts(0),
        says="cannot start processes or threads: its control group /", severity="high",
        may_skip=no_pids_group, evidence="times", threshold="min-grave"),
    healthy("syscall-errors", "a control group with room for one process", starts(1),
        may_skip=no_pids_group),
    failing("a file that is not there", "not there", "missing.json keeps failing", *OFTEN, **MISSING,
        also=("metadata-storm",)),
    failing("a folder that is written to", "a folder", "EISDIR"),
    failing("a descriptor for reading that is written to", "read only", "EBADF"),
    failing("a folder that is not there", "no folder", "ENOENT", *OFTEN, **MISSING),
    failing("no space", "no space", "ENOSPC", severity="high"),
    failing("no descriptors are left", "no descriptors", "EMFILE", severity="high",
        also=("fd-limit-near",)),
    failing("a few times a second, all the time", "a folder", "EISDIR", (0.15, 0.3), (1, 1),
        threshold="min-rate-lasting"),
    failing_disk("a full file system", "full", "disk/log fail, "),
    failing_disk("a deleted file of another process", "another has it", "/disk/old (deleted), which python"),
    failing_disk("many files on a full file system", "many files on a full one",
        "/disk (100 % used)"),
    failing_disk("no inodes", "no inodes", "no inodes left on "),
    failing_disk("a file that does not fit", "too large for it",
        "/disk/file fail, ", also=("write-churn",)),
    failing("no descriptors are left for any file", "no descriptors for any", "EMFILE",
        severity="high", also=("fd-limit-near",)),
    failing_disk("a read-only file system", "read only", "/disk is read-only"),
    healthy("syscall-errors", "a file system with space left", small_disk("has space"),
        settings=("syscall-errors.min-rate-lasting=5",), may_skip=is_root),
    # To search for the same again and again is a finding of its own.
    healthy("syscall-errors", "a program that is searched for and found", errors("search"),
        also=("metadata-storm",)),
    healthy("syscall-errors", "a module by its extensions", errors("extensions"),
        also=("metadata-storm",)),
    healthy("syscall-errors", "many names, each once", errors("each once")),
    sick("syscall-errors", "each command that it starts", commands("no space"),
        says="its children (cp) keep failing, ", evidence="commands that ended with an error",
        threshold="min-commands"),
    sick("syscall-errors", "a pipe whose reader has ended", readerless, calls=True,
        says="no process reads it any more, its child head (", also=("zombie-children",)),
    sick("syscall-errors", "a lock file that was left behind", lock_file(False), severity="medium",
        says="waits for a stale lock: lock file ", evidence="owner", threshold="min-times"),
    sick("syscall-errors", "a lock whose owner has ended, and its PID has another program", linked("kept"), severity="low",
        duration_s=7, says="for the owner, which is another program: perhaps its PID was used again"),
    healthy("syscall-errors", "a lock that is removed", linked("freed"), duration_s=7),
    sick("syscall-errors", "a lock file whose owner lives", lock_file(True), severity="low",
        says="waits for a lock: lock file ", evidence="owner", threshold="min-times"),
    sick("syscall-errors", "each command that it starts finds a lock", commands("lock"),
        says="of them: lock file ", may_skip=has_git,
        evidence="commands that ended with an error", threshold="min-commands"),
    sick("syscall-errors", "each command that it starts finds a database locked", commands("database"), duration_s=5,
        says="app.db is locked by python", evidence="commands that ended with an error", threshold="min-commands"),
    healthy("syscall-errors", "commands that get their database", commands("free database"), duration_s=5),
    sick("syscall-errors", "each command that it starts finds its port in use", commands("in use"),
        duration_s=8, says="EADDRINUSE (Address already in use): it has it itself",
        evidence="commands that ended with an error", threshold="min-commands"),
    sick("syscall-errors", "a port in use, each two seconds", lambda s, r: s.python(PORT, "same").pid, duration_s=6,
        says="keeps failing", severity="medium"),
    sick("syscall-errors", "a port that closed connections have", lambda s, r: s.python(PORT_BACK, "closed").pid,
        duration_s=6, says="(TIME_WAIT) still ", severity="medium"),
    sick("syscall-errors", "a port that a connection of a child has", lambda s, r: s.python(PORT_BACK, "child").pid,
        duration_s=6, says="but 1 connection of sleep (", severity="medium"),
    healthy("syscall-errors", "the same port with SO_REUSEADDR", lambda s, r: s.python(PORT_BACK, "reuse").pid,
        duration_s=6),
    healthy("syscall-errors", "a list of ports in use, one each two seconds",
        lambda s, r: s.python(PORT, "next").pid, duration_s=6),
    sick("syscall-errors", "the same, by a connection to itself of another process", commands("taken"), duration_s=8,
        says="by a connection to itself", evidence="commands that ended with an error", threshold="min-commands"),
    sick("syscall-errors", "the directory of each command is gone", commands("gone"),
        says="/gone: ENOENT (No such file or directory)",
        evidence="commands that ended with an error", threshold="min-commands"),
    healthy("syscall-errors", "each command that it starts gets a lock", commands("no lock"),
        may_skip=has_git),
    healthy("syscall-errors", "each command that it starts looks for a file", commands("missing")),
    healthy("syscall-errors", "is it a terminal", errors("terminal")),
    healthy("syscall-errors", "nothing to read yet", errors("empty")),
    healthy("syscall-errors", "is it alive", errors("alive")),
    healthy("syscall-errors", "folders that are there already", errors("made")),
    healthy("syscall-errors", "no children", errors("children")),
    healthy("syscall-errors", "all numbers are closed", errors("closed")),
    healthy("syscall-errors", "a look now and then", errors("seldom", (0.3, 0.6), (1, 1))),
    healthy("syscall-errors", "an optional file at each step", errors("not there", (0.03, 0.06), (1, 2)),
        also=("metadata-storm",)),
]

# --- calls that are slow ---

SLOW = """
import mmap, os, socket, threading, fcntl, select
if kind == "populated":
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000
    def work(n): mmap.mmap(-1, size << 20, flags=flags).close()
elif kind == "blocks":
    f = os.open("block", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(f, size << 20)
    def work(n): os.preadv(f, [memory], 0)
    memory = bytearray(size << 20)
elif kind == "pipe":
    r, w = os.pipe()
    def feed():
        while True: time.sleep(0.05); os.write(w, b"x")
    threading.Thread(target=feed, daemon=True).start()
    def work(n): os.read(r, 1)
elif kind == "fifo":
    os.mkfifo("fifo")
    if os.fork() == 0:
        w = os.open("fifo", os.O_WRONLY)
        try:
            while True: time.sleep(0.05); os.write(w, b"x")
        except OSError: os._exit(0)
    r = os.open("fifo", os.O_RDONLY)
    def work(n): os.read(r, 1)
elif kind == "socket":
    a, b = socket.socketpair()
    def feed():
        while True: time.sleep(0.05); a.send(b"x")
    threading.Thread(target=feed, daemon=True).start()
    def work(n): b.recv(1)
elif kind == "child":
    def work(n):
        pid = os.fork()
        if pid == 0: time.sleep(0.05); os._exit(0)
        os.waitpid(pid, 0)
elif kind == "lock":
    f = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
    if os.fork() == 0:
        f = os.open("lock", os.O_RDWR)
        while os.getppid() != 1:
            fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(0.05); fcntl.lockf(f, fcntl.LOCK_UN)
            time.sleep(0.001)
        os._exit(0)
    def work(n): fcntl.lockf(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_UN)
elif kind == "event":
    event = threading.Event()
    def work(n): event.wait(0.05)
elif kind == "poll":
    r, w = os.pipe()
    def work(n): select.select([r], [], [], 0.05)
"""


def slow(kind, size=(1, 1), pause=(0.005, 0.03)):
    return program(SLOW, kind, pause, size)


def late_file(scope, rng):
    return scope.workload("fuse", "--late", rng.randint(30, 90), "--directory", scope.path,
        "--seconds", 60).pid


def may_mount():
    return None if os.getuid() == 0 and pathlib.Path("/dev/fuse").exists() else "no /dev/fuse"


P99 = {"evidence": "p99", "threshold": "min-p99"}

SLOW_SYSCALLS = [
    sick("slow-syscalls", "a file system that answers late", late_file, may_skip=may_mount,
        also=("blocked-io",), **P99),
    # Where the machine has no time for it, that it took so long is not the call's own doing.
    sick("slow-syscalls", "memory that is filled at once", slow("populated", (300, 600)),
        alone=True, settings=("slow-syscalls.min-share=1", "slow-syscalls.min-calls=2"),
        duration_s=5.0, says="mmap", **P99),
    healthy("slow-syscalls", "large blocks", slow("blocks", (16, 64), (0.05, 0.1)), also=("repeated-reads",)),
    *[healthy("slow-syscalls", name, slow(kind)) for name, kind in (
        ("a pipe", "pipe"), ("a FIFO", "fifo"), ("a socket", "socket"), ("a child", "child"),
        ("a lock of a file", "lock"), ("an event", "event"), ("a poll", "poll"))],
]

# --- looking ---

LOOKS = """
os.mkdir("tree")
names = ["tree/f%d" % i for i in range(size)]
for name in names: open(name, "w").write(name)
tree = os.open("tree", os.O_RDONLY)
def burst(n, count):
    for i in range(count):
        yield names[(n * count + i) % size]
def work(n):
    if kind == "stat":
        for name in burst(n, 40): os.stat(name)
    elif kind == "missing or not":
        for name in burst(n, 40): os.access(name, os.R_OK)
    elif kind == "open":
        for name in burst(n, 30): os.close(os.open(name, os.O_RDONLY))
    elif kind == "folder":
        for _ in range(20): os.listdir("tree")
    elif kind == "each once":
        if n <= size // 40:
            for name in burst(n - 1, 40): os.stat(name)
    elif kind == "read":
        for name in burst(n, 30):
            fd = os.open(name, os.O_RDONLY); os.read(fd, 4096); os.close(fd)
    elif kind == "asked, then read":
        for name in burst(n, 30):
            os.stat(name)
            with open(name) as f: f.read()
    elif kind == "by descriptor":
        for i in range(40): os.stat(tree)
    elif kind == "made up":
        for i in range(40): os.stat("/proc/self/statm")
    elif kind == "slowly":
        for name in names: os.stat(name)
"""
ASKED = {"evidence": "repeated lookups", "threshold": "min-rate"}

# A tree of which a walk takes a part of a second; or one of the system, walked once.
WALK = """
def look(folder):
    for name in os.listdir(folder): os.lstat(os.path.join(folder, name))
def walk(top):
    for folder, _, files in os.walk(top):
        yield [os.lstat(os.path.join(folder, name)) for name in files]
folders = ["tree/%d" % i for i in range(size)]
for folder in folders:
    os.makedirs(folder)
    for i in range(40): open("%s/%d" % (folder, i), "w").close()
once = (each for top in ("/usr", "/var", "/opt") for each in walk(top))
def work(n):
    if kind == "again":
        for i in range(6): look(folders[(6 * n + i) % size])
    else:
        for i in range(6): next(once, None) or time.sleep(0.01)
"""
SLOWLY = ("metadata-storm.min-rate=100", "metadata-storm.min-share=0.02")
# However often: nothing that takes no time.
CHEAPLY = ("metadata-storm.min-rate=100", "metadata-storm.min-share=60")


def looks(kind, size=(5, 120), pause=(0.008, 0.03)):
    return program(LOOKS, kind, pause, size)


METADATA_STORM = [
    *[sick("metadata-storm", name, looks(kind), settings=SLOWLY, says="tree", **ASKED)
        for name, kind in (("stat of the same files", "stat"),
            ("access of the same files", "missing or not"), ("open without reading", "open"))],
    sick("metadata-storm", "a folder, again and again", looks("folder", (3, 40)), settings=SLOWLY,
        **ASKED),
    sick("metadata-storm", "a tree that is walked again and again", program(WALK, "again", (0.02, 0.04), (60, 120)),
        duration_s=6.0, says="walks the same directories over and over, below "),
    healthy("metadata-storm", "a large tree, once", program(WALK, "once", (0.02, 0.04), (1, 1))),
    healthy("metadata-storm", "a tree, each file once", looks("each once", (2000, 6000)),
        settings=SLOWLY),
    *[healthy("metadata-storm", name, looks(kind), settings=SLOWLY)
        for name, kind in (("files that are read", "read"),
            ("files that are asked about, opened and read", "asked, then read"),
            ("an open file, again and again", "by descriptor"),
            ("what the kernel makes up", "made up"))],
    healthy("metadata-storm", "it takes next to no time", looks("stat"), settings=CHEAPLY),
    healthy("metadata-storm", "the same files, now and then",
        looks("slowly", (5, 20), (0.5, 1)), settings=SLOWLY),
]

# --- one file, again and again ---

TOKEN = """
const fs = require('fs'), net = require('net');
fs.writeFileSync('token.json', JSON.stringify({ token: 'x'.repeat(80) }));
const read = () => JSON.parse(fs.readFileSync('token.json', 'utf8'));
if (process.argv[1] === 'timer') {
    const refresh = () => { read(); setTimeout(refresh, Number(process.argv[2])); };
    refresh();
} else {
    const server = net.createServer(c => c.on('data', () => { c.write(JSON.stringify(read())); }));
    server.listen(0, '127.0.0.1', () => {
        const c = net.connect(server.address().port, '127.0.0.1', () => c.write('next'));
        c.on('data', () => setTimeout(() => c.write('next'), 2));
    });
}
console.log('ready');
"""


def token(kind, ms="0"):
    return lambda scope, _: scope.start(["node", "-e", TOKEN, kind, ms]).pid


# A folder of logs that is read at each refresh: all of it, or what has another size than before.
HISTORY = """
os.makedirs("history", exist_ok=True)
names = ["history/%d.json" % i for i in range(size)]
for name in names: open(name, "w").write("x" * 200000)
ends = {}
def work(n):
    for name in names:
        if kind == "changed" and ends.get(name) == os.stat(name).st_size: continue
        with open(name) as f: ends[name] = len(f.read())
"""


def history(kind):
    return program(HISTORY, kind, (0.1, 0.3), (10, 30))


REPEATED_READS = [
    sick("repeated-reads", "a history read again at each refresh", history("again"),
        says=" files below ", evidence="times that each byte was read", threshold="min-bytes"),
    healthy("repeated-reads", "a history of which what changed is read", history("changed")),
    sick("repeated-reads", "a timer of node that overflows", token("timer", str(30 * 86400 * 1000)),
        may_skip=has_node, says="token.json over and over", evidence="reads of the file", threshold="min-rate",
        also=("busy-poll",)),
    healthy("repeated-reads", "a timer of node", token("timer", "100"), may_skip=has_node),
    healthy("repeated-reads", "a server that reads it for each request", token("server"), may_skip=has_node),
]

# --- threads that end at once ---

THREADS = """
import threading, concurrent.futures
pool = concurrent.futures.ThreadPoolExecutor(size)
def work(n):
    tasks = range(20)
    if kind == "pool":
        list(pool.map(lambda i: i * i, tasks))
    else:
        threads = [threading.Thread(target=lambda i=i: i * i) for i in tasks]
        for t in threads: t.start()
        for t in threads: t.join()
"""
# On a busy host fewer are started.
FEW_THREADS = ("thread-churn.min-rate=100",)


def threads(kind):
    return program(THREADS, kind, (0.01, 0.03), (4, 16))


THREAD_CHURN = [
    sick("thread-churn", "a thread for each task", threads("each"), settings=FEW_THREADS,
        says="threads a second, and has at most", evidence="threads started", threshold="min-rate"),
    healthy("thread-churn", "a pool", threads("pool"), settings=FEW_THREADS),
]

# --- few bytes at a time ---

SMALL = """
import socket, threading
open("data", "wb").write(b"x" * 4000000)
f = os.open("data", os.O_RDWR)
out = os.open("out", os.O_WRONLY | os.O_CREAT, 0o600)
a, b = socket.socketpair()
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
client = socket.create_connection(server.getsockname()); peer = server.accept()[0]
def swallow(s):
    while True:
        if not s.recv(65536): return
def echo(s):
    while True: s.send(s.recv(65536))
if kind in ("sent", "written"):
    threading.Thread(target=swallow, args=(peer,), daemon=True).start()
elif kind == "asked":
    threading.Thread(target=echo, args=(peer,), daemon=True).start()
r, w = os.pipe()
if kind in ("piped", "blocks of a pipe"):
    if not os.fork():
        os.close(r)
        while True: os.write(w, b"x" * 4096)
    os.close(w)
def work(n):
    if kind == "piped":
        for _ in range(60): os.read(r, size)
    elif kind == "blocks of a pipe":
        for _ in range(60): os.read(r, 4096)
    elif kind == "read":
        if n % 500 == 0: os.lseek(f, 0, os.SEEK_SET)
        for _ in range(60): os.read(f, size)
    elif kind == "written":
        for _ in range(60): os.write(out, b"x" * size)
    elif kind == "sent":
        for _ in range(60): client.send(b"x" * size)
    elif kind == "taken apart":
        peer.send(b"x" * 60 * size)
        for _ in range(60): client.recv(size)
    elif kind == "asked":
        for _ in range(40): client.send(b"x" * size); client.recv(65536)
    elif kind == "blocks":
        for _ in range(20): os.pread(f, 65536, 0)
    elif kind == "woken":
        for _ in range(60): os.write(w, b"x"); os.read(r, 1)
    elif kind == "lines":
        os.write(out, b"x" * size + b"\\n")
"""
FEW = ("small-io.min-rate=150",)
CALLS = {"evidence": "small calls", "threshold": "min-rate"}


def small(kind, size=(1, 40), pause=(0.008, 0.03)):
    return program(SMALL, kind, pause, size)


SMALL_IO = [
    sick("small-io", "reads of a file", small("read"), settings=FEW, says="reads", **CALLS),
    sick("small-io", "writes of a file", small("written"), settings=FEW, says="writes", **CALLS),
    sick("small-io", "sends in crumbs", small("sent"), settings=FEW, says="writes TCP", **CALLS),
    sick("small-io", "receives in crumbs", small("taken apart"), settings=FEW, says="reads TCP",
        **CALLS),
    sick("small-io", "a pipe, byte by byte", small("piped", (1, 2)), settings=("small-io.min-rate=20",),
        says="reads pipe:[", **CALLS),
    healthy("small-io", "a pipe, in blocks", small("blocks of a pipe"), settings=("small-io.min-rate=20",)),
    healthy("small-io", "questions and answers", small("asked"), settings=FEW),
    healthy("small-io", "blocks", small("blocks"), settings=FEW, also=("repeated-reads",)),
    healthy("small-io", "a pipe that wakes", small("woken"), settings=FEW),
    healthy("small-io", "lines of a log", small("lines", (30, 60)), settings=FEW),
]

# --- space ---

TIME = {"evidence": "gained", "threshold": "min-gain"}


def filling(kind):
    return small_disk(kind, (30_000, 60_000), (0.05, 0.08))


TEMPORARY = """
import os, sys, tempfile, time
print("ready", flush=True)
while True:
    fd, name = tempfile.mkstemp(dir=".")
    os.write(fd, b"x" * 2000)
    os.close(fd)
    if sys.argv[1] == "removes": os.unlink(name)
    if sys.argv[1] == "renames": os.rename(name, "result")
    time.sleep(float(sys.argv[2]))
"""


def temporary(kind):
    return lambda scope, rng: scope.python(TEMPORARY, kind, rng.uniform(0.03, 0.08)).pid


# Its size is set and its pages are mapped: no call writes to it.
SHARED_MEMORY = """
import glob, os, sys, time
from multiprocessing import resource_tracker, shared_memory
resource_tracker.register = lambda *a: None
name = "sooth-test-%d-%%d" % os.getpid()
print("ready", flush=True)
for i in range(400):
    s = shared_memory.SharedMemory(name % i, create=True, size=1 << 16)
    s.buf[:5] = b"hello"
    s.close()
    if sys.argv[1] == "removes": os.unlink("/dev/shm/" + name % i)
    time.sleep(float(sys.argv[2]))
"""


def shared_memory(kind):
    def make(scope, rng):
        pid = scope.python(SHARED_MEMORY, kind, rng.uniform(0.1, 0.3)).pid
        scope.later_last(lambda: [p.unlink() for p in pathlib.Path("/dev/shm").glob(
            "sooth-test-%d-*" % pid)])
        return pid
    return make


FILLING_UP = [
    sick("filling-up", "shared memory that is never removed", shared_memory("leaves"), duration_s=5,
        says="leaves shared memory behind: ", evidence="files", threshold="min-memory-files"),
    healthy("filling-up", "shared memory that is removed", shared_memory("removes"), duration_s=5),
    sick("filling-up", "temporary files that are never removed", temporary("leaves"), duration_s=5,
        says="leaves temporary files behind: ", evidence="files", threshold="min-files"),
    healthy("filling-up", "temporary files that are removed", temporary("removes"), duration_s=5),
    healthy("filling-up", "temporary files that are renamed", temporary("renames"), duration_s=5,
        also=("write-churn",)),
    *[sick("filling-up", name, filling(kind), may_skip=is_root, says=says, **TIME)
        for name, kind, says in (("a log", "grows", "/disk/log grows by"),
            ("a deleted file", "grows without a name", "/disk/log (deleted) grows by"),
            ("a file that is closed each time", "grows by appends", "/disk/log grows by"),
            ("many files", "many files grow", " more files grow by"))],
    sick("filling-up", "small files that are never removed", small_disk("takes inodes",
        (30_000, 60_000), (0.02, 0.05)), may_skip=is_root, says="uses up the inodes of ",
        evidence="files that the process made"),
    sick("filling-up", "directories that are never removed", small_disk("makes directories",
        (30_000, 60_000), (0.02, 0.05)), may_skip=is_root, says="uses up the inodes of ",
        evidence="files that the process made"),
    healthy("filling-up", "directories that are removed", small_disk("removes directories",
        (30_000, 60_000), (0.02, 0.05)), may_skip=is_root),
    healthy("filling-up", "small files that are removed", small_disk("gives inodes back",
        (30_000, 60_000), (0.02, 0.05)), may_skip=is_root),
    healthy("filling-up", "a log on a large disk", filling("large"), may_skip=is_root),
    healthy("filling-up", "a file that is emptied", filling("emptied"), may_skip=is_root,
        also=("write-churn",)),
    healthy("filling-up", "a sparse file", filling("sparse"), may_skip=is_root),
]

# That the disk of this machine is slow while others use it is no mistake.
WRITE_CHURN = [dataclasses.replace(c, also=("slow-syscalls",)) for c in WRITE_CHURN]

# Waits until a port is free that another process has; or goes through a list of them.
# A server that cannot have its port back: its connections are closed, or a child of the former server has one.
PORT_BACK = """
import os, socket, subprocess, sys, time
with socket.create_server(("127.0.0.1", 0)) as former:
    name = former.getsockname()
    client = socket.create_connection(name)
    one = former.accept()[0]
if sys.argv[1] == "child":
    subprocess.Popen(["sleep", "600"], pass_fds=[one.fileno()])
one.close()
if sys.argv[1] != "child":
    client.recv(1)
    client.close()
print("ready", flush=True)
while True:
    with socket.socket() as server:
        if sys.argv[1] == "reuse":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(name)
        except OSError:
            pass
    time.sleep(0.4)
"""


PORT = """
import os, socket, sys, time
taken = [socket.create_server(("127.0.0.1", 0)) for i in range(16)]
ports = [each.getsockname()[1] for each in taken]
if os.fork():
    print("ready", flush=True)
    for each in taken:
        each.close()
    for i in range(1000):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", ports[0 if sys.argv[1] == "same" else i % len(ports)]))
            except OSError:
                pass
        time.sleep(2)
while True:
    time.sleep(100)
"""


CASES = [*WRITE_CHURN, *CONNECT_FAILING, *PROCESS_LIMIT, *SYSCALL_ERRORS, *SLOW_SYSCALLS, *METADATA_STORM,
    *REPEATED_READS,
    *THREAD_CHURN,
    *SMALL_IO, *FILLING_UP]
