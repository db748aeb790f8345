# SPDX-License-Identifier: BSD-2-Clause
"""
Ordinary programs at ordinary work, and real agents in each ordinary mode, for script/soak: each
starter takes a case.Scope and returns the pids to look at, or raises Missing.
"""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from agents import agent as agents  # noqa: E402
from agents import known, modes  # noqa: E402
from inspect_case import bound_port  # noqa: E402

NOBODY = 65534


class Missing(Exception):
    """This machine has no such program."""


def program(name, *others):
    for candidate in (name, *others):
        found = shutil.which(candidate)
        if found:
            return found
    raise Missing("no %s here" % name)


# --- programs ---

PYTHON = """
import json, os, random, tempfile, time
print("ready", flush=True)
cache = {}
while True:
    data = [{"id": i, "text": "x" * random.randint(1, 200)} for i in range(200)]
    with open("state.json", "w") as f:
        json.dump(data, f)
    with open("state.json") as f:
        cache[random.randint(0, 50)] = json.load(f)
    time.sleep(random.uniform(0.02, 0.2))
"""

NODE_SERVER = """
const http = require('http'), fs = require('fs');
const server = http.createServer((q, s) => {
  let body = []; for (let i = 0; i < 500; i++) body.push({i, t: 'x'.repeat(i % 50)});
  s.end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => {
  const port = server.address().port;
  fs.watch('.');
  console.log('ready');
  const agent = new http.Agent({keepAlive: true});
  setInterval(() => http.get({port, agent, host: '127.0.0.1'}, r => r.resume()), 50);
});
"""

SQLITE = """
import sqlite3, time
db = sqlite3.connect("soak.db")
db.execute("create table t(a integer, b text)")
print("ready", flush=True)
i = 0
while True:
    with db:
        db.executemany("insert into t values(?, ?)", [(i + k, "x" * 100) for k in range(50)])
    db.execute("select count(*), max(a) from t").fetchone()
    i += 50
    if i > 20000:
        db.execute("delete from t"); db.commit(); i = 0
    time.sleep(0.05)
"""

BUILD = """
import os, subprocess, sys, time
print("ready", flush=True)
open("a.c", "w").write("int main(void){return 0;}")
while True:
    work = [subprocess.Popen(["cc", "-O2", "a.c", "-o", "a%d" % i]) for i in range(2)]
    for w in work: w.wait()
    time.sleep(0.5)
"""


def python(scope):
    return [scope.python(PYTHON).pid]


def node(scope):
    return [scope.start([program("node"), "-e", NODE_SERVER]).pid]


def sqlite(scope):
    return [scope.python(SQLITE).pid]


def build(scope):
    program("cc")
    return [scope.python(BUILD).pid]


def port_of(scope):
    """Nobody else gets it meanwhile."""
    holder, port = bound_port()
    scope.later_last(holder.close)
    return port


def children_of(pid):
    path = "/proc/%d/task/%d/children" % (pid, pid)
    with open(path) as f:
        return [int(p) for p in f.read().split()]


def fetch_loop(scope, url):
    scope.python("""
import sys, time, urllib.request
print("ready", flush=True)
while True:
    try: urllib.request.urlopen(sys.argv[1]).read()
    except OSError: pass
    time.sleep(0.02)
""", url)


def nginx(scope):
    (scope.path / "nginx").mkdir()
    config = scope.path / "nginx.conf"
    port = port_of(scope)
    page = scope.path / "nginx" / "index.html"
    page.write_text("hello " * 2000)
    os.chmod(scope.path, 0o755)
    config.write_text("""daemon off; pid nginx.pid; error_log stderr; worker_processes 2;
events {} http { access_log off; server { listen 127.0.0.1:%d; root nginx; } }""" % port)
    server = scope.start([program("nginx", "/usr/sbin/nginx"), "-p", scope.path, "-c", config],
        ready=None)
    agents.wait_until(lambda: len(children_of(server.pid)) == 2, "nginx's workers")
    fetch_loop(scope, "http://127.0.0.1:%d/" % port)
    return [server.pid, *children_of(server.pid)]


def redis(scope):
    port = port_of(scope)
    server = scope.start([program("redis-server"), "--port", port, "--dir", scope.path,
        "--save", ""], ready=b"Ready to accept")
    scope.python("""
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
i = 0
while True:
    i = (i + 1) % 500
    s.sendall(b"SET k%d %s\\r\\nGET k%d\\r\\n" % (i, b"x" * 100, i))
    s.recv(4096)
    time.sleep(0.01)
""", port)
    return [server.pid]


def postgres(scope):
    """As nobody: it refuses to run as root."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        raise Missing("no postgres here")
    folder, data = found[-1].parent, scope.path / "pg"
    data.mkdir()
    os.chmod(scope.path, 0o755)
    if os.getuid() == 0:
        os.chown(data, NOBODY, NOBODY)
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    subprocess.run([folder / "initdb", "-D", data, "-U", "soak", "-A", "trust"], check=True,
        capture_output=True, cwd=data, **who)
    port = port_of(scope)
    server = scope.start([folder / "postgres", "-D", data, "-p", port, "-k", data,
        "-h", "127.0.0.1"], ready=None, **who)
    agents.wait_until(lambda: not subprocess.run([folder / "pg_isready", "-h", "127.0.0.1", "-p",
        str(port), "-U", "soak"], capture_output=True).returncode, "postgres to be ready")
    client = scope.start(["sh", "-c", "yes 'select count(*) from pg_class; select pg_sleep(0.02);' "
        "| %s -h 127.0.0.1 -p %d -U soak postgres >/dev/null" % (folder / "psql", port)], ready=None)
    agents.wait_until(lambda: len(children_of(client.pid)) == 2, "its client")
    return [server.pid, *children_of(server.pid), *children_of(client.pid)]


PROGRAMS = {"python": python, "node": node, "sqlite": sqlite, "a build": build, "nginx": nginx,
    "redis": redis, "postgres": postgres}

# --- agents ---


def of_agent(kind, mode, **options):
    def start(scope):
        reason = agents.reason_to_skip(kind)
        if reason:
            raise Missing(reason)
        agent = agents.Agent(kind, mode=mode, **options)
        agent.__enter__()
        scope.later(agent.__exit__)
        agent.wait_until_in_mode()
        return sorted({agent.pid, agent.worker_pid})
    return start


AGENTS_AT_WORK = {
    "Claude Code, answering slowly": of_agent(known.CLAUDE_CODE, modes.SLOW, terminal=True),
    "Claude Code, with a long tool call": of_agent(known.CLAUDE_CODE, modes.TOOL),
    "Claude Code, one tool after another": of_agent(known.CLAUDE_CODE, modes.TOOL_LOOP,
        think_s=0.2, tool=("date", "+%N")),  # with another result each time
}
AGENTS = {
    **AGENTS_AT_WORK,
    "Claude Code at its prompt": of_agent(known.CLAUDE_CODE, modes.IDLE),
    "Claude Code 2.1.112 at its prompt": of_agent(known.CLAUDE_CODE_NODE, modes.IDLE),
    "Codex at its prompt": of_agent(known.CODEX, modes.IDLE),
    "opencode at its prompt": of_agent(known.OPENCODE, modes.IDLE),
    "Gemini CLI at its prompt": of_agent(known.GEMINI, modes.IDLE),
}
