#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `sooth trace` shows of calls and which: sets, paths, failures, data on request, sums, filters, the
menu; and the same from a capture."""
import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402

COMPAT = pathlib.Path(harness.SOOTH).parent / "compat"

PROGRAM = """
import os, socket
os.chdir("/")
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
c = socket.create_connection(s.getsockname())
a, _ = s.accept()
c.sendall(b"words of the target")
a.recv(100)
with open(os.environ["SCRATCH"] + "/out", "w") as f:
    f.write("x" * 1000)
with open(os.environ["SCRATCH"] + "/out", "w") as f:
    f.write("x" * 500)
fd = os.open("etc/hostname", os.O_RDONLY)
os.read(fd, 10)
copy = os.dup(fd)
os.close(fd)
os.read(copy, 1)
try:
    os.open("/nonexistent/file", os.O_RDWR)
except OSError:
    pass
os.waitpid(os.spawnlp(os.P_NOWAIT, "true", "true", "an argument"), 0)
"""


# Descriptors that only calls outside the selection make.
QUEUE, SECRET = (180, 447) if os.uname().machine == "aarch64" else (240, 447)
UNSELECTED = f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
queue = libc.syscall({QUEUE}, b"sooth-trace-options", os.O_RDWR | os.O_CREAT, 0o600, None)
libc.mq_unlink(b"/sooth-trace-options")
secret = libc.syscall({SECRET}, 0)
for fd in queue, secret:
    try:
        os.fstat(fd)
        os.ftruncate(fd, 4096)
    except OSError:
        pass
"""


class Trace(harness.Case):
    def setUp(self):
        super().setUp()
        if os.geteuid():
            self.skipTest("system calls are watched by root only")

    def trace(self, *options):
        run = subprocess.run([harness.SOOTH, "trace", "-j", *options, "--", sys.executable, "-S", "-c",
            PROGRAM], capture_output=True, text=True, timeout=harness.PATIENCE_S,
            env={**os.environ, "SCRATCH": self.scratch()})
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def scratch(self):
        return self.folder

    def calls(self, *options):
        return [row for row in map(json.loads, self.trace(*options).splitlines()) if row["type"] == "call"]

    def test_descriptors_are_what_they_are(self):
        calls = self.calls()
        by_name = lambda name: [c for c in calls if c["name"] == name]  # noqa: E731
        hosts = [c for c in calls if c["path"] == "/etc/hostname"]
        self.assertEqual(hosts[-1]["arguments"].split(", ")[0], "AT_FDCWD")
        self.assertRegex(hosts[-1]["result_text"], r"^\d+</etc/hostname>$")
        reads = [c for c in by_name("read") if c["fd_name"] == "/etc/hostname"]
        self.assertEqual(len(reads), 2, "through the duplicate too")
        sent = [c for c in by_name("sendto")]
        self.assertRegex(sent[-1]["fd_name"], r"^TCP .*→127\.0\.0\.1:\d+$")
        failed = [c for c in calls if c["path"] == "/nonexistent/file"]
        self.assertEqual((failed[0]["result"], failed[0]["error"], failed[0]["error_text"]),
            (-1, "ENOENT", "No such file or directory"))
        self.assertIn("O_RDWR|O_CLOEXEC", failed[0]["arguments"])

    def test_names_of_descriptors_do_not_depend_on_the_selection(self):
        def names(*options):
            run = subprocess.run([harness.SOOTH, "trace", "-j", *options, "--", sys.executable, "-S", "-c",
                UNSELECTED], capture_output=True, text=True, timeout=harness.PATIENCE_S)
            self.assertEqual(run.returncode, 0, run.stderr)
            calls = [row for row in map(json.loads, run.stdout.splitlines()) if row["type"] == "call"]
            return [c["arguments"].split(",")[0] for c in calls if c["name"] == "ftruncate"]

        selected = names("-e", "fstat,ftruncate")
        self.assertEqual(selected, names())
        self.assertIn("<message queue>", selected[0])
        if not selected[1].startswith("-1"):  # the kernel has secret memory
            self.assertIn("<secret memory>", selected[1])

    def test_a_function_stands_for_its_call(self):
        self.assertEqual({c["name"] for c in self.calls("-e", "recv")}, {"recvfrom"})

    def test_data_only_when_asked_for(self):
        words = lambda *options: " ".join(c["arguments"] for c in self.calls("-e", "network", *options))  # noqa: E731
        self.assertNotIn("words", words())
        self.assertEqual(words("-s", "100").count('"words of the target"'), 2)
        self.assertEqual(words("-s", "9").count('"words of "...'), 2)

    def test_named_twice(self):
        target = self.workload("sleep", "--seconds", "600")
        run = self.run_sooth("trace", "-c", "-v", "-d", "0.2", "-p", str(target.pid), str(target.pid))
        lines = [line for line in run.text.splitlines() if line.startswith("target: ")]
        self.assertEqual([line.split("pid ")[1].split()[0] for line in lines], [str(target.pid)])

    def test_sets(self):
        self.assertEqual({c["name"] for c in self.calls("-e", "connect,bind")}, {"connect", "bind"})
        self.assertLessEqual({c["category"] for c in self.calls("-e", "network")}, {"network"})
        self.assertNotIn("read", {c["name"] for c in self.calls("-e", "!read,write")})
        self.assertTrue(all(c["error"] != 0 for c in self.calls("-Z")))
        below = self.calls("-P", "/etc/hostname")
        self.assertEqual({c["name"] for c in below} - {"openat", "read", "dup", "close", "fcntl"}, set())

    def test_paths(self):
        """However it is named, from here or through a link."""
        folder = self.path("folder")
        os.mkdir(folder)
        with open(os.path.join(folder, "file"), "w", encoding="ascii") as file:
            file.write("x")
        os.symlink("file", os.path.join(folder, "link"))
        told = [self.run_program(harness.SOOTH, "trace", "-P", name, "--", "/bin/cat", "file",
                                 cwd=folder).text.count("/file>")
                for name in ("file", "./file", "../folder/file", "link", os.path.join(folder, "file"))]
        self.assertTrue(told[0])
        self.assertEqual(set(told), {told[0]})
        self.assertIn("an empty path", self.run_sooth("trace", "-P", "", "--", "true").errors)

    def test_paths_that_go_back(self):
        """".." of a call is taken by its name, whatever it begins with; that of -P as the kernel takes it."""
        folder = self.path("folder")
        os.makedirs(os.path.join(folder, "sub/deep"))
        with open(os.path.join(folder, "file"), "w", encoding="ascii") as file:
            file.write("x")
        os.symlink("sub/deep", os.path.join(folder, "link"))
        read = lambda path, name: self.run_program(  # noqa: E731
            harness.SOOTH, "trace", "-P", path, "--", "/bin/cat", name, cwd=folder).text.count("/file>")
        whole = read("file", "file")
        self.assertTrue(whole)
        for name in ("sub/../file", "./sub/.././file", "sub/deep//../../file", "../folder/file",
                     os.path.join(folder, "sub/../file")):
            self.assertEqual((read("file", name), read("sub", name)), (whole, 0), name)
        self.assertEqual((read(".", "sub/../file"), read("sub/..", "file")), (whole, whole))
        # The link leads below sub: two steps back is the folder, and not what the folder is in.
        self.assertEqual(read("link/../..", "file"), whole)
        with open(self.path("file"), "w", encoding="ascii") as file:
            file.write("x")
        self.assertEqual((read("link/../..", "../file"), read("..", "../file")), (0, whole))
        os.rename(os.path.join(folder, "file"), os.path.join(folder, "sub/file"))
        self.assertEqual(read("link/../file", "sub/file"), whole)

    def test_a_stream_can_be_followed(self):
        out, target = self.path("stream"), self.workload("storm", "--rate", "100", "--seconds", "60", hold=False)
        sooth = self.start_sooth("trace", "-o", out, "-p", str(target.pid))
        harness.wait_until(lambda: os.path.exists(out) and b"getppid" in harness.read(out), "its first lines")
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)

    def test_exit_reasons(self):
        """Of processes, among their calls: how, as wait(2) has it. Not where calls were chosen by
        what they did."""
        script = "/bin/sh -c 'exit 3'; /bin/sh -c 'kill -TERM $$'; exit 5"
        capture = self.path("ends.sooth")
        live = self.run_sooth("trace", "--save", capture, "--", "/bin/sh", "-c", script)
        self.assertEqual(live.status, 5)
        text = self.sooth("trace", capture).text
        self.assertEqual([line.split(": ", 1)[1] for line in text.splitlines() if "+++" in line],
            ["+++ exited with 3 +++", "+++ killed by SIGTERM +++", "+++ exited with 5 +++"])
        lines = self.sooth("trace", "-j", capture).lines()
        ends = [line for line in lines if line["type"] == "exit"]
        self.assertEqual([(e["wait_status"], e["end"]) for e in ends],
            [(3 << 8, "exited with 3"), (15, "killed by SIGTERM"), (5 << 8, "exited with 5")])
        for end in ends:  # the last line of each process
            of = [line["type"] for line in lines if line.get("pid") == end["pid"]]
            self.assertEqual((of.count("exit"), of[-1]), (1, "exit"))
            self.assertEqual(end["process"], "sh")
        for words in (["-Z"], ["-P", "/bin/sh"], ["--filter", "errno != 0"]):
            self.assertNotIn("+++", self.sooth("trace", *words, capture).text)
        self.assertEqual(self.sooth("trace", "-e", "execve", capture).text.count("+++ "), 3)
        # One object: of calls, and of nothing else.
        calls = sum(line["type"] == "call" for line in lines)
        table = self.sooth("trace", "--format", "json", capture).json()
        self.assertEqual((len(table["call"]), "exit" in table), (calls, False))
        # One sheet of both, in the order of the lines: each says what it is.
        rows = list(csv.DictReader(self.sooth("trace", "--format", "csv", capture).text.splitlines()))
        self.assertEqual([(row["type"], row["time_ns"], row["pid"]) for row in rows],
            [(line["type"], str(line["time_ns"]), str(line["pid"])) for line in lines
             if line["type"] in ("call", "exit")])
        self.assertEqual([(int(row["wait_status"]), row["end"], row["name"]) for row in rows if row["type"] == "exit"],
            [(e["wait_status"], e["end"], "") for e in ends])
        # What did not fail has no error, and what is a call has no end.
        for row in rows:
            self.assertRegex(row["error"], "^(0|E[A-Z]+)$" if row["type"] == "call" else "^$")
            self.assertEqual((bool(row["end"]), bool(row["wait_status"])), (row["type"] == "exit",) * 2)

    def test_filter(self):
        told = self.calls("--filter", "errno != 0 and path ~ nonexist")
        self.assertEqual({c["path"] for c in told}, {"/nonexistent/file"})
        wrong = self.run_sooth("trace", "--filter", "errno =", "--", "true")
        self.assertEqual(wrong.status, 2)
        self.assertIn("expected a value", wrong.errors)

    def test_sums(self):
        told = json.loads(self.trace("--io", "--network", "--process", "--memory"))
        self.assertRegex(self.sooth("trace", "--process", "--", "true").text, "NAME END +LIVED COMMAND")
        out = [f for f in told["io"] if f["path"].endswith("/out")][0]
        self.assertEqual((out["written_bytes"], out["writes"], out["opens"], out["rewrites"]), (1500, 2, 2, 1))
        self.assertEqual(sum(c["sent_bytes"] for c in told["network"]), 19)
        self.assertEqual(sum(c["received_bytes"] for c in told["network"]), 19)
        true = [p for p in told["processes"] if p["name"] == "true"]
        self.assertEqual(true[0]["end"], "exit 0")
        self.assertTrue(any(m["operation"] == "mmap of no file" for m in told["memory"]))
        # Each kind of brk that is told, and the column of connections, is explained.
        page = harness.read(os.path.join(os.path.dirname(__file__), "../../man/sooth.1")).decode()
        kinds = {m["operation"] for m in told["memory"] if m["operation"].startswith("brk")}
        self.assertTrue(kinds)
        for words in kinds | {"CONNECTS"}:
            self.assertIn(".Li %s\n" % words, page.replace(" ,\n", "\n"))

    def test_counts_tell_waiting_apart(self):
        told = json.loads(self.trace("-c"))
        calls = {c["name"]: c for c in told["syscalls"]}
        self.assertTrue(calls["wait4"]["is_wait"])
        self.assertIsNone(calls["wait4"]["share_percent"])
        self.assertLessEqual(calls["read"]["p50_ns"], calls["read"]["p99_ns"])
        self.assertLessEqual(calls["read"]["p99_ns"], calls["read"]["max_ns"])

    def test_counts_only_what_was_asked_for(self):
        """A stream has the calls that change descriptors in any case: with intervals, and in a capture."""
        parts = map(json.loads, self.trace("-c", "--interval", "200ms", "-e", "read").splitlines())
        self.assertEqual({row["name"] for part in parts for row in part["syscalls"]}, {"read"})
        capture = self.scratch() + "/reads.sooth"
        made = self.calls("-e", "read", "--save", capture)
        again = self.run_sooth("trace", "-c", "-j", "-e", "read", capture).json()
        self.assertEqual([(row["name"], row["count"]) for row in again["syscalls"]], [("read", len(made))])
        self.assertEqual(again["syscalls"][0]["share_percent"], 100.0)
        self.assertEqual({row["name"] for row in again["errors"]} - {"read"}, set())

    def test_same_from_capture(self):
        capture = self.scratch() + "/calls.sooth"
        live = self.calls("--save", capture)
        again = self.run_sooth("trace", "-j", capture)
        rows = [r for r in again.lines() if r["type"] == "call"]
        self.assertEqual([(r["name"], r["arguments"], r["result_text"]) for r in rows],
            [(r["name"], r["arguments"], r["result_text"]) for r in live])

    def test_wrong_words(self):
        # A table of lines that were chosen would read as one of everything.
        sums = [[choice, *path, table] for choice, path in (("-Z", []), ("-P", ["/etc"]))
                for table in ("-c", "--io", "--network", "--process", "--memory")]
        for words in [["-e", "opennat"], ["-e", ""], ["--all", "-p", "1"], ["-s", "5000"],
                      ["--file", "-e", "read"], *sums]:
            run = self.run_sooth("trace", *words, "--", "true")
            self.assertEqual(run.status, 2, words)

    def test_slow_calls(self):
        """claude-diagnose shows the view "slow-calls"."""
        worker = harness.Process([sys.executable, "-u", "-c",
            "import os\nprint('ready', flush=True)\nwhile True: os.stat('/etc'); open('/etc/hostname').read()"])
        self.addCleanup(worker.end)
        worker.wait_for_output(b"ready")
        run = subprocess.run([COMPAT / "claude-diagnose", "-D", "--io", "--duration", "1", "--pid",
            str(worker.pid)], capture_output=True, text=True, timeout=harness.PATIENCE_S)
        self.assertIn("slowest calls for files", run.stdout)

    def test_menu(self):
        """trace-claude, and trace without a target, ask on a terminal; elsewhere they say what to type."""
        run = subprocess.run([COMPAT / "trace-claude"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        self.assertIn("cannot ask which processes to trace", run.stderr)
        run = subprocess.run([COMPAT / "trace-claude", "x"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        run = subprocess.run([COMPAT / "trace-claude", "--help"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0)
        self.assertIn("sooth trace", run.stdout)

    def run_sooth(self, *words):
        done = subprocess.run([harness.SOOTH, *words], capture_output=True, timeout=harness.PATIENCE_S)
        return harness.Run(done.returncode, done.stdout, done.stderr)


if __name__ == "__main__":
    harness.main()
