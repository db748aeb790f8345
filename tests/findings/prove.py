#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Every finding against its sick workloads and healthy twins, live and once more from the capture of
the same run. Prints a table of precision, recall and margins; fails when a sick one did not fire,
a healthy one did, or the capture says something else.

    tests/findings/prove.py [--rounds N] [--seed S] [--only FINDING[: CASE]] [--all] [--jobs N]
                            [--table FILE] [--second-try] [--failed FILE]

Without --all and --only the cases of default_cases.py run. --second-try: a case that fails runs once more, alone, and
counts as passed if it then passes; the table has the first run. --failed FILE: failed cases are
written there; with SOOTH_ONLY_FAILED in the environment only those of it run. SOOTH and WORKLOADS
name the programs; without them those of build/ run.
"""
import argparse
import collections
import concurrent.futures
import importlib
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / os.environ.get("BUILD_DIR", "build")
for variable, program in (("SOOTH", "sooth"), ("WORKLOADS", "tests/workloads")):
    if not os.environ.setdefault(variable, str(BUILD / program)) or not os.path.exists(os.environ[variable]):
        sys.exit("there is no %s: build first (script/build), or name a program by %s" % (
            os.environ[variable], variable))
sys.path.insert(0, str(HERE))
import case as cases  # noqa: E402
import default_cases  # noqa: E402
import harness  # noqa: E402

BAD = ("medium", "high", "critical")
FEW = 3


def all_cases():
    found = []
    for path in sorted(HERE.glob("cases_*.py")):
        found += importlib.import_module(path.stem).CASES
    return found


def is_default(case):
    names = default_cases.DEFAULT_CASES.get(case.finding)
    return case.name in names if names else True


def missing_cases(known, registered):
    """Of the table, and of each finding."""
    names = {(c.finding, c.name) for c in known}
    missing = ["default_cases.py: %s has no case %r" % (finding, name)
        for finding, listed in default_cases.DEFAULT_CASES.items() for name in listed
        if (finding, name) not in names]
    for finding in sorted(registered):
        for is_sick, what in ((True, "sick case"), (False, "healthy twin")):
            if not any(c.finding == finding and c.sick == is_sick and is_default(c) for c in known):
                missing.append("%s has no %s in the default tier" % (finding, what))
    return missing


class Outcome:
    def __init__(self, case, seed):
        self.case, self.seed = case, seed
        self.fired = self.skipped = None
        self.problems, self.margin, self.took_s = [], None, 0.0


def thresholds():
    told = subprocess.run([harness.SOOTH, "diagnose", "--list-findings", "-j"], check=True,
        capture_output=True, text=True).stdout
    return {f["id"]: {o["name"]: o["current_value"] for o in f["options"]}
        for f in json.loads(told)["findings"]}


def number(text):
    """Of "80", "64.0K", "20.0ms" and the like."""
    for unit, seconds in (("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if text.strip().endswith(unit):
            return float(text.strip()[:-2]) * seconds
    digits = "".join(c for c in text if c in "0123456789.")
    power = " KMGT".find(text.strip()[-1:] or "?")
    return float(digits) * 1024 ** max(power, 0) if digits else None


def margin_of(case, finding, table):
    """How far above its threshold the evidence was, as a factor."""
    limit = table.get(case.finding, {}).get("%s.%s" % (case.finding, case.threshold))
    for setting in case.settings:
        name, value = setting.split("=")
        if name == "%s.%s" % (case.finding, case.threshold):
            limit = value
    for evidence in finding["evidence"]:
        if evidence["name"] == case.evidence and evidence["value"] is not None and limit:
            return evidence["value"] / number(limit)
    return None


def said_instead(stdout, finding):
    """What the check of a finding says of each process where it did not fire."""
    report = json.loads(stdout)
    rows = [row for one in (*report["processes"], report["host"]) if one
            for row in (*one["fine"], *one["unseen"]) if row["id"] == finding]
    return "; ".join(row.get("text") or row.get("reason") or "fine" for row in rows)


def judge(outcome, result, again, table):
    case = outcome.case
    if result.returncode not in (0, 1):
        outcome.problems.append("exit %d: %s" % (result.returncode, result.stderr))
        return
    found = cases.findings_of(json.loads(result.stdout))
    own = [f for f in found if f["id"] == case.finding]
    outcome.fired = bool(own)
    if outcome.fired != case.sick:
        outcome.problems.append("fired: " + own[0]["claim"] if own else
            "did not fire: " + said_instead(result.stdout, case.finding))
    if own and (case.says not in own[0]["claim"] or
            case.severity not in ("", own[0]["severity"])):
        outcome.problems.append("says something else: %s" % own[0])
    if own and case.evidence:
        outcome.margin = margin_of(case, own[0], table)
    for finding in found:
        if finding["id"] != case.finding and finding["id"] not in case.also and \
                finding["severity"] in BAD:
            outcome.problems.append("also found %s: %s" % (finding["id"], finding["claim"]))
        if not finding["evidence"] or not finding["claim"]:
            outcome.problems.append("%s has no evidence or claim" % finding["id"])
    if again.returncode not in (0, 1):
        outcome.problems.append("from the capture: %s" % again.stderr)
        return
    repeated = cases.findings_of(json.loads(again.stdout))
    keys = lambda all_: sorted((f["key"], f["severity"], f["claim"]) for f in all_)  # noqa: E731
    if keys(repeated) != keys(found):
        outcome.problems.append("the capture says otherwise: %s, live %s" % (keys(repeated),
            keys(found)))


def try_case(case, seed, table):
    outcome = Outcome(case, seed)
    if case.may_skip:
        outcome.skipped = case.may_skip()
        if outcome.skipped:
            return outcome
    scope, begin = cases.Scope(), time.monotonic()
    try:
        made = case.make(scope, random.Random("%s %s %d" % (case.finding, case.name, seed)))
        pids = [] if made is None else made if isinstance(made, list) else [made]
        capture = str(scope.path / "case.sooth")
        result = cases.diagnose(case, pids, capture)
        judge(outcome, result, cases.diagnose_capture(case, capture), table)
    except Exception:  # noqa: BLE001: one case must not hide the others
        outcome.problems.append(traceback.format_exc())
    finally:
        scope.close()
        outcome.took_s = time.monotonic() - begin
    return outcome


def run_all(wanted, jobs, table):
    """Many at once, then those that get on with a few, then one by one; the longest first."""
    outcomes = []
    for at_once, is_meant in ((jobs, lambda c: not (c.alone or c.few)),
                              (min(jobs, FEW), lambda c: c.few), (1, lambda c: c.alone)):
        meant = sorted((w for w in wanted if is_meant(w[0])), key=lambda w: -(w[0].start_s + w[0].duration_s))
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            outcomes += pool.map(lambda w: try_case(*w, table), meant)
    return outcomes


def passes_alone(outcome, table):
    """Other programs may have taken the processors; a defect fails again."""
    again = try_case(outcome.case, outcome.seed, table)
    if again.problems:
        outcome.problems += ["the second try: " + problem for problem in again.problems]
    return not again.problems


def table_of(outcomes):
    rows = ["| finding | sick: fired | healthy: silent | precision | recall | least margin |",
        "|---|---|---|---|---|---|"]
    by_finding = collections.defaultdict(list)
    for o in outcomes:
        if not o.skipped and o.fired is not None:
            by_finding[o.case.finding].append(o)
    for finding in sorted(by_finding):
        of = by_finding[finding]
        sick = [o for o in of if o.case.sick]
        healthy = [o for o in of if not o.case.sick]
        hits = sum(o.fired for o in sick)
        false = sum(o.fired for o in healthy)
        margins = [o.margin for o in sick if o.margin]
        rows.append("| `%s` | %d of %d | %d of %d | %s | %s | %s |" % (finding, hits, len(sick),
            len(healthy) - false, len(healthy),
            "%.2f" % (hits / (hits + false)) if hits + false else "-",
            "%.2f" % (hits / len(sick)) if sick else "-",
            "x%.2f" % min(margins) if margins else "-"))
    return "\n".join(rows)


def name_of(case):
    return "%s: %s" % (case.finding, case.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a finding, or a case as it is printed: fd-leak: NAME")
    # They mostly wait: for their state, and for the interval to be over.
    parser.add_argument("--jobs", type=int, default=min(max(4 * len(os.sched_getaffinity(0)), 6), 12))
    parser.add_argument("--all", action="store_true", help="all cases, not those of default_cases.py only")
    parser.add_argument("--table")
    parser.add_argument("--second-try", action="store_true", help="of each failed case, alone")
    parser.add_argument("--failed", type=pathlib.Path, metavar="FILE")
    args = parser.parse_args()
    known = all_cases()
    only = args.only
    if args.failed and args.failed.exists() and os.environ.get("SOOTH_ONLY_FAILED"):
        only = args.failed.read_text().splitlines()
    chosen = [c for c in known
        if ((args.all or is_default(c)) if only is None else {c.finding, name_of(c)} & set(only))]
    if args.only and not chosen:
        sys.exit("no case of %s: name a finding, or a case as \"FINDING: CASE\"" % ", ".join(args.only))
    registered = thresholds()
    failed, failed_cases = missing_cases(known, registered), []
    wanted = [(c, args.seed + i) for i in range(args.rounds) for c in chosen]
    outcomes = run_all(wanted, args.jobs, registered)
    for o in outcomes:
        name = "%s (%s, seed %d)" % (name_of(o.case), "sick" if o.case.sick else "healthy", o.seed)
        if o.skipped:
            print("skip %s: %s" % (name, o.skipped))
        elif o.problems and args.second_try and passes_alone(o, registered):
            print("ok   %s AT THE SECOND TRY; the first failure:\n     %s" % (name,
                "\n     ".join(o.problems)))
        elif o.problems:
            print("FAIL %s\n     %s" % (name, "\n     ".join(o.problems)))
            failed.append(name)
            failed_cases.append(name_of(o.case))
        else:
            print("ok   %s, %.1f s%s" % (name, o.took_s, ", alone" if o.case.alone else ""))
    print("\n" + table_of(outcomes))
    if args.table:
        pathlib.Path(args.table).write_text(table_of(outcomes) + "\n")
    if args.failed:
        args.failed.write_text("".join(name + "\n" for name in failed_cases))
    for problem in failed:
        print("failed: %s" % problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
