# SPDX-License-Identifier: BSD-2-Clause
"""
Processes in time and network namespaces of their own, seen from the host and from inside, and a sooth
that runs in such a namespace.
"""
import os
import re
import sys
import unittest

import harness
from harness import Case, needs_root

PYTHON = os.path.realpath(sys.executable)
NEWTIME = 0x80
SLEEPS = "print('ready', flush=True); import time; time.sleep(3500)"
# Its children would be in the new namespace; it stays in the old one.
STAYS = """
import ctypes, time
if ctypes.CDLL(None).unshare(%d):
    raise OSError("unshare")
with open("/proc/self/timens_offsets", "w") as file:
    file.write("monotonic 864000 0\\nboottime 864000 0\\n")
print("ready", flush=True)
time.sleep(3500)
""" % NEWTIME
SPINS = "print('ready', flush=True)\nwhile True: pass"
LISTENS = """
import socket, time
server = socket.create_server(("127.0.0.1", 8077))
client = socket.create_connection(("127.0.0.1", 8077))
local = socket.socket(socket.AF_UNIX)
local.bind("\\0sooth-test-namespaces")
local.listen()
print("ready", client.getsockname()[1], flush=True)
time.sleep(3500)
"""


@needs_root
class TimeNamespaces(Case):
    OFFSETS = ("--monotonic", "864000", "--boottime", "1728000")

    def setUp(self):
        super().setUp()
        if self.run_program("unshare", "-T", *self.OFFSETS, "true", status=None).status:
            self.skipTest("no time namespaces can be made here")

    def inside(self, source):
        process = self.start("unshare", "-T", *self.OFFSETS, "--", PYTHON, "-c", source)
        process.wait_for_output(b"ready\n")
        return process

    def enter(self, process, *argv):
        return self.run_program("nsenter", "-T", "-t", str(process.pid), harness.SOOTH, *argv,
                                status=None)

    def assert_left(self, text):
        found = re.search(r"sleeps: (\d+) min left", text)
        self.assertTrue(found, text)
        self.assertIn(int(found.group(1)), range(40, 60), text)

    def test_deadline(self):
        sleeps, stays = self.inside(SLEEPS), self.start(PYTHON, "-c", STAYS)
        stays.wait_for_output(b"ready\n")
        host = self.start(PYTHON, "-c", SLEEPS)
        host.wait_for_output(b"ready\n")
        for seen in (sleeps, host):
            self.assert_left(self.sooth("why", str(seen.pid)).text)
            self.assert_left(self.enter(sleeps, "why", str(seen.pid)).text)
        self.assert_left(self.sooth("why", str(stays.pid)).text)

    def test_age_from_inside(self):
        sleeps = self.inside(SLEEPS)
        for run in (self.sooth("inspect", str(sleeps.pid)), self.enter(sleeps, "inspect", str(sleeps.pid))):
            self.assertRegex(run.text, r"started (\d+s|1m\d+s) ago", run)

    def test_sooth_inside(self):
        """BPF programs and perf have the clocks of the host."""
        spins = self.inside(SPINS)
        run = self.enter(spins, "trace", "-c", "-d", "200ms", "-p", str(spins.pid))
        self.assertIn("by samples: ", run.text)
        self.assertIn("nsenter --time=/proc/1/ns/time", run.text)
        run = self.enter(spins, "profile", "-d", "1s", "-p", str(spins.pid))
        self.assertRegex(run.text, r"(?m)^[1-9]\d* samples", run)


@needs_root
class NetworkNamespaces(Case):
    def test_sockets_among_descriptors(self):
        if self.run_program("unshare", "-n", "true", status=None).status:
            self.skipTest("no network namespaces can be made here")
        process = self.start("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                             PYTHON, "-c", LISTENS)
        process.wait_for_output(b"\n")
        port = int(process.out.split()[1])
        rows = self.sooth("inspect", "--fds", "-j", str(process.pid)).json()["fds"]
        details = {row["detail"] for row in rows if row["kind"] in ("tcp", "unix")}
        self.assertEqual(details, {
            "TCP 127.0.0.1:8077 (LISTEN)",
            "TCP 127.0.0.1:%d->127.0.0.1:8077 (ESTABLISHED)" % port,
            "UNIX-STREAM @sooth-test-namespaces (LISTEN)"})


if __name__ == "__main__":
    harness.main()
