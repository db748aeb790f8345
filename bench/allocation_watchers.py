# SPDX-License-Identifier: BSD-2-Clause
"""The watchers of allocations that bench/heap compares: how each is started, and what it saw."""
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import heap_case  # noqa: E402

ATTACH_S = 20


def load_trace():
    path = os.path.join(ROOT, "bench/trace")
    loader = importlib.machinery.SourceFileLoader("bench_trace", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_trace", loader))
    loader.exec_module(module)
    return module


trace = load_trace()
NotMeasured, Tracer, tail_of, number, goal = (trace.NotMeasured, trace.Tracer, trace.tail_of,
                                              trace.number, trace.goal)


def libc_of(pid):
    for _, _, path, _ in heap_case.mapped_code(pid):
        if os.path.basename(path).startswith("libc"):
            return path
    raise NotMeasured("the workload has no libc")


class Attacher(Tracer):
    """Watches a pid that runs."""

    starts = False
    steady_s = 0.3

    def why(self, text):
        """Of a watcher that ended: the line that names the trouble, where one does."""
        named = [line.strip() for line in text.splitlines()
                 if re.search(r"error|unable|cannot", line, re.I)]
        return named[0][:200] if named else tail_of(text)

    def wait_attached(self, process, pid):
        """Breakpoints stand, and no more come."""
        end, last, since = time.monotonic() + ATTACH_S, None, 0
        while time.monotonic() < end:
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return  # it ended: the caller says why
            now = (len(heap_case.breakpoints(pid) or ()), heap_case.perf_events(process.pid))
            if now != last:
                last, since = now, time.monotonic()
            elif now[0] and time.monotonic() - since > self.steady_s:
                return
            time.sleep(0.005)
        raise NotMeasured("no breakpoint in the target within %d s" % ATTACH_S)


class Bare(trace.Bare):
    starts = False


class Sooth(Attacher):
    name = "sooth heap"
    how = ["--no-hold"]
    engine = "bpf"  # of a command that it starts

    def problem(self):
        if not os.access(self.options.sooth, os.X_OK):
            return "%s is not built" % self.options.sooth
        run = subprocess.run([self.options.sooth, "heap", "--help"], capture_output=True, text=True)
        return tail_of(run.stderr) if run.returncode else None

    def arguments(self):
        return [self.options.sooth, "heap", "-j", "-o", "/dev/null"] + self.how

    def command(self, pid):
        return self.arguments() + ["-p", str(pid)]

    def prefix(self, _folder):
        return self.arguments() + ["--engine", self.engine, "--"]

    def report(self, run):
        try:
            return heap_case.last_json(run.out)
        except (AssertionError, ValueError):
            raise NotMeasured(tail_of(run.err or run.out)) from None

    def seen(self, run):
        totals = heap_case.one(self.report(run)["heap_totals"])
        return totals["calls"], totals.get("lost") or 0

    def own(self, run):
        return self.report(run)["self"]


class SoothHold(Sooth):
    """Only a command that it starts is ever held."""

    name = "sooth heap, holding"
    how = []
    starts = True


class SoothStack(Sooth):
    """With the stack of each allocation; the peers of that are Memleak and Heaptrack."""

    name = "sooth heap --stack"

    def arguments(self):
        return super().arguments() + ["--stack"]


class SoothSums(Sooth):
    """Added up by stack in the kernel: no call crosses to user space."""

    name = "sooth heap --in-kernel"

    def arguments(self):
        return [self.options.sooth, "heap", "-j", "--in-kernel"] + self.how


class SoothSampled(Sooth):
    """The same of samples alone."""

    name = "sooth heap --sample-bytes"

    def arguments(self):
        return [self.options.sooth, "heap", "-j", "--sample-bytes", "512K"] + self.how


class SoothCount(Sooth):
    name = "sooth heap --count"

    def arguments(self):
        return [self.options.sooth, "heap", "-j", "--count"]


class SoothPreload(Sooth):
    """The engine in the process, of a command that it starts."""

    name = "sooth heap --engine preload"
    how = []
    engine = "preload"
    starts = True

    def arguments(self):
        return [self.options.sooth, "heap", "-j"] + self.how


class SoothPreloadCount(SoothPreload):
    name = "sooth heap --engine preload --count"
    how = ["--count"]


class SoothPreloadStack(SoothPreload):
    name = "sooth heap --engine preload --stack"
    how = ["--stack"]


class Bpftrace(Attacher):
    """Probes at the plain entries of functions: what one writes without looking at the code."""

    name = "bpftrace, plain entries"
    program = "bpftrace"
    steady_s = 1.0

    def command(self, pid):
        libc = libc_of(pid)
        probes = (("uprobe", "malloc"), ("uretprobe", "malloc"), ("uprobe", "free"))
        script = " ".join('%s:%s:%s /pid == %d/ { @n["%s %s"] = count(); }' % (
            kind, libc, name, pid, kind, name) for kind, name in probes)
        return ["bpftrace", "-p", str(pid), "-e", script]

    def seen(self, run):
        counts = {name: int(n) for name, n in re.findall(r"^@n\[(.*?)\]: (\d+)", run.out, re.M)}
        if not counts:
            raise NotMeasured(tail_of(run.err or run.out))
        return counts.get("uprobe malloc", 0) + counts.get("uprobe free", 0), 0


class BpftraceReturn(Bpftrace):
    """The same without the probe on free, whose first instruction is single-stepped."""

    name = "bpftrace, malloc alone"

    def command(self, pid):
        command = super().command(pid)
        command[-1] = command[-1].split(" uprobe:", 1)[0]
        return command

    def seen(self, run):
        return 2 * super().seen(run)[0], 0


class Memleak(Attacher):
    name = "bcc memleak"
    program = "memleak-bpfcc"
    steady_s = 1.5

    def command(self, pid):
        return ["memleak-bpfcc", "-p", str(pid), "3600"]

    def seen(self, run):
        return None


class Heaptrack(Tracer):
    name = "heaptrack"
    program = "heaptrack"
    starts = True

    def prefix(self, folder):
        return ["heaptrack", "-o", os.path.join(folder, "trace")]

    def seen(self, run):
        found = re.search(r"^\s*allocations:\s+(\d+)", run.out + run.err, re.M)
        if not found:
            raise NotMeasured(tail_of(run.err or run.out))
        return 2 * int(found[1]), 0


class Valgrind(Tracer):
    name = "valgrind memcheck"
    program = "valgrind"
    starts = True

    def problem(self):
        return super().problem() if self.options.valgrind else "only with --valgrind"

    def prefix(self, _folder):
        return ["valgrind", "--leak-check=no", "--run-libc-freeres=no"]

    def seen(self, run):
        found = re.search(r"total heap usage: ([\d,]+) allocs, ([\d,]+) frees", run.err)
        if not found:
            raise NotMeasured(tail_of(run.err or run.out))
        return sum(int(n.replace(",", "")) for n in found.groups()), 0


class Dhat(Valgrind):
    """Each block with its stack: what valgrind has for the question of heaptrack."""

    name = "valgrind dhat"

    def prefix(self, folder):
        return ["valgrind", "--tool=dhat", "--dhat-out-file=" + os.path.join(folder, "dhat")]

    def seen(self, run):
        found = re.search(r"Total:\s+[\d,]+ bytes in ([\d,]+) blocks", run.err)
        if not found:
            raise NotMeasured(tail_of(run.err or run.out))
        return 2 * int(found[1].replace(",", "")), 0
