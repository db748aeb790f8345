# SPDX-License-Identifier: BSD-2-Clause
"""
A mount that hangs takes no more of sooth's readers than two a run, whatever command looks at whatever
process on it: one that waits there cannot be killed, and adds to the load of the host until the
mount answers. What is left out is reported with the mount's name.
"""
import glob
import os
import signal
import subprocess
import time

import harness
from harness import Case, needs_root

READERS = 2
SECONDS = 20
COMMANDS = (["diagnose", "--duration", "1"], ["why"], ["inspect"], ["stack"],
            ["profile", "-d", "0.5", "-p"], ["heap", "-d", "0.5", "-p"])
# Of ten processes with the directory there.
OF_MANY = (["trace", "-d", "0.5"], ["heap", "-d", "0.5"], ["api", "-d", "0.5"], ["timeline", "-d", "0.5"],
           ["profile", "-d", "0.5"], ["sched", "-d", "0.5"], ["diagnose", "--duration", "1"], ["record", "-d", "0.5"])


def hanging(name):
    """PIDs of processes of that name in an uninterruptible wait for a FUSE daemon."""
    found = set()
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            stat = harness.read(path).decode("utf-8", "replace")
            wait = harness.read(os.path.join(os.path.dirname(path), "wchan")).decode()
        except OSError:
            continue
        if stat[stat.index("(") + 1:stat.rindex(")")] == name and stat[stat.rindex(")") + 2] == "D" \
                and wait not in ("0", ""):
            found.add(int(stat.split(" ", 1)[0]))
    return found


@needs_root
class DeadMount(Case):
    def setUp(self):
        super().setUp()
        # By a name of its own: other programs of this name may run, and hang, meanwhile.
        self.name = "dm%d" % os.getpid()
        self.program = self.path(self.name)
        os.link(harness.SOOTH, self.program) if os.stat(harness.SOOTH).st_dev == \
            os.stat(self.folder).st_dev else harness.shutil.copy2(harness.SOOTH, self.program)

    def mount(self, programs=1):
        """PIDs of processes with their working directory on one mount that swallows questions."""
        script, truth = self.path("script"), self.path("truth")
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho ready\nread x\n")
        os.chmod(script, 0o755)
        process = self.workload("fuse", "--directory", self.folder, "--swallow", "--inside", "--program",
                                script, "--programs", str(programs), "--seconds", "600", truth=truth, hold=False,
                                cannot="no right to mount, or no FUSE here")
        self.addCleanup(process.end)
        words = [line.split() for line in harness.read(truth).decode().splitlines() if " program " in line]
        return [process.pid, *(int(word[0]) for word in words)]

    def run_one(self, *argv):
        return subprocess.run([self.program, *argv], capture_output=True, timeout=harness.PATIENCE_S,
                              check=False)

    def test_each_command(self):
        pids = self.mount()
        for command in COMMANDS:
            before = hanging(self.name)
            begin = time.monotonic()
            run = self.run_one(*command, str(pids[0]))
            self.assertLess(time.monotonic() - begin, SECONDS, command)
            self.assertLessEqual(len(hanging(self.name) - before), READERS, command)
            if command[0] in ("diagnose", "inspect"):
                self.assertRegex(run.stdout + run.stderr, b"does not answer|no answer", command)

    def test_all_processes(self):
        pids = self.mount()
        for argv in (["ps", "-a", "-v"], ["status"], ["diagnose", "--duration", "1",
                                                      *(word for pid in pids for word in ("-p", str(pid)))]):
            before = hanging(self.name)
            self.run_one(*argv)
            self.assertLessEqual(len(hanging(self.name) - before), READERS, argv)

    def test_many_processes(self):
        pids = self.mount(programs=9)
        self.assertEqual(len(pids), 10)
        chosen = [word for pid in pids for word in ("-p", str(pid))]
        for command in OF_MANY:
            before = hanging(self.name)
            begin = time.monotonic()
            saved = ["-o", self.path(command[0])] if command[0] in ("record", "timeline") else []
            run = self.run_one(*command, *saved, *chosen)
            self.assertLess(time.monotonic() - begin, SECONDS, command)
            self.assertLessEqual(len(hanging(self.name) - before), READERS, (command, run.stdout, run.stderr))
            self.assertNotEqual(run.returncode, 2, (command, run.stderr))

    def test_killed(self):
        """SIGKILL while its readers hang: those that cannot end are few, and nothing else is left."""
        pids = self.mount()
        before = hanging(self.name)
        for _ in range(2):
            child = subprocess.Popen([self.program, "diagnose", "--duration", "30", str(pids[0])],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            harness.wait_until(lambda: hanging(self.name) - before, "a reader to hang")
            child.send_signal(signal.SIGKILL)
            child.wait()
        self.assertLessEqual(len(hanging(self.name) - before), 2 * READERS)

    def test_nothing_stays(self):
        """When the daemon ends, the readers do."""
        pids = self.mount()
        self.run_one("inspect", str(pids[0]))
        self.doCleanups()
        harness.wait_until(lambda: not hanging(self.name), "the readers to end")


if __name__ == "__main__":
    harness.main()
