# SPDX-License-Identifier: BSD-2-Clause
"""
What another user than the super-user is told of leftovers: the same of what is theirs, and that it
is not known where the owner may be hidden.
"""
import shutil

import harness
from family import NULL
from harness import NOBODY, SOOTH, needs_root
from leftovers_case import Leftovers, flags, listed


@needs_root
class Users(Leftovers):
    """What another user than the super-user is told."""

    def setUp(self):
        super().setUp()
        self.sooth_copy = self.copy_for_all(SOOTH)
        self.shell = self.family.root.start("shell", "session", uid=NOBODY, **NULL)
        self.nobody = {"sooth": self.sooth_copy, "before": [
            "setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]}
        if not shutil.which("setpriv"):
            self.skipTest("no setpriv")

    def test_own_processes(self):
        """The same verdicts."""
        main, twin = (self.family.main(name, parent=self.shell) for name in ("main", "twin"))
        tool, healthy = self.tool_of(main), self.tool_of(twin, "healthy")
        server = main.start("mcp", **self.family.server(main))
        talked_to = twin.start("talked", **self.family.server(twin))
        self.assert_sound(main, tool, server, twin, healthy, talked_to, **self.nobody)
        server_row = self.row(server, **self.nobody)
        self.assertEqual(server_row["role"], "mcp", server_row)
        main.kill(reaper=self.shell)
        self.assert_orphaned(tool, main, **self.nobody)
        self.assertIs(self.row(server, **self.nobody)["is_abandoned"], True)
        self.assert_sound(twin, healthy, talked_to, **self.nobody)

    def hidden(self):
        """In a mount namespace of its own, where /proc shows only one's own processes."""
        return dict(self.nobody, before=["unshare", "--mount", "--propagation", "private", "sh",
            "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh",
            *self.nobody["before"]])

    def test_hidden_owner(self):
        """The main process is another user's and cannot be seen: that it is gone is not said."""
        main = self.family.main()
        tool = self.tool_of(main, uid=NOBODY)
        how = self.hidden()
        rows = listed("-a", **how)
        if main.pid in rows:
            self.skipTest("hidepid does not hide here")
        row = self.row(tool, **how)
        self.assertIsNone(row["is_orphaned"], row)
        self.assertTrue(row["orphaned_reason"], row)
        self.assertEqual(flags(row), set(), row)

    def test_hidden_others(self):
        """One's own session is judged as ever."""
        main = self.family.main(parent=self.shell)
        tool = self.tool_of(main)
        self.assert_sound(main, tool, **self.hidden())
        self.assertEqual(self.row(tool, **self.hidden())["session_pid"], main.pid)

    def test_another_user_of_the_session(self):
        """A tool that became another user (su, sudo) is not left as long as its session is there."""
        main = self.family.main(parent=None)
        tool = self.tool_of(main)
        left = self.below(tool, "left", "twice", uid=NOBODY)
        tool.kill(reaper=main)
        self.assert_sound(left)
        marked = self.below(main, "marked", "session", "twice", uid=NOBODY, environment={
            "CLAUDECODE": "1"}, **NULL)
        self.assert_sound(marked)


if __name__ == "__main__":
    harness.main()
