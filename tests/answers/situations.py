# SPDX-License-Identifier: BSD-2-Clause
"""
Stuck programs, each started for real, with the words of its cause: what a person needs to see. A
situation gives the process to ask about. What it starts ends with it, by process group. A cause is
a regular expression, to be found in one line of the answer.
"""
import contextlib
import dataclasses
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from agents import known, modes, tour

PYTHON = os.path.realpath(sys.executable)
READY_S = 60
NOBODY = 65534
BEFORE_S = 2  # each stands for so long before anything is asked


class NotHere(Exception):
    """The program is not installed; its name."""


@dataclasses.dataclass
class Stuck:
    pid: int
    cause: str


class Place:
    """Where a situation happens."""

    def __init__(self, folder):
        self.folder, self.stack, self.leaders = folder, contextlib.ExitStack(), []

    def __enter__(self):
        self.stack.callback(self.end)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def end(self):
        for child in self.leaders:
            for number in (signal.SIGKILL, signal.SIGCONT):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, number)
            child.wait()

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, program, *arguments, **options):
        """In a session of its own."""
        if not shutil.which(program):
            raise NotHere(os.path.basename(program))
        for name in ("stdin", "stdout", "stderr"):
            options.setdefault(name, subprocess.DEVNULL)
        child = subprocess.Popen([program, *arguments], start_new_session=True, cwd=self.folder,
                                 **options)
        self.leaders.append(child)
        return child

    def python(self, source, *arguments, **options):
        return self.start(PYTHON, "-c", source, *arguments, **options)

    def terminal(self, *command):
        """On a terminal of its own, whose output is read."""
        ours, theirs = pty.openpty()
        source = ("import fcntl, os, sys, termios\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
                  "os.execvp(sys.argv[1], sys.argv[1:])")
        child = self.python(source, *command, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.stack.callback(os.close, ours)

        def read():
            with contextlib.suppress(OSError):
                while os.read(ours, 65536):
                    pass
        threading.Thread(target=read, daemon=True).start()
        return child

    def silent_server(self):
        """Takes connections and never answers; it is this process."""
        server = self.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        taken = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
        threading.Thread(target=take, daemon=True).start()
        return server.getsockname()[1]


def children(pid):
    return [int(word) for word in pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text()
            .split()]


def wait_until(condition, what):
    deadline = time.monotonic() + READY_S
    while True:
        with contextlib.suppress(OSError):
            value = condition()
            if value:
                return value
        if time.monotonic() > deadline:
            raise AssertionError("waited %d s for %s" % (READY_S, what))
        time.sleep(0.02)


def run(*command, **options):
    if not shutil.which(command[0]):
        raise NotHere(command[0])
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   **options)


# --- locks ---


def flock(place):
    """flock waits for a file lock of another flock"""
    lock = place.path("build.lock")
    holder = place.start("flock", lock, "sleep", "3000")
    wait_until(lambda: children(holder.pid), "the lock")
    return Stuck(place.start("flock", lock, "true").pid,
                 r"build\.lock.*\b(%d|%d)\b" % (holder.pid, children(holder.pid)[0]))


def sqlite(place):
    """sqlite3 waits for a database that a python transaction has locked"""
    base = place.path("app.db")
    run("sqlite3", base, "create table t(a)")
    holder = place.python("import sqlite3, sys, time\nc = sqlite3.connect(sys.argv[1], "
        "isolation_level=None)\nc.execute('begin exclusive')\nopen(sys.argv[1] + '.ready', 'w')\n"
        "time.sleep(3000)", base)
    wait_until(lambda: os.path.exists(base + ".ready"), "the transaction")
    child = place.start("sqlite3", "-cmd", ".timeout 3000000", base, "insert into t values (1)")
    return Stuck(child.pid, r"app\.db.*\b%d\b" % holder.pid)


def python_deadlock(place):
    """two python threads wait for each other's lock"""
    child = place.python("import threading, time\na, b = threading.Lock(), threading.Lock()\n"
        "def f(x, y):\n    with x:\n        time.sleep(.5)\n        with y: pass\n"
        "threading.Thread(target=f, args=(a, b)).start()\nf(b, a)")
    return Stuck(child.pid, r"deadlock")


def postgres(place):
    """psql waits for a row that another session has locked"""
    server = os.path.dirname(os.path.realpath(shutil.which("postgres") or ""))
    as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    os.chmod(place.folder, 0o777)
    base = place.path("base")
    run(os.path.join(server, "initdb"), "-D", base, "-U", "me", "-A", "trust", cwd="/", **as_user)
    place.start(os.path.join(server, "postgres"), "-D", base, "-k", place.folder, "-c",
                "listen_addresses=", **as_user)

    def psql(text):
        return ["psql", "-h", place.folder, "-U", "me", "-d", "postgres", "-c", text]
    wait_until(lambda: subprocess.run(psql("create table t as select 1 as a"), cwd="/",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0, "postgres")
    place.start(*psql("begin; update t set a = 2; select pg_sleep(3000)"))
    time.sleep(1)
    return Stuck(place.start(*psql("update t set a = 3")).pid, r"postgres \(\d+\)")


def redis(place):
    """redis-cli waits for an element of a list that stays empty"""
    path = place.path("redis.sock")
    server = place.start("redis-server", "--port", "0", "--unixsocket", path, "--save", "")
    wait_until(lambda: os.path.exists(path), "redis-server")
    return Stuck(place.start("redis-cli", "-s", path, "blpop", "queue", "0").pid,
                 r"redis-server \(%d\)" % server.pid)


# --- pipes, terminals, children ---


def pipe_writer(place):
    """yes writes into a pipe that sleep does not read"""
    shell = place.start("bash", "-c", "yes | sleep 3000")
    wait_until(lambda: len(children(shell.pid)) == 2, "both")
    writer, reader = children(shell.pid)
    return Stuck(writer, r"\b%d\b.*(not|n't) read|pipe.*sleep \(%d\)" % (reader, reader))


def fifo(place):
    """cat opens a FIFO that has no writer"""
    path = place.path("events.fifo")
    os.mkfifo(path)
    return Stuck(place.start("cat", path).pid, r"events\.fifo")


def terminal_read(place):
    """a bash script asks a question on its terminal"""
    child = place.terminal("bash", "-c", "read -p 'Continue? ' answer")
    return Stuck(child.pid, r"input .*terminal|terminal .*/dev/pts/")


def git_editor(place):
    """git commit waits for its editor"""
    for command in (("init", "-q"), ("config", "user.email", "a@b.c"), ("config", "user.name", "a")):
        run("git", "-C", place.folder, *command)
    child = place.start("git", "commit", "--allow-empty",
                        env={**os.environ, "GIT_EDITOR": "sleep 3000;"})
    wait_until(lambda: children(child.pid), "the editor")
    return Stuck(child.pid, r"child \w+ \(%d\)" % children(child.pid)[0])


def stopped(place):
    """a program is stopped by SIGSTOP"""
    child = place.start("sleep", "3000")
    os.kill(child.pid, signal.SIGSTOP)
    return Stuck(child.pid, r"stopped by")


# --- network ---


def curl(place):
    """curl waits for a server that takes the request and does not answer"""
    port = place.silent_server()
    return Stuck(place.start("curl", "-s", "http://127.0.0.1:%d/" % port).pid,
                 r"waits for python\S* \(%d\)" % os.getpid())


def node(place):
    """node waits for the same"""
    port = place.silent_server()
    return Stuck(place.start("node", "-e", "require('http').get('http://127.0.0.1:%d/')" % port).pid,
                 r"waits for python\S* \(%d\)" % os.getpid())


def npm(place):
    """npm view waits for its registry"""
    port = place.silent_server()
    child = place.start("npm", "view", "left-pad", "--registry", "http://127.0.0.1:%d/" % port,
                        "--cache", place.path("cache"))
    return Stuck(child.pid, r"waits for python\S* \(%d\)" % os.getpid())


# --- agents ---


def in_mode(place, wanted, cause, **how):
    agent = place.stack.enter_context(tour.start(known.CLAUDE_CODE, **how))
    for mode in tour.visit(agent, [wanted]):
        assert mode == wanted
    return Stuck(agent.pid, cause)


def permission(place):
    """Claude Code asks its user for permission"""
    return in_mode(place, modes.PERMISSION, r"waits for permission")


def stalled(place):
    """Claude Code waits for a model that stopped in the middle of its answer, over TLS"""
    found = in_mode(place, modes.STALL, r"wait(s|ing) for the model", over_tls=True)
    time.sleep(30)  # the least silence of stream-stalled
    return found


def tool(place):
    """Claude Code runs a command that does not end"""
    return in_mode(place, modes.TOOL, r"tail -f /dev/null")


ALL = (flock, sqlite, python_deadlock, postgres, redis, pipe_writer, fifo, terminal_read, git_editor, stopped,
       curl, node, npm, permission, stalled, tool)
