# SPDX-License-Identifier: BSD-2-Clause
"""A program that controls a run or a monitor through its socket."""
import json
import socket

import harness


class Client:
    def __init__(self, case, path):
        self.socket = socket.socket(socket.AF_UNIX)
        case.addCleanup(self.socket.close)
        self.socket.settimeout(harness.PATIENCE_S)
        # Its file is there a moment before anything can connect.
        harness.wait_until(lambda: self.socket.connect_ex(path) == 0, "the socket")
        self.lines = self.socket.makefile("rb")
        case.addCleanup(self.lines.close)

    def ask(self, request):
        self.socket.sendall(request.encode() + b"\n")
        return json.loads(self.lines.readline())
