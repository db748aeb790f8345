# SPDX-License-Identifier: BSD-2-Clause
"""limit-near: limits of a process and of its user that are nearly reached, or far away."""
from case import healthy, sick

# Uses a part of a limit that the program sets for itself.
PROGRAM = """
import mmap, os, resource, signal, subprocess, sys, time
kind, share = sys.argv[1], float(sys.argv[2])
def limit(which, most):
    resource.setrlimit(which, (most, most))
if kind == "AS":
    now = int(open("/proc/self/statm").read().split()[0]) * 4096
    limit(resource.RLIMIT_AS, now + (1 << 30))
    kept = mmap.mmap(-1, int((now + (1 << 30)) * share) - now)
elif kind == "FSIZE":
    limit(resource.RLIMIT_FSIZE, 1 << 20)
    file = open("growing.log", "wb")
    file.write(bytes(int((1 << 20) * share)))
    file.flush()
elif kind == "SIGPENDING":
    os.setuid(int(sys.argv[3]))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    limit(resource.RLIMIT_SIGPENDING, 100)
    for _ in range(int(100 * share)):
        os.kill(os.getpid(), signal.SIGRTMIN)
elif kind == "NPROC":
    os.setuid(int(sys.argv[3]))
    limit(resource.RLIMIT_NPROC, 20)
    kept = [subprocess.Popen(["sleep", "60"]) for _ in range(int(20 * share) - 1)]
print("ready", flush=True)
time.sleep(60)
"""


def limited(kind, share):
    return lambda scope, r: scope.python(PROGRAM, kind, str(share), str(r.randrange(40000, 50000))).pid


CASES = [
    case
    for kind, what, says in (
        ("AS", "address space", "almost out of address space"),
        ("FSIZE", "a file", "almost out of file size"),
        ("SIGPENDING", "queued signals", "almost out of signals queued for its user"),
        ("NPROC", "processes of a user", "18 of the 19 processes are sleep; at the limit fork"))
    for case in (
        sick("limit-near", what, limited(kind, 0.95), says=says, evidence="used", threshold="percent"),
        healthy("limit-near", f"half of the limit: {what}", limited(kind, 0.5)))
]
