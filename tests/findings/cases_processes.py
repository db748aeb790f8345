# SPDX-License-Identifier: BSD-2-Clause
"""zombie-children, process-flood, children-failing, thread-leak."""
import os
import shutil
import socket
import threading
import time

from case import healthy, sick
from cases_leftovers import family_of, server_of

# Children end with their parent: they wait at a pipe whose other end only it has.
START = """
import os, signal, sys, time
reading, writing = os.pipe()
def child(seconds=None, then=lambda: None):
    pid = os.fork()
    if pid:
        return pid
    os.close(writing)
    then()
    if seconds is None:
        os.read(reading, 1)
    elif seconds:
        time.sleep(seconds)
    os._exit(0)
"""

# Ends that nobody asks for.
ZOMBIES = START + """
count, more = int(sys.argv[1]), float(sys.argv[2])
for pid in [child(0) for _ in range(count)]:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print("ready", flush=True)
while True:
    time.sleep(0.3)
    if more:
        child(0)
"""

# Would reap by its handler, but the program that started it has blocked the signal.
DEAF = """
import os, signal, sys, time
signal.signal(signal.SIGCHLD, lambda *_: os.waitpid(-1, os.WNOHANG))
signal.pthread_sigmask(signal.SIG_BLOCK if sys.argv[1] == "blocked" else signal.SIG_UNBLOCK, [signal.SIGCHLD])
for i in range(int(sys.argv[2])):
    pid = os.fork()
    if not pid:
        os._exit(0)
    time.sleep(0.02)
print("ready", flush=True)
while True:
    time.sleep(0.3)
"""

# Asks in rounds: at any time there are some.
ROUNDS = START + """
import select
count, every = int(sys.argv[1]), float(sys.argv[2])
print("ready", flush=True)
while True:
    for _ in range(count): child(0)
    time.sleep(every)
    for _ in range(count): os.wait()
"""

GROWING = START + """
rate, below = float(sys.argv[1]), sys.argv[2] == "below"
def flood():
    begin, made = time.monotonic(), 0
    while made < 800:
        while made < rate * (time.monotonic() - begin):
            child()
            made += 1
        time.sleep(0.02)
    time.sleep(600)
if below:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    inner = os.fork()
    if not inner:
        os.close(writing)
        import threading
        threading.Thread(target=lambda: (os.read(reading, 1), os._exit(0)), daemon=True).start()
        reading, writing = os.pipe()
        flood()
    print("ready", inner, flush=True)
    time.sleep(600)
print("ready", flush=True)
flood()
"""

# So many live at a time, each for a moment: a build.
BUILD = START + """
import random
jobs, longest = int(sys.argv[1]), float(sys.argv[2])
living = 0
print("ready", flush=True)
while True:
    while living < jobs:
        child(random.uniform(longest / 5, longest))
        living += 1
    os.wait()
    living -= 1
    while living and os.waitpid(-1, os.WNOHANG)[0]:
        living -= 1
"""

# All at once, and then they stay: a server that forks its workers before.
WORKERS = START + """
count, over = int(sys.argv[1]), float(sys.argv[2])
print("ready", flush=True)
for _ in range(count):
    child()
    time.sleep(over / count)
time.sleep(600)
"""

# One test after the other, each with some helpers.
TESTS = START + """
count, lives = int(sys.argv[1]), float(sys.argv[2])
print("ready", flush=True)
while True:
    pids = []
    for _ in range(count):
        pids.append(child(lives))
        time.sleep(lives / count)
    for _ in pids: os.wait()
"""


# Short-lived ones: no sample has most of them.
STORM = """
echo ready
while :; do %s; done
"""

# A start takes tens of milliseconds where every trap of the kernel is slow.
RARELY = ("process-flood.min-starts=4",)

# Each once for each file.
FILES = """
echo ready
while :; do for f in /usr/bin/*; do grep -q nothing-has-this "$f" 2>/dev/null; done; done
"""

# Programs for each line, some of them with new arguments each time.
LINES = """
echo ready
n=0
while :; do while IFS=: read -r line; do
    name=$(echo "$line" | cut -d: -f1); name=$(echo "$name" | tr a-z A-Z); n=$(expr $n + 1)
done </etc/passwd; done
"""

# As a configure script does it: one after the other, of many kinds.
CONFIGURE = """
echo ready
i=0
while :; do
    i=$((i + 1))
    case $((i % 8)) in
    0) expr $i + 1;; 1) sed -n 1p /etc/passwd;; 2) cat /etc/passwd;; 3) uname -m;;
    4) grep root$i /etc/passwd;; 5) echo $i | tr 1 2;; 6) rm -f ./no$i;; 7) ls ./no$i;;
    esac >/dev/null 2>&1
done
"""


def script(text):
    return lambda scope, rng: scope.start(["bash", "-c", text]).pid


# What a test of seconds sees of a loop with a pause; a start is slow on a busy host.
FAILING = {"duration_s": 6, "evidence": "failures", "threshold": "min-failures"}


def curl_loop(command, answer=None):
    """A server, or a proxy, that gives each client this answer; none: it closes without a word."""
    reply = answer and ("HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % answer).encode()

    def make(scope, rng):
        server = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    with server.accept()[0] as peer:
                        peer.recv(4096)
                        if reply:
                            peer.sendall(reply)
                except OSError:
                    return
        threading.Thread(target=serve, daemon=True).start()
        scope.later(lambda: (server.shutdown(socket.SHUT_RDWR), server.close()))
        each = command.replace("PORT", str(server.getsockname()[1]))
        return scope.start(["bash", "-c", "echo ready; %s; do sleep %.2f; done" % (
            each, rng.uniform(0.3, 0.8))]).pid
    return make


LOCKING = """
import sqlite3, sys, time
base = sqlite3.connect("x.db", isolation_level=None)
base.execute("create table if not exists t (a)")
if sys.argv[1] == "lock": base.execute("begin exclusive")
print("ready", flush=True)
time.sleep(600)
"""


def sqlite_loop(locked):
    def make(scope, rng):
        scope.python(LOCKING, "lock" if locked else "open")
        return scope.start(["bash", "-c", "echo ready; while :; do "
            "sqlite3 x.db 'insert into t values (1)' 2>/dev/null; sleep 0.4; done"]).pid
    return make


def without(program):
    return lambda: None if shutil.which(program) else "%s is not installed" % program


def flood(below):
    def make(scope, rng):
        process = scope.python(GROWING, rng.uniform(15, 50), "below" if below else "here")
        return process.pid
    return make


def both(scope, rng):
    """Told once, of the one that does it."""
    process = scope.python(GROWING, rng.uniform(25, 50), "below", ready=b"\n")
    return [process.pid, int(bytes(process.out).split()[1])]


def restarts(every, most):
    """An agent whose server ends all the time, or `most` times."""
    def make(scope, rng):
        family, stop = family_of(scope), threading.Event()
        main = family.main()
        server = server_of(family, main, "mcp0")
        pause = rng.uniform(*every)

        def run(server):
            for i in range(most):
                if stop.wait(pause):
                    return
                server.leave(reaper=main)
                main.say("hangup", "mcp%d" % i)
                server = server_of(family, main, "mcp%d" % (i + 1))

        worker = threading.Thread(target=run, args=(server,))
        worker.start()
        scope.later(lambda: (stop.set(), worker.join()))
        return main.pid
    return make


def polling(scope, rng):
    """A tool call that asks again and again whether something is ready."""
    family, stop = family_of(scope), threading.Event()
    main = family.main()
    tool = main.start("tool", "session", **family.tool(main))
    pause = rng.uniform(0.2, 0.6)

    def run():
        for i in range(1000):
            one = tool.start("ask%d" % i)
            if stop.wait(pause):
                return
            one.leave(reaper=tool)

    worker = threading.Thread(target=run)
    worker.start()
    scope.later(lambda: (stop.set(), worker.join()))
    return [main.pid, tool.pid]


def late_zombies(scope, rng):
    return scope.python(ROUNDS, rng.randint(5, 30), rng.uniform(0.2, 0.8)).pid


# New threads wait for ever, or end; or all of a pool were there before.
THREADS = """
import sys, threading, time
kind, pause = sys.argv[1], float(sys.argv[2])
event = threading.Event()
if kind == "pool":
    for _ in range(60): threading.Thread(target=event.wait, daemon=True).start()
print("ready", flush=True)
while True:
    if kind == "leak": threading.Thread(target=event.wait, daemon=True).start()
    elif kind == "end": threading.Thread(target=time.sleep, args=(0.3,), daemon=True).start()
    time.sleep(pause)
"""


# Each thread ends at once, and its stack stays, or not.
STACKS = """
import ctypes, sys, time
libc = ctypes.CDLL(None)
print("ready", flush=True)
while True:
    thread = ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, libc.getpid, None)
    if sys.argv[1] != "kept": libc.pthread_detach(thread) if sys.argv[1] == "detached" else libc.pthread_join(thread, None)
    time.sleep(float(sys.argv[2]))
"""


def stacks(kind):
    return lambda scope, rng: scope.python(STACKS, kind, rng.uniform(0.02, 0.05)).pid


def threads(kind):
    return lambda scope, rng: scope.python(THREADS, kind, rng.uniform(0.05, 0.12)).pid


MAKEFILE = """
include made.mk
all:
\t@echo ready; sleep 600
made.mk: source
\t@sleep 0.05; cp source made.mk; echo ready
"""


def makes(is_future):
    def make(scope, _):
        source = scope.path / "source"
        source.write_text("X = 1\n")
        (scope.path / "Makefile").write_text(MAKEFILE)
        later = time.time() + (86400 if is_future else -86400)
        os.utime(source, (later, later))
        return scope.start(["make"]).pid
    return make


def nested(scope, rng):
    """Two makefiles, each of which makes the other."""
    pause = rng.uniform(0.05, 0.12)
    for name, other in (("Makefile", "gen.mk"), ("gen.mk", "Makefile")):
        (scope.path / name).write_text("all:\n\t@sleep %.2f; echo ready\n\t@$(MAKE) -s -f %s\n" % (pause, other))
    return scope.start(["make"]).pid


def no_make():
    return None if shutil.which("make") else "no make here"


# What a server of PostgreSQL looks like: processes with titles, and new ones that end soon.
SESSIONS = """
import os, sys, time
with open("/proc/self/comm", "w") as f: f.write("postgres")
for i in range(6):
    if not os.fork(): os.execv("/bin/sleep", ["postgres: shop orders 127.0.0.1(4000%d) idle" % i, "100"])
if not os.fork(): os.execv("/bin/sleep", ["postgres: checkpointer ", "100"])
time.sleep(0.3)
print("ready", flush=True)
while True:
    if not os.fork():
        time.sleep(0.01)
        os._exit(int(sys.argv[1]))
    time.sleep(0.4)
    os.waitpid(-1, 0)
"""


def sessions(status):
    return lambda scope, _: scope.python(SESSIONS, str(status)).pid


CASES = [
    sick("process-flood", "make remakes a makefile for ever", makes(True), duration_s=4, may_skip=no_make,
        says="make starts itself again", evidence="execs of itself", threshold="min-rebuilds",
        also=("syscall-errors", "metadata-storm", "write-churn")),
    sick("process-flood", "make that starts make below it", nested, duration_s=6, may_skip=no_make, alone=True,
        says="make starts itself", evidence="growth", threshold="min-rate"),
    healthy("process-flood", "make remakes a makefile once", makes(False), duration_s=4, may_skip=no_make),
    sick("thread-leak", "each waits for ever", threads("leak"), settings=("thread-leak.min-age=0",),
        duration_s=6, evidence="growth", threshold="min-rate"),
    sick("thread-leak", "stacks of threads that are not joined", stacks("kept"), settings=("thread-leak.min-age=0",),
        duration_s=4, calls=True, says="keeps the stacks of threads that have ended"),
    healthy("thread-leak", "the same, joined", stacks("joined"), duration_s=4, calls=True),
    healthy("thread-leak", "the same, detached", stacks("detached"), duration_s=4, calls=True),
    healthy("thread-leak", "a pool", threads("pool"), settings=("thread-leak.min-age=0",),
        duration_s=6),
    healthy("thread-leak", "each ends", threads("end"), settings=("thread-leak.min-age=0",),
        duration_s=6),
    sick("zombie-children", "they stay",
        lambda s, r: s.python(ZOMBIES, r.randint(6, 60), 0).pid, duration_s=4,
        evidence="zombies that stayed during the whole observation", threshold="min-count"),
    sick("zombie-children", "they stay, and more come",
        lambda s, r: s.python(ZOMBIES, r.randint(6, 12), 1).pid, duration_s=4,
        evidence="zombies that stayed during the whole observation", threshold="min-count"),
    sick("zombie-children", "the signal that they end is blocked",
        lambda s, r: s.python(DEAF, "blocked", str(r.randint(6, 20))).pid, duration_s=4,
        says="it blocks SIGCHLD, which is pending", threshold="min-count"),
    healthy("zombie-children", "the signal that they end is not blocked",
        lambda s, r: s.python(DEAF, "free", str(r.randint(6, 20))).pid, duration_s=4),
    healthy("zombie-children", "few of them", lambda s, r: s.python(ZOMBIES, r.randint(1, 3), 0).pid,
        duration_s=4),
    healthy("zombie-children", "asked for in rounds", late_zombies, duration_s=4),
    sick("process-flood", "more and more live", flood(False), duration_s=12, evidence="growth",
        threshold="min-rate"),
    sick("process-flood", "below a child", flood(True), duration_s=12, evidence="growth",
        threshold="min-rate"),
    sick("process-flood", "below a child that is judged too", both, duration_s=12,
        evidence="growth", threshold="min-rate"),
    sick("process-flood", "a server that ends again and again", restarts((0.7, 1.1), 100),
        duration_s=12, alone=True, evidence="restarts", threshold="min-restarts"),
    sick("process-flood", "the same command all the time", script(STORM % "/bin/true"),
        settings=RARELY, alone=True, evidence="process starts", threshold="min-starts",
        says="a second: true"),
    sick("process-flood", "a command that fails, until it does not",
        script("echo ready; until /bin/false; do sleep 0.1; done"),
        settings=("process-flood.min-failing-starts=1",), duration_s=8, alone=True,
        evidence="process starts", threshold="min-failing-starts", says="fail (exit status 1)"),
    healthy("process-flood", "a short command, five times a second", lambda s, r: s.python(
        "import subprocess, time\nprint('ready', flush=True)\n"
        "while True: subprocess.run(['true']), time.sleep(0.2)").pid, duration_s=5),
    healthy("process-flood", "a look for a file, now and then",
        script("echo ready; until /usr/bin/test -e /nothing; do sleep 0.5; done"), duration_s=8),
    sick("process-flood", "a pipeline all the time",
        script(STORM % "x=$(date | cut -c1-3)"), settings=RARELY, alone=True,
        evidence="process starts", threshold="min-starts", says="cut"),
    sick("process-flood", "programs for each line", script(LINES), settings=RARELY, alone=True,
        evidence="process starts", threshold="min-starts", says="a second: "),
    healthy("process-flood", "a command for each file", script(FILES), settings=RARELY),
    healthy("process-flood", "a script with many commands", script(CONFIGURE), settings=RARELY),
    healthy("process-flood", "a build", lambda s, r: s.python(BUILD, r.choice((4, 16, 64)),
        r.uniform(0.1, 0.5)).pid, duration_s=8),
    healthy("process-flood", "workers, forked before", lambda s, r: s.python(WORKERS,
        r.randint(25, 80), r.uniform(0.2, 1.0)).pid, duration_s=8),
    healthy("process-flood", "rounds of tests", lambda s, r: s.python(TESTS, r.randint(10, 40),
        r.uniform(0.4, 0.9)).pid, duration_s=8),
    healthy("process-flood", "a server that was started anew", restarts((0.8, 1.5), 1),
        duration_s=6),
    healthy("process-flood", "a tool call that polls", polling, duration_s=6),
    sick("children-failing", "curl, as the server closes without an answer", curl_loop(
        "until curl -s --noproxy '*' http://127.0.0.1:PORT/x"), says="the server answered nothing",
        may_skip=without("curl"), **FAILING),
    sick("children-failing", "curl, as the server is overloaded", curl_loop(
        "until curl -sf --noproxy '*' http://127.0.0.1:PORT/x", "503 Service Unavailable"),
        says="answered with an error: 400 or above", may_skip=without("curl"), **FAILING),
    sick("children-failing", "curl, as the proxy refuses", curl_loop(
        "until curl -s -x http://127.0.0.1:PORT https://registry.invalid/x", "403 Forbidden"),
        says="the proxy refused the tunnel, or ", may_skip=without("curl"), **FAILING),
    sick("children-failing", "a compiler whose header is missing", script(
        "echo '#include \"none.h\"' >a.c; echo ready; until cc -c a.c 2>/dev/null; do sleep 0.7; done"),
        says="exit status 1", **FAILING),
    sick("children-failing", "a command that does not exist", script(
        "echo ready; until no-such-command 2>/dev/null; do sleep 0.6; done"),
        says="command not found", **FAILING),
    sick("children-failing", "a script whose interpreter is missing", script(
        "printf '#!/none/python\\n' >hook; chmod +x hook; echo ready; until ./hook 2>/dev/null; do sleep 0.5; done"),
        says="hook: ENOENT (No such file or directory), ", **FAILING),
    sick("children-failing", "says why, into a file", script(
        "echo ready; until sh -c 'echo starting >&2; echo \"already running, password=hunter2aZ\" >&2; exit 3' 2>>log; do sleep 0.4; done"),
        duration_s=6, says="exit status 3; last line of each: \"already running, password=***\""),
    sick("children-failing", "a database that another process locks", sqlite_loop(True),
        says="(sqlite3)", may_skip=without("sqlite3"), **FAILING),
    sick("children-failing", "below npm's shell", script(
        "echo ready; until sh -c 'ls /none 2>/dev/null; exit $?'; do sleep 0.5; done"),
        says="exit status 2", **FAILING),
    sick("children-failing", "a database at its limit of sessions", sessions(1), says="6 are open, 6 of them idle: its limit"),
    healthy("children-failing", "a database whose sessions end", sessions(0)),
    healthy("children-failing", "curl, which gets an answer each time", curl_loop(
        "while curl -sf --noproxy '*' http://127.0.0.1:PORT/x", "200 OK"),
        may_skip=without("curl"), duration_s=6),
    healthy("children-failing", "the same database without a lock", sqlite_loop(False),
        may_skip=without("sqlite3"), duration_s=6),
    healthy("children-failing", "a check whose answer is no", script(
        "echo ready; while :; do grep -q nothing-has-this /etc/passwd; sleep 0.3; done"),
        duration_s=6),
    healthy("children-failing", "a command that fails now and then", script(
        "echo ready; i=0; while :; do sh -c \"exit $((i++ % 3 == 0))\"; sleep 0.2; done"),
        duration_s=6),
    healthy("children-failing", "files that fail one by one", script(
        "echo ready; while :; do for f in /etc/*; do python3 -c 'import sys; sys.exit(1)' $f;"
        " sleep 0.2; done; done"), duration_s=6),
    healthy("children-failing", "helpers that are ended when they are done", script(
        "echo ready; while :; do sleep 9 & sleep 0.3; kill $!; wait $!; done 2>/dev/null"),
        duration_s=6),
]
