# SPDX-License-Identifier: BSD-2-Clause
"""
Requests one after another: round-trips, slow-lookups. The server is a process of its own, real redis among them.
"""
import functools
import os
import shutil

import case
import ordinary

sick = functools.partial(case.sick, calls=True, duration_s=4)
healthy = functools.partial(case.healthy, calls=True, duration_s=4)

SERVER = """
import socket, sys, threading, time
family = socket.AF_UNIX if sys.argv[1].startswith("/") else socket.AF_INET
address = sys.argv[1] if family == socket.AF_UNIX else ("127.0.0.1", int(sys.argv[1]))
pause, whole = float(sys.argv[2]), int(sys.argv[3])
server = socket.socket(family); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(address); server.listen()
def serve(s):
    got = 0
    while True:
        data = s.recv(65536)
        if not data: return
        got += len(data)
        while got >= whole:
            got -= whole
            if pause > 0: time.sleep(pause)
            end = time.thread_time() - pause
            while time.thread_time() < end: pass
            s.sendall(b"y" * 90)
def work():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
threading.Thread(target=work, daemon=True).start()
print("ready", flush=True)
while True: time.sleep(100)
"""

CLIENT = """
import os, socket, sys, time
kind, address, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
if address.startswith("/"):
    s = socket.socket(socket.AF_UNIX); s.connect(address)
else:
    s = socket.create_connection(("127.0.0.1", int(address)))
def read(n):
    while n: n -= len(s.recv(n))
print("ready", flush=True)
row = 0
while True:
    row += 1
    if kind == "row by row":
        s.sendall((b"%d" % row).ljust(size)); read(90)
    elif kind == "together":
        s.sendall(b"x" * size * 200); read(90 * 200); time.sleep(0.002)
    elif kind == "now and then":
        s.sendall(b"x" * size); read(90); time.sleep(0.02)
    elif kind == "in two parts":
        s.send(b"x" * 12); s.send(b"x" * (size - 12)); read(90)
    elif kind == "in two parts, at once":
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.send(b"x" * 12); s.send(b"x" * (size - 12)); read(90); time.sleep(0.03)
    elif kind == "passed on":
        if row == 1:
            ours, theirs = socket.socketpair()
            if not os.fork():
                while True: theirs.send(b"q"); theirs.recv(90)
        ours.recv(100); s.sendall(b"x" * size); read(90); ours.send(b"a")
    elif kind == "redis":
        s.sendall(b"GET row:%d\\r\\n" % (row % 10000 + 10000)); s.recv(4096)
"""


def asking(kind, unix=False, pause_s=0.0):
    def make(scope, rng):
        size = rng.randrange(40, 200)
        address = str(scope.path / "socket") if unix else ordinary.port_of(scope)
        scope.python(SERVER, address, pause_s, size)
        return scope.python(CLIENT, kind, address, size).pid
    return make


def serving(scope, rng):
    port, size = ordinary.port_of(scope), rng.randrange(40, 200)
    server = scope.python(SERVER, port, 0, size)
    scope.python(CLIENT, "row by row", port, size)
    return server.pid


def redis(scope, rng):
    del rng
    port = ordinary.port_of(scope)
    scope.start([shutil.which("redis-server"), "--port", port, "--dir", scope.path, "--save", ""],
        ready=b"Ready to accept")
    return scope.python(CLIENT, "redis", port, 0).pid


def has_no_redis():
    return None if shutil.which("redis-server") else "no redis-server here"


HTTP_SERVER = """
import socket, sys, threading
port, kind = int(sys.argv[1]), sys.argv[2]
s = socket.create_server(("127.0.0.1", port))
print("ready", flush=True)
def serve(c):
    count = 0
    while c.recv(65536):
        count += 1
        status = {"unauthorized first": 401 if count % 2 else 200, "not there": 404, "now and then": 503 if count % 5 == 0 else 200
            }.get(kind) or int(kind)
        c.sendall(b"HTTP/1.1 %d Status\\r\\nContent-Length: 2\\r\\n\\r\\n{}" % status)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""

HTTP_CLIENT = """
import http.client, sys, time
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
print("ready", flush=True)
while True:
    c.request("POST", "/v1/messages", b"x" * 300); c.getresponse().read()
    time.sleep(float(sys.argv[2]))
"""


def answered(kind, serves=False):
    def make(scope, rng):
        port = ordinary.port_of(scope)
        server = scope.python(HTTP_SERVER, port, kind)
        client = scope.python(HTTP_CLIENT, port, rng.uniform(0.1, 0.3))
        return server.pid if serves else client.pid
    return make


# Answers of three databases, as their own servers send them.
DATABASE_SERVER = """
import socket, sys, threading
port, kind = int(sys.argv[1]), sys.argv[2]
def postgres(code):
    fields = b"SERROR\\0VERROR\\0C%b\\0Mof this test\\0\\0" % code
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields + b"Z\\0\\0\\0\\5I"
prepared = b"1\\0\\0\\0\\4" + b"2\\0\\0\\0\\4"
message = b"\\xff" + (1146).to_bytes(2, "little") + b"#42S02Table 'a.b' doesn't exist"
mysql = len(message).to_bytes(3, "little") + b"\\1" + message
good = b"C\\0\\0\\0\\x0fINSERT 0 1\\0Z\\0\\0\\0\\5T"
accepted = b"R\\0\\0\\0\\x08\\0\\0\\0\\0"
answers = {"no table": [postgres(b"42P01")], "no connection left": [accepted + postgres(b"53300")], "a row is there": [good, prepared + postgres(b"23505"), good],
    "now and then": [good] * 9 + [postgres(b"23505")], "mysql": [mysql],
    "moved": [b"-MOVED 3999 127.0.0.1:6381\\r\\n"], "text": [b"-A list of options, as some text begins\\r\\n"]}[kind]
def serve(c):
    count = 0
    while c.recv(65536):
        c.sendall(answers[count % len(answers)])
        count += 1
s = socket.create_server(("127.0.0.1", port))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""

DATABASE_CLIENT = """
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
count = 0
while True:
    count += 1
    s.sendall(b"SET key:%d %b\\r\\n" % (count, b"v" * int(sys.argv[2])))
    s.recv(4096)
    time.sleep(float(sys.argv[3]))
"""


def database(kind):
    def make(scope, rng):
        port = ordinary.port_of(scope)
        scope.python(DATABASE_SERVER, port, kind)
        return scope.python(DATABASE_CLIENT, port, 20, rng.uniform(0.03, 0.1)).pid
    return make


def redis_without_room(scope, rng):
    port = ordinary.port_of(scope)
    scope.start([shutil.which("redis-server"), "--port", port, "--dir", scope.path, "--save", "",
        "--maxmemory", "100kb"], ready=b"Ready to accept")
    return scope.python(DATABASE_CLIENT, port, 200, rng.uniform(0.03, 0.1)).pid


REFUSED_BY_DATABASE = {"says": " answers with errors, ", "evidence": "answers that are errors", "threshold": "min-errors",
    "duration_s": 4}

ASKS = {"says": " one small question at a time, ", "evidence": "requests", "threshold": "min-rate"}
WAITS = {"says": " waits 4", "evidence": "requests sent in parts", "threshold": "min-delayed"}

NAMES = """
import socket, sys, time
kind, server, count = sys.argv[1], ("127.0.0.1", 53), 0
print("ready", flush=True)
while True:
    count += 1
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[2], 53))
    s.send(b"?" * 40); s.recv(600); s.close()
    if kind == "now and then": time.sleep(0.8)
    if kind == "each" or (kind == "a list" and count % 5 == 0):
        s = socket.create_connection(("127.0.0.1", int(sys.argv[3]))); s.send(b"x" * 50); s.recv(90); s.close()
"""

NAME_SERVER = """
import socket, sys, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    question, asker = s.recvfrom(600)
    time.sleep(float(sys.argv[2])); s.sendto(b"!" * 60, asker)
"""


def resolving(kind, slow_s):
    def make(scope, rng):
        server = "127.0.%d.%d" % (rng.randrange(60, 250), rng.randrange(2, 250))
        port = ordinary.port_of(scope)
        scope.python(NAME_SERVER, server, slow_s)
        scope.python(SERVER, port, 0, 50)
        return scope.python(NAMES, kind, server, port).pid
    return make


# A resolver that asks again after a time, of a server that takes questions and answers none.
ASKS_AGAIN = """
import socket, sys, time
print("ready", flush=True)
while True:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 53)); s.settimeout(float(sys.argv[2]))
    s.send(b"?" * 40)
    try: s.recv(600)
    except OSError: pass
    s.close()
    time.sleep(0.05)
"""
TAKES_QUESTIONS = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 53))
print("ready", flush=True)
while True: s.recvfrom(600)
"""


def asking_in_vain(scope, rng):
    server = "127.0.%d.%d" % (rng.randrange(60, 250), rng.randrange(2, 250))
    scope.python(TAKES_QUESTIONS, server)
    return scope.python(ASKS_AGAIN, server, rng.uniform(0.8, 1.2)).pid


def is_root():
    return None if os.getuid() == 0 else "port 53 needs root"


LOOKUPS = {"says": " of its time it waits for name lookups: ", "evidence": "answers", "threshold": "min-answers",
    "may_skip": is_root}

REFUSED = {"evidence": "answers that are errors", "threshold": "min-answers", "duration_s": 4}

# --- TLS ---

# A server with a certificate of its own authority, and a client that trusts it or not; the one that is not judged is another process.
TLS = """
import os, socket, ssl, subprocess, sys, time
how, version, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert",
    "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
to = listener.getsockname()
is_child = os.fork() == 0
if sys.argv[4] == "server":  # its clients are not judged with it
    if not is_child: os.wait()
    elif os.fork(): os._exit(0)
if is_child:
    import signal
    signal.alarm(120)
if is_child == (sys.argv[4] == "client"):
    print("ready", flush=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert", "key")
    if how == "refused": context.verify_mode, _ = ssl.CERT_REQUIRED, context.load_verify_locations("cert")
    while True:
        raw = listener.accept()[0]
        try:
            with context.wrap_socket(raw, server_side=True) as c:
                if c.recv(4096): c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        except OSError: raw.close()
listener.close()
context = ssl.create_default_context()
if how != "distrusts": context.load_verify_locations("cert")
if version == "1.2": context.maximum_version = ssl.TLSVersion.TLSv1_2
print("ready", flush=True)
while True:
    try:
        with socket.create_connection(to) as raw, context.wrap_socket(raw, server_hostname="localhost") as c:
            if how != "refused": c.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nUser-Agent: a\\r\\n\\r\\n")
            c.recv(4096)
    except OSError: pass
    time.sleep(pause)
"""


def tls(how, version="1.3", role="client"):
    return lambda scope, rng: scope.python(TLS, how, version, str(rng.uniform(0.05, 0.15)), role).pid


FAILS = {"evidence": "failures", "duration_s": 4.0}

CASES = [
    sick("tls-failing", "a certificate that is not trusted", tls("distrusts"), says="this process refuses the server", **FAILS),
    sick("tls-failing", "a certificate that is not trusted, TLS 1.2", tls("distrusts", "1.2"),
        says="this process refuses the server", **FAILS),
    sick("tls-failing", "a server that wants a certificate, TLS 1.2", tls("refused", "1.2"), says="the server refuses them",
        **FAILS),
    sick("tls-failing", "clients that do not trust its certificate", tls("distrusts", role="server"),
        says="the clients end them", **FAILS),
    sick("tls-failing", "the same, TLS 1.2", tls("distrusts", "1.2", role="server"), says="the clients end them", **FAILS),
    healthy("tls-failing", "a server of requests by TLS", tls("trusts", role="server"), duration_s=4.0),
    healthy("tls-failing", "requests by TLS", tls("trusts"), duration_s=4.0),
    healthy("tls-failing", "requests by TLS 1.2", tls("trusts", "1.2"), duration_s=4.0),

    sick("requests-refused", "too many requests", answered("429"), says="HTTP 429 (too many requests)", **REFUSED),
    sick("requests-refused", "a server that is not ready", answered("503"), says="not ready", **REFUSED),
    healthy("requests-refused", "credentials are sent when demanded", answered("unauthorized first"), duration_s=4),
    healthy("requests-refused", "something that is not there yet", answered("not there"), duration_s=4),
    healthy("requests-refused", "an error now and then", answered("now and then"), duration_s=4),
    healthy("requests-refused", "the server that refuses", answered("429", serves=True), duration_s=4),
    sick("slow-lookups", "a slow name server", resolving("again and again", 0.12), **LOOKUPS),
    sick("slow-lookups", "a name server that does not answer", asking_in_vain, duration_s=5,
        says="does not answer: asked ", also=("stream-stalled", "connect-failing"), may_skip=is_root),
    sick("slow-lookups", "a long search list", resolving("a list", 0.05),
        **{**LOOKUPS, "says": "several questions for each connection"}),
    sick("slow-lookups", "lookups that lead to no connection", resolving("again and again", 0.03),
        says="connects to nothing", evidence="answers", threshold="min-vain", may_skip=is_root,
        settings=("slow-lookups.min-wait=100",)),
    healthy("slow-lookups", "a lookup for each connection", resolving("each", 0.03), may_skip=is_root,
        settings=("slow-lookups.min-wait=100",)),
    healthy("slow-lookups", "a lookup now and then", resolving("now and then", 0.005), may_skip=is_root),
    healthy("slow-lookups", "small requests to another server", asking("row by row"), also=("round-trips",)),
    sick("round-trips", "a query for each row", asking("row by row"), **ASKS),
    sick("round-trips", "a query for each row, slow answers", asking("row by row", pause_s=0.002), **ASKS),
    sick("database-errors", "a table that is not there", database("no table"), **REFUSED_BY_DATABASE),
    sick("database-errors", "no connection is left", database("no connection left"), **REFUSED_BY_DATABASE),
    sick("database-errors", "rows that are there already", database("a row is there"), **REFUSED_BY_DATABASE),
    sick("database-errors", "MySQL", database("mysql"), **REFUSED_BY_DATABASE),
    sick("database-errors", "redis has no room left", redis_without_room, may_skip=has_no_redis, **REFUSED_BY_DATABASE),
    healthy("database-errors", "one row in ten is there already", database("now and then"), duration_s=4),
    healthy("database-errors", "a cluster sends its client elsewhere", database("moved"), duration_s=4),
    healthy("database-errors", "text that begins with a dash", database("text"), duration_s=4),
    sick("round-trips", "a query for each row, which the server computes", asking("row by row", pause_s=-0.02),
        says="the server computes meanwhile"),
    healthy("round-trips", "a query for each row, for which the server waits", asking("row by row", pause_s=0.02)),
    sick("round-trips", "a key at a time, of a unix socket", asking("row by row", unix=True), **ASKS),
    sick("round-trips", "a key at a time, of redis", redis, may_skip=has_no_redis, **ASKS),
    sick("round-trips", "requests in two parts", asking("in two parts"), **WAITS),
    healthy("round-trips", "all queries together", asking("together")),
    healthy("round-trips", "a query now and then", asking("now and then")),
    healthy("round-trips", "requests in two parts, without delay", asking("in two parts, at once")),
    healthy("round-trips", "requests that are passed on", asking("passed on")),
    healthy("round-trips", "the server of such a client", serving),
]
