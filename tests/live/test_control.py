# SPDX-License-Identifier: BSD-2-Clause
"""
A run that another program controls through its socket: phases and pauses are those of the records,
a snapshot is the report as it would end then, and the run goes on as if there had been none.
"""
import json
import os
import socket
import stat
import sys

import harness
from control_client import Client
from harness import Case, needs_bpf

# So many getppid() for each line.
CALLS = """
import ctypes, sys
libc = ctypes.CDLL(None)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        libc.getppid()
    print("done", flush=True)
"""
SPIN = "print('ready', flush=True)\nwhile True: pass"


@needs_bpf
class Control(Case):
    def target(self):
        process = self.start(sys.executable, "-c", CALLS)
        process.wait_for_output(b"ready\n")
        return process

    def do_calls(self, target, count):
        before = bytes(target.out).count(b"done\n")
        target.say(b"%d\n" % count)
        harness.wait_until(lambda: bytes(target.out).count(b"done\n") > before, "the calls")

    def controlled(self, *words):
        sooth = self.start_sooth(*words, "--control", self.path("socket"))
        client = Client(self, self.path("socket"))
        self.assertEqual(client.ask("ping"), {"ok": True})  # it runs
        return sooth, client

    def paste(self, line, request):
        """Another sooth, beside the first, that does what the first could not."""
        words = line.split()
        self.assertEqual(words[0], "sooth")
        sooth = self.start_sooth(*words[1:])
        self.assertEqual(Client(self, words[words.index("--control") + 1]).ask(request)["ok"], True, line)
        sooth.end()

    def test_stream(self):
        target = self.target()
        sooth, client = self.controlled("trace", "-j", "-e", "getppid", "-p", str(target.pid))
        mode = os.stat(self.path("socket")).st_mode
        self.assertTrue(stat.S_ISSOCK(mode) and not mode & 0o077, oct(mode))
        self.do_calls(target, 100)
        self.assertEqual(client.ask("mark second phase"), {"ok": True})
        self.do_calls(target, 20)
        self.assertEqual(client.ask("pause"), {"ok": True})
        self.do_calls(target, 3000)
        self.assertEqual(client.ask("resume"), {"ok": True})
        self.do_calls(target, 7)
        answer = client.ask("snapshot")
        self.assertIn("has no sums", answer["why"])
        self.paste(answer["try"], "snapshot")
        for request in ("mark", "mark ", "stop", "", "x" * 500):
            answer = client.ask(request)
            self.assertEqual(sorted(answer), ["ok", "try", "what", "why"], request)
            self.assertIn(answer["try"], ("mark NAME", "ping"))
        self.assertEqual(client.ask("ping"), {"ok": True})
        others = [Client(self, self.path("socket")) for _ in range(8)]
        self.assertIn("8 are connected", json.loads(others[-1].lines.readline())["why"])
        others[0].socket.sendall(b"x" * 2000)
        self.assertIn("longer than 1024", json.loads(others[0].lines.readline())["why"])
        self.assertIn("ping, pause, resume", client.ask("stop")["why"])
        target.close_stdin()
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        lines = run.lines()
        self.assertEqual(sum(line.get("name") == "getppid" for line in lines), 127)
        self.assertEqual([(row["mark"], row["name"]) for row in lines[-1]["marks"]],
                         [("phase", "second phase"), ("pause", None), ("resume", None)])
        self.assertFalse(os.path.exists(self.path("socket")))

    def test_counts(self):
        target = self.target()
        sooth, client = self.controlled("trace", "-c", "-j", "-p", str(target.pid), "--save", self.path("kept.sooth"))
        self.do_calls(target, 100)
        answer = client.ask("pause")
        self.assertIn("only adds up", answer["why"])
        self.paste(answer["try"], "pause")
        self.assertEqual(client.ask("ping"), {"ok": True})
        target.close_stdin()
        report = sooth.finish().json()
        self.assertEqual(harness.table_counts(report)["getppid"], (100, 0))
        self.assertNotIn("marks", report)

    def test_snapshot(self):
        """Of each moment what was recorded until then; the report at the end has all."""
        target = self.target()
        sooth, client = self.controlled("trace", "-c", "-j", "-p", str(target.pid), "--interval", "3600")
        self.assertIn("has no sums", client.ask("snapshot")["why"])  # tables at intervals
        sooth.end()
        os.unlink(self.path("socket"))
        sooth, client = self.controlled("heap", "--exact", "-j", "-p", str(target.pid))
        totals = []
        for _ in range(3):
            self.do_calls(target, 10)
            answer = client.ask("snapshot")
            self.assertTrue(answer["ok"])
            totals.append(answer["report"]["heap_totals"]["calls"])
        self.assertEqual(totals, sorted(totals))
        self.assertEqual(answer["report"]["schema"]["name"], "heap")
        target.close_stdin()
        run = sooth.finish()
        report = run.json()
        self.assertGreaterEqual(report["heap_totals"]["calls"], totals[-1])
        self.assertEqual([row["mark"] for row in report["marks"]], ["snapshot"] * 3)

    def test_profile(self):
        target = self.start(sys.executable, "-c", SPIN)
        target.wait_for_output(b"ready\n")
        sooth, client = self.controlled("profile", "-j", str(target.pid))
        samples = 0

        def has_sampled():
            nonlocal samples
            samples = client.ask("snapshot")["report"]["profile"]["samples"]
            return samples > 10
        harness.wait_until(has_sampled, "samples")
        limits = [limit["what"] for limit in client.ask("snapshot")["report"]["limits"]]
        self.assertIn("what comes with the end of the recording", limits)
        self.assertNotIn("the end of the recording", limits)
        target.end()
        self.assertGreaterEqual(sooth.finish().json()["profile"]["samples"], samples)

    def test_marks_in_a_capture(self):
        target = self.target()
        sooth, client = self.controlled("record", "--stream", "--probe", "syscalls", "-o", self.path("kept.sooth"),
                                        "-p", str(target.pid))
        self.do_calls(target, 10)
        client.ask("mark one")
        target.close_stdin()
        sooth.finish()
        report = self.sooth("trace", "-c", "-j", self.path("kept.sooth")).json()
        self.assertEqual([(row["mark"], row["name"]) for row in report["marks"]], [("phase", "one")])
        text = self.sooth("trace", "-c", self.path("kept.sooth")).text
        self.assertRegex(text, r"phase at [\d.]+m?s: one")

    def test_a_socket_that_was_left(self):
        """By a sooth that was killed; one that is in use is not taken."""
        target = self.target()
        for name in ("left", "used"):
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(self.path(name))
                if name == "used":
                    server.listen()
                    run = self.sooth("trace", "-c", "-d", "1", "-p", str(target.pid), "--control", self.path("used"),
                                     status=5)
                    self.assert_says_three_lines(run, "another program listens there", "--control %s.2" % self.path("used"))
        sooth = self.start_sooth("trace", "-c", "-p", str(target.pid), "--control", self.path("left"))
        self.assertEqual(Client(self, self.path("left")).ask("ping"), {"ok": True})
        sooth.end()

    def test_names(self):
        target = str(self.target().pid)
        open(self.path("taken"), "w", encoding="ascii").close()
        run = self.sooth("trace", "-d", "100ms", "--control", self.path("taken"), target, status=5)
        self.assert_says_three_lines(run, "there is a file of that name", "--control %s.2" % self.path("taken"))
        self.assertTrue(os.path.exists(self.path("taken")))
        run = self.sooth("trace", "-d", "100ms", "--control", "x" * 200, target, status=2)
        self.assert_says_three_lines(run, "1 to 107 bytes", "--control /tmp/sooth.sock")
        run = self.sooth("trace", "-d", "100ms", "--control", "/nonexistent/here.sock", target, status=4)
        self.assert_says_three_lines(run, "No such file", "--control /tmp/here.sock")


if __name__ == "__main__":
    harness.main()
