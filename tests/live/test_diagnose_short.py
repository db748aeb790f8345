# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose` of three agents, two of them stopped: the causes, what is fine and what to do stand on
one terminal of 80x24; children of a healthy session have no line.
"""
import os
import re
import signal

import harness
from family import Family
from harness import Case, needs_root


@needs_root
class Short(Case):
    def test_three_agents(self):
        with Family(self.folder) as family:
            mains = [family.main("m%d" % i) for i in range(3)]
            tool = mains[2].start("tool", "session", **family.tool(mains[2]))
            for main in mains[:2]:
                os.kill(main.pid, signal.SIGSTOP)
            pids = [str(main.pid) for main in mains] + [str(tool.pid)]
            capture = self.path("short.sooth")
            run = self.sooth("diagnose", "--duration", "1", "--set", "frozen.min-time=0", "--save", capture,
                             "-p", ",".join(pids), env={**os.environ, "SOOTH_COLUMNS": "80"})
            for main in mains[:2]:
                os.kill(main.pid, signal.SIGCONT)
        lines = run.text.splitlines()
        self.assertLess(len(lines), 24, run.text)
        self.assertEqual([line for line in lines if len(line) > 80], [])
        self.assertRegex(lines[0], r"^claude \d+.*: stopped")
        self.assertEqual({int(pid) for pid in re.findall(r"(?m)^claude (\d+).*: stopped", run.text)},
                         {main.pid for main in mains[:2]})
        self.assertNotRegex(run.text, r"(?m)^(fine|no problem).*\b%d \(tool" % tool.pid)
        self.assertEqual(len(re.findall("(?m)^not judged: ", run.text)), 1)
        again = self.sooth("diagnose", "--set", "frozen.min-time=0", capture,
                           env={**os.environ, "SOOTH_COLUMNS": "80"})
        self.assertEqual(again.text, run.text)

    def test_an_agent_that_waits_for_its_user(self):
        """Not a finding, and still the first thing that is said."""
        with Family(self.folder) as family:
            main = family.main()
            family.tell_session(main, status="waiting", waitingFor="permission to run Bash")
            run = self.sooth("diagnose", "--duration", "1", "-p", str(main.pid))
        self.assertRegex(run.text, r"^claude %d.*: waits for you: permission to run Bash.*; no problem found" % main.pid)


if __name__ == "__main__":
    harness.main()
