# SPDX-License-Identifier: BSD-2-Clause
"""errors-logged: a program logs the same error again and again, and hardly anything else."""
import sys

from case import healthy, sick

# Takes the files of its inbox one after the other; which of them are bad says the argument. It logs
# to its standard error, or to a log of its own.
IMPORTER = """
import logging, sys, time
bad, where = sys.argv[1], sys.argv[2]
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s",
    **({"filename": where} if where != "-" else {}))
print("ready", flush=True)
for i in range(10000):
    logging.info("opening part %d", i)
    try:
        if bad == "all" or (bad == "some" and i % 6 == 0):
            bytes([77, 252]).decode()
        logging.info("stored part %d: %d rows", i, i * 3)
    except UnicodeDecodeError:
        logging.exception("import failed")
    time.sleep(0.4)
"""

# Of a server: its own log has the errors of some clients, another one all requests.
SERVER = """
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
errors, access = open("error.log", "a"), open("access.log", "a")
print("ready", flush=True)
for i in range(10000):
    print(f"10:00:{i % 60:02} GET /page/{i} 200", file=access, flush=True)
    if i % 4 == 0:
        print(f"10:00:{i % 60:02} ERROR client {i}: broken pipe", file=errors, flush=True)
    time.sleep(0.2)
"""

# Opens its log for each message; its pid stands there, or that of another program.
OPENS = """
import os, sys, time
pid = os.getpid() if sys.argv[1] == "own" else os.getppid()
print("ready", flush=True)
while True:
    with open("replica.log", "a") as log: print("%d:S 10:00:00 # Error reply from master: NOAUTH" % pid, file=log)
    time.sleep(0.5)
"""

# Refused for a while each time, as it is told; what it gets at last it stores and hardly logs.
LIMITED = """
import sys, time
print("ready", flush=True)
for i in range(100000):
    for _ in range(4):
        print("429 Too Many Requests contact %d, failed, waiting 0.1 s" % i, file=sys.stderr)
        time.sleep(0.1)
    with open("contacts.jsonl", "a") as out: out.write("{}\\n")
"""

RUBY = """
require "logger"
log = Logger.new("import.log")
puts "ready"; $stdout.flush
loop do
  begin
    log.info "opening addresses.csv"
    text = [77, 195, 188].pack("C*").force_encoding("US-ASCII")
    raise ArgumentError, "invalid byte sequence in US-ASCII" if not text.valid_encoding? and ARGV[0] == "bad"
    log.info "stored 1 row"
  rescue => e
    log.error "import failed: #{e.message} (#{e.class})"
  end
  sleep 0.7
end
"""


def importer(bad, where):
    def make(scope, _):
        if where != "-":
            return scope.python(IMPORTER, bad, where).pid
        return scope.start(["sh", "-c", 'exec "$@" 2>worker.err', "sh", sys.executable, "-u", "-c", IMPORTER, bad,
            where]).pid
    return make


# Reads the standard error of its child, as an agent does with its servers, and drops it.
SUPERVISOR = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE)
print(child.pid, flush=True)
print('ready', flush=True)
child.stderr.read()
"""


def in_pipe(*command):
    return lambda scope, _: int(bytes(scope.python(SUPERVISOR, *command).out).split()[0])


# Prints what it serves, and an error now and then; or the error alone.
NODE = """
let n = 0;
console.log('ready');
setInterval(() => {
  if (process.argv[1] === 'good') console.log('sent page ' + n);
  if (process.argv[1] === 'bad' || n % 4 == 0) console.error('Error: cannot parse rules.json at position ' + n);
  n++;
}, 300);
"""


# A server without clients. Node warns of each delay that does not fit into 32 bits, and makes 1 ms of it.
MONTHLY = """
require('http').createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', sweep);
console.log('ready');
function sweep() { setTimeout(sweep, 30 * 24 * 3600 * 1000); }
"""


def warned(scope, _):
    return scope.start(["sh", "-c", 'exec "$@" 2>server.err', "sh", "node", "-e", MONTHLY]).pid


# What node says if inotify_init1(2) fails.
UNWATCHED = """
console.log('ready');
setInterval(() => console.error("Error: EMFILE: too many open files, watch 'src'"), 300);
"""


def ruby(how):
    def make(scope, _):
        return scope.start(["ruby", "-e", RUBY, how]).pid
    return make


def opens(whose):
    return lambda scope, _: scope.python(OPENS, whose).pid


def limited(scope, _):
    return scope.start(["sh", "-c", 'exec "$@" 2>sync.log', "sh", sys.executable, "-u", "-c", LIMITED]).pid


def server(scope, _):
    return scope.python(SERVER).pid


CASES = [
    sick("errors-logged", "a bad encoding, in python's log", importer("all", "import.log"),
        says="import failed; UnicodeDecodeError: 'utf-8' codec can't decode byte 0xfc"),
    sick("errors-logged", "a bad encoding, on standard error", importer("all", "-"),
        says="UnicodeDecodeError: 'utf-8' codec can't decode byte 0xfc"),
    sick("errors-logged", "a wrong locale, in ruby's log", ruby("bad"),
        says="import failed: invalid byte sequence in US-ASCII (ArgumentError)"),
    sick("errors-logged", "a log that is opened for each message", opens("own"), says="Error reply from master: NOAUTH"),
    sick("errors-logged", "a bad encoding, on standard error that is a pipe",
        in_pipe(sys.executable, "-u", "-c", IMPORTER, "all", "-"), calls=True,
        says="UnicodeDecodeError: 'utf-8' codec can't decode byte 0xfc"),
    sick("errors-logged", "node, on standard error that is a pipe", in_pipe("node", "-e", NODE, "bad"), calls=True,
        says="writes to standard error the same error again and again: \"cannot parse rules.json"),
    sick("errors-logged", "a program that cannot watch files", in_pipe("node", "-e", UNWATCHED), calls=True,
        says="perhaps the user has no inotify instance left"),
    sick("errors-logged", "a server that is warned by its runtime", warned, says="TimeoutOverflowWarning: "),
    healthy("errors-logged", "node with an error now and then", in_pipe("node", "-e", NODE, "good"), calls=True),
    healthy("errors-logged", "a log of another program in its folder", opens("other")),
    healthy("errors-logged", "one part in six is bad", importer("some", "import.log")),
    healthy("errors-logged", "a client that is told to wait, and stores what it gets", limited, calls=True),
    healthy("errors-logged", "ruby that imports", ruby("good")),
    healthy("errors-logged", "a server whose error log has errors alone", server),
]
