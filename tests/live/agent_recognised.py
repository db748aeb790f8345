# SPDX-License-Identifier: BSD-2-Clause
"""
Which agent a process is, of real agents, for test_agents.py: with the right to read everything, and
as seen by another user.
"""
import json
import os
import shutil
import subprocess
import tempfile

import harness
from harness import SOOTH

from agents import known

NAMES = {"claude-code": "claude", "claude-code-node": "claude", "claude-code-1": "claude",
         "codex": "codex", "opencode": "opencode", "gemini": "gemini",
         **{agent.name: agent.name for agent in known.HEADLESS + known.BEFORE_LOGIN}}
# The title hides the script, and with it whatever says the version.
HAS_TITLE = ("claude-code-node", "claude-code-1", "pi")


def rows(*pids):
    """Of these processes, by pid."""
    out = subprocess.run([SOOTH, "ps", "-j", "-i", "10ms", *map(str, pids)], check=True,
                         stdout=subprocess.PIPE).stdout
    return {row["pid"]: row for row in json.loads(out)["processes"]}


def agents_listed():
    out = subprocess.run([SOOTH, "ps", "-j", "-i", "10ms"], check=True,
                         stdout=subprocess.PIPE).stdout
    return {row["pid"]: row["agent"] for row in json.loads(out)["processes"]}


class RecogniseChecks:
    """Beside unittest.TestCase."""

    def check_recognised(self, started):
        """While it runs a tool, with MCP servers."""
        agent = started.agent
        own = {started.pid, started.worker_pid}
        if agent.has_launcher:
            own.add(started.launcher_pid)
        others = set(started.tool_pids() + started.mcp_pids()) - own
        seen = rows(*own, *others)
        listed = agents_listed()
        if os.geteuid() == 0:
            self.check_by_arguments(agent, started, self.as_another(own))
        for pid in own:
            row = seen[pid]
            self.assertEqual(row["agent"], NAMES[agent.name], row)
            self.assertIn(row["version"], (None, agent.version) if agent.name in HAS_TITLE else (agent.version,), row)
            self.assertIn("title" if agent.name in HAS_TITLE else "package", row["rule"])
            if not row["version"]:
                self.assertIn("overwrote", row["not_measured"]["version"])
            self.assertEqual(listed.get(pid), row["agent"])
        if agent.has_launcher and agent is known.CODEX:
            self.assertIn("launcher", seen[started.launcher_pid]["rule"])
            self.assertNotIn("launcher", seen[started.pid]["rule"])
        self.assertTrue(others)
        for pid in others:
            self.assertIsNone(seen[pid]["agent"], seen[pid])

    def as_another(self, pids):
        """As seen by a user that may read neither the program nor the environment."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            sooth = shutil.copy(SOOTH, folder)
            out = subprocess.run([sooth, "ps", "-j", "-i", "10ms"], check=True, cwd=folder,
                                 stdout=subprocess.PIPE, **harness.as_nobody()).stdout
        return {row["pid"]: row for row in json.loads(out)["processes"] if row["pid"] in pids}

    def check_by_arguments(self, agent, started, rows):
        """By arguments and name alone. A script is not recognized if its path does
        not name the package."""
        if agent is known.GEMINI:
            self.assertEqual(rows, {})
            return
        row = rows[started.worker_pid]
        self.assertEqual(row["agent"], NAMES[agent.name], row)
        self.assertIn("the executable cannot be read", row["rule"])
        self.assertIsNone(row["version"], row)
        self.assertIn("permission denied", row["not_measured"]["version"])
