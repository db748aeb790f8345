# SPDX-License-Identifier: BSD-2-Clause
"""The cases of bench/loops: sessions that use tokens or wait and get nowhere, and twins that look alike and are well."""
import dataclasses
import functools
import time
import typing

from agents import modes
from agents.known import CLAUDE_CODE, CLAUDE_CODE_NODE, CODEX, GEMINI, OPENCODE
from loop_staging import FAILS, SERVER, real, written

MCP = r"MCP server"
LOOP = r"in a loop|again and again|without an effect|cannot connect"
REFUSED = r"refused|asks the model again|answers? with errors|no connection|attempt"


@dataclasses.dataclass
class Case:
    name: str
    stage: typing.Callable  # () -> context manager of a PID
    words: str = ""  # one of the first three lines has them; "": it is well


def turns(*commands):
    """The commands in turn."""
    return lambda i: ("sh", commands[i % len(commands)])


def of(agent, seconds, call=None, **how):
    """A real agent, looked at after so many seconds."""
    return functools.partial(real, agent, seconds, call=call, **how)


def mcp(agent, seconds, way, **how):
    return of(agent, seconds, lambda i: ("mcp", {"n": i}), server=way, **how)


def mute(agent, seconds, way, **how):
    """The model runs something else, so that the agent is at work."""
    return of(agent, seconds, lambda i: ("sh", "date +%N"), server=way, **how)


def answers(running, after_s=4):
    """The model answers again after a while."""
    time.sleep(after_s)
    running.set_mode(modes.TOOL_LOOP)


def refuses_connections(running):
    time.sleep(3)
    running.refuse_connections()


# --- logs: steps of one round ---


def one_call(name, arguments, text, is_error=False, takes_s=1):
    """`arguments`, `text`: of the round's number."""
    return lambda i: [(0, lambda log: log.calls(name, arguments(i))),
                      (takes_s, lambda log: log.result(text(i), is_error))]


def says(text="It is done."):
    return lambda i: [(0, lambda log: log.says(text))]


def woken(i):
    """A program wakes the session, not a user."""
    return [(0, lambda log: log.prompt("Continue.", isMeta=True)), (2, lambda log: log.says("Nothing is left to do."))]


def blocked(i):
    """A Stop hook does not let the turn end."""
    return [(0, lambda log: log.says("It is done.")),
            (0.5, lambda log: log.prompt("Stop hook feedback:\n- tests are missing", isMeta=True))]


def subagent(i):
    return [(0, lambda log: log.calls("Read", {"file_path": "/src/%d.c" % i}, isSidechain=True)),
            (0.5, lambda log: log.result("text %d" % i, isSidechain=True))]


def command(text):
    return lambda i: {"command": text, "description": "a check"}


FIX = ("sed -i s/one/two/ a.txt; echo done", "echo '1 test failed: login'", "sed -i s/two/one/ a.txt; echo done",
       "echo '1 test failed: login' # again")
FILES = tuple("echo text of file %d" % i for i in range(12))
TASK = [(0, lambda log: log.prompt()), (1, lambda log: log.calls("Task", {"prompt": "look through it"}))]
WAITING_PROMPT = [(2, lambda log: log.says()), (1, lambda log: log.queued("enqueue", content="and now the tests")),
                  (300, lambda log: log.queued("enqueue", content="well?"))]
REST = [(1, lambda log: log.says())]

SICK = [
    Case("Claude Code: one call", of(CLAUDE_CODE, 14, turns("echo again")), LOOP),
    Case("Codex: one call", of(CODEX, 14, turns("echo again")), LOOP),
    Case("opencode: one call", of(OPENCODE, 25, turns("echo again")), LOOP),
    Case("Claude Code: two in turn", of(CLAUDE_CODE, 18, turns("ls", "echo 2 failed")), LOOP),
    Case("Gemini: twelve in turn", of(GEMINI, 45, turns(*FILES)), LOOP),
    Case("Gemini: five in turn", of(GEMINI, 40, turns(*FILES[:5])), LOOP),
    Case("Claude Code: three in turn", of(CLAUDE_CODE, 25, turns("ls", "echo 2 failed", "pwd")), LOOP),
    Case("Codex: three in turn", of(CODEX, 25, turns("ls", "echo 2 failed", "pwd")), LOOP),
    Case("opencode: three in turn", of(OPENCODE, 35, turns("ls", "echo 2 failed", "pwd")), LOOP),
    Case("Claude Code 2.1.112: 429", of(CLAUDE_CODE_NODE, 20, mode=modes.LIMITED), REFUSED),
    Case("Claude Code: 500", of(CLAUDE_CODE, 20, mode=FAILS), REFUSED),
    Case("Claude Code: connection refused", of(CLAUDE_CODE, 20, turns("date +%N"), then=refuses_connections), REFUSED),
    Case("Codex: 500", of(CODEX, 20, mode=FAILS), REFUSED),
    Case("Gemini: 429", of(GEMINI, 25, mode=modes.LIMITED), REFUSED),
    Case("opencode: 500", of(OPENCODE, 30, mode=FAILS), REFUSED),
    Case("Claude Code: the same error of other commands",
         of(CLAUDE_CODE, 25, lambda i: ("sh", "curl -s http://127.0.0.1:9/%d" % i)), LOOP),
    Case("Claude Code: an edit, a test, the edit undone", of(CLAUDE_CODE, 25, turns(*FIX)), LOOP),
    Case("Claude Code: reads twelve files again and again", of(CLAUDE_CODE, 40, turns(*FILES)), LOOP),
    Case("Claude Code: a Stop hook that never lets it end",
         functools.partial(written, blocked, 4, 30), r"no prompt|without an effect|Stop"),
    Case("Claude Code: woken by a program after its turn", functools.partial(written, woken, 8, 40),
         r"no prompt|without an effect"),
    Case("Claude Code: a prompt is queued, and nothing starts",
         functools.partial(written, one_call("Bash", command("make"), lambda i: "step %d" % i), 5, 4,
                           status_s=303, ends=WAITING_PROMPT),
         r"queue|prompt"),
    Case("MCP answers with errors", mcp(CLAUDE_CODE, 15, "errors"), MCP),
    Case("MCP is mute", mute(CLAUDE_CODE, 20, "mute"), MCP),
    Case("MCP on node is mute, Codex", mute(CODEX, 20, "node"), MCP),
    Case("MCP ends at its start", mute(CLAUDE_CODE, 15, "ends"), MCP),
    Case("MCP does not answer a call", mcp(CLAUDE_CODE, 70, "never"), MCP),
    Case("MCP prints other text", mcp(CLAUDE_CODE, 15, "words"), MCP + ".*(text|print|messages)"),
    Case("MCP over HTTP is mute", mute(CLAUDE_CODE, 40, "mute", over_http=True), MCP),
    Case("MCP over HTTP answers with 500", mcp(CLAUDE_CODE, 20, "broken", over_http=True), MCP),
    Case("MCP over HTTP does not answer a call, Codex", mcp(CODEX, 70, "never", over_http=True), MCP),
]

DOTS = "for i in $(seq 200); do echo test $i ok; sleep 0.4; done"
WELL = [
    Case("Claude Code: a batch over many files", of(CLAUDE_CODE, 25, lambda i: ("sh", "echo file %d" % i))),
    Case("Codex: a batch over many files", of(CODEX, 25, lambda i: ("sh", "echo file %d" % i))),
    Case("Gemini: a batch over many files", of(GEMINI, 25, lambda i: ("sh", "echo file %d" % i))),
    Case("opencode: a batch over many files", of(OPENCODE, 30, lambda i: ("sh", "echo file %d" % i))),
    Case("Claude Code: a watch with changing answers", of(CLAUDE_CODE, 25, turns("date +%N"))),
    Case("Codex: a watch with changing answers", of(CODEX, 25, turns("date +%N"))),
    Case("Claude Code: polls once a minute", functools.partial(
        written, one_call("Bash", command("gh run view 7"), lambda i: "in progress"), 60, 12)),
    Case("Claude Code: keeps its cache warm", functools.partial(written, says("ok"), 240, 8)),
    Case("Claude Code: idle", of(CLAUDE_CODE, 15, mode=modes.IDLE)),
    Case("Claude Code: a slow test run", of(CLAUDE_CODE, 20, turns(DOTS))),
    Case("Codex: a slow test run", of(CODEX, 20, turns(DOTS))),
    Case("Claude Code: reads fifty files first", of(CLAUDE_CODE, 30, lambda i: ("sh", "seq %d 80" % i), think_s=0.2)),
    Case("Codex: reads fifty files first", of(CODEX, 30, lambda i: ("sh", "seq %d 80" % i), think_s=0.2)),
    Case("MCP is slow, but answers", mcp(CLAUDE_CODE, 40, "slow")),
    Case("MCP is slow, but answers, Codex", mcp(CODEX, 40, "slow")),
    Case("MCP: an error now and then", of(CLAUDE_CODE, 25, lambda i: ("mcp", {"n": i}), server="some-errors")),
    Case("MCP: an error now and then, Codex", of(CODEX, 25, lambda i: ("mcp", {"n": i}), server="some-errors")),
    Case("Claude Code: a subagent works", functools.partial(written, subagent, 2, 60, begins=TASK)),
    Case("Claude Code: subagents, then its own work", functools.partial(
        written, lambda i: subagent(i) + [(1, lambda log: log.calls("Read", {"file_path": "/doc/%d" % i})),
                                          (1, lambda log: log.result("page %d" % i))], 4, 30)),
    Case("Claude Code: retries that succeed", of(CLAUDE_CODE, 25, lambda i: ("sh", "echo file %d" % i), mode=FAILS,
                                                 then=answers)),
    Case("Codex: retries that succeed", of(CODEX, 25, lambda i: ("sh", "echo file %d" % i), mode=FAILS, then=answers)),
    Case("Gemini: retries that succeed", of(GEMINI, 35, lambda i: ("sh", "echo file %d" % i), mode=modes.LIMITED,
                                            then=functools.partial(answers, after_s=12))),
    Case("MCP over HTTP", of(CLAUDE_CODE, 20, lambda i: ("mcp", {"n": i}), server="fine", over_http=True)),
    Case("MCP over HTTP is slow, Codex", mcp(CODEX, 30, "slow", over_http=True)),
    Case("MCP warns on its error output", of(CLAUDE_CODE, 20, lambda i: ("mcp", {"n": i}), server="warns")),
    Case("MCP is not called", of(CLAUDE_CODE, 15, mode=modes.IDLE, server="fine")),
    Case("Claude Code: fewer tests fail each time", of(CLAUDE_CODE, 25, lambda i: (
        ("sh", "echo %d tests failed" % (100 - i)) if i % 2 else ("sh", "sed -i s/a/b/ %d.txt; echo done" % i)))),
    Case("Claude Code: a prompt is queued while it works", functools.partial(
        written, one_call("Bash", command("make check"), lambda i: "ok %d" % i), 5, 6,
        begins=[(0, lambda log: log.prompt()), (1, lambda log: log.queued("enqueue", content="then commit"))])),
    Case("Claude Code: its turn is over", functools.partial(
        written, one_call("Bash", command("npm test"), lambda i: "1 failed"), 3, 12, status="idle", ends=REST)),
    Case("Codex: two in turn, whose answers change", of(CODEX, 25, turns("date +%N", "echo; date +%s%N"))),
]
# Written when nothing was changed any more.
CONTROL = [
    Case("Codex: reads twelve files again and again", of(CODEX, 35, turns(*FILES)), LOOP),
    Case("opencode: the same error of other commands",
         of(OPENCODE, 40, lambda i: ("sh", "ls /missing-%d >/dev/null 2>&1; exit 7" % i)), LOOP),
    Case("Claude Code 2.1.112: one call", of(CLAUDE_CODE_NODE, 18, turns("echo again")), LOOP),
    Case("opencode: 429", of(OPENCODE, 30, mode=modes.LIMITED), REFUSED),
    Case("MCP is mute, Claude Code 2.1.112", mute(CLAUDE_CODE_NODE, 20, "mute"), MCP),
    Case("MCP over HTTP is not there", of(CLAUDE_CODE, 15, lambda i: ("sh", "date +%N"), server="fine", over_http=True,
                                          has_server=False), MCP),
    Case("MCP answers a ping, not initialize, Codex", mute(CODEX, 20, "no-initialize"), MCP),
    Case("opencode: a watch with changing answers", of(OPENCODE, 30, turns("date +%N"))),
    Case("MCP over HTTP: an error now and then", of(CLAUDE_CODE, 25, lambda i: ("mcp", {"n": i}), server="some-errors",
                                                    over_http=True)),
    Case("Claude Code 2.1.112: a batch over many files", of(CLAUDE_CODE_NODE, 20, lambda i: ("sh", "echo file %d" % i))),
]
SETS = {"sick": SICK, "well": WELL, "control": CONTROL}


