# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth trace` of real agents, in each mode of the harness: what it tells of calls, connections and
processes fits what the fake server and the harness know, and its tables tell of the same calls as
its lines.
"""
import os
import sys

import harness
from harness import Case, needs_bpf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import known, modes
from agents.agent import Agent, SHORT_TOOL, reason_to_skip, require_native

# As long as it takes to see what an agent does again and again: refused ones wait before they ask.
DURATIONS_S = (2, 10, 30)
PATIENCE_S = 180
BUFFER = ("--buffer", "32M")


class Seen:
    """One capture, and what sooth tells of it."""

    def __init__(self, case, agent, capture, lines):
        self.case, self.capture = case, capture
        self.calls = [line for line in lines if line["type"] == "call"]
        self.end = lines[-1]
        port = agent.server.url.rpartition(":")[2]
        self.to_server = [row for row in self.report("--network").get("network", [])
                          if row["connection"].endswith(":" + port)]
        self.processes = self.report("--process")["processes"]

    def report(self, *options):
        return self.case.sooth("trace", "-j", *options, self.capture).json()

    def sum(self, member):
        return sum(row[member] for row in self.to_server)

    def commands(self):
        return [row["command"] or "" for row in self.processes]


def is_silent(seen):
    return not seen.sum("received_bytes")


# mode: what is sure to be seen in it.
EXPECTED = {
    modes.ANSWER: lambda seen: seen.sum("sent_bytes") and seen.sum("received_bytes"),
    modes.SLOW: lambda seen: seen.sum("received_bytes") and not seen.sum("errors"),
    modes.STALL: is_silent,
    modes.NO_HEADERS: is_silent,
    modes.LIMITED: lambda seen: seen.sum("sent_bytes") and seen.sum("received_bytes"),
    modes.OVERLOADED: lambda seen: seen.sum("sent_bytes") and seen.sum("received_bytes"),
    modes.RESET: lambda seen: seen.sum("sent_bytes") and seen.sum("connects"),
    modes.TOOL: is_silent,
    modes.TOOL_LOOP: lambda seen: seen.sum("sent_bytes") and seen.sum("received_bytes") and any(
        " ".join(SHORT_TOOL) in command for command in seen.commands()),
    modes.IDLE: lambda seen: not seen.to_server and len(seen.processes) == 1,
}


@needs_bpf
class Traced(Case):
    agent = known.CLAUDE_CODE

    def setUp(self):
        super().setUp()
        reason = require_native() if self.agent is known.CLAUDE_CODE else reason_to_skip(self.agent)
        if reason:
            self.skipTest(reason)

    def words(self, name):
        return ("trace", "--format", "jsonl", "-o", self.path(name), "--save",
                self.path(name + ".sooth"), *BUFFER)

    def seen(self, agent, name):
        lines = harness.Run(0, harness.read(self.path(name)), b"").lines()
        return Seen(self, agent, self.path(name + ".sooth"), lines)

    def check(self, seen):
        """Whatever it does."""
        self.assertTrue(seen.calls)
        self.assertEqual([call for call in seen.calls if call["name"].startswith("syscall_")], [])
        table = {row["name"]: row["count"] for row in seen.report("-c")["syscalls"]}
        lines = {}
        for call in seen.calls:
            lines[call["name"]] = lines.get(call["name"], 0) + 1
        self.assertEqual(table, lines)
        by_pid = {row["pid"] for row in seen.processes}
        self.assertLessEqual({call["pid"] for call in seen.calls}, by_pid)
        self.assertEqual(seen.end["loss"], [])

    def watch(self, mode):
        with Agent(self.agent, mode=mode) as agent:
            agent.wait_until_in_mode()
            for seconds in DURATIONS_S:
                name = "for-%d" % seconds
                self.sooth(*self.words(name), "--duration", str(seconds), "-p",
                           str(agent.worker_pid), timeout=PATIENCE_S)
                seen = self.seen(agent, name)
                self.check(seen)
                if EXPECTED[mode](seen):
                    return
        self.fail("%s of %s: not what was to be seen: %s %s" % (
            mode, self.agent.name, seen.to_server, seen.processes))

    def launch(self):
        """One that answers and ends, from its first call to its last."""
        with Agent(self.agent, mode=modes.ANSWER,
                   before=(harness.SOOTH, *self.words("answer"), "--")) as agent:
            ended = agent.finish(PATIENCE_S)
            seen = self.seen(agent, "answer")
        self.assertEqual(ended.status, 0, ended)
        self.check(seen)
        self.assertTrue(EXPECTED[modes.ANSWER](seen), seen.to_server)
        main = [row for row in seen.processes if row["pid"] == seen.end["target"]["pids"][0]]
        self.assertEqual([(row["end"], row["wait_status"]) for row in main], [("exit 0", 0)], main)


class ClaudeCode(Traced):
    watched = [mode for mode in EXPECTED if mode != modes.ANSWER]

    def test_launched(self):
        self.launch()

    def test_watched(self):
        for mode in self.watched:
            with self.subTest(mode):
                self.watch(mode)


class ClaudeCodeNode(ClaudeCode):
    agent = known.CLAUDE_CODE_NODE
    watched = [modes.TOOL_LOOP]


class Codex(ClaudeCodeNode):
    agent = known.CODEX


class Opencode(ClaudeCodeNode):
    agent = known.OPENCODE


class Gemini(ClaudeCodeNode):
    agent = known.GEMINI
    watched = [modes.SLOW]  # it ends when it sees that it does the same again and again


del Traced
if not harness.IS_LONG:  # one agent of each of two makers
    del ClaudeCodeNode, Gemini, Opencode

if __name__ == "__main__":
    harness.main()
