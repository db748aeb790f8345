# SPDX-License-Identifier: BSD-2-Clause
"""Wrong use and bad luck: the right exit status, and three short lines that help."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import shutil
import signal
import unittest

import harness
from harness import Case, needs_bpf

FULL = "/dev/full"


class Usage(Case):
    def check(self, status, argv, *words):
        run = self.sooth(*argv, status=status)
        self.assertEqual(run.out, b"", run)
        self.assert_says_three_lines(run, *words)
        return run

    def test_unknown_option(self):
        self.check(2, ["ps", "--intervall", "1"], "--intervall", "did you mean --interval?")
        self.check(2, ["trace", "--bufer", "1", "--", "/bin/true"], "did you mean --buffer?")
        self.check(2, ["trace", "-Q"], "-Q", "--help")
        self.check(2, ["--jsno"], "--jsno", "did you mean --json?")

    def test_unknown_command(self):
        self.check(2, ["trcae"], "trcae", "did you mean sooth trace?")
        self.check(2, ["diag"], "diag", "did you mean sooth diagnose?")
        self.check(2, ["xyzzyplugh"], "xyzzyplugh", "sooth help")

    def test_values(self):
        self.check(2, ["ps", "-i", "soon"], "soon")
        self.check(2, ["ps", "-i"], "-i")
        self.check(2, ["ps", "--format", "xml"], "xml", "jsonl")
        for command in ("ps", "trace", "report", "diagnose", "heap", "timeline", "doctor"):
            for stacks in ("folded", "flamegraph"):  # these have none: --folded FILE, export --format folded
                self.check(2, [command, "--format", stacks], stacks, "jsonl")
                self.assertNotIn(" %s" % stacks, self.sooth(command, "--help-all").text.split("output format")[1].splitlines()[0])
        self.check(2, ["trace", "--buffer", "1", "--", "/bin/true"], "--buffer")
        self.check(2, ["trace", "-p", "12x"], "12x")
        self.check(2, ["trace", "-p", "0"], "0")
        self.check(2, ["trace", "-p", "-5"], "-5")
        self.check(2, ["record", "-o", self.path("never"), "--probe", "nothing", "-p", "1"],
                   "nothing")

    def test_what_takes_no_target(self):
        self.check(2, ["doctor", "4711"], "4711", "not a target", "sooth inspect")
        self.check(2, ["doctor", "--", "ls"], "--", "not a target")
        self.check(2, ["demo", "4711"], "its own processes")
        self.check(2, ["mcp", "4711"], "by messages")
        self.check(2, ["report"], "one capture")

    def test_what_does_not_go_together(self):
        self.check(2, ["profile", "--heat", "--tree", "--", "/bin/true"], "--heat", "--tree")
        self.check(2, ["profile", "--heat", "--folded", self.path("x"), "--", "/bin/true"], "--heat", "--folded")
        self.check(2, ["profile", "--wall", "--off-cpu", "--", "/bin/true"], "--wall", "--off-cpu")
        self.check(2, ["profile", "--wall", "--sort", "self", "--", "/bin/true"], "--wall", "--sort")
        self.check(2, ["profile", "--chains", "--", "/bin/true"], "--chains", "add the option --off-cpu")
        self.check(2, ["profile", "--off-cpu", "--chains", "--tree", "--", "/bin/true"], "--chains", "--tree")
        self.check(2, ["profile", "--min-wait", "1ms", "--", "/bin/true"], "--min-wait", "--off-cpu")
        self.check(2, ["heap", "--stack", "--count", "--", "/bin/true"], "--stack", "--count")
        self.check(2, ["sched", "--rate", "99", "--", "/bin/true"], "--rate")
        self.check(2, ["profile", "--format", "firefox", "--folded", self.path("x"), "--", "/bin/true"], "--format firefox")
        self.check(2, ["trace", "--interval", "1", "--", "/bin/true"], "prints none")
        self.check(2, ["trace", "--interval", "1", "-c", "--plain", "--", "/bin/true"], "--plain")
        self.check(2, ["trace", "-t", "-r", "--", "/bin/true"], "-t", "-r")
        for sums in ("--io", "--network", "--process", "--memory"):
            self.check(2, ["trace", "-c", sums, "--", "/bin/true"], sums)
        self.check(2, ["diagnose", "--quick", "--duration", "3"], "--quick", "--duration")

    # Words that are refused, and two words that the refusal has. FILE is read as a capture.
    REFUSED = (
        ("ps --list-agents -w", "--list-agents", "--watch"),
        ("ps -a --list-agents", "--list-agents", "--all"),
        ("ps --list-agents --columns pid", "--list-agents", "--columns"),
        ("ps -w 1 -i 1", "--interval", "--watch"),
        ("ps -i 1 FILE", "--interval", "a capture"),
        ("ps --check-version -a", "--check-version", "--all"),
        ("ps -j --format csv", "--json", "--format"),
        ("status -i 1 FILE", "--interval", "a capture"),
        ("diagnose --list-findings -w", "--list-findings", "--watch"),
        ("diagnose --list-findings -p 1", "--list-findings", "--pid"),
        ("diagnose --list-findings 5", "--list-findings", "a PID"),
        ("diagnose --list-findings -- ls", "--list-findings", "command"),
        ("diagnose --list-findings FILE", "--list-findings", "a capture"),
        ("diagnose --session 1 -u root", "-u USER", "exclude"),
        ("diagnose --duration 1 FILE", "--duration", "a capture"),
        ("diagnose -D --buffer 1M FILE", "--buffer", "a capture"),
        ("diagnose --passive --buffer 1M 1", "--buffer", "--passive"),
        ("diagnose --passive -D 1", "--calls", "--passive"),
        ("diagnose --quick -D 1", "--quick", "--calls"),
        ("diagnose --bundle x -w 1", "--bundle", "--watch"),
        ("diagnose --bundle x --flamegraph -o x.svg 1", "--bundle", "--flamegraph"),
        ("diagnose --passive FILE", "--passive", "a capture"),
        ("diagnose --weight time 1", "--weight", "--flamegraph"),
        ("trace -c -t -- /bin/true", "--count", "--clock"),
        ("trace -cr -- /bin/true", "--count", "--relative"),
        ("trace -c -s 9 -- /bin/true", "--count", "--string-size"),
        ("trace --io -e read -- /bin/true", "--calls", "--io"),
        ("trace --memory --file -- /bin/true", "--file", "--memory"),
        ("trace --process -t -- /bin/true", "--clock", "--process"),
        ("trace --network -r -- /bin/true", "--relative", "--network"),
        ("trace --apart -- /bin/true", "--apart", "--flamegraph"),
        ("trace --weight time -- /bin/true", "--weight", "--flamegraph"),
        ("trace -d 1 FILE", "--duration", "--from"),
        ("trace --buffer 1M FILE", "--buffer", "a capture"),
        ("trace --lossless FILE", "--lossless", "a capture"),
        ("trace --lossless --all", "--lossless", "--all"),
        ("trace --io --interval 1 FILE", "--interval", "--from"),
        ("trace -c --interval 1 FILE", "--interval", "--from"),
        ("heap -d 1 FILE", "--duration", "a capture"),
        ("heap --buffer 1M FILE", "--buffer", "a capture"),
        ("heap --control SOCKET FILE", "--control", "a capture"),
        ("trace --control SOCKET FILE", "--control", "a capture"),
        ("heap --no-hold FILE", "--no-hold", "a capture"),
        ("timeline -d 1 FILE", "--duration", "a capture"),
        ("timeline --sample 1 FILE", "--sample", "a capture"),
        ("timeline --buffer 1M FILE", "--buffer", "a capture"),
        ("inspect -i 1 FILE", "--interval", "a capture"),
        ("inspect --fds -i 1 1", "--interval", "--threads"),
        ("inspect --fds --resolve 1", "--resolve", "--sockets"),
        ("record --lossless -o never -- /bin/true", "--lossless", "--stream"),
        ("record --stream --lossless -P heap,syscalls -o never -- /bin/true", "two probes", "two runs"),
        ("trace --backend ptrace FILE", "--backend", "a capture"),
        ("diff --weight time a b", "--weight", "--flamegraph"),
        ("kill --filter pid=1 --orphans", "--filter", "--dry-run"),
        ("kill --ask --yes 1", "--ask", "--yes"),
        ("kill --ask --dry-run 1", "--ask", "--dry-run"),
        ("kill --wait 1 --dry-run 1", "--wait", "--dry-run"),
        ("freeze --filter pid=1 1", "--filter", "--dry-run"),
        ("thaw --filter pid=1 1", "--filter", "--dry-run"),
    )

    def test_what_would_be_overlooked(self):
        """Nothing is done then, and nothing is written."""
        capture = self.path("capture")
        self.sooth("ps", "--save", capture)
        for words, *told in self.REFUSED:
            with self.subTest(words):
                self.check(2, [capture if word == "FILE" else word for word in words.split()], *told)
        self.assertFalse(os.path.exists("never"))

    def test_what_goes_together(self):
        """Their neighbours that make sense."""
        capture = self.path("capture")
        self.sooth("ps", "-a", "-i", "10ms", "--save", capture)
        for words in ("ps --list-agents -j --filter name=claude", "ps -a -j FILE", "ps -a --format csv FILE",
                      "diagnose --list-findings --set fd-leak=off", "ps --check-version FILE"):
            with self.subTest(words):
                self.sooth(*[capture if word == "FILE" else word for word in words.split()])

    def test_lists_of_nothing(self):
        for calls, words in (("!", "the name of a call is missing behind the !"), (",", "missing"), ("read,", "missing"),
                             ("!,read", "missing"), ("", "missing")):
            self.check(2, ["trace", "-e", calls, "--", "/bin/true"], '"%s"' % calls, words)

    def test_nobody_to_ask(self):
        """Without a terminal nothing is ended that has to be asked for."""
        target = self.start("/bin/sleep", "600")
        self.check(2, ["kill", "--ask", "--any", str(target.pid)], "standard input is not a terminal", "--yes")
        self.assertTrue(target.is_running())

    def test_no_target(self):
        self.check(2, ["trace"], "-p", "-- COMMAND")
        self.check(2, ["trace", "-c"], "-- COMMAND")
        self.check(2, ["trace", "--"], "command")
        self.check(2, ["record", "-o", self.path("never")], "-p")
        self.check(2, ["record", "--", "/bin/true"], "-o")
        self.check(2, ["report"])

    def test_two_targets(self):
        self.check(2, ["trace", "-p", "1", "--", "/bin/true"])
        self.check(2, ["trace", "1", "--", "/bin/true"])
        self.check(2, ["trace", "-u", "0", "-p", "1"])
        self.check(2, ["ps", "-u", "0", "1"])

    def test_no_time_is_not_for_ever(self):
        for command in ("trace", "heap"):
            self.check(2, [command, "-d", "0", "-p", str(os.getpid())])

    def test_commands_that_launch_nothing(self):
        self.check(2, ["ps", "--", "/bin/true"])
        self.check(2, ["report", "--", "/bin/true"])

    def test_wrong_pid(self):
        gone = self.start("/bin/true")
        gone.finish()
        for argv in (["ps", str(gone.pid)], ["ps", "-p", str(gone.pid)],
                     ["record", "--probe", "proc", "-o", self.path("never"), "-p",
                      str(gone.pid)]):
            self.check(4, argv, str(gone.pid))

    def test_wrong_pid_beside_a_right_one(self):
        """The others are reported, the wrong one is named, and the exit status says so."""
        gone, me = self.start("/bin/true"), str(os.getpid())
        gone.finish()
        for argv in (["ps", me, str(gone.pid)], ["ps", "-p", "%s,%d" % (me, gone.pid)],
                     ["inspect", "--fds", me, str(gone.pid)],
                     ["diagnose", "--quick", me, str(gone.pid)],
                     ["diagnose", "--quick", "--fail-on", "info", str(gone.pid), "-p", me]):
            run = self.sooth(*argv, status=4)
            self.assertIn("sooth: cannot find process %d: no process has this PID" % gone.pid,
                          run.errors)
            self.assertIn(me if argv[0] != "inspect" else "/dev/null", run.text)

    def test_unknown_user(self):
        self.check(4, ["ps", "-u", "no-such-user-here"], "no-such-user-here")

    def test_missing_file(self):
        for command in (["report"], ["ps"], ["trace"], ["trace", "-c"]):
            self.check(4, [*command, "/nonexistent.sooth"], "/nonexistent.sooth")
        for command in (["report"], ["report", "--info"], ["export", "--format", "csv"]):
            self.check(4, [*command, "nofile"], "read nofile", "no such file")
            self.check(2, [*command, os.path.abspath(__file__)], "not a sooth capture")

    def test_the_command_needs_its_dashes(self):
        """`sooth trace ls` must not run anything; it says how a command is given."""
        run = self.sooth("trace", "ls", status=None, cwd=self.folder)
        self.assertIn(run.status, (2, 4), run)
        self.assert_says_three_lines(run, " --")

    def test_help_lists_no_refused_option(self):
        """Of a group of options that a command takes but for one."""
        for command in ("kill", "freeze", "thaw"):
            options = set(re.findall(r"^  (?:-., |    )--([a-z-]+)", self.sooth(command, "--help-all").text, re.M))
            self.assertIn("session", options)
            for option in ("filter", "all"):
                self.assertNotIn(option, options)
                refused = self.sooth(command, "--" + option, *(["pid = 1"] if option == "filter" else []), "1",
                                     status=2)
                self.assertIn(b"cannot take --%s here" % option.encode(), refused.err)

    def test_help_fits_a_screen(self):
        """80 columns and 24 lines, of which the prompt has one; all options are in the whole help."""
        listed = re.findall(r"^  ([a-z]+) ", self.sooth("help").text, re.M)
        self.assertGreater(len(listed), 20)
        for command in listed:
            lines = self.sooth(command, "--help").text.splitlines()
            self.assertLessEqual(len(lines), 23, command)
            self.assertLessEqual(max(map(len, lines)), 79, command)
            self.assertEqual([line for line in lines if line != line.rstrip()], [])
            whole = self.sooth(command, "--help-all").text
            for option in re.findall(r"--[a-z][a-z-]+", "\n".join(lines)):
                self.assertIn(option, whole + "--help-all")
            if "--help-all" not in lines[-1]:
                self.assertEqual(whole.splitlines(), lines)

    def test_completion(self):
        """Of each shell that is here; what bash completes is what there is."""
        for shell in ("bash", "zsh", "fish"):
            text = self.sooth("help", "--completion", shell).text
            with open(self.path(shell), "w", encoding="utf-8") as file:
                file.write(text)
            self.assertIn("lossless", text)
            if shutil.which(shell):
                self.run_program(shutil.which(shell), "-n", self.path(shell))
        script = "source %s; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sooth; echo \"${COMPREPLY[*]}\""

        def completed(words):
            return self.run_program("bash", "-c", script % (self.path("bash"), words)).text.split()
        self.assertEqual(completed("sooth ti"), ["timeline"])
        self.assertEqual(completed("sooth trace --loss"), ["--lossless"])
        self.assertEqual(completed("sooth heap --by func"), ["function"])
        self.assertEqual(completed("sooth help tra"), ["trace"])
        self.assertEqual(completed("sooth trace -- --loss"), [])
        self.assertNotIn("--follow", completed("sooth heap --"))
        if shutil.which("fish"):
            found = self.run_program("fish", "-c", "source %s; complete -C 'sooth heap --by '" % self.path("fish"),
                                     env={**os.environ, "HOME": self.path("home")}).text
            self.assertIn("function\t", found)

    def test_completion_of_targets(self):
        """PIDs with names, sessions and agents, in each shell that is here; nothing that a shell would run."""
        program = self.path(".local/share/claude/versions/2.1.328")
        os.makedirs(os.path.dirname(program))
        shutil.copy("/bin/bash", program)
        os.makedirs(self.path("sessions"))
        agents = [self.start(program, "-c", "read x", cwd=self.folder, env=dict(
            os.environ, HOME=self.folder, CLAUDE_CONFIG_DIR=self.folder)) for _ in range(2)]
        for agent, session in zip(agents, ("a1b2c3d4-e5f6", "$(touch made)")):
            with open("/proc/%d/stat" % agent.pid, "rb") as file:
                ticks = file.read().rsplit(b")", 1)[1].split()[19].decode()
            with open(self.path("sessions/%d.json" % agent.pid), "w", encoding="utf-8") as file:
                json.dump({"sessionId": session, "status": "idle", "procStart": ticks, "cwd": self.folder}, file)
        pid = str(agents[0].pid)
        self.assertRegex(self.sooth("help", "--targets", "processes").text, r"(?m)^%s\t\S+ \(main, " % pid)
        self.assertEqual(self.sooth("help", "--targets", "processes", "x").text, "")
        self.assertIn("claude\tClaude Code\n", self.sooth("help", "--targets", "agents").text)
        self.assertRegex(self.sooth("help", "--targets", "sessions").text, r"(?m)^a1b2c3d4-e5f6\tclaude %s \(" % pid)
        self.assertNotIn("made", self.sooth("help", "--targets", "sessions").text)
        for shell in ("bash", "zsh", "fish"):
            with open(self.path(shell), "w", encoding="utf-8") as file:
                file.write(self.sooth("help", "--completion", shell).text)
        home = {**os.environ, "HOME": self.path("home"), "PATH": os.path.dirname(harness.SOOTH) + ":" + os.environ["PATH"]}
        bash = "source %s; COMP_WORDS=(sooth %s); COMP_CWORD=2; [ ${#COMP_WORDS[@]} -eq 3 ] || COMP_CWORD=3; _sooth; " \
            "printf '%%s\\n' \"${COMPREPLY[@]}\""
        for words, completed in (("why " + pid, pid), ("kill --session a1b2", "a1b2c3d4-e5f6"), ("ps --agent cla", "claude")):
            run = self.run_program("bash", "-c", bash % (self.path("bash"), words), env=home)
            self.assertEqual(run.text, completed + "\n")
            if shutil.which("fish"):
                found = self.run_program("fish", "-c", "source %s; complete -C 'sooth %s'" % (self.path("fish"), words), env=home)
                self.assertRegex(found.text, r"(?m)^%s\t." % completed)
        if shutil.which("zsh"):
            script = "compdef() { }; _describe() { print -l $found }; _files() { print files }; source %s; sooth=sooth; " \
                "PREFIX=%s; _sooth_targets processes" % (self.path("zsh"), pid)
            self.assertRegex(self.run_program("zsh", "-f", "-c", script, env=home).text, r"^%s:\S+ \(main, .*\nfiles\n" % pid)

    def test_help_is_no_error(self):
        for argv in (["--help"], ["help"], ["-h"], ["ps", "--help"], ["trace", "-h"],
                     ["help", "record"], ["--version"]):
            run = self.sooth(*argv)
            self.assertIn("sooth", run.text)
            self.assertEqual(run.err, b"")
        self.assertEqual(self.sooth("help", "nonsense", status=2).out, b"")


class Output(Case):
    """Files that cannot be written: never a part presented as the whole."""

    # CAPTURE is what is read; a file that is written stands behind each: OUT.
    OVER = ("trace -o OUT CAPTURE", "trace -c -o OUT CAPTURE", "trace --folded OUT CAPTURE",
            "trace --save OUT CAPTURE", "report -o OUT CAPTURE", "report --info -o OUT CAPTURE",
            "ps -o OUT CAPTURE", "status -o OUT CAPTURE", "inspect -o OUT CAPTURE",
            "timeline -o OUT CAPTURE", "diagnose -o OUT CAPTURE", "diagnose --bundle OUT CAPTURE",
            "heap -o OUT CAPTURE", "query -o OUT CAPTURE SELECT+1", "query --tables -o OUT CAPTURE",
            "export --format jsonl -o OUT CAPTURE", "export --format sqlite -o OUT CAPTURE",
            "diff -o OUT CAPTURE other", "diff -o OUT other CAPTURE", "report -o OUT -")

    def test_what_is_read_is_not_written_over(self):
        """However it is spelled: the file itself counts. CAPTURE is found by its first name."""
        capture = self.path("capture")
        self.sooth("ps", "-i", "0", "--save", capture)
        kept = harness.read(capture)
        os.symlink("capture", self.path("symbolic"))
        os.link(capture, self.path("hard"))
        os.mkdir(self.path("in"))
        for words in self.OVER:
            for name in ("capture", "./capture", capture, "in/../capture", "symbolic", "hard"):
                with self.subTest(words, name=name), open(capture, "rb") as input_:
                    argv = [{"OUT": name, "CAPTURE": "capture", "SELECT+1": "SELECT 1"}.get(word, word)
                            for word in words.split()]
                    run = self.sooth(*argv, status=2, cwd=self.folder, stdin=input_)
                    self.assertEqual(run.out, b"", run)
                    self.assert_says_three_lines(run, "write " + name, "input capture")
                    self.assertEqual(harness.read(capture), kept)
        self.assertEqual(sorted(os.listdir(self.folder)), ["capture", "hard", "in", "symbolic"])

    def test_what_is_beside_a_picture_is_not_written_over_what_is_read(self):
        capture = self.path("x.folded")
        self.sooth("ps", "-i", "0", "--save", capture)
        self.sooth("ps", "-i", "0", "--save", self.path("y"))
        kept = harness.read(capture)
        for argv in (["trace", "--flamegraph", "-o", "./x.svg", "x.folded"],
                     ["diagnose", "--flamegraph", "-o", "x.png", "x.folded"],
                     ["diff", "--flamegraph", "-o", "x.svg", "y", "x.folded"]):
            run = self.sooth(*argv, status=2, cwd=self.folder)
            self.assert_says_three_lines(run, "x.folded", "input capture")
            self.assertEqual(harness.read(capture), kept)
        self.assertEqual(sorted(os.listdir(self.folder)), ["x.folded", "y"])

    def test_a_folder_of_tables_is_not_written_over_what_is_read(self):
        os.mkdir(self.path("tables"))
        capture = self.path("tables/proc_snapshot.csv")
        self.sooth("ps", "-i", "0", "--save", capture)
        kept = harness.read(capture)
        run = self.sooth("export", "--format", "csv", "-o", "tables", capture, status=2, cwd=self.folder)
        self.assert_says_three_lines(run, "proc_snapshot.csv", "capture that sooth reads")
        self.assertEqual(harness.read(capture), kept)
        self.assertEqual(os.listdir(self.path("tables")), ["proc_snapshot.csv"])

    def test_two_things_into_one_file(self):
        """By whatever names, whether it is there or not."""
        os.mkdir(self.path("in"))
        pairs = ("trace --folded ./x -o x 1", "trace --folded in/../x --save x -- /bin/true",
                 "ps --save ./x -o x", "diagnose --bundle ./x --save x 1", "heap -o ./x --save x 1",
                 "trace --flamegraph -o x.svg --save ./x.folded -- /bin/true")
        for there in (False, True):
            for words in pairs:
                with self.subTest(words, there=there):
                    run = self.sooth(*words.split(), status=2, cwd=self.folder)
                    self.assert_says_three_lines(run, "both options name the same file")
            self.assertEqual(sorted(os.listdir(self.folder)), ["in", "x"] if there else ["in"])
            with open(self.path("x"), "w") as file:
                file.write("kept")
        self.assertEqual(harness.read(self.path("x")), b"kept")

    def test_a_number_is_a_file_where_files_are_compared(self):
        for name in ("1", "2"):
            self.sooth("ps", "-i", "0", "--save", self.path(name))
        self.sooth("diff", "-o", "1", "1", "2", status=2, cwd=self.folder)
        os.remove(self.path("1"))
        me = str(os.getpid())
        for _ in range(2):  # a report that is named as the process, again
            self.sooth("ps", "-i", "0", "-o", me, me, cwd=self.folder)

    def test_missing_folder(self):
        path = self.path("missing/file")
        for argv in (["ps", "-o", path], ["ps", "--save", path],
                     ["record", "--probe", "proc", "-p", str(os.getpid()), "-o", path]):
            run = self.sooth(*argv, status=5)
            self.assert_says_three_lines(run, path)

    def test_full_disk(self):
        for argv in (["ps", "-a", "-o", FULL], ["ps", "-a", "-j", "-o", FULL],
                     ["ps", "-a", "--save", FULL],
                     ["record", "--probe", "proc", "-p", str(os.getpid()), "-d", "0.1", "-o",
                      FULL]):
            run = self.sooth(*argv, status=5)
            self.assert_says_three_lines(run, "No space left")

    def test_full_disk_behind_standard_output(self):
        for argv in (["ps", "-a"], ["ps", "-a", "-j"], ["ps", "-a", "--format", "jsonl"],
                     ["help"], ["ps", "--help"], ["ps", "--help-all"], ["--version"]):
            with open(FULL, "wb") as full:
                child = harness.subprocess.run([harness.SOOTH, *argv], stdout=full,
                                               stderr=harness.subprocess.PIPE, check=False,
                                               timeout=harness.PATIENCE_S)
            self.assertEqual(child.returncode, 5, (argv, child.stderr))
            self.assertIn(b"No space left", child.stderr)

    def test_a_small_disk(self):
        """A file system of 64 KB: what does not fit is refused, and nothing half stays."""
        if os.geteuid() != 0:
            self.skipTest("needs root to mount")
        room = self.path("room")
        os.mkdir(room)
        mount = self.run_program("/bin/mount", "-t", "tmpfs", "-o", "size=64k", "none", room,
                                 status=None)
        if mount.status:
            self.skipTest("cannot mount: %s" % mount.errors)
        self.addCleanup(self.run_program, "/bin/umount", room)
        big = self.path("big")
        self.sooth("ps", "-a", "-j", "-o", big)
        room_file = os.path.join(room, "report")
        with open(os.path.join(room, "filler"), "wb") as filler:
            filler.write(b"x" * 60000)
        run = self.sooth("ps", "-a", "-j", "-o", room_file, status=None)
        if os.path.getsize(big) > 8192:
            self.assertEqual(run.status, 5, run)
            self.assertEqual(os.listdir(room), ["filler"], "a part of a report is left")

    def test_a_failed_report_keeps_the_old_one(self):
        path = self.path("report")
        with open(path, "w") as file:
            file.write("the old report")
        self.sooth("ps", "-o", path, "99999999", status=4)
        self.assertEqual(harness.read(path), b"the old report")
        self.assertEqual(os.listdir(self.folder), ["report"])

    def test_closed_pipe(self):
        """`| head -1`: quiet, and no failure."""
        script = '{ "$0" "$@"; echo "$?" >&3; } 3>"$OUT" | head -1 | wc -l'
        for argv in (["ps", "-a"], ["ps", "-a", "-j"], ["ps", "-a", "--format", "jsonl"],
                     ["help"]):
            run = self.run_program("/bin/sh", "-c", script, harness.SOOTH, *argv,
                                   env=dict(os.environ, OUT=self.path("status")))
            self.assertEqual(run.err, b"", argv)
            self.assertEqual(run.out.strip(), b"1")
            self.assertEqual(harness.read(self.path("status")).strip(), b"0", argv)

    def test_a_pipe_closed_before_the_first_byte(self):
        for argv in (["ps", "-a"], ["diagnose", "-d", "1", str(os.getpid())]):
            ours, theirs = os.pipe()
            os.close(ours)
            child = harness.subprocess.run([harness.SOOTH, *argv], stdout=theirs,
                                           stderr=harness.subprocess.PIPE, check=False,
                                           timeout=harness.PATIENCE_S)
            os.close(theirs)
            self.assertEqual((child.returncode, child.stderr), (0, b""), argv)

    def test_a_closed_pipe_does_not_hide_what_was_done(self):
        """What was refused has its exit status, with a reader or without."""
        for argv in (["kill", "1"], ["freeze", "1"], ["thaw", "1"]):
            ours, theirs = os.pipe()
            os.close(ours)
            child = harness.subprocess.run([harness.SOOTH, *argv], stdout=theirs,
                                           stderr=harness.subprocess.PIPE, check=False,
                                           timeout=harness.PATIENCE_S)
            os.close(theirs)
            self.assertEqual((child.returncode, child.stderr), (2, b""), argv)


@needs_bpf
class Traces(Case):
    def test_wrong_pid(self):
        gone = self.start("/bin/true")
        gone.finish()
        for argv in (["trace"], ["trace", "-c", "-j"], ["record", "-o", self.path("never")]):
            run = self.sooth(*argv, "-p", str(gone.pid), status=4)
            self.assert_says_three_lines(run, str(gone.pid))

    def test_full_disk(self):
        for argv in (["trace", "-o", FULL], ["trace", "-c", "-j", "-o", FULL],
                     ["record", "-o", FULL]):
            run = self.sooth(*argv, "--", "/bin/true", status=5)
            self.assert_says_three_lines(run, "No space left")
        run = self.sooth("trace", "-c", "--save", FULL, "--", "/bin/true", status=5)
        self.assert_says_three_lines(run, "No space left")

    def test_a_full_disk_does_not_wait_for_the_target(self):
        """Found out while it runs, not when somebody stops it."""
        target = self.workload("storm", "--rate", "20000", "--seconds", "100", hold=False)
        sooth = self.start_sooth("trace", "-j", "-o", FULL, "-p", str(target.pid))
        run = sooth.finish()
        self.assertEqual(run.status, 5, run)
        self.assertTrue(target.is_running())

    def test_closed_pipe(self):
        script = '{ "$0" "$@"; echo "$?" >&3; } 3>"$OUT" | head -1 | wc -l'
        target = self.workload("storm", "--rate", "20000", "--seconds", "100", hold=False)
        for argv in (["trace", "-p", str(target.pid)], ["trace", "-j", "-p", str(target.pid)]):
            run = self.run_program("/bin/sh", "-c", script, harness.SOOTH, *argv,
                                   env=dict(os.environ, OUT=self.path("status")))
            self.assertEqual(run.err, b"", argv)
            self.assertEqual(harness.read(self.path("status")).strip(), b"0", argv)
        self.assertTrue(target.is_running())

    @staticmethod
    def wait_for_calls(pid):
        """Each time that the storm has slept it has made some."""
        def sleeps():
            return sum(int(count) for tid in os.listdir("/proc/%d/task" % pid) for count in re.findall(
                rb"\nvoluntary_ctxt_switches:\s+(\d+)", harness.read("/proc/%d/task/%s/status" % (pid, tid))))
        before = sleeps()
        harness.wait_until(lambda: sleeps() > before + 5, "calls of the storm")

    def test_interrupt_ends_with_the_whole_report(self):
        target = self.workload("storm", "--rate", "2000", "--seconds", "100", hold=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for mode in (["-c", "-j"], ["-c", "-v"], ["-j"], ["-v"]):
                sooth = self.start_attached("trace", *mode, "-p", str(target.pid))
                self.wait_for_calls(target.pid)
                sooth.send(number)
                run = sooth.finish()
                self.assertEqual((run.status, run.err), (0, b""), run)
                self.assertIn("getppid", run.text)
                if mode == ["-c", "-j"]:
                    self.assertEqual(run.json()["end_reason"], "stopped")
                elif mode == ["-j"]:
                    self.assertEqual(run.lines()[-1]["end_reason"], "stopped")
                else:
                    self.assertIn("until: stopped", run.text)
        self.assertTrue(target.is_running())

    def test_interrupt_of_a_recording(self):
        target = self.workload("storm", "--rate", "2000", "--seconds", "100", hold=False)
        sooth = self.start_attached("record", "-o", self.path("capture"), "-p", str(target.pid))
        self.wait_for_calls(target.pid)
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)
        report = self.sooth("report", "-j", self.path("capture")).json()
        self.assertEqual(report["end_reason"], "stopped")
        self.assertIn("getppid", [row["name"] for row in report["syscalls"]])

    def test_a_target_that_ends_ends_the_run(self):
        for mode in (["-c", "-j"], ["-j"]):
            target = self.workload("sleep", "--seconds", "100")
            sooth = self.start_attached("trace", *mode, "-p", str(target.pid))
            target.send(signal.SIGKILL)
            run = sooth.finish()
            self.assertEqual(run.status, 0, run)
            last = run.json() if "-c" in mode else run.lines()[-1]
            self.assertEqual(last["end_reason"], "target ended")

    def test_duration(self):
        target = self.workload("storm", "--rate", "2000", "--seconds", "100", hold=False)
        report = self.sooth("trace", "-c", "-j", "-d", "500ms", "-p", str(target.pid)).json()
        self.assertEqual(report["end_reason"], "duration")
        self.assertGreaterEqual(report["interval_ns"], 450e6)


if __name__ == "__main__":
    harness.main()
