# SPDX-License-Identifier: BSD-2-Clause
"""
Waits of threads with their stacks: `sooth profile --off-cpu`, on programs whose waits are known by
construction. Times have a lower bound only where a busy machine makes them longer.
"""
import os
import signal
import sys
import time

import harness
from harness import Case, as_nobody, needs_bpf, needs_root

# Two threads share a lock, the main thread sleeps, a child answers by a pipe after a while.
PROGRAM = """
import os, sys, threading, time
lock = threading.Lock()
def holds_lock():
    while True:
        with lock: time.sleep(0.05)
        time.sleep(0.005)
def wants_lock():
    while True:
        with lock: pass
        time.sleep(0.01)
def reads_answers():
    while True: os.read(answers, 10)
answers, end = os.pipe()
parent = os.getpid()
if not os.fork():
    os.close(answers)
    while os.getppid() == parent:
        time.sleep(0.03); os.write(end, b"x")
    os._exit(0)
for function in (holds_lock, wants_lock, reads_answers):
    threading.Thread(target=function, daemon=True).start()
print("ready", flush=True)
def only_sleeps():
    while True: time.sleep(0.1)
only_sleeps()
"""


def rows(report, **wanted):
    return [row for row in report["waits_by_function"]
            if all(row[name] == value for name, value in wanted.items())]


def total(chosen, name="waited_ns"):
    return sum(row[name] for row in chosen)


@needs_bpf
class Waits(Case):
    def program(self):
        target = self.start(sys.executable, "-c", PROGRAM)
        target.wait_for_output(b"ready")
        return target

    def test_report_has_no_zeros_for_what_was_not_recorded(self):
        """A capture of waits has no samples; one of a process at rest has nothing, and says so."""
        capture = self.path("waits.sooth")
        self.sooth("profile", "--off-cpu", "--save", capture, "--", "/bin/sh", "-c", "sleep 0.1; :")
        report = self.sooth("report", "-j", capture).json()
        self.assertTrue(report["waits_by_function"])
        self.assertFalse({"profile", "pages", "functions"} & set(report))
        self.assertNotIn("0 samples", self.sooth("report", capture).text)
        target = self.start("/bin/sleep", "100")
        self.sooth("profile", "--save", capture, "-d", "0.3", str(target.pid))
        self.assertEqual(self.sooth("report", capture).text,
                         "not measured: profile: it was recorded, and saw no event of the target\n")

    def test_reasons(self):
        """By function, reason and waker; all waits of a thread together are its time."""
        target = self.program()
        report = self.sooth("profile", "--off-cpu", "-j", "-d", "2", str(target.pid)).json()
        self.assertEqual(report["loss"], [])
        for function, reason, call in (("only_sleeps", "sleep", "clock_nanosleep"),
                                       ("holds_lock", "sleep", "clock_nanosleep"),
                                       ("wants_lock", "locks", "futex"), ("reads_answers", "data", "read")):
            found = rows(report, function=function, reason=reason, call=call)
            self.assertTrue(found, (function, report["waits_by_function"]))
            self.assertGreater(total(found, "wait_count"), 4, found)
        woken = rows(report, function="wants_lock", reason="locks")[0]["waker"]
        self.assertRegex(woken, r"^python3? \(%d\)$|^python3\S* \(%d\)$" % (target.pid, target.pid))
        other = rows(report, function="reads_answers")[0]["waker"]
        self.assertNotIn("(%d)" % target.pid, other)
        # Four threads that hardly compute wait for all the time that was observed.
        self.assertEqual(report["waiting"]["threads"], 4)
        self.assertGreater(report["waiting"]["waited_ns"], 0.8 * 4 * 2 * 10**9)

    def test_capture(self):
        target, path = self.program(), self.path("w.sooth")
        live = self.sooth("profile", "--off-cpu", "-j", "-d", "1", "--save", path, str(target.pid)).json()
        later = self.sooth("profile", "--off-cpu", "-j", path).json()
        for name in ("waiting", "waits_by_function"):
            self.assertEqual(live[name], later[name])
        stacks = self.sooth("profile", "--off-cpu", "--format", "folded", path).text.splitlines()
        weight = sum(int(line.rpartition(" ")[2]) for line in stacks)
        self.assertAlmostEqual(weight / 1000, later["waiting"]["waited_ns"] / 10**6, delta=len(stacks))
        self.assertTrue(any(";wants_lock;" in line for line in stacks), stacks[:3])
        self.assertFalse(any("on_switch" in line for line in stacks), "frames of the observer")
        samples = self.sooth("profile", "-j", path).json()
        self.assertEqual(samples["profile"]["samples"], 0)

    def test_before(self):
        """What does not run at all while it is observed."""
        target = self.start("sleep", "100")
        harness.wait_until(lambda: b"sleep" in harness.read("/proc/%d/comm" % target.pid), "sleep")
        report = self.sooth("profile", "--off-cpu", "-j", "-d", "1", str(target.pid)).json()
        row, = report["waits_by_function"]
        self.assertEqual((row["function"], row["reason"], row["call"]),
                         ("[since before sooth attached]", "sleep", "clock_nanosleep"))
        self.assertEqual(report["waiting"]["open"], 1)
        self.assertGreater(row["waited_ns"], 0.5 * 10**9)

    def test_chains(self):
        """From a thread through the tool that it waits for to the child of that."""
        program = ("import queue, subprocess, threading\n"
                   "answers = queue.Queue()\n"
                   "def tool():\n"
                   "    for _ in range(3):\n"
                   "        subprocess.run(['bash', '-c', 'sleep 0.3; true'])\n"
                   "        answers.put(1)\n"
                   "threading.Thread(target=tool).start()\n"
                   "for _ in range(3): answers.get()\n")
        report = self.sooth("profile", "--off-cpu", "--chains", "-j", "--", sys.executable, "-c",
                            program).json()
        whole = [row for row in report["wait_chains"] if len(row["links"]) >= 4 and
                 "futex" in row["links"][0] and "wait4" in row["links"][1] and
                 row["links"][2].startswith("bash: child") and row["links"][3].startswith("sleep: sleep")]
        self.assertGreater(total(whole), 0.6e9, report["wait_chains"])

    def test_command(self):
        """Children are followed; short waits are counted, not recorded."""
        run = self.sooth("profile", "--off-cpu", "-j", "--min-wait", "20ms", "--", "sh", "-c",
                         "sleep 0.1; for i in 1 2 3 4 5; do sleep 0.001; done")
        report = run.json()
        self.assertTrue(rows(report, reason="child", call="wait4"), report)
        self.assertTrue(all(row["longest_ns"] >= 20 * 10**6 for row in report["waits_by_function"]))
        self.assertIn("waits were shorter than 20.0ms", str(report["limits"]))

    def test_all(self):
        """Every process: those that were there, and one that is started meanwhile."""
        target = self.program()
        sooth = self.start_sooth("profile", "--off-cpu", "-j", "-d", "4", "--min-wait", "5ms", "--all",
                                 "--save", self.path("all.sooth"))
        time.sleep(2)
        later = self.start(sys.executable, "-c", "import time\ndef comes_later(): time.sleep(0.05)\n"
                           "while True: comes_later()")
        sooth.wait_for_output(b"waits_by_function")
        report = harness.parse_json(sooth.finish().text)
        self.assertTrue(rows(report, function="only_sleeps", reason="sleep"), report["waits_by_function"][:5])
        self.assertTrue(rows(report, function="comes_later", reason="sleep"))
        self.assertTrue(all(row["longest_ns"] >= 5 * 10**6 for row in report["waits_by_function"]))
        self.assertTrue(later.is_running() and target.is_running())

    def test_killed(self):
        """The target goes on, and nothing stays attached."""
        target = self.program()
        sooth = self.start_sooth("profile", "--off-cpu", "-d", "60", str(target.pid))
        time.sleep(1)
        os.kill(sooth.pid, signal.SIGKILL)
        sooth.finish()
        before = harness.read("/proc/%d/task/%d/schedstat" % (target.pid, target.pid))
        harness.wait_until(lambda: harness.read(
            "/proc/%d/task/%d/schedstat" % (target.pid, target.pid)) != before, "the target to run")
        self.sooth("profile", "--off-cpu", "-d", "0.1", str(target.pid))

    def test_wrong(self):
        for words, text in ((("--off-cpu", "--heat", "1"), "cannot take --off-cpu with --heat"),
                            (("--min-wait", "1ms", "1"), "cannot take --min-wait without --off-cpu")):
            run = self.sooth("profile", *words, status=None)
            self.assertNotEqual(run.status, 0)
            self.assertIn(text, run.errors)


@needs_root
class Unprivileged(Case):
    def test_refused(self):
        """Never samples of CPU time in the place of waits."""
        sooth = self.copy_for_all(harness.SOOTH)
        run = self.run_program(sooth, "profile", "--off-cpu", "-d", "1", "--", "sleep", "1", status=3,
                               **as_nobody())
        self.assertIn("cap_bpf", run.errors)
        self.assertNotIn("waits", run.text)


if __name__ == "__main__":
    harness.main()
