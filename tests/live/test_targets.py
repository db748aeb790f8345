# SPDX-License-Identifier: BSD-2-Clause
"""
One target group: every form of a target with every command works, and observes the right
processes, or is refused with three lines.
"""
import os
import sys
import unittest

import harness
from family import Family
from harness import Case, needs_bpf

LIVE = "100ms"
# The words of each command, and where the PIDs that it observed stand in its JSON.
OBSERVERS = {
    "trace": ["trace", "-c", "-j", "-d", LIVE],
    "heap": ["heap", "-c", "-j", "-d", LIVE],
    "sched": ["sched", "-j", "-d", LIVE],
    "timeline": ["timeline", "-j", "--no-memory", "-d", LIVE],
    "inspect": ["inspect", "--threads", "-j", "-i", LIVE],
    "why": ["why", "-j", "-i", LIVE],
    "record": ["record", "-P", "proc", "-d", LIVE, "-o", "CAPTURE"],
}
LISTS = {
    "ps": ["ps", "-j", "-i", "0"],
    "status": ["status", "-j", "-i", "10ms"],
    "diagnose": ["diagnose", "--quick", "-j"],
}
ACTS = {name: [name, "--dry-run", "-j"] for name in ("kill", "freeze", "thaw")}
EXPLAINERS = {
    "report": ["report", "-j", "FILE"],
    "export": ["export", "--format", "csv", "--table", "proc_process", "FILE"],
    "query": ["query", "-j", "FILE", "TARGET", "SELECT DISTINCT pid FROM proc_process"],
    "trace": ["trace", "-c", "-j", "FILE"],
    "heap": ["heap", "-j", "FILE"],
    "sched": ["sched", "-j", "FILE"],
    "timeline": ["timeline", "-j", "FILE"],
    "inspect": ["inspect", "--threads", "-j", "FILE"],
    "ps": ["ps", "-j", "FILE"],
    "status": ["status", "-j", "FILE"],
    "diagnose": ["diagnose", "-j", "FILE"],
}
SELECTING = ("pid", "name", "-p", "--session", "session", "--agent", "-u", "--cgroup")
HOLDS = """
import socket, sys, time
held = open(sys.argv[1], "w")
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
tcp = socket.create_server(("127.0.0.1", 0))
print(udp.getsockname()[1], tcp.getsockname()[1], flush=True)
time.sleep(3500)
"""
CONNECTS = """
import socket, sys, time
made = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
time.sleep(3500)
"""
MISSING = {"name": ["no-such-name"], "--session": ["--session", "no-such-session"],
           "--agent": ["--agent", "no-such-agent"], "--cgroup": ["--cgroup", "/no/such/group"],
           "-u": ["-u", "no-such-user"], "--port": ["--port", "1"], "--open": ["--open", "/no/such/file"]}


def with_target(words, target):
    """The target stands at the end, or where the words say."""
    if "TARGET" not in words:
        return words + target
    at = words.index("TARGET")
    return words[:at] + target + words[at + 1:]


class Targets(Case):
    def setUp(self):
        super().setUp()
        self.family = Family(self.folder)
        self.family.__enter__()
        self.addCleanup(self.family.__exit__)
        self.main = self.family.main("main")
        self.tool = self.main.start("tool", "session", **self.family.tool(self.main))
        # A name that no other process of this machine has.
        self.name = "worker-%d" % os.getpid()
        self.other = self.start("sleep", "600")
        program = self.family.copy("bin/" + self.name)
        self.pair = [self.family.root.start(self.name + str(i), program=program,
                                            **{"in": "null", "out": "null", "err": "null"})
                     for i in range(2)]
        with open("/proc/%d/cgroup" % self.main.pid, encoding="ascii") as file:
            lines = file.read().splitlines()
        self.group = max((line.split(":", 2)[2] for line in lines), key=len)

    def forms(self):
        """Each form as words, and PIDs that it selects."""
        session = {self.main.pid, self.tool.pid}
        return {
            "pid": ([str(self.tool.pid)], {self.tool.pid}),
            "name": ([self.name], {member.pid for member in self.pair}),
            "-p": (["-p", "%d,%d" % (self.main.pid, self.tool.pid)], session),
            "--session": (["--session", self.main.session_id[:8]], session),
            "session": ([self.main.session_id[:8]], session),
            "--agent": (["--agent", "claude"], session),
            "-u": (["-u", str(os.getuid())], session),
            "--cgroup": (["--cgroup", self.group], session),
            "--all": (["--all"], session),
            "command": (["--", "true"], set()),
            "capture": ([self.path("nothing.sooth")], set()),
        }

    def test_digits_that_begin_a_session(self):
        """They are no PID: no process has one so high."""
        main = self.family.main("digits", session_id="87654321-" + self.main.session_id[9:])
        capture = self.path("digits.sooth")
        self.assertEqual(self.targets_of(self.sooth("why", "-j", "87654321", "--save", capture).json()), {main.pid})
        rows = self.sooth("why", "-j", capture, "87654321").json()["processes"]
        self.assertEqual([row["pid"] for row in rows], [main.pid])
        self.refused(["why", "87654322"], "no process")

    def words(self, words):
        return [{"CAPTURE": self.path("recorded.sooth"), "FILE": self.path("made.sooth")}.get(w, w)
                for w in words]

    def refused(self, words, *said):
        run = self.sooth(*words, status=None)
        self.assertNotEqual(run.status, 0, (words, run))
        self.assertEqual(run.out, b"", run)
        self.assert_says_three_lines(run, *said)
        self.assertNotIn("there is no such option", run.errors, words)
        return run

    def targets_of(self, report):
        return set(report["target"]["pids"] or [])

    # --- what runs ---

    @needs_bpf
    def test_observing(self):
        for command, words in OBSERVERS.items():
            for form in ("pid", "name", "-p", "--session", "session", "--agent", "--cgroup"):
                target, pids = self.forms()[form]
                if command == "heap" and form in ("--cgroup", "--agent"):
                    continue  # probes in each of them: the same list, at the cost of seconds
                with self.subTest(command=command, form=form):
                    run = self.sooth(*self.words(words), *target)
                    if command == "record":
                        run = self.sooth("report", "-j", self.path("recorded.sooth"))
                    seen = self.targets_of(run.json())
                    self.assertLessEqual(pids, seen)
                    if form in ("pid", "name", "-p", "--session", "session"):
                        self.assertEqual(seen, pids)

    @needs_bpf
    def test_names_of_several_processes_are_counted(self):
        run = self.sooth("trace", "-c", "-d", LIVE, self.name)
        self.assertIn("%s: 2 processes: " % self.name, run.errors)

    @needs_bpf
    def test_user_command_and_host(self):
        for command, words in OBSERVERS.items():
            for form in ("-u", "command", "--all"):
                with self.subTest(command=command, form=form):
                    target, _ = self.forms()[form]
                    words_of = self.words(words) + target
                    if (command, form) in (("heap", "--all"), ("heap", "-u"), ("inspect", "command"),
                                           ("why", "command")):
                        self.refused(words_of)
                    elif (command, form) == ("inspect", "--all"):
                        self.refused(words_of, "no process, session")  # there it means every detail
                    elif form == "command" or command in ("trace", "record"):
                        self.sooth(*words_of)

    def test_lists(self):
        for command, words in LISTS.items():
            for form in SELECTING:
                with self.subTest(command=command, form=form):
                    target, pids = self.forms()[form]
                    rows = self.rows(self.sooth(*words, *target).json())
                    if command == "status":
                        pids = {p for p in pids if p == self.main.pid}
                    if form == "-u":
                        pids = pids & {self.main.pid}
                    self.assertLessEqual(pids, rows)
                    self.assertNotIn(self.other.pid if form not in ("-u", "--cgroup") else 0, rows)
        self.refused(["ps", "--", "true"], "launch a command")
        self.refused(["status", "--", "true"], "launch a command")
        self.assertIn(self.other.pid, self.rows(self.sooth("ps", "-j", "-i", "0", "--all").json()))
        self.assertIn(self.main.pid, self.rows(self.sooth("diagnose", "--quick", "-j", "--all").json()))
        self.sooth("diagnose", "--quick", "-j", "--", "true")

    def test_an_agent_means_its_session(self):
        """But for claude-diagnose, and a process of it is itself."""
        main, tool = str(self.main.pid), str(self.tool.pid)
        server = self.main.start("server", **self.family.server(self.main))
        session = {self.main.pid, self.tool.pid, server.pid}
        for words, pids in (([main], session), ([main, str(self.other.pid)], session | {self.other.pid}),
                            (["--only", main], {self.main.pid}), ([tool], {self.tool.pid}),
                            (["-p", main + "," + tool], session)):
            with self.subTest(words=words):
                self.assertEqual(self.rows(self.sooth("diagnose", "--quick", "-j", *words).json()), pids)
        run = self.run_program("bash", "-c", "exec -a claude-diagnose %s -j --pid %s" % (harness.SOOTH, main))
        self.assertEqual(self.rows(run.json()), {self.main.pid})

    def rows(self, report):
        key = "subjects" if "subjects" in report else "processes"
        return {row["pid"] for row in report[key]}

    def test_acting(self):
        for command, words in ACTS.items():
            for form in SELECTING:
                with self.subTest(command=command, form=form):
                    target, pids = self.forms()[form]
                    if form == "name":  # of several processes: which one is not known
                        self.refused(words + target, "2 processes have this name",
                                     "sooth %s %d" % (command, self.pair[0].pid))
                        continue
                    report = self.sooth(*words, *target, status=None).json()
                    rows = {row["pid"]: row for row in report["results"]}
                    self.assertLessEqual(pids, set(rows))
                    self.assertEqual({rows[pid]["outcome"] for pid in pids}, {"would be"})
                    self.assertNotIn(self.other.pid, rows)
            for form, word in (("--all", "whole host"), ("command", "launch a command"),
                               ("capture", "a capture file has no running processes")):
                self.refused(words + self.forms()[form][0], word)
            self.refused([command], "no process, session")
        self.assertTrue(self.main.is_there() and self.tool.is_there())

    def test_what_is_not_there(self):
        for command, words in {**OBSERVERS, **LISTS, **ACTS}.items():
            for form, target in MISSING.items():
                with self.subTest(command=command, form=form):
                    self.refused(self.words(words) + target, target[-1])

    def test_by_descriptors(self):
        """A connection to the port, and another file of the same name, are none."""
        held, link = self.path("held"), self.path("link")
        listens = self.start(sys.executable, "-c", HOLDS, held)
        listens.wait_for_output(b"\n")
        udp, tcp = listens.out.split()
        os.link(held, link)
        self.start(sys.executable, "-c", CONNECTS, tcp.decode()).wait_for_output(b"\n")
        forms = (["--port", tcp.decode()], ["--port", udp.decode()], ["--open", held], ["--open", link])
        for form in forms:
            with self.subTest(form=form):
                self.assertEqual(self.rows(self.sooth("ps", "-a", "-j", "-i", "0", *form).json()), {listens.pid})
        self.assertEqual(self.targets_of(self.sooth("why", "-j", *forms[0]).json()), {listens.pid})
        self.refused(["kill", "--dry-run", "--port", tcp.decode(), "--user", "0"], "exclude each other")
        capture = self.path("made.sooth")
        self.sooth("record", "-P", "proc,sockets,fds", "-d", LIVE, "-o", capture, str(listens.pid), str(self.other.pid))
        for form in forms[:3]:
            rows = self.rows(self.sooth("ps", "-a", "-j", capture, *form).json())
            self.assertEqual(rows, {listens.pid}, form)

    def test_own_parents_are_not_meant_by_a_name(self):
        """The program that starts sooth has a name as well; another process with it is taken."""
        program = self.family.copy("bin/" + self.name + "p")
        twin = self.family.root.start("twin", program=program,
                                      **{"in": "null", "out": "null", "err": "null"})
        link = os.path.basename(program)
        script = "exec -a %s sh -c '%s ps -j -i 0 %s; :'" % (link, harness.SOOTH, link)
        run = self.run_program("bash", "-c", script)
        self.assertEqual(self.rows(run.json()), {twin.pid})
        own = os.path.basename(os.path.realpath(harness.SOOTH))
        self.assertTrue(self.rows(self.sooth("ps", "-j", "-i", "0", own).json()))

    # --- of a capture ---

    def test_captures(self):
        everything = [self.main.pid, self.tool.pid, *(member.pid for member in self.pair)]
        pids = ",".join(map(str, everything))
        self.sooth("record", "-P", "proc,threads,limits", "-d", LIVE, "-o",
                   self.path("made.sooth"), "-p", pids)
        for command, words in EXPLAINERS.items():
            for form in SELECTING:
                with self.subTest(command=command, form=form):
                    target, selected = self.forms()[form]
                    run = self.sooth(*with_target(self.words(words), target))
                    if command == "query":
                        rows = {row["pid"] for row in run.json()["rows"]}
                    elif command == "export":
                        head, *lines = run.text.splitlines()
                        at = head.split(",").index("pid")
                        rows = {int(line.split(",")[at]) for line in lines}
                    elif command == "ps":
                        rows = self.rows(run.json())
                    else:
                        continue
                    if form in ("-u", "--cgroup"):
                        self.assertLessEqual(selected & rows, selected)
                    else:
                        self.assertEqual(rows, selected)
            for form, target in MISSING.items():
                if form == "-u":
                    continue
                with self.subTest(command=command, form=form, missing=True):
                    if command == "status" and form == "--agent":
                        continue  # an agent that does not run is what a status can say
                    self.refused(with_target(self.words(words), target), target[-1])

    def test_captures_that_cannot_be_searched(self):
        self.sooth("record", "-P", "limits", "-d", "20ms", "-o", self.path("bare.sooth"),
                   "-p", str(self.main.pid))
        self.refused(["report", self.path("bare.sooth"), "--session", self.main.session_id],
                     "no process table")
        with open(self.path("bare.sooth"), "rb") as file:
            run = self.sooth("report", "-", self.name, status=2, input=file.read())
        self.assert_says_three_lines(run, "twice")

    def test_a_bare_name_is_a_file_only_if_it_is_a_capture(self):
        with open(self.path(self.name), "w", encoding="ascii") as file:
            file.write("no capture")
        run = self.sooth("ps", "-j", "-i", "0", self.name, cwd=self.folder)
        self.assertEqual(self.rows(run.json()), {member.pid for member in self.pair})


if __name__ == "__main__":
    unittest.main() if len(sys.argv) > 1 else harness.main()
