# SPDX-License-Identifier: BSD-2-Clause
"""
One agent on a terminal, taken from mode to mode: a start costs seconds, a mode costs what the agent
needs to get there.

    with tour.start(known.CLAUDE_CODE) as agent:
        for mode in tour.visit(agent, tour.all_modes(known.CLAUDE_CODE)):
            ... the agent is in `mode` until the loop goes on ...
"""
import signal
import time

from agents import modes, processes
from agents.agent import PATIENCE_S, RETURN_S, Agent, wait_until

SERVER = "files"
PROMPT = "do it"


# PERMISSION leads to TOOL: the command is allowed, and goes on for ever. An MCP server does not
# answer until it ends, so MCP_CALL is the last.
def all_modes(known_agent):
    return (modes.IDLE, modes.SLOW, modes.STALL, modes.NO_HEADERS, known_agent.retried,
            modes.PERMISSION, modes.TOOL, modes.MCP_CALL)


def start(known_agent, **how):
    """Not entered yet."""
    return Agent(known_agent, mode=modes.PERMISSION, mcp=[SERVER], prompt=PROMPT, **how)


def visit(agent, wanted):
    """Yields each mode once the agent is in it."""
    agent.wait_for_prompt()
    now = modes.IDLE
    for mode in wanted:
        go_on(agent, now, mode)
        now = mode
        yield mode


def go_on(agent, now, mode):
    if mode == modes.TOOL:
        if now != modes.PERMISSION:
            go_on(agent, now, modes.PERMISSION)
        allow(agent)
        return
    if now == modes.SLOW and mode == modes.STALL:  # of the same answer
        agent.set_mode(mode)
    else:
        to_prompt(agent, now)
        if mode == modes.IDLE:
            return
        agent.set_mode(mode)
        agent.ask(PROMPT)
    agent.wait_until_in_mode()


def allow(agent):
    """What it asks for runs, in mode TOOL."""
    deadline = time.monotonic() + PATIENCE_S
    while not agent.tool_pids():
        if time.monotonic() > deadline:
            raise AssertionError("the tool does not run; " + agent.tell())
        agent.terminal.type(b"\r")  # some ignore what comes with the question
        again = time.monotonic() + RETURN_S
        while not agent.tool_pids() and time.monotonic() < again:
            time.sleep(0.05)
    agent.server.mode = modes.TOOL


def to_prompt(agent, now):
    if now == modes.PERMISSION:
        allow(agent)
        now = modes.TOOL
    before = len(agent.conversation())
    agent.set_mode(modes.IDLE)
    if now == modes.IDLE:
        return
    if now == modes.TOOL:
        processes.signal_one(agent.tool_pids()[0], signal.SIGTERM)
    elif now == modes.MCP_CALL:
        processes.signal_one(agent.mcp_pids()[0], signal.SIGTERM)
    wait_until(lambda: has_answer(agent, now, before), lambda: "an answer; " + agent.tell())
    time.sleep(0.1)
    agent.wait_for_prompt()


def has_answer(agent, now, before):
    """A held request is answered itself; after a tool or a refusal another one is."""
    asked = agent.conversation()
    if now not in (modes.SLOW, modes.STALL, modes.NO_HEADERS):
        asked = asked[before:]
    return bool(asked) and asked[-1].state == "answered" and asked[-1].words > 0
