# SPDX-License-Identifier: BSD-2-Clause
"""Calls by other numberings than the native one: counted apart, and named as what they are."""
import os
import unittest

import harness
from harness import Case, needs_bpf, read_truth, stream_counts, table_counts

CALLS = 1000  # compat32.c


@needs_bpf
@unittest.skipUnless(harness.COMPAT32 and os.path.exists(harness.COMPAT32),
                     harness.NO_32_BITS)
class Compat32(Case):
    def test_launched(self):
        counts = table_counts(self.sooth("trace", "-c", "-j", "--", harness.COMPAT32).json())
        self.assertEqual(counts.get("i386:getppid"), (CALLS, 0), counts)
        self.assertNotIn("semget", counts, "64 is semget in the 64-bit table")
        # Its one native call is the execve that starts it.
        self.assertEqual(counts.get("execve"), (1, 0), counts)
        self.assertEqual(counts.get("i386:exit"), (1, 0), counts)
        self.assertEqual(set(counts), {"execve", "i386:open", "i386:read", "i386:close", "i386:getppid", "i386:exit"})

    def test_attached(self):
        target = self.start(harness.COMPAT32, "hold")
        target.wait_for_output(b"ready\n")
        sooth = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        target.say(b"x")
        target.finish()
        counts = table_counts(sooth.finish().json())
        self.assertEqual(counts.get("i386:getppid"), (CALLS, 0), counts)

    def test_stream(self):
        lines = self.sooth("trace", "-j", "--", harness.COMPAT32).lines()
        counts = stream_counts(lines)
        self.assertEqual(counts.get("i386:getppid"), (CALLS, 0), counts)
        self.assertEqual(counts.get("execve"), (1, 0), counts)
        self.assertIn(("open", '"/proc/version", O_RDONLY'), {(row["name"].partition(":")[2], row["arguments"])
                      for row in lines if row["type"] == "call"})


@needs_bpf
class X32(Case):
    def setUp(self):
        super().setUp()
        probe = self.run_program(harness.WORKLOADS, "x32", "--count", "1", status=None)
        if probe.status == harness.SKIP:
            self.skipTest("no x32 numbers on this machine")
        self.assertEqual(probe.status, 0, probe)

    def test_counted(self):
        self.sooth("trace", "-c", "-j", "-o", self.path("out"), "--", harness.WORKLOADS, "x32",
                   "--truth", self.path("truth"))
        counts = table_counts(harness.json.loads(harness.read(self.path("out"))))
        truth, _ = read_truth(self.path("truth"))
        self.assertIn("x32:getppid", truth)
        self.assert_includes(counts, truth)
        self.assertNotIn("getppid", counts)

    def test_stream(self):
        self.sooth("trace", "-j", "-o", self.path("out"), "--", harness.WORKLOADS, "x32",
                   "--truth", self.path("truth"))
        truth, _ = read_truth(self.path("truth"))
        counts = stream_counts(harness.json.loads(line)
                               for line in harness.read(self.path("out")).splitlines())
        self.assert_includes(counts, truth)


if __name__ == "__main__":
    harness.main()
