# SPDX-License-Identifier: BSD-2-Clause
"""
A process whose main thread has ended while others run: its memory, mappings and descriptors are
those of the living threads.
"""
import os
import re
import signal
import subprocess
import sys

import harness
from harness import Case, needs_root, wait_until

PYTHON = os.path.realpath(sys.executable)
PROGRAM = """
import ctypes, sys, threading, time
def spin():
    while True: pass
def rest():
    time.sleep(3500)
threading.stack_size(1 << 16)
for _ in range(int(sys.argv[2])):
    threading.Thread(target=rest).start()
threading.Thread(target=globals()[sys.argv[1]]).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall(60, 0)  # exit(2): of this thread only
"""

# The second on a host that leaves it nothing.
RUNS = re.compile(r" in thread .* (runs: |could run)")


def state_of(pid):
    return harness.read("/proc/%d/stat" % pid).decode().rsplit(")", 1)[1].split()[0]


@needs_root
class MainThread(Case):
    def setUp(self):
        super().setUp()
        ends = os.pipe()
        self.reader = subprocess.Popen(["cat"], stdin=ends[0], stdout=subprocess.DEVNULL)
        self.addCleanup(self.end, self.reader)
        self.spins = self.begin("spin", pass_fds=[ends[1]])
        for end in ends:
            os.close(end)

    def begin(self, work, resting=0, **options):
        process = subprocess.Popen([PYTHON, "-c", PROGRAM, work, str(resting)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, **options)
        self.addCleanup(self.end, process)
        process.stdout.readline()
        wait_until(lambda: state_of(process.pid) == "Z", "the main thread to end")
        return process

    @staticmethod
    def end(child):
        child.send_signal(signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()

    def test_it_runs(self):
        pid = self.spins.pid
        text = self.sooth("why", str(pid)).text
        self.assertRegex(text, RUNS)
        row = self.sooth("ps", "-a", "-j", "-p", str(pid)).json()["processes"][0]
        self.assertIn(row["state"], ("R", "S"), row)
        report = self.sooth("inspect", "--fds", "-j", str(pid)).json()
        self.assertIn("pipe", {row["kind"] for row in report["fds"]})
        self.assertFalse([limit for limit in report["limits"] if "private" in limit["what"]])

    def test_its_memory(self):
        pid = self.spins.pid
        self.assertIn("spin", self.sooth("profile", "-d", "500ms", "-p", str(pid)).text)
        run = self.sooth("heap", "-d", "200ms", "-p", str(pid))
        self.assertNotIn("not waited for", run.errors)
        rests = self.begin("rest").pid
        self.assertRegex(self.sooth("why", str(rests)).text, r"sleeps: 5\d min left")
        self.assertRegex(self.sooth("stack", "-p", str(rests)).text, r"time_sleep|clone")

    def test_the_last_of_many_threads(self):
        """More than are read: what was left out is said, and the one that runs is not."""
        pid = self.begin("spin", 1100).pid
        self.assertIn("what all 1102 threads of process", self.sooth("why", str(pid)).text)
        # At first all threads want the lock of the interpreter.
        seen = []

        def runs():
            seen.append(self.sooth("why", str(pid)).text)
            return RUNS.search(seen[-1])
        wait_until(runs, lambda: "one thread to run: %s" % seen[-1])

    def test_it_holds_a_pipe(self):
        text = self.sooth("why", str(self.reader.pid)).text
        self.assertIn("(%d)" % self.spins.pid, text)

    def test_all_threads_have_ended(self):
        """The twin: it is a zombie."""
        pid = self.spins.pid
        self.spins.send_signal(signal.SIGKILL)
        wait_until(lambda: len(os.listdir("/proc/%d/task" % pid)) == 1, "its threads to end")
        self.assertIn("has ended", self.sooth("why", str(pid)).text)


if __name__ == "__main__":
    harness.main()
