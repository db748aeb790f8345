# SPDX-License-Identifier: BSD-2-Clause
"""
Findings about real agents on a terminal, for test_agents.py: stream-stalled while the server holds its
answer back; none at the prompt, where system calls are observed too, and while a tool runs.
tests/findings has the agents without a terminal.
"""
import json
import os
import subprocess
import time

from harness import SOOTH, wait_until

FINDING = "stream-stalled"
SILENCE_S = 2
STAY_S = 2.5  # longer than the silence that the finding needs
OBSERVE_S = 2
BAD = ("medium", "high", "critical")


def findings_of(agent, options):
    pids = sorted({agent.pid, agent.worker_pid})
    out = subprocess.run([SOOTH, "diagnose", "-j", "--duration", str(OBSERVE_S), "--set",
                          "%s.silence=%ds" % (FINDING, SILENCE_S), *options, *map(str, pids)],
                         stdout=subprocess.PIPE, check=False,
                         env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent")).stdout
    return [found for process in json.loads(out)["processes"] for found in process["findings"]]


def ailing(found):
    return [one for one in found if one["id"] != FINDING and one["severity"] in BAD]


class StreamChecks:
    """Beside unittest.TestCase."""
    is_stream_checked = True

    def check_stalled(self, agent):
        self.check_stream(agent, True)

    def check_not_stalled(self, agent, *options):
        self.check_stream(agent, False, *options)

    def check_stream(self, agent, is_stalled, *options):
        if not self.is_stream_checked:
            return
        time.sleep(STAY_S)
        found = findings_of(agent, options)
        stalled = [one for one in found if one["id"] == FINDING]
        self.assertEqual(bool(stalled), is_stalled, (agent.tell(), found))
        for one in stalled:
            self.assertIn("waiting for", one["claim"])
        if ailing(found):
            # A busy host draws out the work at the start of an agent; what is wrong with one stays.
            wait_until(lambda: not ailing(findings_of(agent, options)), lambda: "no finding like %s" % ailing(found))
