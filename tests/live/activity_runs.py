# SPDX-License-Identifier: BSD-2-Clause
"""
Real agents in real modes, seeded: what `sooth ps` says each does now, against what it does.

    activity_runs.py [--runs N] [--seed N] [--agent NAME[@VERSION]]... [--transport plain|tls]... [--load N]...
                     [--modes four|all|MODE,...] [--seconds N] [--jobs N] [--results FILE]

A run starts one agent, over one transport, at one load, and takes it through the modes. --jobs runs
are side by side, each in its network namespace; those at one load come together and share it.
--results keeps a line for each run; with the same file a later call goes on, and repeats the runs
in which the agent did not get into a mode. The last line is the count of runs in which every mode
was reported right; status 1 when one was not.
"""
import argparse
import concurrent.futures
import dataclasses
import json
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
TOLD = 2000  # characters of why a mode was not reached
KINDS = (agent_activity.RIGHT, agent_activity.UNKNOWN, agent_activity.WRONG)


def agent_named(name):
    """NAME, or NAME@VERSION: the same agent in a version that is not pinned."""
    name, _, version = name.partition("@")
    agent = known.AGENTS[name]
    return dataclasses.replace(agent, version=version) if version else agent


def agent_name(text):
    if text.partition("@")[0] not in known.AGENTS:
        raise argparse.ArgumentTypeError("no such agent: %s" % text)
    return text


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agent", action="append", type=agent_name,
                        help="NAME or NAME@VERSION, of %s" % ", ".join(known.AGENTS))
    parser.add_argument("--transport", action="append", choices=TRANSPORTS)
    parser.add_argument("--load", action="append", type=int)
    parser.add_argument("--modes", default="all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no run after")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", help="file with a JSON line for each run")
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


def plan(wanted):
    """The runs, by seed and number."""
    chance = random.Random(wanted.seed)
    agents = [name for name in wanted.agent or AGENTS if not reason_to_skip(agent_named(name))]
    return [{"run": number + 1, "seed": wanted.seed, "modes": wanted.modes,
             "agent": chance.choice(agents),
             "transport": chance.choice(wanted.transport or TRANSPORTS),
             "load": chance.choice(wanted.load or LOADS)} for number in range(wanted.runs)]


def one_run(run):
    """With the verdicts; an agent that does not get into a mode is no verdict on sooth."""
    agent = agent_named(run["agent"])
    try:
        with tour.start(agent, over_tls=run["transport"] == "tls") as started:
            verdicts = list(agent_activity.check(started, modes_of(run["modes"], agent)))
    except AssertionError as error:
        return {**run, "unreached": str(error)[:TOLD]}
    return {**run, "states": {verdict.mode: verdict.kind for verdict in verdicts},
            "not_right": [str(verdict) for verdict in verdicts
                          if verdict.kind != agent_activity.RIGHT]}


def show(result):
    where = "run %(run)d: %(agent)s %(transport)s load %(load)d" % result
    if "unreached" in result:
        print("%s: not in its mode: %s" % (where, result["unreached"]), flush=True)
        return
    for text in result["not_right"]:
        print("%s: %s" % (where, text), flush=True)
    print("%s: %s" % (where, " ".join("%s=%s" % state for state in result["states"].items())),
          flush=True)


class Results:
    """What each run gave, also those of earlier calls."""

    def __init__(self, path):
        self.path, self.all = path, []
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.all = [json.loads(line) for line in file]

    def add(self, result):
        show(result)
        self.all.append(result)
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")

    def of(self, run):
        """The last of that run; None: it is still to be done."""
        same = [result for result in self.all
                if all(result.get(key) == value for key, value in run.items())]
        return same[-1] if same else None

    def is_open(self, run):
        result = self.of(run)
        return not result or "unreached" in result


def do(runs, wanted, results):
    """Side by side, at one load after the other."""
    end = time.monotonic() + wanted.seconds
    for load in sorted({run["load"] for run in runs}):
        same = [run for run in runs if run["load"] == load]
        with Load(load), concurrent.futures.ProcessPoolExecutor(wanted.jobs) as pool:
            under_way = set()
            while under_way or (same and time.monotonic() < end):
                while same and len(under_way) < wanted.jobs and time.monotonic() < end:
                    under_way.add(pool.submit(one_run, same.pop(0)))
                done, under_way = concurrent.futures.wait(
                    under_way, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    results.add(future.result())


def main():
    wanted = options()
    runs, results = plan(wanted), Results(wanted.results)
    do([run for run in runs if results.is_open(run)], wanted, results)
    last = [result for result in map(results.of, runs) if result]
    done = [result for result in last if "unreached" not in result]
    right = sum(not result["not_right"] for result in done)
    counts = [sum(kind == wanted_kind for result in done for kind in result["states"].values())
              for wanted_kind in KINDS]
    print("%d of %d runs right; states: %d right, %d unknown, %d wrong; %d runs without their mode" % (
        right, len(done), *counts, len(last) - len(done)))
    sys.exit(not done or right != len(done))


if __name__ == "__main__":
    main()
