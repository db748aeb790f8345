# SPDX-License-Identifier: BSD-2-Clause
"""
What the live and the CLI tests share: running sooth, keeping workloads in a known state, reading
what came out, looking at what is left in the kernel.

The environment says where things are: SOOTH, SOOTH_NONE, WORKLOADS and COMPAT32; only the last may
be missing, where the compiler makes no 32-bit programs or the kernel runs none. Every process
started here is ended here, by its own id; every file lies in a folder of its own that goes with the
case.
"""
import contextlib
import ctypes
import errno
import json
import mmap
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from waiting import PATIENCE_S, wait_until  # noqa: E402

# A test that looks at a terminal reads all of it.
os.environ.setdefault("SOOTH_PAGER", "cat")

SOOTH = os.environ.get("SOOTH", "")
SOOTH_NONE = os.environ.get("SOOTH_NONE", "")
WORKLOADS = os.environ.get("WORKLOADS", "")


def _if_it_runs(program):
    """A kernel may run no 32-bit programs, whatever it was configured with: some hypervisors do not
    have them."""
    try:
        subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=10, check=False)
    except OSError:
        return ""
    return program


COMPAT32 = _if_it_runs(os.environ.get("COMPAT32", ""))
NO_32_BITS = "this compiler makes, or this kernel runs, no 32-bit programs"

# Whoever runs the tests in the background has some signals ignored, and children inherit that.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL),
                        (signal.SIGTERM, signal.SIG_DFL), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _usual)

# Of what is alike only the strongest is tried; script/test --long sets this, and tries all.
IS_LONG = bool(os.environ.get("SOOTH_TEST_LONG"))

NOBODY = 65534
SKIP = 77


# --- processes ---


def members(pairs):
    """A key that is written twice is one of two values, and which one is up to the reader."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise AssertionError("written twice: %s" % {k for k in keys if keys.count(k) > 1})
    return found


def parse_json(text):
    return json.loads(text, object_pairs_hook=members)


class Run:
    """A program that has ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def text(self):
        return self.out.decode("utf-8", "strict")

    @property
    def errors(self):
        return self.err.decode("utf-8", "strict")

    def json(self):
        return parse_json(self.text)

    def lines(self):
        return [parse_json(line) for line in self.text.splitlines()]

    def __str__(self):
        return "status %d\n--- out\n%s\n--- err\n%s" % (
            self.status, self.out[-4000:].decode("utf-8", "replace"),
            self.err[-4000:].decode("utf-8", "replace"))


BUSY_S = 5


def start_copied(argv, **options):
    """
    As subprocess.Popen. A program that this test has just copied may be busy for a moment: a child
    that another thread forked meanwhile holds it open for writing until its own exec.
    """
    until = time.monotonic() + BUSY_S
    while True:
        try:
            return subprocess.Popen(argv, **options)
        except OSError as error:
            if error.errno != errno.ETXTBSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


class Process:
    """A child of the test with its output collected by threads, so that it never blocks on us."""

    def __init__(self, argv, stdin=subprocess.PIPE, **options):
        self.child = start_copied(argv, stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **options)
        self.pid = self.child.pid
        self.out, self.err = bytearray(), bytearray()
        self.news = threading.Condition()
        self.readers = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in ((self.child.stdout, self.out), (self.child.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    def _collect(self, pipe, into):
        with pipe:
            while True:
                data = os.read(pipe.fileno(), 65536)
                with self.news:
                    into.extend(data)
                    self.news.notify_all()
                if not data:
                    return

    def wait_for_output(self, pattern):
        """Until stdout holds the bytes."""
        deadline = time.monotonic() + PATIENCE_S
        with self.news:
            while pattern not in self.out:
                left = deadline - time.monotonic()
                if left <= 0 or (self.child.poll() is not None and not self._is_reading()):
                    raise AssertionError("no %r from %s:\n%r\n%r" % (pattern, self.child.args,
                        bytes(self.out[-2000:]), bytes(self.err[-2000:])))
                self.news.wait(min(left, 0.2))

    def _is_reading(self):
        return any(reader.is_alive() for reader in self.readers)

    def say(self, data):
        self.child.stdin.write(data)
        self.child.stdin.flush()

    def close_stdin(self):
        if self.child.stdin and not self.child.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.close()

    def send(self, number):
        self.child.send_signal(number)

    def is_running(self):
        return self.child.poll() is None

    def finish(self, timeout=PATIENCE_S):
        """Waits for its end. What it started may hold its output open: that is not waited for."""
        try:
            status = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.send_signal(signal.SIGABRT)
            raise AssertionError("%s did not end:\n%r\n%r" % (self.child.args,
                bytes(self.out[-2000:]), bytes(self.err[-2000:]))) from None
        for reader in self.readers:
            reader.join(timeout=10)
        self.close_stdin()
        return Run(status, bytes(self.out), bytes(self.err))

    def end(self):
        """However it stands: no child outlives its case."""
        self.close_stdin()
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        until = time.monotonic() + 1  # a process that it left behind may hold its pipes
        for reader in self.readers:
            reader.join(timeout=max(0, until - time.monotonic()))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def process_state(pid):
    """The state letter; None when there is no such process."""
    try:
        return read("/proc/%d/stat" % pid).rsplit(b")", 1)[1].split()[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return None


def system_call_of(pid):
    """The number of the call a thread is blocked in, None while it runs."""
    try:
        first = read("/proc/%d/syscall" % pid).split()[0]
    except (OSError, IndexError):
        return None
    return int(first) if first not in (b"running", b"-1") else None


# --- what sooth holds in the kernel ---

BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID = 11, 12
BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD = 13, 15
BPF_LINK_GET_NEXT_ID = 31
NEXT_ID = {"prog": BPF_PROG_GET_NEXT_ID, "map": BPF_MAP_GET_NEXT_ID, "link": BPF_LINK_GET_NEXT_ID}
NR_BPF = {"x86_64": 321, "aarch64": 280}.get(os.uname().machine)
PROG_NAME_AT = 64  # offsetof(struct bpf_prog_info, name)

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    room = ctypes.create_string_buffer(bytes(attributes), 128)
    result = libc.syscall(ctypes.c_long(NR_BPF), ctypes.c_int(command), room, ctypes.c_uint(128))
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf command %d" % command)
    return result, room.raw


def u32(value):
    return int(value).to_bytes(4, sys.byteorder)


def kernel_ids(kind):
    """Ids of all programs, maps or links of this kernel."""
    found, last = set(), 0
    while True:
        try:
            _, out = bpf(NEXT_ID[kind], u32(last) + u32(0) + u32(0))
        except FileNotFoundError:
            return found
        last = int.from_bytes(out[4:8], sys.byteorder)
        found.add(last)


def program_name(number):
    try:
        fd, _ = bpf(BPF_PROG_GET_FD_BY_ID, u32(number))
    except OSError:
        return None
    try:
        info = ctypes.create_string_buffer(256)
        where = ctypes.addressof(info).to_bytes(8, sys.byteorder)
        bpf(BPF_OBJ_GET_INFO_BY_FD, u32(fd) + u32(256) + where)
        return info.raw[PROG_NAME_AT:PROG_NAME_AT + 16].split(b"\0")[0].decode()
    finally:
        os.close(fd)


def held_by(pid):
    """(kind, id) of every BPF object a process holds by a descriptor."""
    found = set()
    try:
        names = os.listdir("/proc/%d/fdinfo" % pid)
    except OSError:
        return found
    for name in names:
        with contextlib.suppress(OSError):
            text = read("/proc/%d/fdinfo/%s" % (pid, name)).decode()
            facts = dict(re.findall(r"^(\w+):\s+(\S+)", text, re.M))
            kind = next((k for k in ("link", "map", "prog") if k + "_id" in facts), None)
            if kind:
                found.add((kind, int(facts[kind + "_id"])))
                if kind == "link":
                    found.add(("prog", int(facts.get("prog_id", 0))))
    return found


def still_in_kernel(objects):
    return {(kind, number) for kind, number in objects if number in kernel_ids(kind)}


def is_attached(pid, last="on_enter"):
    """
    Whether this sooth observes already: it holds a link to the program that it attaches last, for
    calls the one that sees them begin.
    """
    for name in os.listdir("/proc/%d/fdinfo" % pid):
        with contextlib.suppress(OSError):
            text = read("/proc/%d/fdinfo/%s" % (pid, name)).decode()
            number = re.search(r"^prog_id:\s+(\d+)", text, re.M)
            if "link_type" in text and number and program_name(int(number[1])) == last:
                return True
    return False


def children_of_sooth(sooth):
    """What it has started, without the processes that parse."""
    return [int(child) for child in read("/proc/%d/task/%d/children" % (sooth, sooth)).split()
            if read("/proc/%s/comm" % child.decode()) not in (b"sooth-parser\n", b"sooth-reader\n")]


TRACER = b"sooth-tracer\n"  # the name of the tracing process from when it records


def tracer_of(sooth):
    """The process that traces for this sooth, once it records; None before."""
    with contextlib.suppress(OSError):
        for child in read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split():
            if read("/proc/%s/comm" % child.decode()) == TRACER:
                return int(child)
    return None


POLL = {"x86_64": (7, 271), "aarch64": (73,)}  # poll(2) and ppoll(2)


READING_S = 1  # of CPU time
BLOCKED_S = 20


def cpu_s(pid):
    """What it has used, as its CPU clock has it; who has ended uses no more."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of clock_getcpuclockid(3)
    except OSError:
        return float("inf")


def wait_until_asleep(*pids):
    """Who has said that it is ready is on its way to where it waits."""
    for pid in pids:
        wait_until(lambda: process_state(pid) == "S", "process %d to wait" % pid)


def states_of(pid):
    """The state letters of all its threads; None when it is gone."""
    try:
        return {read("/proc/%d/task/%s/stat" % (pid, tid)).rsplit(b")", 1)[1].split()[0].decode()
                for tid in os.listdir("/proc/%d/task" % pid)}
    except OSError:
        return None


def stop(pid):
    """Until none of its threads runs: the first may stand long before the last."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: states_of(pid) == {"T"}, "process %d to stop" % pid)


def is_polling(pid):
    """Whether it waits for what comes."""
    with contextlib.suppress(OSError):
        word = read("/proc/%d/syscall" % pid).split()[0]
        return word.isdigit() and int(word) in POLL[os.uname().machine]
    return False


# --- a target at work ---

PR_SET_PDEATHSIG = 1


class CountingChild:
    """
    A child that works flat out and counts what it has made in memory shared with us. What it
    makes is work()'s; it ends with us, and by itself after LIFE_S.
    """

    LIFE_S = 180
    MEASURE_S = 0.5

    def __init__(self, case):
        self.memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._run()
            finally:
                os._exit(0)
        case.addCleanup(self.end)
        wait_until(self.made, "the target to run")

    def work(self):
        """A stretch of it; returns how much was made."""
        raise NotImplementedError

    def _run(self):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        made, end = 0, time.monotonic() + self.LIFE_S
        while time.monotonic() < end:
            made += self.work()
            struct.pack_into("Q", self.memory, 0, made)

    def made(self):
        return struct.unpack_from("Q", self.memory, 0)[0]

    def cpu_s(self):
        """What it has used, as its CPU clock has it."""
        return cpu_s(self.pid)

    def queued_s(self):
        """How long it could have run while others did."""
        return int(read("/proc/%d/schedstat" % self.pid).split()[1]) / 1e9

    def per_second(self):
        """Of its own CPU time, the best of several: the machine is shared, and others only slow it
        down."""
        best = 0
        for _ in range(3):
            before, began = self.made(), self.cpu_s()
            time.sleep(self.MEASURE_S)
            used = self.cpu_s() - began
            best = max(best, (self.made() - before) / used if used > 0 else 0)
        return best

    def wait_until_as_fast(self, before):
        """As it was before it was watched, or nearly: what stays behind slows it down for good."""
        wait_until(lambda: self.per_second() > before / 2,
                   "as much as before for its CPU time: %d a second" % before)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


# --- truth and results ---


def read_truth(path):
    """({name: (calls, errors)}, {unfinished name: calls})"""
    counts, unfinished = {}, {}
    for line in read(path).decode().splitlines():
        words = line.split()
        if words[:2] == ["#", "unfinished"]:
            unfinished[words[2]] = int(words[3])
        elif words and words[0] != "#":
            counts[words[0]] = (int(words[1]), int(words[2]))
    return counts, unfinished


def table_counts(report):
    """{name: (calls, errors)} of a `trace -c -j`."""
    return {row["name"]: (row["count"], row["errors"]) for row in report["syscalls"]}


def stream_counts(lines):
    """The same of a `trace -j`."""
    counts = {}
    for line in lines:
        if line["type"] == "call":
            calls, errors = counts.get(line["name"], (0, 0))
            counts[line["name"]] = (calls + 1, errors + (line["error"] not in (None, 0, "")))
    return counts


def lost(report, source=None):
    return sum(row["records"] for row in report["loss"]
               if source is None or row["source"] == source)


# --- cases ---


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sooth-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.assertTrue(SOOTH, "the environment variable SOOTH says where the program is")

    def path(self, name):
        return os.path.join(self.folder, name)

    def open_to_all(self):
        """The folder of this case, and files in it, may be used by nobody too."""
        os.chmod(self.folder, 0o777)

    def copy_for_all(self, program):
        """A program where nobody can reach it; the build folder may be closed to others."""
        self.open_to_all()
        copy = self.path(os.path.basename(program))
        shutil.copyfile(program, copy)
        os.chmod(copy, 0o755)
        return copy

    def start(self, *argv, **options):
        process = Process(list(argv), **options)
        self.addCleanup(process.end)
        return process

    def run_program(self, *argv, status=0, input=b"", timeout=PATIENCE_S, **options):
        process = self.start(*argv, **options)
        if process.child.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.child.stdin.write(input)
            process.close_stdin()
        run = process.finish(timeout)
        if status is not None:
            self.assertEqual(run.status, status, "%s\n%s" % (argv, run))
        return run

    def sooth(self, *argv, **options):
        return self.run_program(SOOTH, *argv, **options)

    def start_sooth(self, *argv, **options):
        return self.start(SOOTH, *argv, **options)

    def start_attached(self, *argv, last="on_enter", **options):
        """A running sooth that sees every call of its target from now on, and knows where it stands."""
        process = self.start_sooth(*argv, **options)
        self.wait_until_attached(process, last)
        return process

    def wait_until_attached(self, sooth, last="on_enter"):
        wait_until(lambda: not sooth.is_running() or is_attached(sooth.pid, last), "sooth to attach")
        if not sooth.is_running():
            raise AssertionError("sooth ended instead of attaching:\n%s" % sooth.finish())
        # What it then reads of its target it has read when it waits. It may have too much to do, or
        # be kept from writing.
        until, used_s = time.monotonic() + BLOCKED_S, cpu_s(sooth.pid) + READING_S
        while sooth.is_running() and not is_polling(sooth.pid) and \
                time.monotonic() < until and cpu_s(sooth.pid) < used_s:
            time.sleep(0.001)

    def wait_until_traced(self, sooth):
        """Until its tracer, a child, records; returns the pid of that."""
        wait_until(lambda: tracer_of(sooth) or not sooth.is_running(), "sooth to trace")
        if not sooth.is_running():
            raise AssertionError("sooth ended instead of tracing:\n%s" % sooth.finish())
        return tracer_of(sooth)

    def workload(self, *argv, truth=None, hold=True, cannot=None, **options):
        """A workload that said "ready"; `cannot` as in wait_until_ready()."""
        more = ["--truth", truth] if truth else []
        more += ["--hold"] if hold else []
        process = self.start(WORKLOADS, *argv, *more, **options)
        self.wait_until_ready(process, cannot)
        if hold:
            wait_until_asleep(process.pid)
        return process

    def wait_until_ready(self, process, cannot=None):
        """`cannot`: the reason to skip when the workload itself says that this machine has not what
        it needs. Any other end without "ready" is a failure."""
        try:
            process.wait_for_output(b"ready\n")
        except AssertionError:
            if cannot and process.child.poll() == SKIP:
                self.skipTest(cannot)
            raise

    def assert_says_three_lines(self, run, *words):
        """What failed, why, what to do."""
        lines = run.errors.splitlines()
        self.assertEqual(len(lines), 3, run)
        self.assertTrue(lines[0].startswith("sooth: cannot "), run)
        self.assertTrue(lines[1].startswith("  why: "), run)
        self.assertTrue(lines[2].startswith("  try: "), run)
        for word in words:
            self.assertIn(word, run.errors)

    def assert_includes(self, counts, truth, what=""):
        """Each name of the truth, with its calls and errors."""
        self.assertEqual({name: counts.get(name) for name in truth}, truth, what)


def needs_root(case):
    return unittest.skipUnless(os.geteuid() == 0, "needs root")(case)


def needs_bpf(case):
    """Whoever runs the tests may not be allowed to attach anything."""
    return unittest.skipUnless(os.geteuid() == 0 and NR_BPF and
                               os.path.exists("/sys/kernel/btf/vmlinux"),
                               "needs root and a kernel with BPF type information")(case)


def have(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def as_user(uid):
    return {"user": uid, "group": uid, "extra_groups": []}


def as_nobody():
    return as_user(NOBODY)


# An event of this thread at its CPU clock, in user space only (perf_event_open(2)).
PERF_CALLS = {"x86_64": 298, "aarch64": 241}
PERF_EVENT = struct.pack("<IIQQQQQ", 1, 112, 0, 10 ** 6, 0, 0, 1 | 1 << 5 | 1 << 6).ljust(112, b"\0")


def nobody_may_sample():
    """Whether kernel.perf_event_paranoid, or a sandbox, lets an ordinary user sample its own."""
    number, call = PERF_CALLS.get(os.uname().machine), ctypes.CDLL(None, use_errno=True).syscall
    if os.geteuid() or number is None:
        return False
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os._exit(call(number, PERF_EVENT, 0, -1, -1, 0) < 0)
    return os.waitpid(child, 0)[1] == 0


def main():
    """Exit status 0: all well, 77: nothing could be tried, 1 otherwise."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    for case, reason in result.skipped:
        print("skipped %s: %s" % (case, reason))
    sys.stdout.flush()
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIP if result.testsRun == len(result.skipped) else 0)
