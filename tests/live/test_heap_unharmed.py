# SPDX-License-Identifier: BSD-2-Clause
"""
Programs that the library in them could change (tests/workloads/heap_odd.c) end as they do alone, and
say the same: observed, and with sooth killed, stopped or out of memory at any moment. And who may
reach what that library uses: another user, a sooth that is gone, a program that lies.
"""
import fcntl
import functools
import glob
import os
import random
import re
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

import harness
from harness import needs_root
from heap_case import HeapCase, last_json, one

PRELOAD = ("--engine", "preload")
ENGINES = {"preload": PRELOAD, "stacks": (*PRELOAD, "--stack"), "auto": ("--engine", "auto"),
           "probes": ("--engine", "bpf")}
# What is left out of an engine's modes, and why.
SLOW = {"probes": {"fork-storm", "short-threads"}}  # a minute each, and nothing of the library is in them
COUNT = {} if harness.IS_LONG else {"short-threads": 1200}  # more than twice the slots
COUNT["fork-storm"] = 1000 if harness.IS_LONG else 200
CALLS = {"plain": 8000, "strict": 10000, "raw-fork": 160000, "clone-number": 4000, "fork-storm": 20 * COUNT["fork-storm"],
         "fork-by-signal": 24000, "signal-stack": 22000, "coroutines": 20200, "cut-mapping": 80, "no-clock": 88200}
MOMENTS = 200 if harness.IS_LONG else 9  # each mode once
OTHER_USER = 61234  # no other test is this user: sooth, as the same one, looks at what it left behind
# Of src/preload/layout.h.
VERSION, STARTED = 5, 1
PRELOAD_SEGMENT_BYTES = 4096 * 513 + 32 * (8 << 15) + 480 * (8 << 11)


@functools.cache
def end_and_output(*command):
    """Always the same, so one run serves all engines."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode()


class OddCase(HeapCase):
    def setUp(self):
        super().setUp()
        self.odd = self.program("heap-odd")

    def modes(self):
        return subprocess.run([self.odd, "list"], capture_output=True, text=True, check=True).stdout.split()

    def command(self, mode):
        return [self.odd, mode, *([str(COUNT[mode])] if mode in COUNT else [])]

    def alone(self, mode):
        return end_and_output(*self.command(mode))

    def observed(self, mode, options, **how):
        run = self.sooth("heap", "-j", *options, "--", *self.command(mode), status=None, timeout=200, **how)
        begin = re.search(r"^\{", run.text, re.M)
        self.assertIsNotNone(begin, (mode, run))
        return run.status, run.text[:begin.start()], last_json(run.text)


class Unchanged(OddCase):
    def check(self, engine, options):
        for mode in self.modes():
            if mode in SLOW.get(engine, ()):
                continue
            with self.subTest(mode=mode, engine=engine):
                status, text = self.alone(mode)
                seen, printed, report = self.observed(mode, options)
                self.assertEqual((seen, printed), (status, text))
                self.assertNotIn("heap_ended", report)
                yield mode, report

    def check_exact(self, engine):
        for mode, report in self.check(engine, ENGINES[engine]):
            totals = one(report["heap_totals"])
            if mode == "live-threads":  # more than there are slots: what is missing is said
                self.assertIn("lost", str(totals["inexact"]))
            else:
                self.assertEqual(report["loss"], [], mode)
            self.assertEqual(totals["calls"], CALLS.get(mode, totals["calls"]), mode)
            if mode in ("strict", "no-clock"):
                self.assertIn("time-stamp counter", str(report["limits"]))

    def test_by_the_library(self):
        self.check_exact("preload")

    def test_by_the_library_with_stacks(self):
        self.check_exact("stacks")

    @harness.needs_bpf
    def test_by_default(self):
        self.check_exact("auto")

    @harness.needs_bpf
    def test_by_probes(self):
        for _ in self.check("probes", ENGINES["probes"]):
            pass

    def test_the_limit_of_the_address_space(self):
        """Set before the program starts, and so small that the library would take half of the room."""
        limited = ["-c", 'ulimit -v 60000; exec "$0" much-memory', self.odd]
        for options in (PRELOAD, (*PRELOAD, "--stack")):
            run = self.sooth("heap", *options, "--", "/bin/sh", *limited, status=0)
            self.assertIn("not exact: a program's allocator is not visible", run.text)

    def test_an_end_by_a_signal_comes_first(self):
        crash = ["-c", "kill -SEGV $$"]
        text = self.sooth("heap", *PRELOAD, "--", "/bin/sh", *crash, status=128 + signal.SIGSEGV).text
        self.assertRegex(text.splitlines()[0], r"^sh \d+ ended by SIGSEGV; sooth had its library in it; --engine bpf")
        report = last_json(self.sooth("heap", "-j", *PRELOAD, "--", "/bin/sh", *crash,
                                      status=128 + signal.SIGSEGV).text)
        self.assertEqual([row["signal"] for row in report["heap_ended"]], ["SIGSEGV"])
        # One that its user ends is no fault.
        text = self.sooth("heap", *PRELOAD, "--", "/bin/sh", "-c", "kill -TERM $$", status=128 + signal.SIGTERM).text
        self.assertNotIn("ended by", text)


class WithoutSooth(OddCase):
    """The program goes on as if alone, whatever happens to sooth."""

    # Modes whose end shows whether all of it was as it is alone.
    MODES = ("short-threads", "filter-kill", "sockets-kill", "strict", "no-clock", "fork-storm", "fork-by-signal",
             "coroutines", "say")

    def run_on(self, act, number, goes_on=True):
        """`goes_on`: sooth runs after that, and may start the program."""
        chance = random.Random(number)
        mode = self.MODES[number % len(self.MODES)]
        status, text = self.alone(mode)
        options = ENGINES[("preload", "stacks")[chance.randrange(2)]]
        marker, out = self.path("status-%d" % number), self.path("out-%d" % number)
        # The shell is no child of sooth's that ends with it: it says how the program ended.
        script = "%s > %s 2>&1; echo $? > %s.new; mv %s.new %s" % (" ".join(self.command(mode)), out, marker, marker,
                                                                  marker)
        sooth = self.start_sooth("heap", "-j", *options, "-o", "/dev/null", "--", "/bin/sh", "-c", script)
        time.sleep(chance.random() * 0.25)
        act(sooth)
        try:
            harness.wait_until(lambda: os.path.exists(marker) or
                               not (goes_on and sooth.is_running()) and not self.is_alive(script),
                               "%s to end" % mode, 60)
        finally:
            sooth.send(signal.SIGKILL)
        if os.path.exists(marker):  # else it was ended before the shell began
            self.assertEqual((int(harness.read(marker)), harness.read(out).decode()), (status, text), (mode, number))

    @staticmethod
    def is_alive(script):
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    if script.encode() in file.read() and "sooth" not in os.readlink(os.path.dirname(path) + "/exe"):
                        return True
            except OSError:
                continue
        return False

    def test_killed(self):
        for number in range(MOMENTS):
            with self.subTest(number=number):
                self.run_on(lambda sooth: sooth.send(signal.SIGKILL), number)

    def test_stopped(self):
        for number in range(max(4, MOMENTS // 4)):
            with self.subTest(number=number):
                self.run_on(lambda sooth: sooth.send(signal.SIGSTOP), number, goes_on=False)

    def test_out_of_memory(self):
        """Its memory is limited while it runs: whatever it cannot get then, the program does not notice."""
        def limit(sooth):
            try:
                resource.prlimit(sooth.pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))
            except ProcessLookupError:
                pass

        for number in range(max(4, MOMENTS // 4)):
            with self.subTest(number=number):
                self.run_on(limit, number)


# What a process of the tree may try: it has the socket, and is answered. `page`, `segment`: descriptors.
ATTACK = """
import ctypes, os, random, socket, struct, sys, time
path, token = os.environ["SOOTH_PRELOAD"].rsplit(":", 1)
token = token[:32]
def ask(token=token):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    s.sendall(struct.Struct('=IIiI32s').pack(%d, %d, 0, os.getpid(), token.encode()))
    return list(socket.recv_fds(s, 100, 4)[1])
def refused(call, *arguments):
    try: call(*arguments)
    except OSError: return
    raise SystemExit('not refused: %%s' %% (arguments,))
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
nowhere = ctypes.c_void_p(-1).value
page, segment = ask()
size = os.fstat(segment).st_size
""" % (VERSION, STARTED)

PAGE = ATTACK + """
refused(os.pwrite, page, bytes(64), 0)
assert libc.mmap(None, 4096, 3, 1, page, 0) == nowhere
at = libc.mmap(None, 4096, 1, 1, page, 0)
assert libc.mprotect(ctypes.c_void_p(at), 4096, 3)
for fd in (page, segment):
    refused(os.ftruncate, fd, 0)
    refused(os.ftruncate, fd, 1 << 30)
assert not ask('0' * 32)
print('page')
"""

NOISE = ATTACK + """
memory = libc.mmap(None, size, 3, 1, segment, 0)
ctypes.memset(memory, 0xff, size)
chance = random.Random(1)
for turn in range(TURNS):
    noise = chance.randbytes(1 << 20)
    for begin in range(0, size - len(noise), len(noise)):
        ctypes.memmove(memory + begin, noise, len(noise))
    for slot in range(512):  # slots that are taken, by a process that is none of it
        at = memory + 4096 * (slot + 1)
        ctypes.memmove(at, struct.pack('=IIII', 2, turn, (1, os.getpid(), os.getppid(), 0)[slot %% 4], 1), 16)
    ctypes.memmove(memory, struct.pack('=I', 512), 4)
    time.sleep(0.02)
print('noise')
""".replace("%%", "%").replace("TURNS", "40" if harness.IS_LONG else "12")


class Reached(OddCase):
    """docs/security.md, row by row."""

    def running(self, **how):
        """A program that waits with sooth's library in it, and where that has connected."""
        sooth = self.start_sooth("heap", "-j", *PRELOAD, "--", "/bin/sh", "-c",
                                 "echo at $SOOTH_PRELOAD end; read line; exit 0", **how)
        sooth.wait_for_output(rb"end")
        found = re.search(rb"at (\S+):([0-9a-f]{32})[0-9] end", sooth.out)
        return sooth, found[1].decode(), found[2].decode()

    @staticmethod
    def ask(path, token, uid=None):
        """What a process outside of the tree gets: the number of descriptors, or the error."""
        code = ("import os, socket, struct, sys\n"
                "if %r is not None: os.setgroups([]); os.setgid(%r); os.setuid(%r)\n"
                "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                "try: s.connect(%r)\n"
                "except OSError as e: print(type(e).__name__); sys.exit()\n"
                "s.sendall(struct.Struct('=IIiI32s').pack(%d, %d, 0, os.getpid(), %r))\n"
                "print(len(socket.recv_fds(s, 100, 4)[1]))\n" %
                (uid, uid, uid, path, VERSION, STARTED, token.encode()))
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30,
                              check=True).stdout.strip()

    def test_the_socket(self):
        sooth, path, token = self.running()
        self.assertEqual(stat.S_IMODE(os.lstat(path).st_mode), 0o600)
        self.assertEqual(self.ask(path, "0" * 32), "0")
        self.assertEqual(self.ask(path, token), "0", "it has the token, and is none of the tree")
        if not os.geteuid():
            self.assertEqual(self.ask(path, token, OTHER_USER), "PermissionError")
        sooth.say(b"\n")
        report = last_json(sooth.finish().text)
        self.assertIsNone(one(report["heap_totals"])["inexact"])
        self.assertEqual(len(report["heap_processes"]), 1)

    @needs_root
    def test_the_command_of_another_user(self):
        """Root observes a user's command: that user reaches the socket, and no third."""
        sooth, path, token = self.running(env=dict(os.environ, SUDO_UID=str(OTHER_USER), SUDO_GID=str(OTHER_USER)))
        self.assertEqual(os.lstat(path).st_uid, OTHER_USER)
        self.assertEqual(self.ask(path, token, OTHER_USER), "0")
        self.assertEqual(self.ask(path, token, OTHER_USER - 1), "PermissionError")
        sooth.say(b"\n")
        self.assertGreater(one(last_json(sooth.finish().text)["heap_totals"])["calls"], 0)

    def test_the_page_and_the_memory(self):
        """A program cannot write the page of the session, nor cut what it shares."""
        run = self.sooth("heap", "-j", *PRELOAD, "--", "/usr/bin/python3", "-c", PAGE)
        self.assertTrue(run.text.startswith("page\n"), run)

    def test_a_program_that_lies(self):
        """Whatever it writes into its memory, sooth lives, and reports no process that is none of the tree."""
        for stack in ((), ("--stack",)):
            run = self.sooth("heap", "-j", *PRELOAD, *stack, "--", "/usr/bin/python3", "-c", NOISE, timeout=120)
            self.assertTrue(run.text.startswith("noise\n"), run)
            pids = {row["pid"] for row in last_json(run.text).get("heap_processes", ())}
            self.assertFalse(pids & {1, os.getpid()}, pids)

    @needs_root
    def test_the_place_of_a_sooth_that_is_gone(self):
        """A daemon keeps the environment, and another user listens there: nothing connects, and nothing waits."""
        sooth, path, token = self.running()
        sooth.send(signal.SIGKILL)
        sooth.end()
        folder = os.path.dirname(path)
        shutil.rmtree(folder)
        code = ("import os, socket, sys\n"
                "os.setgid(%d); os.setuid(%d); os.mkdir(%r)\n"
                "os.chmod(%r, 0o777)\n"
                "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(%r); os.chmod(%r, 0o777); s.listen(1)\n"
                "print('ready', flush=True)\n"
                "s.settimeout(5)\n"
                "try: s.accept(); print('connected')\n"
                "except TimeoutError: print('quiet')\n" % (OTHER_USER, OTHER_USER, folder, folder, path, path))
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", folder], check=False))
        self.assertEqual(other.stdout.readline(), "ready\n")
        for _ in range(20):
            run = subprocess.run([self.odd, "say", "10"], env=self.environment(path, token), capture_output=True,
                                 text=True, check=True, timeout=20)
            self.assertEqual(run.stdout, "plain\n")
        self.assertEqual(other.communicate(timeout=20)[0], "quiet\n")

    @staticmethod
    def environment(path, token):
        library = os.path.join(os.path.dirname(harness.SOOTH), "src/preload/sooth-preload.so")
        return dict(os.environ, LD_PRELOAD=library, SOOTH_PRELOAD="%s:%s0" % (path, token))  # no seccomp filter

    @staticmethod
    def memory(size, seal, fill=b"\0"):
        fd = os.memfd_create("lie", os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        os.pwrite(fd, fill * (size // len(fill)), 0)
        if seal:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return fd

    def lies(self):
        """What could be handed over: cut, of another size, and with nonsense in it."""
        size = PRELOAD_SEGMENT_BYTES
        full, lively = b"\xff" * 4096, bytearray(4096)
        # A session that is on, streams, walks stacks and lets wait, and never beats.
        struct.pack_into("=IIIII", lively, 64, VERSION, 1, 1, 1, 1)
        struct.pack_into("=Q", lively, 88, 1 << 62)
        for page, seal, segment, fill in ((4096, False, size, b"\0"), (4096, True, 4096, b"\0"),
                                          (8192, True, size, b"\0"), (4096, True, size, full),
                                          (4096, True, size, bytes(range(256)) * 16)):
            yield self.memory(page, seal, bytes(lively)), self.memory(segment, seal, fill)
        yield self.memory(4096, True, full), self.memory(size, True, full)
        yield os.open("/dev/zero", os.O_RDWR), os.open("/dev/zero", os.O_RDWR)
        yield None

    def test_a_sooth_that_lies(self):
        path = self.path("socket")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.bind(path)
        server.listen(100)
        server.settimeout(60)
        for number, lie in enumerate(self.lies()):
            for mode, text in (("say", "plain\n"), ("short-threads", ""), ("fork-by-signal", "")):
                with self.subTest(number=number, mode=mode):
                    program = subprocess.Popen([self.odd, mode, "400"], env=self.environment(path, "0" * 32),
                                               stdout=subprocess.PIPE, text=True)
                    peer, _ = server.accept()
                    peer.recv(100)
                    if lie:
                        socket.send_fds(peer, [struct.pack("=II", VERSION, 0)], lie)
                    peer.close()
                    out, _ = program.communicate(timeout=100)
                    self.assertEqual((program.returncode, out), (0, text))
            for fd in lie or ():
                os.close(fd)


if __name__ == "__main__":
    harness.main()
