# SPDX-License-Identifier: BSD-2-Clause
"""
In a PID namespace, as in a container: the same exact results as on the host, ids of the namespace, and
nothing of a process outside of it. Tests of single probes are run once more in there.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import harness
from harness import Case, needs_bpf, needs_root, wait_until

INSIDE = ("unshare", "-pf", "--kill-child", "--mount-proc")
PYTHON = os.path.realpath(sys.executable)
# Exact counts, times and functions of the probes.
SAME = {
    "test_counts.py": ("Counts.test_launched", "Counts.test_stream_attached"),
    "test_heap_truth.py": ("Attached.test_order",),
    "test_heap_preload.py": ("Launched.test_counts",),
    "test_profile.py": ("Profile.test_attached",),
    "test_profile_waits.py": ("Waits.test_chains",),
    "test_sched.py": ("Records.test_records",),
    "test_exit_reasons.py": ("Watched.test_the_sender_is_named",),
}
CALLS = """
import os, time
print("ready", flush=True)
while True:
    os.getppid()
    time.sleep(0.002)
"""
# Sets a filter that kills at the system call of this number, and becomes the command of its arguments.
FILTER_OF = """
import ctypes, os, struct, sys
code = ctypes.create_string_buffer(struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, %d, 6, 0, 0, 0x80000000,
                                               6, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 4, ctypes.addressof(code)))
call = ctypes.CDLL(None, use_errno=True).prctl
if call(38, 1, 0, 0, 0) or call(22, 2, program, 0, 0):
    raise OSError(ctypes.get_errno(), "prctl")
os.execvp(sys.argv[1], sys.argv[1:])
"""
FILTER = FILTER_OF % 0xffff  # none
SLEEPS = "import time; print('ready', flush=True); time.sleep(3500)"


def nested_of(pid):
    """The ids of a process, from the host's namespace to its own."""
    status = harness.read("/proc/%d/status" % pid).decode()
    return [int(number) for number in re.search(r"NSpid:(.*)", status).group(1).split()]


@needs_bpf
class Containers(Case):
    def setUp(self):
        super().setUp()
        if subprocess.run([*INSIDE, "true"], capture_output=True).returncode:
            self.skipTest("no pid namespace can be made here")

    def first_child(self, pid):
        path = "/proc/%d/task/%d/children" % (pid, pid)
        wait_until(lambda: harness.read(path).split(), "its child")
        return int(harness.read(path).split()[0])

    def container(self):
        """A namespace with one process; returns what enters it."""
        process = self.start(*INSIDE, PYTHON, "-c", SLEEPS)
        process.wait_for_output(b"ready")
        first = self.first_child(process.pid)
        return "nsenter", "-t", str(first), "-p", "-m"

    def target(self, enter, code):
        """A program in the namespace; returns its ids outside and inside."""
        process = self.start(*enter, PYTHON, "-c", code)
        process.wait_for_output(b"ready")
        outer = self.first_child(process.pid)
        return outer, nested_of(outer)[1]

    def test_the_same_results(self):
        tests = os.path.dirname(os.path.abspath(__file__))
        running = {name: self.start(*INSIDE, PYTHON, os.path.join(tests, name), *cases)
                   for name, cases in SAME.items()}
        for name, process in running.items():
            run = process.finish()
            self.assertEqual(run.status, 0, "%s\n%s" % (name, run))
            self.assertIn("Ran %d test" % len(SAME[name]), run.errors)
            self.assertNotIn("skipped", run.errors)

    def test_why_and_diagnose(self):
        enter = self.container()
        _, sleeper = self.target(enter, SLEEPS)
        run = self.run_program(*enter, harness.SOOTH, "why", str(sleeper))
        self.assertRegex(run.text, r"\(%d\) sleeps: \d+ min left" % sleeper)
        _, spinner = self.target(enter, "print('ready', flush=True)\nwhile True: pass")
        report = self.run_program(*enter, harness.SOOTH, "diagnose", "-j", "--duration", "1",
                                  str(spinner)).json()
        found = {f["id"] for p in report["processes"] for f in p["findings"]}
        self.assertIn("cpu-spin", found)
        methods = {row["probe"]: row["method"] for row in report["sources"]}
        self.assertEqual([p for p in ("proc", "profile", "exit_reasons") if methods[p] != "bpf"], [])

    def test_nothing_from_outside(self):
        """No record has a process outside, and the report says so."""
        enter = self.container()
        outside = self.start(PYTHON, "-c", CALLS)
        outside.wait_for_output(b"ready")
        _, inner = self.target(enter, CALLS)
        lines = self.run_program(*enter, harness.SOOTH, "trace", "-j", "-d", "300ms",
                                 "--all").lines()
        pids = {line["pid"] for line in lines if line["type"] == "call"}
        self.assertIn(inner, pids)
        self.assertEqual([pid for pid in pids if not 0 < pid < outside.pid], [])
        limits = [row["what"] for row in lines[-1]["limits"]]
        self.assertIn("processes outside of this container", limits)
        samples = self.run_program(*enter, harness.SOOTH, "profile", "-j", "-d", "300ms",
                                   "--all").json()
        self.assertLessEqual({row["pid"] for row in samples.get("threads", [])}, pids)
        run = self.run_program(*enter, harness.SOOTH, "trace", "-c", "-p", str(outside.pid),
                               status=None)
        self.assertNotEqual(run.status, 0)
        self.assertIn("no process has this PID", run.errors)

    def test_no_ends_from_outside(self):
        """The kernel's log has ids of the host: none of them is taken for one of the container."""
        capture = self.path("ends.sooth")
        crashed = self.start(PYTHON, "-c", "import ctypes; ctypes.string_at(0)")
        wait_until(lambda: not crashed.is_running(), "the crash")
        self.run_program(*self.container(), harness.SOOTH, "record", "-P", "exit_reasons", "-d", "100ms", "-o", capture, "-a")
        rows = self.sooth("query", "-j", capture, "SELECT count(*) AS n FROM ends_log").json()
        self.assertEqual([row["n"] for row in rows["rows"]], [0])

    def test_nested(self):
        """A child in a namespace of its own has an id in sooth's; its own id is another process's."""
        run = self.run_program(*INSIDE, harness.SOOTH, "trace", "-j", "-o", self.path("calls"), "--",
                               *INSIDE, PYTHON, "-c", "import os; os.getpgid(0)")
        lines = [json.loads(line) for line in harness.read(self.path("calls")).splitlines()]
        calls = [line for line in lines if line["type"] == "call" and line["name"] == "getpgid"]
        self.assertEqual(len(calls), 1, run)
        joined = {line["pid"] for line in lines if line["type"] == "process"}
        self.assertGreater(calls[0]["pid"], 1)
        self.assertIn(calls[0]["pid"], joined or {calls[0]["pid"]})

    def test_killed_from_outside(self):
        """Neither name nor id of the sender is shown."""
        enter, capture = self.container(), self.path("ends.sooth")
        outer, inner = self.target(enter, SLEEPS)
        watcher = self.start(*enter, harness.SOOTH, "diagnose", "-j", "--duration", "600", "--save",
                             capture, str(inner))
        wait_until(lambda: os.path.exists(capture) or not watcher.is_running(), "the watcher")
        os.kill(outer, 9)
        wait_until(lambda: harness.process_state(outer) in (None, "Z"), "its end")
        os.kill(self.first_child(watcher.pid), signal.SIGINT)
        run = watcher.finish()
        self.assertEqual(run.status, 0, run)
        found = [f for p in run.json()["processes"] for f in p["findings"]
                 if f["id"] == "ended-abnormally"]
        self.assertEqual([f["claim"] for f in found],
                         ["killed by SIGKILL from a process outside of this container"], run)

    def test_procfs_of_another_namespace(self):
        for command in (["ps"], ["trace", "-c", "--", "true"]):
            run = self.run_program("unshare", "-pf", harness.SOOTH, *command, status=3)
            self.assert_says_three_lines(run, "another pid namespace", "mount -t proc proc /proc")

    def test_user_namespace(self):
        """Its capabilities are none for BPF; what needs none works."""
        command = ("unshare", "-Urpf", "--kill-child", "--mount-proc")
        if subprocess.run([*command, "true"], capture_output=True).returncode:
            self.skipTest("no user namespace can be made here")
        run = self.run_program(*command, harness.SOOTH, "trace", "-c", "--", "true", status=3)
        self.assert_says_three_lines(run, "user namespace", "--cap-add BPF,PERFMON")
        doctor = self.run_program(*command, harness.SOOTH, "doctor", "-j").json()
        facts = {row["name"]: row["text"] for row in doctor["facts"]}
        self.assertEqual(list(facts)[0], "works here")
        self.assertIn("--cap-add", facts["to enable"])
        usable = {row["probe"] for row in doctor["methods"] if row["is_usable"]}
        self.assertLessEqual({"proc", "heap", "waits", "stacks"}, usable)
        run = self.run_program(*command, harness.SOOTH, "profile", "-j", "--", harness.WORKLOADS,
                               "spin", "--seconds", "0.5")
        self.assertNotEqual(json.loads(run.text[run.text.index("{"):])["functions"], [])


class Filtered(Case):
    """A seccomp filter around sooth, as in each container: it allows every call."""

    def test_allocations(self):
        name = os.path.join(os.path.dirname(os.path.abspath(__file__)), "test_heap_preload.py")
        run = self.run_program(PYTHON, "-c", FILTER, PYTHON, name, "Launched.test_counts")
        self.assertIn("Ran 1 test", run.errors)
        self.assertNotIn("skipped", run.errors)

    @needs_bpf
    def test_one_that_kills(self):
        """sooth finds out without harm to itself, or to who started it."""
        run = self.run_program(PYTHON, "-c", FILTER_OF % harness.NR_BPF, harness.SOOTH, "trace", "-c", "--",
                               "true", status=3)
        self.assert_says_three_lines(run, "a seccomp filter", "--security-opt seccomp=unconfined")

    def test_one_filter_more(self):
        """sooth does not have it, so the library makes no call."""
        run = self.run_program(PYTHON, "-c", FILTER, harness.SOOTH, "heap", "--engine", "preload", "-j",
                               "--", PYTHON, "-c", FILTER, harness.WORKLOADS, "heap")
        report = json.loads(run.text[run.text.index("{"):])
        reasons = [row["reason"] for row in report["limits"]]
        self.assertTrue(any("seccomp filter" in reason for reason in reasons), reasons)
        self.assertNotIn("workloads", [row["name"] for row in report["heap_processes"]])


class Selected(Case):
    """Processes of a container by the process that an engine leaves beside it."""
    IDS = tuple(digit * 64 for digit in "abc")
    SERVES = "sleep 1000 & echo ready $!; wait"

    def monitor(self, number, name, **options):
        """A program called conmon that runs a container; returns the pid of its only process."""
        program, script = self.path("conmon"), self.path("serve")
        if not os.path.exists(program):
            shutil.copy("/bin/sh", program)
            self.open_to_all()
            with open(script, "w") as file:
                file.write(self.SERVES)
        process = self.start(program, script, "-c", self.IDS[number], "-n", name, **options)
        process.wait_for_output(b"\n")
        inner = int(process.out.split()[1])
        self.addCleanup(os.kill, inner, signal.SIGKILL)
        return inner

    def pids_of(self, *words, **options):
        run = self.sooth("ps", "-a", "-j", "--container", *words, **options)
        return [row["pid"] for row in run.json()["processes"]] if not run.status else run

    def test_by_its_monitor(self):
        first, second = self.monitor(0, "web"), self.monitor(1, "db")
        for word, pid in ((self.IDS[0], first), ("aaaa", first), ("web", first), ("bbbbbb", second)):
            self.assertEqual(self.pids_of(word), [pid])
        run = self.pids_of("aaa", status=4)
        self.assert_says_three_lines(run, "no process here belongs to a container")
        self.monitor(2, "web")
        self.assert_says_three_lines(self.pids_of("web", status=2), "both match")

    @needs_root
    def test_a_monitor_that_lies(self):
        self.monitor(0, "web")
        self.monitor(0, "web", **harness.as_nobody())
        run = self.pids_of("aaaa", status=2)
        self.assert_says_three_lines(run, "several users say that they run it")


if __name__ == "__main__":
    harness.main()
