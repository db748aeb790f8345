# SPDX-License-Identifier: BSD-2-Clause
"""Who may not, and what is not there."""
import json
import os
import signal
import subprocess
import time

import harness
from harness import Case, as_nobody, needs_bpf, needs_root
from heap_case import GLIBC, HeapCase, last_json, one, perf_events, truth_calls


@needs_root
class Unprivileged(Case):
    def test_says_what_is_missing(self):
        program = self.copy_for_all(harness.SOOTH)
        for argv in (["heap", "-p", str(os.getpid())], ["heap", "--", "/bin/true"],
                     ["heap", "--count", "--", "/bin/true"],
                     ["record", "--probe", "heap", "-o", self.path("never"), "--", "/bin/true"]):
            run = self.run_program(program, *argv, status=3, cwd=self.folder, **as_nobody())
            self.assert_says_three_lines(run, "root")
            self.assertEqual(run.out, b"")

    def test_the_command_does_not_run_unseen(self):
        program, mark = self.copy_for_all(harness.SOOTH), self.path("mark")
        self.run_program(program, "heap", "--", "/bin/sh", "-c", "echo ran >" + mark, status=3,
                         cwd=self.folder, **as_nobody())
        self.assertFalse(os.path.exists(mark))


@needs_bpf
class Edges(HeapCase):
    def test_no_such_process(self):
        run = self.sooth("heap", "-p", "4194304", status=None)
        self.assertIn(run.status, (2, 4), run)

    def test_a_process_that_waits(self):
        """Stacks were recorded, of no call: to ask for them again would not help."""
        target = self.start("/bin/sleep", "60")
        text = self.sooth("heap", "--stack", "-d", "0.3", "-p", str(target.pid)).text
        self.assertIn("no allocation was seen; observe longer", text)
        self.assertNotIn("--stack PID", text)

    def test_a_process_without_memory(self):
        """It is there, so its name is not doubted."""
        zombie = self.start("/bin/sh", "-c", "sleep 0 & exec sleep 60")
        children = "/proc/%d/task/%d/children" % (zombie.pid, zombie.pid)
        harness.wait_until(lambda: [pid for pid in map(int, harness.read(children).split())
                                    if harness.process_state(pid) == "Z"], "a zombie")
        for pid, why in ((int(harness.read(children)), "has ended"), (2, "kernel thread")):
            with self.subTest(why):
                if pid == 2 and harness.read("/proc/2/comm").strip() != b"kthreadd":
                    self.skipTest("no kernel threads here")
                self.assert_says_three_lines(self.sooth("heap", "-p", str(pid), status=4), why)

    def test_a_program_without_an_allocator(self):
        """Nothing to probe is no silence: zero calls are told as not measured, or refused."""
        if not harness.COMPAT32 or not os.path.exists(harness.COMPAT32):
            self.skipTest(harness.NO_32_BITS)
        run = self.sooth("heap", "-j", "--", harness.COMPAT32, status=None)
        if run.status == 0:
            self.assertIn("limits", last_json(run.text))
            self.assertTrue(last_json(run.text)["limits"], run)
        else:
            self.assertEqual(run.status, 3, run)

    def test_status_of_the_command(self):
        run = self.sooth("heap", "--count", "--", "/bin/sh", "-c", "exit 7", status=7)
        self.assertIn("malloc", run.text)

    def test_duration(self):
        target = self.held_workload(GLIBC, "heap_storm", "--seconds", "3600", "--rate", "1000")
        target.say(b"go\n")
        report = self.sooth("heap", "-j", "--count", "--duration", "0.5", "-p",
                            str(target.pid)).json()
        self.assertGreater(one(report["heap_totals"])["calls"], 100)
        self.assertTrue(target.is_running(), "its time is over, and the target's was not")

    def test_interrupted_with_the_result_so_far(self):
        target = self.held_workload(GLIBC, "heap_storm", "--seconds", "3600", "--rate", "1000")
        target.say(b"go\n")
        sooth = self.attach(target.pid, "-o", self.path("events"))
        time.sleep(0.5)
        sooth.send(signal.SIGINT)
        report = self.report_of(sooth)
        self.assertEqual(len(self.read_events()), one(report["heap_totals"])["calls"])

    def test_children_that_end_at_once(self):
        """They are gone before anybody can look at them: still nothing is missing, nor said to be."""
        run = self.sooth("heap", "-j", "--count", "--", "/bin/sh", "-c",
                         "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done")
        report = last_json(run.text)
        self.assertEqual((report["heap_gaps"], report["loss"], one(report["heap_totals"])["inexact"]),
                         ([], [], None))

    def test_a_path_with_blanks(self):
        """Definitions in tracefs are split at blanks; a path is not."""
        folder = self.path("a folder\twith blanks")
        os.mkdir(folder)
        copy = os.path.join(folder, "heap static")
        harness.shutil.copyfile(self.program("heap-plain-static"), copy)
        os.chmod(copy, 0o755)
        run = self.sooth("heap", "-j", "--count", "--", copy)
        # Its own 1500, and what the static C library does at its start.
        self.assertIn(one(last_json(run.text)["heap_totals"])["calls"], range(1500, 1520))

    def test_nothing_to_probe(self):
        """A stripped static program has no allocator that could be found: no zeros then."""
        copy = self.path("stripped")
        subprocess.run(["strip", "-o", copy, self.program("heap-plain-static")], check=True)
        run = self.sooth("heap", "-j", "--", copy)
        totals = one(last_json(run.text)["heap_totals"])
        for name in ("calls", "allocated_bytes", "freed_bytes", "live_bytes", "peak_bytes"):
            self.assertIsNone(totals[name], name)
        text = self.sooth("heap", "--", copy).text
        self.assertIn("no allocator function was found", text)
        self.assertNotIn("nothing was allocated", text)

    def test_a_child_with_nothing_to_probe(self):
        """A stripped static program among others: what they allocate is counted, and not exact."""
        copy = self.path("stripped")
        subprocess.run(["strip", "-o", copy, self.program("heap-plain-static")], check=True)
        for program, is_seen in ((copy, False), (self.program("heap-plain-static"), True)):
            with self.subTest(is_seen):
                # Not the last command, which the shell would exec.
                run = self.sooth("heap", "-j", "--", "/bin/sh", "-c", program + "; exit 0")
                report = last_json(run.text)
                totals = one(report["heap_totals"])
                self.assertGreater(totals["calls"], 10)
                self.assertEqual("without allocator symbols" in (totals["inexact"] or ""),
                                 not is_seen, totals)
                about = [row for row in report["limits"] if copy in json.dumps(row)]
                self.assertEqual(len(about), 0 if is_seen else 1, report["limits"])

    def test_managed_heaps(self):
        """What malloc does not show is named, with its process and what shows it."""
        script = "let kept = []; setInterval(() => kept.push({}), 10); console.log('ready')"
        python = "print('ready', flush=True); import time; time.sleep(60)"
        for command, more, what in ((["node", "-e", script], {}, "the JavaScript heap of node "),
                                    (["/usr/bin/python3", "-c", python], {}, "small objects of Python of python3 "),
                                    (["/usr/bin/python3", "-c", python], {"PYTHONMALLOC": "malloc"}, None)):
            if not harness.shutil.which(command[0]):
                continue
            with self.subTest(command[0], **more):
                target = self.start(*command, env=dict(os.environ, **more))
                target.wait_for_output(b"ready")
                # The page faults that the first answer is of have it; of calls alone it says what shows it.
                for options, suffix, remedy in (((), " in the calls", "the page faults have it; "),
                                                (("--count",), "", "sooth heap --pages -d 10 -p %d" % target.pid)):
                    report = self.sooth("heap", *options, "-j", "-d", "0.3", "-p", str(target.pid)).json()
                    named = [row for row in report["limits"] if " heap of " in row["what"] or "objects of" in row["what"]]
                    self.assertEqual([row["what"] for row in named], [what + str(target.pid) + suffix] if what else [])
                    if what:
                        self.assertIn(remedy, named[0]["remedy"])

    def test_a_deleted_executable(self):
        copy = self.path("gone")
        harness.shutil.copyfile(self.program("heap-own"), copy)
        os.chmod(copy, 0o755)
        target = self.start(copy, "heap", "--turns", "3000", "--hold", "--truth",
                            self.path("truth"))
        target.wait_for_output(b"ready\n")
        os.unlink(copy)
        # Its file can only be compared through the process: see that its events are there.
        sooth = self.start_sooth("heap", "-j", "--count", "-p", str(target.pid))
        harness.wait_until(lambda: not sooth.is_running() or (
            perf_events(sooth.pid) >= 2 and harness.is_polling(sooth.pid)), "sooth to attach")
        self.let_go(target)
        self.assert_calls(self.report_of(sooth), truth_calls(self.truth()))


if __name__ == "__main__":
    harness.main()
