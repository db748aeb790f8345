# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth ps -w` among real agents and 2,000 other processes: each agent's main process has a row that
stays true while it works, and none when it has ended; nobody else has one.
"""
import os
import sys

from harness import SOOTH, Case
from screen_reader import Screen

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import known, modes
from agents.agent import Agent, require_native

FILLERS = 2000


class Watched(Case):
    def setUp(self):
        super().setUp()
        reason = require_native()
        if reason:
            self.skipTest(reason)

    def start_agent(self, mode):
        agent = Agent(known.CLAUDE_CODE, mode=mode)
        agent.__enter__()
        self.addCleanup(agent.__exit__)
        agent.wait_until_in_mode()
        return agent

    @staticmethod
    def rows(lines):
        """{pid: line} of the table."""
        words = [(line.lstrip("+-*> ").split(), line) for line in lines]
        return {int(found[0]): line for found, line in words if found and found[0].isdigit()}

    def test_among_many(self):
        fillers = self.workload("children", "--count", str(FILLERS))
        idle, busy = self.start_agent(modes.IDLE), self.start_agent(modes.TOOL_LOOP)
        with Screen([SOOTH, "ps", "-w", "0.5"], 160, 40) as screen:
            for agent in (idle, busy):
                screen.wait_for(lambda lines, pid=agent.worker_pid: "claude" in self.rows(lines).get(pid, ""),
                                "row of an agent")
            mains = {idle.worker_pid, busy.worker_pid}
            for _ in range(6):  # while one starts tool after tool
                screen.pump(0.5)
                screen.wait_for(lambda lines: mains <= set(self.rows(lines)), "rows of both")
                others = {fillers.pid, *idle.descendants(), *busy.descendants()} - mains
                self.assertEqual(others & set(self.rows(screen.lines())), set(), "nobody asked")
            busy.__exit__()
            # Its number may stand below the list: the selected row has left it.
            screen.wait_for(lambda lines: "claude" not in self.rows(lines).get(busy.worker_pid, "") and
                            idle.worker_pid in self.rows(lines), "screen without the one that ended")
            screen.type(b"q")
            self.assertTrue(screen.ends())


if __name__ == "__main__":
    import harness
    harness.main()
