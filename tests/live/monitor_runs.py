# SPDX-License-Identifier: BSD-2-Clause
"""
Real agents in every mode: what each FIFO and the socket of `sooth monitor` carry, against what
`sooth trace`, `sooth sched` and the log of the fake server say of the same time.

    monitor_runs.py [--agent NAME]... [--transport plain|tls]... [--load N]... [--modes MODE,...]
                    [--seconds N] [--results FILE]

Everything is attached before the agent starts. A record is found where the other source has one of
the same thread and kind at the same time; "differ" counts found ones with other content, "lost" what
either side says that it lost. --results keeps a line for each run, and a later call goes on. Prints
a table, a row for each agent, transport, load and source; status 1 when one has a record missed or
invented beyond what was lost, or one that differs.
"""
import argparse
import collections
import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import api_truth
import harness

from agents import known, modes, processes
from agents.agent import Agent, reason_to_skip

AGENTS = ("claude-code", "claude-code-node", "codex", "opencode", "gemini")
BUSY = ["sh", "-c", "while :; do :; done"]
FEEDS = ("api_calls", "scheduler", "syscalls")
SAME_NS = 2_000_000  # of two attachments to one event, each with a clock reading of its own
SETTLE_S = 3
DRAIN_S = 30  # at load, until what was seen before has been written
# Waits without a system call, so that records come before the agent is there.
HOLDER = ["/bin/bash", "-c", 'exec 3<>"$0"; until read -t 0.05 -u 3; do :; done; exec 3<&-; "$@"; exit $?']
KEY = {"call": ("tid", "name", "result"), "state": ("tid", "state", "next")}
CONTENT = {"call": ("error", "category", "path", "arguments"), "state": ("cpu_number", "waker_tid")}


@dataclasses.dataclass
class Row:
    """How far two sources agree; they add up."""
    found: int = 0
    missed: int = 0
    invented: int = 0
    lost: int = 0
    differ: int = 0
    time_ns: int = 0   # largest errors
    length_ns: int = 0  # of a duration
    size: str = ""
    wrong: list = dataclasses.field(default_factory=list)

    def add(self, other):
        for name in ("found", "missed", "invented", "lost", "differ"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.time_ns = max(self.time_ns, other.time_ns)
        self.length_ns = max(self.length_ns, other.length_ns)
        self.size = max(self.size, other.size, key=lambda text: [int(word) for word in text.split() if
                                                                 word.isdigit()])
        self.wrong += other.wrong

    def is_good(self):
        return self.missed + self.invented <= self.lost and not self.differ and not self.wrong


def lines_of(path):
    """Whole lines of JSON; tail(1) writes others between them."""
    with open(path, "rb") as file:
        text = file.read()
    return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()
            if line.startswith(b"{")]


def lost_in(lines):
    lost = sum(line["records"] for line in lines if line["type"] == "loss")
    for line in lines:  # the notes of trace and sched
        if line["type"] == "end":
            lost += sum(one.get("records") or 0 for one in line["loss"])
    return lost


def compare_streams(ours, theirs, kind, begin_ns, end_ns):
    """Records of one kind, thread by thread, each with the nearest other."""
    row = Row(lost=lost_in(ours) + lost_in(theirs))
    apart = [collections.defaultdict(list), collections.defaultdict(list)]
    for lines, by_key in zip((ours, theirs), apart):
        for line in lines:
            if line["type"] == kind and not line.get("is_open"):
                by_key[tuple(line[name] for name in KEY[kind])].append(line)
    for key in {*apart[0], *apart[1]}:
        compare_key(row, apart[0][key], apart[1][key], kind, (begin_ns, end_ns))
    return row


def compare_key(row, ours, theirs, kind, window):
    ours, theirs = (sorted(lines, key=lambda line: line["time_ns"]) for lines in (ours, theirs))
    at, inside = 0, lambda line: window[0] <= line["time_ns"] <= window[1]
    for line in theirs:
        while at < len(ours) and ours[at]["time_ns"] < line["time_ns"] - SAME_NS:
            row.invented += inside(ours[at])
            at += 1
        if at < len(ours) and ours[at]["time_ns"] <= line["time_ns"] + SAME_NS:
            if inside(line):
                compare_pair(row, ours[at], line, kind)
            at += 1
        else:
            row.missed += inside(line)
    row.invented += sum(inside(line) for line in ours[at:])


def content(line, name):
    """What a descriptor is called depends on when it was first seen."""
    value = line.get(name)
    return re.sub("<[^>]*>+", "<>", value) if name == "arguments" and value else value


def compare_pair(row, one, other, kind):
    row.found += 1
    row.time_ns = max(row.time_ns, abs(one["time_ns"] - other["time_ns"]))
    if one["duration_ns"] is not None and other["duration_ns"] is not None and \
            not one.get("is_since_attach") and not other.get("is_since_attach"):
        row.length_ns = max(row.length_ns, abs(one["duration_ns"] - other["duration_ns"]))
    different = [name for name in CONTENT[kind] if content(one, name) != content(other, name)]
    row.differ += bool(different)
    if different and len(row.wrong) < 5:
        row.wrong.append(str([(name, one.get(name), other.get(name)) for name in different] + [
            one[name] for name in KEY[kind]]))


def compare_calls(lines, exchanges, is_tls, end_ns):
    row = Row(lost=lost_in(lines))
    events = collections.defaultdict(list)
    for line in lines:
        if line["type"] == "api_call" and line["begin_ns"] < end_ns:
            events[line["fd"], line["pid"], line["begin_ns"]].append(line)
    # What is still under way has no end yet: its begin and first byte are there.
    rows = [some[-1] if some[-1]["event"] == "end" else unended(some) for some in events.values()]
    if any(not line["is_exact"] for line in rows):
        return compare_connections(row, rows, exchanges)
    table = api_truth.compare(rows, [one for one in exchanges if one.begin_ns < end_ns], is_tls)
    row.found, row.missed, row.invented = table.found, len(table.missed), len(table.invented)
    row.time_ns = max(table.begin_ns, default=0)
    row.length_ns = max(table.first_ns + table.last_ns, default=0)
    row.size = "%d out, %d in" % (table.bytes_out, table.bytes_in)
    row.wrong = [str(one) for one in table.wrong]
    row.differ = len(table.wrong)
    return row


def compare_connections(row, rows, exchanges):
    """HTTP/2 was offered: calls are not counted, and connections move all their bytes."""
    sent = sum(line["sent_bytes"] or 0 for line in rows)
    received = sum(one.received for one in exchanges)
    row.found, row.size = len(rows), "%d connections for %d calls" % (len(rows), len(exchanges))
    if sent < received:
        row.wrong.append("%d of %d bytes" % (sent, received))
    return row


def unended(events):
    last = dict(events[-1])
    last["outcome"] = "open" if any(line["event"] == "answer" for line in events) else "waiting"
    return last


class Observers:
    """The monitor with a reader of each FIFO and one of the socket, trace and sched, of one process."""

    def __init__(self, folder, pid):
        self.folder, self.children = folder, []
        self.fifos = os.path.join(folder, "fifos")
        self.monitor = self.start("monitor", harness.SOOTH, "monitor", "--fifo-dir", self.fifos, str(pid))
        harness.wait_until(lambda: os.path.exists(os.path.join(self.fifos, "monitor.sock")), "the monitor")
        for name in FEEDS:
            self.start(name, "tail", "-f", os.path.join(self.fifos, name + ".fifo"))
        self.start("socket", harness.SOOTH, "tail", "--fifo-dir", self.fifos)
        self.start("trace", harness.SOOTH, "trace", "-j", "-p", str(pid))
        self.start("sched", harness.SOOTH, "sched", "--records", "-j", "-p", str(pid))
        harness.wait_until(lambda: all(self.has(name, b'"call"') for name in ("syscalls", "trace")) and
                           all(self.has(name, b'"state"') for name in ("scheduler", "sched")) and
                           self.has("socket", b'"state"') and self.has("socket", b'"call"') and
                           self.has("api_calls", b'"begin"'), "all to be attached")

    def start(self, name, *command):
        with open(self.path(name), "wb") as out, open(self.path(name + ".err"), "wb") as err:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.children.append((name, child))
        return child

    def path(self, name):
        return os.path.join(self.folder, name)

    def has(self, name, text):
        with open(self.path(name), "rb") as file:
            return text in file.read()

    def wait_until_later(self, end_ns):
        """Until each stream of calls and states has something later than that."""
        def is_later():
            return all(self.last_ns(name) > end_ns for name in ("syscalls", "scheduler", "trace", "sched"))
        with contextlib.suppress(AssertionError):  # an agent may be silent
            harness.wait_until(is_later, "later records", timeout=DRAIN_S)
        time.sleep(1)

    def last_ns(self, name):
        with open(self.path(name), "rb") as file:
            file.seek(max(0, os.path.getsize(self.path(name)) - 65536))
            times = re.findall(rb'"time_ns":(\d+)', file.read())
        return max(map(int, times), default=0)

    def stop(self):
        # The readers last: what the monitor still has is written at its end, or never.
        for name, child in sorted(self.children, key=lambda one: one[0] not in ("trace", "sched")):
            if child.poll() is None:
                child.send_signal(signal.SIGINT if name in ("trace", "sched") else signal.SIGTERM)
            child.wait(60)


def observe(agent, mode, is_tls, folder):
    held = os.path.join(folder, "held")
    os.mkfifo(held)
    mcp = ("tools",) if mode == modes.MCP_CALL else ()
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(Agent(agent, mode=mode, over_tls=is_tls, mcp=mcp,
                                            before=[*HOLDER, held]))
        harness.wait_until(lambda: HOLDER[0] in processes.arguments(running.child.pid), "the agent")
        observers = Observers(folder, running.child.pid)
        stack.callback(observers.stop)
        begin_ns = time.monotonic_ns()
        with open(held, "wb") as file:
            file.write(b"go\n")
        running.wait_until_in_mode()
        time.sleep(SETTLE_S)
        end_ns, exchanges = time.monotonic_ns(), running.requests()
        observers.wait_until_later(end_ns)
        observers.stop()
    streams = {name: lines_of(observers.path(name)) for name in (*FEEDS, "socket", "trace", "sched")}
    # The socket has one order of losses for all its records.
    return {
        "syscalls": compare_streams(streams["syscalls"], streams["trace"], "call", begin_ns, end_ns),
        "scheduler": compare_streams(streams["scheduler"], streams["sched"], "state", begin_ns, end_ns),
        "api_calls": compare_calls(streams["api_calls"], exchanges, is_tls, end_ns),
        "socket, calls": compare_streams(streams["socket"], streams["trace"], "call", begin_ns, end_ns),
        "socket, states": compare_streams(streams["socket"], streams["sched"], "state", begin_ns, end_ns),
        "socket, API": compare_calls(streams["socket"], exchanges, is_tls, end_ns),
    }


def run(agent, mode, transport, load):
    busy = [subprocess.Popen(BUSY) for _ in range(load)]
    try:
        with tempfile.TemporaryDirectory(prefix="sooth-monitor-") as folder:
            return observe(agent, mode, transport == "tls", folder)
    finally:
        for child in busy:
            child.kill()
            child.wait()


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", action="append", choices=AGENTS)
    parser.add_argument("--transport", action="append", choices=("plain", "tls"))
    parser.add_argument("--load", action="append", type=int)
    parser.add_argument("--modes", default=",".join(modes.ALL))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no run after")
    parser.add_argument("--results", help="file with a JSON line for each run")
    return parser.parse_args()


def selected(o):
    return [(name, mode, transport, load) for load in o.load or (0, 10) for name in o.agent or AGENTS
            for transport in o.transport or ("plain", "tls") for mode in o.modes.split(",")]


def print_table(results):
    sums, runs = {}, collections.Counter()
    for (name, _, transport, load), rows in results:
        runs[name, transport, load] += 1
        for source, row in rows.items():
            sums.setdefault((name, transport, load, source), Row()).add(row)
    print("| agent | transport | load | modes | source | found | missed | invented | lost | differ | "
          "time, largest error | length | size over |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for (name, transport, load, source), row in sums.items():
        print("| %s | %s | %d | %d | %s | %d | %d | %d | %d | %d | %.2f ms | %.2f ms | %s |" % (
            name, transport, load, runs[name, transport, load], source, row.found, row.missed,
            row.invented, row.lost, row.differ, row.time_ns / 1e6, row.length_ns / 1e6, row.size))
    return sums


def read_results(path):
    if not path or not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        kept = [json.loads(line) for line in file]
    return [(tuple(one["run"]), {source: Row(**row) for source, row in one["rows"].items()})
            for one in kept]


def one_run(case, o):
    name, mode, transport, load = case
    reason = reason_to_skip(known.AGENTS[name])
    if reason:
        print("skip %s: %s" % (name, reason), file=sys.stderr)
        return None
    begin = time.monotonic()
    try:
        rows = run(known.AGENTS[name], mode, transport, load)
    except AssertionError as error:
        print("%s %s %s %d: no run: %s" % (*case, str(error)[:2000]), file=sys.stderr)
        return None
    print("%s %s %s %d: %.0f s" % (*case, time.monotonic() - begin), file=sys.stderr)
    for source, row in rows.items():
        print("    %-16s %s" % (source, row), file=sys.stderr)
    if o.results:
        with open(o.results, "a", encoding="utf-8") as file:
            file.write(json.dumps({"run": case, "rows": {source: dataclasses.asdict(row)
                                                         for source, row in rows.items()}}) + "\n")
    return case, rows


def main():
    o, begin = options(), time.monotonic()
    results = read_results(o.results)
    cases = [case for case in selected(o) if case not in {done for done, _ in results}]
    missing = 0
    for case in cases:
        if time.monotonic() - begin > o.seconds:
            break
        result = one_run(case, o)
        missing += result is None
        results += [result] if result else []
    sums = print_table(results)
    bad = sum(not row.is_good() for row in sums.values())
    print("%d runs, %d without their mode; %d of %d sources agree" % (
        len(results), missing, len(sums) - bad, len(sums)))
    return 1 if bad or not sums else 0


if __name__ == "__main__":
    sys.exit(main())
