# SPDX-License-Identifier: BSD-2-Clause
"""
What users of the older tools rely on, as data: each command line as it is written in their pages,
and what comes of it. test_contracts.py runs every row; a row is added here and nowhere else.

Words in capitals stand for what the case has made: PID is a program at work, CLAUDE a session of
Claude Code, COMMAND a program to launch, FILE a path that does not exist yet. @PID and @CLAUDE are
their numbers in what a line says.

A shape is a type, a tuple of types of which one fits, a list of one shape, or members with theirs:
a member that stands here has to be there, others may be. None among the types: "not measured" or
"not requested" is told as null.
"""
import dataclasses
import re

INT, TEXT, REAL, TRUTH = int, str, (int, float), bool


def maybe(shape):
    return (*shape, None) if isinstance(shape, tuple) else (shape, None)


@dataclasses.dataclass
class Line:
    name: str
    words: str = ""
    shape: object = None   # of its JSON
    each_line: object = None  # of each line of JSON
    says: tuple = ()       # patterns, each somewhere in its output
    status: int = 0
    stop: bool = False     # by Ctrl-C, once what it `says` is there
    needs_bpf: bool = False

    def __str__(self):
        return ("%s %s" % (self.name, self.words)).strip()


# --- claude-trace: the scan ---

SCAN = {
    "timestamp": TEXT, "hostname": TEXT, "os": TEXT, "os_version": TEXT,
    "latest_local_version": maybe(TEXT), "process_count": INT,
    # Without privilege perhaps not known of anybody who is there.
    "orphaned_count": maybe(INT), "outdated_count": maybe(INT),
    "totals": {"cpu_percent": maybe(REAL), "mem_percent": REAL, "rss_kb": INT, "rss_human": TEXT},
    "processes": [{
        "pid": INT, "ppid": INT, "cpu_percent": maybe(REAL), "mem_percent": maybe(REAL),
        "rss_kb": INT, "vsz_kb": INT, "state": TEXT, "elapsed_time": TEXT, "command": TEXT,
        "version": maybe(TEXT), "is_orphaned": maybe(TRUTH), "is_outdated": maybe(TRUTH),
        "open_files": maybe(INT), "threads": INT, "cwd": maybe(TEXT), "project": maybe(TEXT),
        "session_id": maybe(TEXT)}],
}
HEADING = r"(?m)^ *PID +PPID +CPU% +MEM% +RSS +STATE +TIME +PROJECT"
TOTALS = r"(?m)^total of "

# --- claude-monitor: statistics every few seconds ---

STATISTICS = (r"(?m)^statistics of [\d.]+m?s: \d+ files opened, \S+ sent, \S+ received, "
              r"\d+ processes started, \d+ memory maps$")
TOTALS_OF_ALL = STATISTICS.replace("^statistics", "^totals")
COUNTS = {"files_opened": INT, "sent_bytes": INT, "received_bytes": INT, "processes_started": INT,
          "memory_maps": INT}
MONITOR = {"statistics": {"what": TEXT, "duration_ns": INT, **COUNTS},
           "statistics_by_process": [{"pid": INT, "name": TEXT, **COUNTS}]}

# --- claude-diagnose: the deep look ---

ISSUE = {"issue": TEXT, "severity": TEXT, "description": TEXT, "remedy": TEXT}
DESCRIPTORS = {
    "pid": INT, "total_fds": INT, "by_type": dict, "watched_paths": list,
    "network_connections": [{"conn_type": TEXT, "connection": TEXT}], "issues": [ISSUE],
    "error": maybe(TEXT)}
IO = {"syscall": TEXT, "fd": maybe(INT), "path": maybe(TEXT), "bytes": maybe(INT),
      "latency_us": REAL}
NETWORK = {"syscall": TEXT, "fd": maybe(INT), "address": maybe(TEXT), "port": maybe(INT),
           "bytes": maybe(INT), "latency_us": REAL}
CALLS = {
    "pid": INT, "duration_secs": REAL, "success": TRUTH, "method": maybe(TEXT),
    "syscall_summary": list,
    "top_syscalls": [{"name": TEXT, "count": INT, "total_time_us": maybe(REAL),
                      "avg_time_us": maybe(REAL),
                      "errors": INT}],
    "io_operations": maybe(list), "network_operations": maybe(list), "stack_samples": maybe(list),
    "flamegraph_path": maybe(TEXT), "issues": [ISSUE], "error": maybe(TEXT),
    "fallback_reason": maybe(TEXT)}


def diagnosis(**parts):
    """A report whose processes have these parts."""
    process = {"pid": INT, "cpu": maybe(REAL), "mem": maybe(REAL), "rss_mb": REAL, "command": TEXT}
    return {
        "timestamp": TEXT, "hostname": TEXT, "os_version": TEXT, "process_count": INT,
        "processes": [{**process, **parts}],
        "system": {"memory": {"pressure_level": maybe(TEXT), "free_memory_mb": REAL}},
        "summary": {"total_cpu": maybe(REAL), "total_mem": maybe(REAL), "total_rss_mb": REAL,
                    "critical_issues": [ISSUE], "warnings": [ISSUE]}}


QUICK = diagnosis(file_descriptors=None, dtrace=None)
SAMPLED = diagnosis(file_descriptors=DESCRIPTORS, dtrace=None,
                    sample={"pid": INT, "success": TRUTH, "thread_count": INT,
                            "hot_functions": [{"function": TEXT, "samples": INT}],
                            "diagnosis": [ISSUE], "error": maybe(TEXT)})
DEEP = diagnosis(file_descriptors=DESCRIPTORS, dtrace=None)

# --- memtrack: a line of JSON for each call, or an artifact in a folder ---

ALLOCATION = {"pid": INT, "tid": INT, "timestamp": INT, "addr": INT,
              "type": re.compile("Malloc|Free|Calloc|Realloc|AlignedAlloc|Mmap|Munmap|Brk")}

# --- the kit: status report, views of one process, tracing, recording ---

STATUS = {
    "process_count": INT,
    "processes": [{"pid": INT, "elapsed_time": TEXT, "cpu_percent": maybe(REAL), "rss_kb": INT}],
    "totals": {"rss_kb": INT}, "connections": list,
    "load": {"load_1m": REAL, "load_5m": REAL, "load_15m": REAL},
    "memory": {"total_bytes": INT, "available_bytes": INT},
    "tracers": [{"name": TEXT, "path": maybe(TEXT), "need": TEXT}]}

# Every process, with its name and pid on each line.
WHO = {"pid": INT, "process": TEXT}
WHOLE_SYSTEM = {
    "io": [{**WHO, "path": maybe(TEXT), "read_bytes": INT, "written_bytes": INT, "opens": INT}],
    "network": [{**WHO, "sent_bytes": INT, "received_bytes": INT}],
    "memory": [{**WHO, "operation": TEXT, "calls": INT, "bytes": maybe(INT)}],
    "processes": [{"pid": INT, "parent": maybe(INT), "name": TEXT}]}

SERVED = [
    Line("claude-trace", "", says=(HEADING, TOTALS)),
    Line("claude-trace", "-w", says=(HEADING,), stop=True),
    Line("claude-trace", "-w 1", says=(HEADING,), stop=True),
    Line("claude-trace", "-v", says=(HEADING + ".* THRDS .*CWD",)),
    Line("claude-trace", "-j", shape=SCAN),
    Line("claude-trace", "-v -j", shape=SCAN),
    Line("claude-trace", "-t", says=(r"(?m)^ *PID +PPID .*ROLE", r"(?m)^ *@CLAUDE ")),
    Line("claude-trace", "-k 50", says=(HEADING, TOTALS)),
    Line("claude-trace", "-m 1", says=(HEADING, r"(?m)^ *@CLAUDE .*MEM")),
    Line("claude-trace", "-K CLAUDE", says=("@CLAUDE has ended",)),
    Line("claude-trace", "-K CLAUDE -9", says=("@CLAUDE has ended",)),
    Line("claude-trace", "--kill-threshold 50 --mem-threshold 1", says=(HEADING, TOTALS)),
    Line("claude-trace", "--kill CLAUDE --force", says=("@CLAUDE has ended",)),
    *(Line("claude-trace", option, says=("^claude-trace: %s does nothing here: " % word,))
      for option, word in (("--upgrade", "--upgrade"), ("-R", "--release-notes"),
                           ("--release-notes", "--release-notes"), ("--install", "--install"))),
    Line("claude-trace", "--check-version", says=("(?i)version",)),
    Line("claude-trace", "-h", says=("-K PID",)),
    Line("claude-trace", "--help", says=("-K PID",)),
    Line("claude-trace", "--version", says=("sooth",)),
    Line("claude-trace", "-V", says=("sooth",)),
    Line("claude-trace", "--watch --verbose --json --tree", shape=SCAN, stop=True),

    Line("claude-diagnose", "", says=(r"\(pid \d+\), Claude Code",)),
    Line("claude-diagnose", "-j", shape=QUICK),
    Line("claude-diagnose", "--json", shape=QUICK),
    Line("claude-diagnose", "--pid PID", says=(r"\(pid @PID\)",)),
    Line("claude-diagnose", "-j --pid PID", shape=QUICK),
    Line("claude-diagnose", "-d --duration 1", says=(r"\(pid \d+\), Claude Code",)),
    Line("claude-diagnose", "--deep -j --pid PID --duration 1", shape=DEEP),
    Line("claude-diagnose", "-d -j --pid PID --duration 1", shape=DEEP),
    Line("claude-diagnose", "-D --pid PID --duration 1", says=("(?m)^write ",), needs_bpf=True),
    Line("claude-diagnose", "--dtrace -j --pid PID --duration 1",
         shape=diagnosis(file_descriptors=DESCRIPTORS, dtrace=CALLS), needs_bpf=True),
    Line("claude-diagnose", "-D --io -j --pid PID --duration 1",
         shape=diagnosis(dtrace={**CALLS, "io_operations": [IO]}), needs_bpf=True),
    Line("claude-diagnose", "-D --network -j --pid PID --duration 1",
         shape=diagnosis(dtrace={**CALLS, "network_operations": [NETWORK]}), needs_bpf=True),
    Line("claude-diagnose", "-D --flamegraph --pid PID --duration 1",
         says=("flamegraph: claude-diagnose-@PID-syscalls.svg",), needs_bpf=True),
    Line("claude-diagnose", "-D --flamegraph -o FILE --pid PID --duration 1",
         says=("flamegraph: .*product",), needs_bpf=True),
    Line("claude-diagnose", "-j -o FILE --pid PID", shape=QUICK),
    Line("claude-diagnose", "-j --output FILE --pid PID", shape=QUICK),
    Line("claude-diagnose", "--sample-duration 3 --pid PID", says=(r"\(pid @PID\)",)),
    Line("claude-diagnose", "-s --duration 1", says=(r"\(pid \d+\), Claude Code", "(?m)^profile by "),
         needs_bpf=True),
    Line("claude-diagnose", "-d -s -j --pid PID --duration 1", shape=SAMPLED, needs_bpf=True),
    Line("claude-diagnose", "--sample --sample-duration 1 -j --pid PID --duration 1",
         shape=SAMPLED, needs_bpf=True),
    Line("claude-diagnose", "-s --pid PID --sample-duration 1 --min-share 2",
         says=(r"\(pid @PID\)",), needs_bpf=True),
    Line("claude-diagnose", "-h", says=("--duration",)),
    Line("claude-diagnose", "--help", says=("--duration",)),
    Line("claude-diagnose", "-V", says=("sooth",)),
    Line("claude-diagnose", "--version", says=("sooth",)),

    Line("codspeed-memtrack", "track COMMAND --output FILE", each_line=ALLOCATION,
         needs_bpf=True),
    Line("memtrack", "track COMMAND --output FILE", each_line=ALLOCATION, needs_bpf=True),
    Line("memtrack", "track --output FILE -- COMMAND", each_line=ALLOCATION, needs_bpf=True),
    Line("memtrack", "track -o FILE COMMAND", each_line=ALLOCATION, needs_bpf=True),
    Line("memtrack", "track COMMAND", says=(r"events \(\./\d+\.MemtrackArtifact\.msgpack\)",),
         needs_bpf=True),
    Line("codspeed-memtrack", "track COMMAND -o .",
         says=(r"events \(\./\d+\.MemtrackArtifact\.msgpack\)",), needs_bpf=True),
    Line("codspeed-memtrack", "track --ipc-server no-such-socket COMMAND", says=("no-such-socket",), status=4),
    Line("memtrack", "track --output . --ipc-server no-such-socket COMMAND", says=("no-such-socket",), status=4),
    Line("memtrack", "-h", says=("track COMMAND",)),
    Line("memtrack", "--help", says=("track COMMAND",)),
    Line("memtrack", "--version", says=("sooth",)),
    Line("memtrack", "-V", says=("sooth",)),

    Line("claude-status", "", says=("(?m)^load: ", "tracers on this host")),
    Line("claude-status", "-j", shape=STATUS),
    Line("claude-status", "--json", shape=STATUS),
    Line("claude-status", "-h", says=("-j",)),
    Line("claude-status", "--help", says=("-j",)),
    Line("claude-status", "-V", says=("sooth",)),
    Line("claude-status", "--version", says=("sooth",)),

    Line("trace-claude", "PID", says=(r"write\(\d+<[^>]*written>",), stop=True, needs_bpf=True),
    Line("trace-claude", "", says=("there is no terminal",), status=2),
    Line("trace-claude", "-h", says=("PID",)),
    Line("trace-claude", "--help", says=("PID",)),
    Line("trace-claude", "-V", says=("sooth",)),
    Line("trace-claude", "--version", says=("sooth",)),

    Line("claude-monitor", "", says=(STATISTICS, "(?m)^ *PID +NAME +OPENS"), stop=True,
         needs_bpf=True),
    Line("claude-monitor", "-p PID -i 1 -d 3", says=(STATISTICS, TOTALS_OF_ALL), needs_bpf=True),
    Line("claude-monitor", "--pid PID --interval 1 --duration 2", says=(TOTALS_OF_ALL,),
         needs_bpf=True),
    Line("claude-monitor", "--session no-such-session -d 1", says=("no-such-session",), status=4),
    Line("claude-monitor", "-j -d 1 -p PID", shape=MONITOR, needs_bpf=True),
    Line("claude-monitor", "--json -d 1 -p PID", shape=MONITOR, needs_bpf=True),
    *(Line("claude-monitor", option, says=("sooth",))
      for option in ("-h", "--help", "-V", "--version")),

    # What had no name of its own there: programs of the system, told by sooth's commands.
    Line("sooth", "inspect --fds PID", says=("written",)),
    Line("sooth", "inspect --maps PID", says=("python",)),
    Line("sooth", "inspect --signals PID", says=("SIGINT",)),
    Line("sooth", "trace -p PID -d 1", says=(r"write\(",), needs_bpf=True),
    Line("sooth", "trace -f -p PID -d 1", says=(r"write\(",), needs_bpf=True),
    Line("sooth", "trace -c -p PID -d 1", says=("(?m)^write ",), needs_bpf=True),
    Line("sooth", "record -o FILE -p PID -d 1", needs_bpf=True),
    Line("sooth", "trace --all --io --network --process --memory --interval 1 -d 3",
         says=("(?m)^files", "(?m)^memory", "(?m)^ *PID +PARENT +NAME"), needs_bpf=True),
    Line("sooth", "trace --all --io --network --process --memory -j -d 1", shape=WHOLE_SYSTEM,
         needs_bpf=True),
]

# What is not served yet: refused in three lines, with status 3, and named in docs/tutorials/older-tools.md.
NOT_YET = [
]

# Options that a tool's help has and no row above: none.
TOOLS = ("claude-trace", "claude-diagnose", "codspeed-memtrack", "memtrack", "claude-status",
         "trace-claude", "claude-monitor")


# --- whether a value has a shape ---


def _fits_members(value, shape, where):
    if not isinstance(value, dict):
        return ["%s: %r is no object" % (where, value)]
    problems = ["%s: no member %s" % (where, name) for name in shape if name not in value]
    for name in set(shape) & set(value):
        problems += misfits(value[name], shape[name], "%s.%s" % (where, name))
    return problems


def misfits(value, shape, where="report"):
    """What of the value does not have the shape, in words."""
    if shape is None:
        return [] if value is None else ["%s: %r where null is due" % (where, value)]
    if isinstance(shape, dict):
        return _fits_members(value, shape, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return ["%s: %r is no list" % (where, value)]
        return [problem for i, item in enumerate(value)
                for problem in misfits(item, shape[0], "%s[%d]" % (where, i))]
    if isinstance(shape, re.Pattern):
        return [] if isinstance(value, str) and shape.fullmatch(value) else [
            "%s: %r is none of %s" % (where, value, shape.pattern)]
    if isinstance(shape, tuple):
        return [] if any(not misfits(value, one, where) for one in shape) else [
            "%s: %r is none of %s" % (where, value, shape)]
    if isinstance(value, bool) and shape is not bool or not isinstance(value, shape):
        return ["%s: %r is no %s" % (where, value, shape.__name__)]
    return []
