# SPDX-License-Identifier: BSD-2-Clause
"""
What ties a process to others (records proc.ties), as the backend tells it: standard streams, who
holds the other end of standard input, markers in the environment, namespaces, SIGHUP, the working
tree. Everything is made here, and each sick case has a healthy twin.
"""
import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import harness

PROC_RECORDS = os.environ.get("PROC_RECORDS", "")
SESSION = "0f3a5a3e-2c1b-4c57-9d0e-1a2b3c4d5e6f"
# Waits until its standard error, whose other end the test has, is hung up.
HOLD = "import os,select; p=select.poll(); p.register(2, 0); os.write(1, b'up\\n'); p.poll()"


def records(*arguments):
    run = subprocess.run([PROC_RECORDS, *map(str, arguments)], capture_output=True, check=True,
                         timeout=harness.PATIENCE_S)
    return [json.loads(line) for line in run.stdout.splitlines()]


def find(told, kind, pid):
    found = [r for r in told if r["kind"] == kind and r.get("pid") == pid]
    assert len(found) <= 1, found
    return found[0] if found else None


def ties_of(pid):
    return find(records(pid), "proc.ties", pid)


def sees_first():
    try:
        return all(os.readlink("/proc/1/fd/" + fd) for fd in os.listdir("/proc/1/fd"))
    except PermissionError:
        return False


# Whether the kernel's walk over processes can be had here.
HAS_WALK = PROC_RECORDS and not subprocess.run(
    [PROC_RECORDS, "--backend", "bpf", "--quiet"], capture_output=True).returncode


def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
        return [int(word) for word in children.read().split()]


def child_of(pid):
    child, = children_of(pid)
    return child


class Case(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def start(self, argv, stdin, env=None, pass_fds=(), **options):
        """A process that stays until the test lets go of its standard error."""
        ours, theirs = socket.socketpair()
        self.stack.enter_context(ours)
        child = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=theirs,
            env=env, pass_fds=pass_fds, **options)
        theirs.close()

        def end():
            ours.close()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            child.stdout.close()
        self.stack.callback(end)
        self.assertEqual(child.stdout.readline(), b"up\n")
        # Some are started by another, which waits for them.
        harness.wait_until(lambda: any(map(harness.is_polling, [child.pid, *children_of(child.pid)])),
                           "it to wait")
        return child

    def hold(self, stdin, before="", **options):
        return self.start([sys.executable, "-c", before + HOLD], stdin, **options)

    def pipe(self):
        ends = os.pipe()
        self.stack.callback(lambda: [os.close(e) for e in ends if e in self.open_ends])
        self.open_ends = getattr(self, "open_ends", set()) | set(ends)
        return ends

    def close(self, end):
        os.close(end)
        self.open_ends.discard(end)


class Streams(Case):
    def test_kinds(self):
        with tempfile.NamedTemporaryFile() as file:
            child = self.hold(file.fileno())
            ties = ties_of(child.pid)
            self.assertEqual(ties["stdin"], "file")
            self.assertEqual(ties["stdin_path"], file.name)
            self.assertEqual(ties["stdin_inode"], os.fstat(file.fileno()).st_ino)
            self.assertEqual((ties["stdout"], ties["stderr"]), ("pipe", "socket"))
            self.assertEqual(ties["stdout_inode"], os.fstat(child.stdout.fileno()).st_ino)
            self.assertIsNone(ties["has_stdin_writer"])
            self.assertNotIn("has_stdin_writer", ties.get("not_measured", {}))

    def test_null_and_closed(self):
        self.assertEqual(ties_of(self.hold(subprocess.DEVNULL).pid)["stdin"], "null")
        closed = self.hold(subprocess.DEVNULL, before="import os; os.close(0);")
        self.assertEqual(ties_of(closed.pid)["stdin"], "none")

    def test_terminal(self):
        master, slave = os.openpty()
        self.stack.callback(os.close, master)
        self.stack.callback(os.close, slave)
        child = self.hold(slave, before="import os,fcntl,termios; os.setsid();"
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0);")
        told = records(child.pid)
        self.assertEqual(find(told, "proc.ties", child.pid)["stdin"], "terminal")
        process = find(told, "proc.process", child.pid)
        self.assertEqual("/dev/" + process["terminal"], os.ttyname(slave))
        self.assertTrue(process["is_foreground"])
        # The other side is no terminal of anybody.
        other = self.hold(master)
        self.assertEqual(ties_of(other.pid)["stdin"], "other")
        self.assertFalse(find(records(other.pid), "proc.process", other.pid)["is_foreground"])


class Writers(Case):
    """Whole and in brief, by whoever holds the other end."""

    def marked(self):
        return {**os.environ, "CLAUDE_CODE_SESSION_ID": SESSION}

    def check(self, child, has_writer, writers):
        for arguments in ([child.pid], ["--brief"], ["--brief", "--backend", "bpf"]):
            if "bpf" in arguments and not HAS_WALK:
                continue
            ties = find(records(*arguments), "proc.ties", child.pid)
            self.assertEqual(ties["has_stdin_writer"], has_writer, ties)
            if arguments[0] == "--brief":
                self.assertEqual(ties["stdin_writers"], writers, ties)

    def test_pipe(self):
        reading, writing = self.pipe()
        child = self.hold(reading, env=self.marked())
        self.check(child, True, [os.getpid()])
        self.close(writing)
        self.check(child, False, [])

    def test_pipe_with_bytes_in_it(self):
        reading, writing = self.pipe()
        child = self.hold(reading, env=self.marked())
        os.write(writing, b"waiting")
        self.check(child, True, [os.getpid()])
        self.close(writing)
        self.check(child, False, [])
        self.assertEqual(os.read(reading, 99), b"waiting")

    def test_pipe_of_its_own(self):
        reading, writing = self.pipe()
        child = self.hold(reading, env=self.marked(), pass_fds=[writing])
        self.check(child, True, sorted([os.getpid(), child.pid]))
        self.close(writing)
        self.check(child, True, [child.pid])

    def test_pipe_of_a_child(self):
        reading, writing = self.pipe()
        child = self.hold(reading, env=self.marked(), pass_fds=[writing],
            before="import os,signal\nif not os.fork():\n signal.pause()\n"
            "os.close(%d)\n" % writing)
        self.close(writing)
        below = child_of(child.pid)
        self.stack.callback(os.kill, below, signal.SIGKILL)
        self.check(child, True, [below])

    def test_socketpair(self):
        ours, theirs = socket.socketpair()
        child = self.hold(theirs, env=self.marked())
        theirs.close()
        self.check(child, True, [os.getpid()])
        ours.close()
        self.check(child, False, [])

    def test_fifo(self):
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        path = os.path.join(folder, "fifo")
        os.mkfifo(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writing = os.open(path, os.O_WRONLY)
        child = self.hold(reading, env=self.marked())
        os.close(reading)
        self.check(child, True, [os.getpid()])
        self.assertEqual(ties_of(child.pid)["stdin_path"], path)
        os.write(writing, b"waiting")
        ties = find(records("--brief"), "proc.ties", child.pid)
        self.assertEqual((ties["has_stdin_writer"], ties["stdin_writers"]), (True, [os.getpid()]))
        os.close(writing)
        ties = find(records("--brief"), "proc.ties", child.pid)
        # With bytes in it only a search can tell, and only where it sees everybody.
        expected = (False, []) if sees_first() else (None, None)
        self.assertEqual((ties["has_stdin_writer"], ties["stdin_writers"]), expected, ties)

    def test_connection(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
        child = self.hold(theirs)
        theirs.close()
        self.assertTrue(ties_of(child.pid)["has_stdin_writer"])
        ours.close()
        harness.wait_until(lambda: ties_of(child.pid)["has_stdin_writer"] is False, "its end")

    def test_another_network(self):
        child = self.start(["unshare", "--net", sys.executable, "-c",
            "import socket; a, b = socket.socketpair(); import os; os.dup2(a.fileno(), 0);"
            "a.close();" + HOLD], subprocess.DEVNULL, env=self.marked())
        self.check(child, True, [child.pid])

    def test_reading_end_is_left_alone(self):
        """Asking does nothing to the pipe: who writes hears of no reader that is not there."""
        reading, writing = self.pipe()
        child = self.hold(reading)
        self.close(reading)
        for _ in range(20):
            ties_of(child.pid)
        os.set_blocking(writing, False)
        os.write(writing, b"x")  # its reader is there
        child.kill()
        child.wait()
        with self.assertRaises(BrokenPipeError):
            os.write(writing, b"x")


class Markers(Case):
    def markers(self, env, **options):
        ties = ties_of(self.hold(subprocess.DEVNULL, env=env, **options).pid)
        return ties["markers"].split() if ties["markers"] else [], ties

    def test_declared_alone(self):
        told, ties = self.markers({"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": SESSION,
            "ANTHROPIC_API_KEY": "sk-ant-hidden", "CLAUDE_CODE_TOKEN": "secret",
            "MY_CLAUDECODE": "1", "CLAUDECODE_": "1", "claudecode": "1"})
        self.assertEqual(sorted(told), ["CLAUDECODE=1", "CLAUDE_CODE_SESSION_ID=" + SESSION])
        self.assertNotIn("markers", ties.get("not_measured", {}))

    def test_values_that_are_no_identifiers(self):
        for value in ("two words", "a/b", "", "x" * 129, "caf\u00e9", "a\nb", "a=b",
                      "sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFF"):
            told, _ = self.markers({"CLAUDE_CODE_SESSION_ID": value})
            self.assertEqual(told, ["CLAUDE_CODE_SESSION_ID"], value)
        told, _ = self.markers({"CLAUDE_CODE_SESSION_ID": "x" * 128})
        self.assertEqual(told, ["CLAUDE_CODE_SESSION_ID=" + "x" * 128])

    def test_the_environment_of_its_start(self):
        """What a program puts there later is none."""
        told, _ = self.markers({}, before="import os; os.environ['CLAUDECODE'] = '1';")
        self.assertEqual(told, [])

    def test_three_megabytes(self):
        env = {"A%05d" % i: "x" * 100_000 for i in range(30)}
        env["CLAUDE_CODE_SESSION_ID"] = SESSION
        limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        child = self.hold(subprocess.DEVNULL, env=env,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, limit))
        ties = ties_of(child.pid)
        self.assertEqual(ties["markers"].strip(), "CLAUDE_CODE_SESSION_ID=" + SESSION)

    def test_brief_finds_bearers_wherever_they_are(self):
        """Reparented, with and without."""
        script = ("import os,sys,subprocess\n"
            "p = subprocess.Popen([sys.executable, '-c', %r], stdin=subprocess.DEVNULL,"
            "start_new_session=True)\nprint(p.pid, flush=True)" % HOLD)
        pids = []
        for env in ({"CLAUDE_CODE_SESSION_ID": SESSION}, {}):
            ours, theirs = socket.socketpair()
            self.stack.enter_context(ours)
            run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE,
                stderr=theirs, env=env)
            theirs.close()
            lines = [run.stdout.readline(), run.stdout.readline()]
            run.wait(harness.PATIENCE_S)
            run.stdout.close()
            pids.append(int(next(line for line in lines if line != b"up\n")))
        for backend in ["procfs", "bpf"] if HAS_WALK else ["procfs"]:
            told = records("--brief", "--backend", backend)
            bearer, other = (find(told, "proc.process", pid) for pid in pids)
            self.assertFalse(bearer["is_brief"])
            self.assertIn("python", bearer["command"])
            self.assertEqual(find(told, "proc.ties", pids[0])["markers"].strip(),
                "CLAUDE_CODE_SESSION_ID=" + SESSION)
            self.assertTrue(other["is_brief"])
            self.assertEqual(other["not_measured"]["command"], "not requested")
            self.assertIsNone(find(told, "proc.ties", pids[1]))


class Stuck(harness.Case):
    def test_a_page_that_is_never_there(self):
        """No environment can hold up the scan, nor hide that it was not read."""
        process = self.workload("stuck_environ", env={"STUCK": "v" * (64 << 10), "CLAUDECODE": "1"},
                                cannot="this kernel lets nobody hold a page back")
        ties = ties_of(process.pid)
        records("--brief", "--samples", 2)
        self.assertIn("markers", ties["not_measured"], ties)
        self.assertEqual(ties["stdin"], "pipe")


class Places(Case):
    def test_hangup(self):
        plain = self.hold(subprocess.DEVNULL)
        self.assertFalse(ties_of(plain.pid)["is_hangup_ignored"])
        kept = self.start(["nohup", sys.executable, "-c", HOLD], subprocess.DEVNULL)
        self.assertTrue(ties_of(kept.pid)["is_hangup_ignored"])

    def test_nested_pid_namespace(self):
        plain = ties_of(self.hold(subprocess.DEVNULL).pid)
        self.assertEqual(plain["inner_pid"], plain["pid"])
        child = self.start(["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c",
            HOLD], subprocess.DEVNULL)
        below = child_of(child.pid)
        inner = ties_of(below)
        self.assertEqual(inner["inner_pid"], 1)
        self.assertEqual(inner["pid_namespace"],
            os.stat("/proc/%d/ns/pid" % below).st_ino)
        self.assertNotEqual(inner["pid_namespace"], plain["pid_namespace"])

    def test_working_tree(self):
        top = os.path.realpath(self.stack.enter_context(tempfile.TemporaryDirectory()))
        deep = os.path.join(top, "a", "b c")
        os.makedirs(deep)
        where = self.hold(subprocess.DEVNULL, cwd=deep)
        self.assertIsNone(ties_of(where.pid)["root"])
        os.mkdir(os.path.join(top, ".git"))
        self.assertEqual(ties_of(where.pid)["root"], top)
        with open(os.path.join(top, "a", ".git"), "w") as linked:
            linked.write("gitdir: elsewhere\n")
        self.assertEqual(ties_of(where.pid)["root"], os.path.join(top, "a"))

    def test_removed_directory(self):
        top = tempfile.mkdtemp()
        where = self.hold(subprocess.DEVNULL, cwd=top)
        os.rmdir(top)
        self.assertIsNone(ties_of(where.pid)["root"])

    def test_never_beyond_its_root(self):
        top = os.path.realpath(self.stack.enter_context(tempfile.TemporaryDirectory()))
        os.mkdir(os.path.join(top, ".git"))
        inside = os.path.join(top, "inside")
        os.mkdir(inside)
        where = self.hold(subprocess.DEVNULL,
            before="import os,select; os.chroot(%r); os.chdir('/');" % inside)
        self.assertIsNone(ties_of(where.pid)["root"])


class Snapshot(Case):
    def test_of_host(self):
        snapshot = [r for r in records("--brief") if r["kind"] == "proc.snapshot"]
        self.assertEqual(len(snapshot), 1)
        self.assertTrue(snapshot[0]["is_of_host"])
        self.assertFalse(snapshot[0]["is_partial"])
        snapshot = [r for r in records(os.getpid()) if r["kind"] == "proc.snapshot"]
        self.assertFalse(snapshot[0]["is_of_host"])

    def test_hidden(self):
        """hidepid, and a caller whom it applies to."""
        script = ("mount -t proc -o hidepid=invisible proc /proc && exec setpriv --reuid 65534"
            " --regid 65534 --clear-groups \"$0\" --brief")
        run = subprocess.run(["unshare", "--mount", "/bin/sh", "-c", script, PROC_RECORDS],
            capture_output=True)
        if run.returncode:
            self.skipTest("no mounting here: %r" % run.stderr[-200:])
        told = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertTrue(told[-1]["is_partial"])
        self.assertTrue(told[-1]["has_hidden_users"])

    def test_container(self):
        run = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", PROC_RECORDS,
            "--brief"], capture_output=True, check=True)
        snapshot = json.loads(run.stdout.splitlines()[-1])
        self.assertTrue(snapshot["is_partial"])
        self.assertFalse(snapshot["has_hidden_users"])

    def test_same_again(self):
        """What an earlier sample found out still holds; the next one tells the same."""
        with tempfile.TemporaryDirectory():
            child = self.hold(subprocess.DEVNULL, env={"CLAUDECODE": "1"})
            other = self.hold(subprocess.DEVNULL, env={})
            once, twice = records("--brief"), records("--brief", "--samples", 3)
            for pid in (child.pid, other.pid):
                for kind in ("proc.process", "proc.ties"):
                    a, b = find(once, kind, pid), find(twice, kind, pid)
                    for told in (a, b):
                        if told: # where it gets to while it is looked at
                            told.pop("cpu_ns", None)
                            told.pop("state", None)
                    self.assertEqual(a, b)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: needs root")
        sys.exit(harness.SKIP)
    unittest.main()
