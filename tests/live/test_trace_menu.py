# SPDX-License-Identifier: BSD-2-Clause
"""The interactive tracer: `sooth trace` and `trace-claude` without a target, on a terminal."""
import os
import pty
import re
import signal
import subprocess
import time
import unittest

import harness
from family import Family
from harness import Case, needs_bpf

TRACE_CLAUDE = os.path.join(os.path.dirname(harness.SOOTH), "compat", "trace-claude")


class Terminal:
    """A program on a terminal of its own; what it writes is collected."""

    def __init__(self, case, *argv):
        self.fd, other = pty.openpty()
        self.child = subprocess.Popen(argv, stdin=other, stdout=other, stderr=other,
                                      start_new_session=True)
        os.close(other)
        os.set_blocking(self.fd, False)
        self.text = ""
        case.addCleanup(self.end)

    def pump(self):
        try:
            self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
        except (BlockingIOError, OSError):
            time.sleep(0.01)

    def wait_for(self, pattern):
        deadline = time.monotonic() + harness.PATIENCE_S
        while not re.search(pattern, self.text):
            self.pump()
            if time.monotonic() > deadline:
                raise AssertionError("no %s in:\n%s" % (pattern, self.text[-3000:]))
        return re.search(pattern, self.text)

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def finish(self):
        harness.wait_until(lambda: self.pump() or self.child.poll() is not None, "its end")
        for _ in range(10):
            self.pump()
        return self.child.returncode

    def end(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self.fd)


class WithoutTerminal(Case):
    def test_nobody_to_ask(self):
        run = self.run_program(TRACE_CLAUDE, status=2)
        self.assert_says_three_lines(run, "terminal", "trace-claude PID")
        run = self.sooth("trace", status=2)
        self.assert_says_three_lines(run, "-p PID")

    def test_words_it_does_not_know(self):
        run = self.run_program(TRACE_CLAUDE, "--fast", status=2)
        self.assert_says_three_lines(run, "--fast", "sooth trace")
        self.assertIn("trace-claude [PID]", self.run_program(TRACE_CLAUDE, "--help").text)


@needs_bpf
class Menu(Case):
    def choose(self, terminal, pid, what):
        number = terminal.wait_for(r"(?m)^ *(\d+) +%d  \S+.*\r?$" % pid)[1]
        terminal.wait_for(r"which \(1-\d+, empty to quit\): ")
        terminal.type(number)
        kind = terminal.wait_for(r"(?m)^ *(\d+)  %s" % what)[1]
        terminal.wait_for(r"what \(1-\d+, empty to quit\): ")
        terminal.type(kind)

    def test_an_agent_and_what_of_it(self):
        with Family(self.folder) as family:
            main = family.main()
            for program in ((harness.SOOTH, "trace"), (TRACE_CLAUDE,)):
                terminal = Terminal(self, *program)
                self.choose(terminal, main.pid, "counts of calls")
                # The same as a command line, before it starts.
                terminal.wait_for(r"\$ sooth trace -c --interval 2s -p %d\r?\n" % main.pid)
                harness.wait_until(lambda at=terminal: at.pump() or harness.is_attached(at.child.pid),
                                   "sooth to attach")
                child = main.start("tool", "session", **family.tool(main))
                self.assertTrue(child.pid)
                # Seen before it is asked to end.
                terminal.wait_for(r"(?m)^(clone|clone3|fork|vfork) +1 ")
                os.kill(terminal.child.pid, signal.SIGINT)
                self.assertEqual(terminal.finish(), 0)
                # Once in its interval, and once in the sum of all.
                found = re.findall(r"(?m)^(?:clone|clone3|fork|vfork) +1 ", terminal.text)
                self.assertEqual(len(found), 2, terminal.text)
                child.kill()

    def test_nothing_is_said_too(self):
        """Before Ctrl-C: who is silent is told apart from a tracer that shows nothing."""
        with Family(self.folder) as family:
            main = family.main()
            terminal = Terminal(self, harness.SOOTH, "trace")
            self.choose(terminal, main.pid, "network: bytes")
            terminal.wait_for(r"\$ sooth trace --network --interval 2s -p %d\r?\n" % main.pid)
            terminal.wait_for(r"(?m)^no call was made on a connection")
            os.kill(terminal.child.pid, signal.SIGINT)
            self.assertEqual(terminal.finish(), 0)

    def test_nothing_ends_it(self):
        with Family(self.folder) as family:
            family.main()
            terminal = Terminal(self, harness.SOOTH, "trace")
            terminal.wait_for("which")
            terminal.type("no number")
            terminal.wait_for("not in the list")
            terminal.type("")
            self.assertEqual(terminal.finish(), 0)

    def test_a_pid_is_watched(self):
        target = self.workload("syscalls", "--count", "3")
        watcher = self.start(TRACE_CLAUDE, str(target.pid))
        harness.wait_until(lambda: harness.is_attached(watcher.pid), "it to attach")
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        run = watcher.finish()
        self.assertEqual(run.status, 0, run)
        self.assertRegex(run.text, r"exit_group\(0\)")


if __name__ == "__main__":
    harness.main()
