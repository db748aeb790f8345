# SPDX-License-Identifier: BSD-2-Clause
"""`sooth status` from outside: without privilege, from a capture, by the program that only reads,
and what it refuses. What it tells of agents, the live tests hold."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness
from harness import SOOTH, SOOTH_NONE, Case

SECTIONS = ("processes", "connections", "load", "memory", "tracers")


class Status(Case):
    def test_the_same_from_its_capture(self):
        kept = self.path("kept.sooth")
        for how in ([], ["-j"], ["--format", "jsonl"]):
            live = self.sooth("status", "-i", "20ms", *how, "--save", kept)
            for program in (SOOTH, SOOTH_NONE):
                again = self.run_program(program, "status", *how, kept)
                self.assertEqual(again.text, live.text, program)
            os.unlink(kept)

    def test_sections(self):
        report = self.sooth("status", "-i", "20ms", "-j").json()
        self.assertEqual(report["schema"]["name"], "status")
        self.assertLessEqual(set(SECTIONS), set(report))
        self.assertEqual(report["process_count"], len(report["processes"]))
        for name in ("timestamp", "hostname", "os_version"):
            self.assertTrue(report[name], name)

    def test_a_capture_without_hosts(self):
        """What was not observed is said, and not 0."""
        kept = self.path("proc.sooth")
        self.sooth("record", "--probe", "proc", "-d", "0.05", "-o", kept, "-p", str(os.getpid()))
        run = self.sooth("status", kept)
        self.assertIn("sooth did not look for tracers", run.text)
        self.assertNotIn("load:", run.text)
        self.assertIn("host: the capture lacks this probe", run.text.replace("(host)", "host"))

    def test_report_shows_the_host(self):
        kept = self.path("host.sooth")
        self.sooth("record", "--probe", "host", "-d", "0.05", "-o", kept, "-p", str(os.getpid()))
        self.assertIn("tracers on this host", self.sooth("report", kept).text)

    def test_an_unknown_agent(self):
        run = self.sooth("status", "--agent", "clade", status=2)
        self.assert_says_three_lines(run, "clade")

    def test_a_command(self):
        run = self.sooth("status", "--", "true", status=2)
        self.assert_says_three_lines(run)

    def test_by_none(self):
        """The program without a system refuses to look, in three lines."""
        run = self.run_program(SOOTH_NONE, "status", status=3)
        self.assert_says_three_lines(run)


class ClaudeStatus(Case):
    def setUp(self):
        super().setUp()
        self.name = self.path("claude-status")
        os.symlink(SOOTH, self.name)

    def test_what_it_takes(self):
        self.assertIn(b"Usage: claude-status [-j]", self.run_program(self.name, "-h").out)
        self.assertIn(b"claude-status (sooth)", self.run_program(self.name, "-V").out)
        report = self.run_program(self.name, "-j").json()
        self.assertLessEqual(set(SECTIONS), set(report))
        # Or what one left behind, which other tests may have made.
        self.assertLessEqual({row["agent"] or row["session_agent"] for row in report["processes"]},
                             {"claude"})
        self.assertIn(b"tracers on this host", self.run_program(self.name).out)

    def test_what_it_refuses(self):
        for words in (["--save", "x"], ["1"], ["-q"]):
            run = self.run_program(self.name, *words, status=2)
            self.assert_says_three_lines(run, words[0])


if __name__ == "__main__":
    harness.main()
