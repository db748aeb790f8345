#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a careful user broke once: sandboxed calls, long runs of many kinds, lost files, namespaces."""
import os
import stat
import subprocess
import unittest

import harness
from harness import Case, needs_bpf, read_truth


@needs_bpf
class Counts(Case):
    def assert_true_to(self, *workload, attached=False):
        truth_file = self.path("truth")
        run = self.sooth("trace", "-c", "-j", "-o", self.path("out"), "--", harness.WORKLOADS, *workload,
                         "--truth", truth_file)
        self.assertEqual(run.status, 0)
        report = harness.json.loads(harness.read(self.path("out")))
        counts = {row["name"]: (row["count"], row["errors"]) for row in report["syscalls"]}
        truth, _ = read_truth(truth_file)
        self.assertEqual({name: counts.get(name) for name in truth}, truth, report["loss"])
        return report

    def test_calls_that_seccomp_answers(self):
        report = self.assert_true_to("refused", "--count", "200")
        refused = [row for row in report["errors"] if row["name"] == "getppid"]
        self.assertEqual([(row["error"], row["count"]) for row in refused], [("EPERM", 200)])
        row = next(row for row in report["syscalls"] if row["name"] == "getppid")
        self.assertEqual((row["untimed"], row["total_ns"], row["mean_ns"]), (200, None, None))

    def test_more_kinds_of_calls_than_a_thread_has_room_for(self):
        self.assert_true_to("wide", "--children", "3")

    def test_and_in_many_children(self):
        """Beyond what the table beside the threads holds at once, so it must be emptied meanwhile."""
        self.assert_true_to("wide", "--children", "1500")

    def test_a_stream_sees_refused_calls_too(self):
        run = self.sooth("trace", "-j", "-o", self.path("out"), "--", harness.WORKLOADS, "refused",
                         "--count", "5", "--truth", self.path("truth"))
        self.assertEqual(run.status, 0)
        calls = [harness.json.loads(line) for line in harness.read(self.path("out")).splitlines()]
        refused = [c for c in calls if c.get("name") == "getppid"]
        self.assertEqual([c["error"] for c in refused], ["EPERM"] * 5)
        self.assertEqual([c["duration_ns"] for c in refused], [None] * 5)

    def test_a_thread_that_waits_all_along_is_told(self):
        target = self.workload("sleep", "--seconds", "20")
        run = self.sooth("trace", "-c", "-j", "-d", "300ms", "-p", str(target.pid))
        limits = [limit["what"] for limit in run.json()["limits"]]
        self.assertIn("the activity of 1 thread", limits)


@needs_bpf
class Namespaces(Case):
    def test_a_kernel_thread_is_refused(self):
        """It makes no calls: a trace of it would never show one."""
        if harness.read("/proc/2/comm").strip() != b"kthreadd":
            self.skipTest("no kernel threads here")
        for argv in (["trace"], ["trace", "-c"]):
            self.assert_says_three_lines(self.sooth(*argv, "-p", "2", status=3), "kernel thread")
        self.sooth("diagnose", "--duration", "0.2", "2")


class Files(Case):
    def test_a_run_that_never_began_leaves_the_old_file(self):
        path = self.path("old")
        for argv in (["record", "-o", path, "-p", "2147483646"], ["record", "--probe", "proc", "-o", path,
                     "--", "/no/such/program"]):
            with open(path, "w") as file:
                file.write("precious")
            run = self.sooth(*argv, status=None)
            self.assertNotEqual(run.status, 0)
            self.assertEqual(harness.read(path), b"precious")
            self.assertEqual(os.listdir(self.folder), ["old"])

    def test_a_run_that_began_replaces_it_privately(self):
        path = self.path("old")
        with open(path, "w") as file:
            file.write("precious")
        os.chmod(path, 0o644)
        self.sooth("ps", "-a", "-o", "/dev/null", "--save", path)
        self.assertTrue(harness.read(path).startswith(b"SOOTHBLK"))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_report_and_capture_in_one_file(self):
        path = self.path("both")
        self.assert_says_three_lines(self.sooth("ps", "-o", path, "--save", path, status=2), "both")
        self.assertFalse(os.path.exists(path))

    def test_closed_standard_output(self):
        """What cannot be printed is an error, and goes into no file that was opened meanwhile."""
        path = self.path("capture")
        run = subprocess.run(["sh", "-c", '"$0" ps -a --save "$1" >&-', harness.SOOTH, path],
                             capture_output=True, timeout=60)
        self.assertEqual(run.returncode, 5, run.stderr)
        self.assertEqual(self.sooth("ps", "-a", "-j", path).json()["loss"], [])

    def test_a_view_of_what_was_not_observed(self):
        path = self.path("proc")
        self.sooth("ps", "-a", "-o", "/dev/null", "--save", path)
        limits = self.sooth("trace", "-c", "-j", path).json()["limits"]
        self.assertTrue([limit for limit in limits if "syscall" in limit["what"]], limits)


if __name__ == "__main__":
    unittest.main(verbosity=2)
