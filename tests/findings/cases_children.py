# SPDX-License-Identifier: BSD-2-Clause
"""Findings about all children of one kind together: children-left."""
from case import healthy, sick

# Ends a shell, and only it: its helpers run on.
LEAVES = """
import os, subprocess, sys, time
count, calls, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
helper = "setsid sleep 600 &" if how == "daemons" else "sleep 600 &"
for _ in range(calls):
    shell = subprocess.Popen(["bash", "-c", f"for i in $(seq {count}); do {helper} done; echo begun; wait"],
        stdout=subprocess.PIPE)
    shell.stdout.readline()
    time.sleep(0.3)
    if how != "at work":
        shell.kill(); shell.wait()
print("ready", flush=True)
while True: time.sleep(1)
"""


def leaves(how):
    return lambda s, r: s.python(LEAVES, r.randint(3, 6), r.randint(2, 4), how, start_new_session=True).pid


CASES = [
    sick("children-left", "helpers of shells that were ended", leaves("helpers"), says="(sleep)",
        settings=("children-left.min-age=0",)),
    healthy("children-left", "helpers of shells that are alive", leaves("at work"),
        settings=("children-left.min-age=0",)),
    healthy("children-left", "daemons with sessions of their own", leaves("daemons"),
        settings=("children-left.min-age=0",)),
]
