# SPDX-License-Identifier: BSD-2-Clause
"""
Calls that go around sooth's library in a launched program: of allocators that it loads while it runs, of
libraries that are bound to the C library, of functions that are looked up. Each call counts, from the first
one on, and once. The program waits for that, only there, and never for a sooth that is gone.
"""
import os
import signal
import time
import unittest

import harness
from harness import needs_bpf
from heap_case import (LIBRARIES, HeapCase, breakpoints, definitions_of, last_json, minus, one, report_calls,
                       truth_calls)

PYTHON = "/usr/bin/python3"
SIZE, BUCKET = 200000001, 1 << 27  # nothing else in Python is as large
CALLS = 97
JEMALLOC, MIMALLOC = LIBRARIES + "libjemalloc.so.2", LIBRARIES + "libmimalloc.so.2"
TCMALLOC = LIBRARIES + "libtcmalloc_minimal.so.4"
# Else these libraries find no room for their variables of threads. (The blocks are too large to be filled.)
ROOM = {"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=16384"}

SCRIPT = """
import ctypes, os, sys, threading
S, N = %d, %d
def load(path, mode=0):
    return ctypes.CDLL(path, mode=mode)
def use(library, get, put, *more):
    get, put = getattr(library, get), getattr(library, put)
    get.restype, put.argtypes = ctypes.c_void_p, [ctypes.c_void_p] + [ctypes.c_int] * len(more)
    get.argtypes = [ctypes.c_size_t] + [ctypes.c_int] * len(more)
    for _ in range(N):
        block = get(S, *more)
        if not block: sys.exit(3)
        put(block, *more)
def forked(work):
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    os.waitpid(pid, 0)
""" % (SIZE, CALLS)
MALLOCX = "'mallocx', 'dallocx', 0"


TRIES = 5
BUSY_HOST = ("got no CPU for 2 s", "could not be probed before its first call", "to probe a newly mapped file")


@needs_bpf
class Late(HeapCase):
    def launch(self, *argv, **more):
        """The report; again where sooth reports that it got too little of a processor: the program does not wait longer."""
        for _ in range(TRIES):
            report = last_json(self.sooth("heap", "-j", *argv, **more).text)
            if not any(reason in str(report["limits"]) for reason in BUSY_HOST):
                break
        return report

    def script(self, text, *options, library=JEMALLOC, **more):
        """The report of Python that does this; J is the library's path."""
        if not os.path.exists(library):
            self.skipTest("no %s here" % library)
        return self.launch(*options, "--", PYTHON, "-c", "%sJ = %r\n%s" % (SCRIPT, library, text),
                           env=dict(os.environ, MALLOC_PERTURB_="0", **ROOM), timeout=120, **more)

    def large(self, report):
        return sum(row["count"] for row in report["heap_sizes"] if row["from_bytes"] == BUCKET)

    def assert_counted(self, report, calls, waits=1):
        self.assertEqual((report["heap_gaps"], report["loss"], report["limits"], self.large(report)), ([], [], [], calls))
        pauses = one(report["heap_pauses"])
        self.assertEqual(pauses["count"], waits)
        self.assertGreater(pauses["paused_ns"], 0)
        self.assertIsNone(pauses["min_reserve_ns"], "it was not for the ring")

    def test_forms(self):
        for library, get, put, more in ((JEMALLOC, "mallocx", "dallocx", ", 0"), (JEMALLOC, "malloc", "free", ""),
                                        (MIMALLOC, "mi_malloc", "mi_free", ""), (MIMALLOC, "malloc", "free", ""),
                                        (TCMALLOC, "tc_malloc", "tc_free", ""), (TCMALLOC, "malloc", "free", "")):
            if not os.path.exists(library):
                continue
            with self.subTest((library, get)):
                report = self.script("use(load(J), %r, %r%s)" % (get, put, more), library=library)
                self.assert_counted(report, CALLS)

    def test_once(self):
        """Calls of the C library are recorded by sooth's library, and no probe counts them again."""
        counts = {engine: report_calls(self.script("use(load(J), %s)" % MALLOCX, "--engine", engine))
                  for engine in ("auto", "bpf")}
        for name, row in counts["bpf"].items():
            self.assertLess(abs(row.count - counts["auto"][name].count), 20 + row.count / 100, (name, counts))

    def test_deep_and_elsewhere(self):
        """Bound to itself; below other libraries; in a namespace of its own."""
        self.assert_counted(self.script("use(load(J, os.RTLD_DEEPBIND | os.RTLD_NOW), 'malloc', 'free')"), CALLS)
        self.assert_counted(self.script("load('libstdc++.so.6'); load('libm.so.6'); "
                                        "use(load(J, os.RTLD_GLOBAL), %s)" % MALLOCX), CALLS)

    def test_in_a_mount_of_its_own(self):
        """By a path that leads nowhere, or elsewhere, for sooth."""
        library = self.program("libheap-early.so")
        folder = self.path("mounted")
        os.mkdir(folder)
        text = "%sload(%r)" % (SCRIPT, os.path.join(folder, os.path.basename(library)))
        report = self.launch("--", "unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1"; exec "$2" -c "$3"',
                             os.path.dirname(library), folder, PYTHON, text, timeout=120)
        self.assert_counted(report, CALLS)

    def test_bound_to_the_c_library(self):
        """A library without an allocator, that calls around sooth's library; its twins need no probe."""
        library = self.program("libheap-deep.so")
        use, deep = "use(%s, 'deep_get', 'deep_put')", "os.RTLD_DEEPBIND | os.RTLD_NOW"
        report = self.script(use % "load(J)", library=library)
        self.assertEqual((self.large(report), report["limits"], report["heap_pauses"]), (CALLS, [], None))
        self.assert_counted(self.script(use % "load(J, %s)" % deep, library=library), CALLS)
        report = self.script("load('libm.so.6', %s); %s" % (deep, use % "load(J)"), library=library)
        self.assertEqual((self.large(report), report["limits"], report["heap_pauses"]), (CALLS, [], None))

    def test_bound_and_missed(self):
        """It is said where nothing is probed, and only there."""
        library = self.program("libheap-deep.so")
        text = "use(load(J, os.RTLD_DEEPBIND | os.RTLD_NOW), 'deep_get', 'deep_put')"
        for options, remedy in ((["--engine", "preload"], "--engine auto"), (["--no-hold"], "leave out --no-hold")):
            with self.subTest(options):
                report = self.script(text, *options, library=library)
                self.assertEqual(self.large(report), 0)
                self.assertIn("RTLD_DEEPBIND", str(report["limits"]))
                self.assertIn(remedy, str(report["limits"]))
                self.assertEqual(self.script(text.replace("os.RTLD_DEEPBIND | ", ""), *options,
                                             library=library)["limits"], [])

    def test_looked_up(self):
        """By the handle of a library that has none itself; by a version; by glibc's other names."""
        library = self.program("libheap-deep.so")
        version = ("c, l = load(None), load('libc.so.6')\n"
                   "c.dlvsym.restype, c.dlvsym.argtypes = ctypes.c_void_p, [ctypes.c_void_p] + 2 * [ctypes.c_char_p]\n"
                   "class Of:\n"
                   "    malloc = ctypes.CFUNCTYPE(ctypes.c_void_p)(c.dlvsym(l._handle, b'malloc', b'GLIBC_2.2.5'))\n"
                   "    free = ctypes.CFUNCTYPE(None)(c.dlvsym(l._handle, b'free', b'GLIBC_2.2.5'))\n"
                   "use(Of, 'malloc', 'free')")
        for text in ("use(load('libc.so.6'), 'malloc', 'free')", "use(load(J), 'malloc', 'free')", version,
                     "use(load('libc.so.6'), '__libc_malloc', '__libc_free')"):
            for engine in ("auto", "preload", "bpf"):
                with self.subTest((text, engine)):
                    report = self.script(text, "--engine", engine, library=library)
                    self.assertEqual((self.large(report), report["heap_gaps"], report["limits"]), (CALLS, [], []))
                    self.assertIsNone(report["heap_pauses"])

    def test_looked_up_behind(self):
        """The function behind a library's own, or that of one which has none."""
        library = self.program("libheap-deep.so")
        text = ("l = load(J)\n"
                "l.deep_next.restype, l.deep_next.argtypes = ctypes.c_void_p, [ctypes.c_char_p]\n"
                "class Of:\n"
                "    malloc = ctypes.CFUNCTYPE(ctypes.c_void_p)(l.deep_next(b'malloc'))\n"
                "    free = ctypes.CFUNCTYPE(None)(l.deep_next(b'free'))\n"
                "use(Of, 'malloc', 'free')")
        self.assert_counted(self.script(text, library=library), CALLS)
        self.assertIn("RTLD_NEXT", str(self.script(text, "--engine", "preload", library=library)["limits"]))

    def test_passed_on(self):
        """An allocator that calls the program's: one call; by all functions, in children; and by no other than its own."""
        for name in ("libheap-forward.so", "libheap-forward-next.so"):
            library = self.program(name)
            with self.subTest(name):
                self.assert_counted(self.script("use(load(J), 'malloc', 'free')", library=library), CALLS)
                for options in ([], ["--count"], ["--stack"]):
                    reports = []
                    for turns in ("0", "300"):
                        reports.append(self.launch(*options, "--", harness.WORKLOADS, "heap_late", "--turns", turns, "--forks",
                                                   "2", "--library", library, "--truth", self.path("truth")))
                        self.assertEqual((reports[-1]["heap_gaps"], reports[-1]["loss"]), ([], []), options)
                    self.assertEqual(minus(report_calls(reports[1]), report_calls(reports[0])),
                                     truth_calls(self.truth()), options)

    def test_at_the_change(self):
        """Threads that call meanwhile: each call once, whichever engine it is; and after calls that never return."""
        forward, deep = self.program("libheap-forward.so"), self.program("libheap-deep.so")
        threads = ["--threads", "3"]
        for options, unfinished in (([forward] + threads, 0), ([self.program("libheap-forward-next.so")] + threads, 0),
                                    ([deep, "--deep", "--get", "deep_get", "--put", "deep_put"] + threads, 0),
                                    ([forward, "--leaves", "20"], 20)):
            for turn in range(20 if harness.IS_LONG else 2):
                with self.subTest((options, turn)):
                    report = self.launch("--", harness.WORKLOADS, "heap_around", "--truth", self.path("truth"), "--library",
                                         *options)
                    truth = self.truth()
                    counts = {row["from_bytes"]: row["count"] for row in report["heap_sizes"]}
                    self.assertEqual((report["heap_gaps"], report["loss"], report["limits"]), ([], [], []))
                    self.assertEqual((counts.get(1 << 16, 0), counts.get(1 << 15, 0)), (truth["own"], truth["late"]))
                    totals = one(report["heap_totals"])
                    self.assertEqual([totals[key] for key in ("unfinished", "frees_unknown", "replaced_blocks")],
                                     [unfinished, 0, 0])

    def test_another_namespace(self):
        """Its allocator counts, and its C library, which is the file of the first one."""
        text = ("c = ctypes.CDLL(None)\n"
                "c.dlmopen.restype, c.dlmopen.argtypes = ctypes.c_void_p, [ctypes.c_long, ctypes.c_char_p, ctypes.c_int]\n"
                "use(ctypes.CDLL(J, handle=c.dlmopen(-1, J.encode(), 2)), %s)\n" % MALLOCX +
                "c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]\n"
                "for _ in range(1000): c.free(c.malloc(100000001))\n")
        report = self.script(text)
        self.assertEqual((self.large(report), report["heap_gaps"], report["limits"]), (CALLS, [], []))
        self.assertEqual([row["count"] for row in report["heap_sizes"] if row["from_bytes"] == BUCKET // 2], [1000])

    def test_constructor(self):
        library = self.program("libheap-early.so")
        report = self.script("load(J); use(load(J), 'malloc', 'free')", library=library)
        self.assert_counted(report, 2 * CALLS)

    def test_again(self):
        """Unloaded and loaded once more: by another name of the function, the same probe."""
        library = self.program("libheap-early.so")
        report = self.script("import _ctypes\n"
                             "for _ in range(3): _ctypes.dlclose(load(J)._handle)\n", library=library)
        self.assert_counted(report, 3 * CALLS, waits=3)

    def test_processes(self):
        """Children have the probes; those that load it themselves wait themselves."""
        work = "lambda: use(library, %s)" % MALLOCX
        self.assert_counted(self.script("library = load(J)\nforked(lambda: forked(%s))\nforked(%s)\n(%s)()" %
                                        (work, work, work)), 3 * CALLS)
        self.assert_counted(self.script("for _ in range(3): forked(lambda: use(load(J), %s))" % MALLOCX), 3 * CALLS,
                            waits=3)

    def test_threads(self):
        report = self.script("library = load(J)\n"
                             "all = [threading.Thread(target=lambda: use(library, %s)) for _ in range(4)]\n"
                             "[t.start() for t in all]\n[t.join() for t in all]" % MALLOCX)
        self.assert_counted(report, 4 * CALLS)

    def test_exec(self):
        """The next program loads it once more; or has it from the start, probed or with sooth's library."""
        again = "%sJ = %r\nuse(load(J), %s)" % (SCRIPT, JEMALLOC, MALLOCX)
        first = "use(load(J), %s)\n" % MALLOCX
        self.assert_counted(self.script(first + "os.execl(%r, %r, '-c', %r)" % (PYTHON, PYTHON, again)), 2 * CALLS,
                            waits=2)
        plain = "%suse(load(None), 'malloc', 'free')" % SCRIPT
        for name, value in (("probed", "J"), ("both", "os.environ['LD_PRELOAD'] + ':' + J")):
            with self.subTest(name):
                report = self.script(first + "os.environ['LD_PRELOAD'] = %s\nos.execl(%r, %r, '-c', %r)" %
                                     (value, PYTHON, PYTHON, plain))
                self.assertEqual((self.large(report), report["heap_gaps"]), (2 * CALLS, []))

    def test_several_at_once(self):
        """Against the workload's own truth; the children wait one after the other."""
        self.program("libheap-own.so")
        for options in (["--stack"], ["--count"], ["--sample-bytes", "64K"]):
            with self.subTest(options):
                reports = []
                for turns in ("0", "300"):
                    reports.append(self.launch(*options, "--", harness.WORKLOADS, "heap_late", "--turns", turns, "--forks", "2",
                                               "--truth", self.path("truth")))
                    self.assertEqual((reports[-1]["heap_gaps"], reports[-1]["loss"]), ([], []))
                self.assertEqual(minus(report_calls(reports[1]), report_calls(reports[0])), truth_calls(self.truth()))

    def test_other_libraries(self):
        """Twin: nothing waits, and nothing is said."""
        report = self.script("[load(n) for n in ('libstdc++.so.6', 'libgcc_s.so.1', 'libm.so.6')]")
        self.assertEqual((report["heap_gaps"], report["limits"]), ([], []))
        self.assertFalse(report["heap_pauses"] and one(report["heap_pauses"])["count"])

    def test_without_a_pause(self):
        report = self.script("use(load(J), %s)" % MALLOCX, "--no-hold")
        self.assertEqual(self.large(report), 0)
        self.assertEqual([os.path.basename(row["path"]) for row in report["heap_gaps"]], ["libjemalloc.so.2"])
        self.assertIn("leave out --no-hold", str(report["limits"]))

    def test_nothing_is_left(self):
        marker = self.path("loaded")
        text = "%slibrary = load(%r)\nopen(%r, 'w').close()\nsys.stdin.read(1)" % (SCRIPT, JEMALLOC, marker)
        if not os.path.exists(JEMALLOC):
            self.skipTest("no jemalloc here")
        sooth = self.start_sooth("heap", "-j", "--", PYTHON, "-c", text, env=dict(os.environ, **ROOM))
        harness.wait_until(lambda: os.path.exists(marker), "the library")
        children = [int(c) for c in harness.read("/proc/%d/task/%d/children" % (sooth.pid, sooth.pid)).split()]
        probed = [c for c in children if breakpoints(c, "libjemalloc.so.2")]
        self.assertEqual(len(probed), 1, children)
        self.assertNotEqual(breakpoints(probed[0], "libc.so.6"), [], "the C library's are probed, too")
        sooth.say(b"x")
        self.assertEqual(sooth.finish(60).status, 0)
        harness.wait_until(lambda: not definitions_of(sooth.pid), "definitions to be gone")

    @unittest.skipUnless(os.path.exists(JEMALLOC), "no jemalloc here")
    def test_sooth_is_killed(self):
        """At any moment of the wait: the program goes on."""
        for turn in range(100 if harness.IS_LONG else 4):
            marker = self.path("ended-%d" % turn)
            text = "%sprint('ready', flush=True)\nuse(load(%r), %s)\nopen(%r, 'w').close()" % (
                SCRIPT, JEMALLOC, MALLOCX, marker)
            sooth = self.start_sooth("heap", "-o", "/dev/null", "--", PYTHON, "-c", text, env=dict(os.environ, **ROOM))
            sooth.wait_for_output(b"ready")
            time.sleep(0.004 * (turn % 12))
            sooth.send(signal.SIGKILL)
            harness.wait_until(lambda marker=marker: os.path.exists(marker), "the program to end")


if __name__ == "__main__":
    harness.main()
