# SPDX-License-Identifier: BSD-2-Clause
"""
Real agents in every mode: what each FIFO and the socket of `sooth monitor` carry, against what
`sooth trace`, `sooth sched` and the log of the fake server say of the same time.

    monitor_runs.py [--agent NAME]... [--transport plain|tls]... [--load N]... [--modes MODE,...]
                    [--seconds N] [--results FILE]

Everything is attached before the agent starts. A record is found where the other source has one of
the same thread and kind at the same time; "differ" counts found ones with other content, "lost" what
either side says that it lost. "late" counts times of API calls that are more than 5 ms behind the
server's, where trace says that the program read only then; they are not in the largest error. --results keeps a line for each run, and a later call goes on. Prints
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
BUFFER = "64M"  # agents make 200,000 calls in their first seconds
SAME_NS = 2_000_000  # of two attachments to one event, each with a clock reading of its own
SETTLE_S = 3
DRAIN_S = 150  # at load, until what was seen before has been written
QUIET_S = 4  # nothing more comes from an agent that has ended
# Waits without a system call, so that records come before the agent is there.
HOLDER = ["/bin/bash", "-c", 'exec 3<>"$0"; until read -t 0.05 -u 3; do :; done; exec 3<&-; "$@"; exit $?']
READ = re.compile("^(read|recv)")
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
    apart: int = 0  # found by their begins alone
    late: int = 0
    late_ns: int = 0
    time_ns: int = 0   # largest errors
    length_ns: int = 0  # of a duration
    size: str = ""
    wrong: list = dataclasses.field(default_factory=list)
    alone: list = dataclasses.field(default_factory=list)  # some of what was missed or invented
    reasons: dict = dataclasses.field(default_factory=dict)  # of what was lost

    def add(self, other):
        for name in ("found", "missed", "invented", "lost", "differ", "apart", "late"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.time_ns = max(self.time_ns, other.time_ns)
        self.late_ns = max(self.late_ns, other.late_ns)
        self.length_ns = max(self.length_ns, other.length_ns)
        self.size = max(self.size, other.size, key=lambda text: [int(word) for word in text.split() if
                                                                 word.isdigit()])
        self.wrong += other.wrong
        self.alone += other.alone

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


def reasons_of(ours, theirs):
    found = collections.Counter()
    for line in ours:
        if line["type"] == "loss":
            found[line["reason"]] += line["records"]
    for line in theirs:
        for one in line["loss"] if line["type"] == "end" else ():
            found["the other: %s" % one.get("what", one)] += one.get("records") or 0
    return dict(found)


def compare_streams(ours, theirs, kind, begin_ns, end_ns):
    """Records of one kind, thread by thread, each with the nearest other."""
    row = Row(lost=lost_in(ours) + lost_in(theirs), reasons=reasons_of(ours, theirs))
    apart = [collections.defaultdict(list), collections.defaultdict(list)]
    for lines, by_key in zip((ours, theirs), apart):
        for line in lines:
            if line["type"] == kind and not line.get("is_open"):
                by_key[tuple(line[name] for name in KEY[kind])].append(line)
    for key in {*apart[0], *apart[1]}:
        compare_key(row, apart[0][key], apart[1][key], kind, (begin_ns, end_ns))
    return row


def end_of(line):
    return line["time_ns"]


def begin_of(line):
    return line["time_ns"] - (line["duration_ns"] or 0)


def pair_by(time_of, ours, theirs):
    """[(one, other)] no farther apart than SAME_NS, and what is left of both."""
    ours, theirs = sorted(ours, key=time_of), sorted(theirs, key=time_of)
    pairs, left, their_left, at = [], [], [], 0
    for line in theirs:
        while at < len(ours) and time_of(ours[at]) < time_of(line) - SAME_NS:
            left.append(ours[at])
            at += 1
        if at < len(ours) and time_of(ours[at]) <= time_of(line) + SAME_NS:
            pairs.append((ours[at], line))
            at += 1
        else:
            their_left.append(line)
    return pairs, left + ours[at:], their_left


def compare_key(row, ours, theirs, kind, window):
    """By their ends; where a thread lost its processor between the two programs at its end, by their begins."""
    pairs, ours, theirs = pair_by(end_of, ours, theirs)
    more, ours, theirs = pair_by(begin_of, ours, theirs)

    def inside(line):
        return window[0] <= line["time_ns"] <= window[1]

    for one, other in pairs + more:
        if inside(other):
            compare_pair(row, one, other, kind)
    row.apart += sum(inside(other) for _, other in more)
    for lines, member in ((ours, "invented"), (theirs, "missed")):
        for line in filter(inside, lines):
            setattr(row, member, getattr(row, member) + 1)
            note_alone(row, member, line)


def note_alone(row, member, line):
    if len(row.alone) < 20:
        row.alone.append("%s: %s" % (member, {name: line.get(name) for name in (
            "time_ns", "tid", "state", "next", "name", "result", "duration_ns", "cpu_number", "waker_tid", "note")}))


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


class Reads:
    """What a process read from its descriptors, by trace."""

    def __init__(self, lines):
        self.times = collections.defaultdict(list)
        for line in lines:
            if line["type"] == "call" and line["fd"] is not None and (line["result"] or 0) > 0 and \
                    READ.search(line["name"]):
                self.times[line["pid"], line["fd"]].append(line["time_ns"])

    def was_late(self, call, server_ns, ours_ns):
        """It read at our time, and nothing between the server's time and that: a first read."""
        times = self.times[call["pid"], call["fd"]]
        return any(abs(one - ours_ns) < SAME_NS for one in times) and not any(
            server_ns < one < ours_ns - SAME_NS for one in times)

    def was_last(self, call, server_ns, ours_ns):
        """It read at our time, which is later: the rest of what the server wrote."""
        return ours_ns > server_ns and any(abs(one - ours_ns) < SAME_NS
                                           for one in self.times[call["pid"], call["fd"]])


def note_time(row, what, call, exchange, error):
    row.time_ns = max(row.time_ns, error)
    if error > api_truth.TIMES_NS and len(row.alone) < 20:
        row.alone.append("%s, %.1f ms: %s %s" % (what, error / 1e6, exchange, {
            name: value for name, value in call.items() if value is not None}))


def times_of(row, pairs, reads):
    """Largest errors, without those of a program that read late."""
    for call, exchange in pairs:
        # The request left within the calls that sent it.
        note_time(row, "begin", call, exchange, api_truth.outside(
            call["begin_ns"], call["begin_ns"] + (call["send_ns"] or 0), exchange.begin_ns))
        ends = [(exchange.first_ns, exchange.first_ns, call["first_byte_ns"], reads.was_late)]
        if call["outcome"] == "answered" and exchange.state == "answered":
            ends.append((exchange.last_begin_ns, exchange.last_ns, call["total_ns"], reads.was_last))
        for begin_ns, server_ns, after_ns, explains in ends:
            if not server_ns or after_ns is None:
                continue
            ours_ns = call["begin_ns"] + after_ns
            error = api_truth.outside(begin_ns, server_ns, ours_ns)
            if error > api_truth.TIMES_NS and explains(call, server_ns, ours_ns):
                row.late, row.late_ns = row.late + 1, max(row.late_ns, error)
            else:
                note_time(row, "answer", call, exchange, error)


def compare_calls(lines, exchanges, port, is_tls, end_ns, reads):
    """Of the calls to the fake server: some agents have other servers of their own."""
    row = Row(lost=lost_in(lines))
    events = collections.defaultdict(list)
    for line in lines:
        if line["type"] == "api_call" and line["begin_ns"] < end_ns and \
                api_truth.port_of(line["peer"]) == port:
            events[line["fd"], line["pid"], line["begin_ns"]].append(line)
    # What is still under way has no end yet: its begin and first byte are there.
    rows = [some[-1] if some[-1]["event"] == "end" else unended(some) for some in events.values()]
    exchanges = [one for one in exchanges if one.begin_ns < end_ns]
    if any(not line["is_exact"] for line in rows):
        return compare_connections(row, rows, exchanges)
    table = api_truth.compare(rows, exchanges, is_tls)
    row.found, row.missed, row.invented = table.found, len(table.missed), len(table.invented)
    times_of(row, api_truth.pair(rows, exchanges)[0], reads)
    row.size = "%d out, %d in" % (table.bytes_out, table.bytes_in)
    row.wrong = [str(one) for one in table.wrong]
    row.differ = len(table.wrong)
    for member in ("missed", "invented"):
        row.alone += ["%s: %s" % (member, one) for one in getattr(table, member)]
    return row


def compare_connections(row, rows, exchanges):
    """HTTP/2 was offered: calls are not counted. Each belongs to a connection, and those that were closed have
    the bytes of all theirs."""
    ports = {api_truth.port_of(line["local"]): line for line in rows}
    of_port = collections.defaultdict(list)
    for one in exchanges:
        of_port[one.port].append(one)
    row.found = len(ports.keys() & of_port.keys())
    row.missed, row.invented = len(of_port.keys() - ports.keys()), len(ports.keys() - of_port.keys())
    most_over = 0
    for port in ports.keys() & of_port.keys():
        if ports[port]["event"] != "end":
            continue
        received = sum(one.received for one in of_port[port])
        over = ports[port]["sent_bytes"] - received
        most_over = max(most_over, over)
        if over < 0 or over > api_truth.most(received, 8 * len(of_port[port])):
            row.wrong.append("%d of %d bytes" % (ports[port]["sent_bytes"], received))
    row.size = "%d over, %d connections, %d calls" % (most_over, row.found, len(exchanges))
    return row


def unended(events):
    last = dict(events[-1])
    last["outcome"] = "open" if any(line["event"] == "answer" for line in events) else "waiting"
    return last


class Observers:
    """The monitor with a reader of each FIFO and one of the socket, trace and sched, of one process."""

    def __init__(self, folder, pid, quiet_s):
        self.folder, self.children, self.quiet_s = folder, [], quiet_s
        self.fifos = os.path.join(folder, "fifos")
        self.monitor = self.start("monitor", harness.SOOTH, "monitor", "--fifo-dir", self.fifos,
                                  "--history-dir", self.path("history"), "--buffer", BUFFER, str(pid))
        harness.wait_until(lambda: os.path.exists(os.path.join(self.fifos, "monitor.sock")), "the monitor")
        for name in FEEDS:
            self.start(name, "tail", "-f", os.path.join(self.fifos, name + ".fifo"))
        self.start("socket", harness.SOOTH, "tail", "--fifo-dir", self.fifos)
        self.start("trace", harness.SOOTH, "trace", "-j", "--buffer", BUFFER, "-p", str(pid))
        self.start("sched", harness.SOOTH, "sched", "--records", "-j", "--buffer", BUFFER, "-p", str(pid))
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
        streams, grown = ("syscalls", "scheduler", "socket", "trace", "sched"), [0, time.monotonic()]

        def is_later():
            sizes = sum(os.path.getsize(self.path(name)) for name in streams)
            if sizes != grown[0]:
                grown[:] = [sizes, time.monotonic()]
            return all(self.last_ns(name) > end_ns for name in streams) or \
                time.monotonic() - grown[1] > self.quiet_s
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


def observe(agent, mode, is_tls, folder, quiet_s):
    held = os.path.join(folder, "held")
    os.mkfifo(held)
    mcp = ("tools",) if mode == modes.MCP_CALL else ()
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(Agent(agent, mode=mode, over_tls=is_tls, mcp=mcp,
                                            before=[*HOLDER, held]))
        harness.wait_until(lambda: HOLDER[0] in processes.arguments(running.child.pid), "the agent")
        observers = Observers(folder, running.child.pid, quiet_s)
        stack.callback(observers.stop)
        begin_ns = time.monotonic_ns()
        with open(held, "wb") as file:
            file.write(b"go\n")
        running.wait_until_in_mode()
        time.sleep(SETTLE_S)
        end_ns = time.monotonic_ns()
        observers.wait_until_later(end_ns)
        exchanges, port = running.requests(), api_truth.port_of(running.server.url)
        observers.stop()
    streams = {name: lines_of(observers.path(name)) for name in (*FEEDS, "socket", "trace", "sched")}
    reads = Reads(streams["trace"])
    # The socket has one order of losses for all its records.
    return {
        "syscalls": compare_streams(streams["syscalls"], streams["trace"], "call", begin_ns, end_ns),
        "scheduler": compare_streams(streams["scheduler"], streams["sched"], "state", begin_ns, end_ns),
        "api_calls": compare_calls(streams["api_calls"], exchanges, port, is_tls, end_ns, reads),
        "socket, calls": compare_streams(streams["socket"], streams["trace"], "call", begin_ns, end_ns),
        "socket, states": compare_streams(streams["socket"], streams["sched"], "state", begin_ns, end_ns),
        "socket, API": compare_calls(streams["socket"], exchanges, port, is_tls, end_ns, reads),
    }


def run(agent, mode, transport, load):
    busy = [subprocess.Popen(BUSY) for _ in range(load)]
    try:
        with tempfile.TemporaryDirectory(prefix="sooth-monitor-") as folder:
            return observe(agent, mode, transport == "tls", folder, QUIET_S * (3 if load else 1))
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
          "time, largest error | late | size over |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for (name, transport, load, source), row in sums.items():
        late = "%d, to %.0f ms" % (row.late, row.late_ns / 1e6) if row.late else ""
        print("| %s | %s | %d | %d | %s | %d | %d | %d | %d | %d | %.2f ms | %s | %s |" % (
            name, transport, load, runs[name, transport, load], source, row.found, row.missed,
            row.invented, row.lost, row.differ, row.time_ns / 1e6, late, row.size))
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
