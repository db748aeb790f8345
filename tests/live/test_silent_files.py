# SPDX-License-Identifier: BSD-2-Clause
"""
Programs on a file system that does not answer: a dead network mount, or a daemon that any user may
run. Every command ends in seconds, can be ended, and says what it could not see.
"""
import os
import time

import harness
from harness import Case, needs_bpf, needs_root

PROGRAM = os.path.join(os.path.dirname(harness.WORKLOADS), "heap-plain-static")
SECONDS = 20  # of one command; one that waits for an answer waits for ever


@needs_root
class SilentProgram(Case):
    def program(self, *argv):
        """The PID of a program that runs from there, and its path."""
        if not os.path.exists(PROGRAM):
            self.skipTest("no static program could be built here")
        truth = self.path("truth")
        process = self.workload("fuse", "--program", PROGRAM, "--directory", self.folder, "--seconds",
                                "600", *argv, truth=truth, hold=False,
                                cannot="no right to mount, or no FUSE here")
        line, = [line.split() for line in harness.read(truth).decode().splitlines() if " program " in line]
        self.addCleanup(process.end)
        return int(line[0]), line[2]

    def run_all(self, pid, *commands):
        """JSON of each command, by its name."""
        reports = {}
        for command, *argv in commands:
            begin = time.monotonic()
            run = self.sooth(command, *argv, str(pid), timeout=SECONDS)
            self.assertLess(time.monotonic() - begin, SECONDS, command)
            reports[command] = run.json() if "-j" in argv else None
        return reports

    def test_commands_that_sample(self):
        pid, path = self.program("--swallow")
        reports = self.run_all(pid, ("ps", "-j"), ("inspect", "-j"), ("why", "-j"))
        self.assertEqual(reports["ps"]["processes"][0]["pid"], pid)
        self.assertIn(path, reports["ps"]["processes"][0]["command"])

    @needs_bpf
    def test_commands_that_trace(self):
        pid, path = self.program("--swallow")
        reports = self.run_all(pid,
            ("heap", "-j", "--duration", "0.5"), ("trace", "-j", "-c", "--duration", "0.5"),
            ("diagnose", "-j", "--duration", "1"),
            ("record", "-o", self.path("all.sooth"), "--duration", "0.5", "--probe",
             "proc,context,syscalls,fds,maps,threads,heap"))
        limits = [limit for limit in reports["heap"]["limits"] if path in limit["what"]]
        self.assertEqual([limit["reason"] for limit in limits], ["the file did not answer in time"])
        self.assertEqual(reports["trace"]["target"]["pids"], [pid])

    @needs_bpf
    def test_answers(self):
        """A file system of a daemon is no reason to see less, as long as it answers."""
        pid, path = self.program("--answers")
        report = self.run_all(pid, ("heap", "-j", "--duration", "0.5"))["heap"]
        self.assertEqual([limit for limit in report["limits"] if path in limit["what"]], [])
        self.assertGreater(report["heap_probes"]["sites"], 0)

    @needs_bpf
    def test_daemon_of_another_user(self):
        """It could stop answering while the kernel waits for it, with locks held that all need."""
        pid, path = self.program("--answers", "--user", str(harness.NOBODY))
        report = self.run_all(pid, ("heap", "-j", "--duration", "0.5"))["heap"]
        limit, = [limit for limit in report["limits"] if path in limit["what"]]
        self.assertIn("another user's FUSE daemon", limit["reason"])
        self.assertIsNone(report["heap_probes"])


if __name__ == "__main__":
    harness.main()
