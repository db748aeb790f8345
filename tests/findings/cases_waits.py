# SPDX-License-Identifier: BSD-2-Clause
"""held-up: the process waits for one that does nothing about it."""
from case import healthy, sick

# A child; the parent waits for it.
CHILD = """
import os, signal, sys, time
what = sys.argv[1]
pid = os.fork()
if not pid:
    signal.alarm(120)
    if what == "is stopped": os.kill(os.getpid(), signal.SIGSTOP)
    elif what == "sleeps": time.sleep(100)
    while what == "computes": pass
    os._exit(0)
if what == "is stopped": os.waitpid(pid, os.WUNTRACED)
print("ready", flush=True)
os.waitpid(pid, 0)
"""

# A child has the lock; the parent wants it.
LOCK = """
import fcntl, os, signal, socket, sqlite3, sys, time
kind, holder = sys.argv[1:]
def take():
    if kind == "sqlite":
        db = sqlite3.connect("app.db", timeout=100, isolation_level=None)
        db.execute("begin exclusive")
        return db
    f = open("lock", "w")
    (fcntl.flock if kind == "flock" else fcntl.lockf)(f, fcntl.LOCK_EX)
    return f
r, w = os.pipe()
pid = os.fork()
if not pid:
    signal.alarm(120)
    mine = take()
    os.write(w, b"x")
    if holder == "serves":
        s = socket.create_server(("127.0.0.1", 0))
        s.accept()
    if holder == "rests": time.sleep(100)
    if holder == "is stopped": os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        if holder == "wakes up": time.sleep(0.3)
os.read(r, 1)
print("ready", flush=True)
take()
"""

# A daemon that inherited a lock from the script that started it, and serves; another process wants the lock.
# The PID of that script may belong to another process by now. Or the heir itself wants the lock, once more.
INHERITED = """
import ctypes, fcntl, os, signal, socket, struct, sys, time
what = sys.argv[1]
def start_with_pid(pid):
    wanted = (ctypes.c_int * 1)(pid)
    libc, how = ctypes.CDLL(None), struct.pack("11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0)
    child = libc.syscall(435, ctypes.create_string_buffer(how), len(how)) # clone3
    if not child: os.execvp("sleep", ["sleep", "110"])
    assert child == pid, child
def want():
    g = open("lock", "w")
    fcntl.flock(g, fcntl.LOCK_EX)
r, w = os.pipe()
maker = os.fork()
if not maker:
    f = open("lock", "w")
    fcntl.flock(f, fcntl.LOCK_EX)
    if os.fork():
        os._exit(0)
    signal.alarm(120)
    s = socket.create_server(("127.0.0.1", 0))
    os.write(w, b"%d" % os.getpid())
    if what == "itself": want()
    s.accept()
heir = os.read(r, 9).decode()
os.wait()
if what == "reused": start_with_pid(maker)
print(heir, "ready", flush=True)
if what == "itself": time.sleep(110)
want()
"""

# A server that has another name than its parent, unless it forks a worker for its client.
SERVER = """
import os, signal, socket, sys, time
what = sys.argv[1]
signal.alarm(120)
s = socket.create_server(("127.0.0.1", 0))
print("ready %d" % s.getsockname()[1], flush=True)
with open("/proc/self/comm", "w") as f: f.write("server")
if what == "does not accept": time.sleep(100)
c, _ = s.accept()
c.recv(9)
if what == "vanishes": # closes without a word to the client, and serves others: as after a crash of a host between
    c.setsockopt(socket.IPPROTO_TCP, 19, 1)
    c.close()
    s.accept()
if what == "forks" and os.fork(): time.sleep(100)
while what not in ("answers", "answers rarely", "answers much"): pass
while True:
    c.send(b"x")
    if what == "answers": time.sleep(0.2)
    begin = time.process_time()
    while time.process_time() - begin < (0.4 if what == "answers rarely" else 0.005):
        for _ in range(9999): pass
"""

CLIENT = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.send(b"request")
print("ready", flush=True)
while s.recv(1): pass
"""


# A program that reads what a command prints, until its end; "loop": by an event loop with a timer.
OUTPUT = """
import selectors, subprocess, sys
command = subprocess.Popen(["bash", "-c", sys.argv[2] + "\\necho started"], stdout=subprocess.PIPE)
command.stdout.readline()
print("ready", flush=True)
selector = selectors.DefaultSelector()
selector.register(command.stdout, selectors.EVENT_READ)
while sys.argv[1] == "reads" or not selector.select(0.7) or command.stdout.read1(100):
    if sys.argv[1] == "reads" and not command.stdout.readline(): break
"""
# A runner that joins a thread for each worker, which reads the worker's output. One worker is ended, and has left a
# process; or it works.
RUNNER = """
import os, signal, subprocess, sys, threading, time
WORKER = "sleep 600 & echo began; read line; wait"
workers = [subprocess.Popen(["bash", "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
for worker in workers: worker.stdout.readline()
if sys.argv[1] == "ended": os.kill(workers[1].pid, signal.SIGKILL)
threads = [threading.Thread(target=worker.stdout.read) for worker in workers]
for thread in threads: thread.start()
print("ready", flush=True)
for thread in threads: thread.join()
"""
# The same below a subreaper, which adopts what the command left: it has the session of the reader.
BELOW = """
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1)
reader = subprocess.Popen([sys.executable, "-u", "-c", *sys.argv[1:]], stdout=subprocess.PIPE)
reader.stdout.readline()
print("ready %d." % reader.pid, flush=True)
while os.wait()[0] != reader.pid: pass
"""
PRINTS = "while :; do echo line; sleep 0.3; done"

# A program that prints on a pseudo terminal; the one that runs it is stopped, or reads slowly.
TERMINAL_WRITER = """
import os, pty, signal, sys, time
pid, master = pty.fork()
if not pid:
    os.execvp("yes", ["yes"])
if sys.argv[1] != "reads": time.sleep(0.3)
print("ready %d." % pid, flush=True)
while sys.argv[1] == "reads" and os.read(master, 1024): time.sleep(0.01)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def terminal_writer(what):
    def make(scope, rng):
        out = bytes(scope.python(TERMINAL_WRITER, what, ready=b".").out)
        return int(out.split(b"ready ")[1].split(b".")[0])
    return make


FIFO_READER = """
import os
os.mkfifo("fifo")
print("ready", flush=True)
os.open("fifo", os.O_RDONLY)
"""


def program(text, *args):
    return lambda scope, rng: scope.python(text, *args).pid


def below_subreaper(*what):
    def make(scope, rng):
        out = bytes(scope.python(BELOW, *what, ready=b".", start_new_session=True).out)
        return int(out.split(b"ready ")[1].split(b".")[0])
    return make


def client(what):
    def make(scope, rng):
        server = scope.python(SERVER, what)
        port = bytes(server.out).split(b"ready ")[1].split()[0].decode()
        return scope.python(CLIENT, port).pid
    return make


# Two processes and a lock in shared memory, of which one takes it and is stopped, or works with it for short times.
SHARED = """
import multiprocessing, os, signal, sys, time
lock, pids = multiprocessing.Lock(), []
for number in range(3):
    pids.append(os.fork())
    if pids[-1]: continue
    time.sleep(0.3 * number)
    while True:
        with lock: time.sleep(600 if sys.argv[1] == 'is stopped' else 0.1)
        time.sleep(0.05)
time.sleep(0.2)
if sys.argv[1] == 'is stopped': os.kill(pids[0], signal.SIGSTOP)
time.sleep(4)
print(pids[2], flush=True)
print('ready', flush=True)
os.waitpid(pids[1], 0)
"""


# Sessions of a database server, by their titles: one waits, one at work may be stopped.
SESSIONS = """
import os, signal, sys, time
def start(title):
    pid = os.fork()
    if not pid: os.execv("/bin/sleep", ["postgres: bob shop [local] " + title, "600"])
    return pid
works, waits = start("COMMIT waiting for 0/15A2B3C8" if sys.argv[1] == "commits" else "SELECT"), start("UPDATE waiting")
time.sleep(0.3)
if sys.argv[1] == "is stopped": os.kill(works, signal.SIGSTOP)
time.sleep(1)
print(waits, flush=True)
print("ready", flush=True)
time.sleep(600)
"""


def session(kind):
    return lambda scope, rng: int(bytes(scope.python(SESSIONS, kind).out).split()[0])


def sharer(kind):
    return lambda scope, rng: int(bytes(scope.python(SHARED, kind).out).split()[0])


SOON = {"settings": ("held-up.min-time=2s",)}
TIME = {**SOON, "evidence": "waiting for at least", "threshold": "min-time"}

LEFT = {**SOON, "evidence": "age of what was left behind", "threshold": "min-time"}

# Gives a child a pipe as its input, and starts another one that has the other end too.
INPUT = """
import os, subprocess, sys, time
inside, out = os.pipe()
reader = subprocess.Popen(["cat"], stdin=inside)
os.close(inside)
if sys.argv[1] == "writes":
    os.set_inheritable(out, True)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100); print(1)"], stdout=out)
elif not os.fork():
    while True: time.sleep(1)
if sys.argv[1] != "keeps":
    os.close(out)
print("ready", flush=True)
reader.wait()
"""

def heir_itself(scope, _):
    return int(bytes(scope.python(INHERITED, "itself").out).split()[0])


MESSAGES = "sleep 100 7>&1 > /dev/null 2>&1"

CASES = [
    # The process below is diagnosed too, and is the one that is named.
    sick("frozen", "a child that its parent waits for", program(CHILD, "is stopped"),
        says="stopped by SIGSTOP"),
    sick("held-up", "a flock of a process that sleeps", program(LOCK, "flock", "rests"), severity="low",
        says="has the lock on", **TIME),
    sick("frozen", "a child that has the lock its parent waits for",
        program(LOCK, "flock", "is stopped"), says="stopped by SIGSTOP"),
    sick("held-up", "a lock that a daemon has inherited", program(INHERITED, "waits"), severity="low",
        says="inherited from a process that has ended", **TIME),
    sick("held-up", "the same, and the maker's PID is that of another process", program(INHERITED, "reused"), severity="low",
        says="inherited from a process that has ended", **TIME),
    sick("all-threads-waiting", "a lock that it has inherited itself", heir_itself,
        says="inherited from a process that has ended: it waits for itself"),
    sick("held-up", "a lock of fcntl", program(LOCK, "fcntl", "rests"), says="has the lock on",
        **{**TIME, "settings": ("held-up.min-time=2s", "held-up.grave-time=2s")}, severity="medium"),
    sick("held-up", "a lock of SQLite", program(LOCK, "sqlite", "rests"), says="app.db", **TIME),
    sick("held-up", "a server that does not accept", client("does not accept"),
        says="has not accepted", **TIME),
    sick("held-up", "a server that has forgotten the connection, and accepts others", client("vanishes"),
        says="the other end is gone", **TIME),
    sick("held-up", "an output that what a command left behind keeps open", program(OUTPUT, "reads", "sleep 100 &"),
        severity="low", says="running, which still has the output open", **LEFT),
    sick("held-up", "the same by a descriptor that is no standard one",
        program(OUTPUT, "reads", f"{MESSAGES} &"), severity="low", says="has the output open, as descriptor 7", **LEFT),
    sick("held-up", "the same, of an event loop, by a server that prints", program(OUTPUT, "loops", f"({PRINTS}) &"),
        says="still has the output open", **LEFT),
    sick("held-up", "an output that what a subreaper adopted keeps open", below_subreaper(OUTPUT, "reads", "sleep 100 &"),
        severity="low", says="running, which still has the output open", **LEFT),
    sick("held-up", "an input that a process beside it has inherited", program(INPUT, "inherits"),
        says="it seems to have inherited it", **TIME),
    healthy("held-up", "an input that a process beside it writes", program(INPUT, "writes"), **SOON),
    healthy("held-up", "an input that its parent keeps for later", program(INPUT, "keeps"), **SOON),
    sick("held-up", "a terminal whose program is stopped", terminal_writer("is stopped"), says="it is stopped by a signal",
        also=("writer-stuck",), severity="medium", **TIME),
    healthy("held-up", "a terminal whose program reads slowly", terminal_writer("reads"), also=("writer-stuck",), **SOON),
    sick("frozen", "a child that has the lock in shared memory that another one waits for", sharer("is stopped"),
        says="stopped by SIGSTOP"),
    sick("frozen", "a database session beside one that waits for a lock", session("is stopped"), says="stopped by SIGSTOP"),
    sick("held-up", "a database session that waits for one whose commit no standby confirms", session("commits"),
        says="it waits at COMMIT until a standby server confirms it", **SOON),
    healthy("held-up", "a database session that waits for one at work", session("works"), **SOON),
    healthy("held-up", "a lock in shared memory of processes that work", sharer("works"), **SOON),
    sick("held-up", "a FIFO that nobody opens to write", program(FIFO_READER), severity="low",
        says="no process has it open to write", **TIME),
    sick("held-up", "a server that computes", client("computes"), says="computes and does not", **TIME),

    sick("held-up", "a busy server that answers rarely", client("answers rarely"), severity="low",
        says="most of its time it waits for server", settings=SOON["settings"], alone=True),

    sick("held-up", "an output of one of several workers that was ended", below_subreaper(RUNNER, "ended"), severity="low",
        says="left sleep (", **LEFT),
    healthy("held-up", "outputs of workers that live", program(RUNNER, "works"), **SOON),
    healthy("held-up", "a loop that may wait for messages of what a command left", program(OUTPUT, "loops", f"{MESSAGES} &"),
        **SOON),
    healthy("held-up", "a command that started a server and waits for it",
        program(OUTPUT, "loops", f"({PRINTS}) & echo started; wait"), **SOON),
    healthy("held-up", "a command whose server has an output of its own",
        program(OUTPUT, "loops", f"({PRINTS}) > /dev/null & echo started; sleep 100"), **SOON),
    healthy("held-up", "a busy server that answers all the time", client("answers much"), **SOON),
    healthy("held-up", "a child that computes", program(CHILD, "computes"), **SOON),
    healthy("held-up", "a child that sleeps", program(CHILD, "sleeps"), **SOON),
    healthy("held-up", "a lock of a process that computes", program(LOCK, "flock", "computes"), **SOON),
    healthy("held-up", "a lock of a process that wakes up", program(LOCK, "fcntl", "wakes up"), **SOON),
    healthy("held-up", "a standby of an idle server", program(LOCK, "flock", "serves"), **SOON),
    healthy("held-up", "SQLite, whose holder computes", program(LOCK, "sqlite", "computes"), **SOON),
    healthy("held-up", "a worker that a server forked for its client computes", client("forks"), **SOON),
    healthy("held-up", "a server that answers", client("answers"), **SOON),
]
