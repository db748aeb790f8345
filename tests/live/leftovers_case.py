# SPDX-License-Identifier: BSD-2-Clause
"""
What the tests of leftovers share: a family of processes for each case, and what is claimed of its
members. The families are made without agents, so that who is whose is known exactly.
"""
import json
import subprocess

from family import Family
from harness import SOOTH, Case


def listed(*arguments, sooth=SOOTH, before=()):
    """The rows of `ps`, by pid."""
    run = subprocess.run([*before, sooth, "ps", "-j", "-i", "10ms", *map(str, arguments)],
        check=True, stdout=subprocess.PIPE)
    return {row["pid"]: row for row in json.loads(run.stdout)["processes"]}


def flags(row):
    return set((row["flags"] or "").split())


class Leftovers(Case):
    def setUp(self):
        super().setUp()
        self.open_to_all()
        self.family = Family(self.folder)
        self.family.__enter__()
        self.addCleanup(self.family.__exit__)

    def rows(self, *members, **how):
        return listed(*(member.pid for member in members), **how)

    def row(self, member, **how):
        return self.rows(member, **how)[member.pid]

    def assert_orphaned(self, member, main, **how):
        row = self.row(member, **how)
        self.assertIs(row["is_orphaned"], True, row)
        self.assertIn("ORPHANED", flags(row), row)
        self.assertTrue(any(text in (row["orphaned_reason"] or "") for text in
                            (main.session_id, str(main.pid))), row)
        self.assertEqual(row["session_id"], main.session_id, row)
        self.assertIsNone(row["session_pid"], row)
        return row

    def assert_sound(self, *members, **how):
        for row in self.rows(*members, **how).values():
            self.assertEqual(flags(row), set(), row)
            self.assertIsNot(row["is_orphaned"], True, row)
            self.assertIsNot(row["is_abandoned"], True, row)

    def assert_on_purpose(self, *members):
        for row in self.rows(*members).values():
            self.assertIs(row["is_daemon"], True, row)
            self.assertIsNot(row["is_orphaned"], True, row)
            self.assertNotIn("ORPHANED", flags(row), row)

    def tool_of(self, main, name="tool", *flags_, **words):
        return main.start(name, "session", *flags_, **self.family.tool(main, **words))

    def below(self, parent, name, *flags_, **words):
        """What a tool starts: its environment and streams are the tool's where nothing is said."""
        return parent.start(name, *flags_, **words)
