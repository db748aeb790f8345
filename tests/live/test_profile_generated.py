# SPDX-License-Identifier: BSD-2-Clause
"""
Code that node compiles, where the layout of the engine is not known: named by its perf map or jitdump, else
grouped under its engine with what to do.
"""
import glob
import os
import shutil
import tempfile
import unittest

import harness
from harness import Case, needs_bpf

PROGRAM = r"""
function ten(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i) * i % 7; return s; }
function ninety(n) { let s = 0; for (let k = 0; k < 9; k++) s += ten(n); return s; }
function other(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i) * i % 5; return s; }
let t = 0;
while (process.cpuUsage().user < 1e6) { t += ninety(2e4) + other(2e4); }
require("fs").writeFileSync(process.argv[2], String(process.pid));
"""


@needs_bpf
@unittest.skipUnless(shutil.which("node"), "node is not installed")
class Generated(Case):
    @classmethod
    def setUpClass(cls):
        """A node that does not export its layout: its functions have no names of their own."""
        cls.programs = tempfile.mkdtemp(prefix="sooth-test-")
        cls.addClassCleanup(shutil.rmtree, cls.programs)
        cls.node = os.path.join(cls.programs, "node")
        with open(os.path.realpath(shutil.which("node")), "rb") as file:
            code = file.read()
        with open(cls.node, "wb") as file:
            file.write(code.replace(b"v8dbg_", b"v8dbx_"))
        os.chmod(cls.node, 0o755)

    def profile(self, *options, command=None):
        """The report, and the names of functions with their own samples."""
        command = command or (self.node,)
        script, pid = self.path("program.js"), self.path("pid")
        with open(script, "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        report = self.sooth("profile", "-j", "--rate", "997", "--", *command, *options, script, pid).json()
        for name in glob.glob("/tmp/perf-%s.map" % harness.read(pid).decode()):
            os.remove(name)
        own = {}
        for row in report["functions"]:
            own[row["function"]] = own.get(row["function"], 0) + row["self_samples"]
        return report, own

    def notes(self, report):
        return [limit for limit in report["limits"] if "compiled by V8" in str(limit)]

    def test_with_map(self):
        report, own = self.profile("--perf-basic-prof", "--no-turbo-inlining")
        ten = sum(n for name, n in own.items() if "*ten " in name)
        other = sum(n for name, n in own.items() if "*other " in name)
        self.assertGreater(ten + other, 0.5 * report["profile"]["samples"], own)
        self.assertLess(abs(ten / (ten + other) - 0.9), 0.08, own)
        self.assertEqual(self.notes(report), [])

    def test_map_that_every_user_may_write_to(self):
        _, own = self.profile("--perf-basic-prof", "--no-turbo-inlining",
                              command=("sh", "-c", 'umask 0; exec "$0" "$@"', self.node))
        self.assertEqual([name for name in own if "*ten " in name], [], own)

    def test_jitdump(self):
        """V8 writes one into its folder; the map of another process is none."""
        _, own = self.profile("--perf-prof", "--no-turbo-inlining", "--perf-prof-delete-file",
                              command=("sh", "-c", 'cd "${0%/*}"; exec "$0" "$@"', self.node))
        ten = sum(n for name, n in own.items() if "*ten " in name)
        other = sum(n for name, n in own.items() if "*other " in name)
        self.assertLess(abs(ten / (ten + other) - 0.9), 0.08, own)

    def test_without(self):
        report, own = self.profile()
        self.assertGreater(own["[JIT code (V8)]"], 0.5 * report["profile"]["samples"], own)
        self.assertIn("--perf-basic-prof", str(self.notes(report)))


if __name__ == "__main__":
    harness.main()
