# SPDX-License-Identifier: BSD-2-Clause
"""Captures cut anywhere, garbage, and the program that only reads them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import random
import unittest

import harness
from harness import Case, needs_bpf

CUTS = 120
FLIPS = 120


class Captures(Case):
    def make(self, *argv):
        """A capture of several blocks; with privilege it holds system calls too."""
        path = self.path("whole.sooth")
        if os.geteuid() == 0 and harness.NR_BPF:
            self.sooth("record", "--stream", "-o", path, "--sample", "100ms", "--", "/bin/sh",
                       "-c", "for i in 1 2 3; do ls / >/dev/null; sleep 0.2; done")
        else:
            self.sooth("record", "--probe", "proc,context", "--sample", "50ms", "-d", "0.7", "-o",
                       path, "-p", str(os.getpid()))
        return path

    def write(self, data):
        path = self.path("tried.sooth")
        with open(path, "wb") as file:
            file.write(data)
        return path


class Chosen(Captures):
    """Of a capture of several processes those that -p names."""

    def setUp(self):
        super().setUp()
        self.sleeper = self.start("/bin/sleep", "100")
        self.whole = self.path("two.sooth")
        self.sooth("record", "--probe", "proc", "-d", "0.1", "-o", self.whole, "-p",
                   "%d,%d" % (self.sleeper.pid, os.getpid()))

    def pids(self, *argv):
        return [row["pid"] for row in self.sooth(*argv, "-j", self.whole).json()["processes"]]

    def test_report_of_one(self):
        self.assertEqual(set(self.pids("report")), {self.sleeper.pid, os.getpid()})
        self.assertEqual(self.pids("report", "-p", str(self.sleeper.pid)), [self.sleeper.pid])
        self.assertEqual(self.pids("ps", "-p", str(os.getpid())), [os.getpid()])

    def test_one_that_is_not_there(self):
        run = self.sooth("report", "-p", "1", self.whole, status=4)
        self.assertEqual(run.out, b"")
        self.assert_says_three_lines(run, "process 1")

    def test_a_user(self):
        self.assertEqual(self.pids("ps", "-a", "-u", "4294967294"), [])
        self.assertEqual(set(self.pids("ps", "-a", "-u", str(os.getuid()))),
                         {self.sleeper.pid, os.getpid()})
        # Of calls, too: the processes of that user, by the process table of the capture.
        self.sooth("trace", "-u", str(os.getuid()), self.whole)
        self.assert_says_three_lines(self.sooth("trace", "-u", "4294967294", self.whole, status=4),
                                     "4294967294")

    def test_one_screen_shows_one(self):
        run = self.sooth("inspect", self.whole, status=2)
        self.assert_says_three_lines(run, str(self.sleeper.pid), "-p")
        one = self.sooth("inspect", "-j", "-p", str(self.sleeper.pid), self.whole).json()
        self.assertEqual(one["process"]["pid"], self.sleeper.pid)
        # What was not recorded is no figure.
        self.assertIsNone(one["descriptors"]["open_files"])
        self.assertIn("open_files", one["descriptors"]["not_measured"])


class ByName(Captures):
    def test_whatever_works_here_can_be_recorded(self):
        sleeper = self.start("/bin/sleep", "100")
        methods = self.sooth("doctor", "-j").json()["methods"]
        # What an option makes of a method has its own price.
        pages, = [row for row in methods if "--pages" in row["method"]]
        bpf, = [row for row in methods if (row["probe"], row["method"]) == ("profile", "bpf")]
        self.assertEqual(pages["is_usable"], bpf["is_usable"])
        self.assertGreater(pages["others_overhead_ns"], 0)
        self.assertEqual(bpf["others_overhead_ns"], 0)
        for probe in sorted({row["probe"] for row in methods if row["is_usable"]}):
            with self.subTest(probe=probe):
                self.sooth("record", "--probe", probe, "-o", self.path(probe), "-d", "0.05", "-p",
                           str(sleeper.pid))
                self.assertIn(probe + " by ", self.sooth("report", "-v", self.path(probe)).text)


class Cut(Captures):
    def test_any_cut_reads_as_a_prefix(self):
        whole = harness.read(self.make())
        size = len(whole)
        offsets = {random.Random(1).randrange(1, size) for _ in range(CUTS)}
        offsets |= set(range(1, 40)) | set(range(size - 20, size)) | {64, 128, 4096} & set(range(size))
        last_records = 0
        # Behind the last record stands the index, of which nothing is missed.
        index = size - int.from_bytes(whole[-16:-8], "little")
        offsets |= set(range(index - 20, index))
        for offset in range(index, size, 7):
            report = self.sooth("report", "-j", self.write(whole[:offset])).json()
            self.assertNotEqual(report["end_reason"], "cut", offset)
            self.assertLess(sum(loss["bytes"] for loss in report["loss"]), 12, offset)
        for offset in sorted(o for o in offsets if o < index):
            path = self.write(whole[:offset])
            table = self.sooth("report", path, status=None)
            if table.status:
                self.assertEqual((table.status, last_records), (5, 0), offset)
                self.assert_says_three_lines(table, "cut off in its first block")
                continue
            self.assertIn("cut", table.text, offset)
            self.assertEqual(table.errors,
                "sooth: %s is cut off: the end of the recording is missing\n" % path, offset)
            report = self.sooth("report", "-j", path).json()
            self.assertEqual(report["end_reason"], "cut", offset)
            self.assertIsNone(report["self"], "its cost is told at the end: not here")
            calls = sum(row["count"] for row in report.get("syscalls", []))
            self.assertGreaterEqual(calls, last_records, "a longer prefix tells less")
            last_records = calls
        report = self.sooth("report", "-j", self.write(whole)).json()
        self.assertNotEqual(report["end_reason"], "cut")
        self.assertEqual(report["loss"], [])

    def test_other_commands_read_a_cut_capture(self):
        whole = harness.read(self.make())
        path = self.write(whole[:len(whole) * 2 // 3])
        for argv in (["ps", "-a"], ["trace"], ["trace", "-c"]):
            for form in ("table", "json", "jsonl"):
                self.assertIn("cut", self.sooth(*argv, "--format", form, path).text)

    def test_damage_in_the_middle(self):
        """One byte changed: never a crash, and never a report that looks whole and is not."""
        whole = harness.read(self.make())
        plain = self.sooth("report", "-j", self.write(whole)).json()
        rng = random.Random(2)
        for _ in range(FLIPS):
            offset = rng.randrange(len(whole))
            data = bytearray(whole)
            data[offset] ^= 1 << rng.randrange(8)
            run = self.sooth("report", "-j", self.write(bytes(data)), status=None)
            self.assertIn(run.status, (0, 2, 5), (offset, run))
            self.assertEqual(run.status == 5, "is damaged" in run.errors, (offset, run))
            if run.status != 2:
                report = run.json()
                told = report["loss"] or report["end_reason"] == "cut" or report["limits"]
                self.assertTrue(told or report == plain,
                                "byte %d changed, nothing told" % offset)

    def test_an_empty_table_beside_io_uring(self):
        """Its requests open, read and write too."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "baseline", "%s.sooth")
        told = self.sooth("trace", "--network", path % "uring").text
        self.assertIn("by io_uring requests: not measured", told)
        self.assertNotIn("no call was made", told)

    def test_the_status_of_damage(self):
        """Every command reads what is there, and its status says that it is not all."""
        whole = harness.read(self.make())
        damaged = self.write(whole + whole[:200] + whole)
        good = self.path("good.sooth")
        with open(good, "wb") as file:
            file.write(whole)
        for argv in (["report"], ["report", "--info"], ["trace", "-c"], ["diagnose"],
                     ["export", "--format", "jsonl"], ["export", "--format", "folded"],
                     ["query", "SELECT count(*) FROM syscalls_count"], ["diff", good]):
            at = 1 if argv[0] == "query" else len(argv)
            run = self.sooth(*argv[:at], damaged, *argv[at:], status=5)
            self.assertTrue(run.out, argv)
            self.assertRegex(run.text + run.errors, "damaged|skipped|incomplete", argv)
            self.sooth(*argv[:at], good if argv[0] != "diff" else self.make(), *argv[at:])

    def test_two_captures_in_one_file(self):
        """Segments stand by themselves: concatenated files are read on."""
        whole = harness.read(self.make())
        self.sooth("report", self.write(whole + whole))


class Garbage(Captures):
    def check(self, data):
        for command in (["report"], ["report", "-j"], ["ps"], ["trace", "-c", "-j"]):
            run = self.sooth(*command, self.write(data), status=2)
            self.assertEqual(run.out, b"", run)
            self.assert_says_three_lines(run, "not a sooth capture")

    def test_random_bytes(self):
        rng = random.Random(3)
        for size in (1, 5, 7, 64, 5000, 300000):
            self.check(bytes(rng.randrange(256) for _ in range(size)))

    def test_text(self):
        self.check(b"hello, this is not a capture\n" * 50)

    def test_without_end(self):
        """A device that gives zeros for ever is no capture either, and is not read for ever."""
        for command in (["report"], ["report", "--info"], ["ps"], ["query", "--tables"],
                        ["export", "--format", "jsonl"], ["diagnose"]):
            run = self.sooth(*command, "/dev/zero", status=2)
            self.assertEqual(run.out, b"", run)
            self.assert_says_three_lines(run, "not a sooth capture")

    def test_nothing(self):
        self.check(b"")

    def test_zeros(self):
        self.check(bytes(4096))

    def test_standard_input(self):
        run = self.sooth("report", "-", input=b"garbage", status=2)
        self.assert_says_three_lines(run)

    def test_a_folder(self):
        run = self.sooth("report", self.folder, status=None)
        self.assertIn(run.status, (2, 5), run)
        self.assert_says_three_lines(run)


@unittest.skipUnless(harness.SOOTH_NONE, "no build without an operating system")
class OnAnUnknownSystem(Captures):
    """sooth-none explains what Linux collected, and says that it collects nothing itself."""

    def none(self, *argv, **options):
        return self.run_program(harness.SOOTH_NONE, *argv, **options)

    def test_the_same_reports(self):
        path = self.make()
        for argv in (["report"], ["ps"], ["ps", "-a"], ["trace"], ["trace", "-c"]):
            for form in ("table", "json", "jsonl"):
                here = self.sooth(*argv, "--format", form, path)
                there = self.none(*argv, "--format", form, path)
                self.assertEqual(there.out, here.out, (argv, form))
                self.assertEqual((here.err, there.err), (b"", b""))

    def test_live_is_unsupported(self):
        for argv in ([], ["ps"], ["ps", "-a", "-j"], ["ps", "1"], ["trace", "-p", "1"],
                     ["trace", "-c", "--", "/bin/true"],
                     ["record", "-o", self.path("never"), "-p", "1"]):
            run = self.none(*argv, status=3)
            self.assertEqual(run.out, b"", argv)
            self.assert_says_three_lines(run)

    def test_doctor(self):
        run = self.none("doctor", status=None)
        self.assertIn(run.status, (0, 3), run)


if __name__ == "__main__":
    harness.main()
