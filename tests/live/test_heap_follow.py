# SPDX-License-Identifier: BSD-2-Clause
"""
Where calls come from: forked children, fresh images, threads that end, a library that is loaded
late, signal handlers, frames that are left by longjmp or unwound by an exception, a death in the
midst. Counts are those of the workload, and the program does what it does without a watcher.
"""
import os
import re
import shutil
import signal

import harness
from harness import needs_bpf
from heap_case import (GLIBC, ROOMY_RING, VARIANTS, HeapCase, Replay, breakpoints, last_json, minus,
                       one, read_json_values, report_calls, truth_calls)

OWN = next(variant for variant in VARIANTS if variant.program == "heap-own")


@needs_bpf
class Children(HeapCase):
    def test_forked(self):
        """Attached to the parent: no call of a child is missing, each process has its row."""
        for variant in (GLIBC, OWN):
            with self.subTest(variant.name):
                truth, report, events = self.track_attached(variant, "heap", "--turns", "5000",
                                                            "--forks", "5")
                self.assert_nothing_lost(report)
                self.assert_calls(report, truth_calls(truth), variant)
                for image in truth["images"]:
                    calls = [e for e in events if e["pid"] == image["pid"]]
                    self.assertEqual(len(calls), image["events"])
                    row = next(row for row in report["heap_processes"] if row["pid"] == image["pid"])
                    self.assertEqual(row["calls"], image["events"])
                    for name in ("allocated_bytes", "live_bytes", "live_blocks"):
                        self.assertEqual(row[name], image[name], name)

    def test_blocks_are_each_processs_own(self):
        """What a child inherited is neither live in it nor freed by it."""
        truth, report, _ = self.track_attached(GLIBC, "heap", "--turns", "5000", "--forks", "3")
        totals = one(report["heap_totals"])
        self.assertEqual(totals["frees_unknown"], 0)
        self.assertEqual((totals["live_bytes"], totals["live_blocks"]),
                         (truth["live_bytes"], truth["live_blocks"]))
        self.assertEqual(totals["freed_bytes"], truth["allocated_bytes"] - truth["live_bytes"])

    def test_inherited(self):
        """A child frees its copies of what was allocated before and after sooth attached."""
        for more, live in (([], 100), (["--release"], 0)):
            with self.subTest(more):
                truth, report, _ = self.track_attached(GLIBC, "heap_inherited", *more)
                self.assert_calls(report, truth_calls(truth))
                totals = one(report["heap_totals"])
                self.assertEqual(totals["frees_inherited"], 200)
                self.assertEqual(totals["live_blocks"], live)
                self.assertEqual(totals["frees_from_before"], 100 if more else 0)
                self.assertEqual(totals["frees_unknown"], 0)

    def test_what_ran_before_is_named(self):
        """A launcher allocates nothing, and its child that runs already is not followed."""
        text = ("import os, time\n"
                "back, out = os.pipe()\n"
                "if not os.fork():\n"
                "    below = os.fork()\n"
                "    os.write(out, b'%d\\n' % os.getpid())\n"
                "    while not below: time.sleep(0.01), bytearray(600)\n"
                "    os.wait()\n"
                "back = os.fdopen(back)\n"
                "print('below', int(back.readline()), int(back.readline()), 'ready', flush=True)\n"
                "os.wait()\n")
        target = self.start("/usr/bin/python3", "-S", "-c", text)
        target.wait_for_output(b"ready")
        below = re.search(rb"below ([\d ]+)", target.out)[1].split()
        self.addCleanup(lambda: [os.kill(int(pid), signal.SIGKILL) for pid in below])
        for options in (["--count"], ["--leaks"], ["--pages"]):
            with self.subTest(options[0]):
                run = ["heap", "-j", *options, "-d", "0.5", "-p"]
                limits = [limit for limit in self.sooth(*run, str(target.pid)).json()["limits"]
                          if "had started before" in limit["what"]]
                self.assertEqual(len(limits), 1)
                self.assertTrue(limits[0]["what"].startswith("2 processes "), limits)
                more = limits[0]["remedy"].split("-p ")[1]
                self.assertEqual(sorted(map(int, more.split(","))), sorted(map(int, below)))
                both = self.sooth(*run, str(target.pid) + "," + more).json()
                self.assertFalse([limit for limit in both["limits"] if "had started before" in limit["what"]])

    def test_exec(self):
        """Blocks go with the program that had them; the fresh image begins with none."""
        shape = ("--forks", "2", "--exec", "1")
        _, twin = self.track_launched(GLIBC, "heap", *shape, "--turns", "0", truth="truth-0")
        truth, report = self.track_launched(GLIBC, "heap", *shape, "--turns", "3000",
                                            truth="truth-n")
        self.assert_nothing_lost(report)
        for name in truth_calls(truth):
            if name not in GLIBC.aliases:
                self.assertEqual(minus(report_calls(report), report_calls(twin)).get(name),
                                 truth_calls(truth)[name], name)
        self.assertEqual(sum(image["is_exec"] for image in truth["images"]), 2)

    def test_threads_that_come_and_go(self):
        """
        glibc gives back the cached blocks of a thread at its end, by calls of free: these are of
        blocks that were freed before, so nothing that lives goes away by them.
        """
        script = ("import threading\n"
                  "for i in range(50):\n"
                  "  t = [threading.Thread(target=lambda: [bytes(600 + i) for i in range(50)])\n"
                  "       for _ in range(4)]\n"
                  "  [x.start() for x in t]; [x.join() for x in t]\n"
                  "print('done')\n")
        run = self.sooth("heap", "-j", "-o", self.path("events"), "--", "/usr/bin/env",
                         "PYTHONMALLOC=malloc", harness.sys.executable, "-c", script)
        self.assertIn("done", run.text)
        report = read_json_values(run.text)[-1]
        self.assert_nothing_lost(report)
        self.assertGreaterEqual(len({e["tid"] for e in self.read_events()}), 50)


@needs_bpf
class Late(HeapCase):
    """A library with an allocator of its own, loaded with RTLD_LOCAL."""

    def late(self, *argv):
        self.program("libheap-own.so")
        return self.track_attached(GLIBC, "heap_late", *argv)

    def late_but_probed(self, turns, forks=0):
        """As late(); nobody calls it before sooth has seen to it in all."""
        library = os.path.basename(self.program("libheap-own.so"))
        target = self.held_workload(GLIBC, "heap_late", "--told", "--turns", str(turns), "--forks",
                                    str(forks))
        sooth = self.attach(target.pid, "-o", self.path("events"), "--buffer", ROOMY_RING)
        target.say(b"go\n")
        harness.wait_until(lambda: target.out.count(b"\n") == 2 + forks, "all to have loaded it")
        pids = [int(line.split()[1]) for line in bytes(target.out).splitlines()[1:]]
        self.assertEqual(len(set(pids)), 1 + forks)
        for pid in pids:
            harness.wait_until(lambda pid=pid: breakpoints(pid, library), "its probes")
        harness.wait_until(lambda: harness.is_polling(sooth.pid), "sooth to be done with them")
        target.say(b"x" * len(pids))
        self.assertEqual(target.finish(300).status, 0)
        return self.truth(), self.report_of(sooth), self.read_events()

    def test_seen_once_probed(self):
        _, twin, _ = self.late_but_probed(0)
        truth, report, events = self.late_but_probed(5000)
        self.assertEqual(report["loss"], [])
        self.assertEqual(minus(report_calls(report), report_calls(twin)), truth_calls(truth))
        self.assertGreaterEqual(len(events), truth["events"])

    def test_in_each_child(self):
        _, twin, _ = self.late_but_probed(0, forks=3)
        truth, report, _ = self.late_but_probed(3000, forks=3)
        self.assertEqual(minus(report_calls(report), report_calls(twin)), truth_calls(truth))
        self.assertEqual(len(truth["images"]), 4)

    def test_what_came_too_early_is_told(self):
        """Without a pause calls may be missed; then a gap of that file says so, and never more."""
        _, twin, _ = self.late("--turns", "0")
        truth, report, _ = self.late("--turns", "200000")
        seen = minus(report_calls(report), report_calls(twin))
        for name, row in truth_calls(truth).items():
            self.assertLessEqual(seen[name].count if name in seen else 0, row.count, name)
        missing = truth["events"] - sum(row.count for row in seen.values())
        gaps = [row for row in report["heap_gaps"] if row["path"].endswith("libheap-own.so")]
        if missing:
            self.assertTrue(gaps, "%d calls are missing, and nobody says so" % missing)
            self.assertGreater(sum(row["unseen_ns"] for row in gaps), 0)


    def launched(self, turns, *options, before=()):
        """(report, truth) of a command that loads it and calls it at once."""
        run = self.sooth("heap", "-j", "--count", *options, "--", *before, harness.WORKLOADS, "heap_late", "--turns",
                         str(turns), "--truth", self.path("truth"), timeout=120)
        return read_json_values(run.text)[-1], self.truth()

    def test_launched(self):
        """The thread is paused before the first call, or the gap says that it was not."""
        self.program("libheap-own.so")
        twin, _ = self.launched(0, "--engine", "bpf")
        exact = 0
        for _ in range(3):
            report, truth = self.launched(100, "--engine", "bpf")
            seen = minus(report_calls(report), report_calls(twin))
            gaps = [row for row in report["heap_gaps"] if row["path"].endswith("libheap-own.so")]
            self.assertTrue(seen == truth_calls(truth) or gaps, (seen, truth))
            exact += seen == truth_calls(truth) and not gaps
        self.assertTrue(exact)

    def test_beside_another_tracer(self):
        """What strace or gdb traces is not paused, runs as ever, and the gap is reported."""
        self.program("libheap-own.so")
        for before in (["strace", "-f", "-o", "/dev/null"], ["gdb", "-nx", "-batch", "-ex", "run", "--args"]):
            if not shutil.which(before[0]):
                continue
            with self.subTest(before[0]):
                report, truth = self.launched(1000, "--engine", "bpf", before=before)
                self.assertEqual(truth["events"], sum(row.count for row in truth_calls(truth).values()))
                # What has ended when the collector comes is a gap as a whole.
                self.assertTrue([row for row in report["heap_gaps"]
                                 if row["path"].endswith("libheap-own.so") or row["path"] == "the program it ran"])


@needs_bpf
class Interrupted(HeapCase):
    def test_in_a_signal_handler(self):
        truth, report, events = self.track_attached(GLIBC, "heap_signal", "--count", "1000")
        self.assertEqual(truth["events"], 4000)
        self.assert_calls(report, truth_calls(truth))
        self.assertEqual(len(events), 4000)

    def test_in_a_handler_inside_of_malloc(self):
        """What is called inside of a call is part of it, whoever calls."""
        truth, report, events = self.track_attached(OWN, "heap_signal", "--inside", "--count",
                                                    "1000")
        self.assertEqual(truth["nested"], 2000)
        self.assert_calls(report, truth_calls(truth), OWN)
        self.assertEqual(len(events), truth["events"])
        self.assertEqual(Replay(events).strangers, [])

    def test_left_by_longjmp(self):
        """Calls that never return are not counted as calls, and lose none of those after them."""
        # The kernel follows 64 returns of a thread; of calls deeper in left ones it tells no end.
        for deep in ("1", "5", "50"):
            with self.subTest(deep):
                truth, report, events = self.track_attached(OWN, "heap_longjmp", "--count", "50",
                                                            "--deep", deep)
                self.assert_calls(report, truth_calls(truth), OWN)
                self.assertEqual(len(events), truth["events"])
                unfinished = {name: row["unfinished"] for name, row in report["heap_by_function"].items()}
                self.assertEqual(unfinished["malloc"],
                                 truth["functions"]["malloc"]["unfinished"])

    def test_killed_in_the_midst(self):
        """Of each function every thread may have made one call that it could not note."""
        for threads in ("1", "4"):
            for stream in (False, True):
                with self.subTest(threads=threads, stream=stream):
                    truth, report, _ = self.track_attached(
                        GLIBC, "heap_killed", "--threads", threads, "--after", "0.3",
                        stream=stream)
                    calls = report_calls(report)
                    missing = one(report["heap_totals"]).get("lost") or 0
                    for name, row in truth_calls(truth).items():
                        seen = calls[name].count
                        self.assertGreaterEqual(seen + missing, row.count, name)
                        # Threads that are created make calls, too.
                        self.assertLessEqual(seen, row.count + truth["slack"] + 10 * int(threads))


@needs_bpf
class Thrown(HeapCase):
    """A return probe on a frame that is unwound would end the program: see it caught."""

    def check(self, report, times):
        failed = {name: row["failed"] for name, row in report["heap_by_function"].items()}
        self.assertEqual(failed["malloc"], 2 * times)

    def test_launched(self):
        run = self.sooth("heap", "-j", "--", self.program("heap-throw"), "5000")
        self.assertIn("caught 5000\n", run.text)
        self.check(read_json_values(run.text)[-1], 5000)

    def test_attached(self):
        for how in ([], ["--count"]):
            target = self.start(self.program("heap-throw"), "5000", "wait")
            target.wait_for_output(b"ready\n")
            sooth = self.attach(target.pid, *how)
            target.say(b"x")
            run = target.finish()
            self.assertEqual((run.status, run.text), (0, "ready\ncaught 5000\n"))
            self.check(self.report_of(sooth), 5000)

    def test_in_the_midst_of_it(self):
        """Attached and let go while exceptions fly."""
        target = self.start(self.program("heap-throw"), str(2**40), "until")
        target.wait_for_output(b"ready\n")
        target.say(b"x")
        for turn in range(10):
            self.sooth("heap", "-j", *(["--count"] if turn % 2 else []), "--duration",
                       "0.1", "-p", str(target.pid))
        target.close_stdin()
        run = target.finish()
        self.assertEqual(run.status, 0, run)
        self.assertGreater(int(run.text.split("caught ")[1]), 0)


if __name__ == "__main__":
    harness.main()
