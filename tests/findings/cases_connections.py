# SPDX-License-Identifier: BSD-2-Clause
"""close-wait-leak: what the peer has closed; output-unread: what it does not read;
shutdown-held: clients of a server that listens no more; on loopback."""
from case import healthy, sick

# Both ends in one place would be judged together, so the peer is another process: it accepts, does
# as it is told by the first byte, and tells when all are closed.
PEER = """
import socket, struct, sys, threading, time
listener = socket.create_server((sys.argv[1], 0),
    family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, backlog=1024)
print("port %d." % listener.getsockname()[1], flush=True)
def serve(c):
    order = c.recv(1)
    if order == b"c":  # answers and closes
        c.sendall(b"answer" * 3)
        c.close()
    elif order == b"h":  # ends its requests, and reads on
        c.shutdown(socket.SHUT_WR)
        while c.recv(65536): pass
    elif order == b"k":  # keeps
        time.sleep(600)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

START = """
import socket, sys, threading, time
host, port, count, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
def connect(order):
    c = socket.create_connection((host, port))
    c.sendall(order)
    return c
def closed(c):
    # Until the end of the stream is there, without taking it.
    c.recv(1000, socket.MSG_PEEK | socket.MSG_WAITALL)
    return c
"""

LEAK = START + """
kept = [closed(connect(b"c")) for _ in range(count)]
print("ready", flush=True)
while True:
    time.sleep(pause)
    if pause < 1: kept.append(closed(connect(b"c")))
"""

READ_LEAK = START + """
kept = []
for _ in range(count):
    c = connect(b"c")
    while c.recv(1000): pass
    kept.append(c)
print("ready", flush=True)
time.sleep(600)
"""

# As many a second, each closed a moment after its peer did.
CHURN = START + """
def one():
    while True:
        c = connect(b"c")
        while c.recv(1000): pass
        time.sleep(pause)
        c.close()
for _ in range(count): threading.Thread(target=one, daemon=True).start()
time.sleep(pause * 2)
print("ready", flush=True)
time.sleep(600)
"""

# Peers that have ended their requests are answered still.
HALF = START + """
kept = [connect(b"h") for _ in range(count)]
print("ready", flush=True)
while True:
    for c in kept: c.sendall(b"x" * 100)
    time.sleep(0.05)
"""

KEEP = START + """
kept = [connect(b"k") for _ in range(count)]
print("ready", flush=True)
time.sleep(600)
"""


def connections(program, least, most, pauses=(600, 600)):
    def make(scope, rng):
        host = rng.choice(("127.0.0.1", "127.0.0.1", "::1"))
        peer = scope.python(PEER, host, ready=b".")
        port = bytes(peer.out).decode().split()[1].rstrip(".")
        return scope.python(program, host, port, str(rng.randrange(least, most)),
            str(rng.uniform(*pauses))).pid
    return make


EVIDENCE = {"evidence": "connections that stayed in CLOSE_WAIT during the whole observation", "threshold": "min-count"}

# Another process sends; the one that is judged reads as fast, or pauses after each.
DATAGRAMS = """
import os, signal, socket, sys, time
pause, gap = float(sys.argv[1]), float(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
s.bind(("127.0.0.1", 0))
if os.fork() == 0:
    signal.alarm(120)
    to = s.getsockname()
    s.close()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        out.sendto(b"x" * 400, to)
        time.sleep(gap)
if pause: time.sleep(0.5)
print("ready", flush=True)
while True:
    s.recv(2048)
    if pause: time.sleep(pause)
"""

# Clients that come faster than they are accepted.
CLIENTS = """
import os, signal, socket, sys, time
pause = float(sys.argv[1])
s = socket.create_server(("127.0.0.1", 0), backlog=4)
if os.fork() == 0:
    signal.alarm(120)
    to = s.getsockname()
    s.close()
    kept = []
    while True:
        c = socket.socket()
        if pause > 0.01: c.setblocking(False)
        c.connect_ex(to)
        kept.append(c)
        if len(kept) > 50: kept.pop(0).close()
        time.sleep(0.04)
time.sleep(0.5)
print("ready", flush=True)
while True:
    s.accept()[0].close()
    time.sleep(pause)
"""


def reader(program, pauses, *more):
    return lambda scope, rng: scope.python(program, str(rng.uniform(*pauses)), *more).pid


# Its client is a process of its own, which reads nothing or everything. Where it reads nothing, the sockets are full
# before the check begins.
SENDER = """
import asyncio, os, socket, sys, time
kind, rate = sys.argv[1], int(sys.argv[2])
async def serve(reader, writer):
    is_ready = False
    while True:
        writer.write(bytes(rate // 50))
        if not is_ready and (kind != 'unread' or writer.transport.get_write_buffer_size() > 1 << 20):
            print('ready', flush=True)
            is_ready = True
        if kind == 'heeds': await writer.drain()
        await asyncio.sleep(0.02)
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    if not os.fork():
        address = server.sockets[0].getsockname()
        client = socket.create_connection(address)
        while kind == 'read': client.recv(1 << 20)
        time.sleep(600)
    await server.serve_forever()
asyncio.run(main())
"""


def sends(kind):
    return lambda scope, rng: scope.python(SENDER, kind, rng.randrange(8 << 20, 16 << 20)).pid


# Clients in a process of their own; "worker": it has what its parent accepted and listens to; "one": a single client of a
# server with a handler for SIGTERM, which "serves one" has not.
ENDING = """
import os, signal, socket, sys, time
kind = sys.argv[1]
count = 1 if 'one' in kind else 2
if kind == 'one': signal.signal(signal.SIGTERM, lambda *_: None)
listener = socket.create_server(('127.0.0.1', 0))
if not os.fork():
    address = listener.getsockname()
    listener.close()
    clients = [socket.create_connection(address) for _ in range(count)]
    time.sleep(600)
accepted = [listener.accept()[0] for _ in range(count)]
if kind == 'worker' and os.fork():
    time.sleep(600)
if kind != 'listens': listener.close()
print(os.getpid(), flush=True)
print('ready', flush=True)
time.sleep(600)
"""


def ends(kind):
    def make(scope, _):
        return int(bytes(scope.python(ENDING, kind).out).split()[0])
    return make


# Workers of a server that listens on, one of which has been replaced and has a client left.
REPLACED = """
import os, signal, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
kept = server.accept()[0]
def start(title, more):
    pid = os.fork()
    if pid: return pid
    os.dup2(kept.fileno() if more else server.fileno(), 7)
    os.execv("/bin/sleep", [title, "600"])
old = start(sys.argv[1], True)
start("nginx: worker process", False)
kept.close()
time.sleep(2)
print(old, flush=True)
print("ready", flush=True)
time.sleep(600)
"""


def replaced(title):
    return lambda scope, rng: int(bytes(scope.python(REPLACED, title).out).split()[0])


def client_of_one_server(scope, _):
    server = scope.python(PEER, "127.0.0.1", ready=b".")
    port = bytes(server.out).split()[1].rstrip(b".").decode()
    return scope.python(KEEP, "127.0.0.1", port, "5", "60").pid


KEEP = START + """
kept = [connect(b"k") for _ in range(count)]
print("ready", flush=True)
time.sleep(600)
"""


CASES = [
    sick("receive-drops", "datagrams that are read too slowly", reader(DATAGRAMS, (0.02, 0.1), "0.004"),
        evidence="dropped", threshold="min-drops", says="loses packets"),
    sick("receive-drops", "clients that are accepted too slowly", reader(CLIENTS, (0.2, 0.4)),
        also=("clients-waiting", "connect-failing"), says="turns clients away"),
    healthy("receive-drops", "as many that are read", reader(DATAGRAMS, (0, 0), "0.004")),
    healthy("receive-drops", "clients that are accepted", reader(CLIENTS, (0, 0.001))),

    sick("close-wait-leak", "answers that nobody reads", connections(LEAK, 25, 120), **EVIDENCE),
    sick("close-wait-leak", "the end was read and not heeded", connections(READ_LEAK, 25, 120),
        **EVIDENCE),
    sick("close-wait-leak", "more and more", connections(LEAK, 23, 60, (0.05, 0.2)),
        also=("fd-leak",), **EVIDENCE),
    healthy("close-wait-leak", "many that are closed a moment later",
        connections(CHURN, 30, 60, (0.1, 0.3))),
    healthy("close-wait-leak", "peers that only ended their requests", connections(HALF, 30, 80)),
    healthy("close-wait-leak", "a pool that has not looked", connections(LEAK, 2, 16)),
    healthy("close-wait-leak", "many that are open at both ends", connections(KEEP, 30, 100)),
    sick("output-unread", "a client that has stopped reading", sends("unread"), evidence="growth of its memory",
        threshold="min-rate", duration_s=4),
    healthy("output-unread", "a server that waits until the client reads", sends("heeds"), duration_s=4),
    healthy("output-unread", "a client that reads", sends("read"), duration_s=4),
    sick("shutdown-held", "two clients of a port that is closed", ends("ends"), says="no longer listens on 127.0.0.1:",
        settings=("shutdown-held.min-time=1s",)),
    sick("shutdown-held", "one client of a port that is closed", ends("one"), says="keeps one connection of a client there",
        severity="low", settings=("shutdown-held.min-silence=500ms",)),
    healthy("shutdown-held", "a program for one client", ends("serves one"), settings=("shutdown-held.min-silence=500ms",)),
    healthy("shutdown-held", "a server that still listens", ends("listens"), settings=("shutdown-held.min-time=1s",)),
    sick("shutdown-held", "a worker that its server has replaced", replaced("nginx: worker process is shutting down"),
        says="its server has replaced it, and it keeps 1 connection of a client on 127.0.0.1:",
        settings=("shutdown-held.min-time=1s",)),
    healthy("shutdown-held", "a worker with a client at rest", replaced("nginx: worker process"),
        settings=("shutdown-held.min-time=1s",)),
    healthy("shutdown-held", "a worker whose parent listens", ends("worker"), settings=("shutdown-held.min-time=1s",)),
    healthy("shutdown-held", "a client of one server", client_of_one_server,
        settings=("shutdown-held.min-time=1s",)),
]

# A server that keeps `limit` clients and closes each more at once, or answers it first; a greeting service; one that
# starts a child for each client. The clients are another process.
LIMITED = """
import os, signal, socket, sys, time
kind, limit, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
s = socket.create_server(("127.0.0.1", 0), backlog=64)
if os.fork() == 0:
    signal.alarm(120)
    to = s.getsockname()
    s.close()
    kept = [socket.create_connection(to) for _ in range(limit)]
    for c in kept: c.sendall(b"hello")
    while True:
        c = socket.create_connection(to)
        try:
            c.sendall(b"hello")
            c.recv(100)
        except OSError: pass
        c.close()
        time.sleep(pause)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
kept = []
def keep(c):
    c.recv(100)
    kept.append(c)
for _ in range(limit): keep(s.accept()[0])
print("ready", flush=True)
while True:
    c = s.accept()[0]
    if kind == "answers": c.sendall(b"-ERR max number of clients reached\\r\\n")
    elif kind == "serves":
        c.recv(100)
        c.sendall(b"welcome")
    elif kind == "forks" and os.fork() == 0:
        c.sendall(c.recv(100))
        os._exit(0)
    c.close()
"""


def limited(kind, least=2, most=20):
    return lambda scope, rng: scope.python(LIMITED, kind, str(rng.randrange(least, most)),
        str(rng.uniform(0.05, 0.3))).pid


# The client is judged too, and its connections fail.
CLIENT = {"calls": True, "also": ("connect-failing", "database-errors")}
REFUSED = {"evidence": "connections closed at once", **CLIENT}

CASES += [
    sick("clients-refused", "a limit of clients is reached", limited("closes"), severity="medium",
        says="closes connections of clients at once, unread: ", **REFUSED),
    sick("clients-refused", "the same, with a short answer", limited("answers"), severity="medium",
        says="after one short answer: ", **REFUSED),
    healthy("clients-refused", "a child for each client", limited("forks"), calls=True),
    healthy("clients-refused", "short requests beside clients that stay", limited("serves"), calls=True),
    healthy("clients-refused", "a service that greets and closes", limited("answers", 0, 1), **CLIENT),
    healthy("clients-refused", "a port that only says that it is there", limited("closes", 0, 1), **CLIENT),
]
