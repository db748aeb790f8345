# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth profile --wall`: all the time of each thread is in its table, running and waiting; the same
from the capture.
"""
import collections
import os
import subprocess

import harness
from harness import Case, needs_bpf

PYTHON = "/usr/bin/python3"
BURNT_S, SLEPT_S, SHORT_WAITS = 0.6, 1.0, 300

PROGRAM = """
import sys, threading, time
slept = []
def burns():
    end = time.thread_time() + %g
    while time.thread_time() < end:
        sum(range(1000))
def sleeps():
    begin = time.perf_counter()
    time.sleep(%g)
    slept.append(time.perf_counter() - begin)
def naps():
    for _ in range(%d):
        time.sleep(0.0002)
def beside():
    burns()
    sleeps()
thread = threading.Thread(target=beside)
thread.start()
burns()
sleeps()
naps()
thread.join()
open(sys.argv[1], "w").write(str(sum(slept)))
""" % (BURNT_S, SLEPT_S, SHORT_WAITS)

# Of each thread one sleep is long. The kernel does not report the end of some.
THREADS = 1600
SLEEPERS = """
#include <pthread.h>
#include <time.h>
static void *sleeps(void *unused)
{
	struct timespec time = { 0, 5000000 };
	for (volatile int i = 0; i < 300000; i++)
		;
	nanosleep(&time, 0);
	return unused;
}
int main(void)
{
	pthread_t all[4];
	for (int turn = 0; turn < %d; turn++) {
		for (int i = 0; i < 4; i++)
			pthread_create(&all[i], 0, sleeps, 0);
		for (int i = 0; i < 4; i++)
			pthread_join(all[i], 0);
	}
	return 0;
}
""" % (THREADS // 4)


@needs_bpf
class Wall(Case):
    def setUp(self):
        super().setUp()
        if not os.path.exists(PYTHON):
            self.skipTest("no %s here" % PYTHON)

    def record(self, *options):
        capture = self.path("wall.sooth")
        report = self.sooth("profile", "--wall", "-j", "--save", capture, *options, "--", PYTHON,
                            "-c", PROGRAM, self.path("slept")).json()
        return report, capture

    def spent(self, report, function, activity):
        return sum(row["wall_ns"] for row in report["wall_by_function"]
                   if row["function"] == function and row["thread_state"] == activity) / 1e9

    def test_all_of_the_time(self):
        report, capture = self.record()
        rows, summary = report["wall_by_function"], report["wall"]
        self.assertEqual(summary["thread_count"], 2)
        self.assertAlmostEqual(sum(row["wall_ns"] for row in rows) / summary["wall_ns"], 1, delta=0.001)
        counted = self.sooth("sched", "-j", capture).json()["scheduling"]["wall_ns"]
        self.assertAlmostEqual(summary["wall_ns"] / counted, 1, delta=0.01)
        self.assertAlmostEqual(sum(summary[name] for name in (
            "running_percent", "waiting_percent", "short_percent")), 100, delta=0.16)  # each is rounded

    def test_what_it_was(self):
        report, _ = self.record()
        # A busy host makes it longer; the program has measured that.
        slept = self.spent(report, "sleeps", "sleep")
        self.assertGreater(slept, 2 * SLEPT_S - 0.02, (report["wall_by_function"], report["loss"]))
        self.assertLess(slept, float(harness.read(self.path("slept"))) + 0.05)
        # Its samples are a few dozen, of the exact time on a CPU.
        self.assertGreater(self.spent(report, "burns", "running"), BURNT_S)
        self.assertLess(self.spent(report, "burns", "running"), 2.5 * BURNT_S)
        short = sum(row["wall_ns"] for row in report["wall_by_function"]
                    if row["thread_state"] == "short waits") / 1e9
        naps = self.spent(report, "naps", "sleep")  # those that a busy host made long
        self.assertGreater(short + naps, SHORT_WAITS * 0.0002)

    def test_no_wait_is_missing(self):
        source, program, capture = self.path("sleepers.c"), self.path("sleepers"), self.path("sleepers.sooth")
        with open(source, "w", encoding="ascii") as file:
            file.write(SLEEPERS)
        subprocess.run(["cc", "-O1", "-pthread", "-o", program, source], check=True)
        report = self.sooth("profile", "--wall", "--min-wait", "1ms", "-j", "--save", capture, "--", program).json()
        rows = self.sooth("query", "-j", capture, "select tid, waited_ns from profile_wait").json()["rows"]
        waited = collections.Counter()
        for row in rows:
            waited[row["tid"]] += row["waited_ns"]
        self.assertEqual(sum(row["count"] for row in report["loss"]), 0, report["loss"])
        # And the thread that waits for them.
        self.assertEqual(sum(ns > 4900000 for ns in waited.values()), THREADS + 1)

    def test_from_the_capture(self):
        live, capture = self.record()
        for name in ("wall", "wall_by_function"):
            again = self.sooth("profile", "--wall", "-j", capture).json()
            self.assertEqual(live[name], again[name])
        # The same capture has the waits alone, and the samples alone.
        waits = self.sooth("profile", "--off-cpu", "-j", capture).json()["waits_by_function"]
        self.assertTrue([row for row in waits if row["function"] == "sleeps"])
        samples = self.sooth("profile", "-j", capture).json()["functions"]
        self.assertTrue([row for row in samples if row["function"] == "burns"])

    def test_picture(self):
        _, capture = self.record()
        path = self.path("wall.svg")
        self.sooth("profile", "--wall", "--flamegraph", "-o", path, capture)
        self.assertIn(b"<title>Running and waiting: width = time</title>", harness.read(path))
        folded = self.sooth("profile", "--wall", "--format", "folded", capture).text
        self.assertTrue([line for line in folded.splitlines() if ";sleeps;" in line])
        self.assertTrue([line for line in folded.splitlines() if ";burns" in line])


if __name__ == "__main__":
    harness.main()
