# SPDX-License-Identifier: BSD-2-Clause
"""How bench/loops stages a session: a real agent with a model that does as it is told, or a process that looks like Claude
Code beside a log that is written as Claude Code does it, for what takes longer than a run may."""
import contextlib
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from agents import fake_api, known, modes, protocols
from agents.agent import Agent
from family import Family

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER, PORT = "files", 8717
FAILS = "500"
TOKENS = 24000  # of the conversation that each request sends again: agents begin with as much
modes.REFUSALS[FAILS] = 500
protocols.INPUT, protocols.CACHED = TOKENS, TOKENS - 500
protocols.Anthropic.message["usage"]["cache_read_input_tokens"] = TOKENS
NODE_MUTE = ["node", "-e", "process.stdin.resume(); setInterval(() => {}, 1000)"]


class Scripted(Agent):
    """`call(number)`: what the model calls at its turn of this number; `server`: the way of an MCP server, see loop_server.py;
    `over_http`: that it is asked over HTTP, at a port where nothing listens without `has_server`."""

    def __init__(self, agent, call=None, server=None, over_http=False, has_server=True, **how):
        self.script, self.server_way, self.over_http, self.has_server = call, server, over_http, has_server
        self.turns, self.http = 0, None
        super().__init__(agent, mcp=[SERVER] if server else (), **{"mode": modes.TOOL_LOOP if call else modes.ANSWER,
                                                                   "think_s": 0.7, **how})

    def _mcp(self):
        if not self.server_way:
            return {}
        way = NODE_MUTE if self.server_way == "node" else [
            sys.executable, os.path.join(HERE, "loop_server.py"), SERVER, self.server_way]
        return {SERVER: way}

    def _write_files(self, place):
        super()._write_files(place)
        if self.over_http:
            self._write_http()
        if self.over_http and self.has_server:
            argv = [*self.namespace.enter(), *self._mcp()[SERVER], str(PORT)]
            self.http = subprocess.Popen(argv, stdout=subprocess.PIPE)
            self.http.stdout.readline()

    def _write_http(self):
        url = "http://127.0.0.1:%d/mcp" % PORT
        if self.agent is known.CODEX:
            path = os.path.join(self.home, ".codex/config.toml")
            with open(path, encoding="utf-8") as file:
                text = file.read().partition("[mcp_servers")[0]
            self._write(".codex/config.toml", text + "[mcp_servers.%s]\nurl = %s\n" % (SERVER, json.dumps(url)))
        else:
            self._write("mcp.json", json.dumps({"mcpServers": {SERVER: {"type": "http", "url": url}}}))

    def _write(self, name, text):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def _tool_call(self, mode):
        if not self.script or mode != modes.TOOL_LOOP:
            return super()._tool_call(mode)
        self.turns += 1
        name, arguments = self.script(self.turns)
        if name == "sh":
            return self.agent.command(arguments)
        if name == "mcp":
            return self.agent.mcp_tool.format(SERVER, "nothing"), arguments
        return name, arguments

    def refuse_connections(self):
        self.server.close()  # connections that are open, too

    def __exit__(self, *problem):
        super().__exit__(*problem)
        if self.http:
            self.http.stdout.close()
            self.http.wait()


@contextlib.contextmanager
def real(agent, seconds, then=None, **how):
    """Yields its PID once it has run for that long; `then`: is called once it has begun."""
    with Scripted(agent, **how) as running:
        pid = running.pid
        begin = time.monotonic()
        if running.on_terminal:
            running.wait_for_prompt()
            if not running.is_idle:
                running.ask(running.prompt)
        if then:
            then(running)
        time.sleep(max(0.0, seconds - (time.monotonic() - begin)))
        if running.child.poll() is not None:
            raise AssertionError("it ended: " + running.tell()[-300:])
        yield running.worker_pid if agent is known.CODEX else pid


# --- a log that goes on ---


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Log:
    """Lines as Claude Code writes them; `at` is the time of the next one."""

    def __init__(self):
        self.at, self.number = 0.0, 0

    def line(self, kind, **more):
        return {"type": kind, "timestamp": stamp(self.at), "isSidechain": False, **more}

    def prompt(self, text="go on", **more):
        return self.line("user", message={"role": "user", "content": text}, **more)

    def answer(self, content, why, **more):
        self.number += 1
        return self.line("assistant", message={"id": "msg_%d" % self.number, "role": "assistant", "model": "claude-x",
            "stop_reason": why, "usage": {"input_tokens": 10, "cache_read_input_tokens": TOKENS, "output_tokens": 120},
            "content": [content]}, **more)

    def says(self, text="It is done.", **more):
        return self.answer({"type": "text", "text": text}, "end_turn", **more)

    def calls(self, name, arguments, **more):
        return self.answer({"type": "tool_use", "id": "toolu_%d" % (self.number + 1), "name": name, "input": arguments},
                           "tool_use", **more)

    def result(self, text, is_error=False, **more):
        return self.line("user", message={"role": "user", "content": [{"type": "tool_result", "is_error": is_error,
            "tool_use_id": "toolu_%d" % self.number, "content": text}]}, **more)

    def queued(self, operation, **more):
        return self.line("queue-operation", operation=operation, **more)


@contextlib.contextmanager
def written(steps, pace_s, rounds, status="busy", status_s=1, begins=(), ends=()):
    """A process like Claude Code with a log: `begins`, then so many rounds of `steps(log, i)`, whose last one is now, and
    they go on at that pace; with `ends` they do not, and that stands at the end. A step is (seconds, line). `status_s`: since when
    it has its status."""
    place = tempfile.mkdtemp(prefix="sooth-bench-")
    os.chmod(place, 0o755)
    stop = threading.Event()
    try:
        with Family(place) as family:
            main = family.main()
            family.tell_session(main, status=status, statusUpdatedAt=int((time.time() - status_s) * 1000))
            path = family.write(".claude/projects/%s/%s.jsonl" % (
                re.sub("[^A-Za-z0-9]", "-", family.project()), main.session_id), "")
            writer = threading.Thread(target=write_log, args=(path, steps, pace_s, rounds, begins, ends, stop))
            writer.start()
            time.sleep(1)
            yield main.pid
            stop.set()
            writer.join()
    finally:
        stop.set()
        shutil.rmtree(place, ignore_errors=True)


def write_log(path, steps, pace_s, rounds, begins, ends, stop):
    log = Log()
    log.at = time.time() - rounds * pace_s - sum(s for s, _ in ends)

    def write(some):
        for seconds, make in some:
            log.at += seconds
            if stop.wait(max(0.0, log.at - time.time())):
                return
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(make(log)) + "\n")

    write(begins or [(0, lambda log: log.prompt())])
    i = 0
    while not stop.is_set() and (not ends or i < rounds):
        begin = log.at
        write(steps(i))
        log.at = begin + pace_s
        i += 1
    write(ends)
