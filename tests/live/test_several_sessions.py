# SPDX-License-Identifier: BSD-2-Clause
"""
Several sessions of one agent at once, some of which are killed: what they leave is orphaned, and
what the others started is not.
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

import harness
from family import NULL
from harness import SOOTH, wait_until
from leftovers_case import Leftovers, listed

from agents import known, modes, processes
from agents.agent import Agent, reason_to_skip


def would_end(pids):
    """Those of the pids that `sooth kill --orphans` would end."""
    run = subprocess.run([SOOTH, "kill", "--orphans", "--dry-run", "-j"], check=False,
        stdout=subprocess.PIPE)
    return {row["pid"] for row in json.loads(run.stdout)["results"]
            if row["outcome"] != "refused"} & set(pids)


def reported(pids):
    """{pid: ids of the findings of leftovers}"""
    run = subprocess.run([SOOTH, "diagnose", "-j", "--duration", "2", "--set", "orphan.min-age=0"],
        check=True, stdout=subprocess.PIPE)
    return {p["pid"]: {f["id"] for f in p["findings"]} & {"orphan", "mcp-abandoned"}
            for p in json.loads(run.stdout)["processes"] if p["pid"] in pids}


def wait_for_next_tick(member):
    """Start times are in ticks; those of one tick have no order."""
    per_second = os.sysconf("SC_CLK_TCK")
    wait_until(lambda: int(time.clock_gettime(time.CLOCK_BOOTTIME) * per_second) > member.started + 1,
        "the next tick")


class Made(Leftovers):
    """Families of processes: nothing in the environment but the agent's name."""
    MARKS = {"CLAUDECODE": "1"}

    def call(self, main, name, folder, **words):
        """A tool call whose output goes where that of a main process of this folder does."""
        output = self.family.write("tmp/claude/%s/%s/tasks/%s.output" % (
            re.sub("[^A-Za-z0-9]", "-", folder), main.session_id, name), "")
        return main.start(name, "session", **dict({"in": "null", "out": output, "err": output,
            "environment": self.MARKS}, **words))

    def test_three_with_markers(self):
        mains = [self.family.main(name) for name in ("one", "two", "three")]
        tools = [self.tool_of(main, "tool%d" % i) for i, main in enumerate(mains)]
        below = [self.below(tool, "below%d" % i) for i, tool in enumerate(tools)]
        left = [self.below(tool, "left%d" % i, "twice") for i, tool in enumerate(tools)]
        self.assert_sound(*mains, *tools, *below, *left)
        mains[1].kill(reaper=self.family.root)
        pids = [member.pid for member in (*mains, *tools, *below, *left)]
        gone = (tools[1], below[1], left[1])
        for member in gone:
            self.assert_orphaned(member, mains[1])
        self.assert_sound(*(member for of in (mains, tools, below, left)
                            for member in (of[0], of[2])))
        self.assertEqual(would_end(pids), {member.pid for member in gone})
        found = reported(pids)
        self.assertEqual({pid for pid, ids in found.items() if ids}, {tools[1].pid, left[1].pid})

    def test_taken_over(self):
        """A living main process goes on with the session of one that was killed."""
        first, second = self.family.main("first"), self.family.main("second")
        tool = self.tool_of(first)
        first.kill(reaper=self.family.root)
        second.session_id = first.session_id
        self.family.tell_session(second)
        self.assertIs(self.row(tool)["is_orphaned"], True)
        self.assert_sound(second, self.tool_of(second, "later"))

    def test_in_another_directory(self):
        main, other = self.family.main("main"), self.family.main("other")
        here, there = self.family.project(), self.family.project("elsewhere")
        tools = [self.call(main, "here", here), self.call(main, "there", there)]
        main.kill(reaper=self.family.root)
        self.assertIsNone(self.row(tools[0])["is_orphaned"], "of the other one, after /clear?")
        self.assertIn(str(other.pid), self.row(tools[0])["orphaned_reason"])
        row = self.assert_orphaned(tools[1], main)
        self.assertIn("another directory", row["orphaned_reason"])
        self.assertEqual(would_end(tool.pid for tool in tools), {tools[1].pid})

    def test_in_another_process_session(self):
        """What a main process starts is in the process session of that, or in a younger one."""
        shell = self.family.root.start("shell", "session", **NULL)
        main = self.family.main("main", parent=shell, is_leader=False)
        wait_for_next_tick(main)
        other = self.family.main("other")
        wait_for_next_tick(other)
        helper = main.start("helper", environment=self.MARKS, **NULL)
        twin = other.start("twin", "twice", environment=self.MARKS, **NULL)
        main.kill(reaper=shell)
        row = self.row(helper)
        if row["is_orphaned"] is None:  # an older agent of this machine could have started it
            self.assertNotIn("agent %d" % other.pid, row["orphaned_reason"], row)
        else:
            self.assertIn("is in another process session", row["orphaned_reason"], row)
        self.assertIs(self.row(twin)["is_orphaned"], False)


AGENTS = {"1": known.CLAUDE_CODE_1, "1, killed": known.CLAUDE_CODE_1,
          "2.1": known.CLAUDE_CODE_NODE, "2.1, killed": known.CLAUDE_CODE_NODE,
          "native, killed": known.CLAUDE_CODE, "gemini": known.GEMINI,
          "gemini, killed": known.GEMINI, "opencode": known.OPENCODE,
          "opencode, killed": known.OPENCODE}
if not harness.IS_LONG:  # one of each way to find the owner of a tool, that is killed or one beside it
    AGENTS = {name: AGENTS[name] for name in ("1, killed", "2.1", "2.1, killed", "native, killed", "opencode")}


# What is called so adopts what loses its parent; it starts its arguments.
REAPER = (sys.executable, "-c", """
import ctypes, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
ctypes.CDLL(None).prctl(15, b"systemd")  # PR_SET_NAME
subprocess.Popen(sys.argv[1:]).wait()
time.sleep(1000)
""")


def all_decided(pids):
    """Their rows: one that is ending has its PID still, and is nothing that is recognized."""
    def decided():
        rows = listed(*pids)
        return rows if all(rows[pid]["is_orphaned"] is not None for pid in pids) else None

    return wait_until(decided, "all owners to be decided")


class Real(unittest.TestCase):
    """All at work in one directory; one below a reaper of its own, as in a user's desktop."""

    def setUp(self):
        for agent in AGENTS.values():
            if reason_to_skip(agent):
                self.skipTest(reason_to_skip(agent))
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.agents, folder = {}, None
        for name, agent in AGENTS.items():
            before = REAPER if name == "1, killed" else ()
            self.agents[name] = stack.enter_context(Agent(agent, modes.TOOL, folder=folder,
                                                          before=before))
            folder = folder or self.agents[name].folder
        for agent in self.agents.values():
            agent.wait_until_in_mode()

    def test_killed(self):
        tools = {name: agent.tool_pids() for name, agent in self.agents.items()}
        killed = [name for name in AGENTS if "killed" in name]
        for name in killed:
            os.kill(self.agents[name].pid, signal.SIGKILL)
        for name in killed:
            wait_until(lambda name=name: not processes.is_alive(self.agents[name].pid), "its end")
        pids = [pid for of in tools.values() for pid in of]
        rows = all_decided(pids)
        below = rows[tools["1, killed"][-1]]
        self.assertEqual(below["ppid"], self.agents["1, killed"].child.pid, below)
        for name, of in tools.items():
            for pid in of:
                self.assertIs(rows[pid]["is_orphaned"], name in killed, (name, rows[pid]))
        self.assertEqual(would_end(pids), {pid for name in killed for pid in tools[name]})


if __name__ == "__main__":
    harness.main()
