# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose` without a pid: what sessions that are gone have left is judged too, and told once.
"""
import json
import subprocess

import harness
from harness import SOOTH
from family import NULL
from leftovers_case import Leftovers


def diagnose(*arguments, before=()):
    run = subprocess.run([*before, SOOTH, "diagnose", "-j", "--duration", "3", "--set",
        "orphan.min-age=0", *map(str, arguments)], check=True, stdout=subprocess.PIPE)
    return {p["pid"]: p for p in json.loads(run.stdout)["processes"]}


def ids(process):
    return {finding["id"] for finding in process["findings"]}


class WithoutPid(Leftovers):
    def make(self):
        """A tool with a child and a server, both left; the same of a session that lives."""
        main, twin = self.family.main("main"), self.family.main("twin")
        tool, healthy = self.tool_of(main), self.tool_of(twin, "healthy")
        below = self.below(tool, "below")
        server = main.start("mcp", **self.family.server(main))
        served = twin.start("served", **self.family.server(twin))
        main.kill(reaper=self.family.root)
        return tool, below, server, (twin, healthy, served)

    def check(self, told):
        tool, below, server, sound = self.members
        self.assertEqual(ids(told[tool.pid]), {"orphan"}, told[tool.pid])
        self.assertEqual(ids(told[below.pid]), set(), told[below.pid])
        self.assertEqual(ids(told[server.pid]), {"mcp-abandoned"}, told[server.pid])
        for member in sound:
            self.assertEqual(ids(told[member.pid]) & {"orphan", "mcp-abandoned"}, set())
        evidence = {e["name"]: e for e in told[tool.pid]["findings"][0]["evidence"]}
        self.assertIn("gone", evidence["known by"]["text"])
        self.assertEqual(evidence["processes, with descendants"]["value"], 2)

    def test_all_agents(self):
        self.members = self.make()
        self.check(diagnose())

    def test_no_descendant_of_a_leftover_is_fine(self):
        _, below, _, (twin, _, _) = self.make()
        run = subprocess.run([SOOTH, "diagnose", "--duration", "1", "--set", "orphan.min-age=0"], check=True,
            stdout=subprocess.PIPE, text=True)
        fine = " ".join(line for line in run.stdout.splitlines() if line.startswith(("fine:", "no problem found in")))
        self.assertIn(" %d " % twin.pid, fine)
        self.assertNotIn(" %d " % below.pid, fine)

    def test_one_that_is_told_elsewhere(self):
        """Asked for alone it is told of itself."""
        self.members = self.make()
        below = self.members[1]
        self.assertEqual(ids(diagnose(below.pid)[below.pid]), {"orphan"})

    def headline(self, pid):
        return subprocess.run([SOOTH, "diagnose", "--duration", "1", str(pid)], check=False,
            stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]

    def test_left_on_purpose_or_perhaps(self):
        """No finding, and yet the first line says that its session has ended."""
        main = self.family.main()
        tool = self.tool_of(main)
        sound = self.below(tool, "sound", **NULL)
        self.assertNotIn("session has ended", self.headline(sound.pid))
        daemon = self.below(tool, "daemon", "session", "twice", **NULL)
        perhaps = self.below(tool, "perhaps", "twice", **NULL)
        tool.kill(reaper=main)
        main.kill(reaper=self.family.root)
        self.assertIn(": left on purpose: its agent session has ended; ", self.headline(daemon.pid))
        self.assertIn(": perhaps left behind: its agent session has ended; no other problem found",
                      self.headline(perhaps.pid))

    def test_from_the_capture(self):
        self.members = self.make()
        capture = self.path("all.sooth")
        live = diagnose("--save", capture)
        run = subprocess.run([SOOTH, "diagnose", "-j", "--set", "orphan.min-age=0", capture],
            check=True, stdout=subprocess.PIPE)
        again = {p["pid"]: p for p in json.loads(run.stdout)["processes"]}
        self.check(again)
        for pid in (m.pid for m in self.members[:3]):
            self.assertEqual([f["claim"] for f in live[pid]["findings"]],
                             [f["claim"] for f in again[pid]["findings"]])


if __name__ == "__main__":
    harness.main()
