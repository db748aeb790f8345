#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sooth demo: finds why a process of its own is stuck, shows each command, leaves nothing behind."""
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
    def demonstrate(self, **options):
        with tempfile.TemporaryDirectory() as home:
            # Its directory's name must stay short: sooth puts longer ones into /tmp.
            run = subprocess.run([harness.SOOTH, "demo"], capture_output=True, text=True, timeout=300,
                                 env={**os.environ, "TMPDIR": home}, **options)
            return run, os.listdir(home)

    def test_shows_every_command_and_cleans_up(self):
        if os.geteuid():
            self.skipTest("system calls are watched by root only")
        run, left = self.demonstrate()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(left, [])
        answer = run.stdout.split("\n$ ")[1]
        agent, tool, worker = re.search(r"three processes: (\d+) .*?; (\d+) .*?; (\d+) ", run.stdout,
                                        re.S).groups()
        self.assertTrue(answer.startswith("sooth why %s\n" % tool), answer)
        self.assertIn("(%s) is blocked writing to a pipe: claude (%s) does not read" % (tool, agent), answer)
        for command in ("$ sooth ps ", "$ sooth inspect ", "$ sooth trace -c ", "$ sooth trace -d", "$ sooth heap -c ",
                        "$ sooth record ", "$ sooth report "):
            self.assertIn(command, run.stdout)
        self.assertRegex(run.stdout, r"access +\d+ +\d+", "counted calls of the worker")
        self.assertIn("sooth-demo-is-looking-for-this", run.stdout, "streamed calls of the worker")
        self.assertRegex(run.stdout, r"malloc +\d+", "counted allocations of the worker")
        self.assertRegex(run.stdout, r"claude +main +claude", "the stand-in was recognised")
        for pid in (agent, tool, worker):
            # init may take its time to reap what was left to it.
            harness.wait_until(lambda pid=pid: not pathlib.Path("/proc", pid).exists() or
                               harness.process_state(int(pid)) == "Z", "process %s to end" % pid)

    def test_without_privilege_it_says_so(self):
        if os.geteuid():
            self.skipTest("needs root to become somebody else")
        copy = self.copy_for_all(harness.SOOTH)
        run = subprocess.run([copy, "demo"], capture_output=True, text=True, timeout=300, user=65534,
                             group=65534, extra_groups=[],
                             env={"TMPDIR": self.folder, "PATH": "/usr/bin:/bin"})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("is blocked writing to a pipe: claude ", run.stdout.split("\n$ ")[1])
        self.assertIn("allocations cannot be observed here; `sooth doctor` says why and what helps",
                      run.stdout)
        self.assertEqual(os.listdir(self.folder), [os.path.basename(copy)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
