#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Every stored input (stored.py) diagnosed once: a sick one must raise its finding, a healthy twin must
not, and none may raise another finding of medium severity or above. Needs no privilege.

    tests/findings/replay.py [FINDING...]
"""
import concurrent.futures
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import prove  # noqa: E402; first: it finds the programs
import case as cases  # noqa: E402
import stored  # noqa: E402


def replay(folder, case, i, capture):
    path = pathlib.Path(folder) / ("%s-%02d.sooth" % (case.finding, i))
    path.write_bytes(capture)
    outcome = prove.Outcome(case, 0)
    report = prove.report_of(cases.diagnose_capture(outcome.case, str(path)))
    prove.judge(outcome, report, report, {})
    path.unlink()
    return outcome


def main():
    wanted = sys.argv[1:] or stored.findings()
    known = {(case.finding, case.name): case for case in prove.all_cases()}
    with tempfile.TemporaryDirectory(prefix="sooth-replay-") as folder, \
            concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        tries = [pool.submit(replay, folder, known[finding, fields["name"]], i, capture)
            for finding in wanted for i, (fields, capture) in enumerate(stored.unpack(finding))]
        outcomes = [each.result() for each in tries]
    for o in outcomes:
        if o.problems:
            print("FAIL %s\n     %s" % (prove.name_of(o.case), "\n     ".join(o.problems)))
    failed = sum(bool(o.problems) for o in outcomes)
    sick = sum(o.case.sick for o in outcomes)
    print("%d sick and %d healthy inputs of %d findings: %d failed" % (
        sick, len(outcomes) - sick, len(wanted), failed))
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
