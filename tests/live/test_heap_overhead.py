# SPDX-License-Identifier: BSD-2-Clause
"""
What observing does to its target: a busy python3 is slowed, and the report says so, with the share of
its time and a command that takes less; an idle one is not worth a line. In each mode, and from a capture.
"""
import os
import time

import harness
from harness import needs_bpf
from heap_case import HeapCase

PYTHON = "/usr/bin/python3"
BUSY = """
print("ready", flush=True)
while True:
    [float(i) for i in range(500)]
"""
IDLE = """
import time
print("ready", flush=True)
while True:
    [float(i) for i in range(5)]
    time.sleep(0.05)
"""


LEAST_SHARE = 0.1  # of a processor: what gets less is not slowed notably


@needs_bpf
class Overhead(HeapCase):
    def python(self, text):
        target = self.start(PYTHON, "-c", text, env=dict(os.environ, PYTHONMALLOC="malloc"))
        target.wait_for_output(b"ready")
        return target

    def observe(self, target, *options):
        """(what it printed, whether a busy host left the target enough of a processor)"""
        began_s, used_s = time.monotonic(), harness.cpu_s(target.pid)
        run = self.sooth("heap", "-d", "1", *options, "-p", str(target.pid))
        return run, harness.cpu_s(target.pid) - used_s > LEAST_SHARE * (time.monotonic() - began_s)

    def line_of(self, text):
        lines = [line for line in text.splitlines() if line.startswith("observing slowed ")]
        self.assertLessEqual(len(lines), 1, text)
        return lines[0] if lines else None

    def test_busy(self):
        target = self.python(BUSY)
        capture = self.path("busy.sooth")
        for option in ([], ["--count"], ["--stack"], ["--timeline"], ["--sample-bytes", "512K"]):
            run, has_run = self.observe(target, "--save", capture, *option)
            less = "--pages" if "512K" in option else "--sample-bytes 512K"
            if not option or "--stack" in option:  # goes on with samples by itself, but not where a busy host slows the target more
                less = "(%s|--pages)" % less
            line = self.line_of(run.text)
            if line or has_run:
                self.assertRegex(line or run.text, r"^observing slowed python3 %d: some \d\d %% of its CPU time was spent "
                                 r"at probes, at about \d+ calls a second; for less: sooth heap %s -p %d$" % (
                                     target.pid, less, target.pid))
            os.unlink(capture)

    def test_values(self):
        target = self.python(BUSY)
        capture = self.path("busy.sooth")
        run, has_run = self.observe(target, "-j", "--save", capture)
        report = run.json()
        row, = report["heap_overhead"]
        self.assertEqual((row["pid"], row["name"]), (target.pid, "python3"))
        # A process that does little but allocate, at some 0.5 us a hit.
        self.assertGreater(row["probes_percent"], 30, row)
        # On a busy host a return may have taken no longer than an entry: then it is not measured, and is no part of the sum.
        self.assertEqual(row["probes_ns"], row["programs_ns"] + row["entries"] * row["entry_ns"] +
                         row["returns"] * (row["return_ns"] or 0) + row["stepped"] * row["stepped_ns"], row)
        # Each call has an entry, and each but those of free a return.
        calls = {name: of["count"] for name, of in report["heap_by_function"].items()}
        hits = sum(calls.values())
        self.assertTrue(0.9 * hits < row["entries"] < 1.1 * hits + 100, (row, calls))
        hits -= calls["free"]
        self.assertTrue(0.9 * hits < row["returns"] < 1.1 * hits + 100, (row, calls))
        self.assertTrue(row["source"])
        again = self.sooth("heap", "-j", capture).json()
        self.assertEqual(again["heap_overhead"], report["heap_overhead"])
        self.assertTrue(self.line_of(self.sooth("heap", capture).text) or not has_run)

    def test_idle(self):
        target = self.python(IDLE)
        for option in ([], ["--stack"]):
            text = self.sooth("heap", "-d", "1", *option, "-p", str(target.pid)).text
            self.assertIsNone(self.line_of(text), text)
        report = self.sooth("heap", "-j", "-d", "1", "-p", str(target.pid)).json()
        self.assertIsNone(report["heap_overhead"][0]["remedy"], report["heap_overhead"])


if __name__ == "__main__":
    harness.main()
