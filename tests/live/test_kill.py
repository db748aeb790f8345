# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth kill`, `freeze` and `thaw` on families of processes made for it. All of this runs in a pid
namespace of its own: a command that ends every orphan must not find anybody else's.
"""
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import unittest
import unittest.mock
import uuid

import harness
from family import Family
from harness import SOOTH, Case, wait_until

INSIDE = "SOOTH_TEST_INSIDE"
SILENT = {"in": "closed", "out": "closed", "err": "closed"}
NOTHING = {"in": "null", "out": "null", "err": "null"}
ONCE = ("--wait", "2")


def results(run):
    return {row["pid"]: row for row in json.loads(run.stdout)["results"]}


class Acting(Case):
    def setUp(self):
        super().setUp()
        self.family = Family(self.folder)
        self.family.__enter__()
        self.addCleanup(self.family.__exit__)

    def run_sooth(self, *argv, status=0, answer=b""):
        run = subprocess.run([SOOTH, *map(str, argv)], input=answer, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, status, (run.stdout[-2000:], run.stderr[-2000:]))
        return run

    def kill(self, *argv, **how):
        return results(self.run_sooth("kill", "-j", *argv, **how))

    def session(self, name):
        """A main process, its tool, and the MCP server it talks to."""
        main = self.family.main(name)
        tool = main.start(name + "-tool", "session", **self.family.tool(main))
        server = main.start(name + "-mcp", **self.family.server(main))
        return main, tool, server

    def assert_there(self, *members):
        for member in members:
            self.assertTrue(member.is_there(), member.name)

    def assert_gone(self, *members):
        for member in members:
            wait_until(lambda member=member: not member.is_there(), "%s to end" % member.name)


class Named(Acting):
    def test_only_the_one(self):
        main, tool, server = self.session("a")
        told = self.kill(tool.pid)
        self.assertEqual([row["outcome"] for row in told.values()], ["ended"])
        self.assertEqual(told[tool.pid]["role"], "tool")
        self.assert_gone(tool)
        self.assert_there(main, server)

    def test_tree(self):
        main, tool, server = self.session("a")
        below = tool.start("below", **SILENT)
        told = self.kill("-t", tool.pid)
        self.assertEqual(set(told), {tool.pid, below.pid})
        self.assert_gone(tool, below)
        self.assert_there(main, server)

    def test_dry_run(self):
        members = self.session("a")
        told = self.kill("--dry-run", "-t", members[0].pid)
        self.assertEqual({row["outcome"] for row in told.values()}, {"would be"})
        self.assertEqual(set(told), {member.pid for member in members})
        self.assert_there(*members)

    def test_one_that_does_not_listen(self):
        main, tool, _ = self.session("a")
        deaf = tool.start("deaf", "deaf", **SILENT)
        run = self.run_sooth("kill", "-j", *ONCE, deaf.pid, status=1)
        self.assertEqual(results(run)[deaf.pid]["outcome"], "still there")
        self.assertIn(b"-9", run.stderr)
        self.assert_there(deaf, main)
        self.assertEqual(self.kill("-9", deaf.pid)[deaf.pid]["outcome"], "ended")
        self.assert_gone(deaf)

    def test_unknown(self):
        run = self.run_sooth("kill", 30000, status=4)
        self.assertEqual(len(run.stderr.splitlines()), 3)

    def test_number_two(self):
        """In a pid namespace it is anybody's, and no thread of the kernel."""
        script = 'sleep 600 & test $! = 2 || exit 9; "$0" kill -j --any 2'
        run = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh",
                              "-c", script, SOOTH], stdout=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertEqual(results(run)[2]["outcome"], "ended")

    def test_many_zeros(self):
        """A number is never cut: what is left would be somebody else's."""
        main, _, _ = self.session("a")
        for text in ("%015d9", "%015d9@1"):
            run = self.run_sooth("kill", "--dry-run", text % main.pid, status=2)
            self.assertIn(b"as a PID", run.stderr)
            self.assertNotIn(b"would be", run.stdout)
        self.assert_there(main)

    def test_identity(self):
        """PID@START means that process and no later one of its number."""
        _, tool, _ = self.session("a")
        run = self.run_sooth("kill", "-9", "%d@%d" % (tool.pid, tool.started - 1), status=4)
        self.assertIn(b"another process has its PID now", run.stderr)
        self.assert_there(tool)
        told = self.kill("%d@%d" % (tool.pid, tool.started))
        self.assertEqual(told[tool.pid]["outcome"], "ended")

    def test_identity_is_told(self):
        """By what lists them, and by what acts on them."""
        main, tool, _ = self.session("a")
        rows = json.loads(self.run_sooth("ps", "-j", main.pid).stdout)["processes"]
        self.assertEqual([row["start_ticks"] for row in rows], [main.started])
        told = self.kill("--dry-run", "-t", main.pid)
        self.assertEqual((told[main.pid]["start_ticks"], told[tool.pid]["start_ticks"]),
                         (main.started, tool.started))

    def test_a_zombie(self):
        target = self.workload("children", "--zombies", "1", "--count", "0")
        zombie = [line.split()[1] for line in bytes(target.out).decode().splitlines()
                  if line.endswith("zombie")][0]
        run = self.run_sooth("kill", "-j", zombie, status=2)
        self.assertIn("has not reaped it", results(run)[int(zombie)]["reason"])
        told = self.kill("--any", "-9", zombie)
        self.assertEqual(told[int(zombie)]["outcome"], "was gone")

    def test_by_the_user(self):
        """Nothing here needs root for what is the user's own."""
        self.open_to_all()
        for name in os.listdir(self.folder):
            os.chmod(self.path(name), 0o777)
        main = self.family.main("a", uid=harness.NOBODY)
        tool = main.start("tool", "session", **self.family.tool(main))
        sooth = self.copy_for_all(SOOTH)

        def run(*argv):
            return self.run_program(sooth, *argv, **harness.as_nobody()).json()["results"]
        self.assertEqual({row["outcome"] for row in run("freeze", "-j", "-t", str(main.pid))},
                         {"frozen"})
        self.assertEqual(harness.process_state(tool.pid), "T")
        self.assertEqual({row["outcome"] for row in run("thaw", "-j", "-t", str(main.pid))},
                         {"running"})
        told = {row["pid"]: row for row in run("kill", "-j", "--session", main.session_id)}
        self.assertLessEqual({main.pid, tool.pid}, set(told))
        self.assert_gone(main, tool)

    def test_dry_run_of_what_is_not_allowed(self):
        """It says of each what would really become of it, and nothing is sent."""
        self.open_to_all()
        sooth = self.copy_for_all(SOOTH)
        roots, own = self.start("sleep", "600"), self.start("sleep", "600", **harness.as_nobody())

        def run(*argv, status):
            rows = self.run_program(sooth, "kill", "-j", "--any", *argv, status=status,
                                    **harness.as_nobody()).json()["results"]
            return [(row["pid"], row["outcome"], row["reason"]) for row in rows]
        refused = [(roots.pid, "failed",
                    "not permitted: it belongs to another user; run sooth as root")]
        self.assertEqual(run("--dry-run", str(roots.pid), status=3), refused)
        self.assertEqual(run("--dry-run", str(own.pid), status=0), [(own.pid, "would be", None)])
        self.assertTrue(own.is_running() and roots.is_running())
        self.assertEqual(run(str(roots.pid), status=3), refused)

    def test_wrong_input(self):
        for argv in ([], ["--orphans", "--wait", "0"], ["x"], ["0"], ["-5"], ["5@"], ["@5"], ["5@x"], ["5@0"], ["5@6@7"],
                     ["99999999999999999999"], ["1", "--orphans"], ["--session", ""],
                     ["--orphans", "--abandoned"]):
            with self.subTest(argv=argv):
                run = subprocess.run([SOOTH, "kill", *argv], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, check=False)
                self.assertIn(run.returncode, (2, 4), run)


class Refused(Acting):
    def check(self, pid, *words, more=()):
        for force in ((), ("-9",)):
            told = self.kill(*force, *more, pid, status=2)
            self.assertEqual(told[pid]["outcome"], "refused")
            for word in words:
                self.assertIn(word, told[pid]["reason"])

    def test_process_1(self):
        self.check(1, "process 1", more=["--any"])

    def test_ancestors(self):
        self.check(os.getpid(), "started from", more=["--any"])

    def test_itself(self):
        """By a shell that becomes it, because who starts it does not know its number before."""
        run = subprocess.run(["sh", "-c", 'exec "$0" kill -9 -j --any $$', SOOTH], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(run.returncode, 2, run)
        self.assertEqual([row["reason"] for row in results(run).values()], ["sooth itself"])

    def test_no_agents(self):
        other = self.workload("sleep", "--seconds", "60")
        self.check(other.pid, "--any")
        self.assertTrue(other.is_running())
        self.assertEqual(self.kill("--any", other.pid)[other.pid]["outcome"], "ended")

    def test_others_user(self):
        main, tool, _ = self.session("a")
        os.chmod(self.folder, 0o755)
        run = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                              SOOTH, "kill", "-j", "--any", str(tool.pid)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 3, run)
        self.assertEqual(results(run)[tool.pid]["outcome"], "failed")
        self.assert_there(main, tool)


class Sessions(Acting):
    def test_all_of_one(self):
        members, others = self.session("a"), self.session("b")
        told = self.kill("--session", members[0].session_id[:13])
        self.assertLessEqual({member.pid for member in members}, set(told))
        self.assertFalse({member.pid for member in others} & set(told))
        self.assert_gone(*members)
        self.assert_there(*others)

    def test_by_main_process(self):
        members = self.session("a")
        self.kill("-9", "--session", members[0].pid)
        self.assert_gone(*members)

    def test_by_another_process_of_it(self):
        """Only the main process stands for its session: the number of a tool ends nothing."""
        main, tool, server = self.session("a")
        for verb in ("kill", "freeze"):
            run = self.run_sooth(verb, "--session", tool.pid, status=4)
            self.assertIn(b"no process here belongs", run.stderr)
        self.assert_there(main, tool, server)

    def test_an_id_that_begins_with_digits(self):
        main = self.family.main("a", session_id="98765432-0000-4000-8000-000000000001")
        told = self.kill("--dry-run", "--session", "98765432")
        self.assertIn(main.pid, told)

    def test_what_was_made_to_stay(self):
        main, tool, _ = self.session("a")
        log = self.family.write("server.log", "")
        daemon = tool.start("daemon", "session", "twice", **{"in": "null", "out": log, "err": log})
        told = self.kill("--session", main.session_id)
        self.assertNotIn(daemon.pid, told)
        self.assert_there(daemon)

    def test_what_was_made_to_stay_of_one_that_may_be_gone(self):
        """Whose main process is not there any more: from a pid namespace no more is known."""
        main, tool, _ = self.session("a")
        log = self.family.write("server.log", "")
        daemon = tool.start("daemon", "session", "twice", **{"in": "null", "out": log, "err": log})
        main.kill(reaper=self.family.root)
        told = self.kill("--session", main.session_id)
        self.assertEqual(told[tool.pid]["outcome"], "ended", told)
        self.assertNotIn(daemon.pid, told)
        self.assert_there(daemon)

    def test_beginning_of_two(self):
        a = self.family.main("a", session_id="abcd0000-0000-4000-8000-000000000001")
        b = self.family.main("b", session_id="abcd0000-0000-4000-8000-000000000002")
        run = self.run_sooth("kill", "--session", "abcd", status=2)
        self.assertIn(b"several session ids", run.stderr)
        self.assert_there(a, b)


class Leftovers(Acting):
    def leave(self):
        """A tool and a server that outlive their session, what one has started, and a healthy twin."""
        main, tool, server = self.session("a")
        below = tool.start("below", **SILENT)
        main.kill()
        return (tool, below, server), self.session("b")

    def test_orphans(self):
        left, healthy = self.leave()
        told = self.kill("--orphans", "--dry-run")
        self.assertEqual({pid for pid in told}, {member.pid for member in left})
        self.assertIn(b"--yes", self.run_sooth("kill", "--orphans", status=2).stderr)
        self.assert_there(*left)
        self.kill("--orphans", "--yes")
        self.assert_gone(*left)
        self.assert_there(*healthy)
        self.assertEqual(self.kill("--orphans", "--yes"), {})

    def test_what_was_made_to_stay(self):
        """A daemon below an orphan is none, whoever its parent is."""
        main, tool, server = self.session("a")
        log = self.family.write("server.log", "")
        daemon = tool.start("daemon", "session", **{"in": "null", "out": log, "err": log})
        worker = daemon.start("worker", **NOTHING)
        main.kill()
        told = self.kill("--orphans", "--yes")
        self.assertEqual(set(told), {tool.pid, server.pid})
        self.assert_gone(tool, server)
        self.assert_there(daemon, worker)

    def window(self):
        """What a tool call opened, a shell on the terminal of that, and an agent at work there."""
        main, tool, server = self.session("a")
        ours, theirs = pty.openpty()
        name = os.ttyname(theirs)
        for end in (ours, theirs):
            self.addCleanup(os.close, end)
        window = tool.start("window")
        streams = {"in": name, "out": name, "err": name}
        shell = window.start("shell", "session", **streams)
        agent = self.family.main("agent", parent=shell, is_leader=False, **streams)
        call = agent.start("call", "session", **self.family.tool(agent))
        other = main.start("other", "session", **self.family.tool(main))
        main.kill()
        return main, (tool, window), (shell, agent, call), (other, server)

    def test_who_works_in_what_is_left(self):
        main, above, inside, others = self.window()
        told = self.kill("--orphans", "--yes", status=2)
        for member in others:
            self.assertEqual(told[member.pid]["outcome"], "ended", told)
        for member in above:
            self.assertEqual(told[member.pid]["outcome"], "refused", told)
            self.assertIn("no orphan", told[member.pid]["reason"])
        self.assertEqual(set(told), {member.pid for member in others + above})
        self.kill("--session", main.session_id, "-9", status=2)
        self.assert_there(*above, *inside)
        self.kill("-t", "-9", above[1].pid)
        self.assert_gone(above[1], *inside)

    def test_what_cannot_be_decided(self):
        """Of an agent that puts no id into its tools, while an older one is there."""
        main = self.family.main("a", session_id=str(uuid.uuid4()))
        twin = self.family.main("b")
        marks = {"CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli"}
        tool = twin.start("tool", "session", environment=marks, **NOTHING)
        twin.kill()
        run = self.run_sooth("kill", "--orphans", "--yes")
        self.assertIn(b"1 more process is possibly of the selected kind", run.stdout)
        self.assertNotIn(b"no process of the selected kind was found", run.stdout)
        self.assertIn(b"1 possible orphan", self.run_sooth("ps", "-i", "0").stdout)
        self.assert_there(main, tool)

    def test_abandoned(self):
        main, _, server = self.session("a")
        twin = self.session("b")
        main.say("hangup", server.name)
        told = self.kill("--abandoned", "--yes")
        self.assertEqual(set(told), {server.pid})
        self.assert_gone(server)
        self.assert_there(main, *twin)

    def ask(self, before_answer, answer):
        """On a terminal; `before_answer` happens between the look and the answer."""
        ours, theirs = pty.openpty()
        run = subprocess.Popen([SOOTH, "kill", "-j", "-9", "--orphans"], stdin=theirs,
                               stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 4096)
        before_answer()
        os.write(ours, answer)
        out = run.communicate()[0]
        os.close(ours)
        return {row["pid"]: row for row in json.loads(out)["results"]}, shown

    def test_asked_first(self):
        left, healthy = self.leave()
        told, shown = self.ask(lambda: None, b"n\n")
        self.assertIn(str(left[0].pid).encode(), shown)
        self.assertEqual({row["outcome"] for row in told.values()}, {"not done"})
        self.assert_there(*left, *healthy)
        self.ask(lambda: None, b"y\n")
        self.assert_gone(*left)
        self.assert_there(*healthy)

    def test_number_given_to_another_meanwhile(self):
        left, _ = self.leave()
        innocent = []

        def swap():
            left[1].kill()
            left[0].kill()
            wait_until(lambda: not os.path.exists("/proc/%d" % left[0].pid), "its number")
            innocent.append(self.family.root.start("innocent", "pid=%d" % left[0].pid, **SILENT))

        told, _ = self.ask(swap, b"y\n")
        self.assertEqual(innocent[0].pid, left[0].pid)
        self.assertEqual(told[left[0].pid]["outcome"], "was gone")
        self.assert_there(innocent[0])


class Asked(Acting):
    """On a terminal."""

    def talk(self, *argv, answers, before=b""):
        """What is asked, in order, and what is answered; returns the results and what was shown.
        `before` is typed before anything runs."""
        ours, theirs = pty.openpty()
        os.write(ours, before)
        run = subprocess.Popen([SOOTH, *map(str, argv)], stdin=theirs, stdout=subprocess.PIPE,
                               stderr=theirs)
        os.close(theirs)
        shown = b""
        for question, answer in answers:
            while question not in shown:
                shown += os.read(ours, 4096)
            os.write(ours, answer)
        out = run.communicate()[0]
        os.close(ours)
        return {row["pid"]: row["outcome"] for row in json.loads(out)["results"]}, shown

    def test_named_one(self):
        _, tool, _ = self.session("a")
        told, shown = self.talk("kill", "-j", "--ask", tool.pid, answers=[(b"[y/N]", b"\n")])
        self.assertEqual(told, {tool.pid: "not done"})
        self.assertIn(b"%d" % tool.pid, shown)
        self.assert_there(tool)
        for answer in (b"yet\n", b"y n\n"):
            told, _ = self.talk("kill", "-j", "--ask", tool.pid, answers=[(b"[y/N]", answer)])
            self.assertEqual(told, {tool.pid: "not done"}, answer)
        told, _ = self.talk("kill", "-j", "--ask", tool.pid, answers=[(b"[y/N]", b"y\n")])
        self.assertEqual(told, {tool.pid: "ended"})

    def test_typed_before_the_question(self):
        """As by a paste into the screen that runs this: it is no answer."""
        _, tool, _ = self.session("a")
        told, _ = self.talk("kill", "-j", "--ask", tool.pid, answers=[(b"[y/N]", b"\n")],
                            before=b"y\ny\n")
        self.assertEqual(told, {tool.pid: "not done"})
        self.assert_there(tool)

    def test_sigkill_is_offered(self):
        _, tool, _ = self.session("a")
        deaf = tool.start("deaf", "deaf", **SILENT)
        for answer, outcome in ((b"n\n", "still there"), (b"y\n", "ended")):
            told, shown = self.talk("kill", "-j", *ONCE, deaf.pid, answers=[(b"SIGKILL?", answer)])
            self.assertEqual(told, {deaf.pid: outcome})
            self.assertIn(b"waiting for 1", shown)


class Forking(Acting):
    """A tree that grows anew while it is ended."""

    TRIES = 10

    def living(self, root):
        """All of its process session; what the test has not reaped yet has ended."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, IndexError):
                words = harness.read("/proc/%s/stat" % pid).rsplit(b")", 1)[1].split()
                if int(words[3]) == root and words[0] not in (b"Z", b"X"):
                    found.append(int(pid))
        return found

    def check(self, *force):
        root = self.start(harness.WORKLOADS, "respawn", "--seconds", "120", start_new_session=True)
        self.wait_until_ready(root)
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in self.living(root.pid)])
        wait_until(lambda: len(self.living(root.pid)) >= 10, "the tree to grow")
        self.run_sooth("kill", "-t", "--any", *force, root.pid)
        self.assertEqual(self.living(root.pid), [])

    def test_killed(self):
        for _ in range(self.TRIES):
            self.check("-9")

    def test_asked_to_end(self):
        for _ in range(self.TRIES):
            self.check()


class Launched(Acting):
    """A session of an agent of the user's own, whose launcher leads a session without a terminal."""
    AGENT = """
name own-of-this-test
title Our own agent
below own-of-this-test/launch role=launcher
below own-of-this-test/main
marker session OWN_OF_THIS_TEST_ID
"""
    SESSION = "0a1b2c3d-launched"

    def setUp(self):
        super().setUp()
        self.family.write("config/sooth/agents.d/own.agent", self.AGENT, mode=0o644)
        place = unittest.mock.patch.dict(os.environ, XDG_CONFIG_HOME=self.path("config"))
        place.start()
        self.addCleanup(place.stop)

    def session(self, name):
        launcher = self.family.root.start(
            name + "-launcher", "session", **NOTHING,
            program=self.family.copy("own-of-this-test/launch/go"))
        main = launcher.start(name, **NOTHING, program=self.family.copy("own-of-this-test/main/go"))
        tool = main.start(name + "-tool", "session", **NOTHING,
                          environment={"OWN_OF_THIS_TEST_ID": self.SESSION})
        return launcher, main, tool

    def check(self, told, members, outcome):
        """All of it, the launcher first, and by the name that it was given."""
        self.assertEqual(list(told), [member.pid for member in members])
        self.assertEqual([(row["agent"], row["role"], row["outcome"]) for row in told.values()],
                         [("own-of-this-test", role, outcome)
                          for role in ("launcher", "main", "tool")])

    def test_all_of_it(self):
        members = self.session("a")
        for name in (members[1].pid, self.SESSION):
            told = results(self.run_sooth("freeze", "-j", "--session", name))
            self.check(told, members, "frozen")
            self.assertEqual([harness.process_state(m.pid) for m in members], ["T"] * 3)
            told = results(self.run_sooth("thaw", "-j", "--session", name))
            self.check(told, members, "running")
        self.check(self.kill("--session", self.SESSION), members, "ended")
        self.assert_gone(*members)

    def test_by_force(self):
        members = self.session("a")
        self.check(self.kill("-9", "--session", members[1].pid), members, "ended")
        self.assert_gone(*members)


class Frozen(Acting):
    def states(self, *members):
        return [harness.process_state(member.pid) for member in members]

    def test_by_signals(self):
        members, others = self.session("a"), self.session("b")
        run = self.run_sooth("freeze", "-j", "--session", members[0].session_id)
        self.assertEqual({row["outcome"] for row in results(run).values()}, {"frozen"})
        self.assertEqual(self.states(*members), ["T"] * 3)
        self.assertNotIn("T", self.states(*others))
        self.assertIn(b"sooth thaw --session", run.stderr)
        back = run.stderr.decode().splitlines()[-1].split()[1:]
        self.run_sooth(*back)
        self.assertNotIn("T", self.states(*members))

    def assert_told(self, main, others, is_frozen, words=""):
        """Wherever the session is shown."""
        told = json.loads(self.run_sooth("ps", "-j").stdout)
        rows = {row["pid"]: row for row in told["processes"]}
        self.assertEqual(rows[main.pid]["is_frozen"], is_frozen)
        self.assertEqual("FROZEN" in (rows[main.pid]["flags"] or ""), is_frozen)
        self.assertIn(words, rows[main.pid]["frozen_reason"] or "")
        sessions = {row["pid"]: row["flags"] or "" for row in told["sessions"]}
        self.assertEqual("FROZEN" in sessions[main.pid], is_frozen)
        for other in others:
            self.assertFalse(rows[other.pid]["is_frozen"])
            self.assertNotIn("FROZEN", sessions[other.pid])
        status = json.loads(self.run_sooth("status", "-j").stdout)
        self.assertEqual({row["pid"]: row["is_frozen"] for row in status["processes"]}[main.pid],
                         is_frozen)
        seen = json.loads(self.run_sooth("inspect", "-j", main.pid).stdout)["process"]["frozen"]
        self.assertEqual(bool(seen), is_frozen)
        text = self.run_sooth("inspect", main.pid).stdout.decode()
        self.assertEqual("frozen" in text, is_frozen, text)

    def test_told_everywhere(self):
        (main, tool, _), (twin, *_) = self.session("a"), self.session("b")
        self.assert_told(main, [twin], False)
        self.run_sooth("freeze", "--session", main.session_id)
        self.assert_told(main, [twin], True, "stopped by a signal")
        self.run_sooth("thaw", "--session", main.session_id)
        self.assert_told(main, [twin], False)
        # A tool alone has a row of its own then.
        self.run_sooth("freeze", tool.pid)
        rows = {row["pid"]: row for row in
                json.loads(self.run_sooth("ps", "-j").stdout)["processes"]}
        self.assertTrue(rows[tool.pid]["is_frozen"])
        self.assertFalse(rows[main.pid]["is_frozen"])
        self.run_sooth("thaw", tool.pid)

    def test_ended_while_frozen(self):
        """Who stands still is woken to hear that it is to end."""
        for how in ([], ["-9"]):
            members = self.session("a%d" % len(how))
            self.run_sooth("freeze", "--session", members[0].session_id)
            self.kill(*how, "--session", members[0].session_id)
            self.assert_gone(*members)
        _, tool, _ = self.session("b")
        self.run_sooth("freeze", tool.pid)
        self.assertEqual(self.kill(tool.pid)[tool.pid]["outcome"], "ended")

    def start_script(self, script, *argv):
        child = subprocess.Popen([sys.executable, "-c", script, *argv], stdout=subprocess.PIPE)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return int(child.stdout.readline())

    def test_continued_by_its_parent(self):
        """As a pane of tmux: what runs again is not called frozen."""
        pid = self.start_script(
            "import os, signal\n"
            "child = os.fork()\n"
            "while not child: signal.pause()\n"
            "print(child, flush=True)\n"
            "while os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]): os.kill(child, signal.SIGCONT)\n")
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        run = self.run_sooth("freeze", "-j", "--any", pid, status=1)
        self.assertEqual(results(run)[pid]["outcome"], "not done")
        self.assertIn("another process continues it", results(run)[pid]["reason"])
        self.assertNotIn(b"to resume", run.stderr)

    def test_below_one_that_is_continued(self):
        """What stays stopped is resumed by the command that is printed."""
        pid = self.start_script(
            "import os, signal\n"
            "child = os.fork()\n"
            "below = 0 if child else os.fork()\n"
            "while not child: signal.pause()\n"
            "print(child, flush=True)\n"
            "while os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]): os.kill(child, signal.SIGCONT)\n")
        children = "/proc/%d/task/%d/children" % (pid, pid)
        below = int(harness.wait_until(lambda: harness.read(children), "the process below it"))
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.addCleanup(os.kill, below, signal.SIGKILL)
        run = self.run_sooth("freeze", "-j", "-t", "--any", pid, status=1)
        self.assertEqual([results(run)[p]["outcome"] for p in (pid, below)], ["not done", "frozen"])
        self.assertIn(b"\n  sooth thaw -t --any %d\n" % pid, run.stderr)
        self.run_sooth("thaw", "-j", "-t", "--any", pid)
        self.assertNotEqual(harness.process_state(below), "T")

    def test_of_a_user_that_forks(self):
        """Children that are started between the scan and the stop are stopped, too."""
        flag = self.path("go")
        open(flag, "w", encoding="ascii").close()
        self.open_to_all()
        self.start_script("import os, sys, time\nos.setuid(int(sys.argv[2]))\n"
                          "print(1, flush=True)\n"
                          "for i in range(300):\n    if not os.fork(): break\n    time.sleep(.005)\n"
                          "while os.path.exists(sys.argv[1]): time.sleep(.2)\n",
                          flag, str(harness.NOBODY))
        self.addCleanup(subprocess.run, [SOOTH, "thaw", "--any", "-u", str(harness.NOBODY)],
                        stdout=subprocess.DEVNULL, check=True)
        self.addCleanup(os.unlink, flag)
        self.run_sooth("freeze", "-j", "--any", "-u", harness.NOBODY)
        states = set()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.stat("/proc/" + pid).st_uid == harness.NOBODY:
                    states.add(harness.process_state(int(pid)))
            except FileNotFoundError: # another one that has ended
                pass
        self.assertEqual(states - {None}, {"T"})

    def test_refused(self):
        for pid in (1, os.getpid()):
            run = self.run_sooth("freeze", "-j", "--any", pid, status=2)
            self.assertEqual(results(run)[pid]["outcome"], "refused")
        self.assertNotEqual(harness.process_state(os.getpid()), "T")

    def group(self, hierarchy):
        path = os.path.join(hierarchy, "sooth-test-%d" % os.getpid())
        try:
            os.mkdir(path)
        except OSError as error:
            self.skipTest("no control groups to freeze here: %s" % error)
        self.addCleanup(os.rmdir, path)
        return path

    def check_group(self, hierarchy, told, word, thawed):
        """By the group when all of it is theirs, else not."""
        path = self.group(hierarchy)
        members = self.session("a")
        stranger = self.workload("sleep", "--seconds", "60")

        def move(*pids):
            for pid in pids:
                with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write(str(pid))

        def leave():
            with open(os.path.join(path, told[0]), "w", encoding="ascii") as file:
                file.write(told[1])
            for pid in [member.pid for member in members] + [stranger.pid]:
                with open(os.path.join(hierarchy, "cgroup.procs"), "w", encoding="ascii") as file:
                    try:
                        file.write(str(pid))
                        file.flush()
                    except OSError:
                        pass
        move(*(member.pid for member in members), stranger.pid)
        self.addCleanup(leave)
        session = members[0].session_id
        run = self.run_sooth("freeze", "--session", session)
        self.assertIn(b"by signals: the control group also contains other processes", run.stderr)
        self.run_sooth("thaw", "--session", session)
        with open(os.path.join(hierarchy, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(stranger.pid))
        run = self.run_sooth("freeze", "--session", session)
        self.assertIn(b"by the control group", run.stderr)
        with open(os.path.join(path, word[0]), encoding="ascii") as file:
            self.assertIn(word[1], file.read())
        self.assertTrue(stranger.is_running())
        self.assert_told(members[0], [], True, "the control group of the process is frozen")
        self.run_sooth("thaw", "--session", session)
        self.assert_told(members[0], [], False)
        with open(os.path.join(path, word[0]), encoding="ascii") as file:
            self.assertIn(thawed, file.read())

    def test_by_a_group_of_version_1(self):
        if not os.path.isdir("/sys/fs/cgroup/freezer"):
            self.skipTest("the freezer of version 1 is not mounted here")
        self.check_group("/sys/fs/cgroup/freezer", ("freezer.state", "THAWED"),
                         ("freezer.state", "FROZEN"), "THAWED")

    def test_by_a_group_of_version_2(self):
        point = self.path("v2")
        os.mkdir(point)
        if subprocess.run(["mount", "-t", "cgroup2", "none", point], check=False,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("version 2 cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", point], check=False)
        self.check_group(point, ("cgroup.freeze", "0"), ("cgroup.events", "frozen 1"), "frozen 0")


if __name__ == "__main__":
    if os.geteuid():
        raise SystemExit(harness.SKIP)
    if not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        # Process 1 is a shell that reaps whom nobody else does, and no ancestor that is tested.
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh",
                              "-c", '"$@" & wait $!', "sh", sys.executable, *sys.argv])
    harness.main()
