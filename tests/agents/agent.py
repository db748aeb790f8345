# SPDX-License-Identifier: BSD-2-Clause
"""
A real agent, put into one exact mode and kept there.

    with Agent(known.CLAUDE_CODE, mode=modes.STALL, prompt="hi") as agent:
        agent.wait_until_in_mode()
        ... look at agent.pid ...

It runs in a network namespace with the fake server and nothing else, with a HOME of its own and
none of the caller's environment but PATH and its like; the test stays outside. When the block is
left every process of that namespace is ended, whoever is its parent by then.

CannotInstall and CannotServe say that this machine has no such agent (a reason to skip); anything
else that goes wrong is an AssertionError.
"""
import contextlib
import functools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import waiting
from agents import fake_api, install, known, modes, namespace, processes, tls
from agents import terminal as terminals

PATIENCE_S = 300  # against hanging: at load 40 an agent takes two minutes to its prompt
# All else of ours stays outside: keys and settings of whoever runs the tests.
KEPT = ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS")
TOOL = ("tail", "-f", "/dev/null")  # the commands themselves refuse a plain sleep
SHORT_TOOL = ("echo", "again")
# Some agents only ask before what writes. One waits for ever for a shell that a signal ended.
WRITING_TOOL = "touch made; tail -f /dev/null; true"
MCP_SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mcp_server.py")
RETRIES = 2         # requests after which a refusal is known to be tried again
WORDS_OF_SLOW = 3
LOOPS = 3
QUIET_S = 1.0       # a terminal that has shown nothing for so long waits
KEYS_S = 0.3
RETURN_S = 5
REQUIRE = "SOOTH_REQUIRE_NATIVE_AGENT"
wait_until = functools.partial(waiting.wait_until, timeout=PATIENCE_S)


class Ended:
    """What an agent left that has ended by itself."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __str__(self):
        return "status %d\n--- out\n%s\n--- err\n%s" % (self.status, self.out[-4000:],
                                                        self.err[-4000:])


@functools.cache
def reason_to_skip(agent):
    """None when it can be started here: it is installed then. What was tried is not tried again."""
    reason = namespace.cannot_serve()
    if reason:
        return reason
    try:
        install.install(agent)
    except install.CannotInstall as error:
        return str(error)
    return None


def require_native():
    """
    For those who would not have the native Claude Code skipped unnoticed: raises where the
    environment says that it has to be there and it is not. Gives the reason to skip, or None.
    """
    reason = reason_to_skip(known.CLAUDE_CODE)
    if reason and os.environ.get(REQUIRE):
        raise AssertionError("%s is set, and: %s" % (REQUIRE, reason))
    return reason


class Agent:
    def __init__(self, agent, mode=modes.ANSWER, prompt="hi", mcp=(), terminal=False, folder=None,
                 before=(), arguments=(), environment=None, words_per_s=5, think_s=0, way=None,
                 over_tls=False, tool=TOOL):
        """
        `mcp`: names of MCP servers it is to start. `folder`: where it works. `before`: a command
        that is given the agent's command line and runs it. `arguments`, `environment`: besides its
        own. `think_s`: of the model, before it calls a tool. `way`: into the namespace. `over_tls`:
        the server speaks TLS. `tool`: the command of TOOL. IDLE and PERMISSION imply
        a terminal; with any other mode the prompt is typed there. MCP_CALL needs a server in `mcp`.
        """
        self.agent, self.first_mode, self.prompt, self.mcp = agent, mode, prompt, tuple(mcp)
        self.is_idle = mode == modes.IDLE
        self.asks_user = mode == modes.PERMISSION
        self.on_terminal = terminal or self.is_idle or self.asks_user
        self.over_tls, self.tool = over_tls, tuple(tool)
        self.folder, self.before, self.words_per_s = folder, tuple(before), words_per_s
        self.more_arguments = tuple(arguments)
        self.more_environment, self.way, self.think_s = environment or {}, way, think_s
        self.child = self.terminal = self.server = None
        self.is_asked, self.since_ns, self.returned_ns = False, 0, 0
        self.asked_ns = 0  # the last prompt on the terminal; CLOCK_MONOTONIC
        self._started = None

    # --- begin and end ---

    def __enter__(self):
        self.executable = install.install(self.agent)
        # Short: sockets have their place in it. Resolved: agents compare paths with their settings.
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="sooth-agent-"))
        self.namespace = namespace.Namespace(self.root, self.way)
        try:
            self.namespace.__enter__()
        except BaseException:
            shutil.rmtree(self.root, ignore_errors=True)
            raise
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.child:
                self.child.kill()  # it may not be inside yet
            self.namespace.end_members()
            if self.child:
                self.child.wait()
            if self.terminal:
                self.terminal.close()
        finally:
            if self.server:
                self.server.close()
            self.namespace.__exit__()

    def _start(self):
        authority = tls.Authority(self._file("authority")) if self.over_tls else None
        self.trust = authority.environment if authority else {}
        self.server = fake_api.Server(self.namespace.listening,
            modes.ANSWER if self.is_idle else self.first_mode, self.words_per_s,
            self._tool_call, self.think_s, authority and authority.context).serve()
        for name in ("home", "tmp", "work"):
            os.mkdir(self._file(name))
        self.home, self.folder = self._file("home"), self.folder or self._file("work")
        place = known.Place(self.home, os.path.realpath(self.folder), self.server.url, self._mcp(),
                            self.asks_user)
        self._write_files(place)
        command = [*self.namespace.enter(), *self.before, self.executable, *self._arguments(place)]
        self.begin = time.monotonic()
        with contextlib.ExitStack() as stack:
            options = self._terminal_options() if self.on_terminal else self._file_options(stack)
            self.child = subprocess.Popen(command, env=self._environment(), cwd=place.folder,
                **options)
        if self.terminal:
            self.terminal.started()

    def _write_files(self, place):
        for name, text in self.agent.files(place).items():
            path = os.path.join(self.home, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def _arguments(self, place):
        more = [*self.agent.more_arguments(place), *self.more_arguments]
        if self.asks_user:
            return [*more, *self.agent.asking]
        if self.on_terminal:
            return [*more, *self.agent.terminal]
        return [*more, *self.agent.arguments, self.prompt]

    def _environment(self):
        ours = {name: os.environ[name] for name in KEPT if name in os.environ}
        theirs = {name: value.format(url=self.server.url)
                  for name, value in self.agent.environment.items()}
        of_terminal = {"TERM": "xterm-256color"} if self.on_terminal else {}
        return {**ours, "PATH": install.search_path(self.agent), "HOME": self.home, "SHELL": "/bin/bash", "TMPDIR": self._file("tmp"), "LC_ALL": "C.UTF-8",
                **of_terminal, **theirs, **self.trust, **self.more_environment}

    def _terminal_options(self):
        self.terminal = terminals.Terminal()
        return self.terminal.options()

    def _file_options(self, stack):
        out, err = (stack.enter_context(open(self._file(name), "wb")) for name in ("out", "err"))
        return {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err,
                "start_new_session": True}

    def _file(self, name):
        return os.path.join(self.root, name)

    def _mcp(self):
        return {name: [sys.executable, MCP_SERVER, name, self._file("mcp")] for name in self.mcp}

    def _tool_call(self, mode):
        if mode == modes.MCP_CALL:
            return self.agent.mcp_tool.format(self.mcp[0], "never"), {}
        if mode == modes.PERMISSION:
            name, arguments = self.agent.command(WRITING_TOOL)
            return name, {**arguments, **self.agent.to_ask}
        return self.agent.command(shlex.join(
            SHORT_TOOL if mode == modes.TOOL_LOOP and self.tool == TOOL else self.tool))

    # --- its processes ---

    @property
    def pid(self):
        """Of the agent proper, whatever it was started by."""
        return self._programs()[-1]

    @property
    def launcher_pid(self):
        """Of the program that only starts the agent; None where there is no such."""
        return self._programs()[-2] if self.agent.has_launcher else None

    def _programs(self):
        """From the first started to the agent proper. What was found is kept: it may end."""
        if not self._started:
            self._started = self._wait(self._find_programs, "start", PATIENCE_S)
        return self._started

    def _find_programs(self):
        """Each program here starts the next and nothing else, or becomes it."""
        pids = [self.child.pid]
        for _ in range(bool(self.before) + self.agent.has_launcher):
            children = [pid for pid in self.members() if processes.parent(pid) == pids[-1]]
            if not children:
                return None
            pids.append(min(children))
        return pids

    def members(self):
        """Everything that runs for it, launcher and agent too, whoever is the parent by now."""
        return self.namespace.members()

    def descendants(self):
        """All it started, also what has lost its parent since."""
        return [pid for pid in self.members() if pid not in self._programs()]

    def mcp_pids(self):
        """Of the MCP servers, in the order of their names."""
        pids = {name: [] for name in self.mcp}
        for pid in self.members():
            argv = processes.arguments(pid)
            if len(argv) > 3 and argv[1] == MCP_SERVER and argv[3] == self._file("mcp"):
                pids[argv[2]].append(pid)
        return [pid for name in self.mcp for pid in pids[name]]

    @property
    def worker_pid(self):
        """Of the process that asks the server and has the tools: on a terminal not always the one
        that shows them."""
        members = self.members()
        parts = len(self.agent.worker)
        return next((pid for pid in members if parts and
                     tuple(processes.arguments(pid)[1:1 + parts]) == self.agent.worker), self.pid)

    def tool_pids(self):
        """The command of a tool that does not end, then what stands between it and the agent."""
        members, worker = self.members(), self.worker_pid
        for pid in members:
            if tuple(processes.arguments(pid)) == self.tool:
                between = processes.ancestors(pid, members)
                above = between.index(worker) if worker in between else len(between)
                return [pid] + between[:above]
        return []

    # --- its mode ---

    @property
    def mode(self):
        return modes.IDLE if self.is_idle else self.server.mode

    def set_mode(self, mode):
        """From now on. What is held back goes on, in the new mode."""
        self.since_ns, self.is_idle = time.monotonic_ns(), mode == modes.IDLE
        self.server.mode = modes.ANSWER if self.is_idle else mode

    def requests(self):
        """What the server was asked, as fake_api.Exchange."""
        return self.server.requests()

    def conversation(self):
        """The requests that a mode is for; whatever else is asked gets a plain answer."""
        return [exchange for exchange in self.requests() if exchange.tools]

    def wait_for_prompt(self, timeout=PATIENCE_S):
        """Of the terminal, ready for ask()."""
        self._wait(self._is_at_prompt, "the prompt", timeout)

    def wait_until_in_mode(self, timeout=PATIENCE_S):
        """By what the server, /proc and the terminal show. An agent that ends first has failed."""
        if self.on_terminal and not self.is_asked:
            self.wait_for_prompt(timeout)
            if not self.is_idle:
                self.ask(self.prompt)
        self._wait(self._is_in_mode, self.mode, timeout)

    def ask(self, prompt):
        """
        On the terminal. The pause is for agents that take a fast Return for a pasted line. One that
        had not begun to read keys gets both at once all the same: it has a line more then, and is
        given another Return.
        """
        self.since_ns = self.asked_ns = time.monotonic_ns()
        self.is_asked = True
        before = self.terminal.last_ns
        self.terminal.type(prompt.encode())
        wait_until(lambda: self.terminal.last_ns != before and self.terminal.quiet_s() > KEYS_S,
                   "what was typed to be shown")
        self._return()
        self._wait(self._is_sent, "what was typed to be sent", PATIENCE_S)

    def _return(self):
        self.returned_ns = time.monotonic_ns()
        self.terminal.type(b"\r")

    def _is_sent(self):
        """Whoever goes on waiting at its prompt with what was typed gets another Return."""
        if any(exchange.changed_ns >= self.since_ns for exchange in self.conversation()):
            return True
        if (time.monotonic_ns() - self.returned_ns > RETURN_S * 1e9
                and self.terminal.quiet_s() > QUIET_S):
            self._return()
        return False

    def _wait(self, condition, what, timeout):
        def condition_or_end():
            value = condition()
            if not value and self.child.poll() is not None:
                raise AssertionError("%s ended on the way to: %s; %s" % (self.agent.name, what,
                                                                        self.tell()))
            return value
        return wait_until(condition_or_end, lambda: "%s to be in mode: %s; %s" % (
            self.agent.name, what, self.tell()), timeout=timeout)

    def _is_in_mode(self):
        now = [exchange for exchange in self.conversation()
               if exchange.mode == self.mode and exchange.changed_ns >= self.since_ns]
        if not self._has_mcp() or not IN_MODE[self.mode](now):
            return False
        if self.mode == modes.TOOL:
            return self._is_tool_running()
        if self.mode == modes.PERMISSION:
            return self.agent.asks.replace(" ", "") in self.terminal.text().replace(" ", "")
        if self.mode == modes.MCP_CALL:
            return any(" tools/call" in line for line in self._mcp_log())
        if self.on_terminal and self.mode in (modes.ANSWER, modes.IDLE):
            return self._is_at_prompt()
        return True

    def _is_at_prompt(self):
        return self._shows(self.agent.idle_asking if self.asks_user else self.agent.idle)

    def _shows(self, text):
        return text in self.terminal.text() and self.terminal.quiet_s() > QUIET_S

    def _is_tool_running(self):
        """As a descendant of the agent, whose parents are all there."""
        tools = self.tool_pids()
        return bool(tools) and processes.parent(tools[-1]) == self.worker_pid

    def _has_mcp(self):
        """Each server was asked for its tools."""
        if not self.mcp:
            return True
        said = self._mcp_log()
        return all(name + " tools/list" in said for name in self.mcp)

    def _mcp_log(self):
        try:
            with open(self._file("mcp"), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    # --- its end ---

    def kill(self, number=signal.SIGKILL):
        """A signal to the agent proper and to nothing else."""
        os.kill(self.pid, number)

    def wait_for_end(self, timeout=PATIENCE_S):
        """Of the agent and of its launcher."""
        pid = self.pid
        wait_until(lambda: self.child.poll() is not None and not processes.is_alive(pid),
                   lambda: "%s to end; %s" % (self.agent.name, self.tell()), timeout=timeout)
        return self.child.returncode

    def finish(self, timeout=PATIENCE_S):
        """Waits until it ends by itself; gives how it did."""
        try:
            status = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("waited %d s for %s to end; %s" % (timeout, self.agent.name,
                                                                   self.tell())) from None
        return Ended(status, self.output("out"), self.output("err"), time.monotonic() - self.begin)

    def output(self, name="out"):
        """What it wrote so far: "out" or "err"; on a terminal what was shown."""
        if self.terminal:
            return self.terminal.text()
        with open(self._file(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def tell(self):
        """How things stand, for whoever reads a failure."""
        text = ["asked: %s" % exchange for exchange in self.requests()[-8:]]
        text += ["%d: %s" % (pid, processes.arguments(pid)) for pid in self.members()]
        text += ["status %s" % self.child.poll(), self.output()[-2000:]]
        text += [] if self.terminal else [self.output("err")[-2000:]]
        return "\n".join(text)


def some(count, state, least=0):
    """Whether so many requests are in that state, with at least so many words sent."""
    return lambda asked: sum(exchange.state == state and exchange.words >= least
                             for exchange in asked) >= count


IN_MODE = {
    modes.ANSWER: some(1, "answered"),
    modes.SLOW: some(1, "asked", WORDS_OF_SLOW),
    modes.STALL: some(1, "held", fake_api.WORDS_BEFORE_STALL),
    modes.NO_HEADERS: some(1, "held"),
    modes.LIMITED: some(RETRIES, "refused"),
    modes.OVERLOADED: some(RETRIES, "refused"),
    modes.RESET: some(RETRIES, "refused"),
    modes.TOOL: some(1, "answered"),
    modes.TOOL_LOOP: some(LOOPS, "answered"),
    modes.PERMISSION: some(1, "answered"),
    modes.MCP_CALL: some(1, "answered"),
    modes.IDLE: lambda _: True,
}
