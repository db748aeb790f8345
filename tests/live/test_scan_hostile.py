# SPDX-License-Identifier: BSD-2-Clause
"""
A scan of a host whose processes have names and arguments of every kind, belong to others, vanish
while they are looked at, or lie on what does not answer: it ends in time, its output is well formed
and it makes nobody an agent who is none.
"""
import ctypes
import os
import shutil
import threading

import harness
from family import processes
from harness import NOBODY, SOOTH, WORKLOADS, Case, as_nobody, needs_root, read, wait_until

LIBC = ctypes.CDLL(None, use_errno=True)
PF_KTHREAD = 0x00200000
FLAGS_AT = 6  # in /proc/PID/stat, from the state on
SCAN_S = 60   # a bound against hanging, not a claim about speed
SHORT_LIVED = 2000
SCANS = 20
STUCK = "x" * (17 << 10)
# Each could break whoever looks for the last field, or the first blank.
COMMS = [b"a b c", b"x) R 1 1 1", b")) (Z) 0 (", b"a\nb\n", b"\x01\x1b[31m", b"\xff\xfe\xc3",
         b"(claude)", b") S 2 0 0 ", b"claude) S 1", b"%s%n%d"]
TITLES = [b"\x00", b"\x00\x00claude", b"\n\n\n", b" ", b"\xff" * 64, b"claude\x00-p\x00hi", b"("]


def encode(data):
    return "".join("\\x%02x" % byte for byte in data)


def is_of_kernel(pid):
    words = processes.words_of_stat(pid)
    return bool(words) and bool(int(words[FLAGS_AT]) & PF_KTHREAD)


class Scans(Case):
    def scan(self, *arguments, **options):
        """Every row, by pid; the scan ended well and in time, and said nothing else."""
        run = self.sooth("ps", "-j", "-i", "10ms", *map(str, arguments), timeout=SCAN_S, **options)
        self.assertEqual(run.err, b"", run)
        return {row["pid"]: row for row in run.json()["processes"]}

    def assert_nothing_of_agents(self, row):
        self.assertEqual((row["agent"], row["role"], row["flags"]), (None, None, None), row)

    def start_waiting(self, argv_pointer, program=b"/bin/cat"):
        """With any arguments, none too; it waits for input."""
        ours, theirs = os.pipe()
        pid = os.fork()
        if not pid:
            os.dup2(ours, 0)
            os.close(theirs)
            LIBC.execve(program, argv_pointer, (ctypes.c_char_p * 1)(None))
            os._exit(127)
        os.close(ours)

        def end():
            os.close(theirs)
            os.waitpid(pid, 0)
        self.addCleanup(end)
        wait_until(lambda: os.readlink("/proc/%d/exe" % pid) == os.path.realpath(program).decode(),
                   "its exec")
        return pid


class Names(Scans):
    def test_names(self):
        """Its state and its parent are right whatever it is called."""
        targets = {}
        for comm in [*COMMS, b"n" * 4096]:
            target = self.workload("rename", "--comm", encode(comm[:15]))
            targets[target.pid] = comm
        for rows in (self.scan("-a"), self.scan(*targets)):
            for pid, comm in targets.items():
                row = rows[pid]
                self.assertEqual((row["state"], row["ppid"], row["threads"]),
                                 ("S", os.getpid(), 1), (comm, row))
                self.assert_nothing_of_agents(row)

    def test_arguments(self):
        targets = {}
        for title in TITLES:
            target = self.workload("rename", "--title", encode(title))
            targets[target.pid] = title
        rows = self.scan("-a")
        for pid in targets:
            self.assertEqual((rows[pid]["state"], rows[pid]["ppid"]), ("S", os.getpid()))
            self.assert_nothing_of_agents(rows[pid])

    def test_no_arguments(self):
        """An exec without any, an empty one, one that is very long."""
        none = (ctypes.c_char_p * 1)(None)
        empty = (ctypes.c_char_p * 2)(b"", None)
        pids = [self.start_waiting(none), self.start_waiting(empty)]
        long = self.start("sh", "-c", "read line # " + "y" * 100000)
        rows = self.scan("-a")
        for pid in [*pids, long.pid]:
            self.assertEqual(rows[pid]["ppid"], os.getpid())
            self.assert_nothing_of_agents(rows[pid])

    def test_files(self):
        """The name of the executable and of the directory."""
        for number, name in enumerate([b"a b", b"new\nline", b"x (deleted)", b"\xff\xfe", b"(x) S"]):
            folder = os.path.join(os.fsencode(self.folder), b"%d %s" % (number, name))
            os.mkdir(folder)
            program = os.path.join(folder, name)
            shutil.copy("/bin/sleep", program)
            pid = self.start(program, b"100", cwd=folder).pid
            wait_until(lambda pid=pid: b"100" in read("/proc/%d/cmdline" % pid), "its exec")
            row = self.scan("-a")[pid]
            self.assert_nothing_of_agents(row)
            self.assertIs(row["is_deleted"], False, row)

    def test_ended(self):
        """A zombie has neither arguments nor an executable, nor is it any agent's."""
        target = self.workload("children", "--zombies", "3", "--count", "1")
        zombies = [int(line.split()[1]) for line in bytes(target.out).decode().splitlines()
                   if line.endswith("zombie")]
        rows = self.scan("-a")
        for pid in zombies:
            self.assertEqual((rows[pid]["state"], rows[pid]["ppid"], rows[pid]["agent"]),
                             ("Z", target.pid, None), rows[pid])


class Kernel(Scans):
    def test_threads(self):
        """Of the kernel: none is an agent's, whatever its name; its parent is no matter."""
        kernel = {pid for pid in processes.all_pids() if is_of_kernel(pid)}
        if not kernel:
            self.skipTest("none can be seen here")
        rows = self.scan("-a")
        seen = kernel & set(rows)
        self.assertTrue(seen)
        for pid in seen:
            self.assert_nothing_of_agents(rows[pid])


class Vanishing(Scans):
    def storm(self, is_over, environment):
        """Processes that end at once, until enough were there and all scans are done."""
        made = 0
        while made < SHORT_LIVED or not is_over.is_set():
            pids = [os.posix_spawn("/bin/true", ["true"], environment) for _ in range(10)]
            for pid in pids:
                os.waitpid(pid, 0)
            made += len(pids)

    def test_short_lived(self):
        """With the marks of an agent, so that they are looked at closely."""
        is_over = threading.Event()
        environment = dict(os.environ, CLAUDECODE="1", CLAUDE_PID=str(os.getpid()),
                           CLAUDE_CODE_SESSION_ID="00000000-0000-4000-8000-000000000002")
        storm = threading.Thread(target=self.storm, args=(is_over, environment))
        storm.start()
        try:
            for _ in range(SCANS):
                rows = self.scan("-a")
                self.assertIn(os.getpid(), rows)
                for row in rows.values():
                    if row["ppid"] == os.getpid() and row["name"] == "true":
                        self.assertFalse(row["is_orphaned"] or row["is_abandoned"], row)
        finally:
            is_over.set()
            storm.join()

    def test_asked_for(self):
        """One that has ended before is not found; that is said, not crashed on."""
        child = self.start("true")
        child.finish()
        run = self.sooth("ps", "-j", str(child.pid), status=None)
        self.assertEqual(run.status, 4, run)


class Stuck(Scans):
    def test_environment(self):
        """A page of it never comes. Beside it the marks of an agent can still be read, or not."""
        target = self.workload("stuck_environ", cannot="no userfaultfd here", env=dict(
            os.environ, STUCK=STUCK, CLAUDECODE="1"))
        for arguments in ((), ("-a",), (target.pid,)):
            rows = self.scan(*arguments)
        self.assertEqual(rows[target.pid]["state"], "S")

    @needs_root
    def test_directory(self):
        """The working directory of an agent lies on a file system that does not answer."""
        program = self.path(".local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(program))
        shutil.copy(WORKLOADS, program)
        target = self.start(program, "fuse", "--inside", "--hold", "--directory", self.folder)
        self.wait_until_ready(target, "no right to mount, or no FUSE here")
        for arguments in ((), ("-a",), (target.pid,), ("-t",)):
            rows = self.scan(*arguments)
            row = rows[target.pid]
            self.assertEqual((row["agent"], row["version"]), ("claude", "9.9.9"), row)
        self.assertEqual(row["ppid"], os.getpid())


class Others(Scans):
    @needs_root
    def test_of_another_user(self):
        """What cannot be read has a reason, and makes nobody a leftover; and nobody an agent but who
        says so himself, which is told."""
        sooth = self.copy_for_all(SOOTH)
        program = self.path(".local/share/claude/versions/9.9.9")
        os.makedirs(os.path.dirname(program))
        shutil.copy(WORKLOADS, program)
        target = self.start(program, "sleep", "--hold", "--seconds", "60")
        target.wait_for_output(b"ready\n")
        # The same program, whose name the first argument does not have.
        other = self.start("bash", "-c", 'exec -a "$0/x" "$0" sleep --hold --seconds 60', program)
        other.wait_for_output(b"ready\n")
        run = self.run_program(sooth, "ps", "-a", "-j", "-i", "10ms", timeout=SCAN_S,
                               **as_nobody())
        rows = {row["pid"]: row for row in run.json()["processes"]}
        row = rows[target.pid]
        self.assertIn("executable", row["not_measured"], row)
        self.assertFalse(row["is_orphaned"] or row["is_abandoned"], row)
        self.assertEqual(row["agent"], "claude", row)
        self.assertIn("according to the command line; the executable cannot be read", row["rule"])
        self.assertIsNone(row["version"], "its executable cannot be known")
        self.assertIsNone(rows[other.pid]["agent"], "its word and its name do not agree")
        for row in rows.values():
            if row["uid"] != NOBODY:
                self.assertFalse(row["is_orphaned"], row)


if __name__ == "__main__":
    harness.main()
