# SPDX-License-Identifier: BSD-2-Clause
"""held-back: CPU quotas of control groups, and other processes."""
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


CASES = [
    # So small that a busy host still uses it up.
    sick("held-back", "a quota of a fiftieth", quota(0.02, 1), duration_s=4, says="CPU quota",
        may_skip=no_groups, also=["cpu-spin"], evidence="times the quota was used up",
        threshold="min-throttled"),
    healthy("held-back", "a quota with room", quota(1.5, 0.1), duration_s=4, may_skip=no_groups),
    healthy("held-back", "asleep in a group whose quota is used up", quota(0.02, 1, True),
        duration_s=4, may_skip=no_groups),
]
