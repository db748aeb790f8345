# SPDX-License-Identifier: BSD-2-Clause
"""
Functions of Python 3.9 to 3.14 that was started without any option, against what the program knows about
itself: shares, callers, threads, generators, exceptions, recursion, callbacks of C functions, names of
all letters. Never a name of a function that does not run.
"""
import glob
import os
import shutil
import signal
import subprocess
import time
import unittest

import harness
import other_runtimes
from harness import Case, Process, needs_bpf

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.9", "3.10")
FETCHED = ("3.9", "3.13", "3.14")  # where they are not here: packages of other suites (script/fetch-runtime)
STRONGEST = ("test_shares", "test_callbacks")  # of a version beside the first: the others with --long

WORK = r"""
import sys, threading, time, zlib

def spend(n):
    s = 0
    for i in range(n):
        s += i * i
    return s

def seventy(): return spend(7000)
def twenty(): return spend(2000)
def ten(): return spend(1000)

def never_called(): return spend(1)

# On a CPU: a busy host takes longer, and there are as many samples.
def until(seconds, work):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        work()
"""

CASES = {
    "shares": r"""
def inner():
    seventy(); twenty(); ten()
def outer(): inner()
until(1, outer)
""",
    "threads": r"""
def a(): spend(3000)
def b(): spend(3000)
all = [threading.Thread(target=until, args=(1, f)) for f in (a, b)]
for t in all: t.start()
for t in all: t.join()
""",
    "unlocked": r"""
data = bytes(range(256)) * 16000
def pack(): zlib.compress(data, 6)
def other(): spend(500)
t = threading.Thread(target=until, args=(1, other))
t.start()
until(1, pack)
t.join()
""",
    "generators": r"""
def numbers():
    while True:
        yield spend(2000)
def through(g):
    yield from g
g = through(numbers())
def take(): next(g)
until(1, take)
""",
    "exceptions": r"""
class Failed(Exception): pass
def failing(depth):
    if not depth:
        spend(500)
        raise Failed
    failing(depth - 1)
def catching():
    try:
        failing(9)
    except Failed:
        pass
until(1, catching)
""",
    "recursion": r"""
def down(n):
    if n:
        return down(n - 1)
    return spend(3000)
def go(): down(30)
until(1, go)
""",
    "callbacks": r"""
import json
def by_key(x): return spend(200)
def sorting(): sorted(range(20), key=by_key)
class Thing: pass
def encode_thing(o): return spend(3000)
def dumping(): json.dumps([Thing()], default=encode_thing)
def both(): sorting(); dumping()
until(1, both)
""",
    "letters": r"""
class Größe:
    def messen(self): return spend(3000)
def 水(): Größe().messen()
hostile = (lambda: spend(3000))
evil = "evil\n\x1b[31m;name"
more = {"co_qualname": evil} if sys.version_info >= (3, 11) else {}
hostile.__code__ = hostile.__code__.replace(co_name=evil, **more)
def both(): 水(); hostile()
until(1, both)
""",
}


def executable_of(program, version):
    """Of the program, if it is that version and not a script that starts it; else None."""
    ask = ("import sys; print(*sys.version_info[:2], sep='.'); "
           "print(sys.executable if getattr(sys, '_is_gil_enabled', lambda: True)() else '')")
    try:
        said = subprocess.run([program, "-c", ask], capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.path.realpath(said[1]) if said[0] == version and said[1] else None


def interpreter(version):
    """A command. The distribution's comes first, then what is on the path, or was put there by pyenv."""
    programs = ["/usr/bin/python3", shutil.which("python" + version),
                *glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python3" % version))]
    here = next(filter(None, (executable_of(program, version) for program in programs if program)), None)
    if here:
        return [here]
    return other_runtimes.command("python" + version) if version in FETCHED else None


class Functions:
    version = None

    @property
    def method(self):
        """Names have no class before 3.11."""
        return "messen" if self.version in ("3.9", "3.10") else "Größe.messen"

    def setUp(self):
        super().setUp()
        if self.version != VERSIONS[0] and not harness.IS_LONG and self._testMethodName not in STRONGEST:
            self.skipTest("only in script/test --long")
        self.python = interpreter(self.version)
        if not self.python:
            self.skipTest("no Python %s here" % self.version)

    def script(self, name):
        path = self.path(name + ".py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORK + CASES[name])
        return path

    def stacks(self, name):
        """Functions from the process on, with samples; those of the interpreter's start are left out."""
        path = self.path("stacks.folded")
        self.sooth("profile", "--rate", "997", "--folded", path, "--", *self.python, self.script(name))
        found = []
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            found.append((names.split(";"), int(count)))
        self.assertNotIn("never_called", str(found))
        return [(stack, count) for stack, count in found if "until" in stack]

    def share(self, stacks, *names, of=()):
        """Of the samples with `of`: those with these names in this order, others between."""
        def holds(stack, wanted):
            rest = iter(stack)
            return all(name in rest for name in wanted)
        chosen = [(stack, count) for stack, count in stacks if holds(stack, of)]
        total = sum(count for _, count in chosen)
        self.assertGreater(total, 200, stacks[:4])
        return sum(count for stack, count in chosen if holds(stack, names)) / total

    def test_shares(self):
        stacks = self.stacks("shares")
        chain = ("<module>", "until", "outer", "inner")
        for name, share in (("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)):
            self.assertLess(abs(self.share(stacks, *chain, name, "spend") - share), 0.08, name)

    def test_threads(self):
        stacks = self.stacks("threads")
        for name in ("a", "b"):
            self.assertLess(abs(self.share(stacks, "until", name, "spend") - 0.5), 0.15)
        self.assertEqual(self.share(stacks, "a", "b"), 0)
        self.assertEqual(self.share(stacks, "b", "a"), 0)

    def test_without_the_lock(self):
        """A thread that has given the interpreter's lock away is not the one that has it."""
        stacks = self.stacks("unlocked")
        self.assertEqual(self.share(stacks, "pack", "spend"), 0)
        self.assertEqual(self.share(stacks, "other", "deflate"), 0)
        self.assertGreater(self.share(stacks, "until", "pack"), 0.3)

    def test_generators(self):
        stacks = self.stacks("generators")
        self.assertGreater(self.share(stacks, "until", "take", "through", "numbers", "spend"), 0.85)

    def test_exceptions(self):
        stacks = self.stacks("exceptions")
        self.assertGreater(self.share(stacks, *(("until", "catching") + 10 * ("failing",) + ("spend",))), 0.6)

    def test_recursion(self):
        stacks = self.stacks("recursion")
        self.assertGreater(self.share(stacks, *(("until", "go") + 31 * ("down",) + ("spend",))), 0.8)

    def test_callbacks(self):
        """Functions of C stand between those of Python that they call and that call them."""
        stacks = self.stacks("callbacks")
        self.assertGreater(self.share(stacks, "both", "sorting", "by_key", "spend"), 0.3)
        for stack, _ in stacks:
            if "sorting" in stack and "by_key" in stack:
                self.assertGreater(stack.index("by_key"), stack.index("sorting") + 1, stack)
        self.assertGreater(self.share(stacks, "both", "dumping", "dumps", "encode_thing", "spend"), 0.2)

    def test_letters(self):
        stacks = self.stacks("letters")
        self.assertGreater(self.share(stacks, "until", "both", "水", self.method, "spend"), 0.3)
        text = str(stacks)
        self.assertIn("evil", text)
        self.assertNotIn("\x1b", harness.read(self.path("stacks.folded")).decode())

    def test_attached(self):
        """One that runs already, and all of its functions have names."""
        path = self.path("long.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORK + CASES["shares"].replace("until(1,", "until(60,"))
        target = Process([*self.python, path])
        self.addCleanup(target.end)
        report = self.sooth("profile", "-j", "--rate", "499", "-d", "2", str(target.pid)).json()
        self.assertTrue(target.is_running())
        rows = {row["function"]: row for row in report["functions"]}
        self.assertGreater(rows["inner"]["total_percent"], 60)
        self.assertRegex(rows["seventy"]["file"], r"^long\.py:\d+$")


@needs_bpf
class Ended(Case):
    """The program has ended before sooth reads anything of its last function."""
    PROGRAM = ("import os, sys, time\n"
               "def last_thing(): time.sleep(0.05)\n"
               "print('ready', flush=True)\n"
               "sys.stdin.readline()\n"
               "last_thing()\n"
               "os._exit(0)\n")

    def waits(self, settle_s):
        path = self.path("waits.json")
        sooth = self.start_sooth("profile", "--off-cpu", "-j", "-o", path, "--", *self.python, "-c", self.PROGRAM)
        sooth.wait_for_output(b"ready")
        time.sleep(settle_s)
        target, = [pid for pid in map(int, harness.read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split())
                   if harness.read("/proc/%d/comm" % pid).startswith(b"python")]
        harness.stop(sooth.pid)
        sooth.say(b"go\n")
        harness.wait_until(lambda: harness.process_state(target) == "Z", "its end")
        sooth.send(signal.SIGCONT)
        sooth.finish()
        return harness.parse_json(harness.read(path).decode())["waits_by_function"]

    def test_it_has_its_name(self):
        self.python = next(filter(None, map(interpreter, VERSIONS)), None)
        if not self.python:
            self.skipTest("no Python here")
        for settle_s in (0.5, 2, 8):  # until there is a table for its stacks
            functions = {row["function"] for row in self.waits(settle_s) if row["reason"] == "sleep"}
            self.assertNotIn("[Python function]", functions)
            if "last_thing" in functions:
                return
        self.assertIn("last_thing", functions)


def of_version(version):
    """The tests for one version."""
    case = type("Python" + version.replace(".", "_"), (Functions, Case), {"version": version})
    return needs_bpf(unittest.skipUnless(os.uname().machine == "x86_64", "only layouts of x86-64 are known")(case))


Python3_11, Python3_12, Python3_13, Python3_14, Python3_9, Python3_10 = map(of_version, VERSIONS)


if __name__ == "__main__":
    harness.main()
