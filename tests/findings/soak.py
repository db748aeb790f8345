#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Silence on the ordinary: real agents and ordinary programs at ordinary work, all at once, and
`sooth diagnose` asked about all of them again and again. Every finding of medium or above about one
of them is a defect of sooth, or is explained below; findings about the host are only shown.

    script/soak [--seconds N] [--calls]
"""
import argparse
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


def start_all(scope):
    """pid -> what it is."""
    running, missing = {}, []
    for name, start in {**ordinary.PROGRAMS, **ordinary.AGENTS}.items():
        try:
            for pid in start(scope):
                running[pid] = name
        except ordinary.Missing as error:
            missing.append("%s: %s" % (name, error))
    return running, missing


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--calls", action="store_true", help="with their system calls")
    args = parser.parse_args()
    scope = cases.Scope()
    defects, rounds, host = {}, 0, set()
    try:
        running, missing = start_all(scope)
        for reason in missing:
            print("not here: %s" % reason)
        print("%d processes of %d kinds" % (len(running), len(set(running.values()))))
        end = time.monotonic() + args.seconds
        while rounds == 0 or time.monotonic() < end:
            report = diagnose(alive(running), args.interval, ["-D"] if args.calls else [])
            rounds += 1
            for name, finding in judge(report, running):
                defects.setdefault((name, finding["id"]), []).append(finding)
            host |= {f["id"] + ": " + f["claim"] for f in report["host"]["findings"]}
    finally:
        scope.close()
    for line in sorted(host):
        print("of the host: %s" % line)
    for (name, id_), found in sorted(defects.items()):
        print("FAIL %s: %s in %d of %d rounds: %s" % (name, id_, len(found), rounds,
            found[0]["claim"]))
        print("     %s" % "; ".join("%s: %s" % (e["name"], e["text"])
            for e in found[0]["evidence"]))
    print("%d rounds, %d defects" % (rounds, len(defects)))
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
