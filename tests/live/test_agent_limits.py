# SPDX-License-Identifier: BSD-2-Clause
"""
Agents' own files made to cost: databases that compute for ever, folders of thousands of sessions,
figures that are none. All files of a user have one budget, and what it does not reach is reported as
not measured.
"""
import json
import os
import shutil
import sqlite3
import sys
import time

import harness
from harness import Case

IN_TIME_S = 8  # without the budget: 10 s and more, with it 1 s
NUMBER_LEFT = 1 << 40

PROGRAM = """
import os, sqlite3, sys, time
keep = []
if os.path.exists(sys.argv[1]):
    keep.append(sqlite3.connect(sys.argv[1]))
    keep[0].execute("select name from sqlite_master limit 1").fetchall()
    keep[0].execute("begin").fetchall()
    keep[0].execute("select name from sqlite_master limit 1").fetchall()
os.setresuid(*[int(sys.argv[2])] * 3)
print("ready", flush=True)
time.sleep(1000)
"""

TABLES = """
create table session(id text primary key, parent_id text, directory text, time_created integer,
  time_updated integer, tokens_input integer, tokens_output integer, tokens_reasoning integer,
  tokens_cache_read integer, tokens_cache_write integer);
create table message(id text, session_id text, time_created integer, data text);
"""

# What a query of "session" would run: each of them for hours.
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n limit 100000000000)"
COLUMNS = ("'s' id, null parent_id, 'HOME' directory, i time_created, 4000000000000 + i time_updated, i +"
           " length(hex(zeroblob(400000 + i % 2))) tokens_input,"
           " i tokens_output, i tokens_reasoning, i tokens_cache_read, i tokens_cache_write")
HOSTILE = {
    "view": "create view session as ENDLESS select COLUMNS from n;"
            "create view message as select 's' session_id, 1 time_created, '{}' data from session;"
           .replace("ENDLESS", ENDLESS).replace("COLUMNS", COLUMNS),
    "generated": TABLES.replace("tokens_input integer",
                                "tokens_input integer as (instr(zeroblob(900000), zeroblob(450000)"
                                " || x'01'))"),
}


class Limits(Case):
    def database(self, home, script, fill=None):
        """An opencode database in its own format of a log, with a process that has it open."""
        path = os.path.join(home, ".local/share/opencode/opencode.db")
        os.makedirs(os.path.dirname(path))
        base = sqlite3.connect(path)
        base.execute("pragma journal_mode = wal")
        base.executescript(script.replace("HOME", home))
        if fill:
            fill(base)
        base.commit()
        self.addCleanup(base.close)
        base.execute("select name from sqlite_master").fetchall()
        return path

    def give(self, home, user):
        """The files of a user are read with the rights of that user."""
        os.chmod(os.path.dirname(home), 0o711)
        for folder, _, names in os.walk(home):
            for name in (".", *names):
                os.chown(os.path.join(folder, name), user, user)

    def agent(self, name, script, fill=None, user=0):
        home = self.path(name)
        os.makedirs(os.path.join(home, ".opencode/bin"))
        program = os.path.join(home, ".opencode/bin/opencode")
        shutil.copyfile(os.path.realpath(sys.executable), program)
        os.chmod(program, 0o755)
        path = self.database(home, script, fill and (lambda base: fill(base, home)))
        os.makedirs(os.path.join(home, ".local/share/opencode/log"), exist_ok=True)
        if user:
            self.give(home, user)
        process = self.start(program, "-c", PROGRAM, path, str(user), cwd=home,
                             env={**os.environ, "HOME": home, "PYTHONHOME": sys.base_prefix})
        process.wait_for_output(b"ready")
        return process

    def rows(self):
        """What ps says of its own files, and the seconds that it took."""
        begin = time.monotonic()
        run = self.sooth("ps", "-v", "-j")
        seconds = time.monotonic() - begin
        return {row["pid"]: row for row in run.json()["processes"]}, run, seconds

    def answers(self, base, home, sessions=1, tokens=10):
        for i in range(sessions):
            base.execute("insert into session values (?, null, ?, ?, ?, ?, ?, 0, 0, 0)",
                         ("s%d" % i, home, 4000000000000, 4000000000000, tokens, tokens))
            base.execute("insert into message values ('m', ?, 1, ?)", ("s%d" % i, json.dumps(
                {"role": "assistant", "time": {"completed": 1}, "modelID": "big",
                 "tokens": {"total": tokens}})))

    def test_a_healthy_one(self):
        process = self.agent("fine", TABLES, self.answers)
        rows, _, _ = self.rows()
        self.assertEqual(rows[process.pid]["input_tokens"], 10, rows[process.pid])
        self.assertEqual(rows[process.pid]["context_tokens"], 10)

    def test_rights_of_the_owner(self):
        """A database of another user is read; one that only root may read is not, though sooth may."""
        process = self.agent("his", TABLES, self.answers, user=65534)
        self.assertEqual(self.rows()[0][process.pid]["input_tokens"], 10)
        path = os.path.join(self.path("his"), ".local/share/opencode/opencode.db")
        os.chown(path, 0, 0)
        os.chmod(path, 0o600)
        self.assertIsNone(self.rows()[0][process.pid]["input_tokens"])

    def test_databases_that_compute(self):
        """Of one user, with a healthy one of another user behind them."""
        hostile = [self.agent("hostile%d" % i, HOSTILE["view" if i % 2 else "generated"], user=65534)
                   for i in range(5)]
        fine = self.agent("fine", TABLES, self.answers)
        rows, _, seconds = self.rows()
        print("five hostile databases: %.1f s" % seconds, file=sys.stderr)
        self.assertLess(seconds, IN_TIME_S)
        for process in hostile:
            self.assertIsNone(rows[process.pid]["input_tokens"])
        self.assertEqual(rows[fine.pid]["input_tokens"], 10)

    def test_large_databases(self):
        """Plain tables, but millions of rows: the budget ends them, and the reason is reported."""
        def fill(base, home):
            base.executemany("insert into session values (?, null, ?, ?, ?, 1, 1, 0, 0, 0)",
                             (("s%d" % i, home, 4000000000000, 4000000000000)
                              for i in range(100)))
            base.execute("insert into message with recursive n(i) as (select 1 union all select"
                         " i + 1 from n limit 400000) select i, 's' || (i % 100), i, ? from n",
                         ('{"role": "assistant", "time": {}, "x": "%s"}' % ("y" * 500),))
        large = [self.agent("large%d" % i, TABLES, fill, user=65534) for i in range(5)]
        fine = self.agent("fine", TABLES, self.answers)
        rows, run, seconds = self.rows()
        print("five large databases: %.1f s" % seconds, file=sys.stderr)
        self.assertLess(seconds, IN_TIME_S)
        for process in large:
            self.assertIsNone(rows[process.pid]["input_tokens"])
        self.assertEqual(rows[fine.pid]["input_tokens"], 10)
        self.assertIn(b"takes too long", run.out)

    def test_figures_that_are_none(self):
        """Two sessions whose sum is beyond what any session has, and one that overflows."""
        for name, tokens in (("one", 9 * 10 ** 18), ("two", 1 << 62), ("least", -(1 << 62))):
            process = self.agent(name, TABLES,
                                 lambda base, home, t=tokens: self.answers(base, home, 3, t))
            row = self.rows()[0][process.pid]
            for field in ("input_tokens", "output_tokens", "context_tokens"):
                self.assertLess(row[field] or 0, NUMBER_LEFT, (name, field))
            process.end()

    def test_thousands_of_sessions(self):
        """Folders that take a process's whole budget to walk."""
        agents = []
        for i in range(5):
            home = self.path("codex%d" % i)
            folder = os.path.join(home, ".codex/sessions/2026/11/27")
            os.makedirs(folder)
            for k in range(4000):
                with open(os.path.join(folder, "rollout-2026-11-27T00-00-00-%d.jsonl" % k), "w",
                          encoding="utf-8") as file:
                    file.write("{" * 4000)
            program = os.path.join(home, "codex")
            shutil.copyfile("/bin/sleep", program)
            os.chmod(program, 0o755)
            agents.append(self.start(program, "1000", cwd=home, env={**os.environ, "HOME": home}))
        _, _, seconds = self.rows()
        print("five folders of thousands of sessions: %.1f s" % seconds, file=sys.stderr)
        self.assertLess(seconds, IN_TIME_S)

    def test_other_kinds_of_files(self):
        """A FIFO, a device and a link in place of the database, a log and a session file."""
        for i, make in enumerate((os.mkfifo, lambda path: os.symlink("/dev/zero", path),
                                  lambda path: os.symlink(path, path), os.mkdir)):
            home = self.path("kind%d" % i)
            for name in (".claude/sessions", ".local/share/opencode/log", ".opencode/bin"):
                os.makedirs(os.path.join(home, name))
            make(os.path.join(home, ".local/share/opencode/opencode.db"))
            make(os.path.join(home, ".local/share/opencode/log/opencode.log"))
            program = os.path.join(home, ".opencode/bin/opencode")
            shutil.copyfile("/bin/sleep", program)
            os.chmod(program, 0o755)
            process = self.start(program, "1000", cwd=home, env={**os.environ, "HOME": home})
            rows, _, seconds = self.rows()
            self.assertIn(process.pid, rows)
            self.assertIsNone(rows[process.pid].get("input_tokens"))
            self.assertLess(seconds, IN_TIME_S)
            process.end()


if __name__ == "__main__":
    harness.main()
