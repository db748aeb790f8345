# SPDX-License-Identifier: BSD-2-Clause
"""The fields that scripts rely on, and what they mean."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import datetime
import re
import socket
import time

import harness
from harness import Case, needs_bpf

COMMON = {"schema", "target", "interval_ns", "loss", "limits", "self"}
SCAN = {"timestamp", "hostname", "os", "os_version", "latest_local_version", "process_count",
        "orphaned_count", "outdated_count", "totals", "processes"}
TOTALS = {"cpu_percent", "mem_percent", "rss_kb", "rss_human"}
PROCESS = {"pid", "ppid", "cpu_percent", "mem_percent", "rss_kb", "vsz_kb", "state",
           "elapsed_time", "command", "version", "is_orphaned", "is_outdated", "open_files",
           "threads", "cwd", "project", "session_id"}
CALL = {"name", "count", "errors", "total_ns", "mean_ns", "max_ns"}


class Shapes(Case):
    def assert_common(self, report, name):
        self.assertLessEqual(COMMON, set(report))
        self.assertEqual(report["schema"]["name"], name)
        self.assertIsInstance(report["schema"]["version"], int)
        self.assertLessEqual({"pids", "command"}, set(report["target"]))
        self.assertIsInstance(report["target"]["pids"], list)
        self.assertGreater(report["interval_ns"], 0)
        for row in report["loss"]:
            self.assertLessEqual({"source", "records", "bytes", "reason"}, set(row))
        for row in report["limits"]:
            self.assertLessEqual({"what", "reason", "remedy"}, set(row))
        self.assertLessEqual({"cpu_ns", "rss_bytes", "records", "bytes"}, set(report["self"]))
        for value in report["self"].values():
            self.assertGreater(value, 0)


class Scan(Shapes):
    def spinner(self):
        target = self.workload("spin", "--seconds", "30", hold=False)
        return target

    def test_fields(self):
        target = self.workload("threads", "--seconds", "30", hold=False)
        report = self.sooth("ps", "-j", str(target.pid)).json()
        self.assert_common(report, "ps")
        self.assertLessEqual(SCAN, set(report))
        self.assertLessEqual(TOTALS, set(report["totals"]))
        self.assertEqual(report["process_count"], 1)
        process = report["processes"][0]
        self.assertLessEqual(PROCESS, set(process))
        # What is null says why.
        reasons = set(process.get("not_measured", {}))
        for field in ("is_orphaned", "is_outdated"):
            self.assertTrue(process[field] is not None or field in reasons, field)
        # It is no agent's: there is none.
        self.assertIsNone(process["session_id"])
        self.assertNotIn("session_id", reasons)

    def test_meanings(self):
        target = self.workload("threads", "--seconds", "30", hold=False, cwd=self.folder)
        report = self.sooth("ps", "-j", str(target.pid)).json()
        process = report["processes"][0]
        status = dict(re.findall(r"^(\w+):\s+(\S+)",
                                 harness.read("/proc/%d/status" % target.pid).decode(), re.M))
        self.assertEqual(process["pid"], target.pid)
        self.assertEqual(process["ppid"], os.getpid())
        self.assertEqual(process["threads"], int(status["Threads"]))
        self.assertEqual(process["vsz_kb"], int(status["VmSize"]))
        self.assertLess(abs(process["rss_kb"] - int(status["VmRSS"])), 1024)
        self.assertEqual(process["cwd"], self.folder)
        self.assertEqual(process["state"], "S")
        self.assertIn("workloads threads", process["command"])
        self.assertEqual(process["open_files"], len(os.listdir("/proc/%d/fd" % target.pid)))
        self.assertEqual(report["hostname"], socket.gethostname())
        self.assertEqual(report["os"], "Linux")
        self.assertEqual(report["os_version"], os.uname().release)
        stamp = datetime.datetime.strptime(report["timestamp"], "%Y-%m-%dT%H:%M:%SZ")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertLess(abs((now - stamp).total_seconds()), 60)
        self.assertEqual(report["totals"]["rss_kb"], process["rss_kb"])

    def test_processor_time_of_now(self):
        """Over the interval, never over a lifetime: only one of the two that were busy still is."""
        rested = self.start(sys.executable, "-c", "import time\nend = time.monotonic() + 1.5\n"
                            "while time.monotonic() < end: pass\n"
                            "print('ready', flush=True)\ntime.sleep(60)")
        rested.wait_for_output(b"ready")
        spins = self.spinner()
        sleeps = self.workload("sleep", "--seconds", "30", hold=False)
        pids = [str(process.pid) for process in (spins, sleeps, rested)]
        report = self.sooth("ps", "-j", "-i", "1", *pids).json()
        by_pid = {process["pid"]: process for process in report["processes"]}
        self.assertGreater(by_pid[spins.pid]["cpu_percent"], 0)  # whatever others leave it
        self.assertLess(by_pid[sleeps.pid]["cpu_percent"], 1)
        self.assertLess(by_pid[rested.pid]["cpu_percent"], 1)
        self.assertGreaterEqual(report["interval_ns"], 0.9e9)

    def test_elapsed_time(self):
        target = self.workload("sleep", "--seconds", "30", hold=False)
        time.sleep(1.2)  # a second at least
        process = self.sooth("ps", "-j", str(target.pid)).json()["processes"][0]
        minutes, seconds = process["elapsed_time"].split(":")
        self.assertIn(int(minutes) * 60 + int(seconds), range(1, 60))

    def test_none_is_an_empty_list(self):
        report = self.sooth("ps", "-j", "-u", "4294967294").json()
        self.assertEqual(report["processes"], [])
        self.assertEqual(report["process_count"], 0)
        self.assertLessEqual(SCAN | COMMON, set(report))

    def test_a_process_that_ended(self):
        """Gone before the second look: nothing is made up."""
        target = self.start("/bin/sleep", "0.2")
        report = self.sooth("ps", "-j", "-i", "1", str(target.pid)).json()
        for process in report["processes"]:
            self.assertEqual(process["pid"], target.pid)


@needs_bpf
class Traces(Shapes):
    def test_counts(self):
        report = self.sooth("trace", "-c", "-j", "--", "/bin/ls", "/nonexistent", status=2).json()
        self.assert_common(report, "trace")
        self.assertIn("/bin/ls /nonexistent", report["target"]["command"])
        self.assertEqual(len(report["target"]["pids"]), 1)
        for row in report["syscalls"]:
            self.assertLessEqual(CALL, set(row))
            self.assertLessEqual(row["errors"], row["count"])
            if row["name"] == "exit_group":
                self.assertEqual((row["total_ns"], row["max_ns"], row["untimed"]), (None, None, 1))
            else:
                self.assertEqual(row["untimed"], 0)
                self.assertLessEqual(row["max_ns"], row["total_ns"])
                self.assertLessEqual(row["mean_ns"], row["max_ns"])
        names = [row["name"] for row in report["syscalls"]]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(report["self"]["records"] > 10, True)

    def test_stream(self):
        lines = self.sooth("trace", "-j", "--", "/bin/true").lines()
        self.assertEqual(lines[0]["type"], "begin")
        self.assertEqual(lines[0]["schema"]["name"], "trace")
        self.assertEqual(lines[-1]["type"], "end")
        self.assert_common({**lines[0], **lines[-1]}, "trace")
        calls = [line for line in lines if line["type"] == "call"]
        self.assertGreater(len(calls), 10)
        for call in calls:
            self.assertLessEqual({"time_ns", "pid", "tid", "thread", "name", "arguments", "result",
                                  "error", "duration_ns"}, set(call))
        times = [call["time_ns"] for call in calls]
        self.assertEqual(times, sorted(times))
        failed = next(call for call in calls if call["name"] == "access")
        self.assertEqual((failed["result"], failed["error"]), (-1, "ENOENT"))

    def test_report_of_a_recording(self):
        run = self.sooth("record", "-o", self.path("capture"), "--", "/bin/ls", "/")
        self.assertIn("recorded " + self.path("capture"), run.errors)
        report = self.sooth("report", "-j", self.path("capture")).json()
        self.assert_common(report, "report")
        self.assertLessEqual({"processes", "context", "syscalls"}, set(report))

    def test_doctor(self):
        run = self.sooth("doctor", "-j", status=None)
        if b"no such command" in run.err:
            self.skipTest("there is no sooth doctor yet")
        self.assertEqual(run.json()["schema"]["name"], "doctor")
        facts = {row["name"]: row["text"] for row in run.json()["facts"]}
        self.assertIn(os.uname().release, facts["system"])
        self.assertEqual(facts["processors"], str(os.sysconf("SC_NPROCESSORS_ONLN")))


if __name__ == "__main__":
    harness.main()
