# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth api` against the log of the server: a client of our own in each way that a call can end, and
real agents, plain and over TLS. What is planted in paths, headers and bodies is in no output.
"""
import json
import os
import socket
import sys
import time
import unittest

import harness
from harness import Case, needs_bpf

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import fake_api, known, modes, tls
from agents.agent import Agent, reason_to_skip, require_native
import api_truth

PLANTED = "sk-ant-api03-" + "Zq7" * 20
BODY = '{"stream": true, "tools": [{"name": "Bash"}], "messages": [{"role": "user", "content": [{"type": "text", "text": "%s"}]}]}' % PLANTED
HEADERS = {"x-api-key": PLANTED, "authorization": "Bearer " + PLANTED}
# argv: port, certificate or "", then what to do with each call: read it, or close after so many
# seconds; "new": on a connection of its own.
CLIENT = """
import http.client, json, ssl, sys, time
port, ca, body, headers = int(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
def connect():
    if not ca:
        return http.client.HTTPConnection("127.0.0.1", port)
    context = ssl.create_default_context(cafile=ca)
    return http.client.HTTPSConnection("127.0.0.1", port, context=context)
c = None
for line in sys.stdin:
    words = line.split()
    if c is None or "new" in words:
        c = connect()
    try:
        c.request("POST", "/v1/messages?beta=%s" % headers["x-api-key"], body, headers)
        if "close" in words:
            time.sleep(0.3)
            c.close()
            c = None
        else:
            c.getresponse().read()
    except (OSError, http.client.HTTPException):
        c = None
    print("done", flush=True)
"""
# The mode of the server, and what the client does.
CALLS = ((modes.ANSWER, "new"), (modes.ANSWER, ""), (modes.ANSWER, ""), (modes.LIMITED, "new"),
         (modes.OVERLOADED, ""), (modes.RESET, "new"), (modes.RESET, "new"), (modes.ANSWER, "new"),
         (modes.NO_HEADERS, "new close"), (modes.SLOW, "new close"), (modes.ANSWER, "new"))


EVERY_MODE = (modes.ANSWER, modes.SLOW, modes.STALL, modes.NO_HEADERS, modes.LIMITED, modes.RESET,
              modes.TOOL, modes.TOOL_LOOP)


def listening():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    return s


NAMED = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain, \\
        context.wrap_socket(plain, server_hostname="build-7.corp.test") as connection:
    connection.sendall(b"GET /nothing HTTP/1.1\\r\\nHost: build-7.corp.test\\r\\nConnection: close\\r\\n\\r\\n")
    while connection.recv(65536):
        pass
"""


class ApiCase(Case):
    def rows(self, capture, *options):
        lines = self.sooth("api", "-j", *options, capture).lines()
        return [line for line in lines if line["type"] == "api_call"]

    def check(self, table, name):
        print("   ", table.line(name), file=sys.stderr)
        self.assertEqual(api_truth.problems(table), [], name)

    def assert_nothing_planted(self, *paths):
        for path in paths:
            self.assertNotIn(PLANTED.encode()[16:40], harness.read(path), path)


@needs_bpf
class OwnClient(ApiCase):
    def serve(self, is_tls):
        self.authority = tls.Authority(self.path("authority")) if is_tls else None
        self.server = fake_api.Server(listening(), words_per_s=5,
                                      tls=self.authority and self.authority.context).serve()
        self.addCleanup(self.server.close)

    def ask_all(self, client):
        for number, (mode, words) in enumerate(CALLS):
            self.server.mode = mode
            client.say((words + "\n").encode())
            client.wait_for_output(b"done\n" * (number + 1))

    def observe(self):
        ca = self.authority.environment["SSL_CERT_FILE"] if self.authority else ""
        client = self.start_sooth("api", "--events", "-o", self.path("live"), "--save",
                                  self.path("api.sooth"), "--", sys.executable, "-c", CLIENT,
                                  self.server.url.rpartition(":")[2], ca, BODY,
                                  json.dumps(HEADERS))
        self.ask_all(client)
        client.close_stdin()
        client.finish()
        self.server.mode = modes.ANSWER
        harness.wait_until(lambda: all(one.state not in ("held", "asked")
                                       for one in self.server.requests()), lambda: "the server: %s" %
                           self.server.requests(), timeout=10)

    def check_all(self, is_tls):
        self.serve(is_tls)
        self.observe()
        rows = self.rows(self.path("api.sooth"))
        self.check(api_truth.compare(rows, self.server.requests(), is_tls),
                   "own client, %s" % ("TLS" if is_tls else "plain"))
        self.assertEqual([row["number"] for row in rows[:3]], [1, 2, 3])
        self.assert_nothing_planted(self.path("live"))
        events = self.rows(self.path("api.sooth"), "--events")
        self.assertEqual(sum(row["event"] == "request" for row in events), len(CALLS))
        return rows

    def test_plain(self):
        rows = self.check_all(False)
        self.assertEqual([row["http_status"] for row in rows if row["outcome"] == "refused"], [429, 529])
        self.assertEqual({row["path"] for row in rows}, {"/v1/messages"})
        # The two resets and the refusals before them are attempts at one and the same.
        self.assertEqual([row["attempt"] for row in rows], [1, 1, 1, 1, 2, 3, 4, 5, 1, 2, 3])
        fifth = rows[7]
        self.assertAlmostEqual(fifth["time_ns"] - fifth["since_first_ns"], rows[3]["begin_ns"],
                               delta=1000)
        # An answer ends with its last byte, not with what came after it.
        for row in rows[4:7]:
            if row["outcome"] == "refused":
                self.assertEqual(row["since_first_ns"], row["begin_ns"] + row["total_ns"] - rows[3]["begin_ns"])

    def test_over_tls(self):
        rows = self.check_all(True)
        self.assertEqual({row["protocol"] for row in rows}, {"TLS"})

    def test_the_name_of_a_server_is_replaced(self):
        self.serve(True)
        self.sooth("api", "--save", self.path("named.sooth"), "--", sys.executable, "-c", NAMED,
                   self.server.url.rpartition(":")[2])
        row = self.rows(self.path("named.sooth"))[0]
        self.assertEqual(row["endpoint"], "build-7.corp.test")
        text = self.sooth("api", "--format", "redacted", self.path("named.sooth")).text
        self.assertEqual(json.loads(text)["api_call"][0]["endpoint"], "server-1")
        for name in ("build-7", "corp.test"):
            self.assertNotIn(name, text)

    def test_nothing_planted_is_in_a_capture(self):
        self.serve(False)
        self.observe()
        text = self.sooth("trace", self.path("api.sooth")).out
        self.assertNotIn(PLANTED.encode()[16:40], text)
        # Blocks are compressed: as tables all that is in them is looked at.
        out = self.path("tables")
        self.sooth("export", "--format", "sqlite", "-o", out, self.path("api.sooth"))
        self.assert_nothing_planted(out)


@needs_bpf
class Agents(ApiCase):
    """One after the other, each whole from its start to its end."""

    def run_agent(self, agent, mode, is_tls, patience_s=30):
        name = "%s %s %s" % (agent.name, mode, "TLS" if is_tls else "plain")
        capture = self.path("agent.sooth")
        with Agent(agent, mode=mode, over_tls=is_tls,
                   before=[harness.SOOTH, "api", "-d", str(patience_s), "-o", self.path("live"),
                           "--save", capture, "--"]) as running:
            running.wait_until_in_mode()
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline and running.child.poll() is None:
                time.sleep(0.1)
            exchanges = running.requests()
            stop_ns = time.monotonic_ns()
            if running.child.poll() is None:
                os.kill(running.child.pid, 2)
                running.child.wait(30)
        rows = [row for row in self.rows(capture) if row["begin_ns"] < stop_ns]
        if any(not row["is_exact"] for row in rows):
            return self.check_uncertain(rows, exchanges, name)
        return self.check(api_truth.compare(rows, exchanges, is_tls), name)

    def check_uncertain(self, rows, exchanges, name):
        """HTTP/2 was offered: the bytes of the connections are those of all calls."""
        sent = sum(row["sent_bytes"] for row in rows)
        received = sum(exchange.received for exchange in exchanges)
        print("    %-34s %d connections for %d calls, %d of %d bytes" % (
            name, len(rows), len(exchanges), sent, received), file=sys.stderr)
        self.assertGreaterEqual(sent, received)
        self.assertLessEqual(len(rows), len(exchanges))

    def check_agent(self, agent, *cases):
        reason = require_native() if agent is known.CLAUDE_CODE else reason_to_skip(agent)
        if reason:
            self.skipTest(reason)
        for mode, is_tls in cases:
            with self.subTest(mode=mode, is_tls=is_tls):
                self.run_agent(agent, mode, is_tls)

    def test_claude_code(self):
        self.check_agent(known.CLAUDE_CODE, (modes.TOOL_LOOP, False), (modes.ANSWER, True))

    @unittest.skipUnless(harness.IS_LONG, "script/test --long")
    def test_all_agents(self):
        for agent in (known.CLAUDE_CODE, known.CLAUDE_CODE_NODE, known.CODEX, known.OPENCODE,
                      known.GEMINI):
            # Codex ends at its first refusals.
            some = EVERY_MODE if agent is not known.CODEX else [
                mode for mode in EVERY_MODE if mode != modes.LIMITED]
            with self.subTest(agent=agent.name):
                self.check_agent(agent, *((mode, is_tls) for is_tls in (False, True)
                                          for mode in some))


if __name__ == "__main__":
    harness.main()
