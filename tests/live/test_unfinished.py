# SPDX-License-Identifier: BSD-2-Clause
"""Calls that do not return: the thread is killed inside, or still there when sooth stops."""
import os
import re
import signal
import sys
import time

import harness
from harness import Case, needs_bpf, read_truth, stream_counts, table_counts

EXIT = {"x86_64": 60}.get(os.uname().machine, 93)  # __NR_exit


def row_of(report, name):
    rows = [row for row in report["syscalls"] if row["name"] == name]
    assert len(rows) == 1, (name, report["syscalls"])
    return rows[0]


@needs_bpf
class Killed(Case):
    def test_counted(self):
        """Told once, whether as a call that the kernel ended or as one that never returned."""
        self.sooth("trace", "-c", "-j", "-o", self.path("out"), "--", harness.WORKLOADS, "syscalls",
                   "--killed", "1", "--truth", self.path("truth"))
        report = harness.json.loads(harness.read(self.path("out")))
        truth, unfinished = read_truth(self.path("truth"))
        self.assertEqual(len(unfinished), 1)
        for name, calls in unfinished.items():
            row = row_of(report, name)
            self.assertEqual(row["count"] + row["unfinished"], calls, row)
            self.assertEqual(row["errors"], row["count"], row)
        self.assert_includes(table_counts(report), truth)

    def test_streamed(self):
        self.sooth("trace", "-j", "-o", self.path("out"), "--", harness.WORKLOADS, "syscalls",
                   "--killed", "1", "--truth", self.path("truth"))
        lines = [harness.json.loads(line) for line in harness.read(self.path("out")).splitlines()]
        truth, unfinished = read_truth(self.path("truth"))
        for name, calls in unfinished.items():
            seen = [line for line in lines if line["type"] == "call" and line["name"] == name]
            self.assertEqual(len(seen), calls, seen)
        self.assert_includes(stream_counts(lines), truth)

    def test_sigkill_of_the_target(self):
        target = self.workload("sleep", "--seconds", "100", hold=False)
        for mode in ("-c", "--count"):
            target = self.workload("sleep", "--seconds", "100")
            sooth = self.start_attached("trace", mode, "-j", "-p", str(target.pid))
            target.say(b"go\n")
            harness.wait_until(lambda pid=target.pid: harness.system_call_of(pid) == 7,
                               "the target to be in its poll")  # __NR_poll of x86-64
            target.send(signal.SIGKILL)
            run = sooth.finish()
            report = run.json()
            self.assertEqual(run.status, 0)
            self.assertEqual(report["end_reason"], "target ended")
            row = row_of(report, "poll")
            self.assertEqual(row["count"] + row["unfinished"], 1, row)

    if harness.os.uname().machine != "x86_64":
        del test_sigkill_of_the_target


@needs_bpf
class StillThere(Case):
    def test_first_thread_ends_before_the_others(self):
        """Such a process is a zombie to /proc, and goes on: so does the trace, to its end."""
        source = """if True:
            import ctypes, os, threading, time
            def work():
                time.sleep(2)
                os._exit(7)
            threading.Thread(target=work).start()
            ctypes.CDLL(None).syscall(%d, 0)
            """ % EXIT
        self.sooth("trace", "--process", "-j", "--save", self.path("capture"), "--",
                   os.path.realpath(sys.executable), "-c", source, status=7)
        rows = self.sooth("trace", "--process", "-j", self.path("capture")).json()["processes"]
        self.assertIn(("exit 7", 7 << 8), [(row["end"], row["wait_status"]) for row in rows])

    def test_a_call_open_at_the_end_is_unfinished(self):
        target = self.workload("sleep", "--seconds", "100")
        held = harness.read("/proc/%d/syscall" % target.pid)
        sooth = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        target.say(b"go\n")
        harness.wait_until(lambda: harness.is_polling(target.pid) and
                           harness.read("/proc/%d/syscall" % target.pid) != held,
                           "the target to be in its poll")
        sooth.send(signal.SIGINT)
        report = sooth.finish().json()
        self.assertEqual(report["end_reason"], "stopped")
        row = row_of(report, "poll")
        self.assertEqual((row["count"], row["unfinished"], row["errors"]), (0, 1, 0), row)
        self.assertIsNone(row["mean_ns"], "no call returned: no mean")
        self.assertTrue(target.is_running())

    def test_a_call_open_at_the_attach_is_not_counted(self):
        """It began unseen: neither its start nor its duration is known."""
        target = self.workload("sleep", "--seconds", "100")  # held in ppoll
        before = harness.system_call_of(target.pid)
        sooth = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        time.sleep(0.2)
        sooth.send(signal.SIGINT)
        report = sooth.finish().json()
        self.assertEqual(report["syscalls"], [])
        self.assertEqual(harness.system_call_of(target.pid), before)

    @staticmethod
    def sleeps(pid):
        """How often each of the threads that work has waited; one of nothing when not all are there."""
        tasks = [tid for tid in harness.os.listdir("/proc/%d/task" % pid) if int(tid) != pid]
        found = [int(re.search(rb"\nvoluntary_ctxt_switches:\s+(\d+)", harness.read(
            "/proc/%d/task/%s/status" % (pid, tid)))[1]) for tid in tasks]
        return found if len(found) >= 4 else [0]

    def test_four_threads_in_a_call(self):
        """Muted and flushed from outside, while each sleeps."""
        target = self.workload("storm", "--threads", "4", "--rate", "400", "--seconds", "300")
        sooth = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        target.say(b"go\n")
        harness.wait_until(lambda: min(self.sleeps(target.pid)) > 10, "its threads to be at work")
        sooth.send(signal.SIGINT)
        report = sooth.finish().json()
        self.assertEqual(report["end_reason"], "stopped")
        self.assertGreater(row_of(report, "getppid")["count"], 10)
        sleeping = row_of(report, "ppoll")
        self.assertLessEqual(sleeping["unfinished"], 4, sleeping)
        self.assertGreaterEqual(sleeping["unfinished"], 1, sleeping)
        self.assertTrue(target.is_running())


if __name__ == "__main__":
    harness.main()
