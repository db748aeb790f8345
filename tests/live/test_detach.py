# SPDX-License-Identifier: BSD-2-Clause
"""Attaching and letting go, again and again: the target does not notice."""
import os
import signal

import harness
from harness import Case, needs_bpf, read_truth, table_counts

ROUNDS = 20


@needs_bpf
class Detach(Case):
    def test_twenty_times(self):
        target = self.workload("storm", "--threads", "3", "--rate", "6000", "--seconds", "3600",
                               truth=self.path("truth"))
        target.say(b"go\n")
        seen = 0
        for turn in range(ROUNDS):
            mode = ["-c"] if turn % 2 else []
            run = self.sooth("trace", *mode, "-j", "-d", "0.1", "-p", str(target.pid))
            counts = table_counts(run.json()) if mode else harness.stream_counts(run.lines())
            self.assertEqual(counts.get("getppid", (0, 0))[1], 0, counts)
            seen += counts.get("getppid", (0, 0))[0]
        target.send(signal.SIGTERM)
        self.assertEqual(target.finish().status, 0, "the target did what it was to do")
        truth, _ = read_truth(self.path("truth"))
        self.assertGreater(seen, 0)
        self.assertLess(seen, truth["getppid"][0])

    def test_two_watchers_at_once(self):
        """Each sees all; the one that leaves takes nothing from the other."""
        target = self.workload("syscalls", "--threads", "2", "--forks", "1", "--count", "1000",
                               truth=self.path("truth"))
        first = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        second = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        third = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        third.send(signal.SIGINT)
        self.assertEqual(third.finish().status, 0)
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        truth, _ = read_truth(self.path("truth"))
        for sooth in (first, second):
            self.assert_includes(table_counts(sooth.finish().json()), truth)

    def test_several_targets(self):
        targets = [self.workload("syscalls", "--count", "200", truth=self.path("truth%d" % i))
                   for i in range(3)]
        sooth = self.start_attached("trace", "-c", "-j", "-p",
                                    ",".join(str(target.pid) for target in targets))
        for target in targets:
            target.say(b"go\n")
        for target in targets:
            self.assertEqual(target.finish().status, 0)
        report = sooth.finish().json()
        self.assertEqual(sorted(report["target"]["pids"]), sorted(t.pid for t in targets))
        one, _ = read_truth(self.path("truth0"))
        self.assert_includes(table_counts(report), {name: (3 * calls, 3 * errors)
                                                    for name, (calls, errors) in one.items()})


@needs_bpf
class Users(Case):
    """Of users whom nobody else here is: what other tests do meanwhile is none of theirs."""
    WATCHER, WATCHED = 64031, 64032

    def of_user(self, uid, name):
        target = self.start(self.copy_for_all(harness.WORKLOADS), "syscalls", "--count", "100",
                            "--hold", "--truth", self.path(name), **harness.as_user(uid))
        target.wait_for_output(b"ready\n")
        return target

    def test_a_user_without_sooth_itself(self):
        """All processes of a user are watched, among them the watcher: it leaves itself out, and
        whom it lets make calls that may not return."""
        if not harness.have("setpriv"):
            self.skipTest("no setpriv here")
        target = self.of_user(self.WATCHER, "truth")
        program, may = self.copy_for_all(os.path.realpath(harness.SOOTH)), "-all,+bpf,+perfmon"
        sooth = self.start(harness.have("setpriv"), "--reuid", str(self.WATCHER), "--regid",
                           str(self.WATCHER), "--clear-groups", "--inh-caps", may,
                           "--ambient-caps", may, "--", program, "trace", "-j", "-u",
                           str(self.WATCHER), "-o", self.path("out"), cwd=self.folder)
        self.wait_until_attached(sooth)
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)
        lines = [harness.json.loads(line) for line in harness.read(self.path("out")).splitlines()]
        pids = {line["pid"] for line in lines if line["type"] == "call"}
        self.assertEqual(pids, {target.pid})
        truth, _ = read_truth(self.path("truth"))
        mine = harness.stream_counts(line for line in lines
                                     if line["type"] == "call" and line["pid"] == target.pid)
        self.assertEqual(lines[-1]["loss"], [])
        self.assert_includes(mine, truth)

    def test_only_that_user(self):
        theirs = self.of_user(self.WATCHED, "theirs")
        ours = self.workload("syscalls", "--count", "100", truth=self.path("ours"))
        sooth = self.start_attached("trace", "-c", "-j", "-u", str(self.WATCHED))
        ours.say(b"go\n")
        theirs.say(b"go\n")
        self.assertEqual((ours.finish().status, theirs.finish().status), (0, 0))
        sooth.send(signal.SIGINT)
        report = sooth.finish().json()
        truth, _ = read_truth(self.path("theirs"))
        self.assert_includes(table_counts(report), truth)


if __name__ == "__main__":
    harness.main()
