# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth diagnose -w` (the view finding_changes): a finding is told once when it comes and once when
it goes, whatever lies between; who comes later is judged too; a capture of the watch tells the same.
"""
import json
import os
import resource
import shutil
import signal
import sys

import harness
from harness import Case, needs_bpf

# Says nothing until it is told to begin, and gives all back when it is told to stop.
LEAK = """
import os, select, sys
held, leaks = [], False
print("ready", flush=True)
while True:
    if select.select([sys.stdin], [], [], 0.05)[0]:
        word = sys.stdin.readline()
        if not word:
            break
        leaks = word == "leak\\n"
        while not leaks and held:
            os.close(held.pop())
    if leaks and len(held) < 5000:
        held.append(os.open("/etc/passwd", os.O_RDONLY))
"""


def changes(out):
    """Whole lines of findings."""
    rows = [json.loads(line) for line in out.split(b"\n")[:-1] if line.startswith(b"{")]
    return [row for row in rows if row["type"] == "finding"]


class DiagnoseWatch(Case):
    def states(self, sooth, pid, finding):
        return [row["state"] for row in changes(bytes(sooth.out))
                if row["pid"] == pid and row["id"] == finding]

    def wait_for(self, sooth, pid, finding, states):
        harness.wait_until(lambda: self.states(sooth, pid, finding) == states,
                           "%s of %d to be %s" % (finding, pid, states), timeout=120)

    def start_full(self, program):
        """Its three standard streams are all that it may have; once it has its libraries, for which
        its loader needs one more."""
        process = self.start(program, "300")
        harness.wait_until(lambda: self.is_asleep(process, program), "its sleep")
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 3))
        return process

    @staticmethod
    def is_asleep(process, program):
        folder = "/proc/%d/" % process.pid
        call = harness.read(folder + "syscall").split()[0]
        return os.readlink(folder + "exe") == program and (
            b"nanosleep" in harness.read(folder + "wchan") or call in (b"230", b"35", b"115", b"101"))

    @needs_bpf
    def test_a_tool_that_a_watched_agent_starts_later(self):
        program = self.path(".local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(program))
        shutil.copy(os.path.realpath("/bin/bash"), program)
        with open(self.path("leak.py"), "w", encoding="ascii") as file:
            file.write(LEAK)
        main = self.start(program, "-c", "read; { echo leak; sleep 600; } | %s %s; true" % (sys.executable, self.path("leak.py")))
        capture = self.path("watch.sooth")
        sooth = self.start_sooth("diagnose", "-w", "1", "-j", "--save", capture, str(main.pid))
        harness.wait_until(lambda: os.path.exists(capture), "the watch to begin")
        main.say(b"go\n")
        harness.wait_until(lambda: any(row["id"] == "fd-leak" for row in changes(bytes(sooth.out))),
                           "the leak of its tool", timeout=60)
        self.finish(sooth)

    def finish(self, sooth):
        sooth.send(signal.SIGINT)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        return run

    def test_findings_on_a_timeline(self):
        """Of a capture that was made to be judged; one of something else is not judged."""
        target = self.start_full(os.path.realpath(shutil.which("sleep")))
        capture, other = self.path("judged.sooth"), self.path("other.sooth")
        told = self.sooth("diagnose", "-j", "--duration", "1", "--save", capture, str(target.pid)).json()
        found = {f["id"]: f for p in told["processes"] for f in p["findings"]}
        self.assertIn("fd-limit-near", found)
        timeline = self.sooth("timeline", "-j", capture).json()
        events = [e for e in timeline["events"] if e["event"] == "finding"]
        mine = {e["detail"].split(":")[0]: e for e in events if e["pid"] == target.pid}
        self.assertEqual(set(mine), set(found))
        event, finding = mine["fd-limit-near"], found["fd-limit-near"]
        self.assertEqual(event["detail"], "fd-limit-near: " + finding["claim"])
        self.assertEqual(event["process"], "sleep")
        self.assertLessEqual(event["at_ns"], timeline["timeline"]["interval_ns"])
        # As the user has set it, here and in the file.
        muted = self.sooth("timeline", "-j", "--set", "fd-limit-near=off", capture).json()
        self.assertEqual([e for e in muted["events"] if "fd-limit-near" in (e["detail"] or "")], [])
        os.mkdir(self.path("sooth"))
        with open(self.path("sooth/findings"), "w", encoding="utf-8") as file:
            file.write("fd-limit-near = off\n")
        muted = self.sooth("timeline", "-j", capture,
            env=dict(os.environ, XDG_CONFIG_HOME=self.folder)).json()
        self.assertEqual([e for e in muted["events"] if "fd-limit-near" in (e["detail"] or "")], [])
        self.sooth("timeline", "-o", self.path("x.svg"), capture)
        self.assertIn(b"fd-limit-near: ", harness.read(self.path("x.svg")))
        self.sooth("record", "--probe", "proc,fds", "-d", "1", "-o", other, "-p", str(target.pid))
        self.assertNotIn("finding",
            [e["event"] for e in self.sooth("timeline", "-j", other).json()["events"]])

    def test_said_once_when_it_comes_and_once_when_it_goes(self):
        target = self.start(sys.executable, "-c", LEAK)
        target.wait_for_output(b"ready")
        capture = self.path("watch.sooth")
        sooth = self.start_sooth("diagnose", "-w", "1", "-j", "--save", capture, str(target.pid))
        target.say(b"leak\n")
        self.wait_for(sooth, target.pid, "fd-leak", ["raised"])
        target.say(b"stop\n")
        self.wait_for(sooth, target.pid, "fd-leak", ["raised", "cleared"])
        run = self.finish(sooth)
        rows = [row for row in changes(run.out) if row["id"] == "fd-leak"]
        self.assertEqual([row["state"] for row in rows], ["raised", "cleared"])
        self.assertEqual(rows[0]["key"], rows[1]["key"])
        self.assertLess(rows[0]["utc_ns"], rows[1]["utc_ns"])
        self.assertTrue(rows[0]["evidence"] and rows[0]["remedy"])
        # The same options on the file: the same bytes.
        self.assertEqual(self.sooth("diagnose", "-w", "1", "-j", capture).out, run.out)

    def test_one_at_rest_is_not_spoken_of(self):
        target = self.start(sys.executable, "-c", LEAK)
        target.wait_for_output(b"ready")
        run = self.sooth("diagnose", "-w", "1", "--duration", "6", "-j", str(target.pid))
        self.assertEqual([row for row in changes(run.out) if row["severity"] != "low"], [])
        self.assertIn("0 raised, 0 cleared", run.text)

    @needs_bpf
    def test_an_agent_that_comes_later_is_judged(self):
        """By what is read of it alone, so it has to have joined."""
        agent = self.path(".local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(agent))
        shutil.copyfile("/bin/sleep", agent)
        os.chmod(agent, 0o755)
        first = self.start_full(agent)
        sooth = self.start_sooth("diagnose", "-w", "1", "-j")
        self.wait_for(sooth, first.pid, "fd-limit-near", ["raised"])
        later = self.start_full(agent)
        self.wait_for(sooth, later.pid, "fd-limit-near", ["raised"])
        self.assertEqual(self.states(sooth, first.pid, "fd-limit-near"), ["raised"])
        self.finish(sooth)

    def test_wrong_uses(self):
        for options in (["--quick"], ["--bundle", self.path("b")]):
            run = self.sooth("diagnose", "-w", *options, status=2)
            self.assertRegex(run.errors, "cannot take (%s with --watch|--watch with %s)" % (options[0], options[0]))


if __name__ == "__main__":
    harness.main()
