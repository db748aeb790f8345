# SPDX-License-Identifier: BSD-2-Clause
"""Counts by name against a workload that knows its own: equal, every time."""
import os
import random

import harness
from harness import Case, needs_bpf, read_truth, stream_counts, table_counts

SEEDS = range(1, 1 + int(os.environ.get("SOOTH_TEST_SEEDS", "4")))


def shape(seed):
    """Threads, forks, exec and calls, varied by the seed; the calls divide by 10 and 2."""
    rng = random.Random(seed)
    return ["syscalls", "--threads", str(rng.randint(1, 6)), "--forks", str(rng.randint(0, 4)),
            "--exec", str(rng.randint(0, 1)), "--count", str(20 * rng.randint(1, 50)),
            "--slow-ms", "1", "--seed", str(seed)]


@needs_bpf
class Counts(Case):
    def truth(self, seed):
        counts, _ = read_truth(self.path("truth%d" % seed))
        self.assertIn("getppid", counts)
        return counts

    def check(self, report, counts, seed):
        self.assertEqual(report["loss"], [], seed)
        self.assert_includes(counts, self.truth(seed), "seed %d" % seed)

    def test_launched(self):
        for seed in SEEDS:
            run = self.sooth("trace", "-c", "-j", "-o", self.path("report"), "--",
                             harness.WORKLOADS, *shape(seed), "--truth",
                             self.path("truth%d" % seed))
            self.assertEqual(run.out, b"ready\n")
            report = harness.json.loads(harness.read(self.path("report")))
            self.check(report, table_counts(report), seed)
            self.assertEqual(report["end_reason"], "target ended")

    def test_attached(self):
        for seed in SEEDS:
            target = self.workload(*shape(seed), truth=self.path("truth%d" % seed))
            sooth = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
            target.say(b"go\n")
            self.assertEqual(target.finish().status, 0)
            run = sooth.finish()
            self.assertEqual(run.status, 0, run)
            report = run.json()
            self.check(report, table_counts(report), seed)
            self.assertEqual(report["target"]["pids"], [target.pid])

    def test_stream(self):
        for seed in SEEDS:
            run = self.sooth("trace", "-j", "-o", self.path("stream"), "--", harness.WORKLOADS,
                             *shape(seed), "--truth", self.path("truth%d" % seed))
            self.assertEqual(run.out, b"ready\n")
            lines = [harness.json.loads(line)
                     for line in harness.read(self.path("stream")).splitlines()]
            self.check(lines[-1], stream_counts(lines), seed)

    def test_stream_attached(self):
        target = self.workload(*shape(3), truth=self.path("truth3"))
        sooth = self.start_attached("trace", "-j", "-p", str(target.pid))
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        lines = sooth.finish().lines()
        self.check(lines[-1], stream_counts(lines), 3)

    def test_table_of_a_recorded_stream(self):
        """A capture of single calls gives the rows that counting gives."""
        for seed in (2, 5):
            self.sooth("record", "--stream", "--probe", "syscalls", "-o", self.path("stream"),
                       "--", harness.WORKLOADS, *shape(seed), "--truth",
                       self.path("truth%d" % seed))
            report = self.sooth("trace", "-c", "-j", self.path("stream")).json()
            self.check(report, table_counts(report), seed)

    def test_every_call_of_a_small_program(self):
        """Counted and streamed are the same set of calls, the first execve and the last exit too."""
        for argv in (["/bin/true"], [harness.WORKLOADS, "syscalls", "--count", "20"]):
            counted = self.sooth("trace", "-c", "-j", "-o", self.path("counted"), "--", *argv)
            streamed = self.sooth("trace", "-j", "-o", self.path("streamed"), "--", *argv)
            self.assertEqual((counted.err, streamed.err), (b"", b""))
            table = table_counts(harness.json.loads(harness.read(self.path("counted"))))
            lines = [harness.json.loads(line)
                     for line in harness.read(self.path("streamed")).splitlines()]
            stream = stream_counts(lines)
            self.assertEqual(table.get("execve"), (1, 0), table)
            self.assertEqual(table.get("exit_group"), (1, 0), table)
            # Whether threads wait for one another is chance; all else is not.
            for counts in (table, stream):
                for chance in ("futex", "sched_yield", "madvise"):
                    counts.pop(chance, None)
            self.assertEqual(table, stream)


@needs_bpf
class ManyNames(Case):
    def test_more_names_than_a_thread_has_room_for(self):
        """Some 60 different calls by one thread that has ended when sooth stops."""
        names = {"getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getpgrp": 111,
                 "getsid": 124, "sync_file_range": 277, "vmsplice": 278, "tee": 276,
                 "epoll_create1": 291, "inotify_init1": 294, "dup3": 292, "sched_getparam": 143,
                 "sched_getscheduler": 145, "sched_get_priority_max": 146,
                 "sched_get_priority_min": 147, "getpgid": 121, "capget": 125, "umask": 95,
                 "getrusage": 98, "times": 100, "sysinfo": 99, "alarm": 37, "getitimer": 36,
                 "gettid": 186, "ioprio_get": 252, "timerfd_create": 283, "eventfd2": 290,
                 "mincore": 27, "msync": 26, "shmget": 29, "semget": 64, "msgget": 68,
                 "personality": 135, "ustat": 136, "statfs": 137, "fstatfs": 138,
                 "fsync": 74, "fdatasync": 75, "truncate": 76, "ftruncate": 77}
        if harness.os.uname().machine != "x86_64":
            self.skipTest("the numbers are those of x86-64")
        script = ("import ctypes\ncall = ctypes.CDLL(None).syscall\n"
                  "for number in %r:\n  for _ in range(3): call(number, -1, -1, -1, -1)\n"
                  % sorted(names.values()))
        report = self.sooth("trace", "-c", "-j", "--", harness.sys.executable, "-c", script).json()
        counts = table_counts(report)
        few = {name: counts.get(name) for name in names if counts.get(name, (0, 0))[0] < 3}
        self.assertEqual(few, {})
        errors = {row["name"]: row["error"] for row in report["errors"] if row["name"] in names}
        self.assertEqual(errors.get("fstatfs"), "EBADF", errors)
        self.assertEqual(errors.get("fsync"), "EBADF", errors)
        # What errors says by errno is what syscalls says by name.
        by_name = {}
        for row in report["errors"]:
            by_name[row["name"]] = by_name.get(row["name"], 0) + row["count"]
        self.assertEqual(by_name, {row["name"]: row["errors"] for row in report["syscalls"]
                                   if row["errors"]})


@needs_bpf
class Followed(Case):
    def test_ids_and_times(self):
        """The stream names the process, the thread and its name; times are sane."""
        target = self.workload("syscalls", "--threads", "3", "--forks", "2", "--count", "40",
                               truth=self.path("truth"))
        sooth = self.start_attached("trace", "-j", "-p", str(target.pid))
        target.say(b"go\n")
        target.finish()
        calls = [line for line in sooth.finish().lines() if line["type"] == "call"]
        pids = {call["pid"] for call in calls}
        self.assertEqual(len(pids), 3, pids)
        self.assertIn(target.pid, pids)
        workers = {(call["pid"], call["tid"]) for call in calls if call["name"] == "getppid"}
        self.assertEqual(len(workers), 9, workers)
        self.assertTrue(all(pid != tid for pid, tid in workers))
        self.assertEqual({call["thread"] for call in calls}, {"workloads"})
        for call in calls:
            if call["duration_ns"] is None:  # what the main thread was held in at the attach
                self.assertEqual((call["tid"], call["not_measured"]),
                                 (target.pid, {"duration_ns": "entered before attach"}))
            else:
                self.assertLess(call["duration_ns"], 60e9, call)

    def test_thread_made_before_the_attach(self):
        """Threads that exist already are followed like those to come."""
        target = self.workload("storm", "--threads", "4", "--rate", "4000", "--seconds", "1",
                               truth=self.path("truth"))
        sooth = self.start_attached("trace", "-c", "-j", "-p", str(target.pid))
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        truth, _ = read_truth(self.path("truth"))
        self.assert_includes(table_counts(sooth.finish().json()), truth)

    def test_slow_calls_have_their_time(self):
        report = self.sooth("trace", "-c", "-j", "-o", self.path("report"), "--",
                            harness.WORKLOADS, "syscalls", "--slow-ms", "40")
        report = harness.json.loads(harness.read(self.path("report")))
        slow = next(row for row in report["syscalls"] if row["name"] == "clock_nanosleep")
        self.assertEqual(slow["count"], 3)
        self.assertGreaterEqual(slow["total_ns"], 3 * 40e6)
        self.assertGreaterEqual(slow["max_ns"], 40e6)
        self.assertLess(slow["max_ns"], 20e9)
        self.assertEqual(slow["mean_ns"], slow["total_ns"] // 3)
        self.assertEqual(sum(slow["histogram_ns"]), 3)
        self.assertEqual(sum(slow["histogram_ns"][25:]), 3, "each takes 2^25 ns and more")

    def test_exec_in_a_thread(self):
        """A thread other than the leader execs: the process goes on under its leader's id."""
        script = ("import os, threading\n"
                  "t = threading.Thread(target=lambda: os.execv(%r, [%r, 'syscalls', '--count',"
                  "'40', '--truth', %r]))\nt.start()\nt.join()\n"
                  % (harness.WORKLOADS, harness.WORKLOADS, self.path("truth")))
        self.sooth("trace", "-c", "-j", "-o", self.path("report"), "--", harness.sys.executable,
                   "-c", script)
        report = harness.json.loads(harness.read(self.path("report")))
        truth, _ = read_truth(self.path("truth"))
        counts = table_counts(report)
        for shared in ("clock_nanosleep", "sched_yield"):
            truth.pop(shared)  # Python may use them as well
        self.assert_includes(counts, truth)


if __name__ == "__main__":
    harness.main()
