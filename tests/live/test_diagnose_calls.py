# SPDX-License-Identifier: BSD-2-Clause
"""diagnose by system calls: whose calls are observed, what is said where they cannot be, and that a capture of
`sooth trace` tells the same. What each finding says is proved by tests/findings/prove.py."""
import os
import unittest

import harness
from harness import Case, as_nobody, needs_bpf, needs_root

# Every round it asks for the same missing file, as do children: it starts one again and again, so that
# one begins while it is watched, however late that is.
ASKS = ("import os, signal, sys, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "is_child, rounds = False, 0\n"
        "while True:\n"
        "    for _ in range(20):\n"
        "        try: os.stat(sys.argv[1])\n"
        "        except OSError: pass\n"
        "    time.sleep(0.02)\n"
        "    rounds += 1\n"
        "    if is_child and rounds > 40: os._exit(0)\n"
        "    if rounds % 5 == 0 and len(sys.argv) > 2 and not is_child:\n"
        "        is_child = os.fork() == 0\n"
        "        rounds = 0\n")
BUSY = ("import os\nprint('ready', flush=True)\n"
        "while True:\n"
        "    for _ in range(100):\n"
        "        try: os.stat('/nowhere')\n"
        "        except OSError: pass\n"
        "    os.stat('/etc/passwd')\n")
OF_CALLS = {"write-churn", "connect-failing", "syscall-errors", "slow-syscalls", "metadata-storm",
            "small-io"}


def errors_of(process):
    return [f for f in process["findings"] if f["id"] == "syscall-errors"]


class Calls(Case):
    def asker(self, *more):
        process = self.start(harness.have("python3"), "-c", ASKS, self.path("missing"), *more)
        process.wait_for_output(b"ready\n")
        return process

    def diagnose(self, *options, **more):
        return self.sooth("diagnose", "-j", *options, **more).json()

    @needs_bpf
    def test_those_that_are_meant_and_no_others(self):
        meant, other = self.asker(), self.asker()
        report = self.diagnose("--duration", "2", str(meant.pid), "--save",
                               self.path("calls.sooth"))
        (process,) = report["processes"]
        self.assertEqual(process["pid"], meant.pid)
        (finding,) = errors_of(process)
        self.assertIn(self.path("missing"), finding["claim"])
        self.assertIn("ENOENT", finding["claim"])
        self.assertEqual(finding["subject"]["path"], self.path("missing"))
        # The stream holds nobody else's calls, though the whole host was looked at.
        lines = self.sooth("trace", "-j", self.path("calls.sooth")).lines()
        pids = {line["pid"] for line in lines if line.get("name") == "newfstatat"}
        self.assertEqual(pids, {meant.pid})
        self.assertNotIn(other.pid, pids)
        self.assertEqual(report["target"]["selector"], "host")

    @needs_bpf
    def test_the_same_calls_as_a_picture(self):
        """Live, from the capture, and as PNG; without calls, or beside a bundle, it is refused."""
        meant = self.asker()
        live, later, capture = self.path("live.svg"), self.path("later.svg"), self.path("c.sooth")
        self.sooth("diagnose", "-D", "--duration", "1", "--flamegraph", "-o", live, "--save", capture,
                   str(meant.pid))
        self.sooth("diagnose", "--flamegraph", "-o", later, capture)
        self.assertEqual(harness.read(later), harness.read(live))
        stacks = harness.read(self.path("live.folded")).decode()
        self.assertIn(";file;newfstatat;%s " % self.path("missing"), stacks)
        self.assertIn(b"newfstatat", harness.read(live))
        self.sooth("diagnose", "--flamegraph", "-o", self.path("x.png"), capture)
        self.assertTrue(harness.read(self.path("x.png")).startswith(b"\x89PNG"))
        self.assertEqual(harness.read(self.path("x.folded")).decode(), stacks)
        for words in (["--flamegraph", "-o", live, "--passive"], ["--flamegraph", "-D"],
                      ["--flamegraph", "-D", "-o", live, "--bundle", self.path("b")]):
            self.sooth("diagnose", *words, str(meant.pid), status=2)

    @needs_bpf
    def test_children_are_followed_and_not_judged(self):
        meant = self.asker("forks")
        report = self.diagnose("-D", "--duration", "2", str(meant.pid), "--save",
                               self.path("calls.sooth"))
        self.assertEqual([p["pid"] for p in report["processes"]], [meant.pid])
        rows = self.sooth("trace", "-j", "--process", self.path("calls.sooth")).json()["processes"]
        self.assertIn(meant.pid, {row["parent"] for row in rows})

    @needs_bpf
    def test_a_trace_is_enough(self):
        meant = self.asker()
        self.sooth("trace", "-d", "2", "-o", self.path("lines"), "--save",
                   self.path("trace.sooth"), "-p", str(meant.pid))
        (process,) = self.diagnose(self.path("trace.sooth"))["processes"]
        self.assertEqual(len(errors_of(process)), 1)
        judged = {f["id"] for f in process["fine"]} | {f["id"] for f in process["findings"]}
        # How long its threads waited for a processor, and so much more, was not recorded.
        self.assertLessEqual(OF_CALLS, judged)
        self.assertIn("busy-poll", {b["id"] for b in process["unseen"]})

    @needs_bpf
    def test_counts_are_not_enough(self):
        meant = self.asker()
        self.sooth("record", "-d", "1", "--probe", "proc,syscalls", "-o",
                   self.path("counts.sooth"), "-p", str(meant.pid))
        (process,) = self.diagnose(self.path("counts.sooth"))["processes"]
        reasons = {b["reason"] for b in process["unseen"] if b["id"] in OF_CALLS}
        self.assertEqual(reasons, {"the calls were only counted, not recorded one by one"})

    @needs_bpf
    def test_what_is_lost_is_said(self):
        meant = self.start(harness.have("python3"), "-c",
                           "import os\nprint('ready', flush=True)\n"
                           "while True:\n"
                           "    try: os.stat('/nowhere')\n"
                           "    except OSError: pass\n")
        meant.wait_for_output(b"ready\n")
        report = self.diagnose("-D", "--buffer", "16K", "--duration", "1", str(meant.pid))
        (finding,) = errors_of(report["processes"][0])
        self.assertEqual(finding["confidence"], "medium")
        self.assertTrue(any("lost" in text for text in finding["caveats"]), finding)

    @needs_bpf
    def test_a_fast_one_is_sampled(self):
        """Counts are right though few calls are recorded, and the capture says the same."""
        meant = self.start(harness.have("python3"), "-c", BUSY)
        meant.wait_for_output(b"ready\n")
        capture = self.path("sampled.sooth")
        report = self.diagnose("--duration", "2", str(meant.pid), "--save", capture)
        (finding,) = errors_of(report["processes"][0])
        evidence = {row["name"]: row for row in finding["evidence"]}
        self.assertIn("recorded one by one", evidence["sampled"]["text"])
        self.assertEqual(self.diagnose(capture)["processes"], report["processes"])
        # The file that is never missing is asked for a hundred times less often.
        self.assertIn("/nowhere", finding["claim"])
        recorded = sum(line.get("name") == "newfstatat" for line in self.sooth("trace", "-j", capture).lines())
        self.assertGreater(evidence["times"]["value"], 2 * recorded)

    @needs_bpf
    def test_passive_attaches_nothing(self):
        meant = self.asker()
        report = self.diagnose("--passive", "--duration", "1", str(meant.pid))
        unseen = {b["id"]: b["cause"] for b in report["processes"][0]["unseen"]}
        self.assertEqual({unseen.get(id) for id in OF_CALLS}, {"not requested"})
        self.assertEqual(errors_of(report["processes"][0]), [])

    def test_one_look_has_no_calls(self):
        run = self.sooth("diagnose", "-D", "--quick", status=2)
        self.assertIn("leave out --quick or --calls", run.errors)

    @needs_root
    def test_without_privilege_the_rest_is_told(self):
        target = self.start("sleep", "600", **as_nobody())
        harness.wait_until(lambda: harness.read("/proc/%d/comm" % target.pid) == b"sleep\n",
                           "sleep to run")
        program = self.copy_for_all(os.path.realpath(harness.SOOTH))
        run = self.run_program(program, "diagnose", "-D", "-j", "--duration", "1",
                               str(target.pid), status=3, **as_nobody())
        report = run.json()
        (process,) = report["processes"]
        self.assertLessEqual(OF_CALLS, {b["id"] for b in process["unseen"]})
        self.assertIn("system calls", {limit["what"] for limit in report["limits"]})


if __name__ == "__main__":
    unittest.main()
