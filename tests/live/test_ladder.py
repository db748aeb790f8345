# SPDX-License-Identifier: BSD-2-Clause
"""
Each command that takes a target, in each place where sooth may run: with root's privilege down to a
chroot without /proc. What cannot be seen is said, with its reason and a remedy that is a command or an
option; no place calls a sick process well. --print shows the first lines of each cell.
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import harness
from harness import Case, Process, have, needs_bpf

PYTHON = "/usr/bin/python3"  # one that every user may run
USER = 64063  # a user whom nobody else here is
AS_USER = ("setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups")
NAMESPACES = ("unshare", "-pfmuin", "--kill-child", "--mount-proc")
ROOTLESS = ("unshare", "-Urpf", "--kill-child", "--mount-proc")
# What engines leave to a container by default.
KEPT = ("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
        "net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap")
NEEDED = ("bpf", "perfmon", "sys_ptrace")
# Refuses bpf and perf_event_open, as the profiles of engines do, in the command of its arguments.
REFUSES = """
import ctypes, os, struct, sys
code = ctypes.create_string_buffer(struct.pack("HBBI" * 5, 0x20, 0, 0, 0, 0x15, 1, 0, %d, 0x15, 0, 1, %d,
                                               6, 0, 0, 0x50001, 6, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 5, ctypes.addressof(code)))
call = ctypes.CDLL(None, use_errno=True).prctl
if call(38, 1, 0, 0, 0) or call(22, 2, program, 0, 0):
    raise OSError(ctypes.get_errno(), "prctl")
os.execvp(sys.argv[1], sys.argv[1:])
""" % (harness.NR_BPF, harness.PERF_CALLS.get(os.uname().machine, 0))
# A chroot with a /proc that vanishes with it.
CHROOT = ("unshare", "-m", "sh", "-c", 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"')


def contained(*more):
    return (*NAMESPACES, "setpriv", "--bounding-set",
            ",".join(["-all", *("+" + name for name in (*KEPT, *more))]), "--inh-caps", "-all")


# Starts the target beside itself, then answers each line, a command, with what it printed.
SERVER = r"""
import json, subprocess, sys
before = json.loads(sys.argv[1])
target = subprocess.Popen([sys.executable, "-c", sys.argv[2]], stdout=subprocess.PIPE)
target.stdout.readline()
print(json.dumps(target.pid), flush=True)
for line in sys.stdin:
    child = subprocess.Popen(before + json.loads(line), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(timeout=40)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
    print(json.dumps([child.returncode, out.decode("utf-8", "replace"),
                      err.decode("utf-8", "replace")]), flush=True)
target.kill()
"""
# Sick in its calls alone: it asks again and again for a connection that nothing accepts.
TARGET = r"""
import socket, time
print("ready", flush=True)
while True:
    s = socket.socket()
    try: s.connect(("127.0.0.1", 9))
    except OSError: pass
    s.close()
    time.sleep(0.01)
"""
# PID is the sick process beside sooth, OTHER one of root, which an ordinary user cannot look into.
COMMANDS = [line.split() for line in """
doctor
ps -p PID
status PID
why PID
why OTHER
stack PID
stack OTHER
inspect PID
inspect OTHER
diagnose --duration 2 PID
diagnose --duration 1 OTHER
trace -d 0.5 PID
trace -c -d 0.5 PID
trace --backend ptrace -c -d 0.5 PID
trace --backend ptrace -c -d 0.5 OTHER
trace -c -- /bin/true
api -d 0.5 PID
api -- /bin/true
sched -d 0.5 PID
sched -- /bin/true
heap -d 0.5 PID
heap --pages -d 0.5 PID
heap -- /bin/true
profile -d 0.5 PID
profile -d 0.5 OTHER
profile --wall -d 0.5 PID
profile --off-cpu -d 0.5 PID
profile -- /bin/true
timeline -d 0.5 PID
timeline --calls -d 0.5 PID
record -d 0.5 -o FILE PID
record -d 0.5 -o FILE OTHER
record -o FILE -- /bin/true
report FILE
monitor -d 0.5 --no-history --fifo-dir FOLDER PID
top PID
freeze --any PID
thaw --any PID
kill --any --dry-run PID
kill --any --dry-run OTHER
why -a
diagnose --duration 1 -a
ps -a
status -a
""".strip().splitlines()]


class Place:
    """Where sooth runs beside a sick process, and what it may do there. `enter` are the words before
    the process and sooth, `before` those before sooth alone."""

    def __init__(self, name, folder, program, other, enter=(), before=()):
        self.name, self.folder, self.program, self.other = name, folder, program, other
        self.process = Process([*enter, PYTHON, "-c", SERVER, json.dumps(list(before)), TARGET])
        self.answers = 0
        self.cells = {}
        self.pid = self.answer()

    def answer(self):
        self.answers += 1
        harness.wait_until(lambda: self.process.out.count(b"\n") >= self.answers or
                           not self.process.is_running(), self.name)
        lines = self.process.out.split(b"\n")
        if len(lines) <= self.answers:
            raise AssertionError(self.process.err.decode("utf-8", "replace"))
        return json.loads(lines[self.answers - 1])

    def look(self):
        """Runs all commands, one by one."""
        words = {"PID": str(self.pid), "FILE": self.folder + "/capture.sooth",
                 "FOLDER": self.folder + "/fifos", "OTHER": str(self.other)}
        for command in COMMANDS:
            if "OTHER" in command and not self.other:
                continue
            line = [self.program, *(words.get(word, word) for word in command)]
            self.process.say(json.dumps(line).encode() + b"\n")
            self.cells[" ".join(command)] = self.answer()

    def row(self, command, lines=9):
        """One cell, as text."""
        if command not in self.cells:
            return "%s: -" % self.name
        status, out, err = self.cells[command]
        text = [line[:170] for line in (err + out).splitlines() if line.strip()]
        return "\n    ".join(["%s: %s" % (self.name, status), *text[:lines]])


def place_in(folder, programs):
    """A folder with programs and the libraries they need, for a chroot."""
    for name in ("proc", "dev", "tmp", "bin"):
        os.makedirs(folder + "/" + name)
    for source, target in programs.items():
        shutil.copy2(source, folder + target)
        needed = subprocess.run(["ldd", source], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(?:=> |^\s+)(/\S+)", needed, re.M):
            os.makedirs(folder + os.path.dirname(library), exist_ok=True)
            shutil.copy2(os.path.realpath(library), folder + library)
    return folder


# No answer is an errno alone, or a line of a library.
BARE = re.compile(r"(?m)^libbpf|errno \d|(?:: |  )(?:Operation not permitted|Permission denied)$")
# A command, or an option, that gives what is missing.
REMEDY = re.compile(r"as root|sudo |mount -t |start the container with|on the host|--backend ptrace|"
                    r"`sooth |sooth ps|check the path")
# Without the calls of a process nothing says that it is well.
SEES_CALLS = ("root", "file capabilities", "container, capabilities, no seccomp")
WELL = re.compile(r"no problem found|^fine: ", re.M)
UNSEEN = re.compile(r"^not judged: .*connect-failing|^not judged: (?:.*and \d+ more)", re.M)


def faults_of(place, command, cell):
    """What is wrong with an answer, as text."""
    status, out, err = cell
    text = out + err
    if status not in (0, 2, 3, 4):
        yield "status %s" % status
    if status and not REMEDY.search(text):
        yield "no remedy"
    if BARE.search(text):
        yield "no reason: " + BARE.search(text).group()
    if not text.strip():
        yield "no answer"
    if "missing privilege" in text and not REMEDY.search(text):
        yield "no remedy for a privilege"
    words = command.split()
    if words[0] == "diagnose" and not status:
        names = re.search(r"connect-failing \(", out)
        if not names and WELL.search(out) and not UNSEEN.search(out):
            yield "says that a sick process is well"
        # Root, and a caller with the capabilities, see what the process does.
        if not names and place in SEES_CALLS and words[-1] == "PID":
            yield "does not name the cause"
        for line in re.findall(r"^  do: (sooth diagnose \d.*)", out, re.M):
            yield "the same command as a remedy: " + line
        if place.startswith("container") and "do: sudo" in out:
            yield "sudo does not help in a container"


@needs_bpf
@unittest.skipUnless(have("setcap") and have("setpriv"), "setcap and setpriv are missing")
class Ladder(Case):
    def places(self):
        """All places, each with a sick process."""
        program = self.copy_for_all(harness.SOOTH)
        able = shutil.copy2(program, self.path("able"))
        subprocess.run([have("setcap"), "cap_bpf,cap_perfmon+ep", able], check=True)
        library = os.path.dirname(harness.SOOTH) + "/src/preload"
        os.makedirs(self.path("src/preload"))
        shutil.copy2(library + "/sooth-preload.so", self.path("src/preload"))
        other = self.start(PYTHON, "-c", TARGET)
        other.wait_for_output(b"ready")
        root = place_in(self.path("changed"), {program: "/sooth", "/bin/true": "/bin/true"})
        os.chmod(self.folder, 0o755)
        refused = (PYTHON, "-c", REFUSES)
        return [self.place(*row) for row in (
            ("root", program, other.pid),
            ("file capabilities", able, other.pid, AS_USER),
            ("user", program, other.pid, AS_USER),
            ("user namespace", program, None, (*AS_USER, *ROOTLESS)),
            ("container", program, None, (*contained(), *refused)),
            ("container, user", program, None, (*contained(), *AS_USER, *refused)),
            ("container, capabilities", program, None, (*contained(*NEEDED), *refused)),
            ("container, capabilities, no seccomp", program, None, contained(*NEEDED)),
            ("chroot", "/sooth", other.pid, (), (*CHROOT, root)),
            ("chroot without /proc", "/sooth", other.pid, (), ("chroot", root)))]

    def place(self, name, *row):
        folder = self.path(re.sub("[^a-z]", "-", name))
        os.mkdir(folder)
        if any("--reuid" in part for part in row if isinstance(part, tuple)):
            os.chown(folder, USER, USER)
        place = Place(name, "/tmp" if row[0] == "/sooth" else folder, *row)
        self.addCleanup(place.process.end)
        return place

    def test_all(self):
        places = self.places()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(Place.look, places))
        faults = ["%s: sooth %s: %s" % (place.name, command, fault)
                  for place in places for command, cell in place.cells.items()
                  for fault in faults_of(place.name, command, cell)]
        for command in (" ".join(words) for words in COMMANDS if PRINT):
            print("\n# sooth " + command)
            for place in places:
                print(place.row(command))
        self.assertEqual(faults, [], "\n".join(faults))


PRINT = "--print" in sys.argv
if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--print"]
    harness.main()
