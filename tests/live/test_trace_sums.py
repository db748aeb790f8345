# SPDX-License-Identifier: BSD-2-Clause
"""What calls did, in sums: of everything, of intervals, of each process; and whose a line is."""
import json
import os
import sys
import unittest

import harness

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import capture_reader  # noqa: E402
from harness import Case, needs_bpf

READER = ("import os, sys, time\n"
          "print('ready', flush=True)\n"
          "sys.stdin.readline()\n"
          "for i in range(4):\n"
          "    with open(sys.argv[1], 'wb', buffering=0) as f:\n"
          "        for _ in range(5): f.write(b'x' * 1000)\n"
          "    with open(sys.argv[1], 'rb', buffering=0) as f:\n"
          "        while f.read(500): pass\n"
          "    time.sleep(0.4)\n")

SOCKETS = """
import json, select, socket
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s
def refused(family, address):
    with socket.socket(family) as s:
        try:
            s.connect(address)
        except OSError:
            return
        raise SystemExit("somebody listens")
# A bound socket that does not listen: its port refuses, and nobody else gets it.
deaf, deaf6, later = socket.socket(), socket.socket(socket.AF_INET6), socket.socket()
for s in (deaf, later):
    s.bind(("127.0.0.1", 0))
deaf6.bind(("::1", 0))
refused(socket.AF_INET, deaf.getsockname())
refused(socket.AF_INET, deaf.getsockname())
refused(socket.AF_INET6, deaf6.getsockname())
refused(socket.AF_UNIX, "/nonexistent/socket")
with socket.socket() as s:
    s.setblocking(False)
    s.connect_ex(later.getsockname())
    select.select([], [s], [], 60)
    late = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
a, b, free = udp(), udp(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
free.sendto(b"12345", a.getsockname())
free.sendto(b"123", b.getsockname())
free.sendmsg([b"12"], [], 0, b.getsockname())
near, far = socket.socketpair()
far.send(b"12345678")
near.recv(5, socket.MSG_PEEK)
near.recvmsg(6, 0, socket.MSG_PEEK)
near.recv(7)
print(json.dumps({"deaf": deaf.getsockname()[1], "deaf6": deaf6.getsockname()[1],
    "later": later.getsockname()[1], "error": late,
    "a": a.getsockname()[1], "b": b.getsockname()[1]}))
"""

BREAKS = """
import ctypes
libc = ctypes.CDLL(None)
libc.syscall.restype = libc.sbrk.restype = ctypes.c_void_p
end = libc.syscall(12, ctypes.c_void_p(0))
for to in (end + (1 << 24), end + (1 << 23), end + (1 << 60)):
    libc.syscall(12, ctypes.c_void_p(to))
"""


@needs_bpf
class Sums(Case):
    def test_connections_that_fail_and_peers_that_calls_name(self):
        capture = self.path("net.sooth")
        self.sooth("trace", "--network", "-o", self.path("sums"), "--save", capture, "--",
                   harness.have("python3"), "-S", "-c",
                   "import sys; sys.stdout = open(%r, 'w')\n%s" % (self.path("truth"), SOCKETS))
        truth = json.loads(harness.read(self.path("truth")))
        rows = self.sooth("trace", "--network", "-j", capture).json()["network"]
        by_peer = {}
        for row in rows:
            by_peer.setdefault(row["connection"].split("\u2192")[-1], []).append(row)
        for peer, protocol, tries in (("127.0.0.1:%d" % truth["deaf"], "TCP", 2),
                                      ("[::1]:%d" % truth["deaf6"], "TCP6", 1),
                                      ("/nonexistent/socket", "UNIX", 1),
                                      ("127.0.0.1:%d" % truth["later"], "TCP", 1)):
            row, = by_peer[peer]
            self.assertEqual(row["connection"].split()[0], protocol)
            self.assertEqual((row["connects"], row["errors"]), (tries, tries), row)
            self.assertEqual((row["sends"], row["receives"]), (0, 0))
        self.assertNotEqual(truth["error"], 0)
        for name, sends, size in (("a", 1, 5), ("b", 2, 5)):
            row, = by_peer["127.0.0.1:%d" % truth[name]]
            self.assertEqual((row["sends"], row["sent_bytes"], row["errors"]), (sends, size, 0))
        # Looked at twice, taken once.
        row, = by_peer["UNIX"]
        self.assertEqual((row["sends"], row["sent_bytes"]), (1, 8))
        self.assertEqual((row["receives"], row["received_bytes"]), (3, 7))

    @unittest.skipUnless(os.uname().machine == "x86_64", "calls brk by its number")
    def test_how_far_the_break_moved(self):
        def rows(code):
            report = self.sooth("trace", "--memory", "-j", "-o", self.path("out"), "--",
                                harness.have("python3"), "-S", "-c", code)
            self.assertEqual(report.status, 0)
            return {row["operation"]: row
                    for row in json.loads(harness.read(self.path("out")))["memory"]}
        rest, moved = rows("import ctypes"), rows(BREAKS)
        grown = moved["brk to grow"]["bytes"] - rest["brk to grow"]["bytes"]
        # What the allocator itself asks for differs a little between two runs.
        self.assertAlmostEqual(grown, 1 << 24, delta=1 << 22)
        self.assertGreaterEqual(moved["brk to shrink"]["bytes"], 1 << 23)
        self.assertEqual(moved["brk to grow"]["errors"], 1)
        self.assertIsNone(moved["brk to ask"]["bytes"])
        self.assertNotIn("brk", moved)

    def test_who_neither_came_nor_went_is_left_out(self):
        sooth = self.start_attached("trace", "--all", "--process", "-j", "-d", "120")
        self.sooth("--version")
        sooth.send(2)
        rows = sooth.finish().json()["processes"]
        self.assertTrue(rows)
        self.assertNotIn(1, [row["pid"] for row in rows])
        self.assertNotIn(os.getpid(), [row["pid"] for row in rows])
        alone = self.sooth("trace", "--process", "-j", "-d", "0.2", "-p", str(os.getpid())).json()
        self.assertIn(os.getpid(), [row["pid"] for row in alone["processes"]])

    def reader(self):
        process = self.start(harness.have("python3"), "-c", READER, self.path("data"))
        process.wait_for_output(b"ready\n")
        return process

    def watch(self, *options):
        target = self.reader()
        sooth = self.start_attached("trace", "-j", *options, "-p", str(target.pid))
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        return run, target.pid

    def file_of(self, report):
        return next((row for row in report["io"] if row["path"] == self.path("data")), None)

    def check_whole(self, row):
        self.assertEqual((row["written_bytes"], row["writes"]), (20000, 20))
        self.assertEqual((row["read_bytes"], row["reads"]), (20000, 44))
        self.assertEqual((row["opens"], row["rewrites"]), (8, 3))

    def test_files(self):
        run, _ = self.watch("--io")
        report = run.json()
        self.check_whole(self.file_of(report))
        self.assertEqual(report["loss"], [])

    def test_intervals_sum_up(self):
        run, _ = self.watch("--io", "--interval", "0.3")
        frames = [json.loads(line) for line in run.text.splitlines()]
        self.assertGreater(len(frames), 2)
        rows = [self.file_of(frame) for frame in frames]
        self.check_whole(rows[-1])
        parts = [row for row in rows[:-1] if row]
        self.assertGreater(len(parts), 1, "everything fell into one interval")
        # The last moment belongs to no whole interval.
        for name in ("written_bytes", "read_bytes", "opens", "reads", "writes"):
            self.assertLessEqual(sum(row[name] for row in parts), rows[-1][name], name)
        self.assertGreater(sum(row["written_bytes"] for row in parts), 5000)

    def test_counts_of_intervals(self):
        run, _ = self.watch("-c", "--interval", "0.3")
        frames = [json.loads(line) for line in run.text.splitlines()]
        counts = [{row["name"]: row["count"] for row in frame["syscalls"]} for frame in frames]
        self.assertGreater(len(counts), 2)
        self.assertEqual(counts[-1]["write"], 20)
        self.assertLessEqual(sum(part.get("write", 0) for part in counts[:-1]), 20)
        self.assertGreater(sum(part.get("write", 0) for part in counts[:-1]), 5)

    def test_lineage_with_command_lines(self):
        """Read when each program begins, so also of those that are gone at once; masked."""
        capture = self.path("lives.sooth")
        script = "/bin/true --token hunter2; (/bin/echo %s); exit 3" % ("long" * 200)
        run = self.sooth("trace", "--process", "-j", "--save", capture, "-o", self.path("out"),
                         "--", "/bin/sh", "-c", script, status=3)
        report = json.loads(harness.read(self.path("out")))
        rows = {row["name"]: row for row in report["processes"]}
        self.assertEqual(rows["true"]["command"], "/bin/true --token ***")
        self.assertEqual(rows["true"]["end"], "exit 0")
        # Its only argument did not fit: no part of a word is kept, it might be of a secret.
        self.assertEqual(rows["echo"]["command"], "/bin/echo")
        self.assertEqual((rows["sh"]["command"][:8], rows["sh"]["end"]), ("/bin/sh ", "exit 3"))
        self.assertEqual(rows["true"]["parent"], rows["sh"]["pid"])
        self.assertNotIn(b"hunter2", harness.read(self.path("out")) + run.out)
        kept = capture_reader.Reader(harness.read(capture), capture_reader.decompressor())
        if not kept.unread_blocks:
            self.assertTrue(any(b"--token" in block.raw for block in kept.blocks))
            self.assertFalse(any(b"hunter2" in block.raw for block in kept.blocks))
        again = self.sooth("trace", "--process", "-j", capture).json()
        self.assertEqual(again["processes"], report["processes"])

    def test_intervals_need_sums(self):
        run = self.sooth("trace", "--interval", "1", "-p", str(os.getpid()), status=2)
        self.assert_says_three_lines(run, "--interval repeats a table")

    def test_folded(self):
        """Stacks of names with weights: of calls exactly, of times but for what is rounded."""
        folded, capture = self.path("folded"), self.path("capture.sooth")
        name = "a;b\n\x1b[31m c"
        with open(self.path(name), "w") as file:
            file.write("text")
        self.sooth("trace", "--folded", folded, "-o", self.path("out"), "--save", capture, "--",
                   "/bin/cat", self.path(name))
        self.assertEqual(os.stat(folded).st_mode & 0o777, 0o600)
        calls = [line for line in self.sooth("trace", "-j", capture).lines()
                 if line["type"] == "call" and line["result"] is not None]
        stacks = [line.rsplit(b" ", 1) for line in harness.read(folded).splitlines()]
        made = sum(line["duration_ns"] for line in calls) / 1000
        self.assertAlmostEqual(sum(int(weight) for _, weight in stacks), made, delta=len(calls))
        for stack, _ in stacks:
            self.assertFalse(set(stack) & set(range(32)), stack)
            self.assertIn(stack.count(b";"), (3, 4), stack)
        by_calls = self.sooth("trace", "--folded", "-", "--weight", "calls", capture).text
        weights = dict(line.rsplit(" ", 1) for line in by_calls.splitlines())
        self.assertEqual(sum(map(int, weights.values())), len(calls))
        shown = self.path("a:b\\n\\x1b[31m c")
        self.assertEqual(weights["cat;main;file;openat;" + shown], "1")
        self.assertEqual(weights["cat;main;file;read;" + shown], "2")

    def test_stacks_of_calls(self):
        """Each counted call has one stack, and stacks of calls that are not selected are not taken."""
        capture = self.path("capture.sooth")
        code = "import os\nfor i in range(200): os.stat('/')\n"
        report = self.sooth("trace", "-c", "--stack", "-j", "-e", "stat,newfstatat,getppid",
                            "--save", capture, "--", sys.executable, "-c", code).json()
        counted = {row["name"]: row["count"] for row in report["syscalls"]}
        stacked = {}
        for row in report["call_stacks"]:
            stacked[row["name"]] = stacked.get(row["name"], 0) + row["call_count"]
            self.assertTrue(row["stack"], row)
            self.assertEqual(" < ".join(row["functions"]), row["stack"].partition(" < [cut: ")[0])
        self.assertEqual(report["loss"], [])
        self.assertGreater(sum(counted.values()), 199)
        self.assertEqual(stacked, counted)
        self.assertIn("stat", report["call_stacks"][0]["stack"])
        self.assertEqual(self.sooth("trace", "-c", "--stack", "-j", capture).json()["call_stacks"],
                         report["call_stacks"])

    def test_stacks_need_single_calls(self):
        run = self.sooth("trace", "--stack", "--io", "-p", str(os.getpid()), status=2)
        self.assert_says_three_lines(run, "use --stack here")

    def test_whose_they_are(self):
        """The whole host: each line, and each sum, has its process."""
        target = self.reader()
        sooth = self.start_attached("trace", "--all", "-j", "-e", "write", "-P", self.path("data"),
                                    "-d", "120")
        sums = self.start_attached("trace", "--all", "-j", "--io", "-d", "120")
        counts = self.start_attached("trace", "--all", "-j", "-c", "-d", "120")
        target.say(b"go\n")
        target.finish()
        for process in (sooth, sums, counts):
            process.send(2)
        run = sooth.finish()
        self.assertIn("longer while this runs", run.errors)
        lines = [line for line in run.lines() if line["type"] == "call"]
        # A busy host may fill the ring: then some of all calls are missing, and told.
        is_whole = not run.lines()[-1]["loss"]
        self.assertIn(len(lines), (20,) if is_whole else range(1, 21))
        name = lines[0]["process"]
        self.assertTrue(name.startswith("python"), name)
        self.assertEqual({(line["pid"], line["process"]) for line in lines}, {(target.pid, name)})
        report = sums.finish().json()
        row = self.file_of(report)
        if not report["loss"]:
            self.check_whole(row)
        self.assertEqual((row["pid"], row["process"]), (target.pid, name))
        # Counted where they are made: none is missing, and none is of somebody else.
        rows = [row for row in counts.finish().json()["syscalls"] if row["pid"] == target.pid]
        self.assertEqual({row["process"] for row in rows}, {name})
        self.assertGreaterEqual({row["name"]: row["count"] for row in rows}["write"], 20)
        self.assertEqual(len({row["name"] for row in rows}), len(rows))


if __name__ == "__main__":
    harness.main()
