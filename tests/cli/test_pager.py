# SPDX-License-Identifier: BSD-2-Clause
"""
Text longer than the terminal goes to a pager, which runs as the caller without capabilities, and
nothing else does. The pager of these cases writes what it got, and what it is, to files.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

import harness
from harness import SOOTH, Case, needs_root

SICK = os.path.join(HERE, "baseline", "sick.sooth")
LONG = ("diagnose", "-v", SICK)
SHORT = ("diagnose", "--filter", "pid = 0", SICK)
PAGER = """#!/bin/sh
cat > "$0.text"
{ cat /proc/self/status; id; echo "LESSSECURE=$LESSSECURE"; } > "$0.state"
chmod 644 "$0.state"
"""
TIMEOUT_S = 60


class Terminal(Case):
    def setUp(self):
        super().setUp()
        self.pager = self.path("pager")
        with open(self.pager, "w", encoding="ascii") as file:
            file.write(PAGER)
        os.chmod(self.pager, 0o755)
        os.chmod(self.folder, 0o777)

    def on_terminal(self, *argv, before=(), rows=24, **environment):
        """(exit status, what the terminal got)"""
        pid, terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
            os.environ.update(SOOTH_PAGER=self.pager, TERM="xterm")
            os.environ.update(environment)
            os.execvp((*before, SOOTH)[0], (*before, SOOTH, *argv))
        out = b""
        while select.select([terminal], [], [], TIMEOUT_S)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            out += data
            if not data:
                break
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode().replace("\r\n", "\n")

    def paged(self):
        try:
            return harness.read(self.pager + ".text").decode()
        except FileNotFoundError:
            return None
        finally:
            for end in (".text", ".state"):
                if os.path.exists(self.pager + end):
                    os.unlink(self.pager + end)

    def state(self):
        return harness.read(self.pager + ".state").decode()


class What(Terminal):
    def test_long_text(self):
        status, out = self.on_terminal(*LONG, NO_COLOR="1")
        self.assertEqual((status, out), (0, ""))
        text = self.paged()
        self.assertGreater(text.count("\n"), 24)
        self.assertIn("cpu-spin", text)
        # The same as without it.
        self.assertEqual(self.on_terminal(*LONG, "--no-pager", NO_COLOR="1"), (0, text))
        self.assertIsNone(self.paged())

    def test_reports_about_sooth_itself(self):
        self.assertEqual(self.on_terminal("diagnose", "--list-findings")[1], "")
        self.assertIn("fd-leak", self.paged())

    def test_what_fits(self):
        for argv, rows in ((SHORT, 24), (LONG, 1000)):
            status, out = self.on_terminal(*argv, rows=rows)
            self.assertEqual(status, 0)
            self.assertTrue(out)
            self.assertIsNone(self.paged())

    def test_what_is_for_programs(self):
        for argv in (("-j",), ("--format", "json"), ("--format", "text"), ("-o", self.path("x")), ("-o", "-")):
            status, _ = self.on_terminal(*LONG, *argv)
            self.assertEqual((status, self.paged()), (0, None), argv)

    def test_no_terminal(self):
        run = self.sooth(*LONG, env={**os.environ, "SOOTH_PAGER": self.pager})
        self.assertTrue(run.out)
        self.assertIsNone(self.paged())

    def test_exit_status(self):
        for pager in (self.pager, "true", "false", "head -c 1"):
            status, _ = self.on_terminal(*LONG, "--fail-on", "high", SOOTH_PAGER=pager)
            self.assertEqual(status, 1, pager)

    def test_a_pager_that_ends_at_once(self):
        for pager in ("true", "exec sh -c 'kill -9 $$'"):
            self.assertEqual(self.on_terminal(*LONG, SOOTH_PAGER=pager), (0, ""))

    def test_no_pager_runs(self):
        for environment in ({"SOOTH_PAGER": "/nonexistent/pager"}, {"SOOTH_PAGER": "nonexistent | cat -n; exit 127"},
                            {"SOOTH_PAGER": ""}, {"SOOTH_PAGER": "cat"}):
            status, out = self.on_terminal(*LONG, **environment)
            self.assertEqual(status, 0)
            self.assertIn("cpu-spin", out, environment)

    def test_arguments_of_a_pager(self):
        self.on_terminal(*LONG, SOOTH_PAGER="tee %s" % self.path("copy"))
        self.assertIn(b"cpu-spin", harness.read(self.path("copy")))


class Rights(Terminal):
    def check(self, uid):
        text = self.state()
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":\t" in line)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(fields[name], 16), 0, name)
        self.assertEqual(set(fields["Uid"].split()), {str(uid)})
        self.assertEqual("LESSSECURE=1" in text, uid == 0)
        self.assertTrue(self.paged())

    @needs_root
    def test_of_root(self):
        self.on_terminal(*LONG)
        self.check(0)

    @needs_root
    def test_of_a_user_with_capabilities(self):
        """Also those that an exec keeps."""
        capabilities = "+net_raw,+sys_ptrace"
        self.on_terminal(*LONG, before=("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
            "--inh-caps", capabilities, "--ambient-caps", capabilities))
        self.check(65534)


if __name__ == "__main__":
    harness.main()
