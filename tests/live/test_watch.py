# SPDX-License-Identifier: BSD-2-Clause
"""`sooth ps -w` on a terminal, read as a user sees it, and where there is none."""
import ctypes
import itertools
import json
import os
import shutil
import re
import signal
import subprocess
import sys
import tempfile

import harness
from family import Family
from harness import SOOTH, WORKLOADS, Case
from screen_reader import Screen

WATCH = [SOOTH, "ps", "-a", "-w", "0.5"]
# 64 MB until its input ends.
FULL = "import sys; x = b'x' * (64 << 20); print(flush=True); sys.stdin.read()"
CLONE3 = 435  # the same everywhere
CLEARS = (b"\x1b[2J", b"\x1b[J", b"\x1b[0J", b"\x1b[3J")


def clone_as(pid):
    """A child of that number that waits for ever; None: the kernel does not let us."""
    number = ctypes.c_int(pid)
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = signal.SIGCHLD
    arguments[8], arguments[9] = ctypes.addressof(number), 1
    child = harness.libc.syscall(ctypes.c_long(CLONE3), arguments,
                                 ctypes.c_size_t(ctypes.sizeof(arguments)))
    if child == 0:
        while True:
            signal.pause()
    return child if child > 0 else None


def whole_lines(run):
    return bytes(run.out).split(b"\n")[:-1]


def head_of(lines):
    """Where the columns' names stand; -1: nowhere."""
    return next((i for i, line in enumerate(lines) if re.match(r" +PID\W", line)), -1)


def has_rows(lines):
    at = head_of(lines)
    return at >= 0 and at + 1 < len(lines) and any(c.isdigit() for c in lines[at + 1])


LEFT, RIGHT = b"\x1b[D", b"\x1b[C"


class Shown(Case):
    """Workloads run from this case's folder: by its name they are told from everybody else's."""

    def setUp(self):
        super().setUp()
        self.program = self.copy_for_all(WORKLOADS)
        self.mark = os.path.basename(self.folder).encode()
        # Apart: settings in a folder that anybody may write are not read.
        self.config = self.enterContext(tempfile.TemporaryDirectory())
        os.mkdir(os.path.join(self.config, "sooth"))
        with open(os.path.join(self.config, "sooth/top.conf"), "w", encoding="ascii") as file:
            file.write("no-findings = yes\n")

    def workload(self, *argv, **options):
        process = self.start(self.program, *argv, "--hold", **options)
        self.wait_until_ready(process)
        return process

    def screen(self, argv=None, columns=100, rows=30):
        screen = Screen(argv or WATCH, columns, rows, {"XDG_CONFIG_HOME": self.config})
        return self.enterContext(screen)

    def watch(self, columns=100, rows=30, argv=None):
        screen = self.screen(argv, columns, rows)
        screen.wait_for(lambda lines: has_rows(lines) and re.match(r"\d+/\d+", lines[-1]), "rows")
        return screen

    def rows(self, screen):
        """The lines of the list."""
        lines = screen.lines()
        row = re.compile(r".? *\d+ ")
        # Below the selected row may stand its activity, whole.
        shown = itertools.takewhile(lambda line: row.match(line) or re.match(r"    \S", line), lines[head_of(lines) + 1:-1])
        return [line for line in shown if row.match(line)]

    def pids(self, screen):
        return [int(line[1:].split()[0]) for line in self.rows(screen)]

    def filter(self, screen, text):
        screen.type(b"\\")
        screen.type(text + b"\r")

    def test_sizes(self):
        """Each row begins with its pid: nothing has wrapped; the help stands in the last line."""
        for columns, rows in ((40, 12), (80, 24), (133, 43), (200, 60)):
            with self.subTest(columns=columns, rows=rows):
                screen = self.watch(columns, rows)
                screen.wait_for(lambda lines: len(self.pids(screen)) > 2 and "help" in lines[-1],
                                "whole rows")
                screen.type(b"q")
                self.assertTrue(screen.ends())
                self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)

    def test_sort(self):
        """All processes by CPU, until a key or an option says otherwise."""
        screen = self.watch()
        self.assertIn("CPU%\u25bc", screen.lines()[head_of(screen.lines())])
        screen.type(b"I")
        screen.wait_for(lambda lines: "CPU%\u25b2" in lines[head_of(lines)], "the other direction")
        for more, is_reversed in (("pid", False), ("-pid", True)):
            screen = self.watch(argv=WATCH + ["--sort", more])
            self.assertIn("PID", screen.lines()[head_of(screen.lines())])
            self.assertEqual(self.pids(screen), sorted(self.pids(screen), reverse=is_reversed))

    def test_options_of_the_report(self):
        """What the screen cannot show is printed, table after table."""
        for more in (["--columns", "pid,name"], ["-v"], ["--why"], ["--sort", "user"], ["-t", "--sort", "pid"],
                     ["--filter", "pid = 1", "-m", "1"]):
            screen = self.screen(["/bin/sh", "-c", " ".join(WATCH + [repr(word) for word in more])], 200, 200)
            screen.wait_for(lambda _, at=screen: at.written.count(b"PID") >= 2, more)
            self.assertNotIn(b"\x1b[?1049h", screen.written)

    def test_filter(self):
        process = self.workload("spin", "--seconds", "60")
        screen = self.watch()
        self.filter(screen, self.mark.upper())
        screen.wait_for(lambda lines: self.pids(screen) == [process.pid], "that row alone")
        screen.type(b"\\no such thing\r")
        screen.wait_for(lambda lines: any("no matching row" in line for line in lines),
                        "word that the text is why there is no row")
        screen.type(b"\x1b")
        screen.wait_for(lambda lines: len(self.rows(screen)) > 5, "all rows again")
        screen = self.watch(argv=WATCH + ["--filter", "pid = %d" % process.pid])
        self.assertEqual(self.pids(screen), [process.pid])
        screen.type(b"\x1b")
        screen.wait_for(lambda lines: len(self.rows(screen)) > 5, "all rows")

    def test_tree_and_fold(self):
        process = self.workload("children", "--count", "3")
        screen = self.watch(rows=60, argv=WATCH + ["-t"])
        self.filter(screen, self.mark)
        screen.wait_for(lambda _: len(self.rows(screen)) == 4, "a parent and its children")
        screen.type(b"g" + LEFT)
        screen.wait_for(lambda _: self.pids(screen) == [process.pid], "the parent, folded")
        screen.type(RIGHT)
        screen.wait_for(lambda _: len(self.rows(screen)) == 4, "all of them again")

    def test_rows_over_a_threshold_are_red(self):
        process = self.workload("hog", "--mb", "64")
        screen = self.screen(WATCH + ["-m", "32", str(process.pid)])
        screen.wait_for(lambda lines: has_rows(lines) and "threshold" in lines[-1], "the alert")
        y = head_of(screen.lines()) + 1
        self.assertEqual({"ff5f5f"}, {screen.shown.buffer[y][x].fg for x in range(2, screen.columns)})

    def test_tree_of_sessions(self):
        """Without -a what stands below a session comes with -t, or when it is unfolded."""
        family = self.enterContext(Family(self.folder))
        main = family.main()
        tool = main.start("tool", "session", **family.tool(main))
        screen = self.watch(200, 40, [SOOTH, "ps", "-w", "0.5", str(main.pid)])
        self.assertEqual(self.pids(screen), [main.pid])
        screen.type(RIGHT)
        screen.wait_for(lambda _: tool.pid in self.pids(screen), "the processes of the session")
        screen = self.watch(200, 40, [SOOTH, "ps", "-t", "-w", "0.5"])
        self.assertLess({main.pid, tool.pid}, {*self.pids(screen), 0})
        self.assertNotIn(os.getpid(), self.pids(screen))
        screen.type(b"t")
        screen.wait_for(lambda _: tool.pid not in self.pids(screen), "the sessions")

    @harness.needs_root
    def test_short_lived(self):
        """The head counts what no row can show, and says where it cannot."""
        self.open_to_all()
        program = self.copy_for_all(SOOTH)
        screen = self.watch(argv=["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "ps", "-a",
                                  "-w", "0.5"])
        screen.wait_for(lambda lines: any("short-lived: ?" in line for line in lines), "a word about it")
        screen.type(b"b")
        screen.wait_for(lambda lines: any("not measured: sooth gets no events" in line for line in lines), "the reason")

    @harness.needs_bpf
    def test_short_lived_by_name(self):
        screen = self.watch()
        self.start("/bin/sh", "-c", "while :; do /bin/true; done")

        def has_name(lines):
            if any(re.search(r"\d+ +true ", line) for line in lines):
                return True
            screen.type(b"qb")  # those of another frame
            return False
        screen.type(b"b")
        screen.wait_for(has_name, "their name")
        self.assertTrue(any(re.search(r"\d+ short-lived", line) for line in screen.lines()))

    def test_pause(self):
        screen = self.watch()
        screen.type(b"p")
        screen.wait_for(lambda lines: "PAUSED" in lines[0], "the word")
        before, title = self.rows(screen), screen.lines()[0]
        screen.pump(2)
        screen.type(b"?")
        screen.type(b"?")
        self.assertEqual(self.rows(screen), before)
        # The time is that of the rows.
        self.assertEqual(screen.lines()[0], title)
        self.assertIn("every 0.5s", title)
        screen.type(b"p")
        screen.wait_for(lambda lines: "PAUSED" not in lines[0], "the word to go")

    def test_new_and_gone(self):
        screen = self.watch()
        self.filter(screen, self.mark)
        process = self.workload("rename", "--comm", "comer")
        screen.wait_for(lambda lines: any(line.startswith("+") and str(process.pid) in line
                                          for line in lines), "a mark for the new one")
        process.close_stdin()
        process.finish()
        screen.wait_for(lambda lines: process.pid not in self.pids(screen), "it to go")

    def test_no_flicker(self):
        """After the first frame nothing is ever cleared, and what is the same is not sent again."""
        process = self.workload("sleep", "--seconds", "60")
        screen = self.watch(argv=[SOOTH, "ps", "-w", "0.3", str(process.pid)])
        screen.pump(2)
        start = len(screen.written)
        screen.pump(3)
        screen.wait_for(lambda _: len(screen.written) > start, "another frame")
        later = bytes(screen.written[start:])
        for clear in CLEARS:
            self.assertNotIn(clear, later)
        self.assertLess(len(later), 2 * screen.columns * screen.rows)

    def test_resize_in_mid_frame(self):
        screen = self.watch()
        for i in range(30):
            screen.resize(60 + i * 3, 12 + i)
            screen.pump(0.02)
        screen.resize(90, 20)
        screen.wait_for(lambda lines: has_rows(lines) and "help" in lines[-1] and
                        len(self.pids(screen)) > 5, "the last size")

    def test_hostile_names(self):
        names = ["\\x1b[2J", "\\xe5\\x85\\xa8\\xe8\\xa7\\x92", "a\\x0ab\\x09c", "\\xff\\xfe",
                 "\\xe2\\x80\\xae rtl"]
        pids = [self.workload("rename", "--comm", name).pid for name in names]
        screen = self.watch(rows=60)
        self.filter(screen, self.mark)
        screen.wait_for(lambda lines: sorted(self.pids(screen)) == sorted(pids), "them alone")
        self.assertIn("\u5168\u89d2", "\n".join(screen.lines()).replace(" ", ""))
        self.assertNotIn("\u202e", "\n".join(screen.lines()))

    def test_terminal_goes_away(self):
        screen = self.watch()
        screen.hang_up()
        self.assertTrue(screen.ends())

    def test_control_c(self):
        screen = self.watch()
        screen.type(b"\x03")
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)

    def children(self, screen):
        return harness.children_of_sooth(screen.pid)

    def test_panes(self):
        """What they started is gone when they are."""
        process = self.workload("sleep", "--seconds", "60")
        screen = self.watch(80, 16, WATCH + [str(process.pid)])
        screen.type(b"d", 0.2)
        self.assertTrue(self.children(screen))
        screen.type(b"\x1b")
        screen.wait_for(has_rows, "the list")
        self.assertFalse(self.children(screen))

    def test_pane_of_a_sooth_that_is_killed(self):
        process = self.workload("sleep", "--seconds", "60")
        screen = self.watch(argv=WATCH + [str(process.pid)])
        screen.type(b"d", 0.2)
        child, = self.children(screen)
        os.kill(screen.pid, signal.SIGKILL)
        harness.wait_until(lambda: not os.path.exists("/proc/%d" % child) or
                           harness.process_state(child) == "Z", "the diagnosis to end")

    def test_told_to_end_elsewhere(self):
        """By a signal while a pane is open, and while it waits for an answer."""
        family = self.enterContext(Family(self.folder))
        agent = family.main()
        for key, there in ((b"K\r", "y: yes"), (b"z", "y: yes"), (b"d", "diagnosing")):
            screen = self.watch(argv=[SOOTH, "ps", "-w", "0.5", str(agent.pid)])
            screen.type(key)
            screen.wait_for(lambda lines, there=there: any(there in line for line in lines), there)
            os.kill(screen.pid, signal.SIGTERM)
            self.assertTrue(screen.ends(), "\n".join(screen.lines()))
            self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)
        self.assertTrue(agent.is_there())

    def test_frozen(self):
        process = self.workload("sleep", "--seconds", "60")
        screen = self.watch(160, argv=WATCH + [str(process.pid)])
        os.kill(process.pid, signal.SIGSTOP)
        screen.wait_for(lambda lines: any("FROZEN" in line for line in self.rows(screen)),
                        "the flag")
        os.kill(process.pid, signal.SIGCONT)
        screen.wait_for(lambda lines: not any("FROZEN" in line for line in self.rows(screen)),
                        "the flag to go")

    def test_a_number_given_anew_is_not_touched(self):
        """The row that was picked says who is meant, and not its number."""
        process = self.workload("sleep", "--seconds", "60")
        screen = self.watch()
        self.filter(screen, self.mark)
        screen.wait_for(lambda lines: self.pids(screen) == [process.pid], "that row alone")
        screen.type(b"p")  # the row stays
        screen.wait_for(lambda lines: "PAUSED" in lines[0], "the word")
        process.send(signal.SIGKILL)
        process.finish()
        innocent = clone_as(process.pid)
        if not innocent:
            self.skipTest("no process can be given a number here")
        self.addCleanup(os.waitpid, innocent, 0)
        self.addCleanup(os.kill, innocent, signal.SIGKILL)
        screen.type(b"K\r")
        screen.wait_for(lambda lines: any("y: yes" in line for line in lines), "the question")
        screen.type(b"y")
        screen.wait_for(lambda lines: any("another process has its PID now" in line for line in lines),
                        "the refusal")
        self.assertEqual(os.waitpid(innocent, os.WNOHANG), (0, 0))

    def test_a_thousand_agents(self):
        program = os.path.join(self.folder, ".local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(program))
        shutil.copyfile(WORKLOADS, program)
        os.chmod(program, 0o755)
        for _ in range(1000):
            child = subprocess.Popen([program, "sleep", "--seconds", "300", "--hold"],
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
            self.addCleanup(child.stdin.close)
        screen = self.watch(argv=[SOOTH, "ps", "-w", "0.5"])
        screen.wait_for(lambda lines: re.match(r"\d+/10", lines[-1]), "all of them counted")
        seen = set(self.pids(screen))
        screen.type(b"\x1b[F")
        screen.wait_for(lambda _: not seen & set(self.pids(screen)[-5:]), "the last ones")
        screen.type(b"q")
        self.assertTrue(screen.ends())


class Repeated(Case):
    """What is read seldom is not shown for longer than it holds."""

    def setUp(self):
        super().setUp()
        self.family = Family(self.folder)
        self.family.__enter__()
        self.addCleanup(self.family.__exit__)
        self.open_to_all()

    def rows(self, run):
        """Of the last whole frame."""
        whole = whole_lines(run)
        return {row["pid"]: row for row in json.loads(whole[-1])["processes"]} if whole else {}

    def wait_for_row(self, run, member, condition, what):
        harness.wait_until(lambda: (lambda row: row and condition(row))(
            self.rows(run).get(member.pid)), what)

    def test_exit_reasons(self):
        main = self.family.main("a")
        tool = main.start("tool", "session", **self.family.tool(main))
        server = main.start("mcp", **self.family.server(main))
        run = self.start_sooth("ps", "-a", "-w", "0.3", "-j")
        self.wait_for_row(run, server, lambda row: row["role"] == "mcp", "the server")
        harness.wait_until(lambda: run.out.count(b"\n") > 4, "frames that are not the first")
        frames = run.out.count(b"\n")
        main.kill()
        self.wait_for_row(run, tool, lambda row: row["is_orphaned"], "the tool to be orphaned")
        self.wait_for_row(run, server, lambda row: row["is_abandoned"], "the server to be abandoned")
        # Not when everything is read again.
        self.assertLess(run.out.count(b"\n") - frames, 25)
        run.send(signal.SIGINT)
        run.finish()

    def test_works_elsewhere(self):
        """In time, though nothing tells."""
        process = self.workload("sleep", "--seconds", "60")
        run = self.start_sooth("ps", "-a", "-w", "0.5", "-j", "--columns", "pid,command")
        harness.wait_until(lambda: process.pid in self.rows(run), "the process")
        self.assertIn("sleep --seconds", self.rows(run)[process.pid]["command"])
        titled = self.workload("rename", "--title", "another title", "--seconds", "60")
        self.wait_for_row(run, titled, lambda row: row["command"].startswith("another title"), "its title")
        run.send(signal.SIGINT)
        run.finish()


class Fleeting(Case):
    """What begins and ends between two looks."""

    COUNT = 60

    def frames(self, *argv, **options):
        """While something starts often; and all that were seen of it."""
        program = self.path("flit")
        shutil.copyfile(WORKLOADS, program)
        os.chmod(program, 0o755)
        run = self.start(*argv, **options)
        harness.wait_until(lambda: run.out.count(b"\n") >= 2, "two frames")
        self.pids = set()
        for _ in range(self.COUNT):
            with subprocess.Popen([program, "--list"], stdout=subprocess.DEVNULL) as process:
                self.pids.add(process.pid)
        frames = run.out.count(b"\n")
        harness.wait_until(lambda: run.out.count(b"\n") >= frames + 2, "two more")
        run.send(signal.SIGINT)
        return [json.loads(line) for line in run.finish().out.decode().splitlines()]

    @harness.needs_bpf
    def test_none_is_missed(self):
        """Each is in a sample or told by its end, and never both."""
        told = self.frames(SOOTH, "ps", "-a", "-w", "0.3", "-j")
        count = sum(row["count"] for frame in told for row in frame.get("short_lived", [])
                    if row["name"] == "flit")
        # A sample between its fork and its exec has it by the name of the test.
        sampled = {row["pid"] for frame in told for row in frame.get("processes", [])} & self.pids
        self.assertEqual(count + len(sampled), self.COUNT)
        # One after the other, so no sample can have met two.
        self.assertLessEqual(len(sampled), len(told))
        for frame in told[:-1]:
            self.assertLessEqual(sum(row["count"] for row in frame["short_lived"]),
                                 frame["short_lived_totals"]["count"])
        self.assertEqual(harness.lost(told[-1]), 0)

    @harness.needs_bpf
    def test_of_a_session(self):
        with Family(self.folder) as family:
            main = family.main("a")
            run = self.start_sooth("ps", "-w", "0.3", "-j")
            harness.wait_until(lambda: run.out.count(b"\n") >= 2, "two frames")
            count = lambda: sum(row["count"] for line in whole_lines(run)
                                for row in json.loads(line).get("short_lived", [])
                                if row["session_pid"] == main.pid)

            def has_ten():
                # On a busy host some live until a sample meets them.
                main.say("start", "brief", "program=/bin/true", "in=null", "out=null", "err=null")
                main.say("reap")  # or it stays as a zombie, and is seen
                return count() >= 10
            harness.wait_until(has_ten, "what the session has started")
            run.send(signal.SIGINT)
            told = [json.loads(line) for line in run.finish().out.decode().splitlines()]
        sessions = [row["short_lived"] for frame in told for row in frame.get("sessions", [])
                    if row["pid"] == main.pid]
        self.assertEqual(sum(sessions), count())

    @harness.needs_root
    def test_without_privilege_it_is_said(self):
        self.open_to_all()
        told = self.frames(self.copy_for_all(SOOTH), "ps", "-a", "-w", "0.3", "-j",
                           **harness.as_nobody())
        for frame in told[:-1]:
            self.assertIsNone(frame["short_lived_totals"]["count"])
            self.assertEqual(frame["short_lived"], [])
        self.assertTrue(any("between two samples" in limit["what"] for limit in told[-1]["limits"]))

    @harness.needs_bpf
    def test_from_a_capture(self):
        told = self.frames(SOOTH, "ps", "-a", "-w", "0.3", "-j", "--save", self.path("c.sooth"))
        again = self.sooth("ps", "-a", "-w", "-j", self.path("c.sooth")).lines()
        self.assertEqual([frame.get("short_lived") for frame in again],
                         [frame.get("short_lived") for frame in told])


class Alerts(Case):
    """Told once when a threshold is passed, and once when it is over."""

    def tell_program(self):
        """Keeps what it is told, one file each."""
        program = self.path("tell me; touch surprise")
        with open(program, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexec cat > '%s/told.'$$\n" % self.folder)
        os.chmod(program, 0o755)
        return program

    def as_agents(self, program):
        """The environment of a sooth to which processes of that program are an agent."""
        folder = self.path("config/sooth/agents.d")
        os.makedirs(folder)
        with open(os.path.join(folder, "mine.agent"), "w", encoding="utf-8") as file:
            file.write("name mine\ntitle Our own agent\nname-is %s\n" % os.path.basename(program)[:15])
        return dict(os.environ, XDG_CONFIG_HOME=self.path("config"))

    def assert_says_what_it_was(self, cleared, raised):
        for what in ("name", "agent", "project", "session_id", "start_ticks"):
            self.assertEqual(cleared[what], raised[what], what)

    @staticmethod
    def watching(pid):
        """Of everybody, but no alerts of others: of very many at once not each has its program run."""
        return ["ps", "-a", "-w", "0.3", "-j", "-m", "32", "--filter", "pid=%d" % pid]

    def told(self):
        found = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("told."):
                text = harness.read(self.path(name))
                found += [json.loads(text)] if text.endswith(b"\n") else []
        return found

    @staticmethod
    def due(frames, pid, threshold):
        """What is to be told, by the figures of the same frames: on a busy machine one that spins
        has moments without a processor. They are rounded: None where that could matter."""
        states = []
        for frame in frames:
            for value in (row["cpu_percent"] for row in frame["processes"] if row["pid"] == pid):
                is_raised = states[-1:] == ["raised"]
                limit = threshold * 0.9 if is_raised else threshold
                if value is not None and abs(value - limit) < 0.1:
                    return None
                if value is not None and is_raised == (value < limit):
                    states.append("cleared" if is_raised else "raised")
        return states

    def test_once_and_once(self):
        process = self.workload("spin", "--seconds", "5")
        run = self.start_sooth("ps", "-w", "0.3", "-j", "-k", "1", "--on-alert",
                               self.tell_program(), str(process.pid))
        harness.wait_until(lambda: run.out.count(b"\n") >= 2, "two frames")
        self.assertEqual(self.told(), [])
        process.say(b"go\n")
        harness.wait_until(self.told, "an alert")
        harness.wait_until(lambda: len(self.told()) >= 2 and len(self.told()) % 2 == 0, "its end")
        frames = run.out.count(b"\n")
        harness.wait_until(lambda: run.out.count(b"\n") > frames + 2, "more frames")
        run.send(signal.SIGINT)
        errors = run.finish().err
        told = {alert["state"]: alert for alert in self.told()}
        self.assertEqual(set(told), {"raised", "cleared"})
        frames = [json.loads(line) for line in run.out.splitlines()]
        states = self.due([frame for frame in frames if "processes" in frame], process.pid, 1)
        lines = [line.split()[1] for line in errors.splitlines() if b"process %d" % process.pid in line]
        if states:
            self.assertEqual([{b"warning:": "raised", b"cleared:": "cleared"}[word] for word in lines], states)
            self.assertLessEqual(len(self.told()), len(states))
        for alert in told.values():
            self.assertEqual((alert["alert"], alert["pid"], alert["threshold"], alert["unit"]),
                             ("cpu", process.pid, 1, "percent"))
        self.assertGreaterEqual(told["raised"]["value"], 1)
        self.assertFalse(os.path.exists("surprise"))

    def test_ended_while_over(self):
        process = self.workload("hog", "--mb", "64")
        run = self.start_sooth(*self.watching(process.pid), "--on-alert", self.tell_program(), env=self.as_agents(harness.WORKLOADS))
        mine = lambda state: [a for a in self.told()
                              if a["pid"] == process.pid and a["state"] == state]
        harness.wait_until(lambda: mine("raised"), "an alert")
        process.close_stdin()
        process.finish()
        harness.wait_until(lambda: mine("cleared"), "its end")
        self.assertTrue(mine("cleared")[0]["has_ended"])
        self.assertEqual(mine("raised")[0]["agent"], "mine")
        self.assert_says_what_it_was(mine("cleared")[0], mine("raised")[0])
        self.assertNotIn("value", mine("cleared")[0])
        self.assertEqual(mine("raised")[0]["unit"], "bytes")
        self.assertGreater(mine("raised")[0]["value"], 64 << 20)
        run.send(signal.SIGINT)
        run.finish()

    def test_ended_and_not_asked_for(self):
        """A zombie has no memory: that is no return below the threshold."""
        process = subprocess.Popen([sys.executable, "-S", "-c", FULL], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.__exit__, None, None, None)
        process.stdout.readline()
        run = self.start_sooth(*self.watching(process.pid), "--on-alert", self.tell_program())
        mine = lambda state: [a for a in self.told()
                              if a["pid"] == process.pid and a["state"] == state]
        harness.wait_until(lambda: mine("raised"), "an alert")
        self.assertIn("session_id", mine("raised")[0])
        process.stdin.close()
        harness.wait_until(lambda: mine("cleared"), "its end")
        self.assertEqual(harness.process_state(process.pid), "Z")
        self.assertTrue(mine("cleared")[0]["has_ended"])
        self.assert_says_what_it_was(mine("cleared")[0], mine("raised")[0])
        self.assertNotIn("value", mine("cleared")[0])
        harness.wait_until(lambda: b"exited while its memory was above the threshold" in run.err, "a line")
        self.assertNotIn(b"back below the threshold", [line for line in run.err.splitlines()
                                          if b"process %d " % process.pid in line][-1])
        run.send(signal.SIGINT)
        run.finish()

    def test_on_the_screen_and_the_bell(self):
        process = self.workload("spin", "--seconds", "300")
        for more, bells in (([], 0), (["--bell"], 1)):
            screen = Screen(WATCH[:-2] + ["-w", "0.3", "-k", "1", *more, str(process.pid)], 100, 20)
            with screen:
                screen.wait_for(has_rows, "rows")
                if not bells:
                    process.say(b"go\n")
                screen.wait_for(lambda lines: "uses" in lines[-1] and "threshold 1.0 %" in lines[-1],
                                "the alert")
                screen.pump(1)
                self.assertEqual(screen.written.count(b"\a"), bells)

    def test_activity_and_end(self):
        """Once when an agent begins to wait for its user, once when that is over, once at its end."""
        family = self.enterContext(Family(self.folder))
        main = family.main()
        run = self.start_sooth("ps", "-w", "0.3", "-j", "--alert-on", "waits-for-user,end", "--on-alert",
                               self.tell_program(), str(main.pid))
        frames = lambda more, seen=0: harness.wait_until(lambda: run.out.count(b"\n") >= seen + more, "frames")
        frames(2)
        self.assertEqual(self.told(), [])
        family.tell_session(main, status="waiting", waitingFor="permission prompt")
        harness.wait_until(self.told, "an alert")
        frames(3, run.out.count(b"\n"))
        raised, = self.told()
        self.assertEqual((raised["alert"], raised["state"], raised["pid"], raised["session_id"], raised["has_ended"]),
                         ("waits_for_user", "raised", main.pid, main.session_id, False))
        self.assertEqual(raised["activity"]["state"], "waits_for_user")
        self.assertNotIn("threshold", raised)
        family.tell_session(main)
        harness.wait_until(lambda: len(self.told()) == 2, "that it is over")
        cleared, = (alert for alert in self.told() if alert["state"] == "cleared")
        self.assertEqual(cleared["alert"], "waits_for_user")
        self.assertNotEqual(cleared["activity"]["state"], "waits_for_user")
        main.kill()
        harness.wait_until(lambda: len(self.told()) == 3, "the end")
        end, = (alert for alert in self.told() if alert["alert"] == "end")
        self.assertEqual((end["state"], end["has_ended"], end["agent"], end["session_id"]),
                         ("raised", True, "claude", main.session_id))
        run.send(signal.SIGINT)
        self.assertRegex(run.finish().err.decode(), r"alert: process %d \(\S+\): waits for permission" % main.pid)

    def test_finding(self):
        """By a diagnosis beside the list, which ends with it."""
        process = subprocess.Popen(["yes"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        run = self.start_sooth("ps", "-w", "0.5", "-j", "--alert-on", "writer-stuck", "--on-alert",
                               self.tell_program(), str(process.pid))
        harness.wait_until(self.told, "an alert")
        alert, = self.told()
        self.assertEqual((alert["alert"], alert["state"], alert["pid"], alert["finding"]["id"]),
                         ("finding", "raised", process.pid, "writer-stuck"))
        harness.wait_until(lambda: b"%d (yes): writer-stuck: " % process.pid in run.err, "a line")
        beside, = harness.children_of_sooth(run.pid)
        run.send(signal.SIGINT)
        run.finish()
        self.assertFalse(os.path.exists("/proc/%d" % int(beside)))

    def test_program_that_is_not_there(self):
        process = self.workload("hog", "--mb", "64")
        run = self.start_sooth("ps", "-w", "0.3", "-j", "-m", "32", "--on-alert", "/no/such thing",
                               str(process.pid))
        harness.wait_until(lambda: b"the alert program could not be run" in run.err, "a word about it")
        run.send(signal.SIGINT)
        self.assertEqual(run.finish().status, 0)

    def test_wrong_use(self):
        for argv in (["--bell"], ["-w", "--bell"], ["-k", "5", "--on-alert", "x"], ["--alert-on", "end"],
                     ["-w", "--alert-on", "waits-for-nothing"]):
            run = self.sooth("ps", *argv, status=2)
            self.assert_says_three_lines(run)


class NoTerminal(Case):
    def test_dumb(self):
        """A terminal on which nothing can be drawn anew."""
        with Screen(["/bin/sh", "-c", "%s ps -a -w 0.3" % SOOTH], 100, 200,
                    {"TERM": "dumb"}) as screen:
            screen.wait_for(lambda _: screen.written.count(b" PID") >= 3, "three reports")
            self.assertNotIn(b"\x1b[H", screen.written)
            self.assertNotIn(b"refreshing every", screen.written)

    def test_long_interval(self):
        """Who meant a process is told what it was taken for, and that the next report is far."""
        with Screen([SOOTH, "ps", "-a", "-w", "1234"], 100, 200, {"TERM": "dumb"}) as screen:
            screen.wait_for(lambda _: b"sooth: refreshing every 20m34s" in screen.written, "the word")

    def test_plain(self):
        """One report after the other, until it is told to end."""
        run = self.start_sooth("ps", "-a", "-w", "0.3")
        harness.wait_until(lambda: run.out.count(b" PID") >= 3, "three reports")
        run.send(signal.SIGINT)
        self.assertEqual(run.finish().status, 0)
        self.assertNotIn(b"\x1b", bytes(run.out))

    def test_json_lines(self):
        run = self.start_sooth("ps", "-a", "-w", "0.3", "-j")
        harness.wait_until(lambda: run.out.count(b"\n") >= 3, "three lines")
        run.send(signal.SIGTERM)
        ended = run.finish()
        self.assertEqual(ended.status, 0, ended)
        told = [json.loads(line) for line in ended.out.decode().splitlines()]
        with_rows = [line for line in told if "processes" in line]
        self.assertGreaterEqual(len(with_rows), 3)
        first, later = with_rows[0], with_rows[-1]
        self.assertIsNone(first["processes"][0]["cpu_percent"])
        self.assertIsNotNone(later["processes"][0]["cpu_percent"])
        self.assertIn("sources", told[-1])

    def test_capture(self):
        """Its frames one after the other, as they were; and then it ends."""
        run = self.start_sooth("ps", "-a", "-w", "0.3", "-j", "--save", self.path("c.sooth"))
        harness.wait_until(lambda: run.out.count(b"\n") >= 3, "three lines")
        run.send(signal.SIGINT)
        live = [json.loads(line)["processes"] for line in run.finish().out.decode().splitlines()
                if '"processes"' in line]
        again = self.sooth("ps", "-a", "-w", "-j", self.path("c.sooth"))
        self.assertEqual([line["processes"] for line in again.lines() if "processes" in line], live)
        screen = Screen([SOOTH, "ps", "-a", "-w", self.path("c.sooth")], 200, 50)
        with screen:
            self.assertTrue(screen.ends())
            self.assertNotIn(b"\x1b[?1049h", screen.written)

    def test_cpu_is_of_the_interval(self):
        """Not of the time since the beginning."""
        process = self.workload("spin", "--seconds", "300")
        run = self.start_sooth("ps", "-w", "0.5", "-j", str(process.pid))
        harness.wait_until(lambda: run.out.count(b"\n") >= 2, "two lines")
        process.say(b"go\n")
        harness.wait_until(lambda: harness.cpu_s(process.pid) > 0.2, "it to spin")
        seen = run.out.count(b"\n")
        harness.wait_until(lambda: run.out.count(b"\n") > seen, "a line of it")
        harness.stop(process.pid)
        seen = run.out.count(b"\n")
        harness.wait_until(lambda: run.out.count(b"\n") > seen + 2, "lines of nothing")
        run.send(signal.SIGINT)
        told = [json.loads(line) for line in run.finish().out.decode().splitlines()]
        percents = [line["processes"][0]["cpu_percent"] for line in told
                    if line.get("processes")]
        self.assertLess(percents[1], 5)
        self.assertGreater(max(percents[2:]), 5)
        self.assertEqual(percents[-1], 0)


if __name__ == "__main__":
    harness.main()
