# SPDX-License-Identifier: BSD-2-Clause
"""
States of threads: `sooth sched`, on programs whose waits are known by construction. Of each thread all
states together are the time in which it was observed; a busy machine makes times longer, never sums
wrong.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

import harness
from harness import Case, as_nobody, needs_bpf, needs_root

STATES = ("running_ns", "ready_ns", "sleeping_ns", "blocked_ns", "stopped_time_ns")
SECOND = 10**9

# A thread each that sleeps, waits for a lock that is never free, computes, answers by a pipe.
PROGRAM = """
import ctypes, os, sys, threading, time
def called(name):
    ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
def sleeps():
    called("sleeps")
    while True: time.sleep(0.01)
def wants_lock():
    called("wants")
    lock.acquire()
def asks():
    called("asks")
    while True:
        os.write(questions, b"x"); os.read(answers, 1); time.sleep(0.0005)
lock = threading.Lock(); lock.acquire()
here, questions = os.pipe(); answers, there = os.pipe()
parent = os.getpid()
if not os.fork():
    called("answers")
    os.close(questions)
    while os.read(here, 1): os.write(there, b"y")
    os._exit(0)
if not os.fork():
    called("computes")
    while os.getppid() == parent: pass
    os._exit(0)
os.close(here); os.close(there)
for function in (sleeps, wants_lock, asks):
    threading.Thread(target=function, daemon=True).start()
print("ready", flush=True)
time.sleep(1000)
"""

# Two processes that wait for each other all the time.
FLOOD = """
import os
here, questions = os.pipe(); answers, there = os.pipe()
if not os.fork():
    os.close(questions); os.close(answers)
    while os.read(here, 1): os.write(there, b"y")
    os._exit(0)
os.close(here); os.close(there)
print("ready", flush=True)
while True:
    os.write(questions, b"x"); os.read(answers, 1)
"""


def by_thread(report):
    return {row["thread"]: row for row in report["threads"]}


def children(pid):
    return [int(c) for c in harness.read("/proc/%d/task/%d/children" % (pid, pid)).split()]


class Sched(Case):
    def program(self):
        target = self.start(sys.executable, "-c", PROGRAM)
        target.wait_for_output(b"ready")
        return target

    def pids_of(self, target):
        """With its children, which have their names."""
        harness.wait_until(lambda: {harness.read("/proc/%d/comm" % c) for c in children(target.pid)} ==
                           {b"computes\n", b"answers\n"}, "its children")
        return ",".join(map(str, [target.pid, *children(target.pid)]))

    def assert_sums(self, report, wall_ns=None):
        self.assertEqual(report["loss"], [])
        self.assertTrue(report["threads"])
        for row in report["threads"]:
            self.assertEqual(sum(row[name] for name in STATES), row["wall_ns"], row)
            self.assertEqual(row["woken_ns"] + row["preempted_ns"], row["ready_ns"], row)
            if wall_ns:
                self.assertAlmostEqual(row["wall_ns"] / wall_ns, 1, delta=0.01, msg=row)


@needs_bpf
class States(Sched):
    def test_states(self):
        target = self.program()
        report = self.sooth("sched", "-j", "-d", "2", "-p", self.pids_of(target)).json()
        rows = by_thread(report)
        wall = max(row["wall_ns"] for row in report["threads"])
        self.assertAlmostEqual(wall / SECOND, 2, delta=1)
        self.assert_sums(report, wall)
        self.assertEqual(report["scheduling"]["thread_count"], 6)
        self.assertEqual(report["scheduling"]["wall_ns"], sum(r["wall_ns"] for r in report["threads"]))
        self.assertGreater(rows["sleeps"]["sleeping_ns"], 0.2 * wall)
        self.assertGreater(rows["sleeps"]["voluntary"], 20)
        latency = rows["sleeps"]["latency_ns"]
        ran = sum(latency["counts"] if isinstance(latency, dict) else latency)
        # It may be woken, and not run yet, when the observation ends.
        self.assertIn(rows["sleeps"]["wakeups"] - ran, (0, 1))
        # It never runs: known from its state at the end alone.
        self.assertEqual((rows["wants"]["sleeping_ns"], rows["wants"]["voluntary"]),
                         (rows["wants"]["wall_ns"], 0))
        self.assertIsNone(rows["wants"]["longest_ns"])
        # Whatever runs beside it: it is always ready.
        computes = rows["computes"]
        self.assertGreater(computes["running_ns"] + computes["ready_ns"], 0.99 * wall)
        for name in ("asks", "answers"):
            self.assertGreater(rows[name]["voluntary"], 100)
        found = [row["longest_ns"] or 0 for row in report["threads"]]
        self.assertEqual(found, sorted(found, reverse=True))

    def test_agrees_with_the_kernel(self):
        """Running, ready and switches by /proc/PID/schedstat and status, read just before and after."""
        target = self.program()

        def kernels():
            ran, waited, _ = harness.read("/proc/%d/schedstat" % computing).split()
            status = harness.read("/proc/%d/status" % computing).decode()
            return [int(ran), int(waited)] + [int(status.split(name)[1].split()[0]) for name in
                    ("\nvoluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:")]
        self.pids_of(target)
        computing, = [c for c in children(target.pid) if harness.read("/proc/%d/comm" % c) == b"computes\n"]
        before = kernels()
        report = self.sooth("sched", "-j", "-d", "2", "-p", str(computing)).json()
        ran, waited, _, involuntary = (b - a for a, b in zip(before, kernels()))
        row, = report["threads"]
        self.assert_sums(report)
        self.assertLessEqual(row["running_ns"], ran * 1.01)
        self.assertLessEqual(row["ready_ns"], waited * 1.01 + 10**6)
        self.assertLessEqual(row["involuntary"], involuntary)
        self.assertGreater(row["running_ns"] + row["ready_ns"], 0.99 * row["wall_ns"])

    def test_ready(self):
        """Two that compute share one CPU: each is ready for half of the time."""
        cpu = sorted(os.sched_getaffinity(0))[0]
        pair = [self.start("taskset", "-c", str(cpu), sys.executable, "-c", "while True: pass") for _ in range(2)]
        harness.wait_until(lambda: all(harness.cpu_s(p.pid) > 0.1 for p in pair), "both to compute")
        report = self.sooth("sched", "-j", "-d", "2", "-p", ",".join(str(p.pid) for p in pair)).json()
        self.assert_sums(report)
        for row in report["threads"]:
            self.assertGreater(row["preempted_ns"], 0.3 * row["wall_ns"], row)
            self.assertEqual(row["migrations"], 0)
            self.assertGreater(row["involuntary"], 10)
            self.assertGreater(row["longest_ns"], 10**5)

    def test_stopped(self):
        target = self.start("sleep", "100")
        harness.wait_until_asleep(target.pid)
        sooth = self.start_sooth("sched", "-j", "-d", "3", str(target.pid))
        sooth_ready = time.monotonic() + 1
        harness.wait_until(lambda: time.monotonic() > sooth_ready, "sooth")
        target.send(signal.SIGSTOP)
        time.sleep(0.6)
        target.send(signal.SIGCONT)
        run = sooth.finish()
        row, = json.loads(run.out)["threads"]
        self.assertGreater(row["stopped_time_ns"], 0.5 * SECOND, row)
        self.assertGreater(row["sleeping_ns"], 0.5 * SECOND, row)
        self.assertEqual(sum(row[name] for name in STATES), row["wall_ns"])

    def test_command(self):
        """From its exec on; children from their fork to their end, threads too."""
        script = ("import os, threading, time, subprocess\n"
                  "t = threading.Thread(target=time.sleep, args=(0.3,)); t.start(); t.join()\n"
                  "subprocess.run(['sh', '-c', 'sleep 0.2'])\n")
        report = self.sooth("sched", "-j", "--", sys.executable, "-c", script).json()
        self.assert_sums(report)
        rows = by_thread(report)
        self.assertGreater(rows["sleep"]["sleeping_ns"], 0.2 * SECOND)
        self.assertLess(rows["sleep"]["wall_ns"], rows["sleep"]["sleeping_ns"] + 5 * SECOND)
        self.assertGreaterEqual(len(report["threads"]), 3)
        self.assertEqual(self.sooth("sched", "--", "sh", "-c", "exit 7", status=7).status, 7)

    @unittest.skipUnless(harness.have("node"), "node is missing")
    def test_node(self):
        script = "setTimeout(() => {}, 700)"
        report = self.sooth("sched", "-j", "--", "node", "-e", script).json()
        self.assert_sums(report)
        main = max(report["threads"], key=lambda row: row["wall_ns"])
        self.assertGreater(main["sleeping_ns"], 0.6 * SECOND)

    def test_all(self):
        """Every process, this one too."""
        target = self.program()
        report = self.sooth("sched", "-j", "-d", "1", "--all").json()
        self.assert_sums(report)
        pids = {row["pid"] for row in report["threads"]}
        self.assertLessEqual({target.pid, os.getpid()}, pids)

    @needs_root
    def test_pid_namespace(self):
        """Numbers are those of the host; what is born in it is followed."""
        inside = self.start("unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c",
                            "import subprocess\nwhile True: subprocess.run(['sleep', '0.05'])")
        harness.wait_until(lambda: children(inside.pid) and children(children(inside.pid)[0]), "its children")
        first, = children(inside.pid)
        report = self.sooth("sched", "-j", "-d", "1", "-p", str(first)).json()
        self.assert_sums(report)
        self.assertIn(first, [row["pid"] for row in report["threads"]])
        self.assertGreater([row["thread"] for row in report["threads"]].count("sleep"), 2)
        os.kill(first, signal.SIGKILL)
        inside.finish()


@needs_bpf
class Records(Sched):
    def test_records(self):
        """They have no gaps, and their durations are the sums of the table."""
        target, path = self.program(), self.path("s.sooth")
        run = self.sooth("sched", "--records", "-j", "-d", "1", "--save", path, "-p", self.pids_of(target))
        rows = [json.loads(line) for line in run.text.splitlines()]
        rows = [row for row in rows if "state" in row]
        table = self.sooth("sched", "-j", path).json()
        self.assert_sums(table)
        for thread in table["threads"]:
            mine = [row for row in rows if row["tid"] == thread["tid"]]
            self.assertEqual(sum(row["duration_ns"] for row in mine), thread["wall_ns"], thread)
            self.assertTrue(mine[0]["is_since_attach"] and mine[-1]["is_open"], mine)
            self.assertEqual([row["is_open"] for row in mine].count(True), 1)
            for before, after in zip(mine, mine[1:]):
                self.assertEqual(before["next"], after["state"])
                self.assertEqual(before["time_ns"], after["time_ns"] - after["duration_ns"])
        names = {row["tid"]: row["thread"] for row in table["threads"]}
        woken = [row for row in rows if names[row["tid"]] == "asks" and row["waker_tid"]]
        self.assertGreater(len(woken), 50)
        self.assertGreater(sum(names.get(row["waker_tid"]) == "answers" for row in woken), 0.9 * len(woken))
        lines = self.sooth("sched", "--records", path).text.splitlines()
        self.assertEqual(len([line for line in lines if " asks: " in line and ", by answers (" in line]), sum(
            row["waker"] == "answers" for row in rows if row["thread"] == "asks"))
        again = self.sooth("sched", "--records", "-j", path)
        self.assertEqual(run.text, again.text)

    def test_sums_have_no_records(self):
        path = self.path("c.sooth")
        self.sooth("sched", "-d", "0.3", "--save", path, str(self.program().pid))
        self.assertIn("sooth record --stream --probe sched", self.sooth("sched", "--records", path).errors +
                      self.sooth("sched", "--records", path).text)

    def test_loss_is_shown(self):
        target = self.start(sys.executable, "-c", FLOOD)
        target.wait_for_output(b"ready")
        run = self.sooth("sched", "--records", "-j", "-d", "2", "--buffer", "16K", "-p",
                         ",".join(map(str, [target.pid, *children(target.pid)])))
        loss = json.loads(run.text.splitlines()[-1])["loss"]
        self.assertTrue(any("states of threads were lost" in row["reason"] for row in loss), loss)
        self.assertFalse(any("times of some threads" in row["reason"] for row in loss), loss)

    def test_killed(self):
        """The target goes on, and nothing stays attached."""
        target = self.program()
        sooth = self.start_sooth("sched", "-d", "60", str(target.pid))
        time.sleep(1)
        os.kill(sooth.pid, signal.SIGKILL)
        sooth.finish()
        self.sooth("sched", "-d", "0.1", str(target.pid))


@needs_root
class Unprivileged(Sched):
    def test_refused(self):
        sooth = self.copy_for_all(harness.SOOTH)
        run = self.run_program(sooth, "sched", "-d", "1", "--", "sleep", "1", status=3, **as_nobody())
        self.assertIn("cap_bpf", run.errors)

    @needs_bpf
    def test_capture(self):
        """A capture needs no privilege."""
        sooth, path = self.copy_for_all(harness.SOOTH), self.path("p.sooth")
        live = self.sooth("sched", "-j", "--save", path, "--", "sleep", "0.1")
        os.chmod(path, 0o644)
        run = self.run_program(sooth, "sched", "-j", path, **as_nobody())
        self.assertEqual(run.json()["threads"], live.json()["threads"])


if __name__ == "__main__":
    harness.main()
