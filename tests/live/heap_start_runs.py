# SPDX-License-Identifier: BSD-2-Clause
"""
The first calls of an allocator that `sooth heap` did not know before, again and again on a busy host; and sooth
killed while it has such a program paused.

    heap_start_runs.py [--runs N] [--kills N] [--load N] [--engine bpf|auto]... [--case exec|dlopen]...

exec: `env LD_PRELOAD=libjemalloc.so.2 PROGRAM`; dlopen: a library with a malloc of its own, called at once (by
default with --engine bpf: the library in the process does not see those calls, and says so). Needs
root. A run is lost when sooth counted fewer calls than were made, and silent when it does not even say so. A kill
is of sooth, by SIGKILL, at a moment at which the program is stopped by it: then the program has to run to its end.
The last line is the count; status 1 when a run was silent or had wrong counts, a program stayed stopped, or
one in a hundred runs was lost.
"""
import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import harness
from heap_case import LIBRARIES, last_json, one

JEMALLOC = LIBRARIES + "libjemalloc.so.2"
BUSY = ["sh", "-c", "while :; do :; done"]
CASES = {
    "exec": (["/usr/bin/env", "LD_PRELOAD=" + JEMALLOC], ["heap", "--without", "pvalloc"], 2000),
    "dlopen": ([], ["heap_late"], 100),
}
ENDS_S = 60         # a program that was let go
LOST_SHARE = 0.01
TRIES = 10          # for each kill, as the program is stopped for moments only


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--load", type=int, default=10)
    parser.add_argument("--engine", action="append", choices=("bpf", "auto"))
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def command_of(case, turns, truth):
    before, argv, _ = CASES[case]
    return [*before, harness.WORKLOADS, *argv, "--turns", str(turns), "--truth", truth]


def sooth_of(engine):
    return [harness.SOOTH, "heap", "-j", "--count", "--engine", engine, "--"]


def watch(engine, case, turns, folder):
    """(calls that sooth counted, calls that the allocator had, whether something is said to be missing)"""
    truth = os.path.join(folder, "truth")
    run = subprocess.run([*sooth_of(engine), *command_of(case, turns, truth)], capture_output=True, text=True,
                         timeout=600, check=True)
    report = last_json(run.stdout)
    totals = one(report["heap_totals"])
    with open(truth, encoding="ascii") as file:
        made = json.load(file)["events"]
    return totals["calls"], made, bool(report["heap_gaps"] or totals["inexact"] or report["limits"][1:])


def many_runs(wanted, engine, case, folder):
    """(lost, silent, wrong)"""
    twin, none, _ = watch(engine, case, 0, folder)
    lost = silent = wrong = 0
    for number in range(wanted):
        calls, made, is_said = watch(engine, case, CASES[case][2], folder)
        missing = made - none - (calls - twin)
        if missing:
            print("%s, %s, run %d: %d of %d calls are missing, %s" % (
                engine, case, number, missing, made, "which is reported" if is_said else "in silence"), flush=True)
        lost += missing > 0
        silent += missing > 0 and not is_said
        wrong += missing < 0
    print("%s, %s: %d runs, %d lost, %d silent, %d with too many calls" % (engine, case, wanted, lost, silent, wrong),
          flush=True)
    return lost, silent, wrong


# --- killed ---


def state_of(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return None


def only_child(pid):
    """The command: sooth's guards have no program of their own, and sooth's name or one of sooth's."""
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
            for child in map(int, file.read().split()):
                with open("/proc/%d/comm" % child, encoding="utf-8", errors="replace") as name:
                    if not name.read().startswith("sooth"):
                        return child
    return None


def kill_while_it_holds(engine, case, folder, chance):
    """None: at no moment of this run it was seen stopped. Else whether it ended by itself."""
    truth = os.path.join(folder, "truth")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(truth)
    sooth = subprocess.Popen([*sooth_of(engine), *command_of(case, CASES[case][2], truth)], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    skips, pid = int(chance.expovariate(0.05)), None
    while sooth.poll() is None:
        pid = pid or only_child(sooth.pid)
        if pid and state_of(pid) == "t":
            if not skips:
                break
            skips -= 1
    was_held = sooth.poll() is None
    sooth.kill()
    sooth.wait()
    if not was_held:
        return None
    end = time.monotonic() + ENDS_S
    while state_of(pid) not in (None, "Z") and time.monotonic() < end:
        time.sleep(0.01)
    left = state_of(pid)
    if left in (None, "Z") and os.path.exists(truth):
        return True
    print("%s, %s: process %d stayed in state %s" % (engine, case, pid, left), flush=True)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return False


def many_kills(wanted, engine, case, folder, chance):
    """How many programs stayed stopped."""
    left = done = tries = 0
    while done < wanted and tries < wanted * TRIES:
        tries += 1
        ended = kill_while_it_holds(engine, case, folder, chance)
        done += ended is not None
        left += ended is False
    print("%s, %s: sooth killed %d times with the program stopped, %d programs stayed so" % (engine, case, done, left),
          flush=True)
    return left


def main():
    wanted = options()
    engines, cases = wanted.engine or ["bpf"], wanted.case or list(CASES)
    if not os.path.exists(JEMALLOC) and "exec" in cases or not shutil.which("env") or os.geteuid():
        print("skipped: needs root and %s" % JEMALLOC)
        sys.exit(77)
    busy = [subprocess.Popen(BUSY) for _ in range(wanted.load)]
    sums, left = [0, 0, 0], 0
    chance = random.Random(wanted.seed)
    try:
        with tempfile.TemporaryDirectory(prefix="sooth-test-") as folder:
            for engine in engines:
                for case in cases:
                    if wanted.runs:
                        sums = [a + b for a, b in zip(sums, many_runs(wanted.runs, engine, case, folder))]
                    if wanted.kills:
                        left += many_kills(wanted.kills, engine, case, folder, chance)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    lost, silent, wrong = sums
    parts = len(engines) * len(cases)
    words = []
    if wanted.runs:
        words.append("%d runs at load %d: %d lost, %d silent, %d wrong" % (parts * wanted.runs, wanted.load, *sums))
    if wanted.kills:
        words.append("%d kills: %d programs left stopped" % (parts * wanted.kills, left))
    print("; ".join(words))
    sys.exit(1 if silent or wrong or left or lost > LOST_SHARE * parts * wanted.runs else 0)


if __name__ == "__main__":
    main()
