# SPDX-License-Identifier: BSD-2-Clause
"""What CPU time is spent on, by sampled stacks: gc-pressure of V8, hot-function."""
import shutil

from case import healthy, sick

# A heap whose old space is nearly full of live objects, of which some are replaced all the time.
FULL_HEAP = """
const live = [], limit = 48e6
const made = () => ({ a: [1, 2, 3], b: 'x' + Math.random() })
while (process.memoryUsage().heapUsed < limit) for (let i = 0; i < 1000; i++) live.push(made())
console.log('ready')
setInterval(() => {
  const end = Date.now() + 90
  while (Date.now() < end) live[Math.floor(Math.random() * live.length)] = made()
}, 1)
"""

ROOMY_HEAP = """
console.log('ready')
let kept = 0
setInterval(() => {
  const end = Date.now() + 90
  while (Date.now() < end) { const t = { a: [kept] }; for (let i = 0; i < 1e4; i++) kept += t.a[0] % 7 + i }
}, 1)
"""

# A server that looks through a list for each request, with a client that asks all the time.
SERVER = """
import socket, sys, threading, time
items = list(range(4000))
def scan(wanted):
    found = -1
    for at, item in enumerate(items):
        if item == wanted:
            found = at
    return found
def first(n): return sum(i * 3 for i in range(n))
def second(n): return sum(i ^ 5 for i in range(n))
def third(n): return sum(i | 1 for i in range(n))
def fourth(n): return sum(i & 7 for i in range(n))
def spread(wanted): return first(1500) + second(1500) + third(1500) + fourth(1500)
work = scan if sys.argv[1] == "scan" else spread
listener = socket.create_server(("127.0.0.1", 0))
print("ready", listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
while True:
    connection.recv(4096)
    for _ in range(10):
        work(3999)
    connection.sendall(b"x" * 4096)
"""

CLIENT = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    s.sendall(b"q" * 4096)
    s.recv(4096)
"""


def no_node():
    return None if shutil.which("node") else "no node here"


def node(program, *argv, options=()):
    return lambda scope, rng: scope.start([shutil.which("node"), *options, "-e", program, *argv]).pid


def server(kind):
    def make(scope, rng):
        process = scope.python(SERVER, kind, ready=b"\n")
        port = process.out.split()[1].decode()
        scope.python(CLIENT, port)
        return process.pid
    return make


# On a busy host they get a part of a CPU; and nothing here waits to be older.
WORKS = dict(duration_s=4, may_skip=no_node)
SMALL = ("--max-old-space-size=64", "--single-threaded-gc")

CASES = [
    sick("gc-pressure", "a JavaScript heap that is full", node(FULL_HEAP, options=SMALL),
        settings=("gc-pressure.min-cpu=20",), says="garbage collection", **WORKS),
    healthy("gc-pressure", "a JavaScript heap with room", node(ROOMY_HEAP),
        settings=("gc-pressure.min-cpu=20",), **WORKS),
    sick("hot-function", "a server that scans a list", server("scan"), duration_s=4,
        settings=("hot-function.min-cpu=20", "hot-function.min-samples=20"), says="scan"),
    healthy("hot-function", "a server with many functions", server("spread"), duration_s=4,
        settings=("hot-function.min-cpu=20", "hot-function.min-samples=20")),
]
