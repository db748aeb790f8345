# SPDX-License-Identifier: BSD-2-Clause
"""
Allocators by all their names: each function of their own interfaces and C++'s operators, called a
known number of times, and operators that throw.
"""
import os
import subprocess

import harness
from harness import needs_bpf
from heap_case import (ALIGNED, GLIBC, LIBRARIES, VARIANTS, HeapCase, Variant, by_type,
                       events_by_type, minus, one, program_path, read_json_values,
                       report_calls, truth_calls)

PREFIXED = Variant("prefixed", "workloads", program_path("libheap-prefixed.so"), None, ALIGNED)
JEMALLOC = Variant("jemalloc", "workloads", LIBRARIES + "libjemalloc.so.2", None, None)
MIMALLOC = Variant("mimalloc", "workloads", LIBRARIES + "libmimalloc.so.2", None, None)
TCMALLOC = Variant("tcmalloc", "workloads", LIBRARIES + "libtcmalloc_minimal.so.4", None, ALIGNED)
# And the least number of functions that each has.
ALL = ((PREFIXED, 100), (JEMALLOC, 30), (MIMALLOC, 90), (TCMALLOC, 40), (GLIBC, 10))
THROWN = 200


@needs_bpf
class Names(HeapCase):
    def check(self, variant, least, *more, **how):
        truth, report, events = self.track_attached(variant, "heap_forms", *more, **how)
        calls = truth_calls(truth)
        self.assertGreaterEqual(truth["functions_called"], least)
        self.assert_nothing_lost(report)
        self.assert_calls(report, calls, variant, variant.name)
        self.assertEqual({name: row["unfinished"] for name, row in
                          report["heap_by_function"].items() if row["unfinished"]}, {})
        return truth, report, events

    def test_every_call(self):
        for variant, least in ALL:
            with self.subTest(variant.name):
                truth, report, events = self.check(variant, least)
                self.assertEqual(events_by_type(events), by_type(truth_calls(truth)))
                totals = one(report["heap_totals"])
                self.assertEqual([totals[name] for name in (
                    "live_blocks", "live_bytes", "frees_unknown", "frees_from_before",
                    "replaced_blocks", "inexact")], [0, 0, 0, 0, 0, None])

    def test_counted(self):
        for variant, least in ALL:
            with self.subTest(variant.name):
                self.check(variant, least, stream=False)


# Functions of two libraries, of which neither is the other's, at the ends of alike addresses.
ALIKE = {"a": """#include <stddef.h>
static char block[1 << 16];
__attribute__((aligned(4096), noinline)) void *je_malloc(size_t size) { return block + size % 64; }
""", "b": """__attribute__((aligned(4096), noinline)) void je_free(void *block) { __asm__ volatile("" : : "r"(block)); }
"""}
CALLS_ALIKE = """#include <stddef.h>
void *je_malloc(size_t size);
void je_free(void *block);
int main(void) { for (int i = 0; i < 100; i++) je_free(je_malloc(10)); return 0; }
"""


@needs_bpf
class Alike(HeapCase):
    def test_places_that_end_alike(self):
        """One program in the kernel cannot tell them apart: the second is loaded then."""
        for name, text in (*ALIKE.items(), ("main", CALLS_ALIKE)):
            with open(self.path(name + ".c"), "w", encoding="ascii") as file:
                file.write(text)
            how = ["-L", self.folder, "-la", "-lb", "-Wl,-rpath," + self.folder] if name == "main" else ["-shared", "-fPIC"]
            subprocess.run(["cc", "-O1", "-o", self.path("main" if name == "main" else "lib%s.so" % name),
                            self.path(name + ".c"), *how], check=True)
        report = self.sooth("heap", "-j", "--engine", "bpf", "--sites", "--", self.path("main")).json()
        own = {row["function"]: int(str(row["offset"]), 0) for row in report["heap_sites"] if self.folder in row["path"]}
        self.assertEqual(len({offset % 4096 for offset in own.values()}), 1, own)
        self.assertEqual({name: row["count"] for name, row in report["heap_by_function"].items() if name in own},
                         {"malloc": 100, "free": 100})


# A dynamic program that is linked with an allocator of other names, as programs in Rust are.
LINKED = """#include <stddef.h>
static char block[1 << 16];
#define OWN __attribute__((visibility("hidden"), noinline)) void
OWN *PREFIX(malloc)(size_t size) { __asm__ volatile(""); return block + size % 64; }
OWN *PREFIX(mallocx)(size_t size, int flags) { __asm__ volatile(""); return block + (size + (size_t)flags) % 64; }
OWN PREFIX(free)(void *at) { __asm__ volatile("" : : "r"(at)); }
OWN PREFIX(sdallocx)(void *at, size_t size, int flags) { __asm__ volatile("" : : "r"(at), "r"(size), "r"(flags)); }
int main(void) { for (int i = 0; i < 100; i++) { PREFIX(free)(PREFIX(malloc)(10)); PREFIX(sdallocx)(PREFIX(mallocx)(20, 0), 20, 0); } return 0; }
"""


@needs_bpf
class Linked(HeapCase):
    def test_launched(self):
        """The library has none of these names: the program is probed, or the engine says that it saw nothing."""
        with open(self.path("linked.c"), "w", encoding="ascii") as file:
            file.write(LINKED)
        for prefix, each in (("_rjem_", 200), ("je_arrow_", 200), ("rp", 100)): # rpmalloc has no mallocx
            program = self.path("linked" + prefix)
            subprocess.run(["cc", "-O1", "-DPREFIX(name)=%s##name" % prefix, "-o", program, self.path("linked.c")], check=True)
            for engine in ("auto", "bpf", "preload"):
                with self.subTest((prefix, engine)):
                    report = self.sooth("heap", "-j", "--engine", engine, "--", program).json()
                    calls = {name: row["count"] for name, row in report["heap_by_function"].items()}
                    self.assertEqual(calls, {} if engine == "preload" else {"malloc": each, "free": each})
                    totals = one(report["heap_totals"])
                    self.assertEqual((totals["calls"], bool(totals["inexact"])),
                                     (None, True) if engine == "preload" else (2 * each, False))


MAPPED = """
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int count, char **words)
{
	if (count > 1)
		memset(mmap(0, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, 64 << 20);
	sleep(2);
	return 0;
}
"""


@needs_bpf
class Unexplained(HeapCase):
    def test_memory_without_a_call(self):
        """What became resident came from somewhere: no zeros then. Where little did, zero is a measurement."""
        with open(self.path("mapped.c"), "w", encoding="ascii") as file:
            file.write(MAPPED)
        program = self.path("mapped")
        subprocess.run(["cc", "-O1", "-o", program, self.path("mapped.c")], check=True)
        for engine in ("bpf", "preload"):
            with self.subTest(engine):
                report = self.sooth("heap", "-j", "--engine", engine, "--", program, "large").json()
                totals = one(report["heap_totals"])
                self.assertIsNone(totals["allocated_bytes"])
                self.assertRegex(totals["inexact"], "^6[0-9].[0-9]M became resident, and no allocator call was seen$")
                totals = one(self.sooth("heap", "-j", "--engine", engine, "--", program).json()["heap_totals"])
                self.assertEqual((totals["calls"], totals["allocated_bytes"], totals["inexact"]), (0, 0, None))


@needs_bpf
class Preloaded(HeapCase):
    def test_by_a_program_that_the_command_runs(self):
        """Its first calls may be missed; then the result is not given as exact."""
        self.command_of(JEMALLOC, "heap") # or skip
        run = self.sooth("heap", "-j", "--", "/usr/bin/env", "LD_PRELOAD=" + JEMALLOC.preload,
                         self.program("workloads"), "heap", "--turns", "20000", "--without",
                         "pvalloc", "--truth", self.path("truth"))
        totals = one(read_json_values(run.text)[-1]["heap_totals"])
        true = sum(row.count for row in truth_calls(self.truth()).values())
        self.assertTrue(totals["calls"] >= true or totals["inexact"], totals)


@needs_bpf
class Throwing(HeapCase):
    """heap-throw: blocks on the way to a call that throws, which are freed when it is caught."""

    def expected(self, variant):
        """{function: (calls, failed)}"""
        kept = sum(1 + i % 8 for i in range(THROWN))
        # The form that throws nothing catches, in libstdc++, what the other one throws.
        thrown = 2 * THROWN if variant is GLIBC else THROWN
        return {"malloc": (kept + 2 * THROWN + thrown, 2 * THROWN), "free": (kept + thrown, 0)}

    def test_every_call(self):
        for variant in (GLIBC, JEMALLOC, TCMALLOC):
            with self.subTest(variant.name):
                environment = dict(os.environ)
                if variant.preload:
                    self.command_of(variant, "heap") # or skip
                    environment["LD_PRELOAD"] = variant.preload
                target = self.start(self.program("heap-throw"), str(THROWN), "hold",
                                    env=environment)
                target.wait_for_output(b"ready\n")
                sooth = self.attach(target.pid, "-o", self.path("events"))
                self.assertIn("caught %d" % THROWN, self.let_go(target).text)
                report = self.report_of(sooth)
                self.assert_nothing_lost(report)
                seen = report_calls(report)
                for name, (count, failed) in self.expected(variant).items():
                    self.assertEqual(seen[name].failed, failed, (name, seen))
                    # printf() has a buffer.
                    self.assertIn(seen[name].count - count, (0, 1), (name, seen))
                self.assertFalse(set(seen) - {"malloc", "free"}, seen)
                totals = one(report["heap_totals"])
                self.assertEqual((totals["frees_unknown"], totals["replaced_blocks"]), (0, 0))
                self.assertLessEqual(totals["live_blocks"], 1)


@needs_bpf
class Ending(HeapCase):
    """glibc keeps freed blocks of a thread and frees them again at its end: no calls of it."""

    def calls(self, variant, blocks):
        truth, report, _ = self.track_attached(variant, "heap_ending", "--blocks", blocks)
        self.assert_nothing_lost(report)
        totals = one(report["heap_totals"])
        self.assertEqual((totals["frees_unknown"], totals["frees_from_before"],
                          totals["replaced_blocks"], totals["inexact"]), (0, 0, 0, None))
        return truth_calls(truth), report_calls(report)

    def test_threads(self):
        for variant in (*VARIANTS[:4], JEMALLOC, MIMALLOC, TCMALLOC):
            with self.subTest(variant.name):
                _, library = self.calls(variant, "0")
                true, seen = self.calls(variant, "60")
                self.assertEqual(minus(seen, library), true)
                self.assertEqual(true["free"].count, 300)


if __name__ == "__main__":
    harness.main()
