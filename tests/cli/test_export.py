# SPDX-License-Identifier: BSD-2-Clause
"""sooth export: each format against what `sooth trace` and `sooth report` tell of the same capture,
read by who will read it: Python's csv, json and sqlite3."""
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import stat
import sys
import unittest

import export_case
import harness
from export_case import COUNTED, DIAGNOSED, HEAP, STREAMED, ExportCase
from harness import needs_bpf

GOLDEN = os.path.join(export_case.HERE, "golden")


class Goldens(ExportCase):
    """What came of a capture that never changes. To make them anew: GOLDEN=make."""

    def compare(self, name, text):
        path = os.path.join(GOLDEN, name)
        if os.environ.get("GOLDEN") == "make":
            with open(path, "w", newline="") as file:
                file.write(text)
        with open(path, newline="") as file:
            self.assertEqual(text, file.read())

    def test_folded(self):
        self.compare("streamed.folded", self.export("folded", STREAMED).text)

    def test_chrome(self):
        self.compare("streamed.json", self.export("chrome", STREAMED).text)

    def test_csv(self):
        self.compare("streamed.csv",
            self.export("csv", STREAMED, "--table", "syscalls_call").text)

    def test_jsonl(self):
        self.compare("heap.jsonl", self.export("jsonl", HEAP, "--table", "heap_call",
            "--table", "loss", "--table", "heap_site").text)


class Rows(ExportCase):
    """The same rows in each format."""

    def check_all(self, capture):
        rows = self.tables(capture)
        self.export("sqlite", capture, "-o", self.path("x.db"))
        self.export("csv", capture, "-o", self.path("csv") + "/")
        with sqlite3.connect(self.path("x.db")) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
            self.assertEqual(names, set(rows) | {"columns"})
            for name, wanted in rows.items():
                self.check_table(db, name, wanted)
        self.assertEqual({name[:-4] for name in os.listdir(self.path("csv"))}, set(rows))
        return rows

    def check_table(self, db, name, wanted):
        cursor = db.execute('SELECT * FROM "%s"' % name)
        columns = [c[0] for c in cursor.description]
        self.assertEqual([dict(zip(columns, row)) for row in cursor],
            [{c: self.as_sql(row.get(c)) for c in columns} for row in wanted], name)
        self.assertEqual(columns, [c for (c,) in db.execute(
            "SELECT column_name FROM columns WHERE table_name = ? ORDER BY rowid", (name,))])
        with open(os.path.join(self.path("csv"), name + ".csv"), newline="") as file:
            lines = list(csv.reader(file))
        self.assertEqual(lines[0], columns)
        self.assertEqual(len(lines) - 1, len(wanted), name)
        for line, row in zip(lines[1:], wanted):
            for column, cell in zip(columns, line):
                self.check_cell(cell, row.get(column))

    @staticmethod
    def as_sql(value):
        if isinstance(value, (list, dict)):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace(
                "<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        if isinstance(value, int) and value >= 1 << 63:
            return str(value)  # SQLite has no such number, and must not make an inexact one
        return int(value) if isinstance(value, bool) else value

    def check_cell(self, cell, value):
        if value is None:
            self.assertEqual(cell, "")
        elif isinstance(value, bool):
            self.assertEqual(cell, "true" if value else "false")
        elif isinstance(value, (list, dict)):
            self.assertEqual(json.loads(cell), value)
        elif isinstance(value, (int, float)):
            self.assertEqual(type(value)(cell), value)
        elif value.isprintable():
            self.assertEqual(cell, "'" + value if value[:1] in "=+-@" and value else value)

    def test_streamed(self):
        rows = self.check_all(STREAMED)
        calls = self.calls(STREAMED)
        self.assertEqual([(c["call"], c["time_ns"], c["tid"], c["duration_ns"])
                          for c in rows["syscalls_call"]],
            [(c["name"], c["time_ns"], c["tid"], c["duration_ns"]) for c in calls])

    def test_diagnosed(self):
        rows = self.check_all(DIAGNOSED)
        report = self.sooth("report", "-j", DIAGNOSED).json()
        for name, key in (("processes", "processes"), ("maps", "maps"), ("fds_fds", "fds")):
            self.assertEqual(len(rows[name]), len(report[key]))
        judged = self.sooth("diagnose", "-j", DIAGNOSED).json()
        self.assertEqual([(f["id"], f["text"]) for f in rows["finding_fine"] if f["pid"]],
            [(f["id"], f["text"]) for p in judged["processes"] for f in p["fine"]])

    def test_heap(self):
        rows = self.check_all(HEAP)
        loss = [(r["source"], r["records"], r["reason"]) for r in rows["loss"]]
        self.assertEqual(loss, [("heap", 3, "full")])

    def test_why_there_is_no_value(self):
        """A reason wherever the report has one; NULL stands for nothing else."""
        rows = self.tables(DIAGNOSED)
        told = [row["not_measured"] for table in rows.values() for row in table
                if "not_measured" in row]
        self.assertTrue(told)
        for table in rows.values():
            for row in table:
                for field, reason in row.get("not_measured", {}).items():
                    self.assertTrue(reason)
                    self.assertIn(field, row)
                    if reason != "truncated":
                        self.assertIsNone(row[field])

    def test_definitions_stand_once(self):
        """Each segment repeats them."""
        with open(self.path("twice"), "wb") as file:
            file.write(harness.read(STREAMED) * 2)
        once, twice = self.tables(STREAMED), self.tables(self.path("twice"))
        self.assertEqual(len(twice["syscalls_call"]), 2 * len(once["syscalls_call"]))
        self.assertEqual(twice["stream_schema"], once["stream_schema"])

    def test_calls_in_words(self):
        """Only when they are asked for: they say again what the records say."""
        self.assertNotIn("call", self.tables(STREAMED))
        told = self.tables(STREAMED, "--table", "call")
        self.assertEqual(set(told), {"call"})
        self.assertEqual([c["arguments"] for c in told["call"]],
            [c["arguments"] for c in self.calls(STREAMED)])

    def test_of_one_process(self):
        pid = self.calls(STREAMED)[0]["pid"]
        self.assertEqual(len(self.tables(STREAMED, "-p", str(pid))["syscalls_call"]),
            len(self.calls(STREAMED)))
        self.assert_says_three_lines(
            self.export("jsonl", STREAMED, "-p", "1", "-o", self.path("x"), status=4))
        self.assertFalse(os.path.exists(self.path("x")))


class Folded(ExportCase):
    def test_as_trace_has_it(self):
        for weight in ([], ["--weight", "calls"]):
            self.sooth("trace", "--folded", self.path("x"), *weight, STREAMED)
            self.assertEqual(self.export("folded", STREAMED, *weight).out,
                harness.read(self.path("x")))
        lines = self.export("folded", STREAMED, "--weight", "calls").text.splitlines()
        unfinished = [c for c in self.calls(STREAMED) if c["result"] is None]
        self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in lines),
            len(self.calls(STREAMED)) - len(unfinished))

    def test_what_did_not_return(self):
        """Is in no stack, and that is said wherever stacks are written."""
        unfinished = [c for c in self.calls(STREAMED) if c["result"] is None]
        self.assertEqual(len(unfinished), 1)
        told = "not measured: 1 call that did not return: "
        self.assertIn(told, self.export("folded", STREAMED).errors)
        self.assertIn(told, self.sooth("trace", "--folded", self.path("x"), STREAMED).errors)
        run = self.sooth("trace", "--flamegraph", "-o", self.path("x.svg"), STREAMED)
        # The picture has a place for notes.
        self.assertEqual(run.errors, "sooth: wrote %s and %s\n"
            % (self.path("x.svg"), self.path("x.folded")))
        self.assertEqual(run.out, b"")
        self.assertIn(told, harness.read(self.path("x.svg")).decode())
        shutil.copy(STREAMED, self.path("other.sooth"))
        self.sooth("diff", "--flamegraph", "-o", self.path("d.svg"), STREAMED,
            self.path("other.sooth"))
        text = harness.read(self.path("d.svg")).decode()
        for name in (STREAMED, "other.sooth"):
            self.assertRegex(text, "1 call that did not return of [^:<]*" + re.escape(name))
        # Those that were counted are told apart: none of them was left out.
        self.sooth("trace", "--flamegraph", "-o", self.path("c.svg"), COUNTED)
        self.assertNotIn("did not return", harness.read(self.path("c.svg")).decode())

    def test_a_picture_of_two_as_png(self):
        shutil.copy(STREAMED, self.path("other.sooth"))
        self.sooth("diff", "--flamegraph", "-o", self.path("d.png"), STREAMED, self.path("other.sooth"))
        self.assertEqual(harness.read(self.path("d.png"))[:8], b"\x89PNG\r\n\x1a\n")
        self.sooth("diff", "--flamegraph", "-o", self.path("d.svg"), STREAMED, self.path("other.sooth"))
        self.assertRegex(harness.read(self.path("d.svg")).decode(),
            r"streamed.sooth \(\d+ calls, 0 records lost\), then ")

    def test_a_picture_of_two(self):
        """For how long each was observed, what the first is taken for, and what of them was lost."""
        long, cut = self.path("long.sooth"), self.path("cut.sooth")
        self.run_program(os.environ["LENGTHEN_CAPTURE"], STREAMED, long, "40", "12000")
        data = harness.read(long)
        with open(cut, "wb") as file:
            file.write(data[:len(data) * 3 // 4])

        def told(first, second):
            self.sooth("diff", "--flamegraph", "-o", self.path("d.svg"), first, second)
            return harness.read(self.path("d.svg")).decode()

        def length(path):
            return self.sooth("report", "-v", path).text.split("observed for ", 1)[1].split(",", 1)[0]

        text = told(STREAMED, long)
        self.assertIn("first observed for %s and scaled to %s as the second" % (length(STREAMED), length(long)), text)
        self.assertNotEqual(length(STREAMED), length(long))
        self.assertNotIn("all calls of", text)
        text = told(cut, long)
        self.assertIn("first observed for %s and scaled to %s as the second" % (length(cut), length(long)), text)
        self.assertIn("all calls of %s: records of this capture were lost, or it was cut off (number unknown)" % cut, text)
        self.assertNotIn("all calls of %s" % long, text)

    def test_without_calls(self):
        """No file is better than an empty one."""
        for capture in (COUNTED, HEAP):
            run = self.export("folded", capture, "-o", self.path("x"), status=2)
            self.assert_says_three_lines(run, "--stream")
            self.assertFalse(os.path.exists(self.path("x")))
            run = self.export("folded", capture, status=2)
            self.assertEqual(run.out, b"")


class PictureNames(ExportCase):
    """A name says what a picture is; one that says something else is no picture's."""

    def test_flamegraphs(self):
        for name in ("x.jpg", "x", "x.SVG", ".svg", "x.svg.gz"):
            for words in (["trace", STREAMED], ["diagnose", STREAMED], ["diff", STREAMED, COUNTED]):
                run = self.sooth(words[0], "--flamegraph", "-o", self.path(name), *words[1:],
                    status=2)
                self.assert_says_three_lines(run, name, ".svg", ".png", "-o - ")
        self.assertEqual(os.listdir(self.folder), [])
        self.sooth("trace", "--flamegraph", "-o", "/dev/null", STREAMED)
        self.assertFalse(os.path.exists("/dev/null.folded"))
        run = self.sooth("trace", "--flamegraph", "-o", "-", STREAMED)
        self.assertTrue(run.out.startswith(b"<?xml"))

    def test_timelines(self):
        for name in ("x.jpg", "x.SVG", "x.pdf"):
            run = self.sooth("timeline", "-o", self.path(name), DIAGNOSED, status=2)
            self.assert_says_three_lines(run, name, ".svg", ".png", "-o - ")
        self.assertEqual(os.listdir(self.folder), [])
        self.sooth("timeline", "-o", self.path("x.svg"), DIAGNOSED)
        self.assertTrue(harness.read(self.path("x.svg")).startswith(b"<?xml"))
        self.sooth("timeline", "-j", "-o", self.path("x.json"), DIAGNOSED)
        json.loads(harness.read(self.path("x.json")))
        self.assertEqual(harness.read(self.path("x.json")),
            self.sooth("timeline", "-j", "-o", "-", DIAGNOSED).out)


class Chrome(ExportCase):
    def events(self, capture, phase=None):
        trace = json.loads(self.export("chrome", capture).text)
        return [e for e in trace["traceEvents"] if phase in (None, e["ph"])]

    def test_calls(self):
        """One event each, to the nanosecond, where the call began."""
        def nanoseconds(value):
            return round(value * 1000)

        self.assertEqual([(e["name"], e["cat"], e["tid"], nanoseconds(e["ts"] + e["dur"]),
                           nanoseconds(e["dur"])) for e in self.events(STREAMED, "X")],
            [(c["name"], c["category"], c["tid"], c["time_ns"], c["duration_ns"])
             for c in self.calls(STREAMED)])

    def test_they_do_not_overlap(self):
        """A thread is in one call at a time."""
        ends = {}
        for e in sorted(self.events(STREAMED, "X"), key=lambda e: e["ts"]):
            self.assertGreaterEqual(e["ts"] + 1e-6, ends.get(e["tid"], 0))
            ends[e["tid"]] = e["ts"] + e["dur"]

    def test_names(self):
        named = {(e["pid"], e["tid"]) for e in self.events(STREAMED, "M")
                 if e["name"] == "thread_name"}
        self.assertTrue({(e["pid"], e["tid"]) for e in self.events(STREAMED, "X")} <= named)

    def test_counters(self):
        samples = self.tables(DIAGNOSED)["proc_process"]
        counters = self.events(DIAGNOSED, "C")
        rss = [e["args"]["rss_bytes"] for e in counters if e["name"] == "rss_bytes"]
        self.assertEqual(rss, [s["rss_bytes"] for s in samples])
        cpu = [e for e in counters if e["name"] == "cpu_percent"]
        self.assertEqual(len(cpu), len(samples) - len({s["pid"] for s in samples}))

    def test_loss_is_marked(self):
        marks = [e for e in self.events(HEAP, "i") if e["cat"] == "loss"]
        self.assertEqual([m["args"]["records"] for m in marks], [3])

    @needs_bpf
    def test_lives(self):
        """Of live children, one of them still there at the end; and of a `--save` as of a record."""
        self.sooth("trace", "--save", self.path("x.sooth"), "-o", self.path("x.txt"), "-d", "2",
            "--", "/bin/sh", "-c", "/bin/true; /bin/ls / > /dev/null; "
            "sleep 100 > /dev/null 2>&1 & exit 3", status=3)
        spans = [e for e in self.events(self.path("x.sooth")) if e["ph"] in "be"]
        begun = {e["id"] for e in spans if e["ph"] == "b"}
        self.assertEqual(len(begun), 3)
        self.assertEqual(begun, {e["id"] for e in spans if e["ph"] == "e"})
        self.assertEqual(len([e for e in spans if e["args"].get("still_running")]), 1)
        for pid in {e["pid"] for e in spans if e["args"].get("still_running")}:
            os.kill(pid, 9)

    @needs_bpf
    def test_hostile_names(self):
        """Names that would end a string, a row, a page or a statement."""
        name = "a\"b\\c</script>\x1b[31m,'; DROP TABLE x--\n\xff"
        raw = name.encode("latin-1")
        folder = os.path.join(os.fsencode(self.folder), raw.replace(b"/", b"_"))
        os.mkdir(folder)
        self.sooth("record", "--stream", "--probe", "syscalls,proc", "-o", self.path("x.sooth"),
            "--", sys.executable, "-c", "import os,sys; os.stat(os.fsencode(sys.argv[1]))",
            folder)
        self.assertTrue(any("</script" not in e["args"].get("path", "") and "DROP TABLE" in
            e["args"].get("path", "") for e in self.events(self.path("x.sooth"), "X")))
        self.assertNotIn(b"\x1b", self.export("csv", self.path("x.sooth"), "--table",
            "syscalls_call").out)
        self.export("sqlite", self.path("x.sooth"), "-o", self.path("x.db"))
        with sqlite3.connect(self.path("x.db")) as db:
            found = db.execute("SELECT path FROM syscalls_call WHERE path LIKE '%DROP%'").fetchall()
            self.assertTrue(found)
            self.assertIn("\ufffd", found[0][0])


class Files(ExportCase):
    FORMATS = ("folded", "chrome", "csv", "jsonl", "json-schema", "sqlite")

    def more(self, format_):
        return ["--table", "syscalls_call"] if format_ == "csv" else []

    def test_private(self):
        for format_ in self.FORMATS:
            path = self.path(format_)
            self.export(format_, STREAMED, *self.more(format_), "-o", path)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.export("csv", STREAMED, "-o", self.path("folder/"))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("folder")).st_mode), 0o700)
        for name in os.listdir(self.path("folder")):
            self.assertEqual(stat.S_IMODE(os.stat(self.path("folder/" + name)).st_mode), 0o600)
        self.assertEqual(len(os.listdir(self.folder)), len(self.FORMATS) + 1)

    def test_links_are_not_followed(self):
        os.symlink(self.path("elsewhere"), self.path("link"))
        for format_ in self.FORMATS:
            run = self.export(format_, STREAMED, *self.more(format_), "-o", self.path("link"),
                status=5)
            self.assert_says_three_lines(run, "symbolic link", "remove the link")
            self.assertNotIn("standard output", run.errors)  # which not every one of them can
        self.assertFalse(os.path.exists(self.path("elsewhere")))

    def test_the_old_file_stays(self):
        """When there is nothing to put in its place."""
        for format_ in self.FORMATS:
            with open(self.path("old"), "w") as file:
                file.write("old")
            run = self.export(format_, "/etc/passwd", *self.more(format_), "-o",
                self.path("old"), status=2)
            self.assert_says_three_lines(run, "not a sooth capture")
            self.assertEqual(harness.read(self.path("old")), b"old")
        self.assertEqual(os.listdir(self.folder), ["old"])

    def test_standard_streams(self):
        capture = harness.read(STREAMED)
        for format_ in ("folded", "chrome", "jsonl"):
            self.assertEqual(self.export(format_, "-", "-o", "-", input=capture).out,
                self.export(format_, STREAMED).out)
        self.assert_says_three_lines(self.export("sqlite", STREAMED, status=2), "-o")
        self.assert_says_three_lines(
            self.export("sqlite", STREAMED, "-o", "/dev/null", status=2), "-o")

    def test_without_privilege(self):
        """And by a sooth for a system it does not know: a capture is all it takes."""
        for format_ in self.FORMATS:
            ours, theirs = self.path(format_ + ".1"), self.path(format_ + ".2")
            self.export(format_, STREAMED, *self.more(format_), "-o", ours)
            self.run_program(harness.SOOTH_NONE, "export", "--format", format_,
                *self.more(format_), "-o", theirs, STREAMED)
            self.assertEqual(harness.read(ours), harness.read(theirs))

    def test_a_cut_capture(self):
        """What is there is exported, and what is not is told."""
        data = harness.read(STREAMED)
        with open(self.path("cut"), "wb") as file:
            file.write(data[:len(data) - 40])
        run = self.export("jsonl", self.path("cut"), "-o", self.path("x"))
        self.assertIn("incomplete", run.errors)
        self.assertIn("cut off in the middle of a block", run.errors)
        self.assertIn(b'"table":"loss"', harness.read(self.path("x")))
        self.assertEqual(self.export("jsonl", STREAMED, "-o", self.path("x")).errors, "")


class WrongInput(ExportCase):
    def refused(self, *argv, status=2):
        run = self.sooth("export", *argv, status=status)
        self.assertEqual(run.out, b"")
        self.assert_says_three_lines(run)
        return run.errors

    def test_arguments(self):
        self.assertIn("--format", self.refused(STREAMED))
        self.assertIn("csv", self.refused("--format", "xml", STREAMED))
        self.assertIn("one capture", self.refused("--format", "jsonl"))
        self.assertIn("one capture", self.refused("--format", "jsonl", STREAMED, HEAP))
        self.assertIn("--table", self.refused("--format", "chrome", "--table", "x", STREAMED))
        self.assertIn("--weight", self.refused("--format", "csv", "--weight", "calls", STREAMED))
        self.assertIn("No such file", self.refused("--format", "jsonl", "/nonexistent", status=4))

    def test_help_says_values_once(self):
        for command in ("export", "trace", "diff", "diagnose"):
            text = re.sub(r"\n {20,}", " ", self.sooth(command, "--help-all").text) # of more than one line
            row, = re.findall(r"--weight.*", text)
            self.assertTrue(row.endswith("): calls, time, bytes, errors"), row)
            for value in ("bytes", "errors"):
                self.assertEqual(row.count(value), 1, row)

    def test_tables(self):
        self.assertIn("did you mean syscalls_call?",
            self.refused("--format", "csv", "--table", "syscalls_cal", STREAMED))
        # One that is there and has no rows is not one that is not there.
        run = self.export("csv", STREAMED, "--table", "heap.call")
        self.assertEqual(len(run.text.splitlines()), 1)
        many = self.refused("--format", "csv", "--table", "syscalls_call", "--table", "call",
            STREAMED)
        self.assertIn("syscalls_call", many)
        self.assertIn("FOLDER/", many)

    def test_the_main_table(self):
        """Of a format with one table a file; what it is and how to get others is said."""
        for capture, name in ((STREAMED, "syscalls_call"), (COUNTED, "syscalls"),
                              (HEAP, "heap_call"), (DIAGNOSED, "processes")):
            run = self.export("csv", capture)
            self.assertIn("this is the table %s; " % name, run.errors)
            self.assertEqual(run.text, self.export("csv", capture, "--table", name).text)

    def test_a_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        for format_ in ("folded", "chrome", "jsonl"):
            run = self.export(format_, STREAMED, "-o", "/dev/full", status=5)
            self.assert_says_three_lines(run, "No space left")


if __name__ == "__main__":
    harness.main()
