# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth heap --leaks` and `--churn` of a process that is slowed much: samples from the first look on, as
said; a leak is found in the right function, its healthy twin is silent. A process that calls less, a
launched one, and options that ask for every call, are not sampled.
"""
import os

import harness
from harness import needs_bpf
from heap_case import HeapCase

PYTHON = "/usr/bin/python3"
RUNS = 10 if harness.IS_LONG else 2
PROGRAM = """
import sys, time
kept, cache, turn = [], {}, []
def leaks(i):
    kept.append(b"x" * (300 + i % 50))
def fills(i):
    if i % 2000 not in cache:
        cache[i % 2000] = b"c" * 400
def takes_turns(i):
    turn.append(b"s" * 250)
    if len(turn) == 1500:
        turn.clear()
def works():
    return [float(k) for k in range(300)]
print("ready", flush=True)
i = 0
while True:
    if "slow" in sys.argv:
        time.sleep(0.01)
    else:
        works()
    fills(i)
    takes_turns(i)
    if "leaks" in sys.argv:
        leaks(i)
    i += 1
"""


@needs_bpf
class Adapt(HeapCase):
    def python(self, *argv):
        target = self.start(PYTHON, "-c", PROGRAM, *argv, env=dict(os.environ, PYTHONMALLOC="malloc"))
        target.wait_for_output(b"ready")
        return target

    def report(self, target, *options, answer="--leaks", seconds=5):
        return self.sooth("heap", answer, "-j", "-d", str(seconds), *options, "-p", str(target.pid)).json()

    @staticmethod
    def is_sampled(report):
        said = [limit for limit in report["limits"] if limit["what"] == "every call"]
        if said:
            assert "samples are added up" in said[0]["reason"] and "--exact" in said[0]["remedy"], said
        return bool(said)

    def test_leak(self):
        for _ in range(RUNS):
            target = self.python("leaks")
            report = self.report(target)
            target.end()
            self.assertTrue(self.is_sampled(report), report)
            answer = report["heap_growth"]
            self.assertTrue(answer["growing_stacks"], answer)
            self.assertRegex(answer["text"], r"^keeps .*\bleaks\b")
            self.assertIn("leaks", " ".join(report["heap_stacks"][0]["functions"]), report["heap_stacks"])
            self.assertTrue([limit for limit in report["limits"] if "estimated from samples" in limit["reason"]])

    def test_healthy(self):
        for _ in range(RUNS):
            target = self.python()
            report = self.report(target)
            target.end()
            self.assertTrue(self.is_sampled(report), report)
            self.assertEqual(report["heap_growth"]["growing_stacks"], 0, report)

    def test_churn(self):
        report = self.report(self.python(), answer="--churn", seconds=2)
        self.assertTrue(self.is_sampled(report), report)
        self.assertGreater(report["heap_churn"]["short_bytes_percent"], 80, report["heap_churn"])

    def test_every_call(self):
        target = self.python()
        for option in ("--exact", "--in-kernel"):
            report = self.report(target, option, seconds=1)
            self.assertFalse(self.is_sampled(report), report)
        report = self.report(target, answer="--sizes", seconds=1)
        self.assertFalse(self.is_sampled(report), report)

    def test_slow_leak(self):
        report = self.report(self.python("slow", "leaks"))
        self.assertFalse(self.is_sampled(report), report)
        self.assertRegex(report["heap_growth"]["text"], r"^keeps .*\bleaks\b")

    def test_launched(self):
        program = "[[float(k) for k in range(300)] for _ in range(2000)]"
        report = self.sooth("heap", "--leaks", "-j", "--engine", "bpf", "--", PYTHON, "-c", program,
                            env=dict(os.environ, PYTHONMALLOC="malloc")).json()
        self.assertFalse(self.is_sampled(report), report)


if __name__ == "__main__":
    harness.main()
