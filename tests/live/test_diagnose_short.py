# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose` of three agents, two of them stopped: the causes, what is fine and what to do stand on
one terminal of 80x24; children of a healthy session have no line.
"""
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

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

    def begin(self, *argv):
        child = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child.pid

    def test_what_a_process_waits_for(self):
        """The sentence of `sooth why` in place of `no problem found`; an idle server is fine."""
        os.mkfifo(self.path("alone"))
        lock = self.path("lock")
        with open(lock, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            flock = self.begin("flock", lock, "true")
            cat = self.begin("cat", self.path("alone"))
            server = self.begin(sys.executable, "-c", "import socket; s = socket.create_server(('127.0.0.1', 0)); s.accept()")
            time.sleep(1.2)
            capture = self.path("stuck.sooth")
            run = self.sooth("diagnose", "--duration", "1", "--save", capture, "--fail-on", "info", "--allow-unseen",
                             "-p", "%d,%d,%d" % (flock, cat, server))
            single = self.sooth("diagnose", "-j", "--duration", "1", "-p", str(flock)).json()
        self.assertEqual(self.sooth("diagnose", capture).text, run.text)
        self.assertRegex(run.text, r"(?m)^flock \(%d\) waits for a lock on .*lock held by .*\(%d\)" % (flock, os.getpid()))
        self.assertRegex(run.text, r"(?m)^cat \(%d\) opens the FIFO .*alone: no process" % cat)
        self.assertRegex(run.text, r"(?m)^no problem found")
        self.assertNotIn("(%d)" % server, run.text)
        self.assertRegex(single["processes"][0]["waits_text"], r"^flock \(%d\) waits for a lock" % flock)
        self.assertTrue(single["summary"]["headline"].startswith(single["processes"][0]["waits_text"] + "; no problem found"))
        rows = {row["pid"]: row for row in self.sooth("diagnose", "-j", capture).json()["processes"]}
        self.assertRegex(rows[server]["waits_text"], "idle")
        self.assertEqual([row["finding_count"] for row in rows.values()], [0, 0, 0])


if __name__ == "__main__":
    harness.main()
