# SPDX-License-Identifier: BSD-2-Clause
"""
SIGKILL of `sooth profile`, `sooth stack` and `sooth diagnose` at any moment: nothing stays attached. What
sooth holds is read from its own descriptors while it is stopped, so that nothing is missed between the
look and the signal, and other users of BPF neither hide nor fake a leftover.

SOOTH_TEST_KILLS: how often each is killed (5; the long tests: 100).
"""
import os
import random
import re
import signal
import time

import harness
from harness import Case, needs_bpf, wait_until
from heap_case import definitions_of

KILLS = int(os.environ.get("SOOTH_TEST_KILLS", "5"))
TRIES = 20  # to meet a moment
PROGRAM = os.path.join(os.path.dirname(harness.WORKLOADS), "profile-tables")


def perf_events(pid):
    """Of a process, by its descriptors."""
    folder = "/proc/%d/fd" % pid
    return sum(os.readlink(os.path.join(folder, name)) == "anon_inode:[perf_event]" for name in os.listdir(folder))


def children(pid):
    return {int(word) for tid in os.listdir("/proc/%d/task" % pid)
            for word in harness.read("/proc/%d/task/%s/children" % (pid, tid)).split()}


def tracer_of(pid):
    return int(re.search(rb"^TracerPid:\s+(\d+)", harness.read("/proc/%d/status" % pid), re.M)[1])


@needs_bpf
class Killed(Case):
    def setUp(self):
        super().setUp()
        self.target = self.start(PROGRAM, "threads", "100000")
        wait_until(lambda: len(os.listdir("/proc/%d/task" % self.target.pid)) == 3, "its threads")
        # The order of moments is that of a seed, which a failure shows.
        self.seed = int(time.time())
        self.random = random.Random(self.seed)

    def kill(self, sooth):
        """Returns the BPF objects that it held, its perf events and its children."""
        nothing = (set(), 0, set())
        if sooth.is_running():
            sooth.send(signal.SIGSTOP)
            wait_until(lambda: harness.process_state(sooth.pid) in ("T", "Z"), "sooth to stop")
        if harness.process_state(sooth.pid) != "T":
            sooth.finish()
            return nothing
        held = harness.held_by(sooth.pid), perf_events(sooth.pid), children(sooth.pid)
        sooth.send(signal.SIGKILL)
        self.assertEqual(sooth.finish().status, -signal.SIGKILL)
        return held

    def start_on_target(self, words):
        return self.start_sooth(*words, str(self.target.pid))

    def killed_when_attached(self, words, kinds):
        """As soon as it holds objects of all these kinds. Returns also how long that took."""
        for _ in range(TRIES):
            began, sooth = time.monotonic(), self.start_on_target(words)
            while sooth.is_running() and not kinds <= {kind for kind, _ in harness.held_by(sooth.pid)}:
                pass
            took = time.monotonic() - began
            found = self.kill(sooth)
            if kinds <= {kind for kind, _ in found[0]}:
                return took, sooth.pid, found
        raise AssertionError("it never held %s" % kinds)

    def check(self, *words, kinds):
        """Killed when it is attached, and at moments before and after that."""
        took, pid, (held, events, helpers) = self.killed_when_attached(words, kinds)
        pids = [pid]
        for turn in range(KILLS):
            sooth = self.start_on_target(words)
            # One in each part of its life, so that few kills meet all of it.
            time.sleep(2 * took * (turn + self.random.random()) / KILLS)
            more, now, started = self.kill(sooth)
            held, events, helpers = held | more, max(events, now), helpers | started
            pids.append(sooth.pid)
        what = "seed %d" % self.seed
        wait_until(lambda: not harness.still_in_kernel(held), lambda: "%s: the kernel to let go of %s" % (
            what, harness.still_in_kernel(held)))
        wait_until(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in helpers), "its children to end")
        self.assertEqual([line for pid in pids for line in definitions_of(pid)], [], what)
        self.assertTrue(self.target.is_running(), what)
        self.assertEqual(tracer_of(self.target.pid), 0)
        self.assertFalse(harness.states_of(self.target.pid) & {"T", "t", "Z"}, what)
        return events

    def test_profile(self):
        """The clocks too: a perf event of each CPU."""
        events = self.check("profile", kinds={"prog", "map", "link"})
        self.assertGreaterEqual(events, 1)

    def test_stack(self):
        self.check("stack", kinds={"prog", "map"})

    def test_diagnose(self):
        self.check("diagnose", "--duration", "3", kinds={"prog", "map", "link"})

    def test_the_check_sees_what_stays(self):
        """A map of our own, which stays as long as its descriptor is open."""
        attributes = b"".join(harness.u32(word) for word in (2, 4, 8, 1))  # an array of one word
        number, _ = harness.bpf(0, attributes)
        held = harness.held_by(os.getpid())
        self.assertTrue(harness.still_in_kernel(held))
        os.close(number)
        wait_until(lambda: not harness.still_in_kernel(held), "the map to go")


if __name__ == "__main__":
    harness.main()
