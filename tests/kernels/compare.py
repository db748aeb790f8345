#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judges what a guest wrote to its console (see the guest script's markers).

Prints a line `ok ID what (N.N s)` or `FAIL ID what: why` for each check, always
the same checks: one the guest never came to has failed. Exit status 1 when any
failed. Kernel messages never reach a marked file (the console's log level is
low), and if one does the file no longer parses, which fails too.
"""

import argparse
import json
import re
import sys

DIFFERENCES_SHOWN = 8


class Failed(Exception):
    """A check's reason to fail."""


class Console:
    """The console's text taken apart by its markers."""

    def __init__(self, text):
        self.release = None
        self.exit = None
        self.status = {}
        self.seconds = {}
        self.uptimes = []
        self.files = {}
        name, lines = None, []
        step, step_from = None, 0.0
        for line in text.replace("\r", "").split("\n"):
            word, _, rest = line.partition(" ")
            if name is not None:
                if word == "GUEST-END" and rest == name:
                    self.files[name] = "\n".join(lines)
                    name = None
                else:
                    lines.append(line)
            elif word == "GUEST-FILE":
                name, lines = rest, []
            elif word == "GUEST-RELEASE":
                self.release = rest
            elif word == "GUEST-UPTIME":
                self.uptimes.append(float(rest))
                if step:
                    self.seconds[step] = self.uptimes[-1] - step_from
                    step = None
            elif word == "GUEST-STEP":
                step, step_from = rest, self.uptimes[-1]
            elif word == "GUEST-STATUS":
                key, _, number = rest.rpartition(" ")
                self.status[key] = int(number)
            elif word == "GUEST-EXIT":
                self.exit = int(rest)

    def require(self, step):
        if step not in self.status:
            raise Failed("the guest did not come to the end of it")
        if self.status[step]:
            raise Failed(f"exit status {self.status[step]}")

    def file(self, name):
        if name not in self.files:
            raise Failed(f"no {name} file came out of the guest")
        return self.files[name]

    def object(self, name):
        try:
            value = json.loads(self.file(name))
        except ValueError as error:
            raise Failed(f"{name}: not JSON: {error}") from None
        if not isinstance(value, dict):
            raise Failed(f"{name}: not a JSON object")
        return value


def check_boot(console, version):
    if console.release is None:
        raise Failed("the guest script was never reached")
    if not re.match(re.escape(version) + r"(\D|$)", console.release):
        raise Failed(f"booted {console.release}, not {version}")


def check_exit(console):
    if console.exit is None:
        raise Failed("the guest ended without telling its status")
    if console.exit:
        raise Failed(f"exit status {console.exit}")


def element_name(element):
    return next((element[key] for key in ("id", "name", "probe") if key in element), None)


def walk(value, path):
    """What a dotted path leads to; list elements are picked by id, name or probe."""
    for word in path.split("."):
        if isinstance(value, list):
            # Of several methods of a probe the first is the best.
            value = {element_name(e): e for e in reversed(value) if isinstance(e, dict)}
        if not isinstance(value, dict) or word not in value:
            raise Failed(f"{path}: nothing called {word}")
        value = value[word]
    return value


def check_doctor(console, expectations):
    console.require("doctor")
    report = console.object("doctor")
    for expectation in expectations:
        path, _, wanted = expectation.partition("=")
        value = walk(report, path)
        text = value if isinstance(value, str) else json.dumps(value)
        if text != wanted:
            raise Failed(f"{path} is {text}, not {wanted}")


def read_truth(text):
    """Calls and errors by name: lines "name calls errors", comments with #."""
    truth = {}
    for line in text.splitlines():
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) != 3 or not (fields[1] + fields[2]).isdigit() or fields[0] in truth:
            raise Failed(f"truth: cannot use the line {line!r}")
        truth[fields[0]] = (int(fields[1]), int(fields[2]))
    if not truth:
        raise Failed("truth: no line in it, so nothing would be compared")
    return truth


def read_counts(report):
    """Calls and errors by name; several rows of one name (an ABI, a process) add up."""
    counts = {}
    try:
        for row in report["syscalls"]:
            calls, errors = counts.get(row["name"], (0, 0))
            counts[row["name"]] = (calls + int(row["count"]), errors + int(row["errors"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Failed(f"trace: no syscalls[]{{name,count,errors}} in it: {error!r}") from None
    return counts


def preempted(console, told):
    """How many entries and returns of calls were told as lost to preemption: from Linux 7 on the
    kernel skips a program of a system call where another thread was preempted in it (see
    docs/design-notes.md). Anything else that was lost fails."""
    other = [row for row in told if "preempted thread was inside it" not in row.get("reason", "")]
    if other or (told and int(console.release.partition(".")[0]) < 7):
        raise Failed(f"told as not seen: {told}")
    return sum(row["records"] for row in told)


def check_counts(console, step="trace", made="truth", found="trace"):
    console.require(step)
    truth = read_truth(console.file(made))
    counts = read_counts(console.object(found))
    wrong = [
        f"{name} {counts.get(name, (0, 0))} for {true}"
        for name, true in sorted(truth.items())
        if counts.get(name, (0, 0)) != true
    ]
    told = preempted(console, console.object(found).get("loss", []))
    missing = sum(max(0, calls - counts.get(name, (0, 0))[0]) for name, (calls, _) in truth.items())
    more_than_true = [name for name, (calls, _) in truth.items() if counts.get(name, (0, 0))[0] > calls]
    if wrong and not more_than_true and missing <= told:
        return f"{missing} of {sum(calls for calls, _ in truth.values())} calls missed, told as loss"
    if wrong:
        more = "" if len(wrong) <= DIFFERENCES_SHOWN else ", …"
        raise Failed(
            f"{len(wrong)} of {len(truth)} counts wrong: "
            + ", ".join(wrong[:DIFFERENCES_SHOWN])
            + more
        )
    return f"all {len(truth)} names, {sum(calls for calls, _ in truth.values())} calls"


def unescape(text):
    """Bytes that truth and stream write differently: here a character each."""
    text = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)


def call_of_row(row):
    if row["result"] is None:
        result = "?"
    else:
        result = f"-1 {row['error']}" if row["error"] else str(row["result"])
    return row["name"], unescape(row["arguments"] or ""), result  # None: entered before attach


SKIPPED_MOST = 400  # before the first call that is told


def misses(true, seen):
    """Calls that were told and are not there, or not in that order."""
    at = 0
    for row in true:
        near = seen[at:at + SKIPPED_MOST]
        if row in near:
            at += near.index(row) + 1
            continue
        like = next((s for s in near if s[0] == row[0]), ("nothing", "", ""))
        yield f"{like[0]}({like[1]}) = {like[2]} for {row[0]}({row[1]}) = {row[2]}"


def check_calls(console):
    """Name, arguments, result and error of each call that the workload tells, thread by thread."""
    console.require("calls")
    truth, rows = {}, {}
    for line in filter(None, console.file("calls-truth").split("\n")):
        if line.count("\t") < 4:
            raise Failed(f"calls-truth: cannot use the line {line!r}")
        tid, name, result, _path, arguments = line.split("\t", 4)
        truth.setdefault(tid, []).append((name, unescape(arguments), result))
    try:
        lines = [json.loads(line) for line in console.file("calls").split("\n") if line]
        lost = lines[-1]["loss"]
        for line in lines:
            if line["type"] == "call":
                rows.setdefault(str(line["tid"]), []).append(call_of_row(line))
    except (ValueError, KeyError, IndexError) as error:
        raise Failed(f"calls: not lines of calls: {error!r}") from None
    told = preempted(console, lost)
    wrong = []
    for tid, true in truth.items():
        wrong += misses(true, rows.get(tid, []))
    if len(wrong) > told or not truth:
        raise Failed(f"{len(wrong)} calls wrong: " + "; ".join(wrong[:DIFFERENCES_SHOWN]))
    if wrong:
        return f"{len(wrong)} of {sum(map(len, truth.values()))} calls missed, told as loss"
    return f"all {sum(map(len, truth.values()))} calls of {len(truth)} threads, every argument"


FILE_OF_32_BITS = "/proc/version"  # compat32.c


def check_compat(console):
    """A program of 32 bits: its strings are read, and its descriptors have a name."""
    console.require("compat")
    if "compat" not in console.files:
        return "no such program was built"
    rows = [json.loads(line) for line in console.file("compat").splitlines() if line]
    calls = [call_of_row(row)[:2] for row in rows if row["type"] == "call"]
    for call, start in (("open", f'"{FILE_OF_32_BITS}", O_RDONLY'), ("read", f"3<{FILE_OF_32_BITS}>, ")):
        if not any(name == f"i386:{call}" and words.startswith(start) for name, words in calls):
            raise Failed(f"compat: no {call}({start}: {[c for c in calls if c[0] != 'i386:getppid']}")
    return f"{len(calls)} calls"


def check_api(console):
    """One request, with what shows of it and nothing of its query."""
    console.require("api")
    lines = [json.loads(line) for line in console.files.get("api", "").splitlines() if line]
    calls = [line for line in lines if line["type"] == "api_call"]
    if [(call["method"], call["path"], call["http_status"]) for call in calls] != [
            ("GET", "/page", 200)]:
        raise Failed(f"calls: {calls or lines}")
    if "hidden" in console.files["api"]:
        raise Failed("the query of the request is in the output")


def check_uring(console):
    console.require("uring")
    words = [line.split() for line in console.file("uring-truth").splitlines()]
    true = {w[2]: int(w[3]) for w in words if w[:2] == ["#", "uring"]}
    try:
        seen = {row["opcode"]: row["count"] for row in console.object("uring")["io_uring"]}
    except (KeyError, TypeError) as error:
        raise Failed(f"uring: no io_uring[]{{opcode,count}} in it: {error!r}") from None
    if seen != true or not true:
        raise Failed(f"uring: {seen} for {true}")
    return f"{sum(true.values())} requests"


LIBRARY_CALLS = 40  # what the C library allocates for itself: a stream, storage of threads


def check_heap(console):
    console.require("heap")
    truth, report = console.object("heap-truth"), console.object("heap")
    try:
        true = {name: row["count"] for name, row in truth["functions"].items()}
        seen = {name: row["count"] for name, row in report["heap_by_function"].items()}
        told = preempted(console, report["loss"] + report["heap_gaps"])
    except (KeyError, TypeError, AttributeError) as error:
        raise Failed(f"heap: no heap_by_function, loss and gaps in it: {error!r}") from None
    # glibc's memalign and aligned_alloc are one function.
    for counts in (true, seen):
        counts["aligned_alloc"] = counts.get("aligned_alloc", 0) + counts.pop("memalign", 0)
    wrong = [f"{name} {seen.get(name, 0)} for {count}" for name, count in sorted(true.items())
             if not 0 <= seen.get(name, 0) - count <= LIBRARY_CALLS]
    more = [name for name, count in true.items() if seen.get(name, 0) > count + LIBRARY_CALLS]
    missing = sum(max(0, count - seen.get(name, 0)) for name, count in true.items())
    if more or missing > told or not sum(true.values()):
        raise Failed("calls wrong: " + ", ".join(wrong))
    if missing:
        return f"{missing} of {sum(true.values())} calls missed, told as loss"
    return f"all {len(true)} functions, {sum(true.values())} calls by {report['sources'][0]['method']}"


def check_heap_stacks(console):
    """Nearly every allocation has a stack, whole up to the entry of its thread."""
    console.require("stacks")
    truth, report = console.object("stacks-truth"), console.object("heap-stacks")
    made = sum(row["count"] - row["failed"] for name, row in truth["functions"].items()
               if name != "free")
    rows = report["heap_stacks"]
    whole = sum(row["calls"] for row in rows if row["end"] == "whole")
    missed = preempted(console, report["loss"] + report["heap_gaps"])
    if whole + missed < 0.95 * made or not made:
        raise Failed(f"heap stacks: {whole} of {made} whole, {missed} missed")
    return f"{whole} of {made} whole, {len(rows)} stacks"


def check_heap_sums(console):
    """What the kernel added up: every block, with what is live of it, by process and by stack."""
    console.require("sums")
    truth, report = console.object("sums-truth"), console.object("heap-sums")
    made = sum(row["count"] - row["failed"] for name, row in truth["functions"].items()
               if name != "free")
    totals, rows = report["heap_totals"], report["heap_stacks"]
    missed = preempted(console, report["loss"] + report["heap_gaps"])
    seen = sum(row["calls"] for row in rows)
    # A realloc to nothing succeeds and allocates nothing.
    if not made or seen + missed < 0.95 * made or seen > made + LIBRARY_CALLS:
        raise Failed(f"heap sums: {seen} of {made} allocations, {missed} missed: {totals} "
                     f"{report['loss']} {report['limits']}")
    live = sum(row["live_bytes"] for row in rows)
    if live != totals["live_bytes"] or not live:
        raise Failed(f"heap sums: {live} bytes by stack, {totals['live_bytes']} by process")
    return f"{seen} allocations, {totals['live_blocks']} blocks live, {len(rows)} stacks"


# Links that probe a return only if it is needed; not on aarch64 (heap_return_links.c).
SESSIONS_FROM = (6, 13)


def check_heap_sampled(console):
    """Each call is counted once, and what is estimated is near the truth."""
    console.require("sampled")
    truth, report = console.object("sampled-truth"), console.object("heap-sampled")
    missed = preempted(console, report["loss"] + report["heap_gaps"])
    seen, true = ({name: row["count"] for name, row in rows.items()}
                  for rows in (report["heap_by_function"], truth["functions"]))
    for name in ("malloc", "calloc", "realloc", "free"):
        if not -missed <= seen.get(name, 0) - true[name] <= LIBRARY_CALLS:
            raise Failed(f"heap sampled: {seen.get(name, 0)} of {true[name]} {name}")
    rows = report["heap_stacks"]
    estimate = sum(row["allocated_bytes"] for row in rows)
    error = sum(row["allocated_error_bytes"] ** 2 for row in rows) ** 0.5
    if abs(estimate - truth["allocated_bytes"]) > 2 * error + 0.01 * truth["allocated_bytes"] and not missed:
        raise Failed(f"heap sampled: {estimate} +-{error:.0f} bytes of {truth['allocated_bytes']}")
    release = tuple(int(part) for part in re.findall(r"\d+", console.release)[:2])
    links = report["heap_probes"]["sessions"] or 0
    if bool(links) != (release >= SESSIONS_FROM and not console.release.endswith("arm64")):
        raise Failed(f"heap sampled: {links} session links")
    return f"{sum(seen.values())} calls, {links} session links"


def check_inspect(console):
    """Each detail of a process with five more threads; none was lost or refused."""
    console.require("inspect")
    report = console.object("inspect")
    try:
        threads = len(report["threads"])
        empty = [name for name in ("fds", "maps", "threads", "signals", "resource_limits",
                                   "environment") if not report[name]]
        methods = {row["probe"]: row["method"] for row in report["sources"]}
        lost = report["loss"]
    except (KeyError, TypeError) as error:
        raise Failed(f"inspect: no threads, fds, ... in it: {error!r}") from None
    if threads != 6:
        raise Failed(f"inspect: {threads} threads of 6")
    if empty or lost:
        raise Failed(f"inspect: empty: {empty}, lost: {lost}")
    return ", ".join(f"{probe} by {method}" for probe, method in sorted(methods.items()))


def ended(console, name):
    """The finding about how the one process of a report has ended, and its evidence."""
    try:
        report = console.object(name)
        found = [f for p in report["processes"] for f in p["findings"] if f["id"] == "ended-abnormally"]
        methods = {row["probe"]: row["method"] for row in report["sources"]}
        evidence = {e["name"]: e for e in found[0]["evidence"]}
    except (KeyError, TypeError, IndexError) as error:
        raise Failed(f"ends: {name}: nothing of an end: {error!r}") from None
    if methods.get("exit_reasons") != "bpf":
        raise Failed(f"ends: by {methods.get('exit_reasons')}: {report['sources']}")
    return found[0]["claim"], evidence


def check_ends(console):
    """Who killed it is named; of one that the kernel killed, that memory was out and how much it had."""
    console.require("ends")
    killed, _ = ended(console, "killed")
    if "killed by SIGKILL from sh (pid" not in killed:
        raise Failed(f"ends: {killed}")
    claim, evidence = ended(console, "oom")
    resident = evidence.get("anonymous memory", {}).get("value")
    if "control group /small ran out of memory" not in claim or not resident or not 10 << 20 < resident < 21 << 20:
        raise Failed(f"ends: {claim}: {evidence}")
    return f"sender named; out of memory with {resident / (1 << 20):.1f}M"


def folded(console, name):
    """Stacks as (functions, samples), without the process and the role of its thread."""
    for line in filter(None, console.file(f"{name}-stacks").split("\n")):
        names, _, count = line.rpartition(" ")
        if not count.isdigit():
            raise Failed(f"{name}-stacks: cannot use the line {line!r}")
        yield names.split(";")[2:], int(count)


def stacks_below(console, name, caller):
    """Samples by the function that stands below `caller`, of stacks that begin at main; and of all
    stacks with this caller the share that does."""
    functions, whole, total = {}, 0, 0
    for stack, count in folded(console, name):
        if caller not in stack:
            continue
        total += count
        if "main" in stack:
            whole += count
            below = stack[stack.index(caller) + 1:] or [""]
            functions[below[0]] = functions.get(below[0], 0) + count
    if total < SAMPLES_LEAST:
        raise Failed(f"{name}: {total} samples with {caller}")
    return functions, whole / total


SAMPLES_LEAST = 60  # the clock of an emulated machine has a hundredth part of a second
SHARES = {"seventy": 0.7, "twenty": 0.2, "ten": 0.1}
SHARE_WITHIN = 0.16
WHOLE_LEAST = 0.3  # what is sampled before a table is made ends there


def check_profile(console):
    """Functions of known shares, called as they are, with and without frame pointers."""
    console.require("profile")
    notes = []
    for name in ("profile-fp", "profile-tables"):
        report = console.object(name)
        if report.get("loss"):
            raise Failed(f"{name}: lost: {report['loss']}")
        functions, whole = stacks_below(console, name, "inner")
        for function, share in SHARES.items():
            has = functions.get(function, 0) / sum(functions.values())
            if abs(has - share) > SHARE_WITHIN:
                raise Failed(f"{name}: {function}: {has:.2f} of the samples for {share}")
        if whole < WHOLE_LEAST:
            raise Failed(f"{name}: {whole:.2f} of the stacks reach main")
        notes.append(f"{whole * 100:.0f} %")
    deep = [count for stack, count in folded(console, "deep")
            if stack.count("deep") == 101 and "main" in stack and "spend" in stack]
    total = sum(count for stack, count in folded(console, "deep") if "spend" in stack)
    if total < SAMPLES_LEAST or sum(deep) < WHOLE_LEAST * total:
        raise Failed(f"deep: {sum(deep)} of {total} stacks have 101 frames")
    return f"stacks that reach main: {', '.join(notes)}; {sum(deep)} of {total} with 101 frames"


def check_names(console):
    """Functions of Python, in samples while they run and in a stack while they wait."""
    console.require("names")
    if "names-stacks" not in console.files:
        return "there was no Python"
    samples = list(folded(console, "names"))
    total = sum(count for _, count in samples)
    named = sum(count for stack, count in samples if any("spin_in_python" in frame for frame in stack))
    if total < SAMPLES_LEAST or named < WHOLE_LEAST * total:
        raise Failed(f"names: {named} of {total} samples have the function")
    if "sleep_in_python" not in console.file("names-stack"):
        raise Failed(f"names: not in the stack: {console.file('names-stack')}")
    return f"{named} of {total} samples"


def check_heap_pages(console):
    """What a command touched is gone with it; of every fault, the kernel sees what is given back.

    Which of its few hundred faults are samples is chance, so none of these needs to have been given back."""
    console.require("pages")
    for name in ("pages", "pages-sampled"):
        totals = console.object(name)["page_totals"]
        gone = totals["released_bytes"] + totals["ended_bytes"]
        if not totals["touched_bytes"] or totals["remaining_bytes"] or gone != totals["touched_bytes"]:
            raise Failed(f"{name}: {totals}")
    exact = console.object("pages")["page_totals"]
    if not exact["released_bytes"] or exact["recorded"] != exact["faults"]:
        raise Failed(f"pages: {exact}")
    return f"{exact['touched_bytes']} bytes touched, {exact['released_bytes']} given back"


def check_waits(console):
    """The sleep of a command is a wait with its call, and is whole."""
    console.require("waits")
    report = console.object("waits")
    slept = [row for row in report["waits_by_function"] if row["reason"] == "sleep"]
    if sum(row["waited_ns"] for row in slept) < 0.9e9 or not slept[0]["call"]:
        raise Failed(f"waits: {report['waits_by_function']}")
    return f"{slept[0]['call']} in {slept[0]['function']}"


def check_states(console):
    """States of each thread add up to its time; the sleeps are seen."""
    console.require("states")
    report = console.object("states")
    parts = ("running_ns", "ready_ns", "sleeping_ns", "blocked_ns", "stopped_time_ns")
    for row in report["threads"]:
        if sum(row[name] for name in parts) != row["wall_ns"]:
            raise Failed(f"states: {row}")
    slept = sum(row["sleeping_ns"] for row in report["threads"] if row["thread"] == "sleep")
    if slept < 1.4e9 or report["loss"]:
        raise Failed(f"states: {report}")
    return f"{len(report['threads'])} threads"


def check_resident(console):
    """The buffer of dd is in the peak, and VmHWM agrees."""
    console.require("resident")
    row = console.object("resident")["resident_peaks"][0]
    if not 32 << 20 <= row["rss_anonymous_bytes"] + row["error_bytes"] < 36 << 20 or row["difference"]:
        raise Failed(f"resident: {row}")
    return f"{row['peak_bytes']}, VmHWM {row['kernel_peak_bytes']}"


def check_container(console):
    """Counts are exact, ids are those of the namespace, and the sender of a signal is named."""
    note = check_counts(console, "container", "inner-truth", "inner")
    # Beside the shell only sooth, and its processes that parse.
    names = {row["pid"]: row["name"] for row in console.object("inner-ps")["processes"]}
    if 1 not in names or any(not name.startswith("sooth") for pid, name in names.items() if pid != 1):
        raise Failed(f"container: {names}")
    claims = [f["claim"] for p in console.object("inner-killed")["processes"] for f in p["findings"]]
    if not any(claim.startswith("killed by SIGKILL from ") for claim in claims):
        raise Failed(f"container: {claims}")
    return note


def check_iterators(console):
    console.require("iterators")
    told = console.file("iterators").split("\n")
    skipped = [line for line in told if "skipped" in line]
    return "; ".join(skipped) or "processes as by procfs"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--id", required=True, help="the kernel's name in the lines printed")
    parser.add_argument("--elapsed", type=float, default=0, help="seconds the machine ran")
    parser.add_argument("--expect", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("console", help="file with the console's output")
    options = parser.parse_args()

    with open(options.console, encoding="utf-8", errors="surrogateescape") as file:
        console = Console(file.read())
    up = console.uptimes
    if console.exit is None:  # when it ended says nothing: the guest's own clock
        boot = up[0] if up else options.elapsed
    else:
        boot = options.elapsed - (up[-1] - up[0] if up else 0)
    version = re.match(r"[\d.]*", options.id).group()
    checks = (
        (f"boot {console.release or ''}".rstrip(), boot, lambda: check_boot(console, version)),
        ("doctor", console.seconds.get("doctor", 0), lambda: check_doctor(console, options.expect)),
        ("syscall counts", console.seconds.get("trace", 0), lambda: check_counts(console)),
        ("decoding", console.seconds.get("calls", 0), lambda: check_calls(console)),
        ("32 bits", console.seconds.get("compat", 0), lambda: check_compat(console)),
        ("api calls", console.seconds.get("api", 0), lambda: check_api(console)),
        ("io_uring", console.seconds.get("uring", 0), lambda: check_uring(console)),
        ("allocations", console.seconds.get("heap", 0), lambda: check_heap(console)),
        ("heap stacks", console.seconds.get("stacks", 0), lambda: check_heap_stacks(console)),
        ("inspect", console.seconds.get("inspect", 0), lambda: check_inspect(console)),
        ("ends", console.seconds.get("ends", 0), lambda: check_ends(console)),
        ("profile", console.seconds.get("profile", 0), lambda: check_profile(console)),
        ("names of Python", console.seconds.get("names", 0), lambda: check_names(console)),
        ("heap sums", console.seconds.get("sums", 0), lambda: check_heap_sums(console)),
        ("heap sampled", console.seconds.get("sampled", 0), lambda: check_heap_sampled(console)),
        ("heap pages", console.seconds.get("pages", 0), lambda: check_heap_pages(console)),
        ("waits", console.seconds.get("waits", 0), lambda: check_waits(console)),
        ("states", console.seconds.get("states", 0), lambda: check_states(console)),
        ("resident", console.seconds.get("resident", 0), lambda: check_resident(console)),
        ("container", console.seconds.get("container", 0), lambda: check_container(console)),
        ("iterators", console.seconds.get("iterators", 0), lambda: check_iterators(console)),
        ("guest status", options.elapsed, lambda: check_exit(console)),
    )
    failed = 0
    for what, seconds, check in checks:
        try:
            note = check()
            print(f"ok {options.id} {what}{': ' + note if note else ''} ({seconds:.1f} s)")
        except Failed as why:
            print(f"FAIL {options.id} {what}: {why}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
