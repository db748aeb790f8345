# SPDX-License-Identifier: BSD-2-Clause
"""
Calls of APIs: api-retry-storm, api-slow, and stream-stalled where a client tries again. The server is
a process of its own, plain or with TLS.
"""
import functools

import case

sick = functools.partial(case.sick, calls=True)
healthy = functools.partial(case.healthy, calls=True)

# Server and client; the process is the client.
API = """
import http.client, os, random, signal, socket, ssl, struct, subprocess, sys, time
how, tls, pause = sys.argv[1], sys.argv[2] == "tls", float(sys.argv[3])
if tls:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert",
        "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True,
        stderr=subprocess.DEVNULL)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
port = listener.getsockname()[1]

def chunk(text): return b"%x\\r\\n%s\\r\\n" % (len(text), text)
HEAD = b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"

def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()

def serve(c, number):
    while c.recv(65536):
        number += 1
        if how == "cut":
            c.sendall(HEAD + chunk(b"data: some words")); time.sleep(pause)
            return reset(c)
        if how == "closed":
            time.sleep(1.1)
            return
        if how == "once" and number == 2:
            c.sendall(HEAD + chunk(b"data: some words")); time.sleep(pause)
            return reset(c)
        if how == "silent" or (how == "second" and number % 2): time.sleep(60)
        if how == "late": time.sleep(pause)
        c.sendall(HEAD + chunk(b"data: begins"))
        if how == "long": time.sleep(pause)
        c.sendall(chunk(b"data: ends")); c.sendall(b"0\\r\\n\\r\\n")
        if how == "whole":
            return reset(c)

if os.fork() == 0:
    signal.alarm(150); signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("cert", "key")
    number = 0
    while True:
        raw = listener.accept()[0]
        if os.fork() == 0:
            c = context.wrap_socket(raw, server_side=True) if tls else raw
            try: serve(c, number)
            except OSError: pass
            os._exit(0)
        number += 1
        raw.close()
listener.close()

timeout = pause if how in ("silent", "second") else 60
def connect():
    if not tls: return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    return http.client.HTTPSConnection("localhost", port, timeout=timeout, context=ssl.create_default_context(cafile="cert"))

print("ready", flush=True)
while True:
    c = connect()
    try:
        c.request("POST", "/v1/messages", b"x" * 5000)
        if how == "canceled":
            time.sleep(pause); c.close()
        else:
            c.getresponse().read()
    except (OSError, http.client.HTTPException): pass
    c.close()
    time.sleep(random.uniform(0.05, 0.1))
"""


def api(how, tls="plain", least=0.2, most=0.3):
    return lambda scope, rng: scope.python(API, how, tls, str(rng.uniform(least, most))).pid


STORM = {"evidence": "requests that failed", "threshold": "min-attempts", "duration_s": 4.0}
# Each attempt is shorter than the silence, or two are.
AGAIN = {"settings": ("stream-stalled.silence=4s",), "duration_s": 8.0}
LATE = {"evidence": "mean time until the first byte", "threshold": "min-wait", "says": " answers late: "}

CASES = [
    sick("api-retry-storm", "a connection that fails in each answer", api("cut"),
        says="fails while the answer comes", **STORM),
    sick("api-retry-storm", "a connection that fails in each answer, TLS", api("cut", "tls"),
        says="fails while the answer comes", **STORM),
    sick("api-retry-storm", "a server that closes after a wait", api("closed"),
        says="closes the connection without an answer", **dict(STORM, duration_s=7.0)),
    healthy("api-retry-storm", "answers that end", api("good"), duration_s=4.0),
    healthy("api-retry-storm", "answers that end, and then the connection fails", api("whole"), duration_s=4.0),
    healthy("api-retry-storm", "one answer that fails", api("once"), duration_s=4.0),
    healthy("api-retry-storm", "requests that the client cancels", api("canceled"), duration_s=4.0),
    sick("api-slow", "each answer begins late", api("late", least=5.2, most=5.6), duration_s=18.0, **LATE),
    sick("api-slow", "each answer begins late, TLS", api("late", "tls", 5.2, 5.6), duration_s=18.0, **LATE),
    sick("stream-stalled", "a client that tries again, on new connections", api("silent", least=1.3, most=1.6),
        says="attempts", **AGAIN),
    sick("stream-stalled", "a client that tries again, on new connections, TLS",
        api("silent", "tls", 1.3, 1.6), says="attempts", **AGAIN),
    healthy("stream-stalled", "a client whose second attempt is answered", api("second", least=1.3, most=1.6), **AGAIN),
    healthy("stream-stalled", "a client whose second attempt is answered, TLS",
        api("second", "tls", 1.3, 1.6), **AGAIN),
    healthy("api-slow", "each answer takes long and begins at once", api("long", least=5.2, most=5.6),
        duration_s=18.0),
]
