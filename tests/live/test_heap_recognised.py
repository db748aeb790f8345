# SPDX-License-Identifier: BSD-2-Clause
"""
Stacks that were walked before, in programs with engines: functions of Python and JavaScript that take
turns on a stack which is the same but for them, replaced and moved by the garbage collector meanwhile. The
kernel side walks one in 256 recognised stacks again, and counts those that differ.
"""
import os
import shutil

import harness
from harness import needs_bpf
from heap_case import HeapCase, last_json
from heap_memos import check_counts, run_and_count

TURNS = 6000  # of three: one in three is the first function's

# A function whose code is replaced; nothing else on the stack differs.
PYTHON = """
import gc, time
def one(): return bytearray(3000)
def two(): return bytearray(3000)
def taken(): pass
codes = (one.__code__, two.__code__, two.__code__)
def work():
    for i in range(%d):
        taken.__code__ = codes[i %% 3]
        taken()
        if not i %% 500:
            gc.collect()
work()
time.sleep(1)
""" % TURNS

# Its objects move: both functions, and what calls them are created now and then.
NODE = """
function turns(i) {
    const one = function one() { return Buffer.allocUnsafeSlow(9000); };
    const two = function two() { return Buffer.allocUnsafeSlow(9000); };
    const of = [one, two, two];
    for (let k = 0; k < 300; k++)
        of[k %% 3]();
    gc();
}
for (let i = 0; i < %d; i++)
    turns(i);
setTimeout(() => 0, 1000);
""" % (TURNS // 300)


@needs_bpf
class Recognised(HeapCase):
    def watch(self, mode, *command):
        """The report, of stacks that were recognised rightly."""
        text, counts = run_and_count(self, harness.SOOTH, "heap", *mode, "--engine", "bpf", "-j", "--", *command,
                                     PYTHONMALLOC="malloc")
        check_counts(self, counts)
        return last_json(text)

    def calls(self, report, *functions):
        return sum(row["calls"] for row in report["heap_stacks"]
                   if all(name in row["functions"] for name in functions))

    def test_python(self):
        python = "/usr/bin/python3"
        if not os.path.exists(python):
            self.skipTest("no %s here" % python)
        for mode in (["--stack", "--exact"], ["--in-kernel"]):
            with self.subTest(mode):
                report = self.watch(mode, python, "-S", "-c", PYTHON)
                one, two = self.calls(report, "one"), self.calls(report, "two")
                self.assertGreaterEqual(one, TURNS // 3)
                self.assertEqual(two, 2 * one)

    def test_javascript(self):
        node = shutil.which("node")
        if not node:
            self.skipTest("no node here")
        report = self.watch(["--in-kernel"], node, "--no-opt", "--expose-gc", "-e", NODE)
        one, two = self.calls(report, "one", "turns"), self.calls(report, "two", "turns")
        self.assertGreaterEqual(one, TURNS // 3)
        # The collector frees and allocates, too, where it happens to run.
        self.assertLess(abs(two - 2 * one), one / 20, (one, two))


if __name__ == "__main__":
    harness.main()
