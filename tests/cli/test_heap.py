# SPDX-License-Identifier: BSD-2-Clause
"""sooth heap and its older names, on captures made here: no privilege, no kernel side."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import json
import stat
import struct
import zlib

import harness
from harness import Case

MALLOC, FREE, CALLOC, REALLOC, ALIGNED = 0, 1, 2, 3, 5
SECOND = 10**9
ENOMEM = 12


# --- a capture by hand, after docs/capture-format.md ---


def record(kind, time_ns, fixed, tail=b"", pid=0):
    """fixed: the fixed part behind the header. Texts are packed by texts()."""
    size = 32 + len(fixed)
    assert size % 8 == 0
    tail += bytes(-len(tail) % 8)
    head = struct.pack("<QQIIHHHH", time_ns, 7 if pid else 0, pid, pid, kind, 0xffff,
                       (size + len(tail)) // 8, size // 8)
    return head + fixed + tail


def texts(at, *values):
    """(references, tail) of texts behind a fixed part that ends at `at`."""
    references = b""
    for value in values:
        references += struct.pack("<II", at, len(value))
        at += len(value)
    return references, b"".join(values)


def with_texts(kind, time_ns, members, *values, pid=0):
    references, tail = texts(32 + len(members) + 8 * len(values), *values)
    return record(kind, time_ns, members + references, tail, pid)


def block(sequence, type_, records, watermark=0):
    raw = b"".join(records)
    times = [struct.unpack_from("<Q", r)[0] for r in records]
    head = struct.pack("<8sHBBIQQQQIIIII", b"SOOTHBLK", 72, type_, 0, 0, sequence, min(times),
                       max(times), watermark, len(records), len(raw), len(raw), zlib.crc32(raw), 0)
    return head + struct.pack("<I", zlib.crc32(head)) + raw + bytes(-len(raw) % 8)


def call(time_ns, function, address=0, size=None, old=None, error=0, pid=100):
    absent = 1
    return record(0x0401, time_ns, struct.pack(
        "<QQQQBBBBBBBB", address, size or 0, old or 0, 50, function, error, 0, 0,
        0 if size is not None else absent, 0 if old is not None else absent,
        0 if error else absent, 0), pid=pid)


def call_of_stack(time_ns, function, address, size, stack, old=None):
    """With the stack of its caller; None: it was lost."""
    absent, lost = 1, 4 | 7 << 4  # not measured: failed
    return record(0x0401, time_ns, struct.pack(
        "<QQQQBBBBBBBBIBxxx", address, size, old or 0, 50, function, 0, 0, 0, 0,
        0 if old is not None else absent, absent, 0, stack or 0, 0 if stack else lost), pid=100)


def stack(number, frames, end=0):
    list_ = struct.pack("<%dI" % len(frames), *frames)
    return record(0x0481, SECOND, struct.pack("<IBxxxII", number, end, 48, len(list_)), list_)


def frame(number, function):
    references, tail = texts(88, function, b"/bin/program")
    return record(0x0482, 2 * SECOND, struct.pack("<QIBBBB", 16 * number, number, 0, 0, 0, 1) +
                  references + struct.pack("<IIQB7x", 0, 0, 16 * number, 0), tail)


def count(time_ns, function, calls, size, pid=100):
    return record(0x0400, time_ns, struct.pack("<QQQQQQQQII32I", SECOND, calls, 0, 0, 0, size, 50,
                                               50, function, 0, *([0] * 32)), pid=pid)


def capture(*records, selector=b"command", has_source=True):
    head = [with_texts(0x0084, 1, b"", b"", b"program\0", selector),
            record(0x0085, SECOND, b"")]
    if has_source:
        head.append(with_texts(0x0083, 1, struct.pack("<II", 1, 0), b"heap", b"hand", b""))
    end = [record(0x0006, 3 * SECOND, struct.pack("<Ii", 2, 0)),
           record(0x000a, 3 * SECOND, struct.pack("<QQQQ", 1, 1, 1, 1))]
    return block(0, 1, head) + block(1, 2, list(records) + end, 4 * SECOND)


CALLS = [
    call(SECOND + 100, MALLOC, 0x1000, 100),
    call(SECOND + 200, CALLOC, 0x2000, 50),
    call(SECOND + 300, REALLOC, 0x3000, 200, old=0x1000),
    call(SECOND + 400, ALIGNED, 0x4000, 64),
    call(SECOND + 500, FREE, 0x2000),
    call(SECOND + 600, MALLOC, 0, 1 << 40, error=ENOMEM),
]


class Heap(Case):
    def make(self, *records, **options):
        path = self.path("made.sooth")
        with open(path, "wb") as file:
            file.write(capture(*(records or CALLS), **options))
        return path

    def lines_of(self, path):
        with open(path) as file:
            return [json.loads(line) for line in file]


class Reports(Heap):
    def test_totals(self):
        report = self.sooth("heap", "-j", self.make()).json()
        self.assertEqual(report["schema"]["name"], "heap")
        totals = report["heap_totals"]
        self.assertEqual({key: totals[key] for key in (
            "calls", "failed", "allocated_bytes", "freed_bytes", "live_bytes", "live_blocks",
            "peak_bytes", "inexact", "lost")}, {
            "calls": 6, "failed": 1, "allocated_bytes": 414, "freed_bytes": 150,
            "live_bytes": 264, "live_blocks": 2, "peak_bytes": 314, "inexact": None, "lost": 0})
        self.assertEqual(totals["rate_per_s"], 3.0)
        by_type = report["heap_by_function"]
        self.assertEqual({name: row["count"] for name, row in by_type.items()},
                         {"malloc": 2, "calloc": 1, "realloc": 1, "aligned_alloc": 1, "free": 1})
        self.assertEqual((by_type["malloc"]["failed"], by_type["malloc"]["bytes"]), (1, 100))
        self.assertEqual(sum(row["count"] for row in report["heap_sizes"]), 5)
        self.assertEqual([row["pid"] for row in report["heap_processes"]], [100])
        self.assertEqual(report["loss"], [])

    def test_text(self):
        run = self.sooth("heap", "-v", self.make())
        for part in ("6 calls, 3.0 per second", "live at the end: 264B in 2 blocks", "peak 314B",
                     "aligned_alloc", "SIZE>=", "lost nothing"):
            self.assertIn(part, run.text)

    def test_report_shows_it(self):
        """Among other probes' sections, so under names that no other has."""
        path = self.make()
        report = self.sooth("report", "-j", path).json()
        self.assertEqual(report["heap_totals"], self.sooth("heap", "-j", path).json()["heap_totals"])

    def test_counts_alone(self):
        """What was not measured is null and says why, never 0."""
        path = self.make(count(2 * SECOND, MALLOC, 10, 700), count(2 * SECOND, FREE, 9, 0))
        report = self.sooth("heap", "-j", path).json()
        totals = report["heap_totals"]
        self.assertEqual((totals["calls"], totals["allocated_bytes"]), (19, 700))
        for member in ("freed_bytes", "live_bytes", "live_blocks", "peak_bytes"):
            self.assertIsNone(totals[member], member)
            self.assertEqual(totals["not_measured"][member], "not requested")
        self.assertIn("freed, live and peak bytes", [row["what"] for row in report["limits"]])

    def stacks(self, *more):
        """Two places in `reads` are one row; `keeps` resizes, and moves what `reads` allocated."""
        return self.make(
            stack(1, [1, 3, 5]), stack(2, [1, 4, 5]), stack(3, [2, 6], end=4),
            call_of_stack(SECOND + 100, MALLOC, 0x1000, 100, 1),
            call_of_stack(SECOND + 200, MALLOC, 0x2000, 50, 2),
            call_of_stack(SECOND + 300, MALLOC, 0x3000, 10, 1),
            call(SECOND + 400, FREE, 0x3000),
            call_of_stack(SECOND + 500, REALLOC, 0x4000, 700, 3, old=0x1000), *more,
            frame(1, b"malloc"), frame(2, b"realloc"), frame(3, b"reads"), frame(4, b"reads"),
            frame(5, b"main"), frame(6, b"keeps"))

    def test_stacks(self):
        report = self.sooth("heap", "-j", self.stacks()).json()
        names = ("live_bytes", "live_blocks", "allocated_bytes", "calls", "end", "functions")
        self.assertEqual([tuple(row[name] for name in names) for row in report["heap_stacks"]], [
            (700, 1, 700, 1, "no unwind information and no frame pointer", ["realloc", "keeps"]),
            (50, 1, 160, 3, "whole", ["malloc", "reads", "main"])])
        self.assertEqual(report["limits"], [])
        text = self.sooth("heap", self.stacks()).text
        self.assertRegex(text, r"\Anot freed: 750 bytes in 2 blocks, 93 % of it allocated in keeps \(program\); less than 2 s: too short ")
        self.assertIn(" 50B      1       ?      160B     3 -    malloc < reads < main", text)
        self.assertIn("realloc < keeps < [cut: ", text)

    def test_requested_stacks(self):
        """Of a capture too, with a note where it has none."""
        self.assertEqual(self.sooth("heap", "--stack", "-j", self.stacks()).json()["heap_stacks"],
                         self.sooth("heap", "-j", self.stacks()).json()["heap_stacks"])
        report = self.sooth("heap", "--stack", "-j", self.make()).json()
        self.assertIn("which code allocates", [row["what"] for row in report["limits"]])
        self.assertEqual(self.sooth("heap", "-j", self.make()).json()["limits"], [])

    def test_by_function(self):
        """Own is what it asks the allocator for; a function stands once for a stack that has it twice."""
        twice = (stack(4, [1, 3, 6, 4, 5]), call_of_stack(SECOND + 600, MALLOC, 0x6000, 7, 4))
        report = self.sooth("heap", "--by", "function", "-j", self.stacks(*twice)).json()
        names = ("name", "own_live_bytes", "live_bytes", "live_blocks", "allocated_bytes", "calls")
        self.assertEqual([tuple(row[name] for name in names) for row in report["heap_functions"]], [
            ("keeps", 700, 707, 2, 707, 2), ("reads", 57, 57, 2, 167, 4), ("main", 0, 57, 2, 167, 4)])
        self.assertNotIn("heap_stacks", report)
        library = self.sooth("heap", "--by", "library", "-j", self.stacks(*twice)).json()["heap_libraries"]
        self.assertEqual([(row["own_live_bytes"], row["live_bytes"], row["calls"]) for row in library], [(757, 757, 5)])
        self.assertEqual(self.sooth("heap", "--by", "stack", self.stacks()).out,
                         self.sooth("heap", "--stack", self.stacks()).out)

    def test_churn(self):
        """Freed within 10 ms: one block of 10 bytes, and the 100 that a realloc moved."""
        later = call_of_stack(2 * SECOND + 100, MALLOC, 0x5000, 40, 3)
        report = self.sooth("heap", "--churn", "-j", self.stacks(later)).json()
        churn, rows = report["heap_churn"], report["heap_stacks"]
        self.assertEqual((churn["calls_per_s"], churn["allocated_bytes_per_s"], churn["short_bytes_percent"],
                          churn["short_blocks_percent"]), (2.5, 450, 12.2, 40.0))
        self.assertEqual([(row["short_bytes"], row["short_blocks"], row["functions"][1]) for row in rows],
                         [(110, 2, "reads"), (0, 0, "keeps")])
        self.assertEqual(churn["text"], "allocates 450 bytes in 3 calls each second and frees 12 % of it within "
                                        "10 ms: 100 % of that in reads (program) < main")
        text = self.sooth("heap", "--churn", self.stacks(later)).text
        self.assertTrue(text.startswith(churn["text"]), text)
        self.assertNotIn("calls, ", text)

    def test_sizes(self):
        report = self.sooth("heap", "--sizes", "-j", self.stacks()).json()
        names = ("from_bytes", "to_bytes", "live_bytes", "live_blocks", "mean_bytes", "allocated_bytes", "calls",
                 "stack")
        self.assertEqual([tuple(row[name] for name in names) for row in report["heap_classes"]], [
            (640, 768, 700, 1, 700, 700, 1, report["heap_classes"][0]["stack"]),
            (48, 56, 50, 1, 50, 50, 1, "malloc < reads < main"),
            (96, 112, 0, 0, None, 100, 1, None), (10, 12, 0, 0, None, 10, 1, None)])
        self.assertTrue(report["heap_classes"][0]["stack"].startswith("realloc < keeps < [cut: "))
        self.assertTrue(report["heap_largest"]["text"].startswith(
            "1 block of 700 bytes holds 93 % of what was not freed: 100 % of it from "
            "keeps"), report["heap_largest"])

    def test_answers_without_stacks(self):
        """Said, where it cannot be answered; sizes are there without stacks, too."""
        for option in ("--churn", "--leaks", "--sizes"):
            report = self.sooth("heap", option, "-j", self.make()).json()
            self.assertIn("which code allocates", [row["what"] for row in report["limits"]], option)

    def test_lost_stacks(self):
        path = self.stacks(call_of_stack(SECOND + 600, MALLOC, 0x5000, 9, None))
        report = self.sooth("heap", "-j", path).json()
        self.assertEqual(sum(row["calls"] for row in report["heap_stacks"]), 4)
        self.assertEqual(report["heap_totals"]["live_bytes"], 759)
        self.assertIn("1 call without a stack: it was lost", [row["reason"] for row in report["limits"]])

    def test_another_capture(self):
        """System calls are no allocations: null, and told."""
        report = self.sooth("heap", "-j", self.make(has_source=False, *[
            record(0x0007, SECOND, bytes(8))])).json()
        self.assertIsNone(report["heap_totals"]["calls"])
        self.assertTrue(report["limits"])

    def test_without_a_system(self):
        if not harness.SOOTH_NONE:
            self.skipTest("no build without an operating system")
        path = self.make()
        self.assertEqual(self.run_program(harness.SOOTH_NONE, "heap", path).out,
                         self.sooth("heap", path).out)


class Lines(Heap):
    def test_shape(self):
        path, out = self.make(), self.path("lines.jsonl")
        run = self.sooth("heap", "-j", "-o", out, path)
        self.assertEqual(run.json()["heap_totals"]["calls"], 6)
        self.assertEqual(self.lines_of(out), [
            {"pid": 100, "tid": 100, "timestamp": SECOND + 100, "addr": 0x1000, "type": "Malloc",
             "size": 100},
            {"pid": 100, "tid": 100, "timestamp": SECOND + 200, "addr": 0x2000, "type": "Calloc",
             "size": 50},
            {"pid": 100, "tid": 100, "timestamp": SECOND + 300, "addr": 0x3000, "type": "Realloc",
             "size": 200, "old_addr": 0x1000},
            {"pid": 100, "tid": 100, "timestamp": SECOND + 400, "addr": 0x4000,
             "type": "AlignedAlloc", "size": 64},
            {"pid": 100, "tid": 100, "timestamp": SECOND + 500, "addr": 0x2000, "type": "Free"},
            {"pid": 100, "tid": 100, "timestamp": SECOND + 600, "addr": 0, "type": "Malloc",
             "size": 1 << 40, "error": "ENOMEM"},
        ])
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)
        self.assertEqual(sorted(os.listdir(self.folder)), ["lines.jsonl", "made.sooth"])

    def test_read_back(self):
        """Also by its bare name, which a process could have as well."""
        path, out = self.make(), self.path("lines.jsonl")
        whole = self.sooth("heap", "-j", "-o", out, path).json()["heap_totals"]
        for command in ("heap", "report"):
            for name in (out, "lines.jsonl"):
                with self.subTest(command=command, name=name):
                    again = self.sooth(command, "-j", name, cwd=self.folder).json()["heap_totals"]
                    for field in ("calls", "failed", "allocated_bytes", "freed_bytes", "live_bytes", "live_blocks",
                                  "peak_bytes"):
                        self.assertEqual(again[field], whole[field], field)

    def test_standard_output(self):
        """The lines there, the report where errors go: nothing mixes."""
        run = self.sooth("heap", "-o", "-", self.make())
        self.assertEqual(len(run.lines()), 6)
        self.assertIn("live at the end", run.errors)

    def test_standard_input(self):
        """Read once, told twice."""
        with open(self.make(), "rb") as file:
            run = self.sooth("heap", "-j", "-o", self.path("lines"), "-", input=file.read())
        self.assertEqual(run.json()["heap_totals"]["calls"], 6)
        self.assertEqual(len(self.lines_of(self.path("lines"))), 6)

    def test_never_through_a_link(self):
        os.symlink(self.path("elsewhere"), self.path("link"))
        run = self.sooth("heap", "-o", self.path("link"), self.make(), status=None)
        self.assertNotEqual(run.status, 0)
        self.assert_says_three_lines(run, "link")
        self.assertFalse(os.path.exists(self.path("elsewhere")))

    def test_a_failed_run_keeps_the_old_file(self):
        out = self.path("lines")
        with open(out, "w") as file:
            file.write("old")
        self.sooth("heap", "-o", out, self.path("missing.sooth"), status=4)
        self.assertEqual(harness.read(out), b"old")

    def test_full_disk(self):
        run = self.sooth("heap", "-o", "/dev/full", self.make(), status=5)
        self.assert_says_three_lines(run, "No space left")

    def test_refused_together(self):
        path = self.path("same")
        for argv in (["-c", "-o", path, "-p", "1"], ["-o", path, "--save", path, "-p", "1"],
                     ["-o", "-", "--", "/bin/true"], ["--save", "-", "-p", "1"],
                     ["-o", path, "-Z"], ["--"], []):
            run = self.sooth("heap", *argv, status=2)
            self.assertEqual(run.out, b"", run)
            self.assert_says_three_lines(run)
        self.assertEqual(os.listdir(self.folder), [])


class OlderNames(Heap):
    def named(self, name):
        link = self.path(name)
        if not os.path.lexists(link):
            os.symlink(harness.SOOTH, link)
        return link

    def call(self, *argv, name="memtrack", **options):
        return self.run_program(self.named(name), *argv, **options)

    def test_links_of_the_build(self):
        for name in ("memtrack", "codspeed-memtrack"):
            link = os.path.join(os.path.dirname(harness.SOOTH), "compat", name)
            if not os.path.lexists(link):
                self.skipTest("the program is not where it was built")
            self.assertEqual(os.path.realpath(link), os.path.realpath(harness.SOOTH))

    def test_help(self):
        for name in ("memtrack", "codspeed-memtrack"):
            for argv in (["--help"], ["-h"], ["track", "--help"]):
                run = self.call(*argv, name=name)
                self.assertIn("%s track COMMAND" % name, run.text)
                self.assertEqual(run.err, b"")
            self.assertIn(name, self.call("--version", name=name).text)

    def test_usage(self):
        out = self.path("lines")
        for argv in ([], ["ps"], ["track"], ["track", "--output", out],
                     ["track", "-o", out, "/bin/true", "--output", out],
                     ["track", "--ipc-client", "x", "/bin/true", "--output", out]):
            run = self.call(*argv, status=2)
            self.assertEqual(run.out, b"", run)
            self.assert_says_three_lines(run)
        self.assertFalse(os.path.exists(out))

    def test_no_such_command(self):
        """Where allocations cannot be watched at all, that is what is said."""
        run = self.call("track", "/nonexistent/command", "--output", self.path("lines"), status=None)
        self.assertIn(run.status, (3, 127), run)
        self.assert_says_three_lines(run)

    def test_its_own_words_only(self):
        """Under an older name sooth's commands are none."""
        self.assert_says_three_lines(self.call("heap", self.make(), status=2))


if __name__ == "__main__":
    harness.main()
