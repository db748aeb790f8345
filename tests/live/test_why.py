# SPDX-License-Identifier: BSD-2-Clause
"""
`sooth why` of processes that wait, run, idle or are stuck, each of real software: all are started
first, then one report tells about all of them. A program that is not installed is skipped by name.
"""
import ctypes
import glob
import os
import pty
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import harness
import other_runtimes
from harness import Case, wait_until

PYTHON = os.path.realpath(sys.executable)
TOGETHER = 16  # so many are read in any case
LEAST_S = 1.2  # each situation stands at least so long, so that its age is shown
STARTS_S = 5.5  # an agent that is younger starts


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


class Situations(Case):
    """What is started here is ended with the case, by its process group."""

    def setUp(self):
        super().setUp()
        self.groups = []
        self.addCleanup(self.end_groups)

    def end_groups(self):
        for child, leader in self.groups:
            for number in (signal.SIGKILL, signal.SIGCONT):
                try:
                    os.killpg(leader, number)
                except ProcessLookupError:
                    pass
        for child, _ in self.groups:
            child.wait()

    def begin(self, *argv, tty=None, **options):
        """A process group of its own; with a terminal a session of its own."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        options.setdefault("cwd", self.folder)
        if tty is not None:
            options.update(stdin=tty, stdout=tty, stderr=tty)
        child = subprocess.Popen(argv, start_new_session=True, **options)
        self.groups.append((child, child.pid))
        return child

    def python(self, source, *arguments, **options):
        return self.begin(PYTHON, "-c", textwrap.dedent(source), *arguments, **options).pid

    def terminal(self, *argv, **options):
        """A program on a terminal of its own, in the foreground; nothing reads its output."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        source = textwrap.dedent("""
            import fcntl, os, sys, termios
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            os.execvp(sys.argv[1], sys.argv[1:])
            """)
        child = self.begin(PYTHON, "-c", source, *argv, tty=slave, **options)
        os.close(slave)
        return child.pid, master

    def ready(self, pid, *calls):
        """Until its main thread sleeps in a call."""
        def waits():
            with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
                return file.read().rsplit(")", 1)[1].split()[0] in "SDTt"
        wait_until(waits, "process %d to wait" % pid)

    def waits_in(self, pid, *channels):
        """Until its main thread waits in one of those places of the kernel."""
        wait_until(lambda: any(channel in harness.read("/proc/%d/wchan" % pid).decode() for channel in channels),
            "process %d to wait in %s" % (pid, " or ".join(channels)))
        return pid

    def explain(self, *pids, options=()):
        run = self.sooth("why", "-j", *options, "-p", ",".join(str(pid) for pid in pids))
        return {row["pid"]: row for row in run.json()["processes"]}


def postgres_programs():
    """The folder of initdb and postgres, which Debian keeps out of PATH."""
    found = [os.path.join("/usr/lib/postgresql", version, "bin") for version in
             (sorted(os.listdir("/usr/lib/postgresql")) if os.path.isdir("/usr/lib/postgresql") else [])]
    found = [folder for folder in found if os.path.exists(os.path.join(folder, "initdb"))]
    return found[-1] if found and shutil.which("psql") and pwd_of("postgres") else None


def pwd_of(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


class Databases(Situations):
    """psql behind a row lock: the server's processes are another user's."""

    def as_postgres(self, *argv, **options):
        user = pwd_of("postgres")
        return self.begin(*argv, user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd=self.data, **options)

    def test_row_lock(self):
        folder = postgres_programs()
        if not folder or os.geteuid():
            self.skipTest("no postgres, or not root")
        self.data = tempfile.mkdtemp(prefix="sooth-pg-")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        shutil.chown(self.data, "postgres")
        data = os.path.join(self.data, "data")
        self.assertEqual(self.as_postgres(os.path.join(folder, "initdb"), "-D", data, "-A", "trust", "--no-sync", "-U", "postgres").wait(60), 0)
        server = self.as_postgres(os.path.join(folder, "postgres"), "-D", data, "-k", self.data, "-h", "", "-F")
        at = os.path.join(self.data, ".s.PGSQL.5432")
        wait_until(lambda: os.path.exists(at), "the server")
        psql = ["psql", "-q", "-X", "-h", self.data, "-U", "postgres"]
        wait_until(lambda: subprocess.run(psql + ["-c", "create table if not exists t(a int); insert into t values(1)"],
                                          capture_output=True).returncode == 0, "a table")
        holder = self.begin(*psql, stdin=subprocess.PIPE)
        holder.stdin.write(b"begin; update t set a = 2;\n")
        holder.stdin.flush()
        def titles():
            found = {}
            for pid in children(server.pid):
                try:
                    found[pid] = harness.read("/proc/%d/cmdline" % pid).decode()
                except OSError:
                    pass
            return found
        wait_until(lambda: any("idle in transaction" in title for title in titles().values()), "the transaction")
        client = self.begin(*psql, "-c", "update t set a = 3")
        wait_until(lambda: any("UPDATE waiting" in title for title in titles().values()), "the wait")
        time.sleep(LEAST_S)
        row = self.explain(client.pid)[client.pid]
        holder.stdin.close()
        by_title = {pid: title for pid, title in titles().items()}
        self.assertRegex(row["text"], r"psql \(%d\) waits for postgres \(\d+\) on %s, \d+ s; \d+ waits for a lock in the "
                         r"database for its UPDATE, probably held by postgres \(\d+\), idle in transaction" % (client.pid, re.escape(at)), by_title)
        self.assertEqual(row["waits"][1]["confidence"], "medium")


class Unprivileged(Situations):
    def test_another_user(self):
        """What the caller may not read is said, with the way to it; what is his own is whole."""
        if os.geteuid():
            self.skipTest("needs root to be two users")
        sooth = self.copy_for_all(harness.SOOTH)
        other = self.begin("sleep", "600")
        own = self.begin("bash", "-c", "sleep 600 | cat; :", user=harness.NOBODY, group=harness.NOBODY, extra_groups=[])
        wait_until(lambda: len(children(own.pid)) == 2, "the pipe")
        time.sleep(LEAST_S)
        run = self.run_program(sooth, "why", "-j", "-p", "%d,%d" % (own.pid, other.pid),
                               user=harness.NOBODY, group=harness.NOBODY, extra_groups=[], cwd="/")
        rows = {row["pid"]: row for row in run.json()["processes"]}
        self.assertRegex(rows[own.pid]["text"], r"waits for its child cat .*; \d+ waits for data from sleep \(\d+\) through a pipe")
        self.assertIsNone(rows[own.pid]["reason"])
        self.assertRegex(rows[other.pid]["text"], r"sleep \(%d\) is waiting, not known for what" % other.pid)
        self.assertIn("need root", rows[other.pid]["reason"])
        self.assertIn("sudo sooth why %d" % other.pid, rows[other.pid]["remedies"][0]["text"])


class Chains(Situations):
    def test_chain(self):
        """A shell waits for a child, which reads a pipe, whose writer waits for a lock."""
        lock = self.path("build.lock")
        holder = self.begin("flock", lock, "sleep", "600")
        wait_until(lambda: children(holder.pid), "flock to hold its lock")
        shell = self.begin("bash", "-c", "flock %s true | cat; :" % lock)
        wait_until(lambda: len(children(shell.pid)) == 2, "the pipe")
        time.sleep(LEAST_S)
        row = self.explain(shell.pid)[shell.pid]
        self.assertEqual(row["state"], "waits", row)
        links = row["waits"]
        self.assertEqual([link["what"] for link in links[:3]],
                         ["child", "pipe, to read", "file lock"], row)
        self.assertEqual(links[0]["call"], "wait4")
        self.assertEqual(links[0]["party_pid"], links[1]["pid"])
        self.assertEqual(links[1]["party_pid"], links[2]["pid"])
        self.assertEqual(links[2]["object"], lock)
        self.assertIn(links[2]["party_pid"], [holder.pid] + children(holder.pid))
        self.assertEqual(links[2]["confidence"], "high")
        self.assertGreaterEqual(links[2]["since_s"], 1)
        text = self.sooth("why", str(shell.pid)).text
        self.assertRegex(text, r"bash \(%d\) waits for its child cat \(\d+\)" % shell.pid)
        self.assertRegex(text, r"waits for data from flock \(\d+\) through a pipe")
        self.assertRegex(text, r"waits for a lock on %s held by \w+ \(\d+\)" % re.escape(lock))
        capture = self.path("why.sooth")
        live = self.sooth("why", str(shell.pid), "--save", capture).text
        self.assertEqual(self.sooth("why", capture).text, live)


# Its parent waits for the mutex of a child.
SHARED_MUTEX = """
import ctypes, mmap, os, time
libc, memory = ctypes.CDLL(None), mmap.mmap(-1, 4096)
mutex, attributes = ctypes.c_char.from_buffer(memory), ctypes.create_string_buffer(64)
libc.pthread_mutexattr_init(attributes)
libc.pthread_mutexattr_setpshared(attributes, 1)
libc.pthread_mutex_init(ctypes.byref(mutex), attributes)
r, w = os.pipe()
if not os.fork():
    libc.pthread_mutex_lock(ctypes.byref(mutex))
    os.write(w, b"x")
    time.sleep(600)
os.read(r, 1)
libc.pthread_mutex_lock(ctypes.byref(mutex))
"""

MUTEXES = """
    import ctypes, threading, time
    libc = ctypes.CDLL(None)
    a, b = (ctypes.create_string_buffer(40) for _ in range(2))
    def take(first, second):
        libc.pthread_mutex_lock(first)
        time.sleep(0.3)
        libc.pthread_mutex_lock(second)
    threading.Thread(target=take, args=(a, b), daemon=True).start()
    take(b, a)
    """
MUTEXES_SAY = r"waits for a mutex held by .*\(\d+\).*; thread \d+ waits for a mutex.*deadlock"


class Samples(Situations):
    def cpu_of(self, *words):
        """None: of one sample."""
        return self.sooth("why", "-j", *words).json()["processes"][0]["waits"][0]["cpu_percent"]

    def test_one_sample_of_what_is_blocked(self):
        """Two of what runs, of a loop that wakes up, and where the user gives the interval."""
        blocked = self.begin("bash", "-c", "sleep 600; true").pid
        working = self.begin("bash", "-c", "while true; do :; done").pid
        waking = self.python("""
            import select
            while True: select.epoll().poll(0.05)
            """)
        time.sleep(LEAST_S)
        self.assertIsNone(self.cpu_of(str(blocked)))
        self.assertIn("waits for its child sleep", self.sooth("why", str(blocked)).text)
        for words in ((working,), (waking,), ("-i", "50ms", blocked)):
            with self.subTest(words=words):
                self.assertIsNotNone(self.cpu_of(*map(str, words)))

    def test_a_wait_without_end(self):
        """Its age stands for an interval: one look has the finding; none of a child that sleeps."""
        os.mkfifo(self.path("jobs"))
        hung = self.begin("bash", "-c", "cat jobs; true").pid
        twin = self.begin("bash", "-c", "sleep 600; true").pid
        time.sleep(10.5)
        self.assertRegex(self.sooth("why", str(hung)).text, r"\Abash %d: held up for 1\d s by cat \(\d+\): " % hung)
        self.assertTrue(self.sooth("why", str(twin)).text.startswith("bash (%d) waits for its child" % twin))

    def test_many(self):
        """Text has those that wait for another process; programs and -v have all."""
        sleeping = [str(self.begin("sleep", "600").pid) for _ in range(28)]
        shell = self.begin("bash", "-c", "sleep 600; true").pid
        wait_until(lambda: children(shell), "the child")
        pids = [*sleeping, str(shell), str(children(shell)[0])]
        lines = self.sooth("why", *pids).text.splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"^bash \(%d\) waits for its child sleep" % shell)
        self.assertEqual(lines[1], "29 processes sleeping")
        self.assertEqual(len(self.sooth("why", "-j", *pids).json()["processes"]), 30)
        self.assertEqual(self.sooth("why", "-v", *pids).text.count("clock_nanosleep, "), 30)
        self.assertIn("28 processes sleeping", self.sooth("why", "--filter", "name == 'sleep'", *pids[:-1]).text)


class FirstThread(Situations):
    def test_it_has_ended(self):
        """The process has not: its other thread goes on, and its parent has nothing to reap."""
        pid = self.python("""
            import ctypes, os, threading
            r, w = os.pipe()
            threading.Thread(target=os.read, args=(r, 1)).start()
            ctypes.CDLL(None).syscall(93 if os.uname().machine == "aarch64" else 60, 0)
            """)
        wait_until(lambda: harness.process_state(pid) == "Z", "its first thread to end")
        row = self.explain(pid)[pid]
        self.assertRegex(row["text"], r"in thread .* waits for data", row)
        report = self.sooth("ps", "-a", "-j", str(pid)).json()
        (found,) = report["processes"]
        self.assertEqual(found["state"], "S", found)
        self.assertNotIn("private descriptor table", str(report["limits"]))
        self.assertIn("-c", found["command"] or "", found)
        self.assertRegex(self.sooth("inspect", str(pid)).text, r"\ncommand +\S*python")
        self.assertNotIn("ended", self.sooth("diagnose", "--duration", "0.5", str(pid)).text.split("fine:")[0])


class Kinds(Situations):
    """One process a situation; (state, what its sentence says) for each."""

    def write(self, path, text):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def has(self, *programs):
        missing = [program for program in programs if not shutil.which(program)]
        if missing:
            print("skipped: no %s" % ", ".join(missing), file=sys.stderr)
        return not missing

    # --- children and pipes ---

    def of_pipe_to_parent(self):
        """The classic: the parent waits for a child that writes more than a pipe holds."""
        pid = self.python("""
            import os
            r, w = os.pipe()
            if not os.fork():
                os.write(w, b"x" * 1000000)
                os._exit(0)
            os.wait()
            """)
        return pid, "deadlock", r"waits for its child \w+.* \(\d+\).* blocked writing to a pipe: .*does not read.*deadlock"

    def of_own_pipe(self):
        return self.python("import os; r, w = os.pipe(); os.read(r, 1)"), "deadlock", \
            r"only the process itself can write"

    def of_reader_that_sleeps(self):
        reader = self.python("import time; time.sleep(600)", stdin=subprocess.PIPE)
        writer = self.begin("cat", "/dev/zero", stdout=self.groups[-1][0].stdin)
        self.groups[-2][0].stdin.close()
        self.assertTrue(reader)
        return writer.pid, "waits", r"blocked writing to a pipe: python\S*( \S+)? \(%d\) does not read.*; %d sleeps" % (reader, reader)

    def of_writer_with_a_timer(self):
        """Signals wake it all the time: that it runs does not mean that its reader reads."""
        reader = self.python("import time; open('sleeps', 'w').close(); time.sleep(600)", stdin=subprocess.PIPE)
        wait_until(lambda: os.path.exists(self.path("sleeps")), "process %d to sleep" % reader)
        writer = self.python("""
            import os, signal
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            while True:
                os.write(1, b"x" * 1000000)
            """, stdout=self.groups[-1][0].stdin)
        self.groups[-2][0].stdin.close()
        return writer, "waits", r"blocked writing to a pipe: python\S*( \S+)? \(%d\) does not read.*; %d sleeps" % (reader, reader)

    def of_slow_reader(self):
        """It takes a little now and then: its writer goes on."""
        reader = self.python("import os, time\nwhile True: os.read(0, 4096), time.sleep(0.02)", stdin=subprocess.PIPE)
        writer = self.begin("cat", "/dev/zero", stdout=self.groups[-1][0].stdin)
        self.groups[-2][0].stdin.close()
        return writer.pid, "waits", r"writes to a pipe as fast as python\S* \(%d\) reads" % reader

    def of_fifo(self):
        fifo = self.path("alone")
        os.mkfifo(fifo)
        return self.begin("cat", fifo).pid, "waits", r"opens the FIFO %s: no process" % re.escape(fifo)

    def of_pidfd(self):
        """It waits for the end of a process that another one started."""
        other = self.begin("sleep", "600").pid
        pid = self.python("import os, select, sys; select.select([os.pidfd_open(int(sys.argv[1]))], [], [])", str(other))
        return pid, "waits", r"\(%d\) waits for the end of sleep \(%d\).*; %d sleeps" % (pid, other, other)

    def of_make(self):
        if not self.has("make"):
            return None
        with open(self.path("Makefile"), "w", encoding="ascii") as file:
            file.write("all:\n\tsleep 600\n")
        return self.begin("make").pid, "waits", r"make \(\d+\) waits for its child (sh|sleep) .*sleeps(: \d+ min of 10 min left| for 10 min, since when is not known)"

    def of_job_server(self):
        """The make below waits for a free place; the child that has it does not wait for make."""
        if not self.has("make"):
            return None
        with open(self.path("above.mk"), "w", encoding="ascii") as file:
            file.write("all: long below\nlong:\n\tsleep 600\nbelow:\n\t+$(MAKE) -f below.mk\n")
        with open(self.path("below.mk"), "w", encoding="ascii") as file:
            file.write("all: one two\none two:\n\tsleep 601\n")
        pid = self.begin("make", "-j2", "-f", "above.mk").pid
        wait_until(lambda: any(children(child) for child in children(pid)), "the make below")
        return pid, "waits", r"waits for its child sleep \(\d+\) and 1 other.*; \d+ sleeps(: \d+ min of 10 min left| for 10 min, since when is not known)"

    def of_node_launcher(self):
        if not self.has("node"):
            return None
        return self.begin("node", "-e", "require('child_process').spawn('sleep', ['600'], {stdio: 'inherit'})").pid, \
            "waits", r"waits for its child sleep \(\d+\).*; \d+ sleeps"

    def of_node_fetch(self):
        if not self.has("node"):
            return None
        port = self.silent_server()
        return self.begin("node", "-e", "fetch('http://127.0.0.1:%d/').then(() => 0)" % port).pid, "waits", \
            r"waits for python\S* \(\d+\) on 127.0.0.1:%d" % port

    # --- locks ---

    def of_fcntl(self):
        path = self.path("fcntl.db")
        hold = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); %s"
        holder = self.python(hold % "time.sleep(600)", path)
        self.ready(holder)
        wait_until(lambda: " %d " % holder in harness.read("/proc/locks").decode(), "the lock")
        pid = self.python(hold % "0", path)
        return pid, "waits", r"waits for a lock on %s held by python\S* \(%d\)" % (re.escape(path), holder)

    def of_sqlite(self):
        if not self.has("sqlite3"):
            return None
        path = self.path("data.db")
        subprocess.run(["sqlite3", path, "create table t(a)"], check=True)
        holder = self.python("""
            import sqlite3, sys, time
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            c.execute("begin exclusive")
            time.sleep(600)
            """, path)
        wait_until(lambda: " %d " % holder in harness.read("/proc/locks").decode(), "the lock")
        pid = self.begin("sqlite3", path, ".timeout 600000", "insert into t values(1)").pid
        return pid, "waits", r"sleeps and tries again: python\S* \(%d\) has a lock on %s" % (holder, re.escape(path))

    def of_lock_file(self):
        with open(self.path("index.lock"), "w", encoding="ascii") as file:
            file.write("%d\n" % os.getpid())
        pid = self.begin("bash", "-c", "while [ -e index.lock ]; do sleep 5; done").pid
        return pid, "waits", r"the lock file %s is there, of \S+ \(%d\).*low confidence" % (
            re.escape(self.path("index.lock")), os.getpid())

    def of_lock_directory(self):
        os.makedirs(self.path("made/build.lock"))
        with open(self.path("made/build.lock/pid"), "w", encoding="ascii") as file:
            file.write("%d\n" % os.getpid())
        pid = self.begin("bash", "-c", "until mkdir build.lock; do sleep 5; done", cwd=self.path("made")).pid
        return pid, "waits", r"the lock directory %s is there, of \S+ \(%d\).*low confidence" % (
            re.escape(self.path("made/build.lock")), os.getpid())

    def of_owner_of_lock_directory(self):
        """It sleeps under its own lock."""
        os.makedirs(self.path("owned"))
        pid = self.begin("bash", "-c", "mkdir build.lock; echo $$ > build.lock/pid; while true; do sleep 5; done",
            cwd=self.path("owned")).pid
        return pid, "waits", r"waits for its child sleep \(\d+\).*; \d+ sleeps: "

    def of_directory_of_sources(self):
        os.makedirs(self.path("sources/lock/sub"))
        return self.begin("bash", "-c", "while true; do sleep 5; done", cwd=self.path("sources")).pid, "waits", \
            r"waits for its child sleep \(\d+\).*; \d+ sleeps: "

    def of_lock_file_in_namespace(self):
        """Its PID is that of a process there, not of one of the host."""
        if os.getuid():
            return None
        os.mkdir(self.path("inside"))
        with open(self.path("inside/index.lock"), "w", encoding="ascii") as file:
            file.write("%d\n" % os.getpid())
        pid = self.in_namespace("""
            import os, time
            os.chdir("inside")
            while True: time.sleep(5)
            """)
        return pid, "waits", r"the lock file %s is there \(low" % re.escape(self.path("inside/index.lock"))

    def of_child_in_namespace(self):
        """The call names the child by the PID that it has there."""
        if os.getuid():
            return None
        pid = self.in_namespace("""
            import os, subprocess
            os.waitpid(subprocess.Popen(["sleep", "600"]).pid, 0)
            """)
        return pid, "waits", r"\(%d\) waits for its child sleep \(\d+\)" % pid

    def of_mutexes(self):
        return self.python(MUTEXES), "deadlock", MUTEXES_SAY

    def of_python_locks(self):
        pid = self.python("""
            import threading
            lock = threading.Lock()
            lock.acquire()
            threading.Thread(target=lock.acquire).start()
            lock.acquire()
            """)
        return pid, "deadlock", r"lock of Python \(threading\): all 2 threads wait"

    def of_open_file_description_lock(self):
        hold = """
            import fcntl, struct, sys, time
            file = open(sys.argv[1], "w")
            fcntl.fcntl(file, fcntl.F_OFD_SETLKW, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
            time.sleep(float(sys.argv[2]))
            """
        path = self.path("ofd")
        holder = self.python(hold, path, "600")
        self.waits_in(holder, "nanosleep")
        return self.waits_in(self.python(hold, path, "0"), "lock", "setlk"), "waits", r"waits for a lock on %s held by python\S* \(%d\)" % (re.escape(path), holder)

    def in_namespace(self, source):
        """A program in a PID namespace of its own, where it has other ids."""
        outer = self.begin("unshare", "-pf", PYTHON, "-c", textwrap.dedent(source)).pid
        wait_until(lambda: children(outer), "a program in the namespace")
        return children(outer)[0]

    def of_mutexes_in_namespace(self):
        return None if os.getuid() else (self.in_namespace(MUTEXES), "deadlock", MUTEXES_SAY)

    def of_shared_mutex(self):
        """Its holder is a process, not a thread of this one that has ended."""
        pid = self.python(SHARED_MUTEX)
        return self.waits_in(pid, "futex"), "waits", r"waits for a mutex in shared memory held by python\S* \(\d+\).*; \d+ sleeps"

    def of_shared_mutex_in_namespace(self):
        """Its memory has the number that the holder has there, which may be another process of the host."""
        if os.getuid():
            return None
        return self.waits_in(self.in_namespace(SHARED_MUTEX), "futex"), "waits", r"a mutex in shared memory held by an unknown process"

    def of_forged_mutex(self):
        """Its memory names a process that does not have this memory."""
        pid = self.python("""
            import ctypes, mmap, os, struct
            memory = mmap.mmap(-1, 4096)
            memory[:20] = struct.pack("5I", 2, 0, os.getppid(), 1, 128)
            ctypes.CDLL(None).syscall(%d, ctypes.byref(ctypes.c_char.from_buffer(memory)), 0, 2, None, None, 0)
            """ % (202 if os.uname().machine == "x86_64" else 98))
        return self.waits_in(pid, "futex"), "waits", r"a mutex in shared memory held by an unknown process"

    def of_shared_semaphore(self):
        """Each thread waits, and another process could still end that."""
        pid = self.python("""
            import multiprocessing, threading
            semaphore = multiprocessing.Semaphore(0)
            threading.Thread(target=semaphore.acquire).start()
            semaphore.acquire()
            """)
        return self.waits_in(pid, "futex"), "waits", r"waits for a lock, semaphore or condition that other processes can share"

    def of_system_v_queue(self):
        libc = ctypes.CDLL(None)
        queue = libc.msgget(0, 0o600)
        self.addCleanup(libc.msgctl, queue, 0, None)
        pid = self.python("import ctypes, sys; ctypes.CDLL(None).msgrcv(int(sys.argv[1]), bytes(64), 8, 0, 0)", str(queue))
        return self.waits_in(pid, "msgrcv"), "waits", r"waits for System V queue %d \(msgrcv\)" % queue

    def of_system_v_semaphore(self):
        libc = ctypes.CDLL(None)
        semaphore = libc.semget(0, 1, 0o600)
        self.addCleanup(libc.semctl, semaphore, 0, 0)
        pid = self.python("""
            import ctypes, struct, sys
            ctypes.CDLL(None).semop(int(sys.argv[1]), struct.pack("Hhh", 0, -1, 0), 1)
            """, str(semaphore))
        return self.waits_in(pid, "sem"), "waits", r"waits for System V semaphore set %d" % semaphore

    def of_taken_system_v_semaphore(self):
        """A child took it, and sleeps."""
        libc = ctypes.CDLL(None)
        semaphore = libc.semget(0, 1, 0o600)
        self.addCleanup(libc.semctl, semaphore, 0, 0)
        pid = self.python("""
            import ctypes, os, signal, struct, sys, time
            libc, one = ctypes.CDLL(None), int(sys.argv[1])
            libc.semop(one, struct.pack("Hhh", 0, 1, 0), 1)
            r, w = os.pipe()
            if not os.fork():
                signal.alarm(120)
                libc.semop(one, struct.pack("Hhh", 0, -1, 0), 1)
                os.write(w, b"x")
                time.sleep(600)
            os.read(r, 1)
            libc.semop(one, struct.pack("Hhh", 0, -1, 0), 1)
            """, str(semaphore))
        return (self.waits_in(pid, "sem"), "waits",
            r"waits for System V semaphore set %d \(\w+\): last changed by python\S* \(\d+\).*; \d+ sleeps" % semaphore)

    def of_package_lock(self):
        """As apt does, it closes the file between two tries; in a root of its own, which has the lock."""
        if os.getuid():
            return None  # cannot change its root
        root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, root)
        os.makedirs(os.path.join(root, "var/lib/dpkg"))
        lock = os.path.join(root, "var/lib/dpkg/lock-frontend")
        holder = self.python("""
            import fcntl, sys, time
            f = open(sys.argv[1], "w")
            fcntl.lockf(f, fcntl.LOCK_EX)
            time.sleep(600)
            """, lock)
        wait_until(lambda: b" %d " % holder in harness.read("/proc/locks"), "the lock")
        pid = self.python("""
            import os, sys, time
            with open("/proc/self/comm", "w") as f: f.write("apt-get")
            os.chroot(sys.argv[1])
            while True: time.sleep(1)
            """, root)
        wait_until(lambda: harness.read("/proc/%d/comm" % pid) == b"apt-get\n", "apt-get to begin")
        return (self.waits_in(pid, "hrtimer_nanosleep", "nanosleep"), "waits",
            r"apt-get \(%d\) sleeps and tries again: python\S* \(%d\) has a lock on /var/lib/dpkg/lock-frontend; %d sleeps"
            % (pid, holder, holder))

    def of_posix_queue(self):
        pid = self.python("""
            import ctypes, os
            libc = ctypes.CDLL("librt.so.1")
            name = b"/sooth-test-%d" % os.getpid()
            queue = libc.mq_open(name, os.O_RDWR | os.O_CREAT, 0o600, None)
            libc.mq_unlink(name)
            libc.mq_receive(queue, bytes(65536), ctypes.c_size_t(65536), None)
            """)
        return self.waits_in(pid, "wq_sleep"), "idle", r"waits for a message of the POSIX queue /sooth-test-\d+ \(deleted\): no other process "

    def of_thread_that_reads(self):
        pid = self.python("""
            import os, threading
            r, w = os.pipe()
            t = threading.Thread(target=os.read, args=(r, 1))
            t.start()
            t.join()
            """)
        return pid, None, r"pipe that only the process itself can write"

    # --- sockets ---

    def silent_server(self, accepts=True):
        server = self.begin(PYTHON, "-c", textwrap.dedent("""
            import socket, sys, time
            s = socket.create_server(("127.0.0.1", 0), backlog=0)
            print(s.getsockname()[1], flush=True)
            c = s.accept() if %s else None
            time.sleep(600)
            """ % accepts), stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        return int(server.stdout.readline())

    def of_curl(self):
        if not self.has("curl"):
            return None
        port = self.silent_server()
        return self.begin("curl", "-s", "http://127.0.0.1:%d/" % port).pid, "waits", \
            r"curl \(\d+\) waits for python\S* \(\d+\) on 127.0.0.1:%d.*; \d+ sleeps" % port

    def of_accept(self):
        port = self.silent_server(accepts=False)
        pid = self.python("""
            import socket, sys
            socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(1)
            """, str(port))
        return pid, "waits", r"waits for python\S* \(\d+\) on 127.0.0.1:%d, which has not accepted" % port

    def of_peer_that_does_not_read(self):
        port = self.silent_server()
        pid = self.python("""
            import socket, sys
            socket.create_connection(("127.0.0.1", int(sys.argv[1]))).sendall(bytes(100 << 20))
            """, str(port))
        return pid, "waits", r"blocked sending to 127.0.0.1:%d: python\S* \(\d+\) does not read" % port

    def of_unix_socket(self):
        path = self.path("s.sock")
        server = self.begin(PYTHON, "-c", textwrap.dedent("""
            import socket, sys, time
            s = socket.socket(socket.AF_UNIX)
            s.bind(sys.argv[1])
            s.listen()
            print("ready", flush=True)
            c = s.accept()
            time.sleep(600)
            """), path, stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        server.stdout.readline()
        pid = self.python("""
            import socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            s.recv(1)
            """, path)
        return pid, "waits", r"waits for python\S* \(%d\) on %s" % (server.pid, re.escape(path))

    def of_full_backlog(self):
        port = self.silent_server(accepts=False)
        for _ in range(3):
            one = socket.socket()
            self.addCleanup(one.close)
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        pid = self.python("""
            import socket, sys
            socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            """, str(port))
        return pid, "waits", r"connects to 127.0.0.1:%d: python\S* \(\d+\) has not accepted the connection" % port

    def of_name_server(self):
        pid = self.python("""
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.1", 53))
            s.recv(1)
            """)
        return pid, "waits", r"waits for an answer of the name server 127.0.0.1:53"

    def accepts(self, path):
        with socket.socket(socket.AF_UNIX) as client:
            return not client.connect_ex(path)

    def of_redis(self):
        if not self.has("redis-server", "redis-cli"):
            return None
        socket_path = self.path("redis.sock")
        server = self.begin("redis-server", "--port", "0", "--unixsocket", socket_path, "--save", "", "--dir", self.folder)
        wait_until(lambda: self.accepts(socket_path), "redis")
        pid = self.begin("redis-cli", "-s", socket_path, "blpop", "nothing", "0").pid
        return pid, "waits", r"redis-cli \(\d+\) waits for redis-server \(%d\) on %s.*; %d has read all that came from it and " \
            r"waits for connections on .*idle" % (server.pid, re.escape(socket_path), server.pid)

    def of_idle_redis(self):
        if not self.has("redis-server"):
            return None
        server = self.begin("redis-server", "--port", "0", "--unixsocket", self.path("idle.sock"), "--save", "", "--dir", self.folder)
        wait_until(lambda: os.path.exists(self.path("idle.sock")), "redis")
        return server.pid, "idle", r"redis-server \(%d\) waits for connections on %s \(?,? ?\(?idle" % (server.pid, re.escape(self.path("idle.sock")))

    def of_nginx(self):
        if not self.has("nginx"):
            return None
        with open(self.path("nginx.conf"), "w", encoding="ascii") as file:
            file.write("daemon off; pid %s/nginx.pid; error_log /dev/null; events {}\n"
                       "http { access_log off; server { listen unix:%s/nginx.sock; } }\n" % (self.folder, self.folder))
        server = self.begin("nginx", "-p", self.folder, "-c", self.path("nginx.conf"))
        wait_until(lambda: children(server.pid), "nginx")
        return server.pid, "idle", r"nginx \(\d+\) waits for a signal"

    def of_proxy(self):
        """The client waits for the proxy, which passed the request on and waits in its event loop."""
        if not self.has("nginx", "curl"):
            return None
        backend = self.python("""
            import socket, time
            listening = socket.create_server(("127.0.0.1", 0))
            with open("backend.part", "w") as file: file.write(str(listening.getsockname()[1]))
            import os; os.rename("backend.part", "backend")
            connection, _ = listening.accept()
            connection.recv(4096)
            open("asked", "w").close()
            time.sleep(600)
            """)
        wait_until(lambda: os.path.exists(self.path("backend")), "the port of the server")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with open(self.path("backend"), encoding="ascii") as file:
            behind = file.read()
        with open(self.path("proxy.conf"), "w", encoding="ascii") as file:
            file.write("daemon off; pid %s/proxy.pid; error_log /dev/null; events {}\n"
                       "http { access_log off; server { listen 127.0.0.1:%d;\n"
                       "location / { proxy_pass http://127.0.0.1:%s; } } }\n" % (self.folder, port, behind))
        proxy = self.begin("nginx", "-p", self.folder, "-c", self.path("proxy.conf"))
        wait_until(lambda: children(proxy.pid), "nginx")
        client = self.begin("curl", "-s", "--retry", "50", "--retry-connrefused", "--retry-delay", "1",
                            "http://127.0.0.1:%d/" % port).pid
        wait_until(lambda: os.path.exists(self.path("asked")), "the request")
        time.sleep(1)  # an answer is waited for from half a second on
        worker = children(proxy.pid)[0]
        return client, "waits", r"curl \(\d+\) waits for .*nginx \(%d\).*; %d waits for .*python\S* \(%d\) on 127.0.0.1:%s.*; %d sleeps" % (
            worker, worker, backend, behind, backend)

    def of_shared_input(self):
        """A command of a loop that reads what the loop was to read."""
        fifo = self.path("hosts")
        os.mkfifo(fifo)
        self.begin("sh", "-c", "exec 3> '%s'; echo host >&3; exec sleep 600" % fifo)
        with open(fifo, "rb") as stdin:
            loop = self.begin("sh", "-c", "while read host; do cat; done", stdin=stdin).pid
        wait_until(lambda: children(loop), "the command of the loop")
        return children(loop)[0], "waits", (r"waits for data from sleep \(\d+\) through FIFO %s, on the standard input "
            r"that it shares with its parent sh \(%d\)" % (re.escape(fifo), loop))

    def of_terminal(self):
        """Its child asks on the pseudo terminal that it runs."""
        tool = self.begin(PYTHON, "-c", "import os, pty\npid, fd = pty.fork()\nif not pid: os.execvp('sh', ['sh', '-c', 'read answer'])\n"
            "while True: os.read(fd, 99)").pid
        wait_until(lambda: children(tool), "the command")
        return tool, "deadlock", r"waits for output of sh \(%d\) on the pseudo terminal /dev/pts/\d+ that it runs, .*; %d waits for input" % (
            children(tool)[0], children(tool)[0])

    def of_node_on_a_fifo(self):
        """It watches its standard input beside what wakes it itself."""
        if not self.has("node"):
            return None
        fifo = self.path("input")
        os.mkfifo(fifo)
        writer = self.begin("sh", "-c", "exec sleep 600 > '%s'" % fifo).pid
        with open(fifo, "rb") as stdin:
            pid = self.begin("node", "-e", "process.stdin.on('data', () => {})", stdin=stdin).pid
        return pid, "waits", r"node \(%d\) waits for data from sleep \(%d\) through FIFO %s.*; %d sleeps" % (
            pid, writer, re.escape(fifo), writer)

    def of_npm(self):
        if not self.has("npm"):
            return None
        with open(self.path("package.json"), "w", encoding="ascii") as file:
            file.write('{"name": "x", "version": "1.0.0", "scripts": {"long": "sleep 600"}}')
        pid = self.begin("npm", "run", "long", env=dict(os.environ, HOME=self.folder, NO_UPDATE_NOTIFIER="1")).pid
        wait_until(lambda: children(pid), "npm's script")
        return pid, "waits", r"waits for its child \S+ \(\d+\).*sleeps(: \d+ min of 10 min left| for 10 min, since when is not known)"

    def of_tail(self):
        return self.begin("tail", "-f", "/etc/services").pid, "idle", r"waits for (changes of files|events)"

    def of_debugger(self):
        if not self.has("strace"):
            return None
        sleep = self.begin("sleep", "600").pid
        tracer = self.python("""
            import ctypes, os, sys, time
            libc = ctypes.CDLL(None)
            pid = int(sys.argv[1])
            libc.ptrace(16, pid, None, None)
            os.waitpid(pid, 0x40000000)
            time.sleep(600)
            """, str(sleep))
        wait_until(lambda: harness.process_state(sleep) == "t", "the tracer")
        return sleep, "stopped", r"is stopped by python\S* \(%d\), which traces it" % tracer

    # --- terminals ---

    def of_prompt(self):
        pid, _ = self.terminal("bash", "-c", "read -p 'Continue? ' answer")
        return pid, "waits", r"waits for input from its terminal /dev/pts/\d+"

    def of_git_prompt(self):
        if not self.has("git"):
            return None
        pid, _ = self.terminal("git", "credential", "fill")
        return pid, "waits", r"waits for input from its terminal /dev/pts/\d+"

    def of_pager(self):
        if not self.has("less"):
            return None
        pid, _ = self.terminal("less", "/etc/services")
        return pid, "waits", r"is a pager and waits for a key from its terminal"

    def of_full_terminal(self):
        pid, _ = self.terminal("cat", "/dev/zero")
        return pid, "waits", r"blocked writing to its terminal /dev/pts/\d+: python\S*( \S+)? \(%d\) does not read" % os.getpid()

    def of_held_terminal(self):
        pid, master = self.terminal(PYTHON, "-c", "import os, time\nwhile True: os.write(1, b'line'), time.sleep(0.05)")
        self.assertTrue(os.read(master, 1))
        os.write(master, b"\x13")  # Ctrl-S
        self.waits_in(pid, "wait_woken", "tty")
        return pid, "waits", r"blocked writing to its terminal /dev/pts/\d+: .*or its output is held \(Ctrl-S\)"

    def of_output_without_a_reader(self):
        """The last command of a pipeline has ended, and the one before it waits for input."""
        shell = self.begin("bash", "-c", "sleep 600 | cat | true")
        def name(pid):
            try:
                return harness.read("/proc/%d/comm" % pid).strip()
            except (FileNotFoundError, ProcessLookupError):
                return b""
        wait_until(lambda: sorted(map(name, children(shell.pid))) == [b"cat", b"sleep"], "the end of true")
        cat = [pid for pid in children(shell.pid) if name(pid) == b"cat"][0]
        self.waits_in(cat, "pipe_read")
        return cat, "waits", (r"waits for data from sleep \(\d+\) through a pipe, while no process (that sooth may read )?"
                              r"reads its own output any more: it will notice when it writes")

    def of_terminal_in_a_loop(self):
        """The program that runs the terminal waits for output, so the terminal holds it."""
        emulator = self.begin(PYTHON, "-c", "import os, pty, select\npid, fd = pty.fork()\n"
                              "if not pid: os.execlp('sh', 'sh', '-c', 'while echo line; do sleep 0.05; done')\n"
                              "os.write(fd, b'\\x13')\nprint(pid, flush=True)\n"
                              "while select.select([fd], [], []): os.read(fd, 4096)", stdout=subprocess.PIPE)
        pid = int(emulator.stdout.readline())
        self.waits_in(pid, "wait_woken", "tty")
        return pid, "waits", r"blocked writing to its terminal /dev/pts/\d+: its output is held \(Ctrl-S; Ctrl-Q resumes it\)"

    def of_terminal_settings(self):
        """The terminal stops a background process that changes its settings, not only one that reads."""
        pid, master = self.terminal("bash", "--norc", "-i")
        os.write(master, b"set -m; stty -echo &\n")
        wait_until(lambda: children(pid), "the job")
        job = children(pid)[0]
        wait_until(lambda: harness.process_state(job) == "T", "the job to stop")
        return job, "stopped", r"is stopped by its terminal: it runs in the background and used /dev/pts/\d+"

    def of_background(self):
        pid, master = self.terminal("bash", "--norc", "-i")
        os.write(master, b"set -m; cat &\n")
        wait_until(lambda: children(pid), "the job")
        job = children(pid)[0]
        wait_until(lambda: harness.process_state(job) == "T", "the job to stop")
        return job, "stopped", r"is stopped by its terminal: it runs in the background and used /dev/pts/\d+"

    def of_stop(self):
        pid = self.begin("sleep", "600").pid
        os.kill(pid, signal.SIGSTOP)
        return pid, "stopped", r"is stopped by a signal \(SIGSTOP\)"

    # --- the rest ---

    def of_spin(self):
        return self.python("while True: pass"), "runs", r"runs: \d+ % of a CPU in user mode"

    def of_busy_loop(self):
        """It works between its waits: in some samples it is at work, and it is never idle."""
        return self.python("""
            import os, select, time
            poll = select.poll()
            poll.register(os.pipe()[0], select.POLLIN)
            while True:
                end = time.monotonic() + 0.02
                while time.monotonic() < end:
                    pass
                poll.poll(10)
            """), "runs", r"(waits for events.* and uses|runs:) \d+ % of a CPU"

    def of_jvm(self):
        """Threads of a pool wait for work as threads in a deadlock do; the locks of Java tell them apart."""
        if not self.has("java", "javac"):
            return None
        with open(self.path("Idle.java"), "w", encoding="ascii") as file:
            file.write("import java.util.concurrent.*; public class Idle { public static void main(String[] a) throws Exception {"
                       " Executors.newFixedThreadPool(2).submit(() -> 0).get(); System.out.println(1); } }")
        subprocess.run(["javac", self.path("Idle.java")], check=True)
        jvm = self.begin("java", "-Xmx64m", "-cp", self.folder, "Idle", stdout=subprocess.PIPE)
        self.addCleanup(jvm.stdout.close)
        jvm.stdout.readline()
        return jvm.pid, "idle", r"waits for work: no thread waits for a lock of Java, idle"

    def of_newer_jvm(self):
        """Two threads with a lock each want the other's. Its program is not called java."""
        command = other_runtimes.command("java25")
        if not command or not self.has("javac"):
            return None
        with open(self.path("Crossed.java"), "w", encoding="ascii") as file:
            file.write("public class Crossed { static void cross(Object a, Object b) { synchronized (a) {"
                       " try { Thread.sleep(300); } catch (InterruptedException e) { } synchronized (b) { } } }"
                       " public static void main(String[] s) { Object a = new Object(), b = new Object();"
                       " new Thread(() -> cross(a, b), \"first\").start(); new Thread(() -> cross(b, a), \"second\").start();"
                       " System.out.println(1); } }")
        subprocess.run(["javac", self.path("Crossed.java")], check=True)
        jvm = self.begin(*command, "-Xmx64m", "-cp", self.folder, "Crossed", stdout=subprocess.PIPE)
        self.addCleanup(jvm.stdout.close)
        jvm.stdout.readline()
        return jvm.pid, "deadlock", r"in thread (first|second) \(\d+\) waits for a Java monitor .* held by its thread .*: a deadlock"

    def of_unix_server_that_does_not_accept(self):
        path = self.path("busy.sock")
        server = self.python("""
            import socket, sys, time
            s = socket.socket(socket.AF_UNIX)
            s.bind(sys.argv[1])
            s.listen()
            time.sleep(600)
            """, path)
        self.ready(server, "clock_nanosleep", "pselect6")
        pid = self.python("""
            import socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            s.recv(1)
            """, path)
        return pid, "waits", r"waits for python\S* \(%d\) on %s, which has not accepted the connection" % (server, re.escape(path))

    def of_udp_thread(self):
        """The main thread takes signals, another waits for an answer, as in dig."""
        server = self.begin(PYTHON, "-c", textwrap.dedent("""
            import socket, time
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("127.0.0.1", 0))
            print(s.getsockname()[1], flush=True)
            time.sleep(600)
            """), stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        port = int(server.stdout.readline())
        pid = self.python("""
            import signal, socket, sys, threading
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.1", int(sys.argv[1])))
            s.send(b"?")
            threading.Thread(target=s.recv, args=(1,)).start()
            signal.sigwait([signal.SIGTERM])
            """, str(port))
        return pid, "waits", r"waits for python\S* \(%d\) on 127.0.0.1:%d" % (server.pid, port)

    def of_sleep(self):
        return self.begin("sleep", "600").pid, "waits", r"sleeps: (?:9 min of )?10 min left"

    def of_zombie(self):
        pid = self.python("""
            import os, time
            if not os.fork():
                os._exit(0)
            time.sleep(600)
            """)
        wait_until(lambda: children(pid), "the child")
        child = children(pid)[0]
        wait_until(lambda: harness.process_state(child) == "Z", "the zombie")
        return child, "ended", r"has ended; its parent python\S* \(%d\) has not reaped it" % pid

    def of_signal(self):
        return self.python("import signal; signal.pause()"), "idle", r"waits for a signal"

    def of_timer(self):
        if not hasattr(os, "timerfd_create"):
            return None
        return self.python("import os, time; t = os.timerfd_create(time.CLOCK_MONOTONIC); os.timerfd_settime(t, initial=600); os.read(t, 8)"), \
            "waits", r"waits for a timer"

    def of_eventfd(self):
        return self.python("import os; os.read(os.eventfd(0), 8)"), "idle", "waits for events on 1 descriptor"

    def of_pipes_of_an_event_loop(self):
        """Two children write to it: one sleeps, the other has written all it ever will."""
        pid = self.python("""
            import selectors, subprocess
            s = selectors.DefaultSelector()
            for seconds in ("600", "601"):
                child = subprocess.Popen(["sleep", seconds], stdout=subprocess.PIPE)
                s.register(child.stdout, selectors.EVENT_READ)
            s.select()
            """)
        return pid, "waits", r"waits for data from sleep \(\d+\) through a pipe.*; \d+ sleeps"

    def of_timers_of_an_event_loop(self):
        if not self.has("node"):
            return None
        return self.begin("node", "-e", "setInterval(() => 0, 100)").pid, "idle", \
            r"waits for events on \d+ descriptors?; a timer of its own wakes it within \d+ ms"

    def of_asyncio_sleep(self):
        return self.python("import asyncio; asyncio.run(asyncio.sleep(600))"), "idle", \
            r"waits for events on \d descriptors?(, idle \d+ s| \(idle\)); a timer of its own wakes it in \d+ min"

    def of_asyncio_child(self):
        return self.python("""
            import asyncio
            async def main():
                await (await asyncio.create_subprocess_exec("sleep", "600")).wait()
            asyncio.run(main())
            """), "waits", r"waits for its child sleep"

    def of_server_with_stopped_child(self):
        """Its listener is not all that it waits for."""
        return self.python("""
            import os, select, signal, socket, subprocess, time
            server = socket.create_server(("127.0.0.1", 0))
            signal.signal(signal.SIGCHLD, lambda *_: None)
            child = subprocess.Popen(["sleep", "600"])
            os.kill(child.pid, signal.SIGSTOP)
            poll = select.epoll()
            poll.register(server, select.EPOLLIN)
            poll.poll()
            """), "waits", r"waits for its child sleep .*stopped by a signal"

    def of_vfork(self):
        """Its child has not become a command yet: it waits to open a FIFO."""
        fifo = self.path("vfork")
        os.mkfifo(fifo)
        pid = self.python("""
            import ctypes, os, sys
            if not ctypes.CDLL(None).vfork():
                os.open(sys.argv[1], os.O_RDONLY)
            """, fifo)
        wait_until(lambda: children(pid), "the child")
        return pid, "waits", r"waits for its child python\S* \(\d+\).*; \d+ opens the FIFO %s: no process" % re.escape(fifo)

    def of_io_uring(self):
        """It has asked for nothing, and waits for one answer."""
        pid = self.python("""
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            ring = libc.syscall(425, 8, ctypes.create_string_buffer(120))
            libc.syscall(426, ring, 0, 1, 1, None, 0)
            """)
        time.sleep(LEAST_S)
        is_there = harness.process_state(pid) == "S"
        return (pid, "waits", "waits for requests of io_uring to complete") if is_there else None

    def frozen_by(self, hierarchy, file, freeze, thaw):
        """A process whose control group is frozen; None: that hierarchy is not mounted, or not ours."""
        group = "%s/sooth-why-%d" % (hierarchy, os.getpid())
        try:
            os.mkdir(group)
        except OSError:
            return None
        self.addCleanup(os.rmdir, group)
        child = self.begin("sleep", "600")
        self.addCleanup(wait_until, lambda: not harness.read(group + "/cgroup.procs"), "the group to be empty")
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.addCleanup(self.write, group + file, thaw)
        self.write(group + "/cgroup.procs", str(child.pid))
        self.write(group + file, freeze)
        return child.pid, "stopped", "is frozen by its control group"

    def of_freezer(self):
        return self.frozen_by("/sys/fs/cgroup/freezer", "/freezer.state", "FROZEN", "THAWED")

    def of_freezer_of_version_2(self):
        """Its state stays that of a sleeping process."""
        hierarchy = next((h for h in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
            if os.path.exists(h + "/cgroup.procs")), "/nonexistent")
        return self.frozen_by(hierarchy, "/cgroup.freeze", "1", "0")

    def of_file_system_of_a_daemon(self):
        """A file system of its own namespace; nobody answers."""
        if not self.has("nsenter"):
            return None
        daemon = self.begin(harness.WORKLOADS, "fuse", "--directory", self.folder, "--seconds", "600").pid
        time.sleep(LEAST_S)
        mounted = glob.glob(self.path("fuse-*"))
        if harness.process_state(daemon) in ("Z", None) or not mounted:
            return None  # it may not mount
        pid = self.begin("nsenter", "-t", str(daemon), "-m", "cat", mounted[0] + "/plain").pid
        return pid, "waits", r"cat \(%d\) waits for \S+plain on the mount \S+, served by workloads \(\d+\), in openat, \d+ s; " % pid

    def of_server(self):
        server = self.begin(PYTHON, "-c", textwrap.dedent("""
            import http.server, sys
            s = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
            print(s.server_port, flush=True)
            s.serve_forever()
            """), stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        port = int(server.stdout.readline())
        return server.pid, "idle", r"waits for connections on 127.0.0.1:%d" % port

    def of_node_server(self):
        if not self.has("node"):
            return None
        server = self.begin("node", "-e", "const s = require('http').createServer(); s.listen(0, '127.0.0.1', () => console.log(s.address().port))",
                            stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        port = int(server.stdout.readline())
        return server.pid, "idle", r"waits for connections on 127.0.0.1:%d" % port

    def of_asyncio_tasks(self):
        """The chain of awaits ends at a server that does not answer; workers without work come after it."""
        command = other_runtimes.command("python3.14")
        if not command:
            return None
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        client = self.begin(*command, "-c", textwrap.dedent("""
            import asyncio, sys
            async def read_reply(reader):
                return await reader.readexactly(10)
            async def fetch(port):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                return await read_reply(reader)
            async def fetch_all(port):
                async with asyncio.TaskGroup() as group:
                    for i in range(3):
                        group.create_task(fetch(port))
            async def work(queue):
                await queue.get()
            async def main():
                queue = asyncio.Queue()
                workers = [asyncio.create_task(work(queue)) for i in range(5)]
                fetching = asyncio.create_task(fetch_all(int(sys.argv[1])))
                await asyncio.sleep(0.5)
                print("all wait", flush=True)
                await asyncio.gather(fetching, *workers)
            asyncio.run(main())
            """), str(server.getsockname()[1]), stdout=subprocess.PIPE)
        self.addCleanup(client.stdout.close)
        client.stdout.readline()
        return client.pid, None, r"; 3 asyncio tasks of %d wait in StreamReader\.readexactly, called by read_reply < fetch < fetch_all < main, " \
            r"and 5 in Queue\.get, called by work < main$" % client.pid

    LOOP = textwrap.dedent("""
        import os, select, socket, subprocess, sys
        server = socket.create_server(("127.0.0.1", 0))
        quiet = [os.pipe() for i in range(5)]
        # A shell with standard input runs on; without it has ended, and leaves what it started.
        command = subprocess.Popen(["sh", "-c", "sleep 100 & " + sys.argv[1]], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        if not sys.argv[1]:
            command.wait()
        poll = select.epoll()
        for each in [server, command.stdout, *[read for read, _ in quiet]]:
            poll.register(each, select.EPOLLIN)
        print("ready", flush=True)
        while True:
            poll.poll()
        """)

    def loop(self, rest):
        process = self.begin(PYTHON, "-c", self.LOOP, rest, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        process.stdout.readline()
        return process.pid

    def of_output_of_an_ended_command_in_a_loop(self):
        return self.loop(""), None, r"waits for an output to close: its command has ended, but left sleep \(\d+\) running"

    def of_output_of_a_command_in_a_loop(self):
        return self.loop("read line"), "idle", r"waits for connections on 127\.0\.0\.1:\d+"

    def test_kinds(self):
        names = [name for name in dir(self) if name.startswith("of_")]
        only = os.environ.get("ONLY")
        found = {name: getattr(self, name)() for name in names if not only or name in only.split(",")}
        found = {name: value for name, value in found.items() if value}
        time.sleep(LEAST_S)
        pids, rows = [pid for pid, _, _ in found.values()], {}
        for i in range(0, len(pids), TOGETHER):
            rows.update(self.explain(*pids[i:i + TOGETHER]))
        for name, (pid, state, pattern) in sorted(found.items()):
            with self.subTest(name):
                row = rows[pid]
                self.assertRegex(row["text"], pattern)
                if state:
                    self.assertEqual(row["state"], state, row["text"])


class Agents(Situations):
    def test_tool(self):
        """What it waits for is its activity where nothing else says that, also of ps and status."""
        agent = self.path("claude")
        shutil.copyfile("/bin/bash", agent)
        os.chmod(agent, 0o755)
        main = self.begin(agent, "-c", "bash -c 'sleep 600 | cat; :'; :")
        wait_until(lambda: children(main.pid) and len(children(children(main.pid)[0])) == 2, "the tool")
        time.sleep(STARTS_S)
        wait = r"waits for its child bash \(%d\)" % children(main.pid)[0]
        row = self.row_of(main, "why", "-j")
        self.assertRegex(row["text"], r"Claude Code \(%d\): %s.*; \d+ waits for data from sleep \(\d+\)" % (main.pid, wait))
        self.assertEqual(row["agent"], "claude")
        self.assertIsNone(row["activity"]["state"])
        for words in (("ps", "-j"), ("ps", "-j", str(main.pid)), ("status", "-j")):
            row = self.row_of(main, *words)
            self.assertRegex(row["activity"]["text"], "^" + wait, words)

    def test_stopped_tool(self):
        """Of a tool that the main process does not wait for: only once it is stopped."""
        agent = self.path("claude")
        shutil.copyfile("/bin/bash", agent)
        os.chmod(agent, 0o755)
        main = self.begin(agent, "-c", "sleep 600 & while sleep 0.2; do :; done")
        wait_until(lambda: children(main.pid), "the tool")
        tool = children(main.pid)[0]
        time.sleep(STARTS_S)
        self.assertNotIn("stopped", self.row_of(main, "why", "-j", str(main.pid))["finding"] or "")
        os.kill(tool, signal.SIGSTOP)
        wait_until(lambda: harness.process_state(tool) == "T", "the tool to stop")
        time.sleep(LEAST_S)
        self.assertRegex(self.row_of(main, "why", "-j", str(main.pid))["finding"] or "",
            r"sleep %d \(.*: stopped by SIGSTOP" % tool)

    def row_of(self, main, *words):
        return next(row for row in self.sooth(*words).json()["processes"] if row["pid"] == main.pid)


if __name__ == "__main__":
    harness.main()
