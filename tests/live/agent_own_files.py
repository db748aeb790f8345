# SPDX-License-Identifier: BSD-2-Clause
"""
The session files of real agents, for test_agents.py: session, status, version, last activity and
running tool, as sooth reads them.
"""
import glob
import json
import os
import subprocess
import sys
import time

import harness

TELL = os.environ.get("AGENT_FILES_TELL", "")
WRITTEN_IN_S = harness.PATIENCE_S
VALUE, ABSENT, NOT_MEASURED = 0, 1, 4
UNTOLD, NOT_ASKED, BLOCKED = (NOT_MEASURED | reason << 4 for reason in (11, 5, 8))


def own_files(pid, agent, how="session", times=1):
    """(the record, microseconds a call)"""
    run = subprocess.run([TELL, how, str(pid), agent, str(times)], check=True,
                         stdout=subprocess.PIPE)
    record, cost = (json.loads(line) for line in run.stdout.splitlines())
    return record, cost["call_us"], run.stdout


class OwnFileChecks:
    """Beside unittest.TestCase; `files_name` is the agent's name for sooth."""

    def own_record(self, agent, name, how="session", until="session"):
        """Agents write their files a moment after they act: waits until it holds `until`."""
        deadline = time.monotonic() + WRITTEN_IN_S
        while True:
            record, _, text = own_files(agent.worker_pid, name, how)
            if not until or record[until] or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for secret in (b"dummy", b"secret", b"tail", b"/dev/null", agent.home.encode()):
            self.assertNotIn(secret, text)
        return record

    @staticmethod
    def in_home(agent, pattern):
        return glob.glob(os.path.join(agent.home, pattern))

    def assert_tool_record(self, record, tool):
        self.assertEqual((record["tool"], record["tool_state"]), (tool, VALUE))
        self.assert_recent(record["tool_utc_ns"])

    def assert_recent(self, utc_ns):
        self.assertGreater(utc_ns, self.begin_utc_ns)
        self.assertLess(utc_ns, time.time_ns())

    def check_cost(self, agent, name, record):
        """The last of many reads gives what the first one did; the cost of one is printed."""
        again, cost, _ = own_files(agent.worker_pid, name, times=200)
        for what in ("session", "tool", "tool_utc_ns"):
            self.assertEqual(again[what], record[what])
        _, brief, _ = own_files(agent.worker_pid, name, how="brief", times=200)
        print("%s: a read takes %d us, without its log %d us" % (name, cost, brief),
              file=sys.stderr)

    def check_no_record(self, agent, name):
        record = self.own_record(agent, name, until=None)
        self.assertEqual(record["session"], "")
        for what in ("session", "status", "version", "activity", "tool"):
            self.assertEqual(record[what + "_state"], UNTOLD, what)
