# SPDX-License-Identifier: BSD-2-Clause
"""
What a watched process chooses itself - its name, its arguments, the names of its files - never
reaches a terminal as it is, never breaks JSON, and secrets among it reach no output at all.
"""
import ctypes
import ctypes.util
import glob
import os
import pty
import re
import signal
import threading
import unittest

import harness
from harness import Case, needs_bpf

EVIL = [
    b"\x1b]0;owned\x07",            # sets the title of a terminal
    b"\x1b[2J\x1b[31mred",          # clears it
    b"\x9b2J",                      # the same by one C1 byte
    "\u009b2J".encode(),            # and by the character U+009B
    b"line\nbreak\r\tand tab",
    b"bad \xff\xfe utf-8 \xc3",
    "right\u202eleft \u2066isolate".encode(),
    b'quote " and \\ backslash',
    b"\x7f\x08\x08\x08",
]
TITLE_OF_ALL = b" ".join(EVIL)
IN_THREE = [b"-".join(EVIL[i::3]) for i in range(3)]  # for what takes long

# C0 without newline, DEL, C1; characters that turn the direction of text.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def encode(data):
    """For workloads: any byte as \\xNN."""
    return "".join("\\x%02x" % byte for byte in data)


class Hostile(Case):
    def assert_tame(self, out):
        text = out.decode("utf-8", "strict")
        found = CONTROL.search(text)
        if found:
            self.fail("%r at %r" % (found[0], text[max(0, found.start() - 60):found.end() + 20]))
        return text

    def evil_process(self, data):
        title = self.start(harness.WORKLOADS, "rename", "--hold", "--title", encode(data),
                           "--comm", encode(data[:15]))
        title.wait_for_output(b"ready\n")
        return title


class Names(Hostile):
    def test_ps(self):
        pids = [str(self.evil_process(data).pid) for data in [*EVIL, TITLE_OF_ALL]]
        for argv in (["ps", "-i", "20ms", *pids], ["ps", "-i", "20ms", "-a"]):
            lines = self.assert_tame(self.sooth(*argv).out).splitlines()
            for pid in pids:
                self.assertEqual(sum(line.split()[:1] == [pid] for line in lines), 1,
                                 "one process, one line")
            processes = {str(row["pid"]): row for row in self.sooth(*argv, "-j").json()["processes"]}
            for pid in pids:
                self.assertTrue(processes[pid]["command"])
            self.sooth(*argv, "--format", "jsonl").lines()

    def test_on_a_terminal(self):
        """Escapes must not depend on the output being a file."""
        target = self.evil_process(TITLE_OF_ALL)
        ours, theirs = pty.openpty()
        collected = bytearray()

        def collect():
            try:
                while True:
                    collected.extend(os.read(ours, 65536))
            except OSError:
                pass  # the other side is closed

        reader = threading.Thread(target=collect, daemon=True)
        reader.start()
        child = harness.subprocess.Popen([harness.SOOTH, "ps", "--color", "never",
                                          str(target.pid)], stdin=harness.subprocess.DEVNULL,
                                         stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.assertEqual(child.wait(harness.PATIENCE_S), 0)
        reader.join(10)
        os.close(ours)
        self.assertIn(str(target.pid).encode(), collected)
        self.assert_tame(bytes(collected).replace(b"\r\n", b"\n"))

    def test_in_other_places(self):
        """Executable, working directory and command of a process, all named by the enemy."""
        pids = []
        for data in EVIL:
            folder = os.path.join(os.fsencode(self.folder), data)
            os.mkdir(folder)
            program = os.path.join(folder, b"sl" + data)
            harness.shutil.copyfile("/bin/sleep", program)
            os.chmod(program, 0o755)
            pids.append(str(self.start(program, b"100", cwd=folder).pid))
        self.assert_tame(self.sooth("ps", *pids).out)
        processes = self.sooth("ps", "-j", *pids).json()["processes"]
        self.assertEqual({str(process["pid"]) for process in processes}, set(pids))
        for process in processes:
            self.assertTrue(process["cwd"].startswith(self.folder))

    def test_agents(self):
        """Its folder is an agent's project: shown in a column of its own."""
        agent, started = self.path("claude"), set()
        harness.shutil.copyfile("/bin/sleep", agent)
        os.chmod(agent, 0o755)
        for data in EVIL:
            folder = os.path.join(os.fsencode(self.folder), data)
            os.mkdir(folder)
            started.add(self.start(agent, "100", cwd=folder).pid)
        self.assert_tame(self.sooth("ps", "-i", "20ms").out)
        pids = {p["pid"] for p in self.sooth("ps", "-i", "20ms", "-j").json()["processes"]}
        self.assertEqual(started - pids, set())


@needs_bpf
class Traces(Hostile):
    def test_names_of_files(self):
        for data in IN_THREE:
            name = b"/nonexistent-" + data
            out = self.path("out")
            self.sooth("trace", "-o", out, "--", "/bin/cat", name, status=1)
            text = self.assert_tame(harness.read(out))
            self.assertIn("/nonexistent-", text)
            self.assertEqual(sum("/nonexistent-" in line and "openat" in line
                                 for line in text.splitlines()), 1, "one call, one line")
            self.sooth("trace", "-j", "-o", out, "--", "/bin/cat", name, status=1)
            lines = [harness.json.loads(line) for line in harness.read(out).splitlines()]
            self.assertTrue(any("/nonexistent-" in line.get("arguments", "") for line in lines))

    def test_names_of_threads_and_commands(self):
        for data in IN_THREE:
            out = self.path("out")
            argv = ["--", harness.WORKLOADS, "rename", "--seconds", "0.05", "--title",
                    encode(data), "--comm", encode(data[:15])]
            for mode in ([], ["-c"]):
                self.sooth("trace", *mode, "-o", out, *argv)
                self.assert_tame(harness.read(out))
                self.sooth("trace", *mode, "-j", "-o", out, *argv)
                for line in [harness.read(out)] if mode else harness.read(out).splitlines():
                    harness.json.loads(line)
            # The command as launched holds them too.
            self.sooth("trace", "-c", "-o", out, "--", "/bin/true", data)
            self.assert_tame(harness.read(out))

    def test_reports(self):
        target = self.evil_process(TITLE_OF_ALL)
        capture = self.path("capture")
        self.sooth("record", "-d", "0.3", "-o", capture, "-p", str(target.pid))
        self.assert_tame(self.sooth("report", capture).out)
        self.sooth("report", "-j", capture).json()
        self.sooth("report", "--format", "jsonl", capture).lines()

    def test_errors(self):
        for data in EVIL:
            for argv in ([b"ps" + data], [b"ps", b"--" + data], [b"report", data],
                         [b"trace", b"--", b"/nonexistent-" + data], [b"trace", b"-p", data],
                         [b"ps", b"-o", b"/nonexistent-/" + data], [b"ps", b"-u", data]):
                run = self.sooth(*argv, status=None)
                self.assertIn(run.status, (2, 4, 5, 127), run)
                self.assert_tame(run.err)
                self.assertLessEqual(len(run.err.splitlines()), 3, run)


# What reorders, hides or joins text, and the C1 controls: all that no text output may hold as it is.
HIDDEN = ("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200c\u200d\u200e\u200f\ufeff"
          "\u061c\u2028\u2029\u00ad\u2060\u0080\u0085\u009b\u009d\u009f\x1b\x7f")


@needs_bpf
class Sinks(Hostile):
    """Each format of each command that has a text of the target in it."""

    def program(self, part):
        folder = self.path("f-" + part)
        os.mkdir(folder)
        program = os.path.join(folder, "p-" + part)
        harness.shutil.copyfile("/bin/dash", program)
        os.chmod(program, 0o755)
        return program

    def assert_visible(self, data, what):
        text = data.decode("utf-8", "strict")
        for c in HIDDEN:
            self.assertNotIn(c, text, (what, hex(ord(c))))

    def test_all_formats(self):
        for i in range(0, len(HIDDEN), 9):
            part = HIDDEN[i:i + 9]
            program, capture, out = self.program(part), self.path("c%d" % i), self.path("out")
            self.sooth("record", "-o", capture, "--", program, "-c",
                       ": %s; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cat /nonexistent-%s" % (
                           part.replace("\u0085", ""), part), status=None)
            seen = 0
            for argv in (["report"], ["trace", "-c"], ["trace"], ["profile"], ["timeline"], ["ps", "-v"],
                         ["trace", "--flamegraph"], ["profile", "--flamegraph"], ["inspect"], ["diagnose"],
                         ["status"]):
                for form in ("table", "json", "jsonl", "csv", "folded", "flamegraph", "speedscope",
                             "firefox", "chrome", "timeline-svg", "redacted"):
                    if os.path.exists(out):
                        os.unlink(out)
                    self.sooth(*argv, "--format", form, "-o", out, capture, status=None)
                    if os.path.exists(out) and harness.read(out)[:2] != b"\x1f\x8b":
                        self.assert_visible(harness.read(out), (argv, form))
                        seen += b"202e" in harness.read(out) or b"xe2\\x80" in harness.read(out)
            for form in ("csv", "jsonl", "chrome", "folded"):
                self.sooth("export", "--format", form, "-o", out + "." + form, capture, status=None)
                for path in glob.glob(out + "." + form + "*/**", recursive=True) + [out + "." + form]:
                    if os.path.isfile(path):
                        self.assert_visible(harness.read(path), ("export", form))
            if i == 0:
                self.assertGreater(seen, 5)


SECRETS = {
    "sk-ant-api03-SOOTHSECRETONE": ["--api-key", "sk-ant-api03-SOOTHSECRETONE"],
    "SOOTHSECRETTWO": ["--api-key=SOOTHSECRETTWO"],
    "SOOTHSECRETTHREE": ["TOKEN=SOOTHSECRETTHREE"],
    "SOOTHSECRETFOUR": ["--password", "SOOTHSECRETFOUR"],
    "SOOTHSECRETFIVE": ["https://user:SOOTHSECRETFIVE@example.org/path"],
    "SOOTHSECRETSIX": ["-H", "Authorization: Bearer SOOTHSECRETSIX"],
    "SOOTHSECRETSEVEN": ["https://example.org/?access_token=SOOTHSECRETSEVEN&x=1"],
}
IN_THE_ENVIRONMENT = "SOOTHSECRETENVIRONMENT"


def plain_bytes(data):
    """A capture with every zstd frame in it unpacked as well."""
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    out, frames, at = bytearray(data), 0, 0
    while True:
        at = data.find(b"\x28\xb5\x2f\xfd", at)
        if at < 0:
            return bytes(out), frames
        frame = data[at:]
        size = library.ZSTD_findFrameCompressedSize(frame, ctypes.c_size_t(len(frame)))
        room = ctypes.create_string_buffer(16 << 20)
        made = library.ZSTD_decompress(room, ctypes.c_size_t(len(room)), frame,
                                       ctypes.c_size_t(size if size <= len(frame) else 0))
        if made <= len(room):
            out += room.raw[:made]
            frames += 1
        at += 4


class Secrets(Case):
    def holder(self):
        arguments = [word for words in SECRETS.values() for word in words]
        return self.start("/bin/sh", "-c", "echo ready; read -r x", "sh", *arguments,
                          env=dict(os.environ, ANTHROPIC_API_KEY=IN_THE_ENVIRONMENT))

    def assert_secret(self, data, what):
        for secret in [*SECRETS, IN_THE_ENVIRONMENT]:
            self.assertNotIn(secret.encode(), data, what)
        self.assertNotIn(b"SOOTHSECRET", data, what)

    def test_ps(self):
        target = self.holder()
        target.wait_for_output(b"ready\n")
        for form in ("table", "json", "jsonl"):
            run = self.sooth("ps", "--format", form, "--save", self.path("capture"),
                             str(target.pid))
            self.assertIn(b"read -r x", run.out, "the command is shown, its secrets are not")
            self.assert_secret(run.out + run.err, form)
            data, frames = plain_bytes(harness.read(self.path("capture")))
            self.assertTrue(frames or b"read -r x" in data)
            self.assertIn(b"read -r x", data)
            self.assert_secret(data, "capture")

    def test_words_that_hide_nothing_stay(self):
        target = self.start("/bin/sh", "-c", "echo ready; read -r x", "sh", "--verbose",
                            "https://example.org/a?b=c", "--tokens-per-line", "7")
        target.wait_for_output(b"ready\n")
        command = self.sooth("ps", "-j", str(target.pid)).json()["processes"][0]["command"]
        self.assertIn("--verbose", command)
        self.assertIn("https://example.org/a", command)


@needs_bpf
class SecretsOfTraces(Secrets):
    test_ps = test_words_that_hide_nothing_stay = None

    def test_record(self):
        target = self.holder()
        target.wait_for_output(b"ready\n")
        for mode in ([], ["--stream"]):
            self.sooth("record", *mode, "-d", "0.3", "-o", self.path("capture"), "-p",
                       str(target.pid))
            data, _ = plain_bytes(harness.read(self.path("capture")))
            self.assertIn(b"read -r x", data)
            self.assert_secret(data, "capture")
            for form in ("table", "json", "jsonl"):
                self.assert_secret(self.sooth("report", "--format", form,
                                              self.path("capture")).out, form)

    def test_launched(self):
        arguments = [word for words in SECRETS.values() for word in words]
        for mode in ([], ["-c", "-v"], ["-j"], ["-c", "-j"]):
            out, capture = self.path("out"), self.path("capture")
            self.sooth("trace", *mode, "-o", out, "--save", capture, "--", "/bin/true", *arguments,
                       env=dict(os.environ, ANTHROPIC_API_KEY=IN_THE_ENVIRONMENT))
            self.assertIn(b"/bin/true", harness.read(out))
            self.assert_secret(harness.read(out), mode)
            self.assert_secret(plain_bytes(harness.read(capture))[0], "capture")

    def test_errors_and_logs(self):
        arguments = [word for words in SECRETS.values() for word in words]
        run = self.sooth("trace", "--", "/nonexistent/program", *arguments, status=None)
        self.assert_secret(run.err + run.out, "error")
        run = self.sooth("--log-level", "debug", "trace", "-c", "--", "/bin/true", *arguments)
        self.assert_secret(run.err + run.out, "log")


# A word in each name that a process can choose: it is in no report for sharing.
MARKER = "zebulon"
NAMES = ("a %s b", "7%s", "(%s) x", 'x"%s;y', "x, (%s)", "\u00fc %s.log:", "a@b %s")
NAMED = r"""
import fcntl, os, socket, sys, time
name = sys.argv[1]
with open("/proc/self/comm", "w") as comm:
    comm.write("MainThread")
os.chdir(os.path.dirname(__file__))
folder = os.path.abspath("d " + name)
os.mkdir(folder)
lock = os.open(folder + "/lock " + name, os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.mkfifo(folder + "/fifo " + name)
open(folder + "/" + name + ".lock", "w").write(str(os.getpid()))
addresses = folder[:80] + "/s " + name, "relative " + name, "\0a %s%d" % (name, os.getpid())
listeners = [socket.socket(socket.AF_UNIX) for address in addresses]
for listener, address in zip(listeners, addresses):
    listener.bind(address)
    listener.listen(2)
def ask(address):
    s = socket.socket(socket.AF_UNIX)
    s.connect(address)
    s.recv(1)
def poll():
    while True:
        try: os.open(name + ".lock", os.O_CREAT | os.O_EXCL)
        except FileExistsError: time.sleep(0.02)
def wait_for_lock():
    fcntl.flock(os.open(folder + "/lock " + name, os.O_RDWR), fcntl.LOCK_EX)
pids = [os.getpid()]
for work in [wait_for_lock, poll, lambda: open(folder + "/fifo " + name)] + [
        lambda a=a: ask(a) for a in addresses]:
    pids.append(os.fork())
    if not pids[-1]:
        if work == poll: os.chdir(folder)
        os.close(lock)
        work()
print(*pids, flush=True)
time.sleep(600)
"""

# In a full control group, with members of its own script.
FULL = r"""
import os, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
open("/proc/self/comm", "w").write("MainThread")
print("ready", flush=True)
while True:
    try:
        if not os.fork(): time.sleep(600)
    except OSError: time.sleep(0.05)
"""
GROUPS = "/sys/fs/cgroup/pids/"


class Redacted(Case):
    def assert_redacted(self, what, text):
        at = text.lower().find(MARKER)
        if at >= 0:
            self.fail("%s: %s" % (what, text[max(0, at - 200):at + 60]))

    def named(self, name):
        script = self.path(name + ".py")
        with open(script, "w") as file:
            file.write(NAMED)
        process = self.start("python3", script, name)
        process.wait_for_output(b"\n")
        pids = process.out.decode().split()
        for pid in pids[1:]:
            self.addCleanup(os.kill, int(pid), signal.SIGKILL)
        return pids

    @harness.needs_root
    def test_mounts(self):
        for name in NAMES:
            under = self.path(name % MARKER)
            os.mkdir(under)
            pid = self.workload("fuse", "--late", "10000", "--directory", under, "--seconds", "60",
                                cannot="no FUSE").pid
            run = self.sooth("why", "--format", "redacted", str(pid), status=None)
            self.assertIn("the mount", run.text)
            self.assert_redacted(name, run.text)

    @unittest.skipUnless(os.access(GROUPS + "cgroup.procs", os.W_OK), "no control groups of version 1")
    def test_groups(self):
        pids = []
        for name in NAMES:
            group, script = GROUPS + name % MARKER, self.path(name % MARKER + ".py")
            os.mkdir(group)
            self.addCleanup(os.rmdir, group)
            self.addCleanup(self.empty, group)
            for path, text in ((group + "/pids.max", "6"), (script, FULL)):
                with open(path, "w") as file:
                    file.write(text)
            process = self.start("python3", script, group)
            process.wait_for_output(b"ready\n")
            pids.append(str(process.pid))
        run = self.sooth("diagnose", "--duration", "2", "--format", "redacted", *pids, status=None)
        self.assertGreaterEqual(run.text.count("; 6 MainThread "), len(NAMES), run)
        self.assert_redacted("groups", run.text)
        self.sooth("diagnose", "--duration", "2", "--bundle", self.path("bundle"), *pids, status=None)
        self.assert_redacted("groups", harness.read(self.path("bundle")).decode())

    def empty(self, group):
        pids = harness.read(group + "/cgroup.procs").split()
        for pid in pids:
            os.kill(int(pid), signal.SIGKILL)
        harness.wait_until(lambda: not harness.read(group + "/cgroup.procs"), "the group to empty")

    def test_names(self):
        each = [self.named(name % MARKER) for name in NAMES]
        pids, bundle = sum(each, []), self.path("bundle.json")
        for argv in (["why", *pids], *(["inspect", of[0]] for of in each),
                     ["ps", "-i", "20ms", *pids], ["diagnose", "--duration", "1", *pids]):
            run = self.sooth(*argv, "--format", "redacted", status=None)
            self.assertIn(argv[-1], run.text, run)
            self.assert_redacted(argv, run.text)
        self.sooth("diagnose", "--duration", "1", "--bundle", bundle, *pids, status=None)
        self.assert_redacted("bundle", harness.read(bundle).decode())
        captures = [self.path("first"), self.path("second")]
        for capture in captures:
            self.sooth("diagnose", "--duration", "1", "--save", capture, *pids, status=None)
            pids.pop()
        for argv in (["report", captures[0]], ["diff", *captures]):
            run = self.sooth(*argv, "--format", "redacted", status=None)
            self.assert_redacted(argv, run.text)


if __name__ == "__main__":
    harness.main()
