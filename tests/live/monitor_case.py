# SPDX-License-Identifier: BSD-2-Clause
"""
A `sooth monitor` in a folder of the test, and readers of its FIFOs.
"""
import json
import os
import time

import harness
from harness import Case

NAMES = ("api_calls.fifo", "scheduler.fifo", "syscalls.fifo")


class MonitorCase(Case):
    def monitor(self, *words, **options):
        self.fifos = options.pop("fifos", self.path("fifos"))
        sooth = self.start_sooth("monitor", "--no-history", "--fifo-dir", self.fifos, *words, **options)
        harness.wait_until(lambda: not sooth.is_running() or b"records are in" in sooth.err,
                           "the monitor to begin")
        return sooth

    def tail(self, *names, home=None):
        """As it is typed."""
        files = " ".join("%s/%s" % (self.fifos, name) for name in names) or "~/.claude/fifos/*.fifo"
        return self.start("/bin/bash", "-c", "exec tail -f " + files,
                          env=dict(os.environ, HOME=home or "/nonexistent"))

    def connect(self, *words):
        return self.start_sooth("tail", "--fifo-dir", self.fifos, *words)

    def wait_for_lines(self, reader, number):
        harness.wait_until(lambda: len(self.lines(reader)) >= number, lambda: "%d lines: %r" % (
            number, bytes(reader.out[-500:])))

    def wait_until_full(self, sooth, kib):
        """The queue of a reader that takes nothing."""
        def anonymous_kb():
            with open("/proc/%d/status" % sooth.pid, encoding="ascii") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))

        begin_kb = anonymous_kb()
        harness.wait_until(lambda: anonymous_kb() > begin_kb + kib, "a full queue")
        time.sleep(0.5)

    def lines(self, reader):
        """Whole ones."""
        text = bytes(reader.out)
        text = text[:text.rfind(b"\n") + 1]
        return [json.loads(line) for line in text.decode().splitlines() if line.startswith("{")]

    def by_fifo(self, text):
        found, name = {}, None
        for line in text.decode().splitlines():
            if line.startswith("==>"):
                name = os.path.basename(line.split()[1])
            elif line.startswith("{"):
                found.setdefault(name, []).append(json.loads(line))
        return found

    def assert_numbered(self, lines):
        """From 1 on; numbers are missing only where a loss says how many."""
        expected = 1
        for line in lines:
            if line["type"] == "loss" and line["seq"] != expected:
                expected += line["records"]
            self.assertEqual(line["seq"], expected, line)
            expected += 1
