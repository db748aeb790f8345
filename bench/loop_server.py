# SPDX-License-Identifier: BSD-2-Clause
"""
An MCP server of bench/loops that behaves in one way, on its standard streams or, with a port, over HTTP on loopback.

    python3 loop_server.py NAME WAY [PORT]

The ways: fine; mute (never answers); no-initialize (the same, but it answers a ping); never (no answer to a call); errors;
some-errors (one of five); words (other text on its output); warns (text on its error output); slow (6 s a call); long (24 s);
broken (HTTP 500); ends (at once)."""
import http.server
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests/agents"))
import mcp_server

TAKES_S = {"slow": 6, "long": 24}


class Server:
    def __init__(self, name, way):
        self.name, self.way, self.calls = name, way, 0

    def call(self, number):
        time.sleep(TAKES_S.get(self.way, 0))
        if self.way == "never":
            time.sleep(3600)
        is_error = self.way == "errors" or (self.way == "some-errors" and number % 5 == 3)
        text = "the server cannot reach its database" if is_error else "entry %d" % number
        return {"content": [{"type": "text", "text": text}], "isError": is_error}

    def answer(self, message):
        """None: there is none."""
        method = message.get("method", "")
        if self.way == "mute" or (self.way == "no-initialize" and method == "initialize"):
            time.sleep(3600)
        if "id" not in message or not method:
            return None
        if method == "tools/call":
            self.calls += 1
            result = self.call(self.calls)
        else:
            result = mcp_server.result_of(self.name, message)
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def serve_streams(server):
    if server.way == "ends":
        sys.exit("cannot find its settings")
    if server.way == "words":
        print("Server starts on its standard streams ...", flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        if server.way == "words":
            print("DEBUG a message: %s" % message.get("method"), flush=True)
        if server.way == "warns":
            print("a message: %s" % message.get("method"), file=sys.stderr, flush=True)
        answer = server.answer(message)
        if answer:
            print(json.dumps(answer), flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing reads it."""

    def send(self, status, value=None):
        body = json.dumps(value).encode() if value else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send(405)

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_broken = self.server.of.way == "broken" and message.get("method") == "tools/call"
        if is_broken:
            self.send(500)
            return
        answer = self.server.of.answer(message)
        self.send(200 if answer else 202, answer)


def main():
    server = Server(*sys.argv[1:3])
    if len(sys.argv) < 4:
        serve_streams(server)
        return
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler)
    listening.of = server
    print("ready", flush=True)
    listening.serve_forever()


if __name__ == "__main__":
    main()
