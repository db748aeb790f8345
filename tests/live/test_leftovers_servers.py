# SPDX-License-Identifier: BSD-2-Clause
"""
MCP servers that nobody can talk to, older generations of one, zombies, old and replaced programs;
and their healthy twins.
"""
import os
import shutil

import harness
from family import NULL, VERSION, VERSIONS, processes
from harness import wait_until
from leftovers_case import Leftovers, flags, listed

NEWER = "9.9.10"


def descriptors_refused():
    """Processes that keep their descriptors to themselves, root or not: the first one in some
    containers. Whoever may hold an end there is not known."""
    refused = []
    for pid in processes.all_pids():
        try:
            for name in os.listdir("/proc/%d/fd" % pid):
                os.readlink("/proc/%d/fd/%s" % (pid, name))
        except PermissionError:
            refused.append(pid)
        except OSError:
            pass  # it has ended, or closed that one
    return refused


class Servers(Leftovers):
    """MCP servers: whether anybody can still talk to them."""

    def server_of(self, main, name="mcp", *flags_, **words):
        return main.start(name, *flags_, **self.family.server(main, **words))

    def assert_abandoned(self, *members):
        for row in self.rows(*members).values():
            self.assertIs(row["is_abandoned"], True, row)
            self.assertIn("ABANDONED", flags(row), row)
            self.assertIn("input", row["abandoned_reason"], row)

    def assert_not_judged(self, member):
        row = self.row(member)
        self.assertIsNone(row["is_abandoned"], row)
        self.assertTrue(row["abandoned_reason"], row)

    def test_left(self):
        """One that ends with its input, one that does not, and their twins."""
        main, twin = self.family.main("main"), self.family.main("twin")
        good = self.server_of(main, "good", "eof")
        bad, piped = self.server_of(main), self.server_of(main, "piped", **{"in": "pipe"})
        healthy = self.server_of(twin, "healthy")
        self.assert_sound(good, bad, piped, healthy)
        row = self.row(bad)
        self.assertEqual((row["role"], row["role_name"], row["session_pid"]),
                         ("mcp", "mcp-server-files", main.pid), row)
        main.kill(reaper=self.family.root)
        wait_until(lambda: not good.is_there(), "the server to end with its input")
        self.assert_abandoned(bad, piped)
        self.assert_sound(healthy)
        self.assertIn(bad.pid, listed())
        self.assertNotIn(healthy.pid, listed())

    def test_under_a_living_agent(self):
        """Which closed the connection; whoever the parent is plays no part."""
        main = self.family.main()
        bad, healthy = self.server_of(main), self.server_of(main, "healthy")
        main.say("hangup", "mcp")
        self.assert_abandoned(bad)
        self.assert_sound(healthy)

    def test_own_end(self):
        """The write end that keeps the input open is its own copy."""
        main, twin = self.family.main("main"), self.family.main("twin")
        own = self.server_of(main, "own", **{"in": "pipe", "out": "pipe", "holds": "own"})
        healthy = self.server_of(twin, "healthy", **{"in": "pipe", "out": "pipe",
                                                     "holds": "healthy"})
        self.assert_sound(own, healthy)
        main.kill(reaper=self.family.root)
        if descriptors_refused():
            self.assert_not_judged(own)
        else:
            self.assert_abandoned(own)
        self.assert_sound(healthy)

    def test_end_of_another(self):
        """It is a copy of another server's, which is left as well. That this is nobody who talks
        may be too much to know, but then it is not called sound."""
        main = self.family.main()
        first = self.server_of(main, "first", **{"in": "pipe", "out": "pipe"})
        second = self.server_of(main, "second", **{"holds": "first"})
        self.assert_sound(first, second)
        main.kill(reaper=self.family.root)
        self.assert_abandoned(second)
        self.assertIsNot(self.row(first)["is_abandoned"], False, self.row(first))

    def test_wrapped(self):
        """As by npx: a program that starts the server and hands its input on, or lets it inherit."""
        main = self.family.main()
        wrapper = self.server_of(main, "wrapper")
        inner = wrapper.start("inner", program=self.family.copy("bin/mcp-server-inner"))
        relayed = wrapper.start("relayed", program=self.family.copy("bin/mcp-server-relayed"),
                                **{"in": "pipe", "out": "pipe"})
        self.assert_sound(wrapper, inner, relayed)
        main.kill(reaper=self.family.root)
        self.assert_abandoned(wrapper)
        for row in self.rows(inner, relayed).values():
            self.assertTrue(flags(row) & {"ORPHANED", "ABANDONED"}, row)

    def test_not_a_server(self):
        """A hook and a status line get their input and its end; they are nobody's server."""
        main = self.family.main()
        marks = self.family.marks(main, CLAUDE_PID="{pid}", CLAUDE_PROJECT_DIR=self.folder,
                                  CLAUDE_CODE_CHILD_SESSION="1")
        streams = {"in": "socket", "out": "socket", "err": "socket"}
        hook = main.start("hook", "session", environment=dict(
            marks, CLAUDE_CODE_CHILD_NOTES_DIR=self.folder), **streams)
        line = main.start("line", "session", environment=marks, **streams)
        listener = self.tool_of(main, "listener", **{"in": "pipe", "out": "pipe"})
        for name in ("hook", "line", "listener"):
            main.say("hangup", name)
        for row in self.rows(hook, line, listener).values():
            self.assertIsNot(row["is_abandoned"], True, row)
            self.assertNotEqual(row["role"], "mcp", row)

    def test_generations(self):
        """The same server for the same project once more; two sessions with one each are sound."""
        old, first, second = (self.family.main(name) for name in ("old", "first", "second"))
        servers = [self.server_of(main) for main in (old, first, second)]
        other = self.server_of(second, "other", **{
            "program": self.family.copy("bin/mcp-server-other")})
        self.assert_sound(*servers, other)
        old.kill(reaper=self.family.root)
        row = self.row(servers[0])
        self.assertIn("OLD-GENERATION", flags(row), row)
        self.assertEqual(row["generation"], 1, row)
        self.assertGreater(row["generations"], 1, row)
        self.assert_sound(*servers[1:], other)


class Others(Leftovers):
    def test_zombies(self):
        """One that is not requested, and its twin that was."""
        main = self.family.main()
        tool = self.tool_of(main)
        sick, healthy = self.below(tool, "sick"), self.below(tool, "healthy")
        self.assertIsNot(self.row(sick)["is_zombie"], True)
        sick.kill()
        row = self.row(sick)
        self.assertEqual((row["state"], row["is_zombie"]), ("Z", True), row)
        self.assertIn("ZOMBIE", flags(row), row)
        self.assertEqual(row["ppid"], tool.pid)
        self.assertIn(sick.pid, listed())
        tool.say("reap")
        healthy.kill(reaper=tool)
        self.assertNotIn(healthy.pid, listed("-a"))
        self.assert_sound(main, tool)

    def test_versions(self):
        """Ten comes behind nine; HOME of the processes names where else versions may be."""
        old = self.family.main("old")
        program = self.family.copy("%s/%s" % (VERSIONS, NEWER))
        new = self.family.root.start("new", "session", program=program, **NULL)
        rows = self.rows(old, new)
        self.assertEqual([rows[m.pid]["version"] for m in (old, new)], [VERSION, NEWER])
        self.assertIs(rows[old.pid]["is_outdated"], True, rows[old.pid])
        self.assertEqual(rows[old.pid]["newest_version"], NEWER)
        self.assertIs(rows[new.pid]["is_outdated"], False, rows[new.pid])
        self.assertEqual(rows[new.pid]["newest_version"], NEWER)
        self.assertEqual([flags(rows[m.pid]) for m in (old, new)], [{"OUTDATED"}, set()])

    def test_deleted(self):
        """Removed, replaced, removed where it ran, and one whose name only looks like it."""
        found, deleted = {}, ("removed", "replaced", "linked")
        for what in (*deleted, "named (deleted)", "sound"):
            program = self.family.copy("%s/%s/claude" % (VERSIONS, what.replace(" ", "-")))
            if " " in what:
                os.rename(program, program + " (deleted)")
                os.symlink("claude (deleted)", program)
            found[what] = self.family.root.start(what.split()[0], "session", program=program,
                                                 **NULL)
            if what == "linked":  # as into the store of a package manager
                os.link(program, program + ".store")
            if what in ("removed", "linked"):
                os.unlink(program)
            elif what == "replaced":
                os.rename(shutil.copy(program, program + ".new"), program)
        for what, member in found.items():
            row = self.row(member)
            self.assertIs(row["is_deleted"], what in deleted, row)
            self.assertEqual(row["agent"], "claude", row)


if __name__ == "__main__":
    harness.main()
