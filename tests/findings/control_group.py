# SPDX-License-Identifier: BSD-2-Clause
"""Control groups of version 1 for cases: made for one case, gone with it."""
import os

import harness

ROOT = "/sys/fs/cgroup/"
numbers = iter(range(1 << 30))


def missing(controller):
    """Why there are none that can be made here, or None."""
    procs = ROOT + controller + "/cgroup.procs"
    if os.path.exists(procs) and os.access(procs, os.W_OK):
        return None
    return "no control groups of %s (version 1) that can be made here" % controller


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def make(scope, controller, **limits):
    """Its path; a limit is the name of a file, _ for the dot. Removed once the processes ended."""
    path = "%s%s/sooth-finding-%d-%d" % (ROOT, controller, os.getpid(), next(numbers))
    os.mkdir(path)

    def remove():
        harness.wait_until(lambda: not harness.read(path + "/cgroup.procs"), "the group to empty")
        os.rmdir(path)

    scope.later_last(remove)
    for name, value in limits.items():
        write(path + "/" + name.replace("_", ".", 1), value)
    return path


def within(scope, group, program, *argv):
    """A Python program that starts in the group."""
    return scope.python(program, *argv, preexec_fn=lambda: write(group + "/cgroup.procs",
        os.getpid()))
