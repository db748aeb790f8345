# SPDX-License-Identifier: BSD-2-Clause
"""
Real programs for the tests of `sooth inspect`: servers on loopback with a client connected, an
interpreter at rest, an agent waiting for its answer. Each is stopped, by the test, while it is
compared, so that two looks at it must tell the same.

    with Programs() as programs:
        for name, pid in programs.held():
            ...

What could not be started is in `programs.missing` (name -> reason).
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import harness

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from agents import known, modes
from agents.agent import Agent, require_native

HOST = "127.0.0.1"
NODE = "require('net').createServer(() => {}).listen(%d, '%s'); setInterval(() => {}, 1000)"
PYTHON = "import socket, time; s = socket.create_server(('%s', %d)); time.sleep(3600)"
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
server {{ listen {host}:{port}; }} }}
"""


class Missing(Exception):
    """Not started, and why: nothing that is tested here is at fault."""


def program(*names):
    """The first of them that is installed."""
    postgres = "/usr/lib/postgresql"
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    if os.path.isdir(postgres):
        folders += [os.path.join(postgres, version, "bin") for version in os.listdir(postgres)]
    for name in names:
        found = shutil.which(name, path=":".join(folders))
        if found:
            return found
    raise Missing("no %s here" % " or ".join(names))


def bound_port():
    """
    (socket, port): as long as the socket is there, the kernel gives the port to nobody who takes any.
    Who asks for it by number gets it, as servers reuse addresses too.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    return holder, holder.getsockname()[1]


def children_of(pid):
    with contextlib.suppress(OSError):
        return [int(word) for word in harness.read(
            "/proc/%d/task/%d/children" % (pid, pid)).split()]
    return []


class Programs:
    def __init__(self, agent=True):
        self.with_agent = agent
        self.pids, self.missing = [], {}  # (name, pid); name -> reason
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        starters = [self.start_python, self.start_node, self.start_nginx, self.start_redis,
                    self.start_postgres] + [self.start_agent] * self.with_agent
        with contextlib.ExitStack() as stack:
            self.stack = stack
            self.folder = tempfile.mkdtemp(prefix="sooth-programs-")
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            os.chmod(self.folder, 0o755)
            for start in starters:
                try:
                    start()
                except Missing as reason:
                    self.missing[start.__name__.removeprefix("start_")] = str(reason)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self.stack.close()

    def held(self):
        """(name, pid), the process stopped until the next is asked for."""
        for name, pid in self.pids:
            try:
                harness.stop(pid)
                yield name, pid
            finally:
                os.kill(pid, signal.SIGCONT)

    # --- starting ---

    def run(self, *argv, **options):
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **options)
        self.stack.callback(self.end, child)
        return child

    @staticmethod
    def end(child):
        """Servers end their own children when they are asked to."""
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def port(self):
        holder, port = bound_port()
        self.stack.callback(holder.close)
        return port

    def connect(self, name, child, port, greeting=b""):
        """A client that stays connected. The kernel connects it as soon as the server listens, which
        may not be ready then: an answer to the greeting tells."""
        def try_once():
            if child.poll() is not None:
                raise AssertionError("%s ended with %d" % (name, child.returncode))
            with contextlib.suppress(OSError):
                return socket.create_connection((HOST, port))
            return None
        client = harness.wait_until(try_once, name + " to listen")
        self.stack.callback(client.close)
        if greeting:
            client.settimeout(harness.PATIENCE_S)
            client.sendall(greeting)
            if not client.recv(100):
                raise AssertionError("%s does not answer" % name)

    def start_python(self):
        port = self.port()
        child = self.run(sys.executable, "-c", PYTHON % (HOST, port))
        self.connect("python", child, port)
        self.pids.append(("python", child.pid))

    def start_node(self):
        port = self.port()
        child = self.run(program("node"), "-e", NODE % (port, HOST))
        self.connect("node", child, port)
        self.pids.append(("node", child.pid))

    def start_nginx(self):
        port, path = self.port(), os.path.join(self.folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(NGINX.format(folder=self.folder, host=HOST, port=port))
        child = self.run(program("nginx"), "-c", path, "-e", self.folder + "/first.log")
        self.connect("nginx", child, port)
        workers = harness.wait_until(lambda: children_of(child.pid), "nginx's worker")
        self.pids += [("nginx", child.pid), ("nginx worker", workers[0])]

    def start_redis(self):
        port = self.port()
        child = self.run(program("redis-server"), "--bind", HOST, "--port", str(port), "--save",
            "", "--appendonly", "no", "--unixsocket", self.folder + "/redis", "--dir",
            self.folder)
        self.connect("redis", child, port, b"PING\r\n")
        self.pids.append(("redis", child.pid))

    def start_postgres(self):
        port, data = self.port(), os.path.join(self.folder, "data")
        who = harness.as_nobody() if os.geteuid() == 0 else {}
        initdb, postgres = program("initdb"), program("postgres")
        os.mkdir(data)
        if who:
            os.chown(data, harness.NOBODY, harness.NOBODY)
        made = subprocess.run([initdb, "-D", data, "-A", "trust", "-N"], capture_output=True,
            text=True, cwd="/", **who)
        if made.returncode:
            raise Missing("initdb: " + made.stderr[-300:])
        child = self.run(postgres, "-D", data, "-p", str(port), "-h", HOST, "-k", "", cwd="/",
            **who)
        self.connect("postgres", child, port)
        others = harness.wait_until(lambda: children_of(child.pid), "postgres's children")
        self.pids += [("postgres", child.pid), ("postgres child", others[0])]

    def start_agent(self):
        """The native Claude Code, waiting for an answer that does not come."""
        reason = require_native()
        if reason:
            raise Missing(reason)
        agent = self.stack.enter_context(Agent(known.CLAUDE_CODE, mode=modes.NO_HEADERS))
        agent.wait_until_in_mode()
        time.sleep(0.5)  # what it does beside asking
        self.pids.append(("claude", agent.pid))
