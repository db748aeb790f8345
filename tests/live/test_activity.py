# SPDX-License-Identifier: BSD-2-Clause
"""
Four states of real agents that must never be taken for one another: the model stalled, the model slow
but alive, a permission prompt, a tool that goes on and on. One start each, half of them over TLS;
activity_runs.py has more agents, modes and loads.
"""
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import agent_activity
import harness

from agents import known, modes, tls, tour
from agents.agent import reason_to_skip, require_native

AGAIN_S = 30  # a busy machine delays an agent's files and the words of its model


class Activity(unittest.TestCase):
    def visit(self, known_agent, wanted, **how):
        """Each is reported right within a while."""
        reason = (require_native() if known_agent is known.CLAUDE_CODE else
                  reason_to_skip(known_agent))
        if reason:
            self.skipTest(reason)
        try:
            agent = tour.start(known_agent, **how)
            agent.__enter__()
        except tls.CannotCertify as error:
            self.skipTest(str(error))
        self.addCleanup(agent.__exit__)
        for mode in tour.visit(agent, wanted):
            with self.subTest(mode):
                self.assert_right(agent, mode)
        return agent

    def test_inspect(self):
        """One process on one screen, and its capture, report what ps does."""
        agent = self.visit(known.CODEX, (modes.TOOL,))
        with tempfile.TemporaryDirectory() as folder:
            capture = os.path.join(folder, "agent.sooth")
            live = agent_activity.sooth_json("inspect", "-j", "--save", capture, agent.pid)
            later = agent_activity.sooth_json("inspect", "-j", capture)
        self.assertEqual(live["activity"]["state"], agent_activity.STATES[modes.TOOL])
        self.assertEqual(later["activity"], live["activity"])

    def assert_right(self, agent, mode):
        deadline = time.monotonic() + AGAIN_S
        while True:
            verdict = agent_activity.judge(agent, mode)
            if verdict.kind == agent_activity.RIGHT:
                return
            if time.monotonic() > deadline:
                self.fail("%s\n%s" % (verdict, agent.tell()))

    def test_claude(self):
        self.visit(known.CLAUDE_CODE, (modes.IDLE, modes.SLOW, modes.STALL, modes.PERMISSION,
                                       modes.TOOL))

    def test_claude_tls(self):
        # What comes from the model differs; prompts and tools are those of test_claude.
        self.visit(known.CLAUDE_CODE, (modes.SLOW, modes.STALL, *((modes.PERMISSION, modes.TOOL) if harness.IS_LONG
                                                                  else ())), over_tls=True)

    def test_codex_tls(self):
        self.visit(known.CODEX, (modes.NO_HEADERS, modes.PERMISSION, modes.TOOL), over_tls=True)


if __name__ == "__main__":
    harness.main()
