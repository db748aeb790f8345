# SPDX-License-Identifier: BSD-2-Clause
"""
What the tests of `sooth heap` share: the programs of the workload for each allocator, sooth around
them, what both say in one form, and where probes stand.
"""
import collections
import contextlib
import itertools
import json
import os
import re
import subprocess
import time

import harness
from harness import Case

FUNCTIONS = ("malloc", "free", "calloc", "realloc", "reallocarray", "aligned_alloc",
             "posix_memalign", "memalign", "valloc", "pvalloc")
TYPE_OF = {"malloc": "Malloc", "free": "Free", "calloc": "Calloc", "realloc": "Realloc",
           "reallocarray": "Realloc"}
ALWAYS = {"pid", "tid", "timestamp", "addr", "type"}
MEMBERS = {"Malloc": {*ALWAYS, "size"}, "Free": ALWAYS, "Calloc": {*ALWAYS, "size"},
           "Realloc": {*ALWAYS, "size", "old_addr"}, "AlignedAlloc": {*ALWAYS, "size"},
           "Mmap": {*ALWAYS, "size"}, "Munmap": {*ALWAYS, "size"}, "Brk": {*ALWAYS, "size"}}
MAPPINGS = ("Mmap", "Munmap", "Brk")  # system calls, of which the truth of a workload knows nothing
LINES_AT_ONCE = 1000
ROOMY_RING = "32M"  # takes every call of a workload here, however late its reader is
LIBRARIES = "/usr/lib/%s-linux-gnu/" % os.uname().machine

Calls = collections.namedtuple("Calls", "count failed overflows bytes")
NONE = Calls(0, 0, 0, 0)

# A program of the workload with an allocator: the file, what is loaded before it, functions that
# this allocator has not (and libc's would give what its free cannot take), and those that are one
# and the same function by two names, which no probe tells apart.
Variant = collections.namedtuple("Variant", "name program preload without aliases")
ALIGNED = ("aligned_alloc", "memalign")
VARIANTS = (
    Variant("glibc", "workloads", None, None, ALIGNED),
    Variant("glibc, static", "heap-static", None, None, ALIGNED),
    Variant("glibc, static and PIE", "heap-static-pie", None, None, ALIGNED),
    Variant("musl", "heap-musl", None, None, None),
    Variant("musl, static", "heap-musl-static", None, None, None),
    Variant("its own", "heap-own", None, None, None),
    Variant("jemalloc", "workloads", LIBRARIES + "libjemalloc.so.2", "pvalloc", None),
    Variant("mimalloc", "workloads", LIBRARIES + "libmimalloc.so.2", None, None),
    Variant("tcmalloc", "workloads", LIBRARIES + "libtcmalloc_minimal.so.4", None, ALIGNED),
)
GLIBC = VARIANTS[0]


def program_path(name):
    """Programs of the workload lie beside `workloads`; not all can be built everywhere."""
    return os.path.join(os.path.dirname(harness.WORKLOADS), name)


# --- truth and reports in one form: {function: Calls}, of functions that were called ---


def truth_calls(truth):
    return {name: Calls(*(row[key] for key in Calls._fields))
            for name, row in truth["functions"].items() if row["count"]}


def one(section):
    """A section of one row."""
    return section[0] if isinstance(section, list) else section


def report_calls(report):
    return {name: Calls(row["count"], row["failed"], row["overflows"], row["bytes"] or 0)
            for name, row in report["heap_by_function"].items()
            if row["count"]}


def plus(one_, other, sign=1):
    out = {}
    for name in set(one_) | set(other):
        sum_ = Calls(*((a or 0) + sign * (b or 0) for a, b in zip(one_.get(name, NONE), other.get(name, NONE))))
        if sum_ != NONE:
            out[name] = sum_
    return out


def minus(one_, other):
    return plus(one_, other, -1)


def folded(calls, aliases):
    """One function by two names is told under one of them, whichever."""
    if not aliases:
        return calls
    rest = {name: row for name, row in calls.items() if name not in aliases}
    for name in aliases:
        rest = plus(rest, {aliases[0]: calls.get(name, NONE)})
    return rest


def by_type(calls):
    """As the lines of single calls tell: {type: (count, failed, bytes)}."""
    out = {}
    for name, row in calls.items():
        kind = TYPE_OF.get(name, "AlignedAlloc")
        have = out.get(kind, (0, 0, 0))
        out[kind] = (have[0] + row.count, have[1] + row.failed, have[2] + row.bytes)
    return out


def events_by_type(events):
    out = {}
    for event in events:
        if event["type"] in MAPPINGS:
            continue
        size = event.get("size", 0)
        # Only posix_memalign returns its error; other failed calls have none.
        is_failed = event["type"] != "Free" and not event["addr"] and (
            size > 0 or "error" in event)
        have = out.get(event["type"], (0, 0, 0))
        out[event["type"]] = (have[0] + 1, have[1] + is_failed,
                              have[2] + (0 if is_failed else size))
    return out


def read_json_values(text):
    """Every JSON object in what a program and sooth wrote to one output, in order."""
    decoder, values, at = json.JSONDecoder(), [], 0
    while True:
        begin = re.compile(r"^\{", re.M).search(text, at)
        if not begin:
            return values
        value, at = decoder.raw_decode(text, begin.start())
        values.append(value)


def last_json(text):
    values = read_json_values(text)
    if not values:
        raise AssertionError("no JSON object in %r" % text[-2000:])
    return values[-1]


def each_line(path):
    """JSON lines, many at once: one by one it takes three times as long."""
    with open(path, encoding="utf-8") as file:
        while True:
            lines = list(itertools.islice(file, LINES_AT_ONCE))
            if not lines:
                return
            found = json.loads("[%s]" % ",".join(lines))
            if len(found) != len(lines) or not all(line.startswith("{") for line in lines):
                raise AssertionError("a line of %s is no object: %s" % (path, lines))
            yield from found


def is_plain(event):
    """
    Whether check_event() would find it right, but for failed calls: most events are plain, and
    there are millions.
    """
    if event.keys() != MEMBERS[event["type"]]:
        return False
    of_numbers = [*map(type, event.values())].count(int)
    return of_numbers == len(event) - 1 and event["timestamp"] > 0 and (
        event["addr"] or event["type"] != "Free")


class Replay:
    """The live set, from single calls in their order. With one thread every address fits."""

    def __init__(self, events):
        self.live, self.bytes, self.peak = {}, 0, 0
        self.strangers = []  # given back, but never given
        self.doubles = []    # given while alive
        for event in sorted(events, key=lambda event: event["timestamp"]):
            self.take(event)

    def drop(self, event, address):
        if address not in self.live:
            self.strangers.append(event)
        self.bytes -= self.live.pop(address, 0)

    def take(self, event):
        if event["type"] == "Free":
            self.drop(event, event["addr"])
            return
        if not event["addr"] and event["size"]:
            return  # failed: what realloc was given is still there
        if event["type"] == "Realloc" and event["old_addr"]:
            self.drop(event, event["old_addr"])
        if event["addr"]:
            if event["addr"] in self.live:
                self.doubles.append(event)
            self.live[event["addr"]] = event["size"]
            self.bytes += event["size"]
        self.peak = max(self.peak, self.bytes)


# --- where probes stand ---


def mapped_code(pid):
    """(address, size, file, offset) of the code of files that a process has mapped."""
    for line in harness.read("/proc/%d/maps" % pid).decode("utf-8", "replace").splitlines():
        parts = line.split(None, 5)
        if len(parts) == 6 and "x" in parts[1] and parts[5].startswith("/"):
            begin, end = (int(part, 16) for part in parts[0].split("-"))
            yield begin, end - begin, parts[5], int(parts[2], 16)


PIECE = 4096  # bytes of code


def breakpoints(pid, name=""):
    """
    Addresses at which the code in memory is not that of its file, or of the one file so named. A
    probe puts a breakpoint into the memory of the processes it is for; None: there is no such
    process.
    """
    found = []
    try:
        with open("/proc/%d/mem" % pid, "rb", 0) as memory:
            for begin, size, path, offset in mapped_code(pid):
                if not path.endswith(name):
                    continue
                with contextlib.suppress(FileNotFoundError, OSError):
                    with open(path, "rb") as file:
                        file.seek(offset)
                        wanted = file.read(size)
                    memory.seek(begin)
                    have = memory.read(len(wanted))
                    # By pieces: byte by byte a library takes 100 ms, longer than what is measured so.
                    for at in range(0, len(have) if have != wanted else 0, PIECE):
                        if have[at:at + PIECE] != wanted[at:at + PIECE]:
                            found += [begin + i for i in range(at, min(at + PIECE, len(have)))
                                      if have[i] != wanted[i]]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return found


def perf_events(pid):
    """How many perf events a process holds."""
    count = 0
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc/%d/fd" % pid):
            with contextlib.suppress(OSError):
                count += "[perf_event]" in os.readlink("/proc/%d/fd/%s" % (pid, name))
    return count


QUIET_S = 5


class Watcher:
    """
    Says when a sooth that attaches is done: it has its events, breakpoints stand, and it waits for
    what comes. One that has too much to do to wait has not changed anything for long.
    """

    def __init__(self, sooth, pid):
        self.sooth, self.pid, self.last, self.since = sooth, pid, None, 0

    def is_attached(self):
        if not self.sooth.is_running():
            return True
        now = (perf_events(self.sooth.pid), breakpoints(self.pid))
        if now != self.last:
            self.last, self.since = now, time.monotonic()
        if now[0] < 2 or not now[1]:
            return False
        return harness.is_polling(self.sooth.pid) or time.monotonic() - self.since > QUIET_S


def probe_definitions():
    """
    Lines of tracefs uprobe_events that are sooth's, through a mount of our own that nobody sees:
    whether this host has tracefs mounted is not ours to change.
    """
    script = ('d=$(mktemp -d) && mount -t tracefs none "$d" && cat "$d/uprobe_events"; s=$?; '
              'umount "$d"; rmdir "$d"; exit $s')
    out = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True,
                         check=True).stdout
    return [line for line in out.splitlines() if re.match(r"^[pr]\d*:sooth_", line)]


def definitions_of(pid):
    return [line for line in probe_definitions()
            if re.match(r"^[pr]\d*:sooth_%d_" % pid, line)]


def guards():
    """Pids of the processes that take definitions away when their sooth is gone."""
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if harness.read("/proc/%s/comm" % name).strip() == b"sooth-guard":
                    found.add(int(name))
    return found


class HeapCase(Case):
    def program(self, name):
        path = program_path(name)
        if not os.path.exists(path):
            self.skipTest("%s could not be built here" % name)
        return path

    def command_of(self, variant, *argv):
        """Command line and environment of a scenario with an allocator."""
        if variant.preload and not os.path.exists(variant.preload):
            self.skipTest("no %s here" % variant.preload)
        environment = dict(os.environ)
        if variant.preload:
            environment["LD_PRELOAD"] = variant.preload
        more = ["--without", variant.without] if variant.without and argv[0] == "heap" else []
        return [self.program(variant.program), *argv, *more], environment

    def truth(self, name="truth"):
        return json.loads(harness.read(self.path(name)))

    def each_event(self, name="events"):
        """Every line, each looked at: exactly the members that the format has."""
        for number, event in enumerate(each_line(self.path(name)), 1):
            if event.get("type") in MEMBERS:
                if not is_plain(event):
                    self.check_event(event, "line %d: %s" % (number, event))
                yield event

    def read_events(self, name="events"):
        return list(self.each_event(name))

    def check_event(self, event, where):
        members = set(MEMBERS[event["type"]])
        if "error" in event:
            members.add("error")
            self.assertEqual(event["addr"], 0, where)
        self.assertEqual(set(event), members, where)
        for name in members - {"type", "error"}:
            self.assertIsInstance(event[name], int, where)
        self.assertGreater(event["timestamp"], 0, where)
        self.assertTrue(event["addr"] or event["type"] != "Free", "free(NULL): " + where)

    # --- sooth around a program ---

    def held_workload(self, variant, *argv, truth="truth"):
        """A workload that said "ready" and waits, watched by nobody yet."""
        command, environment = self.command_of(variant, *argv)
        target = self.start(*command, "--hold", "--truth", self.path(truth), env=environment)
        target.wait_for_output(b"ready\n")
        return target

    def attach(self, pid, *options):
        """A sooth that sees every call of a process from now on; its report goes to its output."""
        sooth = self.start_sooth("heap", "-j", *options, "-p", str(pid))
        watcher = Watcher(sooth, pid)
        harness.wait_until(watcher.is_attached, "sooth to attach")
        if not sooth.is_running():
            raise AssertionError("sooth ended instead of attaching:\n%s" % sooth.finish())
        return sooth

    def report_of(self, sooth, status=0):
        run = sooth.finish(300)
        self.assertEqual(run.status, status, run)
        return last_json(run.text)

    def let_go(self, target, status=0):
        target.say(b"go\n")
        run = target.finish(300)
        self.assertEqual(run.status, status, run)
        return run

    def track_attached(self, variant, *argv, options=(), stream=True, reads=True):
        """(truth, report, events) of a workload that sooth attached to; events only if read."""
        target = self.held_workload(variant, *argv)
        how = ["-o", self.path("events")] if stream else ["--count"]
        room = [] if "--buffer" in options else ["--buffer", ROOMY_RING]
        sooth = self.attach(target.pid, *how, *room, *options)
        self.let_go(target)
        report = self.report_of(sooth)
        return self.truth(), report, self.read_events() if stream and reads else []

    def track_launched(self, variant, *argv, options=(), truth="truth"):
        """(truth, report) of a workload that sooth started, from its exec on."""
        command, environment = self.command_of(variant, *argv)
        run = self.sooth("heap", "-j", "--count", "--engine", "bpf", *options, "--", *command, "--truth",
                         self.path(truth), env=environment, timeout=300)
        return self.truth(truth), last_json(run.text)

    # --- what has to hold ---

    def assert_but_for_the_library(self, seen, true, what):
        """What the C library allocates for itself, for a thread's storage or a stream, differs
        from run to run by a few calls: never fewer than the program's own, hardly more."""
        surplus = minus(seen, true)
        for name, row in surplus.items():
            self.assertIn(name, ("malloc", "calloc", "free"), (what, surplus))
            self.assertTrue(0 <= row.count <= 8 and not row.failed, (what, surplus))

    def assert_calls(self, report, calls, variant=GLIBC, what=""):
        """All calls, no more and no fewer, and the sums over them."""
        self.assertEqual(folded(report_calls(report), variant.aliases),
                         folded(calls, variant.aliases), what)
        totals = one(report["heap_totals"])
        for name, sum_ in (("calls", sum(row.count for row in calls.values())),
                           ("failed", sum(row.failed for row in calls.values())),
                           ("overflows", sum(row.overflows for row in calls.values())),
                           ("allocated_bytes", sum(row.bytes for row in calls.values()))):
            self.assertEqual(totals[name], sum_, (what, name))

    def assert_nothing_lost(self, report):
        self.assertEqual(report["loss"], [])
        # A program that ended before it could be looked at may have had an allocator of its own;
        # whether calls are missing is for the counts to say.
        self.assertEqual([gap for gap in report["heap_gaps"] if gap["path"] != "the program it ran"],
                         [])
        self.assertFalse(one(report["heap_totals"]).get("lost"))

    def assert_live(self, report, truth):
        """Of one process that allocated nothing before it was watched."""
        totals = one(report["heap_totals"])
        self.assertEqual((totals["live_bytes"], totals["live_blocks"]),
                         (truth["live_bytes"], truth["live_blocks"]))
        self.assertEqual(totals["freed_bytes"], truth["allocated_bytes"] - truth["live_bytes"])
        self.assertLessEqual(abs(totals["peak_bytes"] - truth["peak_bytes"]),
                             truth["peak_slack_bytes"])
