#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Every finding against its sick workloads and healthy twins, live and once more from the capture of
the same run. Prints a table of precision, recall and margins; fails when a sick one did not fire,
a healthy one did, or the capture says something else.

    tests/findings/prove.py [--rounds N] [--seed S] [--only FINDING[: CASE]] [--all] [--jobs N]
                            [--table FILE] [--second-try] [--failed FILE] [--store]
                            [--as-user UID] [--sample N]

Cases of some findings are observed six at a time; each is judged by its own processes in that report.
Without --all and --only those cases of default_cases.py run that have no stored input (stored.py), and one sick
case of each finding. --second-try: a case that fails runs once
more, alone, and counts as passed if it then passes; the table has the first run. --failed FILE: failed cases are
written there; with SOOTH_ONLY_FAILED in the environment only those of it run. SOOTH and WORKLOADS
name the programs; without them those of build/ run. --as-user: programs and sooth are those of an ordinary user;
a sick case is named, or said not to be judged. --sample: some of the sick cases, chosen by the seed.
"""
import argparse
import atexit
import collections
import concurrent.futures
import dataclasses
import importlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / os.environ.get("BUILD_DIR", "build")
for variable, program in (("SOOTH", "sooth"), ("WORKLOADS", "tests/workloads")):
    if not os.environ.setdefault(variable, str(BUILD / program)) or not os.path.exists(os.environ[variable]):
        sys.exit("there is no %s: build first (script/build), or name a program by %s" % (
            os.environ[variable], variable))
sys.path[:0] = [str(HERE), str(HERE.parent)]
import case as cases  # noqa: E402
import default_cases  # noqa: E402
import harness  # noqa: E402
import stored  # noqa: E402
from agents import processes  # noqa: E402

BAD = ("medium", "high", "critical")
FEW = 3
BESIDE = 6  # cases of one observation: it reads all of /proc, which takes longer than to diagnose one more process


def all_cases():
    found = []
    for path in sorted(HERE.glob("cases_*.py")):
        found += importlib.import_module(path.stem).CASES
    return found


def is_listed(case):
    names = default_cases.DEFAULT_CASES.get(case.finding)
    return case.name in names if names else True


def default_of(known):
    """The listed cases without a stored input, which replay.py judges, and one that is sick of each finding."""
    chosen, is_live = [], set()
    names = {finding: stored.names(finding) for finding in {c.finding for c in known}}
    for case in filter(is_listed, known):
        is_first = case.sick and case.finding not in is_live
        if is_first or case.name not in names[case.finding]:
            chosen.append(case)
        if is_first:
            is_live.add(case.finding)
    return chosen


def missing_cases(known, registered):
    """Of the table, and of each finding."""
    names = {(c.finding, c.name) for c in known}
    missing = ["default_cases.py: %s has no case %r" % (finding, name)
        for finding, listed in default_cases.DEFAULT_CASES.items() for name in listed
        if (finding, name) not in names]
    for finding in sorted(registered):
        for is_sick, what in ((True, "sick case"), (False, "healthy twin")):
            if not any(c.finding == finding and c.sick == is_sick and is_listed(c) for c in known):
                missing.append("%s has no %s in the default tier" % (finding, what))
    return missing


class Outcome:
    keeps_input = False
    may_be_unseen = False  # a sick case may be one that sooth says it cannot judge

    def __init__(self, case, seed):
        self.case, self.seed = case, seed
        self.fired = self.skipped = self.unseen = None
        self.problems, self.margin, self.took_s = [], None, 0.0
        self.beside = []  # what was wrong beside others, before it ran by itself
        self.input = None  # the fields and the capture to store


def thresholds():
    told = subprocess.run([harness.SOOTH, "diagnose", "--list-findings", "-v", "-j"], check=True,
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


def said_instead(report, finding):
    """What the check of a finding says of each process where it did not fire."""
    rows = [row for one in (*report["processes"], report["host"]) if one
            for row in (*one["fine"], *one["unseen"]) if row["id"] == finding]
    return "; ".join(row.get("text") or row.get("reason") or "fine" for row in rows)


def unseen_because(report, finding):
    """The reason of a check that was not done; None: each was."""
    return next((row["reason"] for one in (*report["processes"], report["host"]) if one
                 for row in one["unseen"] if row["id"] == finding), None)


class Refused(Exception):
    """What was asked for is not possible for an ordinary user, and sooth says why."""


def report_of(result):
    if Outcome.may_be_unseen and result.returncode == 3 and not result.stdout:
        raise Refused(result.stderr.splitlines()[1])
    if result.returncode not in (0, 1, 3 if Outcome.may_be_unseen else 0):
        raise AssertionError("exit %d: %s" % (result.returncode, result.stderr))
    return json.loads(result.stdout)


def judge(outcome, report, repeated, table, others=()):
    """`others`: findings that other cases of the same observation set the thresholds of."""
    case = outcome.case
    found = [f for f in cases.findings_of(report) if f["id"] not in others]
    own = [f for f in found if f["id"] == case.finding]
    outcome.fired = bool(own)
    if case.sick and not own and Outcome.may_be_unseen:
        outcome.unseen = unseen_because(report, case.finding)
    if outcome.fired != case.sick and not outcome.unseen:
        outcome.problems.append("fired: " + own[0]["claim"] if own else
            "did not fire: " + said_instead(report, case.finding))
    if own and not Outcome.may_be_unseen and (case.says not in own[0]["claim"] or
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
    keys = lambda all_: sorted((f["key"], f["severity"], f["claim"]) for f in all_)  # noqa: E731
    live, stored = (keys(cases.findings_of(each)) for each in (report, repeated))
    if stored != live:
        outcome.problems.append("the capture says otherwise: %s, live %s" % (stored, live))


class Trial:
    """A case that runs."""

    def __init__(self, case, seed):
        self.outcome, self.scope, self.begin = Outcome(case, seed), cases.Scope(), time.monotonic()
        self.pids = None  # None: all agents

    def start(self):
        """Whether it runs."""
        case = self.outcome.case
        try:
            self.outcome.skipped = case.may_skip and case.may_skip()
            if self.outcome.skipped:
                return False
            made = case.make(self.scope, random.Random("%s %s %d" % (case.finding, case.name, self.outcome.seed)))
            self.pids = made if made is None or isinstance(made, list) else [made]
            return True
        except Exception:  # noqa: BLE001: one case must not hide the others
            self.outcome.problems.append(traceback.format_exc())
            return False

    def end(self):
        self.scope.close()
        self.outcome.took_s = time.monotonic() - self.begin


def keep_input(trial, capture):
    """The input of a case that passed, if it is small and what is left of the capture says the same."""
    case, path = trial.outcome.case, trial.scope.path / "stored.sooth"
    started = [p.pid for p in trial.scope.processes]
    path.write_bytes(stored.without_others(capture.read_bytes(), [*started, *(trial.pids or [])], str(trial.scope.path)))
    again = Outcome(case, trial.outcome.seed)
    report = report_of(cases.diagnose_capture(case, str(path)))
    judge(again, report, report, {})
    if again.problems or not stored.is_small(path.read_bytes()):
        print("not stored: %s: %s" % (name_of(case), "; ".join(again.problems) or "too large"))
        return
    trial.outcome.input = {name: getattr(case, name) for name in stored.FIELDS}, path.read_bytes()


def part_of(report, pids):
    return {**report, "processes": [p for p in report["processes"] if p["pid"] in pids]}


def observe(trials, table):
    """One observation of cases that are alike; what it says of each one's processes is that one's."""
    together = dataclasses.replace(trials[0].outcome.case, settings=sorted({s for t in trials for s in t.outcome.case.settings}))
    pids = [pid for t in trials for pid in t.pids or []]
    capture = str(trials[0].scope.path / "case.sooth")
    try:
        report = report_of(cases.diagnose(together, pids, capture))
        repeated = report_of(cases.diagnose_capture(together, capture))
        if len(trials) == 1:
            judge(trials[0].outcome, report, repeated, table)
            if trials[0].outcome.keeps_input and not trials[0].outcome.problems:
                keep_input(trials[0], pathlib.Path(capture))
            return
        for trial in trials:
            own = trial.outcome.case.finding
            judge(trial.outcome, part_of(report, trial.pids), part_of(repeated, trial.pids), table,
                {other.outcome.case.finding for other in trials} - {own})
    except Refused as why:
        for trial in trials:
            trial.outcome.unseen = str(why)
    except Exception:  # noqa: BLE001
        for trial in trials:
            trial.outcome.problems.append(traceback.format_exc())


def try_cases(wanted, table):
    trials = [Trial(*each) for each in wanted]
    try:
        # Some programs end with the thread that started them (PR_SET_PDEATHSIG): it stays until all are observed.
        with concurrent.futures.ThreadPoolExecutor(len(trials)) as pool:
            running = [trial for trial, is_started in zip(trials, pool.map(Trial.start, trials)) if is_started]
            # Children of a process are diagnosed with it, but not with several.
            parents = {processes.parent(pid) for pid in processes.all_pids()}
            beside = [trial for trial in running if trial.pids and not parents & set(trial.pids)]
            for group in [beside] * bool(beside) + [[trial] for trial in running if trial not in beside]:
                observe(group, table)
    finally:
        for trial in trials:
            trial.end()
    return [trial.outcome for trial in trials]


def try_case(case, seed, table):
    return try_cases([(case, seed)], table)[0]


def try_group(wanted, table):
    """One that fails beside others runs by itself: that counts."""
    for outcome in try_cases(wanted, table):
        beside = outcome.problems
        if beside:
            outcome = try_case(outcome.case, outcome.seed, table)
            outcome.beside = beside
        yield outcome


# Their states last, and are about single processes. Others are tried beside each other first.
BESIDE_EACH_OTHER = ("deadlock", "frozen", "held-up", "lock-kept", "prompt-unanswered", "task-lost")


def is_observed_beside(case):
    return not Outcome.keeps_input and case.finding in BESIDE_EACH_OTHER and not (case.alone or case.few or case.calls or case.options or case.start_s)


def groups_of(wanted):
    """Those of one duration, the cases of a finding in different groups."""
    alike = collections.defaultdict(list)
    for each in wanted:
        if is_observed_beside(each[0]):
            alike[float(each[0].duration_s)].append(each)
    for duration_s in sorted(alike, reverse=True):
        count = -(-len(alike[duration_s]) // BESIDE)
        yield from (alike[duration_s][i::count] for i in range(count))


def run_all(wanted, jobs, table):
    """Many at once, then those that get on with a few, then one by one; the longest first."""
    with concurrent.futures.ThreadPoolExecutor(max(1, jobs // BESIDE)) as pool:
        outcomes = [o for group in pool.map(lambda g: list(try_group(g, table)), groups_of(wanted)) for o in group]
    for at_once, is_meant in ((jobs, lambda c: not (c.alone or c.few or is_observed_beside(c))),
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
    outcome.input = again.input
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


def share_named(outcomes):
    """What an ordinary user learns of the sick cases."""
    sick = [o for o in outcomes if o.case.sick and not o.skipped]
    named = sum(bool(o.fired) for o in sick)
    return "sick cases named: %d of %d (%.2f), not judged: %d, missed: %d" % (named, len(sick),
        named / max(len(sick), 1), sum(bool(o.unseen) for o in sick),
        sum(not o.fired and not o.unseen for o in sick))


def become(uid):
    """An ordinary user, with a copy of the programs, as the build folder may be closed to others."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sooth-user-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for variable in ("SOOTH", "WORKLOADS"):
        os.environ[variable] = shutil.copy(os.environ[variable], folder)
    harness.SOOTH, harness.WORKLOADS = os.environ["SOOTH"], os.environ["WORKLOADS"]
    os.environ["HOME"] = str(folder)
    os.chown(folder, uid, uid)
    os.chdir(folder)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    Outcome.may_be_unseen = True


def store(outcomes):
    """Adds the inputs of the cases that passed; those of other cases stay."""
    by_finding = collections.defaultdict(list)
    for o in outcomes:
        if o.input:
            by_finding[o.case.finding].append(o.input)
    for finding, new in by_finding.items():
        names = {fields["name"] for fields, _ in new}
        old = stored.unpack(finding) if finding in stored.findings() else []
        stored.pack(finding, new + [each for each in old if each[0]["name"] not in names])


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
    parser.add_argument("--store", action="store_true", help="the captures of the cases that pass, in inputs/")
    parser.add_argument("--failed", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--as-user", type=int, metavar="UID")
    parser.add_argument("--sample", type=int, metavar="N")
    args = parser.parse_args()
    Outcome.keeps_input = args.store
    known = all_cases()
    only = args.only
    if args.failed and args.failed.exists() and os.environ.get("SOOTH_ONLY_FAILED"):
        only = args.failed.read_text().splitlines()
    chosen = known if args.all else default_of(known)
    if only is not None:
        chosen = [c for c in known if {c.finding, name_of(c)} & set(only)]
    if args.only and not chosen:
        sys.exit("no case of %s: name a finding, or a case as \"FINDING: CASE\"" % ", ".join(args.only))
    if args.sample:
        sick = [c for c in chosen if c.sick]
        chosen = random.Random(args.seed).sample(sick, min(args.sample, len(sick)))
    if args.as_user is not None:
        become(args.as_user)
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
        elif o.unseen:
            print("unseen %s: %s" % (name, o.unseen))
        else:
            print("ok   %s, %.1f s%s%s" % (name, o.took_s, ", alone" if o.case.alone else "",
                "".join("\n     beside others: " + problem for problem in o.beside)))
    store(outcomes)
    print("\n" + table_of(outcomes))
    if args.as_user is not None:
        print("\n" + share_named(outcomes))
    if args.table:
        pathlib.Path(args.table).write_text(table_of(outcomes) + "\n")
    if args.failed:
        args.failed.write_text("".join(name + "\n" for name in failed_cases))
    for problem in failed:
        print("failed: %s" % problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
