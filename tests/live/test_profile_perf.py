# SPDX-License-Identifier: BSD-2-Clause
"""
Sampled stacks without privilege: an ordinary user and the processes of that user, by perf events. The
shares of the programs are known by construction, as in test_profile.
"""
import os
import unittest

import bun_program
import harness
from harness import Case, as_nobody, needs_root, wait_until

RATE = 499
SCRIPT = """
import { noInline } from "bun:jsc";
function spend(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }
function seventy() { return spend(70000) + 1; }
function twenty() { return spend(20000) + 1; }
function ten() { return spend(10000) + 1; }
function outer() { return seventy() + twenty() + ten(); }
for (const f of [spend, seventy, twenty, ten, outer]) noInline(f);
while (process.cpuUsage().user < 1.5e6) outer();
"""
PROGRAMS = {name: os.path.join(os.path.dirname(harness.WORKLOADS), name)
            for name in ("profile-fp", "profile-tables")}


@needs_root
@unittest.skipUnless(harness.nobody_may_sample(), "kernel.perf_event_paranoid or a sandbox refuses perf events")
class ProfilePerf(Case):
    def setUp(self):
        super().setUp()
        self.program = self.copy_for_all(harness.SOOTH)
        self.programs = {name: self.copy_for_all(path) for name, path in PROGRAMS.items()}
        self.out = self.path("out")
        os.mkdir(self.out)
        os.chmod(self.folder, 0o755)
        os.chmod(self.out, 0o777)

    def nobody(self, *argv, **options):
        return self.run_program(self.program, *argv, cwd=self.out, **as_nobody(), **options)

    def profile(self, *words):
        """The report and its stacks as (names from the process on, samples)."""
        path = os.path.join(self.out, "stacks.folded")
        report = self.nobody("profile", "-j", "--rate", str(RATE), "--folded", path, *words).json()
        source, = [s for s in report["sources"] if s["probe"] == "profile"]
        self.assertEqual(source["method"], "perf")
        self.assertIn("cap_bpf", source["fallback_reason"])
        stacks = []
        for line in harness.read(path).decode().splitlines():
            names, _, count = line.rpartition(" ")
            stacks.append((names.split(";"), int(count)))
        os.unlink(path)
        return report, stacks

    def share(self, stacks, *names):
        """Of the samples: those with these names in this order, others between."""
        def has(stack):
            rest = iter(stack)
            return all(name in rest for name in names)
        return sum(n for stack, n in stacks if has(stack)) / sum(n for _, n in stacks)

    def assert_shares(self, report, stacks):
        self.assertGreater(report["profile"]["samples"], 100)
        for function, share in (("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)):
            found = self.share(stacks, "main", "outer", "inner", function)
            self.assertLess(abs(found - share), 0.1, (function, stacks))
        self.assertGreater(report["profile"]["whole_stacks_percent"], 90, report["profile"])

    def test_javascript(self):
        """What is beside the frames is in the copy of the stack, the names are read from the process."""
        bun = bun_program.skip_or_find(self, "1.4.3")
        script = os.path.join(self.out, "shares.js")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        os.chmod(script, 0o644)
        _, stacks = self.profile("--", self.copy_for_all(bun), script)
        stacks = [(stack, count) for stack, count in stacks if "outer" in stack]
        for name, share in (("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)):
            self.assertLess(abs(self.share(stacks, "outer", name, "spend") - share), 0.1, stacks[:5])
        self.assertEqual(self.share(stacks, "ten", "seventy"), 0)

    def test_launched(self):
        for name, program in self.programs.items():
            with self.subTest(name):
                report, stacks = self.profile("--", program, "shares", "1")
                self.assert_shares(report, stacks)

    def test_what_is_not_measured(self):
        report, _ = self.profile("--", self.programs["profile-tables"], "shares", "0.3")
        kernel = [limit for limit in report["limits"] if limit["what"] == "CPU time in the kernel"]
        paranoid = int(harness.read("/proc/sys/kernel/perf_event_paranoid"))
        self.assertEqual(len(kernel), paranoid >= 2, report["limits"])
        text = self.nobody("profile", "--", self.programs["profile-tables"], "shares", "0.3")
        self.assertIn("fallback: profile by perf", text.text)

    def test_attached(self):
        """To threads that run already, and without one that ends meanwhile."""
        target = self.start(self.programs["profile-tables"], "threads", "600", **as_nobody())
        wait_until(lambda: len(os.listdir("/proc/%d/task" % target.pid)) == 3, "its threads to run")
        report, stacks = self.profile("-d", "1.5", str(target.pid))
        for thread, function in (("hot-a", "thread_a"), ("hot-b", "thread_b")):
            found = self.share([s for s in stacks if thread in s[0]], thread, function, "spend", "work")
            self.assertGreater(found, 0.8, stacks)
        self.assertEqual({row["role"] for row in report["functions"]}, {"hot-a", "hot-b"})
        self.assertTrue(target.is_running())

    def test_children(self):
        """Each forked child has its samples; from the capture, elsewhere, the report is the same."""
        capture = os.path.join(self.out, "children.sooth")
        live = self.nobody("profile", "--rate", str(RATE), "--save", capture, "--",
                           self.programs["profile-tables"], "children", "0.7")
        rows = self.nobody("query", "-j", capture,
                           "SELECT pid, count(*) AS n FROM profile_sample GROUP BY pid").json()["rows"]
        busy = [row["n"] for row in rows if row["n"] > 0.3 * RATE]
        self.assertEqual(len(busy), 3, rows)
        os.chmod(capture, 0o644)
        self.assertEqual(self.sooth("profile", capture).text, live.text)

    def test_short_lived(self):
        """A program that has ended before its records are read has its names all the same."""
        program = self.programs["profile-tables"]
        script = "for i in 1 2 3 4 5 6 7 8 9 10; do %s shares 0.03; done" % program
        _, stacks = self.profile("--", "sh", "-c", script)
        ours = [(stack, n) for stack, n in stacks if stack[0].startswith("profile-tables")]
        self.assertGreater(sum(n for _, n in ours), 30, stacks)
        self.assertGreater(self.share(ours, "main", "outer"), 0.7, stacks)

    def test_deep(self):
        """A stack that is deeper than the copy is cut, and the report says so."""
        report, stacks = self.profile("--", self.programs["profile-tables"], "wide", "0.5")
        self.assertLess(report["profile"]["whole_stacks_percent"], 50, stacks)
        self.assertGreater(self.share(stacks, "wide", "wide", "spend"), 0.5, stacks)
        limits = {limit["what"]: limit["reason"] for limit in report["limits"]}
        self.assertIn("copied", limits["the outer frames of some stacks"])

    def test_others(self):
        """Processes of other users, and the whole host, need privilege."""
        target = self.start("sleep", "600")
        run = self.nobody("profile", "-d", "0.2", str(target.pid), status=3)
        self.assert_says_three_lines(run, "own processes", "root")
        for words in (("--all",), ("-u", "root")):
            run = self.nobody("profile", "-d", "0.2", *words, status=3)
            self.assert_says_three_lines(run, "cap_bpf", "cap_perfmon", "root")

    def test_evidence(self):
        """The finding names the function, though system calls are refused."""
        target = self.start(self.programs["profile-tables"], "threads", "600", **as_nobody())
        wait_until(lambda: len(os.listdir("/proc/%d/task" % target.pid)) == 3, "its threads to run")
        report = self.nobody("diagnose", "-j", "--duration", "3", str(target.pid), status=None).json()
        sources = {source["probe"]: source["method"] for source in report["sources"]}
        self.assertEqual(sources.get("profile"), "perf", sources)
        self.assertNotIn("syscalls", sources)
        process, = [p for p in report["processes"] if p["pid"] == target.pid]
        spins = [f for f in process["findings"] if f["id"] == "cpu-spin"]
        for spin in spins: # a busy machine may not let it spin
            self.assertIn("work", [e.get("text", "") for e in spin["evidence"]
                                   if e["name"] == "hottest function"][0])


if __name__ == "__main__":
    harness.main()
