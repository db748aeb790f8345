# SPDX-License-Identifier: BSD-2-Clause
"""ended-abnormally."""
import contextlib
import os
import pathlib
import subprocess

from case import healthy, sick

# The capture has its name as soon as all is attached: what happens before would not be seen.
WAIT = """
import ctypes, os, resource, signal, subprocess, sys, time
def watched():
    print("ready", flush=True)
    while not os.path.exists("case.sooth"): time.sleep(0.01)
    time.sleep(float(sys.argv[1]))
"""
CRASH = WAIT + "watched(); ctypes.string_at(int(sys.argv[2]))"
ABORT = WAIT + "watched(); os.abort()"
EXIT = WAIT + "watched(); os._exit(int(sys.argv[2]))"
REST = WAIT + "watched(); time.sleep(600)"
KILLER = WAIT + "watched(); os.kill(int(sys.argv[2]), int(sys.argv[3]))"
# The soft limit alone: at the hard one it is SIGKILL. Most of it is spent before, and the rest with
# nobody coming between where that is allowed, so that it ends while it is watched, on a busy machine too.
SPEND = WAIT + """
while time.process_time() < 0.85: pass
resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))
watched()
try: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
except PermissionError: pass
while True: pass
"""
WRITE = WAIT + """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
watched()
os.write(os.open("large", os.O_CREAT | os.O_WRONLY), b"x" * 4096)
os.write(os.open("large", os.O_WRONLY | os.O_APPEND), b"x" * 4096)
"""
PIPE = WAIT + """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
a, b = os.pipe(); os.close(a); watched(); os.write(b, b"x")
"""
EAT = WAIT + """
watched()
held = []
while True: held.append(bytearray(b"x" * (1 << 20)))
"""

# A supervisor ends what it started; the child has a handler when asked for one.
SUPERVISE = WAIT + """
child = subprocess.Popen([sys.executable, "-u", "-c", sys.argv[2]], stdout=subprocess.PIPE)
child.stdout.readline()
print("child", child.pid, flush=True)
watched()
child.terminate()
child.wait()
time.sleep(600)
"""
PLAIN_CHILD = "import time; print('up', flush=True); time.sleep(600)"
TIDY_CHILD = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("up", flush=True)
time.sleep(600)
"""
# It is asked to end, and has its reasons to go on.
DEAF = "import signal; signal.signal(signal.SIGUSR1, lambda *_: None); " + \
    "signal.signal(signal.SIGSEGV, lambda *_: None)\n" + REST


def soon(random):
    return random.uniform(0.05, 0.4)


def killed(scope, random, number=9, program=REST):
    target = scope.python(program, 0)
    scope.python(KILLER, soon(random), target.pid, number)
    return target.pid


def supervised(scope, random, child):
    process = scope.python(SUPERVISE, soon(random), child)
    line = bytes(process.out).split(b"\n")[0].split()
    return int(line[1])


def group_folder():
    v1 = pathlib.Path("/sys/fs/cgroup/memory")
    return v1 if v1.is_dir() else pathlib.Path("/sys/fs/cgroup")


def no_memory_group():
    """Why there is no group with a limit to be had here; None: there is."""
    folder = group_folder() / ("sooth-test-%d" % os.getpid())
    try:
        folder.mkdir()
        try:
            if not any((folder / n).exists() for n in ("memory.limit_in_bytes", "memory.max")):
                return "control groups without memory"
        finally:
            folder.rmdir()
    except OSError as error:
        return "control groups: %s" % error
    return None


def out_of_memory(scope, random):
    folder = group_folder() / ("sooth-test-%d-%d" % (os.getpid(), random.randrange(1 << 30)))
    folder.mkdir()

    def remove():
        with contextlib.suppress(OSError):
            folder.rmdir()

    scope.later(remove)
    name = "memory.limit_in_bytes" if (folder / "memory.limit_in_bytes").exists() else "memory.max"
    (folder / name).write_text("%dM" % random.randrange(32, 64))
    process = scope.start(["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder,
        subprocess.sys.executable, "-u", "-c", EAT, soon(random)])
    scope.processes.remove(process)  # it has to be gone before its group can be
    scope.later(process.end)
    return process.pid


def case(sort, name, make, **more):
    return sort("ended-abnormally", name, make, **more)


def bpf_or_skip():
    return None if os.geteuid() == 0 else "signals are watched as root only"


CASES = [
    case(sick, "a null pointer", lambda s, r: s.python(CRASH, soon(r), r.randrange(4096)).pid),
    case(sick, "an abort", lambda s, r: s.python(ABORT, soon(r)).pid),
    case(sick, "SIGKILL of another", lambda s, r: killed(s, r)),
    case(sick, "SIGTERM of another", lambda s, r: killed(s, r, 15), may_skip=bpf_or_skip),
    case(sick, "a signal nobody handles", lambda s, r: killed(s, r, r.choice([10, 12, 14, 40]))),
    case(sick, "its limit of CPU time", lambda s, r: s.python(SPEND, soon(r)).pid, duration_s=6.0,
        also=["cpu-spin"]),
    case(sick, "its limit of file size", lambda s, r: s.python(WRITE, soon(r)).pid),
    case(sick, "a pipe nobody reads", lambda s, r: s.python(PIPE, soon(r)).pid),
    case(sick, "out of memory in its group", out_of_memory, may_skip=no_memory_group,
        also=["memory-growth", "memory-pressure"]),
    case(sick, "exit status 1", lambda s, r: s.python(EXIT, soon(r), 1).pid),
    case(sick, "an exit status like a shell's",
        lambda s, r: s.python(EXIT, soon(r), r.choice([126, 127, 137, 143])).pid),
    case(healthy, "exit status 0", lambda s, r: s.python(EXIT, soon(r), 0).pid),
    case(healthy, "SIGTERM of its supervisor", lambda s, r: supervised(s, r, PLAIN_CHILD),
        may_skip=bpf_or_skip),
    case(healthy, "SIGTERM of its supervisor, put in order",
        lambda s, r: supervised(s, r, TIDY_CHILD)),
    case(healthy, "signals it has handlers for",
        lambda s, r: killed(s, r, r.choice([10, 11]), DEAF)),
    case(healthy, "a process that goes on", lambda s, r: s.workload("sleep", "--seconds", 600).pid),
]
