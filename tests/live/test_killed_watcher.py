# SPDX-License-Identifier: BSD-2-Clause
"""
SIGKILL of sooth while it traces: the target runs on at its old speed, and soon nothing of it is left
in the kernel. What it holds there is learnt from its own descriptors, so that
another sooth on this host neither hides nor fakes a leftover.
"""
import os
import signal
import time

import harness
from harness import Case, needs_bpf


class Caller(harness.CountingChild):
    """Makes system calls."""

    CALLS = 200

    def work(self):
        getppid = os.getppid
        for _ in range(self.CALLS):
            getppid()
        return self.CALLS


@needs_bpf
class KilledWatcher(Case):
    def kill_in_mid_trace(self, *options):
        target = Caller(self)
        before = target.per_second()
        sooth = self.start_attached("trace", *options, "-p", str(target.pid))
        held = harness.held_by(sooth.pid)
        kinds = {kind for kind, _ in held}
        self.assertEqual(kinds, {"prog", "map", "link"}, held)
        self.assertEqual(harness.still_in_kernel(held), held)
        time.sleep(0.3)
        sooth.send(signal.SIGKILL)
        self.assertEqual(sooth.finish().status, -signal.SIGKILL)
        harness.wait_until(lambda: not harness.still_in_kernel(held),
                           "the kernel to let go of %s" % held)
        # Asleep or stopped would be the worst outcome of all.
        self.assertIn(harness.process_state(target.pid), ("R", "D"))
        target.wait_until_as_fast(before)

    def test_counting(self):
        self.kill_in_mid_trace("-c", "-o", self.path("out"))
        self.assertFalse(os.path.exists(self.path("out")), "half a report under its name")

    def test_streaming(self):
        self.kill_in_mid_trace("-o", self.path("out"))

    def test_streaming_into_a_capture(self):
        self.kill_in_mid_trace("-o", self.path("out"), "--save", self.path("capture"))
        # The capture is cut in the middle of things: a prefix all the same.
        run = self.sooth("report", self.path("capture"))
        self.assertIn("cut", run.text)
        # A stream can be followed while it grows, so what there is of it has its name.
        self.assertTrue(os.path.exists(self.path("out")))

    def test_before_a_launched_command_runs(self):
        """Whatever moment it dies in: a held child never stays behind."""
        for delay_ms in (5, 20, 40, 60, 80, 120):
            mark = self.path("mark%d" % delay_ms)
            sooth = self.start_sooth("trace", "-c", "--", "/bin/sh", "-c", "echo $$ >%s" % mark)
            time.sleep(delay_ms / 1000)
            children = harness.read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split()
            held = harness.held_by(sooth.pid)
            sooth.send(signal.SIGKILL)
            sooth.finish()
            for child in children:
                harness.wait_until(lambda pid=int(child): harness.process_state(pid) in
                                   (None, "Z"), "child %s to end" % child)
            harness.wait_until(lambda: not harness.still_in_kernel(held), "the kernel to let go")

    def test_nothing_stays_after_an_ordinary_end(self):
        target = self.workload("sleep", "--seconds", "100", hold=False)
        sooth = self.start_attached("trace", "-c", "-p", str(target.pid))
        held = harness.held_by(sooth.pid)
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)
        harness.wait_until(lambda: not harness.still_in_kernel(held), "the kernel to let go")
        self.assertTrue(target.is_running())


if __name__ == "__main__":
    harness.main()
