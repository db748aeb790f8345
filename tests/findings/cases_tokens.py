# SPDX-License-Identifier: BSD-2-Clause
"""tokens-without-effect, mcp-failing: sessions by their logs, and an MCP server that says nothing."""
import datetime
import json
import re

from case import healthy, sick
from cases_agent_streams import START_S, agents, in_mode, known, modes
from cases_leftovers import family_of, server_of

USAGE = {"input_tokens": 10, "cache_read_input_tokens": 40000, "output_tokens": 100}


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def lines(rounds, pace_s, call, result, is_error=False, takes_s=0):
    """A log of Claude Code: a prompt, and answers, each with the call of its number or with text."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=rounds * pace_s + 1)
    yield {"type": "user", "timestamp": stamp(at), "message": {"content": "go on"}}
    for i in range(rounds):
        at += datetime.timedelta(seconds=pace_s - takes_s)
        name, arguments = call(i) or (None, None)
        content = {"type": "tool_use", "id": "t%d" % i, "name": name, "input": arguments}
        if not name:
            content = {"type": "thinking", "thinking": "hm"}
        yield {"type": "assistant", "timestamp": stamp(at), "message": {
            "id": "m%d" % i, "model": "claude-x", "usage": USAGE, "content": [content]}}
        at += datetime.timedelta(seconds=takes_s)
        if name:
            yield {"type": "user", "timestamp": stamp(at), "message": {"content": [
                {"type": "tool_result", "tool_use_id": "t%d" % i, "content": result(i),
                 "is_error": bool(is_error and is_error(i))}]}}


def session(rounds, pace_s, call, result=lambda i: "no such test", **options):
    def make(scope, _rng):
        family = family_of(scope)
        main = family.main()
        folder = re.sub(r"[^A-Za-z0-9]", "-", family.project())
        family.write(".claude/projects/%s/%s.jsonl" % (folder, main.session_id), "".join(
            json.dumps(line) + "\n" for line in lines(rounds, pace_s, call, result, **options)))
        return main.pid
    return make


def in_turn(i):
    """Five commands."""
    return "Bash", {"command": ("make", "npm test", "git diff", "git status", "git log")[i % 5]}


def silent_server(scope, _rng):
    family = family_of(scope)
    return server_of(family, family.main()).pid


def woken(scope, _rng):
    """Each answer ends a turn; a hook or a program, not the user, begins the next one."""
    family = family_of(scope)
    main = family.main()
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=300)
    said = [{"type": "user", "timestamp": stamp(at), "message": {"content": "go on"}}]
    for i in range(20):
        at += datetime.timedelta(seconds=15)
        said.append({"type": "assistant", "timestamp": stamp(at), "message": {"id": "m%d" % i, "model": "claude-x",
            "usage": USAGE, "stop_reason": "end_turn", "content": [{"type": "text", "text": "done"}]}})
        said.append({"type": "user", "isMeta": True, "timestamp": stamp(at), "message": {"content": "Stop hook feedback"}})
    folder = re.sub(r"[^A-Za-z0-9]", "-", family.project())
    family.write(".claude/projects/%s/%s.jsonl" % (folder, main.session_id), "".join(
        json.dumps(line) + "\n" for line in said))
    return main.pid


STARTS = ("debug", "Starting connection with timeout of 30000ms", 0)
CONNECTED = ("debug", "Successfully connected (transport: stdio) in 89ms", 0.1)
FAILED = ("debug", "Connection failed after 1045ms (CONNECTION_CLOSED): Connection closed", 1)
WORDS = ("error", 'Ignoring non-JSON line on stdout: JSON Parse error: Unexpected identifier "DEBUG"', 2)


def server_log(*said, of_session=True):
    """What Claude Code writes of its server "files"."""
    def make(scope, rng):
        pid = mcp(0)(scope, rng)
        home = scope.path / "home"
        session = json.loads(next((home / ".claude/sessions").glob("%d.json" % pid)).read_text())
        at = datetime.datetime.now(datetime.timezone.utc)
        folder = home / ".cache/claude-cli-nodejs" / re.sub(r"[^A-Za-z0-9]", "-", session["cwd"]) / "mcp-logs-files"
        folder.mkdir(parents=True)
        (folder / "2026-11-30T05-23-11-320Z.jsonl").write_text("".join(json.dumps({
            kind: text, "timestamp": stamp(at + datetime.timedelta(seconds=after_s)),
            "sessionId": session["sessionId"] if of_session else "another", "cwd": session["cwd"]}) + "\n"
            for kind, text, after_s in said))
        return pid
    return make


def mcp(errors, takes_s=0.1):
    return session(6, 4, lambda i: ("mcp__files__read", {"n": i}), lambda i: "text %d" % i,
                   is_error=lambda i: i < errors, takes_s=takes_s)


def real(sort, what, **options):
    """Claude Code, whose model asks for a short command again and again."""
    return sort("tokens-without-effect", what, in_mode(known.CLAUDE_CODE, modes.TOOL_LOOP, think_s=0.2, **options),
                start_s=START_S, may_skip=lambda: agents.reason_to_skip(known.CLAUDE_CODE),
                settings=["tokens-without-effect.min-tokens=0", "tool-loop.min-times=1000000"])


CASES = [
    real(sick, "a real agent"),
    real(healthy, "a real agent, whose command has another result each time", tool=("date", "+%N")),
    sick("tokens-without-effect", "five commands in turn", session(25, 2, in_turn),
         says="answers of the model, ", evidence="tokens sent", threshold="min-turns"),
    sick("tokens-without-effect", "results that differ only by their times",
         session(25, 2, in_turn, lambda i: "1 failed in 0.%d s at 12:00:%02d" % (i + 10, i))),
    sick("tokens-without-effect", "the same error, whatever is tried",
         session(12, 2, lambda i: ("WebFetch", {"url": "http://a/%d" % i}), lambda i: "no route to host",
                 is_error=lambda i: True)),
    sick("tokens-without-effect", "answers without a call, and nobody wrote", session(12, 2, lambda i: None),
         says="no tool call"),
    healthy("tokens-without-effect", "a batch over many files",
            session(15, 2, lambda i: ("Read", {"file": "%d.py" % i}), lambda i: "text %d" % i)),
    healthy("tokens-without-effect", "the results change",
            session(15, 2, in_turn, lambda i: "%d tests fail" % (15 - i))),
    healthy("tokens-without-effect", "a poll on purpose", session(15, 60, in_turn)),
    healthy("tokens-without-effect", "one long thought", session(1, 600, lambda i: None)),
    healthy("tokens-without-effect", "a cache that is kept warm", session(12, 280, lambda i: None)),
    sick("mcp-failing", "answers with errors", mcp(4), says="files answers with errors: 4 of 6 calls",
         evidence="answers", threshold="min-errors"),
    sick("mcp-failing", "answers late", mcp(0, takes_s=3), says="in the mean", settings=["mcp-failing.min-mean=2s"]),
    sick("mcp-failing", "printed nothing", silent_server, says="it has not answered initialize",
         settings=["mcp-failing.min-start=1s"], start_s=1.5),
    sick("tokens-without-effect", "a hook goes on in place of the user", woken, says="no tool call"),
    sick("mcp-failing", "has not answered initialize, by the agent's log", server_log(STARTS),
         says="files has not answered initialize for", settings=["mcp-failing.min-start=1s"], start_s=1.5),
    healthy("mcp-failing", "times before its start", server_log(("debug", STARTS[1], -3600))),
    sick("mcp-failing", "did not start", server_log(STARTS, FAILED), says="files did not start"),
    sick("mcp-failing", "prints other text", server_log(STARTS, CONNECTED, WORDS, WORDS), severity="low",
         says="files prints text beside its messages on standard output: 2 lines"),
    healthy("mcp-failing", "is connected", server_log(STARTS, CONNECTED)),
    healthy("mcp-failing", "failed in another session", server_log(STARTS, FAILED, of_session=False)),
    healthy("mcp-failing", "an error now and then", mcp(2)),
    healthy("mcp-failing", "has just started", silent_server),
]
