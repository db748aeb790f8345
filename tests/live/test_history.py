# SPDX-License-Identifier: BSD-2-Clause
"""
The history that `sooth monitor` keeps, and what `sooth timeline` makes of it: a program that is taken
for an agent, whose files say what it does; a monitor that is killed, a disk that is full, files that are
removed, are cut, or are none.
"""
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

import harness
from harness import Case

# By its place it is Claude Code; what it does is in its session file, as that one writes it, and "tool" runs one.
AGENT = """
stat=$(</proc/$$/stat); set -- ${stat##*) }; ticks=${20}
while read -r status; do
    time=${EPOCHREALTIME/./}
    if [ "$status" = tool ]; then
        CLAUDECODE=1 CLAUDE_CODE_EXECPATH=x setsid sleep 100 </dev/null >/dev/null 2>&1 &
        tool=$!
    elif [ "$status" = traced ]; then
        TRACEPARENT=$TOOL_TRACE CLAUDECODE=1 CLAUDE_CODE_EXECPATH=x setsid sleep 300 </dev/null >/dev/null 2>&1 &
        tool=$!
    elif [ "$status" = shim ]; then
        CLAUDECODE=1 CLAUDE_CODE_EXECPATH=x setsid bash -c "sleep 0.5; exec sleep 200" </dev/null >/dev/null 2>&1 &
        tool=$!
    elif [ "$status" = end ]; then
        kill $tool; wait $tool 2>/dev/null
    elif [ "$status" = quit ]; then
        exit 7
    else
        printf '{"sessionId":"0123456789abcdef","status":"%s","procStart":"%s","statusUpdatedAt":%s}' \
            "$status" "$ticks" "${time%???}" >"$CLAUDE_CONFIG_DIR/sessions/$$.json"
    fi
    echo "$status"
done
"""
SESSION = "0123456789abcdef"


class HistoryCase(Case):
    def setUp(self):
        super().setUp()
        self.history = self.path("history")

    def monitor(self, *words, **options):
        sooth = self.start_sooth("monitor", "--fifo-dir", self.path("fifos"), "--history-dir", self.history,
                                 "--sample", "200ms", *words, **options)
        harness.wait_until(lambda: not sooth.is_running() or b"records are in" in sooth.err, "the monitor")
        return sooth

    def agent(self, **variables):
        home = self.path("home")
        program = os.path.join(home, ".local/share/claude/versions/2.1.328")
        if not os.path.exists(program):
            os.makedirs(os.path.dirname(program))
            shutil.copy("/bin/bash", program)
            os.makedirs(os.path.join(home, "config/sessions"))
        return self.start(program, "-c", AGENT, env=dict(
            os.environ, HOME=home, CLAUDE_CONFIG_DIR=os.path.join(home, "config"), **variables))

    def tell(self, agent, *words):
        """One after the other, each for a second."""
        for word in words:
            before = bytes(agent.out).count(b"\n")
            agent.say(word.encode() + b"\n")
            harness.wait_until(lambda: bytes(agent.out).count(b"\n") > before, "the agent")
            time.sleep(1)

    def end(self, sooth):
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)

    def files(self):
        return sorted(os.listdir(self.history))

    def report(self, *words, status=0):
        run = self.sooth("timeline", "-j", "--history-dir", self.history, *words, status=status)
        return json.loads(run.out)

    def states(self, report):
        return [phase["state"] for phase in report["phases"]]

    def pids(self):
        """Other sessions of the host may be among them."""
        return {session["pid"] for session in self.report()["phase_sessions"]}


class Phases(HistoryCase):
    def test_what_a_session_did(self):
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "idle", "busy", "waiting", "busy", "tool", "end", "idle")
        self.end(sooth)
        report = self.report(SESSION[:6])
        states = [state for state in self.states(report) if state not in (None, "starts")]
        self.assertEqual(states, ["idle", "waits_for_model", "waits_for_user", "waits_for_model", "runs_tool",
                                  "waits_for_model", "idle"])
        for phase in report["phases"]:
            if phase["state"] in states[1:6]:
                self.assertLess(abs(phase["total_ns"] / 1e9 - 1), 0.6, phase)
        tool = next(row for row in report["phase_tools"] if row["state"] == "runs_tool")
        self.assertEqual((tool["count"], tool["tool_command"]), (1, "sleep 100"))
        session = report["phase_sessions"][0]
        self.assertEqual((session["agent"], session["pid"], session["session_id"], session["has_ended"]),
                         ("claude", agent.pid, SESSION, False))
        shares = sum(value for key, value in session.items() if key.endswith("_percent"))
        self.assertAlmostEqual(shares, 100, delta=0.5)
        self.assertIn("ran tools (sleep 100", report["phase_answer"]["text"])
        self.assertEqual(self.report("nothing-like-it")["phases"], [])

    def test_what_a_tool_ran(self):
        """Not what its first process was, as the shim of a version manager, but what it ran for longest."""
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "busy", "shim")
        time.sleep(2)
        self.tell(agent, "end", "idle")
        self.end(sooth)
        tool = next(row for row in self.report(SESSION[:6])["phase_tools"] if row["state"] == "runs_tool")
        self.assertEqual((tool["count"], tool["tool_command"]), (1, "sleep 200"))

    def test_when_a_killed_session_ended(self):
        """When and how: diagnose asks the history of a process that is gone, also of a monitor that still runs."""
        os.makedirs(self.path("state/sooth"))
        self.history = self.path("state/sooth/history")
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "busy")
        agent.send(signal.SIGKILL)
        agent.finish()
        how = r"killed by SIGKILL from .*python3?[0-9.]* \(pid %d\)" % os.getpid()
        wanted = "claude %d " % agent.pid + how + ".*, .* ago, by the history of sooth monitor"
        environment = dict(os.environ, XDG_STATE_HOME=self.path("state"))

        def is_told():
            run = subprocess.run([harness.SOOTH, "diagnose", "--passive", str(agent.pid)], env=environment,
                                 capture_output=True, text=True, check=False)
            return run.returncode == 4 and re.search(wanted, run.stderr)
        harness.wait_until(is_told, "the end in the history", timeout=30)
        self.end(sooth)
        row = next(row for row in self.report()["phase_sessions"] if row["pid"] == agent.pid)
        self.assertRegex(row["end"], "^" + how)

    def test_that_a_session_exited(self):
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "idle")
        agent.say(b"quit\n")
        agent.finish()
        time.sleep(1)
        self.end(sooth)
        row = next(row for row in self.report()["phase_sessions"] if row["pid"] == agent.pid)
        self.assertEqual(row["end"], "exited with status 7")

    def test_what_was_wrong(self):
        """A problem is one row, from when it was seen until it was gone."""
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "idle")
        time.sleep(1.5)
        os.kill(agent.pid, signal.SIGSTOP)
        time.sleep(5)
        os.kill(agent.pid, signal.SIGCONT)
        time.sleep(4)
        self.end(sooth)
        found = [row for row in self.report()["phase_answers"] if row["pid"] == agent.pid and row["id"] == "frozen"]
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0]["is_cleared"])
        self.assertIn("stopped by SIGSTOP", found[0]["text"])
        self.assertEqual((found[0]["agent"], found[0]["session_pid"]), ("claude", agent.pid))
        self.assertLess(abs(found[0]["total_ns"] / 1e9 - 4.5), 2.5, found)
        self.assertEqual(found[0]["end_utc_ns"] - found[0]["start_utc_ns"], found[0]["total_ns"])
        self.assertIn("what was wrong", self.sooth("timeline", "--history-dir", self.history).text)
        rows = {(table, row["pid"]): row for table in ("answer_span", "phase_span") for row in
                self.sooth("export", "--format", "jsonl", "--table", table, self.history).lines()}
        self.assertEqual(rows["answer_span", agent.pid]["subject_name"], "2.1.328")  # its program's name
        self.assertEqual(rows["phase_span", agent.pid]["version"], "2.1.328")

    def test_of_a_target(self):
        first, second = self.agent(), self.agent()
        sooth = self.monitor("-p", str(first.pid))
        self.tell(second, "busy", "idle")
        self.tell(first, "busy", "idle")
        self.end(sooth)
        self.assertEqual(self.pids(), {first.pid})

    def test_the_same_from_a_file_and_as_a_picture(self):
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "busy", "idle")
        self.end(sooth)
        name = os.path.join(self.history, self.files()[0])
        of_file = json.loads(self.sooth("timeline", "-j", name).out)
        self.assertEqual(of_file["phases"], self.report()["phases"])
        for ending in ("svg", "png"):
            picture = self.path("phases." + ending)
            self.sooth("timeline", "-o", picture, "--history-dir", self.history, "--last", "1m")
            self.assertGreater(os.path.getsize(picture), 1000)
        page = self.path("phases.html")
        self.sooth("timeline", "--html", "-o", page, "--history-dir", self.history, "--last", "1m")
        with open(page, encoding="utf-8") as file:
            text = file.read()
        for words in ('<svg class="sooth timeline"', 'data-name="phase_sessions"', 'data-name="phases"'):
            self.assertIn(words, text)

    def test_modes_and_names(self):
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "busy", "idle")
        self.end(sooth)
        self.assertEqual(self.files(), ["phases-00000001.sooth"])
        self.assertEqual(stat.S_IMODE(os.stat(self.history).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.history, self.files()[0])).st_mode), 0o600)


MADE = """
CREATE TABLE session (id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT NOT NULL, tokens_input INTEGER, tokens_output INTEGER,
    tokens_reasoning INTEGER, tokens_cache_read INTEGER, tokens_cache_write INTEGER, time_created INTEGER, time_updated INTEGER);
CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER NOT NULL, data TEXT NOT NULL);
"""


class Database(HistoryCase):
    """An agent that keeps what it spent in a database, as opencode does; this test writes to it."""

    def setUp(self):
        super().setUp()
        self.home, self.work = self.path("home"), self.path("work")
        self.data = os.path.join(self.home, ".local/share/opencode")
        for folder in (self.data, self.work, os.path.join(self.home, ".opencode/bin")):
            os.makedirs(folder)
        self.program = shutil.copy("/bin/sleep", os.path.join(self.home, ".opencode/bin/opencode"))

    def opencode(self):
        return self.start(self.program, "1000", env=dict(os.environ, HOME=self.home), cwd=self.work)

    def database(self, log="WAL"):
        db = sqlite3.connect(os.path.join(self.data, "opencode.db"), isolation_level=None)
        self.addCleanup(db.close)
        db.execute("PRAGMA journal_mode = " + log)
        db.executescript(MADE)
        return db

    def answer(self, db, session, tokens, model="model-1", parent=None, directory=None, created=None):
        now = int(time.time() * 1000)
        db.execute("INSERT INTO session VALUES (?, ?, ?, 0, 0, 0, 0, 0, ?, ?) ON CONFLICT DO NOTHING",
                   (session, parent, directory or self.work, created or now, now))
        db.execute("UPDATE session SET tokens_input = tokens_input + ?, tokens_output = tokens_output + ?,"
                   " tokens_reasoning = tokens_reasoning + 1, tokens_cache_read = tokens_cache_read + 10,"
                   " tokens_cache_write = tokens_cache_write + 5, time_updated = ? WHERE id = ?", (*tokens, now, session))
        count = db.execute("SELECT count(*) FROM message").fetchone()[0]
        for number, data in enumerate(({"role": "user"}, {
                "role": "assistant", "modelID": model, "time": {"created": now, "completed": now},
                "tokens": {"total": sum(tokens)}, "secret": "do not show"})):
            db.execute("INSERT INTO message VALUES (?, ?, ?, ?)",
                       ("%d.%d" % (count, number), session, now + number, json.dumps(data)))

    def session(self, agent):
        """Of the command that shows it, when the agent's start is some time ago."""
        rows = json.loads(self.sooth("ps", "-j", str(agent.pid)).out)["processes"]
        return [rows[0][key] for key in ("turns", "input_tokens", "output_tokens", "context_tokens", "model")]

    def test_what_it_spent(self):
        db, agent = self.database(), self.opencode()
        harness.wait_until(lambda: time.time() > os.stat("/proc/%d" % agent.pid).st_mtime + 0.1, "time to pass")
        self.assertEqual(self.session(agent)[1:4], [None, None, None])
        self.answer(db, "one", (100, 7))
        self.answer(db, "below", (40, 2), model="small", parent="one")
        self.answer(db, "one", (200, 8), model="model-2")
        self.answer(db, "elsewhere", (5000, 500), directory="/")
        # Cached ones are sent too, reasoning is answered; a subagent's answers are, its context is not.
        self.assertEqual(self.session(agent), [3, 340 + 45, 17 + 3, 208, "model-2"])
        self.assertNotIn("-journal", " ".join(os.listdir(self.data)))

    def test_a_history_of_it(self):
        db, agent = self.database(), self.opencode()
        time.sleep(0.2)
        self.answer(db, "old", (1000, 100), created=1)
        sooth = self.monitor()
        harness.wait_until(lambda: self.files(), "the history")
        time.sleep(1)
        self.answer(db, "old", (30, 3))
        time.sleep(1)
        self.end(sooth)
        row = next(row for row in self.report()["phase_sessions"] if row["pid"] == agent.pid)
        # What an earlier process spent in the session is none of this one.
        self.assertEqual([row[key] for key in ("turns", "input_tokens", "output_tokens")], [1, 45, 4])

    def test_what_is_not_known(self):
        db, agent = self.database(), self.opencode()
        time.sleep(0.2)
        self.answer(db, "one", (100, 7))
        other = self.opencode()
        harness.wait_until(lambda: self.sooth("ps", str(other.pid)), "the other one")
        both = json.loads(self.sooth("ps", "-j", str(agent.pid), str(other.pid)).out)["processes"]
        self.assertIn(None, [row["turns"] for row in both])  # in whose directory another one is
        db.close()
        for log, text in (("DELETE", None), (None, b"SQLite format 3\0" + b"x" * 400), (None, b"")):
            for name in os.listdir(self.data):
                os.unlink(os.path.join(self.data, name))
            if log:
                self.answer(self.database(log), "one", (100, 7))
            else:
                with open(os.path.join(self.data, "opencode.db"), "wb") as file:
                    file.write(text)
            before = os.listdir(self.data)
            self.assertEqual(self.session(agent)[1], None, log or text)
            self.assertEqual(os.listdir(self.data), before)


class Settings(HistoryCase):
    def write(self, text):
        with open(self.path("conf"), "w", encoding="ascii") as file:
            file.write(text)

    def test_settings_are_checked(self):
        for text, line in (("sample = 5s\nhistory-size = 8M\n# no more\n", 0), ("\nsample = soon\n", 2),
                           ("sampel = 5s\n", 1), ("no-history = perhaps\n", 1), ("sample\n", 1)):
            self.write(text)
            run = self.sooth("monitor", "--check", "--config", self.path("conf"), status=2 if line else 0)
            self.assertIn("read line %d of" % line if line else "2 settings", run.errors if line else run.text)
        self.sooth("monitor", "--check", "--config", self.path("none"), status=None)

    def test_check_names_each_wrong_line(self):
        with open(self.path("conf"), "w", encoding="ascii") as file:
            file.write("sample = 3s\nsmaple = 3s\nno-history = perhaps\n# note\n\nsample = 1ms\n")
        run = self.sooth("monitor", "--check", "--config", self.path("conf"), status=2)
        lines = [line for line in run.errors.splitlines() if line.startswith("sooth: ")]
        self.assertEqual([line.split(" of ")[0] for line in lines],
                         ["sooth: cannot read line %d" % number for number in (2, 3, 6)])
        self.assertEqual(run.errors.count("  try: "), 3)

    def test_settings_are_read_again(self):
        self.write("history-dir = %s\n" % self.path("first"))
        sooth = self.start_sooth("monitor", "--fifo-dir", self.path("fifos"), "--sample", "200ms", "--config",
                                 self.path("conf"))
        harness.wait_until(lambda: b"records are in" in sooth.err, "the monitor")
        agent = self.agent()
        self.tell(agent, "busy")
        self.write("history-dir = %s\nsample = 1s\n" % self.history)
        sooth.send(signal.SIGHUP)
        harness.wait_until(lambda: b"read again" in sooth.err, "the settings")
        self.tell(agent, "idle", "busy")
        self.write("sample = soon\n")
        sooth.send(signal.SIGHUP)
        harness.wait_until(lambda: b"read line 1" in sooth.err, "the refusal")
        self.assertTrue(sooth.is_running())
        for _ in range(2):  # the second time, the texts of the first are gone
            del sooth.err[:]
            self.write("history-dir = /proc/none\nsample = 1s\n")
            sooth.send(signal.SIGHUP)
            harness.wait_until(lambda: b"the old settings stay" in sooth.err, "the refusal of the folder")
        self.tell(agent, "tool", "end")
        self.end(sooth)
        self.assertTrue(os.listdir(self.path("first")))
        self.assertLessEqual({"idle", "runs_tool"}, set(self.states(self.report())))


class Faults(HistoryCase):
    def test_a_killed_monitor_is_taken_over(self):
        sooth, first = self.monitor(), self.agent()
        self.tell(first, "busy", "idle")
        first.end()
        harness.wait_until(lambda: self.files() and first.pid in self.pids(), "the first session")
        sooth.send(signal.SIGKILL)
        sooth.finish()
        again, second = self.monitor(), self.agent()
        self.tell(second, "busy", "idle")
        self.end(again)
        self.assertEqual(len(self.files()), 2)
        self.assertLessEqual({first.pid, second.pid}, self.pids())

    def test_one_monitor_a_folder(self):
        self.monitor()
        other = self.sooth("monitor", "--fifo-dir", self.path("others"), "--history-dir", self.history, status=2)
        self.assertIn("another monitor does", other.errors)

    def test_a_link_is_refused(self):
        os.mkdir(self.path("elsewhere"), 0o700)
        os.symlink(self.path("elsewhere"), self.history)
        self.assertIn("symbolic link", self.sooth("monitor", "--fifo-dir", self.path("fifos"), "--history-dir",
                                                  self.history, status=2).errors)

    def test_a_file_that_is_cut_or_damaged(self):
        sooth, agent = self.monitor(), self.agent()
        self.tell(agent, "busy", "idle")
        self.end(sooth)
        name = os.path.join(self.history, self.files()[0])
        with open(name, "rb") as file:
            whole = file.read()
        for text in (whole[:-7], whole[:len(whole) // 2], b"", whole[:300] + b"x" * 40 + whole[340:]):
            with open(name, "wb") as file:
                file.write(text)
            noted = [limit["what"] for limit in self.report()["limits"]]
            self.assertEqual("parts of " + self.files()[0] in noted, text not in (b"", whole), noted)
        with open(os.path.join(self.history, "phases-00000002.sooth"), "wb") as file:
            file.write(whole)
        self.assertTrue(self.report()["phases"])

    def test_without_a_history(self):
        run = self.sooth("timeline", "--history-dir", self.path("none"), status=None)
        self.assertIn("no monitor ran", run.errors)
        self.assertNotEqual(run.status, 0)


if __name__ == "__main__":
    harness.main()
