# SPDX-License-Identifier: BSD-2-Clause
"""
Sampled stacks of programs whose shares are known by construction, with and without frame pointers.
The bounds are those of sampling: 2,000 samples of a share of 70 % deviate by one point, so eight
points are never passed by chance.
"""
import collections
import os
import re
import shutil
import sys
import time

import harness
from harness import Case, Process, needs_bpf

RATE = 997
PROGRAMS = {name: os.path.join(os.path.dirname(harness.WORKLOADS), name)
            for name in ("profile-fp", "profile-tables")}


def folded(path):
    """Stacks as (names from the process on, samples)."""
    for line in harness.read(path).decode().splitlines():
        names, _, count = line.rpartition(" ")
        yield names.split(";"), int(count)


def is_within(names, stack):
    """Whether these stand in the stack in this order, other frames between."""
    rest = iter(stack)
    return all(name in rest for name in names)


@needs_bpf
class Profile(Case):
    def profile(self, *words, options=()):
        """Launched; the report and its stacks."""
        path = self.path("stacks.folded")
        run = self.sooth("profile", "-j", "--rate", str(RATE), "--folded", path, *options, "--", *words)
        report = run.json()
        stacks = list(folded(path))
        self.assertEqual(report["loss"], [])
        return report, stacks

    def assert_share(self, stacks, names, share, within=0.08, of=None):
        """Of all samples that stand in `of`."""
        chosen = [(stack, count) for stack, count in stacks if not of or is_within(of, stack)]
        total = sum(count for _, count in chosen)
        self.assertGreater(total, 300, stacks[:5])
        has = sum(count for stack, count in chosen if is_within(names, stack)) / total
        self.assertLess(abs(has - share), within, "%s: %.3f of %d" % (names, has, total))

    def test_shares(self):
        for name, program in PROGRAMS.items():
            with self.subTest(name):
                report, stacks = self.profile(program, "shares", "1")
                for function, share in (("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)):
                    self.assert_share(stacks, ("main", "outer", "inner", function), share, of=("inner",))
                # Whoever calls is found: few samples are taken before the tables are made.
                self.assert_share(stacks, ("main", "outer"), 1, within=0.3)
                best = max(report["functions"], key=lambda row: row["self_samples"])
                self.assertEqual(best["function"], "seventy")
                whole = report["profile"]["whole_stacks_percent"]
                self.assertGreater(whole, 60, report)

    def test_folded_equals_rows(self):
        """The file of stacks and the table of functions are two forms of the same samples."""
        capture, again = self.path("shares.sooth"), self.path("again.folded")
        pprof, pprof_again = self.path("shares.pb.gz"), self.path("again.pb.gz")
        report, stacks = self.profile(PROGRAMS["profile-tables"], "shares", "0.5",
                                      options=("--save", capture, "--pprof", pprof))
        self.assertEqual(sum(count for _, count in stacks), report["profile"]["samples"])
        own, total = collections.Counter(), collections.Counter()
        for stack, count in stacks:
            names = [name for name in stack[2:] if not name.startswith("[cut: ")]
            if names:
                own[names[-1]] += count
            for name in set(names):
                total[name] += count
        for row in report["functions"]:
            self.assertEqual(own[row["function"]], self.sum_of(report, row, "self_samples"), row)
        self.assertGreater(len(report["functions"]), 3)
        # And from the capture.
        self.sooth("profile", "--folded", again, capture)
        self.assertEqual(list(folded(again)), stacks)
        self.sooth("profile", "--pprof", pprof_again, capture)
        self.assertEqual(harness.read(pprof_again), harness.read(pprof))

    @staticmethod
    def sum_of(report, row, field):
        """Of functions of the same name: folded stacks name no file."""
        return sum(r[field] for r in report["functions"] if r["function"] == row["function"])

    def test_threads(self):
        capture, path = self.path("threads.sooth"), self.path("role.folded")
        for name, program in PROGRAMS.items():
            with self.subTest(name):
                report, stacks = self.profile(program, "threads", "0.7", options=("--save", capture))
                for thread, function in (("hot-a", "thread_a"), ("hot-b", "thread_b")):
                    self.assert_share(stacks, (thread, function, "spend", "work"), 1, within=0.4,
                                      of=(thread,))
                    self.assertIn(thread, {row["role"] for row in report["functions"]})
                self.assert_share(stacks, ("thread_a",), 0.5, within=0.15, of=("spend",))
                # One role of them.
                report = self.sooth("profile", "-j", "--role", "hot-a", "--folded", path, capture).json()
                self.assertEqual({row["role"] for row in report["functions"]}, {"hot-a"})
                self.assertEqual({stack[1] for stack, _ in folded(path)}, {"hot-a"})

    def test_children(self):
        """Each forked child has its samples, from its first moment on."""
        capture = self.path("children.sooth")
        self.sooth("profile", "--rate", str(RATE), "--save", capture, "--",
                   PROGRAMS["profile-tables"], "children", "0.7")
        rows = self.sooth("query", "-j", capture,
                          "SELECT pid, count(*) AS n FROM profile_sample GROUP BY pid").json()
        samples = {row["pid"]: row["n"] for row in rows["rows"]}
        children = [count for count in samples.values() if count > 0.3 * RATE]
        self.assertEqual(len(children), 3, samples)
        path = self.path("children.folded")
        self.sooth("profile", "--folded", path, capture)
        self.assert_share(list(folded(path)), ("main", "child_work"), 1, within=0.3)

    def test_exec(self):
        """A child that replaced its program: its new functions are known."""
        _, stacks = self.profile(PROGRAMS["profile-tables"], "exec", "1")
        self.assert_share(stacks, ("main", "outer", "inner"), 1, within=0.3)

    def test_signal_frame(self):
        """A stack goes on from a signal's handler to what it interrupted."""
        for name, program in PROGRAMS.items():
            with self.subTest(name):
                _, stacks = self.profile(program, "signal", "1")
                self.assert_share(stacks, ("main", "signal_caller", "handler", "spend"), 1,
                                  within=0.3)

    def test_deep(self):
        for name, program in PROGRAMS.items():
            with self.subTest(name):
                _, stacks = self.profile(program, "deep", "1")
                self.assert_share(stacks, ("main",) + 101 * ("deep",) + ("spend",), 1, within=0.3)

    def test_attached(self):
        target = Process([PROGRAMS["profile-tables"], "shares", "60"])
        self.addCleanup(target.end)
        path = self.path("attached.folded")
        run = self.sooth("profile", "-j", "--rate", str(RATE), "-d", "4", "--folded", path,
                         str(target.pid))
        self.assertTrue(target.is_running())
        self.assertGreater(run.json()["profile"]["samples"], 0)
        for stack, _ in folded(path):
            self.assertEqual(stack[0], "profile-tables"[:15])

    def spin_of(self, *words):
        """The finding of a program that computes, with its evidence by name."""
        target = Process([PROGRAMS["profile-tables"], *words])
        self.addCleanup(target.end)
        report = self.sooth("diagnose", "-j", "--duration", "3", str(target.pid)).json()
        (process,) = report["processes"]
        (spin,) = [found for found in process["findings"] if found["id"] == "cpu-spin"]
        return spin, {e["name"]: e["text"] for e in spin["evidence"]}

    def test_diagnose_names_the_functions(self):
        _, evidence = self.spin_of("shares", "60")
        self.assertRegex(evidence["hottest function"],
                         r"^seventy \(profile-tables\): [5-9][0-9] % of \d+ samples")
        self.assertRegex(evidence["next hottest functions"], r"^\S+ \(\S+\): \d+ %")
        self.assertRegex(evidence["common caller"],
                         r"^inner \(profile-tables\): on \d+ % of \d+ whole stacks$")

    def test_diagnose_names_one_function(self):
        """Nearly all is in it, so its callers are of no interest."""
        spin, evidence = self.spin_of("fixed", "100000000")
        self.assertIn("; most in pieces (profile-tables)", spin["claim"])
        self.assertNotIn("common caller", evidence)

    def test_pictures_say_what_they_are(self):
        """The samples of two captures in one picture, at different rates: both numbers in a box."""
        captures = [self.path("first.sooth"), self.path("second.sooth")]
        one, both = self.path("one.svg"), self.path("both.svg")
        self.sooth("profile", "--rate", "499", "--save", captures[0], "--flamegraph", "-o", one, "--",
                   PROGRAMS["profile-tables"], "shares", "1")
        self.sooth("profile", "--rate", "997", "--save", captures[1], "--",
                   PROGRAMS["profile-tables"], "shares", "1")
        text = harness.read(one).decode()
        self.assertIn('class="title">CPU: width = samples<', text)
        self.assertRegex(text, r"profile-tables shares 1; 20\d\d-[\d-]+T[\d:]+Z; \d+ samples at 499 Hz; "
                               r"0 records lost; ")
        self.sooth("diff", "--flamegraph", "-o", both, *captures)
        text = harness.read(both).decode()
        self.assertIn('class="title">CPU: width = samples<', text)
        self.assertRegex(text, r"first.sooth \(\d+ samples at 499 Hz, \d+ records lost\), then \S*second.sooth "
                               r"\(\d+ samples at 997 Hz, ")
        before, after = map(int, re.search(r">inner \((\d+) &gt; (\d+)\)<", text).groups())
        # A second of CPU time each, counted at one rate, and scaled to the time it took.
        self.assertTrue(300 < after < 1100 and after / 8 < before < after * 8, (before, after))

    def test_heat_shows_a_periodic_stall(self):
        """A worker that has to wait for a lock again and again: holes of at least that length."""
        program = ("import threading, time\n"
                   "lock = threading.Lock()\n"
                   "done = threading.Event()\n"
                   "spent = 0\n"
                   "def work():\n"
                   "    global spent\n"
                   "    while not done.is_set():\n"
                   "        with lock: pass\n"
                   "        end = time.thread_time() + 0.005\n"
                   "        while time.thread_time() < end: pass\n"
                   "        spent = end\n"
                   "worker = threading.Thread(target=work)\n"
                   "worker.start()\n"
                   "def let_it_work():\n"  # however long it waits for a CPU
                   "    end = spent + 0.3\n"
                   "    while spent < end: time.sleep(0.01)\n"
                   "for _ in range(4):\n"
                   "    let_it_work()\n"
                   "    with lock: time.sleep(0.3)\n"
                   "let_it_work()\n"
                   "done.set()\n")
        capture, picture = self.path("stall.sooth"), self.path("stall.svg")
        self.sooth("profile", "--rate", str(RATE), "--save", capture, "--", sys.executable, "-c", program)
        report = self.sooth("profile", "--heat", "-j", capture).json()
        busiest = report["heat"][0]
        self.assertNotEqual(busiest["pid"], busiest["tid"])
        self.assertGreater(busiest["longest_idle_ns"], 250e6)
        bucket = report["timeline"]["bucket_ns"]
        holes, length = 0, 0
        for value in busiest["values_percent"] + [1]:
            # The buckets at both ends are not empty.
            holes += bool(value) and length > 0 and (length + 2) * bucket > 300e6
            length = 0 if value else length + 1
        self.assertGreaterEqual(holes, 4)
        self.sooth("profile", "--heat", "-o", picture, capture)
        self.assertIn("CPU by thread", harness.read(picture).decode())

    def test_threads_that_come_and_go(self):
        report, stacks = self.profile(PROGRAMS["profile-tables"], "fixed-many", "80000")
        working = [(names, count) for names, count in stacks if "pieces" in names]
        self.assertGreater(sum(count for _, count in working), 300, report["profile"])
        # With 64 threads on few processors the table may be late: those samples say so.
        for names, _ in working:
            self.assertTrue(is_within(("fixed_thread", "pieces"), names) or
                            any(name.startswith("[cut: ") for name in names), names)

    def test_processes_that_come_and_go(self):
        """Each lives for a millisecond, and its program is one that is known."""
        report, stacks = self.profile("/bin/sh", "-c",
                                      "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done")
        names = {stack[0] for stack, _ in stacks}
        self.assertIn("true", names)
        self.assertIn("sh", names)
        self.assertGreater(report["profile"]["samples"], 20)

    def test_library_that_comes_later(self):
        program = ("import ctypes, time\n"
                   "begin = time.process_time()\n"
                   "while time.process_time() < begin + 0.3: pass\n"
                   "library = ctypes.CDLL('libz.so.1')\n"
                   "data = b'x' * (1 << 22)\n"
                   "while time.process_time() < begin + 1.2: library.crc32(0, data, len(data))\n")
        report, _ = self.profile(sys.executable, "-c", program)
        share = sum(row["self_percent"] for row in report["functions"]
                    if row["file"].startswith("libz."))
        self.assertGreater(share, 40, report["functions"][:5])

    def test_program_replaced_on_disk(self):
        """Names are those of the file that runs, not of the one that has its path by then."""
        program, path = self.path("program"), self.path("replaced.folded")
        shutil.copy(PROGRAMS["profile-tables"], program)
        target = Process([program, "shares", "60"])
        self.addCleanup(target.end)
        sooth = Process([harness.SOOTH, "profile", "--rate", str(RATE), "-d", "4", "--folded", path,
                         str(target.pid)])
        self.addCleanup(sooth.end)
        harness.wait_until(lambda: any(
            kind == "prog" and harness.program_name(number) == "on_sample"
            for kind, number in harness.held_by(sooth.pid)), "sooth to attach")
        shutil.copy("/bin/sh", self.path("other"))
        os.rename(self.path("other"), program)
        sooth.finish()
        names = {name for stack, _ in folded(path) for name in stack}
        self.assertIn("seventy", names)

    def test_killed_again_and_again(self):
        """While it loads, attaches, samples: nothing is left in the kernel."""
        target = Process([PROGRAMS["profile-tables"], "shares", "120"])
        self.addCleanup(target.end)
        held = set()
        for wait_s in [*(turn * 0.03 for turn in range(20)), 2, 5, 10]:
            if wait_s > 1 and held:  # a busy host needs longer to load anything
                break
            sooth = Process([harness.SOOTH, "profile", str(target.pid)])
            self.addCleanup(sooth.end)
            time.sleep(wait_s)
            held |= set(harness.held_by(sooth.pid))
            sooth.child.kill()
            sooth.finish()
        self.assertTrue(held)
        harness.wait_until(lambda: not harness.still_in_kernel(held), "its objects to go")
        self.assertTrue(target.is_running())

    def test_nothing_stays(self):
        """sooth is killed in the midst: its program, maps and clocks go with it."""
        target = Process([PROGRAMS["profile-tables"], "shares", "60"])
        self.addCleanup(target.end)
        sooth = Process([harness.SOOTH, "profile", str(target.pid)])
        self.addCleanup(sooth.end)
        harness.wait_until(lambda: any(
            kind == "prog" and harness.program_name(number) == "on_sample"
            for kind, number in harness.held_by(sooth.pid)), "sooth to attach")
        held = harness.held_by(sooth.pid)
        self.assertTrue(held)
        sooth.child.kill()
        sooth.finish()
        harness.wait_until(lambda: not harness.still_in_kernel(held), "its objects to go")
        self.assertTrue(target.is_running())


if __name__ == "__main__":
    harness.main()
