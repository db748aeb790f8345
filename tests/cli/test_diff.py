# SPDX-License-Identifier: BSD-2-Clause
"""sooth diff: real captures of programs that differ in known ways, and of one that does not."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

import harness
from harness import Case, needs_bpf

# What it is told it does; the process is called the same every time. Who comes late makes up for it.
PROGRAM = """
import os, sys, time
descriptors, megabytes, pause = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(descriptors)]
block = bytearray(b"x" * (megabytes << 20))
print("ready", flush=True)
begin, made = time.monotonic(), 0
while True:
    while made * pause < time.monotonic() - begin:
        os.stat("/")
        made += 1
    time.sleep(pause)
"""


class Diff(Case):
    def setUp(self):
        super().setUp()
        os.environ["XDG_CONFIG_HOME"] = "/nonexistent"

    def program(self, descriptors=0, megabytes=1, pause=0.01):
        process = self.start(sys.executable, "-c", PROGRAM, str(descriptors), str(megabytes),
            str(pause))
        process.wait_for_output(b"ready")
        return process

    def record(self, name, process, probes="proc,fds,threads,maps", seconds="0.6"):
        self.sooth("record", "--probe", probes, "-o", self.path(name), "-d", seconds, "-p",
            str(process.pid))
        return self.path(name)

    def diff(self, *argv, **options):
        return self.sooth("diff", "-j", *argv, **options).json()

    def changes(self, report, **wanted):
        return [c for c in report["changes"] + report["findings"]
                if all(c[k] == v for k, v in wanted.items())]

    def test_what_differs_is_told(self):
        """Two processes of other pids: found again by their name."""
        first = self.record("a", self.program())
        second = self.record("b", self.program(descriptors=20, megabytes=40))
        report = self.diff(first, second)
        rss = self.changes(report, table="processes", field="rss_bytes")
        self.assertEqual(len(rss), 1, report["changes"])
        self.assertGreater(rss[0]["after_value"] - rss[0]["before_value"], 35 << 20)
        self.assertAlmostEqual(rss[0]["percent"],
            (rss[0]["after_value"] / rss[0]["before_value"] - 1) * 100, delta=0.1)
        self.assertEqual((rss[0]["unit"], rss[0]["is_rate"]), ("bytes", False))
        count = self.changes(report, table="fd_limits", field="open_files")
        self.assertEqual(count[0]["after_value"] - count[0]["before_value"], 20)
        self.assertEqual(len(self.changes(report, table="fds", change="appeared")), 20)
        # Where a mapping lies says nothing of another process.
        self.assertEqual(self.changes(report, table="maps"), [])
        self.assertGreater(report["summary"]["incomparable"], 0)
        text = self.sooth("diff", first, second).text
        self.assertIn("rss_bytes", text)
        self.assertRegex(text, r"\d+ values changed, \d+ rows appeared")

    def test_backwards(self):
        """The other way round the same rows, and what appeared has vanished."""
        first = self.record("a", self.program())
        second = self.record("b", self.program(descriptors=20, megabytes=40))
        there, back = self.diff(first, second), self.diff(second, first)
        mirror = {"changed": "changed", "appeared": "vanished", "vanished": "appeared"}
        key = lambda c: (c["table"], c["row"], c["field"] or "")  # noqa: E731
        self.assertEqual(sorted((mirror[c["change"]], *key(c), c["before_text"], c["after_text"])
                                for c in there["changes"]),
            sorted((c["change"], *key(c), c["after_text"], c["before_text"]) for c in back["changes"]))
        self.assertEqual(there["summary"]["appeared"], back["summary"]["vanished"])

    def test_the_same_process_twice(self):
        """One that does nothing new: no row comes or goes, and no size changes."""
        process = self.program(descriptors=3)
        first, second = self.record("a", process), self.record("b", process)
        report = self.diff(first, second, "--noise", "50")
        self.assertEqual(self.changes(report, change="appeared"), [])
        self.assertEqual(self.changes(report, change="vanished"), [])
        self.assertEqual([c for c in report["changes"] if c["unit"] == "bytes"], [])
        # It is known to be the same one, so its mappings can be compared.
        self.assertEqual(report["summary"]["incomparable"], 0)
        self.assertGreater(report["summary"]["rows"], 20)

    @needs_bpf
    def test_counts_are_for_a_second(self):
        """Observed for twice as long there are twice the calls, and nothing has changed."""
        process = self.program(pause=0.005)
        first = self.record("a", process, "syscalls", "0.8")
        second = self.record("b", process, "syscalls", "1.6")
        counted = lambda path: harness.table_counts(  # noqa: E731
            self.sooth("report", "-j", path).json())["newfstatat"][0]
        self.assertGreater(counted(second), counted(first) * 1.3)
        report = self.diff(first, second, "--noise", "60")
        self.assertEqual(self.changes(report, field="count"), [], report)
        slow = self.record("c", self.program(pause=0.2), "syscalls", "0.8")
        change = self.changes(self.diff(first, slow), row="newfstatat", field="count")
        self.assertEqual(len(change), 1)
        self.assertTrue(change[0]["is_rate"])
        self.assertTrue(change[0]["after_text"].endswith("/s"))
        self.assertLess(change[0]["after_value"], change[0]["before_value"])

    def test_findings(self):
        """One that has come; not once more what it rests on."""
        sick, well = self.start(sys.executable, "-c", "import resource\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nimport os\n"
            "held = [os.open('/dev/null', 0) for _ in range(56)]\n"
            "print('ready', flush=True)\nimport time; time.sleep(600)"), self.program()
        sick.wait_for_output(b"ready")
        for name, process in (("a", well), ("b", sick)):
            self.sooth("diagnose", "--duration", "0.3", "--save", self.path(name),
                str(process.pid))
        report = self.diff(self.path("a"), self.path("b"))
        found = [f for f in report["findings"] if f["change"] == "appeared"]
        self.assertEqual([(f["table"], f["after_text"]) for f in found],
            [("finding.process/findings", "high")])
        self.assertIn("fd-limit-near", found[0]["row"])
        back = self.diff(self.path("b"), self.path("a"))
        self.assertEqual([(f["change"], f["before_text"]) for f in back["findings"]
                          if "fd-limit-near" in f["row"]], [("vanished", "high")])
        # What the user does not want to hear of is no change either.
        os.mkdir(self.path("sooth"))
        with open(self.path("sooth/findings"), "w", encoding="utf-8") as file:
            file.write("fd-limit-near = off\n")
        muted = self.diff(self.path("a"), self.path("b"),
            env=dict(os.environ, XDG_CONFIG_HOME=self.folder))
        self.assertNotIn("fd-limit-near", "".join(f["row"] for f in muted["findings"]))

    def test_a_probe_of_one_alone(self):
        """What one did not observe has not vanished."""
        process = self.program()
        both, one = self.record("a", process), self.record("b", process, "proc")
        report = self.diff(both, one)
        self.assertEqual(self.changes(report, table="fds"), [])
        self.assertIn(("fds", "first"), [(t["table"], t["side"]) for t in report["not_compared"]])
        self.assertIn("only one of the two captures has this table", self.sooth("diff", both, one).text)
        fds = self.record("c", process, "fds")
        self.assertIn("findings were not compared", self.sooth("diff", both, fds).text)

    def test_exit_status(self):
        first = self.record("a", self.program())
        second = self.record("b", self.program(descriptors=20))
        self.sooth("diff", first, second)
        self.sooth("diff", "--fail-on-change", first, second, status=1)
        with open(self.path("c"), "wb") as copy:
            copy.write(harness.read(first))
        self.sooth("diff", "--fail-on-change", first, self.path("c"))
        self.assertEqual(self.diff(first, self.path("c"))["changes"], [])

    def test_wrong_input(self):
        first = self.record("a", self.program(), "proc", "0.1")
        os.link(first, self.path("again"))
        with open(self.path("text"), "w", encoding="utf-8") as file:
            file.write("no capture\n" * 100)
        for argv, status, words in (((first,), 2, "two captures"), ((), 2, "two captures"),
                ((first, first), 2, "with itself"), ((first, self.path("again")), 2, "the same file"),
                ((first, first, first), 2, "two captures"),
                ((first, self.path("none")), 4, "No such file"),
                ((first, self.path("text")), 2, "not a sooth capture"),
                ((self.path("text"), first), 2, "not a sooth capture")):
            run = self.sooth("diff", *argv, status=status)
            self.assert_says_three_lines(run, words)
            self.assertEqual(run.out, b"", argv)

    def test_cut_and_hostile(self):
        """A capture that ends in the middle says so; one with any byte changed does no harm."""
        first = self.record("a", self.program(), "proc,fds", "0.1")
        whole = harness.read(first)
        are_cut = set()
        for size in range(len(whole) // 2, len(whole), max(1, len(whole) // 40)):
            with open(self.path("cut"), "wb") as file:
                file.write(whole[:size])
            run = self.sooth("diff", "-j", first, self.path("cut"), status=None)
            if run.status == 5:
                self.assertIn(b"cut off", run.err)
                continue
            is_cut = b"is cut off" in run.err
            self.assertEqual([s["has_losses"] for s in run.json()["captures"]], [False, is_cut], size)
            are_cut.add(is_cut)
        self.assertIn(True, are_cut)
        for at in range(0, len(whole), max(1, len(whole) // 40)):
            with open(self.path("bad"), "wb") as file:
                file.write(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
            run = self.sooth("diff", "-j", first, self.path("bad"), status=None)
            self.assertIn(run.status, (0, 2, 5), run)

    def test_from_standard_input(self):
        first = self.record("a", self.program(), "proc", "0.1")
        second = self.record("b", self.program(megabytes=40), "proc", "0.1")
        run = self.sooth("diff", "-j", "-", second, input=harness.read(first))
        self.assertEqual(run.json()["changes"], self.diff(first, second)["changes"])


if __name__ == "__main__":
    harness.main()
