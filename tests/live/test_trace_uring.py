# SPDX-License-Identifier: BSD-2-Clause
"""
What goes through io_uring is no call: it is counted by what it asks for, exactly, and said to be not
followed, but for reads and writes, whose files --io has; also when a thread of the kernel takes it, and from a capture.
"""
import harness
from harness import Case, needs_bpf, read, read_truth, table_counts

OTHERS = ("--nops", "1000", "--reads", "333", "--writes", "70")


@needs_bpf
class Uring(Case):
    def watch(self, *options, more=()):
        target = self.workload("uring", *OTHERS, *more, truth=self.path("truth"))
        sooth = self.start_attached("trace", "-j", *options, "-p", str(target.pid))
        target.say(b"go\n")
        run = target.finish()
        if b"not supported" in run.err:
            self.skipTest("this kernel has no io_uring, or forbids it")
        self.assertEqual(run.status, 0, run)
        said = sooth.finish()
        return said.json() if "-c" in options else said.lines()[-1]

    def truth(self):
        words = [line.split() for line in read(self.path("truth")).decode().splitlines()]
        return {w[2]: int(w[3]) for w in words if w[:2] == ["#", "uring"]}

    def check_table(self, report):
        self.assertEqual(report["loss"], [])
        self.assertEqual({row["opcode"]: row["count"] for row in report["io_uring"]}, self.truth())

    def test_counted(self):
        report = self.watch("-c")
        self.check_table(report)
        self.assertEqual(table_counts(report)["io_uring_enter"],
                         read_truth(self.path("truth"))[0]["io_uring_enter"])

    def test_taken_by_the_kernel(self):
        """Nobody made these calls, or nearly: the requests are there all the same."""
        report = self.watch("-c", more=("--sqpoll",))
        self.check_table(report)
        self.assertLess(table_counts(report).get("io_uring_enter", (0,))[0], 30)

    def check_note(self, limits):
        """In words, the most wanted first."""
        truth = self.truth()
        note = [row for row in limits if "io_uring" in row["what"]]
        self.assertEqual(len(note), 1, limits)
        self.assertIn("effects of %d io_uring requests" % sum(truth.values()), note[0]["what"])
        self.assertIn("NOP 1000, READ 333, WRITE 70: io_uring requests are not system calls", note[0]["reason"])

    def check_files(self, report):
        """Reads and writes are there by file; only the others are a limit."""
        truth = self.truth()
        rows = {row["path"]: row for row in report["io"]}
        self.assertEqual([rows["/dev/zero"][name] for name in ("reads", "writes", "read_bytes", "written_bytes")],
                         [truth["READ"], truth["WRITE"], truth["READ"], truth["WRITE"]], rows)
        note = [row for row in report["limits"] if "io_uring" in row["what"]]
        self.assertEqual([row["what"] for row in note], ["effects of %d io_uring requests" % truth["NOP"]])

    def test_files_of_a_thread_of_the_kernel(self):
        self.watch("--save", self.path("uring.sooth"), more=("--sqpoll",))
        self.check_files(self.sooth("trace", "--io", "-j", self.path("uring.sooth")).json())

    def test_said_of_a_stream_and_a_capture(self):
        capture = self.path("uring.sooth")
        self.check_note(self.watch("--save", capture)["limits"])
        self.check_note(self.sooth("trace", "-j", capture).lines()[-1]["limits"])
        self.check_files(self.sooth("trace", "--io", "-j", capture).json())
        self.check_table(self.sooth("trace", "-c", "-j", capture).json())

    def test_none_is_none(self):
        report = self.sooth("trace", "-c", "-j", "--", "true").json()
        self.assertEqual(report["io_uring"], [])
        self.assertFalse([row for row in report["limits"] if "io_uring" in row["what"]])


if __name__ == "__main__":
    harness.main()
