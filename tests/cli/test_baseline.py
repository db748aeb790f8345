# SPDX-License-Identifier: BSD-2-Clause
"""Every command prints of stored captures what it printed before names changed: see baseline.py."""
import copy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import baseline
import harness
import renames
from harness import SOOTH, Case

SHOWN = 12


class Baseline(Case):
    def test_every_command(self):
        stored, table = baseline.load(), baseline.load_renames()
        results = baseline.run_all(SOOTH, list(stored), table, lambda line, document:
            (line, baseline.compare(line, stored[line], document, table)))
        wrong = [(line, problems) for line, problems in results if problems]
        text = "\n".join("sooth %s\n    %s" % (line.replace("\t", " "), "\n    ".join(problems[:SHOWN]))
                         for line, problems in wrong[:SHOWN])
        new = renames.lines_for_new(problem for _, problems in wrong for problem in problems)
        text += "\nmeant? lines in tests/cli/baseline/renames (tests/cli/renames.py has their form)"
        if new:
            text += "; of what is new:\n" + "\n".join(new)
        text += "\nnot meant, and gone from an old capture? a reader that takes whole records only (docs/howto-add-field.md)"
        if wrong:
            self.fail("%d of %d command lines print something else:\n%s" % (len(wrong), len(stored), text))
        kinds = {(baseline.command_of(line), baseline.kind_of(line)) for line in stored}
        self.assertEqual([r.line for r in table if r.old and not r.is_used and
                          any(r.applies(*kind) for kind in kinds)], [], "these rename nothing")

    def test_every_capture_and_command_is_stored(self):
        """Else: baseline.py --renew, with a build from before the renames."""
        missing = set(baseline.fixed_lines(baseline.captures())) - set(baseline.load())
        self.assertEqual(missing, set())


class Net(Case):
    """What the comparison has to catch, and what a table of renames lets pass."""

    STORED = {"processes": [{"pid": 7, "rss_kb": 12, "role": "exam", "why": "as it was",
                             "cpu": None, "not_measured": {"cpu": "not known"}}],
              "reasons": [], "share": 0.5}

    def differences(self, table="", **changes):
        today = copy.deepcopy(self.STORED)
        for name, change in changes.items():
            if name == "row":
                change(today["processes"][0])
            else:
                change(today)
        return renames.differences(self.STORED, today, renames.parse_table(table), "ps", "json",
            lambda path: path[-1] == "why" or "not_measured" in path)

    def test_the_same(self):
        self.assertEqual(self.differences(), [])

    def test_what_is_caught(self):
        for name, change in {
                "value": lambda row: row.update(pid=8),
                "type": lambda row: row.update(pid=7.0),
                "text": lambda row: row.update(pid="7"),
                "truth": lambda row: row.update(pid=True),
                "null": lambda row: row.update(rss_kb=None),
                "gone": lambda row: row.pop("rss_kb"),
                "more": lambda row: row.update(rss_mb=1),
                "words that are gone": lambda row: row.update(why=""),
                "words that are none": lambda row: row.update(why=3),
                "a reason that is gone": lambda row: row.update(not_measured={})}.items():
            with self.subTest(name):
                self.assertTrue(self.differences(row=change))
        self.assertTrue(self.differences(all=lambda d: d["processes"].append({})))
        self.assertTrue(self.differences(all=lambda d: d["processes"].clear()))
        self.assertTrue(self.differences(all=lambda d: d["reasons"].append("x")))
        self.assertTrue(self.differences(all=lambda d: d.update(share=0.51)))
        self.assertEqual(self.differences(row=lambda row: row.update(why="as before")), [])

    def test_a_rename(self):
        def change(row):
            row["rss_bytes"] = 1024 * row.pop("rss_kb")
        self.assertEqual(len(self.differences(row=change)), 2)
        line = "ps json processes[].rss_kb processes[].rss_bytes x1024"
        self.assertEqual(self.differences(line, row=change), [])
        self.assertTrue(self.differences(line.replace("1024", "1000"), row=change))
        self.assertTrue(self.differences(line), "it was not renamed")
        for other in (line.replace("ps", "trace", 1), line.replace("json", "csv,sql")):
            self.assertEqual(len(self.differences(other, row=change)), 2)
        self.assertEqual(self.differences("* * **.rss_kb **.rss_bytes x1024", row=change), [])

    def test_a_rename_of_what_is_above(self):
        def change(document):
            document["agents"] = document.pop("processes")
        self.assertEqual(self.differences("* * processes agents", all=change), [])
        self.assertEqual(self.differences("* * processes p\n* * p agents", all=change), [])

    def test_reasons_move_with_their_member(self):
        def change(row):
            row["cpu_percent"] = row.pop("cpu")
            row["not_measured"] = {"cpu_percent": "unknown"}
        self.assertEqual(self.differences("* * processes[].cpu processes[].cpu_percent", row=change), [])

    def test_other_values(self):
        def change(row):
            row["role"] = "check"
        self.assertEqual(len(self.differences(row=change)), 1)
        line = "* json processes[].role processes[].role exam=check"
        self.assertEqual(self.differences(line, row=change), [])
        self.assertTrue(self.differences(line), "it still has the old value")

    def test_dropped_and_new(self):
        def change(row):
            row["ppid"] = row.pop("pid")
        table = "ps json processes[].pid - dropped: twice\nps json - processes[].ppid new"
        self.assertEqual(self.differences(table, row=change), [])
        self.assertTrue(self.differences(table.splitlines()[0], row=change))
        self.assertTrue(self.differences(table.splitlines()[1], row=change))
        self.assertTrue(self.differences("* * - ** new", row=lambda row: row.update(pid=8)))

    def test_lines_for_what_is_new(self):
        """They make it pass, also where the column of reasons was empty."""
        self.STORED["processes"][0].update(not_measured="")
        self.addCleanup(self.STORED["processes"][0].update, not_measured={"cpu": "not known"})

        def change(row):
            row.update(age=None, not_measured={"age": "not known"})
        lines = renames.lines_for_new(self.differences(row=change))
        self.assertEqual(lines, ["* * - processes[].age new"])
        self.assertEqual(self.differences("\n".join(lines), row=change), [])

    def test_two_members_become_one(self):
        def change(row):
            row["rss_kb"] = row.pop("pid")
        self.assertTrue(self.differences("* * processes[].pid processes[].rss_kb", row=change))

    def test_lines_that_are_wrong(self):
        for line in ("ps json a", "ps json a -", "ps json a - dropped:", "ps json - a",
                     "ps json - - new", "ps text a b", "ps json a b c"):
            with self.assertRaises(ValueError, msg=line):
                renames.parse_table(line)

    def test_a_changed_store(self):
        """Of each form one line, whose stored document is another in a name and in a value."""
        stored = baseline.load()
        lines = {baseline.kind_of(line): line for line, document in stored.items()
                 if any(isinstance(rows, list) and rows and rows[0].get("pid")
                        for rows in (document["printed"] or {}).values())}
        self.assertEqual(set(lines), {"json", "csv", "sql"})
        for line in lines.values():
            self.assertEqual(self.run_line(line, stored[line]), [])
            for change in (self.change_a_name, self.change_a_value):
                self.assertTrue(self.run_line(line, change(copy.deepcopy(stored[line]))), line)

    @staticmethod
    def run_line(line, stored):
        table = baseline.load_renames()
        return baseline.run_all(SOOTH, [line], table, lambda line, document:
            baseline.compare(line, stored, document, table))[0]

    @staticmethod
    def row_of(document):
        """Some row with a pid."""
        return next(rows[0] for rows in document["printed"].values()
                    if isinstance(rows, list) and rows and rows[0].get("pid"))

    def change_a_name(self, document):
        row = self.row_of(document)
        row["id"] = row.pop("pid")
        return document

    def change_a_value(self, document):
        row = self.row_of(document)
        row["pid"] = type(row["pid"])(int(row["pid"]) + 1)
        return document


if __name__ == "__main__":
    harness.main()
