#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sooth demo: finds why a process of its own is stuck in 30 lines, --all shows each command; leaves nothing behind."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness  # noqa: E402


class Demo(harness.Case):
    def demonstrate(self, *words, **options):
        with tempfile.TemporaryDirectory() as home:
            # Its directory's name must stay short: sooth puts longer ones into /tmp.
            run = subprocess.run([harness.SOOTH, "demo", *words], capture_output=True, text=True, timeout=300,
                                 env={**os.environ, "TMPDIR": home}, **options)
            return run, os.listdir(home)

    def assert_stuck_is_explained(self, run):
        """Returns the agent and the tool."""
        self.assertEqual(run.returncode, 0, run.stderr)
        agent, tool = re.search(r"started (\d+), .*? its tool (\d+),", run.stdout, re.S).groups()
        ps, why, diagnose = run.stdout.split("\n$ ")[1:4]
        self.assertRegex(ps, r"claude +main +claude", "the stand-in was recognised")
        self.assertTrue(why.startswith("sooth why %s\n" % tool), why)
        self.assertIn("(%s) is blocked writing to a pipe: claude (%s) does not read" % (tool, agent), why)
        self.assertTrue(diagnose.startswith("sooth diagnose %s\nyes %s (helper of claude %s, " % (tool, tool, agent)), diagnose)
        self.assertIn("writer-stuck (medium)", diagnose)
        return agent, tool

    def assert_gone(self, *pids):
        for pid in pids:
            # init may take its time to reap what was left to it.
            harness.wait_until(lambda pid=pid: not pathlib.Path("/proc", pid).exists() or
                               harness.process_state(int(pid)) == "Z", "process %s to end" % pid)

    def test_finds_why_in_30_lines(self):
        run, left = self.demonstrate()
        self.assert_gone(*self.assert_stuck_is_explained(run))
        self.assertEqual(left, [])
        self.assertLessEqual(len(run.stdout.splitlines()), 30, run.stdout)
        self.assertNotIn("$ sooth inspect", run.stdout)
        self.assertIn("sooth demo --all", run.stdout)

    def test_shows_every_command_and_cleans_up(self):
        if os.geteuid():
            self.skipTest("system calls are watched by root only")
        run, left = self.demonstrate("--all")
        pids = self.assert_stuck_is_explained(run)
        self.assertEqual(left, [])
        for command in ("$ sooth inspect ", "$ sooth trace -c ", "$ sooth trace -d", "$ sooth heap -c ",
                        "$ sooth record ", "$ sooth report "):
            self.assertIn(command, run.stdout)
        self.assertRegex(run.stdout, r"access +\d+ +\d+", "counted calls of the worker")
        self.assertIn("sooth-demo-is-looking-for-this", run.stdout, "streamed calls of the worker")
        self.assertRegex(run.stdout, r"malloc +\d+", "counted allocations of the worker")
        self.assert_gone(*pids, re.search(r"third process, (\d+),", run.stdout)[1])

    def test_without_privilege_it_says_so(self):
        if os.geteuid():
            self.skipTest("needs root to become somebody else")
        copy = self.copy_for_all(harness.SOOTH)
        run = subprocess.run([copy, "demo", "--all"], capture_output=True, text=True, timeout=300, user=65534,
                             group=65534, extra_groups=[],
                             env={"TMPDIR": self.folder, "PATH": "/usr/bin:/bin"})
        self.assert_stuck_is_explained(run)
        self.assertIn("by samples: ", run.stdout)
        self.assertIn("Allocations cannot be observed here; `sooth doctor` says why and what helps",
                      run.stdout)
        self.assertEqual(os.listdir(self.folder), [os.path.basename(copy)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
