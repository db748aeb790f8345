# SPDX-License-Identifier: BSD-2-Clause
"""Processes that wait for themselves by way of a socket, pools that wait for a lost task, and those that only look like it."""
import subprocess

from case import healthy, sick

OWN_SERVER = """
import http.server, os, socket, sys, time, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if sys.argv[1] == 'asks':
            urllib.request.urlopen('http://127.0.0.1:%d/prices' % self.server.server_port, timeout=600).read()
        self.wfile.write(b'HTTP/1.0 200 OK\\r\\n\\r\\n')

server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
if not os.fork():
    server.socket.close()
    client = socket.create_connection(server.server_address)
    client.sendall(b'GET /shop HTTP/1.0\\r\\n\\r\\n')
    time.sleep(120)
print('ready', flush=True)
server.serve_forever()
"""

# A tool server between two pings of its client, which sleeps in its event loop until the next one.
PINGED = """
import select, subprocess, sys
tool = subprocess.Popen([sys.executable, '-c', 'import sys\\nfor line in sys.stdin: print(line, end="", flush=True)'],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(tool.pid, flush=True)
print('ready', flush=True)
while True:
    tool.stdin.write(b'ping\\n')
    tool.stdin.flush()
    tool.stdout.readline()
    select.select([tool.stdout], [], [], 60)
"""


# A tool that answers into the buffer of its standard output, or flushes each line (sed -u). Its client has a timer.
BUFFERED = """
import select, subprocess, sys, time
tool = subprocess.Popen(['sed', *sys.argv[1:], 's/^/got /'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print('ready', flush=True)
tool.stdin.write(b'list\\n')
tool.stdin.flush()
while not select.select([tool.stdout], [], [], 60)[0]:
    pass
tool.stdout.readline()
select.select([tool.stdout], [], [], 600)
"""


# One task of eight ends its worker, or takes long; "rests": all have ended well.
POOL = """
import multiprocessing, os, sys, time
def task(number):
    if number == 3 and sys.argv[1].startswith('crashes'): os._exit(11)
    if number == 3 and sys.argv[1] == 'works': time.sleep(600)
    return number
if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool:
        print('ready', flush=True)
        if sys.argv[1] == 'calls back':
            pool.apply_async(task, (1,), callback=lambda result: time.sleep(600))
            time.sleep(0.5)
        if sys.argv[1] == 'crashes, joined':
            pool.map_async(task, range(8), chunksize=1)
            pool.close()
            pool.join()
        elif sys.argv[1] == 'crashes, iterated':
            results = list(pool.imap_unordered(task, range(8)))
        else:
            result = pool.map(task, range(8), chunksize=1)
        time.sleep(600)
"""

# A tool that reads what a command writes to a pseudo terminal, until it has seen "done".
TERMINAL = """
import os, pty, select, sys
COMMANDS = {'asks': 'printf "proceed? (y) "; read answer; echo done', 'works': 'echo begins; sleep 600; echo done',
    'rests': 'exec bash --norc -i', 'shell': 'while read command; do eval "$command"; done'}
pid, master = pty.fork()
if not pid:
    os.execvp('bash', ['bash', '-c', COMMANDS[sys.argv[1]]])
print('ready', flush=True)
seen = b''
while b'done' not in seen:
    if sys.argv[1] == 'shell':
        select.select([master, 0], [], [])
    seen += os.read(master, 4096)
"""


# Workers whose results do not fit into the pipe of their queue; the second one is first, and blocks in it with the lock
# that the others wait for. "joins" waits for their ends before it reads.
QUEUE = """
import multiprocessing, sys, time
def work(queue, number):
    time.sleep((0.5, 0, 1)[number])
    queue.put('x' * 300000)
if __name__ == '__main__':
    multiprocessing.set_start_method('fork')
    queue = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(queue, i)) for i in range(3)]
    for worker in workers: worker.start()
    if sys.argv[1] == 'reads':
        for worker in workers: queue.get()
        workers.append(multiprocessing.Process(target=time.sleep, args=(600,)))
        workers[-1].start()
    time.sleep(5)
    print('ready', flush=True)
    for worker in workers: worker.join()
"""

# A command that writes more than its terminal takes; "waits" does not read it, "reads" does so now and then.
WRITTEN = """
import os, pty, sys, time
pid, master = pty.fork()
if not pid:
    os.execvp('seq', ['seq', '10000000'])
time.sleep(1)
print('ready', flush=True)
while sys.argv[1] == 'reads':
    os.read(master, 100)
    time.sleep(0.2)
os.waitpid(pid, 0)
"""


# A program that waits for the end of a command which reads its input; "writes": another thread gives it some.
INPUT = """
import subprocess, sys, threading, time
command = subprocess.Popen(['cat'], stdin=subprocess.PIPE)
def write():
    time.sleep(600)
    command.stdin.close()
if sys.argv[1] == 'writes': threading.Thread(target=write, daemon=True).start()
print('ready', flush=True)
command.wait()
"""


# A program that keeps the end of a pipe between two commands, of which the one that should read rests.
BETWEEN = """
import subprocess, sys, time
writer = subprocess.Popen(['yes'], stdout=subprocess.PIPE)
subprocess.Popen([sys.executable, '-c', "import selectors, socket; s = selectors.DefaultSelector(); "
    "s.register(socket.create_server(('127.0.0.1', 0)), 1); s.select()"], stdin=writer.stdout)
time.sleep(2)
print('ready', flush=True)
writer.wait()
"""


def between(scope, _):
    return scope.python(BETWEEN).pid


def fed(kind):
    return lambda scope, rng: scope.python(INPUT, kind).pid


def queue(kind):
    return lambda scope, rng: scope.python(QUEUE, kind).pid


def written(kind):
    return lambda scope, rng: scope.python(WRITTEN, kind).pid


def terminal(kind):
    def start(scope, rng):
        return scope.python(TERMINAL, kind, stdin=subprocess.PIPE).pid
    return start


def pool(kind):
    return lambda scope, rng: scope.python(POOL, kind).pid


def server(kind):
    return lambda scope, rng: scope.python(OWN_SERVER, kind).pid


def buffered(*options):
    return lambda scope, rng: scope.python(BUFFERED, *options).pid


def pinged(scope, _):
    agent = scope.python(PINGED)
    return int(bytes(agent.out).split()[0])


CASES = [
    sick("all-threads-waiting", "a server that asks itself", server("asks"),
        says="it waits for an answer from itself, on 127.0.0.1:", also=("clients-waiting",)),
    healthy("all-threads-waiting", "the same, which answers by itself", server("answers")),
    healthy("all-threads-waiting", "a tool server that is asked each minute", pinged),
    sick("all-threads-waiting", "a tool that does not flush its answer", buffered(),
        says="which has written 9 bytes of output to a buffer of its own, has not flushed them, and waits for input"),
    healthy("all-threads-waiting", "a tool that flushes its answers", buffered("-u")),
    sick("all-threads-waiting", "a prompt on a pseudo terminal", terminal("asks"),
        says="and that waits there for input: an answer to a prompt is missing"),
    healthy("all-threads-waiting", "a command at work on a pseudo terminal", terminal("works")),
    healthy("all-threads-waiting", "a shell at its prompt on a pseudo terminal", terminal("rests")),
    healthy("all-threads-waiting", "a shell on a pseudo terminal, for requests", terminal("shell")),
    sick("all-threads-waiting", "a parent that joins its workers before it reads their queue", queue("joins"),
        says="has filled a pipe that "),
    healthy("all-threads-waiting", "the same, which reads first", queue("reads")),
    sick("all-threads-waiting", "a command whose terminal is not read until its end", written("waits"),
        says="has filled a terminal that this process does not read"),
    healthy("all-threads-waiting", "the same, read slowly", written("reads")),
    sick("all-threads-waiting", "a child whose end is awaited, and that waits for input", fed("waits"),
        says="which waits for input that this process has to send"),
    healthy("all-threads-waiting", "a pipe between two children, of which one rests", between),
    healthy("all-threads-waiting", "the same, with a thread that writes", fed("writes")),
    sick("task-lost", "a worker that crashed with its task", pool("crashes"), says="all 2 workers wait for work",
        settings=("task-lost.min-time=1s",), duration_s=4),
    sick("task-lost", "the same, by an iterator", pool("crashes, iterated"), says="all 2 workers wait for work",
        settings=("task-lost.min-time=1s",), duration_s=4),
    sick("task-lost", "the same, whose end is awaited", pool("crashes, joined"), says="all 2 workers wait for work",
        settings=("task-lost.min-time=1s",), duration_s=4),
    healthy("task-lost", "workers at work", pool("works"), settings=("task-lost.min-time=1s",), duration_s=4),
    healthy("task-lost", "a callback that takes long", pool("calls back"), settings=("task-lost.min-time=1s",), duration_s=4,
        also=("cpu-spin",)),
    healthy("task-lost", "a pool at rest", pool("rests"), settings=("task-lost.min-time=1s",), duration_s=4),
]
