# SPDX-License-Identifier: BSD-2-Clause
"""
The module of Debian's Python 3 on the library: its rows are those of the program, its events the calls
that a workload knows of, its errors say what to do.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import unittest

import harness
from harness import needs_bpf
from heap_case import GLIBC, HeapCase, truth_calls

PYTHON = "/usr/bin/python3"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULE = os.path.join(ROOT, "python")
NEAR = """
import os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(58)]
print("ready", flush=True)
time.sleep(600)
"""
TRACK = """
import collections, json, sys, sooth
with sooth.heap.track(int(sys.argv[1])) as heap:
    print("tracking", flush=True)
    found = collections.Counter(event.function for event in heap)
    print(json.dumps([found, heap.stats()._asdict()]))
"""
ERRORS = """
import os, sooth
for call in (lambda: sooth.heap.track(4194304), lambda: sooth.heap.track(), lambda: sooth.diagnose(0),
             lambda: sooth.heap.track_command(["/nonexistent/command"])):
    try:
        call()
    except sooth.Error as error:
        print(type(error).__name__, error.errno, error)
with sooth.heap.track_command(["sh", "-c", "exit 7"]) as heap:
    print(sum(1 for event in heap) > 0, heap.child_status(), heap.is_over())
try:
    heap.next(0)
except ValueError as error:
    print(error)
"""
# Ten blocks of the size in each line, one of which is freed.
ALLOCATES = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
print("ready", flush=True)
for line in sys.stdin:
    kept = [libc.malloc(int(line)) for _ in range(10)]
    libc.free(kept[0])
    print("done", flush=True)
"""
ON_REQUEST = """
import collections, json, sys, sooth
def let(size):
    print(size, flush=True)
    sys.stdin.readline()
with sooth.heap.track(int(sys.argv[1]), has_stacks=True, keeps_blocks=True) as heap:
    let(100001)
    heap.mark("second")
    let(100002)
    heap.pause()
    heap.pause()
    let(100003)
    heap.resume()
    let(100004)
    live = heap.snapshot()
    heap.stop()
    events = [e for e in heap if e.function == "malloc" and 100000 < e.size < 100005]
    try:
        heap.mark("late")
    except sooth.Error as error:
        refused = str(error)
    print(json.dumps([[[e.size, e.phase] for e in events], live, [f.function for f in heap.frames(events[0].stack)],
                      refused]))
with sooth.heap.track(int(sys.argv[1])) as heap:
    try:
        heap.snapshot()
    except sooth.Error as error:
        print(error)
"""
LEAKS = """
import json, sys, sooth
script = "import ctypes; m = ctypes.CDLL(None).malloc; [m(3000000) for _ in range(7)]; import os; os._exit(0)"
with sooth.heap.track_command([sys.executable, "-c", script], keeps_blocks=True) as heap:
    for event in heap:
        pass
    print(json.dumps(heap.snapshot()))
"""
UNSUITABLE = """
import sooth
try:
    sooth.agents()
except OSError as error:
    print(error)
"""


def library_of(folder):
    return {"LD_LIBRARY_PATH": folder, "PYTHONPATH": MODULE, "PYTHONDONTWRITEBYTECODE": "1"}


@unittest.skipUnless(os.access(PYTHON, os.X_OK), "no " + PYTHON)
class Module(HeapCase):
    environment = {**os.environ, **library_of(os.path.dirname(harness.SOOTH))}

    def python(self, text, *words, **options):
        return self.run_program(PYTHON, "-c", text, *words, env=self.environment, **options)

    def test_agents(self):
        os.makedirs(self.path("bin"))
        shutil.copyfile("/bin/sleep", self.path("bin/claude"))
        os.chmod(self.path("bin/claude"), 0o755)
        pid = self.start(self.path("bin/claude"), "600").pid
        harness.wait_until(lambda: b"600" in harness.read("/proc/%d/cmdline" % pid), "an agent to run")
        rows = json.loads(self.python("import json, sooth; print(json.dumps(sooth.agents()))").text)
        row, = [row for row in rows if row["pid"] == pid]
        wanted, = [row for row in self.sooth("ps", "-j").json()["processes"] if row["pid"] == pid]
        for name in ("agent", "command", "cwd", "ppid", "project", "role", "start_ticks", "user", "version"):
            self.assertEqual(row[name], wanted[name], name)
        self.assertEqual({row["agent"] is None for row in rows}, {False})

    def test_findings(self):
        sick = self.start(sys.executable, "-c", NEAR)
        sick.wait_for_output(b"ready\n")
        text = "import json, sys, sooth; print(json.dumps(sooth.diagnose(int(sys.argv[1]), 0.5, passive=True)))"
        rows = json.loads(self.python(text, str(sick.pid)).text)
        finding, = [row for row in rows if row["id"] == "fd-limit-near"]
        self.assertEqual(finding["pid"], sick.pid)
        self.assertIn("64", str(finding["evidence"]))

    @needs_bpf
    def test_heap(self):
        target = self.held_workload(GLIBC, "heap", "--turns", "3000", "--seed", "8")
        tracker = self.start(PYTHON, "-c", TRACK, str(target.pid), env=self.environment)
        tracker.wait_for_output(b"tracking\n")
        self.let_go(target)
        found, stats = json.loads(tracker.finish().text.splitlines()[1])
        truth = collections.Counter({name: calls.count for name, calls in truth_calls(self.truth()).items()})
        same = ("memalign", "aligned_alloc")  # one function in glibc, by either name
        for counts in (found, truth):
            counts["aligned"] = sum(counts.pop(name, 0) for name in same)
        self.assertEqual(found, dict(truth))
        self.assertEqual((stats["events"], stats["dropped"], stats["waiting"]), (sum(found.values()), 0, 0))

    @needs_bpf
    def test_errors(self):
        lines = self.python(ERRORS).text.splitlines()
        self.assertIn("Error 3 cannot find process 4194304", lines[0])
        self.assertIn("no process is given", lines[1])
        self.assertIn("cannot diagnose process 0", lines[2])
        self.assertIn("Error 2 cannot run /nonexistent/command", lines[3])
        self.assertEqual(lines[4:], ["True 7 True", "the tracker is closed"])

    @needs_bpf
    def test_on_request(self):
        """Phases, a pause, what is live, and stacks."""
        target = self.start(sys.executable, "-c", ALLOCATES)
        target.wait_for_output(b"ready\n")
        tracker = self.start(PYTHON, "-c", ON_REQUEST, str(target.pid), env=self.environment)
        for count, size in enumerate((100001, 100002, 100003, 100004), 1):
            tracker.wait_for_output(b"%d\n" % size)
            target.say(b"%d\n" % size)
            harness.wait_until(lambda wanted=count: bytes(target.out).count(b"done\n") == wanted, "ten calls")
            tracker.say(b"go on\n")
        lines = tracker.finish().text.splitlines()
        events, live, frames, refused = json.loads(lines[4])
        counts = collections.Counter(map(tuple, events))
        self.assertEqual(counts, {(100001, None): 10, (100002, "second"): 10, (100004, "second"): 10})
        held = {row["phase"]: row for row in live if row["function"] == "malloc"}
        self.assertGreaterEqual(held["second"]["bytes"], 9 * (100002 + 100004))
        self.assertLess(held["second"]["bytes"], 9 * (100002 + 100003 + 100004))
        self.assertGreaterEqual(held[None]["blocks"], 9)
        self.assertEqual(frames[0], "malloc")
        self.assertGreater(len(frames), 2)
        self.assertIn("the observer does not run", refused)
        self.assertIn("the tracker does not keep them; set keeps_blocks", lines[5])

    @needs_bpf
    def test_leaks_of_what_has_ended(self):
        row = [row for row in json.loads(self.python(LEAKS).text.splitlines()[-1]) if row["function"] == "malloc"][0]
        self.assertGreaterEqual(row["blocks"], 7)
        self.assertGreaterEqual(row["bytes"], 21000000)

    def test_unseen(self):
        sick = self.start(sys.executable, "-c", NEAR)
        sick.wait_for_output(b"ready\n")
        text = "import json, sys, sooth; print(json.dumps(sooth.unseen(int(sys.argv[1]), 0.5, passive=True)))"
        rows = {row["id"]: row for row in json.loads(self.python(text, str(sick.pid)).text)}
        self.assertIn("syscall-errors", rows)
        self.assertNotIn("fd-limit-near", rows)
        self.assertEqual({row["reason"] is None for row in rows.values()}, {False})

    def test_answers(self):
        sick = self.start(sys.executable, "-c", NEAR)
        sick.wait_for_output(b"ready\n")
        text = "import json, sys, sooth; print(json.dumps(sooth.answers(int(sys.argv[1]), 0.5, passive=True)))"
        rows = json.loads(self.python(text, str(sick.pid)).text)
        self.assertEqual([row["id"] for row in rows], ["fd-limit-near"])
        self.assertIn(str(sick.pid), rows[0]["text"])
        self.assertEqual(rows[0]["subject"]["pid"], sick.pid)

    def test_without_the_library(self):
        run = subprocess.run([PYTHON, "-c", UNSUITABLE], env={**os.environ, **library_of(self.path("empty"))},
                             capture_output=True, text=True, check=True)
        self.assertIn("libsooth.so.0", run.stdout)


if __name__ == "__main__":
    harness.main()
