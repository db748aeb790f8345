# SPDX-License-Identifier: BSD-2-Clause
"""Captures made by sooth on a FreeBSD 13.2 kernel, read here: the same words as there. The workload opened and
read a file 100 times, and a child of it failed 7 times to open another. Those of dtrace, sample and fs_usage were
made here by the backends of these systems, with the output that their unit tests put together by hand."""
import json
import os
import pathlib
import subprocess
import unittest

CAPTURES = pathlib.Path(__file__).resolve().parents[1] / "captures"


class Reading(unittest.TestCase):
    def sooth(self, *argv, program="SOOTH"):
        return subprocess.run([os.environ[program], *map(str, argv)], capture_output=True, text=True, check=True).stdout


class FreebsdCaptures(Reading):
    def test_calls(self):
        shown = self.sooth("trace", "-c", CAPTURES / "freebsd-calls.sooth").splitlines()
        counts = {words[0]: words[1:3] for words in map(str.split, shown) if len(words) > 3}
        self.assertEqual(counts["read"], ["100", "0"])
        self.assertEqual(counts["openat"], ["107", "7"])
        self.assertEqual(counts["close"], ["102", "0"])
        for name in ("fork", "execve", "wait4"):
            self.assertEqual(counts[name], ["1", "0"])
        self.assertIn("openat   ENOENT     7", "\n".join(shown))

    def test_inspect(self):
        read = json.loads(self.sooth("inspect", "-j", CAPTURES / "freebsd-inspect.sooth"))
        self.assertEqual(read["os"] if "os" in read else "FreeBSD", "FreeBSD")
        shown = self.sooth("inspect", CAPTURES / "freebsd-inspect.sooth")
        self.assertIn("1 file, 2 pipe, 2 tcp, 3 tty", shown)

    def test_why(self):
        """A process waits for its child, which reads from a pipe that a third one has, which sleeps."""
        shown = self.sooth("why", CAPTURES / "freebsd-why.sooth")
        self.assertIn("wwork (15) waits for its child wwork (19), 17 s; 19 waits for data from wwork (14) through a "
                      "pipe, 17 s; 14 sleeps", shown)

    def test_dtrace(self):
        shown = self.sooth("trace", CAPTURES / "freebsd-dtrace.sooth")
        self.assertIn("/etc/hosts", shown)
        self.assertIn("ENOENT", shown)

    def test_other_build(self):
        if "SOOTH_NONE" not in os.environ:
            self.skipTest("no build of another system here")
        for path in sorted(CAPTURES.glob("*.sooth")):
            self.assertEqual(self.sooth("report", path), self.sooth("report", path, program="SOOTH_NONE"))


class DarwinCaptures(Reading):
    def test_profile(self):
        """By weight: 40, 30 and 20 of 90 samples that did not wait."""
        read = json.loads(self.sooth("profile", "-j", CAPTURES / "darwin-sample-profile.sooth"))
        functions = {row["function"]: row["self_samples"] for row in read["functions"] if row["self_samples"]}
        self.assertEqual(functions["work(int, char (*)[8])"], 40)
        self.assertEqual(functions["parse"], 30)
        self.assertEqual(sum(functions.values()), 90)

    def test_stacks(self):
        shown = self.sooth("stack", CAPTURES / "darwin-sample-stacks.sooth")
        self.assertIn("thread waiting: HTTP Client (51140)\n    __psynch_cvwait", shown)

    def test_fs_usage(self):
        """Where dtrace was refused: the reason, and what would change that."""
        shown = self.sooth("trace", "-c", CAPTURES / "darwin-fs-usage.sooth")
        self.assertIn("fallback: syscalls by fs_usage: dtrace: ", shown)
        self.assertIn("system integrity protection", shown)
        self.assertRegex(shown, r"stat64 +1 +1 ")


if __name__ == "__main__":
    unittest.main()
