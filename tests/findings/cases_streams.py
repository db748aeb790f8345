# SPDX-License-Identifier: BSD-2-Clause
"""
stream-stalled on loopback. Times are short here, so that a case takes seconds: what is asked waits
for longer than `silence` before it is judged, and what moves does so ten times as often.
"""
import os
import shutil
import subprocess

from case import healthy, sick

# A client and its server, in processes of their own: either may be the one that is judged. The
# client says "ready" once it has stayed as it is for so many seconds.
START = """
import ctypes, os, socket, ssl, struct, sys, threading, time
host, port, stay, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
folder = sys.argv[5]
is_tls = os.path.exists(folder + "/key.pem") and sys.argv[6] == "tls"
def later():
    time.sleep(stay)
    print("ready", flush=True)
def stay_so():
    later()
    time.sleep(600)
"""

SERVER = START + """
class Drop(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("program", ctypes.c_char_p)]
def make_deaf(c):
    # A filter that lets nothing in: the path is dead from here on.
    program = struct.pack("HBBI", 6, 0, 0, 0)
    c.setsockopt(socket.SOL_SOCKET, 26, bytes(Drop(1, program)))
family = socket.AF_INET6 if ":" in host else socket.AF_INET
listener = socket.create_server((host, 0), family=family, backlog=64)
print("port %d." % listener.getsockname()[1], flush=True)
def answer(c, order):
    if order == b"a":    # at once
        c.sendall(b"x" * 2000)
    elif order == b"d":  # at once, and then it is deaf
        c.sendall(b"x" * 2000)
        make_deaf(c)
    elif order == b"l":  # late
        time.sleep(pause)
        c.sendall(b"x" * 2000)
    elif order == b"t":  # word by word, for ever
        while True:
            c.sendall(b"word ")
            time.sleep(pause)
    elif order == b"e":  # endless
        while True: c.sendall(b"x" * 65536)
    elif order == b"b":  # a lot, and then it listens on
        c.sendall(b"x" * 1500000)
    elif order == b"n":  # nothing, nor is anything read
        time.sleep(600)
    elif order == b"r":  # nothing, but it reads, slowly
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        while c.recv(65536): time.sleep(pause)
def serve(c):
    if is_tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        c = context.wrap_socket(c, server_side=True)
    while True:
        order = c.recv(1)
        if not order: return
        answer(c, order)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

CLIENT = START + """
def connect():
    c = socket.create_connection((host, port))
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not is_tls:
        return c
    context = ssl.create_default_context(cafile=folder + "/cert.pem")
    context.check_hostname = False
    return context.wrap_socket(c)
def ask(c, order, size=2000):
    c.sendall(order)
    while size: size -= len(c.recv(size))
c = connect()
"""

# --- sick ---

FIRST = CLIENT + "c.sendall(b'n'); stay_so()"
SECOND = CLIENT + "ask(c, b'a'); time.sleep(pause); c.sendall(b'n'); stay_so()"
AMONG_OTHERS = CLIENT + """
others = [connect() for _ in range(5)]
for o in others: ask(o, b'a')
ask(c, b'a'); time.sleep(pause); c.sendall(b'n'); stay_so()
"""
DEAD = CLIENT + "ask(c, b'd'); time.sleep(pause); c.sendall(b'a'); stay_so()"
UNREAD = CLIENT + "c.sendall(b'e'); c.recv(1000); stay_so()"
UNTAKEN = CLIENT + """
c.sendall(b"n")
c.setblocking(False)
try:
    while True: c.send(b"x" * 65536)
except BlockingIOError:
    pass
stay_so()
"""

# Threads that sit in recv: the request follows the last answer at once, or the answer stops.
BLOCKED = CLIENT + """
ask(c, b'a'); c.sendall(b'n')
threading.Thread(target=later, daemon=True).start()
c.recv(1000)
"""
HALF = CLIENT + """
c.sendall(b'a')
threading.Thread(target=later, daemon=True).start()
while c.recv(1000): pass
"""
# A name server that does not answer: the server's port takes no datagrams.
LOOKUP = START + """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.9.9.9", 53)); s.send(b"which?")
threading.Thread(target=later, daemon=True).start()
s.settimeout(%s)
s.recv(100)
"""
DEAF = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.9.9.9", 53)); print("ready", flush=True); time.sleep(600)
"""

# --- healthy ---

POOL = CLIENT + """
pool = [c] + [connect() for _ in range(8)]
for one in pool:
    for _ in range(3): ask(one, b'a')
stay_so()
"""
TRICKLE = CLIENT + """
c.sendall(b't')
threading.Thread(target=later, daemon=True).start()
while c.recv(1000): pass
"""
SLOW_READER = CLIENT + """
c.sendall(b'%s')
threading.Thread(target=later, daemon=True).start()
while c.recv(4096 if '%s' == 'b' else 65536): time.sleep(pause)
time.sleep(600)
"""
UPLOAD = CLIENT + """
c.sendall(b'r')
threading.Thread(target=later, daemon=True).start()
while True: c.sendall(b'x' * 65536)
"""
# As HTTP/2 does: what came is acknowledged, and nobody answers that.
ACKNOWLEDGED = CLIENT + """
def acknowledged(c):
    ask(c, b'a')
    c.sendall(b'n' * 9)
pool = [c] + [connect() for _ in range(3)]
for one in pool: acknowledged(one)
stay_so()
"""
SLOW_ANSWERS = CLIENT + """
threading.Thread(target=later, daemon=True).start()
while True: ask(c, b'l')
"""
SILENT = CLIENT + "c.recv(0); stay_so()"
CLIENTS_OF = CLIENT + """
pool = [c] + [connect() for _ in range(8)]
for one in pool: ask(one, b'a')
print('ready', flush=True)
time.sleep(600)
"""


def streams(program, stay=(2.2, 3.0), pause=(0.25, 0.6), tls=False, judged="client"):
    def make(scope, rng):
        host = rng.choice(("127.0.0.1", "127.0.0.1", "::1"))
        options = [str(rng.uniform(*stay)), str(rng.uniform(*pause)), str(scope.path),
            "tls" if tls else "plain"]
        if tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-keyout", "key.pem", "-out", "cert.pem"], cwd=scope.path, check=True,
                capture_output=True)
        server = scope.python(SERVER, host, "0", *options, ready=b".")
        port = bytes(server.out).decode().split()[1].rstrip(".")
        client = scope.python(program, host, port, *options)
        return client.pid if judged == "client" else server.pid
    return make


# A client of a protocol in which the server speaks first; the server waits for its client, or greets it soon.
FIRST = """
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
if not os.fork():
    one = server.accept()[0]
    while sys.argv[1] == "greets":
        time.sleep(0.3)
        one.send(b"220 ready\\r\\n")
    one.recv(100)
    os._exit(0)
client = socket.create_connection(server.getsockname())
print("ready", flush=True)
while client.recv(100):
    pass
"""


def looks_up(scope, rng):
    scope.python(DEAF)
    return scope.python(LOOKUP % rng.choice(("None", "30")), "127.0.0.1", "0",
        str(rng.uniform(2.2, 3.0)), "0", str(scope.path), "plain").pid


# A server with one thread, and clients of it that have all sent something.
ONE_BY_ONE = """
import socket, sys, time
kind = sys.argv[1]
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print("port %d." % listener.getsockname()[1], flush=True)
if kind == "computes":
    c = listener.accept()[0]
    while True: sum(range(100000))
while True:
    c = listener.accept()[0]; c.recv(100); time.sleep(float(sys.argv[2])); c.close()
"""
MANY = """
import socket, sys, time
all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
for c in all: c.sendall(b"hello")
print("ready", flush=True)
time.sleep(600)
"""


def serves(kind):
    def make(scope, rng):
        server = scope.python(ONE_BY_ONE, kind, str(rng.uniform(0.05, 0.2)), ready=b".")
        port = bytes(server.out).decode().split()[1].rstrip(".")
        scope.python(MANY, port, str(rng.randint(20, 40)))
        return server.pid
    return make


# Each request takes one of three connections and gives it back, or does not; or waits for news.
POOLED = """
import queue, sys, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
kind = sys.argv[1]
pool, news = queue.Queue(), threading.Event()
for i in range(3): pool.put(i)
def work():
    if kind == "news": news.wait(600)
    if kind == "news": return
    one = pool.get()
    time.sleep(0.01)
    if kind == "returns": pool.put(one)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        work()
        self.send_response(200), self.end_headers()
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
print("ready", flush=True)
server.serve_forever()
"""

CLIENTS = """
import sys, threading, time, urllib.request
def ask():
    while True:
        urllib.request.urlopen("http://127.0.0.1:%s/" % sys.argv[1]).read()
        time.sleep(0.2)
for _ in range(7): threading.Thread(target=ask, daemon=True).start()
print("ready", flush=True)
time.sleep(600)
"""


# Each of its clients asks again once it has an answer, which takes seconds: for all, or for itself.
LOOP = """
import asyncio, socket, sys, time
async def answer(r, w):
    while await r.readline():
        if sys.argv[1] == "blocks": time.sleep(1.1)
        elif sys.argv[1] == "computes":
            end = time.thread_time() + 0.6
            while time.thread_time() < end: pass
        elif sys.argv[1] == "busy":
            end = time.thread_time() + 0.001
            while time.thread_time() < end: pass
        else: await asyncio.sleep(1.1)
        w.write(b"answer\\n")
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

ASKING = """
import socket, sys, threading, time
def ask():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    while s.send(b"question\\n"): s.recv(90)
for _ in range(6): threading.Thread(target=ask, daemon=True).start()
time.sleep(1.5)  # until they wait
print("ready", flush=True)
time.sleep(600)
"""


def event_loop(kind):
    def make(scope, rng):
        server = scope.python(LOOP, kind)
        scope.python(ASKING, bytes(server.out).split()[0].decode())
        return server.pid
    return make


def pooled(kind):
    def make(scope, rng):
        server = scope.python(POOLED, kind)
        scope.python(CLIENTS, bytes(server.out).split()[0].decode())
        return server.pid
    return make


def needs_openssl():
    return None if shutil.which("openssl") else "there is no openssl to make a certificate"


def needs_filter():
    return None if os.getuid() == 0 else "a filter on a connection needs cap_net_admin"


SHORT = ("stream-stalled.silence=1.5s", "stream-stalled.unread=1.5s",
    "stream-stalled.min-retransmits=3")
# What moves may be held up by a busy machine.
LONGER = ("stream-stalled.silence=4s", "stream-stalled.unread=4s",
    "stream-stalled.min-retransmits=3")


def stalled(name, program, evidence="time since data was last sent", threshold="silence", tls=False,
        says="no data for", needs=None, **more):
    return sick("stream-stalled", name, streams(program, tls=tls, **more), settings=SHORT,
        evidence=evidence, threshold=threshold, duration_s=2.0, says=says,
        may_skip=needs_openssl if tls else needs)


def at_rest(name, program, tls=False, **more):
    """Nothing moves, so nothing can be late."""
    return healthy("stream-stalled", name, streams(program, tls=tls, **more), settings=SHORT,
        duration_s=2.0, may_skip=needs_openssl if tls else None)


def moving(name, program, pause):
    return healthy("stream-stalled", name, streams(program, stay=(4.3, 5.0), pause=pause),
        settings=LONGER, duration_s=2.0)


CASES = [
    stalled("the first request", FIRST),
    stalled("a later request", SECOND),
    stalled("a later request, over TLS", SECOND, tls=True),
    stalled("one among connections at rest", AMONG_OTHERS),
    stalled("a dead path", DEAD, "retransmissions", "min-retransmits", says="is dead",
        needs=needs_filter),
    stalled("an answer that is not read", UNREAD, "", "", says="does not read"),
    stalled("a server that takes no more", UNTAKEN, says="accepts no data"),
    stalled("a request right after an answer, blocked in recv", BLOCKED),
    stalled("half of an answer, blocked in recv", HALF),
    sick("stream-stalled", "both ends wait for the first byte", lambda s, r: s.python(FIRST, "waits").pid,
        settings=("stream-stalled.first=1.5s",), severity="low", says="waiting for the first byte from python3 "),
    healthy("stream-stalled", "a server that speaks first", lambda s, r: s.python(FIRST, "greets").pid,
        settings=("stream-stalled.first=1.5s",)),
    sick("stream-stalled", "a name server that does not answer", looks_up, settings=SHORT,
        evidence="wait", threshold="lookup", duration_s=2.5, says="no answer (DNS)",
        may_skip=needs_filter),
    at_rest("a pool at rest", POOL),
    at_rest("a pool at rest, over TLS", POOL, tls=True),
    at_rest("what came was acknowledged", ACKNOWLEDGED),
    at_rest("what came was acknowledged, over TLS", ACKNOWLEDGED, tls=True),
    at_rest("nothing was asked", SILENT),
    at_rest("a server whose clients are at rest", CLIENTS_OF, judged="server"),
    moving("an answer word by word", TRICKLE, (0.05, 0.3)),
    moving("a download reading slowly", SLOW_READER % ("e", "e"), (0.05, 0.2)),
    moving("a download reading slowly, when all has come", SLOW_READER % ("b", "b"), (0.02, 0.04)),
    moving("an upload to a slow server", UPLOAD, (0.05, 0.2)),
    moving("late answers, one after another", SLOW_ANSWERS, (0.3, 0.9)),
    sick("clients-waiting", "a server with one thread that computes", serves("computes"),
        duration_s=3.5, evidence="time without accepting or reading", threshold="min-time",
        says="are not accepted", also=("cpu-spin",)),
    sick("clients-waiting", "an event loop that sleeps in a handler", event_loop("blocks"), duration_s=6,
        says="its main thread, which serves them, sleeps"),
    sick("clients-waiting", "an event loop that computes in a handler", event_loop("computes"), duration_s=6,
        says="its main thread, which serves them, computes", also=("cpu-spin", "hot-function")),
    healthy("clients-waiting", "an event loop with much to do", event_loop("busy"), duration_s=6),
    healthy("clients-waiting", "an event loop whose answers take as long", event_loop("waits"), duration_s=6),
    sick("clients-waiting", "a pool of connections that is used up", pooled("keeps"), duration_s=4,
        settings=("clients-waiting.answer-time=1.5s",), says="have no answer",
        evidence="requests without an answer", threshold="min-requests"),
    healthy("clients-waiting", "a pool of connections that come back", pooled("returns"), duration_s=4,
        settings=("clients-waiting.answer-time=1.5s",)),
    healthy("clients-waiting", "requests that wait for news", pooled("news"), duration_s=4,
        settings=("clients-waiting.answer-time=1.5s",)),
    healthy("clients-waiting", "a server that takes one after the other", serves("serves"),
        duration_s=3.5),
]
