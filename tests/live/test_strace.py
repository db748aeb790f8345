# SPDX-License-Identifier: BSD-2-Clause
"""
One execution watched by both: strace starts a held child and follows it with -f, sooth attaches to
the same child, then it is let go and becomes the real program. Counts are equal by name, but for
what DIFFERENCES says.

strace writes each call beside its summary (-C), because its summary begins with its child while
sooth's begins at the attach: what came before is taken off by the log.
"""
import contextlib
import os
import re
import unittest

import harness
from harness import Case, needs_bpf, table_counts

# What may differ, why, and how the log of strace tells how often: exactly that often, no more.
DIFFERENCES = (
    ("before", "returned in the held child before sooth attached; the read it was held in is no such "
     "call: sooth counts it as well, without a time",
     "strace counts it, sooth does not"),
    ("last", "exit and exit_group never return; strace counts calls when they return",
     "sooth counts it, strace does not"),
    ("interrupted", "ended by the death of its thread: the kernel lets it return, with a value that "
     "user space never sees, and strace shows it as unfinished",
     "sooth counts it, as an error where the kernel wanted it restarted; strace does not"),
    ("sigreturn", "rt_sigreturn restores registers: what it seems to return belongs to the code "
     "the signal interrupted",
     "strace counts that as an error when it looks like one, sooth never does"),
)

HOLDER = 'read -r go; exec "$@"'

LINE = re.compile(r"^(?P<pid>\d+) +(?P<rest>.*)$")
BEGUN = re.compile(r"^(?P<name>[a-z_0-9]+)\(.*<unfinished \.\.\.>(\) = \?)?$")
RESUMED = re.compile(r"^<\.\.\. (?P<name>[a-z_0-9]+) resumed>(?P<rest>.*)$", re.S)
WHOLE = re.compile(r"^(?P<name>[a-z_0-9]+)\(.*\) += (?P<result>\S+)(?P<rest>.*)$", re.S)
SUMMARY = re.compile(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:(\d+) +)?([a-z_0-9]+)$")


class Log:
    """What strace -f -C wrote: its summary, and calls that its lines tell apart."""

    def __init__(self, text, held_pid):
        self.summary = {}
        self.before = {}       # until the held child was let go
        self.last = {}         # exit, exit_group
        self.interrupted = {}  # entered; the thread ended inside
        self.open = {}
        self.is_released = False
        for line in text.splitlines():
            total = SUMMARY.match(line)
            entry = LINE.match(line)
            if total and total[3] != "total":
                self.summary[total[3]] = (int(total[1]), int(total[2] or 0))
            elif entry:
                pid, rest = int(entry["pid"]), entry["rest"]
                name, failed = self.take(pid, rest)
                if pid == held_pid and rest.startswith('read(0, "g"'):
                    self.is_released = True
                if name and not self.is_released:
                    self.add(self.before, name, failed)

    @staticmethod
    def add(table, name, failed=False):
        calls, errors = table.get(name, (0, 0))
        table[name] = (calls + 1, errors + failed)

    def take(self, pid, rest):
        """(name, whether it failed) of a call that returned, else (None, False)."""
        if rest.startswith("+++"):
            name = self.open.pop(pid, None)
            if name:
                self.add(self.interrupted, name)
            return None, False
        begun = BEGUN.match(rest)
        resumed = RESUMED.match(rest)
        whole = WHOLE.match(rest)
        if begun:
            self.open[pid] = begun["name"]
            return None, False
        if resumed:
            self.open.pop(pid, None)
        name = resumed["name"] if resumed else whole["name"] if whole else None
        result = re.search(r"\) += (\S+)", rest)
        if not name or not result:
            return None, False
        if result[1] == "?" and name in ("exit", "exit_group"):
            self.add(self.last, name)
            return None, False
        if result[1] == "?" and not re.search(r"= \? ERESTART", rest):
            self.add(self.interrupted, name)
            return None, False
        return name, result[1] == "-1" or result[1] == "?"


def minus(table, other):
    out = dict(table)
    for name, (calls, errors) in other.items():
        have = out.get(name, (0, 0))
        out[name] = (have[0] - calls, have[1] - errors)
        if out[name] == (0, 0):
            del out[name]
    return out


@needs_bpf
@unittest.skipUnless(harness.have("strace"), "no strace here")
class Strace(Case):
    @staticmethod
    def held_child(strace):
        """The pid of the shell once it is in its read; strace also has children of its own."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in harness.read("/proc/%d/task/%d/children" % (strace, strace)).split():
                if harness.read("/proc/%s/comm" % child.decode()) == b"sh\n" and \
                        harness.system_call_of(int(child)) == 0:
                    return int(child)
        return None

    def compare(self, *command, env=None):
        """Both watch one execution; returns what sooth reported."""
        environment = dict(os.environ, HOME=self.folder, GIT_CONFIG_NOSYSTEM="1", **(env or {}))
        strace = self.start(harness.have("strace"), "-f", "-C", "-o", self.path("log"), "/bin/sh",
                            "-c", HOLDER, "sh", *command, cwd=self.folder, env=environment)
        held = harness.wait_until(lambda: self.held_child(strace.pid), "the child to be held")
        sooth = self.start_attached("trace", "-c", "-j", "-p", str(held))
        strace.say(b"go\n")
        strace.close_stdin()
        self.assertEqual(strace.finish().status, 0)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        report = run.json()
        self.assertEqual(report["loss"], [])
        log = Log(harness.read(self.path("log")).decode("utf-8", "replace"), held)
        self.check(log, report)
        return report

    def check(self, log, report):
        self.assertTrue(log.is_released, "the log does not show the release")
        expected = minus(log.summary, log.before)
        if "rt_sigreturn" in expected:
            expected["rt_sigreturn"] = (expected["rt_sigreturn"][0], 0)
        counted = table_counts(report)
        for name, (calls, _) in log.last.items():
            expected[name] = (calls, 0)
        for name, (calls, _) in log.interrupted.items():
            have = expected.get(name, (0, 0))
            # Whether the kernel wanted it restarted, no line of strace says: read it off sooth.
            errors = counted.get(name, (0, 0))[1] - have[1]
            self.assertIn(errors, range(calls + 1), "%s was interrupted %d times" % (name, calls))
            expected[name] = (have[0] + calls, have[1] + errors)
        self.assertEqual([row["untimed"] for row in report["syscalls"] if row["name"] == "read"], [1])
        differ = {name: (counted.get(name), expected.get(name))
                  for name in set(counted) | set(expected)
                  if counted.get(name) != expected.get(name)}
        self.assertEqual(differ, {}, "(sooth, strace)\ninterrupted: %s" % log.interrupted)
        self.assertGreater(sum(calls for calls, _ in expected.values()), 20)

    def test_shell_script(self):
        script = self.path("script")
        with open(script, "w") as file:
            file.write('#!/bin/sh\n'
                       'for i in 1 2 3 4 5; do\n'
                       '  ls -l /etc | sort -r | head -3 >out.$i &\n'
                       'done\n'
                       'wait\n'
                       'cat out.* | wc -l\n'
                       '(exit 3) || true\n'
                       'cat missing 2>/dev/null || true\n'
                       'find /etc -name "*.conf" 2>/dev/null | xargs grep -l a | wc -l\n')
        os.chmod(script, 0o755)
        report = self.compare(script)
        names = table_counts(report)
        self.assertGreater(names["execve"][0], 10)

    @unittest.skipUnless(harness.have("git"), "no git here")
    def test_git(self):
        who = {"GIT_%s_%s" % (role, what): "t@example.org"
               for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.compare("/bin/sh", "-c", "git init -q r && cd r && echo a >a && git add a && "
                     "git commit -q -m one && git status && git log -p && git gc -q", env=who)
        self.compare(harness.have("git"), "-C", "r", "status", env=who)

    def test_python3(self):
        """Threads, a fork and a program started from a thread."""
        self.compare(harness.have("python3"), "-c",
                     "import threading, subprocess, os, json, urllib.parse\n"
                     "def work():\n"
                     "  for i in range(200): os.stat('/')\n"
                     "  subprocess.run(['/bin/true'])\n"
                     "threads = [threading.Thread(target=work) for _ in range(4)]\n"
                     "[t.start() for t in threads]\n"
                     "pid = os.fork()\n"
                     "if not pid: os._exit(0)\n"
                     "os.waitpid(pid, 0)\n"
                     "[t.join() for t in threads]\n")

    @unittest.skipUnless(harness.have("node"), "no node here")
    def test_node(self):
        """Its helper threads are ended inside their calls by exit_group."""
        self.compare(harness.have("node"), "-e",
                     "const fs = require('fs'), c = require('child_process');"
                     "for (let i = 0; i < 100; i++) fs.statSync('/');"
                     "c.execFileSync('/bin/true');"
                     "fs.readFile('/etc/passwd', () => setTimeout(() => {}, 20));")

    def test_killed_in_a_call(self):
        report = self.compare(harness.WORKLOADS, "syscalls", "--forks", "1", "--killed", "1")
        self.assertEqual(table_counts(report).get("pause"), (1, 1))


if __name__ == "__main__":
    harness.main()
