# SPDX-License-Identifier: BSD-2-Clause
"""tool-loop: a session whose log ends with the same tool calls and the same results, and others."""
import datetime
import json
import re

from case import healthy, sick
from cases_agent_streams import START_S, agents, in_mode, known, modes
from cases_leftovers import family_of


def lines(rounds, pace_s, calls, result):
    """A log of Claude Code: a prompt, and rounds of tool calls."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=rounds * pace_s + 1)
    yield {"type": "user", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "message": {"content": "go on"}}
    for i in range(rounds):
        name, arguments = calls[i % len(calls)]
        if callable(arguments):
            arguments = arguments(i)
        yield {"type": "assistant", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "message": {
            "content": [{"type": "tool_use", "id": "t%d" % i, "name": name, "input": arguments}]}}
        at += datetime.timedelta(seconds=pace_s)
        yield {"type": "user", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "message": {
            "content": [{"type": "tool_result", "tool_use_id": "t%d" % i, "content": result(i)}]}}


def session(rounds, pace_s, *calls, result=lambda i: "no such test", ends=()):
    def make(scope, _rng):
        family = family_of(scope)
        main = family.main()
        folder = re.sub(r"[^A-Za-z0-9]", "-", family.project())
        family.write(".claude/projects/%s/%s.jsonl" % (folder, main.session_id), "".join(
            json.dumps(line) + "\n" for line in (*lines(rounds, pace_s, calls, result), *ends)))
        return main.pid
    return make


TEST = ("Bash", {"command": "npm test -- --grep login"})
SAID = {"type": "assistant", "message": {"content": [{"type": "text", "text": "done"}]}}

def real(sort, what, **options):
    """Claude Code, whose model asks for a short command again and again."""
    return sort("tool-loop", what, in_mode(known.CLAUDE_CODE, modes.TOOL_LOOP, think_s=0.2, **options), start_s=START_S,
                may_skip=lambda: agents.reason_to_skip(known.CLAUDE_CODE))


CASES = [
    real(sick, "a real agent"),
    real(healthy, "a real agent, whose command has another result each time", tool=("date", "+%N")),
    sick("tool-loop", "the same command again and again", session(9, 1.5, TEST),
         says="the same call of Bash with the same result, 9 times in", evidence="rounds", threshold="min-times"),
    sick("tool-loop", "a file is written and tested in turn",
         session(16, 2, ("Edit", {"file": "a.js", "old": "x", "new": "x"}), TEST), says="8 rounds in 32 s"),
    sick("tool-loop", "three in turn", session(18, 2, ("Edit", {"file": "a.js", "old": "x", "new": "x"}), TEST, ("Bash", {"command": "git diff"})),
         says="the same 3 tool calls in turn"),
    healthy("tool-loop", "a batch over many files", session(12, 1, ("Read", lambda i: {"file": "%d.py" % i}))),
    healthy("tool-loop", "the result changes", session(12, 1, TEST, result=lambda i: "%d tests fail" % (12 - i))),
    healthy("tool-loop", "a poll on purpose", session(12, 30, ("Bash", {"command": "sleep 30; gh run view 7"}))),
    healthy("tool-loop", "the turn is over", session(12, 1, TEST, ends=(SAID,))),
]
