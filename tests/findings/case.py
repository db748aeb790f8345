# SPDX-License-Identifier: BSD-2-Clause
"""
What a case of a finding is: a workload that is sick and must fire it, or a healthy twin that looks
alike and must not. Rates, sizes and times come from a seeded generator, so that a failure can be
had again: python3 tests/findings/prove.py --only fd-leak --seed 7.
"""
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness  # noqa: E402


class Scope:
    """What one case has started and made; all of it goes with the case, by pid and by path."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sooth-finding-")
        self.path = pathlib.Path(self.folder.name)
        self.processes, self.undo, self.last = [], [], []

    def start(self, argv, ready=b"ready", **options):
        process = harness.Process([str(a) for a in argv], cwd=self.path, **options)
        self.processes.append(process)
        if ready:
            process.wait_for_output(ready)
        return process

    def python(self, program, *argv, **options):
        """A Python program that says "ready" once it is in the state that is judged."""
        return self.start([sys.executable, "-u", "-c", program, *argv], **options)

    def workload(self, *argv, **options):
        return self.start([harness.WORKLOADS, *argv], **options)

    def later(self, action):
        """Undone at the end, the last first, whatever happens."""
        self.undo.append(action)

    def later_last(self, action):
        """The same, once everything that was started has ended."""
        self.last.append(action)

    def close(self):
        for action in reversed(self.undo):
            action()
        for process in reversed(self.processes):
            process.end()
        self.end_left_behind()
        for action in reversed(self.last):
            action()
        self.folder.cleanup()

    def end_left_behind(self):
        """
        Children that outlive their parents: they started in the folder of the case. An alarm does
        not end them, a fork clears it, and one that computes takes a processor from later cases.
        """
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if pathlib.Path(os.readlink(entry / "cwd")).is_relative_to(self.path):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue  # it ended, or is a kernel thread


@dataclasses.dataclass
class Case:
    finding: str
    name: str
    sick: bool
    # Called with the Scope and a random.Random; returns the pid that is judged, or a list for
    # several, or None for all agents.
    make: typing.Callable
    # Thresholds other than the default, and why a test needs them: mostly a minimum age.
    settings: typing.Sequence = ()
    duration_s: float = 3.0
    start_s: float = 0  # about what make() takes, where that is long: such cases start first
    # The evidence whose value is compared with a threshold, and that option: for the margin.
    # Of a healthy twin there is no evidence, so none is told.
    evidence: str = ""
    threshold: str = ""
    options: typing.Sequence = ()  # more of `sooth diagnose`
    calls: bool = False  # it is judged by system calls: with -D
    alone: bool = False  # it needs the processors for itself
    few: bool = False  # it needs a part of a processor: beside a few that are alike
    may_skip: typing.Callable = None  # returns why it cannot run here, or None
    says: str = ""  # what the claim has to hold, where a finding says different things
    severity: str = ""  # that it has, where a finding has different ones
    # Other findings that are right as well; any further one of medium or above is a defect.
    also: typing.Sequence = ()


def sick(finding, name, make, **more):
    return Case(finding, name, True, make, **more)


def healthy(finding, name, make, **more):
    return Case(finding, name, False, make, **more)


def findings_of(report):
    found = list(report["host"]["findings"])
    for process in report["processes"]:
        found += process["findings"]
    return found


def diagnose(case, pids, capture):
    argv = [harness.SOOTH, "diagnose", "-j", "--duration", str(case.duration_s), "--save", capture]
    for setting in case.settings:
        argv += ["--set", setting]
    argv += [*(["-D"] if case.calls else []), *case.options, *(str(p) for p in pids)]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=120,
        env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent"))
    return result


def diagnose_capture(case, capture):
    argv = [harness.SOOTH, "diagnose", "-j", capture]
    for setting in case.settings:
        argv += ["--set", setting]
    return subprocess.run(argv, capture_output=True, text=True, timeout=120,
        env=dict(os.environ, XDG_CONFIG_HOME="/nonexistent"))
