# SPDX-License-Identifier: BSD-2-Clause
"""Captures made by sooth on a FreeBSD 13.2 kernel, read here: the same words as there. The workload opened and
read a file 100 times, and a child of it failed 7 times to open another."""
import json
import os
import pathlib
import subprocess
import unittest

CAPTURES = pathlib.Path(__file__).resolve().parents[1] / "captures"


class FreebsdCaptures(unittest.TestCase):
    def sooth(self, *argv, program="SOOTH"):
        return subprocess.run([os.environ[program], *map(str, argv)], capture_output=True, text=True, check=True).stdout

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

    def test_other_build(self):
        if "SOOTH_NONE" not in os.environ:
            self.skipTest("no build of another system here")
        for name in ("calls", "inspect"):
            path = CAPTURES / f"freebsd-{name}.sooth"
            self.assertEqual(self.sooth("report", path), self.sooth("report", path, program="SOOTH_NONE"))


if __name__ == "__main__":
    unittest.main()
