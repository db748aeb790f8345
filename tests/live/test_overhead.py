# SPDX-License-Identifier: BSD-2-Clause
"""
sooth --max-overhead: a target that is slowed too much is observed less, step by step; each step is a
limit of the report and of the capture. One that is slowed little is observed as a whole.
"""
import os
import unittest

from harness import needs_bpf, wait_until
from monitor_case import MonitorCase

# N calls of getppid(2) a second, 0: as many as possible.
CALLS = """
import os, sys, time
rate, until = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    if rate:
        os.getppid()
        time.sleep(1 / rate)
    else:
        for _ in range(10000): os.getppid()
"""
# As many switches of two threads as possible.
SWITCHES = """
import os, sys, threading, time
until = time.monotonic() + float(sys.argv[1])
a, b = os.pipe(), os.pipe()
def answer():
    while os.read(a[0], 1) == b"x": os.write(b[1], b"y")
threading.Thread(target=answer, daemon=True).start()
while time.monotonic() < until:
    os.write(a[1], b"x"); os.read(b[0], 1)
"""
SINGLE, SAMPLED, NONE = ("single system calls from second", "system calls in 97 % of the time from second",
                         "system calls from second")


def starts(report):
    return [limit["what"].rsplit(" ", 2)[0] for limit in report["limits"] if " from second " in limit["what"]]


class Overhead(MonitorCase):
    def program(self, text, *arguments):
        return ["--", "/usr/bin/python3", "-c", text, *map(str, arguments)]

    def trace(self, *options, rate=0, seconds=3):
        run = self.sooth("trace", "-j", *options, *self.program(CALLS, rate, seconds))
        self.assertEqual(run.status, 0, run)
        return run

    @needs_bpf
    def test_counts(self):
        capture = os.path.join(self.folder, "a.sooth")
        report = self.trace("-c", "--max-overhead", "5", "--save", capture).json()
        self.assertEqual(starts(report), [SAMPLED])
        count = sum(row["count"] for row in report["syscalls"] if row["name"] == "getppid")
        self.assertGreater(count, 100000)
        replayed = self.sooth("trace", "-c", "-j", capture)
        self.assertEqual(replayed.json()["limits"], report["limits"])
        self.assertEqual(replayed.json()["syscalls"], report["syscalls"])

    @needs_bpf
    def test_stream(self):
        capture = os.path.join(self.folder, "a.sooth")
        for seconds in 3, 15:  # the steps are a second apart, or some where the host is busy
            report = self.trace("--max-overhead", "5", "--save", capture, "-e", "getppid", seconds=seconds).lines()[-1]
            if len(starts(report)) == 2:
                break
        self.assertEqual(starts(report), [SINGLE, SAMPLED])
        # The calls after the first step are counted, from that time on.
        counts = self.sooth("trace", "-c", "-j", capture).json()
        self.assertEqual(starts(counts), [SINGLE, SAMPLED])
        self.assertGreater(sum(row["count"] for row in counts["syscalls"]), 1000)

    @needs_bpf
    def test_twin(self):
        for options in ("-c",), ():
            run = self.trace(*options, "--max-overhead", "5", rate=1000)
            report = run.json() if options else run.lines()[-1]
            self.assertEqual(starts(report), [], run)
        self.assertEqual(starts(self.trace("-c").json()), [])

    @needs_bpf
    def test_switches(self):
        run = self.sooth("sched", "-j", "--max-overhead", "2", *self.program(SWITCHES, 3))
        self.assertEqual(run.status, 0, run)
        report = run.json()
        self.assertIn("times of threads from second", starts(report), run)
        twin = self.sooth("sched", "-j", "--max-overhead", "5", *self.program(CALLS, 100, 2))
        self.assertEqual(starts(twin.json()), [], twin)

    def test_ptrace(self):
        self.assertEqual(starts(self.trace("-c", "--backend", "ptrace", "--max-overhead", "5").json()), [NONE])
        self.assertEqual(starts(self.trace(
            "-c", "--backend", "ptrace", "--max-overhead", "10", rate=200, seconds=2).json()), [])

    @needs_bpf
    def test_monitor(self):
        """5 % by default; each step is a line for the reader."""
        target = self.start("/usr/bin/python3", "-c", CALLS, "0", "60")
        self.monitor(str(target.pid))
        reader = self.tail("syscalls.fifo")
        wait_until(lambda: b"from second" in reader.out and b"97 % of the time" in reader.out, "two steps")
        steps = [line for line in self.lines(reader) if line["type"] == "loss" and not line["records"]]
        self.assertTrue(steps[0]["reason"].startswith("not measured: " + SINGLE), steps)
        self.assertTrue(steps[1]["reason"].startswith("not measured: " + SAMPLED), steps)

    def test_not_limited(self):
        for more, is_named in ((), False), (("--off-cpu",), True):
            run = self.sooth("profile", "-j", *more, "--max-overhead", "5", "-d", "0.3", *self.program(CALLS, 100, 1))
            limits = [limit["what"] for limit in run.json()["limits"]]
            self.assertEqual("overhead of profile" in limits, is_named, run)


if __name__ == "__main__":
    unittest.main(verbosity=2)
