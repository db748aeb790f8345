# SPDX-License-Identifier: BSD-2-Clause
"""idle-cpu. Something that looks like Claude Code by where it lies, with its session's file."""
import json
import os
import pty
import shutil
import sys
import termios
import threading
import time
import fcntl

from case import healthy, sick

VERSIONS = ".local/share/claude/versions"
VERSION = "9.9.9"

AGENT = """
import os, socket, subprocess, sys, threading, time
share, does = float(sys.argv[1]), sys.argv[2:]
# The terminal is read from a file of its own: the interpreter would take it line by line.
if "reads" in does:
    def read():
        while os.read(0, 100): pass
    threading.Thread(target=read, daemon=True).start()
if "talks" in does:
    listening = socket.create_server(("127.0.0.1", 0))
    mine = socket.create_connection(listening.getsockname())
    other = listening.accept()[0]
    def talk():
        while True:
            mine.send(b"x")
            other.recv(1)
            time.sleep(0.1)
    threading.Thread(target=talk, daemon=True).start()
if "connected" in does:
    listening = socket.create_server(("127.0.0.1", 0))
    mine = socket.create_connection(listening.getsockname())
    other = listening.accept()[0]
    mine.send(b"x")
    other.recv(1)
if "tool" in does:
    # It goes when the agent does.
    subprocess.Popen([sys.executable, "-c",
        "import ctypes; ctypes.CDLL(None).prctl(1, 9)\\nwhile True: pass"])
print("ready", flush=True)
while True:
    begin = time.monotonic()
    while time.monotonic() - begin < 0.1 * share: pass
    time.sleep(0.1 * (1 - share))
"""

# Whose parent is gone has nothing more to do here.
END_WITH_PARENT = """
import ctypes
ctypes.CDLL(None).prctl(1, 9)
"""


def terminal(scope):
    """A terminal that is the child's; returns what starts a process on it, and the master."""
    master, slave = pty.openpty()
    os.set_blocking(master, True)

    def take():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    scope.later(lambda: os.close(master))
    scope.later(lambda: os.close(slave))
    return {"stdin": slave, "preexec_fn": take}, master


def write_session(scope, pid, status, updated_s):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as stat:
        start = stat.read().rsplit(")", 1)[1].split()[19]
    folder = scope.path / ".claude" / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("%d.json" % pid)).write_text(json.dumps({"pid": pid, "procStart": start,
        "sessionId": "0b7a4d3e-1111-4222-8333-444455556666", "cwd": str(scope.path),
        "version": VERSION, "kind": "interactive", "entrypoint": "cli", "status": status,
        "statusUpdatedAt": int(1000 * updated_s)}))


def type_for_ever(scope, master):
    """Some keys a second, until the case is over. The times of terminals keep to 8 seconds."""
    stop = threading.Event()

    def run():
        while not stop.wait(0.2):
            os.write(master, b"x\n")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    scope.later(thread.join)
    scope.later(stop.set)


def agent(status, low, high, *does, on_terminal=False, typed=False, changes=False):
    def make(scope, rng):
        program = scope.path / VERSIONS / VERSION
        program.parent.mkdir(parents=True)
        shutil.copyfile(os.path.realpath(sys.executable), program)
        program.chmod(0o755)
        options, master = terminal(scope) if on_terminal else ({}, None)
        if typed:
            type_for_ever(scope, master)
        started = scope.start([program, "-u", "-c", END_WITH_PARENT + AGENT,
            str(rng.uniform(low, high)), *does], env=dict(os.environ, HOME=str(scope.path),
            PYTHONHOME=sys.prefix), **options)
        now = time.time()
        if status:
            write_session(scope, started.pid, status, now + 60 if changes else now - 60)
        if on_terminal and not typed:
            time.sleep(9)  # a terminal is as new as one that was typed on
        return started.pid
    return make


# It is young, and a busy machine gives it a small part of what it wants.
HERE = {"settings": ("idle-cpu.min-age=0", "idle-cpu.percent=3", "idle-cpu.percent-model=5"),
    "few": True}
CPU = {"evidence": "CPU", "threshold": "percent"}
MODEL = {"evidence": "CPU", "threshold": "percent-model"}

CASES = [
    sick("idle-cpu", "idle by its own word", agent("idle", 0.3, 0.7), **HERE, **CPU),
    sick("idle-cpu", "idle on its terminal",
        agent("idle", 0.3, 0.7, "reads", on_terminal=True), **HERE, **CPU),
    sick("idle-cpu", "quiet on its terminal",
        agent("", 0.6, 0.8, "reads", "connected", on_terminal=True), **HERE, **MODEL),
    sick("idle-cpu", "waits for its model", agent("busy", 0.6, 0.8, "connected"), **HERE, **MODEL),
    healthy("idle-cpu", "draws while it waits for its model", agent("busy", 0.003, 0.02,
        "connected"), **HERE),
    healthy("idle-cpu", "idle, and hardly awake", agent("idle", 0.001, 0.01), **HERE),
    healthy("idle-cpu", "somebody types",
        agent("idle", 0.3, 0.7, "reads", on_terminal=True, typed=True), **HERE),
    healthy("idle-cpu", "it has just become idle", agent("idle", 0.3, 0.7, changes=True), **HERE),
    healthy("idle-cpu", "its model answers", agent("busy", 0.3, 0.7, "talks"), **HERE),
    healthy("idle-cpu", "its tool works", agent("busy", 0.3, 0.7, "tool"), also=("cpu-spin",),
        **HERE),
    healthy("idle-cpu", "without a word or a terminal", agent("", 0.3, 0.7), **HERE),
]
