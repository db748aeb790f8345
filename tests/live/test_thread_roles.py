# SPDX-License-Identifier: BSD-2-Clause
"""Threads of real agents: each has a role, and those that say most have the right one."""
import json
import os
import subprocess
import sys
import unittest

import harness
from harness import SOOTH

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import known, modes
from agents.agent import Agent, reason_to_skip, require_native

# Names that must be there once it works, with their roles.
BUN = {"HTTP Client": "http", "Bun Pool 0": "pool", "JITWorker": "jit"}  # HeapHelper comes with the first collection
EXPECTED = {
    "claude-code": dict(BUN, **{"mi-scavenger": "allocator", "fs.watch": "watcher"}),
    "codex": {"tokio-rt-worker": "pool", "sqlx-sqlite-wor": "database", "codex-main": "main"},
    "opencode": dict(BUN, **{"notify-rs inoti": "watcher"}),
    "gemini": {"node": "pool"},
    "claude-code-node": {"node": "pool"},
}


def threads_of(*pids):
    """Rows of their threads; who has ended meanwhile has none."""
    found = []
    for pid in pids:
        run = subprocess.run([SOOTH, "inspect", "--threads", "-j", "-i", "10ms", str(pid)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if run.returncode == 0:
            found += json.loads(run.stdout)["threads"]
    return found


class Real(unittest.TestCase):
    @staticmethod
    def rows_of(pids, names):
        """Once all that are expected have been started: some are only when there is work."""
        rows = []

        def are_there():
            rows[:] = threads_of(*pids)
            return set(names) <= {row["name"] for row in rows}
        harness.wait_until(are_there, lambda: "%s among %s" % (names, rows))
        return rows

    def check(self, agent):
        reason = require_native() if agent is known.CLAUDE_CODE else reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        for terminal, mode in ((False, modes.TOOL), (True, modes.IDLE)):
            with Agent(agent, mode=mode, terminal=terminal) as started:
                started.wait_until_in_mode()
                own = {started.pid, started.worker_pid}
                if agent.has_launcher:
                    own.add(started.launcher_pid)
                rows = self.rows_of(own, EXPECTED[agent.name] if mode is modes.TOOL else ())
            self.assertGreater(len(rows), 4)
            nameless = [(row["tid"], row["name"]) for row in rows if not row["role"]]
            self.assertEqual(nameless, [], "threads without a role")
            for row in rows:
                if row["pid"] == row["tid"]:
                    self.assertEqual(row["role"], "main")
            roles = {row["name"]: row["role"] for row in rows if row["pid"] != row["tid"]}
            if mode is modes.TOOL:
                for name, role in EXPECTED[agent.name].items():
                    self.assertEqual(roles.get(name), role, roles)

    def test_claude_code(self):
        self.check(known.CLAUDE_CODE)

    def test_claude_code_node(self):
        self.check(known.CLAUDE_CODE_NODE)

    def test_codex(self):
        self.check(known.CODEX)

    def test_opencode(self):
        self.check(known.OPENCODE)

    def test_gemini(self):
        self.check(known.GEMINI)


if __name__ == "__main__":
    harness.main()
