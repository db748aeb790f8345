# SPDX-License-Identifier: BSD-2-Clause
"""
File capabilities are lent: each command, and each option that selects processes, shows an ordinary
user nothing of processes that this user may not trace, and says so; of the user's own processes it
shows what it always does.
"""
import concurrent.futures
import os
import re
import shutil

import harness
from harness import NOBODY, as_nobody, have, needs_bpf, wait_until
from lent_case import AGENT, OTHER, LentCase, Target
from screen_reader import Screen

SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src")
SHORT = ("-d", "300ms")
EVENTS = ("--duration", "300ms")

# {command: argument lists before the target}. A command that has no row fails the test.
ROWS = {
    "ps": [["-v", "-j"], ["-v", "-t"], ["--why"]],
    "top": [],  # a screen: below
    "status": [["-v", "-j"]],
    "why": [["-v", "-j"], ["-v"]],
    "diagnose": [["-j", "-v", "-d", *EVENTS], ["-v", "--heap", *EVENTS], ["-j", "--quick"],
                 ["--passive", "-v", *EVENTS]],
    "trace": [["-j", *SHORT], ["-c", "-v", *SHORT], ["--stack", *SHORT], ["--io", *SHORT],
              ["--process", *SHORT], ["--memory", *SHORT], ["--lossless", *SHORT]],
    "api": [["--events", "-j", *SHORT]],
    "inspect": [["-j", "-v", "--fds", "--sockets", "--maps", "--signals", "--threads", "--limits",
                 "--env-names"], ["--maps", "-v"], ["--signals", "-v"]],
    "heap": [["-v", *SHORT], ["-j", "--stack", *SHORT], ["--pages", *SHORT], ["-j", "--ask-runtime", *SHORT]],
    "sched": [["-j", *SHORT], ["--records", *SHORT]],
    "profile": [["-v", *SHORT], ["-j", *SHORT], ["--off-cpu", *SHORT], ["--wall", *SHORT],
                ["--lines", *SHORT]],
    "stack": [["-v"], ["-j"]],
    "timeline": [["-j", "--calls", *SHORT]],
    # The first form is tried with each option, among them those that select the caller's own
    # processes, which are none of this test's business.
    "kill": [["--any", "--dry-run", "-j"], ["-9", "--any", "-t", "--yes"]],
    "freeze": [["--any", "--dry-run", "-j"], ["--any", "-j"]],
    "thaw": [["--any", "--dry-run", "-j"]],
    "monitor": [],  # with readers: below
    "record": [],   # and what it has recorded: below
}
# These select among what is in a file, or no process.
WITHOUT_PROCESSES = {"tail", "report", "export", "query", "diff", "doctor", "demo", "mcp", "help", "run", "statusline", "uninstall"}

OLD_TOOLS = {
    "claude-status": [["-j"]],
    "claude-trace": [["-v", "-j"], ["-t", "-v"], ["-K", "PID"]],
    "claude-diagnose": [["-d", "-j", "--duration", "1"], ["-D", "--duration", "1"],
                        ["-D", "--duration", "1", "--pid", "PID"],
                        ["-D", "--io", "--duration", "1", "--pid", "PID"],
                        ["-s", "--sample-duration", "1", "--pid", "PID"]],
    "claude-monitor": [["-d", "1", "-j"], ["-d", "1", "-i", "1", "-p", "PID"],
                       ["-d", "1", "--session", "PID"]],
    "trace-claude": [["PID"]],
    "memtrack": [],  # launches only: below
    "codspeed-memtrack": [],
}

# As --help-all lists them: long option or letter, and what selects the targets with it.
SELECTING = {
    "--pid": lambda t: [["-p", str(t.pid)]],
    "--session": lambda t: [["--session", str(t.pid)]],
    "--agent": lambda t: [["--agent", AGENT]],
    "--user": lambda t: [["-u", str(t.uid)]],
    "--cgroup": lambda t: [["--cgroup", cgroup_of(t.pid)]],
    "--container": lambda t: [["--container", "0123456789ab"]],
    "--port": lambda t: [["--port", "9"]],
    "--open": lambda t: [["--open", "/proc/%d/exe" % t.pid]],
    "--all": lambda t: [["--all"]],
}
# What attaches to processes does nothing at all.
ATTACHING = {"trace", "api", "heap", "sched", "profile"}
UNSEEN = re.compile(r"not.measured|not shown|not readable|unreadable|permission|refused|may not|"
                    r"only root|cannot|could not|needs |no agents|no process|denied|not permitted")


def cgroup_of(pid):
    return harness.read("/proc/%d/cgroup" % pid).decode().splitlines()[-1].split(":", 2)[2]


def target_options(help_text):
    """Of the heading "Target:"."""
    part = re.search(r"^Target:\n((?:  .*\n)+)", help_text, re.M)
    return re.findall(r"^  (?:-\w, |    )(--[\w-]+)", part[1], re.M) if part else []


@needs_bpf
class Lent(LentCase):
    def commands(self):
        listed = re.findall(r"^  (\w+) {2,}", self.caller("help").text, re.M)
        self.assertGreater(len(listed), 20)
        return listed

    def start_targets(self):
        return [Target(self, 0), Target(self, OTHER)]

    def assert_hides(self, run, targets, argv):
        text = run.text + run.errors
        # What the caller may see of its own processes may lie at the same addresses.
        is_of_many = {"--cgroup", "--all", "-a"} & set(argv)
        for target in targets:
            shown = {target.mark} & set(re.findall(r"Qq\w{10}q", text)) if is_of_many else \
                target.shown_in(text)
            self.assertFalse(shown, "%s\n%s" % (argv, run))
        good = (2, 3, 4) if argv[1] in ATTACHING else (0, 1, 2, 3, 4)
        self.assertIn(run.status, good, "%s\n%s" % (argv, run))
        if "--dry-run" not in argv:  # that needs no more than a name
            self.assertRegex(text, UNSEEN, "%s says nothing of what it may not see" % argv)

    def run_all(self, tries):
        """Side by side: each of them waits most of the time."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda t: (t, self.caller(*t[1:], name=t[0])), tries))

    def try_all(self, tries, targets):
        for argv, run in self.run_all(tries):
            with self.subTest(" ".join(filter(None, argv))):
                self.assert_hides(run, targets, argv)

    def test_each_command_has_a_row(self):
        self.assertEqual(set(self.commands()), set(ROWS) | WITHOUT_PROCESSES)
        listed = harness.read(os.path.join(SRC, "compat/compat.def")).decode()
        old = re.findall(r"^COMPAT\((\w+),", listed, re.M)
        self.assertEqual({name.replace("_", "-") for name in old}, set(OLD_TOOLS))
        for command in ROWS:
            for option in target_options(self.caller(command, "--help-all").text):
                self.assertIn(option, SELECTING, command)

    def test_each_command(self):
        targets = self.start_targets()
        tries = []
        for command, rows in ROWS.items():
            options = target_options(self.caller(command, "--help-all").text)
            self.assertIn("--pid", options)
            for number, row in enumerate(rows):
                for option in options:
                    # Each option with one form of the command, the target by its number with all: the other forms
                    # by turns.
                    if number and option != "--pid":
                        continue
                    turn = targets[number % 2:][:1] if number and not harness.IS_LONG else targets
                    for target in turn if option in ("--pid", "--user") else targets[:1]:
                        tries += [[None, command, *row, *words]
                                  for words in SELECTING[option](target)]
        self.try_all(tries, targets)
        for target in targets:
            self.assertTrue(target.process.is_running())
            self.assertNotIn(harness.process_state(target.pid), ("T", "Z"))

    def test_old_tools(self):
        targets = self.start_targets()
        tries = [[name, *[str(targets[0].pid) if word == "PID" else word for word in row]]
                 for name, rows in OLD_TOOLS.items() for row in rows]
        self.try_all(tries, targets)
        self.assertTrue(targets[0].process.is_running())

    def test_limit_of_many(self):
        """Processes that the caller may not watch are one limit, not one for each."""
        targets = self.start_targets()
        run = self.caller("diagnose", "-v", *EVENTS, *[str(t.pid) for t in targets])
        self.assertEqual(run.text.count("exit reasons of some processes"), 1, run)

    def test_record(self):
        """Each probe, and what the capture has of them."""
        targets = self.start_targets()
        listed = harness.read(os.path.join(SRC, "probes/probes.def")).decode()
        selected = [["-p", str(t.pid)] for t in targets] + [["-a"], *([["-u", "0"]] if harness.IS_LONG else [])]
        tries = [[None, "record", "--stream", "--detail", *SHORT, "-P", probe, "-o",
                  os.path.join(self.home, "%s-%d.sooth" % (probe, i)), *words]
                 for probe in re.findall(r"^PROBE\((\w+)", listed, re.M)
                 for i, words in enumerate(selected)]
        self.assertGreater(len(tries), 45)
        captures = []
        for argv, run in self.run_all(tries):
            with self.subTest(argv):
                self.assertIn(run.status, (0, 3), run)
                if run.status:
                    self.assert_says_three_lines(run)
                else:
                    captures.append(argv[argv.index("-o") + 1])
        tries = [[None, "report", "-v", "-j", capture] for capture in captures]
        for argv, run in self.run_all(tries):
            with self.subTest(argv):
                for target in targets:
                    self.assertNotIn(target.mark, run.text, run)

    def test_monitor(self):
        """Its FIFOs while they are read, and the history of all its targets."""
        targets = self.start_targets()
        for words in (["-p", str(targets[0].pid)], ["-p", str(targets[1].pid)], ["-a"], ["-u", "0"],
                      ["--agent", AGENT], ["--session", str(targets[0].pid)]):
            folder = os.path.join(self.home, "fifos")
            with self.subTest(words):
                monitor = self.start(self.program, "monitor", "--fifo-dir", folder, "-d", "1500ms",
                                     "--history-dir", os.path.join(self.home, "history"), *words,
                                     cwd=self.home, env={**os.environ, "HOME": self.home},
                                     **as_nobody())
                files = [os.path.join(folder, name + ".fifo")
                         for name in ("syscalls", "scheduler", "api_calls")]
                wait_until(lambda: all(map(os.path.exists, files)) or not monitor.is_running(), "FIFOs")
                readers = [self.start("/bin/cat", file) for file in files if os.path.exists(file)]
                run = monitor.finish()
                text = run.text + run.errors + "".join(
                    bytes(reader.out).decode() for reader in readers)
                for reader in readers:
                    reader.end()
                for target in targets:
                    self.assertEqual(target.shown_in(text), [], text[:4000])

    def test_top(self):
        """Its rows, and each pane of a process."""
        targets = self.start_targets()
        argv = [have("setpriv"), "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups",
                self.program, "top", "-i", "1", "-p", str(targets[0].pid)]
        with Screen(argv, 160, 50, {"HOME": self.home}) as screen:
            screen.wait_for(lambda lines: any(str(targets[0].pid) in line for line in lines), "row")
            for key in b"yifsm":
                screen.type(b"\r", 0.3)
                screen.type(bytes([key]), 1)
                screen.type(b"\x1b", 0.3)
            screen.type(b"q")
            text = screen.written.decode("utf-8", "replace")
        self.assertEqual(targets[0].shown_in(text), [], text)

    def test_the_callers_own(self):
        """The healthy twin: the same rows show the mark of the caller's own process."""
        own = Target(self, NOBODY, pause_s=0.002)  # a busy host seldom lets it run where a sample falls
        for command, number in (("trace", 0), ("trace", 2), ("inspect", 0), ("profile", 0),
                                ("profile", 1), ("stack", 0), ("stack", 1)):
            with self.subTest("%s %s" % (command, ROWS[command][number])):
                wait_until(lambda: own.mark in self.caller(
                    command, *ROWS[command][number], "-p", str(own.pid), status=0).text,
                    "its mark: a sample may miss it, and on a busy machine it seldom runs")
        tries = [[None, command, *row, "-p", str(own.pid)] for command, rows in ROWS.items()
                 for row in rows if command not in ("kill", "freeze", "thaw")]
        for argv, run in self.run_all(tries):
            with self.subTest(argv):
                self.assertEqual(run.status, 0, run)

    def test_kernel_addresses(self):
        """Where the kernel hides them from this user."""
        symbols = self.run_program("/bin/cat", "/proc/kallsyms", **as_nobody()).text
        if not re.match("0+ ", symbols):
            self.skipTest("this kernel shows its addresses to every user")
        own = Target(self, NOBODY)
        for words in (["stack", "-j"], ["profile", "-j", *SHORT], ["profile", "--off-cpu", "-j", *SHORT]):
            with self.subTest(words):
                run = self.caller(*words, "-p", str(own.pid), status=0)
                while words[0] == "stack" and '"kernel"' not in run.text: # it was computing
                    run = self.caller(*words, "-p", str(own.pid), status=0)
                addresses = [int(n) for n in re.findall(r"\b\d{19,20}\b", run.text)] + [
                    int(n, 16) for n in re.findall(r"\b(?:0x)?([0-9a-f]{16})\b", run.text)]
                self.assertEqual([a for a in addresses if a >> 47], [], run)

    def test_what_ptrace_refuses(self):
        """The caller's own user id is not enough: ptrace(2) also asks for the groups, the
        capabilities, and whether the process is dumpable."""
        setpriv, uid = have("setpriv"), str(NOBODY)
        root = {"user": None, "group": None, "extra_groups": None}
        targets = {
            "not dumpable": Target(self, NOBODY, more="ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)"),
            "of another group": Target(self, NOBODY, group=OTHER),
            "with a capability": Target(self, NOBODY, before=[
                setpriv, "--reuid", uid, "--regid", uid, "--clear-groups", "--inh-caps",
                "+net_raw", "--ambient-caps", "+net_raw"], **root),
        }
        for name, target in targets.items():
            self.assertRaises(PermissionError, self.read_maps_as_nobody, target.pid)
            tries = [[None, command, *row, "-p", str(target.pid)]
                     for command in sorted(ATTACHING | {"inspect", "stack", "why", "timeline"})
                     for row in ROWS[command][:2]]
            with self.subTest(name):
                self.try_all(tries, [target])

    def read_maps_as_nobody(self, pid):
        run = self.run_program("/bin/cat", "/proc/%d/maps" % pid, status=None, **as_nobody())
        if run.status:
            raise PermissionError(run.errors)

    def test_a_program_that_gains_privilege(self):
        """What a followed process executes with set-user-ID is not seen, whatever follows it."""
        plain = self.copy_for_all(harness.WORKLOADS)
        raised = self.path("raised")
        shutil.copyfile(plain, raised)
        os.chmod(raised, 0o4755)
        seen = {
            # A shell asks for the number of its parent, too.
            ("trace", "-j"): lambda text: text.count('"getppid"') > 100,
            ("trace", "-c", "-j"): lambda text: any(
                row["name"] == "getppid" and row["count"] > 100
                for row in harness.parse_json(text)["syscalls"]),
            ("profile", "-j"): lambda text: bool(re.search(r'"file": "(workloads|raised)"', text)),
            ("sched", "-j"): lambda text: bool(re.search(r'"process": "(workloads|raised)"', text)),
        }
        for program in (plain, raised):
            for words, sees in seen.items():
                out = os.path.join(self.home, "out")
                with self.subTest("%s %s" % (program, words)):
                    run = self.caller(*words, "-o", out, "--", "/bin/sh", "-c",
                                      'sleep 0.1; "$0" storm --seconds 0.5; exit 0', program)
                    self.assertEqual(run.status, 0, run)
                    text = harness.read(out).decode()
                    self.assertEqual(sees(text), program == plain, text[:3000])
                    if program == raised and words != ("trace", "-j"):
                        self.assertIn("gained privilege", text + run.errors)

        # Allocations: each program that a command starts is looked at.
        run = self.caller("heap", "-j", "--", "/bin/sh", "-c",
                          'sleep 0.1; "$0" heap_storm --seconds 0.3; exit 0', raised, status=0)
        self.assertIn("gained privilege", run.text + run.errors)

    def test_files_and_variables(self):
        """The capabilities open no file: not as output, capture, configuration or cache."""
        secret = self.path("secret")
        os.mkdir(secret, 0o700)
        own = Target(self, NOBODY)
        capture = os.path.join(secret, "of.sooth")
        self.sooth("ps", "-a", "--save", capture)
        self.assertNotEqual(self.caller("report", capture).status, 0)
        before = sorted(os.listdir(secret))
        environment = {name: secret for name in (
            "HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
            "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "DEBUGINFOD_CACHE_PATH", "TERMINFO")}
        environment |= {"SUDO_UID": "0", "SUDO_GID": "0", "LD_LIBRARY_PATH": self.home,
                        "LD_PRELOAD": os.path.join(self.home, "none.so")}
        for words in (["profile", *SHORT, "-p", str(own.pid)], ["ps"], ["ps", "-a"],
                      ["timeline", *SHORT, "-p", str(own.pid)], ["heap", *SHORT, "-p", str(own.pid)],
                      ["stack", "-p", str(own.pid)], ["monitor", "-d", "200ms"],
                      ["trace", "-c", "-o", os.path.join(self.home, "o"), "--", "/bin/true"]):
            with self.subTest(words):
                self.caller(*words, environment=environment)
        for words in (["ps", "-a", "-o", capture], ["ps", "-a", "--save", capture],
                      ["record", "-o", os.path.join(secret, "new"), *SHORT, "-p", str(own.pid)],
                      ["monitor", "--fifo-dir", secret, "-d", "200ms"],
                      ["trace", "--folded", os.path.join(secret, "f"), *SHORT, "-p", str(own.pid)],
                      ["trace", "--control", os.path.join(secret, "s"), *SHORT, "-p", str(own.pid)]):
            with self.subTest(words):
                run = self.caller(*words)
                self.assertIn(run.status, (2, 3, 5), run)
        self.assertEqual(sorted(os.listdir(secret)), before)
        self.assertEqual(os.stat(capture).st_uid, 0)


if __name__ == "__main__":
    harness.main()
