# SPDX-License-Identifier: BSD-2-Clause
"""
A real agent, answered by a fake server with no network besides: a large program that is its own
allocator, exports it, and calls it hundreds of thousands of times before it has answered.
"""
import functools
import json
import os
import sys

import harness
from harness import needs_bpf
from heap_case import HeapCase, by_type, events_by_type, one, read_json_values, report_calls

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import fake_api, install, known, namespace

AGENT = known.CLAUDE_CODE
PROMPT = "hi"
LEAST_CALLS = 100000  # 855,000 were seen
ITS_OWN = ("malloc", "free", "calloc", "realloc")
PATIENCE_S = namespace.PATIENCE_S + 60


@functools.cache
def agent_or_reason():
    """(executable, None), or (None, why there is none). What was tried is not tried again."""
    reason = namespace.cannot_serve()
    if reason:
        return None, reason
    try:
        return install.install(AGENT), None
    except install.CannotInstall as error:
        return None, str(error)


@needs_bpf
class ClaudeCode(HeapCase):
    def setUp(self):
        super().setUp()
        self.executable, reason = agent_or_reason()
        if reason:
            self.skipTest(reason)

    def ask(self, *before):
        """(report of sooth if there was one, seconds) of one prompt, which was answered."""
        told = self.path("told")
        command = [*before, self.executable, *AGENT.arguments, PROMPT]
        run = self.run_program(*namespace.command_line(AGENT, told, *command),
            env=namespace.environment(), cwd=self.folder, timeout=PATIENCE_S)
        self.assertEqual(run.text.split("{")[0], fake_api.ANSWER + "\n", run)
        told = json.loads(harness.read(told))
        self.assertTrue(any(request["method"] == "POST" and request["stream"]
                            for request in told["requests"]), told)
        values = read_json_values(run.text)
        self.assertEqual(len(values), 1 if before else 0, run)
        return values[0] if values else None, told["seconds"]

    def track(self, *options):
        """(report, seconds), with what holds however it was watched."""
        report, seconds = self.ask(harness.SOOTH, "heap", "-j", "--sites", *options, "--")
        self.assert_nothing_lost(report)
        sites = {row["function"] for row in report["sites"]
                 if row["path"] == os.path.realpath(self.executable)}
        self.assertLessEqual(set(ITS_OWN), sites, report["sites"])
        calls = report_calls(report)
        self.assertGreater(sum(calls[name].count for name in ITS_OWN), LEAST_CALLS)
        totals = one(report["totals"])
        self.assertEqual(sum(row.count for row in calls.values()), totals["events"])
        self.assertEqual(sum(row["events"] for row in report["processes"]), totals["events"])
        return report, seconds

    def test_counted(self):
        _, bare = self.ask()
        report, seconds = self.track("--count")
        calls = report_calls(report)
        print("counted: %s; %.2f s, bare %.2f s" % (", ".join(
            "%s %d" % (name, calls[name].count) for name in ITS_OWN), seconds, bare))

    def test_streamed(self):
        """Every call as a line, and none of them lost: it may have been held for that."""
        report, seconds = self.track("-o", self.path("events"))
        self.assertEqual(events_by_type(self.each_event()), by_type(report_calls(report)))
        totals = one(report["totals"])
        with open(self.path("events"), "rb") as file:
            self.assertEqual(sum(1 for _ in file), totals["events"])
        self.assertGreater(totals["live_bytes"], 0)
        self.assertGreaterEqual(totals["peak_bytes"], totals["live_bytes"])
        self.assertEqual(totals["replaced_blocks"], 0)
        holds = one(report["holds"]) if report["holds"] else {"count": 0}
        print("streamed: %d calls, peak %d bytes, live %d bytes in %d blocks, %d frees of blocks "
              "never seen, held %d times; %.2f s" % (
                  totals["events"], totals["peak_bytes"], totals["live_bytes"],
                  totals["live_blocks"], totals["frees_unknown"], holds["count"], seconds))


if __name__ == "__main__":
    harness.main()
