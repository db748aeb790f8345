# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth why` of processes that wait, run, idle or are stuck, each of real software: all are started
first, then one report tells about all of them. A program that is not installed is skipped by name.
"""
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import unittest

import harness
from harness import Case, wait_until

PYTHON = os.path.realpath(sys.executable)
LEAST_S = 1.2  # each situation stands at least so long, so that its age is shown


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


class Situations(Case):
    """What is started here is ended with the case, by its process group."""

    def setUp(self):
        super().setUp()
        self.groups = []
        self.addCleanup(self.end_groups)

    def end_groups(self):
        for child, leader in self.groups:
            for number in (signal.SIGKILL, signal.SIGCONT):
                try:
                    os.killpg(leader, number)
                except ProcessLookupError:
                    pass
            child.wait()

    def begin(self, *argv, tty=None, **options):
        """A process group of its own; with a terminal a session of its own."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        options.setdefault("cwd", self.folder)
        if tty is not None:
            options.update(stdin=tty, stdout=tty, stderr=tty)
        child = subprocess.Popen(argv, start_new_session=True, **options)
        self.groups.append((child, child.pid))
        return child

    def python(self, source, *arguments, **options):
        return self.begin(PYTHON, "-c", textwrap.dedent(source), *arguments, **options).pid

    def terminal(self, *argv, **options):
        """A program on a terminal of its own, in the foreground; nothing reads its output."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        source = textwrap.dedent("""
            import fcntl, os, sys, termios
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            os.execvp(sys.argv[1], sys.argv[1:])
            """)
        child = self.begin(PYTHON, "-c", source, *argv, tty=slave, **options)
        os.close(slave)
        return child.pid, master

    def ready(self, pid, *calls):
        """Until its main thread sleeps in a call."""
        def waits():
            with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
                return file.read().rsplit(")", 1)[1].split()[0] in "SDTt"
        wait_until(waits, "process %d to wait" % pid)

    def explain(self, *pids, options=()):
        run = self.sooth("why", "-j", *options, "-p", ",".join(str(pid) for pid in pids))
        return {row["pid"]: row for row in run.json()["processes"]}


class Chains(Situations):
    def test_chain(self):
        """A shell waits for a child, which reads a pipe, whose writer waits for a lock."""
        lock = self.path("build.lock")
        holder = self.begin("flock", lock, "sleep", "600")
        wait_until(lambda: children(holder.pid), "flock to hold its lock")
        shell = self.begin("bash", "-c", "flock %s true | cat; :" % lock)
        wait_until(lambda: len(children(shell.pid)) == 2, "the pipe")
        time.sleep(LEAST_S)
        row = self.explain(shell.pid)[shell.pid]
        self.assertEqual(row["state"], "waits", row)
        links = row["waits"]
        self.assertEqual([link["what"] for link in links[:3]],
                         ["child", "pipe, to read", "file lock"], row)
        self.assertEqual(links[0]["call"], "wait4")
        self.assertEqual(links[0]["party_pid"], links[1]["pid"])
        self.assertEqual(links[1]["party_pid"], links[2]["pid"])
        self.assertEqual(links[2]["object"], lock)
        self.assertIn(links[2]["party_pid"], [holder.pid] + children(holder.pid))
        self.assertEqual(links[2]["confidence"], "high")
        self.assertGreaterEqual(links[2]["since_s"], 1)
        text = self.sooth("why", str(shell.pid)).text
        self.assertRegex(text, r"bash \(%d\) waits for its child cat \(\d+\)" % shell.pid)
        self.assertRegex(text, r"waits for data from flock \(\d+\) through a pipe")
        self.assertRegex(text, r"waits for a lock on %s held by \w+ \(\d+\)" % re.escape(lock))
        capture = self.path("why.sooth")
        live = self.sooth("why", str(shell.pid), "--save", capture).text
        self.assertEqual(self.sooth("why", capture).text, live)


if __name__ == "__main__":
    harness.main()
