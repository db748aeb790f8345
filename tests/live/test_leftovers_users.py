# SPDX-License-Identifier: BSD-2-Clause
"""
What another user than the super-user is told of leftovers: the same of what is theirs, and that it
is not known where the owner may be hidden.
"""
import json
import re
import shutil
import subprocess
import uuid

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

    def test_hidden_is_told(self):
        """That nobody is in the list is not that nobody is there."""
        how = self.hidden()
        run = subprocess.run([*how["before"], how["sooth"], "ps", "-u", "64022"], check=True,
                             stdout=subprocess.PIPE)
        self.assertIn(b"no agents of this user were found among the readable processes", run.stdout)
        self.assertIn(b"not measured: other users' processes: /proc is mounted with hidepid, which hides other users' processes",
                      run.stdout)

    def test_hidden_others(self):
        """One's own session is judged as ever."""
        main = self.family.main(parent=self.shell)
        tool = self.tool_of(main)
        self.assert_sound(main, tool, **self.hidden())
        self.assertEqual(self.row(tool, **self.hidden())["session_pid"], main.pid)

    def report(self, command, *arguments):
        run = subprocess.run([*self.nobody["before"], self.nobody["sooth"], command, "-j",
            *map(str, arguments)], check=True, stdout=subprocess.PIPE)
        return json.loads(run.stdout)

    def called_so(self):
        """A main process that is known without a look at its executable."""
        main = self.family.root.start("theirs", "session", **dict(NULL,
            program=self.family.copy("bin/claude")))
        main.session_id = str(uuid.uuid4())
        self.family.tell_session(main)
        return main

    def test_who_may_not_be_read(self):
        """What another user's session left is not known, and so it is said: never that there is none."""
        main = self.family.main()
        tool = self.tool_of(main)
        main.kill(reaper=self.family.root)
        self.assert_orphaned(tool, main)
        row = self.row(tool, **self.nobody)
        self.assertEqual(row["flags"], None, row)
        for name in ("flags", "is_orphaned", "is_abandoned"):
            self.assertEqual(row["not_measured"][name], "permission denied", row)
        report = self.report("ps", "-i", "10ms")
        self.assertNotIn(tool.pid, [row["pid"] for row in report["processes"]])
        self.assertTrue(any(re.match("[0-9]+ unreadable process", limit["what"])
                            for limit in report["limits"]), report["limits"])
        for kind in ("--orphans", "--abandoned"):
            report = self.report("kill", kind, "--dry-run")
            self.assertNotIn(tool.pid, [row["pid"] for row in report["results"]])
            self.assertTrue(any(re.match("[0-9]+ more process(es are| is) possibly ", limit["what"])
                                for limit in report["limits"]), report["limits"])

    def test_roles_that_may_not_be_read(self):
        """A server and a helper differ by their streams; one's own are told as by the super-user."""
        def session(main):
            return [row for row in self.report("ps", "-t", "-i", "10ms")["sessions"]
                    if row["pid"] == main.pid][0]

        theirs, own = self.called_so(), self.family.main("own", parent=self.shell)
        servers = [main.start(name, **self.family.server(main))
                   for main, name in ((theirs, "server"), (own, "talked"))]
        self.assertEqual([self.row(server)["role"] for server in servers], ["mcp", "mcp"])
        rows = [self.row(server, **self.nobody) for server in servers]
        self.assertIsNone(rows[0]["role"], rows[0])
        self.assertEqual(rows[0]["not_measured"]["role"], "permission denied", rows[0])
        self.assertEqual(rows[1]["role"], "mcp", rows[1])
        self.assertIsNone(session(theirs)["mcp_servers"], session(theirs))
        self.assertEqual(session(theirs)["not_measured"].get("flags"), "permission denied")
        self.assertEqual(session(own)["mcp_servers"], 1, session(own))

    def test_connections_that_may_not_be_read(self):
        main = self.called_so()
        self.assertIn(("connections of process %d" % main.pid, "permission denied"),
            [(limit["what"], limit["reason"])
             for limit in self.report("status", "-i", "10ms")["limits"]])
        run = subprocess.run([*self.nobody["before"], self.nobody["sooth"], "status", "-i", "10ms"],
            check=True, stdout=subprocess.PIPE)
        self.assertNotIn(b"no network connections", run.stdout)

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
