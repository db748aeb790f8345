# SPDX-License-Identifier: BSD-2-Clause
"""loop-stuck: nothing can wake an event loop. queue-starved: nothing is put into a queue. calls-itself: a server passes requests on to itself."""
import shutil

from case import healthy, sick

# A consumer of asyncio awaits the next item; what else is there that may wake it.
QUEUE = """
import asyncio, signal, sys
async def produce(q):
    for i in range(3): await q.put(i)
    raise ValueError("bad row")
async def consume(q):
    while True: await q.get()
async def main():
    what = sys.argv[1]
    q = asyncio.Queue()
    failing = asyncio.create_task(produce(q))
    beside = None
    if what == "polls":
        async def poll():
            while True: await asyncio.sleep(30)
        beside = asyncio.create_task(poll())
    elif what == "serves": beside = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    elif what == "child": beside = await asyncio.create_subprocess_exec("sleep", "100")
    elif what == "signal": asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: q.put_nowait(0))
    await asyncio.sleep(0.1)
    print("ready", flush=True)
    await consume(q)
asyncio.run(main())
"""

# The main loop of node awaits an answer of a worker that never gives one.
WORKER = """
const { Worker, isMainThread, parentPort } = require("worker_threads");
if (isMainThread) {
  const w = new Worker(__filename, { argv: process.argv.slice(2) });
  const ask = (x) => new Promise((done) => { w.once("message", done); w.postMessage(x); });
  (async () => { await ask(1); setTimeout(() => console.log("ready"), 200); await ask(2); })();
} else {
  parentPort.on("message", (x) => { if (x === 1) parentPort.postMessage(x); });
  if (process.argv[2] === "polls") setInterval(() => {}, 500);
}
"""

# A gateway passes each request on to its upstream: to itself, until 30 are under way, or to a handler.
GATEWAY = """
import asyncio, sys
under_way = 0
async def ask(path):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    w.write(b"GET %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % path)
    answer = await r.read(400)
    w.close()
    return answer
async def serve(r, w):
    global under_way
    path = (await r.readline()).split()[1]
    while (await r.readline()).strip(): pass
    under_way += 1
    if sys.argv[1] == "circle" and under_way < 30: answer = await ask(path)
    elif sys.argv[1] == "circle": answer = b"HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 0\\r\\n\\r\\n"
    else: answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
    under_way -= 1
    w.write(answer)
    w.close()
async def main():
    global port
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print("ready", flush=True)
    while True:
        await ask(b"/orders")
        await asyncio.sleep(0.5 if sys.argv[1] == "circle" else 0.02)
asyncio.run(main())
"""


# Two servers that pass each request on to the other; a healthy server answers the first one.
PAIR = """
import asyncio, os, socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
is_first = os.fork() == 0
own, other = sockets if is_first else sockets[::-1]
async def ask(left):
    r, w = await asyncio.open_connection(*other.getsockname())
    w.write(b"GET /%d HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % left)
    answer = await r.read(400)
    w.close()
    return answer
async def serve(r, w):
    left = int((await r.readline()).split()[1][1:])
    while (await r.readline()).strip(): pass
    if sys.argv[1] == "well" or not left: await asyncio.sleep(0.8 + own.fileno() / 20)
    if sys.argv[1] == "well": answer = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
    elif left: answer = await ask(left - 1)
    else: answer = b"HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 0\\r\\n\\r\\n"
    w.write(answer)
    w.close()
async def client(left):
    while True: await ask(left)
async def main():
    server = await asyncio.start_server(serve, sock=own)
    print("ready", flush=True)
    await asyncio.gather(*[client(60 + n) for n in range(30 if sys.argv[1] == "well" else 5)])
asyncio.run(main())
"""


# The main thread takes from a queue; the thread that fed it has failed, or polls a folder.
FED = """
import os, queue, sys, threading, time
q = queue.Queue()
def feed():
    q.put(1)
    raise ValueError("bad row")
def watch():
    known = set()
    while True:
        for name in set(os.listdir("/etc")) - known: known.add(name)
        time.sleep(0.5)
def beat():
    while True: time.sleep(0.5)
threading.excepthook = lambda args: None
threading.Thread(target=feed if sys.argv[1] == "failed" else watch, daemon=True).start()
threading.Thread(target=beat, daemon=True).start()
def collect():
    while True: q.get()
print("ready", flush=True)
collect()
"""


def python(text, *args):
    return lambda scope, _: scope.python(text, *args).pid


def node(*args):
    def make(scope, _):
        program = scope.path / "jobs.js"
        program.write_text(WORKER)
        return scope.start(["node", program, *args]).pid
    return make


def no_node():
    return None if shutil.which("node") else "no node here"


SOON = {"settings": ("loop-stuck.min-time=1s",)}

FED_SOON = {"settings": ("queue-starved.min-time=1s",)}

CASES = [
    sick("loop-stuck", "a queue whose producer has failed", python(QUEUE, "nothing"), says="no other thread is there",
        evidence="waiting for at least", threshold="min-time", **SOON),
    healthy("loop-stuck", "a task that polls", python(QUEUE, "polls"), **SOON),
    healthy("loop-stuck", "a server beside it", python(QUEUE, "serves"), **SOON),
    healthy("loop-stuck", "a child beside it", python(QUEUE, "child"), **SOON),
    healthy("loop-stuck", "a signal that it handles", python(QUEUE, "signal"), **SOON),
    healthy("loop-stuck", "a worker that works now and then", node("polls"), may_skip=no_node, **SOON),
    sick("queue-starved", "a producer that has failed, beside a heartbeat", python(FED, "failed"), calls=True,
        says="the only other thread just sleeps", evidence="waiting for", threshold="min-time", **FED_SOON),
    healthy("queue-starved", "a producer that polls a folder", python(FED, "polls"), calls=True, **FED_SOON),
    sick("calls-itself", "a gateway whose upstream is itself", python(GATEWAY, "circle"), calls=True,
        says="passes requests on to itself", also=("requests-refused",)),
    sick("calls-itself", "two that pass requests on to each other", python(PAIR, "round"), calls=True,
        says="requests go round in a circle", also=("requests-refused",)),
    healthy("calls-itself", "two that ask each other", python(PAIR, "well"), calls=True),
    healthy("calls-itself", "a client within", python(GATEWAY, "client"), calls=True),
]
