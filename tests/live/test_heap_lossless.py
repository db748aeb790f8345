# SPDX-License-Identifier: BSD-2-Clause
"""
More calls than the ring takes. A process that sooth attached to is never held: each of its calls is
delivered or told as lost. A launched command waits for its reader, and nothing is lost while the
reserve lasts. It goes on whatever becomes of its watcher.
"""
import collections
import os
import signal
import time

import harness
from harness import needs_bpf
from heap_case import (GLIBC, HeapCase, by_type, events_by_type, last_json, one, report_calls,
                       truth_calls)
from slow_reader import SlowReader, threads_in_state

SMALL_RING = "64k"
LARGE_RING = "16M"
RESERVE_NS = 20 * 10**6  # from which nothing may be lost
PAIRS = 200000 if harness.IS_LONG else 100000
SLOW_S = 0.001           # for each piece that the slow reader takes


@needs_bpf
class Attached(HeapCase):
    def storm(self, threads="2", reads=False):
        return self.track_attached(GLIBC, "heap_storm", "--pairs", str(PAIRS), "--threads",
                                   threads, options=["--buffer", SMALL_RING], reads=reads)

    def test_delivered_and_lost_is_all(self):
        truth, report, events = self.storm(reads=True)
        missing = one(report["heap_totals"])["lost"]
        self.assertGreater(missing, 0, "a storm of %d calls fitted the ring" % truth["events"])
        self.assertEqual(len(events) + missing, truth["events"])
        # Of another source: the program may end while the ring is full, and that is told by itself.
        lost = collections.Counter()
        for row in report["loss"]:
            lost[row["source"]] += row["records"]
        self.assertEqual(lost.pop("heap"), missing)
        self.assertLessEqual(lost.pop("process", 0), 1)
        self.assertFalse(lost)
        self.assertEqual(one(report["heap_pauses"])["count"] if report.get("heap_pauses") else 0, 0)

    def test_counts_need_no_ring(self):
        """What is counted where it happens is exact, however much of the stream is lost."""
        truth, report, _ = self.storm(threads="4")
        self.assert_calls(report, truth_calls(truth))

    def test_what_is_not_exact_says_so(self):
        _, report, _ = self.storm()
        self.assertTrue(one(report["heap_totals"])["inexact"])


@needs_bpf
class Hold(HeapCase):
    """A launched command, whose lines go through a FIFO to a reader that takes its time."""

    SIZE = "1011"  # nobody else asks for that

    def start_slow(self, pairs, ring, threads="2", wait_s=SLOW_S):
        """(sooth, reader); the command says "ready" through sooth's own output."""
        fifo = self.path("fifo")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        reader = SlowReader(fifo, wait_s)
        self.addCleanup(reader.leave)
        command, _ = self.command_of(GLIBC, "heap_storm", "--pairs", str(pairs), "--threads",
                                     threads, "--size", self.SIZE, "--hold", "--truth",
                                     self.path("truth"))
        sooth = self.start_sooth("heap", "-j", "--engine", "bpf", "--buffer", ring, "-o", fifo, "--",
                                 *command)
        sooth.wait_for_output(b"ready\n")
        return sooth, reader

    def command_pid(self, sooth):
        for child in harness.read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split():
            if harness.read("/proc/%s/comm" % child.decode()) == b"workloads\n":
                return int(child)
        raise AssertionError("sooth has no such child")

    def events_in(self, reader):
        with open(self.path("events"), "wb") as file:
            file.write(reader.data)
        return self.read_events()

    def bare(self, pairs, threads="2"):
        """The answer, without a watcher."""
        run = self.run_program(*self.command_of(GLIBC, "heap_storm", "--pairs", str(pairs),
                                                "--threads", threads)[0])
        return run.text.splitlines()[-1]

    def check(self, ring, threads):
        pairs = min(PAIRS, 2 * PAIRS // int(threads))  # of each; a multiple of any ring in all
        sooth, reader, _ = self.hold(pairs, ring, threads)
        reader.go_on.set()
        run = sooth.finish(300)
        reader.end()
        self.assertEqual(run.status, 0, run)
        self.assertIn(self.bare(pairs, threads) + "\n", run.text)
        report, truth, events = last_json(run.text), self.truth(), self.events_in(reader)
        totals, holds = one(report["heap_totals"]), one(report["heap_pauses"])
        self.assertEqual(len(events) + totals["lost"], totals["calls"])
        self.assertGreaterEqual(report_calls(report)["malloc"].count, truth["pairs"])
        self.assertGreater(holds["count"], 0)
        return report, truth, events

    def test_nothing_is_lost(self):
        for threads in ("1", "2", "6") if harness.IS_LONG else ("2", "6"):
            with self.subTest(threads):
                report, truth, events = self.check(LARGE_RING, threads)
                holds, lost = one(report["heap_pauses"]), one(report["heap_totals"])["lost"]
                if holds["min_reserve_ns"] >= RESERVE_NS and not holds["refused"]:
                    self.assertEqual(lost, 0, holds)
                    self.assertEqual(sum(e.get("size") == int(self.SIZE) for e in events),
                                     truth["pairs"])
                    self.assertEqual(events_by_type(events), by_type(report_calls(report)))
                else:
                    print("reserve %d ns: lost %d of %d" % (holds["min_reserve_ns"], lost,
                                                            truth["events"]))

    def test_a_reserve_that_is_too_small_is_told(self):
        """Whatever is lost then: all of it is told, and that holds came too late."""
        report, _, _ = self.check(SMALL_RING, "2")
        if one(report["heap_totals"])["lost"]:
            holds = one(report["heap_pauses"])
            self.assertTrue(holds["late"] or holds["refused"], holds)

    def test_no_hold(self):
        """Asked not to, sooth holds nobody, and loses instead."""
        command, _ = self.command_of(GLIBC, "heap_storm", "--pairs", str(PAIRS), "--threads", "2")
        run = self.sooth("heap", "-j", "--engine", "bpf", "--no-hold", "--buffer", SMALL_RING, "-o",
                         self.path("events"), "--", *command)
        report = last_json(run.text)
        totals = one(report["heap_totals"])
        self.assertGreater(totals["lost"], 0)
        self.assertEqual(len(self.read_events()) + totals["lost"], totals["calls"])
        self.assertEqual(one(report["heap_pauses"])["count"] if report.get("heap_pauses") else 0, 0)

    def test_threads_that_end_while_nobody_reads(self):
        """sooth is stopped: the ring is full when they hand over their counts, and not one is lost."""
        command, _ = self.command_of(GLIBC, "heap_storm", "--pairs", str(PAIRS), "--threads", "2",
                                     "--hold")
        sooth = self.start_sooth("heap", "-j", "--engine", "bpf", "--no-hold", "--buffer", SMALL_RING, "-o",
                                 self.path("events"), "--", *command)
        sooth.wait_for_output(b"ready\n")
        pid = self.command_pid(sooth)
        os.kill(sooth.pid, signal.SIGSTOP)
        sooth.say(b"go\n")
        harness.wait_until(lambda: harness.process_state(pid) == "Z", "the end of the command")
        os.kill(sooth.pid, signal.SIGCONT)
        run = sooth.finish(300)
        totals = one(last_json(run.text)["heap_totals"])
        self.assertGreater(totals["lost"], 0)
        self.assertGreaterEqual(totals["calls"], 2 * 2 * PAIRS)
        # The end of the process is lost too.
        self.assertIn(len(self.read_events()) + totals["lost"] - totals["calls"], (0, 1))

    # --- while it is held ---

    def hold(self, pairs, ring=SMALL_RING, threads="2"):
        """A storm that is held because nobody reads."""
        sooth, reader = self.start_slow(pairs, ring, threads)
        pid = self.command_pid(sooth)
        reader.go_on.clear()
        sooth.say(b"go\n")
        harness.wait_until(lambda: threads_in_state(pid, "tT"), "the command to be held")
        return sooth, reader, pid

    def assert_right(self, pid, pairs):
        """It runs on to its end, by itself, with the right answer."""
        harness.wait_until(lambda: harness.process_state(pid) in (None, "Z"), "its end", 120)
        self.assertEqual("answer %d" % self.truth()["answer"], self.bare(pairs))

    def test_killed_while_it_holds(self):
        """The kernel lets the threads go with their tracer: never stopped for good."""
        for turn in range(5):
            sooth, reader, pid = self.hold(100000)
            time.sleep(0.05 * turn)
            sooth.send(signal.SIGKILL)
            sooth.child.wait(harness.PATIENCE_S)
            self.assert_right(pid, 100000)
            os.unlink(self.path("truth"))
            reader.leave()

    def test_interrupted_while_it_holds(self):
        """Whoever stops sooth does not stop the command, nor leave it standing."""
        sooth, reader, pid = self.hold(100000)
        sooth.send(signal.SIGINT)
        time.sleep(0.2)
        reader.go_on.set()
        self.assertEqual(sooth.child.wait(harness.PATIENCE_S), 0)
        self.assert_right(pid, 100000)
        reader.end()

    def test_a_reader_that_goes_away(self):
        """Its end of the FIFO is closed: the command runs on all the same."""
        sooth, reader, pid = self.hold(100000)
        reader.leave()
        self.assert_right(pid, 100000)
        sooth.finish()

    def test_a_command_that_is_killed_while_held(self):
        sooth, reader, pid = self.hold(100000)
        os.kill(pid, signal.SIGKILL)
        reader.go_on.set()
        run = sooth.finish()
        reader.end()
        self.assertEqual(run.status, 128 + signal.SIGKILL, run)
        self.assertTrue(last_json(run.text)["heap_by_function"])

    def test_somebody_elses_stop_stays(self):
        """A command that its user stopped is not let run by sooth."""
        sooth, reader = self.start_slow(PAIRS, SMALL_RING, wait_s=0.0005)
        pid = self.command_pid(sooth)
        sooth.say(b"go\n")
        time.sleep(0.1)
        os.kill(pid, signal.SIGSTOP)
        harness.wait_until(lambda: threads_in_state(pid, "Tt"), "it to stop")
        reader.wait_s = 0
        time.sleep(1)  # the ring is empty by now
        self.assertTrue(threads_in_state(pid, "Tt"))
        os.kill(pid, signal.SIGCONT)
        run = sooth.finish(120)
        reader.end()
        self.assertEqual(run.status, 0, run)
        self.assertIn(self.bare(PAIRS), run.text)


if __name__ == "__main__":
    harness.main()
