# SPDX-License-Identifier: BSD-2-Clause
"""`memtrack track COMMAND`, also called codspeed-memtrack: lines, artifacts, exit status."""
import collections
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import harness
from harness import needs_bpf
from heap_case import (GLIBC, MAPPINGS, HeapCase, by_type, events_by_type, last_json, one, report_calls,
                       truth_calls)

BUILD = os.path.dirname(harness.SOOTH)


def unpacked(data):
    """The objects of MessagePack, as far as memtrack's reader needs them: maps, texts, numbers."""
    at = 0

    def take(size):
        nonlocal at
        at += size
        return data[at - size:at]

    def value():
        head = take(1)[0]
        if head < 0x80:
            return head
        if head < 0x90:
            return {value(): value() for _ in range(head & 15)}
        if 0xa0 <= head < 0xc0:
            return take(head & 31).decode()
        form = {0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q"}[head]
        return struct.unpack(form, take(struct.calcsize(form)))[0]

    while at < len(data):
        yield value()


@needs_bpf
class Memtrack(HeapCase):
    def named(self, name):
        link = os.path.join(BUILD, "compat", name)
        if not os.path.exists(link):
            link = self.path(name)
            os.symlink(harness.SOOTH, link)
        return link

    def track(self, name, *argv, **options):
        return self.run_program(self.named(name), "track", *argv, **options)

    def events_of_artifact(self):
        """Of the only one in the folder; zstd decompresses it, and the checks are those of lines."""
        self.artifact, = [name for name in os.listdir(self.path("into"))]
        self.assertRegex(self.artifact, r"^[0-9]+\.MemtrackArtifact\.msgpack$")
        raw = subprocess.run([harness.have("zstd"), "-dc", self.path("into/" + self.artifact)],
            check=True, stdout=subprocess.PIPE).stdout
        events = list(unpacked(raw))
        for number, event in enumerate(events):
            self.check_event(event, "event %d: %s" % (number, event))
            self.assertTrue(event["addr"], event)
        return events

    def test_track(self):
        for name in ("codspeed-memtrack", "memtrack"):
            with self.subTest(name):
                command, _ = self.command_of(GLIBC, "heap", "--turns", "0")
                self.track(name, *command, "--truth", self.path("truth-0"), "--output",
                           self.path("events"))
                twin = events_by_type(self.read_events())
                command[-1] = "3000"
                self.track(name, *command, "--truth", self.path("truth-n"), "--output",
                           self.path("events"))
                events = events_by_type(self.read_events())
                difference = {kind: tuple(a - b for a, b in zip(row, twin.get(kind, (0, 0, 0))))
                              for kind, row in events.items()}
                self.assertEqual(difference, by_type(truth_calls(self.truth("truth-n"))))

    def test_output_after_two_dashes_is_the_commands(self):
        run = self.track("memtrack", "--output", self.path("events"), "--", "/bin/echo",
                         "--output", "mine")
        self.assertIn("--output mine", run.text)
        self.assertTrue(self.read_events())

    def test_artifact(self):
        """Into a folder: every call that got or gave back memory, as the workload counted them."""
        os.mkdir(self.path("into"))
        command, _ = self.command_of(GLIBC, "heap", "--turns", "3000")
        run = self.track("codspeed-memtrack", "--output", self.path("into"), "--", *command, "--truth",
                         self.path("truth"))
        events = self.events_of_artifact()
        self.assertIn("lost nothing", run.errors)
        self.assertIn(self.artifact, run.errors)
        got = events_by_type(events)
        told = by_type(truth_calls(self.truth()))
        # Its own, and some of the C library's. A realloc to nothing is a Free.
        wanted = sum(count - failed for count, failed, _ in told.values())
        self.assertIn(sum(count for count, _, _ in got.values()), range(wanted, wanted + 100))
        for kind, (_, _, size) in told.items():
            self.assertIn(got[kind][2], range(size, size + 200000), kind)
        # The same is read back: calls and bytes.
        report = last_json(self.sooth("heap", "-j", self.path("into/" + self.artifact)).text)
        mine = collections.Counter(e["type"] for e in events if e["type"] not in MAPPINGS)
        self.assertEqual(one(report["heap_totals"])["calls"], sum(mine.values()))
        self.assertEqual(by_type(report_calls(report)), got)
        self.assertIsNone(report["heap_by_function"]["malloc"]["max_ns"])

    def test_mappings(self):
        os.mkdir(self.path("into"))
        program = ("import ctypes, mmap; m = mmap.mmap(-1, 777 * 4096); m.close();"
                   "libc = ctypes.CDLL(None); libc.sbrk.restype = ctypes.c_void_p;"
                   "libc.sbrk.argtypes = [ctypes.c_long]; libc.sbrk(0x123000); print(libc.sbrk(0))")
        run = self.track("memtrack", "-o", self.path("into"), "--", "/usr/bin/python3", "-c", program)
        events = self.events_of_artifact()
        mapped = [e for e in events if e["type"] == "Mmap" and e["size"] == 777 * 4096]
        self.assertEqual(len(mapped), 1)
        unmapped = [e for e in events if e["type"] == "Munmap" and e["size"] == 777 * 4096]
        self.assertEqual([e["addr"] for e in unmapped], [mapped[0]["addr"]])
        self.assertIn(int(run.text), [e["addr"] for e in events if e["type"] == "Brk"])

    def test_no_event_is_an_artifact_too(self):
        """A reader finds one frame at least."""
        os.mkdir(self.path("into"))
        self.track("memtrack", "-o", self.path("into"), "--", "/bin/true")
        self.assertTrue(self.events_of_artifact())
        self.sooth("heap", self.path("into/" + self.artifact))

    def test_lines_are_read_back(self):
        self.track("memtrack", "--output", self.path("events"), "--", "/bin/ls", "/")
        mine = [e for e in self.read_events() if e["type"] not in MAPPINGS]
        report = last_json(self.sooth("heap", "-j", self.path("events")).text)
        self.assertEqual(one(report["heap_totals"])["calls"], len(mine))
        self.assertEqual(by_type(report_calls(report)), events_by_type(mine))

    def test_status(self):
        out = self.path("events")
        self.track("memtrack", "/bin/sh", "-c", "exit 7", "--output", out, status=7)
        self.track("memtrack", "/nonexistent/command", "--output", out, status=127)

    def test_a_line_is_run_by_bash(self):
        if not os.path.exists("/bin/bash"):
            self.skipTest("no bash here")
        run = self.track("memtrack", "[[ a == a ]] && echo {1..3}", "--output", self.path("events"))
        self.assertEqual(run.text, "1 2 3\n")

    def test_nothing_to_be_seen(self):
        program = self.path("stripped")
        subprocess.run(["strip", "-o", program, self.program("heap-plain-static")], check=True)
        run = self.track("memtrack", program, "--output", self.path("events"))
        self.assertIn("allocations are not measured: a program without allocator symbols", run.errors)
        self.assertNotIn("0B", run.errors)

    def test_loss_is_a_failure(self):
        """Without the right to pause it, a command runs on while sooth does not read."""
        command, _ = self.command_of(GLIBC, "heap_storm", "--pairs", "1000000", "--threads", "1")
        sooth = self.start(harness.have("setpriv"), "--bounding-set", "-sys_ptrace", "--inh-caps",
            "-sys_ptrace", self.named("memtrack"), "track", "-o", self.path("events"), "--",
            *command, "--truth", self.path("truth"))
        harness.wait_until(lambda: os.path.exists(self.path("events")) and
                           os.path.getsize(self.path("events")) > 100000, "the first events")
        os.kill(sooth.pid, signal.SIGSTOP)
        try:
            harness.wait_until(lambda: os.path.exists(self.path("truth")), "the storm to end")
        finally:
            os.kill(sooth.pid, signal.SIGCONT)
        run = sooth.finish()
        self.assertEqual(run.status, 1, run)
        self.assertRegex(run.errors, r"LOST [0-9]+; not exact: ")


class Channels:
    """The other end of --ipc-server: what ipc-channel 0.20 sends and expects for the commands of memtrack."""

    def __init__(self, case):
        self.name = case.path("ipc-socket")
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        case.addCleanup(self.server.close)
        self.server.bind(self.name)
        self.server.listen(1)
        self.server.settimeout(harness.PATIENCE_S)

    def accept(self):
        """The sender that memtrack sends: a number, which names the one descriptor."""
        connection, _ = self.server.accept()
        with connection:
            data, descriptors, _, _ = socket.recv_fds(connection, 4096, 8)
        assert (data, len(descriptors)) == (struct.pack("<QQ", 8, 0), 1), (data, descriptors)
        self.sender = socket.socket(fileno=descriptors[0])

    def command(self, number):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            socket.send_fds(self.sender, [struct.pack("<QIQ", 12, number, 0)], [theirs.fileno()])
            theirs.close()
            ours.settimeout(harness.PATIENCE_S)
            size, answer = struct.unpack("<QI", ours.recv(4096))
        assert size == 4, size
        return answer


@needs_bpf
class IpcServer(HeapCase):
    named, track = Memtrack.named, Memtrack.track

    def test_enabled_and_disabled(self):
        """Nothing is recorded until it is enabled, and while it is disabled."""
        text = ("import ctypes, sys\nlibc = ctypes.CDLL(None)\nprint('ready', flush=True)\n"
                "for line in sys.stdin:\n    libc.malloc(int(line))\n    print('done', flush=True)\n")
        channels = Channels(self)
        run = self.start(self.named("memtrack"), "track", "--output", self.path("events"), "--ipc-server",
                         channels.name, "--", sys.executable, "-c", text)
        channels.accept()
        run.wait_for_output(b"ready\n")
        steps = 0

        def allocate(size):
            nonlocal steps
            steps += 1
            run.say(b"%d\n" % size)
            harness.wait_until(lambda: bytes(run.out).count(b"done\n") == steps, "the call")
        self.assertEqual(channels.command(2), 0)  # ping
        allocate(300001)
        self.assertEqual(channels.command(0), 0)  # enable
        allocate(300002)
        self.assertEqual(channels.command(1), 0)  # disable
        allocate(300003)
        self.assertEqual(channels.command(7), 1)
        self.assertEqual(channels.command(0), 0)
        allocate(300004)
        channels.sender.close()
        allocate(300005)
        run.close_stdin()
        self.assertEqual(run.finish().status, 0, bytes(run.err))
        sizes = [event["size"] for event in self.read_events() if 300000 < event.get("size", 0) < 300006]
        self.assertEqual(sizes, [300002, 300004, 300005])

    def test_without_a_server(self):
        run = self.track("memtrack", "--ipc-server", self.path("missing"), "true", status=None)
        self.assertEqual(run.status, 4)
        self.assertIn("No such file", run.errors)


if __name__ == "__main__":
    harness.main()
