# SPDX-License-Identifier: BSD-2-Clause
"""held-back: CPU quotas and I/O limits of control groups, and other processes."""
import os
import pathlib
import tempfile

import control_group
from case import healthy, sick

PERIOD_US = 100000

# Computes for a share of the time, a turn a tenth of a second at most; "1" is all of it.
WORKER = """
import signal, sys, time
share = float(sys.argv[1])
signal.alarm(120)
print("ready", flush=True)
while True:
    begin = time.process_time()
    while time.process_time() - begin < 0.02 * share: pass
    if share < 1: time.sleep(0.05)
"""

IDLE = "import signal, time; signal.alarm(120); print('ready', flush=True); time.sleep(120)"


def no_groups():
    return control_group.missing("cpu")


def quota(share, busy, judge_idle=False):
    """A group that may use that share of one CPU, and a process in it that uses `busy` of one."""
    def make(scope, rng):
        us = int(PERIOD_US * share * rng.uniform(0.8, 1.2))
        group = control_group.make(scope, "cpu", cpu_cfs_period_us=PERIOD_US, cpu_cfs_quota_us=us)
        pids = [scope.python(WORKER, busy).pid, *([scope.python(IDLE).pid] if judge_idle else [])]
        for pid in pids:
            control_group.write(group + "/cgroup.procs", pid)
        return pids[-1]
    return make


def quota_of_another(scope, rng):
    """It needs little, and another process of its group computes all the time."""
    group = control_group.make(scope, "cpu", cpu_cfs_period_us=PERIOD_US, cpu_cfs_quota_us=5000)
    pids = [scope.python(WORKER, 1).pid, scope.python("import os; os.nice(15)" + WORKER, 0.3).pid]
    for pid in pids:
        control_group.write(group + "/cgroup.procs", pid)
    return pids[-1]


# Of the lowest priority there is, which the others do not notice.
LAST = "import os; os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))" + WORKER


def among_others(scope, rng):
    """Twice as many that compute as there are CPUs."""
    pid = scope.python(LAST, 1).pid
    for _ in range(2 * os.cpu_count()):
        scope.python(WORKER, 1)
    return pid


# Reads a file from the disk, as fast as it may.
READER = """
import os, signal
signal.alarm(120)
with open("data", "wb") as file:
    for _ in range(24): file.write(os.urandom(1 << 20))
    file.flush()
    os.fsync(file.fileno())
print("ready", flush=True)
while True:
    file = os.open("data", os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    while os.read(file, 65536): pass
    os.close(file)
"""


def device_of(path):
    """The whole disk of the file system, "8:0"; None: it has none, as an overlay."""
    device = os.stat(path).st_dev
    link = pathlib.Path("/sys/dev/block/%d:%d" % (os.major(device), os.minor(device)))
    if not link.exists():
        return None
    folder = link.resolve()
    return ((folder.parent if (folder / "partition").exists() else folder) / "dev").read_text(
        encoding="ascii").strip()


def no_disk():
    if control_group.missing("blkio"):
        return control_group.missing("blkio")
    return None if device_of(tempfile.gettempdir()) else "temporary files are on no block device here"


def reader(limit):
    def make(scope, rng):
        group = control_group.make(scope, "blkio")
        control_group.write(group + "/blkio.throttle.read_bps_device", "%s %d" % (
            device_of(scope.path), int(limit * rng.uniform(0.8, 1.2))))
        pid = scope.python(READER).pid
        control_group.write(group + "/cgroup.procs", pid)
        return pid
    return make


CASES = [
    sick("held-back", "a quota that another process uses up", quota_of_another, duration_s=4,
        says="a second; python", may_skip=no_groups, also=["cpu-spin"]),
    # So small that a busy host still uses it up.
    sick("held-back", "a quota of a fiftieth", quota(0.02, 1), duration_s=4, says="CPU quota",
        may_skip=no_groups, also=["cpu-spin"], evidence="times the quota was used up",
        threshold="min-throttled"),
    sick("held-back", "an I/O limit", reader(1 << 23), duration_s=4, says="I/O limit", may_skip=no_disk,
        evidence="bytes that the thread reads and writes"),
    healthy("held-back", "an I/O limit that is never reached", reader(1 << 34), duration_s=4,
        may_skip=no_disk, also=["slow-syscalls", "repeated-reads"]),
    sick("held-back", "the lowest priority among others", among_others, duration_s=4, says="SCHED_IDLE",
        also=["cpu-spin"], evidence="share of the time in which it was ready to run and got no CPU"),
    healthy("held-back", "a quota with room", quota(1.5, 0.1), duration_s=4, may_skip=no_groups),
    healthy("held-back", "asleep in a group whose quota is used up", quota(0.02, 1, True),
        duration_s=4, may_skip=no_groups),
]
