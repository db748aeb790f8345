# SPDX-License-Identifier: BSD-2-Clause
"""
sooth trace --backend ptrace, as an ordinary user: counts are exact, tables are those of BPF, and the
target does what it does without it, whatever becomes of sooth.
"""
import os
import pty
import random
import re
import signal
import time

import harness
from harness import Case, as_nobody, needs_bpf, needs_root, read_truth, stream_counts, table_counts, tracer_of, wait_until

BACKEND = ("--backend", "ptrace")
KILLS = 100
SIGNALS = 300

CALLS = {"x86_64": {"clone": 56, "exit": 60, "restart_syscall": 219},
         "aarch64": {"clone": 220, "exit": 93, "restart_syscall": 128}}[os.uname().machine]

# Counts its own signals, and the calls that each interrupts.
HANDLES = """
import os, signal, sys, time
seen = 0
def note(number, frame):
    global seen
    seen += 1
    os.write(1, b"%d\\n" % seen)
signal.signal(signal.SIGUSR1, note)
print("ready", flush=True)
sys.stdin.readline()
until = time.monotonic() + 20
while seen < int(sys.argv[1]) and time.monotonic() < until:
    os.getppid()
    time.sleep(0.0002)
print("seen", seen, flush=True)
"""

# Another thread than the first one makes the exec, while a third runs.
EXECS = """
import os, sys, threading, time
threading.Thread(target=lambda: [os.getppid() for _ in range(10**9)], daemon=True).start()
sys.stdin.readline()
threading.Thread(target=lambda: os.execv(sys.argv[1], sys.argv[1:])).start()
time.sleep(30)
"""

# The first thread ends; another one makes the calls, 500 of them.
LEADER_ENDS = """
import ctypes, os, sys, threading, time
def work():
    time.sleep(0.1)
    for _ in range(500): os.getppid()
    os._exit(7)
sys.stdin.readline()
threading.Thread(target=work).start()
ctypes.CDLL(None).syscall(%d, 0)
""" % CALLS["exit"]

# A thread copies the missing page in which the argument of a call by the other thread lies.
SERVES_PAGES = """
import ctypes, fcntl, os, struct, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.execve.argtypes = [ctypes.c_void_p] * 3
page = os.sysconf("SC_PAGESIZE")
area = libc.mmap(None, page, 3, 0x22, -1, 0)
text = ctypes.create_string_buffer(b"/nonexistent", page)
sys.stdin.readline()
fd = libc.syscall(%d, os.O_CLOEXEC)
if fd < 0:
    print(os.strerror(ctypes.get_errno()))
    sys.exit(9)
fcntl.ioctl(fd, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))
fcntl.ioctl(fd, 0xc020aa00, struct.pack("QQQQ", area, page, 1, 0))
def serve():
    while True:
        os.read(fd, 32)
        os.getppid()
        fcntl.ioctl(fd, 0xc028aa03, struct.pack("QQQQQ", area, ctypes.addressof(text), page, 0, 0))
threading.Thread(target=serve, daemon=True).start()
for _ in range(100):
    libc.madvise(area, page, 4)
    libc.execve(area, None, None)
""" % {"x86_64": 323, "aarch64": 282}.get(os.uname().machine, 0)
# A thread with descriptors of its own connects; its process has the same number for nothing.
OWN_DESCRIPTORS = """
import ctypes, socket, sys, threading
far = socket.create_server(("127.0.0.1", 0))
def work():
    ctypes.CDLL(None).unshare(0x400)
    near = socket.create_connection(far.getsockname(), source_address=("127.0.0.7", 0))
    print(near.getsockname()[1])
sys.stdin.readline()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""

# Executes the program by a way that cannot be followed by its name alone.
WAYS = """
import ctypes, mmap, os, sys
way, program, *rest = sys.argv[1:]
argv = [program, *rest]
if way == "not dumpable":
    ctypes.CDLL(None).prctl(4, 0)
elif way in ("/proc/self/fd/%d", "/proc/thread-self/fd/%d", "/dev/fd/%d", "self/fd/%d", "fd/%d"):
    fd = os.open(program, os.O_PATH)
    os.set_inheritable(fd, True)
    os.chdir("/proc" if way.startswith("self") else "/dev")
    program = way % fd
elif way == "int 0x80":
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, 7)
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    word = lambda number: number.to_bytes(4, "little")
    strings = b"".join(text.encode() + b"\\0" for text in argv)
    page[1024:1024 + len(strings)] = strings
    starts = [at + 1024 + sum(len(text) + 1 for text in argv[:i]) for i in range(len(argv))]
    page[512:516 + 4 * len(argv)] = b"".join(map(word, starts + [0]))
    code = b"\\xb8" + word(11) + b"\\xbb" + word(at + 1024) + b"\\xb9" + word(at + 512) + b"\\x31\\xd2\\xcd\\x80\\xc3"
    page[0:len(code)] = code
    ctypes.CFUNCTYPE(ctypes.c_long)(at)()
os.execv(program, argv)
"""

# An exec that fails as it may gain privilege, then one by another thread.
FAILS_THEN_EXECS = """
import os, sys, threading, time
def other():
    time.sleep(0.3)
    os.execv("/bin/echo", ["echo", "went on"])
threading.Thread(target=other).start()
try:
    os.execv(sys.argv[1], ["x"])
except OSError:
    time.sleep(30)
"""

# Execs that are denied, as a shell makes them for each folder of PATH, then others.
DENIED = """
import os, sys
for denied in sys.argv[1:]:
    try: os.execv(denied, ["x"])
    except PermissionError: os.getpgid(0)
os.execv("/bin/true", ["true"])
"""

# Sleeps in short turns while newer threads work.
COLD = """
import os, subprocess, sys, time
hot = subprocess.Popen([sys.argv[1], "storm", "--threads", "6", "--seconds", "2"],
                       stdout=subprocess.DEVNULL)
time.sleep(0.5)
until, rounds = time.monotonic() + 1, 0
while time.monotonic() < until:
    time.sleep(0.001)
    rounds += 1
print(rounds)
hot.wait()
"""

# Sleeps, by a filter that kills a program for restart_syscall.
FILTERED = """
import ctypes, os, struct, sys, time
c = ctypes.CDLL(None)
is_parent = os.fork()
if not is_parent:
    time.sleep(0.2)
    os._exit(0)
lines = b"".join(struct.pack("<HBBI", *line) for line in
                 ((0x20, 0, 0, 0), (0x15, 0, 1, %d), (6, 0, 0, 0x80000000), (6, 0, 0, 0x7fff0000)))
buffer = ctypes.create_string_buffer(lines)
program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 4, ctypes.addressof(buffer)))
assert not c.prctl(38, 1, 0, 0, 0) and not c.prctl(22, 2, program)
print("ready", flush=True)
c.poll(None, 0, 1500)
print("alive", flush=True)
""" % CALLS["restart_syscall"]

THREADS = """
import _thread, time
def make():
    while True:
        try: _thread.start_new_thread(int, ())
        except RuntimeError: time.sleep(0.001)
_thread.start_new_thread(make, ())
print("ready", flush=True)
time.sleep(30)
"""

LEADER_IS_GONE = """
import ctypes, os, threading, time
def work():
    time.sleep(0.1)
    print("ready", flush=True)
    time.sleep(1)
    for _ in range(50): os.getppid()
    os._exit(7)
threading.Thread(target=work).start()
ctypes.CDLL(None).syscall(%d, 0)
""" % CALLS["exit"]

# Its children are those of its parent: sooth.
CLONES = """
import ctypes, os, time
for _ in range(5):
    if not ctypes.CDLL(None).syscall(%d, 0x8000 | 17, 0, 0, 0, 0):
        for _ in range(10): os.getpgid(0)
        os._exit(0)
    time.sleep(0.02)
""" % CALLS["clone"]

# What a program can do to its tracer: children that are traced without a stop of their parent, or not at
# all; children that are killed, stopped, or replaced by an exec of a thread while others run.
ATTACKS = """
import ctypes, os, signal, subprocess, sys, threading, time
UNTRACED, PTRACE = 0x800000, 0x2000
clone = lambda flags: ctypes.CDLL(None).syscall(%d, flags | signal.SIGCHLD, 0, 0, 0, 0)
def child(flags, work):
    pid = clone(flags)
    if not pid:
        work()
        os._exit(9)
    return pid
def loop():
    while True: os.getppid()
def execs():
    for _ in range(3): threading.Thread(target=loop, daemon=True).start()
    threading.Thread(target=lambda: os.execv("/bin/true", ["true"])).start()
    time.sleep(60)
def stopped():
    pid = child(0, loop)
    seen = []
    for number in signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL:
        os.kill(pid, number)
        seen.append(os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)[1])
    return seen
def killed_by(number, flags, work):
    pid = child(flags, work)
    os.kill(pid, number)
    return os.waitpid(pid, 0)[1]
ways = sys.argv[1].split()
for way in ways:
    if way == "storm":
        pids = [child(0, lambda: os._exit(3)) for _ in range(300)]
        print(way, sum(os.waitpid(pid, 0)[1] for pid in pids))
    if way == "killed":
        print(way, sum(killed_by(signal.SIGKILL, 0, loop) for _ in range(200)))
    if way == "untraced":
        print(way, sum(killed_by(signal.SIGTERM, UNTRACED, loop) for _ in range(50)))
    if way == "both":
        print(way, [os.waitpid(child(UNTRACED | PTRACE, lambda: os._exit(4)), 0)[1] for _ in range(4)])
    if way == "ptrace":
        print(way, [os.waitpid(child(PTRACE, lambda: os._exit(4)), 0)[1] for _ in range(20)])
    if way == "stopped":
        print(way, [stopped() for _ in range(20)])
    if way == "execs":
        pids = [child(0, execs) for _ in range(20)]
        print(way, [os.waitpid(pid, 0)[1] for pid in pids])
    if way == "vfork":
        print(way, [subprocess.run(["/bin/sh", "-c", "kill -9 $$"], close_fds=False).returncode for _ in range(20)])
    sys.stdout.flush()
""" % CALLS["clone"]

INVALID_THREADS, INVALID_CALLS = 20, 1500
INVALID = """
import ctypes, sys, threading
call = ctypes.CDLL(None).syscall
def work():
    for i in range(int(sys.argv[2])): call(100000 + i)
sys.stdin.readline()
threads = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

LINE = ("name", "arguments", "result_text", "error", "fd", "fd_name", "path", "thread")
ADDRESS = re.compile(r"0x[0-9a-f]+|pipe:\[\d+\]|<pipe[^>]*>")


def without_chance(counts):
    """Whether threads wait for one another, and what that makes them do, is chance."""
    return {name: count for name, count in counts.items()
            if name not in ("futex", "sched_yield", "madvise", "restart_syscall", "rseq")}


@needs_root
class Ptrace(Case):
    def setUp(self):
        super().setUp()
        os.environ["HOME"] = self.folder
        self.program = self.copy_for_all(harness.SOOTH)
        self.workloads = self.copy_for_all(harness.WORKLOADS)

    def nobody(self, *argv, **options):
        return self.run_program(*argv, cwd=self.folder, **as_nobody(), **options)

    def start_nobody(self, *argv, **options):
        return self.start(*argv, cwd=self.folder, **as_nobody(), **options)

    def target(self, *argv, **options):
        process = self.start_nobody(self.workloads, *argv, "--hold", "--truth", self.path("truth"), **options)
        process.wait_for_output(b"ready\n")
        harness.wait_until_asleep(process.pid)
        return process

    def attach(self, pid, *options):
        sooth = self.start_nobody(self.program, "trace", *BACKEND, *options, "-p", str(pid))
        self.wait_until_traced(sooth)
        return sooth

    def script(self, text, *argv):
        process = self.start_nobody("/usr/bin/python3", "-c", text, *argv)
        return process

    # --- counts ---

    def check(self, report, counts):
        self.assertEqual(report["loss"], [])
        # The read in which an attached target waits.
        self.assertEqual([row for row in report["limits"] if row["what"] != "time of 1 call"], [])
        self.assert_includes(counts, read_truth(self.path("truth"))[0])
        os.unlink(self.path("truth"))

    def test_exact_counts(self):
        for shape in (["--count", "400"], ["--threads", "5", "--count", "200"],
                      ["--forks", "4", "--count", "100"],
                      ["--threads", "3", "--forks", "3", "--exec", "1", "--count", "100"]):
            with self.subTest(shape=shape):
                argv = ["syscalls", "--slow-ms", "1", *shape]
                report = self.nobody(self.program, "trace", *BACKEND, "-c", "-j", "-o",
                                     self.path("report"), "--", self.workloads, *argv, "--truth",
                                     self.path("truth"))
                report = harness.json.loads(harness.read(self.path("report")))
                self.check(report, table_counts(report))
                self.assertEqual(report["sources"][0]["method"], "ptrace")
                self.assertIn("cap_bpf", report["sources"][0]["fallback_reason"])
                target = self.target(*argv)
                sooth = self.attach(target.pid, "-c", "-j")
                target.say(b"go\n")
                self.assertEqual(target.finish().status, 0)
                report = sooth.finish().json()
                self.check(report, table_counts(report))
                target = self.target(*argv)
                sooth = self.attach(target.pid, "-j")
                target.say(b"go\n")
                self.assertEqual(target.finish().status, 0)
                lines = sooth.finish().lines()
                self.check(lines[-1], stream_counts(lines))

    def test_an_exec_by_a_thread(self):
        target = self.script(EXECS, self.workloads, "syscalls", "--count", "100", "--truth", self.path("truth"))
        sooth = self.attach(target.pid, "-c", "-j")
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        report = sooth.finish().json()
        counts, truth = table_counts(report), read_truth(self.path("truth"))[0]
        truth.pop("getppid")  # the script makes some of its own
        self.assert_includes(counts, truth)
        self.assertEqual(counts["execve"], (1, 0))

    def test_the_end_of_the_first_thread(self):
        target = self.script(LEADER_ENDS)
        sooth = self.attach(target.pid, "-c", "-j")
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 7)
        report = sooth.finish().json()
        self.assertEqual(table_counts(report)["getppid"], (500, 0))
        self.assertEqual(report["end_reason"], "target ended")

    def test_vfork(self):
        target = self.script("import subprocess, sys\nsys.stdin.readline()\n"
                             "for _ in range(20): subprocess.run(['/bin/true'], close_fds=False)\n")
        sooth = self.attach(target.pid, "-c", "-j")
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        counts = table_counts(sooth.finish().json())
        self.assertEqual(counts["execve"][0], 20, counts)
        self.assertEqual(counts["exit_group"][0], 21, counts)

    @needs_bpf
    def test_tables_and_lines_are_those_of_bpf(self):
        """The same program under both, as root: a traced one differs in nothing but times."""
        tables, streams = [], []
        for backend in ("bpf", "ptrace"):
            report = self.sooth("trace", "--backend", backend, "-c", "-j", "--", harness.WORKLOADS,
                                "syscalls", "--count", "20", "--forks", "1").text
            report = harness.json.loads(report[report.index("{"):])
            tables.append(without_chance(table_counts(report)))
            lines = self.sooth("trace", "--backend", backend, "-s", "32", "-j", "-o",
                               self.path("lines"), "--", "/bin/cat", "/etc/hostname")
            lines = [harness.json.loads(line) for line in harness.read(self.path("lines")).splitlines()]
            streams.append([tuple(ADDRESS.sub("0x", str(line[key]).replace(str(line["pid"]), "PID")) for key in LINE)
                            for line in lines if line["type"] == "call"])
        self.assertEqual(tables[0], tables[1])
        self.assertEqual(streams[0], streams[1])

    # --- an unharmed target ---

    def test_kills(self):
        """Killed at any moment, sooth lets the target run: what it made is what it says."""
        target = self.target("storm", "--threads", "2", "--seconds", "3600")
        target.say(b"go\n")
        rng, attached = random.Random(1), 0
        for _ in range(KILLS):
            sooth = self.start_nobody(self.program, "trace", *BACKEND, *rng.choice((["-c"], ["-o", "/dev/null"])),
                                      "-p", str(target.pid))
            time.sleep(rng.random() * 0.1)
            tracer = tracer_of(sooth)
            attached += tracer is not None
            if rng.random() < 0.5 and tracer:
                os.kill(tracer, signal.SIGKILL)
            sooth.send(signal.SIGKILL)
            sooth.child.wait(harness.PATIENCE_S)
            if tracer:
                wait_until(lambda: harness.process_state(tracer) in (None, "Z"), "the tracer to end")
        self.assertGreater(attached, KILLS / 10)
        wait_until(lambda: b"TracerPid:\t0\n" in harness.read("/proc/%d/status" % target.pid), "the last one to end")
        target.send(signal.SIGTERM)
        self.assertEqual(target.finish().status, 0)
        self.assertGreater(read_truth(self.path("truth"))[0]["getppid"][0], 0)

    def test_signals(self):
        """Each signal runs its handler once, also of a sooth that is killed meanwhile."""
        target = self.script(HANDLES, str(SIGNALS))
        target.wait_for_output(b"ready\n")
        sooth = self.attach(target.pid, "-o", "/dev/null")
        target.say(b"go\n")
        time.sleep(0.1)
        for i in range(SIGNALS):
            if i % 50 == 49:
                sooth.send(signal.SIGKILL)
                sooth.child.wait(harness.PATIENCE_S)
                wait_until(lambda: b"TracerPid:\t0\n" in harness.read("/proc/%d/status" % target.pid),
                           "the tracer to end")
                sooth = self.attach(target.pid, "-c")
            target.send(signal.SIGUSR1)
            target.wait_for_output(b"\n%d\n" % (i + 1))
        run = target.finish()
        self.assertEqual(run.status, 0)
        self.assertIn("seen %d" % SIGNALS, run.text)

    def test_a_stopped_target(self):
        """SIGSTOP and SIGCONT do what they do without a tracer; one stopped before stays so."""
        target = self.target("storm", "--threads", "2", "--seconds", "3600")
        target.say(b"go\n")
        sooth = self.attach(target.pid, "-c", "-j")
        for _ in range(3):
            target.send(signal.SIGSTOP)
            wait_until(lambda: os.waitpid(target.pid, os.WUNTRACED | os.WNOHANG)[0], "its parent to see the stop")
            self.assertIn(harness.process_state(target.pid), "tT")
            target.send(signal.SIGCONT)
            wait_until(lambda: harness.process_state(target.pid) in "SR", "it to go on")
        target.send(signal.SIGSTOP)
        wait_until(lambda: os.waitpid(target.pid, os.WUNTRACED | os.WNOHANG)[0], "the stop")
        sooth.send(signal.SIGINT)
        self.assertEqual(sooth.finish().status, 0)
        self.assertEqual(harness.process_state(target.pid), "T")
        sooth = self.attach(target.pid, "-c", "-j")
        time.sleep(0.1)
        self.assertIn(harness.process_state(target.pid), "tT")
        target.send(signal.SIGCONT)
        wait_until(lambda: harness.process_state(target.pid) not in "T", "it to go on")
        target.send(signal.SIGTERM)
        self.assertEqual(target.finish().status, 0)
        self.assertGreater(table_counts(sooth.finish().json())["getppid"][0], 0)

    def test_a_stopped_sooth(self):
        """Ctrl-Z stops sooth, not the target; afterwards sooth says what it lost."""
        target = self.target("storm", "--seconds", "1")
        sooth = self.attach(target.pid, "-j", "--buffer", "64K", "-o", self.path("out"))
        sooth.send(signal.SIGSTOP)
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        sooth.send(signal.SIGCONT)
        self.assertEqual(sooth.finish().status, 0)
        lines = [harness.json.loads(line) for line in harness.read(self.path("out")).splitlines()]
        made = read_truth(self.path("truth"))[0]["getppid"][0]
        self.assertLessEqual(made, stream_counts(lines)["getppid"][0] + harness.lost(lines[-1]))
        self.assertGreater(harness.lost(lines[-1]), 0)

    def test_a_stopped_tracer(self):
        target = self.target("storm", "--seconds", "1")
        sooth = self.attach(target.pid, "-c", "-j")
        os.kill(tracer_of(sooth), signal.SIGSTOP)
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        report = sooth.finish().json()
        self.assertTrue(any("sooth-tracer" in row["what"] for row in report["limits"]), report)

    def test_a_killed_target(self):
        target = self.target("storm", "--threads", "3", "--seconds", "3600")
        target.say(b"go\n")
        sooth = self.attach(target.pid, "-c", "-j")
        wait_until(lambda: harness.cpu_s(tracer_of(sooth)) > 0.05, "some calls")
        target.send(signal.SIGKILL)
        self.assertEqual(target.finish().status, -signal.SIGKILL)
        report = sooth.finish().json()
        self.assertEqual(report["end_reason"], "target ended")
        self.assertGreater(table_counts(report)["getppid"][0], 0)

    def test_a_program_that_gains_privilege(self):
        """It runs with its privilege, and sooth says that it did not see it."""
        program = self.path("id")
        harness.shutil.copy(harness.have("id"), program)
        os.chmod(program, 0o4755)
        run = self.nobody(self.program, "trace", *BACKEND, "-c", "-j", "-o", self.path("report"),
                          "--", "/bin/sh", "-c", program + " -u; true")
        if os.statvfs(self.folder).f_flag & os.ST_NOSUID:
            self.skipTest("no set-user-ID programs here")
        self.assertEqual(run.text, "0\n")
        report = harness.json.loads(harness.read(self.path("report")))
        self.assertIn("a thread after an exec that may have gained privilege", [row["what"] for row in report["limits"]])

    def test_privilege_by_any_way(self):
        """A set-user-ID program runs with its privilege, however its exec names it."""
        program, secret, script = self.path("cat"), self.path("secret"), self.path("script")
        harness.shutil.copy(harness.have("cat"), program)
        os.chmod(program, 0o4755)
        with open(secret, "w", encoding="ascii") as file:
            file.write("privileged\n")
        os.chmod(secret, 0o600)
        with open(script, "w", encoding="ascii") as file:
            file.write("#! %s %s\n" % (program, secret))
        os.chmod(script, 0o755)
        if os.statvfs(self.folder).f_flag & os.ST_NOSUID:
            self.skipTest("no set-user-ID programs here")
        for way in ("script", "int 0x80", "not dumpable", "/proc/self/fd/%d", "/proc/thread-self/fd/%d", "/dev/fd/%d",
                    "self/fd/%d", "fd/%d"):
            with self.subTest(way=way):
                argv = ["/usr/bin/python3", "-c", WAYS, way, program, secret]
                if way == "script":
                    argv = [script]
                if way == "int 0x80" and "privileged" not in self.nobody(*argv, status=None).text:
                    continue  # an architecture or kernel without such calls
                run = self.nobody(self.program, "trace", *BACKEND, "-c", "-o", self.path("report"), "--", *argv)
                self.assertIn("privileged\n", run.text)

    def test_a_failed_exec_and_another_one(self):
        program = self.path("garbage")
        with open(program, "w", encoding="ascii") as file:
            file.write("garbage")
        os.chmod(program, 0o4755)
        run = self.nobody(self.program, "trace", *BACKEND, "-c", "-o", "/dev/null", "--",
                          "/usr/bin/python3", "-c", FAILS_THEN_EXECS, program)
        self.assertEqual(run.text, "went on\n")

    def test_denied_execs(self):
        """They are those of an observed thread, which stays observed."""
        program, folder = self.path("id"), self.path("closed")
        harness.shutil.copy(harness.have("id"), program)
        os.chmod(program, 0o4644)
        os.mkdir(folder, 0o700)
        self.nobody(self.program, "trace", *BACKEND, "-c", "-j", "-o", self.path("report"), "--",
                    "/usr/bin/python3", "-c", DENIED, program, folder + "/true")
        counts = table_counts(harness.json.loads(harness.read(self.path("report"))))
        self.assertEqual((counts["getpgid"], counts["execve"]), ((2, 0), (4, 2)))

    def test_each_thread_has_its_turn(self):
        """About 900 rounds a second; a busy host makes fewer of them."""
        rounds = 0
        for _ in range(3):
            run = self.nobody(self.program, "trace", *BACKEND, "-c", "-o", "/dev/null", "--",
                              "/usr/bin/python3", "-c", COLD, self.workloads)
            rounds = max(rounds, int(run.text))
            if rounds > 450:
                break
        self.assertGreater(rounds, 450)

    def test_a_filter_that_kills(self):
        target = self.script(FILTERED)
        target.wait_for_output(b"ready\n")
        harness.wait_until_asleep(target.pid)
        self.refuse(*BACKEND, "-p", str(target.pid), why="its seccomp filter may kill it")
        self.assertEqual(target.finish().text, "ready\nalive\n")
        if os.uname().machine == "x86_64":
            run = self.nobody(self.program, "trace", *BACKEND, "-c", "-o", "/dev/null", "--",
                              "/usr/bin/python3", "-c", FILTERED)
            self.assertEqual(run.text, "ready\nalive\n")

    def test_attach_to_changing_threads(self):
        target = self.script(THREADS)
        target.wait_for_output(b"ready\n")
        for _ in range(5):
            sooth = self.attach(target.pid, "-c")
            sooth.send(signal.SIGINT)
            self.assertEqual(sooth.finish().status, 0)
        target = self.script(LEADER_IS_GONE)
        target.wait_for_output(b"ready\n")
        sooth = self.attach(target.pid, "-c", "-j")
        self.assertEqual(target.finish().status, 7)
        report = sooth.finish().json()
        self.assertEqual(table_counts(report)["getppid"], (50, 0))
        self.assertEqual(report["end_reason"], "target ended")

    def test_children_of_the_parent(self):
        self.nobody(self.program, "trace", *BACKEND, "-c", "-j", "-o", self.path("report"), "--",
                    "/usr/bin/python3", "-c", CLONES)
        report = harness.json.loads(harness.read(self.path("report")))
        self.assertEqual(report["loss"], [])
        self.assertEqual(table_counts(report)["getpgid"], (50, 0))

    # --- asked, or refused ---

    def test_attacks(self):
        """What a hostile program does has the results that it has without a tracer."""
        ways = ["storm killed ptrace stopped execs vfork", "untraced both"]
        bare = [self.nobody("/usr/bin/python3", "-c", ATTACKS, way).text for way in ways]
        self.assertEqual(sum(text.count("\n") for text in bare), 8, bare)
        for options in BACKEND, (*BACKEND, "--seccomp", "-e", "getppid"):
            for way, text in zip(ways, bare):
                if "untraced" in way and "--seccomp" in options:
                    continue
                with self.subTest(options=options, way=way):
                    run = self.nobody(self.program, "trace", *options, "-c", "-o", self.path("out"), "--",
                                      "/usr/bin/python3", "-c", ATTACKS, way)
                    self.assertEqual(run.text, text)

    def refuse(self, *argv, why, **options):
        run = self.nobody(self.program, "trace", *argv, status=None, **options)
        self.assertNotEqual(run.status, 0, run)
        self.assert_says_three_lines(run, why)
        return run

    def test_refusals(self):
        target = self.target("storm", "--seconds", "3600")
        # Samples, which stand in for the calls of its own processes, do not select calls.
        self.refuse("-e", "getppid", "-p", str(target.pid), why="--backend ptrace")
        self.refuse(*BACKEND, "-p", "1", why="the process belongs to another user")
        self.refuse(*BACKEND, "-u", str(harness.NOBODY), why="stops each process at each call")
        sooth = self.attach(target.pid, "-c")
        self.refuse(*BACKEND, "-p", str(target.pid), why="process %d traces" % tracer_of(sooth))
        hidden = self.script("import ctypes, sys\nctypes.CDLL(None).prctl(4, 0)\nprint('ready', flush=True)\n"
                             "sys.stdin.readline()\n")
        hidden.wait_for_output(b"ready\n")
        self.refuse(*BACKEND, "-p", str(hidden.pid), why="PR_SET_DUMPABLE")

    def test_it_asks_once(self):
        for answer, status in ((b"y\n", 0), (b"n\n", 3)):
            pid, terminal = pty.fork()
            if not pid:
                os.setgroups([])
                os.setresgid(harness.NOBODY, harness.NOBODY, harness.NOBODY)
                os.setresuid(harness.NOBODY, harness.NOBODY, harness.NOBODY)
                os.execv(self.program, [self.program, "trace", "-c", "--", "/bin/true"])
            seen = b""
            while b"[y/N]" not in seen:
                seen += os.read(terminal, 4096)
            time.sleep(0.05)
            os.write(terminal, answer)
            while True:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:
                    break
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), status, seen)
            self.assertEqual(b"execve" in seen, status == 0, seen)

    # --- a tracer that is stopped while sooth cannot notice ---

    def test_both_stopped(self):
        """The kernel ends the tracer, and the target runs on."""
        target = self.target("storm", "--seconds", "1")
        sooth = self.attach(target.pid, "-c", "-j")
        tracer = tracer_of(sooth)
        os.kill(sooth.pid, signal.SIGSTOP)
        os.kill(tracer, signal.SIGSTOP)
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        self.assertEqual(harness.process_state(tracer), "Z")
        sooth.send(signal.SIGCONT)
        report = sooth.finish().json()
        self.assertTrue(any("sooth-tracer" in row["what"] for row in report["limits"]), report)

    # --- memory that the target itself serves ---

    def test_pages_that_a_thread_serves(self):
        """Missing pages are not read: the thread that serves them may be stopped itself."""
        target = self.start("/usr/bin/python3", "-c", SERVES_PAGES)
        sooth = self.start_sooth("trace", *BACKEND, "-j", "-e", "getppid,execve", "-p", str(target.pid))
        self.wait_until_traced(sooth)
        target.say(b"go\n")
        run = target.finish()
        if run.status == 9:
            self.skipTest("no userfaultfd here: %s" % run.text)
        self.assertEqual(run.status, 0, run)
        lines = sooth.finish().lines()
        self.assertEqual(stream_counts(lines)["execve"], (100, 100))
        self.assertEqual(stream_counts(lines)["getppid"][0], 100)
        self.assertEqual(lines[-1]["limits"], [])

    # --- descriptors that a thread does not share ---

    def test_descriptors_of_a_thread(self):
        target = self.script(OWN_DESCRIPTORS)
        sooth = self.attach(target.pid, "-j", "-e", "connect")
        target.say(b"go\n")
        run = target.finish()
        self.assertEqual(run.status, 0, run)
        calls = [line for line in sooth.finish().lines() if line["type"] == "call"]
        self.assertIn(calls[0]["fd_name"], ("TCP 127.0.0.7:%s" % run.text.strip(), None), calls)

    # --- bounded memory ---

    def test_more_different_calls_than_are_kept(self):
        """Each thread makes calls that no kernel has: what is not counted is lost, and said to be."""
        target = self.script(INVALID, str(INVALID_THREADS), str(INVALID_CALLS))
        sooth = self.attach(target.pid, "-c", "-j")
        target.say(b"go\n")
        self.assertEqual(target.finish().status, 0)
        report = sooth.finish().json()
        counted = sum(count for name, (count, _) in table_counts(report).items() if name.startswith("syscall_"))
        made = INVALID_THREADS * INVALID_CALLS
        self.assertLess(counted, made)
        self.assertGreaterEqual(counted + harness.lost(report, "syscalls"), made)


if __name__ == "__main__":
    harness.main()
