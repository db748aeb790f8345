#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The part `maps` of bench/inspect: every mapping of a process with its figures, against pmap(1) and the
mere reading of what the kernel writes. measure() gives rows; by itself it prints them.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from statistics import median

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = (50, 5000, 50000)  # mappings beside those that a process has anyway
GOAL_S = 1.0                # of the last, for people

METHOD = """\
A process with so many mappings holds still. Each command as a whole process, in turns, output to
/dev/null: wall clock and CPU (user + system), medians over the rounds; memory is the most that was
resident, no less than that of Python which starts them."""


def commands(sooth, pid):
    return (("sooth inspect --maps", [sooth, "inspect", "--maps", pid]),
            ("sooth inspect --maps -j", [sooth, "inspect", "--maps", "-j", pid]),
            ("pmap -X", ["pmap", "-X", pid]),
            ("cat smaps", ["cat", "/proc/%s/smaps" % pid]))


def run_once(command):
    """Wall and CPU seconds and kilobytes, or a reason."""
    if not shutil.which(command[0]):
        return "%s is not installed" % command[0]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = said.strip().splitlines()[-1:] or ["no message"]
        return "exit status %d: %s" % (process.returncode, last[0][:160])
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure_count(options, count):
    folder = tempfile.mkdtemp(prefix="sooth-bench-")
    target = subprocess.Popen([options.workloads, "maps", "--folder", folder, "--count", str(count),
                               "--hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if target.stdout.readline() != b"ready\n":
            return [{"mappings": count, "name": "workload", "not_measured": "it did not start"}]
        runs, reasons = {}, {}
        for _ in range(options.rounds):
            for name, command in commands(options.sooth, str(target.pid)):
                result = run_once(command)
                if isinstance(result, str):
                    reasons[name] = result
                else:
                    runs.setdefault(name, []).append(result)
    finally:
        target.kill()
        target.wait()
        shutil.rmtree(folder, ignore_errors=True)
    rows = [{"mappings": count, "name": name, "not_measured": why} for name, why in reasons.items()]
    for name, results in runs.items():
        wall, cpu, memory = zip(*results)
        rows.append({"mappings": count, "name": name, "wall_s": median(wall), "wall_s_min": min(wall),
                     "wall_s_max": max(wall), "cpu_s": median(cpu), "memory_kb": max(memory)})
    return rows


def measure(options):
    return [row for count in COUNTS for row in measure_count(options, count)]


def show(rows):
    for r in rows:
        if "not_measured" in r:
            print("%8d %-26s not measured: %s" % (r["mappings"], r["name"], r["not_measured"]))
            continue
        print("%8d %-26s %8.1f ms (%.1f-%.1f) %8.1f ms CPU %7.1f MB" % (
            r["mappings"], r["name"], r["wall_s"] * 1e3, r["wall_s_min"] * 1e3,
            r["wall_s_max"] * 1e3, r["cpu_s"] * 1e3, r["memory_kb"] / 1024))
    goal = next((r for r in rows if r["mappings"] == COUNTS[-1] and r["name"] == "sooth inspect --maps"),
                {"not_measured": "no such row"})
    said = "not measured" if "wall_s" not in goal else "met" if goal["wall_s"] < GOAL_S else "missed"
    print("\n%d mappings within %g s: %s" % (COUNTS[-1], GOAL_S, said))


def main():
    p = argparse.ArgumentParser(description="the cost of listing every mapping", epilog=METHOD,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=7, help="of every command, taking turns (7)")
    p.add_argument("-j", "--json", action="store_true", help="one JSON object")
    p.add_argument("--sooth", default=os.path.join(ROOT, "build/sooth"), metavar="FILE")
    p.add_argument("--workloads", default=os.path.join(ROOT, "build/tests/workloads"), metavar="FILE")
    options = p.parse_args()
    rows = measure(options)
    if options.json:
        print(json.dumps({"schema": {"name": "bench-inspect-maps", "version": 1}, "method": METHOD,
                          "rounds": options.rounds, "rows": rows}, indent=1))
        return
    show(rows)
    print("\n" + METHOD)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
