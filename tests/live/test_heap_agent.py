# SPDX-License-Identifier: BSD-2-Clause
"""
A real agent, answered by a fake server with no network besides: a large program that is its own
allocator, exports it, and calls it hundreds of thousands of times before it has answered.
"""
import os
import sys
import time

import harness
from harness import needs_bpf
from heap_case import HeapCase, by_type, events_by_type, last_json, one, read_json_values, report_calls
from heap_memos import check_counts, run_and_count

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import fake_api, known, modes
from agents.agent import Agent, require_native

LEAST_CALLS = 100000  # 855,000 were seen
LEAST_FLOODED = 10000  # of 4 s of an answer; 132,000 were seen
ITS_OWN = ("malloc", "free", "calloc", "realloc")
PATIENCE_S = 180


class AgentCase(HeapCase):
    def setUp(self):
        super().setUp()
        reason = require_native()
        if reason:
            self.skipTest(reason)

    def assert_sampled(self, report):
        """It went on with samples, and says so once."""
        said = [limit for limit in report["limits"] if "samples" in limit["reason"]]
        self.assertEqual([limit["what"] for limit in said], ["every call"], report["limits"])


@needs_bpf
class Launched(AgentCase):
    def ask(self, *before):
        """(report of sooth if there was one, seconds) of one prompt, which was answered."""
        with Agent(known.CLAUDE_CODE, mode=modes.ANSWER, before=before,
                   folder=self.folder) as agent:
            self.executable = agent.executable
            ended = agent.finish(PATIENCE_S)
            asked = agent.conversation()
        self.assertEqual(ended.status, 0, ended)
        self.assertEqual(ended.out.split("{")[0], fake_api.ANSWER + "\n", ended)
        self.assertTrue(any(exchange.is_stream for exchange in asked), asked)
        values = read_json_values(ended.out)
        self.assertEqual(len(values), 1 if before else 0, ended)
        return values[0] if values else None, ended.seconds

    def track(self, *options):
        """(report, seconds), with what holds however it was watched."""
        report, seconds = self.ask(harness.SOOTH, "heap", "-j", "--sites", *options, "--")
        self.assert_nothing_lost(report)
        sites = {row["function"] for row in report["heap_sites"]
                 if row["path"] == os.path.realpath(self.executable)}
        self.assertLessEqual(set(ITS_OWN), sites, report["heap_sites"])
        calls = report_calls(report)
        self.assertGreater(sum(calls[name].count for name in ITS_OWN), LEAST_CALLS)
        totals = one(report["heap_totals"])
        self.assertEqual(sum(row.count for row in calls.values()), totals["calls"])
        self.assertEqual(sum(row["calls"] for row in report["heap_processes"]), totals["calls"])
        return report, seconds

    def test_counted(self):
        report, seconds = self.track("--count")
        calls = report_calls(report)
        print("counted: %s; %.2f s" % (", ".join(
            "%s %d" % (name, calls[name].count) for name in ITS_OWN), seconds))

    def test_streamed(self):
        """Every call as a line, and none of them lost: it may have been held for that."""
        report, seconds = self.track("-o", self.path("events"))
        self.assertEqual(events_by_type(self.each_event()), by_type(report_calls(report)))
        totals = one(report["heap_totals"])
        with open(self.path("events"), "rb") as file:
            self.assertEqual(sum(1 for _ in file), totals["calls"])
        self.assertGreater(totals["live_bytes"], 0)
        self.assertGreaterEqual(totals["peak_bytes"], totals["live_bytes"])
        self.assertEqual(totals["replaced_blocks"], 0)
        holds = one(report["heap_pauses"]) if report["heap_pauses"] else {"count": 0}
        print("streamed: %d calls, peak %d bytes, live %d bytes in %d blocks, %d frees of blocks "
              "never seen, held %d times; %.2f s" % (
                  totals["calls"], totals["peak_bytes"], totals["live_bytes"],
                  totals["live_blocks"], totals["frees_unknown"], holds["count"], seconds))

    def test_sampled_by_itself(self):
        # The others are attached below.
        for option in ("--stack", "--leaks", "--churn") if harness.IS_LONG else ("--churn",):
            report, seconds = self.ask(harness.SOOTH, "heap", "-j", option, "--")
            self.assertEqual(report["loss"], [])
            self.assert_sampled(report)
            print("%s: %.2f s" % (option, seconds))


@needs_bpf
class UnderTokens(AgentCase):
    """Attached while an answer floods in, one command behind another to one agent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not require_native():
            cls.agent = cls.enterClassContext(Agent(known.CLAUDE_CODE, mode=modes.SLOW, words_per_s=1000))
            cls.agent.wait_until_in_mode()

    def test_added_up(self):
        """What the kernel adds up is whole, and the answer goes on."""
        words = self.agent.conversation()[-1].words
        began = time.monotonic()
        text, counts = run_and_count(self, harness.SOOTH, "heap", "--in-kernel", "-j", "-d", "4", "-p", str(self.agent.pid))
        words = self.agent.conversation()[-1].words - words
        seconds = time.monotonic() - began
        report = last_json(text)
        check_counts(self, counts)
        self.assert_nothing_lost(report)
        totals, rows = one(report["heap_totals"]), report["heap_stacks"]
        self.assertGreater(totals["calls"], LEAST_FLOODED)
        self.assertNotIn("did not fit", totals["inexact"] or "")
        self.assertEqual(sum(row.count for row in report_calls(report).values()), totals["calls"])
        for name in ("live_bytes", "live_blocks", "allocated_bytes"):
            self.assertEqual(sum(row[name] for row in rows), totals[name], name)
        self.assertGreater(words, 100)
        print("added up under tokens: %d calls, %d stacks, %d bytes live of new ones; %.0f words a second"
              % (totals["calls"], len(rows), totals["live_bytes"], words / seconds))

    def test_sampled(self):
        """Attached: with what every call takes, the answer would nearly stop."""
        for option in ("--stack", "--leaks"):
            words, began = self.agent.conversation()[-1].words, time.monotonic()
            report = last_json(self.sooth("heap", option, "-j", "-d", "5", "-p", str(self.agent.pid)).text)
            words = self.agent.conversation()[-1].words - words
            print("%s attached under tokens: %s; %.0f words a second" % (
                option, report["limits"][0]["reason"], words / (time.monotonic() - began)))
            self.assertEqual(report["loss"], [])
            # On a busy host the agent gets too little of a CPU to be slowed much.
            if any("samples" in limit["reason"] for limit in report["limits"]):
                self.assert_sampled(report)
            else:
                self.assertLess(max([row["probes_percent"] or 0 for row in report["heap_overhead"]], default=0), 50)
            self.assertGreater(words, 100)

    def test_first_answer(self):
        """Without an option: by page and by purpose first, and the kernel's counts of the same run."""
        capture = self.path("first.sooth")
        report = self.sooth("heap", "-j", "--save", capture, "-d", "4", "-p", str(self.agent.pid)).json()
        self.assertGreater(report["page_totals"]["faults"], 0)
        heap = [row for row in report["memory_growth_by_class"] if row["class"] == "javascriptcore"]
        self.assertGreater(one(heap)["rss_bytes"], 0)
        self.assertGreater(report_calls(report)["malloc"].count, LEAST_FLOODED // 10)
        self.assertIsNone(one(report["heap_totals"])["live_bytes"])
        again = self.sooth("heap", "-j", capture).json()
        for table in ("page_totals", "pages_by_function", "memory_growth", "memory_growth_by_class"):
            self.assertEqual(again[table], report[table], table)


if __name__ == "__main__":
    harness.main()
