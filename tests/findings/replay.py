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


class Stored:
    """A case whose input was stored."""

    def __init__(self, finding, fields):
        self.__dict__.update(fields)
        self.finding = finding


def replay(folder, finding, i, fields, capture):
    path = pathlib.Path(folder) / ("%s-%02d.sooth" % (finding, i))
    path.write_bytes(capture)
    outcome = prove.Outcome(Stored(finding, fields), 0)
    report = prove.report_of(cases.diagnose_capture(outcome.case, str(path)))
    prove.judge(outcome, report, report, {})
    path.unlink()
    return outcome


def main():
    wanted = sys.argv[1:] or stored.findings()
    with tempfile.TemporaryDirectory(prefix="sooth-replay-") as folder, \
            concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        tries = [pool.submit(replay, folder, finding, i, *each)
            for finding in wanted for i, each in enumerate(stored.unpack(finding))]
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
