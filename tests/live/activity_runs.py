# SPDX-License-Identifier: BSD-2-Clause
"""
Real agents in real modes, seeded: what `sooth ps` says each does now, against what it does.

    activity_runs.py [--runs N] [--seed N] [--agent NAME]... [--transport plain|tls]... [--load N]...
                     [--modes four|all|MODE,...] [--seconds N]

A run starts one agent, over one transport, at one load, and takes it through the modes. The last
line is the count of runs in which every mode was reported right; status 1 when one was not.
"""
import argparse
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import agent_activity

from agents import known, modes, tour
from agents.agent import reason_to_skip

AGENTS = ("claude-code", "claude-code-node", "codex", "opencode", "gemini")
TRANSPORTS = ("plain", "tls")
LOADS = (0, 10)
BUSY = ["sh", "-c", "while :; do :; done"]


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agent", action="append", choices=known.AGENTS)
    parser.add_argument("--transport", action="append", choices=TRANSPORTS)
    parser.add_argument("--load", action="append", type=int)
    parser.add_argument("--modes", default="all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no run after")
    return parser.parse_args()


def modes_of(text, known_agent):
    if text == "four":
        return (modes.SLOW, modes.STALL, modes.PERMISSION, modes.TOOL)
    return tour.all_modes(known_agent) if text == "all" else tuple(text.split(","))


class Load:
    """Busy processes, ended by their pids."""

    def __init__(self, count):
        self.count = count

    def __enter__(self):
        self.children = [subprocess.Popen(BUSY) for _ in range(self.count)]

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
            child.wait()


def one_run(known_agent, transport, load, wanted):
    """The verdicts; the agent that does not get into a mode is no verdict on sooth."""
    with Load(load), tour.start(known_agent, over_tls=transport == "tls") as agent:
        return list(agent_activity.check(agent, wanted))


def main():
    wanted = options()
    chance = random.Random(wanted.seed)
    begin, done, right, unreached = time.monotonic(), 0, 0, 0
    counts = dict.fromkeys((agent_activity.RIGHT, agent_activity.UNKNOWN, agent_activity.WRONG), 0)
    agents = [name for name in wanted.agent or AGENTS if not reason_to_skip(known.AGENTS[name])]
    for number in range(wanted.runs):
        name, transport, load = (chance.choice(agents),
            chance.choice(wanted.transport or TRANSPORTS), chance.choice(wanted.load or LOADS))
        if time.monotonic() - begin > wanted.seconds:
            break
        where = "run %d: %s %s load %d" % (number + 1, name, transport, load)
        try:
            verdicts = one_run(known.AGENTS[name], transport, load,
                               modes_of(wanted.modes, known.AGENTS[name]))
        except AssertionError as error:
            unreached += 1
            print("%s: not in its mode: %s" % (where, str(error)[:2000]), flush=True)
            continue
        done += 1
        for verdict in verdicts:
            counts[verdict.kind] += 1
            if verdict.kind != agent_activity.RIGHT:
                print("%s: %s" % (where, verdict), flush=True)
        is_right = all(verdict.kind == agent_activity.RIGHT for verdict in verdicts)
        right += is_right
        print("%s: %s" % (where, " ".join("%s=%s" % (verdict.mode, verdict.kind)
                                          for verdict in verdicts)), flush=True)
    print("%d of %d runs right; states: %d right, %d unknown, %d wrong; %d runs without their mode" % (
        right, done, counts[agent_activity.RIGHT], counts[agent_activity.UNKNOWN],
        counts[agent_activity.WRONG], unreached))
    sys.exit(not done or right != done)


if __name__ == "__main__":
    main()
