# SPDX-License-Identifier: BSD-2-Clause
"""
A fake Anthropic Messages endpoint: whatever it is asked, it gives one short answer, as a stream of
server-sent events or, where none was asked for, as one object. Anything else is not found, which
also a HEAD of the root takes for an answer. It keeps what was asked for, never a header.
"""
import http.server
import json
import threading

ANSWER = "The fake answer is 4242."
MESSAGES = "/v1/messages"
MESSAGE = {
    "id": "msg_fake", "type": "message", "role": "assistant", "model": "fake", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
}


def answer_events():
    """(name, data) of each event, in their order."""
    yield "message_start", {"message": MESSAGE}
    yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
    for word in ANSWER.split():
        end = "" if ANSWER.endswith(word) else " "
        yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta",
                                                            "text": word + end}}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None},
                            "usage": {"output_tokens": len(ANSWER.split())}}
    yield "message_stop", {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Standard error belongs to the agent."""

    def note(self, request=None):
        asked = {"method": self.command, "path": self.path,
                 "stream": bool((request or {}).get("stream"))}
        with self.server.lock:
            self.server.requests.append(asked)

    def not_found(self):
        self.note()
        self.read_body()
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = not_found

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_POST(self):
        if self.path.split("?")[0] != MESSAGES:
            self.not_found()
            return
        request = json.loads(self.read_body())
        self.note(request)
        if request.get("stream"):
            self.send_stream()
        else:
            self.send_whole()

    def send_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for name, data in answer_events():
            text = "event: %s\ndata: %s\n\n" % (name, json.dumps({"type": name, **data}))
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text.encode()))
        self.wfile.write(b"0\r\n\r\n")

    def send_whole(self):
        whole = {**MESSAGE, "content": [{"type": "text", "text": ANSWER}],
                 "stop_reason": "end_turn"}
        body = json.dumps(whole).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock, self.requests = threading.Lock(), []

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_address[1]

    def handle_error(self, *_):
        """An agent that closes its connection early is not a fault of ours."""

    def serve(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def requests_seen(self):
        with self.lock:
            return list(self.requests)
