# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth monitor`: what comes out of its FIFOs is what happened, for readers that come, go, stick and
vanish; nothing is attached without one.
"""
import contextlib
import json
import os
import select
import signal
import socket
import stat
import sys
import threading
import time

import harness
from control_client import Client
from harness import needs_bpf, needs_root, read_truth, stream_counts
from monitor_case import NAMES, MonitorCase

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import fake_api, known, modes
from agents.agent import Agent, require_native
import api_truth

CLIENT = """
import http.client, sys
sys.stdin.readline()
for i in range(3):
    c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    c.request("POST", "/nothing", b"x" * 100 * i)
    c.getresponse().read()
    c.close()
"""


def listening():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(8)
    return s


@needs_bpf
class Readers(MonitorCase):
    def test_the_line_of_the_old_kit(self):
        """tail -f ~/.claude/fifos/*.fifo, for all three at once, while records come."""
        home = self.path("home")
        os.mkdir(home)
        target = self.start("/bin/sh", "-c", "while :; do sleep 0.05; done")
        sooth = self.start_sooth("monitor", "--no-history", str(target.pid), env=dict(os.environ, HOME=home))
        harness.wait_until(lambda: b"records are in" in sooth.err, "the monitor")
        self.fifos = os.path.join(home, ".claude/fifos")
        self.assertEqual(stat.S_IMODE(os.stat(self.fifos).st_mode), 0o700)
        for name in NAMES:
            status = os.stat(os.path.join(self.fifos, name))
            self.assertTrue(stat.S_ISFIFO(status.st_mode))
            self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        reader = self.tail(home=home)
        harness.wait_until(lambda: bytes(reader.out).count(b'"call"') > 50 and
                           bytes(reader.out).count(b'"state"') > 20, "records of both kinds")
        self.assertIn(b'"api_calls"', bytes(reader.out))
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)
        for name, lines in self.by_fifo(bytes(reader.out)[:bytes(reader.out).rfind(b"\n")]).items():
            self.assert_numbered(lines)
            self.assertEqual(lines[0]["feeds"] + ".fifo", name)

    def test_records_are_what_happened(self):
        """System calls against a workload that counts its own."""
        target = self.workload("syscalls", "--threads", "3", "--forks", "2", "--count", "200",
                               "--seed", "5", truth=self.path("truth"))
        sooth = self.monitor(str(target.pid))
        reader = self.tail("syscalls.fifo")
        self.wait_until_attached(sooth)
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        truth, _ = read_truth(self.path("truth"))

        def has_all():
            counts = stream_counts(self.lines(reader))
            return all(counts.get(name, (0,))[0] >= count for name, (count, _) in truth.items())

        harness.wait_until(has_all, "all calls")
        lines = self.lines(reader)
        self.assert_numbered(lines)
        self.assert_includes(stream_counts(lines), truth)

    def test_api_calls_are_those_of_the_server(self):
        server = fake_api.Server(listening()).serve()
        self.addCleanup(server.close)
        client = self.start(sys.executable, "-c", CLIENT, server.url.rpartition(":")[2])
        harness.wait_until_asleep(client.pid)
        sooth = self.monitor(str(client.pid))
        reader = self.tail("api_calls.fifo")
        self.wait_until_attached(sooth)
        client.say(b"go\n")
        client.finish()
        harness.wait_until(lambda: sum(line.get("event") == "end"
                                       for line in self.lines(reader)) >= 3, "three calls")
        lines = self.lines(reader)
        self.assert_numbered(lines)
        rows = [line for line in lines if line.get("event") == "end"]
        table = api_truth.compare(rows, server.requests(), False)
        self.assertEqual(api_truth.problems(table), [])
        self.assertEqual([line["event"] for line in lines if line["type"] == "api_call"],
                         ["request", "answer", "end"] * 3)

    def test_what_io_uring_hides(self):
        """Its calls are no records: each reader learns of which process, also one that comes later."""
        server = fake_api.Server(listening()).serve()
        self.addCleanup(server.close)
        port = server.url.rpartition(":")[2]
        # By file is seen with the request itself, which has no name before Linux 5.19.
        every = (("--port", port), ("--port", port, "--as-file"), ())
        targets = [self.workload("uring", *words) for words in every]
        sooth = self.monitor(*(str(target.pid) for target in targets))
        readers = {name: self.tail(name) for name in ("api_calls.fifo", "syscalls.fifo")}
        readers["socket"] = self.connect("-r", "api_calls")
        self.wait_until_attached(sooth)
        for reader in readers.values():
            reader.wait_for_output(b'"begin"')
        for target in targets:
            target.say(b"go\n")
        for words, target in zip(every, targets):
            run = target.finish()
            if b"not supported" in run.err:
                self.skipTest("this kernel has no io_uring, or forbids it")
            self.assertEqual(run.status, 0, run)
            for name, reader in readers.items():
                if words or name == "syscalls.fifo":
                    harness.wait_until(lambda reader=reader, pid=target.pid: self.hidden(reader, pid), name)
        harness.wait_until(lambda: bytes(readers["syscalls.fifo"].out).count(b'"exit"') == 3, "the ends")
        self.assertEqual(self.hidden(readers["api_calls.fifo"], targets[2].pid), [])
        for reader in readers.values():
            self.assert_numbered(self.lines(reader))
        # One that is closed with an answer unread may take its last request with it.
        harness.wait_until(lambda: len(server.requests()) >= 3, "the requests to be read")
        self.assertEqual({one.path for one in server.requests()}, {"/through-io-uring"})

    def hidden(self, reader, pid):
        """Reasons why records of the process are missing."""
        return [line["reason"] for line in self.lines(reader) if line["type"] == "loss" and
                line.get("pid") == pid and "io_uring" in line["reason"]]

    def test_nothing_is_attached_without_a_reader(self):
        target = self.workload("sleep")
        sooth = self.monitor(str(target.pid))
        time.sleep(0.3)
        self.assertEqual(harness.held_by(sooth.pid), set())
        for _ in range(2):
            reader = self.tail("syscalls.fifo")
            self.wait_until_attached(sooth)
            self.wait_for_lines(reader, 1)
            reader.end()
            harness.wait_until(lambda: not harness.held_by(sooth.pid), "the probes to be gone")
        self.assertTrue(sooth.is_running())

    def test_a_target_that_has_ended(self):
        """It stays a zombie here: the reader learns why nothing comes, and nothing is made up."""
        target = self.start("/bin/sh", "-c", "while :; do sleep 0.05; done")
        self.monitor(str(target.pid))
        readers = {name: self.tail(name) for name in ("scheduler.fifo", "syscalls.fifo")}
        for reader in readers.values():
            self.wait_for_lines(reader, 30)
        os.kill(target.pid, signal.SIGKILL)
        for reader in readers.values():
            reader.wait_for_output(b'"no selected process runs"')
        time.sleep(1)
        for reader in readers.values():
            lines = self.lines(reader)
            self.assert_numbered(lines)
            self.assertEqual(lines[-1]["type"], "loss")
            self.assertFalse([line for line in lines[30:] if line.get("is_since_attach")])

    def test_one_source_of_calls(self):
        """For system calls and API calls, where both are read."""
        target = self.start("/bin/sh", "-c", "while :; do sleep 0.05; done")
        sooth = self.monitor(str(target.pid))

        def links(*names):
            reader = self.tail(*names)
            harness.wait_until(lambda: bytes(reader.out).count(b'"begin"') == len(names), "readers")
            reader.wait_for_output(b'"call"')
            time.sleep(0.5)
            found = {one for one in harness.held_by(sooth.pid) if one[0] == "link"}
            reader.end()
            harness.wait_until(lambda: not harness.held_by(sooth.pid), "the probes to be gone")
            return len(found)

        self.assertEqual(links("syscalls.fifo"), links("api_calls.fifo", "syscalls.fifo"))

    def test_a_reader_that_sticks(self):
        """Its losses are said, with how many; the monitor neither waits nor grows."""
        target = self.start("/bin/sh", "-c", "while :; do :</dev/null; done")
        sooth = self.monitor("--buffer", "2M", str(target.pid))
        reader = os.open(os.path.join(self.fifos, "syscalls.fifo"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.wait_until_attached(sooth)
        self.wait_until_full(sooth, 2 << 10)
        with open("/proc/%d/status" % sooth.pid, encoding="ascii") as file:
            rss_kb = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.assertLess(rss_kb, 60 << 10)
        target.end()
        text = bytearray()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and b'"loss"' not in text:
            if select.select([reader], [], [], 0.2)[0]:
                with contextlib.suppress(BlockingIOError):  # the monitor has just closed its end
                    text += os.read(reader, 65536)
        lines = [json.loads(line) for line in bytes(text[:text.rfind(b"\n")]).splitlines()]
        self.assert_numbered(lines)
        self.assertGreater(sum(line["records"] for line in lines if line["type"] == "loss"), 0)
        self.assertTrue(all(len(line) < 4096 for line in bytes(text).splitlines()))

    def test_a_reader_that_vanishes_in_the_middle(self):
        target = self.start("/bin/sh", "-c", "while :; do :</dev/null; done")
        sooth = self.monitor(str(target.pid))
        for _ in range(2):
            reader = os.open(os.path.join(self.fifos, "syscalls.fifo"), os.O_RDONLY)
            os.read(reader, 100)
            os.close(reader)
            time.sleep(0.2)
        reader = self.tail("syscalls.fifo")
        self.wait_for_lines(reader, 20)
        self.assertTrue(sooth.is_running())


@needs_bpf
class Everything(MonitorCase):
    """--all, --user: processes that nothing starts for sooth; what reads is not among them."""

    def test_every_process(self):
        self.monitor("--all")
        fifo = self.tail("syscalls.fifo")
        client = self.start_sooth("tail", "--fifo-dir", self.fifos, "-r", "syscalls,scheduler")
        states = self.tail("scheduler.fifo")
        for reader, text in ((fifo, b'"call"'), (client, b'"call"'), (states, b'"state"')):
            reader.wait_for_output(text)
        target = self.start("/bin/sh", "-c", "while :; do test -e /planted; sleep 0.05; done")
        of_target = b'"pid":%d,' % target.pid
        for reader in (fifo, client):
            reader.wait_for_output(b'"path":"/planted"')
        states.wait_for_output(of_target)
        # It is a reader of the socket, and by its calls one of the FIFO, from the first batch on.
        for reader in (fifo, client):
            size = len(reader.out)
            harness.wait_until(lambda: of_target in reader.out[size:], "later calls")
            time.sleep(0.5)
            for pid in (client.pid, fifo.pid):
                self.assertFalse(b'"pid":%d,' % pid in reader.out[size:], pid)

    @needs_root
    def test_every_process_of_a_user(self):
        self.monitor("-u", str(harness.NOBODY))
        reader = self.tail("syscalls.fifo")
        self.wait_for_lines(reader, 1)
        others = self.start("/bin/sh", "-c", "while :; do test -e /other; sleep 0.05; done")
        target = self.start("/bin/sh", "-c", "while :; do test -e /planted; sleep 0.05; done",
                            **harness.as_nobody())
        harness.wait_until(lambda: self.paths_of(reader, target.pid), "calls of a later process")
        time.sleep(0.5)
        self.assertNotIn(others.pid, {line.get("pid") for line in self.lines(reader)})

    def paths_of(self, reader, pid):
        return [line for line in self.lines(reader) if line["type"] == "call" and
                line["pid"] == pid and line["path"] == "/planted"]


@needs_bpf
class Sockets(MonitorCase):
    """`sooth tail`: many readers at once, each with its own records and filter."""

    def busy(self):
        return self.start("/bin/sh", "-c", "while :; do sleep 0.02; test -e /nonexistent; done")

    def test_readers_with_filters(self):
        target = self.busy()
        sooth = self.monitor(str(target.pid))
        readers = [self.connect("-r", "syscalls"), self.connect("-r", "scheduler"),
                   self.connect("-r", "syscalls", "--filter", "errno != 0"),
                   self.connect("-r", "syscalls,scheduler", "--filter", "duration_ns > 5ms")]
        fifo = self.tail("syscalls.fifo")
        for reader in (*readers, fifo):
            self.wait_for_lines(reader, 30)
        for reader in readers:
            lines = self.lines(reader)
            self.assert_numbered(lines)
            self.assertEqual([line["type"] for line in lines[:2]], ["begin", "process"])
            self.assertEqual((lines[1]["pid"], lines[1]["name"]), (target.pid, "sh"))
        all_calls, states, failed, long_ones = ([line for line in self.lines(reader)
            if line["type"] in ("call", "exit", "state")] for reader in readers)
        self.assertEqual({line["type"] for line in states}, {"state"})
        self.assertTrue(all(line["error"] for line in failed))
        self.assertTrue(all(line["duration_ns"] > 5e6 for line in long_ones))
        self.assertEqual({line["type"] for line in long_ones}, {"call", "state"})
        # What two have of the same time is the same.
        times = {line["time_ns"] for line in failed}
        begin, end = max(min(times), all_calls[0]["time_ns"]), min(max(times), all_calls[-1]["time_ns"])
        self.assertEqual({line["time_ns"] for line in all_calls if line.get("error") and
                          begin <= line["time_ns"] <= end},
                         {time_ns for time_ns in times if begin <= time_ns <= end})
        for reader in (*readers, fifo):
            reader.end()
        harness.wait_until(lambda: not harness.held_by(sooth.pid), "the probes to be gone")

    def test_controlled(self):
        """Phases and pauses are lines among the records, for readers of FIFOs and of the socket; nothing is
        recorded in a pause, also by a probe that is attached then."""
        target = self.start("/bin/sh", "-c", "while read line; do test -e /in/$line; done")
        sooth = self.monitor("--control", self.path("control"), str(target.pid))
        client = Client(self, self.path("control"))
        self.assertEqual(client.ask("mark before"), {"ok": True})
        report = client.ask("snapshot")["report"]
        self.assertEqual([row["readers"] for row in report["feeds"]], [0, 0, 0])
        self.assertEqual(report["monitor_processes"], [{"pid": target.pid, "name": "sh"}])
        self.assertEqual(client.ask("pause"), {"ok": True})
        reader, fifo = self.connect("-r", "syscalls"), self.tail("syscalls.fifo")

        def feed():
            return client.ask("snapshot")["report"]["feeds"][0]
        harness.wait_until(lambda: feed()["readers"] == 2 and feed()["is_attached"], "the probe")
        self.assertTrue(feed()["is_paused"])
        target.say(b"pause\n")
        time.sleep(0.5)  # that it is not seen shows only in what comes after it
        for request in ("resume", "mark work"):
            self.assertEqual(client.ask(request), {"ok": True})
        target.say(b"work\n")
        for lines in (lambda: self.lines(reader), lambda: self.lines(fifo)):
            harness.wait_until(lambda: any(line.get("path") == "/in/work" for line in lines()), "the call")
            found = lines()
            self.assert_numbered(found)
            marks = [(line["mark"], line["name"]) for line in found if line["type"] == "mark"]
            self.assertEqual(marks, [("phase", "before"), ("pause", None), ("resume", None), ("phase", "work")])
            self.assertNotIn("/in/pause", [line.get("path") for line in found])
            times = [line["time_ns"] for line in found if line["type"] == "mark"]
            self.assertEqual(times, sorted(times))
        self.assertEqual(feed()["phase"], "work")
        self.assertGreater(feed()["records"], 0)
        self.assertEqual(client.ask("mark")["try"], "mark NAME")
        os.kill(sooth.pid, signal.SIGTERM)
        sooth.finish()
        self.assertFalse(os.path.exists(self.path("control")))

    def test_more_readers_than_served(self):
        self.monitor("1")
        for _ in range(33):
            reader = socket.socket(socket.AF_UNIX)
            self.addCleanup(reader.close)
            reader.connect(os.path.join(self.fifos, "monitor.sock"))
        self.assertIn(b"more readers", reader.recv(4096))

    def test_a_reader_that_sticks_holds_up_no_other(self):
        target = self.start("/bin/sh", "-c", "while :; do :</dev/null; done")
        sooth = self.monitor("--buffer", "2M", str(target.pid))
        stuck = socket.socket(socket.AF_UNIX)
        self.addCleanup(stuck.close)
        stuck.connect(os.path.join(self.fifos, "monitor.sock"))
        stuck.sendall(b"syscalls \n")
        other = self.connect("-r", "scheduler")
        self.wait_for_lines(other, 20)
        self.wait_until_full(sooth, 2 << 10)
        number = len(self.lines(other))
        self.wait_for_lines(other, number + 5)
        target.end()
        text, deadline = bytearray(), time.monotonic() + 20
        stuck.settimeout(2)
        while b'"loss"' not in text and time.monotonic() < deadline:
            text += stuck.recv(1 << 16)
        self.assert_numbered([json.loads(line) for line in bytes(text[:text.rfind(b"\n")]).splitlines()])

    def test_refused(self):
        self.monitor("1")
        for words, said in ((("-r", "nothing"), "api_calls"), (("--filter", "nofield = 1"), "nofield"),
                            (("--filter", "pid ="), "pid")):
            run = self.sooth("tail", "--fifo-dir", self.fifos, *words, status=2)
            self.assert_says_three_lines(run, said)
        self.fifos = self.path("none")
        run = self.sooth("tail", "--fifo-dir", self.fifos, status=None)
        self.assertEqual(run.status, 4)
        self.assert_says_three_lines(run, "sooth monitor")

    def test_another_user(self):
        """Also where the folder is open to it."""
        self.monitor("1")
        self.open_to_all()
        name = os.path.join(self.fifos, "monitor.sock")
        os.chmod(self.fifos, 0o711)
        os.chmod(name, 0o666)
        program = self.copy_for_all(harness.SOOTH)
        words = ("tail", "--fifo-dir", self.fifos, "-d", "500ms")
        run = self.run_program(program, *words, status=None, **harness.as_nobody())
        self.assertEqual((run.status, run.out), (2, b""), run)
        self.assert_says_three_lines(run, "another user")
        # Where the folder is closed, the name of its user is what helps.
        os.chmod(self.fifos, 0o700)
        run = self.run_program(program, *words, status=None, **harness.as_nobody())
        self.assertEqual((run.status, run.out), (3, b""), run)
        self.assert_says_three_lines(run, "sudo -u 'root' sooth tail --fifo-dir " + self.fifos)
        # Of the same user the same words are served.
        self.assertIn(b"begin", self.run_program(program, *words).out)


LOAD = """
import mmap, os, socket, sys
sys.stdin.readline()
here, there = socket.socketpair(socket.AF_UNIX)
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(1)
client = socket.socket()
client.connect(listening.getsockname())
server = listening.accept()[0]
for _ in range(100):
    os.close(os.open("/etc/passwd", os.O_RDONLY))
for _ in range(50):
    client.sendall(b"x" * 1000)
    server.recv(1000)
    here.sendall(b"y" * 1000)  # is no network
    there.recv(1000)
for _ in range(7):
    if not os.fork():
        os._exit(0)
    os.wait()
maps = [mmap.mmap(-1, 4096) for _ in range(30)]
print("done", flush=True)
sys.stdin.readline()
"""


@needs_bpf
class RealAgent(MonitorCase):
    """Found without being named, also when it starts later; its API calls are those of the server."""

    def test_claude_code(self):
        reason = require_native()
        if reason:
            self.skipTest(reason)
        self.monitor()
        readers = [self.tail(name) for name in NAMES]
        for reader in readers:
            self.wait_for_lines(reader, 1)
        for is_tls in (False, True):
            with Agent(known.CLAUDE_CODE, mode=modes.TOOL_LOOP, over_tls=is_tls) as agent:
                agent.wait_until_in_mode()
                # The calls before the monitor had found it were not seen.
                harness.wait_until(lambda: self.calls_of(readers[0], agent.pid), "API calls of the agent")
                time.sleep(1)
                exchanges = agent.requests()
                stop_ns = self.pause_of([one.begin_ns for one in exchanges])
                harness.wait_until(lambda: any(row["time_ns"] > stop_ns for row in self.calls_of(
                    readers[0], agent.pid)), "a later call")
                rows = [row for row in self.calls_of(readers[0], agent.pid)
                        if row["begin_ns"] < stop_ns]
                first_ns = min(row["begin_ns"] for row in rows)
                table = api_truth.compare(rows, [one for one in exchanges if
                                                 first_ns - api_truth.TIMES_NS < one.begin_ns < stop_ns], is_tls)
                print("   ", table.line("Claude Code, %s" % ("TLS" if is_tls else "plain")),
                      file=sys.stderr)
                self.assertEqual(api_truth.problems(table), [])
                pids = {agent.pid}
                for reader, kind in zip(readers[1:], ("state", "call")):
                    harness.wait_until(lambda reader=reader, kind=kind: any(
                        line["type"] == kind and line["pid"] in pids
                        for line in self.lines(reader)), "a line of the agent: " + kind)
        for reader in readers:
            self.assert_numbered(self.lines(reader))

    @staticmethod
    def pause_of(times):
        """In the middle of the longest of the last ones: what is before it is so for the agent and the server."""
        last = sorted(times)[-6:]
        length, end = max((after - before, after) for before, after in zip(last, last[1:]))
        return end - length // 2

    def calls_of(self, reader, pid):
        return [line for line in self.lines(reader)
                if line["type"] == "api_call" and line["event"] == "end" and line["pid"] == pid]


PLANTED = "sk-ant-api03-" + "Zq7" * 20
PASSWORD = "hunter2pass"
# What it asks for, and what it does beside that, with secrets at each place; "neighbor" is none.
PLANTER = """
import os, socket, subprocess, sys
port, secret, password = sys.stdin.readline().split()
headers = "Host: x\\r\\nAuthorization: Bearer %s\\r\\nCookie: k=%s\\r\\n\\r\\n" % (secret, secret)
for line in ("GET /neighbor/%s/x?token=%s" % (secret, secret), "POST /neighbor?%s" % secret,
             "GET http://user:%s@127.0.0.1:%s/neighbor?k=%s" % (password, port, secret),
             "CONNECT user:%s@neighbor.test:443" % password, "GET /neighbor;password=%s" % password):
    with socket.create_connection(("127.0.0.1", int(port))) as c:
        c.sendall(("%s HTTP/1.1\\r\\n%s%s" % (line, headers, secret)).encode())
        while c.recv(65536):
            pass
for path in ("/neighbor/" + secret, "/neighbor/password=" + password):
    try:
        open(path)
    except OSError:
        pass
subprocess.run(["/bin/true", "neighbor", "--api-key=" + secret, "https://user:%s@host/" % password],
               env={"API_KEY": secret})
os.write(1, ("%s\\n" % secret).encode())
sys.stdin.read()
"""


@needs_bpf
class Secrets(MonitorCase):
    """In requests, headers, paths, answers, arguments and data: in no record of a FIFO or the socket."""

    def serve(self):
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        self.addCleanup(listening.close)

        def answer():
            with contextlib.suppress(OSError):  # the end of the test
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Token: %s\r\nContent-Length: 2\r\n"
                                           b"Connection: close\r\n\r\nok" % PLANTED.encode())
        threading.Thread(target=answer, daemon=True).start()
        return listening.getsockname()[1]

    def test_nothing_planted_is_in_a_record(self):
        target = self.start(sys.executable, "-c", PLANTER)
        sooth = self.monitor(str(target.pid))
        readers = {name: self.tail(name) for name in NAMES}
        readers["socket"] = self.start_sooth("tail", "--fifo-dir", self.fifos)
        for reader in readers.values():
            reader.wait_for_output(b'"begin"')
        self.wait_until_attached(sooth)
        time.sleep(1)  # until all sources are there
        target.say(("%d %s %s\n" % (self.serve(), PLANTED, PASSWORD)).encode())
        target.wait_for_output(PLANTED.encode())
        for name in ("api_calls.fifo", "socket"):
            harness.wait_until(lambda name=name: sum(
                line.get("event") == "end" for line in self.lines(readers[name])) == 5, "calls: " + name)
        for name in ("syscalls.fifo", "socket"):
            readers[name].wait_for_output(b"/bin/true")
        time.sleep(0.5)
        for name, reader in readers.items():
            if name != "scheduler.fifo":
                self.assertIn(b"neighbor", bytes(reader.out))
            for secret in (PLANTED[16:40], PASSWORD):
                self.assertNotIn(secret.encode(), bytes(reader.out), name)
        self.assertEqual([line["path"] for line in self.lines(readers["api_calls.fifo"]) if
                          line.get("event") == "end"],
                         ["/neighbor/***/x", "/neighbor", "http://***@127.0.0.1:%d/neighbor" %
                          self.port_of(readers["api_calls.fifo"]), "***@neighbor.test:443",
                          "/neighbor;password=***"])

    def port_of(self, reader):
        return int(next(line["peer"] for line in self.lines(reader) if line.get("peer")).rpartition(":")[2])


@needs_bpf
class Statistics(MonitorCase):
    def test_against_a_load_that_knows_its_own(self):
        target = self.start(sys.executable, "-c", LOAD)
        harness.wait_until_asleep(target.pid)
        monitor = self.start(os.path.join(os.path.dirname(harness.SOOTH), "compat/claude-monitor"),
                             "-j", "-i", "1", "-p", str(target.pid))
        self.wait_until_attached(monitor)
        target.say(b"go\n")
        target.wait_for_output(b"done\n")
        harness.wait_until(lambda: bytes(monitor.out).count(b"\n") >= 2, "intervals")
        monitor.send(signal.SIGINT)
        reports = [json.loads(line) for line in monitor.finish().text.splitlines()]
        names = ("files_opened", "sent_bytes", "received_bytes", "processes_started",
                 "memory_maps")
        total = reports[-1]["statistics"]
        self.assertEqual(total["what"], "totals")
        self.assertEqual([total[name] for name in names[:4]], [100, 50000, 50000, 7])
        self.assertIn(total["memory_maps"], range(30, 40))  # the allocator's are among them
        for name in names:
            self.assertEqual(sum(report["statistics"][name] for report in reports[:-1]),
                             total[name], name)
            self.assertEqual(sum(row[name] for row in reports[-1]["statistics_by_process"]),
                             total[name])
        self.assertEqual(reports[-1]["loss"], [])


if __name__ == "__main__":
    harness.main()
