# SPDX-License-Identifier: BSD-2-Clause
"""
Rows of histories in a real ClickHouse server: of a stored history, by the script that is installed, loaded once and
twice; and of some simulated hosts, of which each question's answer is known.
"""
import glob
import os
import shutil
import subprocess
import sys
import unittest

import clickhouse_server
import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HISTORY = os.path.join(ROOT, "tests/cli/history")
LOAD = os.path.join(clickhouse_server.FLEET, "clickhouse/load")


@unittest.skipIf(clickhouse_server.missing(), clickhouse_server.missing())
class Loaded(harness.Case):
    def setUp(self):
        super().setUp()
        self.history = self.path("history")
        shutil.copytree(HISTORY, self.history)
        self.server = clickhouse_server.Server(self.path("server"))
        self.addCleanup(self.server.close)
        self.server.script(clickhouse_server.read("schema.sql"))

    def load(self):
        environment = dict(os.environ, SOOTH=harness.SOOTH, CLICKHOUSE=" ".join(self.server.client()))
        subprocess.run([LOAD, self.history, self.path("state")], env=environment, check=True)

    def row(self, query):
        return self.server.query(query)[0]

    def test_history(self):
        phases = self.sooth("timeline", "-j", *glob.glob(self.history + "/*")).json()
        self.load()
        self.load()  # nothing is new
        count, length = self.row("SELECT count(), sum(time_ns - start_ns) FROM phase_span")
        self.assertEqual((int(count), int(length)),
                         (len(phases["phases"]), sum(phase["total_ns"] for phase in phases["phases"])))
        found = self.server.query("SELECT id, text FROM answer_span ORDER BY end_utc_ns")
        self.assertEqual(found, [[row["id"], row["text"]] for row in phases["phase_answers"]])
        states = dict(self.server.query("SELECT state, toString(sum(time_ns - start_ns)) FROM phase_span GROUP BY state"))
        self.assertEqual({state: int(ns) for state, ns in states.items()},
                         {row["state"]: row["total_ns"] for row in phases["phase_states"]})
        answers = {name: self.server.query(sql) for name, sql in clickhouse_server.questions().items()}
        self.assertEqual(answers["ends"], [["claude", "2.1.328", "1", "0"]])
        self.assertEqual({(row[0], row[1]) for row in answers["time-by-state"]}, {("claude", s) for s in states})

    def test_loaded_again(self):
        """As after a failure: rows that are there already are replaced."""
        self.load()
        rows = self.server.query("SELECT * FROM phase_span ORDER BY time_ns")
        os.unlink(self.path("state"))
        self.load()
        self.assertEqual(self.row("SELECT count() FROM phase_span"), [str(2 * len(rows))])
        self.server.query("OPTIMIZE TABLE phase_span FINAL")
        self.assertEqual(self.server.query("SELECT * FROM phase_span ORDER BY time_ns"), rows)


@unittest.skipIf(clickhouse_server.missing(), clickhouse_server.missing())
class Simulated(harness.Case):
    def test_questions(self):
        """The bench ends with 0 only if each answer is what was simulated. Host 5 is one that falls silent."""
        run = subprocess.run([sys.executable, os.path.join(ROOT, "bench/fleet"), "--hosts", "6", "--rounds", "1",
                              "--sooth", harness.SOOTH, "--work", self.path(".")], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.count("| yes |"), 10)
        self.assertRegex(run.stdout, r"\| silent-hosts \| 1 \|")


if __name__ == "__main__":
    harness.main()
