# SPDX-License-Identifier: BSD-2-Clause
"""
A sooth with privileges parses files of others in processes that have none: what these may do, that
the answers are the same, and what a report says when they are killed.
"""
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
from harness import NOBODY, as_user, have, needs_bpf, read, wait_until
from lent_case import LentCase

SLEEPING = ["sleep", "600"]
BUSY = ["sh", "-c", "while :; do :; done"]
USER = 64087
LONG = ("-d", "600s")


def status_of(pid):
    return dict(line.split(":\t", 1) for line in
                read("/proc/%d/status" % pid).decode().splitlines() if ":\t" in line)


def children_of(pid):
    return [int(child) for child in read("/proc/%d/task/%d/children" % (pid, pid)).split()]


def files_of(pid):
    """Open files but for sockets and /dev/null."""
    names = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    return [name for name in names if name != "/dev/null" and not name.startswith("socket:")]


def parsers_of(sooth):
    """The process that forks parsers, and those: one waits for the next file."""
    for child in children_of(sooth):
        if read("/proc/%d/comm" % child) == b"sooth-parser\n":
            return child, children_of(child)
    return None, []


def at_rest(sooth):
    """The same once sooth has read the files of its target: one parser, which has its filter and no file."""
    def looks():
        server, parsers = parsers_of(sooth)
        try:
            if len(parsers) == 1 and status_of(parsers[0])["Seccomp"] == "2" and not files_of(parsers[0]):
                return server, parsers
        except FileNotFoundError:  # it has read its file, and ended
            pass
        return None

    def is_same():
        before = looks()
        time.sleep(0.3)
        return before == looks() and before
    return wait_until(is_same, "a parser at rest")


@needs_bpf
class Parsers(LentCase):
    def start_watching(self, target, program=harness.SOOTH, **options):
        sooth = self.start(program, "profile", "-p", str(target), *LONG, "-j", **options)
        wait_until(lambda: parsers_of(sooth.pid)[1] or not sooth.is_running(), "a parser")
        self.assertTrue(sooth.is_running(), sooth)
        return sooth

    def assert_confined(self, sooth, uid=None):
        """Without `uid`: an id of its own, so that no other process may stop or end it."""
        server, waiting = at_rest(sooth)
        if uid is None:
            uid = int(status_of(server)["Uid"].split()[0])
            self.assertGreaterEqual(uid, 0x70000000)
        for pid in (server, waiting[0]):
            status = status_of(pid)
            self.assertEqual(status["Uid"].split(), [str(uid)] * 4)
            self.assertEqual(status["Gid"].split(), [str(uid)] * 4)
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[kind], 16), 0, kind)
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertFalse(status["Groups"].strip())
            self.assertFalse(files_of(pid))
            limits = read("/proc/%d/limits" % pid).decode()
            if pid != server:
                self.assertTrue(re.search(r"Max cpu time +14 +14", limits), limits)

    def test_of_root(self):
        target = self.start(*SLEEPING)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}
        sooth, other = [self.start_watching(target.pid, env=environment) for _ in range(2)]
        self.assert_confined(sooth.pid)
        self.assert_confined(other.pid)
        self.assertNotEqual(*(status_of(parsers_of(one.pid)[0])["Uid"] for one in (sooth, other)))

    def test_of_sudo(self):
        target = self.start(*SLEEPING)
        for user in (str(USER), "0", "nonsense"):
            with self.subTest(user):
                sooth = self.start_watching(
                    target.pid, env={**os.environ, "SUDO_UID": user, "SUDO_GID": user})
                self.assert_confined(sooth.pid)

    def test_without_high_ids(self):
        """A container mostly has the ids up to 65535."""
        script = "import ctypes, os, sys\nctypes.CDLL(None).unshare(0x10000000)\nprint(flush=True)\n" \
                 "sys.stdin.readline()\nos.setgid(0)\nos.setuid(0)\nos.execv(sys.argv[1], ['sooth', 'doctor'])"
        program = self.copy_for_all(harness.SOOTH)
        run = subprocess.Popen(["/usr/bin/python3", "-c", script, program], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(run.kill)
        run.stdout.readline()
        for name in ("uid_map", "gid_map"):
            with open("/proc/%d/%s" % (run.pid, name), "w", encoding="ascii") as file:
                file.write("0 100000 65536\n")
        self.assertRegex(run.communicate("\n", timeout=60)[0], r"parsing of files +apart, as user 65534, without cap")

    def test_they_leave_no_zombie(self):
        """Process 1 of a container may reap nothing."""
        script = "import os, subprocess, sys, time\n" \
                 "for words in (['stack', '1'], ['--version'], ['ps']):\n" \
                 "    subprocess.run([sys.argv[1], *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n" \
                 "print([open('/proc/%s/stat' % p).read() for p in os.listdir('/proc') if p.isdigit() and p != '1'])"
        run = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "/usr/bin/python3", "-c", script, harness.SOOTH],
                             capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(run.stdout, "[]\n")

    def test_of_a_user(self):
        """With file capabilities: they are not the parsers'."""
        target = self.start(*BUSY, **as_user(NOBODY))
        sooth = self.start_watching(target.pid, self.program, cwd=self.home, **as_user(NOBODY))
        self.assert_confined(sooth.pid, NOBODY)

    def test_they_end_with_sooth(self):
        for number in (signal.SIGKILL, signal.SIGINT):
            with self.subTest(number):
                sooth = self.start_watching(self.start(*SLEEPING).pid)
                server, waiting = parsers_of(sooth.pid)
                sooth.send(number)
                sooth.finish()
                for pid in (server, *waiting):
                    wait_until(lambda: not os.path.exists("/proc/%d" % pid), "its end")

    @unittest.skipUnless(have("setpriv"), "no setpriv here")
    def test_the_same_answers(self):
        """Ambient capabilities are the caller's own: such a sooth parses itself."""
        target = self.start(*SLEEPING, **as_user(USER))
        sooth = self.path("plain")
        shutil.copyfile(harness.SOOTH, sooth)
        os.chmod(sooth, 0o755)
        kept = "+bpf,+perfmon"
        stack = ("stack", str(target.pid), "-j")
        apart = self.run_program(sooth, *stack).json()
        here = self.run_program(
            have("setpriv"), "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
            "--inh-caps", kept, "--ambient-caps", kept, sooth, *stack).json()
        frames = [[(frame["function"], frame["offset"])
                   for frame in run["stacks"][0]["stacks"][0]["stack_frames"]
                   if frame["kind"] == "user"] for run in (apart, here)]
        self.assertEqual(frames[0], frames[1])
        self.assertGreater(len(frames[0]), 2)

    def test_a_parser_is_killed(self):
        """One that waits is replaced; nothing is missing."""
        sooth = self.start_watching(self.start(*BUSY).pid)
        for _ in range(3):
            server, waiting = at_rest(sooth.pid)
            os.kill(waiting[0], signal.SIGKILL)
            wait_until(lambda: set(parsers_of(sooth.pid)[1]) - set(waiting), "another one")
        sooth.send(signal.SIGINT)
        run = sooth.finish()
        self.assertNotIn("process that parses", run.text)

    def test_all_are_killed(self):
        """The report is whole but for what they would have parsed, and says so once."""
        target = self.start(*BUSY)
        sooth = self.start_watching(target.pid)
        os.kill(parsers_of(sooth.pid)[0], signal.SIGKILL)
        wait_until(lambda: not parsers_of(sooth.pid)[1], "their end")
        used_s = harness.cpu_s(target.pid)
        wait_until(lambda: harness.cpu_s(target.pid) > used_s + 0.2, "samples with names to look for")
        sooth.send(signal.SIGINT)
        run = sooth.finish()
        self.assertEqual(run.status, 0, run)
        self.assertEqual(run.text.count("the process that parses it"), 1, run)


if __name__ == "__main__":
    harness.main()
