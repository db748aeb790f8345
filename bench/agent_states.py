# SPDX-License-Identifier: BSD-2-Clause
"""
The runs of bench/agents --activity: an agent on a terminal is taken from state to state, and in each `sooth` and
`sooth why PID` are asked what it does. A run is one state; a cell is a transport at a load.
"""
import collections
import concurrent.futures
import dataclasses
import json
import os
import re
import subprocess
import sys
import threading
import time

import agent_cases
from activity_runs import Load
from agents import known, modes, tour
from agents.agent import reason_to_skip

AGENTS = ("claude-code", "codex", "claude-code", "gemini", "opencode")
TRANSPORTS = ("plain", "tls")
LOADS = (0, 10)
SETTLE_S = (2, 12)  # by turns: some states read differently after ten seconds
PATIENCE_S = 120
STATES = {  # in the order of a round: its name, and what a right answer says
    modes.IDLE: ("idle", r"\bidle\b"),
    modes.SLOW: ("receives an answer", r"receives an answer"),
    modes.NO_HEADERS: ("waits for the model", r"waits for the model|the model has sent nothing"),
    modes.PERMISSION: ("waits for you", r"waits for you"),
    modes.TOOL: ("runs a tool", r"runs .*tail -f /dev/null"),
}
OF_ROUND = tuple(STATES)

@dataclasses.dataclass
class Run:
    load: int
    transport: str
    agent: str
    state: str
    said: dict = dataclasses.field(default_factory=dict)  # command -> text
    problem: str = ""
    host_load: float = 0

    def is_right(self, command):
        return bool(re.search(dict(STATES.values())[self.state], self.said[command]))

def row_of(text, pid):
    """The activity of that process, the last column of the table."""
    head, *rows = text.splitlines() or [""]
    for row in rows:
        if row.split()[:1] == [str(pid)]:
            return row[head.find("ACTIVITY"):].strip() or "(nothing)"
    return "(no row)"

def ask(program, *words):
    try:
        run = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/",
                             timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "not measured: no end within %d s" % PATIENCE_S
    return run.stdout or run.stderr

def look(program, agent, mode, run, seconds):
    time.sleep(seconds)
    run.said["sooth"] = row_of(ask(program), agent.pid)
    run.said["sooth why"] = ask(program, "why", str(agent.pid)).partition("\n")[0]
    run.host_load = os.getloadavg()[0]
    if not agent_cases.is_still(agent, mode):
        run.problem = "the agent left the state during the questions"

class Runs:
    def __init__(self, options):
        self.options, self.lock = options, threading.Lock()
        if options.out:
            os.makedirs(options.out, exist_ok=True)
        self.path = options.out and os.path.join(options.out, "activity.jsonl")
        self.all = list(self.earlier())

    def earlier(self):
        """Of calls with the same folder: the summary has them too."""
        if self.path and os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                for line in file:
                    yield Run(**json.loads(line))

    def add(self, run):
        with self.lock:
            self.all.append(run)
            if self.path:
                with open(self.path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(dataclasses.asdict(run)) + "\n")
        print("%s load %d %s %s: %s: %s %s" % (time.strftime("%T"), run.load, run.transport, run.agent, run.state,
              run.problem, run.said), file=sys.stderr, flush=True)

    def is_over(self):
        return time.monotonic() > self.options.end

    def round(self, load, transport, name, number):
        """One start, and each state once."""
        agent, states = known.AGENTS[name], iter(OF_ROUND)
        run = Run(load, transport, name, STATES[next(states)][0])
        try:
            with tour.start(agent, over_tls=transport == "tls") as started:
                for mode in tour.visit(started, OF_ROUND):
                    run = Run(load, transport, name, STATES[mode][0])
                    look(self.options.sooth, started, mode, run, SETTLE_S[number % 2])
                    self.add(run)
                    if self.is_over():
                        return
        except Exception as problem:  # pylint: disable=broad-except
            run = Run(load, transport, name, "after " + run.state)
            run.problem = "the next state was not reached: " + str(problem).partition("\n")[0][:200]
            self.add(run)

    def cell(self, load, transport):
        names = [name for name in self.options.agent or AGENTS if not reason_to_skip(known.AGENTS[name])]
        for number in range(self.options.runs // (len(TRANSPORTS) * len(LOADS) * len(OF_ROUND))):
            if self.is_over():
                return
            self.round(load, transport, names[number % len(names)], number)

def summary(runs):
    """A row for each cell; below it what was not right."""
    good = [run for run in runs if not run.problem]
    lines = ["| load | transport | load of the host | runs | sooth right | sooth why right |", "|---|---|---|---|---|---|"]
    for cell in sorted({(run.load, run.transport) for run in good}):
        of_cell = [run for run in good if (run.load, run.transport) == cell]
        loads = [run.host_load for run in of_cell]
        lines.append("| +%d | %s | %.0f to %.0f | %d | %s |" % (*cell, min(loads), max(loads), len(of_cell), " | ".join(
            "%d" % sum(run.is_right(command) for run in of_cell) for command in ("sooth", "sooth why"))))
    wrong = collections.Counter((run.state, run.agent, "+%d %s" % (run.load, run.transport), command, run.said[command])
                                for run in good for command in run.said if not run.is_right(command))
    lines += ["", "%d runs without an answer to judge:" % (len(runs) - len(good))]
    lines += ["- %s %s load +%d, %s: %s" % (run.agent, run.transport, run.load, run.state, run.problem)
              for run in runs if run.problem]
    lines += ["", "| staged | agent | cell | command | said instead | times |", "|---|---|---|---|---|---|"]
    lines += ["| %s | %s | %s | %s | `%s` | %d |" % (*key, count) for key, count in sorted(wrong.items())]
    return "\n".join(lines)

def do_runs(options):
    options.end = time.monotonic() + options.seconds
    runs = Runs(options)
    for load in options.load or LOADS:
        with Load(load), concurrent.futures.ThreadPoolExecutor(len(TRANSPORTS)) as pool:
            list(pool.map(lambda transport: runs.cell(load, transport), TRANSPORTS))
    print(summary(runs.all))

