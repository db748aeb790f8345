# SPDX-License-Identifier: BSD-2-Clause
"""The cases of bench/agents: how each is staged with a real agent, and the words that a right answer has."""
import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import typing

from agents import known, modes, processes
from agents.agent import Agent, wait_until

PROJECT, PEER_PROJECT = "orchard", "harbor"  # the folders; neutral, because reports show them
USER = 65534
AS_USER = ("setpriv", "--reuid=%d" % USER, "--regid=%d" % USER, "--clear-groups")
SHELL = ("sh", "-c", '"$@"; exit $?', "sh")  # the agent has a parent of the same user
SERVER = "files"
SCRIPT = "build.sh"
WORKS_S = 12  # of a tool or a loop before the questions
GROWS = "import time\nkept = []\nfor _ in range(200):\n    kept.append(b'x' * 4000000)\n    time.sleep(0.25)\ntime.sleep(600)"
SPIN = "delete process.env.NODE_OPTIONS;\nconst fs = require('fs');\nconst timer = setInterval(() => { if (fs.existsSync(%r)) for (;;); }, 200);\ntimer.unref();\n"
TIMEOUT_MS = 15000  # of a request, set in the agent: attempts follow each other soon
ATTEMPTS = 4


class Staged(Agent):
    """In a folder of its own, whose name says nothing; as another user where there is an owner."""

    def __init__(self, agent, project=PROJECT, owner=None, script=None, **how):
        self.place = tempfile.mkdtemp(prefix="sooth-bench-")
        os.chmod(self.place, 0o755)
        folder = os.path.join(self.place, project)
        os.mkdir(folder)
        self.owner, self.script = owner, script
        if script:
            with open(os.path.join(folder, SCRIPT), "w", encoding="utf-8") as file:
                file.write(script)
        before = (*AS_USER, *SHELL) if owner else ()
        super().__init__(agent, folder=folder, before=before, **how)

    def __exit__(self, *problem):
        try:
            super().__exit__(*problem)
        finally:
            shutil.rmtree(self.place, ignore_errors=True)

    def _write_files(self, place):
        super()._write_files(place)
        if not self.owner:
            return
        self.executable = self.link_for_all(self.executable)
        for folder in (self.root, self.home, self._file("tmp"), self.folder):
            own_tree(folder, self.owner)

    def _tool_call(self, mode):
        """Some refuse to sleep, but not what is in a script."""
        if self.script and mode == modes.TOOL:
            return self.agent.command("sh " + SCRIPT)
        return super()._tool_call(mode)

    def link_for_all(self, executable):
        """The installed agent lies where only root may read."""
        installed = executable[:-len(self.agent.executable)]
        target = os.path.join(self.place, "agent")
        for way in ("-al", "-a"):
            if not subprocess.run(["cp", way, installed, target], stderr=subprocess.DEVNULL).returncode:
                break
        return os.path.join(target, self.agent.executable)


def own_tree(folder, owner):
    for path, _, names in os.walk(folder):
        for name in (path, *(os.path.join(path, name) for name in names)):
            os.chown(name, owner, owner, follow_symlinks=False)


@dataclasses.dataclass
class Scene:
    """What is there when sooth is asked."""
    truth: str
    pids: typing.Callable = lambda: ()  # of the sick one, at the moment
    before: tuple = ()  # of each command of sooth
    owner: int = 0


@dataclasses.dataclass
class Case:
    number: str
    name: str
    stage: typing.Callable  # agent -> context manager of a Scene
    words: str  # a right answer has them
    agents: tuple = (known.CLAUDE_CODE,)
    has_peer: bool = True
    is_healthy: bool = False  # a diagnosis has nothing to find

    def words_for(self, command):
        return HEALTHY if self.is_healthy and command == "sooth diagnose" else self.words


def of_agent(running, truth):
    before, owner = (), running.owner or 0
    if owner:  # a user's sooth has the network of its agents
        before = (*running.namespace.enter(), *AS_USER)
    return Scene(truth, running.members, before, owner)


def asked_s(running):
    """Since the request that is under way."""
    return time.monotonic() - running.conversation()[-1].begin_ns / 1e9


@contextlib.contextmanager
def in_mode(agent, mode, seconds=0, truth="", **how):
    how = {"terminal": True, **how}
    with Staged(agent, mode=mode, **how) as running:
        running.wait_until_in_mode()
        time.sleep(max(0, seconds - asked_s(running)))
        yield of_agent(running, truth)
        if not is_still(running, mode):
            raise AssertionError("the agent left its state during the questions")


def is_still(running, mode):
    """A Return too many allows a command; a tool runs after a permission, so that its request was for another mode."""
    if mode in (modes.TOOL, modes.PERMISSION):
        return bool(running.tool_pids()) == (mode == modes.TOOL)
    return mode == modes.IDLE or running._is_in_mode()  # pylint: disable=protected-access


def silent(seconds):
    return lambda agent, **how: in_mode(agent, modes.NO_HEADERS, seconds, "the model has taken the request and sent "
        "nothing, not even headers, for %d s; the agent waits" % seconds, **how)


@contextlib.contextmanager
def retries(agent):
    with Staged(agent, mode=modes.NO_HEADERS, terminal=True,
                environment={"API_TIMEOUT_MS": str(TIMEOUT_MS)}) as running:
        running.wait_until_in_mode()
        begin = time.monotonic()
        wait_until(lambda: len(running.conversation()) >= ATTEMPTS, "%d attempts" % ATTEMPTS)
        time.sleep(5)
        yield of_agent(running, "the model sent nothing at all for %d s; the agent ended each request after %d s and is "
            "at attempt %d" % (time.monotonic() - begin, TIMEOUT_MS / 1000, len(running.conversation())))


def slow(agent):
    return in_mode(agent, modes.SLOW, 15, "an answer arrives, one word a second, for 15 s; all is well", words_per_s=1)


def permission(agent, **how):
    return in_mode(agent, modes.PERMISSION, 10, "the agent asks its user for permission to run a command and waits for him",
                   **how)


def tool(argv, truth, script=None):
    return lambda agent, **how: in_mode(agent, modes.TOOL, WORKS_S, truth, tool=argv, script=script, **how)


LONG = tool(("sleep", "300"), "a tool call runs sh %s, that runs sleep 300; the agent waits for it" % SCRIPT,
            "sleep 300\ntrue\n")
BURNS = tool(("/usr/bin/python3", "-c", "while True: pass"), "a tool call (python3) computes without end on a whole CPU")
GROWS_TOOL = tool(("/usr/bin/python3", "-c", GROWS), "a tool call (python3) keeps 4 MB more each 0.25 s, up to 800 MB")


@contextlib.contextmanager
def own_code(agent):
    """The code is loaded into the agent's own runtime, and spins at a signal of ours."""
    folder = tempfile.mkdtemp(prefix="sooth-bench-")
    script, trigger = os.path.join(folder, "more.js"), os.path.join(folder, "go")
    with open(script, "w", encoding="utf-8") as file:
        file.write(SPIN % trigger)
    name = "NODE_OPTIONS" if agent is not known.CLAUDE_CODE else "BUN_OPTIONS"
    try:
        option = {"NODE_OPTIONS": "--require ", "BUN_OPTIONS": "--preload="}[name]
        with Staged(agent, mode=modes.IDLE, environment={name: option + script}) as running:
            running.wait_until_in_mode()
            before = cpu_s(running.pid)
            with open(trigger, "w", encoding="utf-8"):
                pass
            time.sleep(WORKS_S)
            if cpu_s(running.pid) - before < 1:
                raise AssertionError("%s does not spin: %s has no effect on it" % (agent.name, name))
            yield of_agent(running, "the main thread of the agent itself is in an endless loop of JavaScript, no request "
                "is under way")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_s(pid):
    words = processes.words_of_stat(pid)
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK") if words else 0


@contextlib.contextmanager
def leftover(agent):
    with Staged(agent, mode=modes.TOOL, terminal=True, tool=("tail", "-f", "/dev/null")) as running:
        running.wait_until_in_mode()
        left = running.tool_pids()
        pid = running.pid
        running.kill(signal.SIGKILL)
        running.child.wait()
        wait_until(lambda: not processes.is_alive(pid), "the end of the agent")
        time.sleep(WORKS_S)
        left = [one for one in left if processes.is_alive(one)]
        yield Scene("the session was ended by SIGKILL %d s ago; %d processes of its tool call (tail -f /dev/null and its "
            "shell) run on" % (WORKS_S, len(left)), lambda: left)


def mute_server(agent):
    return in_mode(agent, modes.MCP_CALL, 20, "a call of the MCP server '%s' has no answer for 20 s" % SERVER,
                   mcp=[SERVER])


def limited(agent):
    return in_mode(agent, agent.retried, 20, "each request is refused with HTTP 429 (rate limit); the agent asks again "
        "and again", terminal=agent is not known.CODEX)


@contextlib.contextmanager
def nothing(_agent):
    yield Scene("no agent runs")


def as_user(stage):
    return lambda agent: stage(agent, owner=USER)


HEALTHY = r"no problem|^fine: .*(%s|all)" % PROJECT
SILENT = r"sent nothing for|no data (from .*)?for|no answer|silent"
FOUR = (known.CLAUDE_CODE, known.CODEX, known.OPENCODE, known.GEMINI)
CASES = (
    Case("1", "model silent 20 s", silent(20), SILENT, FOUR),
    Case("2", "model silent 72 s", silent(72), SILENT),
    Case("3", "silent over several attempts", retries, r"attempt|asks the model again"),
    Case("4", "slow and alive, a word a second", slow, r"receives an answer", FOUR, is_healthy=True),
    Case("5", "permission asked", permission, r"waits for you|permission"),
    Case("6", "long tool", LONG, r"%s|sleep 300" % SCRIPT, FOUR, is_healthy=True),
    Case("7", "a tool burns a core", BURNS, r"python3.*(CPU|loop|comput)|(CPU|loop|comput).*python3", FOUR),
    Case("8", "a tool grows memory", GROWS_TOOL, r"memory.*grow|grow.*memory|more memory|MiB more"),
    Case("9", "the agent's own code spins", own_code, r"loop|spin|computes|long computation",
         (known.CLAUDE_CODE_NODE, known.CLAUDE_CODE)),
    Case("10", "leftover, another session lives", leftover, r"(?i)ended|orphan|left behind|leftover"),
    Case("12", "mute MCP server", mute_server, r"MCP.*\b%s\b|\b%s\b.*MCP" % (SERVER, SERVER)),
    Case("13", "rate-limited (429)", limited, r"429|rate.limit|refuse|again"),
    Case("14.1", "as a user: model silent 20 s", as_user(silent(20)), SILENT),
    Case("14.5", "as a user: permission asked", as_user(permission), r"waits for you|permission"),
    Case("14.6", "as a user: long tool", as_user(LONG), r"%s|sleep 300" % SCRIPT, is_healthy=True),
    Case("11", "leftover, no other session", leftover, r"(?i)ended|orphan|left behind|leftover", has_peer=False),
    Case("15", "no agent at all", nothing, r"no agents", (None,), has_peer=False),
)


def find(words, lines):
    """The number of the first line with those words; 0: none."""
    return next((number for number, line in enumerate(lines, 1) if re.search(words, line)), 0)
