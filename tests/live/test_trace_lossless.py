# SPDX-License-Identifier: BSD-2-Clause
"""
sooth trace --lossless: a target that makes calls faster than they are taken waits at the call that
finds no room, and nothing is lost. It goes on whatever becomes of its watcher. Who cannot be traced
is refused at once, and nobody is touched.
"""
import os
import signal
import time

import harness
from harness import Case, lost, needs_bpf, read_truth, stream_counts
from slow_reader import SlowReader, threads_in_state

SMALL_RING = "1M"
SLOW_S = 0.003          # for each piece that the slow reader takes


@needs_bpf
class Lossless(Case):
    def start_slow(self, *options, attached=True, storm=("--seconds", "2")):
        """(workload or None, sooth, reader): all wait for "go"."""
        fifo, truth = self.path("fifo"), self.path("truth")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        reader = SlowReader(fifo, SLOW_S)
        self.addCleanup(reader.leave)
        options = ("trace", "-j", "-e", "getppid", *options, "-o", fifo)
        if attached:
            target = self.workload("storm", *storm, truth=truth)
            sooth = self.start_sooth(*options, "-p", str(target.pid))
            if "--lossless" in options:
                self.wait_until_traced(sooth)
            else:
                self.wait_until_attached(sooth)
            return target, sooth, reader
        sooth = self.start_sooth(*options, "--", harness.WORKLOADS, "storm", *storm, "--hold",
                                 "--truth", truth)
        sooth.wait_for_output(b"ready\n")
        return None, sooth, reader

    @staticmethod
    def child_of(sooth):
        children = harness.read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split()
        return next(int(child) for child in children if harness.read(
            "/proc/%s/comm" % child.decode()) == b"workloads\n")

    @staticmethod
    def switches_of(pid):
        """How often its threads have waited; None: one has just ended."""
        tasks = "/proc/%d/task" % pid
        try:
            return [harness.read("%s/%s/status" % (tasks, tid)).split(b"ctxt_switches")[1]
                    for tid in os.listdir(tasks)]
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return None

    def wait_until_held(self, pid):
        """A thread stops at each call, but is held only when it goes on from none. The main thread
        waits for the others."""
        def is_held():
            before = self.switches_of(pid)
            time.sleep(0.1)
            return threads_in_state(pid, "tS") and not threads_in_state(pid, "S") and \
                before is not None and self.switches_of(pid) == before
        harness.wait_until(is_held, "it to be held")

    def storm(self, *options, **how):
        """(calls made, the lines) of a storm whose reader takes a pause, until that shows."""
        target, sooth, reader = self.start_slow(*options, **how)
        reader.go_on.clear()
        (target or sooth).say(b"go\n")
        if "--lossless" in options:
            self.wait_until_held(target.pid if target else self.child_of(sooth))
        else:
            self.assertEqual(target.finish().status, 0)
        reader.go_on.set()
        if target:
            self.assertEqual(target.finish().status, 0)
        self.assertEqual(sooth.finish(200).status, 0)
        reader.end()
        made = read_truth(self.path("truth"))[0]["getppid"][0]
        return made, [harness.json.loads(line) for line in bytes(reader.data).splitlines()]

    def check(self, made, lines):
        """Nothing vanished untold; returns (lost, holds)."""
        received = stream_counts(lines).get("getppid", (0, 0))[0]
        holds = [line for line in lines if line["type"] == "pauses"]
        missing = lost(lines[-1])
        # Of calls that move a descriptor the workload makes a few; they may be lost as well.
        self.assertLessEqual(received, made)
        self.assertLessEqual(made, received + missing)
        self.assertLess(received + missing, made + 20)
        return missing, holds

    def test_a_slow_reader_loses_without_it(self):
        made, lines = self.storm("--buffer", SMALL_RING)
        missing, holds = self.check(made, lines)
        self.assertGreater(missing, 0, "%d calls fitted the ring" % made)
        self.assertEqual(holds, [])

    def test_nothing_is_lost(self):
        for attached in (True, False):
            with self.subTest(attached=attached):
                made, lines = self.storm("--lossless", "--buffer", SMALL_RING, attached=attached)
                missing, holds = self.check(made, lines)
                self.assertEqual(missing, 0)
                self.assertEqual(stream_counts(lines)["getppid"][0], made)
                self.assertEqual(len(holds), 1, lines[-1])
                self.assertGreater(holds[0]["count"], 0)
                self.assertGreater(holds[0]["paused_ns"], 0)
                self.assertEqual((holds[0]["refused"], holds[0]["late"]), (0, 0))

    def test_from_a_capture_it_is_the_same(self):
        capture = self.path("storm.sooth")
        _, lines = self.storm("--lossless", "--buffer", SMALL_RING, "--save", capture)
        again = self.sooth("trace", "-j", "-e", "getppid", capture).lines()
        self.assertEqual([line for line in lines if line["type"] == "pauses"],
                         [line for line in again if line["type"] == "pauses"])
        self.assertEqual(stream_counts(lines), stream_counts(again))
        text = self.sooth("trace", "-c", capture).text
        self.assertRegex(text, r"pauses: \d+, \S+ in total")

    # --- while it is held ---

    def hold(self):
        target, sooth, reader = self.start_slow("--lossless", "--buffer", SMALL_RING,
                                                storm=("--seconds", "2", "--threads", "2"))
        reader.go_on.clear()
        target.say(b"go\n")
        self.wait_until_held(target.pid)
        return target, sooth, reader

    def test_killed_while_it_holds(self):
        """The kernel lets the threads go with their tracer: never stopped for good."""
        for turn in range(3):
            target, sooth, reader = self.hold()
            time.sleep(0.05 * turn)
            sooth.send(signal.SIGKILL)
            sooth.child.wait(harness.PATIENCE_S)
            self.assertEqual(target.finish().status, 0)
            self.assertGreater(read_truth(self.path("truth"))[0]["getppid"][0], 0)
            os.unlink(self.path("truth"))
            reader.leave()

    def test_stopped_while_it_holds(self):
        """Ctrl-Z must not stop the target: it goes on after about a second, and sooth stays stopped."""
        target, sooth, reader = self.hold()
        sooth.send(signal.SIGSTOP)
        harness.wait_until(lambda: not threads_in_state(target.pid, "t"), "it to be let go")
        self.assertEqual(target.finish().status, 0)
        harness.wait_until(lambda: harness.process_state(sooth.pid) == "T", "sooth to be stopped again")
        reader.go_on.set()
        sooth.send(signal.SIGCONT)
        self.assertEqual(sooth.finish(200).status, 0)
        reader.end()
        made = read_truth(self.path("truth"))[0]["getppid"][0]
        missing, _ = self.check(made, [harness.json.loads(line) for line in bytes(reader.data).splitlines()])
        self.assertGreater(missing, 0, "nothing was paused meanwhile, so the ring was too small")

    def test_interrupted_while_it_holds(self):
        target, sooth, reader = self.hold()
        sooth.send(signal.SIGINT)
        time.sleep(0.2)
        reader.go_on.set()
        self.assertEqual(sooth.child.wait(harness.PATIENCE_S), 0)
        self.assertEqual(target.finish().status, 0)
        reader.end()

    def test_a_reader_that_goes_away(self):
        target, sooth, reader = self.hold()
        reader.leave()
        self.assertEqual(target.finish().status, 0)
        sooth.finish()

    # --- output that is not read ---

    def check_released(self, target, sooth, reader):
        """The target ends though the reader takes nothing; afterwards sooth says what it lost."""
        self.assertEqual(target.finish().status, 0)
        self.assertTrue(sooth.is_running())
        reader.go_on.set()
        self.assertEqual(sooth.finish(200).status, 0)
        reader.end()
        made = read_truth(self.path("truth"))[0]["getppid"][0]
        missing, _ = self.check(made, [harness.json.loads(line) for line in bytes(reader.data).splitlines()])
        self.assertGreater(missing, 0)

    def test_a_reader_that_takes_nothing(self):
        """It might be the target itself: that waits for some seconds only."""
        self.check_released(*self.hold())

    def test_interrupted_while_nothing_is_read(self):
        """The first request to end lets the target go, though sooth cannot end before it has written."""
        for number in (signal.SIGINT, signal.SIGTERM):
            target, sooth, reader = self.hold()
            sooth.send(number)
            since = time.monotonic()
            harness.wait_until(lambda: not threads_in_state(target.pid, "t"), "it to be let go")
            self.assertLess(time.monotonic() - since, 5)
            self.check_released(target, sooth, reader)
            os.unlink(self.path("truth"))


@needs_bpf
class Refused(Case):
    def refuse(self, *options, why):
        run = self.sooth("trace", "--lossless", *options, status=None)
        text = run.err.decode()
        self.assertNotEqual(run.status, 0, run)
        self.assertIn(why, text)
        self.assertEqual(len([l for l in text.splitlines() if "longer while" not in l]), 3, text)

    def test_somebody_elses_tracee(self):
        if not harness.have("strace"):
            self.skipTest("no strace here")
        target = self.workload("storm", "--seconds", "0.1")
        self.start(harness.have("strace"), "-f", "-o", "/dev/null", "-p", str(target.pid))
        harness.wait_until(lambda: b"TracerPid:\t0\n" not in harness.read(
            "/proc/%d/status" % target.pid), "strace to attach")
        self.refuse("-p", str(target.pid), why="traces this process already")

    def test_whoever_started_it(self):
        self.refuse("-p", str(os.getpid()), why="this process started sooth")

    def test_everybody(self):
        self.refuse("--all", why="both would wait forever")
        self.refuse("--user", "0", why="stops each process at each call")

    def test_counts(self):
        self.refuse("-c", "--", "true", why="never lost")

    def test_without_privilege(self):
        """Nothing is refused: it is by ptrace, which needs none for one's own processes."""
        run = self.run_program(self.copy_for_all(harness.SOOTH), "trace", "--lossless", "-j", "-o", self.path("out"),
                               "--", "/bin/true", **harness.as_nobody())
        lines = [harness.json.loads(line) for line in harness.read(self.path("out")).splitlines()]
        self.assertEqual(run.err, b"")
        self.assertEqual(stream_counts(lines)["execve"], (1, 0))
        self.assertEqual(lines[-1]["sources"][0]["method"], "ptrace")

    # --- the reader of sooth's output ---

    def test_whoever_reads_the_output(self):
        reader = self.start("/bin/cat")
        with open(self.path("errors"), "wb") as errors:
            status = harness.subprocess.run([harness.SOOTH, "trace", "--lossless", "-p", str(reader.pid)],
                                            stdout=reader.child.stdin, stderr=errors, timeout=harness.PATIENCE_S).returncode
        self.assertNotEqual(status, 0)
        self.assertIn(b"reads the output of sooth: both would", harness.read(self.path("errors")))


if __name__ == "__main__":
    harness.main()
