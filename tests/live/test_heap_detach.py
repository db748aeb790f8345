# SPDX-License-Identifier: BSD-2-Clause
"""
Attaching and letting go, again and again, of a program that allocates all the time: it never
stands, its answer is right, and when the last watcher has ended, or was killed, soon nothing is
left: no breakpoint in its memory, no definition of a probe, no program, map or link in the kernel,
no guard.
"""
import ctypes
import os
import signal
import time

import harness
from harness import needs_bpf
from heap_case import (GLIBC, HeapCase, breakpoints, definitions_of, guards, one, perf_events)

ROUNDS = 100
ROUNDS_S = 25 if harness.IS_LONG else 8        # as many of them as fit
LEAST_ROUNDS = 6     # and on a machine that is slow as many all the same
GONE_WITHIN_S = harness.PATIENCE_S  # a bound against hanging: seen were two seconds
HOLDS_S = 1.0        # the longest that a program may make no progress while it is watched


class Allocator(harness.CountingChild):
    """Allocates and frees; what is counted are the pairs."""

    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    PAIRS = 50

    def work(self):
        for _ in range(self.PAIRS):
            self.libc.free(self.libc.malloc(99))
        return self.PAIRS


def parent_of(pid):
    try:
        return int(harness.read("/proc/%d/stat" % pid).rsplit(b")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None


class Held:
    """What a watcher that is attached has of this system, seen from outside while it lives."""

    def __init__(self, sooth, target):
        self.sooth, self.target = sooth.pid, target
        self.kernel = harness.held_by(sooth.pid)
        self.guards = {guard for guard in guards() if parent_of(guard) == sooth.pid}
        self.definitions = definitions_of(sooth.pid)
        self.breakpoints = breakpoints(target)

    def left(self):
        """What of it is still there."""
        return {"kernel": harness.still_in_kernel(self.kernel),
                "guards": self.guards & guards(),
                "definitions": definitions_of(self.sooth),
                "breakpoints": breakpoints(self.target)}


class DetachCase(HeapCase):
    def attached(self, pid, *options):
        sooth = self.attach(pid, *options)
        held = Held(sooth, pid)
        # Else their absence afterwards would say nothing.
        self.assertEqual({kind for kind, _ in held.kernel} - {"link"}, {"prog", "map"})
        self.assertTrue(held.definitions, "no definition that carries the pid of its owner")
        self.assertEqual(len(held.guards), 1)
        self.assertTrue(held.breakpoints)
        self.assertGreaterEqual(perf_events(sooth.pid), 2)
        return sooth, held

    def assert_gone(self, held):
        last = {}

        def is_gone():
            last.update(held.left())
            return not any(last.values())

        try:
            harness.wait_until(is_gone, "everything to be gone", timeout=GONE_WITHIN_S)
        except AssertionError:
            self.fail("after %d s still there: %s" % (GONE_WITHIN_S, last))


@needs_bpf
class AgainAndAgain(DetachCase):
    def see_calls(self, *options):
        """A starved target may do nothing for 50 ms, sometimes for a second: never for long."""
        blind = []
        for duration in ("50ms", "1s", "10s"):
            run = self.sooth("heap", "-j", "--duration", duration, *options)
            if one(run.json()["heap_totals"])["calls"] > 0:
                return
            blind.append(run.text)
        self.fail("no calls seen by %s: %s" % (options, blind))

    def test_many_times(self):
        """Between two looks the program has always made progress; its answer is right."""
        target = self.start(*self.command_of(GLIBC, "heap_storm", "--seconds", "3600",
                                             "--threads", "2")[0],
                            "--truth", self.path("truth"))
        target.wait_for_output(b"ready\n")
        bystander = Allocator(self)  # a child of ours, attached to in turn with the other
        end, turn = time.monotonic() + ROUNDS_S, 0
        while turn < LEAST_ROUNDS or (turn < ROUNDS and time.monotonic() < end):
            pid = bystander.pid if turn % 4 == 3 else target.pid
            how = (["--count"], [], ["--buffer", "64k"])[turn % 3]
            made = bystander.made()
            self.see_calls("-p", str(pid), *how)
            # The machine may give it no processor for a while; a program that stands stays so.
            harness.wait_until(lambda: bystander.made() > made,
                               "progress in round %d, by %s of %d" % (turn, how, pid))
            turn += 1
        print("attached and let go %d times" % turn)
        target.send(signal.SIGTERM)
        run = target.finish()
        self.assertEqual(run.status, 0, "its sums are checked by itself: %s" % run)
        self.assertEqual(self.truth()["events"], 2 * self.truth()["pairs"])
        for pid in (bystander.pid,):
            harness.wait_until(lambda: not breakpoints(pid), "breakpoints to be gone",
                               timeout=GONE_WITHIN_S)

    def test_never_stands(self):
        """While sooth comes, watches and goes, progress is never seen to pause for long."""
        target = Allocator(self)
        for how in (["--count"], []):
            sooth = self.start_sooth("heap", "-j", *how, "--duration", "1", "-p",
                                     str(target.pid))
            longest, last, since = 0, target.made(), time.monotonic() - target.queued_s()
            while sooth.is_running():
                time.sleep(0.002)
                # Others may have its processor: that is no pause of sooth's making.
                made, now = target.made(), time.monotonic() - target.queued_s()
                if made != last:
                    last, since = made, now
                longest = max(longest, now - since)
                self.assertNotIn(harness.process_state(target.pid), ("T", "t"))
            self.assertEqual(sooth.finish().status, 0)
            self.assertLess(longest, HOLDS_S, how)

    def test_two_watchers_at_once(self):
        """Each sees all; the one that leaves takes nothing from the other."""
        target = self.held_workload(GLIBC, "heap", "--turns", "5000")
        first = self.attach(target.pid, "--count")
        second = self.attach(target.pid, "--count")
        third = self.attach(target.pid, "-o", self.path("third"))
        third.send(signal.SIGINT)
        self.assertEqual(third.finish().status, 0)
        self.let_go(target)
        events = self.truth()["events"]
        for sooth in (first, second):
            self.assertEqual(one(self.report_of(sooth)["heap_totals"])["calls"], events)


@needs_bpf
class Gone(DetachCase):
    def after(self, end, *options):
        target = Allocator(self)
        before = target.per_second()
        sooth, held = self.attached(target.pid, *options)
        time.sleep(0.3)
        end(sooth)
        self.assert_gone(held)
        self.assertIn(harness.process_state(target.pid), ("R", "D"))
        target.wait_until_as_fast(before)

    def interrupt(self, sooth):
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)

    def kill(self, sooth):
        sooth.send(signal.SIGKILL)
        self.assertEqual(sooth.finish().status, -signal.SIGKILL)

    def test_after_an_ordinary_end(self):
        for options in (["--count"], ["-o", self.path("events")]):
            self.after(self.interrupt, *options)

    def test_after_a_kill(self):
        for options in (["--count"], ["-o", self.path("events")],
                        ["-o", self.path("events"), "--save", self.path("capture")]):
            self.after(self.kill, *options)

    def test_after_a_kill_of_both(self):
        """Sooth and its guard: the next sooth sweeps away what they left."""
        target = Allocator(self)
        sooth, held = self.attached(target.pid, "--count")
        for guard in held.guards:
            os.kill(guard, signal.SIGKILL)
        self.kill(sooth)
        self.sooth("heap", "-j", "--count", "--duration", "50ms", "-p", str(target.pid))
        self.assert_gone(held)

    def test_the_end_of_the_target(self):
        """It ends while it is watched: nothing stays for it either."""
        target = self.held_workload(GLIBC, "heap", "--turns", "1000")
        sooth, held = self.attached(target.pid, "--count")
        self.let_go(target)
        self.report_of(sooth)
        self.assert_gone(held)

    def test_before_a_launched_command_runs(self):
        """Whatever moment it dies in: neither a held child nor a definition stays."""
        for delay_ms in (5, 20, 40, 60, 80, 120):
            sooth = self.start_sooth("heap", "--count", "--", "/bin/sleep", "0.5")
            time.sleep(delay_ms / 1000)
            children = harness.read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split()
            self.kill(sooth)
            harness.wait_until(lambda: not definitions_of(sooth.pid), "definitions to be gone",
                               timeout=GONE_WITHIN_S)
            for child in children:
                harness.wait_until(lambda pid=int(child): harness.process_state(pid) in
                                   (None, "Z"), "child %s to end" % child)


if __name__ == "__main__":
    harness.main()
