# SPDX-License-Identifier: BSD-2-Clause
"""
Threads of real agents, for test_agents.py: each has a role, and the threads with well-known names
have the right one.
"""
import json
import subprocess

import harness
from harness import SOOTH

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
    """Rows of their threads; one that has ended meanwhile has none."""
    found = []
    for pid in pids:
        run = subprocess.run([SOOTH, "inspect", "--threads", "-j", "-i", "10ms", str(pid)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if run.returncode == 0:
            found += json.loads(run.stdout)["threads"]
    return found


class ThreadChecks:
    """Beside unittest.TestCase."""

    @staticmethod
    def thread_rows(pids, names):
        """Once all expected threads have been started: some start only when there is work."""
        rows = []

        def are_there():
            rows[:] = threads_of(*pids)
            return set(names) <= {row["name"] for row in rows}
        harness.wait_until(are_there, lambda: "%s among %s" % (names, rows))
        return rows

    def check_threads(self, agent, is_at_work):
        expected = EXPECTED.get(agent.agent.name)
        if expected is None:
            return
        own = {agent.pid, agent.worker_pid}
        if agent.agent.has_launcher:
            own.add(agent.launcher_pid)
        rows = self.thread_rows(own, expected if is_at_work else ())
        self.assertGreater(len(rows), 4)
        nameless = [(row["tid"], row["name"]) for row in rows if not row["role"]]
        self.assertEqual(nameless, [], "threads without a role")
        for row in rows:
            if row["pid"] == row["tid"]:
                self.assertEqual(row["role"], "main")
        roles = {row["name"]: row["role"] for row in rows if row["pid"] != row["tid"]}
        if is_at_work:
            for name, role in expected.items():
                self.assertEqual(roles.get(name), role, roles)
