# SPDX-License-Identifier: BSD-2-Clause
"""
sooth trace --backend ptrace --seccomp: counts are those without the filter, other calls do not stop
the command, and it ends with sooth, however that ends.
"""
import os
import signal
import subprocess
import time
import unittest

import harness
from harness import Case, as_nobody, needs_root, process_state, read_truth, table_counts, tracer_of, wait_until

BACKEND = ("--backend", "ptrace", "--seccomp")
SELECTED = "getppid,openat,close,write,clone,exit_group"

# Children, threads and an exec: each has the filter, and none may run on.
FAMILY = """
import os, sys, threading, time
def work():
    while True:
        os.getppid()
        time.sleep(0.001)
if len(sys.argv) > 1:
    threading.Thread(target=work, daemon=True).start()
    if os.fork() == 0: os.setsid()
    os.write(1, b"pid %d\\n" % os.getpid())
    work()
os.execv(sys.executable, [sys.executable, "-c", open("/proc/self/cmdline").read().split("\\0")[2], "again"])
"""

# A filter of its own, whose tracer is not sooth.
OWN_FILTER = r"""
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 5),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { 4, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
	printf("%ld\n", syscall(SYS_getpgid, 0));
	return 0;
}
"""

# Two children that ask to have no tracer, by clone and by clone3; libc makes clone where that is refused.
UNTRACED = r"""
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void child(void)
{
	printf("%d\n", open("/dev/null", O_RDONLY) >= 0);
	fflush(stdout);
	_exit(0);
}
int main(void)
{
	struct clone_args args = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		child();
	waitpid(pid, NULL, 0);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		child();
	if (pid < 0)
		printf("%d\n", errno == ENOSYS);
	waitpid(pid, NULL, 0);
	return 0;
}
"""


def runs(pid):
    return process_state(pid) not in (None, "Z", "X")


@needs_root
class Seccomp(Case):
    def setUp(self):
        super().setUp()
        os.environ["HOME"] = self.folder
        self.program = self.copy_for_all(harness.SOOTH)
        self.workloads = self.copy_for_all(harness.WORKLOADS)

    def nobody(self, *argv, **options):
        return self.run_program(self.program, "trace", *argv, cwd=self.folder, **as_nobody(), **options)

    def counts(self, *argv, options=BACKEND):
        run = self.nobody(*options, "-e", SELECTED, "-c", "-j", "-o", self.path("report"), "--", self.workloads,
                          *argv, "--truth", self.path("truth"))
        report = harness.json.loads(harness.read(self.path("report")))
        self.assertEqual(report["loss"], [], report)
        return run, table_counts(report), read_truth(self.path("truth"))[0]

    def test_exact_counts(self):
        for shape in (["--count", "400"], ["--threads", "3", "--forks", "3", "--exec", "1", "--count", "100"]):
            with self.subTest(shape=shape):
                run, counts, truth = self.counts("syscalls", "--slow-ms", "1", *shape)
                self.assertIn("end with sooth, and gain no privilege", run.errors)
                selected = {name: count for name, count in truth.items() if name in SELECTED.split(",")}
                self.assertTrue(selected)
                self.assert_includes(counts, selected)
                self.assertLessEqual(set(counts), set(SELECTED.split(",")))
                _, without, _ = self.counts("syscalls", "--slow-ms", "1", *shape, options=BACKEND[:2])
                self.assertEqual(counts, without)

    def test_lines(self):
        run = self.nobody(*BACKEND, "-e", "getppid", "-j", "-o", self.path("lines"), "--", "/usr/bin/python3", "-c",
                          "import os\nfor _ in range(50): os.getppid(); os.getpgid(0)")
        self.assertEqual(run.status, 0, run)
        calls = harness.stream_counts([harness.json.loads(line) for line in harness.read(self.path("lines")).splitlines()])
        self.assertEqual(calls["getppid"], (50, 0))
        self.assertNotIn("getpgid", calls)

    def family(self, *options):
        sooth = self.start(self.program, "trace", *BACKEND, "-e", "getppid", "-c", "-o", self.path("out"), *options,
                           "--", "/usr/bin/python3", "-c", FAMILY, cwd=self.folder, **as_nobody())
        wait_until(lambda: sooth.out.count(b"\n") == 2, "the command and its child")
        pids = [int(line.split()[1]) for line in sooth.out.decode().splitlines()]
        self.assertTrue(all(map(runs, pids)))
        return sooth, pids

    def check_ended(self, pids):
        wait_until(lambda: not any(map(runs, pids)), "the command to end")

    def test_the_command_ends_with_sooth(self):
        for number in signal.SIGKILL, signal.SIGTERM, signal.SIGINT:
            with self.subTest(number=number):
                sooth, pids = self.family()
                sooth.send(number)
                sooth.finish()
                self.check_ended(pids)

    def test_the_command_ends_with_the_tracer(self):
        sooth, pids = self.family()
        os.kill(tracer_of(sooth), signal.SIGKILL)
        self.check_ended(pids)
        sooth.finish()

    def test_the_command_ends_with_the_recording(self):
        sooth, pids = self.family("-d", "1")
        self.assertEqual(sooth.finish().status, 128 + signal.SIGKILL)
        self.check_ended(pids)
        self.assertIn("getppid", harness.read(self.path("out")).decode())

    def test_a_stopped_command(self):
        """A filter does not change how it is stopped and continued."""
        sooth, pids = self.family()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda pid=pid: process_state(pid) in "Tt", "a stop")
        time.sleep(0.3)
        for pid in pids:
            self.assertIn(process_state(pid), "Tt")
            os.kill(pid, signal.SIGCONT)
            wait_until(lambda pid=pid: process_state(pid) in "SR", "it to go on")
        sooth.send(signal.SIGKILL)
        sooth.finish()
        self.check_ended(pids)

    def test_a_filter_of_its_own(self):
        """Its calls fail as without sooth, also those that are selected."""
        program = os.path.join(self.folder, "own-filter")
        subprocess.run(["cc", "-x", "c", "-o", program, "-"], input=OWN_FILTER.encode(), check=True)
        os.chmod(program, 0o755)
        for calls in ("openat", "getpgid"):
            run = self.nobody(*BACKEND, "-e", calls, "-c", "-j", "-o", self.path("report"), "--", program)
            self.assertEqual(run.text, self.run_program(program).text)
            self.assertEqual(run.text, "-1\n")

    def test_children_without_a_tracer(self):
        program = os.path.join(self.folder, "untraced")
        subprocess.run(["cc", "-x", "c", "-o", program, "-"], input=UNTRACED.encode(), check=True)
        os.chmod(program, 0o755)
        run = self.nobody(*BACKEND, "-e", "openat", "-c", "-j", "-o", self.path("report"), "--", program)
        self.assertEqual(run.text, "1\n1\n")

    def test_refusals(self):
        for argv, why in (((*BACKEND, "-e", "read", "-p", str(os.getpid())), "would fail once sooth ends"),
                          ((*BACKEND, "--", "/bin/true"), "would spare none"),
                          (("--seccomp", "-e", "read", "--", "/bin/true"), "part of --backend ptrace")):
            run = self.nobody(*argv, status=None)
            self.assert_says_three_lines(run, why, "--seccomp -e SET -- COMMAND")


if __name__ == "__main__":
    unittest.main(verbosity=2)
