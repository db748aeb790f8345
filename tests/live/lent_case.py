# SPDX-License-Identifier: BSD-2-Clause
"""
Processes with a secret in each place that only what may trace them can read, and sooth with file
capabilities, run by a user who may not.
"""
import contextlib
import os
import re
import secrets


import harness
from harness import Case, as_user, have

CAPABILITIES = "cap_bpf,cap_perfmon+ep"
OTHER = 64087  # a user whom nobody else here is
AGENT = "claude"  # recognized by the name of its processes
PYTHON = "/usr/bin/python3"  # one that every user may run

# What it does all the time: Python functions, system calls and allocations with the mark in them.
# The mark comes by standard input: a command line may be read by everyone.
TARGET = r'''
import ctypes, itertools, mmap, os, signal, sys, time
{more}
mark = sys.stdin.readline().strip()
ctypes.CDLL(None).prctl(15, b"claude", 0, 0, 0)  # PR_SET_NAME
os.mkdir(mark + "-cwd"), os.chdir(mark + "-cwd")
file = open(mark + "-file", "w+b")
file.write(b"x" * 65536), file.flush()
mapped = mmap.mmap(file.fileno(), 65536)
space = {"os": os, "mmap": mmap, "time": time, "turns": itertools.count()}
exec("""
def MARK_works():
    for i in range(20000): pass
    try: os.stat("MARK-missing")
    except OSError: pass
    b = [bytearray(3000 + i) for i in range(20)]
    m = mmap.mmap(-1, 1 << 20); m[::4096] = b"y" * 256; m.close()
    if next(turns) % 4 == 0:
        child = os.fork()
        if not child:
            for i in range(20000): pass
            os._exit(0)
        os.waitpid(child, 0)
    time.sleep({pause})
""".replace("MARK", mark), space)
space = space[mark + "_works"]
space.__code__ = space.__code__.replace(co_filename=mark + ".py")
signal.signal(signal.SIGUSR1, lambda *_: None)
print("ready", flush=True)
until = time.monotonic() + 900
while time.monotonic() < until:
    space()
'''


class Target:
    """A process of a user. `before` are words before its command line, `more` lines of its program,
    to change what it may do; `pause_s` is how long it rests each time, which is most of the time."""

    def __init__(self, case, uid, before=(), more="", pause_s=0.05, **options):
        self.mark = "Qq%sq" % secrets.token_hex(5)
        folder = case.path("of-" + self.mark[2:6])
        os.mkdir(folder)
        os.chown(folder, uid, uid)
        environment = {"PATH": os.environ["PATH"], self.mark + "_ENV": self.mark}
        program = [PYTHON] if before else [AGENT]
        text = TARGET.replace("{more}", more).replace("{pause}", str(pause_s))
        self.process = case.start(*before, *program, "-u", "-c", text,
                                  executable=None if before else PYTHON, cwd=folder,
                                  env=environment, **{**as_user(uid), **options})
        self.process.say(self.mark.encode() + b"\n")
        self.process.wait_for_output(b"ready\n")
        self.pid, self.uid = self.process.pid, uid
        self.addresses = addresses_of(self.pid)

    def shown_in(self, text):
        """What of it stands in the text: its mark, or one of its addresses."""
        found = [self.mark] if self.mark in text else []
        return found + [a for a in re.findall(r"(?:0x)?([0-9a-f]{9})[0-9a-f]{3}\b", text)
                        if a in self.addresses]


def addresses_of(pid):
    """The pages of its mappings that are no one else's too, without their last three digits."""
    found = set()
    for line in harness.read("/proc/%d/maps" % pid).decode().splitlines():
        begin, end = (int(word, 16) for word in line.split()[0].split("-"))
        if begin < 1 << 47:
            found |= {"%09x" % (page >> 12) for page in range(begin, min(end, begin + (1 << 20)), 4096)
                      if begin >> 32}
    return found


class LentCase(Case):
    def setUp(self):
        super().setUp()
        setcap = have("setcap")
        if not setcap:
            self.skipTest("no setcap here (package libcap2-bin)")
        self.program = self.copy_for_all(harness.SOOTH)
        run = self.run_program(setcap, CAPABILITIES, self.program, status=None)
        if run.status:
            self.skipTest("this file system keeps no capabilities: %s" % run.errors)
        run = self.run_program(self.program, "--version", status=None, **as_user(harness.NOBODY))
        if run.status:
            self.skipTest("files here gain no capabilities: mounted nosuid")
        self.home = self.path("home")
        os.mkdir(self.home)
        os.chown(self.home, harness.NOBODY, harness.NOBODY)

    def caller(self, *argv, name=None, **options):
        """sooth, or the name of an older tool, as an ordinary user."""
        program = self.program
        if name:
            program = self.path(name)
            with contextlib.suppress(FileExistsError):
                os.symlink(self.program, program)
        options = {"status": None, "cwd": self.home, **as_user(harness.NOBODY), **options}
        environment = {**os.environ, "HOME": self.home, **options.pop("environment", {})}
        return self.run_program(program, *argv, env=environment, **options)
