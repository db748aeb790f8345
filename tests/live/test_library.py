# SPDX-License-Identifier: BSD-2-Clause
"""
System calls, profiles and details of a process through the library, by its examples and its module:
they are those of the command, and of a workload that knows its own.
"""
import collections
import concurrent.futures
import errno
import json
import os
import shutil
import subprocess
import sys
import unittest

import harness
from harness import Case, needs_bpf, read_truth
from test_python_module import MODULE, PYTHON

TRACES = os.environ.get("EXAMPLE_TRACES", "")
HOT_FUNCTIONS = os.environ.get("EXAMPLE_HOT_FUNCTIONS", "")
OPEN_FILES = os.environ.get("EXAMPLE_OPEN_FILES", "")
SPAWN = os.environ.get("EXAMPLE_SPAWN", "")
LIBRARY_USAGE = os.environ.get("EXAMPLE_LIBRARY_USAGE", "")
LIST_AGENTS = os.environ.get("EXAMPLE_LIST_AGENTS", "")
REPORT_AGENTS = os.environ.get("EXAMPLE_AGENTS", "")
FINDINGS = os.environ.get("EXAMPLE_FINDINGS", "")
WHAT_IS_WRONG = os.environ.get("EXAMPLE_WHAT_IS_WRONG", "")
EVENT_LOOP = os.environ.get("EXAMPLE_EVENT_LOOP", "")
SHAPE = ("syscalls", "--threads", "3", "--forks", "2", "--exec", "1", "--count", "200", "--slow-ms", "1", "--seed", "4")
SPIN = """
import time
def outer():
    inner()
def inner():
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        pass
print("ready", flush=True)
while True:
    outer()
"""
PHASES = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for name, size in (("load", 1000001), ("work", 2000002), ("end", 3)):
    print(name, flush=True)
    sys.stdin.readline()
    libc.malloc(size)
sys.exit(3)
"""
TRACK = """
import json, sys, sooth
with sooth.trace.track(int(sys.argv[1]), plain=True) as trace:
    print("tracing", flush=True)
    events = [(e.call, e.error, e.pid, e.exit_status) for e in trace]
    print(json.dumps([events, trace.stats()._asdict()]))
"""
CALLS = """
import ctypes, sys
libc = ctypes.CDLL(None)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        libc.getppid()
    print("done", flush=True)
"""
TRACK_SEVERAL = """
import collections, json, sys, sooth
with sooth.trace.track(*map(int, sys.argv[1:]), calls="getppid", plain=True) as trace:
    print("tracing", flush=True)
    print(json.dumps(collections.Counter(e.pid for e in trace if e.call == "getppid")))
"""
# Requests come as lines.
CONTROLLED = """
import json, sys, sooth
with sooth.trace.track(int(sys.argv[1]), calls="getppid", plain=True) as trace:
    for line in sys.stdin:
        name, _, argument = line.strip().partition(" ")
        if name == "snapshot":
            print(json.dumps(trace.snapshot()), flush=True)
        else:
            getattr(trace, name)(*argument.split())
            print(name, flush=True)
    print(json.dumps([[(e.call, e.phase) for e in trace if e.call], trace.stats()._asdict()]))
"""
PROFILE_PHASES = """
import json, sys, sooth
with sooth.profile.start(int(sys.argv[1]), hz=199) as profiler:
    for phase in ("first", "second"):
        profiler.mark(phase)
        profiler.run(0.5)
        profiler.pause()
        profiler.run(0.5)
        profiler.resume()
    profiler.stop()
    print(json.dumps([(s.phase, s.time_ns) for s in profiler.samples()]))
"""
COUNT = "import json, sys, sooth; print(json.dumps(sooth.trace.count(int(sys.argv[1]), 30)))"
PROFILE = """
import json, sys, sooth
with sooth.profile.start(int(sys.argv[1]), hz=199) as profiler:
    profiler.run(1)
    profiler.stop()
    rows, samples = profiler.functions(), list(profiler.samples())
    print(json.dumps([rows, [[[f.function, f.kind] for f in s.frames] for s in samples], profiler.dropped()]))
"""
ERRORS = """
import sooth
for call in (lambda: sooth.trace.track(4194304), lambda: sooth.trace.track(1, calls="no_such_call"),
             lambda: sooth.inspect(1, "nothing"), lambda: sooth.inspect(4194304, "fds"), lambda: sooth.profile.functions(0),
             lambda: sooth.trace.track_command(["/nonexistent/command"])):
    try:
        call()
    except sooth.Error as error:
        print(error)
"""
# The child by fork() ends as Python ends, which closes what it has.
FORKED = """
import json, os, sys, sooth
pid = int(sys.argv[1])
with sooth.trace.track(pid, calls="getppid", plain=True) as trace, sooth.heap.track(pid) as heap:
    child = os.fork()
    if not child:
        try:
            trace.next(0)
        except sooth.Error as error:
            sys.exit(error.errno)
        sys.exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("forked", flush=True)
    sys.stdin.readline()
    seen = sum(e.call == "getppid" for e in iter(lambda: trace.next(1), None))
    print(json.dumps([status, seen, bool(heap.next(1))]))
"""
WRONG = """
import copy, ctypes, pickle, sooth
from sooth import heap, profile
from sooth._tracker import opened_for_pids
pid = int(__import__("sys").argv[1])
def of_size(size):
    options = heap._options(0, False, False, True)
    options.size = size
    return opened_for_pids("sooth_heap_track_multiple", [pid], options)
for call in (lambda: of_size(0), lambda: of_size(1 << 40), lambda: sooth.profile.start(pid, hz=4000000000),
             lambda: heap.track(0), lambda: heap.track(2**32 + pid), lambda: heap.track(__import__("os").getpid()),
             lambda: heap.track(pid, buffer_bytes=-1), lambda: heap.track_command("ls"), lambda: heap.track(),
             lambda: sooth.inspect(0, "fds")):
    try:
        call()
        print("taken")
    except (sooth.Error, ValueError, TypeError) as error:
        print(type(error).__name__, error)
        if isinstance(error, sooth.Error):
            assert str(copy.copy(error)) == str(pickle.loads(pickle.dumps(error))) == str(error)
"""
# Processes in pairs: the second gets the PID of the first.
LAST_PID = "/proc/sys/kernel/ns_last_pid"
AS_NOBODY = "import sooth\ntry:\n    sooth.trace.track(1)\nexcept sooth.Error as error:\n    print(error.remedy)\n"


class Library(Case):
    environment = {**os.environ, "LD_LIBRARY_PATH": os.path.dirname(harness.SOOTH), "PYTHONPATH": MODULE,
                   "PYTHONDONTWRITEBYTECODE": "1"}

    def python(self, text, *words, **options):
        return self.run_program(PYTHON, "-c", text, *words, env=self.environment, **options)

    def start_python(self, text, *words):
        return self.start(PYTHON, "-c", text, *words, env=self.environment)

    def spinning(self):
        process = self.start(sys.executable, "-c", SPIN)
        process.wait_for_output(b"ready\n")
        return process

    def assert_truth(self, calls, path="truth"):
        counts = collections.Counter(name for name, _ in calls)
        errors = collections.Counter(name for name, error in calls if error)
        self.assert_includes({name: (counts[name], errors[name]) for name in counts}, read_truth(self.path(path))[0])

    @needs_bpf
    def test_calls_of_a_command(self):
        run = self.run_program(TRACES, harness.WORKLOADS, *SHAPE, "--truth", self.path("truth"), timeout=120)
        self.assertEqual(run.out, b"ready\n")
        lines = run.errors.splitlines()
        self.assertEqual(lines[-1], "%d events, 0 dropped" % (len(lines) - 1))
        calls = [(line.split(" ", 1)[1].partition("(")[0], ") = -1" in line) for line in lines[:-1] if "(" in line]
        self.assert_truth(calls)
        ends = [line for line in lines if line.endswith(": exited with 0")]
        self.assertEqual(len(ends), 1 + 2, ends)  # and its forks
        self.run_program(TRACES, "sh", "-c", "exit 7", status=7)
        self.assertIn("usage: ", self.run_program(TRACES, status=2).errors)

    @needs_bpf
    def test_calls_of_a_process(self):
        target = self.workload(*SHAPE, truth=self.path("truth"))
        tracker = self.start_python(TRACK, str(target.pid))
        tracker.wait_for_output(b"tracing\n")
        target.say(b"go\n")
        events, stats = json.loads(tracker.finish().text.splitlines()[1])
        self.assert_truth([(call, error) for call, error, _, _ in events if call])
        self.assertEqual((stats["events"], stats["dropped"], stats["waiting"]), (len(events), 0, 0))
        self.assertIn([target.pid, 0], [[pid, status] for call, _, pid, status in events if not call])

    @needs_bpf
    def test_controlled(self):
        """Phases, pauses and snapshots of a tracker of calls."""
        target = self.start(sys.executable, "-c", CALLS)
        target.wait_for_output(b"ready\n")
        tracker = self.start_python(CONTROLLED, str(target.pid))
        answers = 0

        def ask(request):
            nonlocal answers
            answers += 1
            tracker.say(request.encode() + b"\n")
            harness.wait_until(lambda: bytes(tracker.out).count(b"\n") == answers, request)
            return bytes(tracker.out).splitlines()[-1]

        def call(count):
            before = bytes(target.out).count(b"done\n")
            target.say(b"%d\n" % count)
            harness.wait_until(lambda: bytes(target.out).count(b"done\n") > before, "the calls")

        ask("snapshot")
        call(3)
        ask("mark work")
        call(5)
        ask("pause")
        call(1000)
        ask("resume")
        call(2)
        rows = json.loads(ask("snapshot"))
        self.assertEqual([(row["name"], row["calls"], row["errors"]) for row in rows], [("getppid", 10, 0)])
        self.assertGreater(rows[0]["total_ns"], 0)
        ask("mark end")
        call(4)
        target.close_stdin()
        tracker.close_stdin()
        events, stats = json.loads(tracker.finish().text.splitlines()[-1])
        self.assertEqual(collections.Counter(phase for _, phase in events), {None: 3, "work": 7, "end": 4})
        self.assertEqual((stats["dropped"], stats["waiting"]), (0, 0))
        self.assertGreater(stats["event_ns"], 0)

    @needs_bpf
    def test_phases_of_a_profile(self):
        samples = json.loads(self.python(PROFILE_PHASES, str(self.spinning().pid)).text)
        # One may come before the first mark.
        self.assertEqual({phase for phase, _ in samples} - {None}, {"first", "second"})
        ends = [max(time for phase, time in samples if phase == "first"),
                min(time for phase, time in samples if phase == "second")]
        self.assertGreater(ends[1] - ends[0], 0.45e9)  # paused

    @needs_bpf
    def test_counted(self):
        target = self.workload(*SHAPE, truth=self.path("truth"))
        tracker = self.start_attached_python(COUNT, str(target.pid))
        target.say(b"go\n")
        rows = json.loads(tracker.finish().text)
        self.assert_includes({row["name"]: (row["count"], row["errors"]) for row in rows},
                             read_truth(self.path("truth"))[0])

    def start_attached_python(self, text, *words):
        process = self.start_python(text, *words)
        self.wait_until_attached(process)
        return process

    @needs_bpf
    def test_library_usage(self):
        """Phases of a program that another one starts and watches."""
        run = self.start(LIBRARY_USAGE, sys.executable, "-c", PHASES)
        for phase in (b"load\n", b"work\n", b"end\n"):
            run.wait_for_output(phase)
            run.say(b"go on\n")
        run = run.finish()
        self.assertEqual(run.status, 3, run)
        after = run.text.partition("work\n")[2]
        self.assertRegex(after.partition("end\n")[0], r"malloc in load: \d+ blocks, \d+")
        self.assertRegex(after.partition("end\n")[2], r"(?s)in work: .*the largest block: 2000002 bytes\n  malloc \(libc")
        self.assertEqual(self.run_program(LIBRARY_USAGE, "sh", "-c", "exit 7", status=7).errors, "")

    @needs_bpf
    @unittest.skipUnless(EVENT_LOOP, "built without libuv")
    def test_event_loop(self):
        """In the loop of another library: each call that fails, once; and the loop's own timer runs."""
        target = self.workload(*SHAPE, truth=self.path("truth"))
        tracker = self.start(EVENT_LOOP, str(target.pid))
        harness.wait_until(lambda: b"tracing\n" in bytes(tracker.err), "the tracker")
        target.say(b"go\n")
        run = tracker.finish()
        self.assertEqual(run.status, 0, run.errors)
        found = collections.Counter(line.split()[1].partition("(")[0] for line in run.text.splitlines())
        truth = {name: errors for name, (_, errors) in read_truth(self.path("truth"))[0].items() if errors}
        self.assertEqual({name: found[name] for name in truth}, truth)
        self.assertRegex(run.errors, r"\d+ ticks")

    @needs_bpf
    def test_profile(self):
        target = self.spinning()
        rows, samples, dropped = json.loads(self.python(PROFILE, str(target.pid)).text)
        self.assertEqual(dropped, 0)
        self.assertGreater(len(samples), 20)
        self.assertEqual(sum(row["self_samples"] for row in rows), len(samples))
        stacks = [[name for name, _ in frames] for frames in samples]
        script = [stack for stack in stacks if "inner" in stack]
        self.assertGreater(len(script), len(samples) / 2)
        for stack in script:
            self.assertIn("outer", stack[stack.index("inner"):])
        wanted = {row["function"] for row in self.sooth("profile", "-j", "-d", "1", str(target.pid)).json()["functions"]}
        self.assertIn("inner", wanted)
        self.assertIn("inner", {row["function"] for row in rows})
        run = self.run_program(HOT_FUNCTIONS, str(target.pid), "1")
        self.assertGreater(sum(";outer;inner" in line for line in run.text.splitlines()), 10)
        self.assertIn("%d samples, 0 dropped" % len(run.text.splitlines()), run.errors)

    def test_details(self):
        target = self.start(sys.executable, "-c", "import time; kept = open('/etc/passwd'); print('ready', flush=True); time.sleep(600)")
        target.wait_for_output(b"ready\n")
        report = self.sooth("inspect", "-a", "-j", str(target.pid)).json()
        tables = ("fds", "by_type", "sockets", "maps", "memory_classes", "threads", "signals", "resource_limits",
                  "environment", "environment_totals")
        text = "import json, sys, sooth; print(json.dumps({t: sooth.inspect(int(sys.argv[1]), t) for t in sys.argv[2:]}))"
        found = json.loads(self.python(text, str(target.pid), *tables).text)
        still = {"fds": ("fd", "kind", "path"), "maps": ("key", "path"), "threads": ("tid", "name"),
                 "signals": ("signal", "action"), "resource_limits": ("name", "soft_limit"), "environment": ("name",)}
        for table, fields in still.items():
            self.assertGreater(len(found[table]), 0, table)
            self.assertEqual([[row[f] for f in fields] for row in found[table]],
                             [[row[f] for f in fields] for row in report[table]], table)
        self.assertIn("/etc/passwd", [row["path"] for row in found["fds"]])
        lines = self.run_program(OPEN_FILES, str(target.pid)).text.splitlines()
        self.assertEqual(len(lines), len(found["fds"]))
        self.assertIn("file /etc/passwd", " ".join(lines))
        self.assertEqual(json.loads(self.run_program(OPEN_FILES, str(target.pid), "fds").text), found["fds"])

    def failing(self, number, *command, count=False):
        """Its allocation of that number finds no memory."""
        shim = os.path.join(os.path.dirname(harness.WORKLOADS), "libfailing-memory.so")
        environment = {**os.environ, "LD_PRELOAD": shim, "FAILING_MEMORY_AT": str(number)}
        if count:
            environment["FAILING_MEMORY_COUNT"] = "2"
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=harness.PATIENCE_S, check=False)

    @needs_bpf
    def test_no_memory(self):
        """Whichever allocation fails, the program ends by itself: with what it could do, or with an error. Of
        each public header an example; of those that take a second not every number."""
        target, pid = self.start("sleep", "600"), os.getpid()
        commands = (((OPEN_FILES, str(target.pid)), 8, None), ((TRACES, "true"), 8, None), ((SPAWN, "true"), 6, None),
                    ((LIST_AGENTS,), 6, 600), ((REPORT_AGENTS,), 4, 600), ((HOT_FUNCTIONS, str(pid), "1"), 4, 300),
                    ((FINDINGS, "1", str(target.pid)), 3, 300), ((WHAT_IS_WRONG, str(target.pid)), 1, 60))
        runs, statuses = [], collections.defaultdict(set)
        for command, few, many in commands:
            counted = self.failing(0, *command, count=True)
            statuses[command[0]].add(counted.returncode)
            total = int(counted.stderr.split()[-1])
            self.assertGreater(total, 200, command)
            number_of = total if harness.IS_LONG and not many else many if harness.IS_LONG else few
            runs += [(command, number) for number in range(1, total, max(1, total // number_of))]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for (command, number), run in zip(runs, pool.map(lambda run: self.failing(run[1], *run[0]), runs)):
                self.assertGreaterEqual(run.returncode, 0, "%s: allocation %d\n%s" % (command, number, run))
                statuses[command[0]].add(run.returncode)
        # Some did fail.
        self.assertTrue(all(len(seen) > 1 for program, seen in statuses.items() if program != WHAT_IS_WRONG), statuses)

    @needs_bpf
    @unittest.skipUnless(os.access(LAST_PID, os.W_OK), "the next PID cannot be chosen here")
    def test_reused_pid(self):
        """A process that gets the PID of an ended one is not the one that was tracked."""
        first, second = self.start(sys.executable, "-c", CALLS), self.start(sys.executable, "-c", CALLS)
        for process in (first, second):
            process.wait_for_output(b"ready\n")
        tracker = self.start_python(TRACK_SEVERAL, str(first.pid), str(second.pid))
        tracker.wait_for_output(b"tracing\n")
        first.say(b"10\n")
        first.close_stdin()
        first.finish()
        for _ in range(100):
            with open(LAST_PID, "w", encoding="ascii") as file:
                file.write(str(first.pid - 1))
            third = self.start(sys.executable, "-c", CALLS)
            if third.pid == first.pid:
                break
            third.end()
        else:
            self.skipTest("the PID was not given again")
        third.wait_for_output(b"ready\n")
        third.say(b"1000\n")
        harness.wait_until(lambda: b"done\n" in bytes(third.out), "the calls")
        self.assertTrue(tracker.is_running())
        second.say(b"20\n")
        second.close_stdin()
        counts = json.loads(tracker.finish().text.splitlines()[1])
        self.assertEqual(counts, {str(first.pid): 10, str(second.pid): 20})
        self.assertTrue(third.is_running())  # and the target outlives the tracker

    @needs_bpf
    @needs_bpf
    def test_a_child_by_fork(self):
        """It cannot use the trackers of its parent, and those go on when it ends."""
        target = self.start(sys.executable, "-c", CALLS)
        target.wait_for_output(b"ready\n")
        process = self.start_python(FORKED, str(target.pid))
        process.wait_for_output(b"forked\n")
        target.say(b"300\n")
        target.wait_for_output(b"done\n")
        process.say(b"\n")
        self.assertEqual(json.loads(process.finish().text.splitlines()[-1]), [errno.EPERM, 300, True])

    @needs_bpf
    def test_what_makes_no_sense(self):
        target = self.start("sleep", "600")
        run = self.python(WRONG, str(target.pid))
        wanted = ["Error .*size.*initialize the struct", "Error .*size.*initialize the struct", "Error .*4000000000 times.*at most 10000",
                  "Error .*process 0: a PID is 1 or more", "ValueError a PID is", "Error .*the calling process.*another",
                  "ValueError buffer_bytes", "TypeError a command is a list", "Error .*no process is given; give",
                  "Error .*inspect process 0: a PID is 1 or more; sooth_agents"]
        for line, words in zip(run.text.splitlines(), wanted, strict=True):
            self.assertRegex(line, "^" + words)
        self.assertEqual(run.errors, "")

    @unittest.skipIf(os.geteuid(), "needs root, to be another user")
    def test_what_may_not_be_read(self):
        """Is no empty table."""
        target = self.start("sleep", "600")
        for table in ("fds", "by_type", "maps", "sockets", "environment"):
            with self.subTest(table):
                run = self.python("import os, sooth\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\ntry:\n"
                                  "    print(sooth.inspect(%d, '%s'))\nexcept sooth.Error as error:\n"
                                  "    print(error.errno, error.missing, error.remedy)\n" % (target.pid, table))
                self.assertRegex(run.text, "^%d .*trace.*run this program as" % errno.EACCES)
        self.assertEqual(self.python("import sooth; print(sooth.inspect(%d, 'sockets'))" % target.pid).text, "[]\n")

    def test_errors(self):
        lines = self.python(ERRORS).text.splitlines()
        for line, wanted in zip(lines, (
                "cannot find process 4194304", "no_such_call", "inspect \"nothing\": there is no table",
                "cannot find process 4194304", "cannot profile process 0: a PID is 1 or more",
                "cannot run /nonexistent/command"), strict=True):
            self.assertIn(wanted, line)

    @harness.needs_root
    def test_remedy(self):
        """For the user of a program on the library, which is not called sooth."""
        self.open_to_all()
        environment = {**self.environment, "LD_LIBRARY_PATH": self.path("lib"), "PYTHONPATH": self.path("module")}
        shutil.copytree(MODULE, self.path("module"))
        os.mkdir(self.path("lib"))
        shutil.copyfile(os.path.join(os.path.dirname(harness.SOOTH), "libsooth.so"), self.path("lib/libsooth.so.0"))
        text = self.run_program(PYTHON, "-c", AS_NOBODY, env=environment, **harness.as_nobody()).text
        self.assertIn("run this program as root", text)
        self.assertNotIn("run sooth", text)


if __name__ == "__main__":
    harness.main()
