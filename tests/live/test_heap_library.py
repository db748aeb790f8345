# SPDX-License-Identifier: BSD-2-Clause
"""
Trackers of allocations through the library, by its examples: the calls of a workload are those that it
knows of, one by one, in batches and of a launched command; a tracker outlives its target; and those that
were closed leave no descriptor, thread or definition.
"""
import collections
import ctypes
import os
import re
import select
import sys
import threading
import time
import xml.etree.ElementTree

import harness
from harness import needs_bpf
from heap_case import GLIBC, HeapCase, truth_calls

ALLOCS = os.environ.get("EXAMPLE_ALLOCS", "")
SPAWN = os.environ.get("EXAMPLE_SPAWN", "")
VISUALIZE = os.environ.get("EXAMPLE_VISUALIZE", "")
TRACK_MULTIPLE = os.environ.get("EXAMPLE_TRACK_MULTIPLE", "")
LIBRARY = os.path.join(os.path.dirname(harness.SOOTH), "libsooth.so")
TURNS = "5000"
TRACKERS = 1000 if harness.IS_LONG else 6  # of each kind
# So many getppid() for each line.
CALLS = """
import ctypes, sys
libc = ctypes.CDLL(None)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        libc.getppid()
    print("done", flush=True)
"""


class ObserverOptions(ctypes.Structure):
    """Its first members."""
    _fields_ = [("size", ctypes.c_size_t), ("share", ctypes.c_void_p)]


class TraceOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("call_set", ctypes.c_char_p), ("probe", ctypes.c_ubyte * 32),
                ("is_plain", ctypes.c_bool), ("buffer_bytes", ctypes.c_uint64), ("duration_ns", ctypes.c_uint64),
                ("observer", ctypes.POINTER(ObserverOptions))]


class TraceEvent(ctypes.Structure):
    """Its members up to the pid."""
    _fields_ = [(name, ctypes.c_char_p) for name in (
        "call", "arguments", "result_text", "path", "fd_name", "thread", "process")] + [
            ("time_ns", ctypes.c_uint64), ("duration_ns", ctypes.c_uint64), ("result", ctypes.c_int64),
            ("fd", ctypes.c_int64), ("pid", ctypes.c_int)]


def counts_of(truth):
    return {name: calls.count for name, calls in truth_calls(truth).items()}


def folded(counts):
    """memalign is aligned_alloc in glibc, under one of both names."""
    both = ("aligned_alloc", "memalign")
    rest = {name: count for name, count in counts.items() if name not in both}
    rest["aligned"] = sum(counts.get(name, 0) for name in both)
    return rest


@needs_bpf
class Library(HeapCase):
    def attached(self, program, *targets):
        process = self.start(program, *(str(target.pid) for target in targets))
        harness.wait_until(lambda: b"tracking\n" in bytes(process.err), "the tracker")
        return process

    def test_one_by_one(self):
        target = self.held_workload(GLIBC, "heap", "--turns", TURNS, "--seed", "5")
        tracker = self.attached(ALLOCS, target)
        self.let_go(target)
        run = tracker.finish()
        self.assertEqual(run.status, 0, run.errors)
        events = [line.split() for line in run.text.splitlines()]
        found = collections.Counter(function for _, function, _, _ in events)
        truth = self.truth()
        self.assertEqual(folded(found), folded(counts_of(truth)))
        self.assertIn("%d events, 0 dropped" % len(events), run.errors)
        sizes = sum(int(size) for _, function, size, address in events
                    if function == "malloc" and address != "0x0")
        self.assertEqual(sizes, truth_calls(truth)["malloc"].bytes)

    def test_in_batches(self):
        target = self.held_workload(GLIBC, "heap", "--turns", TURNS, "--seed", "6")
        tracker = self.attached(TRACK_MULTIPLE, target)
        self.let_go(target)
        run = tracker.finish()
        self.assertEqual(run.text.split()[:2], ["%d:" % target.pid, str(sum(counts_of(self.truth()).values()))])

    def test_launched(self):
        command, environment = self.command_of(GLIBC, "heap", "--turns", TURNS, "--seed", "7", "--truth",
                                               self.path("truth"))
        run = self.run_program(SPAWN, *command, env=environment)
        rows = [line.split() for line in run.errors.splitlines()]
        seen = {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[2].isdigit()}
        self.assertIn("dropped 0", run.errors)
        for name, count in folded(counts_of(self.truth("truth"))).items():
            self.assertGreaterEqual(folded(seen)[name], count, name)
            self.assertLess(folded(seen)[name], count + 100, name)

    def test_picture(self):
        """Its bars have the bytes that were requested."""
        target = self.held_workload(GLIBC, "heap", "--turns", TURNS, "--seed", "9")
        tracker = self.start(VISUALIZE, str(target.pid), "10")
        harness.wait_until(lambda: b"recording" in tracker.err, "the tracker to be attached")
        self.let_go(target)
        picture = xml.etree.ElementTree.fromstring(tracker.finish().out)
        bars = [bar for bar in picture.iter() if bar.tag.endswith("rect")]
        self.assertEqual(len(bars), 100)
        bytes_ = sum(int(re.search(r"(\d+) bytes", "".join(bar.itertext()))[1]) for bar in bars)
        truth = truth_calls(self.truth())
        self.assertEqual(bytes_, sum(calls.bytes for calls in truth.values()))
        self.assertIn("usage: visualize", self.run_program(VISUALIZE, status=2).errors)

    def test_end_of_a_command(self):
        self.run_program(SPAWN, "sh", "-c", "exit 7", status=7)
        run = self.run_program(SPAWN, "/nonexistent/command", status=127)
        self.assertIn("cannot run /nonexistent/command: No such file", run.errors)
        run = self.run_program(ALLOCS, "4194304", status=1)
        self.assertIn("cannot ", run.errors)
        self.assertIn("no process is given", self.run_program(TRACK_MULTIPLE, status=1).errors)

    def test_tracker_outlives_target(self):
        target = self.held_workload(GLIBC, "heap", "--turns", "10")
        tracker = self.attached(ALLOCS, target)
        target.end()
        self.assertEqual(tracker.finish().status, 0)

    def library(self):
        library = ctypes.CDLL(LIBRARY)
        for name in ("heap_close", "heap_fd", "trace_close", "profiler_close"):
            getattr(library, "sooth_" + name).argtypes = [ctypes.c_void_p]
        library.sooth_heap_next.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        return library

    def test_a_loop_that_waits(self):
        """Of a target that does nothing the descriptor is readable some times a second, and no more."""
        library, heap, event = self.library(), ctypes.c_void_p(), ctypes.c_void_p()
        target = self.held_workload(GLIBC, "heap", "--turns", "10")
        self.assertEqual(library.sooth_heap_track(target.pid, None, ctypes.byref(heap), None), 0)
        woken, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            if select.select([library.sooth_heap_fd(heap)], [], [], 0.5)[0]:
                woken += 1
                self.assertEqual(library.sooth_heap_next(heap, 0, ctypes.byref(event), None), 0)
        self.assertTrue(5 < woken < 80, woken)
        self.let_go(target)
        seen, end = 0, time.monotonic() + harness.PATIENCE_S
        while not seen and time.monotonic() < end:
            select.select([library.sooth_heap_fd(heap)], [], [], 0.5)
            while library.sooth_heap_next(heap, 0, ctypes.byref(event), None) > 0:
                seen += 1
        self.assertGreater(seen, 0)
        library.sooth_heap_close(heap)

    def test_trackers_that_share(self):
        """Of two processes, on one attachment: each has the calls of its own, and what one gave stays while
        the other reads."""
        library = self.library()
        for name in ("heap", "trace"):
            getattr(library, "sooth_%s_observer" % name).restype = ctypes.c_void_p
            getattr(library, "sooth_%s_observer" % name).argtypes = [ctypes.c_void_p]
        library.sooth_trace_next.argtypes = library.sooth_heap_next.argtypes
        library.sooth_trace_is_over.restype = ctypes.c_bool
        library.sooth_trace_is_over.argtypes = [ctypes.c_void_p]
        targets = [self.start(sys.executable, "-c", CALLS) for _ in range(2)]
        for target in targets:
            target.wait_for_output(b"ready\n")
        trackers, held = [], []
        for target in targets:
            tracker = ctypes.c_void_p()
            observer = ObserverOptions(ctypes.sizeof(ObserverOptions),
                                       library.sooth_trace_observer(trackers[0]) if trackers else None)
            options = TraceOptions(ctypes.sizeof(TraceOptions), b"getppid", (ctypes.c_ubyte * 32)(), True, 0, 0,
                                   ctypes.pointer(observer))
            error = ctypes.create_string_buffer(8192)
            self.assertEqual(library.sooth_trace_track(target.pid, ctypes.byref(options), ctypes.byref(tracker), error),
                             0, bytes(error).replace(b"\0\0", b""))
            trackers.append(tracker)
            held.append(harness.held_by(os.getpid()))
        self.assertEqual(held[0], held[1])  # nothing more was attached
        for count, target in zip((b"300\n", b"500\n"), targets):
            target.say(count)
            harness.wait_until(lambda t=target: b"done\n" in bytes(t.out), "the calls")
            target.close_stdin()
        events = [ctypes.POINTER(TraceEvent)() for _ in trackers]
        counts = [collections.Counter() for _ in trackers]
        while not all(library.sooth_trace_is_over(tracker) for tracker in trackers):
            kept = None
            for tracker, event, count in zip(trackers, events, counts):
                if library.sooth_trace_next(tracker, 20, ctypes.byref(event), None) > 0:
                    count[event.contents.call, event.contents.pid] += 1
                if kept:
                    self.assertEqual(events[0].contents.call, kept)
                kept = events[0].contents.call if event is events[0] and event else None
        for target, count, wanted in zip(targets, counts, (300, 500)):
            self.assertEqual(count[b"getppid", target.pid], wanted)
            self.assertEqual({pid for _, pid in count}, {target.pid})
        for tracker in trackers:
            library.sooth_trace_close(tracker)
        harness.wait_until(lambda: not harness.still_in_kernel(held[0]), "the kernel to free it")

    def test_in_several_threads(self):
        """A tracker in each, of one target; and a child by fork() that leaves them alone ends as ever."""
        library = self.library()
        library.sooth_heap_is_over.restype = ctypes.c_bool
        library.sooth_heap_is_over.argtypes = [ctypes.c_void_p]
        target = self.held_workload(GLIBC, "heap", "--turns", "500", "--seed", "3")
        counts, started = [0] * 3, threading.Semaphore(0)

        def track(i):
            heap, event = ctypes.c_void_p(), ctypes.c_void_p()
            if not library.sooth_heap_track(target.pid, None, ctypes.byref(heap), None):
                started.release()
                while not library.sooth_heap_is_over(heap):
                    counts[i] += library.sooth_heap_next(heap, 100, ctypes.byref(event), None) > 0
            library.sooth_heap_close(heap)

        threads = [threading.Thread(target=track, args=(i,)) for i in range(len(counts))]
        for thread in threads:
            thread.start()
        for _ in threads:
            self.assertTrue(started.acquire(timeout=harness.PATIENCE_S))
        child = os.fork()
        if not child:
            os._exit(7)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 7)
        self.let_go(target)
        for thread in threads:
            thread.join(harness.PATIENCE_S)
        self.assertEqual(counts, [sum(counts_of(self.truth()).values())] * len(counts))

    def test_nothing_is_left(self):
        """In one process, again and again; the target runs on."""
        library = self.library()
        target = self.held_workload(GLIBC, "heap", "--turns", "10")

        held = set()
        error = ctypes.create_string_buffer(8192)  # more than a struct sooth_error

        def left():
            return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

        def track():
            for kind, close in (("heap_track", "heap_close"), ("trace_track", "trace_close"),
                                ("profiler_start", "profiler_close")):
                tracker = ctypes.c_void_p()
                start = getattr(library, "sooth_" + kind)
                status = start(target.pid, None, ctypes.byref(tracker), error)
                self.assertEqual(status, 0, bytes(error).replace(b"\0\0", b""))
                if not held and kind == "trace_track":
                    held.update(harness.held_by(os.getpid()))
                getattr(library, "sooth_" + close)(tracker)

        track()
        harness.wait_until(lambda: len(os.listdir("/proc/self/task")) == threading.active_count(), "threads to end")
        before = left()
        for _ in range(TRACKERS):
            track()
        # A thread that read with a timeout ends some time later, here or before.
        harness.wait_until(lambda: all(now <= then for now, then in zip(left(), before)), "nothing to be left")
        self.assertTrue(held)
        self.assertEqual(harness.still_in_kernel(held), set())
        self.assertEqual(set(harness.held_by(os.getpid())), set())
        self.assertTrue(target.is_running())
        self.let_go(target)


if __name__ == "__main__":
    harness.main()
