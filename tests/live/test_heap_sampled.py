# SPDX-License-Identifier: BSD-2-Clause
"""
Samples of allocations, by bytes: what is estimated of them against the program's own truth, with many
seeds. An error is printed with each estimate, and the truth is to be within it.
"""
import platform

import harness
from harness import needs_bpf
from heap_case import GLIBC, VARIANTS, HeapCase, folded, last_json, minus, one, report_calls, truth_calls

TURNS = "20000"
RUNS = 100 if harness.IS_LONG else 6
# Of an error that one of a hundred exceeds: five of a hundred never do, and two of six.
MISSED = RUNS // 20 if harness.IS_LONG else 2
SAMPLE = "2K"
# Links that probe a return only if it is needed.
HAS_SESSIONS = platform.machine() == "x86_64" and tuple(
    int(n) for n in platform.release().split("-")[0].split(".")[:2]) >= (6, 13)


def is_within(estimate, error, truth):
    return abs(estimate - truth) <= error


@needs_bpf
class Sampled(HeapCase):
    def sampled(self, variant, *argv, size=SAMPLE, options=()):
        """(truth, report) of a workload that waited until sooth had attached to it."""
        target = self.held_workload(variant, *argv)
        sooth = self.attach(target.pid, "--sample-bytes", size, *options)
        self.let_go(target)
        return self.truth(), self.report_of(sooth)

    def launched(self, *command):
        return last_json(self.sooth("heap", "-j", "--sample-bytes", SAMPLE, "--", *command).text)

    def test_launched(self):
        """What loads sooth's library records every call; what has to be probed is sampled."""
        run = ["heap", "--turns", "5000", "--truth", self.path("truth")]
        report = self.launched(harness.WORKLOADS, *run)
        truth, totals = self.truth(), one(report["heap_totals"])
        self.assertEqual((report["loss"], totals["inexact"]), ([], None))
        self.assertEqual([row["method"] for row in report["sources"] if row["probe"] == "heap"], ["mixed"])
        self.assertEqual(minus(report_calls(report), truth_calls(truth)).get("realloc"), None)
        self.assertTrue(0 <= totals["live_blocks"] - truth["live_blocks"] < 5, (totals, truth))
        self.assertTrue(report["heap_stacks"])
        static = self.program("heap-static")
        totals = one(self.launched(static, *run)["heap_totals"])
        self.assertIn("estimated from samples", totals["inexact"])
        report = self.launched("/bin/sh", "-c", "%s heap --turns 5000; %s heap --turns 5000; exit 0" % (
            static, harness.WORKLOADS))
        totals = one(report["heap_totals"])
        self.assertIn("estimated from samples", totals["inexact"])
        self.assertFalse(totals["lost"], totals)
        self.assertGreaterEqual(totals["calls"], 2 * truth["events"] - 50)

    def test_the_truth_is_within_the_error(self):
        missed = {"live_bytes": [], "allocated_bytes": []}
        for seed in range(1, RUNS + 1):
            # What most turns leave live differs by the seed.
            truth, report = self.sampled(GLIBC, "heap", "--turns", TURNS, "--seed", str(seed))
            totals, rows = one(report["heap_totals"]), report["heap_stacks"]
            self.assertGreater(totals["live_error_bytes"], 0)
            self.assertLess(totals["live_error_bytes"], truth["live_bytes"])
            allocated = sum(row["allocated_bytes"] for row in rows)
            # Of independent samples the squares add up.
            error = sum(row["allocated_error_bytes"] ** 2 for row in rows) ** 0.5
            wanted = truth["allocated_bytes"]
            for name, within in (
                    ("live_bytes", is_within(totals["live_bytes"], totals["live_error_bytes"],
                                             truth["live_bytes"])),
                    ("allocated_bytes", is_within(allocated, error, wanted))):
                if not within:
                    missed[name].append((seed, totals, allocated, error, truth["live_bytes"], wanted))
        for name, runs in missed.items():
            self.assertLessEqual(len(runs), MISSED, (name, runs))

    def test_calls_are_exact(self):
        """What is no sample is counted all the same, for every allocator and with threads."""
        for variant in VARIANTS:
            with self.subTest(variant.name):
                truth, report = self.sampled(variant, "heap", "--turns", "3000", "--threads", "2")
                self.assert_nothing_lost(report)
                wanted = truth_calls(truth)
                for name, row in report["heap_by_function"].items():
                    self.assertIsNone(row["mean_ns"], name)
                    if variant.aliases and name in variant.aliases:
                        continue
                    self.assertEqual(row["count"], wanted[name].count, name)
                    if row["failed"] is None:  # those that can be missing fail when a limit is reached
                        self.assertTrue(HAS_SESSIONS, name)
                        self.assertEqual(wanted[name].failed, 0, name)
                    else:
                        self.assertEqual(row["failed"], wanted[name].failed, name)

    def test_small_failures(self):
        """Whether small calls failed that are no samples is not known, and the report claims nothing."""
        script = ("import ctypes, resource, sys\n"
                  "get = ctypes.CDLL(None).malloc\n"
                  "get.restype, get.argtypes = ctypes.c_void_p, [ctypes.c_size_t]\n"
                  "for _ in range(1000): get(1000)\n"
                  "if sys.argv[1:]: resource.setrlimit(resource.RLIMIT_AS, (1 << 20, -1))\n"
                  "failed = 0\n"
                  "while sys.argv[1:] and failed < 1000: failed += not get(1000)\n")
        for more in ([], ["fails"]):
            with self.subTest(more):
                run = self.sooth("heap", "-j", "--in-kernel", "--sample-bytes", "4M", "--", "/usr/bin/python3", "-c",
                                 script, *more)
                totals = one(last_json(run.text)["heap_totals"])
                is_known = not HAS_SESSIONS
                self.assertEqual("count as successful" in totals["inexact"], not is_known)
                if is_known:
                    self.assertEqual(totals["failed"] >= 1000, bool(more))
                elif not more:
                    self.assertIsNone(totals["failed"])
                    self.assertEqual(totals["not_measured"]["failed"], "not requested")
                else:
                    self.assertNotEqual(totals["failed"], 0)

    def test_forked_children(self):
        """
        What a forked child allocates is counted and estimated from its first call; only when blocks
        are freed is not seen until it has session links, where there are such.
        """
        missed = 0
        for seed in range(1, RUNS // 2 + 1):
            truth, report = self.sampled(GLIBC, "heap", "--turns", TURNS, "--forks", "2", "--seed", str(seed))
            self.assert_nothing_lost(report)
            wanted = folded(truth_calls(truth), GLIBC.aliases)
            seen = folded(report_calls(report), GLIBC.aliases)
            self.assertEqual({name: row.count for name, row in seen.items()},
                             {name: row.count for name, row in wanted.items()})
            totals, rows = one(report["heap_totals"]), report["heap_stacks"]
            self.assertEqual("frees of new processes were not seen for up to" in totals["inexact"], HAS_SESSIONS, totals)
            error = sum(row["allocated_error_bytes"] ** 2 for row in rows) ** 0.5
            missed += not is_within(sum(row["allocated_bytes"] for row in rows), error, truth["allocated_bytes"])
        self.assertLessEqual(missed, MISSED)

    def test_exec_keeps_the_links(self):
        """A process that runs another program is still one whose returns are probed where needed."""
        target = self.start("/bin/sh", "-c", "echo ready; read x; exec %s heap --turns %s --truth %s" % (
            harness.WORKLOADS, TURNS, self.path("truth")))
        target.wait_for_output(b"ready\n")
        sooth = self.attach(target.pid, "--sample-bytes", SAMPLE)
        self.let_go(target)
        truth, report = self.truth(), self.report_of(sooth)
        totals = one(report["heap_totals"])
        self.assert_nothing_lost(report)
        self.assertNotIn("frees of new processes", totals["inexact"])
        self.assertTrue(is_within(totals["live_bytes"], 3 * totals["live_error_bytes"], truth["live_bytes"]),
                        (totals, truth["live_bytes"]))

    def test_every_block_is_a_sample(self):
        """Where each byte is one, the estimates are the truth, and their error is nothing."""
        truth, report = self.sampled(GLIBC, "heap", "--turns", "3000", size="1")
        totals = one(report["heap_totals"])
        self.assertLess(abs(totals["live_bytes"] - truth["live_bytes"]), 0.001 * truth["live_bytes"])
        self.assertLess(abs(totals["live_blocks"] - truth["live_blocks"]), 5 + 0.01 * truth["live_blocks"])
        self.assertLess(abs(totals["peak_bytes"] - truth["peak_bytes"]),
                        0.3 * truth["peak_bytes"])

    def test_no_sample(self):
        """So few bytes that none is a sample: nothing is seen, and that is no zero of a leak."""
        truth, report = self.sampled(GLIBC, "heap", "--turns", "10", size="1G")
        totals = one(report["heap_totals"])
        self.assertEqual(totals["calls"], sum(c.count for c in truth_calls(truth).values()))
        self.assertIn("estimated from samples, one per 1.0G", totals["inexact"])

    def test_report(self):
        text = self.sooth("heap", "--stack", "--engine", "bpf", "--sample-bytes", "64K", "--", self.program(GLIBC.program), "heap",
                          "--turns", "20000", "--truth", self.path("truth")).text
        self.assertRegex(text, r"live at the end: \S+ in \d+ blocks? \(bytes \+-\S+: 99 %\)")
        self.assertIn("estimated from samples, one per 64.0K allocated", text)
        self.assertRegex(text, r"LIVE +\+-LIVE +BLOCKS +ALLOCATED +\+-ALLOCATED")

    def test_answers_and_files_say_it(self):
        """Where no totals stand, what was sampled is said all the same, and which code it was."""
        command = [self.program(GLIBC.program), "heap", "--turns", "20000", "--truth", self.path("truth")]
        for options in (["--leaks"], ["--churn"], ["--sizes"]):
            text = self.sooth("heap", "--engine", "bpf", "--sample-bytes", "64K", *options, "--", *command).text
            self.assertIn("estimated from samples, one per 64.0K allocated", text, options)
        run = self.sooth("heap", "--engine", "bpf", "--sample-bytes", "64K", "--folded", self.path("folded"), "--", *command)
        self.assertIn("estimated from samples, one per 64.0K allocated", run.errors)
        self.assertIn(b"heap_call", harness.read(self.path("folded")))

    def test_refused(self):
        for options in (["--exact"], ["-c"], ["-o", self.path("x")], ["--pages"]):
            self.assert_says_three_lines(
                self.sooth("heap", "--engine", "bpf", "--sample-bytes", "64K", *options, "1", status=2), "--sample-bytes")


if __name__ == "__main__":
    harness.main()
