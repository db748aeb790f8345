# SPDX-License-Identifier: BSD-2-Clause
"""`sooth top` on a terminal, read as a user sees it."""
import json
import os
import re
import shutil
import signal
import subprocess
import unittest
from random import Random

import harness
from harness import SOOTH, Case
from screen_reader import Screen

VERSION = ".local/share/claude/versions/2.1.328"
# By its place it is Claude Code. It waits for its input, as that one for its user.
AGENT = "%s read x"
# Nothing of it stays in the pipes of its session, at whose end these are waited for.
AWAY = "</dev/null >/dev/null 2>&1 & "
TOOL = "CLAUDECODE=1 CLAUDE_CODE_EXECPATH=x setsid sleep 90 " + AWAY
# Neither y, which confirms, nor what ends the screen: q, F10, Ctrl-C, Ctrl-Z, Ctrl-\\.
KEYS = [bytes([c]) for c in range(1, 127) if chr(c) not in "yYq\x03\x1a\x1c\x11\x13"] + [
    b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~", b"\x1b[6~", b"\x1bOH", b"\x1bOF",
    b"\x1bOP", b"\x1bOR", b"\x1b[15~", b"\x1b[18~", b"\x1b[19~", b"\x1b[20~", b"\x1b[<0;9;9M",
    b"\x1b[<0;9;9m", b"\x1b[<64;5;9M", b"\x1b[<65;5;9M", b"\x1b[M !!", b"\x1b[200~", b"\xc3\xa4",
    b"\xff", b"\x1b[999;999;999X", b"\x1b]52;c;?\x07"]


class Typed(Screen):
    """What follows waits for what the keys do."""

    def type(self, keys, seconds=0.06):
        super().type(keys, seconds)


class TopCase(Case):
    def setUp(self):
        super().setUp()
        self.home = self.path("home")
        self.program = os.path.join(self.home, VERSION)
        os.makedirs(os.path.dirname(self.program))
        os.makedirs(os.path.join(self.home, "sessions"))
        with open("/bin/bash", "rb") as source, open(self.program, "wb") as target:
            target.write(source.read())
        os.chmod(self.program, 0o755)

    def agent(self, project, status="idle", before="", **more):
        """A session in a folder of that name; what it does is in its session file."""
        folder = self.path(project)
        os.makedirs(folder)
        process = self.start(self.program, "-c", AGENT % before, cwd=folder, env=dict(
            os.environ, HOME=self.home, CLAUDE_CONFIG_DIR=self.home))
        with open("/proc/%d/stat" % process.pid, "rb") as file:
            ticks = file.read().rsplit(b")", 1)[1].split()[19].decode()
        with open(os.path.join(self.home, "sessions/%d.json" % process.pid), "w",
                  encoding="utf-8") as file:
            json.dump(dict({"sessionId": "a%07d" % process.pid, "status": status, "procStart": ticks,
                            "cwd": folder}, **more), file)
        return process

    def top(self, *words, columns=100, rows=30, argv0=None, environment=None, **options):
        """With settings of its own: a key keeps some."""
        settings = {"XDG_CONFIG_HOME": self.path("config")}
        screen = Typed([argv0 or SOOTH, "top", "-i", "0.3", *words], columns, rows,
                       environment={**settings, **(environment or {})}, **options)
        self.enterContext(screen)
        return screen

    def row_of(self, screen, project):
        return next((line for line in screen.lines()[1:] if " %s " % project in line + " "), "")

    def wait_for_row(self, screen, project, wanted):
        screen.wait_for(lambda _: wanted in self.row_of(screen, project),
                        "row of %s with %r" % (project, wanted))


class Screens(TopCase):
    def test_sessions_and_the_end(self):
        """The head counts them, the loudest is first, q gives the terminal back."""
        self.agent("alpha")
        self.agent("beta", "waiting", waitingFor="permission prompt")
        screen = self.top()
        self.wait_for_row(screen, "alpha", "idle")
        self.wait_for_row(screen, "beta", "waits for permission")
        lines = screen.lines()
        self.assertTrue(lines[0].startswith("sooth top"), lines[0])
        at = [next(i for i, line in enumerate(lines) if name in line) for name in ("beta", "alpha")]
        self.assertLess(*at)
        self.assertTrue(any(re.search(r"\d+ agents .*waits for you", line) for line in lines[:5]))
        screen.type(b"q")
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)
        self.assertIn(b"\x1b[?1049l", screen.written)

    def test_left_over(self):
        """By which session, and when that ended, apart from the live session of the project."""
        process = self.agent("alpha", before="CLAUDECODE=1 CLAUDE_CODE_SESSION_ID=$(printf a%07d $$) sleep 90 & ")
        screen = self.top("--no-findings")
        self.wait_for_row(screen, "alpha", "idle")
        os.kill(process.pid, signal.SIGKILL)
        process.child.wait()
        heading = r"^left by claude session a%07d in alpha, ended \d+ s ago" % process.pid
        screen.wait_for(lambda lines: any(re.match(heading, line) for line in lines), "its heading")
        screen.wait_for(lambda lines: any(re.match(r"!.* sleep .*ORPHANED", line) for line in lines), "what it left")

    def test_activity_has_room(self):
        """Where its column is too narrow, the selected row has it on a line of its own."""
        self.agent("alpha", "waiting", waitingFor="permission prompt")
        whole = "waits for permission: a tool"
        screen = self.top(columns=80)
        screen.wait_for(lambda lines: any(whole in line for line in lines), "the whole activity")
        screen.resize(60, 20)
        screen.wait_for(lambda lines: any(line.strip() == whole for line in lines), "the activity below the row")

    def test_resize(self):
        self.agent("alpha")
        screen = self.top(columns=80, rows=24)
        self.wait_for_row(screen, "alpha", "idle")
        for columns, rows in ((40, 10), (200, 60), (20, 3), (1, 1), (100, 30)):
            screen.resize(columns, rows)
            screen.pump(0.1)
        self.wait_for_row(screen, "alpha", "idle")
        self.assertIn("quit", screen.lines()[-1])

    def test_keys(self):
        """Unfold, filter, help; an unknown key says so."""
        process = self.agent("alpha", before=TOOL)
        self.agent("beta")
        screen = self.top()
        self.wait_for_row(screen, "alpha", "\u25b8")
        screen.type(b"\\alpha\r")
        screen.wait_for(lambda _: not self.row_of(screen, "beta"), "only one session")
        screen.type(b"\x1b[H\x1b[C")
        screen.wait_for(lambda lines: any("sleep 90" in line and " tool " in line
                                          for line in lines), "the tool below its session")
        screen.type(b"?")
        screen.wait_for(lambda lines: any("any key ends this" in line for line in lines), "help")
        screen.type(b"x")
        screen.type(b"@")
        screen.wait_for(lambda lines: "@ does nothing here" in lines[-1], "a word about the key")
        screen.type(b"\x1b")
        screen.wait_for(lambda _: self.row_of(screen, "beta"), "both sessions")
        process.send(signal.SIGKILL)
        screen.wait_for(lambda _: "ended" in self.row_of(screen, "alpha"), "the end of a session")

    def select(self, screen, process):
        """The row of its session alone is on display, and selected: there may be other agents here."""
        screen.type(b"\\pid = %d\r" % process.pid)
        screen.wait_for(lambda lines: lines[-1].startswith("1/"), "one row")

    def test_a_pane(self):
        """It says which process it is about, searches, and goes."""
        process = self.agent("alpha")
        screen = self.top("--no-findings")
        self.wait_for_row(screen, "alpha", "idle")
        self.select(screen, process)
        screen.type(b"i")
        screen.wait_for(lambda lines: any("inspect: %d claude alpha" % process.pid in line for line in lines)
                        and any("descriptors" in line for line in lines), "what inspect prints")
        screen.type(b"/no such words\r")
        screen.wait_for(lambda lines: "no line has" in lines[-1], "a word about the search")
        screen.type(b"a")
        screen.wait_for(lambda lines: any("timeline: %d" % process.pid in line for line in lines) and
                        any("idle" in line for line in lines), "the timeline")
        screen.type(b"q")
        self.wait_for_row(screen, "alpha", "idle")

    def test_acting(self):
        """Nothing is sent before y; then the outcome is shown."""
        process = self.agent("alpha", before=TOOL)
        screen = self.top("--no-findings")
        self.wait_for_row(screen, "alpha", "\u25b8")
        self.select(screen, process)
        question = lambda lines: any("y: yes" in line for line in lines)
        screen.type(b"K")
        screen.wait_for(lambda lines: any("SIGTERM" in line for line in lines), "the menu")
        screen.type(b"\x1b", 0.3)
        screen.type(b"Z")
        screen.wait_for(question, "the question of thaw")
        screen.type(b"x")
        screen.wait_for(lambda lines: not question(lines), "no question")
        screen.type(b"K\r")
        screen.wait_for(question, "the question")
        screen.type(b"n")
        screen.wait_for(lambda lines: "nothing was done" in lines[-1], "a word about it")
        with open("/proc/%d/stat" % process.pid, "rb") as file:
            self.assertIn(b") S ", file.read())
        screen.type(b"z")
        screen.wait_for(question, "the question of freeze")
        screen.type(b"y")
        screen.wait_for(lambda lines: any("outcome: freeze" in line for line in lines) and
                        any("stopped" in line or "frozen" in line for line in lines), "the outcome")
        screen.type(b"qK\r")
        screen.wait_for(lambda lines: any("send SIGTERM to %d" % process.pid in line for line in lines),
                        "the question")
        screen.type(b"y")
        screen.wait_for(lambda lines: any("outcome: kill by SIGTERM" in line for line in lines) and
                        any("ended" in line for line in lines), "the outcome")

    def test_typed_ahead(self):
        """An answer that was typed before the question is seen is none."""
        process = self.agent("alpha")
        screen = self.top("--no-findings")
        self.wait_for_row(screen, "alpha", "idle")
        self.select(screen, process)
        screen.type(b"K\ry", 0.6)
        self.assertTrue(process.is_running())
        screen.type(b"n")

    def test_calls(self):
        """Counted again and again while the pane is open, and by nothing else after it."""
        process = self.agent("alpha", before="python3 -c 'import os, time\nfor _ in range(2000): os.getpgid(0); time.sleep(0.02)' " + AWAY)
        screen = self.top("--no-findings")
        self.wait_for_row(screen, "alpha", "\u25b8")
        self.select(screen, process)
        screen.type(b"\x1b[C")
        screen.wait_for(lambda lines: lines[-1].startswith("1/2"), "two rows")
        screen.type(b"jc")
        screen.wait_for(lambda lines: any("counting its system calls each second" in line for line in lines),
                        "the title")
        screen.wait_for(lambda lines: any(line.startswith("\u2502CALL ") for line in lines) and
                        any("\u2502getpgid " in line for line in lines), "a table")
        self.assertEqual(len(harness.children_of_sooth(screen.pid)), 1)
        screen.type(b"q")
        screen.wait_for(lambda _: not harness.children_of_sooth(screen.pid), "the end of the count")
        self.assertTrue(process.is_running())

    def test_columns_that_stay(self):
        """A choice is kept beside what the user wrote, in a file of the user alone."""
        config = self.path("config")
        os.makedirs(os.path.join(config, "sooth"))
        file = os.path.join(config, "sooth/top.conf")
        with open(file, "w", encoding="utf-8") as out:
            out.write("# mine\ntheme = mono\n columns=pid,cpu\nsort = cpu\n")
        screen = self.top("--no-findings", environment={"XDG_CONFIG_HOME": config})
        screen.wait_for(lambda lines: any(re.search(r"^ +PID +CPU%", line) for line in lines), "two columns")
        screen.type(b"oj \r")
        screen.wait_for(lambda lines: "kept in top.conf: columns = pid,agent,cpu" in lines[-1], "a word about it")
        with open(file, encoding="utf-8") as text:
            self.assertEqual(text.read(), "# mine\ntheme = mono\ncolumns = pid,agent,cpu\nsort = cpu\n")
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        os.rename(file, file + ".real")
        os.symlink(file + ".real", file)
        screen.type(b"oj \r")
        screen.wait_for(lambda lines: "not kept: " in lines[-1] and "symbolic link" in lines[-1], "a refusal")

    def test_desktop(self):
        """A notice, without markup of the target; where no program shows it, that is said once."""
        folder = self.path("bin")
        os.makedirs(folder)
        shown = self.path("shown")
        self.agent("alpha", "waiting", waitingFor="x", before="printf 'x<b>&' > /proc/$$/comm; ")
        words = ["--no-findings", "--desktop", "--alert-on", "waits-for-user"]
        screen = self.top(*words, environment={"PATH": folder})
        screen.wait_for(lambda lines: "no desktop notices: notify-send is not installed" in lines[-1], "the reason")
        screen.type(b"q")
        with open(os.path.join(folder, "notify-send"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho beside; echo beside >&2\nprintf '%%s\\n' \"$@\" > %s.new\nmv %s.new %s\n" % (
                shown, shown, shown))
        os.chmod(file.name, 0o755)
        screen = self.top(*words, environment={"PATH": folder + ":/usr/bin:/bin"})
        harness.wait_until(lambda: os.path.exists(shown), "a notice")
        lines = harness.read(shown).decode().splitlines()
        self.assertEqual(lines[:3], ["--app-name=sooth", "--", "sooth: claude alpha"])
        self.assertRegex(lines[3], r"^process \d+ \(x&lt;b&gt;&amp;\): waits for you")
        screen.pump(0.4)
        self.assertNotIn(b"beside", screen.written)

    def test_replay(self):
        """The frames of a capture, forward and back; nothing is acted on."""
        self.agent("alpha", "waiting", waitingFor="permission prompt")
        capture = self.path("day.sooth")
        run = subprocess.run(["timeout", "-s", "INT", "1.2", SOOTH, "ps", "-w", "0.3", "--save", capture],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertTrue(os.path.exists(capture), run.stderr)
        screen = Screen([SOOTH, "top", capture], 100, 30)
        self.enterContext(screen)
        self.wait_for_row(screen, "alpha", "waits for permission")
        last = screen.lines()[0]
        self.assertRegex(last, r"frame (\d+) of \1$")
        screen.type(b"[")
        screen.wait_for(lambda lines: re.search(r"frame \d+ of", lines[0]) and lines[0] != last, "one before")
        screen.type(b"K")
        screen.wait_for(lambda lines: "no running processes" in lines[-1], "a word about it")
        screen.type(b"q")
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)

    def test_hostile_names(self):
        """What a target calls itself moves no cursor and sets no title."""
        self.agent("a\x1b]0;owned\x07\x1b[31mb\u202ec", "waiting", waitingFor="\x1b[2Jboo\x07",
                   before="(exec -a $'x\\e[5m\\ny' sleep 90) " + AWAY)
        screen = self.top("--no-findings")
        screen.wait_for(lambda lines: any("waits for you" in line for line in lines), "the session")
        screen.type(b"t", 0.6)
        for key in (b"i", b"q", b"\t"):
            screen.type(key, 0.3)
        for harm in (b"\x1b]0;owned", b"\x1b[5m", b"\x1b[2Jboo", "\u202e".encode()):
            self.assertNotIn(harm, bytes(screen.written))

    def test_terminals(self):
        """Of eight colors, of none, in ASCII, with NO_COLOR."""
        self.agent("alpha")
        environments = [{"LC_ALL": "C", "NO_COLOR": "1"}]
        if harness.IS_LONG:
            environments += [{"TERM": "linux"}, {"TERM": "vt100"}, {"TERM": "screen-256color"}]
        for environment in environments:
            with self.subTest(**environment):
                screen = self.top("--no-findings", environment=environment)
                self.wait_for_row(screen, "alpha", "idle")
                if "NO_COLOR" in environment:
                    self.assertNotRegex(bytes(screen.written), rb"\x1b\[[0-9;]*[34][0-7]m")
                if "LC_ALL" in environment:
                    self.assertTrue(bytes(screen.written).isascii())
                screen.type(b"q")
                self.assertTrue(screen.ends())

    @unittest.skipUnless(harness.IS_LONG, "long: SOOTH_TEST_LONG=1")
    def test_within_another_terminal(self):
        """tmux and GNU screen draw it as a terminal does, resize it, and have their own screen back."""
        self.agent("alpha", "waiting", waitingFor="permission prompt")
        name = "sooth-%d" % os.getpid()
        for words, ending in (
                (["tmux", "-f", "/dev/null", "-L", name, "new-session"], ["tmux", "-L", name, "kill-server"]),
                (["screen", "-c", "/dev/null", "-U", "-S", name], ["screen", "-S", name, "-X", "quit"])):
            program = shutil.which(words[0])
            with self.subTest(words[0]):
                if not program:
                    self.skipTest("%s is not here" % words[0])
                # After a failure it would run on.
                self.addCleanup(subprocess.run, ending, check=False, capture_output=True)
                screen = Screen([program, *words[1:], SOOTH, "top", "-i", "0.3", "--no-findings"], 100, 30)
                with screen:
                    self.wait_for_row(screen, "alpha", "waits for permission")
                    screen.resize(120, 40)
                    screen.wait_for(lambda lines: any("session a0" in line for line in lines), "the detail")
                    screen.type(b"?")
                    screen.wait_for(lambda lines: any("any key ends this" in line for line in lines), "help")
                    screen.type(b" \x1b[A\x1b[6~\x1b[15~")
                    screen.wait_for(lambda lines: any("tree of all" in line for line in lines[-2:]), "F5")
                    screen.type(b"q")
                    self.assertTrue(screen.ends())

    def test_targets_that_end(self):
        """The screen stays, and says how many have ended."""
        processes = [self.start("sleep", "90"), self.start("sleep", "91")]
        screen = self.top("--no-findings", "-p", ",".join(str(process.pid) for process in processes))
        screen.wait_for(lambda lines: all(any("sleep 9%d" % i in line for line in lines) for i in (0, 1)),
                        "the tree of both")
        for process, words in zip(processes, ("1 of 2 targets have ended", "2 of 2 targets have ended")):
            process.end()
            screen.wait_for(lambda lines, words=words: words in lines[-1], words)
        screen.type(b"q")
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)

    def test_terminal_of_tomorrow(self):
        """A type that this system does not know is drawn like xterm, which all newer ones are."""
        screen = self.top(environment={"TERM": "none-such"})
        screen.wait_for(lambda lines: lines[0].startswith("sooth top"), "its head")
        screen.type(b"q")
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)

    def test_terminals_that_cannot(self):
        for name, why in (("dumb", b"cannot move its cursor"), ("", b"does not know")):
            with self.subTest(name):
                screen = self.top(environment={"TERM": name})
                self.assertTrue(screen.ends())
                self.assertNotEqual(os.waitstatus_to_exitcode(screen.wait()), 0)
                screen.pump(1)
                self.assertIn(why, screen.written)

    def test_quit_by_a_signal(self):
        """The terminal is returned."""
        screen = self.top("--no-findings")
        screen.wait_for(lambda lines: "load" in lines[2], "a frame")
        os.kill(screen.pid, signal.SIGQUIT)
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)
        self.assertIn(b"\x1b[?1049l", screen.written)

    def test_random_keys(self):
        """No crash, no terminal that is stuck, nothing that is sent: y, which confirms, is left out."""
        count = int(os.environ.get("SOOTH_TOP_KEYS", 10000 if harness.IS_LONG else 50))
        random = Random(int(os.environ.get("SOOTH_TOP_SEED", "31")))
        processes = [self.agent("alpha", before=TOOL), self.agent("beta", "waiting", waitingFor="x")]
        screen = self.top("--no-findings", argv0=os.environ.get("SOOTH_TOP"))
        self.wait_for_row(screen, "alpha", "idle")
        for _ in range(count):
            screen.type(random.choice(KEYS), 0.02)
            if random.random() < 0.03:
                screen.resize(random.randint(1, 220), random.randint(1, 70))
            self.assertTrue(screen.is_open and not os.waitpid(screen.pid, os.WNOHANG)[0], "it has ended")
        screen.resize(100, 30)
        for _ in range(5):
            screen.type(b"\x1b", 0.15)
        screen.type(b"g")  # the selected process may have ended meanwhile
        self.assertTrue(all(process.is_running() for process in processes))
        for process in processes:
            with open("/proc/%d/stat" % process.pid, "rb") as file:
                self.assertNotIn(b") T ", file.read())
        screen.wait_for(lambda lines: lines[0].startswith("sooth top") and "quit" in lines[-1],
                        "the list")
        screen.type(b"q")
        self.assertTrue(screen.ends())
        self.assertEqual(os.waitstatus_to_exitcode(screen.wait()), 0)

    def test_errors_name_the_command(self):
        config = self.path("config")
        os.makedirs(os.path.join(config, "sooth"))
        for text, words, remedy in (("qqqq = 1\n", [], "try: sooth help top"),
                                    ("", ["--alert-on", "foo"], "try: sooth top --bell --alert-on")):
            with open(os.path.join(config, "sooth/top.conf"), "w", encoding="utf-8") as file:
                file.write(text)
            run = subprocess.run([SOOTH, "top", *words], stdin=subprocess.DEVNULL, capture_output=True,
                                 text=True, env=dict(os.environ, XDG_CONFIG_HOME=config))
            self.assertEqual(run.returncode, 2)
            self.assertIn(remedy, run.stderr)

    def test_by_default(self):
        """`sooth` alone is this screen where the user's settings say so, and on a terminal."""
        config = self.path("config")
        os.makedirs(os.path.join(config, "sooth"))
        for text, is_screen in (("default = yes\n", True), ("theme = mono\n", False), ("default = perhaps\n", False)):
            with open(os.path.join(config, "sooth/top.conf"), "w", encoding="utf-8") as file:
                file.write(text)
            env = dict(os.environ, XDG_CONFIG_HOME=config)
            with Screen([SOOTH], environment=env) as screen:
                if is_screen:
                    screen.wait_for(lambda lines: lines[0].startswith("sooth top"), "the screen")
                    screen.type(b"q")
                self.assertTrue(screen.ends(), text)
                self.assertEqual(b"\x1b[?1049h" in bytes(screen.written), is_screen, text)
            run = subprocess.run([SOOTH], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
            self.assertEqual(run.returncode, 0)
            self.assertNotIn("\x1b", run.stdout)

    def test_without_a_terminal(self):
        run = subprocess.run([SOOTH, "top"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(run.stdout, "")
        self.assertIn("ps -w", run.stderr)


if __name__ == "__main__":
    harness.main()
