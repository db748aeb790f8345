# SPDX-License-Identifier: BSD-2-Clause
"""
Allocations against a workload that knows its own: equal, for every allocator, C library and form of
every call.

Attached to a workload of one thread that waits, nothing but its own calls is there to be seen. A
launched one and one with more threads make calls of libc as well: as many as its twin which makes
no calls of its own, so the difference of the two is compared.
"""
import os

import harness
from harness import needs_bpf
from heap_case import (FUNCTIONS, GLIBC, VARIANTS, HeapCase, Replay, by_type, events_by_type,
                       folded, minus, one, read_json_values, report_calls, truth_calls)

SEEDS = range(1, 1 + int(os.environ.get("SOOTH_TEST_SEEDS", "1")))
# Every allocator is attached to once; what else is looked at, with three of different kinds.
SOME_VARIANTS = VARIANTS if harness.IS_LONG else VARIANTS[::4]
TURNS = "5000" if len(SEEDS) == 1 else "20000"  # each is an event that Python reads


@needs_bpf
class Attached(HeapCase):
    def check(self, variant, seed, *more):
        truth, report, events = self.track_attached(variant, "heap", "--turns", TURNS, "--seed",
                                                    str(seed), *more)
        what = "%s, seed %d" % (variant.name, seed)
        calls = truth_calls(truth)
        self.assert_nothing_lost(report)
        self.assert_calls(report, calls, variant, what)
        self.assert_live(report, truth)
        self.assertEqual(events_by_type(events), by_type(calls), what)
        return truth, report, events

    def test_every_allocator(self):
        for variant in VARIANTS:
            with self.subTest(variant.name):
                for seed in SEEDS:
                    truth, _, _ = self.check(variant, seed)
                    missing = {variant.without} | ({"pvalloc"} if "musl" in variant.name else set())
                    self.assertEqual(set(truth_calls(truth)), set(FUNCTIONS) - missing)

    def test_addresses(self):
        """One thread: what is given was free, what is given back was given, at every moment."""
        for variant in SOME_VARIANTS:
            with self.subTest(variant.name):
                truth, report, events = self.check(variant, 7)
                replay = Replay(events)
                self.assertEqual((replay.strangers, replay.doubles), ([], []))
                self.assertEqual((len(replay.live), replay.bytes, replay.peak),
                                 (truth["live_blocks"], truth["live_bytes"], truth["peak_bytes"]))
                self.assertEqual(one(report["heap_totals"])["peak_bytes"], replay.peak)

    def test_order(self):
        """Times never go back in a thread, and lie within the observation."""
        truth, _, events = self.check(GLIBC, 2)
        times = [event["timestamp"] for event in events]
        self.assertEqual(times, sorted(times))
        self.assertEqual({event["pid"] for event in events}, {truth["images"][0]["pid"]})
        self.assertEqual({event["tid"] for event in events}, {truth["images"][0]["pid"]})

    def test_forms_of_realloc(self):
        """Each form is there and told apart: from NULL, to zero, moved, in place, failed."""
        _, _, events = self.check(GLIBC, 3)
        calls = [event for event in events if event["type"] == "Realloc"]
        forms = {
            "from NULL": [e for e in calls if not e["old_addr"] and e["addr"]],
            "to zero": [e for e in calls if e["old_addr"] and not e["addr"] and not e["size"]],
            "moved": [e for e in calls if e["old_addr"] and e["addr"] not in (0, e["old_addr"])],
            "in place": [e for e in calls if e["addr"] and e["addr"] == e["old_addr"]],
            "failed": [e for e in calls if not e["addr"] and e["size"]],
        }
        self.assertEqual([name for name, found in forms.items() if not found], [])
        self.assertEqual(sum(len(found) for found in forms.values()) +
                         sum(1 for e in calls if not (e["old_addr"] or e["addr"] or e["size"])),
                         len(calls))
        self.assertEqual({e.get("error") for e in forms["failed"]}, {"ENOMEM"})
        self.assertEqual(sum("error" in e for e in calls), len(forms["failed"]))

    def test_errors_are_named(self):
        """posix_memalign returns its error: EINVAL for a wrong alignment. Of malloc(3) it is ENOMEM; what may
        be one of two has none."""
        truth, report, events = self.check(GLIBC, 4)
        errors = {str(e["error"]) for e in events if "error" in e}
        self.assertIn("EINVAL", errors)
        self.assertLessEqual(errors, {"ENOMEM", "EINVAL"})
        self.assertEqual({e["type"] for e in events if e.get("error") == "EINVAL"}, {"AlignedAlloc"})
        failed = [e for e in events if e["type"] != "Free" and not e["addr"] and (e["size"] or "error" in e)]
        self.assertEqual(len(failed), truth["failed"])
        self.assertFalse([e for e in failed if "error" not in e and e["type"] != "AlignedAlloc"])
        # The size of a product that does not fit is all bits.
        self.assertEqual(sum(e.get("size") == 2**64 - 1 for e in events), truth["overflows"])
        self.assertGreater(one(report["heap_totals"])["overflows"], 0)

    def test_counted(self):
        """Without a stream the same counts; what only single calls tell is not made up."""
        for variant in SOME_VARIANTS:
            with self.subTest(variant.name):
                truth, report, _ = self.track_attached(variant, "heap", "--turns", TURNS,
                                                       stream=False)
                self.assert_nothing_lost(report)
                self.assert_calls(report, truth_calls(truth), variant)
                for name in ("live_bytes", "live_blocks", "peak_bytes", "freed_bytes"):
                    self.assertIsNone(one(report["heap_totals"])[name], name)

    def test_threads(self):
        """All threads were there before sooth was, and give back one another's blocks."""
        for variant in SOME_VARIANTS:
            with self.subTest(variant.name):
                truth, _, events = self.check(variant, 5, "--threads", "4")
                self.assertEqual(len({event["tid"] for event in events}), 4)
                self.assertEqual(len(truth["images"]), 1)


@needs_bpf
class Launched(HeapCase):
    SHAPE = ("--threads", "3", "--forks", "3", "--exec", "1")

    def test_every_allocator(self):
        for variant in SOME_VARIANTS:
            with self.subTest(variant.name):
                for seed in map(str, SEEDS):
                    # The name of the file is a parameter that is copied: it is as long in both.
                    _, twin = self.track_launched(variant, "heap", *self.SHAPE, "--seed", seed,
                                                  "--turns", "0", truth="truth-0")
                    truth, report = self.track_launched(variant, "heap", *self.SHAPE, "--seed",
                                                        seed, "--turns", "4000", truth="truth-n")
                    self.assert_nothing_lost(report)
                    self.assert_but_for_the_library(
                        folded(minus(report_calls(report), report_calls(twin)), variant.aliases),
                        folded(truth_calls(truth), variant.aliases), variant.name)

    def test_streamed_is_counted(self):
        """The lines of one run and the table of the same run are the same calls."""
        command, environment = self.command_of(GLIBC, "heap", *self.SHAPE, "--turns", "3000")
        run = self.sooth("heap", "-j", "-o", self.path("events"), "--", *command, "--truth",
                         self.path("truth"), env=environment)
        report = read_json_values(run.text)[-1]
        self.assert_nothing_lost(report)
        events = self.read_events()
        self.assertEqual(events_by_type(events), by_type(report_calls(report)))
        truth = by_type(truth_calls(self.truth()))
        for kind, (count, failed, size) in events_by_type(events).items():
            self.assertGreaterEqual((count, size), (truth[kind][0], truth[kind][2]), kind)
            self.assertEqual(failed, truth[kind][1], kind)

    def test_every_call_of_a_small_program(self):
        """From the first instruction to the last, where nobody else allocates."""
        environment = dict(os.environ)
        # For each folder in it a static glibc allocates at its start.
        environment.pop("LD_LIBRARY_PATH", None)
        for name in ("heap-plain-static", "heap-plain-static-pie", "heap-plain-musl-static",
                     "heap-plain-musl", "heap-plain"):
            with self.subTest(name):
                run = self.sooth("heap", "-j", "-o", self.path("events"), "--",
                                 self.program(name), env=environment)
                truth, report = read_json_values(run.text)
                calls = truth_calls(truth)
                self.assert_nothing_lost(report)
                if name.startswith("heap-plain-static"): # its start-up allocates
                    self.assert_but_for_the_library(report_calls(report), calls, name)
                    continue
                self.assert_calls(report, calls, what=name)
                self.assert_live(report, truth)
                self.assertEqual(events_by_type(self.read_events()), by_type(calls), name)


@needs_bpf
class FromCapture(HeapCase):
    def assert_same(self, *options):
        command, environment = self.command_of(GLIBC, "heap", "--turns", "3000", "--forks", "1")
        for form in ("table", "json"):
            capture, live = self.path(form + ".sooth"), self.path("live")
            with open(live, "wb") as file:
                file.write(self.sooth("heap", *options, "--format", form, "--save", capture, "--",
                                      *command, env=environment).out.split(b"ready\n", 1)[1])
            later = self.sooth("heap", *options, "--format", form, capture)
            self.assertEqual(later.text, harness.read(live).decode(), form)
            self.assertGreater(len(later.text), 200)

    def test_streamed(self):
        self.assert_same()

    def test_counted(self):
        self.assert_same("--count")

    def test_lines(self):
        """The JSON lines of a capture are those that were written when it was taken."""
        target = self.held_workload(GLIBC, "heap", "--turns", "3000")
        sooth = self.attach(target.pid, "-o", self.path("events"), "--save", self.path("capture"))
        self.let_go(target)
        live = self.report_of(sooth)
        run = self.sooth("heap", "-j", "-o", self.path("again"), self.path("capture"))
        self.assertEqual(harness.read(self.path("again")), harness.read(self.path("events")))
        self.assertEqual(report_calls(run.json()), report_calls(live))

    def test_record_and_report(self):
        command, environment = self.command_of(GLIBC, "heap", "--turns", "3000")
        for more in ([], ["--stream"]):
            with self.subTest(more):
                self.sooth("record", "--probe", "heap", *more, "-o", self.path("capture"), "--",
                           *command, "--truth", self.path("truth-n"), env=environment)
                self.sooth("record", "--probe", "heap", *more, "-o", self.path("twin"), "--",
                           *command[:-1], "0", "--truth", self.path("truth-0"), env=environment)
                calls = minus(*(report_calls(self.sooth("report", "-j", self.path(name)).json())
                                for name in ("capture", "twin")))
                self.assertEqual(folded(calls, GLIBC.aliases),
                                 folded(truth_calls(self.truth("truth-n")), GLIBC.aliases))


if __name__ == "__main__":
    harness.main()
