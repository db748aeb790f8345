# SPDX-License-Identifier: BSD-2-Clause
"""
Whose session is gone: orphans, what was left on purpose, and their healthy twins.
"""
import fcntl
import os
import shutil
import subprocess
import sys
import termios

import harness
from family import NULL, VERSION, VERSIONS, processes
from harness import Case, needs_root, wait_until
from leftovers_case import Leftovers, flags, listed

SILENT = {"in": "closed", "out": "closed", "err": "closed"}
STARTER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from family import Family
with Family(sys.argv[2]) as family:
    main = family.main()
    tool = main.start("tool", "session", **family.tool(main))
    left = tool.start("left", "session", "twice")
    main.kill(reaper=family.root)
    print(tool.pid, left.pid, family.root.pid, flush=True)
    time.sleep(100)
"""
SILENT = {"in": "closed", "out": "closed", "err": "closed"}


class Guard(Case):
    def test_who_starts_is_killed(self):
        """Then its family ends, also what had lost its parents before."""
        starter = self.start(sys.executable, "-c", STARTER, os.path.dirname(os.path.abspath(__file__)),
                             self.folder)
        starter.wait_for_output(b"\n")
        pids = [int(word) for word in bytes(starter.out).split()]
        self.assertEqual(len(pids), 3)
        harness.wait_until_asleep(*pids)
        starter.end()
        wait_until(lambda: not any(map(processes.is_alive, pids)), "all to end")


class Orphans(Leftovers):
    def check(self, reaper, expected_parent):
        """The tool of a main process that is killed; its twin's lives. Then that of the twin, whose
        shell has ended before, so that it has no parent in its session already now."""
        main, twin = (self.family.main(name, parent=reaper) for name in ("main", "twin"))
        tool, healthy = self.tool_of(main), self.tool_of(twin, "healthy")
        left = self.below(healthy, "left", "twice")
        members = (main, twin, tool, healthy, left)
        self.assert_sound(*members)
        for row in self.rows(tool, healthy, left).values():
            self.assertEqual(row["session_pid"], (main if row["pid"] == tool.pid else twin).pid, row)
        main.kill(reaper=reaper)
        self.assertEqual(tool.parent(), expected_parent)
        row = self.assert_orphaned(tool, main)
        self.assertIn(str(expected_parent), row["orphaned_reason"])
        self.assert_sound(twin, healthy, left)
        self.assertIn(tool.pid, listed(), "an orphan is shown unasked")
        self.assertNotIn(left.pid, listed(), "what is sound is not")
        healthy.kill(reaper=twin)
        self.assertEqual(left.parent(), expected_parent)
        self.assert_sound(left)
        self.assertEqual(self.row(left)["session_pid"], twin.pid)
        twin.kill(reaper=reaper)
        self.assert_orphaned(left, twin)

    def test_under_init(self):
        """Or whoever is the reaper of this test."""
        probe = self.family.root.start("probe", "twice", **NULL)
        self.check(self.family.root, probe.parent())

    def test_under_another_reaper(self):
        reaper = self.family.root.start("reaper", "session", **NULL)
        reaper.say("adopt")
        self.check(reaper, reaper.pid)

    @needs_root
    def test_under_init_of_a_container(self):
        first = self.family.root.start("first", "session", "pidns", **NULL)
        self.check(first, first.pid)

    def test_never_reaped(self):
        """The main process has ended, its parent does not ask how: it is no owner any more."""
        main = self.family.main()
        tool = self.tool_of(main)
        main.kill()
        self.assertEqual(harness.process_state(main.pid), "Z")
        self.assert_orphaned(tool, main)

    @needs_root
    def test_pid_given_anew(self):
        """Neither does the innocent own what is left, nor what that starts later."""
        main = self.family.main()
        tool = self.tool_of(main)
        main.kill(reaper=self.family.root)
        innocent = self.family.root.start("innocent", "session", pid=main.pid, **NULL)
        self.assertEqual(innocent.pid, main.pid)
        worker = self.below(tool, "worker")
        self.assert_orphaned(tool, main)
        self.assert_orphaned(worker, main)
        row = self.row(innocent)
        self.assertEqual((row["agent"], row["role"], flags(row)), (None, None, set()), row)
        self.assertIsNot(row["is_orphaned"], True)
        # The same number once more, now an agent's again.
        innocent.kill(reaper=self.family.root)
        again = self.family.main("again", pid=main.pid)
        self.assertEqual(again.pid, main.pid)
        self.assert_orphaned(tool, main)
        self.assert_sound(again)

    def test_resumed(self):
        """Another process goes on with the session: it knows nothing of what is left."""
        main = self.family.main()
        tool = self.tool_of(main)
        main.kill(reaper=self.family.root)
        resumed = self.family.main("resumed", session_id=main.session_id)
        later = self.tool_of(resumed, "later")
        self.assertIs(self.row(tool)["is_orphaned"], True)
        self.assert_sound(resumed, later)

    def test_session_changed(self):
        """The same process has another session now (/clear): what it started before is its still."""
        main = self.family.main()
        tool, server = self.tool_of(main), main.start("mcp", **self.family.server(main))
        left = self.below(tool, "left", "twice")
        tool.kill(reaper=main)
        main.session_id = "00000000-0000-4000-8000-000000000000"
        self.family.tell_session(main)
        self.assert_sound(main, server, left)

    def test_nested(self):
        """An agent that a tool call of another started is killed: its own tool is left."""
        outer = self.family.main("outer")
        call = self.tool_of(outer, "call")
        inner = self.family.main("inner", parent=call)
        tool = self.tool_of(inner)
        self.assertEqual(self.row(tool)["session_pid"], inner.pid)
        self.assertEqual(self.row(inner)["session_pid"], inner.pid)
        inner.kill(reaper=call)
        self.assert_orphaned(tool, inner)
        self.assert_sound(outer, call)

    def test_without_markers_of_the_process(self):
        """As 2.1.112, which says only that it is an agent's. With an older one alive that may have
        had it, nothing is claimed; once that is gone too, it is known."""
        main, other = self.family.main("main"), self.family.main("other")
        tool = self.tool_of(main, environment={"CLAUDECODE": "1"})
        self.assert_sound(tool)
        main.kill(reaper=self.family.root)
        row = self.row(tool)
        self.assertIsNone(row["is_orphaned"], row)
        # Which one is named: of this machine the oldest.
        self.assertIn("could have started", row["orphaned_reason"], row)
        self.assertEqual(row["session_id"], main.session_id, "by where its output goes")
        self.assertTrue(other.is_there())

    def test_owner_not_recognised(self):
        """It is there, whatever it is: a wrapper, a version that nobody has seen yet."""
        owner = self.family.root.start("owner", "session", **NULL)
        owner.session_id = "00000000-0000-4000-8000-000000000001"
        tool = self.tool_of(owner)
        left = self.below(tool, "left", "twice")
        self.assert_sound(tool, left)
        tool.kill(reaper=owner)
        self.assert_sound(left)
        owner.kill(reaper=self.family.root)
        self.assertIs(self.row(left)["is_orphaned"], True)

    def test_terminal(self):
        """A shell with the marks of a session that is gone, at work on a terminal: as in a
        multiplexer that an agent started once. Not what an agent left."""
        main = self.family.main()
        leader, follower = os.openpty()
        self.addCleanup(os.close, leader)
        name = os.ttyname(follower)
        self.addCleanup(os.close, follower)
        streams = {"in": name, "out": name, "err": name}
        shell = main.start("shell", "session", "twice", environment=self.family.marks(
            main, CLAUDE_PID="{pid}"), **streams)
        agent = self.family.main("agent", parent=shell, is_leader=False, **streams)
        main.kill(reaper=self.family.root)
        self.assert_sound(shell, agent)
        for row in self.rows(shell, agent).values():
            self.assertEqual("/dev/" + row["terminal"], name, row)


class OnPurpose(Leftovers):
    """Left by a session that is gone, but made to stay."""

    def left(self, *starts):
        """What these start, once their tool call and then their session have ended."""
        main = self.family.main()
        tool = self.tool_of(main)
        found = [start(tool) for start in starts]
        self.assert_sound(*found)
        tool.kill(reaper=main)
        self.assert_sound(*found)
        main.kill(reaper=self.family.root)
        return main, found

    def log(self, name="server.log"):
        return self.family.write("project/" + name, "")

    def test_daemons(self):
        _, found = self.left(
            lambda tool: self.below(tool, "null", "session", "twice", **NULL),
            lambda tool: self.below(tool, "closed", "session", "twice", **SILENT),
            lambda tool: self.below(tool, "log", "session", "twice",
                                    **{"in": "null", "out": self.log(), "err": self.log()}),
            lambda tool: self.below(tool, "nohup", "hup", "twice",
                                    **{"in": "null", "out": self.log(), "err": self.log()}))
        self.assert_on_purpose(*found)

    def test_daemon_that_kept_its_errors(self):
        """As the master of ssh's shared connections: standard error still leads to the agent."""
        output = self.family.write("tmp/claude/any/tasks/b7.output", "")
        _, found = self.left(lambda tool: self.below(tool, "kept", "session", "twice",
                                                     **dict(NULL, err=output)))
        self.assert_on_purpose(*found)

    def test_what_a_daemon_started(self):
        _, (daemon,) = self.left(lambda tool: self.below(tool, "null", "session", "twice", **NULL))
        worker = self.below(daemon, "worker", **{"in": "pipe", "out": "pipe"})
        self.assert_on_purpose(daemon)
        self.assert_sound(worker)

    def test_accidents(self):
        """Their twins: in the background, in the session of the tool or with its streams."""
        main, found = self.left(
            lambda tool: self.below(tool, "background", "twice"),
            lambda tool: self.below(tool, "piped", "twice", **{"in": "null", "out": "pipe"}))
        for member in found:
            self.assert_orphaned(member, main)

    def test_multiplexer(self):
        """A real one: its server and a program in it."""
        if not shutil.which("tmux"):
            self.skipTest("no tmux")
        main = self.family.main()
        tmux = ["tmux", "-S", self.path("tmux"), "-f", "/dev/null"]
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8",
                       **self.family.marks(main, CLAUDE_PID=str(main.pid)), "TERM": "xterm"}
        subprocess.run([*tmux, "new-session", "-d", self.family.program, "member", "--socket",
            self.path("socket"), "--name", "pane"], env=environment, check=True,
            stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(subprocess.run, [*tmux, "kill-server"], env=environment,
                        stderr=subprocess.DEVNULL)
        pane = self.family.arrival("pane")
        main.kill(reaper=self.family.root)
        self.assert_sound(pane)
        server = listed(pane.parent())[pane.parent()]
        self.assertIsNot(server["is_orphaned"], True, server)


class Multiplexers(Leftovers):
    """An agent in tmux or screen, whose terminal goes away: that is what they are for."""

    def inside(self, command, **environment):
        """The agent that a multiplexer starts in a terminal of ours, our side of that, and who
        shows it there."""
        ours, theirs = os.openpty()
        program = self.family.copy("%s/%s" % (VERSIONS, VERSION))
        client = subprocess.Popen([*command, program, "member", "--socket", self.path("socket"),
            "--name", "agent"], env={"PATH": os.environ["PATH"], "HOME": self.folder,
            "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}, stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        os.close(theirs)
        agent = self.family.arrival("agent")
        agent.session_id = "00000000-0000-4000-8000-000000000002"
        self.family.tell_session(agent)
        return agent, ours, client

    def check(self, command, **environment):
        agent, ours, client = self.inside(command, **environment)
        tool = self.tool_of(agent)
        self.assertTrue(self.row(agent)["terminal"], self.row(agent))
        self.assert_sound(agent, tool)
        os.close(ours)
        client.wait(harness.PATIENCE_S)
        self.assertTrue(agent.is_there())
        self.assert_sound(agent, tool)
        row = self.row(agent)
        self.assertEqual((row["role"], row["session_reason"]), ("main", "self"), row)
        for pid in (agent.pid, agent.parent()):
            self.assertIsNot(listed(pid)[pid]["is_orphaned"], True, listed(pid)[pid])
        # What it left is left all the same.
        agent.kill()
        self.assert_orphaned(tool, agent)

    def tmux(self, **environment):
        if not shutil.which("tmux"):
            self.skipTest("no tmux")
        tmux = ["tmux", "-S", self.path("tmux"), "-f", "/dev/null"]
        self.addCleanup(subprocess.run, [*tmux, "kill-server"], stderr=subprocess.DEVNULL,
                        env={"PATH": os.environ["PATH"]})
        self.check([*tmux, "set-option", "-g", "remain-on-exit", "on", ";", "new-session"],
                   **environment)

    def screen(self, **environment):
        if not shutil.which("screen"):
            self.skipTest("no screen")
        os.mkdir(self.path("screens"), 0o700)
        environment["SCREENDIR"] = self.path("screens")
        self.addCleanup(subprocess.run, ["screen", "-S", "sooth", "-X", "quit"],
                        stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], **environment})
        self.check(["screen", "-c", "/dev/null", "-S", "sooth"], **environment)

    def marks_of_a_gone_one(self):
        main = self.family.main()
        marks = self.family.marks(main, CLAUDE_PID=str(main.pid))
        main.kill(reaper=self.family.root)
        return marks

    def test_tmux(self):
        self.tmux()

    def test_screen(self):
        self.screen()

    def test_tmux_that_an_agent_started_once(self):
        self.tmux(**self.marks_of_a_gone_one())

    def test_screen_that_an_agent_started_once(self):
        self.screen(**self.marks_of_a_gone_one())


if __name__ == "__main__":
    harness.main()
