#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Silence on the ordinary: real agents and ordinary programs at ordinary work, all at once, and
`sooth diagnose` asked about all of them again and again. Every finding of medium or above about one
of them is a defect of sooth, or is explained below; findings about the host are only shown.

    script/soak [--seconds N] [--calls] [--then-calls N] [--brief]
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import case as cases  # noqa: E402
import harness  # noqa: E402
import ordinary  # noqa: E402

BAD = ("medium", "high", "critical")
# (what runs, finding): why that is right.
EXPLAINED = {
    ("sqlite", "slow-syscalls"): "it waits for the disk, which others keep busy",
    ("postgres", "slow-syscalls"): "the same",
}


STARTS = 4  # at once: an agent takes seconds to come to its prompt


def start_all(scope, agents):
    """pid -> what it is."""
    def one(start):
        try:
            return start(scope), None
        except ordinary.Missing as error:
            return [], error

    starters = {**agents, **ordinary.PROGRAMS}
    with concurrent.futures.ThreadPoolExecutor(STARTS) as pool:
        started = dict(zip(starters, pool.map(one, starters.values())))
    running = {pid: name for name, (pids, _) in started.items() for pid in pids}
    return running, ["%s: %s" % (name, error) for name, (_, error) in started.items() if error]


def diagnose(pids, seconds, options):
    told = subprocess.run([harness.SOOTH, "diagnose", "-j", "--duration", str(seconds), *options,
        *(str(p) for p in pids)], capture_output=True, text=True, timeout=300,
        env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent"))
    if told.returncode:
        raise AssertionError("diagnose ended with %d: %s" % (told.returncode, told.stderr))
    return json.loads(told.stdout)


def judge(report, running):
    """(what it is, finding) of each that should not be there."""
    for process in report["processes"]:
        for finding in process["findings"]:
            name = running.get(process["pid"], "pid %d" % process["pid"])
            if finding["severity"] in BAD and (name, finding["id"]) not in EXPLAINED:
                yield name, finding


def alive(running):
    return [pid for pid in running if os.path.exists("/proc/%d" % pid)]


class Told:
    """What was found, over all rounds."""

    def __init__(self):
        self.defects, self.rounds, self.host = {}, 0, set()

    def ask(self, running, seconds, interval, options):
        end = time.monotonic() + seconds
        while True:
            report = diagnose(alive(running), interval, options)
            self.rounds += 1
            for name, finding in judge(report, running):
                self.defects.setdefault((name, finding["id"]), []).append(finding)
            self.host |= {f["id"] + ": " + f["claim"] for f in report["host"]["findings"]}
            if time.monotonic() >= end:
                return

    def tell(self):
        for line in sorted(self.host):
            print("of the host: %s" % line)
        for (name, id_), found in sorted(self.defects.items()):
            print("FAIL %s: %s in %d of %d rounds: %s" % (name, id_, len(found), self.rounds,
                found[0]["claim"]))
            print("     %s" % "; ".join("%s: %s" % (e["name"], e["text"])
                for e in found[0]["evidence"]))
        print("%d rounds, %d defects" % (self.rounds, len(self.defects)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--calls", action="store_true", help="with their system calls")
    parser.add_argument("--then-calls", type=float, default=0, metavar="N",
                        help="afterwards, for so many seconds with their system calls")
    parser.add_argument("--brief", action="store_true",
                        help="without agents at their prompt: tests/live/test_agents.py has them")
    args = parser.parse_args()
    scope = cases.Scope()
    told = Told()
    try:
        running, missing = start_all(scope, ordinary.AGENTS_AT_WORK if args.brief else ordinary.AGENTS)
        for reason in missing:
            print("not here: %s" % reason)
        print("%d processes of %d kinds" % (len(running), len(set(running.values()))))
        told.ask(running, args.seconds, args.interval, ["-D"] if args.calls else [])
        if args.then_calls:
            told.ask(running, args.then_calls, args.interval, ["-D"])
    finally:
        scope.close()
    told.tell()
    return 1 if told.defects else 0


if __name__ == "__main__":
    sys.exit(main())
