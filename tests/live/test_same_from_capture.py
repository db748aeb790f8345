# SPDX-License-Identifier: BSD-2-Clause
"""
`CMD TARGET --save F` and `CMD F` write the same bytes, for every command that can do both: what is
shown crosses the one boundary, whether it is read at once or later.
"""
import os

import harness
from harness import Case, needs_bpf

FORMATS = ("table", "json", "jsonl")


class Same(Case):
    def assert_same(self, command, target, again=None, before_reading=None):
        """In each format; the file is read by the options the target was watched with."""
        for name in FORMATS:
            capture = self.path("%s.sooth" % name)
            output = self.path("live")
            self.sooth(*command, "--format", name, "-o", output, "--save", capture, *target)
            live = harness.read(output)
            self.assertGreater(len(live), 80, live)
            if before_reading:
                before_reading()
            later = self.sooth(*(again or command), "--format", name, capture)
            self.assertEqual(later.text, live.decode(), "%s as %s" % (command, name))
            self.assertEqual(later.err, b"")
            # And once more, by -o instead of standard output.
            self.sooth(*(again or command), "--format", name, "-o", output, capture)
            self.assertEqual(harness.read(output), live)


class SameOfProcesses(Same):
    def test_ps_of_all(self):
        self.assert_same(["ps", "-a"], [])

    def test_ps_of_agents(self):
        """One process that is an agent by its name."""
        agent = self.path("claude")
        harness.shutil.copyfile("/bin/sleep", agent)
        os.chmod(agent, 0o755)
        self.start(agent, "100")
        self.assert_same(["ps"], [])
        self.assertIn(agent.encode(), harness.read(self.path("live")))

    def test_ps_of_none(self):
        self.assert_same(["ps", "-u", "4294967294"], [])

    def test_ps_of_processes(self):
        one = self.workload("sleep")
        two = self.workload("threads")
        # Named processes are shown even when they are no agents: then so must the file.
        self.assert_same(["ps"], [str(one.pid), str(two.pid)])

    def test_ps_of_a_process_that_ends_meanwhile(self):
        for name in FORMATS:
            target = self.start("/bin/sleep", "0.3")
            capture, output = self.path("ended"), self.path("live")
            run = self.sooth("ps", "-i", "1", "--format", name, "-o", output, "--save", capture,
                             str(target.pid), status=None)
            target.finish()
            self.assertEqual(run.status, 0, run)
            self.assertEqual(self.sooth("ps", "--format", name, capture).out,
                             harness.read(output))


class SameOfInspect(Same):
    def test_one_screen(self):
        target = self.workload("threads")
        self.assert_same(["inspect"], [str(target.pid)])

    def test_each_detail(self):
        target = self.workload("threads")
        for flag in ("--fds", "--sockets", "--maps", "--signals", "--threads", "--limits",
                     "--env-names", "--all"):
            self.assert_same(["inspect", flag], [str(target.pid)])


@needs_bpf
class SameOfTraces(Same):
    def test_trace_counted(self):
        self.assert_same(["trace", "-c"],
                         ["--", "/bin/ls", "-l", "/etc"])

    def test_trace_streamed(self):
        self.assert_same(["trace"], ["--", "/bin/ls", "/"])

    def test_trace_of_several_processes(self):
        """Threads on several processors: the merged order is the same again."""
        command = [harness.WORKLOADS, "syscalls", "--threads", "4", "--forks", "3", "--exec", "1",
                   "--count", "200"]
        self.assert_same(["trace"], ["--", *command])
        self.assert_same(["trace", "-c"], ["--", *command])

    def test_trace_for_a_time(self):
        """The process goes on; calls are unfinished."""
        target = self.workload("sleep", "--seconds", "100", hold=False)
        self.assert_same(["trace", "-c", "-d", "0.2"], ["-p", str(target.pid)],
                         again=["trace", "-c"])
        self.assert_same(["trace", "-d", "0.2"], ["-p", str(target.pid)],
                         again=["trace"])

    def test_trace_with_losses(self):
        for name in FORMATS:
            output, capture = self.path("live"), self.path("lossy")
            self.sooth("trace", "--buffer", "16384", "--format", name, "-o", output, "--save",
                       capture, "--", harness.WORKLOADS, "storm", "--seconds", "0.2")
            live = harness.read(output)
            self.assertIn(b"ring", live)
            self.assertEqual(self.sooth("trace", "--format", name, capture).out, live)

    def test_live_is_record_and_report(self):
        """What --save keeps and what record keeps are the same kind of file."""
        self.sooth("trace", "-c", "-o", self.path("live"), "--save", self.path("saved"), "--",
                   "/bin/true")
        self.sooth("record", "-o", self.path("recorded"), "--", "/bin/true")
        self.assertIn("execve", self.sooth("report", self.path("saved")).text)
        report = self.sooth("report", "-j", self.path("recorded")).json()
        self.assertEqual({source["probe"] for source in report["sources"]},
                         {"proc", "context", "syscalls"})
        self.assertIn("execve", [row["name"] for row in report["syscalls"]])

    def test_from_standard_input(self):
        self.sooth("record", "-o", self.path("recorded"), "--", "/bin/true")
        named = self.sooth("report", self.path("recorded"))
        piped = self.sooth("report", "-", input=harness.read(self.path("recorded")))
        self.assertEqual(piped.out, named.out)

    def test_to_standard_output(self):
        """A capture through a pipe is read the same."""
        target = self.workload("storm", "--rate", "1000", "--seconds", "20")
        target.say(b"go\n")
        run = self.sooth("record", "-o", "-", "--probe", "syscalls", "-d", "200ms", "-p", str(target.pid))
        with open(self.path("piped"), "wb") as file:
            file.write(run.out)
        self.assertIn("getppid", self.sooth("report", self.path("piped")).text)


@needs_bpf
class SameOfHeap(Same):
    """Its -o is the file of its lines, so report and lines are compared each."""

    def test_heap(self):
        for argv in ([], ["-j"], ["--sites"], ["--count"]):
            capture, live, later = (self.path(name) for name in ("heap.sooth", "live", "later"))
            lines = [] if "--count" in argv else ["-o", live]
            run = self.sooth("heap", *argv, *lines, "--save", capture, "--", "/bin/true")
            self.assertGreater(len(run.out), 80)
            again = self.sooth("heap", *argv, *(["-o", later] if lines else []), capture)
            self.assertEqual(again.text, run.text)
            if lines:
                self.assertEqual(harness.read(later), harness.read(live))


if __name__ == "__main__":
    harness.main()
