# SPDX-License-Identifier: BSD-2-Clause
"""sooth query: results against the same sums made here, and everything a statement may not do."""
import collections
import csv
import io
import json
import os
import re

import export_case
import harness
from export_case import COUNTED, DIAGNOSED, HEAP, STREAMED, ExportCase


class Results(ExportCase):
    def test_sums(self):
        rows = self.query(STREAMED, "SELECT call, count(*) AS n, sum(duration_ns) AS total_ns "
            "FROM syscalls_call GROUP BY call ORDER BY call")
        wanted = collections.defaultdict(lambda: [0, 0])
        for call in self.calls(STREAMED):
            wanted[call["name"]][0] += 1
            wanted[call["name"]][1] += call["duration_ns"]
        self.assertEqual([(r["call"], r["n"], r["total_ns"]) for r in rows],
            [(name, *sums) for name, sums in sorted(wanted.items())])

    def test_counts(self):
        """Tallies have names of calls as well."""
        counted = harness.table_counts(self.sooth("report", "-j", COUNTED).json())
        rows = self.query(COUNTED, "SELECT call, sum(count) AS n, sum(errors) AS bad "
            "FROM syscalls_count GROUP BY call")
        self.assertEqual({r["call"]: (r["n"], r["bad"]) for r in rows}, counted)

    def test_joins(self):
        """Two scans: of copies. And one table twice, and in a subquery."""
        rows = self.query(STREAMED, "SELECT count(*) AS n FROM syscalls_call c JOIN process_exec e "
            "ON e.pid = c.pid AND e.start_ticks = c.start_ticks")
        self.assertEqual(rows[0]["n"], len(self.calls(STREAMED)))
        calls = self.calls(STREAMED)
        longest = max(c["duration_ns"] for c in calls)
        self.assertEqual(self.query(STREAMED, "SELECT call FROM syscalls_call WHERE duration_ns = "
            "(SELECT max(duration_ns) FROM syscalls_call)"),
            [{"call": c["name"]} for c in calls if c["duration_ns"] == longest])
        pairs = self.query(STREAMED, "SELECT count(*) AS n FROM syscalls_call a, syscalls_call b "
            "WHERE a.time_ns < b.time_ns")
        self.assertEqual(pairs[0]["n"], len(calls) * (len(calls) - 1) // 2)

    def test_a_scan_again_and_again(self):
        """One table that is opened once, inside of a recursion: slow, and right."""
        rows = self.query(STREAMED, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "WHERE i < 5) SELECT i, (SELECT count(*) FROM syscalls_call WHERE i > 0) AS c FROM n")
        self.assertEqual({r["c"] for r in rows}, {len(self.calls(STREAMED))})

    def test_every_table_that_is_listed(self):
        """Has the rows that are exported, in the same columns."""
        for capture in (STREAMED, DIAGNOSED, HEAP):
            exported = self.tables(capture)
            listed = self.sooth("query", "-j", "--tables", capture).json()["tables"]
            self.assertEqual({t["name"]: t["rows"] for t in listed if t["name"] != "call"},
                {name: len(rows) for name, rows in exported.items()})
            for name in ("processes", "stream_source", "finding_unseen", "limits"):
                if name not in exported:
                    continue
                columns = self.sooth("query", "-j", "--columns", name, capture).json()["columns"]
                rows = self.query(capture, "SELECT * FROM %s" % name)
                self.assertEqual(list(rows[0]), [c["name"] for c in columns])
                self.assertEqual([r["not_measured"] is not None for r in rows],
                    ["not_measured" in r for r in exported[name]])

    def test_words(self):
        rows = self.query(STREAMED, "SELECT name, arguments FROM call")
        self.assertEqual([(r["name"], r["arguments"]) for r in rows],
            [(c["name"], c["arguments"]) for c in self.calls(STREAMED)])

    def test_units(self):
        """A column that is a field's reads as the field; one that is computed is a number."""
        text = self.sooth("query", STREAMED,
            "SELECT duration_ns, duration_ns + 0 AS plain FROM syscalls_call LIMIT 1").text
        cells = text.splitlines()[1].split()
        self.assertRegex(cells[0], r"^[0-9.]+(ns|us|ms|s)$")
        self.assertRegex(cells[1], r"^[0-9]+$")
        columns = self.sooth("query", "-j", "--columns", "syscalls.call", STREAMED).json()["columns"]
        self.assertEqual([(c["type"], c["unit"]) for c in columns if c["name"] == "duration_ns"],
            [("INTEGER", "ns")])

    def test_types(self):
        rows = self.query(STREAMED, "SELECT 1 AS whole, 0.1 + 0.2 AS \"real\", 'a' AS \"text\", "
            "NULL AS no_value, x'00ff' AS bytes, 1e300 AS large, -5 AS less, 5.0 AS five")
        self.assertEqual(rows, [{"whole": 1, "real": 0.1 + 0.2, "text": "a", "no_value": None,
            "bytes": "00ff", "large": 1e300, "less": -5, "five": 5.0}])
        mixed = self.query(STREAMED, "SELECT 1 AS a, 1 AS b UNION ALL SELECT 'x', 2.5")
        self.assertEqual(mixed, [{"a": "1", "b": 1}, {"a": "x", "b": 2.5}])

    def test_types_that_change_late(self):
        """A whole number is not made inexact, nor a text a number, without a word."""
        sql = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
               "SELECT CASE WHEN i < 2500 THEN i ELSE %s END AS v FROM n")
        run = self.sooth("query", "-j", STREAMED, sql % "'text'", status=2)
        self.assert_says_three_lines(run, "CAST")
        rows = self.query(STREAMED, sql % "NULL")
        self.assertEqual([r["v"] for r in rows][2498:2501], [2499, None, None])

    def test_names_twice(self):
        rows = self.query(STREAMED, "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a")
        self.assertEqual(list(rows[0].values()), [1, 2, 3, 4])
        self.assertEqual(len(rows[0]), 4)

    def test_formats(self):
        sql = "SELECT call, max(duration_ns, 7) FROM syscalls_call"
        wanted = [[c["name"], str(max(c["duration_ns"], 7))] for c in self.calls(STREAMED)]
        lines = list(csv.reader(io.StringIO(
            self.sooth("query", "--format", "csv", STREAMED, sql).text)))
        self.assertEqual(lines[0], ["call", "max(duration_ns, 7)"])
        self.assertEqual(lines[1:], wanted)
        rows = [r for r in self.sooth("query", "--format", "jsonl", STREAMED, sql).lines()
                if r["type"] == "rows"]
        self.assertEqual([r["call"] for r in rows], [w[0] for w in wanted])
        self.sooth("query", "-o", self.path("x"), STREAMED, sql)
        self.assertEqual(os.stat(self.path("x")).st_mode & 0o777, 0o600)

    def test_a_long_text(self):
        """A row has a bound, and what is cut there says so."""
        rows = self.query(STREAMED, "SELECT hex(zeroblob(400000)) AS a, 'b' AS b")
        self.assertLess(len(rows[0]["a"]), 800000)
        self.assertEqual(rows[0]["not_measured"]["a"], "truncated")

    def test_without_privilege(self):
        sql = "SELECT * FROM syscalls_call"
        theirs = self.run_program(harness.SOOTH_NONE, "query", "-j", STREAMED, sql)
        self.assertEqual(theirs.json()["rows"], self.query(STREAMED, sql))


class Documented(ExportCase):
    """Each question of docs/export.md is understood, and finds something somewhere."""

    def test_questions(self):
        page = os.path.join(export_case.HERE, "..", "..", "docs", "export.md")
        with open(page) as file:
            questions = re.findall(r"```sql\n(.*?)```", file.read(), re.S)
        self.assertGreater(len(questions), 20)
        for question in questions:
            answers = [self.sooth("query", "-j", capture, question, status=None)
                       for capture in (STREAMED, COUNTED, DIAGNOSED, HEAP)]
            for answer in answers:
                if answer.status:  # what a view tells is there where its probe is
                    self.assertIn("no such table", answer.errors, question)
            self.assertTrue(any(not answer.status for answer in answers), question)


class Notes(ExportCase):
    def test_losses(self):
        report = self.sooth("query", "-j", HEAP, "SELECT count(*) AS n FROM heap_call").json()
        self.assertEqual(sum(row["records"] for row in report["loss"]), 3)
        damaged = bytearray(harness.read(STREAMED))
        damaged[-60] ^= 0xff
        with open(self.path("damaged"), "wb") as file:
            file.write(damaged)
        report = self.sooth("query", "-j", self.path("damaged"),
            "SELECT count(*) AS n FROM syscalls_call", status=5).json()
        self.assertTrue(report["loss"] or report["limits"])

    def test_what_was_not_observed(self):
        """An empty table is not a measurement then."""
        def limits(sql):
            return [row["what"] for row in
                    self.sooth("query", "-j", STREAMED, sql).json()["limits"]]

        self.assertIn("heap_call (heap)", limits("SELECT count(*) AS n FROM heap_call"))
        self.assertEqual(limits("SELECT count(*) AS n FROM syscalls_call"), [])

    def test_what_was_not_read(self):
        """LIMIT ends the reading: what was lost further on is not known then."""
        path = self.path("long")
        with open(path, "wb") as file:
            file.write(harness.read(STREAMED) * 300)
        report = self.sooth("query", "-j", path, "SELECT call FROM syscalls_call LIMIT 1").json()
        self.assertIn("lost records, from here to the end of the capture",
            [row["what"] for row in report["limits"]])

    def test_what_was_not_read_is_not_cut(self):
        """Nor was it observed for as long as was read, nor is it known that nothing was lost."""
        path = self.path("long")
        self.run_program(os.environ["LENGTHEN_CAPTURE"], STREAMED, path, "2000", "100000")
        whole = self.sooth("query", "-j", path, "SELECT count(*) AS n FROM syscalls_call").json()
        self.assertNotEqual(whole["end_reason"], "cut")
        for sql in ("SELECT 1", "SELECT call FROM syscalls_call LIMIT 1"):
            report = self.sooth("query", "-j", path, sql).json()
            self.assertEqual((report["end_reason"], report["interval_ns"]), ("not read to the end", None))
            self.assertIn("the query had all its rows", self.sooth("query", path, sql).text)
            text = self.sooth("query", "-v", path, sql).text
            self.assertIn("was not read to the end", text)
            for word in ("observed for", "cut", "lost nothing"):
                self.assertNotIn(word, text)


class OfADiagnosis(ExportCase):
    def test_no_name_twice(self):
        """A diagnosis has the records of a dozen views: no two have a table of one name."""
        target, capture = self.start("/bin/sleep", "60"), self.path("diagnosed.sooth")
        self.sooth("diagnose", "--duration", "1", "--save", capture, str(target.pid))

        def unique(pairs):
            names = [name for name, _ in pairs]
            self.assertEqual(len(names), len(set(names)), names)
            return dict(pairs)

        json.loads(self.sooth("report", "-j", capture).text, object_pairs_hook=unique)
        for table in ("processes", "waits"):
            rows = self.sooth("query", "-j", capture, "SELECT pid FROM %s" % table).json()["rows"]
            self.assertIn({"pid": target.pid}, rows)


class Refused(ExportCase):
    def refused(self, sql, *words, capture=STREAMED, status=2):
        run = self.sooth("query", capture, sql, status=status)
        self.assertEqual(run.out, b"")
        self.assert_says_three_lines(run, *words)

    def test_anything_but_reading(self):
        for sql in ("DROP TABLE syscalls_call", "DELETE FROM stream_source",
                    "INSERT INTO stream_source VALUES (1)", "CREATE TABLE x (a)",
                    "CREATE TEMP TABLE x AS SELECT 1", "CREATE TEMP VIEW v AS SELECT 1",
                    "UPDATE processes SET pid = 1", "PRAGMA temp_store_directory = '/tmp'",
                    "ATTACH '%s' AS x" % self.path("x"), "VACUUM INTO '%s'" % self.path("x"),
                    "BEGIN", "REINDEX", "ANALYZE", "SELECT load_extension('x')",
                    "SELECT * FROM pragma_database_list",
                    "CREATE VIRTUAL TABLE x USING fts5(a)", "SELECT fts3_tokenizer('x')"):
            run = self.sooth("query", STREAMED, sql, status=2)
            self.assert_says_three_lines(run)
            self.assertEqual(run.out, b"", sql)
            self.assertNotIn("--columns", run.errors)
        for sql in ("DELETE FROM syscalls_call", "UPDATE syscalls_call SET pid = 1",
                    "INSERT INTO syscalls_call (pid) VALUES (1)", "DELETE FROM processes",
                    "WITH x AS (SELECT 1) DELETE FROM syscalls_call"):
            self.refused(sql, "a query may only read", "SELECT")
        self.assertEqual(os.listdir(self.folder), [])

    def test_statements(self):
        self.refused("", "empty")
        self.refused("SELECT 1; SELECT 2", "more than one")
        self.refused("SELEC", "syntax error")
        self.refused("SELECT none_such FROM syscalls_call", "no such column", "--columns")
        self.refused("SELECT * FROM syscall_call", "did you mean syscalls_call?")
        self.refused("SELECT * FROM unheard_of_table", "--tables")
        self.refused("SELECT c.name FROM syscalls_call c", "this name was changed to thread")
        self.refused("SELECT * FROM observation", "this name was changed to run")
        self.refused("SELECT 1", capture="/etc/passwd")
        self.refused("SELECT 1", capture="/nonexistent", status=4)

    def test_time(self):
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        run = self.sooth("query", "--timeout", "200ms", STREAMED,
            endless + "SELECT count(*) FROM n", status=2)
        self.assert_says_three_lines(run, "longer than 200ms", "--timeout")
        # SQLite does not ask within a function: these replacements take minutes.
        run = self.sooth("query", "--timeout", "200ms", STREAMED,
            "WITH t(a) AS (SELECT printf('%.*c', 9000000, 'a')) "
            "SELECT length(replace(a, substr(a, 1, 4000000) || 'b', 'c')) FROM t", status=2)
        self.assert_says_three_lines(run, "longer than 200ms", "--timeout")
        process = self.start_sooth("query", "--format", "csv", STREAMED,
            endless + "SELECT i FROM n")
        process.wait_for_output(b"1000\r\n")
        process.send(2)
        run = process.finish()
        self.assertEqual(run.status, 2)
        self.assert_says_three_lines(run, "the query was interrupted")

    def test_arguments(self):
        for argv in ([], [STREAMED], ["--tables"], ["--tables", STREAMED, "SELECT 1"],
                     ["-", "SELECT 1"], ["--tables", "--columns", "x", STREAMED],
                     ["--columns", "unheard_of", STREAMED]):
            self.assert_says_three_lines(self.sooth("query", *argv, status=2))

    def test_redaction(self):
        """A name that a statement has moved would not be found."""
        run = self.sooth("query", "--format", "redacted", STREAMED,
            "SELECT lower(hostname) AS h FROM stream_segment", status=2)
        self.assertEqual(run.out, b"")
        self.assert_says_three_lines(run, "sooth report")

    def test_no_limit(self):
        self.assertEqual(self.query(STREAMED, "SELECT 1 AS a", "--timeout", "0"), [{"a": 1}])

    def test_memory(self):
        """A value has a bound."""
        self.refused("SELECT length(zeroblob(100000000))", "too big", status=5)


if __name__ == "__main__":
    harness.main()
