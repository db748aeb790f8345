# SPDX-License-Identifier: BSD-2-Clause
"""What holds for every command and every capture: no key of an object stands twice, and a filter is
taken by each field of each table that is told, and by no other."""
import os
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import export_case
import harness
from export_case import COUNTED, DIAGNOSED, HEAP, STREAMED, ExportCase
from harness import needs_bpf, needs_root

COMMANDS = ("report", "ps", "ps -a", "trace", "trace -c", "trace --io --network --process --memory",
            "heap", "diagnose", "timeline", "inspect", "status")
CAPTURES = (STREAMED, DIAGNOSED, HEAP, COUNTED, os.path.join(export_case.CAPTURES, "cut.sooth"))
# Commands that observe for long: they say beforehand by what can be filtered.
LONG = ("trace", "trace -c", "trace --io", "ps", "diagnose", "timeline", "heap")


class Reports(ExportCase):
    def run_on(self, command, capture, *more):
        """Its report or lines; None where the capture has nothing for it."""
        run = self.sooth(*shlex.split(command), "-j", *more, capture, status=None)
        if run.status:
            self.assertEqual((run.out, run.status in (2, 4, 5)), (b"", True), run)
            return None
        return run.lines() if command == "trace" else run.json()

    def test_no_key_stands_twice(self):
        told = 0
        for command in COMMANDS:
            for capture in CAPTURES:
                told += self.run_on(command, capture) is not None
        self.assertGreater(told, len(COMMANDS) * 3)

    @needs_root
    @needs_bpf
    def test_of_every_probe(self):
        """All that views can tell, in one report."""
        capture = self.path("all.sooth")
        probes = ("proc,context,fds,sockets,maps,threads,signals,limits,environment,host,ends,"
                  "syscalls,heap,exits")
        self.sooth("record", "--probe", probes, "--stream", "-o", capture, "--", "/bin/ls", "/")
        report = self.sooth("report", "-j", capture).json()
        self.assertLessEqual({"memory", "map_memory"}, set(report))
        for command in COMMANDS:
            self.run_on(command, capture)
            self.filter_all(command, capture)

    def tables(self, told):
        """The fields of tables: of those that have rows. A key is a member, and no field."""
        if isinstance(told, list):
            lines = {}
            for line in told[1:-1]:
                lines.setdefault(line.pop("type"), []).append(line)
            told = {name: rows for name, rows in lines.items() if name == "call"}
        return {name: [field for field in rows[0] if field not in ("not_measured", "key")]
                for name, rows in told.items()
                if isinstance(rows, list) and rows and isinstance(rows[0], dict)}

    def filter_all(self, command, capture):
        tables = self.tables(self.run_on(command, capture) or {})
        for fields in tables.values():
            # What nothing is like: every value is one of the other side.
            text = " or ".join("(%s ~ x or %s !~ x)" % (field, field) for field in fields[:24])
            self.sooth(*shlex.split(command), "-j", "--filter", text, capture)
        return len(tables)

    def test_a_filter_by_what_is_told(self):
        tables = sum(self.filter_all(command, capture)
                     for command in COMMANDS for capture in CAPTURES)
        self.assertGreater(tables, 60)

    def test_a_filter_by_what_is_not(self):
        """Before anything is read: the capture is not there."""
        for command in LONG:
            run = self.sooth(*command.split(), "--filter", "none_such = 1", "/none.sooth", status=2)
            self.assertEqual(run.out, b"")
            self.assert_says_three_lines(run, "none_such", "no table", "-j")
        run = self.sooth("trace", "--filter", "duration_n > 5ms", "/none.sooth", status=2)
        self.assert_says_three_lines(run, "did you mean duration_ns?")
        run = self.sooth("trace", "-c", "--filter", "count > 1 and errno = 1 and path ~ x",
            "/none.sooth", status=2)
        self.assert_says_three_lines(run)
        self.sooth("trace", "--filter", "errno != 0", "/none.sooth", status=4)
        # By its name in version 1 of the schemas.
        self.sooth("timeline", "--filter", "lane ~ x", "/none.sooth", status=4)

    def test_nothing_is_told_before_it_is_refused(self):
        """Also where it is known only when all views have told what they have."""
        capture, other = self.path("capture"), self.path("other")
        for name in (capture, other):
            self.sooth("ps", "-a", "-i", "0", "--save", name)
        me = str(os.getpid())
        for words in (["report", capture], ["status", capture], ["status", "-i", "1ms"], ["diff", capture, other],
                      ["inspect", "-p", me, capture], ["inspect", "--limits", me], ["diagnose", "--quick", me],
                      ["doctor"], ["query", capture, "--tables"], ["query", capture, "SELECT 1 AS a"],
                      ["ps", "--list-agents"], ["diagnose", "--list-findings"]):
            for how in ([], ["-j"], ["--format", "csv"], ["-o", self.path("report")]):
                with self.subTest(words, how=how):
                    run = self.sooth(*words, *how, "--filter", "none_such = 1", status=2)
                    self.assertEqual(run.out, b"")
                    self.assert_says_three_lines(run, "none_such")
        self.assertEqual(sorted(os.listdir(self.folder)), ["capture", "other"])

    def test_what_is_filtered_is_told_or_it_fails(self):
        """It is held until it is known to be a report; then all of it is written."""
        capture = self.path("capture")
        self.sooth("ps", "-a", "-i", "0", "--save", capture)
        for words in (["report", capture], ["doctor"], ["query", capture, "SELECT pid FROM proc_process"]):
            field = "name" if words == ["doctor"] else "pid"
            words += ["--filter", "%s ~ x or %s !~ x" % (field, field)]
            text = self.sooth(*words).text
            self.sooth(*words, "-o", self.path("report"))
            self.assertEqual(harness.read(self.path("report")).decode().splitlines()[0], text.splitlines()[0])
            run = self.run_program("/bin/sh", "-c", '"$0" "$@" >/dev/full', harness.SOOTH, *words, status=5)
            self.assert_says_three_lines(run, "No space left")
            run = self.run_program("/bin/sh", "-c", '"$0" "$@" >&-', harness.SOOTH, *words, status=5)
            self.assert_says_three_lines(run, "Bad file descriptor")

    def test_nothing_is_launched_for_it(self):
        for command in ("trace", "heap", "timeline"):
            run = self.sooth(command, "--filter", "none_such", "-o", self.path("x.svg"),
                "--save", self.path("y"), "--", "/bin/touch", self.path("touched"), status=2)
            self.assert_says_three_lines(run, "none_such")
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    harness.main()
