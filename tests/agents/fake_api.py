# SPDX-License-Identifier: BSD-2-Clause
"""
A server that stands in for those of the agents, on loopback. How it treats a conversation is its
mode, which may change at any moment: an answer that is held back then goes on to its end. It keeps
what was asked for and how far the answer came, never a header and never what was said.
"""
import dataclasses
import http.server
import json
import os
import select
import socket
import ssl
import struct
import threading
import time

from agents import modes, protocols

ANSWER = "The fake answer is 4242."
WORDS_BEFORE_STALL = 3
LOOK_S = 0.05  # how often a held answer looks whether it is still wanted
CLOCKS_NS = 20_000  # between two readings that belong together
SO_TIMESTAMPNS = 35  # of linux/socket.h, also the type of the message


@dataclasses.dataclass
class Exchange:
    """A request and what became of it."""
    method: str
    path: str
    begin_ns: int  # CLOCK_MONOTONIC
    changed_ns: int = 0  # when it was asked, held, sent a word or ended
    is_stream: bool = False
    mode: str = ""  # by which it is answered
    tools: tuple = ()  # that the model may call; none: not of the conversation
    is_result: bool = False  # it brings what a tool gave
    waits_on: tuple = ()  # the call that waits for a command which goes on; none: it has ended
    words: int = 0  # sent so far
    received: int = 0  # bytes of the request, its head too
    sent: int = 0  # bytes of the answer
    writes: int = 0
    first_ns: int = 0  # before its first write, before and after its last; CLOCK_MONOTONIC
    last_begin_ns: int = 0
    last_ns: int = 0
    port: int = 0  # of the client
    status: int = 0
    state: str = "asked"  # then held, answered, refused or gone: the agent closed the connection


class Gone(Exception):
    """Whoever asked does not listen any more."""


def realtime_offset_ns():
    """CLOCK_MONOTONIC less the time of day; a server that loses its processor between both reads them again."""
    best_ns, offset_ns = None, 0
    for _ in range(8):
        before_ns = time.monotonic_ns()
        utc_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        if best_ns is None or after_ns - before_ns < best_ns:
            best_ns, offset_ns = after_ns - before_ns, before_ns - utc_ns
        if best_ns < CLOCKS_NS:
            break
    return offset_ns


def arrival_ns(connection):
    """
    When the first byte that waits in the connection reached the kernel (CLOCK_MONOTONIC); waits for one.
    0: unknown. A server that waits for a processor reads it later.
    """
    _, messages, _, _ = socket.socket.recvmsg(connection, 1, 64, socket.MSG_PEEK)
    for level, kind, data in messages:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, ns = struct.unpack("qq", data[:16])
            return seconds * 1_000_000_000 + ns + realtime_offset_ns()
    return 0


class Counted:
    """A file of the connection: how many bytes went through it, and when, in the exchange at hand."""

    def __init__(self, file):
        self.file, self.read_bytes, self.begin_ns, self.exchange = file, 0, 0, None

    def __getattr__(self, name):
        return getattr(self.file, name)

    def _count(self, data):
        self.begin_ns = self.begin_ns or time.monotonic_ns()
        self.read_bytes += len(data)
        if self.exchange:
            self.exchange.received += len(data)
        return data

    def readline(self, *size):
        return self._count(self.file.readline(*size))

    def read(self, *size):
        return self._count(self.file.read(*size))

    def write(self, data):
        before_ns = time.monotonic_ns()
        written = self.file.write(data)
        if self.exchange:
            self.exchange.first_ns = self.exchange.first_ns or before_ns
            self.exchange.last_begin_ns, self.exchange.last_ns = before_ns, time.monotonic_ns()
            self.exchange.sent += len(data)
            self.exchange.writes += 1
        return written


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # what is written leaves at once, so that its time is right

    def log_message(self, *_):
        """Standard error belongs to the test."""

    def setup(self):
        super().setup()
        self.is_tls = isinstance(self.connection, ssl.SSLSocket)
        if self.is_tls:
            self.connection.do_handshake()
        self.rfile, self.wfile = Counted(self.rfile), Counted(self.wfile)

    def handle_one_request(self):
        self.rfile.read_bytes, self.rfile.begin_ns = 0, 0
        if not self.is_tls or not self.connection.pending():
            self.rfile.begin_ns = arrival_ns(self.connection)
        self.rfile.exchange = self.wfile.exchange = None
        super().handle_one_request()

    def send_response(self, code, message=None):
        if self.wfile.exchange:
            self.wfile.exchange.status = code
        super().send_response(code, message)

    # --- asked ---

    def read_body(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return json.loads(body)
        except ValueError:
            return {}

    def begin(self):
        self.exchange = Exchange(self.command, self.path, self.rfile.begin_ns,
                                 received=self.rfile.read_bytes, port=self.client_address[1])
        self.rfile.exchange = self.wfile.exchange = self.exchange
        self.server.note(self.exchange)
        return self.read_body()

    def not_found(self):
        self.begin()
        self.send_json(404, {})
        self.become("answered")

    do_HEAD = do_GET = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = not_found

    def do_POST(self):
        path = self.path.split("?")[0]
        protocol, only_count = protocols.of_path(path)
        if not protocol:
            self.not_found()
            return
        request, exchange = self.begin(), self.exchange
        try:
            if only_count:
                self.send_json(200, protocol.counted())
            else:
                exchange.is_stream = protocol.wants_stream(path, request)
                exchange.tools = tuple(protocol.tools(request))
                exchange.is_result = protocol.has_result(request)
                exchange.waits_on = exchange.is_result and protocol.waits_on(request) or ()
                exchange.mode = self.server.mode if exchange.tools else modes.ANSWER
                self.conduct(protocol, exchange)
            if exchange.state == "asked":
                self.become("answered")
        except (Gone, OSError):
            self.become("gone")
            self.close_connection = True

    def become(self, state):
        self.exchange.state, self.exchange.changed_ns = state, time.monotonic_ns()

    # --- answered ---

    def conduct(self, protocol, exchange):
        if exchange.mode in modes.REFUSALS:
            status = modes.REFUSALS[exchange.mode]
            self.send_json(status, protocol.refusal(status))
            self.become("refused")
        elif exchange.mode == modes.RESET:
            self.reset()
            self.become("refused")
        elif exchange.mode == modes.NO_HEADERS:
            self.hold()
            self.send_answer(protocol, self.words())
        elif exchange.mode == modes.TOOL_LOOP or (
                exchange.mode in modes.ONE_CALL and not exchange.is_result):
            self.send_call(protocol, self.server.tool_call(exchange.mode))
        elif exchange.mode in modes.ONE_CALL and exchange.waits_on:
            self.send_call(protocol, exchange.waits_on)
        else:
            self.send_answer(protocol, self.words())

    def words(self):
        """The answer, word by word, each when it is due."""
        for number, word in enumerate(self.all_words()):
            if self.exchange.mode == modes.STALL and number >= WORDS_BEFORE_STALL:
                self.hold()
            yield word
            self.exchange.words += 1
            self.become("asked")

    def all_words(self):
        text = ANSWER.split(" ")
        yield text[0]
        number = 0
        while self.exchange.mode == modes.SLOW:
            self.wait(1 / self.server.words_per_s)
            self.exchange.mode = self.server.mode
            number += 1
            yield " %d" % number  # one agent ends an answer that repeats itself
        for word in text[1:]:
            yield " " + word

    def hold(self):
        """Until the mode is another, which then is that of this answer too."""
        self.become("held")
        while self.server.mode == self.exchange.mode:
            self.wait(LOOK_S)
        self.exchange.mode = self.server.mode
        self.become("asked")

    def wait(self, seconds):
        """An agent that closes its connection meanwhile is not answered."""
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP)
        if poll.poll(seconds * 1000) or self.server.is_closing:
            raise Gone()

    # --- sent ---

    def send_json(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_answer(self, protocol, words):
        if self.exchange.is_stream:
            self.send_stream(protocol.answer(words))
        else:
            self.send_json(200, protocol.whole("".join(words)))

    def send_call(self, protocol, call):
        self.wait(self.server.think_s)
        name, arguments = call
        number = self.server.next_number()
        if self.exchange.is_stream or not hasattr(protocol, "whole_call"):
            self.send_stream(protocol.call(number, name, arguments))
        else:
            self.send_json(200, protocol.whole_call(number, name, arguments))

    def send_stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in events:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        self.wfile.write(b"0\r\n\r\n")

    def reset(self):
        """Not the end of a stream but RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, listening, mode=modes.ANSWER, words_per_s=5, tool_call=None,
                 think_s=0, tls=None):
        """`listening`: a socket; `tool_call(mode)`: (name, arguments) of what the model calls;
        `think_s`: how long it takes to come to that; `tls`: an SSLContext."""
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        listening.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # connections have it from here
        self.words_per_s, self.tool_call, self.think_s = words_per_s, tool_call, think_s
        self.mode, self.is_closing, self.tls = mode, False, tls
        self.lock = threading.Lock()
        self.exchanges, self.number = [], 0

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http",
                                      self.socket.getsockname()[1])

    def get_request(self):
        """The handshake is the first read, in the thread of the connection."""
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True,
                                              do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, *_):
        """An agent that closes its connection early is not a fault of ours."""

    def serve(self):
        threading.Thread(target=self.serve_forever, args=(LOOK_S,), daemon=True).start()
        return self

    def close(self):
        self.is_closing = True
        self.shutdown()
        self.server_close()

    def note(self, exchange):
        with self.lock:
            self.exchanges.append(exchange)

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def requests(self):
        with self.lock:
            return [dataclasses.replace(exchange) for exchange in self.exchanges]
