# SPDX-License-Identifier: BSD-2-Clause
"""A client of `sooth mcp` that sends raw lines, and sees which children the server has."""
import contextlib
import json
import os

import harness
from harness import wait_until

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")
TOOLS = {"agents", "why", "diagnose", "stack", "calls", "timeline", "leftovers"}
ANSWER_MAX = 3700  # 3,600, and what is said of a call that was ended


def children_of(pid):
    with contextlib.suppress(OSError):
        return [int(word) for word in harness.read("/proc/%d/task/%d/children" % (pid, pid)).split()]
    return []


def descendants_of(pid):
    children = children_of(pid)
    return children + [one for child in children for one in descendants_of(child)]


def has_ended(pid):
    return harness.process_state(pid) in (None, "Z")


class Client:
    def __init__(self, case, program=None, words=("mcp",), **options):
        self.process = case.start(program or harness.SOOTH, *words, **options)
        self.pid, self.number, self.read_bytes = self.process.pid, 0, 0

    def send(self, message):
        """A dict, or a line as it is."""
        line = json.dumps(message).encode() if isinstance(message, dict) else message
        self.process.say(line + b"\n")

    def replies(self, count):
        """The next ones, in the order in which they come."""
        def lines():
            new = bytes(self.process.out[self.read_bytes:]).split(b"\n")[:-1]
            return new if len(new) >= count else None
        wait_until(lambda: lines() is not None or not self.process.is_running(), "%d replies" % count)
        new = (lines() or [])[:count]
        assert len(new) == count, "the server has ended: %r" % bytes(self.process.err)
        self.read_bytes += sum(len(line) + 1 for line in new)
        found = [harness.parse_json(line) for line in new]
        assert all(reply["jsonrpc"] == "2.0" for reply in found), found
        return found

    def reply(self):
        return self.replies(1)[0]

    def start_request(self, method, params=None):
        self.number += 1
        more = {} if params is None else {"params": params}
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, **more})
        return self.number

    def request(self, method, params=None):
        number, reply = self.start_request(method, params), self.reply()
        assert reply["id"] == number, reply
        return reply

    def initialize(self, version=VERSIONS[0]):
        reply = self.request("initialize", {"protocolVersion": version, "capabilities": {},
                                            "clientInfo": {"name": "test", "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return reply["result"]

    def start_call(self, name, **arguments):
        return self.start_request("tools/call", {"name": name, "arguments": arguments})

    def call(self, name, **arguments):
        """(text, is_error)"""
        return text_of(self.request("tools/call", {"name": name, "arguments": arguments}))

    def started_child(self):
        """The process of a call, once it is sooth."""
        wait_until(lambda: any(harness.read("/proc/%d/comm" % child) == b"exe\n"
                               for child in children_of(self.pid)), "a call to start")
        return children_of(self.pid)[0]

    def resident_kb(self):
        status = harness.read("/proc/%d/status" % self.pid).decode()
        return int(status.split("VmRSS:")[1].split()[0])

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))


def text_of(reply):
    content = reply["result"]["content"]
    assert len(content) == 1 and content[0]["type"] == "text", reply
    text = content[0]["text"]
    assert len(text.encode()) <= ANSWER_MAX, text
    return text, reply["result"]["isError"]
