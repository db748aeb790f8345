# SPDX-License-Identifier: BSD-2-Clause
"""
What `sooth ps` and `claude-trace` show people and scripts: rows, columns, orders, trees, thresholds
and formats, on a make-believe Claude Code: a shell that runs from the place where that is installed.
"""
import csv
import fcntl
import io
import json
import os
import pty
import re
import shutil
import signal
import struct
import sys
import termios
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness
from harness import SOOTH, Case, needs_root

COMPAT = os.path.join(os.path.dirname(SOOTH), "compat", "claude-trace")
VERSION = "2.1.9"
# Its tool call is a session of its own and has the variables that the real one's has.
WORK = "export CLAUDECODE=1 CLAUDE_CODE_EXECPATH=x; setsid /bin/sh -c '/bin/sleep 100; :' & echo ready; read line"


class Agents(Case):
    def setUp(self):
        super().setUp()
        home = self.path("home/.local/share/claude/versions")
        os.makedirs(home)
        self.program = os.path.join(home, VERSION)
        shutil.copyfile("/bin/bash", self.program)
        os.chmod(self.program, 0o755)
        self.project = self.path("some-project")
        os.mkdir(self.project)

    def agent(self, script=WORK, **options):
        """A session at work; it ends with its standard input."""
        started = self.start(self.program, "-c", script, cwd=self.project, **options)
        started.wait_for_output(b"ready")
        if script is WORK:
            self.tool = harness.wait_until(lambda: self.named(started.pid, "sh"), "the tool call")
            self.sleep = harness.wait_until(lambda: self.named(self.tool, "sleep"), "its child")
            self.addCleanup(self.end_quietly, self.sleep)
        return started

    @staticmethod
    def end_quietly(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    @staticmethod
    def named(parent, name):
        """The child of that name."""
        for child in harness.read("/proc/%d/task/%d/children" % (parent, parent)).split():
            if harness.read("/proc/%d/comm" % int(child)).strip().decode() == name:
                return int(child)
        return None

    def rows(self, *argv, **options):
        report = self.sooth("ps", "-j", "-i", "20ms", *argv, **options).json()
        return {row["pid"]: row for row in report["processes"]}

    def table(self, *argv, columns=None, **options):
        """The lines of the table, without its heading, of which one has each pid."""
        more = ["--columns", columns] if columns else []
        run = self.sooth("ps", "-i", "20ms", *more, *argv, **options)
        return run.text.splitlines()


class Rows(Agents):
    def test_agents_alone(self):
        main = self.agent()
        rows = self.rows()
        self.assertIn(main.pid, rows)
        self.assertNotIn(self.sleep, rows)
        row = rows[main.pid]
        self.assertEqual((row["agent"], row["version"], row["role"], row["project"]),
                         ("claude", VERSION, "main", "some-project"))
        self.assertEqual(row["session_pid"], main.pid)
        self.assertEqual(row["session_reason"], "self")

    def test_tree(self):
        main = self.agent()
        report = self.sooth("ps", "-t", "-j", "-i", "20ms").json()
        order = [row["pid"] for row in report["processes"]]
        rows = {row["pid"]: row for row in report["processes"]}
        at = order.index(main.pid)
        self.assertEqual(order[at:at + 3], [main.pid, self.tool, self.sleep])
        self.assertEqual([rows[pid]["depth"] - rows[main.pid]["depth"] for pid in order[at:at + 3]],
                         [0, 1, 2])
        for pid in (self.tool, self.sleep):
            self.assertEqual(rows[pid]["role"], "tool", rows[pid])
            self.assertEqual(rows[pid]["role_pid"], self.tool)
            self.assertEqual(rows[pid]["session_pid"], main.pid)
            self.assertEqual(rows[pid]["session_agent"], "claude")
            self.assertIsNone(rows[pid]["agent"])
        for locale, first, last in (("C", "`-sh", "`-sleep"), ("C.UTF-8", "└─sh", "└─sleep")):
            lines = self.table("-t", columns="name,pid", env={"LC_ALL": locale})
            at = next(i for i, line in enumerate(lines) if str(main.pid) in line.split())
            self.assertTrue(lines[at].startswith(VERSION), lines[at])
            self.assertTrue(lines[at + 1].startswith(first), lines[at + 1])
            self.assertTrue(lines[at + 2].strip().startswith(last), lines[at + 2])

    def test_a_tree_of_one(self):
        main = self.agent()
        self.assertEqual(set(self.rows("-t", str(self.tool))), {self.tool, self.sleep})
        self.assertEqual(set(self.rows("-t", str(main.pid))), {main.pid, self.tool, self.sleep})
        # Without -t exactly whoever was named; its session is known all the same.
        rows = self.rows("-p", str(self.sleep))
        self.assertEqual(set(rows), {self.sleep})
        self.assertEqual(rows[self.sleep]["session_pid"], main.pid)

    def test_sessions(self):
        main = self.agent()
        report = self.sooth("ps", "-j", "-i", "20ms").json()
        session = next(row for row in report["sessions"] if row["pid"] == main.pid)
        self.assertEqual((session["agent"], session["project"], session["processes"],
                          session["tools"], session["mcp_servers"]),
                         ("claude", "some-project", 3, 1, 0))
        rss = sum(row["rss_bytes"] for row in self.rows("-t", str(main.pid)).values())
        self.assertLess(abs(session["rss_bytes"] - rss), 1 << 20)
        self.assertIn("\nsessions\n", self.sooth("ps", "-v", "-i", "20ms").text)
        self.assertNotIn("\nsessions\n", self.sooth("ps", "-i", "20ms").text)

    def test_a_user(self):
        main = self.agent()
        self.assertIn(main.pid, self.rows("-u", str(os.getuid())))
        self.assertEqual(self.rows("-u", "4294967294"), {})

    def test_from_a_capture(self):
        """Whom of the host was meant stands in it."""
        main = self.agent()
        capture = self.path("host.sooth")
        self.sooth("ps", "-i", "20ms", "--save", capture, str(self.sleep))
        report = self.sooth("ps", "-j", capture).json()
        self.assertEqual([row["pid"] for row in report["processes"]], [self.sleep])
        self.assertEqual(report["target"]["selector"], "host")
        self.assertEqual(report["target"]["pids"], [self.sleep])
        report = self.sooth("ps", "-j", "-p", str(main.pid), capture).json()
        self.assertEqual([row["pid"] for row in report["processes"]], [main.pid])
        self.assert_not_found(self.sooth("ps", "-p", "99999999", capture, status=4))

    def assert_not_found(self, run):
        self.assertEqual(run.out, b"")
        self.assertIn("99999999", run.errors)

    def test_a_zombie_of_a_session(self):
        """Its parent turns into a program that never asks how children ended."""
        sleeper = os.path.join(os.path.dirname(self.program), "2.1.8")
        shutil.copyfile("/bin/sleep", sleeper)
        os.chmod(sleeper, 0o755)
        main = self.agent("/bin/sleep 0.5 & echo ready; exec '%s' 100" % sleeper)
        zombie = harness.wait_until(lambda: self.named(main.pid, "sleep"), "the child")
        harness.wait_until(lambda: harness.process_state(zombie) == "Z", "its end")
        rows = self.rows()
        self.assertIn(zombie, rows)
        self.assertTrue(rows[zombie]["is_zombie"])
        self.assertIn("ZOMBIE", rows[zombie]["flags"])
        self.assertIn("%d (sleep) zombie: " % zombie, self.sooth("ps", "-v", "-i", "20ms").text)
        self.assertRegex(self.sooth("ps", "-i", "20ms").text,
                         r"\n\d+ zombie: exited, but not reaped by its parent:.* %d\b" % zombie)


class Versions(Agents):
    def is_outdated(self, started):
        report = self.sooth("ps", "-j", str(started.pid)).json()
        return report["processes"][0]["is_outdated"]

    def test_home_of_the_environment(self):
        """A newer version below HOME counts where HOME is the user's own folder."""
        newer = self.path("home/.local/share/claude/versions/2.9.9")
        os.mkdir(newer)
        home = dict(os.environ, HOME=self.path("home"))
        self.assertIs(self.is_outdated(self.agent(env=home)), True)
        os.rmdir(newer)
        self.assertIsNot(self.is_outdated(self.agent(env=home)), True)

    @needs_root
    def test_home_of_another_user(self):
        os.mkdir(self.path("home/.local/share/claude/versions/2.9.9"))
        os.chown(self.path("home"), 65534, 65534)
        started = self.agent(env=dict(os.environ, HOME=self.path("home")))
        self.assertIsNot(self.is_outdated(started), True)


class Columns(Agents):
    def test_choosing(self):
        main = self.agent()
        lines = self.table(str(main.pid), columns="pid,Agent,RSS")
        self.assertEqual(lines[0].split(), ["PID", "AGENT", "RSS"])
        self.assertEqual(lines[1].split()[:2], [str(main.pid), "claude"])
        lines = self.table(columns="+uid,+SESSION")
        heading = [word for word in lines[0].split() if word not in ("BRANCH", "TASK")]  # of a git tree
        self.assertEqual(heading, ["PID", "PPID", "CPU%", "MEM%", "RSS", "STATE", "TIME", "ROLE", "AGENT",
                                   "VERSION", "PROJECT", "FLAGS", "FOR", "ACTIVITY", "UID", "SESSION"])

    def test_verbose(self):
        self.agent()
        heading = self.table("-v")[0].split()
        for word in ("THRDS", "FILES", "USER", "TTY", "SESSION", "CWD"):
            self.assertIn(word, heading)

    def test_every_field_is_a_column(self):
        main = self.agent()
        names = [name for name in self.rows(str(main.pid))[main.pid] if name != "not_measured"]
        self.assertGreater(len(names), 50)
        out = self.sooth("ps", "-i", "0", "--format", "csv", str(main.pid), "--columns",
                         ",".join(names)).out.decode()
        heading, row = list(csv.reader(io.StringIO(out, newline="")))
        self.assertEqual(heading, names)
        self.assertEqual(row[names.index("cwd")], self.project)

    def test_help_lists_all(self):
        main = self.agent()
        names = [name for name in self.rows(str(main.pid))[main.pid] if name != "not_measured"]
        lines = self.sooth("ps", "--columns", "help").out.decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines], names)

    def test_what_is_asked_for_beside_columns(self):
        main = self.agent()
        for columns, heading in (("pid", ["PID", "RULE"]), ("rule,pid", ["RULE", "PID"])):
            table = self.table("--why", str(main.pid), columns=columns)
            self.assertIn(heading, [line.split() for line in table])

    def test_wrong_ones(self):
        for argv, *words in ((["--columns", "agnet"], "agnet", "did you mean agent?"),
                             (["--columns", "cpu"], "did you mean cpu_percent?"),
                             (["--columns", "group"], "control_group"),
                             (["--sort", "reason"], "orphaned_reason, abandoned_reason"),
                             (["--columns", "pid,elephants"], "elephants", "columns"),
                             (["--sort", "cpu_precent"], "cpu_percent"),
                             (["--columns", ""], "--columns"),
                             (["-k", "fast"], "fast"), (["-m", "0"], "512"),
                             (["-k"], "-k")):
            run = self.sooth("ps", *argv, status=2)
            self.assertEqual(run.out, b"")
            for word in words:
                self.assertIn(word, run.errors)

    def test_order(self):
        self.agent()
        pids = [str(os.getpid()), str(self.sleep), str(self.tool)]
        for sort, key, back in (("pid", "pid", False), ("-pid", "pid", True),
                                ("rss", "rss_bytes", False), ("-name", "name", True)):
            rows = self.sooth("ps", "-j", "-i", "20ms", "--sort", sort, *pids).json()["processes"]
            values = [row[key] for row in rows]
            self.assertEqual(len(values), 3)
            self.assertEqual(values, sorted(values, reverse=back), sort)


class Figures(Agents):
    def test_one_reading(self):
        """CPU needs two: it is not made up, and no time is spent on waiting for the second."""
        main = self.agent()
        capture = self.path("once.sooth")
        report = self.sooth("ps", "-j", "-i", "0", "--save", capture).json()
        row = next(row for row in report["processes"] if row["pid"] == main.pid)
        self.assertIsNone(row["cpu_percent"])
        self.assertEqual(row["not_measured"]["cpu_percent"], "this value needs two samples")
        self.assertIsNone(report["totals"]["cpu_percent"])
        twice = self.path("twice.sooth")
        self.sooth("ps", "-i", "1ms", "--save", twice)
        self.assertLess(os.path.getsize(capture), os.path.getsize(twice) * 0.8)

    def test_thresholds(self):
        busy = self.agent("echo ready; while :; do :; done")
        idle = self.agent("echo ready; read line")
        for argv, flag, over in ((["-k", "0.5"], "CPU", {busy.pid}), (["-m", "1k"], "MEM",
                                                                    {busy.pid, idle.pid})):
            report = self.sooth("ps", "-j", "-i", "300ms", *argv).json()
            rows = {row["pid"]: row for row in report["processes"]}
            for pid in (busy.pid, idle.pid):
                self.assertEqual(rows[pid]["is_over_threshold"], pid in over, rows[pid])
                self.assertEqual(flag in (rows[pid]["flags"] or "").split(), pid in over)
            self.assertEqual(report["totals"]["over_threshold"],
                             sum(row["is_over_threshold"] is True for row in report["processes"]))
        self.assertIsNone(self.sooth("ps", "-j", "-i", "20ms").json()["totals"]["over_threshold"])
        report = self.sooth("ps", "-j", "-i", "0", "-k", "1").json()
        self.assertIsNone(report["totals"]["over_threshold"], "CPU is not measured")
        self.assertEqual({row["is_over_threshold"] for row in report["processes"]}, {None})
        self.assertIn("above a threshold: ?", self.sooth("ps", "-i", "0", "-k", "1").text)
        text = self.sooth("ps", "-i", "20ms", "-m", "1k", "--color", "always").text
        self.assertIn("above a threshold: ", text)
        line = next(line for line in text.splitlines() if str(idle.pid) in line)
        self.assertIn("\033[1;31m", line)

    def test_versions(self):
        main = self.agent()
        run = self.sooth("ps", "--check-version", "-i", "20ms")
        self.assertIn(str(main.pid), run.text)
        self.assertIn(VERSION, run.text)
        self.assertIn("NEWEST", run.text)
        self.assertNotIn("\nsessions\n", run.text)
        report = self.sooth("ps", "--check-version", "-j", "-i", "20ms").json()
        self.assertIn("installed", report)


class Formats(Agents):
    def test_csv(self):
        odd = self.path('odd, "name"')
        os.mkdir(odd)
        self.project = odd
        first = self.agent("echo ready; read line")
        self.project = self.path("=1+1")
        os.mkdir(self.project)
        second = self.agent("echo ready; read line")
        out = self.sooth("ps", "-i", "20ms", "--format", "csv").out.decode()
        self.assertTrue(out.endswith("\r\n"))
        heading, *rows = csv.reader(io.StringIO(out, newline=""))
        self.assertEqual(heading[:3], ["pid", "ppid", "cpu_percent"])
        by_pid = {int(row[0]): dict(zip(heading, row)) for row in rows}
        self.assertEqual(by_pid[first.pid]["project"], 'odd, "name"')
        # A spreadsheet must not compute what somebody called a folder.
        self.assertEqual(by_pid[second.pid]["project"], "'=1+1")
        self.assertGreater(int(by_pid[first.pid]["rss_bytes"]), 100000)
        self.assertEqual(by_pid[first.pid]["flags"], "")
        self.assertTrue(all(len(row) == len(heading) for row in rows))

    def test_names_of_text(self):
        main = self.agent()
        both = [self.sooth("ps", "-i", "0", "--format", name, "--columns", "pid,agent",
                           str(main.pid)).text.split("\n\n")[0] for name in ("text", "table")]
        self.assertEqual(both[0], both[1])
        lines = self.sooth("ps", "-i", "20ms", "--format", "jsonl").lines()
        self.assertIn(main.pid, [line["pid"] for line in lines if line["type"] == "processes"])


class Terminals(Agents):
    def on_terminal(self, columns, *argv):
        pid, terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.environ["LC_ALL"] = "C.UTF-8"
            os.environ["NO_COLOR"] = "1"
            os.execv(argv[0], argv)
        out = b""
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        return out.decode().replace("\r\n", "\n")

    def test_no_row_wraps(self):
        self.project = self.path("a-name-much-longer-than-any-terminal-has-room-for-" + "x" * 60)
        os.mkdir(self.project)
        main = self.agent()
        for columns in (40, 60, 80, 100, 200):
            for argv in ([], ["-t"], ["-v"], ["-t", "-v"], ["--columns", "pid,ppid,rss,cpu_percent,"
                         "mem_percent,elapsed_time,threads,project,flags"]):
                text = self.on_terminal(columns, SOOTH, "ps", "-i", "20ms", *argv)
                # What is below the total with -v is for developers.
                shown = text.split("\ntotal of")[0] if "-v" in argv else text
                for line in shown.split("\n"):
                    self.assertLessEqual(len(line), columns, (argv, line))
                self.assertIn(str(main.pid), text)
        self.assertIn("no room for: MEM%, PPID",
                      self.on_terminal(60, SOOTH, "ps", "-v", "-i", "20ms", str(main.pid)))
        self.assertNotIn("no room for", self.on_terminal(60, SOOTH, "ps", "-i", "20ms", str(main.pid)))

    def test_activity_goes_last(self):
        self.agent()
        text = self.on_terminal(40, SOOTH, "ps", "-i", "20ms")
        self.assertIn("ACTIVITY", text.split("\n")[0])
        self.assertNotIn("PPID", text)
        text = self.on_terminal(32, SOOTH, "ps", "-i", "20ms")
        self.assertIn("ACTIVITY", text.split("\n")[0])
        self.assertNotRegex(text.split("\n")[0], r"\bFOR\b")

    def test_names_that_a_terminal_would_obey(self):
        self.project = self.path("red\033[31m\r\n\u202e名前")
        os.mkdir(self.project)
        main = self.agent()
        # Alone: columns are as wide as whoever else is there needs them.
        text = self.on_terminal(100, SOOTH, "ps", "-i", "20ms", "--columns", "pid,project,flags",
                                str(main.pid))
        line = next(line for line in text.split("\n") if str(main.pid) in line)
        self.assertIn("red\\x1b[31m", line)
        self.assertNotIn("\033[31m", line)
        self.assertNotIn("\u202e", line)


class ClaudeTrace(Agents):
    MEMBERS = {"timestamp", "hostname", "os", "os_version", "latest_local_version", "process_count",
               "orphaned_count", "outdated_count", "totals", "processes"}
    TOTALS = {"cpu_percent", "mem_percent", "rss_kb", "rss_human"}
    PROCESS = {"pid", "ppid", "cpu_percent", "mem_percent", "rss_kb", "vsz_kb", "state",
               "elapsed_time", "command", "version", "is_orphaned", "is_outdated", "open_files",
               "threads", "cwd", "project", "session_id"}

    def trace(self, *argv, **options):
        return self.run_program(COMPAT, *argv, **options)

    def test_json(self):
        main = self.agent()
        other = self.path("codex")
        shutil.copyfile("/bin/sleep", other)
        os.chmod(other, 0o755)
        codex = self.start(other, "100")
        report = self.trace("-j").json()
        self.assertLessEqual(self.MEMBERS, set(report))
        self.assertLessEqual(self.TOTALS, set(report["totals"]))
        rows = {row["pid"]: row for row in report["processes"]}
        self.assertIn(main.pid, rows)
        self.assertNotIn(codex.pid, rows)
        self.assertLessEqual(self.PROCESS, set(rows[main.pid]))
        self.assertEqual(report["process_count"], len(rows))
        self.assertIsInstance(rows[main.pid]["command"], str)
        self.assertIsInstance(rows[main.pid]["is_outdated"], (bool, type(None)))

    def test_columns(self):
        main = self.agent()
        lines = self.trace().text.splitlines()
        self.assertEqual(lines[0].split(), ["PID", "PPID", "CPU%", "MEM%", "RSS", "STATE", "TIME",
                                            "PROJECT", "FLAGS"])
        self.assertTrue(any(line.split()[:1] == [str(main.pid)] for line in lines))
        self.assertTrue(any(line.startswith("total of ") for line in lines))
        self.assertNotIn("sessions", lines)
        heading = self.trace("-v").text.splitlines()[0].split()
        self.assertEqual(heading[-3:], ["THRDS", "FILES", "CWD"])
        self.assertIn(str(self.sleep), self.trace("-t").text)

    def test_watching(self):
        self.agent()
        watch = self.start(COMPAT, "-w", "0.2", "-j")
        harness.wait_until(lambda: watch.out.count(b'"timestamp"') >= 3, "three looks")
        watch.send(signal.SIGINT)
        run = watch.finish()
        self.assertEqual(run.status, 0, run)
        text, reports = run.text, []
        while text.strip():
            report, end = json.JSONDecoder().raw_decode(text.strip())
            text = text.strip()[end:]
            reports.append(report)
        # The last one says how the watch ended, and what it cost.
        self.assertGreaterEqual(len(reports), 4)
        self.assertEqual(reports[-1]["end_reason"], "stopped")
        for report in reports[:-1]:
            self.assertIn("processes", report)
        # The number may be left out, also among joined letters.
        watch = self.start(COMPAT, "-wv")
        watch.wait_for_output(b"THRDS")
        watch.send(signal.SIGINT)
        self.assertEqual(watch.finish().status, 0)

    def test_ending_one(self):
        main = self.agent("echo ready; read line")
        run = self.trace("-K", str(main.pid))
        self.assertIn("%d has ended" % main.pid, run.text)
        self.assertEqual(main.finish().status, -signal.SIGTERM)

    def test_one_that_will_not_end(self):
        main = self.agent("trap '' TERM; echo ready; read line")
        run = self.trace("-K", str(main.pid), status=1)
        self.assertIn("-9 -K %d" % main.pid, run.errors)
        self.assertTrue(main.is_running())
        self.trace("-9", "-K", str(main.pid))
        self.assertEqual(main.finish().status, -signal.SIGKILL)

    def test_what_it_does_not_end(self):
        main = self.agent()
        bystander = self.start("/bin/sleep", "100")
        for pid, word in ((1, "process 1"), (bystander.pid, "the process is not part of an agent"),
                          (self.sleep, "not an agent")):
            run = self.trace("-9", "-K", str(pid), status=2)
            self.assertIn(word, run.errors)
            self.assertEqual(run.out, b"")
        self.assertTrue(bystander.is_running() and main.is_running())
        self.assertIn(harness.process_state(self.sleep), ("S", "D", "R"))
        self.trace("-K", "99999999", status=4)
        gone = self.start("/bin/true")
        gone.finish()
        self.trace("-K", str(gone.pid), status=4)

    def test_usage(self):
        self.assertIn("-K", self.trace("-h").text)
        self.assertIn("sooth", self.trace("--version").text)
        self.trace("--check-version")
        for argv in (["-9"], ["-K"], ["-K", "me"], ["-K", "0"], ["7"], ["-x"], ["-k", "x"],
                     ["-w", "5x"]):
            run = self.trace(*argv, status=2)
            self.assertEqual(run.out, b"")


if __name__ == "__main__":
    unittest.main()
