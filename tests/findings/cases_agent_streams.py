# SPDX-License-Identifier: BSD-2-Clause
"""
stream-stalled of real agents, each in its namespace against the fake server (tests/agents): those
that wait for it, and those that look alike: at rest, asked something, running a tool. Half over TLS.
"""
import dataclasses
import pathlib
import sys
import threading
import time

from case import healthy, sick

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from agents import agent as agents  # noqa: E402
from agents import known, modes  # noqa: E402

SHORT = ("stream-stalled.silence=2s",)
STAY_S = 2.5
START_S = 20
# Asks before it runs anything.
ASKING = dataclasses.replace(known.CLAUDE_CODE, terminal=("--permission-mode", "default"),
    idle="? for shortcuts")


def pids_of(agent):
    return sorted({agent.pid, agent.worker_pid})


def in_mode(kind, mode, **options):
    def make(scope, rng):
        agent = agents.Agent(kind, mode=mode, **options)
        agent.__enter__()
        scope.later(agent.__exit__)
        agent.wait_until_in_mode()
        time.sleep(STAY_S + rng.uniform(0, 1))
        return pids_of(agent)
    return make


class Terminal:
    """
    One agent on a terminal for several cases, in the order of `modes_`: it starts with the first and
    ends with the last. For agents that take 20 s of processor time to start.
    """

    def __init__(self, kind, *modes_, over_tls=False):
        self.kind, self.modes, self.agent, self.uses = kind, modes_, None, 0
        self.over_tls = over_tls
        self.turn = threading.Condition()

    def in_mode(self, mode):
        def make(scope, rng):
            with self.turn:
                self.turn.wait_for(lambda: self.next_mode() == mode)
            scope.later(self.done)
            self.enter(mode)
            time.sleep(STAY_S + rng.uniform(0, 1))
            return pids_of(self.agent)
        return make

    def next_mode(self):
        return self.modes[self.uses % len(self.modes)]

    def enter(self, mode):
        if not self.agent:
            agent = agents.Agent(self.kind, mode=mode, terminal=True, over_tls=self.over_tls)
            agent.__enter__()
            self.agent = agent
        else:
            # An answer that was held back comes to its end first.
            self.agent.set_mode(modes.ANSWER)
            agents.wait_until(self.agent._is_at_prompt, self.agent.tell)
            self.agent.set_mode(mode)
            self.agent.ask("again")
        self.agent.wait_until_in_mode()

    def done(self):
        with self.turn:
            self.uses += 1
            if self.agent and self.uses % len(self.modes) == 0:
                self.agent.__exit__()
                self.agent = None
            self.turn.notify_all()


def asking(scope, rng):
    agent = agents.Agent(ASKING, mode=modes.TOOL, terminal=True)
    agent.__enter__()
    scope.later(agent.__exit__)
    agents.wait_until(agent._is_at_prompt, agent.tell)
    agent.ask("hi")
    agents.wait_until(lambda: "proceed?" in agent.terminal.text(), agent.tell)
    time.sleep(STAY_S + rng.uniform(0, 1))
    return [agent.pid]


def name_of(kind, mode, options):
    where = "terminal" if options.get("terminal") or mode == modes.IDLE else "headless"
    more = ", with an MCP server" if options.get("mcp") else ""
    transport = ", TLS" if options.get("over_tls") else ""
    return "%s, %s, %s%s%s" % (kind.name, mode, where, more, transport)


def stalled(kind, mode, says, severity="medium", make=None, **options):
    return sick("stream-stalled", name_of(kind, mode, options),
        make or in_mode(kind, mode, **options), settings=SHORT, duration_s=2.0, start_s=START_S, says=says,
        severity=severity, may_skip=lambda: agents.reason_to_skip(kind))


def well(kind, mode, make=None, **options):
    return healthy("stream-stalled", name_of(kind, mode, options), make or in_mode(kind, mode, **options),
        settings=SHORT, duration_s=2.0, start_s=START_S, also=("tool-loop",) if mode == modes.TOOL_LOOP else (),
        may_skip=lambda: agents.reason_to_skip(kind))


OPENCODE = Terminal(known.OPENCODE, modes.ANSWER, modes.NO_HEADERS, modes.TOOL, over_tls=True)
WAITS, WORD, LOG = "waiting for", "(status busy, no tool", "(its log: the model has to answer, no tool"

# On a terminal an agent takes seconds of processor time to start: tests/live/test_agents.py has the
# same states of each kind, and finds stream-stalled there once for each start.
TERMINAL = {"terminal": True}
TLS = {"over_tls": True}
TLS_TERMINAL = {**TLS, **TERMINAL}

CASES = [
    # In the order of OPENCODE.
    well(known.OPENCODE, modes.ANSWER, OPENCODE.in_mode(modes.ANSWER), **TLS_TERMINAL),
    stalled(known.OPENCODE, modes.NO_HEADERS, WAITS, make=OPENCODE.in_mode(modes.NO_HEADERS), **TLS_TERMINAL),
    well(known.OPENCODE, modes.TOOL, OPENCODE.in_mode(modes.TOOL), **TLS_TERMINAL),
    stalled(known.CLAUDE_CODE, modes.NO_HEADERS, WAITS, **TLS),
    stalled(known.CLAUDE_CODE, modes.NO_HEADERS, WAITS, **TERMINAL),
    stalled(known.CLAUDE_CODE, modes.STALL, WORD),
    stalled(known.CLAUDE_CODE, modes.STALL, WORD, **TLS_TERMINAL),
    stalled(known.CLAUDE_CODE, modes.STALL, WORD, terminal=True, mcp=["files"], severity="low"),
    stalled(known.CLAUDE_CODE_NODE, modes.NO_HEADERS, WAITS, **TLS_TERMINAL),
    stalled(known.CODEX, modes.NO_HEADERS, WAITS, **TLS),
    # A first request over TLS shows only of an agent that says that it is busy: here the log of its daemon.
    stalled(known.CODEX, modes.NO_HEADERS, LOG, **TLS_TERMINAL),
    stalled(known.CODEX, modes.STALL, LOG, **TLS),
    stalled(known.GEMINI, modes.NO_HEADERS, WAITS, **TERMINAL),
    well(known.CLAUDE_CODE, modes.IDLE),
    well(known.CLAUDE_CODE, modes.ANSWER, **TLS_TERMINAL),
    well(known.CLAUDE_CODE, modes.SLOW, **TLS_TERMINAL),
    well(known.CLAUDE_CODE, modes.TOOL, **TLS),
    well(known.CLAUDE_CODE, modes.TOOL, terminal=True, mcp=["files"]),
    well(known.CLAUDE_CODE, modes.TOOL_LOOP, **TLS),
    well(known.CLAUDE_CODE_NODE, modes.ANSWER, **TERMINAL),
    well(known.CODEX, modes.ANSWER, **TLS_TERMINAL),
    well(known.CODEX, modes.TOOL, **TLS),
    well(known.CODEX, modes.SLOW),
    well(known.GEMINI, modes.ANSWER, **TLS_TERMINAL),
    well(known.GEMINI, modes.TOOL),
    healthy("stream-stalled", "claude-code asks its user", asking, settings=SHORT, duration_s=2.0,
        may_skip=lambda: agents.reason_to_skip(known.CLAUDE_CODE)),
]
