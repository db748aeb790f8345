# SPDX-License-Identifier: BSD-2-Clause
"""What strangers write on the public headers tells what the program tells: examples/."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness
from harness import Case, needs_bpf

AGENTS = os.environ.get("EXAMPLE_AGENTS", "")
CALLS = os.environ.get("EXAMPLE_CALLS", "")
# Of a row what does not move between two looks.
STILL = ("pid", "ppid", "agent", "version", "role", "project", "session_id", "is_orphaned",
         "command")


class Agents(Case):
    def setUp(self):
        super().setUp()
        started = []
        for name in ("bin/claude", ".opencode/bin/opencode"):
            os.makedirs(os.path.dirname(self.path(name)))
            shutil.copyfile("/bin/sleep", self.path(name))
            os.chmod(self.path(name), 0o755)
            started.append(self.start(self.path(name), "600"))
        self.pids = {process.pid for process in started}
        for process in started:
            harness.wait_until(lambda p=process: b"600" in harness.read("/proc/%d/cmdline" % p.pid) and
                               p.is_running(), "an agent to run")

    def of_program(self, *words):
        report = self.sooth("ps", "-j", *words).json()
        return [row for row in report["processes"] if row["agent"]]

    def test_the_same_rows_from_a_capture(self):
        kept = self.path("kept.sooth")
        self.sooth("ps", "-j", "--save", kept)
        wanted = self.of_program(kept)
        rows = self.run_program(AGENTS, kept).lines()
        self.assertLessEqual(self.pids, {row["pid"] for row in rows})
        self.assertEqual(rows, [{name: row[name] for name in rows[0]} for row in wanted])

    def test_the_same_processes_live(self):
        rows, wanted = self.run_program(AGENTS).lines(), self.of_program()

        def still(found):
            return sorted([{name: row[name] for name in STILL} for row in found
                           if row["pid"] in self.pids], key=lambda row: row["pid"])
        self.assertEqual(still(rows), still(wanted))
        self.assertEqual({row["agent"] for row in still(rows)}, {"claude", "opencode"})

    def test_what_is_no_capture(self):
        run = self.run_program(AGENTS, "/etc/hostname", status=1)
        self.assertEqual(run.out, b"")
        self.assertIn("cannot ", run.errors)


class Calls(Case):
    def test_usage(self):
        self.assertIn("usage: calls PID", self.run_program(CALLS, status=2).errors)

    @needs_bpf
    def test_it_counts(self):
        target = self.workload("storm", "--rate", "1000", "--seconds", "60")
        target.say(b"go\n")
        run = self.run_program(CALLS, str(target.pid), "1")
        words = run.text.split()
        self.assertGreater(int(words[0]), 0, run)
        self.assertIn(" 0 lost", run.text)


if __name__ == "__main__":
    harness.main()
