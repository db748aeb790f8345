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
FINDINGS = os.environ.get("EXAMPLE_FINDINGS", "")
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
        def by_pid(rows):  # ps has the busiest first, and agents of other tests may run
            return sorted(rows, key=lambda row: row["pid"])
        wanted = by_pid(self.of_program(kept))
        rows = by_pid(self.run_program(AGENTS, kept).lines())
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


# Of the descriptors it may have few are left; or most are.
NEAR = """
import os, resource, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(int(sys.argv[1]))]
print("ready", flush=True)
time.sleep(600)
"""


class Findings(Case):
    def setUp(self):
        super().setUp()
        self.sick, self.healthy = (self.python(NEAR, str(count)) for count in (58, 5))

    def python(self, program, *words):
        process = self.start(sys.executable, "-c", program, *words)
        process.wait_for_output(b"ready\n")
        return process

    @staticmethod
    def told(run):
        """[state, severity, id, pid, claim], and the figures below it: {name: text}"""
        found = []
        for line in run.text.splitlines():
            if line.startswith("\t"):
                found[-1][1].update([line[1:].split(": ", 1)])
            else:
                found.append((line.split(" ", 4), {}))
        return found

    def test_live(self):
        found = self.told(self.run_program(FINDINGS, "1", str(self.sick.pid), status=1))
        (claim, figures), = [one for one in found if one[0][2] == "fd-limit-near"]
        self.assertEqual(claim[3], str(self.sick.pid))
        self.assertEqual(figures["soft limit"], "64")
        run = self.run_program(FINDINGS, "1", str(self.healthy.pid), status=None)
        self.assertIn(run.status, (0, 1))  # the host may have something
        self.assertEqual([one for one in self.told(run) if one[0][3] != "-"], [])

    def test_the_same_of_a_capture(self):
        kept = self.path("kept.sooth")
        report = self.sooth("diagnose", "-j", "--duration", "1", "--save", kept,
                            str(self.sick.pid), str(self.healthy.pid)).json()
        wanted = [(str(process["pid"]), one) for process in report["processes"]
                  for one in process["findings"]]
        wanted += [("-", one) for one in report["host"]["findings"]]
        found = self.told(self.run_program(FINDINGS, kept, status=1))
        self.assertIn("fd-limit-near", [claim[2] for claim, _ in found])
        self.assertCountEqual(
            [(claim[1:], figures) for claim, figures in found],
            [([one["severity"], one["id"], pid, one["claim"]],
              {figure["name"]: figure["text"] for figure in one["evidence"]})
             for pid, one in wanted])

    def test_wrong_words(self):
        self.assertIn("usage: findings", self.run_program(FINDINGS, status=2).errors)
        self.assertIn("cannot ", self.run_program(FINDINGS, "/etc/hostname", status=2).errors)


if __name__ == "__main__":
    harness.main()
