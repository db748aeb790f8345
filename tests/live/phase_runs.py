# SPDX-License-Identifier: BSD-2-Clause
"""
Real agents on a terminal, in phases of known lengths, beside `sooth monitor`: what `sooth timeline`
says of them, against the requests of the server and the process of the tool.

    phase_runs.py [--agent NAME]... [--transport plain|tls]... [--hold SECONDS] [--sample TIME]

A row for each agent, transport and state: the true seconds, the ones reported, and the difference in
percent of the true ones, or of a hold for states that are shorter. Then turns and tokens, of the answers
that the server gave to the conversation. Status 1 when a time differs by more than --allowed, or a number
that the agent writes at all.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import SOOTH

from agents import known, modes, protocols, tour
from agents.agent import reason_to_skip

AGENTS = ("claude-code", "claude-code-node", "codex", "opencode", "gemini")
MODEL, USER, TOOL, IDLE, STOPPED = "waits_for_model", "waits_for_user", "runs_tool", "idle", "stopped"
COMPUTES = "computes"
# Loaded into an agent that node runs: while there is a file, the next request to a model comes after some
# seconds of computing. The times of it are written beside.
COMPUTE = """
const fs = require("fs"), file = process.env.SOOTH_COMPUTE;
function compute() {
	let seconds;
	try { seconds = Number(fs.readFileSync(file, "utf8")); fs.unlinkSync(file); } catch (e) { return; }
	const begin = process.hrtime.bigint();
	while (process.hrtime.bigint() < begin + BigInt(Math.round(seconds * 1e9)));
	fs.writeFileSync(file + ".done", begin + " " + process.hrtime.bigint());
}
for (const module of [require("http"), require("https")]) {
	const request = module.request;
	module.request = function (...args) { compute(); return request.apply(this, args); };
}
const fetched = globalThis.fetch;
globalThis.fetch = function (...args) { compute(); return fetched.apply(this, args); };
"""
BY_NODE = ("claude-code-node", "gemini")
START_S = 6  # an agent that is younger may still start
END_S = 4  # the last sample, and what is written behind it


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", action="append", choices=AGENTS)
    parser.add_argument("--transport", action="append", choices=("plain", "tls"))
    parser.add_argument("--hold", type=float, default=20)
    parser.add_argument("--sample", default="1s")
    parser.add_argument("--allowed", type=float, default=5, help="percent")
    parser.add_argument("--keep", help="folder for the histories and reports")
    return parser.parse_args()


class Monitor:
    """Beside the agents, in folders of its own."""

    def __init__(self, folder, sample):
        self.history = os.path.join(folder, "history")
        fifos = os.path.join(folder, "fifos")
        os.mkdir(self.history, 0o700)
        os.mkdir(fifos, 0o700)
        self.child = subprocess.Popen([SOOTH, "monitor", "--fifo-dir", fifos, "--history-dir",
                                       self.history, "--sample", sample])

    def end(self):
        self.child.send_signal(signal.SIGINT)
        self.child.wait()

    def report(self, pid):
        run = subprocess.run([SOOTH, "timeline", "-j", "--history-dir", self.history, "--last", "1h",
                              str(pid)], stdout=subprocess.PIPE, check=True)
        return json.loads(run.stdout)


class Truth:
    """Intervals of states, CLOCK_MONOTONIC; what is in none is idle."""

    def __init__(self):
        self.begin = time.monotonic_ns()
        self.intervals, self.end = [], 0

    def add(self, state, begin, end):
        self.intervals.append((state, begin, end))

    def seconds(self):
        found = {}
        for state, begin, end in self.intervals:
            found[state] = found.get(state, 0) + (min(end, self.end) - max(begin, self.begin)) / 1e9
        found[IDLE] = (self.end - self.begin) / 1e9 - sum(found.values())
        return found


def start_ns(pid):
    """Of a process, CLOCK_MONOTONIC."""
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return ticks * 10**9 // os.sysconf("SC_CLK_TCK") - boot


class Computing:
    """In an agent that node runs."""

    def __init__(self, folder):
        self.file, script = os.path.join(folder, "compute"), os.path.join(folder, "compute.js")
        with open(script, "w", encoding="ascii") as file:
            file.write(COMPUTE)
        self.environment = {"NODE_OPTIONS": "--require=" + script, "SOOTH_COMPUTE": self.file}

    def ask_for(self, seconds):
        """Before the next request."""
        with open(self.file, "w", encoding="ascii") as file:
            file.write(str(seconds))

    def times(self):
        with open(self.file + ".done", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]


def play(agent, hold, computing):
    """Idle, computing (of an agent that can be made to), an answer that takes long, idle, a question, a tool,
    idle, stopped."""
    agent.wait_for_prompt()
    time.sleep(START_S)
    truth = Truth()
    time.sleep(hold)
    if computing:
        computing.ask_for(hold)
    agent.set_mode(modes.SLOW)
    agent.ask(tour.PROMPT)
    agent.wait_until_in_mode()
    time.sleep(hold)
    tour.to_prompt(agent, modes.SLOW)
    time.sleep(hold)
    asked = len(agent.conversation())
    agent.set_mode(modes.PERMISSION)
    agent.ask(tour.PROMPT)
    agent.wait_until_in_mode()
    question = agent.conversation()[asked]
    time.sleep(hold)
    tour.allow(agent)
    tool_begin = start_ns(agent.tool_pids()[-1])
    truth.add(USER, question.last_ns, tool_begin)
    time.sleep(hold)
    tool_end = time.monotonic_ns()
    tour.to_prompt(agent, modes.TOOL)
    truth.add(TOOL, tool_begin, tool_end)
    time.sleep(hold)
    stop_begin = time.monotonic_ns()
    agent.kill(signal.SIGSTOP)
    time.sleep(hold)
    agent.kill(signal.SIGCONT)
    truth.add(STOPPED, stop_begin, time.monotonic_ns())
    truth.end = time.monotonic_ns()
    for exchange in agent.conversation():
        truth.add(MODEL, exchange.begin_ns, exchange.last_ns)
    if computing:
        truth.add(COMPUTES, *computing.times())
    return truth


def reported(report, truth):
    """Seconds by state, of the same time."""
    offset = time.time_ns() - time.monotonic_ns()
    begin, end = truth.begin + offset, truth.end + offset
    found = {}
    for phase in report["phases"]:
        first = max(phase["start_utc_ns"], begin)
        last = min(phase["start_utc_ns"] + phase["total_ns"], end)
        if last > first:
            state = phase["state"] or "unknown"
            found[state] = found.get(state, 0) + (last - first) / 1e9
    return found


def tokens(report):
    """(turns, input, output) of all phases together; None: the agent writes none."""
    rows = [phase for phase in report["phases"] if phase["turns"] is not None]
    return rows and tuple(sum(row[key] for row in rows)
                          for key in ("turns", "input_tokens", "output_tokens")) or None


def answered(agent):
    turns = sum(exchange.state == "answered" for exchange in agent.conversation())
    return turns, turns * protocols.INPUT, turns * protocols.OUTPUT


def one_run(name, transport, wanted):
    with tempfile.TemporaryDirectory(prefix="sooth-phases-") as folder:
        kept = wanted.keep and os.path.join(wanted.keep, name + "-" + transport)
        if kept:
            os.makedirs(kept)
        monitor = Monitor(kept or folder, wanted.sample)
        computing = Computing(folder) if name in BY_NODE else None
        try:
            with tour.start(known.AGENTS[name], over_tls=transport == "tls",
                            environment=computing and computing.environment) as agent:
                truth = play(agent, wanted.hold, computing)
                time.sleep(END_S)
                pid, answers = agent.pid, answered(agent)
        finally:
            monitor.end()
        report = monitor.report(pid)
    print(report["phase_answer"]["text"], flush=True)
    return truth.seconds(), reported(report, truth), answers, tokens(report)


def main():
    wanted, is_wrong = options(), False
    print("| agent | transport | state | true s | reported s | difference |\n|---|---|---|---|---|---|")
    for name in wanted.agent or AGENTS:
        reason = reason_to_skip(known.AGENTS[name])
        if reason:
            print("%s: skipped: %s" % (name, reason))
            continue
        for transport in wanted.transport or ("plain", "tls"):
            true, seen, answers, counted = one_run(name, transport, wanted)
            for state in sorted(true.keys() | seen.keys()):
                difference = 100 * (seen.get(state, 0) - true.get(state, 0)) / max(
                    true.get(state, 0), wanted.hold)
                print("| %s | %s | %s | %.1f | %.1f | %+.1f %% |" % (
                    name, transport, state, true.get(state, 0), seen.get(state, 0), difference),
                    flush=True)
                is_wrong |= abs(difference) > wanted.allowed
            print("| %s | %s | turns, tokens in, out | %s | %s | |" % (
                name, transport, answers, counted or "not written"), flush=True)
            is_wrong |= counted is not None and counted != answers
    sys.exit(is_wrong)


if __name__ == "__main__":
    main()
