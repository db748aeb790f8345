# SPDX-License-Identifier: BSD-2-Clause
"""
What sooth reports as the activity of a real agent, compared with the mode that the agent is in by
the evidence of the server, of /proc and of the terminal.
"""
import json
import re
import subprocess
import time

from harness import SOOTH

from agents import modes, tour

SILENCE_S = 3       # stream-stalled for this test; 30 s by default
SETTLE_S = 1.5      # an agent writes its files a moment after it acts
SLACK_S = 3.0       # between two clocks, and for what happens between two looks
LOOKS = 2
WRONG, UNKNOWN, RIGHT = "wrong", "unknown", "right"
SOURCES = ("session file", "log", "connection", "processes", "arguments", "cpu")
CONFIDENCES = ("high", "medium", "low")

STATES = {
    modes.IDLE: "idle",
    modes.SLOW: "waits_for_model",
    modes.STALL: "waits_for_model",
    modes.NO_HEADERS: "waits_for_model",
    modes.LIMITED: "asks_again",
    modes.OVERLOADED: "asks_again",
    modes.RESET: "asks_again",
    modes.PERMISSION: "waits_for_user",
    modes.TOOL: "runs_tool",
    modes.MCP_CALL: "talks_to_mcp",
}
DETAILS = {
    modes.TOOL: "tail -f /dev/null",
    modes.MCP_CALL: tour.SERVER,
}
STALLED = (modes.STALL, modes.NO_HEADERS)
SILENT_S = 10
# The four that must never be taken for one another.
FOUR = (modes.STALL, modes.SLOW, modes.PERMISSION, modes.TOOL)


def sooth_json(*arguments):
    run = subprocess.run([SOOTH, *map(str, arguments)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    if run.returncode not in (0, 3):
        raise AssertionError("status %d of %s: %s" % (run.returncode, arguments, run.stderr))
    return json.loads(run.stdout)


def pids_of(agent):
    return sorted({agent.pid, agent.worker_pid})


def activity_of(agent):
    """(activity, why it is unknown or None), of the main process."""
    row = next(row for row in sooth_json("ps", "-j", *pids_of(agent))["processes"]
               if row["pid"] == agent.pid)
    activity = row.get("activity") or {}
    reasons = {**row.get("not_measured", {}), **activity.get("not_measured", {})}
    return activity, reasons.get("state") or reasons.get("activity")


def is_stalled(agent):
    report = sooth_json("diagnose", "-j", "--duration", "500ms", "--set",
                        "stream-stalled.silence=%ds" % SILENCE_S, *pids_of(agent))
    return any(finding["id"] == "stream-stalled" for row in report["processes"]
               for finding in row["findings"])


def answer_expected(mode, activity):
    """Possible values of the answer. Nothing but an answer's own data is one, also over TLS."""
    if mode not in STALLED:
        return ("arrives",) if mode == modes.SLOW else (activity["answer"],)
    if activity["silence_s"] is None or activity["silence_s"] >= SILENT_S:
        return ("silent",)
    return ("awaited",) if mode == modes.NO_HEADERS else ("awaited", "arrives")


class Verdict:
    def __init__(self, mode, kind, seen, why=""):
        self.mode, self.kind, self.seen, self.why = mode, kind, seen, why

    def __str__(self):
        return "%s: %s: %s%s" % (self.mode, self.kind, self.seen, self.why and " (%s)" % self.why)


def attempts_in(text):
    found = re.search(r"(\d+)(st|nd|rd|th) attempt", text or "")
    return int(found.group(1)) if found else None


def requests_of(agent):
    """Since its last prompt."""
    return sum(exchange.begin_ns >= agent.asked_ns and exchange.mode == agent.mode
               for exchange in agent.conversation())


def age_s(agent):
    """The most that a state may have lasted: since the prompt, or the start."""
    return time.monotonic() - (agent.asked_ns / 1e9 or agent.begin)


def compare(agent, mode):
    """One look."""
    before = requests_of(agent)
    activity, reason = activity_of(agent)
    after, age = requests_of(agent), age_s(agent)
    state, seen = activity.get("state"), json.dumps(activity)
    if state is None:
        return Verdict(mode, UNKNOWN, seen, reason or "without a reason")
    if state != STATES[mode]:
        return Verdict(mode, WRONG, seen, "expected %s" % STATES[mode])
    wrong = []
    if activity["source"] not in SOURCES or activity["confidence"] not in CONFIDENCES:
        wrong.append("source or confidence")
    since_s = activity["since_s"]
    if since_s is not None and not 0 <= since_s <= age + SLACK_S:
        wrong.append("since_s, %.1f s after the prompt" % age)
    if DETAILS.get(mode, "") not in (activity["detail"] or ""):
        wrong.append("detail without %s" % DETAILS[mode])
    if activity["answer"] not in answer_expected(mode, activity):
        wrong.append("answer")
    attempts = attempts_in(activity["detail"])
    # A failed request is counted before or with the next one.
    if attempts is not None and not max(2, before) <= attempts <= after + 1:
        wrong.append("%d to %d requests" % (before, after))
    return Verdict(mode, WRONG if wrong else RIGHT, seen, ", ".join(wrong))


def judge(agent, mode, looks=LOOKS):
    """Of an agent in `mode`: the worst of some looks, and of the diagnosis."""
    time.sleep(SILENCE_S + SETTLE_S if mode in STALLED else SETTLE_S)
    verdicts = [compare(agent, mode) for _ in range(looks)]
    stalled = is_stalled(agent)
    if stalled != (mode in STALLED):
        verdicts.append(Verdict(mode, WRONG, "stream-stalled %s" % (
            "raised" if stalled else "not raised")))
    return min(verdicts, key=lambda verdict: (WRONG, UNKNOWN, RIGHT).index(verdict.kind))


def check(agent, wanted):
    """Visits the modes; yields a verdict for each."""
    for mode in tour.visit(agent, wanted):
        yield judge(agent, mode)
